/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's sockets: vhosts of libwebsockets, connections, their queues. Who
 * may connect and what messages mean is asked of io/ocpp.c through these functions.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_SERVER_H
#define IO_OCPP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include "io/ocpp_gate.h"
#include "io/ocpp_peer.h"

struct ocpp_server;

/* Limits of a connection. */
enum {
    OCPP_HEADER_S = 10, /* for the handshakes, and for a close to be over */
    OCPP_SPARE_SOCKETS = OCPP_GATE_ALL /* more than two for each charger */
};

enum ocpp_door {
    OCPP_DOOR_OPEN,
    OCPP_DOOR_UNKNOWN,  /* 404 */
    OCPP_DOOR_PASSWORD, /* 401 */
    OCPP_DOOR_FORBIDDEN /* 403: a wrong port, or a wrong certificate */
};

/* Who knocks. */
struct ocpp_knock {
    const char *id;
    int profile;          /* security profile of the port: 1, 2, 3 */
    const void *password; /* "user:password"; NULL = none given */
    size_t len;
    const char *name;  /* in its certificate, which is good; NULL = none */
    const char **only; /* set to the only version it may speak, if there is one */
    bool *plain;       /* set to whether nothing may be compressed */
};

struct ocpp_server_hooks {
    void *arg;
    enum ocpp_door (*knock)(void *arg, const struct ocpp_knock *k);
    /* It is in: its peer, or NULL after all. */
    struct ocpp_peer *(*enter)(void *arg, const char *id);
    struct ocpp_transfer *(*file)(void *arg, const char *token); /* NULL = none */
    /* Somebody was turned away; why = a constant text. */
    void (*refused)(void *arg, const char *who, const char *why);
    void (*woken)(void *arg); /* before anything else in a callback: what time is it */
    void (*done)(void *arg);  /* at its end: deliver events */
};

/* NULL when it cannot listen; told in the log. */
struct ocpp_server *ocpp_server_new(struct loop *l, const struct config *c,
                                    const struct ocpp_server_hooks *h);
/* Calls no hook any more. The memory goes when its last connection is closed. */
void ocpp_server_free(struct ocpp_server *s);
/* Reads the files of TLS again; those in use stay when they are not good. */
void ocpp_server_reload(struct ocpp_server *s, const struct config *c);
int ocpp_server_port(const struct ocpp_server *s, int profile); /* 0 = none */
/* Seconds until our certificate ends; INT64_MAX without TLS. */
int64_t ocpp_server_left_s(const struct ocpp_server *s);

#endif
