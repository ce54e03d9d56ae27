/* SPDX-License-Identifier: Apache-2.0 */
/* From what is known to a problem for the kernel, and from its answer to the targets of
 * the connectors. */
#include "policy.h"
#include "state.h"

/* Why a connector gets nothing at all, or REASON_WAITING when it takes part. */
static enum reason set_aside(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!k->chargers[k->site->connectors[i].charger].online)
        return REASON_OFFLINE;
    if (c->disobeys)
        return REASON_DISOBEYS;
    if (c->paused)
        return REASON_PAUSED;
    if (c->mode == MODE_OFF || c->mode == MODE_SOLAR)
        return REASON_MODE;
    if (!control_wants(k, i))
        return REASON_NONE;
    return c->full ? REASON_SATISFIED : REASON_WAITING;
}

int control_phases(uint8_t mask)
{
    return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
}

static void add_car(struct control *k, int i, int n)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    struct share_car *car = &k->cars[n];
    struct policy_car p = {
        .priority = c->priority,
        .weight = conf->weight,
        .waited_ms = c->waiting_ms == NEVER ? 0 : k->now_ms - c->waiting_ms,
        .arrived_ms = k->now_ms - c->session_ms,
        .departs_ms = c->wish.departs_ms == INT64_MAX ? INT64_MAX
                                                      : c->wish.departs_ms - k->now_ms,
        .energy_wh = c->wish.energy_wh,
        .max_ma = conf->max_ma,
        .n_phases = control_phases(c->phases),
        .voltage_mv = k->site->voltage_mv,
    };

    *car = (struct share_car){
        .circuit = (int16_t)conf->circuit,
        .phases = c->phases,
        .held = c->exp_ma > 0 && c->told_ma > 0,
        .min_ma = conf->min_ma,
        .max_ma = c->mode == MODE_MINSOLAR ? conf->min_ma : conf->max_ma,
        .step_ma = conf->step_ma,
        .sun_ma = SHARE_NO_SUN,
    };
    if (c->probed && car->max_ma > FULL_PROBE_MA && conf->min_ma <= FULL_PROBE_MA)
        car->max_ma = FULL_PROBE_MA;
    k->site->policy->rank(&p, car);
    if (c->mode == MODE_FAST)
        car->tier = INT32_MIN;
    k->car_of[n] = i;
}

/* What there is to share out: limit - base load - what others may draw when they have
 * followed what they were told. */
static void rooms(struct control *k, bool cut)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        const struct circuit_state *s = &k->circuits[v];

        k->circuits[v].chargers_room_ma = s->chargers_limit_ma;
        for (int r = 0; r < SHARE_ROWS; r++)
            k->tree.room_ma[v][r] =
                s->limit_ma[r] == SHARE_NO_LIMIT
                    ? SHARE_NO_LIMIT
                    : s->limit_ma[r] - s->base_ma[r] -
                          (cut && base_metered(k, v) ? CUT_GUARD_MA : 0);
    }
}

static void reserve(struct control *k, int i)
{
    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        for (int p = 0; p < SITE_PHASES; p++) {
            struct circuit_state *s = &k->circuits[v];
            int64_t ma = grant_settled(k, i, p, !s->measured);

            if (s->chargers_room_ma != SHARE_NO_LIMIT)
                s->chargers_room_ma -= grant_settled(k, i, p, true);
            k->tree.room_ma[v][p] -= ma;
            if (k->tree.room_ma[v][SHARE_POWER] != SHARE_NO_LIMIT)
                k->tree.room_ma[v][SHARE_POWER] -= ma;
        }
}

/* A car that had to stop for want of room stays off for a while. */
static bool resting(const struct control *k, const struct connector_state *c)
{
    return c->told_ma <= 0 && c->stopped_ms != NEVER &&
           k->now_ms - c->stopped_ms < PAUSE_MIN_MS;
}

static int pose(struct control *k, bool cut)
{
    int n = 0;

    rooms(k, cut);
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];
        enum reason r = set_aside(k, i);

        if (r == REASON_WAITING && grant_stuck(k, i)) {
            reserve(k, i); /* the others have to do without what it does not give */
            continue;
        }
        c->target_ma = 0;
        if (r == REASON_DISOBEYS) /* it is asked for little, and feared for all */
            c->target_ma = c->told_ma < k->site->connectors[i].min_ma
                               ? c->told_ma
                               : k->site->connectors[i].min_ma;
        c->why = (struct why){r, SITE_NONE, SITE_NONE};
        if (r != REASON_WAITING || resting(k, c))
            reserve(k, i);
        else
            add_car(k, i, n++);
    }
    for (int v = 0; v < k->site->n_circuits; v++)
        if (k->circuits[v].chargers_room_ma < k->tree.room_ma[v][SHARE_POWER])
            k->tree.room_ma[v][SHARE_POWER] = k->circuits[v].chargers_room_ma;
    return n;
}

/* A circuit that is full because nobody knows what flows there is told as such. */
static void blame_meter(const struct control *k, struct why *why)
{
    if ((why->reason == REASON_CIRCUIT || why->reason == REASON_POWER ||
         why->reason == REASON_WAITING) &&
        why->circuit != SITE_NONE &&
        k->site->circuits[why->circuit].meter != SITE_NONE &&
        !base_metered(k, why->circuit))
        why->reason = REASON_METER_LOST;
}

void problem_review(struct control *k, bool cut)
{
    int n = pose(k, cut), wrong;

    share(&k->tree, k->cars, n, k->site->policy->admission, k->scratch);
    wrong = share_check(&k->tree, k->cars, n, k->scratch);
    k->check_failures += (uint64_t)wrong;
    for (int j = 0; j < n; j++) {
        struct connector_state *c = &k->connectors[k->car_of[j]];

        c->target_ma = k->cars[j].current_ma;
        c->why = k->cars[j].why;
        if (c->mode == MODE_MINSOLAR && c->why.reason == REASON_MAX)
            c->why.reason = REASON_MODE;
        blame_meter(k, &c->why);
        if (c->target_ma > 0)
            c->waiting_ms = NEVER;
        else if (c->waiting_ms == NEVER)
            c->waiting_ms = k->now_ms;
        if (c->target_ma == 0 && c->told_ma > 0)
            c->stopped_ms = k->now_ms;
    }
    k->reviewed_ms = k->now_ms;
    k->changed = false;
}
