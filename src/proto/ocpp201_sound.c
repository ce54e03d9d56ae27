/* SPDX-License-Identifier: Apache-2.0 */
/* What a strict station of OCPP 2.0.1 looks at before it takes a charging profile (use
 * case K01), as far as the profile alone and what the station has told show it. */
#include <stdio.h>
#include <string.h>

#include "proto/ocpp201.h"

static int32_t number(const cJSON *o, const char *name, int32_t absent)
{
    const cJSON *v = ocpp_get(o, name);

    return v ? (int32_t)v->valuedouble : absent;
}

static bool is(const cJSON *o, const char *name, const char *value)
{
    const char *text = cJSON_GetStringValue(ocpp_get(o, name));

    return text && strcmp(text, value) == 0;
}

static const char *bad_phases(const cJSON *period, int evse,
                              const struct ocpp_config *c)
{
    int32_t phase = number(period, "phaseToUse", 0);

    if (!ocpp_get(period, "phaseToUse"))
        return NULL;
    if (number(period, "numberPhases", 3) != 1 || phase < 1 || phase > 3)
        return "phaseToUse: is 1 to 3, and goes with numberPhases 1";
    return c && ocpp_config_chooses(c, evse > 0 ? evse : 1)
               ? NULL
               : "phaseToUse: the station cannot choose the phase there";
}

static const char *bad_periods(const cJSON *schedule, int evse,
                               const struct ocpp_config *c)
{
    const cJSON *periods = ocpp_get(schedule, "chargingSchedulePeriod"), *item;
    int32_t last = -1;

    if (c && c->max_periods > 0 && cJSON_GetArraySize(periods) > c->max_periods)
        return "chargingSchedulePeriod: the station takes fewer of them";
    cJSON_ArrayForEach(item, periods)
    {
        int32_t start = number(item, "startPeriod", 0);
        const char *why = bad_phases(item, evse, c);

        if (start <= last || (last < 0 && start != 0))
            return "startPeriod: the first is 0, each one later than the one before";
        if (why)
            return why;
        last = start;
    }
    return NULL;
}

static const char *bad_schedules(const cJSON *p, int evse, const struct ocpp_config *c)
{
    bool relative = is(p, "chargingProfileKind", "Relative");
    const cJSON *item;

    cJSON_ArrayForEach(item, ocpp_get(p, "chargingSchedule"))
    {
        bool watts = is(item, "chargingRateUnit", "W");
        const char *why = bad_periods(item, evse, c);

        if (!relative && !ocpp_get(item, "startSchedule"))
            return "startSchedule: is missing";
        if (relative && ocpp_get(item, "startSchedule"))
            return "startSchedule: a Relative profile has none";
        if (c && c->unit_known && !(watts ? c->watts : c->amps))
            return "chargingRateUnit: the station does not take it";
        if (why)
            return why;
    }
    return NULL;
}

static const char *bad_purpose(const cJSON *p, int evse)
{
    bool tx = is(p, "chargingProfilePurpose", "TxProfile");

    if (is(p, "chargingProfilePurpose", "ChargingStationExternalConstraints"))
        return "chargingProfilePurpose: this one is for others than central systems";
    if (tx && (evse <= 0 || !ocpp_get(p, "transactionId")))
        return "transactionId: a TxProfile belongs to a transaction on an EVSE";
    if (!tx && ocpp_get(p, "transactionId"))
        return "transactionId: goes with a TxProfile only";
    if (!is(p, "chargingProfilePurpose", "ChargingStationMaxProfile"))
        return NULL;
    return evse != 0 ? "evseId: a ChargingStationMaxProfile belongs on 0"
           : is(p, "chargingProfileKind", "Relative")
               ? "chargingProfileKind: a ChargingStationMaxProfile is not Relative"
               : NULL;
}

const char *ocpp201_unsound(const cJSON *request, const struct ocpp_config *c)
{
    const cJSON *p = ocpp_get(request, "chargingProfile");
    int evse = number(request, "evseId", 0);
    bool recurring = is(p, "chargingProfileKind", "Recurring");
    const char *why = bad_purpose(p, evse);

    if (why)
        return why;
    if (c && c->max_level >= 0 && number(p, "stackLevel", 0) > c->max_level)
        return "stackLevel: the station has none so high";
    if (recurring != (ocpp_get(p, "recurrencyKind") != NULL))
        return "recurrencyKind: goes with Recurring, and only with it";
    return bad_schedules(p, evse, c);
}
