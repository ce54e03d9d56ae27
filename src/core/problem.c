/* SPDX-License-Identifier: Apache-2.0 */
/* From what is known to a problem for the kernel, and from its answer to the targets of
 * the connectors. */
#include "policy.h"
#include "state.h"

enum reason problem_set_aside(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!k->chargers[k->site->connectors[i].charger].online)
        return REASON_OFFLINE;
    if (c->disobeys)
        return REASON_DISOBEYS;
    if (c->paused)
        return REASON_PAUSED;
    if (c->mode == MODE_OFF)
        return REASON_MODE;
    if (!control_wants(k, i))
        return REASON_NONE;
    if (reclaim_resting(c))
        return REASON_SATISFIED;
    if (ceiling_of(k, i) < reclaim_min(k, i))
        return REASON_EXTERNAL;
    if (c->ph.busy)
        return REASON_PHASES;
    return c->mode == MODE_SOLAR && !c->sun ? REASON_SOLAR : REASON_WAITING;
}

int control_phases(uint8_t mask)
{
    return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
}

int32_t problem_max(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    int32_t ma = k->site->connectors[i].max_ma, min_ma = reclaim_min(k, i);
    int32_t car_ma = c->wishes[WISH_CAR].max_ma;

    if (c->card_ma > 0 && c->card_ma < ma)
        ma = c->card_ma;
    if (car_ma > 0 && car_ma < ma)
        ma = car_ma > min_ma || ma < min_ma ? car_ma : min_ma;
    return ma;
}

void problem_car(const struct control *k, int i, struct share_car *car)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    bool sunny = c->mode == MODE_SOLAR || c->mode == MODE_MINSOLAR;
    int32_t min_ma = reclaim_min(k, i);
    int32_t max_ma = problem_max(k, i), ceiling_ma = ceiling_of(k, i);
    int64_t departs_ms = energy_departs_ms(c);
    struct policy_car p = {
        .priority = c->priority,
        .weight = conf->weight,
        .waited_ms = turn_waited_ms(k, i),
        .arrived_ms = k->now_ms - c->session_ms,
        .turns = turn_had(k, i),
        .had_wh = energy_had_wh(c),
        .departs_ms = departs_ms == INT64_MAX ? INT64_MAX : departs_ms - k->now_ms,
        .energy_wh = energy_wanted_wh(c),
        .min_ma = min_ma,
        .max_ma = max_ma,
        .n_phases = control_phases(c->phases),
        .voltage_mv = k->site->voltage_mv,
    };

    if (ceiling_ma < max_ma)
        p.max_ma = max_ma = ceiling_ma;
    *car = (struct share_car){
        .circuit = (int16_t)conf->circuit,
        .phases = c->phases,
        .held = turn_held(k, i),
        .min_ma = min_ma,
        .max_ma = max_ma,
        .step_ma = conf->step_ma,
        .sun_ma = sunny ? min_ma : SHARE_NO_SUN,
    };
    car->max_ma = reclaim_max(k, i, car->max_ma);
    /* a place is kept for one that rests, but not where it takes from the urgent */
    if (turn_resting(k, i) && k->site->policy->admission == SHARE_FILL_DROP)
        car->max_ma = 0;
    k->site->policy->rank(&p, car);
    if (c->mode == MODE_FAST)
        car->tier = INT32_MIN;
}

/* What there is to share out on a row: limit - base load - what others may draw when
 * they have followed what they were told. While a rise may be cars' own doing it is
 * shared out as before it. Below a meter a little is left over, so that the noise of
 * the base load does not call for cuts; but what has been told already is not taken
 * back for that. */
static int64_t room(const struct control *k, int v, int row, bool cut)
{
    const struct circuit_state *s = &k->circuits[v];
    int64_t most, calm;

    if (s->limit_ma[row] == SHARE_NO_LIMIT)
        return SHARE_NO_LIMIT;
    most = s->limit_ma[row] - (cut ? s->base_ma[row] : s->calm_ma[row]);
    calm = most - s->guard_ma[row];
    if (!base_metered(k, v))
        return most;
    if (cut)
        return calm < most - CUT_GUARD_MA ? calm : most - CUT_GUARD_MA;
    if (s->settled_ma[row] < calm)
        return calm;
    return s->settled_ma[row] < most ? s->settled_ma[row] : most;
}

static void rooms(struct control *k, bool cut)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        k->circuits[v].chargers_room_ma = k->circuits[v].chargers_limit_ma;
        for (int r = 0; r < SHARE_ROWS; r++)
            k->tree.room_ma[v][r] = room(k, v, r, cut);
    }
}

static void reserve(struct control *k, int i)
{
    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        for (int p = 0; p < SITE_PHASES; p++) {
            struct circuit_state *s = &k->circuits[v];
            int64_t ma = grant_settled(k, i, p);

            if (s->chargers_room_ma != SHARE_NO_LIMIT)
                s->chargers_room_ma -= ma;
            k->tree.room_ma[v][p] -= ma;
            if (k->tree.room_ma[v][SHARE_POWER] != SHARE_NO_LIMIT)
                k->tree.room_ma[v][SHARE_POWER] -= ma;
        }
}

static int pose(struct control *k, bool cut)
{
    int n = 0;

    rooms(k, cut);
    k->tree.room_ma[0][SHARE_SOLAR] = solar_room(k);
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];
        enum reason r = problem_set_aside(k, i);

        if (r == REASON_WAITING && grant_stuck(k, i) &&
            !(cut && grant_refused_more(c))) {
            reserve(k, i); /* the others have to do without what it does not give */
            continue;
        }
        c->target_ma = 0;
        if (r == REASON_DISOBEYS) /* it is asked for little, and feared for all */
            c->target_ma = c->told_ma < k->site->connectors[i].min_ma
                               ? c->told_ma
                               : k->site->connectors[i].min_ma;
        c->why = why_aside(k, i, r);
        if (r != REASON_WAITING) {
            reserve(k, i);
        } else {
            problem_car(k, i, &k->cars[n]);
            k->car_of[n++] = i;
        }
    }
    for (int v = 0; v < k->site->n_circuits; v++)
        if (k->circuits[v].chargers_room_ma < k->tree.room_ma[v][SHARE_POWER])
            k->tree.room_ma[v][SHARE_POWER] = k->circuits[v].chargers_room_ma;
    return n;
}

void problem_review(struct control *k, bool cut)
{
    int n, wrong;

    turn_clock(k);
    n = pose(k, cut);
    share(&k->tree, k->cars, n, k->site->policy->admission, k->scratch);
    if (reclaim_review(k, n))
        share(&k->tree, k->cars, n, k->site->policy->admission, k->scratch);
    if (ceiling_review(k, n))
        share(&k->tree, k->cars, n, k->site->policy->admission, k->scratch);
    wrong = share_check(&k->tree, k->cars, n, k->scratch);
    k->check_failures += (uint64_t)wrong;
    turn_look(k, n);
    k->starting = false;
    k->rising_ma = 0;
    for (int j = 0; j < n; j++) {
        struct connector_state *c = &k->connectors[k->car_of[j]];

        c->target_ma = k->cars[j].current_ma;
        c->why = why_shared(k, k->car_of[j], &k->cars[j]);
        if (turn_resting(k, k->car_of[j]) &&
            (c->target_ma > 0 || k->cars[j].max_ma == 0)) {
            c->target_ma = 0;
            c->why = why_resting(k, k->car_of[j]);
        }
        if (c->target_ma == 0 && c->told_ma > 0 && c->why.reason != REASON_SATISFIED)
            c->stopped_ms = k->now_ms;
        k->starting |= c->target_ma > 0 && c->told_ma <= 0;
        if (c->target_ma > c->told_ma)
            k->rising_ma += c->target_ma - c->told_ma;
    }
    k->reviewed_ms = k->now_ms;
    k->changed = false;
}
