/* SPDX-License-Identifier: Apache-2.0 */
/* The device model of a simulated charger of the newer generation: what it is made of
 * and how it is set, asked for one by one or reported in parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/station_state.h"

enum { PART = 6, /* rows in a message */ FIXED = -1, TOLD = -2, ROW_TEXT = 192 };

enum where { STATION, EVSE, CONNECTOR }; /* one for each EVSE, for each plug */

struct row {
    const char *component;
    const char *variable, *instance; /* instance NULL = none */
    const char *type;
    const char *value; /* FIXED */
    int key;           /* enum station_key: it can be set; FIXED; TOLD: see fill() */
    enum where where;
    int32_t most; /* maxLimit; 0 = not told */
};

#define LEVELS "10"
#define PERIODS "24"
_Static_assert(SIM_PROFILE_LEVELS == 10 && SIM_PROFILE_PERIODS == 24, "see profiles.h");
#define MEASURANDS                                                                     \
    "Current.Import,Current.Offered,Energy.Active.Import.Register,"                    \
    "Power.Active.Import,Voltage"

/* clang-format off */
static const struct row rows[] = {
    {"AlignedDataCtrlr", "Interval", NULL, "integer", "0", FIXED, STATION, 0},
    {"AlignedDataCtrlr", "Measurands", NULL, "MemberList", "", FIXED, STATION, 0},
    {"AuthCtrlr", "AuthorizeRemoteStart", NULL, "boolean", "false", FIXED, STATION, 0},
    {"AuthCtrlr", "LocalAuthorizeOffline", NULL, "boolean", "false", FIXED, STATION, 0},
    {"AuthCtrlr", "LocalPreAuthorize", NULL, "boolean", "false", FIXED, STATION, 0},
    {"ChargingStation", "Available", NULL, "boolean", "true", FIXED, STATION, 0},
    {"ChargingStation", "AvailabilityState", NULL, "OptionList", "Available", FIXED,
     STATION, 0},
    {"ChargingStation", "SupplyPhases", NULL, "integer", "3", FIXED, STATION, 0},
    {"Connector", "AvailabilityState", NULL, "OptionList", NULL, TOLD, CONNECTOR, 0},
    {"Connector", "Available", NULL, "boolean", "true", FIXED, CONNECTOR, 0},
    {"Connector", "ConnectorType", NULL, "string", "cType2", FIXED, CONNECTOR, 0},
    {"Connector", "SupplyPhases", NULL, "integer", NULL, TOLD, CONNECTOR, 0},
    {"DeviceDataCtrlr", "ItemsPerMessage", "GetReport", "integer", "20", FIXED, STATION, 0},
    {"DeviceDataCtrlr", "ItemsPerMessage", "GetVariables", "integer", "20", FIXED,
     STATION, 0},
    {"DeviceDataCtrlr", "ItemsPerMessage", "SetVariables", "integer", "20", FIXED,
     STATION, 0},
    {"EVSE", "AvailabilityState", NULL, "OptionList", NULL, TOLD, EVSE, 0},
    {"EVSE", "Available", NULL, "boolean", "true", FIXED, EVSE, 0},
    {"EVSE", "Power", NULL, "decimal", NULL, TOLD, EVSE, 22080},
    {"EVSE", "SupplyPhases", NULL, "integer", NULL, TOLD, EVSE, 0},
    {"LocalAuthListCtrlr", "Available", NULL, "boolean", "false", FIXED, STATION, 0},
    {"OCPPCommCtrlr", "HeartbeatInterval", NULL, "integer", NULL, KEY_HEARTBEAT, STATION, 0},
    {"OCPPCommCtrlr", "OfflineThreshold", NULL, "integer", "0", FIXED, STATION, 0},
    {"OCPPCommCtrlr", "WebSocketPingInterval", NULL, "integer", NULL, KEY_PING, STATION, 0},
    {"SampledDataCtrlr", "Available", NULL, "boolean", "true", FIXED, STATION, 0},
    {"SampledDataCtrlr", "Enabled", NULL, "boolean", "true", FIXED, STATION, 0},
    {"SampledDataCtrlr", "TxEndedMeasurands", NULL, "MemberList", MEASURANDS, FIXED,
     STATION, 0},
    {"SampledDataCtrlr", "TxUpdatedInterval", NULL, "integer", NULL, KEY_SAMPLE_S,
     STATION, 0},
    {"SampledDataCtrlr", "TxUpdatedMeasurands", NULL, "MemberList", NULL, KEY_MEASURANDS,
     STATION, 0},
    {"SmartChargingCtrlr", "ACPhaseSwitchingSupported", NULL, "boolean", NULL, TOLD, EVSE, 0},
    {"SmartChargingCtrlr", "Available", NULL, "boolean", "true", FIXED, STATION, 0},
    {"SmartChargingCtrlr", "Enabled", NULL, "boolean", "true", FIXED, STATION, 0},
    {"SmartChargingCtrlr", "Entries", "ChargingProfiles", "integer", NULL, TOLD, STATION,
     SIM_PROFILES},
    {"SmartChargingCtrlr", "ExternalControlSignalsEnabled", NULL, "boolean", "true", FIXED,
     STATION, 0},
    {"SmartChargingCtrlr", "LimitChangeSignificance", NULL, "decimal", "0", FIXED, STATION, 0},
    {"SmartChargingCtrlr", "NotifyChargingLimitWithSchedules", NULL, "boolean", "true",
     FIXED, STATION, 0},
    {"SmartChargingCtrlr", "PeriodsPerSchedule", NULL, "integer", PERIODS, FIXED, STATION, 0},
    {"SmartChargingCtrlr", "Phases3to1", NULL, "boolean", NULL, TOLD, STATION, 0},
    {"SmartChargingCtrlr", "ProfileStackLevel", NULL, "integer", LEVELS, FIXED, STATION, 0},
    {"SmartChargingCtrlr", "RateUnit", NULL, "MemberList", "A,W", FIXED, STATION, 0},
    {"TxCtrlr", "EVConnectionTimeOut", NULL, "integer", "0", FIXED, STATION, 0},
    {"TxCtrlr", "StopTxOnEVSideDisconnect", NULL, "boolean", "true", FIXED, STATION, 0},
    {"TxCtrlr", "StopTxOnInvalidId", NULL, "boolean", "true", FIXED, STATION, 0},
    {"TxCtrlr", "TxStartPoint", NULL, "MemberList", "Authorized", FIXED, STATION, 0},
    {"TxCtrlr", "TxStopPoint", NULL, "MemberList", "EVConnected,Authorized", FIXED,
     STATION, 0},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof *rows };

void evse_model_init(struct station *s)
{
    static const struct {
        enum station_key key;
        const char *value;
    } first[] = {
        {KEY_HEARTBEAT, "300"},
        {KEY_SAMPLE_S, "60"},
        {KEY_MEASURANDS, "Energy.Active.Import.Register"},
        {KEY_PING, "0"},
    };

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        snprintf(s->keys[first[i].key], sizeof s->keys[0], "%s", first[i].value);
}

/* ---- the value of a row, of one EVSE where there are several */

static void fill(const struct station *s, const struct row *r, int evse,
                 char out[ROW_TEXT])
{
    const struct station_bay *b = &s->bays[evse ? evse - 1 : 0];

    if (r->key == FIXED)
        snprintf(out, ROW_TEXT, "%s", r->value);
    else if (r->key >= 0)
        snprintf(out, ROW_TEXT, "%s", s->keys[r->key]);
    else if (strcmp(r->variable, "AvailabilityState") == 0)
        snprintf(out, ROW_TEXT, "%s",
                 b->out           ? "Unavailable"
                 : b->bay.plugged ? "Occupied"
                                  : "Available");
    else if (strcmp(r->variable, "SupplyPhases") == 0)
        snprintf(out, ROW_TEXT, "%d", __builtin_popcount(b->bay.wires));
    else if (strcmp(r->variable, "Power") == 0)
        snprintf(out, ROW_TEXT, "%d", (int)sim_bay_power_w(&b->bay));
    else if (strcmp(r->variable, "Entries") == 0)
        snprintf(out, ROW_TEXT, "%d", s->profiles.n);
    else
        snprintf(out, ROW_TEXT, "%s", s->u.phase_switch ? "true" : "false");
}

/* ---- one by one */

static bool same(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

/* The row that is named, or NULL with the reason. */
static const struct row *find(const struct station *s, const cJSON *named, int *evse,
                              const char **why)
{
    const cJSON *component = payload_get(named, "component");
    const cJSON *variable = payload_get(named, "variable");

    *why = "UnknownComponent";
    *evse = payload_int(payload_get(component, "evse"), "id", 0);
    for (int i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];

        if (!same(r->component, payload_text(component, "name")) ||
            payload_get(component, "instance") || station_no_such(s, *evse) ||
            (*evse == 0) != (r->where == STATION))
            continue;
        *why = "UnknownVariable";
        if (same(r->variable, payload_text(variable, "name")) &&
            same(r->instance, payload_text(variable, "instance")))
            return r;
    }
    return NULL;
}

static void copy_names(cJSON *to, const cJSON *named)
{
    cJSON_AddItemToObject(to, "component",
                          cJSON_Duplicate(payload_get(named, "component"), true));
    cJSON_AddItemToObject(to, "variable",
                          cJSON_Duplicate(payload_get(named, "variable"), true));
}

static bool actual(const cJSON *named)
{
    return !payload_get(named, "attributeType") ||
           payload_is(named, "attributeType", "Actual");
}

cJSON *evse_model_get(struct station *s, const cJSON *o, int32_t answer_ms)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(answer, "getVariableResult");
    const cJSON *named;

    (void)answer_ms;
    cJSON_ArrayForEach(named, payload_get(o, "getVariableData"))
    {
        cJSON *to = cJSON_CreateObject();
        char value[ROW_TEXT];
        const char *why;
        int evse;
        const struct row *r = find(s, named, &evse, &why);

        if (r && actual(named)) {
            why = "Accepted";
            fill(s, r, evse, value);
            cJSON_AddStringToObject(to, "attributeValue", value);
        } else if (r) {
            why = "NotSupportedAttributeType";
        }
        cJSON_AddStringToObject(to, "attributeStatus", why);
        copy_names(to, named);
        cJSON_AddItemToArray(list, to);
    }
    return answer;
}

static const char *set_one(struct station *s, const cJSON *named)
{
    const char *value = payload_text(named, "attributeValue"), *why;
    int evse;
    const struct row *r = find(s, named, &evse, &why);

    if (!r)
        return why;
    if (!actual(named))
        return "NotSupportedAttributeType";
    if (r->key < 0 || !station_key_fits((enum station_key)r->key, value))
        return "Rejected";
    snprintf(s->keys[r->key], sizeof s->keys[0], "%s", value);
    return "Accepted";
}

cJSON *evse_model_set(struct station *s, const cJSON *o, int32_t answer_ms)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(answer, "setVariableResult");
    const cJSON *named;

    (void)answer_ms;
    cJSON_ArrayForEach(named, payload_get(o, "setVariableData"))
    {
        cJSON *to = cJSON_CreateObject();

        cJSON_AddStringToObject(to, "attributeStatus", set_one(s, named));
        copy_names(to, named);
        cJSON_AddItemToArray(list, to);
    }
    return answer;
}

/* ---- reports */

/* A component that says nothing of it is there, is switched on, and has no problem. */
static bool meets(const struct row *r, const cJSON *criteria)
{
    const cJSON *word;

    cJSON_ArrayForEach(word, criteria)
    {
        bool is = strcmp(word->valuestring, "Problem") != 0;

        for (int i = 0; i < ROWS; i++)
            if (same(rows[i].component, r->component) &&
                same(rows[i].variable, word->valuestring) && rows[i].value)
                is = strcmp(rows[i].value, "true") == 0;
        if (is)
            return true;
    }
    return !criteria;
}

static bool named_in(const struct row *r, int evse, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const cJSON *component = payload_get(item, "component");
        const cJSON *variable = payload_get(item, "variable");
        int32_t of = payload_int(payload_get(component, "evse"), "id", evse);

        if (same(r->component, payload_text(component, "name")) && of == evse &&
            (!variable || same(r->variable, payload_text(variable, "name"))))
            return true;
    }
    return !list;
}

/* Whether a report of that kind has this row. */
static bool belongs(const struct row *r, int evse, const cJSON *o)
{
    if (payload_is(o, "reportBase", "FullInventory"))
        return true;
    if (payload_is(o, "reportBase", "ConfigurationInventory"))
        return r->where == STATION;
    if (payload_is(o, "reportBase", "SummaryInventory"))
        return strstr(r->variable, "Availab") && strcmp(r->type, "OptionList") == 0;
    return meets(r, payload_get(o, "componentCriteria")) &&
           named_in(r, evse, payload_get(o, "componentVariable"));
}

static cJSON *component_of(const struct row *r, int evse)
{
    cJSON *o = cJSON_CreateObject(), *at;

    cJSON_AddStringToObject(o, "name", r->component);
    if (!evse)
        return o;
    at = cJSON_AddObjectToObject(o, "evse");
    cJSON_AddNumberToObject(at, "id", evse);
    if (r->where == CONNECTOR)
        cJSON_AddNumberToObject(at, "connectorId", 1);
    return o;
}

static cJSON *data_of(const struct station *s, const struct row *r, int evse)
{
    cJSON *o = cJSON_CreateObject(), *part;
    char value[ROW_TEXT];

    fill(s, r, evse, value);
    cJSON_AddItemToObject(o, "component", component_of(r, evse));
    part = cJSON_AddObjectToObject(o, "variable");
    cJSON_AddStringToObject(part, "name", r->variable);
    if (r->instance)
        cJSON_AddStringToObject(part, "instance", r->instance);
    part = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "variableAttribute"), part);
    cJSON_AddStringToObject(part, "value", value);
    cJSON_AddStringToObject(part, "mutability", r->key >= 0 ? "ReadWrite" : "ReadOnly");
    part = cJSON_AddObjectToObject(o, "variableCharacteristics");
    cJSON_AddStringToObject(part, "dataType", r->type);
    if (strcmp(r->variable, "RateUnit") == 0)
        cJSON_AddStringToObject(part, "valuesList", "A,W");
    if (r->key == KEY_MEASURANDS)
        cJSON_AddStringToObject(part, "valuesList", MEASURANDS);
    if (r->most)
        cJSON_AddNumberToObject(part, "maxLimit", r->most);
    cJSON_AddFalseToObject(part, "supportsMonitoring");
    return o;
}

/* All rows that belong, of each EVSE. */
static cJSON *collect(const struct station *s, const cJSON *o)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < ROWS; i++) {
        int first = rows[i].where == STATION ? 0 : 1;
        int last = rows[i].where == STATION ? 0 : s->u.n_bays;

        for (int evse = first; evse <= last; evse++)
            if (belongs(&rows[i], evse, o))
                cJSON_AddItemToArray(list, data_of(s, &rows[i], evse));
    }
    return list;
}

cJSON *evse_model_report(struct station *s, const cJSON *o, int32_t answer_ms)
{
    cJSON *list = collect(s, o);
    bool any = cJSON_GetArraySize(list) > 0;

    (void)answer_ms;
    cJSON_Delete(list);
    return payload_status(any ? "Accepted" : "EmptyResultSet");
}

void evse_model_tell(struct station *s, const cJSON *o)
{
    cJSON *list = collect(s, o);

    for (int seq = 0; list->child; seq++) {
        cJSON *m = cJSON_CreateObject(), *part;

        cJSON_AddNumberToObject(m, "requestId", payload_int(o, "requestId", 0));
        payload_add_time(m, "generatedAt", station_utc_s(s));
        cJSON_AddNumberToObject(m, "seqNo", seq);
        part = cJSON_AddArrayToObject(m, "reportData");
        for (int i = 0; i < PART && list->child; i++)
            cJSON_AddItemToArray(part, cJSON_DetachItemFromArray(list, 0));
        cJSON_AddBoolToObject(m, "tbc", list->child != NULL);
        station_tell_call(s, 0, "NotifyReport", m, NULL, NULL);
    }
    cJSON_Delete(list);
}
