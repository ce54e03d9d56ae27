/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world: plays a recording on a virtual clock to a controller and lets
 * simulated chargers and cars carry out what it orders. Nothing here looks at a real
 * clock; the same set-up gives the same outcome, bit for bit. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stddef.h>
#include "core/event.h"
#include "core/order.h"
#include "sim/car.h"
#include "sim/fail.h"
#include "sim/plant.h"
#include "sim/recording.h"

/* The controller, or whoever stands in for it. */
struct sim_brain {
    void *arg;
    size_t (*step)(void *arg, const struct event *e, struct order *out);
    size_t max_orders; /* `out` has room for */
    /* a new one begins at now_ms, knowing nothing; NULL where faults kill none */
    void (*restart)(void *arg, int64_t now_ms);
};

struct sim_setup {
    const struct site *site;
    struct sim_sessions *sessions; /* what became of them is written into it */
    const struct sim_loads *loads; /* NULL = none */
    bool real;                     /* cars, chargers and meters as in life, not ideal */
    uint64_t seed;
    int32_t sample_ms; /* between the meter values of a session; 0 = 10 s */
    /* from a charger's answer to the effect in the real plant; 0 = 0 .. 1 s */
    int32_t act_min_ms, act_max_ms;
    bool mute; /* chargers do not know how to send values when asked */
    /* may change a car before it arrives; NULL = not */
    void (*car)(void *arg, int session, struct sim_car *car);
    void *car_arg;
    const struct sim_faults *faults; /* NULL = nothing goes wrong */
    int32_t car_max_ma; /* of cars whose maximum is not recorded; 0 = the connector's */
    struct sim_brain brain;
    /* called at the end of each second; NULL = not */
    void (*second)(void *arg, int64_t now_ms, const struct sim_plant *p);
    void *second_arg;
};

struct sim_outcome {
    struct sim_verdict verdict;
    int64_t simulated_s, ticks, events;
    int64_t setpoints, renewals, samples_asked;
    int64_t reaction_ms;
    int64_t kills;
};

/* The recording's first and last moment, the first 60 s early: meters and chargers are
 * heard before the first car comes. False when there is nothing recorded. */
bool sim_world_span(const struct sim_sessions *s, const struct sim_loads *l,
                    int64_t *from_s, int64_t *to_s);

/* NULL when all went well, else what is wrong (a constant text). */
const char *sim_world_run(const struct sim_setup *u, struct sim_outcome *out);

#endif
