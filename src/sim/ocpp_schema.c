/* SPDX-License-Identifier: Apache-2.0 */
/* A strict look at the calls that a central system makes to a charge point. */
#include "sim/ocpp_schema.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"

enum type { INT, TENTHS, TEXT, WORD, TIME, TEXTS, OBJECT, OBJECTS };

struct field {
    const char *name; /* NULL ends a list */
    enum type type;
    bool required;
    int most;                /* TEXT, TEXTS: characters */
    const char *words;       /* WORD: between bars */
    const struct field *sub; /* OBJECT, OBJECTS */
};

static const char MISSING[] = "OccurenceConstraintViolation"; /* sic, in 1.6 */
static const char WRONG_TYPE[] = "TypeConstraintViolation";
static const char WRONG_VALUE[] = "PropertyConstraintViolation";
static const char FORMATION[] = "FormationViolation";

/* clang-format off */
static const struct field period[] = {
    {"startPeriod", INT, true},
    {"limit", TENTHS, true},
    {"numberPhases", INT},
    {0},
};
static const struct field schedule[] = {
    {"duration", INT},
    {"startSchedule", TIME},
    {"chargingRateUnit", WORD, true, .words = "|A|W|"},
    {"chargingSchedulePeriod", OBJECTS, true, .sub = period},
    {"minChargingRate", TENTHS},
    {0},
};
static const struct field profile[] = {
    {"chargingProfileId", INT, true},
    {"transactionId", INT},
    {"stackLevel", INT, true},
    {"chargingProfilePurpose", WORD, true,
     .words = "|ChargePointMaxProfile|TxDefaultProfile|TxProfile|"},
    {"chargingProfileKind", WORD, true, .words = "|Absolute|Recurring|Relative|"},
    {"recurrencyKind", WORD, .words = "|Daily|Weekly|"},
    {"validFrom", TIME},
    {"validTo", TIME},
    {"chargingSchedule", OBJECT, true, .sub = schedule},
    {0},
};
static const struct field nothing[] = {{0}};
static const struct field change_availability[] = {
    {"connectorId", INT, true},
    {"type", WORD, true, .words = "|Inoperative|Operative|"},
    {0},
};
static const struct field change_configuration[] = {
    {"key", TEXT, true, 50},
    {"value", TEXT, true, 500},
    {0},
};
static const struct field clear_profile[] = {
    {"id", INT},
    {"connectorId", INT},
    {"chargingProfilePurpose", WORD,
     .words = "|ChargePointMaxProfile|TxDefaultProfile|TxProfile|"},
    {"stackLevel", INT},
    {0},
};
static const struct field composite[] = {
    {"connectorId", INT, true},
    {"duration", INT, true},
    {"chargingRateUnit", WORD, .words = "|A|W|"},
    {0},
};
static const struct field data_transfer[] = {
    {"vendorId", TEXT, true, 255},
    {"messageId", TEXT, false, 50},
    {"data", TEXT, false, 65536},
    {0},
};
static const struct field get_configuration[] = {{"key", TEXTS, false, 50}, {0}};
static const struct field remote_start[] = {
    {"connectorId", INT},
    {"idTag", TEXT, true, 20},
    {"chargingProfile", OBJECT, .sub = profile},
    {0},
};
static const struct field remote_stop[] = {{"transactionId", INT, true}, {0}};
static const struct field reset[] = {{"type", WORD, true, .words = "|Hard|Soft|"}, {0}};
static const struct field set_profile[] = {
    {"connectorId", INT, true},
    {"csChargingProfiles", OBJECT, true, .sub = profile},
    {0},
};
static const struct field trigger[] = {
    {"requestedMessage", WORD, true,
     .words = "|BootNotification|DiagnosticsStatusNotification|"
              "FirmwareStatusNotification|Heartbeat|MeterValues|StatusNotification|"},
    {"connectorId", INT},
    {0},
};
static const struct field unlock[] = {{"connectorId", INT, true}, {0}};

static const struct {
    const char *action;
    const struct field *fields;
} actions[] = {
    {"ChangeAvailability", change_availability},
    {"ChangeConfiguration", change_configuration},
    {"ClearCache", nothing},
    {"ClearChargingProfile", clear_profile},
    {"DataTransfer", data_transfer},
    {"GetCompositeSchedule", composite},
    {"GetConfiguration", get_configuration},
    {"RemoteStartTransaction", remote_start},
    {"RemoteStopTransaction", remote_stop},
    {"Reset", reset},
    {"SetChargingProfile", set_profile},
    {"TriggerMessage", trigger},
    {"UnlockConnector", unlock},
};
/* clang-format on */

struct report {
    char *why;
    size_t size;
};

static const char *tell(struct report *r, const char *code, const char *field,
                        const char *what)
{
    snprintf(r->why, r->size, "%s: %s", field, what);
    return code;
}

static bool is_word(const char *words, const char *word)
{
    char barred[64];

    if (strchr(word, '|') || strlen(word) + 3 > sizeof barred)
        return false;
    snprintf(barred, sizeof barred, "|%s|", word);
    return strstr(words, barred) != NULL;
}

static const char *check_number(const struct field *f, const cJSON *v, struct report *r)
{
    double tenths;

    if (!cJSON_IsNumber(v))
        return tell(r, WRONG_TYPE, f->name, "is no number");
    if (fabs(v->valuedouble) > INT32_MAX / 10 * (f->type == INT ? 10.0 : 1.0))
        return tell(r, WRONG_VALUE, f->name, "is too large");
    if (f->type == INT && v->valuedouble != floor(v->valuedouble))
        return tell(r, WRONG_TYPE, f->name, "is no whole number");
    tenths = v->valuedouble * 10;
    if (f->type == TENTHS && fabs(tenths - round(tenths)) > 1e-6)
        return tell(r, WRONG_VALUE, f->name, "is no multiple of 0.1");
    return NULL;
}

static const char *check_text(const struct field *f, const cJSON *v, struct report *r)
{
    int64_t utc_s;

    if (!cJSON_IsString(v))
        return tell(r, WRONG_TYPE, f->name, "is no string");
    if (f->type == WORD && !is_word(f->words, v->valuestring))
        return tell(r, WRONG_VALUE, f->name, "is none of its words");
    if (f->type == TIME && !clock_parse_utc(v->valuestring, &utc_s))
        return tell(r, WRONG_VALUE, f->name, "is no time");
    if (f->most && strlen(v->valuestring) > (size_t)f->most)
        return tell(r, WRONG_VALUE, f->name, "is too long");
    return NULL;
}

static const char *check_object(const struct field *fields, const cJSON *v,
                                struct report *r);

static const char *check_list(const struct field *f, const cJSON *v, struct report *r)
{
    const char *fault = NULL;
    const cJSON *item;

    if (!cJSON_IsArray(v))
        return tell(r, WRONG_TYPE, f->name, "is no list");
    if (f->required && cJSON_GetArraySize(v) == 0)
        return tell(r, MISSING, f->name, "is empty");
    cJSON_ArrayForEach(item, v)
    {
        struct field one = *f;

        one.type = TEXT;
        if (f->type == TEXTS)
            fault = check_text(&one, item, r);
        else if (!cJSON_IsObject(item))
            fault = tell(r, WRONG_TYPE, f->name, "is no list of objects");
        else
            fault = check_object(f->sub, item, r);
        if (fault)
            return fault;
    }
    return NULL;
}

static const char *check_field(const struct field *f, const cJSON *v, struct report *r)
{
    switch (f->type) {
    case INT:
    case TENTHS:
        return check_number(f, v, r);
    case TEXT:
    case WORD:
    case TIME:
        return check_text(f, v, r);
    case TEXTS:
    case OBJECTS:
        return check_list(f, v, r);
    case OBJECT:
        if (!cJSON_IsObject(v))
            return tell(r, WRONG_TYPE, f->name, "is no object");
        return check_object(f->sub, v, r);
    }
    return NULL;
}

static const char *check_object(const struct field *fields, const cJSON *v,
                                struct report *r)
{
    const char *fault = NULL;
    const cJSON *item;

    cJSON_ArrayForEach(item, v)
    {
        const struct field *f = fields;

        while (f->name && strcmp(f->name, item->string) != 0)
            f++;
        if (!f->name)
            return tell(r, FORMATION, item->string, "is not known here");
        fault = check_field(f, item, r);
        if (fault)
            return fault;
    }
    for (const struct field *f = fields; f->name; f++)
        if (f->required && !cJSON_GetObjectItemCaseSensitive(v, f->name))
            return tell(r, MISSING, f->name, "is missing");
    return NULL;
}

const char *ocpp_schema_fault(const char *action, const cJSON *payload, char *why,
                              size_t size)
{
    struct report r = {why, size};

    why[0] = '\0';
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].action, action) != 0)
            continue;
        if (cJSON_IsNull(payload) && actions[i].fields == nothing)
            return NULL;
        if (!cJSON_IsObject(payload))
            return tell(&r, FORMATION, action, "its payload is no object");
        return check_object(actions[i].fields, payload, &r);
    }
    return tell(&r, "NotImplemented", action, "is not known");
}
