/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of an OCPP payload. */
#include "proto/ocpp_field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ocpp_frame.h"

static bool refuse(struct ocpp_fault *fault, const char *code, const char *name,
                   const char *why)
{
    fault->code = code;
    snprintf(fault->text, sizeof fault->text, "%s %s", name, why);
    return false;
}

/* A text as a number, or false. Blanks around it and a decimal comma are let pass. */
static bool number_of(const char *text, double *out)
{
    char copy[32], *end, *comma;

    while (*text == ' ' || *text == '\t')
        text++;
    if (strlen(text) >= sizeof copy || strpbrk(text, "xXnNiI"))
        return false; /* no hexadecimal, nan, inf */
    strcpy(copy, text);
    comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.'))
        *comma = '.';
    *out = strtod(copy, &end);
    if (end == copy)
        return false;
    while (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n')
        end++;
    return *end == '\0';
}

static bool double_of(const cJSON *item, double *out)
{
    if (cJSON_IsNumber(item))
        *out = item->valuedouble;
    else if (!cJSON_IsString(item) || !number_of(item->valuestring, out))
        return false;
    return isfinite(*out);
}

bool ocpp_milli(const cJSON *item, int64_t *out)
{
    double d;

    if (!double_of(item, &d) || fabs(d) >= 1e12)
        return false;
    *out = llround(d * 1000);
    return true;
}

bool ocpp_get_int(const cJSON *o, const char *name, int64_t *out)
{
    double d;

    if (!double_of(cJSON_GetObjectItemCaseSensitive(o, name), &d) || fabs(d) > 9e15)
        return false;
    *out = (int64_t)d;
    return true;
}

bool ocpp_get_text(const cJSON *o, const char *name, char *out, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

    out[0] = '\0';
    if (cJSON_IsString(item))
        ocpp_text_copy(out, size, item->valuestring);
    else if (cJSON_IsNumber(item))
        snprintf(out, size, "%.0f", item->valuedouble);
    return out[0] != '\0';
}

bool ocpp_need_int(const cJSON *o, const char *name, int32_t lo, int32_t hi,
                   int32_t *out, struct ocpp_fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);
    int64_t value;

    if (!item || cJSON_IsNull(item))
        return refuse(fault, "OccurenceConstraintViolation", name, "is missing");
    if (!ocpp_get_int(o, name, &value))
        return refuse(fault, "TypeConstraintViolation", name, "is no number");
    if (value < lo || value > hi)
        return refuse(fault, "PropertyConstraintViolation", name, "is out of range");
    *out = (int32_t)value;
    return true;
}

bool ocpp_need_text(const cJSON *o, const char *name, char *out, size_t size,
                    struct ocpp_fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

    if (!item || cJSON_IsNull(item))
        return refuse(fault, "OccurenceConstraintViolation", name, "is missing");
    if (!cJSON_IsString(item) && !cJSON_IsNumber(item))
        return refuse(fault, "TypeConstraintViolation", name, "is no text");
    if (!ocpp_get_text(o, name, out, size))
        return refuse(fault, "PropertyConstraintViolation", name, "is empty");
    return true;
}
