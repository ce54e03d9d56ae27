/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of OCPP that are spoken here, the best one first. */
#include "proto/ocpp16_schema.h"

const struct ocpp_schema *const ocpp_schemas[] = {&ocpp16_schema, NULL};
