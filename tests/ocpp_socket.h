/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server on real sockets, its loop in a thread of its own; and a charger made
 * of a socket and the frames that the test writes. */
#ifndef TESTS_OCPP_SOCKET_H
#define TESTS_OCPP_SOCKET_H

#include <pthread.h>
#include <stdbool.h>

#include <openssl/ssl.h>

#include "io/ocpp.h"

enum { DEADLINE_MS = 20000, CHARGERS = 4, EVENTS = 256 };

struct rig {
    struct config conf, next;
    struct conf_charger chargers[CHARGERS], less[1], other_chargers[CHARGERS];
    struct site_connector other[CHARGERS]; /* of the next configuration */
    struct conf_connector connectors[CHARGERS];
    struct site_connector site_connectors[CHARGERS];
    struct loop *loop;
    struct ocpp *ocpp;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event events[EVENTS];
    int n_events;
    int troubles;   /* begun and not over */
    int n_told;     /* begun, ever */
    char told[256]; /* the last one begun: "who: what" */
    struct order order;
    bool has_order, reload; /* by loop_wake() */
    int map[CHARGERS];      /* for the reload: where each one was before */
};

/* A configuration with CP-01, CP-02 (with a password, KEY_02), "RDAM 123" and a free
 * place; the test changes it before rig_start(). */
struct rig *rig_new(void);
void rig_start(struct rig *r);
void rig_free(struct rig *r);
/* Waits for the n-th event of a kind (from 1). */
struct event rig_wait(struct rig *r, enum event_kind kind, int n);
/* Waits until so many troubles are told and not over. */
void rig_troubles(struct rig *r, int n);

#define OCPP16 "Sec-WebSocket-Protocol: ocpp1.6\r\n"
#define KEY_02 OCPP16 "Authorization: Basic Q1AtMDI6ABEiM0RVZneImaq7zN3u/wEjRWc=\r\n"

/* A socket to 127.0.0.host and this port; -1 when nobody listens there. */
int dial_port(int port, uint32_t host);
int dial(struct rig *r);                     /* without TLS */
int dial_from(struct rig *r, uint32_t from); /* 127.0.0.from */
/* What is put and got on this socket from now on goes through TLS. The result of
 * SSL_connect(). */
int dial_tls(int fd, SSL_CTX *ctx);
SSL *tls_of(int fd);
void hang_up(int fd);

void put(int fd, const void *data, size_t len);
bool get(int fd, void *data, size_t len); /* false: closed */
/* Asks for a WebSocket; the head of the response in out[512]. */
void ask(int fd, const char *path, const char *headers, char *out);
int open_link(struct rig *r, const char *path);
void put_frame(int fd, unsigned char first, const void *data, size_t len); /* masked */
/* The same where the server may have hung up. */
void try_frame(int fd, unsigned char first, const void *data, size_t len);
void put_text(int fd, const char *text);
/* The next frame: its first byte, its data as a text in out[4096]; 0 = closed. */
int get_frame(int fd, char *out);
void expect_text(int fd, const char *part);
/* The next answer; calls of the server may come before it. */
void expect_answer(int fd, const char *want);
/* Reads on until a close frame with this code, 0 for any end. */
void expect_close(int fd, int code);

#endif
