/* SPDX-License-Identifier: Apache-2.0 */
/* Does it oscillate? Four cars that answer after 1 to 10 s, a base load with steps and
 * noise, meter values every 10 or 60 s. After each disturbance: the currents settle
 * within a minute, no set point goes up and down and up again and again, and at no time
 * do all cars stop. */
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
#include "sim/rng.h"
#include "sim/world.h"

enum {
    CARS = 4,
    SECONDS = 3600,
    T0 = 1551398400,
    WARM_UP_S = 300, /* until all four have started */
    SETTLE_S = 60,
    LIMIT_MA = 50000,
    MAX_STEPS = 64
};

static const struct site_circuit circuits[] = {
    {.name = "grid",
     .parent = SITE_NONE,
     .limit_ma = {LIMIT_MA, LIMIT_MA, LIMIT_MA},
     .meter = 0,
     .base_ma = {LIMIT_MA, LIMIT_MA, LIMIT_MA}},
};
static const struct site_meter meters[] = {{"main", METER_CIRCUIT, 1000, 10000}};
static const struct site_charger chargers[CARS] = {{"A"}, {"B"}, {"C"}, {"D"}};

/* What the house does, beside noise. */
struct scenario {
    const char *what;
    int period_s;             /* a step so often */
    int32_t low_ma, high_ma;  /* somewhere between them, */
    bool jumps;               /* or alternating */
    uint8_t phases;           /* bit mask: those that step */
    int32_t noise_ma;         /* plus or minus */
    int car_phases[CARS];
};

static const struct scenario scenarios[] = {
    {"a heat pump comes and goes", 180, 8000, 20000, true, 7, 300, {3, 3, 3, 3}},
    {"a cooker on one phase", 120, 5000, 19000, true, 2, 300, {3, 1, 3, 1}},
    {"anything, every two minutes", 120, 2000, 24000, false, 7, 500, {3, 3, 1, 2}},
    {"room for three, then for two", 240, 28000, 36000, true, 7, 300, {3, 3, 3, 3}},
    {"small steps", 120, 10000, 14000, false, 7, 500, {3, 3, 3, 3}},
    {"noise alone", 900, 15000, 15000, true, 7, 1000, {3, 3, 3, 3}},
};

struct trial {
    const struct scenario *s;
    uint64_t seed;
    int32_t sample_ms;
    bool mute;
    /* set points of each car as they were told */
    struct control *control;
    int32_t told_ma[CARS];
    /* per second, from 0 = T0 */
    int32_t set_ma[SECONDS + 1][CARS];
    int32_t drawn_ma[SECONDS + 1], base_ma[SECONDS + 1];
    struct circuit_view v[SECONDS + 1]; struct connector_view c[SECONDS+1][CARS];
    int changes[SECONDS + 1]; /* orders in that second */
    int64_t from_ms;          /* T0 on the virtual clock */
    int steps_s[MAX_STEPS], n_steps;
};

static size_t step(void *arg, const struct event *e, struct order *out)
{
    struct trial *t = arg;
    size_t n = control_step(t->control, e, out);

    for (size_t i = 0; i < n; i++)
        if (out[i].kind == ORDER_LIMIT)
            t->told_ma[out[i].who] = out[i].limit_ma;
    return n;
}

static void second(void *arg, int64_t now_ms, const struct sim_plant *p)
{
    struct trial *t = arg;
    int64_t s = (now_ms - t->from_ms) / 1000;
    int32_t total_ma[SITE_PHASES], base_ma[SITE_PHASES];

    if (s < 0 || s > SECONDS)
        return;
    sim_plant_total(p, 0, total_ma);
    sim_plant_base(p, 0, base_ma);
    memcpy(t->set_ma[s], t->told_ma, sizeof t->told_ma);
    t->drawn_ma[s] = total_ma[1] - base_ma[1];
    t->base_ma[s] = base_ma[1];
    control_circuit(t->control, 0, &t->v[s]);
    for (int c=0;c<CARS;c++) control_connector(t->control, c, &t->c[s][c]);
}

/* A load for each second. */
static struct sim_loads loads_of(struct trial *t)
{
    struct sim_loads l = {calloc(SECONDS, sizeof *l.list), SECONDS};
    struct sim_rng rng = sim_rng_stream(t->seed, 77);
    const struct scenario *s = t->s;
    int32_t now_ma = s->low_ma;

    assert_non_null(l.list);
    for (int i = 0; i < SECONDS; i++) {
        if (i >= WARM_UP_S && i % s->period_s == 0) {
            now_ma = !s->jumps ? (int32_t)sim_rng_between(&rng, s->low_ma, s->high_ma)
                     : now_ma == s->low_ma ? s->high_ma
                                           : s->low_ma;
            t->steps_s[t->n_steps++] = i;
        }
        l.list[i] = (struct sim_load){.at_s = T0 + i, .meter = SITE_NONE};
        for (int p = 0; p < SITE_PHASES; p++)
            l.list[i].i_ma[p] =
                (s->phases >> p & 1 ? now_ma : s->low_ma) +
                (int32_t)sim_rng_between(&rng, -s->noise_ma, s->noise_ma);
    }
    return l;
}

static void play(struct trial *t)
{
    struct site_connector connectors[CARS] = {0};
    struct sim_session list[CARS] = {0};
    struct sim_sessions sessions = {list, CARS};
    struct sim_loads loads = loads_of(t);
    struct site site = {.name = "calm",
                        .voltage_mv = 230000,
                        .policy = policy_by_name("equal"),
                        .lease_ms = 900000,
                        .settle_ms = 14000,
                        .n_circuits = 1,
                        .n_connectors = CARS,
                        .n_meters = 1,
                        .n_chargers = CARS,
                        .circuits = circuits,
                        .connectors = connectors,
                        .meters = meters,
                        .chargers = chargers};
    struct sim_setup u = {.site = &site, .sessions = &sessions, .loads = &loads,
                          .real = true, .seed = t->seed, .sample_ms = t->sample_ms,
                          .act_min_ms = 1000, .act_max_ms = 10000, .mute = t->mute,
                          .brain = {t, step, control_max_orders(&site)},
                          .second = second, .second_arg = t};
    struct sim_outcome out;
    void *mem = malloc(control_size(&site));

    assert_non_null(mem);
    for (int i = 0; i < CARS; i++) {
        connectors[i] = (struct site_connector){.name = "bay", .charger = i,
                                                .wiring = {0, 1, 2}, .min_ma = 6000,
                                                .max_ma = 16000, .step_ma = 100,
                                                .weight = 1};
        if (t->s->car_phases[i] == 1)
            connectors[i].wiring[0] = 1, connectors[i].wiring[1] = 0;
        list[i] = (struct sim_session){.connector = i, .arrival_s = T0 + 5 * i,
                                       .departure_s = T0 + SECONDS + 10,
                                       .energy_wh = 500000,
                                       .phases = t->s->car_phases[i]};
    }
    assert_null(site_fault(&site));
    t->from_ms = 60000;
    t->control = control_init(mem, &site, 0, 0);
    assert_null(sim_world_run(&u, &out));
    assert_int_equal(control_check_failures(t->control), 0);
    print_message("  over %lld s, by control %lld s, %lld set points\n",
                  (long long)out.verdict.over_s, (long long)out.verdict.by_control_s,
                  (long long)out.setpoints);
    if (out.verdict.by_control_s) print_message("  FIRST at %lld\n", (long long)(out.verdict.first_ms - t->from_ms));
    free(loads.list);
    free(mem);
}

static int turns(const struct trial *t, int car, int from, int to)
{
    int n = 0, last = 0;

    for (int s = from; s < to; s++) {
        int d = t->set_ma[s + 1][car] - t->set_ma[s][car];

        if (d == 0)
            continue;
        n += last != 0 && (d > 0) != (last > 0);
        last = d;
    }
    return n;
}

static int32_t sum(const struct trial *t, int s)
{
    int32_t n = 0;

    for (int c = 0; c < CARS; c++)
        n += t->set_ma[s][c];
    return n;
}

static void judge(const struct trial *t)
{
    int worst_turns = 0, worst_band = 0, worst_settle = 0, all_stop = 0, band_at=0;
    double use = 0; int nuse=0;

    for (int i = 0; i < t->n_steps; i++) {
        int from = t->steps_s[i];
        int to = i + 1 < t->n_steps ? t->steps_s[i + 1] : SECONDS - 1;
        int32_t lo = INT32_MAX, hi = 0;
        int settled = to;

        for (int c = 0; c < CARS; c++)
            if (turns(t, c, from, to) > worst_turns)
                worst_turns = turns(t, c, from, to);
        for (int s = to; s >= from; s--) {
            int32_t d = sum(t, s);
            int32_t l = d < lo ? d : lo, h = d > hi ? d : hi;
            if (h - l > 3000) break;
            lo = l; hi = h; settled = s;
        }
        if (settled - from > worst_settle) worst_settle = settled - from;
        lo = INT32_MAX; hi = 0;
        for (int s = from + SETTLE_S; s <= to; s++) {
            int32_t d = sum(t, s);
            lo = d < lo ? d : lo; hi = d > hi ? d : hi;
            use += (double)t->drawn_ma[s] / (LIMIT_MA - t->base_ma[s]); nuse++;
        }
        if (hi - lo > worst_band) worst_band = hi - lo, band_at = from;
    }
    for (int s = WARM_UP_S; s < SECONDS; s++)
        all_stop += sum(t, s) == 0;
    print_message("  turns %d, settle %d s, band after 60 s %d mA (at %d), all stop %d s, use %.1f %%\n", worst_turns,
                  worst_settle, worst_band, band_at, all_stop, 100 * use / nuse);
    if (getenv("TRACE"))
        for (int s = 0; s < SECONDS; s++)
            print_message("T %d base %d drawn %d set %d %d %d %d  est %d exp %d seen %d %d %d %d\n", s, t->base_ma[s], t->drawn_ma[s], t->set_ma[s][0], t->set_ma[s][1], t->set_ma[s][2], t->set_ma[s][3], t->v[s].base_ma[1],t->v[s].granted_ma[1],  t->c[s][0].measured_ma[1], t->c[s][1].measured_ma[1], t->c[s][2].measured_ma[1], t->c[s][3].measured_ma[1]);
}

static void test_all(void **state)
{
    static struct trial t;
    (void)state;
    const char *only = getenv("ONLY");

    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        for (int m = 0; m < 3; m++)
            for (uint64_t seed = 1; seed <= (getenv("SEEDS") ? (uint64_t)atoi(getenv("SEEDS")) : 3); seed++) {
                if (only && (atoi(only) != (int)(i * 1000 + (size_t)m * 100 + seed))) continue;
                t = (struct trial){.s = &scenarios[i], .seed = seed,
                                   .sample_ms = m ? 60000 : 10000, .mute = m == 2};
                print_message("%d %s, samples every %d s%s, seed %d\n", (int)(i * 1000 + (size_t)m * 100 + seed), t.s->what,
                              t.sample_ms / 1000, t.mute ? " (mute)" : "", (int)seed);
                play(&t);
                judge(&t);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
