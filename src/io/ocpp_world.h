/* SPDX-License-Identifier: Apache-2.0 */
/* What all chargers of one central system share, and their way to the core.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_WORLD_H
#define IO_OCPP_WORLD_H

#include "io/ocpp.h"

struct ocpp_models;

enum {
    OCPP_MADE_REQUESTS = 1000000000, /* requestId made up for people; ... */
    OCPP_OUR_REQUESTS = 2000000000   /* ... of ours, from there on: no others */
};

struct ocpp_world {
    const struct config *conf;
    struct ocpp_hooks hooks;
    int64_t now_ms, utc_s; /* read once per wake-up */
    int32_t tags_version;  /* the number of the list of tags */
    uint32_t run, n_calls; /* make up call ids that no other run or link has */
    uint32_t n_requests;   /* make up requestIds; ocpp_request_id() */
    size_t later_bytes;    /* kept of answers in parts */
    bool (*send)(void *link, const char *text); /* false: the link is broken */
    void (*cut)(void *link);                    /* its peer hears of that later */
    struct event *events;                       /* not yet delivered */
    int n_events, max_events;
    bool delivering;
    bool closing;                     /* we stop: no news of that */
    const struct ocpp_models *models; /* NULL = no table of them */
};

/* Events are kept and delivered after the message they came from has been answered:
 * the core's orders must not leave before that answer, and must not call back into the
 * middle of what caused them. */
void ocpp_emit(struct ocpp_world *w, struct event e);
void ocpp_deliver(struct ocpp_world *w);
/* Events not yet delivered speak of the old configuration's indices; map as in
 * ocpp_reload(). */
void ocpp_remap(struct ocpp_world *w, const struct config *old, const struct config *c,
                const int *map);

/* A number by which a charger refers to what it was asked, that this run has not used;
 * from: OCPP_MADE_REQUESTS or OCPP_OUR_REQUESTS. */
int32_t ocpp_request_id(struct ocpp_world *w, int32_t from);

#endif
