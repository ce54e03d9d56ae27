/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of OCPP 1.6 (edition 2 with errata 4) and of its security whitepaper
 * (edition 2): who asks what, with which fields, and what is answered. */
#ifndef PROTO_OCPP16_SCHEMA_H
#define PROTO_OCPP16_SCHEMA_H

#include "proto/ocpp_schema.h"

#define OCPP16_VERSION "1.6"
extern const struct ocpp_schema ocpp16_schema;

#endif
