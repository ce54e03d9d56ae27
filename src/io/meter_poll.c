/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one meter, cycle by cycle. */
#include "io/meter_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "meter/decode.h"
#include "meter/explain.h"
#include "meter/plausible.h"
#include "meter/sunspec.h"

enum {
    SLOW_MS = 10000,      /* between two reads of a slow block */
    STATIC_MS = 600000,   /* and of a static one */
    SLOW_RETRY_MS = 60000 /* after a slow block has failed */
};

struct meter_poll {
    struct definition *d;
    int unit;
    bool turned;
    struct sunspec_walk walk;
    bool ready; /* layout and plan are known */
    struct decode decode;
    struct plan plan;
    uint64_t hash; /* of the fast registers */
    int64_t changed_ms;
    struct counter imported, exported;
    struct belief belief;
    char text[192];
};

struct meter_poll *meter_poll_new(struct definition *d, int unit, bool turned,
                                  char *err, size_t size)
{
    struct meter_poll *m;

    err[0] = '\0';
    if (d->is_model)
        snprintf(err, size, "\"%s\" is the layout of a SunSpec model, not a device",
                 d->id);
    else if (unit < 0 && d->bus.unit < 0)
        snprintf(err, size, "\"%s\" has no usual unit id: one must be given", d->id);
    if (err[0]) {
        definition_free(d);
        return NULL;
    }
    m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(err, size, "out of memory");
        definition_free(d);
        return NULL;
    }
    m->d = d;
    m->unit = unit >= 0 ? unit : d->bus.unit;
    m->turned = turned;
    meter_poll_reset(m);
    return m;
}

void meter_poll_free(struct meter_poll *m)
{
    if (!m)
        return;
    definition_free(m->d);
    free(m);
}

const char *meter_poll_text(const struct meter_poll *m)
{
    return m->text;
}

const struct definition *meter_poll_definition(const struct meter_poll *m)
{
    return m->d;
}

int meter_poll_unit(const struct meter_poll *m)
{
    return m->unit;
}

const struct plan *meter_poll_plan(const struct meter_poll *m)
{
    return m->ready ? &m->plan : NULL;
}

int meter_poll_model(const struct meter_poll *m, int *at)
{
    if (!m->ready || !m->d->sunspec.used)
        return 0;
    *at = m->walk.model_at;
    return m->walk.model_id;
}

/* The plan for a layout at this offset: the one at hand, when it was made for that. */
static bool make_ready(struct meter_poll *m, const struct definition *layout,
                       int offset)
{
    bool same = m->decode.layout == layout && m->decode.offset == offset;

    m->decode = (struct decode){
        .layout = layout, .device = m->d, .offset = offset, .turned = m->turned};
    m->ready = same || plan_make(&m->plan, layout, offset);
    if (m->ready) {
        plan_reset(&m->plan);
        return true;
    }
    m->decode.layout = NULL;
    snprintf(m->text, sizeof m->text, "the model at %d does not fit", offset);
    return false;
}

void meter_poll_reset(struct meter_poll *m)
{
    if (!m->d->sunspec.used) {
        make_ready(m, m->d, 0);
    } else if (m->ready || !m->walk.d) {
        /* a walk that has found nothing yet goes on with the next base address */
        sunspec_begin(&m->walk, m->d);
        m->ready = false;
    }
}

static struct line_request request(const struct meter_poll *m, int fc, int at, int n)
{
    return (struct line_request){.unit = m->unit,
                                 .fc = fc,
                                 .at = at,
                                 .n = n,
                                 .timeout_ms = m->d->bus.timeout_ms,
                                 .gap_ms = m->d->bus.gap_ms};
}

void meter_poll_first(const struct meter_poll *m, struct line_request *r)
{
    const struct block *b = &m->plan.blocks[0];

    *r = m->ready && m->plan.n_blocks > 0 ? request(m, b->fc, b->at, b->n)
                                          : request(m, 3, m->walk.at, m->walk.n);
}

/* One request, repeated once when no good answer comes: the same one, as a late answer
 * to the first is then a good answer to the second. */
static enum line_result ask(struct meter_poll *m, struct modbus_line *l, int fc, int at,
                            int n, uint16_t *regs)
{
    struct line_request r = request(m, fc, at, n);
    enum line_result result;

    /* Where Modbus TCP only leads to a serial line, the gateway minds its pauses. */
    if (m->d->bus.rtu && !m->d->bus.gap_on_tcp && !modbus_line_is_rtu(l))
        r.gap_ms = 0;
    result = modbus_line_read(l, &r, regs);

    if (result == LINE_TIMEOUT || result == LINE_GARBLED)
        result = modbus_line_read(l, &r, regs);
    if (result != LINE_OK)
        snprintf(m->text, sizeof m->text, "%s", modbus_line_text(l));
    return result;
}

static bool is_busy(int exception)
{
    return exception == 5 || exception == 6 || exception == 10 || exception == 11;
}

enum poll_result meter_poll_outcome(const struct modbus_line *l,
                                    enum line_result result)
{
    switch (result) {
    case LINE_OK:
        return POLL_READING;
    case LINE_TIMEOUT:
    case LINE_GARBLED:
        return POLL_NONE;
    case LINE_REFUSED:
        return is_busy(modbus_line_exception(l)) ? POLL_LATER : POLL_FAULT;
    case LINE_BROKEN:
        return POLL_LOST;
    default:
        return POLL_STOPPED;
    }
}

/* Walks along the SunSpec chain until the model is found. */
static enum poll_result find_model(struct meter_poll *m, struct modbus_line *l)
{
    uint16_t words[WALK_WORDS];

    while (!sunspec_done(&m->walk)) {
        enum walk_state state = m->walk.state;
        enum line_result result = ask(m, l, 3, m->walk.at, m->walk.n, words);
        enum poll_result poll = meter_poll_outcome(l, result);

        if (poll == POLL_READING || poll == POLL_FAULT)
            sunspec_answer(&m->walk, poll == POLL_READING ? words : NULL);
        /* some are silent where others say "illegal address" */
        else if (poll == POLL_NONE && state == WALK_MARK)
            sunspec_answer(&m->walk, NULL);
        if (poll != POLL_READING && poll != POLL_FAULT) {
            if (m->walk.state == WALK_NOT_FOUND)
                sunspec_begin(&m->walk, m->d);
            return poll;
        }
    }
    if (m->walk.state == WALK_FOUND &&
        make_ready(m, definition_model(m->d, m->walk.model_id), m->walk.model_at))
        return POLL_READING;
    if (m->walk.state == WALK_NOT_FOUND)
        sunspec_text(&m->walk, m->text, sizeof m->text);
    sunspec_begin(&m->walk, m->d);
    return POLL_FAULT;
}

/* Reads block i. A refused one is split. */
static enum line_result read_block(struct meter_poll *m, struct modbus_line *l, int i,
                                   bool *split)
{
    struct block *b = &m->plan.blocks[i];
    enum line_result result = ask(m, l, b->fc, b->at, b->n, b->regs);
    int exception = modbus_line_exception(l);

    b->valid = result == LINE_OK;
    if (result == LINE_REFUSED && (exception == 2 || exception == 3) &&
        plan_split(&m->plan, i))
        *split = true;
    return result;
}

static bool is_due(const struct meter_poll *m, int i, enum pace pace, int64_t now_ms)
{
    const struct block *b = &m->plan.blocks[i];

    return b->pace == pace && !b->dropped &&
           (pace == PACE_FAST ? !b->valid : b->due_ms <= now_ms);
}

/* Reads all fast blocks. *at_ms = when the first came in. */
static enum poll_result read_fast(struct meter_poll *m, struct modbus_line *l,
                                  int64_t *at_ms)
{
    bool first = true;

    for (int i = 0; i < m->plan.n_blocks; i++)
        if (m->plan.blocks[i].pace == PACE_FAST)
            m->plan.blocks[i].valid = false;
    for (int i = 0; i < m->plan.n_blocks; i++) {
        bool split = false;
        enum line_result result;

        if (!is_due(m, i, PACE_FAST, 0))
            continue;
        result = read_block(m, l, i, &split);
        if (split) {
            i--; /* its first half is there now, or it is dropped */
        } else if (result != LINE_OK) {
            return meter_poll_outcome(l, result);
        } else if (first) {
            *at_ms = clock_ms();
            first = false;
        }
    }
    return POLL_READING;
}

/* Reads blocks of the other paces that are due, at most `most`. What fails here is
 * missing from the reading, and is tried again later. */
static void read_others(struct meter_poll *m, struct modbus_line *l, enum pace pace,
                        int most)
{
    for (int i = 0; i < m->plan.n_blocks && most > 0; i++) {
        int64_t now_ms = clock_ms();
        bool split = false;
        enum line_result result;

        if (!is_due(m, i, pace, now_ms) || !modbus_line_is_open(l))
            continue;
        result = read_block(m, l, i, &split);
        most--;
        if (split)
            i--;
        else if (result == LINE_OK)
            m->plan.blocks[i].due_ms =
                now_ms + (pace == PACE_SLOW ? SLOW_MS : STATIC_MS);
        else
            m->plan.blocks[i].due_ms = now_ms + (pace == PACE_SLOW ? SLOW_RETRY_MS : 0);
    }
}

/* FNV-1a over the fast registers: do they differ from those before? */
static void note_change(struct meter_poll *m, int64_t now_ms)
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < m->plan.n_blocks; i++)
        for (int k = 0; m->plan.blocks[i].pace == PACE_FAST &&
                        k < m->plan.blocks[i].n && m->plan.blocks[i].valid;
             k++)
            h = (h ^ m->plan.blocks[i].regs[k]) * 1099511628211u;
    if (h != m->hash || m->changed_ms == 0)
        m->changed_ms = now_ms;
    m->hash = h;
}

static enum poll_result make_reading(struct meter_poll *m, int64_t at_ms,
                                     struct poll_reading *out)
{
    const char *order;
    char text[128];

    note_change(m, at_ms);
    decode_reading(&m->decode, &m->plan, &out->r);
    if (!reading_believed(&m->belief, &out->r, m->decode.layout, text, sizeof text)) {
        order = explain_word_order(&m->decode, &m->plan);
        snprintf(m->text, sizeof m->text, "unit %d: implausible: %s%s%s", m->unit, text,
                 order ? " With word_order: " : "", order ? order : "");
        return POLL_FAULT;
    }
    reading_drop_dead(&out->r);
    out->r.import_wh = counter_step(&m->imported, out->r.import_wh, at_ms);
    out->r.export_wh = counter_step(&m->exported, out->r.export_wh, at_ms);
    out->at_ms = at_ms;
    out->changed_ms = m->changed_ms;
    return POLL_READING;
}

enum poll_result meter_poll_cycle(struct meter_poll *m, struct modbus_line *l, bool all,
                                  struct poll_reading *out)
{
    enum poll_result result = POLL_READING;
    int64_t at_ms = 0;

    if (!m->ready)
        result = find_model(m, l);
    if (result != POLL_READING)
        return result;
    read_others(m, l, PACE_STATIC, PLAN_BLOCKS);
    result = read_fast(m, l, &at_ms);
    if (result != POLL_READING)
        return result;
    read_others(m, l, PACE_SLOW, all ? PLAN_BLOCKS * 2 : 1);
    if (modbus_line_stopped(l))
        return POLL_STOPPED;
    return make_reading(m, at_ms, out);
}
