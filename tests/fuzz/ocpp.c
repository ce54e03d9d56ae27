/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a charger says, a message a line. A line that begins with '@' is
 * the payload of an answer to our call, one with '#' an error's code; '+' lets seconds
 * pass, '!' is an order of the core, '-' a new connection, '?' what a person asks, like
 * ?Reset {"type":"Soft"}. What leaves us must be strictly as its version wants it, and
 * people get one answer each. ocpp201.c is the same for chargers of 2.0.1. */
#include <string.h>

#include "fuzz.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

#ifndef SUBPROTOCOL
#define SUBPROTOCOL "ocpp1.6"
#endif

enum { CONNECTORS = 2, TEXT = 8192 };

static struct ocpp_world w;
static struct ocpp_peer *peer;
static int32_t transaction;
static int n_calls, n_answers;      /* sent since the last message */
static int n_asked, n_done;         /* by people, for them */
static char asked[OCPP_FRAME_WORD]; /* the action of the charger's call */

static void strict(enum ocpp_asker asker, const struct ocpp_frame *f)
{
    const struct ocpp_message *m =
        ocpp_schema_find(peer->schema, asker, asker == OCPP_SYSTEM ? f->action : asked);
    char why[OCPP_WHY];

    FUZZ_MUST(m);
    if (ocpp_schema_strict(peer->schema, asker == OCPP_SYSTEM ? m->request : m->answer,
                           f->payload, why)) {
        fprintf(stderr, "%s: %s\n", m->action, why);
        FUZZ_MUST(!"strict");
    }
}

/* What we send has to be strict whatever came in. */
static bool on_send(void *link, const char *text)
{
    struct ocpp_frame f;

    (void)link;
    FUZZ_MUST(ocpp_frame_parse(&f, text, strlen(text)));
    FUZZ_MUST(cJSON_IsObject(f.payload));
    FUZZ_MUST(f.kind != OCPP_FRAME_CALL || strlen(f.id) <= 36);
    if (f.kind == OCPP_FRAME_CALL) {
        strict(OCPP_SYSTEM, &f);
        n_calls++;
    } else {
        FUZZ_MUST(f.kind == OCPP_FRAME_RESULT || f.kind == OCPP_FRAME_ERROR);
        if (f.kind == OCPP_FRAME_RESULT)
            strict(OCPP_STATION, &f);
        n_answers++;
    }
    ocpp_frame_free(&f);
    return true;
}

static void on_event(void *arg, const struct event *e)
{
    (void)arg;
    FUZZ_MUST(e->kind == EVENT_LINK ? e->who == 0 : e->who >= 0 && e->who < CONNECTORS);
}

static void on_session(void *arg, const struct ocpp_session *s)
{
    (void)arg;
    FUZZ_MUST(s->connector >= 0 && s->connector < CONNECTORS);
    FUZZ_MUST(memchr(s->tag, 0, sizeof s->tag) && memchr(s->reason, 0, 24));
}

static void on_station(void *arg, int charger, const struct ocpp_station *s)
{
    (void)arg;
    FUZZ_MUST(charger == 0 && memchr(s->vendor, 0, sizeof s->vendor));
}

static void on_trouble(void *arg, bool begins, const char *who, const char *text)
{
    (void)arg;
    (void)begins;
    FUZZ_MUST(*who && *text);
}

static int32_t on_next_transaction(void *arg)
{
    (void)arg;
    return ++transaction;
}

static void connect_anew(void)
{
    static int link;

    ocpp_peer_speak(peer, ocpp_schema_named(SUBPROTOCOL));
    ocpp_peer_up(peer, &link);
}

static void begin(void)
{
    static struct conf_charger charger = {
        .id = "CP", .name = "CP", .security = -1, .ping_s = -1, .n = CONNECTORS};
    static struct conf_connector connectors[CONNECTORS] = {{.number = 1},
                                                           {.number = 2}};
    static struct site_connector sites[CONNECTORS];
    static struct config conf = {.chargers = &charger,
                                 .connectors = connectors,
                                 .site = {.voltage_mv = 230000,
                                          .n_chargers = 1,
                                          .n_connectors = CONNECTORS,
                                          .connectors = sites},
                                 .ocpp = {.accept_all_tags = true,
                                          .heartbeat_s = 300,
                                          .sample_s = 10,
                                          .call_timeout_ms = 30000}};

    for (int i = 0; i < CONNECTORS; i++)
        sites[i] = (struct site_connector){
            .wiring = {0, 1, 2}, .min_ma = 6000, .max_ma = 16000, .fallback_ma = 6000};
    w = (struct ocpp_world){.conf = &conf,
                            .hooks = {.event = on_event,
                                      .session = on_session,
                                      .station = on_station,
                                      .trouble = on_trouble,
                                      .next_transaction = on_next_transaction},
                            .now_ms = 1000000,
                            .utc_s = 1551450000,
                            .run = 1,
                            .send = on_send};
    peer = ocpp_peer_new(&w, 0);
    FUZZ_MUST(peer);
    connect_anew();
}

static void pass(int64_t seconds)
{
    for (int64_t end = w.now_ms + 1000 * seconds; w.now_ms < end; w.now_ms += 500) {
        w.utc_s += w.now_ms % 1000 == 0;
        ocpp_peer_tick(peer);
        ocpp_deliver(&w);
    }
}

static void give_order(unsigned char c)
{
    struct order o = {.kind = ORDER_LIMIT,
                      .seq = w.n_calls + 1,
                      .limit_ma = 1000 * (c % 33),
                      .lease_ms = 60000 * (1 + c % 7)};

    ocpp_limit_order(peer, &peer->c[c % CONNECTORS], &o);
}

static void on_done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    cJSON *json = cJSON_Parse(text);
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(json, "parts");

    (void)arg;
    FUZZ_MUST(strlen(note) < OCPP_WHY);
    FUZZ_MUST(o == OCPP_IN_PARTS ? cJSON_IsArray(parts) : json || o != OCPP_ANSWERED);
    cJSON_Delete(json);
    n_done++;
}

static void ask(char *text)
{
    char *json = text + strcspn(text, " ");
    cJSON *payload;

    if (*json)
        *json++ = '\0';
    payload = cJSON_Parse(json);
    n_asked++;
    ocpp_peer_ask_all(peer, text, payload, 5000, on_done, NULL);
    cJSON_Delete(payload);
}

/* An answer to our call, with whatever payload. */
static void answer(bool error, const char *text)
{
    char frame[TEXT + 128];

    if (error)
        snprintf(frame, sizeof frame, "[4,\"%s\",\"%s\",\"\",{}]", peer->call_id, text);
    else
        snprintf(frame, sizeof frame, "[3,\"%s\",%s]", peer->call_id, text);
    ocpp_peer_receive(peer, frame, strlen(frame));
}

static bool wants_answer(const struct ocpp_frame *f)
{
    const struct ocpp_schema *s = peer->schema;

    switch (f->kind) {
    case OCPP_FRAME_CALL:
        return true;
    case OCPP_FRAME_RESULT:
    case OCPP_FRAME_ERROR:
        return false;
    case OCPP_FRAME_BAD:
        if (*f->id || !s->no_id)
            return *f->id && f->about == OCPP_FRAME_CALL;
        return f->about == OCPP_FRAME_CALL || f->about == OCPP_FRAME_BAD;
    default:
        return s->other && (*f->id || s->no_id);
    }
}

/* A message of the charger: at most one answer, and one for each that can have one. */
static void message(char *text, size_t len)
{
    struct ocpp_frame f;
    bool wants;

    ocpp_text_repair(text, len);
    ocpp_frame_parse(&f, text, len);
    wants = wants_answer(&f);
    strcpy(asked, f.action);
    ocpp_frame_free(&f);
    n_answers = 0;
    ocpp_peer_receive(peer, text, len);
    FUZZ_MUST(n_answers == (wants ? 1 : 0));
}

static void line(const uint8_t *data, size_t len)
{
    char text[TEXT];

    if (len == 0 || len >= sizeof text)
        return;
    memcpy(text, data, len);
    text[len] = '\0';
    n_calls = 0;
    if (text[0] == '+')
        pass(1 + (text[1] & 63));
    else if (text[0] == '!')
        give_order((unsigned char)text[1]);
    else if (text[0] == '-')
        connect_anew();
    else if (text[0] == '?')
        ask(text + 1);
    else if (text[0] == '@' || text[0] == '#')
        answer(text[0] == '#', text + 1);
    else
        message(text, len);
    ocpp_deliver(&w);
    /* one call is unanswered at a time; time that passes may end several */
    FUZZ_MUST(n_calls <= (text[0] == '+' ? 64 : 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    log_set_level(LOG_LEVEL_ERROR);
    n_asked = n_done = 0;
    begin();
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;

        line(data, len);
        len += end ? 1 : 0;
        data += len;
        size -= len;
    }
    ocpp_peer_down(peer);
    ocpp_deliver(&w);
    FUZZ_MUST(n_done == n_asked && w.later_bytes == 0);
    ocpp_peer_free(peer);
    free(w.events);
    return 0;
}
