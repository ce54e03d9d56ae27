/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's sockets on libwebsockets. */
#include "io/ocpp_server.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/log.h"
#include "io/ocpp_auth.h"

static const char subprotocol[] = "ocpp1.6";

struct message {
    struct message *next;
    size_t len;
    unsigned char data[]; /* LWS_PRE bytes, then the text */
};

/* One connection; libwebsockets owns its memory. */
struct conn {
    struct lws *wsi;
    struct ocpp_server *server;
    struct ocpp_peer *peer; /* NULL: not, or no longer, that of a charger */
    char *rx;
    size_t rx_len, rx_max;
    struct message *first, **last;
    int n_messages;
    size_t n_bytes;
    int64_t heard_ms;
    bool ping_due, pinged;
    bool ponged; /* it has answered a ping before */
};

struct ocpp_server {
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct ocpp_server_hooks hooks;
    bool need_subprotocol, closing;
    int n_sockets, max_sockets;
};

static int64_t now_ms(const struct conn *c)
{
    return c->peer->w->now_ms;
}

/* ---- before the handshake: who may in ---- */

static bool read_identity(struct lws *wsi, char id[OCPP_ID])
{
    char path[512];

    return lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) > 0 &&
           ocpp_auth_identity(path, id, OCPP_ID);
}

static enum ocpp_door knock(struct ocpp_server *s, struct lws *wsi, const char *id)
{
    char header[512], given[384];
    int n = lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_HTTP_AUTHORIZATION);

    if (n > 6 && strncasecmp(header, "Basic ", 6) == 0)
        n = lws_b64_decode_string_len(header + 6, n - 6, given, sizeof given);
    else
        n = -1;
    return s->hooks.knock(s->hooks.arg, id, n >= 0 ? given : NULL,
                          n >= 0 ? (size_t)n : 0);
}

static int refuse(struct lws *wsi, unsigned status)
{
    unsigned char buf[LWS_PRE + 512], *p = buf + LWS_PRE, *end = buf + sizeof buf;
    static const unsigned char ask[] = "Basic realm=\"ocpp\"";

    if (lws_add_http_header_status(wsi, status, &p, end) ||
        (status == HTTP_STATUS_UNAUTHORIZED &&
         lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE, ask,
                                      sizeof ask - 1, &p, end)) ||
        lws_add_http_header_content_length(wsi, 0, &p, end) ||
        lws_finalize_write_http_header(wsi, buf + LWS_PRE, &p, end))
        return -1;
    return 1;
}

/* No common subprotocol: the standard wants the handshake finished without the header
 * and the connection closed at once (OCPP-J 1.6 section 3.2). libwebsockets would just
 * hang up, so it is written here. */
static int refuse_subprotocol(struct lws *wsi)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const unsigned char close_frame[] = {0x88, 0x02, 0x03, 0xea}; /* 1002 */
    char key[128 + sizeof magic], accept[40];
    unsigned char hash[20], buf[LWS_PRE + 256];
    int n = lws_hdr_copy(wsi, key, 128, WSI_TOKEN_KEY);

    if (n <= 0)
        return -1;
    strcpy(key + n, magic);
    lws_SHA1((unsigned char *)key, strlen(key), hash);
    if (lws_b64_encode_string((char *)hash, sizeof hash, accept, sizeof accept) < 0)
        return -1;
    n = lws_snprintf((char *)buf + LWS_PRE, sizeof buf - LWS_PRE,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    memcpy(buf + LWS_PRE + n, close_frame, sizeof close_frame);
    lws_write(wsi, buf + LWS_PRE, (size_t)n + sizeof close_frame,
              LWS_WRITE_HTTP_HEADERS);
    return -1;
}

static int upgrade(struct ocpp_server *s, struct lws *wsi, const char *to)
{
    char id[OCPP_ID], list[256];
    int n = lws_hdr_copy(wsi, list, sizeof list, WSI_TOKEN_PROTOCOL);

    if (s->closing || strcasecmp(to, "websocket") != 0)
        return -1;
    if (!read_identity(wsi, id))
        return refuse(wsi, HTTP_STATUS_NOT_FOUND);
    switch (knock(s, wsi, id)) {
    case OCPP_DOOR_UNKNOWN:
        return refuse(wsi, HTTP_STATUS_NOT_FOUND);
    case OCPP_DOOR_PASSWORD:
        return refuse(wsi, HTTP_STATUS_UNAUTHORIZED);
    case OCPP_DOOR_OPEN:
        break;
    }
    if (n > 0 ? ocpp_auth_subprotocol(list, subprotocol) : !s->need_subprotocol)
        return 0;
    log_warnx("%s: offers no subprotocol %s", id, subprotocol);
    return refuse_subprotocol(wsi);
}

/* ---- a connection ---- */

void ocpp_server_cut(void *link)
{
    struct conn *c = link;

    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* The kernel notices a peer that is gone: whatever a charger makes of pings, its TCP
 * acknowledges what it gets. */
static void watch(struct lws *wsi)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},          {IPPROTO_TCP, TCP_KEEPIDLE, 20},
        {IPPROTO_TCP, TCP_KEEPINTVL, 10},       {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 50000},
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (setsockopt(lws_get_socket_fd(wsi), options[i].level, options[i].name,
                       &options[i].value, sizeof options[i].value) != 0)
            log_debug("OCPP: a socket option was refused");
}

/* The newest connection of an identity wins: the old one may be half open. */
static int established(struct ocpp_server *s, struct lws *wsi, struct conn *c)
{
    char id[OCPP_ID];
    struct ocpp_peer *p;

    memset(c, 0, sizeof *c);
    c->wsi = wsi;
    c->server = s;
    c->last = &c->first;
    p = !s->closing && read_identity(wsi, id) ? s->hooks.enter(s->hooks.arg, id) : NULL;
    if (!p)
        return -1;
    if (p->link) {
        struct conn *old = p->link;

        log_info("%s: connects anew, its old connection is closed", id);
        ocpp_peer_down(p);
        old->peer = NULL;
        ocpp_server_cut(old);
    }
    c->peer = p;
    c->heard_ms = now_ms(c);
    watch(wsi);
    ocpp_peer_up(p, c);
    return 0;
}

static void closed(struct conn *c)
{
    struct message *m;

    if (c->peer && !c->server->closing)
        ocpp_peer_down(c->peer);
    c->peer = NULL;
    while ((m = c->first)) {
        c->first = m->next;
        free(m);
    }
    free(c->rx);
    c->rx = NULL;
}

static int close_with(struct lws *wsi, enum lws_close_status why)
{
    lws_close_reason(wsi, why, NULL, 0);
    return -1;
}

static bool gather(struct conn *c, const void *in, size_t len)
{
    if (c->rx_len + len > c->rx_max) {
        size_t max = (c->rx_len + len) * 2;
        char *more = realloc(c->rx, max);

        if (!more)
            return false;
        c->rx = more;
        c->rx_max = max;
    }
    memcpy(c->rx + c->rx_len, in, len);
    c->rx_len += len;
    return true;
}

static int receive(struct lws *wsi, struct conn *c, const void *in, size_t len)
{
    if (!c->peer)
        return -1;
    c->heard_ms = now_ms(c);
    c->pinged = false;
    if (lws_frame_is_binary(wsi))
        return close_with(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
    if (lws_is_first_fragment(wsi))
        c->rx_len = 0;
    if (c->rx_len + len > OCPP_FRAME_MAX) {
        log_warnx("%s: sent a message of more than %d bytes", c->peer->id,
                  OCPP_FRAME_MAX);
        return close_with(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    }
    if (len && !gather(c, in, len))
        return -1;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
        return 0;
    len = c->rx_len;
    c->rx_len = 0;
    if (len)
        ocpp_text_repair(c->rx, len);
    ocpp_peer_receive(c->peer, len ? c->rx : "", len);
    return 0;
}

bool ocpp_server_send(void *link, const char *text)
{
    struct conn *c = link;
    size_t len = strlen(text);
    struct message *m = NULL;

    if (c->n_messages < OCPP_QUEUE && c->n_bytes + len <= OCPP_QUEUE_BYTES)
        m = malloc(sizeof *m + LWS_PRE + len);
    if (!m) {
        log_warnx("%s: does not read what it is sent", c->peer->id);
        ocpp_server_cut(c);
        return false;
    }
    m->next = NULL;
    m->len = len;
    memcpy(m->data + LWS_PRE, text, len);
    *c->last = m;
    c->last = &m->next;
    c->n_messages++;
    c->n_bytes += len;
    lws_callback_on_writable(c->wsi);
    return true;
}

/* One frame a time, as libwebsockets wants it. */
static int writable(struct lws *wsi, struct conn *c)
{
    unsigned char ping[LWS_PRE + 4] = {0};
    struct message *m = c->first;
    int n;

    if (c->ping_due) {
        c->ping_due = false;
        /* not empty: libwebsockets tells only of pongs that have something in them */
        if (lws_write(wsi, ping + LWS_PRE, 4, LWS_WRITE_PING) < 0)
            return -1;
    } else if (m) {
        c->first = m->next;
        if (!c->first)
            c->last = &c->first;
        c->n_messages--;
        c->n_bytes -= m->len;
        n = lws_write(wsi, m->data + LWS_PRE, m->len, LWS_WRITE_TEXT);
        free(m);
        if (n < 0)
            return -1;
    }
    if (c->first)
        lws_callback_on_writable(wsi);
    return 0;
}

void ocpp_server_tick(void *link, int64_t now, int64_t ping_ms, int64_t silence_ms)
{
    struct conn *c = link;
    int64_t silent_ms = now - c->heard_ms;

    if (silent_ms >= silence_ms ||
        (ping_ms > 0 && c->ponged && silent_ms >= 2 * ping_ms)) {
        log_info("%s: silent for %d s, its connection is closed", c->peer->id,
                 (int)(silent_ms / 1000));
        c->heard_ms = now;
        ocpp_server_cut(c);
    } else if (ping_ms > 0 && silent_ms >= ping_ms && !c->pinged) {
        c->pinged = c->ping_due = true;
        lws_callback_on_writable(c->wsi);
    }
}

void ocpp_server_move(void *link, struct ocpp_peer *p)
{
    struct conn *c = link;

    c->peer = p;
}

/* ---- the vhost ---- */

static int on_socket(struct ocpp_server *s, struct lws *wsi,
                     enum lws_callback_reasons reason, struct conn *c, void *in,
                     size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return s->closing || s->n_sockets >= s->max_sockets;
    case LWS_CALLBACK_WSI_CREATE:
        s->n_sockets++;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        s->n_sockets--;
        return 0;
    case LWS_CALLBACK_HTTP:
        return refuse(wsi, HTTP_STATUS_NOT_FOUND) < 0 ||
               lws_http_transaction_completed(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return upgrade(s, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return established(s, wsi, c);
    case LWS_CALLBACK_RECEIVE:
        return receive(wsi, c, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        if (c->peer) {
            c->heard_ms = now_ms(c);
            c->pinged = false;
            c->ponged = true;
        }
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return c->peer ? writable(wsi, c) : -1;
    case LWS_CALLBACK_CLOSED:
        closed(c);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, c, in, len);
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len)
{
    struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
    struct ocpp_server *s = vhost ? lws_get_vhost_user(vhost) : NULL;
    int result;

    if (!s)
        return 0;
    if (reason == LWS_CALLBACK_PROTOCOL_INIT || reason == LWS_CALLBACK_PROTOCOL_DESTROY)
        return 0;
    if (!s->closing)
        s->hooks.woken(s->hooks.arg);
    result = on_socket(s, wsi, reason, user, in, len);
    if (!s->closing)
        s->hooks.done(s->hooks.arg);
    return result;
}

static const struct lws_protocols protocols[] = {
    {.name = subprotocol,
     .callback = callback,
     .per_session_data_size = sizeof(struct conn),
     .rx_buffer_size = 4096},
    {.name = NULL},
};

/* libwebsockets takes an interface or an IPv4 address; NULL is all of them. */
static const char *interface(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "*") == 0 || !*host)
        return NULL;
    return strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
}

/* The vhost is gone; without s->vhost it has never come to life. */
static void last(struct lws_vhost *vhost, void *arg)
{
    struct ocpp_server *s = arg;

    (void)vhost;
    if (s->vhost)
        free(s);
}

/* The one place that knows how the vhost is made: TLS is a matter of `info`. Our own
 * pings are used, since they can be switched off, so its idle policy is none. */
static struct lws_vhost *make_vhost(struct ocpp_server *s, const struct config *c)
{
    static const lws_retry_bo_t no_idle_policy;
    struct lws_context_creation_info info = {
        .vhost_name = "ocpp",
        .iface = interface(c->ocpp.host),
        .port = c->ocpp.port,
        .protocols = protocols,
        .user = s,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .timeout_secs = OCPP_HEADER_S,
        .timeout_secs_ah_idle = OCPP_HEADER_S,
        .keepalive_timeout = OCPP_HEADER_S,
        .retry_and_idle_policy = &no_idle_policy,
        .finalize = last,
        .finalize_arg = s,
    };

    return lws_create_vhost(s->lws, &info);
}

struct ocpp_server *ocpp_server_new(struct loop *l, const struct config *c,
                                    const struct ocpp_server_hooks *h)
{
    struct ocpp_server *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->lws = loop_lws(l);
    s->hooks = *h;
    s->need_subprotocol = c->ocpp.need_subprotocol;
    s->max_sockets = 2 * c->site.n_chargers + OCPP_SPARE_SOCKETS;
    s->vhost = make_vhost(s, c);
    if (!s->vhost) {
        log_errorx("OCPP: cannot listen on %s:%d", c->ocpp.host, c->ocpp.port);
        free(s);
        return NULL;
    }
    return s;
}

void ocpp_server_free(struct ocpp_server *s)
{
    if (!s)
        return;
    s->closing = true;
    lws_vhost_destroy(s->vhost);
}

int ocpp_server_port(const struct ocpp_server *s)
{
    return lws_get_vhost_listen_port(s->vhost);
}
