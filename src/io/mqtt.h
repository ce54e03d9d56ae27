/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT broker as a neighbour: libmosquitto with its own thread, last will, birth,
 * reconnection. What is said on which topic is in src/proto/mqtt_doc.h. */
#ifndef IO_MQTT_H
#define IO_MQTT_H

#include "config/config.h"
#include "io/inbox.h"

struct mqtt;

/* Starts connecting in the background; returns NULL only when the library cannot be set
 * up. Commands and troubles come through the inbox. */
struct mqtt *mqtt_new(const struct config *c, struct inbox *b);
void mqtt_free(struct mqtt *m); /* says offline, waits at most a second */

/* Never blocks. Dropped (and counted) while there is no connection, unless `retain`:
 * then it is published by the caller again when mqtt_births() has moved on. */
void mqtt_publish(struct mqtt *m, const char *topic, const char *payload, bool retain);

/* Grows with each connection: compare to know when all retained topics must be said
 * again. */
unsigned mqtt_births(const struct mqtt *m);
bool mqtt_connected(const struct mqtt *m);

#endif
