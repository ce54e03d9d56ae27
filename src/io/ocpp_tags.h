/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: what is said of one, places kept for one, the list of them in a charger. Part
 * of a peer (io/ocpp_peer.h).
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_TAGS_H
#define IO_OCPP_TAGS_H

#include "config/config.h"
#include "proto/ocpp_said.h"
#include "proto/ocpp_told.h"

struct ocpp_peer;
struct ocpp_connector;

/* A place that is kept for a tag. */
struct ocpp_reserved {
    bool active;
    int64_t until_s;
    struct ocpp_reservation is;
};

/* The list of tags that it keeps. */
struct ocpp_list {
    enum {
        OCPP_LIST_KEYS,    /* ask what it can */
        OCPP_LIST_ENABLE,  /* have it switched on */
        OCPP_LIST_VERSION, /* ask which one it has */
        OCPP_LIST_SEND,
        OCPP_LIST_DONE,
        OCPP_LIST_NONE /* it keeps none */
    } step;
    struct ocpp_list_ability can;
    struct ocpp_tag *tags; /* what is being sent */
    int n, at, per;        /* `per` of them in each message */
    bool full;
    const struct config *held; /* whose list it has; NULL = not known */
    int32_t held_version;
};

/* What is to be said of a tag, at a connector and elsewhere; reservations;
 * the list of tags in the charger. */
struct ocpp_tag_info ocpp_tags_look(const struct ocpp_peer *p, const char *tag);
struct ocpp_tag_info ocpp_tags_start(struct ocpp_peer *p, struct ocpp_connector *c,
                                     const struct ocpp_start *s);
void ocpp_tags_reserve(struct ocpp_peer *p, const cJSON *request);
void ocpp_tags_unreserve(struct ocpp_peer *p, int32_t id);
void ocpp_tags_up(struct ocpp_peer *p);      /* its link is new */
void ocpp_tags_changed(struct ocpp_peer *p); /* our list is */
bool ocpp_tags_pump(struct ocpp_peer *p);

#endif
