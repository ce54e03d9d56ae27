/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors with several plugs, of which one car uses one: what they say together. */
#include <stdio.h>
#include <string.h>

#include "io/ocpp_peer.h"

int ocpp_plugs_of(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    int told = c->number <= OCPP_PLACES ? p->config.plugs[c->number - 1] : 0;

    told = told > c->n_plugs ? told : c->n_plugs;
    return told > 1 ? told : 1;
}

void ocpp_plugs_up(struct ocpp_connector *c)
{
    memset(c->plug, STATUS_UNKNOWN, sizeof c->plug);
}

static bool any(const struct ocpp_connector *c, enum connector_status status)
{
    for (int i = 0; i < c->n_plugs; i++)
        if (c->plug[i] == status)
            return true;
    return false;
}

/* Somebody is there; else one can be used; else none can. */
static enum connector_status together(const struct ocpp_connector *c)
{
    static const enum connector_status order[] = {STATUS_PREPARING, STATUS_RESERVED,
                                                  STATUS_AVAILABLE, STATUS_FAULTED,
                                                  STATUS_UNAVAILABLE};

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (any(c, order[i]))
            return order[i];
    return STATUS_UNKNOWN;
}

/* In a transaction only its own plug counts: what is wrong with another one, or that
 * nobody is there, says nothing of the car. */
void ocpp_plugs_say(struct ocpp_connector *c, struct ocpp_status *s)
{
    bool is_used;

    if (s->plug < 1)
        return;
    c->plug[s->plug - 1] = (uint8_t)s->status;
    if (s->plug > c->n_plugs)
        c->n_plugs = s->plug;
    if (c->n_plugs > 1 && s->status == STATUS_FAULTED)
        snprintf(s->info, sizeof s->info, "(plug %d)", (int)s->plug);
    else if (any(c, STATUS_FAULTED))
        strcpy(s->error, "Faulted"); /* another one still is */
    if (s->status == STATUS_PREPARING && (!c->tx.active || c->plug_used == 0))
        c->plug_used = s->plug;
    is_used = s->plug == c->plug_used;
    if (is_used && !c->tx.active && s->status == STATUS_AVAILABLE)
        c->plug_used = 0;
    if (!c->tx.active || c->plug_used == 0)
        s->status = together(c);
    else if (!is_used)
        s->status = STATUS_UNKNOWN;
    s->vague = s->status == STATUS_PREPARING;
}
