/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT broker as a neighbour: libmosquitto with a thread of its own, last will,
 * birth, reconnection. What is said on which topic is in src/proto/mqtt_doc.h, when it
 * is said in src/io/mqtt_site.h.
 *
 * The broker may be gone, slow, hostile or not there yet: no call here ever waits for
 * it, what does not fit is dropped and counted. */
#ifndef IO_MQTT_H
#define IO_MQTT_H

#include "config/config.h"
#include "io/inbox.h"
#include "io/mqtt_meter.h"

struct mqtt;

/* Starts connecting in the background; returns NULL, with a log line, only when the
 * library cannot be set up or a TLS file cannot be read. Commands come through the
 * inbox as INBOX_COMMAND, troubles as INBOX_TROUBLE "mqtt". The configuration is not
 * needed afterwards. */
struct mqtt *mqtt_new(const struct config *c, struct inbox *b);
void mqtt_free(struct mqtt *m); /* says offline, waits at most a second */

/* From now on what comes on the topics of these meters is theirs, in place of those
 * before; NULL = of none. They are borrowed, and after this call those before are free.
 */
void mqtt_hear(struct mqtt *m, struct mqtt_meters *meters);

/* Never blocks. False: dropped and counted, because there is no connection or the
 * broker does not take what is queued. After a lost connection everything that is
 * retained must be said again: mqtt_births() tells. */
bool mqtt_publish(struct mqtt *m, const char *topic, const char *payload, bool retain);

/* Grows with each connection: compare to know when all retained topics must be said
 * again. */
unsigned mqtt_births(const struct mqtt *m);
bool mqtt_connected(const struct mqtt *m);
uint64_t mqtt_dropped(const struct mqtt *m);

#endif
