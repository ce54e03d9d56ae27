/* SPDX-License-Identifier: Apache-2.0 */
/* Meters that are heard over MQTT: pointers and numbers in payloads of others, when a
 * reading is complete, what never becomes one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/mqtt_meter.h"
#include "proto/json_pointer.h"

#define NO EVENT_NO_VALUE

static void test_pointer(void **state)
{
    /* RFC 6901, section 5, with numbers that tell them apart */
    static const char document[] =
        "{\"foo\": [10, 11], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, "
        "\"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8, \"deep\": {\"0\": "
        "[{\"x\": 12}]},"
        " \"twice\": 13, \"twice\": 14, \"~1\": 15}";
    static const struct {
        const char *pointer;
        int want; /* -1 = nothing there */
    } table[] = {
        {"/foo/0", 10},
        {"/foo/1", 11},
        {"/", 0},
        {"/a~1b", 1},
        {"/c%d", 2},
        {"/e^f", 3},
        {"/g|h", 4},
        {"/i\\j", 5},
        {"/k\"l", 6},
        {"/ ", 7},
        {"/m~0n", 8},
        {"/deep/0/0/x", 12},
        {"/foo/2", -1},
        {"/foo/-", -1},
        {"/foo/00", -1},
        {"/foo/01", -1},
        {"/foo/x", -1},
        {"/foo/", -1},
        {"/nothing", -1},
        {"/a/b", -1},
        {"/foo/0/x", -1},
        {"/Foo/0", -1},
        {"/deep", -1},
        {"/twice", 13},
        {"/~01", 15},
        {"/foo/99999999999", -1},
        {"/deep/0/0/x/", -1},
        {"", -1},
    };
    cJSON *root = cJSON_Parse(document);

    (void)state;
    assert_non_null(root);
    assert_ptr_equal(json_pointer(root, ""), root);
    assert_null(json_pointer(NULL, "/x"));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double got = -1;

        if (json_number(json_pointer(root, table[i].pointer), &got) != JSON_NUMBER)
            got = -1;
        if ((int)got != table[i].want)
            fail_msg("%s: %g", table[i].pointer, got);
    }
    cJSON_Delete(root);
}

static void test_number(void **state)
{
    static const struct {
        const char *text;
        enum json_number how;
        double want;
    } table[] = {
        {"230.1", JSON_NUMBER, 230.1},
        {" -5\r\n", JSON_NUMBER, -5},
        {"1e3", JSON_NUMBER, 1000},
        {"", JSON_NO_VALUE, 0},
        {"NaN", JSON_NO_VALUE, 0},
        {"unavailable", JSON_NO_VALUE, 0},
        {"Unknown", JSON_NO_VALUE, 0},
        {"null", JSON_NO_VALUE, 0},
        {"230 V", JSON_FAULT, 0},
        {"0x10", JSON_FAULT, 0},
        {"inf", JSON_FAULT, 0},
        {"infinity", JSON_FAULT, 0},
        {"1e999", JSON_FAULT, 0},
        {"1.2.3", JSON_FAULT, 0},
        {"--1", JSON_FAULT, 0},
        {"on", JSON_FAULT, 0},
        {"{\"a\": 1}", JSON_FAULT, 0},
        {"1234567890123456789012345678901234567890123456789012345678901234567",
         JSON_FAULT, 0},
    };
    static const char *const faults[] = {"true", "[1]", "{}", "\"x\"", "1e999"};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double got = 0;

        if (json_number_text(table[i].text, strlen(table[i].text), &got) !=
                table[i].how ||
            got != table[i].want) {
            if (table[i].how == JSON_NUMBER || got == 0)
                fail_msg("'%s': %g", table[i].text, got);
        }
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        cJSON *item = cJSON_Parse(faults[i]);
        double got;

        assert_int_equal(json_number(item, &got), JSON_FAULT);
        cJSON_Delete(item);
    }
    double got;
    assert_int_equal(json_number_text("1\0"
                                      "2",
                                      3, &got),
                     JSON_FAULT);
}

/* ---- readings ---- */

enum { VALUES = 8 };

struct desk {
    struct conf_meter_value values[VALUES];
    struct conf_meter meter;
    struct config c;
    struct inbox *inbox;
    struct mqtt_meters *mm;
    struct event last;
    int64_t import_wh;
    int readings, begins, ends;
    char text[160];
};

static void wake(void *arg)
{
    (void)arg;
}

static void value(struct desk *d, int quantity, const char *topic, const char *pointer,
                  double scale)
{
    d->values[d->meter.n_values++] = (struct conf_meter_value){
        .quantity = quantity, .topic = topic, .pointer = pointer, .scale = scale};
}

static void start(struct desk *d)
{
    d->meter.name = "main";
    d->meter.source = SOURCE_MQTT;
    d->meter.topic = "m";
    d->meter.values = d->values;
    if (!d->meter.max_age_ms)
        d->meter.max_age_ms = 3600000;
    d->c.meters = &d->meter;
    d->c.site.n_meters = 1;
    d->inbox = inbox_new(100, wake, NULL);
    d->mm = mqtt_meters_new(&d->c, d->inbox);
    assert_non_null(d->mm);
}

static void end(struct desk *d)
{
    mqtt_meters_free(d->mm);
    inbox_free(d->inbox);
}

/* Time moves on between two messages: what comes within 100 ms of a reading is no new
 * one. */
static void wait_ms(int64_t ms)
{
    int64_t until_ms = clock_ms() + ms;
    struct pollfd none = {.fd = -1};

    while (clock_ms() < until_ms)
        poll(&none, 1, (int)(until_ms - clock_ms()));
}

static void take(struct desk *d)
{
    struct inbox_item item;

    while (inbox_take(d->inbox, &item)) {
        if (item.kind == INBOX_EVENT) {
            d->last = item.event;
            d->readings++;
        } else if (item.kind == INBOX_METER) {
            d->import_wh = item.reading.import_wh;
        } else if (item.kind == INBOX_TROUBLE && item.trouble.begins) {
            snprintf(d->text, sizeof d->text, "%s", item.trouble.text);
            d->begins++;
        } else if (item.kind == INBOX_TROUBLE) {
            d->ends++;
        }
    }
}

static bool say(struct desk *d, const char *topic, const char *payload)
{
    bool ours = mqtt_meters_take(d->mm, topic, payload, strlen(payload), false);

    take(d);
    return ours;
}

static void test_json(void **state)
{
    struct desk d = {0};
    const char *const *topics;

    (void)state;
    value(&d, CONF_I, "m", "/i/0", 1000);
    value(&d, CONF_I + 1, "m", "/i/1", 1000);
    value(&d, CONF_I + 2, "m", "/i/2", 1000);
    value(&d, CONF_P_PHASE, "m", "/p1", 1);
    value(&d, CONF_P, "m", "/p", 1000);
    value(&d, CONF_V, "m", "/v", 1000);
    value(&d, CONF_IMPORT, "m", "/e", 1000);
    start(&d);
    assert_int_equal(mqtt_meters_topics(d.mm, &topics), 1);
    assert_string_equal(topics[0], "m");
    wait_ms(2);
    assert_false(say(&d, "other", "1"));
    assert_true(say(&d, "m",
                    "{\"i\": [10, -2.5, \"0.25\"], \"p1\": -2300, \"p\": -2.3, "
                    "\"v\": 230.1, \"e\": 12.5}"));
    assert_int_equal(d.readings, 1);
    assert_int_equal(d.last.kind, EVENT_METER);
    assert_int_equal(d.last.meter.i_ma[0], -10000); /* the direction of its power */
    assert_int_equal(d.last.meter.i_ma[1], -2500);  /* its own, where there is none */
    assert_int_equal(d.last.meter.i_ma[2], 250);
    assert_int_equal(d.last.meter.v_mv[0], 230100);
    assert_int_equal(d.last.meter.p_w, -2300);
    assert_int_equal(d.import_wh, 12500);
    /* a current that is not known is none, never 0; a count never steps back */
    wait_ms(101);
    say(&d, "m", "{\"i\": [10, null, \"nan\"], \"p1\": 2300, \"p\": 2.3, \"e\": 0}");
    assert_int_equal(d.readings, 2);
    assert_int_equal(d.last.meter.i_ma[0], 10000);
    assert_int_equal(d.last.meter.i_ma[1], NO);
    assert_int_equal(d.last.meter.i_ma[2], NO);
    assert_int_equal(d.import_wh, 12500);
    end(&d);
}

/* What never becomes a reading. */
static void test_refused(void **state)
{
    static const char *const payloads[] = {"",
                                           "{",
                                           "[]",
                                           "{\"i\": true}",
                                           "{\"i\": {}}",
                                           "{\"j\": 10}",
                                           "{\"i\": \"x\"}",
                                           "\xff\xfe",
                                           "10",
                                           "{\"i\": 1e999}"};
    struct desk d = {0};
    char *large = malloc(70001);

    (void)state;
    value(&d, CONF_I, "m", "/i", 1000);
    start(&d);
    wait_ms(2);
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        assert_true(say(&d, "m", payloads[i]));
    assert_non_null(large);
    memset(large, ' ', 70000);
    memcpy(large, "{\"i\": 10}", 9);
    large[70000] = '\0';
    assert_true(say(&d, "m", large)); /* too long to be a meter's */
    free(large);
    /* retained: nobody knows how old it is */
    assert_true(mqtt_meters_take(d.mm, "m", "{\"i\": 10}", 9, true));
    take(&d);
    assert_int_equal(d.readings, 0);
    assert_int_equal(d.begins, 0); /* not yet */
    say(&d, "m", "{\"i\": 10}");
    assert_int_equal(d.readings, 1);
    wait_ms(101);
    say(&d, "m", "{\"i\": 20000}");
    assert_int_equal(d.readings, 1);
    assert_string_equal(d.text, "implausible: L1 reads 20000 A: wrong model or word "
                                "order?");
    say(&d, "m", "{\"i\": 11}");
    assert_int_equal(d.readings, 2);
    assert_int_equal(d.ends, 1);
    end(&d);
}

/* Good and wrong in turn: a log must not be filled with it. */
static void test_comes_and_goes(void **state)
{
    struct desk d = {0};

    (void)state;
    value(&d, CONF_I, "m", "/i", 1000);
    start(&d);
    for (int i = 0; i < 12; i++) {
        wait_ms(101);
        say(&d, "m", "{\"i\": 20000}");
        say(&d, "m", "{\"i\": 10}");
    }
    assert_int_equal(d.readings, 12);
    assert_int_equal(d.begins, 5);
    assert_int_equal(d.ends, 5);
    end(&d);
}

static void test_topics(void **state)
{
    struct desk d = {0};
    const char *const *topics;
    int64_t changed_ms;

    (void)state;
    value(&d, CONF_V, "v", "", 1000);
    value(&d, CONF_P_PHASE, "p", "", 1000);
    value(&d, CONF_I + 1, "i", "", 1000);
    value(&d, CONF_V + 1, "v2", "", 1000); /* need not come: its current does */
    value(&d, CONF_HZ, "v", "", 1000);     /* nonsense, and none */
    start(&d);
    assert_int_equal(mqtt_meters_topics(d.mm, &topics), 4);
    wait_ms(2);
    say(&d, "p", "2.3");
    say(&d, "i", "5");
    say(&d, "p", "1.15");
    assert_int_equal(d.readings, 0);
    say(&d, "v", "230");
    assert_int_equal(d.readings, 1);
    assert_int_equal(d.last.meter.i_ma[0], 5000); /* from power and voltage */
    assert_int_equal(d.last.meter.i_ma[1], 5000);
    assert_int_equal(d.last.meter.i_ma[2], NO);
    assert_int_equal(d.last.meter.v_mv[1], NO);
    changed_ms = d.last.meter.changed_ms;
    /* the next one needs all of them anew; the same values have not changed */
    wait_ms(101);
    say(&d, "v", "230");
    say(&d, "v", "230");
    say(&d, "p", "1.15");
    assert_int_equal(d.readings, 1);
    say(&d, "i", "5");
    assert_int_equal(d.readings, 2);
    assert_int_equal(d.last.meter.changed_ms, changed_ms);
    wait_ms(101);
    say(&d, "v", "230");
    say(&d, "p", "1.15");
    say(&d, "i", "5.5");
    assert_int_equal(d.readings, 3);
    assert_true(d.last.meter.changed_ms > changed_ms);
    end(&d);
}

/* A value that is old when the last one comes would make the reading a lie. */
static void test_age(void **state)
{
    struct desk d = {.meter.max_age_ms = 300};

    (void)state;
    value(&d, CONF_I, "a", "", 1000);
    value(&d, CONF_I + 1, "b", "", 1000);
    start(&d);
    wait_ms(2);
    say(&d, "a", "5");
    wait_ms(151);
    say(&d, "b", "5");
    assert_int_equal(d.readings, 0);
    wait_ms(150);
    mqtt_meters_tick(d.mm);
    take(&d);
    assert_int_equal(d.begins, 1);
    assert_non_null(strstr(d.text, "no complete reading on m for "));
    assert_null(strchr(d.text, ':'));
    say(&d, "a", "five");
    mqtt_meters_tick(d.mm);
    take(&d);
    assert_int_equal(d.begins, 1); /* told once */
    /* until both have come close enough together, however slow this machine is */
    for (int i = 0; d.readings == 0 && i < 1000; i++) {
        say(&d, "a", "5");
        say(&d, "b", "6");
    }
    assert_int_equal(d.readings, 1);
    assert_int_equal(d.ends, 1);
    end(&d);
}

static void test_why(void **state)
{
    struct desk d = {.meter.max_age_ms = 50};

    (void)state;
    value(&d, CONF_I, "m", "/a/b", 1000);
    start(&d);
    say(&d, "m", "{\"a\": {\"c\": 1}}");
    wait_ms(51);
    mqtt_meters_tick(d.mm);
    take(&d);
    assert_non_null(strstr(d.text, "no complete reading on m for "));
    assert_non_null(strstr(d.text, " s: m has no number at /a/b"));
    end(&d);
}

/* What produces need not tell a current, and may be mounted the other way round. */
static void test_solar(void **state)
{
    struct desk d = {.meter = {.role = METER_SOLAR, .invert = true}};

    (void)state;
    value(&d, CONF_P, "m", "", 1);
    start(&d);
    wait_ms(2);
    say(&d, "m", "5000");
    assert_int_equal(d.readings, 1);
    assert_int_equal(d.last.meter.p_w, -5000);
    assert_int_equal(d.last.meter.i_ma[0], NO);
    end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_comes_and_goes),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_solar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
