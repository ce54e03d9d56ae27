/* SPDX-License-Identifier: Apache-2.0 */
/* A policy ranks the cars; the kernel (src/core/share.h) shares the amperes out.
 * A new policy is one file with one `const struct policy` and one line in policy.c. */
#ifndef ALGORITHMS_POLICY_H
#define ALGORITHMS_POLICY_H

#include "../src/core/event.h"
#include "../src/core/share.h"

/* What a policy may look at, per car that wants energy. Times are relative to now. */
struct policy_car {
    int32_t priority;   /* 0 .. 10 */
    int32_t weight;     /* 1 .. 1000 */
    int64_t waited_ms;  /* for its turn; 0 = it has had it, or nobody waits */
    int64_t arrived_ms; /* since its session began */
    int32_t turns;      /* it has had while others waited; only differences count */
    int32_t had_wh;     /* energy since its session began */
    int64_t departs_ms; /* until it leaves; INT64_MAX = not told */
    int32_t energy_wh;  /* still wanted; EVENT_NO_VALUE = not told */
    int32_t min_ma;     /* with less it does not charge */
    int32_t max_ma;     /* what it can take */
    int n_phases;       /* that it loads, 1 .. 3 */
    int32_t voltage_mv;
};

struct policy {
    const char *name;
    const char *help; /* one line */
    enum share_admission admission;
    /* Sets tier, weight and offset of the car; see struct share_car. */
    void (*rank)(const struct policy_car *car, struct share_car *out);
};

extern const struct policy
    *const policies[]; /* ends with NULL; the first is the default */

/* An offset within the range of the kernel; beyond it a car is at its bounds anyway. */
int64_t policy_offset(int64_t ma);

/* `turn` for policies under which cars take turns: who has had fewest is the next, of
 * those with as many who has waited longest. */
int64_t policy_rotation(const struct policy_car *car);

/* NULL when there is none of that name. */
const struct policy *policy_by_name(const char *name);

#endif
