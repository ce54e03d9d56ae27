/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a journal from its first line to its last; bad lines are told and passed over.
 */
#include "io/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_JOURNAL_AFTER = 20 }; /* bad lines in a row from the start */

struct reading {
    const struct journal_reader *r;
    long line, bad;
    bool ours;    /* a line of a journal was seen */
    bool started; /* the header of this part was seen, and not yet told */
    struct journal_start start;
    char *site;
    size_t n_site;
};

static void complain(struct reading *in, const char *what)
{
    in->bad++;
    if (in->r->bad)
        in->r->bad(in->r->arg, in->line, what);
}

/* The header is told once the first line behind it has come: it may have many lines. */
static void tell_header(struct reading *in)
{
    if (in->started && in->r->header)
        in->r->header(in->r->arg, &in->start, in->site ? in->site : "");
    in->started = false;
    free(in->site);
    in->site = NULL;
    in->n_site = 0;
}

static void add_site(struct reading *in, const char *text, const char *end)
{
    size_t n = strlen(text), e = strlen(end);
    char *more = realloc(in->site, in->n_site + n + e + 1);

    if (!more) {
        complain(in, strerror(ENOMEM));
        return;
    }
    in->site = more;
    memcpy(more + in->n_site, text, n);
    memcpy(more + in->n_site + n, end, e + 1);
    in->n_site += n + e;
}

static void use(struct reading *in, const struct journal_record *rec)
{
    const struct journal_reader *r = in->r;

    in->ours |= rec->kind != JOURNAL_BAD;
    if (rec->kind != JOURNAL_SITE && rec->kind != JOURNAL_SITE_PART &&
        rec->kind != JOURNAL_BAD)
        tell_header(in);
    switch (rec->kind) {
    case JOURNAL_BAD:
        complain(in, rec->bad);
        break;
    case JOURNAL_MAGIC:
        break;
    case JOURNAL_START:
        in->start = rec->start;
        in->started = true;
        break;
    case JOURNAL_SITE:
        add_site(in, rec->site, "\n");
        break;
    case JOURNAL_SITE_PART:
        add_site(in, rec->site, "");
        break;
    case JOURNAL_EVENT:
        if (r->event)
            r->event(r->arg, in->line, &rec->event);
        break;
    case JOURNAL_ORDER:
        if (r->order)
            r->order(r->arg, in->line, rec->at_ms, &rec->order);
        break;
    case JOURNAL_GAP:
        if (r->gap)
            r->gap(r->arg, in->line, rec->at_ms, rec->lost);
        break;
    }
}

/* Reads a line without its newline, at most JOURNAL_LINE bytes of it. False at the end.
 * *whole = it ended with a newline; *n is larger than JOURNAL_LINE when it was cut. */
static bool next_line(FILE *from, char line[JOURNAL_LINE + 1], size_t *n, bool *whole)
{
    int ch;

    *n = 0;
    while ((ch = getc_unlocked(from)) != EOF && ch != '\n') {
        if (*n < JOURNAL_LINE)
            line[*n] = (char)ch;
        ++*n;
    }
    *whole = ch == '\n';
    line[*n < JOURNAL_LINE ? *n : JOURNAL_LINE] = '\0';
    return *whole || *n > 0;
}

long journal_read(FILE *from, const struct journal_reader *r)
{
    struct reading in = {.r = r};
    struct journal_record rec;
    char line[JOURNAL_LINE + 1];
    size_t n;
    bool whole;

    while (next_line(from, line, &n, &whole)) {
        in.line++;
        if (n >= JOURNAL_LINE) {
            rec = (struct journal_record){.bad = "the line is too long"};
        } else {
            journal_text_parse(line, n, &rec);
        }
        if (rec.kind == JOURNAL_BAD && !whole)
            rec.bad = "the last line is torn";
        use(&in, &rec);
        if (!in.ours && in.bad == NO_JOURNAL_AFTER)
            break;
    }
    tell_header(&in);
    if (ferror(from))
        return -1;
    if (!in.ours) {
        errno = EINVAL;
        return -1;
    }
    return in.bad;
}
