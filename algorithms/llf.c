/* SPDX-License-Identifier: Apache-2.0 */
/* llf, least laxity first: who could wait least and still leave with all it wants is
 * served in full before the next one. Laxity counts in steps, or cars with the same
 * would take the current from each other all the time. */
#include "laxity.h"

enum { STEP_MS = 600000 };

static void llf_rank(const struct policy_car *car, struct share_car *out)
{
    int32_t ms = laxity_ms(car);

    out->tier = ms / STEP_MS;
    if (laxity_energy_wh(car) == 0)
        out->tier = INT32_MAX; /* has what was wished for */
    out->weight = 1;
    out->offset_ma = 0;
    out->turn = ms;
}

extern const struct policy policy_llf;
const struct policy policy_llf = {
    .name = "llf",
    .help = "least laxity first: who can wait least is served first",
    .admission = SHARE_FILL_DROP,
    .rank = llf_rank,
};
