/* SPDX-License-Identifier: Apache-2.0 */
/* How limits reach a charger: exact profiles, forms that are refused, what the core is
 * answered, what goes before what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"

#define DEFAULT_1(limit, duration, start)                                              \
    "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":2,"              \
    "\"stackLevel\":1,\"chargingProfilePurpose\":\"TxDefaultProfile\","                \
    "\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{"                      \
    "\"duration\":" duration ",\"startSchedule\":\"" start                             \
    "\",\"chargingRateUnit\":\"A\","                                                   \
    "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":" limit "}]}}}"
#define FALLBACK(start)                                                                \
    "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,"              \
    "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","                \
    "\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"startSchedule\":"    \
    "\"" start "\",\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":["            \
    "{\"startPeriod\":0,\"limit\":6}]}}}"

enum { LEASE_MS = 300000 };

static void start_tx(struct rig *r)
{
    char want[80];

    snprintf(want, sizeof want,
             "{\"transactionId\":%d,\"idTagInfo\":{\"status\":\"Accepted\"}}",
             r->transaction + 1);
    rig_call(r, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":0,"
             "\"timestamp\":\"2019-03-01T14:20:00Z\"}",
             want);
    r->p->c[0].tx.begun_ms -= 5000; /* so long ago: it has taken it in */
}

static void stop_tx(struct rig *r)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"transactionId\":%d,\"meterStop\":10,"
             "\"timestamp\":\"2019-03-01T15:20:00Z\"}",
             r->transaction);
    rig_call(r, "StopTransaction", payload, "{}");
}

/* Purpose, level and number of periods of a SetChargingProfile. */
static const char *form(const char *payload)
{
    static char text[32];
    const char *level = strstr(payload, "\"stackLevel\":");

    snprintf(text, sizeof text, "%s%c%s",
             strstr(payload, "TxDefaultProfile")        ? "default"
             : strstr(payload, "ChargePointMaxProfile") ? "max"
                                                        : "tx",
             level ? level[13] : '?',
             strstr(payload, "},{\"startPeriod\"") ? " steps"
             : strstr(payload, "\"duration\"")     ? ""
                                                   : " endless");
    return text;
}

static void expect_form(struct rig *r, const char *want)
{
    assert_string_equal(form(rig_expect(r, "SetChargingProfile")), want);
}

static void fallback_then_lease(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_call(r, "BootNotification", "{}",
             "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,"
             "\"status\":\"Accepted\"}");
    assert_string_equal(rig_expect(r, "SetChargingProfile"),
                        FALLBACK("2019-03-01T14:19:00Z"));
    seq = rig_order(r, 1, 12600, LEASE_MS);
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), -1);
    assert_string_equal(rig_expect(r, "SetChargingProfile"),
                        DEFAULT_1("12.6", "360", "2019-03-01T14:19:00Z"));
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_free(r);
}

static void numbers(void **state)
{
    static const struct {
        int32_t ma;
        const char *text;
    } cases[] = {
        {0, ":0}"},        {5999, ":0}"},   {6000, ":6}"},     {6600, ":6.6}"},
        {15999, ":15.9}"}, {16000, ":16}"}, {31950, ":31.9}"}, {100100, ":100.1}"},
    };
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_order(r, 1, cases[i].ma, LEASE_MS);
        if (!strstr(rig_expect(r, "SetChargingProfile"), cases[i].text))
            fail_msg("%d mA is not %s", (int)cases[i].ma, cases[i].text);
        rig_status(r, "Accepted");
    }
    rig_free(r);
}

/* Strict chargers take a known id on another connector for a replacement. */
static void connectors_have_ids_of_their_own(void **state)
{
    struct rig *r = rig_new(2);

    (void)state;
    rig_up(r);
    rig_order(r, 1, 8000, LEASE_MS);
    assert_non_null(
        strstr(rig_expect(r, "SetChargingProfile"), "\"chargingProfileId\":2,"));
    rig_status(r, "Accepted");
    rig_order(r, 2, 8000, LEASE_MS);
    assert_non_null(
        strstr(rig_expect(r, "SetChargingProfile"), "\"chargingProfileId\":12,"));
    rig_status(r, "Accepted");
    rig_free(r);
}

/* The lease counts from the order, also when the order had to wait. */
static void lease_counts_from_order(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t first, second;

    (void)state;
    rig_up(r);
    first = rig_order(r, 1, 8000, LEASE_MS);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"duration\":360,"));
    second = rig_order(r, 1, 7000, LEASE_MS);
    rig_wait(r, 20000);
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, first), ANSWER_ACCEPTED);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"duration\":340,"));
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, second), ANSWER_ACCEPTED);

    /* ... and an order that waited longer than its lease never leaves */
    first = rig_order(r, 1, 9000, LEASE_MS);
    rig_expect(r, "SetChargingProfile");
    second = rig_order(r, 1, 8000, 10000);
    rig_wait(r, 29000);
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    assert_int_equal(rig_answered(r, second), ANSWER_REJECTED);
    rig_free(r);
}

static void transaction_changes_form(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    rig_up(r);
    seq = rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);

    rig_wait(r, 40000);
    start_tx(
        r); /* the limit in force follows at once, with what is left of its lease */
    assert_string_equal(
        rig_expect(r, "SetChargingProfile"),
        "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":3,"
        "\"transactionId\":101,\"stackLevel\":1,"
        "\"chargingProfilePurpose\":\"TxProfile\","
        "\"chargingProfileKind\":\"Absolute\",\"chargingSchedule\":{\"duration\":320,"
        "\"startSchedule\":\"2019-03-01T14:19:45Z\",\"chargingRateUnit\":\"A\","
        "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":8}]}}}");
    rig_status(r, "Accepted");
    assert_int_equal(rig_count(r, EVENT_ANSWER), 1); /* nobody asked for that one */

    seq = rig_order(r, 1, 10000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);

    stop_tx(r); /* the TxProfile is gone: the limit must hold for what comes next */
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    rig_free(r);
}

/* A transaction begins while the TxDefaultProfile is under way: accepted only when the
 * TxProfile is. */
static void transaction_overtakes_order(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    rig_up(r);
    seq = rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "default1");
    start_tx(r);
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), -1);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);

    seq = rig_order(r, 1, 7000, LEASE_MS); /* the same the other way round */
    expect_form(r, "tx1");
    stop_tx(r);
    rig_status(r, "Rejected");
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    assert_int_equal(r->p->tx_refusals, 0);
    rig_free(r);
}

/* One transaction ends and the next begins while the profile of the first is under way:
 * that one governs nothing. */
static void next_transaction_overtakes_order(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    rig_up(r);
    start_tx(r);
    seq = rig_order(r, 1, 8000, LEASE_MS);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "Id\":101,"));
    stop_tx(r);
    start_tx(r);
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), -1);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "Id\":102,"));
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_free(r);
}

/* The controller before us may have left a high TxDefaultProfile: below a TxProfile it
 * is lowered, too. */
static void left_by_another_run(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    r->conf.site.lease_ms = LEASE_MS;
    ocpp_peer_free(r->p);
    r->p = ocpp_peer_new(&r->w, 0);
    rig_up(r);
    rig_call(
        r, "MeterValues",
        "{\"connectorId\":1,\"transactionId\":77,\"meterValue\":[{\"sampledValue\":"
        "[{\"value\":\"5\"}]}]}",
        "{}"); /* a transaction goes on */
    rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    assert_string_equal(form(rig_expect(r, "SetChargingProfile")), "default1");
    rig_status(r, "Accepted");
    rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    rig_expect_nothing(r); /* once is enough */
    rig_free(r);
}

/* It has taken a TxProfile and refuses the next, lower one: the TxDefaultProfile that
 * it takes in place of that holds only when the first one is gone. */
static void a_profile_from_before_has_to_go(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    rig_up(r);
    start_tx(r);
    rig_order(r, 1, 16000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    seq = rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Rejected");
    expect_form(r, "tx0");
    rig_status(r, "Rejected");
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), -1);
    assert_string_equal(rig_expect(r, "ClearChargingProfile"), "{\"id\":3}");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_order(r, 1, 7000, LEASE_MS); /* once is enough */
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    rig_free(r);
}

/* A charger that has not yet taken in that its transaction has begun. */
static void too_early(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t seq;

    (void)state;
    rig_up(r);
    start_tx(r);
    r->p->c[0].tx.begun_ms = r->w.now_ms;
    seq = rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "tx1");
    rig_status(r, "Rejected");
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_wait(r, 4000);
    rig_expect_nothing(r);
    rig_wait(r, 1100);
    expect_form(r, "tx1");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    assert_true(r->p->able.tx == OCPP_FORM_TX_1 && r->p->able.tx_ok);
    rig_free(r);
}

/* Each row: forms as they are tried, what each is answered, what the core hears. */
static void ladder(void **state)
{
    static const struct {
        const char *what;
        bool tx;
        int n;
        const char *form[7];
        const char *reply[7]; /* "!code" = CALLERROR, "" = none in time */
        enum answer answer;
    } cases[] = {
        {"level 1 refused",
         false,
         2,
         {"default1", "default0 steps"},
         {"Rejected", "Accepted"},
         ANSWER_ACCEPTED},
        {"two periods refused",
         false,
         3,
         {"default1", "default0 steps", "default0 endless"},
         {"Rejected", "Rejected", "Accepted"},
         ANSWER_ACCEPTED},
        {"only limits of the whole charger",
         false,
         4,
         {"default1", "default0 steps", "default0 endless", "max0 steps"},
         {"Rejected", "Rejected", "Rejected", "Accepted"},
         ANSWER_ACCEPTED},
        {"all refused",
         false,
         5,
         {"default1", "default0 steps", "default0 endless", "max0 steps",
          "max0 endless"},
         {"Rejected", "NotSupported", "!NotSupported", "Rejected", "Rejected"},
         ANSWER_REJECTED},
        {"TxProfile only on level 0",
         true,
         2,
         {"tx1", "tx0"},
         {"Rejected", "Accepted"},
         ANSWER_ACCEPTED},
        {"no TxProfile",
         true,
         2,
         {"tx1", "default1"},
         {"NotSupported", "Accepted"},
         ANSWER_ACCEPTED},
        {"TxProfile not implemented",
         true,
         2,
         {"tx1", "default1"},
         {"!NotImplemented", "Accepted"},
         ANSWER_ACCEPTED},
        {"TxProfile refused twice",
         true,
         3,
         {"tx1", "tx0", "default1"},
         {"Rejected", "!PropertyConstraintViolation", "Accepted"},
         ANSWER_ACCEPTED},
        {"all refused in a transaction",
         true,
         7,
         {"tx1", "tx0", "default1", "default0 steps", "default0 endless", "max0 steps",
          "max0 endless"},
         {"Rejected", "Rejected", "Rejected", "Rejected", "Rejected", "Rejected",
          "Rejected"},
         ANSWER_REJECTED},
        {"no answer", false, 1, {"default1"}, {""}, ANSWER_NONE},
        {"no answer after a refusal",
         true,
         2,
         {"tx1", "tx0"},
         {"Rejected", ""},
         ANSWER_NONE},
        {"an error that says nothing",
         false,
         1,
         {"default1"},
         {"!InternalError"},
         ANSWER_NONE},
        {"an error that nobody knows", false, 1, {"default1"}, {"!Oops"}, ANSWER_NONE},
        {"a status that nobody knows",
         false,
         1,
         {"default1"},
         {"Perhaps"},
         ANSWER_NONE},
        {"a formation violation",
         false,
         2,
         {"default1", "default0 steps"},
         {"!FormationViolation", "Accepted"},
         ANSWER_ACCEPTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(1);
        uint32_t seq;

        rig_up(r);
        if (cases[i].tx)
            start_tx(r);
        seq = rig_order(r, 1, 8000, LEASE_MS);
        for (int k = 0; k < cases[i].n; k++) {
            const char *reply = cases[i].reply[k];

            if (rig_answered(r, seq) != -1)
                fail_msg("%s: answered too early", cases[i].what);
            expect_form(r, cases[i].form[k]);
            if (*reply == '!')
                rig_error(r, reply + 1);
            else if (*reply)
                rig_status(r, reply);
            else
                rig_wait(r, 30000);
        }
        if (rig_answered(r, seq) != (int)cases[i].answer)
            fail_msg("%s: answered %d", cases[i].what, rig_answered(r, seq));
        rig_expect_nothing(r);
        if (cases[i].answer == ANSWER_ACCEPTED) { /* it goes on where it worked */
            rig_order(r, 1, 9000, LEASE_MS);
            expect_form(r, cases[i].form[cases[i].n - 1]);
        }
        rig_free(r);
    }
}

static void one_profile_carries_both(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    rig_order(r, 1, 12000, LEASE_MS);
    expect_form(r, "default1");
    rig_status(r, "Rejected");
    assert_non_null(
        strstr(rig_expect(r, "SetChargingProfile"),
               "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":12}"
               ",{\"startPeriod\":360,\"limit\":6}]"));
    rig_status(r, "Accepted");
    assert_int_equal(r->troubles, 0); /* it still ends by itself */
    rig_free(r);
}

static void told_by_its_configuration(void **state)
{
    static const struct {
        const char *what, *key, *value, *no_tx, *tx, *unit;
    } cases[] = {
        {"level 0 only", "ChargeProfileMaxStackLevel", "0", "default0 steps", "tx0",
         "\"A\""},
        {"one profile", "MaxChargingProfilesInstalled", "1", "default0 steps", "tx1",
         "\"A\""},
        {"watts only", "ChargingScheduleAllowedChargingRateUnit", "Power", "default1",
         "tx1", "\"W\""},
        {"watts in small letters", "chargingscheduleallowedchargingrateunit", "power",
         "default1", "tx1", "\"W\""},
        {"both units", "ChargingScheduleAllowedChargingRateUnit", "Current,Power",
         "default1", "tx1", "\"A\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new(1);
        const char *payload;
        char keys[256];

        ocpp_peer_up(r->p, r);
        rig_call(r, "Heartbeat", "{}", "{\"currentTime\":\"2019-03-01T14:20:00Z\"}");
        expect_form(r, "default0 endless");
        rig_status(r, "Accepted");
        rig_expect(r, "GetConfiguration");
        snprintf(keys, sizeof keys,
                 "{\"configurationKey\":[{\"key\":\"%s\",\"readonly\":true,"
                 "\"value\":\"%s\"}]}",
                 cases[i].key, cases[i].value);
        rig_answer(r, keys);
        rig_settle(r, "Accepted");
        rig_order(r, 1, 10050, LEASE_MS);
        payload = rig_expect(r, "SetChargingProfile");
        assert_string_equal(form(payload), cases[i].no_tx);
        assert_non_null(strstr(payload, cases[i].unit));
        if (strcmp(cases[i].unit, "\"W\"") == 0) /* 10.05 A * 230 V * 3 */
            assert_non_null(strstr(payload, "\"limit\":6934}"));
        rig_status(r, "Accepted");
        start_tx(r);
        expect_form(r, cases[i].tx);
        rig_free(r);
    }
}

/* Watts are shared by the charger among the phases that the car uses: so many count. */
static void watts_of_one_phase(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    r->p->config.unit_known = r->p->config.watts = true;
    start_tx(r);
    rig_order(r, 1, 10000, LEASE_MS);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"limit\":6900}"));
    rig_status(r, "Accepted");
    rig_call(r, "MeterValues",
             "{\"connectorId\":1,\"transactionId\":101,\"meterValue\":[{\"timestamp\":"
             "\"2019-03-01T14:21:00Z\",\"sampledValue\":["
             "{\"value\":\"10\",\"measurand\":\"Current.Import\",\"phase\":\"L1\"},"
             "{\"value\":\"0\",\"measurand\":\"Current.Import\",\"phase\":\"L2\"},"
             "{\"value\":\"0\",\"measurand\":\"Current.Import\",\"phase\":\"L3\"}]}]}",
             "{}");
    rig_order(r, 1, 10000, LEASE_MS);
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"limit\":2300}"));
    rig_free(r);
}

/* The next SetChargingProfile has this. */
static void told(struct rig *r, int32_t ma, int8_t n_phases, const char *period)
{
    struct order o = {.kind = ORDER_LIMIT,
                      .seq = ++r->seq,
                      .limit_ma = ma,
                      .n_phases = n_phases,
                      .lease_ms = LEASE_MS};
    const char *payload;

    ocpp_limit_order(r->p, &r->p->c[0], &o);
    payload = rig_expect(r, "SetChargingProfile");
    if (!strstr(payload, period))
        fail_msg("%s is not in %s", period, payload);
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, o.seq), ANSWER_ACCEPTED);
    rig_settle(r, "Accepted"); /* what stands below a TxProfile */
}

/* Who can change the number of phases is told it with every limit, in each form. */
static void number_of_phases(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    rig_up(r);
    told(r, 6000, 1, "[{\"startPeriod\":0,\"limit\":6,\"numberPhases\":1}]");
    start_tx(r); /* the limit in force is told again in the new form */
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"numberPhases\":1}"));
    rig_status(r, "Accepted");
    told(r, 0, 1, "[{\"startPeriod\":0,\"limit\":0,\"numberPhases\":1}]");
    told(r, 0, 3, "[{\"startPeriod\":0,\"limit\":0,\"numberPhases\":3}]");
    told(r, 16000, 3, "[{\"startPeriod\":0,\"limit\":16,\"numberPhases\":3}]");
    told(r, 15000, 0, "[{\"startPeriod\":0,\"limit\":15}]");
    r->p->config.unit_known = r->p->config.watts = true;
    told(r, 10000, 1, "[{\"startPeriod\":0,\"limit\":2300,\"numberPhases\":1}]");
    r->p->c[0].phases_seen = 1; /* as its meter values told meanwhile */
    told(r, 10000, 3, "[{\"startPeriod\":0,\"limit\":6900,\"numberPhases\":3}]");
    rig_free(r);
}

static void newest_order_wins(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t a, b, c;

    (void)state;
    rig_up(r);
    a = rig_order(r, 1, 8000, LEASE_MS);
    b = rig_order(r, 1, 9000, LEASE_MS);
    c = rig_order(r, 1, 7000, LEASE_MS);
    assert_int_equal(rig_answered(r, a), -1);
    assert_int_equal(rig_answered(r, b), ANSWER_REJECTED); /* never sent */
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"limit\":8}"));
    rig_status(r, "Rejected"); /* the newer one goes on with the next form */
    assert_int_equal(rig_answered(r, a), ANSWER_REJECTED);
    {
        const char *payload = rig_expect(r, "SetChargingProfile");

        assert_string_equal(form(payload), "default0 steps");
        assert_non_null(strstr(payload, "\"limit\":7}"));
    }
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, c), ANSWER_ACCEPTED);
    rig_expect_nothing(r);
    rig_free(r);
}

static void ask_done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    (void)arg;
    (void)o;
    (void)text;
    (void)note;
}

static void ask(struct rig *r, const char *action, const char *json)
{
    cJSON *payload = cJSON_Parse(json);

    ocpp_peer_ask(r->p, action, payload, ask_done, NULL);
    cJSON_Delete(payload);
}

/* Decreases, increases, people, housekeeping: whatever came first. */
static void order_of_importance(void **state)
{
    struct rig *r = rig_new(2);
    struct order sample = {.kind = ORDER_SAMPLE};

    (void)state;
    rig_up(r);
    rig_order(r, 1, 10000, LEASE_MS);
    rig_order(r, 2, 10000, LEASE_MS);
    rig_settle(r, "Accepted");

    rig_order(r, 2, 10000, LEASE_MS); /* on its way */
    (void)sample;
    ocpp_sample_order(r->p, &r->p->c[0]);
    ask(r, "GetDiagnostics", "{\"location\":\"http://h/d\"}");
    rig_order(r, 1, 12000, LEASE_MS);
    rig_order(r, 2, 8000, LEASE_MS);
    rig_expect(r, "SetChargingProfile");
    rig_status(r, "Accepted");
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"limit\":8}"));
    rig_status(r, "Accepted");
    assert_non_null(strstr(rig_expect(r, "SetChargingProfile"), "\"limit\":12}"));
    rig_status(r, "Accepted");
    rig_expect(r, "GetDiagnostics");
    rig_answer(r, "{}");
    assert_string_equal(rig_expect(r, "TriggerMessage"),
                        "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    rig_free(r);
}

static void answered_when_away(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t a, b;

    (void)state;
    a = rig_order(r, 1, 8000, LEASE_MS);
    assert_int_equal(rig_count(r, EVENT_ANSWER), 0); /* not from within the order */
    assert_int_equal(rig_answered(r, a), ANSWER_REJECTED);
    rig_up(r);
    a = rig_order(r, 1, 8000, LEASE_MS);
    b = rig_order(r, 1, 7000, LEASE_MS);
    ocpp_peer_down(r->p);
    assert_int_equal(rig_answered(r, a), ANSWER_NONE);     /* it may have arrived */
    assert_int_equal(rig_answered(r, b), ANSWER_REJECTED); /* it cannot have */
    assert_false(rig_last(r, EVENT_LINK)->link.up);
    rig_free(r);
}

static void late_reply_is_dropped(void **state)
{
    struct rig *r = rig_new(1);
    uint32_t a, b;

    (void)state;
    rig_up(r);
    a = rig_order(r, 1, 8000, LEASE_MS);
    expect_form(r, "default1");
    rig_wait(r, 29900);
    assert_int_equal(rig_answered(r, a), -1);
    rig_wait(r, 100);
    assert_int_equal(rig_answered(r, a), ANSWER_NONE);
    b = rig_order(r, 1, 9000, LEASE_MS);
    rig_status(r, "Rejected"); /* to the first one: the second is still in the queue */
    assert_int_equal(rig_answered(r, b), -1);
    expect_form(r, "default1");
    rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, b), ANSWER_ACCEPTED);
    rig_free(r);
}

/* After a boot, and after people meddled with profiles, all is told again. */
static void everything_again(void **state)
{
    struct rig *r = rig_new(1);
    int links;

    (void)state;
    rig_up(r);
    rig_order(r, 1, 8000, LEASE_MS);
    rig_settle(r, "Accepted");
    links = rig_count(r, EVENT_LINK);
    rig_call(r, "BootNotification", "{}",
             "{\"currentTime\":\"2019-03-01T14:20:05Z\",\"interval\":300,"
             "\"status\":\"Accepted\"}");
    assert_int_equal(rig_count(r, EVENT_LINK), links + 1);
    assert_true(rig_last(r, EVENT_LINK)->link.boot);
    expect_form(r, "default0 endless");
    rig_status(r, "Accepted");
    rig_settle(r, "Accepted");

    ask(r, "ClearChargingProfile", "{\"stackLevel\":5}");
    rig_expect(r, "ClearChargingProfile");
    rig_status(r, "Accepted");
    assert_int_equal(rig_count(r, EVENT_LINK), links + 2);
    expect_form(r, "default0 endless");
    rig_free(r);
}

static void fallback_refused_is_told(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_wait(r, 5000); /* a reconnect without a Boot */
    expect_form(r, "default0 endless");
    rig_status(r, "Rejected");
    assert_int_equal(r->troubles, 1);
    assert_string_equal(r->trouble, "refuses the fallback limit");
    rig_settle(r, "Accepted");
    ocpp_peer_down(r->p);
    rig_up(r);
    assert_int_equal(r->troubles, 0);
    rig_free(r);
}

/* A fallback whose fate is not known is told again. */
static void fallback_again(void **state)
{
    struct rig *r = rig_new(1);

    (void)state;
    ocpp_peer_up(r->p, r);
    rig_wait(r, 5000);
    expect_form(r, "default0 endless");
    rig_error(r, "InternalError");
    rig_settle(r, "Accepted");
    rig_wait(r, 4000);
    rig_settle(r, "Accepted");
    rig_wait(r, 50000);
    rig_expect_nothing(r);
    rig_wait(r, 6000);
    expect_form(r, "default0 endless");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fallback_then_lease),
        cmocka_unit_test(numbers),
        cmocka_unit_test(connectors_have_ids_of_their_own),
        cmocka_unit_test(lease_counts_from_order),
        cmocka_unit_test(transaction_changes_form),
        cmocka_unit_test(transaction_overtakes_order),
        cmocka_unit_test(next_transaction_overtakes_order),
        cmocka_unit_test(left_by_another_run),
        cmocka_unit_test(a_profile_from_before_has_to_go),
        cmocka_unit_test(too_early),
        cmocka_unit_test(ladder),
        cmocka_unit_test(one_profile_carries_both),
        cmocka_unit_test(told_by_its_configuration),
        cmocka_unit_test(watts_of_one_phase),
        cmocka_unit_test(number_of_phases),
        cmocka_unit_test(newest_order_wins),
        cmocka_unit_test(order_of_importance),
        cmocka_unit_test(answered_when_away),
        cmocka_unit_test(late_reply_is_dropped),
        cmocka_unit_test(everything_again),
        cmocka_unit_test(fallback_refused_is_told),
        cmocka_unit_test(fallback_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
