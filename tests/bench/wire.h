/* SPDX-License-Identifier: Apache-2.0 */
/* A charger's end of a WebSocket, as cheap as it can be: benchmarks measure the server
 * beside it. Sockets do not block; who uses it waits with epoll. */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

enum wire_state { WIRE_OFF, WIRE_TLS, WIRE_ASKED, WIRE_OPEN };

struct wire {
    enum wire_state state;
    int fd, epoll;
    SSL *ssl;
    const char *path, *subprotocol;
    bool wants_out;
    char *in, *out;
    size_t n_in, max_in, n_out, max_out;
    void *owner;
};

typedef void wire_text_fn(struct wire *w, const char *text, size_t len);

/* Connects to 127.0.0.1 and asks for /path with this subprotocol; `ctx` NULL = without
 * TLS. False: refused. */
bool wire_dial(struct wire *w, int epoll, int port, const char *path,
               const char *subprotocol, SSL_CTX *ctx);
/* epoll has told something: calls `text` for each message that is complete. False: the
 * connection is gone (and closed). */
bool wire_ready(struct wire *w, wire_text_fn *text);
/* Sends a message; what the socket does not take now leaves later. */
void wire_send(struct wire *w, const char *text, size_t len);
void wire_close(struct wire *w);

#endif
