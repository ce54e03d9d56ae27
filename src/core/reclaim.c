/* SPDX-License-Identifier: Apache-2.0 */
/* What cars leave of their set points is given to others, by lowering them.
 *
 * A car may take less than it is offered: it uses one phase where three are wired, its
 * own charger is small, its battery is nearly full, it is full, it sleeps. What it
 * leaves is never reckoned with, it may take it at any time. Instead, when its samples
 * show for a while that it takes clearly less, more than that and a margin is of no use
 * to it (its *cap*), and it is told so as soon as another car wants the difference.
 * Then the room is really free. Where nobody wants it nothing is done: each set point
 * wears the charger's memory.
 *
 * When the car takes up the margin its cap is forgotten at once. Should that happen
 * again and again, it is watched longer each time. A cap is also tried out now and
 * then.
 *
 * A car that takes nothing is *full*. It keeps what it is offered until another wants
 * it, then it gets nothing and is asked again with its minimum, more and more rarely
 * but for a longer while each time. */
#include "state.h"

enum {
    RECLAIM_AFTER_MS = 60000, /* a car is watched so long, ... */
    RECLAIM_RETURNS = 3,      /* doubled with each time it came back, so often */
    RECLAIM_UP_MA = 1000, /* so near to what it is offered it may want more, or a ...*/
    RECLAIM_UP_PART = 16, /* ... part: cars on the road leave up to 6 % */
    RECLAIM_STEADY_MA = 1000, /* which its current has to rise by for that */
    LEAST_MA = 6000,          /* less than this cannot be told, ... */
    LEAST_AFTER_MS = 15000,   /* ... a car that wakes up so late needs as much */
    PROBING_ONE_IN = 8        /* of the connectors, at one time */
};

/* What it leaves of a set point when it takes all it can. */
static int32_t near_ma(int32_t set_ma)
{
    int32_t part = set_ma / RECLAIM_UP_PART;

    return part > RECLAIM_UP_MA ? part : RECLAIM_UP_MA;
}

static int32_t most(const int32_t ma[SITE_PHASES])
{
    int32_t m = ma[0];

    for (int p = 1; p < SITE_PHASES; p++)
        if (ma[p] > m)
            m = ma[p];
    return m;
}

/* There may be another car. */
void reclaim_forget(struct connector_state *c)
{
    c->full = c->probed = false;
    c->probes = 0;
    c->full_ms = NEVER;
    c->take = (struct taking){.cap_ma = NEVER,
                              .cap_ms = NEVER,
                              .look_ms = NEVER,
                              .last_ms = NEVER,
                              .none_ms = NEVER};
}

/* A person wants something of it: it is asked again. */
void reclaim_ask(struct control *k, int i)
{
    reclaim_forget(&k->connectors[i]);
    k->connectors[i].status_ms = k->now_ms;
}

/* It draws. */
static void awake(struct control *k, struct connector_state *c)
{
    k->changed |= c->full || c->probed;
    c->full = c->probed = false;
    c->probes = 0;
}

/* Its charger says that it charges. Some say so when only the contactor has closed:
 * where there are samples they decide. */
void reclaim_charging(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (c->take.last_ms == NEVER || k->now_ms - c->take.last_ms > SAMPLE_STALE_MS)
        awake(k, c);
}

/* ---- what it takes ---- */

/* Its charger obeys the set point that it was told, and the car has had its time. */
static bool settled(const struct control *k, const struct connector_state *c)
{
    return c->known && c->told_ma > 0 && c->n_flight == 0 && c->held_sure &&
           c->held_ma == c->told_ma && k->now_ms >= c->answered_ms + c->settle_for_ms;
}

static void set_cap(struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    struct connector_state *c = &k->connectors[i];
    int32_t cap = c->take.peak_ma + RECLAIM_STEADY_MA;

    cap += near_ma(cap + RECLAIM_UP_MA);
    if (cap < conf->min_ma)
        cap = conf->min_ma;
    if (cap < LEAST_MA) /* or it would stop */
        cap = LEAST_MA;
    cap = (cap + conf->step_ma - 1) / conf->step_ma * conf->step_ma;
    if (c->take.cap_ma != NEVER && cap > c->take.cap_ma - RAISE_MIN_MA)
        return;
    c->take.cap_ma = cap;
    c->take.cap_ms = k->now_ms;
    k->changed = true;
}

static void drop_cap(struct control *k, struct connector_state *c)
{
    c->take.cap_ma = c->take.look_ms = NEVER;
    k->changed = true;
}

/* Begins to watch it anew, with what it takes now. */
static void watch(const struct control *k, struct taking *t, int32_t ma)
{
    t->look_ms = k->now_ms;
    t->peak_ma = ma;
}

/* A sample of the connector has come. */
void reclaim_sample(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];
    struct taking *t = &c->take;
    int32_t ma = most(c->seen_ma);
    bool draws = ma >= LEARN_OFF_MA;

    if (t->last_ms == NEVER || k->now_ms - t->last_ms > SAMPLE_STALE_MS ||
        (draws && t->peak_ma < LEARN_OFF_MA))
        t->look_ms = NEVER;
    t->last_ms = k->now_ms;
    if (ma > t->peak_ma)
        t->peak_ma = ma;
    if (draws)
        awake(k, c);
    if (!settled(k, c))
        return;
    if (t->cap_ma != NEVER && c->told_ma >= t->cap_ma &&
        ma > t->cap_ma - near_ma(t->cap_ma)) {
        t->returns += t->returns < RECLAIM_RETURNS;
        drop_cap(k, c);
    } else if (draws && c->told_ma - ma < near_ma(c->told_ma) + 2 * RECLAIM_STEADY_MA) {
        t->look_ms = NEVER;
    } else if (t->look_ms == NEVER) {
        watch(k, t, ma);
    } else if (draws && k->now_ms - t->look_ms >= (int64_t)RECLAIM_AFTER_MS
                                                      << t->returns) {
        set_cap(k, i);
        watch(k, t, ma);
    }
}

/* ---- what time does ---- */

/* It has been offered something and took nothing for a while. */
static bool sleeps(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    int64_t patience_ms =
        energy_satisfied(c) ? 0 : (int64_t)FULL_AFTER_MS * (1 + c->probes);

    if (c->told_ma <= 0 || !control_wants(k, i) ||
        k->now_ms - c->take.none_ms < patience_ms)
        return false;
    if (c->status == STATUS_SUSPENDED_EV && k->now_ms - c->status_ms >= patience_ms)
        return true;
    return c->told_ma >= LEARN_ON_MA && c->take.look_ms != NEVER &&
           c->take.peak_ma < LEARN_OFF_MA &&
           k->now_ms - c->take.last_ms <= SAMPLE_STALE_MS &&
           k->now_ms - c->take.look_ms >= patience_ms;
}

/* It was offered less than the signal of IEC 61851-1 can tell and does not draw: it
 * needs that much. */
static bool wants_more(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    return c->told_ma > 0 && c->told_ma < LEAST_MA && c->take.least_ma < LEAST_MA &&
           c->status == STATUS_SUSPENDED_EV && !energy_satisfied(c) &&
           k->site->connectors[i].max_ma >= LEAST_MA &&
           k->now_ms - c->take.none_ms >= LEAST_AFTER_MS &&
           k->now_ms - c->status_ms >= LEAST_AFTER_MS;
}

/* The least current with which it charges. */
int32_t reclaim_min(const struct control *k, int i)
{
    int32_t min_ma = phases_min(k, i, phases_of(k, i));
    int32_t least_ma = k->connectors[i].take.least_ma;
    int32_t car_ma = k->connectors[i].wishes[WISH_CAR].min_ma;

    if (least_ma > min_ma)
        min_ma = least_ma;
    if (car_ma > min_ma && car_ma <= k->site->connectors[i].max_ma)
        min_ma = car_ma;
    return min_ma;
}

/* Those that are tried out must not take much from others. */
static bool may_probe(const struct control *k)
{
    int n = 0;

    for (int i = 0; i < k->site->n_connectors; i++)
        n += k->connectors[i].probed;
    return n <= k->site->n_connectors / PROBING_ONE_IN;
}

static int64_t ask_again_ms(const struct connector_state *c)
{
    return c->full_ms + ((int64_t)FULL_PROBE_MS << c->probes);
}

static int64_t try_cap_ms(const struct connector_state *c)
{
    return c->take.cap_ms + ((int64_t)FULL_PROBE_MS << c->take.tries);
}

void reclaim_time(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (c->told_ma <= 0)
        c->take.none_ms = k->now_ms;
    if (c->full && c->told_ma > 0) {
        c->full_ms = k->now_ms; /* it may begin whenever it likes */
    } else if (c->full && k->now_ms >= ask_again_ms(c) && may_probe(k)) {
        c->full = false;
        c->probed = true;
        c->status_ms = k->now_ms;
        c->take.look_ms = NEVER;
        k->changed = true;
    } else if (wants_more(k, i)) {
        c->take.least_ma = LEAST_MA;
        k->changed = true;
    } else if (!c->full && sleeps(k, i)) {
        c->probes += c->probed && c->probes < FULL_PROBES;
        c->full = true;
        c->probed = false;
        c->full_ms = k->now_ms;
        k->changed = true;
    }
    if (c->take.cap_ma != NEVER && k->now_ms >= try_cap_ms(c)) {
        c->take.tries += c->take.tries < FULL_PROBES;
        drop_cap(k, c);
    }
}

/* When it is asked or tried out again, or NEVER. */
int64_t reclaim_until(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (c->full)
        return c->told_ma > 0 ? NEVER : ask_again_ms(c);
    return c->take.cap_ma == NEVER ? NEVER : try_cap_ms(c);
}

/* ---- the problem ---- */

/* It is full and was told so: it takes no part. */
bool reclaim_resting(const struct connector_state *c)
{
    return c->full && c->told_ma <= 0;
}

/* The car does not draw by its own will, as its charger says and no sample denies. */
static bool pauses(const struct control *k, const struct connector_state *c)
{
    return c->status == STATUS_SUSPENDED_EV &&
           (c->seen_ms == NEVER || k->now_ms - c->seen_ms > SAMPLE_STALE_MS ||
            most(c->seen_ma) < LEARN_OFF_MA);
}

/* The most that the connector has use for, up to max_ma. One that is full or pauses is
 * not raised. */
int32_t reclaim_max(const struct control *k, int i, int32_t max_ma)
{
    int32_t min_ma = reclaim_min(k, i);
    const struct connector_state *c = &k->connectors[i];
    int32_t ma = max_ma;

    if (c->probed)
        ma = min_ma > FULL_PROBE_MA ? min_ma : FULL_PROBE_MA;
    else if (c->full || pauses(k, c))
        ma = c->told_ma;
    else if (c->take.cap_ma != NEVER)
        ma = c->take.cap_ma > c->told_ma ? c->take.cap_ma : c->told_ma;
    if (ma < min_ma)
        ma = min_ma;
    return ma < max_ma ? ma : max_ma;
}

/* The rows that keep a car from more: bit r of short_rows of their circuits. */
static void mark_short(struct control *k, int n)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        k->circuits[v].short_rows = 0;
    for (int j = 0; j < n; j++) {
        const struct connector_state *c = &k->connectors[k->car_of[j]];
        const struct why *w = &k->cars[j].why;
        uint8_t *rows =
            &k->circuits[w->circuit == SITE_NONE ? 0 : w->circuit].short_rows;

        if (w->reason == REASON_MAX || c->full || c->take.cap_ma != NEVER)
            continue;
        if (w->reason == REASON_SOLAR)
            *rows |= 1 << SHARE_SOLAR;
        else if (w->circuit == SITE_NONE)
            *rows |= (1 << SHARE_SOLAR) - 1;
        else
            *rows |= (uint8_t)(1 << (w->phase == SITE_NONE ? SHARE_POWER : w->phase));
    }
}

/* Whether what the connector is offered counts on such a row. */
static bool in_the_way(const struct control *k, int i)
{
    uint8_t rows = k->connectors[i].phases | 1 << SHARE_POWER | 1 << SHARE_SOLAR;

    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        if (k->circuits[v].short_rows & rows)
            return true;
    return false;
}

/* After the sharing: who is offered what it leaves to others, and another wants it,
 * gets no more than it has use for. True: somebody did, it is to be shared out anew. */
bool reclaim_review(struct control *k, int n)
{
    bool any = false;

    mark_short(k, n);
    for (int j = 0; j < n; j++) {
        const struct connector_state *c = &k->connectors[k->car_of[j]];
        struct share_car *car = &k->cars[j];
        int32_t use_ma = c->full ? 0 : c->take.cap_ma;

        if (use_ma == NEVER || car->current_ma < use_ma + RAISE_MIN_MA ||
            !in_the_way(k, k->car_of[j]))
            continue;
        car->max_ma = use_ma;
        any = true;
    }
    return any;
}
