/* SPDX-License-Identifier: Apache-2.0 */
/* One connector of a simulated charger as an electrical thing. */
#include "sim/bay.h"

/* A car uses the first of the connected wires that are let through. */
static int n_used(const struct sim_bay *b)
{
    int n = __builtin_popcount(b->wires);
    int most = b->car_phases < b->n_phases ? b->car_phases : b->n_phases;

    return n < most ? n : most;
}

int32_t sim_bay_offered(const struct sim_bay *b)
{
    int32_t most = b->limit_ma < b->max_ma ? b->limit_ma : b->max_ma;

    return b->session && !b->off && most >= b->min_ma ? most : 0;
}

static void offer(struct sim_bay *b)
{
    int32_t ma = sim_bay_offered(b);

    if (b->plugged && ma != b->car.offered_ma)
        sim_car_offer(&b->car, ma);
}

static enum connector_status status_now(const struct sim_bay *b)
{
    if (!b->plugged)
        return STATUS_AVAILABLE;
    if (!b->session)
        return b->session_over ? STATUS_FINISHING : STATUS_PREPARING;
    if (b->car.offered_ma == 0)
        return STATUS_SUSPENDED_EVSE;
    return b->car.i_ma > 0 ? STATUS_CHARGING : STATUS_SUSPENDED_EV;
}

void sim_bay_init(struct sim_bay *b, uint8_t wires, int32_t min_ma, int32_t max_ma,
                  int32_t step_ma, int32_t fallback_ma, int32_t voltage_mv,
                  int64_t now_ms)
{
    *b = (struct sim_bay){
        .wires = wires,
        .min_ma = min_ma,
        .max_ma = max_ma,
        .step_ma = step_ma > 0 ? step_ma : 1,
        .fallback_ma = fallback_ma,
        .limit_ma = fallback_ma,
        .n_phases = SITE_PHASES,
        .on_fallback = true,
        .voltage_mv = voltage_mv,
        .at_ms = now_ms,
        .lease_until_ms = INT64_MAX,
        .status = STATUS_AVAILABLE,
        .told = STATUS_AVAILABLE,
    };
}

static void draw(struct sim_bay *b, int64_t until_ms)
{
    if (b->plugged && !sim_car_idle(&b->car)) {
        int64_t nj =
            sim_car_step(&b->car, (int32_t)(until_ms - b->at_ms), b->voltage_mv);

        b->session_nj += nj;
        b->register_nj += nj;
        b->register_wh += b->register_nj / SIM_NJ_PER_WH;
        b->register_nj %= SIM_NJ_PER_WH;
    }
    b->at_ms = until_ms;
}

static void switch_to(struct sim_bay *b, int n, int first)
{
    b->n_phases = n;
    b->first = first;
    b->car.n_phases = n_used(b);
    b->told_ma = -1; /* other phases carry the same */
}

static void pass(struct sim_bay *b, int64_t now_ms)
{
    while (b->lease_until_ms <= now_ms) {
        if (b->lease_until_ms > b->at_ms)
            draw(b, b->lease_until_ms);
        b->lease_until_ms = INT64_MAX;
        b->on_fallback = true;
        b->limit_ma = b->fallback_ma;
        switch_to(b, SITE_PHASES, 0);
        offer(b);
    }
    if (now_ms > b->at_ms)
        draw(b, now_ms);
    b->status = status_now(b);
}

unsigned sim_bay_step(struct sim_bay *b, int64_t now_ms)
{
    unsigned changed = 0;
    int32_t i_ma;

    pass(b, now_ms);
    i_ma = b->plugged ? b->car.i_ma : 0;
    if (i_ma != b->told_ma)
        changed |= SIM_CURRENT;
    if (b->status != b->told)
        changed |= SIM_STATUS;
    b->told_ma = i_ma;
    b->told = b->status;
    return changed;
}

void sim_bay_plug(struct sim_bay *b, int64_t now_ms, const struct sim_car *car)
{
    pass(b, now_ms);
    b->car = *car;
    b->plugged = true;
    b->session_over = false;
    b->car_phases = car->n_phases;
    b->car.n_phases = n_used(b);
    b->status = status_now(b);
}

void sim_bay_start(struct sim_bay *b, int64_t now_ms)
{
    pass(b, now_ms);
    if (!b->plugged || b->session)
        return;
    b->session = true;
    b->session_nj = 0;
    offer(b);
    b->status = status_now(b);
}

void sim_bay_stop(struct sim_bay *b, int64_t now_ms)
{
    pass(b, now_ms);
    if (!b->session)
        return;
    b->session = false;
    b->session_over = true;
    sim_car_cut(&b->car);
    b->status = status_now(b);
}

void sim_bay_unplug(struct sim_bay *b, int64_t now_ms)
{
    sim_bay_stop(b, now_ms);
    b->plugged = false;
    b->session_over = false;
    b->status = status_now(b);
}

void sim_bay_set_limit(struct sim_bay *b, int64_t now_ms, int32_t limit_ma,
                       int32_t lease_ms)
{
    pass(b, now_ms);
    b->limit_ma = limit_ma / b->step_ma * b->step_ma;
    b->lease_until_ms = lease_ms < 0 ? INT64_MAX : now_ms + lease_ms;
    b->on_fallback = false;
    offer(b);
    b->status = status_now(b);
}

void sim_bay_set_phases(struct sim_bay *b, int64_t now_ms, int n, int first)
{
    pass(b, now_ms);
    if (!(b->wires >> first & 1))
        first = 0;
    if (n == b->n_phases && first == b->first)
        return;
    b->hot_switches += b->plugged && b->car.i_ma > 0;
    switch_to(b, n, first);
}

void sim_bay_clear_limit(struct sim_bay *b, int64_t now_ms)
{
    sim_bay_set_limit(b, now_ms, b->fallback_ma, -1);
    b->on_fallback = true;
}

void sim_bay_set_fallback(struct sim_bay *b, int64_t now_ms, int32_t fallback_ma)
{
    pass(b, now_ms);
    b->fallback_ma = fallback_ma / b->step_ma * b->step_ma;
    if (b->on_fallback)
        sim_bay_clear_limit(b, now_ms);
}

void sim_bay_switch(struct sim_bay *b, int64_t now_ms, bool on)
{
    pass(b, now_ms);
    b->off = !on;
    if (b->off)
        sim_car_cut(&b->car);
    offer(b);
    b->status = status_now(b);
}

void sim_bay_current(const struct sim_bay *b, int32_t own_ma[SITE_PHASES])
{
    int left = b->plugged ? b->car.n_phases : 0;

    for (int p = 0; p < SITE_PHASES; p++) {
        bool used = left > 0 && p >= b->first && (b->wires >> p & 1);

        own_ma[p] = used ? b->car.i_ma : 0;
        left -= used;
    }
}

int32_t sim_bay_power_w(const struct sim_bay *b)
{
    if (!b->plugged)
        return 0;
    return (int32_t)((int64_t)b->car.i_ma * b->voltage_mv * b->car.n_phases / 1000000);
}

int64_t sim_bay_energy_wh(const struct sim_bay *b)
{
    return b->register_wh;
}

int64_t sim_bay_session_wh(const struct sim_bay *b)
{
    return b->session_nj / SIM_NJ_PER_WH;
}

void sim_bay_sample(const struct sim_bay *b, struct event_sample *s)
{
    sim_bay_current(b, s->i_ma);
    for (int p = 0; p < SITE_PHASES; p++)
        if (!(b->wires >> p & 1))
            s->i_ma[p] = EVENT_NO_VALUE;
    s->p_w = sim_bay_power_w(b);
    s->energy_wh = sim_bay_energy_wh(b);
}
