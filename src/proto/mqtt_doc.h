/* SPDX-License-Identifier: Apache-2.0 */
/* What is said over MQTT: the topics and the payloads. doc/protocol.md is the user's
 * view of it.
 *
 * A device has two topics: `state` holds measurements, is not retained and comes at
 * least every interval, so that a silent broker or controller shows; `status` holds
 * facts and settings, is retained and comes when one of them changes. Every key is
 * always there, null where nothing is known.
 *
 * All texts returned are to be freed; NULL = out of memory. */
#ifndef PROTO_MQTT_DOC_H
#define PROTO_MQTT_DOC_H

#include "config/config.h"
#include "proto/snapshot.h"

enum {
    MQTT_API = 1,     /* version of the tree; grows when a key is renamed or goes */
    MQTT_TOPIC = 160, /* longest topic with its NUL; the inbox's limit, too */
    MQTT_ID = 48      /* longest id within a topic with its NUL */
};

enum mqtt_topic {
    MQTT_STATUS, /* online, offline */
    MQTT_INFO,
    MQTT_EVENT,
    MQTT_RESULT,
    MQTT_SITE_STATE,
    MQTT_SITE_STATUS,
    MQTT_SITE_SET, /* + "/key" */
    MQTT_CONNECTOR_AVAILABILITY,
    MQTT_CONNECTOR_STATE,
    MQTT_CONNECTOR_STATUS,
    MQTT_CONNECTOR_SET, /* + "/key" */
    MQTT_HASS_SITE,
    MQTT_HASS_CONNECTOR,
    MQTT_HASS_STATUS, /* Home Assistant's own birth and last will */
    MQTT_TOPICS
};

/* Writes a topic; `cid` counts for the connectors' only. False when it is too long. */
bool mqtt_doc_topic(char out[MQTT_TOPIC], const struct config *c, enum mqtt_topic t,
                    const char *cid);

/* An id as it may stand in topics and in Home Assistant's ids: [a-zA-Z0-9_-]. Another
 * character becomes '_', and then a short hash keeps the id unique. */
void mqtt_doc_id(char out[MQTT_ID], const char *id);

char *mqtt_doc_info(const struct snapshot *s);

struct mqtt_event {
    int64_t utc_s;
    uint64_t id;       /* counts from 1 after each start */
    const char *level; /* "info", "warning", "error" */
    const char *code;  /* "meter", "mqtt", ... */
    const char *who, *text;
};
char *mqtt_doc_event(const struct mqtt_event *e);

/* The answer to a command: taken, with the value as JSON, or refused. */
char *mqtt_doc_taken(const char *topic, const char *value_json);
char *mqtt_doc_refused(const char *topic, const char *error, const char *payload);

char *mqtt_doc_site_state(const struct snapshot *s);
/* Energies are the caller's, which keeps them from stepping back. */
char *mqtt_doc_site_status(const struct config *c, const struct snapshot *s,
                           int64_t import_wh, int64_t export_wh);
char *mqtt_doc_connector_state(const struct snapshot *s,
                               const struct snap_connector *c);
char *mqtt_doc_connector_status(const struct snap_connector *c);

#endif
