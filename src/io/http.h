/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP status endpoint, on the loop's thread. Reading only:
 *
 *   GET /healthz        200 "ok" while the control tick is young, else 503
 *   GET /api/v1/state   the state of the site as JSON
 *
 * HEAD is answered like GET. Any other path is 404, any other method 405, a Host header
 * that is not ours 421 (http_host.h). Nothing is cached by anybody. */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <stdint.h>
#include "io/loop.h"

enum {
    HTTP_TICK_MS = 3000,   /* an older tick is no sign of life */
    HTTP_CONNECTIONS = 32, /* at the same time; more are closed at once */
    HTTP_IDLE_S = 10
};

struct http_hooks {
    void *arg;
    char *(*state)(void *arg);     /* a JSON text, freed with free(); NULL = 503 */
    int64_t (*tick_ms)(void *arg); /* clock_ms() of the last control tick */
    const char *const *names;      /* more Host names, NULL-ended; or NULL */
};

struct http;

/* Listens on host (an address or a name of this machine) and port (0 = the kernel
 * chooses). NULL and a log line when it cannot. The hooks are copied, what they point
 * to is borrowed. */
struct http *http_new(struct loop *l, const char *host, int port,
                      const struct http_hooks *hooks);
void http_free(struct http *h); /* before loop_free() */
int http_port(const struct http *h);

#endif
