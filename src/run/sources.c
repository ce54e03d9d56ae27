/* SPDX-License-Identifier: Apache-2.0 */
/* All that tells readings of meters: Modbus lines, P1 ports, the broker, chargers. */
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "run/runner.h"

void runner_sources_stop(struct runner *r)
{
    buses_free(r->buses);
    p1_ports_free(r->p1_ports);
    if (r->mqtt)
        mqtt_hear(r->mqtt, NULL);
    mqtt_meters_free(r->mqtt_meters);
    r->buses = NULL;
    r->p1_ports = NULL;
    r->mqtt_meters = NULL;
}

bool runner_sources_start(struct runner *r, const struct config *c)
{
    r->buses = buses_new(c, r->inbox);
    r->p1_ports = r->buses ? p1_ports_new(c, r->inbox) : NULL;
    r->mqtt_meters = r->p1_ports ? mqtt_meters_new(c, r->inbox) : NULL;
    if (!r->mqtt_meters) {
        runner_sources_stop(r);
        return false;
    }
    if (r->mqtt)
        mqtt_hear(r->mqtt, r->mqtt_meters);
    return true;
}

/* ---- readings ---- */

static void tell_misfit(struct runner *r, int circuit, int phase, int32_t ma)
{
    const struct site_circuit *c = &r->conf->site.circuits[circuit];
    char text[160];

    snprintf(text, sizeof text,
             "L%d reads %d A in circuit %s of %d A, for a minute, which no fuse holds: "
             "wrong transformer ratio, model or limit?",
             phase + 1, ma / 1000, c->name, c->limit_ma[phase] / 1000);
    runner_tell(r, "warning", "meter", r->conf->site.meters[c->meter].name, text);
}

void runner_sources_heard(struct runner *r, const struct event *e)
{
    struct reading *reading = &r->readings[e->who];
    const struct site *s = &r->conf->site;

    reading->at_ms = e->at_ms;
    reading->last = e->meter;
    for (int v = 0; v < s->n_circuits; v++) {
        int phase;

        if (s->circuits[v].meter != e->who)
            continue;
        phase = reading_misfit(&reading->misfit, e->meter.i_ma, s->circuits[v].limit_ma,
                               e->at_ms);
        if (phase != SITE_NONE && !reading->misfit_told)
            tell_misfit(r, v, phase, e->meter.i_ma[phase]);
        if (phase == SITE_NONE && reading->misfit_told && reading->misfit.since_ms == 0)
            runner_tell(r, "info", "meter", s->meters[e->who].name,
                        "fits its circuit again");
        reading->misfit_told = phase != SITE_NONE ||
                               (reading->misfit_told && reading->misfit.since_ms != 0);
    }
}

/* ---- meters that sum up chargers ---- */

static bool below(const struct site *s, int circuit, int top)
{
    while (circuit != SITE_NONE && circuit != top)
        circuit = s->circuits[circuit].parent;
    return circuit == top;
}

/* Adds what a connector draws. False: nobody knows that. One without a session draws
 * nothing and sends no samples. */
static bool add(const struct connector_view *v, int64_t now_ms, int32_t max_age_ms,
                struct meter_reading *sum)
{
    bool fresh =
        v->measured_at_ms != INT64_MIN && now_ms - v->measured_at_ms <= max_age_ms;

    if (!v->online || (v->session && !fresh))
        return false;
    if (v->energy_wh == EVENT_NO_ENERGY)
        sum->import_wh = EVENT_NO_ENERGY;
    else if (sum->import_wh != EVENT_NO_ENERGY)
        sum->import_wh += v->energy_wh;
    if (!v->session)
        return true;
    for (int p = 0; p < SITE_PHASES; p++) {
        if (v->measured_ma[p] == EVENT_NO_VALUE)
            return false;
        sum->i_ma[p] += v->measured_ma[p];
    }
    if (v->power_w == EVENT_NO_VALUE)
        sum->p_w = EVENT_NO_VALUE;
    else if (sum->p_w != EVENT_NO_VALUE)
        sum->p_w += v->power_w;
    return true;
}

static bool sum_up(const struct runner *r, const struct conf_meter *m, int64_t now_ms,
                   struct meter_reading *sum)
{
    const struct site *s = &r->conf->site;

    reading_clear(sum);
    memset(sum->i_ma, 0, sizeof sum->i_ma);
    sum->p_w = 0;
    sum->import_wh = 0;
    for (int i = 0; i < s->n_connectors; i++) {
        struct connector_view v;

        control_connector(r->control, i, &v);
        if (below(s, s->connectors[i].circuit, m->circuit) &&
            !add(&v, now_ms, m->max_age_ms, sum))
            return false;
    }
    return true;
}

/* A reading when all of them are known; else it grows old, as any other meter's. */
static void tell_sum(struct runner *r, int meter, int64_t now_ms)
{
    struct event e = {.at_ms = now_ms, .kind = EVENT_METER, .who = meter};
    struct meter_reading sum;

    if (!sum_up(r, &r->conf->meters[meter], now_ms, &sum))
        return;
    memcpy(e.meter.i_ma, sum.i_ma, sizeof e.meter.i_ma);
    memcpy(e.meter.v_mv, sum.v_mv, sizeof e.meter.v_mv);
    e.meter.p_w = sum.p_w;
    e.meter.changed_ms = now_ms; /* samples have an age of their own */
    runner_feed(r, &e);
    r->readings[meter].import_wh =
        counter_step(&r->readings[meter].counter, sum.import_wh, now_ms);
}

void runner_sources_tick(struct runner *r, int64_t now_ms)
{
    if (r->mqtt_meters)
        mqtt_meters_tick(r->mqtt_meters);
    for (int i = 0; i < r->conf->site.n_meters; i++)
        if (r->conf->meters[i].source == SOURCE_CHARGERS &&
            (r->readings[i].at_ms == INT64_MIN ||
             now_ms - r->readings[i].at_ms >= r->conf->meters[i].interval_ms))
            tell_sum(r, i, now_ms);
}
