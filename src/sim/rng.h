/* SPDX-License-Identifier: Apache-2.0 */
/* The simulation's own random numbers: the same seed gives the same run everywhere. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdint.h>

struct sim_rng {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014): any seed will do. */
static inline uint64_t sim_rng_next(struct sim_rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* lo .. hi, both included. */
static inline int64_t sim_rng_between(struct sim_rng *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(sim_rng_next(r) % (uint64_t)(hi - lo + 1));
}

/* A stream of its own, so that what one thing draws does not change another. */
static inline struct sim_rng sim_rng_stream(uint64_t seed, uint64_t stream)
{
    struct sim_rng r = {seed};

    r.state = sim_rng_next(&r) ^ (stream * 0xd1342543de82ef95u);
    return r;
}

#endif
