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

void limit_clock(struct control *k, int circuit)
{
    for (int i = 0; i < LIMIT_SOURCES; i++) {
        struct event_limit *l = &k->circuits[circuit].external[i];

        if (l->until_ms == NEVER || k->now_ms < l->until_ms)
            continue;
        l->until_ms = NEVER;
        k->changed = true;
    }
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
