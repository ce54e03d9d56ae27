/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a charger on libwebsockets: messages in and out, its liveness. */
#include "io/ocpp_link.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/log.h"
#include "io/ocpp_door.h"
#include "io/ocpp_gate.h"

struct message {
    struct message *next;
    size_t len;
    bool packed;
    unsigned char data[]; /* LWS_PRE bytes, then the text */
};

static int64_t now_ms(const struct ocpp_link *c)
{
    return c->peer->w->now_ms;
}

void ocpp_link_cut(struct ocpp_link *c)
{
    c->cut = true;
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

/* The old connection was alive a moment ago: when that comes twice in a row, there are
 * two chargers that throw each other out. */
static void look_twice(struct ocpp_peer *p, const struct ocpp_link *old,
                       struct lws *wsi)
{
    char from[OCPP_GATE_TEXT], old_from[OCPP_GATE_TEXT], text[160];
    int64_t now = p->w->now_ms;

    if (now - old->heard_ms >= OCPP_ALIVE_MS)
        return;
    if (p->taken_ms && now - p->taken_ms < OCPP_TWICE_MS) {
        ocpp_gate_text(lws_get_socket_fd(wsi), from);
        ocpp_gate_text(lws_get_socket_fd(old->wsi), old_from);
        snprintf(text, sizeof text,
                 "two chargers, at %s and %s, use this identity: give each its own",
                 old_from, from);
        ocpp_peer_trouble(p, OCPP_TROUBLE_TWICE, text);
    }
    p->taken_ms = now;
}

/* The newest connection of an identity wins: the old one may be half open. */
int ocpp_link_established(struct lws *wsi, struct ocpp_link *c,
                          const struct ocpp_server_hooks *h, int profile,
                          const struct ocpp_schema *speaks,
                          struct ocpp_deflate *deflate)
{
    char id[OCPP_ID];
    struct ocpp_peer *p;

    memset(c, 0, sizeof *c);
    c->wsi = wsi;
    c->profile = profile;
    c->deflate = deflate;
    c->last = &c->first;
    p = ocpp_door_identity(wsi, id) ? h->enter(h->arg, id) : NULL;
    if (!p)
        return -1;
    if (p->link) {
        struct ocpp_link *old = p->link;

        log_info("%s: connects anew, its old connection is closed", id);
        look_twice(p, old, wsi);
        ocpp_peer_down(p);
        old->peer = NULL;
        ocpp_link_cut(old);
    }
    c->peer = p;
    c->heard_ms = now_ms(c);
    ocpp_door_base(wsi, p->base, sizeof p->base);
    watch(wsi);
    ocpp_peer_speak(p, speaks);
    ocpp_peer_up(p, c);
    return 0;
}

void ocpp_link_closed(struct ocpp_link *c)
{
    struct message *m;

    if (c->peer)
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

static bool gather(struct ocpp_link *c, const void *in, size_t len)
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

static int too_long(struct ocpp_link *c)
{
    log_warnx("%s: sent a message of more than %d bytes", c->peer->id, OCPP_FRAME_MAX);
    return close_with(c->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
}

/* It packs wrong, or takes our packing for wrong: some mix up connections (Q51). */
static void no_more_packed(struct ocpp_link *c)
{
    if (!c->peer->plain)
        log_warnx("%s: gets on badly with compressed messages: there are none on its "
                  "connections from now on",
                  c->peer->id);
    c->peer->plain = true;
}

static int message(struct ocpp_link *c, char *text, size_t len)
{
    switch (c->rx_packed ? ocpp_deflate_unpack(c->deflate, text, len, &text, &len)
                         : OCPP_UNPACKED) {
    case OCPP_UNPACK_LONG:
        return too_long(c);
    case OCPP_UNPACK_BAD:
        no_more_packed(c);
        return close_with(c->wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD);
    case OCPP_UNPACKED:
        break;
    }
    ocpp_text_repair(text, len);
    ocpp_peer_receive(c->peer, text, len);
    return 0;
}

int ocpp_link_receive(struct lws *wsi, struct ocpp_link *c, void *in, size_t len)
{
    bool whole = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi);
    int result;
    char *rx;

    if (!c->peer || c->cut)
        return -1;
    c->heard_ms = now_ms(c);
    c->pinged = false;
    if (lws_frame_is_binary(wsi))
        return close_with(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
    if (lws_is_first_fragment(wsi)) {
        c->rx_len = 0;
        c->rx_packed = c->deflate && lws_get_reserved_bits(wsi);
    }
    if (c->rx_len + len > OCPP_FRAME_MAX)
        return too_long(c);
    if (whole && c->rx_len == 0) /* as nearly all of them come */
        return message(c, in, len);
    if (len && !gather(c, in, len))
        return -1;
    if (!whole)
        return 0;
    rx = c->rx; /* not kept: most connections never need it */
    len = c->rx_len;
    c->rx = NULL;
    c->rx_len = c->rx_max = 0;
    result = message(c, rx, len);
    free(rx);
    return result;
}

static void pause_reading(struct ocpp_link *c, bool pause)
{
    if (c->paused != pause)
        lws_rx_flow_control(c->wsi, !pause);
    c->paused = pause;
}

bool ocpp_link_send(struct ocpp_link *c, const char *text)
{
    size_t len = strlen(text);
    struct message *m = NULL;

    if (c->cut)
        return false;
    if (c->n_messages < OCPP_QUEUE && c->n_bytes + len <= OCPP_QUEUE_BYTES)
        m = malloc(sizeof *m + LWS_PRE + len);
    if (!m) {
        log_warnx("%s: does not read what it is sent", c->peer->id);
        ocpp_link_cut(c);
        return false;
    }
    m->next = NULL;
    m->len =
        c->deflate ? ocpp_deflate_pack(c->deflate, text, len, m->data + LWS_PRE) : 0;
    m->packed = m->len > 0;
    if (m->packed)
        len = m->len;
    else
        memcpy(m->data + LWS_PRE, text, m->len = len);
    *c->last = m;
    c->last = &m->next;
    c->n_messages++;
    c->n_bytes += len;
    if (c->n_messages >= OCPP_QUEUE_FULL)
        pause_reading(c, true);
    lws_callback_on_writable(c->wsi);
    return true;
}

/* One frame a time, as libwebsockets wants it. */
int ocpp_link_writable(struct lws *wsi, struct ocpp_link *c)
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
        c->sends_packed = m->packed;
        n = lws_write(wsi, m->data + LWS_PRE, m->len, LWS_WRITE_TEXT);
        c->sends_packed = false;
        free(m);
        if (n < 0)
            return -1;
        if (c->n_messages <= OCPP_QUEUE_EMPTY)
            pause_reading(c, false);
    }
    if (c->first)
        lws_callback_on_writable(wsi);
    return 0;
}

void ocpp_link_tick(struct ocpp_link *c, int64_t now, int64_t ping_ms,
                    int64_t silence_ms)
{
    int64_t silent_ms = now - c->heard_ms;

    if (silent_ms >= silence_ms ||
        (ping_ms > 0 && c->ponged && silent_ms >= 2 * ping_ms)) {
        log_info("%s: silent for %d s, its connection is closed", c->peer->id,
                 (int)(silent_ms / 1000));
        c->heard_ms = now;
        ocpp_link_cut(c);
    } else if (ping_ms > 0 && silent_ms >= ping_ms && !c->pinged) {
        c->pinged = c->ping_due = true;
        lws_callback_on_writable(c->wsi);
    }
}

int ocpp_link_profile(const struct ocpp_link *c)
{
    return c->profile;
}

void ocpp_link_move(struct ocpp_link *c, struct ocpp_peer *p)
{
    c->peer = p;
}

void ocpp_link_pong(struct ocpp_link *c)
{
    if (!c->peer)
        return;
    c->heard_ms = now_ms(c);
    c->pinged = false;
    c->ponged = true;
}

void ocpp_link_parting(struct ocpp_link *c, const unsigned char *in, size_t len)
{
    int code = len >= 2 ? in[0] << 8 | in[1] : 0;

    if (c->peer && c->deflate &&
        (code == LWS_CLOSE_STATUS_PROTOCOL_ERR ||
         code == LWS_CLOSE_STATUS_INVALID_PAYLOAD))
        no_more_packed(c);
}
