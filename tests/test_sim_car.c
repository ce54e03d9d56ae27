/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated cars, connectors and the way a charger answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sim/bay.h"
#include "sim/charger.h"

enum { V230 = 230000 };

static void test_ideal_car(void **state)
{
    static const struct {
        const char *what;
        int64_t wanted_wh;
        int phases;
        int32_t max_ma, min_ma, offered_ma, seconds;
        int32_t i_ma;
        int64_t wh;
        bool full;
    } cases[] = {
        {"one phase, an hour", 20000, 1, 32000, 6000, 16000, 3600, 16000, 3680, false},
        {"three phases", 20000, 3, 16000, 6000, 10000, 3600, 10000, 6900, false},
        {"its own maximum counts", 20000, 1, 16000, 6000, 32000, 3600, 16000, 3680,
         false},
        {"at its minimum it charges", 20000, 1, 16000, 6000, 6000, 3600, 6000, 1380,
         false},
        {"below its minimum nothing", 20000, 1, 16000, 6000, 5900, 3600, 0, 0, false},
        {"no minimum at all", 20000, 1, 16000, 0, 100, 3600, 100, 23, false},
        {"offered nothing", 20000, 1, 16000, 0, 0, 3600, 0, 0, false},
        {"full within the hour", 1000, 1, 16000, 6000, 16000, 3600, 0, 1000, true},
        {"full to the second", 3680, 1, 16000, 6000, 16000, 3600, 0, 3680, true},
        {"wants nothing", 0, 3, 16000, 6000, 16000, 10, 0, 0, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_car c;
        int64_t nj = 0;

        print_message("%s\n", cases[i].what);
        sim_car_ideal(&c, cases[i].wanted_wh, cases[i].phases, cases[i].max_ma,
                      cases[i].min_ma);
        sim_car_offer(&c, cases[i].offered_ma);
        for (int s = 0; s < cases[i].seconds; s++)
            nj += sim_car_step(&c, 1000, V230);
        assert_int_equal(c.i_ma, cases[i].i_ma);
        assert_int_equal(nj, cases[i].wh * SIM_NJ_PER_WH);
        assert_int_equal(sim_car_full(&c), cases[i].full);
    }
}

/* A car that ramps, awake at once. */
static struct sim_car ramping(void)
{
    struct sim_car c;

    sim_car_ideal(&c, 50000, 1, 16000, 6000);
    c.up_ma_s = 2000;
    c.down_ma_s = 8000;
    return c;
}

static void test_ramps(void **state)
{
    static const struct {
        const char *what;
        int32_t from_ma, to_ma, dt_ms, i_ma;
    } cases[] = {
        {"up for a second", 0, 16000, 1000, 2000},
        {"up for half a second", 6000, 16000, 500, 7000},
        {"up and there", 15000, 16000, 1000, 16000},
        {"down for a second", 16000, 6000, 1000, 8000},
        {"down and there", 10000, 6000, 1000, 6000},
        {"off", 16000, 0, 2000, 0},
        {"off in steps of a millisecond", 16000, 0, 1, 15992},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_car c = ramping();

        print_message("%s\n", cases[i].what);
        c.i_ma = cases[i].from_ma;
        sim_car_offer(&c, cases[i].to_ma);
        assert_int_equal(c.i_ma, cases[i].from_ma); /* nothing happens at once */
        sim_car_step(&c, cases[i].dt_ms, V230);
        assert_int_equal(c.i_ma, cases[i].i_ma);
    }
}

static void test_energy_of_a_ramp(void **state)
{
    struct sim_car c = ramping();
    (void)state;

    /* 0 to 6 A in 3 s, then 2 s at 6 A: 9 As + 12 As */
    sim_car_offer(&c, 6000);
    assert_int_equal(sim_car_step(&c, 5000, V230), INT64_C(21000) * 1000 * V230);
}

static void test_wakes_up(void **state)
{
    struct sim_car c = ramping();
    (void)state;

    c.wake_ms = c.asleep_ms = 2500;
    sim_car_offer(&c, 10000);
    sim_car_step(&c, 2500, V230);
    assert_int_equal(c.i_ma, 0);
    sim_car_step(&c, 1000, V230);
    assert_int_equal(c.i_ma, 2000);
    assert_int_equal(c.starts, 1);
    sim_car_offer(&c, 0); /* asleep again */
    sim_car_step(&c, 1000, V230);
    assert_int_equal(c.i_ma, 0);
    sim_car_offer(&c, 10000);
    sim_car_step(&c, 2000, V230);
    assert_int_equal(c.i_ma, 0);
    sim_car_step(&c, 1500, V230);
    assert_int_equal(c.starts, 2);
}

/* Whatever the seed: within the bounds that the header states. */
static void test_real_cars(void **state)
{
    struct sim_rng rng = {20260101};
    (void)state;

    print_message("seed %d\n", 20260101);
    for (int n = 0; n < 200; n++) {
        struct sim_car c;
        int32_t before, s;

        sim_car_real(&c, 8000, 3, 16000, &rng);
        sim_car_offer(&c, 16000);
        for (s = 0; s < 30; s++) {
            before = c.i_ma;
            sim_car_step(&c, 1000, V230);
            assert_in_range(c.i_ma - before, 0, 4000);
        }
        assert_in_range(c.i_ma, 16000 * 94 / 100, 16000);
        sim_car_offer(&c, 0);
        sim_car_step(&c, 3000, V230);
        assert_int_equal(c.i_ma, 0);
        sim_car_offer(&c, 16000);
        for (s = 0; !sim_car_full(&c) && s < 20000; s++)
            sim_car_step(&c, 1000, V230);
        assert_true(sim_car_full(&c)); /* however it tapers, it ends */
        assert_int_equal(c.taken_nj, 8000 * SIM_NJ_PER_WH);
        assert_int_equal(c.starts, 2);
    }
}

static struct sim_bay bay_with_car(int32_t min_ma)
{
    struct sim_bay b;
    struct sim_car c;

    sim_bay_init(&b, 7, min_ma, 16000, 1000, 6000, V230, 0);
    sim_car_ideal(&c, 50000, 3, 16000, min_ma);
    sim_bay_plug(&b, 0, &c);
    sim_bay_start(&b, 0);
    return b;
}

static void test_limits(void **state)
{
    static const struct {
        const char *what;
        int32_t limit_ma, lease_ms;
        int64_t at_ms;
        int32_t offered_ma;
        enum connector_status status;
    } cases[] = {
        {"never told: the fallback", -1, 0, 1000, 6000, STATUS_CHARGING},
        {"within the lease", 12000, 60000, 59999, 12000, STATUS_CHARGING},
        {"the lease ends to the millisecond", 12000, 60000, 60000, 6000,
         STATUS_CHARGING},
        {"a limit without an end", 12000, -1, 3600000, 12000, STATUS_CHARGING},
        {"floored to its step", 12900, 60000, 1000, 12000, STATUS_CHARGING},
        {"not above its maximum", 32000, 60000, 1000, 16000, STATUS_CHARGING},
        {"0 pauses", 0, 60000, 1000, 0, STATUS_SUSPENDED_EVSE},
        {"below the minimum is 0", 5000, 60000, 1000, 0, STATUS_SUSPENDED_EVSE},
        {"a pause ends with its lease", 0, 60000, 60000, 6000, STATUS_CHARGING},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_bay b = bay_with_car(6000);

        print_message("%s\n", cases[i].what);
        if (cases[i].limit_ma >= 0)
            sim_bay_set_limit(&b, 0, cases[i].limit_ma, cases[i].lease_ms);
        sim_bay_step(&b, cases[i].at_ms);
        assert_int_equal(sim_bay_offered(&b), cases[i].offered_ma);
        assert_int_equal(b.status, cases[i].status);
    }
}

static void test_energy_over_the_end_of_a_lease(void **state)
{
    struct sim_bay b = bay_with_car(6000);
    (void)state;

    /* half an hour at 16 A, half an hour at 6 A, in one step */
    sim_bay_set_limit(&b, 0, 16000, 1800000);
    sim_bay_step(&b, 3600000);
    assert_int_equal(sim_bay_session_wh(&b), 3 * 230 * 11);
    assert_int_equal(sim_bay_energy_wh(&b), 3 * 230 * 11);
}

static void expect_own(const struct sim_bay *b, int32_t l1, int32_t l2, int32_t l3)
{
    int32_t own_ma[SITE_PHASES];

    sim_bay_current(b, own_ma);
    assert_int_equal(own_ma[0], l1);
    assert_int_equal(own_ma[1], l2);
    assert_int_equal(own_ma[2], l3);
}

/* One phase, and which one, until it is told otherwise, or until its lease ends. */
static void test_number_of_phases(void **state)
{
    struct sim_bay b = bay_with_car(6000);
    (void)state;

    sim_bay_set_limit(&b, 0, 0, -1);
    sim_bay_set_phases(&b, 0, 1, 0);
    sim_bay_set_limit(&b, 1000, 10000, 60000);
    sim_bay_step(&b, 2000);
    expect_own(&b, 10000, 0, 0);
    assert_int_equal(sim_bay_power_w(&b), 2300);
    assert_int_equal(b.hot_switches, 0);
    assert_int_equal(sim_bay_step(&b, 61000), SIM_CURRENT);
    expect_own(&b, 6000, 6000, 6000); /* the fallback, on all */
    sim_bay_set_phases(&b, 62000, 1, 0);
    assert_int_equal(b.hot_switches, 1);
    sim_bay_step(&b, 62000);
    expect_own(&b, 6000, 0, 0);
    sim_bay_set_phases(&b, 63000, SITE_PHASES, 0);
    assert_int_equal(sim_bay_step(&b, 63000), SIM_CURRENT);
    expect_own(&b, 6000, 6000, 6000);
    sim_bay_set_phases(&b, 64000, 1, 2);
    assert_int_equal(sim_bay_step(&b, 64000), SIM_CURRENT);
    expect_own(&b, 0, 0, 6000);
    sim_bay_set_phases(&b, 65000, 1, 1);
    assert_int_equal(sim_bay_step(&b, 65000), SIM_CURRENT);
    expect_own(&b, 0, 6000, 0);
}

static void test_a_session(void **state)
{
    struct sim_bay b;
    struct sim_car c;
    struct event_sample s;
    int32_t own_ma[SITE_PHASES];
    (void)state;

    sim_bay_init(&b, 3, 6000, 32000, 100, 0, V230, 0); /* L3 is not connected */
    assert_int_equal(b.status, STATUS_AVAILABLE);
    sim_car_ideal(&c, 1000, 3, 16000, 6000);
    sim_bay_plug(&b, 1000, &c);
    assert_int_equal(sim_bay_step(&b, 1000), SIM_STATUS);
    assert_int_equal(b.status, STATUS_PREPARING);
    sim_bay_set_limit(&b, 2000, 10000, -1);
    assert_int_equal(sim_bay_offered(&b), 0); /* no transaction yet */
    sim_bay_start(&b, 3000);
    assert_int_equal(sim_bay_step(&b, 3000), SIM_STATUS | SIM_CURRENT);
    assert_int_equal(sim_bay_step(&b, 4000), 0);
    sim_bay_current(&b, own_ma);
    assert_int_equal(own_ma[0], 10000);
    assert_int_equal(own_ma[1], 10000);
    assert_int_equal(own_ma[2], 0);
    assert_int_equal(sim_bay_power_w(&b), 4600);
    sim_bay_sample(&b, &s);
    assert_int_equal(s.i_ma[1], 10000);
    assert_int_equal(s.i_ma[2], EVENT_NO_VALUE);
    sim_bay_step(&b, 3600000); /* full */
    assert_int_equal(b.status, STATUS_SUSPENDED_EV);
    assert_int_equal(sim_bay_session_wh(&b), 1000);
    sim_bay_stop(&b, 3700000);
    assert_int_equal(b.status, STATUS_FINISHING);
    sim_bay_unplug(&b, 3800000);
    assert_int_equal(b.status, STATUS_AVAILABLE);
}

static void test_stopping_cuts_the_current(void **state)
{
    struct sim_bay b = bay_with_car(6000);
    int32_t own_ma[SITE_PHASES];
    (void)state;

    sim_bay_step(&b, 1000);
    sim_bay_stop(&b, 1000);
    assert_int_equal(sim_bay_step(&b, 1000), SIM_STATUS | SIM_CURRENT);
    sim_bay_current(&b, own_ma);
    assert_int_equal(own_ma[0] + own_ma[1] + own_ma[2], 0);
    sim_bay_start(&b, 2000); /* the same car again */
    assert_int_equal(b.status, STATUS_CHARGING);
}

static void test_fallback(void **state)
{
    struct sim_bay b = bay_with_car(0);
    (void)state;

    sim_bay_set_fallback(&b, 0, 8000);
    assert_int_equal(sim_bay_offered(&b), 8000); /* rules at once */
    sim_bay_set_limit(&b, 0, 3000, 1000);
    sim_bay_set_fallback(&b, 0, 9000);
    assert_int_equal(sim_bay_offered(&b), 3000); /* a lease runs */
    sim_bay_step(&b, 1000);
    assert_int_equal(sim_bay_offered(&b), 9000);
    sim_bay_set_limit(&b, 1000, 3000, 1000);
    sim_bay_clear_limit(&b, 1500);
    assert_int_equal(sim_bay_offered(&b), 9000);
}

static struct order limit(int who, uint32_t seq, int32_t ma)
{
    return (struct order){ORDER_LIMIT, who, seq, ma, 60000};
}

static void test_one_call_at_a_time(void **state)
{
    struct sim_charger c;
    struct order back, o;
    int64_t at_ms, act_ms;
    int32_t lease_ms;
    (void)state;

    assert_true(sim_charger_init(&c, 2, true, (struct sim_rng){7}));
    o = limit(0, 1, 16000);
    assert_false(sim_charger_order(&c, &o, &back));
    assert_true(sim_charger_call(&c, 1000, &at_ms));
    assert_in_range(at_ms, 1500, 6000);
    o = (struct order){ORDER_SAMPLE, 0};
    assert_false(sim_charger_order(&c, &o, &back));
    o = limit(0, 2, 10000);
    assert_false(sim_charger_order(&c, &o, &back));
    o = limit(1, 3, 6000);
    assert_false(sim_charger_order(&c, &o, &back));
    o = limit(0, 4, 11000);
    assert_true(sim_charger_order(&c, &o, &back)); /* 2 has become pointless */
    assert_int_equal(back.seq, 2);
    assert_false(sim_charger_call(&c, 1100, &act_ms)); /* one is under way */

    o = sim_charger_answer(&c, at_ms, &act_ms, &lease_ms);
    assert_int_equal(o.seq, 1);
    assert_in_range(act_ms, at_ms, at_ms + 1000);
    assert_in_range(lease_ms, 60000 - (act_ms - 1000), 60000);
    assert_true(sim_charger_call(&c, at_ms, &at_ms));
    assert_int_equal(sim_charger_answer(&c, at_ms, &act_ms, &lease_ms).seq, 3);
    assert_true(sim_charger_call(&c, at_ms, &at_ms));
    assert_int_equal(sim_charger_answer(&c, at_ms, &act_ms, &lease_ms).seq, 4);
    assert_true(sim_charger_call(&c, at_ms, &at_ms));
    assert_int_equal(sim_charger_answer(&c, at_ms, &act_ms, &lease_ms).kind,
                     ORDER_SAMPLE);
    assert_false(sim_charger_call(&c, at_ms, &at_ms));
    sim_charger_free(&c);
}

static void test_ideal_answers_at_once(void **state)
{
    struct sim_charger c;
    struct order back, o = limit(0, 1, 16000);
    int64_t at_ms, act_ms;
    int32_t lease_ms;
    (void)state;

    assert_true(sim_charger_init(&c, 1, false, (struct sim_rng){7}));
    sim_charger_order(&c, &o, &back);
    assert_true(sim_charger_call(&c, 5000, &at_ms));
    assert_int_equal(at_ms, 5000);
    sim_charger_answer(&c, 5000, &act_ms, &lease_ms);
    assert_int_equal(act_ms, 5000);
    assert_int_equal(lease_ms, 60000);
    assert_int_equal(sim_charger_slowest_ms(&c), 0);
    sim_charger_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ideal_car),
        cmocka_unit_test(test_ramps),
        cmocka_unit_test(test_energy_of_a_ramp),
        cmocka_unit_test(test_wakes_up),
        cmocka_unit_test(test_real_cars),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_energy_over_the_end_of_a_lease),
        cmocka_unit_test(test_number_of_phases),
        cmocka_unit_test(test_a_session),
        cmocka_unit_test(test_stopping_cuts_the_current),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_one_call_at_a_time),
        cmocka_unit_test(test_ideal_answers_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
