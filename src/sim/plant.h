/* SPDX-License-Identifier: Apache-2.0 */
/* The wires: what really flows in each circuit and phase, and who is to blame when it
 * is too much.
 *
 * A circuit carries the base loads and the cars of its own and of all circuits below.
 * Each second is judged: it is over when a row (a phase of a circuit; its power limit
 * apart) was above its limit at any moment of it. It is the controller's fault unless
 * the base load of that row was above the limit by itself, or would fit without what
 * the base load has risen by within the last reaction time. */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

#include "core/site.h"

struct sim_verdict {
    int64_t seconds;                          /* judged */
    int64_t over_s, by_control_s;             /* phase currents */
    int32_t worst_ma;                         /* most above a limit */
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

/* Looks at this moment; to be called when all that changes at now_ms has been set. */
void sim_plant_look(struct sim_plant *p, int64_t now_ms);
/* Ends a second: counts what has been seen since the last call. */
void sim_plant_second(struct sim_plant *p, int64_t now_ms);

void sim_plant_total(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES]);
void sim_plant_base(const struct sim_plant *p, int circuit, int32_t i_ma[SITE_PHASES]);
int32_t sim_plant_power_w(const struct sim_plant *p, int circuit);
const struct sim_verdict *sim_plant_verdict(const struct sim_plant *p);

#endif
