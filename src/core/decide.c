/* SPDX-License-Identifier: Apache-2.0 */
/* From what is known to set points: the problem for the kernel, its answer, and what of
 * it may be sent now.
 *
 * The promise: for every circuit and phase, base load + sum of exposures <= limit.
 * Decreases leave at once. A raise leaves only when the promise holds with it; below a
 * meter it takes at most half of the free room, because the rise of the car's draw
 * looks like base load until its sample comes, and that must not be answered by a cut.
 */
#include "policy.h"
#include "state.h"

/* ---- where we stand ---- */

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Nominal or, where the circuit's meter tells it, measured voltage. */
static int64_t voltage_mv(const struct control *k, int circuit)
{
    const struct event_meter *m;
    int64_t sum = 0;
    int n = 0;

    if (!base_metered(k, circuit))
        return k->site->voltage_mv;
    m = &k->meters[k->site->circuits[circuit].meter].last;
    for (int p = 0; p < SITE_PHASES; p++)
        if (m->v_mv[p] > k->site->voltage_mv / 2) {
            sum += m->v_mv[p];
            n++;
        }
    return n ? sum / n : k->site->voltage_mv;
}

static void stand_circuit(struct control *k, int v)
{
    const struct site_circuit *conf = &k->site->circuits[v];
    struct circuit_state *s = &k->circuits[v];

    base_now(k, v);
    s->base_ma[SHARE_POWER] = 0;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->limit_ma[p] = control_limit(k, v, p) - conf->margin_ma;
        s->base_ma[SHARE_POWER] += s->base_ma[p];
    }
    s->limit_ma[SHARE_POWER] = SHARE_NO_LIMIT;
    if (conf->power_limit_w > 0)
        s->limit_ma[SHARE_POWER] =
            (int64_t)conf->power_limit_w * 1000000 / voltage_mv(k, v);
    for (int r = 0; r < SHARE_ROWS; r++) {
        s->exposure_ma[r] = s->settled_ma[r] = s->slack_ma[r] = 0;
        if (!base_metered(k, v)) /* an assumption does not rise by a car's doing */
            s->calm_ma[r] = s->base_ma[r];
    }
}

static void add_exposure(struct control *k, int i, int v, int sign)
{
    for (; v != SITE_NONE; v = k->site->circuits[v].parent)
        for (int p = 0; p < SITE_PHASES; p++) {
            struct circuit_state *s = &k->circuits[v];
            int64_t ma = (int64_t)sign * grant_exposure(k, i, p);
            int64_t slack = (int64_t)sign * grant_slack(k, i, p);
            int64_t settled = (int64_t)sign * grant_settled(k, i, p);

            s->exposure_ma[p] += ma;
            s->exposure_ma[SHARE_POWER] += ma;
            s->settled_ma[p] += settled;
            s->settled_ma[SHARE_POWER] += settled;
            s->slack_ma[p] += slack;
            s->slack_ma[SHARE_POWER] += slack;
        }
}

static void stand(struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        stand_circuit(k, v);
    for (int i = 0; i < k->site->n_connectors; i++)
        add_exposure(k, i, k->site->connectors[i].circuit, 1);
}

/* Whether the promise holds when all that was told has settled: with the base load as
 * it is, or as it was when all last fitted. */
static bool fits_all(const struct control *k, bool calm)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        for (int r = 0; r < SHARE_ROWS; r++) {
            const struct circuit_state *s = &k->circuits[v];
            int64_t base = calm ? s->calm_ma[r] : s->base_ma[r];

            if (s->limit_ma[r] != SHARE_NO_LIMIT && s->settled_ma[r] > 0 &&
                base + s->settled_ma[r] > s->limit_ma[r])
                return false;
        }
    return true;
}

/* A meter shows more than the limit: no doubt is left. */
static bool overloaded(const struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        const struct circuit_state *s = &k->circuits[v];
        int64_t sum = 0;

        if (!base_metered(k, v))
            continue;
        for (int p = 0; p < SITE_PHASES; p++) {
            int32_t ma = k->meters[k->site->circuits[v].meter].last.i_ma[p];

            if (ma != EVENT_NO_VALUE && ma > control_limit(k, v, p))
                return true;
            sum += ma == EVENT_NO_VALUE ? 0 : ma;
        }
        if (s->limit_ma[SHARE_POWER] != SHARE_NO_LIMIT &&
            sum > s->limit_ma[SHARE_POWER])
            return true;
    }
    return false;
}

/* When only the base load has risen and no meter is over its limit, the rise may be a
 * car's own: its samples are asked for and waited for a moment. True = wait. */
static bool hold(struct control *k)
{
    if (overloaded(k) || !fits_all(k, true))
        return false;
    if (k->hold_ms == NEVER) {
        k->hold_ms = k->now_ms;
        for (int i = 0; i < k->site->n_connectors; i++) {
            struct connector_state *c = &k->connectors[i];

            for (int p = 0; p < SITE_PHASES; p++)
                if (c->phases >> p & 1 && c->seen_ma[p] < c->exp_ma - OBEY_TOLERANCE_MA)
                    c->ask_ms = k->now_ms;
        }
    }
    return k->now_ms - k->hold_ms < HOLD_MS;
}

/* ---- the problem and its answer ---- */

/* Why a connector gets nothing at all, or REASON_WAITING when it takes part. */
static enum reason set_aside(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!k->chargers[k->site->connectors[i].charger].online)
        return REASON_OFFLINE;
    if (c->paused)
        return REASON_PAUSED;
    if (c->mode == MODE_OFF || c->mode == MODE_SOLAR)
        return REASON_MODE;
    if (!control_wants(k, i))
        return REASON_NONE;
    return c->full ? REASON_SATISFIED : REASON_WAITING;
}

static int count_phases(uint8_t mask)
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
        .n_phases = count_phases(c->phases),
        .voltage_mv = k->site->voltage_mv,
    };

    *car = (struct share_car){
        .circuit = (int16_t)conf->circuit,
        .phases = c->phases,
        .held = c->exp_ma > 0 && c->told_ma > 0,
        .min_ma = conf->min_ma,
        .max_ma = c->mode == MODE_MINSOLAR ? conf->min_ma : conf->max_ma,
        .step_ma = conf->step_ma,
    };
    if (c->probed && car->max_ma > FULL_PROBE_MA && conf->min_ma <= FULL_PROBE_MA)
        car->max_ma = FULL_PROBE_MA;
    k->site->policy->rank(&p, car);
    if (c->mode == MODE_FAST)
        car->tier = INT32_MIN;
    k->car_of[n] = i;
}

/* What there is to share out: limit - base load - what others may draw. */
static void rooms(struct control *k, bool cut)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        const struct circuit_state *s = &k->circuits[v];

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
            int64_t ma = grant_exposure(k, i, p);

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

static int problem(struct control *k, bool cut)
{
    int n = 0;

    rooms(k, cut);
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];
        enum reason r = set_aside(k, i);

        c->target_ma = 0;
        c->why = (struct why){r, SITE_NONE, SITE_NONE};
        if (r != REASON_WAITING || resting(k, c))
            reserve(k, i);
        else
            add_car(k, i, n++);
    }
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

static void review(struct control *k, bool cut)
{
    int n = problem(k, cut), wrong;

    share(&k->tree, k->cars, n, k->order);
    wrong = share_check(&k->tree, k->cars, n);
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

/* ---- what may be sent now ---- */

/* By how much the connector's exposure may grow now. With `all` a car may start on all
 * the room there is, otherwise at most half of what is left beside the slack is taken
 * below a meter. */
static int64_t room_for(const struct control *k, int i, bool all)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    int64_t room = SITE_MAX_MA;

    for (int v = conf->circuit; v != SITE_NONE; v = k->site->circuits[v].parent) {
        const struct circuit_state *s = &k->circuits[v];

        for (int r = 0; r < SHARE_ROWS; r++) {
            int64_t n = r == SHARE_POWER ? count_phases(c->phases) : c->phases >> r & 1;
            int64_t left;

            if (n == 0 || s->limit_ma[r] == SHARE_NO_LIMIT)
                continue;
            left = s->limit_ma[r] - s->base_ma[r] - s->exposure_ma[r];
            if (base_metered(k, v) && !all)
                left = (left - s->slack_ma[r]) / 2;
            room = min64(room, left / n);
        }
    }
    return room > 0 ? room : 0;
}

static bool metered_path(const struct control *k, int circuit)
{
    for (int v = circuit; v != SITE_NONE; v = k->site->circuits[v].parent)
        if (base_metered(k, v))
            return true;
    return false;
}

/* The highest set point up to its target that may be sent to it now. */
static int32_t allowed(const struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    int32_t least = (conf->min_ma + conf->step_ma - 1) / conf->step_ma * conf->step_ma;
    int64_t ma;

    if (c->target_ma <= c->exp_ma)
        return c->target_ma;
    ma = c->exp_ma + room_for(k, i, false);
    if (c->exp_ma < least && ma < least && c->seen_ms != NEVER &&
        room_for(k, i, true) >= least - c->exp_ma)
        ma = least;
    if (c->exp_ma < least && ma > least && metered_path(k, conf->circuit))
        ma = least; /* start with the minimum, go on when it is seen */
    ma = min64(ma, c->target_ma) / conf->step_ma * conf->step_ma;
    return ma < least ? 0 : (int32_t)ma;
}

/* A small change waits until it is large or has waited long. */
static bool worth_it(struct control *k, struct connector_state *c, int32_t ma)
{
    int32_t by = ma > c->told_ma ? ma - c->told_ma : c->told_ma - ma;

    if (by == 0) {
        if (c->target_ma == c->told_ma)
            c->small_ms = NEVER;
        return false;
    }
    if (by >= RAISE_MIN_MA || ma == 0 || c->told_ma == 0)
        return true;
    if (c->small_ms == NEVER)
        c->small_ms = k->now_ms;
    return k->now_ms - c->small_ms >= RAISE_WAIT_MS;
}

static bool may_tell(const struct control *k, int i)
{
    const struct charger_state *ch = &k->chargers[k->site->connectors[i].charger];
    const struct connector_state *c = &k->connectors[i];

    if (!ch->online || (c->retry_ms != NEVER && k->now_ms < c->retry_ms))
        return false;
    return c->known || c->status != STATUS_UNKNOWN || c->session ||
           k->now_ms - ch->since_ms >= STATUS_WAIT_MS;
}

static void lower(struct control *k, int i, bool cut)
{
    struct connector_state *c = &k->connectors[i];

    if (may_tell(k, i) && c->known && c->target_ma < c->told_ma &&
        (cut || worth_it(k, c, c->target_ma)))
        grant_send(k, i, c->target_ma, false);
}

/* A charger that is new here, or did not answer, is told what it may be feared to draw
 * anyway, at most. */
static void retell(struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (may_tell(k, i) && !c->known && c->target_ma <= c->exp_ma)
        grant_send(k, i, c->target_ma, false);
}

/* Below a meter a car is raised again only when a sample has shown what the last raise
 * did, or none came for long. */
static bool raise_is_due(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!may_tell(k, i) || (c->known && c->target_ma <= c->told_ma))
        return false;
    if (!c->known || c->told_ma <= 0)
        return true;
    return c->n_flight == 0 && (c->seen_ms >= c->answered_ms + SAMPLE_LAG_MS ||
                                k->now_ms - c->answered_ms >= SEEN_WAIT_MS ||
                                !metered_path(k, k->site->connectors[i].circuit));
}

static void raise_one(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];
    int v = k->site->connectors[i].circuit;
    int32_t ma;

    if (!raise_is_due(k, i))
        return;
    ma = allowed(k, i);
    if (c->known && (ma <= c->told_ma || !worth_it(k, c, ma)))
        return;
    add_exposure(k, i, v, -1);
    grant_send(k, i, ma, false);
    add_exposure(k, i, v, 1);
}

static void renew(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (may_tell(k, i) && c->known && c->n_flight == 0 &&
        k->now_ms - c->told_ms >= (int64_t)k->site->lease_ms * 2 / 3 &&
        (c->told_ma > 0 || k->site->connectors[i].fallback_ma > 0))
        grant_send(k, i, c->told_ma, true);
}

static void ask(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (c->ask_ms == NEVER || k->now_ms < c->ask_ms)
        return;
    if (c->seen_ms == NEVER || c->seen_ms < c->ask_ms)
        control_out(k, ORDER_SAMPLE, i);
    c->ask_ms = NEVER;
}

/* One look at everything: what must go down goes down, then what may go up. */
void decide(struct control *k)
{
    bool cut = false;

    for (int i = 0; i < k->site->n_connectors; i++)
        grant_clock(k, i);
    stand(k);
    if (fits_all(k, false)) {
        k->hold_ms = NEVER;
        for (int v = 0; v < k->site->n_circuits; v++)
            for (int r = 0; r < SHARE_ROWS; r++)
                k->circuits[v].calm_ma[r] = k->circuits[v].base_ma[r];
    } else {
        cut = !hold(k);
    }
    if (cut || k->changed || k->now_ms - k->reviewed_ms >= TICK_REVIEW_MS)
        review(k, cut);
    for (int i = 0; i < k->site->n_connectors; i++)
        lower(k, i, cut);
    for (int i = 0; i < k->site->n_connectors; i++)
        retell(k, i);
    for (int i = 0; i < k->site->n_connectors; i++)
        if (k->connectors[i].told_ma <= 0)
            raise_one(k, i);
    for (int i = 0; i < k->site->n_connectors; i++)
        if (k->connectors[i].told_ma > 0)
            raise_one(k, i);
    for (int i = 0; i < k->site->n_connectors; i++) {
        renew(k, i);
        ask(k, i);
    }
}
