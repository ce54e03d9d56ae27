/* SPDX-License-Identifier: Apache-2.0 */
/* The wires: what really flows in each circuit and phase, and who is to blame when it
 * is too much.
 *
 * A circuit carries the base loads and the cars of its own and of all circuits below.
 * Each second is judged: it is over when a row (a phase of a circuit; its power limit
 * apart) was above its limit at any moment of it. It is the controller's fault unless
 * the base load of that row was above the limit by itself, or would fit without what
 * the base load has risen by within the last reaction time; longer back where control
 * could not know (sim_plant_blind) or do anything about it (sim_plant_out). */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

#include "core/site.h"

enum { SIM_LASTED = 10 };
/* The upper ends of the classes of how long it was over, in seconds; the last: longer.
 */
extern const int32_t sim_lasted_s[SIM_LASTED];

struct sim_verdict {
    int64_t seconds;                         /* judged */
    int64_t over_s, by_control_s;            /* phase currents */
    int32_t worst_ma;                        /* most above a limit */
    int32_t longest_s, longest_by_control_s; /* seconds over without a break */
    int64_t
        lasted[SIM_LASTED]; /* how many such spans were that long; see sim_lasted_s */
    int64_t power_over_s, power_by_control_s; /* power limits */
    int32_t worst_w;
    int32_t peak_w;      /* most drawn by the root circuit */
    int32_t peak_cars_w; /* most drawn by the cars */
    int first_circuit;   /* where control first was to blame, or SITE_NONE */
    int64_t first_ms;
};

struct sim_plant;

/* reaction_ms: meter period + slowest charger's response with settling. Returns NULL
 * without memory. The site is borrowed. */
struct sim_plant *sim_plant_new(const struct site *s, int64_t reaction_ms);
void sim_plant_free(struct sim_plant *p);

/* What the uncontrolled part of this circuit itself draws from now on. */
void sim_plant_set_base(struct sim_plant *p, int64_t now_ms, int circuit,
                        const int32_t i_ma[SITE_PHASES]);
/* What this connector draws from now on, on the site's phases. */
void sim_plant_set_car(struct sim_plant *p, int connector,
                       const int32_t i_ma[SITE_PHASES]);

/* Control cannot reach this connector from since_ms to until_ms (the latter with the
 * time that it then needs to react). Where nothing else is left to lower, a base load
 * that has risen since then is no fault of control's. */
void sim_plant_out(struct sim_plant *p, int connector, int64_t since_ms,
                   int64_t until_ms);
/* It does not obey, for ever: where nothing else is left to lower, what it draws is no
 * fault of control's either. */
void sim_plant_deaf(struct sim_plant *p, int connector, int64_t since_ms);
/* It is under control again from until_ms on. */
void sim_plant_in(struct sim_plant *p, int connector, int64_t until_ms);
/* The same for a circuit whose meter tells nothing, until that must have been noticed:
 * then a rise is no fault of control's, whatever is left to lower. */
void sim_plant_blind(struct sim_plant *p, int circuit, int64_t since_ms,
                     int64_t until_ms);

/* Looks at this moment; to be called when all that changes at now_ms has been set. */
void sim_plant_look(struct sim_plant *p, int64_t now_ms);
/* Ends a second: counts what has been seen since the last call. */
void sim_plant_second(struct sim_plant *p, int64_t now_ms);

void sim_plant_total(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES]);
void sim_plant_base(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES]);
int32_t sim_plant_power_w(const struct sim_plant *p, int circuit);
const struct sim_verdict *sim_plant_verdict(const struct sim_plant *p);

#endif
