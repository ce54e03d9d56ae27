/* SPDX-License-Identifier: Apache-2.0 */
/* Which readings are doubted, and the cause that is told: a table of cases. Then the
 * direction of currents and transformer ratios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/explain.h"
#include "meter/plausible.h"

#define NO EVENT_NO_VALUE
#define V230                                                                           \
    {                                                                                  \
        230000, 230000, 230000                                                         \
    }

struct doubt_case {
    const char *what;
    int32_t v_mv[3], i_ma[3], p_w[3], total_w;
    const char *text; /* "" = believed */
};

static void fill(struct meter_reading *r, const struct doubt_case *c)
{
    reading_clear(r);
    memcpy(r->v_mv, c->v_mv, sizeof r->v_mv);
    memcpy(r->i_ma, c->i_ma, sizeof r->i_ma);
    memcpy(r->p_phase_w, c->p_w, sizeof r->p_phase_w);
    r->p_w = c->total_w;
}

/* clang-format off */
static const struct doubt_case hard[] = {
    {"normal", {230000, 231000, 229000}, {10000, 0, -3000}, {2300, 0, -687}, NO, ""},
    {"lowest and highest", {80000, 300000, 230000}, {0, 0, 0}, {0, 0, 0}, NO, ""},
    {"120 V and 277 V", {120000, 277000, 120000}, {0, 0, 0}, {0, 0, 0}, NO, ""},
    {"too low", {79999, 230000, 230000}, {0, 0, 0}, {0, 0, 0}, NO,
     "L1 reads 80.0 V: wrong model, unit or word order?"},
    {"too high", {230000, 300001, 230000}, {0, 0, 0}, {0, 0, 0}, NO,
     "L2 reads 300.0 V, as between two phases: wrong model, or no neutral wire at the "
     "meter?"},
    {"between phases", {400000, 400000, 400000}, {0, 0, 0}, {0, 0, 0}, NO,
     "L1 reads 400.0 V, as between two phases: wrong model, or no neutral wire at the "
     "meter?"},
    {"tenths of a volt", {23010, 23000, 23000}, {0, 0, 0}, {0, 0, 0}, NO,
     "L1 reads 23.0 V, 10 times too small: wrong model?"},
    {"hundredths taken for volts", {23010000, 23000000, 23000000}, {0, 0, 0}, {0, 0, 0},
     NO, "L1 reads 23010.0 V, 100 times too large: wrong model?"},
    {"kV", {230, 230, 230}, {5000, 0, 0}, {0, 0, 0}, NO,
     "L1 reads 0.2 V, 1000 times too small: wrong model?"},
    {"negative", {230000, 230000, -5}, {0, 0, 0}, {0, 0, 0}, NO,
     "L3 reads -0.0 V: wrong model, unit or word order?"},
    {"swapped words of an integer", {INT32_MAX, 230000, 230000}, {0, 0, 0}, {0, 0, 0},
     NO, "L1 reads 2147483.6 V: wrong model, unit or word order?"},
    {"one phase is wired", {230000, 0, 100}, {5000, 0, 10}, {1150, 0, 0}, NO, ""},
    {"current without voltage", {230000, 0, 0}, {5000, 5000, 0}, {1150, 0, 0}, NO,
     "L2 reads 0.0 V but 5.0 A: its voltage is not connected, or wrong model or unit?"},
    {"all zero is another device", {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, NO,
     "no voltage on any phase: wrong model or unit?"},
    {"no currents", V230, {NO, NO, NO}, {0, 0, 0}, NO,
     "gives no current on any phase: wrong model, or asleep?"},
    {"no voltages", {NO, NO, NO}, {1, 2, 3}, {0, 0, 0}, NO, ""},
    {"another model's words", {NO, NO, NO}, {10000001, 0, 0}, {0, 0, 0}, NO,
     "L1 reads 10000 A: wrong model or word order?"},
    {"the highest power", V230, {1000, 0, 0}, {230, 0, 0}, -9000000, ""},
    {"too high a power", V230, {1000, 0, 0}, {230, 0, 0}, -9000001,
     "the total power reads -9000001 W: wrong model or word order?"},
    {"clamps of 50 to 5 A, the meter set to 1", V230, {1000, 0, 0}, {2300, 0, 0}, NO,
     "L1 reads 2300 W but 230.0 V and 1.0 A: 10 times V * I: wrong transformer ratio, "
     "or wrong model?"},
    {"the same on all phases", V230, {1000, 2000, 500}, {9200, 18400, 4600}, NO,
     "L1 reads 9200 W but 230.0 V and 1.0 A: 40 times V * I: wrong transformer ratio, "
     "or wrong model?"},
    {"the current has it, the power has not", V230, {0, 0, -99000}, {0, 0, -2300}, NO,
     "L3 reads -2300 W but 230.0 V and -99.0 A: V * I is 9.9 times that: wrong "
     "transformer ratio, or wrong model?"},
    {"kW taken for W", V230, {10000, 5000, 0}, {2300000, 1150000, 0}, NO,
     "L1 reads 2300000 W but 230.0 V and 10.0 A: kW taken for W: wrong model?"},
    {"two phases swapped", V230, {2000, 20000, 5000}, {4600, 460, 1150}, NO,
     "L1 reads 4600 W but 230.0 V and 2.0 A: are L1 and L2 swapped?"},
    {"two devices' answers", V230, {2000, 20000, 5000}, {9000, 4600, 1150}, NO,
     "L1 reads 9000 W but 230.0 V and 2.0 A: wrong model, or another device with the "
     "same unit?"},
    {"below 1 kW it is not looked at", V230, {1000, 0, 0}, {1000, 0, 0}, NO, ""},
    {"reactive: 5 kVA, 500 W", V230, {21700, 0, 0}, {500, 0, 0}, NO, ""},
    {"factor of just 3", V230, {10000, 0, 0}, {6900, 0, 0}, NO, ""},
};

static const struct doubt_case soft[] = {
    {"agrees", V230, {10000, 5000, -2000}, {2300, 1150, -460}, 2990, ""},
    {"a step between two requests", V230, {10000, 5000, 0}, {2300, 1150, 0}, 4500, ""},
    {"no total", V230, {10000, 5000, 0}, {2300, 1150, 0}, NO, ""},
    {"a phase is missing", V230, {10000, 5000, 0}, {2300, 1150, NO}, 20000, ""},
    {"the total counts the other way", V230, {10000, 10000, 10000}, {2300, 2300, 2300},
     -6900,
     "the phases sum up to 6900 W, the total reads -6900 W: one of them counts the "
     "other way round: wrong model?"},
    {"magnitudes are added up", V230, {10000, -10000, 10000}, {2300, -2300, 2300}, 6900,
     "the phases sum up to 2300 W, the total reads 6900 W: it adds up export as import, "
     "too: see its settings"},
    {"a clamp turned round", V230, {10000, -5000, 20000}, {2300, -1150, -4600}, 5750,
     "the phases sum up to -3450 W, the total reads 5750 W: is the transformer of L3 "
     "turned round?"},
    {"another unit", V230, {10000, 5000, 5000}, {2300, 1150, 1150}, 46000,
     "the phases sum up to 4600 W, the total reads 46000 W: 10 times too large"},
    {"another device's total", V230, {10000, 5000, 5000}, {2300, 1150, 1150}, 19000,
     "the phases sum up to 4600 W, the total reads 19000 W: wrong model, or another "
     "device with the same unit?"},
    {"voltages of L1 and L2 swapped", V230, {10000, 10000, 10000}, {-1150, -1150, 2300},
     NO, "L1 and L2: power is minus half of V * I: are their currents or voltages "
     "swapped?"},
    {"all moved on", V230, {10000, 12000, 8000}, {-1150, -1380, -920}, -3450,
     "power is minus half of V * I on all phases: are voltages and currents of "
     "different phases?"},
    {"export is not that", V230, {-10000, -10000, 10000}, {-2290, -2290, 2300}, NO, ""},
    {"nor is one phase", V230, {10000, 10000, 10000}, {-1150, 2300, 2300}, NO, ""},
};
/* clang-format on */

static void check(const struct doubt_case *c, bool good, const char *text)
{
    if (good != (*c->text == '\0') || strcmp(text, c->text) != 0)
        fail_msg("%s: %s", c->what, text);
}

static void test_hard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        struct meter_reading r;
        char text[160] = "";

        fill(&r, &hard[i]);
        check(&hard[i], reading_plausible(&r, NULL, text, sizeof text), text);
    }
}

static void test_soft(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof soft / sizeof soft[0]; i++) {
        struct meter_reading r;
        char text[160] = "";

        fill(&r, &soft[i]);
        assert_true(reading_plausible(&r, NULL, text, sizeof text));
        check(&soft[i], reading_agrees(&r, text, sizeof text), text);
    }
}

/* A message that has no room is cut off, not more. */
static void test_short_text(void **state)
{
    struct meter_reading r;
    char text[20] = "";

    (void)state;
    fill(&r, &hard[19]);
    assert_false(reading_plausible(&r, NULL, text, sizeof text));
    assert_string_equal(text, "L1 reads 2300 W but");
}

/* What does not agree may be two moments; ten times in a row it is not. */
static void test_belief(void **state)
{
    struct belief b = {0};
    struct meter_reading good, odd, bad;
    char text[160];

    (void)state;
    fill(&good, &soft[0]);
    fill(&odd, &soft[4]);
    fill(&bad, &hard[3]);
    for (int i = 0; i < 9; i++)
        assert_true(reading_believed(&b, &odd, NULL, text, sizeof text));
    assert_true(reading_believed(&b, &good, NULL, text, sizeof text));
    assert_false(reading_believed(&b, &bad, NULL, text, sizeof text));
    for (int i = 0; i < 9; i++)
        assert_true(reading_believed(&b, &odd, NULL, text, sizeof text));
    for (int i = 0; i < 20; i++)
        assert_false(reading_believed(&b, &odd, NULL, text, sizeof text));
    assert_true(reading_believed(&b, &good, NULL, text, sizeof text));
}

/* Three times the limit for a minute. */
static void test_misfit(void **state)
{
    static const int32_t limit_ma[] = {63000, 63000, 25000};
    static const struct {
        const char *what;
        int64_t at_s;
        int32_t i_ma[3];
        int want;
    } steps[] = {
        {"fits", 1, {189000, 0, -75000}, SITE_NONE},
        {"no value", 2, {NO, NO, NO}, SITE_NONE},
        {"too much", 3, {0, 0, 75001}, SITE_NONE},
        {"not long enough", 62, {0, 0, 80000}, SITE_NONE},
        {"long enough", 63, {0, 0, 80000}, 2},
        {"fits again", 64, {0, 0, 75000}, SITE_NONE},
        {"export counts, too", 65, {-189001, 0, 0}, SITE_NONE},
        {"... on any phase", 125, {0, 400000, 0}, 1},
        {"the largest", 126, {-INT32_MAX, 0, 0}, 0},
    };
    struct misfit m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (reading_misfit(&m, steps[i].i_ma, limit_ma, steps[i].at_s * 1000) !=
            steps[i].want)
            fail_msg("%s", steps[i].what);
}

/* An inverter at night has nothing to say, and that is all right. */
static void test_asleep(void **state)
{
    struct definition d = {.kind = DEF_INVERTER};
    struct meter_reading r;
    char text[160];

    (void)state;
    reading_clear(&r);
    assert_true(reading_plausible(&r, &d, text, sizeof text));
    memset(r.v_mv, 0, sizeof r.v_mv);
    memset(r.i_ma, 0, sizeof r.i_ma);
    assert_true(reading_plausible(&r, &d, text, sizeof text));
    r.hz_mhz = 500000; /* ten times too much: none */
    reading_drop_dead(&r);
    assert_int_equal(r.v_mv[0], NO);
    assert_int_equal(r.i_ma[0], 0);
    assert_int_equal(r.hz_mhz, NO);
    r.hz_mhz = 50000;
    reading_drop_dead(&r);
    assert_int_equal(r.hz_mhz, 50000);
}

static void test_direction(void **state)
{
    static const struct {
        const char *what;
        int32_t i_ma, p_w, v_mv, want;
    } table[] = {
        {"import", 10000, 2300, 230000, 10000},
        {"export", 10000, -2300, 230000, -10000},
        {"near 0 W", 1140, -2, 230000, 1140},
        {"not clearly", 10000, -230, 230000, 10000},
        {"clearly", 10000, -231, 230000, -10000},
        {"its own sign does not count", -10000, 2300, 230000, 10000},
        {"without power", -10000, NO, 230000, -10000},
        {"without current", NO, -2300, 230000, NO},
        {"without voltage", 10000, -231, NO, -10000},
        {"the largest", INT32_MAX, -INT32_MAX, 300000, -INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (reading_directed(table[i].i_ma, table[i].p_w, table[i].v_mv) !=
            table[i].want)
            fail_msg("%s", table[i].what);
}

static void test_transform(void **state)
{
    struct meter_reading r;

    (void)state;
    reading_clear(&r);
    r.i_ma[0] = 1234;
    r.i_ma[1] = -2000000000;
    r.p_phase_w[0] = -283;
    r.p_w = 283;
    r.v_mv[0] = 230000;
    r.import_wh = 12345678901;
    reading_transform(&r, 50000000); /* 250/5 A */
    assert_int_equal(r.i_ma[0], 61700);
    assert_int_equal(r.i_ma[1], -INT32_MAX); /* implausible, not wrapped round */
    assert_int_equal(r.i_ma[2], NO);
    assert_int_equal(r.p_phase_w[0], -14150);
    assert_int_equal(r.p_w, 14150);
    assert_int_equal(r.v_mv[0], 230000);
    assert_int_equal(r.import_wh, 617283945050);
    assert_int_equal(r.export_wh, EVENT_NO_ENERGY);
}

/* ---- the order of words ---- */

static struct definition *parse(const char *text)
{
    static struct meter_errors e;
    struct definition *d;

    memset(&e, 0, sizeof e);
    e.file = "x";
    d = definition_parse(text, strlen(text), NULL, &e);
    assert_non_null(d);
    return d;
}

/* 230 V and 10 A as floats in each order; the definition says another one. */
static void test_word_order(void **state)
{
    static const struct {
        const char *order;
        uint16_t v[2], i[2], p[2];
    } devices[] = {{"be", {0x4366, 0}, {0x4120, 0}, {0x450F, 0xC000}},
                   {"ws", {0, 0x4366}, {0, 0x4120}, {0xC000, 0x450F}},
                   {"bs", {0x6643, 0}, {0x2041, 0}, {0x0F45, 0x00C0}},
                   {"le", {0, 0x6643}, {0, 0x2041}, {0x00C0, 0x0F45}}};
    static const char *const orders[] = {"be", "ws", "bs", "le"};

    (void)state;
    for (int o = 0; o < 4; o++)
        for (int n = 0; n < 4; n++) {
            static struct plan p;
            char file[300], text[160];
            struct definition *d;
            struct meter_reading r;
            struct decode how;
            const char *said;

            snprintf(file, sizeof file,
                     "format: 1\nid: x\nname: X\nkind: meter\nphases: 1\n"
                     "defaults: {type: f32, order: %s}\nlimits: {max_regs: 8}\n"
                     "points:\n  v: {at: 0}\n  i: {at: 2, sign: pp}\n"
                     "  pp: {at: 4}\n",
                     orders[o]);
            d = parse(file);
            how = (struct decode){.layout = d, .device = d};
            assert_true(plan_make(&p, d, 0));
            p.blocks[0].valid = true;
            memcpy(&p.blocks[0].regs[0], devices[n].v, sizeof devices[n].v);
            memcpy(&p.blocks[0].regs[2], devices[n].i, sizeof devices[n].i);
            memcpy(&p.blocks[0].regs[4], devices[n].p, sizeof devices[n].p);
            decode_reading(&how, &p, &r);
            assert_int_equal(reading_plausible(&r, d, text, sizeof text), o == n);
            said = explain_word_order(&how, &p);
            assert_non_null(said);
            assert_string_equal(said, devices[n].order);
            assert_true(definition_set_order(d, devices[n].order));
            decode_reading(&how, &p, &r);
            assert_int_equal(r.v_mv[0], 230000);
            assert_int_equal(r.i_ma[0], 10000);
            d->ct_ppm = 2000000;
            decode_reading(&how, &p, &r);
            assert_int_equal(r.i_ma[0], 20000);
            assert_int_equal(r.p_phase_w[0], 4600);
            p.blocks[0].regs[0] = p.blocks[0].regs[1] = 0xFFFF; /* nothing fits */
            assert_null(explain_word_order(&how, &p));
            assert_false(definition_set_order(d, "eb"));
            definition_free(d);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hard),       cmocka_unit_test(test_soft),
        cmocka_unit_test(test_belief),     cmocka_unit_test(test_misfit),
        cmocka_unit_test(test_short_text), cmocka_unit_test(test_asleep),
        cmocka_unit_test(test_direction),  cmocka_unit_test(test_transform),
        cmocka_unit_test(test_word_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
