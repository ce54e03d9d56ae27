/* SPDX-License-Identifier: Apache-2.0 */
/* What a station of OCPP 2.0.1 tells of its car and of limits by others, over a link
 * without sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "proto/ocpp201.h"

#define NONE EVENT_NO_VALUE
#define LIMIT(evse, source, schedules)                                                 \
    "{\"evseId\":" evse ",\"chargingLimit\":{\"chargingLimitSource\":\"" source        \
    "\"}" schedules "}"
#define SCHEDULE(more, unit, periods)                                                  \
    ",\"chargingSchedule\":[{\"id\":1," more "\"chargingRateUnit\":\"" unit            \
    "\",\"chargingSchedulePeriod\":[" periods "]}]"
#define STARTED                                                                        \
    "{\"eventType\":\"Started\",\"timestamp\":\"2019-03-01T14:20:00Z\","               \
    "\"triggerReason\":\"Authorized\",\"seqNo\":0,\"evse\":{\"id\":1},"                \
    "\"idToken\":{\"idToken\":\"CARD\",\"type\":\"ISO14443\"},"                        \
    "\"transactionInfo\":{\"transactionId\":\"tx-7\",\"chargingState\":\"Charging\"}}"

/* ---- what limits over time come to */

enum { DAY_S = 86400, T0 = 1551450000 };

static struct ocpp_schedule_period steps[] = {{0, {16000, NONE}},
                                              {600, {8000, NONE}},
                                              {1800, {NONE, 5000}}},
                                   high[] = {{0, {20000, NONE}}},
                                   low[] = {{0, {6000, NONE}}};

/* clang-format off */
static struct {
    const char *what;
    struct ocpp_schedule s[2];
    int n;
    int64_t at_s; /* after T0 */
    struct ocpp_bound is;
    int64_t until_s; /* after T0; -1 = never */
} rows[] = {
    {"nothing", .n = 0, .is = {NONE, NONE}, .until_s = -1},
    {"the first period", {{.n = 3, .at = steps}}, 1, 0, {16000, NONE}, 600},
    {"the second", {{.n = 3, .at = steps}}, 1, 1799, {8000, NONE}, 1800},
    {"the last has no end", {{.n = 3, .at = steps}}, 1, DAY_S, {NONE, 5000}, -1},
    {"or its duration", {{.n = 3, .at = steps, .duration_s = 2000}}, 1, 1800, {NONE, 5000},
     2000},
    {"after which it says nothing", {{.n = 3, .at = steps, .duration_s = 2000}}, 1, 2000,
     {NONE, NONE}, -1},
    {"not yet", {{.n = 3, .at = steps}}, 1, -5, {NONE, NONE}, 0},
    {"not valid yet", {{.n = 3, .at = steps, .from_s = T0 + 700}}, 1, 100, {NONE, NONE}, 700},
    {"no longer valid", {{.n = 3, .at = steps, .to_s = T0 + 700}}, 1, 650, {8000, NONE}, 700},
    {"every day", {{.n = 3, .at = steps, .every_s = DAY_S}}, 1, 3 * DAY_S + 700, {8000, NONE},
     3 * DAY_S + 1800},
    {"until the next", {{.n = 3, .at = steps, .every_s = DAY_S}}, 1, 4 * DAY_S - 1,
     {NONE, 5000}, 4 * DAY_S},
    {"and then anew", {{.n = 3, .at = steps, .every_s = DAY_S}}, 1, 4 * DAY_S, {16000, NONE},
     4 * DAY_S + 600},
    {"the lower of two", {{.n = 1, .at = high}, {.n = 1, .at = low}}, 2, 0, {6000, NONE}, -1},
    {"the higher level counts", {{.n = 1, .at = high, .level = 1}, {.n = 1, .at = low}}, 2, 0,
     {20000, NONE}, -1},
    {"while it says something",
     {{.n = 1, .at = high, .level = 1, .duration_s = 60}, {.n = 1, .at = low}}, 2, 60,
     {6000, NONE}, -1},
};
/* clang-format on */

static void over_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ocpp_limited l = {.n = rows[i].n, .schedules = rows[i].s};
        struct ocpp_bound b;
        int64_t until_s;

        for (int k = 0; k < 2; k++) {
            rows[i].s[k].start_s = T0;
            if (!rows[i].s[k].to_s)
                rows[i].s[k].to_s = INT64_MAX;
        }
        b = ocpp_limited_now(&l, T0 + rows[i].at_s, &until_s);
        if (b.ma != rows[i].is.ma || b.w != rows[i].is.w ||
            until_s != (rows[i].until_s < 0 ? INT64_MAX : T0 + rows[i].until_s))
            fail_msg("%s: %d mA, %d W, until %lld", rows[i].what, b.ma, b.w,
                     (long long)(until_s - T0));
    }
}

/* ---- on a link */

/* Answers all, and the question for limits by others with that. */
static void settle(struct rig *r, const char *status)
{
    for (int i = 0; i < 4; i++) {
        rig_wait(r, OCPP_WAIT_BOOT_MS);
        for (const char *action; *(action = rig_next(r, NULL));)
            rig_status(r, strcmp(action, "GetChargingProfiles") == 0 ? status
                          : strcmp(action, "GetBaseReport") == 0     ? "NotSupported"
                                                                     : "Accepted");
    }
}

static struct rig *station(void)
{
    struct rig *r = rig_new(2);

    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    settle(r, "NoProfiles");
    return r;
}

/* The last ceiling of a connector. */
static struct event_ceiling ceiling(const struct rig *r, int who)
{
    struct event_ceiling is = {NONE, NONE, NONE, NONE, INT64_MAX};

    for (int i = 0; i < r->n_events; i++)
        if (r->events[i].kind == EVENT_CEILING && r->events[i].who == who)
            is = r->events[i].ceiling;
    return is;
}

static void limited(void **state)
{
    struct rig *r = station();
    int n;

    (void)state;
    rig_call(r, "NotifyChargingLimit",
             LIMIT("1", "EMS",
                   SCHEDULE("\"duration\":120,", "A",
                            "{\"startPeriod\":0,\"limit\":8.5},{\"startPeriod\":60,"
                            "\"limit\":10}")),
             "{}");
    assert_int_equal(ceiling(r, 0).limit_ma, 8500);
    assert_in_range(ceiling(r, 0).until_ms - r->w.now_ms, 60000, 62000);
    assert_int_equal(ceiling(r, 1).limit_ma, NONE);
    n = rig_count(r, EVENT_CEILING);
    rig_wait(r, 50000);
    assert_int_equal(rig_count(r, EVENT_CEILING), n); /* nothing has changed */
    rig_wait(r, 12000);
    assert_int_equal(ceiling(r, 0).limit_ma, 10000);
    /* of the whole station, and by another */
    rig_call(r, "NotifyChargingLimit",
             LIMIT("0", "SO", SCHEDULE("", "W", "{\"startPeriod\":0,\"limit\":4200}")),
             "{}");
    assert_int_equal(ceiling(r, 0).limit_ma, 10000);
    assert_int_equal(ceiling(r, 0).whole_w, 4200);
    assert_int_equal(ceiling(r, 1).whole_w, 4200);
    assert_true(ceiling(r, 1).until_ms == INT64_MAX);
    rig_wait(r, 60000); /* the schedule of the first has ended */
    assert_int_equal(ceiling(r, 0).limit_ma, NONE);
    assert_int_equal(ceiling(r, 0).whole_w, 4200);
    rig_call(r, "ClearedChargingLimit", "{\"chargingLimitSource\":\"EMS\"}", "{}");
    assert_int_equal(ceiling(r, 0).whole_w, 4200);
    rig_call(r, "ClearedChargingLimit", "{\"chargingLimitSource\":\"SO\"}", "{}");
    assert_int_equal(ceiling(r, 0).whole_w, NONE);
    assert_int_equal(ceiling(r, 1).whole_w, NONE);
    rig_expect_nothing(r);
    rig_free(r);
}

/* It says that it is limited, not to what. */
static void asked(void **state)
{
    struct rig *r = station();
    char report[600];
    cJSON *o;

    (void)state;
    rig_call(r, "NotifyChargingLimit", LIMIT("1", "EMS", ""), "{}");
    o = cJSON_Parse(rig_expect(r, "GetChargingProfiles"));
    rig_status(r, "Accepted");
    assert_int_equal(ceiling(r, 0).limit_ma, NONE);
    for (int right = 0; right < 2; right++) {
        snprintf(report, sizeof report,
                 "{\"requestId\":%d,\"chargingLimitSource\":\"EMS\",\"evseId\":1,"
                 "\"chargingProfile\":[{\"id\":77,\"stackLevel\":0,"
                 "\"chargingProfilePurpose\":\"ChargingStationExternalConstraints\","
                 "\"chargingProfileKind\":\"Absolute\"" SCHEDULE(
                     "\"startSchedule\":\"2019-03-01T14:00:00Z\",", "A",
                     "{\"startPeriod\":0,\"limit\":7}") "}]}",
                 right ? cJSON_GetObjectItem(o, "requestId")->valueint : 7);
        rig_call(r, "ReportChargingProfiles", report, "{}");
        assert_int_equal(ceiling(r, 0).limit_ma, right ? 7000 : NONE);
    }
    cJSON_Delete(o);
    /* a new link: it is asked whether it still holds, and it does until it says no */
    ocpp_peer_down(r->p);
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    assert_int_equal(ceiling(r, 0).limit_ma, 7000);
    settle(r, "NoProfiles");
    rig_wait(r, 30000);
    assert_int_equal(ceiling(r, 0).limit_ma, NONE);
    rig_free(r);
}

/* Two profiles of others on one connector, each in a message of its own: on the same
 * level the lower one holds, whichever comes last. */
static void reported_one_by_one(void **state)
{
    (void)state;
    for (int lower_last = 0; lower_last <= 1; lower_last++) {
        struct rig *r = station();
        char report[600];

        rig_call(r, "NotifyChargingLimit", LIMIT("1", "EMS", ""), "{}");
        rig_expect(r, "GetChargingProfiles");
        rig_status(r, "Accepted");
        for (int i = 0; i < 2; i++) {
            snprintf(
                report, sizeof report,
                "{\"requestId\":%d,\"chargingLimitSource\":\"EMS\",\"evseId\":1,"
                "\"tbc\":%s,\"chargingProfile\":[{\"id\":%d,\"stackLevel\":0,"
                "\"chargingProfilePurpose\":\"ChargingStationExternalConstraints\","
                "\"chargingProfileKind\":\"Absolute\"" SCHEDULE(
                    "\"startSchedule\":\"2019-03-01T14:00:00Z\",", "A",
                    "{\"startPeriod\":0,\"limit\":%d}") "}]}",
                (int)r->p->outside_request, i ? "false" : "true", 77 + i,
                i == lower_last ? 7 : 12);
            rig_call(r, "ReportChargingProfiles", report, "{}");
        }
        assert_int_equal(ceiling(r, 0).limit_ma, 7000);
        rig_free(r);
    }
}

static void over_with_a_restart(void **state)
{
    struct rig *r = station();

    (void)state;
    rig_call(r, "NotifyChargingLimit",
             LIMIT("2", "CSO", SCHEDULE("", "A", "{\"startPeriod\":0,\"limit\":0}")),
             "{}");
    assert_int_equal(ceiling(r, 1).limit_ma, 0);
    rig_says(r, "[2,\"b\",\"BootNotification\",{\"reason\":\"PowerUp\","
                "\"chargingStation\":{\"model\":\"M\",\"vendorName\":\"V\"}}]");
    rig_wait(r, 30000);
    assert_int_equal(ceiling(r, 1).limit_ma, NONE);
    rig_free(r);
}

/* One that changes all the time is followed down at once, and up twice a minute. */
static void restless(void **state)
{
    struct rig *r = station();
    int n = rig_count(r, EVENT_CEILING);
    char text[300];

    (void)state;
    for (int i = 0; i < 120; i++) {
        snprintf(
            text, sizeof text,
            LIMIT("1", "EMS", SCHEDULE("", "A", "{\"startPeriod\":0,\"limit\":%d}")),
            i % 2 ? 16 : 8);
        rig_call(r, "NotifyChargingLimit", text, "{}");
        rig_wait(r, 1000);
    }
    assert_in_range(rig_count(r, EVENT_CEILING) - n, 3, 10);
    rig_call(r, "NotifyChargingLimit",
             LIMIT("1", "EMS", SCHEDULE("", "A", "{\"startPeriod\":0,\"limit\":7}")),
             "{}");
    assert_int_equal(ceiling(r, 0).limit_ma, 7000);
    rig_free(r);
}

/* What makes no sense limits to nothing, and nobody can fill our memory with it. */
static void nonsense(void **state)
{
    struct rig *r = station();
    char text[300];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text,
                 LIMIT("%d", "%s",
                       SCHEDULE("", "A",
                                "{\"startPeriod\":0,\"limit\":-1},"
                                "{\"startPeriod\":-5,\"limit\":\"x\"}")),
                 i % 3, i % 2 ? "Sun" : "EMS");
        rig_call(r, "NotifyChargingLimit", text, "{}");
    }
    assert_int_equal(rig_count(r, EVENT_CEILING), 0);
    rig_call(r, "ClearedChargingLimit", "{\"chargingLimitSource\":\"Other\"}", "{}");
    rig_call(r, "NotifyChargingLimit", "{\"evseId\":1}",
             "{}"); /* understood as it can be */
    rig_free(r);
}

#define NEEDS(evse, more)                                                              \
    "{\"evseId\":" evse ",\"chargingNeeds\":{\"requestedEnergyTransfer\":"             \
    "\"AC_three_phase\"" more "}}"

static struct event_wish wish(struct rig *r)
{
    const struct event *e = rig_last(r, EVENT_WISH);

    assert_non_null(e);
    assert_int_equal(e->wish.source, WISH_CAR);
    return e->wish;
}

static void needs(void **state)
{
    struct rig *r = station();
    struct event_wish w;

    (void)state;
    /* before there is a transaction */
    rig_call(r, "NotifyEVChargingNeeds",
             NEEDS("1", ",\"departureTime\":\"2019-03-01T16:20:00Z\","
                        "\"acChargingParameters\":{\"energyAmount\":12000,"
                        "\"evMinCurrent\":8,\"evMaxCurrent\":20,\"evMaxVoltage\":400}"),
             "{\"status\":\"Processing\"}");
    w = wish(r);
    assert_int_equal(w.energy_wh, 12000);
    assert_int_equal(w.min_ma, 8000);
    assert_int_equal(w.max_ma, 20000);
    assert_in_range(w.departs_ms - r->w.now_ms, 7180000, 7200000);
    /* in one it gets its limit, also the one that it has */
    rig_call(r, "TransactionEvent", STARTED,
             "{\"idTokenInfo\":{\"status\":\"Accepted\"}}");
    rig_order(r, 1, 10000, 60000);
    rig_settle(r, "Accepted");
    rig_expect_nothing(r);
    rig_call(r, "NotifyEVChargingNeeds", NEEDS("1", ""), "{\"status\":\"Accepted\"}");
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"tx-7\""));
    rig_status(r, "Accepted");
    rig_settle(r, "Accepted");
    w = wish(r);
    assert_int_equal(w.energy_wh, NONE);
    assert_true(w.departs_ms == INT64_MAX);
    assert_int_equal(w.max_ma, 0);
    rig_call(r, "NotifyEVChargingNeeds", NEEDS("1", ""), "{\"status\":\"Accepted\"}");
    rig_expect_nothing(r); /* not as often as it likes */
    rig_call(r, "NotifyEVChargingNeeds", NEEDS("9", ""), "{\"status\":\"Rejected\"}");
    rig_free(r);
}

#define CABLE(tx, type, amps)                                                          \
    "{\"eventType\":\"" type "\",\"timestamp\":\"2019-03-01T14:20:00Z\","              \
    "\"triggerReason\":\"CablePluggedIn\",\"seqNo\":1,\"evse\":{\"id\":1},"            \
    "\"cableMaxCurrent\":" amps ",\"transactionInfo\":{\"transactionId\":\"" tx "\"}}"

/* No more than its cable carries is of use to a car. */
static void a_thin_cable(void **state)
{
    struct rig *r = station();
    int n;

    (void)state;
    rig_call(r, "TransactionEvent", CABLE("a", "Started", "20"), "{}");
    assert_int_equal(wish(r).max_ma, 20000);
    assert_int_equal(wish(r).energy_wh, NONE);
    n = rig_count(r, EVENT_WISH);
    rig_call(r, "TransactionEvent", CABLE("a", "Updated", "20"), "{}");
    assert_int_equal(rig_count(r, EVENT_WISH), n);
    rig_call(r, "NotifyEVChargingNeeds",
             NEEDS("1", ",\"acChargingParameters\":{\"energyAmount\":12000,"
                        "\"evMinCurrent\":6,\"evMaxCurrent\":32,\"evMaxVoltage\":400}"),
             "{\"status\":\"Accepted\"}");
    assert_int_equal(wish(r).max_ma, 20000);
    assert_int_equal(wish(r).energy_wh, 12000);
    rig_call(r, "TransactionEvent", CABLE("a", "Ended", "20"), "{}");
    /* another car */
    rig_call(r, "TransactionEvent", CABLE("b", "Started", "0"), "{}");
    rig_call(r, "NotifyEVChargingNeeds",
             NEEDS("1", ",\"acChargingParameters\":{\"energyAmount\":0,"
                        "\"evMinCurrent\":6,\"evMaxCurrent\":32,\"evMaxVoltage\":400}"),
             "{\"status\":\"Accepted\"}");
    assert_int_equal(wish(r).max_ma, 32000);
    rig_free(r);
}

/* More than a wire carries is no limit. */
static void absurd_power(void **state)
{
    static const char *const powers[] = {"2147483647", "1e308", "-5", "1000000000"};
    struct rig *r = station();

    (void)state;
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        char text[200];

        snprintf(text, sizeof text,
                 NEEDS("1", ",\"dcChargingParameters\":{\"evMaxCurrent\":0,"
                            "\"evMaxVoltage\":0,\"evMaxPower\":%s}"),
                 powers[i]);
        rig_call(r, "NotifyEVChargingNeeds", text, "{\"status\":\"Processing\"}");
        assert_int_equal(wish(r).max_ma, 0);
    }
    rig_free(r);
}

static void needs_of_dc(void **state)
{
    static const struct {
        const char *what, *json;
        int32_t energy_wh, max_w;
    } cases[] = {
        {"energy and power",
         "\"energyAmount\":30000,\"evMaxPower\":50000,\"evMaxCurrent\":200,"
         "\"evMaxVoltage\":400",
         30000, 50000},
        {"from one state to the other",
         "\"evEnergyCapacity\":60000,\"stateOfCharge\":20,\"fullSoC\":90,"
         "\"evMaxCurrent\":100,\"evMaxVoltage\":400",
         42000, 40000},
        {"to the bulk",
         "\"evEnergyCapacity\":60000,\"stateOfCharge\":20,\"bulkSoC\":80", 36000, 0},
        {"to the full", "\"evEnergyCapacity\":60000,\"stateOfCharge\":0", 60000, 0},
        {"full", "\"evEnergyCapacity\":60000,\"stateOfCharge\":95,\"fullSoC\":90", 0,
         0},
        {"nothing", "\"energyAmount\":0", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        struct ocpp_fault fault;
        struct ocpp_needs n;
        cJSON *o;

        snprintf(text, sizeof text, NEEDS("1", ",\"dcChargingParameters\":{%s}"),
                 cases[i].json);
        o = cJSON_Parse(text);
        assert_true(ocpp201_read_needs(o, &n, &fault));
        if (n.energy_wh != cases[i].energy_wh || n.max_w != cases[i].max_w)
            fail_msg("%s: %d Wh, %d W", cases[i].what, n.energy_wh, n.max_w);
        cJSON_Delete(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_time),
        cmocka_unit_test(limited),
        cmocka_unit_test(asked),
        cmocka_unit_test(reported_one_by_one),
        cmocka_unit_test(over_with_a_restart),
        cmocka_unit_test(restless),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(needs),
        cmocka_unit_test(a_thin_cable),
        cmocka_unit_test(absurd_power),
        cmocka_unit_test(needs_of_dc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
