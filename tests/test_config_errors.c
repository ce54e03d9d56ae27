/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about site files with mistakes: the whole text with all places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/keys.h"
#include "config_util.h"

struct text_case {
    const char *what, *text, *said;
};

/* Whether a line of it is an error, not a warning. */
static bool has_error(const char *said)
{
    for (const char *line = said, *end; (end = strchr(line, '\n')); line = end + 1) {
        const char *warning = strstr(line, ": warning: ");
        if (!warning || warning > end)
            return true;
    }
    return false;
}

static void run(const struct text_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *said;
        struct config *c = util_load(cases[i].text, NULL, &said);

        if (strcmp(said, cases[i].said) != 0)
            fail_msg("%s:\n%s\ninstead of\n%s", cases[i].what, said, cases[i].said);
        if (has_error(said) != (c == NULL))
            fail_msg("%s: %s", cases[i].what, c ? "was taken" : "was refused");
        config_free(c);
        free(said);
    }
}
#define RUN(cases) run(cases, sizeof(cases) / sizeof *(cases))

static void syntax(void **state)
{
    static const struct text_case cases[] = {
        {"empty", "", "site.yaml:1:1: the file is empty\n"},
        {"comment only", "# nothing\n\n", "site.yaml:1:1: the file is empty\n"},
        {"empty document", "---\n", "site.yaml:1:1: the file is empty\n"},
        {"tab", "circuits:\n\t- name: grid\n",
         "site.yaml:2:1: a tab: indent with spaces\n"},
        {"tab further on", "site:\n  name: x\n\tvoltage: 230\n",
         "site.yaml:3:1: a tab: indent with spaces\n"},
        {"indentation", "site:\n  name: x\n voltage: 230\n",
         "site.yaml:3:2: not expected here: is it indented like the lines from line 1 "
         "on?\n"},
        {"deeper", "site:\n  name: x\n    voltage: 230\n",
         "site.yaml:2:9: this value runs on into the next line: is a ': ' or a bracket "
         "missing, or the indentation wrong?\n"},
        {"no colon", "site:\n  name x\n  voltage: 230\n",
         "site.yaml:2:3: ': ' is missing in this line\n"},
        {"no space after the colon",
         "site:\n  # a comment between\n  name:x\n\n"
         "  voltage: 230\n",
         "site.yaml:3:3: ': ' is missing in this line\n"},
        {"no colon at the end", "site:\n  name: x\n  voltage 230\n",
         "site.yaml:3:3: ': ' is missing in this line\n"},
        {"a value over two lines", "site:\n  name: x\n   voltage 230\n",
         "site.yaml:2:9: this value runs on into the next line: is a ': ' or a bracket "
         "missing, or the indentation wrong?\n"},
        {"two colons", "site:\n  name: Haus: Nord\n",
         "site.yaml:2:13: a second ': ' in one line: put the value in quotes\n"},
        {"quote", "site:\n  name: \"x\n  voltage: 230\n",
         "site.yaml:2:9: this quote is never closed\n"},
        {"bracket", "circuits:\n- name: grid\n  limit: [63, 63\nsite:\n",
         "site.yaml:3:15: this value runs on into the next line: is a ': ' or a "
         "bracket missing, or the indentation wrong?\n"},
        {"bracket at the end", "circuits:\n- name: grid\n  limit: [63, 63\n",
         "site.yaml:3:10: expected ',' or ']' in this list\n"},
        {"comma", "circuits:\n- name: grid\n  limit: [63, '63' 63]\n",
         "site.yaml:3:20: expected ',' or ']' in this list\n"},
        {"brace", "chargers:\n- {id: x\n",
         "site.yaml:2:3: expected ',' or '}' in this map\n"},
        {"a sign that cannot begin", "site:\n  name: @home\n",
         "site.yaml:2:9: this character cannot begin a value: put it in quotes\n"},
        {"not a list any more", "circuits:\n- name: grid\n  limit: 63\nlimit: 2\n- x\n",
         "site.yaml:5:1: not expected here: is it indented like the lines from line 1 "
         "on?\n"},
        {"Latin-1", "site:\n  name: K\xf6nig\n",
         "site.yaml:2:10: this is not UTF-8 text\n"},
        {"control character", "site:\n  name: a\x01\n",
         "site.yaml:2:10: control characters are not allowed\n"},
        {"anchor", "site: &x\n  name: a\n",
         "site.yaml:1:7: anchors (&name) and aliases (*name) are not allowed: write it "
         "out\n"},
        {"alias", "site:\n  name: *x\n",
         "site.yaml:2:9: anchors (&name) and aliases (*name) are not allowed: write it "
         "out\n"},
        {"anchor on a list", "circuits: &c [a]\n",
         "site.yaml:1:11: anchors (&name) and aliases (*name) are not allowed: write "
         "it "
         "out\n"},
        {"billion laughs",
         "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
         "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
         "site.yaml:1:4: anchors (&name) and aliases (*name) are not allowed: write it "
         "out\n"},
        {"tag", "site:\n  name: !!str 5\n",
         "site.yaml:2:9: tags (!name) are not allowed\n"},
        {"second document", GOOD "---\nsite:\n",
         "site.yaml:6:1: a second document begins here; one is allowed\n"},
        {"key that is a list", "[a, b]: c\n",
         "site.yaml:1:1: a key must be a plain word\n"},
        {"depth", "site: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n",
         "site.yaml:1:18: nested too deeply\n"},
        {"zero in a text", "site:\n  name: \"a\\0b\"\n",
         "site.yaml:2:9: a text must not contain a zero byte\n"},
        {"a word", "hello\n",
         "site.yaml:1:1: site file: expected keys with values, like 'version: ...'\n"},
        {"a list", "- name: grid\n",
         "site.yaml:1:1: site file: expected keys with values, like 'version: ...'\n"},
    };
    (void)state;

    RUN(cases);
}

static void keys(void **state)
{
    static const struct text_case cases[] = {
        {"no circuits", "site:\n  name: x\nchargers:\n- id: a\n",
         "site.yaml:1:1: site file: 'circuits' is missing\n"},
        {"circuits without one", "circuits:\nchargers:\n- id: a\n",
         "site.yaml:1:10: circuits: at least the grid connection is needed\n"},
        {"unknown", GOOD "chargrs:\n- id: x\n",
         "site.yaml:6:1: unknown key 'chargrs'; did you mean 'chargers'?\n"},
        {"unknown in a circuit", "circuits:\n- name: grid\n  limt: 63\n",
         "site.yaml:2:3: circuit 'grid': 'limit' is missing\n"
         "site.yaml:3:3: unknown key 'limt'; did you mean 'limit'?\n"},
        {"of another section", GOOD "voltage: 230\n",
         "site.yaml:6:1: unknown key 'voltage'; there is site.voltage\n"},
        {"like nothing", GOOD "http:\n  colour: red\n",
         "site.yaml:7:3: unknown key 'colour'; known here are listen\n"},
        {"merge key", GOOD "site:\n  <<: x\n",
         "site.yaml:7:3: unknown key '<<'; known here are name, id, timezone, voltage, "
         "policy, lease, writes_per_day, settle, dwell, pause, price, at_most\n"},
        {"twice", GOOD "site:\n  name: a\n  voltage: 230\n  name: b\n",
         "site.yaml:9:3: key 'name' is given twice; the first is at line 7\n"},
        {"twice at the top", GOOD "circuits: []\n",
         "site.yaml:6:1: key 'circuits' is given twice; the first is at line 1\n"},
        {"no value", GOOD "site:\n  voltage:\n", "site.yaml:7:11: voltage: no value\n"},
        {"keys instead of a value", GOOD "site:\n  voltage:\n    x: 1\n",
         "site.yaml:8:5: voltage: expected one value, not keys\n"},
        {"a list instead of a value", GOOD "site:\n  voltage: [230]\n",
         "site.yaml:7:12: voltage: expected one value, not a list\n"},
        {"a value instead of keys", GOOD "site: Lindenhof\n",
         "site.yaml:6:7: site: expected keys with values, like 'name: ...'\n"},
        {"no space after the colon", GOOD "site:\n  name:x\n",
         "site.yaml:7:3: site: expected keys with values, like 'name: ...': a space is "
         "missing after ':'\n"},
        {"keys instead of a list", "circuits:\n  grid:\n    limit: 63\n",
         "site.yaml:2:3: circuits: expected a list, its entries begin with '- '\n"},
        {"an entry without anything", "circuits:\n-\nchargers:\n- id: a\n",
         "site.yaml:2:2: circuit: expected keys with values, like 'name: ...'\n"},
        {"version", "version: 2\n" GOOD,
         "site.yaml:1:10: version: 2 is out of range: 1 to 1\n"},
        {"nothing to control", "circuits:\n- {name: grid, limit: 63}\n",
         "site.yaml:1:1: warning: there are no chargers: nothing to control\n"},
        {"version is fine", "version: 1\n" GOOD, ""},
        {"control character in a key", GOOD "\"a\\tb\": 1\n",
         "site.yaml:6:1: unknown key 'a?b'; known here are version, site, solar, "
         "circuits, "
         "meters, inputs, chargers, ocpp, mqtt, history, http, journal\n"},
    };
    (void)state;

    RUN(cases);
}

static void policies_are_suggested(void **state)
{
    char *said;
    (void)state;

    assert_null(util_load(GOOD "site:\n  policy: eqal\n", NULL, &said));
    assert_non_null(strstr(said, "site.yaml:7:11: policy: expected one of "));
    assert_non_null(strstr(said, "; not 'eqal'; did you mean 'equal'?\n"));
    free(said);
}

static void circuits(void **state)
{
    static const struct text_case cases[] = {
        {"unknown parent", GOOD "site:\n", ""},
        {"parent misspelt",
         "circuits:\n- name: grid\n  limit: 63\n- name: garage\n  limit: 32\n"
         "  parent: gird\nchargers:\n- id: a\n",
         "site.yaml:6:11: parent: there is no circuit 'gird'; did you mean 'grid'?\n"},
        {"two roots",
         "circuits:\n- name: grid\n  limit: 63\n- name: garage\n  limit: 32\n"
         "chargers:\n- id: a\n",
         "site.yaml:4:3: circuit 'garage': 'parent' is missing; only the grid "
         "connection (circuit 'grid') has none\n"},
        {"its own parent",
         "circuits:\n- name: grid\n  limit: 63\n  parent: grid\nchargers:\n- id: a\n",
         "site.yaml:4:11: parent: these circuits feed each other: grid -> grid\n"},
        {"a loop beside the root",
         "circuits:\n- {name: grid, limit: 63}\n- {name: a, limit: 9, parent: b}\n"
         "- {name: b, limit: 9, parent: c}\n- {name: c, limit: 9, parent: a}\n"
         "- {name: d, limit: 9, parent: a}\nchargers:\n- id: a\n",
         "site.yaml:3:31: parent: these circuits feed each other: a -> b -> c -> a\n"},
        {"the same name",
         "circuits:\n- {name: grid, limit: 63}\n- {name: a, limit: 9, parent: grid}\n"
         "- {name: a, limit: 9, parent: grid}\nchargers:\n- id: x\n",
         "site.yaml:4:10: circuit 'a' is given twice; the first is at line 3\n"},
        {"three limits", "circuits:\n- name: grid\n  limit: [63, 63]\n",
         "site.yaml:3:10: limit: expected one number or three: [L1, L2, L3]\n"},
        {"one of three limits", "circuits:\n- name: grid\n  limit: [63, 63A, 50]\n",
         "site.yaml:3:15: limit: expected amperes as a plain number like 16 or 16.5, "
         "not "
         "'63A': leave out the unit\n"},
        {"range", "circuits:\n- name: grid\n  limit: 0.5\nchargers:\n- id: a\n",
         "site.yaml:3:10: limit: 0.5 A is out of range: 1 A to 10000 A\n"},
        {"margin",
         "circuits:\n- name: grid\n  limit: [63, 63, 10]\n  margin: 10\n"
         "chargers:\n- id: a\n",
         "site.yaml:4:11: margin: leaves nothing of the limit\n"},
        {"too little for anybody",
         "circuits:\n- {name: grid, limit: 63}\n"
         "- {name: a, limit: [9, 9, 7], margin: 2, parent: grid}\n"
         "chargers:\n- {id: x, name: Bay 1, circuit: a}\n",
         "site.yaml:3:20: warning: limit: leaves less than the smallest minimum below "
         "it, 6 A of Bay 1: nothing can charge\n"},
        {"base load of those below",
         "circuits:\n- {name: grid, limit: 63, base_load: 5}\n"
         "- {name: a, limit: 40, parent: grid, base_load: [1, 1, 4]}\n"
         "- {name: b, limit: 40, parent: grid, base_load: 2}\n"
         "chargers:\n- id: x\n",
         "site.yaml:2:38: warning: base_load: the circuits below have 6 A on L3, which "
         "this one carries, too\n"},
    };
    (void)state;

    RUN(cases);
}

static void depth(void **state)
{
    char text[4000], *said;
    size_t n = (size_t)sprintf(text, "chargers:\n- id: x\ncircuits:\n"
                                     "- {name: c0, limit: 63}\n");
    (void)state;

    for (int i = 1; i < 15; i++)
        n += (size_t)sprintf(text + n, "- {name: c%d, limit: 63, parent: c%d}\n", i,
                             i - 1);
    assert_null(util_load(text, NULL, &said));
    assert_string_equal(said,
                        "site.yaml:18:3: the tree of circuits is more than 14 deep\n");
    free(said);
    *strstr(text, "- {name: c14") = '\0';
    struct config *c = util_load(text, NULL, &said);
    assert_string_equal(said, "");
    config_free(c);
    free(said);
}

#define METERS                                                                         \
    "circuits:\n- {name: grid, limit: 63, meter: main}\nchargers:\n- id: x\nmeters:\n"

static void meters(void **state)
{
    static const struct text_case cases[] = {
        {"no line", METERS "- name: main\n  model: m\n",
         "site.yaml:6:3: meter 'main': one of 'tcp', 'rtu', 'rtutcp', 'p1', "
         "'p1tcp', 'mqtt' or 'chargers' is missing\n"},
        {"two lines",
         METERS "- name: main\n  model: m\n  tcp: a:502\n"
                "  rtutcp: b:502\n",
         "site.yaml:9:11: meter 'main' has more than one of tcp, rtu and rtutcp\n"},
        {"port 0", METERS "- {name: main, model: m, tcp: 'a:0'}\n",
         "site.yaml:6:31: tcp: port 0 is out of range: 1 to 65535\n"},
        {"bare time", METERS "- {name: main, model: m, tcp: 'a:502', interval: 1}\n",
         "site.yaml:6:50: interval: expected a time like 500ms, 10s, 15min or 2h, not "
         "'1': add its unit\n"},
        {"max_age", METERS "- {name: main, model: m, tcp: 'a:502', interval: 10s}\n",
         "site.yaml:6:3: max_age: must be longer than the interval\n"},
        {"no such meter",
         "circuits:\n- {name: grid, limit: 63, meter: mian}\n"
         "chargers:\n- id: x\nmeters:\n"
         "- {name: main, model: m, tcp: 'a:502'}\n",
         "site.yaml:2:34: meter: there is no meter 'mian'; did you mean 'main'?\n"
         "site.yaml:6:3: warning: meter 'main' is not the meter of any circuit (a "
         "solar "
         "one has role: solar)\n"},
        {"solar as the meter",
         METERS "- {name: main, model: m, tcp: 'a:502', role: solar}\n",
         "site.yaml:2:34: meter: 'main' has the role solar, this needs role circuit\n"},
        {"one meter for two",
         "circuits:\n- {name: grid, limit: 63, meter: m}\n"
         "- {name: b, limit: 63, parent: grid, meter: m}\nchargers:\n- id: x\nmeters:\n"
         "- {name: m, model: m, tcp: 'a:502'}\n",
         "site.yaml:3:45: meter: 'm' measures another circuit already\n"},
        {"another model at the same address",
         METERS "- {name: main, model: m, tcp: 'a:502', unit: 1}\n"
                "- {name: b, model: n, tcp: 'A:502', unit: 1}\n",
         "site.yaml:7:3: warning: meter 'b' is not the meter of any circuit (a solar "
         "one "
         "has role: solar)\n"
         "site.yaml:7:43: meter 'b' has the address and unit of meter 'main' at line "
         "6, "
         "but another model\n"},
        {"the solar side of the same device is fine",
         METERS "- {name: main, model: m, tcp: 'a:502', unit: 1}\n"
                "- {name: b, model: n, tcp: 'a:502', unit: 1, role: solar}\n",
         ""},
        {"the same device",
         METERS "- {name: main, model: m, tcp: 'a:502'}\n"
                "- {name: r, model: m, tcp: 'a:503', role: solar}\n"
                "- {name: s, model: m, tcp: 'a:503', role: solar}\n",
         "site.yaml:8:3: warning: meter 's' is the same device as meter 'r' at line "
         "7\n"},
        {"one line, two speeds",
         METERS
         "- {name: main, model: m, rtu: /dev/ttyS0 9600 8N1, unit: 1}\n"
         "- {name: b, model: m, rtu: /dev/ttyS0 9600 8E1, unit: 2, role: solar}\n",
         "site.yaml:7:28: rtu: meter 'main' has other settings on the same line at "
         "line "
         "6\n"},
    };
    (void)state;

    RUN(cases);
}

static void chargers(void **state)
{
    static const struct text_case cases[] = {
        {"the same id", GOOD "- id: CP-01\n",
         "site.yaml:6:7: charger 'CP-01' is given twice; the first is at line 5\n"},
        {"the same id on MQTT", GOOD "- id: CP.01\n- id: CP_01\n",
         "site.yaml:7:3: the chargers 'CP.01' and 'CP_01' would both be 'CP_01_1' on "
         "MQTT\n"},
        {"no id", GOOD "- name: Bay 2\n", "site.yaml:6:3: charger: 'id' is missing\n"},
        {"bad id", GOOD "- id: CP/02\n",
         "site.yaml:6:7: id: expected an identity of letters, digits, spaces and * - _ "
         "= "
         ": + | @ ., at most 48, not 'CP/02'\n"},
        {"circuit", GOOD "  circuit: grit\n",
         "site.yaml:6:12: circuit: there is no circuit 'grit'; did you mean 'grid'?\n"},
        {"max below min", GOOD "  connectors:\n  - max: 5\n",
         "site.yaml:7:10: max: 5 A is below min: 6 A\n"},
        {"min above max", GOOD "  connectors:\n  - min: 20\n",
         "site.yaml:7:5: max: 16 A is below min: 20 A\n"},
        {"fallback above max", GOOD "  connectors:\n  - fallback: 20\n",
         "site.yaml:7:15: fallback: 20 A is above max: 16 A\n"},
        {"fallback below min", GOOD "  connectors:\n  - fallback: 3\n",
         "site.yaml:7:15: warning: fallback: 3 A is below min: 6 A: nothing will "
         "charge "
         "with it\n"},
        {"min below the standard's", GOOD "  connectors:\n  - min: 3\n",
         "site.yaml:7:10: warning: min: cars do not charge with less than 6 A (IEC "
         "61851-1)\n"},
        {"a minimum on three phases below the other",
         GOOD "  connectors:\n  - min_3p: 5\n",
         "site.yaml:7:13: min_3p: 5 A is below min: 6 A\n"},
        {"a minimum on three phases above max", GOOD "  connectors:\n  - min_3p: 17\n",
         "site.yaml:7:13: min_3p: 17 A is above max: 16 A\n"},
        {"one phase that cannot be turned down",
         GOOD "  connectors:\n  - wiring: L1\n    phase_switch: true\n",
         "site.yaml:8:19: phase_switch: needs a wiring with three phases\n"},
        {"no time of day", GOOD "  connectors:\n  - departs: 24:00\n",
         "site.yaml:7:14: departs: expected a time of day like 07:30, not '24:00'\n"},
        {"the sun without a unit", GOOD "solar:\n  start_delay: 60\n",
         "site.yaml:7:16: start_delay: expected a time like 500ms, 10s, 15min or 2h, "
         "not "
         "'60': add its unit\n"},
        {"no minimum", GOOD "  connectors:\n  - min: 0\n", ""},
        {"step", GOOD "  connectors:\n  - step: 0.5\n",
         "site.yaml:7:11: step: expected 0.1 or 1, not '0.5'\n"},
        {"priority", GOOD "  connectors:\n  - priority: 11\n",
         "site.yaml:7:15: priority: 11 is out of range: 0 to 10\n"},
        {"wiring", GOOD "  connectors:\n  - wiring: L1 L1\n",
         "site.yaml:7:13: wiring: expected each phase once, not 'L1 L1'\n"},
        {"wiring as a list", GOOD "  connectors:\n  - wiring: [L1, L4]\n",
         "site.yaml:7:13: wiring: expected the site's phases on its own L1 L2 L3, like "
         "L2 L3 L1 or L1, or unknown, not 'L1 L4'\n"},
        {"mode", GOOD "  connectors:\n  - mode: fst\n",
         "site.yaml:7:11: mode: expected one of auto, off, fast, minsolar, solar; not "
         "'fst'; did you mean 'fast'?\n"},
        {"solar without a meter", GOOD "  connectors:\n  - mode: solar\n",
         "site.yaml:7:11: warning: mode: needs a meter at the grid connection\n"},
        {"a limit that makes a known circuit", GOOD "- id: grid\n  limit: 32\n",
         "site.yaml:7:10: limit: makes a circuit 'grid', and there is one of that name "
         "already at line 2\n"},
        {"password and file", GOOD "  password: x\n  password_file: y\n",
         "site.yaml:6:13: warning: password: in a file that others may read; better a "
         "password_file\n"
         "site.yaml:7:18: password_file: there is a 'password' already\n"},
        {"no such file", GOOD "  password_file: none\n",
         "site.yaml:6:18: password_file: cannot read 'none': No such file or "
         "directory\n"},
    };
    (void)state;

    RUN(cases);
}

static void services(void **state)
{
    static const struct text_case cases[] = {
        {"open to all",
         GOOD "ocpp:\n  listen: 0.0.0.0:8887\nhttp:\n  listen: "
              "'[::]:8880'\n",
         "site.yaml:7:11: warning: listen: anyone who reaches 0.0.0.0 can pass for a "
         "charger: 1 of 1 have no password\n"
         "site.yaml:9:11: warning: listen: the state of the site is told to anyone "
         "who reaches ::\n"},
        {"heartbeat", GOOD "ocpp:\n  heartbeat: 1500ms\n",
         "site.yaml:7:14: heartbeat: 1500ms is out of range: 10s to 24h\n"},
        {"half a second", GOOD "ocpp:\n  heartbeat: 10500ms\n",
         "site.yaml:7:14: heartbeat: expected whole seconds, not '10500ms'\n"},
        {"truth", GOOD "mqtt:\n  homeassistant: yes\n",
         "site.yaml:7:18: homeassistant: expected true or false, not 'yes'\n"},
        {"topic", GOOD "mqtt:\n  prefix: a/#\n",
         "site.yaml:7:11: prefix: expected a topic of letters, digits and . _ - like "
         "home/chargehand, not 'a/#'\n"},
        {"certificate without key", GOOD "mqtt:\n  cert_file: /dev/null\n",
         "site.yaml:7:14: cert_file and key_file need each other\n"},
        {"no such authority", GOOD "mqtt:\n  ca_file: nothing.pem\n",
         "site.yaml:7:12: ca_file: cannot read 'nothing.pem': No such file or "
         "directory\n"},
        {"authority without TLS", GOOD "mqtt:\n  ca_file: /dev/null\n  tls: false\n",
         "site.yaml:7:12: ca_file: has no use with tls: false\n"},
        {"TLS without a certificate", GOOD "ocpp:\n  listen_tls: 127.0.0.1:1\n",
         "site.yaml:7:15: listen_tls: needs a 'cert_file', too\n"
         "site.yaml:7:15: listen_tls: needs a 'key_file', too\n"},
        {"certificates of chargers from whom",
         GOOD "ocpp:\n  listen_mtls: 127.0.0.1:1\n  cert_file: /dev/null\n  key_file: "
              "/dev/null\n",
         "site.yaml:7:16: listen_mtls: needs a 'client_ca_file', too\n"},
        {"certificate without TLS", GOOD "ocpp:\n  cert_file: nothing.pem\n",
         "site.yaml:7:14: cert_file: has no use without a 'listen_tls'\n"
         "site.yaml:7:14: cert_file: cannot read 'nothing.pem': No such file or "
         "directory\n"},
        {"half a second certificate",
         GOOD "ocpp:\n  listen_tls: 127.0.0.1:1\n  cert_file: /dev/null\n  key_file: "
              "/dev/null\n  second_cert_file: /dev/null\n",
         "site.yaml:10:21: second_cert_file and second_key_file need each other\n"},
        {"a password for all", GOOD "ocpp:\n  security: 1\n",
         "site.yaml:7:13: security: profile 1 needs a password for 'CP-01', or a "
         "listen_mtls for its certificate\n"},
        {"a certificate for all", GOOD "ocpp:\n  security: 3\n",
         "site.yaml:7:13: security: profile 3 needs a 'listen_mtls'\n"},
        {"two of one port",
         GOOD "ocpp:\n  listen: 192.0.2.1:8887\nhttp:\n  listen: 127.0.0.1:8887\n",
         "site.yaml:7:11: warning: listen: anyone who reaches 192.0.2.1 can pass for a "
         "charger: 1 of 1 have no password\n"
         "site.yaml:9:11: listen: needs a port of its own: 8887 is that of "
         "ocpp.listen\n"},
        {"no such profile", GOOD "ocpp:\n  security: 4\n",
         "site.yaml:7:13: security: 4 is out of range: 0 to 3\n"},
        {"size", GOOD "journal:\n  max_size: 10kB\n",
         "site.yaml:7:13: max_size: 10kB is out of range: 1MB to 100000MB\n"},
        {"tags of another kind", GOOD "ocpp:\n  tags: [a, [b], c, A]\n",
         "site.yaml:7:13: tags: expected a tag or its keys, not a list\n"
         "site.yaml:7:21: tag 'A' is given twice; the first is at line 7\n"},
        {"keys of a tag",
         GOOD "ocpp:\n  tags:\n  - {id_tag: A, mode: sunny, priorty: 1}\n"
              "  - {priority: 11, limit: 5, departs: 7:30}\n  - {name: B}\n",
         "site.yaml:8:23: mode: expected one of auto, off, fast, minsolar, solar; not "
         "'sunny'\n"
         "site.yaml:8:30: tags: there is no key 'priorty' in a tag; did you mean "
         "'priority'?\n"
         "site.yaml:9:16: priority: 11 is out of range: 0 to 10\n"
         "site.yaml:9:27: limit: 5 is out of range: 6 to 1000\n"
         "site.yaml:9:39: departs: expected a time of day like 07:30, not '7:30'\n"
         "site.yaml:10:5: tags: 'id_tag' is missing\n"},
        {"money without a price", GOOD "ocpp:\n  tags:\n  - {id_tag: A, max_cost: 5}\n",
         "site.yaml:8:3: warning: tags: the max_cost of 'A' needs a site.price\n"},
        {"no such tags", GOOD "ocpp:\n  tags: tags.txt\n",
         "site.yaml:7:9: tags: expected accept, a CSV file or a list; cannot read "
         "'tags.txt': No such file or directory\n"},
        {"adopting on a circuit that is not there",
         GOOD "ocpp:\n  adopt: true\n  adopt_circuit: x\n",
         "site.yaml:8:18: adopt_circuit: there is no circuit 'x'\n"},
    };
    (void)state;

    RUN(cases);
}

/* All at once, in the order of the file, whatever step finds them. */
static void all_at_once(void **state)
{
    char *said;
    (void)state;

    assert_null(util_load("chargers:\n"
                          "- id: a\n"
                          "  circuit: garag\n"
                          "  connectors:\n"
                          "  - max: 5\n"
                          "    mode: quick\n"
                          "ocpp:\n"
                          "  listen: 8887\n"
                          "meters:\n"
                          "- name: main\n"
                          "  model: sdm630\n"
                          "circuits:\n"
                          "- name: grid\n"
                          "  limit: 63A\n"
                          "  meter: man\n"
                          "- name: garage\n"
                          "  parent: grid\n"
                          "  limit: 010\n"
                          "sit:\n",
                          NULL, &said));
    assert_string_equal(
        said,
        "site.yaml:3:12: circuit: there is no circuit 'garag'; did you mean 'garage'?\n"
        "site.yaml:5:10: max: 5 A is below min: 6 A\n"
        "site.yaml:6:11: mode: expected one of auto, off, fast, minsolar, solar; not "
        "'quick'\n"
        "site.yaml:8:11: listen: expected HOST:PORT like 192.0.2.20:502 or [::1]:502, "
        "not '8887'\n"
        "site.yaml:10:3: meter 'main': one of 'tcp', 'rtu', 'rtutcp', 'p1', 'p1tcp', "
        "'mqtt' or 'chargers' is missing\n"
        "site.yaml:10:3: warning: meter 'main' is not the meter of any circuit (a "
        "solar "
        "one has role: solar)\n"
        "site.yaml:14:10: limit: expected amperes as a plain number like 16 or 16.5, "
        "not '63A': leave out the unit\n"
        "site.yaml:15:10: meter: there is no meter 'man'; did you mean 'main'?\n"
        "site.yaml:18:10: limit: expected amperes as a plain number like 16 or 16.5, "
        "not '010': leave out the leading zero\n"
        "site.yaml:19:1: unknown key 'sit'; did you mean 'site'?\n");
    free(said);
}

static void files(void **state)
{
    struct conf_errors errors = {0};
    char *said;
    (void)state;

    unlink(util_path("site.yaml"));
    assert_null(util_load(NULL, NULL, &said));
    assert_string_equal(
        said, "site.yaml:1:1: cannot read this file: No such file or directory\n");
    free(said);

    assert_null(config_load("/", NULL, &errors));
    assert_int_equal(errors.n, 1);
    assert_string_equal(errors.list[0].text, "cannot read this file: Is a directory");
    conf_errors_free(&errors);

    char *big = malloc((1 << 20) + 2);
    assert_non_null(big);
    memset(big, '#', (1 << 20) + 1);
    big[(1 << 20) + 1] = '\0';
    assert_null(util_load(big, NULL, &said));
    assert_string_equal(said, "site.yaml:1:1: cannot read this file: File too large\n");
    free(said);
    free(big);
}

/* The errors of a second file come after those of the first. */
static void lists_add_up(void **state)
{
    struct conf_errors errors = {0};
    const char *path = util_write("site.yaml", "site: x\n");
    (void)state;

    assert_null(config_load(path, NULL, &errors));
    int n = errors.n;
    assert_true(n > 0);
    assert_null(config_load(path, NULL, &errors));
    assert_int_equal(errors.n, 2 * n);
    for (int i = 0; i < n; i++)
        assert_string_equal(errors.list[i].text, errors.list[n + i].text);
    conf_errors_free(&errors);
}

static void too_many(void **state)
{
    struct conf_errors errors = {0};
    char *text = malloc(40000);
    size_t n = (size_t)sprintf(text, GOOD);
    (void)state;

    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "- id: CP-%d\n  max: 1\n", i + 10);
    assert_null(config_load(util_write("site.yaml", text), NULL, &errors));
    assert_int_equal(errors.n, 200);
    assert_int_equal(errors.list[0].line, 7);
    assert_string_equal(errors.list[199].text, "801 more errors are not shown");
    conf_errors_free(&errors);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),
        cmocka_unit_test(keys),
        cmocka_unit_test(policies_are_suggested),
        cmocka_unit_test(circuits),
        cmocka_unit_test(depth),
        cmocka_unit_test(meters),
        cmocka_unit_test(chargers),
        cmocka_unit_test(services),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(files),
        cmocka_unit_test(lists_add_up),
        cmocka_unit_test(too_many),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
