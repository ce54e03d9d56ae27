/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand check-config as a person runs it, and the sums of its safety statement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cjson/cJSON.h>
#include <cmocka.h>

#include "cmd/cmd.h"
#include "config/safety.h"
#include "config_util.h"

static char out[1 << 16];

/* Runs it and keeps what it prints, errors included; returns the exit code. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char arguments[1200], command[1400];
    va_list args;

    va_start(args, format);
    vsnprintf(arguments, sizeof arguments, format, args);
    va_end(args);
    snprintf(command, sizeof command, "./chargehand check-config %s 2>&1", arguments);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = '\0';
    int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void says(const char *text)
{
    if (!strstr(out, text))
        fail_msg("'%s' is not in:\n%s", text, out);
}

/* The same of a paragraph, wherever its lines were broken. */
static void says_words(const char *text)
{
    char flat[sizeof out], *to = flat;

    for (const char *p = out; *p; p++) {
        bool broken = strncmp(p, "\n  ", 3) == 0;

        *to++ = broken ? ' ' : *p;
        p += broken ? 2 : 0;
    }
    *to = '\0';
    if (!strstr(flat, text))
        fail_msg("'%s' is not in:\n%s", text, out);
}

static void usage(void **state)
{
    (void)state;

    assert_int_equal(run("--help"), EXIT_GOOD);
    says("usage: chargehand check-config");
    assert_int_equal(run("%s", ""), EXIT_USAGE);
    assert_int_equal(run("--nonsense x"), EXIT_USAGE);
    assert_int_equal(run("--set"), EXIT_USAGE);
    assert_int_equal(run("--keys"), EXIT_GOOD);
    says("circuits[].limit\n"
         "    amperes, one number or [L1, L2, L3], 1 A to 10000 A; required\n");
    says("site.lease\n    time, 1min to 24h; default: 15min\n");
    says("ocpp.listen\n    host:port; default: 127.0.0.1:8887; needs a restart\n");
    says("chargers[].connectors[].mode\n"
         "    one of auto, off, fast, minsolar, solar; default: auto\n");
}

static void examples(void **state)
{
    static const char *const names[] = {"apartment.yaml",    "home.yaml",
                                        "depot.yaml",        "caltech.yaml",
                                        "caltech-real.yaml", "smart-meter.yaml"};
    char all[2400] = "";
    (void)state;

    for (int i = 0; i < 6; i++) {
        assert_int_equal(run("%s", util_example_path(names[i])), EXIT_GOOD);
        says("\nSAFE: when the controller, the network or a meter is lost, ");
        assert_null(strstr(out, "NOT SAFE"));
        assert_null(strstr(out, "warning"));
        if (i < 3) {
            strcat(all, util_example_path(names[i]));
            strcat(all, " ");
        }
    }
    assert_int_equal(run("%s", all), EXIT_GOOD);
    says("apartment.yaml: ");
    says("depot.yaml: ");
}

static void unsafe_sites(void **state)
{
    (void)state;

    assert_int_equal(run("%s --set circuits.grid.base_load=[35,45,35]",
                         util_example_path("apartment.yaml")),
                     EXIT_GOOD);
    says("grid: limit 63 A, margin 2 A, meter main; 10 connectors: NOT SAFE\n");
    says("garage: limit 50 A, fed by grid; 10 connectors: SAFE\n");
    says_words("NOT SAFE: circuit grid, phase L2: base load 45 A + fallbacks 24 A = 69 "
               "A, 6 A above the limit of 63 A, at the latest 16 min 3 s after the "
               "controller or the network is lost: CP-01, CP-02, CP-03, CP-04 (6 A "
               "each). It would fit with wires and fuses for 69 A.\n");
    says_words("It would be SAFE with lower fallbacks: CP-04 (6 -> 0 A).\n");
    assert_null(strstr(out, "\nSAFE"));
    assert_int_equal(run("%s --set circuits.transformer.power_limit=200000",
                         util_example_path("depot.yaml")),
                     EXIT_GOOD);
    says_words("circuit transformer: base load and fallbacks 220800 W, 20800 W above "
               "the limit of 200000 W, at");
    says_words("lower fallbacks: C07, C08, C09, C10, C11, C12 (6 -> 0 A each).\n");
}

static void unknown_base(void **state)
{
    (void)state;

    util_write("site.yaml", "circuits:\n- {name: grid, limit: 25, meter: m}\n"
                            "meters:\n- {name: m, model: cg-em340, tcp: 'a:502'}\n"
                            "chargers:\n- {id: a, connectors: [{fallback: 6}]}\n");
    assert_int_equal(run("%s", util_path("site.yaml")), EXIT_GOOD);
    says_words(
        "What else draws there is not known: it is metered and has no base_load, "
        "so its limit is taken; up to 19 A the fallbacks fit.");
    assert_int_equal(run("--set circuits.grid.base_load=19 %s", util_path("site.yaml")),
                     EXIT_GOOD);
    says("\nSAFE: ");
}

static void inputs(void **state)
{
    (void)state;

    util_write("dim.yaml", "circuits:\n- {name: grid, limit: 25}\n"
                           "inputs:\n- {name: dim, tcp: 'a:502'}\n"
                           "chargers:\n- {id: a}\n- {id: b}\n- {id: c}\n");
    assert_int_equal(run("%s", util_path("dim.yaml")), EXIT_GOOD);
    says_words(
        "input dim: chargers below grid draw at most 10500 W while it is active, "
        "and");
    assert_int_equal(run("--json %s", util_path("dim.yaml")), EXIT_GOOD);
    says("\"chargers_w\":\t10500");
}

static void strict(void **state)
{
    (void)state;

    assert_int_equal(run("--strict %s", util_example_path("home.yaml")), EXIT_GOOD);
    assert_int_equal(run("--strict %s --set circuits.grid.base_load=20",
                         util_example_path("home.yaml")),
                     EXIT_NEGATIVE);
    says("NOT SAFE: circuit grid, phase L1: base load 20 A");
    assert_int_equal(run("--strict %s", util_path("none.yaml")), EXIT_CONFIG);
}

/* An eighth of the lease is the time to lower others before a lost one rises. */
static void short_lease(void **state)
{
    (void)state;

    assert_int_equal(run("%s --set site.lease=1min --set site.settle=10s",
                         util_example_path("home.yaml")),
                     EXIT_GOOD);
    says_words(
        "NOT SAFE while a charger is cut off: it may rise to its fallback before "
        "the others have followed. site.lease must be at least 1 min 28 s, or "
        "site.settle shorter.\n");
    assert_null(strstr(out, "\nSAFE"));
    assert_int_equal(run("%s --set site.lease=88s --set site.settle=10s",
                         util_example_path("home.yaml")),
                     EXIT_GOOD);
    says("\nSAFE: ");
}

static void mistakes(void **state)
{
    char wanted[300];
    (void)state;

    util_write("good.yaml", GOOD);
    const char *bad = util_write("bad.yaml", "circuits:\n- {name: grid, limit: 63A}\n");
    snprintf(wanted, sizeof wanted,
             "%s:2:23: limit: expected amperes as a plain number like 16 or 16.5, not "
             "'63A': leave out the unit\n",
             bad);
    assert_int_equal(run("%s", bad), EXIT_CONFIG);
    assert_string_equal(out, wanted);
    char both[300];
    snprintf(both, sizeof both, "%s ", bad);
    strcat(both, util_path("good.yaml"));
    assert_int_equal(run("%s", both), EXIT_CONFIG); /* one bad file is enough */
    says(wanted);
    says("good.yaml: Chargehand: 1 circuit, 0 meters, 1 charger, 1 connector");
    assert_int_equal(run("%s --set site.voltage=1", util_path("good.yaml")),
                     EXIT_CONFIG);
    assert_string_equal(out,
                        "--set site.voltage: voltage: 1 V is out of range: 90 V to "
                        "300 V\n");
    assert_int_equal(run("%s", util_path("none.yaml")), EXIT_CONFIG);
    says("none.yaml:1:1: cannot read this file: No such file or directory\n");
}

/* A model is looked up with the rest, so that a slip in it does not come out at night.
 */
static void models(void **state)
{
    static const struct {
        const char *what, *meter, *says;
    } rows[] = {
        {"a model that nobody has", "model: eastron-sdm360, tcp: 'a:502'",
         ":4:20: model: there is no meter model \"eastron-sdm360\", did you mean "
         "\"eastron-sdm630\"? (chargehand meter list)\n"},
        {"an inverter at a circuit", "model: sunspec-inverter, tcp: 'a:502'",
         ":4:20: model: \"sunspec-inverter\" is an inverter and measures no circuit: "
         "role: solar\n"},
        {"a device without currents", "model: eastron-sdm72d-m, rtu: /dev/x 9600 8N1",
         ":4:20: model: \"eastron-sdm72d-m\" tells no current of each phase: a circuit "
         "needs one\n"},
        {"nobody knows its unit", "model: dzg-dvh4013, rtu: /dev/x 9600 8E1",
         ":4:20: model: \"dzg-dvh4013\" has no usual unit id: \"unit\" must be "
         "given\n"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];

        snprintf(text, sizeof text,
                 "circuits:\n- {name: grid, limit: 63A, meter: m, base_load: 9}\n"
                 "meters:\n- {name: m, %s}\nchargers:\n- {id: a}\n",
                 rows[i].meter);
        assert_int_equal(run("%s", util_write("site.yaml", text)), EXIT_CONFIG);
        says(":2:23: limit: "); /* all at once */
        says(rows[i].says);
    }
    util_write("site.yaml",
               "circuits:\n- {name: grid, limit: 63, meter: m, base_load: 9}\n"
               "meters:\n- {name: m, model: bge-ds100, rtu: /dev/x 9600 8N1}\n"
               "chargers:\n- {id: a}\n");
    assert_int_equal(run("%s", util_path("site.yaml")), EXIT_GOOD);
    says(":4:20: warning: model: \"bge-ds100\" is untested: its sources conflict");
    assert_int_equal(run("%s --set meters.m.model=dzg-dvh4013 --set meters.m.unit=4",
                         util_path("site.yaml")),
                     EXIT_GOOD);
    says("\"dzg-dvh4013\" does not tell import from export");
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *n = cJSON_GetObjectItem(o, key);

    assert_true(cJSON_IsNumber(n));
    return n->valuedouble;
}

static void json_unsafe(void)
{
    assert_int_equal(run("--json %s --set circuits.garage.limit=[20,14,20]",
                         util_example_path("apartment.yaml")),
                     EXIT_GOOD);
    cJSON *top = cJSON_Parse(out);
    const cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(top, "files"), 0);
    const cJSON *garage = cJSON_GetArrayItem(cJSON_GetObjectItem(file, "circuits"), 1);
    const cJSON *by = cJSON_GetObjectItem(garage, "overloaded_by");
    const cJSON *mend = cJSON_GetObjectItem(file, "mend");

    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(file, "safe")));
    assert_int_equal(number(garage, "overloaded_phase"), 2);
    assert_int_equal(number(garage, "over_a"), 10);
    assert_int_equal(cJSON_GetArraySize(by), 4);
    assert_string_equal(cJSON_GetArrayItem(by, 3)->valuestring, "CP-04_1");
    assert_int_equal(cJSON_GetArraySize(mend), 2); /* two of four can keep 6 A */
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(mend, 0), "connector")->valuestring,
        "CP-03_1");
    assert_int_equal(number(cJSON_GetArrayItem(mend, 0), "mended_a"), 0);
    cJSON_Delete(top);
}

static void json(void **state)
{
    (void)state;

    assert_int_equal(run("--json %s", util_example_path("apartment.yaml")), EXIT_GOOD);
    cJSON *top = cJSON_Parse(out);
    assert_non_null(top);
    const cJSON *file = cJSON_GetArrayItem(cJSON_GetObjectItem(top, "files"), 0);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(file, "ok")));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(file, "safe")));
    assert_int_equal(number(file, "connectors"), 10);
    const cJSON *grid = cJSON_GetArrayItem(cJSON_GetObjectItem(file, "circuits"), 0);
    assert_string_equal(cJSON_GetObjectItem(grid, "name")->valuestring, "grid");
    const cJSON *base = cJSON_GetObjectItem(grid, "base_load_a");
    assert_int_equal(cJSON_GetArrayItem(base, 2)->valueint, 35);
    const cJSON *fallback = cJSON_GetObjectItem(grid, "fallback_a");
    assert_int_equal(cJSON_GetArrayItem(fallback, 0)->valueint, 24);
    const cJSON *lost = cJSON_GetObjectItem(grid, "controller_lost");
    assert_int_equal(number(lost, "free_a"), 4);
    assert_float_equal(number(lost, "after_s"), 900 + 56.25 + 6, 0.001);
    const cJSON *blind = cJSON_GetObjectItem(grid, "meter_lost");
    assert_int_equal(
        cJSON_GetArrayItem(cJSON_GetObjectItem(blind, "total_a"), 1)->valueint, 61);
    assert_int_equal(number(blind, "after_s"), 17);
    assert_int_equal(number(grid, "frozen_after_s"), 127);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(file, "mend")), 0);
    cJSON_Delete(top);
    json_unsafe();

    assert_int_equal(run("--json %s", util_write("bad.yaml", "circuits: 5\n")),
                     EXIT_CONFIG);
    top = cJSON_Parse(out);
    assert_non_null(top);
    file = cJSON_GetArrayItem(cJSON_GetObjectItem(top, "files"), 0);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(file, "ok")));
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(file, "messages"), 0);
    assert_int_equal(number(first, "line"), 1);
    assert_int_equal(number(first, "col"), 11);
    cJSON_Delete(top);

    assert_int_equal(run("--keys --json"), EXIT_GOOD);
    top = cJSON_Parse(out);
    assert_true(cJSON_GetArraySize(top) > 70);
    cJSON_Delete(top);
}

/* ---- the sums */

static struct conf_safety sums[8];

static bool safety_of(const char *text)
{
    char *said;
    struct config *c = util_load(text, NULL, &said);

    if (!c)
        fail_msg("%s", said);
    free(said);
    bool safe = conf_safety(&c->site, sums);
    config_free(c);
    return safe;
}

static void phases_of_fallbacks(void **state)
{
    (void)state;

    assert_true(safety_of("circuits:\n- {name: g, limit: [22, 16, 12]}\n"
                          "chargers:\n"
                          "- {id: a, connectors: [{wiring: L1, fallback: 10}]}\n"
                          "- {id: b, connectors: [{wiring: L2 L1, fallback: 6}]}\n"
                          "- {id: c, connectors: [{wiring: unknown, fallback: 6}]}\n"));
    assert_int_equal(sums[0].fallback_ma[0], 22000);
    assert_int_equal(sums[0].fallback_ma[1], 12000);
    assert_int_equal(sums[0].fallback_ma[2], 6000);
    assert_int_equal(sums[0].max_ma[0], 48000);
    assert_int_equal(sums[0].n_connectors, 3);
    assert_int_equal(sums[0].alone.power_w, 40 * 230);
    assert_false(
        safety_of("circuits:\n- {name: g, limit: [21.9, 12, 6]}\n"
                  "chargers:\n"
                  "- {id: a, connectors: [{wiring: L1, fallback: 10}]}\n"
                  "- {id: b, connectors: [{wiring: L2 L1, fallback: 6}]}\n"
                  "- {id: c, connectors: [{wiring: unknown, fallback: 6}]}\n"));
    assert_int_equal(sums[0].phase, 0);
}

static void only_the_feeder(void **state)
{
    (void)state;

    assert_false(safety_of("circuits:\n- {name: g, limit: 63}\n"
                           "- {name: f, limit: 10, parent: g}\n"
                           "chargers:\n"
                           "- {id: a, circuit: f, connectors: [{fallback: 6}]}\n"
                           "- {id: b, circuit: f, connectors: [{fallback: 6}]}\n"));
    assert_int_equal(sums[0].phase, SITE_NONE);
    assert_int_equal(sums[1].phase, 0);
}

/* Nothing falls back to anything: whatever the base load is, chargers add nothing. */
static void no_fallback_is_safe(void **state)
{
    (void)state;

    assert_true(safety_of("circuits:\n- {name: g, limit: 25, meter: m}\n"
                          "meters:\n- {name: m, model: cg-em340, tcp: 'a:502'}\n"
                          "chargers:\n- {id: a}\n"));
    assert_true(sums[0].base_unknown);
}

static void base_of_those_below(void **state)
{
    (void)state;

    assert_false(safety_of("circuits:\n- {name: g, limit: 63, base_load: 10}\n"
                           "- {name: a, limit: 40, parent: g, base_load: 30}\n"
                           "- {name: b, limit: 40, parent: g, base_load: [30, -5, 0]}\n"
                           "chargers:\n- {id: x, connectors: [{fallback: 6}]}\n"));
    assert_int_equal(sums[0].base_ma[0], 60000);
    assert_int_equal(sums[0].base_ma[1], 30000);
    assert_int_equal(sums[0].phase, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage),
        cmocka_unit_test(examples),
        cmocka_unit_test(unsafe_sites),
        cmocka_unit_test(unknown_base),
        cmocka_unit_test(inputs),
        cmocka_unit_test(strict),
        cmocka_unit_test(short_lease),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(models),
        cmocka_unit_test(json),
        cmocka_unit_test(phases_of_fallbacks),
        cmocka_unit_test(only_the_feeder),
        cmocka_unit_test(no_fallback_is_safe),
        cmocka_unit_test(base_of_those_below),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
