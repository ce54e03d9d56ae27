/* SPDX-License-Identifier: Apache-2.0 */
/* What the policies that know of departures reckon with, and what they take for true
 * where a driver has told nothing. */
#ifndef ALGORITHMS_LAXITY_H
#define ALGORITHMS_LAXITY_H

#include "policy.h"

/* Until it leaves. Not told: 12 h after it came, or in an hour when it stays longer.
 * Overdue: now, so that it is as urgent as can be. */
int64_t laxity_departs_ms(const struct policy_car *car);

/* What it still wants. Not told: 15 kWh less what it has had, and never less than 1. */
int32_t laxity_energy_wh(const struct policy_car *car);

/* It can wait for so long and still have all it wants at its full current until it
 * leaves; negative when it cannot. At most 24 days. */
int32_t laxity_ms(const struct policy_car *car);

#endif
