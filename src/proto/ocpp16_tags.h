/* SPDX-License-Identifier: Apache-2.0 */
/* Who may charge, as OCPP 1.6 tells it: answers about a tag, and the list of tags that
 * a charger keeps (section 5.15) so that it knows them without us. */
#ifndef PROTO_OCPP16_TAGS_H
#define PROTO_OCPP16_TAGS_H

#include "proto/ocpp16_field.h"

/* What is said of a tag; idTagInfo of the standard. */
struct ocpp16_tag_info {
    const char *status; /* "Accepted", "Invalid", ...; NULL = it is off the list */
    char expiry[21];    /* UTC; "" = it does not end */
    const char *parent; /* parentIdTag; NULL */
};

struct ocpp16_tag {
    const char *id;
    struct ocpp16_tag_info info;
};

/* Confirmations, as JSON text in `out`, OCPP16_CONF bytes (proto/ocpp16.h). */
void ocpp16_conf_authorize(char *out, const struct ocpp16_tag_info *t);
void ocpp16_conf_start(char *out, int32_t transaction, const struct ocpp16_tag_info *t);

/* ReserveNow, a request of ours that was accepted. */
struct ocpp16_reservation {
    int32_t id, connector; /* 0 = any one */
    char tag[21], parent[21];
    char expiry[36];
};
bool ocpp16_read_reservation(const cJSON *p, struct ocpp16_reservation *r);

/* What a charger says of its list: -1 = nothing. */
struct ocpp16_list {
    int32_t enabled; /* 0, 1 */
    bool fixed;      /* enabled cannot be changed */
    int32_t max;     /* tags in all */
    int32_t per;     /* tags in one message */
};

/* The question, and whether its answer shows that there is a list at all. */
void ocpp16_ask_list(char *out); /* OCPP16_CALL bytes */
bool ocpp16_read_list(const cJSON *p, struct ocpp16_list *l);

/* SendLocalList as JSON; free() it. NULL = no memory. */
char *ocpp16_send_list(int32_t version, bool full, const struct ocpp16_tag *tags,
                       int n);

#endif
