/* SPDX-License-Identifier: Apache-2.0 */
/* energy-fair: who has had least since it came gets most, so that all have had the same
 * a quarter of an hour from now, as far as limits and cars allow. A car with three
 * phases takes in three times as much with the same current. */
#include "policy.h"

enum { AHEAD_MS = 900000, WEIGHT = 600 };

static void energy_fair_rank(const struct policy_car *car, struct share_car *out)
{
    int64_t had_w = car->had_wh * INT64_C(3600000) / AHEAD_MS; /* if it were now */

    out->tier = 0;
    out->weight = WEIGHT / car->n_phases;
    out->offset_ma = policy_offset(-had_w * 1000000 / car->voltage_mv / car->n_phases);
    out->turn = policy_rotation(car);
}

extern const struct policy policy_energy_fair;
const struct policy policy_energy_fair = {
    .name = "energy-fair",
    .help = "who has had least energy gets most",
    .admission = SHARE_ADMIT_FIRST,
    .rank = energy_fair_rank,
};
