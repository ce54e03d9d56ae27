/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton: who came last is served first. The start of a new policy, see
 * doc/new-algorithm.md: it is built and tested, but not in the table. */
#include "policy.h"

static void skeleton_rank(const struct policy_car *car, struct share_car *out)
{
    out->tier = 0;                  /* lower tiers are served in full before others */
    out->weight = 1;                /* its part when the level rises */
    out->offset_ma = 0;             /* ahead of the others by so much, or behind */
    out->turn = car->arrived_ms;    /* lower is admitted first */
    if (car->arrived_ms >= 3600000) /* an hour ago */
        out->tier = 1;
}

extern const struct policy policy_skeleton;
const struct policy policy_skeleton = {
    .name = "skeleton",
    .help = "who came within the last hour is served first",
    .admission = SHARE_ADMIT_FIRST,
    .rank = skeleton_rank,
};
