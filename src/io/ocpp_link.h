/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a charger: what a peer's `link` points to.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_LINK_H
#define IO_OCPP_LINK_H

#include "io/ocpp_deflate.h"
#include "io/ocpp_server.h"

struct lws;
struct message;

enum {
    OCPP_ALIVE_MS = 5000, /* heard so lately, a connection is not half open */
    OCPP_QUEUE_FULL = 16, /* messages that wait to be written: no more is read from it,
                             some send all that they have stored at once */
    OCPP_QUEUE_EMPTY = 4, /* until so few are left */
    OCPP_QUEUE = 64,
    OCPP_QUEUE_BYTES = 256 * 1024 /* more: the peer does not read, it is cut */
};

/* One connection; libwebsockets owns its memory. */
struct ocpp_link {
    struct lws *wsi;
    struct ocpp_http *http;       /* it is one for a file instead */
    struct ocpp_peer *peer;       /* NULL: not, or no longer, that of a charger */
    int profile;                  /* security profile of its port */
    struct ocpp_deflate *deflate; /* NULL: nothing is compressed on it */
    bool rx_packed;               /* what is being received */
    bool sends_packed;            /* the frame that is being sent */
    char *rx;
    size_t rx_len, rx_max;
    struct message *first, **last;
    int n_messages;
    size_t n_bytes;
    int64_t heard_ms;
    bool paused; /* nothing is read from it */
    bool cut;    /* it ends as soon as libwebsockets can */
    bool ping_due, pinged;
    bool ponged; /* it has answered a ping before */
};

/* Results are those of a libwebsockets callback: 0, or -1 to close. `deflate` NULL =
 * nothing is compressed. */
int ocpp_link_established(struct lws *wsi, struct ocpp_link *c,
                          const struct ocpp_server_hooks *h, int profile,
                          const struct ocpp_schema *speaks,
                          struct ocpp_deflate *deflate);
/* in[len] is changed where it is no UTF-8. */
int ocpp_link_receive(struct lws *wsi, struct ocpp_link *c, void *in, size_t len);
int ocpp_link_writable(struct lws *wsi, struct ocpp_link *c);
void ocpp_link_pong(struct ocpp_link *c);
/* It closes, and says so in in[len]. */
void ocpp_link_parting(struct ocpp_link *c, const unsigned char *in, size_t len);
void ocpp_link_closed(struct ocpp_link *c);

/* Queues a message. False: the queue is full, the link will be cut. */
bool ocpp_link_send(struct ocpp_link *c, const char *text);
void ocpp_link_cut(struct ocpp_link *c);
int ocpp_link_profile(const struct ocpp_link *c);
/* It is another peer's from now on (a reload); NULL = nobody's. */
void ocpp_link_move(struct ocpp_link *c, struct ocpp_peer *p);
/* Pings a peer that was silent for ping_ms (0 = never) and cuts it after twice that
 * time. One that has never answered a ping (some do not, or with nothing in it) is cut
 * after silence_ms; that its network is gone the kernel notices sooner. */
void ocpp_link_tick(struct ocpp_link *c, int64_t now_ms, int64_t ping_ms,
                    int64_t silence_ms);

#endif
