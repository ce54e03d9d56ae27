/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP payloads alone: the dialects of meter values, numbers, lists, profiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/ocpp16.h"
#include "proto/ocpp_frame.h"

#define NO EVENT_NO_VALUE
#define I(value, phase)                                                                \
    "{\"measurand\":\"Current.Import\",\"unit\":\"A\",\"phase\":\"" phase              \
    "\",\"value\":\"" value "\"}"
#define I_ANY(value)                                                                   \
    "{\"measurand\":\"Current.Import\",\"unit\":\"A\",\"value\":\"" value "\"}"
#define P(value, unit)                                                                 \
    "{\"measurand\":\"Power.Active.Import\",\"unit\":\"" unit "\",\"value\":\"" value  \
    "\"}"
#define P_L(value, phase)                                                              \
    "{\"measurand\":\"Power.Active.Import\",\"unit\":\"W\",\"phase\":\"" phase         \
    "\",\"value\":\"" value "\"}"
#define V(value, phase)                                                                \
    "{\"measurand\":\"Voltage\",\"unit\":\"V\",\"phase\":\"" phase                     \
    "\",\"value\":\"" value "\"}"
#define V_ANY(value)                                                                   \
    "{\"measurand\":\"Voltage\",\"unit\":\"V\",\"value\":\"" value "\"}"

static void read(struct ocpp_sample *s, const char *values)
{
    char text[2048];
    cJSON *json;

    snprintf(text, sizeof text,
             "{\"timestamp\":\"2019-03-01T14:20:05Z\",\"sampledValue\":[%s]}", values);
    json = cJSON_Parse(text);
    if (!json)
        fail_msg("the test is no JSON: %s", text);
    ocpp_read_sample(json, s);
    cJSON_Delete(json);
}

static void dialects(void **state)
{
    static const struct {
        const char *what, *values;
        unsigned phases; /* wired */
        int32_t i_ma[3], p_w;
    } cases[] = {
        {"three phases",
         I("16", "L1") "," I("15.9", "L2") "," I("15.85", "L3"),
         7,
         {16000, 15900, 15850},
         10982},
        {"L1-N",
         I("16", "L1-N") "," I("1", "L2-N") "," I("2", "L3-N"),
         7,
         {16000, 1000, 2000},
         4370},
        {"A B C",
         I("1", "A") "," I("2", "B") "," I("3", "C"),
         7,
         {1000, 2000, 3000},
         1380},
        {"N is nobody's", I("16", "L1") "," I("16", "N"), 1, {16000, NO, NO}, 3680},
        {"phase in the measurand",
         "{\"measurand\":\"Current.Import.L2\",\"value\":\"7\"},"
         "{\"measurand\":\"current.import.l1\",\"value\":\"6\"}",
         3,
         {6000, 7000, NO},
         2990},
        {"blanks and a comma",
         I(" 9.6", "L1") "," I("9,6 ", "L2"),
         3,
         {9600, 9600, NO},
         4416},
        {"numbers instead of texts",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"value\":6.25}",
         1,
         {6250, NO, NO},
         1437},
        {"mA",
         "{\"measurand\":\"Current.Import\",\"unit\":\"mA\",\"phase\":\"L1\","
         "\"value\":\"6250\"}",
         1,
         {6250, NO, NO},
         1437},
        {"no unit",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\","
         "\"value\":\"6.25\"}",
         1,
         {6250, NO, NO},
         1437},
        {"a strange unit",
         "{\"measurand\":\"Current.Import\",\"unit\":\"Furlong\","
         "\"phase\":\"L1\",\"value\":\"6.25\"}",
         1,
         {NO, NO, NO},
         NO},
        {"no number",
         I("six", "L1") "," I("", "L2") "," I("nan", "L3"),
         7,
         {NO, NO, NO},
         NO},
        {"hexadecimal is no number", I("0x10", "L1"), 1, {NO, NO, NO}, NO},
        {"negative", I("-0.5", "L1"), 1, {-500, NO, NO}, -115},
        {"not wired", I("3", "L1") "," I("4", "L2"), 1, {3000, NO, NO}, 690},
        {"one value for all", I_ANY("10"), 7, {10000, 10000, 10000}, 6900},
        {"one value for all, power agrees",
         I_ANY("10") "," P("6900", "W"),
         7,
         {10000, 10000, 10000},
         6900},
        {"a sum above what it can draw", I_ANY("30"), 7, {10000, 10000, 10000}, 6900},
        {"a sum by its power",
         I_ANY("15") "," P("3450", "W"),
         7,
         {5000, 5000, 5000},
         3450},
        {"one value, one phase",
         I_ANY("15") "," P("3450", "W"),
         1,
         {15000, NO, NO},
         3450},
        {"only L1 of three",
         I("10", "L1") "," P("6900", "W"),
         7,
         {10000, 10000, 10000},
         6900},
        {"only L1 used", I("10", "L1") "," P("2300", "W"), 7, {10000, 0, 0}, 2300},
        {"only L1 told, nothing else known", I("10", "L1"), 7, {10000, NO, NO}, 2300},
        {"power only, kW", P("6.9", "kW"), 7, {10000, 10000, 10000}, 6900},
        {"power only, one phase", P("3680", "W"), 2, {NO, 16000, NO}, 3680},
        {"power per phase",
         P_L("2300", "L1") "," P_L("230", "L3"),
         7,
         {10000, NO, 1000},
         2530},
        {"power and voltage per phase",
         P_L("2400", "L1") "," V("240", "L1"),
         1,
         {10000, NO, NO},
         2400},
        {"power is nothing", P("0", "W"), 7, {0, 0, 0}, 0},
        {"direct current",
         I_ANY("100") "," V_ANY("400") "," P("40", "kW"),
         7,
         {57971, 57971, 57971},
         40000},
        {"voltage between phases is not taken",
         P_L("2300", "L1") "," V("400", "L1-L2"),
         1,
         {10000, NO, NO},
         2300},
        {"currents before power",
         I("10", "L1") "," P_L("1", "L1"),
         1,
         {10000, NO, NO},
         1},
        {"total before the sum of phases",
         P("100", "W") "," P_L("1", "L1"),
         1,
         {4, NO, NO},
         100},
        {"the end of a transaction is not now",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"value\":\"9\","
         "\"context\":\"Transaction.End\"}",
         1,
         {NO, NO, NO},
         NO},
        {"triggered",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\","
         "\"value\":\"9\",\"context\":\"Trigger\"}",
         1,
         {9000, NO, NO},
         2070},
        {"at the inlet of the charger",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"value\":\"9\","
         "\"location\":\"Inlet\"}",
         1,
         {NO, NO, NO},
         NO},
        {"at the outlet",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\","
         "\"value\":\"9\",\"location\":\"Outlet\"}",
         1,
         {9000, NO, NO},
         2070},
        {"signed data",
         "{\"measurand\":\"Current.Import\",\"phase\":\"L1\","
         "\"value\":\"12\",\"format\":\"SignedData\"}",
         1,
         {NO, NO, NO},
         NO},
        {"offered is not drawn",
         "{\"measurand\":\"Current.Offered\","
         "\"value\":\"16\"}",
         1,
         {NO, NO, NO},
         NO},
        {"huge", I("99999999999", "L1"), 1, {NO, NO, NO}, NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ocpp_wiring w = {cases[i].phases, 16000, 230000};
        struct ocpp_sample s;
        int32_t i_ma[3];

        read(&s, cases[i].values);
        ocpp_currents(&s, &w, i_ma);
        if (memcmp(i_ma, cases[i].i_ma, sizeof i_ma) != 0)
            fail_msg("%s: %d %d %d", cases[i].what, i_ma[0], i_ma[1], i_ma[2]);
        if (ocpp_power(&s, &w) != cases[i].p_w)
            fail_msg("%s: %d W", cases[i].what, ocpp_power(&s, &w));
    }
}

static void energy(void **state)
{
    static const struct {
        const char *values;
        int64_t wh;
    } cases[] = {
        {"{\"value\":\"1234\"}", 1234},
        {"{\"value\":\"1.234\",\"unit\":\"kWh\"}", 1234},
        {"{\"value\":1234.9,\"unit\":\"Wh\"}", 1234},
        {"{\"value\":\"1\",\"phase\":\"L1\"},{\"value\":\"2\",\"phase\":\"L2\"}", 3},
        {"{\"value\":\"1\",\"phase\":\"L1\"},{\"value\":\"7\"}", 7},
        {"{\"value\":\"5000000000\"}", 5000000000},
        {"{\"value\":\"9\",\"measurand\":\"Energy.Active.Export.Register\"}",
         EVENT_NO_ENERGY},
        {"", EVENT_NO_ENERGY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ocpp_sample s;

        read(&s, cases[i].values);
        assert_true(ocpp_energy(&s) == cases[i].wh);
    }
}

static void merged(void **state)
{
    const struct ocpp_wiring w = {7, 16000, 230000};
    struct ocpp_sample a, b;
    int32_t i_ma[3];

    (void)state;
    read(&a, I("1", "L1"));
    read(&b, I("9", "L1") "," I("2", "L2") ",{\"value\":\"77\"}");
    ocpp_merge_sample(&a, &b);
    ocpp_currents(&a, &w, i_ma);
    assert_int_equal(i_ma[0], 1000);
    assert_int_equal(i_ma[1], 2000);
    assert_int_equal(i_ma[2], NO);
    assert_true(ocpp_energy(&a) == 77);
}

static void lists(void **state)
{
    static const struct {
        const char *list, *wanted;
        bool has;
    } cases[] = {
        {"Current.Import", "Current.Import", true},
        {"current.import ,Voltage", "Current.Import", true},
        {" Voltage , Current.Import", "Voltage,Current.Import", true},
        {"Current.Import.L1", "Current.Import", false},
        {"Current", "Current.Import", false},
        {"", "Current.Import", false},
        {",,", "Current.Import", false},
        {"a,b,c", "c,a", true},
        {"a,b", "a,c", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ocpp_list_has(cases[i].list, cases[i].wanted), cases[i].has);
}

static void units(void **state)
{
    static const struct {
        const char *value;
        bool known, amps, watts;
    } cases[] = {
        {"Current", true, true, false},
        {"Current,Power", true, true, true},
        {"Power", true, false, true},
        {"power", true, false, true},
        {"W", true, false, true},
        {"A", true, true, false},
        {"Watts", true, false, true},
        {" Power , Current ", true, true, true},
        {"Horsepower", false, false, false},
        {"", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ocpp_config c;
        char text[160];
        cJSON *json;

        snprintf(text, sizeof text,
                 "{\"configurationKey\":[{\"key\":"
                 "\"ChargingScheduleAllowedChargingRateUnit\",\"value\":\"%s\"}]}",
                 cases[i].value);
        json = cJSON_Parse(text);
        ocpp_config_init(&c);
        assert_int_equal(ocpp16_read_config(json, &c), 1);
        assert_int_equal(c.unit_known, cases[i].known);
        assert_int_equal(c.amps, cases[i].amps);
        assert_int_equal(c.watts, cases[i].watts);
        cJSON_Delete(json);
    }
}

static void limits(void **state)
{
    static const struct {
        int32_t ma;
        bool watts;
        int phases;
        int32_t limit;
    } cases[] = {
        {16000, false, 3, 160}, {15999, false, 3, 159},       {0, false, 3, 0},
        {-5, false, 3, 0},      {16000, true, 3, 11040},      {16000, true, 1, 3680},
        {6001, true, 1, 1380},  {10000000, true, 3, 6900000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            ocpp_period_limit(cases[i].ma, cases[i].watts, 230000, cases[i].phases),
            cases[i].limit);
}

/* The longest there is fits, and is JSON. */
static void longest_profile(void **state)
{
    struct ocpp_profile p = {
        .connector = INT32_MAX,
        .id = INT32_MAX,
        .level = INT32_MAX,
        .purpose = OCPP_TX,
        .transaction = INT32_MIN,
        .start = "2019-03-01T14:20:05Z",
        .duration_s = INT32_MAX,
        .phases = 3,
        .n = 2,
        .period = {{INT32_MAX, INT32_MAX}, {INT32_MAX, INT32_MAX}}};
    char out[OCPP_PROFILE_TEXT];
    cJSON *json;

    (void)state;
    ocpp16_write_profile(out, &p);
    json = cJSON_Parse(out);
    assert_non_null(json);
    assert_true(strlen(out) < sizeof out - 1);
    cJSON_Delete(json);
}

static void requests_are_json(void **state)
{
    char out[OCPP_CALL_TEXT];
    cJSON *json;
    int at = 0;

    (void)state;
    assert_non_null(ocpp16_ask_config(out, NULL, 1, false, &at));
    json = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "key")), 9);
    cJSON_Delete(json);
    assert_null(ocpp16_ask_config(out, NULL, 1, false, &at));
}

static void texts_are_cut_whole(void **state)
{
    static const struct {
        const char *from, *to; /* into 5 bytes */
    } cases[] = {
        {"", ""},
        {"abcd", "abcd"},
        {"abcde", "abcd"},
        {"a\x01"
         "b\x7f",
         "ab"},
        {"ab\xc3\xa9", "ab\xc3\xa9"},
        {"abc\xc3\xa9", "abc"},
        {"ab\xe2\x82\xac", "ab"},
        {"\xf0\x9f\x94\x8c", "\xf0\x9f\x94\x8c"},
        {"a\xf0\x9f\x94\x8c", "a"},
    };
    char out[5];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ocpp_text_copy(out, sizeof out, cases[i].from);
        assert_string_equal(out, cases[i].to);
    }
}

static void texts_are_repaired(void **state)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x94\x8c", "gr\xc3\xbcn \xe2\x82\xac "
                                                      "\xf0\x9f\x94\x8c"},
        {"gr\xfcn", "gr?n"},
        {"\xc3", "?"},
        {"\xe2\x82", "??"},
        {"\xc0\xaf", "??"},           /* too long a form of a slash */
        {"\xed\xa0\x80", "???"},      /* half of a pair */
        {"\xf4\x90\x80\x80", "????"}, /* beyond the last character */
        {"\xf8\x88\x80\x80\x80", "?????"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        strcpy(text, cases[i].from);
        ocpp_text_repair(text, strlen(text));
        assert_string_equal(text, cases[i].to);
    }
}

static void frames(void **state)
{
    static const char result_error[] = "[5,\"a\",\"FormatViolation\",\"x\",{}]";
    static const char send[] = "[6,\"a\",\"B\",{\"c\":1}]";
    struct ocpp_frame f;
    char *text, *big;

    (void)state;
    assert_true(ocpp_frame_parse(&f, " [2 , \"a\",\"B\" ] \n", 18));
    assert_int_equal(f.kind, OCPP_FRAME_CALL);
    assert_true(cJSON_IsObject(f.payload));
    ocpp_frame_free(&f);

    assert_true(ocpp_frame_parse(&f, "[4,\"a\",\"Strange\",\"x\",7]", 24));
    assert_string_equal(f.code, "Strange");
    assert_string_equal(f.text, "x");
    ocpp_frame_free(&f);

    assert_true(ocpp_frame_parse(&f, "[4,\"a\"]", 7));
    assert_string_equal(f.code, "GenericError");
    ocpp_frame_free(&f);

    assert_true(ocpp_frame_parse(&f, result_error, strlen(result_error)));
    assert_int_equal(f.kind, OCPP_FRAME_RESULT_ERROR);
    assert_string_equal(f.code, "FormatViolation");
    ocpp_frame_free(&f);

    assert_true(ocpp_frame_parse(&f, send, strlen(send)));
    assert_int_equal(f.kind, OCPP_FRAME_SEND);
    assert_string_equal(f.action, "B");
    assert_true(cJSON_HasObjectItem(f.payload, "c"));
    ocpp_frame_free(&f);

    assert_false(ocpp_frame_parse(&f, "[2,\"a\",\"B\",{}]junk", 18));
    assert_int_equal(f.about, OCPP_FRAME_CALL);
    assert_string_equal(f.id, "a");

    text = ocpp_frame_error("i\"d", "GenericError", "a\nb");
    assert_string_equal(text, "[4,\"i\\\"d\",\"GenericError\",\"a\\u000ab\",{}]");
    free(text);

    big = malloc(OCPP_FRAME_MAX + 1);
    memset(big, ' ', OCPP_FRAME_MAX + 1);
    memcpy(big, "[2,\"a\",\"B\",{}]", 14);
    assert_true(ocpp_frame_parse(&f, big, OCPP_FRAME_MAX));
    ocpp_frame_free(&f);
    assert_false(ocpp_frame_parse(&f, big, OCPP_FRAME_MAX + 1));
    free(big);
}

static void depth(void **state)
{
    char text[256];
    struct ocpp_frame f;

    (void)state;
    for (int inner = 1; inner <= 64; inner++) {
        int n = snprintf(text, sizeof text, "[2,\"a\",\"B\",{\"x\":");
        bool good;

        for (int i = 0; i < inner; i++)
            text[n++] = '[';
        for (int i = 0; i < inner; i++)
            text[n++] = ']';
        n += snprintf(text + n, sizeof text - (size_t)n, ",\"y\":\"[[[[\\\"[[\"}]");
        good = ocpp_frame_parse(&f, text, (size_t)n);
        assert_int_equal(good, inner + 2 <= OCPP_FRAME_DEPTH);
        assert_string_equal(f.id, "a");
        ocpp_frame_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialects),
        cmocka_unit_test(energy),
        cmocka_unit_test(merged),
        cmocka_unit_test(lists),
        cmocka_unit_test(units),
        cmocka_unit_test(limits),
        cmocka_unit_test(longest_profile),
        cmocka_unit_test(requests_are_json),
        cmocka_unit_test(texts_are_cut_whole),
        cmocka_unit_test(texts_are_repaired),
        cmocka_unit_test(frames),
        cmocka_unit_test(depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
