/* SPDX-License-Identifier: Apache-2.0 */
/* The main loop: libwebsockets' own, hidden here. One thread runs it; loop_wake() is
 * the only call for others. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct lws_context;
struct lws_protocols;

struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Runs until loop_stop(). `woken` is called on the loop after loop_wake(). */
void loop_run(struct loop *l, void (*woken)(void *arg), void *arg);
void loop_stop(struct loop *l);
void loop_wake(struct loop *l); /* any thread, and signal handlers */

/* Calls fn every period_ms from now on; at most LOOP_TIMERS of them. */
enum { LOOP_TIMERS = 8 };
bool loop_every(struct loop *l, int period_ms, void (*fn)(void *arg), void *arg);

/* For the files of src/io that speak libwebsockets. */
struct lws_context *loop_lws(struct loop *l);

#endif
