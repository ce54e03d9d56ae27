/* SPDX-License-Identifier: Apache-2.0 */
/* The wires: sums of currents on the tree, and the verdict on every second. */
#include "sim/plant.h"

#include <stdlib.h>

/* Rows of a circuit: its phases, and the sum of all (for its power limit). */
enum { POWER = SITE_PHASES, ROWS, PAST = 1024 };

struct span {
    int64_t since_ms, until_ms;
    bool deaf;
};

#define FOR_EVER_MS (INT64_MAX / 2)
#define NOBODYS_FAULT INT64_MIN

struct past {
    int64_t from_ms;
    int64_t base_ma[ROWS];
};

struct wire {
    int64_t car_ma[ROWS], base_ma[ROWS];
    struct past past[PAST]; /* base load, a ring */
    int first, n;
    struct span blind;
    bool changed; /* since it was last looked at */
    bool over;    /* when it was last looked at */
};

struct sim_plant {
    const struct site *site;
    int64_t reaction_ms;
    struct wire *wires;              /* per circuit */
    int32_t (*base_ma)[SITE_PHASES]; /* own, per circuit */
    int32_t (*car_ma)[SITE_PHASES];  /* per connector */
    struct span *out;                /* per connector */
    bool over, by_control;           /* seen in this second */
    bool power_over, power_by_control;
    int32_t span_s, span_by_control_s; /* it is over since */
    struct sim_verdict verdict;
};

struct sim_plant *sim_plant_new(const struct site *s, int64_t reaction_ms)
{
    struct sim_plant *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->site = s;
    p->reaction_ms = reaction_ms;
    p->wires = calloc((size_t)s->n_circuits, sizeof *p->wires);
    p->base_ma = calloc((size_t)s->n_circuits, sizeof *p->base_ma);
    p->car_ma = calloc((size_t)s->n_connectors + 1, sizeof *p->car_ma);
    p->out = calloc((size_t)s->n_connectors + 1, sizeof *p->out);
    p->verdict.first_circuit = SITE_NONE;
    if (p->wires && p->base_ma && p->car_ma && p->out)
        return p;
    sim_plant_free(p);
    return NULL;
}

void sim_plant_free(struct sim_plant *p)
{
    if (!p)
        return;
    free(p->wires);
    free(p->base_ma);
    free(p->car_ma);
    free(p->out);
    free(p);
}

static struct past *past_at(struct wire *w, int i)
{
    return &w->past[(w->first + i) % PAST];
}

static void remember(struct wire *w, int64_t now_ms)
{
    struct past *last = w->n ? past_at(w, w->n - 1) : NULL;

    if (!last || last->from_ms != now_ms) {
        if (w->n == PAST) { /* less past = less excuse */
            w->first = (w->first + 1) % PAST;
            w->n--;
        }
        last = past_at(w, w->n++);
    }
    last->from_ms = now_ms;
    for (int r = 0; r < ROWS; r++)
        last->base_ma[r] = w->base_ma[r];
}

void sim_plant_set_base(struct sim_plant *p, int64_t now_ms, int circuit,
                        const int32_t i_ma[SITE_PHASES])
{
    int32_t *own = p->base_ma[circuit], more[SITE_PHASES];

    for (int r = 0; r < SITE_PHASES; r++) {
        more[r] = i_ma[r] - own[r];
        own[r] = i_ma[r];
    }
    for (int c = circuit; c != SITE_NONE; c = p->site->circuits[c].parent) {
        struct wire *w = &p->wires[c];

        if (w->n == 0)
            remember(w, INT64_MIN); /* nothing, ever since */
        for (int r = 0; r < SITE_PHASES; r++) {
            w->base_ma[r] += more[r];
            w->base_ma[POWER] += more[r];
        }
        remember(w, now_ms);
        w->changed = true;
    }
}

void sim_plant_set_car(struct sim_plant *p, int connector,
                       const int32_t i_ma[SITE_PHASES])
{
    int32_t *own = p->car_ma[connector], more[SITE_PHASES];

    for (int r = 0; r < SITE_PHASES; r++) {
        more[r] = i_ma[r] - own[r];
        own[r] = i_ma[r];
    }
    for (int c = p->site->connectors[connector].circuit; c != SITE_NONE;
         c = p->site->circuits[c].parent) {
        struct wire *w = &p->wires[c];

        for (int r = 0; r < SITE_PHASES; r++) {
            w->car_ma[r] += more[r];
            w->car_ma[POWER] += more[r];
        }
        w->changed = true;
    }
}

static bool within(const struct span *s, int64_t now_ms)
{
    return s->since_ms <= now_ms && now_ms < s->until_ms;
}

/* A span that begins before the last one has ended goes on with it. */
static void widen(struct span *s, int64_t since_ms, int64_t until_ms)
{
    if (since_ms > s->until_ms)
        s->since_ms = since_ms;
    if (until_ms > s->until_ms)
        s->until_ms = until_ms;
}

void sim_plant_deaf(struct sim_plant *p, int connector, int64_t since_ms)
{
    sim_plant_out(p, connector, since_ms, FOR_EVER_MS);
    p->out[connector].deaf = true;
}

void sim_plant_in(struct sim_plant *p, int connector, int64_t until_ms)
{
    p->out[connector].until_ms = until_ms;
}

void sim_plant_blind(struct sim_plant *p, int circuit, int64_t since_ms,
                     int64_t until_ms)
{
    widen(&p->wires[circuit].blind, since_ms, until_ms);
}

static bool below(const struct site *s, int circuit, int ancestor)
{
    while (circuit != SITE_NONE && circuit != ancestor)
        circuit = s->circuits[circuit].parent;
    return circuit == ancestor;
}

/* What control could not see when it lost its reach it could not act on before. */
void sim_plant_out(struct sim_plant *p, int connector, int64_t since_ms,
                   int64_t until_ms)
{
    int at = p->site->connectors[connector].circuit;
    int64_t first_ms = since_ms;

    for (int c = 0; c < p->site->n_circuits; c++) {
        const struct span *s = &p->wires[c].blind;

        if (within(s, since_ms) && s->since_ms < first_ms &&
            (below(p->site, c, at) || below(p->site, at, c)))
            first_ms = s->since_ms;
    }
    widen(&p->out[connector], first_ms, until_ms);
}

/* Since when control was without means on that row: the first of those that are out of
 * its reach, when nobody else draws; now, when there is one that it could lower. */
static int64_t helpless_since(const struct sim_plant *p, int circuit, int r,
                              int64_t now_ms)
{
    int64_t since_ms = now_ms;
    bool deaf = false;

    for (int i = 0; i < p->site->n_connectors; i++) {
        const int32_t *ma = p->car_ma[i];
        int64_t draw_ma = r == POWER ? (int64_t)ma[0] + ma[1] + ma[2] : ma[r];

        if (draw_ma == 0 || !below(p->site, p->site->connectors[i].circuit, circuit))
            continue;
        if (!within(&p->out[i], now_ms))
            return now_ms;
        if (p->out[i].since_ms < since_ms)
            since_ms = p->out[i].since_ms;
        deaf |= p->out[i].deaf;
    }
    return deaf ? NOBODYS_FAULT : since_ms;
}

/* How far back a rise of the base load may lie. */
static int64_t excused_since(const struct sim_plant *p, int circuit, int r,
                             int64_t now_ms)
{
    int64_t since_ms = helpless_since(p, circuit, r, now_ms);

    if (since_ms == NOBODYS_FAULT)
        return NOBODYS_FAULT;
    for (int c = 0; c < p->site->n_circuits; c++) {
        const struct span *s = &p->wires[c].blind;

        if (within(s, now_ms) && s->since_ms < since_ms &&
            (below(p->site, c, circuit) || below(p->site, circuit, c)))
            since_ms = s->since_ms;
    }
    return since_ms - p->reaction_ms;
}

/* The least that this row's base load has been since then. */
static int64_t least_base(struct wire *w, int r, int64_t since_ms)
{
    int64_t least = w->base_ma[r];

    for (int i = w->n - 1; i >= 0; i--) {
        struct past *t = past_at(w, i);

        if (t->base_ma[r] < least)
            least = t->base_ma[r];
        if (t->from_ms <= since_ms)
            break; /* it was already so then */
    }
    return least;
}

/* Most that a row may carry; INT64_MAX = no limit. */
static int64_t row_limit(const struct site *s, int circuit, int r)
{
    const struct site_circuit *c = &s->circuits[circuit];

    if (r < POWER)
        return c->limit_ma[r];
    return c->power_limit_w ? (int64_t)c->power_limit_w * 1000000 / s->voltage_mv
                            : INT64_MAX;
}

static void worst(int32_t *most, int64_t value)
{
    if (value > *most)
        *most = (int32_t)value;
}

static void blame(struct sim_plant *p, int circuit, int r, int64_t now_ms)
{
    bool *flag = r == POWER ? &p->power_by_control : &p->by_control;

    *flag = true;
    if (p->verdict.first_circuit != SITE_NONE)
        return;
    p->verdict.first_circuit = circuit;
    p->verdict.first_ms = now_ms;
}

/* Judges one row. Returns true when it is over its limit. */
static bool look_row(struct sim_plant *p, int circuit, int r, int64_t now_ms)
{
    struct wire *w = &p->wires[circuit];
    int64_t limit_ma = row_limit(p->site, circuit, r);
    int64_t total_ma = w->base_ma[r] + w->car_ma[r], since_ms;

    if (total_ma <= limit_ma)
        return false;
    if (r == POWER) {
        p->power_over = true;
        worst(&p->verdict.worst_w,
              (total_ma - limit_ma) * p->site->voltage_mv / 1000000);
    } else {
        p->over = true;
        worst(&p->verdict.worst_ma, total_ma - limit_ma);
    }
    since_ms = excused_since(p, circuit, r, now_ms);
    if (since_ms != NOBODYS_FAULT && w->base_ma[r] <= limit_ma &&
        w->car_ma[r] + least_base(w, r, since_ms) > limit_ma)
        blame(p, circuit, r, now_ms);
    return true;
}

void sim_plant_look(struct sim_plant *p, int64_t now_ms)
{
    struct wire *root = &p->wires[0];
    int64_t mv = p->site->voltage_mv;

    if (root->changed) {
        worst(&p->verdict.peak_w,
              (root->base_ma[POWER] + root->car_ma[POWER]) * mv / 1000000);
        worst(&p->verdict.peak_cars_w, root->car_ma[POWER] * mv / 1000000);
    }
    for (int c = 0; c < p->site->n_circuits; c++) {
        struct wire *w = &p->wires[c];

        if (!w->changed && !w->over)
            continue;
        w->changed = w->over = false;
        for (int r = 0; r < ROWS; r++)
            w->over |= look_row(p, c, r, now_ms);
    }
}

const int32_t sim_lasted_s[SIM_LASTED] = {1, 2, 3, 5, 8, 13, 20, 30, 60, INT32_MAX};

/* A second is over: it belongs to a span in which something was above its limit, or
 * ends one. */
static void count_span(struct sim_plant *p)
{
    struct sim_verdict *v = &p->verdict;
    int class = 0;

    p->span_by_control_s = p->by_control ? p->span_by_control_s + 1 : 0;
    worst(&v->longest_by_control_s, p->span_by_control_s);
    if (p->over) {
        p->span_s++;
        worst(&v->longest_s, p->span_s);
        return;
    }
    if (p->span_s > 0) {
        while (p->span_s > sim_lasted_s[class])
            class ++;
        v->lasted[class]++;
    }
    p->span_s = 0;
}

void sim_plant_second(struct sim_plant *p, int64_t now_ms)
{
    struct sim_verdict *v = &p->verdict;

    sim_plant_look(p, now_ms);
    count_span(p);
    v->seconds++;
    v->over_s += p->over;
    v->by_control_s += p->by_control;
    v->power_over_s += p->power_over;
    v->power_by_control_s += p->power_by_control;
    p->over = p->by_control = p->power_over = p->power_by_control = false;
}

void sim_plant_total(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES])
{
    const struct wire *w = &p->wires[circuit];

    for (int r = 0; r < SITE_PHASES; r++)
        i_ma[r] = (int32_t)(w->base_ma[r] + w->car_ma[r]);
}

void sim_plant_base(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES])
{
    for (int r = 0; r < SITE_PHASES; r++)
        i_ma[r] = (int32_t)p->wires[circuit].base_ma[r];
}

int32_t sim_plant_power_w(const struct sim_plant *p, int circuit)
{
    const struct wire *w = &p->wires[circuit];

    return (int32_t)((w->base_ma[POWER] + w->car_ma[POWER]) * p->site->voltage_mv /
                     1000000);
}

const struct sim_verdict *sim_plant_verdict(const struct sim_plant *p)
{
    return &p->verdict;
}
