/* SPDX-License-Identifier: Apache-2.0 */
/* Where external limits come from but MQTT's commands: the schedules of the site file,
 * digital inputs, and the fail-safe while MQTT's source is silent. Each becomes an
 * EVENT_LIMIT of its own source, and is told to people when it begins and ends. Reads
 * no clock: time comes with each call. */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include "config/config.h"
#include "core/event.h"

struct limits_hooks {
    void *arg;
    void (*feed)(void *arg, const struct event *e);
    void (*tell)(void *arg, const char *level, const char *code, const char *who,
                 const char *text);
    /* what the chargers below that circuit may draw at this moment */
    int64_t (*granted_w)(void *arg, int circuit);
};

struct limits;

/* The configuration is borrowed. NULL = no memory. */
struct limits *limits_new(const struct config *c, const struct limits_hooks *h,
                          int64_t now_ms);
void limits_free(struct limits *l);

/* Takes over what `old` knows, by the names of circuits and inputs. */
void limits_adopt(struct limits *l, const struct limits *old);

/* To be called before each tick of the core. */
void limits_tick(struct limits *l, int64_t now_ms, int64_t utc_s);
/* An external limit, or its end, was told over MQTT. */
void limits_heard(struct limits *l, int circuit, int64_t now_ms);
/* An input has been read. */
void limits_input(struct limits *l, int input, bool active, int64_t now_ms);

#endif
