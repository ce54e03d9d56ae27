/* SPDX-License-Identifier: Apache-2.0 */
/* The book of charging sessions. */
#include "run/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Transaction ids grow from the seconds since then, so that they are new after each
 * restart even when the ledger is lost: 2020-09-13T12:26:40Z. */
#define BOOK_EPOCH_S 1600000000

enum {
    SAVE_EVERY_S = 60, /* a running session is written so often */
    STEP_WH = 1000     /* some registers count in whole kWh */
};

struct entry {
    struct book_session s;
    int64_t saved_utc_s;
    int64_t heard_utc_s; /* the last register value */
};

struct book {
    const struct config *conf;
    struct history *history;
    struct entry *entries;
    int n;
    int32_t last_transaction;
};

static void save(struct book *b, int i, int64_t end_utc_s, const char *reason)
{
    const struct conf_connector *c = &b->conf->connectors[i];
    const struct book_session *s = &b->entries[i].s;
    struct history_session h = {
        .cid = c->cid,
        .charger = b->conf->chargers[c->charger].id,
        .tag = s->tag,
        .transaction = s->transaction,
        .begin_utc_s = s->begin_utc_s,
        .end_utc_s = end_utc_s,
        .begin_wh = s->begin_wh,
        .energy_wh = s->energy_wh,
        .end_reason = reason,
    };

    if (!h.charger)
        h.charger = c->cid;
    if (b->history)
        history_session(b->history, &h);
}

static int by_cid(const struct book *b, const char *cid)
{
    for (int i = 0; i < b->n; i++)
        if (strcmp(b->conf->connectors[i].cid, cid) == 0)
            return i;
    return SITE_NONE;
}

/* A session that was open when we stopped: kept until the charger tells what became of
 * it. */
static void take_up(void *arg, const struct history_session *h)
{
    struct book *b = arg;
    int i = by_cid(b, h->cid);
    struct book_session *s;

    if (i == SITE_NONE)
        return;
    s = &b->entries[i].s;
    s->active = true;
    s->transaction = h->transaction;
    snprintf(s->tag, sizeof s->tag, "%s", h->tag ? h->tag : "");
    s->begin_utc_s = h->begin_utc_s;
    s->begin_wh = h->begin_wh;
    s->energy_wh = h->energy_wh;
    b->entries[i].heard_utc_s = h->begin_utc_s;
}

struct book *book_new(const struct config *c, struct history *history, int64_t utc_s)
{
    struct book *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->conf = c;
    b->history = history;
    b->n = c->site.n_connectors;
    b->entries = calloc((size_t)b->n + 1, sizeof *b->entries);
    if (!b->entries) {
        free(b);
        return NULL;
    }
    if (c->history.folder) {
        b->last_transaction = history_last_transaction(c->history.folder);
        history_open_sessions(c->history.folder, take_up, b);
    }
    if (utc_s - BOOK_EPOCH_S > b->last_transaction && utc_s - BOOK_EPOCH_S < INT32_MAX)
        b->last_transaction = (int32_t)(utc_s - BOOK_EPOCH_S);
    return b;
}

void book_free(struct book *b)
{
    if (!b)
        return;
    for (int i = 0; i < b->n; i++)
        if (b->entries[i].s.active)
            save(b, i, 0, "");
    free(b->entries);
    free(b);
}

bool book_remap(struct book *b, const struct config *c, const int *map)
{
    int n = c->site.n_connectors;
    struct entry *entries = calloc((size_t)n + 1, sizeof *entries);

    if (!entries)
        return false;
    for (int i = 0; i < n; i++)
        if (map[i] != SITE_NONE)
            entries[i] = b->entries[map[i]];
    free(b->entries);
    b->entries = entries;
    b->n = n;
    b->conf = c;
    return true;
}

int32_t book_next_transaction(struct book *b)
{
    if (b->last_transaction == INT32_MAX)
        b->last_transaction = 0;
    return ++b->last_transaction;
}

static void finish(struct book *b, int i, int64_t utc_s, const char *reason)
{
    struct book_session *s = &b->entries[i].s;

    save(b, i, utc_s > s->begin_utc_s ? utc_s : s->begin_utc_s + 1, reason);
    s->active = false;
}

void book_session(struct book *b, const struct ocpp_session *o)
{
    struct book_session *s = &b->entries[o->connector].s;

    if (!o->begins) {
        if (o->register_wh != EVENT_NO_ENERGY)
            book_energy(b, o->connector, o->register_wh, o->utc_s);
        if (s->active)
            finish(b, o->connector, o->utc_s, o->reason);
        return;
    }
    if (s->active && o->resumed &&
        (o->transaction <= 0 || o->transaction == s->transaction))
        return; /* the one we know */
    if (s->active)
        finish(b, o->connector, o->utc_s, "Lost");
    *s = (struct book_session){
        .active = true,
        .transaction = o->transaction,
        .begin_utc_s = o->utc_s,
        .begin_wh = o->register_wh,
    };
    snprintf(s->tag, sizeof s->tag, "%s", o->tag);
    if (o->transaction > b->last_transaction)
        b->last_transaction = o->transaction;
    save(b, o->connector, 0, "");
    b->entries[o->connector].saved_utc_s = o->utc_s;
    b->entries[o->connector].heard_utc_s = o->utc_s;
}

/* The most that can have flowed in this time: twice the connector's rating. */
static int64_t possible_wh(const struct book *b, int connector, int64_t seconds)
{
    int64_t w = (int64_t)b->conf->site.connectors[connector].max_ma * SITE_PHASES *
                b->conf->site.voltage_mv / 1000000;

    return STEP_WH + (seconds > 0 ? 2 * w * seconds / 3600 : 0);
}

void book_energy(struct book *b, int connector, int64_t register_wh, int64_t utc_s)
{
    struct entry *e = &b->entries[connector];
    struct book_session *s = &e->s;
    int64_t gain;

    if (!s->active)
        return;
    if (s->begin_wh == EVENT_NO_ENERGY)
        s->begin_wh = register_wh;
    /* A register that fell was reset, or read as 0 for once; one that rises by more
     * than can have flowed comes back from that, or was told as 0 at the begin. What
     * was counted stays, it goes on from here. */
    gain = register_wh - s->begin_wh - s->energy_wh;
    if (gain < 0 || gain > possible_wh(b, connector, utc_s - e->heard_utc_s))
        s->begin_wh = register_wh - s->energy_wh;
    e->heard_utc_s = utc_s;
    s->energy_wh = register_wh - s->begin_wh;
    if (utc_s - e->saved_utc_s >= SAVE_EVERY_S) {
        e->saved_utc_s = utc_s;
        save(b, connector, 0, "");
    }
}

const struct book_session *book_at(const struct book *b, int connector)
{
    return &b->entries[connector].s;
}
