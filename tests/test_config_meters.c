/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of meters in a site file: what is taken, and what is said about mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_util.h"
#include "io/meter_files.h"
#include "meter/plan.h"

#define SITE                                                                           \
    "circuits:\n- {name: grid, limit: 63, meter: main}\nchargers:\n- {id: a}\n"        \
    "mqtt: {host: 127.0.0.1}\nmeters:\n- name: main\n"
#define PLAIN "circuits:\n- {name: grid, limit: 63}\nchargers:\n- {id: a}\nmeters:\n"

/* clang-format off */
static const struct {
    const char *what, *text, *said;
} cases[] = {
    {"P1 on a serial line", SITE "  p1: /dev/ttyUSB0 115200 8N1\n", ""},
    {"P1 over TCP", SITE "  p1tcp: 192.0.2.30:8088\n  max_age: 30s\n  interval: 10s\n", ""},
    {"MQTT", SITE "  mqtt: home/meter\n  values:\n  - {value: i1, at: /i/0}\n"
     "  - {value: i2, at: /i/1}\n  - {value: i3, at: /i/2}\n", ""},
    {"power and voltage", SITE "  mqtt: home/meter\n  values:\n"
     "  - {value: v1, topic: home/v1}\n  - {value: p1, topic: home/p1, unit: kW}\n",
     "site.yaml:10:3: warning: values: not the current of all phases: those that are missing "
     "count as full\n"},
    {"all that Modbus takes", SITE "  model: x\n  rtu: /dev/ttyS0 9600 8N1\n  unit: 3\n"
     "  word_order: ws\n  ct: 250/5\n  gap: 20ms\n  timeout: 2s\n  max_regs: 10\n"
     "  invert: true\n", ""},
    {"nothing", SITE "  model: x\n",
     "site.yaml:7:3: meter 'main': one of 'tcp', 'rtu', 'rtutcp', 'p1', 'p1tcp', 'mqtt' or "
     "'chargers' is missing\n"},
    {"no model", SITE "  tcp: 192.0.2.1:502\n",
     "site.yaml:7:3: meter 'main': 'model' is missing\n"},
    {"two kinds", SITE "  p1: /dev/ttyUSB0 115200 8N1\n  tcp: 192.0.2.1:502\n",
     "site.yaml:7:3: meter 'main': 'model' is missing\n"
     "site.yaml:8:7: meter 'main' has both tcp and p1\n"},
    {"both P1", SITE "  p1: /dev/ttyUSB0 115200 8N1\n  p1tcp: 192.0.2.1:23\n",
     "site.yaml:9:10: meter 'main' has both p1 and p1tcp\n"},
    {"keys of another kind", SITE "  p1tcp: 192.0.2.1:23\n  model: x\n  unit: 1\n"
     "  word_order: be\n  values: []\n",
     "site.yaml:9:10: model: is for a Modbus meter\n"
     "site.yaml:10:9: unit: is for a Modbus meter\n"
     "site.yaml:11:15: word_order: is for a Modbus meter\n"
     "site.yaml:12:11: values: is for a meter with mqtt\n"},
    {"no values", SITE "  mqtt: home/meter\n",
     "site.yaml:7:3: meter 'main': 'values' is missing\n"},
    {"only the total", SITE "  mqtt: home/meter\n  values:\n  - {value: p, at: /p}\n",
     "site.yaml:10:3: values: a circuit needs the current of a phase: i1, or p1 and v1\n"},
    {"a power without voltage", SITE "  mqtt: m\n  values:\n  - {value: p1, at: /p}\n",
     "site.yaml:10:3: values: a circuit needs the current of a phase: i1, or p1 and v1\n"},
    {"twice", SITE "  mqtt: m\n  values:\n  - {value: i1, at: /a}\n"
     "  - {value: i1, at: /b}\n  - {value: i2, at: /c}\n  - {value: i3, at: /d}\n",
     "site.yaml:11:5: value: i1 comes twice\n"},
    {"a unit that does not fit", SITE "  mqtt: m\n  values:\n"
     "  - {value: i1, at: /a, unit: kW}\n  - {value: i2, at: /b}\n"
     "  - {value: i3, at: /c}\n", "site.yaml:10:31: unit: i1 is not in kW\n"},
    {"an unknown value", SITE "  mqtt: m\n  values:\n  - {value: i4, at: /a}\n",
     "site.yaml:10:13: value: expected one of v1, v2, v3, i1, i2, i3, p1, p2, p3, p, hz, "
     "import, export; not 'i4'; did you mean 'i1'?\n"},
    {"wildcards", SITE "  mqtt: home/+/x\n  values:\n  - {value: i1, at: /a}\n"
     "  - {value: i2, at: /b}\n  - {value: i3, at: /c}\n",
     "site.yaml:8:9: mqtt: expected one topic, without + and #, not 'home/+/x'\n"},
    {"no pointer", SITE "  mqtt: m\n  values:\n  - {value: i1, at: a.b}\n"
     "  - {value: i2, at: /b}\n  - {value: i3, at: /c}\n",
     "site.yaml:10:21: at: expected a JSON pointer like /em/0/power (in keys ~1 is a slash "
     "and ~0 a ~), not 'a.b'\n"},
    {"half a tilde", SITE "  mqtt: m\n  values:\n  - {value: i1, at: /a~2}\n"
     "  - {value: i2, at: /b}\n  - {value: i3, at: /c}\n",
     "site.yaml:10:21: at: expected a JSON pointer like /em/0/power (in keys ~1 is a slash "
     "and ~0 a ~), not '/a~2'\n"},
    {"factor 0", SITE "  mqtt: m\n  values:\n  - {value: i1, factor: 0}\n"
     "  - {value: i2, at: /b}\n  - {value: i3, at: /c}\n",
     "site.yaml:10:25: factor: 0 leaves nothing\n"},
    {"no broker", PLAIN "- {name: main, mqtt: m, values: [{value: i1}], role: solar}\n",
     "site.yaml:6:22: mqtt: there is no mqtt section with a broker to hear it from\n"},
    {"ratios", PLAIN "- {name: a, role: solar, model: x, tcp: 192.0.2.1:502, ct: 5/0}\n"
     "- {name: b, role: solar, model: x, tcp: 192.0.2.2:502, ct: 0}\n"
     "- {name: c, role: solar, model: x, tcp: 192.0.2.3:502, ct: 9000/1}\n"
     "- {name: d, role: solar, model: x, tcp: 192.0.2.4:502, ct: x/5}\n",
     "site.yaml:6:60: ct: expected a ratio like 250/5 or 50, not '5/0'\n"
     "site.yaml:7:60: ct: 0 is out of range: 0.001 to 2000\n"
     "site.yaml:8:60: ct: 9000 is out of range: 0.001 to 2000\n"
     "site.yaml:9:60: ct: expected a ratio like 250/5 or 50, not 'x/5'\n"},
    {"a sum of chargers", PLAIN "- {name: cars, chargers: grid}\n", ""},
    {"of which circuit?", PLAIN "- {name: cars, chargers: gird}\n",
     "site.yaml:6:26: chargers: there is no circuit 'gird'; did you mean 'grid'?\n"},
    {"is no meter of a circuit", SITE "  chargers: grid\n",
     "site.yaml:2:34: meter: 'main' sums up chargers: what is not a charger it does not see, "
     "and a circuit without anything else needs no meter, since what its chargers may draw "
     "is counted\n"},
    {"two on one line", SITE "  p1: /dev/ttyUSB0 115200 8N1\n- name: b\n  model: x\n"
     "  rtu: /dev/ttyUSB0 9600 8N1\n  role: solar\n",
     "site.yaml:9:3: meter 'b' has the line of meter 'main' at line 7\n"},
};
/* clang-format on */

static void test_cases(void **state)
{
    int failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *said;
        struct config *c = util_load(cases[i].text, NULL, &said);
        bool refused = strstr(said, ": warning: ") == NULL ? *said != '\0' : c == NULL;

        if (strcmp(said, cases[i].said) != 0 && (*cases[i].said || refused)) {
            print_error("%s:\n%s\ninstead of\n%s\n", cases[i].what, said,
                        cases[i].said);
            failed++;
        }
        assert_int_equal(refused, c == NULL);
        config_free(c);
        free(said);
    }
    assert_int_equal(failed, 0);
}

static struct config *load(const char *text)
{
    char *said;
    struct config *c = util_load(text, NULL, &said);

    if (!c)
        fail_msg("%s", said);
    free(said);
    return c;
}

static void test_values(void **state)
{
    struct config *c =
        load(SITE "  mqtt: em:0/status\n  values:\n"
                  "  - {value: i1, at: /a/0, factor: -0.5, unit: mA}\n"
                  "  - {value: v1, topic: other}\n"
                  "  - {value: import, at: '', unit: Wh}\n"
                  "- {name: b, p1: /dev/ttyUSB0 115200 8N1, role: solar}\n"
                  "- {name: d, p1tcp: '192.0.2.1:23', role: solar, max_same: 1min}\n"
                  "- {name: e, chargers: grid}\n");
    const struct conf_meter *m = c->meters;

    (void)state;
    assert_int_equal(m[0].source, SOURCE_MQTT);
    assert_string_equal(m[0].topic, "em:0/status");
    assert_int_equal(m[0].n_values, 3);
    assert_int_equal(m[0].values[0].quantity, CONF_I);
    assert_string_equal(m[0].values[0].topic, "em:0/status");
    assert_string_equal(m[0].values[0].pointer, "/a/0");
    assert_true(m[0].values[0].scale == -0.5);
    assert_int_equal(m[0].values[1].quantity, CONF_V);
    assert_string_equal(m[0].values[1].topic, "other");
    assert_string_equal(m[0].values[1].pointer, "");
    assert_true(m[0].values[1].scale == 1000);
    assert_int_equal(m[0].values[2].quantity, CONF_IMPORT);
    assert_true(m[0].values[2].scale == 1);
    assert_int_equal(m[1].source, SOURCE_P1);
    assert_int_equal(m[1].transport, TRANSPORT_RTU);
    assert_string_equal(m[1].device, "/dev/ttyUSB0");
    assert_int_equal(m[1].baud, 115200);
    assert_int_equal(m[2].transport, TRANSPORT_RTUTCP);
    assert_int_equal(m[2].port, 23);
    assert_int_equal(m[0].max_same_ms, 120000);
    assert_int_equal(m[1].max_same_ms, 0); /* the night */
    assert_int_equal(m[2].max_same_ms, 60000);
    assert_int_equal(m[3].source, SOURCE_CHARGERS);
    assert_int_equal(m[3].circuit, 0);
    assert_int_equal(m[3].max_age_ms, 60000);
    config_free(c);
}

/* What the site file says of an installation is in the definition that is read. */
static void test_overrides(void **state)
{
    static const char *const texts[] = {
        SITE "  model: eastron-sdm630\n  tcp: 192.0.2.1:502\n  word_order: ws\n"
             "  ct: 250/5\n  gap: 20ms\n  timeout: 2s\n  max_regs: 2\n",
        SITE "  model: eastron-sdm630\n  tcp: 192.0.2.1:502\n  max_regs: 1\n",
        SITE "  model: fronius-gen24-meter\n  tcp: 192.0.2.1:502\n  word_order: ws\n"};
    const char *top = getenv("srcdir");
    char err[400] = "", why[200] = "", models[300];
    struct config *c;
    struct definition *d;
    static struct plan p;
    int32_t ms;

    (void)state;
    snprintf(models, sizeof models, "%s/meters", top ? top : "../..");
    setenv("CHARGEHAND_METERS", models, 1);
    c = load(texts[0]);
    d = meter_files_load_for(&c->meters[0], err, sizeof err);
    assert_string_equal(err, "");
    assert_non_null(d);
    assert_int_equal(d->ct_ppm, 50000000);
    assert_int_equal(d->bus.gap_ms, 20);
    assert_int_equal(d->bus.timeout_ms, 2000);
    assert_int_equal(d->points[0].order, WORDS_WS);
    assert_true(plan_make(&p, d, 0));
    for (int i = 0; i < p.n_blocks; i++)
        assert_int_equal(p.blocks[i].n, 2);
    definition_free(d);
    config_free(c);
    c = load(texts[1]);
    assert_false(meter_files_fit(&c->meters[0], why, sizeof why, &ms));
    assert_string_equal(why, "\"eastron-sdm630\" has values, or a value with its scale "
                             "factor, of more than \"max_regs\" registers");
    config_free(c);
    c = load(texts[2]);
    assert_false(meter_files_fit(&c->meters[0], why, sizeof why, &ms));
    assert_string_equal(why, "\"fronius-gen24-meter\" is a SunSpec device: "
                             "\"word_order\" is not its to choose");
    config_free(c);
}

/* As a neighbour would say it: a tenth of a second at 9600 baud. */
static bool tenth(const struct conf_meter *m, char *why, size_t size,
                  int32_t *serial_ms)
{
    (void)why;
    (void)size;
    *serial_ms = m->transport == TRANSPORT_RTU ? 100 * 9600 / m->baud : 0;
    return true;
}

#define ON(name, speed, more)                                                          \
    "- {name: " name ", model: x, unit: " more ", rtu: '/dev/ttyS0 " speed " 8N1'"
#define FIVE(speed)                                                                    \
    ON("a", speed, "1")                                                                \
    "}\n" ON("b", speed, "2") "}\n" ON("c", speed, "3") "}\n" ON(                      \
        "d", speed, "4") "}\n" ON("e", speed, "5") "}\n"

static void slow_lines(void **state)
{
    static const struct {
        const char *what, *text, *said; /* warnings after the text of the site */
    } rows[] = {
        {"fast enough", PLAIN FIVE("9600"), ""},
        {"just so", PLAIN FIVE("600") ON("f", "600", "6") ", max_age: 9600ms}\n", ""},
        {"five in ten seconds", PLAIN FIVE("300"),
         "site.yaml:6:3: warning: max_age: 10 s are too short for meter 'a' on "
         "/dev/ttyS0: at 300 baud there are up to 16.0 s from one of its readings to "
         "the "
         "next, with 5 meters on the line\n"},
        {"longer for those that are told",
         PLAIN FIVE("300") ON("f", "300", "6") ", max_age: 15s}\n",
         "site.yaml:6:3: warning: max_age: 10 s are too short for meter 'a' on "
         "/dev/ttyS0: at 300 baud there are up to 19.2 s from one of its readings to "
         "the "
         "next, with 6 meters on the line\n"},
        {"the grid's in between: 0.8 s of each 2 s",
         SITE
         "  model: x\n  unit: 9\n  rtu: /dev/ttyS0 1200 8N1\n  interval: 2s\n" FIVE(
             "1200"),
         ""},
        {"... of each second, but never twice in a row; and one on another line",
         SITE "  model: x\n  unit: 9\n  rtu: /dev/ttyS0 600 8N1\n" FIVE(
             "600") "- {name: z, model: x, unit: 1, rtu: '/dev/ttyS1 9600 8N1', "
                    "max_age: 2s}\n",
         "site.yaml:11:3: warning: max_age: 10 s are too short for meter 'a' on "
         "/dev/ttyS0: at 600 baud there are up to 16.0 s from one of its readings to "
         "the "
         "next, with 6 meters on the line\n"},
        {"the grid's itself",
         SITE "  model: x\n  unit: 9\n  rtu: /dev/ttyS0 300 8N1\n  max_age: 5s\n" ON(
             "a", "300", "1") ", max_age: 1min}\n",
         "site.yaml:11:12: warning: max_age: 5 s are too short for meter 'main' on "
         "/dev/ttyS0: at 300 baud there are up to 6.4 s from one of its readings to "
         "the "
         "next, with 2 meters on the line\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *said;
        struct config *c = util_load_checked(rows[i].text, NULL, tenth, &said);
        const char *first = strstr(said, "max_age");

        if (!c || !strstr(said, rows[i].said) || (first && !*rows[i].said) ||
            (first && strstr(first + 1, "max_age")))
            fail_msg("%s: %s", rows[i].what, said);
        config_free(c);
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(slow_lines),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
