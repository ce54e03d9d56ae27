/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1 over a link without sockets: transactions that a station names itself,
 * what it is told, and what its messages are answered. That all messages are as they
 * should be is tried against another's schemas in tests/e2e/test/messages.test.js. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "proto/ocpp201.h"

#define EVENT(seq, type, state, more)                                                  \
    "{\"eventType\":\"" type "\",\"timestamp\":\"2019-03-01T14:20:00Z\","              \
    "\"triggerReason\":\"Authorized\",\"seqNo\":" seq ",\"evse\":{\"id\":1},"          \
    "\"transactionInfo\":{\"transactionId\":\"tx-7\",\"chargingState\":\"" state       \
    "\"}" more "}"
#define TOKEN ",\"idToken\":{\"idToken\":\"CARD\",\"type\":\"ISO14443\"}"
#define ENERGY(context, kwh)                                                           \
    ",\"meterValue\":[{\"timestamp\":\"2019-03-01T14:20:00Z\",\"sampledValue\":["      \
    "{\"value\":" kwh ",\"context\":\"" context "\",\"unitOfMeasure\":"                \
    "{\"unit\":\"Wh\",\"multiplier\":3}}]}]"

static struct rig *station(void)
{
    struct rig *r = rig_new(1);

    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    return r;
}

static void a_transaction(void **state)
{
    struct rig *r = station();
    const struct ocpp_tx *tx = &r->p->c[0].tx;

    (void)state;
    r->conf.ocpp.accept_all_tags = true;
    rig_call(
        r, "TransactionEvent",
        EVENT("0", "Started", "EVConnected", TOKEN ENERGY("Transaction.Begin", "1.5")),
        "{\"idTokenInfo\":{\"status\":\"Accepted\"}}");
    assert_true(tx->active);
    assert_string_equal(tx->name, "tx-7");
    assert_string_equal(tx->tag, "CARD");
    assert_int_equal(r->n_sessions, 1);
    assert_int_equal(r->sessions[0].register_wh, 1500);
    /* sent again, it is the same one */
    rig_call(r, "TransactionEvent", EVENT("0", "Started", "EVConnected", ""), "{}");
    assert_int_equal(r->n_sessions, 1);
    rig_call(r, "TransactionEvent", EVENT("1", "Updated", "Charging", ""), "{}");
    assert_int_equal(r->p->c[0].status, STATUS_CHARGING);
    /* that somebody is there says less than that */
    rig_call(r, "StatusNotification",
             "{\"timestamp\":\"2019-03-01T14:20:00Z\",\"connectorStatus\":\"Occupied\","
             "\"evseId\":1,\"connectorId\":1}",
             "{}");
    assert_int_equal(r->p->c[0].status, STATUS_CHARGING);
    rig_call(r, "TransactionEvent",
             EVENT("2", "Ended", "Idle", ENERGY("Transaction.End", "2.25")), "{}");
    assert_false(tx->active);
    assert_int_equal(r->n_sessions, 2);
    assert_int_equal(r->sessions[1].register_wh, 2250);
    /* one that was under way before us; the book takes it for the one it has open */
    rig_wait(r, OCPP_GONE_MS);
    rig_call(r, "TransactionEvent", EVENT("1", "Updated", "Charging", ""), "{}");
    assert_true(tx->active);
    assert_true(r->sessions[2].resumed && r->sessions[2].nameless);
    rig_free(r);
}

static void wants(struct rig *r, const char *message)
{
    char want[80];

    ocpp_sample_order(r->p, &r->p->c[0]);
    snprintf(want, sizeof want, "{\"requestedMessage\":\"%s\",\"evse\":{\"id\":1}}",
             message);
    assert_string_equal(rig_expect(r, "TriggerMessage"), want);
}

/* In a transaction its measurands are those that it was set to: the others may be the
 * energy alone. */
static void fresh_values(void **state)
{
    struct rig *r = station();

    (void)state;
    rig_settle(r, "Accepted");
    rig_wait(r, 10000);
    rig_settle(r, "Accepted");
    wants(r, "MeterValues");
    rig_status(r, "Accepted");
    rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""), "{}");
    rig_settle(r, "Accepted");
    rig_wait(r, OCPP_TRIGGER_MS);
    rig_settle(r, "Accepted");
    wants(r, "TransactionEvent");
    rig_status(r, "Accepted");
    rig_wait(r, OCPP_TRIGGER_MS);
    rig_settle(r, "Accepted");
    wants(r, "TransactionEvent");
    rig_status(r, "NotImplemented");
    assert_string_equal(rig_expect(r, "TriggerMessage"),
                        "{\"requestedMessage\":\"MeterValues\",\"evse\":{\"id\":1}}");
    rig_status(r, "Accepted");
    rig_wait(r, OCPP_TRIGGER_MS);
    rig_settle(r, "Accepted");
    wants(r, "MeterValues");
    rig_free(r);
}

static void frames(void **state)
{
    struct rig *r = station();

    (void)state;
    rig_call(r, "NotifyEvent", "{}", "{}");
    rig_call(r, "GetCertificateStatus", "{}", "{\"status\":\"Failed\"}");
    rig_call(r, "StartTransaction", "{}", "NotImplemented");
    rig_call(r, "MeterValues", "{}", "OccurrenceConstraintViolation");
    rig_free(r);
}

/* Stations that speak another version than was agreed on: told once, with what to do,
 * and answered in words of the one that was (Q27, Q43). */
static void wrong_versions(void **state)
{
#define BOOT16 "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}"
#define BOOT201                                                                        \
    "{\"chargingStation\":{\"model\":\"M\",\"vendorName\":\"V\"},\"reason\":"          \
    "\"PowerUp\"}"
#define TOLD(is, on, action)                                                           \
    "speaks OCPP " is " on a connection of " on " (" action "): set chargers[].ocpp "  \
    "to '" is "' for it in the site file"
    static const char missing[] = "OccurrenceConstraintViolation";
    static const char missing16[] = "OccurenceConstraintViolation"; /* as 1.6 has it */
    static const struct {
        const char *version, *action, *json, *want, *told;
    } rows[] = {
        {"ocpp2.0.1", "BootNotification", BOOT16, missing,
         TOLD("1.6", "2.0.1", "BootNotification")},
        {"ocpp2.0.1", "StatusNotification",
         "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\"}",
         missing, TOLD("1.6", "2.0.1", "StatusNotification")},
        {"ocpp2.0.1", "MeterValues",
         "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2019-03-01T14:20:00Z\","
         "\"sampledValue\":[{\"value\":\"1\"}]}]}",
         missing, TOLD("1.6", "2.0.1", "MeterValues")},
        {"ocpp2.0.1", "Authorize", "{\"idTag\":\"CARD\"}", missing,
         TOLD("1.6", "2.0.1", "Authorize")},
        {"ocpp2.0.1", "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"CARD\",\"meterStart\":0,\"timestamp\":"
         "\"2019-03-01T14:20:00Z\"}",
         "NotImplemented", TOLD("1.6", "2.0.1", "StartTransaction")},
        {"ocpp1.6", "BootNotification", BOOT201, missing16,
         TOLD("2.0.1", "1.6", "BootNotification")},
        {"ocpp1.6", "TransactionEvent", EVENT("0", "Started", "Charging", ""),
         "NotImplemented", TOLD("2.0.1", "1.6", "TransactionEvent")},
        /* those make a mistake, or are of no version at all */
        {"ocpp2.0.1", "BootNotification", "{}",
         "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,\"status\":"
         "\"Accepted\"}",
         NULL},
        {"ocpp2.0.1", "MeterValues", "{\"connectorId\":1}", missing,
         TOLD("1.6", "2.0.1", "MeterValues")},
        {"ocpp2.0.1", "MeterValues", "{}", missing, NULL},
        {"ocpp2.0.1", "Status", "{}", "NotImplemented", NULL},
        {"ocpp2.0.1", "DiagnosticsStatusNotification", "{\"status\":\"Idle\"}",
         "NotImplemented", NULL},
        {"ocpp1.6", "NotifyEvent", "{}", "NotImplemented", NULL},
        {"ocpp1.6", "StatusNotification", "{\"connectorId\":1,\"status\":\"Charging\"}",
         "{}", NULL},
        {"ocpp1.6", "FirmwareStatusNotification",
         "{\"status\":\"Idle\",\"requestId\":1}", "{}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = rig_new(1);

        ocpp_peer_speak(r->p, ocpp_schema_named(rows[i].version));
        ocpp_peer_up(r->p, r);
        for (int twice = 0; twice < 2; twice++)
            rig_call(r, rows[i].action, rows[i].json, rows[i].want);
        assert_int_equal(r->troubles, rows[i].told ? 1 : 0);
        assert_string_equal(r->trouble, rows[i].told ? rows[i].told : "");
        assert_false(r->p->c[0].tx.active);
        /* over with another version, or when there was no such word for long */
        if (i % 2) {
            rig_wait(r, OCPP_WRONG_MS - 1000);
            assert_int_equal(r->troubles, rows[i].told ? 1 : 0);
            rig_wait(r, 2000);
        } else {
            ocpp_peer_down(r->p);
            ocpp_peer_speak(r->p,
                            ocpp_schema_named(strcmp(rows[i].version, "ocpp1.6") == 0
                                                  ? "ocpp2.0.1"
                                                  : "ocpp1.6"));
        }
        assert_int_equal(r->troubles, 0);
        rig_free(r);
    }
}

/* One that checks what it is told by the schema of 1.6: no limit counts as told, and
 * the user hears why. Codes are understood in both spellings. */
static void wrong_schema(void **state)
{
    static const char *const codes[] = {"FormationViolation", "FormatViolation",
                                        "OccurenceConstraintViolation",
                                        "OccurrenceConstraintViolation"};
    const char *action;

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof codes / sizeof *codes); i++) {
        struct rig *r = rig_new(1);
        bool old = i % 2;
        uint32_t seq;

        ocpp_peer_speak(r->p, ocpp_schema_named(old ? "ocpp1.6" : "ocpp2.0.1"));
        ocpp_peer_up(r->p, r);
        rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
        rig_settle(r, "Accepted");
        seq = rig_order(r, 1, 10000, 600000);
        while (*(action = rig_next(r, NULL)))
            if (strcmp(action, "SetChargingProfile") == 0)
                rig_fail(r, codes[i / 2],
                         "csChargingProfiles validation failed: connectorId");
            else
                rig_status(r, "Accepted");
        assert_int_equal(rig_answered(r, seq), ANSWER_REJECTED);
        /* it has refused all forms of a limit, and is told the fallback anew */
        assert_int_equal(r->troubles, old ? 1 : 3);
        assert_int_equal(*r->p->trouble[OCPP_TROUBLE_REFUSES] != 0, 1);
        if (!old)
            assert_string_equal(r->p->trouble[OCPP_TROUBLE_VERSION],
                                TOLD("1.6", "2.0.1", "SetChargingProfile"));
        rig_free(r);
    }
}

/* One that says yes to everything, in whatever version that was meant: what it took
 * before and what it takes now are worth nothing, until it has not done that for long.
 */
static void wrong_yes(void **state)
{
    struct rig *r = rig_new(1);
    const struct event *e;
    uint32_t seq;

    (void)state;
    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
    rig_settle(r, "Accepted");
    seq = rig_order(r, 1, 10000, 600000);
    rig_settle(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_call(r, "Authorize", "{\"idTag\":\"CARD\"}", "OccurrenceConstraintViolation");
    e = rig_last(r, EVENT_LINK);
    assert_true(e && e->link.up && e->link.boot); /* the core begins anew with it */
    seq = rig_order(r, 1, 8000, 600000);
    rig_settle(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_REJECTED);
    rig_wait(r, OCPP_WRONG_MS + 1000);
    rig_settle(r, "Accepted");
    assert_int_equal(r->troubles, 0);
    seq = rig_order(r, 1, 8000, 600000);
    rig_settle(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_free(r);
}

/* The message types 5 and 6, with a version that has them, as 2.1 will. */
static void unconfirmed(void **state)
{
    struct ocpp_schema next = ocpp201_schema;
    struct rig *r = rig_new(1);

    (void)state;
    next.sends = true;
    ocpp_peer_speak(r->p, &next);
    ocpp_peer_up(r->p, r);
    rig_says(r, "[6,\"a\",\"StatusNotification\",{\"timestamp\":"
                "\"2019-03-01T14:20:00Z\",\"connectorStatus\":\"Reserved\","
                "\"evseId\":1,\"connectorId\":1}]");
    assert_int_equal(r->p->c[0].status, STATUS_RESERVED); /* and it is ready */
    assert_true(r->p->ready);
    rig_settle(r, "Accepted");
    rig_says(r, "[6,\"a\",\"MakeTea\",{}]");
    rig_says(r, "[6,\"a\",\"MeterValues\",7]");
    rig_says(r, "[6,\"a\"");
    rig_says(r, "[5,\"a\",\"FormatViolation\",\"what?\",{}]");
    assert_int_equal(r->n, 0);
    rig_free(r);
}

static void limits(void **state)
{
    const struct ocpp_profile rows[] = {
        {.connector = 1,
         .id = 1,
         .start = "2019-03-01T14:20:00Z",
         .n = 1,
         .period[0].limit = 60},
        {.connector = 1,
         .id = 3,
         .level = 1,
         .purpose = OCPP_TX,
         .transaction_name = "0123456789-123456789-123456789-12345",
         .start = "2019-03-01T14:20:00Z",
         .duration_s = 2000000000,
         .phases = 1,
         .n = 2,
         .period = {{0, 2147483647}, {2000000000, 2147483647}}},
        {.id = 4,
         .purpose = OCPP_MAX,
         .watts = true,
         .n = 1,
         .start = "2019-03-01T14:20:00Z"},
        {.connector = 1, .id = 1, .kind = OCPP_RELATIVE, .n = 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[OCPP_PROFILE_TEXT], why[OCPP_WHY];
        const cJSON *schedule;
        cJSON *o;

        ocpp201_write_profile(text, &rows[i]);
        o = cJSON_Parse(text);
        assert_non_null(o);
        if (ocpp_schema_strict(
                &ocpp201_schema,
                ocpp_schema_find(&ocpp201_schema, OCPP_SYSTEM, "SetChargingProfile")
                    ->request,
                o, why))
            fail_msg("%s: %s", why, text);
        schedule = cJSON_GetObjectItem(cJSON_GetObjectItem(o, "chargingProfile"),
                                       "chargingSchedule")
                       ->child;
        /* K01.FR.40 and 41 */
        assert_int_equal(cJSON_HasObjectItem(schedule, "startSchedule"),
                         rows[i].kind == OCPP_ABSOLUTE);
        cJSON_Delete(o);
    }
}

#define MAX_OF(purpose, level, schedule, period)                                       \
    "{\"evseId\":0,\"chargingProfile\":{\"id\":1000,\"stackLevel\":" level             \
    ",\"chargingProfilePurpose\":\"" purpose                                           \
    "\",\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":[{\"id\":"           \
    "1," schedule "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":16" period \
    "}]}]}}"
#define START "\"startSchedule\":\"2019-03-01T14:20:00Z\","
#define A "\"chargingRateUnit\":\"A\","
#define MAX(schedule, period) MAX_OF("ChargingStationMaxProfile", "0", schedule, period)
#define VARIABLE(component, name, value)                                               \
    "{\"setVariableData\":[{\"attributeValue\":\"1\",\"component\":{\"name\":"         \
    "\"TxCtrlr\"},"                                                                    \
    "\"variable\":{\"name\":\"Enabled\"}},{\"attributeValue\":\"" value                \
    "\",\"component\":{\"name\":\"" component "\"},\"variable\":{\"name\":\"" name     \
    "\"}}]}"
#define NETWORK(url)                                                                   \
    "{\"configurationSlot\":1,\"connectionData\":{\"ocppVersion\":\"OCPP20\","         \
    "\"ocppTransport\":\"JSON\",\"ocppCsmsUrl\":\"" url                                \
    "\",\"messageTimeout\":30,\"securityProfile\":1,\"ocppInterface\":\"Wired0\"}}"

static void guarded(void **state)
{
    static const struct {
        const char *action, *json;
        bool good;
        unsigned effects;
    } rows[] = {
        {"SetChargingProfile", MAX(START A, ""), true, 0},
        {"SetChargingProfile", MAX(A, ""), false, 0},
        {"SetChargingProfile", MAX(START "\"chargingRateUnit\":\"W\",", ""), false, 0},
        {"SetChargingProfile", MAX(START A, ",\"numberPhases\":1"), false, 0},
        {"SetChargingProfile", MAX(START A, ",\"phaseToUse\":1"), false, 0},
        {"SetChargingProfile", MAX(START A, "},{\"startPeriod\":9,\"limit\":1"), true,
         0},
        {"SetChargingProfile",
         MAX(START A,
             "},{\"startPeriod\":8,\"limit\":1},{\"startPeriod\":9,\"limit\":1"),
         false, 0},
        {"SetChargingProfile", MAX_OF("TxDefaultProfile", "0", START A, ""), false, 0},
        {"SetChargingProfile",
         MAX_OF("ChargingStationExternalConstraints", "0", START A, ""), false, 0},
        {"SetChargingProfile", MAX_OF("ChargingStationMaxProfile", "1", START A, ""),
         false, 0},
        {"ClearChargingProfile", "{}", false, 0},
        {"ClearChargingProfile", "{\"chargingProfileId\":3}", false, 0},
        {"ClearChargingProfile", "{\"chargingProfileId\":1000}", true, OCPP_LIMITS},
        {"ClearChargingProfile",
         "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":\"TxProfile\"}}",
         false, 0},
        {"ClearChargingProfile",
         "{\"chargingProfileCriteria\":{\"chargingProfilePurpose\":"
         "\"ChargingStationMaxProfile\"}}",
         true, OCPP_LIMITS},
        {"RequestStartTransaction", "{\"chargingProfile\":{}}", false, 0},
        {"SetVariables", VARIABLE("EVSE", "Enabled", "false"), true,
         OCPP_LIMITS | OCPP_SETTINGS},
        {"SetVariables", VARIABLE("SmartChargingCtrlr", "Enabled", "true"), true,
         OCPP_LIMITS | OCPP_SETTINGS},
        {"SetVariables", VARIABLE("SmartChargingCtrlr", "Enabled", "false"), false, 0},
        {"SetVariables", VARIABLE("smartchargingctrlr", "enabled", "0"), false, 0},
        {"SetNetworkProfile", NETWORK("wss://Garage.local/ocpp"), true, 0},
        {"SetNetworkProfile", NETWORK("ws://garage.local:9000"), true, 0},
        {"SetNetworkProfile", NETWORK("ws://garage.local.example"), false, 0},
        {"SetNetworkProfile", NETWORK("ws://garage"), false, 0},
        {"SetNetworkProfile", NETWORK("ws:///"), false, 0},
        {"Reset", "{\"type\":\"OnIdle\"}", true, OCPP_LIMITS},
        {"SendLocalList", "{}", true, OCPP_LIST},
        {"ReserveNow", "{}", true, OCPP_RESERVE},
        {"CancelReservation", "{}", true, OCPP_UNRESERVE},
        {"DataTransfer", "{}", true, OCPP_LIMITS},
        {"GetVariables", "{}", true, 0},
        {"GetBaseReport", "{}", true, OCPP_LATER},
        {"CustomerInformation", "{\"report\":true,\"clear\":true}", true, OCPP_LATER},
        {"CustomerInformation", "{\"report\":false,\"clear\":true}", true, 0},
        {"SetVariableMonitoring", "{}", true, 0},
        {"SetMonitoringBase", "{}", true, 0},
        {"SetMonitoringLevel", "{}", true, 0},
        {"SetDisplayMessage", "{}", true, 0},
        {"CostUpdated", "{}", true, 0},
        {"ChangeAvailability", "{}", true, 0},
        {"UpdateFirmware", "{}", true, 0},
        {"GetCompositeSchedule", "{}", true, 0},
    };
    struct ocpp_config told;
    const struct ocpp_ours ours = {
        .top_level = 1, .told = &told, .address = "http://garage.local:8887"};

    (void)state;
    ocpp_config_init(&told);
    told.unit_known = told.amps = true;
    told.max_periods = 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *o = cJSON_Parse(rows[i].json);
        char why[OCPP_WHY];
        unsigned effects;
        bool good;

        assert_non_null(o);
        assert_non_null(ocpp_schema_find(&ocpp201_schema, OCPP_SYSTEM, rows[i].action));
        good = ocpp201_guard(rows[i].action, o, &ours, &effects, why);
        if (good != rows[i].good || (good && effects != rows[i].effects) ||
            (!good && !*why))
            fail_msg("%zu: %d, effects %u, %s", i, good, effects, why);
        cJSON_Delete(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction), cmocka_unit_test(fresh_values),
        cmocka_unit_test(frames),        cmocka_unit_test(wrong_versions),
        cmocka_unit_test(wrong_schema),  cmocka_unit_test(wrong_yes),
        cmocka_unit_test(unconfirmed),   cmocka_unit_test(limits),
        cmocka_unit_test(guarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
