/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the ledger of `chargehand audit`: one account per connector, kept from what
 * was recorded, by the rules of doc/architecture.md and without a line of the core's
 * own reckoning.
 *
 * An account must never be too high, or sound recordings would be blamed: what is not
 * known counts as 0. So a breach that is found is one. */
#ifndef CMD_AUDIT_LEDGER_H
#define CMD_AUDIT_LEDGER_H

#include "cmd/audit.h"

enum {
    LIMIT_BEFORE = LIMIT_SOURCES, /* from before the recording, of any source */
    LEDGER_GRANTS = 12,
    LEDGER_STALE_MS = 90000,   /* an older sample tells nothing */
    LEDGER_LAG_MS = 2000,      /* a sample may be that much older than it seems */
    LEDGER_FOLLOW_MS = 130000, /* no car needs so long to follow a set point */
    LEDGER_NOISE_MA = 500,     /* measured above a set point, and still obeying */
    LEDGER_ON_MA = 3000,       /* a phase that is used */
    LEDGER_OFF_MA = 500,       /* a phase that is not used, when it stays so ... */
    LEDGER_OFF_SAMPLES = 3     /* ... in so many samples */
};

enum grant_state {
    GRANT_SENT,
    GRANT_HELD,  /* confirmed, or not answered: may hold */
    GRANT_ENDING /* a later one is confirmed; until end_ms its current may flow */
};

/* A set point that was sent and may still have an effect. */
struct grant {
    uint32_t seq;
    int32_t ma;
    int32_t lease_ms;
    int8_t n_phases; /* 1: on its own L1 only */
    enum grant_state state;
    bool sure; /* confirmed */
    int64_t sent_ms, end_ms;
};

struct account {
    struct grant grant[LEDGER_GRANTS];
    int n;
    bool online, session;
    int64_t online_ms; /* since when, when online */
    int32_t told_ma;   /* the last set point sent, -1 = none */
    uint32_t told_seq;
    int8_t told_phases;  /* as in the order */
    bool untold;         /* it was rejected, got no answer, or the link is another */
    int64_t accepted_ms; /* the last answer of that kind */
    int32_t loose_ma; /* no account but a bound from above: more than it is a raise */
    int32_t seen_ma[SITE_PHASES];
    int64_t seen_ms;      /* -1 = never */
    int off[SITE_PHASES]; /* samples in a row in which this phase was not used */
    uint8_t unused;       /* phases that do not count */
    bool raised;          /* in this step */
    bool lease_blamed;
};

struct wire {
    struct event_meter last;
    int64_t at_ms;  /* of its meter's last reading, -1 = never */
    bool just_read; /* in this step */
    bool frozen;    /* it was told that its meter does not move any more */
    int32_t base_ma[SITE_PHASES];
    struct event_limit external[LIMIT_BEFORE + 1];
    int unanswered[SITE_PHASES]; /* readings in a row over the limit, not answered */
};

struct ledger {
    const struct site *site;
    int64_t now_ms;
    uint32_t seq; /* of the last limit, 0 = not known */
    bool raised;  /* in this step */
    struct account *accounts;
    struct wire *wires;
    void (*breach)(void *arg, const char *text);
    void *arg;
};

/* What the connector may draw on that site phase: what was sent and may hold. */
int32_t account_ma(const struct ledger *l, int connector, int phase);
/* What it may draw there when it follows what it was told last. */
int32_t account_told_ma(const struct ledger *l, int connector, int phase);
/* Bit p is set when it is reckoned on site phase p. */
uint8_t account_phases(const struct ledger *l, int connector);

void ledger_breach(struct ledger *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* audit_room.c */
void room_meter(struct ledger *l, int meter, const struct event_meter *e);
/* The connector's sample has changed; it was before_ma. */
void room_sample(struct ledger *l, int connector, const int32_t before_ma[SITE_PHASES]);
void room_frozen(struct ledger *l, int meter, bool begins);
void room_raise(struct ledger *l, int connector); /* it was raised in this step */
void room_overload(struct ledger *l); /* after a reading: was enough taken back? */

#endif
