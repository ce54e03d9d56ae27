/* SPDX-License-Identifier: Apache-2.0 */
/* The book of charging sessions. */
#include "run/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Transaction ids grow from the seconds since then, so that they are new after each
 * restart even when the ledger is lost: 2020-09-13T12:26:40Z. */
#define BOOK_EPOCH_S 1600000000
#define BOOK_LARGEST 2000000000 /* others' ids may be any; ours stay below */

enum {
    SAVE_EVERY_S = 60, /* a running session is written so often */
    VACANT_S = 60,     /* so long its end may still be on its way */
    STEP_WH = 1000     /* some registers count in whole kWh */
};

struct entry {
    struct book_session s;
    int64_t saved_utc_s;
    int64_t heard_utc_s;      /* the last register value */
    struct book_session last; /* the one before; its true end may still come */
    int64_t last_heard_utc_s;
    int64_t vacant_utc_s; /* nobody is there since; 0 = somebody is */
};

struct book {
    const struct config *conf;
    struct history *history;
    struct entry *entries;
    int n;
    int32_t last_transaction;
};

static void save(struct book *b, int i, const struct book_session *s, int64_t end_utc_s,
                 const char *reason)
{
    const struct conf_connector *c = &b->conf->connectors[i];
    struct history_session h = {
        .cid = c->cid,
        .charger = b->conf->chargers[c->charger].id,
        .tag = s->tag,
        .transaction = s->transaction,
        .begin_utc_s = s->begin_utc_s,
        .end_utc_s = end_utc_s,
        .begin_wh = s->begin_wh,
        .energy_wh = s->energy_wh,
        .end_reason = end_utc_s ? reason : s->name,
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
    snprintf(s->name, sizeof s->name, "%s", h->end_reason);
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
            save(b, i, &b->entries[i].s, 0, "");
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
    if (b->last_transaction >= BOOK_LARGEST)
        b->last_transaction = 0;
    return ++b->last_transaction;
}

static void finish(struct book *b, int i, struct book_session *s, int64_t utc_s,
                   const char *reason)
{
    save(b, i, s, utc_s > s->begin_utc_s ? utc_s : s->begin_utc_s + 1, reason);
    s->active = s->had = false;
    s->most = (struct conf_most){0};
}

/* The most that can have flowed in this time: twice the connector's rating. */
static int64_t possible_wh(const struct book *b, int connector, int64_t seconds)
{
    int64_t w = (int64_t)b->conf->site.connectors[connector].max_ma * SITE_PHASES *
                b->conf->site.voltage_mv / 1000000;

    return STEP_WH + (seconds > 0 ? 2 * w * seconds / 3600 : 0);
}

/* A register that fell was reset, or read as 0 for once; one that rises by more than
 * can have flowed comes back from that, or was told as 0 at the begin. What was counted
 * stays, it goes on from here. */
static void count(const struct book *b, int connector, struct book_session *s,
                  int64_t register_wh, int64_t seconds)
{
    int64_t gain;

    if (s->begin_wh == EVENT_NO_ENERGY)
        s->begin_wh = register_wh;
    gain = register_wh - s->begin_wh - s->energy_wh;
    if (gain < 0 || gain > possible_wh(b, connector, seconds))
        s->begin_wh = register_wh - s->energy_wh;
    s->energy_wh = register_wh - s->begin_wh;
}

static bool is_of(const struct book_session *s, const struct ocpp_session *o)
{
    return o->transaction > 0 ? s->transaction == o->transaction
                              : *o->name && strcmp(s->name, o->name) == 0;
}

/* The true end of a session comes after we took it for over, or were not there. */
static bool late_end(struct book *b, const struct ocpp_session *o, int64_t *energy_wh)
{
    int charger = b->conf->connectors[o->connector].charger;

    for (int i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        bool present = is_of(&e->s, o);
        struct book_session *s = present ? &e->s : &e->last;
        int64_t heard_utc_s = present ? e->heard_utc_s : e->last_heard_utc_s;

        if (b->conf->connectors[i].charger != charger || !is_of(s, o))
            continue;
        if (o->register_wh != EVENT_NO_ENERGY)
            count(b, i, s, o->register_wh, o->utc_s - heard_utc_s);
        finish(b, i, s, o->utc_s, o->reason);
        *energy_wh = s->energy_wh;
        return true;
    }
    return false;
}

static void begin(struct book *b, const struct ocpp_session *o)
{
    struct entry *e = &b->entries[o->connector];
    struct conf_most most = e->s.most;

    bool again = e->s.active && !o->resumed && e->s.begin_utc_s == o->utc_s &&
                 e->s.begin_wh == o->register_wh && strcmp(e->s.tag, o->tag) == 0;

    if (again) /* told once more, our answer was lost: it all counts for this one */
        e->s.energy_wh = 0;
    else if (e->s.active)
        most = (struct conf_most){0};
    if (e->s.active)
        finish(b, o->connector, &e->s, o->utc_s, again ? "Repeated" : "Lost");
    e->last = e->s;
    e->last_heard_utc_s = e->heard_utc_s;
    e->s = (struct book_session){
        .active = true,
        .refused = o->refused,
        .transaction = o->transaction,
        .begin_utc_s = o->utc_s,
        .begin_wh = o->register_wh,
        .most = most,
    };
    snprintf(e->s.name, sizeof e->s.name, "%s", o->name);
    snprintf(e->s.tag, sizeof e->s.tag, "%s", o->tag);
    if (o->transaction > b->last_transaction && o->transaction <= BOOK_LARGEST)
        b->last_transaction = o->transaction;
    save(b, o->connector, &e->s, 0, "");
    e->saved_utc_s = e->heard_utc_s = o->utc_s;
}

/* The first one that may charge counts, also that of before a restart. */
static bool give_tag(struct book *b, const struct ocpp_session *o)
{
    struct book_session *s = &b->entries[o->connector].s;

    if (!s->active || (*s->tag && !s->refused))
        return false;
    snprintf(s->tag, sizeof s->tag, "%s", o->tag);
    s->refused = o->refused;
    save(b, o->connector, s, 0, "");
    return true;
}

int32_t book_open(const struct book *b, int connector, const char *name)
{
    const struct book_session *s = &b->entries[connector].s;
    bool other = *s->name && strcmp(s->name, name) != 0;

    return s->active && !other ? s->transaction : 0;
}

/* One that was there before we were: is it the one that is open? */
static bool goes_on(struct book *b, const struct ocpp_session *o)
{
    struct book_session *s = &b->entries[o->connector].s;

    if (!s->active || !o->resumed ||
        (!o->nameless && o->transaction != s->transaction) ||
        book_open(b, o->connector, o->name) == 0)
        return false;
    if (strcmp(s->name, o->name) != 0) {
        snprintf(s->name, sizeof s->name, "%s", o->name);
        save(b, o->connector, s, 0, "");
    }
    return true;
}

bool book_session(struct book *b, const struct ocpp_session *o, int64_t *energy_wh)
{
    struct book_session *s = &b->entries[o->connector].s;

    *energy_wh = 0;
    if (o->late)
        return late_end(b, o, energy_wh);
    if (o->tagged)
        return give_tag(b, o);
    if (!o->begins) {
        if (o->register_wh != EVENT_NO_ENERGY)
            book_energy(b, o->connector, o->register_wh, o->utc_s);
        *energy_wh = s->energy_wh;
        if (!s->active)
            return false;
        if (!*s->tag)
            snprintf(s->tag, sizeof s->tag, "%s", o->tag);
        finish(b, o->connector, s, o->utc_s, o->reason);
        return true;
    }
    if (!goes_on(b, o))
        begin(b, o);
    return true;
}

void book_energy(struct book *b, int connector, int64_t register_wh, int64_t utc_s)
{
    struct entry *e = &b->entries[connector];

    if (!e->s.active)
        return;
    count(b, connector, &e->s, register_wh, utc_s - e->heard_utc_s);
    e->heard_utc_s = utc_s;
    if (utc_s - e->saved_utc_s >= SAVE_EVERY_S) {
        e->saved_utc_s = utc_s;
        save(b, connector, &e->s, 0, "");
    }
}

void book_most(struct book *b, int connector, const struct conf_most *most)
{
    b->entries[connector].s.most = *most;
    b->entries[connector].s.had = false;
}

const char *book_enough(struct book *b, int connector, int64_t utc_s, char out[48])
{
    struct book_session *s = &b->entries[connector].s;
    int64_t milli = s->energy_wh * b->conf->price_cents / 100;

    if (!s->active || s->had)
        return NULL;
    if (s->most.wh && s->energy_wh >= s->most.wh)
        snprintf(out, 48, "its %g kWh", s->most.wh / 1000.0);
    else if (s->most.s && utc_s - s->begin_utc_s >= s->most.s)
        snprintf(out, 48, "its %g hours", s->most.s / 3600.0);
    else if (s->most.milli && milli >= s->most.milli)
        snprintf(out, 48, "what it may cost, %.2f", s->most.milli / 1000.0);
    else
        return NULL;
    s->had = true;
    return out;
}

bool book_vacant(struct book *b, int connector, bool vacant, int64_t utc_s)
{
    struct entry *e = &b->entries[connector];

    if (!vacant || !e->s.active)
        e->vacant_utc_s = 0;
    else if (e->vacant_utc_s == 0)
        e->vacant_utc_s = utc_s;
    else if (utc_s - e->vacant_utc_s >= VACANT_S) {
        finish(b, connector, &e->s, e->vacant_utc_s, "Lost");
        return true;
    }
    return false;
}

const struct book_session *book_at(const struct book *b, int connector)
{
    return &b->entries[connector].s;
}
