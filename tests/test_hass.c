/* SPDX-License-Identifier: Apache-2.0 */
/* Home Assistant's rules of device discovery as a checker: it goes over the documents
 * and over the topics that they refer to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>

#include "mqtt_fixture.h"
#include "proto/hass.h"
#include "proto/mqtt_command.h"
#include "proto/mqtt_doc.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define ENTITY "abcdefghijklmnopqrstuvwxyz0123456789_"

static bool in(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static void only(const cJSON *o, const char *const *allowed, const char *where)
{
    for (const cJSON *k = o->child; k; k = k->next)
        if (!in(k->string, allowed))
            fail_msg("%s: key '%s' is not allowed", where, k->string);
}

static const char *text_of(const cJSON *o, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static const char *need(const cJSON *o, const char *key, const char *where)
{
    const char *text = text_of(o, key);

    if (!text || !*text)
        fail_msg("%s: no %s", where, key);
    return text;
}

/* ---- the documents on the topics that discovery refers to ---- */

struct published {
    char topic[MQTT_TOPIC];
    bool retained;
    cJSON *json; /* NULL = online, offline */
};

struct world {
    struct fixture f;
    struct published list[3 * FIXTURE_CONNECTORS + 4];
    int n;
    char unique[200][160];
    int n_unique;
};

static void publish(struct world *w, enum mqtt_topic t, const char *cid, bool retained,
                    char *text)
{
    struct published *p = &w->list[w->n++];

    assert_true(mqtt_doc_topic(p->topic, &w->f.conf, t, cid));
    p->retained = retained;
    p->json = text ? cJSON_Parse(text) : NULL;
    assert_true(!text || p->json);
    free(text);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    fixture_init(&w->f);
    publish(w, MQTT_STATUS, NULL, true, NULL);
    publish(w, MQTT_SITE_STATE, NULL, false, mqtt_doc_site_state(&w->f.snap));
    publish(w, MQTT_SITE_STATUS, NULL, true,
            mqtt_doc_site_status(&w->f.conf, &w->f.snap, 1, 2));
    for (int i = 0; i < FIXTURE_CONNECTORS; i++) {
        const struct snap_connector *k = &w->f.connectors[i];

        publish(w, MQTT_CONNECTOR_AVAILABILITY, k->cid, true, NULL);
        publish(w, MQTT_CONNECTOR_STATE, k->cid, false,
                mqtt_doc_connector_state(&w->f.snap, k));
        publish(w, MQTT_CONNECTOR_STATUS, k->cid, true, mqtt_doc_connector_status(k));
    }
}

static void world_free(struct world *w)
{
    for (int i = 0; i < w->n; i++)
        cJSON_Delete(w->list[i].json);
}

static const struct published *topic(const struct world *w, const char *text,
                                     const char *where)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->list[i].topic, text) == 0)
            return &w->list[i];
    fail_msg("%s: nothing is published on %s", where, text);
    return NULL;
}

/* Follows "key", "key[0]", "key[1].other" behind each `value_json.`. The last item. */
static const cJSON *follow(const cJSON *o, const char *template, const char *where)
{
    const char *p = template;
    const cJSON *item = NULL;
    bool any = false;

    while ((p = strstr(p, "value_json")) != NULL) {
        p += strlen("value_json");
        item = o;
        while (*p == '.' || *p == '[') {
            char key[64];
            size_t n;

            if (*p == '[') {
                item = cJSON_GetArrayItem(item, atoi(p + 1));
                p = strchr(p, ']') + 1;
            } else {
                n = strspn(p + 1, ENTITY);
                snprintf(key, sizeof key, "%.*s", (int)n, p + 1);
                item = cJSON_GetObjectItemCaseSensitive(item, key);
                p += n + 1;
            }
            if (!item)
                fail_msg("%s: %s: no such key in the document", where, template);
        }
        any = true;
    }
    if (!any)
        fail_msg("%s: %s does not look at the value", where, template);
    return item;
}

/* ---- the rules ---- */

static void check_availability(const struct world *w, const cJSON *o, const char *where)
{
    const cJSON *list = cJSON_GetObjectItem(o, "avty"), *one;

    assert_true(cJSON_GetArraySize(list) > 0);
    cJSON_ArrayForEach(one, list)
    {
        const struct published *p = topic(w, need(one, "t", where), where);

        assert_true(p->retained);
        assert_null(p->json);
    }
}

static void check_head(const struct world *w, const cJSON *doc, const char *where)
{
    static const char *const root[] = {"dev",       "o",      "cmps",     "avty",
                                       "avty_mode", "avty_t", "pl_avail", "stat_t",
                                       "cmd_t",     "qos",    NULL};
    static const char *const dev[] = {"ids", "cns", "name", "mf",         "mdl", "hw",
                                      "sw",  "sn",  "sa",   "via_device", "cu",  NULL};
    static const char *const origin[] = {"name", "sw", "url", NULL};
    const cJSON *d = cJSON_GetObjectItem(doc, "dev"),
                *o = cJSON_GetObjectItem(doc, "o");

    only(doc, root, where);
    assert_non_null(d);
    assert_non_null(o);
    only(d, dev, where);
    only(o, origin, where);
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(d, "ids")) == 1);
    for (const cJSON *k = d->child; k; k = k->next)
        if (strcmp(k->string, "ids") != 0 && (!cJSON_IsString(k) || !*k->valuestring))
            fail_msg("%s: dev.%s is no text", where, k->string);
    need(d, "name", where);
    need(o, "name", where);
    if (text_of(d, "cu"))
        assert_int_equal(strncmp(text_of(d, "cu"), "http://", 7), 0);
    check_availability(w, doc, where);
    assert_string_equal(need(doc, "avty_mode", where), "all");
    topic(w, need(doc, "stat_t", where), where);
}

static void check_sensor(const cJSON *o, const char *where)
{
    static const struct {
        const char *device_class, *unit;
        const char *state_classes[3];
    } pairs[] = {{"power", "W", {"measurement", NULL}},
                 {"current", "A", {"measurement", NULL}},
                 {"energy", "kWh", {"total", "total_increasing", NULL}}};
    const char *dev_cla = text_of(o, "dev_cla"), *unit = text_of(o, "unit_of_meas");
    const char *stat_cla = text_of(o, "stat_cla");
    bool number = false;

    if (text_of(o, "ent_cat") && strcmp(text_of(o, "ent_cat"), "diagnostic") != 0)
        fail_msg("%s: a sensor's category can only be diagnostic", where);
    for (size_t i = 0; dev_cla && i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(dev_cla, pairs[i].device_class) != 0)
            continue;
        number = true;
        if (!unit || strcmp(unit, pairs[i].unit) != 0 || !stat_cla ||
            !in(stat_cla, pairs[i].state_classes))
            fail_msg("%s: unit or state class does not fit %s", where, dev_cla);
    }
    if (!number && unit)
        fail_msg("%s: a unit without its device class", where);
    if (dev_cla && !number && (strcmp(dev_cla, "enum") != 0 || stat_cla))
        fail_msg("%s: device class %s", where, dev_cla);
    if ((dev_cla && strcmp(dev_cla, "enum") == 0) !=
        (cJSON_GetArraySize(cJSON_GetObjectItem(o, "ops")) > 0))
        fail_msg("%s: options and enum belong together", where);
    if (cJSON_HasObjectItem(o, "lrst_val_tpl") &&
        (!stat_cla || strcmp(stat_cla, "total") != 0))
        fail_msg("%s: last reset without state class total", where);
}

/* What the entity sends is a command that we take. */
static void check_command(struct world *w, const cJSON *o, const char *where)
{
    const char *platform = text_of(o, "p"), *cmd = text_of(o, "cmd_t");
    const cJSON *option, *ops = cJSON_GetObjectItem(o, "ops");
    char payloads[12][32], error[MQTT_ERROR];
    struct mqtt_command m;
    int n = 0;

    if (!cmd) {
        if (!in(platform, (const char *const[]){"sensor", "binary_sensor", NULL}))
            fail_msg("%s: no command topic", where);
        return;
    }
    if (strcmp(platform, "number") == 0) {
        int min = cJSON_GetObjectItem(o, "min")->valueint;
        int max = cJSON_GetObjectItem(o, "max")->valueint;

        assert_true(min < max);
        assert_true(cJSON_GetObjectItem(o, "step")->valuedouble >= 0.001);
        snprintf(payloads[n++], 32, "%d", min);
        snprintf(payloads[n++], 32, "%d.0", max);
        snprintf(payloads[n], 32, "%d", max + 1);
        assert_false(mqtt_command_parse(&w->f.conf, cmd, payloads[n], &m, error));
    } else if (strcmp(platform, "switch") == 0) {
        strcpy(payloads[n++], "ON");
        strcpy(payloads[n++], "OFF");
    } else if (strcmp(platform, "text") == 0) { /* a time of day */
        assert_int_equal(cJSON_GetObjectItem(o, "max")->valueint, 5);
        need(o, "ptrn", where);
        strcpy(payloads[n++], "07:30");
        strcpy(payloads[n++], "none");
    } else if (strcmp(platform, "button") == 0) {
        snprintf(payloads[n++], 32, "%s", need(o, "pl_prs", where));
    } else {
        cJSON_ArrayForEach(option, ops)
            snprintf(payloads[n++], 32, "%s", option->valuestring);
        assert_int_equal(n, MODE_COUNT);
    }
    for (int i = 0; i < n; i++)
        if (!mqtt_command_parse(&w->f.conf, cmd, payloads[i], &m, error))
            fail_msg("%s: %s", where, error);
    if (cJSON_HasObjectItem(o, "ret"))
        fail_msg("%s: a command must not be retained", where);
}

static void check_value(const struct world *w, const cJSON *doc, const cJSON *o,
                        const char *where)
{
    const char *own = text_of(o, "stat_t");
    const struct published *p = topic(w, own ? own : need(doc, "stat_t", where), where);
    const cJSON *ops = cJSON_GetObjectItem(o, "ops"), *one, *value;
    bool found = false;

    value = follow(p->json, need(o, "val_tpl", where), where);
    if (text_of(o, "lrst_val_tpl")) {
        follow(p->json, text_of(o, "lrst_val_tpl"), where);
        assert_non_null(strstr(text_of(o, "lrst_val_tpl"), "or ''"));
    }
    if (text_of(o, "json_attr_tpl"))
        follow(topic(w, need(o, "json_attr_t", where), where)->json,
               text_of(o, "json_attr_tpl"), where);
    if (p->retained == cJSON_HasObjectItem(o, "exp_aft"))
        fail_msg("%s: expire_after belongs to the topics that are not retained", where);
    if (!p->retained)
        assert_true(cJSON_GetObjectItem(o, "exp_aft")->valueint >= 60);
    cJSON_ArrayForEach(one, ops) found =
        found || strcmp(one->valuestring, value->valuestring) == 0;
    if (ops && !found)
        fail_msg("%s: '%s' is not among the options", where, value->valuestring);
}

static void check_part(struct world *w, const cJSON *doc, const cJSON *o)
{
    static const char *const platforms[] = {
        "sensor", "binary_sensor", "number", "select",
        "switch", "button",        "text",   NULL};
    static const char *const keys[] = {
        "p",       "name",         "uniq_id",       "def_ent_id",   "val_tpl",
        "dev_cla", "unit_of_meas", "stat_cla",      "sug_dsp_prc",  "exp_aft",
        "stat_t",  "cmd_t",        "ent_cat",       "en",           "ops",
        "min",     "max",          "step",          "mode",         "pl_prs",
        "avty",    "json_attr_t",  "json_attr_tpl", "lrst_val_tpl", "ptrn",
        NULL};
    char where[160];
    const char *platform, *unique, *entity;

    snprintf(where, sizeof where, "%s",
             cJSON_GetArrayItem(
                 cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "dev"), "ids"), 0)
                 ->valuestring);
    snprintf(where + strlen(where), sizeof where - strlen(where), " %s", o->string);
    only(o, keys, where);
    platform = need(o, "p", where);
    need(o, "name", where);
    if (!in(platform, platforms))
        fail_msg("%s: platform %s", where, platform);
    if (strspn(o->string, PLAIN) != strlen(o->string))
        fail_msg("%s: not an id", where);
    unique = need(o, "uniq_id", where);
    for (int i = 0; i < w->n_unique; i++)
        if (strcmp(w->unique[i], unique) == 0)
            fail_msg("%s: %s is not unique", where, unique);
    snprintf(w->unique[w->n_unique++], 160, "%s", unique);
    entity = need(o, "def_ent_id", where);
    assert_int_equal(strncmp(entity, platform, strlen(platform)), 0);
    assert_int_equal(entity[strlen(platform)], '.');
    entity += strlen(platform) + 1;
    if (strspn(entity, ENTITY) != strlen(entity))
        fail_msg("%s: %s", where, entity);
    if (strcmp(platform, "sensor") == 0)
        check_sensor(o, where);
    if (strcmp(platform, "button") != 0)
        check_value(w, doc, o, where);
    if (cJSON_HasObjectItem(o, "avty"))
        check_availability(w, o, where);
    check_command(w, o, where);
}

/* Returns the number of components. */
static int check_document(struct world *w, enum mqtt_topic t, const char *cid,
                          char *text)
{
    char name[MQTT_TOPIC], *id;
    cJSON *doc, *part;
    int n = 0;

    assert_non_null(text);
    assert_true(strlen(text) < 16384);
    assert_true(mqtt_doc_topic(name, &w->f.conf, t, cid));
    assert_int_equal(strncmp(name, "homeassistant/device/chargehand/", 32), 0);
    id = name + 32;
    assert_string_equal(id + strspn(id, PLAIN), "/config");
    doc = cJSON_Parse(text);
    assert_non_null(doc);
    check_head(w, doc, name);
    cJSON_ArrayForEach(part, cJSON_GetObjectItem(doc, "cmps"))
    {
        check_part(w, doc, part);
        n++;
    }
    print_message("%s: %d components, %d bytes\n", id, n, (int)strlen(text));
    cJSON_Delete(doc);
    free(text);
    return n;
}

static void test_rules(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assert_true(
        check_document(&w, MQTT_HASS_SITE, NULL, hass_site(&w.f.conf, &w.f.snap)) > 15);
    for (int i = 0; i < FIXTURE_CONNECTORS; i++)
        assert_true(check_document(
                        &w, MQTT_HASS_CONNECTOR, w.f.connectors[i].cid,
                        hass_connector(&w.f.conf, &w.f.snap, &w.f.connectors[i])) > 14);
    world_free(&w);
}

/* Every word that can be published is among the options. */
static void test_enumerations(void **state)
{
    struct world w;

    (void)state;
    for (int i = 0; i < 12; i++) {
        world_init(&w);
        world_free(&w);
        w.n = 0;
        w.f.connectors[0].v.status = (enum connector_status)(i % STATUS_COUNT);
        w.f.connectors[0].v.why.reason = (enum reason)(i % REASON_COUNT);
        w.f.connectors[0].v.mode = (enum mode)(i % MODE_COUNT);
        w.f.snap.state = snapshot_states[i % 5];
        publish(&w, MQTT_STATUS, NULL, true, NULL);
        publish(&w, MQTT_SITE_STATE, NULL, false, mqtt_doc_site_state(&w.f.snap));
        publish(&w, MQTT_SITE_STATUS, NULL, true,
                mqtt_doc_site_status(&w.f.conf, &w.f.snap, 1, 2));
        publish(&w, MQTT_CONNECTOR_AVAILABILITY, "CP-01_1", true, NULL);
        publish(&w, MQTT_CONNECTOR_STATE, "CP-01_1", false,
                mqtt_doc_connector_state(&w.f.snap, &w.f.connectors[0]));
        publish(&w, MQTT_CONNECTOR_STATUS, "CP-01_1", true,
                mqtt_doc_connector_status(&w.f.connectors[0]));
        check_document(&w, MQTT_HASS_SITE, NULL, hass_site(&w.f.conf, &w.f.snap));
        check_document(&w, MQTT_HASS_CONNECTOR, "CP-01_1",
                       hass_connector(&w.f.conf, &w.f.snap, &w.f.connectors[0]));
        world_free(&w);
    }
}

static cJSON *device(char *text)
{
    cJSON *doc = cJSON_Parse(text), *dev = cJSON_DetachItemFromObject(doc, "dev");

    cJSON_Delete(doc);
    free(text);
    assert_non_null(dev);
    return dev;
}

static void test_device(void **state)
{
    static const struct {
        const char *host, *url;
    } hosts[] = {{"192.0.2.9", "http://192.0.2.9:8880/api/v1/state"},
                 {"2001:db8::9", "http://[2001:db8::9]:8880/api/v1/state"},
                 {"garage.example", "http://garage.example:8880/api/v1/state"},
                 {"127.0.0.1", NULL},
                 {"0.0.0.0", NULL},
                 {"::", NULL},
                 {NULL, NULL}};
    struct fixture f;
    cJSON *dev;

    (void)state;
    fixture_init(&f);
    dev = device(hass_connector(&f.conf, &f.snap, &f.connectors[0]));
    assert_string_equal(text_of(dev, "mf"), "Alfen");
    assert_string_equal(text_of(dev, "mdl"), "Eve Single");
    assert_string_equal(text_of(dev, "sn"), "ACE0000001");
    assert_string_equal(text_of(dev, "sw"), "7.2");
    assert_string_equal(text_of(dev, "via_device"), "chargehand_main");
    cJSON_Delete(dev);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        f.conf.http.host = hosts[i].host;
        dev = device(hass_site(&f.conf, &f.snap));
        if (hosts[i].url)
            assert_string_equal(text_of(dev, "cu"), hosts[i].url);
        else
            assert_null(text_of(dev, "cu"));
        cJSON_Delete(dev);
    }
}

static void test_print(void **state)
{
    struct fixture f, g;

    (void)state;
    fixture_init(&f);
    fixture_init(&g);
    assert_true(hass_connector_print(&f.snap, &f.connectors[0]) ==
                hass_connector_print(&g.snap, &g.connectors[0]));
    g.connectors[0].v.offered_ma = 6000; /* no matter of the device */
    assert_true(hass_connector_print(&f.snap, &f.connectors[0]) ==
                hass_connector_print(&g.snap, &g.connectors[0]));
    g.connectors[0].vendor = "AlfenEve Single";
    g.connectors[0].model = "";
    assert_true(hass_connector_print(&f.snap, &f.connectors[0]) !=
                hass_connector_print(&g.snap, &g.connectors[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_enumerations),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
