/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is on a Modbus line. */
#include "io/bus_turn.h"

int bus_turn_next(const struct bus_turn *t, int n, int last, int64_t now_ms,
                  int64_t *at_ms)
{
    int best = 0, first = -1;

    for (int i = 0; i < n; i++) {
        if (t[i].due_ms < t[best].due_ms)
            best = i;
        if (t[i].first_served)
            first = i;
    }
    *at_ms = t[best].due_ms;
    if (first < 0 || first == best || first == last || t[best].due_ms > now_ms ||
        now_ms + t[best].cost_ms <= t[first].due_ms)
        return best;
    *at_ms = now_ms; /* if need be before it is due */
    return first;
}

void bus_turn_done(struct bus_turn *t, int64_t begun_ms, int64_t now_ms,
                   int64_t pause_ms)
{
    int32_t took_ms = (int32_t)(now_ms - begun_ms);

    t->cost_ms -= t->cost_ms / 64; /* slow blocks are read now and then only */
    if (t->cost_ms < took_ms)
        t->cost_ms = took_ms;
    t->due_ms = (begun_ms < t->due_ms ? begun_ms : t->due_ms) + t->interval_ms;
    if (t->due_ms < now_ms)
        t->due_ms = now_ms; /* no catching up */
    if (t->due_ms < now_ms + pause_ms)
        t->due_ms = now_ms + pause_ms;
}
