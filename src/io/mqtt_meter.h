/* SPDX-License-Identifier: Apache-2.0 */
/* Meters that are heard over MQTT: from messages on their topics to readings in the
 * inbox, as EVENT_METER followed by INBOX_METER.
 *
 * A reading is complete when each of its currents and powers has come anew, and none of
 * them is older than half of max_age. Retained messages count for nothing, since nobody
 * knows how old they are. A counter of energy, or the frequency, may come when it
 * likes. */
#ifndef IO_MQTT_METER_H
#define IO_MQTT_METER_H

#include <stdbool.h>
#include "config/config.h"
#include "io/inbox.h"

struct mqtt_meters;

/* The meters of SOURCE_MQTT. The configuration is borrowed. NULL = out of memory. */
struct mqtt_meters *mqtt_meters_new(const struct config *c, struct inbox *b);
void mqtt_meters_free(struct mqtt_meters *mm);

/* The topics to subscribe to, each once; their number. */
int mqtt_meters_topics(const struct mqtt_meters *mm, const char *const **topics);

/* A message has come; any thread. False: not on one of their topics. */
bool mqtt_meters_take(struct mqtt_meters *mm, const char *topic, const char *payload,
                      size_t n, bool retained);

/* Tells of meters that have fallen silent; to be called about once a second. */
void mqtt_meters_tick(struct mqtt_meters *mm);

#endif
