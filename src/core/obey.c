/* SPDX-License-Identifier: Apache-2.0 */
/* Supervision: does a charger do what it has confirmed?
 *
 * A car that measures above its set point after its time to follow is counted with what
 * it draws at once (grant.c). Here something is done about it: it is told again, then
 * in other forms (order.insist; which forms there are is the edge's business), and when
 * all of that was in vain it is taken for what it is, a load that nobody controls: its
 * full rating is reserved, people are told, and it is told again once a minute. Keeping
 * to its set point for a while ends that.
 *
 * From here also comes what a car's time to follow really is: when a late sample shows
 * that it did follow in the end, it is given that long from then on. */
#include "state.h"

enum {
    OBEY_LOOK_MS = 20000,   /* so long above its set point, then something is done */
    OBEY_INSIST = 3,        /* so many things there are to do: again, two other forms */
    OBEY_AGAIN_MS = 60000,  /* then it is told again so often */
    OBEY_CLEAR_MS = 120000, /* so long at or below its set point: it obeys again */
    SETTLE_MOST_MS = 30000  /* no car is given more time than this */
};

/* Meters of cars and chargers differ by so much, and more where currents are high. */
static int32_t tolerance(int32_t ma)
{
    return OBEY_TOLERANCE_MA + ma / 20;
}

static bool above(const struct connector_state *c)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] > c->held_ma + tolerance(c->held_ma))
            return true;
    return false;
}

/* Whether the last sample can be held against it. */
static bool due(const struct connector_state *c)
{
    return c->known && c->held_sure && c->n_flight == 0 &&
           c->seen_ms >= c->answered_ms + c->settle_for_ms + SAMPLE_LAG_MS;
}

static void learn_time(struct connector_state *c)
{
    int64_t took_ms = c->seen_ms - c->answered_ms;

    if (!c->late)
        return;
    c->late = false;
    if (c->insist > 1 || !c->session)
        return; /* it may be another reason that it draws less now */
    if (took_ms > c->settle_for_ms)
        c->settle_for_ms =
            (int32_t)(took_ms < SETTLE_MOST_MS ? took_ms : SETTLE_MOST_MS);
}

void obey_sample(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];

    if (!due(c))
        return;
    if (above(c)) {
        c->late = true;
        c->obeyed_ms = NEVER;
        if (c->above_ms == NEVER)
            c->above_ms = k->now_ms;
    } else {
        learn_time(c);
        c->above_ms = NEVER;
        if (!c->disobeys)
            c->insist = 0;
        else if (c->obeyed_ms == NEVER)
            c->obeyed_ms = k->now_ms;
    }
}

/* Another sample has come since the first one above, and its time is over. */
static bool proven(const struct control *k, const struct connector_state *c)
{
    return c->above_ms != NEVER && c->seen_ms > c->above_ms &&
           k->now_ms - c->above_ms >= OBEY_LOOK_MS;
}

static void insist(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];

    c->insist = c->insist % OBEY_INSIST + 1;
    c->above_ms = NEVER;
    grant_send(k, connector, c->told_ma, false);
}

static void end(struct control *k, struct connector_state *c)
{
    c->disobeys = false;
    c->insist = 0;
    c->obeyed_ms = NEVER;
    k->changed = true;
}

void obey_clock(struct control *k, int connector)
{
    struct connector_state *c = &k->connectors[connector];
    bool online = k->chargers[k->site->connectors[connector].charger].online;

    if (c->disobeys && c->obeyed_ms != NEVER &&
        k->now_ms - c->obeyed_ms >= OBEY_CLEAR_MS)
        end(k, c);
    if (!online || c->n_flight > 0 || !proven(k, c))
        return;
    if (c->disobeys) {
        if (k->now_ms - c->told_ms >= OBEY_AGAIN_MS)
            insist(k, connector);
    } else if (c->insist < OBEY_INSIST) {
        insist(k, connector);
    } else {
        c->disobeys = true;
        k->changed = true;
    }
}
