/* SPDX-License-Identifier: Apache-2.0 */
/* Two rings with one lock. */
#include "io/history_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ring {
    struct history_record *items;
    int capacity, first, n;
};

struct history_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    bool awake;             /* a wake that nobody has waited for yet */
    uint64_t dropped;
    struct ring ring[HISTORY_FILES];
};

struct history_queue *history_queue_new(int readings, int sessions)
{
    struct history_queue *q = calloc(1, sizeof *q);
    pthread_condattr_t attr;

    if (!q)
        return NULL;
    q->ring[HISTORY_DB].capacity = readings;
    q->ring[HISTORY_LEDGER].capacity = sessions;
    for (int f = 0; f < HISTORY_FILES; f++)
        q->ring[f].items = calloc((size_t)q->ring[f].capacity, sizeof *q->ring->items);
    if (!q->ring[HISTORY_DB].items || !q->ring[HISTORY_LEDGER].items) {
        free(q->ring[HISTORY_DB].items);
        free(q->ring[HISTORY_LEDGER].items);
        free(q);
        return NULL;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

void history_queue_free(struct history_queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    for (int f = 0; f < HISTORY_FILES; f++)
        free(q->ring[f].items);
    free(q);
}

static struct history_record *at(const struct ring *r, int i)
{
    return &r->items[(r->first + i) % r->capacity];
}

/* The same session or charger waiting: its older state is of no use any more. */
static struct history_record *same(const struct ring *r, const struct history_record *s)
{
    for (int i = 0; i < r->n; i++) {
        struct history_record *old = at(r, i);

        if (old->kind == s->kind && strcmp(old->who, s->who) == 0 &&
            (old->kind == HISTORY_CHARGER ||
             old->session.transaction == s->session.transaction))
            return old;
    }
    return NULL;
}

static bool put_locked(struct history_queue *q, struct ring *r,
                       const struct history_record *rec)
{
    bool full = r->n == r->capacity;

    if (full) {
        r->first = (r->first + 1) % r->capacity;
        r->n--;
        q->dropped++;
    }
    *at(r, r->n++) = *rec;
    return full;
}

static void wake_locked(struct history_queue *q)
{
    q->awake = true;
    pthread_cond_signal(&q->changed);
}

bool history_queue_put(struct history_queue *q, const struct history_record *rec)
{
    bool ledger = rec->kind == HISTORY_SESSION || rec->kind == HISTORY_CHARGER;
    struct ring *r = &q->ring[ledger ? HISTORY_LEDGER : HISTORY_DB];
    struct history_record *old = NULL;
    bool dropped = false;

    pthread_mutex_lock(&q->lock);
    if (ledger)
        old = same(r, rec);
    if (old)
        *old = *rec;
    else
        dropped = put_locked(q, r, rec);
    if (ledger || r->n == 1 || r->n == r->capacity / 2)
        wake_locked(q);
    pthread_mutex_unlock(&q->lock);
    return dropped;
}

int history_queue_take(struct history_queue *q, enum history_file f,
                       struct history_record *to, int max)
{
    struct ring *r = &q->ring[f];
    int n;

    pthread_mutex_lock(&q->lock);
    n = r->n < max ? r->n : max;
    for (int i = 0; i < n; i++)
        to[i] = *at(r, i);
    r->first = (r->first + n) % r->capacity;
    r->n -= n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

int history_queue_count(struct history_queue *q, enum history_file f)
{
    int n;

    pthread_mutex_lock(&q->lock);
    n = q->ring[f].n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

int history_queue_capacity(const struct history_queue *q, enum history_file f)
{
    return q->ring[f].capacity;
}

void history_queue_wait(struct history_queue *q, int64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};

    pthread_mutex_lock(&q->lock);
    while (!q->awake)
        if (pthread_cond_timedwait(&q->changed, &q->lock, &until) != 0)
            break;
    q->awake = false;
    pthread_mutex_unlock(&q->lock);
}

void history_queue_wake(struct history_queue *q)
{
    pthread_mutex_lock(&q->lock);
    wake_locked(q);
    pthread_mutex_unlock(&q->lock);
}

uint64_t history_queue_dropped(struct history_queue *q)
{
    uint64_t n;

    pthread_mutex_lock(&q->lock);
    n = q->dropped;
    pthread_mutex_unlock(&q->lock);
    return n;
}
