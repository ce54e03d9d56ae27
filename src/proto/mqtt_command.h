/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs may ask for over MQTT: a message on a `set` topic becomes a
 * checked command, or an error text that says what would have been right. */
#ifndef PROTO_MQTT_COMMAND_H
#define PROTO_MQTT_COMMAND_H

#include "config/config.h"
#include "core/event.h"
#include "proto/mqtt_wish.h"

enum {
    MQTT_ERROR = 320,   /* longest error text with its NUL */
    MQTT_PAYLOAD = 256, /* longest payload with its NUL; the inbox's limit, too */
    MQTT_VALUE = MQTT_WISH_TEXT, /* longest accepted value as JSON with its NUL */
    MQTT_TTL_S = 900,            /* lifetime of an external limit that names none */
    MQTT_TTL_MAX_S = 24 * 3600,  /* whoever wants it longer says it again */
    MQTT_WATTS_MAX = 10000000
};

enum mqtt_what {
    MQTT_MODE,     /* who = connector */
    MQTT_PRIORITY, /* who = connector */
    MQTT_PAUSE,    /* who = connector */
    MQTT_WISH,     /* who = connector */
    MQTT_LIMIT     /* who = circuit */
};

struct mqtt_command {
    enum mqtt_what what;
    int who;
    union {
        enum mode mode;
        int32_t priority;
        bool pause;
        struct mqtt_wish wish;
        struct {
            int32_t limit_ma;            /* on each phase; EVENT_NO_VALUE = none */
            int32_t power_w, chargers_w; /* see struct event_limit; 0 = none */
            int32_t ttl_s;
        } limit;
    };
    char value[MQTT_VALUE]; /* what was understood, as JSON */
};

/* Both texts are UTF-8. False: `error` names the topic and what is allowed. */
bool mqtt_command_parse(const struct config *c, const char *topic, const char *payload,
                        struct mqtt_command *m, char error[MQTT_ERROR]);

/* The command as the core's event; not of MQTT_WISH, which needs to know the time and
 * what was wished before. */
struct event mqtt_command_event(const struct mqtt_command *m, int64_t now_ms);

#endif
