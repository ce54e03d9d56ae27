/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a struct as a table: where each is, what it is, what it is called. So that
 * the journal can write the core's memory and the site, and read them back, without a
 * line of code for each member. */
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_BOOL,
    FIELD_U8,
    FIELD_I8,
    FIELD_I16,
    FIELD_I32,
    FIELD_U32, /* and enums */
    FIELD_I64,
    FIELD_U64,
    FIELD_TEXT /* const char * */
};

struct field {
    const char *name;
    size_t offset;
    int count; /* more than 1: an array ... */
    size_t stride;
    enum field_kind kind;
};

#define FIELD_KIND(x)                                                                  \
    _Generic((x), bool: FIELD_BOOL, uint8_t: FIELD_U8, int8_t: FIELD_I8,               \
             int16_t: FIELD_I16, int32_t: FIELD_I32, uint32_t: FIELD_U32,              \
             int64_t: FIELD_I64, uint64_t: FIELD_U64, const char *: FIELD_TEXT)

/* A number of the struct at `at`; not for texts. */
int64_t field_get(const void *at, const struct field *f, int i);
/* False when it is out of the member's range. */
bool field_set(void *at, const struct field *f, int i, int64_t value);

#endif
