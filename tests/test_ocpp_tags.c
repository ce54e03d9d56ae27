/* SPDX-License-Identifier: Apache-2.0 */
/* Who may charge, reservations, and the list of tags in the charger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"

#define START "2019-03-01T14:20:00Z" /* the rig's time */
enum { MANY = 45 };

static const struct event_card none = {MODE_COUNT, EVENT_NO_VALUE, EVENT_NO_VALUE};

static struct rig *rig_with_list(struct conf_tag *tags, int n, int connectors)
{
    struct rig *r = rig_new(connectors);

    r->conf.ocpp.accept_all_tags = false;
    r->conf.ocpp.tags = tags;
    r->conf.ocpp.n_tags = n;
    return r;
}

static void who_may_charge(void **state)
{
    struct rig *r = rig_new(1);
    struct conf_tag tags[] = {
        {.id = "ANNA", .group = "HOUSE", .card = none},
        {.id = "BERT", .until_s = r->w.utc_s, .card = none},
        {.id = "CARL", .until_s = r->w.utc_s + 60, .group = "a\"b", .card = none},
    };
    static const struct {
        const char *tag;
        bool all;
        int unknown;
        const char *want;
    } rows[] = {
        {"ANNA", false, CONF_REFUSE,
         "{\"parentIdTag\":\"HOUSE\",\"status\":\"Accepted\"}"},
        {"anna", false, CONF_REFUSE,
         "{\"parentIdTag\":\"HOUSE\",\"status\":\"Accepted\"}"},
        {"BERT", false, CONF_ACCEPT,
         "{\"expiryDate\":\"2019-03-01T14:20:00Z\",\"status\":\"Expired\"}"},
        {"CARL", true, CONF_REFUSE,
         "{\"expiryDate\":\"2019-03-01T14:21:00Z\",\"parentIdTag\":\"a\\\"b\","
         "\"status\":\"Accepted\"}"},
        {"DORA", false, CONF_REFUSE, "{\"status\":\"Invalid\"}"},
        {"DORA", false, CONF_ACCEPT, "{\"status\":\"Accepted\"}"},
        {"DORA", false, CONF_LOW, "{\"status\":\"Accepted\"}"},
        {"DORA", true, CONF_REFUSE, "{\"status\":\"Accepted\"}"},
    };

    (void)state;
    r->conf.ocpp.tags = tags;
    r->conf.ocpp.n_tags = 3;
    ocpp_peer_up(r->p, r);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char ask[64], want[200];

        r->conf.ocpp.accept_all_tags = rows[i].all;
        r->conf.ocpp.unknown_tags = rows[i].unknown;
        snprintf(ask, sizeof ask, "{\"idTag\":\"%s\"}", rows[i].tag);
        snprintf(want, sizeof want, "{\"idTagInfo\":%s}", rows[i].want);
        rig_call(r, "Authorize", ask, want);
        rig_settle(r, "Rejected");
    }
    rig_free(r);
}

static void start(struct rig *r, int connector, const char *tag, const char *more,
                  const char *status)
{
    char ask[200], want[160];

    snprintf(
        ask, sizeof ask,
        "{\"connectorId\":%d,\"idTag\":\"%s\",\"meterStart\":0,\"timestamp\":\"\"%s}",
        connector, tag, more);
    snprintf(want, sizeof want, "{\"transactionId\":%d,\"idTagInfo\":{%s}}",
             r->transaction + 1, status);
    rig_call(r, "StartTransaction", ask, want);
    rig_settle(r, "Accepted");
}

static void a_refused_one_is_told(void **state)
{
    struct conf_tag tags[] = {{.id = "ANNA", .card = none}};
    struct rig *r = rig_with_list(tags, 1, 1);

    (void)state;
    rig_up(r);
    start(r, 1, "ANNA", "", "\"status\":\"Accepted\"");
    assert_false(r->sessions[r->n_sessions - 1].refused);
    start(r, 1, "DORA", "", "\"status\":\"Invalid\"");
    assert_true(r->sessions[r->n_sessions - 1].begins);
    assert_true(r->sessions[r->n_sessions - 1].refused);
    rig_free(r);
}

/* ---- reservations */

static void done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    (void)text;
    (void)note;
    *(enum ocpp_outcome *)arg = o;
}

static void ask(struct rig *r, const char *action, const char *json, const char *status)
{
    enum ocpp_outcome o = OCPP_SILENT;
    cJSON *payload = cJSON_Parse(json);

    ocpp_peer_ask(r->p, action, payload, done, &o);
    cJSON_Delete(payload);
    rig_expect(r, action);
    rig_status(r, status);
    assert_int_equal(o, OCPP_ANSWERED);
}

#define RESERVE(connector, tag, more)                                                  \
    "{\"connectorId\":" connector ",\"expiryDate\":\"2019-03-01T15:00:00Z\","          \
    "\"idTag\":\"" tag "\"," more "\"reservationId\":7}"

static void reserved(void **state)
{
    struct conf_tag tags[] = {{.id = "ANNA", .group = "HOUSE", .card = none},
                              {.id = "BERT", .card = none}};
    static const char ok[] = "\"status\":\"Accepted\"", no[] = "\"status\":\"Blocked\"";
    static const char ok_anna[] = "\"parentIdTag\":\"HOUSE\",\"status\":\"Accepted\"";
    static const char no_anna[] = "\"parentIdTag\":\"HOUSE\",\"status\":\"Blocked\"";
    struct rig *r = rig_with_list(tags, 2, 2);

    (void)state;
    rig_up(r);
    ask(r, "ReserveNow", RESERVE("1", "ANNA", ""), "Occupied");
    start(r, 1, "BERT", "", ok); /* it was not taken */
    ask(r, "ReserveNow", RESERVE("1", "ANNA", ""), "Accepted");
    start(r, 1, "BERT", "", no);
    start(r, 2, "BERT", "", ok);
    start(r, 1, "anna", "", ok_anna);
    start(r, 1, "BERT", "", ok); /* it is used up */

    ask(r, "ReserveNow", RESERVE("1", "BERT", ""), "Accepted");
    start(r, 1, "ANNA", "", no_anna);
    ask(r, "CancelReservation", "{\"reservationId\":7}", "Rejected");
    start(r, 1, "ANNA", "", no_anna);
    ask(r, "CancelReservation", "{\"reservationId\":7}", "Accepted");
    start(r, 1, "ANNA", "", ok_anna);

    ask(r, "ReserveNow", RESERVE("1", "X", "\"parentIdTag\":\"house\","), "Accepted");
    start(r, 1, "BERT", "", no);
    start(r, 1, "ANNA", "", ok_anna);                /* of the same group */
    start(r, 1, "BERT", ",\"reservationId\":7", no); /* the number is no key */
    start(r, 1, "ANNA", ",\"reservationId\":7", ok_anna);
    start(r, 1, "BERT", "", ok);

    ask(r, "ReserveNow", RESERVE("1", "ANNA", ""), "Accepted");
    rig_wait(r, 41 * 60000); /* it is over */
    start(r, 1, "BERT", "", ok);

    ask(r, "ReserveNow", RESERVE("9", "ANNA", ""), "Accepted");
    assert_int_equal(r->troubles, 0); /* a slip of ours is none of the charger's */
    rig_free(r);
}

/* One for any connector keeps the last free one. */
static void reserved_anywhere(void **state)
{
    struct conf_tag tags[] = {{.id = "ANNA", .card = none},
                              {.id = "BERT", .card = none}};
    static const char ok[] = "\"status\":\"Accepted\"", no[] = "\"status\":\"Blocked\"";
    struct rig *r = rig_with_list(tags, 2, 2);

    (void)state;
    rig_up(r);
    ask(r, "ReserveNow", RESERVE("0", "ANNA", ""), "Accepted");
    start(r, 1, "BERT", "", ok);
    start(r, 2, "BERT", "", no);
    start(r, 2, "ANNA", "", ok);
    rig_free(r);
}

/* ---- the list */

static struct rig *with_charger_up(struct conf_tag *tags, int n)
{
    struct rig *r = rig_with_list(tags, n, 1);

    r->conf.ocpp.local_list = true;
    r->w.tags_version = 5000;
    ocpp_peer_up(r->p, r);
    rig_call(r, "BootNotification", "{}",
             "{\"currentTime\":\"" START
             "\",\"interval\":300,\"status\":\"Accepted\"}");
    rig_call(r, "StatusNotification", "{\"connectorId\":1,\"status\":\"Available\"}",
             "{}");
    return r;
}

/* Answers all that comes before; returns the payload of `action`, or NULL when it does
 * not come. */
static const char *next(struct rig *r, const char *action)
{
    const char *payload = NULL, *is;

    while (*(is = rig_next(r, &payload))) {
        if (strcmp(is, action) == 0 &&
            (strcmp(action, "GetConfiguration") != 0 || strstr(payload, "LocalAuth")))
            return payload;
        rig_status(r, "Accepted");
    }
    return NULL;
}

#define LIST_KEYS(enabled, per)                                                        \
    "{\"configurationKey\":[{\"key\":\"LocalAuthListEnabled\",\"readonly\":false,"     \
    "\"value\":\"" enabled                                                             \
    "\"},{\"key\":\"SendLocalListMaxLength\",\"readonly\":true,"                       \
    "\"value\":\"" per "\"}]}"

static void check_send(const char *payload, int version, bool full, int n,
                       const char *some)
{
    const struct ocpp_message *m =
        ocpp_schema_find(ocpp_schema_named("ocpp1.6"), OCPP_SYSTEM, "SendLocalList");
    cJSON *o = cJSON_Parse(payload);
    char why[OCPP_WHY];

    assert_non_null(payload);
    if (ocpp_schema_strict(ocpp_schema_named("ocpp1.6"), m->request, o, why))
        fail_msg("%s: %s", why, payload);
    assert_int_equal(cJSON_GetObjectItem(o, "listVersion")->valueint, version);
    assert_string_equal(cJSON_GetObjectItem(o, "updateType")->valuestring,
                        full ? "Full" : "Differential");
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItem(o, "localAuthorizationList")), n);
    if (!strstr(payload, some))
        fail_msg("no %s in %s", some, payload);
    cJSON_Delete(o);
}

static void in_pieces(void **state)
{
    struct conf_tag tags[MANY] = {{.group = "HOUSE"}};
    char ids[MANY][16];
    struct rig *r;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "T%03d", i);
        tags[i].id = ids[i];
        tags[i].card = none;
    }
    r = with_charger_up(tags, MANY);
    assert_non_null(next(r, "GetConfiguration"));
    rig_answer(r, LIST_KEYS("false", "20"));
    assert_string_equal(rig_expect(r, "ChangeConfiguration"),
                        "{\"key\":\"LocalAuthListEnabled\",\"value\":\"true\"}");
    rig_status(r, "Accepted");
    assert_string_equal(rig_expect(r, "GetLocalListVersion"), "{}");
    rig_answer(r, "{\"listVersion\":0}");
    check_send(rig_expect(r, "SendLocalList"), 4998, true, 20,
               "{\"idTag\":\"T000\",\"idTagInfo\":{\"parentIdTag\":\"HOUSE\","
               "\"status\":\"Accepted\"}}");
    rig_status(r, "Accepted");
    check_send(rig_expect(r, "SendLocalList"), 4999, false, 20, "T039");
    rig_status(r, "Accepted");
    check_send(rig_expect(r, "SendLocalList"), 5000, false, 5, "T044");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    rig_free(r);
}

static void only_what_changes(void **state)
{
    struct conf_tag tags[] = {{.id = "A", .card = none}, {.id = "B", .card = none}};
    struct conf_tag later[] = {
        {.id = "B", .until_s = 1551500000, .type = "KeyCode", .card = none},
        {.id = "C", .card = none}};
    struct config before;
    struct rig *r = with_charger_up(tags, 2);

    (void)state;
    before = r->conf;
    assert_non_null(next(r, "GetConfiguration"));
    rig_answer(r, LIST_KEYS("true", "20"));
    rig_expect(r, "GetLocalListVersion");
    rig_answer(r, "{\"listVersion\":5000}"); /* it has it already */
    rig_expect_nothing(r);

    r->p->list.held = &before;
    r->conf.ocpp.tags = later;
    r->w.tags_version = 6000;
    ocpp_tags_changed(r->p);
    rig_wait(r, 100);
    rig_expect(r, "GetLocalListVersion");
    rig_answer(r, "{\"listVersion\":5000}");
    check_send(rig_expect(r, "SendLocalList"), 6000, false, 3, "{\"idTag\":\"A\"}");
    rig_status(r, "VersionMismatch");
    check_send(
        rig_expect(r, "SendLocalList"), 6000, true, 2,
        "{\"idTag\":\"B\",\"idTagInfo\":{\"expiryDate\":\"2019-03-02T04:13:20Z\","
        "\"status\":\"Accepted\"}}");
    rig_status(r, "Failed");
    rig_expect_nothing(r); /* until it comes anew */

    ocpp_peer_down(r->p);
    ocpp_peer_up(r->p, r);
    rig_call(r, "StatusNotification", "{\"connectorId\":1,\"status\":\"Available\"}",
             "{}");
    assert_non_null(next(r, "GetConfiguration"));
    rig_answer(r, LIST_KEYS("true", "20"));
    rig_expect(r, "GetLocalListVersion");
    rig_answer(r, "{\"listVersion\":9999}"); /* somebody else's */
    check_send(rig_expect(r, "SendLocalList"), 6000, true, 2, "\"C\"");
    ocpp_peer_down(r->p);
    rig_free(r);
}

/* Where a version has no room for a tag, its charger does without. */
static void too_long_for_some(void **state)
{
    struct conf_tag tags[] = {{.id = "12345678901234567890",
                               .group = "a group of more than 20",
                               .card = none},
                              {.id = "123456789012345678901", .card = none},
                              {.id = "B", .group = "HOUSE", .card = none}};
    struct rig *r = with_charger_up(tags, 3);

    (void)state;
    rig_call(r, "Authorize", "{\"idTag\":\"12345678901234567890\"}",
             "{\"idTagInfo\":{\"status\":\"Accepted\"}}");
    assert_non_null(next(r, "GetConfiguration"));
    rig_answer(r, LIST_KEYS("true", "20"));
    rig_expect(r, "GetLocalListVersion");
    rig_answer(r, "{\"listVersion\":0}");
    check_send(rig_expect(r, "SendLocalList"), 5000, true, 2,
               "[{\"idTag\":\"12345678901234567890\",\"idTagInfo\":{\"status\":"
               "\"Accepted\"}},{\"idTag\":\"B\",\"idTagInfo\":{\"parentIdTag\":");
    rig_status(r, "Accepted");
    rig_expect_nothing(r);
    rig_free(r);
}

/* A list with types: one of another type is another tag. */
static void with_types(void **state)
{
    static const char card[] = "{\"idToken\":{\"idToken\":\"04A1B2C3\",\"type\":\"";
    struct conf_tag tags[] = {{.id = "04A1B2C3", .group = "HOUSE", .card = none},
                              {.id = "123456789012345678901234567890123456",
                               .type = "Central",
                               .card = none}};
    struct conf_tag later[] = {
        {.id = "04A1B2C3", .group = "HOUSE", .type = "KeyCode", .card = none}, tags[1]};
    struct rig *r = rig_with_list(tags, 2, 1);
    struct config before;
    const char *text;

    (void)state;
    ocpp_peer_speak(r->p, ocpp_schemas[0]);
    before = r->conf;
    r->conf.ocpp.local_list = true;
    r->w.tags_version = 5000;
    ocpp_peer_up(r->p, r);
    r->p->setup = OCPP_SETUP_DONE;
    r->p->list.step = OCPP_LIST_VERSION;
    rig_wait(r, 20000);
    assert_non_null(next(r, "GetLocalListVersion"));
    rig_answer(r, "{\"versionNumber\":0}");
    text = rig_expect(r, "SendLocalList");
    if (!strstr(text, card) || !strstr(text, "456\",\"type\":\"Central\"}") ||
        !strstr(text, "{\"idToken\":\"HOUSE\",\"type\":\"Central\"}"))
        fail_msg("%s", text);
    rig_status(r, "Accepted");

    r->p->list.held = &before;
    r->conf.ocpp.tags = later;
    r->w.tags_version = 6000;
    ocpp_tags_changed(r->p);
    rig_wait(r, 100);
    assert_non_null(next(r, "GetLocalListVersion"));
    rig_answer(r, "{\"versionNumber\":5000}");
    assert_string_equal(
        rig_expect(r, "SendLocalList"),
        "{\"versionNumber\":6000,\"updateType\":\"Differential\","
        "\"localAuthorizationList\":[{\"idToken\":{\"idToken\":\"04A1B2C3\",\"type\":"
        "\"ISO14443\"}},{\"idToken\":{\"idToken\":\"04A1B2C3\",\"type\":\"KeyCode\"},"
        "\"idTokenInfo\":{\"status\":\"Accepted\",\"groupIdToken\":{\"idToken\":"
        "\"HOUSE\",\"type\":\"Central\"}}}]}");
    ocpp_peer_down(r->p);
    rig_free(r);
}

static void without_a_list(void **state)
{
    static const struct {
        const char *what, *keys, *version;
    } rows[] = {
        {"no such keys", "{\"unknownKey\":[\"LocalAuthListEnabled\"]}", NULL},
        {"fixed to false",
         "{\"configurationKey\":[{\"key\":\"localauthlistenabled\",\"readonly\":true,"
         "\"value\":\"false\"}]}",
         NULL},
        {"version -1", LIST_KEYS("true", "x"), "{\"listVersion\":-1}"},
        {"no version", LIST_KEYS("true", "x"), "{}"},
    };
    struct conf_tag tags[] = {{.id = "A", .card = none}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = with_charger_up(tags, 1);

        assert_non_null(next(r, "GetConfiguration"));
        rig_answer(r, rows[i].keys);
        if (rows[i].version) {
            rig_expect(r, "GetLocalListVersion");
            rig_answer(r, rows[i].version);
        }
        rig_expect_nothing(r);
        rig_free(r);
    }
}

static void not_wanted(void **state)
{
    struct conf_tag tags[] = {{.id = "A", .card = none}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig *r = with_charger_up(tags, 1);

        r->conf.ocpp.local_list = i == 1;
        r->conf.ocpp.accept_all_tags = i == 1;
        assert_null(next(r, "GetConfiguration"));
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_charge),    cmocka_unit_test(a_refused_one_is_told),
        cmocka_unit_test(reserved),          cmocka_unit_test(reserved_anywhere),
        cmocka_unit_test(in_pieces),         cmocka_unit_test(only_what_changes),
        cmocka_unit_test(without_a_list),    cmocka_unit_test(not_wanted),
        cmocka_unit_test(too_long_for_some), cmocka_unit_test(with_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
