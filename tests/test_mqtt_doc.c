/* SPDX-License-Identifier: Apache-2.0 */
/* Topics and payloads: what they are, that every key is always there, and that
 * doc/protocol.md names each of them. */
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
#include "proto/mqtt_doc.h"

static void test_topics(void **state)
{
    static const struct {
        enum mqtt_topic topic;
        const char *cid, *text;
    } cases[] = {
        {MQTT_STATUS, NULL, "chargehand/status"},
        {MQTT_INFO, NULL, "chargehand/info"},
        {MQTT_EVENT, NULL, "chargehand/event"},
        {MQTT_RESULT, NULL, "chargehand/result"},
        {MQTT_SITE_STATE, NULL, "chargehand/site/main/state"},
        {MQTT_SITE_STATUS, NULL, "chargehand/site/main/status"},
        {MQTT_SITE_SET, NULL, "chargehand/site/main/set"},
        {MQTT_CONNECTOR_AVAILABILITY, "CP-01_1",
         "chargehand/connector/CP-01_1/availability"},
        {MQTT_CONNECTOR_STATE, "CP-01_1", "chargehand/connector/CP-01_1/state"},
        {MQTT_CONNECTOR_STATUS, "CP-01_1", "chargehand/connector/CP-01_1/status"},
        {MQTT_CONNECTOR_SET, "CP-01_1", "chargehand/connector/CP-01_1/set"},
        {MQTT_HASS_STATUS, NULL, "homeassistant/status"},
        {MQTT_HASS_SITE, NULL,
         "homeassistant/device/chargehand/chargehand_main/config"},
        {MQTT_HASS_CONNECTOR, "CP-01_1",
         "homeassistant/device/chargehand/chargehand_main_CP-01_1/config"},
    };
    struct fixture f;
    char topic[MQTT_TOPIC];

    (void)state;
    fixture_init(&f);
    assert_int_equal(sizeof cases / sizeof *cases, MQTT_TOPICS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(mqtt_doc_topic(topic, &f.conf, cases[i].topic, cases[i].cid));
        assert_string_equal(topic, cases[i].text);
    }
    f.conf.mqtt.prefix = "house/garage";
    mqtt_doc_topic(topic, &f.conf, MQTT_CONNECTOR_STATE, "CP-01_1");
    assert_string_equal(topic, "house/garage/connector/CP-01_1/state");
}

/* Whatever a charger calls itself, the topic stays one level and the ids differ. */
static void test_ids(void **state)
{
    static const char *const names[] = {
        "KC/3*_1",
        "KC/3+_1",
        "KC#3*_1",
        "a b",
        "a\tb",
        "\xff",
        "",
        "a-very-long-identity-that-goes-on-and-on-and-on-and-on-1",
        "a-very-long-identity-that-goes-on-and-on-and-on-and-on-2"};
    enum { N = sizeof names / sizeof *names };
    char ids[N][MQTT_ID], topic[MQTT_TOPIC], longest[200];
    struct fixture f;

    (void)state;
    for (int i = 0; i < N; i++) {
        mqtt_doc_id(ids[i], names[i]);
        assert_int_equal(strspn(ids[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                        "UVWXYZ0123456789_-"),
                         strlen(ids[i]));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    mqtt_doc_id(ids[0], "CP-01_1");
    assert_string_equal(ids[0], "CP-01_1");
    fixture_init(&f);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    f.conf.site_id = longest;
    assert_true(mqtt_doc_topic(topic, &f.conf, MQTT_HASS_CONNECTOR, longest));
    f.conf.mqtt.prefix = longest;
    assert_false(mqtt_doc_topic(topic, &f.conf, MQTT_CONNECTOR_STATE, "CP-01_1"));
}

/* The golden documents: a renamed or lost key breaks somebody's dashboard, and then
 * MQTT_API has to grow. */
static void test_documents(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    struct mqtt_event event = {1793545200, 7, "warning", "meter", "main", "silent"};
    struct {
        char *text;
        const char *golden;
    } cases[] = {
        {mqtt_doc_info(&f.snap),
         "{\"version\":\"0.1.0\",\"api\":1,\"started\":\"2026-11-01T13:33:20Z\","
         "\"site\":\"main\",\"name\":\"Lindenhof 12\"}"},
        {mqtt_doc_event(&event),
         "{\"ts\":\"2026-11-01T15:00:00Z\",\"id\":7,\"level\":\"warning\","
         "\"code\":\"meter\",\"text\":\"silent\",\"who\":\"main\"}"},
        {mqtt_doc_taken("a/set/b", "{\"a\":16,\"ttl\":300}"),
         "{\"topic\":\"a/set/b\",\"ok\":true,\"error\":null,"
         "\"value\":{\"a\":16,\"ttl\":300}}"},
        {mqtt_doc_refused("a/set/b", "a/set/b: no", "\"x\""),
         "{\"topic\":\"a/set/b\",\"ok\":false,\"error\":\"a/set/b: no\","
         "\"value\":\"\\\"x\\\"\"}"},
        {mqtt_doc_site_state(&f.snap),
         "{\"ts\":\"2026-11-01T15:00:00Z\",\"power_w\":5123,\"current_a\":[10,14,-3.1],"
         "\"current_max_a\":14,\"limit_a\":40,\"limit_phase_a\":[40,40,40],"
         "\"headroom_a\":26,\"headroom_phase_a\":[30,26,43.1],\"base_a\":[10,-2,0],"
         "\"granted_a\":[0,16.2,16.2],\"external_left_s\":250,\"meter_age_s\":1,"
         "\"charging_w\":7301,\"circuits\":["
         "{\"name\":\"grid\",\"power_w\":5123,\"current_a\":[10,14,-3.1],"
         "\"current_max_a\":14,\"limit_a\":40,\"limit_phase_a\":[40,40,40],"
         "\"headroom_a\":26,\"headroom_phase_a\":[30,26,43.1],\"base_a\":[10,-2,0],"
         "\"granted_a\":[0,16.2,16.2],\"external_left_s\":250,\"meter_age_s\":1},"
         "{\"name\":\"Tiefgarage Süd\",\"power_w\":null,"
         "\"current_a\":[null,null,null],\"current_max_a\":null,\"limit_a\":32,"
         "\"limit_phase_a\":[32,32,32],\"headroom_a\":14.8,"
         "\"headroom_phase_a\":[31,14.8,14.8],\"base_a\":[1,1,1],"
         "\"granted_a\":[0,16.2,16.2],\"external_left_s\":null,"
         "\"meter_age_s\":null}]}"},
        {mqtt_doc_site_status(&f.conf, &f.snap, 987654321, EVENT_NO_ENERGY),
         "{\"name\":\"Lindenhof 12\",\"state\":\"limiting\",\"policy\":\"equal\","
         "\"meter\":\"main\",\"meter_ok\":true,\"fuse_a\":[63,63,50],"
         "\"power_limit_w\":40000,\"external_limit_a\":40,"
         "\"external_power_w\":null,\"external_chargers_w\":null,"
         "\"energy_import_kwh\":987654.321,\"energy_export_kwh\":null,"
         "\"connectors\":3,\"online\":2,\"sessions\":1,\"charging\":1,"
         "\"check_failures\":0,\"circuits\":["
         "{\"name\":\"grid\",\"meter_ok\":true,\"external_limit_a\":40,"
         "\"external_power_w\":null,\"external_chargers_w\":null},"
         "{\"name\":\"Tiefgarage Süd\",\"meter_ok\":true,"
         "\"external_limit_a\":null,\"external_power_w\":null,"
         "\"external_chargers_w\":9000}]}"},
        {mqtt_doc_connector_state(&f.snap, &f.connectors[0]),
         "{\"ts\":\"2026-11-01T15:00:00Z\",\"offered_a\":16.2,\"confirmed\":true,"
         "\"exposure_a\":16.2,\"current_a\":[0,15.9,16],\"current_max_a\":16,"
         "\"power_w\":7301,\"measured_age_s\":4}"},
        {mqtt_doc_connector_state(&f.snap, &f.connectors[2]),
         "{\"ts\":\"2026-11-01T15:00:00Z\",\"offered_a\":0,\"confirmed\":false,"
         "\"exposure_a\":6,\"current_a\":[null,null,null],\"current_max_a\":null,"
         "\"power_w\":null,\"measured_age_s\":null}"},
        {mqtt_doc_connector_status(&f.connectors[0]),
         "{\"name\":\"Bay 1\",\"charger\":\"CP-01\",\"circuit\":\"Tiefgarage Süd\","
         "\"status\":\"charging\",\"online\":true,\"connected\":true,"
         "\"session\":true,\"session_start\":\"2026-11-01T14:50:00Z\","
         "\"session_kwh\":4.321,\"energy_kwh\":1234.567,\"reason\":\"circuit\","
         "\"why_circuit\":\"grid\",\"why_phase\":\"L2\","
         "\"why_until\":\"2026-11-01T15:10:00Z\",\"mode\":\"auto\","
         "\"priority\":3,\"paused\":false,\"departs\":\"2026-11-02T06:30:00Z\","
         "\"energy_wanted_kwh\":12.5,\"departs_by\":\"car\","
         "\"energy_wanted_by\":\"person\",\"car_max_a\":16,\"external_a\":20,"
         "\"phases\":3,\"min_a\":6,\"max_a\":16}"},
        {mqtt_doc_connector_status(&f.connectors[2]),
         "{\"name\":\"Bay 3\",\"charger\":\"KC/3*\",\"circuit\":\"grid\","
         "\"status\":\"unknown\",\"online\":false,\"connected\":false,"
         "\"session\":false,\"session_start\":null,\"session_kwh\":null,"
         "\"energy_kwh\":null,\"reason\":\"offline\",\"why_circuit\":null,"
         "\"why_phase\":null,\"why_until\":null,\"mode\":\"auto\",\"priority\":0,"
         "\"paused\":false,"
         "\"departs\":null,\"energy_wanted_kwh\":null,\"departs_by\":null,"
         "\"energy_wanted_by\":null,\"car_max_a\":null,\"external_a\":null,"
         "\"phases\":null,"
         "\"min_a\":6,\"max_a\":32}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_non_null(cases[i].text);
        assert_string_equal(cases[i].text, cases[i].golden);
        free(cases[i].text);
    }
}

/* A silent meter's last values are not published as if they were still true. */
static void test_silent_meter(void **state)
{
    struct fixture f;
    char *text;
    cJSON *o;

    (void)state;
    fixture_init(&f);
    f.circuits[0].v.meter_ok = false;
    f.snap.now_ms = 1031000;
    text = mqtt_doc_site_state(&f.snap);
    o = cJSON_Parse(text);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "power_w")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(o, "current_max_a")));
    assert_true(
        cJSON_IsNull(cJSON_GetArrayItem(cJSON_GetObjectItem(o, "current_a"), 0)));
    assert_int_equal(cJSON_GetObjectItem(o, "meter_age_s")->valueint, 32);
    cJSON_Delete(o);
    free(text);
}

static char *read_source(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char path[4096], *text;
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", srcdir ? srcdir : ".", name);
    f = fopen(path, "r");
    if (!f)
        fail_msg("%s is not there", path);
    text = calloc(1, 100001);
    n = fread(text, 1, 100000, f);
    assert_true(n > 0 && n < 100000);
    fclose(f);
    return text;
}

static void named(const char *doc, const cJSON *o)
{
    char quoted[80];

    for (const cJSON *k = o->child; k; k = k->next) {
        snprintf(quoted, sizeof quoted, "`%s`", k->string);
        if (!strstr(doc, quoted))
            fail_msg("doc/protocol.md does not name %s", quoted);
        if (cJSON_IsArray(k) && cJSON_IsObject(k->child))
            named(doc, k->child);
    }
}

static void test_documentation(void **state)
{
    struct fixture f;
    char *doc = read_source("doc/protocol.md");

    (void)state;
    fixture_init(&f);
    struct mqtt_event event = {0};
    char *texts[] = {
        mqtt_doc_info(&f.snap),
        mqtt_doc_event(&event),
        mqtt_doc_taken("a", "1"),
        mqtt_doc_site_state(&f.snap),
        mqtt_doc_site_status(&f.conf, &f.snap, 0, 0),
        mqtt_doc_connector_state(&f.snap, &f.connectors[0]),
        mqtt_doc_connector_status(&f.connectors[0]),
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cJSON *o = cJSON_Parse(texts[i]);

        named(doc, o);
        cJSON_Delete(o);
        free(texts[i]);
    }
    for (int i = 0; i < STATUS_COUNT; i++)
        assert_non_null(strstr(doc, status_name((enum connector_status)i)));
    for (int i = 0; i < REASON_COUNT; i++)
        assert_non_null(strstr(doc, reason_name((enum reason)i)));
    for (int i = 0; snapshot_states[i]; i++)
        assert_non_null(strstr(doc, snapshot_states[i]));
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics),        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_documents),     cmocka_unit_test(test_silent_meter),
        cmocka_unit_test(test_documentation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
