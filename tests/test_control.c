/* SPDX-License-Identifier: Apache-2.0 */
/* The controller through its one door: scenes with three chargers on one metered grid
 * connection of 32 A. After every single event the promise is checked by the test's own
 * sums: base load as the test knows it + what each charger may draw <= limit. */
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

enum { N = 3, LEASE = 900000, SETTLE = 6000, DWELL = 900000, PAUSE = 60000 };

struct box {                      /* a charger with a car that takes all it may */
    bool online, present, silent; /* silent: gives no answers */
    int32_t limit_ma, draw_ma;
    int64_t left_ms; /* the next car needs 10 s to come */
    uint8_t phases;  /* that the car uses */
};

struct scene {
    struct site_circuit circuits[2];
    struct site_connector connectors[N];
    struct site_meter meters[1];
    struct site_charger chargers[N];
    struct site site;
    struct control *k;
    struct order *out;
    size_t n_out;
    int64_t now_ms;
    int32_t base_ma[SITE_PHASES];
    struct box boxes[N];
    int64_t acts_ms[N]; /* when a confirmed set point is followed */
    int32_t acts_ma[N];
    int32_t told_ma[N]; /* last, heard or not */
    int notices[NOTICE_COUNT][2];
    bool asked[N];
    int64_t excused_ms; /* a base load that rises is nobody's fault until then */
    int renewals;
    int64_t renewed_ms;
    int64_t told_ms[N]; /* last set point that was no renewal */
    bool meter_dead;
};

static void step(struct scene *s, struct event e);

/* ---- the test's own sums ---- */

static int64_t may_draw(const struct scene *s, int phase)
{
    int64_t sum = 0;

    for (int i = 0; i < N; i++)
        if (s->boxes[i].phases >> phase & 1 && s->boxes[i].present)
            sum += s->boxes[i].limit_ma > s->acts_ma[i] ? s->boxes[i].limit_ma
                                                        : s->acts_ma[i];
    return sum;
}

static void promise(const struct scene *s)
{
    for (int p = 0; p < SITE_PHASES && s->now_ms >= s->excused_ms; p++)
        if (may_draw(s, p) > 0 && s->base_ma[p] + may_draw(s, p) > 32000)
            fail_msg("at %lld ms L%d: base %d + cars %lld mA > 32 A",
                     (long long)s->now_ms, p + 1, s->base_ma[p],
                     (long long)may_draw(s, p));
}

/* ---- the world around the core ---- */

static void answer(struct scene *s, const struct order *o, enum answer a)
{
    step(s, (struct event){.kind = EVENT_ANSWER,
                           .who = o->who,
                           .answer = {.seq = o->seq, .answer = a}});
}

static void step(struct scene *s, struct event e)
{
    struct order mine[64];
    int32_t before_ma = 0; /* told to the connector of the last order before that */
    size_t n;

    e.at_ms = s->now_ms;
    n = control_step(s->k, &e, s->out);
    assert_true(n <= control_max_orders(&s->site) && n <= 64);
    memcpy(mine, s->out, n * sizeof *mine);
    for (size_t i = 0; i < n; i++) {
        const struct order *o = &mine[i];

        if (o->kind == ORDER_NOTICE)
            s->notices[o->notice][o->begins]++;
        if (o->kind == ORDER_SAMPLE)
            s->asked[o->who] = true;
        if (o->kind != ORDER_LIMIT)
            continue;
        s->renewals += o->renewal;
        *(o->renewal ? &s->renewed_ms : &s->told_ms[o->who]) = s->now_ms;
        if (i > 0 && mine[i - 1].kind == ORDER_LIMIT) /* decreases leave first */
            assert_true(mine[i - 1].limit_ma <= before_ma ||
                        o->limit_ma >= s->told_ma[o->who]);
        before_ma = s->told_ma[o->who];
        s->told_ma[o->who] = o->limit_ma; /* it may get lost */
        if (s->boxes[o->who].silent || !s->boxes[o->who].online)
            continue;
        if (s->acts_ma[o->who] == 0) { /* it may act late */
            s->acts_ma[o->who] = s->boxes[o->who].limit_ma;
            s->acts_ms[o->who] = s->now_ms + 4000;
        }
        s->boxes[o->who].limit_ma = o->limit_ma;
        answer(s, o, ANSWER_ACCEPTED);
    }
}

static void read_meter(struct scene *s)
{
    struct event e = {.kind = EVENT_METER, .who = 0};

    for (int p = 0; p < SITE_PHASES; p++) {
        e.meter.i_ma[p] = s->base_ma[p];
        e.meter.v_mv[p] = 230000;
        for (int i = 0; i < N; i++)
            if (s->boxes[i].phases >> p & 1)
                e.meter.i_ma[p] += s->boxes[i].draw_ma;
    }
    e.meter.p_w = EVENT_NO_VALUE;
    step(s, e);
}

static void sample(struct scene *s, int i)
{
    struct event e = {.kind = EVENT_SAMPLE, .who = i};

    for (int p = 0; p < SITE_PHASES; p++)
        e.sample.i_ma[p] = s->boxes[i].phases >> p & 1 ? s->boxes[i].draw_ma : 0;
    e.sample.p_w = EVENT_NO_VALUE;
    e.sample.energy_wh = EVENT_NO_ENERGY;
    step(s, e);
}

/* Lets time pass, a second at a time: meter each second, samples every ten. */
static void pass(struct scene *s, int seconds)
{
    while (seconds-- > 0) {
        s->now_ms += 1000;
        for (int i = 0; i < N; i++) {
            struct box *b = &s->boxes[i];

            if (s->now_ms >= s->acts_ms[i])
                s->acts_ma[i] = 0;
            b->draw_ma = !b->present ? 0
                         : s->acts_ma[i] > 0 && s->acts_ma[i] > b->limit_ma
                             ? s->acts_ma[i]
                             : b->limit_ma;
        }
        if (!s->meter_dead)
            read_meter(s);
        for (int i = 0; i < N; i++)
            if (s->boxes[i].online &&
                (s->asked[i] || (s->now_ms / 1000 + 3 * i) % 10 == 0)) {
                s->asked[i] = false;
                sample(s, i);
            }
        step(s, (struct event){.kind = EVENT_TICK});
        promise(s);
    }
}

static void link_up(struct scene *s, int i, bool up)
{
    s->boxes[i].online = up;
    step(s, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = up}});
    if (up)
        step(s, (struct event){
                    .kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
}

static void arrive(struct scene *s, int i, uint8_t phases)
{
    s->boxes[i].present = true;
    s->boxes[i].phases = phases;
    step(s, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_CHARGING});
    step(s,
         (struct event){.kind = EVENT_SESSION, .who = i, .session = {.active = true}});
}

static void leave(struct scene *s, int i)
{
    s->boxes[i].present = false;
    s->boxes[i].draw_ma = 0;
    s->boxes[i].left_ms = s->now_ms;
    step(s, (struct event){.kind = EVENT_SESSION, .who = i});
    step(s, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
}

static struct scene *scene_new(void)
{
    struct scene *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->circuits[0] = (struct site_circuit){.name = "grid",
                                           .parent = SITE_NONE,
                                           .limit_ma = {32000, 32000, 32000},
                                           .meter = 0,
                                           .base_ma = {26000, 26000, 26000}};
    s->meters[0] = (struct site_meter){"main", METER_CIRCUIT, 1000, 10000};
    for (int i = 0; i < N; i++) {
        s->chargers[i].id = "CP";
        s->connectors[i] = (struct site_connector){.name = "bay",
                                                   .charger = i,
                                                   .wiring = {0, 1, 2},
                                                   .min_ma = 6000,
                                                   .max_ma = 16000,
                                                   .step_ma = 100,
                                                   .weight = 1};
        s->boxes[i].phases = 7;
    }
    s->site = (struct site){.name = "test",
                            .voltage_mv = 230000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = LEASE,
                            .settle_ms = SETTLE,
                            .dwell_ms = DWELL,
                            .pause_ms = PAUSE,
                            .n_circuits = 1,
                            .n_connectors = N,
                            .n_meters = 1,
                            .n_chargers = N,
                            .circuits = s->circuits,
                            .connectors = s->connectors,
                            .meters = s->meters,
                            .chargers = s->chargers};
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 5000;
    s->now_ms = 1000000;
    return s;
}

static void go(struct scene *s)
{
    assert_null(site_fault(&s->site));
    s->k = control_init(malloc(control_size(&s->site)), &s->site, s->now_ms, s->now_ms);
    s->out = calloc(control_max_orders(&s->site), sizeof *s->out);
}

static struct scene *scene_all_online(void)
{
    struct scene *s = scene_new();

    go(s);
    for (int i = 0; i < N; i++)
        link_up(s, i, true);
    pass(s, 20);
    return s;
}

static void scene_free(struct scene *s)
{
    assert_int_equal(control_check_failures(s->k), 0);
    free(s->k);
    free(s->out);
    free(s);
}

static struct connector_view view(const struct scene *s, int i)
{
    struct connector_view v;

    control_connector(s->k, i, &v);
    return v;
}

/* ---- the scenes ---- */

static void test_nothing_before_the_meter_is_heard(void **state)
{
    struct scene *s = scene_new();

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->circuits[0].base_ma[p] = 32000; /* no safe current */
    go(s);
    s->meter_dead = true;
    for (int i = 0; i < N; i++)
        link_up(s, i, true);
    arrive(s, 0, 7);
    pass(s, 60);
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(view(s, 0).why.reason, REASON_METER_LOST);
    assert_int_equal(s->notices[NOTICE_METER_LOST][true], 1);
    s->meter_dead = false;
    pass(s, 60);
    assert_true(s->boxes[0].limit_ma >= 6000);
    assert_int_equal(s->notices[NOTICE_METER_LOST][false], 1);
    scene_free(s);
}

static void test_starts_with_the_minimum_then_all_there_is(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    arrive(s, 0, 7);
    read_meter(s);
    assert_int_equal(s->boxes[0].limit_ma, 6000);
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_int_equal(view(s, 0).why.reason, REASON_MAX);
    scene_free(s);
}

static void test_newcomer_waits_for_the_decrease(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 12000;
    pass(s, 2);
    arrive(s, 0, 7);
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    arrive(s, 1, 7);
    assert_true(s->boxes[0].limit_ma <= 10000); /* lowered at once */
    assert_int_equal(s->boxes[1].limit_ma, 0);  /* it has not acted yet */
    pass(s, 120);
    assert_in_range(s->boxes[0].limit_ma, 9000, 10000);
    assert_in_range(s->boxes[1].limit_ma, 9000, 10000);
    scene_free(s);
}

static void test_jump_on_one_phase_hits_only_its_users(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    s->base_ma[0] = s->base_ma[2] = 2000;
    arrive(s, 0, 1);
    arrive(s, 1, 2);
    pass(s, 200);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    s->base_ma[1] = 22000;
    read_meter(s); /* acted on in this very step */
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_in_range(s->boxes[1].limit_ma, 6000, 10000);
    assert_int_equal(view(s, 1).why.reason, REASON_CIRCUIT);
    assert_int_equal(view(s, 1).why.phase, 1);
    assert_int_equal(s->notices[NOTICE_OVER_LIMIT][true], 1);
    s->base_ma[1] = 5000;
    pass(s, 200);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    assert_int_equal(s->notices[NOTICE_OVER_LIMIT][false], 1);
    scene_free(s);
}

/* The base load rises just when a car was told to start: its own rise would look the
 * same. A sample that shows it at rest settles that, and the others give way before it
 * begins to draw. */
static void test_rise_before_a_start_is_no_start(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 8000;
    arrive(s, 0, 7);
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    arrive(s, 1, 7);
    read_meter(s);
    assert_int_equal(s->boxes[1].limit_ma, 6000);
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] += 6400; /* 14.4 + 12 + 6 = 32.4 A */
    s->excused_ms = INT64_MAX;
    read_meter(s);
    assert_int_equal(s->told_ma[0], 12000); /* it may be the car that starts */
    s->now_ms += 3000;
    sample(s, 1);
    read_meter(s);
    assert_in_range(s->told_ma[0], 6000, 11700);
    scene_free(s);
}

static void test_too_little_for_all_still_serves_some(void **state)
{
    struct scene *s = scene_all_online();
    int on = 0;

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 18000; /* 14 A: two minimums */
    pass(s, 2);
    for (int i = 0; i < N; i++)
        arrive(s, i, 7);
    pass(s, 180);
    for (int i = 0; i < N; i++)
        on += s->boxes[i].limit_ma >= 6000;
    assert_int_equal(on, 2);
    for (int i = 0; i < N; i++)
        if (s->boxes[i].limit_ma == 0)
            assert_int_equal(view(s, i).why.reason, REASON_WAITING);
    scene_free(s);
}

static void test_jump_stops_no_more_cars_than_it_must(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    s->base_ma[0] = 15000;
    pass(s, 2);
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    pass(s, 120);
    assert_true(s->boxes[0].limit_ma >= 6000 && s->boxes[1].limit_ma >= 6000);
    s->base_ma[0] = 24000; /* 8 A are left: one of them can go on */
    s->excused_ms = s->now_ms + 10000;
    read_meter(s);
    assert_int_equal((s->boxes[0].limit_ma > 0) + (s->boxes[1].limit_ma > 0), 1);
    pass(s, 30);
    assert_int_equal((s->boxes[0].limit_ma > 0) + (s->boxes[1].limit_ma > 0), 1);
    scene_free(s);
}

static void test_silent_meter_leaves_the_safe_current(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    s->meter_dead = true;
    pass(s, 15); /* max_age is 10 s; base_load 26 A leaves 6 A */
    assert_int_equal(s->boxes[0].limit_ma, 6000);
    assert_int_equal(view(s, 0).why.reason, REASON_METER_LOST);
    s->meter_dead = false;
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    scene_free(s);
}

static void test_lost_charger_is_reserved_for_its_lease(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 12000;
    pass(s, 2);
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    pass(s, 200);
    assert_in_range(s->boxes[0].limit_ma, 9000, 10000);
    link_up(s, 0, false); /* it goes on drawing its 10 A */
    pass(s, 600);
    assert_in_range(s->boxes[1].limit_ma, 0, 10000);
    s->boxes[0].limit_ma = s->boxes[0].draw_ma = 0; /* its lease has ended */
    pass(s, 700);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    scene_free(s);
}

/* The meter shows that it draws no more; but it may begin again, unheard. */
static void test_lost_charger_that_stops_is_still_reserved(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 12000;
    pass(s, 2);
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    pass(s, 200);
    assert_in_range(s->boxes[0].limit_ma, 9000, 10000);
    link_up(s, 0, false);
    s->boxes[0].present = false;
    for (int n = 0; n < 600; n++) {
        pass(s, 1);
        assert_true(s->boxes[1].limit_ma <= 20000 - s->boxes[0].limit_ma);
    }
    scene_free(s);
}

static void test_no_answer_is_feared_and_tried_again(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    s->boxes[0].silent = true;
    arrive(s, 0, 7);
    read_meter(s);
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(view(s, 0).offered_ma, 6000);
    assert_int_equal(view(s, 0).exposure_ma, 6000); /* it may hold */
    assert_false(view(s, 0).confirmed);
    s->boxes[0].silent = false;
    /* the edge tells that no answer came; the order is sent once more */
    for (uint32_t seq = 1; seq < 50; seq++)
        step(s, (struct event){.kind = EVENT_ANSWER,
                               .answer = {.seq = seq, .answer = ANSWER_NONE}});
    pass(s, 10);
    assert_true(s->boxes[0].limit_ma >= 6000);
    assert_true(view(s, 0).confirmed);
    scene_free(s);
}

static void test_refused_raise_changes_nothing(void **state)
{
    struct scene *s = scene_all_online();
    uint32_t seq = 0;

    (void)state;
    s->boxes[0].silent = true;
    arrive(s, 0, 7);
    for (seq = 1; seq < 50; seq++)
        step(s, (struct event){.kind = EVENT_ANSWER,
                               .answer = {.seq = seq, .answer = ANSWER_REJECTED}});
    assert_int_equal(view(s, 0).exposure_ma, 0);
    scene_free(s);
}

/* A reading that is told late, as one that was gathered from several topics may be,
 * counts from its own time on and says nothing of what cars have begun to draw since.
 */
static void test_a_late_reading_is_of_its_own_time(void **state)
{
    struct scene *s = scene_all_online();
    struct circuit_view grid;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 60);
    s->boxes[0].draw_ma = 0; /* it rests for a while */
    for (int n = 0; n < 4; n++) {
        read_meter(s);
        s->now_ms += 3000;
        for (int i = 0; i < N; i++)
            sample(s, i);
    }
    s->now_ms += 3000;
    s->boxes[0].draw_ma = 15000;
    sample(s, 0);
    s->now_ms -= 2000;
    s->boxes[0].draw_ma = 0;
    read_meter(s);
    s->now_ms += 4000;
    s->boxes[0].draw_ma = 15000;
    for (int i = 0; i < N; i++)
        sample(s, i);
    step(s, (struct event){.kind = EVENT_TICK});
    control_circuit(s->k, 0, &grid);
    assert_in_range(grid.base_ma[0], 5000, 6000);
    s->now_ms += 10000 - 4000; /* since it was read */
    step(s, (struct event){.kind = EVENT_TICK});
    control_circuit(s->k, 0, &grid);
    assert_true(grid.meter_ok);
    s->now_ms += 1;
    step(s, (struct event){.kind = EVENT_TICK});
    control_circuit(s->k, 0, &grid);
    assert_false(grid.meter_ok);
    scene_free(s);
}

/* A load rises again while a car has come down from its last sample, but need not have:
 * the base load is seen whole. */
static void test_a_second_rise_is_seen_whole(void **state)
{
    (void)state;
    for (int at_s = 0; at_s < 10; at_s++)
        for (int after_s = 5; after_s < 9; after_s++) {
            struct scene *s = scene_all_online();
            struct circuit_view grid;

            arrive(s, 0, 7);
            pass(s, 60 + at_s);
            s->excused_ms = s->now_ms + 20000;
            s->base_ma[0] = 20000;
            pass(s, after_s);
            s->base_ma[0] = 25000;
            pass(s, 1);
            control_circuit(s->k, 0, &grid);
            assert_in_range(grid.base_ma[0], 25000, 30000);
            scene_free(s);
        }
}

/* A charger restarts, and a load rises while its car is without current: a sample is
 * asked for at once, so that what the car drew before does not hide that. Many say that
 * they have started with each connection and go on charging: nobody has to do without.
 */
static void test_a_restart_hides_no_base_load(void **state)
{
    static const struct event boot = {.kind = EVENT_LINK,
                                      .link = {.up = true, .boot = true}};
    struct scene *s = scene_all_online();
    struct circuit_view grid;
    int32_t told_ma;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 65);
    assert_in_range(s->boxes[0].draw_ma, 15000, 16000);
    told_ma = s->told_ma[0];
    s->asked[0] = false;
    step(s, boot);
    assert_true(s->asked[0]);
    for (int n = 0; n < 20; n++) {
        pass(s, 1);
        assert_int_equal(s->told_ma[0], told_ma);
    }
    s->boxes[0].draw_ma = 0; /* it is off */
    s->base_ma[0] = 15000;
    for (int n = 0; n < 5; n++) {
        s->now_ms += 1000;
        read_meter(s);
    }
    s->asked[0] = false;
    step(s, boot);
    assert_true(s->asked[0]);
    sample(s, 0);
    s->now_ms += 1000;
    read_meter(s);
    control_circuit(s->k, 0, &grid);
    assert_in_range(grid.base_ma[0], 15000, 21000);
    scene_free(s);
}

static void test_leases_are_renewed_in_time(void **state)
{
    struct scene *s = scene_all_online();
    int64_t last_ms;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 200);
    assert_int_equal(s->renewals, 0);
    last_ms = s->now_ms;
    for (int n = 1; n <= 4; n++) {
        while (s->renewals < n && s->now_ms - last_ms < 2 * LEASE)
            pass(s, 1);
        assert_in_range(s->renewed_ms - last_ms, 1, LEASE * 3 / 4);
        last_ms = s->renewed_ms;
    }
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    scene_free(s);
}

/* A raise that is too small to leave at once waits; renewals meanwhile do not put it
 * off for ever. */
static void test_small_raises_come_in_the_end(void **state)
{
    static const struct {
        int32_t lease_ms, by_ma;
        int within_s;
    } rows[] = {{60000, 800, 90}, {LEASE, 200, 700}};

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct scene *s = scene_new();
        int32_t before_ma;

        s->site.lease_ms = rows[row].lease_ms;
        for (int p = 0; p < SITE_PHASES; p++)
            s->base_ma[p] = 20000;
        go(s);
        for (int i = 0; i < N; i++)
            link_up(s, i, true);
        arrive(s, 0, 7);
        pass(s, 300);
        before_ma = s->boxes[0].limit_ma;
        assert_in_range(before_ma, 10000, 12000);
        for (int p = 0; p < SITE_PHASES; p++)
            s->base_ma[p] -= rows[row].by_ma;
        pass(s, rows[row].within_s);
        assert_int_equal(s->boxes[0].limit_ma, before_ma + rows[row].by_ma);
        scene_free(s);
    }
}

static void test_phases_of_the_car_are_learned(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    s->base_ma[1] = s->base_ma[2] = 25500; /* hardly anything on L2 and L3 */
    pass(s, 2);
    arrive(s, 0, 1);
    pass(s, 2);
    assert_int_equal(s->boxes[0].limit_ma, 6000);
    pass(s, 120); /* three samples show that it draws on L1 only */
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    leave(s, 0);
    s->boxes[0].limit_ma = 0;
    pass(s, 20);
    arrive(s, 0, 7); /* the next car uses them all: counted so from the start */
    assert_true(s->boxes[0].limit_ma <= 6500);
    scene_free(s);
}

/* Nobody knows on which phase it draws: on none of them the base load is taken for less
 * than it is. */
static void test_unknown_wiring_hides_no_base_load(void **state)
{
    struct scene *s = scene_new();

    (void)state;
    s->connectors[0].wiring_unknown = true;
    go(s);
    for (int i = 0; i < N; i++)
        link_up(s, i, true);
    pass(s, 20);
    arrive(s, 0, 1);
    for (int n = 0; n < 200; n++) {
        struct circuit_view v;

        pass(s, 1);
        control_circuit(s->k, 0, &v);
        for (int p = 0; p < SITE_PHASES; p++)
            assert_true(v.base_ma[p] >= s->base_ma[p]);
    }
    assert_true(s->boxes[0].limit_ma >= 10000);
    scene_free(s);
}

static void test_external_limit_ends_by_itself(void **state)
{
    struct scene *s = scene_all_online();
    struct event e = {.kind = EVENT_LIMIT, .who = 0};
    struct circuit_view v;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    e.limit = (struct event_limit){.limit_ma = 15000, .until_ms = s->now_ms + 60000};
    step(s, e);
    assert_in_range(s->boxes[0].limit_ma, 9000, 10000);
    control_circuit(s->k, 0, &v);
    assert_int_equal(v.limit_ma[0], 15000);
    pass(s, 200);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_int_equal(s->notices[NOTICE_LIMIT_EXTERNAL][true], 1);
    assert_int_equal(s->notices[NOTICE_LIMIT_EXTERNAL][false], 1);
    scene_free(s);
}

static void limit(struct scene *s, struct event_limit l, int seconds)
{
    l.until_ms = s->now_ms + 1000 * seconds;
    step(s, (struct event){.kind = EVENT_LIMIT, .who = 0, .limit = l});
}

/* Of several sources the lowest holds, and each ends by itself. */
static void test_lowest_of_several_external_limits(void **state)
{
    struct scene *s = scene_all_online();
    struct circuit_view v;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    limit(s, (struct event_limit){.limit_ma = 15000, .source = LIMIT_SCHEDULE}, 600);
    limit(s, (struct event_limit){.limit_ma = 13000, .source = LIMIT_REMOTE}, 100);
    limit(s,
          (struct event_limit){
              .limit_ma = EVENT_NO_VALUE, .source = LIMIT_INPUT, .chargers_w = 5000},
          300);
    assert_in_range(s->boxes[0].limit_ma, 6000, 7246); /* 5000 W on three phases */
    control_circuit(s->k, 0, &v);
    assert_int_equal(v.external_ma, 13000);
    assert_int_equal(v.external_chargers_w, 5000);
    assert_int_equal(v.external_until_ms, s->now_ms + 100000);
    pass(s, 150);
    control_circuit(s->k, 0, &v);
    assert_int_equal(v.external_ma, 15000);
    assert_in_range(s->boxes[0].limit_ma, 7000, 7246);
    pass(s, 300);
    assert_in_range(s->boxes[0].limit_ma, 9500, 10000);
    assert_int_equal(s->notices[NOTICE_LIMIT_EXTERNAL][true], 1);
    assert_int_equal(s->notices[NOTICE_LIMIT_EXTERNAL][false], 0);
    limit(s, (struct event_limit){.limit_ma = EVENT_NO_VALUE, .source = LIMIT_SCHEDULE},
          0); /* called off */
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_int_equal(s->notices[NOTICE_LIMIT_EXTERNAL][false], 1);
    scene_free(s);
}

/* What a charger tells of a limit by others makes room for a neighbour, through our own
 * limit only: the boxes here draw what we let them, whatever they have told, and
 * promise() reckons with that. */
static void test_limited_by_others(void **state)
{
    struct scene *s = scene_all_online();
    struct event e = {.kind = EVENT_CEILING, .who = 0};

    (void)state;
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    pass(s, 240);
    assert_in_range(s->boxes[0].limit_ma, 12000, 13500);
    assert_in_range(s->boxes[1].limit_ma, 12000, 13500);
    e.ceiling = (struct event_ceiling){8000, EVENT_NO_VALUE, EVENT_NO_VALUE,
                                       EVENT_NO_VALUE, s->now_ms + 600000};
    step(s, e);
    assert_int_equal(s->boxes[0].limit_ma, 8000);
    assert_in_range(view(s, 0).exposure_ma, 12000,
                    13500); /* it is told, not believed */
    pass(s, 240);
    assert_int_equal(s->boxes[0].limit_ma, 8000);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    assert_int_equal(view(s, 0).why.reason, REASON_EXTERNAL);
    assert_true(view(s, 0).why.until_ms == e.ceiling.until_ms);
    assert_int_equal(view(s, 0).ceiling_ma, 8000);
    assert_int_equal(view(s, 1).why.reason, REASON_MAX);
    /* one that does not keep to it is seen, as any other */
    e.ceiling = (struct event_ceiling){EVENT_NO_VALUE, 6210, EVENT_NO_VALUE,
                                       EVENT_NO_VALUE, s->now_ms + 360000};
    step(s, e);
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 9000);
    /* less than it can charge with */
    e.ceiling.power_w = 0;
    step(s, e);
    pass(s, 30);
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(view(s, 0).why.reason, REASON_EXTERNAL);
    /* ends by itself */
    pass(s, 500);
    assert_in_range(s->boxes[0].limit_ma, 12000, 13500);
    assert_int_equal(view(s, 0).ceiling_ma, EVENT_NO_VALUE);
    scene_free(s);
}

/* A limit of a whole charger is one for the sum of its connectors. */
static void test_a_charger_limited_by_others(void **state)
{
    static const struct {
        int32_t ma, w, both_ma[2], third_ma; /* at least */
    } rows[] = {
        {16000, EVENT_NO_VALUE, {8000, 8000}, 10000},
        {10000, EVENT_NO_VALUE, {10000, 0}, 15000}, /* no room for two minimums */
        {EVENT_NO_VALUE, 11040, {8000, 8000}, 10000},
        {EVENT_NO_VALUE, 7000, {10100, 0}, 15000},
        {5000, EVENT_NO_VALUE, {0, 0}, 16000},
        {40000, 40000, {8000, 8000}, 8000}, /* says nothing */
    };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct scene *s = scene_new();
        struct event e = {.kind = EVENT_CEILING};

        s->connectors[1].charger = 0;
        go(s);
        for (int i = 0; i < N; i++)
            link_up(s, i, true);
        pass(s, 20);
        for (int i = 0; i < 3; i++)
            arrive(s, i, 7);
        pass(s, 240);
        e.ceiling = (struct event_ceiling){EVENT_NO_VALUE, EVENT_NO_VALUE, rows[r].ma,
                                           rows[r].w, INT64_MAX};
        for (e.who = 0; e.who < 2; e.who++)
            step(s, e);
        pass(s, 1200);
        for (int i = 0; i < 2; i++) {
            int32_t ma = s->boxes[i].limit_ma;

            if (ma < rows[r].both_ma[i] - 100 || ma > rows[r].both_ma[i] + 1500)
                fail_msg("row %zu: connector %d has %d mA", r, i, ma);
            if (r < 5)
                assert_int_equal(view(s, i).why.reason, REASON_EXTERNAL);
        }
        if (r < 5)
            assert_true(s->boxes[0].limit_ma + s->boxes[1].limit_ma <= 16000);
        if (s->boxes[2].limit_ma < rows[r].third_ma)
            fail_msg("row %zu: the third has %d mA", r, s->boxes[2].limit_ma);
        scene_free(s);
    }
}

/* A car tells what it can make use of: no more is offered, and no less. */
static void test_what_a_car_can_take(void **state)
{
    struct scene *s = scene_all_online();
    struct event e = {.kind = EVENT_WISH,
                      .wish = {EVENT_NO_VALUE, INT64_MAX, WISH_CAR, 7000, 10000}};

    (void)state;
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    step(s, e);
    pass(s, 240);
    assert_int_equal(s->boxes[0].limit_ma, 10000);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    assert_int_equal(view(s, 0).why.reason, REASON_SATISFIED);
    s->base_ma[0] = 19000; /* 13 A for two */
    s->excused_ms = s->now_ms + 30000;
    pass(s, 120);
    assert_true(s->boxes[0].limit_ma == 0 || s->boxes[0].limit_ma >= 7000);
    s->base_ma[0] = 23000;
    s->excused_ms = s->now_ms + 30000;
    leave(s, 1);
    pass(s, 240);
    assert_in_range(s->boxes[0].limit_ma, 7000, 9000);
    /* one that never fits is not believed */
    e.wish.min_ma = 40000;
    step(s, e);
    pass(s, 60);
    assert_in_range(s->boxes[0].limit_ma, 7000, 9000);
    scene_free(s);
}

/* A limit for the chargers alone holds whatever the house draws; one for all that flows
 * leaves them less when the house draws more. */
static void test_external_watts(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    limit(s,
          (struct event_limit){
              .limit_ma = EVENT_NO_VALUE, .source = LIMIT_INPUT, .chargers_w = 9000},
          3600);
    pass(s, 200);
    assert_in_range(s->boxes[0].limit_ma + s->boxes[1].limit_ma, 12500, 13044);
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 15000;
    s->excused_ms = s->now_ms + 10000;
    pass(s, 200);
    assert_in_range(s->boxes[0].limit_ma + s->boxes[1].limit_ma, 12500, 13044);
    limit(s,
          (struct event_limit){
              .limit_ma = EVENT_NO_VALUE, .source = LIMIT_SCHEDULE, .power_w = 17250},
          3600);
    pass(s, 200);
    assert_in_range(s->boxes[0].limit_ma + s->boxes[1].limit_ma, 9000, 10000);
    limit(s,
          (struct event_limit){
              .limit_ma = EVENT_NO_VALUE, .source = LIMIT_REMOTE, .chargers_w = 1},
          3600);
    pass(s, 20);
    assert_int_equal(s->boxes[0].limit_ma + s->boxes[1].limit_ma, 0);
    scene_free(s);
}

static void test_mode_and_pause(void **state)
{
    struct scene *s = scene_all_online();

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    step(s, (struct event){.kind = EVENT_PAUSE, .who = 0, .pause = true});
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(view(s, 0).why.reason, REASON_PAUSED);
    step(s, (struct event){.kind = EVENT_PAUSE, .who = 0, .pause = false});
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    step(s, (struct event){.kind = EVENT_MODE, .who = 0, .mode = MODE_OFF});
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(view(s, 0).why.reason, REASON_MODE);
    step(s, (struct event){.kind = EVENT_MODE, .who = 0, .mode = MODE_MINSOLAR});
    pass(s, 120);
    assert_int_equal(s->boxes[0].limit_ma, 6000);
    scene_free(s);
}

/* Off, on with less, off again, all before the first decrease had its time: the last
 * one has its whole time, too. */
static void test_a_raise_while_settling_wants_its_time(void **state)
{
    struct scene *s = scene_new();
    struct event pause = {.kind = EVENT_PAUSE, .who = 0, .pause = true};
    struct event go_on = {.kind = EVENT_PAUSE, .who = 0};
    struct event less = {.kind = EVENT_MODE, .who = 0, .mode = MODE_MINSOLAR};

    (void)state;
    s->circuits[0].meter = SITE_NONE;
    for (int p = 0; p < SITE_PHASES; p++)
        s->circuits[0].base_ma[p] = 5000;
    go(s);
    link_up(s, 0, true);
    arrive(s, 0, 7);
    pass(s, 101);            /* its next sample is 9 s away */
    s->boxes[0].draw_ma = 0; /* what it may draw, it does not draw now */
    sample(s, 0);
    assert_int_equal(view(s, 0).exposure_ma, 16000);
    step(s, pause);
    step(s, less);
    s->now_ms += 3000;
    step(s, (struct event){.kind = EVENT_TICK});
    step(s, go_on);
    step(s, (struct event){.kind = EVENT_TICK}); /* raises leave at ticks */
    assert_int_equal(view(s, 0).offered_ma, 6000);
    s->now_ms += 1000;
    step(s, pause);
    assert_int_equal(view(s, 0).offered_ma, 0);
    s->now_ms += 3000; /* 7 s after the first pause, 3 s after the second */
    step(s, (struct event){.kind = EVENT_TICK});
    assert_int_equal(view(s, 0).exposure_ma, 6000);
    s->now_ms += 6000;
    step(s, (struct event){.kind = EVENT_TICK});
    assert_int_equal(view(s, 0).exposure_ma, 0);
    scene_free(s);
}

static void suspend(struct scene *s, int i)
{
    s->boxes[i].present = false; /* stays plugged in and draws nothing */
    step(s,
         (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_SUSPENDED_EV});
}

static void test_full_car_keeps_what_nobody_wants(void **state)
{
    struct scene *s = scene_all_online();
    int64_t told_ms;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    suspend(s, 0);
    pass(s, 90);
    told_ms = s->told_ms[0];
    pass(s, 300);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    assert_int_equal(s->told_ms[0], told_ms); /* no needless write */
    assert_int_equal(view(s, 0).why.reason, REASON_SATISFIED);
    assert_int_equal(view(s, 0).why.until_ms, -1);
    scene_free(s);
}

static void test_full_car_gives_its_share_to_who_wants_it(void **state)
{
    struct scene *s = scene_all_online();
    int64_t gap_ms = 0, last_ms;

    (void)state;
    for (int p = 0; p < SITE_PHASES; p++)
        s->base_ma[p] = 14000;
    arrive(s, 0, 7);
    arrive(s, 1, 7);
    pass(s, 120);
    suspend(s, 0);
    pass(s, 180);
    assert_int_equal(s->boxes[0].limit_ma, 0);
    assert_int_equal(s->boxes[1].limit_ma, 16000);
    assert_int_equal(view(s, 0).why.reason, REASON_SATISFIED);
    assert_true(view(s, 0).why.until_ms > s->now_ms); /* asked again then */
    for (int n = 0; n < 4; n++) { /* more and more rarely, with its minimum */
        last_ms = s->now_ms;
        while (s->boxes[0].limit_ma == 0 && s->now_ms - last_ms < 20000000)
            pass(s, 1);
        assert_in_range(s->boxes[0].limit_ma, 6000, 6000);
        assert_true(s->now_ms - last_ms > gap_ms);
        gap_ms = s->now_ms - last_ms;
        step(s, (struct event){
                    .kind = EVENT_STATUS, .who = 0, .status = STATUS_SUSPENDED_EV});
        while (s->boxes[0].limit_ma > 0)
            pass(s, 1);
    }
    while (s->boxes[0].limit_ma == 0)
        pass(s, 1);
    s->boxes[0].present = true; /* it wakes and gets its share */
    step(s, (struct event){.kind = EVENT_STATUS, .who = 0, .status = STATUS_CHARGING});
    pass(s, 180);
    assert_in_range(s->boxes[0].limit_ma, 8500, 9000);
    assert_in_range(s->boxes[1].limit_ma, 8500, 9000);
    scene_free(s);
}

static void test_before_us_set_points_may_hold(void **state)
{
    struct scene *s = scene_new();

    (void)state;
    s->k = control_init(malloc(control_size(&s->site)), &s->site, s->now_ms,
                        s->now_ms + LEASE);
    s->out = calloc(control_max_orders(&s->site), sizeof *s->out);
    link_up(s, 0, true);
    arrive(s, 0, 7);
    pass(s, 60); /* two chargers are not here: each may draw 16 A */
    assert_int_equal(s->boxes[0].limit_ma, 0);
    pass(s, LEASE / 1000);
    assert_int_equal(s->boxes[0].limit_ma, 16000);
    scene_free(s);
}

static void test_adopt_keeps_what_is_known(void **state)
{
    struct scene *s = scene_all_online();
    int same[N] = {0, 1, 2};
    struct control_map map = {same, same, same, same};
    struct control *old;

    (void)state;
    arrive(s, 0, 7);
    pass(s, 120);
    old = s->k;
    s->circuits[0].limit_ma[0] = 20000; /* the new file says less */
    s->k = control_init(malloc(control_size(&s->site)), &s->site, s->now_ms, s->now_ms);
    control_adopt(s->k, old, &map);
    free(old);
    assert_int_equal(view(s, 0).exposure_ma, 16000);
    assert_true(view(s, 0).session);
    pass(s, 30);
    assert_in_range(s->boxes[0].limit_ma, 14000, 15000);
    scene_free(s);
}

/* Random scenes: cars come and go, base loads step, chargers vanish and come back; the
 * promise holds after every second whenever base load alone allows it and has not just
 * risen, and the same events give the same orders. */
static uint64_t seed;

static int below(int n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int)(seed % (uint64_t)n);
}

static void test_random_scenes(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct scene *s = scene_all_online();

        for (int n = 0; n < 60; n++) {
            int i = below(N);

            if (below(4) == 0 && !s->boxes[i].present &&
                s->now_ms - s->boxes[i].left_ms >= 10000)
                arrive(s, i, (uint8_t)(1 + below(7)));
            else if (below(6) == 0 && s->boxes[i].present && s->boxes[i].online)
                leave(s, i);
            else if (below(3) ==
                     0) /* a load that falls: rises are not control's fault */
                s->base_ma[below(SITE_PHASES)] -= below(3000);
            pass(s, 1 + below(20));
        }
        scene_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_before_the_meter_is_heard),
        cmocka_unit_test(test_starts_with_the_minimum_then_all_there_is),
        cmocka_unit_test(test_newcomer_waits_for_the_decrease),
        cmocka_unit_test(test_jump_on_one_phase_hits_only_its_users),
        cmocka_unit_test(test_rise_before_a_start_is_no_start),
        cmocka_unit_test(test_too_little_for_all_still_serves_some),
        cmocka_unit_test(test_jump_stops_no_more_cars_than_it_must),
        cmocka_unit_test(test_silent_meter_leaves_the_safe_current),
        cmocka_unit_test(test_lost_charger_is_reserved_for_its_lease),
        cmocka_unit_test(test_lost_charger_that_stops_is_still_reserved),
        cmocka_unit_test(test_no_answer_is_feared_and_tried_again),
        cmocka_unit_test(test_refused_raise_changes_nothing),
        cmocka_unit_test(test_a_late_reading_is_of_its_own_time),
        cmocka_unit_test(test_a_second_rise_is_seen_whole),
        cmocka_unit_test(test_a_restart_hides_no_base_load),
        cmocka_unit_test(test_leases_are_renewed_in_time),
        cmocka_unit_test(test_small_raises_come_in_the_end),
        cmocka_unit_test(test_phases_of_the_car_are_learned),
        cmocka_unit_test(test_unknown_wiring_hides_no_base_load),
        cmocka_unit_test(test_external_limit_ends_by_itself),
        cmocka_unit_test(test_lowest_of_several_external_limits),
        cmocka_unit_test(test_limited_by_others),
        cmocka_unit_test(test_a_charger_limited_by_others),
        cmocka_unit_test(test_what_a_car_can_take),
        cmocka_unit_test(test_external_watts),
        cmocka_unit_test(test_mode_and_pause),
        cmocka_unit_test(test_a_raise_while_settling_wants_its_time),
        cmocka_unit_test(test_full_car_keeps_what_nobody_wants),
        cmocka_unit_test(test_full_car_gives_its_share_to_who_wants_it),
        cmocka_unit_test(test_before_us_set_points_may_hold),
        cmocka_unit_test(test_adopt_keeps_what_is_known),
        cmocka_unit_test(test_random_scenes),
    };
    const char *given = getenv("SEED");

    seed = given ? strtoull(given, NULL, 10) : 20261120;
    printf("# seed %llu\n", (unsigned long long)seed);
    seed = seed * 2654435761u + 88172645463325252u;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
