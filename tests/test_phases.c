/* SPDX-License-Identifier: Apache-2.0 */
/* Chargers that change between one and three phases: when, how, and that no wire
 * carries more than its limit meanwhile. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/rng.h"
#include "sunny.h"

static struct sunny *with_switch(int n)
{
    struct sunny *s = sunny_new(n);

    for (int i = 0; i < n; i++)
        s->connectors[i].phase_switch = true;
    return s;
}

/* One car, sun that stays as it is. */
static void test_steady_sun(void **state)
{
    static const struct {
        const char *what;
        enum mode mode;
        int car_phases;
        int32_t min_3p_ma, pv_w;
        int n_phases;
        int32_t least_ma, most_ma;
    } cases[] = {
        {"no sun", MODE_SOLAR, 3, 0, 0, 3, 0, 0},
        {"too little for one phase", MODE_SOLAR, 3, 0, 1700, 3, 0, 0},
        {"enough for one phase", MODE_SOLAR, 3, 0, 3000, 1, 11000, 11800},
        {"just below three with their margin", MODE_SOLAR, 3, 0, 4600, 1, 16000, 16000},
        {"enough for three", MODE_SOLAR, 3, 0, 4800, 3, 6000, 6500},
        {"not enough for three with 9.2 A", MODE_SOLAR, 3, 9200, 6500, 1, 16000, 16000},
        {"enough for three with 9.2 A", MODE_SOLAR, 3, 9200, 7000, 3, 9200, 9700},
        {"minsolar without sun: the minimum of one phase", MODE_MINSOLAR, 3, 0, 0, 1,
         6000, 6000},
        {"minsolar, some sun", MODE_MINSOLAR, 3, 0, 2000, 1, 6900, 7400},
        {"minsolar, sun for three", MODE_MINSOLAR, 3, 0, 6000, 3, 7800, 8300},
        {"fast stays on three", MODE_FAST, 3, 0, 0, 3, 16000, 16000},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sunny *s = with_switch(1);

        s->connectors[0].mode = cases[i].mode;
        s->connectors[0].min_3p_ma = cases[i].min_3p_ma;
        sunny_go(s);
        s->pv_w = cases[i].pv_w;
        sunny_pass(s, 300);
        sunny_arrive(s, 0, cases[i].car_phases);
        sunny_pass(s, 1500);
        print_message("%s: %d mA on %d\n", cases[i].what, (int)s->box[0].limit_ma,
                      s->box[0].n_phases);
        assert_int_equal(s->box[0].n_phases, cases[i].n_phases);
        assert_in_range(s->box[0].limit_ma, cases[i].least_ma, cases[i].most_ma);
        assert_int_equal(sunny_view(s, 0).n_phases, cases[i].n_phases);
        sunny_free(s);
    }
}

/* A car in minsolar that comes without sun begins on one phase at once. */
static void test_begins_on_one(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    s->connectors[0].mode = MODE_MINSOLAR;
    sunny_go(s);
    sunny_arrive(s, 0, 3);
    for (int t = 0; t < 60; t++) {
        sunny_pass(s, 1);
        assert_true(s->box[0].limit_ma == 0 || s->box[0].n_phases == 1);
    }
    assert_int_equal(s->box[0].limit_ma, 6000);
    sunny_free(s);
}

/* Up only after ten minutes, down after the delay; each change in order: 0 A with the
 * old number, 0 A with the new one, then current. */
static void test_up_and_down(void **state)
{
    struct sunny *s = with_switch(1);
    struct order before;

    (void)state;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 400);
    assert_int_equal(s->box[0].n_phases, 1);
    s->pv_w = 7000;
    sunny_pass(s, 590);
    assert_int_equal(s->box[0].n_phases, 1);
    assert_int_equal(s->box[0].limit_ma, 16000);
    before = s->box[0].last;
    for (int t = 0; t < 600 && s->box[0].n_phases == 1; t++) {
        sunny_pass(s, 1);
        if (s->box[0].last.seq == before.seq)
            continue;
        if (s->box[0].last.n_phases != before.n_phases) {
            assert_int_equal(before.limit_ma, 0);
            assert_int_equal(s->box[0].last.limit_ma, 0);
        }
        if (s->box[0].last.limit_ma == 0)
            assert_int_equal(s->box[0].last.why.reason, REASON_PHASES);
        before = s->box[0].last;
    }
    assert_int_equal(s->box[0].n_phases, 3);
    assert_int_equal(s->box[0].limit_ma, 0);
    sunny_pass(s, 300);
    assert_in_range(s->box[0].limit_ma, 9200, 9750);
    s->pv_w = 2500;
    sunny_pass(s, 170); /* the delay */
    assert_int_equal(s->box[0].n_phases, 3);
    assert_int_equal(s->box[0].limit_ma, 6000);
    sunny_pass(s, 130);
    assert_int_equal(s->box[0].n_phases, 1);
    assert_in_range(s->box[0].limit_ma, 6000, 9600);
    assert_true(s->grid_longest_s <= 180 + 25);
    sunny_free(s);
}

/* A sun that is enough for three now and then does not switch. */
static void test_sticky(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 400);
    for (int i = 0; i < 12; i++) {
        s->pv_w = i % 2 ? 3000 : 8000;
        sunny_pass(s, 500);
    }
    assert_int_equal(s->box[0].n_phases, 1);
    assert_int_equal(s->box[0].switches, 1); /* at the start */
    sunny_free(s);
}

static void test_no_more_than_so_often(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    s->site.solar.switches = 4;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    for (int i = 0; i < 12; i++) {
        s->pv_w = i % 2 ? 3000 : 8000;
        sunny_pass(s, 1300);
    }
    assert_in_range(s->box[0].switches, 2, 4);
    assert_int_equal(s->box[0].n_phases, 1); /* which can always go on */
    sunny_leave(s, 0);
    s->pv_w = 8000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3); /* another session */
    sunny_pass(s, 900);
    assert_int_equal(s->box[0].n_phases, 3);
    sunny_free(s);
}

/* A car that uses one phase anyway gains nothing by it. */
static void test_single_phase_car(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    sunny_go(s);
    s->pv_w = 6000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 1);
    for (int i = 0; i < 6; i++) {
        sunny_pass(s, 1300);
        s->pv_w = i % 2 ? 6000 : 2500;
    }
    assert_int_equal(s->box[0].switches, 0);
    assert_true(s->box[0].limit_ma > 0);
    sunny_free(s);
}

/* Two cars on one phase each and sun for one of them on three: one switches. */
static void test_two_do_not_fight(void **state)
{
    struct sunny *s = with_switch(2);

    (void)state;
    sunny_go(s);
    s->pv_w = 3800;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    sunny_arrive(s, 1, 3);
    sunny_pass(s, 900);
    assert_int_equal(s->box[0].n_phases + s->box[1].n_phases, 2);
    s->pv_w = 6500;
    sunny_pass(s, 3600);
    assert_int_equal(s->box[0].n_phases + s->box[1].n_phases, 4);
    assert_in_range(s->box[0].switches + s->box[1].switches, 3, 3);
    sunny_free(s);
}

static void test_charger_that_does_not_do_it(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    s->box[0].deaf = s->uncounted = true;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 600);
    assert_int_equal(s->box[0].last.n_phases, 0); /* no longer asked */
    s->pv_w = 7000;
    sunny_pass(s, 900);
    assert_in_range(s->box[0].limit_ma, 9200, 9750); /* as a plain one */
    sunny_free(s);
}

static void test_charger_that_refuses_it(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    s->box[0].refuses = true;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 300);
    assert_int_equal(s->box[0].last.n_phases, 0);
    s->pv_w = 7000;
    sunny_pass(s, 900);
    assert_in_range(s->box[0].limit_ma, 9200, 9750);
    sunny_free(s);
}

/* What is reserved on L1 L2 L3. */
static void granted(const struct sunny *s, int32_t l1, int32_t l2, int32_t l3)
{
    struct circuit_view v;

    control_circuit(s->k, 0, &v);
    assert_int_equal(v.granted_ma[0], l1);
    assert_int_equal(v.granted_ma[1], l2);
    assert_int_equal(v.granted_ma[2], l3);
}

/* One phase is counted while one is known; a charger that has gone may fall back to its
 * fallback on all three. */
static void test_what_is_counted(void **state)
{
    struct sunny *s = with_switch(1);

    (void)state;
    s->connectors[0].fallback_ma = 8000;
    sunny_go(s);
    s->pv_w = 3000;
    sunny_pass(s, 300);
    sunny_arrive(s, 0, 3);
    for (int t = 0; t < 300 && s->box[0].limit_ma == 0; t++) {
        sunny_pass(s, 1);
        assert_true(s->box[0].last.limit_ma == 0 || s->box[0].last.n_phases == 1);
    }
    sunny_pass(s, 200);
    granted(s, s->box[0].limit_ma, 0, 0);
    s->box[0].silent = true; /* and its car goes on */
    sunny_link(s, 0, false);
    sunny_step(s, (struct event){.kind = EVENT_TICK});
    granted(s, s->box[0].limit_ma > 8000 ? s->box[0].limit_ma : 8000, 8000, 8000);
    free(s->k);
    free(s->out);
    free(s);
}

/* In mode auto: room for three phases ends, one remains; later it comes back. */
static void test_wires_too_small_for_three(void **state)
{
    struct sunny *s = with_switch(2);

    (void)state;
    for (int i = 0; i < 2; i++)
        s->connectors[i].mode = MODE_AUTO;
    s->connectors[1].phase_switch = false;
    s->connectors[1].wiring[0] = 1; /* it loads L2 L3 */
    s->connectors[1].wiring[1] = 2;
    s->connectors[1].wiring[2] = SITE_NO_PHASE;
    for (int p = 0; p < SITE_PHASES; p++)
        s->circuits[0].limit_ma[p] = 11000;
    s->house_w = 0;
    sunny_go(s);
    s->box[0].car_phases = 3;
    s->box[1].first = 1;
    sunny_arrive(s, 1, 2);
    sunny_pass(s, 60);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 60);
    assert_int_equal(s->box[0].limit_ma, 0); /* the other one came first */
    sunny_pass(s, 240);
    assert_int_equal(s->box[0].n_phases, 1);
    assert_true(s->box[0].limit_ma >= 6000);
    sunny_leave(s, 1);
    sunny_pass(s, 560);
    assert_int_equal(s->box[0].n_phases, 1);
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].n_phases, 3);
    assert_true(s->box[0].limit_ma >= 6000);
    sunny_free(s);
}

/* Six hours of sun and clouds at random, two or three cars, a house that also changes:
 * the promise is looked at every second (sunny_pass), and no contactor moves under
 * current (sunny_free). */
static void test_random_sun(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        static const enum mode modes[] = {MODE_SOLAR, MODE_MINSOLAR, MODE_AUTO};
        struct sim_rng r = {seed * 7919};
        struct sunny *s = with_switch(seed % 2 ? 3 : 2);

        print_message("seed %" PRIu64 "\n", seed);
        for (int i = 0; i < s->site.n_connectors; i++) {
            s->connectors[i].mode = modes[sim_rng_between(&r, 0, 2)];
            s->connectors[i].min_3p_ma = sim_rng_between(&r, 0, 1) ? 9200 : 0;
            s->connectors[i].fallback_ma = sim_rng_between(&r, 0, 1) ? 6000 : 0;
        }
        for (int p = 0; p < SITE_PHASES; p++)
            s->circuits[0].limit_ma[p] = 20000;
        sunny_go(s);
        for (int64_t t = 0; t < 6 * 3600;) {
            int64_t dt = sim_rng_between(&r, 5, 400);
            int i = (int)sim_rng_between(&r, 0, s->site.n_connectors - 1);

            s->pv_w = (int32_t)sim_rng_between(&r, 0, 12000);
            s->house_w = (int32_t)sim_rng_between(&r, 0, 14000);
            if (sim_rng_between(&r, 0, 9) == 0 && !s->box[i].present)
                sunny_arrive(s, i, sim_rng_between(&r, 0, 3) ? 3 : 1);
            else if (sim_rng_between(&r, 0, 40) == 0 && s->box[i].present)
                sunny_leave(s, i);
            sunny_pass(s, (int)dt);
            t += dt;
        }
        sunny_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady_sun),
        cmocka_unit_test(test_begins_on_one),
        cmocka_unit_test(test_up_and_down),
        cmocka_unit_test(test_sticky),
        cmocka_unit_test(test_no_more_than_so_often),
        cmocka_unit_test(test_single_phase_car),
        cmocka_unit_test(test_two_do_not_fight),
        cmocka_unit_test(test_charger_that_does_not_do_it),
        cmocka_unit_test(test_charger_that_refuses_it),
        cmocka_unit_test(test_what_is_counted),
        cmocka_unit_test(test_wires_too_small_for_three),
        cmocka_unit_test(test_random_sun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
