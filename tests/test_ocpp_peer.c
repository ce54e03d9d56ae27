/* SPDX-License-Identifier: Apache-2.0 */
/* A charger's messages: what each is answered, and what the core and the book hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "proto/ocpp_frame.h"

#define NOW "2019-03-01T14:20:05Z"
#define SAMPLE(id, time, amps)                                                         \
    "{\"connectorId\":1" id ",\"meterValue\":[{\"timestamp\":\"" time                  \
    "\",\"sampledValue\":[{\"value\":\"" amps                                          \
    "\",\"measurand\":\"Current.Import\",\"phase\":\"L1\"}]}]}"

static void answers(void **state)
{
    static const struct {
        const char *what, *action, *payload, *want;
    } cases[] = {
        {"boot", "BootNotification",
         "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}",
         "{\"currentTime\":\"" NOW "\",\"interval\":300,\"status\":\"Accepted\"}"},
        {"boot without anything", "BootNotification", "{}",
         "{\"currentTime\":\"" NOW "\",\"interval\":300,\"status\":\"Accepted\"}"},
        {"heartbeat", "Heartbeat", "{}", "{\"currentTime\":\"" NOW "\"}"},
        {"heartbeat with null", "Heartbeat", "null", "{\"currentTime\":\"" NOW "\"}"},
        {"payload is a list", "Heartbeat", "[]", "FormationViolation"},
        {"payload is a text", "Heartbeat", "\"\"", "FormationViolation"},
        {"status", "StatusNotification",
         "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\"}", "{}"},
        {"status, id as text", "StatusNotification",
         "{\"connectorId\":\"1\",\"errorCode\":\"Error\",\"status\":\"Charging\"}",
         "{}"},
        {"status of the charger", "StatusNotification",
         "{\"connectorId\":0,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
         "{}"},
        {"status of a connector we do not have", "StatusNotification",
         "{\"connectorId\":7,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
         "{}"},
        {"status, made up word", "StatusNotification",
         "{\"connectorId\":1,\"errorCode\":\"X\",\"status\":\"Dancing\"}", "{}"},
        {"status without connector", "StatusNotification", "{\"status\":\"Available\"}",
         "OccurenceConstraintViolation"},
        {"status, connector is null", "StatusNotification",
         "{\"connectorId\":null,\"status\":\"Available\"}",
         "OccurenceConstraintViolation"},
        {"status, connector is a word", "StatusNotification",
         "{\"connectorId\":\"one\",\"status\":\"Available\"}",
         "TypeConstraintViolation"},
        {"status, connector below 0", "StatusNotification",
         "{\"connectorId\":-1,\"status\":\"Available\"}",
         "PropertyConstraintViolation"},
        {"status without status", "StatusNotification", "{\"connectorId\":1}",
         "OccurenceConstraintViolation"},
        {"status is a list", "StatusNotification", "{\"connectorId\":1,\"status\":[]}",
         "TypeConstraintViolation"},
        {"authorize", "Authorize", "{\"idTag\":\"whoever\"}",
         "{\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"authorize without tag", "Authorize", "{}", "OccurenceConstraintViolation"},
        {"authorize, tag is an object", "Authorize", "{\"idTag\":{}}",
         "TypeConstraintViolation"},
        {"authorize, tag is empty", "Authorize", "{\"idTag\":\"\"}",
         "PropertyConstraintViolation"},
        {"start without connector", "StartTransaction", "{\"idTag\":\"a\"}",
         "OccurenceConstraintViolation"},
        {"start on connector 0", "StartTransaction",
         "{\"connectorId\":0,\"idTag\":\"a\"}", "PropertyConstraintViolation"},
        {"start on a connector we do not have", "StartTransaction",
         "{\"connectorId\":9,\"idTag\":\"a\",\"meterStart\":1,\"timestamp\":\"" NOW
         "\"}",
         "{\"transactionId\":101,\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"start", "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"a\",\"meterStart\":1,\"timestamp\":\"" NOW
         "\"}",
         "{\"transactionId\":102,\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"start again: the same transaction", "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"a\",\"meterStart\":1,\"timestamp\":\"" NOW
         "\"}",
         "{\"transactionId\":102,\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"start of another one", "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"a\",\"meterStart\":9,\"timestamp\":\"" NOW
         "\"}",
         "{\"transactionId\":103,\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"meter values", "MeterValues", SAMPLE("", NOW, "1"), "{}"},
        {"meter values, empty", "MeterValues", "{\"connectorId\":1,\"meterValue\":[]}",
         "{}"},
        {"meter values, nonsense inside", "MeterValues",
         "{\"connectorId\":1,\"meterValue\":[1,null,{\"sampledValue\":3},"
         "{\"sampledValue\":[null,{},{\"value\":[]}]}]}",
         "{}"},
        {"meter values of the main meter", "MeterValues",
         "{\"connectorId\":0,\"meterValue\":[]}", "{}"},
        {"meter values without values", "MeterValues", "{\"connectorId\":1}",
         "OccurenceConstraintViolation"},
        {"meter values, no list", "MeterValues",
         "{\"connectorId\":1,\"meterValue\":\"x\"}", "TypeConstraintViolation"},
        {"stop", "StopTransaction",
         "{\"transactionId\":103,\"idTag\":\"a\",\"meterStop\":5,\"timestamp\":\"" NOW
         "\",\"transactionData\":[{}]}",
         "{\"idTagInfo\":{\"status\":\"Accepted\"}}"},
        {"stop of what nobody knows", "StopTransaction",
         "{\"transactionId\":-1,\"meterStop\":5,\"timestamp\":\"" NOW "\"}", "{}"},
        {"stop without id", "StopTransaction", "{\"meterStop\":5}",
         "OccurenceConstraintViolation"},
        {"stop, id too large", "StopTransaction", "{\"transactionId\":3000000000}",
         "PropertyConstraintViolation"},
        {"data", "DataTransfer", "{\"vendorId\":\"x\",\"data\":\"{}\"}",
         "{\"status\":\"UnknownVendorId\"}"},
        {"firmware", "FirmwareStatusNotification", "{\"status\":\"Installed\"}", "{}"},
        {"diagnostics", "DiagnosticsStatusNotification", "{\"status\":\"Idle\"}", "{}"},
        {"security", "SecurityEventNotification",
         "{\"type\":\"InvalidCentralSystemCertificate\",\"timestamp\":\"" NOW "\"}",
         "{}"},
        {"log", "LogStatusNotification", "{\"status\":\"Idle\"}", "{}"},
        {"sign", "SignCertificate", "{\"csr\":\"x\"}", "{\"status\":\"Rejected\"}"},
        {"an action of ours", "SetChargingProfile", "{}", "NotImplemented"},
        {"an action of nobody", "MakeCoffee", "{}", "NotImplemented"},
        {"another case is another action", "heartbeat", "{}", "NotImplemented"},
    };
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].what);
        rig_call(r, cases[i].action, cases[i].payload, cases[i].want);
    }
    rig_free(r);
}

static void tags(void **state)
{
    static const struct {
        const char *tag;
        bool good;
    } cases[] = {
        {"04AABBCC", true}, {"04aabbcc", true}, {"VISITOR", true},
        {"04AABBC", false}, {"zzz", false},     {"", false},
    };
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    r->conf.ocpp.accept_all_tags = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char start[128], want[96];

        snprintf(start, sizeof start,
                 "{\"connectorId\":1,\"idTag\":\"%s\",\"meterStart\":%d}", cases[i].tag,
                 (int)i);
        snprintf(want, sizeof want,
                 "{\"transactionId\":%d,\"idTagInfo\":{\"status\":\"%s\"}}",
                 101 + (int)i, cases[i].good ? "Accepted" : "Invalid");
        rig_call(r, "StartTransaction", start, want);
    }
    r->conf.ocpp.n_tags = 0;
    rig_call(r, "Authorize", "{\"idTag\":\"04AABBCC\"}",
             "{\"idTagInfo\":{\"status\":\"Invalid\"}}");
    rig_free(r);
}

static void boot_is_heard(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    assert_true(rig_last(r, EVENT_LINK)->link.up);
    assert_false(rig_last(r, EVENT_LINK)->link.boot);
    rig_call(r, "BootNotification",
             "{\"chargePointVendor\":\"Acme\",\"chargePointModel\":\"Wall\\u0007box\","
             "\"chargeBoxSerialNumber\":\"S1\",\"firmwareVersion\":\"1.2\"}",
             "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,"
             "\"status\":\"Accepted\"}");
    assert_true(rig_last(r, EVENT_LINK)->link.boot);
    assert_int_equal(r->n_stations, 1);
    assert_string_equal(r->station.vendor, "Acme");
    assert_string_equal(r->station.model, "Wallbox");
    assert_string_equal(r->station.serial, "S1");
    assert_string_equal(r->station.firmware, "1.2");
    rig_free(r);
}

/* Nothing is sent before a Boot, or another sign that there will be none. */
static void waits_for_boot(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_wait(r, 4900);
    rig_expect_nothing(r);
    rig_wait(r, 100);
    rig_expect(r, "SetChargingProfile");
    ocpp_peer_down(r->p);
    ocpp_peer_up(r->p, r);
    rig_expect_nothing(r);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:05Z\"}");
    rig_expect(r, "SetChargingProfile");
    rig_free(r);
}

static void start(struct rig *r)
{
    char want[80];

    snprintf(want, sizeof want,
             "{\"transactionId\":%d,\"idTagInfo\":{\"status\":\"Accepted\"}}",
             r->transaction + 1);
    rig_call(r, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":1000,"
             "\"timestamp\":\"2019-03-01T14:20:00.123Z\"}",
             want);
}

static void stop(struct rig *r, int32_t id)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"transactionId\":%d,\"meterStop\":5000,\"reason\":\"EVDisconnected\","
             "\"timestamp\":\"2019-03-01T15:20:00Z\"}",
             id);
    r->w.utc_s += 3600;
    rig_call(r, "StopTransaction", payload, "{}");
}

static void book(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    start(r);
    assert_true(rig_last(r, EVENT_SESSION)->session.active);
    assert_false(rig_last(r, EVENT_SESSION)->session.resumed);
    assert_int_equal(r->n_sessions, 1);
    assert_true(r->sessions[0].begins);
    assert_int_equal(r->sessions[0].transaction, 101);
    assert_int_equal(r->sessions[0].register_wh, 1000);
    assert_int_equal(r->sessions[0].utc_s, 1551450000);
    assert_string_equal(r->sessions[0].tag, "T");
    stop(r, 101);
    assert_false(rig_last(r, EVENT_SESSION)->session.active);
    assert_int_equal(r->n_sessions, 2);
    assert_false(r->sessions[1].begins);
    assert_int_equal(r->sessions[1].transaction, 101);
    assert_int_equal(r->sessions[1].register_wh, 5000);
    assert_int_equal(r->sessions[1].utc_s, 1551453600);
    assert_string_equal(r->sessions[1].reason, "EVDisconnected");
    rig_free(r);
}

static void time_is_ours_when_theirs_is_absurd(void **state)
{
    static const char *const times[] = {"1970-01-01T00:00:05Z", "2031-01-01T00:00:00Z",
                                        "", "yesterday"};

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct rig *r = rig_new(1);
        char payload[128];

        rig_up(r);
        snprintf(payload, sizeof payload,
                 "{\"connectorId\":1,\"idTag\":\"T\",\"timestamp\":\"%s\"}", times[i]);
        rig_call(r, "StartTransaction", payload,
                 "{\"transactionId\":101,\"idTagInfo\":{\"status\":\"Accepted\"}}");
        assert_int_equal(r->sessions[0].utc_s, r->w.utc_s);
        assert_true(r->sessions[0].register_wh == EVENT_NO_ENERGY);
        rig_free(r);
    }
}

/* Ids as chargers use them (Q57): each row is a StopTransaction after a start. */
static void stop_ids(void **state)
{
    static const struct {
        int32_t id;
        bool ends;
    } cases[] = {{101, true}, {-1, true}, {0, true}, {100, false}, {102, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(2);

        rig_up(r);
        start(r);
        stop(r, cases[i].id);
        assert_int_equal(rig_last(r, EVENT_SESSION)->session.active, !cases[i].ends);
        rig_free(r);
    }
}

static void adopts_what_is_under_way(void **state)
{
    static const struct {
        const char *what, *status, *id, *amps;
        int32_t adopted; /* 0 = none */
    } cases[] = {
        {"an id", "Preparing", ",\"transactionId\":777", "0", 777},
        {"an id as text", "Preparing", ",\"transactionId\":\"777\"", "0", 777},
        {"no id", "Charging", "", "16", 0},
        {"-1 while it charges", "Charging", ",\"transactionId\":-1", "0", -1},
        {"-1 while current flows", "Preparing", ",\"transactionId\":-1", "9", -1},
        {"0 and nothing", "Available", ",\"transactionId\":0", "0.2", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(1);
        const struct event *e;
        char text[512];

        rig_up(r);
        snprintf(text, sizeof text,
                 "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"%s\"}",
                 cases[i].status);
        rig_call(r, "StatusNotification", text, "{}");
        snprintf(text, sizeof text,
                 "{\"connectorId\":1%s,\"meterValue\":[{\"timestamp\":\"%s\","
                 "\"sampledValue\":[{\"value\":\"%s\",\"measurand\":\"Current.Import\","
                 "\"phase\":\"L1\"},{\"value\":\"4200\"}]}]}",
                 cases[i].id, NOW, cases[i].amps);
        rig_call(r, "MeterValues", text, "{}");
        e = rig_last(r, EVENT_SESSION);
        if (!cases[i].adopted) {
            if (e)
                fail_msg("%s was adopted", cases[i].what);
        } else {
            if (!e || !e->session.active || !e->session.resumed)
                fail_msg("%s was not adopted", cases[i].what);
            assert_int_equal(r->sessions[0].transaction, /* the book wants a name */
                             cases[i].adopted > 0 ? cases[i].adopted : 101);
            assert_int_equal(r->sessions[0].nameless, cases[i].adopted <= 0);
            assert_true(r->sessions[0].resumed);
            assert_int_equal(r->sessions[0].register_wh, 4200);
            rig_order(r, 1, 8000, 300000);
            snprintf(text, sizeof text, "\"transactionId\":%d,", (int)cases[i].adopted);
            assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), text));
            rig_call(r, "MeterValues", SAMPLE(",\"transactionId\":777", NOW, "3"),
                     "{}");
        }
        rig_free(r);
    }
}

/* The last values of a transaction come after its end and are no new one. */
static void late_values_adopt_nothing(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    start(r);
    rig_call(r, "StatusNotification",
             "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\"}",
             "{}");
    stop(r, 101);
    rig_call(r, "MeterValues",
             SAMPLE(",\"transactionId\":101", "2019-03-01T15:20:00Z", "9"), "{}");
    assert_false(rig_last(r, EVENT_SESSION)->session.active);
    assert_int_equal(r->n_sessions, 2);
    rig_free(r);
}

/* A boot ends a transaction unless MeterValues prove that it goes on (Q60). */
static void boot_doubts(void **state)
{
    static const struct {
        const char *what, *status, *values;
        int64_t wait_ms;
        bool ends;
    } cases[] = {
        {"nothing heard, early", "", "", 49000, false},
        {"nothing heard", "", "", 51000, true},
        {"available", "Available", "", 0, true},
        {"preparing", "Preparing", "", 0, true},
        {"charging is no proof", "Charging", "", 51000, true},
        {"values with its id", "Charging",
         SAMPLE(",\"transactionId\":101", "2019-03-01T14:20:30Z", "9"), 51000, false},
        {"values without id", "Charging", SAMPLE("", "2019-03-01T14:20:30Z", "9"),
         51000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(1);
        char status[128];

        rig_up(r);
        start(r);
        rig_call(r, "BootNotification", "{}",
                 "{\"currentTime\":\"" NOW "\",\"interval\":300,"
                 "\"status\":\"Accepted\"}");
        assert_true(rig_last(r, EVENT_SESSION)->session.active);
        snprintf(status, sizeof status,
                 "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"%s\"}",
                 cases[i].status);
        if (*cases[i].status)
            rig_call(r, "StatusNotification", status, "{}");
        if (*cases[i].values)
            rig_call(r, "MeterValues", cases[i].values, "{}");
        rig_wait(r, cases[i].wait_ms);
        if (rig_last(r, EVENT_SESSION)->session.active == cases[i].ends)
            fail_msg("%s", cases[i].what);
        rig_free(r);
    }
}

/* Its StopTransaction got lost, but nobody is there any more. */
static void available_ends_it(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    start(r);
    rig_call(r, "StatusNotification",
             "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
             "{}");
    rig_wait(r, 59000);
    assert_true(rig_last(r, EVENT_SESSION)->session.active);
    rig_wait(r, 1100);
    assert_false(rig_last(r, EVENT_SESSION)->session.active);
    stop(r, 101); /* it was only late: the book gets the true end, the core no more */
    assert_int_equal(rig_count(r, EVENT_SESSION), 2);
    assert_int_equal(r->n_sessions, 3);
    assert_string_equal(r->sessions[2].reason, "EVDisconnected");
    rig_free(r);
}

static int32_t last_amps(struct rig *r)
{
    const struct event *e = rig_last(r, EVENT_SAMPLE);

    return e ? e->sample.i_ma[0] : EVENT_NO_VALUE;
}

/* Stored values that are sent late do not count (Q69). */
static void backlog(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T14:20:05Z", "10"), "{}");
    assert_int_equal(last_amps(r), 10000);
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T12:00:00Z", "1"), "{}");
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T12:01:00Z", "2"), "{}");
    assert_int_equal(last_amps(r), 10000);
    rig_wait(r, 10000);
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T14:20:15Z", "11"), "{}");
    assert_int_equal(last_amps(r), 11000);

    /* in one message: the newest of them */
    rig_call(r, "MeterValues",
             "{\"connectorId\":1,\"meterValue\":["
             "{\"timestamp\":\"2019-03-01T14:20:25Z\",\"sampledValue\":[{\"value\":12,"
             "\"measurand\":\"Current.Import\",\"phase\":\"L1\"}]},"
             "{\"timestamp\":\"2019-03-01T14:20:20Z\",\"sampledValue\":[{\"value\":3,"
             "\"measurand\":\"Current.Import\",\"phase\":\"L1\"}]}]}",
             "{}");
    assert_int_equal(last_amps(r), 12000);

    /* a clock that was put back is not a backlog */
    rig_wait(r, 10000);
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T13:20:35Z", "4"), "{}");
    assert_int_equal(last_amps(r), 12000);
    rig_wait(r, 10000);
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T13:20:45Z", "5"), "{}");
    assert_int_equal(last_amps(r), 5000);
    rig_free(r);
}

/* On the first connection a status tells what time it is there. */
static void backlog_at_first(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    rig_call(r, "StatusNotification",
             "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\","
             "\"timestamp\":\"2019-03-01T16:20:05\"}", /* local time, Q48 */
             "{}");
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T15:00:00", "1"), "{}");
    assert_null(rig_last(r, EVENT_SAMPLE));
    rig_call(r, "MeterValues", SAMPLE("", "2019-03-01T16:20:04", "9"), "{}");
    assert_int_equal(last_amps(r), 9000);
    rig_free(r);
}

static void unreadable(void **state)
{
    static const struct {
        const char *what, *frame, *want; /* "" = no answer */
    } cases[] = {
        {"garbage", "hello", ""},
        {"nothing", "", ""},
        {"no list", "{\"a\":1}", ""},
        {"empty list", "[]", ""},
        {"an unknown type", "[9,\"a\",{}]", ""},
        {"another one", "[0,\"a\",\"Heartbeat\",{}]", ""},
        {"type 5 of OCPP 2.1", "[5,\"a\",\"x\",\"y\",{}]", ""},
        {"type 6 of it", "[6,\"a\",\"Heartbeat\",{}]", ""},
        {"no id", "[2]", ""},
        {"no action", "[2,\"a\"]", "[4,\"a\",\"FormationViolation\",\"no action\",{}]"},
        {"action is a number", "[2,\"a\",3,{}]",
         "[4,\"a\",\"FormationViolation\",\"no action\",{}]"},
        {"payload is a number", "[2,\"a\",\"Heartbeat\",3]",
         "[4,\"a\",\"FormationViolation\",\"the payload is no object\",{}]"},
        {"cut off", "[2,\"a\\u0041\",\"Heartbeat\",{", ""},
        {"cut off, id readable", "[2,\"abc\",\"Heartbeat\",{",
         "[4,\"abc\",\"FormationViolation\",\"no JSON\",{}]"},
        {"something behind it", "[2,\"abc\",\"Heartbeat\",{}]]",
         "[4,\"abc\",\"FormationViolation\",\"no JSON\",{}]"},
        {"a number for an id", "[2,42,\"MakeTea\",{}]",
         "[4,\"42\",\"NotImplemented\",\"this action is not known here\",{}]"},
        {"quotes in the id", "[2,\"a\\\"b\",\"MakeTea\",{}]",
         "[4,\"a\\\"b\",\"NotImplemented\",\"this action is not known here\",{}]"},
        {"a result nobody asked for", "[3,\"x\",{}]", ""},
        {"an error nobody asked for", "[4,\"x\",\"GenericError\",\"\",{}]", ""},
    };
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_says(r, cases[i].frame);
        if (r->n != (*cases[i].want ? 1 : 0))
            fail_msg("%s: %d answers", cases[i].what, r->n);
        if (r->n) {
            assert_string_equal(r->sent[0], cases[i].want);
            free(r->sent[--r->n]);
        }
    }
    rig_free(r);
}

/* An answer that cannot be read ends its call (Q44, Q45), no more. */
static void garbled_answers(void **state)
{
    static const struct {
        int type;
        const char *rest;
    } cases[] = {
        {3, ",{\"status\":\"Acc"}, {3, ",7]"}, {3, ",{}]"}, {3, "]"}, {4, "]"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(1);
        char text[128];
        uint32_t seq;

        rig_up(r);
        seq = rig_order(r, 1, 8000, 300000);
        rig_expect(r, "SetChargingProfile");
        snprintf(text, sizeof text, "[%d,\"%s\"%s", cases[i].type, r->p->call_id,
                 cases[i].rest);
        rig_says(r, text);
        assert_int_equal(rig_answered(r, seq), ANSWER_NONE);
        assert_false(r->p->calling);
        rig_free(r);
    }
}

struct done {
    int n;
    enum ocpp_outcome outcome;
    char text[OCPP_WHY], note[OCPP_WHY];
};

static void on_done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    struct done *d = arg;

    d->n++;
    d->outcome = o;
    snprintf(d->text, sizeof d->text, "%s", text);
    snprintf(d->note, sizeof d->note, "%s", note);
}

static void ask(struct rig *r, const char *action, const char *json, struct done *d)
{
    cJSON *payload = cJSON_Parse(json);

    *d = (struct done){0};
    ocpp_peer_ask(r->p, action, payload, on_done, d);
    cJSON_Delete(payload);
}

static void is_done(const struct done *d, enum ocpp_outcome o, const char *text)
{
    assert_int_equal(d->n, 1);
    assert_int_equal(d->outcome, o);
    assert_string_equal(d->text, text);
}

static void people_call(void **state)
{
    struct rig *r = rig_new(1);
    struct done a, b, c, d;

    (void)state;
    ask(r, "Reset", "{\"type\":\"Soft\"}", &a);
    is_done(&a, OCPP_AWAY, "the charger is not connected");
    rig_up(r);
    ask(r, "UnlockConnector", "{\"connectorId\":1}", &a);
    ask(r, "ClearCache", "{}", &b);
    assert_string_equal(rig_expect(r, "UnlockConnector"), "{\"connectorId\":1}");
    rig_expect_nothing(r); /* one at a time */
    rig_call(r, "Heartbeat", "{}",
             "{\"currentTime\":\"" NOW "\"}"); /* they may cross */
    rig_answer(r, "{\"status\":\"Unlocked\"}");
    is_done(&a, OCPP_ANSWERED, "{\"status\":\"Unlocked\"}");
    assert_string_equal(a.note, "");
    rig_expect(r, "ClearCache");
    rig_error(r, "NotSupported");
    is_done(&b, OCPP_CALL_ERROR, "NotSupported: because");

    ask(r, "ClearCache", "{}", &c);
    ask(r, "ClearCache", "{}", &d);
    rig_wait(r, 30000);
    is_done(&c, OCPP_SILENT, "no answer in time");
    ocpp_peer_down(r->p);
    is_done(&d, OCPP_AWAY, "the connection was lost");
    rig_free(r);
}

static void people_call_wrongly(void **state)
{
    struct rig *r = rig_new(1);
    struct done d;

    (void)state;
    rig_up(r);
    ask(r, "Authorize", "{\"idTag\":\"a\"}", &d);
    is_done(&d, OCPP_BAD_CALL,
            "OCPP 1.6 has no action 'Authorize' of a central system");
    ask(r, "Reset", "{\"type\":\"soft\"}", &d);
    is_done(&d, OCPP_BAD_CALL, "type: 'soft' is none of Hard, Soft");
    ask(r, "Reset", "[]", &d);
    is_done(&d, OCPP_BAD_CALL, "payload: is no object");
    ask(r, "ClearChargingProfile", "{}", &d);
    assert_int_equal(d.outcome, OCPP_KEPT_BACK);
    rig_expect_nothing(r);
    for (int i = 0; i <= OCPP_CALLS; i++) /* one is under way */
        ask(r, "ClearCache", "{}", &d);
    assert_int_equal(d.n, 0);
    ask(r, "ClearCache", "{}", &(struct done){0});
    {
        struct done e;

        ask(r, "ClearCache", "{}", &e);
        is_done(&e, OCPP_KEPT_BACK, "too many calls wait for this charger");
    }
    rig_free(r);
}

/* What it may have forgotten or changed is told anew, and the core reckons with it. */
static void people_change_things(void **state)
{
    static const struct {
        const char *action, *json, *answer;
        bool limits, settings;
    } rows[] = {
        {"Reset", "{\"type\":\"Hard\"}", "{\"status\":\"Accepted\"}", true, false},
        {"Reset", "{\"type\":\"Hard\"}", "{\"status\":\"Rejected\"}", false, false},
        {"ClearChargingProfile", "{\"stackLevel\":5}", "{\"status\":\"Accepted\"}",
         true, false},
        {"DataTransfer", "{\"vendorId\":\"x\"}", "{\"status\":\"Accepted\"}", true,
         false},
        {"ChangeConfiguration", "{\"key\":\"x\",\"value\":\"1\"}",
         "{\"status\":\"Accepted\"}", true, true},
        {"ChangeConfiguration",
         "{\"key\":\"MeterValueSampleInterval\",\"value\":\"1\"}",
         "{\"status\":\"Accepted\"}", false, true},
        {"UnlockConnector", "{\"connectorId\":1}", "{\"status\":\"UnlockFailed\"}",
         false, false},
        {"UnlockConnector", "{\"connectorId\":1}", "{\"status\":\"Opened\"}", false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = rig_new(1);
        struct done d;
        uint32_t seq;

        rig_up(r);
        seq = rig_order(r, 1, 10000, 60000);
        rig_expect(r, "SetChargingProfile");
        rig_status(r, "Accepted");
        assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
        rig_expect_nothing(r);
        r->n_events = 0;
        ask(r, rows[i].action, rows[i].json, &d);
        rig_expect(r, rows[i].action);
        rig_answer(r, rows[i].answer);
        is_done(&d, OCPP_ANSWERED, rows[i].answer);
        assert_int_equal(rig_count(r, EVENT_LINK), rows[i].limits);
        if (rows[i].limits) {
            assert_true(rig_last(r, EVENT_LINK)->link.boot);
            rig_expect(r, "SetChargingProfile");
            rig_status(r, "Accepted");
        }
        if (rows[i].settings)
            rig_expect(r, "GetConfiguration");
        else
            rig_expect_nothing(r);
        if (strstr(rows[i].answer, "Opened"))
            assert_string_equal(d.note, "status: 'Opened' is none of Unlocked, "
                                        "UnlockFailed, NotSupported");
        rig_free(r);
    }
}

static void setup(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
    rig_expect(r, "SetChargingProfile");
    rig_status(r, "Accepted");
    assert_non_null(strstr(rig_expect(r, "GetConfiguration"),
                           "{\"key\":[\"ChargeProfileMaxStackLevel\","));
    rig_error(r, "NotSupported");
    assert_string_equal(rig_expect(r, "GetConfiguration"), "{}");
    rig_answer(r, "{\"configurationKey\":["
                  "{\"key\":\"MeterValueSampleInterval\",\"readonly\":false,"
                  "\"value\":\"60\"},"
                  "{\"key\":\"WebSocketPingInterval\",\"value\":\"30\"},"
                  "{\"key\":\"ChargeProfileMaxStackLevel\",\"value\":\"3\"},"
                  "{\"key\":\"NumberOfConnectors\",\"value\":\"1\"},7,{}]}");
    assert_string_equal(
        rig_expect(r, "ChangeConfiguration"),
        "{\"key\":\"MeterValuesSampledData\",\"value\":\"Current.Import,"
        "Power.Active.Import,Energy.Active.Import.Register\"}");
    rig_status(r, "Rejected");
    assert_string_equal(
        rig_expect(r, "ChangeConfiguration"),
        "{\"key\":\"MeterValuesSampledData\",\"value\":\"Current.Import,"
        "Energy.Active.Import.Register\"}");
    rig_status(r, "RebootRequired");
    assert_string_equal(rig_expect(r, "ChangeConfiguration"),
                        "{\"key\":\"MeterValueSampleInterval\",\"value\":\"10\"}");
    rig_status(r, "Accepted");
    /* WebSocketPingInterval is right already; levels above ours are cleared */
    assert_string_equal(rig_expect(r, "ClearChargingProfile"),
                        "{\"chargingProfilePurpose\":\"TxDefaultProfile\","
                        "\"stackLevel\":2}");
    rig_status(r, "Unknown");
    assert_non_null(strstr(rig_expect(r, "ClearChargingProfile"), "\"stackLevel\":3}"));
    rig_status(r, "Accepted");
    assert_string_equal(rig_expect(r, "ClearChargingProfile"),
                        "{\"chargingProfilePurpose\":\"ChargePointMaxProfile\"}");
    rig_status(r, "Unknown");
    rig_expect_nothing(r); /* it may still tell its status by itself */
    rig_wait(r, 3000);
    assert_string_equal(rig_expect(r, "TriggerMessage"),
                        "{\"requestedMessage\":\"StatusNotification\","
                        "\"connectorId\":1}");
    rig_status(r, "Accepted");
    rig_wait(r, 60000);
    rig_expect_nothing(r);

    /* the next time nothing is left to be changed */
    ocpp_peer_down(r->p);
    rig_up(r);
    assert_int_equal(r->p->setup, OCPP_SETUP_DONE);
    rig_free(r);
}

static void setup_writes_nothing_twice(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
    rig_expect(r, "SetChargingProfile");
    rig_status(r, "Accepted");
    rig_expect(r, "GetConfiguration");
    rig_answer(r, "{\"configurationKey\":["
                  "{\"key\":\"MeterValuesSampledData\",\"value\":"
                  "\"Voltage, energy.active.import.register,Power.Active.Import, "
                  "Current.Import\"},"
                  "{\"key\":\"MeterValueSampleInterval\",\"value\":10},"
                  "{\"key\":\"WebSocketPingInterval\",\"readonly\":true,"
                  "\"value\":\"0\"}]}");
    rig_expect(r, "ClearChargingProfile");
    rig_status(r, "Unknown");
    rig_expect_nothing(r);
    rig_free(r);
}

/* A Boot in the middle of it: the answer under way is to a question of before. */
static void boot_in_setup(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
    rig_expect(r, "SetChargingProfile");
    rig_status(r, "Accepted");
    rig_expect(r, "GetConfiguration");
    rig_answer(r, "{\"configurationKey\":[]}");
    rig_expect(r, "GetConfiguration");
    rig_answer(r, "{\"configurationKey\":[]}");
    rig_expect(r, "ChangeConfiguration");
    rig_call(r, "BootNotification", "{}",
             "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,"
             "\"status\":\"Accepted\"}");
    rig_status(r, "Accepted");
    rig_expect(r, "SetChargingProfile");
    rig_status(r, "Accepted");
    rig_expect(r, "GetConfiguration");
    rig_free(r);
}

static void trigger_is_not_overdone(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    rig_wait(r, 10000);
    ocpp_sample_order(r->p, &r->p->c[0]);
    rig_expect(r, "TriggerMessage");
    rig_status(r, "Accepted");
    ocpp_sample_order(r->p, &r->p->c[0]);
    ocpp_sample_order(r->p, &r->p->c[0]);
    rig_expect_nothing(r);
    rig_wait(r, 5000);
    rig_expect(r, "TriggerMessage");
    rig_status(r, "NotImplemented");
    ocpp_sample_order(r->p, &r->p->c[0]);
    rig_wait(r, 10000);
    rig_expect_nothing(r);
    rig_free(r);
}

/* A machine without a clock of its own learns the time after it has begun. */
static void our_clock_is_set(void **state)
{
    static const int64_t by_s[] = {3600, -86400, 31};
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    rig_order(r, 1, 0, 900000);
    rig_settle(r, "Accepted");
    r->w.utc_s += 29; /* no more than the backdating of profiles allows */
    rig_wait(r, 1000);
    rig_expect_nothing(r);
    r->w.utc_s -= 29;
    for (size_t i = 0; i < sizeof by_s / sizeof *by_s; i++) {
        int links = rig_count(r, EVENT_LINK);

        r->w.utc_s += by_s[i];
        rig_wait(r, 100);
        assert_int_equal(rig_count(r, EVENT_LINK), links + 1);
        assert_true(rig_last(r, EVENT_LINK)->link.up);
        assert_false(rig_last(r, EVENT_LINK)->link.boot); /* its cars are still there */
        assert_string_equal(rig_expect(r, "TriggerMessage"),
                            "{\"requestedMessage\":\"Heartbeat\"}");
        rig_status(r, "NotImplemented");     /* whatever it says: it goes on */
        rig_expect(r, "SetChargingProfile"); /* the fallback */
        rig_status(r, "Accepted");
        rig_expect_nothing(r); /* the limit is the core's to tell */
        rig_wait(r, 60000);
        assert_int_equal(rig_count(r, EVENT_LINK), links + 1);
    }
    rig_free(r);
}

static void told_once(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_wait(r, 59000);
    assert_int_equal(r->troubles, 0);
    rig_wait(r, 2000);
    assert_int_equal(r->troubles, 1);
    assert_string_equal(r->trouble, "not connected");
    rig_wait(r, 60000);
    assert_int_equal(r->troubles, 1);
    rig_up(r);
    assert_int_equal(r->troubles, 0);
    ocpp_peer_down(r->p); /* a short while is none */
    rig_wait(r, 9000);
    assert_int_equal(r->troubles, 0);
    rig_wait(r, 2000);
    assert_int_equal(r->troubles, 1);
    rig_up(r);
    rig_call(r, "StatusNotification",
             "{\"connectorId\":2,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
             "{}");
    assert_int_equal(r->troubles, 1);
    assert_string_equal(r->trouble, "speaks of connector 2, the site file has 1 of it");
    rig_free(r);
}

/* Ten thousand broken frames, made of good ones by a seeded knife. */
static void hostile(void **state)
{
    static const char *const good[] = {
        "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\","
        "\"chargePointModel\":\"M\",\"firmwareVersion\":\"\\u00e9\"}]",
        "[2,\"2\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
        "\"status\":\"Charging\",\"timestamp\":\"2019-03-01T14:20:05Z\"}]",
        "[2,\"3\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"T\","
        "\"meterStart\":1000,\"timestamp\":\"2019-03-01T14:20:00.123Z\"}]",
        "[2,\"4\",\"MeterValues\"," SAMPLE(",\"transactionId\":101", NOW, "9.5") "]",
        "[2,\"5\",\"StopTransaction\",{\"transactionId\":101,\"meterStop\":5}]",
        "[3,\"abcdef01-1\",{\"status\":\"Accepted\"}]",
        "[3,\"abcdef01-2\",{\"configurationKey\":[{\"key\":\"NumberOfConnectors\","
        "\"value\":\"1\",\"readonly\":true}]}]",
        "[4,\"abcdef01-3\",\"NotSupported\",\"no\",{}]",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
        "]",
    };
    static const char spice[] = "[]{}\",:\\0123456789eE+-.ul\x01\x7f\xc3\xff";
    const char *env = getenv("OCPP_SEED");
    unsigned seed = env ? (unsigned)strtoul(env, NULL, 10) : 20190301;

    (void)state;
    print_message("OCPP_SEED=%u\n", seed);
    for (int round = 0; round < 20; round++) {
        struct rig *r = rig_new(2);

        rig_up(r);
        for (int i = 0; i < 500; i++) {
            const char *from =
                good[(unsigned)rand_r(&seed) % (sizeof good / sizeof *good)];
            size_t len = strlen(from);
            char *text = malloc(len); /* no NUL: reads behind it are seen */

            memcpy(text, from, len);
            for (int cuts = rand_r(&seed) % 4; cuts > 0; cuts--)
                text[(size_t)rand_r(&seed) % len] =
                    spice[(size_t)rand_r(&seed) % (sizeof spice - 1)];
            if (rand_r(&seed) % 3 == 0)
                len = (size_t)rand_r(&seed) % len;
            ocpp_peer_receive(r->p, text, len);
            free(text);
            if (i % 8 == 0) {
                rig_order(r, 1 + i % 2, rand_r(&seed) % 32000, 1000 + i);
                rig_wait(r, 500);
            }
            r->n_events = r->n_sessions = 0;
            r->w.n_events = 0;
            while (r->n > 0)
                free(r->sent[--r->n]);
        }
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(tags),
        cmocka_unit_test(boot_is_heard),
        cmocka_unit_test(waits_for_boot),
        cmocka_unit_test(book),
        cmocka_unit_test(time_is_ours_when_theirs_is_absurd),
        cmocka_unit_test(stop_ids),
        cmocka_unit_test(adopts_what_is_under_way),
        cmocka_unit_test(late_values_adopt_nothing),
        cmocka_unit_test(boot_doubts),
        cmocka_unit_test(available_ends_it),
        cmocka_unit_test(backlog),
        cmocka_unit_test(backlog_at_first),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(garbled_answers),
        cmocka_unit_test(people_call),
        cmocka_unit_test(people_call_wrongly),
        cmocka_unit_test(people_change_things),
        cmocka_unit_test(setup),
        cmocka_unit_test(setup_writes_nothing_twice),
        cmocka_unit_test(boot_in_setup),
        cmocka_unit_test(trigger_is_not_overdone),
        cmocka_unit_test(our_clock_is_set),
        cmocka_unit_test(told_once),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
