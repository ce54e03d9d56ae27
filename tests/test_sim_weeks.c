/* SPDX-License-Identifier: Apache-2.0 */
/* The controller on the example weeks, with chargers, cars and meters as in life: no
 * wire may be overloaded by control, the cars must get their energy, and the same seed
 * must give the same events and orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "core/control.h"
#include "sim/car.h"
#include "sim/world.h"

/* A recording with its site. */
struct week {
    struct config *config;
    struct sim_sessions sessions;
    struct sim_loads loads;
};

static int find_connector(void *arg, const char *name)
{
    const struct config *c = arg;

    for (int i = 0; i < c->site.n_chargers; i++)
        if (strcmp(c->chargers[i].id, name) == 0)
            return c->chargers[i].first;
    return SIM_UNKNOWN;
}

static int find_circuit(void *arg, const char *name, int *meter)
{
    const struct config *c = arg;

    for (int i = 0; i < c->site.n_circuits; i++)
        if (strcmp(c->site.circuits[i].name, name) == 0)
            return i;
    for (int i = 0; i < c->site.n_meters; i++)
        if (strcmp(c->site.meters[i].name, name) == 0) {
            *meter = i;
            return 0;
        }
    return SIM_UNKNOWN;
}

/* "before", the name of the week, "after" */
static const char *path_of(char path[512], const char *before, const char *week,
                           const char *after)
{
    const char *dir = getenv("srcdir");

    snprintf(path, 512, "%s/data/%s%s%s", dir ? dir : ".", before, week, after);
    return path;
}

/* The first `hours` of it. */
static struct week begin_of(const char *name, int hours)
{
    struct week w;
    struct conf_errors errors = {0};
    struct sim_names names = {NULL, find_connector, find_circuit};
    char path[512];
    int64_t from_s, to_s;
    int n = 0;

    w.config = config_load(path_of(path, "sites/", name, ".yaml"), NULL, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_free(&errors);
    assert_non_null(w.config);
    names.arg = w.config;
    assert_true(sim_sessions_read(path_of(path, "", name, "-week/sessions.csv"), &names,
                                  &w.sessions, stderr));
    assert_true(sim_loads_read(path_of(path, "", name, "-week/loads.csv"), &names,
                               &w.loads, stderr));
    sim_world_span(&w.sessions, &w.loads, &from_s, &to_s);
    to_s = from_s + hours * 3600;
    while (w.loads.n && w.loads.list[w.loads.n - 1].at_s > to_s)
        w.loads.n--;
    for (int i = 0; i < w.sessions.n; i++)
        if (w.sessions.list[i].departure_s <= to_s)
            w.sessions.list[n++] = w.sessions.list[i];
    w.sessions.n = n;
    assert_true(n > 0);
    return w;
}

static void end_of(struct week *w)
{
    free(w->sessions.list);
    free(w->loads.list);
    config_free(w->config);
}

/* The controller, and a sum over all that goes in and out. */
struct door {
    struct control *control;
    uint64_t sum;
};

static void add(uint64_t *sum, int64_t value)
{
    *sum = (*sum ^ (uint64_t)value) * UINT64_C(0x100000001b3); /* FNV-1a by words */
}

static size_t step(void *arg, const struct event *e, struct order *out)
{
    struct door *d = arg;
    size_t n = control_step(d->control, e, out);

    add(&d->sum, e->at_ms);
    add(&d->sum, e->kind * 1000 + e->who);
    if (e->kind == EVENT_METER)
        for (int p = 0; p < SITE_PHASES; p++)
            add(&d->sum, e->meter.i_ma[p]);
    if (e->kind == EVENT_SAMPLE)
        for (int p = 0; p < SITE_PHASES; p++)
            add(&d->sum, e->sample.i_ma[p]);
    for (size_t i = 0; i < n; i++) {
        add(&d->sum, out[i].kind * 1000 + out[i].who);
        add(&d->sum, out[i].limit_ma);
        add(&d->sum, out[i].seq);
    }
    return n;
}

static struct sim_outcome play(struct week *w, bool real, uint64_t seed, uint64_t *sum)
{
    const struct site *site = &w->config->site;
    void *mem = malloc(control_size(site));
    struct door d = {NULL, UINT64_C(0xcbf29ce484222325)};
    struct sim_setup u = {.site = site,
                          .sessions = &w->sessions,
                          .loads = &w->loads,
                          .real = real,
                          .seed = seed,
                          .brain = {&d, step, control_max_orders(site)}};
    struct sim_outcome out;

    assert_non_null(mem);
    d.control = control_init(mem, site, 0, 0);
    assert_null(sim_world_run(&u, &out));
    assert_int_equal(control_check_failures(d.control), 0);
    free(mem);
    *sum = d.sum;
    return out;
}

static double delivered_pct(const struct sim_sessions *s)
{
    double wanted = 0, got = 0;

    for (int i = 0; i < s->n; i++) {
        wanted += (double)s->list[i].energy_wh;
        got += (double)s->list[i].delivered_nj / (double)SIM_NJ_PER_WH;
    }
    return 100 * got / wanted;
}

static void test_nothing_over_a_limit_by_control(void **state)
{
    static const struct {
        const char *week;
        int hours;
        bool real;
        uint64_t seed;
        double least_pct;
    } cases[] = {
        {"apartment", 7 * 24, true, 1, 99.9}, {"apartment", 48, true, 2, 99.9},
        {"apartment", 48, true, 3, 99.9},     {"apartment", 48, false, 1, 99.9},
        {"depot", 36, true, 1, 99.0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct week w = begin_of(cases[i].week, cases[i].hours);
        struct sim_outcome out;
        uint64_t sum;

        out = play(&w, cases[i].real, cases[i].seed, &sum);
        print_message("%s, %d h, %s plant, seed %d: %.2f %%, %lld s over a limit, %lld "
                      "s by control\n",
                      cases[i].week, cases[i].hours, cases[i].real ? "real" : "ideal",
                      (int)cases[i].seed, delivered_pct(&w.sessions),
                      (long long)out.verdict.over_s,
                      (long long)out.verdict.by_control_s);
        assert_int_equal(out.verdict.by_control_s, 0);
        assert_int_equal(out.verdict.power_by_control_s, 0);
        assert_true(delivered_pct(&w.sessions) >= cases[i].least_pct);
        end_of(&w);
    }
}

static void test_same_seed_same_run(void **state)
{
    static const uint64_t seeds[] = {5, 5, 6};
    uint64_t sums[3];
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct week w = begin_of("apartment", 48);

        play(&w, true, seeds[i], &sums[i]);
        end_of(&w);
    }
    assert_int_equal(sums[0], sums[1]);
    assert_int_not_equal(sums[0], sums[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_over_a_limit_by_control),
        cmocka_unit_test(test_same_seed_same_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
