/* SPDX-License-Identifier: Apache-2.0 */
/* Reckons a recording anew: the same events into the same controller; its orders and,
 * where a part goes on from the one before, its memory must be the recorded ones. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/audit.h"
#include "core/memory.h"
#include "io/clock.h"

enum { MOST_MA = 10 * SITE_MAX_MA };
#define MOST_MS (INT64_C(1) << 50)

static bool sane_ms(int64_t ms)
{
    return ms == INT64_MAX || (ms <= MOST_MS && ms >= -MOST_MS);
}

void audit_time(const struct audit *a, int64_t at_ms, char out[64])
{
    bool known = sane_ms(at_ms) && sane_ms(a->start.mono_ms) && sane_ms(a->start.utc_s);
    int64_t ms = known ? at_ms - a->start.mono_ms + a->start.utc_s * 1000 : 0;
    int64_t s = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
    char utc[21];

    clock_format_utc(s, utc);
    utc[10] = ' ';
    utc[19] = '\0';
    snprintf(out, 64, "%s.%03d UTC (%" PRId64 " ms)", utc, (int)(ms - s * 1000), at_ms);
}

/* ---- where nothing can be reckoned */

static void stop(struct audit *a)
{
    journal_image_free(a->image);
    a->image = NULL;
    free(a->expected);
    a->expected = NULL;
    ledger_free(a->ledger);
    a->ledger = NULL;
    a->in_step = false;
}

/* ---- a step */

static void differs(struct audit *a, long line, const struct order *here,
                    const struct order *recorded)
{
    char event[JOURNAL_LINE] = "", ours[JOURNAL_LINE] = "no order",
         theirs[JOURNAL_LINE] = "no order", time[64];

    journal_text_event(event, &a->event);
    if (here)
        journal_text_order(ours, a->event.at_ms, here);
    if (recorded)
        journal_text_order(theirs, a->event.at_ms, recorded);
    audit_time(a, a->event.at_ms, time);
    audit_say(a, AUDIT_DIFFERENCE, line, "%s, after '%s': recorded '%s', here '%s'",
              time, event, theirs, ours);
}

/* No more orders come from the step. At the end of what was written the last ones may
 * be missing. */
static void finish_step(struct audit *a, bool cut_off)
{
    if (!a->in_step)
        return;
    a->in_step = false;
    if (cut_off && a->n_seen < a->n_expected)
        return;
    for (; a->n_seen < a->n_expected; a->n_seen++)
        differs(a, a->event_line, &a->expected[a->n_seen], NULL);
    ledger_step_end(a->ledger);
}

static bool sane_ma(int32_t ma)
{
    return ma == EVENT_NO_VALUE || (ma <= MOST_MA && ma >= -MOST_MA);
}

/* What no device can have measured and no clock can have shown is kept out of the
 * arithmetic. */
static bool sane(const struct event *e)
{
    bool good = e->at_ms != INT64_MAX && sane_ms(e->at_ms);

    for (int p = 0; p < SITE_PHASES; p++) {
        if (e->kind == EVENT_METER)
            good = good && sane_ma(e->meter.i_ma[p]) && sane_ma(e->meter.v_mv[p]);
        if (e->kind == EVENT_SAMPLE)
            good = good && sane_ma(e->sample.i_ma[p]);
    }
    if (e->kind == EVENT_WISH)
        good = good && sane_ms(e->wish.departs_ms) && sane_ma(e->wish.min_ma) &&
               sane_ma(e->wish.max_ma);
    if (e->kind == EVENT_CEILING)
        good = good && sane_ma(e->ceiling.limit_ma) && sane_ma(e->ceiling.whole_ma) &&
               sane_ms(e->ceiling.until_ms);
    if (e->kind == EVENT_LIMIT)
        good = good && sane_ma(e->limit.limit_ma) && sane_ms(e->limit.until_ms);
    return good;
}

static void on_event(void *arg, long line, const struct event *e)
{
    struct audit *a = arg;

    finish_step(a, false);
    if (a->image && !sane(e)) {
        audit_say(a, AUDIT_DAMAGE, line, "an event with a value that cannot be");
        stop(a);
    }
    if (!a->image) {
        a->skipped++;
        return;
    }
    a->events++;
    a->event = *e;
    a->event_line = line;
    a->in_step = true;
    a->n_seen = 0;
    a->n_expected = control_step(journal_image_control(a->image), e, a->expected);
    ledger_event(a->ledger, e);
}

static bool same(const struct order *x, const struct order *y)
{
    char a[JOURNAL_LINE], b[JOURNAL_LINE];

    return journal_text_order(a, 0, x) > 0 && journal_text_order(b, 0, y) > 0 &&
           strcmp(a, b) == 0;
}

static void on_order(void *arg, long line, int64_t at_ms, const struct order *o)
{
    struct audit *a = arg;
    const struct order *here = NULL;

    if (!a->image) {
        a->skipped++;
        return;
    }
    a->orders++;
    if (!a->in_step || at_ms != a->event.at_ms) {
        audit_say(a, AUDIT_DIFFERENCE, line, "an order that follows from no event");
        return;
    }
    if (a->n_seen < a->n_expected)
        here = &a->expected[a->n_seen++];
    if (!here || !same(here, o))
        differs(a, line, here, o);
    ledger_order(a->ledger, o);
}

/* ---- a part */

static void on_breach(void *arg, const char *text)
{
    struct audit *a = arg;
    char time[64];

    audit_time(a, a->event.at_ms, time);
    audit_say(a, AUDIT_BREACH, a->event_line, "%s: %s", time, text);
}

/* The first member that is not the same; "" where all are. */
static void compare(struct control *here, struct control *recorded, char out[160])
{
    struct memory x[MEMORY_CONTROL], y[MEMORY_CONTROL];

    memory_control(here, x);
    memory_control(recorded, y);
    *out = '\0';
    for (int m = 0; m < MEMORY_CONTROL; m++)
        for (int i = 0; i < x[m].n; i++)
            for (int f = 0; f < x[m].n_fields; f++)
                for (int j = 0; j < x[m].fields[f].count; j++) {
                    const struct field *d = &x[m].fields[f];
                    size_t at = (size_t)i * x[m].size;
                    int64_t v = field_get((char *)x[m].at + at, d, j);
                    int64_t w = field_get((char *)y[m].at + at, d, j);

                    if (v == w)
                        continue;
                    snprintf(out, 160,
                             "%s of %s %d: recorded %" PRId64 ", here %" PRId64,
                             d->name, x[m].what, i, w, v);
                    return;
                }
}

static bool same_size(const struct site *x, const struct site *y)
{
    return x->n_circuits == y->n_circuits && x->n_connectors == y->n_connectors &&
           x->n_meters == y->n_meters && x->n_chargers == y->n_chargers;
}

static void start_anew(struct audit *a, long line, struct journal_image *image)
{
    const struct site *s = journal_image_site(image);

    stop(a);
    a->expected = calloc(control_max_orders(s), sizeof *a->expected);
    a->ledger =
        ledger_new(s, journal_image_control(image), a->start.mono_ms, on_breach, a);
    a->image = image;
    if (a->expected && a->ledger)
        return;
    audit_say(a, AUDIT_DAMAGE, line, "there is no memory to reckon it");
    stop(a);
}

/* Whether it goes on from what we have reckoned up to here. */
static bool goes_on(const struct audit *a, const struct journal_start *s)
{
    char crc[9];

    if (!a->image || s->part - 1 != a->start.part)
        return false;
    snprintf(crc, sizeof crc, "%08" PRIx32, a->crc);
    return s->begun == BEGUN_HOUR ||
           (s->begun == BEGUN_FILE && strcmp(s->after, crc) == 0);
}

static void on_begin(void *arg, long line, const struct journal_start *s,
                     struct journal_image *image)
{
    struct audit *a = arg;
    bool on = goes_on(a, s);
    char what[160] = "the site";

    if (on && a->n_seen < a->n_expected && a->in_step)
        audit_say(a, AUDIT_DIFFERENCE, line,
                  "the last step before has not all orders that it has here");
    if (image && (!sane_ms(s->mono_ms) || !sane_ms(s->utc_s))) {
        audit_say(a, AUDIT_DAMAGE, line, "a clock that cannot be");
        journal_image_free(image);
        image = NULL;
    }
    finish_step(a, on || s->begun == BEGUN_START || s->begun == BEGUN_FILE);
    a->parts++;
    if (on && image &&
        same_size(journal_image_site(a->image), journal_image_site(image)))
        compare(journal_image_control(a->image), journal_image_control(image), what);
    a->start = *s;
    if (on && image && !*what) {
        journal_image_free(image); /* ours is the same, and the ledger knows more */
        return;
    }
    if (on && image)
        audit_say(a, AUDIT_DIFFERENCE, line, "the memory at the end of a part: %s",
                  what);
    if (strcmp(s->version, PACKAGE_VERSION) != 0)
        audit_say(a, AUDIT_NOTE, line,
                  "recorded by version %s, this is " PACKAGE_VERSION
                  ": what differs may be a change of the program",
                  s->version);
    if (image)
        start_anew(a, line, image);
    else
        stop(a);
}

/* ---- what cannot be reckoned */

static void on_gap(void *arg, long line, int64_t at_ms, int64_t lost)
{
    struct audit *a = arg;
    char time[64];

    finish_step(a, true);
    stop(a);
    a->gaps++;
    a->lost += lost;
    audit_time(a, at_ms, time);
    audit_say(a, AUDIT_NOTE, line, "%s: %" PRId64 " records could not be written", time,
              lost);
}

static void on_torn(void *arg, long line)
{
    struct audit *a = arg;

    finish_step(a, true);
    a->torn++;
    audit_say(a, AUDIT_NOTE, line,
              "torn: the record that was being written when all stopped");
}

static void on_bad(void *arg, long line, const char *what)
{
    struct audit *a = arg;

    finish_step(a, true);
    stop(a);
    audit_say(a, AUDIT_DAMAGE, line, "%s", what);
}

int audit_stream(struct audit *a, FILE *f, const char *name)
{
    struct journal_reader r = {.arg = a,
                               .begin = on_begin,
                               .event = on_event,
                               .order = on_order,
                               .gap = on_gap,
                               .torn = on_torn,
                               .bad = on_bad};
    long bad;

    a->file = name;
    bad = journal_read(f, &r);
    a->crc = r.crc;
    return bad < 0 ? -1 : 0;
}

void audit_end(struct audit *a)
{
    stop(a);
}
