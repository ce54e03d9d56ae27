/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world with stand-ins for the controller: what it tells, what it does
 * with orders, and that it does the same each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/car.h"
#include "sim/world.h"

enum { LOG = 400000, T0 = 1551398400 };

static const struct site_circuit circuits[] = {
    {.name = "grid",
     .parent = SITE_NONE,
     .limit_ma = {40000, 40000, 40000},
     .meter = 0},
};
static const struct site_connector connectors[] = {
    {.name = "a",
     .charger = 0,
     .wiring = {0, 1, 2},
     .min_ma = 6000,
     .max_ma = 32000,
     .step_ma = 100,
     .fallback_ma = 6000},
    {.name = "b",
     .charger = 1,
     .wiring = {1, 2, 0},
     .min_ma = 6000,
     .max_ma = 32000,
     .step_ma = 100,
     .fallback_ma = 0},
};
static const struct site_meter meters[] = {{"main", METER_CIRCUIT, 1000, 10000},
                                           {"roof", METER_SOLAR, 5000, 60000}};
static const struct site_charger chargers[] = {{"A"}, {"B"}};
static const struct site site = {
    .name = "two",
    .voltage_mv = 230000,
    .lease_ms = 60000,
    .n_circuits = 1,
    .n_connectors = 2,
    .n_meters = 2,
    .n_chargers = 2,
    .circuits = circuits,
    .connectors = connectors,
    .meters = meters,
    .chargers = chargers,
};

/* A stand-in: tells every connector `limit_ma` when its charger has connected, renews
 * it, and writes down all that it is told. */
struct stand_in {
    int32_t limit_ma, lease_ms, renew_ms;
    int64_t renewed_ms;
    uint32_t seq;
    bool up[2];
    struct event *log;
    int n;
};

static size_t step(void *arg, const struct event *e, struct order *out)
{
    struct stand_in *b = arg;
    size_t n = 0;

    assert_true(b->n < LOG);
    assert_true(b->n == 0 || e->at_ms >= b->log[b->n - 1].at_ms);
    b->log[b->n++] = *e;
    if (e->kind == EVENT_LINK)
        b->up[e->who] = true;
    if (e->kind != EVENT_LINK &&
        (e->kind != EVENT_TICK || e->at_ms - b->renewed_ms < b->renew_ms))
        return 0;
    if (e->kind == EVENT_TICK)
        b->renewed_ms = e->at_ms;
    for (int c = 0; c < 2; c++)
        if (e->kind == EVENT_TICK ? b->up[c] : c == e->who)
            out[n++] = (struct order){.kind = ORDER_LIMIT,
                                      .who = c,
                                      .seq = ++b->seq,
                                      .limit_ma = b->limit_ma,
                                      .lease_ms = b->lease_ms,
                                      .renewal = e->kind == EVENT_TICK};
    return n;
}

static struct stand_in stand_in(int32_t limit_ma)
{
    struct stand_in b = {limit_ma, 60000, 20000};

    b.log = calloc(LOG, sizeof *b.log);
    assert_non_null(b.log);
    return b;
}

static struct sim_session session(int connector, int from_s, int to_s, int64_t wh)
{
    return (struct sim_session){.connector = connector,
                                .arrival_s = T0 + from_s,
                                .departure_s = T0 + to_s,
                                .energy_wh = wh,
                                .phases = 1};
}

static struct sim_outcome run(const struct sim_setup *u)
{
    struct sim_outcome out;
    const char *fault = sim_world_run(u, &out);

    assert_null(fault);
    return out;
}

static struct sim_outcome play(struct stand_in *b, struct sim_session *list, int n,
                               const struct sim_loads *loads, bool real, uint64_t seed)
{
    struct sim_sessions sessions = {list, n};

    return run(&(struct sim_setup){.site = &site,
                                   .sessions = &sessions,
                                   .loads = loads,
                                   .real = real,
                                   .seed = seed,
                                   .brain = {b, step, 4}});
}

/* The first event of that kind about `who` from `from` on. */
static int find(const struct stand_in *b, int from, enum event_kind kind, int who)
{
    for (int i = from; i < b->n; i++)
        if (b->log[i].kind == kind && b->log[i].who == who)
            return i;
    fail_msg("no %s of %d", event_kind_name(kind), who);
    return -1;
}

static void test_a_session_in_the_ideal_plant(void **state)
{
    struct stand_in b = stand_in(16000);
    struct sim_session s[] = {session(1, 0, 7200, 3680), session(1, 7200, 9000, 9000)};
    struct sim_outcome out = play(&b, s, 2, NULL, false, 1);
    int i;
    (void)state;

    assert_int_equal(out.simulated_s, 60 + 9001);
    assert_int_equal(out.ticks, 60 + 9001);
    assert_int_equal(s[0].delivered_nj, 3680 * SIM_NJ_PER_WH); /* all of it */
    assert_int_equal(s[1].delivered_nj, 1840 * SIM_NJ_PER_WH); /* half an hour */
    assert_int_equal(s[0].starts, 1);
    assert_int_equal(out.verdict.over_s, 0);
    assert_int_equal(out.verdict.peak_w, 3680);
    assert_int_equal(out.setpoints, b.seq);

    assert_int_equal(b.log[0].kind, EVENT_LINK);
    assert_true(b.log[0].link.up && b.log[0].link.boot);
    i = find(&b, 0, EVENT_STATUS, 1);
    assert_int_equal(b.log[i].status, STATUS_AVAILABLE);
    i = find(&b, i + 1, EVENT_STATUS, 1);
    assert_int_equal(b.log[i].status, STATUS_PREPARING);
    assert_int_equal(b.log[i].at_ms, 60000);
    i = find(&b, i + 1, EVENT_SESSION, 1);
    assert_true(b.log[i].session.active);
    i = find(&b, i + 1, EVENT_WISH, 1);
    assert_int_equal(b.log[i].wish.energy_wh, 3680);
    assert_int_equal(b.log[i].wish.departs_ms, 60000 + 7200000);
    i = find(&b, i + 1, EVENT_SAMPLE, 1);
    assert_int_equal(b.log[i].at_ms, 60000); /* as soon as it changes */
    assert_int_equal(b.log[i].sample.i_ma[0], 16000);
    assert_int_equal(b.log[i].sample.i_ma[1], 0);
    i = find(&b, i, EVENT_STATUS, 1);
    assert_int_equal(b.log[i].status, STATUS_CHARGING);
    i = find(&b, i + 1, EVENT_STATUS, 1);
    assert_int_equal(b.log[i].status, STATUS_SUSPENDED_EV); /* full after an hour */
    assert_int_equal(b.log[i].at_ms, 60000 + 3600000);
    i = find(&b, i + 1, EVENT_SESSION, 1);
    assert_false(b.log[i].session.active);
    assert_int_equal(b.log[i].at_ms, 60000 + 7200000);
    i = find(&b, i + 1, EVENT_SESSION, 1);
    assert_true(b.log[i].session.active); /* the next car, at the same moment */
    assert_int_equal(b.log[i].at_ms, 60000 + 7200000);
    free(b.log);
}

static void test_leases_end(void **state)
{
    struct stand_in b = stand_in(16000);
    struct sim_session s[] = {session(0, 0, 3600, 9000), session(1, 0, 3600, 9000)};
    (void)state;

    b.renew_ms = INT32_MAX; /* told once, a minute before the first car */
    b.lease_ms = 60000 + 1800000;
    play(&b, s, 2, NULL, false, 1);
    assert_int_equal(s[0].delivered_nj, (1840 + 690) * SIM_NJ_PER_WH); /* 16 A, 6 A */
    assert_int_equal(s[1].delivered_nj, 1840 * SIM_NJ_PER_WH);         /* 16 A, 0 A */
    free(b.log);
}

/* Profiles end by the clock of the charger that keeps them. */
static void test_leases_end_by_their_clock(void **state)
{
    static const int32_t off_s[] = {0, 300};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct sim_faults f = {.newer_pct = 100, .clock_off_s = off_s[i]};
        struct stand_in b = stand_in(16000);
        struct sim_session s[] = {session(0, 0, 3600, 9000), session(1, 0, 3600, 9000)};
        struct sim_sessions sessions = {s, 2};
        int64_t wh, most = (3680 - 1380) * 300 / 3600;

        b.renew_ms = INT32_MAX;
        b.lease_ms = 60000 + 1800000;
        run(&(struct sim_setup){.site = &site,
                                .sessions = &sessions,
                                .faults = &f,
                                .seed = 3,
                                .brain = {&b, step, 4}});
        wh = s[0].delivered_nj / SIM_NJ_PER_WH;
        assert_in_range(wh, 1840 + 690 - (i ? most : 0), 1840 + 690 + (i ? most : 0));
        assert_int_equal(wh == 1840 + 690, i == 0);
        free(b.log);
    }
}

/* 16 A while nobody is there, 6 A for the first transaction. */
static size_t once_less(void *arg, const struct event *e, struct order *out)
{
    struct stand_in *b = arg;
    bool begins = e->kind == EVENT_SESSION && e->session.active && !b->n++;

    if (e->kind != EVENT_LINK && !begins)
        return 0;
    out[0] = (struct order){.kind = ORDER_LIMIT,
                            .who = 1,
                            .seq = ++b->seq,
                            .limit_ma = begins ? 6000 : 16000,
                            .lease_ms = b->lease_ms};
    return 1;
}

/* The next car does not find what the last one had been forbidden. */
static void test_what_stands_below(void **state)
{
    struct sim_faults f = {.newer_pct = 100};
    struct stand_in b = {.lease_ms = 7200000};
    struct sim_session s[] = {session(1, 0, 600, 9000), session(1, 660, 1260, 9000)};
    struct sim_sessions sessions = {s, 2};
    (void)state;

    run(&(struct sim_setup){.site = &site,
                            .sessions = &sessions,
                            .faults = &f,
                            .brain = {&b, once_less, 4}});
    assert_int_equal(s[0].delivered_nj / SIM_NJ_PER_WH, 1380 * 600 / 3600);
    assert_int_equal(s[1].delivered_nj / SIM_NJ_PER_WH, 1380 * 600 / 3600);
}

static void test_loads_and_meters(void **state)
{
    struct stand_in b = stand_in(16000);
    struct sim_session s[] = {session(1, 0, 600, 9000)};
    struct sim_load list[] = {
        {.at_s = T0 + 100, .meter = SITE_NONE, .i_ma = {10000, 20000, 30000}},
        {.at_s = T0 + 200, .meter = 1, .i_ma = {-5000, -5000, -5000}},
        {.at_s = T0 + 300, .meter = SITE_NONE, .i_ma = {0, 0, 0}},
    };
    struct sim_loads loads = {list, 3};
    struct sim_outcome out = play(&b, s, 1, &loads, false, 1);
    static const struct {
        const char *what;
        int meter, at_s;
        int32_t i_ma[SITE_PHASES];
    } cases[] = {
        {"nothing yet", 0, -10, {0, 0, 0}},
        {"the car, turned by its wiring", 0, 50, {0, 16000, 0}},
        {"with the base load", 0, 150, {10000, 36000, 30000}},
        {"with the sun", 0, 250, {5000, 31000, 25000}},
        {"the sun alone", 1, 250, {-5000, -5000, -5000}},
        {"no sun before", 1, 150, {0, 0, 0}},
        {"the sun stays when the base load goes", 0, 350, {-5000, 11000, -5000}},
    };
    (void)state;

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int64_t at_ms = 60000 + cases[c].at_s * INT64_C(1000);
        int i = 0;

        print_message("%s\n", cases[c].what);
        do
            i = find(&b, i + 1, EVENT_METER, cases[c].meter);
        while (b.log[i].at_ms < at_ms);
        assert_memory_equal(b.log[i].meter.i_ma, cases[c].i_ma, sizeof cases[c].i_ma);
        assert_int_equal(b.log[i].meter.changed_ms, b.log[i].at_ms);
    }
    assert_int_equal(out.reaction_ms, 5000);
    free(b.log);
}

static void test_over_the_limit(void **state)
{
    static const struct {
        const char *what;
        int32_t told_a;
        int base_a;
        int64_t over_s, by_control_s;
    } cases[] = {
        {"both fit", 20, 0, 0, 0},
        {"both too much", 21, 0, 3600, 3600},
        {"the base load rises and nothing is done", 20, 1, 1800, 1800 - 4},
        {"the base load by itself, a second longer than the cars", 20, 41, 1801, 0},
    };
    (void)state;

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct stand_in b = stand_in(cases[c].told_a * 1000);
        /* both on L2 */
        struct sim_session s[] = {session(0, 0, 3600, 90000),
                                  session(1, 0, 3600, 90000)};
        int32_t base_ma = cases[c].base_a * 1000;
        struct sim_load list[] = {
            {.at_s = T0 + 1800, .meter = SITE_NONE, .i_ma = {0, base_ma, 0}}};
        struct sim_loads loads = {list, 1};
        struct sim_outcome out;

        print_message("%s\n", cases[c].what);
        s[0].phases = 3;
        out = play(&b, s, 2, &loads, false, 1);
        assert_int_equal(out.verdict.over_s, cases[c].over_s);
        assert_int_equal(out.verdict.by_control_s, cases[c].by_control_s);
        free(b.log);
    }
}

/* Chargers take their time, cars ramp, yet the energy comes out and the limits act. */
static void test_the_real_plant(void **state)
{
    struct stand_in b = stand_in(16000);
    struct sim_session s[] = {session(0, 0, 7200, 2000), session(1, 300, 7200, 90000)};
    struct sim_outcome out = play(&b, s, 2, NULL, true, 42);
    int up = find(&b, 0, EVENT_LINK, 0), answer = find(&b, up, EVENT_ANSWER, 0);
    int begin = find(&b, answer, EVENT_SESSION, 0);
    int sample = find(&b, begin, EVENT_SAMPLE, 0);
    (void)state;

    print_message("seed 42\n");
    assert_in_range(b.log[answer].at_ms - b.log[up].at_ms, 500, 5000);
    assert_int_equal(b.log[answer].answer.answer, ANSWER_ACCEPTED);
    assert_in_range(b.log[begin].at_ms, 62000, 68000);
    for (int i = 0; i < 5; i++) {
        int next = find(&b, sample + 1, EVENT_SAMPLE, 0);

        assert_int_equal(b.log[next].at_ms - b.log[sample].at_ms, 10000);
        sample = next;
    }
    assert_int_equal(s[0].delivered_nj, 2000 * SIM_NJ_PER_WH); /* full, if late */
    assert_in_range(s[1].delivered_nj / SIM_NJ_PER_WH, 6600, 7053);
    assert_in_range(out.reaction_ms, 5000 + 150 + 3000 + 1000, 19150);
    assert_int_equal(out.verdict.over_s, 0);
    free(b.log);
}

static void test_same_seed_same_world(void **state)
{
    struct sim_session s[] = {session(0, 0, 3600, 2000), session(1, 300, 3600, 9000)};
    struct stand_in b[3];
    int64_t delivered_nj[3];
    (void)state;

    for (int i = 0; i < 3; i++) {
        b[i] = stand_in(16000);
        play(&b[i], s, 2, NULL, true, i < 2 ? 7 : 8);
        delivered_nj[i] = s[1].delivered_nj;
    }
    assert_int_equal(b[0].n, b[1].n);
    assert_memory_equal(b[0].log, b[1].log, (size_t)b[0].n * sizeof *b[0].log);
    assert_int_equal(delivered_nj[0], delivered_nj[1]);
    assert_true(b[0].n != b[2].n ||
                memcmp(b[0].log, b[2].log, (size_t)b[0].n * sizeof *b[0].log) != 0);
    for (int i = 0; i < 3; i++)
        free(b[i].log);
}

static void test_nothing_recorded(void **state)
{
    struct sim_sessions none = {0};
    struct sim_setup u = {.site = &site, .sessions = &none};
    struct sim_outcome out;
    (void)state;

    assert_string_equal(sim_world_run(&u, &out), "nothing is recorded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_in_the_ideal_plant),
        cmocka_unit_test(test_leases_end),
        cmocka_unit_test(test_leases_end_by_their_clock),
        cmocka_unit_test(test_what_stands_below),
        cmocka_unit_test(test_loads_and_meters),
        cmocka_unit_test(test_over_the_limit),
        cmocka_unit_test(test_the_real_plant),
        cmocka_unit_test(test_same_seed_same_world),
        cmocka_unit_test(test_nothing_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
