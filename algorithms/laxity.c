/* SPDX-License-Identifier: Apache-2.0 */
/* Departure, energy and laxity of a car, told or assumed. */
#include "laxity.h"

#define HOUR_MS INT64_C(3600000)

enum { STAY_H = 12, STAY_MORE_H = 1, ENERGY_WH = 15000, ENERGY_MORE_WH = 1000 };

int64_t laxity_departs_ms(const struct policy_car *car)
{
    int64_t assumed = STAY_H * HOUR_MS - car->arrived_ms;

    if (car->departs_ms != INT64_MAX)
        return car->departs_ms > 0 ? car->departs_ms : 0;
    return assumed > STAY_MORE_H * HOUR_MS ? assumed : STAY_MORE_H * HOUR_MS;
}

int32_t laxity_energy_wh(const struct policy_car *car)
{
    if (car->energy_wh != EVENT_NO_VALUE)
        return car->energy_wh;
    return car->had_wh < ENERGY_WH - ENERGY_MORE_WH ? ENERGY_WH - car->had_wh
                                                    : ENERGY_MORE_WH;
}

int32_t laxity_ms(const struct policy_car *car)
{
    int64_t power_w = (int64_t)car->max_ma * car->voltage_mv / 1000000 * car->n_phases;
    int64_t need_ms = laxity_energy_wh(car) * HOUR_MS / (power_w > 0 ? power_w : 1);
    int64_t ms = laxity_departs_ms(car) - need_ms;

    return ms > INT32_MAX ? INT32_MAX : ms < -INT32_MAX ? -INT32_MAX : (int32_t)ms;
}
