/* SPDX-License-Identifier: Apache-2.0 */
/* All definitions that are shipped: they load, their tests pass, what is encoded by one
 * is decoded again; and how files are found. */
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

#include "io/meter_files.h"
#include "meter/encode.h"
#include "meter/vector.h"

static char meters[300];    /* the directory shipped */
static char temporary[300]; /* one of ours */

static const char *const expected[] = {
    "cg-em340",         "chint-dtsu666",    "eastron-sdm630", "fronius-gen24-meter",
    "solaredge-meter1", "sunspec-inverter", "sunspec-meter",  "sunspec/103",
    "sunspec/113",      "sunspec/203",      "sunspec/213",
};

static void test_shipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        static struct meter_errors e;
        struct definition *d;
        char path[400], text[4000];
        int passed = 0;

        snprintf(path, sizeof path, "%s/%s.yaml", meters, expected[i]);
        memset(&e, 0, sizeof e);
        e.file = path;
        d = meter_files_load_path(path, &e);
        if (!d)
            fail_msg("%s", meter_errors_text(&e, text, sizeof text));
        assert_in_range(d->n_vectors, 1, 100);
        for (int k = 0; k < d->n_vectors; k++) {
            assert_in_range(d->vectors[k].n_wants, 1, 100);
            passed += vector_run(d, &d->vectors[k], &e);
        }
        if (passed != d->n_vectors)
            fail_msg("%s", meter_errors_text(&e, text, sizeof text));
        if (!d->is_model && !d->sunspec.used)
            assert_in_range(d->probe.point, 0, DEF_POINTS);
        definition_free(d);
    }
}

/* The list above is the directory's: a file that is added is tested. */
static void test_list(void **state)
{
    struct meter_file *list;
    int n = meter_files_list(&list), found = 0;

    (void)state;
    for (int i = 0; i < n; i++)
        if (strncmp(list[i].path, meters, strlen(meters)) == 0) {
            bool known = false;

            for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
                known = known || strcmp(expected[k], list[i].name) == 0;
            if (!known)
                fail_msg("%s is not tested", list[i].path);
            found++;
        }
    assert_int_equal(found, 7);
    free(list);
}

/* ---- encode and decode ---- */

static uint16_t memory[2][65536];

static void put(void *arg, int fc, int at, uint16_t word)
{
    (void)arg;
    assert_in_range(fc, 3, 4);
    assert_in_range(at, 0, 65535);
    memory[fc - 3][at] = word;
}

static void read_all(struct plan *p)
{
    for (int i = 0; i < p->n_blocks; i++) {
        struct block *b = &p->blocks[i];

        memcpy(b->regs, &memory[b->fc - 3][b->at], (size_t)b->n * sizeof b->regs[0]);
        b->valid = true;
    }
}

static void near(const char *what, int64_t got, int64_t want, int64_t most)
{
    if (got - want > most || want - got > most)
        fail_msg("%s: %lld, not %lld", what, (long long)got, (long long)want);
}

static void test_round_trip(void **state)
{
    static struct plan p;
    unsigned seed = 4711;

    (void)state;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 7 * 50; round++) {
        char err[2000];
        struct definition *d = meter_files_load(expected[round % 7], err, sizeof err);
        struct decode job = {.layout = d, .device = d};
        struct meter_reading r, got;
        bool meter;

        assert_non_null(d);
        meter = d->kind == DEF_METER;
        if (d->sunspec.used) {
            job.layout = d->models[0];
            job.offset = encode_chain(d, put, NULL);
        }
        reading_clear(&r);
        r.p_w = 0;
        for (int i = 0; i < SITE_PHASES; i++) {
            r.v_mv[i] = 200000 + (int32_t)(rand_r(&seed) % 60000);
            r.i_ma[i] = (int32_t)(rand_r(&seed) % 600000) - (meter ? 300000 : 600000);
            r.p_phase_w[i] = (int32_t)((int64_t)r.v_mv[i] * r.i_ma[i] / 1000000);
            r.p_w += r.p_phase_w[i];
        }
        r.hz_mhz = 50010;
        r.import_wh = 123456700;
        r.export_wh = 8900;
        encode_reading(&job, &r, put, NULL);
        assert_true(plan_make(&p, job.layout, job.offset));
        read_all(&p);
        decode_reading(&job, &p, &got);
        for (int i = 0; i < SITE_PHASES; i++) {
            near(d->id, got.v_mv[i], r.v_mv[i], 50);
            near(d->id, got.i_ma[i], r.i_ma[i], 50);
            if (meter)
                near(d->id, got.p_phase_w[i], r.p_phase_w[i], 50);
        }
        near(d->id, got.p_w, r.p_w, 150);
        near(d->id, got.hz_mhz, 50010, 50);
        near(d->id, got.export_wh, 8900, 100);
        if (meter)
            near(d->id, got.import_wh, 123456700, 100);
        definition_free(d);
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
    assert_non_null(strstr(err, "no sound file sunspec/*.yaml describes model 999"));
    write_file("s.yaml", "");
}

static void test_fit(void **state)
{
    static const struct {
        const char *model;
        enum meter_role role;
        const char *why; /* NULL = it fits */
    } rows[] = {
        {"eastron-sdm630", METER_CIRCUIT, NULL},
        {"eastron-sdm630", METER_SOLAR, NULL}, /* a meter in front of the inverter */
        {"sunspec-inverter", METER_SOLAR, NULL},
        {"sunspec-inverter", METER_CIRCUIT,
         "\"sunspec-inverter\" is an inverter and measures no circuit: role: solar"},
        {"sunspec/203", METER_CIRCUIT, NULL}, /* set below */
        {"sdm630", METER_CIRCUIT, "there is no meter model \"sdm630\""},
    };
    char why[200], layout[400];

    (void)state;
    snprintf(layout, sizeof layout, "%s/sunspec/203.yaml", meters);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_layout = strchr(rows[i].model, '/') != NULL;
        struct conf_meter m = {.model = is_layout ? layout : rows[i].model,
                               .role = rows[i].role};
        const char *wanted =
            is_layout ? "is the layout of a SunSpec model" : rows[i].why;

        assert_int_equal(meter_files_fit(&m, why, sizeof why), wanted == NULL);
        if (wanted && !strstr(why, wanted))
            fail_msg("%s: '%s' is not in: %s", m.model, wanted, why);
    }
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
        cmocka_unit_test(test_shipped),    cmocka_unit_test(test_list),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_own_first),
        cmocka_unit_test(test_unknown),    cmocka_unit_test(test_fit),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
