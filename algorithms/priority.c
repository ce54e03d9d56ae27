/* SPDX-License-Identifier: Apache-2.0 */
/* priority: higher priorities are served in full before lower ones get more than their
 * minimum; within one priority everyone gets the same. Minimums come first, also here
 * in the order of priority: a car that charges slowly is better off than one that
 * waits. */
#include "policy.h"

static void priority_rank(const struct policy_car *car, struct share_car *out)
{
    out->tier = -car->priority;
    out->weight = 1;
    out->offset_ma = 0;
    out->turn = policy_rotation(car);
}

extern const struct policy policy_priority;
const struct policy policy_priority = {
    .name = "priority",
    .help = "higher priorities in full before lower ones get more than their minimum",
    .admission = SHARE_ADMIT_FIRST,
    .rank = priority_rank,
};
