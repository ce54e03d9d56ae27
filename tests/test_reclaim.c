/* SPDX-License-Identifier: Apache-2.0 */
/* Reclaiming and reasons, event by event: cars on one circuit without a meter, whose
 * chargers confirm everything at once. The test plays the cars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/control.h"
#include "policy.h"

enum { MANY = 17, SETTLE_MS = 6000, NOT_KNOWN = -1 };

struct scene {
    struct site_circuit circuit;
    struct site_connector connectors[MANY];
    struct site_charger chargers[MANY];
    struct site site;
    struct control *k;
    struct order *out;
    int64_t now_ms;
    int32_t takes_ma[MANY]; /* what the car takes at most; on all phases */
    int32_t limit_ma[MANY];
    int told[MANY]; /* how often, renewals not counted */
};

static void step(struct scene *s, struct event e)
{
    size_t n;

    e.at_ms = s->now_ms;
    n = control_step(s->k, &e, s->out);
    if (n == 0)
        return;
    struct order mine[6 * MANY + 8];

    assert_true(n <= sizeof mine / sizeof *mine);
    memcpy(mine, s->out, n * sizeof *mine);
    for (size_t i = 0; i < n; i++) {
        if (mine[i].kind != ORDER_LIMIT)
            continue;
        s->limit_ma[mine[i].who] = mine[i].limit_ma;
        s->told[mine[i].who] += !mine[i].renewal;
        step(s, (struct event){.kind = EVENT_ANSWER,
                               .who = mine[i].who,
                               .answer = {mine[i].seq, ANSWER_ACCEPTED}});
    }
}

static void status(struct scene *s, int i, enum connector_status status)
{
    step(s, (struct event){.kind = EVENT_STATUS, .who = i, .status = status});
}

/* Samples every ten seconds. */
static void pass(struct scene *s, int seconds)
{
    for (; seconds > 0; seconds--) {
        s->now_ms += 1000;
        for (int i = 0; i < s->site.n_connectors && s->now_ms % 10000 == 0; i++) {
            struct event e = {.kind = EVENT_SAMPLE, .who = i};

            for (int p = 0; p < SITE_PHASES; p++)
                e.sample.i_ma[p] =
                    s->takes_ma[i] < s->limit_ma[i] ? s->takes_ma[i] : s->limit_ma[i];
            e.sample.p_w = EVENT_NO_VALUE;
            e.sample.energy_wh = EVENT_NO_ENERGY;
            step(s, e);
        }
        step(s, (struct event){.kind = EVENT_TICK});
    }
}

/* Until the limit is so, at most so many seconds; how many it took. */
static int wait_for(struct scene *s, int i, int32_t limit_ma, int most_s)
{
    int n = 0;

    while (s->limit_ma[i] != limit_ma && n < most_s) {
        pass(s, 1);
        n++;
    }
    assert_int_equal(s->limit_ma[i], limit_ma);
    return n;
}

static struct why why(const struct scene *s, int i)
{
    struct connector_view v;

    control_connector(s->k, i, &v);
    return v.why;
}

/* n cars that take all there is. */
static struct scene *scene_new(int n, int32_t limit_ma, int32_t max_ma)
{
    struct scene *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->circuit = (struct site_circuit){.name = "grid",
                                       .parent = SITE_NONE,
                                       .limit_ma = {limit_ma, limit_ma, limit_ma},
                                       .meter = SITE_NONE};
    for (int i = 0; i < n; i++) {
        s->chargers[i].id = "CP";
        s->connectors[i] = (struct site_connector){.name = "bay",
                                                   .charger = i,
                                                   .wiring = {0, 1, 2},
                                                   .min_ma = 6000,
                                                   .max_ma = max_ma,
                                                   .step_ma = 100,
                                                   .weight = 1};
        s->takes_ma[i] = max_ma;
    }
    s->site = (struct site){.name = "test",
                            .voltage_mv = 230000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = 900000,
                            .settle_ms = SETTLE_MS,
                            .dwell_ms = 900000,
                            .pause_ms = 60000,
                            .n_circuits = 1,
                            .n_connectors = n,
                            .n_chargers = n,
                            .circuits = &s->circuit,
                            .connectors = s->connectors,
                            .chargers = s->chargers};
    s->now_ms = 1000000;
    s->k = control_init(malloc(control_size(&s->site)), &s->site, s->now_ms, s->now_ms);
    s->out = calloc(control_max_orders(&s->site), sizeof *s->out);
    for (int i = 0; i < n; i++) {
        step(s, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = true}});
        status(s, i, STATUS_CHARGING);
        step(s, (struct event){
                    .kind = EVENT_SESSION, .who = i, .session = {.active = true}});
    }
    pass(s, 60);
    return s;
}

static void scene_free(struct scene *s)
{
    assert_int_equal(control_check_failures(s->k), 0);
    free(s->k);
    free(s->out);
    free(s);
}

static void test_what_a_car_leaves_goes_to_another(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);

    (void)state;
    assert_int_equal(s->limit_ma[0], 16000);
    assert_int_equal(s->limit_ma[1], 16000);
    s->takes_ma[0] = 8000;
    pass(s, 50);
    assert_int_equal(s->limit_ma[0], 16000); /* it is watched */
    wait_for(s, 0, 10000, 40);               /* what it takes and 2 A */
    wait_for(s, 1, 22000, 20);
    assert_int_equal(why(s, 0).reason, REASON_SATISFIED);
    assert_true(why(s, 0).until_ms > s->now_ms); /* then it is tried out */
    assert_int_equal(why(s, 1).reason, REASON_CIRCUIT);
    scene_free(s);
}

/* Of those whose session begins before somebody may charge: they are asked at once when
 * he may, however long it took and whatever they left unused before. */
static void test_asked_when_somebody_may_charge(void **state)
{
    static const struct event again = {.kind = EVENT_SESSION,
                                       .session = {.active = true, .resumed = true}};
    struct scene *s = scene_new(2, 20000, 16000);

    (void)state;
    for (int way = 0; way < 2; way++) {
        status(s, 0, STATUS_PREPARING);
        s->takes_ma[0] = 0;
        wait_for(s, 0, 0, 600);
        wait_for(s, 1, 16000, 60);
        pass(s, 300);
        s->takes_ma[0] = 16000;
        if (way == 0) /* his card is told */
            step(s, again);
        else /* it would charge, but has 0 A */
            status(s, 0, STATUS_SUSPENDED_EVSE);
        wait_for(s, 0, 10000, 90);
    }
    scene_free(s);
}

static void test_it_never_gets_less_than_its_minimum(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);

    (void)state;
    s->takes_ma[0] = 1000;
    wait_for(s, 0, 6000, 90);
    wait_for(s, 1, 26000, 20);
    scene_free(s);
}

static void test_a_car_that_takes_94_percent_takes_all(void **state)
{
    struct scene *s = scene_new(2, 64000, 32000);

    (void)state;
    s->circuit.limit_ma[0] = 40000;
    for (int i = 0; i < 300; i++) {
        s->takes_ma[0] = s->limit_ma[0] * 94 / 100;
        pass(s, 1);
    }
    assert_in_range(s->limit_ma[0], 19900, 20000);
    scene_free(s);
}

static void test_nobody_wants_it_and_nothing_is_told(void **state)
{
    struct scene *s = scene_new(2, 32000, 16000);

    (void)state;
    s->takes_ma[0] = 8000;
    status(s, 1, STATUS_SUSPENDED_EV); /* the other is full */
    s->takes_ma[1] = 0;
    s->told[0] = s->told[1] = 0;
    pass(s, 3600);
    assert_int_equal(s->told[0] + s->told[1], 0);
    assert_int_equal(why(s, 0).reason, REASON_MAX);
    assert_int_equal(why(s, 1).reason, REASON_SATISFIED);
    assert_int_equal(why(s, 1).until_ms, NOT_KNOWN); /* it may begin at any time */
    scene_free(s);
}

static void test_it_comes_back_and_is_watched_longer(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);
    int last_s = 0;

    (void)state;
    for (int n = 0; n < 4; n++) {
        int watched_s;

        s->takes_ma[0] = 8000;
        watched_s = wait_for(s, 0, 10000, 600);
        assert_true(n == 0 || watched_s >= last_s * 3 / 2);
        last_s = watched_s;
        pass(s, 30);
        s->takes_ma[0] = 32000;
        wait_for(s, 0, 16000, 40); /* at once, when the other has been lowered */
        pass(s, 30);
    }
    scene_free(s);
}

static void test_a_cap_is_tried_out_now_and_then(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);
    int last_s = 0;

    (void)state;
    s->takes_ma[0] = 8000;
    for (int n = 0; n < 3; n++) {
        int rest_s;

        wait_for(s, 0, 10000, 120);
        rest_s = wait_for(s, 0, 16000, 40000);
        assert_true(rest_s >= 880 && rest_s > last_s * 3 / 2);
        last_s = rest_s;
    }
    scene_free(s);
}

/* Its charger says Charging all the time. */
static void test_a_sleeper_is_found_by_its_current(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);

    (void)state;
    s->takes_ma[0] = 0;
    wait_for(s, 0, 0, 90);
    wait_for(s, 1, 32000, 20);
    assert_int_equal(why(s, 0).reason, REASON_SATISFIED);
    assert_in_range(why(s, 0).until_ms, s->now_ms + 800000, s->now_ms + 900000);
    wait_for(s, 0, 6000, 920); /* it is asked again, with no more */
    assert_int_equal(why(s, 0).reason, REASON_SATISFIED);
    s->takes_ma[0] = 32000; /* it wakes */
    wait_for(s, 0, 16000, 60);
    assert_int_equal(why(s, 0).reason, REASON_CIRCUIT);
    scene_free(s);
}

/* A car that began to draw is none that sleeps, whatever was before. */
static void test_a_late_starter_is_no_sleeper(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);

    (void)state;
    s->takes_ma[0] = 0;
    pass(s, 50);
    s->takes_ma[0] = 32000;
    s->told[0] = 0;
    pass(s, 120);
    assert_int_equal(s->limit_ma[0], 16000);
    assert_int_equal(s->told[0], 0);
    scene_free(s);
}

static void test_who_waits_gets_the_place_of_a_sleeper(void **state)
{
    struct scene *s = scene_new(2, 10000, 32000);
    int on = s->limit_ma[0] > 0 ? 0 : 1;

    (void)state;
    assert_int_equal(s->limit_ma[on], 10000);
    assert_int_equal(s->limit_ma[!on], 0);
    assert_int_equal(why(s, !on).reason, REASON_WAITING);
    assert_int_equal(why(s, !on).circuit, 0);
    status(s, on, STATUS_SUSPENDED_EV);
    s->takes_ma[on] = 0;
    wait_for(s, on, 0, 90);
    wait_for(s, !on, 10000, 20);
    scene_free(s);
}

static void test_a_person_wakes_it(void **state)
{
    struct scene *s = scene_new(2, 32000, 32000);

    (void)state;
    s->takes_ma[0] = 0;
    status(s, 0, STATUS_SUSPENDED_EV);
    wait_for(s, 0, 0, 90);
    step(s, (struct event){.kind = EVENT_MODE, .who = 0, .mode = MODE_FAST});
    pass(s, 20);
    assert_true(s->limit_ma[0] >= 6000);
    wait_for(s, 0, 0, 90); /* it still wants nothing */
    step(s, (struct event){.kind = EVENT_PAUSE, .who = 0, .pause = true});
    step(s, (struct event){.kind = EVENT_PAUSE, .who = 0, .pause = false});
    pass(s, 20);
    assert_true(s->limit_ma[0] >= 6000);
    scene_free(s);
}

/* Sixteen full cars are not all asked at once beside one that charges. */
static void test_sleepers_are_asked_a_few_at_a_time(void **state)
{
    struct scene *s = scene_new(MANY, 102000, 102000); /* 6 A for each */
    int asked = 0, most = 0;
    bool was[MANY] = {false};

    (void)state;
    for (int i = 1; i < MANY; i++) {
        s->takes_ma[i] = 0;
        status(s, i, STATUS_SUSPENDED_EV);
    }
    wait_for(s, 0, 102000, 120);
    for (int n = 0; n < 1800; n++) {
        int on = 0;

        pass(s, 1);
        for (int i = 1; i < MANY; i++) {
            on += s->limit_ma[i] > 0;
            asked += s->limit_ma[i] > 0 && !was[i];
            was[i] |= s->limit_ma[i] > 0;
        }
        most = on > most ? on : most;
    }
    assert_in_range(most, 1, 3);
    assert_int_equal(asked, MANY - 1); /* but each of them */
    scene_free(s);
}

static void test_until_an_external_limit_ends(void **state)
{
    struct scene *s = scene_new(2, 32000, 16000);
    struct event e = {.kind = EVENT_LIMIT, .who = 0};

    (void)state;
    e.limit = (struct event_limit){.limit_ma = 20000, .until_ms = s->now_ms + 300000};
    step(s, e);
    pass(s, 20);
    assert_int_equal(s->limit_ma[0], 10000);
    assert_int_equal(why(s, 0).reason, REASON_CIRCUIT);
    assert_int_equal(why(s, 0).until_ms, e.limit.until_ms);
    e.limit.limit_ma = 10000; /* room for one of them */
    step(s, e);
    pass(s, 20);
    for (int i = 0; i < 2; i++)
        if (s->limit_ma[i] == 0) {
            assert_int_equal(why(s, i).reason, REASON_WAITING);
            assert_int_equal(why(s, i).until_ms, e.limit.until_ms);
        }
    pass(s, 300);
    assert_int_equal(s->limit_ma[0] + s->limit_ma[1], 32000);
    assert_int_equal(why(s, 0).until_ms, NOT_KNOWN);
    scene_free(s);
}

/* A car that had to stop rests for a minute: its place is kept, and this is told. */
static void test_until_a_rest_is_over(void **state)
{
    struct scene *s = scene_new(2, 32000, 16000);
    struct event e = {.kind = EVENT_LIMIT, .who = 0};
    int64_t stopped_ms;
    int off;

    (void)state;
    e.limit = (struct event_limit){.limit_ma = 10000, .until_ms = s->now_ms + 5000};
    step(s, e);
    stopped_ms = s->now_ms;
    off = s->limit_ma[0] == 0 ? 0 : 1;
    assert_int_equal(s->limit_ma[off], 0);
    pass(s, 20);
    assert_int_equal(s->limit_ma[off], 0);
    assert_int_equal(s->limit_ma[!off], 16000);
    assert_int_equal(why(s, off).reason, REASON_WAITING);
    assert_int_equal(why(s, off).until_ms, stopped_ms + 60000);
    pass(s, 60);
    assert_int_equal(s->limit_ma[off], 16000);
    scene_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_car_leaves_goes_to_another),
        cmocka_unit_test(test_asked_when_somebody_may_charge),
        cmocka_unit_test(test_it_never_gets_less_than_its_minimum),
        cmocka_unit_test(test_a_car_that_takes_94_percent_takes_all),
        cmocka_unit_test(test_nobody_wants_it_and_nothing_is_told),
        cmocka_unit_test(test_it_comes_back_and_is_watched_longer),
        cmocka_unit_test(test_a_cap_is_tried_out_now_and_then),
        cmocka_unit_test(test_a_sleeper_is_found_by_its_current),
        cmocka_unit_test(test_a_late_starter_is_no_sleeper),
        cmocka_unit_test(test_who_waits_gets_the_place_of_a_sleeper),
        cmocka_unit_test(test_a_person_wakes_it),
        cmocka_unit_test(test_sleepers_are_asked_a_few_at_a_time),
        cmocka_unit_test(test_until_an_external_limit_ends),
        cmocka_unit_test(test_until_a_rest_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
