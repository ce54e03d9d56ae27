/* SPDX-License-Identifier: Apache-2.0 */
/* Where we stand: limits, base load and exposures of each circuit, summed up anew in
 * each step, and whether the promise holds. */
#include "state.h"

/* Nominal or, where the circuit's meter tells it, measured voltage. */
int64_t stand_voltage_mv(const struct control *k, int circuit)
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

/* Where no meter tells what flows, it is at least what flows in the circuits below; and
 * nobody can rely on what flows back. */
static void bases(struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        base_now(k, v);
        for (int p = 0; p < SITE_PHASES; p++)
            k->circuits[v].below_ma[p] = 0;
    }
    for (int v = k->site->n_circuits - 1; v >= 0; v--) { /* children first */
        struct circuit_state *s = &k->circuits[v];
        int parent = k->site->circuits[v].parent;

        for (int p = 0; p < SITE_PHASES; p++) {
            int64_t most;

            if (!base_metered(k, v) && s->base_ma[p] < s->below_ma[p])
                s->base_ma[p] = s->below_ma[p];
            most = s->base_ma[p] + base_doubt(k, v, p);
            if (parent != SITE_NONE && most > 0)
                k->circuits[parent].below_ma[p] += most;
        }
    }
}

/* Its power limits, as the sum of the currents of all phases. The one for the chargers
 * alone is taken at the nominal voltage, as chargers do that are told watts: 4.2 kW are
 * three times 6 A, also at 240 V. */
static void power_limits(struct control *k, int v)
{
    struct circuit_state *s = &k->circuits[v];
    struct event_limit external = limit_lowest(s);
    int64_t w = k->site->circuits[v].power_limit_w;

    if (external.power_w > 0 && (w == 0 || external.power_w < w))
        w = external.power_w;
    s->limit_ma[SHARE_POWER] =
        w > 0 ? w * 1000000 / stand_voltage_mv(k, v) : SHARE_NO_LIMIT;
    s->chargers_limit_ma = external.chargers_w > 0 ? (int64_t)external.chargers_w *
                                                         1000000 / k->site->voltage_mv
                                                   : SHARE_NO_LIMIT;
}

static void stand_circuit(struct control *k, int v)
{
    const struct site_circuit *conf = &k->site->circuits[v];
    struct circuit_state *s = &k->circuits[v];

    s->base_ma[SHARE_POWER] = s->doubt_ma[SHARE_POWER] = s->guard_ma[SHARE_POWER] = 0;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->limit_ma[p] = control_limit(k, v, p) - conf->margin_ma;
        s->base_ma[SHARE_POWER] += s->base_ma[p];
        s->doubt_ma[p] = base_doubt(k, v, p);
        s->doubt_ma[SHARE_POWER] += s->doubt_ma[p];
        s->guard_ma[p] = base_guard(k, v, p);
        s->guard_ma[SHARE_POWER] += s->guard_ma[p];
    }
    s->limit_ma[SHARE_SOLAR] = SHARE_NO_LIMIT;
    s->base_ma[SHARE_SOLAR] = 0;
    power_limits(k, v);
    for (int r = 0; r < SHARE_ROWS; r++) {
        s->exposure_ma[r] = s->settled_ma[r] = s->slack_ma[r] = 0;
        if (!base_metered(k, v)) /* no meter here would show that it is too much */
            s->calm_ma[r] = s->base_ma[r];
    }
}

void stand_add(struct control *k, int i, int sign)
{
    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
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

/* What the circuit's meter shows. */
static int64_t read_ma(const struct circuit_state *s, int row)
{
    const int32_t *ma = s->base.read_ma;

    if (row < SITE_PHASES)
        return ma[row];
    return row == SHARE_POWER ? (int64_t)ma[0] + ma[1] + ma[2] : 0;
}

/* When the rise of the base load that cars may explain has last grown. */
static void note_rise(struct control *k, struct circuit_state *s)
{
    for (int r = 0; r < SHARE_ROWS; r++) {
        int64_t rise = s->base_ma[r] - s->calm_ma[r];

        if (read_ma(s, r) < s->low_ma[r])
            s->low_ma[r] = read_ma(s, r);
        if (rise > s->rise_ma[r] + CUT_GUARD_MA)
            s->rise_ms[r] = k->now_ms;
        else if (rise > 0)
            continue;
        s->rise_ma[r] = rise > 0 ? rise : 0;
    }
}

void stand(struct control *k)
{
    bases(k);
    for (int v = 0; v < k->site->n_circuits; v++) {
        stand_circuit(k, v);
        note_rise(k, &k->circuits[v]);
    }
    for (int i = 0; i < k->site->n_connectors; i++)
        stand_add(k, i, 1);
}

/* What cars were seen to draw more than before, since the last reading. */
static int64_t risen_ma(const struct circuit_state *s, int row)
{
    const int32_t *ma = s->base.risen_ma;

    if (row < SITE_PHASES)
        return ma[row];
    return row == SHARE_POWER ? (int64_t)ma[0] + ma[1] + ma[2] : 0;
}

/* The base load by which to share: while a rise of it may be the doing of those that
 * were raised, or is looked into, the one before. */
void stand_calm(struct control *k, bool cut)
{
    if (cut)
        k->hold_ms = NEVER;
    for (int v = 0; v < k->site->n_circuits; v++)
        for (int r = 0; r < SHARE_ROWS; r++) {
            struct circuit_state *s = &k->circuits[v];
            int64_t rise = s->base_ma[r] - s->calm_ma[r];
            int64_t cars = s->slack_ma[r] + risen_ma(s, r);

            if (cut || rise < 0 ||
                (k->hold_ms == NEVER && (cars == 0 || rise > cars + CUT_GUARD_MA))) {
                s->calm_ma[r] = s->base_ma[r];
                s->low_ma[r] = read_ma(s, r);
            }
        }
}

/* Whether the promise holds when all that was told has settled: with the base load as
 * it is, or as it was when all last fitted. */
bool stand_fits(const struct control *k, bool calm)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        const struct circuit_state *s = &k->circuits[v];

        if (s->settled_ma[SHARE_POWER] > s->chargers_limit_ma)
            return false;
        for (int r = 0; r < SHARE_ROWS; r++) {
            int64_t base = calm ? s->calm_ma[r] : s->base_ma[r];

            if (s->limit_ma[r] != SHARE_NO_LIMIT && s->settled_ma[r] > 0 &&
                base + s->settled_ma[r] > s->limit_ma[r])
                return false;
        }
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

/* Whether the last sample cannot tell whether the car is behind a rise that was read at
 * rise_ms: it may have been measured before. */
static bool untold(const struct control *k, const struct connector_state *c,
                   int64_t rise_ms)
{
    bool raised = c->raised_ms != NEVER && k->now_ms - c->raised_ms <= SLACK_MS;

    if (!raised && k->hold_ms != NEVER && k->now_ms - k->hold_ms >= HOLD_MS)
        return false; /* waited for long enough */
    return c->seen_ms < rise_ms + SAMPLE_LAG_MS;
}

/* By how much cars may have begun to draw more, or were just seen to: no more than the
 * meter has risen. The rest was there before and passed for what another car drew. */
static int64_t untold_ma(const struct control *k, int v, int row)
{
    int64_t sum = risen_ma(&k->circuits[v], row), risen;

    for (int p = 0; p < SITE_PHASES; p++) {
        if (row != p && row != SHARE_POWER)
            continue;
        for (int i = 0; i < k->site->n_connectors; i++)
            if (untold(k, &k->connectors[i], k->circuits[v].rise_ms[row]) &&
                control_below(k, k->site->connectors[i].circuit, v))
                sum += grant_unseen(k, i, p);
    }
    risen = read_ma(&k->circuits[v], row) - k->circuits[v].low_ma[row];
    return sum < risen ? sum : risen;
}

/* Whether what rose may have been cars. */
static bool explained(const struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        for (int r = 0; r <= SHARE_POWER; r++) {
            const struct circuit_state *s = &k->circuits[v];
            int64_t rise = s->base_ma[r] - s->calm_ma[r];

            if (s->limit_ma[r] != SHARE_NO_LIMIT && s->settled_ma[r] > 0 &&
                s->base_ma[r] + s->settled_ma[r] > s->limit_ma[r] &&
                rise > untold_ma(k, v, r) + CUT_GUARD_MA)
                return false;
        }
    return true;
}

static bool may_be_behind(const struct control *k, int i)
{
    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        for (int p = 0; p < SITE_PHASES; p++)
            if (grant_unseen(k, i, p) > OBEY_TOLERANCE_MA &&
                untold(k, &k->connectors[i], k->circuits[v].rise_ms[p]))
                return true;
    return false;
}

/* When only the base load has risen and no meter is over its limit, the rise may be
 * cars' own: their samples are asked for and waited for. True = wait. */
bool stand_hold(struct control *k)
{
    if (overloaded(k) || !stand_fits(k, true) || !explained(k))
        return false;
    if (k->hold_ms == NEVER)
        k->hold_ms = k->now_ms;
    for (int i = 0; i < k->site->n_connectors; i++)
        if (may_be_behind(k, i))
            grant_ask(k, i, ASK_MS);
    return true;
}
