/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls of people would break the promise: those that take the place of our
 * profiles, outrank or remove them. A limit for the whole charger
 * (ChargePointMaxProfile on connector 0) counts besides ours, the lower of the two
 * holds: it can do no harm. */
#include "proto/ocpp16.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool refuse(char why[OCPP_WHY], const char *text)
{
    snprintf(why, OCPP_WHY, "%s", text);
    return false;
}

static const cJSON *at(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static int number(const cJSON *o, const char *name, int absent)
{
    const cJSON *v = at(o, name);

    return v ? (int)v->valuedouble : absent;
}

static const char *text(const cJSON *o, const char *name)
{
    const char *t = cJSON_GetStringValue(at(o, name));

    return t ? t : "";
}

/* A charger that switches phases may take it for all its profiles (Q26): ours in W
 * would then be many amperes on one. */
static bool names_phases(const cJSON *periods)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, periods)
    {
        if (at(item, "numberPhases"))
            return true;
    }
    return false;
}

/* Begins at 0 and goes on: what every charger wants (and 2.x writes down). */
static bool ascends(const cJSON *periods)
{
    const cJSON *item;
    int last = -1;

    cJSON_ArrayForEach(item, periods)
    {
        int start = number(item, "startPeriod", 0);

        if (start <= last || (last < 0 && start != 0))
            return false;
        last = start;
    }
    return true;
}

static bool set_profile(const cJSON *o, const struct ocpp_ours *ours, unsigned *effects,
                        char why[OCPP_WHY])
{
    const cJSON *p = at(o, "csChargingProfiles");
    const cJSON *periods = at(at(p, "chargingSchedule"), "chargingSchedulePeriod");
    const char *kind = text(p, "chargingProfileKind");
    bool recurring = strcmp(kind, "Recurring") == 0;

    (void)effects;
    if (strcmp(text(p, "chargingProfilePurpose"), "ChargePointMaxProfile") != 0)
        return refuse(why, "limits of connectors come from Chargehand, and this one "
                           "would take their place; lower them by the site file or "
                           "over MQTT, or set a ChargePointMaxProfile on connector 0");
    if (number(o, "connectorId", 0) != 0)
        return refuse(why, "connectorId: a ChargePointMaxProfile belongs on 0");
    if (ours->whole_max)
        return refuse(why, "this charger takes Chargehand's limits only as "
                           "ChargePointMaxProfile: yours would take their place");
    if (number(p, "chargingProfileId", 0) < OCPP_OUR_IDS)
        return refuse(why, "chargingProfileId: Chargehand uses this id itself, "
                           "choose one from 1000 on");
    if (number(p, "stackLevel", 0) != 0)
        return refuse(why, "stackLevel: with any but 0 it would outrank Chargehand's, "
                           "if one is needed there some day");
    if (strcmp(kind, "Relative") == 0)
        return refuse(why, "chargingProfileKind: a ChargePointMaxProfile is not "
                           "Relative");
    if (recurring != (at(p, "recurrencyKind") != NULL))
        return refuse(why, "recurrencyKind: goes with Recurring, and only with it");
    if (names_phases(periods))
        return refuse(why, "numberPhases: leave it out, the charger may take it for "
                           "Chargehand's limits, too");
    if (!ascends(periods))
        return refuse(why, "startPeriod: the first is 0, each one later than the one "
                           "before");
    return true;
}

/* What may meet ours is not sent: until they are told anew nothing would limit it. */
static bool clear_profile(const cJSON *o, const struct ocpp_ours *ours,
                          unsigned *effects, char why[OCPP_WHY])
{
    const char *purpose = text(o, "chargingProfilePurpose");
    bool max = strcmp(purpose, "ChargePointMaxProfile") == 0;

    *effects = OCPP_LIMITS;
    if (at(o, "id")
            ? number(o, "id", 0) >= OCPP_OUR_IDS
            : (max && !ours->whole_max) || number(o, "stackLevel", 0) > ours->top_level)
        return true;
    return refuse(why, "this would remove the limits that Chargehand keeps there, and "
                       "the charger would take what it likes; name an id from 1000 "
                       "on, a stackLevel above Chargehand's, or the purpose "
                       "ChargePointMaxProfile");
}

static bool remote_start(const cJSON *o, const struct ocpp_ours *ours,
                         unsigned *effects, char why[OCPP_WHY])
{
    (void)ours;
    (void)effects;
    if (at(o, "chargingProfile"))
        return refuse(why, "chargingProfile: limits come from Chargehand");
    return true;
}

/* Keys of the standard do not touch limits. What those of vendors do, nobody knows. */
static bool change_configuration(const cJSON *o, const struct ocpp_ours *ours,
                                 unsigned *effects, char why[OCPP_WHY])
{
    (void)ours;
    (void)why;
    *effects = OCPP_SETTINGS;
    if (!ocpp16_config_standard(text(o, "key")))
        *effects |= OCPP_LIMITS;
    return true;
}

static const struct {
    const char *action;
    bool (*check)(const cJSON *o, const struct ocpp_ours *ours, unsigned *effects,
                  char why[OCPP_WHY]);
    unsigned effects;
} rules[] = {
    {"CancelReservation", NULL, OCPP_UNRESERVE},
    {"ChangeConfiguration", change_configuration, 0},
    {"ClearChargingProfile", clear_profile, 0},
    {"DataTransfer", NULL, OCPP_LIMITS},
    {"RemoteStartTransaction", remote_start, 0},
    {"ReserveNow", NULL, OCPP_RESERVE},
    {"Reset", NULL, OCPP_LIMITS}, /* what it forgets is reckoned with at once */
    {"SendLocalList", NULL, OCPP_LIST},
    {"SetChargingProfile", set_profile, 0},
};

bool ocpp16_guard(const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY])
{
    *effects = 0;
    why[0] = '\0';
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].action, action) != 0)
            continue;
        *effects = rules[i].effects;
        return !rules[i].check || rules[i].check(payload, ours, effects, why);
    }
    return true;
}
