/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration keys of a simulated charger of the older generation (section 9). */
#include "sim/station_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char measurands[] = "Current.Import,Current.Offered,"
                                 "Energy.Active.Import.Register,Power.Active.Import,"
                                 "Voltage";

enum rule { FIXED, SECONDS, MEASURANDS };

/* clang-format off */
static const struct {
    const char *name;
    enum rule rule;
    const char *value;
} keys[KEY_COUNT] = {
    [KEY_HEARTBEAT] = {"HeartbeatInterval", SECONDS, "300"},
    [KEY_SAMPLE_S] = {"MeterValueSampleInterval", SECONDS, "60"},
    [KEY_MEASURANDS] = {"MeterValuesSampledData", MEASURANDS,
                        "Energy.Active.Import.Register"},
    [KEY_PING] = {"WebSocketPingInterval", SECONDS, "0"},
    [KEY_CONNECTORS] = {"NumberOfConnectors", FIXED, ""},
    [KEY_ROTATION] = {"ConnectorPhaseRotation", FIXED, ""},
    [KEY_FIXED] = {"AuthorizeRemoteTxRequests", FIXED, "false"},
    {"ChargeProfileMaxStackLevel", FIXED, "10"}, /* as in profiles.h, also below */
    {"ChargingScheduleAllowedChargingRateUnit", FIXED, "Current,Power"},
    {"ChargingScheduleMaxPeriods", FIXED, "24"},
    {"ClockAlignedDataInterval", FIXED, "0"},
    {"ConnectionTimeOut", FIXED, "0"},
    {"GetConfigurationMaxKeys", FIXED, "50"},
    {"LocalAuthorizeOffline", FIXED, "false"},
    {"LocalPreAuthorize", FIXED, "false"},
    {"MaxChargingProfilesInstalled", FIXED, "16"},
    {"MeterValuesAlignedData", FIXED, ""},
    {"StopTransactionOnEVSideDisconnect", FIXED, "true"},
    {"StopTransactionOnInvalidId", FIXED, "true"},
    {"StopTxnSampledData", FIXED, ""},
    {"SupportedFeatureProfiles", FIXED, "Core,SmartCharging,RemoteTrigger"},
    {"UnlockConnectorOnEVSideDisconnect", FIXED, "true"},
};
/* clang-format on */

void point_keys_init(struct station *s)
{
    for (int k = 0; k < KEY_COUNT; k++)
        snprintf(s->keys[k], sizeof s->keys[k], "%s", keys[k].value);
    snprintf(s->keys[KEY_CONNECTORS], sizeof s->keys[0], "%d", s->u.n_bays);
    snprintf(s->keys[KEY_ROTATION], sizeof s->keys[0], "%s", s->u.rotation);
}

int station_key_int(const struct station *s, enum station_key k)
{
    return atoi(s->keys[k]);
}

static bool list_has(const char *list, const char *word, size_t size)
{
    for (const char *at = list; at; at = strchr(at, ',')) {
        size_t n;

        at += *at == ',';
        n = strcspn(at, ",");
        if (n == size && strncasecmp(at, word, n) == 0)
            return true;
    }
    return false;
}

bool station_key_has(const struct station *s, enum station_key k, const char *word)
{
    return list_has(s->keys[k], word, strlen(word));
}

static int find(const char *name)
{
    for (int k = 0; k < KEY_COUNT; k++)
        if (strcasecmp(keys[k].name, name) == 0)
            return k;
    return -1;
}

static void add_key(const struct station *s, cJSON *list, int k)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "key", keys[k].name);
    cJSON_AddBoolToObject(o, "readonly", keys[k].rule == FIXED);
    cJSON_AddStringToObject(o, "value", s->keys[k]);
    cJSON_AddItemToArray(list, o);
}

/* GetConfiguration: the named ones, or all where there are none. */
cJSON *point_keys_get(const struct station *s, const cJSON *names)
{
    cJSON *answer = cJSON_CreateObject(), *known, *unknown = NULL;
    const cJSON *name;

    known = cJSON_AddArrayToObject(answer, "configurationKey");
    for (int k = 0; cJSON_GetArraySize(names) == 0 && k < KEY_COUNT; k++)
        add_key(s, known, k);
    cJSON_ArrayForEach(name, names)
    {
        int k = find(name->valuestring);

        if (k >= 0) {
            add_key(s, known, k);
            continue;
        }
        if (!unknown)
            unknown = cJSON_AddArrayToObject(answer, "unknownKey");
        cJSON_AddItemToArray(unknown, cJSON_CreateString(name->valuestring));
    }
    return answer;
}

static bool fits(enum rule rule, const char *value)
{
    char *end;
    long number;

    if (rule == SECONDS) {
        number = strtol(value, &end, 10);
        return *value && !*end && number >= 0 && number <= 86400;
    }
    for (const char *at = value; rule == MEASURANDS && at; at = strchr(at, ',')) {
        at += *at == ',';
        if (*value && !list_has(measurands, at, strcspn(at, ",")))
            return false;
    }
    return rule == MEASURANDS;
}

bool station_key_fits(enum station_key k, const char *value)
{
    return strlen(value) < sizeof((struct station *)0)->keys[k] &&
           fits(keys[k].rule, value);
}

/* ChangeConfiguration: its status. */
const char *point_keys_change(struct station *s, const char *name, const char *value)
{
    int k = find(name);

    if (k < 0)
        return "NotSupported";
    if (!station_key_fits((enum station_key)k, value))
        return "Rejected";
    snprintf(s->keys[k], sizeof s->keys[k], "%s", value);
    return "Accepted";
}
