/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP central system: chargers, who they are, and the ways between them, the core
 * and people. */
#include "io/ocpp.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_auth.h"
#include "io/ocpp_link.h"
#include "io/ocpp_refused.h"
#include "io/ocpp_server.h"

enum { TICK_MS = 100, CERT_LOOK_MS = 3600000, CERT_SOON_S = 14 * 86400 };

struct ocpp {
    lws_sorted_usec_list_t sul;
    struct lws_context *lws;
    struct ocpp_server *server;
    struct ocpp_world world;
    struct ocpp_refused refused;
    struct ocpp_peer **peers; /* one for each charger of the configuration */
    int n_peers;
    struct ocpp_models *models;
    int64_t cert_due_ms;   /* look at our certificate then */
    const char *cert_told; /* trouble with it; NULL = none */
};

static void look_at_clocks(void *arg)
{
    struct ocpp *o = arg;

    o->world.now_ms = clock_ms();
    o->world.utc_s = clock_utc_s();
}

static void deliver(void *arg)
{
    struct ocpp *o = arg;

    ocpp_deliver(&o->world);
}

/* ---- who may in ---- */

static struct ocpp_peer *peer_of(struct ocpp *o, const char *id)
{
    for (int i = 0; i < o->n_peers; i++)
        if (*o->peers[i]->id && strcmp(o->peers[i]->id, id) == 0)
            return o->peers[i];
    return NULL;
}

/* The place that a stranger would get. */
static struct ocpp_peer *free_place(struct ocpp *o)
{
    for (int i = 0; o->world.conf->ocpp.adopt && i < o->n_peers; i++)
        if (!*o->peers[i]->id)
            return o->peers[i];
    return NULL;
}

static void refused(void *arg, const char *who, const char *why)
{
    struct ocpp *o = arg;

    ocpp_refused_note(&o->refused, &o->world, who, why);
}

static enum ocpp_door knock(void *arg, const struct ocpp_knock *k)
{
    struct ocpp *o = arg;
    const struct config *conf = o->world.conf;
    const struct conf_charger *c;
    struct ocpp_peer *p = peer_of(o, k->id);
    enum ocpp_door door;
    const char *why;

    if (!p)
        p = free_place(o);
    if (!p) {
        refused(o, k->id,
                "turned away: no charger of this identity in the site file: add it "
                "there, or correct the identity in its address");
        return OCPP_DOOR_UNKNOWN;
    }
    c = &conf->chargers[p->charger];
    *k->only = config_version(c);
    *k->plain = p->plain;
    door = ocpp_auth_judge(c, k, ocpp_auth_least(conf, c), &why);
    if (door != OCPP_DOOR_OPEN)
        refused(o, k->id, why);
    return door;
}

static struct ocpp_peer *enter(void *arg, const char *id)
{
    struct ocpp *o = arg;
    struct ocpp_peer *p = peer_of(o, id);
    char text[160];

    ocpp_refused_over(&o->refused, &o->world, id);
    if (p)
        return p;
    p = free_place(o);
    if (!p)
        return NULL;
    strcpy(p->id, id);
    snprintf(text, sizeof text, "a stranger gets the place \"%s\" until the next start",
             o->world.conf->chargers[p->charger].name);
    o->world.hooks.trouble(o->world.hooks.arg, true, id, text);
    return p;
}

static void cut(void *link)
{
    ocpp_link_cut(link);
}

static struct ocpp_transfer *file_of(void *arg, const char *token)
{
    struct ocpp *o = arg;

    for (int i = 0; i < o->n_peers; i++)
        if (o->peers[i]->transfer && strcmp(o->peers[i]->transfer->token, token) == 0)
            return o->peers[i]->transfer;
    return NULL;
}

static bool send_text(void *link, const char *text)
{
    return ocpp_link_send(link, text);
}

/* ---- life ---- */

/* Once an hour: does our certificate end, or has it? */
static void watch_certificate(struct ocpp *o)
{
    int64_t left_s = ocpp_server_left_s(o->server);
    const char *told = left_s < 0 ? "has expired: chargers hang up until it is renewed"
                       : left_s < CERT_SOON_S ? "ends within two weeks: renew it"
                                              : NULL;

    o->cert_due_ms = o->world.now_ms + CERT_LOOK_MS;
    if (told == o->cert_told)
        return;
    if (o->cert_told)
        o->world.hooks.trouble(o->world.hooks.arg, false, "ocpp.cert_file",
                               o->cert_told);
    o->cert_told = told;
    if (told)
        o->world.hooks.trouble(o->world.hooks.arg, true, "ocpp.cert_file", told);
}

static void tick(lws_sorted_usec_list_t *sul)
{
    struct ocpp *o = (void *)sul; /* its first member */
    const struct config *conf = o->world.conf;
    int64_t silence_ms = 60000 + 3000 * (int64_t)conf->ocpp.heartbeat_s;

    lws_sul_schedule(o->lws, 0, &o->sul, tick, TICK_MS * LWS_US_PER_MS);
    look_at_clocks(o);
    for (int i = 0; i < o->n_peers; i++) {
        int32_t own_s = conf->chargers[o->peers[i]->charger].ping_s;
        int32_t model_s = o->peers[i]->able.ping_s;
        int64_t ping_ms = 1000 * (int64_t)(own_s >= 0     ? own_s
                                           : model_s >= 0 ? model_s
                                                          : conf->ocpp.ping_s);

        ocpp_peer_tick(o->peers[i]);
        if (o->peers[i]->link)
            ocpp_link_tick(o->peers[i]->link, o->world.now_ms, ping_ms, silence_ms);
    }
    ocpp_refused_tick(&o->refused, &o->world);
    if (o->world.now_ms >= o->cert_due_ms)
        watch_certificate(o);
    ocpp_deliver(&o->world);
}

static void free_peers(struct ocpp_peer **peers, int n)
{
    for (int i = 0; peers && i < n; i++)
        ocpp_peer_free(peers[i]);
    free(peers);
}

static int32_t tags_version(const struct ocpp *o)
{
    const struct ocpp_hooks *h = &o->world.hooks;

    return h->tags_version ? h->tags_version(h->arg) : 1;
}

/* Peers for the configuration in world.conf; NULL without memory. */
static struct ocpp_peer **make_peers(struct ocpp *o)
{
    int n = o->world.conf->site.n_chargers;
    struct ocpp_peer **peers = calloc((size_t)n + 1, sizeof *peers);

    for (int i = 0; peers && i < n; i++) {
        peers[i] = ocpp_peer_new(&o->world, i);
        if (!peers[i]) {
            free_peers(peers, i);
            return NULL;
        }
    }
    return peers;
}

struct ocpp *ocpp_new(struct loop *l, const struct config *c,
                      const struct ocpp_hooks *h)
{
    struct ocpp *o = calloc(1, sizeof *o);
    struct ocpp_server_hooks hooks = {.arg = o,
                                      .knock = knock,
                                      .enter = enter,
                                      .refused = refused,
                                      .file = file_of,
                                      .woken = look_at_clocks,
                                      .done = deliver};

    if (!o)
        return NULL;
    o->lws = loop_lws(l);
    o->world.conf = c;
    o->world.hooks = *h;
    o->world.send = send_text;
    o->world.cut = cut;
    look_at_clocks(o);
    o->world.run = (uint32_t)o->world.utc_s;
    if (c->ocpp.files)
        ocpp_files_clean(c->ocpp.files);
    o->models = ocpp_models_load();
    o->world.models = o->models;
    o->world.tags_version = tags_version(o);
    o->peers = make_peers(o);
    o->n_peers = c->site.n_chargers;
    o->server = o->peers ? ocpp_server_new(l, c, &hooks) : NULL;
    if (!o->server) {
        free_peers(o->peers, o->n_peers);
        ocpp_models_free(o->models);
        free(o);
        return NULL;
    }
    lws_sul_schedule(o->lws, 0, &o->sul, tick, TICK_MS * LWS_US_PER_MS);
    return o;
}

void ocpp_free(struct ocpp *o)
{
    if (!o)
        return;
    lws_sul_cancel(&o->sul);
    o->world.closing = true;
    for (int i = 0; i < o->n_peers; i++) {
        ocpp_probe_stop(o->peers[i], "the controller stops");
        if (!o->peers[i]->link)
            continue;
        ocpp_link_move(o->peers[i]->link, NULL);
        ocpp_peer_down(o->peers[i]);
    }
    ocpp_server_free(o->server);
    free_peers(o->peers, o->n_peers);
    free(o->world.events);
    ocpp_models_free(o->models);
    free(o);
}

int ocpp_port(const struct ocpp *o)
{
    return ocpp_server_port(o->server, 1);
}

int ocpp_tls_port(const struct ocpp *o, int profile)
{
    return ocpp_server_port(o->server, profile);
}

static void leave(struct ocpp_peer *p)
{
    void *link = p->link;

    ocpp_peer_forget(p);
    if (!link)
        return;
    ocpp_link_move(link, NULL);
    ocpp_link_cut(link);
}

/* A fallback that has changed is told to the charger. */
static void renew_fallbacks(struct ocpp_peer *p, const struct config *before,
                            int charger_before)
{
    const struct conf_charger *was = &before->chargers[charger_before];

    for (int i = 0; i < p->n && i < was->n; i++)
        if (before->site.connectors[was->first + i].fallback_ma !=
            ocpp_peer_site(p, &p->c[i])->fallback_ma) {
            p->c[i].limit.fallback_due = true;
            p->c[i].limit.fallback_at_ms = 0;
        }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A connection ends when what it has shown at the door is no longer enough, or another
 * one, or the version it has agreed on is no longer wanted. */
static void look_again(struct ocpp_peer *p, const struct conf_charger *was,
                       const struct config *is)
{
    const struct conf_charger *c = &is->chargers[p->charger];
    const char *only = config_version(c);
    int profile = p->link ? ocpp_link_profile(p->link) : 0;

    if (!p->link)
        return;
    if (profile < ocpp_auth_least(is, c) ||
        !(profile == 3 ? same_text(c->certificate_name, was->certificate_name)
                       : same_text(c->password, was->password)))
        log_info("%s: has to show who it is anew, its connection is closed", p->id);
    else if (only && strcmp(only, p->schema->version) != 0)
        log_info("%s: is to speak OCPP %s, its connection is closed", p->id, only);
    else
        return;
    ocpp_link_cut(p->link);
}

void ocpp_reload(struct ocpp *o, const struct config *c, const int *map)
{
    const struct config *before = o->world.conf;
    struct ocpp_peer **old = o->peers, **peers;
    int n_old = o->n_peers, n_events;

    look_at_clocks(o);
    o->world.conf = c;
    peers = make_peers(o);
    if (!peers) {
        log_errorx("OCPP: no memory for the new configuration");
        o->world.conf = before;
        return;
    }
    ocpp_remap(&o->world, before, c, map);
    for (int i = 0; i < c->site.n_chargers; i++) {
        struct ocpp_peer *was = map[i] != SITE_NONE ? old[map[i]] : NULL;
        const char *id = c->chargers[i].id;

        if (!was || (id && *was->id && strcmp(id, was->id) != 0))
            continue;
        ocpp_peer_adopt(peers[i], was);
        ocpp_form_site(peers[i]);
        renew_fallbacks(peers[i], before, map[i]);
        if (peers[i]->link)
            ocpp_link_move(peers[i]->link, peers[i]);
        look_again(peers[i], &before->chargers[map[i]], c);
    }
    n_events = o->world.n_events;
    o->world.conf = before; /* what is left belongs to it */
    for (int i = 0; i < n_old; i++)
        leave(old[i]);
    o->world.conf = c;
    o->world.n_events = n_events; /* without those of chargers that are no more */
    free_peers(old, n_old);
    o->peers = peers;
    o->n_peers = c->site.n_chargers;
    ocpp_server_reload(o->server, c);
    o->cert_due_ms = 0;
    if (tags_version(o) == o->world.tags_version)
        return;
    o->world.tags_version = tags_version(o);
    for (int i = 0; i < o->n_peers; i++)
        ocpp_tags_changed(o->peers[i]);
}

/* ---- orders and calls ---- */

static struct ocpp_connector *connector_at(struct ocpp *o, int index,
                                           struct ocpp_peer **p)
{
    const struct config *c = o->world.conf;

    if (index < 0 || index >= c->site.n_connectors)
        return NULL;
    *p = o->peers[c->connectors[index].charger];
    return ocpp_peer_connector(*p, c->connectors[index].number);
}

void ocpp_order(struct ocpp *o, const struct order *order)
{
    struct ocpp_connector *c;
    struct ocpp_peer *p;

    if (order->kind == ORDER_NOTICE)
        return;
    look_at_clocks(o);
    c = connector_at(o, order->who, &p);
    if (!c)
        return;
    if (order->kind == ORDER_LIMIT)
        ocpp_limit_order(p, c, order);
    else
        ocpp_sample_order(p, c);
}

void ocpp_call(struct ocpp *o, const char *id, const char *action, const cJSON *payload,
               int64_t wait_ms, ocpp_done_fn *done, void *arg)
{
    struct ocpp_peer *p = *id ? peer_of(o, id) : NULL;

    look_at_clocks(o);
    if (p)
        ocpp_peer_ask_all(p, action, payload, wait_ms, done, arg);
    else
        done(arg, OCPP_BAD_CALL, "there is no charger of this identity", "");
    ocpp_deliver(&o->world);
}

void ocpp_stop(struct ocpp *o, int connector, ocpp_done_fn *done, void *arg)
{
    struct ocpp_peer *p = NULL;
    struct ocpp_connector *c = connector_at(o, connector, &p);
    char text[OCPP_CALL_TEXT];
    cJSON *payload;
    const char *action;

    look_at_clocks(o);
    if (!c || !c->tx.active) {
        done(arg, OCPP_BAD_CALL, "there is no session", "");
        return;
    }
    action = p->schema->write_stop(text, c->tx.wire_id, c->tx.name);
    payload = cJSON_Parse(text);
    ocpp_peer_ask(p, action, payload, done, arg);
    cJSON_Delete(payload);
    ocpp_deliver(&o->world);
}

void ocpp_probe(struct ocpp *o, const char *id, int connector, bool reboot,
                ocpp_done_fn *done, void *arg)
{
    struct ocpp_peer *p = *id ? peer_of(o, id) : NULL;

    look_at_clocks(o);
    if (p)
        ocpp_probe_start(p, connector, reboot, done, arg);
    else
        done(arg, OCPP_BAD_CALL, "there is no charger of this identity", "");
    ocpp_deliver(&o->world);
}

void ocpp_file(struct ocpp *o, const char *id, enum ocpp_file what, const char *name,
               const cJSON *more, ocpp_done_fn *done, void *arg)
{
    struct ocpp_peer *p = *id ? peer_of(o, id) : NULL;

    look_at_clocks(o);
    if (p)
        ocpp_files_begin(p, what, name, more, done, arg);
    else
        done(arg, OCPP_BAD_CALL, "there is no charger of this identity", "");
    ocpp_deliver(&o->world);
}

void ocpp_transfer_text(const struct ocpp *o, int charger, char *out, size_t size)
{
    ocpp_files_text(o->peers[charger], out, size);
}

cJSON *ocpp_list(struct ocpp *o)
{
    cJSON *list = cJSON_CreateArray();

    look_at_clocks(o);
    for (int i = 0; i < o->n_peers; i++) {
        cJSON *one = *o->peers[i]->id ? ocpp_list_peer(o->peers[i]) : NULL;

        if (one)
            cJSON_AddItemToArray(list, one);
    }
    return list;
}
