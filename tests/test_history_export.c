/* SPDX-License-Identifier: Apache-2.0 */
/* What is exported is what was written, in the formats of the recordings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "history_help.h"
#include "io/history_read.h"

enum { T0 = 1551450000 }; /* 2019-03-01T14:20:00Z */

static char *exported;
static int64_t rows, left_out;
static char error[256];

static const char *export_from(const char *folder, struct history_query q)
{
    size_t n;
    FILE *f;

    free(exported);
    exported = NULL;
    f = open_memstream(&exported, &n);
    rows = history_export(folder, &q, f, &left_out, error, sizeof error);
    fclose(f);
    return exported;
}

static const char *export_all(enum history_what what)
{
    return export_from(help_folder,
                       (struct history_query){.what = what, .to_utc_s = INT64_MAX});
}

static void sample(struct history *h, int64_t at_s, const char *cid, int32_t l1_ma,
                   int32_t l2_ma, int32_t l3_ma)
{
    int32_t i_ma[SITE_PHASES] = {l1_ma, l2_ma, l3_ma};

    history_sample(h, at_s, cid, i_ma, 1000);
}

static void a_session(struct history *h, int transaction, const char *cid, int begin_s,
                      int end_s, const char *tag)
{
    struct history_session s = {.cid = cid,
                                .charger = "CP",
                                .tag = tag,
                                .transaction = transaction,
                                .begin_utc_s = T0 + begin_s,
                                .end_utc_s = end_s ? T0 + end_s : 0,
                                .begin_wh = 5,
                                .energy_wh = 12345 + transaction,
                                .end_reason = "Local"};

    history_session(h, &s);
}

static int setup(void **state)
{
    int32_t base[] = {10000, -4250, 1}, base2[] = {0, EVENT_NO_VALUE, 7};
    struct why why = {REASON_CIRCUIT, 3, 1}, max = {REASON_MAX, SITE_NONE, SITE_NONE};
    struct history *h;

    if (help_setup(state) != 0)
        return -1;
    h = history_new(help_folder, 1000000, 0, NULL);
    help_meter(h, T0, "main", -5500);
    help_meter(h, T0 + 1, "roof, \"south\"", 1);
    history_base(h, T0, "grid", base);
    history_base(h, T0 + 60, "grid", base2);
    history_setpoint(h, T0 - 100, "B_1", 32000, &max, "", 0);
    history_setpoint(h, T0 + 2, "A_1", 6000, &why, "garage", T0 + 60);
    history_setpoint(h, T0 + 50, "A_1", 16000, &max, "", 0);
    /* A_1 drew all it was offered: what its car can draw is not known */
    sample(h, T0 + 10, "A_1", 5900, 200, EVENT_NO_VALUE);
    sample(h, T0 + 60, "A_1", 15800, 0, 0);
    /* B_1 drew less than its 32 A on three phases: that is the car */
    sample(h, T0 + 10, "B_1", 16010, 15900, 16040);
    sample(h, T0 + 20, "B_1", 4000, 4000, 4000);
    sample(h, T0 + 500, "B_1", 20000, 20000, 20000); /* not of this session */
    a_session(h, 1, "A_1", 0, 3600, "TAG,1");
    a_session(h, 2, "B_1", 5, 100, "");
    a_session(h, 3, "C_1", 86400, 86400, "T3"); /* ended at once */
    a_session(h, 4, "D_1", 90000, 0, "T4");     /* still going on */
    history_event(h, T0, "warning", "meter", "main", "line 1\nand \"2\"");
    history_free(h);
    return 0;
}

static int teardown(void **state)
{
    free(exported);
    return help_teardown(state);
}

static void sessions_are_a_recording(void **state)
{
    (void)state;
    assert_string_equal(
        export_all(HISTORY_OF_SESSIONS),
        "connector,arrival,departure,energy_kwh,max_current_a,phases,id_tag\n"
        "A_1,2019-03-01T14:20:00Z,2019-03-01T15:20:00Z,12.346,,1,\"TAG,1\"\n"
        "B_1,2019-03-01T14:20:05Z,2019-03-01T14:21:40Z,12.347,16.1,3,\n"
        "C_1,2019-03-02T14:20:00Z,2019-03-02T14:20:01Z,12.348,,,T3\n");
    assert_int_equal(rows, 3);
    assert_int_equal(left_out, 1);
    export_from(help_folder, (struct history_query){.what = HISTORY_OF_SESSIONS,
                                                    .from_utc_s = T0 + 90000,
                                                    .to_utc_s = INT64_MAX,
                                                    .open_too = true});
    assert_string_equal(
        exported, "connector,arrival,departure,energy_kwh,max_current_a,phases,id_tag\n"
                  "D_1,2019-03-02T15:20:00Z,,12.349,,,T4\n");
    assert_int_equal(left_out, 0);
}

static void loads_are_a_recording(void **state)
{
    (void)state;
    assert_string_equal(export_all(HISTORY_OF_LOADS),
                        "time,circuit,l1_a,l2_a,l3_a\n"
                        "2019-03-01T14:20:00Z,grid,10,-4.25,0.001\n"
                        "2019-03-01T14:21:00Z,grid,0,,0.007\n");
}

static void other_rows_are_complete(void **state)
{
    (void)state;
    assert_string_equal(
        export_all(HISTORY_OF_METERS),
        "time,meter,l1_a,l2_a,l3_a,l1_v,l2_v,l3_v,power_w,import_kwh,export_kwh\n"
        "2019-03-01T14:20:00Z,main,-5.5,,-3,230,,231,,123456789.012,\n"
        "2019-03-01T14:20:01Z,\"roof, "
        "\"\"south\"\"\",0.001,,-3,230,,231,,123456789.012,\n");
    assert_string_equal(export_all(HISTORY_OF_SETPOINTS),
                        "time,connector,limit_a,reason,circuit,phase,until\n"
                        "2019-03-01T14:18:20Z,B_1,32,max,,,\n"
                        "2019-03-01T14:20:02Z,A_1,6,circuit,garage,L2,"
                        "2019-03-01T14:21:00Z\n"
                        "2019-03-01T14:20:50Z,A_1,16,max,,,\n");
    assert_string_equal(export_all(HISTORY_OF_EVENTS),
                        "time,level,code,who,text\n"
                        "2019-03-01T14:20:00Z,warning,meter,main,"
                        "\"line 1\nand \"\"2\"\"\"\n");
    export_all(HISTORY_OF_SAMPLES);
    assert_int_equal(rows, 5);
}

static void from_is_in_and_to_is_out(void **state)
{
    static const struct {
        const char *what;
        int from, to, rows;
    } cases[] = {
        {"both", 0, 61, 2},    {"to is out", 0, 60, 1},     {"from is in", 60, 61, 1},
        {"neither", 1, 60, 0}, {"nothing at all", 9, 9, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].what);
        export_from(help_folder,
                    (struct history_query){.what = HISTORY_OF_LOADS,
                                           .from_utc_s = T0 + cases[i].from,
                                           .to_utc_s = T0 + cases[i].to});
        assert_int_equal(rows, cases[i].rows);
    }
}

static void json_holds_the_same(void **state)
{
    (void)state;
    for (int w = 0; w < HISTORY_WHATS; w++) {
        cJSON *list;

        assert_int_equal(history_what_by_name(history_what_name(w)), w);
        export_from(help_folder, (struct history_query){
                                     .what = w, .to_utc_s = INT64_MAX, .json = true});
        list = cJSON_Parse(exported);
        assert_true(cJSON_IsArray(list));
        assert_int_equal(cJSON_GetArraySize(list), rows);
        assert_true(rows > 0);
        if (w == HISTORY_OF_METERS) {
            cJSON *o = cJSON_GetArrayItem(list, 1);
            assert_string_equal(cJSON_GetObjectItem(o, "meter")->valuestring,
                                "roof, \"south\"");
            assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "l2_a")));
            assert_true(cJSON_GetObjectItem(o, "l3_a")->valueint == -3);
        }
        if (w == HISTORY_OF_EVENTS)
            assert_string_equal(
                cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "text")->valuestring,
                "line 1\nand \"2\"");
        cJSON_Delete(list);
    }
    export_from(
        help_folder,
        (struct history_query){.what = HISTORY_OF_LOADS, .to_utc_s = 5, .json = true});
    assert_string_equal(exported, "[]\n");
}

static void what_is_not_there_is_told(void **state)
{
    char folder[100];

    (void)state;
    snprintf(folder, sizeof folder, "%s/nothing", help_dir);
    for (int w = 0; w < HISTORY_WHATS; w++) {
        export_from(folder, (struct history_query){.what = w, .to_utc_s = INT64_MAX});
        assert_int_equal(rows, -1);
        assert_non_null(strstr(error, w == HISTORY_OF_SESSIONS ? "nothing/ledger.db"
                                                               : "nothing/history.db"));
        assert_non_null(strstr(error, "No such file"));
    }
}

/* The history is another user's, who has stopped writing: nothing can be made beside
 * it. In a child that gives up root where it is root. */
/* Even root then has to keep to what files allow. */
static bool give_up_powers(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};

    return syscall(SYS_capset, &head, none) == 0;
}

static void it_can_be_read_without_permission_to_write(void **state)
{
    int status;
    pid_t child;

    (void)state;
    unlink(help_path("history.db-wal"));
    unlink(help_path("history.db-shm"));
    assert_int_equal(chmod(help_dir, 0755), 0);
    assert_int_equal(chmod(help_folder, 0555), 0);
    assert_int_equal(chmod(help_path("history.db"), 0444), 0);
    child = fork();
    if (child == 0) {
        if (geteuid() == 0 && !give_up_powers())
            _exit(9);
        export_all(HISTORY_OF_LOADS);
        _exit(rows == 2 ? 0 : 1);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(help_folder, 0755), 0);
    assert_int_equal(chmod(help_path("history.db"), 0644), 0);
}

static void it_is_read_while_it_is_written(void **state)
{
    struct history *h = history_new(help_folder, 1, 0, NULL);
    int64_t began_ms = 0;

    (void)state;
    for (int i = 0; i < 50; i++)
        help_meter(h, T0 + 1000 + i, "main", i);
    do
        export_from(help_folder, (struct history_query){.what = HISTORY_OF_METERS,
                                                        .from_utc_s = T0 + 1000,
                                                        .to_utc_s = INT64_MAX});
    while (rows < 50 && help_again(&began_ms));
    assert_int_equal(rows, 50);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_a_recording),
        cmocka_unit_test(loads_are_a_recording),
        cmocka_unit_test(other_rows_are_complete),
        cmocka_unit_test(from_is_in_and_to_is_out),
        cmocka_unit_test(json_holds_the_same),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(it_can_be_read_without_permission_to_write),
        cmocka_unit_test(it_is_read_while_it_is_written),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
