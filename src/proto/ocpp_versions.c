/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of OCPP that are spoken here, the best one first. */
#include "proto/ocpp_versions.h"

#include <string.h>

#include "proto/ocpp16_schema.h"
#include "proto/ocpp201.h"

const struct ocpp_schema *const ocpp_schemas[] = {&ocpp201_schema, &ocpp16_schema,
                                                  NULL};

const char *const ocpp_version_words[] = {"auto", OCPP201_VERSION, OCPP16_VERSION,
                                          NULL};

const struct ocpp_schema *ocpp_schema_named(const char *subprotocol)
{
    const struct ocpp_schema *const *s = ocpp_schemas;

    while (s[1] && strcmp((*s)->subprotocol, subprotocol) != 0)
        s++;
    return *s;
}

static bool offers(const char *list, const char *wanted)
{
    size_t len = strlen(wanted), n;

    for (; *list; list += n) {
        list += strspn(list, ", \t");
        n = strcspn(list, ", \t");
        if (n == len && strncmp(list, wanted, len) == 0)
            return true;
    }
    return false;
}

const struct ocpp_schema *ocpp_schema_choose(const char *list, const char *only)
{
    for (const struct ocpp_schema *const *s = ocpp_schemas; *s; s++)
        if (list ? (!only || strcmp((*s)->version, only) == 0) &&
                       offers(list, (*s)->subprotocol)
                 : only && strcmp((*s)->version, only) == 0)
            return *s;
    return list ? NULL : ocpp_schema_named("");
}
