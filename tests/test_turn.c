/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: days in the simulated world with more cars than minimums fit, and
 * scenes in which a car is held, yields, or is promised its turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy.h"
#include "sim/world.h"
#include "state.h"

enum { MOST = 100, DWELL_S = 900, DAY_S = 86400, MIN_MA = 6000 };

static struct site_circuit grid;
static struct site_connector connectors[MOST];
static struct site_charger chargers[MOST];
static struct site_meter meter = {"main", METER_CIRCUIT, 1000, 10000};
static struct site site;

/* n single-phase connectors on L1 behind so many mA. */
static void build(int n, int32_t limit_ma, const char *policy)
{
    grid = (struct site_circuit){"grid", .parent = SITE_NONE, .meter = SITE_NONE,
                                 .limit_ma = {limit_ma, limit_ma, limit_ma}};
    for (int i = 0; i < n; i++) {
        chargers[i].id = "CP";
        connectors[i] =
            (struct site_connector){.name = "bay",
                                    .charger = i,
                                    .wiring = {0, SITE_NO_PHASE, SITE_NO_PHASE},
                                    .min_ma = MIN_MA,
                                    .max_ma = 16000,
                                    .step_ma = 100,
                                    .weight = 1};
    }
    site = (struct site){.name = "test",
                         .voltage_mv = 230000,
                         .policy = policy_by_name(policy),
                         .lease_ms = 900000,
                         .settle_ms = 6000,
                         .dwell_ms = DWELL_S * 1000,
                         .pause_ms = 60000,
                         .n_circuits = 1,
                         .n_connectors = n,
                         .n_chargers = n,
                         .circuits = &grid,
                         .connectors = connectors,
                         .chargers = chargers};
}

/* ---- days with simulated cars ---- */

struct day {
    struct control *k;
    int64_t on_s[MOST];
    int64_t began_ms[MOST];    /* when it was switched on last, or NEVER */
    int64_t promised_ms[MOST]; /* the earliest turn it was promised, or NEVER */
    bool on[MOST];
    int fewest_on;
    int promises, broken;
    int64_t from_ms; /* counted from here on */
};

/* A promise is kept, or, when two places were handed over at once, missed by a turn. */
static void judge(struct day *d, int64_t late_ms)
{
    d->promises++;
    d->broken += late_ms > 0;
    assert_true(late_ms <= (DWELL_S + 60) * 1000);
}

static void look_at(struct day *d, int i, int64_t now_ms)
{
    const struct connector_state *c = &d->k->connectors[i];
    bool on = c->told_ma > 0;

    if (on && !d->on[i]) {
        if (d->began_ms[i] != NEVER) /* no car starts more than once per dwell */
            assert_true(now_ms - d->began_ms[i] >= DWELL_S * 1000);
        if (d->promised_ms[i] != NEVER)
            judge(d, now_ms - d->promised_ms[i]);
        d->began_ms[i] = now_ms;
        d->promised_ms[i] = NEVER;
    }
    if (!on && c->turn.turn_ms != NEVER &&
        (d->promised_ms[i] == NEVER || c->turn.turn_ms < d->promised_ms[i]))
        d->promised_ms[i] = c->turn.turn_ms;
    d->on[i] = on;
    d->on_s[i] += on && now_ms >= d->from_ms;
}

static void second(void *arg, int64_t now_ms, const struct sim_plant *p)
{
    struct day *d = arg;
    int on = 0;

    (void)p;
    for (int i = 0; i < site.n_connectors; i++) {
        look_at(d, i, now_ms);
        on += d->on[i];
    }
    if (now_ms >= d->from_ms && now_ms < DAY_S * 1000 && on < d->fewest_on)
        d->fewest_on = on;
}

static size_t brain(void *arg, const struct event *e, struct order *out)
{
    return control_step(arg, e, out);
}

/* Each connector i has a car from arrives_s[i] until the end of the day that never gets
 * full. Counts from from_s on. */
static void live(struct day *d, bool real, const int64_t *arrives_s, int64_t from_s)
{
    struct sim_session list[MOST];
    struct sim_sessions sessions = {list, site.n_connectors};
    struct sim_setup u = {.site = &site,
                          .sessions = &sessions,
                          .real = real,
                          .seed = 7,
                          .second = second,
                          .second_arg = d};
    struct sim_outcome out;

    *d = (struct day){.fewest_on = MOST, .from_ms = (60 + from_s) * 1000};
    for (int i = 0; i < sessions.n; i++) {
        d->began_ms[i] = d->promised_ms[i] = NEVER;
        list[i] = (struct sim_session){.connector = i,
                                       .arrival_s = arrives_s[i],
                                       .departure_s = DAY_S,
                                       .energy_wh = 1000000};
    }
    d->k = control_init(malloc(control_size(&site)), &site, 0, 0);
    u.brain = (struct sim_brain){d->k, brain, control_max_orders(&site)};
    assert_null(sim_world_run(&u, &out));
    assert_int_equal(out.verdict.over_s, 0);
    assert_int_equal(control_check_failures(d->k), 0);
    print_message("%d of %d promised turns came a turn later\n", d->broken,
                  d->promises);
    assert_true(d->broken * 33 <= d->promises);
    free(d->k);
}

static void test_twelve_cars_room_for_five(void **state)
{
    static const char *const fair[] = {"equal", "weighted", "priority", "energy-fair"};
    int64_t at_once[12] = {0};

    (void)state;
    for (int f = 0; f < 4; f++)
        for (int real = 0; real <= 1; real++) {
            struct day d;
            int64_t least = DAY_S, most = 0;

            build(12, 32000, fair[f]);
            live(&d, real, at_once, 0);
            for (int i = 0; i < 12; i++) {
                least = d.on_s[i] < least ? d.on_s[i] : least;
                most = d.on_s[i] > most ? d.on_s[i] : most;
            }
            print_message("%s, %s: on for %lld to %lld s, 5/12 are %d s\n", fair[f],
                          real ? "real" : "ideal", (long long)least, (long long)most,
                          DAY_S * 5 / 12);
            assert_true(least >= DAY_S * 5 / 12 - DWELL_S);
            assert_true(most <= DAY_S * 5 / 12 + DWELL_S);
        }
}

static void test_never_all_stop(void **state)
{
    int64_t at_once[6] = {0};
    struct day d;

    (void)state;
    build(6, 14000, "equal"); /* room for two of six */
    live(&d, true, at_once, 60);
    /* where one hands over to the next the other one goes on, or is itself about to */
    assert_true(d.fewest_on >= 1);
}

/* Four cars on two places; the fifth comes after 18 h. It is not served more than the
 * others for long, nor do they wait for it. */
static void test_late_joiner_starves_nobody(void **state)
{
    int64_t arrives_s[5] = {0, 0, 0, 0, 18 * 3600};
    struct day d;

    (void)state;
    build(5, 14000, "equal");
    live(&d, false, arrives_s, 18 * 3600);
    for (int i = 0; i < 5; i++) /* 2/5 of 6 h */
        assert_in_range(d.on_s[i], 6 * 3600 * 2 / 5 - 2 * DWELL_S,
                        6 * 3600 * 2 / 5 + 2 * DWELL_S);
}

/* ---- scenes ---- */

struct scene {
    struct control *k;
    int64_t now_ms;
    int32_t base_ma; /* as the meter tells it, where there is one */
    int32_t told_ma[MOST];
    int offers; /* limits above 0 in the last step */
};

static void step(struct scene *s, struct event e)
{
    static struct order out[8 * MOST];
    size_t n;

    assert_true(control_max_orders(&site) <= 8 * MOST);
    e.at_ms = s->now_ms;
    n = control_step(s->k, &e, out);
    s->offers = 0;
    for (size_t i = 0; i < n; i++)
        if (out[i].kind == ORDER_LIMIT) {
            s->told_ma[out[i].who] = out[i].limit_ma;
            s->offers += out[i].limit_ma > 0;
        }
    for (size_t i = 0, limits = n; i < limits; i++) {
        struct event a = {.at_ms = s->now_ms, .kind = EVENT_ANSWER, .who = out[i].who};
        struct order more[8 * MOST];

        if (out[i].kind != ORDER_LIMIT)
            continue;
        a.answer = (struct event_answer){out[i].seq, ANSWER_ACCEPTED};
        assert_true(control_step(s->k, &a, more) == 0 || site.n_connectors < MOST);
    }
}

static void look(struct scene *s)
{
    struct event e = {.kind = site.n_meters ? EVENT_METER : EVENT_TICK};

    for (int p = 0; p < SITE_PHASES && site.n_meters; p++) {
        e.meter.i_ma[p] = s->base_ma;
        e.meter.v_mv[p] = 230000;
    }
    e.meter.p_w = EVENT_NO_VALUE;
    step(s, e);
}

static void pass(struct scene *s, int seconds)
{
    while (seconds-- > 0) {
        s->now_ms += 1000;
        look(s);
        if (site.n_meters)
            step(s, (struct event){.kind = EVENT_TICK});
    }
}

static void begin(struct scene *s)
{
    assert_null(site_fault(&site));
    *s = (struct scene){.now_ms = 1000000};
    s->k = control_init(malloc(control_size(&site)), &site, s->now_ms, s->now_ms);
    for (int i = 0; i < site.n_connectors; i++) {
        step(s, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = true}});
        step(s, (struct event){
                    .kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
    }
    pass(s, 20);
}

static void end(struct scene *s)
{
    assert_int_equal(control_check_failures(s->k), 0);
    free(s->k);
}

static void arrive(struct scene *s, int i)
{
    step(s, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_PREPARING});
    step(s,
         (struct event){.kind = EVENT_SESSION, .who = i, .session = {.active = true}});
}

static void test_hundred_cars_in_one_step(void **state)
{
    (void)state;
    for (int metered = 0; metered <= 1; metered++) {
        struct scene s;

        build(MOST, 800000, "equal");
        site.n_meters = metered;
        site.meters = &meter;
        grid.meter = metered ? 0 : SITE_NONE;
        begin(&s);
        s.base_ma = 100000; /* with a meter: 700 A for 100 minimums of 6 A */
        pass(&s, 20);
        for (int i = 0; i < MOST; i++)
            arrive(&s, i);
        look(&s);
        assert_int_equal(s.offers, MOST);
        for (int i = 0; i < MOST; i++)
            assert_int_equal(s.told_ma[i], metered ? MIN_MA : 8000);
        end(&s);
    }
}

static void prefer(struct scene *s, int i)
{
    step(s, (struct event){.kind = EVENT_PRIORITY, .who = i, .priority = 9});
    step(s, (struct event){.kind = EVENT_WISH,
                           .who = i,
                           .wish = {.energy_wh = 20000,
                                    .departs_ms = s->now_ms + 2 * 3600 * 1000}});
}

/* The second car is to be preferred, but the first one was just switched on. */
static void test_held_for_its_dwell(void **state)
{
    static const char *const prefers[] = {"priority", "edf", "llf", "sllf"};

    (void)state;
    for (int n = 0; n < 4; n++) {
        struct scene s;

        build(2, 10000, prefers[n]);
        begin(&s);
        arrive(&s, 0);
        pass(&s, 60);
        assert_int_equal(s.told_ma[0], 10000);
        arrive(&s, 1);
        prefer(&s, 1);
        pass(&s, DWELL_S - 70);
        assert_true(s.told_ma[0] >= MIN_MA);
        assert_int_equal(s.told_ma[1], 0);
        pass(&s, 60);
        assert_int_equal(s.told_ma[0], 0);
        assert_int_equal(s.told_ma[1], 10000);
        end(&s);
    }
}

static void test_not_held_against_a_limit(void **state)
{
    struct scene s;

    (void)state;
    build(2, 14000, "equal");
    begin(&s);
    arrive(&s, 0);
    arrive(&s, 1);
    pass(&s, 60);
    assert_int_equal(s.told_ma[0] + s.told_ma[1], 14000);
    step(&s, (struct event){.kind = EVENT_LIMIT, .limit = {9000, s.now_ms + 100000}});
    assert_int_equal((s.told_ma[0] > 0) + (s.told_ma[1] > 0), 1);
    /* who had to stop rests for the pause, then the limit is over */
    pass(&s, 59);
    assert_int_equal((s.told_ma[0] > 0) + (s.told_ma[1] > 0), 1);
    pass(&s, 60);
    assert_int_equal(s.told_ma[0] + s.told_ma[1], 14000);
    end(&s);
}

static int64_t turn_ms(const struct scene *s, int i)
{
    return s->k->connectors[i].turn.turn_ms;
}

static void test_turn_is_known(void **state)
{
    struct scene s;

    (void)state;
    build(3, 10000, "equal"); /* room for one of three */
    begin(&s);
    arrive(&s, 0);
    pass(&s, 300);
    assert_int_equal(turn_ms(&s, 0), NEVER);
    arrive(&s, 1);
    pass(&s, 60);
    arrive(&s, 2);
    pass(&s, 20);
    /* the first has had 380 s of its 900; the handing over takes some seconds more */
    assert_int_equal(turn_ms(&s, 0), NEVER);
    assert_in_range(turn_ms(&s, 1) - s.now_ms, 520 * 1000, 585 * 1000);
    assert_in_range(turn_ms(&s, 2) - turn_ms(&s, 1), DWELL_S * 1000,
                    (DWELL_S + 60) * 1000);
    pass(&s, 560);
    assert_int_equal(s.told_ma[1], 10000);
    assert_int_equal(turn_ms(&s, 1), NEVER);
    end(&s);

    build(2, 10000, "edf"); /* nobody knows when the other one has had enough */
    begin(&s);
    arrive(&s, 0);
    arrive(&s, 1);
    pass(&s, 20);
    assert_int_equal(turn_ms(&s, 0), NEVER);
    assert_int_equal(turn_ms(&s, 1), NEVER);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twelve_cars_room_for_five),
        cmocka_unit_test(test_never_all_stop),
        cmocka_unit_test(test_late_joiner_starves_nobody),
        cmocka_unit_test(test_hundred_cars_in_one_step),
        cmocka_unit_test(test_held_for_its_dwell),
        cmocka_unit_test(test_not_held_against_a_limit),
        cmocka_unit_test(test_turn_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
