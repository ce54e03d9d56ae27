/* SPDX-License-Identifier: Apache-2.0 */
/* A small site for the tests of MQTT: a grid connection with a garage below it, three
 * connectors: one charging, one waiting, one whose charger is away. */
#ifndef TESTS_MQTT_FIXTURE_H
#define TESTS_MQTT_FIXTURE_H

#include "config/config.h"
#include "proto/snapshot.h"

enum { FIXTURE_CIRCUITS = 2, FIXTURE_CONNECTORS = 3 };

#define UNKNOWN EVENT_NO_VALUE

struct fixture {
    struct site_circuit site_circuits[FIXTURE_CIRCUITS];
    struct conf_connector conf_connectors[FIXTURE_CONNECTORS];
    struct config conf;
    struct snap_circuit circuits[FIXTURE_CIRCUITS];
    struct snap_connector connectors[FIXTURE_CONNECTORS];
    struct snap_meter meters[1];
    struct snapshot snap;
};

static inline void fixture_conf(struct fixture *f)
{
    f->site_circuits[0] = (struct site_circuit){.name = "grid",
                                                .parent = SITE_NONE,
                                                .limit_ma = {63000, 63000, 50000},
                                                .meter = 0};
    f->site_circuits[1] = (struct site_circuit){.name = "Tiefgarage Süd",
                                                .parent = 0,
                                                .limit_ma = {32000, 32000, 32000},
                                                .meter = SITE_NONE};
    f->conf_connectors[0] = (struct conf_connector){0, 1, "CP-01_1", "Bay 1"};
    f->conf_connectors[1] = (struct conf_connector){1, 1, "CP-02_1", "Bay 2"};
    f->conf_connectors[2] = (struct conf_connector){2, 1, "KC/3*_1", "Bay 3"};
    f->conf = (struct config){.site = {.name = "Lindenhof 12",
                                       .n_circuits = FIXTURE_CIRCUITS,
                                       .n_connectors = FIXTURE_CONNECTORS,
                                       .circuits = f->site_circuits},
                              .site_id = "main",
                              .connectors = f->conf_connectors};
    f->conf.http.host = "192.0.2.9";
    f->conf.http.port = 8880;
    f->conf.mqtt.host = "127.0.0.1";
    f->conf.mqtt.port = 1883;
    f->conf.mqtt.prefix = "chargehand";
    f->conf.mqtt.homeassistant = true;
    f->conf.mqtt.ha_prefix = "homeassistant";
    f->conf.mqtt.interval_ms = 10000;
}

static inline void fixture_connectors(struct fixture *f)
{
    f->connectors[0] = (struct snap_connector){
        .cid = "CP-01_1",
        .name = "Bay 1",
        .charger = "CP-01",
        .vendor = "Alfen",
        .model = "Eve Single",
        .serial = "ACE0000001",
        .firmware = "7.2",
        .circuit = "Tiefgarage Süd",
        .why_circuit = "grid",
        .why_until_utc_s = 1793545800,
        .number = 1,
        .max_ma = 16000,
        .min_ma = 6000,
        .session = true,
        .tag = "04AABBCC",
        .session_begin_utc_s = 1793544600,
        .session_wh = 4321,
        .departs_utc_s = 1793601000,
        .v = {.online = true,
              .session = true,
              .confirmed = true,
              .status = STATUS_CHARGING,
              .mode = MODE_AUTO,
              .priority = 3,
              .offered_ma = 16200,
              .exposure_ma = 16200,
              .measured_ma = {0, 15949, 15951},
              .measured_at_ms = 996000,
              .energy_wh = 1234567,
              .power_w = 7301,
              .wish = {.energy_wh = 12500, .departs_ms = INT64_MAX, .max_ma = 16000},
              .energy_by = WISH_PERSON,
              .departs_by = WISH_CAR,
              .ceiling_ma = 20000,
              .n_phases = 3,
              .why = {REASON_CIRCUIT, 0, 1}}};
    f->connectors[1] = (struct snap_connector){
        .cid = "CP-02_1",
        .name = "Bay 2",
        .charger = "CP-02",
        .vendor = "",
        .model = "",
        .serial = "",
        .firmware = "",
        .circuit = "Tiefgarage Süd",
        .why_circuit = "",
        .number = 1,
        .max_ma = 16000,
        .min_ma = 6000,
        .tag = "",
        .v = {.online = true,
              .status = STATUS_PREPARING,
              .mode = MODE_OFF,
              .measured_ma = {0, 0, 0},
              .measured_at_ms = 990000,
              .energy_wh = 5000,
              .power_w = 0,
              .wish = {.energy_wh = UNKNOWN, .departs_ms = INT64_MAX},
              .energy_by = WISH_SOURCES,
              .departs_by = WISH_SOURCES,
              .ceiling_ma = UNKNOWN,
              .why = {REASON_MODE, SITE_NONE, SITE_NONE}}};
    f->connectors[2] = (struct snap_connector){
        .cid = "KC/3*_1",
        .name = "Bay 3",
        .charger = "KC/3*",
        .vendor = "Ke\xff"
                  "ba",
        .model = "",
        .serial = "",
        .firmware = "",
        .circuit = "grid",
        .why_circuit = "",
        .number = 1,
        .max_ma = 32000,
        .min_ma = 6000,
        .tag = "",
        .v = {.online = false,
              .status = STATUS_UNKNOWN,
              .mode = MODE_AUTO,
              .exposure_ma = 6000,
              .measured_ma = {UNKNOWN, UNKNOWN, UNKNOWN},
              .measured_at_ms = INT64_MIN,
              .energy_wh = EVENT_NO_ENERGY,
              .power_w = UNKNOWN,
              .wish = {.energy_wh = UNKNOWN, .departs_ms = INT64_MAX},
              .energy_by = WISH_SOURCES,
              .departs_by = WISH_SOURCES,
              .ceiling_ma = UNKNOWN,
              .why = {REASON_OFFLINE, SITE_NONE, SITE_NONE}}};
}

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    fixture_conf(f);
    fixture_connectors(f);
    f->circuits[0] = (struct snap_circuit){.name = "grid",
                                           .parent = SITE_NONE,
                                           .meter = "main",
                                           .power_limit_w = 40000,
                                           .v = {.metered = true,
                                                 .meter_ok = true,
                                                 .limit_ma = {40000, 40000, 40000},
                                                 .external_ma = 40000,
                                                 .external_until_ms = 1250000,
                                                 .base_ma = {10000, -2000, 0},
                                                 .granted_ma = {0, 16200, 16200},
                                                 .total_ma = {10049, 13951, -3050},
                                                 .meter_at_ms = 999000,
                                                 .total_w = 5123}};
    f->circuits[1] =
        (struct snap_circuit){.name = "Tiefgarage Süd",
                              .parent = 0,
                              .meter = "",
                              .v = {.meter_ok = true,
                                    .limit_ma = {32000, 32000, 32000},
                                    .external_ma = UNKNOWN,
                                    .external_chargers_w = 9000,
                                    .external_until_ms = INT64_MAX,
                                    .base_ma = {1000, 1000, 1000},
                                    .granted_ma = {0, 16200, 16200},
                                    .total_ma = {UNKNOWN, UNKNOWN, UNKNOWN},
                                    .meter_at_ms = INT64_MIN,
                                    .total_w = UNKNOWN}};
    f->meters[0] = (struct snap_meter){.name = "main",
                                       .role = METER_CIRCUIT,
                                       .source = "modbus",
                                       .ok = true,
                                       .age_ms = 1000,
                                       .i_ma = {10049, 13951, -3050},
                                       .v_mv = {230140, 229960, 0},
                                       .p_w = 5123,
                                       .import_wh = 987654321,
                                       .export_wh = 20};
    f->snap = (struct snapshot){.site_id = "main",
                                .site_name = "Lindenhof 12",
                                .version = "0.1.0",
                                .policy = "equal",
                                .state = "limiting",
                                .utc_s = 1793545200,
                                .started_utc_s = 1793540000,
                                .now_ms = 1000000,
                                .steps = 77,
                                .mqtt_connected = true,
                                .n_connectors = FIXTURE_CONNECTORS,
                                .n_circuits = FIXTURE_CIRCUITS,
                                .n_meters = 1,
                                .connectors = f->connectors,
                                .circuits = f->circuits,
                                .meters = f->meters};
}

#endif
