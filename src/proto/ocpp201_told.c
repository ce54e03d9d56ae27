/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1: what stations are told. */
#include <stdio.h>
#include <string.h>

#include "proto/ocpp201.h"

/* ---- limits */

static const char *const purposes[] = {
    [OCPP_TX_DEFAULT] = "TxDefaultProfile",
    [OCPP_TX] = "TxProfile",
    [OCPP_MAX] = "ChargingStationMaxProfile",
};

/* A schedule has an id of its own here: that of its profile. */
void ocpp201_write_profile(char *out, const struct ocpp_profile *p)
{
    char transaction[64] = "", duration[32] = "", start[48] = "",
         periods[OCPP_PERIODS_TEXT];

    if (p->purpose == OCPP_TX)
        snprintf(transaction, sizeof transaction, "\"transactionId\":\"%s\",",
                 p->transaction_name);
    if (p->duration_s > 0)
        snprintf(duration, sizeof duration, "\"duration\":%d,", (int)p->duration_s);
    if (p->kind == OCPP_ABSOLUTE)
        snprintf(start, sizeof start, "\"startSchedule\":\"%s\",", p->start);
    ocpp_write_periods(periods, p);
    snprintf(out, OCPP_PROFILE_TEXT,
             "{\"evseId\":%d,\"chargingProfile\":{\"id\":%d,\"stackLevel\":%d,"
             "\"chargingProfilePurpose\":\"%s\",\"chargingProfileKind\":\"%s\",%s"
             "\"chargingSchedule\":[{\"id\":%d,%s%s\"chargingRateUnit\":\"%s\","
             "\"chargingSchedulePeriod\":[%s]}]}}",
             (int)p->connector, (int)p->id, (int)p->level, purposes[p->purpose],
             ocpp_kind_word(p->kind), transaction, (int)p->id, duration, start,
             p->watts ? "W" : "A", periods);
}

void ocpp201_write_clear(char *out, enum ocpp_purpose purpose, int32_t level)
{
    char at[32] = "";

    if (level >= 0)
        snprintf(at, sizeof at, ",\"stackLevel\":%d", (int)level);
    snprintf(out, OCPP_CALL_TEXT,
             "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":\"%s\"%s}}",
             purposes[purpose], at);
}

void ocpp201_write_clear_id(char *out, int32_t id)
{
    snprintf(out, OCPP_CALL_TEXT, "{\"chargingProfileId\":%d}", (int)id);
}

/* A status is one of a plug. */
void ocpp201_write_trigger(char *out, const char *message, int32_t connector,
                           int32_t plug)
{
    char evse[64] = "", of[32] = "";

    if (strcmp(message, "StatusNotification") == 0)
        snprintf(of, sizeof of, ",\"connectorId\":%d", plug > 0 ? (int)plug : 1);
    if (connector > 0)
        snprintf(evse, sizeof evse, ",\"evse\":{\"id\":%d%s}", (int)connector, of);
    snprintf(out, OCPP_CALL_TEXT, "{\"requestedMessage\":\"%s\"%s}", message, evse);
}

const char *ocpp201_write_stop(char *out, int32_t transaction, const char *name)
{
    (void)transaction;
    snprintf(out, OCPP_CALL_TEXT, "{\"transactionId\":\"%s\"}", name);
    return "RequestStopTransaction";
}
