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
    OCPP_HEADER_S = 10,     /* for the HTTP request, and for a close to be over */
    OCPP_SPARE_SOCKETS = 64 /* more than two for each charger */
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

#endif
