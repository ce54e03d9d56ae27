/* SPDX-License-Identifier: Apache-2.0 */
/* The table of policies. */
#include <stddef.h>
#include <string.h>

#include "policy.h"

extern const struct policy policy_equal;
extern const struct policy policy_weighted;

const struct policy *const policies[] = {
    &policy_equal,
    &policy_weighted,
    NULL,
};

const struct policy *policy_by_name(const char *name)
{
    for (int i = 0; policies[i]; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return policies[i];
    return NULL;
}
