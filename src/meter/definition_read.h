/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make up the reader of definitions. */
#ifndef METER_DEFINITION_READ_H
#define METER_DEFINITION_READ_H

#include "meter/definition.h"
#include "meter/tree.h"

struct reader {
    struct meter_errors *e;
    struct definition *d;
    const struct tree *root;
    struct {
        int fc;
        enum value_type type;
        enum word_order order;
        struct na na;
    } defaults;
};

/* Each takes the value of `key` out of a map when it is there, checks it and complains
 * by itself. True = it was there and good. */
bool read_int(struct reader *r, const struct tree *map, const char *key, int min,
              int max, int *out);
bool read_bool(struct reader *r, const struct tree *map, const char *key, bool *out);
bool read_text(struct reader *r, const struct tree *map, const char *key, char *out,
               size_t size);
/* One of the words of the NULL-ended list: its index. */
bool read_word(struct reader *r, const struct tree *map, const char *key,
               const char *const *words, int *out);
/* A list of whole numbers, or one. Returns how many. */
int read_ints(struct reader *r, const struct tree *map, const char *key, int min,
              int max, int *out, int n_max);
/* The map of that key, NULL when it is missing or (told) something else. */
const struct tree *read_map(struct reader *r, const struct tree *map, const char *key);

bool number_of(struct reader *r, const struct tree *t, const char *what, int min,
               int max, int *out);
bool decimal_of(struct reader *r, const struct tree *t, const char *what,
                struct decimal *out);

/* "na": a word, or a list of raw values. */
void read_na(struct reader *r, const struct tree *map, struct na *out);

extern const char *const value_type_words[], *const word_order_words[],
                                                 *const na_words[];

void read_points(struct reader *r);  /* points, fast, static, invert, probe */
void read_vectors(struct reader *r); /* test */
void check_definition(struct reader *r);

#endif
