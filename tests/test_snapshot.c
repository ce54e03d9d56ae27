/* SPDX-License-Identifier: Apache-2.0 */
/* The whole state as JSON: keys, units, unknown values, and no half document. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>

#include "mqtt_fixture.h"
#include "proto/jsondoc.h"
#include "proto/utf8.h"

/* Key and value as they stand in the text of an object. */
struct expected {
    const char *key, *json;
};

static const struct expected site_keys[] = {{"version", "\"0.1.0\""},
                                            {"site", "\"main\""},
                                            {"name", "\"Lindenhof 12\""},
                                            {"policy", "\"equal\""},
                                            {"state", "\"limiting\""},
                                            {"time", "\"2026-11-01T15:00:00Z\""},
                                            {"time_s", "1793545200"},
                                            {"started", "\"2026-11-01T13:33:20Z\""},
                                            {"steps", "77"},
                                            {"check_failures", "0"},
                                            {"dropped", "0"},
                                            {"mqtt_connected", "true"},
                                            {NULL, NULL}};

static const struct expected charging_keys[] = {
    {"cid", "\"CP-01_1\""},
    {"name", "\"Bay 1\""},
    {"charger", "\"CP-01\""},
    {"number", "1"},
    {"vendor", "\"Alfen\""},
    {"circuit", "\"Tiefgarage Süd\""},
    {"status", "\"charging\""},
    {"online", "true"},
    {"connected", "true"},
    {"session", "true"},
    {"session_start", "\"2026-11-01T14:50:00Z\""},
    {"tag", "\"04AABBCC\""},
    {"session_kwh", "4.321"},
    {"energy_kwh", "1234.567"},
    {"offered_a", "16.2"},
    {"confirmed", "true"},
    {"exposure_a", "16.2"},
    {"current_a", "[0,15.9,16]"},
    {"measured_age_s", "4"},
    {"power_w", "7301"},
    {"reason", "\"circuit\""},
    {"why_circuit", "\"grid\""},
    {"why_phase", "\"L2\""},
    {"why_until", "\"2026-11-01T15:10:00Z\""},
    {"mode", "\"auto\""},
    {"priority", "3"},
    {"paused", "false"},
    {"departs", "\"2026-11-02T06:30:00Z\""},
    {"energy_wanted_kwh", "12.5"},
    {"departs_by", "\"car\""},
    {"energy_wanted_by", "\"person\""},
    {"car_max_a", "16"},
    {"external_a", "20"},
    {"phases", "3"},
    {"min_a", "6"},
    {"max_a", "16"},
    {NULL, NULL}};

static const struct expected away_keys[] = {{"vendor", "\"Ke\xef\xbf\xbd"
                                                       "ba\""},
                                            {"model", "null"},
                                            {"status", "\"unknown\""},
                                            {"online", "false"},
                                            {"connected", "false"},
                                            {"session_start", "null"},
                                            {"tag", "null"},
                                            {"session_kwh", "null"},
                                            {"energy_kwh", "null"},
                                            {"current_a", "[null,null,null]"},
                                            {"measured_age_s", "null"},
                                            {"power_w", "null"},
                                            {"reason", "\"offline\""},
                                            {"why_circuit", "null"},
                                            {"why_phase", "null"},
                                            {"why_until", "null"},
                                            {NULL, NULL}};

static const struct expected grid_keys[] = {{"name", "\"grid\""},
                                            {"parent", "null"},
                                            {"limit_a", "[40,40,40]"},
                                            {"base_a", "[10,-2,0]"},
                                            {"granted_a", "[0,16.2,16.2]"},
                                            {"total_a", "[10,14,-3.1]"},
                                            {"total_w", "5123"},
                                            {"headroom_a", "[30,26,43.1]"},
                                            {"meter", "\"main\""},
                                            {"meter_ok", "true"},
                                            {"meter_age_s", "1"},
                                            {"external_limit_a", "40"},
                                            {"external_power_w", "null"},
                                            {"external_chargers_w", "null"},
                                            {"external_until", "1793545450"},
                                            {"external_left_s", "250"},
                                            {"power_limit_w", "40000"},
                                            {NULL, NULL}};

static const struct expected garage_keys[] = {
    {"parent", "\"grid\""},          {"headroom_a", "[31,14.8,14.8]"},
    {"total_a", "[null,null,null]"}, {"meter", "null"},
    {"meter_age_s", "null"},         {"external_limit_a", "null"},
    {"external_power_w", "null"},    {"external_chargers_w", "9000"},
    {"external_until", "null"},      {"external_left_s", "null"},
    {"power_limit_w", "null"},       {NULL, NULL}};

static const struct expected meter_keys[] = {{"name", "\"main\""},
                                             {"role", "\"circuit\""},
                                             {"source", "\"modbus\""},
                                             {"ok", "true"},
                                             {"age_s", "1"},
                                             {"current_a", "[10,14,-3.1]"},
                                             {"voltage_v", "[230.1,230,0]"},
                                             {"power_w", "5123"},
                                             {"import_kwh", "987654.321"},
                                             {"export_kwh", "0.02"},
                                             {NULL, NULL}};

static void check(const cJSON *o, const struct expected *e)
{
    assert_non_null(o);
    for (; e->key; e++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, e->key);
        char *text = item ? cJSON_PrintUnformatted(item) : NULL;

        if (!text || strcmp(text, e->json) != 0)
            fail_msg("%s: expected %s, got %s", e->key, e->json,
                     text ? text : "nothing");
        free(text);
    }
}

static void test_document(void **state)
{
    struct fixture f;
    char *text;
    cJSON *root, *list;

    (void)state;
    fixture_init(&f);
    text = snapshot_json(&f.snap);
    assert_non_null(text);
    root = cJSON_Parse(text);
    check(root, site_keys);
    list = cJSON_GetObjectItem(root, "connectors");
    assert_int_equal(cJSON_GetArraySize(list), FIXTURE_CONNECTORS);
    check(cJSON_GetArrayItem(list, 0), charging_keys);
    check(cJSON_GetArrayItem(list, 2), away_keys);
    list = cJSON_GetObjectItem(root, "circuits");
    check(cJSON_GetArrayItem(list, 0), grid_keys);
    check(cJSON_GetArrayItem(list, 1), garage_keys);
    check(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "meters"), 0), meter_keys);
    assert_true(utf8_valid(text, strlen(text)));
    assert_null(strstr(text, "nan"));
    cJSON_Delete(root);
    free(text);
}

/* What every number that leaves looks like in the text itself. */
static void test_numbers(void **state)
{
    static const struct {
        const char *what;
        int32_t ma;
        const char *text;
    } cases[] = {
        {"no float noise", 16200, "{\"a\":16.2}"},
        {"a third of it", 5400, "{\"a\":5.4}"},
        {"whole", 32000, "{\"a\":32}"},
        {"rounds up from the middle", 16250, "{\"a\":16.3}"},
        {"rounds down below it", 16249, "{\"a\":16.2}"},
        {"the same below zero", -16250, "{\"a\":-16.3}"},
        {"next to nothing is 0", 49, "{\"a\":0}"},
        {"and 0 has no sign", -49, "{\"a\":0}"},
        {"large", INT32_MAX, "{\"a\":2147483.6}"},
        {"large and negative", INT32_MIN + 1, "{\"a\":-2147483.6}"},
        {"unknown", EVENT_NO_VALUE, "{\"a\":null}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct jsondoc d;
        char *text;

        jsondoc_begin(&d);
        jsondoc_a(&d, d.root, "a", cases[i].ma);
        text = jsondoc_text(&d);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("%s: expected %s, got %s", cases[i].what, cases[i].text, text);
        free(text);
    }
}

static void test_energy(void **state)
{
    struct jsondoc d;
    char *text;

    (void)state;
    jsondoc_begin(&d);
    jsondoc_kwh(&d, d.root, "small", 1);
    jsondoc_kwh(&d, d.root, "big", 999999999999);
    jsondoc_kwh(&d, d.root, "back", -1500);
    jsondoc_kwh(&d, d.root, "none", EVENT_NO_ENERGY);
    jsondoc_utc(&d, d.root, "never", 0);
    text = jsondoc_text(&d);
    assert_string_equal(text, "{\"small\":0.001,\"big\":999999999.999,\"back\":-1.5,"
                              "\"none\":null,\"never\":null}");
    free(text);
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        const char *repaired;
    } cases[] = {
        {"", true, ""},
        {"plain", true, "plain"},
        {"Süd \xe2\x82\xac \xf0\x9f\x94\x8c", true,
         "Süd \xe2\x82\xac \xf0\x9f\x94\x8c"},
        {"\xff", false, "\xef\xbf\xbd"},
        {"a\xc3", false, "a\xef\xbf\xbd"},
        {"\xc0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong NUL */
        {"\xed\xa0\x80", false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
        {"\xf4\x90\x80\x80z", false,
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"}, /* above U+10FFFF */
        {"\xe2\x82z", false, "\xef\xbf\xbd\xef\xbf\xbdz"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *repaired = utf8_repair(cases[i].text);

        assert_int_equal(utf8_valid(cases[i].text, strlen(cases[i].text)),
                         cases[i].valid);
        assert_string_equal(repaired, cases[i].repaired);
        assert_true(utf8_valid(repaired, strlen(repaired)));
        free(repaired);
    }
    assert_false(utf8_valid("a\0b", 3));
}

/* ---- no memory: NULL, never a part of the document ---- */

static int allocations_left;

static void *scarce_malloc(size_t n)
{
    return allocations_left-- > 0 ? malloc(n) : NULL;
}

static void test_out_of_memory(void **state)
{
    cJSON_Hooks scarce = {scarce_malloc, free};
    struct fixture f;
    char *whole, *text;
    int n = 0;

    (void)state;
    fixture_init(&f);
    whole = snapshot_json(&f.snap);
    cJSON_InitHooks(&scarce);
    do {
        allocations_left = n++;
        text = snapshot_json(&f.snap);
        if (text)
            assert_string_equal(text, whole);
        assert_true(n < 100000);
    } while (!text);
    cJSON_InitHooks(NULL);
    assert_true(n > 100); /* it really was scarce for a while */
    free(text);
    free(whole);
}

static void test_headroom(void **state)
{
    struct fixture f;
    int32_t room[SITE_PHASES];
    char *text;

    (void)state;
    fixture_init(&f);
    f.circuits[0].v.meter_ok = false; /* then what is reckoned with counts */
    snapshot_headroom(&f.circuits[0], room);
    assert_int_equal(room[0], 30000);
    assert_int_equal(room[1], 25800);
    assert_int_equal(room[2], 23800);
    text = snapshot_json(&f.snap); /* and no power as if it were still true */
    assert_non_null(text);
    assert_non_null(strstr(text, "\"total_w\":null"));
    assert_null(strstr(text, "\"total_w\":5123"));
    free(text);
    f.circuits[0].v.meter_ok = true;
    f.circuits[0].v.total_ma[0] = INT32_MIN + 1; /* nonsense does not overflow */
    snapshot_headroom(&f.circuits[0], room);
    assert_int_equal(room[0], INT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),      cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_energy),        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_headroom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
