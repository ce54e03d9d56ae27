/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated charger: what the one of the newer generation refuses, reports and
 * queues; and both generations on a link to the real central system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <libwebsockets.h>

#include "io/clock.h"
#include "ocpp_socket.h"
#include "station_help.h"

/* ---- profiles that it refuses */

#define SCHEDULE(more, periods)                                                        \
    "\"chargingSchedule\":[{\"id\":1,\"chargingRateUnit\":\"A\"," more                 \
    "\"chargingSchedulePeriod\":[" periods "]}]"
#define BEGINS "\"startSchedule\":\"2026-01-01T00:00:00Z\","
#define FLAT "{\"startPeriod\":0,\"limit\":16.0}"
#define GOOD SCHEDULE(BEGINS, FLAT)
#define PROFILE(id, level, purpose, kind)                                              \
    "{\"id\":" #id ",\"stackLevel\":" #level ",\"chargingProfilePurpose\":\"" purpose  \
    "\",\"chargingProfileKind\":\"" kind "\","
#define MAX(id) PROFILE(id, 0, "ChargingStationMaxProfile", "Absolute")
#define DEFAULT(id) PROFILE(id, 0, "TxDefaultProfile", "Absolute")
#define TX(id) PROFILE(id, 0, "TxProfile", "Absolute")
#define OF_TX "\"transactionId\":\"TRANSACTION\","

struct refusal {
    const char *what;
    int evse;
    const char *profile; /* TRANSACTION stands for the one that runs on EVSE 1 */
    const char *why;     /* NULL = it is accepted */
    const char *before;  /* a profile of evse_before that is there already, or NULL */
    int evse_before;
};

static const struct refusal refusals[] = {
    {"a default", 1, DEFAULT(1) GOOD "}", NULL, NULL, 0},
    {"a default for all", 0, DEFAULT(1) GOOD "}", NULL, NULL, 0},
    {"a maximum", 0, MAX(1) GOOD "}", NULL, NULL, 0},
    {"one of the transaction", 1, TX(1) OF_TX GOOD "}", NULL, NULL, 0},
    {"an EVSE that is not there", 3, DEFAULT(1) GOOD "}", "UnknownEvse", NULL, 0},
    {"a maximum for one EVSE", 1, MAX(1) GOOD "}", "InvalidProfile", NULL, 0},
    {"a relative maximum", 0,
     PROFILE(1, 0, "ChargingStationMaxProfile", "Relative") SCHEDULE("", FLAT) "}",
     "InvalidProfile", NULL, 0},
    {"others' limits", 0,
     PROFILE(1, 0, "ChargingStationExternalConstraints", "Absolute") GOOD "}",
     "InvalidProfile", NULL, 0},
    {"a transaction's for all", 0, TX(1) OF_TX GOOD "}", "InvalidProfile", NULL, 0},
    {"of no transaction", 1, TX(1) GOOD "}", "InvalidProfile", NULL, 0},
    {"of another transaction", 1, TX(1) "\"transactionId\":\"other\"," GOOD "}",
     "TxNotFound", NULL, 0},
    {"of a transaction elsewhere", 2, TX(1) OF_TX GOOD "}", "TxNotFound", NULL, 0},
    {"a default of a transaction", 1, DEFAULT(1) OF_TX GOOD "}", "InvalidProfile", NULL,
     0},
    {"a level too high", 1, PROFILE(1, 11, "TxDefaultProfile", "Absolute") GOOD "}",
     "InvalidStackLevel", NULL, 0},
    {"absolute without a begin", 1, DEFAULT(1) SCHEDULE("", FLAT) "}",
     "InvalidSchedule", NULL, 0},
    {"relative with a begin", 1, PROFILE(1, 0, "TxDefaultProfile", "Relative") GOOD "}",
     "InvalidSchedule", NULL, 0},
    {"relative", 1,
     PROFILE(1, 0, "TxDefaultProfile", "Relative") SCHEDULE("", FLAT) "}", NULL, NULL,
     0},
    {"recurring without how often", 1,
     PROFILE(1, 0, "TxDefaultProfile", "Recurring") GOOD "}", "InvalidProfile", NULL,
     0},
    {"recurring", 1,
     PROFILE(1, 0, "TxDefaultProfile", "Recurring") "\"recurrencyKind\":\"Daily\"," GOOD
                                                    "}",
     NULL, NULL, 0},
    {"the first period later", 1,
     DEFAULT(1) SCHEDULE(BEGINS, "{\"startPeriod\":1,\"limit\":16.0}") "}",
     "InvalidSchedule", NULL, 0},
    {"periods out of order", 1,
     DEFAULT(1) SCHEDULE(BEGINS, FLAT ",{\"startPeriod\":60,\"limit\":6.0},"
                                      "{\"startPeriod\":60,\"limit\":8.0}") "}",
     "InvalidSchedule", NULL, 0},
    {"one of three phases, which one", 1,
     DEFAULT(1) SCHEDULE(BEGINS, "{\"startPeriod\":0,\"limit\":16.0,"
                                 "\"numberPhases\":1,\"phaseToUse\":2}") "}",
     NULL, NULL, 0},
    {"which phase of two", 1,
     DEFAULT(1) SCHEDULE(BEGINS, "{\"startPeriod\":0,\"limit\":16.0,"
                                 "\"numberPhases\":2,\"phaseToUse\":2}") "}",
     "InvalidSchedule", NULL, 0},
    {"the same id again", 1, DEFAULT(1) GOOD "}", NULL, DEFAULT(1) GOOD "}", 1},
    {"another id at the same place", 1, DEFAULT(2) GOOD "}", "DuplicateProfile",
     DEFAULT(1) GOOD "}", 1},
    {"another id of the transaction", 1, TX(2) OF_TX GOOD "}", "DuplicateProfile",
     TX(1) OF_TX GOOD "}", 1},
    {"another id on another level", 1,
     PROFILE(2, 1, "TxDefaultProfile", "Absolute") GOOD "}", NULL, DEFAULT(1) GOOD "}",
     1},
    {"a default for all beside one of that level", 0, DEFAULT(2) GOOD "}",
     "DuplicateProfile", DEFAULT(1) GOOD "}", 1},
    {"a default beside one for all of that level", 1, DEFAULT(2) GOOD "}",
     "DuplicateProfile", DEFAULT(1) GOOD "}", 0},
    {"a default on another EVSE", 2, DEFAULT(2) GOOD "}", NULL, DEFAULT(1) GOOD "}", 1},
};

static void put_name(char *text, size_t size, int evse, const char *profile,
                     const char *name)
{
    const char *at = strstr(profile, "TRANSACTION");
    int n = at ? (int)(at - profile) : (int)strlen(profile);

    snprintf(text, size, "{\"evseId\":%d,\"chargingProfile\":%.*s%s%s}", evse, n,
             profile, at ? name : "", at ? at + strlen("TRANSACTION") : "");
}

static void expect(const char *what, cJSON *answer, const char *why)
{
    const char *is = payload_text(payload_get(answer, "statusInfo"), "reasonCode");

    if (strcmp(payload_text(answer, "status"), why ? "Rejected" : "Accepted") != 0 ||
        (why && (!is || strcmp(is, why) != 0)))
        fail_msg("%s: %s, %s; expected %s", what, payload_text(answer, "status"),
                 is ? is : "no reason", why ? why : "Accepted");
    cJSON_Delete(answer);
}

static struct station *with_car(struct loop *loop)
{
    struct station *s = station_alone(loop, 1);
    struct sim_car car;

    sim_car_ideal(&car, 10000, 3, 16000, 6000);
    station_plug(s, 0, 0, &car, "TAG", 0);
    station_begin(&s->bays[0]);
    return s;
}

static void test_refusals(void **state)
{
    struct loop *loop = loop_new();
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct station *s = with_car(loop);
        const char *name = s->bays[0].session.name;

        if (r->before) {
            put_name(text, sizeof text, r->evse_before, r->before, name);
            expect(r->what, station_ask(s, "SetChargingProfile", text), NULL);
        }
        put_name(text, sizeof text, r->evse, r->profile, name);
        expect(r->what, station_ask(s, "SetChargingProfile", text), r->why);
        station_free(s);
    }
    loop_free(loop);
}

/* ---- the rest of what it is asked */

static void test_answers(void **state)
{
    static const struct {
        const char *action, *payload, *status;
    } rows[] = {
        {"GetBaseReport", "{\"requestId\":1,\"reportBase\":\"FullInventory\"}",
         "Accepted"},
        {"GetReport", "{\"requestId\":1,\"componentCriteria\":[\"Problem\"]}",
         "EmptyResultSet"},
        {"GetReport",
         "{\"requestId\":1,\"componentVariable\":[{\"component\":{\"name\":"
         "\"SmartChargingCtrlr\"},\"variable\":{\"name\":\"RateUnit\"}}]}",
         "Accepted"},
        {"GetChargingProfiles", "{\"requestId\":1,\"chargingProfile\":{}}",
         "NoProfiles"},
        {"ClearChargingProfile", "{\"chargingProfileId\":1}", "Unknown"},
        {"UnlockConnector", "{\"evseId\":1,\"connectorId\":1}",
         "OngoingAuthorizedTransaction"},
        {"UnlockConnector", "{\"evseId\":2,\"connectorId\":1}", "Unlocked"},
        {"UnlockConnector", "{\"evseId\":2,\"connectorId\":2}", "UnknownConnector"},
        {"ChangeAvailability", "{\"operationalStatus\":\"Inoperative\"}", "Scheduled"},
        {"ChangeAvailability",
         "{\"operationalStatus\":\"Inoperative\",\"evse\":{\"id\":2}}", "Accepted"},
        {"RequestStartTransaction",
         "{\"remoteStartId\":1,\"evseId\":2,"
         "\"idToken\":{\"idToken\":\"A\",\"type\":\"Central\"}}",
         "Rejected"},
        {"RequestStopTransaction", "{\"transactionId\":\"other\"}", "Rejected"},
        {"TriggerMessage", "{\"requestedMessage\":\"LogStatusNotification\"}",
         "NotImplemented"},
        {"Reset", "{\"type\":\"OnIdle\"}", "Scheduled"},
        {"Reset", "{\"type\":\"Immediate\",\"evseId\":1}", "Rejected"},
        {"Reset", "{\"type\":\"Immediate\"}", "Accepted"},
    };
    struct loop *loop = loop_new();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct station *s = with_car(loop);
        cJSON *answer = station_ask(s, rows[i].action, rows[i].payload);

        if (!payload_is(answer, "status", rows[i].status))
            fail_msg("%s %s: %s", rows[i].action, rows[i].payload,
                     payload_text(answer, "status"));
        cJSON_Delete(answer);
        station_free(s);
    }
    loop_free(loop);
}

static const char *variable(struct station *s, const char *component, const char *name,
                            char value[192])
{
    char text[256];
    cJSON *answer;
    const cJSON *one;

    snprintf(text, sizeof text,
             "{\"getVariableData\":[{\"component\":{\"name\":\"%s\"},"
             "\"variable\":{\"name\":\"%s\"}}]}",
             component, name);
    answer = station_ask(s, "GetVariables", text);
    one = payload_get(answer, "getVariableResult")->child;
    if (payload_is(one, "attributeStatus", "Accepted"))
        snprintf(value, 192, "%s", payload_text(one, "attributeValue"));
    else
        snprintf(value, 192, "%s", payload_text(one, "attributeStatus"));
    cJSON_Delete(answer);
    return value;
}

static void test_variables(void **state)
{
    static const char set[] =
        "{\"setVariableData\":["
        "{\"attributeValue\":\"7\",\"component\":{\"name\":\"SampledDataCtrlr\"},"
        "\"variable\":{\"name\":\"TxUpdatedInterval\"}},"
        "{\"attributeValue\":\"x\",\"component\":{\"name\":\"OCPPCommCtrlr\"},"
        "\"variable\":{\"name\":\"HeartbeatInterval\"}},"
        "{\"attributeValue\":\"W\",\"component\":{\"name\":\"SmartChargingCtrlr\"},"
        "\"variable\":{\"name\":\"RateUnit\"}},"
        "{\"attributeValue\":\"1\",\"component\":{\"name\":\"SmartChargingCtrlr\"},"
        "\"variable\":{\"name\":\"Nothing\"}},"
        "{\"attributeValue\":\"1\",\"component\":{\"name\":\"Nothing\"},"
        "\"variable\":{\"name\":\"Nothing\"}}]}";
    static const char *const want[] = {"Accepted", "Rejected", "Rejected",
                                       "UnknownVariable", "UnknownComponent"};
    struct loop *loop = loop_new();
    struct station *s = with_car(loop);
    cJSON *answer = station_ask(s, "SetVariables", set);
    const cJSON *one = payload_get(answer, "setVariableResult")->child;
    char value[192];

    (void)state;
    for (int i = 0; i < 5; i++, one = one->next)
        assert_string_equal(payload_text(one, "attributeStatus"), want[i]);
    cJSON_Delete(answer);
    assert_string_equal(variable(s, "SampledDataCtrlr", "TxUpdatedInterval", value),
                        "7");
    assert_string_equal(variable(s, "SmartChargingCtrlr", "RateUnit", value), "A,W");
    assert_string_equal(variable(s, "SmartChargingCtrlr", "Entries", value),
                        "UnknownVariable"); /* it has an instance */
    station_free(s);
    loop_free(loop);
}

/* ---- on a link */

struct linked {
    struct rig *r;
    struct loop *loop;
    struct station *s;
};

static void tick(void *arg)
{
    struct linked *k = arg;

    station_tick(k->s, clock_ms());
}

static bool is_up(struct linked *k)
{
    return station_accepted(k->s);
}

static bool is_down(struct linked *k)
{
    return !ocpp_client_is_open(k->s->client);
}

static bool has_transaction(struct linked *k)
{
    return station_session(k->s, 0)->transaction > 0;
}

static bool on_10_a(struct linked *k)
{
    return station_bay(k->s, 0)->car.i_ma == 10000;
}

static bool on_8_a(struct linked *k)
{
    return station_bay(k->s, 0)->car.i_ma == 8000;
}

static bool on_0_a(struct linked *k)
{
    return station_bay(k->s, 0)->car.i_ma == 0;
}

static bool is_free(struct linked *k)
{
    return station_free_bay(k->s, 0) && !ocpp_client_waits(k->s->client);
}

static void until(struct linked *k, const char *what, bool (*is)(struct linked *k))
{
    int64_t late_ms = clock_ms() + DEADLINE_MS;

    while (!is(k)) {
        if (clock_ms() > late_ms)
            fail_msg("%s: it does not become true", what);
        lws_service(loop_lws(k->loop), 0);
    }
}

/* Meanwhile the station goes on; the number of such events so far, and the last one. */
static int count(struct linked *k, enum event_kind kind, struct event *last)
{
    int n = 0;

    pthread_mutex_lock(&k->r->lock);
    for (int i = 0; i < k->r->n_events; i++)
        if (k->r->events[i].kind == kind) {
            *last = k->r->events[i];
            n++;
        }
    pthread_mutex_unlock(&k->r->lock);
    return n;
}

static struct event await(struct linked *k, enum event_kind kind,
                          bool (*is)(const struct event *e))
{
    int64_t late_ms = clock_ms() + DEADLINE_MS;
    struct event e;

    while (count(k, kind, &e) == 0 || !is(&e)) {
        if (clock_ms() > late_ms)
            fail_msg("no such %s", event_kind_name(kind));
        lws_service(loop_lws(k->loop), 0);
    }
    return e;
}

static void order(struct linked *k, uint32_t seq, int32_t limit_ma)
{
    pthread_mutex_lock(&k->r->lock);
    k->r->order = (struct order){
        .kind = ORDER_LIMIT, .seq = seq, .limit_ma = limit_ma, .lease_ms = 600000};
    k->r->has_order = true;
    pthread_mutex_unlock(&k->r->lock);
    loop_wake(k->r->loop);
}

static bool active(const struct event *e)
{
    return e->session.active;
}

static bool inactive(const struct event *e)
{
    return !e->session.active;
}

static bool sample_10_a(const struct event *e)
{
    return e->sample.i_ma[0] == 10000 && e->sample.i_ma[2] == 10000 &&
           e->sample.p_w == 6900;
}

static bool suspended(const struct event *e)
{
    return e->status == STATUS_SUSPENDED_EVSE;
}

static bool available(const struct event *e)
{
    return e->status == STATUS_AVAILABLE;
}

static bool ceiling_8_a(const struct event *e)
{
    return e->ceiling.limit_ma == 8000;
}

static void link_up(struct linked *k, const struct ocpp_schema *schema)
{
    struct station_setup u = {
        .schema = schema,
        .host = "127.0.0.1",
        .identity = "CP-01",
        .vendor = "Fir",
        .model = "Single",
        .firmware = "1.0",
        .rotation = "1.RST",
        .voltage_mv = 230000,
        .answer_max_ms = 40,
        .act_max_ms = 40,
        .rng = sim_rng_stream(1, 1),
        .n_bays = 1,
        .bay = {{7, 6000, 16000, 100}},
    };

    k->r = rig_new();
    k->r->conf.ocpp.sample_s = 1;
    rig_start(k->r);
    k->loop = loop_new();
    u.lws = loop_lws(k->loop);
    u.port = ocpp_port(k->r->ocpp);
    k->s = station_new(&u, clock_ms());
    assert_non_null(k->s);
    assert_true(loop_every(k->loop, 10, tick, k));
    until(k, "accepted", is_up);
    await(k, EVENT_STATUS, available);
}

static void link_down(struct linked *k)
{
    const struct station_counts *c = station_counts(k->s);

    assert_int_equal(c->faulty, 0);
    assert_int_equal(c->wrong, 0);
    station_free(k->s);
    loop_free(k->loop);
    rig_free(k->r);
}

static void plug(struct linked *k)
{
    struct sim_car car;

    sim_car_ideal(&car, 10000, 3, 16000, 6000);
    station_plug(k->s, 0, clock_ms(), &car, "TAG", 0);
    until(k, "transaction", has_transaction);
    await(k, EVENT_SESSION, active);
}

/* A car charges as it is told, is stopped, and drives away while nobody hears of it:
 * that is told later. */
static void one_car(const struct ocpp_schema *schema)
{
    struct linked k;
    struct event e;

    link_up(&k, schema);
    plug(&k);
    order(&k, 11, 10000);
    until(&k, "10 A", on_10_a);
    await(&k, EVENT_SAMPLE, sample_10_a);
    assert_int_equal(count(&k, EVENT_ANSWER, &e), 1);
    assert_int_equal(e.answer.seq, 11);
    assert_int_equal(e.answer.answer, ANSWER_ACCEPTED);
    order(&k, 12, 0);
    until(&k, "0 A", on_0_a);
    await(&k, EVENT_STATUS, suspended);
    ocpp_client_drop(k.s->client, 100);
    until(&k, "no link", is_down);
    station_unplug(k.s, 0, clock_ms());
    until(&k, "a link again", is_up);
    await(&k, EVENT_SESSION, inactive);
    await(&k, EVENT_STATUS, available);
    until(&k, "all is said", is_free);
    link_down(&k);
}

static void test_both(void **state)
{
    (void)state;
    for (const struct ocpp_schema *const *v = ocpp_schemas; *v; v++) {
        print_message("%s\n", (*v)->version);
        one_car(*v);
    }
}

/* The lower one holds, whoever it comes from; the controller is told. (That it is over
 * the core may hear half a minute later.) */
static void test_external(void **state)
{
    struct linked k;

    (void)state;
    link_up(&k, ocpp_schemas[0]);
    plug(&k);
    order(&k, 1, 10000);
    until(&k, "10 A", on_10_a);
    station_constrain(k.s, 1, 80, 600);
    until(&k, "8 A", on_8_a);
    await(&k, EVENT_CEILING, ceiling_8_a);
    station_constrain(k.s, 1, -1, 0);
    until(&k, "10 A again", on_10_a);
    link_down(&k);
}

/* What happens while there is no link is told with that, in its order. */
static void test_offline(void **state)
{
    struct loop *loop = loop_new();
    struct station *s = with_car(loop);
    struct station_bay *b = &s->bays[0];
    static const char *const types[] = {"Updated", "Ended"};

    (void)state;
    b->stop_reason = "EVDisconnected";
    for (int i = 0; i < 2; i++) {
        cJSON *o = evse_event(b, types[i], "Trigger", "Other", false);
        char why[OCPP_WHY];

        assert_true(cJSON_IsTrue(payload_get(o, "offline")));
        assert_int_equal(payload_int(o, "seqNo", -1), i + 1); /* 0 was the begin */
        assert_string_equal(payload_text(o, "eventType"), types[i]);
        assert_null(ocpp_schema_strict(
            s->u.schema,
            ocpp_schema_find(s->u.schema, OCPP_STATION, "TransactionEvent")->request, o,
            why));
        cJSON_Delete(o);
    }
    station_free(s);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_answers),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_offline),
        cmocka_unit_test(test_both),      cmocka_unit_test(test_external),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
