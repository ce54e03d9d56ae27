/* SPDX-License-Identifier: Apache-2.0 */
/* The wires: sums of currents on the tree, and the verdict on every second. */
#include "sim/plant.h"

#include <stdlib.h>

/* Rows of a circuit: its phases, and the sum of all (for its power limit). */
enum { POWER = SITE_PHASES, ROWS, PAST = 64 };

struct past {
    int64_t from_ms;
    int64_t base_ma[ROWS];
};

struct wire {
    int64_t car_ma[ROWS], base_ma[ROWS];
    struct past past[PAST]; /* base load, a ring */
    int first, n;
    bool changed; /* since it was last looked at */
    bool over;    /* when it was last looked at */
};

struct sim_plant {
    const struct site *site;
    int64_t reaction_ms;
    struct wire *wires;              /* per circuit */
    int32_t (*base_ma)[SITE_PHASES]; /* own, per circuit */
    int32_t (*car_ma)[SITE_PHASES];  /* per connector */
    bool over, by_control;           /* seen in this second */
    bool power_over, power_by_control;
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
    p->verdict.first_circuit = SITE_NONE;
    if (p->wires && p->base_ma && p->car_ma)
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

/* The least that this row's base load has been within the last reaction time. */
static int64_t least_base(struct sim_plant *p, struct wire *w, int r, int64_t now_ms)
{
    int64_t least = w->base_ma[r];

    for (int i = w->n - 1; i >= 0; i--) {
        struct past *t = past_at(w, i);

        if (t->base_ma[r] < least)
            least = t->base_ma[r];
        if (t->from_ms <= now_ms - p->reaction_ms)
            break; /* it was already so when the reaction time began */
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
    int64_t total_ma = w->base_ma[r] + w->car_ma[r];

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
    if (w->base_ma[r] <= limit_ma &&
        w->car_ma[r] + least_base(p, w, r, now_ms) > limit_ma)
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

void sim_plant_second(struct sim_plant *p, int64_t now_ms)
{
    struct sim_verdict *v = &p->verdict;

    sim_plant_look(p, now_ms);
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
