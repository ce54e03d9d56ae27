/* SPDX-License-Identifier: Apache-2.0 */
/* External limits: who said what, and until when. */
#include "state.h"

void limit_none(struct circuit_state *s)
{
    for (int i = 0; i < LIMIT_SOURCES; i++)
        s->external[i].until_ms = NEVER;
}

void limit_take(struct control *k, int circuit, const struct event_limit *e)
{
    struct event_limit *l;

    if (e->source < 0 || e->source >= LIMIT_SOURCES)
        return;
    l = &k->circuits[circuit].external[e->source];
    *l = *e;
    if (e->limit_ma == EVENT_NO_VALUE && e->power_w <= 0 && e->chargers_w <= 0)
        l->until_ms = NEVER;
    k->changed = true;
}

static void circuit_clock(struct control *k, struct circuit_state *s)
{
    for (int i = 0; i < LIMIT_SOURCES; i++) {
        struct event_limit *l = &s->external[i];

        if (l->until_ms == NEVER || k->now_ms < l->until_ms)
            continue;
        l->until_ms = NEVER;
        k->changed = true;
    }
}

void limit_clock(struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        circuit_clock(k, &k->circuits[v]);
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];

        if (k->now_ms < c->ceiling.until_ms)
            continue;
        limit_no_ceiling(c);
        k->changed = true;
    }
}

void limit_no_ceiling(struct connector_state *c)
{
    c->ceiling = (struct event_ceiling){EVENT_NO_VALUE, EVENT_NO_VALUE, INT64_MAX};
}

/* Nobody limits to less than nothing, and no wire carries that much. */
void limit_ceil(struct control *k, int connector, const struct event_ceiling *e)
{
    struct connector_state *c = &k->connectors[connector];

    c->ceiling = *e;
    if (e->limit_ma < 0 || e->limit_ma > SITE_MAX_MA)
        c->ceiling.limit_ma = EVENT_NO_VALUE;
    if (e->power_w < 0)
        c->ceiling.power_w = EVENT_NO_VALUE;
    k->changed = true;
}

int32_t limit_ceiling(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    int32_t ma =
        c->ceiling.limit_ma == EVENT_NO_VALUE ? INT32_MAX : c->ceiling.limit_ma;
    int64_t by_power_ma;

    if (c->ceiling.power_w == EVENT_NO_VALUE)
        return ma;
    by_power_ma = c->ceiling.power_w * 1000000ll / k->site->voltage_mv /
                  (c->phases ? control_phases(c->phases) : 1);
    return by_power_ma < ma ? (int32_t)by_power_ma : ma;
}

bool limit_any(const struct circuit_state *s)
{
    for (int i = 0; i < LIMIT_SOURCES; i++)
        if (s->external[i].until_ms != NEVER)
            return true;
    return false;
}

int64_t limit_end(const struct circuit_state *s)
{
    int32_t lowest_ma = limit_lowest(s).limit_ma;

    for (int i = 0; i < LIMIT_SOURCES; i++) {
        const struct event_limit *l = &s->external[i];

        if (l->until_ms != NEVER && l->limit_ma == lowest_ma)
            return l->until_ms == INT64_MAX ? NEVER : l->until_ms;
    }
    return NEVER;
}

static void lower_w(int32_t *lowest_w, int32_t w)
{
    if (w > 0 && (*lowest_w == 0 || w < *lowest_w))
        *lowest_w = w;
}

struct event_limit limit_lowest(const struct circuit_state *s)
{
    struct event_limit lowest = {.limit_ma = EVENT_NO_VALUE, .until_ms = INT64_MAX};

    for (int i = 0; i < LIMIT_SOURCES; i++) {
        const struct event_limit *l = &s->external[i];

        if (l->until_ms == NEVER)
            continue;
        if (l->until_ms < lowest.until_ms)
            lowest.until_ms = l->until_ms;
        if (l->limit_ma != EVENT_NO_VALUE &&
            (lowest.limit_ma == EVENT_NO_VALUE || l->limit_ma < lowest.limit_ma))
            lowest.limit_ma = l->limit_ma;
        lower_w(&lowest.power_w, l->power_w);
        lower_w(&lowest.chargers_w, l->chargers_w);
    }
    return lowest;
}
