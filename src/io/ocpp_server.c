/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's sockets on libwebsockets. */
#include "io/ocpp_server.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_door.h"
#include "io/ocpp_gate.h"
#include "io/ocpp_link.h"
#include "io/ocpp_tls.h"

enum { PORTS = 3 };

/* One port: a vhost with one security profile. */
struct port {
    struct ocpp_server *server;
    struct lws_vhost *vhost;
    SSL_CTX *tls;
    struct ocpp_tls_teller teller;
    int profile;
    bool told; /* why it cannot be */
    /* Its one subprotocol is called as the request under way has it: so libwebsockets
     * takes our choice, and not the first of the request's list that it knows. */
    char subprotocol[16];
    struct lws_protocols protocols[2];
    /* of the last request let in: */
    const struct ocpp_schema *speaks;
    bool plain;           /* nothing may be compressed */
    struct lws *deflates; /* the one with which that is being agreed on; or NULL ... */
    bool bits;            /* ... and whether it has asked for a small window */
};

struct ocpp_server {
    struct lws_context *lws;
    const struct config *conf; /* while it is being made */
    struct port ports[PORTS];
    struct ocpp_server_hooks hooks;
    struct ocpp_gate gate;
    struct ocpp_deflate *deflate; /* NULL = nobody wanted it yet */
    bool need_subprotocol, closing;
    int n_sockets, max_sockets, n_vhosts;
};

static bool may_connect(struct ocpp_server *s, int fd)
{
    char who[OCPP_GATE_TEXT];

    if (s->closing || s->n_sockets >= s->max_sockets)
        return false;
    if (ocpp_gate_open(&s->gate, fd, who))
        return true;
    s->hooks.refused(s->hooks.arg, who,
                     "turned away: too many of its connections wait to log in: what is "
                     "it? Chargers try again");
    return false;
}

static void leave_gate(struct ocpp_server *s, struct lws *wsi)
{
    ocpp_gate_leave(&s->gate, lws_get_opaque_user_data(wsi));
    lws_set_opaque_user_data(wsi, NULL);
}

/* Plain HTTP is for files of chargers alone; those are no strangers at the gate. */
static int begin_http(struct ocpp_server *s, struct lws *wsi, struct ocpp_link *c,
                      const char *path)
{
    struct ocpp_transfer *t;
    char token[OCPP_TOKEN];

    ocpp_http_closed(&c->http);
    if (s->closing || !ocpp_http_token(path, token))
        return ocpp_door_refuse(wsi, HTTP_STATUS_NOT_FOUND) < 0 ||
               lws_http_transaction_completed(wsi);
    t = s->hooks.file(s->hooks.arg, token);
    if (t)
        leave_gate(s, wsi);
    return ocpp_http_begin(wsi, &c->http, t);
}

static int upgrade(struct port *port, struct lws *wsi)
{
    struct ocpp_server *s = port->server;
    int result = ocpp_door_upgrade(wsi, &s->hooks, port->profile, s->need_subprotocol,
                                   &port->speaks, &port->plain);

    if (result == 0)
        lws_strncpy(port->subprotocol, port->speaks->subprotocol,
                    sizeof port->subprotocol);
    return result;
}

/* Shall its messages be compressed? The result is that of the callback: 0 = yes. */
static int extension(struct port *port, struct lws *wsi)
{
    struct ocpp_server *s = port->server;

    if (port->plain || !ocpp_deflate_wanted(wsi, &port->bits))
        return 1;
    if (!s->deflate)
        s->deflate = ocpp_deflate_new();
    port->deflates = s->deflate ? wsi : NULL;
    return !s->deflate;
}

static int established(struct port *port, struct lws *wsi, struct ocpp_link *c)
{
    struct ocpp_server *s = port->server;
    struct ocpp_deflate *d = port->deflates == wsi ? s->deflate : NULL;

    leave_gate(s, wsi);
    port->deflates = NULL;
    if (s->closing)
        return -1;
    return ocpp_link_established(wsi, c, &s->hooks, port->profile, port->speaks, d);
}

static int on_socket(struct port *port, struct lws *wsi,
                     enum lws_callback_reasons reason, struct ocpp_link *c, void *in,
                     size_t len)
{
    struct ocpp_server *s = port->server;

    switch (reason) {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return !may_connect(s, (int)(intptr_t)in);
    case LWS_CALLBACK_WSI_CREATE:
        s->n_sockets++;
        return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        lws_set_opaque_user_data(wsi, ocpp_gate_wait(&s->gate, lws_get_socket_fd(wsi)));
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        leave_gate(s, wsi);
        if (port->deflates == wsi)
            port->deflates = NULL;
        s->n_sockets--;
        return 0;
    case LWS_CALLBACK_HTTP:
        return begin_http(s, wsi, c, in);
    case LWS_CALLBACK_HTTP_BODY:
        return ocpp_http_body(wsi, c->http, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return ocpp_http_body_end(wsi, c->http);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return ocpp_http_writable(wsi, c->http);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
        if (c)
            ocpp_http_closed(&c->http);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        if (s->closing || strcasecmp(in, "websocket") != 0)
            return -1;
        return upgrade(port, wsi);
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
        return extension(port, wsi);
    case LWS_CALLBACK_ADD_HEADERS:
        if (port->deflates == wsi)
            ocpp_deflate_terms(in, port->bits);
        return 0;
    case LWS_CALLBACK_ESTABLISHED:
        return established(port, wsi, c);
    case LWS_CALLBACK_RECEIVE:
        return ocpp_link_receive(wsi, c, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        ocpp_link_pong(c);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        ocpp_link_parting(c, in, len);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return c->peer ? ocpp_link_writable(wsi, c) : -1;
    case LWS_CALLBACK_CLOSED:
        ocpp_link_closed(c);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, c, in, len);
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len)
{
    struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
    struct port *port = vhost ? lws_get_vhost_user(vhost) : NULL;
    struct ocpp_server *s;
    int result;

    if (!port)
        return 0;
    s = port->server;
    if (reason == LWS_CALLBACK_PROTOCOL_INIT || reason == LWS_CALLBACK_PROTOCOL_DESTROY)
        return 0;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        port->tls = user;
        port->told =
            !ocpp_tls_setup(port->tls, s->conf, port->profile == 3, &port->teller);
        return port->told;
    }
    if (!s->closing)
        s->hooks.woken(s->hooks.arg);
    result = on_socket(port, wsi, reason, user, in, len);
    if (!s->closing)
        s->hooks.done(s->hooks.arg);
    return result;
}

/* libwebsockets takes an interface or an address; NULL is all of them. */
static const char *interface(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        return NULL;
    return strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
}

/* With IPv6 on, libwebsockets 4.1 takes an IPv4 address for "everywhere". */
static uint64_t address_family(const char *host)
{
    struct in_addr a;

    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &a) == 1
               ? LWS_SERVER_OPTION_DISABLE_IPV6
               : 0;
}

/* One vhost is gone. One that never came to life has none here. */
static void last(struct lws_vhost *vhost, void *arg)
{
    struct port *port = arg;
    struct ocpp_server *s = port->server;

    (void)vhost;
    if (port->vhost && --s->n_vhosts == 0) {
        ocpp_deflate_free(s->deflate);
        free(s);
    }
}

static void tls_failed(void *arg, const char *who, const char *why)
{
    struct ocpp_server *s = arg;

    if (!s->closing)
        s->hooks.refused(s->hooks.arg, who, why);
}

/* The one place that knows how a vhost is made. Our own pings are used, since they can
 * be switched off, so its idle policy is none. */
static struct lws_vhost *make_vhost(struct ocpp_server *s, struct port *p,
                                    const char *host, int number)
{
    static const char *const names[PORTS] = {"ocpp", "ocpp-tls", "ocpp-mtls"};
    static const lws_retry_bo_t no_idle_policy;
    struct lws_context_creation_info info = {
        .vhost_name = names[p->profile - 1],
        .iface = interface(host),
        .port = number,
        .protocols = p->protocols,
        .extensions = ocpp_deflate_extension(),
        .user = p,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | address_family(host),
        .timeout_secs = OCPP_HEADER_S,
        .timeout_secs_ah_idle = OCPP_HEADER_S,
        .keepalive_timeout = OCPP_HEADER_S,
        .retry_and_idle_policy = &no_idle_policy,
        .finalize = last,
        .finalize_arg = p,
        .alpn = "http/1.1",
    };

    if (p->profile > 1)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                        LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
    return lws_create_vhost(s->lws, &info);
}

static bool listen_on(struct ocpp_server *s, int profile, const char *host, int number)
{
    struct port *p = &s->ports[profile - 1];
    struct lws_vhost *vhost;

    if (!host)
        return true;
    *p = (struct port){
        .server = s, .profile = profile, .teller = {.failed = tls_failed, .arg = s}};
    lws_strncpy(p->subprotocol, ocpp_schema_named("")->subprotocol,
                sizeof p->subprotocol);
    p->protocols[0] =
        (struct lws_protocols){.name = p->subprotocol,
                               .callback = callback,
                               .per_session_data_size = sizeof(struct ocpp_link),
                               .rx_buffer_size = 4096};
    vhost = make_vhost(s, p, host, number);
    if (!vhost) {
        if (!p->told)
            log_errorx("OCPP: cannot listen on %s:%d", host, number);
        return false;
    }
    p->vhost = vhost;
    s->n_vhosts++;
    log_info("OCPP: listening on %s:%d%s", host, lws_get_vhost_listen_port(vhost),
             profile == 1   ? ""
             : profile == 2 ? " with TLS"
                            : " with TLS and certificates of chargers");
    return true;
}

struct ocpp_server *ocpp_server_new(struct loop *l, const struct config *c,
                                    const struct ocpp_server_hooks *h)
{
    struct ocpp_server *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->lws = loop_lws(l);
    s->conf = c;
    s->hooks = *h;
    s->need_subprotocol = c->ocpp.need_subprotocol;
    s->max_sockets = 2 * c->site.n_chargers + OCPP_SPARE_SOCKETS;
    if (listen_on(s, 1, c->ocpp.host, c->ocpp.port) &&
        listen_on(s, 2, c->ocpp.tls_host, c->ocpp.tls_port) &&
        listen_on(s, 3, c->ocpp.mtls_host, c->ocpp.mtls_port))
        return s;
    ocpp_server_free(s);
    return NULL;
}

void ocpp_server_free(struct ocpp_server *s)
{
    int n;

    if (!s)
        return;
    s->closing = true;
    n = s->n_vhosts;
    if (n == 0)
        free(s);
    for (int i = 0; i < PORTS && n > 0; i++)
        if (s->ports[i].vhost) {
            n--;
            lws_vhost_destroy(s->ports[i].vhost); /* the last one frees s */
        }
}

void ocpp_server_reload(struct ocpp_server *s, const struct config *c)
{
    s->max_sockets = 2 * c->site.n_chargers + OCPP_SPARE_SOCKETS;
    s->need_subprotocol = c->ocpp.need_subprotocol;
    for (int i = 0; i < PORTS; i++)
        if (s->ports[i].vhost && s->ports[i].tls &&
            !ocpp_tls_reload(s->ports[i].tls, c, s->ports[i].profile == 3))
            log_errorx("OCPP: the certificates in use stay");
}

int ocpp_server_port(const struct ocpp_server *s, int profile)
{
    const struct port *p = &s->ports[profile - 1];

    return p->vhost ? lws_get_vhost_listen_port(p->vhost) : 0;
}

int64_t ocpp_server_left_s(const struct ocpp_server *s)
{
    for (int i = 0; i < PORTS; i++)
        if (s->ports[i].tls)
            return ocpp_tls_left_s(s->ports[i].tls);
    return INT64_MAX;
}
