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
        free(a->json);
        free(a);
    }
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

static void take_reservation(struct ocpp_peer *p, const struct ocpp_ask *a,
                             const struct ocpp_reply *r)
{
    cJSON *request = cJSON_Parse(a->json);
    char status[24] = "";
    int64_t id;

    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (strcmp(status, "Accepted") == 0 && (a->effects & OCPP_RESERVE))
        ocpp_tags_reserve(p, request);
    else if (strcmp(status, "Accepted") == 0 &&
             ocpp_get_int(request, "reservationId", &id))
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
    a->done(a->arg, r->kind == OCPP_REPLY_RESULT && !json ? OCPP_SILENT : outcome(r),
            json ? json : text, note);
    cJSON_free(json);
    free(a->json);
    free(a);
}

/* What its charger may refer to, even before it answers. */
static void note_request(struct ocpp_peer *p, const struct ocpp_ask *a)
{
    cJSON *request;

    if (!(a->effects & (OCPP_STARTS | OCPP_LATER)))
        return;
    request = cJSON_Parse(a->json);
    if (a->effects & OCPP_STARTS)
        p->schema->read_remote(request, &p->remote);
    else
        ocpp_later_begin(p, a->action, request);
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

/* At the end of those that wait. False = too many do, or no memory. */
static bool put(struct ocpp_peer *p, struct ocpp_ask *a, const cJSON *payload)
{
    struct ocpp_ask **end = &p->asks;
    int n = 0;

    for (; *end; end = &(*end)->next)
        n++;
    a->json = n < OCPP_CALLS ? cJSON_PrintUnformatted(payload) : NULL;
    if (a->json)
        *end = a;
    return a->json;
}

void ocpp_peer_ask(struct ocpp_peer *p, const char *action, const cJSON *payload,
                   ocpp_done_fn *done, void *arg)
{
    struct ocpp_ask *a;
    unsigned effects = 0;
    char why[OCPP_WHY];
    enum ocpp_outcome o = check(p, action, payload, &effects, why);

    if (o != OCPP_ANSWERED) {
        done(arg, o, why, "");
        return;
    }
    a = calloc(1, sizeof *a);
    if (!a || !put(p, a, payload)) {
        free(a);
        done(arg, OCPP_KEPT_BACK, "too many calls wait for this charger", "");
        return;
    }
    snprintf(a->action, sizeof a->action, "%s", action);
    a->effects = effects;
    a->done = done;
    a->arg = arg;
    ocpp_peer_pump(p);
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
