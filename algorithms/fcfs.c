/* SPDX-License-Identifier: Apache-2.0 */
/* fcfs: who came first is served in full before the next one. Minimums of those who
 * came later do not take from it, therefore it fills first and drops who has too
 * little. */
#include "policy.h"

static void fcfs_rank(const struct policy_car *car, struct share_car *out)
{
    int64_t ms = car->arrived_ms < INT32_MAX ? car->arrived_ms : INT32_MAX;

    out->tier = (int32_t)-ms;
    out->weight = 1;
    out->offset_ma = 0;
    out->turn = -car->arrived_ms;
}

extern const struct policy policy_fcfs;
const struct policy policy_fcfs = {
    .name = "fcfs",
    .help = "first come, first served",
    .admission = SHARE_FILL_DROP,
    .rank = fcfs_rank,
};
