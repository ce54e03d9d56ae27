/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls of people would break the promise that no wire is overloaded. */
#ifndef PROTO_OCPP16_GUARD_H
#define PROTO_OCPP16_GUARD_H

#include "proto/ocpp_schema.h"

/* The guard of struct ocpp_schema, for OCPP 1.6. */
bool ocpp16_guard(const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY]);

#endif
