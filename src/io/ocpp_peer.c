/* SPDX-License-Identifier: Apache-2.0 */
/* One charger: its link, messages in, one call out at a time. */
#include "io/ocpp_peer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"

enum { MANY = 1000 }; /* a number of a connector above that is none */

struct ocpp_peer *ocpp_peer_new(struct ocpp_world *w, int charger)
{
    const struct conf_charger *conf = &w->conf->chargers[charger];
    struct ocpp_peer *p = calloc(1, sizeof *p + (size_t)conf->n * sizeof *p->c);

    if (!p)
        return NULL;
    p->w = w;
    p->schema = ocpp_schema_named("");
    p->charger = charger;
    p->n = conf->n;
    p->link_ms = w->now_ms;
    if (conf->id)
        snprintf(p->id, sizeof p->id, "%s", conf->id);
    ocpp_config_init(&p->config);
    ocpp_ability_init(&p->able);
    ocpp_limit_up(p);
    for (int i = 0; i < p->n; i++) {
        p->c[i].number = i + 1;
        p->c[i].limit.cap_ma = -1;
        p->c[i].mean_w = EVENT_NO_VALUE;
        p->c[i].ceiling = (struct event_ceiling){
            EVENT_NO_VALUE, EVENT_NO_VALUE, EVENT_NO_VALUE, EVENT_NO_VALUE, INT64_MAX};
        p->c[i].sample_utc_s = p->c[i].old_utc_s = INT64_MIN;
    }
    ocpp_limit_unknown(p);
    p->status_utc_s = INT64_MIN;
    p->setup = OCPP_SETUP_DONE;
    return p;
}

void ocpp_peer_free(struct ocpp_peer *p)
{
    free(p->list.tags);
    ocpp_files_free(p);
    ocpp_outside_free(p);
    free(p->happened);
    free(p);
}

void ocpp_peer_adopt(struct ocpp_peer *p, struct ocpp_peer *old)
{
    int n = p->n, charger = p->charger;
    int both = n < old->n ? n : old->n;
    ptrdiff_t at = old->call_connector ? old->call_connector - old->c : -1;
    char id[OCPP_ID];

    strcpy(id, p->id);
    if (n < old->n)
        ocpp_probe_stop(old, "its connectors have changed");
    if (at >= both) /* its connector is no more: nobody waits for the answer */
        old->call_reply = NULL;
    old->call_connector = at >= 0 && at < both ? &p->c[at] : NULL;
    memcpy(p, old, sizeof *p + (size_t)both * sizeof *p->c);
    p->n = n;
    p->charger = charger;
    if (*id)
        strcpy(p->id, id);
    old->link = NULL;
    old->probe = NULL;
    old->asks = old->asked = NULL;
    old->list.tags = NULL;
    old->transfer = NULL;
    old->outside = NULL;
    old->later = NULL;
    old->happened = NULL;
    if (p->transfer)
        p->transfer->peer = p;
    memset(old->trouble, 0, sizeof old->trouble); /* they go on, with p */
}

struct ocpp_connector *ocpp_peer_connector(struct ocpp_peer *p, int number)
{
    char text[80];

    if (number >= 1 && number <= p->n)
        return &p->c[number - 1];
    if (number > p->n) {
        snprintf(text, sizeof text,
                 "speaks of connector %d, the site file has %d of it", number, p->n);
        ocpp_peer_trouble(p, OCPP_TROUBLE_NUMBER, text);
        if (number > p->config.connectors && number <= MANY)
            p->config.connectors = number;
    }
    return NULL;
}

int ocpp_peer_index(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    return p->w->conf->chargers[p->charger].first + c->number - 1;
}

const struct site_connector *ocpp_peer_site(const struct ocpp_peer *p,
                                            const struct ocpp_connector *c)
{
    return &p->w->conf->site.connectors[ocpp_peer_index(p, c)];
}

unsigned ocpp_peer_wired(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    const struct site_connector *s = ocpp_peer_site(p, c);
    unsigned mask = 0;

    for (int i = 0; i < SITE_PHASES; i++)
        if (s->wiring_unknown || s->wiring[i] != SITE_NO_PHASE)
            mask |= 1u << i;
    return mask;
}

void ocpp_peer_trouble(struct ocpp_peer *p, enum ocpp_trouble t, const char *text)
{
    bool begins = text != NULL;
    char *told = p->trouble[t];

    if (p->w->closing || (*told != '\0') == begins)
        return;
    if (begins)
        snprintf(told, sizeof p->trouble[t], "%s", text);
    p->w->hooks.trouble(p->w->hooks.arg, begins, p->id, told);
    if (!begins)
        told[0] = '\0';
}

void ocpp_peer_wrong(struct ocpp_peer *p, const struct ocpp_schema *is,
                     const char *action)
{
    bool begins = !*p->trouble[OCPP_TROUBLE_VERSION];
    char text[160];

    p->wrong_ms = p->w->now_ms;
    snprintf(text, sizeof text,
             "speaks OCPP %s on a connection of %s (%.40s): set chargers[].ocpp to "
             "'%s' for it in the site file",
             is->version, p->schema->version, action, is->version);
    ocpp_peer_trouble(p, OCPP_TROUBLE_VERSION, text);
    if (!begins)
        return;
    ocpp_limit_boot(p); /* what it has taken up to now is worth nothing */
    ocpp_emit(p->w, (struct event){.kind = EVENT_LINK,
                                   .who = p->charger,
                                   .link = {.up = true, .boot = true}});
}

void ocpp_news(const struct ocpp_peer *p, const char *level, const char *code,
               const char *text)
{
    if (p->w->hooks.news)
        p->w->hooks.news(p->w->hooks.arg, level, code, p->id, text);
    else
        log_info("%s: %s", p->id, text);
}

bool ocpp_ration_has(const struct ocpp_peer *p, struct ocpp_ration *r)
{
    enum { EACH_MS = 60000, MOST = 20 };

    if (p->w->now_ms - r->from_ms >= EACH_MS)
        *r = (struct ocpp_ration){.from_ms = p->w->now_ms};
    return ++r->n <= MOST;
}

void ocpp_peer_forget(struct ocpp_peer *p)
{
    ocpp_probe_stop(p, "the charger is no longer in the site file");
    ocpp_peer_down(p);
    for (int t = 0; t < OCPP_TROUBLES; t++)
        ocpp_peer_trouble(p, (enum ocpp_trouble)t, NULL);
}

static void link_event(struct ocpp_peer *p, bool up)
{
    ocpp_emit(p->w, (struct event){.kind = EVENT_LINK,
                                   .who = p->charger,
                                   .link = {.up = up, .boot = false}});
}

static int64_t clock_s(const struct ocpp_peer *p)
{
    return p->w->utc_s - p->w->now_ms / 1000;
}

void ocpp_peer_speak(struct ocpp_peer *p, const struct ocpp_schema *schema)
{
    if (p->schema == schema)
        return;
    log_info("%s: speaks OCPP %s", p->id, schema->version);
    p->schema = schema;
    ocpp_config_init(&p->config);
    ocpp_ability_init(&p->able);
    p->able_text[0] = '\0';
    p->cleared = false;
    ocpp_peer_trouble(p, OCPP_TROUBLE_VERSION, NULL);
    ocpp_outside_boot(p);
    for (int i = 0; i < p->n; i++) /* transactions are called otherwise */
        ocpp_limit_stray(p, &p->c[i]);
}

void ocpp_peer_up(struct ocpp_peer *p, void *link)
{
    if (p->link)
        ocpp_peer_down(p);
    p->link = link;
    p->seen = true;
    p->ready = false;
    p->link_ms = p->w->now_ms;
    p->clock_due = p->talks = p->plain_sample = false;
    ocpp_learn_recall(p);
    p->clock_s = clock_s(p);
    p->bad_messages = 0;
    for (int i = 0; i < p->n; i++) {
        p->c[i].status_seen = p->c[i].sample_due = false;
        ocpp_plugs_up(&p->c[i]);
    }
    ocpp_limit_up(p);
    ocpp_setup_begin(p);
    ocpp_tags_up(p);
    ocpp_outside_up(p);
    link_event(p, true);
    log_info("%s: connected", p->id);
    ocpp_peer_trouble(p, OCPP_TROUBLE_AWAY, NULL);
}

void ocpp_peer_down(struct ocpp_peer *p)
{
    if (!p->link)
        return;
    p->link = NULL;
    p->ready = false;
    p->link_ms = p->w->now_ms;
    ocpp_calls_lost(p);
    ocpp_limit_down(p);
    link_event(p, false);
    if (!p->w->closing)
        log_info("%s: the connection has ended", p->id);
}

void ocpp_peer_ready(struct ocpp_peer *p)
{
    p->ready = true;
    p->ready_ms = p->w->now_ms;
}

static void send_back(struct ocpp_peer *p, char *text)
{
    if (text) {
        log_debug("%s < %s", p->id, text);
        p->w->send(p->link, text);
    }
    free(text);
}

/* What has no answer is looked at all the same. */
static void answer_call(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    struct ocpp_fault fault = {"InternalError", ""};
    char out[OCPP_CONF_TEXT];
    bool good = ocpp_inbound(p, f->action, f->payload, out, &fault);

    if (f->kind == OCPP_FRAME_CALL && good)
        send_back(p, ocpp_frame_result(f->id, out));
    else if (f->kind == OCPP_FRAME_CALL)
        send_back(p, ocpp_frame_error(f->id, fault.code, fault.text));
    if (!p->ready)
        ocpp_peer_ready(p); /* it spoke: a Boot that was answered, or no need of one */
}

static void take_bad(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    const struct ocpp_reply garbled = {.kind = OCPP_REPLY_GARBLED,
                                       .text = "the answer could not be read"};

    if (p->bad_messages++ == 0)
        log_warnx("%s: sent a message that cannot be read: %s", p->id, f->fault);
    if (!*f->id && p->schema->no_id &&
        (f->about == OCPP_FRAME_CALL || f->about == OCPP_FRAME_BAD))
        send_back(p,
                  ocpp_frame_error(p->schema->no_id, p->schema->unreadable, f->fault));
    if (!*f->id)
        return;
    if (f->about == OCPP_FRAME_CALL)
        send_back(p, ocpp_frame_error(f->id,
                                      *f->action ? p->schema->formation
                                                 : p->schema->unreadable,
                                      f->fault));
    else if (p->calling && strcmp(f->id, p->call_id) == 0)
        ocpp_calls_end(p, &garbled);
}

static void take_error(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    const struct ocpp_schema *is =
        ocpp_schema_blamed(p->schema, p->call_action, f->text);
    char action[OCPP_FRAME_WORD];

    snprintf(action, sizeof action, "%s", p->call_action);
    ocpp_calls_end(p, &(struct ocpp_reply){
                          .kind = OCPP_REPLY_ERROR, .code = f->code, .text = f->text});
    if (is)
        ocpp_peer_wrong(p, is, action);
}

/* Of a type that its version does not have. */
static void take_other(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    const char *id = *f->id ? f->id : p->schema->no_id;

    if (p->schema->other && id)
        send_back(p, ocpp_frame_error(id, p->schema->other,
                                      "there are no messages of this type"));
}

/* It could not read an answer of ours: it asks again, or does without. */
static void take_result_error(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    if (p->bad_messages++ == 0)
        log_warnx("%s: could not read an answer of ours: %s %s", p->id, f->code,
                  f->text);
}

static void take(struct ocpp_peer *p, const struct ocpp_frame *f)
{
    bool ours = p->calling && strcmp(f->id, p->call_id) == 0;

    switch (f->kind) {
    case OCPP_FRAME_CALL:
        answer_call(p, f);
        break;
    case OCPP_FRAME_RESULT:
        if (ours)
            ocpp_calls_end(p, &(struct ocpp_reply){.kind = OCPP_REPLY_RESULT,
                                                   .payload = f->payload});
        break;
    case OCPP_FRAME_ERROR:
        if (ours)
            take_error(p, f);
        break;
    case OCPP_FRAME_BAD:
        take_bad(p, f);
        break;
    case OCPP_FRAME_SEND:
    case OCPP_FRAME_RESULT_ERROR:
        if (!p->schema->sends)
            take_other(p, f);
        else if (f->kind == OCPP_FRAME_SEND)
            answer_call(p, f);
        else
            take_result_error(p, f);
        break;
    case OCPP_FRAME_OTHER:
        take_other(p, f);
        break;
    }
}

bool ocpp_peer_secret(const char *text)
{
    return strcasestr(text, "AuthorizationKey") ||
           strcasestr(text, "BasicAuthPassword");
}

/* A charger may tell the password that it should only take. What it asks is not looked
 * at for that: there are too many of these. */
static void log_received(const struct ocpp_peer *p, const char *text, size_t len)
{
    char *copy = len > 1 && text[1] == '2' ? NULL : strndup(text, len);

    if (copy && ocpp_peer_secret(copy))
        log_debug("%s > (a password)", p->id);
    else
        log_debug("%s > %.*s", p->id, (int)(len < 900 ? len : 900), text);
    free(copy);
}

void ocpp_peer_receive(struct ocpp_peer *p, const char *text, size_t len)
{
    struct ocpp_frame f;

    if (!p->link)
        return;
    log_received(p, text, len);
    p->heard_ms = p->w->now_ms;
    p->able_due = true;
    ocpp_frame_parse(&f, text, len);
    take(p, &f);
    ocpp_frame_free(&f);
    ocpp_peer_pump(p);
}

/* Our clock was set, as on a machine that starts without knowing the time. The limits
 * of the charger begin and end by the old one, and it takes the new one from our
 * answers: it is made to ask, and everything is told anew. Until it has confirmed that,
 * the core reckons with the fallback. */
static void follow_clock(struct ocpp_peer *p)
{
    int64_t by_s = clock_s(p) - p->clock_s;

    if (by_s > -OCPP_CLOCK_S && by_s < OCPP_CLOCK_S)
        return;
    log_info("%s: our clock was set by %lld s: its limits are told anew", p->id,
             (long long)by_s);
    p->clock_s += by_s;
    p->clock_due = true;
    ocpp_limit_boot(p);
    link_event(p, true);
}

void ocpp_peer_tick(struct ocpp_peer *p)
{
    ocpp_tx_tick(p);
    ocpp_probe_tick(p);
    ocpp_files_tick(p);
    ocpp_later_tick(p);
    if (!p->link) {
        if (*p->id &&
            p->w->now_ms - p->link_ms >= (p->seen ? OCPP_AWAY_MS : OCPP_LATE_MS))
            ocpp_peer_trouble(p, OCPP_TROUBLE_AWAY, "not connected");
        return;
    }
    if (p->w->now_ms - p->link_ms >= OCPP_TWICE_MS)
        ocpp_peer_trouble(p, OCPP_TROUBLE_TWICE, NULL);
    if (p->w->now_ms - p->wrong_ms >= OCPP_WRONG_MS)
        ocpp_peer_trouble(p, OCPP_TROUBLE_VERSION, NULL);
    if (!p->ready && p->w->now_ms - p->link_ms >= OCPP_WAIT_BOOT_MS)
        ocpp_peer_ready(p);
    follow_clock(p);
    ocpp_calls_tick(p);
    ocpp_learn_tick(p);
    ocpp_limit_tick(p);
    ocpp_outside_tick(p);
    ocpp_peer_pump(p);
}
