/* SPDX-License-Identifier: Apache-2.0 */
/* What we ask of chargers and tell them, and what their answers mean, whatever the
 * version of OCPP: its writers and readers are in struct ocpp_schema. */
#ifndef PROTO_OCPP_TOLD_H
#define PROTO_OCPP_TOLD_H

#include "proto/ocpp_said.h"

/* ---- limits */

enum ocpp_kind { OCPP_ABSOLUTE, OCPP_RELATIVE };
enum ocpp_purpose { OCPP_TX_DEFAULT, OCPP_TX, OCPP_MAX };

/* One of ours. Absolute with a start in the past, so that it holds at once on a charger
 * whose clock is late, or Relative without a start; validFrom is never sent (quirks
 * Q12, Q14), numberPhases only to chargers that change their number of phases (Q26). */
struct ocpp_profile {
    int32_t connector; /* > 0; of OCPP_MAX 0 */
    int32_t id;        /* chargingProfileId; the same id replaces */
    int32_t level;     /* stackLevel */
    enum ocpp_purpose purpose;
    int32_t transaction;          /* of OCPP_TX */
    const char *transaction_name; /* the same, of chargers that name them */
    enum ocpp_kind kind; /* OCPP_RELATIVE begins with the transaction, without start */
    bool watts;          /* limits are W, else tenths of A */
    char start[21];      /* UTC, in the past */
    int32_t duration_s;  /* from start; 0 = no end */
    int phases;          /* numberPhases of the first period; 0 = not sent */
    int phase;           /* its phaseToUse, in the charger's own order; 0 */
    int n;               /* 1 or 2 periods */
    struct {
        int32_t start_s; /* the first is 0 */
        int32_t limit;
    } period[2];
};

/* A limit of ma per phase as a period's number: tenths of A, or W over `phases` phases
 * at voltage_mv. Rounded down. */
int32_t ocpp_period_limit(int32_t ma, bool watts, int32_t voltage_mv, int phases);

const char *ocpp_kind_word(enum ocpp_kind k); /* chargingProfileKind */
/* Its periods as JSON, without the brackets around them. */
enum { OCPP_PERIODS_TEXT = 128 };
void ocpp_write_periods(char *out, const struct ocpp_profile *p);

/* What the answer to a call says. */
enum ocpp_verdict {
    OCPP_ACCEPTED,
    OCPP_REFUSED,     /* this form of it; it had no effect */
    OCPP_UNSUPPORTED, /* nothing of this kind; it had no effect */
    OCPP_NO_TX,       /* its transaction is not known; it had no effect */
    OCPP_UNCLEAR      /* whether it had an effect is not known */
};
/* Of a CALLRESULT: its status, and the reason where one is given. */
enum ocpp_verdict ocpp_verdict_result(const cJSON *payload);
/* Of a CALLERROR's code; spellings of 2.x, too. */
enum ocpp_verdict ocpp_verdict_error(const char *code);

/* ---- settings */

/* Connectors of which more is known than their number, and plugs of each. */
enum { OCPP_PLACES = 64, OCPP_PLUGS = 8 };

/* What a charger tells of itself; -1 and "" where it does not. */
struct ocpp_config {
    int32_t max_level;    /* ChargeProfileMaxStackLevel */
    int32_t max_periods;  /* ChargingScheduleMaxPeriods */
    int32_t max_profiles; /* MaxChargingProfilesInstalled */
    int32_t connectors;   /* NumberOfConnectors */
    bool unit_known;      /* ChargingScheduleAllowedChargingRateUnit */
    bool amps, watts;
    int32_t smart_there, smart; /* 0, 1: it can take limits, and does */
    int32_t one_phase;          /* 0, 1: it can change from three phases to one */
    /* Whether that can be one that we choose: all connectors, and those that told of it
     * (from bit 0): ocpp_config_chooses(). */
    bool all_choose;
    uint64_t choice_told, chooses;
    uint8_t plugs[OCPP_PLACES]; /* of each connector, of which one is used at a time */
    int32_t change_milli;       /* its limit's changes by less are not told, 0.001 % */
    int32_t outside;            /* 0, 1: others may limit it besides us */
    int32_t sample_s;           /* MeterValueSampleInterval */
    int32_t aligned_s;          /* ClockAlignedDataInterval */
    int32_t heartbeat_s;
    int32_t ping_s; /* WebSocketPingInterval */
    int32_t per_get,
        bytes_get; /* most variables, bytes in one question for them, ... */
    int32_t per_set, bytes_set;   /* ... in one change of them */
    int32_t list_max;             /* tags that its list has room for, ... */
    int32_t list_per, list_bytes; /* ... most of them, and bytes, in one message */
    bool asked;                   /* for a report, and that is over */
    bool smart_fixed;             /* read-only, as the following ones */
    bool sample_fixed, ping_fixed, measurands_fixed;
    char measurands[256]; /* MeterValuesSampledData */
    char rotation[64];    /* ConnectorPhaseRotation */
    char starts[48];      /* what begins a transaction */
};

void ocpp_config_init(struct ocpp_config *c);
bool ocpp_config_chooses(const struct ocpp_config *c, int connector);

/* Those that we change. */
enum ocpp_setting {
    OCPP_SET_LIST, /* "true": it keeps a list of tags */
    OCPP_SET_MEASURANDS,
    OCPP_SET_PING,
    OCPP_SET_SAMPLE,
    OCPP_SET_SMART /* "true": it takes limits; of chargers that tell smart */
};

/* A part of what a charger reports at our request. */
struct ocpp_report {
    int32_t request; /* our number of it */
    int32_t part;    /* from 0; -1 = not told */
    bool more;       /* it is not the last one */
};

/* True when each of the comma-separated words of `wanted` is in `list`. */
bool ocpp_list_has(const char *list, const char *wanted);

/* ---- tags */

struct ocpp_tag {
    const char *id, *type;
    struct ocpp_tag_info info;
};

/* ReserveNow, a request of ours that was accepted. */
struct ocpp_reservation {
    int32_t id, connector; /* 0 = any one */
    char tag[OCPP_TAG], parent[OCPP_TAG];
    char expiry[36];
};

/* Somebody who is let in by an order of ours. */
struct ocpp_remote {
    bool known;
    int64_t id;
    char tag[OCPP_TAG];
};

/* What a charger says of its list: -1 = nothing. */
struct ocpp_list_ability {
    int32_t enabled; /* 0, 1 */
    bool fixed;      /* enabled cannot be changed */
    int32_t max;     /* tags in all */
    int32_t per;     /* tags in one message */
    int32_t bytes;   /* ... that is no longer than that */
};

/* ---- firmware and logs */

enum ocpp_file {
    OCPP_FIRMWARE,
    OCPP_DIAGNOSTICS, /* a log, as it was asked for before GetLog */
    OCPP_LOG
};

/* Does the answer say that there will be no file? */
bool ocpp_file_refused(enum ocpp_file what, const cJSON *answer);

/* What a status word means. */
enum ocpp_progress {
    OCPP_GOES_ON,
    OCPP_MOVED,  /* the file is there; a firmware's installation goes on */
    OCPP_DONE,   /* all is over, and well */
    OCPP_FAILED, /* all is over */
};
enum ocpp_progress ocpp_file_progress(const char *word);

/* Texts of requests: of SetChargingProfile; of the others, as far as they are short. */
enum { OCPP_PROFILE_TEXT = 640, OCPP_CALL_TEXT = 1024 };

#endif
