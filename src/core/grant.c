/* SPDX-License-Identifier: Apache-2.0 */
/* What each connector may draw at this moment: its exposure.
 *
 * A charger does not change its current when we decide it but some time after we told
 * it. So a raise counts from the moment it is sent, and a decrease only when it is
 * confirmed and the car has had its time to follow, or is seen to have come down. A set
 * point that got no answer may hold or not: the higher one is feared. A set point is a
 * lease: a charger that we cannot reach falls back to its fallback current when the
 * lease ends, and may be there any time before that. */
#include "state.h"

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The highest of what is held and what is under way. */
static int32_t feared(const struct connector_state *c)
{
    int32_t ma = c->held_ma;

    for (int i = 0; i < c->n_flight; i++)
        ma = max32(ma, c->flight[i].ma);
    return ma;
}

/* The exposure goes up at once, down when what is held has had its time since it was
 * confirmed. */
static void follow(struct control *k, struct connector_state *c)
{
    int32_t ma = feared(c);

    if (ma >= c->exp_ma) {
        c->exp_ma = ma;
        c->settle_ms = NEVER;
    } else if (c->settle_ms != NEVER) {
        c->settle_ma = max32(c->settle_ma, ma); /* what held meanwhile counts, too */
    } else if (c->n_flight > 0 || !c->held_sure) {
        return;
    } else if (k->now_ms >= c->answered_ms + c->settle_for_ms) {
        c->exp_ma = ma; /* as after a raise that was refused */
    } else {
        c->settle_ms = c->answered_ms + c->settle_for_ms;
        c->settle_ma = ma;
    }
}

/* Whether its exposure fell after what a sample of that time tells. */
bool grant_fell_since(const struct connector_state *c, int64_t at_ms)
{
    return c->fell_ms != NEVER && at_ms <= c->fell_ms + SAMPLE_LAG_MS;
}

/* So much on the phases that it uses. One that was told to use a single phase and may
 * have fallen back since may be at its fallback on the others. */
static int32_t on_phase(const struct control *k, int connector, int phase, int32_t ma)
{
    const struct connector_state *c = &k->connectors[connector];

    if (c->phases >> phase & 1)
        return ma;
    return c->ph.set == 1 && c->ph.held != 1
               ? k->site->connectors[connector].fallback_ma
               : 0;
}

/* What the connector may draw on that site phase, in mA. One that draws more than it
 * may counts with that; a sample from before its exposure fell does not show it. */
int32_t grant_exposure(const struct control *k, int connector, int phase)
{
    const struct connector_state *c = &k->connectors[connector];
    int32_t ma = on_phase(k, connector, phase, c->exp_ma);

    if (c->disobeys && c->phases >> phase & 1)
        ma = max32(ma, k->site->connectors[connector].max_ma);
    if (c->seen_ms != NEVER && k->now_ms - c->seen_ms <= SAMPLE_STALE_MS &&
        !grant_fell_since(c, c->seen_ms))
        ma = max32(ma, c->seen_ma[phase]);
    return ma;
}

/* What it may draw whatever becomes of the messages under way: telling it no more than
 * that raises nobody's current. */
int32_t grant_certain(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];
    int32_t ma = c->held_sure ? c->held_ma : 0;

    for (int i = 0; i < c->n_flight; i++)
        ma = c->flight[i].ma < ma ? c->flight[i].ma : ma;
    return ma;
}

bool grant_stuck(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];

    if (c->late || c->lapsed)
        return true;
    if (c->n_flight > 0)
        return k->now_ms - c->flight[0].sent_ms >= FLIGHT_MS;
    return !c->known && c->retry_ms != NEVER && k->now_ms < c->retry_ms;
}

/* It has refused a raise: what it holds is known, and it may be told less than that. */
bool grant_refused_more(const struct connector_state *c)
{
    return !c->known && c->held_sure && !c->late && !c->lapsed && c->n_flight == 0 &&
           c->told_ma > c->held_ma;
}

/* The same when what it was told last has been confirmed and followed. What it holds
 * now has to be known for that: if the last answer did not come, this one may not. */
int32_t grant_settled(const struct control *k, int connector, int phase)
{
    const struct connector_state *c = &k->connectors[connector];

    if (!c->known || !c->held_sure || c->disobeys || grant_stuck(k, connector) ||
        (c->settle_ms == NEVER && c->n_flight == 0))
        return grant_exposure(k, connector, phase);
    return on_phase(k, connector, phase, c->told_ma);
}

/* By how much more than its last sample told it may draw. */
int32_t grant_unseen(const struct control *k, int connector, int phase)
{
    const struct connector_state *c = &k->connectors[connector];

    if (!(c->phases >> phase & 1) || c->seen_ma[phase] >= c->exp_ma)
        return 0;
    return c->exp_ma - c->seen_ma[phase];
}

/* By how much its draw may yet rise after a raise, before a sample shows it: its rise
 * then looks like base load, so this much is kept free besides the exposure. What it
 * has left over when it had its time to follow does not count. */
int32_t grant_slack(const struct control *k, int connector, int phase)
{
    const struct connector_state *c = &k->connectors[connector];

    if (c->raised_ms == NEVER || k->now_ms - c->raised_ms > SLACK_MS ||
        (c->n_flight == 0 &&
         c->seen_ms >= c->answered_ms + c->settle_for_ms + SAMPLE_LAG_MS))
        return 0;
    return grant_unseen(k, connector, phase);
}

/* Asks for a sample now, but not twice within every_ms. */
void grant_ask(struct control *k, int connector, int32_t every_ms)
{
    struct connector_state *c = &k->connectors[connector];

    if (c->ask_ms == NEVER &&
        (c->asked_ms == NEVER || k->now_ms >= c->asked_ms + every_ms))
        c->ask_ms = k->now_ms;
}

/* A sample has come. When it does not show yet what the last raise did, the next one is
 * soon asked for. */
void grant_seen(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];

    if (c->n_flight > 0 || c->raised_ms == NEVER ||
        k->now_ms >= c->answered_ms + 2 * c->settle_for_ms)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        if (grant_slack(k, connector, p) > OBEY_TOLERANCE_MA)
            c->ask_ms = k->now_ms + ASK_MS;
}

static bool draws_above(const struct connector_state *c, int32_t ma)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] > ma)
            return true;
    return false;
}

/* A sample that shows the car at or below its new set point ends the settling, when the
 * last one before the confirmation showed it above. One that drew less anyway proves
 * nothing: it may be about to take up the old one, or the one before when that has not
 * had its time. */
static bool samples_show_it(const struct connector_state *c)
{
    return c->was_above && c->seen_ms >= c->answered_ms + SAMPLE_LAG_MS &&
           c->seen_ms >= c->prior_ms + c->settle_for_ms + SAMPLE_LAG_MS &&
           !draws_above(c, feared(c));
}

static void settle(struct control *k, struct connector_state *c)
{
    if (c->settle_ms == NEVER)
        return;
    if (samples_show_it(c) && c->n_flight == 0)
        c->exp_ma = feared(c);
    else if (k->now_ms >= c->settle_ms)
        c->exp_ma = max32(c->settle_ma, feared(c));
    else
        return;
    c->settle_ms = NEVER;
    follow(k, c);
    k->changed = true;
}

/* There may be another car by now, that uses other phases. */
static void forget_phases(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];
    uint8_t wired = site_phase_mask(&k->site->connectors[connector]);

    if (c->phases == wired || c->ph.set == 1) /* on one it stays; see on_phase() */
        return;
    c->phases = wired;
    c->alike = 0;
    k->changed = true;
}

/* The lease of the confirmed set point may be at its end, unseen. */
static void lease(struct control *k, int connector)
{
    const struct site_connector *conf = &k->site->connectors[connector];
    struct connector_state *c = &k->connectors[connector];
    bool online = k->chargers[conf->charger].online;
    bool over = k->now_ms >= c->lease_from_ms + k->site->lease_ms * 7 / 8;

    if (!online && k->now_ms - k->chargers[conf->charger].since_ms >= SWAP_MS)
        forget_phases(k, connector);
    if (!online || over)
        phases_forget(k, connector);
    if (c->held_sure && over && c->held_ma != conf->fallback_ma) {
        c->held_sure = false;
        c->lapsed = true;
        k->changed = true;
    }
    if (c->held_ma < conf->fallback_ma && (!online || over)) {
        c->held_ma = conf->fallback_ma;
        follow(k, c);
        k->changed = true;
    }
    if (!online && c->n_flight == 0 && k->now_ms >= c->lease_until_ms &&
        c->exp_ma != conf->fallback_ma) {
        c->exp_ma = c->held_ma = conf->fallback_ma;
        c->settle_ms = NEVER;
        k->changed = true;
    }
}

/* Whether it was seen to draw more than it might. */
static bool seen_above(const struct connector_state *c, int32_t exp_ma)
{
    if (c->seen_ms == NEVER || grant_fell_since(c, c->seen_ms))
        return false;
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] > exp_ma + OBEY_TOLERANCE_MA)
            return true;
    return false;
}

/* What the passing of time does to it. */
void grant_clock(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];
    int32_t exp_ma = c->exp_ma, before_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++)
        before_ma[p] = base_draw(k, connector, p);
    settle(k, c);
    lease(k, connector);
    if (c->exp_ma < exp_ma && !seen_above(c, exp_ma)) {
        c->fell_ms = k->now_ms;
        base_settled(k, connector, before_ma);
    }
}

/* An order that a newer one follows says nothing of what the charger has been told: the
 * edge may have left it out for the sake of the newer one. */
void grant_answer(struct control *k, int connector, const struct event_answer *a)
{
    const struct charger_state *ch =
        &k->chargers[k->site->connectors[connector].charger];
    struct connector_state *c = &k->connectors[connector];
    struct flight f;
    int at = 0;
    bool newest;

    while (at < c->n_flight && c->flight[at].seq != a->seq)
        at++;
    if (at == c->n_flight)
        return; /* not one of ours, or told twice */
    f = c->flight[at];
    newest = at == c->n_flight - 1;
    for (c->n_flight--; at < c->n_flight; at++)
        c->flight[at] = c->flight[at + 1];
    switch (a->answer) {
    case ANSWER_ACCEPTED:
        if (f.ma > c->held_ma)
            c->ask_ms = k->now_ms + ASK_MS;
        if (!f.renewal || !c->held_sure) { /* nothing new to follow, else */
            c->prior_ms = c->answered_ms;
            c->answered_ms = k->now_ms;
        }
        c->held_ma = f.ma;
        c->held_sure = true;
        c->lapsed = false;
        c->was_above = c->seen_ms >= ch->since_ms && c->seen_ms != NEVER &&
                       k->now_ms - c->seen_ms <= ABOVE_MS &&
                       draws_above(c, f.ma + OBEY_TOLERANCE_MA);
        c->lease_from_ms = f.sent_ms;
        c->retry_ms = NEVER;
        c->refusals = 0;
        break;
    case ANSWER_REJECTED:
        if (!newest)
            break;
        c->known = false;
        c->retry_ms = k->now_ms + REJECT_RETRY_MS;
        if (f.ma > c->held_ma)
            break;
        c->retry_ms = k->now_ms + ((int64_t)RETRY_MS << c->refusals);
        c->refusals += c->refusals < REFUSALS;
        break;
    case ANSWER_NONE:
        c->held_ma = max32(c->held_ma, f.ma);
        c->held_sure = false;
        if (!newest)
            break;
        c->known = false;
        c->lapsed = true;
        c->retry_ms = k->now_ms + RETRY_MS;
        break;
    }
    follow(k, c);
    phases_answer(k, connector, &f, a->answer);
    k->changed = true;
}

/* A set point may be flash memory in the charger. Each raise, lowering and renewal
 * costs its part of a day; only raises wait for it to be earned again, and never the
 * first. */
static void spend(struct control *k, struct connector_state *c)
{
    int32_t day = k->site->writes_per_day;

    if (day == 0)
        return;
    if (c->writes_ms < k->now_ms - DAY_MS / WRITES_BURST)
        c->writes_ms = k->now_ms - DAY_MS / WRITES_BURST;
    c->writes_ms += DAY_MS / day;
}

bool grant_affords(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];

    return k->site->writes_per_day == 0 || c->told_ma <= 0 || c->writes_ms <= k->now_ms;
}

/* A set point below the fallback holds twice as long. When we are gone without a word
 * leases end one by one, and a charger that rises to its fallback must not do so while
 * another one still has what was taken from it. Both are renewed after 2/3 of a lease:
 * low ones end no sooner than 4/3 after our end, the others by then. */
static int32_t lease_of(const struct control *k, int connector, int32_t ma)
{
    return k->site->lease_ms *
           (ma < k->site->connectors[connector].fallback_ma ? 2 : 1);
}

void grant_send(struct control *k, int connector, int32_t ma, bool renewal)
{
    struct connector_state *c = &k->connectors[connector];
    struct order *o;

    if (c->n_flight == IN_FLIGHT)
        return;
    o = control_out(k, ORDER_LIMIT, connector);
    o->seq = ++k->seq;
    o->limit_ma = ma;
    o->lease_ms = lease_of(k, connector, ma);
    o->n_phases = c->ph.set;
    o->renewal = renewal;
    o->insist = (int8_t)(ma == c->held_ma && !renewal ? c->insist : 0);
    o->why = c->why;
    if (ma < c->target_ma) {
        o->why.reason = REASON_RAMP;
        o->why.until_ms = NEVER;
    }
    if (ma > c->exp_ma) {
        if (c->raised_ms == NEVER || k->now_ms - c->raised_ms > SLACK_MS)
            c->rising_ms = k->now_ms;
        c->raised_ms = k->now_ms;
    }
    if (ma < c->told_ma)
        c->lowered_ms = k->now_ms;
    c->flight[c->n_flight++] =
        (struct flight){o->seq, ma, k->now_ms, c->ph.set, renewal};
    spend(k, c);
    c->told_ma = ma;
    c->told_ms = k->now_ms;
    c->known = true;
    if (!renewal)
        c->small_ms = NEVER;
    c->lease_until_ms = k->now_ms + site_lease_end_ms(k->site) + c->settle_for_ms;
    follow(k, c);
}

/* What it holds now is known again with the next answer; orders still under way are
 * answered by the edge, until then they are feared. */
void grant_doubt(struct control *k, int connector, int32_t fallback_ma)
{
    struct connector_state *c = &k->connectors[connector];

    c->known = c->held_sure = c->lapsed = false;
    c->retry_ms = NEVER;
    c->held_ma = max32(c->exp_ma, fallback_ma);
    follow(k, c);
}

void grant_link(struct control *k, int charger, const struct event_link *l)
{
    struct charger_state *ch = &k->chargers[charger];

    ch->since_ms = k->now_ms;
    ch->online = l->up;
    k->changed = true;
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];

        if (k->site->connectors[i].charger != charger)
            continue;
        if (l->up)
            forget_phases(k, i);
        if (l->up && l->boot)
            base_restarted(k, i);
        phases_forget(k, i);
        if (l->up && c->ph.failed)
            phases_reset(k, i);
        if (!l->up || l->boot) {
            c->status = STATUS_UNKNOWN;
            c->status_ms = k->now_ms;
        }
        grant_doubt(k, i, k->site->connectors[i].fallback_ma);
    }
}
