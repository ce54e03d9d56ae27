/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1: what stations are told, and the variables of their device model. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
    if (!p->relative)
        snprintf(start, sizeof start, "\"startSchedule\":\"%s\",", p->start);
    ocpp_write_periods(periods, p);
    snprintf(out, OCPP_PROFILE_TEXT,
             "{\"evseId\":%d,\"chargingProfile\":{\"id\":%d,\"stackLevel\":%d,"
             "\"chargingProfilePurpose\":\"%s\",\"chargingProfileKind\":\"%s\",%s"
             "\"chargingSchedule\":[{\"id\":%d,%s%s\"chargingRateUnit\":\"%s\","
             "\"chargingSchedulePeriod\":[%s]}]}}",
             (int)p->connector, (int)p->id, (int)p->level, purposes[p->purpose],
             p->relative ? "Relative" : "Absolute", transaction, (int)p->id, duration,
             start, p->watts ? "W" : "A", periods);
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

/* A status is one of a plug: the first of the EVSE. */
void ocpp201_write_trigger(char *out, const char *message, int32_t connector)
{
    bool plug = strcmp(message, "StatusNotification") == 0;
    char evse[64] = "";

    if (connector > 0)
        snprintf(evse, sizeof evse, ",\"evse\":{\"id\":%d%s}", (int)connector,
                 plug ? ",\"connectorId\":1" : "");
    snprintf(out, OCPP_CALL_TEXT, "{\"requestedMessage\":\"%s\"%s}", message, evse);
}

const char *ocpp201_write_stop(char *out, int32_t transaction, const char *name)
{
    (void)transaction;
    snprintf(out, OCPP_CALL_TEXT, "{\"transactionId\":\"%s\"}", name);
    return "RequestStopTransaction";
}

/* ---- variables */

struct variable {
    const char *component, *name;
};

static const struct variable config[] = {
    {"SmartChargingCtrlr", "ProfileStackLevel"},
    {"SmartChargingCtrlr", "PeriodsPerSchedule"},
    {"SmartChargingCtrlr", "RateUnit"},
    {"SampledDataCtrlr", "TxUpdatedInterval"},
    {"SampledDataCtrlr", "TxUpdatedMeasurands"},
    {"OCPPCommCtrlr", "WebSocketPingInterval"},
};

static const struct variable list[] = {
    {"LocalAuthListCtrlr", "Enabled"},
    {"LocalAuthListCtrlr", "ItemsPerMessage"},
};

static const struct variable settings[] = {
    [OCPP_SET_LIST] = {"LocalAuthListCtrlr", "Enabled"},
    [OCPP_SET_MEASURANDS] = {"SampledDataCtrlr", "TxUpdatedMeasurands"},
    [OCPP_SET_PING] = {"OCPPCommCtrlr", "WebSocketPingInterval"},
    [OCPP_SET_SAMPLE] = {"SampledDataCtrlr", "TxUpdatedInterval"},
};

static const char *ask(char *out, const struct variable *v, size_t n_variables)
{
    size_t n = (size_t)snprintf(out, OCPP_CALL_TEXT, "{\"getVariableData\":[");

    for (size_t i = 0; i < n_variables; i++)
        n += (size_t)snprintf(out + n, OCPP_CALL_TEXT - n,
                              "%s{\"component\":{\"name\":\"%s\"},"
                              "\"variable\":{\"name\":\"%s\"}}",
                              i ? "," : "", v[i].component, v[i].name);
    snprintf(out + n, OCPP_CALL_TEXT - n, "]}");
    return "GetVariables";
}

/* There is no question for all of them with an answer: it is the same again. */
const char *ocpp201_ask_config(char *out, bool all)
{
    (void)all;
    return ask(out, config, sizeof config / sizeof *config);
}

const char *ocpp201_ask_list(char *out)
{
    return ask(out, list, sizeof list / sizeof *list);
}

/* The next result with a value; its variable's name in `name`. */
static const cJSON *next(const cJSON *item, char name[52])
{
    char status[32];

    for (; item; item = item->next) {
        const cJSON *variable = cJSON_GetObjectItemCaseSensitive(item, "variable");

        ocpp_get_text(item, "attributeStatus", status, sizeof status);
        if (strcasecmp(status, "Accepted") == 0 &&
            ocpp_get_text(variable, "name", name, 52))
            break;
    }
    return item;
}

static const cJSON *results(const cJSON *p)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(p, "getVariableResult");

    return array ? array->child : NULL;
}

static int32_t whole(const cJSON *item)
{
    int64_t n;

    return ocpp_get_int(item, "attributeValue", &n) && n >= 0 && n < INT32_MAX
               ? (int32_t)n
               : -1;
}

static bool take(struct ocpp_config *c, const char *name, const cJSON *item)
{
    char value[64];

    ocpp_get_text(item, "attributeValue", value, sizeof value);
    if (strcasecmp(name, "ProfileStackLevel") == 0) {
        c->max_level = whole(item);
    } else if (strcasecmp(name, "PeriodsPerSchedule") == 0) {
        c->max_periods = whole(item);
    } else if (strcasecmp(name, "RateUnit") == 0) {
        c->amps = ocpp_list_has(value, "A");
        c->watts = ocpp_list_has(value, "W");
        c->unit_known = c->amps || c->watts;
    } else if (strcasecmp(name, "TxUpdatedInterval") == 0) {
        c->sample_s = whole(item);
    } else if (strcasecmp(name, "TxUpdatedMeasurands") == 0) {
        ocpp_get_text(item, "attributeValue", c->measurands, sizeof c->measurands);
    } else if (strcasecmp(name, "WebSocketPingInterval") == 0) {
        c->ping_s = whole(item);
    } else {
        return false;
    }
    return true;
}

int ocpp201_read_config(const cJSON *p, struct ocpp_config *c)
{
    char name[52];
    int n = 0;

    for (const cJSON *i = results(p); (i = next(i, name)); i = i->next)
        n += take(c, name, i);
    return n;
}

bool ocpp201_read_list(const cJSON *p, struct ocpp_list_ability *l)
{
    char name[52], value[8];

    *l = (struct ocpp_list_ability){.enabled = -1, .max = -1, .per = -1};
    for (const cJSON *i = results(p); (i = next(i, name)); i = i->next) {
        ocpp_get_text(i, "attributeValue", value, sizeof value);
        if (strcasecmp(name, "Enabled") == 0)
            l->enabled = strcasecmp(value, "true") == 0;
        else if (strcasecmp(name, "ItemsPerMessage") == 0 && whole(i) > 0)
            l->per = whole(i);
    }
    return l->enabled >= 0 || l->per > 0;
}

const char *ocpp201_write_setting(char *out, enum ocpp_setting s, const char *value)
{
    snprintf(out, OCPP_CALL_TEXT,
             "{\"setVariableData\":[{\"attributeValue\":\"%s\",\"component\":"
             "{\"name\":\"%s\"},\"variable\":{\"name\":\"%s\"}}]}",
             value, settings[s].component, settings[s].name);
    return "SetVariables";
}

bool ocpp201_setting_taken(const cJSON *p)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(p, "setVariableResult");
    char status[32] = "";

    if (array && array->child)
        ocpp_get_text(array->child, "attributeStatus", status, sizeof status);
    return strcasecmp(status, "Accepted") == 0 ||
           strcasecmp(status, "RebootRequired") == 0;
}
