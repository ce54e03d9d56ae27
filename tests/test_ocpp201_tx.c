/* SPDX-License-Identifier: Apache-2.0 */
/* TransactionEvents of OCPP 2.0.1 over a link without sockets: what each says, in which
 * order they may come, and what else a station tells in messages of 2.0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"

static struct rig *station(void)
{
    struct rig *r = rig_new(1);

    ocpp_peer_speak(r->p, ocpp_schema_named("ocpp2.0.1"));
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    return r;
}

/* An event; `more` begins with a comma. */
struct said {
    const char *tx, *type, *trigger, *state; /* "" = no state */
    int seq;
    const char *at; /* minute and second of the hour: "20:00" */
    bool stored;
    const char *more, *info; /* info: inside of transactionInfo */
};

static void say_want(struct rig *r, struct said e, const char *want)
{
    char text[900], state[60] = "";

    if (e.state && *e.state)
        snprintf(state, sizeof state, ",\"chargingState\":\"%s\"", e.state);
    snprintf(text, sizeof text,
             "{\"eventType\":\"%s\",\"timestamp\":\"2019-03-01T14:%sZ\","
             "\"triggerReason\":\"%s\",\"seqNo\":%d,\"offline\":%s,\"evse\":{\"id\":1},"
             "\"transactionInfo\":{\"transactionId\":\"%s\"%s%s}%s}",
             e.type, e.at ? e.at : "20:00",
             e.trigger ? e.trigger : "ChargingStateChanged", e.seq,
             e.stored ? "true" : "false", e.tx, state, e.info ? e.info : "",
             e.more ? e.more : "");
    rig_call(r, "TransactionEvent", text, want);
}

static void say(struct rig *r, struct said e)
{
    say_want(r, e, "{}");
}

static void status(struct rig *r, const char *word, const char *at)
{
    char text[200];

    snprintf(text, sizeof text,
             "{\"timestamp\":\"2019-03-01T14:%sZ\",\"connectorStatus\":\"%s\","
             "\"evseId\":1,\"connectorId\":1}",
             at, word);
    rig_call(r, "StatusNotification", text, "{}");
}

static enum connector_status is(const struct rig *r)
{
    return r->p->c[0].status;
}

/* ---- what is said */

static void states(void **state)
{
    static const struct {
        const char *word;
        enum connector_status status;
    } rows[] = {
        {"EVConnected", STATUS_PREPARING},
        {"Charging", STATUS_CHARGING},
        {"SuspendedEV", STATUS_SUSPENDED_EV},
        {"SuspendedEVSE", STATUS_SUSPENDED_EVSE},
        {"Idle", STATUS_PREPARING},
        {"", STATUS_PREPARING}, /* says nothing of it */
    };
    struct rig *r = station();

    (void)state;
    say(r, (struct said){.tx = "a", .type = "Started"});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        say(r, (struct said){"a", "Updated", .state = rows[i].word, .seq = (int)i + 1});
        assert_int_equal(is(r), rows[i].status);
        assert_true(r->p->c[0].tx.active);
    }
    rig_free(r);
}

/* Whatever made it say something, what it says counts. */
static void triggers(void **state)
{
    static const char *const words[] = {
        "Authorized",          "CablePluggedIn",       "ChargingRateChanged",
        "Deauthorized",        "ChargingStateChanged", "EnergyLimitReached",
        "EVCommunicationLost", "EVConnectTimeout",     "MeterValueClock",
        "MeterValuePeriodic",  "TimeLimitReached",     "Trigger",
        "UnlockCommand",       "StopAuthorized",       "EVDeparted",
        "EVDetected",          "RemoteStop",           "RemoteStart",
        "AbnormalCondition",   "SignedDataReceived",   "ResetCommand",
        "SomethingNew",
    };
    static const char *const types[] = {"Started", "Updated", "Ended"};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct rig *r = station();

        for (int k = 0; k < 3; k++)
            say(r, (struct said){"a", types[k], words[i], "Charging", k});
        assert_int_equal(r->n_sessions, 2);
        assert_int_equal(rig_count(r, EVENT_SESSION), 2);
        assert_int_equal(is(r), STATUS_FINISHING);
        rig_free(r);
    }
}

static void somebody_is_there(void **state)
{
    struct rig *r = station();

    (void)state;
    status(r, "Available", "19:00");
    say(r, (struct said){.tx = "a", .type = "Started"}); /* tells no state */
    status(r, "Occupied", "20:01");
    assert_int_equal(is(r), STATUS_PREPARING);
    say(r, (struct said){"a", "Updated", .state = "Charging", .seq = 1, .at = "20:02"});
    status(r, "Faulted", "20:03");
    assert_int_equal(is(r), STATUS_FAULTED);
    status(r, "Occupied", "20:04");
    assert_int_equal(is(r), STATUS_PREPARING);
    rig_free(r);
}

/* ---- their order */

static void older_ones_undo_nothing(void **state)
{
    struct rig *r = station();
    const struct ocpp_tx *tx = &r->p->c[0].tx;
    int n;

    (void)state;
    say(r, (struct said){.tx = "a", .type = "Started", .state = "EVConnected"});
    say(r, (struct said){"a", "Updated", .state = "Charging", .seq = 3, .at = "20:30"});
    n = rig_count(r, EVENT_STATUS);
    say(r, (struct said){"a", "Updated", .state = "SuspendedEVSE", .seq = 2,
                         .at = "20:20"});
    say(r, (struct said){"a", "Started", .state = "EVConnected", .seq = 0});
    say(r, (struct said){"a", "Updated", .state = "Idle", .seq = 3, .at = "20:30"});
    assert_int_equal(is(r), STATUS_CHARGING);
    assert_int_equal(rig_count(r, EVENT_STATUS), n);
    assert_int_equal(r->n_sessions, 1);
    /* but whose card it is may be told late */
    say_want(r,
             (struct said){"a", "Updated", .seq = 1, .at = "20:10",
                           .more = ",\"idToken\":{\"idToken\":\"CARD\","
                                   "\"type\":\"ISO14443\"}"},
             "{\"idTokenInfo\":{\"status\":\"Accepted\"}}");
    assert_string_equal(tx->tag, "CARD");
    assert_int_equal(is(r), STATUS_CHARGING);
    /* some begin to count anew, or do not count at all */
    say(r,
        (struct said){"a", "Updated", .state = "SuspendedEV", .seq = 0, .at = "21:00"});
    assert_int_equal(is(r), STATUS_SUSPENDED_EV);
    say(r, (struct said){"a", "Updated", .state = "Charging", .seq = 0, .at = "21:10"});
    assert_int_equal(is(r), STATUS_CHARGING);
    rig_free(r);
}

/* The end is told again when our answer was lost; meanwhile the car has left. */
static void an_end_comes_again(void **state)
{
    struct rig *r = station();

    (void)state;
    say(r, (struct said){.tx = "a", .type = "Started", .state = "Charging"});
    say(r, (struct said){"a", "Ended", .seq = 1, .at = "21:00"});
    assert_int_equal(is(r), STATUS_FINISHING);
    status(r, "Available", "21:05");
    say(r, (struct said){"a", "Ended", .seq = 1, .at = "21:00"});
    assert_int_equal(is(r), STATUS_AVAILABLE);
    assert_int_equal(rig_count(r, EVENT_SESSION), 2);
    assert_true(r->sessions[2].late); /* which the book knows */
    rig_free(r);
}

/* It left before its transaction's end was told. */
static void the_car_leaves_first(void **state)
{
    struct rig *r = station();

    (void)state;
    say(r, (struct said){.tx = "a", .type = "Started", .state = "Charging"});
    status(r, "Available", "20:30");
    say(r, (struct said){"a", "Ended", .state = "Idle", .seq = 1, .at = "20:29"});
    assert_int_equal(is(r), STATUS_AVAILABLE);
    assert_false(r->p->c[0].tx.active);
    rig_free(r);
}

#define WH(n)                                                                          \
    ",\"meterValue\":[{\"timestamp\":\"2019-03-01T14:00:00Z\",\"sampledValue\":["      \
    "{\"value\":" n "}]}]"

/* What happened while it was away comes when it is back, after what is so now. */
static void stored_ones(void **state)
{
    struct rig *r = station();

    (void)state;
    status(r, "Available", "20:00");
    say(r, (struct said){"a", "Started", .state = "Charging", .at = "05:00",
                         .stored = true, .more = WH("1000")});
    assert_int_equal(is(r), STATUS_AVAILABLE);
    say(r, (struct said){"a", "Updated", .state = "SuspendedEV", .seq = 1,
                         .at = "08:00", .stored = true});
    say(r, (struct said){"a", "Ended", .seq = 2, .at = "10:00", .stored = true,
                         .more = WH("3000"), .info = ",\"stoppedReason\":\"Local\""});
    assert_int_equal(is(r), STATUS_AVAILABLE);
    assert_int_equal(r->n_sessions, 2);
    assert_int_equal(r->sessions[1].utc_s - r->sessions[0].utc_s, 300);
    assert_int_equal(r->sessions[1].register_wh - r->sessions[0].register_wh, 2000);
    assert_string_equal(r->sessions[1].reason, "Local");
    /* one that goes on */
    say(r, (struct said){"b", "Started", .state = "EVConnected", .at = "12:00",
                         .stored = true});
    status(r, "Occupied", "20:10");
    say(r, (struct said){"b", "Updated", .state = "Charging", .seq = 1, .at = "13:00",
                         .stored = true});
    say(r, (struct said){"b", "Updated", .seq = 2, .at = "20:11"});
    assert_int_equal(is(r), STATUS_CHARGING);
    assert_true(r->p->c[0].tx.active);
    rig_free(r);
}

/* The end of one that is over for us, behind the begin of the next one. */
static void a_past_one(void **state)
{
    struct rig *r = station();
    const struct ocpp_tx *tx = &r->p->c[0].tx;

    (void)state;
    say(r, (struct said){.tx = "a", .type = "Started", .state = "Charging"});
    say(r, (struct said){"b", "Started", .state = "Charging", .at = "25:00"});
    assert_string_equal(tx->name, "b");
    assert_int_equal(r->n_sessions, 3);
    say(r, (struct said){"a", "Updated", .state = "SuspendedEV", .seq = 1,
                         .at = "21:00", .stored = true});
    say(r, (struct said){"a", "Ended", .seq = 2, .at = "22:00", .stored = true,
                         .more = WH("5000")});
    assert_string_equal(tx->name, "b");
    assert_true(tx->active);
    assert_int_equal(is(r), STATUS_CHARGING);
    assert_int_equal(r->n_sessions, 4);
    assert_true(r->sessions[3].late);
    assert_int_equal(r->sessions[3].transaction, r->sessions[0].transaction);
    assert_int_equal(r->sessions[3].register_wh, 5000);
    /* one that we have never heard of */
    say(r, (struct said){"c", "Updated", .state = "SuspendedEV", .at = "15:00",
                         .stored = true});
    assert_string_equal(tx->name, "b");
    rig_free(r);
}

/* ---- who */

static void done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    (void)text;
    (void)note;
    *(enum ocpp_outcome *)arg = o;
}

static void ask(struct rig *r, const char *action, const char *json, const char *answer)
{
    enum ocpp_outcome o = OCPP_SILENT;
    cJSON *q = cJSON_Parse(json);

    r->p->ready = true;
    ocpp_peer_ask(r->p, action, q, done, &o);
    cJSON_Delete(q);
    rig_wait(r, 100);
    for (const char *next; o == OCPP_SILENT && *(next = rig_next(r, NULL));)
        rig_status(r, strcmp(next, action) == 0 ? answer : "NotSupported");
    assert_int_equal(o, OCPP_ANSWERED);
}

static void started_by_us(void **state)
{
    struct rig *r = station();

    (void)state;
    ask(r, "RequestStartTransaction",
        "{\"remoteStartId\":42,\"idToken\":{\"idToken\":\"GUEST\",\"type\":\"Central\"}"
        "}",
        "Accepted");
    say(r, (struct said){"a", "Started", "RemoteStart", "EVConnected",
                         .info = ",\"remoteStartId\":41"});
    assert_string_equal(r->p->c[0].tx.tag, "");
    say(r, (struct said){"b", "Started", "RemoteStart", "EVConnected", .at = "21:00",
                         .info = ",\"remoteStartId\":42"});
    assert_string_equal(r->p->c[0].tx.tag, "GUEST");
    rig_free(r);
}

static void reserved(void **state)
{
    static const char reserve[] =
        "{\"id\":7,\"evseId\":1,\"expiryDateTime\":\"2019-03-01T18:00:00Z\","
        "\"idToken\":{\"idToken\":\"04AABBCC\",\"type\":\"ISO14443\"}}";
    const struct ocpp_reserved *place;
    struct rig *r = station();

    (void)state;
    place = &r->p->c[0].reserved;
    ask(r, "ReserveNow", reserve, "Accepted");
    assert_true(place->active);
    say_want(r,
             (struct said){"a", "Started", "Authorized", "EVConnected",
                           .more = ",\"reservationId\":7,\"idToken\":{\"idToken\":"
                                   "\"04AABBCC\",\"type\":\"ISO14443\"}"},
             "{\"idTokenInfo\":{\"status\":\"Accepted\"}}");
    assert_false(place->active); /* used up */
    ask(r, "ReserveNow", reserve, "Accepted");
    rig_call(r, "ReservationStatusUpdate",
             "{\"reservationId\":8,\"reservationUpdateStatus\":\"Removed\"}", "{}");
    assert_true(place->active);
    rig_call(r, "ReservationStatusUpdate",
             "{\"reservationId\":7,\"reservationUpdateStatus\":\"Expired\"}", "{}");
    assert_false(place->active);
    rig_free(r);
}

/* ---- what happens in a station */

#define HAPPENS(component, variable, value, more)                                      \
    "{\"generatedAt\":\"2019-03-01T14:20:00Z\",\"seqNo\":0,\"eventData\":[{"           \
    "\"eventId\":1,\"timestamp\":\"2019-03-01T14:20:00Z\",\"actualValue\":\"" value    \
    "\",\"eventNotificationType\":\"HardWiredNotification\",\"component\":{\"name\":"  \
    "\"" component "\",\"evse\":{\"id\":1}},\"variable\":{\"name\":\"" variable        \
    "\"}," more "}]}"

static int n_problems(struct rig *r)
{
    cJSON *o = ocpp_list_peer(r->p);
    int n = cJSON_GetArraySize(cJSON_GetObjectItem(o, "problems"));

    cJSON_Delete(o);
    return n;
}

static int n_news;

static void on_news(void *arg, const char *level, const char *code, const char *who,
                    const char *text)
{
    (void)arg;
    (void)level;
    (void)code;
    (void)who;
    (void)text;
    n_news++;
}

static void happens(void **state)
{
    struct rig *r = station();

    (void)state;
    n_news = 0;
    r->w.hooks.news = on_news;
    rig_call(r, "NotifyEvent",
             HAPPENS("EVSE", "Power", "11000", "\"trigger\":\"Periodic\""), "{}");
    assert_int_equal(n_problems(r), 0);
    for (int i = 0; i < 3; i++)
        rig_call(r, "NotifyEvent",
                 HAPPENS("ElectricalFeed", "Tripped", "true",
                         "\"trigger\":\"Delta\",\"techInfo\":\"RCD\""),
                 "{}");
    assert_int_equal(n_problems(r), 1);
    assert_int_equal(n_news, 1); /* told once */
    rig_call(r, "NotifyEvent",
             HAPPENS("Controller", "Temperature", "90", "\"trigger\":\"Alerting\""),
             "{}");
    assert_int_equal(n_problems(r), 2);
    rig_call(r, "NotifyEvent",
             HAPPENS("Controller", "Temperature", "60",
                     "\"trigger\":\"Alerting\",\"cleared\":true"),
             "{}");
    rig_call(r, "NotifyEvent",
             HAPPENS("ElectricalFeed", "Tripped", "false", "\"trigger\":\"Delta\""),
             "{}");
    assert_int_equal(n_problems(r), 0);
    assert_int_equal(n_news, 4);
    /* one that flickers does not fill the disk */
    for (int i = 0; i < 100; i++)
        rig_call(r, "NotifyEvent",
                 i % 2 ? HAPPENS("EVSE", "Problem", "0", "\"trigger\":\"Delta\"")
                       : HAPPENS("EVSE", "Problem", "1", "\"trigger\":\"Delta\""),
                 "{}");
    assert_in_range(n_news, 5, 24);
    rig_free(r);
}

static void refused(void **state)
{
    struct rig *r = station();

    (void)state;
    rig_call(r, "Get15118EVCertificate",
             "{\"iso15118SchemaVersion\":\"urn:iso:15118:2:2013:MsgDef\","
             "\"action\":\"Install\",\"exiRequest\":\"AAAA\"}",
             "{\"status\":\"Failed\",\"exiResponse\":\"\"}");
    rig_call(r, "GetCertificateStatus", "{}", "{\"status\":\"Failed\"}");
    rig_call(r, "NotifyEVChargingSchedule",
             "{\"timeBase\":\"2019-03-01T14:20:00Z\",\"evseId\":1,\"chargingSchedule\":"
             "{\"id\":1,\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":["
             "{\"startPeriod\":0,\"limit\":16}]}}",
             "{\"status\":\"Accepted\"}");
    rig_free(r);
}

/* The core hears of no current that cannot be, and the journal has none. */
static void absurd_currents(void **state)
{
    static const struct {
        const char *value, *measurand;
        int32_t ma;
    } rows[] = {
        {"16", "Current.Import", 16000},
        {"1e6", "Current.Import", EVENT_NO_VALUE},
        {"-1e6", "Current.Import", EVENT_NO_VALUE},
        {"2000000", "Current.Import", EVENT_NO_VALUE},
        {"1e9", "Power.Active.Import", EVENT_NO_VALUE},
        {"1e308", "Current.Import", EVENT_NO_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station();
        char text[300];
        const struct event *e;

        snprintf(
            text, sizeof text,
            "{\"evseId\":1,\"meterValue\":[{\"timestamp\":\"2019-03-01T14:20:00Z\","
            "\"sampledValue\":[{\"value\":%s,\"measurand\":\"%s\"}]}]}",
            rows[i].value, rows[i].measurand);
        rig_call(r, "MeterValues", text, "{}");
        e = rig_last(r, EVENT_SAMPLE);
        assert_int_equal(e ? e->sample.i_ma[0] : EVENT_NO_VALUE, rows[i].ma);
        rig_free(r);
    }
}

/* Twenty thousand of nothing in one message are not gone through one by one. */
static void very_many(void **state)
{
    enum { MANY = 20000 };
    static const char begin[] = "{\"generatedAt\":\"2019-03-01T14:20:00Z\",\"seqNo\":0,"
                                "\"eventData\":[",
                      end[] = "{\"trigger\":\"Alerting\",\"actualValue\":\"1\"}]}";
    struct rig *r = station();
    char *text = malloc(sizeof begin + 3 * MANY + sizeof end), *to;

    (void)state;
    to = stpcpy(text, begin);
    for (int i = 0; i < MANY; i++)
        to = stpcpy(to, "{},");
    strcpy(to, end);
    rig_call(r, "NotifyEvent", text, "{}");
    assert_null(r->p->happened);
    free(text);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(triggers),
        cmocka_unit_test(somebody_is_there),
        cmocka_unit_test(older_ones_undo_nothing),
        cmocka_unit_test(an_end_comes_again),
        cmocka_unit_test(the_car_leaves_first),
        cmocka_unit_test(stored_ones),
        cmocka_unit_test(a_past_one),
        cmocka_unit_test(started_by_us),
        cmocka_unit_test(reserved),
        cmocka_unit_test(happens),
        cmocka_unit_test(refused),
        cmocka_unit_test(absurd_currents),
        cmocka_unit_test(very_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
