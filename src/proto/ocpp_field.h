/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of an OCPP payload, read as leniently as their meaning allows: numbers that
 * come as strings, strings that come as numbers, words in another case. */
#ifndef PROTO_OCPP_FIELD_H
#define PROTO_OCPP_FIELD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a request cannot be understood: what its CALLERROR says. */
struct ocpp_fault {
    const char *code; /* of OCPP-J 1.6 section 4.2.3, spelled as it is there */
    char text[80];
};

/* A member of an object; NULL when either is not there. */
static inline const cJSON *ocpp_get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* A whole number from lo to hi that must be there. False fills `fault` with
 * OccurenceConstraintViolation (missing), TypeConstraintViolation (no number) or
 * PropertyConstraintViolation (out of range). */
bool ocpp_need_int(const cJSON *o, const char *name, int32_t lo, int32_t hi,
                   int32_t *out, struct ocpp_fault *fault);
/* A text that must be there and not be empty. */
bool ocpp_need_text(const cJSON *o, const char *name, char *out, size_t size,
                    struct ocpp_fault *fault);

/* The same where leniency is possible: false, and "" or *out unchanged. */
bool ocpp_get_int(const cJSON *o, const char *name, int64_t *out);
bool ocpp_get_text(const cJSON *o, const char *name, char *out, size_t size);

/* A decimal number times 1000, out of a JSON number or a text such as " 9.6" or
 * "9,6". False when it is none, or not below 10^12. */
bool ocpp_milli(const cJSON *item, int64_t *out);

#endif
