/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: a file with every event that went into the controller and every order
 * that came out, and with all that is needed to reckon the orders anew: each part of it
 * begins with a head, see journal_text.h. It is appended to over restarts; when it is
 * larger than allowed it is renamed to PATH.1 and begun anew.
 *
 * Writing never fails for the caller: while the disk is in trouble up to
 * JOURNAL_BUFFER bytes wait, then records are lost and counted, and a gap record tells
 * so in the file, with a new head behind it. There is no fsync: a power cut costs the
 * last seconds. */
#ifndef IO_JOURNAL_H
#define IO_JOURNAL_H

#include <stdio.h>
#include "io/journal_image.h"
#include "io/journal_text.h"

enum { JOURNAL_BUFFER = 256 * 1024 };

struct journal;

/* What a part begins with. */
struct journal_header {
    int64_t utc_s, mono_ms;  /* the two clocks at this moment */
    const char *version;     /* of chargehand */
    const char *config_hash; /* "" */
    const struct site *site;
    const struct control *control;
    bool reload; /* they are others than before */
};

/* `max_bytes` 0 = no bound. `trouble` is called once when writing begins to fail, and
 * once when it works again; it may be NULL. Strings are copied. NULL when there is no
 * memory. A head has to follow. */
struct journal *journal_open(const char *path, int64_t max_bytes,
                             void (*trouble)(void *arg, bool begins, const char *text),
                             void *arg);

/* Begins a part. Called where no step is under way: after the start, after a reload,
 * and whenever one is due; that is looked at in journal_flush(). */
void journal_head(struct journal *j, const struct journal_header *h);
bool journal_due(const struct journal *j);

void journal_event(struct journal *j, const struct event *e);
/* at_ms: of the event that the order follows from. */
void journal_order(struct journal *j, int64_t at_ms, const struct order *o);
void journal_flush(struct journal *j);         /* about once a second */
void journal_close(struct journal *j);         /* flushes */
int64_t journal_lost(const struct journal *j); /* records, since the start */

/* ---- reading ---- */

struct journal_reader {
    void *arg;
    /* A part begins; the image is the callee's to free, or NULL when its head is not
     * whole: then nothing of this part can be reckoned. */
    void (*begin)(void *arg, long line, const struct journal_start *s,
                  struct journal_image *image);
    void (*event)(void *arg, long line, const struct event *e);
    void (*order)(void *arg, long line, int64_t at_ms, const struct order *o);
    void (*gap)(void *arg, long line, int64_t at_ms, int64_t lost);
    /* A record that was being written when the program or the machine stopped: the last
     * one, or the last before a start. */
    void (*torn)(void *arg, long line);
    /* A line that cannot be used; reading goes on behind it. Lines count from 1. */
    void (*bad)(void *arg, long line, const char *what);
    uint32_t crc; /* out: of the last line */
};

/* Calls back in the order of the file; any of them may be NULL. Returns the number of
 * bad lines, or -1 when this is no journal or cannot be read (errno). */
long journal_read(FILE *from, struct journal_reader *r);

#endif
