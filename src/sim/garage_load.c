/* SPDX-License-Identifier: Apache-2.0 */
/* What the apartments above the simulated garage draw. */
#include "sim/garage_load.h"

#include <stddef.h>

#include "sim/rng.h"

enum { CYCLE_MS = 60000, NOISE_MS = 1000 };

/* Within a cycle, from one time to another; with a period it is on for `on_ms` of it,
 * like a hob's thermostat. */
static const struct {
    int from_ms, to_ms;
    int period_ms, on_ms;
    int32_t i_ma[SITE_PHASES];
} things[] = {
    {0, 60000, 0, 0, {5000, 4500, 5500}},     /* all that is always on */
    {18000, 25000, 0, 0, {8700, 0, 0}},       /* a kettle */
    {20000, 27000, 0, 0, {0, 7000, 5000}},    /* an oven */
    {21000, 26000, 0, 0, {6500, 6500, 6500}}, /* a heat pump */
    {45000, 59000, 6000, 4000, {0, 5000, 0}}, /* a hob */
};

/* Small things go on and off all the time: up to 0.6 A, new each second. */
static int32_t noise(int64_t t_ms, uint64_t seed, int phase)
{
    struct sim_rng r = sim_rng_stream(seed, (uint64_t)(t_ms / NOISE_MS) * SITE_PHASES +
                                                (uint64_t)phase);

    return (int32_t)sim_rng_between(&r, 0, 600);
}

void garage_load(int64_t t_ms, uint64_t seed, int32_t i_ma[SITE_PHASES])
{
    int at_ms = (int)(t_ms % CYCLE_MS);

    for (int p = 0; p < SITE_PHASES; p++)
        i_ma[p] = noise(t_ms, seed, p);
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        if (at_ms < things[i].from_ms || at_ms >= things[i].to_ms)
            continue;
        if (things[i].period_ms &&
            (at_ms - things[i].from_ms) % things[i].period_ms >= things[i].on_ms)
            continue;
        for (int p = 0; p < SITE_PHASES; p++)
            i_ma[p] += things[i].i_ma[p];
    }
}
