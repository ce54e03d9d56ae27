/* SPDX-License-Identifier: Apache-2.0 */
/* What the apartments above the simulated garage draw: it rises and falls within a
 * minute, so that balancing can be watched. */
#ifndef SIM_GARAGE_LOAD_H
#define SIM_GARAGE_LOAD_H

#include "core/site.h"

/* At t_ms after the start, in mA on L1 L2 L3. The same for the same time and seed. */
void garage_load(int64_t t_ms, uint64_t seed, int32_t i_ma[SITE_PHASES]);

#endif
