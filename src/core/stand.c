/* SPDX-License-Identifier: Apache-2.0 */
/* Where we stand: limits, base load and exposures of each circuit, summed up anew in
 * each step, and whether the promise holds. */
#include "state.h"

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

/* Where no meter tells what flows, it is at least what flows in the circuits below; and
 * nobody can rely on what flows back. */
static void bases(struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        base_now(k, v);
        k->circuits[v].measured = base_metered(k, v);
        for (int p = 0; p < SITE_PHASES; p++)
            k->circuits[v].below_ma[p] = 0;
    }
    for (int v = k->site->n_circuits - 1; v >= 0; v--) { /* children first */
        struct circuit_state *s = &k->circuits[v];
        int parent = k->site->circuits[v].parent;

        if (parent != SITE_NONE)
            k->circuits[parent].measured |= s->measured;
        for (int p = 0; p < SITE_PHASES; p++) {
            if (!base_metered(k, v) && s->base_ma[p] < s->below_ma[p])
                s->base_ma[p] = s->below_ma[p];
            if (parent != SITE_NONE && s->base_ma[p] > 0)
                k->circuits[parent].below_ma[p] += s->base_ma[p];
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
    s->limit_ma[SHARE_POWER] = w > 0 ? w * 1000000 / voltage_mv(k, v) : SHARE_NO_LIMIT;
    s->chargers_limit_ma = external.chargers_w > 0 ? (int64_t)external.chargers_w *
                                                         1000000 / k->site->voltage_mv
                                                   : SHARE_NO_LIMIT;
    s->chargers_exposure_ma = s->chargers_settled_ma = 0;
}

static void stand_circuit(struct control *k, int v)
{
    const struct site_circuit *conf = &k->site->circuits[v];
    struct circuit_state *s = &k->circuits[v];

    s->base_ma[SHARE_POWER] = 0;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->limit_ma[p] = control_limit(k, v, p) - conf->margin_ma;
        s->base_ma[SHARE_POWER] += s->base_ma[p];
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
            bool fresh = !s->measured;
            int64_t ma = (int64_t)sign * grant_exposure(k, i, p, fresh);
            int64_t slack = (int64_t)sign * grant_slack(k, i, p);
            int64_t settled = (int64_t)sign * grant_settled(k, i, p, fresh);

            s->exposure_ma[p] += ma;
            s->exposure_ma[SHARE_POWER] += ma;
            s->settled_ma[p] += settled;
            s->settled_ma[SHARE_POWER] += settled;
            s->slack_ma[p] += slack;
            s->slack_ma[SHARE_POWER] += slack;
            s->chargers_exposure_ma += sign * grant_exposure(k, i, p, true);
            s->chargers_settled_ma += sign * grant_settled(k, i, p, true);
        }
}

void stand(struct control *k)
{
    bases(k);
    for (int v = 0; v < k->site->n_circuits; v++)
        stand_circuit(k, v);
    for (int i = 0; i < k->site->n_connectors; i++)
        stand_add(k, i, 1);
}

/* Whether the promise holds when all that was told has settled: with the base load as
 * it is, or as it was when all last fitted. */
bool stand_fits(const struct control *k, bool calm)
{
    for (int v = 0; v < k->site->n_circuits; v++) {
        const struct circuit_state *s = &k->circuits[v];

        if (s->chargers_settled_ma > s->chargers_limit_ma)
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

/* When only the base load has risen and no meter is over its limit, the rise may be a
 * car's own: its samples are asked for and waited for a moment. True = wait. */
bool stand_hold(struct control *k)
{
    if (overloaded(k) || !stand_fits(k, true))
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
