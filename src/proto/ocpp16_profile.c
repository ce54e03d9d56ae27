/* SPDX-License-Identifier: Apache-2.0 */
/* SetChargingProfile (section 5.16). */
#include "proto/ocpp16.h"

#include <stdio.h>

static const char *const purposes[] = {
    [OCPP_TX_DEFAULT] = "TxDefaultProfile",
    [OCPP_TX] = "TxProfile",
    [OCPP_MAX] = "ChargePointMaxProfile",
};

void ocpp16_write_profile(char *out, const struct ocpp_profile *p)
{
    char transaction[40] = "", duration[32] = "", start[48] = "",
         periods[OCPP_PERIODS_TEXT];

    if (p->purpose == OCPP_TX)
        snprintf(transaction, sizeof transaction, "\"transactionId\":%d,",
                 (int)p->transaction);
    if (p->duration_s > 0)
        snprintf(duration, sizeof duration, "\"duration\":%d,", (int)p->duration_s);
    if (p->kind == OCPP_ABSOLUTE)
        snprintf(start, sizeof start, "\"startSchedule\":\"%s\",", p->start);
    ocpp_write_periods(periods, p);
    snprintf(out, OCPP_PROFILE_TEXT,
             "{\"connectorId\":%d,\"csChargingProfiles\":{\"chargingProfileId\":%d,"
             "%s\"stackLevel\":%d,\"chargingProfilePurpose\":\"%s\","
             "\"chargingProfileKind\":\"%s\",\"chargingSchedule\":{%s%s"
             "\"chargingRateUnit\":\"%s\",\"chargingSchedulePeriod\":[%s]}}}",
             (int)p->connector, (int)p->id, transaction, (int)p->level,
             purposes[p->purpose], ocpp_kind_word(p->kind), duration, start,
             p->watts ? "W" : "A", periods);
}

void ocpp16_write_clear(char *out, enum ocpp_purpose purpose, int32_t level)
{
    char at[32] = "";

    if (level >= 0)
        snprintf(at, sizeof at, ",\"stackLevel\":%d", (int)level);
    snprintf(out, OCPP_CALL_TEXT, "{\"chargingProfilePurpose\":\"%s\"%s}",
             purposes[purpose], at);
}

void ocpp16_write_clear_id(char *out, int32_t id)
{
    snprintf(out, OCPP_CALL_TEXT, "{\"id\":%d}", (int)id);
}

const char *ocpp16_write_stop(char *out, int32_t transaction, const char *name)
{
    (void)name;
    snprintf(out, OCPP_CALL_TEXT, "{\"transactionId\":%d}", (int)transaction);
    return "RemoteStopTransaction";
}
