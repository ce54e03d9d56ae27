/* SPDX-License-Identifier: Apache-2.0 */
/* The list of complaints about a definition file. */
#include "meter/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void meter_error(struct meter_errors *e, int line, int col, const char *format, ...)
{
    va_list args;

    if (e->n++ >= METER_ERRORS_MAX)
        return;
    struct meter_error *m = &e->list[e->n - 1];
    m->line = line;
    m->col = col;
    va_start(args, format);
    vsnprintf(m->text, sizeof m->text, format, args);
    va_end(args);
}

/* Edit distance of Levenshtein; words longer than 31 are infinitely far. */
static int distance(const char *a, const char *b)
{
    int row[32], n = (int)strlen(b);

    if (n > 31 || strlen(a) > 31)
        return 99;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[n];
}

char *meter_nearest(const char *word, const char *const *words, char *out, size_t size)
{
    int best = 3, most = (int)strlen(word) / 2;
    const char *hit = NULL;

    if (most < 1)
        most = 1;
    for (; *words; words++) {
        int d = distance(word, *words);

        if (d < best && d <= most) {
            best = d;
            hit = *words;
        }
    }
    if (hit)
        snprintf(out, size, ", did you mean \"%s\"?", hit);
    else if (size)
        out[0] = '\0';
    return out;
}

char *meter_errors_text(const struct meter_errors *e, char *out, size_t size)
{
    size_t n = 0;

    if (size)
        out[0] = '\0';
    for (int i = 0; i < e->n && i < METER_ERRORS_MAX && n < size; i++) {
        const struct meter_error *m = &e->list[i];

        n += (size_t)snprintf(out + n, size - n, "%s:%d:%d: %s\n", e->file, m->line,
                              m->col, m->text);
    }
    if (e->n > METER_ERRORS_MAX && n < size)
        snprintf(out + n, size - n, "%s: and %d more\n", e->file,
                 e->n - METER_ERRORS_MAX);
    return out;
}
