/* SPDX-License-Identifier: Apache-2.0 */
/* The policies on the recorded month of Caltech: 954 sessions on 54 charge points with
 * a power limit over all of them. Skipped, and said so, where the recording is absent;
 * test_sim_policies needs none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/control.h"
#include "policy.h"
#include "sim/car.h"
#include "sim/world.h"

enum { PLACES = 54, NAME = 16, SKIP = 77 };

static char path[512];
static char ids[PLACES][NAME];
static struct site_connector connectors[PLACES];
static struct site_charger chargers[PLACES];
static struct site_circuit grid = {
    .name = "grid",
    .parent = SITE_NONE,
    .limit_ma = {1000000, 1000000, 1000000},
    .meter = SITE_NONE,
};
static struct site site = {
    .name = "caltech",
    .voltage_mv = 208000,
    .lease_ms = 600000,
    .settle_ms = 6000,
    .dwell_ms = 900000,
    .pause_ms = 60000,
    .n_circuits = 1,
    .circuits = &grid,
    .connectors = connectors,
    .chargers = chargers,
};

/* The site grows with the names that the recording has. */
static int find_connector(void *arg, const char *name)
{
    int i;

    (void)arg;
    for (i = 0; i < site.n_connectors; i++)
        if (strcmp(ids[i], name) == 0)
            return i;
    assert_true(i < PLACES && strlen(name) < NAME);
    strcpy(ids[i], name);
    chargers[i].id = ids[i];
    connectors[i] = (struct site_connector){
        .name = ids[i],
        .charger = i,
        .wiring = {(uint8_t)(i % 3), SITE_NO_PHASE, SITE_NO_PHASE},
        .max_ma = 32000,
        .step_ma = 100,
        .weight = 1,
    };
    site.n_chargers = ++site.n_connectors;
    return i;
}

static size_t step(void *arg, const struct event *e, struct order *out)
{
    return control_step(arg, e, out);
}

/* What the offline optimum, which knows the future, delivers at 10, 20 and 30
 * kW: 59.105, 88.571 and 99.256 %. Cars without a minimum and with steps of 0.1 A, or 6
 * A and 1 A. */
static const struct month {
    const char *policy;
    bool real; /* 6 A or nothing, steps of 1 A */
    int kw;
    int least_permille;                     /* of the energy, delivered */
    int complete_permille, starts_permille; /* sessions at least, per session at most */
} months[] = {
    {"equal", false, 20, 808, 700, 1100}, {"sllf", true, 20, 875, 0, 2000},
    {"edf", true, 20, 870, 790, 2000},    {"sllf", true, 30, 988, 0, 2000},
    {"sllf", false, 20, 884, 0, 2000},    {"edf", false, 20, 876, 800, 2000},
    {"llf", false, 20, 883, 0, 5000},     {"sllf", false, 10, 588, 0, 2000},
    {"sllf", false, 30, 991, 0, 2000},
};

static void fit(const struct month *m)
{
    grid.power_limit_w = m->kw * 1000;
    site.policy = policy_by_name(m->policy);
    assert_non_null(site.policy);
    for (int i = 0; i < site.n_connectors; i++) {
        connectors[i].min_ma = m->real ? 6000 : 0;
        connectors[i].step_ma = m->real ? 1000 : 100;
    }
}

static void judge(const struct month *m, const struct sim_sessions *sessions,
                  const struct sim_outcome *out)
{
    int64_t wanted_wh = 0, got_wh = 0, complete = 0, starts = 0;

    for (int i = 0; i < sessions->n; i++) {
        const struct sim_session *s = &sessions->list[i];

        wanted_wh += s->energy_wh;
        got_wh += s->delivered_nj / SIM_NJ_PER_WH;
        starts += s->starts;
        complete += s->delivered_nj / SIM_NJ_PER_WH * 1000 >= s->energy_wh * 999;
    }
    print_message(
        "%s at %d kW%s: delivered %.2f %%, complete %.1f %%, %.2f starts, %lld "
        "set points\n",
        m->policy, m->kw, m->real ? ", 6 A and 1 A" : "",
        100.0 * (double)got_wh / (double)wanted_wh,
        100.0 * (double)complete / sessions->n, (double)starts / sessions->n,
        (long long)out->setpoints);
    assert_in_range(wanted_wh, 8900522 - 954, 8900522 + 954); /* rounded one by one */
    assert_true(got_wh * 1000 >= wanted_wh * m->least_permille);
    assert_true(got_wh <= wanted_wh);
    assert_true(complete * 1000 >= sessions->n * m->complete_permille);
    assert_true(starts * 1000 <= (int64_t)sessions->n * m->starts_permille);
    assert_in_range(out->verdict.peak_w, m->kw * 950, m->kw * 1000);
    assert_int_equal(out->verdict.over_s, 0);
    assert_int_equal(out->verdict.power_over_s, 0);
}

/* How many of them: MONTHS=9 are all, each some seconds. */
static size_t n_months(void)
{
    const size_t all = sizeof months / sizeof *months;
    const char *asked = getenv("MONTHS"), *sanitized = getenv("SANITIZED");
    size_t n = asked ? (size_t)atoi(asked) : sanitized && *sanitized ? 1 : 3;

    return n < all ? n : all;
}

static void test_months(void **state)
{
    static const struct sim_names names = {NULL, find_connector, NULL};
    struct sim_sessions sessions;
    struct sim_setup u = {.site = &site, .sessions = &sessions};
    struct sim_outcome out;
    (void)state;

    assert_true(sim_sessions_read(path, &names, &sessions, stderr));
    assert_int_equal(sessions.n, 954);
    for (size_t i = 0; i < n_months(); i++) {
        void *mem = malloc(control_size(&site));

        assert_non_null(mem);
        fit(&months[i]);
        u.brain = (struct sim_brain){.arg = control_init(mem, &site, 0, 0),
                                     .step = step,
                                     .max_orders = control_max_orders(&site)};
        assert_null(sim_world_run(&u, &out));
        judge(&months[i], &sessions, &out);
        assert_int_equal(control_check_failures(u.brain.arg), 0);
        free(mem);
    }
    free(sessions.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months),
    };
    const char *dir = getenv("srcdir");

    snprintf(path, sizeof path, "%s/../shared/data/acn-caltech-2019-03/sessions.csv",
             dir ? dir : ".");
    if (access(path, R_OK) != 0) {
        printf("skipped: there is no %s\n", path);
        return SKIP;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
