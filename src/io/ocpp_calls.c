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
    p->call_ms = p->w->now_ms;
    p->call_until_ms = p->w->now_ms + p->w->conf->ocpp.call_timeout_ms;
    p->call_reply = reply;
    p->call_connector = c;
    text = ocpp_frame_call(p->call_id, action, payload);
    if (text) {
        log_debug("%s < %s", p->id, text);
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
        a->done(a->arg, false, lost.text);
        free(a->json);
        free(a);
    }
}

static void ask_done(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    struct ocpp_ask *a = p->asked;
    char text[256], *json = NULL;

    (void)c;
    p->asked = NULL;
    if (r->kind == OCPP_REPLY_RESULT)
        json = cJSON_PrintUnformatted(r->payload);
    if (r->kind == OCPP_REPLY_ERROR)
        snprintf(text, sizeof text, "%s%s%s", r->code, *r->text ? ": " : "", r->text);
    else
        snprintf(text, sizeof text, "%s", r->text ? r->text : "no memory");
    /* People may overwrite or clear what we installed: let the core tell it again. */
    if (r->kind != OCPP_REPLY_ERROR && r->kind != OCPP_REPLY_LOST &&
        strstr(a->action, "ChargingProfile")) {
        ocpp_limit_boot(p);
        ocpp_emit(p->w, (struct event){.kind = EVENT_LINK,
                                       .who = p->charger,
                                       .link = {.up = true, .boot = true}});
    }
    a->done(a->arg, json != NULL, json ? json : text);
    cJSON_free(json);
    free(a->json);
    free(a);
}

static bool ask_pump(struct ocpp_peer *p)
{
    struct ocpp_ask *a = p->asks;

    if (!a)
        return false;
    p->asks = a->next;
    p->asked = a;
    ocpp_peer_call(p, a->action, a->json, ask_done, NULL);
    return true;
}

void ocpp_peer_ask(struct ocpp_peer *p, const char *action, const char *json,
                   void (*done)(void *arg, bool ok, const char *text), void *arg)
{
    struct ocpp_ask *a, **end = &p->asks;
    int n = 0;

    if (!p->link) {
        done(arg, false, "the charger is not connected");
        return;
    }
    for (; *end; end = &(*end)->next)
        n++;
    a = n < OCPP_CALLS ? calloc(1, sizeof *a) : NULL;
    if (a)
        a->json = strdup(json);
    if (!a || !a->json) {
        free(a);
        done(arg, false, "too many calls wait for this charger");
        return;
    }
    ocpp_text_copy(a->action, sizeof a->action, action);
    a->done = done;
    a->arg = arg;
    *end = a;
    ocpp_peer_pump(p);
}

/* The order of importance of what we have to say. */
void ocpp_peer_pump(struct ocpp_peer *p)
{
    static bool (*const pumps[])(struct ocpp_peer *) = {
        ocpp_clock_pump,     ocpp_limit_pump_urgent, ocpp_limit_pump_fallback,
        ocpp_limit_pump_any, ocpp_limit_pump_under,  ask_pump,
        ocpp_sample_pump,    ocpp_setup_pump,
    };

    if (!p->link || !p->ready || p->calling)
        return;
    for (size_t i = 0; i < sizeof pumps / sizeof *pumps; i++)
        if (pumps[i](p))
            return;
}
