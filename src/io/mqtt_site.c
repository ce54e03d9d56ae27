/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what of the site is said over MQTT, and when. */
#include "io/mqtt_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/mqtt_seen.h"
#include "proto/hass.h"
#include "proto/mqtt_command.h"
#include "proto/mqtt_doc.h"

enum {
    MOVED_MA = 1000, /* a current that moved so far is worth a message */
    MOVED_W = 250,
    EARLY_MS = 250, /* calls come about once a second, not to the millisecond */
    BURST = 20,     /* connectors said anew per call */
    STEADY_S = 5,   /* a time that is told moves by less only with the clocks */
    AGAIN_MS = 500, /* after Home Assistant's start, plus up to ... */
    AGAIN_SPREAD_MS = 2500,
    STEP_BACK_WH = 1000 /* a count that falls by less is noise, by more a new meter */
};

/* What of the measurements was said last. */
struct moved {
    int32_t a_ma[SITE_PHASES], w;
    int32_t decided[8]; /* whatever is worth a message when it differs */
};

/* A device as it was told last: the site, or a connector. */
struct told {
    bool known; /* false: all of it has to be said */
    char cid[MQTT_ID];
    uint64_t device; /* fingerprint of its discovery */
    int online;      /* -1 = not said */
    char *status;
    int64_t status_ms, state_ms; /* when last said */
    struct moved moved;
    int64_t energy_wh, other_wh; /* as said last: register and session, or export */
    int64_t until_utc_s;         /* as said last */
};

struct mqtt_site {
    const struct config *c;
    struct mqtt *mqtt;
    struct mqtt_seen *seen;
    unsigned births;
    int64_t again_ms; /* 0 = not planned */
    bool swept;       /* nothing of removed connectors is left on the broker */
    struct told site, *connectors; /* by index in the snapshot */
    int n;
    uint64_t events;
    char refused[MQTT_TOPIC]; /* topic of the last refusal that was logged */
};

/* All of it has to be said again; what the counts were stays known. */
static void say_anew(struct told *t)
{
    free(t->status);
    t->status = NULL;
    t->known = false;
    t->online = -1;
    t->status_ms = t->state_ms = INT64_MIN / 2;
}

static void forget(struct told *t)
{
    say_anew(t);
    t->cid[0] = '\0';
    t->energy_wh = t->other_wh = EVENT_NO_ENERGY;
}

static void say_all_anew(struct mqtt_site *ms)
{
    say_anew(&ms->site);
    for (int i = 0; i < ms->n; i++)
        say_anew(&ms->connectors[i]);
    mqtt_seen_unmark(ms->seen);
    ms->swept = false;
}

struct mqtt_site *mqtt_site_new(const struct config *c, struct mqtt *m,
                                const char *folder)
{
    struct mqtt_site *ms = calloc(1, sizeof *ms);

    if (!ms)
        return NULL;
    ms->c = c;
    ms->mqtt = m;
    ms->seen = mqtt_seen_new(folder);
    if (!ms->seen) {
        free(ms);
        return NULL;
    }
    forget(&ms->site);
    return ms;
}

void mqtt_site_free(struct mqtt_site *ms)
{
    if (!ms)
        return;
    say_all_anew(ms); /* frees the texts */
    free(ms->connectors);
    mqtt_seen_free(ms->seen);
    free(ms);
}

void mqtt_site_reload(struct mqtt_site *ms, const struct config *c)
{
    ms->c = c;
    say_all_anew(ms);
}

/* ---- publishing ---- */

/* Takes `text` over. */
static bool say(struct mqtt_site *ms, enum mqtt_topic t, const char *cid, char *text,
                bool retain)
{
    char topic[MQTT_TOPIC];
    bool said = text && mqtt_doc_topic(topic, ms->c, t, cid);

    if (said && retain)
        said = mqtt_seen_use(ms->seen, topic);
    said = said && mqtt_publish(ms->mqtt, topic, text, retain);
    free(text);
    return said;
}

/* Says a retained text when it differs from the last one. Takes `text` over. */
static void say_status(struct mqtt_site *ms, struct told *t, enum mqtt_topic topic,
                       const char *cid, char *text, int64_t now_ms)
{
    char *copy = text ? strdup(text) : NULL;

    if (copy && say(ms, topic, cid, text, true)) {
        free(t->status);
        t->status = copy;
        t->status_ms = now_ms;
        return;
    }
    if (!copy)
        free(text);
    free(copy);
}

static bool due(const struct mqtt_site *ms, int64_t last_ms, int64_t now_ms)
{
    return now_ms - last_ms + EARLY_MS >= ms->c->mqtt.interval_ms;
}

static bool far(int32_t a, int32_t b, int32_t step)
{
    if (a == EVENT_NO_VALUE || b == EVENT_NO_VALUE)
        return a != b;
    return llabs((long long)a - b) >= step;
}

static bool has_moved(const struct moved *a, const struct moved *b)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (far(a->a_ma[p], b->a_ma[p], MOVED_MA))
            return true;
    return far(a->w, b->w, MOVED_W) ||
           memcmp(a->decided, b->decided, sizeof a->decided) != 0;
}

/* A count that never goes back by noise: Home Assistant takes every decrease of it for
 * a new meter and adds its whole value. */
static int64_t steady_wh(int64_t now, int64_t last)
{
    if (now != EVENT_NO_ENERGY && last != EVENT_NO_ENERGY && now < last &&
        last - now < STEP_BACK_WH)
        return last;
    return now;
}

/* ---- the site ---- */

static void site_moved(const struct snapshot *s, struct moved *m)
{
    const struct circuit_view *v = &s->circuits[0].v;

    memset(m, 0, sizeof *m);
    for (int p = 0; p < SITE_PHASES; p++) {
        m->a_ma[p] = v->total_ma[p];
        m->decided[p] = v->limit_ma[p];
    }
    m->w = v->total_w;
    m->decided[3] = v->meter_ok;
    m->decided[4] = v->external_ma;
    m->decided[5] = v->external_w;
    m->decided[6] = v->external_chargers_w;
}

/* The status with the energies that were said last, or, when `fresh`, those of now. */
static char *site_status(struct mqtt_site *ms, const struct snapshot *s, bool fresh)
{
    const struct snap_meter *m = snapshot_meter(s, s->circuits[0].meter);
    struct told *t = &ms->site;

    if (fresh) {
        t->energy_wh = steady_wh(m ? m->import_wh : EVENT_NO_ENERGY, t->energy_wh);
        t->other_wh = steady_wh(m ? m->export_wh : EVENT_NO_ENERGY, t->other_wh);
    }
    return mqtt_doc_site_status(ms->c, s, t->energy_wh, t->other_wh);
}

static void tell_site(struct mqtt_site *ms, const struct snapshot *s)
{
    struct told *t = &ms->site;
    struct moved moved;
    char *status;

    if (!t->known) {
        t->known = say(ms, MQTT_INFO, NULL, mqtt_doc_info(s), true) &&
                   (!ms->c->mqtt.homeassistant ||
                    say(ms, MQTT_HASS_SITE, NULL, hass_site(ms->c, s), true));
        if (!t->known)
            return;
    }
    status = site_status(ms, s, !t->status || due(ms, t->status_ms, s->now_ms));
    if (status && (!t->status || strcmp(status, t->status) != 0)) {
        free(status);
        say_status(ms, t, MQTT_SITE_STATUS, NULL, site_status(ms, s, true), s->now_ms);
    } else {
        free(status);
    }
    site_moved(s, &moved);
    if ((due(ms, t->state_ms, s->now_ms) || has_moved(&moved, &t->moved)) &&
        say(ms, MQTT_SITE_STATE, NULL, mqtt_doc_site_state(s), false)) {
        t->state_ms = s->now_ms;
        t->moved = moved;
    }
}

/* ---- a connector ---- */

static void connector_moved(const struct snap_connector *k, struct moved *m)
{
    const struct connector_view *v = &k->v;

    memset(m, 0, sizeof *m);
    memcpy(m->a_ma, v->measured_ma, sizeof m->a_ma);
    m->w = v->power_w;
    m->decided[0] = v->offered_ma;
    m->decided[1] = v->confirmed;
    m->decided[2] = v->exposure_ma;
    m->decided[3] = v->online;
    m->decided[4] = (int32_t)v->status;
    m->decided[5] = (int32_t)v->why.reason;
}

static char *connector_status(struct told *t, const struct snap_connector *k,
                              bool fresh)
{
    struct snap_connector held = *k;

    if (fresh) {
        t->energy_wh = steady_wh(k->v.energy_wh, t->energy_wh);
        t->other_wh = k->session_wh;
    }
    held.v.energy_wh = t->energy_wh;
    held.session_wh = t->other_wh;
    if (llabs(k->why_until_utc_s - t->until_utc_s) > STEADY_S)
        t->until_utc_s = k->why_until_utc_s;
    held.why_until_utc_s = t->until_utc_s;
    return mqtt_doc_connector_status(&held);
}

static void tell_status(struct mqtt_site *ms, struct told *t, const struct snapshot *s,
                        const struct snap_connector *k)
{
    char *status =
        connector_status(t, k, !t->status || due(ms, t->status_ms, s->now_ms));
    bool changed = status && (!t->status || strcmp(status, t->status) != 0);

    free(status);
    if (changed)
        say_status(ms, t, MQTT_CONNECTOR_STATUS, k->cid, connector_status(t, k, true),
                   s->now_ms);
}

static void tell_connector(struct mqtt_site *ms, struct told *t,
                           const struct snapshot *s, const struct snap_connector *k)
{
    uint64_t device = hass_connector_print(s, k);
    struct moved moved;

    if (ms->c->mqtt.homeassistant && (!t->known || device != t->device) &&
        !say(ms, MQTT_HASS_CONNECTOR, k->cid, hass_connector(ms->c, s, k), true))
        return;
    t->device = device;
    if (t->online != (int)k->v.online) {
        if (!say(ms, MQTT_CONNECTOR_AVAILABILITY, k->cid,
                 strdup(k->v.online ? "online" : "offline"), true))
            return;
        t->online = k->v.online;
    }
    t->known = true;
    tell_status(ms, t, s, k);
    connector_moved(k, &moved);
    if ((due(ms, t->state_ms, s->now_ms) || has_moved(&moved, &t->moved)) &&
        say(ms, MQTT_CONNECTOR_STATE, k->cid, mqtt_doc_connector_state(s, k), false)) {
        t->state_ms = s->now_ms;
        t->moved = moved;
    }
}

/* ---- what is no more ---- */

/* Everything that is ours has been said since the last say_all_anew(): what is not
 * marked now was left by connectors that are no more. */
static void sweep(struct mqtt_site *ms)
{
    const char *topic;

    while ((topic = mqtt_seen_unused(ms->seen)) != NULL) {
        if (!mqtt_publish(ms->mqtt, topic, "", true))
            return; /* at the next call */
        mqtt_seen_drop(ms->seen, topic);
    }
    mqtt_seen_save(ms->seen);
    ms->swept = true;
}

/* Makes room for the connectors; when another has taken a place all is said anew. */
static bool fit(struct mqtt_site *ms, const struct snapshot *s)
{
    struct told *grown;
    bool same = s->n_connectors == ms->n;
    char id[MQTT_ID];

    for (; ms->n > s->n_connectors; ms->n--)
        forget(&ms->connectors[ms->n - 1]);
    if (s->n_connectors > ms->n) {
        grown = realloc(ms->connectors, (size_t)s->n_connectors * sizeof *grown);
        if (!grown)
            return false;
        ms->connectors = grown;
    }
    for (; ms->n < s->n_connectors; ms->n++) {
        ms->connectors[ms->n] = (struct told){0};
        forget(&ms->connectors[ms->n]);
    }
    for (int i = 0; i < ms->n; i++) {
        mqtt_doc_id(id, s->connectors[i].cid ? s->connectors[i].cid : "");
        if (strcmp(id, ms->connectors[i].cid) == 0)
            continue;
        forget(&ms->connectors[i]);
        strcpy(ms->connectors[i].cid, id);
        same = false;
    }
    if (!same)
        say_all_anew(ms);
    return true;
}

void mqtt_site_tell(struct mqtt_site *ms, const struct snapshot *s)
{
    int burst = BURST;
    bool complete = true;

    if (!mqtt_connected(ms->mqtt) || s->n_circuits < 1)
        return;
    if (mqtt_births(ms->mqtt) != ms->births ||
        (ms->again_ms != 0 && s->now_ms >= ms->again_ms)) {
        ms->births = mqtt_births(ms->mqtt);
        ms->again_ms = 0;
        say_all_anew(ms);
    }
    if (!fit(ms, s))
        return;
    tell_site(ms, s);
    for (int i = 0; i < ms->n && ms->site.known; i++) {
        struct told *t = &ms->connectors[i];

        if (t->cid[0] == '\0')
            continue;
        if (t->known || burst-- > 0)
            tell_connector(ms, t, s, &s->connectors[i]);
        complete = complete && t->known;
    }
    if (!ms->swept && ms->site.known && complete)
        sweep(ms);
}

/* ---- the rest ---- */

void mqtt_site_event(struct mqtt_site *ms, int64_t utc_s, const char *level,
                     const char *code, const char *who, const char *text)
{
    struct mqtt_event e = {.utc_s = utc_s,
                           .id = ++ms->events,
                           .level = level,
                           .code = code,
                           .who = who,
                           .text = text};

    say(ms, MQTT_EVENT, NULL, mqtt_doc_event(&e), false);
}

/* Plans to say all again when Home Assistant has started. A retained birth is an old
 * one. */
static void hass_birth(struct mqtt_site *ms, const char *payload, bool retained,
                       int64_t now_ms)
{
    uint32_t spread = (uint32_t)now_ms * 2654435761u; /* Knuth's multiplier */

    if (retained || strcmp(payload, "online") != 0)
        return;
    ms->again_ms = now_ms + AGAIN_MS + (spread >> 16) % AGAIN_SPREAD_MS;
}

static void refuse(struct mqtt_site *ms, const char *topic, const char *error,
                   const char *payload)
{
    if (strcmp(topic, ms->refused) != 0)
        log_warnx("mqtt: refused: %s", error);
    snprintf(ms->refused, sizeof ms->refused, "%s", topic);
    say(ms, MQTT_RESULT, NULL, mqtt_doc_refused(topic, error, payload), false);
}

bool mqtt_site_command(struct mqtt_site *ms, const char *topic, const char *payload,
                       bool retained, int64_t now_ms, struct mqtt_command *m)
{
    char birth[MQTT_TOPIC], error[MQTT_ERROR];

    if (mqtt_doc_topic(birth, ms->c, MQTT_HASS_STATUS, NULL) &&
        strcmp(topic, birth) == 0) {
        hass_birth(ms, payload, retained, now_ms);
        return false;
    }
    if (retained) {
        snprintf(error, sizeof error,
                 "%s: a retained message is no command; send it without retain", topic);
        refuse(ms, topic, error, payload);
        return false;
    }
    if (!mqtt_command_parse(ms->c, topic, payload, m, error)) {
        refuse(ms, topic, error, payload);
        return false;
    }
    ms->refused[0] = '\0';
    say(ms, MQTT_RESULT, NULL, mqtt_doc_taken(topic, m->value), false);
    return true;
}
