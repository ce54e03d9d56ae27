/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel of every policy: shares currents out on a tree of limits.
 *
 * A problem is a set of cars, each a leaf of the tree with the phases it loads, bounds
 * and a rank. The current of a car at level L is clamp(offset + weight * L, min, max).
 * The level rises until a row (a phase of a circuit, or its power limit) on the car's
 * way to the root is full, or its maximum is reached; there the car stays while the
 * others go on. That is lexicographic weighted max-min fairness, exact on a tree
 * (Radunovic and Le Boudec, IEEE/ACM ToN 2007).
 *
 * Tiers are served one after the other, but minimums come first, as enum
 * share_admission tells. What is left when currents have been rounded down to steps is
 * handed out a step at a time, so that at the end nobody who charges could have a step
 * more. Only a limit on the difference between phases makes the answer less than
 * max-min fair: there is no free disposal, a car less on one phase can mean less on
 * another. It always holds. */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include <stddef.h>
#include "order.h"

/* Rows of a circuit: its three phases; its power limit expressed as the sum of the
 * currents of all phases (mA) at its voltage; and what there is of the sun's surplus,
 * again as a sum over all phases: on that row only what a car takes above its sun_ma
 * counts. */
enum { SHARE_POWER = SITE_PHASES, SHARE_SOLAR, SHARE_ROWS };

/* Who gets anything when the minimums do not fit. */
enum share_admission {
    SHARE_ADMIT_FIRST, /* in order (those that are held, tier, turn, index), each with
                          its minimum; the rest is shared */
    SHARE_FILL_DROP /* only those that are held have their minimum from the start; what
                       is left is shared as if there were no minimums; of those who end
                       between 0 and theirs the last in order is dropped, and so on */
};

#define SHARE_NO_LIMIT INT64_MAX
#define SHARE_NO_SUN INT32_MAX

struct share_car {
    /* the problem */
    int16_t circuit;
    uint8_t phases; /* bit mask of site phases it loads */
    bool held;      /* is on and is to stay on: admitted before all others */
    int32_t min_ma; /* 0 = none */
    int32_t max_ma;
    int32_t step_ma;   /* the answer is a multiple of it, or 0; >= 1 */
    int32_t tier;      /* lower is served first */
    int32_t weight;    /* 1 .. 2^20 */
    int64_t offset_ma; /* may be negative: it joins later; within +-2^35 */
    int32_t sun_ma;    /* above it, it lives on the sun; SHARE_NO_SUN = not at all */
    int64_t turn;      /* lower is admitted first among those of its tier */
    /* the answer */
    int32_t current_ma; /* 0, or min_ma .. max_ma */
    struct why why;     /* MAX, CIRCUIT, POWER, SOLAR, UNBALANCE or WAITING */
};

struct share_tree {
    int n_circuits;
    int *parent; /* SITE_NONE for the root; parents before children */
    int64_t (*room_ma)[SHARE_ROWS]; /* what is to be shared out; SHARE_NO_LIMIT */
    int32_t *unbalance_ma; /* allowed difference between the phases' sums; 0 = any */
};

/* Bytes of scratch memory that share() and share_check() need. */
size_t share_size(int n_circuits, int n_cars);

/* Solves it. `scratch` is aligned as malloc does and holds nothing between two calls.
 *
 * Cost: n log n for n cars on a tree of bounded depth. With SHARE_FILL_DROP that is the
 * cost of a round. A round drops all those of a full row for whom it surely has no
 * minimum, at least one for each full row: a few rounds for 100 cars, about ten for
 * 10,000; as many as there are cars at worst. */
void share(const struct share_tree *t, struct share_car *cars, int n,
           enum share_admission how, void *scratch);

/* Independent of share(): cuts cars until no row is over its room, no difference
 * between phases over what is allowed, and each set point is 0 or a step between its
 * minimum and its maximum. Returns how many cars it had to cut: 0 unless share() is
 * wrong. Cost: n plus circuits while nothing is wrong. */
int share_check(const struct share_tree *t, struct share_car *cars, int n,
                void *scratch);

#endif
