/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated battery car: ramps, sleeps, tapers and gets full. */
#include "sim/car.h"

enum { SLICE_MS = 1000 };

static int32_t smaller(int64_t a, int64_t b)
{
    return (int32_t)(a < b ? a : b);
}

void sim_car_ideal(struct sim_car *c, int64_t wanted_wh, int n_phases, int32_t max_ma,
                   int32_t min_ma)
{
    *c = (struct sim_car){
        .wanted_nj = wanted_wh * SIM_NJ_PER_WH,
        .n_phases = n_phases,
        .max_ma = max_ma,
        .min_ma = min_ma,
        .take_permille = 1000,
    };
}

void sim_car_real(struct sim_car *c, int64_t wanted_wh, int n_phases, int32_t max_ma,
                  struct sim_rng *r)
{
    int64_t most_taper_nj = 3000 * SIM_NJ_PER_WH;

    sim_car_ideal(c, wanted_wh, n_phases, max_ma, 6000);
    c->up_ma_s = (int32_t)sim_rng_between(r, 1000, 4000);
    c->down_ma_s = (int32_t)((int64_t)max_ma * 1000 / sim_rng_between(r, 1000, 3000));
    if (c->down_ma_s < 1)
        c->down_ma_s = 1;
    c->wake_ms = (int32_t)sim_rng_between(r, 1000, 8000);
    c->take_permille = (int32_t)sim_rng_between(r, 940, 1000);
    c->taper_nj = c->wanted_nj / 100 * sim_rng_between(r, 4, 12);
    if (c->taper_nj > most_taper_nj)
        c->taper_nj = most_taper_nj;
    c->asleep_ms = c->wake_ms;
}

bool sim_car_full(const struct sim_car *c)
{
    return c->taken_nj >= c->wanted_nj;
}

static bool offered_enough(const struct sim_car *c)
{
    return c->offered_ma > 0 && c->offered_ma >= c->min_ma;
}

bool sim_car_idle(const struct sim_car *c)
{
    return c->i_ma == 0 && (sim_car_full(c) || !offered_enough(c));
}

/* What it would draw when it had all time to get there. */
static int32_t wanted_ma(const struct sim_car *c)
{
    int64_t left_nj = c->wanted_nj - c->taken_nj, most = c->max_ma, floor_ma;

    if (left_nj <= 0 || !offered_enough(c) || c->asleep_ms > 0)
        return 0;
    if (c->taper_nj > 0 && left_nj < c->taper_nj) {
        floor_ma = most / 10; /* it does finish */
        most = most * (left_nj / 1000000) / (c->taper_nj / 1000000 + 1);
        if (most < floor_ma)
            most = floor_ma;
    }
    return smaller((int64_t)c->offered_ma * c->take_permille / 1000, most);
}

static void set_current(struct sim_car *c, int32_t i_ma)
{
    if (c->i_ma == 0 && i_ma > 0)
        c->starts++;
    c->i_ma = i_ma;
}

/* Goes towards its target for dt_ms. Returns twice the area under its current, in
 * mA x ms. */
static int64_t approach(struct sim_car *c, int32_t dt_ms)
{
    int32_t target = wanted_ma(c), from = c->i_ma;
    int64_t rate = target > from ? c->up_ma_s : c->down_ma_s;
    int64_t gap = target > from ? target - from : from - target;
    int64_t need_ms = rate ? (gap * 1000 + rate - 1) / rate : 0;

    if (need_ms <= dt_ms) {
        set_current(c, target);
        return (from + (int64_t)target) * need_ms + 2 * target * (dt_ms - need_ms);
    }
    gap = rate * dt_ms / 1000;
    set_current(c, (int32_t)(target > from ? from + gap : from - gap));
    return ((int64_t)from + c->i_ma) * dt_ms;
}

void sim_car_offer(struct sim_car *c, int32_t offered_ma)
{
    bool was = offered_enough(c);

    c->offered_ma = offered_ma;
    if (was && !offered_enough(c))
        c->asleep_ms = c->wake_ms;
    if (wanted_ma(c) > c->i_ma ? !c->up_ma_s : !c->down_ma_s)
        set_current(c, wanted_ma(c));
}

void sim_car_cut(struct sim_car *c)
{
    sim_car_offer(c, 0);
    c->i_ma = 0;
}

int64_t sim_car_step(struct sim_car *c, int32_t dt_ms, int32_t voltage_mv)
{
    int64_t before_nj = c->taken_nj;

    while (dt_ms > 0 && !sim_car_idle(c)) {
        int32_t part = dt_ms < SLICE_MS ? dt_ms : SLICE_MS;
        bool sleeps = c->asleep_ms > 0 && offered_enough(c);

        if (sleeps)
            part = smaller(part, c->asleep_ms);
        c->taken_nj += approach(c, part) * voltage_mv / 2 * c->n_phases;
        if (sleeps)
            c->asleep_ms -= part;
        if (sim_car_full(c)) {
            c->taken_nj = c->wanted_nj;
            c->i_ma = 0;
        }
        dt_ms -= part;
    }
    return c->taken_nj - before_nj;
}
