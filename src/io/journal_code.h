/* SPDX-License-Identifier: Apache-2.0 */
/* One description of a record serves both ways: the same calls print the variables when
 * writing and fill them when reading. After the first fault nothing more happens. Pure.
 */
#ifndef IO_JOURNAL_CODE_H
#define IO_JOURNAL_CODE_H

#include <stddef.h>
#include "core/site.h"

struct coder {
    bool reading;
    bool failed;
    const char *in; /* what is still to be read */
    char *out;      /* what is written, n of room bytes */
    size_t n, room;
};

void code_put(struct coder *c, const char *text);  /* writing only: one more word */
void code_word(struct coder *c, const char *word); /* always this word */

/* A number from min to max; `none` is written as "-". */
void code_number(struct coder *c, int64_t *v, int64_t min, int64_t max, int64_t none);
void code_i32(struct coder *c, int32_t *v); /* EVENT_NO_VALUE is "-" */
void code_u32(struct coder *c, uint32_t *v);
void code_i8(struct coder *c, int8_t *v);
void code_i64(struct coder *c, int64_t *v); /* EVENT_NO_ENERGY is "-" */
void code_who(struct coder *c, int32_t *v); /* an index; SITE_NONE is "-" */
void code_bool(struct coder *c, bool *v);   /* 0 or 1 */
void code_phases(struct coder *c, const char *word, int32_t v[SITE_PHASES]);

/* One of `count` names; returns its number. */
int code_name(struct coder *c, int value, const char *(*name)(int), int count);

/* A word of free choice without spaces, "-" when empty. */
void code_token(struct coder *c, char *text, size_t size);

#endif
