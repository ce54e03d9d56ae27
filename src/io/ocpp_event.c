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
    snprintf(s.name, sizeof s.name, "%s", e->name);
    snprintf(s.tag, sizeof s.tag, "%s", e->tag);
    snprintf(s.timestamp, sizeof s.timestamp, "%s", e->timestamp);
    ocpp_tx_start(p, c, &s, refused);
}

static void go_on(struct ocpp_peer *p, struct ocpp_connector *c,
                  const struct ocpp_tx_event *e)
{
    if (!c->tx.active && is_this(c, e) && e->status != STATUS_CHARGING &&
        p->w->now_ms - c->tx.ended_ms < OCPP_GONE_MS)
        return; /* a late one of what is over */
    if (!c->tx.active || !is_this(c, e))
        ocpp_tx_adopt(p, c, e->name, e->meter_wh);
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

static struct ocpp_stop stop_of(int32_t id, const struct ocpp_tx_event *e)
{
    struct ocpp_stop s = {.transaction = id, .meter_wh = e->meter_wh};

    snprintf(s.tag, sizeof s.tag, "%s", e->tag);
    snprintf(s.timestamp, sizeof s.timestamp, "%s", e->timestamp);
    snprintf(s.reason, sizeof s.reason, "%s", e->reason);
    return s;
}

static void stop(struct ocpp_peer *p, int32_t id, const struct ocpp_tx_event *e)
{
    struct ocpp_stop s = stop_of(id, e);

    ocpp_tx_stop(p, &s);
}

/* One that we do not know began before us: its session may still be open in the book.
 */
static void end(struct ocpp_peer *p, struct ocpp_connector *c,
                const struct ocpp_tx_event *e)
{
    if (!is_this(c, e))
        ocpp_tx_adopt(p, c, e->name, EVENT_NO_ENERGY);
    stop(p, c->tx.id, e);
}

bool ocpp_event_has(enum connector_status status)
{
    return status == STATUS_PREPARING || status == STATUS_CHARGING ||
           status == STATUS_SUSPENDED_EV || status == STATUS_SUSPENDED_EVSE ||
           status == STATUS_FINISHING;
}

/* What was so before its charger said that nobody is there, or that it does not work,
 * is so no more. */
static bool is_over(const struct ocpp_connector *c, const struct ocpp_tx_event *e)
{
    int64_t utc_s;

    if (c->status == STATUS_UNKNOWN || ocpp_event_has(c->status))
        return false;
    return e->step == OCPP_TX_ENDS ||
           (e->stored && clock_parse_utc(e->timestamp, &utc_s) &&
            utc_s < c->status_utc_s);
}

static void set_status(struct ocpp_peer *p, struct ocpp_connector *c,
                       const struct ocpp_tx_event *e)
{
    if (e->status == STATUS_UNKNOWN || is_over(c, e))
        return;
    c->status = e->status;
    c->status_seen = true;
    ocpp_emit(p->w, (struct event){.kind = EVENT_STATUS,
                                   .who = ocpp_peer_index(p, c),
                                   .status = e->status});
    ocpp_tx_status(p, c);
}

/* ---- their order */

/* It was stored before the last event of the one that is there now. */
static bool is_older(const struct ocpp_connector *c, const struct ocpp_tx_event *e)
{
    int64_t utc_s;

    return e->stored && c->tx.event_utc_s != INT64_MIN &&
           clock_parse_utc(e->timestamp, &utc_s) && utc_s < c->tx.event_utc_s;
}

/* An event of a transaction before the one that is there now: it changes nothing but
 * the book, which gets its true end. No end of another one ends the one that is there,
 * with its limit. */
static bool is_past(struct ocpp_peer *p, struct ocpp_connector *c,
                    const struct ocpp_tx_event *e)
{
    if (!c->tx.active || is_this(c, e))
        return false;
    if (strcmp(c->tx.last_name, e->name) == 0) {
        if (e->step == OCPP_TX_ENDS)
            stop(p, c->tx.last_id, e);
        return true;
    }
    if (!is_older(c, e) && (e->step != OCPP_TX_ENDS || !*c->tx.name))
        return false;
    if (e->step == OCPP_TX_ENDS) {
        struct ocpp_stop s = stop_of(-1, e);

        ocpp_tx_past(p, c, e->name, &s);
    }
    return true;
}

/* Is it newer than all of its transaction that came? One that comes again, or too late,
 * does not undo what is known since. Some do not count. */
static bool is_newest(struct ocpp_connector *c, const struct ocpp_tx_event *e)
{
    int64_t utc_s = INT64_MIN;
    bool timed = clock_parse_utc(e->timestamp, &utc_s);

    if (!is_this(c, e))
        return true;
    if (e->seq >= 0 && e->seq <= c->tx.seq && (!timed || utc_s <= c->tx.event_utc_s))
        return false;
    c->tx.seq = e->seq;
    c->tx.event_utc_s = utc_s;
    return true;
}

/* What it measured before this link is not what flows now; a charger that calls all of
 * its events stored is heard all the same. */
static bool is_stale(const struct ocpp_peer *p, const struct ocpp_tx_event *e)
{
    int64_t up_s = p->w->utc_s - (p->w->now_ms - p->link_ms) / 1000, utc_s;

    return e->stored && clock_parse_utc(e->timestamp, &utc_s) && utc_s < up_s;
}

/* ---- where it is */

/* Drivers may be let in before their cars are plugged in, and then nobody knows where:
 * what was told of such a transaction counts when that is told. */
static void keep(struct ocpp_peer *p, const struct ocpp_tx_event *e)
{
    struct ocpp_tx_event *kept = &p->unplaced;
    bool known = strcmp(kept->name, e->name) == 0;

    if (known && e->step == OCPP_TX_ENDS) {
        kept->name[0] = '\0';
    } else if (e->step == OCPP_TX_BEGINS) {
        *kept = *e;
        kept->values = NULL;
    } else if (known && e->tagged && (!*kept->tag || !kept->tagged)) {
        kept->tagged = true;
        strcpy(kept->tag, e->tag);
    }
}

static void place(struct ocpp_peer *p, struct ocpp_connector *c,
                  const struct ocpp_tx_event *e)
{
    struct ocpp_tx_event *kept = &p->unplaced;
    struct ocpp_start s = {.reservation = kept->reservation};
    struct ocpp_tag_info info;
    bool refused = false;

    if (!*kept->name || strcmp(kept->name, e->name) != 0)
        return;
    snprintf(s.tag, sizeof s.tag, "%s", kept->tag);
    if (kept->tagged) {
        info = ocpp_tags_start(p, c, &s);
        refused = is_refusal(&info);
    }
    begin(p, c, kept, refused);
    kept->name[0] = '\0';
}

/* Who was let in by an order of ours may be told by that alone. */
static void by_order(const struct ocpp_peer *p, struct ocpp_tx_event *e)
{
    if (e->tagged || e->remote == INT64_MIN || e->step == OCPP_TX_ENDS ||
        e->remote != p->remote.id || !p->remote.known)
        return;
    e->tagged = true;
    strcpy(e->tag, p->remote.tag);
}

bool ocpp_event(struct ocpp_peer *p, const struct ocpp_tx_event *told,
                struct ocpp_tag_info *info)
{
    struct ocpp_tx_event is = *told, *e = &is;
    struct ocpp_connector *c = find(p, e);
    struct ocpp_start s = {.reservation = e->reservation};
    bool refused;

    by_order(p, e);
    memcpy(s.tag, e->tag, sizeof s.tag);
    if (e->tagged)
        *info = e->step == OCPP_TX_ENDS ? ocpp_tags_look(p, e->tag)
                                        : ocpp_tags_start(p, c, &s);
    refused = e->tagged && is_refusal(info);
    if (!c)
        keep(p, e);
    if (!c || is_past(p, c, e))
        return told->tagged;
    place(p, c, e);
    if (e->plug > 0)
        c->plug_used = e->plug;
    if (e->step == OCPP_TX_BEGINS)
        begin(p, c, e, refused);
    else if (e->step == OCPP_TX_GOES_ON)
        go_on(p, c, e);
    if (e->step != OCPP_TX_ENDS && e->tagged)
        tag(p, c, e, refused);
    if (is_this(c, e)) /* it has not ended with a restart of its charger */
        c->tx.doubtful = false;
    if (is_newest(c, e)) {
        set_status(p, c, e);
        if (e->step != OCPP_TX_ENDS && c->tx.active)
            ocpp_needs_cable(p, c, e->cable_ma);
        if (e->values && c->tx.active && !is_stale(p, e))
            ocpp_sample(
                p, c,
                &(struct ocpp_meter){.connector = c->number, .values = e->values});
    }
    if (e->step == OCPP_TX_ENDS)
        end(p, c, e);
    return told->tagged;
}
