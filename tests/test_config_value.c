/* SPDX-License-Identifier: Apache-2.0 */
/* Single values: what is taken, what is refused and how that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "config/suggest.h"
#include "config/value.h"
#include "core/site.h"

struct number_case {
    const char *text;
    int64_t value;
    const char *why; /* NULL = taken */
};

#define AMPS "expected amperes as a plain number like 16 or 16.5, not "

static void amperes(void **state)
{
    static const struct number_case cases[] = {
        {"16", 16000, NULL},
        {"16.5", 16500, NULL},
        {"0", 0, NULL},
        {"0.1", 100, NULL},
        {"0.001", 1, NULL},
        {"-2", -2000, NULL},
        {"-0.5", -500, NULL},
        {"999999999999", INT64_C(999999999999000), NULL},
        {"16A", 0, AMPS "'16A': leave out the unit"},
        {"16 A", 0, AMPS "'16 A'"},
        {"16.5A", 0, AMPS "'16.5A': leave out the unit"},
        {"16,5", 0, AMPS "'16,5': write a point, not a comma"},
        {"010", 0, AMPS "'010': leave out the leading zero"},
        {"00", 0, AMPS "'00': leave out the leading zero"},
        {"0x10", 0, AMPS "'0x10'"},
        {"1e3", 0, AMPS "'1e3'"},
        {"nan", 0, AMPS "'nan'"},
        {".inf", 0, AMPS "'.inf'"},
        {"", 0, AMPS "''"},
        {" ", 0, AMPS "' '"},
        {" 16", 0, AMPS "' 16'"},
        {"16 ", 0, AMPS "'16 '"},
        {"+16", 0, AMPS "'+16'"},
        {"--16", 0, AMPS "'--16'"},
        {"-", 0, AMPS "'-'"},
        {".5", 0, AMPS "'.5'"},
        {"5.", 0, AMPS "'5.'"},
        {"1.2.3", 0, AMPS "'1.2.3'"},
        {"1_000", 0, AMPS "'1_000'"},
        {"16.0005", 0, AMPS "'16.0005': at most 3 decimals"},
        {"9999999999999", 0, AMPS "'9999999999999'"},
        {"99999999999999999999999999", 0, AMPS "'99999999999999999999999999'"},
        {"1\x01", 0, AMPS "'1?'"},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
         "\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x"
         "\xc3\xa4\xc3\xa4",
         0,
         AMPS
         "'\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
         "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
         "\xc3\xa4x...'"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct number_case *c = &cases[i];
        char why[CONF_WHY] = "";
        int64_t n = 0;
        bool good = conf_value_decimal(c->text, 3, "amperes", &n, why);

        assert_string_equal(why, c->why ? c->why : "");
        assert_int_equal(good, c->why == NULL);
        if (good)
            assert_int_equal(n, c->value);
    }
}

static void whole_numbers(void **state)
{
    char why[CONF_WHY];
    int64_t n;
    (void)state;

    assert_true(conf_value_decimal("40000", 0, "watts", &n, why));
    assert_int_equal(n, 40000);
    assert_false(conf_value_decimal("40.5", 0, "watts", &n, why));
    assert_string_equal(why, "expected watts as a plain number like 16, not '40.5': a "
                             "whole number");
    assert_false(conf_value_decimal("40kW", 0, "watts", &n, why));
    assert_string_equal(why, "expected watts as a plain number like 16, not '40kW': "
                             "leave out the unit");
}

#define TIME "expected a time like 500ms, 10s, 15min or 2h, not "

static void times(void **state)
{
    static const struct number_case cases[] = {
        {"500ms", 500, NULL},
        {"1s", 1000, NULL},
        {"0s", 0, NULL},
        {"15min", 900000, NULL},
        {"2h", 7200000, NULL},
        {"1d", 86400000, NULL},
        {"10", 0, TIME "'10': add its unit"},
        {"0", 0, TIME "'0': add its unit"},
        {"1 s", 0, TIME "'1 s': no space before the unit"},
        {"1.5h", 0, TIME "'1.5h': a whole number"},
        {"15m", 0, TIME "'15m': unknown unit"},
        {"1S", 0, TIME "'1S': unknown unit"},
        {"1sec", 0, TIME "'1sec': unknown unit"},
        {"-1s", 0, TIME "'-1s'"},
        {"01s", 0, TIME "'01s'"},
        {"s", 0, TIME "'s'"},
        {"", 0, TIME "''"},
        {"15:00", 0, TIME "'15:00': unknown unit"},
        {"999999999999999d", 0, TIME "'999999999999999d': that is too much"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[CONF_WHY] = "";
        int64_t n = 0;
        bool good = conf_value_time(cases[i].text, &n, why);

        assert_string_equal(why, cases[i].why ? cases[i].why : "");
        assert_int_equal(good, cases[i].why == NULL);
        if (good)
            assert_int_equal(n, cases[i].value);
    }
}

static void sizes_and_truths(void **state)
{
    char why[CONF_WHY];
    int64_t n;
    bool truth;
    (void)state;

    assert_true(conf_value_size("100MB", &n, why));
    assert_int_equal(n, 100000000);
    assert_false(conf_value_size("100", &n, why));
    assert_string_equal(why, "expected a size like 500kB, 100MB or 2GB, not '100': add "
                             "its unit");
    assert_true(conf_value_bool("true", &truth, why));
    assert_true(truth);
    assert_true(conf_value_bool("false", &truth, why));
    assert_false(truth);
    static const char *const no[] = {"yes",  "no", "on",    "off",
                                     "True", "1",  "maybe", ""};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        char expected[80];
        snprintf(expected, sizeof expected, "expected true or false, not '%s'", no[i]);
        assert_false(conf_value_bool(no[i], &truth, why));
        assert_string_equal(why, expected);
    }
}

static void choices(void **state)
{
    static const char *const words[] = {"auto", "off", "fast", NULL};
    char why[CONF_WHY];
    int64_t n;
    (void)state;

    assert_true(conf_value_choice("fast", words, &n, why));
    assert_int_equal(n, 2);
    assert_false(conf_value_choice("fats", words, &n, why));
    assert_string_equal(
        why, "expected one of auto, off, fast; not 'fats'; did you mean 'fast'?");
    assert_false(conf_value_choice("quick", words, &n, why));
    assert_string_equal(why, "expected one of auto, off, fast; not 'quick'");
}

static void suggestions(void **state)
{
    static const struct {
        const char *word, *known, *said;
    } cases[] = {
        {"limt", "limit", "; did you mean 'limit'?"},
        {"Limit", "limit", "; did you mean 'limit'?"},
        {"lmiit", "limit", "; did you mean 'limit'?"},
        {"power-limit", "power_limit", "; did you mean 'power_limit'?"},
        {"unti", "unit", "; did you mean 'unit'?"},
        {"xyz", "unit", ""},
        {"", "id", ""},
        {"voltage", "margin", ""},
        {"a-word-that-is-much-longer-than-any-key-can-ever-be-in-here", "id", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf_suggest s = {.word = cases[i].word};
        conf_suggest_offer(&s, cases[i].known);
        assert_string_equal(conf_suggest_text(&s), cases[i].said);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *host;
        int port; /* -1 = refused */
    } cases[] = {
        {"192.0.2.20:502", "192.0.2.20", 502},
        {"[::1]:502", "::1", 502},
        {"[2001:db8::7]:65535", "2001:db8::7", 65535},
        {"meter.local:1502", "meter.local", 1502},
        {"127.0.0.1:0", "127.0.0.1", 0},
        {"192.0.2.20", NULL, -1},
        {"::1:502", NULL, -1},
        {"[::1]", NULL, -1},
        {"[]:502", NULL, -1},
        {"[192.0.2.1]:502", NULL, -1},
        {":502", NULL, -1},
        {"host:", NULL, -1},
        {"host:65536", NULL, -1},
        {"host:0502", NULL, -1},
        {"host:-1", NULL, -1},
        {"host:5o2", NULL, -1},
        {"ho st:502", NULL, -1},
        {"-host:502", NULL, -1},
        {"tcp://host:502", NULL, -1},
        {"[:502", NULL, -1},
        {"", NULL, -1},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf_address a;
        char why[CONF_WHY], expected[200];
        bool good = conf_value_address(cases[i].text, &a, why);

        snprintf(expected, sizeof expected,
                 "expected HOST:PORT like 192.0.2.20:502 or [::1]:502, not '%s'",
                 cases[i].text);
        if (good != (cases[i].port >= 0))
            fail_msg("%s", cases[i].text);
        if (!good) {
            assert_string_equal(why, expected);
            continue;
        }
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
    }
}

static void serial_lines(void **state)
{
    static const char *const wrong[] = {
        "/dev/ttyUSB0",
        "/dev/ttyUSB0 9600",
        "ttyUSB0 9600 8N1",
        "/dev/ttyUSB0 9601 8N1",
        "/dev/ttyUSB0 9600 8X1",
        "/dev/ttyUSB0 9600 8n1",
        "/dev/ttyUSB0 9600 9N1",
        "/dev/ttyUSB0 9600 8N3",
        "/dev/ttyUSB0 9600 8N",
        "/dev/ttyUSB0 9600 8N1 x",
        "/dev/ttyUSB0 9600 8",
        "/dev/ttyUSB0 x 8N1",
        "",
    };
    struct conf_serial s;
    char why[CONF_WHY];
    (void)state;

    assert_true(conf_value_serial("/dev/serial/by-id/usb-x 19200 7E2", &s, why));
    assert_string_equal(s.device, "/dev/serial/by-id/usb-x");
    assert_int_equal(s.baud, 19200);
    assert_int_equal(s.parity, 'E');
    assert_int_equal(s.data_bits, 7);
    assert_int_equal(s.stop_bits, 2);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (conf_value_serial(wrong[i], &s, why))
            fail_msg("%s", wrong[i]);
}

static void wirings(void **state)
{
    enum { NO = SITE_NO_PHASE };
    static const struct {
        const char *text;
        bool good, unknown;
        uint8_t phase[3];
    } cases[] = {
        {"L1 L2 L3", true, false, {0, 1, 2}},
        {"L2 L3 L1", true, false, {1, 2, 0}},
        {"L1", true, false, {0, NO, NO}},
        {"L3", true, false, {2, NO, NO}},
        {"L2 L1", true, false, {1, 0, NO}},
        {"L1  L2", true, false, {0, 1, NO}},
        {"unknown", true, true, {0, 1, 2}},
        {"L1 L1", false, false, {0}},
        {"L1 L2 L3 L1", false, false, {0}},
        {"L4", false, false, {0}},
        {"L0", false, false, {0}},
        {"l1", false, false, {0}},
        {"L1,L2", false, false, {0}},
        {"L1L2", false, false, {0}},
        {"231", false, false, {0}},
        {"L", false, false, {0}},
        {"", false, false, {0}},
        {"Unknown", false, false, {0}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf_wiring w;
        char why[CONF_WHY] = "";
        bool good = conf_value_wiring(cases[i].text, &w, why);

        if (good != cases[i].good)
            fail_msg("%s: %s", cases[i].text, why);
        if (!good)
            continue;
        assert_int_equal(w.unknown, cases[i].unknown);
        assert_memory_equal(w.phase, cases[i].phase, 3);
    }
}

static void texts(void **state)
{
    static const struct {
        bool (*is)(const char *text, char why[CONF_WHY]);
        const char *good[5], *bad[8];
    } cases[] = {
        {conf_value_name,
         {"grid", "feeder-a", "L1.2_x"},
         {"", "a b", "a/b", "\xc3\xa4",
          "0123456789012345678901234567890123456789012345678"}},
        {conf_value_id, {"main", "lindenhof_12"}, {"", "a.b", "a b", "a/b"}},
        {conf_value_identity,
         {"CP-01", "RDAM 123", "EVB+P|1=x@y:z*."},
         {"", " a", "a ", "a/b", "a?b", "a#b", "\xc3\xa4"}},
        {conf_value_topic,
         {"chargehand", "home/ev"},
         {"", "/a", "a/", "a//b", "a/+/b", "a/#", "a b"}},
        {conf_value_zone,
         {"Europe/Berlin", "UTC", "Etc/GMT+1"},
         {"", "/etc", "a b", "a//b"}},
        {conf_value_host,
         {"127.0.0.1", "::1", "broker.local"},
         {"", "a b", "mqtt://x", "-x", ".x"}},
        {conf_value_text,
         {"Bay 1", "K\xc3\xb6nigsallee"},
         {"", " a", "a ", "a\tb", "a\nb"}},
        {conf_value_tag,
         {"04A2B3C4", "123456789012345678901234567890123456"},
         {"", "1234567890123456789012345678901234567"}},
    };
    char why[CONF_WHY];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int g = 0; g < 5 && cases[i].good[g]; g++)
            if (!cases[i].is(cases[i].good[g], why))
                fail_msg("%zu: %s", i, why);
        for (int b = 0; b < 8 && cases[i].bad[b]; b++)
            if (cases[i].is(cases[i].bad[b], why))
                fail_msg("%zu: '%s' was taken", i, cases[i].bad[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amperes),   cmocka_unit_test(whole_numbers),
        cmocka_unit_test(times),     cmocka_unit_test(sizes_and_truths),
        cmocka_unit_test(choices),   cmocka_unit_test(suggestions),
        cmocka_unit_test(addresses), cmocka_unit_test(serial_lines),
        cmocka_unit_test(wirings),   cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
