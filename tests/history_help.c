/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the history have in common. */
#include "history_help.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ftw.h>
#include <cmocka.h>

#include "io/clock.h"

enum { LONGEST_MS = 60000 };

char help_dir[64];
char help_folder[80];

int help_setup(void **state)
{
    (void)state;
    strcpy(help_dir, "/tmp/chargehand-history-XXXXXX");
    if (!mkdtemp(help_dir))
        return -1;
    snprintf(help_folder, sizeof help_folder, "%s/h", help_dir);
    return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    return at->level == 0 ? 0 : remove(path);
}

int help_clean(void **state)
{
    (void)state;
    return nftw(help_dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

int help_teardown(void **state)
{
    help_clean(state);
    return rmdir(help_dir);
}

void help_troubles(struct inbox *b, struct troubles *t)
{
    struct inbox_item item;

    while (inbox_take(b, &item)) {
        assert_int_equal(item.kind, INBOX_TROUBLE);
        assert_string_equal(item.trouble.code, "history");
        if (item.trouble.begins && !t->begins++)
            snprintf(t->text, sizeof t->text, "%s", item.trouble.text);
        t->ends += !item.trouble.begins;
        snprintf(t->who, sizeof t->who, "%s", item.trouble.who);
    }
}

bool help_again(int64_t *began_ms)
{
    if (!*began_ms)
        *began_ms = clock_ms();
    poll(NULL, 0, 2);
    return clock_ms() - *began_ms < LONGEST_MS;
}

void help_wait_begins(struct inbox *b, struct troubles *t, int begins)
{
    int64_t began_ms = 0;

    do
        help_troubles(b, t);
    while (t->begins < begins && help_again(&began_ms));
    assert_int_equal(t->begins, begins);
}

void help_wait_ends(struct inbox *b, struct troubles *t, int ends)
{
    int64_t began_ms = 0;

    do
        help_troubles(b, t);
    while (t->ends < ends && help_again(&began_ms));
    assert_int_equal(t->ends, ends);
}

const char *help_path(const char *file)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", help_folder, file);
    return path;
}

static sqlite3_stmt *ask(const char *file, const char *sql, sqlite3 **db)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_open_v2(help_path(file), db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_busy_timeout(*db, 10000);
    sqlite3_prepare_v2(*db, sql, -1, &s, NULL);
    if (s && sqlite3_step(s) == SQLITE_ROW)
        return s;
    sqlite3_finalize(s);
    return NULL;
}

int64_t help_number(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = ask(file, sql, &db);
    int64_t v = s ? sqlite3_column_int64(s, 0) : -1;

    sqlite3_finalize(s);
    sqlite3_close(db);
    return v;
}

char *help_text(const char *file, const char *sql, char out[256])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = ask(file, sql, &db);
    const unsigned char *text = s ? sqlite3_column_text(s, 0) : NULL;

    snprintf(out, 256, "%s", text ? (const char *)text : "(nothing)");
    sqlite3_finalize(s);
    sqlite3_close(db);
    return out;
}

void help_wait_number(const char *file, const char *sql, int64_t want)
{
    int64_t began_ms = 0, v;

    do
        v = help_number(file, sql);
    while (v != want && help_again(&began_ms));
    assert_int_equal(v, want);
}

void help_meter(struct history *h, int64_t utc_s, const char *name, int32_t l1_ma)
{
    struct history_meter m = {.meter = name,
                              .i_ma = {l1_ma, EVENT_NO_VALUE, -3000},
                              .v_mv = {230000, EVENT_NO_VALUE, 231000},
                              .p_w = EVENT_NO_VALUE,
                              .import_wh = 123456789012,
                              .export_wh = EVENT_NO_ENERGY};

    history_meter(h, utc_s, &m);
}
