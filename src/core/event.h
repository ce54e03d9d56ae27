/* SPDX-License-Identifier: Apache-2.0 */
/* All that the controller learns: the one way into the core.
 *
 * A file of events is a recording, a test and a bug report: the same events give the
 * same orders, bit for bit. The core knows no other clock than `at_ms`. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "site.h"

enum event_kind {
    EVENT_TICK,     /* time passes; sent at least once a second */
    EVENT_METER,    /* who = meter: a reading */
    EVENT_LINK,     /* who = charger: its connection came (also after a boot) or went */
    EVENT_STATUS,   /* who = connector: what its charger says of it */
    EVENT_SESSION,  /* who = connector: a transaction began or ended */
    EVENT_SAMPLE,   /* who = connector: currents measured by the charger */
    EVENT_ANSWER,   /* who = connector: what became of an order */
    EVENT_WISH,     /* who = connector: energy and departure asked for */
    EVENT_MODE,     /* who = connector */
    EVENT_PRIORITY, /* who = connector */
    EVENT_PAUSE,    /* who = connector */
    EVENT_LIMIT,    /* who = circuit: an external limit with an end, or its end */
    EVENT_CARD,     /* who = connector: what its driver's card says, for a session */
    EVENT_CEILING,  /* who = connector: others than we limit its charger */
    EVENT_KINDS
};

/* What OCPP calls them, in whatever version. */
enum connector_status {
    STATUS_UNKNOWN,
    STATUS_AVAILABLE,
    STATUS_PREPARING,
    STATUS_CHARGING,
    STATUS_SUSPENDED_EV,
    STATUS_SUSPENDED_EVSE,
    STATUS_FINISHING,
    STATUS_RESERVED,
    STATUS_UNAVAILABLE,
    STATUS_FAULTED,
    STATUS_COUNT
};

enum answer {
    ANSWER_ACCEPTED, /* the charger confirmed it */
    ANSWER_REJECTED, /* it refused: the set point before it still holds */
    ANSWER_NONE      /* time-out or lost connection: either may hold */
};

/* A value that a device did not give. */
#define EVENT_NO_VALUE INT32_MIN
#define EVENT_NO_ENERGY INT64_MIN

struct event_meter {
    int32_t i_ma[SITE_PHASES]; /* signed, import positive; EVENT_NO_VALUE */
    int32_t v_mv[SITE_PHASES]; /* EVENT_NO_VALUE */
    int32_t p_w;               /* total, import positive; EVENT_NO_VALUE */
    int64_t changed_ms;        /* when the device's values last differed from before */
};

struct event_link {
    bool up;
    bool
        boot; /* with up: the charger has restarted, it may have lost what we told it */
};

struct event_session {
    bool active;
    bool resumed; /* with active: it was under way before we knew of it; or more of it
                     is known now, of one that the core has heard of */
};

struct event_sample {
    int32_t i_ma[SITE_PHASES]; /* the charger's own L1 L2 L3; EVENT_NO_VALUE */
    int32_t p_w;               /* EVENT_NO_VALUE */
    int64_t energy_wh;         /* its register, or EVENT_NO_ENERGY */
};

struct event_answer {
    uint32_t seq; /* of the order */
    enum answer answer;
};

/* Who wishes. Each has one wish; where several say something the first one's word
 * holds, and all end with the session. */
enum wish_source {
    WISH_PERSON, /* a command */
    WISH_CAR,    /* the car told its charger */
    WISH_FILE,   /* the site file, also for a tag */
    WISH_SOURCES
};

struct event_wish {
    int32_t energy_wh;  /* still wanted from now on; EVENT_NO_VALUE = not told */
    int64_t departs_ms; /* on the clock of at_ms; INT64_MAX = not told */
    enum wish_source source;
    /* What the car can make use of on each phase; 0 = not told. */
    int32_t min_ma, max_ma;
};

/* The charger tells that it lets the connector draw no more than the lowest of these.
 * That is believed as far as others get what it leaves; it is no promise, and what the
 * connector may draw is reckoned without it. */
struct event_ceiling {
    int32_t limit_ma; /* on each phase; EVENT_NO_VALUE = none */
    int32_t power_w;  /* over all phases; EVENT_NO_VALUE = none */
    /* the same for all connectors of the charger together */
    int32_t whole_ma, whole_w;
    int64_t until_ms; /* it ends by itself then; INT64_MAX = not known */
};

/* Ends with the session; a mode or priority that comes later counts more. */
struct event_card {
    enum mode mode;   /* MODE_COUNT = says nothing */
    int32_t priority; /* EVENT_NO_VALUE */
    int32_t max_ma;   /* EVENT_NO_VALUE */
};

/* Who limits a circuit. Each source has one limit for each circuit, which ends by
 * itself; of several sources the lowest holds. */
enum limit_source {
    LIMIT_REMOTE,   /* a program or a person, over MQTT */
    LIMIT_SILENT,   /* the fail-safe while that source is silent */
    LIMIT_SCHEDULE, /* the schedule of the site file */
    LIMIT_INPUT,    /* a digital input: the grid operator */
    LIMIT_SOURCES
};

struct event_limit {
    int32_t limit_ma; /* on each phase; EVENT_NO_VALUE = none */
    int64_t until_ms; /* it ends by itself then */
    enum limit_source source;
    int32_t power_w;    /* of all that flows in the circuit; 0 = none */
    int32_t chargers_w; /* of the chargers below it alone; 0 = none */
};                      /* with none of the three the source's limit ends */

struct event {
    int64_t at_ms; /* monotonic; never runs backwards, but a reading may be older */
    enum event_kind kind;
    int32_t who; /* index; see event_kind */
    union {
        struct event_meter meter;
        struct event_link link;
        enum connector_status status;
        struct event_session session;
        struct event_sample sample;
        struct event_answer answer;
        struct event_wish wish;
        enum mode mode;
        int32_t priority; /* 0 .. 10 */
        bool pause;
        struct event_limit limit;
        struct event_card card;
        struct event_ceiling ceiling;
    };
};

const char *event_kind_name(enum event_kind k);
const char *status_name(enum connector_status s);   /* "suspended_ev", ... */
const char *limit_source_name(enum limit_source s); /* "remote", "schedule", ... */
const char *wish_source_name(enum wish_source s);   /* "person", "car", "file" */

#endif
