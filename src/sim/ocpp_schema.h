/* SPDX-License-Identifier: Apache-2.0 */
/* A strict look at the calls that a central system makes to a charge point (OCPP 1.6,
 * core, smart charging, remote trigger): fields that must be there, their types and
 * words, and no others. */
#ifndef SIM_OCPP_SCHEMA_H
#define SIM_OCPP_SCHEMA_H

#include <cjson/cJSON.h>
#include <stddef.h>

/* NULL when the payload of the call is as it should be; else the code for a CALLERROR,
 * and in `why` what is wrong. An unknown action is NotImplemented. */
const char *ocpp_schema_fault(const char *action, const cJSON *payload, char *why,
                              size_t size);

#endif
