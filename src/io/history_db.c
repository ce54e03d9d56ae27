/* SPDX-License-Identifier: Apache-2.0 */
/* Opens, writes and repairs one SQLite file of the history. */
#include "io/history_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/history_schema.h"

enum {
    BUSY_MS = 1000,              /* somebody with a shell may hold the file so long */
    CHUNK_S = 600,               /* of rows removed at once */
    EVENTS_KEPT_S = 800 * 86400, /* grid operators' events: two years and some */
    VACUUM_PAGES = 256
};

static const struct kind {
    const char *name;
    int application_id;
    const char *settings;
} kinds[HISTORY_FILES] = {
    [HISTORY_DB] = {"history.db", HISTORY_APPLICATION_ID,
                    "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;"
                    "PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -1000"},
    [HISTORY_LEDGER] =
        {"ledger.db", LEDGER_APPLICATION_ID,
         "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 65536;"
         "PRAGMA wal_autocheckpoint = 16; PRAGMA quick_check(1);" HISTORY_CHARGERS},
};

struct history_db {
    const struct kind *kind;
    enum history_file which;
    char *folder, *path;
    struct history_rows rows; /* .db NULL = closed */
    dev_t dev;                /* of the file that is open */
    ino_t ino;
    char error[160];
};

struct history_db *history_db_new(const char *folder, enum history_file which)
{
    struct history_db *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->kind = &kinds[which];
    d->which = which;
    d->folder = strdup(folder);
    if (!d->folder || asprintf(&d->path, "%s/%s", folder, d->kind->name) < 0) {
        free(d->folder);
        free(d);
        return NULL;
    }
    return d;
}

/* checkpoint false: the file is not the one at the path any more, or it is damaged:
 * nothing is moved, nothing removed. */
static void shut(struct history_db *d, bool checkpoint)
{
    sqlite3 *db = d->rows.db;

    if (!db)
        return;
    history_rows_close(&d->rows);
    if (checkpoint)
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    else
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(db);
}

void history_db_free(struct history_db *d)
{
    if (!d)
        return;
    shut(d, true);
    free(d->folder);
    free(d->path);
    free(d);
}

const char *history_db_name(const struct history_db *d)
{
    return d->kind->name;
}

const char *history_db_error(const struct history_db *d)
{
    return d->error;
}

static enum history_result __attribute__((format(printf, 2, 3)))
failed(struct history_db *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(d->error, sizeof d->error, format, args);
    va_end(args);
    return HISTORY_FAILED;
}

/* ---- a damaged file is kept under another name ---- */

static void set_aside(const struct history_db *d, const char *name, const char *suffix)
{
    char *from, *to;

    if (asprintf(&from, "%s%s", d->path, suffix) < 0)
        return;
    if (asprintf(&to, "%s/%s%s", d->folder, name, suffix) >= 0) {
        if (rename(from, to) != 0 && errno != ENOENT)
            unlink(from); /* a WAL must never meet another database */
        free(to);
    }
    free(from);
}

static enum history_result renew(struct history_db *d, const char *why)
{
    char stamp[32], name[80], *to;
    time_t now = (time_t)clock_utc_s();
    struct tm tm;
    int rc;

    shut(d, false);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(name, sizeof name, "%s.corrupt-%s", d->kind->name, stamp);
    if (asprintf(&to, "%s/%s", d->folder, name) < 0)
        return failed(d, "no memory");
    rc = rename(d->path, to);
    free(to);
    if (rc != 0)
        return failed(d, "%s is damaged (%s) and cannot be renamed: %s", d->path, why,
                      strerror(errno));
    set_aside(d, name, "-wal");
    set_aside(d, name, "-shm");
    failed(d, "%s is damaged (%s): kept as %s, a new one is begun", d->kind->name, why,
           name);
    return HISTORY_RENEWED;
}

/* What an error of SQLite means for us. Closes the file: the next try opens it anew. */
static enum history_result sql_failed(struct history_db *d, int rc, const char *doing)
{
    char why[96];
    int system = sqlite3_system_errno(d->rows.db);

    snprintf(why, sizeof why, "%s%s%s", sqlite3_errmsg(d->rows.db), system ? ": " : "",
             system ? strerror(system) : "");
    rc &= 0xff;
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        return renew(d, why);
    if (!sqlite3_get_autocommit(d->rows.db))
        sqlite3_exec(d->rows.db, "ROLLBACK", NULL, NULL, NULL);
    shut(d, false);
    return failed(d, "cannot %s %s: %s", doing, d->path, why);
}

/* ---- opening ---- */

/* Makes an empty file that others may not read: tags are personal data. */
static enum history_result make_file(struct history_db *d)
{
    int fd;

    if (access(d->path, F_OK) == 0)
        return HISTORY_OK;
    if (mkdir(d->folder, 0750) != 0 && errno != EEXIST)
        return failed(d, "cannot make the folder %s: %s", d->folder, strerror(errno));
    fd = open(d->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return failed(d, "cannot make %s: %s", d->path, strerror(errno));
    close(fd);
    return HISTORY_OK;
}

/* The first column of the first row. */
static int one_number(sqlite3 *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(s);
        *value = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
    }
    sqlite3_finalize(s);
    return rc;
}

static int make_tables(struct history_db *d)
{
    char stamp[120];
    int rc;

    snprintf(stamp, sizeof stamp,
             "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             d->kind->application_id, HISTORY_VERSION);
    rc = sqlite3_exec(d->rows.db,
                      "PRAGMA auto_vacuum = INCREMENTAL;"
                      "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE",
                      NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->rows.db, history_schema[d->which], NULL, NULL, NULL);
    return rc == SQLITE_OK ? sqlite3_exec(d->rows.db, stamp, NULL, NULL, NULL) : rc;
}

/* Is it ours, and of a version that we know? */
static enum history_result check_version(struct history_db *d)
{
    int64_t id, version, tables;
    int rc = one_number(d->rows.db, "PRAGMA application_id", &id);

    if (rc == SQLITE_OK)
        rc = one_number(d->rows.db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = one_number(d->rows.db, "SELECT count(*) FROM sqlite_master", &tables);
    if (rc != SQLITE_OK)
        return sql_failed(d, rc, "read");
    if (id == 0 && version == 0 && tables == 0) {
        rc = make_tables(d);
        return rc == SQLITE_OK ? HISTORY_OK : sql_failed(d, rc, "make tables in");
    }
    if (id != d->kind->application_id)
        failed(d, "%s belongs to another program: it is left alone", d->path);
    else if (version > HISTORY_VERSION)
        failed(d, "%s was made by a newer chargehand (version %d): it is left alone",
               d->path, (int)version);
    else
        return HISTORY_OK;
    shut(d, false);
    return HISTORY_FAILED;
}

/* A row of a pragma that is not "ok" is the finding of quick_check. */
static int quick_check_row(void *arg, int n, char **values, char **names)
{
    bool *sound = arg;

    if (n == 1 && strcmp(names[0], "quick_check") == 0 && strcmp(values[0], "ok") != 0)
        *sound = false;
    return 0;
}

static enum history_result set_up(struct history_db *d)
{
    enum history_result result;
    struct stat st;
    bool sound = true;
    int rc;

    sqlite3_busy_timeout(d->rows.db, BUSY_MS);
    if (sqlite3_db_readonly(d->rows.db, "main") == 1) {
        shut(d, false);
        return failed(d, "%s cannot be written: no permission or a read-only disk",
                      d->path);
    }
    result = check_version(d);
    if (result != HISTORY_OK)
        return result;
    rc = sqlite3_exec(d->rows.db, d->kind->settings, quick_check_row, &sound, NULL);
    if (rc != SQLITE_OK)
        return sql_failed(d, rc, "set up");
    if (!sound)
        return renew(d, "its quick check fails");
    if (stat(d->path, &st) == 0) {
        d->dev = st.st_dev;
        d->ino = st.st_ino;
    }
    return HISTORY_OK;
}

/* Somebody removed or replaced the file: what we write would be seen by nobody. */
static bool moved(const struct history_db *d)
{
    struct stat st;

    return stat(d->path, &st) != 0 || st.st_dev != d->dev || st.st_ino != d->ino;
}

enum history_result history_db_open(struct history_db *d)
{
    enum history_result result;
    int rc;

    if (d->rows.db && moved(d))
        shut(d, false);
    if (d->rows.db)
        return HISTORY_OK;
    result = make_file(d);
    if (result != HISTORY_OK)
        return result;
    rc = sqlite3_open_v2(d->path, &d->rows.db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!d->rows.db)
        return failed(d, "no memory");
    if (rc != SQLITE_OK)
        return sql_failed(d, rc, "open");
    return set_up(d);
}

/* ---- writing ---- */

static int insert_all(struct history_db *d, const struct history_record *r, int n)
{
    int rc = sqlite3_exec(d->rows.db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    for (int i = 0; rc == SQLITE_OK && i < n; i++)
        rc = history_rows_insert(&d->rows, &r[i]);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->rows.db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

enum history_result history_db_write(struct history_db *d,
                                     const struct history_record *r, int n)
{
    enum history_result result = history_db_open(d);
    int rc;

    if (result != HISTORY_OK || n == 0)
        return result;
    rc = insert_all(d, r, n);
    return rc == SQLITE_OK ? HISTORY_OK : sql_failed(d, rc, "write");
}

/* ---- removing what is old ---- */

static int clean_table(sqlite3 *db, const char *table, int64_t before, bool *more)
{
    char sql[128];
    int64_t oldest = INT64_MAX, until;
    int rc;

    snprintf(sql, sizeof sql, "SELECT coalesce(min(time), %lld) FROM %s",
             (long long)INT64_MAX, table);
    rc = one_number(db, sql, &oldest);
    if (rc != SQLITE_OK || oldest >= before)
        return rc;
    until = before - oldest > CHUNK_S ? oldest + CHUNK_S : before;
    *more |= until < before;
    snprintf(sql, sizeof sql, "DELETE FROM %s WHERE time < %lld", table,
             (long long)until);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Gives pages back to the disk only when a quarter of the file is empty: otherwise the
 * next rows use them, and moving pages around would cost more writing than it saves. */
static int shrink(sqlite3 *db, bool *more)
{
    int64_t pages, empty;
    char sql[64];
    int rc = one_number(db, "PRAGMA page_count", &pages);

    if (rc == SQLITE_OK)
        rc = one_number(db, "PRAGMA freelist_count", &empty);
    if (rc != SQLITE_OK || empty * 4 < pages || empty < 2 * VACUUM_PAGES)
        return rc;
    *more = true;
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

enum history_result history_db_clean(struct history_db *d, int64_t before_utc_s,
                                     bool *more)
{
    static const char *const raw[] = {"meters", "loads", "samples", "setpoints"};
    int64_t events_before = clock_utc_s() - EVENTS_KEPT_S;
    enum history_result result = history_db_open(d);
    int rc = SQLITE_OK;

    *more = false;
    if (result != HISTORY_OK)
        return result;
    for (size_t i = 0; i < sizeof raw / sizeof *raw && rc == SQLITE_OK; i++)
        rc = clean_table(d->rows.db, raw[i], before_utc_s, more);
    if (events_before > before_utc_s)
        events_before = before_utc_s;
    if (rc == SQLITE_OK)
        rc = clean_table(d->rows.db, "events", events_before, more);
    if (rc == SQLITE_OK)
        rc = shrink(d->rows.db, more);
    return rc == SQLITE_OK ? HISTORY_OK : sql_failed(d, rc, "remove old rows from");
}
