/* SPDX-License-Identifier: Apache-2.0 */
/* All that the controller wants done: the one way out of the core. Every order carries
 * the reason for it. */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H

#include "site.h"

enum reason {
    REASON_NONE,       /* nobody there */
    REASON_MAX,        /* its own maximum */
    REASON_CIRCUIT,    /* a phase of a circuit is full */
    REASON_POWER,      /* the power limit of a circuit is reached */
    REASON_WAITING,    /* its minimum does not fit now */
    REASON_MODE,       /* its mode says so */
    REASON_SOLAR,      /* the sun gives no more */
    REASON_UNBALANCE,  /* a phase of a circuit may have no more beside another */
    REASON_PAUSED,     /* a person paused it */
    REASON_SATISFIED,  /* the car wants no more */
    REASON_METER_LOST, /* the meter of a circuit is silent, its safe current is used up
                        */
    REASON_RAMP,       /* more will follow once room is confirmed */
    REASON_OFFLINE,    /* the charger is not connected */
    REASON_DISOBEYS,   /* it does not do what it is told: its maximum is reserved */
    REASON_PHASES,     /* it is changing between one and three phases */
    REASON_EXTERNAL,   /* others than we limit its charger */
    REASON_COUNT
};

struct why {
    enum reason reason;
    int16_t circuit;  /* the full circuit, or SITE_NONE */
    int8_t phase;     /* its full phase 0 .. 2, or SITE_NONE */
    int64_t until_ms; /* when it will be over, or looked at anew, at the latest, on the
                         clock of at_ms; -1 = not known */
};

enum order_kind {
    ORDER_LIMIT,  /* who = connector: it may draw at most limit_ma for lease_ms */
    ORDER_SAMPLE, /* who = connector: ask its charger for fresh meter values */
    ORDER_NOTICE  /* who by notice: something began or ended, to be told to people */
};

enum notice {
    NOTICE_METER_LOST,     /* who = meter */
    NOTICE_METER_FROZEN,   /* who = meter: it answers, but always the same */
    NOTICE_OVER_LIMIT,     /* who = circuit: its meter shows more than its limit */
    NOTICE_LIMIT_EXTERNAL, /* who = circuit: an external limit is in force */
    NOTICE_DISOBEYS,       /* who = connector: it draws more than it was told */
    NOTICE_CHECK_FAILED,   /* who = circuit: our own bug, an answer was cut down */
    NOTICE_COUNT
};

struct order {
    enum order_kind kind;
    int32_t who;
    uint32_t seq;       /* ORDER_LIMIT: to be given back in EVENT_ANSWER */
    int32_t limit_ma;   /* ORDER_LIMIT, on each phase it uses */
    int32_t lease_ms;   /* ORDER_LIMIT: it ends by itself after this time */
    int8_t n_phases;    /* ORDER_LIMIT: 1 or 3 that it may use; 0 = as it is */
    bool renewal;       /* ORDER_LIMIT: the same current as before */
    int8_t insist;      /* ORDER_LIMIT: it did not follow: 1 = tell it again, 2 and
                           more = in another form than the last */
    struct why why;     /* ORDER_LIMIT */
    enum notice notice; /* ORDER_NOTICE */
    bool begins;        /* ORDER_NOTICE: begins, or ends */
};

const char *reason_name(enum reason r); /* as in the contract: "max", "circuit", ... */
const char *notice_name(enum notice n); /* "meter_lost", ... */

#endif
