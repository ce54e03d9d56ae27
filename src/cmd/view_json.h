/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into a document that may lack anything, and writes texts of others to a
 * terminal without letting them do anything to it. */
#ifndef CMD_VIEW_JSON_H
#define CMD_VIEW_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* The text of a key, or "" where it is none. */
const char *view_text(const cJSON *o, const char *key);
/* A number, of a key or a list's place; false where there is none. */
bool view_number(const cJSON *o, const char *key, double *v);
bool view_at(const cJSON *o, const char *key, int at, double *v);
bool view_true(const cJSON *o, const char *key);  /* false where it is not told */
bool view_false(const cJSON *o, const char *key); /* told, and false */
/* "L2" of a phase that is told as a text or as an index; "" where it is not. */
const char *view_phase(const cJSON *o, const char *key);

/* Writes a text in exactly `width` columns, filled up with spaces; cut with a "~".
 * Below 0: in at most -width columns, not filled. One character of UTF-8 counts as one
 * column; control characters become "?". */
void view_put(FILE *to, const char *text, int width);

#endif
