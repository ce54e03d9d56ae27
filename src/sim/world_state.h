/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the simulated world, shared by world.c (the clock) and happen.c (what
 * happens). */
#ifndef SIM_WORLD_STATE_H
#define SIM_WORLD_STATE_H

#include "sim/bay.h"
#include "sim/charger.h"
#include "sim/queue.h"
#include "sim/world.h"

enum {
    SIM_SAMPLE_MS = 10000,   /* between meter values of a session, usually */
    SIM_STATUS_MS = 500,     /* until a status has reached the controller */
    SIM_START_MIN_MS = 2000, /* from the plug to the transaction */
    SIM_START_MAX_MS = 8000,
    SIM_READ_MAX_MS = 150,  /* a meter's answer */
    SIM_LINK_MAX_MS = 5000, /* until a charger has connected */
    SIM_SETTLE_MS = 3000,   /* of the slowest car */
    SIM_NOBODY = -1
};

struct sim_leave {
    int64_t at_s;
    int session;
};

/* A connector with all that belongs to it. */
struct sim_stall {
    struct sim_bay bay;
    uint8_t
        wiring[SITE_PHASES]; /* its true one, also where the site does not know it */
    int session;             /* that is there, or NOBODY */
    uint32_t acted;          /* seq of the last order that took effect */
    bool has_acted;
    struct sim_rng rng;
};

struct sim_world {
    const struct sim_setup *u;
    const struct site *site;
    struct sim_outcome *out;
    struct sim_plant *plant;
    struct sim_queue queue;
    struct sim_stall *stalls;         /* per connector */
    struct sim_charger *chargers;     /* per charger */
    struct sim_rng *meters;           /* per meter */
    int *meter_circuit;               /* per meter: it measures; SITE_NONE */
    int32_t (*own_ma)[SITE_PHASES];   /* per circuit: loads but for solar meters' */
    int32_t (*solar_ma)[SITE_PHASES]; /* per meter */
    int *active, n_active;            /* connectors with a car */
    struct sim_leave *leaves;         /* sessions by departure */
    int next_arrival, next_departure, next_load;
    int64_t from_s, now_ms, end_ms;
    int64_t stepped_ms; /* all bays are up to date with this moment */
    bool touched;       /* currents have changed in this moment */
    bool failed;
    struct order *orders;
};

/* A moment of the recording, and a thing of the queue. */
void sim_happen_load(struct sim_world *w, const struct sim_load *l);
void sim_happen_arrive(struct sim_world *w, int session);
void sim_happen_leave(struct sim_world *w, int session);
void sim_happen(struct sim_world *w, const struct sim_item *i);

/* All bays are brought up to the present moment. */
void sim_happen_refresh(struct sim_world *w);
/* The controller learns it, its orders are taken down. */
void sim_happen_tell(struct sim_world *w, struct event *e);
void sim_happen_put(struct sim_world *w, struct sim_item item);

static inline int32_t sim_world_sample_ms(const struct sim_world *w)
{
    return w->u->sample_ms ? w->u->sample_ms : SIM_SAMPLE_MS;
}

static inline int64_t sim_world_ms(const struct sim_world *w, int64_t utc_s)
{
    return (utc_s - w->from_s) * 1000;
}

#endif
