/* SPDX-License-Identifier: Apache-2.0 */
/* Who was turned away at the door. */
#include "io/ocpp_refused.h"

#include <stdio.h>
#include <string.h>

void ocpp_refused_note(struct ocpp_refused *r, struct ocpp_world *w, const char *who,
                       const char *text)
{
    int at = -1;

    for (int i = 0; i < OCPP_REFUSED_MOST; i++) {
        if (strcmp(r->list[i].who, who) == 0 && r->list[i].text == text) {
            r->list[i].last_ms = w->now_ms;
            return;
        }
        if (!*r->list[i].who)
            at = i;
    }
    if (at < 0)
        return;
    snprintf(r->list[at].who, sizeof r->list[at].who, "%s", who);
    r->list[at].text = text;
    r->list[at].last_ms = w->now_ms;
    w->hooks.trouble(w->hooks.arg, true, who, text);
}

static void over(struct ocpp_refused *r, struct ocpp_world *w, int i)
{
    w->hooks.trouble(w->hooks.arg, false, r->list[i].who, r->list[i].text);
    r->list[i].who[0] = '\0';
}

void ocpp_refused_over(struct ocpp_refused *r, struct ocpp_world *w, const char *who)
{
    for (int i = 0; i < OCPP_REFUSED_MOST; i++)
        if (*r->list[i].who && strcmp(r->list[i].who, who) == 0)
            over(r, w, i);
}

void ocpp_refused_tick(struct ocpp_refused *r, struct ocpp_world *w)
{
    for (int i = 0; i < OCPP_REFUSED_MOST; i++)
        if (*r->list[i].who && w->now_ms - r->list[i].last_ms >= OCPP_REFUSED_OVER_MS)
            over(r, w, i);
}
