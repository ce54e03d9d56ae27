/* SPDX-License-Identifier: Apache-2.0 */
/* How the policies rank: a table of cars behind one fuse and what each of them gets.
 * All are on L1 of 230 V with 6 to 16 A in steps of 0.1 A unless a row says otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "laxity.h"
#include "policy.h"

enum { CARS = 3, KWH = 1000, H = 3600000, MINUTE = 60000, MET = -1 };

extern const struct policy policy_skeleton; /* skeleton.c */

struct car {
    int there; /* 1 = it takes part */
    int32_t priority, weight;
    int64_t waited_ms, arrived_ms, departs_ms; /* it departs: 0 = not told */
    int32_t turns, had_wh, energy_wh; /* it wants: 0 = not told, MET = nothing */
    int phases, held;                 /* 0 phases = 1 */
    int32_t expected_ma;
};

#define CAR .there = 1

/* clang-format off */
static const struct {
    const char *what, *policy;
    int32_t room_ma;
    struct car cars[CARS];
} rows[] = {
    {"equal: the same for all", "equal", 30000,
     {{CAR, .expected_ma = 10000}, {CAR, .priority = 9, .weight = 5, .expected_ma = 10000},
      {CAR, .had_wh = 9000, .expected_ma = 10000}}},
    {"equal: who has waited longest has its turn", "equal", 13000,
     {{CAR, .waited_ms = 1000, .expected_ma = 0},
      {CAR, .waited_ms = 3000, .expected_ma = 6500},
      {CAR, .waited_ms = 2000, .expected_ma = 6500}}},
    {"equal: but before it who has had fewer turns", "equal", 13000,
     {{CAR, .turns = 3, .waited_ms = 1000, .expected_ma = 6500},
      {CAR, .turns = 4, .waited_ms = 9000, .expected_ma = 6500},
      {CAR, .turns = 4, .waited_ms = 2000, .expected_ma = 0}}},
    {"equal: who is on and has had its turn gives way", "equal", 7000,
     {{CAR, .turns = 1, .expected_ma = 0}, {CAR, .waited_ms = 10, .expected_ma = 7000}}},
    {"equal: who is held does not", "equal", 7000,
     {{CAR, .held = 1, .expected_ma = 7000}, {CAR, .waited_ms = 10, .expected_ma = 0}}},
    {"equal: a wish that is met cuts nobody off", "equal", 20000,
     {{CAR, .energy_wh = MET, .expected_ma = 10000}, {CAR, .expected_ma = 10000}}},

    {"weighted: in proportion", "weighted", 24000,
     {{CAR, .weight = 2, .expected_ma = 16000}, {CAR, .weight = 1, .expected_ma = 8000}}},
    {"weighted: the minimum is for all", "weighted", 24000,
     {{CAR, .weight = 1, .expected_ma = 6000}, {CAR, .weight = 5, .expected_ma = 12000},
      {CAR, .weight = 1, .expected_ma = 6000}}},

    {"priority: the higher in full, the lower its minimum", "priority", 24000,
     {{CAR, .priority = 1, .expected_ma = 8000}, {CAR, .priority = 2, .expected_ma = 16000}}},
    {"priority: within one all alike", "priority", 30000,
     {{CAR, .priority = 2, .expected_ma = 12000}, {CAR, .priority = 2, .expected_ma = 12000},
      {CAR, .priority = 1, .expected_ma = 6000}}},
    {"priority: the lower waits", "priority", 13000,
     {{CAR, .priority = 1, .waited_ms = H, .expected_ma = 0},
      {CAR, .priority = 2, .expected_ma = 6500}, {CAR, .priority = 2, .expected_ma = 6500}}},

    {"fcfs: who came first in full", "fcfs", 26000,
     {{CAR, .arrived_ms = 1000, .expected_ma = 10000},
      {CAR, .arrived_ms = 2000, .expected_ma = 16000}}},
    {"fcfs: a rest below a minimum goes back to the first", "fcfs", 20000,
     {{CAR, .arrived_ms = 1000, .expected_ma = 0},
      {CAR, .arrived_ms = 2000, .expected_ma = 16000}}},
    {"fcfs: parked for a month", "fcfs", 26000,
     {{CAR, .arrived_ms = 700 * (int64_t)H, .expected_ma = 16000},
      {CAR, .arrived_ms = H, .expected_ma = 10000}}},

    {"edf: who leaves first in full", "edf", 26000,
     {{CAR, .departs_ms = 3 * H, .expected_ma = 10000},
      {CAR, .departs_ms = 2 * H, .expected_ma = 16000}}},
    {"edf: who has what was wished for comes last", "edf", 26000,
     {{CAR, .departs_ms = 3 * H, .expected_ma = 16000},
      {CAR, .departs_ms = 2 * H, .energy_wh = MET, .expected_ma = 10000}}},
    {"edf: not told is 12 hours after it came", "edf", 26000,
     {{CAR, .departs_ms = 3 * H, .expected_ma = 10000},
      {CAR, .arrived_ms = 10 * H, .expected_ma = 16000}}},
    {"edf: overdue is first", "edf", 26000,
     {{CAR, .departs_ms = MINUTE, .expected_ma = 10000},
      {CAR, .departs_ms = -5 * H, .expected_ma = 16000}}},
    {"edf: who is held keeps its minimum", "edf", 16000,
     {{CAR, .departs_ms = MINUTE, .expected_ma = 10000},
      {CAR, .departs_ms = 5 * H, .held = 1, .expected_ma = 6000}}},

    {"llf: who can wait least in full", "llf", 26000, /* 2 h and 1/2 h of 16 A to spare */
     {{CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 10000},
      {CAR, .departs_ms = 5 * H / 2, .energy_wh = 7360, .expected_ma = 16000}}},
    {"llf: three phases need a third of the time", "llf", 26000,
     {{CAR, .departs_ms = 3 * H, .energy_wh = 7360, .expected_ma = 16000},
      {CAR, .departs_ms = 3 * H, .energy_wh = 7360, .phases = 3, .expected_ma = 10000}}},
    {"llf: not told is 15 kWh less what it has had", "llf", 26000,
     {{CAR, .departs_ms = 5 * H, .energy_wh = 9000, .expected_ma = 10000},
      {CAR, .departs_ms = 5 * H, .had_wh = 5000, .expected_ma = 16000}}},
    {"llf: who has what was wished for comes last", "llf", 26000,
     {{CAR, .departs_ms = 9 * H, .energy_wh = 1000, .expected_ma = 16000},
      {CAR, .departs_ms = MINUTE, .energy_wh = MET, .expected_ma = 10000}}},

    {"sllf: all the same laxity, all the same current", "sllf", 20000,
     {{CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 10000},
      {CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 10000}}},
    {"sllf: a minute more is a fifth of the maximum less", "sllf", 20000,
     {{CAR, .departs_ms = 3 * H + MINUTE, .energy_wh = 3680, .expected_ma = 8400},
      {CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 11600}}},
    {"sllf: ten minutes more wait", "sllf", 20000,
     {{CAR, .departs_ms = 3 * H + 10 * MINUTE, .energy_wh = 3680, .expected_ma = 0},
      {CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 16000}}},
    {"sllf: who has what was wished for comes last", "sllf", 26000,
     {{CAR, .departs_ms = 9 * H, .energy_wh = 1000, .expected_ma = 16000},
      {CAR, .departs_ms = MINUTE, .energy_wh = MET, .expected_ma = 10000}}},
    {"sllf: a year is within the kernel's numbers", "sllf", 26000,
     {{CAR, .departs_ms = 8760 * (int64_t)H, .energy_wh = 3680, .expected_ma = 10000},
      {CAR, .departs_ms = 3 * H, .energy_wh = 3680, .expected_ma = 16000}}},

    {"energy-fair: the same for who has had the same", "energy-fair", 20000,
     {{CAR, .had_wh = 5000, .expected_ma = 10000}, {CAR, .had_wh = 5000, .expected_ma = 10000}}},
    {"energy-fair: who has had less catches up", "energy-fair", 20000,
     {{CAR, .had_wh = 5230, .expected_ma = 8000}, {CAR, .had_wh = 5000, .expected_ma = 12000}}},
    {"energy-fair: the last has its minimum", "energy-fair", 20000,
     {{CAR, .had_wh = 9000, .expected_ma = 6000}, {CAR, .had_wh = 5000, .expected_ma = 14000}}},
    {"energy-fair: three phases take in three times as much", "energy-fair", 24000,
     {{CAR, .phases = 3, .expected_ma = 8000}, {CAR, .expected_ma = 16000}}},

    {"skeleton: the last hour first", "skeleton", 26000,
     {{CAR, .arrived_ms = 2 * H, .expected_ma = 10000},
      {CAR, .arrived_ms = MINUTE, .expected_ma = 16000}}},
    {"skeleton: the last is admitted first", "skeleton", 13000,
     {{CAR, .arrived_ms = 3 * MINUTE, .expected_ma = 0},
      {CAR, .arrived_ms = 2 * MINUTE, .expected_ma = 6500},
      {CAR, .arrived_ms = MINUTE, .expected_ma = 6500}}},
};
/* clang-format on */

static const struct policy *find(const char *name)
{
    const struct policy *p = policy_by_name(name);

    return strcmp(name, policy_skeleton.name) == 0 ? &policy_skeleton : p;
}

static void rank(const struct policy *policy, const struct car *c,
                 struct share_car *out)
{
    struct policy_car p = {
        .priority = c->priority,
        .weight = c->weight ? c->weight : 1,
        .waited_ms = c->waited_ms,
        .arrived_ms = c->arrived_ms,
        .turns = c->turns,
        .had_wh = c->had_wh,
        .departs_ms = c->departs_ms ? c->departs_ms : INT64_MAX,
        .energy_wh = c->energy_wh == MET ? 0
                     : c->energy_wh      ? c->energy_wh
                                         : EVENT_NO_VALUE,
        .min_ma = 6000,
        .max_ma = 16000,
        .n_phases = c->phases ? c->phases : 1,
        .voltage_mv = 230000,
    };

    *out = (struct share_car){.phases = c->phases == 3 ? 7 : 1,
                              .held = c->held,
                              .min_ma = 6000,
                              .max_ma = 16000,
                              .step_ma = 100,
                              .sun_ma = SHARE_NO_SUN};
    policy->rank(&p, out);
}

static void test_ranks(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        int parent = SITE_NONE, n = 0;
        int64_t room[1][SHARE_ROWS] = {
            {rows[r].room_ma, 100000, 100000, SHARE_NO_LIMIT, SHARE_NO_LIMIT}};
        int32_t unbalance = 0;
        struct share_tree tree = {1, &parent, room, &unbalance};
        const struct policy *policy = find(rows[r].policy);
        struct share_car cars[CARS];
        void *scratch = malloc(share_size(1, CARS));

        assert_non_null(policy);
        for (int i = 0; i < CARS && rows[r].cars[i].there; i++)
            rank(policy, &rows[r].cars[i], &cars[n++]);
        share(&tree, cars, n, policy->admission, scratch);
        assert_int_equal(share_check(&tree, cars, n, scratch), 0);
        free(scratch);
        for (int i = 0; i < n; i++) {
            if (cars[i].current_ma == rows[r].cars[i].expected_ma)
                continue;
            print_error("%s: car %d gets %d mA, not %d\n", rows[r].what, i,
                        cars[i].current_ma, rows[r].cars[i].expected_ma);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* Whatever a car is like, the kernel can reckon with its rank. */
static void test_ranges(void **state)
{
    static const int64_t times[] = {INT64_MAX, -8760 * (int64_t)H, 0, 1,
                                    8760 * (int64_t)H};
    static const int32_t energies[] = {EVENT_NO_VALUE, 0, 1, INT32_MAX};

    (void)state;
    for (int p = 0; policies[p]; p++)
        for (size_t t = 0; t < sizeof times / sizeof *times; t++)
            for (size_t e = 0; e < 4; e++)
                for (int big = 0; big <= 1; big++) {
                    struct policy_car car = {
                        .priority = 10 * big,
                        .weight = big ? 1000000 : 1,
                        .waited_ms = big * 8760 * (int64_t)H,
                        .arrived_ms = big * 8760 * (int64_t)H,
                        .turns = big * 1000000,
                        .had_wh = big * INT32_MAX,
                        .departs_ms = times[t],
                        .energy_wh = energies[e],
                        .max_ma = big ? SITE_MAX_MA : 1,
                        .n_phases = big ? 3 : 1,
                        .voltage_mv = big ? 300000 : 90000,
                    };
                    struct share_car out = {0};

                    policies[p]->rank(&car, &out);
                    assert_in_range(out.weight, 1, 1 << 20);
                    assert_true(out.offset_ma <= INT64_C(1) << 35);
                    assert_true(out.offset_ma >= -(INT64_C(1) << 35));
                }
}

static void test_table(void **state)
{
    (void)state;
    assert_string_equal(policies[0]->name, "equal"); /* the default */
    for (int p = 0; policies[p]; p++) {
        assert_ptr_equal(policy_by_name(policies[p]->name), policies[p]);
        assert_true(strlen(policies[p]->help) > 0 && strlen(policies[p]->help) < 80);
    }
    assert_null(policy_by_name("skeleton"));
    assert_null(policy_by_name(""));
}

static void test_laxity(void **state)
{
    struct policy_car car = {.departs_ms = 2 * H,
                             .energy_wh = 3680,
                             .max_ma = 16000,
                             .n_phases = 1,
                             .voltage_mv = 230000};

    (void)state;
    assert_int_equal(laxity_ms(&car), H);
    car.n_phases = 3;
    assert_int_equal(laxity_ms(&car), 2 * H - H / 3);
    car.departs_ms = INT64_MAX;
    car.arrived_ms = 11 * H + H / 2;
    assert_int_equal(laxity_departs_ms(&car), H); /* it stays longer than assumed */
    car.energy_wh = EVENT_NO_VALUE;
    car.had_wh = 20000;
    assert_int_equal(laxity_energy_wh(&car), KWH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_laxity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
