/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: begun and ended by their messages, adopted where they were begun
 * before us, doubted after a restart of the charger (quirks Q57-Q61). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { PAST_S = 40 * 86400, FUTURE_S = 600 };

/* The charger's time where it is plausible, else ours. */
static int64_t time_of(const struct ocpp_peer *p, const char *timestamp)
{
    int64_t t;

    if (clock_parse_utc(timestamp, &t) && t > p->w->utc_s - PAST_S &&
        t < p->w->utc_s + FUTURE_S)
        return t;
    return p->w->utc_s;
}

static void tell(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_session *s)
{
    struct ocpp_session copy = *s;

    copy.connector = ocpp_peer_index(p, c);
    if (copy.transaction == 0)
        copy.transaction = c->tx.id;
    if (!*copy.name)
        strcpy(copy.name, c->tx.name);
    copy.refused = c->tx.refused;
    snprintf(copy.tag, sizeof copy.tag, "%s", c->tx.tag);
    p->w->hooks.session(p->w->hooks.arg, &copy);
}

static void event(struct ocpp_peer *p, struct ocpp_connector *c, bool active,
                  bool resumed)
{
    ocpp_emit(p->w, (struct event){.kind = EVENT_SESSION,
                                   .who = ocpp_peer_index(p, c),
                                   .session = {.active = active, .resumed = resumed}});
}

/* An id that is none gets one of ours: the book has to tell sessions apart. One from
 * before us is the one that is open there. */
static int32_t own_id(struct ocpp_peer *p, const struct ocpp_connector *c, bool resumed)
{
    const struct ocpp_hooks *h = &p->w->hooks;
    int32_t id = resumed && h->open_transaction
                     ? h->open_transaction(h->arg, ocpp_peer_index(p, c), c->tx.name)
                     : 0;

    return id > 0 ? id : h->next_transaction(h->arg);
}

static void begin(struct ocpp_peer *p, struct ocpp_connector *c, int32_t id,
                  int64_t utc_s, int64_t register_wh, bool resumed)
{
    bool none = id <= 0;

    c->tx.active = true;
    c->tx.doubtful = c->tx.nameless = false;
    c->tx.available_ms = c->flows_ms = 0;
    c->tx.wire_id = id;
    c->tx.seq = -1;
    c->tx.event_utc_s = INT64_MIN;
    if (none)
        id = own_id(p, c, resumed);
    if (*c->tx.name) /* no id of the charger's, but one for each of them */
        c->tx.wire_id = id;
    c->tx.id = id;
    c->phases_seen = 0;
    log_info("%s: connector %d: transaction %d %s", p->id, c->number, id,
             resumed ? "was under way" : "has begun");
    /* what its tag says holds from the first current on */
    tell(p, c,
         &(struct ocpp_session){.begins = true,
                                .resumed = resumed,
                                .nameless = none,
                                .utc_s = utc_s,
                                .register_wh = register_wh});
    event(p, c, true, resumed);
    ocpp_limit_tx(p, c);
}

/* With it its TxProfile ends. */
static void end(struct ocpp_peer *p, struct ocpp_connector *c, int64_t utc_s,
                int64_t register_wh, const char *reason)
{
    struct ocpp_session s = {.utc_s = utc_s, .register_wh = register_wh};

    snprintf(s.reason, sizeof s.reason, "%s", reason);
    ocpp_learn_end(p, c, reason);
    c->tx.active = c->tx.doubtful = false;
    c->tx.available_ms = c->limit.tx_until_ms = 0;
    c->tx.last_id = c->tx.id;
    ocpp_needs_gone(c);
    strcpy(c->tx.last_name, c->tx.name);
    c->tx.ended_ms = p->w->now_ms;
    log_info("%s: connector %d: transaction %d has ended%s%s", p->id, c->number,
             c->tx.id, *reason ? ": " : "", reason);
    event(p, c, false, false);
    tell(p, c, &s);
    ocpp_limit_tx(p, c);
}

/* The same where its charger has not said so: it may go on. */
static void give_up(struct ocpp_peer *p, struct ocpp_connector *c, int64_t register_wh,
                    const char *reason)
{
    ocpp_limit_stray(p, c);
    end(p, c, p->w->utc_s, register_wh, reason);
}

int32_t ocpp_tx_start(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct ocpp_start *s, bool refused)
{
    int32_t id;

    if (c->tx.active && *s->timestamp && strcmp(c->tx.start, s->timestamp) == 0 &&
        c->tx.start_wh == s->meter_wh && strcasecmp(c->tx.tag, s->tag) == 0)
        return c->tx.id; /* sent again, our answer was lost */
    if (c->tx.active) /* nothing flowed between the two: what it says now was the end */
        give_up(p, c, s->meter_wh, "");
    id = p->w->hooks.next_transaction(p->w->hooks.arg);
    snprintf(c->tx.tag, sizeof c->tx.tag, "%s", s->tag);
    snprintf(c->tx.start, sizeof c->tx.start, "%s", s->timestamp);
    c->tx.start_wh = s->meter_wh;
    snprintf(c->tx.name, sizeof c->tx.name, "%s", s->name);
    c->tx.begun_ms = p->w->now_ms;
    c->tx.refused = refused;
    begin(p, c, id, time_of(p, s->timestamp), s->meter_wh, false);
    return id;
}

/* Whose transaction ends: that of the id; an id that is none (-1, 0) ends the only one
 * there is. */
static struct ocpp_connector *find(struct ocpp_peer *p, int32_t id)
{
    struct ocpp_connector *only = NULL;
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        struct ocpp_tx *t = &p->c[i].tx;

        if (!t->active)
            continue;
        if (t->id == id || (id > 0 && t->wire_id == id))
            return &p->c[i];
        only = &p->c[i];
        n++;
    }
    return id <= 0 && n == 1 ? only : NULL;
}

void ocpp_tx_stop(struct ocpp_peer *p, const struct ocpp_stop *s)
{
    struct ocpp_connector *c = find(p, s->transaction);
    int64_t utc_s = time_of(p, s->timestamp);
    struct ocpp_session late = {.late = true,
                                .transaction = s->transaction,
                                .utc_s = utc_s,
                                .register_wh = s->meter_wh};

    if (c) {
        /* one whose tag nobody has told is of who ends it */
        if (!*c->tx.tag && strcmp(ocpp_tags_look(p, s->tag).status, "Accepted") == 0)
            snprintf(c->tx.tag, sizeof c->tx.tag, "%s", s->tag);
        end(p, c, utc_s, s->meter_wh, s->reason);
        return;
    }
    /* It ended for us before its charger said so, or while we were not there: the book
     * gets the true end. */
    for (int i = 0; i < p->n; i++)
        if (p->c[i].tx.last_id == s->transaction)
            late.connector = i;
    if (s->transaction <= 0) {
        log_debug("%s: end of the unknown transaction %d", p->id, s->transaction);
        return;
    }
    c = &p->c[late.connector];
    snprintf(late.reason, sizeof late.reason, "%s", s->reason);
    tell(p, c, &late);
}

void ocpp_tx_past(struct ocpp_peer *p, struct ocpp_connector *c, const char *name,
                  const struct ocpp_stop *s)
{
    struct ocpp_session late = {.late = true,
                                .transaction = -1,
                                .utc_s = time_of(p, s->timestamp),
                                .register_wh = s->meter_wh};

    snprintf(late.name, sizeof late.name, "%s", name);
    snprintf(late.reason, sizeof late.reason, "%s", s->reason);
    tell(p, c, &late);
}

void ocpp_tx_tag(struct ocpp_peer *p, struct ocpp_connector *c, const char *tag,
                 bool refused)
{
    snprintf(c->tx.tag, sizeof c->tx.tag, "%s", tag);
    c->tx.refused = refused;
    tell(p, c, &(struct ocpp_session){.tagged = true, .utc_s = p->w->utc_s});
    event(p, c, true, true);
}

static void adopt(struct ocpp_peer *p, struct ocpp_connector *c, int32_t id,
                  const char *name, int64_t register_wh)
{
    c->tx.tag[0] = c->tx.start[0] = '\0';
    snprintf(c->tx.name, sizeof c->tx.name, "%s", name);
    c->tx.begun_ms = 0;
    c->tx.refused = false;
    begin(p, c, id, p->w->utc_s, register_wh, true);
}

void ocpp_tx_adopt(struct ocpp_peer *p, struct ocpp_connector *c, const char *name,
                   int64_t register_wh)
{
    if (c->tx.active)
        give_up(p, c, EVENT_NO_ENERGY, "");
    adopt(p, c, 0, name, register_wh);
}

void ocpp_tx_seen(struct ocpp_peer *p, struct ocpp_connector *c, int32_t id,
                  bool charging, int64_t register_wh)
{
    if (!c->tx.active) {
        /* an id that is none proves nothing; the last values of one just ended, neither
         */
        bool late = c->tx.last_id == id && p->w->now_ms - c->tx.ended_ms < OCPP_GONE_MS;

        if (!late && (charging || (id > 0 && id != c->tx.last_id)))
            adopt(p, c, id, "", register_wh);
        return;
    }
    if (id > 0 && c->tx.nameless) { /* it has got a name */
        c->tx.nameless = c->tx.doubtful = false;
        c->tx.wire_id = id;
        ocpp_limit_tx(p, c);
        return;
    }
    if (id > 0 && id != c->tx.id && id != c->tx.wire_id && id != c->tx.last_id) {
        give_up(p, c, EVENT_NO_ENERGY, "");
        adopt(p, c, id, "", register_wh);
        return;
    }
    if (id != c->tx.last_id || id == c->tx.id) {
        c->tx.doubtful = false;
        c->tx.wire_id = id;
    }
}

/* Some charge without any transaction, or name it nowhere: after a while of current
 * that is one, too (Q61). */
void ocpp_tx_unseen(struct ocpp_peer *p, struct ocpp_connector *c, bool flows,
                    int64_t register_wh)
{
    if (c->tx.active || !flows) {
        c->flows_ms = 0;
        return;
    }
    if (c->flows_ms == 0)
        c->flows_ms = p->w->now_ms;
    if (p->w->now_ms - c->flows_ms < OCPP_NAMELESS_MS)
        return;
    adopt(p, c, 0, "", register_wh);
    c->tx.nameless = true;
}

void ocpp_tx_status(struct ocpp_peer *p, struct ocpp_connector *c)
{
    bool over = c->status == STATUS_AVAILABLE || c->status == STATUS_PREPARING ||
                c->status == STATUS_FINISHING || c->status == STATUS_RESERVED;

    if (!c->tx.active)
        return;
    if (c->tx.doubtful && over)
        end(p, c, p->w->utc_s, EVENT_NO_ENERGY, "Reboot");
    else if (c->status != STATUS_AVAILABLE)
        c->tx.available_ms = 0;
    else if (c->tx.available_ms == 0)
        c->tx.available_ms = p->w->now_ms;
}

void ocpp_tx_boot(struct ocpp_peer *p)
{
    int64_t wait_ms = 30000 + 2000 * (int64_t)p->w->conf->ocpp.sample_s;

    for (int i = 0; i < p->n; i++)
        if (p->c[i].tx.active) {
            p->c[i].tx.doubtful = true;
            p->c[i].tx.doubt_until_ms = p->w->now_ms + wait_ms;
        }
}

void ocpp_tx_tick(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];

        if (!c->tx.active || !p->link)
            continue;
        if (c->tx.doubtful && p->w->now_ms >= c->tx.doubt_until_ms)
            give_up(p, c, EVENT_NO_ENERGY, "Reboot");
        else if (c->tx.available_ms &&
                 p->w->now_ms - c->tx.available_ms >= OCPP_GONE_MS)
            end(p, c, p->w->utc_s, EVENT_NO_ENERGY, "");
    }
}
