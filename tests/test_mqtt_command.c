/* SPDX-License-Identifier: Apache-2.0 */
/* Commands over MQTT: a table of good and of bad ones with their error texts. */
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
#include "proto/mqtt_command.h"
#include "proto/mqtt_doc.h"

#define BAY1 "chargehand/connector/CP-01_1/set/"
#define BAY2 "chargehand/connector/CP-02_1/set/"
#define LIMIT "chargehand/site/main/set/external_limit"

static void test_good(void **state)
{
    static const struct {
        const char *what, *topic, *payload, *value;
        struct event e;
    } cases[] = {
        {"mode",
         BAY2 "mode",
         "solar",
         "\"solar\"",
         {.kind = EVENT_MODE, .who = 1, .mode = MODE_SOLAR}},
        {"priority",
         BAY1 "priority",
         "10",
         "10",
         {.kind = EVENT_PRIORITY, .who = 0, .priority = 10}},
        {"priority with a point",
         BAY1 "priority",
         "3.0",
         "3",
         {.kind = EVENT_PRIORITY, .who = 0, .priority = 3}},
        {"Home Assistant's switch",
         BAY1 "pause",
         "ON",
         "true",
         {.kind = EVENT_PAUSE, .who = 0, .pause = true}},
        {"a script's",
         BAY1 "pause",
         "false",
         "false",
         {.kind = EVENT_PAUSE, .who = 0, .pause = false}},
        {"a shell's line end",
         BAY1 "pause",
         " 1\n",
         "true",
         {.kind = EVENT_PAUSE, .who = 0, .pause = true}},
        {"limit with its lifetime",
         LIMIT,
         "{\"a\": 40, \"ttl\": 300}",
         "{\"a\":40,\"ttl\":300}",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {40000, 1000 + 300000}}},
        {"limit with the lifetime of the house",
         LIMIT,
         "{\"a\": 16.5}",
         "{\"a\":16.5,\"ttl\":900}",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {16500, 1000 + 900000}}},
        {"a plain number",
         LIMIT,
         "63",
         "{\"a\":63,\"ttl\":900}",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {63000, 1000 + 900000}}},
        {"no charging at all",
         LIMIT,
         "0",
         "{\"a\":0,\"ttl\":900}",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {0, 1000 + 900000}}},
        {"no limit",
         LIMIT,
         "none",
         "null",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {EVENT_NO_VALUE, 1000}}},
        {"no limit as JSON",
         LIMIT,
         "{\"a\":null}",
         "null",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {EVENT_NO_VALUE, 1000}}},
        {"watts for the chargers, as the grid operator has it",
         LIMIT,
         "{\"chargers_w\": 4200.9, \"ttl\": 7200}",
         "{\"chargers_w\":4200,\"ttl\":7200}",
         {.kind = EVENT_LIMIT,
          .who = 0,
          .limit = {EVENT_NO_VALUE, 1000 + 7200000, .chargers_w = 4200}}},
        {"all three",
         LIMIT,
         "{\"a\": 16.125, \"w\": 9000000, \"chargers_w\": 0, \"ttl\": 86400}",
         "{\"a\":16.125,\"w\":9000000,\"chargers_w\":1,\"ttl\":86400}",
         {.kind = EVENT_LIMIT,
          .who = 0,
          .limit = {16125, 1000 + 86400000, .power_w = 9000000, .chargers_w = 1}}},
        {"no watts",
         LIMIT,
         "{\"w\": null}",
         "null",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {EVENT_NO_VALUE, 1000}}},
        {"the grid by its name",
         LIMIT "/grid",
         "20",
         "{\"a\":20,\"ttl\":900}",
         {.kind = EVENT_LIMIT, .who = 0, .limit = {20000, 1000 + 900000}}},
    };
    struct fixture f;
    char error[MQTT_ERROR];
    struct mqtt_command m;
    struct event e;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct event *want = &cases[i].e;

        if (!mqtt_command_parse(&f.conf, cases[i].topic, cases[i].payload, &m, error))
            fail_msg("%s: refused: %s", cases[i].what, error);
        if (strcmp(m.value, cases[i].value) != 0)
            fail_msg("%s: expected %s, got %s", cases[i].what, cases[i].value, m.value);
        e = mqtt_command_event(&m, 1000);
        assert_int_equal(e.at_ms, 1000);
        assert_int_equal(e.kind, want->kind);
        assert_int_equal(e.who, want->who);
        if (want->kind == EVENT_LIMIT) {
            assert_int_equal(e.limit.limit_ma, want->limit.limit_ma);
            assert_true(e.limit.until_ms == want->limit.until_ms);
            assert_int_equal(e.limit.source, LIMIT_REMOTE);
            assert_int_equal(e.limit.power_w, want->limit.power_w);
            assert_int_equal(e.limit.chargers_w, want->limit.chargers_w);
        } else if (want->kind == EVENT_MODE) {
            assert_int_equal(e.mode, want->mode);
        } else if (want->kind == EVENT_PRIORITY) {
            assert_int_equal(e.priority, want->priority);
        } else {
            assert_int_equal(e.pause, want->pause);
        }
    }
}

/* A circuit and a charger whose names are no topic levels are reached by their ids. */
static void test_odd_names(void **state)
{
    struct fixture f;
    char error[MQTT_ERROR], topic[MQTT_TOPIC], id[MQTT_ID];
    struct mqtt_command m;

    (void)state;
    fixture_init(&f);
    mqtt_doc_id(id, "Tiefgarage Süd");
    snprintf(topic, sizeof topic, LIMIT "/%s", id);
    assert_true(mqtt_command_parse(&f.conf, topic, "32", &m, error));
    assert_int_equal(m.who, 1);
    assert_false(mqtt_command_parse(&f.conf, topic, "33", &m, error));
    assert_non_null(strstr(error, "allowed are 0 to 32 A"));
    mqtt_doc_topic(topic, &f.conf, MQTT_CONNECTOR_SET, "KC/3*_1");
    strcat(topic, "/mode");
    assert_true(mqtt_command_parse(&f.conf, topic, "fast", &m, error));
    assert_int_equal(m.who, 2);
}

/* What is wished, and what stays as it was. */
static void test_wishes(void **state)
{
    static const struct {
        const char *what, *topic, *payload, *value;
        struct mqtt_wish w;
    } cases[] = {
        {"energy",
         "energy",
         "12.5",
         "{\"energy_kwh\":12.5}",
         {.energy = true, .energy_wh = 12500}},
        {"a full battery",
         "energy",
         "none",
         "{\"energy_kwh\":null}",
         {.energy = true, .energy_wh = EVENT_NO_VALUE}},
        {"a time of day",
         "departure",
         "07:30",
         "{\"departs\":\"07:30\"}",
         {.departs = true, .minute = 450, .utc_s = INT64_MAX}},
        {"midnight",
         "departure",
         "00:00",
         "{\"departs\":\"00:00\"}",
         {.departs = true, .minute = 0, .utc_s = INT64_MAX}},
        {"a moment",
         "departure",
         "2026-11-03T06:30:00Z",
         "{\"departs\":\"2026-11-03T06:30:00Z\"}",
         {.departs = true, .minute = -1, .utc_s = 1793687400}},
        {"whenever",
         "departure",
         "none",
         "{\"departs\":null}",
         {.departs = true, .minute = -1, .utc_s = INT64_MAX}},
        {"both",
         "wish",
         "{\"energy_kwh\": 20, \"departs\": \"18:05\"}",
         "{\"energy_kwh\":20,\"departs\":\"18:05\"}",
         {true, true, 20000, 1085, INT64_MAX}},
        {"one of them",
         "wish",
         "{\"departs\": \"18:05\"}",
         "{\"departs\":\"18:05\"}",
         {.departs = true,
          .minute = 1085,
          .utc_s = INT64_MAX,
          .energy_wh = EVENT_NO_VALUE}},
        {"nothing more",
         "wish",
         "none",
         "{\"energy_kwh\":null,\"departs\":null,\"max_kwh\":null,\"max_hours\":null,"
         "\"max_cost\":null}",
         {true, true, EVENT_NO_VALUE, -1, INT64_MAX, 7, {0, 0, 0}}},
        {"no more than that",
         "wish",
         "{\"max_kwh\": 20.5, \"max_hours\": 1.5, \"max_cost\": 10}",
         "{\"max_kwh\":20.5,\"max_hours\":1.5,\"max_cost\":10}",
         {.energy_wh = EVENT_NO_VALUE, .most_said = 7, .most = {20500, 5400, 10000}}},
        {"more after all",
         "wish",
         "{\"max_kwh\": null}",
         "{\"max_kwh\":null}",
         {.energy_wh = EVENT_NO_VALUE, .most_said = 1}},
    };
    struct fixture f;
    char error[MQTT_ERROR], topic[MQTT_TOPIC];
    struct mqtt_command m;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mqtt_wish *w = &cases[i].w;

        snprintf(topic, sizeof topic, BAY2 "%s", cases[i].topic);
        if (!mqtt_command_parse(&f.conf, topic, cases[i].payload, &m, error))
            fail_msg("%s: refused: %s", cases[i].what, error);
        assert_string_equal(m.value, cases[i].value);
        assert_int_equal(m.what, MQTT_WISH);
        assert_int_equal(m.who, 1);
        assert_int_equal(m.wish.energy, w->energy);
        assert_int_equal(m.wish.departs, w->departs);
        assert_int_equal(m.wish.most_said, w->most_said);
        assert_memory_equal(m.wish.most, w->most, sizeof w->most);
        if (w->energy)
            assert_int_equal(m.wish.energy_wh, w->energy_wh);
        if (!w->departs)
            continue;
        assert_int_equal(m.wish.minute, w->minute);
        assert_true(m.wish.utc_s == w->utc_s);
    }
}

#define NO_ENERGY(payload)                                                             \
    BAY1 "energy: '" payload "' is no energy; allowed are 0.1 to 1000 kWh and none"
#define NO_TIME(payload)                                                               \
    "'" payload                                                                        \
    "' is no time to depart; allowed are a time of day like 07:30, a time "            \
    "like 2026-11-03T06:30:00Z, and none"
#define NO_LIMIT(payload)                                                              \
    LIMIT ": '" payload "' is no limit; allowed are 0 to 63 A as a number or as "      \
          "{\"a\": 16, \"ttl\": 300}, and none"
#define NO_PRIORITY(payload)                                                           \
    BAY1 "priority: '" payload                                                         \
         "' is no priority; allowed are whole numbers from 0 to 10"

static void test_bad(void **state)
{
    static const struct {
        const char *what, *topic, *payload, *error;
    } cases[] = {
        {"unknown mode", BAY1 "mode", "turbo",
         BAY1 "mode: 'turbo' is no mode; allowed are auto, off, fast, minsolar, solar"},
        {"empty mode", BAY1 "mode", "",
         BAY1 "mode: '' is no mode; allowed are auto, off, fast, minsolar, solar"},
        {"priority too high", BAY1 "priority", "11", NO_PRIORITY("11")},
        {"priority below 0", BAY1 "priority", "-1", NO_PRIORITY("-1")},
        {"priority between", BAY1 "priority", "2.5", NO_PRIORITY("2.5")},
        {"priority with more", BAY1 "priority", "5 A", NO_PRIORITY("5 A")},
        {"priority huge", BAY1 "priority", "99999999999999999999",
         NO_PRIORITY("99999999999999999999")},
        {"pause", BAY1 "pause", "maybe", BAY1 "pause: 'maybe' is neither ON nor OFF"},
        {"no energy", BAY1 "energy", "0", NO_ENERGY("0")},
        {"energy for a ship", BAY1 "energy", "1000.1", NO_ENERGY("1000.1")},
        {"energy with a unit", BAY1 "energy", "5kWh", NO_ENERGY("5kWh")},
        {"energy with two points", BAY1 "energy", "5.1.2", NO_ENERGY("5.1.2")},
        {"an hour too many", BAY1 "departure", "24:00",
         BAY1 "departure: " NO_TIME("24:00")},
        {"a minute too many", BAY1 "departure", "23:60",
         BAY1 "departure: " NO_TIME("23:60")},
        {"a short hour", BAY1 "departure", "7:30", BAY1 "departure: " NO_TIME("7:30")},
        {"no such day", BAY1 "departure", "2026-06-31T06:30:00Z",
         BAY1 "departure: " NO_TIME("2026-06-31T06:30:00Z")},
        {"a time without its zone", BAY1 "departure", "2026-06-30T06:30:00",
         BAY1 "departure: " NO_TIME("2026-06-30T06:30:00")},
        {"an empty wish", BAY1 "wish", "{}",
         BAY1 "wish: '{}' is no wish; allowed are {\"energy_kwh\": 12.5, \"departs\": "
              "\"07:30\"}, one of them, and none"},
        {"a wish with a spelling", BAY1 "wish", "{\"depart\":\"07:30\"}",
         BAY1 "wish: unknown key 'depart'; allowed are energy_kwh, departs, max_kwh, "
              "max_hours and max_cost"},
        {"no most", BAY1 "wish", "{\"max_cost\":-1}",
         BAY1 "wish: max_cost: allowed are numbers above 0, and null"},
        {"energy as text", BAY1 "wish", "{\"energy_kwh\":\"5\"}",
         BAY1 "wish: 'energy_kwh' is no energy; allowed are 0.1 to 1000 kWh and none"},
        {"a time as a number", BAY1 "wish", "{\"departs\":730}",
         BAY1 "wish: " NO_TIME("departs")},
        {"more than the fuse", LIMIT, "63.1", NO_LIMIT("63.1")},
        {"negative", LIMIT, "-1", NO_LIMIT("-1")},
        {"with a unit", LIMIT, "16A", NO_LIMIT("16A")},
        {"hexadecimal", LIMIT, "0x10", NO_LIMIT("0x10")},
        {"scientific", LIMIT, "1e1", NO_LIMIT("1e1")},
        {"not a number", LIMIT, "nan", NO_LIMIT("nan")},
        {"a comma", LIMIT, "16,5", NO_LIMIT("16,5")},
        {"ends with a point", LIMIT, "16.", NO_LIMIT("16.")},
        {"empty", LIMIT, "", NO_LIMIT("")},
        {"no JSON", LIMIT, "{\"a\": 40", NO_LIMIT("{\"a\": 40")},
        {"JSON and more", LIMIT, "{\"a\": 40} x", NO_LIMIT("{\"a\": 40} x")},
        {"without a", LIMIT, "{\"ttl\": 5}", NO_LIMIT("{\"ttl\": 5}")},
        {"a as text", LIMIT, "{\"a\":\"40\"}", NO_LIMIT("{\"a\":\"40\"}")},
        {"a is too much", LIMIT, "{\"a\":1e300}", NO_LIMIT("{\"a\":1e300}")},
        {"a is negative", LIMIT, "{\"a\":-0.1}", NO_LIMIT("{\"a\":-0.1}")},
        {"more watts than there are", LIMIT, "{\"w\":10000001}",
         LIMIT ": w is out of range; allowed are 0 to 10000000 W"},
        {"watts as text", LIMIT, "{\"chargers_w\":\"4200\"}",
         LIMIT ": chargers_w is out of range; allowed are 0 to 10000000 W"},
        {"a spelling", LIMIT, "{\"a\":16,\"ttl_s\":5}",
         LIMIT
         ": unknown key 'ttl_s'; allowed are a (A), w and chargers_w (W), and ttl (s)"},
        {"for ever", LIMIT, "{\"a\":16,\"ttl\":86401}",
         LIMIT ": ttl is out of range; allowed are 1 to 86400 s"},
        {"no time", LIMIT, "{\"a\":16,\"ttl\":0}",
         LIMIT ": ttl is out of range; allowed are 1 to 86400 s"},
        {"another key", BAY1 "prio", "3",
         BAY1 "prio: there is no such topic; did you mean " BAY1 "priority?"},
        {"another bay", "chargehand/connector/CP-03_1/set/pause", "ON",
         "chargehand/connector/CP-03_1/set/pause: there is no such topic; did you "
         "mean " BAY1 "pause?"},
        {"another site", "chargehand/site/haupt/set/external_limit", "3",
         "chargehand/site/haupt/set/external_limit: there is no such topic; did you "
         "mean " LIMIT "?"},
        {"no key", "chargehand/connector/CP-02_1/set", "ON",
         "chargehand/connector/CP-02_1/set: there is no such topic; did you mean " BAY2
         "mode?"},
    };
    struct fixture f;
    char error[MQTT_ERROR];
    struct mqtt_command m;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (mqtt_command_parse(&f.conf, cases[i].topic, cases[i].payload, &m, error))
            fail_msg("%s: taken", cases[i].what);
        if (strcmp(error, cases[i].error) != 0)
            fail_msg("%s:\nexpected %s\ngot      %s", cases[i].what, cases[i].error,
                     error);
    }
}

static void test_too_long(void **state)
{
    struct fixture f;
    char error[MQTT_ERROR], text[1000];
    struct mqtt_command m;

    (void)state;
    fixture_init(&f);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_false(mqtt_command_parse(&f.conf, text, "1", &m, error));
    assert_true(strlen(error) < MQTT_ERROR);
    assert_false(mqtt_command_parse(&f.conf, LIMIT, text, &m, error));
    assert_string_equal(error, LIMIT ": the payload is longer than 255 bytes");
}

/* Whatever arrives, nothing out of range gets through. */
static void test_random(void **state)
{
    static const char letters[] = "{}[]\":,.-+eE0123456789 atlnoeulONF\\\x80\xc3";
    unsigned seed = 20261101;
    struct fixture f;
    int taken = 0;

    (void)state;
    print_message("seed %u\n", seed);
    fixture_init(&f);
    for (int i = 0; i < 100000; i++) {
        char payload[24], error[MQTT_ERROR];
        struct mqtt_command m;
        size_t n = (size_t)rand_r(&seed) % 12;

        strcpy(payload, i % 3 == 0 ? "{\"a\":" : "");
        n += strlen(payload);
        for (size_t k = strlen(payload); k < n; k++)
            payload[k] = letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
        if (i % 3 == 0)
            payload[n++] = '}';
        payload[n] = '\0';
        if (!mqtt_command_parse(&f.conf, LIMIT, payload, &m, error))
            continue;
        taken++;
        cJSON_Delete(cJSON_Parse(m.value));
        if (m.limit.limit_ma == EVENT_NO_VALUE)
            continue;
        assert_in_range(m.limit.limit_ma, 0, 63000);
        assert_in_range(m.limit.ttl_s, 1, MQTT_TTL_MAX_S);
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_wishes),   cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
