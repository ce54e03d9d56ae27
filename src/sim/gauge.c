/* SPDX-License-Identifier: Apache-2.0 */
/* Meters in the simulated world: they are read, and the reading arrives. */
#include <string.h>

#include "sim/world_state.h"

void sim_gauge_read(struct sim_world *w, int meter)
{
    const struct site_meter *m = &w->site->meters[meter];
    struct event_meter r = {.p_w = 0};
    int64_t lag_ms = 0, power = 0;

    sim_happen_refresh(w);
    if (m->role == METER_SOLAR)
        memcpy(r.i_ma, w->solar_ma[meter], sizeof r.i_ma);
    else if (w->meter_circuit[meter] != SITE_NONE)
        sim_plant_total(w->plant, w->meter_circuit[meter], r.i_ma);
    for (int p = 0; p < SITE_PHASES; p++) {
        r.v_mv[p] = w->site->voltage_mv;
        power += (int64_t)r.i_ma[p] * r.v_mv[p];
    }
    r.p_w = (int32_t)(power / 1000000);
    if (!sim_fail_meter(w, meter, &r)) {
        sim_happen_put(w, (struct sim_item){w->now_ms + m->interval_ms,
                                            .what = SIM_READ, .who = meter});
        return;
    }
    if (w->u->real)
        lag_ms =
            w->gauges[meter].lag_ms +
            sim_rng_between(&w->meters[meter], 20, SIM_READ_MAX_MS) % m->interval_ms;
    sim_happen_put(w, (struct sim_item){w->now_ms + lag_ms, .what = SIM_READING,
                                        .who = meter, .meter = r});
    sim_happen_put(w, (struct sim_item){w->now_ms + m->interval_ms, .what = SIM_READ,
                                        .who = meter});
}

void sim_gauge_tell(struct sim_world *w, const struct sim_item *item)
{
    struct event e = {.kind = EVENT_METER, .who = item->who, .meter = item->meter};

    if (!w->u->faults)
        e.meter.changed_ms = w->now_ms; /* the last digits of a voltage always move */
    sim_happen_tell(w, &e);
}
