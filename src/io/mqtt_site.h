/* SPDX-License-Identifier: Apache-2.0 */
/* The site on MQTT: decides what to say when. All calls are the main thread's, none
 * waits.
 *
 * - `state` topics: every mqtt.interval and when something moved by an ampere or was
 *   decided anew, but not more than once per call of mqtt_site_tell().
 * - `status` topics (retained): when they changed; a change of nothing but the energy
 *   counts waits for the interval.
 * - After a new connection, and after Home Assistant's start (after 0.5 to 3 s, so
 *   that not every device speaks at once), everything is said again, a few connectors
 *   per call.
 * - What removed connectors left on the broker is cleared. */
#ifndef IO_MQTT_SITE_H
#define IO_MQTT_SITE_H

#include "config/config.h"
#include "core/event.h"
#include "io/mqtt.h"
#include "proto/mqtt_command.h"
#include "proto/snapshot.h"

struct mqtt_site;

/* Both are borrowed. `folder` keeps the list of retained topics over a restart; NULL =
 * it is not kept. NULL = out of memory. */
struct mqtt_site *mqtt_site_new(const struct config *c, struct mqtt *m,
                                const char *folder);
void mqtt_site_free(struct mqtt_site *ms);

/* From now on this configuration is the one in use. */
void mqtt_site_reload(struct mqtt_site *ms, const struct config *c);

/* The state of this moment; to be called about once a second. */
void mqtt_site_tell(struct mqtt_site *ms, const struct snapshot *s);

/* One line for <prefix>/event: level "info", "warning" or "error". */
void mqtt_site_event(struct mqtt_site *ms, int64_t utc_s, const char *level,
                     const char *code, const char *who, const char *text);

/* Takes what came as INBOX_COMMAND and answers on <prefix>/result. True: `m` is to be
 * carried out. False: it was refused, retained, or Home Assistant's birth. */
bool mqtt_site_command(struct mqtt_site *ms, const char *topic, const char *payload,
                       bool retained, int64_t now_ms, struct mqtt_command *m);

#endif
