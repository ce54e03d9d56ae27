/* SPDX-License-Identifier: Apache-2.0 */
/* What the policies are good for, on a seeded week at a workplace where cars want more
 * than there is: sllf delivers most, edf completes most sessions, equal treats all
 * alike; with 6 A and 1 A as real chargers have it. */
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
#include "sim/car.h"
#include "sim/rng.h"
#include "sim/world.h"

enum { BAYS = 24, DAYS = 5, HOUR_S = 3600, MOST_POLICIES = 16, POWER_W = 22000 };

struct result {
    double delivered, complete, starts; /* share, share, per session */
    double worst; /* the tenth of the sessions that got least of what they wanted */
};

static struct site_connector connectors[BAYS];
static struct site_charger chargers[BAYS];
static struct site_circuit grid = {
    .name = "grid",
    .parent = SITE_NONE,
    .limit_ma = {1000000, 1000000, 1000000},
    .power_limit_w = POWER_W,
    .meter = SITE_NONE,
};
static struct site site = {
    .name = "workplace",
    .voltage_mv = 230000,
    .lease_ms = 900000,
    .settle_ms = 6000,
    .dwell_ms = 900000,
    .pause_ms = 60000,
    .n_circuits = 1,
    .n_connectors = BAYS,
    .n_chargers = BAYS,
    .circuits = &grid,
    .connectors = connectors,
    .chargers = chargers,
};
static struct sim_session list[BAYS * DAYS];
static struct result results[MOST_POLICIES];

static void build(void)
{
    struct sim_rng r = sim_rng_stream(20261126, 1);

    for (int i = 0; i < BAYS; i++) {
        chargers[i].id = "CP";
        connectors[i] = (struct site_connector){
            .name = "bay",
            .charger = i,
            .wiring = {(uint8_t)(i % 3), SITE_NO_PHASE, SITE_NO_PHASE},
            .min_ma = 6000,
            .max_ma = 32000,
            .step_ma = 1000,
            .weight = 1};
    }
    for (int d = 0; d < DAYS; d++) /* from 7 to 11 o'clock, for 3 to 9 h */
        for (int i = 0; i < BAYS; i++) {
            int64_t from = (24 * d + 7) * HOUR_S + sim_rng_between(&r, 0, 4 * HOUR_S);

            list[d * BAYS + i] = (struct sim_session){
                .connector = i,
                .arrival_s = from,
                .departure_s = from + sim_rng_between(&r, 3 * HOUR_S, 9 * HOUR_S),
                .energy_wh = sim_rng_between(&r, 3000, 15000)};
        }
}

static int by_arrival(const void *a, const void *b)
{
    const struct sim_session *x = a, *y = b;

    return x->arrival_s < y->arrival_s ? -1 : x->arrival_s > y->arrival_s;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static struct result reckon(const struct sim_sessions *s)
{
    double served[BAYS * DAYS], wanted = 0, got = 0;
    struct result r = {0};

    for (int i = 0; i < s->n; i++) {
        double wh = (double)(s->list[i].delivered_nj / SIM_NJ_PER_WH);

        served[i] = wh / (double)s->list[i].energy_wh;
        wanted += (double)s->list[i].energy_wh;
        got += wh;
        r.complete += served[i] >= 0.999;
        r.starts += s->list[i].starts;
    }
    qsort(served, (size_t)s->n, sizeof *served, by_value);
    for (int i = 0; i < s->n / 10; i++)
        r.worst += served[i] / (s->n / 10);
    r.delivered = got / wanted;
    r.complete /= s->n;
    r.starts /= s->n;
    return r;
}

static size_t step(void *arg, const struct event *e, struct order *out)
{
    return control_step(arg, e, out);
}

static struct result week(const struct policy *policy)
{
    struct sim_sessions sessions = {list, BAYS * DAYS};
    struct sim_setup u = {.site = &site, .sessions = &sessions};
    struct sim_outcome out;
    void *mem = malloc(control_size(&site));

    assert_non_null(mem);
    site.policy = policy;
    u.brain = (struct sim_brain){.arg = control_init(mem, &site, 0, 0),
                                 .step = step,
                                 .max_orders = control_max_orders(&site)};
    assert_null(sim_world_run(&u, &out));
    assert_int_equal(out.verdict.over_s, 0);
    assert_int_equal(out.verdict.power_over_s, 0);
    assert_int_equal(control_check_failures(u.brain.arg), 0);
    free(mem);
    return reckon(&sessions);
}

static const struct result *of(const char *name)
{
    for (int i = 0; policies[i]; i++)
        if (strcmp(policies[i]->name, name) == 0)
            return &results[i];
    fail_msg("there is no %s", name);
    return NULL;
}

static void test_what_they_are_good_for(void **state)
{
    (void)state;
    for (int i = 0; policies[i]; i++) {
        assert_true(i < MOST_POLICIES);
        results[i] = week(policies[i]);
        print_message("%-12s delivered %.2f %%, complete %.1f %%, worst tenth %.1f %%, "
                      "%.2f starts\n",
                      policies[i]->name, 100 * results[i].delivered,
                      100 * results[i].complete, 100 * results[i].worst,
                      results[i].starts);
    }
    for (int i = 0; policies[i]; i++) { /* no priorities or weights are set */
        assert_true(results[i].delivered <= of("sllf")->delivered + 0.005);
        assert_true(results[i].complete <= of("edf")->complete + 0.001);
    }
    assert_true(of("sllf")->delivered >= of("equal")->delivered + 0.1);
    assert_true(of("edf")->delivered >= of("fcfs")->delivered + 0.05);
    assert_true(of("equal")->worst >= of("fcfs")->worst + 0.1);
    assert_true(of("energy-fair")->worst >= of("fcfs")->worst + 0.1);
    assert_true(of("sllf")->starts <= 2.0);
    assert_true(of("edf")->starts <= 2.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_they_are_good_for),
    };

    build();
    qsort(list, BAYS * DAYS, sizeof *list, by_arrival);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
