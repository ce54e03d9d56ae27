/* SPDX-License-Identifier: Apache-2.0 */
/* What people want to see of the controller's mind. Reads only. */
#include "state.h"

void control_connector(const struct control *k, int connector, struct connector_view *v)
{
    const struct connector_state *c = &k->connectors[connector];
    const struct site_connector *conf = &k->site->connectors[connector];
    int32_t ceiling_ma = ceiling_of(k, connector);
    bool fresh = c->seen_ms != NEVER && k->now_ms - c->seen_ms <= SAMPLE_STALE_MS;

    *v = (struct connector_view){
        .online = k->chargers[conf->charger].online,
        .session = c->session,
        .paused = c->paused,
        .confirmed = c->known && c->held_sure && c->held_ma == c->told_ma,
        .status = c->status,
        .mode = c->mode,
        .priority = c->priority,
        .offered_ma = c->told_ma > 0 ? c->told_ma : 0,
        .measured_at_ms = c->seen_ms == NEVER ? INT64_MIN : c->seen_ms,
        .energy_wh = c->energy_wh,
        .power_w = c->power_w,
        .wish = {.energy_wh = energy_wanted_wh(c),
                 .departs_ms = energy_departs_ms(c),
                 .min_ma = c->wishes[WISH_CAR].min_ma,
                 .max_ma = c->wishes[WISH_CAR].max_ma},
        .energy_by = energy_by(c),
        .departs_by = energy_departs_by(c),
        .asked = {.energy_wh = energy_wished_wh(c, WISH_PERSON),
                  .departs_ms = c->wishes[WISH_PERSON].departs_ms},
        .ceiling_ma = ceiling_ma == INT32_MAX ? EVENT_NO_VALUE : ceiling_ma,
        .n_phases = c->ph.set,
        .why = why_now(k, connector),
    };
    for (int p = 0; p < SITE_PHASES; p++) {
        int32_t ma = grant_exposure(k, connector, p);

        v->measured_ma[p] = fresh ? c->seen_ma[p] : EVENT_NO_VALUE;
        if (ma > v->exposure_ma)
            v->exposure_ma = ma;
    }
}

void control_circuit(const struct control *k, int circuit, struct circuit_view *v)
{
    const struct circuit_state *s = &k->circuits[circuit];
    int m = k->site->circuits[circuit].meter;
    struct event_limit external = limit_lowest(s);

    *v = (struct circuit_view){
        .metered = m != SITE_NONE,
        .meter_ok = m == SITE_NONE || base_metered(k, circuit),
        .external_ma = external.limit_ma,
        .external_w = external.power_w,
        .external_chargers_w = external.chargers_w,
        .external_until_ms = external.until_ms,
        .meter_at_ms = INT64_MIN,
        .total_w = EVENT_NO_VALUE,
    };
    if (m != SITE_NONE && k->meters[m].at_ms != NEVER) {
        v->meter_at_ms = k->meters[m].at_ms;
        v->total_w = k->meters[m].last.p_w;
    }
    for (int p = 0; p < SITE_PHASES; p++) {
        v->limit_ma[p] = control_limit(k, circuit, p);
        v->base_ma[p] = (int32_t)s->base_ma[p];
        v->granted_ma[p] = (int32_t)s->exposure_ma[p];
        v->total_ma[p] = m != SITE_NONE && k->meters[m].at_ms != NEVER
                             ? k->meters[m].last.i_ma[p]
                             : EVENT_NO_VALUE;
    }
}

uint64_t control_check_failures(const struct control *k)
{
    return k->check_failures;
}

uint64_t control_steps(const struct control *k)
{
    return k->steps;
}
