/* SPDX-License-Identifier: Apache-2.0 */
/* The list of topics on which the broker keeps something of ours, in a small file: so
 * that what a removed connector left behind can be cleared, also after a restart. */
#ifndef IO_MQTT_SEEN_H
#define IO_MQTT_SEEN_H

#include <stdbool.h>
#include <stddef.h>

struct mqtt_seen;

/* Reads folder/mqtt-topics if there is one. With folder NULL the list lives in memory
 * only. NULL = out of memory. */
struct mqtt_seen *mqtt_seen_new(const char *folder);
void mqtt_seen_free(struct mqtt_seen *s);

/* Adds a topic, if it is new, and marks it as in use. False: out of memory. */
bool mqtt_seen_use(struct mqtt_seen *s, const char *topic);
void mqtt_seen_unmark(struct mqtt_seen *s); /* all of them */

/* A topic that is not marked, or NULL; mqtt_seen_drop() takes it off the list. */
const char *mqtt_seen_unused(const struct mqtt_seen *s);
void mqtt_seen_drop(struct mqtt_seen *s, const char *topic);

/* Writes the file when the list has changed; a trouble is logged once. */
void mqtt_seen_save(struct mqtt_seen *s);

#endif
