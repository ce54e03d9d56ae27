/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP-J from the charger's side: the WebSocket to the central system, calls in
 * both directions, one unanswered call at a time. What they mean is station.h.
 *
 * All runs on the thread of the libwebsockets context. It reconnects by itself. */
#ifndef SIM_OCPP_CLIENT_H
#define SIM_OCPP_CLIENT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/ocpp_schema.h"

struct lws_context;
struct ocpp_client;

struct ocpp_client_setup {
    const struct ocpp_schema *schema; /* its subprotocol is offered, no other */
    struct lws_context *lws;          /* one with explicit vhosts */
    const char *host;                 /* borrowed, as all strings here */
    int port;
    const char *identity; /* percent-encoded where it has to be */
    const char *password; /* NULL = none */
    void *arg;
    void (*opened)(void *arg);
    void (*closed)(void *arg); /* only after opened() */
    /* A call of the central system: to be answered or refused, at once or later. */
    void (*called)(void *arg, const char *id, const char *action, const cJSON *payload);
};

enum {
    OCPP_CLIENT_FIRST = 1, /* before all others, also while not ready */
    OCPP_CLIENT_KEEP = 2   /* outlives a lost connection, is then sent again */
};

/* The answer to a call of ours: its payload, or NULL: refused, timed out, lost. */
typedef void ocpp_client_done(void *arg, const cJSON *payload);

struct ocpp_client *ocpp_client_new(const struct ocpp_client_setup *u); /* or NULL */
void ocpp_client_free(struct ocpp_client *c); /* before the context goes */

/* Connects, sends, times out, pings; to be called every 100 ms or so. */
void ocpp_client_tick(struct ocpp_client *c, int64_t now_ms);

bool ocpp_client_is_open(const struct ocpp_client *c);
bool ocpp_client_waits(const struct ocpp_client *c); /* calls are not answered yet */
/* Until it is ready only FIRST calls leave; each connection begins unready. */
void ocpp_client_ready(struct ocpp_client *c, bool ready);
void ocpp_client_ping_every(struct ocpp_client *c, int seconds); /* 0 = never */
/* Closes; the next connection is tried after wait_ms. */
void ocpp_client_drop(struct ocpp_client *c, int32_t wait_ms);

/* Queues a call. `payload` is taken over. `done` may be NULL. */
void ocpp_client_call(struct ocpp_client *c, unsigned flags, const char *action,
                      cJSON *payload, ocpp_client_done *done, void *arg);
/* delay_ms: the charger takes that long. `payload` is taken over. */
void ocpp_client_answer(struct ocpp_client *c, const char *id, cJSON *payload,
                        int32_t delay_ms);
void ocpp_client_refuse(struct ocpp_client *c, const char *id, const char *code,
                        const char *why);

#endif
