/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of ours: one at a time, the most important first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

void ocpp_peer_call(struct ocpp_peer *p, const char *action, const char *payload,
                    ocpp_reply_fn *reply, struct ocpp_connector *c)
{
    char *text;

    snprintf(p->call_id, sizeof p->call_id, "%08x-%u", p->w->run, ++p->w->n_calls);
    p->calling = true;
    p->call_action = action;
    p->call_ms = p->w->now_ms;
    p->call_until_ms = p->w->now_ms + p->w->conf->ocpp.call_timeout_ms;
    p->call_reply = reply;
    p->call_connector = c;
    text = ocpp_frame_call(p->call_id, action, payload);
    if (text) {
        log_debug("%s < %s", p->id, ocpp_peer_secret(text) ? "(a password)" : text);
        p->w->send(p->link, text); /* a broken link ends the call by its down */
    }
    free(text);
}

void ocpp_calls_end(struct ocpp_peer *p, const struct ocpp_reply *r)
{
    p->calling = false;
    if (r->kind == OCPP_REPLY_RESULT || r->kind == OCPP_REPLY_ERROR)
        p->talks = true;
    if (p->call_reply)
        p->call_reply(p, p->call_connector, r);
}

void ocpp_calls_tick(struct ocpp_peer *p)
{
    const struct ocpp_reply late = {.kind = OCPP_REPLY_TIMEOUT,
                                    .text = "no answer in time"};

    if (p->calling && p->w->now_ms >= p->call_until_ms)
        ocpp_calls_end(p, &late);
}

static void ask_free(struct ocpp_peer *p, struct ocpp_ask *a)
{
    if (a->later)
        ocpp_later_drop(p, a->later);
    free(a->json);
    free(a);
}

void ocpp_calls_lost(struct ocpp_peer *p)
{
    const struct ocpp_reply lost = {.kind = OCPP_REPLY_LOST,
                                    .text = "the connection was lost"};

    if (p->calling)
        ocpp_calls_end(p, &lost);
    while (p->asks) {
        struct ocpp_ask *a = p->asks;

        p->asks = a->next;
        a->done(a->arg, OCPP_AWAY, lost.text, "");
        ask_free(p, a);
    }
    ocpp_later_lost(p);
}

/* It says itself that it did nothing. */
static bool is_refused(const struct ocpp_reply *r)
{
    static const char *const words[] = {"Rejected", "NotSupported", "UnknownVendorId",
                                        "UnknownMessageId"};
    char status[24] = "";

    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(status, words[i]) == 0)
            return true;
    return false;
}

static bool is_accepted(const struct ocpp_reply *r)
{
    char status[24] = "";

    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    return strcmp(status, "Accepted") == 0;
}

static void take_reservation(struct ocpp_peer *p, const struct ocpp_ask *a,
                             const struct ocpp_reply *r)
{
    cJSON *request = cJSON_Parse(a->json);
    bool accepted = is_accepted(r);
    int64_t id;

    if (accepted && (a->effects & OCPP_RESERVE))
        ocpp_tags_reserve(p, request);
    else if (accepted && ocpp_get_int(request, "reservationId", &id))
        ocpp_tags_unreserve(p, (int32_t)id);
    cJSON_Delete(request);
}

/* Whether it had an effect or nobody knows: then what it may have changed is told or
 * asked anew. */
static void take_effect(struct ocpp_peer *p, const struct ocpp_ask *a,
                        const struct ocpp_reply *r)
{
    if (r->kind == OCPP_REPLY_ERROR || r->kind == OCPP_REPLY_LOST || is_refused(r))
        return;
    if (a->effects & OCPP_LIMITS) {
        ocpp_limit_boot(p);
        ocpp_emit(p->w, (struct event){.kind = EVENT_LINK,
                                       .who = p->charger,
                                       .link = {.up = true, .boot = true}});
    }
    if (a->effects & OCPP_SETTINGS)
        ocpp_setup_begin(p);
    if (a->effects & OCPP_LIST)
        p->list.held = NULL;
    if (a->effects & (OCPP_RESERVE | OCPP_UNRESERVE))
        take_reservation(p, a, r);
}

static enum ocpp_outcome outcome(const struct ocpp_reply *r)
{
    switch (r->kind) {
    case OCPP_REPLY_RESULT:
        return OCPP_ANSWERED;
    case OCPP_REPLY_ERROR:
        return OCPP_CALL_ERROR;
    case OCPP_REPLY_LOST:
        return OCPP_AWAY;
    default:
        return OCPP_SILENT;
    }
}

static void ask_done(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    struct ocpp_ask *a = p->asked;
    const struct ocpp_message *m = ocpp_schema_find(p->schema, OCPP_SYSTEM, a->action);
    char text[256], note[OCPP_WHY] = "", *json = NULL;

    (void)c;
    p->asked = NULL;
    if (r->kind == OCPP_REPLY_RESULT) {
        json = cJSON_PrintUnformatted(r->payload);
        ocpp_schema_strict(p->schema, m->answer, r->payload, note);
    }
    if (r->kind == OCPP_REPLY_ERROR)
        snprintf(text, sizeof text, "%s%s%s", r->code, *r->text ? ": " : "", r->text);
    else
        snprintf(text, sizeof text, "%s", r->text ? r->text : "no memory");
    take_effect(p, a, r);
    if (a->later && json && is_accepted(r)) {
        ocpp_later_answered(p, a->later, json, note, a->done, a->arg);
        a->later = NULL;
    } else {
        a->done(a->arg,
                r->kind == OCPP_REPLY_RESULT && !json ? OCPP_SILENT : outcome(r),
                json ? json : text, note);
        cJSON_free(json);
    }
    ask_free(p, a);
}

/* What its charger may refer to, even before it answers. */
static void note_request(struct ocpp_peer *p, const struct ocpp_ask *a)
{
    cJSON *request;

    if (!(a->effects & OCPP_STARTS))
        return;
    request = cJSON_Parse(a->json);
    p->schema->read_remote(request, &p->remote);
    cJSON_Delete(request);
}

static bool ask_pump(struct ocpp_peer *p)
{
    struct ocpp_ask *a = p->asks;

    if (!a)
        return false;
    p->asks = a->next;
    p->asked = a;
    note_request(p, a);
    ocpp_peer_call(p, a->action, a->json, ask_done, NULL);
    return true;
}

/* Why it must not leave, in `why`. */
static enum ocpp_outcome check(const struct ocpp_peer *p, const char *action,
                               const cJSON *payload, unsigned *effects,
                               char why[OCPP_WHY])
{
    const struct ocpp_message *m = ocpp_schema_find(p->schema, OCPP_SYSTEM, action);
    const struct ocpp_ours ours = ocpp_form_ours(p);

    if (!m) {
        snprintf(why, OCPP_WHY, "OCPP %s has no action '%.40s' of a central system",
                 p->schema->version, action);
        return OCPP_BAD_CALL;
    }
    if (ocpp_schema_strict(p->schema, m->request, payload, why))
        return OCPP_BAD_CALL;
    if (!p->schema->guard(action, payload, &ours, effects, why))
        return OCPP_KEPT_BACK;
    snprintf(why, OCPP_WHY, "the charger is not connected");
    return p->link ? OCPP_ANSWERED : OCPP_AWAY;
}

/* The number of a question, where it has one. */
static const char *number_field(const struct ocpp_message *m)
{
    const struct ocpp_field *f = m ? m->request : NULL;

    while (f && f->name && f->need != OCPP_GIVEN)
        f++;
    return f ? f->name : NULL;
}

/* With the number that people need not think of; NULL = as it is. */
static cJSON *fill(struct ocpp_peer *p, const char *action, const cJSON *payload)
{
    const char *name = number_field(ocpp_schema_find(p->schema, OCPP_SYSTEM, action));
    cJSON *o = NULL;

    if (name && cJSON_IsObject(payload) &&
        !cJSON_GetObjectItemCaseSensitive(payload, name))
        o = cJSON_Duplicate(payload, true);
    if (o)
        cJSON_AddNumberToObject(o, name, ocpp_request_id(p->w, OCPP_MADE_REQUESTS));
    return o;
}

/* What comes of it in parts. */
static enum ocpp_outcome put_later(struct ocpp_peer *p, struct ocpp_ask *a,
                                   const cJSON *payload, int64_t wait_ms,
                                   char why[OCPP_WHY])
{
    const struct ocpp_message *m = ocpp_schema_find(p->schema, OCPP_SYSTEM, a->action);
    int64_t request;

    if (!(a->effects & OCPP_LATER) || !m->parts ||
        !ocpp_get_int(payload, number_field(m), &request))
        return OCPP_ANSWERED;
    if (!ocpp_later_free(p, request, why))
        return OCPP_BAD_CALL;
    if (wait_ms > 0)
        a->later = ocpp_later_begin(p, m->parts, request, wait_ms);
    return a->later || wait_ms <= 0 ? OCPP_ANSWERED : OCPP_KEPT_BACK;
}

/* At the end of those that wait. */
static enum ocpp_outcome put(struct ocpp_peer *p, struct ocpp_ask *a,
                             const cJSON *payload, int64_t wait_ms, char why[OCPP_WHY])
{
    struct ocpp_ask **end = &p->asks;
    enum ocpp_outcome o;
    int n = 0;

    snprintf(why, OCPP_WHY, "too many calls wait for this charger");
    o = put_later(p, a, payload, wait_ms, why);
    if (o != OCPP_ANSWERED)
        return o;
    for (; *end; end = &(*end)->next)
        n++;
    a->json = n < OCPP_CALLS ? cJSON_PrintUnformatted(payload) : NULL;
    if (!a->json)
        return OCPP_KEPT_BACK;
    *end = a;
    return OCPP_ANSWERED;
}

void ocpp_peer_ask_all(struct ocpp_peer *p, const char *action, const cJSON *payload,
                       int64_t wait_ms, ocpp_done_fn *done, void *arg)
{
    cJSON *filled = fill(p, action, payload);
    const cJSON *whole = filled ? filled : payload;
    struct ocpp_ask *a = calloc(1, sizeof *a);
    char why[OCPP_WHY] = "no memory";
    enum ocpp_outcome o = OCPP_KEPT_BACK;

    if (a) {
        snprintf(a->action, sizeof a->action, "%s", action);
        a->done = done;
        a->arg = arg;
        o = check(p, action, whole, &a->effects, why);
        if (o == OCPP_ANSWERED)
            o = put(p, a, whole, wait_ms, why);
        if (o != OCPP_ANSWERED)
            ask_free(p, a);
    }
    cJSON_Delete(filled);
    if (o == OCPP_ANSWERED)
        ocpp_peer_pump(p);
    else
        done(arg, o, why, "");
}

void ocpp_peer_ask(struct ocpp_peer *p, const char *action, const cJSON *payload,
                   ocpp_done_fn *done, void *arg)
{
    ocpp_peer_ask_all(p, action, payload, 0, done, arg);
}

/* The order of importance of what we have to say. */
void ocpp_peer_pump(struct ocpp_peer *p)
{
    static bool (*const pumps[])(struct ocpp_peer *) = {
        ocpp_clock_pump,     ocpp_limit_pump_urgent, ocpp_limit_pump_fallback,
        ocpp_limit_pump_any, ocpp_limit_pump_under,  ask_pump,
        ocpp_sample_pump,    ocpp_setup_pump,        ocpp_tags_pump,
        ocpp_outside_pump,
    };

    if (!p->link || !p->ready || p->calling || ocpp_probe_pump(p))
        return;
    for (size_t i = 0; i < sizeof pumps / sizeof *pumps; i++)
        if (pumps[i](p))
            return;
}
