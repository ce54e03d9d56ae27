/* SPDX-License-Identifier: Apache-2.0 */
/* Modes solar and minsolar: who starts when, what a cloud does, who comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sunny.h"

/* One car, sun that stays as it is: what it has after so long. */
static void test_steady_sun(void **state)
{
    static const struct {
        const char *what;
        enum mode mode;
        int car_phases;
        int32_t min_3p_ma, pv_w;
        int seconds;
        int32_t least_ma, most_ma;
        enum reason why;
    } cases[] = {
        {"no sun, solar", MODE_SOLAR, 3, 0, 0, 600, 0, 0, REASON_SOLAR},
        {"just the minimum is not enough to start", MODE_SOLAR, 3, 0, 4500, 600, 0, 0,
         REASON_SOLAR},
        {"the minimum and the margin, too early", MODE_SOLAR, 3, 0, 4700, 50, 0, 0,
         REASON_SOLAR},
        {"the minimum and the margin, a minute later", MODE_SOLAR, 3, 0, 4700, 90, 6000,
         6000, REASON_SOLAR},
        {"all of a larger surplus", MODE_SOLAR, 3, 0, 8000, 900, 10700, 11200,
         REASON_SOLAR},
        {"more than it can take", MODE_SOLAR, 3, 0, 14000, 900, 16000, 16000,
         REASON_MAX},
        {"a car that turns out to use one phase", MODE_SOLAR, 1, 0, 4700, 600, 16000,
         16000, REASON_MAX},
        {"a higher minimum on three phases", MODE_SOLAR, 3, 9200, 6000, 600, 0, 0,
         REASON_SOLAR},
        {"enough for that", MODE_SOLAR, 3, 9200, 7000, 600, 9200, 9750, REASON_SOLAR},
        {"minsolar without sun", MODE_MINSOLAR, 3, 0, 0, 300, 6000, 6000, REASON_SOLAR},
        {"minsolar, less sun than the minimum", MODE_MINSOLAR, 3, 0, 3000, 600, 6000,
         6200, REASON_SOLAR},
        {"minsolar, more sun than that", MODE_MINSOLAR, 3, 0, 7000, 900, 9200, 9750,
         REASON_SOLAR},
        {"fast does not look at it", MODE_FAST, 3, 0, 0, 300, 16000, 16000, REASON_MAX},
        {"auto does not look at it", MODE_AUTO, 3, 0, 0, 300, 16000, 16000, REASON_MAX},
        {"off is off", MODE_OFF, 3, 0, 14000, 600, 0, 0, REASON_MODE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sunny *s = sunny_new(1);

        s->connectors[0].mode = cases[i].mode;
        s->connectors[0].min_3p_ma = cases[i].min_3p_ma;
        sunny_go(s);
        s->pv_w = cases[i].pv_w;
        sunny_pass(s, 240);
        sunny_arrive(s, 0, cases[i].car_phases);
        sunny_pass(s, cases[i].seconds);
        print_message("%s: %d mA, %s\n", cases[i].what, (int)s->box[0].limit_ma,
                      reason_name(sunny_view(s, 0).why.reason));
        assert_in_range(s->box[0].limit_ma, cases[i].least_ma, cases[i].most_ma);
        assert_int_equal(sunny_view(s, 0).why.reason, cases[i].why);
        assert_true(cases[i].mode != MODE_SOLAR || s->grid_longest_s <= 15);
        sunny_free(s);
    }
}

static void test_currents_will_do_where_the_meter_tells_no_power(void **state)
{
    struct sunny *s = sunny_new(1);

    (void)state;
    s->no_power = true;
    sunny_go(s);
    s->pv_w = 8000;
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 900);
    assert_in_range(s->box[0].limit_ma, 10700, 11200);
    sunny_free(s);
}

/* A running car, and clouds of so many seconds. */
static void test_clouds(void **state)
{
    static const struct {
        const char *what;
        int cloud_s;
        int32_t pv_w;    /* below the cloud */
        bool runs;       /* at the end of the cloud */
        int32_t most_ma; /* then */
    } cases[] = {
        {"a short one: it keeps its minimum", 150, 300, true, 6000},
        {"a long one: it stops after the delay", 230, 300, false, 0},
        {"a light one: it follows", 600, 6000, true, 8500},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sunny *s = sunny_new(1);

        sunny_go(s);
        s->pv_w = 9000;
        sunny_arrive(s, 0, 3);
        sunny_pass(s, 900);
        assert_in_range(s->box[0].limit_ma, 12000, 12700);
        s->pv_w = cases[i].pv_w;
        sunny_pass(s, cases[i].cloud_s);
        print_message("%s: %d mA, %d s from the grid\n", cases[i].what,
                      (int)s->box[0].limit_ma, s->grid_longest_s);
        assert_int_equal(s->box[0].limit_ma > 0, cases[i].runs);
        assert_true(s->box[0].limit_ma <= cases[i].most_ma);
        assert_true(s->grid_longest_s <= 180 + 25); /* delay, filter, car */
        s->pv_w = 9000;
        sunny_pass(s, 900);
        assert_in_range(s->box[0].limit_ma, 12000, 12700);
        assert_int_equal(s->box[0].starts, cases[i].runs ? 1 : 2);
        sunny_free(s);
    }
}

/* Clouds that come and go every half minute move the current, but never stop it. */
static void test_no_flapping(void **state)
{
    struct sunny *s = sunny_new(1);

    (void)state;
    sunny_go(s);
    s->pv_w = 9000;
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 600);
    for (int i = 0; i < 60; i++) {
        s->pv_w = i % 2 ? 9000 : 2000;
        sunny_pass(s, 30);
    }
    assert_int_equal(s->box[0].starts, 1);
    assert_true(s->grid_longest_s <= 60);
    sunny_free(s);
}

static void test_sun_for_one_of_two(void **state)
{
    struct sunny *s = sunny_new(2);
    int first;

    (void)state;
    sunny_go(s);
    s->pv_w = 7000;
    sunny_arrive(s, 0, 3);
    sunny_arrive(s, 1, 3);
    sunny_pass(s, 1800);
    first = s->box[0].limit_ma > 0 ? 0 : 1;
    assert_in_range(s->box[first].limit_ma, 9200, 9750);
    assert_int_equal(s->box[1 - first].limit_ma, 0);
    assert_int_equal(sunny_view(s, 1 - first).why.reason, REASON_SOLAR);
    assert_int_equal(s->box[0].starts + s->box[1].starts, 1);
    s->pv_w = 10000; /* for both */
    sunny_pass(s, 1800);
    assert_in_range(s->box[0].limit_ma, 6000, 8100);
    assert_in_range(s->box[1].limit_ma, 6000, 8100);
    s->pv_w = 6000; /* for one again: the other has its delay, then one is left */
    sunny_pass(s, 400);
    assert_int_equal((s->box[0].limit_ma > 0) + (s->box[1].limit_ma > 0), 1);
    assert_true(s->grid_longest_s <= 180 + 25);
    sunny_free(s);
}

/* A car in minsolar beside one in solar: its minimum is not the sun's affair. */
static void test_minsolar_beside_solar(void **state)
{
    struct sunny *s = sunny_new(2);

    (void)state;
    s->connectors[0].mode = MODE_MINSOLAR;
    sunny_go(s);
    sunny_arrive(s, 0, 3);
    sunny_arrive(s, 1, 3);
    sunny_pass(s, 300);
    assert_int_equal(s->box[0].limit_ma, 6000);
    assert_int_equal(s->box[1].limit_ma, 0);
    s->pv_w =
        300 + 4140 + 4600; /* house, minimum of one, a little more than the other */
    sunny_pass(s, 900);
    assert_in_range(s->box[1].limit_ma, 6000, 6700);
    assert_in_range(s->box[0].limit_ma, 6000, 6700);
    s->pv_w = 0;
    sunny_pass(s, 400);
    assert_int_equal(s->box[0].limit_ma, 6000);
    assert_int_equal(s->box[1].limit_ma, 0);
    sunny_free(s);
}

static void test_a_silent_meter_is_no_sun(void **state)
{
    struct sunny *s = sunny_new(1);

    (void)state;
    sunny_go(s);
    s->pv_w = 9000;
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 900);
    assert_true(s->box[0].limit_ma > 12000);
    s->meter_dead = true;
    sunny_pass(s, 60);
    assert_int_equal(s->box[0].limit_ma, 6000); /* the delay runs */
    sunny_pass(s, 180);
    assert_int_equal(s->box[0].limit_ma, 0);
    s->meter_dead = false;
    sunny_pass(s, 50);
    assert_int_equal(s->box[0].limit_ma, 0); /* what was is forgotten */
    sunny_pass(s, 600);
    assert_true(s->box[0].limit_ma > 12000);
    sunny_free(s);
}

/* The wires count in any case: with 40 A and a house of 36 A on each phase there is no
 * minimum, not even in the delay. */
static void test_wires_come_first(void **state)
{
    struct sunny *s = sunny_new(1);

    (void)state;
    sunny_go(s);
    s->pv_w = 9000;
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 900);
    s->pv_w = 0;
    s->house_w = 3 * 36 * SUNNY_V;
    s->box[0].limit_ma = s->box[0].limit_ma; /* what it draws now is nobody's fault */
    s->now_ms += 1000;
    for (int i = 0; i < 8; i++) {
        struct event e = {.kind = EVENT_METER};

        for (int p = 0; p < SITE_PHASES; p++) {
            e.meter.v_mv[p] = SUNNY_V * 1000;
            e.meter.i_ma[p] = 36000 + s->box[0].draw_ma;
        }
        e.meter.p_w = EVENT_NO_VALUE;
        sunny_step(s, e);
        s->now_ms += 1000;
    }
    assert_int_equal(s->box[0].next_ma, 0);
    sunny_free(s);
}

/* What a driver's card says holds for its session. */
static void test_card(void **state)
{
    struct sunny *s = sunny_new(1);
    struct event card = {.kind = EVENT_CARD, .card = {MODE_FAST, 7, 10000}};

    (void)state;
    sunny_go(s);
    sunny_step(s, card);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].limit_ma, 10000);
    assert_int_equal(sunny_view(s, 0).mode, MODE_FAST);
    assert_int_equal(sunny_view(s, 0).priority, 7);
    sunny_leave(s, 0);
    assert_int_equal(sunny_view(s, 0).mode, MODE_SOLAR);
    assert_int_equal(sunny_view(s, 0).priority, 0);
    sunny_pass(s, 30);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].limit_ma, 0);

    /* a person's word is newer than the card's, and stays */
    sunny_step(s, card);
    sunny_step(s, (struct event){.kind = EVENT_MODE, .mode = MODE_AUTO});
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].limit_ma, 10000); /* the card's limit holds */
    sunny_leave(s, 0);
    assert_int_equal(sunny_view(s, 0).mode, MODE_AUTO);
    sunny_free(s);
}

/* A card that is shown when the session has begun: the session is told again, and
 * nothing of it begins anew. */
static void test_card_shown_later(void **state)
{
    struct sunny *s = sunny_new(1);
    struct event card = {.kind = EVENT_CARD, .card = {MODE_FAST, 7, 10000}};
    struct event again = {.kind = EVENT_SESSION, .session = {true, true}};

    (void)state;
    sunny_go(s);
    sunny_arrive(s, 0, 3);
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].limit_ma, 0);
    sunny_step(s, card);
    sunny_step(s, again);
    sunny_pass(s, 120);
    assert_int_equal(s->box[0].limit_ma, 10000);
    assert_int_equal(sunny_view(s, 0).mode, MODE_FAST);
    assert_int_equal(sunny_view(s, 0).priority, 7);
    sunny_step(s, again);
    sunny_pass(s, 5);
    assert_int_equal(s->box[0].limit_ma, 10000);
    assert_int_equal(sunny_view(s, 0).priority, 7);
    sunny_leave(s, 0);
    assert_int_equal(sunny_view(s, 0).mode, MODE_SOLAR);
    sunny_free(s);
}

static void test_wish_ends_with_the_session(void **state)
{
    struct sunny *s = sunny_new(1);
    struct event wish = {.kind = EVENT_WISH,
                         .wish = {.energy_wh = 12000, .departs_ms = 99000000}};

    (void)state;
    sunny_go(s);
    sunny_step(s, wish); /* before the car has come */
    sunny_arrive(s, 0, 3);
    assert_int_equal(sunny_view(s, 0).wish.energy_wh, 12000);
    assert_true(sunny_view(s, 0).wish.departs_ms == 99000000);
    sunny_leave(s, 0);
    assert_int_equal(sunny_view(s, 0).wish.energy_wh, EVENT_NO_VALUE);
    assert_true(sunny_view(s, 0).wish.departs_ms == INT64_MAX);
    sunny_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady_sun),
        cmocka_unit_test(test_currents_will_do_where_the_meter_tells_no_power),
        cmocka_unit_test(test_clouds),
        cmocka_unit_test(test_no_flapping),
        cmocka_unit_test(test_sun_for_one_of_two),
        cmocka_unit_test(test_minsolar_beside_solar),
        cmocka_unit_test(test_a_silent_meter_is_no_sun),
        cmocka_unit_test(test_wires_come_first),
        cmocka_unit_test(test_card),
        cmocka_unit_test(test_card_shown_later),
        cmocka_unit_test(test_wish_ends_with_the_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
