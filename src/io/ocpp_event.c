/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that their chargers name themselves, as one kind of message tells them:
 * begin, what the car does, values, end. In our book they have an id of ours. */
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

/* Only its first message needs to say where it is. */
static struct ocpp_connector *find(struct ocpp_peer *p, const struct ocpp_tx_event *e)
{
    if (e->connector > 0)
        return ocpp_peer_connector(p, e->connector);
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->c[i].tx.name, e->name) == 0)
            return &p->c[i];
    return p->n == 1 ? &p->c[0] : NULL;
}

static bool is_refusal(const struct ocpp_tag_info *info)
{
    return strcmp(info->status, "Accepted") != 0;
}

static bool is_this(const struct ocpp_connector *c, const struct ocpp_tx_event *e)
{
    return strcmp(c->tx.name, e->name) == 0;
}

/* Sent again where our answer was lost; what was stored while we were away comes in
 * order, and an end of it finds its begin here. */
static void begin(struct ocpp_peer *p, struct ocpp_connector *c,
                  const struct ocpp_tx_event *e, bool refused)
{
    struct ocpp_start s = {.connector = c->number, .meter_wh = e->meter_wh};

    if (is_this(c, e))
        return;
    snprintf(s.tag, sizeof s.tag, "%s", e->tag);
    snprintf(s.timestamp, sizeof s.timestamp, "%s", e->timestamp);
    ocpp_tx_start(p, c, &s, refused);
    snprintf(c->tx.name, sizeof c->tx.name, "%s", e->name);
}

static void go_on(struct ocpp_peer *p, struct ocpp_connector *c,
                  const struct ocpp_tx_event *e)
{
    if (!c->tx.active && is_this(c, e) && e->status != STATUS_CHARGING &&
        p->w->now_ms - c->tx.ended_ms < OCPP_GONE_MS)
        return; /* a late one of what is over */
    if (!c->tx.active || !is_this(c, e))
        ocpp_tx_adopt(p, c, e->name, e->meter_wh);
    c->tx.doubtful = false;
}

/* The first tag that may charge is the transaction's, be it told with its begin or
 * later; what comes after that ends it, and may be another of the group. */
static void tag(struct ocpp_peer *p, struct ocpp_connector *c,
                const struct ocpp_tx_event *e, bool refused)
{
    if (!c->tx.active || !is_this(c, e) || (*c->tx.tag && (!c->tx.refused || refused)))
        return;
    if (strcmp(c->tx.tag, e->tag) != 0 || c->tx.refused != refused)
        ocpp_tx_tag(p, c, e->tag, refused);
}

/* One that we do not know began before us: its session may still be open in the book.
 */
static void end(struct ocpp_peer *p, struct ocpp_connector *c,
                const struct ocpp_tx_event *e)
{
    struct ocpp_stop s = {.meter_wh = e->meter_wh};

    if (!is_this(c, e))
        ocpp_tx_adopt(p, c, e->name, EVENT_NO_ENERGY);
    s.transaction = c->tx.id;
    snprintf(s.tag, sizeof s.tag, "%s", e->tag);
    snprintf(s.timestamp, sizeof s.timestamp, "%s", e->timestamp);
    snprintf(s.reason, sizeof s.reason, "%s", e->reason);
    ocpp_tx_stop(p, &s);
}

static void set_status(struct ocpp_peer *p, struct ocpp_connector *c,
                       enum connector_status status)
{
    if (status == STATUS_UNKNOWN)
        return;
    c->status = status;
    c->status_seen = true;
    ocpp_emit(p->w, (struct event){.kind = EVENT_STATUS,
                                   .who = ocpp_peer_index(p, c),
                                   .status = status});
    ocpp_tx_status(p, c);
}

bool ocpp_event(struct ocpp_peer *p, const struct ocpp_tx_event *e,
                struct ocpp_tag_info *info)
{
    struct ocpp_connector *c = find(p, e);
    struct ocpp_start s = {.reservation = e->reservation};
    bool refused;

    snprintf(s.tag, sizeof s.tag, "%s", e->tag);
    if (e->tagged)
        *info = e->step == OCPP_TX_ENDS ? ocpp_tags_look(p, e->tag)
                                        : ocpp_tags_start(p, c, &s);
    refused = e->tagged && is_refusal(info);
    if (!c)
        return e->tagged;
    if (e->plug > 0)
        c->plug_used = e->plug;
    if (e->step == OCPP_TX_BEGINS)
        begin(p, c, e, refused);
    else if (e->step == OCPP_TX_GOES_ON)
        go_on(p, c, e);
    if (e->step != OCPP_TX_ENDS && e->tagged)
        tag(p, c, e, refused);
    set_status(p, c, e->status);
    if (e->values && c->tx.active)
        ocpp_sample(p, c,
                    &(struct ocpp_meter){.connector = c->number, .values = e->values});
    if (e->step == OCPP_TX_ENDS)
        end(p, c, e);
    return e->tagged;
}
