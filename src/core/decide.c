/* SPDX-License-Identifier: Apache-2.0 */
/* What of the targets may be sent now.
 *
 * The promise: for every circuit and phase, base load + sum of exposures <= limit.
 * Decreases leave at once. A raise leaves only when the promise holds with it; below a
 * meter it takes at most half of the free room, because the rise of the car's draw
 * looks like base load until its sample comes, and that must not be answered by a cut.
 */
#include "state.h"

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* By how much the connector's exposure may grow now; negative: the promise does not
 * hold yet, what will mend it is under way. With `all` a car may start on all the room
 * there is, otherwise at most half of what is left beside the slack is taken below a
 * meter. */
static int64_t room_for(const struct control *k, int i, bool all)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    int64_t room = SITE_MAX_MA;

    for (int v = conf->circuit; v != SITE_NONE; v = k->site->circuits[v].parent) {
        const struct circuit_state *s = &k->circuits[v];

        for (int r = 0; r <= SHARE_POWER; r++) {
            int64_t n =
                r == SHARE_POWER ? control_phases(c->phases) : c->phases >> r & 1;
            int64_t left;

            if (n == 0 || s->limit_ma[r] == SHARE_NO_LIMIT)
                continue;
            left = s->limit_ma[r] - s->base_ma[r] - s->doubt_ma[r] - s->exposure_ma[r];
            if (base_metered(k, v) && !fresh_lively(k, k->site->circuits[v].meter))
                return 0;
            if (base_metered(k, v) && !all) {
                left -= s->slack_ma[r] + s->guard_ma[r];
                if (left > LAST_STEP_MA)
                    left = left / 2 > LAST_STEP_MA ? left / 2 : LAST_STEP_MA;
            }
            room = min64(room, left / n);
        }
        if (s->chargers_limit_ma != SHARE_NO_LIMIT)
            room = min64(room, (s->chargers_limit_ma - s->exposure_ma[SHARE_POWER]) /
                                   control_phases(c->phases));
    }
    return room;
}

static bool metered_path(const struct control *k, int circuit)
{
    for (int v = circuit; v != SITE_NONE; v = k->site->circuits[v].parent)
        if (base_metered(k, v))
            return true;
    return false;
}

/* A car may start on all the room there is when its charger is known to measure what it
 * draws. One that was never offered anything has had no occasion to; one that was and
 * told nothing will look like base load, for which room is needed. */
static bool may_start(const struct connector_state *c)
{
    return c->seen_ms != NEVER || c->raised_ms == NEVER;
}

/* The highest set point up to its target that may be sent to it now. */
static int32_t allowed(const struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct connector_state *c = &k->connectors[i];
    int32_t min_ma = reclaim_min(k, i);
    int32_t least = (min_ma + conf->step_ma - 1) / conf->step_ma * conf->step_ma;
    int64_t ma;
    bool back = c->target_ma <= c->exp_ma; /* to what it may still draw */

    ma = c->exp_ma + room_for(k, i, back);
    if (c->exp_ma < least && ma < least && may_start(c) &&
        room_for(k, i, true) >= least - c->exp_ma)
        ma = least;
    if (c->exp_ma < least && ma > least && metered_path(k, conf->circuit))
        ma = least; /* start with the minimum, go on when it is seen */
    ma = min64(ma, c->target_ma) / conf->step_ma * conf->step_ma;
    return ma < least ? 0 : (int32_t)ma;
}

/* A small change waits until it is large or has waited long, a tiny one longer. What
 * the sun no longer gives is bought meanwhile, so that is small only when it is less.
 */
static bool worth_it(struct control *k, struct connector_state *c, int32_t ma)
{
    int32_t by = ma > c->told_ma ? ma - c->told_ma : c->told_ma - ma;
    bool large = c->sun && ma < c->told_ma ? by >= SUN_LESS_MA : by > RAISE_MIN_MA;

    if (by == 0) {
        if (c->target_ma == c->told_ma)
            c->small_ms = NEVER;
        return false;
    }
    if (large || ma == 0 || c->told_ma == 0)
        return true;
    if (c->small_ms == NEVER || c->small_up != (ma > c->told_ma))
        c->small_ms = k->now_ms;
    c->small_up = ma > c->told_ma;
    return k->now_ms - c->small_ms >=
           (by < RAISE_MIN_MA / 4 && k->rising_ma < MANY_TINY_MA ? TINY_WAIT_MS
                                                                 : RAISE_WAIT_MS);
}

/* What was refused waits; less than it holds does not wait for a raise. */
static bool may_tell(const struct control *k, int i)
{
    const struct charger_state *ch = &k->chargers[k->site->connectors[i].charger];
    const struct connector_state *c = &k->connectors[i];
    bool less = grant_refused_more(c) && c->target_ma < c->held_ma;

    if (!ch->online || (c->retry_ms != NEVER && k->now_ms < c->retry_ms && !less))
        return false;
    return c->known || c->status != STATUS_UNKNOWN || c->session ||
           k->now_ms - ch->since_ms >= STATUS_WAIT_MS;
}

static void lower(struct control *k, int i, bool cut)
{
    struct connector_state *c = &k->connectors[i];

    if (may_tell(k, i) && c->known && c->target_ma < c->told_ma &&
        (cut || k->starting || worth_it(k, c, c->target_ma)))
        grant_send(k, i, c->target_ma, false);
}

/* A charger that is new here, or did not answer, is told what it may be feared to draw
 * anyway, at most, and no more than fits with what all are feared to draw: after a
 * start it may draw nothing yet, and the others all they can. Less than it was told
 * last is told before more than that. */
static void retell(struct control *k, int i, bool more)
{
    const struct connector_state *c = &k->connectors[i];
    bool tiny = c->told_ma > 0 && c->target_ma > c->told_ma &&
                c->target_ma - c->told_ma < RAISE_MIN_MA / 4;
    int32_t ma = tiny ? c->told_ma : c->target_ma;

    if (ma > c->exp_ma && grant_affords(k, i))
        return; /* that is a raise */
    ma = ma > c->exp_ma ? c->exp_ma : ma;
    if (ma > grant_certain(k, i) && allowed(k, i) < ma)
        ma = allowed(k, i);
    if (may_tell(k, i) && !c->known && (ma > c->told_ma) == more)
        grant_send(k, i, ma, false);
}

/* Below a meter a car is raised again only when a sample has shown what the last raise
 * did, or none came for long. */
static bool raise_is_due(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!may_tell(k, i) || (c->known && c->target_ma <= c->told_ma))
        return false;
    if (!grant_affords(k, i))
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
    int32_t ma;

    if (!raise_is_due(k, i))
        return;
    ma = allowed(k, i);
    if (c->known && (ma <= c->told_ma || !worth_it(k, c, ma)))
        return;
    stand_add(k, i, -1);
    grant_send(k, i, ma, false);
    stand_add(k, i, 1);
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
    if (c->seen_ms == NEVER || c->seen_ms < c->ask_ms) {
        control_out(k, ORDER_SAMPLE, i);
        c->asked_ms = k->now_ms;
    }
    c->ask_ms = NEVER;
}

static void raise_all(struct control *k)
{
    for (int i = 0; i < k->site->n_connectors; i++)
        if (k->connectors[i].told_ma <= 0)
            raise_one(k, i);
    for (int i = 0; i < k->site->n_connectors; i++)
        if (k->connectors[i].told_ma > 0)
            raise_one(k, i);
}

/* One look at everything: what must go down goes down, then what may go up. */
void decide(struct control *k, bool raise)
{
    bool cut = false;

    for (int i = 0; i < k->site->n_connectors; i++)
        grant_clock(k, i);
    for (int i = 0; i < k->site->n_connectors; i++)
        phases_clock(k, i);
    for (int i = 0; i < k->site->n_connectors; i++)
        obey_clock(k, i);
    stand(k);
    solar_clock(k);
    if (stand_fits(k, false))
        k->hold_ms = NEVER;
    else
        cut = !stand_hold(k);
    stand_calm(k, cut);
    if (cut || k->changed || turn_over(k) ||
        k->now_ms - k->reviewed_ms >= TICK_REVIEW_MS)
        problem_review(k, cut);
    for (int i = 0; i < k->site->n_connectors; i++)
        lower(k, i, cut);
    for (int i = 0; i < k->site->n_connectors; i++)
        retell(k, i, false);
    for (int i = 0; i < k->site->n_connectors; i++)
        retell(k, i, true);
    if (raise)
        raise_all(k);
    for (int i = 0; i < k->site->n_connectors; i++) {
        renew(k, i);
        ask(k, i);
    }
}
