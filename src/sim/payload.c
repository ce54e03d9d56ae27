/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the payloads of a simulated charger's messages. */
#include "sim/payload.h"

#include <string.h>

#include "io/clock.h"
#include "sim/profiles.h"

const cJSON *payload_get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

const char *payload_text(const cJSON *o, const char *name)
{
    return cJSON_GetStringValue(payload_get(o, name));
}

int32_t payload_int(const cJSON *o, const char *name, int32_t otherwise)
{
    const cJSON *v = payload_get(o, name);

    return cJSON_IsNumber(v) ? v->valueint : otherwise;
}

int64_t payload_time_s(const cJSON *o, const char *name)
{
    const char *text = payload_text(o, name);
    int64_t utc_s = SIM_NO_TIME;

    if (text && !clock_parse_utc(text, &utc_s))
        return SIM_NO_TIME;
    return utc_s;
}

bool payload_is(const cJSON *o, const char *name, const char *text)
{
    const char *is = payload_text(o, name);

    return is && strcmp(is, text) == 0;
}

cJSON *payload_status(const char *word)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "status", word);
    return o;
}

void payload_add_time(cJSON *o, const char *name, int64_t utc_s)
{
    char text[21];

    cJSON_AddStringToObject(o, name, clock_format_utc(utc_s, text));
}
