/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of OCPP 2.0.1: whose a transaction is, buttons, types, lists of them; and other
 * names that are longer than those of 1.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "proto/ocpp201.h"

#define EVENT(type, state, more)                                                       \
    "{\"eventType\":\"" type "\",\"timestamp\":\"2019-03-01T14:20:00Z\","              \
    "\"triggerReason\":\"Authorized\",\"seqNo\":0,\"evse\":{\"id\":1},"                \
    "\"transactionInfo\":{\"transactionId\":\"tx-7\",\"chargingState\":\"" state       \
    "\"}" more "}"
#define CARD(tag) ",\"idToken\":{\"idToken\":\"" tag "\",\"type\":\"ISO14443\"}"
#define NOBODY ",\"idToken\":{\"idToken\":\"\",\"type\":\"NoAuthorization\"}"
#define YES "{\"idTokenInfo\":{\"status\":\"Accepted\"}}"
#define NO "{\"idTokenInfo\":{\"status\":\"Invalid\"}}"
#define LONGEST "123456789012345678901234567890123456"

static struct rig *station(void)
{
    struct rig *r = rig_new(1);

    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    return r;
}

/* Whose a transaction is, told with its begin, later, or not before its end. */
static void whose_it_is(void **state)
{
    static const struct {
        const char *what;
        struct {
            const char *message, *answer;
        } says[5];       /* up to its end */
        int n_told;      /* later than with the begin */
        const char *tag; /* at last; and may it charge? */
        bool refused;
    } rows[] = {
        {"with the begin, and another one ends it",
         {{EVENT("Started", "EVConnected", CARD("ANNA")), YES},
          {EVENT("Updated", "Charging", CARD("anna")), YES},
          {EVENT("Updated", "EVConnected", CARD("BERT")), YES},
          {EVENT("Ended", "Idle", CARD("BERT")), YES}},
         0,
         "ANNA",
         false},
        {"later",
         {{EVENT("Started", "EVConnected", ""), "{}"},
          {EVENT("Updated", "EVConnected", CARD(LONGEST)), YES},
          {EVENT("Updated", "Charging", CARD("ANNA")), YES},
          {EVENT("Ended", "Idle", CARD("X")), NO}},
         1,
         LONGEST,
         false},
        {"with its end",
         {{EVENT("Started", "EVConnected", ""), "{}"},
          {EVENT("Ended", "Idle", CARD("BERT")), YES}},
         0,
         "BERT",
         false},
        {"with its end, by one that may not charge",
         {{EVENT("Started", "EVConnected", ""), "{}"},
          {EVENT("Ended", "Idle", CARD("X")), NO}},
         0,
         "",
         false},
        {"it may not charge, and the next one may",
         {{EVENT("Started", "EVConnected", CARD("X")), NO},
          {EVENT("Updated", "EVConnected", CARD("Y")), NO},
          {EVENT("Updated", "EVConnected", CARD("ANNA")), YES},
          {EVENT("Ended", "Idle", ""), "{}"}},
         1,
         "ANNA",
         false},
        {"later, and it may not charge",
         {{EVENT("Started", "EVConnected", ""), "{}"},
          {EVENT("Updated", "EVConnected", CARD("X")), NO},
          {EVENT("Ended", "Idle", ""), "{}"}},
         1,
         "X",
         true},
        {"a button, where a tag is wanted; then one",
         {{EVENT("Started", "EVConnected", NOBODY), NO},
          {EVENT("Updated", "EVConnected", CARD("ANNA")), YES},
          {EVENT("Ended", "Idle", ""), "{}"}},
         1,
         "ANNA",
         false},
        {"a button later",
         {{EVENT("Started", "EVConnected", ""), "{}"},
          {EVENT("Updated", "EVConnected", NOBODY), NO},
          {EVENT("Ended", "Idle", ""), "{}"}},
         1,
         "",
         true},
    };
    struct conf_tag tags[] = {{.id = LONGEST}, {.id = "ANNA"}, {.id = "BERT"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station();
        const struct ocpp_session *s;
        int n = 0, k = 0;

        r->conf.ocpp.accept_all_tags = false;
        r->conf.ocpp.tags = tags;
        r->conf.ocpp.n_tags = 3;
        for (; k < 5 && rows[i].says[k].message; k++)
            rig_call(r, "TransactionEvent", rows[i].says[k].message,
                     rows[i].says[k].answer);
        for (int j = 0; j < r->n_sessions; j++)
            n += r->sessions[j].tagged;
        s = &r->sessions[r->n_sessions - 1];
        if (n != rows[i].n_told || strcmp(s->tag, rows[i].tag) != 0 ||
            s->refused != rows[i].refused || s->begins || s->tagged)
            fail_msg("%s: told %d times, '%s'%s", rows[i].what, n, s->tag,
                     s->refused ? ", refused" : "");
        /* the core hears of it after the answer: begin, again for each, end */
        assert_int_equal(rig_count(r, EVENT_SESSION), 2 + n);
        rig_free(r);
    }
}

#define AT(type, evse, more)                                                           \
    "{\"eventType\":\"" type "\",\"timestamp\":\"2019-03-01T14:20:00Z\","              \
    "\"triggerReason\":\"Authorized\",\"seqNo\":0" evse                                \
    ",\"transactionInfo\":{\"transactionId\":\"tx-7\"}" more "}"
#define SECOND ",\"evse\":{\"id\":2,\"connectorId\":1}"

/* A driver is let in, and plugs in somewhere later: only then it is known where. */
static void let_in_first(void **state)
{
    static const struct {
        const char *what;
        struct {
            const char *message, *answer;
        } says[4];
        const char *tag; /* of its session; NULL = there is none */
        bool refused;
    } rows[] = {
        {"a tag, then a plug",
         {{AT("Started", "", CARD("ANNA")), YES}, {AT("Updated", SECOND, ""), "{}"}},
         "ANNA",
         false},
        {"a tag that may not charge",
         {{AT("Started", "", CARD("X")), NO}, {AT("Updated", SECOND, ""), "{}"}},
         "X",
         true},
        {"the tag after that",
         {{AT("Started", "", ""), "{}"},
          {AT("Updated", "", CARD("ANNA")), YES},
          {AT("Updated", SECOND, CARD("BERT")), YES}},
         "ANNA",
         false},
        {"the tag with the plug",
         {{AT("Started", "", ""), "{}"}, {AT("Updated", SECOND, CARD("ANNA")), YES}},
         "ANNA",
         false},
        {"nobody came",
         {{AT("Started", "", CARD("ANNA")), YES},
          {AT("Ended", "", ""), "{}"},
          {AT("Ended", "", ""), "{}"}},
         NULL,
         false},
    };
    struct conf_tag tags[] = {{.id = "ANNA"}, {.id = "BERT"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = rig_new(2);
        const struct ocpp_tx *tx = &r->p->c[1].tx;

        ocpp_peer_speak(r->p, &ocpp201_schema);
        ocpp_peer_up(r->p, r);
        ocpp_deliver(&r->w);
        r->conf.ocpp.accept_all_tags = false;
        r->conf.ocpp.tags = tags;
        r->conf.ocpp.n_tags = 2;
        for (int k = 0; k < 4 && rows[i].says[k].message; k++)
            rig_call(r, "TransactionEvent", rows[i].says[k].message,
                     rows[i].says[k].answer);
        if (tx->active != (rows[i].tag != NULL) ||
            (rows[i].tag &&
             (strcmp(tx->tag, rows[i].tag) != 0 || tx->refused != rows[i].refused ||
              strcmp(tx->name, "tx-7") != 0 || r->sessions[0].resumed)))
            fail_msg("%s: '%s'", rows[i].what, tx->tag);
        assert_false(r->p->c[0].tx.active);
        assert_string_equal(r->p->unplaced.name, "");
        rig_free(r);
    }
}

/* Who pressed a button is accepted where everybody is. */
static void nobody(void **state)
{
    static const char ask[] = "{\"idToken\":{\"idToken\":\"\","
                              "\"type\":\"NoAuthorization\"}}";
    struct rig *r = station();

    (void)state;
    rig_call(r, "Authorize", ask, YES);
    rig_call(r, "TransactionEvent", EVENT("Started", "Charging", NOBODY), YES);
    assert_false(r->sessions[0].refused);
    assert_string_equal(r->sessions[0].tag, "");
    rig_call(r, "TransactionEvent", EVENT("Ended", "Idle", ""), "{}");
    r->conf.ocpp.accept_all_tags = false;
    rig_call(r, "Authorize", ask, NO);
    r->conf.ocpp.unknown_tags = CONF_LOW;
    rig_call(r, "Authorize", ask, YES);
    rig_call(r, "Authorize", "{\"idToken\":{\"type\":\"Central\"}}",
             "OccurrenceConstraintViolation");
    rig_free(r);
}

static void types_of_tags(void **state)
{
    static const struct {
        const char *tag, *type;
    } rows[] = {
        {"04A1B2C3", "ISO14443"},
        {"04A1B2C3D4E5F6", "ISO14443"},
        {"BADC0FFEE12345", "ISO14443"},
        {"E004010012345678", "ISO15693"},
        {"DE-8AA-CA2B3C4D5-N", "eMAID"},
        {"NL8ZZK01234567", "eMAID"},
        {"NL8ZZK012345679", "eMAID"},
        {"DE-8AA-CA2B3C4D5-NN", "ISO14443"},
        {"00:1B:44:11:3A:B7", "MacAddress"},
        {"001b44113ab7", "MacAddress"},
        {"123456789012", "ISO14443"},
        {"ANNA", "ISO14443"},
        {"", "ISO14443"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(ocpp_token_type(rows[i].tag), rows[i].type) != 0)
            fail_msg("%s is no %s", rows[i].tag, ocpp_token_type(rows[i].tag));
}

static void tags_are_not_mixed_up(void **state)
{
    cJSON *q = cJSON_Parse(
        "{\"idToken\":{\"idToken\":\"1234567890123456789012345678901234567\"}}");
    struct ocpp_fault fault;
    char tag[OCPP_TAG];

    (void)state;
    assert_true(ocpp201_read_tag(q, tag, &fault));
    assert_string_equal(tag, "12345678901234567890123456789012345~");
    cJSON_Delete(q);
}

static void names_are_kept_whole(void **state)
{
#define VENDOR "The Honourable Company of Wallbox Makers, Sons, 50"
    struct rig *r = station();

    (void)state;
    assert_int_equal(strlen(VENDOR), 50);
    rig_call(r, "BootNotification",
             "{\"reason\":\"PowerUp\",\"chargingStation\":{\"vendorName\":\"" VENDOR
             "\",\"model\":\"12345678901234567890\",\"serialNumber\":"
             "\"1234567890123456789012345\",\"firmwareVersion\":\"" VENDOR "\"}}",
             "{\"currentTime\":\"2019-03-01T14:20:00Z\",\"interval\":300,\"status\":"
             "\"Accepted\"}");
    assert_string_equal(r->station.vendor, VENDOR);
    assert_string_equal(r->station.model, "12345678901234567890");
    assert_string_equal(r->station.serial, "1234567890123456789012345");
    assert_string_equal(r->station.firmware, VENDOR);
    rig_settle(r, "Accepted");
    rig_wait(r, 2000);
    rig_settle(r, "Accepted");
    assert_string_equal(r->p->able.vendor, VENDOR);
    rig_free(r);
}

#define VALUE(name, value)                                                             \
    "{\"attributeStatus\":\"Accepted\",\"component\":{\"name\":"                       \
    "\"LocalAuthListCtrlr\"},\"variable\":{\"name\":\"" name                           \
    "\"},\"attributeValue\":\"" value "\"}"

/* The list comes in messages that the station has room for, and not more than it keeps.
 */
static void room_for_a_list(void **state)
{
    enum { TAGS = 40 };
    static const struct {
        const char *what, *answer;
        int keeps, n_messages, most_bytes, n_tags;
        int reported_per, reported_bytes; /* 0 = nothing */
        int at_once;                      /* most it can be asked at once; 0 = any */
    } rows[] = {
        {"nothing said", "", -1, 2, 1 << 20, TAGS},
        {"five in one", VALUE("ItemsPerMessage", "5"), -1, 8, 1 << 20, TAGS},
        {"bytes", VALUE("ItemsPerMessage", "50") "," VALUE("BytesPerMessage", "1500"),
         -1, 7, 1500, TAGS},
        {"both", VALUE("BytesPerMessage", "2500") "," VALUE("ItemsPerMessage", "4"), -1,
         10, 2500, TAGS},
        {"next to nothing", VALUE("BytesPerMessage", "10"), -1, TAGS, 400, TAGS},
        {"no room for all", VALUE("ItemsPerMessage", "50"), 30, 1, 1 << 20, 30},
        {"by its report", "", -1, 14, 1500, TAGS, 3, 1500, 1},
        {"what it says now counts more", VALUE("ItemsPerMessage", "5"), -1, 8, 1 << 20,
         TAGS, 3, 0, 2},
    };
    struct conf_tag tags[TAGS] = {{.id = NULL}};
    char ids[TAGS][48];

    (void)state;
    for (int i = 0; i < TAGS; i++) {
        snprintf(ids[i], sizeof ids[i], "%032d%02d", 0, i);
        tags[i] = (struct conf_tag){.id = ids[i]};
        tags[i].group = i == 20 ? LONGEST : NULL;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *r = station();
        int n = 0, n_tags = 0, version = 0;
        const char *text, *action;
        char answer[600];

        r->conf.ocpp.accept_all_tags = false;
        r->conf.ocpp.local_list = true;
        r->conf.ocpp.tags = tags;
        r->conf.ocpp.n_tags = TAGS;
        r->w.tags_version = 5000;
        r->p->setup = OCPP_SETUP_DONE;
        r->p->list.step = OCPP_LIST_KEYS;
        r->p->config.list_max = rows[i].keeps;
        r->p->config.list_per = rows[i].reported_per;
        r->p->config.list_bytes = rows[i].reported_bytes;
        r->p->config.per_get = rows[i].at_once;
        snprintf(answer, sizeof answer, "{\"getVariableResult\":[%s%s%s]}",
                 VALUE("Enabled", "true"), *rows[i].answer ? "," : "", rows[i].answer);
        rig_wait(r, 20000);
        while (*(action = rig_next(r, &text))) {
            if (strcmp(action, "SendLocalList") == 0) {
                cJSON *q = cJSON_Parse(text);
                int is = cJSON_GetObjectItem(q, "versionNumber")->valueint;

                n_tags += cJSON_GetArraySize(
                    cJSON_GetObjectItem(q, "localAuthorizationList"));
                assert_true(is > version);
                version = is;
                n++;
                if (strlen(text) + 60 > (size_t)rows[i].most_bytes)
                    fail_msg("%s: %zu bytes", rows[i].what, strlen(text));
                cJSON_Delete(q);
            }
            if (strcmp(action, "GetVariables") == 0 && strstr(text, "LocalAuth")) {
                cJSON *q = cJSON_Parse(text);

                assert_int_equal(
                    cJSON_GetArraySize(cJSON_GetObjectItem(q, "getVariableData")),
                    rows[i].at_once ? rows[i].at_once : 3);
                cJSON_Delete(q);
                rig_answer(r, answer);
            }
            if (strcmp(action, "GetLocalListVersion") == 0)
                rig_answer(r, "{\"versionNumber\":0}");
            else if (strcmp(action, "GetVariables") != 0 || !strstr(text, "LocalAuth"))
                rig_status(r, "Accepted");
        }
        if (n != rows[i].n_messages || n_tags != rows[i].n_tags || version != 5000)
            fail_msg("%s: %d tags in %d messages, the last is number %d", rows[i].what,
                     n_tags, n, version);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_it_is),
        cmocka_unit_test(let_in_first),
        cmocka_unit_test(nobody),
        cmocka_unit_test(types_of_tags),
        cmocka_unit_test(tags_are_not_mixed_up),
        cmocka_unit_test(room_for_a_list),
        cmocka_unit_test(names_are_kept_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
