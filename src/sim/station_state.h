/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the simulated charger: station.c (its life), station_limit.c (what its
 * profiles allow), station_obey.c (calls of the central system). What is said, and how
 * calls are answered, is a dialect: point_*.c of the older generation, which has
 * connectors and a list of keys, evse_*.c of the newer one, which has EVSEs and a
 * device model. */
#ifndef SIM_STATION_STATE_H
#define SIM_STATION_STATE_H

#include "sim/payload.h"
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
    BAY_ASKING,   /* it is asked whether the tag may charge */
    BAY_CHARGING, /* a transaction runs */
    BAY_DONE      /* plugged in, but no transaction will begin */
};

struct station_bay {
    struct station *station;
    int number; /* of the connector or EVSE */
    struct sim_bay bay;
    enum bay_state state;
    char tag[STATION_TAG];
    int64_t ask_ms;    /* when the tag is shown */
    int64_t leave_ms;  /* when the plug is out; INT64_MAX */
    int64_t sample_ms; /* next meter values; INT64_MAX */
    int64_t act_ms;    /* a new profile counts from then on; INT64_MAX = all do */
    int64_t begun_s;   /* of the transaction, UTC */
    int64_t looked_ms;
    int32_t limit_ma; /* by its profiles; SIM_NO_LIMIT */
    enum connector_status told;
    struct station_session session;
    bool starting; /* its begin has not been answered */
    bool stop_due; /* ... and its end waits for that */
    int64_t stop_s, stop_wh;
    const char *stop_reason;
    /* of the newer generation */
    int32_t seq;           /* number of the next event of the transaction */
    int32_t remote_start;  /* who has begun it, or INT32_MIN */
    int32_t told_ma;       /* the limit last told */
    int chosen;            /* of several schedules its car has chosen this one */
    const char *told_plug; /* whether somebody is there, as last told; NULL = not */
    bool out, out_due;     /* out of service; as soon as the transaction has ended */
};

/* A call of the central system that has the right shape: its answer, or NULL when it
 * names a connector or EVSE that is not there. */
typedef cJSON *station_answer(struct station *s, const cJSON *o, int32_t answer_ms);

struct station_verb {
    const char *action; /* NULL ends them */
    station_answer *answer;
    void (*after)(struct station *s, const cJSON *o); /* when it was no refusal */
};

struct station_dialect {
    const struct station_verb *verbs;
    bool texts; /* measured values are texts */
    void (*init_keys)(struct station *s);
    void (*tell_boot)(struct station *s, unsigned flags);
    void (*tell_status)(struct station *s, int number); /* 0 = as a whole */
    void (*tell_authorize)(struct station_bay *b);
    void (*tell_start)(struct station_bay *b);
    void (*tell_stop)(struct station_bay *b);
    void (*tell_meter)(struct station_bay *b, const char *context);
    void (*tell_limit)(struct station_bay *b); /* it is another one; or NULL */
};

extern const struct station_dialect station_point, station_evse;

struct station {
    struct station_setup u;
    const struct station_dialect *dialect;
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
    int64_t reset_ms;     /* when it restarts; INT64_MAX */
    bool reset_when_idle; /* ... or when no transaction runs */
    bool was_reset;       /* by its central system */
    uint32_t transactions;
    struct station_bay bays[STATION_BAYS];
};

/* station.c */
int64_t station_utc_s(const struct station *s);
void station_begin(struct station_bay *b);
void station_end(struct station_bay *b, const char *reason);
void station_accepted_boot(struct station *s, int32_t interval_s);
int32_t station_between(struct station *s, int32_t lo, int32_t hi);

/* station_limit.c */
void station_view(const struct station_bay *b, int64_t now_s,
                  struct sim_profile_view *v);
/* From now on, or a moment later, its bays act on other profiles. */
void station_act(struct station *s, int32_t answer_ms);
enum { COMPOSITE_MOST_S = 86400 }; /* for longer it is not told */
/* The composite schedule of a connector or EVSE, 0 = of all together, as a list of
 * periods. */
cJSON *station_composite(const struct station *s, int number, int64_t from_s,
                         int32_t duration_s, bool watts);
bool station_no_such(const struct station *s, int32_t number);

/* station_obey.c */
void station_obey(void *station, const char *id, const char *action,
                  const cJSON *payload);
/* The profile in a request, up to its schedules; false = it cannot be. */
bool station_read_profile(const cJSON *o, int number, struct sim_profile *p);
bool station_read_schedule(const cJSON *o, struct sim_schedule *c);

/* station_tell.c: what both generations say */
void station_tell_call(struct station *s, unsigned flags, const char *action, cJSON *o,
                       ocpp_client_done *done, void *arg);
void station_tell_all(struct station *s);
void station_tell_heartbeat(struct station *s);
void station_on_boot(void *station, const cJSON *payload);
/* The answer to "may this tag charge?"; payload NULL = there was none. */
void station_on_authorize(struct station_bay *b, const cJSON *payload, bool accepted);
/* What it measures; NULL when nothing of it is asked for. */
cJSON *station_values(const struct station_bay *b, const char *context);

/* point_obey.c, point_keys.c */
extern const struct station_verb point_verbs[];
cJSON *point_keys_get(const struct station *s, const cJSON *names);
const char *point_keys_change(struct station *s, const char *name, const char *value);
void point_keys_init(struct station *s);
/* The values that a key for seconds, or for measurands, may have. */
bool station_key_fits(enum station_key k, const char *value);
int station_key_int(const struct station *s, enum station_key k);
bool station_key_has(const struct station *s, enum station_key k, const char *word);

/* evse_obey.c, evse_tell.c */
extern const struct station_verb evse_verbs[];
/* The next event of a transaction; `context` of the meter values with it, or NULL. */
cJSON *evse_event(struct station_bay *b, const char *type, const char *trigger,
                  const char *context, bool with_tag);
void evse_tell_event(struct station_bay *b, const char *trigger, const char *context);
void evse_tell_external(struct station *s, const struct sim_profile *p);
/* evse_profile.c */
/* NULL = it is good and has been taken; else why it is refused. */
const char *evse_profile_set(struct station *s, int evse, const cJSON *profile,
                             bool remote_start);
cJSON *evse_schedule(const struct sim_schedule *c);
station_answer evse_profiles_report, evse_profiles_clear;
void evse_profiles_tell(struct station *s, const cJSON *o);
/* evse_model.c */
void evse_model_init(struct station *s);
station_answer evse_model_get, evse_model_set, evse_model_report;
void evse_model_tell(struct station *s, const cJSON *o);

#endif
