/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the snapshot of the site from the core and the neighbours. */
#include <stdlib.h>

#include "policy.h"
#include "io/clock.h"
#include "run/runner.h"

enum { STARTING_MS = 15000 }; /* chargers and meters are given so long to appear */

static void connector(struct runner *r, int i, struct snap_connector *s)
{
    const struct conf_connector *conf = &r->conf->connectors[i];
    const struct site_connector *site = &r->conf->site.connectors[i];
    const struct ocpp_station *st = &r->stations[conf->charger];
    const struct book_session *b = book_at(r->book, i);
    const char *id = r->conf->chargers[conf->charger].id;

    *s = (struct snap_connector){
        .cid = conf->cid,
        .name = conf->name,
        .charger = id ? id : "",
        .vendor = st->vendor,
        .model = st->model,
        .serial = st->serial,
        .firmware = st->firmware,
        .circuit = r->conf->site.circuits[site->circuit].name,
        .why_circuit = "",
        .number = conf->number,
        .max_ma = site->max_ma,
        .min_ma = site->min_ma,
        .session = b->active,
        .tag = b->active ? b->tag : "",
        .session_begin_utc_s = b->active ? b->begin_utc_s : 0,
        .session_wh = b->active ? b->energy_wh : 0,
    };
    if (r->ocpp)
        ocpp_transfer_text(r->ocpp, conf->charger, s->transfer, sizeof s->transfer);
    control_connector(r->control, i, &s->v);
    if (s->v.why.until_ms > 0)
        s->why_until_utc_s = clock_utc_s() + (s->v.why.until_ms - clock_ms()) / 1000;
    if (s->v.wish.departs_ms != INT64_MAX) /* to the minute: the two clocks drift */
        s->departs_utc_s =
            (clock_utc_s() + (s->v.wish.departs_ms - clock_ms()) / 1000 + 30) / 60 * 60;
    if (s->v.why.circuit != SITE_NONE)
        s->why_circuit = r->conf->site.circuits[s->v.why.circuit].name;
}

static void circuit(struct runner *r, int v, struct snap_circuit *s)
{
    const struct site_circuit *site = &r->conf->site.circuits[v];

    *s = (struct snap_circuit){
        .name = site->name,
        .parent = site->parent,
        .meter = site->meter == SITE_NONE ? "" : r->conf->meters[site->meter].name,
        .power_limit_w = site->power_limit_w,
    };
    control_circuit(r->control, v, &s->v);
}

static void meter(struct runner *r, int m, int64_t now_ms, struct snap_meter *s)
{
    static const char *const sources[] = {[SOURCE_MODBUS] = "modbus",
                                          [SOURCE_P1] = "p1",
                                          [SOURCE_MQTT] = "mqtt",
                                          [SOURCE_CHARGERS] = "chargers"};
    const struct reading *reading = &r->readings[m];
    bool any = reading->at_ms != INT64_MIN;

    *s = (struct snap_meter){
        .name = r->conf->meters[m].name,
        .role = r->conf->meters[m].role,
        .source = sources[r->conf->meters[m].source],
        .age_ms = any ? now_ms - reading->at_ms : -1,
        .p_w = any ? reading->last.p_w : EVENT_NO_VALUE,
        .import_wh = reading->import_wh,
        .export_wh = reading->export_wh,
    };
    s->ok = any && s->age_ms <= r->conf->site.meters[m].max_age_ms;
    for (int p = 0; p < SITE_PHASES; p++) {
        s->i_ma[p] = any ? reading->last.i_ma[p] : EVENT_NO_VALUE;
        s->v_mv[p] = any ? reading->last.v_mv[p] : EVENT_NO_VALUE;
    }
}

static bool overload(const struct snap_circuit *c)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->v.meter_ok && c->v.total_ma[p] != EVENT_NO_VALUE &&
            c->v.total_ma[p] > c->v.limit_ma[p])
            return true;
    return false;
}

/* One word for the whole site, the worst first. */
static const char *state(const struct runner *r, const struct snapshot *s)
{
    bool limiting = false, lost = false, over = false;

    for (int v = 0; v < s->n_circuits; v++) {
        lost |= !s->circuits[v].v.meter_ok;
        over |= overload(&s->circuits[v]);
    }
    for (int i = 0; i < s->n_connectors; i++) {
        enum reason why = s->connectors[i].v.why.reason;

        limiting |= why == REASON_CIRCUIT || why == REASON_POWER ||
                    why == REASON_WAITING || why == REASON_UNBALANCE;
    }
    if (lost && s->now_ms - r->start_ms < STARTING_MS)
        return "starting";
    return over ? "overload" : lost ? "meter_lost" : limiting ? "limiting" : "normal";
}

bool runner_snapshot(struct runner *r, struct snapshot *s)
{
    const struct site *site = &r->conf->site;

    *s = (struct snapshot){
        .site_id = r->conf->site_id,
        .site_name = site->name,
        .version = PACKAGE_VERSION,
        .policy = site->policy->name,
        .utc_s = clock_utc_s(),
        .started_utc_s = r->started_utc_s,
        .now_ms = clock_ms(),
        .steps = control_steps(r->control),
        .check_failures = control_check_failures(r->control),
        .dropped = inbox_dropped(r->inbox) + r->events_lost +
                   (r->history ? history_dropped(r->history) : 0),
        .mqtt_connected = r->mqtt && mqtt_connected(r->mqtt),
        .n_connectors = site->n_connectors,
        .n_circuits = site->n_circuits,
        .n_meters = site->n_meters,
    };
    s->connectors = calloc((size_t)s->n_connectors + 1, sizeof *s->connectors);
    s->circuits = calloc((size_t)s->n_circuits + 1, sizeof *s->circuits);
    s->meters = calloc((size_t)s->n_meters + 1, sizeof *s->meters);
    if (!s->connectors || !s->circuits || !s->meters) {
        runner_snapshot_free(s);
        return false;
    }
    for (int i = 0; i < s->n_connectors; i++)
        connector(r, i, &s->connectors[i]);
    for (int v = 0; v < s->n_circuits; v++)
        circuit(r, v, &s->circuits[v]);
    for (int m = 0; m < s->n_meters; m++)
        meter(r, m, s->now_ms, &s->meters[m]);
    s->state = state(r, s);
    return true;
}

void runner_snapshot_free(struct snapshot *s)
{
    free(s->connectors);
    free(s->circuits);
    free(s->meters);
    s->connectors = NULL;
    s->circuits = NULL;
    s->meters = NULL;
}
