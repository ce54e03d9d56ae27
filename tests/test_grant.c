/* SPDX-License-Identifier: Apache-2.0 */
/* The grant protocol step by step, answers and all: two or three chargers on one
 * circuit without a meter. Each scene is a trace that the model of the protocol
 * (grant.pml) can take, played on the core itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/control.h"
#include "policy.h"

enum { N = 3, LEASE = 900000, SETTLE = 6000, MAX_MA = 16000, NO_ORDER = -1 };

struct rig {
    struct site_circuit circuit;
    struct site_connector connectors[N];
    struct site_charger chargers[N];
    struct site site;
    struct control *k;
    struct order *out;
    int64_t now_ms;
    int32_t told_ma[N]; /* by the last order, or NO_ORDER */
    uint32_t seq[N];    /* of that order */
    bool open[N];       /* it has not been answered */
};

static void feed(struct rig *r, struct event e)
{
    size_t n;

    e.at_ms = r->now_ms;
    n = control_step(r->k, &e, r->out);
    for (size_t i = 0; i < n; i++)
        if (r->out[i].kind == ORDER_LIMIT) {
            r->told_ma[r->out[i].who] = r->out[i].limit_ma;
            r->seq[r->out[i].who] = r->out[i].seq;
            r->open[r->out[i].who] = true;
        }
}

static void tick(struct rig *r, int64_t ms)
{
    r->now_ms += ms;
    feed(r, (struct event){.kind = EVENT_TICK});
}

static void answer_to(struct rig *r, int i, uint32_t seq, enum answer a)
{
    feed(r, (struct event){
                .kind = EVENT_ANSWER, .who = i, .answer = {.seq = seq, .answer = a}});
}

/* To the last order. */
static void answer(struct rig *r, int i, enum answer a)
{
    r->open[i] = false;
    answer_to(r, i, r->seq[i], a);
}

static void answer_all(struct rig *r, unsigned mask)
{
    for (int i = 0; i < N; i++)
        while (r->open[i] && mask >> i & 1)
            answer(r, i, ANSWER_ACCEPTED);
}

/* A second at a time; every order to a charger in `mask` is accepted at once. */
static void pass(struct rig *r, int seconds, unsigned mask)
{
    while (seconds-- > 0) {
        tick(r, 1000);
        answer_all(r, mask);
        answer_all(r, mask);
    }
}

static void link(struct rig *r, int i, bool up)
{
    feed(r, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = up}});
}

static void status(struct rig *r, int i, enum connector_status s)
{
    feed(r, (struct event){.kind = EVENT_STATUS, .who = i, .status = s});
}

static void sample(struct rig *r, int i, int32_t ma)
{
    struct event e = {.kind = EVENT_SAMPLE, .who = i};

    e.sample.i_ma[0] = e.sample.i_ma[1] = e.sample.i_ma[2] = ma;
    e.sample.p_w = EVENT_NO_VALUE;
    e.sample.energy_wh = EVENT_NO_ENERGY;
    feed(r, e);
    tick(r, 0);
}

/* The circuit's limit changes, and all is reckoned anew. */
static void limit(struct rig *r, int32_t ma)
{
    for (int p = 0; p < SITE_PHASES; p++)
        r->circuit.limit_ma[p] = ma;
    feed(r, (struct event){.kind = EVENT_PRIORITY});
    tick(r, 0);
}

static int32_t exposure(const struct rig *r, int i)
{
    struct connector_view v;

    control_connector(r->k, i, &v);
    return v.exposure_ma;
}

static struct rig *rig_new(int32_t limit_ma, int32_t fallback_ma, int64_t leases_ms)
{
    struct rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    r->circuit = (struct site_circuit){.name = "grid",
                                       .parent = SITE_NONE,
                                       .limit_ma = {limit_ma, limit_ma, limit_ma},
                                       .meter = SITE_NONE};
    for (int i = 0; i < N; i++) {
        r->chargers[i].id = "CP";
        r->connectors[i] = (struct site_connector){.name = "bay",
                                                   .charger = i,
                                                   .wiring = {0, 1, 2},
                                                   .min_ma = 6000,
                                                   .max_ma = MAX_MA,
                                                   .step_ma = 100,
                                                   .weight = 1,
                                                   .fallback_ma = fallback_ma};
    }
    r->site = (struct site){.name = "test",
                            .voltage_mv = 230000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = LEASE,
                            .settle_ms = SETTLE,
                            .n_circuits = 1,
                            .n_connectors = N,
                            .n_chargers = N,
                            .circuits = &r->circuit,
                            .connectors = r->connectors,
                            .chargers = r->chargers};
    r->now_ms = 1000000;
    for (int i = 0; i < N; i++)
        r->told_ma[i] = NO_ORDER;
    assert_null(site_fault(&r->site));
    r->k = control_init(malloc(control_size(&r->site)), &r->site, r->now_ms,
                        r->now_ms + leases_ms);
    r->out = calloc(control_max_orders(&r->site), sizeof *r->out);
    return r;
}

static void rig_free(struct rig *r)
{
    assert_int_equal(control_check_failures(r->k), 0);
    free(r->k);
    free(r->out);
    free(r);
}

/* All here and idle, and known to be. */
static struct rig *rig_idle(int32_t limit_ma, int32_t fallback_ma)
{
    struct rig *r = rig_new(limit_ma, fallback_ma, 0);

    for (int i = 0; i < N; i++) {
        link(r, i, true);
        status(r, i, STATUS_AVAILABLE);
    }
    pass(r, 30, 7);
    return r;
}

/* ---- a controller starts anew ---- */

/* The one before us may have given all to any of them. Nobody is told more than 0
 * before what the others may hold has been taken back and has had its time. */
static void test_after_a_start_nobody_rises_at_once(void **state)
{
    struct rig *r = rig_new(16000, 0, LEASE);

    (void)state;
    for (int i = 0; i < N; i++) {
        link(r, i, true);
        status(r, i, i < 2 ? STATUS_CHARGING : STATUS_AVAILABLE);
    }
    for (int s = 0; s < 100; s++) { /* the first one does not answer */
        pass(r, 1, 6);
        assert_in_range(r->told_ma[0], 0, 8000);
        assert_int_equal(r->told_ma[1], 0);
        assert_int_equal(r->told_ma[2], 0);
    }
    for (uint32_t seq = 1; seq < r->seq[0]; seq++)
        answer_to(r, 0, seq, ANSWER_NONE);
    answer(r, 0, ANSWER_ACCEPTED);
    pass(r, SETTLE / 1000 - 1, 6);
    assert_int_equal(r->told_ma[1], 0);
    pass(r, 20, 7);
    assert_in_range(exposure(r, 0), 7000, 8000);
    assert_in_range(exposure(r, 1), 7000, 8000);
    rig_free(r);
}

/* ---- settling ---- */

/* Lowered, raised a little, lowered again, all within one settling time: the car may be
 * at the second set point yet when the first decrease has settled. */
static void test_settling_forgets_no_set_point(void **state)
{
    struct rig *r = rig_idle(16000, 0);

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    assert_int_equal(exposure(r, 0), 16000);
    limit(r, 8000);
    assert_int_equal(r->told_ma[0], 8000);
    answer(r, 0, ANSWER_ACCEPTED);
    r->now_ms += 2000;
    limit(r, 12000);
    assert_int_equal(r->told_ma[0], 12000);
    answer(r, 0, ANSWER_ACCEPTED);
    r->now_ms += 1000;
    limit(r, 6000);
    assert_int_equal(r->told_ma[0], 6000);
    answer(r, 0, ANSWER_ACCEPTED);
    tick(r, SETTLE - 3000); /* the first has settled, the last not yet */
    assert_int_equal(exposure(r, 0), 12000);
    tick(r, 3000);
    assert_int_equal(exposure(r, 0), 6000);
    rig_free(r);
}

/* A sample of a car that draws nothing shows nothing of its set point: it may begin to
 * draw by the old one until that has had its time to act. */
static void test_an_idle_car_shows_nothing(void **state)
{
    struct rig *r = rig_idle(16000, 0);

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    sample(r, 0, 0);
    pass(r, 1, 7);
    limit(r, 8000);
    assert_int_equal(r->told_ma[0], 8000);
    answer(r, 0, ANSWER_ACCEPTED);
    r->now_ms += 3000;
    sample(r, 0, 0);
    tick(r, 1000);
    assert_int_equal(exposure(r, 0), 16000);
    tick(r, SETTLE - 4000);
    assert_int_equal(exposure(r, 0), 8000);
    rig_free(r);
}

static void test_a_car_that_comes_down_shows_it(void **state)
{
    struct rig *r = rig_idle(16000, 0);

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    sample(r, 0, 15800);
    limit(r, 8000);
    answer(r, 0, ANSWER_ACCEPTED);
    r->now_ms += 3000;
    sample(r, 0, 7900);
    tick(r, 1000);
    assert_int_equal(exposure(r, 0), 8000);
    rig_free(r);
}

/* It came down of its own accord before the charger confirmed anything. */
static void test_a_car_that_came_down_before_shows_nothing(void **state)
{
    struct rig *r = rig_idle(16000, 0);

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    sample(r, 0, 15800);
    limit(r, 8000);
    r->now_ms += 2000;
    sample(r, 0, 7000);
    answer(r, 0, ANSWER_ACCEPTED);
    r->now_ms += 3000;
    sample(r, 0, 7000);
    tick(r, 1000);
    assert_int_equal(exposure(r, 0), 16000);
    rig_free(r);
}

/* ---- leases ---- */

/* A charger that is held below its fallback no longer answers. When its lease may end,
 * the room for its fallback is taken from the others at once, also while it is just
 * being asked once more. */
static void test_a_low_lease_that_may_end_is_paid_for(void **state)
{
    struct rig *r = rig_idle(20000, 6000);
    int64_t from_ms;

    (void)state;
    status(r, 1, STATUS_CHARGING);
    pass(r, 30, 7);
    assert_in_range(exposure(r, 1), 15900, 16000);
    for (int n = 0; n < LEASE / 1000 && !r->open[0]; n++)
        pass(r, 1, 6);
    assert_true(r->open[0]); /* a renewal, the last one that it answers */
    from_ms = r->now_ms;
    answer(r, 0, ANSWER_ACCEPTED);
    while (r->now_ms < from_ms + LEASE * 7 / 8 - 7000) {
        pass(r, 1, 6);
        if (r->open[0])
            answer(r, 0, ANSWER_NONE);
    }
    while (r->now_ms < from_ms + LEASE * 7 / 8 - 1000)
        pass(r, 1, 6);
    assert_true(r->open[0]); /* it may answer any moment */
    assert_int_equal(exposure(r, 0), 0);
    r->told_ma[1] = NO_ORDER;
    tick(r, 1000);
    assert_int_equal(exposure(r, 0), 6000);
    assert_in_range(r->told_ma[1], 13900, 14000);
    answer_all(r, 6);
    pass(r, SETTLE / 1000 + 2, 6);
    assert_in_range(exposure(r, 1), 13900, 14000);
    rig_free(r);
}

/* What ends a lease has to be followed, too. */
static void test_a_lost_charger_has_time_to_fall_back(void **state)
{
    struct rig *r = rig_idle(16000, 0);
    int64_t sent_ms;

    (void)state;
    status(r, 0, STATUS_CHARGING);
    tick(r, 0);
    assert_int_equal(r->told_ma[0], 16000);
    sent_ms = r->now_ms;
    answer(r, 0, ANSWER_ACCEPTED);
    link(r, 0, false);
    r->now_ms = sent_ms + LEASE + LEASE / 16 + SETTLE - 1;
    feed(r, (struct event){.kind = EVENT_TICK});
    assert_int_equal(exposure(r, 0), 16000);
    tick(r, 1);
    assert_int_equal(exposure(r, 0), 0);
    rig_free(r);
}

/* A new file with another lease: the old one still runs in the charger. */
static void test_another_lease_after_a_reload(void **state)
{
    struct rig *r = rig_idle(16000, 6000);
    int same[N] = {0, 1, 2};
    struct control_map map = {same, same, same, same};
    struct control *old = r->k;
    struct site next = r->site;

    (void)state;
    assert_int_equal(exposure(r, 0), 0);
    next.lease_ms = 4 * LEASE;
    r->k = control_init(malloc(control_size(&next)), &next, r->now_ms, r->now_ms);
    control_adopt(r->k, old, &map);
    free(old);
    feed(r, (struct event){.kind = EVENT_TICK});
    for (int i = 0; i < N; i++) {
        assert_int_equal(exposure(r, i), 6000);
        assert_int_equal(r->told_ma[i], 0); /* told again, with the new one */
    }
    pass(r, 10, 7);
    for (int i = 0; i < N; i++)
        answer(r, i, ANSWER_ACCEPTED);
    tick(r, SETTLE);
    assert_int_equal(exposure(r, 0), 0);
    rig_free(r);
}

/* A charger that leaves the file and comes back with the next one may still hold what
 * it was told before. */
static void test_a_charger_that_comes_back_to_the_file(void **state)
{
    struct rig *r = rig_idle(16000, 0);
    int most[N] = {0, 1, SITE_NONE};
    struct control_map map = {most, most, most, most};
    int64_t until_ms = r->now_ms + LEASE + LEASE / 16;

    (void)state;
    for (int n = 0; n < 2; n++) { /* it leaves; it comes back */
        struct control *old = r->k;

        r->k = control_init(malloc(control_size(&r->site)), &r->site, r->now_ms,
                            n == 0 ? until_ms : r->now_ms);
        control_adopt(r->k, old, &map);
        free(old);
        tick(r, 1000);
    }
    assert_int_equal(exposure(r, 2), MAX_MA);
    r->now_ms = until_ms - 1;
    tick(r, 0);
    assert_int_equal(exposure(r, 2), MAX_MA);
    tick(r, 1);
    assert_int_equal(exposure(r, 2), 0);
    rig_free(r);
}

/* ---- answers ---- */

/* An order that was replaced before it left is answered as rejected. That says nothing
 * of the newer one, and keeps no decrease waiting. */
static void test_a_replaced_order_keeps_nothing_waiting(void **state)
{
    struct rig *r = rig_idle(16000, 0);
    uint32_t second;

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    limit(r, 14000);
    limit(r, 12000);
    second = r->seq[0];
    limit(r, 10000); /* takes the place of the second, which waited */
    answer_to(r, 0, second, ANSWER_REJECTED);
    limit(r, 8000);
    assert_int_equal(r->told_ma[0], 8000);
    rig_free(r);
}

/* A raise that was refused is told again only after a while, a decrease at once. */
static void test_a_refused_raise_keeps_no_decrease_waiting(void **state)
{
    struct rig *r = rig_idle(10000, 0);

    (void)state;
    status(r, 0, STATUS_CHARGING);
    pass(r, 20, 7);
    assert_in_range(exposure(r, 0), 9900, 10000);
    limit(r, 16000);
    pass(r, 1, 0);
    assert_int_equal(r->told_ma[0], 16000);
    answer(r, 0, ANSWER_REJECTED);
    pass(r, 5, 0);
    assert_false(r->open[0]);
    limit(r, 8000);
    assert_true(r->open[0]);
    assert_int_equal(r->told_ma[0], 8000);
    answer(r, 0, ANSWER_REJECTED);
    pass(r, 4, 0); /* that waits */
    assert_false(r->open[0]);
    pass(r, 2, 0);
    assert_true(r->open[0]);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_raise_keeps_no_decrease_waiting),
        cmocka_unit_test(test_after_a_start_nobody_rises_at_once),
        cmocka_unit_test(test_settling_forgets_no_set_point),
        cmocka_unit_test(test_an_idle_car_shows_nothing),
        cmocka_unit_test(test_a_car_that_comes_down_shows_it),
        cmocka_unit_test(test_a_car_that_came_down_before_shows_nothing),
        cmocka_unit_test(test_a_low_lease_that_may_end_is_paid_for),
        cmocka_unit_test(test_a_lost_charger_has_time_to_fall_back),
        cmocka_unit_test(test_another_lease_after_a_reload),
        cmocka_unit_test(test_a_charger_that_comes_back_to_the_file),
        cmocka_unit_test(test_a_replaced_order_keeps_nothing_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
