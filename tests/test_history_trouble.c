/* SPDX-License-Identifier: Apache-2.0 */
/* The history in trouble: full and missing disks, damaged and foreign files, a disk
 * that hangs. Callers never wait; a trouble is told once at its begin and once at its
 * end. */
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "history_help.h"
#include "io/clock.h"

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

static void make_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_folder_that_comes_later(void **state)
{
    struct troubles t = {0};
    char parent[100], folder[120];
    struct history *h;

    (void)state;
    snprintf(parent, sizeof parent, "%s/disk", help_dir);
    snprintf(folder, sizeof folder, "%s/h", parent);
    h = history_new(folder, 1, 0, b);
    help_wait_begins(b, &t, 2); /* history.db and ledger.db */
    assert_non_null(strstr(t.text, folder));
    assert_non_null(strstr(t.text, "No such file or directory"));
    for (int i = 0; i < 3000; i++)
        help_meter(h, i, "main", i);
    help_troubles(b, &t);
    assert_int_equal(t.begins, 2); /* said once */
    assert_int_equal(t.ends, 0);
    assert_int_equal(mkdir(parent, 0700), 0);
    help_wait_ends(b, &t, 2);
    snprintf(help_folder, sizeof help_folder, "%.79s", folder);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 3000);
    history_free(h);
    assert_int_equal(t.begins, 2);
    snprintf(help_folder, sizeof help_folder, "%s/h", help_dir);
}

static void what_does_not_fit_is_dropped_and_counted(void **state)
{
    struct troubles t = {0};
    struct history *h;
    uint64_t dropped;

    (void)state;
    make_file(help_folder, "a file where the folder should be");
    h = history_new(help_folder, 1, 0, b);
    help_wait_begins(b, &t, 2);
    for (int i = 0; i < 20000; i++)
        help_meter(h, i, "main", i);
    help_wait_begins(b, &t, 3); /* "queue" */
    dropped = history_dropped(h);
    assert_in_range(dropped, 20000 - 2 * 4096, 20000 - 4096);
    assert_int_equal(unlink(help_folder), 0);
    help_wait_ends(b, &t, 3);
    assert_string_equal(t.who, "queue");
    assert_int_equal(history_dropped(h), dropped);
    help_wait_number("history.db", "SELECT count(*) FROM meters",
                     20000 - (int64_t)dropped);
    /* the newest ones are there */
    assert_int_equal(help_number("history.db", "SELECT max(time) FROM meters"), 19999);
    history_free(h);
}

static void files_removed_while_it_runs_are_made_anew(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct troubles t = {0};
    char text[256];

    (void)state;
    help_meter(h, 1, "main", 1);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 1);
    help_wait_number("ledger.db", "SELECT count(*) FROM sessions", 0);
    help_clean(NULL);
    help_meter(h, 2, "main", 1);
    help_wait_number("history.db", "SELECT max(time) FROM meters", 2);
    assert_int_equal(help_number("history.db", "SELECT count(*) FROM meters"), 1);
    history_free(h);
    assert_string_equal(help_text("history.db", "PRAGMA quick_check", text), "ok");
    help_troubles(b, &t);
    assert_int_equal(t.begins, 0);
}

/* In a child: files may not grow for a while, as on a full disk. */
static int full_for_a_while(void)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct history_session s = {
        .cid = "A_1", .charger = "A", .tag = "", .end_reason = ""};
    struct troubles t = {0};
    struct rlimit none, tight;

    signal(SIGXFSZ, SIG_IGN);
    help_meter(h, 1, "main", 1);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 1);
    help_wait_number("ledger.db", "SELECT count(*) FROM sessions", 0);
    getrlimit(RLIMIT_FSIZE, &none);
    tight = none;
    tight.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 4000; i++)
        help_meter(h, 10 + i, "main", i);
    s.transaction = 5;
    history_session(h, &s);
    help_wait_begins(b, &t, 2);
    for (int i = 0; i < 90; i++) { /* more comes meanwhile, and nobody waits */
        help_meter(h, 5000 + i, "main", i);
        s.energy_wh = i;
        history_session(h, &s);
    }
    setrlimit(RLIMIT_FSIZE, &none);
    help_wait_ends(b, &t, 2);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 4091);
    help_wait_number("ledger.db", "SELECT energy_wh FROM sessions", 89);
    if (history_dropped(h) != 0 || t.begins != 2)
        return 1;
    history_free(h);
    return 0;
}

static void a_full_disk_loses_nothing_that_fits(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        exit(full_for_a_while());
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- damaged files ---- */

static int set_aside(const char *file)
{
    char pattern[200];
    glob_t found;
    int n;

    snprintf(pattern, sizeof pattern, "%s.corrupt-*Z", help_path(file));
    n = glob(pattern, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* Writes nonsense over the bytes of a file from here on. */
static void damage(const char *file, off_t from)
{
    char nonsense[512];
    struct stat st;
    int fd = open(help_path(file), O_WRONLY);

    memset(nonsense, 0x5a, sizeof nonsense);
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = from; at < st.st_size; at += (off_t)sizeof nonsense)
        assert_int_equal(pwrite(fd, nonsense, sizeof nonsense, at), sizeof nonsense);
    close(fd);
}

static void fill(void)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct history_session s = {
        .cid = "A_1", .charger = "A", .tag = "", .end_reason = ""};

    for (int i = 0; i < 1500; i++)
        help_meter(h, i, "main", i);
    for (int i = 1; i <= 200; i++) {
        s.transaction = i;
        s.end_utc_s = i;
        history_session(h, &s);
    }
    history_free(h);
}

static void a_damaged_history_is_set_aside(void **state)
{
    static const struct {
        const char *what;
        off_t from;
    } cases[] = {{"its head is gone", 0}, {"its pages are nonsense", 4096}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct troubles t = {0};
        struct history *h;

        print_message("%s\n", cases[i].what);
        help_clean(NULL);
        fill();
        damage("history.db", cases[i].from);
        h = history_new(help_folder, 1, 0, b);
        help_meter(h, 5000, "main", 1);
        help_wait_ends(b, &t, 1);
        assert_int_equal(t.begins, 1);
        assert_non_null(strstr(t.text, "history.db.corrupt-"));
        help_wait_number("history.db", "SELECT count(*) FROM meters", 1);
        history_free(h);
        assert_int_equal(set_aside("history.db"), 1);
        assert_int_equal(help_number("history.db",
                                     "SELECT count(*) FROM events"
                                     " WHERE code = 'history' AND who = 'history.db'"),
                         1);
        assert_int_equal(history_last_transaction(help_folder), 200);
    }
}

static void after_a_damaged_ledger_ids_are_new(void **state)
{
    struct troubles t = {0};
    struct history *h;
    int64_t since_2020 = clock_utc_s() - 1577836800;

    (void)state;
    fill();
    damage("ledger.db", 4096);
    /* before anybody wrote: the file cannot be read */
    assert_true(history_last_transaction(help_folder) >= since_2020);
    h = history_new(help_folder, 1, 0, b);
    help_wait_ends(b, &t, 1);
    history_free(h);
    assert_int_equal(t.begins, 1);
    assert_int_equal(set_aside("ledger.db"), 1);
    /* afterwards: it is empty, but what was before is not known */
    assert_int_equal(help_number("ledger.db", "SELECT count(*) FROM sessions"), 0);
    assert_true(history_last_transaction(help_folder) >= since_2020);
}

static void foreign_files_are_left_alone(void **state)
{
    static const struct {
        const char *what, *sql, *says;
    } cases[] = {
        {"another program's", "PRAGMA application_id = 77; CREATE TABLE t(a)",
         "another program"},
        {"some tables", "CREATE TABLE meters(a)", "another program"},
        {"a newer version's",
         "PRAGMA application_id = 1128818793; PRAGMA user_version = 9;"
         " CREATE TABLE t(a)",
         "newer chargehand"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct troubles t = {0};
        struct history *h;
        sqlite3 *db;

        print_message("%s\n", cases[i].what);
        help_clean(NULL);
        assert_int_equal(mkdir(help_folder, 0700), 0);
        assert_int_equal(sqlite3_open(help_path("history.db"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, cases[i].sql, 0, 0, 0), SQLITE_OK);
        sqlite3_close(db);
        h = history_new(help_folder, 1, 0, b);
        help_meter(h, 1, "main", 1);
        help_wait_begins(b, &t, 1);
        assert_non_null(strstr(t.text, cases[i].says));
        history_free(h);
        assert_int_equal(
            help_number("history.db", "SELECT count(*) FROM sqlite_master"), 1);
        assert_int_equal(set_aside("history.db"), 0);
    }
}

static void a_locked_file_is_waited_for_by_the_thread_only(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, b);
    struct troubles t = {0};
    sqlite3 *db;

    (void)state;
    help_meter(h, 1, "main", 1);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 1);
    assert_int_equal(sqlite3_open(help_path("history.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", 0, 0, 0), SQLITE_OK);
    help_meter(h, 2, "main", 1);
    help_wait_begins(b, &t, 1);
    assert_non_null(strstr(t.text, "locked"));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", 0, 0, 0), SQLITE_OK);
    sqlite3_close(db);
    help_wait_ends(b, &t, 1);
    help_wait_number("history.db", "SELECT count(*) FROM meters", 2);
    history_free(h);
}

/* ---- a disk that hangs: SQLite's door to the disk does not open ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool shut;
    int inside;
    sqlite3_vfs vfs, *real;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static int hanging_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                        int flags, int *out)
{
    (void)vfs;
    pthread_mutex_lock(&disk.lock);
    disk.inside++;
    while (disk.shut)
        pthread_cond_wait(&disk.opened, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
    return disk.real->xOpen(disk.real, name, file, flags, out);
}

static int threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void a_hanging_disk_delays_nobody(void **state)
{
    int before = threads();
    int64_t began_ms = 0;
    struct history *h;

    (void)state;
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "hanging";
    disk.vfs.xOpen = hanging_open;
    disk.shut = true;
    sqlite3_vfs_register(&disk.vfs, 1);
    h = history_new(help_folder, 1, 0, b);
    while (pthread_mutex_lock(&disk.lock), !disk.inside) {
        pthread_mutex_unlock(&disk.lock);
        assert_true(help_again(&began_ms));
    }
    pthread_mutex_unlock(&disk.lock);
    for (int i = 0; i < 10000; i++)
        help_meter(h, i, "main", i);
    assert_true(history_dropped(h) >= 10000 - 2 * 4096);
    history_free(h); /* comes back though the thread does not */
    pthread_mutex_lock(&disk.lock);
    disk.shut = false;
    pthread_cond_broadcast(&disk.opened);
    pthread_mutex_unlock(&disk.lock);
    began_ms = 0;
    while (threads() > before) /* at last it has cleaned up behind itself */
        assert_true(help_again(&began_ms));
    sqlite3_vfs_unregister(&disk.vfs);
    assert_true(help_number("history.db", "SELECT max(time) FROM meters") == 9999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_that_comes_later, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_dropped_and_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(files_removed_while_it_runs_are_made_anew,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing_that_fits, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_history_is_set_aside, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(after_a_damaged_ledger_ids_are_new, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(foreign_files_are_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_locked_file_is_waited_for_by_the_thread_only,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_hanging_disk_delays_nobody, setup, teardown),
    };

    return cmocka_run_group_tests(tests, help_setup, help_teardown);
}
