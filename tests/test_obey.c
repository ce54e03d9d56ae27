/* SPDX-License-Identifier: Apache-2.0 */
/* Supervision of chargers, freshness of meters, and the budget of profile writes: two
 * chargers on a metered grid connection of 40 A, through the core's one door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/control.h"
#include "core/memory.h"
#include "policy.h"

enum { N = 2, SETTLE = 6000, SAMPLES_S = 10 };

struct box {
    bool deaf;        /* it accepts everything and draws what it likes */
    int follows_form; /* it follows only when told so insistently */
    int32_t late_ms;  /* it follows so long after it has confirmed */
    int32_t told_ma, draw_ma, likes_ma;
    int64_t told_ms;
    int insisted, told; /* orders: the last insist, how many */
};

struct garage {
    struct site_circuit circuits[1];
    struct site_meter meters[1];
    struct site_connector connectors[N];
    struct site_charger chargers[N];
    struct site site;
    struct control *k;
    struct order *out;
    int64_t now_ms, changed_ms;
    int32_t base_ma;
    struct box boxes[N];
    int notices[NOTICE_COUNT][2];
    bool frozen; /* the meter repeats its last values */
    bool dead;   /* ... or is silent */
    struct event_meter last;
};

static void step(struct garage *g, struct event e)
{
    size_t n;
    struct order mine[32];

    e.at_ms = g->now_ms;
    n = control_step(g->k, &e, g->out);
    assert_true(n <= 32);
    memcpy(mine, g->out, n * sizeof *mine);
    for (size_t i = 0; i < n; i++) {
        const struct order *o = &mine[i];
        struct box *b = &g->boxes[o->who];

        if (o->kind == ORDER_NOTICE)
            g->notices[o->notice][o->begins]++;
        if (o->kind != ORDER_LIMIT)
            continue;
        b->told++;
        b->insisted = o->insist;
        if (b->follows_form && o->insist >= b->follows_form)
            b->deaf = false;
        b->told_ma = o->limit_ma;
        b->told_ms = g->now_ms;
        step(g, (struct event){.kind = EVENT_ANSWER,
                               .who = o->who,
                               .answer = {.seq = o->seq, .answer = ANSWER_ACCEPTED}});
    }
}

static void read_meter(struct garage *g)
{
    struct event e = {.kind = EVENT_METER, .meter = {.p_w = EVENT_NO_VALUE}};

    for (int p = 0; p < SITE_PHASES; p++) {
        e.meter.i_ma[p] = g->base_ma + (int32_t)(g->now_ms / 1000 % 7); /* it lives */
        e.meter.v_mv[p] = EVENT_NO_VALUE;
        for (int i = 0; i < N; i++)
            e.meter.i_ma[p] += g->boxes[i].draw_ma;
    }
    if (g->frozen)
        e.meter = g->last;
    else
        g->changed_ms = g->now_ms;
    g->last = e.meter;
    e.meter.changed_ms = g->changed_ms;
    step(g, e);
}

static void draw(struct garage *g, struct box *b)
{
    if (b->deaf)
        b->draw_ma = b->likes_ma;
    else if (g->now_ms - b->told_ms >= b->late_ms || b->told_ma > b->draw_ma)
        b->draw_ma = b->told_ma < b->likes_ma ? b->told_ma : b->likes_ma;
}

static void pass(struct garage *g, int seconds)
{
    while (seconds-- > 0) {
        g->now_ms += 1000;
        for (int i = 0; i < N; i++)
            draw(g, &g->boxes[i]);
        if (!g->dead)
            read_meter(g);
        for (int i = 0; i < N; i++)
            if ((g->now_ms / 1000 + 3 * i) % SAMPLES_S == 0) {
                int32_t ma = g->boxes[i].draw_ma;

                step(g, (struct event){
                            .kind = EVENT_SAMPLE,
                            .who = i,
                            .sample = {{ma, ma, ma}, EVENT_NO_VALUE, EVENT_NO_ENERGY}});
            }
        step(g, (struct event){.kind = EVENT_TICK});
    }
}

static void base(struct garage *g, int32_t ma)
{
    g->base_ma = ma;
}

static void car(struct garage *g, int i, int32_t likes_ma)
{
    g->boxes[i].likes_ma = likes_ma;
    step(g, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_CHARGING});
    step(g,
         (struct event){.kind = EVENT_SESSION, .who = i, .session = {.active = true}});
}

static struct garage *garage_new(void)
{
    struct garage *g = calloc(1, sizeof *g);

    assert_non_null(g);
    g->circuits[0] = (struct site_circuit){.name = "grid",
                                           .parent = SITE_NONE,
                                           .limit_ma = {40000, 40000, 40000},
                                           .base_ma = {30000, 30000, 30000}};
    g->meters[0] = (struct site_meter){
        .name = "main", .interval_ms = 1000, .max_age_ms = 30000, .max_same_ms = 60000};
    for (int i = 0; i < N; i++) {
        g->chargers[i].id = "CP";
        g->connectors[i] = (struct site_connector){.name = "bay",
                                                   .charger = i,
                                                   .wiring = {0, 1, 2},
                                                   .min_ma = 6000,
                                                   .max_ma = 16000,
                                                   .step_ma = 100,
                                                   .weight = 1};
    }
    g->site = (struct site){.name = "test",
                            .voltage_mv = 230000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = 900000,
                            .settle_ms = SETTLE,
                            .dwell_ms = 900000,
                            .pause_ms = 60000,
                            .n_circuits = 1,
                            .n_connectors = N,
                            .n_meters = 1,
                            .n_chargers = N,
                            .circuits = g->circuits,
                            .connectors = g->connectors,
                            .meters = g->meters,
                            .chargers = g->chargers};
    return g;
}

static struct garage *garage_open(void)
{
    struct garage *g = garage_new();

    g->now_ms = 1000000;
    g->base_ma = 5000;
    assert_null(site_fault(&g->site));
    g->k = control_init(malloc(control_size(&g->site)), &g->site, g->now_ms, g->now_ms);
    g->out = calloc(control_max_orders(&g->site), sizeof *g->out);
    for (int i = 0; i < N; i++) {
        step(g, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = true}});
        step(g, (struct event){
                    .kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
    }
    pass(g, 20);
    return g;
}

static void garage_close(struct garage *g)
{
    assert_int_equal(control_check_failures(g->k), 0);
    free(g->k);
    free(g->out);
    free(g);
}

static struct connector_view view(const struct garage *g, int i)
{
    struct connector_view v;

    control_connector(g->k, i, &v);
    return v;
}

/* Runs until `what` is true; fails after so many seconds. Returns how long it took. */
#define UNTIL(g, seconds, what)                                                        \
    until_s = 0;                                                                       \
    while (!(what)) {                                                                  \
        pass(g, 1);                                                                    \
        if (++until_s > (seconds))                                                     \
            fail_msg("not within %d s: " #what, seconds);                              \
    }
static int until_s;

/* ---- chargers that do not obey ---- */

static void test_a_deaf_charger_is_found_and_reserved(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    g->boxes[0].deaf = true;
    car(g, 0, 15000);
    car(g, 1, 16000);
    UNTIL(g, 60, g->boxes[0].insisted == 1); /* told 6 to begin with, it draws 15 */
    UNTIL(g, 60, g->boxes[0].insisted == 2);
    UNTIL(g, 60, g->boxes[0].insisted == 3);
    assert_int_equal(g->notices[NOTICE_DISOBEYS][true], 0);
    UNTIL(g, 60, g->notices[NOTICE_DISOBEYS][true] == 1);
    base(g, 20000);
    pass(g, 60);
    assert_int_equal(view(g, 0).exposure_ma, 16000); /* its full rating */
    assert_int_equal(view(g, 0).why.reason, REASON_DISOBEYS);
    assert_int_equal(view(g, 1).offered_ma, 0); /* 40 - 20 - 16 is less than 6 A */
    /* it is asked again and again, and believed when it has kept to it for a while */
    g->boxes[0].told = 0;
    pass(g, 300);
    assert_in_range(g->boxes[0].told, 3, 6);
    g->boxes[0].deaf = false;
    UNTIL(g, 240, g->notices[NOTICE_DISOBEYS][false] == 1);
    UNTIL(g, 240, view(g, 0).offered_ma > 8000 && view(g, 1).offered_ma > 8000);
    assert_int_equal(g->notices[NOTICE_DISOBEYS][true], 1);
    garage_close(g);
}

static void test_another_form_mends_it(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    g->boxes[0].deaf = true;
    g->boxes[0].follows_form = 2;
    car(g, 0, 15000);
    car(g, 1, 16000);
    pass(g, 20);
    base(g, 20000);
    UNTIL(g, 120, !g->boxes[0].deaf);
    pass(g, 600);
    assert_int_equal(g->notices[NOTICE_DISOBEYS][true], 0);
    assert_true(view(g, 0).offered_ma >= 6000);
    garage_close(g);
}

/* One that follows after 25 s is no rebel: it is given the time that it needs. */
static void test_a_slow_charger_is_given_its_time(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    g->boxes[0].late_ms = 25000;
    car(g, 0, 16000);
    car(g, 1, 16000);
    pass(g, 300);
    for (int round = 0; round < 6; round++) {
        base(g, round % 2 ? 5000 : 20000);
        pass(g, 200);
    }
    assert_int_equal(g->notices[NOTICE_DISOBEYS][true], 0);
    /* now its exposure stays up for as long as it takes */
    base(g, 20000);
    UNTIL(g, 30, g->boxes[0].told_ma <= 10000);
    pass(g, 24);
    assert_true(view(g, 0).exposure_ma >= g->boxes[0].draw_ma);
    garage_close(g);
}

/* Meters differ: a little more than it was told is no disobedience. */
static void test_a_little_more_is_nothing(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    car(g, 0, 16000);
    car(g, 1, 16000);
    base(g, 20000);
    pass(g, 120);
    g->boxes[0].deaf = true;
    g->boxes[0].told = 0;
    for (int n = 0; n < 600; n++) {
        g->boxes[0].likes_ma = g->boxes[0].told_ma + 700;
        pass(g, 1);
    }
    assert_int_equal(g->boxes[0].insisted, 0);
    assert_int_equal(g->notices[NOTICE_DISOBEYS][true], 0);
    garage_close(g);
}

/* ---- meters that are not what they seem ---- */

static struct circuit_view grid(const struct garage *g)
{
    struct circuit_view v;

    control_circuit(g->k, 0, &v);
    return v;
}

static void test_a_meter_that_repeats_itself_is_lost(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    car(g, 0, 16000);
    pass(g, 120);
    assert_int_equal(view(g, 0).offered_ma, 16000);
    g->frozen = true;
    pass(g, 59);
    assert_true(grid(g).meter_ok);
    assert_int_equal(g->notices[NOTICE_METER_FROZEN][true], 0);
    UNTIL(g, 5, !grid(g).meter_ok);
    assert_int_equal(g->notices[NOTICE_METER_FROZEN][true], 1);
    UNTIL(g, 20, g->boxes[0].told_ma == 10000); /* 40 - 30, as for a lost one */
    g->frozen = false;
    UNTIL(g, 5, grid(g).meter_ok);
    UNTIL(g, 60, g->boxes[0].told_ma == 16000);
    assert_int_equal(g->notices[NOTICE_METER_FROZEN][true], 1);
    assert_int_equal(g->notices[NOTICE_METER_FROZEN][false], 1);
    assert_int_equal(g->notices[NOTICE_METER_LOST][true], 0);
    garage_close(g);
}

/* A car that starts must show at the meter: a frozen one is found long before its time.
 */
static void test_a_car_unmasks_a_frozen_meter(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    g->meters[0].max_same_ms = 3600000;
    car(g, 0, 16000);
    pass(g, 120);
    g->frozen = true;
    pass(g, 15);
    assert_true(grid(g).meter_ok);
    g->boxes[0].likes_ma = 0; /* it pauses by itself */
    UNTIL(g, 40, !grid(g).meter_ok);
    assert_int_equal(g->notices[NOTICE_METER_FROZEN][true], 1);
    garage_close(g);
}

static void test_an_old_reading_is_trusted_less(void **state)
{
    struct garage *g = garage_open();
    int32_t fresh_ma, last_ma;

    (void)state;
    pass(g, 60);
    fresh_ma = last_ma = grid(g).base_ma[0];
    assert_in_range(fresh_ma, 5000, 5100);
    g->dead = true;
    for (int s = 1; s <= 30; s++) {
        pass(g, 1);
        if (s <= 2)
            assert_int_equal(grid(g).base_ma[0], fresh_ma);
        else
            assert_true(grid(g).base_ma[0] > last_ma);
        last_ma = grid(g).base_ma[0];
    }
    assert_in_range(last_ma, fresh_ma + 28 * 600, 30000);
    pass(g, 1);
    assert_int_equal(grid(g).base_ma[0], 30000);
    garage_close(g);
}

/* A meter in whole amperes may be wrong by one. */
static void test_the_last_digit_is_kept_free(void **state)
{
    struct garage *g = garage_new();
    struct event e = {.kind = EVENT_METER, .meter = {.p_w = EVENT_NO_VALUE}};

    (void)state;
    g->now_ms = 1000000;
    g->k = control_init(malloc(control_size(&g->site)), &g->site, g->now_ms, g->now_ms);
    g->out = calloc(control_max_orders(&g->site), sizeof *g->out);
    for (int s = 0; s < 60; s++) {
        g->now_ms += 1000;
        for (int p = 0; p < SITE_PHASES; p++)
            e.meter.i_ma[p] = 5000 + 1000 * (s % 3);
        e.meter.changed_ms = g->now_ms;
        step(g, e);
    }
    assert_int_equal(grid(g).base_ma[0], 7000 + 1000);
    garage_close(g);
}

/* Currents that no wire carries are no values; the sums stay what they are. */
static void test_absurd_currents_are_none(void **state)
{
    static const int32_t absurd_ma[] = {INT32_MAX, INT32_MIN + 1, SITE_MAX_MA + 1};
    struct garage *g = garage_open();

    (void)state;
    car(g, 0, 16000);
    pass(g, 60);
    for (size_t i = 0; i < sizeof absurd_ma / sizeof *absurd_ma; i++) {
        int32_t ma = absurd_ma[i];

        g->now_ms += 1000;
        step(g,
             (struct event){.kind = EVENT_SAMPLE,
                            .who = 0,
                            .sample = {{ma, ma, ma}, EVENT_NO_VALUE, EVENT_NO_ENERGY}});
        step(g, (struct event){.kind = EVENT_METER,
                               .meter = {.i_ma = {ma, ma, ma},
                                         .p_w = EVENT_NO_VALUE,
                                         .changed_ms = g->now_ms}});
        assert_in_range(grid(g).base_ma[0], 5000,
                        30000); /* at most as when it is lost */
    }
    pass(g, 60);
    assert_in_range(view(g, 0).offered_ma, 9000, 16000);
    garage_close(g);
}

/* A charger gone mad tells a thousand absurd currents between two readings: no sum runs
 * over, and what is kept of it is good for the journal. */
static void test_a_flood_of_absurd_samples(void **state)
{
    struct garage *g = garage_open();

    (void)state;
    car(g, 0, 16000);
    pass(g, 60);
    for (int n = 0; n < 1000; n++) {
        int32_t ma = n % 2 ? SITE_MAX_MA : 0;

        step(g,
             (struct event){.kind = EVENT_SAMPLE,
                            .who = 0,
                            .sample = {{ma, ma, ma}, EVENT_NO_VALUE, EVENT_NO_ENERGY}});
        assert_true(memory_sound(g->k));
    }
    pass(g, 1);
    assert_true(memory_sound(g->k));
    assert_true(grid(g).base_ma[0] >= 5000 - SITE_MAX_MA);
    pass(g, 300);
    assert_in_range(grid(g).base_ma[0], 5000, 6000);
    garage_close(g);
}

/* ---- flash memory ---- */

static void test_raises_keep_to_the_budget(void **state)
{
    struct garage *g = garage_new();
    int day;

    (void)state;
    g->site.writes_per_day = 400;
    free(g->k);
    g->now_ms = 1000000;
    g->base_ma = 5000;
    g->k = control_init(malloc(control_size(&g->site)), &g->site, g->now_ms, g->now_ms);
    g->out = calloc(control_max_orders(&g->site), sizeof *g->out);
    for (int i = 0; i < N; i++) {
        step(g, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = true}});
        step(g, (struct event){
                    .kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
    }
    car(g, 0, 16000);
    car(g, 1, 16000);
    for (int s = 0; s < 86400; s += 60) { /* a load that never rests */
        base(g, s / 60 % 2 ? 12000 : 22000);
        pass(g, 60);
    }
    day = g->boxes[0].told;
    printf("# %d set points in a day of 1,440 steps of the load\n", day);
    /* the budget, what may be spent at once, and decreases that nothing may delay */
    assert_in_range(day, 200, 400 + 100 + 400);
    g->boxes[0].told = 0;
    g->site.writes_per_day = 0;
    for (int s = 0; s < 7200; s += 60) {
        base(g, s / 60 % 2 ? 12000 : 22000);
        pass(g, 60);
    }
    assert_true(g->boxes[0].told * 12 > day);
    garage_close(g);
}

/* Who comes back when the budget is spent is told at least what it had, or its lease
 * would end. */
static void test_a_spent_budget_keeps_no_charger_untold(void **state)
{
    struct garage *g = garage_open();
    int32_t had_ma;

    (void)state;
    car(g, 0, 16000);
    base(g, 28000);
    pass(g, 60);
    had_ma = g->boxes[0].told_ma;
    assert_in_range(had_ma, 9000, 12000);
    g->site.writes_per_day = 4;
    for (int n = 0; n < 4; n++) { /* each costs six hours */
        base(g, n % 2 ? 28000 : 32000);
        pass(g, 60);
    }
    step(g, (struct event){.kind = EVENT_LINK, .who = 0});
    base(g, 5000);
    g->boxes[0].told = 0;
    pass(g, 10);
    step(g, (struct event){.kind = EVENT_LINK, .who = 0, .link = {.up = true}});
    step(g, (struct event){.kind = EVENT_STATUS, .who = 0, .status = STATUS_CHARGING});
    pass(g, 30);
    assert_int_equal(g->boxes[0].told, 1);
    assert_in_range(g->boxes[0].told_ma, 6000, had_ma);
    assert_true(view(g, 0).confirmed);
    garage_close(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_meter_that_repeats_itself_is_lost),
        cmocka_unit_test(test_a_car_unmasks_a_frozen_meter),
        cmocka_unit_test(test_an_old_reading_is_trusted_less),
        cmocka_unit_test(test_the_last_digit_is_kept_free),
        cmocka_unit_test(test_absurd_currents_are_none),
        cmocka_unit_test(test_a_flood_of_absurd_samples),
        cmocka_unit_test(test_raises_keep_to_the_budget),
        cmocka_unit_test(test_a_spent_budget_keeps_no_charger_untold),
        cmocka_unit_test(test_a_deaf_charger_is_found_and_reserved),
        cmocka_unit_test(test_another_form_mends_it),
        cmocka_unit_test(test_a_slow_charger_is_given_its_time),
        cmocka_unit_test(test_a_little_more_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
