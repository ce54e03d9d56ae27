/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand ocpp: what it shows. Inside src/cmd/ocpp*.c only. */
#ifndef CMD_OCPP_H
#define CMD_OCPP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* The chargers as a table. */
void ocpp_show_list(FILE *to, const cJSON *chargers);
/* What the probe of a charger has found; false = something that should not be. */
bool ocpp_show_probe(FILE *to, const cJSON *report);
/* The actions of people, or the fields of one; false = there is none of that name. */
bool ocpp_show_actions(FILE *to, const char *action);

#endif
