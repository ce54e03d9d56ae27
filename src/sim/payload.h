/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the payloads of a simulated charger's messages. */
#ifndef SIM_PAYLOAD_H
#define SIM_PAYLOAD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* A member of an object; of another type, or not there: NULL, `otherwise`,
 * SIM_NO_TIME. */
const cJSON *payload_get(const cJSON *o, const char *name);
const char *payload_text(const cJSON *o, const char *name);
int32_t payload_int(const cJSON *o, const char *name, int32_t otherwise);
int64_t payload_time_s(const cJSON *o, const char *name);
bool payload_is(const cJSON *o, const char *name, const char *text);

cJSON *payload_status(const char *word); /* {"status": word} */
void payload_add_time(cJSON *o, const char *name, int64_t utc_s);

#endif
