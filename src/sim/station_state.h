/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated charge point: station.c (its life), station_tell.c (what it
 * says), station_obey.c (what it is told), station_keys.c (its configuration). */
#ifndef SIM_STATION_STATE_H
#define SIM_STATION_STATE_H

#include "sim/profiles.h"
#include "sim/station.h"

enum station_key {
    KEY_HEARTBEAT,
    KEY_SAMPLE_S,
    KEY_MEASURANDS,
    KEY_PING,
    KEY_CONNECTORS,
    KEY_ROTATION,
    KEY_FIXED, /* from here on nobody changes them */
    KEY_COUNT = KEY_FIXED + 16
};

enum bay_state {
    BAY_FREE,
    BAY_THINKING, /* plugged in, the tag has not been shown */
    BAY_ASKING,   /* Authorize is under way */
    BAY_CHARGING, /* a transaction runs */
    BAY_DONE      /* plugged in, but no transaction will begin */
};

struct station_bay {
    struct station *station;
    int number; /* connectorId */
    struct sim_bay bay;
    enum bay_state state;
    char tag[21];
    int64_t ask_ms;    /* when the tag is shown */
    int64_t leave_ms;  /* when the plug is out; INT64_MAX */
    int64_t sample_ms; /* next meter values; INT64_MAX */
    int64_t act_ms;    /* a new profile counts from then on; INT64_MAX = all do */
    int64_t begun_s;   /* of the transaction, UTC */
    int64_t looked_ms;
    int32_t limit_ma; /* by its profiles; SIM_NO_LIMIT */
    enum connector_status told;
    struct station_session session;
    bool starting; /* StartTransaction has not been answered */
    bool stop_due; /* ... and StopTransaction waits for that */
    int64_t stop_s, stop_wh;
    const char *stop_reason;
};

struct station {
    struct station_setup u;
    struct ocpp_client *client;
    struct sim_rng rng;
    struct sim_profiles profiles;
    struct station_counts counts;
    char keys[KEY_COUNT][192];
    int64_t now_ms;
    int64_t clock_ahead_s; /* of its clock, set by the central system */
    bool booted;
    int64_t boot_ms; /* next BootNotification while not accepted */
    int64_t heartbeat_ms;
    int64_t reset_ms; /* when it restarts; INT64_MAX */
    const char *reset_reason;
    struct station_bay bays[STATION_BAYS];
};

/* station.c */
int64_t station_utc_s(const struct station *s);
void station_begin(struct station_bay *b);
void station_end(struct station_bay *b, const char *reason);
void station_accepted_boot(struct station *s, int32_t interval_s);
int32_t station_between(struct station *s, int32_t lo, int32_t hi);

/* station_tell.c */
void station_tell_boot(struct station *s, unsigned flags);
void station_tell_heartbeat(struct station *s);
void station_tell_status(struct station *s, int number);
void station_tell_all(struct station *s);
void station_tell_authorize(struct station_bay *b);
void station_tell_start(struct station_bay *b);
void station_tell_stop(struct station_bay *b);
void station_tell_meter(struct station_bay *b, const char *context);

/* station_obey.c */
void station_obey(void *station, const char *id, const char *action,
                  const cJSON *payload);
void station_profile_view(const struct station_bay *b, int64_t now_s,
                          struct sim_profile_view *v);

/* station_keys.c */
void station_keys_init(struct station *s);
int station_key_int(const struct station *s, enum station_key k);
bool station_key_has(const struct station *s, enum station_key k, const char *word);
cJSON *station_keys_get(const struct station *s, const cJSON *names);
const char *station_keys_change(struct station *s, const char *name, const char *value);

#endif
