/* SPDX-License-Identifier: Apache-2.0 */
/* The device model of OCPP 2.0.1: what of its variables is of use to us, asked for one
 * by one or out of a station's report, and changed. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/ocpp201.h"

enum { PER_QUESTION = 8, SURROUND = 100, EVSES = 1000 };

enum kind { WHOLE, MILLI, TRUTH, WORDS, UNITS, MOST, CHOICE };

/* `at` is where it is kept in struct ocpp_config, `fixed` whether it is read-only; 0 =
 * that is of no interest. */
struct variable {
    const char *component, *name, *instance;
    enum kind kind;
    size_t at, size, fixed;
};

#define IN(member) offsetof(struct ocpp_config, member)
#define TEXT(member) IN(member), sizeof((struct ocpp_config *)0)->member

/* The first ones are asked for; those that limits depend on come first of all. */
static const struct variable model[] = {
    {"SmartChargingCtrlr", "RateUnit", NULL, UNITS, 0, 0, 0},
    {"SmartChargingCtrlr", "ProfileStackLevel", NULL, WHOLE, IN(max_level), 0, 0},
    {"SmartChargingCtrlr", "PeriodsPerSchedule", NULL, WHOLE, IN(max_periods), 0, 0},
    {"SmartChargingCtrlr", "Enabled", NULL, TRUTH, IN(smart), 0, IN(smart_fixed)},
    {"SampledDataCtrlr", "TxUpdatedInterval", NULL, WHOLE, IN(sample_s), 0,
     IN(sample_fixed)},
    {"SampledDataCtrlr", "TxUpdatedMeasurands", NULL, WORDS, TEXT(measurands),
     IN(measurands_fixed)},
    {"OCPPCommCtrlr", "WebSocketPingInterval", NULL, WHOLE, IN(ping_s), 0,
     IN(ping_fixed)},
    {"DeviceDataCtrlr", "ItemsPerMessage", "GetVariables", WHOLE, IN(per_get), 0, 0},
    {"SmartChargingCtrlr", "Available", NULL, TRUTH, IN(smart_there), 0, 0},
    {"SmartChargingCtrlr", "Phases3to1", NULL, TRUTH, IN(one_phase), 0, 0},
    {"SmartChargingCtrlr", "ACPhaseSwitchingSupported", NULL, CHOICE, 0, 0, 0},
    /* out of reports only */
    {"EVSE", "ACPhaseSwitchingSupported", NULL, CHOICE, 0, 0, 0},
    {"SmartChargingCtrlr", "Entries", "ChargingProfiles", MOST, IN(max_profiles), 0, 0},
    {"SmartChargingCtrlr", "LimitChangeSignificance", NULL, MILLI, IN(change_milli), 0,
     0},
    {"SmartChargingCtrlr", "ExternalControlSignalsEnabled", NULL, TRUTH, IN(outside), 0,
     0},
    {"AlignedDataCtrlr", "Interval", NULL, WHOLE, IN(aligned_s), 0, 0},
    {"OCPPCommCtrlr", "HeartbeatInterval", NULL, WHOLE, IN(heartbeat_s), 0, 0},
    {"DeviceDataCtrlr", "BytesPerMessage", "GetVariables", WHOLE, IN(bytes_get), 0, 0},
    {"DeviceDataCtrlr", "ItemsPerMessage", "SetVariables", WHOLE, IN(per_set), 0, 0},
    {"DeviceDataCtrlr", "BytesPerMessage", "SetVariables", WHOLE, IN(bytes_set), 0, 0},
    {"LocalAuthListCtrlr", "Entries", NULL, MOST, IN(list_max), 0, 0},
    {"LocalAuthListCtrlr", "ItemsPerMessage", NULL, WHOLE, IN(list_per), 0, 0},
    {"LocalAuthListCtrlr", "BytesPerMessage", NULL, WHOLE, IN(list_bytes), 0, 0},
    {"TxCtrlr", "TxStartPoint", NULL, WORDS, TEXT(starts), 0},
};
enum { ASKED = 11, MODEL = sizeof model / sizeof *model };

static const struct variable list[] = {
    {.component = "LocalAuthListCtrlr", .name = "Enabled"},
    {.component = "LocalAuthListCtrlr", .name = "ItemsPerMessage"},
    {.component = "LocalAuthListCtrlr", .name = "BytesPerMessage"},
};

static const struct variable settings[] = {
    [OCPP_SET_LIST] = {.component = "LocalAuthListCtrlr", .name = "Enabled"},
    [OCPP_SET_MEASURANDS] = {.component = "SampledDataCtrlr",
                             .name = "TxUpdatedMeasurands"},
    [OCPP_SET_PING] = {.component = "OCPPCommCtrlr", .name = "WebSocketPingInterval"},
    [OCPP_SET_SAMPLE] = {.component = "SampledDataCtrlr", .name = "TxUpdatedInterval"},
    [OCPP_SET_SMART] = {.component = "SmartChargingCtrlr", .name = "Enabled"},
};

/* ---- questions */

static size_t write_one(char *out, size_t size, const struct variable *v, int evse)
{
    char of[32] = "", instance[48] = "";

    if (evse > 0)
        snprintf(of, sizeof of, ",\"evse\":{\"id\":%d}", evse);
    if (v->instance)
        snprintf(instance, sizeof instance, ",\"instance\":\"%s\"", v->instance);
    return (size_t)snprintf(out, size,
                            "{\"component\":{\"name\":\"%s\"%s},\"variable\":"
                            "{\"name\":\"%s\"%s}}",
                            v->component, of, v->name, instance);
}

/* So many fit into one question. */
static int per_question(const struct ocpp_config *c, bool again)
{
    if (again)
        return 1;
    return c->per_get > 0 && c->per_get < PER_QUESTION ? c->per_get : PER_QUESTION;
}

static size_t bytes_for(const struct ocpp_config *c)
{
    return c->bytes_get > SURROUND && c->bytes_get < OCPP_CALL_TEXT
               ? (size_t)(c->bytes_get - SURROUND)
               : OCPP_CALL_TEXT - SURROUND;
}

/* Which EVSE can choose its phase is asked where phases can be changed at all. */
static int questions(const struct ocpp_config *c, int places)
{
    int evses = c->one_phase != 1 ? 0 : places < OCPP_PLACES ? places : OCPP_PLACES;

    return ASKED + evses;
}

/* Adds one, unless it is too much for a message; the first one never is. */
static bool add(char *out, size_t *n, const struct variable *v, int evse,
                const struct ocpp_config *c)
{
    bool first = out[*n - 1] == '[';
    char one[256];
    size_t len = write_one(one, sizeof one, v, evse);

    if (!first && *n + len > bytes_for(c))
        return false;
    *n +=
        (size_t)snprintf(out + *n, OCPP_CALL_TEXT - *n, "%s%s", first ? "" : ",", one);
    return true;
}

const char *ocpp201_ask_config(char *out, const struct ocpp_config *c, int places,
                               bool again, int *at)
{
    size_t n = (size_t)snprintf(out, OCPP_CALL_TEXT, "{\"getVariableData\":[");
    int most = per_question(c, again), from = *at, i = from;

    while (i < from + most && i < questions(c, places) &&
           (from >= ASKED || i < ASKED) &&
           add(out, &n, &model[i < ASKED ? i : ASKED - 1],
               i < ASKED ? 0 : i - ASKED + 1, c))
        i++;
    snprintf(out + n, OCPP_CALL_TEXT - n, "]}");
    *at = i;
    return i > from ? "GetVariables" : NULL;
}

/* What its report has told is not lost when so much cannot be asked at once. */
const char *ocpp201_ask_list(char *out, const struct ocpp_config *c)
{
    size_t n = (size_t)snprintf(out, OCPP_CALL_TEXT, "{\"getVariableData\":[");
    int most = per_question(c, false);

    for (int i = 0; i < (int)(sizeof list / sizeof *list) && i < most; i++)
        if (!add(out, &n, &list[i], 0, c))
            break;
    snprintf(out + n, OCPP_CALL_TEXT - n, "]}");
    return "GetVariables";
}

const char *ocpp201_ask_report(char *out, int32_t request, bool full)
{
    snprintf(out, OCPP_CALL_TEXT, "{\"requestId\":%d,\"reportBase\":\"%s\"}",
             (int)request, full ? "FullInventory" : "ConfigurationInventory");
    return "GetBaseReport";
}

/* ---- what stations tell */

/* A variable that was told: its value is item's `key`. */
struct told {
    const cJSON *component, *variable, *item, *limits;
    const char *key;
    bool fixed;
};

static bool is_named(const cJSON *o, const char *name, const char *instance)
{
    char is[52], of[52];

    ocpp_get_text(o, "name", is, sizeof is);
    ocpp_get_text(o, "instance", of, sizeof of);
    return strcasecmp(is, name) == 0 && strcasecmp(of, instance ? instance : "") == 0;
}

static int32_t whole(const struct told *t)
{
    int64_t n;

    return ocpp_get_int(t->item, t->key, &n) && n >= 0 && n < INT32_MAX ? (int32_t)n
                                                                        : -1;
}

static int32_t truth(const struct told *t)
{
    char value[8];

    ocpp_get_text(t->item, t->key, value, sizeof value);
    return strcasecmp(value, "true") == 0    ? 1
           : strcasecmp(value, "false") == 0 ? 0
                                             : -1;
}

static void take_units(struct ocpp_config *c, const struct told *t)
{
    char value[32];

    ocpp_get_text(t->item, t->key, value, sizeof value);
    c->amps = ocpp_list_has(value, "A");
    c->watts = ocpp_list_has(value, "W");
    c->unit_known = c->amps || c->watts;
}

/* What is told of an EVSE counts more than what is told of all. */
static void take_choice(struct ocpp_config *c, const struct told *t)
{
    uint64_t bit;
    int64_t evse;

    if (!ocpp_get_int(ocpp_get(t->component, "evse"), "id", &evse)) {
        c->all_choose = truth(t) == 1;
    } else if (evse > 0 && evse <= OCPP_PLACES) {
        bit = (uint64_t)1 << (evse - 1);
        c->choice_told |= bit;
        c->chooses = truth(t) == 1 ? c->chooses | bit : c->chooses & ~bit;
    }
}

static void take(struct ocpp_config *c, const struct variable *v, const struct told *t)
{
    void *to = (char *)c + v->at;
    int64_t n;

    if (v->fixed)
        *(bool *)((char *)c + v->fixed) |= t->fixed;
    switch (v->kind) {
    case WHOLE:
        *(int32_t *)to = whole(t);
        break;
    case MILLI:
        if (ocpp_milli(ocpp_get(t->item, t->key), &n) && n >= 0 && n < INT32_MAX)
            *(int32_t *)to = (int32_t)n;
        break;
    case TRUTH:
        *(int32_t *)to = truth(t);
        break;
    case WORDS:
        ocpp_get_text(t->item, t->key, to, v->size);
        break;
    case UNITS:
        take_units(c, t);
        break;
    case MOST:
        if (ocpp_get_int(t->limits, "maxLimit", &n) && n > 0 && n < INT32_MAX)
            *(int32_t *)to = (int32_t)n;
        break;
    case CHOICE:
        take_choice(c, t);
        break;
    }
}

static int take_known(struct ocpp_config *c, const struct told *t)
{
    for (int i = 0; i < MODEL; i++)
        if (is_named(t->component, model[i].component, NULL) &&
            is_named(t->variable, model[i].name, model[i].instance)) {
            take(c, &model[i], t);
            return 1;
        }
    return 0;
}

/* How many there are is seen by what is told of them. */
static void count(struct ocpp_config *c, const cJSON *component)
{
    const cJSON *evse = ocpp_get(component, "evse");
    int64_t n, plug = 0;

    if (!ocpp_get_int(evse, "id", &n) || n <= 0 || n > EVSES)
        return;
    if (n > c->connectors)
        c->connectors = (int32_t)n;
    ocpp_get_int(evse, "connectorId", &plug);
    if (n <= OCPP_PLACES && plug > c->plugs[n - 1] && plug <= OCPP_PLUGS)
        c->plugs[n - 1] = (uint8_t)plug;
}

/* Of its values, the one that is. */
static const cJSON *actual(const cJSON *attributes)
{
    const cJSON *item;
    char type[16];

    cJSON_ArrayForEach(item, attributes)
    {
        if (!ocpp_get_text(item, "type", type, sizeof type) ||
            strcasecmp(type, "Actual") == 0)
            return item;
    }
    return NULL;
}

static int read_reported(const cJSON *data, struct ocpp_config *c)
{
    const cJSON *item;
    char mutability[16];
    int n = 0;

    cJSON_ArrayForEach(item, data)
    {
        struct told t = {.component = ocpp_get(item, "component"),
                         .variable = ocpp_get(item, "variable"),
                         .item = actual(ocpp_get(item, "variableAttribute")),
                         .limits = ocpp_get(item, "variableCharacteristics"),
                         .key = "value"};

        count(c, t.component);
        ocpp_get_text(t.item, "mutability", mutability, sizeof mutability);
        t.fixed = strcasecmp(mutability, "ReadOnly") == 0;
        if (t.item)
            n += take_known(c, &t);
    }
    return n;
}

/* The next result with a value. */
static const cJSON *next(const cJSON *item)
{
    char status[32];

    for (; item; item = item->next) {
        ocpp_get_text(item, "attributeStatus", status, sizeof status);
        if (strcasecmp(status, "Accepted") == 0)
            break;
    }
    return item;
}

static struct told told(const cJSON *result)
{
    return (struct told){.component = ocpp_get(result, "component"),
                         .variable = ocpp_get(result, "variable"),
                         .item = result,
                         .key = "attributeValue"};
}

static const cJSON *results(const cJSON *p)
{
    const cJSON *array = ocpp_get(p, "getVariableResult");

    return array ? array->child : NULL;
}

int ocpp201_read_config(const cJSON *p, struct ocpp_config *c)
{
    int n = read_reported(ocpp_get(p, "reportData"), c);

    for (const cJSON *i = results(p); (i = next(i)); i = i->next) {
        struct told t = told(i);

        n += take_known(c, &t);
    }
    return n;
}

bool ocpp201_read_list(const cJSON *p, struct ocpp_list_ability *l)
{
    *l = (struct ocpp_list_ability){.enabled = -1, .max = -1, .per = -1, .bytes = -1};
    for (const cJSON *i = results(p); (i = next(i)); i = i->next) {
        struct told t = told(i);

        if (is_named(t.variable, "Enabled", NULL))
            l->enabled = truth(&t) == 1;
        else if (is_named(t.variable, "ItemsPerMessage", NULL) && whole(&t) > 0)
            l->per = whole(&t);
        else if (is_named(t.variable, "BytesPerMessage", NULL))
            l->bytes = whole(&t);
    }
    return l->enabled >= 0 || l->per > 0;
}

bool ocpp201_read_report(const cJSON *p, struct ocpp_report *r,
                         struct ocpp_fault *fault)
{
    int64_t part;

    r->more = cJSON_IsTrue(ocpp_get(p, "tbc"));
    r->part = ocpp_get_int(p, "seqNo", &part) && part >= 0 && part <= INT32_MAX
                  ? (int32_t)part
                  : -1;
    return ocpp_need_int(p, "requestId", INT32_MIN, INT32_MAX, &r->request, fault);
}

/* ---- changes */

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
    const cJSON *array = ocpp_get(p, "setVariableResult");
    char status[32] = "";

    if (array && array->child)
        ocpp_get_text(array->child, "attributeStatus", status, sizeof status);
    return strcasecmp(status, "Accepted") == 0 ||
           strcasecmp(status, "RebootRequired") == 0;
}
