/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a Modbus line. */
#include "io/bus_line.h"

#include <stdio.h>

#include "io/bus_input.h"
#include "io/clock.h"

enum {
    BACKOFF_MAX_S = 60,
    FIRST_PAUSE_S = 10,
    CONNECT_MS = 3000, /* at least: a SYN is repeated after a second */
    TIMEOUTS_MAX = 3,  /* in a row: then the connection is made anew */
    FAILURES_TOLD = 3  /* cycles without an answer, in a row */
};

/* ---- troubles ---- */

static void trouble_begins(struct bus_line *b, struct bus_meter *m, const char *text)
{
    meter_tell_trouble(b->inbox, &m->trouble, m->poll ? "meter" : "input", m->name,
                       text);
}

static void trouble_ends(struct bus_line *b, struct bus_meter *m)
{
    meter_tell_relief(b->inbox, &m->trouble, m->poll ? "meter" : "input", m->name);
}

/* ---- readings ---- */

static int doubled(int s)
{
    return s == 0 ? 1 : s * 2 < BACKOFF_MAX_S ? s * 2 : BACKOFF_MAX_S;
}

/* A meter that keeps silent is asked less and less often, so that the others on the
 * line are not held up; not so rarely the one that matters most. */
static int64_t pause_after_failures(const struct bus_meter *m, bool first_served)
{
    int s = 0, most_s = first_served ? FIRST_PAUSE_S : BACKOFF_MAX_S;

    for (int i = FAILURES_TOLD; i <= m->silent && s < most_s; i++)
        s = doubled(s);
    return (s < most_s ? s : most_s) * 1000;
}

/* No answer, or that of a gateway that has waited for one (exceptions 10 and 11). */
static bool is_silent(const struct bus_line *b, enum poll_result result)
{
    return result == POLL_NONE ||
           (result == POLL_LATER && modbus_line_exception(b->line) >= 10);
}

static void take_failure(struct bus_line *b, struct bus_meter *m,
                         enum poll_result result)
{
    bool old = clock_ms() - m->good_ms > m->max_age_ms;

    if (result != POLL_LATER)
        m->failures++;
    m->silent = is_silent(b, result) ? m->silent + 1 : 0;
    if (old || result == POLL_FAULT || m->failures >= FAILURES_TOLD)
        trouble_begins(b, m,
                       b->hint[0] ? b->hint
                       : m->poll  ? meter_poll_text(m->poll)
                                  : modbus_line_text(b->line));
}

static enum poll_result cycle_meter(struct bus_line *b, struct bus_meter *m)
{
    struct poll_reading p;
    enum poll_result result = meter_poll_cycle(m->poll, b->line, false, &p);

    if (result == POLL_READING) {
        m->good_ms = p.at_ms;
        meter_tell_reading(b->inbox, m->index, &p.r, p.at_ms, p.changed_ms);
    }
    return result;
}

static enum poll_result cycle_input(struct bus_line *b, struct bus_meter *m)
{
    struct inbox_item item = {.kind = INBOX_INPUT};
    enum poll_result result = bus_input_read(m->input, b->line, &item.input.active);

    if (result == POLL_READING) {
        item.input.input = m->index;
        item.input.at_ms = m->good_ms = clock_ms();
        inbox_put(b->inbox, &item);
    }
    return result;
}

/* Nothing has ever answered here. Perhaps in the other framing? */
static void look_for_hint(struct bus_line *b, const struct bus_meter *m)
{
    struct line_request r;

    if (!m->poll || b->heard)
        return;
    meter_poll_first(m->poll, &r);
    if (modbus_line_speaks_other(b->line, &r))
        snprintf(b->hint, sizeof b->hint, "%s", modbus_line_text(b->line));
}

/* What a result means for the connection. */
static void mind_connection(struct bus_line *b, const struct bus_meter *m,
                            enum poll_result result)
{
    if (result == POLL_LOST)
        return;
    if (result != POLL_NONE) {
        b->timeouts = 0;
        b->backoff_s = 0;
        b->heard = true;
        b->hint[0] = '\0';
        return;
    }
    b->timeouts += 2; /* it has been asked twice */
    if (b->timeouts >= TIMEOUTS_MAX) {
        modbus_line_close(b->line);
        look_for_hint(b, m);
    }
}

/* One cycle of one meter or input. */
static void read_one(struct bus_line *b, int i)
{
    struct bus_meter *m = &b->meters[i];
    int64_t begun_ms = clock_ms();
    enum poll_result result = m->poll ? cycle_meter(b, m) : cycle_input(b, m);

    if (result == POLL_STOPPED)
        return;
    mind_connection(b, m, result);
    if (result == POLL_READING) {
        m->failures = m->silent = 0;
        trouble_ends(b, m);
    } else {
        take_failure(b, m, result);
    }
    bus_turn_done(&b->turns[i], begun_ms, clock_ms(),
                  pause_after_failures(m, b->turns[i].first_served));
}

/* ---- the line ---- */

static int connect_timeout_ms(const struct bus_line *b)
{
    int ms = CONNECT_MS;

    for (int i = 0; i < b->n_meters; i++) {
        const struct definition *d =
            b->meters[i].poll ? meter_poll_definition(b->meters[i].poll) : NULL;

        if (d && d->bus.timeout_ms > ms)
            ms = d->bus.timeout_ms;
    }
    return ms;
}

static int connect_pause_ms(const struct bus_line *b)
{
    int ms = 0;

    for (int i = 0; i < b->n_meters; i++) {
        const struct definition *d =
            b->meters[i].poll ? meter_poll_definition(b->meters[i].poll) : NULL;

        if (d && d->bus.connect_ms > ms)
            ms = d->bus.connect_ms;
    }
    return ms;
}

/* Connects when its time has come. False = not connected. */
static bool connect_line(struct bus_line *b)
{
    enum line_result result;

    if (!modbus_line_wait(b->line, b->open_ms))
        return false;
    result = modbus_line_open(b->line, connect_timeout_ms(b));
    b->backoff_s = doubled(b->backoff_s);
    b->open_ms = clock_ms() + b->backoff_s * 1000;
    b->timeouts = 0;
    if (result == LINE_BROKEN)
        for (int i = 0; i < b->n_meters; i++)
            trouble_begins(b, &b->meters[i], modbus_line_text(b->line));
    if (result != LINE_OK)
        return false;
    for (int i = 0; i < b->n_meters && b->opened; i++)
        if (b->meters[i].poll)
            meter_poll_reset(b->meters[i].poll);
    b->opened = true;
    return modbus_line_wait(b->line, clock_ms() + connect_pause_ms(b));
}

void *bus_line_run(void *arg)
{
    struct bus_line *b = arg;

    while (!modbus_line_stopped(b->line)) {
        int64_t now_ms = clock_ms(), at_ms;
        int i;

        if (!modbus_line_is_open(b->line) && !connect_line(b))
            continue;
        i = bus_turn_next(b->turns, b->n_meters, b->last, now_ms, &at_ms);
        if (at_ms > now_ms) {
            modbus_line_wait(b->line, at_ms); /* another may be first then */
            continue;
        }
        b->last = i;
        read_one(b, i);
    }
    modbus_line_close(b->line);
    return NULL;
}
