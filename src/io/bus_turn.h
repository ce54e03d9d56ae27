/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is on a Modbus line. Pure.
 *
 * The grid connection's meter keeps its interval: when another one would still be read
 * at the time that it is due, it is read before. In between, the others come in the
 * order in which they were due. */
#ifndef IO_BUS_TURN_H
#define IO_BUS_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct bus_turn {
    bool first_served; /* the grid connection's meter */
    int32_t interval_ms;
    int64_t due_ms;
    int32_t cost_ms; /* how long it takes to read it, at most of late */
};

enum { BUS_TURN_COST_MS = 500 }; /* before that is known */

/* The one to read next, and in *at_ms when; when that is in the future, ask again then.
 * `last` was read last; -1 = none. The first served is not read twice in a row while
 * another one is due. n > 0. */
int bus_turn_next(const struct bus_turn *t, int n, int last, int64_t now_ms,
                  int64_t *at_ms);

/* It was read from begun_ms to now_ms and is not to be read again for pause_ms. */
void bus_turn_done(struct bus_turn *t, int64_t begun_ms, int64_t now_ms,
                   int64_t pause_ms);

#endif
