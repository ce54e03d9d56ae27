/* SPDX-License-Identifier: Apache-2.0 */
/* The history: SQLite behind a thread of its own and a bounded queue. No call here ever
 * waits for the disk; what does not fit is dropped and counted. */
#ifndef IO_HISTORY_H
#define IO_HISTORY_H

#include "core/event.h"
#include "core/order.h"
#include "io/inbox.h"

struct history;

/* Opens or makes folder/history.db and folder/ledger.db. Always returns an object: when
 * the folder cannot be used now, that is a trouble told through the inbox, and it tries
 * again. */
struct history *history_new(const char *folder, int32_t commit_ms, int32_t keep_days,
                            struct inbox *b);
void history_free(struct history *h); /* writes what is queued, waits at most 5 s */

struct history_meter {
    const char *meter;
    int32_t i_ma[SITE_PHASES], v_mv[SITE_PHASES], p_w; /* EVENT_NO_VALUE */
    int64_t import_wh, export_wh;                      /* EVENT_NO_ENERGY */
};

struct history_session {
    const char *cid, *charger, *tag;
    int32_t transaction;
    int64_t begin_utc_s;
    int64_t end_utc_s;      /* 0 = still going on */
    int64_t begin_wh;       /* registers; EVENT_NO_ENERGY */
    int64_t energy_wh;      /* so far */
    const char *end_reason; /* while it goes on: what its charger calls it, or "" */
};

/* What was found out of a charger, for the ledger. */
struct history_charger {
    const char *id, *vendor, *model, *firmware;
    const char *words;
};

/* All strings are copied. */
void history_meter(struct history *h, int64_t utc_s, const struct history_meter *m);
void history_base(
    struct history *h, int64_t utc_s, const char *circuit,
    const int32_t base_ma[SITE_PHASES]); /* what `loads` recordings need */
void history_setpoint(struct history *h, int64_t utc_s, const char *cid,
                      int32_t limit_ma, const struct why *why, const char *circuit,
                      int64_t until_utc_s); /* of why->until_ms; 0 = not known */
void history_sample(struct history *h, int64_t utc_s, const char *cid,
                    const int32_t i_ma[SITE_PHASES], int64_t energy_wh);
void history_session(struct history *h, const struct history_session *s); /* upsert */
void history_charger(struct history *h, int64_t utc_s,
                     const struct history_charger *c); /* upsert */
void history_event(struct history *h, int64_t utc_s, const char *level,
                   const char *code, const char *who, const char *text);

uint64_t history_dropped(const struct history *h);

/* The highest transaction id in folder/ledger.db, 0 when there is none. Where a ledger
 * was there and is damaged: seconds since 2020, which no earlier id has reached. Reads
 * the file directly; for the start. */
int32_t history_last_transaction(const char *folder);

/* Sessions without an end in the ledger, to be resumed after a restart. Calls fn for
 * each; strings live during the call. */
void history_open_sessions(const char *folder,
                           void (*fn)(void *arg, const struct history_session *s),
                           void *arg);
/* The chargers of the ledger, in the same way. */
void history_chargers(const char *folder,
                      void (*fn)(void *arg, const struct history_charger *c),
                      void *arg);

#endif
