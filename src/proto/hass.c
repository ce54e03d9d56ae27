/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the discovery documents out of two tables of components. */
#include "proto/hass.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/jsondoc.h"
#include "proto/mqtt_doc.h"
#include "proto/mqtt_wish.h"

/* A device with its topics and ids. */
struct device {
    const struct config *c;
    char id[2 * MQTT_ID + 16]; /* "chargehand_main", "chargehand_main_CP-01_1" */
    enum mqtt_topic status, set;
    const char *cid; /* NULL = the site */
    int32_t max_a;   /* of the external limit */
};

/* Device class, unit and state class that go together. */
struct kind {
    const char *device_class, *unit, *state_class;
    int decimals; /* -1 = none shown */
};

static const struct kind amperes = {"current", "A", "measurement", 1};
static const struct kind watts = {"power", "W", "measurement", 0};
static const struct kind register_kwh = {"energy", "kWh", "total_increasing", 2};
static const struct kind session_kwh = {"energy", "kWh", "total", 2};
static const struct kind count = {NULL, NULL, "measurement", 0};
static const struct kind words = {"enum", NULL, NULL, -1};
static const struct kind text = {NULL, NULL, NULL, -1};
static const struct kind plug = {"plug", NULL, NULL, -1};
static const struct kind problem = {"problem", NULL, NULL, -1};
static const struct kind connectivity = {"connectivity", NULL, NULL, -1};
static const struct kind wanted_kwh = {"energy", "kWh", NULL, -1};
static const struct kind limit_amperes = {"current", "A", NULL, -1};

/* The first five are given by their place. */
struct part {
    const char *key, *platform, *name;
    const struct kind *kind;
    const char *value;    /* value template */
    bool slow;            /* on the retained status topic */
    bool hidden;          /* not enabled until a person wants it */
    const char *category; /* "diagnostic", "config", NULL */
    const char *set;      /* the last level of its command topic */
    void (*more)(struct jsondoc *d, cJSON *o, const struct device *v);
};

static void more_states(struct jsondoc *d, cJSON *o, const struct device *v)
{
    cJSON *list = jsondoc_array(d, o, "ops");

    (void)v;
    for (int i = 0; snapshot_states[i]; i++)
        jsondoc_str(d, list, NULL, snapshot_states[i]);
}

static void more_statuses(struct jsondoc *d, cJSON *o, const struct device *v)
{
    cJSON *list = jsondoc_array(d, o, "ops");

    (void)v;
    for (int i = 0; i < STATUS_COUNT; i++)
        jsondoc_str(d, list, NULL, status_name((enum connector_status)i));
}

static void more_modes(struct jsondoc *d, cJSON *o, const struct device *v)
{
    cJSON *list = jsondoc_array(d, o, "ops");

    (void)v;
    for (int i = 0; i < MODE_COUNT; i++)
        jsondoc_str(d, list, NULL, mode_name((enum mode)i));
}

/* The words, and the full circuit and phase as attributes. */
static void more_reasons(struct jsondoc *d, cJSON *o, const struct device *v)
{
    cJSON *list = jsondoc_array(d, o, "ops");
    char topic[MQTT_TOPIC];

    for (int i = 0; i < REASON_COUNT; i++)
        jsondoc_str(d, list, NULL, reason_name((enum reason)i));
    mqtt_doc_topic(topic, v->c, v->status, v->cid);
    jsondoc_str(d, o, "json_attr_t", topic);
    jsondoc_str(d, o, "json_attr_tpl",
                "{{ {'circuit': value_json.why_circuit, "
                "'phase': value_json.why_phase} | tojson }}");
}

static void number(struct jsondoc *d, cJSON *o, int min, int max)
{
    jsondoc_int(d, o, "min", min);
    jsondoc_int(d, o, "max", max);
    jsondoc_int(d, o, "step", 1);
    jsondoc_str(d, o, "mode", "box");
}

static void more_limit(struct jsondoc *d, cJSON *o, const struct device *v)
{
    number(d, o, 0, v->max_a);
}

static void more_priority(struct jsondoc *d, cJSON *o, const struct device *v)
{
    (void)v;
    number(d, o, 0, 10);
}

static void more_energy(struct jsondoc *d, cJSON *o, const struct device *v)
{
    (void)v;
    number(d, o, 1, MQTT_WISH_MAX_WH / 1000);
}

static void more_clock(struct jsondoc *d, cJSON *o, const struct device *v)
{
    (void)v;
    jsondoc_int(d, o, "min", 4);
    jsondoc_int(d, o, "max", 5);
    jsondoc_str(d, o, "ptrn", "^(none|([01][0-9]|2[0-3]):[0-5][0-9])$");
}

static void more_none(struct jsondoc *d, cJSON *o, const struct device *v)
{
    (void)v;
    jsondoc_str(d, o, "pl_prs", "none");
}

static void more_reset(struct jsondoc *d, cJSON *o, const struct device *v)
{
    (void)v;
    jsondoc_str(d, o, "lrst_val_tpl", "{{ value_json.session_start or '' }}");
}

/* Seen also while the charger is away: that is what it tells of. */
static void more_always(struct jsondoc *d, cJSON *o, const struct device *v)
{
    cJSON *list = jsondoc_array(d, o, "avty"), *one = jsondoc_object(d, list, NULL);
    char topic[MQTT_TOPIC];

    mqtt_doc_topic(topic, v->c, MQTT_STATUS, NULL);
    jsondoc_str(d, one, "t", topic);
}

#define VALUE(key) "{{ value_json." key " }}"

static const struct part site_parts[] = {
    {"state", "sensor", "State", &words, VALUE("state"), .slow = true,
     .more = more_states},
    {"grid_power", "sensor", "Grid power", &watts, VALUE("power_w")},
    {"current_l1", "sensor", "Grid current L1", &amperes, VALUE("current_a[0]")},
    {"current_l2", "sensor", "Grid current L2", &amperes, VALUE("current_a[1]")},
    {"current_l3", "sensor", "Grid current L3", &amperes, VALUE("current_a[2]")},
    {"limit", "sensor", "Allowed current", &amperes, VALUE("limit_a")},
    {"headroom", "sensor", "Headroom", &amperes, VALUE("headroom_a")},
    {"charging_power", "sensor", "Charging power", &watts, VALUE("charging_w")},
    {"charging", "sensor", "Cars charging", &count, VALUE("charging"), .slow = true},
    {"energy_import", "sensor", "Grid import", &register_kwh,
     VALUE("energy_import_kwh"), .slow = true},
    {"energy_export", "sensor", "Grid export", &register_kwh,
     VALUE("energy_export_kwh"), .slow = true},
    {"external_limit", "number", "External limit", &limit_amperes,
     VALUE("external_limit_a"), .slow = true, .set = "external_limit",
     .more = more_limit},
    {"clear_external_limit", "button", "Clear external limit", &text,
     .category = "config", .set = "external_limit", .more = more_none},
    {"policy", "sensor", "Policy", &text, VALUE("policy"), .slow = true,
     .category = "diagnostic"},
    {"meter_problem", "binary_sensor", "Meter", &problem,
     "{{ 'OFF' if value_json.meter_ok else 'ON' }}", .slow = true,
     .category = "diagnostic"},
    {"check_problem", "binary_sensor", "Own check", &problem,
     "{{ 'ON' if value_json.check_failures else 'OFF' }}", .slow = true,
     .category = "diagnostic"},
};

static const struct part connector_parts[] = {
    {"status", "sensor", "Status", &words, VALUE("status"), .slow = true,
     .more = more_statuses},
    {"reason", "sensor", "Reason", &words, VALUE("reason"), .slow = true,
     .category = "diagnostic", .more = more_reasons},
    {"offered_current", "sensor", "Offered current", &amperes, VALUE("offered_a")},
    {"reserved_current", "sensor", "Reserved current", &amperes, VALUE("exposure_a"),
     .hidden = true, .category = "diagnostic"},
    {"current", "sensor", "Current", &amperes, VALUE("current_max_a")},
    {"current_l1", "sensor", "Current L1", &amperes, VALUE("current_a[0]"),
     .hidden = true},
    {"current_l2", "sensor", "Current L2", &amperes, VALUE("current_a[1]"),
     .hidden = true},
    {"current_l3", "sensor", "Current L3", &amperes, VALUE("current_a[2]"),
     .hidden = true},
    {"power", "sensor", "Power", &watts, VALUE("power_w")},
    {"session_energy", "sensor", "Session energy", &session_kwh, VALUE("session_kwh"),
     .slow = true, .more = more_reset},
    {"energy_total", "sensor", "Energy", &register_kwh, VALUE("energy_kwh"),
     .slow = true},
    {"connected", "binary_sensor", "Vehicle", &plug,
     "{{ 'ON' if value_json.connected else 'OFF' }}", .slow = true},
    {"online", "binary_sensor", "Charger", &connectivity,
     "{{ 'ON' if value_json.online else 'OFF' }}", .slow = true,
     .category = "diagnostic", .more = more_always},
    {"mode", "select", "Mode", &text, VALUE("mode"), .slow = true, .set = "mode",
     .more = more_modes},
    {"priority", "number", "Priority", &text, VALUE("priority"), .slow = true,
     .category = "config", .set = "priority", .more = more_priority},
    {"energy_wanted", "number", "Energy wanted", &wanted_kwh,
     VALUE("energy_wanted_kwh"), .slow = true, .category = "config", .set = "energy",
     .more = more_energy},
    {"departure", "text", "Departure", &text,
     "{{ (value_json.departs | as_datetime | as_local).strftime('%H:%M') "
     "if value_json.departs else 'none' }}",
     .slow = true, .category = "config", .set = "departure", .more = more_clock},
    {"pause", "switch", "Pause", &text, "{{ 'ON' if value_json.paused else 'OFF' }}",
     .slow = true, .set = "pause"},
};

static void add_kind(struct jsondoc *d, cJSON *o, const struct kind *k)
{
    if (k->device_class)
        jsondoc_str(d, o, "dev_cla", k->device_class);
    if (k->unit)
        jsondoc_str(d, o, "unit_of_meas", k->unit);
    if (k->state_class)
        jsondoc_str(d, o, "stat_cla", k->state_class);
    if (k->decimals >= 0)
        jsondoc_int(d, o, "sug_dsp_prc", k->decimals);
}

/* Seconds after which a measurement that did not come again is unknown. */
static int32_t expiry_s(const struct config *c)
{
    int32_t three = c->mqtt.interval_ms / 1000 * 3;

    return three > 60 ? three : 60;
}

static void add_topics(struct jsondoc *d, cJSON *o, const struct device *v,
                       const struct part *p)
{
    char topic[MQTT_TOPIC];
    size_t n;

    if (p->value && p->slow) {
        mqtt_doc_topic(topic, v->c, v->status, v->cid);
        jsondoc_str(d, o, "stat_t", topic);
    } else if (p->value) {
        jsondoc_int(d, o, "exp_aft", expiry_s(v->c));
    }
    if (p->set) {
        mqtt_doc_topic(topic, v->c, v->set, v->cid);
        n = strlen(topic);
        snprintf(topic + n, sizeof topic - n, "/%s", p->set);
        jsondoc_str(d, o, "cmd_t", topic);
    }
}

/* Entity ids are small letters, digits and '_' behind the domain. */
static void add_ids(struct jsondoc *d, cJSON *o, const struct device *v,
                    const struct part *p)
{
    char unique[256], entity[288];
    size_t n;

    snprintf(unique, sizeof unique, "%s_%s", v->id, p->key);
    jsondoc_str(d, o, "uniq_id", unique);
    snprintf(entity, sizeof entity, "%s.", p->platform);
    n = strlen(entity);
    for (const char *u = unique; *u && n + 1 < sizeof entity; u++)
        entity[n++] =
            isalnum((unsigned char)*u) ? (char)tolower((unsigned char)*u) : '_';
    entity[n] = '\0';
    jsondoc_str(d, o, "def_ent_id", entity);
}

static void add_part(struct jsondoc *d, cJSON *list, const struct device *v,
                     const struct part *p)
{
    cJSON *o = jsondoc_object(d, list, p->key);

    jsondoc_str(d, o, "p", p->platform);
    jsondoc_str(d, o, "name", p->name);
    if (p->value)
        jsondoc_str(d, o, "val_tpl", p->value);
    add_kind(d, o, p->kind);
    add_topics(d, o, v, p);
    if (p->category)
        jsondoc_str(d, o, "ent_cat", p->category);
    if (p->hidden)
        jsondoc_bool(d, o, "en", false);
    if (p->more)
        p->more(d, o, v);
    add_ids(d, o, v, p);
}

/* Where its state can be seen, when others can reach it. */
static void add_address(struct jsondoc *d, cJSON *dev, const struct config *c)
{
    const char *host = c->http.host;
    char url[160];

    if (!host || c->http.port <= 0 || !*host || strcmp(host, "localhost") == 0 ||
        strncmp(host, "127.", 4) == 0 || strcmp(host, "0.0.0.0") == 0 ||
        strcmp(host, "::") == 0 || strcmp(host, "::1") == 0)
        return;
    snprintf(url, sizeof url,
             strchr(host, ':') ? "http://[%s]:%d/api/v1/state"
                               : "http://%s:%d/api/v1/state",
             host, c->http.port);
    jsondoc_str(d, dev, "cu", url);
}

static cJSON *add_device(struct jsondoc *d, const struct device *v, const char *name)
{
    cJSON *dev = jsondoc_object(d, d->root, "dev");
    cJSON *ids = jsondoc_array(d, dev, "ids");

    jsondoc_str(d, ids, NULL, v->id);
    jsondoc_str(d, dev, "name", name);
    return dev;
}

static void add_if(struct jsondoc *d, cJSON *o, const char *key, const char *value)
{
    if (value && *value)
        jsondoc_str(d, o, key, value);
}

/* Origin, availability and the default topic. */
static void add_root(struct jsondoc *d, const struct device *v, const char *version,
                     enum mqtt_topic state)
{
    cJSON *o = jsondoc_object(d, d->root, "o"), *list;
    char topic[MQTT_TOPIC];

    jsondoc_str(d, o, "name", "chargehand");
    jsondoc_str(d, o, "sw", version);
    list = jsondoc_array(d, d->root, "avty");
    mqtt_doc_topic(topic, v->c, MQTT_STATUS, NULL);
    jsondoc_str(d, jsondoc_object(d, list, NULL), "t", topic);
    if (v->cid) {
        mqtt_doc_topic(topic, v->c, MQTT_CONNECTOR_AVAILABILITY, v->cid);
        jsondoc_str(d, jsondoc_object(d, list, NULL), "t", topic);
    }
    jsondoc_str(d, d->root, "avty_mode", "all");
    mqtt_doc_topic(topic, v->c, state, v->cid);
    jsondoc_str(d, d->root, "stat_t", topic);
    jsondoc_int(d, d->root, "qos", 1);
}

/* Current and headroom of a circuit below the grid connection. */
static void add_circuit(struct jsondoc *d, cJSON *list, const struct device *v,
                        const char *circuit, int i)
{
    static const struct {
        const char *key, *name;
    } what[] = {{"current", "current"}, {"headroom", "headroom"}};
    static const char *const from[] = {"current_max_a", "headroom_a"};
    char id[MQTT_ID], key[MQTT_ID + 32], name[128], value[64];

    mqtt_doc_id(id, circuit);
    for (size_t w = 0; w < 2; w++) {
        struct part p = {.key = key,
                         .platform = "sensor",
                         .name = name,
                         .kind = &amperes,
                         .value = value};

        snprintf(key, sizeof key, "circuit_%s_%s", id, what[w].key);
        snprintf(name, sizeof name, "%s %s", circuit, what[w].name);
        snprintf(value, sizeof value, "{{ value_json.circuits[%d].%s }}", i, from[w]);
        add_part(d, list, v, &p);
    }
}

char *hass_site(const struct config *c, const struct snapshot *s)
{
    struct device v = {.c = c, .status = MQTT_SITE_STATUS, .set = MQTT_SITE_SET};
    char site[MQTT_ID];
    struct jsondoc d;
    cJSON *dev, *list;

    mqtt_doc_id(site, c->site_id);
    snprintf(v.id, sizeof v.id, "chargehand_%s", site);
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->site.circuits[0].limit_ma[p] / 1000 > v.max_a)
            v.max_a = c->site.circuits[0].limit_ma[p] / 1000;
    if (v.max_a < 1)
        v.max_a = 1; /* Home Assistant wants min < max */
    jsondoc_begin(&d);
    dev = add_device(&d, &v, s->site_name);
    jsondoc_str(&d, dev, "mf", "Chargehand");
    jsondoc_str(&d, dev, "mdl", "Charging site");
    jsondoc_str(&d, dev, "sw", s->version);
    add_address(&d, dev, c);
    add_root(&d, &v, s->version, MQTT_SITE_STATE);
    list = jsondoc_object(&d, d.root, "cmps");
    for (size_t i = 0; i < sizeof site_parts / sizeof *site_parts; i++)
        add_part(&d, list, &v, &site_parts[i]);
    for (int i = 1; i < s->n_circuits; i++)
        add_circuit(&d, list, &v, s->circuits[i].name, i);
    return jsondoc_text(&d);
}

char *hass_connector(const struct config *c, const struct snapshot *s,
                     const struct snap_connector *k)
{
    struct device v = {.c = c,
                       .status = MQTT_CONNECTOR_STATUS,
                       .set = MQTT_CONNECTOR_SET,
                       .cid = k->cid};
    char site[MQTT_ID], cid[MQTT_ID], via[MQTT_ID + 16];
    struct jsondoc d;
    cJSON *dev, *list;

    mqtt_doc_id(site, c->site_id);
    mqtt_doc_id(cid, k->cid);
    snprintf(v.id, sizeof v.id, "chargehand_%s_%s", site, cid);
    snprintf(via, sizeof via, "chargehand_%s", site);
    jsondoc_begin(&d);
    dev = add_device(&d, &v, k->name && *k->name ? k->name : k->cid);
    add_if(&d, dev, "mf", k->vendor);
    add_if(&d, dev, "mdl", k->model);
    add_if(&d, dev, "sn", k->serial);
    add_if(&d, dev, "sw", k->firmware);
    jsondoc_str(&d, dev, "via_device", via);
    add_root(&d, &v, s->version, MQTT_CONNECTOR_STATE);
    list = jsondoc_object(&d, d.root, "cmps");
    for (size_t i = 0; i < sizeof connector_parts / sizeof *connector_parts; i++)
        add_part(&d, list, &v, &connector_parts[i]);
    return jsondoc_text(&d);
}

uint64_t hass_connector_print(const struct snapshot *s, const struct snap_connector *k)
{
    const char *all[] = {k->cid,    k->name,     k->vendor, k->model,
                         k->serial, k->firmware, s->version};
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (const char *p = all[i] ? all[i] : ""; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211u;
        hash = (hash ^ 0xff) * 1099511628211u;
    }
    return hash;
}
