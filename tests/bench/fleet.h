/* SPDX-License-Identifier: Apache-2.0 */
/* Many chargers on one thread: they connect, boot, answer what they are asked, charge
 * what they are told, and tell it. */
#ifndef TESTS_BENCH_FLEET_H
#define TESTS_BENCH_FLEET_H

#include "wire.h"

struct fleet;

struct bay {
    struct wire wire;
    struct fleet *fleet;
    char path[16];
    bool charges;            /* a car that takes all it gets */
    bool booted;             /* it has got the answer to its BootNotification */
    int transaction;         /* 0 = none */
    double limit_a;          /* last one told; 0 = nothing is known */
    double told_s;           /* when that was */
    double retry_s;          /* closed: connects anew then */
    double beat_s, sample_s; /* the next Heartbeat and MeterValues; 0 = never */
    double called_s;         /* since when its call is unanswered; 0 = none is */
    unsigned calls;
};

struct fleet {
    struct bay *bays;
    int n, epoll, port;
    SSL_CTX *ctx;     /* NULL = without TLS */
    bool modern;      /* they speak OCPP 2.0.1, else 1.6 */
    bool closed_loop; /* a call as soon as the last one is answered, no pauses */
    double period_s;  /* of Heartbeat and MeterValues; 0 = none */
    /* what has happened */
    long answers, lost, late, refused;
    int n_booted;
    double worst_s; /* longest time to an answer */
};

/* n chargers of 1.6, not connected; every third has a car when `charging`. */
void fleet_init(struct fleet *f, int n, int port, SSL_CTX *ctx, bool charging);
/* Waits for sockets, at most wait_ms; connects those that are not and calls what is
 * due. */
void fleet_run(struct fleet *f, int wait_ms);
double fleet_amps(const struct fleet *f); /* that flow */
void fleet_free(struct fleet *f);

#endif
