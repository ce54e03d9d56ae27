/* SPDX-License-Identifier: Apache-2.0 */
/* The table of policies. */
#include <stddef.h>
#include <string.h>

#include "policy.h"

#define FOR_EVER_MS INT64_C(1000000000000) /* nobody waits 30 years */

/* One line for each, in the order in which people see them; the first is the default.
 */
#define POLICIES(X)                                                                    \
    X(equal)                                                                           \
    X(weighted)                                                                        \
    X(priority)                                                                        \
    X(fcfs)                                                                            \
    X(edf)                                                                             \
    X(llf)                                                                             \
    X(sllf)                                                                            \
    X(energy_fair)

#define DECLARE(id) extern const struct policy policy_##id;
#define ENTRY(id) &policy_##id,

POLICIES(DECLARE)

const struct policy *const policies[] = {POLICIES(ENTRY) NULL};

int64_t policy_offset(int64_t ma)
{
    const int64_t most = INT64_C(1) << 35;

    return ma > most ? most : ma < -most ? -most : ma;
}

int64_t policy_rotation(const struct policy_car *car)
{
    return car->turns * FOR_EVER_MS - car->waited_ms;
}

const struct policy *policy_by_name(const char *name)
{
    for (int i = 0; policies[i]; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    return NULL;
}
