/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of an OCPP payload, read as leniently as their meaning allows: numbers that
 * come as strings, strings that come as numbers, words in another case. */
#ifndef PROTO_OCPP16_FIELD_H
#define PROTO_OCPP16_FIELD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a request cannot be understood: what its CALLERROR says. */
struct ocpp16_fault {
    const char *code; /* of OCPP-J 1.6 section 4.2.3, spelled as it is there */
    char text[80];
};

/* A whole number from lo to hi that must be there. False fills `fault` with
 * OccurenceConstraintViolation (missing), TypeConstraintViolation (no number) or
 * PropertyConstraintViolation (out of range). */
bool ocpp16_need_int(const cJSON *o, const char *name, int32_t lo, int32_t hi,
                     int32_t *out, struct ocpp16_fault *fault);
/* A text that must be there and not be empty. */
bool ocpp16_need_text(const cJSON *o, const char *name, char *out, size_t size,
                      struct ocpp16_fault *fault);

/* The same where leniency is possible: false, and "" or *out unchanged. */
bool ocpp16_get_int(const cJSON *o, const char *name, int64_t *out);
bool ocpp16_get_text(const cJSON *o, const char *name, char *out, size_t size);

/* A decimal number times 1000, out of a JSON number or a text such as " 9.6" or
 * "9,6". False when it is none, or not below 10^12. */
bool ocpp16_milli(const cJSON *item, int64_t *out);

#endif
