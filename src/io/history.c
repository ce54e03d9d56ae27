/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that writes the history, and the calls that feed it. */
#include "io/history.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/clock.h"
#include "io/history_db.h"
#include "io/log.h"

enum {
    READINGS = 4096,
    SESSIONS = 256,
    RETRY_FIRST_MS = 250,
    RETRY_MOST_MS = 30000,
    CLEAN_MS = 3600000, /* between two looks for old rows */
    CLEAN_MORE_MS = 1000,
    FAREWELL_S = 5 /* history_free() waits so long for the disk */
};

/* One of the two files, used by the thread only. */
struct store {
    struct history_db *db;
    enum history_file which;
    struct history_record *batch; /* taken from the queue and not yet written */
    int n, max;
    bool open; /* it was opened once */
    bool troubled;
    int64_t due_ms;   /* the next commit */
    int64_t retry_ms; /* not before, after a failure */
    int wait_ms;      /* between the last failure and the next try */
};

struct history {
    struct history_queue *queue;
    struct inbox *inbox;
    int32_t commit_ms, keep_days;
    pthread_t thread;
    bool running;
    struct store stores[HISTORY_FILES];
    int64_t clean_ms;
    pthread_mutex_t lock; /* of what follows */
    bool stop;
    bool abandoned; /* history_free() has given up: the inbox may be gone */
    bool finished;  /* the thread has nothing more to do */
    bool dropping;  /* told that records are dropped */
};

/* ---- the thread ---- */

static void tell(struct history *h, bool begins, const char *who, const char *text)
{
    pthread_mutex_lock(&h->lock);
    if (!h->abandoned && h->inbox)
        inbox_trouble(h->inbox, begins, "history", who, "%s", text);
    pthread_mutex_unlock(&h->lock);
}

static bool stopping(struct history *h)
{
    bool stop;

    pthread_mutex_lock(&h->lock);
    stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

static void store_failed(struct history *h, struct store *s, int64_t now_ms)
{
    if (!s->troubled)
        tell(h, true, history_db_name(s->db), history_db_error(s->db));
    s->troubled = true;
    s->retry_ms = now_ms + s->wait_ms;
    s->wait_ms = 2 * s->wait_ms < RETRY_MOST_MS ? 2 * s->wait_ms : RETRY_MOST_MS;
}

static void store_works(struct history *h, struct store *s)
{
    if (s->troubled)
        tell(h, false, history_db_name(s->db), "the history is written again");
    s->troubled = false;
    s->open = true;
    s->retry_ms = INT64_MIN;
    s->wait_ms = RETRY_FIRST_MS;
}

/* A damaged file costs its history, and that is told; the new one takes the batch. */
static void store_renewed(struct history *h, struct store *s)
{
    struct history_record r = {.kind = HISTORY_EVENT, .utc_s = clock_utc_s()};

    if (!s->troubled)
        tell(h, true, history_db_name(s->db), history_db_error(s->db));
    s->troubled = true;
    snprintf(r.who, sizeof r.who, "%s", history_db_name(s->db));
    snprintf(r.event.level, sizeof r.event.level, "warning");
    snprintf(r.event.code, sizeof r.event.code, "history");
    snprintf(r.event.text, sizeof r.event.text, "%s", history_db_error(s->db));
    history_queue_put(h->queue, &r);
}

static bool settle(struct history *h, struct store *s, enum history_result result)
{
    if (result == HISTORY_OK)
        store_works(h, s);
    else
        store_failed(h, s, clock_ms());
    return result == HISTORY_OK;
}

/* Writes all that waits. False when it could not. */
static bool store_write(struct history *h, struct store *s)
{
    enum history_result result;

    do {
        if (s->n == 0)
            s->n = history_queue_take(h->queue, s->which, s->batch, s->max);
        result = history_db_write(s->db, s->batch, s->n);
        if (result == HISTORY_RENEWED) {
            store_renewed(h, s);
            result = history_db_write(s->db, s->batch, s->n);
        }
        if (!settle(h, s, result))
            return false;
        s->n = 0;
    } while (history_queue_count(h->queue, s->which) > 0);
    return true;
}

/* The moment at which this store has something to do. */
static int64_t store_due(struct history *h, const struct store *s)
{
    int waiting = history_queue_count(h->queue, s->which);
    int64_t due = INT64_MAX;

    if (!s->open || s->troubled || s->n > 0 ||
        (waiting > 0 && s->which == HISTORY_LEDGER) || waiting >= s->max / 2)
        due = INT64_MIN;
    else if (waiting > 0)
        due = s->due_ms;
    return due > s->retry_ms ? due : s->retry_ms;
}

static int64_t store_work(struct history *h, struct store *s)
{
    int64_t now_ms = clock_ms(), due = store_due(h, s);

    if (now_ms < due)
        return due;
    if (store_write(h, s))
        s->due_ms = clock_ms() + h->commit_ms;
    return store_due(h, s);
}

static int64_t clean(struct history *h)
{
    struct store *s = &h->stores[HISTORY_DB];
    int64_t now_ms = clock_ms();
    enum history_result result;
    bool more = false;

    if (h->keep_days <= 0)
        return INT64_MAX;
    if (now_ms < h->clean_ms)
        return h->clean_ms;
    if (!s->troubled) {
        result = history_db_clean(s->db, clock_utc_s() - (int64_t)h->keep_days * 86400,
                                  &more);
        if (result == HISTORY_RENEWED)
            store_renewed(h, s);
        else
            settle(h, s, result);
    }
    h->clean_ms = now_ms + (more ? CLEAN_MORE_MS : CLEAN_MS);
    return h->clean_ms;
}

/* The queue is empty again: dropping is over. */
static void end_of_dropping(struct history *h)
{
    char text[80];
    bool over;

    if (h->stores[HISTORY_DB].troubled || h->stores[HISTORY_LEDGER].troubled)
        return;
    pthread_mutex_lock(&h->lock);
    over = h->dropping;
    h->dropping = false;
    pthread_mutex_unlock(&h->lock);
    if (!over)
        return;
    snprintf(text, sizeof text, "records are kept again, %llu were lost",
             (unsigned long long)history_queue_dropped(h->queue));
    tell(h, false, "queue", text);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void farewell(struct history *h)
{
    for (int f = 0; f < HISTORY_FILES; f++) {
        struct store *s = &h->stores[f];

        if (!s->open || s->n > 0 || history_queue_count(h->queue, s->which) > 0)
            store_write(h, s);
        history_db_free(s->db);
        s->db = NULL;
    }
}

static void dispose(struct history *h)
{
    for (int f = 0; f < HISTORY_FILES; f++) {
        history_db_free(h->stores[f].db);
        free(h->stores[f].batch);
    }
    history_queue_free(h->queue);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static void *run(void *arg)
{
    struct history *h = arg;
    bool abandoned;

    while (!stopping(h)) {
        int64_t until = clean(h);

        for (int f = 0; f < HISTORY_FILES; f++)
            until = earlier(until, store_work(h, &h->stores[f]));
        end_of_dropping(h);
        history_queue_wait(h->queue, earlier(until, clock_ms() + CLEAN_MS));
    }
    farewell(h);
    pthread_mutex_lock(&h->lock);
    abandoned = h->abandoned;
    h->finished = true;
    pthread_mutex_unlock(&h->lock);
    if (abandoned)
        dispose(h);
    return NULL;
}

/* ---- starting and ending ---- */

static bool store_init(struct store *s, struct history_queue *q, const char *folder,
                       enum history_file which)
{
    s->which = which;
    s->max = history_queue_capacity(q, which);
    s->batch = calloc((size_t)s->max, sizeof *s->batch);
    s->db = history_db_new(folder, which);
    s->retry_ms = INT64_MIN;
    s->wait_ms = RETRY_FIRST_MS;
    return s->batch && s->db;
}

/* Signals are for the main thread. */
static bool start(struct history *h)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&h->thread, NULL, run, h);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0;
}

struct history *history_new(const char *folder, int32_t commit_ms, int32_t keep_days,
                            struct inbox *b)
{
    struct history *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    pthread_mutex_init(&h->lock, NULL);
    h->inbox = b;
    h->commit_ms = commit_ms;
    h->keep_days = keep_days;
    h->queue = history_queue_new(READINGS, SESSIONS);
    if (!h->queue ||
        !store_init(&h->stores[HISTORY_DB], h->queue, folder, HISTORY_DB) ||
        !store_init(&h->stores[HISTORY_LEDGER], h->queue, folder, HISTORY_LEDGER) ||
        !start(h)) {
        log_errorx("no memory for the history: it is not kept");
        if (h->queue)
            dispose(h);
        else
            free(h);
        return NULL;
    }
    return h;
}

void history_free(struct history *h)
{
    struct timespec until;
    pthread_t thread;
    bool finished;

    if (!h)
        return;
    thread = h->thread;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_mutex_unlock(&h->lock);
    history_queue_wake(h->queue);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FAREWELL_S;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0) {
        dispose(h);
        return;
    }
    pthread_mutex_lock(&h->lock);
    finished = h->finished;
    h->abandoned = !finished;
    pthread_mutex_unlock(&h->lock);
    if (finished) { /* just so */
        pthread_join(thread, NULL);
        dispose(h);
        return;
    }
    /* The disk hangs: the thread cleans up behind itself if it ever comes back. */
    log_warnx("the disk does not answer: the last of the history may be lost");
    pthread_detach(thread);
}

uint64_t history_dropped(const struct history *h)
{
    return h ? history_queue_dropped(h->queue) : 0;
}

/* ---- what callers bring ---- */

static void copy(char *to, size_t size, const char *from)
{
    size_t n = strlen(from ? from : "");

    if (n >= size) { /* cut, but not within a character of UTF-8 */
        n = size - 1;
        while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(to, from ? from : "", n);
    to[n] = '\0';
}

static void put(struct history *h, const struct history_record *r)
{
    bool first;

    if (!history_queue_put(h->queue, r))
        return;
    pthread_mutex_lock(&h->lock);
    first = !h->dropping;
    h->dropping = true;
    pthread_mutex_unlock(&h->lock);
    if (first)
        tell(h, true, "queue",
             "the disk is too slow or not there: the oldest records "
             "that wait are dropped");
}

void history_meter(struct history *h, int64_t utc_s, const struct history_meter *m)
{
    struct history_record r = {.kind = HISTORY_METER, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, m->meter);
    memcpy(r.meter.i_ma, m->i_ma, sizeof r.meter.i_ma);
    memcpy(r.meter.v_mv, m->v_mv, sizeof r.meter.v_mv);
    r.meter.p_w = m->p_w;
    r.meter.import_wh = m->import_wh;
    r.meter.export_wh = m->export_wh;
    put(h, &r);
}

void history_base(struct history *h, int64_t utc_s, const char *circuit,
                  const int32_t base_ma[SITE_PHASES])
{
    struct history_record r = {.kind = HISTORY_BASE, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, circuit);
    memcpy(r.base_ma, base_ma, sizeof r.base_ma);
    put(h, &r);
}

void history_setpoint(struct history *h, int64_t utc_s, const char *cid,
                      int32_t limit_ma, const struct why *why, const char *circuit,
                      int64_t until_utc_s)
{
    struct history_record r = {.kind = HISTORY_SETPOINT, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, cid);
    r.setpoint.limit_ma = limit_ma;
    r.setpoint.reason = why->reason;
    r.setpoint.phase = why->phase;
    r.setpoint.until_utc_s = until_utc_s;
    copy(r.setpoint.circuit, sizeof r.setpoint.circuit, circuit);
    put(h, &r);
}

void history_sample(struct history *h, int64_t utc_s, const char *cid,
                    const int32_t i_ma[SITE_PHASES], int64_t energy_wh)
{
    struct history_record r = {.kind = HISTORY_SAMPLE, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, cid);
    memcpy(r.sample.i_ma, i_ma, sizeof r.sample.i_ma);
    r.sample.energy_wh = energy_wh;
    put(h, &r);
}

void history_session(struct history *h, const struct history_session *s)
{
    struct history_record r = {.kind = HISTORY_SESSION, .utc_s = s->begin_utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, s->cid);
    copy(r.session.charger, sizeof r.session.charger, s->charger);
    copy(r.session.tag, sizeof r.session.tag, s->tag);
    copy(r.session.reason, sizeof r.session.reason, s->end_reason);
    r.session.transaction = s->transaction;
    r.session.begin_utc_s = s->begin_utc_s;
    r.session.end_utc_s = s->end_utc_s;
    r.session.begin_wh = s->begin_wh;
    r.session.energy_wh = s->energy_wh;
    put(h, &r);
}

void history_charger(struct history *h, int64_t utc_s, const struct history_charger *c)
{
    struct history_record r = {.kind = HISTORY_CHARGER, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, c->id);
    copy(r.charger.vendor, sizeof r.charger.vendor, c->vendor);
    copy(r.charger.model, sizeof r.charger.model, c->model);
    copy(r.charger.firmware, sizeof r.charger.firmware, c->firmware);
    copy(r.charger.words, sizeof r.charger.words, c->words);
    put(h, &r);
}

void history_event(struct history *h, int64_t utc_s, const char *level,
                   const char *code, const char *who, const char *text)
{
    struct history_record r = {.kind = HISTORY_EVENT, .utc_s = utc_s};

    if (!h)
        return;
    copy(r.who, sizeof r.who, who);
    copy(r.event.level, sizeof r.event.level, level);
    copy(r.event.code, sizeof r.event.code, code);
    copy(r.event.text, sizeof r.event.text, text);
    put(h, &r);
}
