/* SPDX-License-Identifier: Apache-2.0 */
/* A charger's end of an OCPP link without sockets, on a virtual clock: for the tests of
 * what Chargehand says and what it makes of what it hears. */
#ifndef TESTS_OCPP_RIG_H
#define TESTS_OCPP_RIG_H

#include "io/ocpp_peer.h"

enum { RIG_SENT = 256, RIG_EVENTS = 512, RIG_CONNECTORS = 2 };

struct rig {
    struct config conf;
    struct conf_charger chargers[1];
    struct conf_connector connectors[RIG_CONNECTORS];
    struct site_connector site_connectors[RIG_CONNECTORS];
    struct site_charger site_chargers[1];
    struct conf_tag tags[2];
    struct ocpp_world w;
    struct ocpp_peer *p;
    char *sent[RIG_SENT]; /* what the charger got, not yet looked at */
    int n;
    struct event events[RIG_EVENTS];
    int n_events;
    struct ocpp_session sessions[32];
    int n_sessions;
    struct ocpp_station station;
    int n_stations;
    struct ocpp_record record; /* the last one learned; its id "" = none */
    int troubles;              /* begun and not ended */
    char trouble[160];         /* the last one begun */
    int32_t transaction, open; /* the last id given; the one open in the book */
    const char *open_name;
    uint32_t seq;
    bool cut; /* the connection was to be cut */
};

struct rig *rig_new(int n_connectors);
void rig_free(struct rig *r);

void rig_wait(struct rig *r, int64_t ms); /* time passes, in ticks of 100 ms */

/* The charger sends a CALL; what it is answered must be `want` (payload JSON), or the
 * code of a CALLERROR. */
void rig_call(struct rig *r, const char *action, const char *payload, const char *want);
void rig_says(struct rig *r, const char *frame); /* anything */

/* The next call the charger got: its action, and its payload in *payload until the next
 * call of it; "" when there is none. */
const char *rig_next(struct rig *r, const char **payload);
/* Expects the next call to be `action`; returns its payload. */
const char *rig_expect(struct rig *r, const char *action);
void rig_expect_nothing(struct rig *r);
/* The charger answers the call it got last. */
void rig_answer(struct rig *r, const char *payload);
void rig_status(struct rig *r, const char *status); /* {"status": ...} */
void rig_error(struct rig *r, const char *code);
void rig_fail(struct rig *r, const char *code, const char *text); /* the same */

/* Connects, boots, and answers all calls with `status` until there are no more. */
void rig_up(struct rig *r);
void rig_settle(struct rig *r, const char *status);

/* The core orders; returns the seq. */
uint32_t rig_order(struct rig *r, int connector, int32_t limit_ma, int32_t lease_ms);
/* The answer to seq: an enum answer, or -1 while there is none; fails when there are
 * two. */
int rig_answered(struct rig *r, uint32_t seq);
/* The last event of a kind, or NULL. */
const struct event *rig_last(struct rig *r, enum event_kind kind);
int rig_count(struct rig *r, enum event_kind kind);

#endif
