/* SPDX-License-Identifier: Apache-2.0 */
/* One SQLite file of the history, as its writer sees it. Not for two threads at once.
 *
 * history.db may be lost without harm: WAL, synchronous=NORMAL, one commit for many
 * rows. ledger.db holds the sessions: synchronous=FULL, each change its own commit.
 * Tables have their key by time first: rows of one minute lie together, which writes
 * eight to sixty times less than a key by device first.
 *
 * Currents are mA, powers W, energies Wh, times seconds since 1970 UTC; NULL = not
 * known. In history.db names (meters, connectors, circuits, reasons) are numbers into
 * the table `names`. */
#ifndef IO_HISTORY_DB_H
#define IO_HISTORY_DB_H

#include "io/history_queue.h"

enum {
    HISTORY_APPLICATION_ID = 0x43486869, /* "CHhi" */
    LEDGER_APPLICATION_ID = 0x43486c65,  /* "CHle" */
    HISTORY_VERSION = 1                  /* user_version of both */
};

enum history_result {
    HISTORY_OK,
    HISTORY_FAILED, /* disk full, not there, ...: try again later */
    HISTORY_RENEWED /* it was damaged and is set aside: try again at once */
};

struct history_db;

struct history_db *history_db_new(const char *folder, enum history_file which);
void history_db_free(struct history_db *d); /* moves the WAL into the file */
const char *history_db_name(const struct history_db *d); /* "history.db" */

/* Opens the file where it is not open; makes it, and the folder, where they are not. */
enum history_result history_db_open(struct history_db *d);

/* Writes all of them or none, in one transaction. */
enum history_result history_db_write(struct history_db *d,
                                     const struct history_record *r, int n);

/* Removes one chunk of raw rows older than this (events stay longer); *more = there is
 * more to remove. */
enum history_result history_db_clean(struct history_db *d, int64_t before_utc_s,
                                     bool *more);

/* Why the last call did not succeed. */
const char *history_db_error(const struct history_db *d);

#endif
