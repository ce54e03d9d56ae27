/* SPDX-License-Identifier: Apache-2.0 */
/* What people ask of a station and it tells afterwards in parts: they get all of it,
 * each their own, or what there is of it and why there is not more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "proto/ocpp201.h"

enum { WAIT_MS = 60000 };

struct done {
    int n;
    enum ocpp_outcome outcome;
    char text[4096], note[OCPP_WHY];
    size_t bytes;
};

static void on_done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    struct done *d = arg;

    d->n++;
    d->outcome = o;
    d->bytes = strlen(text);
    snprintf(d->text, sizeof d->text, "%s", text);
    snprintf(d->note, sizeof d->note, "%s", note);
}

static struct rig *station(void)
{
    struct rig *r = rig_new(1);

    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    r->p->ready = true;
    ocpp_peer_pump(r->p);
    rig_settle(r, "Accepted");
    return r;
}

/* What else it is told is answered. */
static const char *leaves(struct rig *r, const char *action)
{
    const char *payload, *next;

    while (*(next = rig_next(r, &payload)) && strcmp(next, action) != 0)
        rig_status(r, "Accepted");
    assert_string_equal(next, action);
    return payload;
}

static void ask(struct rig *r, struct done *d, const char *action, const char *json,
                int64_t wait_ms)
{
    cJSON *q = cJSON_Parse(json);

    *d = (struct done){0};
    ocpp_peer_ask_all(r->p, action, q, wait_ms, on_done, d);
    cJSON_Delete(q);
}

#define BASE(id) "{\"reportBase\":\"FullInventory\",\"requestId\":" id "}"
#define PART(id, seq, tbc)                                                             \
    "{\"requestId\":" id ",\"generatedAt\":\"2019-03-01T14:20:00Z\",\"seqNo\":" seq    \
    ",\"tbc\":" tbc "}"

/* Asks and has it accepted. */
static void begin(struct rig *r, struct done *d, const char *base)
{
    ask(r, d, "GetBaseReport", base, WAIT_MS);
    leaves(r, "GetBaseReport");
    rig_status(r, "Accepted");
    assert_int_equal(d->n, 0);
}

static void part(struct rig *r, const char *json)
{
    rig_call(r, "NotifyReport", json, "{}");
}

static void in_parts(void **state)
{
    struct rig *r = station();
    struct done d;

    (void)state;
    begin(r, &d, BASE("7"));
    part(r, PART("7", "0", "true"));
    part(r, PART("8", "0", "false"));                              /* another's */
    rig_call(r, "NotifyMonitoringReport", PART("7", "1", "false"), /* of another kind */
             "{}");
    rig_wait(r, WAIT_MS - 1000);
    assert_int_equal(d.n, 0);
    part(r, PART("7", "1", "false"));
    assert_int_equal(d.n, 1);
    assert_int_equal(d.outcome, OCPP_IN_PARTS);
    assert_string_equal(d.text,
                        "{\"answer\":{\"status\":\"Accepted\"},\"parts\":[" PART(
                            "7", "0", "true") "," PART("7", "1", "false") "]}");
    part(r, PART("7", "2", "false")); /* nobody waits any more */
    assert_int_equal(d.n, 1);
    assert_int_equal(r->w.later_bytes, 0);
    rig_free(r);
}

static void each_kind(void **state)
{
    static const struct {
        const char *action, *json, *parts, *part;
    } rows[] = {
        {"GetReport", "{\"requestId\":1}", "NotifyReport", PART("1", "0", "false")},
        {"GetMonitoringReport", "{\"requestId\":1}", "NotifyMonitoringReport",
         PART("1", "0", "false")},
        {"GetDisplayMessages", "{\"requestId\":1}", "NotifyDisplayMessages",
         "{\"requestId\":1}"},
        {"GetChargingProfiles", "{\"requestId\":1,\"chargingProfile\":{}}",
         "ReportChargingProfiles",
         "{\"requestId\":1,\"chargingLimitSource\":\"CSO\",\"evseId\":1,"
         "\"chargingProfile\":[{\"id\":1,\"stackLevel\":0,"
         "\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":"
         "\"Relative\",\"chargingSchedule\":[{\"id\":1,\"chargingRateUnit\":\"A\","
         "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}]}]}"},
        {"CustomerInformation", "{\"requestId\":1,\"report\":true,\"clear\":false}",
         "NotifyCustomerInformation",
         "{\"data\":\"x\",\"seqNo\":0,\"generatedAt\":\"2019-03-01T14:20:00Z\","
         "\"requestId\":1}"},
    };
    struct rig *r = station();
    char want[1024];
    struct done d;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ask(r, &d, rows[i].action, rows[i].json, WAIT_MS);
        leaves(r, rows[i].action);
        rig_call(r, rows[i].parts, rows[i].part, "{}"); /* before the answer */
        assert_int_equal(d.n, 0);
        rig_status(r, "Accepted");
        assert_int_equal(d.n, 1);
        snprintf(want, sizeof want,
                 "{\"answer\":{\"status\":\"Accepted\"},\"parts\":[%s]}", rows[i].part);
        assert_string_equal(d.text, want);
    }
    rig_free(r);
}

/* The table says of each what comes of it, and by which number. */
static void in_the_table(void **state)
{
    int n = 0;

    (void)state;
    for (const struct ocpp_schema *const *s = ocpp_schemas; *s; s++)
        for (int i = 0; i < (*s)->ours->n; i++) {
            const struct ocpp_message *m = &(*s)->ours->messages[i];
            const struct ocpp_field *f = m->request;

            if (!m->parts)
                continue;
            n++;
            assert_non_null(ocpp_schema_find(*s, OCPP_STATION, m->parts));
            assert_non_null((*s)->read_report);
            while (f->name && f->need != OCPP_GIVEN)
                f++;
            assert_non_null(f->name);
        }
    assert_int_equal(n, 6);
}

static void not_in_parts(void **state)
{
    struct rig *r = station();
    struct done d;

    (void)state;
    ask(r, &d, "GetBaseReport", BASE("7"), WAIT_MS);
    leaves(r, "GetBaseReport");
    rig_status(r, "NotSupported");
    assert_int_equal(d.outcome, OCPP_ANSWERED);
    assert_string_equal(d.text, "{\"status\":\"NotSupported\"}");
    ask(r, &d, "GetBaseReport", BASE("7"), WAIT_MS);
    leaves(r, "GetBaseReport");
    rig_error(r, "InternalError");
    assert_int_equal(d.outcome, OCPP_CALL_ERROR);
    /* nobody wants to wait */
    ask(r, &d, "GetBaseReport", BASE("7"), 0);
    leaves(r, "GetBaseReport");
    rig_status(r, "Accepted");
    assert_int_equal(d.outcome, OCPP_ANSWERED);
    part(r, PART("7", "0", "false"));
    /* there is none to come */
    ask(r, &d, "CustomerInformation",
        "{\"requestId\":1,\"report\":false,\"clear\":true}", WAIT_MS);
    leaves(r, "CustomerInformation");
    rig_status(r, "Accepted");
    assert_int_equal(d.outcome, OCPP_ANSWERED);
    assert_null(r->p->later);
    rig_free(r);
}

/* They are shown as they are, and what is wrong with them is told. */
static void not_strict(void **state)
{
    static const char wrong[] = "{\"requestId\":7,\"seqNo\":1,\"tbc\":true,\"x\":1,"
                                "\"generatedAt\":\"2019-03-01T14:20:00Z\"}";
    struct rig *r = station();
    struct done d;

    (void)state;
    begin(r, &d, BASE("7"));
    part(r, PART("7", "0", "true"));
    part(r, wrong);
    part(r, "{\"requestId\":\"7\",\"tbc\":false}");
    assert_int_equal(d.n, 1);
    assert_string_equal(d.note, "part 2: x: there is no such field");
    assert_non_null(strstr(d.text, wrong));
    assert_null(strstr(d.text, "missing"));
    rig_free(r);
}

static void not_all(void **state)
{
    struct rig *r = station();
    struct done d;

    (void)state;
    begin(r, &d, BASE("1"));
    rig_wait(r, WAIT_MS);
    assert_int_equal(d.outcome, OCPP_IN_PARTS);
    assert_string_equal(d.text, "{\"answer\":{\"status\":\"Accepted\"},\"parts\":[],"
                                "\"missing\":\"none has come in time\"}");
    begin(r, &d, BASE("1"));
    part(r, PART("1", "0", "true"));
    rig_wait(r, WAIT_MS);
    assert_non_null(strstr(d.text, "\"missing\":\"the last one has not come"));
    assert_non_null(strstr(d.text, PART("1", "0", "true")));
    begin(r, &d, BASE("1"));
    part(r, PART("1", "1", "false"));
    assert_non_null(strstr(d.text, "\"missing\":\"by their numbers"));
    begin(r, &d, BASE("1"));
    part(r, PART("1", "0", "true"));
    ocpp_peer_down(r->p);
    assert_int_equal(d.n, 1);
    assert_non_null(strstr(d.text, "\"missing\":\"the connection was lost"));
    assert_int_equal(r->w.later_bytes, 0);
    /* before it is answered, and before it leaves */
    ocpp_peer_up(r->p, r);
    r->p->ready = true;
    ocpp_peer_pump(r->p);
    rig_settle(r, "Accepted");
    ask(r, &d, "GetBaseReport", BASE("1"), WAIT_MS);
    leaves(r, "GetBaseReport");
    part(r, PART("1", "0", "false"));
    {
        struct done waits;

        ask(r, &waits, "GetReport", "{}", WAIT_MS);
        ocpp_peer_down(r->p);
        assert_int_equal(waits.n, 1);
        assert_int_equal(waits.outcome, OCPP_AWAY);
    }
    assert_int_equal(d.n, 1);
    assert_int_equal(d.outcome, OCPP_AWAY);
    assert_null(r->p->later);
    assert_int_equal(r->w.later_bytes, 0);
    rig_free(r);
}

/* It goes on for ever: there is an end in time, ... */
static void endless(void **state)
{
    struct rig *r = station();
    int64_t from_ms;
    struct done d;

    (void)state;
    begin(r, &d, BASE("1"));
    from_ms = r->w.now_ms;
    for (int i = 0; d.n == 0 && i < 1000; i++) {
        part(r, PART("1", "0", "true"));
        rig_wait(r, 30000);
    }
    assert_int_equal(d.n, 1);
    assert_in_range(r->w.now_ms - from_ms, 600000, 930000);
    rig_free(r);
}

/* ... and in size, of one and of all. */
static void huge(void **state)
{
    enum { DATA = 60000, ASKS = 6 };
    struct rig *r = station();
    struct done d[ASKS];
    char *json = malloc(DATA + 256), base[80];
    size_t most = 0;

    (void)state;
    assert_non_null(json);
    for (int i = 0; i < ASKS; i++) {
        snprintf(base, sizeof base, BASE("%d"), i);
        begin(r, &d[i], base);
    }
    for (int n = 0; n < 80; n++)
        for (int i = 0; i < ASKS; i++) {
            int at = snprintf(json, 256,
                              "{\"requestId\":%d,\"generatedAt\":"
                              "\"2019-03-01T14:20:00Z\",\"seqNo\":%d,\"tbc\":true,"
                              "\"customData\":{\"vendorId\":\"",
                              i, n);

            memset(json + at, 'x', DATA);
            strcpy(json + at + DATA, "\"}}");
            part(r, json);
            most = r->w.later_bytes > most ? r->w.later_bytes : most;
        }
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(d[i].n, 1);
        assert_int_equal(d[i].outcome, OCPP_IN_PARTS);
        assert_in_range(d[i].bytes, DATA, 4 * 1024 * 1024 + 256);
    }
    assert_in_range(most, 8 * 1024 * 1024, 16 * 1024 * 1024);
    assert_int_equal(r->w.later_bytes, 0);
    free(json);
    rig_free(r);
}

/* Several people at once, some of whom do not care for numbers. */
static void numbers(void **state)
{
    struct rig *r = station();
    struct done a, b, c;
    char one[256], two[256];
    cJSON *q;

    (void)state;
    ask(r, &a, "GetBaseReport", "{\"reportBase\":\"FullInventory\"}", WAIT_MS);
    ask(r, &b, "GetBaseReport", "{\"reportBase\":\"FullInventory\"}", WAIT_MS);
    ask(r, &c, "GetBaseReport", BASE("5"), WAIT_MS);
    q = cJSON_Parse(leaves(r, "GetBaseReport"));
    snprintf(one, sizeof one, PART("%d", "0", "false"),
             cJSON_GetObjectItemCaseSensitive(q, "requestId")->valueint);
    cJSON_Delete(q);
    rig_status(r, "Accepted");
    q = cJSON_Parse(leaves(r, "GetBaseReport"));
    snprintf(two, sizeof two, PART("%d", "0", "false"),
             cJSON_GetObjectItemCaseSensitive(q, "requestId")->valueint);
    cJSON_Delete(q);
    rig_status(r, "Accepted");
    assert_string_equal(leaves(r, "GetBaseReport"), BASE("5"));
    rig_status(r, "Accepted");
    part(r, two);
    assert_int_equal(a.n + c.n, 0);
    assert_non_null(strstr(b.text, two));
    part(r, PART("5", "0", "false"));
    assert_int_equal(a.n, 0);
    assert_int_equal(c.n, 1);
    part(r, one);
    assert_non_null(strstr(a.text, one));
    assert_string_not_equal(one, two);
    /* one that is in use, also while it waits to leave; one of ours */
    ask(r, &a, "GetReport", "{\"requestId\":5}", WAIT_MS);
    ask(r, &b, "GetBaseReport", BASE("5"), WAIT_MS);
    assert_int_equal(b.outcome, OCPP_BAD_CALL);
    ask(r, &b, "GetBaseReport", BASE("2000000000"), WAIT_MS);
    assert_int_equal(b.outcome, OCPP_BAD_CALL);
    assert_non_null(strstr(b.text, "requestId: "));
    rig_free(r);
}

static void too_many(void **state)
{
    struct rig *r = station();
    struct done d;

    (void)state;
    for (int i = 0; i < OCPP_CALLS; i++) {
        static struct done others[OCPP_CALLS];

        begin(r, &others[i], "{\"reportBase\":\"FullInventory\"}");
    }
    ask(r, &d, "GetBaseReport", BASE("5"), WAIT_MS);
    assert_int_equal(d.outcome, OCPP_KEPT_BACK);
    ask(r, &d, "ClearCache", "{}", WAIT_MS);
    leaves(r, "ClearCache");
    rig_status(r, "Accepted");
    assert_int_equal(d.outcome, OCPP_ANSWERED);
    rig_free(r);
}

/* Over a reload. */
static void adopted(void **state)
{
    struct rig *r = station();
    struct ocpp_peer *old = r->p;
    struct done d;

    (void)state;
    begin(r, &d, BASE("7"));
    part(r, PART("7", "0", "true"));
    r->p = ocpp_peer_new(&r->w, 0);
    ocpp_peer_adopt(r->p, old);
    ocpp_peer_free(old);
    part(r, PART("7", "1", "false"));
    assert_int_equal(d.outcome, OCPP_IN_PARTS);
    assert_non_null(strstr(d.text, PART("7", "0", "true") "," PART("7", "1", "false")));
    rig_free(r);
}

/* Ours, which is under way, and a person's do not take each other's parts. */
static void beside_ours(void **state)
{
    struct rig *r = rig_new(1);
    const char *payload;
    char mine[256];
    struct done d;
    cJSON *q;

    (void)state;
    ocpp_peer_speak(r->p, &ocpp201_schema);
    ocpp_peer_up(r->p, r);
    r->p->ready = true;
    ocpp_peer_pump(r->p);
    while (strcmp(rig_next(r, &payload), "GetBaseReport") != 0)
        rig_status(r, "NotSupported");
    q = cJSON_Parse(payload);
    snprintf(mine, sizeof mine, PART("%d", "0", "false"),
             cJSON_GetObjectItemCaseSensitive(q, "requestId")->valueint);
    cJSON_Delete(q);
    rig_status(r, "Accepted");
    assert_int_equal(r->p->report.step, OCPP_REPORT_COMES);
    begin(r, &d, BASE("0"));
    part(r, PART("0", "0", "false"));
    assert_int_equal(d.n, 1);
    assert_null(strstr(d.text, "missing"));
    assert_int_equal(r->p->report.step, OCPP_REPORT_COMES);
    assert_int_equal(r->p->report.n_parts, 0);
    begin(r, &d, BASE("0"));
    part(r, mine);
    assert_int_equal(d.n, 0);
    assert_int_equal(r->p->report.n_parts, 1);
    assert_int_equal(r->p->report.step, OCPP_REPORT_OVER);
    rig_free(r);
    assert_int_equal(d.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_parts),     cmocka_unit_test(each_kind),
        cmocka_unit_test(in_the_table), cmocka_unit_test(not_in_parts),
        cmocka_unit_test(not_all),      cmocka_unit_test(endless),
        cmocka_unit_test(huge),         cmocka_unit_test(numbers),
        cmocka_unit_test(too_many),     cmocka_unit_test(beside_ours),
        cmocka_unit_test(adopted),      cmocka_unit_test(not_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
