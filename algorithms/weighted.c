/* SPDX-License-Identifier: Apache-2.0 */
/* weighted: currents in proportion to the weights of the connectors, as far as limits
 * and cars allow. Where not even the minimums fit, cars take turns, all alike. */
#include "policy.h"

static void weighted_rank(const struct policy_car *car, struct share_car *out)
{
    out->tier = 0;
    out->weight = car->weight;
    out->offset_ma = 0;
    out->turn = policy_rotation(car);
}

extern const struct policy policy_weighted;
const struct policy policy_weighted = {
    .name = "weighted",
    .help = "currents in proportion to the weights of the connectors",
    .admission = SHARE_ADMIT_FIRST,
    .rank = weighted_rank,
};
