/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the messages of OCPP 1.6: what leaves us strictly, what comes in
 * leniently, and what people must not send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "proto/ocpp16_schema.h"

#define PROFILE(purpose, more)                                                         \
    "\"chargingProfileId\":1000,\"stackLevel\":0,\"chargingProfilePurpose\":"          \
    "\"" purpose "\",\"chargingProfileKind\":\"Absolute\"," more
#define SCHEDULE(periods)                                                              \
    "\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":"     \
    "[" periods "]}"
#define PERIOD "{\"startPeriod\":0,\"limit\":16}"
#define MAX "ChargePointMaxProfile"

static void is_sorted(const struct ocpp_schema *s, enum ocpp_asker asker)
{
    const struct ocpp_table *t = asker == OCPP_SYSTEM ? s->ours : s->theirs;

    for (int i = 0; i < t->n; i++) {
        if (i > 0)
            assert_true(strcmp(t->messages[i - 1].action, t->messages[i].action) < 0);
        assert_ptr_equal(ocpp_schema_find(s, asker, t->messages[i].action),
                         &t->messages[i]);
        /* what chargers ask is understood, or has an answer that is always the same */
        if (asker == OCPP_STATION)
            assert_true(!t->messages[i].says != !t->messages[i].reply);
    }
}

static void sorted_and_complete(void **state)
{
    (void)state;
    for (const struct ocpp_schema *const *s = ocpp_schemas; *s; s++) {
        is_sorted(*s, OCPP_SYSTEM);
        is_sorted(*s, OCPP_STATION);
    }
    /* 28 of 1.6, 11 of the whitepaper; both have DataTransfer */
    assert_int_equal(ocpp16_schema.ours->n, 26);
    assert_int_equal(ocpp16_schema.theirs->n, 14);
    assert_null(ocpp_schema_find(&ocpp16_schema, OCPP_SYSTEM, "Authorize"));
    assert_null(ocpp_schema_find(&ocpp16_schema, OCPP_STATION, "Reset"));
    assert_null(ocpp_schema_find(&ocpp16_schema, OCPP_STATION, ""));
}

static const char *check(bool strict, const char *action, const char *json,
                         char why[OCPP_WHY])
{
    const struct ocpp_message *ours =
        ocpp_schema_find(&ocpp16_schema, OCPP_SYSTEM, action);
    const struct ocpp_message *m =
        ours ? ours : ocpp_schema_find(&ocpp16_schema, OCPP_STATION, action);
    cJSON *o = cJSON_Parse(json);
    const char *code;

    assert_non_null(m);
    code = (strict ? ocpp_schema_strict : ocpp_schema_lenient)(&ocpp16_schema,
                                                               m->request, o, why);
    cJSON_Delete(o);
    return code;
}

#define MISSING "OccurenceConstraintViolation"
#define TYPE "TypeConstraintViolation"
#define VALUE "PropertyConstraintViolation"
#define FORM "FormationViolation"

static const struct {
    const char *what, *action, *json, *code, *why; /* code NULL = good */
} cases[] = {
    {"nothing asked", "ClearCache", "{}", NULL, ""},
    {"no object", "ClearCache", "[]", FORM, "payload: is no object"},
    {"no JSON", "ClearCache", "{", FORM, "payload: is no object"},
    {"a field too many", "ClearCache", "{\"x\":1}", FORM, "x: there is no such field"},
    {"a word", "Reset", "{\"type\":\"Soft\"}", NULL, ""},
    {"another word", "Reset", "{\"type\":\"soft\"}", VALUE,
     "type: 'soft' is none of Hard, Soft"},
    {"a part of a word", "Reset", "{\"type\":\"Har\"}", VALUE,
     "type: 'Har' is none of Hard, Soft"},
    {"two words", "Reset", "{\"type\":\"Hard|Soft\"}", VALUE,
     "type: 'Hard|Soft' is none of Hard, Soft"},
    {"an empty word", "Reset", "{\"type\":\"\"}", VALUE,
     "type: '' is none of Hard, Soft"},
    {"no word", "Reset", "{\"type\":7}", TYPE, "type: is no text"},
    {"missing", "Reset", "{}", MISSING, "type: is missing"},
    {"null", "Reset", "{\"type\":null}", TYPE, "type: is no text"},
    {"twice", "Reset", "{\"type\":\"Hard\",\"type\":\"Hard\"}", FORM,
     "type: is there twice"},
    {"below", "UnlockConnector", "{\"connectorId\":0}", VALUE,
     "connectorId: 0 is not in 1 to 2147483647"},
    {"beyond 32 bits", "UnlockConnector", "{\"connectorId\":2147483648}", VALUE,
     "connectorId: 2147483648 is not in 1 to 2147483647"},
    {"a half", "UnlockConnector", "{\"connectorId\":1.5}", TYPE,
     "connectorId: 1.5 is no whole number"},
    {"a number as text", "UnlockConnector", "{\"connectorId\":\"1\"}", TYPE,
     "connectorId: is no number"},
    {"long enough", "RemoteStartTransaction", "{\"idTag\":\"12345678901234567890\"}",
     NULL, ""},
    {"characters, not bytes", "RemoteStartTransaction",
     "{\"idTag\":\"\u00fc2345678901234567890\"}", NULL, ""},
    {"too long", "RemoteStartTransaction", "{\"idTag\":\"123456789012345678901\"}",
     VALUE, "idTag: is longer than 20 characters"},
    {"times", "GetDiagnostics",
     "{\"location\":\"ftp://u:p@h/d\",\"startTime\":\"2019-03-01T14:20:00.5+01:00\"}",
     NULL, ""},
    {"no time", "GetDiagnostics",
     "{\"location\":\"ftp://h/d\",\"startTime\":\"2019-03-01 14:20:00Z\"}", VALUE,
     "startTime: '2019-03-01 14:20:00Z' is no time like 2019-03-01T14:20:00Z"},
    {"a time without zone", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2019-03-01T14:20:00\"}", VALUE,
     "retrieveDate: '2019-03-01T14:20:00' is no time like 2019-03-01T14:20:00Z"},
    {"no month", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2019-13-01T14:20:00Z\"}", VALUE,
     "retrieveDate: '2019-13-01T14:20:00Z' is no time like 2019-03-01T14:20:00Z"},
    {"no day of that month", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2019-02-29T14:20:00Z\"}", VALUE,
     NULL},
    {"a day of a leap year", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2020-02-29T23:59:59.5+01:30\"}",
     NULL, NULL},
    {"no hour", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2019-03-01T24:00:00Z\"}", VALUE,
     NULL},
    {"no zone", "UpdateFirmware",
     "{\"location\":\"http://h/d\",\"retrieveDate\":\"2019-03-01T14:20:00+1:300\"}",
     VALUE, NULL},
    {"no address", "GetDiagnostics", "{\"location\":\"/tmp/x\"}", VALUE,
     "location: '/tmp/x' is no address like http://..."},
    {"an address with a blank", "GetDiagnostics", "{\"location\":\"http://h/a b\"}",
     VALUE, "location: 'http://h/a b' is no address like http://..."},
    {"a list", "GetConfiguration", "{\"key\":[\"HeartbeatInterval\"]}", NULL, ""},
    {"no list", "GetConfiguration", "{\"key\":\"HeartbeatInterval\"}", TYPE,
     "key: is no list"},
    {"a list of numbers", "GetConfiguration", "{\"key\":[7]}", TYPE, "key: is no text"},
    {"a profile", "SetChargingProfile",
     "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(MAX, SCHEDULE(PERIOD)) "}}",
     NULL, ""},
    {"a profile without periods", "SetChargingProfile",
     "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(MAX, SCHEDULE("")) "}}",
     MISSING, "csChargingProfiles.chargingSchedule.chargingSchedulePeriod: is empty"},
    {"a hundredth", "SetChargingProfile",
     "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
         MAX, SCHEDULE("{\"startPeriod\":0,\"limit\":6.55}")) "}}",
     VALUE,
     "csChargingProfiles.chargingSchedule.chargingSchedulePeriod.limit: "
     "6.55 is no multiple of 0.1"},
    {"four phases", "SetChargingProfile",
     "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
         MAX, SCHEDULE("{\"startPeriod\":0,\"limit\":6,\"numberPhases\":4}")) "}}",
     VALUE,
     "csChargingProfiles.chargingSchedule.chargingSchedulePeriod.numberPhases: "
     "4 is not in 1 to 3"},
    {"a control character", "Reset", "{\"type\":\"a\\u0007b\"}", VALUE, NULL},
    {"a name with one", "Reset", "{\"a\\u0007b\":1}", FORM, NULL},
};

static void strictly(void **state)
{
    char why[OCPP_WHY];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *code = check(true, cases[i].action, cases[i].json, why);

        if (!code != !cases[i].code || (code && strcmp(code, cases[i].code) != 0) ||
            (cases[i].why && strcmp(why, cases[i].why) != 0))
            fail_msg("%s: %s, \"%s\"", cases[i].what, code ? code : "good", why);
        for (const char *p = why; *p; p++)
            assert_true((unsigned char)*p >= ' ');
    }
}

static void leniently(void **state)
{
    static const struct {
        const char *what, *action, *json, *code;
    } rows[] = {
        {"Q47: a number as text", "StatusNotification",
         "{\"connectorId\":\" 1\",\"status\":\"Available\"}", NULL},
        {"Q46: unknown words and fields", "StatusNotification",
         "{\"connectorId\":1,\"status\":\"Dancing\",\"errorCode\":\"Error\",\"x\":[]}",
         NULL},
        {"Q47: a text as number", "Authorize", "{\"idTag\":12}", NULL},
        {"Q47: no samples", "MeterValues", "{\"connectorId\":1,\"meterValue\":[]}",
         NULL},
        {"a word of the wrong type", "FirmwareStatusNotification", "{\"status\":{}}",
         TYPE},
        {"no word", "DiagnosticsStatusNotification", "{}", MISSING},
        {"null", "SignCertificate", "{\"csr\":null}", MISSING},
        {"empty", "SecurityEventNotification", "{\"type\":\"\"}", VALUE},
        {"id is no number", "StopTransaction", "{\"transactionId\":\"x\"}", TYPE},
        {"boot without anything", "BootNotification", "{}", NULL},
    };
    char why[OCPP_WHY];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *code = check(false, rows[i].action, rows[i].json, why);

        if (!code != !rows[i].code || (code && strcmp(code, rows[i].code) != 0))
            fail_msg("%s: %s, \"%s\"", rows[i].what, code ? code : "good", why);
    }
}

static void guarded(void **state)
{
    static const struct {
        const char *what, *action, *json;
        bool good;
        unsigned effects;
    } rows[] = {
        {"reset", "Reset", "{\"type\":\"Hard\"}", true, OCPP_LIMITS},
        {"a vendor's command", "DataTransfer", "{\"vendorId\":\"x\"}", true,
         OCPP_LIMITS},
        {"a setting", "ChangeConfiguration",
         "{\"key\":\"heartbeatinterval\",\"value\":\"60\"}", true, OCPP_SETTINGS},
        {"a vendor's setting", "ChangeConfiguration",
         "{\"key\":\"MaxCurrent\",\"value\":\"32\"}", true,
         OCPP_SETTINGS | OCPP_LIMITS},
        {"a list", "SendLocalList", "{\"listVersion\":1,\"updateType\":\"Full\"}", true,
         OCPP_LIST},
        {"start", "RemoteStartTransaction", "{\"idTag\":\"a\"}", true, 0},
        {"start with a limit", "RemoteStartTransaction",
         "{\"idTag\":\"a\",\"chargingProfile\":{}}", false, 0},
        {"clear all", "ClearChargingProfile", "{}", false, 0},
        {"clear ours by level", "ClearChargingProfile", "{\"stackLevel\":1}", false, 0},
        {"clear ours by id", "ClearChargingProfile", "{\"id\":12,\"stackLevel\":9}",
         false, 0},
        {"clear on a connector", "ClearChargingProfile", "{\"connectorId\":1}", false,
         0},
        {"clear by purpose", "ClearChargingProfile",
         "{\"chargingProfilePurpose\":\"TxProfile\"}", false, 0},
        {"clear others by level", "ClearChargingProfile", "{\"stackLevel\":2}", true,
         OCPP_LIMITS},
        {"clear others by id", "ClearChargingProfile", "{\"id\":1000}", true,
         OCPP_LIMITS},
        {"clear the charger's", "ClearChargingProfile",
         "{\"chargingProfilePurpose\":\"" MAX "\"}", true, OCPP_LIMITS},
        {"lower the charger", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(MAX,
                                                               SCHEDULE(PERIOD)) "}}",
         true, 0},
        {"on a connector", "SetChargingProfile",
         "{\"connectorId\":1,\"csChargingProfiles\":{" PROFILE(MAX,
                                                               SCHEDULE(PERIOD)) "}}",
         false, 0},
        {"a TxProfile", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE("TxProfile",
                                                               SCHEDULE(PERIOD)) "}}",
         false, 0},
        {"a TxDefaultProfile", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE("TxDefaultProfile",
                                                               SCHEDULE(PERIOD)) "}}",
         false, 0},
        {"daily without a day", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
             MAX, "\"recurrencyKind\":\"Daily\"," SCHEDULE(PERIOD)) "}}",
         false, 0},
        {"begins late", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
             MAX, SCHEDULE("{\"startPeriod\":1,\"limit\":6}")) "}}",
         false, 0},
        {"names phases", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
             MAX, SCHEDULE("{\"startPeriod\":0,\"limit\":6,\"numberPhases\":1}")) "}}",
         false, 0},
        {"goes back", "SetChargingProfile",
         "{\"connectorId\":0,\"csChargingProfiles\":{" PROFILE(
             MAX, SCHEDULE(PERIOD "," PERIOD)) "}}",
         false, 0},
    };
    const struct ocpp_ours ours = {.top_level = 1}, all = {1, true};
    char why[OCPP_WHY];
    unsigned effects;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *o = cJSON_Parse(rows[i].json);
        bool good = ocpp16_schema.guard(rows[i].action, o, &ours, &effects, why);

        assert_non_null(o);
        if (good != rows[i].good || (good && effects != rows[i].effects) ||
            good != !*why)
            fail_msg("%s: %d, effects %u, \"%s\"", rows[i].what, good, effects, why);
        if (strstr(rows[i].json, MAX))
            assert_false(ocpp16_schema.guard(rows[i].action, o, &all, &effects, why));
        cJSON_Delete(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_complete),
        cmocka_unit_test(strictly),
        cmocka_unit_test(leniently),
        cmocka_unit_test(guarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
