/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the history and how a record gets into them. */
#ifndef IO_HISTORY_SCHEMA_H
#define IO_HISTORY_SCHEMA_H

#include <sqlite3.h>
#include "io/history_queue.h"

/* What makes an empty file a history; one text per file. */
/* Ledgers from before there was this table get it when they are opened. */
#define HISTORY_CHARGERS                                                               \
    "CREATE TABLE IF NOT EXISTS chargers(id TEXT PRIMARY KEY, time INTEGER,"           \
    " vendor TEXT, model TEXT, firmware TEXT, words TEXT) WITHOUT ROWID;"

extern const char *const history_schema[HISTORY_FILES];

/* Statements of a connection, prepared when first needed, and the names known. */
struct history_rows {
    sqlite3 *db;
    sqlite3_stmt *insert[HISTORY_KINDS];
    sqlite3_stmt *find_name, *add_name;
    struct history_name {
        char name[64];
        int64_t id;
    } * names;
    int n_names, max_names;
};

/* Inserts a record; returns an SQLite result code. The row of the same time and device
 * is replaced; set points and events are never replaced. */
int history_rows_insert(struct history_rows *rows, const struct history_record *r);

/* After a rollback: names that were new in it are not there any more. */
void history_rows_forget_names(struct history_rows *rows);
void history_rows_close(struct history_rows *rows);

#endif
