/* SPDX-License-Identifier: Apache-2.0 */
/* The controller on the recorded month of Caltech: 954 sessions on 54 charge points
 * with a power limit over all of them. Skipped where the recording is absent. */
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
    .settle_ms = 5000,
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

static void test_equal_at_20_kw(void **state)
{
    static const struct sim_names names = {NULL, find_connector, NULL};
    struct sim_sessions sessions;
    struct sim_setup u = {.site = &site, .sessions = &sessions, .car_max_ma = 31700};
    struct sim_outcome out;
    int64_t wanted_wh = 0, got_wh = 0;
    void *mem;
    (void)state;

    assert_true(sim_sessions_read(path, &names, &sessions, stderr));
    assert_int_equal(sessions.n, 954);
    grid.power_limit_w = 20000;
    site.policy = policy_by_name("equal");
    mem = malloc(control_size(&site));
    assert_non_null(mem);
    u.brain = (struct sim_brain){control_init(mem, &site, 0, 0), step,
                                 control_max_orders(&site)};
    assert_null(sim_world_run(&u, &out));
    for (int i = 0; i < sessions.n; i++) {
        wanted_wh += sessions.list[i].energy_wh;
        got_wh += sessions.list[i].delivered_nj / SIM_NJ_PER_WH;
    }
    print_message("delivered %.2f %%, peak %d W, %lld set points, %lld events\n",
                  100.0 * (double)got_wh / (double)wanted_wh, out.verdict.peak_w,
                  (long long)out.setpoints, (long long)out.events);
    assert_in_range(wanted_wh, 8900522 - 954, 8900522 + 954); /* rounded one by one */
    /* offline optimum 88.57 %; equal shares with nothing wasted 80.93 % */
    assert_true(got_wh * 1000 >= wanted_wh * 805);
    assert_true(got_wh * 1000 <= wanted_wh * 886);
    assert_in_range(out.verdict.peak_w, 19000, 20000);
    assert_int_equal(out.verdict.over_s, 0);
    assert_int_equal(out.verdict.power_over_s, 0);
    assert_int_equal(control_check_failures(u.brain.arg), 0);
    free(mem);
    free(sessions.list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_at_20_kw),
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
