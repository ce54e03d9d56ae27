/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a definition file: all of it, each with its place. */
#ifndef METER_ERRORS_H
#define METER_ERRORS_H

#include <stddef.h>

enum { METER_ERRORS_MAX = 40 };

struct meter_error {
    int line, col; /* from 1 */
    char text[200];
};

struct meter_errors {
    const char *file; /* as it is to be printed; borrowed */
    int n;            /* those beyond METER_ERRORS_MAX are counted only */
    struct meter_error list[METER_ERRORS_MAX];
};

void meter_error(struct meter_errors *e, int line, int col, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds `, did you mean "x"?` for the nearest of the NULL-ended words, or "" when none
 * is near, to out. Returns out. */
char *meter_nearest(const char *word, const char *const *words, char *out, size_t size);

/* Writes "file:line:col: text" lines to out, cut at size. Returns out. */
char *meter_errors_text(const struct meter_errors *e, char *out, size_t size);

#endif
