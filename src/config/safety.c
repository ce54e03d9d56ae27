/* SPDX-License-Identifier: Apache-2.0 */
/* What flows in each circuit when the controller, the network or a meter is gone. */
#include "config/safety.h"

#include <string.h>

enum { TICK_MS = 1000 }; /* the controller looks at least so often; core/event.h */

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void add_connector(const struct site *s, const struct site_connector *c,
                          struct conf_safety *out)
{
    uint8_t phases = site_phase_mask(c);

    for (int v = c->circuit; v != SITE_NONE; v = s->circuits[v].parent) {
        out[v].n_connectors++;
        for (int p = 0; p < SITE_PHASES; p++) {
            out[v].fallback_ma[p] += phases >> p & 1 ? c->fallback_ma : 0;
            out[v].max_ma[p] += phases >> p & 1 ? c->max_ma : 0;
        }
    }
}

static bool is_full(const struct site_circuit *c)
{
    return c->meter != SITE_NONE &&
           memcmp(c->base_ma, c->limit_ma, sizeof c->base_ma) == 0;
}

static bool has_base(const struct site_circuit *c)
{
    return c->base_ma[0] > 0 || c->base_ma[1] > 0 || c->base_ma[2] > 0;
}

/* Children come after their parents, so that one way back sums them up. The base load
 * that is written for a circuit holds for what is not known below it. */
static void set_bases(const struct site *s, struct conf_safety *out)
{
    for (int v = s->n_circuits - 1; v >= 0; v--) {
        const struct site_circuit *c = &s->circuits[v];
        struct conf_safety *x = &out[v], *above;

        x->base_unknown |= is_full(c);
        for (int p = 0; p < SITE_PHASES; p++)
            if (x->base_ma[p] < c->base_ma[p]) /* it was the sum of those below */
                x->base_ma[p] = c->base_ma[p];
        if (c->parent == SITE_NONE ||
            (x->base_unknown && has_base(&s->circuits[c->parent])))
            continue;
        above = &out[c->parent];
        above->base_unknown |= x->base_unknown;
        for (int p = 0; p < SITE_PHASES; p++)
            above->base_ma[p] += x->base_ma[p];
    }
}

static void finish(const struct site *s, int v, const int64_t base_ma[SITE_PHASES],
                   const int64_t cars_ma[SITE_PHASES], struct conf_loss *l)
{
    const struct site_circuit *c = &s->circuits[v];
    int64_t sum = 0;

    l->free_ma = INT64_MAX;
    for (int p = 0; p < SITE_PHASES; p++) {
        l->total_ma[p] = base_ma[p] + cars_ma[p];
        l->free_ma = min64(l->free_ma, c->limit_ma[p] - l->total_ma[p]);
        sum += l->total_ma[p];
    }
    l->power_w = sum * s->voltage_mv / 1000000;
}

static void alone(const struct site *s, int v, struct conf_safety *x)
{
    const struct site_circuit *c = &s->circuits[v];
    int64_t worst = 0, fallback = 0;

    finish(s, v, x->base_ma, x->fallback_ma, &x->alone);
    x->alone.after_ms = site_lease_end_ms(s) + s->settle_ms;
    x->phase = SITE_NONE;
    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t over = x->alone.total_ma[p] - c->limit_ma[p];

        fallback += x->fallback_ma[p];
        if (x->fallback_ma[p] > 0 && over > worst) {
            worst = over;
            x->phase = p;
        }
    }
    if (c->power_limit_w > 0 && fallback > 0 && x->alone.power_w > c->power_limit_w)
        x->over_w = x->alone.power_w - c->power_limit_w;
}

/* What the controller lets through when all it has is the base loads of the file, on
 * each phase; the power limit comes on top. From the leaves up: `cars_ma` is the sum of
 * what the circuits and connectors right below may draw. */
static void blind(const struct site *s, int v, int64_t cars_ma[SITE_PHASES],
                  struct conf_safety *x)
{
    const struct site_circuit *c = &s->circuits[v];
    int64_t base_w = 0;

    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t room = c->limit_ma[p] - c->margin_ma - x->base_ma[p];

        cars_ma[p] = min64(cars_ma[p], room > 0 ? room : 0);
        base_w += x->base_ma[p] * s->voltage_mv / 1000000;
    }
    if (c->meter == SITE_NONE)
        return;
    finish(s, v, x->base_ma, cars_ma, &x->blind);
    if (c->power_limit_w > 0 && x->blind.power_w > c->power_limit_w)
        x->blind.power_w = base_w > c->power_limit_w ? base_w : c->power_limit_w;
    x->blind.after_ms = s->meters[c->meter].max_age_ms + TICK_MS + s->settle_ms;
    if (s->meters[c->meter].max_same_ms > 0)
        x->frozen_ms = s->meters[c->meter].max_same_ms + TICK_MS + s->settle_ms;
    x->rise_ms = s->meters[c->meter].interval_ms + s->settle_ms;
}

static void blinds(const struct site *s, struct conf_safety *out)
{
    /* blind.total_ma gathers what stands right below until it is the circuit's turn */
    for (int i = 0; i < s->n_connectors; i++)
        for (int p = 0; p < SITE_PHASES; p++)
            if (site_phase_mask(&s->connectors[i]) >> p & 1)
                out[s->connectors[i].circuit].blind.total_ma[p] +=
                    s->connectors[i].max_ma;
    for (int v = s->n_circuits - 1; v >= 0; v--) {
        int64_t cars_ma[SITE_PHASES];

        memcpy(cars_ma, out[v].blind.total_ma, sizeof cars_ma);
        blind(s, v, cars_ma, &out[v]);
        for (int p = 0; p < SITE_PHASES && s->circuits[v].parent != SITE_NONE; p++)
            out[s->circuits[v].parent].blind.total_ma[p] += cars_ma[p];
    }
}

bool conf_safety_carries(const struct conf_safety *x)
{
    return x->phase == SITE_NONE && x->over_w == 0;
}

bool conf_safety(const struct site *s, struct conf_safety *out)
{
    bool safe = true;

    memset(out, 0, (size_t)s->n_circuits * sizeof *out);
    for (int i = 0; i < s->n_connectors; i++)
        add_connector(s, &s->connectors[i], out);
    set_bases(s, out);
    blinds(s, out);
    for (int v = 0; v < s->n_circuits; v++) {
        alone(s, v, &out[v]);
        safe &= conf_safety_carries(&out[v]);
    }
    return safe && conf_safety_lease_ms(s) == 0;
}

/* At 7/8 of a lease that could not be renewed the fallback is reserved (grant.c). */
int64_t conf_safety_lease_ms(const struct site *s)
{
    int64_t needed = 8 * ((int64_t)s->settle_ms + TICK_MS);
    bool any = false;

    for (int i = 0; i < s->n_connectors; i++)
        any |= s->connectors[i].fallback_ma > 0;
    return any && needed > s->lease_ms ? needed : 0;
}

int64_t conf_safety_base_room_ma(const struct site_circuit *c,
                                 const struct conf_safety *x)
{
    int64_t room = INT64_MAX;

    for (int p = 0; p < SITE_PHASES; p++)
        room = min64(room, c->limit_ma[p] - x->fallback_ma[p]);
    return room;
}
