/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's sockets: a vhost of libwebsockets, connections, their queues. Who
 * may connect and what messages mean is asked of io/ocpp.c through these functions.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_SERVER_H
#define IO_OCPP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include "io/ocpp_peer.h"

struct ocpp_server;

/* Limits of a connection. */
enum {
    OCPP_HEADER_S = 10,           /* for the HTTP request, and for a close to be over */
    OCPP_SPARE_SOCKETS = 64,      /* more than two for each charger */
    OCPP_QUEUE = 64,              /* messages that wait to be written */
    OCPP_QUEUE_BYTES = 256 * 1024 /* more: the peer does not read, it is cut */
};

enum ocpp_door { OCPP_DOOR_OPEN, OCPP_DOOR_UNKNOWN, OCPP_DOOR_PASSWORD };

struct ocpp_server_hooks {
    void *arg;
    /* May this identity in, with these credentials (NULL = none given)? */
    enum ocpp_door (*knock)(void *arg, const char *id, const void *given, size_t len);
    /* It is in: its peer, or NULL after all. */
    struct ocpp_peer *(*enter)(void *arg, const char *id);
    void (*woken)(void *arg); /* before anything else in a callback: what time is it */
    void (*done)(void *arg);  /* at its end: deliver events */
};

/* NULL when it cannot listen; told in the log. */
struct ocpp_server *ocpp_server_new(struct loop *l, const struct config *c,
                                    const struct ocpp_server_hooks *h);
/* Calls no hook any more. The memory goes when its last connection is closed. */
void ocpp_server_free(struct ocpp_server *s);
int ocpp_server_port(const struct ocpp_server *s);

/* For world.send; link is what ocpp_peer_up() was given. */
bool ocpp_server_send(void *link, const char *text);
void ocpp_server_cut(void *link);
/* The link is another peer's from now on (a reload); NULL = nobody's. */
void ocpp_server_move(void *link, struct ocpp_peer *p);
/* Pings a peer that was silent for ping_ms (0 = never) and cuts it after twice that
 * time. One that has never answered a ping (some do not, or with nothing in it) is cut
 * after silence_ms; that its network is gone the kernel notices sooner. */
void ocpp_server_tick(void *link, int64_t now_ms, int64_t ping_ms, int64_t silence_ms);

#endif
