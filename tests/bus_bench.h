/* SPDX-License-Identifier: Apache-2.0 */
/* A bus with simulated meters on real sockets, and what it has told. */
#ifndef TESTS_BUS_BENCH_H
#define TESTS_BUS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <cmocka.h>

#include "io/bus.h"
#include "io/clock.h"
#include "sim/modbus_server.h"

enum { BENCH_METERS = 4, BENCH_TEXTS = 8, BENCH_DEADLINE_S = 90 };

struct seen {
    int readings;
    struct event last;
    int32_t p_phase_w[SITE_PHASES], hz_mhz;
    int64_t import_wh, export_wh;
    int begins, ends;
    char text[BENCH_TEXTS][160]; /* of each begin */
};

struct bench {
    struct conf_meter conf[BENCH_METERS];
    struct site_circuit circuit;
    struct config c;
    struct inbox *inbox;
    struct buses *buses;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
    struct seen seen[BENCH_METERS];
    /* called for each reading */
    void (*check)(const struct event_meter *m);
};

void bench_init(struct bench *b);
/* One more meter, on Modbus TCP at that port of 127.0.0.1; what is returned may be
 * changed before the start. The first one is the grid connection's. */
struct conf_meter *bench_add(struct bench *b, const char *model, int port);
void bench_start(struct bench *b);
void bench_stop(struct bench *b);
/* Waits a second, or until something comes, and takes it. */
void bench_next(struct bench *b);

struct modbus_server *bench_server(const char *model, int unit, int port);

extern const int32_t some_ma[3], other_ma[3];
bool bench_reads(const struct bench *b, int meter, const int32_t i_ma[3]);

/* Takes all that comes until the condition holds. */
#define UNTIL(b, condition)                                                            \
    do {                                                                               \
        int64_t deadline = clock_ms() + BENCH_DEADLINE_S * 1000;                       \
        while (!(condition)) {                                                         \
            if (clock_ms() > deadline)                                                 \
                fail_msg("line %d: never: %s", __LINE__, #condition);                  \
            bench_next(b);                                                             \
        }                                                                              \
    } while (0)

/* Models "quick" (time-out 150 ms, three requests of one length) and "patient" (20 s)
 * beside those of the tree. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

#endif
