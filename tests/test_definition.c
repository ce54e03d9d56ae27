/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of meter definitions: what it takes and, rule by rule, what it refuses and
 * with which words. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/definition.h"
#include "meter/vector.h"

#define HEAD "format: 1\nid: x\nname: X\nkind: meter\n"
#define POINTS                                                                         \
    "points:\n"                                                                        \
    "  v: {at: [0, 1, 2]}\n"                                                           \
    "  i: {at: [3, 4, 5], sign: pp}\n"                                                 \
    "  pp: {at: [6, 7, 8], type: i16}\n"

/* ---- tests/meters/bad: in each file's first lines stands what is wrong with it ----
 */

static char folder[300];

static int is_yaml(const struct dirent *f)
{
    size_t n = strlen(f->d_name);

    return n > 5 && strcmp(f->d_name + n - 5, ".yaml") == 0;
}

/* The errors that the file expects: its lines that begin with "# ". */
static void expected(const char *file, const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; strncmp(text, "# ", 2) == 0; text += strcspn(text, "\n") + 1)
        n += (size_t)snprintf(out + n, size - n, "%s:%.*s\n", file,
                              (int)strcspn(text, "\n") - 2, text + 2);
    if (n == 0)
        fail_msg("%s does not tell in its first line what is wrong", file);
}

static void refuse(const char *file)
{
    static struct meter_errors e;
    static char text[8000], want[8000], got[8000];
    struct definition *d;
    char path[600], id[64];
    size_t length;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(id, sizeof id, "%.*s", (int)strlen(file) - 5, file);
    f = fopen(path, "r");
    assert_non_null(f);
    length = fread(text, 1, sizeof text - 1, f);
    text[length] = '\0';
    fclose(f);
    expected(file, text, want, sizeof want);
    memset(&e, 0, sizeof e);
    e.file = file;
    d = definition_parse(text, length, id, &e);
    assert_int_equal(d == NULL, e.n > 0);
    if (d)
        definition_prove(d, &e);
    definition_free(d);
    assert_string_equal(meter_errors_text(&e, got, sizeof got), want);
}

static void test_bad_files(void **state)
{
    struct dirent **files;
    int of_rule[11] = {0}, rule;
    int n = scandir(folder, &files, is_yaml, alphasort);

    (void)state;
    assert_in_range(n, 90, 1000);
    for (int i = 0; i < n; i++) {
        refuse(files[i]->d_name);
        if (sscanf(files[i]->d_name, "rule%d-", &rule) == 1 && rule <= 10)
            of_rule[rule]++;
        free(files[i]);
    }
    free(files);
    for (int i = 1; i <= 10; i++)
        if (of_rule[i] == 0)
            fail_msg("there is no file that breaks rule %d", i);
}

static void test_sound(void **state)
{
    static const char *const texts[] = {
        HEAD POINTS,
        HEAD "limits: {direction: none}\npoints:\n  i: {at: [0, 1, 2]}\n",
        HEAD "limits: {direction: current}\npoints:\n  i: {at: [0, 1, 2], type: i16}\n",
        HEAD "points:\n  v: {at: [0, 1, 2]}\n  pp: {at: [6, 7, 8], type: i16}\n",
    };
    static const enum def_current current[] = {DEF_DIRECTED, DEF_UNDIRECTED,
                                               DEF_DIRECTED, DEF_DIRECTED};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct meter_errors e;
        struct definition *d = definition_parse(texts[i], strlen(texts[i]), "x", &e);

        assert_int_equal(e.n, 0);
        assert_int_equal(definition_current(d), current[i]);
        definition_free(d);
    }
}

/* The limits on what a stranger's file can make us do. */
static void test_limits(void **state)
{
    static struct meter_errors e = {.file = "f"};
    size_t n = DEF_MAX_BYTES + 1;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', n);
    assert_null(definition_parse(text, n, NULL, &e));
    assert_string_equal(e.list[0].text, "the file is larger than 262144 bytes");
    memset(&e, 0, sizeof e);
    for (size_t i = 0; i < n - 2; i += 2)
        memcpy(text + i, i ? "1," : " [", 2);
    assert_null(definition_parse(text, n - 1, NULL, &e));
    assert_string_equal(e.list[0].text, "the file has too many parts");
    free(text);
}

/* Every text that is cut short must be refused or taken, and leak nothing. */
static void test_truncated(void **state)
{
    static const char text[] =
        HEAD "bus: {via: [tcp], serial: 9600 8N1}\n" POINTS
             "probe: {point: v1, ok: [80, 300]}\ntest:\n- regs: {0: [1, 2]}\n"
             "  want: {v1: 1, v2: null}\nsources: [\"a\"]\n";

    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        static struct meter_errors e;

        memset(&e, 0, sizeof e);
        struct definition *d = definition_parse(text, n, NULL, &e);

        assert_int_equal(d == NULL, e.n > 0);
        definition_free(d);
    }
}

static void test_fields(void **state)
{
    static struct meter_errors e = {.file = "f"};
    static const char text[] =
        HEAD "bus: {via: [tcp, rtutcp], unit: 7, serial: 19200 8E2, port: 1502,\n"
             "  gap_ms: 30, timeout_ms: 900, connect_ms: 2000, max_conn: 1}\n"
             "limits: {max_regs: 40, max_gap: 3}\n"
             "defaults: {fc: 4, type: i32, order: ws, na: abb}\n"
             "points:\n"
             "  i: {at: [0x10, 0x12, 0x14], x: -0.001, unit: A}\n"
             "  pp: {at: [32, 34, 36], minus: [42, 44, 46], unit: kW, ok: [-5, 5]}\n"
             "  e_imp: {at: 50, type: u64, order: be, fc: 3, na: [0, 0xFFFF]}\n"
             "invert: pp\n";
    struct definition *d = definition_parse(text, strlen(text), "x", &e);
    const struct point *p;

    (void)state;
    assert_non_null(d);
    assert_true(d->bus.tcp && d->bus.rtutcp && !d->bus.rtu);
    assert_int_equal(d->bus.unit, 7);
    assert_int_equal(d->bus.baud, 19200);
    assert_int_equal(d->bus.parity, 'E');
    assert_int_equal(d->bus.stop_bits, 2);
    assert_int_equal(d->bus.port, 1502);
    assert_int_equal(d->bus.connect_ms, 2000);
    assert_int_equal(d->max_regs, 40);
    p = &d->points[d->by_quantity[QUANTITY_I]];
    assert_int_equal(p->at[2], 0x14);
    assert_int_equal(p->x.m, -1);
    assert_int_equal(p->x.e, -3);
    assert_int_equal(p->order, WORDS_WS);
    assert_int_equal(p->pace, PACE_FAST);
    p = &d->points[d->by_quantity[QUANTITY_PP]];
    assert_int_equal(p->minus[1], 44);
    assert_int_equal(p->unit_exp, 3);
    assert_true(p->ok_max == 5000);
    assert_true(d->invert[QUANTITY_PP] && !d->invert[QUANTITY_P]);
    p = &d->points[d->by_quantity[QUANTITY_E_IMP]];
    assert_int_equal(p->fc, 3);
    assert_int_equal(p->na.n, 2);
    assert_int_equal(p->pace, PACE_SLOW);
    definition_free(d);
}

/* A test vector that does not hold says where and what it got. */
static void test_vector_fails(void **state)
{
    static struct meter_errors e = {.file = "f"};
    static const char text[] =
        HEAD POINTS "test:\n- regs: {0: 230, 3: 5}\n"
                    "  want: {v1: 231, i1: null, p1: 0, hz: 50}\n";
    struct definition *d = definition_parse(text, strlen(text), "x", &e);
    char out[1000];

    (void)state;
    assert_non_null(d);
    assert_false(vector_run(d, &d->vectors[0], &e));
    assert_string_equal(meter_errors_text(&e, out, sizeof out),
                        "f:11:14: test: v1 gives 230.000\n"
                        "f:11:23: test: i1 gives 5.000\n"
                        "f:11:40: test: hz gives no value\n");
    definition_free(d);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t m;
        int e;
    } table[] = {
        {"0", true, 0, 0},           {"12", true, 12, 0},
        {"0x1F", true, 31, 0},       {"-0.001", true, -1, -3},
        {"230.10", true, 23010, -2}, {"012", false, 0, 0},
        {"00.1", false, 0, 0},       {"1.", false, 0, 0},
        {".5", false, 0, 0},         {"1e3", false, 0, 0},
        {"", false, 0, 0},           {"-", false, 0, 0},
        {"0x", false, 0, 0},         {"1.2.3", false, 0, 0},
        {"inf", false, 0, 0},        {"nan", false, 0, 0},
        {"1_000", false, 0, 0},      {"1234567890123", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct decimal d = {0, 0};

        assert_int_equal(number_decimal(table[i].text, &d), table[i].good);
        assert_true(!table[i].good || (d.m == table[i].m && d.e == table[i].e));
    }
    int64_t v;
    assert_true(number_integer("9223372036854775807", &v));
    assert_false(number_integer("9223372036854775808", &v));
    assert_false(number_integer("-1", &v));
    assert_true(number_scale(2301, (struct decimal){1, -1}, 3) == 230100);
    assert_true(number_scale(16, (struct decimal){-25, -1}, 0) == -40);
}

int main(void)
{
    const char *srcdir = getenv("srcdir");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),    cmocka_unit_test(test_sound),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_fields),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_vector_fails),
    };

    snprintf(folder, sizeof folder, "%s/tests/meters/bad", srcdir ? srcdir : ".");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
