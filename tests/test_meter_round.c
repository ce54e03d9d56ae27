/* SPDX-License-Identifier: Apache-2.0 */
/* What is encoded by a definition that is shipped is decoded again by it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/meter_files.h"
#include "meter/encode.h"
#include "meter/sunspec.h"

static uint16_t memory[2][65536];

static void put(void *arg, int fc, int at, uint16_t word)
{
    (void)arg;
    assert_in_range(fc, 3, 4);
    assert_in_range(at, 0, 65535);
    memory[fc - 3][at] = word;
}

static void read_all(struct plan *p)
{
    for (int i = 0; i < p->n_blocks; i++) {
        struct block *b = &p->blocks[i];

        memcpy(b->regs, &memory[b->fc - 3][b->at], (size_t)b->n * sizeof b->regs[0]);
        b->valid = true;
    }
}

static void near(const char *what, int64_t got, int64_t want, int64_t most)
{
    if (got - want > most || want - got > most)
        fail_msg("%s: %lld, not %lld", what, (long long)got, (long long)want);
}

/* Half of what the last digit of a register is worth, in the unit of the reading, and
 * what is lost on the way there: its float, or the scale factor that fits all. */
static int64_t coarse(const struct definition *layout, enum quantity q, int64_t value)
{
    int i = layout->by_quantity[q];
    const struct point *p;
    double step;

    if (i < 0)
        return 0;
    p = &layout->points[i];
    if (p->sum >= 0)
        return 3 * coarse(layout, layout->points[p->sum].quantity, value);
    step = fabs(number_scale(1, p->x, p->unit_exp)) / 2;
    if (p->sf >= 0)
        step = 10;
    if (p->type == TYPE_F32)
        step = fabs((double)value) / 1e7;
    return (int64_t)step + 1;
}

static struct meter_reading made_up(unsigned *seed, int phases)
{
    struct meter_reading r;

    reading_clear(&r);
    r.p_w = 0;
    for (int i = 0; i < phases; i++) {
        r.v_mv[i] = 200000 + (int32_t)(rand_r(seed) % 60000);
        r.i_ma[i] = (int32_t)(rand_r(seed) % 80000) - 40000;
        r.p_phase_w[i] = (int32_t)((int64_t)r.v_mv[i] * r.i_ma[i] / 1000000);
        r.p_w += r.p_phase_w[i];
    }
    r.hz_mhz = 50010;
    r.import_wh = 12345600 + (int64_t)(rand_r(seed) % 1000) * 1000;
    r.export_wh = 890000;
    r.pv_w = 4000 + (int32_t)(rand_r(seed) % 500) * 10;
    r.bat_w = (int32_t)(rand_r(seed) % 500) * 10 - 2500;
    r.soc_permille = 10 * (int32_t)(rand_r(seed) % 101);
    return r;
}

/* Where the walk along the chain in memory[] finds the model. */
static int discovered(const struct definition *d)
{
    struct sunspec_walk w;

    for (sunspec_begin(&w, d); !sunspec_done(&w);)
        sunspec_answer(&w, &memory[0][w.at]);
    assert_int_equal(w.state, WALK_FOUND);
    assert_ptr_equal(definition_model(d, w.model_id), d->models[0]);
    return w.model_at;
}

static const struct definition *prepare(const struct definition *d, struct decode *job)
{
    *job = (struct decode){.layout = d, .device = d};
    if (d->sunspec.used) {
        job->layout = d->models[0];
        job->offset = encode_chain(d, put, NULL);
        assert_int_equal(discovered(d), job->offset);
    }
    return job->layout;
}

/* What the layout has must come back, unless it is unsigned there. */
static void compare(const char *name, const struct definition *layout,
                    const struct meter_reading *r, const struct meter_reading *got)
{
    const struct {
        enum quantity q;
        int64_t want, got;
    } totals[] = {
        {QUANTITY_P, r->p_w, got->p_w},
        {QUANTITY_HZ, r->hz_mhz, got->hz_mhz},
        {QUANTITY_E_IMP, r->import_wh, got->import_wh},
        {QUANTITY_E_EXP, r->export_wh, got->export_wh},
        {QUANTITY_PV_P, r->pv_w, got->pv_w},
        {QUANTITY_BAT_P, r->bat_w, got->bat_w},
        {QUANTITY_SOC, r->soc_permille, got->soc_permille},
    };
    bool directed = definition_current(layout) == DEF_DIRECTED;

    for (size_t k = 0; k < sizeof totals / sizeof totals[0]; k++)
        if (layout->by_quantity[totals[k].q] >= 0)
            near(name, totals[k].got, totals[k].want,
                 coarse(layout, totals[k].q, totals[k].want));
    for (int i = 0; i < layout->phases; i++) {
        if (layout->by_quantity[QUANTITY_V] >= 0)
            near(name, got->v_mv[i], r->v_mv[i],
                 coarse(layout, QUANTITY_V, r->v_mv[i]));
        if (layout->by_quantity[QUANTITY_PP] >= 0)
            near(name, got->p_phase_w[i], r->p_phase_w[i],
                 coarse(layout, QUANTITY_PP, r->p_phase_w[i]));
        if (directed && layout->by_quantity[QUANTITY_I] >= 0 &&
            abs(r->p_phase_w[i]) > 50)
            near(name, got->i_ma[i], r->i_ma[i],
                 coarse(layout, QUANTITY_I, r->i_ma[i]));
    }
}

static void test_round_trip(void **state)
{
    static struct plan p;
    unsigned seed = 4711;
    struct meter_file *list;
    int n;

    (void)state;
    print_message("seed %u\n", seed);
    n = meter_files_list(&list);
    assert_in_range(n, 80, 1000);
    for (int k = 0; k < n; k++) {
        char err[2000];
        struct definition *d = meter_files_load(list[k].name, err, sizeof err);
        struct decode job;
        bool produces;

        assert_non_null(d);
        produces = d->kind == DEF_INVERTER; /* all its phases at a time */
        for (int round = 0; round < 20; round++) {
            const struct definition *layout = prepare(d, &job);
            struct meter_reading r = made_up(&seed, layout->phases), got;

            for (int i = 0; produces && i < layout->phases; i++) {
                r.i_ma[i] = -20000 - abs(r.i_ma[i]) / 2;
                r.p_phase_w[i] = (int32_t)((int64_t)r.v_mv[i] * r.i_ma[i] / 1000000);
            }
            if (produces)
                r.p_w = r.p_phase_w[0] + r.p_phase_w[1] + r.p_phase_w[2];
            if (definition_current(layout) == DEF_UNDIRECTED)
                for (int i = 0; i < layout->phases; i++)
                    r.p_phase_w[i] = abs(r.p_phase_w[i]);
            encode_reading(&job, &r, put, NULL);
            assert_true(plan_make(&p, layout, job.offset));
            read_all(&p);
            decode_reading(&job, &p, &got);
            compare(d->id, layout, &r, &got);
        }
        definition_free(d);
    }
    free(list);
}

/* An inverter that tells only what it makes. */
static void test_made_power(void **state)
{
    static struct plan p;
    char err[2000];
    struct definition *d = meter_files_load("sma-inverter", err, sizeof err);
    struct decode job;
    struct meter_reading r, got;

    (void)state;
    assert_non_null(d);
    prepare(d, &job);
    reading_clear(&r);
    r.p_w = -6900;
    encode_reading(&job, &r, put, NULL);
    assert_true(plan_make(&p, d, 0));
    read_all(&p);
    decode_reading(&job, &p, &got);
    assert_int_equal(got.pv_w, 6900);
    assert_int_equal(got.p_w, -6900);
    definition_free(d);
}

/* A hybrid inverter as the solar system that it is, too. */
static void test_solar_side(void **state)
{
    static struct plan p;
    char err[2000];
    struct definition *d = meter_files_load("huawei-sun2000", err, sizeof err);
    struct decode job;
    struct meter_reading r, got;
    unsigned seed = 1;

    (void)state;
    assert_non_null(d);
    definition_solar_side(d);
    prepare(d, &job);
    r = made_up(&seed, 3);
    encode_reading(&job, &r, put, NULL);
    assert_true(plan_make(&p, d, 0));
    assert_int_equal(p.n_blocks, 1);
    assert_int_equal(p.blocks[0].at, 32064);
    assert_int_equal(p.blocks[0].pace, PACE_FAST);
    read_all(&p);
    decode_reading(&job, &p, &got);
    assert_int_equal(got.p_w, -r.pv_w);
    assert_int_equal(got.v_mv[0], EVENT_NO_VALUE);
    assert_int_equal(got.import_wh, EVENT_NO_ENERGY);
    job.turned = true;
    decode_reading(&job, &p, &got);
    assert_int_equal(got.p_w, r.pv_w);
    definition_free(d);
}

static int set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[400];

    (void)state;
    snprintf(env, sizeof env, "%s/meters", srcdir ? srcdir : ".");
    return setenv("CHARGEHAND_METERS", env, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_made_power),
        cmocka_unit_test(test_solar_side),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
