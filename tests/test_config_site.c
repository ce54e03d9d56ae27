/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of good site files: the structs, the defaults, overrides, the examples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "config/keys.h"
#include "config_util.h"
#include "policy.h"

/* Loads it and insists that nothing is said. */
static struct config *load_silently(const char *text, const char *const *set)
{
    char *said;
    struct config *c = util_load(text, set, &said);

    if (!c || *said)
        fail_msg("%s", said);
    free(said);
    return c;
}

static const struct site_circuit *circuit(const struct config *c, const char *name)
{
    for (int i = 0; i < c->site.n_circuits; i++)
        if (strcmp(c->site.circuits[i].name, name) == 0)
            return &c->site.circuits[i];
    fail_msg("no circuit %s", name);
    return NULL;
}

static void defaults(void **state)
{
    struct config *c = load_silently(GOOD, NULL);
    const struct site *s = &c->site;
    (void)state;

    assert_string_equal(c->hash, "0a5951d876a9ac11");
    assert_string_equal(s->name, "Chargehand");
    assert_string_equal(c->site_id, "chargehand");
    assert_null(c->timezone);
    assert_int_equal(s->voltage_mv, 230000);
    assert_ptr_equal(s->policy, policy_by_name("equal"));
    assert_int_equal(s->lease_ms, 15 * 60000);
    assert_int_equal(s->settle_ms, 6000);
    assert_int_equal(s->n_circuits, 1);
    assert_int_equal(s->circuits[0].parent, SITE_NONE);
    assert_int_equal(s->circuits[0].meter, SITE_NONE);
    assert_int_equal(s->circuits[0].margin_ma, 0);
    assert_int_equal(s->circuits[0].power_limit_w, 0);
    assert_int_equal(s->circuits[0].unbalance_ma, 0);
    for (int p = 0; p < SITE_PHASES; p++) {
        assert_int_equal(s->circuits[0].limit_ma[p], 63000);
        assert_int_equal(s->circuits[0].base_ma[p], 0);
        assert_int_equal(s->connectors[0].wiring[p], p);
    }
    assert_int_equal(s->n_chargers, 1);
    assert_string_equal(s->chargers[0].id, "CP-01");
    assert_string_equal(c->chargers[0].name, "CP-01");
    assert_null(c->chargers[0].password);
    assert_int_equal(s->n_connectors, 1);
    assert_string_equal(c->connectors[0].cid, "CP-01_1");
    assert_int_equal(c->connectors[0].number, 1);
    assert_string_equal(s->connectors[0].name, "CP-01");
    assert_int_equal(s->connectors[0].min_ma, 6000);
    assert_int_equal(s->connectors[0].max_ma, 16000);
    assert_int_equal(s->connectors[0].step_ma, 100);
    assert_int_equal(s->connectors[0].fallback_ma, 0);
    assert_int_equal(s->connectors[0].priority, 0);
    assert_int_equal(s->connectors[0].weight, 1);
    assert_int_equal(s->connectors[0].mode, MODE_AUTO);
    assert_int_equal(s->connectors[0].min_3p_ma, 0);
    assert_false(s->connectors[0].phase_switch);
    assert_int_equal(c->connectors[0].departs_min, CONF_NO_DEPARTURE);
    assert_int_equal(s->solar.start_w, 200);
    assert_int_equal(s->solar.start_ms, 60000);
    assert_int_equal(s->solar.stop_ms, 180000);
    assert_int_equal(s->solar.filter_ms, 240000);
    assert_int_equal(s->solar.switch_w, 200);
    assert_int_equal(s->solar.switch_ms, 600000);
    assert_int_equal(s->solar.switches, 20);
    assert_string_equal(c->ocpp.host, "127.0.0.1");
    assert_int_equal(c->ocpp.port, 8887);
    assert_true(c->ocpp.accept_all_tags);
    assert_false(c->ocpp.adopt);
    assert_int_equal(c->ocpp.heartbeat_s, 300);
    assert_int_equal(c->ocpp.sample_s, 10);
    assert_int_equal(c->ocpp.call_timeout_ms, 30000);
    assert_int_equal(c->ocpp.ping_s, 30);
    assert_null(c->mqtt.host);
    assert_null(c->history.folder);
    assert_null(c->http.host);
    assert_null(c->journal.file);
    config_free(c);
}

/* A section that is only named has its defaults. */
static void empty_sections(void **state)
{
    struct config *c =
        load_silently(GOOD "mqtt:\nhistory: {}\nhttp:\njournal:\nmeters:\n", NULL);
    (void)state;

    assert_string_equal(c->mqtt.host, "127.0.0.1");
    assert_int_equal(c->mqtt.port, 1883);
    assert_string_equal(c->mqtt.client_id, "chargehand-chargehand");
    assert_string_equal(c->mqtt.prefix, "chargehand");
    assert_string_equal(c->mqtt.ha_prefix, "homeassistant");
    assert_true(c->mqtt.homeassistant);
    assert_false(c->mqtt.tls);
    assert_int_equal(c->mqtt.interval_ms, 10000);
    assert_string_equal(c->history.folder, "/var/lib/chargehand");
    assert_int_equal(c->history.commit_ms, 60000);
    assert_int_equal(c->history.keep_days, 60);
    assert_string_equal(c->http.host, "127.0.0.1");
    assert_int_equal(c->http.port, 8880);
    assert_string_equal(c->journal.file, "/var/lib/chargehand/journal");
    assert_int_equal(c->journal.max_bytes, 100000000);
    config_free(c);
}

/* Every key with a value of its own arrives where it belongs. */
static void everything(void **state)
{
    util_write("secret", "s3cret\nsecond line\n");
    chmod(util_path("secret"), 0600);
    struct config *c = load_silently(
        "version: 1\n"
        "site: {name: Haus \xc3\x96st 3, timezone: Europe/Berlin, voltage: 231.5,\n"
        "       policy: equal, lease: 2h, settle: 1500ms}\n"
        "chargers:\n"
        "- {id: RDAM 123, name: Left, circuit: garage, password_file: secret,\n"
        "   security: 2, certificate_name: SN 7, ping: 0s,\n"
        "   limit: [32, 32, 20],\n"
        "   connectors: [{name: A, wiring: L2 L3 L1, max: 32, min: 0, step: 1,\n"
        "                 fallback: 8.5, priority: 7, weight: 3, mode: minsolar},\n"
        "                {wiring: [L3, L1], mode: off}, {wiring: unknown}]}\n"
        "- {id: two, connectors: [{min_3p: 9.2, phase_switch: true, departs: 07:30}]}\n"
        "solar: {start: 0, start_delay: 0s, stop_delay: 1h, filter: 0s, switch: 500,\n"
        "        switch_delay: 1min, switches: 3}\n"
        "meters:\n"
        "- {name: sun, model: sunspec-inverter, rtutcp: '[::1]:4001', role: solar}\n"
        "- {name: main, model: eastron-sdm630, rtu: /dev/ttyS0 19200 8E1, unit: 3,\n"
        "   interval: 500ms, max_age: 3s, invert: true}\n"
        "circuits:\n"
        "- {name: garage, parent: grid, limit: 50, base_load: [1, -2, 0.5]}\n"
        "- {name: grid, limit: [63, 63, 50], margin: 2.5, power_limit: 40000,\n"
        "   meter: main}\n"
        "ocpp: {listen: '[::1]:0', adopt: true, adopt_places: 2, adopt_circuit: "
        "garage,\n"
        "       listen_tls: '[::1]:8888', listen_mtls: '0.0.0.0:8889', security: 1,\n"
        "       cert_file: secret, key_file: secret, client_ca_file: secret,\n"
        "       need_subprotocol: true, tags: [b1, A2], heartbeat: 60s, sample: 5s,\n"
        "       call_timeout: 10s, ping: 0s}\n"
        "mqtt: {host: broker, user: me, password_file: secret, client_id: x,\n"
        "       prefix: a/b, tls: true, homeassistant: false,\n"
        "       homeassistant_prefix: ha, interval: 1s}\n"
        "history: {folder: data, commit: 5s, keep_days: 0}\n"
        "http: {listen: 'localhost:0'}\n"
        "journal: {file: /x/journal, max_size: 2GB}\n",
        NULL);
    const struct site *s = &c->site;
    (void)state;

    assert_string_equal(s->name, "Haus \xc3\x96st 3");
    assert_string_equal(c->site_id, "haus_st_3");
    assert_string_equal(c->timezone, "Europe/Berlin");
    assert_int_equal(s->voltage_mv, 231500);
    assert_int_equal(s->lease_ms, 7200000);
    assert_int_equal(s->settle_ms, 1500);

    assert_int_equal(s->n_circuits, 3); /* the root first, then what it feeds */
    assert_string_equal(s->circuits[0].name, "grid");
    assert_string_equal(s->circuits[1].name, "garage");
    assert_string_equal(s->circuits[2].name, "RDAM_123");
    assert_int_equal(s->circuits[0].parent, SITE_NONE);
    assert_int_equal(s->circuits[1].parent, 0);
    assert_int_equal(s->circuits[2].parent, 1);
    assert_int_equal(s->circuits[0].limit_ma[2], 50000);
    assert_int_equal(s->circuits[0].margin_ma, 2500);
    assert_int_equal(s->circuits[0].power_limit_w, 40000);
    assert_int_equal(s->circuits[0].meter, 1);
    assert_int_equal(s->circuits[0].base_ma[0], 63000); /* metered: full when lost */
    assert_int_equal(s->circuits[0].base_ma[2], 50000);
    assert_int_equal(s->circuits[1].meter, SITE_NONE);
    assert_int_equal(s->circuits[1].base_ma[0], 1000);
    assert_int_equal(s->circuits[1].base_ma[1], -2000);
    assert_int_equal(s->circuits[1].base_ma[2], 500);
    assert_int_equal(s->circuits[2].limit_ma[2], 20000);
    assert_int_equal(s->circuits[2].meter, SITE_NONE);

    assert_int_equal(s->n_meters, 2);
    assert_int_equal(c->meters[0].transport, TRANSPORT_RTUTCP);
    assert_string_equal(c->meters[0].host, "::1");
    assert_int_equal(c->meters[0].port, 4001);
    assert_int_equal(c->meters[0].unit, -1);
    assert_int_equal(c->meters[0].role, METER_SOLAR);
    assert_int_equal(s->meters[0].role, METER_SOLAR);
    assert_int_equal(c->meters[1].transport, TRANSPORT_RTU);
    assert_string_equal(c->meters[1].device, "/dev/ttyS0");
    assert_int_equal(c->meters[1].baud, 19200);
    assert_int_equal(c->meters[1].parity, 'E');
    assert_int_equal(c->meters[1].data_bits, 8);
    assert_int_equal(c->meters[1].stop_bits, 1);
    assert_int_equal(c->meters[1].unit, 3);
    assert_true(c->meters[1].invert);
    assert_string_equal(s->meters[1].name, "main");
    assert_int_equal(s->meters[1].interval_ms, 500);
    assert_int_equal(s->meters[1].max_age_ms, 3000);

    assert_int_equal(s->n_chargers, 4);
    assert_string_equal(c->chargers[0].id, "RDAM 123");
    assert_string_equal(c->chargers[0].name, "Left");
    assert_string_equal(c->chargers[0].password, "s3cret");
    assert_int_equal(c->chargers[0].n, 3);
    assert_int_equal(c->chargers[1].first, 3);
    assert_null(c->chargers[2].id);
    assert_null(c->chargers[3].id);
    assert_int_equal(s->n_connectors, 6);
    assert_string_equal(c->connectors[0].cid, "RDAM_123_1");
    assert_string_equal(c->connectors[0].name, "A");
    assert_string_equal(c->connectors[1].name, "Left 2");
    assert_int_equal(c->connectors[1].number, 2);
    assert_int_equal(s->connectors[0].circuit, 2);
    assert_int_equal(s->connectors[3].circuit, 0);
    assert_int_equal(s->connectors[0].wiring[0], 1);
    assert_int_equal(s->connectors[0].wiring[1], 2);
    assert_int_equal(s->connectors[0].wiring[2], 0);
    assert_int_equal(s->connectors[0].max_ma, 32000);
    assert_int_equal(s->connectors[0].min_ma, 0);
    assert_int_equal(s->connectors[0].step_ma, 1000);
    assert_int_equal(s->connectors[0].fallback_ma, 8500);
    assert_int_equal(s->connectors[0].priority, 7);
    assert_int_equal(s->connectors[0].weight, 3);
    assert_int_equal(s->connectors[0].mode, MODE_MINSOLAR);
    assert_int_equal(s->connectors[1].wiring[0], 2);
    assert_int_equal(s->connectors[1].wiring[1], 0);
    assert_int_equal(s->connectors[1].wiring[2], SITE_NO_PHASE);
    assert_int_equal(s->connectors[1].mode, MODE_OFF);
    assert_true(s->connectors[2].wiring_unknown);
    assert_int_equal(s->connectors[3].min_3p_ma, 9200);
    assert_true(s->connectors[3].phase_switch);
    assert_int_equal(c->connectors[3].departs_min, 450);
    assert_int_equal(c->connectors[5].departs_min, CONF_NO_DEPARTURE);
    assert_int_equal(s->solar.start_w, 0);
    assert_int_equal(s->solar.start_ms, 0);
    assert_int_equal(s->solar.stop_ms, 3600000);
    assert_int_equal(s->solar.filter_ms, 0);
    assert_int_equal(s->solar.switch_w, 500);
    assert_int_equal(s->solar.switch_ms, 60000);
    assert_int_equal(s->solar.switches, 3);
    assert_int_equal(c->connectors[5].charger, 3); /* a free place */
    assert_string_equal(c->connectors[5].cid, "adopted_2");
    assert_true(s->connectors[5].wiring_unknown);
    assert_int_equal(s->connectors[5].circuit, 1);
    assert_int_equal(s->connectors[5].max_ma, 16000);
    assert_int_equal(s->connectors[5].min_ma, 6000);

    assert_string_equal(c->ocpp.host, "::1");
    assert_int_equal(c->ocpp.port, 0);
    assert_string_equal(c->ocpp.tls_host, "::1");
    assert_int_equal(c->ocpp.tls_port, 8888);
    assert_string_equal(c->ocpp.mtls_host, "0.0.0.0");
    assert_int_equal(c->ocpp.mtls_port, 8889);
    assert_string_equal(c->ocpp.cert_file, util_path("secret"));
    assert_string_equal(c->ocpp.key_file, util_path("secret"));
    assert_string_equal(c->ocpp.client_ca_file, util_path("secret"));
    assert_int_equal(c->ocpp.security, 1);
    assert_int_equal(c->chargers[0].security, 2);
    assert_string_equal(c->chargers[0].certificate_name, "SN 7");
    assert_int_equal(c->chargers[0].ping_s, 0);
    assert_int_equal(c->chargers[1].security, -1);
    assert_int_equal(c->chargers[1].ping_s, -1);
    assert_null(c->chargers[1].certificate_name);
    assert_int_equal(c->chargers[2].security, -1); /* a free place */
    assert_int_equal(c->chargers[2].ping_s, -1);
    assert_true(c->ocpp.adopt);
    assert_true(c->ocpp.need_subprotocol);
    assert_false(c->ocpp.accept_all_tags);
    assert_int_equal(c->ocpp.n_tags, 2);
    assert_string_equal(c->ocpp.tags[0].id, "A2");
    assert_string_equal(c->ocpp.tags[1].id, "b1");
    assert_int_equal(c->ocpp.heartbeat_s, 60);
    assert_int_equal(c->ocpp.sample_s, 5);
    assert_int_equal(c->ocpp.call_timeout_ms, 10000);
    assert_int_equal(c->ocpp.ping_s, 0);
    assert_string_equal(c->mqtt.host, "broker");
    assert_int_equal(c->mqtt.port, 8883);
    assert_string_equal(c->mqtt.user, "me");
    assert_string_equal(c->mqtt.password, "s3cret");
    assert_string_equal(c->mqtt.client_id, "x");
    assert_string_equal(c->mqtt.prefix, "a/b");
    assert_true(c->mqtt.tls);
    assert_false(c->mqtt.homeassistant);
    assert_string_equal(c->mqtt.ha_prefix, "ha");
    assert_int_equal(c->mqtt.interval_ms, 1000);
    assert_string_equal(c->history.folder, util_path("data")); /* beside the file */
    assert_int_equal(c->history.commit_ms, 5000);
    assert_int_equal(c->history.keep_days, 0);
    assert_string_equal(c->http.host, "localhost");
    assert_int_equal(c->http.port, 0);
    assert_string_equal(c->journal.file, "/x/journal");
    assert_int_equal(c->journal.max_bytes, 2000000000);
    config_free(c);
}

/* Children before their parents, deep: every parent still comes first. */
static void order_of_circuits(void **state)
{
    struct config *c = load_silently("circuits:\n"
                                     "- {name: d, limit: 10, parent: c}\n"
                                     "- {name: b, limit: 10, parent: a}\n"
                                     "- {name: c, limit: 10, parent: b}\n"
                                     "- {name: a, limit: 10}\n"
                                     "- {name: e, limit: 10, parent: a}\n"
                                     "chargers:\n- {id: x, circuit: d}\n",
                                     NULL);
    (void)state;

    assert_string_equal(c->site.circuits[0].name, "a");
    for (int i = 1; i < c->site.n_circuits; i++)
        assert_in_range(c->site.circuits[i].parent, 0, i - 1);
    const struct site_circuit *d = circuit(c, "d");
    assert_string_equal(c->site.circuits[d->parent].name, "c");
    assert_ptr_equal(&c->site.circuits[c->site.connectors[0].circuit], d);
    config_free(c);
}

static void off_without_chargers(void **state)
{
    char *said;
    struct config *c = util_load("circuits:\n- {name: grid, limit: 63}\n", NULL, &said);
    (void)state;

    assert_non_null(c);
    assert_null(c->ocpp.host);
    config_free(c);
    free(said);
    c = load_silently("circuits:\n- {name: grid, limit: 63}\nocpp:\n  adopt: true\n",
                      NULL);
    assert_string_equal(c->ocpp.host, "127.0.0.1");
    assert_int_equal(c->site.n_chargers, 4);
    config_free(c);
}

/* TLS alone opens no port without it. */
static void tls_alone(void **state)
{
    struct config *c;
    (void)state;

    util_write("secret", "x\n");
    chmod(util_path("secret"), 0600);
    c = load_silently("circuits:\n- {name: grid, limit: 63}\n"
                      "chargers:\n- {id: x, password_file: secret}\n"
                      "ocpp: {listen_tls: '0.0.0.0:8888', cert_file: secret,\n"
                      "  key_file: secret, security: 2}\n",
                      NULL);
    assert_null(c->ocpp.host);
    assert_string_equal(c->ocpp.tls_host, "0.0.0.0");
    config_free(c);
}

static void unbalance(void **state)
{
    const char *set[] = {"circuits.grid.unbalance=20", NULL};
    char *said;
    struct config *c = util_load(GOOD, set, &said);
    (void)state;

    assert_string_equal(said, "");
    assert_int_equal(c->site.circuits[0].unbalance_ma, 20000);
    config_free(c);
    free(said);
}

/* What a recording calls a connector. */
static void names_in_recordings(void **state)
{
    struct config *c = load_silently(GOOD "- id: two\n  connectors: [{}, {}]\n"
                                          "ocpp:\n  adopt: true\n",
                                     NULL);
    (void)state;

    assert_int_equal(config_connector(c, "CP-01"), 0);
    assert_int_equal(config_connector(c, "CP-01_1"), 0);
    assert_int_equal(config_connector(c, "two_1"), 1);
    assert_int_equal(config_connector(c, "two_2"), 2);
    assert_int_equal(config_connector(c, "two"), SITE_NONE);
    assert_int_equal(config_connector(c, "adopted_1"), 3);
    assert_int_equal(config_connector(c, "nobody"), SITE_NONE);
    assert_int_equal(config_circuit(c, "grid"), 0);
    assert_int_equal(config_circuit(c, "girder"), SITE_NONE);
    config_free(c);
}

/* ---- secrets and tags */

static void secrets(void **state)
{
    char *said;
    struct config *c;
    (void)state;

    util_write("key", "windows\r\n");
    chmod(util_path("key"), 0644);
    c = util_load(GOOD "  password_file: key\n", NULL, &said);
    assert_string_equal(said,
                        "site.yaml:6:18: warning: password_file: everyone can read "
                        "'key'; chmod 640 keeps it secret\n");
    assert_string_equal(c->chargers[0].password, "windows");
    config_free(c);
    free(said);
    said = NULL;
    c = util_load(GOOD "ocpp:\n  listen_tls: 127.0.0.1:1\n  cert_file: key\n"
                       "  key_file: key\n",
                  NULL, &said);
    assert_string_equal(said,
                        "site.yaml:9:13: warning: key_file: everyone can read 'key'; "
                        "chmod 640 keeps it secret\n");
    config_free(c);
    free(said);

    util_write("key", "\nsecond\n");
    chmod(util_path("key"), 0640);
    assert_null(util_load(GOOD "  password_file: key\n", NULL, &said));
    assert_string_equal(said,
                        "site.yaml:6:18: password_file: the first line of 'key' is "
                        "empty\n");
    free(said);

    c = util_load(GOOD "ocpp: {tags: [a], unknown_tags: low}\n", NULL, &said);
    assert_string_equal(said,
                        "site.yaml:6:33: warning: unknown_tags: low has an effect "
                        "under the policy priority only\n");
    assert_int_equal(c->ocpp.unknown_tags, CONF_LOW);
    assert_true(c->ocpp.local_list);
    config_free(c);
    free(said);
    config_free(util_load(GOOD "ocpp: {files: /nowhere}\n", NULL, &said));
    assert_string_equal(said,
                        "site.yaml:6:15: warning: files: cannot enter '/nowhere': "
                        "No such file or directory\n");
    free(said);
    config_free(util_load(GOOD "ocpp: {unknown_tags: refuse}\n", NULL, &said));
    assert_string_equal(said, "site.yaml:6:22: warning: unknown_tags: has no effect "
                              "without a list of tags\n");
    free(said);

    c = util_load(GOOD "mqtt: {user: u, password: hunter2}\n", NULL, &said);
    assert_string_equal(said,
                        "site.yaml:6:27: warning: password: in a file that others "
                        "may read; better a password_file\n");
    assert_string_equal(c->mqtt.password, "hunter2");
    config_free(c);
    free(said);

    assert_null(util_load(GOOD "mqtt:\n  password_file: key\n", NULL, &said));
    free(said);
}

static void tag_file(void **state)
{
    static const struct {
        const char *what, *text, *said;
        int n;
    } cases[] = {
        {"plain", "id_tag,name\nb,Bert\nA,\n", "", 2},
        {"only ids, Windows, no last line break", "id_tag\r\nb\r\nA", "", 2},
        {"byte order mark, another order, more columns",
         "\xef\xbb\xbfname,flat,id_tag\nAnna,3,A\n\"Bert, \"\"the\"\" driver\",4,b\n",
         "", 2},
        {"empty lines", "id_tag\n\nA\n\nb\n\n", "", 2},
        {"nobody", "id_tag,name\n", "", 0},
        {"wishes", "id_tag,priority,mode,limit,departs\nb,,,,\nA,5,solar,10.5,06:15\n",
         "", 2},
        {"validity",
         "id_tag,group,valid_until\nb,HOUSE,2026-12-31\nA,,2026-12-31T12:00:00Z\n", "",
         2},
        {"types", "id_tag,type\nA,KeyCode\nb,\n", "", 2},
        {"no type", "id_tag,type\nA,NoAuthorization\n",
         "t.csv:2:1: type: expected one of Central, eMAID, ISO14443, ISO15693, "
         "KeyCode, "
         "Local, MacAddress; not 'NoAuthorization'\n",
         0},
        {"at most", "id_tag,max_kwh,max_hours,max_cost\nA,20.5,1.5,10\nb,,,\n", "", 2},
        {"at most nothing", "id_tag,max_hours\nA,0\n",
         "t.csv:2:1: max_hours: 0 is out of range: 0.01 to 1000\n", 0},
        {"at most next to nothing", "id_tag,max_kwh\nA,0.01\n",
         "t.csv:2:1: max_kwh: 0.01 is out of range: 0.1 to 1000\n", 0},
        {"no day", "id_tag,valid_until\nA,31.12.2026\n",
         "t.csv:2:1: valid_until: expected a day like 2026-12-31 or a time like "
         "2026-12-31T12:00:00Z, not '31.12.2026'\n",
         0},
        {"half a time", "id_tag,valid_until\nA,2026-12-31T12\n",
         "t.csv:2:1: valid_until: expected a day like 2026-12-31 or a time like "
         "2026-12-31T12:00:00Z, not '2026-12-31T12'\n",
         0},
        {"a wrong wish", "id_tag,mode\nA,sunny\n",
         "t.csv:2:1: mode: expected one of auto, off, fast, minsolar, solar; not "
         "'sunny'\n",
         0},
        {"no header", "A,Anna\n",
         "t.csv:1:1: the first line must name the columns: id_tag,name\n", 0},
        {"empty", "", "t.csv:1:1: the first line must name the columns: id_tag,name\n",
         0},
        {"longest", "id_tag\n123456789012345678901234567890123456\n", "", 1},
        {"too long", "id_tag\n1234567890123456789012345678901234567\n",
         "t.csv:2:1: expected a tag of at most 36 characters, not "
         "'1234567890123456789012345678901234567'\n",
         0},
        {"twice, capitals aside", "id_tag\nabc\nx\nABC\n",
         "t.csv:4:1: tag 'ABC' is given twice; the first is at line 2\n", 0},
        {"no id", "name,id_tag\nAnna\n", "t.csv:2:1: there is no id_tag in this line\n",
         0},
        {"quote", "id_tag,name\n\"A,Anna\n",
         "t.csv:2:1: there is no id_tag in this line\n", 0},
    };
    const char *set[] = {"site.price=30", NULL};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *said;

        util_write("t.csv", cases[i].text);
        struct config *c = util_load(GOOD "ocpp:\n  tags: t.csv\n", set, &said);
        if (strcmp(said, cases[i].said) != 0)
            fail_msg("%s: %s", cases[i].what, said);
        if (c) {
            assert_int_equal(c->ocpp.n_tags, cases[i].n);
            assert_false(c->ocpp.accept_all_tags);
        }
        if (c && cases[i].n == 2) {
            assert_string_equal(c->ocpp.tags[0].id, "A");
            assert_string_equal(c->ocpp.tags[1].id, "b");
        }
        if (c && strcmp(cases[i].what, "validity") == 0) {
            assert_int_equal(c->ocpp.tags[0].until_s, 1798718400);
            assert_null(c->ocpp.tags[0].group);
            assert_int_equal(c->ocpp.tags[1].until_s, 1798761600);
            assert_string_equal(c->ocpp.tags[1].group, "HOUSE");
            assert_ptr_equal(config_tag(c, "B"), &c->ocpp.tags[1]);
            assert_null(config_tag(c, "C"));
            assert_null(config_tag(c, ""));
        }
        if (c && strcmp(cases[i].what, "wishes") == 0) {
            const struct conf_tag *a = &c->ocpp.tags[0], *b = &c->ocpp.tags[1];

            assert_int_equal(a->card.priority, 5);
            assert_int_equal(a->card.mode, MODE_SOLAR);
            assert_int_equal(a->card.max_ma, 10500);
            assert_int_equal(a->departs_min, 375);
            assert_int_equal(b->card.priority, EVENT_NO_VALUE);
            assert_int_equal(b->card.mode, MODE_COUNT);
            assert_int_equal(b->card.max_ma, EVENT_NO_VALUE);
            assert_int_equal(b->departs_min, CONF_NO_DEPARTURE);
        }
        if (c && strcmp(cases[i].what, "types") == 0) {
            assert_string_equal(c->ocpp.tags[0].type, "KeyCode");
            assert_null(c->ocpp.tags[1].type);
        }
        if (i == 2)
            assert_string_equal(c->ocpp.tags[1].name, "Bert, \"the\" driver");
        assert_int_equal(c != NULL, *cases[i].said == '\0');
        config_free(c);
        free(said);
    }
}

/* ---- overrides */

#define SITE                                                                           \
    "circuits:\n- {name: grid, limit: 63}\n- {name: a.b, limit: 20, parent: grid}\n"   \
    "chargers:\n- id: CP.1\n  name: Left\n  connectors: [{max: 16}, {max: 20}]\n"

static void overrides(void **state)
{
    static const struct {
        const char *set, *said;
    } cases[] = {
        {"site.policy=equal", ""},
        {"site.policy=eqal", NULL},
        {"site.voltage=23",
         "--set site.voltage: voltage: 23 V is out of range: 90 V to "
         "300 V\n"},
        {"site.volt=230",
         "--set site.volt: unknown key 'volt'; known here are name, id, timezone, "
         "voltage, policy, lease, writes_per_day, settle, dwell, pause, price, "
         "at_most\n"},
        {"site=x", "--set site: site: expected keys with values, like 'name: ...'\n"},
        {"site", "--set site: expected KEY=VALUE like site.policy=equal\n"},
        {"=x", "--set : expected KEY=VALUE like site.policy=equal\n"},
        {".=x", "--set .: this names no key\n"},
        {"site..x=1", "--set site..x: this names no key\n"},
        {"site.=1", "--set site.: this names no key\n"},
        {"circuits.gird.limit=20",
         "--set circuits.gird.limit: there is no 'gird' in this list; did you mean "
         "'grid'?\n"},
        {"circuits.grid=20", "--set circuits.grid: this names no key\n"},
        {"circuits=20",
         "--set circuits: circuits: expected a list, its entries begin with '- '\n"},
        {"circuits.3.limit=20",
         "--set circuits.3.limit: there is no '3' in this list\n"},
        {"circuits.grid.limit.x=20",
         "--set circuits.grid.limit.x: 'limit' has no keys below it\n"},
        {"circuits.grid.limit=[1, 2",
         "--set circuits.grid.limit: expected ',' or ']' in this list\n"},
        {"circuits.grid.limit=", "--set circuits.grid.limit: limit: no value\n"},
        {"circuits.grid.limit={a: 1, a: 2}",
         "--set circuits.grid.limit: key 'a' is given twice\n"
         "--set circuits.grid.limit: limit: expected one value, not keys\n"},
        {"circuits.grid.parent=a.b", NULL},
        {"circuits.grid.limit=*x",
         "--set circuits.grid.limit: anchors (&name) and aliases (*name) are not "
         "allowed: write it out\n"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *set[] = {cases[i].set, NULL};
        char *said;
        struct config *c = util_load(SITE, set, &said);

        if (cases[i].said && strcmp(said, cases[i].said) != 0)
            fail_msg("%s:\n%s\ninstead of\n%s", cases[i].set, said, cases[i].said);
        assert_int_equal(c != NULL, *said == '\0');
        config_free(c);
        free(said);
    }
}

static void overrides_take_effect(void **state)
{
    static const char *const set[] = {
        "circuits.grid.limit=[63, 50, 40]",
        "circuits.grid.power_limit=20000",
        "circuits.a.b.limit=15",            /* a name with a dot */
        "chargers.CP.1.connectors.2.max=8", /* by id, then by number */
        "chargers.Left.circuit=a.b",        /* by name */
        "chargers.1.connectors.1.wiring=L2 L3 L1",
        "site.name=Elsewhere",
        "mqtt.host=broker",
        "http=",
        "circuits.grid.power_limit=21000", /* the last one counts */
        NULL};
    struct config *c = load_silently(SITE, set);
    (void)state;

    assert_int_equal(c->site.circuits[0].limit_ma[2], 40000);
    assert_int_equal(c->site.circuits[0].power_limit_w, 21000);
    assert_int_equal(c->site.circuits[1].limit_ma[0], 15000);
    assert_int_equal(c->site.connectors[1].max_ma, 8000);
    assert_int_equal(c->site.connectors[0].circuit, 1);
    assert_int_equal(c->site.connectors[0].wiring[0], 1);
    assert_string_equal(c->site_id, "elsewhere");
    assert_string_equal(c->mqtt.host, "broker");
    assert_int_equal(c->http.port, 8880);
    config_free(c);
}

/* ---- the table */

#define ALL                                                                            \
    "site: {}\ncircuits:\n- name: grid\n  limit: 9999\n  meter: main\n"                \
    "  schedule: [{from: 17:00, to: 20:00, limit: 1}]\n"                               \
    "meters:\n- {name: main, model: m, tcp: 'a:502'}\n"                                \
    "inputs:\n- {name: dim, tcp: 'a:502', max_age: 1h}\n"                              \
    "chargers:\n- id: a\n  connectors: [{max: 1000, min: 0}]\n"                        \
    "ocpp: {}\nmqtt: {}\nhistory: {}\nhttp: {}\njournal: {}\n"

/* "circuits[].limit" is circuits.1.limit in an override. */
static void override_path(const struct conf_key *k, char out[120])
{
    const char *p = k->path;
    size_t n = 0;

    for (; *p; p++)
        if (p[0] == '[' && p[1] == ']') {
            out[n++] = '.';
            out[n++] = '1';
            p++;
        } else {
            out[n++] = *p;
        }
    out[n] = '\0';
}

static void number_text(const struct conf_key *k, int64_t n, char out[40])
{
    switch (k->type) {
    case CONF_T_AMPS:
    case CONF_T_AMPS3:
    case CONF_T_VOLTS:
        snprintf(out, 40, "%s%lld.%03lld", n < 0 ? "-" : "", (long long)llabs(n) / 1000,
                 (long long)llabs(n) % 1000);
        break;
    case CONF_T_TIME:
        snprintf(out, 40, "%lldms", (long long)n);
        break;
    case CONF_T_SIZE:
        snprintf(out, 40, "%lldkB", (long long)n / 1000);
        break;
    default:
        snprintf(out, 40, "%lld", (long long)n);
    }
}

static bool out_of_range(const struct conf_key *k, int64_t n)
{
    char path[120], number[40], text[200], *said, wanted[200];
    const char *set[] = {text, NULL};

    override_path(k, path);
    number_text(k, n, number);
    snprintf(text, sizeof text, "%s=%s", path, number);
    struct config *c = util_load(ALL, set, &said);
    snprintf(wanted, sizeof wanted, "--set %s: %s: ", path, conf_key_name(k));
    bool refused = strncmp(said, wanted, strlen(wanted)) == 0 &&
                   strstr(said, "out of range: ") != NULL;
    if (refused && c)
        fail_msg("%s: said but taken", text);
    if (strstr(said, "unknown key") || (!refused && strstr(said, "expected")))
        fail_msg("%s: %s", text, said);
    config_free(c);
    free(said);
    return refused;
}

static void every_range(void **state)
{
    int checked = 0;
    (void)state;

    for (const struct conf_key *k = conf_keys; k < conf_keys + K_COUNT; k++) {
        int64_t div = k->div ? k->div : 1;
        int64_t step = k->type == CONF_T_SIZE ? 1000 : div;

        if (k->type < CONF_T_AMPS || k->type > CONF_T_SIZE || k->type == CONF_T_STEP)
            continue;
        checked++;
        if (out_of_range(k, k->min * div) || out_of_range(k, k->max * div))
            fail_msg("%s: an end of its range is refused", k->path);
        if (!out_of_range(k, k->max * div + step))
            fail_msg("%s: more than its maximum is taken", k->path);
        if (k->min != 0 && !out_of_range(k, k->min * div - step) && k->min != 1)
            fail_msg("%s: less than its minimum is taken", k->path);
    }
    assert_true(checked >= 25);
}

/* Another good value for each key that needs a restart. */
static const char *other_value(enum conf_key_id k)
{
    switch (conf_keys[k].type) {
    case CONF_T_ADDRESS:
        return "127.0.0.1:1234";
    case CONF_T_BOOL:
        return k == K_MQTT_HA ? "false" : "true";
    case CONF_T_TIME:
        return "77s";
    case CONF_T_COUNT:
        return "77";
    case CONF_T_SIZE:
        return "77MB";
    case CONF_T_FILE:
        return k == K_OCPP_SECOND_CERT || k == K_OCPP_SECOND_KEY ||
                       k == K_MQTT_PASSWORD_FILE || k == K_MQTT_CA ||
                       k == K_MQTT_CERT || k == K_MQTT_KEY
                   ? util_path("secret")
                   : "/elsewhere";
    default:
        return "other";
    }
}

static void restart_keys(void **state)
{
    static const char base[] = ALL;
    char *said;
    int checked = 0;
    (void)state;

    util_write("secret", "x\n");
    chmod(util_path("secret"), 0600);
    char ca[300], cert[300], key[300];
    const char *first[] = {"mqtt.user=u",
                           "ocpp.listen=127.0.0.1:1",
                           "ocpp.listen_tls=127.0.0.1:2",
                           "ocpp.listen_mtls=127.0.0.1:3",
                           ca,
                           cert,
                           key,
                           NULL};
    snprintf(ca, sizeof ca, "ocpp.client_ca_file=%s", util_path("secret"));
    snprintf(cert, sizeof cert, "ocpp.cert_file=%s", util_path("secret"));
    snprintf(key, sizeof key, "ocpp.key_file=%s", util_path("secret"));
    struct config *running = util_load(base, first, &said);
    assert_non_null(running);
    free(said);
    assert_null(config_restart_key(running, running));
    for (int k = 0; k < K_COUNT; k++) {
        char text[300], more[300];
        const char *set[10] = {NULL};
        memcpy(set, first, sizeof first);
        set[7] = text;
        set[8] = more;

        if (!conf_keys[k].restart)
            continue;
        snprintf(text, sizeof text, "%s=%s", conf_keys[k].path, other_value(k));
        snprintf(more, sizeof more, "mqtt.user=u");
        if (k == K_MQTT_USER)
            set[8] = NULL;
        if (k == K_OCPP_SECOND_CERT || k == K_OCPP_SECOND_KEY)
            snprintf(more, sizeof more, "%s=%s",
                     conf_keys[k == K_OCPP_SECOND_CERT ? K_OCPP_SECOND_KEY
                                                       : K_OCPP_SECOND_CERT]
                         .path,
                     util_path("secret"));
        if (k == K_MQTT_CERT || k == K_MQTT_KEY) /* they need each other */
            snprintf(more, sizeof more, "%s=%s",
                     conf_keys[k == K_MQTT_CERT ? K_MQTT_KEY : K_MQTT_CERT].path,
                     util_path("secret"));
        struct config *next = util_load(base, set, &said);
        if (!next)
            fail_msg("%s: %s", text, said);
        const char *found = config_restart_key(running, next);
        const char *wanted = conf_keys[k].path;
        if (k == K_MQTT_PASSWORD_FILE) /* the password itself is compared */
            wanted = "mqtt.password";
        if (k == K_MQTT_CA) /* it switches to TLS and its port */
            wanted = "mqtt.port";
        if (k == K_MQTT_TLS)
            wanted = "mqtt.port";
        if (k == K_MQTT_KEY)
            wanted = "mqtt.cert_file";
        if (k == K_OCPP_SECOND_KEY)
            wanted = "ocpp.second_cert_file";
        if (!found || strcmp(found, wanted) != 0)
            fail_msg("%s: found %s", text, found ? found : "nothing");
        checked++;
        config_free(next);
        free(said);
    }
    assert_true(checked >= 18);

    static const char *const harmless[] = {"site.name=X",
                                           "circuits.grid.limit=32",
                                           "site.voltage=240",
                                           "ocpp.tags=[a, b]",
                                           "ocpp.adopt=true",
                                           "ocpp.heartbeat=1h",
                                           "meters.main.unit=7",
                                           "site.lease=1h",
                                           "ocpp.cert_file=/dev/null",
                                           NULL};
    for (int i = 0; harmless[i]; i++) {
        const char *set[10] = {NULL};
        memcpy(set, first, sizeof first);
        set[7] = "site.id=chargehand";
        set[8] = harmless[i];
        struct config *next = util_load(base, set, &said);
        assert_non_null(next);
        assert_null(config_restart_key(running, next));
        config_free(next);
        free(said);
    }
    config_free(running);
}

/* A section that goes away or comes needs a restart, too. */
static void restart_for_sections(void **state)
{
    struct config *with = load_silently(GOOD "http:\n", NULL);
    struct config *without = load_silently(GOOD, NULL);
    (void)state;

    assert_string_equal(config_restart_key(with, without), "http.listen");
    assert_string_equal(config_restart_key(without, with), "http.listen");
    config_free(with);
    config_free(without);
}

/* The words of the table are those of the core's enumerations. */
static void words(void **state)
{
    (void)state;

    for (int m = 0; m < MODE_COUNT; m++)
        assert_string_equal(conf_keys[K_CONNECTOR_MODE].words[m], mode_name(m));
    assert_null(conf_keys[K_CONNECTOR_MODE].words[MODE_COUNT]);
    assert_string_equal(conf_keys[K_METER_ROLE].words[METER_CIRCUIT], "circuit");
    assert_string_equal(conf_keys[K_METER_ROLE].words[METER_SOLAR], "solar");
    for (int s = 0; s < CONF_SECTIONS; s++)
        for (int k = (int)conf_sections[s].first; k <= (int)conf_sections[s].last; k++)
            assert_non_null(conf_keys[k].help);
}

/* ---- what is shipped */

static struct config *load_example(const char *name)
{
    struct conf_errors errors = {0};
    struct config *c = config_load(util_example_path(name), NULL, &errors);

    if (!c || errors.n > 0)
        fail_msg("%s:%d: %s", name, errors.n ? errors.list[0].line : 0,
                 errors.n ? errors.list[0].text : "");
    conf_errors_free(&errors);
    return c;
}

static void apartment(void **state)
{
    struct config *c = load_example("apartment.yaml");
    int rotations[SITE_PHASES] = {0};
    (void)state;

    assert_int_equal(c->site.n_connectors, 10);
    assert_int_equal(c->site.n_chargers, 10);
    for (int p = 0; p < SITE_PHASES; p++)
        assert_int_equal(c->site.circuits[0].limit_ma[p], 63000);
    assert_int_not_equal(c->site.circuits[0].meter, SITE_NONE);
    for (int i = 0; i < 10; i++)
        rotations[c->site.connectors[i].wiring[0]]++;
    for (int p = 0; p < SITE_PHASES; p++)
        assert_in_range(rotations[p], 3, 4);
    config_free(c);
}

static void depot(void **state)
{
    struct config *c = load_example("depot.yaml");
    int solar = 0;
    (void)state;

    assert_int_equal(c->site.n_connectors, 40);
    assert_int_equal(c->site.n_circuits, 4);
    assert_true(c->site.circuits[0].power_limit_w > 0);
    for (int i = 0; i < c->site.n_meters; i++)
        solar += c->site.meters[i].role == METER_SOLAR;
    assert_int_equal(solar, 1);
    config_free(c);
}

static void home(void **state)
{
    struct config *c = load_example("home.yaml");
    (void)state;

    assert_int_equal(c->site.n_connectors, 1);
    assert_int_equal(c->site.meters[1].role, METER_SOLAR);
    config_free(c);
}

static void caltech(void **state)
{
    static const struct {
        const char *name;
        int32_t min_ma, step_ma;
    } files[] = {{"caltech.yaml", 0, 100}, {"caltech-real.yaml", 6000, 1000}};
    (void)state;

    for (int f = 0; f < 2; f++) {
        struct config *c = load_example(files[f].name);

        assert_int_equal(c->site.n_chargers, 54);
        assert_int_equal(c->site.n_connectors, 54);
        assert_int_equal(c->site.n_meters, 0);
        assert_int_equal(c->site.voltage_mv, 208000);
        for (int i = 0; i < 54; i++) {
            const struct site_connector *s = &c->site.connectors[i];

            assert_int_equal(s->wiring[0], 0);
            assert_int_equal(s->wiring[1], SITE_NO_PHASE);
            assert_int_equal(s->max_ma, 32000);
            assert_int_equal(s->min_ma, files[f].min_ma);
            assert_int_equal(s->step_ma, files[f].step_ma);
        }
        config_free(c);
    }
}

/* Every connector of the recording, where it is at hand, is a charger of the site. */
static void caltech_names(void **state)
{
    char path[400], line[200];
    struct config *c = load_example("caltech.yaml");
    const char *top = getenv("srcdir");
    int sessions = 0;
    (void)state;

    snprintf(path, sizeof path, "%s/../shared/data/acn-caltech-2019-03/sessions.csv",
             top ? top : ".");
    FILE *f = fopen(path, "r");
    if (!f) {
        config_free(c);
        print_message("the recording is not at hand\n");
        skip();
        return;
    }
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        bool found = false;
        line[strcspn(line, ",")] = '\0';
        for (int i = 0; i < c->site.n_chargers && !found; i++)
            found = strcmp(c->chargers[i].id, line) == 0;
        if (!found)
            fail_msg("no charger %s", line);
        sessions++;
    }
    assert_int_equal(sessions, 954);
    fclose(f);
    config_free(c);
}

/* The list of keys in the man page is the one of the table. */
static void man_page(void **state)
{
    char path[400], *wanted, *page = calloc(1, 1 << 17);
    const char *top = getenv("srcdir");
    size_t size;
    (void)state;

    snprintf(path, sizeof path, "%s/doc/chargehand.yaml.5", top ? top : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(page, 1, (1 << 17) - 1, f) > 0);
    fclose(f);
    FILE *to = open_memstream(&wanted, &size);
    conf_keys_print_man(to);
    fclose(to);
    char *from = strstr(page, ".\\\" keys begin\n"),
         *end = strstr(page, ".\\\" keys end\n");
    assert_non_null(from);
    assert_non_null(end);
    from = strchr(from, '\n') + 1;
    *end = '\0';
    if (strcmp(from, wanted) != 0)
        fail_msg("put what `chargehand check-config --keys --man` prints between the "
                 "marks in %s",
                 path);
    free(wanted);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(empty_sections),
        cmocka_unit_test(everything),
        cmocka_unit_test(order_of_circuits),
        cmocka_unit_test(off_without_chargers),
        cmocka_unit_test(tls_alone),
        cmocka_unit_test(unbalance),
        cmocka_unit_test(names_in_recordings),
        cmocka_unit_test(secrets),
        cmocka_unit_test(tag_file),
        cmocka_unit_test(overrides),
        cmocka_unit_test(overrides_take_effect),
        cmocka_unit_test(every_range),
        cmocka_unit_test(restart_keys),
        cmocka_unit_test(restart_for_sections),
        cmocka_unit_test(words),
        cmocka_unit_test(apartment),
        cmocka_unit_test(depot),
        cmocka_unit_test(home),
        cmocka_unit_test(caltech),
        cmocka_unit_test(caltech_names),
        cmocka_unit_test(man_page),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
