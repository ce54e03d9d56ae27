/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is while the minimums of all cars do not fit at once.
 *
 * A car that was switched on is *held*: it keeps its minimum for the dwell time, unless
 * a limit is exceeded. Then its turn is over; when somebody waits who has had fewer
 * turns it goes to the end of the queue. A car that had to stop before that keeps its
 * place and has not had a turn. A car that was switched off rests for the pause.
 *
 * So with room for k of n cars alike each one is on for k/n of the time, give or take a
 * dwell. A newcomer counts as if it had had as many turns as any other, and nobody
 * counts with fewer than a few less: who comes late, or had room while others waited in
 * another circuit, does not starve them. */
#include "policy.h"
#include "state.h"

enum {
    MOST_BEHIND = 2, /* turns */
    HANDOVER_MS =
        30000,        /* one is told to stop and has, the next one is told to start */
    LATEST_MS = 60000 /* ... and the longest that this may take */
};

void turn_begin(struct turn *t)
{
    *t = (struct turn){t->on_ms, NEVER, NEVER, NEVER};
}

/* Every other one has a longer turn when they start at once, so that they do not all
 * stop at once. */
static void clock(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (c->told_ma <= 0) {
        c->turn.on_ms = NEVER;
    } else if (c->turn.on_ms == NEVER) {
        c->turn.on_ms = k->now_ms + k->n_on++ % 2 * HANDOVER_MS;
    } else if (!turn_held(k, i)) {
        c->turn.queued_ms = NEVER;
    }
}

void turn_clock(struct control *k)
{
    int32_t most = 0;

    k->n_on = 0;
    for (int i = 0; i < k->site->n_connectors; i++)
        k->n_on += k->connectors[i].told_ma > 0 && k->connectors[i].turn.on_ms != NEVER;
    for (int i = 0; i < k->site->n_connectors; i++) {
        clock(k, i);
        if (k->connectors[i].turn.had > most)
            most = k->connectors[i].turn.had;
    }
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct turn *t = &k->connectors[i].turn;

        if (t->had == NEVER && control_wants(k, i))
            t->had = most;
        else if (t->had != NEVER && t->had < most - MOST_BEHIND)
            t->had = most - MOST_BEHIND;
    }
}

/* It is not to be switched off. The last one that is on waits until the next one is,
 * where there is room for two. */
bool turn_held(const struct control *k, int connector)
{
    const struct turn *t = &k->connectors[connector].turn;
    int64_t more_ms = k->starting && k->n_on == 1 ? k->site->dwell_ms : 0;

    return t->on_ms != NEVER && k->now_ms - t->on_ms < k->site->dwell_ms + more_ms;
}

bool turn_resting(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];

    return c->told_ma <= 0 && c->stopped_ms != NEVER &&
           k->now_ms - c->stopped_ms < k->site->pause_ms;
}

static bool passed(const struct control *k, int64_t ms)
{
    return k->reviewed_ms < ms && ms <= k->now_ms;
}

/* Since the last review a turn or a pause has come to its end. */
bool turn_over(const struct control *k)
{
    for (int i = 0; i < k->site->n_connectors; i++) {
        const struct connector_state *c = &k->connectors[i];

        if ((c->turn.on_ms != NEVER && passed(k, c->turn.on_ms + k->site->dwell_ms)) ||
            (c->stopped_ms != NEVER && passed(k, c->stopped_ms + k->site->pause_ms)))
            return true;
    }
    return false;
}

int64_t turn_waited_ms(const struct control *k, int connector)
{
    int64_t since = k->connectors[connector].turn.queued_ms;

    return since == NEVER ? 0 : k->now_ms - since;
}

int32_t turn_had(const struct control *k, int connector)
{
    const struct turn *t = &k->connectors[connector].turn;

    return t->had + (t->on_ms != NEVER && !turn_held(k, connector));
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

/* All who are on where it found no room have had their turn at `last`; then as many as
 * they are of those who wait come on, and so forth. Exact where cars are alike. */
static int64_t turn_of(const struct control *k, int n, const struct share_car *me)
{
    int64_t whole = k->site->dwell_ms + LATEST_MS;
    int64_t last = k->now_ms;
    int ahead = 0, places = 0;

    if (me->why.circuit == SITE_NONE)
        return NEVER;
    for (int j = 0; j < n; j++) {
        const struct share_car *car = &k->cars[j];
        int64_t on = k->connectors[k->car_of[j]].turn.on_ms;

        if (car == me || !competes(k, car, &me->why))
            continue;
        if (waits(car)) {
            ahead += before(car, me);
        } else if (car->current_ma > 0 && car->tier >= me->tier) {
            int64_t end = (on == NEVER ? k->now_ms + LATEST_MS : on) + whole;

            places++;
            last = end > last ? end : last;
        }
    }
    return places ? last + ahead / places * whole : NEVER;
}

/* It begins to wait; for a next turn when it has had one. */
static void queue(struct control *k, int i)
{
    struct turn *t = &k->connectors[i].turn;

    if (t->queued_ms != NEVER)
        return;
    t->queued_ms = k->now_ms;
    t->had = turn_had(k, i);
}

void turn_look(struct control *k, int n)
{
    bool rotates = k->site->policy->admission == SHARE_ADMIT_FIRST;

    for (int i = 0; i < k->site->n_connectors; i++)
        k->connectors[i].turn.turn_ms = NEVER;
    for (int j = 0; j < n; j++) {
        if (!waits(&k->cars[j]))
            continue;
        queue(k, k->car_of[j]);
        if (rotates)
            k->connectors[k->car_of[j]].turn.turn_ms = turn_of(k, n, &k->cars[j]);
    }
}
