/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules, digital inputs, and the fail-safe of a silent source. */
#include "run/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/hours.h"

enum {
    /* the core ends a schedule's limit by itself only when no tick does */
    END_SLACK_MS = 5000,
    JITTER_MS = 3000 /* an end that moves by less is the same end */
};

static const struct event_limit none = {.limit_ma = EVENT_NO_VALUE};

struct circuit {
    struct event_limit sent[LIMIT_SOURCES]; /* what the core was told last */
    int64_t heard_ms;                       /* of MQTT */
    bool silent, over; /* the fail-safe holds; it has held long enough */
    int64_t silent_ms; /* since then */
};

struct input {
    int64_t read_ms; /* or start */
    bool active;     /* as it was read last */
    bool lost;
    bool limits;      /* its limit is in force */
    int64_t since_ms; /* since then */
    bool followed;    /* the chargers are below it */
};

struct limits {
    const struct config *c;
    struct limits_hooks h;
    struct circuit *circuits;
    struct input *inputs;
    bool clock_told;
};

struct limits *limits_new(const struct config *c, const struct limits_hooks *h,
                          int64_t now_ms)
{
    struct limits *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->c = c;
    l->h = *h;
    l->circuits = calloc((size_t)c->site.n_circuits, sizeof *l->circuits);
    l->inputs = calloc((size_t)c->n_inputs + 1, sizeof *l->inputs);
    if (!l->circuits || !l->inputs) {
        limits_free(l);
        return NULL;
    }
    for (int v = 0; v < c->site.n_circuits; v++) {
        l->circuits[v].heard_ms = now_ms;
        for (int s = 0; s < LIMIT_SOURCES; s++)
            l->circuits[v].sent[s] = none;
    }
    for (int i = 0; i < c->n_inputs; i++)
        l->inputs[i].read_ms = now_ms;
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    free(l->circuits);
    free(l->inputs);
    free(l);
}

void limits_adopt(struct limits *l, const struct limits *old)
{
    const struct config *c = l->c;

    l->clock_told = old->clock_told;
    for (int v = 0; v < c->site.n_circuits; v++)
        for (int w = 0; w < old->c->site.n_circuits; w++)
            if (strcmp(c->site.circuits[v].name, old->c->site.circuits[w].name) == 0) {
                l->circuits[v] = old->circuits[w];
                l->circuits[v].silent = false; /* its limit may have changed */
            }
    for (int i = 0; i < c->n_inputs; i++)
        for (int j = 0; j < old->c->n_inputs; j++)
            if (strcmp(c->inputs[i].at.name, old->c->inputs[j].at.name) == 0)
                l->inputs[i] = old->inputs[j];
}

/* ---- words ---- */

static bool any(const struct event_limit *x)
{
    return x->limit_ma != EVENT_NO_VALUE || x->power_w > 0 || x->chargers_w > 0;
}

/* "20 A on each phase, 8000 W, chargers 4200 W until 20:00" */
static void words(const struct event_limit *x, int64_t until_s, char *out, size_t size)
{
    time_t until = (time_t)until_s;
    struct tm tm;
    int n = 0;

    out[0] = '\0';
    if (x->limit_ma != EVENT_NO_VALUE)
        n += snprintf(out + n, size - (size_t)n, "%d.%d A on each phase",
                      x->limit_ma / 1000, x->limit_ma % 1000 / 100);
    if (x->power_w > 0)
        n += snprintf(out + n, size - (size_t)n, "%s%d W", n ? ", " : "", x->power_w);
    if (x->chargers_w > 0)
        n += snprintf(out + n, size - (size_t)n, "%schargers %d W", n ? ", " : "",
                      x->chargers_w);
    if (until_s > 0 && localtime_r(&until, &tm))
        snprintf(out + n, size - (size_t)n, " until %02d:%02d", tm.tm_hour, tm.tm_min);
}

/* ---- telling the core ---- */

static bool same(const struct event_limit *a, const struct event_limit *b)
{
    int64_t moved_ms = a->until_ms - b->until_ms;

    return a->limit_ma == b->limit_ma && a->power_w == b->power_w &&
           a->chargers_w == b->chargers_w &&
           (!any(a) || (moved_ms < JITTER_MS && moved_ms > -JITTER_MS));
}

/* Returns false when that is what it knows already. */
static bool send(struct limits *l, int circuit, struct event_limit x, int64_t now_ms)
{
    struct event_limit *sent = &l->circuits[circuit].sent[x.source];
    struct event e = {.at_ms = now_ms, .kind = EVENT_LIMIT, .who = circuit, .limit = x};

    if (same(&x, sent))
        return false;
    *sent = x;
    l->h.feed(l->h.arg, &e);
    return true;
}

static int32_t lower(int32_t a, int32_t b, int32_t nothing)
{
    return a == nothing ? b : b == nothing || a < b ? a : b;
}

static void tell_change(struct limits *l, const char *code, int circuit,
                        const struct event_limit *x, int64_t until_s)
{
    const char *name = l->c->site.circuits[circuit].name;
    char limit[100], text[160];

    words(x, until_s, limit, sizeof limit);
    snprintf(text, sizeof text, "limit %s", limit);
    l->h.tell(l->h.arg, "info", code, name, any(x) ? text : "the limit has ended");
}

/* ---- schedules ---- */

/* While nobody has set the clock, all entries hold. */
static void schedule(struct limits *l, int v, int64_t now_ms, int64_t utc_s)
{
    const struct conf_circuit *c = &l->c->circuits[v];
    struct event_limit x = none;
    int64_t first_s = INT64_MAX;
    bool known = utc_s >= HOURS_CLOCK_SET_S;

    for (int i = 0; i < c->n_schedule; i++) {
        const struct conf_schedule *s = &c->schedule[i];
        int64_t until_s = INT64_MAX;

        if (known && !hours_hold(s, utc_s, &until_s))
            continue;
        x.limit_ma = lower(x.limit_ma, s->limit_ma, EVENT_NO_VALUE);
        x.power_w = lower(x.power_w, s->power_w, 0);
        x.chargers_w = lower(x.chargers_w, s->chargers_w, 0);
        if (until_s < first_s)
            first_s = until_s;
    }
    x.source = LIMIT_SCHEDULE;
    if (any(&x))
        x.until_ms = first_s == INT64_MAX
                         ? INT64_MAX
                         : now_ms + 1000 * (first_s - utc_s) + END_SLACK_MS;
    if (send(l, v, x, now_ms))
        tell_change(l, "schedule", v, &x, first_s == INT64_MAX ? 0 : first_s);
}

static void check_clock(struct limits *l, int64_t utc_s)
{
    bool unset = false;

    for (int v = 0; v < l->c->site.n_circuits; v++)
        unset |= l->c->circuits[v].n_schedule > 0 && utc_s < HOURS_CLOCK_SET_S;
    if (unset == l->clock_told)
        return;
    l->clock_told = unset;
    l->h.tell(l->h.arg, unset ? "warning" : "info", "clock", "",
              unset ? "the clock is not set: all limits of schedules hold"
                    : "the clock is set: schedules go by it");
}

/* ---- the fail-safe while MQTT is silent ---- */

static void silence_begins(struct limits *l, int v, int64_t now_ms)
{
    const struct conf_circuit *c = &l->c->circuits[v];
    struct event_limit x = {.limit_ma = c->silent_ma,
                            .chargers_w = c->silent_chargers_w,
                            .source = LIMIT_SILENT,
                            .until_ms = INT64_MAX};
    char limit[100], text[160];

    if (c->silent_hold_ms > 0)
        x.until_ms = now_ms + c->silent_hold_ms;
    send(l, v, x, now_ms);
    l->circuits[v].silent = true;
    l->circuits[v].silent_ms = now_ms;
    words(&x, 0, limit, sizeof limit);
    snprintf(text, sizeof text, "silent for %d s: fail-safe limit %s",
             c->silent_after_ms / 1000, limit);
    l->h.tell(l->h.arg, "warning", "remote", l->c->site.circuits[v].name, text);
}

static void silence_ends(struct limits *l, int v, int64_t now_ms, const char *text)
{
    struct event_limit x = none;

    x.source = LIMIT_SILENT;
    l->circuits[v].silent = false;
    send(l, v, x, now_ms);
    l->h.tell(l->h.arg, "info", "remote", l->c->site.circuits[v].name, text);
}

static void silence(struct limits *l, int v, int64_t now_ms)
{
    const struct conf_circuit *c = &l->c->circuits[v];
    struct circuit *s = &l->circuits[v];

    if (c->silent_after_ms == 0) {
        if (any(&s->sent[LIMIT_SILENT])) /* the file has changed */
            silence_ends(l, v, now_ms, "the fail-safe limit has ended");
    } else if (s->silent && c->silent_hold_ms > 0 &&
               now_ms - s->silent_ms >= c->silent_hold_ms) {
        s->over = true;
        silence_ends(l, v, now_ms, "still silent, but the fail-safe limit has ended");
    } else if (!s->silent && !s->over && now_ms - s->heard_ms >= c->silent_after_ms) {
        silence_begins(l, v, now_ms);
    }
}

void limits_heard(struct limits *l, int circuit, int64_t now_ms)
{
    struct circuit *s = &l->circuits[circuit];

    s->heard_ms = now_ms;
    s->over = false;
    if (s->silent)
        silence_ends(l, circuit, now_ms, "heard again: the fail-safe limit has ended");
}

/* ---- inputs ---- */

/* What all active inputs of a circuit leave its chargers. */
static void send_inputs(struct limits *l, int circuit, int64_t now_ms)
{
    struct event_limit x = none;

    for (int i = 0; i < l->c->n_inputs; i++)
        if (l->inputs[i].limits && l->c->inputs[i].circuit == circuit)
            x.chargers_w = lower(x.chargers_w, l->c->inputs[i].power_w, 0);
    x.source = LIMIT_INPUT;
    x.until_ms = INT64_MAX; /* until the input says otherwise */
    send(l, circuit, x, now_ms);
}

static void tell_input(struct limits *l, int i, const char *level, const char *text)
{
    l->h.tell(l->h.arg, level, "input", l->c->inputs[i].at.name, text);
}

static void settle_input(struct limits *l, int i, int64_t now_ms)
{
    const struct conf_input *c = &l->c->inputs[i];
    struct input *s = &l->inputs[i];
    bool limits = s->lost ? !c->lost_inactive : s->active;
    char text[160];

    if (limits == s->limits)
        return;
    if (limits)
        snprintf(text, sizeof text, "%s: chargers below %s draw at most %d W together",
                 s->lost ? "lost, counts as active" : "active",
                 l->c->site.circuits[c->circuit].name, c->power_w);
    else
        snprintf(text, sizeof text, "%s: the limit of %d W has ended after %lld s",
                 s->lost ? "lost, counts as inactive" : "inactive", c->power_w,
                 (long long)(now_ms - s->since_ms) / 1000);
    s->limits = limits;
    s->since_ms = now_ms;
    s->followed = false;
    tell_input(l, i, s->lost ? "warning" : "info", text);
    send_inputs(l, c->circuit, now_ms);
}

/* How long it took until the limit was kept for sure. */
static void see_input_followed(struct limits *l, int i, int64_t now_ms)
{
    const struct conf_input *c = &l->c->inputs[i];
    struct input *s = &l->inputs[i];
    int64_t w;
    char text[160];

    if (!s->limits || s->followed)
        return;
    w = l->h.granted_w(l->h.arg, c->circuit);
    if (w > c->power_w)
        return;
    s->followed = true;
    snprintf(text, sizeof text, "chargers below %s draw at most %lld W, %lld s after",
             l->c->site.circuits[c->circuit].name, (long long)w,
             (long long)(now_ms - s->since_ms) / 1000);
    tell_input(l, i, "info", text);
}

void limits_input(struct limits *l, int input, bool active, int64_t now_ms)
{
    struct input *s = &l->inputs[input];

    s->read_ms = now_ms;
    s->active = active;
    s->lost = false;
    settle_input(l, input, now_ms);
}

void limits_tick(struct limits *l, int64_t now_ms, int64_t utc_s)
{
    check_clock(l, utc_s);
    for (int i = 0; i < l->c->n_inputs; i++) {
        struct input *s = &l->inputs[i];

        if (now_ms - s->read_ms > l->c->inputs[i].at.max_age_ms)
            s->lost = true;
        settle_input(l, i, now_ms);
        see_input_followed(l, i, now_ms);
    }
    for (int v = 0; v < l->c->site.n_circuits; v++) {
        schedule(l, v, now_ms, utc_s);
        silence(l, v, now_ms);
        send_inputs(l, v, now_ms); /* another file may have none, or another limit */
    }
}
