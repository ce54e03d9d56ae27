/* SPDX-License-Identifier: Apache-2.0 */
/* What chargers ask and what we answer, whatever the version of OCPP: its readers and
 * writers are in struct ocpp_schema.
 *
 * What a charger leaves out is "", 0 or OCPP_NO_METER. Times are left as text: what
 * they are worth is known by those who know the time. */
#ifndef PROTO_OCPP_SAID_H
#define PROTO_OCPP_SAID_H

#include "core/event.h"
#include "proto/ocpp_field.h"
#include "proto/ocpp_token.h"

enum { OCPP_TIMESTAMP = 36 };
#define OCPP_NO_METER INT64_MIN

/* What a message of a charger is about. */
enum ocpp_says {
    OCPP_SAYS_NOTHING, /* nothing of use to us; or it is one of ours */
    OCPP_SAYS_AUTHORIZE,
    OCPP_SAYS_BOOT,
    OCPP_SAYS_DATA,
    OCPP_SAYS_EVENT,    /* of a transaction */
    OCPP_SAYS_FILE,     /* how firmware or a log goes on */
    OCPP_SAYS_HAPPENED, /* something in it */
    OCPP_SAYS_HEARTBEAT,
    OCPP_SAYS_LIMITED, /* by others than us */
    OCPP_SAYS_METER,
    OCPP_SAYS_REPORT,   /* of its settings */
    OCPP_SAYS_NEEDS,    /* of a car */
    OCPP_SAYS_REPORTED, /* its profiles */
    OCPP_SAYS_SECURITY,
    OCPP_SAYS_SIGN,
    OCPP_SAYS_START,
    OCPP_SAYS_STATUS,
    OCPP_SAYS_STOP,
    OCPP_SAYS_UNLIMITED,
    OCPP_SAYS_UNRESERVED
};

struct ocpp_boot {
    char vendor[52], model[24], serial[28], firmware[52];
};

struct ocpp_status {
    int32_t connector; /* 0 = the whole charger */
    int32_t plug;      /* of several that the connector has, from 1; 0 = it has one */
    enum connector_status status;
    char error[40]; /* "NoError", ... or what the charger made up */
    char info[64];
    char timestamp[OCPP_TIMESTAMP];
    bool vague; /* somebody is there: of a transaction under way it says nothing */
};

/* A transaction's name where its charger gives it one instead of an id. */
enum { OCPP_TX_NAME = 37 };

struct ocpp_start {
    int32_t connector;
    char name[OCPP_TX_NAME]; /* "" = it gets an id of ours */
    char tag[OCPP_TAG];
    int64_t meter_wh;
    int64_t reservation; /* INT64_MIN = none */
    char timestamp[OCPP_TIMESTAMP];
};

struct ocpp_stop {
    int32_t transaction; /* -1 and 0 happen (errata 3.18) */
    char tag[OCPP_TAG];
    int64_t meter_wh;
    char timestamp[OCPP_TIMESTAMP];
    char reason[24];
};

struct ocpp_meter {
    int32_t connector; /* 0 = the main meter of the charger */
    bool has_transaction;
    int32_t transaction;
    const cJSON *values; /* the meterValue array, borrowed from the payload */
};

/* A transaction as chargers tell it that name it themselves. */
struct ocpp_tx_event {
    enum ocpp_tx_step { OCPP_TX_BEGINS, OCPP_TX_GOES_ON, OCPP_TX_ENDS } step;
    char name[OCPP_TX_NAME];
    int32_t connector; /* 0 = not told */
    bool tagged;       /* it tells a tag; "" = whoever it is needs none */
    int32_t plug;      /* which one it is at; 0 = not told */
    char tag[OCPP_TAG];
    char timestamp[OCPP_TIMESTAMP];
    int32_t cable_ma;    /* what its cable carries; 0 = not told */
    int64_t seq;         /* counts its events; -1 = not told */
    bool stored;         /* it happened while the charger was away */
    int64_t remote;      /* number of the order it began by; INT64_MIN = none */
    int64_t reservation; /* INT64_MIN = none */
    int64_t meter_wh;    /* OCPP_NO_METER */
    char reason[24];     /* of its end */
    enum connector_status status; /* STATUS_UNKNOWN = not told */
    const cJSON *values;          /* as in struct ocpp_meter; NULL = none */
};

/* What a car needs; 0 = not told. */
struct ocpp_needs {
    int32_t connector;
    char departs[OCPP_TIMESTAMP];
    int32_t energy_wh;
    int32_t min_ma, max_ma; /* on each phase; less is of no use to it, nor is more */
    int32_t max_w;          /* the same as DC */
};

/* Something that a charger tells of one of its parts. */
struct ocpp_happening {
    int32_t connector; /* 0 = none in particular */
    bool matters;      /* something is wrong, or no more */
    bool over;
    char what[104]; /* "GroundFaultProtection Tripped" */
    char value[40], info[80];
};

/* What is said of a tag. */
struct ocpp_tag_info {
    const char *status; /* "Accepted", "Invalid", ...; NULL = it is off the list */
    char expiry[21];    /* UTC; "" = it does not end */
    const char *parent; /* the tag of its group; NULL */
};

/* Answers that are the same in all versions, as JSON text in `out`, which holds
 * OCPP_CONF_TEXT bytes. `now` is UTC like 2019-03-01T14:20:00Z. */
enum { OCPP_CONF_TEXT = 256 };
void ocpp_conf_boot(char *out, const char *now, int32_t interval_s);
void ocpp_conf_heartbeat(char *out, const char *now);
void ocpp_conf_status(char *out, const char *status); /* {"status": ...} */
void ocpp_conf_empty(char *out);

#endif
