/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the topics and payloads of the MQTT tree. */
#include "proto/mqtt_doc.h"

#include <stdio.h>
#include <string.h>

#include "proto/jsondoc.h"

enum room { OURS, SITE, CONNECTOR, HASS };

static const struct {
    enum room room;
    const char *leaf;
} topics[MQTT_TOPICS] = {
    [MQTT_STATUS] = {OURS, "status"},
    [MQTT_INFO] = {OURS, "info"},
    [MQTT_EVENT] = {OURS, "event"},
    [MQTT_RESULT] = {OURS, "result"},
    [MQTT_SITE_STATE] = {SITE, "state"},
    [MQTT_SITE_STATUS] = {SITE, "status"},
    [MQTT_SITE_SET] = {SITE, "set"},
    [MQTT_CONNECTOR_AVAILABILITY] = {CONNECTOR, "availability"},
    [MQTT_CONNECTOR_STATE] = {CONNECTOR, "state"},
    [MQTT_CONNECTOR_STATUS] = {CONNECTOR, "status"},
    [MQTT_CONNECTOR_SET] = {CONNECTOR, "set"},
};

void mqtt_doc_id(char out[MQTT_ID], const char *id)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t n = 0;
    bool changed = false;

    for (const char *p = id; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '_' || *p == '-';

        hash = (hash ^ (unsigned char)*p) * 16777619u;
        if (!plain || n >= MQTT_ID - 8)
            changed = true;
        if (n < MQTT_ID - 8)
            out[n++] = plain ? *p : '_';
    }
    out[n] = '\0';
    if (changed)
        snprintf(out + n, MQTT_ID - n, "_%04x", (hash ^ (hash >> 16)) & 0xffff);
}

bool mqtt_doc_topic(char out[MQTT_TOPIC], const struct config *c, enum mqtt_topic t,
                    const char *cid)
{
    char id[MQTT_ID] = "", site[MQTT_ID];
    const char *prefix = c->mqtt.prefix;
    int n = 0;

    mqtt_doc_id(site, c->site_id);
    if (cid)
        mqtt_doc_id(id, cid);
    if (t == MQTT_HASS_STATUS)
        n = snprintf(out, MQTT_TOPIC, "%s/status", c->mqtt.ha_prefix);
    else if (t == MQTT_HASS_SITE)
        n = snprintf(out, MQTT_TOPIC, "%s/device/chargehand/chargehand_%s/config",
                     c->mqtt.ha_prefix, site);
    else if (t == MQTT_HASS_CONNECTOR)
        n = snprintf(out, MQTT_TOPIC, "%s/device/chargehand/chargehand_%s_%s/config",
                     c->mqtt.ha_prefix, site, id);
    else if (topics[t].room == SITE)
        n = snprintf(out, MQTT_TOPIC, "%s/site/%s/%s", prefix, site, topics[t].leaf);
    else if (topics[t].room == CONNECTOR)
        n = snprintf(out, MQTT_TOPIC, "%s/connector/%s/%s", prefix, id, topics[t].leaf);
    else
        n = snprintf(out, MQTT_TOPIC, "%s/%s", prefix, topics[t].leaf);
    return n > 0 && n < MQTT_TOPIC;
}

char *mqtt_doc_info(const struct snapshot *s)
{
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "version", s->version);
    jsondoc_int(&d, d.root, "api", MQTT_API);
    jsondoc_utc(&d, d.root, "started", s->started_utc_s);
    jsondoc_str(&d, d.root, "site", s->site_id);
    jsondoc_str(&d, d.root, "name", s->site_name);
    return jsondoc_text(&d);
}

char *mqtt_doc_event(const struct mqtt_event *e)
{
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_utc(&d, d.root, "ts", e->utc_s);
    jsondoc_int(&d, d.root, "id", (int64_t)e->id);
    jsondoc_str(&d, d.root, "level", e->level);
    jsondoc_str(&d, d.root, "code", e->code);
    jsondoc_str(&d, d.root, "text", e->text);
    jsondoc_word(&d, d.root, "who", e->who);
    return jsondoc_text(&d);
}

char *mqtt_doc_taken(const char *topic, const char *value_json)
{
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "topic", topic);
    jsondoc_bool(&d, d.root, "ok", true);
    jsondoc_null(&d, d.root, "error");
    jsondoc_raw(&d, d.root, "value", value_json);
    return jsondoc_text(&d);
}

char *mqtt_doc_refused(const char *topic, const char *error, const char *payload)
{
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "topic", topic);
    jsondoc_bool(&d, d.root, "ok", false);
    jsondoc_str(&d, d.root, "error", error);
    jsondoc_str(&d, d.root, "value", payload);
    return jsondoc_text(&d);
}

/* The phase that carries most; EVENT_NO_VALUE when none is known. */
static int32_t most(const int32_t ma[SITE_PHASES])
{
    int32_t max = EVENT_NO_VALUE; /* the smallest number there is */

    for (int p = 0; p < SITE_PHASES; p++)
        if (ma[p] > max)
            max = ma[p];
    return max;
}

static int32_t least(const int32_t ma[SITE_PHASES])
{
    int32_t min = INT32_MAX;

    for (int p = 0; p < SITE_PHASES; p++)
        if (ma[p] < min)
            min = ma[p];
    return min;
}

/* What the chargers draw together, as far as they tell. */
static int32_t charging_w(const struct snapshot *s)
{
    int64_t sum = 0;
    bool any = s->n_connectors == 0;

    for (int i = 0; i < s->n_connectors; i++) {
        const struct connector_view *v = &s->connectors[i].v;

        if (!v->online || v->power_w == EVENT_NO_VALUE)
            continue;
        any = true;
        sum += v->power_w;
    }
    return any && sum < INT32_MAX ? (int32_t)sum : EVENT_NO_VALUE;
}

/* The measurements of one circuit. */
static void add_circuit_state(struct jsondoc *d, cJSON *o, const struct snapshot *s,
                              const struct snap_circuit *c)
{
    static const int32_t unknown[SITE_PHASES] = {EVENT_NO_VALUE, EVENT_NO_VALUE,
                                                 EVENT_NO_VALUE};
    const struct circuit_view *v = &c->v;
    int32_t headroom[SITE_PHASES];
    /* a silent meter's last values are not shown as if they were still true */
    const int32_t *total = v->meter_ok ? v->total_ma : unknown;

    snapshot_headroom(c, headroom);
    jsondoc_w(d, o, "power_w", v->meter_ok ? v->total_w : EVENT_NO_VALUE);
    jsondoc_a3(d, o, "current_a", total);
    jsondoc_a(d, o, "current_max_a", most(total));
    jsondoc_a(d, o, "limit_a", least(v->limit_ma));
    jsondoc_a3(d, o, "limit_phase_a", v->limit_ma);
    jsondoc_a(d, o, "headroom_a", least(headroom));
    jsondoc_a3(d, o, "headroom_phase_a", headroom);
    jsondoc_a3(d, o, "base_a", v->base_ma);
    jsondoc_a3(d, o, "granted_a", v->granted_ma);
    jsondoc_w(d, o, "external_left_s", snapshot_external_left_s(s, v));
    if (v->meter_at_ms == INT64_MIN)
        jsondoc_null(d, o, "meter_age_s");
    else
        jsondoc_int(d, o, "meter_age_s", (s->now_ms - v->meter_at_ms) / 1000);
}

char *mqtt_doc_site_state(const struct snapshot *s)
{
    struct jsondoc d;
    cJSON *list, *o;

    jsondoc_begin(&d);
    jsondoc_utc(&d, d.root, "ts", s->utc_s);
    add_circuit_state(&d, d.root, s, &s->circuits[0]);
    jsondoc_w(&d, d.root, "charging_w", charging_w(s));
    list = jsondoc_array(&d, d.root, "circuits");
    for (int i = 0; i < s->n_circuits; i++) {
        o = jsondoc_object(&d, list, NULL);
        jsondoc_str(&d, o, "name", s->circuits[i].name);
        add_circuit_state(&d, o, s, &s->circuits[i]);
    }
    return jsondoc_text(&d);
}

static void add_counts(struct jsondoc *d, const struct snapshot *s)
{
    int online = 0, sessions = 0, charging = 0;

    for (int i = 0; i < s->n_connectors; i++) {
        online += s->connectors[i].v.online;
        sessions += s->connectors[i].session;
        charging += s->connectors[i].v.status == STATUS_CHARGING;
    }
    jsondoc_int(d, d->root, "connectors", s->n_connectors);
    jsondoc_int(d, d->root, "online", online);
    jsondoc_int(d, d->root, "sessions", sessions);
    jsondoc_int(d, d->root, "charging", charging);
}

static void add_external_w(struct jsondoc *d, cJSON *o, const struct circuit_view *v)
{
    jsondoc_w(d, o, "external_power_w", v->external_w ? v->external_w : EVENT_NO_VALUE);
    jsondoc_w(d, o, "external_chargers_w",
              v->external_chargers_w ? v->external_chargers_w : EVENT_NO_VALUE);
}

char *mqtt_doc_site_status(const struct config *c, const struct snapshot *s,
                           int64_t import_wh, int64_t export_wh)
{
    const struct snap_circuit *root = &s->circuits[0];
    struct jsondoc d;
    cJSON *list, *o;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "name", s->site_name);
    jsondoc_str(&d, d.root, "state", s->state);
    jsondoc_str(&d, d.root, "policy", s->policy);
    jsondoc_word(&d, d.root, "meter", root->meter);
    jsondoc_bool(&d, d.root, "meter_ok", root->v.meter_ok);
    jsondoc_a3(&d, d.root, "fuse_a", c->site.circuits[0].limit_ma);
    jsondoc_w(&d, d.root, "power_limit_w",
              root->power_limit_w ? root->power_limit_w : EVENT_NO_VALUE);
    jsondoc_a(&d, d.root, "external_limit_a", root->v.external_ma);
    add_external_w(&d, d.root, &root->v);
    jsondoc_kwh(&d, d.root, "energy_import_kwh", import_wh);
    jsondoc_kwh(&d, d.root, "energy_export_kwh", export_wh);
    add_counts(&d, s);
    jsondoc_int(&d, d.root, "check_failures", (int64_t)s->check_failures);
    list = jsondoc_array(&d, d.root, "circuits");
    for (int i = 0; i < s->n_circuits; i++) {
        o = jsondoc_object(&d, list, NULL);
        jsondoc_str(&d, o, "name", s->circuits[i].name);
        jsondoc_bool(&d, o, "meter_ok", s->circuits[i].v.meter_ok);
        jsondoc_a(&d, o, "external_limit_a", s->circuits[i].v.external_ma);
        add_external_w(&d, o, &s->circuits[i].v);
    }
    return jsondoc_text(&d);
}

char *mqtt_doc_connector_state(const struct snapshot *s, const struct snap_connector *c)
{
    const struct connector_view *v = &c->v;
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_utc(&d, d.root, "ts", s->utc_s);
    jsondoc_a(&d, d.root, "offered_a", v->offered_ma);
    jsondoc_bool(&d, d.root, "confirmed", v->confirmed);
    jsondoc_a(&d, d.root, "exposure_a", v->exposure_ma);
    jsondoc_a3(&d, d.root, "current_a", v->measured_ma);
    jsondoc_a(&d, d.root, "current_max_a", most(v->measured_ma));
    jsondoc_w(&d, d.root, "power_w", v->power_w);
    if (v->measured_at_ms == INT64_MIN)
        jsondoc_null(&d, d.root, "measured_age_s");
    else
        jsondoc_int(&d, d.root, "measured_age_s",
                    (s->now_ms - v->measured_at_ms) / 1000);
    return jsondoc_text(&d);
}

char *mqtt_doc_connector_status(const struct snap_connector *c)
{
    const struct connector_view *v = &c->v;
    bool counted = c->session_begin_utc_s != 0;
    struct jsondoc d;

    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "name", c->name);
    jsondoc_str(&d, d.root, "charger", c->charger);
    jsondoc_str(&d, d.root, "circuit", c->circuit);
    jsondoc_str(&d, d.root, "status", status_name(v->status));
    jsondoc_bool(&d, d.root, "online", v->online);
    jsondoc_bool(&d, d.root, "connected", snapshot_plugged(c));
    jsondoc_bool(&d, d.root, "session", c->session);
    jsondoc_utc(&d, d.root, "session_start", c->session_begin_utc_s);
    jsondoc_kwh(&d, d.root, "session_kwh", counted ? c->session_wh : EVENT_NO_ENERGY);
    jsondoc_kwh(&d, d.root, "energy_kwh", v->energy_wh);
    jsondoc_str(&d, d.root, "reason", reason_name(v->why.reason));
    jsondoc_word(&d, d.root, "why_circuit", c->why_circuit);
    jsondoc_str(&d, d.root, "why_phase", snapshot_phase(v->why.phase));
    jsondoc_utc(&d, d.root, "why_until", c->why_until_utc_s);
    jsondoc_str(&d, d.root, "mode", mode_name(v->mode));
    jsondoc_int(&d, d.root, "priority", v->priority);
    jsondoc_bool(&d, d.root, "paused", v->paused);
    jsondoc_utc(&d, d.root, "departs", c->departs_utc_s);
    jsondoc_kwh(&d, d.root, "energy_wanted_kwh",
                v->wish.energy_wh == EVENT_NO_VALUE ? EVENT_NO_ENERGY
                                                    : v->wish.energy_wh);
    snapshot_wish(&d, d.root, v);
    jsondoc_w(&d, d.root, "phases", v->n_phases ? v->n_phases : EVENT_NO_VALUE);
    jsondoc_a(&d, d.root, "min_a", c->min_ma);
    jsondoc_a(&d, d.root, "max_a", c->max_ma);
    return jsondoc_text(&d);
}
