/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated charger answers. */
#include "sim/charger.h"

#include <stdlib.h>
#include <string.h>

bool sim_charger_init(struct sim_charger *c, int n_connectors, bool real,
                      struct sim_rng rng)
{
    *c = (struct sim_charger){.rng = rng, .room = 2 * n_connectors};
    c->waiting = calloc((size_t)c->room + 1, sizeof *c->waiting);
    if (real) {
        c->answer_min_ms = (int32_t)sim_rng_between(&c->rng, 500, 1500);
        c->answer_max_ms = (int32_t)sim_rng_between(&c->rng, c->answer_min_ms, 5000);
        c->act_max_ms = 1000;
        c->fresh_ms = 1000;
        c->lease_from_act = sim_rng_between(&c->rng, 0, 1) == 1;
    }
    return c->waiting != NULL;
}

void sim_charger_free(struct sim_charger *c)
{
    free(c->waiting);
    c->waiting = NULL;
}

bool sim_charger_order(struct sim_charger *c, const struct order *o, struct order *back)
{
    for (int i = 0; i < c->n_waiting; i++)
        if (c->waiting[i].who == o->who && c->waiting[i].kind == o->kind) {
            *back = c->waiting[i];
            c->waiting[i] = *o;
            return o->kind == ORDER_LIMIT;
        }
    if (c->n_waiting < c->room)
        c->waiting[c->n_waiting++] = *o;
    return false;
}

/* Limits before samples, the lowest limit before others. */
static bool sooner(const struct order *a, const struct order *b)
{
    if (a->kind != b->kind)
        return a->kind == ORDER_LIMIT;
    return a->kind == ORDER_LIMIT && a->limit_ma < b->limit_ma;
}

bool sim_charger_call(struct sim_charger *c, int64_t now_ms, int64_t *answer_ms)
{
    int best = 0;

    if (c->busy || c->n_waiting == 0)
        return false;
    for (int i = 1; i < c->n_waiting; i++)
        if (sooner(&c->waiting[i], &c->waiting[best]))
            best = i;
    c->busy = true;
    c->calls++;
    c->call = c->waiting[best];
    c->call_ms = now_ms;
    c->n_waiting--;
    memmove(&c->waiting[best], &c->waiting[best + 1],
            (size_t)(c->n_waiting - best) * sizeof *c->waiting);
    *answer_ms = now_ms + sim_rng_between(&c->rng, c->answer_min_ms, c->answer_max_ms);
    return true;
}

struct order sim_charger_answer(struct sim_charger *c, int64_t now_ms, int64_t *act_ms,
                                int32_t *lease_ms)
{
    int64_t left_ms;

    c->busy = false;
    if (c->call.kind == ORDER_SAMPLE) {
        *act_ms = now_ms + c->fresh_ms;
        *lease_ms = 0;
        return c->call;
    }
    *act_ms = now_ms + sim_rng_between(&c->rng, c->act_min_ms, c->act_max_ms);
    left_ms = c->call.lease_ms;
    if (!c->lease_from_act)
        left_ms -= *act_ms - c->call_ms;
    *lease_ms = left_ms > 0 ? (int32_t)left_ms : 0;
    return c->call;
}

int32_t sim_charger_watts(int32_t ma, int32_t voltage_mv, int phases)
{
    int64_t uw_per_ma = (int64_t)voltage_mv * phases;
    int64_t told_w = ma * uw_per_ma / 1000000;

    return (int32_t)(told_w * 1000000 / uw_per_ma);
}

int32_t sim_charger_slowest_ms(const struct sim_charger *c)
{
    int32_t calls = 1 + c->room / 2; /* the one under way, and one per connector */

    return calls * c->answer_max_ms + c->act_max_ms;
}
