/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: a file with every event that went into the controller and every order
 * that came out. It is appended to over restarts (each start begins a new part 1); when
 * it is larger than allowed it is renamed to PATH.1 and begun anew.
 *
 * Writing never fails for the caller: while the disk is in trouble up to
 * JOURNAL_BUFFER bytes wait, then records are lost and counted, and a gap record tells
 * so in the file. There is no fsync: a power cut costs the last seconds. */
#ifndef IO_JOURNAL_H
#define IO_JOURNAL_H

#include <stdio.h>
#include "io/journal_text.h"

enum { JOURNAL_BUFFER = 256 * 1024 };

struct journal;

struct journal_header {
    int64_t utc_s, mono_ms;  /* the two clocks at this moment */
    const char *version;     /* of chargehand */
    const char *config_hash; /* "" */
    const char *site;        /* text of the site file, or NULL */
};

/* Begins a part. `max_bytes` 0 = no bound. `trouble` is called once when writing begins
 * to fail, and once when it works again; it may be NULL. Strings are copied. NULL when
 * there is no memory. */
struct journal *journal_open(const char *path, int64_t max_bytes,
                             const struct journal_header *h,
                             void (*trouble)(void *arg, bool begins, const char *text),
                             void *arg);
void journal_event(struct journal *j, const struct event *e);
/* at_ms: of the event that the order follows from. */
void journal_order(struct journal *j, int64_t at_ms, const struct order *o);
void journal_flush(struct journal *j);         /* about once a second */
void journal_close(struct journal *j);         /* flushes */
int64_t journal_lost(const struct journal *j); /* records, since the start */

/* ---- reading ---- */

struct journal_reader {
    void *arg;
    /* A part begins; `site` is "" where it is not kept. Strings live during the call.
     */
    void (*header)(void *arg, const struct journal_start *s, const char *site);
    void (*event)(void *arg, long line, const struct event *e);
    void (*order)(void *arg, long line, int64_t at_ms, const struct order *o);
    void (*gap)(void *arg, long line, int64_t at_ms, int64_t lost);
    /* A line that cannot be used; reading goes on behind it. Lines count from 1. */
    void (*bad)(void *arg, long line, const char *what);
};

/* Calls back in the order of the file; any of them may be NULL. Returns the number of
 * bad lines, or -1 when this is no journal or cannot be read (errno). */
long journal_read(FILE *from, const struct journal_reader *r);

#endif
