/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls of people would break the promise: those that take the place of our
 * profiles, outrank or remove them. A limit for the whole charger
 * (a ChargePointMaxProfile on connector 0) counts besides ours, the lower of the two
 * holds: it can do no harm. */
#include "proto/ocpp16.h"
#include "proto/ocpp201.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool refuse(char why[OCPP_WHY], const char *text)
{
    snprintf(why, OCPP_WHY, "%s", text);
    return false;
}

static int number(const cJSON *o, const char *name, int absent)
{
    const cJSON *v = ocpp_get(o, name);

    return v ? (int)v->valuedouble : absent;
}

static const char *text(const cJSON *o, const char *name)
{
    const char *t = cJSON_GetStringValue(ocpp_get(o, name));

    return t ? t : "";
}

/* A charger that switches phases may take it for all its profiles (Q26): ours in W
 * would then be many amperes on one. */
static bool names_phases(const cJSON *periods)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, periods)
    {
        if (ocpp_get(item, "numberPhases"))
            return true;
    }
    return false;
}

/* Every charger wants the first at 0 and the others after it (and 2.x writes it down).
 */
static bool disordered(const cJSON *periods)
{
    const cJSON *item;
    int last = -1;

    cJSON_ArrayForEach(item, periods)
    {
        int start = number(item, "startPeriod", 0);

        if (start <= last || (last < 0 && start != 0))
            return true;
        last = start;
    }
    return false;
}

/* What the versions call the same. */
struct words {
    const char *profile, *id, *place, *max;
};
static const struct words words16 = {"csChargingProfiles", "chargingProfileId",
                                     "connectorId", "ChargePointMaxProfile"};
static const struct words words201 = {"chargingProfile", "id", "evseId",
                                      "ChargingStationMaxProfile"};

static bool name_refused(char why[OCPP_WHY], const char *name, const char *text)
{
    snprintf(why, OCPP_WHY, "%s: %s", name, text);
    return false;
}

/* 2.x has some schedules, 1.6 one: does one of them fail? */
static bool any_schedule(const cJSON *schedules, bool (*wrong)(const cJSON *periods))
{
    const cJSON *item;

    if (!cJSON_IsArray(schedules))
        return wrong(ocpp_get(schedules, "chargingSchedulePeriod"));
    cJSON_ArrayForEach(item, schedules)
    {
        if (wrong(ocpp_get(item, "chargingSchedulePeriod")))
            return true;
    }
    return false;
}

static bool max_profile(const struct words *w, const cJSON *o,
                        const struct ocpp_ours *ours, char why[OCPP_WHY])
{
    const cJSON *p = ocpp_get(o, w->profile);
    const char *kind = text(p, "chargingProfileKind");
    bool recurring = strcmp(kind, "Recurring") == 0;

    if (strcmp(text(p, "chargingProfilePurpose"), w->max) != 0) {
        snprintf(
            why, OCPP_WHY,
            "limits of connectors come from Chargehand, and this one would take "
            "their place; lower them by the site file or over MQTT, or set a %s on "
            "%s 0",
            w->max, w == &words16 ? "connector" : "EVSE");
        return false;
    }
    if (number(o, w->place, 0) != 0) {
        snprintf(why, OCPP_WHY, "%s: a %s belongs on 0", w->place, w->max);
        return false;
    }
    if (ours->whole_max) {
        snprintf(why, OCPP_WHY,
                 "this charger takes Chargehand's limits only as %s: yours would take "
                 "their place",
                 w->max);
        return false;
    }
    if (number(p, w->id, 0) < OCPP_OUR_IDS)
        return name_refused(why, w->id,
                            "Chargehand uses this id itself, choose one from 1000 on");
    if (number(p, "stackLevel", 0) != 0)
        return refuse(why, "stackLevel: with any but 0 it would outrank Chargehand's, "
                           "if one is needed there some day");
    if (strcmp(kind, "Relative") == 0) {
        snprintf(why, OCPP_WHY, "chargingProfileKind: a %s is not Relative", w->max);
        return false;
    }
    if (recurring != (ocpp_get(p, "recurrencyKind") != NULL))
        return refuse(why, "recurrencyKind: goes with Recurring, and only with it");
    if (any_schedule(ocpp_get(p, "chargingSchedule"), names_phases))
        return refuse(why, "numberPhases: leave it out, the charger may take it for "
                           "Chargehand's limits, too");
    if (any_schedule(ocpp_get(p, "chargingSchedule"), disordered))
        return refuse(why, "startPeriod: the first is 0, each one later than the one "
                           "before");
    return true;
}

static bool set_profile16(const cJSON *o, const struct ocpp_ours *ours,
                          unsigned *effects, char why[OCPP_WHY])
{
    (void)effects;
    return max_profile(&words16, o, ours, why);
}

static bool set_profile201(const cJSON *o, const struct ocpp_ours *ours,
                           unsigned *effects, char why[OCPP_WHY])
{
    const char *unsound = ocpp201_unsound(o, ours->told);

    (void)effects;
    if (!max_profile(&words201, o, ours, why))
        return false;
    return !unsound || refuse(why, unsound);
}

/* What may meet ours is not sent: until they are told anew nothing would limit it. */
static bool clear_profile(const struct words *w, const cJSON *id, const cJSON *criteria,
                          const struct ocpp_ours *ours, unsigned *effects,
                          char why[OCPP_WHY])
{
    bool max = strcmp(text(criteria, "chargingProfilePurpose"), w->max) == 0;

    *effects = OCPP_LIMITS;
    if (id ? id->valuedouble >= OCPP_OUR_IDS
           : (max && !ours->whole_max) ||
                 number(criteria, "stackLevel", 0) > ours->top_level)
        return true;
    snprintf(
        why, OCPP_WHY,
        "this would remove the limits that Chargehand keeps there, and the charger "
        "would take what it likes; name an id from 1000 on, a stackLevel above "
        "Chargehand's, or the purpose %s",
        w->max);
    return false;
}

static bool clear_profile16(const cJSON *o, const struct ocpp_ours *ours,
                            unsigned *effects, char why[OCPP_WHY])
{
    return clear_profile(&words16, ocpp_get(o, "id"), o, ours, effects, why);
}

static bool clear_profile201(const cJSON *o, const struct ocpp_ours *ours,
                             unsigned *effects, char why[OCPP_WHY])
{
    return clear_profile(&words201, ocpp_get(o, "chargingProfileId"),
                         ocpp_get(o, "chargingProfileCriteria"), ours, effects, why);
}

static bool remote_start(const cJSON *o, const struct ocpp_ours *ours,
                         unsigned *effects, char why[OCPP_WHY])
{
    (void)ours;
    (void)effects;
    if (ocpp_get(o, "chargingProfile"))
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

/* Without smart charging a station may take what it likes. */
static bool set_variables(const cJSON *o, const struct ocpp_ours *ours,
                          unsigned *effects, char why[OCPP_WHY])
{
    const cJSON *item;

    (void)ours;
    (void)effects;
    cJSON_ArrayForEach(item, ocpp_get(o, "setVariableData"))
    {
        if (strcasecmp(text(ocpp_get(item, "component"), "name"),
                       "SmartChargingCtrlr") == 0 &&
            strcasecmp(text(ocpp_get(item, "variable"), "name"), "Enabled") == 0 &&
            strcasecmp(text(item, "attributeValue"), "true") != 0)
            return refuse(why, "SmartChargingCtrlr.Enabled: without it the charger "
                               "keeps to no limit");
    }
    return true;
}

/* One may have it cleared without asking what it is. */
static bool customer_information(const cJSON *o, const struct ocpp_ours *ours,
                                 unsigned *effects, char why[OCPP_WHY])
{
    (void)ours;
    (void)why;
    if (cJSON_IsTrue(ocpp_get(o, "report")))
        *effects |= OCPP_LATER;
    return true;
}

/* "http://host:port/path": where the host is, and how long its name. */
static const char *host_of(const char *address, size_t *n)
{
    const char *host = strstr(address, "://");

    host = host ? host + 3 : address;
    *n = strcspn(host, *host == '[' ? "]/" : ":/");
    return host;
}

/* Another central system would tell it other limits. */
static bool set_network(const cJSON *o, const struct ocpp_ours *ours, unsigned *effects,
                        char why[OCPP_WHY])
{
    size_t n_to, n_us;
    const char *to = host_of(text(ocpp_get(o, "connectionData"), "ocppCsmsUrl"), &n_to);
    const char *us = host_of(ours->address ? ours->address : "", &n_us);

    (void)effects;
    if (n_to > 0 && n_to == n_us && strncasecmp(to, us, n_to) == 0)
        return true;
    snprintf(why, OCPP_WHY,
             "ocppCsmsUrl: this would lead the charger away from Chargehand, which it "
             "knows as %.*s",
             (int)n_us, us);
    return false;
}

struct rule {
    const char *action;
    bool (*check)(const cJSON *o, const struct ocpp_ours *ours, unsigned *effects,
                  char why[OCPP_WHY]);
    unsigned effects;
};

static const struct rule rules16[] = {
    {"CancelReservation", NULL, OCPP_UNRESERVE},
    {"ChangeConfiguration", change_configuration, 0},
    {"ClearChargingProfile", clear_profile16, 0},
    {"DataTransfer", NULL, OCPP_LIMITS},
    {"RemoteStartTransaction", remote_start, 0},
    {"ReserveNow", NULL, OCPP_RESERVE},
    {"Reset", NULL, OCPP_LIMITS}, /* what it forgets is reckoned with at once */
    {"SendLocalList", NULL, OCPP_LIST},
    {"SetChargingProfile", set_profile16, 0},
    {NULL, NULL, 0},
};

/* Which variables touch limits nobody can list: all of them count as if they did. */
static const struct rule rules201[] = {
    {"CancelReservation", NULL, OCPP_UNRESERVE},
    {"ClearChargingProfile", clear_profile201, 0},
    {"CustomerInformation", customer_information, 0},
    {"DataTransfer", NULL, OCPP_LIMITS},
    {"GetBaseReport", NULL, OCPP_LATER},
    {"GetChargingProfiles", NULL, OCPP_LATER},
    {"GetDisplayMessages", NULL, OCPP_LATER},
    {"GetMonitoringReport", NULL, OCPP_LATER},
    {"GetReport", NULL, OCPP_LATER},
    {"RequestStartTransaction", remote_start, OCPP_STARTS},
    {"ReserveNow", NULL, OCPP_RESERVE},
    {"Reset", NULL, OCPP_LIMITS},
    {"SendLocalList", NULL, OCPP_LIST},
    {"SetChargingProfile", set_profile201, 0},
    {"SetNetworkProfile", set_network, 0},
    {"SetVariables", set_variables, OCPP_SETTINGS | OCPP_LIMITS},
    {NULL, NULL, 0},
};

static bool guard(const struct rule *rule, const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY])
{
    *effects = 0;
    why[0] = '\0';
    while (rule->action && strcmp(rule->action, action) != 0)
        rule++;
    *effects = rule->effects;
    return !rule->check || rule->check(payload, ours, effects, why);
}

bool ocpp16_guard(const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY])
{
    return guard(rules16, action, payload, ours, effects, why);
}

bool ocpp201_guard(const char *action, const cJSON *payload,
                   const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY])
{
    return guard(rules201, action, payload, ours, effects, why);
}
