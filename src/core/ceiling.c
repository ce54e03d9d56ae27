/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that others than we have set in chargers, as these tell. What they leave is
 * shared out to others; what a connector may draw is reckoned without them. */
#include "state.h"

/* Milliamperes on each phase of so many; INT32_MAX = no limit. */
static int32_t lower(const struct control *k, int32_t ma, int32_t w, int n_phases)
{
    int64_t by_power_ma;

    if (ma == EVENT_NO_VALUE)
        ma = INT32_MAX;
    if (w == EVENT_NO_VALUE)
        return ma;
    by_power_ma = w * 1000000ll / k->site->voltage_mv / (n_phases ? n_phases : 1);
    return by_power_ma < ma ? (int32_t)by_power_ma : ma;
}

void ceiling_none(struct connector_state *c)
{
    c->ceiling = (struct event_ceiling){EVENT_NO_VALUE, EVENT_NO_VALUE, EVENT_NO_VALUE,
                                        EVENT_NO_VALUE, INT64_MAX};
}

static int32_t sane(int32_t value, int32_t most)
{
    return value < 0 || value > most ? EVENT_NO_VALUE : value;
}

/* Nobody limits to less than nothing, and no wire carries that much. */
void ceiling_take(struct control *k, int i, const struct event_ceiling *e)
{
    k->connectors[i].ceiling = (struct event_ceiling){
        sane(e->limit_ma, SITE_MAX_MA), sane(e->power_w, INT32_MAX),
        sane(e->whole_ma, SITE_MAX_MA), sane(e->whole_w, INT32_MAX), e->until_ms};
    k->changed = true;
}

void ceiling_clock(struct control *k)
{
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];

        if (k->now_ms < c->ceiling.until_ms)
            continue;
        ceiling_none(c);
        k->changed = true;
    }
}

/* The most for it alone; of the whole charger see ceiling_review(). */
int32_t ceiling_of(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    int phases = control_phases(c->phases);
    int32_t ma = lower(k, c->ceiling.limit_ma, c->ceiling.power_w, phases);
    int32_t whole_ma = lower(k, c->ceiling.whole_ma, c->ceiling.whole_w, phases);

    return ma < whole_ma ? ma : whole_ma;
}

/* ---- of a whole charger: the sum of its connectors */

/* The cars of one charger, in the kernel's answer, and what they have together: amperes
 * on a phase, or the sum over the phases. */
struct whole {
    struct control *k;
    int n, charger;
    bool sum;
    int64_t room_ma;
};

static bool is_of(const struct whole *w, int j)
{
    return w->k->site->connectors[w->k->car_of[j]].charger == w->charger;
}

static int64_t share_of(const struct whole *w, int j)
{
    return w->sum ? control_phases(w->k->cars[j].phases) : 1;
}

static int64_t taken_ma(const struct whole *w)
{
    int64_t ma = 0;

    for (int j = 0; j < w->n; j++)
        if (is_of(w, j))
            ma += w->k->cars[j].current_ma * share_of(w, j);
    return ma;
}

/* Where those that want more are cut so that all fit. */
static int64_t level_ma(const struct whole *w)
{
    int64_t ma = 0, next = 0;

    do {
        int64_t rest_ma = w->room_ma, above = 0;

        ma = next;
        for (int j = 0; j < w->n; j++) {
            if (!is_of(w, j))
                continue;
            if (w->k->cars[j].current_ma <= ma)
                rest_ma -= w->k->cars[j].current_ma * share_of(w, j);
            else
                above += share_of(w, j);
        }
        next = above ? rest_ma / above : ma;
    } while (next > ma);
    return ma;
}

/* The last one with the least; -1 = nobody has anything. */
static int least(const struct whole *w)
{
    int which = -1;

    for (int j = 0; j < w->n; j++)
        if (is_of(w, j) && w->k->cars[j].current_ma > 0 &&
            (which < 0 || w->k->cars[j].current_ma <= w->k->cars[which].current_ma))
            which = j;
    return which;
}

static bool charges_with(const struct whole *w, int64_t ma)
{
    for (int j = 0; j < w->n; j++)
        if (is_of(w, j) && w->k->cars[j].current_ma > ma && w->k->cars[j].min_ma > ma)
            return false;
    return true;
}

/* One after the other goes without until the others can charge with what is left. */
static bool cut(const struct whole *w)
{
    int64_t ma;

    if (taken_ma(w) <= w->room_ma)
        return false;
    while (!charges_with(w, ma = level_ma(w)))
        w->k->cars[least(w)].current_ma = 0;
    for (int j = 0; j < w->n; j++) {
        struct share_car *car = &w->k->cars[j];

        if (!is_of(w, j) || car->max_ma <= (car->current_ma ? ma : 0))
            continue;
        car->max_ma = car->current_ma ? (int32_t)ma : 0;
        w->k->connectors[w->k->car_of[j]].ceiled = true;
    }
    return true;
}

bool ceiling_review(struct control *k, int n)
{
    bool any = false;

    for (int j = 0; j < n; j++)
        k->connectors[k->car_of[j]].ceiled = false;
    for (int j = 0; j < n; j++) {
        const struct event_ceiling *c = &k->connectors[k->car_of[j]].ceiling;
        struct whole w = {
            .k = k, .n = n, .charger = k->site->connectors[k->car_of[j]].charger};

        if (c->whole_ma != EVENT_NO_VALUE) {
            w.room_ma = c->whole_ma;
            any |= cut(&w);
        }
        if (c->whole_w != EVENT_NO_VALUE) {
            w.sum = true;
            w.room_ma = c->whole_w * 1000000ll / k->site->voltage_mv;
            any |= cut(&w);
        }
    }
    return any;
}
