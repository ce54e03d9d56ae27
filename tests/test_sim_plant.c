/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on each second: what is over a limit, and when the controller is to
 * blame for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sim/plant.h"

/* grid 63 A and 20 kW; below it a feeder of 32 A with both connectors */
static const struct site_circuit circuits[] = {
    {.name = "grid", .parent = SITE_NONE, .limit_ma = {63000, 63000, 63000}},
    {.name = "feeder", .parent = 0, .limit_ma = {32000, 32000, 32000}},
};
static const struct site_circuit with_power[] = {
    {.name = "grid",
     .parent = SITE_NONE,
     .limit_ma = {63000, 63000, 63000},
     .power_limit_w = 20000},
    {.name = "feeder", .parent = 0, .limit_ma = {32000, 32000, 32000}},
};
static const struct site_connector connectors[] = {{.circuit = 1}, {.circuit = 0}};

static struct site site_of(const struct site_circuit *c)
{
    return (struct site){.voltage_mv = 230000,
                         .n_circuits = 2,
                         .circuits = c,
                         .n_connectors = 2,
                         .connectors = connectors};
}

enum { STEPS = 6, REACTION_MS = 5000 };

/* From at_s on: base load of the grid circuit, of the feeder, current of the car on the
 * feeder, all on L1, in A. */
struct step {
    int at_s, grid_a, feeder_a, car_a;
};

static void test_verdicts(void **state)
{
    static const struct {
        const char *what;
        struct step steps[STEPS];
        int seconds;
        int64_t over_s, by_control_s;
        int32_t worst_a;
    } cases[] = {
        {"full to the limit is not over", {{0, 0, 0, 32}}, 10, 0, 0, 0},
        {"the car alone", {{0, 0, 0, 33}}, 10, 10, 10, 1},
        {"the car for three seconds",
         {{0, 0, 0, 10}, {4, 0, 0, 34}, {7, 0, 0, 10}},
         10,
         3,
         3,
         2},
        {"the base load by itself, with a car", {{0, 70, 0, 16}}, 10, 10, 0, 23},
        {"the base load rises, the car goes in time",
         {{0, 40, 0, 20}, {20, 50, 0, 20}, {24, 50, 0, 10}},
         40,
         4,
         0,
         7},
        {"the base load rises, the car stays: blame when the reaction time is over",
         {{0, 40, 0, 20}, {20, 50, 0, 20}},
         40,
         20,
         16,
         7},
        {"a rise that does not explain all of it",
         {{0, 40, 0, 20}, {10, 40, 0, 25}, {20, 41, 0, 25}},
         25,
         15,
         15,
         3},
        {"the car rises in the same second as the base load",
         {{0, 40, 0, 10}, {20, 45, 0, 20}, {22, 45, 0, 10}},
         30,
         2,
         0,
         2},
        {"the base load falls and comes back: the fall was not to be used up",
         {{0, 40, 0, 20}, {10, 30, 0, 20}, {20, 40, 0, 30}, {22, 40, 0, 20}},
         30,
         2,
         0,
         7},
        {"an old dip is no excuse",
         {{0, 40, 0, 20}, {10, 30, 0, 20}, {12, 40, 0, 20}, {20, 40, 0, 30}},
         25,
         5,
         5,
         7},
        {"a load below counts above", {{0, 50, 20, 0}}, 10, 10, 0, 7},
        {"sun goes: that is a rise",
         {{0, 0, -20, 50}, {10, 0, 0, 50}, {13, 0, 0, 30}},
         20,
         3,
         0,
         18},
        {"over in two circuits is one second", {{0, 60, 0, 33}}, 10, 10, 10, 30},
    };
    struct site site = site_of(circuits);
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_plant *p = sim_plant_new(&site, REACTION_MS);
        const struct sim_verdict *v = sim_plant_verdict(p);
        const struct step *next = cases[i].steps;

        print_message("%s\n", cases[i].what);
        for (int s = 0; s <= cases[i].seconds; s++) {
            int64_t now_ms = s * INT64_C(1000);

            if (s > 0)
                sim_plant_second(p, now_ms);
            while (next < cases[i].steps + STEPS && next->at_s == s &&
                   (s > 0 || next == cases[i].steps)) {
                int32_t grid[] = {next->grid_a * 1000, 0, 0};
                int32_t feeder[] = {next->feeder_a * 1000, 0, 0};
                int32_t car[] = {next->car_a * 1000, 0, 0};

                sim_plant_set_base(p, now_ms, 0, grid);
                sim_plant_set_base(p, now_ms, 1, feeder);
                sim_plant_set_car(p, 0, car);
                next++;
            }
        }
        assert_int_equal(v->seconds, cases[i].seconds);
        assert_int_equal(v->over_s, cases[i].over_s);
        assert_int_equal(v->by_control_s, cases[i].by_control_s);
        assert_int_equal(v->worst_ma, cases[i].worst_a * 1000);
        sim_plant_free(p);
    }
}

/* Something short between two seconds is seen, too. */
static void test_within_a_second(void **state)
{
    struct site site = site_of(circuits);
    struct sim_plant *p = sim_plant_new(&site, REACTION_MS);
    static const int32_t much[] = {0, 40000, 0}, none[SITE_PHASES];
    (void)state;

    sim_plant_set_car(p, 0, much);
    sim_plant_look(p, 1300);
    sim_plant_set_car(p, 0, none);
    sim_plant_look(p, 1400);
    sim_plant_second(p, 2000);
    sim_plant_second(p, 3000);
    assert_int_equal(sim_plant_verdict(p)->over_s, 1);
    assert_int_equal(sim_plant_verdict(p)->by_control_s, 1);
    assert_int_equal(sim_plant_verdict(p)->first_circuit, 1);
    assert_int_equal(sim_plant_verdict(p)->first_ms, 1300);
    sim_plant_free(p);
}

static void test_power(void **state)
{
    struct site site = site_of(with_power);
    struct sim_plant *p = sim_plant_new(&site, REACTION_MS);
    static const int32_t car[] = {30000, 30000, 30000}, base[] = {0, 0, -9000};
    (void)state;

    sim_plant_set_car(p, 1, car); /* 20.7 kW */
    sim_plant_second(p, 1000);
    assert_int_equal(sim_plant_power_w(p, 0), 20700);
    sim_plant_set_base(p, 1000, 0, base); /* 18.63 kW */
    sim_plant_second(p, 2000);
    assert_int_equal(sim_plant_verdict(p)->power_over_s, 1);
    assert_int_equal(sim_plant_verdict(p)->power_by_control_s, 1);
    assert_int_equal(sim_plant_verdict(p)->worst_w, 700);
    assert_int_equal(sim_plant_verdict(p)->over_s, 0); /* these are phases only */
    assert_int_equal(sim_plant_verdict(p)->peak_w, 20700);
    assert_int_equal(sim_plant_verdict(p)->peak_cars_w, 20700);
    sim_plant_free(p);
}

/* More changes than are kept: the excuse gets smaller, never larger. */
static void test_a_busy_base_load(void **state)
{
    struct site site = site_of(circuits);
    struct sim_plant *p = sim_plant_new(&site, 1000000);
    int32_t base[SITE_PHASES] = {0}, car[] = {33000, 0, 0};
    (void)state;

    for (int i = 0; i < 2000; i++) {
        base[0] = i % 2 ? 31000 : 30000;
        sim_plant_set_base(p, i, 0, base);
    }
    sim_plant_set_car(p, 1, car); /* 64 A; 63 A with the base load as it was */
    sim_plant_second(p, 2000);
    assert_int_equal(sim_plant_verdict(p)->over_s, 1);
    assert_int_equal(sim_plant_verdict(p)->by_control_s, 0);
    car[0] = 33001;
    sim_plant_set_car(p, 1, car);
    sim_plant_second(p, 3000);
    assert_int_equal(sim_plant_verdict(p)->by_control_s, 1);
    sim_plant_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_within_a_second),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_a_busy_base_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
