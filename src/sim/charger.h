/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated charger answers: one call at a time, each after a while, and what it
 * was told counts some time after that. What it does to the current is in bay.h. */
#ifndef SIM_CHARGER_H
#define SIM_CHARGER_H

#include "core/order.h"
#include "sim/rng.h"

struct sim_charger {
    /* what it is */
    int32_t answer_min_ms, answer_max_ms; /* to a call */
    int32_t act_min_ms, act_max_ms;       /* from the answer to the effect */
    int32_t fresh_ms;    /* from the answer to the values it was asked for */
    bool lease_from_act; /* the lease begins with the effect, else with the call */
    /* how it is */
    bool up, busy;
    bool mute;    /* its link is lost, perhaps unnoticed */
    bool lost;    /* the call under way will not be answered */
    bool booted;  /* it has restarted since */
    bool deaf;    /* it accepts limits and ignores them */
    bool refuses; /* every other call */
    bool watts;   /* it takes whole watts */
    bool newer;   /* it keeps profiles by its own clock, see keep.c */
    int32_t clock_off_ms;
    int64_t heard_ms; /* when the last of what it told arrives */
    bool forgets;     /* what it was told, when it restarts: it is on its fallback */
    uint32_t calls;   /* how many calls it has had */
    struct sim_rng rng;
    struct order call; /* under way while busy */
    int64_t call_ms;   /* since then */
    struct order *waiting;
    int n_waiting, room;
};

/* n_connectors of it. Ideal: everything at once. False = no memory. */
bool sim_charger_init(struct sim_charger *c, int n_connectors, bool real,
                      struct sim_rng rng);
void sim_charger_free(struct sim_charger *c);

/* Takes ORDER_LIMIT or ORDER_SAMPLE. A limit that still waits for the same connector
 * has become pointless: then true, and *back is that order, never to be sent. */
bool sim_charger_order(struct sim_charger *c, const struct order *o,
                       struct order *back);

/* Begins the next call when none is under way: limits first, the lowest first. True:
 * one was begun and will be answered at *answer_ms. */
bool sim_charger_call(struct sim_charger *c, int64_t now_ms, int64_t *answer_ms);

/* The call under way is answered. Returns its order; it takes effect at *act_ms, a
 * limit for *lease_ms from then on (0 = has run out by then). */
struct order sim_charger_answer(struct sim_charger *c, int64_t now_ms, int64_t *act_ms,
                                int32_t *lease_ms);

/* What one makes of a limit that it is told in whole watts for so many phases. */
int32_t sim_charger_watts(int32_t ma, int32_t voltage_mv, int phases);

/* The longest it can take from an order to its effect, without the car. */
int32_t sim_charger_slowest_ms(const struct sim_charger *c);

#endif
