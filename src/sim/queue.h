/* SPDX-License-Identifier: Apache-2.0 */
/* What is going to happen in the simulated world, in order of time; what has been put
 * first comes first where times are equal. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "core/event.h"

enum sim_what {
    SIM_LINK,    /* who = charger: it connects */
    SIM_START,   /* who = bay: its transaction begins */
    SIM_SAMPLE,  /* who = bay: its meter values are due */
    SIM_FRESH,   /* who = bay: meter values out of turn */
    SIM_TOLD,    /* who = bay: its new status has reached the controller */
    SIM_ANSWER,  /* who = charger: it answers the call under way */
    SIM_REFUSED, /* who = bay: an order that never left is given back */
    SIM_ACT,     /* who = bay: the limit begins to count */
    SIM_FOLLOW,  /* who = bay: its profiles say something else */
    SIM_UNDER,   /* who = bay: what stands below a transaction's limit is told */
    SIM_HEARD,   /* who = bay: what its charger told has arrived */
    SIM_READ,    /* who = meter: it is read */
    SIM_READING, /* who = meter: the reading has arrived */
    /* what goes wrong, see fail.h */
    SIM_TIMEOUT,   /* who = charger: its answer is waited for no longer */
    SIM_CUT,       /* who = charger: its link is lost */
    SIM_NOTICED,   /* who = charger: ... and the controller knows */
    SIM_BACK,      /* who = charger: it connects again */
    SIM_OTHERS,    /* who = charger: others limit it, or do so no longer */
    SIM_DEAF,      /* who = charger: it ignores limits from now on */
    SIM_METER_OUT, /* who = meter: it falls silent, or repeats itself */
    SIM_KILL,      /* the controller is gone */
    SIM_START_UP   /* ... and started again */
};

struct sim_item {
    int64_t at_ms;
    uint64_t order; /* set by sim_queue_put() */
    enum sim_what what;
    int who;
    union {
        struct {
            int session; /* SIM_START, SIM_SAMPLE, SIM_TOLD: of which it is */
            enum connector_status status;
        } told;
        struct event_answer answer; /* SIM_REFUSED */
        struct {
            uint32_t call; /* of its charger, in which it was told */
            int32_t limit_ma, lease_ms;
            int n_phases;
        } act;
        struct event_meter meter;
        struct event heard;
        uint32_t call; /* SIM_ANSWER, SIM_TIMEOUT: of which call */
    };
};

struct sim_queue {
    struct sim_item *heap;
    int n, room;
    uint64_t put;
};

bool sim_queue_put(struct sim_queue *q, const struct sim_item *item); /* no memory */
const struct sim_item *sim_queue_first(const struct sim_queue *q);    /* or NULL */
void sim_queue_take(struct sim_queue *q, struct sim_item *out);       /* there is one */
void sim_queue_free(struct sim_queue *q);

#endif
