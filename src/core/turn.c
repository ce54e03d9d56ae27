/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is while the minimums of all cars do not fit at once.
 *
 * A car that was switched on is *held*: it keeps its minimum for the dwell time, unless
 * a limit is exceeded. A car that was switched off rests for the pause. Each car has a
 * credit: its fair share, what it would get if there were no minimums, less what it was
 * offered, summed up while somebody waits. Policies that admit first rank by it, so
 * that with room for k of n cars each one has k/n of the time, give or take a dwell.
 * The credit has a roof: who was long left out has no more than a few turns in advance.
 */
#include "policy.h"
#include "state.h"

enum { CREDIT_DWELLS = 4 }; /* the roof: so many dwell times at the minimum current */

void turn_begin(struct turn *t)
{
    *t = (struct turn){.on_ms = t->on_ms, .share_ma = NEVER, .turn_ms = NEVER};
}

static int64_t clamp(int64_t x, int64_t most)
{
    return x > most ? most : x < -most ? -most : x;
}

static void credit(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];
    int64_t roof =
        (int64_t)CREDIT_DWELLS * k->site->dwell_ms * k->site->connectors[i].min_ma;
    int64_t offered = c->told_ma > 0 ? c->told_ma : 0;

    if (c->turn.share_ma == NEVER)
        return;
    c->turn.owed_mams = clamp(c->turn.owed_mams + (c->turn.share_ma - offered) *
                                                      (k->now_ms - k->reviewed_ms),
                              roof);
}

void turn_clock(struct control *k)
{
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];

        credit(k, i);
        if (c->told_ma <= 0)
            c->turn.on_ms = NEVER;
        else if (c->turn.on_ms == NEVER)
            c->turn.on_ms = k->now_ms;
    }
}

bool turn_held(const struct control *k, int connector)
{
    const struct turn *t = &k->connectors[connector].turn;

    return t->on_ms != NEVER && k->now_ms - t->on_ms < k->site->dwell_ms;
}

bool turn_resting(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];

    return c->told_ma <= 0 && c->stopped_ms != NEVER &&
           k->now_ms - c->stopped_ms < k->site->pause_ms;
}

static bool waits(const struct share_car *car)
{
    return car->current_ma == 0 && car->why.reason == REASON_WAITING;
}

/* The order in which those who wait are admitted. */
static bool before(const struct share_car *a, const struct share_car *b)
{
    if (a->tier != b->tier)
        return a->tier < b->tier;
    return a->turn != b->turn ? a->turn < b->turn : a < b;
}

/* Whether what the car has is wanted where the other one found no room. */
static bool competes(const struct control *k, const struct share_car *car,
                     const struct why *full)
{
    return control_below(k, car->circuit, full->circuit) &&
           (full->phase == SITE_NONE || car->phases >> full->phase & 1);
}

/* All who are on where it found no room have had their dwell at `last`; then as many as
 * they are of those who wait come on, and so forth. Exact where cars are alike. */
static int64_t turn_of(const struct control *k, int n, const struct share_car *me)
{
    int64_t last = k->now_ms;
    int64_t round = k->site->dwell_ms + 2 * k->site->settle_ms + TICK_REVIEW_MS;
    int ahead = 0, places = 0;

    if (me->why.circuit == SITE_NONE)
        return NEVER;
    for (int j = 0; j < n; j++) {
        const struct share_car *car = &k->cars[j];
        const struct turn *t = &k->connectors[k->car_of[j]].turn;

        if (car == me || !competes(k, car, &me->why))
            continue;
        if (waits(car)) {
            ahead += before(car, me);
        } else if (car->current_ma > 0 && car->tier >= me->tier) {
            int64_t end = (t->on_ms == NEVER ? k->now_ms : t->on_ms) + round;

            places++;
            last = end > last ? end : last;
        }
    }
    return places ? last + ahead / places * round : NEVER;
}

/* What each would get if there were no minimums. */
static void shares(struct control *k, int n)
{
    for (int j = 0; j < n; j++) {
        k->cars[j].min_ma = 0;
        k->cars[j].held = false;
    }
    share(&k->tree, k->cars, n, k->site->policy->admission, k->order);
    for (int j = 0; j < n; j++)
        k->connectors[k->car_of[j]].turn.share_ma = k->cars[j].current_ma;
}

void turn_look(struct control *k, int n)
{
    bool rotates = k->site->policy->admission == SHARE_ADMIT_FIRST, any = false;

    for (int i = 0; i < k->site->n_connectors; i++)
        k->connectors[i].turn.share_ma = k->connectors[i].turn.turn_ms = NEVER;
    for (int j = 0; j < n && rotates; j++)
        if (waits(&k->cars[j])) {
            any = true;
            k->connectors[k->car_of[j]].turn.turn_ms = turn_of(k, n, &k->cars[j]);
        }
    if (any)
        shares(k, n);
}
