/* SPDX-License-Identifier: Apache-2.0 */
/* The history writes what it is given, and its tables are as they are described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "history_help.h"
#include "io/clock.h"
#include "io/history_queue.h"

static struct inbox *b;

static int setup(void **state)
{
    b = inbox_new(64, NULL, NULL);
    return b ? help_clean(state) : -1;
}

static int teardown(void **state)
{
    inbox_free(b);
    return help_clean(state);
}

static void no_trouble(void)
{
    struct troubles t = {0};

    help_troubles(b, &t);
    assert_int_equal(t.begins, 0);
}

/* ---- the queue ---- */

static void the_queue_drops_the_oldest(void **state)
{
    struct history_queue *q = history_queue_new(4, 2);
    struct history_record r = {.kind = HISTORY_METER}, out[8];

    (void)state;
    for (int i = 1; i <= 6; i++) {
        r.utc_s = i;
        assert_int_equal(history_queue_put(q, &r), i > 4);
    }
    assert_int_equal(history_queue_dropped(q), 2);
    assert_int_equal(history_queue_count(q, HISTORY_DB), 4);
    assert_int_equal(history_queue_take(q, HISTORY_DB, out, 3), 3);
    assert_int_equal(out[0].utc_s, 3);
    assert_int_equal(out[2].utc_s, 5);
    assert_int_equal(history_queue_take(q, HISTORY_DB, out, 8), 1);
    assert_int_equal(out[0].utc_s, 6);
    assert_int_equal(history_queue_take(q, HISTORY_DB, out, 8), 0);
    history_queue_free(q);
}

static void a_session_waits_once_in_its_newest_state(void **state)
{
    struct history_queue *q = history_queue_new(4, 2);
    struct history_record r = {.kind = HISTORY_SESSION, .who = "A_1"}, out[4];

    (void)state;
    for (int i = 0; i < 100; i++) {
        r.session.transaction = 7 + i % 2;
        r.session.energy_wh = i;
        assert_false(history_queue_put(q, &r));
    }
    assert_int_equal(history_queue_take(q, HISTORY_LEDGER, out, 4), 2);
    assert_int_equal(out[0].session.transaction, 7);
    assert_int_equal(out[0].session.energy_wh, 98);
    assert_int_equal(out[1].session.energy_wh, 99);
    assert_int_equal(history_queue_dropped(q), 0);
    history_queue_free(q);
}

static void a_wake_before_the_wait_is_not_lost(void **state)
{
    struct history_queue *q = history_queue_new(4, 2);

    (void)state;
    history_queue_wake(q);
    history_queue_wait(q, INT64_MAX / 2000); /* would wait for ever */
    history_queue_wait(q, clock_ms());
    history_queue_free(q);
}

/* ---- rows ---- */

static void every_kind_of_row_is_written(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    int32_t base[] = {1000, -2000, 0}, i_ma[] = {6000, EVENT_NO_VALUE, 0};
    struct why why = {REASON_CIRCUIT, 3, 2}, none = {REASON_MAX, SITE_NONE, SITE_NONE};
    char text[256];

    (void)state;
    help_meter(h, 1000, "main", 5000);
    help_meter(h, 1000, "main", 5500); /* the same second: the last one counts */
    history_base(h, 1000, "grid", base);
    history_sample(h, 1001, "CP-01_1", i_ma, EVENT_NO_ENERGY);
    history_setpoint(h, 1001, "CP-01_1", 16000, &why, "garage", 2000);
    history_setpoint(h, 1001, "CP-01_1", 6000, &why, "garage",
                     2000); /* both are kept */
    history_setpoint(h, 1001, "CP-02_1", 32000, &none, "", 0);
    history_event(h, 1002, "warning", "meter", "main", "no answer");
    history_event(h, 1002, "info", "meter", "main", "answers again");
    history_free(h);
    no_trouble();
    assert_string_equal(
        help_text("history.db",
                  "SELECT group_concat(time || ' ' || name || ' ' || l1_ma || ' ' ||"
                  " ifnull(l2_ma, '-') || ' ' || l3_ma || ' ' || l1_mv || ' ' ||"
                  " ifnull(power_w, '-') || ' ' || import_wh || ' ' ||"
                  " ifnull(export_wh, '-'), ';')"
                  " FROM meters JOIN names ON id = meter",
                  text),
        "1000 main 5500 - -3000 230000 - 123456789012 -");
    assert_int_equal(help_number("history.db", "SELECT l2_ma FROM loads"), -2000);
    assert_int_equal(help_number("history.db", "SELECT l1_ma FROM samples"), 6000);
    assert_string_equal(
        help_text(
            "history.db",
            "SELECT group_concat(seq || ' ' || c.name || ' ' || limit_ma || ' ' ||"
            " r.name || ' ' || ifnull(w.name, '-') || ' ' || ifnull(phase, '-')"
            " || ' ' || ifnull(until, '-'),"
            " ';') FROM setpoints JOIN names c ON c.id = connector"
            " JOIN names r ON r.id = reason LEFT JOIN names w ON w.id = circuit",
            text),
        "0 CP-01_1 16000 circuit garage 2 2000;1 CP-01_1 6000 circuit garage 2 2000;"
        "2 CP-02_1 32000 max - - -");
    assert_string_equal(
        help_text("history.db", "SELECT group_concat(text, ';') FROM events", text),
        "no answer;answers again");
}

static void the_files_are_as_described(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct stat st;
    char text[256];

    (void)state;
    help_meter(h, 1000, "main", 5000);
    history_free(h);
    assert_int_not_equal(access(help_path("history.db-wal"), F_OK), 0);
    assert_int_not_equal(access(help_path("ledger.db-wal"), F_OK), 0);
    assert_int_equal(help_number("history.db", "PRAGMA application_id"), 0x43486869);
    assert_int_equal(help_number("ledger.db", "PRAGMA application_id"), 0x43486c65);
    assert_int_equal(help_number("history.db", "PRAGMA user_version"), 1);
    assert_int_equal(help_number("history.db", "PRAGMA auto_vacuum"), 2);
    assert_string_equal(help_text("history.db", "PRAGMA journal_mode", text), "wal");
    assert_string_equal(help_text("ledger.db", "PRAGMA journal_mode", text), "wal");
    assert_int_equal(help_number("history.db",
                                 "SELECT count(*) FROM sqlite_master WHERE"
                                 " sql LIKE '%PRIMARY KEY(time, %) WITHOUT ROWID'"),
                     5);
    assert_int_equal(stat(help_path("ledger.db"), &st), 0);
    assert_int_equal(st.st_mode & 07, 0); /* tags are nobody else's business */
}

static void rows_arrive_while_it_runs(void **state)
{
    struct history *h = history_new(help_folder, 20, 0, b);

    (void)state;
    for (int i = 0; i < 300; i++)
        help_meter(h, 1000 + i, i % 2 ? "main" : "roof", i);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 300);
    help_meter(h, 2000, "main", 1); /* and after a quiet time */
    help_wait_number("history.db", "SELECT count(*) FROM meters", 301);
    assert_int_equal(help_number("history.db", "SELECT count(*) FROM names"), 2);
    history_free(h);
    no_trouble();
}

static void a_half_full_queue_does_not_wait_for_the_commit(void **state)
{
    struct history *h = history_new(help_folder, 1000000000, 0, b);

    (void)state;
    for (int i = 0; i < 2048; i++)
        help_meter(h, i, "main", i);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 2048);
    history_free(h);
    assert_int_equal(history_dropped(NULL), 0);
}

static void long_names_are_cut_between_characters(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    char name[128] = "", text[256];

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(name, "ü");
    history_event(h, 5, "info", name, name, name);
    history_free(h);
    help_text("history.db", "SELECT who FROM events", text);
    assert_int_equal(strlen(text), 62);
    assert_memory_equal(text, name, 62);
    help_text("history.db", "SELECT code FROM events", text);
    assert_int_equal(strlen(text), 26);
}

/* ---- the ledger ---- */

static struct history_session session = {.cid = "CP-01_1",
                                         .charger = "CP-01",
                                         .tag = "0123456789abcdef0123456789abcdef0123",
                                         .transaction = 41,
                                         .begin_utc_s = 1700000000,
                                         .begin_wh = 1000,
                                         .energy_wh = 0,
                                         .end_reason = ""};

static void count_session(void *arg, const struct history_session *s)
{
    int *n = arg;

    ++*n;
    assert_int_equal(s->transaction, 41);
    assert_string_equal(s->cid, "CP-01_1");
    assert_string_equal(s->charger, "CP-01");
    assert_string_equal(s->tag, session.tag);
    assert_int_equal(s->begin_utc_s, 1700000000);
    assert_int_equal(s->end_utc_s, 0);
    assert_int_equal(s->begin_wh, 1000);
    assert_int_equal(s->energy_wh, 2500);
    assert_string_equal(s->end_reason, "");
}

static void sessions_are_found_again_after_a_crash(void **state)
{
    struct history_session s = session;
    int n = 0, status;
    pid_t child;

    (void)state;
    assert_int_equal(history_last_transaction(help_folder), 0);
    child = fork();
    if (child == 0) { /* ends without a word, as by kill -9 */
        struct history *h = history_new(help_folder, 1000000000, 0, b);

        history_session(h, &s);
        s.energy_wh = 2500;
        history_session(h, &s);
        s.transaction = 40;
        s.end_utc_s = s.begin_utc_s + 60;
        history_session(h, &s);
        help_wait_number("ledger.db", "SELECT count(*) FROM sessions", 2);
        _exit(0);
    }
    assert_true(waitpid(child, &status, 0) == child && status == 0);
    assert_int_equal(history_last_transaction(help_folder), 41);
    history_open_sessions(help_folder, count_session, &n);
    assert_int_equal(n, 1);
}

static void find_charger(void *arg, const struct history_charger *c)
{
    int *n = arg;

    ++*n;
    assert_string_equal(c->id, "CP-01");
    assert_string_equal(c->vendor,
                        "The Honourable Company of Wallbox Makers, Sons, 50");
    assert_string_equal(c->model, "Wall");
    assert_string_equal(c->firmware, "2");
    assert_string_equal(c->words, "tx=0");
}

/* A ledger of before has no such table. */
static void chargers_are_kept(void **state)
{
    struct history_charger c = {"CP-01",
                                "The Honourable Company of Wallbox Makers, Sons, 50",
                                "Wall", "1", "tx=1"};
    struct history *h = history_new(help_folder, 1, 0, b);
    sqlite3 *db;
    int n = 0;

    (void)state;
    history_session(h, &session);
    history_free(h);
    assert_int_equal(sqlite3_open(help_path("ledger.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE chargers", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    history_chargers(help_folder, find_charger, &n);
    assert_int_equal(n, 0);
    h = history_new(help_folder, 1, 0, b);
    history_charger(h, 1700000000, &c);
    c.firmware = "2";
    c.words = "tx=0";
    history_charger(h, 1700000001, &c);
    history_free(h);
    history_chargers(help_folder, find_charger, &n);
    assert_int_equal(n, 1);
    no_trouble();
}

static void a_session_has_one_row(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct history_session s = session;
    int n = 0;

    (void)state;
    for (int i = 0; i < 50; i++) {
        s.energy_wh = i * 100;
        history_session(h, &s);
        if (i % 10 == 0) /* written in between */
            help_wait_number("ledger.db", "SELECT max(energy_wh) FROM sessions",
                             i * 100);
    }
    s.end_utc_s = s.begin_utc_s + 3600;
    s.end_reason = "EVDisconnected";
    history_session(h, &s);
    s.transaction = 2100000000; /* given by some other central system */
    s.cid = "CP-09_1";
    history_session(h, &s);
    history_free(h);
    assert_int_equal(help_number("ledger.db", "SELECT count(*) FROM sessions"), 2);
    assert_int_equal(help_number("ledger.db", "SELECT energy_wh FROM sessions"), 4900);
    assert_int_equal(history_last_transaction(help_folder), 41);
    history_open_sessions(help_folder, count_session, &n);
    assert_int_equal(n, 0);
    no_trouble();
}

/* ---- what is old ---- */

static void old_rows_go_events_stay(void **state)
{
    int64_t now_s = clock_utc_s(), day = 86400;
    struct history *h = history_new(help_folder, 1, 0, b);
    int32_t zero[SITE_PHASES] = {0};
    struct why why = {REASON_MAX, SITE_NONE, SITE_NONE};

    (void)state;
    for (int d = 0; d < 20; d++) {
        int64_t at_s = now_s - d * day / 2 - 60;

        help_meter(h, at_s, "main", d);
        history_base(h, at_s, "grid", zero);
        history_sample(h, at_s, "A_1", zero, 0);
        history_setpoint(h, at_s, "A_1", 0, &why, "", 0);
    }
    history_event(h, now_s - 100 * day, "info", "x", "y", "old but kept");
    history_event(h, now_s - 900 * day, "info", "x", "y", "too old");
    history_free(h);
    assert_int_equal(help_number("history.db", "SELECT count(*) FROM meters"), 20);
    h = history_new(help_folder, 1, 9, b); /* days -9.0 and -9.5 go, by the second */
    help_wait_number("history.db", "SELECT count(*) FROM meters", 18);
    help_wait_number("history.db", "SELECT count(*) FROM loads", 18);
    help_wait_number("history.db", "SELECT count(*) FROM samples", 18);
    help_wait_number("history.db", "SELECT count(*) FROM setpoints", 18);
    help_wait_number("history.db", "SELECT count(*) FROM events", 1);
    history_free(h);
    no_trouble();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_drops_the_oldest),
        cmocka_unit_test(a_session_waits_once_in_its_newest_state),
        cmocka_unit_test(a_wake_before_the_wait_is_not_lost),
        cmocka_unit_test_setup_teardown(every_kind_of_row_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(the_files_are_as_described, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_arrive_while_it_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_half_full_queue_does_not_wait_for_the_commit,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(long_names_are_cut_between_characters, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(chargers_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_are_found_again_after_a_crash, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_session_has_one_row, setup, teardown),
        cmocka_unit_test_setup_teardown(old_rows_go_events_stay, setup, teardown),
    };

    return cmocka_run_group_tests(tests, help_setup, help_teardown);
}
