/* SPDX-License-Identifier: Apache-2.0 */
/* edf, earliest deadline first: who leaves first is served in full before the next one.
 * It completes more sessions than any other policy here. Minimums of cars with time
 * would take from those without, therefore it fills first and drops. */
#include "laxity.h"

static void edf_rank(const struct policy_car *car, struct share_car *out)
{
    int64_t ms = laxity_departs_ms(car);

    out->tier = ms < INT32_MAX ? (int32_t)ms : INT32_MAX - 1;
    if (laxity_energy_wh(car) == 0)
        out->tier = INT32_MAX; /* has what was wished for */
    out->weight = 1;
    out->offset_ma = 0;
    out->turn = laxity_ms(car);
}

extern const struct policy policy_edf;
const struct policy policy_edf = {
    .name = "edf",
    .help = "earliest deadline first: who leaves first is served first",
    .admission = SHARE_FILL_DROP,
    .rank = edf_rank,
};
