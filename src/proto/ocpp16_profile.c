/* SPDX-License-Identifier: Apache-2.0 */
/* SetChargingProfile (section 5.16). */
#include "proto/ocpp16.h"

#include <stdio.h>

static const char *const purposes[] = {
    [OCPP_TX_DEFAULT] = "TxDefaultProfile",
    [OCPP_TX] = "TxProfile",
    [OCPP_MAX] = "ChargePointMaxProfile",
};

/* Tenths with at most one digit and no ".0": multipleOf 0.1 in the schema. */
static void write_limit(char out[16], bool watts, int32_t limit)
{
    if (watts)
        snprintf(out, 16, "%d", (int)limit);
    else if (limit % 10 == 0)
        snprintf(out, 16, "%d", (int)(limit / 10));
    else
        snprintf(out, 16, "%d.%d", (int)(limit / 10), (int)(limit % 10));
}

static int write_periods(char *out, size_t size, const struct ocpp_profile *p)
{
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        char limit[16], phases[32] = "";

        if (i == 0 && p->phases > 0)
            snprintf(phases, sizeof phases, ",\"numberPhases\":%d", p->phases);
        write_limit(limit, p->watts, p->period[i].limit);
        n +=
            snprintf(out + n, size - (size_t)n, "%s{\"startPeriod\":%d,\"limit\":%s%s}",
                     i ? "," : "", (int)p->period[i].start_s, limit, phases);
    }
    return n;
}

void ocpp16_write_profile(char *out, const struct ocpp_profile *p)
{
    char transaction[40] = "", duration[32] = "", start[48] = "", periods[128];

    if (p->purpose == OCPP_TX)
        snprintf(transaction, sizeof transaction, "\"transactionId\":%d,",
                 (int)p->transaction);
    if (p->duration_s > 0)
        snprintf(duration, sizeof duration, "\"duration\":%d,", (int)p->duration_s);
    if (!p->relative)
        snprintf(start, sizeof start, "\"startSchedule\":\"%s\",", p->start);
    write_periods(periods, sizeof periods, p);
    snprintf(out, OCPP_PROFILE_TEXT,
             "{\"connectorId\":%d,\"csChargingProfiles\":{\"chargingProfileId\":%d,"
             "%s\"stackLevel\":%d,\"chargingProfilePurpose\":\"%s\","
             "\"chargingProfileKind\":\"%s\",\"chargingSchedule\":{%s%s"
             "\"chargingRateUnit\":\"%s\",\"chargingSchedulePeriod\":[%s]}}}",
             (int)p->connector, (int)p->id, transaction, (int)p->level,
             purposes[p->purpose], p->relative ? "Relative" : "Absolute", duration,
             start, p->watts ? "W" : "A", periods);
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

const char *ocpp16_write_stop(char *out, int32_t transaction)
{
    snprintf(out, OCPP_CALL_TEXT, "{\"transactionId\":%d}", (int)transaction);
    return "RemoteStopTransaction";
}
