/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated charger in tests, where nobody is at the other end of its link. */
#ifndef TESTS_STATION_HELP_H
#define TESTS_STATION_HELP_H

#include "io/loop.h"
#include "sim/station_state.h"

/* One of the newer generation with two EVSEs: of three phases and 32 A, of one and 16
 * A; it can switch to one phase. */
struct station *station_alone(struct loop *loop, uint64_t seed);

/* It is called, and answers; both have to be good. cJSON_Delete() the answer. */
cJSON *station_ask(struct station *s, const char *action, const char *payload);

#endif
