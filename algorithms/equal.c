/* SPDX-License-Identifier: Apache-2.0 */
/* equal: everyone the same current, as far as limits and cars allow (max-min fair).
 * Where not even the minimums fit, cars take turns. */
#include "policy.h"

static void equal_rank(const struct policy_car *car, struct share_car *out)
{
    out->tier = 0;
    out->weight = 1;
    out->offset_ma = 0;
    out->turn = policy_rotation(car);
}

extern const struct policy policy_equal;
const struct policy policy_equal = {
    .name = "equal",
    .help = "everyone the same current, as far as limits and cars allow",
    .admission = SHARE_ADMIT_FIRST,
    .rank = equal_rank,
};
