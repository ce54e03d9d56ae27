/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to chargers that are the same in all versions. */
#include "proto/ocpp_said.h"

#include <stdio.h>
#include <string.h>

void ocpp_conf_boot(char *out, const char *now, int32_t interval_s)
{
    snprintf(out, OCPP_CONF_TEXT,
             "{\"currentTime\":\"%s\",\"interval\":%d,\"status\":\"Accepted\"}", now,
             (int)interval_s);
}

void ocpp_conf_heartbeat(char *out, const char *now)
{
    snprintf(out, OCPP_CONF_TEXT, "{\"currentTime\":\"%s\"}", now);
}

void ocpp_conf_status(char *out, const char *status)
{
    snprintf(out, OCPP_CONF_TEXT, "{\"status\":\"%s\"}", status);
}

void ocpp_conf_empty(char *out)
{
    strcpy(out, "{}");
}
