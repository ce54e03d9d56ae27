/* SPDX-License-Identifier: Apache-2.0 */
/* Points -> requests: never more registers than the device takes, values together with
 * their scale factors, and what happens when a request is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/plan.h"

#define HEAD "format: 1\nid: x\nname: X\nkind: meter\n"

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

/* "f4:0+6 s4:70+2 -..." : pace, function, address, registers; - = dropped. */
static void describe(const struct plan *p, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < p->n_blocks; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s%c%d:%d+%d", i ? " " : "",
                              p->blocks[i].dropped ? "-" : "", "fst"[p->blocks[i].pace],
                              p -> blocks[i].fc, p->blocks[i].at, p->blocks[i].n);
}

#define SDM                                                                            \
    "defaults: {fc: 4, type: f32}\npoints:\n  v: {at: [0, 2, 4]}\n"                    \
    "  i: {at: [6, 8, 10], sign: pp}\n  pp: {at: [12, 14, 16]}\n"                      \
    "  hz: {at: 70}\n  e_imp: {at: 72}\n"

static const struct {
    const char *what, *text;
    int offset;
    const char *want;
} cases[] = {
    {"one request", HEAD "limits: {max_regs: 18}\n" SDM, 0, "f4:0+18 s4:70+4"},
    {"a small device", HEAD "limits: {max_regs: 10}\n" SDM, 0,
     "f4:0+10 f4:10+8 s4:70+4"},
    {"one value a request", HEAD "limits: {max_regs: 2}\n" SDM, 0,
     "f4:0+2 f4:2+2 f4:4+2 f4:6+2 f4:8+2 f4:10+2 f4:12+2 f4:14+2 f4:16+2 s4:70+2 "
     "s4:72+2"},
    {"moved", HEAD "limits: {max_regs: 18}\n" SDM, 1000, "f4:1000+18 s4:1070+4"},
    {"gaps not allowed",
     HEAD "limits: {max_regs: 50, max_gap: 0}\npoints:\n"
          "  v: {at: [0, 2, 4]}\n  pp: {at: [1, 7, 9]}\n",
     0, "f3:0+3 f3:4+1 f3:7+1 f3:9+1"},
    {"gaps of two allowed",
     HEAD "limits: {max_regs: 50, max_gap: 2}\npoints:\n"
          "  v: {at: [0, 2, 4]}\n  pp: {at: [1, 7, 10]}\n",
     0, "f3:0+11"},
    {"both functions",
     HEAD "limits: {max_regs: 50, max_gap: 9}\npoints:\n"
          "  v: {at: [0, 1, 2]}\n  pp: {at: [3, 4, 5], fc: 4}\n",
     0, "f3:0+3 f4:3+3"},
    {"a request of its own",
     HEAD "limits: {max_regs: 50, max_gap: 9}\npoints:\n"
          "  v: {at: [0, 1, 2]}\n  pp: {at: [3, 4, 5]}\n"
          "  p: {at: 6, block: true}\n",
     0, "f3:0+6 f3:6+1"},
    {"scale factors come along",
     HEAD "limits: {max_regs: 7, max_gap: 0}\npoints:\n"
          "  v: {at: [0, 1, 2], sf: 5}\n"
          "  pp: {at: [10, 11, 12], sf: 8}\n",
     0, "f3:0+6 f3:8+5"},
    {"differences",
     HEAD "limits: {max_regs: 8, max_gap: 0}\nstatic: [hz]\n"
          "points:\n  v: {at: [3, 4, 5]}\n  hz: {at: 50}\n"
          "  pp: {at: [0, 1, 2], minus: [20, 21, 22]}\n",
     0, "f3:0+6 f3:20+3 t3:50+1"},
};

static void test_plan(void **state)
{
    static struct plan p;
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct definition *d = parse(cases[i].text);

        assert_true(plan_make(&p, d, cases[i].offset));
        describe(&p, text, sizeof text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].what, text);
        definition_free(d);
    }
}

static void test_split(void **state)
{
    static struct plan p;
    char text[400];
    struct definition *d =
        parse(HEAD "limits: {max_regs: 50, max_gap: 10}\npoints:\n"
                   "  v: {at: [0, 1, 2]}\n  pp: {at: [3, 4, 5]}\n"
                   "  hz: {at: 20, optional: true}\n  e_imp: {at: 22}\n");

    (void)state;
    assert_true(plan_make(&p, d, 0));
    describe(&p, text, sizeof text);
    assert_string_equal(text, "f3:0+6 s3:20+3");
    p.blocks[0].valid = true;
    assert_true(plan_split(&p, 1));
    describe(&p, text, sizeof text);
    assert_string_equal(text, "f3:0+6 s3:20+1 s3:22+1");
    assert_true(p.blocks[0].valid);  /* the others stay as they are */
    assert_true(plan_split(&p, 1));  /* optional: dropped */
    assert_false(plan_split(&p, 2)); /* not optional */
    describe(&p, text, sizeof text);
    assert_string_equal(text, "f3:0+6 -s3:20+1 s3:22+1");
    assert_int_equal(plan_count(&p, PACE_SLOW), 1);
    assert_true(plan_split(&p, 0));
    describe(&p, text, sizeof text);
    assert_string_equal(text, "f3:0+3 f3:3+3 -s3:20+1 s3:22+1");
    definition_free(d);
}

static void test_words(void **state)
{
    static struct plan p;
    struct definition *d = parse(HEAD "limits: {max_regs: 18}\n" SDM);

    (void)state;
    assert_true(plan_make(&p, d, 0));
    assert_null(plan_words(&p, 4, 0, 2)); /* not read yet */
    p.blocks[0].valid = true;
    p.blocks[0].regs[16] = 7;
    assert_non_null(plan_words(&p, 4, 16, 2));
    assert_int_equal(*plan_words(&p, 4, 16, 2), 7);
    assert_null(plan_words(&p, 4, 17, 2)); /* half of it is elsewhere */
    assert_null(plan_words(&p, 3, 16, 2));
    assert_null(plan_words(&p, 4, 70, 2));
    /* 56 bytes of 10 bits at 9600 baud, 30 ms turnaround, 50 ms pause */
    assert_int_equal(plan_bus_ms(&p, d, PACE_FAST), (20 + 36) * 10000 / 9600 + 80);
    definition_free(d);
}

/* A register that two requests cover: the factor of this one, the value of that one,
 * are of two moments. */
static void test_pair(void **state)
{
    static struct plan p;
    struct definition *d =
        parse(HEAD "limits: {max_regs: 20, max_gap: 0}\npoints:\n"
                   "  pp: {at: [0, 1, 2], sf: 5}\n  v: {at: [30, 31, 32]}\n"
                   "  hz: {at: 6, sf: 4}\n"
                   "  e_imp: {at: 10, sf: 5}\n");
    const uint16_t *w, *factor = NULL;
    char text[400];

    (void)state;
    assert_true(plan_make(&p, d, 0));
    describe(&p, text, sizeof text);
    assert_string_equal(text, "f3:0+6 f3:30+3 s3:4+7");
    p.blocks[0].valid = true;
    p.blocks[0].regs[5] = 1;
    p.blocks[2].regs[1] = 2;
    assert_null(plan_pair(&p, 3, 10, 1, 5, &factor)); /* not of this request */
    p.blocks[2].valid = true;
    w = plan_pair(&p, 3, 10, 1, 5, &factor);
    assert_ptr_equal(w, &p.blocks[2].regs[6]);
    assert_int_equal(*factor, 2);
    w = plan_pair(&p, 3, 0, 1, 5, &factor);
    assert_ptr_equal(w, &p.blocks[0].regs[0]);
    assert_int_equal(*factor, 1);
    definition_free(d);
}

/* However a block is split, a value and its scale factor stay in one request. */
static void test_split_keeps_pairs(void **state)
{
    static struct plan p;
    struct definition *d =
        parse(HEAD "limits: {max_regs: 50, max_gap: 50}\npoints:\n"
                   "  v: {at: [0, 1, 2], sf: 9}\n  pp: {at: [3, 4, 5], sf: 9}\n");

    (void)state;
    assert_true(plan_make(&p, d, 0));
    for (int round = 0; round < 5; round++)
        for (int i = p.n_blocks - 1; i >= 0; i--)
            plan_split(&p, i);
    assert_int_equal(p.n_blocks, 6);
    for (int i = 0; i < p.n_blocks; i++)
        p.blocks[i].valid = true;
    for (int at = 0; at < 6; at++) {
        const uint16_t *factor = NULL;

        assert_non_null(plan_pair(&p, 3, at, 1, 9, &factor));
        assert_non_null(factor);
    }
    definition_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_split_keeps_pairs),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
