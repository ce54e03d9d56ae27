/* SPDX-License-Identifier: Apache-2.0 */
/* SetChargingProfile: building it, and what its answer means. */
#include "proto/ocpp16_profile.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>

int32_t ocpp16_limit(int32_t ma, bool watts, int32_t voltage_mv, int phases)
{
    if (ma <= 0)
        return 0;
    if (watts)
        return (int32_t)((int64_t)ma * voltage_mv * phases / 1000000);
    return ma / 100;
}

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

static int write_periods(char *out, size_t size, const struct ocpp16_profile *p)
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

void ocpp16_write_profile(char *out, const struct ocpp16_profile *p)
{
    static const char *const purposes[] = {
        [OCPP16_TX_DEFAULT] = "TxDefaultProfile",
        [OCPP16_TX] = "TxProfile",
        [OCPP16_MAX] = "ChargePointMaxProfile",
    };
    char transaction[40] = "", duration[32] = "", start[48] = "", periods[128];

    if (p->purpose == OCPP16_TX)
        snprintf(transaction, sizeof transaction, "\"transactionId\":%d,",
                 (int)p->transaction);
    if (p->duration_s > 0)
        snprintf(duration, sizeof duration, "\"duration\":%d,", (int)p->duration_s);
    if (!p->relative)
        snprintf(start, sizeof start, "\"startSchedule\":\"%s\",", p->start);
    write_periods(periods, sizeof periods, p);
    snprintf(out, OCPP16_PROFILE,
             "{\"connectorId\":%d,\"csChargingProfiles\":{\"chargingProfileId\":%d,"
             "%s\"stackLevel\":%d,\"chargingProfilePurpose\":\"%s\","
             "\"chargingProfileKind\":\"%s\",\"chargingSchedule\":{%s%s"
             "\"chargingRateUnit\":\"%s\",\"chargingSchedulePeriod\":[%s]}}}",
             (int)p->connector, (int)p->id, transaction, (int)p->level,
             purposes[p->purpose], p->relative ? "Relative" : "Absolute", duration,
             start, p->watts ? "W" : "A", periods);
}

enum ocpp16_verdict ocpp16_profile_status(const char *status)
{
    if (!status)
        return OCPP16_UNCLEAR;
    if (strcasecmp(status, "Accepted") == 0)
        return OCPP16_ACCEPTED;
    if (strcasecmp(status, "Rejected") == 0)
        return OCPP16_REFUSED;
    if (strcasecmp(status, "NotSupported") == 0)
        return OCPP16_UNSUPPORTED;
    return OCPP16_UNCLEAR;
}

enum ocpp16_verdict ocpp16_profile_error(const char *code)
{
    static const struct {
        const char *code;
        enum ocpp16_verdict verdict;
    } codes[] = {
        {"NotSupported", OCPP16_UNSUPPORTED},
        {"NotImplemented", OCPP16_UNSUPPORTED},
        {"FormationViolation", OCPP16_REFUSED},
        {"FormatViolation", OCPP16_REFUSED},
        {"PropertyConstraintViolation", OCPP16_REFUSED},
        {"OccurenceConstraintViolation", OCPP16_REFUSED},
        {"OccurrenceConstraintViolation", OCPP16_REFUSED},
        {"TypeConstraintViolation", OCPP16_REFUSED},
        {"SecurityError", OCPP16_REFUSED},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcasecmp(codes[i].code, code) == 0)
            return codes[i].verdict;
    return OCPP16_UNCLEAR;
}
