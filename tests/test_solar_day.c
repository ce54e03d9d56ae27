/* SPDX-License-Identifier: Apache-2.0 */
/* Summer days with clouds at the house of data/sites/home.yaml, with the charger, the
 * car and the meters as in life: how long a car in mode solar draws from the grid, how
 * much of its energy comes from the roof, how often it starts and is told something. */
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
#include "sim/rng.h"
#include "sim/world.h"

enum {
    V = 230,
    DAWN_S = 5 * 3600, /* UTC */
    DUSK_S = 19 * 3600,
    PEAK_W = 9500,
    PIECE_S = 10,     /* clouds and loads change so often */
    GRID_W = 250,     /* so much import is none: a step that waits to be sent */
    LATE_S = 60,      /* samples, filter, charger and car on top of the delay */
    STANDSTILL_S = 90 /* at the start, and while the number of phases changes */
};

/* The one charger of the house, with this said of it. */
#define CAR(keys) "chargers=[{id: garage, connectors: [{fallback: 6, " keys "}]}]"

struct day {
    struct config *config;
    struct control *control;
    struct sim_session session;
    struct sim_load *loads;
    int n_loads;
    /* watched */
    int grid_s, grid_longest_s, grid_all_s, below_min_s;
    double car_ws, sun_ws, could_ws; /* of the car, from the sun; what the sun had */
};

/* Half a sine from dawn to dusk; clouds take up to 85 % for 20 s to 15 min. */
static void make_loads(struct day *d, uint64_t seed)
{
    struct sim_rng r = sim_rng_stream(seed, 1);
    int64_t cloud_until_s = 0, clear_until_s = DAWN_S + 3600;
    int64_t boil_until_s = 0;
    double share = 1;

    d->loads = calloc(2 * 86400 / PIECE_S, sizeof *d->loads);
    assert_non_null(d->loads);
    for (int64_t t = 0; t < 86400; t += PIECE_S) {
        double up = t > DAWN_S && t < DUSK_S
                        ? (double)(t - DAWN_S) * (double)(DUSK_S - t) * 4 /
                              ((double)(DUSK_S - DAWN_S) * (DUSK_S - DAWN_S))
                        : 0;
        int32_t house_w = 350;
        struct sim_load *own = &d->loads[d->n_loads], *sun = own + 1;

        if (t >= clear_until_s && t >= cloud_until_s) {
            cloud_until_s = t + sim_rng_between(&r, 20, 900);
            clear_until_s = cloud_until_s + sim_rng_between(&r, 30, 2400);
            share = (double)sim_rng_between(&r, 15, 80) / 100;
        }
        if (sim_rng_between(&r, 0, 400) == 0)
            boil_until_s = t + sim_rng_between(&r, 60, 300);
        house_w += t < boil_until_s ? 2000 : 0;
        *own = (struct sim_load){.at_s = t, .circuit = 0, .meter = SITE_NONE};
        *sun = (struct sim_load){.at_s = t, .circuit = 0, .meter = 1};
        own->i_ma[0] = (int32_t)((int64_t)house_w * 1000 / V);
        for (int p = 0; p < SITE_PHASES; p++)
            sun->i_ma[p] = -(int32_t)(PEAK_W * up * (t < cloud_until_s ? share : 1) *
                                      1000 / 3 / V);
        d->n_loads += 2;
    }
}

static struct day *day_new(const char *const *set, uint64_t seed)
{
    struct day *d = calloc(1, sizeof *d);
    struct conf_errors errors = {0};
    const char *dir = getenv("srcdir");
    char path[512];

    assert_non_null(d);
    snprintf(path, sizeof path, "%s/data/sites/home.yaml", dir ? dir : ".");
    d->config = config_load(path, set, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_free(&errors);
    assert_non_null(d->config);
    d->session = (struct sim_session){.connector = 0,
                                      .arrival_s = DAWN_S - 3600,
                                      .departure_s = DUSK_S + 3600,
                                      .energy_wh = 90000,
                                      .phases = 3};
    make_loads(d, seed);
    return d;
}

static void day_free(struct day *d)
{
    config_free(d->config);
    free(d->control);
    free(d->loads);
    free(d);
}

static size_t step(void *arg, const struct event *e, struct order *out)
{
    return control_step(((struct day *)arg)->control, e, out);
}

/* At the end of each second: where the car's power comes from. */
static void watch(void *arg, int64_t now_ms, const struct sim_plant *p)
{
    struct day *d = arg;
    int32_t base_ma[SITE_PHASES], total_ma[SITE_PHASES];
    double base_w = 0, car_w = 0, import_w, spare_w;
    int64_t at_s = now_ms / 1000 - 60; /* the world begins a minute before the day */

    sim_plant_base(p, 0, base_ma);
    sim_plant_total(p, 0, total_ma);
    for (int i = 0; i < SITE_PHASES; i++) {
        base_w += base_ma[i] * (double)V / 1000;
        car_w += (total_ma[i] - base_ma[i]) * (double)V / 1000;
    }
    import_w = base_w + car_w;
    spare_w = base_w < 0 ? -base_w : 0;
    d->grid_s = car_w > 0 && import_w > GRID_W ? d->grid_s + 1 : 0;
    d->grid_all_s += d->grid_s > 0;
    if (d->grid_s > d->grid_longest_s)
        d->grid_longest_s = d->grid_s;
    if (at_s >= d->session.arrival_s + STANDSTILL_S && at_s < d->session.departure_s)
        d->below_min_s += car_w < 5.5 * V; /* one phase with its minimum */
    d->car_ws += car_w;
    d->sun_ws += car_w < spare_w ? car_w : spare_w;
    d->could_ws += spare_w < 11040 ? spare_w : 11040;
}

static struct sim_outcome play(struct day *d, uint64_t seed, const char *what)
{
    const struct site *site = &d->config->site;
    struct sim_sessions sessions = {&d->session, 1};
    struct sim_loads loads = {d->loads, d->n_loads};
    struct sim_setup u = {.site = site,
                          .sessions = &sessions,
                          .loads = &loads,
                          .real = true,
                          .seed = seed,
                          .brain = {d, step, control_max_orders(site)},
                          .second = watch,
                          .second_arg = d};
    struct sim_outcome out;
    void *mem = malloc(control_size(site));

    assert_non_null(mem);
    d->control = control_init(mem, site, 0, 0);
    assert_null(sim_world_run(&u, &out));
    print_message(
        "%s, seed %d: %.1f kWh, %.1f %% of it and %.1f %% of the surplus from "
        "the sun, from the grid %d s in all, %d s at a time, below the "
        "minimum %d s, %d starts, %d set points\n",
        what, (int)seed, d->car_ws / 3.6e6, 100 * d->sun_ws / d->car_ws,
        100 * d->sun_ws / d->could_ws, d->grid_all_s, d->grid_longest_s, d->below_min_s,
        d->session.starts, (int)(out.setpoints - out.renewals));
    assert_int_equal(out.verdict.by_control_s, 0);
    assert_int_equal(control_check_failures(d->control), 0);
    return out;
}

static void test_days(void **state)
{
    static const struct {
        const char *what, *set;
        double sun_pct, used_pct; /* at least */
        int starts;               /* at most */
        bool always;              /* it never goes below the minimum of a phase */
    } cases[] = {
        {"solar", CAR("mode: solar"), 94, 65, 20, false},
        {"solar, 1 or 3 phases", CAR("mode: solar, phase_switch: true"), 95, 60, 25,
         false},
        {"solar, 1 or 3 phases, 9.2 A on 3",
         CAR("mode: solar, phase_switch: true, min_3p: 9.2"), 92, 60, 25, false},
        {"minsolar", CAR("mode: minsolar"), 60, 75, 1, true},
        {"minsolar, 1 or 3 phases", CAR("mode: minsolar, phase_switch: true"), 80, 60,
         25, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            const char *set[] = {cases[i].set, NULL};
            struct day *d = day_new(set, seed);
            int32_t delay_s = d->config->site.solar.stop_ms / 1000 + LATE_S;

            play(d, seed, cases[i].what);
            assert_true(100 * d->sun_ws >= cases[i].sun_pct * d->car_ws);
            assert_true(100 * d->sun_ws >= cases[i].used_pct * d->could_ws);
            assert_true(d->session.starts <= cases[i].starts);
            if (cases[i].always)
                assert_true(d->below_min_s <= (d->session.starts - 1) * STANDSTILL_S);
            else
                assert_true(d->grid_longest_s <= delay_s);
            day_free(d);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
