/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated battery car: what it draws when the charger offers it so much.
 *
 * Energy is counted in nJ (mA x mV x ms), so that nothing is lost by rounding; 2,500
 * kWh fit. Currents are those of one phase; all phases it uses carry the same. */
#ifndef SIM_CAR_H
#define SIM_CAR_H

#include <stdbool.h>
#include <stdint.h>
#include "sim/rng.h"

#define SIM_NJ_PER_WH INT64_C(3600000000000)

struct sim_car {
    /* what it is */
    int64_t wanted_nj;     /* it is full after so much */
    int n_phases;          /* it uses of the charger's L1 L2 L3, from L1 on */
    int32_t max_ma;        /* its own charger's maximum */
    int32_t min_ma;        /* when offered less it draws nothing; IEC 61851: 6 A */
    int32_t up_ma_s;       /* ramp; 0 = at once */
    int32_t down_ma_s;     /* ramp; 0 = at once */
    int32_t wake_ms;       /* from being offered something to its first draw */
    int32_t take_permille; /* of what it is offered, 1000 = all */
    int64_t taper_nj;      /* slows down over the last so much; 0 = never */
    /* how it is */
    int64_t taken_nj;
    int32_t offered_ma;
    int32_t asleep_ms; /* rest of wake_ms */
    int32_t i_ma;      /* what it draws now, on each of its phases */
    int32_t starts;    /* how often it went from 0 to more */
};

/* Does at once and exactly what it is told. */
void sim_car_ideal(struct sim_car *c, int64_t wanted_wh, int n_phases, int32_t max_ma,
                   int32_t min_ma);

/* As cars on the road: up 1 .. 4 A/s, down within 1 .. 3 s, awake after 1 .. 8 s, takes
 * 94 .. 100 % of the offer, tapers over the last 4 .. 12 % (at most 3 kWh). */
void sim_car_real(struct sim_car *c, int64_t wanted_wh, int n_phases, int32_t max_ma,
                  struct sim_rng *r);

/* The charger's signal: at most so much from now on; 0 = it may not draw. */
void sim_car_offer(struct sim_car *c, int32_t offered_ma);

/* The contactor opens: it draws nothing from this moment on. */
void sim_car_cut(struct sim_car *c);

/* Time passes with the offer as it is. Returns the energy it took, in nJ. */
int64_t sim_car_step(struct sim_car *c, int32_t dt_ms, int32_t voltage_mv);

bool sim_car_full(const struct sim_car *c);
/* It draws nothing, and will not until it is offered something else. */
bool sim_car_idle(const struct sim_car *c);

#endif
