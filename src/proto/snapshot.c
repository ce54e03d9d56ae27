/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the site as one JSON document, and what MQTT and it have in common. */
#include "proto/snapshot.h"

#include <string.h>

#include "proto/jsondoc.h"

const char *const snapshot_states[] = {"starting", "normal",     "limiting",
                                       "overload", "meter_lost", NULL};

bool snapshot_plugged(const struct snap_connector *c)
{
    switch (c->v.status) {
    case STATUS_PREPARING:
    case STATUS_CHARGING:
    case STATUS_SUSPENDED_EV:
    case STATUS_SUSPENDED_EVSE:
    case STATUS_FINISHING:
        return true;
    default:
        return c->v.session || c->session;
    }
}

static int32_t clamp32(int64_t v)
{
    if (v > INT32_MAX)
        return INT32_MAX;
    return v <= INT32_MIN ? INT32_MIN + 1 : (int32_t)v;
}

void snapshot_headroom(const struct snap_circuit *c, int32_t out_ma[SITE_PHASES])
{
    const struct circuit_view *v = &c->v;

    for (int p = 0; p < SITE_PHASES; p++) {
        bool measured = v->metered && v->meter_ok && v->total_ma[p] != EVENT_NO_VALUE;
        int64_t used =
            measured ? v->total_ma[p] : (int64_t)v->base_ma[p] + v->granted_ma[p];

        out_ma[p] = clamp32(v->limit_ma[p] - used);
    }
}

const struct snap_meter *snapshot_meter(const struct snapshot *s, const char *name)
{
    for (int i = 0; name && i < s->n_meters; i++)
        if (strcmp(s->meters[i].name, name) == 0)
            return &s->meters[i];
    return NULL;
}

int32_t snapshot_external_left_s(const struct snapshot *s, const struct circuit_view *v)
{
    int64_t left_ms;

    if ((v->external_ma == EVENT_NO_VALUE && !v->external_w &&
         !v->external_chargers_w) ||
        v->external_until_ms == INT64_MAX)
        return EVENT_NO_VALUE;
    left_ms = v->external_until_ms - s->now_ms;
    return left_ms <= 0 ? 0 : clamp32((left_ms + 999) / 1000);
}

const char *snapshot_phase(int phase)
{
    static const char *const names[SITE_PHASES] = {"L1", "L2", "L3"};

    return phase >= 0 && phase < SITE_PHASES ? names[phase] : NULL;
}

/* Seconds since at_ms; null when that never was. */
static void add_age(struct jsondoc *d, cJSON *in, const char *key, int64_t now_ms,
                    int64_t at_ms)
{
    if (at_ms == INT64_MIN)
        jsondoc_null(d, in, key);
    else
        jsondoc_int(d, in, key, (now_ms - at_ms) / 1000);
}

static void add_source(struct jsondoc *d, cJSON *in, const char *key,
                       enum wish_source by)
{
    jsondoc_str(d, in, key, by == WISH_SOURCES ? NULL : wish_source_name(by));
}

void snapshot_wish(struct jsondoc *d, cJSON *in, const struct connector_view *v)
{
    add_source(d, in, "departs_by", v->departs_by);
    add_source(d, in, "energy_wanted_by", v->energy_by);
    jsondoc_a(d, in, "car_max_a", v->wish.max_ma ? v->wish.max_ma : EVENT_NO_VALUE);
    jsondoc_a(d, in, "external_a", v->ceiling_ma);
}

static void add_connector(struct jsondoc *d, cJSON *list, const struct snapshot *s,
                          const struct snap_connector *c)
{
    cJSON *o = jsondoc_object(d, list, NULL);
    const struct connector_view *v = &c->v;

    jsondoc_str(d, o, "cid", c->cid);
    jsondoc_str(d, o, "name", c->name);
    jsondoc_str(d, o, "charger", c->charger);
    jsondoc_int(d, o, "number", c->number);
    jsondoc_word(d, o, "vendor", c->vendor);
    jsondoc_word(d, o, "model", c->model);
    jsondoc_word(d, o, "serial", c->serial);
    jsondoc_word(d, o, "firmware", c->firmware);
    jsondoc_word(d, o, "transfer", c->transfer);
    jsondoc_str(d, o, "circuit", c->circuit);
    jsondoc_str(d, o, "status", status_name(v->status));
    jsondoc_bool(d, o, "online", v->online);
    jsondoc_bool(d, o, "connected", snapshot_plugged(c));
    jsondoc_bool(d, o, "session", c->session);
    jsondoc_utc(d, o, "session_start", c->session_begin_utc_s);
    jsondoc_word(d, o, "tag", c->tag);
    jsondoc_kwh(d, o, "session_kwh",
                c->session_begin_utc_s ? c->session_wh : EVENT_NO_ENERGY);
    jsondoc_kwh(d, o, "energy_kwh", v->energy_wh);
    jsondoc_a(d, o, "offered_a", v->offered_ma);
    jsondoc_bool(d, o, "confirmed", v->confirmed);
    jsondoc_a(d, o, "exposure_a", v->exposure_ma);
    jsondoc_a3(d, o, "current_a", v->measured_ma);
    add_age(d, o, "measured_age_s", s->now_ms, v->measured_at_ms);
    jsondoc_w(d, o, "power_w", v->power_w);
    jsondoc_str(d, o, "reason", reason_name(v->why.reason));
    jsondoc_word(d, o, "why_circuit", c->why_circuit);
    jsondoc_str(d, o, "why_phase", snapshot_phase(v->why.phase));
    jsondoc_utc(d, o, "why_until", c->why_until_utc_s);
    jsondoc_str(d, o, "mode", mode_name(v->mode));
    jsondoc_int(d, o, "priority", v->priority);
    jsondoc_bool(d, o, "paused", v->paused);
    jsondoc_utc(d, o, "departs", c->departs_utc_s);
    jsondoc_kwh(d, o, "energy_wanted_kwh",
                v->wish.energy_wh == EVENT_NO_VALUE ? EVENT_NO_ENERGY
                                                    : v->wish.energy_wh);
    snapshot_wish(d, o, v);
    jsondoc_w(d, o, "phases", v->n_phases ? v->n_phases : EVENT_NO_VALUE);
    jsondoc_a(d, o, "min_a", c->min_ma);
    jsondoc_a(d, o, "max_a", c->max_ma);
}

static void add_circuit(struct jsondoc *d, cJSON *list, const struct snapshot *s,
                        const struct snap_circuit *c)
{
    cJSON *o = jsondoc_object(d, list, NULL);
    const struct circuit_view *v = &c->v;
    int32_t headroom[SITE_PHASES];
    int32_t left_s = snapshot_external_left_s(s, v);

    jsondoc_str(d, o, "name", c->name);
    jsondoc_str(d, o, "parent", c->parent < 0 ? NULL : s->circuits[c->parent].name);
    jsondoc_a3(d, o, "limit_a", v->limit_ma);
    jsondoc_a3(d, o, "base_a", v->base_ma);
    jsondoc_a3(d, o, "granted_a", v->granted_ma);
    jsondoc_a3(d, o, "total_a", v->total_ma);
    jsondoc_w(d, o, "total_w", v->meter_ok ? v->total_w : EVENT_NO_VALUE);
    snapshot_headroom(c, headroom);
    jsondoc_a3(d, o, "headroom_a", headroom);
    jsondoc_word(d, o, "meter", c->meter);
    jsondoc_bool(d, o, "meter_ok", v->meter_ok);
    add_age(d, o, "meter_age_s", s->now_ms, v->meter_at_ms);
    jsondoc_a(d, o, "external_limit_a", v->external_ma);
    jsondoc_w(d, o, "external_power_w", v->external_w ? v->external_w : EVENT_NO_VALUE);
    jsondoc_w(d, o, "external_chargers_w",
              v->external_chargers_w ? v->external_chargers_w : EVENT_NO_VALUE);
    if (left_s == EVENT_NO_VALUE)
        jsondoc_null(d, o, "external_until");
    else
        jsondoc_int(d, o, "external_until", s->utc_s + left_s);
    jsondoc_w(d, o, "external_left_s", left_s);
    jsondoc_w(d, o, "power_limit_w",
              c->power_limit_w ? c->power_limit_w : EVENT_NO_VALUE);
}

static void add_meter(struct jsondoc *d, cJSON *list, const struct snap_meter *m)
{
    cJSON *o = jsondoc_object(d, list, NULL);

    jsondoc_str(d, o, "name", m->name);
    jsondoc_str(d, o, "role", m->role == METER_SOLAR ? "solar" : "circuit");
    jsondoc_str(d, o, "source", m->source);
    jsondoc_bool(d, o, "ok", m->ok);
    if (m->age_ms < 0)
        jsondoc_null(d, o, "age_s");
    else
        jsondoc_int(d, o, "age_s", m->age_ms / 1000);
    jsondoc_a3(d, o, "current_a", m->i_ma);
    jsondoc_v3(d, o, "voltage_v", m->v_mv);
    jsondoc_w(d, o, "power_w", m->p_w);
    jsondoc_kwh(d, o, "import_kwh", m->import_wh);
    jsondoc_kwh(d, o, "export_kwh", m->export_wh);
}

char *snapshot_json(const struct snapshot *s)
{
    struct jsondoc d;
    cJSON *list;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "version", s->version);
    jsondoc_str(&d, d.root, "site", s->site_id);
    jsondoc_str(&d, d.root, "name", s->site_name);
    jsondoc_str(&d, d.root, "policy", s->policy);
    jsondoc_str(&d, d.root, "state", s->state);
    jsondoc_utc(&d, d.root, "time", s->utc_s);
    jsondoc_int(&d, d.root, "time_s", s->utc_s);
    jsondoc_utc(&d, d.root, "started", s->started_utc_s);
    jsondoc_int(&d, d.root, "steps", (int64_t)s->steps);
    jsondoc_int(&d, d.root, "check_failures", (int64_t)s->check_failures);
    jsondoc_int(&d, d.root, "dropped", (int64_t)s->dropped);
    jsondoc_bool(&d, d.root, "mqtt_connected", s->mqtt_connected);
    list = jsondoc_array(&d, d.root, "circuits");
    for (int i = 0; i < s->n_circuits; i++)
        add_circuit(&d, list, s, &s->circuits[i]);
    list = jsondoc_array(&d, d.root, "meters");
    for (int i = 0; i < s->n_meters; i++)
        add_meter(&d, list, &s->meters[i]);
    list = jsondoc_array(&d, d.root, "connectors");
    for (int i = 0; i < s->n_connectors; i++)
        add_connector(&d, list, s, &s->connectors[i]);
    return jsondoc_text(&d);
}
