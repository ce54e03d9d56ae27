/* SPDX-License-Identifier: Apache-2.0 */
/* All definitions that are shipped: they load and their tests pass; how files are
 * found, and what role a model may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* its own copy, so that the user's and the shipped folder are below one of ours */
#undef SYSCONF_DIR
#undef METERS_DIR
#define SYSCONF_DIR "etc"
#define METERS_DIR "share"
#include "io/meter_files.c"

#include "meter/vector.h"

static char meters[300];    /* the directory shipped */
static char temporary[300]; /* one of ours */

static struct meter_file shipped[200];
static int n_shipped;

/* All files of meters/ and meters/sunspec/. */
static void find_shipped(const char *below, const char *prefix)
{
    struct meter_file *list;
    char env[400];
    int n;

    snprintf(env, sizeof env, "%s%s", meters, below);
    setenv("CHARGEHAND_METERS", env, 1);
    n = meter_files_list(&list);
    for (int i = 0; i < n; i++)
        if (strncmp(list[i].path, env, strlen(env)) == 0 &&
            !strchr(list[i].path + strlen(env) + 1, '/')) {
            assert_in_range(n_shipped, 0, 199);
            snprintf(shipped[n_shipped].name, sizeof shipped[0].name, "%s%.39s", prefix,
                     list[i].name);
            strcpy(shipped[n_shipped++].path, list[i].path);
        }
    free(list);
}

/* A cycle takes less than a second on its line. */
static void quick_enough(const struct definition *d)
{
    static struct plan p;

    assert_true(plan_make(&p, d, 0));
    assert_in_range(plan_bus_ms(&p, d, PACE_FAST), 1, 1000);
}

static void prove(const char *path)
{
    static struct meter_errors e;
    struct definition *d;
    char text[4000];

    memset(&e, 0, sizeof e);
    e.file = path;
    d = meter_files_load_path(path, &e);
    if (d)
        definition_prove(d, &e);
    if (e.n)
        fail_msg("%s", meter_errors_text(&e, text, sizeof text));
    for (int i = 0; i < d->n_vectors; i++)
        assert_in_range(d->vectors[i].n_wants, 1, 100);
    if (!d->sunspec.used && !d->is_model && (d->bus.rtu || d->bus.rtutcp))
        quick_enough(d);
    definition_free(d);
}

static void test_shipped(void **state)
{
    (void)state;
    assert_in_range(n_shipped, 90, 200);
    for (int i = 0; i < n_shipped; i++)
        prove(shipped[i].path);
}

/* Where a text or what is true of a file is not for the reader to check. */
static void test_conventions(void **state)
{
    (void)state;
    for (int i = 0; i < n_shipped; i++) {
        static char text[20000];
        FILE *f = fopen(shipped[i].path, "r");
        size_t n;

        assert_non_null(f);
        n = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        text[n] = '\0';
        if (strncmp(text, "# SPDX-License-Identifier: Apache-2.0\nformat: 1\n", 48) ||
            !strstr(text, "\nsources:"))
            fail_msg("%s: licence, format, ... sources", shipped[i].path);
    }
}

/* ---- finding ---- */

static void write_file(const char *name, const char *text)
{
    char path[400];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", temporary, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_own_first(void **state)
{
    char err[2000], want[2000];
    struct definition *d;

    (void)state;
    write_file("cg-em340.yaml", "format: 1\nid: cg-em340\nname: Mine\nkind: meter\n"
                                "points:\n  v: {at: [0, 1, 2]}\n"
                                "  pp: {at: [3, 4, 5]}\n");
    d = meter_files_load("cg-em340", err, sizeof err);
    assert_non_null(d);
    assert_string_equal(d->name, "Mine");
    definition_free(d);
    write_file("cg-em340.yaml", "format: 1\nid: other\nname: Mine\nkind: mater\n");
    assert_null(meter_files_load("cg-em340", err, sizeof err));
    snprintf(want, sizeof want,
             "%s/cg-em340.yaml:2:5: \"id\" must be \"cg-em340\", as the file is named\n"
             "%s/cg-em340.yaml:4:7: \"kind\" must be one of meter hybrid inverter "
             "battery, did you "
             "mean \"meter\"?\n",
             temporary, temporary);
    assert_string_equal(err, want);
    write_file("cg-em340.yaml", "");
    snprintf(want, sizeof want, "%s/cg-em340.yaml", temporary);
    unlink(want);
}

/* What the user has put into /etc/chargehand/meters hides what is shipped, and is
 * hidden by $CHARGEHAND_METERS. */
static void test_etc_first(void **state)
{
    static const char *const dirs[] = {"env", "etc/meters", "share"};
    char env[700], here[300], err[2000];

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    snprintf(env, sizeof env, "%s", getenv("CHARGEHAND_METERS"));
    assert_int_equal(chdir(temporary), 0);
    setenv("CHARGEHAND_METERS", "env", 1);
    assert_int_equal(mkdir("etc", 0700), 0);
    for (int i = 0; i < 3; i++) {
        char name[40], text[200];

        assert_int_equal(mkdir(dirs[i], 0700), 0);
        snprintf(name, sizeof name, "%s/eastron-sdm630.yaml", dirs[i]);
        snprintf(text, sizeof text,
                 "format: 1\nid: eastron-sdm630\nname: %s\nkind: meter\n"
                 "points:\n  v: {at: [0, 1, 2]}\n  pp: {at: [3, 4, 5]}\n",
                 dirs[i]);
        write_file(name, text);
    }
    for (int i = 0; i < 3; i++) {
        char name[40];
        struct definition *d = meter_files_load("eastron-sdm630", err, sizeof err);
        struct meter_file *list;
        int n = meter_files_list(&list), found = 0;

        assert_non_null(d);
        assert_string_equal(d->name, dirs[i]);
        definition_free(d);
        snprintf(name, sizeof name, "%s/eastron-sdm630.yaml", dirs[i]);
        for (int k = 0; k < n; k++)
            if (strcmp(list[k].name, "eastron-sdm630") == 0) {
                assert_string_equal(list[k].path, name);
                found++;
            }
        assert_int_equal(found, 1);
        free(list);
        assert_int_equal(unlink(name), 0);
        assert_int_equal(rmdir(dirs[i]), 0);
    }
    assert_int_equal(rmdir("etc"), 0);
    assert_int_equal(chdir(here), 0);
    setenv("CHARGEHAND_METERS", env, 1);
}

static void test_unknown(void **state)
{
    char err[2000];

    (void)state;
    assert_null(meter_files_load("eastron-sdm63", err, sizeof err));
    assert_string_equal(err, "there is no meter model \"eastron-sdm63\", did you mean "
                             "\"eastron-sdm630\"? (chargehand meter list)");
    assert_null(meter_files_load("../passwd", err, sizeof err));
    assert_string_equal(err,
                        "../passwd:1:1: cannot be read: No such file or directory\n");
    write_file("s.yaml",
               "format: 1\nid: s\nname: S\nkind: meter\nsunspec: {use: 999}\n");
    assert_null(meter_files_load("s", err, sizeof err));
    assert_non_null(
        strstr(err, "s.yaml:5:16: no sound file sunspec/*.yaml describes model 999"));
    write_file("s.yaml", "");
}

static void test_wrong_kind(void **state)
{
    char err[2000];

    (void)state;
    write_file("s.yaml",
               "format: 1\nid: s\nname: S\nkind: meter\nsunspec: {use: [203, 103]}\n");
    assert_null(meter_files_load("s", err, sizeof err));
    assert_non_null(strstr(
        err, "s.yaml:5:16: kind is meter, that of SunSpec model 103 is inverter"));
    write_file("s.yaml", "");
}

static void test_fit(void **state)
{
    static const struct {
        const char *model;
        enum meter_role role;
        int unit;
        bool good;
        const char *why; /* "" = nothing is said */
    } rows[] = {
        {"eastron-sdm630", METER_CIRCUIT, -1, true, ""},
        {"eastron-sdm630", METER_SOLAR, -1, true, ""}, /* in front of the inverter */
        {"sunspec-inverter", METER_SOLAR, -1, true, ""},
        {"sunspec-inverter", METER_CIRCUIT, -1, false,
         "\"sunspec-inverter\" is an inverter and measures no circuit: role: solar"},
        {"sunspec/203", METER_CIRCUIT, -1, false, "is the layout of a SunSpec model"},
        {"sdm630", METER_CIRCUIT, -1, false, "there is no meter model \"sdm630\""},
        {"huawei-sun2000", METER_CIRCUIT, -1, true, ""},
        {"huawei-sun2000", METER_SOLAR, -1, true, ""},
        {"alpha-smile", METER_CIRCUIT, -1, true, ""}, /* by the sign of its currents */
        {"alpha-smile", METER_SOLAR, -1, false,
         "\"alpha-smile\" does not tell its solar power"},
        {"solaredge-battery", METER_CIRCUIT, -1, false, "is a battery"},
        {"solaredge-battery", METER_SOLAR, -1, false, "is a battery"},
        {"eastron-sdm72d-m", METER_CIRCUIT, -1, false,
         "\"eastron-sdm72d-m\" tells no current of each phase: a circuit needs one"},
        {"eastron-sdm72d-m", METER_SOLAR, -1, true, ""},
        {"victron-gx-system", METER_CIRCUIT, -1, false, "tells no current"},
        {"schneider-iem3150", METER_CIRCUIT, -1, true,
         "\"schneider-iem3150\" does not tell import from export: what the circuit "
         "feeds in counts as drawn"},
        {"schneider-iem3150", METER_SOLAR, -1, true, ""},
        {"dzg-dvh4013", METER_CIRCUIT, -1, false,
         "\"dzg-dvh4013\" has no usual unit id: \"unit\" must be given"},
        {"dzg-dvh4013", METER_CIRCUIT, 23, true, "does not tell import from export"},
        {"bge-ds100", METER_CIRCUIT, -1, true, "\"bge-ds100\" is untested: "},
        {"eastron-sdm230", METER_CIRCUIT, -1, true, "does not measure all phases"},
        {"eastron-sdm230", METER_SOLAR, -1, true, ""},
    };
    char why[200], layout[400];
    int32_t ms;

    (void)state;
    snprintf(layout, sizeof layout, "%s/sunspec/203.yaml", meters);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_layout = strchr(rows[i].model, '/') != NULL;
        struct conf_meter m = {.model = is_layout ? layout : rows[i].model,
                               .unit = rows[i].unit,
                               .role = rows[i].role};

        if (meter_files_fit(&m, why, sizeof why, &ms) != rows[i].good || ms != 0 ||
            !strstr(why, rows[i].why) || !rows[i].why[0] != !why[0])
            fail_msg("%s: '%s', not '%s'", m.model, why, rows[i].why);
    }
}

/* On a serial line of the speed that the site has, whatever the model's. */
static void time_on_the_line(void **state)
{
    struct conf_meter m = {.model = "eastron-sdm630",
                           .transport = TRANSPORT_RTU,
                           .unit = 1,
                           .parity = 'N',
                           .data_bits = 8,
                           .stop_bits = 1};
    int32_t slow_ms, fast_ms, ms;
    char why[200];

    (void)state;
    m.baud = 9600;
    assert_true(meter_files_fit(&m, why, sizeof why, &slow_ms));
    m.baud = 19200;
    assert_true(meter_files_fit(&m, why, sizeof why, &fast_ms));
    assert_in_range(slow_ms, 300, 400); /* with what is read now and then */
    assert_in_range(fast_ms, slow_ms / 2, slow_ms - 20);
    m.model = "none-of-those";
    assert_false(meter_files_fit(&m, why, sizeof why, &ms));
    assert_int_equal(ms, 0);
    m.model = "fronius-symo-meter"; /* where its registers are, it tells itself */
    assert_true(meter_files_fit(&m, why, sizeof why, &ms));
    assert_int_equal(ms, 0);
}

static int set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[700];

    (void)state;
    snprintf(meters, sizeof meters, "%s/meters", srcdir ? srcdir : ".");
    snprintf(temporary, sizeof temporary, "%s/chargehand-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(temporary))
        return -1;
    find_shipped("", "");
    find_shipped("/sunspec", "sunspec/");
    snprintf(env, sizeof env, "%s:%s", temporary, meters);
    return setenv("CHARGEHAND_METERS", env, 1);
}

static int tear_down(void **state)
{
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s/s.yaml", temporary);
    unlink(path);
    return rmdir(temporary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),    cmocka_unit_test(test_conventions),
        cmocka_unit_test(test_wrong_kind), cmocka_unit_test(test_own_first),
        cmocka_unit_test(test_etc_first),  cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_fit),        cmocka_unit_test(time_on_the_line),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
