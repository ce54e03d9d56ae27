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

/* Edit distance, two letters that have changed places being one mistake; words longer
 * than 31 are infinitely far. */
static int distance(const char *a, const char *b)
{
    int d[32][32], m = (int)strlen(a), n = (int)strlen(b);

    if (m > 31 || n > 31)
        return 99;
    for (int i = 0; i <= m; i++)
        for (int j = 0; j <= n; j++) {
            int best = i + j;

            if (i && j)
                best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (i && j && d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (i && j && d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[m][n];
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
