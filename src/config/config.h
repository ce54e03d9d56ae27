/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: a YAML site file checked as a whole and turned into constant
 * structs. Every error is told at once with file:line:col.
 *
 * What the core needs is in `site`; the rest is for the neighbours. Arrays
 * conf->chargers and site.chargers, conf->meters and site.meters, conf->connectors and
 * site.connectors, conf->circuits and site.circuits run in parallel: index i means the
 * same thing. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdio.h>
#include "core/event.h"

enum transport { TRANSPORT_TCP, TRANSPORT_RTU, TRANSPORT_RTUTCP };

/* Where the readings of a meter come from. */
enum meter_source {
    SOURCE_MODBUS,
    SOURCE_P1,      /* a smart meter's port: TRANSPORT_RTU, or TRANSPORT_RTUTCP */
    SOURCE_MQTT,    /* what something else says to the broker */
    SOURCE_CHARGERS /* what the chargers below a circuit measure, summed up */
};

enum conf_quantity {
    CONF_V,                    /* mV of L1, L2, L3 */
    CONF_I = CONF_V + 3,       /* mA of L1, L2, L3 */
    CONF_P_PHASE = CONF_I + 3, /* W of L1, L2, L3 */
    CONF_P = CONF_P_PHASE + 3, /* W */
    CONF_HZ,                   /* mHz */
    CONF_IMPORT,               /* Wh */
    CONF_EXPORT,
    CONF_QUANTITIES
};

/* One value of a meter that is heard over MQTT. */
struct conf_meter_value {
    int quantity; /* enum conf_quantity */
    const char *topic;
    const char *pointer; /* into the payload (RFC 6901); "" = it is the number itself */
    int32_t factor_ppm;  /* millionths */
    int unit;            /* as in keys.c; -1 = V, A, W, Hz, kWh */
    double scale;        /* from the number to mV, mA, W, mHz, Wh */
};

struct conf_meter {
    const char *name;
    enum meter_source source;
    const char *model; /* Modbus: a definition in meters/ */
    enum transport transport;
    const char *host; /* tcp, rtutcp */
    int port;
    const char *device; /* rtu */
    int baud;
    char parity; /* N E O */
    int data_bits, stop_bits;
    int unit;    /* Modbus unit id; -1 = the definition's */
    bool invert; /* mounted the other way round: turns all signs */
    /* in place of the definition's; NULL or 0 = that */
    const char *word_order; /* "be", "ws", "bs", "le" */
    int32_t gap_ms, timeout_ms, max_regs;
    int32_t ct_ppm;    /* ratio of current transformers, millionths; 0 = none */
    const char *topic; /* MQTT */
    const struct conf_meter_value *values;
    int n_values;
    int circuit; /* of SOURCE_CHARGERS */
    enum meter_role role;
    int32_t interval_ms, max_age_ms, max_same_ms;
};

/* A limit at certain hours: begins on these days at from_min, minutes since midnight of
 * the site's clock; ends at to_min, which is on the next day unless it is later. */
struct conf_schedule {
    int32_t days; /* a bit for each day of the week, 0 = Sunday */
    int32_t from_min, to_min;
    int32_t limit_ma;            /* on each phase; EVENT_NO_VALUE = none */
    int32_t power_w, chargers_w; /* 0 = none */
};

/* What a circuit has besides the core's part of it. */
struct conf_circuit {
    const struct conf_schedule *schedule;
    int n_schedule;
    int32_t silent_after_ms;   /* of external limits; 0 = never */
    int32_t silent_ma;         /* then, on each phase; EVENT_NO_VALUE */
    int32_t silent_chargers_w; /* ... and for the chargers; 0 = none */
    int32_t silent_hold_ms;    /* no longer than that; 0 = for ever */
};

/* A digital input that limits the chargers of a circuit. */
struct conf_input {
    struct conf_meter at; /* its name, line, unit, and times */
    int function;         /* Modbus function code less 1 */
    int32_t address, bit;
    int active_low, lost_inactive;
    int circuit;
    int32_t power_w; /* of the chargers below that circuit; never 0 */
};

struct conf_charger {
    const char *id; /* identity in its OCPP address; NULL = a free adoption place */
    const char *name;
    const char *password; /* basic auth, the file's first line; NULL = none asked */
    /* How limits are told to it, 0 = as found out; else the words of the keys */
    int tx_profile, default_profile, profile_kind, profile_unit;
    int ocpp_version; /* the only one spoken: 0 = any, else the word of the key */
    const char *certificate_name; /* common name in its certificate; NULL = its id */
    int32_t security;             /* least security profile, 0 to 3; -1 = ocpp's */
    int32_t ping_s;               /* -1 = ocpp's; 0 = never */
    int first, n; /* its connectors: conf->connectors[first + connectorId - 1] */
};

struct conf_connector {
    int charger;
    int number;      /* OCPP connectorId, from 1 */
    const char *cid; /* its id on MQTT and in the history: "CP-01_1" */
    const char *name;
    int departs_min; /* minute of the day, or CONF_NO_DEPARTURE */
};

#define CONF_NO_DEPARTURE (-1)

/* What a session may have at most; each 0 = any. */
struct conf_most {
    int32_t wh, s;
    int32_t milli; /* thousandths of the currency of site.price */
};

struct conf_tag {
    const char *id;
    const char *name;  /* NULL */
    const char *type;  /* what sort of tag it is, as OCPP calls it; NULL */
    const char *group; /* tags of one may end each other's sessions; NULL */
    int64_t until_s;   /* UTC, it may charge before that; 0 = always */
    /* what it says for its sessions; EVENT_NO_VALUE, MODE_COUNT, CONF_NO_DEPARTURE */
    struct event_card card;
    int departs_min;
    struct conf_most most;
};

enum conf_unknown { CONF_REFUSE, CONF_ACCEPT, CONF_LOW };

struct config {
    struct site site;
    const char *path;
    const char *site_id;  /* its id on MQTT: [a-zA-Z0-9_-]+ */
    const char *timezone; /* NULL = the machine's */
    int32_t price_cents;  /* of a kWh */
    int end_sessions;     /* that have had what they may: 0 = pause, 1 = stop them */
    char hash[17];        /* of the file's text, hexadecimal */
    struct conf_circuit *circuits;
    struct conf_meter *meters;
    struct conf_input *inputs;
    int n_inputs;
    struct conf_charger *chargers;
    struct conf_connector *connectors;
    struct {
        const char *files;    /* folder of firmware and logs; NULL = none */
        const char *socket;   /* for commands of people; NULL = in history.folder */
        const char *host;     /* listens for security profiles 0 and 1; NULL = no */
        int port;             /* 0 = the kernel chooses (tests) */
        const char *tls_host; /* profile 2; NULL */
        int tls_port;
        const char *mtls_host; /* profile 3; NULL */
        int mtls_port;
        const char *cert_file, *key_file;               /* ours, of both TLS ports */
        const char *second_cert_file, *second_key_file; /* of the other kind; NULL */
        const char *client_ca_file; /* who signs chargers' certificates */
        int32_t security;           /* least profile of all chargers */
        bool adopt;            /* free places of `chargers` may be taken by strangers */
        bool need_subprotocol; /* false: a client without Sec-WebSocket-Protocol speaks
                                  the oldest version */
        bool accept_all_tags;
        int unknown_tags; /* enum conf_unknown: tags that are not in `tags` */
        bool local_list;  /* chargers get the list of tags */
        const struct conf_tag *tags; /* sorted by id, case-insensitive */
        int n_tags;
        int32_t heartbeat_s;
        int32_t sample_s; /* MeterValueSampleInterval asked for */
        int32_t call_timeout_ms;
        int32_t ping_s; /* WebSocket ping; 0 = off */
    } ocpp;
    struct {
        const char *host; /* NULL = MQTT off */
        int port;
        const char *user, *password; /* NULL */
        const char *client_id;
        const char *prefix;                         /* "chargehand" */
        const char *ca_file, *cert_file, *key_file; /* TLS when ca_file or tls is set */
        bool tls;
        bool homeassistant;
        const char *ha_prefix; /* "homeassistant" */
        int32_t interval_ms;   /* of the measurements */
    } mqtt;
    struct {
        const char *folder; /* NULL = no history */
        int32_t commit_ms;
        int32_t keep_days; /* raw readings; 0 = for ever */
    } history;
    struct {
        const char *host; /* NULL = HTTP off */
        int port;
    } http;
    struct {
        const char *file;  /* NULL = no journal */
        int64_t max_bytes; /* then it starts over, the one before is kept */
    } journal;
    void *arena; /* owner of all the above */
};

/* Whether chargers can connect at all. */
static inline bool config_ocpp(const struct config *c)
{
    return c->ocpp.host || c->ocpp.tls_host || c->ocpp.mtls_host;
}

/* One complaint about the file. */
struct conf_error {
    const char *file; /* borrowed from the list */
    int line, col;    /* from 1 */
    bool warning;     /* told, but not refused */
    char text[240];
};

struct conf_errors {
    struct conf_error *list;
    int n, n_max;
};

/* Reads and checks `path`. Returns NULL when there is any error; warnings do not stop
 * it. `set` is an optional list of "key.path=value" overrides (replay --set),
 * NULL-ended. */
struct config *config_load(const char *path, const char *const *set,
                           struct conf_errors *errors);

/* The same, and what only a neighbour can say: whether the definition of a meter's
 * model is there and fits. False with the reason; true with a text is a warning. And
 * how long a reading of it takes on its serial line, at most; 0 = it has none, or
 * nobody knows. */
typedef bool conf_meter_check(const struct conf_meter *m, char *why, size_t size,
                              int32_t *serial_ms);
struct config *config_load_checked(const char *path, const char *const *set,
                                   conf_meter_check *check, struct conf_errors *errors);
void config_free(struct config *c);

void conf_errors_print(const struct conf_errors *e, FILE *to); /* file:line:col: text */
void conf_errors_free(struct conf_errors *e);

/* The connector that a recording or a person names: its cid, or the id of its charger
 * where that has only this one. SITE_NONE when there is none. */
int config_connector(const struct config *c, const char *name);
/* The tag of that id in the list, in any case, or NULL. */
const struct conf_tag *config_tag(const struct config *c, const char *id);
/* The only OCPP version to be spoken with it; NULL = any. */
const char *config_version(const struct conf_charger *c);
/* The circuit of that name, or SITE_NONE. */
int config_circuit(const struct config *c, const char *name);

/* The first key whose change needs a restart and differs between the two, or NULL. */
const char *config_restart_key(const struct config *running, const struct config *next);

#endif
