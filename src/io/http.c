/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP status endpoint, a virtual host of libwebsockets. */
#include "io/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/http_host.h"
#include "io/log.h"

enum { PIECE = 8192, HEAD_BYTES = 1024 };

struct http {
    struct http_hooks hooks;
    struct lws_vhost *vhost;
    int connections;
};

/* One transaction on a connection. libwebsockets gives it zeroed. */
struct answer {
    char *body; /* being sent */
    size_t n, at;
    bool close; /* the connection ends with it */
    bool counted;
};

static void answer_reset(struct answer *a)
{
    free(a->body);
    a->body = NULL;
    a->n = a->at = 0;
    a->close = false;
}

/* ---- what to say ---- */

struct reply {
    unsigned status;
    const char *type;
    char *body; /* to be freed; NULL = no memory */
};

static struct reply plain(unsigned status, const char *text)
{
    return (struct reply){status, "text/plain; charset=utf-8", strdup(text)};
}

static struct reply health(const struct http *h)
{
    if (clock_ms() - h->hooks.tick_ms(h->hooks.arg) < HTTP_TICK_MS)
        return plain(HTTP_STATUS_OK, "ok\n");
    return plain(HTTP_STATUS_SERVICE_UNAVAILABLE, "the control tick is late\n");
}

static struct reply state(const struct http *h)
{
    char *json = h->hooks.state(h->hooks.arg);

    if (!json)
        return plain(HTTP_STATUS_SERVICE_UNAVAILABLE, "no state yet\n");
    return (struct reply){HTTP_STATUS_OK, "application/json", json};
}

static bool host_is_ours(const struct http *h, struct lws *wsi)
{
    char host[300];

    return lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) > 0 &&
           http_host_allowed(host, h->hooks.names);
}

static struct reply decide(const struct http *h, struct lws *wsi, const char *path)
{
    if (!host_is_ours(h, wsi))
        return plain(421, "this host name is not served here\n");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0 &&
        lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) <= 0)
        return plain(HTTP_STATUS_METHOD_NOT_ALLOWED, "GET is all there is\n");
    if (strcmp(path, "/healthz") == 0)
        return health(h);
    if (strcmp(path, "/api/v1/state") == 0)
        return state(h);
    return plain(HTTP_STATUS_NOT_FOUND, "there is nothing here\n");
}

/* ---- saying it ---- */

struct head {
    struct lws *wsi;
    unsigned char *p, *end;
    bool failed;
};

static void add_header(struct head *h, const char *name, const char *value)
{
    h->failed |= lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
                                             (const unsigned char *)value,
                                             (int)strlen(value), &h->p, h->end) != 0;
}

static int send_head(struct lws *wsi, const struct reply *r, size_t n, bool close)
{
    unsigned char buffer[LWS_PRE + HEAD_BYTES], *start = buffer + LWS_PRE;
    struct head h = {wsi, start, buffer + sizeof buffer - 1, false};

    if (lws_add_http_header_status(wsi, r->status, &h.p, h.end))
        return -1;
    add_header(&h, "content-type:", r->type);
    add_header(&h, "cache-control:", "no-store");
    add_header(&h, "x-content-type-options:", "nosniff");
    if (r->status == HTTP_STATUS_METHOD_NOT_ALLOWED)
        add_header(&h, "allow:", "GET, HEAD");
    if (close)
        add_header(&h, "connection:", "close");
    if (h.failed || lws_add_http_header_content_length(wsi, n, &h.p, h.end))
        return -1;
    return lws_finalize_write_http_header(wsi, start, &h.p, h.end);
}

/* The transaction is over: the connection waits for the next one, or ends. */
static int finish(struct lws *wsi, struct answer *a)
{
    bool close = a->close;

    answer_reset(a);
    return close || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int begin_answer(const struct http *h, struct lws *wsi, struct answer *a,
                        const char *path)
{
    struct reply r = decide(h, wsi, path);

    answer_reset(a);
    if (!r.body)
        return -1;
    a->body = r.body;
    a->n = strlen(r.body);
    /* what else a refused client may be sending is not waited for */
    a->close = r.status == 421 || r.status == HTTP_STATUS_METHOD_NOT_ALLOWED;
    if (send_head(wsi, &r, a->n, a->close))
        return -1;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0)
        return finish(wsi, a);
    lws_callback_on_writable(wsi);
    return 0;
}

/* One piece per call: libwebsockets keeps what the socket does not take, and calls
 * again when it has room. */
static int go_on(struct lws *wsi, struct answer *a)
{
    unsigned char buffer[LWS_PRE + PIECE];
    size_t n = a->n - a->at < PIECE ? a->n - a->at : PIECE;
    bool last = a->at + n == a->n;

    if (!a->body)
        return 0;
    memcpy(buffer + LWS_PRE, a->body + a->at, n);
    if (lws_write(wsi, buffer + LWS_PRE, n,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)n)
        return -1;
    a->at += n;
    if (last)
        return finish(wsi, a);
    lws_callback_on_writable(wsi);
    return 0;
}

/* WebSockets and HTTP/2 are not spoken here. */
static int refuse_upgrade(struct lws *wsi)
{
    return lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL) ? -1 : 1;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len);

static const struct lws_protocols protocols[] = {
    {.name = "chargehand-http",
     .callback = callback,
     .per_session_data_size = sizeof(struct answer)},
    {.name = NULL},
};

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len)
{
    struct lws_vhost *vhost = lws_get_vhost(wsi);
    struct http *h = vhost ? lws_protocol_vh_priv_get(vhost, protocols) : NULL;
    struct answer *a = user;

    (void)len;
    if (!h)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return h->connections >= HTTP_CONNECTIONS;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        h->connections++;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (h->connections > 0)
            h->connections--;
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return refuse_upgrade(wsi);
    case LWS_CALLBACK_HTTP:
        return begin_answer(h, wsi, a, in);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return go_on(wsi, a);
    case LWS_CALLBACK_HTTP_BODY: /* nobody asked for it */
        return a->close ? 0 : -1;
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (a)
            answer_reset(a);
        return 0;
    default:
        return 0;
    }
}

/* ---- listening ---- */

/* Can it be listened on, or why (errno) not? Asked beforehand, because
 * libwebsockets 4.1 tells no reason and keeps a pointer to a vhost whose address it
 * could not find. */
static bool can_bind(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    int error = fd < 0 ? errno : 0;

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, to->ai_addr, to->ai_addrlen) != 0 || listen(fd, 1) != 0)
            error = errno;
        close(fd);
    }
    errno = error;
    return error == 0;
}

/* The address to bind, as digits. */
static bool find_address(const char *host, int port, char out[INET6_ADDRSTRLEN],
                         bool *ip6)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];
    bool good = false;
    int rc;

    snprintf(service, sizeof service, "%d", port);
    rc = getaddrinfo(host, service, &hints, &found);
    if (rc == 0) {
        *ip6 = found->ai_family == AF_INET6;
        rc = getnameinfo(found->ai_addr, found->ai_addrlen, out, INET6_ADDRSTRLEN, NULL,
                         0, NI_NUMERICHOST);
        good = rc == 0 && can_bind(found);
        if (rc == 0 && !good)
            log_warn("http: cannot listen on %s port %d", host, port);
        freeaddrinfo(found);
    }
    if (rc != 0)
        log_errorx("http: %s: %s", host, gai_strerror(rc));
    return good;
}

struct http *http_new(struct loop *l, const char *host, int port,
                      const struct http_hooks *hooks)
{
    struct lws_context_creation_info info = {0};
    char address[INET6_ADDRSTRLEN];
    struct lws_vhost *vhost;
    struct http *h;
    bool ip6;

    if (!find_address(host, port, address, &ip6))
        return NULL;
    info.vhost_name = "http";
    info.port = port;
    if (strcmp(address, "0.0.0.0") != 0 && strcmp(address, "::") != 0)
        info.iface = address;
    info.protocols = protocols;
    info.keepalive_timeout = HTTP_IDLE_S;
    info.timeout_secs = HTTP_IDLE_S;
    info.options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    if (!ip6)
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    vhost = lws_create_vhost(loop_lws(l), &info);
    if (!vhost) {
        log_errorx("http: cannot listen on %s port %d", host, port);
        return NULL;
    }
    h = lws_protocol_vh_priv_zalloc(vhost, protocols, sizeof *h);
    if (!h) {
        lws_vhost_destroy(vhost);
        return NULL;
    }
    h->hooks = *hooks;
    h->vhost = vhost;
    return h;
}

/* The memory goes with the vhost, which libwebsockets keeps for as long as connections
 * of it are closing: callbacks still come. */
void http_free(struct http *h)
{
    if (h)
        lws_vhost_destroy(h->vhost);
}

int http_port(const struct http *h)
{
    return lws_get_vhost_listen_port(h->vhost);
}
