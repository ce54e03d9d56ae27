/* SPDX-License-Identifier: Apache-2.0 */
/* Turns on a Modbus line, in virtual time: how old the grid connection's reading can
 * get, and how long a round of all takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "io/bus_turn.h"
#include "io/meter_files.h"
#include "meter/plan.h"

enum { METERS = 40 };

struct line {
    struct bus_turn t[METERS];
    int n, last;
    int64_t now_ms;
    int64_t read_ms[METERS]; /* begin of the last read */
    int64_t longest_ms[METERS];
    int reads[METERS];
};

static void init(struct line *l, int n, int interval_ms)
{
    *l = (struct line){.n = n, .last = -1};
    for (int i = 0; i < n; i++)
        l->t[i] = (struct bus_turn){.first_served = i == 0,
                                    .interval_ms = interval_ms,
                                    .cost_ms = BUS_TURN_COST_MS};
}

/* One read that takes took_ms and then rests for pause_ms. */
static int step(struct line *l, const int *took_ms, const int *pause_ms)
{
    int64_t at_ms;
    int i;

    while (i = bus_turn_next(l->t, l->n, l->last, l->now_ms, &at_ms), at_ms > l->now_ms)
        l->now_ms = at_ms; /* as the bus does: it asks again then */
    if (l->reads[i]++ && l->now_ms - l->read_ms[i] > l->longest_ms[i])
        l->longest_ms[i] = l->now_ms - l->read_ms[i];
    l->read_ms[i] = l->now_ms;
    l->now_ms += took_ms[i];
    l->last = i;
    bus_turn_done(&l->t[i], l->read_ms[i], l->now_ms, pause_ms[i]);
    return i;
}

static const struct {
    const char *what;
    int n, took_ms, interval_ms;
    int first_ms, others_ms; /* longest period */
} cases[] = {
    {"alone", 1, 200, 1000, 1000, 0},
    {"two, with time to spare", 2, 200, 1000, 1000, 1400},
    {"ten on a slow line", 10, 190, 1000, 1000, 3000},
    {"thirty", 30, 190, 1000, 1000, 9000},
    {"as long as the interval", 3, 1000, 1000, 2000, 4000},
    {"longer than the interval: every other one", 4, 1500, 1000, 3000, 9000},
};

static void test_periods(void **state)
{
    int took_ms[METERS], pause_ms[METERS] = {0};

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct line l;

        init(&l, cases[k].n, cases[k].interval_ms);
        for (int i = 0; i < METERS; i++)
            took_ms[i] = cases[k].took_ms;
        while (l.now_ms < 600000)
            step(&l, took_ms, pause_ms);
        if (l.longest_ms[0] > cases[k].first_ms)
            fail_msg("%s: the first waited %lld ms", cases[k].what,
                     (long long)l.longest_ms[0]);
        for (int i = 1; i < l.n; i++)
            if (l.reads[i] == 0 || l.longest_ms[i] > cases[k].others_ms)
                fail_msg("%s: %d waited %lld ms", cases[k].what, i,
                         (long long)l.longest_ms[i]);
    }
}

/* Of a silent one, which costs two time-outs, the first served hears only when it is
 * tried. */
static void test_silent(void **state)
{
    int took_ms[METERS] = {190, 190, 2000, 190}, pause_ms[METERS] = {0, 0, 60000, 0};
    struct line l;

    (void)state;
    init(&l, 4, 1000);
    while (l.now_ms < 600000)
        step(&l, took_ms, pause_ms);
    assert_in_range(l.longest_ms[0], 1000, 2400);
    assert_in_range(l.reads[0], 580, 700);
    assert_in_range(l.reads[2], 9, 11);
}

/* Ten SDM630 on one line of 9600 baud, by the computed bus time and with their slow
 * blocks: the acceptance figures. */
static void test_ten_sdm630(void **state)
{
    char err[300];
    struct definition *d = meter_files_load("eastron-sdm630", err, sizeof err);
    static struct plan p;
    int took_ms[METERS], slow_ms, pause_ms[METERS] = {0};
    int64_t slow_due_ms[METERS] = {0}, longest_ms = 0;
    struct line l;

    (void)state;
    if (!d)
        fail_msg("%s", err);
    assert_true(plan_make(&p, d, 0));
    slow_ms = plan_bus_ms(&p, d, PACE_SLOW);
    init(&l, 10, 1000);
    while (l.now_ms < 600000) {
        int i;

        for (i = 0; i < l.n; i++)
            took_ms[i] = plan_bus_ms(&p, d, PACE_FAST) +
                         (slow_due_ms[i] <= l.now_ms ? slow_ms : 0);
        i = step(&l, took_ms, pause_ms);
        if (slow_due_ms[i] <= l.read_ms[i])
            slow_due_ms[i] = l.read_ms[i] + 10000;
    }
    for (int i = 1; i < l.n; i++)
        if (l.longest_ms[i] > longest_ms)
            longest_ms = l.longest_ms[i];
    print_message("read %d ms, the grid's every %lld ms, a round %lld ms\n",
                  plan_bus_ms(&p, d, PACE_FAST), (long long)l.longest_ms[0],
                  (long long)longest_ms);
    assert_in_range(l.longest_ms[0], 1, 1000);
    assert_in_range(longest_ms, 1, 5999);
    definition_free(d);
}

static int set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[300];

    (void)state;
    snprintf(env, sizeof env, "%s/meters", srcdir ? srcdir : ".");
    return setenv("CHARGEHAND_METERS", env, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_ten_sdm630),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
