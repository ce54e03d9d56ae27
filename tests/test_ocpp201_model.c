/* SPDX-License-Identifier: Apache-2.0 */
/* What a station of OCPP 2.0.1 tells of itself: its report in parts, the variables that
 * are asked for one by one, EVSEs with several plugs, phases. */
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

#define RESULT(component, variable, value)                                             \
    "{\"attributeStatus\":\"Accepted\",\"attributeValue\":\"" value                    \
    "\",\"component\":{\"name\":\"" component "\"},\"variable\":{\"name\":\"" variable \
    "\"}}"
#define LIMITS                                                                         \
    RESULT("SmartChargingCtrlr", "RateUnit", "A")                                      \
    "," RESULT("SmartChargingCtrlr", "ProfileStackLevel", "3")
#define MEASURES                                                                                                \
    RESULT("SampledDataCtrlr", "TxUpdatedInterval", "10")                                                       \
    "," RESULT(                                                                                                 \
        "SampledDataCtrlr", "TxUpdatedMeasurands",                                                              \
        "Current.Import,Power.Active.Import,Energy.Active.Import.Register") "," RESULT("OCPPCommCtrlr",         \
                                                                                       "WebSocketPingInterval", \
                                                                                       "30")
#define ANSWER(results) "{\"getVariableResult\":[" results "]}"

/* One of a report's variables. */
#define OF(component, variable, attribute)                                             \
    "{\"component\":{" component "},\"variable\":{\"name\":\"" variable "\"},"         \
    "\"variableAttribute\":[{" attribute "}]}"

static struct rig *station(int n)
{
    struct rig *r = rig_new(n);

    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    ocpp_peer_ready(r->p);
    ocpp_deliver(&r->w);
    return r;
}

/* Answers what is about profiles; returns the next other call. */
static const char *others(struct rig *r, const char **payload)
{
    const char *action;

    ocpp_peer_tick(r->p);
    while (*(action = rig_next(r, payload)) &&
           (strcmp(action, "SetChargingProfile") == 0 ||
            strcmp(action, "GetChargingProfiles") == 0 ||
            strcmp(action, "ClearChargingProfile") == 0))
        rig_status(r, "Accepted");
    return action;
}

/* Up to the question for a report; `more` stands in the second answer. */
static const char *settled(struct rig *r, const char *more)
{
    const char *payload;
    char text[1024];

    assert_string_equal(others(r, &payload), "GetVariables");
    rig_answer(r, ANSWER(LIMITS "," MEASURES));
    assert_string_equal(others(r, &payload), "GetVariables");
    snprintf(text, sizeof text, ANSWER("%s"), more);
    rig_answer(r, text);
    for (int i = 1; i <= r->p->n; i++) {
        snprintf(text, sizeof text,
                 "{\"timestamp\":\"2019-03-01T14:20:00Z\",\"connectorStatus\":"
                 "\"Available\",\"evseId\":%d,\"connectorId\":1}",
                 i);
        rig_call(r, "StatusNotification", text, "{}");
    }
    assert_string_equal(others(r, &payload), "GetBaseReport");
    return payload;
}

static void part(struct rig *r, int request, int number, bool more, const char *data)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "{\"requestId\":%d,\"generatedAt\":\"2019-03-01T14:20:00Z\",\"seqNo\":%d,"
             "\"tbc\":%s,\"reportData\":[%s]}",
             request, number, more ? "true" : "false", data);
    rig_call(r, "NotifyReport", text, "{}");
}

/* clang-format off */
static const char report_1[] =
    OF("\"name\":\"SmartChargingCtrlr\"", "Enabled",
       "\"value\":\"true\",\"mutability\":\"ReadOnly\"") ","
    "{\"component\":{\"name\":\"SmartChargingCtrlr\"},\"variable\":{\"name\":\"Entries\","
    "\"instance\":\"ChargingProfiles\"},\"variableAttribute\":[{\"value\":\"0\"}],"
    "\"variableCharacteristics\":{\"dataType\":\"integer\",\"maxLimit\":20,"
    "\"supportsMonitoring\":false}},"
    OF("\"name\":\"EVSE\",\"evse\":{\"id\":1}", "AvailabilityState",
       "\"value\":\"Available\"") ","
    OF("\"name\":\"Connector\",\"evse\":{\"id\":2,\"connectorId\":2}", "Available",
       "\"value\":\"true\"");
static const char report_2[] =
    OF("\"name\":\"SampledDataCtrlr\"", "TxUpdatedInterval",
       "\"type\":\"Target\",\"value\":\"7\"},{\"type\":\"Actual\",\"value\":\"20\","
       "\"mutability\":\"ReadOnly\"") ","
    OF("\"name\":\"SmartChargingCtrlr\",\"evse\":{\"id\":2}",
       "ACPhaseSwitchingSupported", "\"value\":\"true\"") ","
    "{\"component\":{\"name\":\"DeviceDataCtrlr\"},\"variable\":{\"name\":"
    "\"ItemsPerMessage\",\"instance\":\"SetVariables\"},\"variableAttribute\":"
    "[{\"value\":\"5\"}]},"
    OF("\"name\":\"Connector\",\"evse\":{\"id\":9999999,\"connectorId\":2}", "Problem",
       "\"value\":\"false\"");
/* clang-format on */

static void a_report(void **state)
{
    struct rig *r = station(2);
    const struct ocpp_config *c = &r->p->config;
    const char *payload = settled(r, "");
    int request = r->p->report.request;
    char want[96];

    (void)state;
    snprintf(want, sizeof want, "{\"requestId\":%d,\"reportBase\":\"FullInventory\"}",
             request);
    assert_string_equal(payload, want);
    rig_status(r, "Accepted");
    part(r, request + 1, 0, false, report_1); /* not ours */
    assert_int_equal(c->connectors, -1);
    part(r, request, 0, true, report_1);
    part(r, request, 0, true, report_1); /* sent again */
    rig_wait(r, 20000);
    part(r, request, 1, false, report_2);
    assert_true(c->asked);
    assert_int_equal(c->connectors, 2);
    assert_int_equal(c->plugs[1], 2);
    assert_int_equal(c->max_profiles, 20);
    assert_int_equal(c->sample_s, 20);
    assert_true(c->sample_fixed && c->smart_fixed);
    assert_int_equal(c->per_set, 5);
    assert_false(ocpp_config_chooses(c, 1));
    assert_true(ocpp_config_chooses(c, 2));
    assert_int_equal(r->troubles, 0);
    /* the plugs that told nothing are asked */
    assert_string_equal(others(r, &payload), "TriggerMessage");
    assert_string_equal(payload, "{\"requestedMessage\":\"StatusNotification\","
                                 "\"evse\":{\"id\":2,\"connectorId\":2}}");
    rig_status(r, "Accepted");
    assert_string_equal(others(r, &payload), "");
    /* on the next link the variables suffice, and what cannot be set is left alone */
    ocpp_peer_down(r->p);
    ocpp_peer_up(r->p, r);
    ocpp_peer_ready(r->p);
    assert_string_equal(others(r, &payload), "GetVariables");
    rig_answer(
        r, ANSWER(LIMITS "," RESULT("SampledDataCtrlr", "TxUpdatedInterval", "20")));
    for (int i = 0; i < 50; i++) {
        const char *action = others(r, &payload);

        assert_string_not_equal(action, "GetBaseReport");
        assert_null(strstr(payload, "\"attributeValue\":\"10\""));
        if (*action)
            rig_status(r, "Rejected");
        rig_wait(r, 1000);
    }
    assert_int_equal(r->p->setup, OCPP_SETUP_DONE);
    rig_free(r);
}

static void other_connectors(void **state)
{
    struct rig *r = station(1);
    struct ocpp_peer *old;

    (void)state;
    settled(r, "");
    rig_status(r, "Accepted");
    part(r, r->p->report.request, 0, false, report_1);
    assert_int_equal(r->troubles, 1);
    assert_string_equal(r->trouble, "has 2 connectors, the site file 1 of them");
    strcpy(r->p->able.vendor, "V");
    rig_wait(r, 1000);
    rig_settle(r, "Accepted");
    rig_wait(r, 1000);
    assert_int_equal(r->troubles, 1);
    /* the site file is put right */
    old = r->p;
    r->chargers[0].n = r->conf.site.n_connectors = 2;
    r->connectors[1] = (struct conf_connector){.number = 2};
    r->site_connectors[1] = r->site_connectors[0];
    r->p = ocpp_peer_new(&r->w, 0);
    ocpp_peer_adopt(r->p, old);
    ocpp_peer_free(old);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:02Z\"}");
    rig_wait(r, 1000);
    assert_int_equal(r->troubles, 0);
    rig_free(r);
}

static void no_report(void **state)
{
    static const struct {
        const char *what;
        const char *full, *some; /* answers; "" = none */
        bool comes, gap, asked;
    } rows[] = {
        {"refused", "NotSupported", "Rejected", false, false, true},
        {"an error", "!NotImplemented", "!InternalError", false, false, true},
        {"there is nothing in it", "EmptyResultSet", "EmptyResultSet", false, false,
         true},
        {"only what can be changed", "Rejected", "Accepted", true, false, true},
        {"it never comes", "Accepted", NULL, false, false, false},
        {"a part is lost", "Accepted", NULL, true, true, false},
        {"not even an answer", "", NULL, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *answers[] = {rows[i].full, rows[i].some}, *payload;
        struct rig *r = station(1);

        settled(r, "");
        for (int k = 0; k < 2 && answers[k]; k++) {
            if (k == 1)
                assert_string_equal(others(r, &payload), "GetBaseReport");
            if (answers[k][0] == '!')
                rig_error(r, answers[k] + 1);
            else if (answers[k][0])
                rig_status(r, answers[k]);
        }
        if (rows[i].comes)
            part(r, r->p->report.request, rows[i].gap, false, report_1);
        rig_wait(r, 31000);
        if (r->p->setup != OCPP_SETUP_DONE || r->p->config.asked != rows[i].asked)
            fail_msg("%s: step %d, asked %d", rows[i].what, r->p->setup,
                     r->p->config.asked);
        assert_int_equal(r->p->config.max_level, 3);
        assert_int_equal(r->p->config.connectors, rows[i].comes ? 2 : -1);
        rig_free(r);
    }
}

/* Endless, it is broken off. */
static void a_report_without_end(void **state)
{
    struct rig *r = station(1);
    int n = 0;

    (void)state;
    settled(r, "");
    rig_status(r, "Accepted");
    while (r->p->setup != OCPP_SETUP_DONE && n < 1000) {
        part(r, r->p->report.request, n++, true, report_2);
        rig_wait(r, 5000);
    }
    assert_true(n >= 59 && n <= 62);
    assert_false(r->p->config.asked);
    rig_free(r);
}

/* A firmware of its own, and another version, have records of their own. */
static void whose_record(void **state)
{
    struct rig *r = station(1);

    (void)state;
    settled(r, "");
    rig_status(r, "NotSupported");
    r->p->config.asked = true;
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
    strcpy(r->p->able.vendor, "V");
    strcpy(r->p->able.version, "2.0.1");
    r->p->able.tx_ok = true;
    rig_settle(r, "Rejected");
    rig_wait(r, 5000);
    rig_settle(r, "Rejected");
    rig_wait(r, 5000);
    assert_non_null(strstr(r->record.words, " ocpp=2.0.1"));
    assert_non_null(strstr(r->record.words, "tx=1!"));
    for (int i = 0; i < 2; i++) {
        const struct ocpp_schema *speaks = i ? &ocpp201_schema : ocpp_schema_named("");

        ocpp_peer_down(r->p);
        ocpp_peer_speak(r->p, speaks);
        assert_false(r->p->config.asked);
        ocpp_peer_up(r->p, r);
        assert_int_equal(r->p->able.tx_ok, i);
    }
    rig_free(r);
}

/* ---- single variables */

static void questions(void **state)
{
    static const struct {
        int per, bytes, one_phase, places;
        bool again;
        int n[20];
    } rows[] = {
        {-1, -1, -1, 1, false, {8, 3}},
        {4, -1, -1, 1, false, {4, 4, 3}},
        {-1, 400, -1, 1, false, {3, 3, 3, 2}},
        {-1, 20, 0, 1, false, {8, 3}},
        {50, 9999, 1, 10, false, {8, 3, 8, 2}},
        {5, -1, 1, 2, true, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ocpp_config c;
        char text[OCPP_CALL_TEXT], why[OCPP_WHY];
        int at = 0, k = 0;

        ocpp_config_init(&c);
        c.per_get = rows[i].per;
        c.bytes_get = rows[i].bytes;
        c.one_phase = rows[i].one_phase;
        while (ocpp201_ask_config(text, &c, rows[i].places, rows[i].again, &at)) {
            cJSON *o = cJSON_Parse(text);

            assert_null(ocpp_schema_strict(
                &ocpp201_schema,
                ocpp_schema_find(&ocpp201_schema, OCPP_SYSTEM, "GetVariables")->request,
                o, why));
            if (cJSON_GetArraySize(cJSON_GetObjectItem(o, "getVariableData")) !=
                rows[i].n[k++])
                fail_msg("row %zu, question %d: %s", i, k, text);
            if (rows[i].bytes > 100)
                assert_in_range(strlen(text), 1, rows[i].bytes);
            cJSON_Delete(o);
        }
        assert_int_equal(rows[i].n[k], 0);
    }
}

/* Too many in one message: one by one; then what is of use is known all the same. */
static void one_by_one(void **state)
{
    struct rig *r = station(1);
    const char *payload;
    int n = 0;

    (void)state;
    assert_string_equal(others(r, &payload), "GetVariables");
    rig_error(r, "OccurrenceConstraintViolation");
    while (strcmp(others(r, &payload), "GetVariables") == 0) {
        cJSON *o = cJSON_Parse(payload);

        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "getVariableData")),
                         1);
        cJSON_Delete(o);
        n++;
        if (strstr(payload, "RateUnit"))
            rig_answer(r, ANSWER(RESULT("SmartChargingCtrlr", "RateUnit", "W")));
        else
            rig_answer(r, "{\"getVariableResult\":[{\"attributeStatus\":"
                          "\"UnknownVariable\",\"component\":{\"name\":\"a\"},"
                          "\"variable\":{\"name\":\"b\"}}]}");
    }
    assert_int_equal(n, 11);
    assert_true(r->p->config.watts && !r->p->config.amps);
    rig_free(r);
}

static void switched_off(void **state)
{
    static const struct {
        const char *more, *answer; /* to the change; "" = there is none */
        int troubles, smart;
    } rows[] = {
        {RESULT("SmartChargingCtrlr", "Enabled", "true"), "", 0, 1},
        {RESULT("SmartChargingCtrlr", "Enabled", "false"), "Accepted", 0, 1},
        {RESULT("SmartChargingCtrlr", "Enabled", "false"), "Rejected", 1, 0},
        {RESULT("SmartChargingCtrlr", "Available", "false"), "", 1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station(1);
        const char *payload;
        char text[512];

        assert_string_equal(others(r, &payload), "GetVariables");
        rig_answer(r, ANSWER(LIMITS "," MEASURES));
        assert_string_equal(others(r, &payload), "GetVariables");
        snprintf(text, sizeof text, ANSWER("%s"), rows[i].more);
        rig_answer(r, text);
        if (*rows[i].answer) {
            assert_string_equal(others(r, &payload), "SetVariables");
            assert_string_equal(payload,
                                "{\"setVariableData\":[{\"attributeValue\":\"true\","
                                "\"component\":{\"name\":\"SmartChargingCtrlr\"},"
                                "\"variable\":{\"name\":\"Enabled\"}}]}");
            snprintf(text, sizeof text,
                     "{\"setVariableResult\":[{\"attributeStatus\":\"%s\","
                     "\"component\":{\"name\":\"a\"},\"variable\":{\"name\":\"b\"}}]}",
                     rows[i].answer);
            rig_answer(r, text);
        }
        others(r, &payload);
        if (r->troubles != rows[i].troubles || r->p->config.smart != rows[i].smart)
            fail_msg("row %zu: %s", i, r->trouble);
        rig_free(r);
    }
}

/* ---- plugs */

static void says(struct rig *r, int plug, const char *status)
{
    char text[160];

    snprintf(text, sizeof text,
             "{\"timestamp\":\"2019-03-01T14:20:00Z\",\"connectorStatus\":\"%s\","
             "\"evseId\":1,\"connectorId\":%d}",
             status, plug);
    rig_call(r, "StatusNotification", text, "{}");
}

static void event(struct rig *r, const char *type, const char *state, int plug)
{
    static int number;
    char text[320], of[32] = "";

    if (plug)
        snprintf(of, sizeof of, ",\"connectorId\":%d", plug);
    snprintf(
        text, sizeof text,
        "{\"eventType\":\"%s\",\"timestamp\":\"2019-03-01T14:20:00Z\","
        "\"triggerReason\":\"ChargingStateChanged\",\"seqNo\":%d,\"evse\":{\"id\":1"
        "%s},\"transactionInfo\":{\"transactionId\":\"t\",\"chargingState\":\"%s\"}"
        "}",
        type, number++, of, state);
    rig_call(r, "TransactionEvent", text, "{}");
}

/* "1=Occupied" is plug 1's status; "begin 2", "charging 2", "end" are a transaction's;
 * then what the connector is. */
static void plugs(void **state)
{
    static const struct {
        const char *steps[8];
        enum connector_status is;
        bool error;
    } rows[] = {
        {{"1=Available", "2=Occupied"}, STATUS_PREPARING, false},
        {{"2=Occupied", "1=Available"}, STATUS_PREPARING, false},
        {{"2=Available", "1=Faulted"}, STATUS_AVAILABLE, true},
        {{"1=Faulted", "2=Available"}, STATUS_AVAILABLE, true},
        {{"1=Faulted", "2=Occupied"}, STATUS_PREPARING, true},
        {{"1=Faulted", "2=Faulted"}, STATUS_FAULTED, true},
        {{"1=Faulted", "2=Unavailable"}, STATUS_FAULTED, true},
        {{"1=Faulted", "1=Available"}, STATUS_AVAILABLE, false},
        {{"1=Unavailable", "2=Available"}, STATUS_AVAILABLE, false},
        {{"1=Available", "2=Reserved"}, STATUS_RESERVED, false},
        {{"1=Occupied", "2=Available", "1=Available"}, STATUS_AVAILABLE, false},
        /* one charges: the other one may be what it likes */
        {{"2=Occupied", "begin 2", "charging 2", "1=Available"},
         STATUS_CHARGING,
         false},
        {{"2=Occupied", "begin 2", "charging 2", "1=Faulted"}, STATUS_CHARGING, true},
        {{"2=Occupied", "begin 0", "charging 0", "1=Faulted"}, STATUS_CHARGING, true},
        {{"begin 2", "charging 2", "1=Occupied", "1=Available"},
         STATUS_CHARGING,
         false},
        {{"begin 2", "charging 2", "2=Faulted"}, STATUS_FAULTED, true},
        {{"begin 2", "charging 2", "2=Faulted", "1=Available"}, STATUS_FAULTED, true},
        {{"begin 2", "charging 2", "end", "2=Available", "1=Faulted"},
         STATUS_AVAILABLE,
         true},
        /* the next car takes the other one */
        {{"2=Occupied", "begin 2", "end", "2=Available", "1=Occupied", "begin 0",
          "charging 0", "2=Faulted"},
         STATUS_CHARGING,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station(1);
        const struct ocpp_connector *c = &r->p->c[0];

        for (int k = 0; k < 8 && rows[i].steps[k]; k++) {
            const char *s = rows[i].steps[k];

            if (s[1] == '=')
                says(r, *s - '0', s + 2);
            else if (*s == 'b')
                event(r, "Started", "EVConnected", s[6] - '0');
            else if (*s == 'c')
                event(r, "Updated", "Charging", s[9] - '0');
            else
                event(r, "Ended", "Idle", 0);
        }
        if (c->status != rows[i].is || (*c->error != '\0') != rows[i].error)
            fail_msg("row %zu: status %d, \"%s\"", i, c->status, c->error);
        rig_free(r);
    }
}

/* Nobody at the other plug is no end of the transaction. */
static void it_goes_on(void **state)
{
    struct rig *r = station(1);

    (void)state;
    says(r, 2, "Occupied");
    event(r, "Started", "Charging", 0);
    ocpp_peer_down(r->p);
    ocpp_peer_up(r->p, r);
    says(r, 1, "Available");
    rig_wait(r, 2 * OCPP_GONE_MS);
    assert_true(r->p->c[0].tx.active);
    says(r, 2, "Available");
    rig_wait(r, 2 * OCPP_GONE_MS);
    assert_false(r->p->c[0].tx.active);
    rig_free(r);
}

/* ---- phases */

static const char *limit_text(struct rig *r, int n_phases)
{
    static char text[OCPP_PROFILE_TEXT];
    struct ocpp_want w = {.has = true,
                          .limit_ma = 10000,
                          .n_phases = n_phases,
                          .until_ms = r->w.now_ms + 60000};

    ocpp_form_write(r->p, &r->p->c[0], OCPP_FORM_DEFAULT_1, &w, text);
    return text;
}

/* The phase is the charger's first, which the core counts; it is told where the charger
 * would else choose by itself. */
static void phases(void **state)
{
    struct rig *r = station(1);
    const char *told = "\"limit\":10,\"numberPhases\":1,\"phaseToUse\":1}";

    (void)state;
    assert_null(strstr(limit_text(r, 0), "numberPhases"));
    assert_non_null(strstr(limit_text(r, 1), "\"limit\":10,\"numberPhases\":1}"));
    r->p->config.all_choose = true;
    assert_non_null(strstr(limit_text(r, 1), told));
    assert_null(strstr(limit_text(r, 0), "Phase"));
    assert_non_null(strstr(limit_text(r, 3), "\"limit\":10,\"numberPhases\":3}"));
    r->p->config.choice_told = 1; /* but this one cannot */
    assert_null(strstr(limit_text(r, 1), "phaseToUse"));
    rig_free(r);
}

/* It is heard of after the limit was told: that is told again, with the phase. */
static void phases_known_late(void **state)
{
    struct rig *r = station(1);
    struct order o = {.kind = ORDER_LIMIT,
                      .seq = 1,
                      .limit_ma = 10000,
                      .n_phases = 1,
                      .lease_ms = 600000};
    const char *payload, *action;

    (void)state;
    assert_string_equal(others(r, &payload), "GetVariables");
    ocpp_limit_order(r->p, &r->p->c[0], &o);
    rig_answer(r, ANSWER(LIMITS "," MEASURES));
    do {
        action = rig_next(r, &payload);
        if (strcmp(action, "SetChargingProfile") == 0)
            rig_status(r, "Accepted");
    } while (strcmp(action, "SetChargingProfile") == 0);
    assert_string_equal(action, "GetVariables");
    rig_answer(
        r, ANSWER(RESULT("SmartChargingCtrlr", "ACPhaseSwitchingSupported", "true")));
    assert_string_equal(rig_next(r, &payload), "SetChargingProfile");
    if (!strstr(payload, "\"phaseToUse\":1"))
        fail_msg("%s", payload);
    rig_free(r);
}

/* ---- all that we tell it is as a strict station wants it */

static void check_sound(struct rig *r, const char *text)
{
    const char *why;
    cJSON *o = cJSON_Parse(text);

    assert_non_null(o);
    why = ocpp201_unsound(o, &r->p->config);
    if (why)
        fail_msg("%s: %s", why, text);
    cJSON_Delete(o);
}

/* Each form, as far as the ladder gets to it, on stations of all kinds. */
static void sound(void **state)
{
    (void)state;
    for (int i = 0; i < 128; i++) {
        struct rig *r = station(i & 64 ? 2 : 1);
        struct ocpp_config *c = &r->p->config;
        struct ocpp_connector *at = &r->p->c[r->p->n - 1];
        struct ocpp_want w = {.limit_ma = 10000, .until_ms = r->w.now_ms + 60000};
        enum ocpp_form f;
        char text[OCPP_PROFILE_TEXT];

        c->max_level = i & 1 ? 0 : 3;
        c->max_periods = i & 2 ? 1 : 24;
        c->unit_known = i & 4;
        c->amps = i & 8;
        c->watts = !c->amps;
        c->all_choose = i & 16;
        r->p->able.relative = i & 32;
        at->tx.active = true;
        strcpy(at->tx.name, "tx-7");
        ocpp_limit_config(r->p, false);
        for (f = ocpp_form_first(r->p, at); f != OCPP_FORM_NONE;
             f = ocpp_form_next(r->p, at, f, OCPP_REFUSED))
            for (w.n_phases = 0; w.n_phases <= 3; w.n_phases++) {
                ocpp_form_write(r->p, at, f, &w, text);
                check_sound(r, text);
            }
        ocpp_form_write_fallback(r->p, at, text);
        check_sound(r, text);
        rig_free(r);
    }
}

/* Each purpose has its own id on each EVSE, which nothing else has. */
static void fixed_ids(void **state)
{
    static const enum ocpp_form forms[] = {OCPP_FORM_TX_1, OCPP_FORM_DEFAULT_1,
                                           OCPP_FORM_STEPS};
    struct rig *r = station(2);
    bool taken[100] = {false};

    (void)state;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++) {
            int32_t id = ocpp_form_id(&r->p->c[i], forms[k]);

            assert_in_range(id, 1, 99);
            assert_false(taken[id]);
            taken[id] = true;
        }
    rig_free(r);
}

/* What a strict station refuses. */
static void unsound(void **state)
{
#define PROFILE(evse, purpose, kind, more, schedule, period)                           \
    "{\"evseId\":" evse ",\"chargingProfile\":{\"id\":1,\"stackLevel\":0,"             \
    "\"chargingProfilePurpose\":\"" purpose "\",\"chargingProfileKind\":\"" kind       \
    "\"," more "\"chargingSchedule\":[{\"id\":1," schedule                             \
    "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{" period                  \
    "\"limit\":16}]}]}}"
#define START "\"startSchedule\":\"2019-03-01T14:20:00Z\","
#define FIRST "\"startPeriod\":0,"
#define TX "\"transactionId\":\"t\","
    static const struct {
        const char *json;
        bool good;
    } rows[] = {
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START, FIRST), true},
        {PROFILE("1", "TxDefaultProfile", "Relative", "", "", FIRST), true},
        {PROFILE("1", "TxProfile", "Absolute", TX, START, FIRST), true},
        {PROFILE("0", "ChargingStationMaxProfile", "Absolute", "", START, FIRST), true},
        {PROFILE("0", "TxDefaultProfile", "Recurring", "\"recurrencyKind\":\"Daily\",",
                 START, FIRST),
         true},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START,
                 FIRST "\"numberPhases\":1,\"phaseToUse\":2,"),
         true},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", "", FIRST), false},
        {PROFILE("1", "TxDefaultProfile", "Relative", "", START, FIRST), false},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START, "\"startPeriod\":1,"),
         false},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START,
                 FIRST "\"limit\":1},{" FIRST),
         false},
        {PROFILE("1", "TxDefaultProfile", "Recurring", "", START, FIRST), false},
        {PROFILE("1", "TxDefaultProfile", "Absolute", TX, START, FIRST), false},
        {PROFILE("1", "TxProfile", "Absolute", "", START, FIRST), false},
        {PROFILE("0", "TxProfile", "Absolute", TX, START, FIRST), false},
        {PROFILE("1", "ChargingStationMaxProfile", "Absolute", "", START, FIRST),
         false},
        {PROFILE("0", "ChargingStationMaxProfile", "Relative", "", "", FIRST), false},
        {PROFILE("0", "ChargingStationExternalConstraints", "Absolute", "", START,
                 FIRST),
         false},
        {PROFILE("2", "TxDefaultProfile", "Absolute", "", START,
                 FIRST "\"numberPhases\":1,\"phaseToUse\":2,"),
         false},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START,
                 FIRST "\"numberPhases\":1,\"phaseToUse\":4,"),
         false},
        {PROFILE("1", "TxDefaultProfile", "Absolute", "", START,
                 FIRST "\"phaseToUse\":1,"),
         false},
    };
    struct ocpp_config told;

    (void)state;
    ocpp_config_init(&told);
    told.choice_told = told.chooses = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *o = cJSON_Parse(rows[i].json);
        const char *why = ocpp201_unsound(o, &told);

        assert_non_null(o);
        if (!why != rows[i].good)
            fail_msg("row %zu: %s", i, why ? why : "was good");
        cJSON_Delete(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report),     cmocka_unit_test(other_connectors),
        cmocka_unit_test(no_report),    cmocka_unit_test(a_report_without_end),
        cmocka_unit_test(whose_record), cmocka_unit_test(questions),
        cmocka_unit_test(one_by_one),   cmocka_unit_test(switched_off),
        cmocka_unit_test(plugs),        cmocka_unit_test(it_goes_on),
        cmocka_unit_test(phases),       cmocka_unit_test(phases_known_late),
        cmocka_unit_test(sound),        cmocka_unit_test(fixed_ids),
        cmocka_unit_test(unsound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
