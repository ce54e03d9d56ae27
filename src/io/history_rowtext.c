/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as CSV or JSON. */
#include "io/history_rowtext.h"

#include <inttypes.h>
#include <string.h>

#include "io/clock.h"

void rowtext_begin(struct rowtext *t, FILE *to, bool json, const char *const *columns,
                   int n)
{
    *t = (struct rowtext){.to = to, .json = json, .columns = columns, .n = n};
    if (json) {
        fputs("[", to);
        return;
    }
    for (int i = 0; i < n; i++)
        fprintf(to, "%s%s", i ? "," : "", columns[i]);
    fputs("\n", to);
}

void rowtext_end(struct rowtext *t)
{
    if (t->json)
        fputs(t->rows ? "\n]\n" : "]\n", t->to);
}

static void before(struct rowtext *t)
{
    if (t->json)
        fprintf(t->to, "%s\"%s\": ",
                t->at     ? ", "
                : t->rows ? ",\n {"
                          : "\n {",
                t->columns[t->at]);
    else if (t->at)
        fputc(',', t->to);
}

static void after(struct rowtext *t)
{
    if (++t->at < t->n)
        return;
    fputs(t->json ? "}" : "\n", t->to);
    t->at = 0;
    t->rows++;
}

static void literal(struct rowtext *t, const char *text)
{
    before(t);
    fputs(text, t->to);
    after(t);
}

void rowtext_none(struct rowtext *t)
{
    literal(t, t->json ? "null" : "");
}

static void put_json(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(to, "\\u%04x", *text);
        else
            fputc(*text, to);
    fputc('"', to);
}

static void put_csv(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

void rowtext_word(struct rowtext *t, const char *text)
{
    if (!*text) {
        rowtext_none(t);
        return;
    }
    before(t);
    if (t->json)
        put_json(t->to, text);
    else
        put_csv(t->to, text);
    after(t);
}

void rowtext_int(struct rowtext *t, int64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, v);
    literal(t, text);
}

void rowtext_milli(struct rowtext *t, int64_t v)
{
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char text[32];
    size_t n;

    snprintf(text, sizeof text, "%s%" PRIu64 ".%03u", v < 0 ? "-" : "", size / 1000,
             (unsigned)(size % 1000));
    n = strlen(text);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    text[n] = '\0';
    literal(t, text);
}

void rowtext_utc(struct rowtext *t, int64_t utc_s)
{
    char text[21];

    rowtext_word(t, clock_format_utc(utc_s, text));
}
