/* SPDX-License-Identifier: Apache-2.0 */
/* The charger's end of an OCPP link for tests. */
#include "ocpp_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/clock.h"
#include "proto/ocpp_frame.h"

static struct rig *the_rig; /* send() has only the link */
static struct ocpp_frame last;

/* All that leaves us is as the table of the messages wants it. `of` is the action of an
 * answer; NULL = look at calls. */
static void check_strictly(const struct ocpp_frame *f, const char *of)
{
    const struct ocpp_schema *s = the_rig->p->schema;
    bool call = f->kind == OCPP_FRAME_CALL;
    const struct ocpp_message *m;
    char why[OCPP_WHY];

    if (call != !of || f->kind == OCPP_FRAME_ERROR)
        return;
    m = ocpp_schema_find(s, call ? OCPP_SYSTEM : OCPP_STATION, call ? f->action : of);
    assert_non_null(m);
    if (ocpp_schema_strict(s, call ? m->request : m->answer, f->payload, why))
        fail_msg("%s: %s", m->action, why);
}

static bool take(void *link, const char *text)
{
    struct rig *r = the_rig;
    struct ocpp_frame f;

    assert_ptr_equal(link, r);
    assert_true(r->n < RIG_SENT);
    assert_true(ocpp_frame_parse(&f, text, strlen(text)));
    check_strictly(&f, NULL);
    ocpp_frame_free(&f);
    r->sent[r->n++] = strdup(text);
    return true;
}

static void cut(void *link)
{
    assert_ptr_equal(link, the_rig);
    the_rig->cut = true;
}

static void on_event(void *arg, const struct event *e)
{
    struct rig *r = arg;

    assert_true(r->n_events < RIG_EVENTS);
    assert_true(e->at_ms == r->w.now_ms);
    r->events[r->n_events++] = *e;
}

static void on_session(void *arg, const struct ocpp_session *s)
{
    struct rig *r = arg;

    assert_true(r->n_sessions < 32);
    r->sessions[r->n_sessions++] = *s;
}

static void on_station(void *arg, int charger, const struct ocpp_station *s)
{
    struct rig *r = arg;

    assert_int_equal(charger, 0);
    r->station = *s;
    r->n_stations++;
}

static void on_trouble(void *arg, bool begins, const char *who, const char *text)
{
    struct rig *r = arg;

    assert_string_equal(who, "CP-01");
    r->troubles += begins ? 1 : -1;
    assert_true(r->troubles >= 0);
    if (begins)
        snprintf(r->trouble, sizeof r->trouble, "%s", text);
}

static void on_learned(void *arg, const struct ocpp_record *record)
{
    struct rig *r = arg;

    r->record = *record;
}

static const struct ocpp_record *on_recall(void *arg, const char *id)
{
    const struct rig *r = arg;

    return strcmp(r->record.id, id) == 0 ? &r->record : NULL;
}

static int32_t next_transaction(void *arg)
{
    struct rig *r = arg;

    return ++r->transaction;
}

static int32_t open_transaction(void *arg, int connector, const char *name)
{
    const struct rig *r = arg;

    (void)connector;
    return *r->open_name && strcmp(r->open_name, name) != 0 ? 0 : r->open;
}

struct rig *rig_new(int n_connectors)
{
    struct rig *r = calloc(1, sizeof *r);

    the_rig = r;
    r->tags[0] = (struct conf_tag){.id = "04AABBCC"};
    r->tags[1] = (struct conf_tag){.id = "visitor"};
    r->chargers[0] = (struct conf_charger){
        .id = "CP-01", .name = "Bay", .security = -1, .ping_s = -1, .n = n_connectors};
    for (int i = 0; i < n_connectors; i++) {
        r->connectors[i] = (struct conf_connector){.number = i + 1};
        r->site_connectors[i] = (struct site_connector){
            .wiring = {0, 1, 2}, .min_ma = 6000, .max_ma = 16000, .fallback_ma = 6000};
    }
    r->conf.chargers = r->chargers;
    r->conf.connectors = r->connectors;
    r->conf.site.voltage_mv = 230000;
    r->conf.site.n_chargers = 1;
    r->conf.site.n_connectors = n_connectors;
    r->conf.site.connectors = r->site_connectors;
    r->conf.site.chargers = r->site_chargers;
    r->conf.ocpp.accept_all_tags = true;
    r->conf.ocpp.tags = r->tags;
    r->conf.ocpp.n_tags = 2;
    r->conf.ocpp.heartbeat_s = 300;
    r->conf.ocpp.sample_s = 10;
    r->conf.ocpp.call_timeout_ms = 30000;
    r->conf.ocpp.ping_s = 30;
    r->w.conf = &r->conf;
    r->w.hooks = (struct ocpp_hooks){.arg = r,
                                     .event = on_event,
                                     .session = on_session,
                                     .station = on_station,
                                     .trouble = on_trouble,
                                     .learned = on_learned,
                                     .recall = on_recall,
                                     .next_transaction = next_transaction,
                                     .open_transaction = open_transaction};
    r->w.send = take;
    r->w.cut = cut;
    r->w.now_ms = 1000000;
    r->w.utc_s = 1551450000; /* 2019-03-01T14:20:00Z */
    r->w.run = 0xabcdef01;
    r->transaction = 100;
    r->open_name = "";
    r->p = ocpp_peer_new(&r->w, 0);
    assert_non_null(r->p);
    return r;
}

void rig_free(struct rig *r)
{
    ocpp_peer_down(r->p);
    ocpp_peer_free(r->p);
    for (int i = 0; i < r->n; i++)
        free(r->sent[i]);
    ocpp_frame_free(&last);
    free(r->w.events);
    free(r);
}

void rig_wait(struct rig *r, int64_t ms)
{
    int64_t end = r->w.now_ms + ms;

    while (r->w.now_ms < end) {
        int64_t before_s = r->w.now_ms / 1000;

        r->w.now_ms += end - r->w.now_ms < 100 ? end - r->w.now_ms : 100;
        r->w.utc_s += r->w.now_ms / 1000 - before_s;
        ocpp_peer_tick(r->p);
        ocpp_deliver(&r->w);
    }
}

void rig_says(struct rig *r, const char *frame)
{
    ocpp_peer_receive(r->p, frame, strlen(frame));
    ocpp_deliver(&r->w);
}

/* Takes the message at `at` out of the queue. */
static void pop(struct rig *r, int at, struct ocpp_frame *f)
{
    assert_true(ocpp_frame_parse(f, r->sent[at], strlen(r->sent[at])));
    free(r->sent[at]);
    memmove(&r->sent[at], &r->sent[at + 1], (size_t)(r->n - at - 1) * sizeof *r->sent);
    r->n--;
}

void rig_call(struct rig *r, const char *action, const char *payload, const char *want)
{
    static int id;
    char *text, key[32];
    struct ocpp_frame f;

    snprintf(key, sizeof key, "cp-%d", ++id);
    text = ocpp_frame_call(key, action, payload);
    rig_says(r, text);
    free(text);
    for (int i = 0; i < r->n; i++) {
        char *json;

        if (!strstr(r->sent[i], key))
            continue;
        pop(r, i, &f);
        json = cJSON_PrintUnformatted(f.payload);
        assert_string_equal(f.id, key);
        check_strictly(&f, action);
        assert_string_equal(f.kind == OCPP_FRAME_ERROR ? f.code : json, want);
        cJSON_free(json);
        ocpp_frame_free(&f);
        return;
    }
    fail_msg("%s was not answered", action);
}

const char *rig_next(struct rig *r, const char **payload)
{
    static char json[4096];
    char *text;

    if (r->n == 0)
        return "";
    ocpp_frame_free(&last);
    pop(r, 0, &last);
    assert_int_equal(last.kind, OCPP_FRAME_CALL);
    text = cJSON_PrintUnformatted(last.payload);
    snprintf(json, sizeof json, "%s", text);
    cJSON_free(text);
    if (payload)
        *payload = json;
    return last.action;
}

const char *rig_expect(struct rig *r, const char *action)
{
    const char *payload = "";

    assert_string_equal(rig_next(r, &payload), action);
    return payload;
}

void rig_expect_nothing(struct rig *r)
{
    if (r->n > 0)
        fail_msg("unexpected: %s", r->sent[0]);
}

void rig_answer(struct rig *r, const char *payload)
{
    char *text = ocpp_frame_result(last.id, payload);

    rig_says(r, text);
    free(text);
}

void rig_status(struct rig *r, const char *status)
{
    char json[64];

    snprintf(json, sizeof json, "{\"status\":\"%s\"}", status);
    rig_answer(r, json);
}

void rig_error(struct rig *r, const char *code)
{
    rig_fail(r, code, "because");
}

void rig_fail(struct rig *r, const char *code, const char *why)
{
    char *text = ocpp_frame_error(last.id, code, why);

    rig_says(r, text);
    free(text);
}

void rig_settle(struct rig *r, const char *status)
{
    while (*rig_next(r, NULL))
        rig_status(r, status);
}

void rig_up(struct rig *r)
{
    char want[96], now[21];

    ocpp_peer_up(r->p, r);
    ocpp_deliver(&r->w);
    snprintf(want, sizeof want,
             "{\"currentTime\":\"%s\",\"interval\":300,\"status\":\"Accepted\"}",
             clock_format_utc(r->w.utc_s, now));
    rig_call(r, "BootNotification",
             "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\"}", want);
    for (int i = 1; i <= r->conf.site.n_connectors; i++) {
        char status[128];

        snprintf(status, sizeof status,
                 "{\"connectorId\":%d,\"errorCode\":\"NoError\","
                 "\"status\":\"Available\"}",
                 i);
        rig_call(r, "StatusNotification", status, "{}");
    }
    rig_settle(r, "Accepted");
    rig_wait(r, 5000);
    rig_settle(r, "Accepted");
}

uint32_t rig_order(struct rig *r, int connector, int32_t limit_ma, int32_t lease_ms)
{
    struct order o = {.kind = ORDER_LIMIT,
                      .who = connector - 1,
                      .seq = ++r->seq,
                      .limit_ma = limit_ma,
                      .lease_ms = lease_ms};

    ocpp_limit_order(r->p, &r->p->c[connector - 1], &o);
    return o.seq;
}

int rig_answered(struct rig *r, uint32_t seq)
{
    int answer = -1;

    ocpp_deliver(&r->w);
    for (int i = 0; i < r->n_events; i++)
        if (r->events[i].kind == EVENT_ANSWER && r->events[i].answer.seq == seq) {
            assert_int_equal(answer, -1);
            answer = (int)r->events[i].answer.answer;
        }
    return answer;
}

const struct event *rig_last(struct rig *r, enum event_kind kind)
{
    for (int i = r->n_events - 1; i >= 0; i--)
        if (r->events[i].kind == kind)
            return &r->events[i];
    return NULL;
}

int rig_count(struct rig *r, enum event_kind kind)
{
    int n = 0;

    for (int i = 0; i < r->n_events; i++)
        n += r->events[i].kind == kind;
    return n;
}
