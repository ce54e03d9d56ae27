/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of all keys of a site file. It drives the reading, the checks of
 * ranges, the defaults, `check-config --keys` and the man page. A new key is one line
 * in the enum, one in the table, and whoever uses it. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_section {
    CONF_TOP,
    CONF_SITE,
    CONF_SOLAR,
    CONF_CIRCUITS,
    CONF_SCHEDULE,
    CONF_METERS,
    CONF_VALUES,
    CONF_INPUTS,
    CONF_CHARGERS,
    CONF_CONNECTORS,
    CONF_OCPP,
    CONF_MQTT,
    CONF_HISTORY,
    CONF_HTTP,
    CONF_JOURNAL,
    CONF_SECTIONS
};

/* In the order of the sections: a section's keys are a range. */
enum conf_key_id {
    K_VERSION,
    K_SITE,
    K_SOLAR,
    K_CIRCUITS,
    K_METERS,
    K_INPUTS,
    K_CHARGERS,
    K_OCPP,
    K_MQTT,
    K_HISTORY,
    K_HTTP,
    K_JOURNAL,

    K_SITE_NAME,
    K_SITE_ID,
    K_SITE_TIMEZONE,
    K_SITE_VOLTAGE,
    K_SITE_POLICY,
    K_SITE_LEASE,
    K_SITE_WRITES,
    K_SITE_SETTLE,
    K_SITE_DWELL,
    K_SITE_PAUSE,
    K_SITE_PRICE,
    K_SITE_AT_MOST,

    K_SOLAR_START,
    K_SOLAR_START_DELAY,
    K_SOLAR_STOP_DELAY,
    K_SOLAR_FILTER,
    K_SOLAR_SWITCH,
    K_SOLAR_SWITCH_DELAY,
    K_SOLAR_SWITCHES,

    K_CIRCUIT_NAME,
    K_CIRCUIT_PARENT,
    K_CIRCUIT_LIMIT,
    K_CIRCUIT_MARGIN,
    K_CIRCUIT_POWER,
    K_CIRCUIT_UNBALANCE,
    K_CIRCUIT_METER,
    K_CIRCUIT_BASE,
    K_CIRCUIT_TIMEOUT,
    K_CIRCUIT_SILENT,
    K_CIRCUIT_SILENT_CHARGERS,
    K_CIRCUIT_HOLD,
    K_CIRCUIT_SCHEDULE,

    K_SCHEDULE_DAYS,
    K_SCHEDULE_FROM,
    K_SCHEDULE_TO,
    K_SCHEDULE_LIMIT,
    K_SCHEDULE_POWER,
    K_SCHEDULE_CHARGERS,

    K_METER_NAME,
    K_METER_MODEL,
    K_METER_TCP,
    K_METER_RTU,
    K_METER_RTUTCP,
    K_METER_P1,
    K_METER_P1TCP,
    K_METER_MQTT,
    K_METER_CHARGERS,
    K_METER_VALUES,
    K_METER_UNIT,
    K_METER_WORDS,
    K_METER_CT,
    K_METER_GAP,
    K_METER_TIMEOUT,
    K_METER_MAX_REGS,
    K_METER_INTERVAL,
    K_METER_MAX_AGE,
    K_METER_MAX_SAME,
    K_METER_ROLE,
    K_METER_INVERT,

    K_VALUE_WHAT,
    K_VALUE_POINTER,
    K_VALUE_TOPIC,
    K_VALUE_FACTOR,
    K_VALUE_UNIT,

    K_INPUT_NAME,
    K_INPUT_TCP,
    K_INPUT_RTU,
    K_INPUT_RTUTCP,
    K_INPUT_UNIT,
    K_INPUT_FUNCTION,
    K_INPUT_ADDRESS,
    K_INPUT_BIT,
    K_INPUT_ACTIVE,
    K_INPUT_INTERVAL,
    K_INPUT_MAX_AGE,
    K_INPUT_LOST,
    K_INPUT_CIRCUIT,
    K_INPUT_POWER,

    K_CHARGER_ID,
    K_CHARGER_NAME,
    K_CHARGER_CIRCUIT,
    K_CHARGER_LIMIT,
    K_CHARGER_PASSWORD,
    K_CHARGER_PASSWORD_FILE,
    K_CHARGER_TX_PROFILE,
    K_CHARGER_DEFAULT_PROFILE,
    K_CHARGER_PROFILE_KIND,
    K_CHARGER_PROFILE_UNIT,
    K_CHARGER_OCPP,
    K_CHARGER_SECURITY,
    K_CHARGER_CERTIFICATE,
    K_CHARGER_PING,
    K_CHARGER_CONNECTORS,

    K_CONNECTOR_NAME,
    K_CONNECTOR_WIRING,
    K_CONNECTOR_MAX,
    K_CONNECTOR_MIN,
    K_CONNECTOR_MIN_3P,
    K_CONNECTOR_STEP,
    K_CONNECTOR_FALLBACK,
    K_CONNECTOR_PRIORITY,
    K_CONNECTOR_WEIGHT,
    K_CONNECTOR_MODE,
    K_CONNECTOR_PHASE_SWITCH,
    K_CONNECTOR_DEPARTS,

    K_OCPP_LISTEN,
    K_OCPP_LISTEN_TLS,
    K_OCPP_LISTEN_MTLS,
    K_OCPP_CERT,
    K_OCPP_KEY,
    K_OCPP_SECOND_CERT,
    K_OCPP_SECOND_KEY,
    K_OCPP_CLIENT_CA,
    K_OCPP_SECURITY,
    K_OCPP_ADOPT,
    K_OCPP_PLACES,
    K_OCPP_CIRCUIT,
    K_OCPP_SUBPROTOCOL,
    K_OCPP_TAGS,
    K_OCPP_UNKNOWN,
    K_OCPP_LOCAL_LIST,
    K_OCPP_HEARTBEAT,
    K_OCPP_SAMPLE,
    K_OCPP_TIMEOUT,
    K_OCPP_PING,
    K_OCPP_SOCKET,
    K_OCPP_FILES,

    K_MQTT_HOST,
    K_MQTT_PORT,
    K_MQTT_USER,
    K_MQTT_PASSWORD,
    K_MQTT_PASSWORD_FILE,
    K_MQTT_CLIENT_ID,
    K_MQTT_PREFIX,
    K_MQTT_TLS,
    K_MQTT_CA,
    K_MQTT_CERT,
    K_MQTT_KEY,
    K_MQTT_HA,
    K_MQTT_HA_PREFIX,
    K_MQTT_INTERVAL,

    K_HISTORY_FOLDER,
    K_HISTORY_COMMIT,
    K_HISTORY_KEEP,

    K_HTTP_LISTEN,

    K_JOURNAL_FILE,
    K_JOURNAL_MAX_SIZE,

    K_COUNT
};

enum conf_type {
    CONF_T_SECTION, /* keys below it; `min` = the section */
    CONF_T_LIST,    /* a list of such; `min` = the section, `max` = most entries */
    CONF_T_NAME,    /* what follows is stored as const char * */
    CONF_T_ID,      /* a name without '.', for MQTT topics */
    CONF_T_IDENTITY,
    CONF_T_TEXT,
    CONF_T_HOST,
    CONF_T_TOPIC,
    CONF_T_SUBJECT, /* a topic of others */
    CONF_T_POINTER,
    CONF_T_ZONE,
    CONF_T_FILE,    /* relative to the site file's folder */
    CONF_T_REF,     /* the name of a circuit or meter; not stored */
    CONF_T_AMPS,    /* int32_t mA */
    CONF_T_AMPS3,   /* int32_t[3] mA: one number or a list of three */
    CONF_T_STEP,    /* int32_t mA: 0.1 or 1 */
    CONF_T_VOLTS,   /* int32_t mV */
    CONF_T_WATTS,   /* int32_t W */
    CONF_T_COUNT,   /* int32_t */
    CONF_T_TIME,    /* int32_t ms, or s when `div` is 1000 */
    CONF_T_SIZE,    /* int64_t bytes */
    CONF_T_FACTOR,  /* int32_t millionths */
    CONF_T_RATIO,   /* the same, also as a fraction: 250/5 */
    CONF_T_BOOL,    /* bool */
    CONF_T_CHOICE,  /* int: index in `words` */
    CONF_T_DAYS,    /* int32_t: a bit for each day, 0 = Sunday */
    CONF_T_POLICY,  /* const struct policy * */
    CONF_T_ADDRESS, /* const char *, and an int at `port` */
    CONF_T_SERIAL,  /* not stored */
    CONF_T_WIRING,  /* not stored; also a list of phases */
    CONF_T_CLOCK,   /* int32_t minutes since midnight */
    CONF_T_TAGS     /* `accept`, a CSV file, or a list of tags; not stored */
};

struct conf_key {
    const char *path; /* "circuits[].limit" */
    enum conf_type type;
    bool required, restart; /* restart: a change of it cannot be taken over */
    int64_t min, max;       /* in the unit it is stored in */
    const char
        *dflt; /* as in the file; "(...)" describes one that is worked out; NULL */
    int div;
    size_t offset, size; /* in the struct of its section; size 0 = not stored */
    size_t port;
    const char *const *words;
    const char *help;
};

struct conf_section_info {
    enum conf_key_id first, last;
    const char *what;      /* "circuit": one entry, for messages */
    enum conf_key_id name; /* the key that tells entries of a list apart, or K_COUNT */
};

extern const struct conf_key conf_keys[K_COUNT];
extern const struct conf_section_info conf_sections[CONF_SECTIONS];

/* The last word of the path: "limit". */
const char *conf_key_name(const struct conf_key *k);
/* "amperes, 1 to 10000" */
const char *conf_key_type_text(const struct conf_key *k, char *out, size_t size);
/* A number in its unit as people write it: "16.5 A". */
const char *conf_amount(enum conf_type type, int64_t value, char *out, size_t size);

void conf_keys_print(FILE *to);     /* for people */
void conf_keys_print_man(FILE *to); /* as items of an mdoc list */
void conf_keys_print_json(FILE *to);

#endif
