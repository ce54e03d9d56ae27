/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's sockets on libwebsockets. */
#include "io/ocpp_server.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_door.h"
#include "io/ocpp_link.h"

struct ocpp_server {
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct ocpp_server_hooks hooks;
    bool need_subprotocol, closing;
    int n_sockets, max_sockets;
};

static int on_socket(struct ocpp_server *s, struct lws *wsi,
                     enum lws_callback_reasons reason, struct ocpp_link *c, void *in,
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
        return ocpp_door_refuse(wsi, HTTP_STATUS_NOT_FOUND) < 0 ||
               lws_http_transaction_completed(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        if (s->closing || strcasecmp(in, "websocket") != 0)
            return -1;
        return ocpp_door_upgrade(wsi, &s->hooks, s->need_subprotocol);
    case LWS_CALLBACK_ESTABLISHED:
        return s->closing ? -1 : ocpp_link_established(wsi, c, &s->hooks);
    case LWS_CALLBACK_RECEIVE:
        return ocpp_link_receive(wsi, c, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        ocpp_link_pong(c);
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
    {.name = OCPP_SUBPROTOCOL,
     .callback = callback,
     .per_session_data_size = sizeof(struct ocpp_link),
     .rx_buffer_size = 4096},
    {.name = NULL},
};

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
        .options =
            LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | address_family(c->ocpp.host),
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
