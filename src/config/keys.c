/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of all keys of a site file. */
#include "config/keys.h"

#include <string.h>

#include "config/config.h"
#include "proto/ocpp_versions.h"

#define AT(type, field)                                                                \
    .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define AMPS(from, to) .min = (from)*INT64_C(1000), .max = (to)*INT64_C(1000)
#define SEC INT64_C(1000)
#define MIN INT64_C(60000)
#define HOUR INT64_C(3600000)

static const char *const modes[] = {"auto", "off", "fast", "minsolar", "solar", NULL};
static const char *const roles[] = {"circuit", "solar", NULL};
static const char *const word_orders[] = {"be", "ws", "bs", "le", NULL};
static const char *const quantities[] = {"v1", "v2",     "v3",     "i1", "i2",
                                         "i3", "p1",     "p2",     "p3", "p",
                                         "hz", "import", "export", NULL};
static const char *const units[] = {"mV",  "V",  "mA", "A",   "W",   "kW",
                                    "mHz", "Hz", "Wh", "kWh", "MWh", NULL};
static const char *const functions[] = {"coil", "discrete", "holding", "input", NULL};
static const char *const levels[] = {"high", "low", NULL};
static const char *const tx_profiles[] = {"auto", "1", "0", "no", NULL};
static const char *const default_profiles[] = {
    "auto", "1", "steps", "endless", "max", "max-endless", NULL};
static const char *const profile_kinds[] = {"auto", "absolute", "relative", NULL};
static const char *const profile_units[] = {"auto", "A", "W", NULL};
static const char *const unknown[] = {"refuse", "accept", "low", NULL};
static const char *const ends[] = {"pause", "stop", NULL};
static const char *const states[] = {"active", "inactive", NULL};

const struct conf_section_info conf_sections[CONF_SECTIONS] = {
    [CONF_TOP] = {K_VERSION, K_JOURNAL, "site file", K_COUNT},
    [CONF_SITE] = {K_SITE_NAME, K_SITE_AT_MOST, "site", K_COUNT},
    [CONF_SOLAR] = {K_SOLAR_START, K_SOLAR_SWITCHES, "solar", K_COUNT},
    [CONF_CIRCUITS] = {K_CIRCUIT_NAME, K_CIRCUIT_SCHEDULE, "circuit", K_CIRCUIT_NAME},
    [CONF_SCHEDULE] = {K_SCHEDULE_DAYS, K_SCHEDULE_CHARGERS, "schedule entry", K_COUNT},
    [CONF_METERS] = {K_METER_NAME, K_METER_INVERT, "meter", K_METER_NAME},
    [CONF_VALUES] = {K_VALUE_WHAT, K_VALUE_UNIT, "value", K_COUNT},
    [CONF_INPUTS] = {K_INPUT_NAME, K_INPUT_POWER, "input", K_INPUT_NAME},
    [CONF_CHARGERS] = {K_CHARGER_ID, K_CHARGER_CONNECTORS, "charger", K_CHARGER_ID},
    [CONF_CONNECTORS] = {K_CONNECTOR_NAME, K_CONNECTOR_DEPARTS, "connector", K_COUNT},
    [CONF_OCPP] = {K_OCPP_LISTEN, K_OCPP_FILES, "ocpp", K_COUNT},
    [CONF_MQTT] = {K_MQTT_HOST, K_MQTT_INTERVAL, "mqtt", K_COUNT},
    [CONF_HISTORY] = {K_HISTORY_FOLDER, K_HISTORY_KEEP, "history", K_COUNT},
    [CONF_HTTP] = {K_HTTP_LISTEN, K_HTTP_LISTEN, "http", K_COUNT},
    [CONF_JOURNAL] = {K_JOURNAL_FILE, K_JOURNAL_MAX_SIZE, "journal", K_COUNT},
};

/* clang-format off */
const struct conf_key conf_keys[K_COUNT] = {
/* ---- the file */
[K_VERSION] = {"version", CONF_T_COUNT, .min = 1, .max = 1, .dflt = "1",
    .help = "The version of the format of this file."},
[K_SITE] = {"site", CONF_T_SECTION, .min = CONF_SITE,
    .help = "The site as a whole."},
[K_SOLAR] = {"solar", CONF_T_SECTION, .min = CONF_SOLAR,
    .help = "How cars follow the sun. Without this section the defaults hold."},
[K_CIRCUITS] = {"circuits", CONF_T_LIST, .required = true, .min = CONF_CIRCUITS,
    .max = 1000,
    .help = "The circuits: a tree of fuses and cables. The one without a parent is "
            "the grid connection; put it first."},
[K_METERS] = {"meters", CONF_T_LIST, .min = CONF_METERS, .max = 250,
    .help = "The meters. Each is one of four kinds: Modbus (tcp, rtu or rtutcp, and its "
            "model), the P1 port of a smart meter (p1 or p1tcp), heard over MQTT (mqtt "
            "and values), or the sum of what chargers measure (chargers)."},
[K_INPUTS] = {"inputs", CONF_T_LIST, .min = CONF_INPUTS, .max = 32,
    .help = "Digital inputs of Modbus modules that limit chargers, such as the contact "
            "of the grid operator's control box."},
[K_CHARGERS] = {"chargers", CONF_T_LIST, .min = CONF_CHARGERS, .max = 5000,
    .help = "The charge points."},
[K_OCPP] = {"ocpp", CONF_T_SECTION, .min = CONF_OCPP,
    .help = "How chargers connect. Without this section the defaults hold as soon "
            "as there are chargers."},
[K_MQTT] = {"mqtt", CONF_T_SECTION, .min = CONF_MQTT,
    .help = "The MQTT broker. Without this section there is no MQTT."},
[K_HISTORY] = {"history", CONF_T_SECTION, .min = CONF_HISTORY,
    .help = "What is kept on disk. Without this section nothing is."},
[K_HTTP] = {"http", CONF_T_SECTION, .min = CONF_HTTP,
    .help = "The state of the site over HTTP. Without this section it is not told."},
[K_JOURNAL] = {"journal", CONF_T_SECTION, .min = CONF_JOURNAL,
    .help = "The record of every input and decision. Without this section there is "
            "none."},

/* ---- the site */
[K_SITE_NAME] = {"site.name", CONF_T_TEXT, .dflt = "Chargehand", AT(config, site.name),
    .help = "What people call it."},
[K_SITE_ID] = {"site.id", CONF_T_ID, .restart = true, .dflt = "(made from the name)",
    AT(config, site_id),
    .help = "Its id on MQTT. Give one if the name may change."},
[K_SITE_TIMEZONE] = {"site.timezone", CONF_T_ZONE, .restart = true,
    .dflt = "(the machine's)",
    AT(config, timezone),
    .help = "For schedules, days and departure times, like Europe/Berlin."},
[K_SITE_VOLTAGE] = {"site.voltage", CONF_T_VOLTS, .min = 90000, .max = 300000,
    .dflt = "230",
    AT(config, site.voltage_mv),
    .help = "Phase to neutral, where nothing measures it."},
[K_SITE_POLICY] = {"site.policy", CONF_T_POLICY, .dflt = "equal",
    AT(config, site.policy),
    .help = "How the current is shared out when it is short; see POLICIES."},
[K_SITE_LEASE] = {"site.lease", CONF_T_TIME, .min = MIN, .max = 24 * HOUR,
    .dflt = "15min",
    AT(config, site.lease_ms),
    .help = "A current that is not renewed ends in the charger after this time; "
            "then it falls back."},
[K_SITE_WRITES] = {"site.writes_per_day", CONF_T_COUNT, .min = 0, .max = 100000,
    .dflt = "1000", AT(config, site.writes_per_day),
    .help = "How many limits a charger may be sent in a day, since each may be a write "
            "to its flash memory. Only raises wait when they are used up. 0 = any number."},
[K_SITE_SETTLE] = {"site.settle", CONF_T_TIME, .min = SEC, .max = 10 * MIN,
    .dflt = "6s",
    AT(config, site.settle_ms),
    .help = "How long a car may take to follow a new limit."},
[K_SITE_DWELL] = {"site.dwell", CONF_T_TIME, .min = MIN, .max = 24 * HOUR,
    .dflt = "15min",
    AT(config, site.dwell_ms),
    .help = "A car that was switched on stays on for so long, unless a limit is "
            "exceeded. Then those who wait have their turn."},
[K_SITE_PAUSE] = {"site.pause", CONF_T_TIME, .min = SEC, .max = HOUR,
    .dflt = "1min",
    AT(config, site.pause_ms),
    .help = "A car that was switched off stays off for at least so long."},
[K_SITE_PRICE] = {"site.price", CONF_T_COUNT, .min = 0, .max = 1000000, .dflt = "0",
    AT(config, price_cents),
    .help = "What a kWh costs, in hundredths of your currency: for tags and wishes with "
            "a max_cost."},
[K_SITE_AT_MOST] = {"site.at_most", CONF_T_CHOICE, .dflt = "pause", .words = ends,
    AT(config, end_sessions),
    .help = "What is done with a session that has had the max_kwh, max_hours or max_cost "
            "of its tag or wish: pause (0 A until the car leaves), or stop "
            "(the charger is told to end it)."},

/* ---- the sun */
[K_SOLAR_START] = {"solar.start", CONF_T_WATTS, .min = 0, .max = 100000, .dflt = "200",
    AT(config, site.solar.start_w),
    .help = "A car in mode solar starts when the surplus is its minimum and so much "
            "more."},
[K_SOLAR_START_DELAY] = {"solar.start_delay", CONF_T_TIME, .min = 0, .max = HOUR,
    .dflt = "1min", AT(config, site.solar.start_ms),
    .help = "How long the surplus must have been there before it starts."},
[K_SOLAR_STOP_DELAY] = {"solar.stop_delay", CONF_T_TIME, .min = 0, .max = HOUR,
    .dflt = "3min", AT(config, site.solar.stop_ms),
    .help = "When the sun is gone a car in mode solar keeps its minimum from the grid "
            "for so long, as far as the circuits allow. Then it stops, or goes to one "
            "phase if that is enough."},
[K_SOLAR_FILTER] = {"solar.filter", CONF_T_TIME, .min = 0, .max = HOUR, .dflt = "4min",
    AT(config, site.solar.filter_ms),
    .help = "More current is given by the mean of the surplus over this time, less at "
            "once. 0s = more at once, too."},
[K_SOLAR_SWITCH] = {"solar.switch", CONF_T_WATTS, .min = 0, .max = 100000,
    .dflt = "200", AT(config, site.solar.switch_w),
    .help = "A charger with phase_switch goes from one phase to three when there is "
            "enough for the minimum on three and so much more."},
[K_SOLAR_SWITCH_DELAY] = {"solar.switch_delay", CONF_T_TIME, .min = 0, .max = 24 * HOUR,
    .dflt = "10min", AT(config, site.solar.switch_ms),
    .help = "How long there must have been enough before that."},
[K_SOLAR_SWITCHES] = {"solar.switches", CONF_T_COUNT, .min = 0, .max = 1000,
    .dflt = "20", AT(config, site.solar.switches),
    .help = "How often the number of phases may change in one session; it ends with "
            "one phase. 0 = never."},

/* ---- circuits */
[K_CIRCUIT_NAME] = {"circuits[].name", CONF_T_NAME, .required = true,
    AT(site_circuit, name),
    .help = "Its name; others refer to it."},
[K_CIRCUIT_PARENT] = {"circuits[].parent", CONF_T_REF, .min = CONF_CIRCUITS,
    .dflt = "(none: the grid connection)",
    .help = "The circuit that feeds it."},
[K_CIRCUIT_LIMIT] = {"circuits[].limit", CONF_T_AMPS3, .required = true, AMPS(1, 10000),
    AT(site_circuit, limit_ma),
    .help = "What its fuse or cable carries on each phase."},
[K_CIRCUIT_MARGIN] = {"circuits[].margin", CONF_T_AMPS, AMPS(0, 10000), .dflt = "0",
    AT(site_circuit, margin_ma),
    .help = "Kept free on each phase."},
[K_CIRCUIT_POWER] = {"circuits[].power_limit", CONF_T_WATTS, .min = 1, .max = 10000000,
    .dflt = "(none)", AT(site_circuit, power_limit_w),
    .help = "Over all phases, for a transformer or a contract."},
[K_CIRCUIT_UNBALANCE] = {"circuits[].unbalance", CONF_T_AMPS, AMPS(1, 10000),
    .dflt = "(any)", AT(site_circuit, unbalance_ma),
    .help = "The largest difference between phases that the cars below it may make."},
[K_CIRCUIT_METER] = {"circuits[].meter", CONF_T_REF, .min = CONF_METERS,
    .dflt = "(none)",
    .help = "The meter that sees all of this circuit."},
[K_CIRCUIT_BASE] = {"circuits[].base_load", CONF_T_AMPS3, AMPS(-10000, 10000),
    .dflt = "(the limit where there is a meter, else 0)", AT(site_circuit, base_ma),
    .help = "What everything but the chargers draws on each phase, as long as no "
            "meter tells it: for ever, or while the meter is lost."},
[K_CIRCUIT_TIMEOUT] = {"circuits[].external_timeout", CONF_T_TIME, .min = 10 * SEC,
    .max = 24 * HOUR, .dflt = "(never)",
    .help = "When no external limit, or its end, has been told over MQTT for so long, "
            "the next two hold."},
[K_CIRCUIT_SILENT] = {"circuits[].external_fallback", CONF_T_AMPS, AMPS(0, 10000),
    .dflt = "(none)",
    .help = "Fail-safe limit on each phase while that source is silent."},
[K_CIRCUIT_SILENT_CHARGERS] = {"circuits[].external_fallback_chargers", CONF_T_WATTS,
    .min = 1, .max = 10000000, .dflt = "(none)",
    .help = "The same for the sum of the chargers below it."},
[K_CIRCUIT_HOLD] = {"circuits[].external_hold", CONF_T_TIME, .min = MIN,
    .max = 48 * HOUR, .dflt = "(until it is heard again)",
    .help = "The fail-safe limit holds no longer than this."},
[K_CIRCUIT_SCHEDULE] = {"circuits[].schedule", CONF_T_LIST, .min = CONF_SCHEDULE,
    .max = 100,
    .help = "Limits at certain hours, by the clock of site.timezone. Where several "
            "hold at once the lowest does."},

/* ---- schedules */
[K_SCHEDULE_DAYS] = {"circuits[].schedule[].days", CONF_T_DAYS, .dflt = "mon-sun",
    AT(conf_schedule, days),
    .help = "The days on which it begins, like mon-fri or sat, sun."},
[K_SCHEDULE_FROM] = {"circuits[].schedule[].from", CONF_T_CLOCK, .required = true,
    AT(conf_schedule, from_min),
    .help = "When it begins, like 17:00."},
[K_SCHEDULE_TO] = {"circuits[].schedule[].to", CONF_T_CLOCK, .required = true,
    AT(conf_schedule, to_min),
    .help = "When it ends; not after its begin: on the next day."},
[K_SCHEDULE_LIMIT] = {"circuits[].schedule[].limit", CONF_T_AMPS, AMPS(0, 10000),
    .dflt = "(none)", AT(conf_schedule, limit_ma),
    .help = "On each phase."},
[K_SCHEDULE_POWER] = {"circuits[].schedule[].power", CONF_T_WATTS, .min = 1,
    .max = 10000000, .dflt = "(none)", AT(conf_schedule, power_w),
    .help = "Of all that flows in the circuit."},
[K_SCHEDULE_CHARGERS] = {"circuits[].schedule[].chargers_power", CONF_T_WATTS,
    .min = 1, .max = 10000000, .dflt = "(none)", AT(conf_schedule, chargers_w),
    .help = "Of the chargers below it alone."},

/* ---- meters */
[K_METER_NAME] = {"meters[].name", CONF_T_NAME, .required = true, AT(conf_meter, name),
    .help = "Its name; circuits refer to it."},
[K_METER_MODEL] = {"meters[].model", CONF_T_NAME, .dflt = "(needed for Modbus)",
    AT(conf_meter, model),
    .help = "Its definition, a file in meters/. chargehand meter list shows them."},
[K_METER_TCP] = {"meters[].tcp", CONF_T_ADDRESS, .min = 1,
    .help = "Modbus TCP, like 192.0.2.20:502."},
[K_METER_RTU] = {"meters[].rtu", CONF_T_SERIAL,
    .help = "Modbus RTU on a serial line, like /dev/serial/by-id/usb-adapter 9600 "
            "8N1."},
[K_METER_RTUTCP] = {"meters[].rtutcp", CONF_T_ADDRESS, .min = 1,
    .help = "Modbus RTU through a TCP to serial converter, like 192.0.2.21:4001."},
[K_METER_P1] = {"meters[].p1", CONF_T_SERIAL,
    .help = "The P1 port of a smart meter (DSMR 4 or later, e-MUCS) on a serial line, "
            "like /dev/serial/by-id/usb-p1-cable 115200 8N1."},
[K_METER_P1TCP] = {"meters[].p1tcp", CONF_T_ADDRESS, .min = 1,
    .help = "The same, passed on by a TCP to serial converter, like 192.0.2.30:8088."},
[K_METER_MQTT] = {"meters[].mqtt", CONF_T_SUBJECT, AT(conf_meter, topic),
    .help = "The topic on which its values come, from the broker of the section mqtt. "
            "Retained messages count for nothing: nobody knows how old they are."},
[K_METER_CHARGERS] = {"meters[].chargers", CONF_T_REF, .min = CONF_CIRCUITS,
    .help = "The circuit below which the measured currents of all chargers are summed "
            "up. It is told to people and kept in the history, and cannot be the meter "
            "of a circuit: one that has nothing but chargers needs none."},
[K_METER_VALUES] = {"meters[].values", CONF_T_LIST, .min = CONF_VALUES, .max = 13,
    .help = "What comes over MQTT. A reading is complete when each of its values has "
            "come anew."},
[K_METER_UNIT] = {"meters[].unit", CONF_T_COUNT, .min = 0, .max = 255,
    .dflt = "(the definition's)", AT(conf_meter, unit),
    .help = "Its Modbus unit id."},
[K_METER_WORDS] = {"meters[].word_order", CONF_T_CHOICE, .dflt = "(the definition's)",
    .words = word_orders,
    .help = "In which order a value's registers come, where the device can be set: "
            "high word first (be), low word first (ws), or with the bytes of each word "
            "swapped (bs, le)."},
[K_METER_CT] = {"meters[].ct", CONF_T_RATIO, .min = 1000, .max = 2000000000,
    .dflt = "(none)", AT(conf_meter, ct_ppm),
    .help = "The ratio of its current transformers, like 250/5 or 50, where the meter "
            "does not reckon with it itself: currents, powers and energies are "
            "multiplied with it."},
[K_METER_GAP] = {"meters[].gap", CONF_T_TIME, .min = 1, .max = 10 * SEC,
    .dflt = "(the definition's)", AT(conf_meter, gap_ms),
    .help = "The pause between two requests; the definition's is not kept over Modbus TCP "
            "when the device has a serial line, too."},
[K_METER_TIMEOUT] = {"meters[].timeout", CONF_T_TIME, .min = 50, .max = 30 * SEC,
    .dflt = "(the definition's)", AT(conf_meter, timeout_ms),
    .help = "How long its answer is waited for."},
[K_METER_MAX_REGS] = {"meters[].max_regs", CONF_T_COUNT, .min = 1, .max = 125,
    .dflt = "(the definition's)", AT(conf_meter, max_regs),
    .help = "The most registers that are asked for at once."},
[K_METER_INTERVAL] = {"meters[].interval", CONF_T_TIME, .min = 100, .max = HOUR,
    .dflt = "1s", AT(conf_meter, interval_ms),
    .help = "How often it is read, or tells its values by itself."},
[K_METER_MAX_AGE] = {"meters[].max_age", CONF_T_TIME, .min = SEC, .max = HOUR,
    .dflt = "10s", AT(conf_meter, max_age_ms),
    .help = "A reading older than this is none: the meter is lost. Longer than the time "
            "between two readings: of Dutch meters before DSMR 5 that is 10 s; a "
            "serial line that is too slow for it is warned of. With chargers it is 1min if "
            "not given."},
[K_METER_MAX_SAME] = {"meters[].max_same", CONF_T_TIME, .min = 0, .max = HOUR,
    .dflt = "2min", AT(conf_meter, max_same_ms),
    .help = "Values that stay the same to the last digit for so long are repeated by "
            "something in between: the meter is lost. 0s = never, for meters that "
            "tell coarsely what is constant; with role: solar so if not given, as at "
            "night nothing changes."},
[K_METER_ROLE] = {"meters[].role", CONF_T_CHOICE, .dflt = "circuit", .words = roles,
    AT(conf_meter, role),
    .help = "Whether it measures a circuit or the production of a solar system."},
[K_METER_INVERT] = {"meters[].invert", CONF_T_BOOL, .dflt = "false",
    AT(conf_meter, invert),
    .help = "It is mounted the other way round: turns all signs."},
[K_VALUE_WHAT] = {"meters[].values[].value", CONF_T_CHOICE, .required = true,
    .words = quantities, AT(conf_meter_value, quantity),
    .help = "What it is: a voltage, current or power of a phase, the power of all, the "
            "frequency, the counts of energy. Powers and currents are positive when "
            "drawn; where both come the power of its phase tells the direction of a "
            "current. A current that does not come is worked out from power and "
            "voltage of its phase."},
[K_VALUE_POINTER] = {"meters[].values[].at", CONF_T_POINTER,
    .dflt = "(the payload is the number)", AT(conf_meter_value, pointer),
    .help = "Where it is in a JSON payload: a JSON pointer (RFC 6901) like /em/0/power."},
[K_VALUE_TOPIC] = {"meters[].values[].topic", CONF_T_SUBJECT,
    .dflt = "(the meter's)", AT(conf_meter_value, topic),
    .help = "Its topic, where values come on topics of their own."},
[K_VALUE_FACTOR] = {"meters[].values[].factor", CONF_T_FACTOR, .min = -2000000000,
    .max = 2000000000, .dflt = "1", AT(conf_meter_value, factor_ppm),
    .help = "It is multiplied with this; -1 turns its sign."},
[K_VALUE_UNIT] = {"meters[].values[].unit", CONF_T_CHOICE,
    .dflt = "(V, A, W, Hz or kWh)", .words = units, AT(conf_meter_value, unit),
    .help = "The unit in which it comes."},

/* ---- inputs */
[K_INPUT_NAME] = {"inputs[].name", CONF_T_NAME, .required = true,
    AT(conf_input, at.name),
    .help = "Its name, for messages."},
[K_INPUT_TCP] = {"inputs[].tcp", CONF_T_ADDRESS, .min = 1,
    .help = "Modbus TCP, like 192.0.2.22:502."},
[K_INPUT_RTU] = {"inputs[].rtu", CONF_T_SERIAL,
    .help = "Modbus RTU on a serial line, with meters or alone."},
[K_INPUT_RTUTCP] = {"inputs[].rtutcp", CONF_T_ADDRESS, .min = 1,
    .help = "Modbus RTU through a TCP to serial converter."},
[K_INPUT_UNIT] = {"inputs[].unit", CONF_T_COUNT, .min = 0, .max = 255, .dflt = "1",
    AT(conf_input, at.unit),
    .help = "Its Modbus unit id."},
[K_INPUT_FUNCTION] = {"inputs[].function", CONF_T_CHOICE, .dflt = "discrete",
    .words = functions, AT(conf_input, function),
    .help = "What is read: a coil (function 1), a discrete input (2), a holding (3) or "
            "an input register (4)."},
[K_INPUT_ADDRESS] = {"inputs[].address", CONF_T_COUNT, .min = 0, .max = 65535,
    .dflt = "0", AT(conf_input, address),
    .help = "Its address on the wire, from 0."},
[K_INPUT_BIT] = {"inputs[].bit", CONF_T_COUNT, .min = 0, .max = 15, .dflt = "0",
    AT(conf_input, bit),
    .help = "The bit of the register, 0 = the lowest."},
[K_INPUT_ACTIVE] = {"inputs[].active", CONF_T_CHOICE, .dflt = "high", .words = levels,
    AT(conf_input, active_low),
    .help = "Whether it limits while the bit is 1 or while it is 0."},
[K_INPUT_INTERVAL] = {"inputs[].interval", CONF_T_TIME, .min = 100, .max = HOUR,
    .dflt = "1s", AT(conf_input, at.interval_ms),
    .help = "How often it is read."},
[K_INPUT_MAX_AGE] = {"inputs[].max_age", CONF_T_TIME, .min = SEC, .max = HOUR,
    .dflt = "10s", AT(conf_input, at.max_age_ms),
    .help = "How long its last state counts when it cannot be read."},
[K_INPUT_LOST] = {"inputs[].lost", CONF_T_CHOICE, .dflt = "active", .words = states,
    AT(conf_input, lost_inactive),
    .help = "What counts after that. A cut wire does not release from a limit."},
[K_INPUT_CIRCUIT] = {"inputs[].circuit", CONF_T_REF, .min = CONF_CIRCUITS,
    .dflt = "(the grid connection)",
    .help = "The circuit whose chargers it limits."},
[K_INPUT_POWER] = {"inputs[].power", CONF_T_WATTS, .min = 1, .max = 10000000,
    .dflt = "(by section 14a EnWG: 4200 for one charge point, more for several)",
    AT(conf_input, power_w),
    .help = "What the chargers below it may draw together while it is active."},

/* ---- chargers */
[K_CHARGER_ID] = {"chargers[].id", CONF_T_IDENTITY, .required = true,
    AT(conf_charger, id),
    .help = "Its identity, the last part of its OCPP address: ws://HOST:8887/CP-01."},
[K_CHARGER_NAME] = {"chargers[].name", CONF_T_TEXT, .dflt = "(the id)",
    AT(conf_charger, name),
    .help = "What people call it."},
[K_CHARGER_CIRCUIT] = {"chargers[].circuit", CONF_T_REF, .min = CONF_CIRCUITS,
    .dflt = "(the grid connection)",
    .help = "The circuit it hangs on."},
[K_CHARGER_LIMIT] = {"chargers[].limit", CONF_T_AMPS3, AMPS(1, 10000), .dflt = "(none)",
    .help = "What its own supply carries on each phase, where its connectors share "
            "one: it becomes a circuit named like its id."},
[K_CHARGER_PASSWORD] = {"chargers[].password", CONF_T_TEXT, .dflt = "(none asked)",
    AT(conf_charger, password),
    .help = "The password it must show. Better in a file of its own."},
[K_CHARGER_PASSWORD_FILE] = {"chargers[].password_file", CONF_T_FILE,
    .help = "The file whose first line is that password."},
[K_CHARGER_TX_PROFILE] = {"chargers[].tx_profile", CONF_T_CHOICE, .dflt = "auto",
    .words = tx_profiles, AT(conf_charger, tx_profile),
    .help = "Whether it is told limits by TxProfiles while it charges, and on which "
            "stack level. auto finds out; chargehand ocpp list tells what was found."},
[K_CHARGER_DEFAULT_PROFILE] = {"chargers[].default_profile", CONF_T_CHOICE,
    .dflt = "auto", .words = default_profiles, AT(conf_charger, default_profile),
    .help = "How it is told limits otherwise: a TxDefaultProfile on stack level 1 above "
            "the fallback, one of two steps on level 0, one without end, or one of "
            "the whole charger (max, max-endless) where it has one connector."},
[K_CHARGER_PROFILE_KIND] = {"chargers[].profile_kind", CONF_T_CHOICE, .dflt = "auto",
    .words = profile_kinds, AT(conf_charger, profile_kind),
    .help = "Relative profiles have no end, so its limits outlive the controller."},
[K_CHARGER_PROFILE_UNIT] = {"chargers[].profile_unit", CONF_T_CHOICE, .dflt = "auto",
    .words = profile_units, AT(conf_charger, profile_unit),
    .help = "The unit of its limits, where it does not tell it or tells it wrongly."},
[K_CHARGER_OCPP] = {"chargers[].ocpp", CONF_T_CHOICE, .dflt = "auto",
    .words = ocpp_version_words, AT(conf_charger, ocpp_version),
    .help = "The only OCPP version that is spoken with it. auto takes the best that it "
            "offers when it connects; an older one is for a charger that speaks a newer one "
            "badly."},
[K_CHARGER_SECURITY] = {"chargers[].security", CONF_T_COUNT, .min = 0, .max = 3,
    .dflt = "(that of ocpp.security)", AT(conf_charger, security),
    .help = "The least OCPP security profile that it must use; on a port of a lower "
            "one it is turned away."},
[K_CHARGER_CERTIFICATE] = {"chargers[].certificate_name", CONF_T_TEXT,
    .dflt = "(the id)", AT(conf_charger, certificate_name),
    .help = "The common name (CN) in its certificate, for security profile 3. Many "
            "makers write the serial number there."},
[K_CHARGER_PING] = {"chargers[].ping", CONF_T_TIME, .min = 0, .max = 3600, .div = 1000,
    .dflt = "(that of ocpp.ping)", AT(conf_charger, ping_s),
    .help = "How often its connection is tested; 0s = never, for one that cannot "
            "stand it."},
[K_CHARGER_CONNECTORS] = {"chargers[].connectors", CONF_T_LIST, .min = CONF_CONNECTORS,
    .max = 64, .dflt = "(one)",
    .help = "Its connectors in the order of their OCPP numbers, from 1; its EVSEs, "
            "where its version of OCPP has them. One with several plugs, of which one "
            "car uses one, is one."},

/* ---- connectors */
[K_CONNECTOR_NAME] = {"chargers[].connectors[].name", CONF_T_TEXT,
    .dflt = "(the charger's, with its number if there are several)",
    AT(site_connector, name),
    .help = "What people call it."},
[K_CONNECTOR_WIRING] = {"chargers[].connectors[].wiring", CONF_T_WIRING,
    .dflt = "L1 L2 L3",
    .help = "The site's phases on its own L1 L2 L3. A single phase charger has "
            "one. unknown counts its current on every phase."},
[K_CONNECTOR_MAX] = {"chargers[].connectors[].max", CONF_T_AMPS, AMPS(1, 1000),
    .dflt = "16", AT(site_connector, max_ma),
    .help = "The most it gives on a phase."},
[K_CONNECTOR_MIN] = {"chargers[].connectors[].min", CONF_T_AMPS, AMPS(0, 1000),
    .dflt = "6", AT(site_connector, min_ma),
    .help = "The least with which it charges; below it charging stops. 0 = no "
            "minimum."},
[K_CONNECTOR_MIN_3P] = {"chargers[].connectors[].min_3p", CONF_T_AMPS, AMPS(0, 1000),
    .dflt = "(as min)", AT(site_connector, min_3p_ma),
    .help = "The least with which it charges on three phases, where that is more. Some "
            "cars want 9.2 A there."},
[K_CONNECTOR_STEP] = {"chargers[].connectors[].step", CONF_T_STEP, .dflt = "0.1",
    AT(site_connector, step_ma),
    .help = "How finely it can be set."},
[K_CONNECTOR_FALLBACK] = {"chargers[].connectors[].fallback", CONF_T_AMPS,
    AMPS(0, 1000),
    .dflt = "0", AT(site_connector, fallback_ma),
    .help = "What it may draw when the controller is gone."},
[K_CONNECTOR_PRIORITY] = {"chargers[].connectors[].priority", CONF_T_COUNT, .min = 0,
    .max = 10, .dflt = "0", AT(site_connector, priority),
    .help = "Higher is served first by the policies that look at it."},
[K_CONNECTOR_WEIGHT] = {"chargers[].connectors[].weight", CONF_T_COUNT, .min = 1,
    .max = 1000, .dflt = "1", AT(site_connector, weight),
    .help = "Its share under the policy weighted."},
[K_CONNECTOR_MODE] = {"chargers[].connectors[].mode", CONF_T_CHOICE, .dflt = "auto",
    .words = modes, AT(site_connector, mode),
    .help = "What it does until someone says otherwise. off does not charge, fast comes "
            "before all others, auto follows the site's policy, minsolar has its "
            "minimum always and more from the sun's surplus, solar only has the "
            "surplus."},
[K_CONNECTOR_PHASE_SWITCH] = {"chargers[].connectors[].phase_switch", CONF_T_BOOL,
    .dflt = "false", AT(site_connector, phase_switch),
    .help = "The charger obeys a charging profile with one phase (numberPhases) by "
            "switching off its own L2 and L3. Then it does so when there is too little "
            "for three phases. Needs a wiring with three phases."},
[K_CONNECTOR_DEPARTS] = {"chargers[].connectors[].departs", CONF_T_CLOCK,
    .dflt = "(not known)",
    .help = "When cars leave that do not say otherwise: a time of day like 07:30 in "
            "the site's time zone."},

/* ---- OCPP */
[K_OCPP_LISTEN] = {"ocpp.listen", CONF_T_ADDRESS, .restart = true,
    .dflt = "127.0.0.1:8887", AT(config, ocpp.host),
    .port = offsetof(struct config, ocpp.port),
    .help = "Where chargers connect to by ws://, without TLS: security profile 1 for "
            "those with a password, else none. 0.0.0.0 is every network of this "
            "machine; port 0 takes any free one. With listen_tls or listen_mtls "
            "there is none unless it is written."},
[K_OCPP_LISTEN_TLS] = {"ocpp.listen_tls", CONF_T_ADDRESS, .restart = true,
    .dflt = "(none)", AT(config, ocpp.tls_host),
    .port = offsetof(struct config, ocpp.tls_port),
    .help = "Where chargers connect to by wss:// with their password: security "
            "profile 2."},
[K_OCPP_LISTEN_MTLS] = {"ocpp.listen_mtls", CONF_T_ADDRESS, .restart = true,
    .dflt = "(none)", AT(config, ocpp.mtls_host),
    .port = offsetof(struct config, ocpp.mtls_port),
    .help = "Where chargers connect to by wss:// with a certificate of their own: "
            "security profile 3."},
[K_OCPP_CERT] = {"ocpp.cert_file", CONF_T_FILE, .dflt = "(none)",
    AT(config, ocpp.cert_file),
    .help = "Our certificate for TLS and those between it and its authority, PEM. "
            "Read again with the site file."},
[K_OCPP_KEY] = {"ocpp.key_file", CONF_T_FILE, .dflt = "(none)",
    AT(config, ocpp.key_file),
    .help = "Its private key."},
[K_OCPP_SECOND_CERT] = {"ocpp.second_cert_file", CONF_T_FILE, .restart = true,
    .dflt = "(none)", AT(config, ocpp.second_cert_file),
    .help = "One more with a key of the other kind, RSA or ECDSA: each charger gets "
            "the one that it can use."},
[K_OCPP_SECOND_KEY] = {"ocpp.second_key_file", CONF_T_FILE, .restart = true,
    .dflt = "(none)", AT(config, ocpp.second_key_file),
    .help = "Its private key."},
[K_OCPP_CLIENT_CA] = {"ocpp.client_ca_file", CONF_T_FILE, .dflt = "(none)",
    AT(config, ocpp.client_ca_file),
    .help = "The authorities that may sign chargers' certificates, PEM, for "
            "listen_mtls."},
[K_OCPP_SECURITY] = {"ocpp.security", CONF_T_COUNT, .min = 0, .max = 3, .dflt = "0",
    AT(config, ocpp.security),
    .help = "The least OCPP security profile that chargers must use: 0 none, 1 a "
            "password, 2 TLS and a password, 3 TLS and a certificate."},
[K_OCPP_ADOPT] = {"ocpp.adopt", CONF_T_BOOL, .dflt = "false", AT(config, ocpp.adopt),
    .help = "Whether chargers that are not in this file may join. Each counts as 6 "
            "to 16 A on every phase."},
[K_OCPP_PLACES] = {"ocpp.adopt_places", CONF_T_COUNT, .min = 1, .max = 100, .dflt = "4",
    .help = "How many of them."},
[K_OCPP_CIRCUIT] = {"ocpp.adopt_circuit", CONF_T_REF, .min = CONF_CIRCUITS,
    .dflt = "(the grid connection)",
    .help = "The circuit they hang on."},
[K_OCPP_SUBPROTOCOL] = {"ocpp.need_subprotocol", CONF_T_BOOL, .dflt = "false",
    AT(config, ocpp.need_subprotocol),
    .help = "Refuse chargers that do not name their OCPP version; otherwise they "
            "are taken for the oldest that is spoken."},
[K_OCPP_TAGS] = {"ocpp.tags", CONF_T_TAGS, .dflt = "accept",
    .help = "Who may charge: accept (everyone), the name of a CSV file with the "
            "columns id_tag and name, or a list of tags. They have up to 36 characters; "
            "the lists and groups of chargers whose version of OCPP has room for 20 only "
            "are without the longer ones. A tag may have a priority, a mode, a limit in A "
            "and a time of departure, in columns or keys priority, mode, limit, departs: "
            "these hold for its sessions. It may charge until the day or "
            "time (UTC) valid_until, and tags with the same group may end each other's "
            "sessions. A session may have at most max_kwh, max_hours, and max_cost in "
            "your currency (not hundredths) by site.price; see site.at_most. Of what type "
            "a tag is (ISO14443, ISO15693, eMAID, MacAddress, KeyCode, Central, Local), "
            "the lists of some chargers need to know: it is seen from the tag, or told "
            "by type."},
[K_OCPP_UNKNOWN] = {"ocpp.unknown_tags", CONF_T_CHOICE, .dflt = "refuse",
    .words = unknown, AT(config, ocpp.unknown_tags),
    .help = "What becomes of tags that are not in the list: refuse, accept, or low, which "
            "accepts them with priority 0, and those in the list with 1 at least. A "
            "charger that begins at a button, without any tag, counts as one of them."},
[K_OCPP_LOCAL_LIST] = {"ocpp.local_list", CONF_T_BOOL, .dflt = "true",
    AT(config, ocpp.local_list),
    .help = "Give the list of tags to chargers that can keep one, so that they know it "
            "when this controller is away."},
[K_OCPP_HEARTBEAT] = {"ocpp.heartbeat", CONF_T_TIME, .min = 10, .max = 86400,
    .div = 1000,
    .dflt = "5min", AT(config, ocpp.heartbeat_s),
    .help = "How often a charger says that it is alive."},
[K_OCPP_SAMPLE] = {"ocpp.sample", CONF_T_TIME, .min = 1, .max = 3600, .div = 1000,
    .dflt = "10s", AT(config, ocpp.sample_s),
    .help = "How often a charger sends its meter values while it charges."},
[K_OCPP_TIMEOUT] = {"ocpp.call_timeout", CONF_T_TIME, .min = SEC, .max = 5 * MIN,
    .dflt = "30s", AT(config, ocpp.call_timeout_ms),
    .help = "How long a charger may take to answer."},
[K_OCPP_PING] = {"ocpp.ping", CONF_T_TIME, .min = 0, .max = 3600, .div = 1000,
    .dflt = "30s", AT(config, ocpp.ping_s),
    .help = "How often the connection is tested; 0s = never."},
[K_OCPP_SOCKET] = {"ocpp.socket", CONF_T_FILE, .restart = true,
    .dflt = "(control.socket in history.folder)", AT(config, ocpp.socket),
    .help = "The Unix socket on which chargehand ocpp reaches this controller. Its "
            "owner and group may use it: they may reset chargers, start and stop "
            "sessions, and install firmware."},
[K_OCPP_FILES] = {"ocpp.files", CONF_T_FILE, .dflt = "(none)",
    AT(config, ocpp.files),
    .help = "The folder of firmware for chargers, and of the logs and requests for "
            "certificates that they send. They fetch and send by HTTP on the port that "
            "they are connected to. The service may write below /var/lib/chargehand."},

/* ---- MQTT */
[K_MQTT_HOST] = {"mqtt.host", CONF_T_HOST, .restart = true, .dflt = "127.0.0.1",
    AT(config, mqtt.host),
    .help = "The broker."},
[K_MQTT_PORT] = {"mqtt.port", CONF_T_COUNT, .restart = true, .min = 1, .max = 65535,
    .dflt = "(1883, with TLS 8883)", AT(config, mqtt.port),
    .help = "Its port."},
[K_MQTT_USER] = {"mqtt.user", CONF_T_TEXT, .restart = true, .dflt = "(none)",
    AT(config, mqtt.user),
    .help = "The name to log in with."},
[K_MQTT_PASSWORD] = {"mqtt.password", CONF_T_TEXT, .restart = true, .dflt = "(none)",
    AT(config, mqtt.password),
    .help = "The password. Better in a file of its own."},
[K_MQTT_PASSWORD_FILE] = {"mqtt.password_file", CONF_T_FILE, .restart = true,
    .help = "The file whose first line is the password."},
[K_MQTT_CLIENT_ID] = {"mqtt.client_id", CONF_T_NAME, .restart = true,
    .dflt = "(chargehand- and the site's id)", AT(config, mqtt.client_id),
    .help = "The id of this client, unique at its broker."},
[K_MQTT_PREFIX] = {"mqtt.prefix", CONF_T_TOPIC, .restart = true, .dflt = "chargehand",
    AT(config, mqtt.prefix),
    .help = "The first part of all topics."},
[K_MQTT_TLS] = {"mqtt.tls", CONF_T_BOOL, .restart = true,
    .dflt = "(true when there is a ca_file)", AT(config, mqtt.tls),
    .help = "Encrypt the connection."},
[K_MQTT_CA] = {"mqtt.ca_file", CONF_T_FILE, .restart = true,
    .dflt = "(the system's authorities)", AT(config, mqtt.ca_file),
    .help = "Whom to trust for the broker's certificate."},
[K_MQTT_CERT] = {"mqtt.cert_file", CONF_T_FILE, .restart = true, .dflt = "(none)",
    AT(config, mqtt.cert_file),
    .help = "Our certificate, where the broker wants one."},
[K_MQTT_KEY] = {"mqtt.key_file", CONF_T_FILE, .restart = true, .dflt = "(none)",
    AT(config, mqtt.key_file),
    .help = "The key of that certificate."},
[K_MQTT_HA] = {"mqtt.homeassistant", CONF_T_BOOL, .restart = true, .dflt = "true",
    AT(config, mqtt.homeassistant),
    .help = "Announce everything to Home Assistant."},
[K_MQTT_HA_PREFIX] = {"mqtt.homeassistant_prefix", CONF_T_TOPIC, .restart = true,
    .dflt = "homeassistant", AT(config, mqtt.ha_prefix),
    .help = "Where Home Assistant looks for announcements."},
[K_MQTT_INTERVAL] = {"mqtt.interval", CONF_T_TIME, .restart = true, .min = SEC,
    .max = HOUR, .dflt = "10s", AT(config, mqtt.interval_ms),
    .help = "How often measurements are published."},

/* ---- history, HTTP, journal */
[K_HISTORY_FOLDER] = {"history.folder", CONF_T_FILE, .restart = true,
    .dflt = "/var/lib/chargehand", AT(config, history.folder),
    .help = "The folder of its two databases."},
[K_HISTORY_COMMIT] = {"history.commit", CONF_T_TIME, .restart = true, .min = SEC,
    .max = HOUR, .dflt = "60s", AT(config, history.commit_ms),
    .help = "How often readings are written to disk; longer spares an SD card."},
[K_HISTORY_KEEP] = {"history.keep_days", CONF_T_COUNT, .restart = true, .min = 0,
    .max = 36500, .dflt = "60", AT(config, history.keep_days),
    .help = "How many days readings are kept; 0 = for ever. Sessions are always "
            "kept."},
[K_HTTP_LISTEN] = {"http.listen", CONF_T_ADDRESS, .restart = true,
    .dflt = "127.0.0.1:8880", AT(config, http.host),
    .port = offsetof(struct config, http.port),
    .help = "Where the state of the site is asked for: by chargehand status, or as JSON "
            "at /api/v1/state. Port 0 takes any free one."},
[K_JOURNAL_FILE] = {"journal.file", CONF_T_FILE, .restart = true,
    .dflt = "/var/lib/chargehand/journal", AT(config, journal.file),
    .help = "Every event and order goes there, for chargehand audit and bug reports. "
            "Names of circuits, connectors and chargers are in it, no passwords and "
            "no cards."},
[K_JOURNAL_MAX_SIZE] = {"journal.max_size", CONF_T_SIZE, .restart = true,
    .min = 1000000,
    .max = 100000000000, .dflt = "100MB", AT(config, journal.max_bytes),
    .help = "Then it starts over; the one before is kept, so it takes twice as much."},
};
/* clang-format on */

const char *conf_key_name(const struct conf_key *k)
{
    const char *dot = strrchr(k->path, '.');

    return dot ? dot + 1 : k->path;
}
