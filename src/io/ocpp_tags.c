/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: who may charge, reservations, and the list of tags that chargers keep so that
 * they know them while we are away.
 *
 * The list has a number (world.tags_version), which grows with each change of it. A
 * charger that has another one gets the changes, where it has what we gave it before,
 * or all of it, in as many messages as it wants: the last of them has our number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { PER_MESSAGE = 20 };

/* ---- who may charge */

static bool expired(const struct ocpp_peer *p, const struct conf_tag *t)
{
    return t->until_s && t->until_s <= p->w->utc_s;
}

/* Has the charger's version room for it? */
static bool fits(const struct ocpp_peer *p, const char *tag)
{
    return strlen(tag) <= (size_t)p->schema->tag_most;
}

static struct ocpp_tag_info known(const struct ocpp_peer *p, const struct conf_tag *t)
{
    struct ocpp_tag_info info = {.status = expired(p, t) ? "Expired" : "Accepted"};

    if (t->group && fits(p, t->group))
        info.parent = t->group;
    if (t->until_s)
        clock_format_utc(t->until_s, info.expiry);
    return info;
}

struct ocpp_tag_info ocpp_tags_look(const struct ocpp_peer *p, const char *tag)
{
    const struct config *c = p->w->conf;
    const struct conf_tag *t = config_tag(c, tag);

    if (t)
        return known(p, t);
    return (struct ocpp_tag_info){
        .status =
            c->ocpp.accept_all_tags || c->ocpp.unknown_tags ? "Accepted" : "Invalid"};
}

/* ---- reservations */

/* Is it for somebody else? */
static bool keeps_out(const struct ocpp_peer *p, const struct ocpp_reserved *r,
                      const char *tag)
{
    const struct conf_tag *t = config_tag(p->w->conf, tag);

    return r->active && r->until_s > p->w->utc_s && strcasecmp(r->is.tag, tag) != 0 &&
           !(*r->is.parent && t && t->group && strcasecmp(r->is.parent, t->group) == 0);
}

/* One for any connector keeps the last free one. */
static bool last_free(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    for (int i = 0; i < p->n; i++)
        if (&p->c[i] != c && !p->c[i].tx.active && !p->c[i].reserved.active)
            return false;
    return true;
}

struct ocpp_tag_info ocpp_tags_start(struct ocpp_peer *p, struct ocpp_connector *c,
                                     const struct ocpp_start *s)
{
    struct ocpp_tag_info info = ocpp_tags_look(p, s->tag);

    if (c && (keeps_out(p, &c->reserved, s->tag) ||
              (keeps_out(p, &p->reserved, s->tag) && last_free(p, c)))) {
        log_info("%s: connector %d is reserved, not for the tag %s", p->id, c->number,
                 s->tag);
        info.status = "Blocked";
        return info;
    }
    if (c && c->reserved.active &&
        (s->reservation == c->reserved.is.id ||
         strcasecmp(c->reserved.is.tag, s->tag) == 0))
        c->reserved.active = false; /* it is used up */
    if (p->reserved.active && (s->reservation == p->reserved.is.id ||
                               strcasecmp(p->reserved.is.tag, s->tag) == 0))
        p->reserved.active = false;
    return info;
}

void ocpp_tags_reserve(struct ocpp_peer *p, const cJSON *request)
{
    struct ocpp_reserved r = {.active = true};

    if (!p->schema->read_reservation(request, &r.is) ||
        !clock_parse_utc(r.is.expiry, &r.until_s))
        return;
    ocpp_tags_unreserve(p, r.is.id); /* the same number replaces */
    if (r.is.connector == 0)
        p->reserved = r;
    else if (r.is.connector > 0 && r.is.connector <= p->n)
        p->c[r.is.connector - 1].reserved = r;
}

void ocpp_tags_unreserve(struct ocpp_peer *p, int32_t id)
{
    if (p->reserved.is.id == id)
        p->reserved.active = false;
    for (int i = 0; i < p->n; i++)
        if (p->c[i].reserved.is.id == id)
            p->c[i].reserved.active = false;
}

/* ---- the list in the charger */

static const char *type(const struct conf_tag *t)
{
    return t->type ? t->type : ocpp_token_type(t->id);
}

static struct ocpp_tag entry(const struct ocpp_peer *p, const struct conf_tag *t)
{
    return (struct ocpp_tag){.id = t->id, .type = type(t), .info = known(p, t)};
}

static struct ocpp_tag gone(const struct conf_tag *t)
{
    return (struct ocpp_tag){.id = t->id, .type = type(t)};
}

static bool same(const struct conf_tag *a, const struct conf_tag *b)
{
    return strcmp(a->id, b->id) == 0 && a->until_s == b->until_s &&
           strcmp(a->group ? a->group : "", b->group ? b->group : "") == 0;
}

/* What makes the list of `is` out of that of `was`, NULL = out of nothing. Both are
 * sorted. */
static int changes(const struct ocpp_peer *p, const struct config *was,
                   const struct config *is, struct ocpp_tag *out)
{
    int i = 0, j = 0, n = 0, n_was = was ? was->ocpp.n_tags : 0;

    while (i < n_was || j < is->ocpp.n_tags) {
        const struct conf_tag *x = i < n_was ? &was->ocpp.tags[i] : NULL;
        const struct conf_tag *y = j < is->ocpp.n_tags ? &is->ocpp.tags[j] : NULL;
        int order = !x ? 1 : !y ? -1 : strcasecmp(x->id, y->id);

        bool other =
            order == 0 && p->schema->typed_tags && strcmp(type(x), type(y)) != 0;

        if (order < 0 || other)
            out[n++] = gone(x);
        if (order > 0 || other || (order == 0 && !same(x, y)))
            out[n++] = entry(p, y);
        i += order <= 0;
        j += order >= 0;
    }
    return n;
}

/* Leaves out what the charger's version has no room for. */
static int only_fitting(const struct ocpp_peer *p, struct ocpp_tag *tags, int n)
{
    const char *first = NULL;
    int fit = 0, out = 0;

    for (int i = 0; i < n; i++) {
        if (fits(p, tags[i].id)) {
            tags[fit++] = tags[i];
        } else if (tags[i].info.status) {
            first = first ? first : tags[i].id;
            out++;
        }
    }
    if (out)
        log_warnx("%s: speaks OCPP %s, where a tag has at most %d characters: its list "
                  "is without %s%s",
                  p->id, p->schema->version, p->schema->tag_most, first,
                  out > 1 ? " and others" : "");
    return fit;
}

static void finish(struct ocpp_peer *p)
{
    free(p->list.tags);
    p->list.tags = NULL;
    p->list.step = OCPP_LIST_DONE;
}

static size_t length(const struct ocpp_peer *p, const struct ocpp_tag *tags, int n)
{
    char *text = p->schema->send_list(p->w->tags_version, true, tags, n);
    size_t is = text ? strlen(text) : 0;

    free(text);
    return is;
}

/* So many tags fit into a message of that charger, whichever they are. */
static int32_t that_fit(const struct ocpp_peer *p, size_t bytes,
                        const struct ocpp_tag *tags, int n)
{
    enum { AROUND = 80, EXPIRY = 50, PARENT = 60 }; /* the frame; what those add */
    struct ocpp_tag two[2] = {{0}};
    size_t longest = 0, len, one, more;

    for (int i = 0; i < n; i++) {
        const struct ocpp_tag_info *info = &tags[i].info;

        len = strlen(tags[i].id) + (*info->expiry ? EXPIRY : 0) +
              (info->parent ? PARENT + strlen(info->parent) : 0);
        if (len > longest)
            two[0] = two[1] = tags[i];
        longest = len > longest ? len : longest;
    }
    if (n == 0)
        return 1;
    one = length(p, two, 1) + AROUND;
    more = length(p, two, 2) + AROUND;
    return one < more && one < bytes ? (int32_t)(1 + (bytes - one) / (more - one)) : 1;
}

/* Gets everything ready for being sent. */
static void prepare(struct ocpp_peer *p, bool full)
{
    struct ocpp_list *l = &p->list;
    /* what it said last, or its report */
    int32_t most_tags = l->can.max > 0 ? l->can.max : p->config.list_max;
    int32_t per = l->can.per > 0 ? l->can.per : p->config.list_per;
    int32_t bytes = l->can.bytes > 0 ? l->can.bytes : p->config.list_bytes;
    const struct config *is = p->w->conf, *was = full ? NULL : l->held;
    size_t most = (size_t)is->ocpp.n_tags + (size_t)(was ? was->ocpp.n_tags : 0);

    free(l->tags);
    l->tags = calloc(most + 1, sizeof *l->tags);
    l->n = l->tags ? only_fitting(p, l->tags, changes(p, was, is, l->tags)) : 0;
    if (full && most_tags > 0 && l->n > most_tags) {
        log_warnx("%s: keeps no more than %d of the %d tags", p->id, most_tags, l->n);
        l->n = most_tags;
    }
    l->per = per > 0 && per < 100 ? per : PER_MESSAGE;
    if (bytes > 0) {
        int fit = that_fit(p, (size_t)bytes, l->tags, l->n);

        l->per = fit < l->per ? fit : l->per;
    }
    l->at = 0;
    l->full = full;
    l->step = l->tags ? OCPP_LIST_SEND : OCPP_LIST_DONE;
}

static void sent(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_reply *r)
{
    struct ocpp_list *l = &p->list;
    char status[24] = "";

    (void)c;
    if (l->step != OCPP_LIST_SEND) /* the list has changed meanwhile */
        return;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (strcasecmp(status, "Accepted") == 0) {
        l->at += l->per;
        if (l->at < l->n)
            return;
        l->held = p->w->conf;
        l->held_version = p->w->tags_version;
        log_info("%s: keeps the list of tags, number %d", p->id, p->w->tags_version);
        finish(p);
    } else if (!l->full) {
        prepare(p, true);
    } else {
        l->held = NULL;
        log_warnx("%s: does not take the list of tags: %s", p->id,
                  *status                       ? status
                  : r->kind == OCPP_REPLY_ERROR ? r->code
                                                : "no answer");
        finish(p);
    }
}

static bool send_list(struct ocpp_peer *p)
{
    struct ocpp_list *l = &p->list;
    int per = l->per, n = l->n - l->at < per ? l->n - l->at : per;
    int after = l->n - l->at > per ? (l->n - l->at - 1) / per : 0;
    char *text = p->schema->send_list(p->w->tags_version - after, l->full && l->at == 0,
                                      l->tags + l->at, n);

    if (text)
        ocpp_peer_call(p, "SendLocalList", text, sent, NULL);
    else
        finish(p);
    free(text);
    return text != NULL;
}

static void got_version(struct ocpp_peer *p, struct ocpp_connector *c,
                        const struct ocpp_reply *r)
{
    struct ocpp_list *l = &p->list;
    int64_t version = -1;

    (void)c;
    if (l->step != OCPP_LIST_VERSION)
        return;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_int(r->payload, p->schema->list_version, &version);
    if (version < 0) {
        l->step = OCPP_LIST_NONE; /* it has no such list */
    } else if (version == p->w->tags_version) {
        l->held = p->w->conf;
        l->held_version = p->w->tags_version;
        l->step = OCPP_LIST_DONE;
    } else {
        prepare(p,
                !l->held || version != l->held_version || version > p->w->tags_version);
    }
}

static void enabled(struct ocpp_peer *p, struct ocpp_connector *c,
                    const struct ocpp_reply *r)
{
    (void)c;
    (void)r;
    if (p->list.step == OCPP_LIST_ENABLE)
        p->list.step = OCPP_LIST_VERSION; /* it tells there whether it did */
}

static void got_keys(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    struct ocpp_list *l = &p->list;

    (void)c;
    if (l->step != OCPP_LIST_KEYS)
        return;
    if (r->kind != OCPP_REPLY_RESULT || !p->schema->read_list(r->payload, &l->can))
        l->step = OCPP_LIST_NONE;
    else if (l->can.enabled == 0 && !l->can.fixed)
        l->step = OCPP_LIST_ENABLE;
    else
        l->step = l->can.enabled == 0 ? OCPP_LIST_NONE : OCPP_LIST_VERSION;
}

/* The last of all that there is to say. */
bool ocpp_tags_pump(struct ocpp_peer *p)
{
    char text[OCPP_CALL_TEXT];
    const char *action;

    if (!p->w->conf->ocpp.local_list || p->w->conf->ocpp.accept_all_tags ||
        p->setup != OCPP_SETUP_DONE)
        return false;
    switch (p->list.step) {
    case OCPP_LIST_KEYS:
        action = p->schema->ask_list(text, &p->config);
        ocpp_peer_call(p, action, text, got_keys, NULL);
        return true;
    case OCPP_LIST_ENABLE:
        action = p->schema->write_setting(text, OCPP_SET_LIST, "true");
        ocpp_peer_call(p, action, text, enabled, NULL);
        return true;
    case OCPP_LIST_VERSION:
        ocpp_peer_call(p, "GetLocalListVersion", "{}", got_version, NULL);
        return true;
    case OCPP_LIST_SEND:
        return send_list(p);
    case OCPP_LIST_DONE:
    case OCPP_LIST_NONE:
        break;
    }
    return false;
}

void ocpp_tags_up(struct ocpp_peer *p)
{
    finish(p);
    p->list.step = OCPP_LIST_KEYS;
}

void ocpp_tags_changed(struct ocpp_peer *p)
{
    if (p->list.step == OCPP_LIST_DONE || p->list.step == OCPP_LIST_SEND) {
        finish(p);
        p->list.step = OCPP_LIST_VERSION;
    }
}
