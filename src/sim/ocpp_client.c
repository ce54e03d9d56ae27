/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP-J from the charger's side. */
#include "sim/ocpp_client.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"

enum {
    CALL_TIMEOUT_MS = 30000,
    BACK_OFF_MIN_MS = 500,
    BACK_OFF_MAX_MS = 16000,
    MESSAGE_MAX = 256 * 1024
};

static const char VHOST[] = "simulated-chargers";

struct frame {
    struct frame *next;
    int64_t due_ms;
    size_t size;
    char data[]; /* LWS_PRE bytes, then the text */
};

struct call {
    struct call *next;
    unsigned flags;
    char id[24], action[40];
    char *payload;
    ocpp_client_done *done;
    void *arg;
    int64_t sent_ms;
};

struct ocpp_client {
    struct ocpp_client_setup u;
    struct lws_vhost *vhost;
    struct lws *wsi;
    char path[96];
    bool open, ready, dropping, ping_due;
    int64_t retry_ms, pinged_ms, heard_ms;
    int32_t back_off_ms;
    int ping_s;
    unsigned ids;
    struct frame *frames;
    struct call *calls, *sent; /* waiting; and the one that is not answered yet */
    char *in;
    size_t n_in;
};

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                     void *in, size_t len);

static const struct lws_protocols protocols[] = {{VHOST, on_socket, 0, 65536},
                                                 {NULL, NULL, 0, 0}};

/* ---- what waits to be sent */

static void push_frame(struct ocpp_client *c, const char *text, int32_t delay_ms)
{
    size_t size = strlen(text);
    struct frame *f = calloc(1, sizeof *f + LWS_PRE + size), **at = &c->frames;

    if (!f)
        return;
    f->due_ms = clock_ms() + delay_ms;
    f->size = size;
    memcpy(f->data + LWS_PRE, text, size);
    while (*at)
        at = &(*at)->next;
    *at = f;
    if (c->wsi && c->open)
        lws_callback_on_writable(c->wsi);
}

static void push_json(struct ocpp_client *c, cJSON *json, int32_t delay_ms)
{
    char *text = cJSON_PrintUnformatted(json);

    if (text && c->open)
        push_frame(c, text, delay_ms);
    free(text);
    cJSON_Delete(json);
}

static void end_call(struct call *k, const cJSON *payload)
{
    if (k->done)
        k->done(k->arg, payload);
    free(k->payload);
    free(k);
}

static void send_call(struct ocpp_client *c, struct call *k)
{
    size_t size = strlen(k->payload) + 96;
    char *text = malloc(size);

    if (!text)
        return;
    snprintf(k->id, sizeof k->id, "%u", ++c->ids);
    snprintf(text, size, "[2,\"%s\",\"%s\",%s]", k->id, k->action, k->payload);
    push_frame(c, text, 0);
    free(text);
    k->sent_ms = clock_ms();
    c->sent = k;
}

/* The next call leaves when the one before has been answered. */
static void send_next(struct ocpp_client *c)
{
    struct call **at = &c->calls, *k;

    if (!c->open || c->sent)
        return;
    while (*at && !c->ready && !((*at)->flags & OCPP_CLIENT_FIRST))
        at = &(*at)->next;
    k = *at;
    if (!k)
        return;
    *at = k->next;
    k->next = NULL;
    send_call(c, k);
}

void ocpp_client_call(struct ocpp_client *c, unsigned flags, const char *action,
                      cJSON *payload, ocpp_client_done *done, void *arg)
{
    struct call *k = calloc(1, sizeof *k), **at = &c->calls;

    if (k)
        k->payload = cJSON_PrintUnformatted(payload);
    cJSON_Delete(payload);
    if (!k || !k->payload || (!c->open && !(flags & OCPP_CLIENT_KEEP))) {
        if (k)
            free(k->payload);
        free(k);
        if (done)
            done(arg, NULL);
        return;
    }
    k->flags = flags;
    snprintf(k->action, sizeof k->action, "%s", action);
    k->done = done;
    k->arg = arg;
    while (*at && !(flags & OCPP_CLIENT_FIRST))
        at = &(*at)->next;
    k->next = *at;
    *at = k;
    send_next(c);
}

void ocpp_client_answer(struct ocpp_client *c, const char *id, cJSON *payload,
                        int32_t delay_ms)
{
    cJSON *frame = cJSON_CreateArray();

    cJSON_AddItemToArray(frame, cJSON_CreateNumber(3));
    cJSON_AddItemToArray(frame, cJSON_CreateString(id));
    cJSON_AddItemToArray(frame, payload);
    push_json(c, frame, delay_ms);
}

void ocpp_client_refuse(struct ocpp_client *c, const char *id, const char *code,
                        const char *why)
{
    cJSON *frame = cJSON_CreateArray();

    cJSON_AddItemToArray(frame, cJSON_CreateNumber(4));
    cJSON_AddItemToArray(frame, cJSON_CreateString(id));
    cJSON_AddItemToArray(frame, cJSON_CreateString(code));
    cJSON_AddItemToArray(frame, cJSON_CreateString(why));
    cJSON_AddItemToArray(frame, cJSON_CreateObject());
    push_json(c, frame, 0);
}

/* ---- what comes in */

static void on_answer(struct ocpp_client *c, const cJSON *payload)
{
    struct call *k = c->sent;

    c->sent = NULL;
    end_call(k, payload);
    send_next(c);
}

static void on_message(struct ocpp_client *c, const cJSON *m)
{
    const cJSON *type = cJSON_GetArrayItem(m, 0), *id = cJSON_GetArrayItem(m, 1);
    const cJSON *third = cJSON_GetArrayItem(m, 2), *fourth = cJSON_GetArrayItem(m, 3);
    bool ours =
        c->sent && cJSON_IsString(id) && strcmp(id->valuestring, c->sent->id) == 0;

    if (!cJSON_IsNumber(type) || !cJSON_IsString(id) || strlen(id->valuestring) > 36) {
        log_warnx("%s: that is no OCPP message", c->u.identity);
    } else if (type->valueint == 2 && cJSON_IsString(third) && fourth) {
        c->u.called(c->u.arg, id->valuestring, third->valuestring, fourth);
    } else if (type->valueint == 3 && ours) {
        on_answer(c, third);
    } else if (type->valueint == 4 && ours) {
        log_warnx("%s: %s was refused: %s", c->u.identity, c->sent->action,
                  cJSON_IsString(third) ? third->valuestring : "?");
        on_answer(c, NULL);
    } else if ((type->valueint < 2 || type->valueint > 4) && c->u.schema->other) {
        ocpp_client_refuse(c, id->valuestring, c->u.schema->other, "");
    }
}

/* A message may come in pieces. False = it is too long. */
static bool on_bytes(struct ocpp_client *c, const char *in, size_t len, bool last)
{
    char *more =
        c->n_in + len <= MESSAGE_MAX ? realloc(c->in, c->n_in + len + 1) : NULL;
    cJSON *message;

    if (!more)
        return false;
    c->in = more;
    memcpy(c->in + c->n_in, in, len);
    c->n_in += len;
    if (!last)
        return true;
    message = cJSON_ParseWithLength(c->in, c->n_in);
    c->n_in = 0;
    if (!message)
        log_warnx("%s: that is no JSON", c->u.identity);
    on_message(c, message);
    cJSON_Delete(message);
    return true;
}

/* ---- the socket */

static void drop_frames(struct ocpp_client *c)
{
    while (c->frames) {
        struct frame *f = c->frames;

        c->frames = f->next;
        free(f);
    }
}

/* Calls that do not outlive the connection end here. */
static void drop_calls(struct ocpp_client *c, bool all)
{
    struct call *list = c->calls, **keep = &c->calls;

    if (c->sent) {
        c->sent->next = list;
        list = c->sent;
        c->sent = NULL;
    }
    c->calls = NULL;
    while (list) {
        struct call *k = list;

        list = k->next;
        k->next = NULL;
        if (!all && k->flags & OCPP_CLIENT_KEEP) {
            *keep = k;
            keep = &k->next;
        } else {
            end_call(k, NULL);
        }
    }
}

static void gone(struct ocpp_client *c)
{
    bool was_open = c->open;

    c->wsi = NULL;
    c->open = c->ready = c->dropping = false;
    c->n_in = 0;
    drop_frames(c);
    drop_calls(c, false);
    if (c->retry_ms < clock_ms())
        c->retry_ms = clock_ms() + c->back_off_ms;
    c->back_off_ms *= 2;
    if (c->back_off_ms > BACK_OFF_MAX_MS)
        c->back_off_ms = BACK_OFF_MAX_MS;
    if (was_open)
        c->u.closed(c->u.arg);
}

/* Returns -1 to close. */
static int writable(struct ocpp_client *c)
{
    unsigned char ping[LWS_PRE + 1];
    struct frame *f = c->frames;
    int n;

    if (c->dropping)
        return -1;
    if (c->ping_due) {
        c->ping_due = false;
        lws_callback_on_writable(c->wsi);
        return lws_write(c->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 0;
    }
    if (!f || f->due_ms > clock_ms())
        return 0;
    c->frames = f->next;
    n = lws_write(c->wsi, (unsigned char *)f->data + LWS_PRE, f->size, LWS_WRITE_TEXT);
    n = n < (int)f->size ? -1 : 0;
    free(f);
    if (c->frames)
        lws_callback_on_writable(c->wsi);
    return n;
}

static int add_password(struct ocpp_client *c, struct lws *wsi, unsigned char **p,
                        unsigned char *end)
{
    char basic[192];

    if (!c->u.password)
        return 0;
    if (lws_http_basic_auth_gen(c->u.identity, c->u.password, basic, sizeof basic))
        return -1;
    return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
                                        (unsigned char *)basic, (int)strlen(basic), p,
                                        end);
}

static void opened(struct ocpp_client *c)
{
    c->open = true;
    c->ready = c->ping_due = false;
    c->back_off_ms = BACK_OFF_MIN_MS;
    c->pinged_ms = c->heard_ms = clock_ms();
    c->u.opened(c->u.arg);
    send_next(c);
}

static int on_socket(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                     void *in, size_t len)
{
    struct ocpp_client *c = user;
    unsigned char **p = in;

    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return c ? add_password(c, wsi, p, *p + len) : 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        if (!c)
            return -1;
        opened(c);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (!c)
            return -1;
        c->heard_ms = clock_ms();
        if (reason == LWS_CALLBACK_CLIENT_RECEIVE &&
            !on_bytes(c, in, len,
                      lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi)))
            return -1;
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return c ? writable(c) : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (c)
            gone(c);
        break;
    default:
        break;
    }
    return 0;
}

static void dial(struct ocpp_client *c)
{
    struct lws_client_connect_info i = {
        .context = c->u.lws,
        .vhost = c->vhost,
        .address = c->u.host,
        .host = c->u.host,
        .port = c->u.port,
        .path = c->path,
        .protocol = c->u.schema->subprotocol,
        .local_protocol_name = protocols[0].name,
        .ietf_version_or_minus_one = -1,
        .userdata = c,
        .pwsi = &c->wsi,
    };

    if (!lws_client_connect_via_info(&i) && c->retry_ms <= clock_ms())
        gone(c);
}

static void keep_alive(struct ocpp_client *c, int64_t now_ms)
{
    if (c->ping_s <= 0 || now_ms - c->pinged_ms < c->ping_s * INT64_C(1000))
        return;
    if (c->heard_ms < c->pinged_ms) { /* no pong since the last one */
        ocpp_client_drop(c, 0);
        return;
    }
    c->pinged_ms = now_ms;
    c->ping_due = true;
    lws_callback_on_writable(c->wsi);
}

void ocpp_client_tick(struct ocpp_client *c, int64_t now_ms)
{
    if (!c->wsi) {
        if (now_ms >= c->retry_ms)
            dial(c);
        return;
    }
    if (!c->open)
        return;
    if (c->sent && now_ms - c->sent->sent_ms > CALL_TIMEOUT_MS) {
        log_warnx("%s: no answer to %s", c->u.identity, c->sent->action);
        on_answer(c, NULL);
    }
    send_next(c);
    keep_alive(c, now_ms);
    if (c->frames && c->frames->due_ms <= now_ms)
        lws_callback_on_writable(c->wsi);
}

bool ocpp_client_is_open(const struct ocpp_client *c)
{
    return c->open;
}

bool ocpp_client_waits(const struct ocpp_client *c)
{
    return c->calls || c->sent;
}

void ocpp_client_ready(struct ocpp_client *c, bool ready)
{
    c->ready = ready;
    send_next(c);
}

void ocpp_client_ping_every(struct ocpp_client *c, int seconds)
{
    c->ping_s = seconds;
}

void ocpp_client_drop(struct ocpp_client *c, int32_t wait_ms)
{
    c->retry_ms = clock_ms() + wait_ms;
    if (!c->wsi)
        return;
    c->dropping = true;
    lws_callback_on_writable(c->wsi);
}

static struct lws_vhost *shared_vhost(struct lws_context *lws)
{
    struct lws_vhost *v = lws_get_vhost_by_name(lws, VHOST);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .vhost_name = VHOST,
    };

    return v ? v : lws_create_vhost(lws, &info);
}

struct ocpp_client *ocpp_client_new(const struct ocpp_client_setup *u)
{
    struct ocpp_client *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->u = *u;
    c->back_off_ms = BACK_OFF_MIN_MS;
    snprintf(c->path, sizeof c->path, "/%s", u->identity);
    c->vhost = shared_vhost(u->lws);
    if (c->vhost)
        return c;
    free(c);
    return NULL;
}

void ocpp_client_free(struct ocpp_client *c)
{
    if (!c)
        return;
    if (c->wsi) {
        lws_set_wsi_user(c->wsi, NULL);
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
    }
    drop_frames(c);
    drop_calls(c, true);
    free(c->in);
    free(c);
}
