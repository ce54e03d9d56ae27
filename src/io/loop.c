/* SPDX-License-Identifier: Apache-2.0 */
/* The main loop on libwebsockets' own. Sockets are vhosts that others add to its
 * context. */
#include "io/loop.h"

#include <libwebsockets.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "io/log.h"

enum { FILES = 16384 };

struct timer {
    lws_sorted_usec_list_t sul;
    struct loop *loop;
    int period_ms;
    void (*fn)(void *arg);
    void *arg;
};

struct loop {
    struct lws_context *lws;
    struct timer timers[LOOP_TIMERS];
    int n_timers;
    atomic_bool stop;
    atomic_bool woken; /* by any thread, or a signal handler */
};

static void lws_line(int level, const char *line)
{
    if (level & LLL_ERR)
        log_debug("libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

/* The usual 1024 files are too few for a thousand chargers. libwebsockets makes its
 * tables as large as the limit, and some containers have one of a million. */
static void allow_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max < FILES ? files.rlim_max : FILES;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        log_debug("the limit of open files stays");
}

struct loop *loop_new(void)
{
    struct lws_context_creation_info info = {0};
    struct loop *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    allow_files();
    lws_set_log_level(LLL_ERR, lws_line);
    info.options =
        LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.port = CONTEXT_PORT_NO_LISTEN;
    l->lws = lws_create_context(&info);
    if (!l->lws) {
        free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->n_timers; i++)
        lws_sul_cancel(&l->timers[i].sul);
    lws_context_destroy(l->lws);
    free(l);
}

void loop_run(struct loop *l, void (*woken)(void *arg), void *arg)
{
    while (!l->stop && lws_service(l->lws, 0) >= 0)
        if (atomic_exchange(&l->woken, false) && woken)
            woken(arg);
}

void loop_stop(struct loop *l)
{
    l->stop = true;
    lws_cancel_service(l->lws);
}

void loop_wake(struct loop *l)
{
    l->woken = true;
    lws_cancel_service(l->lws);
}

static void fire(lws_sorted_usec_list_t *sul)
{
    struct timer *t = (void *)sul; /* its first member */

    lws_sul_schedule(t->loop->lws, 0, &t->sul, fire, t->period_ms * LWS_US_PER_MS);
    t->fn(t->arg);
}

bool loop_every(struct loop *l, int period_ms, void (*fn)(void *arg), void *arg)
{
    struct timer *t;

    if (l->n_timers == LOOP_TIMERS)
        return false;
    t = &l->timers[l->n_timers++];
    *t = (struct timer){.loop = l, .period_ms = period_ms, .fn = fn, .arg = arg};
    lws_sul_schedule(l->lws, 0, &t->sul, fire, period_ms * LWS_US_PER_MS);
    return true;
}

struct lws_context *loop_lws(struct loop *l)
{
    return l->lws;
}
