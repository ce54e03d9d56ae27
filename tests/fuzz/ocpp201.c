/* SPDX-License-Identifier: Apache-2.0 */
/* As ocpp.c, for chargers of OCPP 2.0.1. */
#define SUBPROTOCOL "ocpp2.0.1"
#include "ocpp.c"
