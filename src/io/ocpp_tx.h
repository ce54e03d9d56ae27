/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as a charger tells them. Part of a peer (io/ocpp_peer.h).
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_TX_H
#define IO_OCPP_TX_H

#include "proto/ocpp_said.h"

struct ocpp_peer;
struct ocpp_connector;

struct ocpp_tx {
    bool active;
    bool doubtful; /* the charger restarted; ends unless MeterValues prove it */
    int64_t doubt_until_ms;
    int64_t available_ms; /* since when it says Available; 0 = it does not */
    int32_t id;
    int32_t wire_id;         /* the id that the charger uses: may be -1 or 0 */
    bool nameless;           /* it uses none, wire_id means nothing */
    char name[OCPP_TX_NAME]; /* that its charger gave it instead of an id; "" */
    int64_t seq;             /* the highest of its events; -1 = none */
    int64_t event_utc_s;     /* the charger's time of the last; INT64_MIN = not told */
    int32_t last_id;         /* of the one before; 0 = none */
    char last_name[OCPP_TX_NAME];
    int64_t ended_ms; /* when that was */
    bool refused;     /* its tag may not charge */
    char tag[OCPP_TAG];
    char start[OCPP_TIMESTAMP]; /* as StartTransaction told it, to know a repetition */
    int64_t start_wh;
    int64_t begun_ms; /* when StartTransaction came; 0 = it was under way before */
};

int32_t ocpp_tx_start(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct ocpp_start *s, bool refused);
/* It was under way before we knew of it; name = as its charger calls it, or "". */
void ocpp_tx_adopt(struct ocpp_peer *p, struct ocpp_connector *c, const char *name,
                   int64_t register_wh);
/* Whose the transaction under way is was told now. */
void ocpp_tx_tag(struct ocpp_peer *p, struct ocpp_connector *c, const char *tag,
                 bool refused);
void ocpp_tx_stop(struct ocpp_peer *p, const struct ocpp_stop *s);
/* The end of one from before the one that is there now, and perhaps before us. */
void ocpp_tx_past(struct ocpp_peer *p, struct ocpp_connector *c, const char *name,
                  const struct ocpp_stop *s);
/* MeterValues name a transaction: proves ours, or adopts another's. `charging` = they
 * or the status show that energy flows. */
void ocpp_tx_seen(struct ocpp_peer *p, struct ocpp_connector *c, int32_t id,
                  bool charging, int64_t register_wh);
/* ... name none, and current flows or not. */
void ocpp_tx_unseen(struct ocpp_peer *p, struct ocpp_connector *c, bool flows,
                    int64_t register_wh);
void ocpp_tx_status(struct ocpp_peer *p, struct ocpp_connector *c);
void ocpp_tx_boot(struct ocpp_peer *p);
void ocpp_tx_tick(struct ocpp_peer *p);

/* ocpp_event.c: a status in which a transaction is. A transaction that its charger
 * names itself. Its tag's answer in `info` when it has told one: true. */
bool ocpp_event_has(enum connector_status status);
bool ocpp_event(struct ocpp_peer *p, const struct ocpp_tx_event *e,
                struct ocpp_tag_info *info);

#endif
