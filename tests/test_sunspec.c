/* SPDX-License-Identifier: Apache-2.0 */
/* The walk along a SunSpec chain, fed with answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/sunspec.h"

struct word {
    int at, word;
};

#define SUNS(base)                                                                     \
    {base, 0x5375},                                                                    \
    {                                                                                  \
        (base) + 1, 0x6E53                                                             \
    }
#define MODEL(at, id, len)                                                             \
    {at, id},                                                                          \
    {                                                                                  \
        (at) + 1, len                                                                  \
    }
#define END(at)                                                                        \
    {at, 0xFFFF},                                                                      \
    {                                                                                  \
        (at) + 1, 0                                                                    \
    }

static const struct {
    const char *what, *sunspec;
    struct word words[24]; /* the rest is refused */
    enum walk_state state;
    int id, at, requests;
    const char *text;
} cases[] = {
    {"the first base",
     "{use: 203}",
     {SUNS(40000), MODEL(40002, 1, 65), MODEL(40069, 203, 105), END(40176)},
     WALK_FOUND,
     203,
     40069,
     3,
     NULL},
    {"the third base",
     "{use: 203}",
     {SUNS(50000), MODEL(50002, 203, 105), END(50109)},
     WALK_FOUND,
     203,
     50002,
     4,
     NULL},
    {"base 0",
     "{use: [213, 203]}",
     {SUNS(0), MODEL(2, 203, 105), END(109)},
     WALK_FOUND,
     203,
     2,
     3,
     NULL},
    {"a base of one's own",
     "{base: 30000, use: 203}",
     {SUNS(40000), MODEL(40002, 203, 105)},
     WALK_NOT_FOUND,
     0,
     0,
     1,
     "no SunSpec device: nothing at register 30000"},
    {"nobody there",
     "{use: 203}",
     {{-1, 0}},
     WALK_NOT_FOUND,
     0,
     0,
     3,
     "no SunSpec device: nothing at register 40000 0 50000"},
    {"another device there",
     "{use: 203}",
     {{40000, 1}, {40001, 2}},
     WALK_NOT_FOUND,
     0,
     0,
     3,
     "no SunSpec device: nothing at register 40000 0 50000"},
    {"no such model",
     "{use: [203, 213]}",
     {SUNS(40000), MODEL(40002, 1, 66), MODEL(40070, 103, 50), END(40122)},
     WALK_NOT_FOUND,
     0,
     0,
     4,
     "no SunSpec model 203, 213 as number 1; there are 1 103"},
    {"the second one",
     "{use: [203, 213], nth: 2}",
     {SUNS(40000), MODEL(40002, 203, 105), MODEL(40109, 213, 124), END(40235)},
     WALK_FOUND,
     213,
     40109,
     3,
     NULL},
    {"a model shorter than its layout",
     "{use: 203}",
     {SUNS(40000), MODEL(40002, 203, 104), END(40108)},
     WALK_NOT_FOUND,
     0,
     0,
     3,
     "no SunSpec model 203 as number 1; there are 203"},
    {"a longer one will do",
     "{use: 203}",
     {SUNS(40000), MODEL(40002, 203, 110), END(40114)},
     WALK_FOUND,
     203,
     40002,
     2,
     NULL},
    {"the chain breaks off",
     "{use: 203}",
     {SUNS(40000), MODEL(40002, 1, 65)},
     WALK_NOT_FOUND,
     0,
     0,
     3,
     "no SunSpec model 203 as number 1; there are 1"},
    {"the chain runs off the end",
     "{use: 203}",
     {SUNS(40000), MODEL(40002, 1, 65), MODEL(40069, 64001, 30000)},
     WALK_NOT_FOUND,
     0,
     0,
     3,
     "no SunSpec model 203 as number 1; there are 1 64001"},
    {"lengths of 0 do not keep us for ever",
     "{base: 40000, use: 203}",
     {SUNS(40000), MODEL(40002, 7, 0), MODEL(40004, 7, 0), MODEL(40006, 7, 0),
      MODEL(40008, 0, 0)},
     WALK_NOT_FOUND,
     0,
     0,
     5,
     "no SunSpec model 203 as number 1; there are 7 7 7"},
    {"of a maker",
     "{use: 203, match: {Mn: Fr}}",
     {SUNS(40000),
      MODEL(40002, 1, 65),
      {40004, 0x4672},
      {40005, 0x6F6E},
      MODEL(40069, 203, 105),
      END(40176)},
     WALK_FOUND,
     203,
     40069,
     4,
     NULL},
    {"of another maker",
     "{use: 203, match: {Mn: Fr}}",
     {SUNS(40000),
      MODEL(40002, 1, 65),
      {40004, 0x5372},
      MODEL(40069, 203, 105),
      END(40176)},
     WALK_NOT_FOUND,
     0,
     0,
     5,
     "no SunSpec model 203 as number 1; there are 1 203"},
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

static struct definition *layout(int id, int len)
{
    char text[300];

    snprintf(text, sizeof text,
             "format: 1\nid: sunspec-%d\nname: X\nkind: meter\n"
             "sunspec_model: {ids: [%d], len: %d}\n"
             "points:\n  i: {at: [3, 4, 5], sign: pp}\n  pp: {at: [6, 7, 8]}\n",
             id, id, len);
    return parse(text);
}

static bool look_up(const struct word *words, int at, uint16_t *out)
{
    *out = 0;
    for (int i = 0; i < 24; i++)
        if (words[i].at == at && (words[i].at || words[i].word)) {
            *out = (uint16_t)words[i].word;
            return true;
        }
    return false;
}

static void walk(struct sunspec_walk *w, const struct word *words, int *requests)
{
    for (*requests = 0; !sunspec_done(w); ++*requests) {
        uint16_t answer[WALK_WORDS];
        bool there = look_up(words, w->at, &answer[0]);

        assert_in_range(w->n, 1, WALK_WORDS);
        assert_in_range(w->at + w->n, 1, 65536);
        for (int i = 1; i < w->n; i++)
            look_up(words, w->at + i, &answer[i]);
        sunspec_answer(w, there ? answer : NULL);
        assert_in_range(*requests, 0, 200);
    }
}

static void test_walk(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sunspec_walk w;
        struct definition *d;
        char text[300];
        int requests;

        snprintf(text, sizeof text,
                 "format: 1\nid: x\nname: X\nkind: meter\nsunspec: %s\n",
                 cases[i].sunspec);
        d = parse(text);
        definition_add_model(d, layout(203, 105));
        definition_add_model(d, layout(213, 124));
        sunspec_begin(&w, d);
        walk(&w, cases[i].words, &requests);
        sunspec_text(&w, text, sizeof text);
        if (w.state != cases[i].state || requests != cases[i].requests ||
            (cases[i].text && strcmp(text, cases[i].text) != 0))
            fail_msg("%s: state %d after %d requests: %s", cases[i].what, w.state,
                     requests, text);
        if (w.state == WALK_FOUND) {
            assert_int_equal(w.model_id, cases[i].id);
            assert_int_equal(w.model_at, cases[i].at);
        }
        definition_free(d);
    }
}

/* Whatever a device answers, the walk ends and asks for nothing impossible. */
static void test_random(void **state)
{
    unsigned seed = 20261121;
    struct definition *d = parse("format: 1\nid: x\nname: X\nkind: meter\nsunspec: "
                                 "{use: 203, match: {Mn: Q}}\n");

    (void)state;
    print_message("seed %u\n", seed);
    definition_add_model(d, layout(203, 105));
    for (int round = 0; round < 3000; round++) {
        struct sunspec_walk w;

        sunspec_begin(&w, d);
        for (int n = 0; !sunspec_done(&w); n++) {
            uint16_t answer[WALK_WORDS];

            assert_in_range(w.n, 1, WALK_WORDS);
            assert_in_range(w.at, 0, 65536 - w.n);
            assert_in_range(n, 0, 300);
            for (int i = 0; i < WALK_WORDS; i++)
                answer[i] = (uint16_t)(rand_r(&seed) % (round % 2 ? 65536 : 4));
            if (w.state == WALK_MARK && rand_r(&seed) % 2)
                memcpy(answer, (uint16_t[]){0x5375, 0x6E53}, 4);
            sunspec_answer(&w, rand_r(&seed) % 20 ? answer : NULL);
        }
    }
    definition_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
