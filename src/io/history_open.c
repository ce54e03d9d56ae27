/* SPDX-License-Identifier: Apache-2.0 */
/* The history as its readers see it: opened for reading only, and the questions
 * that the controller asks the ledger at its start. */
#include "io/history_open.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"

/* Ids above are of other central systems, whose transactions we took over. */
#define LARGEST_OWN_ID "2000000000"
#define YEAR_2020_S 1577836800

static const char *const files[HISTORY_FILES] = {"history.db", "ledger.db"};
static const int application_ids[HISTORY_FILES] = {HISTORY_APPLICATION_ID,
                                                   LEDGER_APPLICATION_ID};

/* Finds out whether it can be read at all, and whether it is ours. */
static int probe(sqlite3 *db, enum history_file which)
{
    sqlite3_stmt *s = NULL;
    int id = 0, version = 0;
    int rc = sqlite3_prepare_v2(
        db,
        "SELECT application_id, user_version FROM pragma_application_id,"
        " pragma_user_version, (SELECT count(*) FROM sqlite_master)",
        -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        id = sqlite3_column_int(s, 0);
        version = sqlite3_column_int(s, 1);
    }
    sqlite3_finalize(s);
    if (rc != SQLITE_ROW)
        return rc;
    return id == application_ids[which] && version <= HISTORY_VERSION ? SQLITE_OK
                                                                      : SQLITE_NOTADB;
}

static int try_open(const char *name, int flags, enum history_file which, sqlite3 **db)
{
    int rc = sqlite3_open_v2(name, db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return rc;
    sqlite3_busy_timeout(*db, 2000);
    return probe(*db, which);
}

/* A file: address of the path, with the characters escaped that mean something there.
 */
static char *immutable_uri(const char *path)
{
    char *uri = malloc(3 * strlen(path) + 32), *at = uri;

    if (!uri)
        return NULL;
    at += sprintf(at, "file:");
    for (; *path; path++)
        if (strchr("%?#", *path))
            at += sprintf(at, "%%%02X", (unsigned char)*path);
        else
            *at++ = *path;
    strcpy(at, "?immutable=1");
    return uri;
}

/* Nobody has it open and we may not write beside it: then it stands still. */
static int open_still(const char *path, enum history_file which, sqlite3 **db)
{
    char wal[4100], *uri;
    struct stat st;
    int rc;

    snprintf(wal, sizeof wal, "%s-wal", path);
    if (stat(wal, &st) == 0 && st.st_size > 0)
        return SQLITE_CANTOPEN;
    uri = immutable_uri(path);
    if (!uri)
        return SQLITE_NOMEM;
    sqlite3_close_v2(*db);
    rc = try_open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, which, db);
    free(uri);
    return rc;
}

sqlite3 *history_open(const char *folder, enum history_file which, bool *missing,
                      char *error, size_t size)
{
    char path[4096];
    sqlite3 *db = NULL;
    int rc;

    snprintf(path, sizeof path, "%s/%s", folder, files[which]);
    *missing = access(path, F_OK) != 0 && errno == ENOENT;
    if (*missing || access(path, R_OK) != 0) {
        snprintf(error, size, "%s: %s", path, strerror(errno));
        return NULL;
    }
    rc = try_open(path, SQLITE_OPEN_READONLY, which, &db);
    if (rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY)
        rc = open_still(path, which, &db);
    if (rc == SQLITE_OK)
        return db;
    snprintf(error, size, "%s: %s", path,
             rc == SQLITE_NOTADB ? "this is no history of this version of chargehand"
                                 : sqlite3_errmsg(db));
    sqlite3_close_v2(db);
    return NULL;
}

/* ---- for the start of the controller ---- */

/* Where the ledger is lost, chargers may still speak of its transactions: an id that
 * was never used is made from the time, seconds since 2020. */
static int32_t id_from_time(void)
{
    int64_t s = clock_utc_s() - YEAR_2020_S;

    return s > 0 && s < atoll(LARGEST_OWN_ID) ? (int32_t)s : 1000000;
}

static bool ledger_was_lost(const char *folder)
{
    char pattern[4096];
    glob_t found;
    bool any;

    snprintf(pattern, sizeof pattern, "%s/ledger.db.corrupt-*", folder);
    any = glob(pattern, GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0;
    globfree(&found);
    return any;
}

int32_t history_last_transaction(const char *folder)
{
    char error[256];
    bool missing;
    sqlite3 *db = history_open(folder, HISTORY_LEDGER, &missing, error, sizeof error);
    sqlite3_stmt *s = NULL;
    int32_t last = -1;

    if (missing)
        return ledger_was_lost(folder) ? id_from_time() : 0;
    if (!db) {
        log_warnx("%s", error);
        return id_from_time();
    }
    if (sqlite3_prepare_v2(db,
                           "SELECT coalesce(max(transaction_id), 0) FROM sessions"
                           " WHERE transaction_id < " LARGEST_OWN_ID,
                           -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        last = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    sqlite3_close_v2(db);
    if (last < 0 || (last == 0 && ledger_was_lost(folder)))
        return id_from_time();
    return last;
}

static int64_t energy(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL
               ? EVENT_NO_ENERGY
               : sqlite3_column_int64(s, column);
}

static const char *word(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);

    return text ? (const char *)text : "";
}

void history_open_sessions(const char *folder,
                           void (*fn)(void *arg, const struct history_session *s),
                           void *arg)
{
    char error[256];
    bool missing;
    sqlite3 *db = history_open(folder, HISTORY_LEDGER, &missing, error, sizeof error);
    sqlite3_stmt *s = NULL;

    if (db &&
        sqlite3_prepare_v2(db,
                           "SELECT transaction_id, connector, charger, tag, begin_s,"
                           " begin_wh, energy_wh, end_reason FROM sessions"
                           " WHERE end_s IS NULL"
                           " ORDER BY begin_s",
                           -1, &s, NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            struct history_session open = {.transaction = sqlite3_column_int(s, 0),
                                           .cid = word(s, 1),
                                           .charger = word(s, 2),
                                           .tag = word(s, 3),
                                           .begin_utc_s = sqlite3_column_int64(s, 4),
                                           .begin_wh = energy(s, 5),
                                           .energy_wh = energy(s, 6),
                                           .end_reason = word(s, 7)};
            fn(arg, &open);
        }
    sqlite3_finalize(s);
    sqlite3_close_v2(db);
}

void history_chargers(const char *folder,
                      void (*fn)(void *arg, const struct history_charger *c), void *arg)
{
    char error[256];
    bool missing;
    sqlite3 *db = history_open(folder, HISTORY_LEDGER, &missing, error, sizeof error);
    sqlite3_stmt *s = NULL;

    if (db && sqlite3_prepare_v2(
                  db, "SELECT id, vendor, model, firmware, words FROM chargers", -1, &s,
                  NULL) == SQLITE_OK)
        while (sqlite3_step(s) == SQLITE_ROW) {
            struct history_charger c = {word(s, 0), word(s, 1), word(s, 2), word(s, 3),
                                        word(s, 4)};
            fn(arg, &c);
        }
    sqlite3_finalize(s);
    sqlite3_close_v2(db);
}
