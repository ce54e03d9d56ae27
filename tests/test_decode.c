/* SPDX-License-Identifier: Apache-2.0 */
/* Words -> values: every type and order, factors, signs, what is missing; then
 * counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/decode.h"
#include "meter/plausible.h"

static const struct {
    const char *what;
    enum value_type type;
    enum word_order order;
    enum na_rule na;
    uint16_t words[4];
    bool good;
    double want;
    bool lossy; /* the words are not the only ones for that value */
} raws[] = {
    {"u16", TYPE_U16, WORDS_BE, NA_NONE, {0xFFFE}, true, 65534, false},
    {"u16 words swapped is the same", TYPE_U16, WORDS_WS, NA_NONE, {1}, true, 1, false},
    {"u16 bytes swapped", TYPE_U16, WORDS_BS, NA_NONE, {0x0100}, true, 1, false},
    {"u16 little endian", TYPE_U16, WORDS_LE, NA_NONE, {0x3412}, true, 0x1234, false},
    {"i16", TYPE_I16, WORDS_BE, NA_NONE, {0xFFFE}, true, -2, false},
    {"i16 lowest", TYPE_I16, WORDS_BE, NA_NONE, {0x8000}, true, -32768, false},
    {"u32", TYPE_U32, WORDS_BE, NA_NONE, {0x1234, 0x5678}, true, 0x12345678, false},
    {"u32 ws", TYPE_U32, WORDS_WS, NA_NONE, {0x5678, 0x1234}, true, 0x12345678, false},
    {"u32 bs", TYPE_U32, WORDS_BS, NA_NONE, {0x3412, 0x7856}, true, 0x12345678, false},
    {"u32 le", TYPE_U32, WORDS_LE, NA_NONE, {0x7856, 0x3412}, true, 0x12345678, false},
    {"i32", TYPE_I32, WORDS_BE, NA_NONE, {0xFFFF, 0xFFFE}, true, -2, false},
    {"i32 ws", TYPE_I32, WORDS_WS, NA_NONE, {0x8E8C, 0xFFFF}, true, -29044, false},
    {"u64", TYPE_U64, WORDS_BE, NA_NONE, {0, 1, 2, 3}, true, 4295098371.0, false},
    {"u64 ws", TYPE_U64, WORDS_WS, NA_NONE, {3, 2, 1, 0}, true, 4295098371.0, false},
    {"u64 bs",
     TYPE_U64,
     WORDS_BS,
     NA_NONE,
     {0, 256, 512, 768},
     true,
     4295098371.0,
     false},
    {"u64 le",
     TYPE_U64,
     WORDS_LE,
     NA_NONE,
     {768, 512, 256, 0},
     true,
     4295098371.0,
     false},
    {"i64",
     TYPE_I64,
     WORDS_BE,
     NA_NONE,
     {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD},
     true,
     -3,
     false},
    {"f32", TYPE_F32, WORDS_BE, NA_NONE, {0xC568, 0xE000}, true, -3726, false},
    {"f32 ws", TYPE_F32, WORDS_WS, NA_NONE, {0xE000, 0xC568}, true, -3726, false},
    {"f32 bs", TYPE_F32, WORDS_BS, NA_NONE, {0x68C5, 0x00E0}, true, -3726, false},
    {"f32 le", TYPE_F32, WORDS_LE, NA_NONE, {0x00E0, 0x68C5}, true, -3726, false},
    {"f64", TYPE_F64, WORDS_BE, NA_NONE, {0x3FF8, 0, 0, 0}, true, 1.5, false},
    {"f64 ws", TYPE_F64, WORDS_WS, NA_NONE, {0, 0, 0, 0x3FF8}, true, 1.5, false},
    {"f64 le", TYPE_F64, WORDS_LE, NA_NONE, {0, 0, 0, 0xF83F}, true, 1.5, false},
    {"f32 zero", TYPE_F32, WORDS_BE, NA_NONE, {0, 0}, true, 0, false},
    {"f32 NaN", TYPE_F32, WORDS_BE, NA_NONE, {0x7FC0, 0}, false, 0, false},
    {"f32 signalling NaN", TYPE_F32, WORDS_BE, NA_NONE, {0xFF80, 1}, false, 0, true},
    {"f32 infinite", TYPE_F32, WORDS_BE, NA_NONE, {0x7F80, 0}, false, 0, true},
    {"f32 lowest (SolarEdge)",
     TYPE_F32,
     WORDS_BE,
     NA_NONE,
     {0xFF7F, 0xFFFF},
     false,
     0,
     true},
    {"f32 subnormal", TYPE_F32, WORDS_BE, NA_NONE, {0x0000, 0x00E6}, false, 0, true},
    {"f64 NaN", TYPE_F64, WORDS_BE, NA_NONE, {0x7FF8, 0, 0, 0}, false, 0, false},
    {"f64 infinite", TYPE_F64, WORDS_BE, NA_NONE, {0xFFF0, 0, 0, 0}, false, 0, true},
    {"SunSpec u16", TYPE_U16, WORDS_BE, NA_SUNSPEC, {0xFFFF}, false, 0, false},
    {"SunSpec i16", TYPE_I16, WORDS_BE, NA_SUNSPEC, {0x8000}, false, 0, false},
    {"SunSpec i16, -1 is a value",
     TYPE_I16,
     WORDS_BE,
     NA_SUNSPEC,
     {0xFFFF},
     true,
     -1,
     false},
    {"SunSpec u32", TYPE_U32, WORDS_BE, NA_SUNSPEC, {0xFFFF, 0xFFFF}, false, 0, false},
    {"SunSpec i32 ws", TYPE_I32, WORDS_WS, NA_SUNSPEC, {0, 0x8000}, false, 0, false},
    {"SunSpec u64",
     TYPE_U64,
     WORDS_BE,
     NA_SUNSPEC,
     {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF},
     false,
     0,
     false},
    {"SunSpec i64", TYPE_I64, WORDS_BE, NA_SUNSPEC, {0x8000, 0, 0, 0}, false, 0, false},
    {"ABB u32", TYPE_U32, WORDS_BE, NA_ABB, {0xFFFF, 0xFFFF}, false, 0, false},
    {"ABB i32", TYPE_I32, WORDS_BE, NA_ABB, {0x7FFF, 0xFFFF}, false, 0, false},
    {"ABB i16", TYPE_I16, WORDS_BE, NA_ABB, {0x7FFF}, false, 0, false},
    {"not available without a rule is a value",
     TYPE_U16,
     WORDS_BE,
     NA_NONE,
     {0xFFFF},
     true,
     65535,
     false},
};

static void test_raw(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
        struct point p = {
            .type = raws[i].type, .order = raws[i].order, .na.rule = raws[i].na};
        uint16_t back[4] = {0};
        double got = 0;
        bool good = decode_raw(&p, raws[i].words, &got);

        if (good != raws[i].good || (good && got != raws[i].want))
            fail_msg("%s: %d %f", raws[i].what, good, got);
        if (raws[i].lossy)
            continue;
        assert_true(good ? encode_raw(&p, got, back) : encode_na(&p, back));
        if (memcmp(back, raws[i].words, sizeof back[0] * value_type_width(p.type)) != 0)
            fail_msg("%s: not what encode gives back", raws[i].what);
    }
}

static void test_encode_range(void **state)
{
    struct point p = {.type = TYPE_I16};
    uint16_t words[4];

    (void)state;
    assert_true(encode_raw(&p, 32767, words) && words[0] == 0x7FFF);
    assert_true(encode_raw(&p, -32768, words) && words[0] == 0x8000);
    assert_false(encode_raw(&p, 32768, words));
    assert_false(encode_raw(&p, -32769, words));
    p.type = TYPE_U16;
    assert_false(encode_raw(&p, -1, words));
    assert_false(encode_na(&p, words));
}

/* ---- whole readings ---- */

#define HEAD                                                                           \
    "format: 1\nid: x\nname: X\nkind: meter\nlimits: {max_regs: 125, max_gap: 125}\n"

struct word {
    int at, word;
};

static struct definition *parse(const char *text)
{
    static struct meter_errors e;
    char out[2000];
    struct definition *d;

    memset(&e, 0, sizeof e);
    e.file = "x";
    d = definition_parse(text, strlen(text), NULL, &e);
    if (!d)
        fail_msg("%s", meter_errors_text(&e, out, sizeof out));
    return d;
}

/* Decodes these words; all others are 0. */
static struct meter_reading decode(const char *text, const struct word *words,
                                   bool turned)
{
    static struct plan plan;
    struct definition *d = parse(text);
    struct decode job = {.layout = d, .device = d, .turned = turned};
    struct meter_reading r;

    assert_true(plan_make(&plan, d, 0));
    for (int i = 0; i < plan.n_blocks; i++) {
        struct block *b = &plan.blocks[i];

        memset(b->regs, 0, (size_t)b->n * sizeof b->regs[0]);
        for (const struct word *w = words; w->at >= 0; w++)
            if (w->at >= b->at && w->at < b->at + b->n)
                b->regs[w->at - b->at] = (uint16_t)w->word;
        b->valid = true;
    }
    decode_reading(&job, &plan, &r);
    definition_free(d);
    return r;
}

#define WORDS(...)                                                                     \
    (const struct word[])                                                              \
    {                                                                                  \
        __VA_ARGS__,                                                                   \
        {                                                                              \
            -1, 0                                                                      \
        }                                                                              \
    }

static const char plain[] = HEAD "points:\n"
                                 "  v: {at: [0, 1, 2]}\n"
                                 "  i: {at: [3, 4, 5], x: 0.01, sign: pp}\n"
                                 "  pp: {at: [6, 7, 8], type: i16}\n"
                                 "  p: {sum: pp}\n";

static void test_sign(void **state)
{
    static const struct {
        const char *what;
        int v, i, p;
        bool turned;
        int32_t want_ma, want_w;
    } table[] = {
        {"import", 230, 1000, 2300, false, 10000, 2300},
        {"export", 230, 1000, 63236 /* -2300 */, false, -10000, -2300},
        {"turned: import", 230, 1000, 2300, true, -10000, -2300},
        {"turned: export", 230, 1000, 63236, true, 10000, 2300},
        {"reactive: near 0 W the direction is not known", 230, 1000, 65436 /* -100 */,
         false, 10000, -100},
        {"just clear enough", 230, 1000, 65305 /* -231 */, false, -10000, -231},
        {"nothing flows", 230, 0, 0, false, 0, 0},
        {"small export", 230, 10, 65516 /* -20 */, false, -100, -20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct meter_reading r =
            decode(plain, WORDS({0, table[i].v}, {3, table[i].i}, {6, table[i].p}),
                   table[i].turned);

        if (r.i_ma[0] != table[i].want_ma || r.p_phase_w[0] != table[i].want_w)
            fail_msg("%s: %d mA %d W", table[i].what, r.i_ma[0], r.p_phase_w[0]);
        assert_int_equal(r.p_w, table[i].want_w);
        assert_int_equal(r.hz_mhz, EVENT_NO_VALUE);
        assert_true(r.import_wh == EVENT_NO_ENERGY);
    }
}

/* Each phase has its own direction. */
static void test_phases(void **state)
{
    struct meter_reading r =
        decode(plain,
               WORDS({0, 230}, {1, 231}, {2, 229}, {3, 1000}, {4, 500}, {5, 300},
                     {6, 63236}, {7, 1155}, {8, 64849}),
               false);

    (void)state;
    assert_int_equal(r.i_ma[0], -10000);
    assert_int_equal(r.i_ma[1], 5000);
    assert_int_equal(r.i_ma[2], -3000);
    assert_int_equal(r.v_mv[1], 231000);
    assert_int_equal(r.p_w, -2300 + 1155 - 687);
}

static void test_minus_mul(void **state)
{
    static const char good[] =
        HEAD "points:\n"
             "  ct: {at: 50, internal: true}\n"
             "  vt: {at: 51, x: 0.1, internal: true, ok: [0.1, 100]}\n"
             "  v: {at: [0, 1, 2], mul: vt}\n"
             "  i: {at: [3, 4, 5], x: 0.001, mul: [ct], sign: pp}\n"
             "  pp: {at: [6, 7, 8], minus: [16, 17, 18], mul: [ct, vt]}\n"
             "  e_imp: {at: 20, type: u32, unit: Wh}\n"
             "  e_exp: {at: 22, type: u32, unit: Wh}\n";
    struct meter_reading r = decode(good,
                                    WORDS({50, 40}, {51, 10}, {0, 230}, {3, 2500},
                                          {6, 7}, {16, 582}, {21, 5}, {23, 9}),
                                    false);

    (void)state;
    assert_int_equal(r.v_mv[0], 230000);
    assert_int_equal(r.i_ma[0], -100000);
    assert_int_equal(r.p_phase_w[0], -23000);
    assert_int_equal(r.import_wh, 5);
    assert_int_equal(r.export_wh, 9);
    /* turned: import and export change places */
    r = decode(good, WORDS({50, 40}, {51, 10}, {21, 5}, {23, 9}), true);
    assert_int_equal(r.import_wh, 9);
    assert_int_equal(r.export_wh, 5);
    /* a ratio that cannot be is no value, and so is all that needs it */
    r = decode(good, WORDS({50, 40}, {51, 0}, {0, 230}, {3, 2500}, {6, 7}), false);
    assert_int_equal(r.v_mv[0], EVENT_NO_VALUE);
    assert_int_equal(r.p_phase_w[0], EVENT_NO_VALUE);
    assert_int_equal(r.i_ma[0], 100000);
}

static void test_scale_factor(void **state)
{
    static const char text[] =
        HEAD "points:\n"
             "  v: {at: [0, 1, 2], sf: 10}\n"
             "  i: {at: [3, 4, 5], sf: 11, sign: pp}\n"
             "  pp: {at: [6, 7, 8], sf: 12, type: i16, na: sunspec}\n";
    static const struct {
        const char *what;
        int raw, sf;
        int32_t want_mv;
    } table[] = {
        {"-1", 2301, 0xFFFF, 230100},
        {"-2", 23010, 0xFFFE, 230100},
        {"0", 230, 0, 230000},
        {"2", 3, 2, 300000},
        {"not there", 230, 0x8000, INT32_MIN},
        {"11", 230, 11, INT32_MIN},
        {"-11", 230, 0xFFF5, INT32_MIN},
        {"-10", 23, 0xFFF6, 0},
        {"too large for the result", 65535, 10, INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct meter_reading r =
            decode(text, WORDS({0, table[i].raw}, {10, table[i].sf}), false);

        if (r.v_mv[0] != table[i].want_mv)
            fail_msg("scale factor %s: %d mV", table[i].what, r.v_mv[0]);
    }
}

/* What is missing is no value; what follows from the rest is worked out. */
static void test_missing(void **state)
{
    static const char text[] = HEAD "defaults: {na: sunspec}\npoints:\n"
                                    "  v: {at: [0, 1, 2]}\n"
                                    "  i: {at: [3, 4, 5], type: i16}\n"
                                    "  pp: {at: [6, 7, 8], type: i16}\n"
                                    "  p: {at: 9, type: i16}\n"
                                    "  hz: {at: 10, ok: [40, 70]}\n";
    struct meter_reading r =
        decode(text,
               WORDS({0, 230}, {1, 0xFFFF}, {2, 230}, {3, 0x8000}, {4, 0x8000}, {5, 7},
                     {6, 63236}, {7, 100}, {8, 0x8000}, {9, 0x8000}, {10, 500}),
               false);

    (void)state;
    assert_int_equal(r.i_ma[0], -10000); /* from -2300 W at 230 V */
    assert_int_equal(r.v_mv[1], EVENT_NO_VALUE);
    assert_int_equal(r.i_ma[1], EVENT_NO_VALUE); /* without a voltage: no */
    assert_int_equal(r.i_ma[2], 7000);
    assert_int_equal(r.p_phase_w[2], EVENT_NO_VALUE);
    assert_int_equal(r.p_w, EVENT_NO_VALUE); /* a phase is missing */
    assert_int_equal(r.hz_mhz, EVENT_NO_VALUE);
    r = decode(text, WORDS({6, 10}, {7, 20}, {8, 30}, {9, 0x8000}), false);
    assert_int_equal(r.p_w, 60);
}

/* ---- counters, and another model ---- */

static void test_counter(void **state)
{
    static const struct {
        const char *what;
        int64_t at_s, wh, want;
    } steps[] = {
        {"begins", 0, 53700000, 53700000},
        {"goes on", 10, 53700020, 53700020},
        {"falls to 0", 20, 0, 53700020},
        {"recovers", 30, 53700060, 53700060},
        {"no value", 40, EVENT_NO_ENERGY, EVENT_NO_ENERGY},
        {"leaps by a word swap", 50, 3518437208832, 53700060},
        {"recovers again", 60, 53700080, 53700080},
        {"a new meter", 100, 12, 53700080},
        {"... which counts", 400, 30, 53700080},
        {"... almost long enough", 699, 40, 53700080},
        {"... long enough", 700, 41, 41},
        {"goes on with it", 710, 42, 42},
        {"a fall", 720, 5, 42},
        {"another one is not the same", 1000, 3, 42},
        {"so the time counts from there", 1330, 4, 42},
        {"now", 1601, 4, 4},
    };
    struct counter c = {0};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t got = counter_step(&c, steps[i].wh, steps[i].at_s * 1000);

        if (got != steps[i].want)
            fail_msg("%s: %lld", steps[i].what, (long long)got);
    }
}

/* Floats of one meter read as integers of another once were no voltage and a current of
 * 1.7 million amperes. */
static void test_wrong_model(void **state)
{
    static const char text[] = HEAD "defaults: {type: i32, order: ws}\npoints:\n"
                                    "  v: {at: [0, 2, 4], x: 0.1}\n"
                                    "  i: {at: [12, 14, 16], x: 0.001, sign: pp}\n"
                                    "  pp: {at: [18, 20, 22], x: 0.1}\n";
    struct definition *d = parse(text);
    struct meter_reading r = decode(
        text, WORDS({0, 0x4366}, {1, 0x199A}, {12, 0xC568}, {13, 0xE000}), false);
    char why[160];

    (void)state;
    assert_int_equal(r.v_mv[0], INT32_MAX);
    assert_false(reading_plausible(&r, d, why, sizeof why));
    definition_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),         cmocka_unit_test(test_encode_range),
        cmocka_unit_test(test_sign),        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_minus_mul),   cmocka_unit_test(test_scale_factor),
        cmocka_unit_test(test_missing),     cmocka_unit_test(test_counter),
        cmocka_unit_test(test_wrong_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
