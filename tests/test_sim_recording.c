/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: what is read, and how what is wrong is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/recording.h"

static char dir[] = "/tmp/chargehand-recording-XXXXXX";
static char path[64];

static int find_connector(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "CP-TWO") == 0)
        return SIM_AMBIGUOUS;
    return strcmp(name, "CP-1") == 0 ? 0 : strcmp(name, "CP-2") == 0 ? 1 : SIM_UNKNOWN;
}

static int find_circuit(void *arg, const char *name, int *meter)
{
    (void)arg;
    if (strcmp(name, "roof") == 0) {
        *meter = 3;
        return 0;
    }
    return strcmp(name, "grid") == 0 ? 0 : SIM_UNKNOWN;
}

static const struct sim_names names = {NULL, find_connector, find_circuit};

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Reads the text as a file. `told` gets what was complained about, without the path. */
static bool read_text(const char *text, bool loads, struct sim_sessions *s,
                      struct sim_loads *l, char **told)
{
    size_t n;
    FILE *to = open_memstream(told, &n);
    bool ok;

    write_file(text);
    ok = loads ? sim_loads_read(path, &names, l, to)
               : sim_sessions_read(path, &names, s, to);
    fclose(to);
    return ok;
}

#define HEAD "connector,arrival,departure,energy_kwh\n"
#define GOOD "CP-1,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,4.216\n"
#define LOADS "time,circuit,l1_a,l2_a,l3_a\n"

static void test_errors(void **state)
{
    static const struct {
        const char *what, *text, *told;
        bool loads;
    } cases[] = {
        {"an empty file", "", ": is empty; a header line is needed", false},
        {"a column is missing", "connector,arrival,energy_kwh\n",
         ":1: the header has no column 'departure'", false},
        {"a connector that does not exist",
         HEAD GOOD "CP-9,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,4.2\n",
         ":3: connector 'CP-9' is not in the site file", false},
        {"a name that could be several",
         HEAD "CP-TWO,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,4.2\n",
         ":2: connector 'CP-TWO' could be several; name one of them", false},
        {"no time", HEAD "CP-1,yesterday,2019-03-01T15:40:00Z,4.2\n",
         ":2: arrival 'yesterday' is not a time like 2019-03-01T14:20:00Z", false},
        {"it leaves before it comes",
         HEAD "\nCP-1,2019-03-01T15:40:00Z,2019-03-01T15:40:00Z,4.2\n",
         ":3: the departure is not after the arrival", false},
        {"no number", HEAD "CP-1,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,4.2kWh\n",
         ":2: energy_kwh '4.2kWh' is not a number from 0 to 1000", false},
        {"less than nothing",
         HEAD "CP-1,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,-1\n",
         ":2: energy_kwh '-1' is not a number from 0 to 1000", false},
        {"not a number at all",
         HEAD "CP-1,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,nan\n",
         ":2: energy_kwh 'nan' is not a number from 0 to 1000", false},
        {"a line that is too short", HEAD "CP-1,2019-03-01T14:20:00Z\n",
         ":2: 'departure' is missing", false},
        {"four phases",
         "connector,arrival,departure,energy_kwh,phases\n"
         "CP-1,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,4,4\n",
         ":2: phases '4' is not a number from 1 to 3", false},
        {"a circuit that does not exist", LOADS "2019-03-01T14:20:00Z,house,1,2,3\n",
         ":2: circuit 'house' is not in the site file", true},
        {"a current that is missing", LOADS "2019-03-01T14:20:00Z,grid,1,,3\n",
         ":2: 'l2_a' is missing", true},
        {"a current that is none", LOADS "2019-03-01T14:20:00Z,grid,1,x,3\n",
         ":2: l2_a 'x' is not a number from -10000 to 10000", true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_sessions s;
        struct sim_loads l;
        char *told = NULL;

        print_message("%s\n", cases[i].what);
        assert_false(read_text(cases[i].text, cases[i].loads, &s, &l, &told));
        assert_int_equal(strncmp(told, path, strlen(path)), 0);
        assert_non_null(strstr(told + strlen(path), cases[i].told));
        assert_ptr_equal(strstr(told + strlen(path), cases[i].told),
                         told + strlen(path));
        free(told);
    }
}

static void test_every_error_but_not_for_ever(void **state)
{
    char text[8192] = HEAD, *told = NULL;
    struct sim_sessions s;
    int lines = 0;
    (void)state;

    for (int i = 0; i < 100; i++)
        strcat(text, "CP-9,2019-03-01T14:20:00Z,2019-03-01T15:40:00Z,1\n");
    assert_false(read_text(text, false, &s, NULL, &told));
    for (const char *c = told; (c = strchr(c, '\n')); c++)
        lines++;
    assert_int_equal(lines, 21);
    assert_null(s.list);
    assert_int_equal(s.n, 0);
    free(told);
}

static void test_no_file(void **state)
{
    struct sim_sessions s;
    char *told = NULL;
    size_t n;
    FILE *to = open_memstream(&told, &n);
    (void)state;

    assert_false(sim_sessions_read("/nonexistent/x.csv", &names, &s, to));
    fclose(to);
    assert_string_equal(told, "/nonexistent/x.csv: No such file or directory\n");
    free(told);
}

static void test_sessions(void **state)
{
    struct sim_sessions s;
    char *told = NULL;
    (void)state;

    /* byte order mark, comments, blanks, quotes, CRLF, other columns, any order */
    assert_true(read_text("\xef\xbb\xbf# Caltech\n"
                          "departure, arrival,note,phases,energy_kwh,connector,id_tag,"
                          "max_current_a\r\n"
                          "\r\n"
                          "2019-03-01T16:00:00+01:00,2019-03-01T14:20:00Z,x,2,4.2165,"
                          "CP-2,\"04AB\",31.7\r\n"
                          "2019-03-01T14:00:00Z,2019-03-01T13:00:00Z,,,0,CP-1\r\n",
                          false, &s, NULL, &told));
    assert_string_equal(told, "");
    assert_int_equal(s.n, 2);
    assert_int_equal(s.list[0].connector, 0); /* by arrival */
    assert_int_equal(s.list[0].energy_wh, 0);
    assert_int_equal(s.list[0].max_ma, 0);
    assert_int_equal(s.list[0].phases, 0);
    assert_int_equal(s.list[1].connector, 1);
    assert_int_equal(s.list[1].arrival_s, 1551450000);
    assert_int_equal(s.list[1].departure_s, 1551452400);
    assert_int_equal(s.list[1].energy_wh, 4217);
    assert_int_equal(s.list[1].max_ma, 31700);
    assert_int_equal(s.list[1].phases, 2);
    assert_string_equal(s.list[1].id_tag, "04AB");
    assert_int_equal(s.list[1].line, 4);
    free(s.list);
    free(told);
}

static void test_overlap(void **state)
{
    struct sim_sessions s;
    char *told = NULL;
    (void)state;

    assert_true(read_text(HEAD "CP-1,2019-03-01T14:30:00Z,2019-03-01T15:40:00Z,1\n" GOOD
                               "CP-2,2019-03-01T14:00:00Z,2019-03-01T16:00:00Z,1\n",
                          false, &s, NULL, &told));
    assert_string_equal(told + strlen(path),
                        ":2: warning: arrives while the session of line 3 is still "
                        "there; that one ends here\n");
    assert_int_equal(s.n, 3);
    assert_int_equal(s.list[1].line, 3);
    assert_int_equal(s.list[1].departure_s, s.list[2].arrival_s);
    free(s.list);
    free(told);
}

static void test_loads(void **state)
{
    struct sim_loads l;
    char *told = NULL;
    (void)state;

    assert_true(read_text(LOADS "2019-03-01T00:01:00Z,grid,3,4.5,-6\n"
                                "2019-03-01T00:00:00Z,roof,-1,-2,-3\n",
                          true, NULL, &l, &told));
    assert_int_equal(l.n, 2);
    assert_int_equal(l.list[0].meter, 3);
    assert_int_equal(l.list[0].i_ma[2], -3000);
    assert_int_equal(l.list[1].meter, SITE_NONE);
    assert_int_equal(l.list[1].i_ma[1], 4500);
    assert_int_equal(l.list[1].at_s - l.list[0].at_s, 60);
    free(l.list);
    free(told);
}

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/rec.csv", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_every_error_but_not_for_ever),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_loads),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
