/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way from chargers to the core, and numbers for all chargers. */
#include <stdlib.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

int32_t ocpp_request_id(struct ocpp_world *w, int32_t from)
{
    uint32_t room = from == OCPP_OUR_REQUESTS ? INT32_MAX - OCPP_OUR_REQUESTS
                                              : OCPP_OUR_REQUESTS - OCPP_MADE_REQUESTS;

    return from + (int32_t)((w->run + ++w->n_requests) % room);
}

void ocpp_emit(struct ocpp_world *w, struct event e)
{
    if (w->n_events == w->max_events) {
        int max = w->max_events ? 2 * w->max_events : 64;
        struct event *more = realloc(w->events, (size_t)max * sizeof *more);

        if (!more) {
            log_errorx("OCPP: no memory for an event");
            return;
        }
        w->events = more;
        w->max_events = max;
    }
    w->events[w->n_events++] = e;
}

/* Those that the hooks cause wait for the next time, so that this ends. */
void ocpp_deliver(struct ocpp_world *w)
{
    int n = w->n_events;

    if (w->delivering)
        return;
    w->delivering = true;
    for (int i = 0; i < n; i++) {
        struct event e = w->events[i]; /* the array may move */

        e.at_ms = w->now_ms;
        w->hooks.event(w->hooks.arg, &e);
    }
    for (int i = n; i < w->n_events; i++)
        w->events[i - n] = w->events[i];
    w->n_events -= n;
    w->delivering = false;
}

static int new_charger(const struct config *c, const int *map, int old)
{
    for (int i = 0; i < c->site.n_chargers; i++)
        if (map[i] == old)
            return i;
    return SITE_NONE;
}

void ocpp_remap(struct ocpp_world *w, const struct config *old, const struct config *c,
                const int *map)
{
    int n = 0;

    for (int i = 0; i < w->n_events; i++) {
        struct event e = w->events[i];
        bool link = e.kind == EVENT_LINK;
        int charger =
            new_charger(c, map, link ? e.who : old->connectors[e.who].charger);
        int number = link ? 1 : old->connectors[e.who].number;

        if (charger == SITE_NONE || number > c->chargers[charger].n)
            continue;
        e.who = link ? charger : c->chargers[charger].first + number - 1;
        w->events[n++] = e;
    }
    w->n_events = n;
}
