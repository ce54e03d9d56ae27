/* SPDX-License-Identifier: Apache-2.0 */
/* What libmosquitto has to be told of TLS, and what its codes mean to a person. */
#ifndef IO_MQTT_LIB_H
#define IO_MQTT_LIB_H

#include "config/config.h"

enum { MQTT_CAUSE = 160 };

struct mosquitto;

/* False, with a log line: TLS is wanted and cannot be set up. */
bool mqtt_lib_tls(struct mosquitto *lib, const struct config *c);

/* What to tell a person of a failed or lost connection: the library's code and the
 * errno that came with it. */
void mqtt_lib_explain(int rc, int error, char out[MQTT_CAUSE]);

#endif
