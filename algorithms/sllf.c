/* SPDX-License-Identifier: Apache-2.0 */
/* sllf, smoothed least laxity first: shares out so that the smallest laxity a moment
 * from now is as large as can be (Chen, Kurniawan, Nakahira, Chen, Low, arXiv
 * 2102.08610).
 *
 * A car with the maximum R and the laxity l has l - T + T x / R after the moment T with
 * the current x. All the same level L: x = R L / T - R (l - T) / T. */
#include "laxity.h"

enum { MOMENT_MS = 300000, WEIGHT_MA = 100 };

static void sllf_rank(const struct policy_car *car, struct share_car *out)
{
    int64_t ms = laxity_ms(car);

    out->tier = laxity_energy_wh(car) == 0; /* has what was wished for: last */
    out->weight = car->max_ma >= WEIGHT_MA ? car->max_ma / WEIGHT_MA : 1;
    out->offset_ma = policy_offset(-car->max_ma * (ms - MOMENT_MS) / MOMENT_MS);
    out->turn = ms;
}

extern const struct policy policy_sllf;
const struct policy policy_sllf = {
    .name = "sllf",
    .help = "smoothed least laxity first: the most energy, with few starts",
    .admission = SHARE_FILL_DROP,
    .rank = sllf_rank,
};
