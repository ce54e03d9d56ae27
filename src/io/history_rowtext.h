/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as text: CSV (RFC 4180) with a header line, or a JSON array of objects. Pure but
 * for the stream that it writes to. */
#ifndef IO_HISTORY_ROWTEXT_H
#define IO_HISTORY_ROWTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct rowtext {
    FILE *to;
    bool json;
    const char *const *columns; /* their names, n of them */
    int n;
    int at;       /* the column that comes next */
    int64_t rows; /* so far */
};

void rowtext_begin(struct rowtext *t, FILE *to, bool json, const char *const *columns,
                   int n);
void rowtext_end(struct rowtext *t);

/* One call per column, in their order; the last one ends the row. */
void rowtext_none(struct rowtext *t);                   /* empty, null */
void rowtext_word(struct rowtext *t, const char *text); /* "" is none */
void rowtext_int(struct rowtext *t, int64_t v);
void rowtext_milli(struct rowtext *t, int64_t v); /* thousandths: 16500 is 16.5 */
void rowtext_utc(struct rowtext *t, int64_t utc_s);

#endif
