/* SPDX-License-Identifier: Apache-2.0 */
/* What befalls transactions that have names, in OCPP 2.0.1: power cuts, ends that are
 * lost or late, a restart of ours. tests/e2e/test/outage.test.js does it over real
 * sockets. */
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

static void boot(struct rig *r)
{
    rig_call(r, "BootNotification",
             "{\"reason\":\"PowerUp\",\"chargingStation\":{\"vendorName\":\"V\","
             "\"model\":\"M\"}}",
             "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,"
             "\"status\":\"Accepted\"}");
}

/* What a station that lost its power says of its transaction afterwards is how it
 * ended; also where we have taken it for over meanwhile. */
static void an_end_after_a_boot(void **state)
{
    (void)state;
    for (int late = 0; late <= 1; late++) {
        struct rig *r = station();

        rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""), "{}");
        boot(r);
        if (late)
            rig_wait(r, 60000);
        assert_int_equal(r->n_sessions, 1 + late);
        rig_call(r, "TransactionEvent",
                 EVENT("4", "Ended", "Idle", ENERGY("Transaction.End", "2.25")), "{}");
        assert_int_equal(r->n_sessions, 2 + late);
        assert_int_equal(r->sessions[1 + late].register_wh, 2250);
        assert_int_equal(r->sessions[1 + late].late, late);
        assert_int_equal(r->sessions[1 + late].transaction, r->sessions[0].transaction);
        assert_string_equal(r->sessions[1].reason, late ? "Reboot" : "");
        assert_false(r->p->c[0].tx.active);
        rig_free(r);
    }
}

/* The book knows it by a number, that of before a restart of ours. */
static void one_that_the_book_knows(void **state)
{
    struct rig *r = station();

    (void)state;
    r->open = 55;
    rig_call(r, "TransactionEvent", EVENT("7", "Updated", "Charging", ""), "{}");
    assert_true(r->sessions[0].resumed);
    assert_int_equal(r->sessions[0].transaction, 55);
    boot(r);
    rig_wait(r, 60000); /* nothing is said of it: it is taken for over */
    assert_int_equal(r->sessions[1].transaction, 55);
    r->open = 0;
    rig_call(r, "TransactionEvent",
             EVENT("9", "Ended", "Idle", ENERGY("Transaction.End", "2.25")), "{}");
    assert_true(r->sessions[2].late);
    assert_int_equal(r->sessions[2].transaction, 55);
    assert_int_equal(r->sessions[2].register_wh, 2250);
    rig_free(r);
}

/* Another was there before a restart of ours. Its end comes behind the one that goes
 * on. */
static void another_that_the_book_knows(void **state)
{
    struct rig *r = station();

    (void)state;
    r->open = 55;
    r->open_name = "tx-6";
    rig_call(r, "TransactionEvent", EVENT("7", "Updated", "Charging", ""), "{}");
    assert_true(r->sessions[0].resumed);
    assert_int_not_equal(r->sessions[0].transaction, 55);
    assert_string_equal(r->sessions[0].name, "tx-7");
    rig_call(r, "TransactionEvent",
             "{\"eventType\":\"Ended\",\"timestamp\":\"2019-03-01T14:10:00Z\","
             "\"triggerReason\":\"EVDeparted\",\"seqNo\":9,\"offline\":true,"
             "\"transactionInfo\":{\"transactionId\":\"tx-6\"}" ENERGY(
                 "Transaction.End", "2.25") "}",
             "{}");
    assert_int_equal(r->n_sessions, 2);
    assert_true(r->sessions[1].late);
    assert_int_equal(r->sessions[1].transaction, -1);
    assert_string_equal(r->sessions[1].name, "tx-6");
    assert_int_equal(r->sessions[1].register_wh, 2250);
    assert_string_equal(r->p->c[0].tx.name, "tx-7");
    assert_true(r->p->c[0].tx.active);
    rig_free(r);
}

/* Its end was lost with a link: the next one that begins ends it, and so does a place
 * where nobody is any more. */
static void an_end_that_is_lost(void **state)
{
    static const char next[] =
        "{\"eventType\":\"Started\",\"timestamp\":\"2019-03-01T14:21:00Z\","
        "\"triggerReason\":\"CablePluggedIn\",\"seqNo\":0,\"evse\":{\"id\":1},"
        "\"transactionInfo\":{\"transactionId\":\"tx-8\"}}";

    (void)state;
    for (int leaves = 0; leaves <= 1; leaves++) {
        struct rig *r = station();

        rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""), "{}");
        ocpp_peer_down(r->p);
        rig_wait(r, 10000);
        ocpp_peer_up(r->p, r);
        ocpp_deliver(&r->w);
        if (leaves) {
            rig_call(r, "StatusNotification",
                     "{\"timestamp\":\"2019-03-01T14:20:10Z\",\"evseId\":1,"
                     "\"connectorStatus\":\"Available\",\"connectorId\":1}",
                     "{}");
            assert_int_equal(r->n_sessions, 1); /* it may say so before the event */
            rig_wait(r, OCPP_GONE_MS);
        } else {
            rig_call(r, "TransactionEvent", next, "{}");
        }
        assert_int_equal(r->n_sessions, leaves ? 2 : 3);
        assert_false(r->sessions[1].begins);
        assert_int_equal(r->sessions[1].transaction, r->sessions[0].transaction);
        assert_int_equal(r->p->c[0].tx.active, !leaves);
        rig_free(r);
    }
}

/* Answers all calls; limits for a transaction with `why`. How many of these there were.
 */
static int answer_all(struct rig *r, const char *why)
{
    const char *action, *payload;
    char no[120];
    int n = 0;

    snprintf(no, sizeof no,
             "{\"status\":\"Rejected\",\"statusInfo\":{\"reasonCode\":\"%s\"}}", why);
    while (*(action = rig_next(r, &payload))) {
        bool tx = strcmp(action, "SetChargingProfile") == 0 &&
                  strstr(payload, "\"TxProfile\"");

        n += tx;
        if (tx)
            rig_answer(r, no);
        else
            rig_status(r, "Accepted");
    }
    return n;
}

/* A station that has forgotten a transaction takes its limit in another form at once,
 * and that it takes none for transactions is not to be learned from it, as it is from
 * three that it refuses for no such reason. */
static void a_forgotten_one(void **state)
{
    static const struct {
        const char *why;
        int tries; /* forms of a limit for a transaction */
        bool learns;
    } rows[] = {
        {"TxNotFound", 1, false}, {"UnknownTxId", 1, false}, {"NotEnabled", 2, true}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station();

        boot(r);
        answer_all(r, rows[i].why);
        for (int n = 0; n < 3; n++) {
            uint32_t seq;
            int tries;

            rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""),
                     "{}");
            rig_wait(r, 10000); /* it has taken that in */
            tries = answer_all(r, rows[i].why);
            seq = rig_order(r, 1, 10000 + n * 1000, 600000);
            tries += answer_all(r, rows[i].why);
            assert_int_equal(tries, rows[i].tries);
            assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
            rig_call(r, "TransactionEvent", EVENT("1", "Ended", "Idle", ""), "{}");
            answer_all(r, rows[i].why);
            r->p->c[0].tx.name[0] = '\0'; /* the next one has another */
        }
        assert_int_equal(r->p->able.tx_no, rows[i].learns);
        rig_free(r);
    }
}

/* What was measured before the link came, however lately, is not what flows now. */
static void stored_values(void **state)
{
#define AT(seq, second, stored)                                                        \
    "{\"eventType\":\"Updated\",\"timestamp\":\"2019-03-01T14:" second "Z\","          \
    "\"triggerReason\":\"MeterValuePeriodic\",\"seqNo\":" seq ",\"offline\":" stored   \
    ",\"transactionInfo\":{\"transactionId\":\"tx-7\",\"chargingState\":\"Charging\"}" \
    ","                                                                                \
    "\"meterValue\":[{\"timestamp\":\"2019-03-01T14:" second                           \
    "Z\",\"sampledValue\":[{\"value\":16,\"measurand\":\"Current.Import\",\"phase\":"  \
    "\"L1\"}]}]}"
    struct rig *r = station();

    (void)state;
    rig_call(r, "TransactionEvent", AT("0", "10:00", "true"), "{}");
    rig_call(r, "TransactionEvent", AT("1", "19:50", "true"), "{}");
    assert_true(r->p->c[0].tx.active);
    assert_int_equal(r->p->c[0].status, STATUS_CHARGING);
    assert_int_equal(rig_count(r, EVENT_SAMPLE), 0);
    rig_call(r, "TransactionEvent", AT("2", "20:02", "false"), "{}");
    assert_int_equal(rig_count(r, EVENT_SAMPLE), 1);
    rig_call(r, "TransactionEvent", AT("3", "20:04", "true"), "{}"); /* it says so */
    assert_int_equal(rig_count(r, EVENT_SAMPLE), 2);
    rig_free(r);
}

/* ---- what governs: a TxProfile is above all that is told for no transaction */

/* Answers all calls; the purpose of the highest profile is in `purpose`. True: one of
 * that id was cleared after all of them. */
static bool clears(struct rig *r, const char *id, char purpose[24])
{
    const char *action, *payload, *at;
    bool cleared = false;

    purpose[0] = '\0';
    while (*(action = rig_next(r, &payload))) {
        at = strstr(payload, "Purpose\":\"");
        if (strcmp(action, "SetChargingProfile") == 0) {
            if (strcmp(purpose, "TxProfile") != 0)
                snprintf(purpose, 24, "%.*s", (int)strcspn(at + 10, "\""), at + 10);
            cleared = false;
        } else if (strcmp(action, "ClearChargingProfile") == 0 && strstr(payload, id)) {
            cleared = true;
        }
        rig_status(r, "Accepted");
    }
    return cleared;
}

static const char tx_id[] = "\"chargingProfileId\":3}";

/* The end of one that we have never heard of ends only that: the limit is one for the
 * one that is there. */
static void an_end_of_another(void **state)
{
    struct rig *r = station();
    char purpose[24];
    uint32_t seq;

    (void)state;
    boot(r);
    rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""), "{}");
    seq = rig_order(r, 1, 16000, 600000);
    clears(r, tx_id, purpose);
    assert_string_equal(purpose, "TxProfile");
    rig_call(r, "TransactionEvent",
             "{\"eventType\":\"Ended\",\"timestamp\":\"2019-03-01T14:20:05Z\","
             "\"triggerReason\":\"EVDeparted\",\"seqNo\":9,\"evse\":{\"id\":1},"
             "\"transactionInfo\":{\"transactionId\":\"tx-6\"}}",
             "{}");
    assert_true(r->p->c[0].tx.active);
    assert_string_equal(r->p->c[0].tx.name, "tx-7");
    assert_true(r->p->c[0].status == STATUS_CHARGING);
    assert_true(r->sessions[1].late);
    assert_string_equal(r->sessions[1].name, "tx-6");
    seq = rig_order(r, 1, 0, 600000);
    clears(r, tx_id, purpose);
    assert_string_equal(purpose, "TxProfile");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_free(r);
}

/* A run before us may have left one, of a transaction of which we have not heard yet:
 * that is waited for, before it is removed. Where nobody is there is none. */
static void left_by_a_run_before(void **state)
{
    static const struct {
        const char *status;
        int64_t gone_ms;
        enum answer first, second;
        bool cleared;
    } rows[] = {{"Occupied", 0, ANSWER_NONE, ANSWER_ACCEPTED, true},
                {"Available", 0, ANSWER_ACCEPTED, ANSWER_ACCEPTED, false},
                {"Occupied", 1000000, ANSWER_ACCEPTED, ANSWER_ACCEPTED, false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = rig_new(1);
        char purpose[24], text[160];
        uint32_t seq;

        r->conf.site.lease_ms = 900000;
        ocpp_limit_unknown(r->p);
        ocpp_peer_speak(r->p, &ocpp201_schema);
        rig_wait(r, rows[i].gone_ms); /* that long ago it has ended by itself */
        ocpp_peer_up(r->p, r);
        snprintf(text, sizeof text,
                 "{\"timestamp\":\"2019-03-01T14:20:00Z\",\"connectorStatus\":\"%s\","
                 "\"evseId\":1,\"connectorId\":1}",
                 rows[i].status);
        rig_call(r, "StatusNotification", text, "{}");
        seq = rig_order(r, 1, 6000, 600000);
        assert_false(clears(r, tx_id, purpose));
        assert_string_equal(purpose, "TxDefaultProfile");
        assert_int_equal(rig_answered(r, seq), rows[i].first);
        rig_wait(r, 30000);
        seq = rig_order(r, 1, 7000, 600000);
        assert_int_equal(clears(r, tx_id, purpose), rows[i].cleared);
        assert_int_equal(rig_answered(r, seq), rows[i].second);
        seq = rig_order(r, 1, 8000, 600000);
        assert_false(clears(r, tx_id, purpose)); /* it is gone */
        assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
        rig_free(r);
    }
}

/* Until that is gone, the limit is not known to hold. */
static void left_and_kept(void **state)
{
    struct rig *r = rig_new(1);
    const char *action;
    uint32_t seq;

    (void)state;
    r->conf.site.lease_ms = 900000;
    ocpp_limit_unknown(r->p);
    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    rig_wait(r, 30000);
    seq = rig_order(r, 1, 6000, 600000);
    while (*(action = rig_next(r, NULL)))
        if (strcmp(action, "ClearChargingProfile") == 0)
            rig_error(r, "InternalError");
        else
            rig_status(r, "Accepted");
    assert_int_equal(rig_answered(r, seq), ANSWER_NONE);
    rig_free(r);
}

/* Its charger has started and says no more of it. It may go on all the same. */
static void left_by_one_in_doubt(void **state)
{
    struct rig *r = station();
    char purpose[24];
    uint32_t seq;

    (void)state;
    rig_call(r, "TransactionEvent", EVENT("0", "Started", "Charging", ""), "{}");
    seq = rig_order(r, 1, 16000, 600000);
    clears(r, tx_id, purpose);
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    boot(r);
    clears(r, tx_id, purpose);
    rig_wait(r, 60000);
    assert_false(r->p->c[0].tx.active);
    seq = rig_order(r, 1, 6000, 600000);
    assert_true(clears(r, tx_id, purpose));
    assert_string_equal(purpose, "TxDefaultProfile");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_free(r);
}

/* It comes back with another version, in which its transaction has no name yet. */
static void left_by_another_version(void **state)
{
    struct rig *r = rig_new(1);
    char purpose[24];
    uint32_t seq;

    (void)state;
    rig_up(r);
    rig_call(r, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"04AABBCC\",\"meterStart\":0,"
             "\"timestamp\":\"2019-03-01T14:20:00Z\"}",
             "{\"transactionId\":101,\"idTagInfo\":{\"status\":\"Accepted\"}}");
    rig_order(r, 1, 16000, 600000);
    clears(r, tx_id, purpose);
    assert_string_equal(purpose, "TxProfile");
    ocpp_peer_down(r->p);
    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    rig_wait(r, 6000);
    seq = rig_order(r, 1, 6000, 600000);
    assert_true(clears(r, tx_id, purpose));
    assert_string_equal(purpose, "TxDefaultProfile");
    assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
    rig_call(r, "TransactionEvent", EVENT("7", "Updated", "Charging", ""), "{}");
    rig_order(r, 1, 8000, 600000);
    clears(r, tx_id, purpose);
    assert_string_equal(purpose, "TxProfile");
    rig_free(r);
}

/* It refuses for once what it has taken before, or reports that there is no room for
 * that, and takes a lower one: it has both then. */
static void left_by_a_higher_form(void **state)
{
    static const char one_id[] = "\"chargingProfileId\":2}";

    (void)state;
    for (int reports = 0; reports <= 1; reports++) {
        struct rig *r = station();
        char purpose[24], text[400];
        uint32_t seq;

        boot(r);
        clears(r, one_id, purpose);
        rig_order(r, 1, 16000, 600000);
        assert_false(clears(r, one_id, purpose));
        r->p->setup = OCPP_SETUP_REPORT;
        r->p->report.step = OCPP_REPORT_COMES;
        snprintf(text, sizeof text,
                 "{\"requestId\":%d,\"generatedAt\":\"2019-03-01T14:20:00Z\","
                 "\"seqNo\":0,\"reportData\":[{\"component\":{\"name\":"
                 "\"SmartChargingCtrlr\"},\"variable\":{\"name\":\"Entries\","
                 "\"instance\":\"ChargingProfiles\"},\"variableAttribute\":[{}],"
                 "\"variableCharacteristics\":{\"dataType\":\"integer\","
                 "\"supportsMonitoring\":false,\"maxLimit\":1}}]}",
                 (int)r->p->report.request);
        if (reports)
            rig_call(r, "NotifyReport", text, "{}");
        seq = rig_order(r, 1, 6000, 600000);
        if (!reports) {
            rig_expect(r, "SetChargingProfile");
            rig_status(r, "Rejected");
        }
        assert_true(clears(r, one_id, purpose));
        assert_int_equal(r->p->able.other, OCPP_FORM_STEPS);
        assert_int_equal(rig_answered(r, seq), ANSWER_ACCEPTED);
        rig_order(r, 1, 8000, 600000);
        assert_false(clears(r, one_id, purpose));
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_after_a_boot),
        cmocka_unit_test(one_that_the_book_knows),
        cmocka_unit_test(another_that_the_book_knows),
        cmocka_unit_test(an_end_that_is_lost),
        cmocka_unit_test(a_forgotten_one),
        cmocka_unit_test(stored_values),
        cmocka_unit_test(an_end_of_another),
        cmocka_unit_test(left_by_a_run_before),
        cmocka_unit_test(left_and_kept),
        cmocka_unit_test(left_by_one_in_doubt),
        cmocka_unit_test(left_by_another_version),
        cmocka_unit_test(left_by_a_higher_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
