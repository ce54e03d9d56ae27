/* SPDX-License-Identifier: Apache-2.0 */
/* One number out of a payload of somebody else: by a JSON pointer (RFC 6901), or the
 * payload as a whole. */
#ifndef PROTO_JSON_POINTER_H
#define PROTO_JSON_POINTER_H

#include <stddef.h>
#include <cjson/cJSON.h>

/* What the pointer leads to, or NULL. "" is the root. Of keys that are given twice the
 * first one counts. */
const cJSON *json_pointer(const cJSON *root, const char *pointer);

enum json_number {
    JSON_NUMBER,
    JSON_NO_VALUE, /* null, or a word for it: "unavailable", "unknown", "nan" */
    JSON_FAULT     /* not there, or no number */
};

/* A number, also as a text ("230.1"), as some write it. item may be NULL. */
enum json_number json_number(const cJSON *item, double *out);
/* The same in a plain payload of n bytes. */
enum json_number json_number_text(const char *text, size_t n, double *out);

#endif
