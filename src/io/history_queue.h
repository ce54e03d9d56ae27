/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded queue between the callers and the thread that writes the history. Two
 * rings: readings, of which the oldest are dropped (and counted) when the disk is too
 * slow, and sessions and chargers for the ledger, where a newer state of the same one
 * takes the place of the older one, so that few are ever waiting. */
#ifndef IO_HISTORY_QUEUE_H
#define IO_HISTORY_QUEUE_H

#include "io/history.h"

enum history_kind {
    HISTORY_METER,
    HISTORY_BASE,
    HISTORY_SAMPLE,
    HISTORY_SETPOINT,
    HISTORY_EVENT,
    HISTORY_SESSION,
    HISTORY_CHARGER,
    HISTORY_KINDS
};

enum history_file { HISTORY_DB, HISTORY_LEDGER, HISTORY_FILES };

struct history_record {
    enum history_kind kind;
    int64_t utc_s;
    char who[64]; /* meter, circuit or cid; or whom an event is about */
    union {
        struct {
            int32_t i_ma[SITE_PHASES], v_mv[SITE_PHASES], p_w;
            int64_t import_wh, export_wh;
        } meter;
        int32_t base_ma[SITE_PHASES];
        struct {
            int32_t i_ma[SITE_PHASES];
            int64_t energy_wh;
        } sample;
        struct {
            int32_t limit_ma;
            enum reason reason;
            int8_t phase;
            char circuit[64];
            int64_t until_utc_s; /* 0 = not known */
        } setpoint;
        struct {
            char level[12], code[28], text[200];
        } event;
        struct {
            char charger[64], tag[40], reason[40];
            int32_t transaction;
            int64_t begin_utc_s, end_utc_s, begin_wh, energy_wh;
        } session;
        struct {
            char vendor[52], model[24], firmware[52], words[256];
        } charger;
    };
};

struct history_queue;

/* NULL when there is no memory. */
struct history_queue *history_queue_new(int readings, int sessions);
void history_queue_free(struct history_queue *q);

/* Never blocks for long. Returns true when an older record had to be dropped for it. */
bool history_queue_put(struct history_queue *q, const struct history_record *r);

/* Takes up to max records, the oldest first; returns how many. */
int history_queue_take(struct history_queue *q, enum history_file f,
                       struct history_record *to, int max);
int history_queue_count(struct history_queue *q, enum history_file f);
int history_queue_capacity(const struct history_queue *q, enum history_file f);

/* Waits until history_queue_wake(), a first record, a session, a half full ring, or
 * until clock_ms() is `until_ms`. A wake between two waits is not lost. */
void history_queue_wait(struct history_queue *q, int64_t until_ms);
void history_queue_wake(struct history_queue *q);

uint64_t history_queue_dropped(struct history_queue *q);

#endif
