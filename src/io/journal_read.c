/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a journal from its first line to its last; bad lines are told and passed over.
 */
#include "io/journal.h"

#include <errno.h>
#include <string.h>

enum { NO_JOURNAL_AFTER = 20 }; /* bad lines in a row from the start */

struct reading {
    const struct journal_reader *r;
    long line, bad;
    bool ours;      /* a line of a journal was seen */
    long torn_line; /* a torn line that a start has to follow, or 0 */
    bool in_head;   /* between H and B */
    bool bare;      /* the first line of a start was the last one */
    struct journal_start start;
    struct journal_image *image; /* NULL = not whole */
};

static void complain(struct reading *in, long line, const char *what)
{
    in->bad++;
    if (in->r->bad)
        in->r->bad(in->r->arg, line, what);
}

static void drop_image(struct reading *in)
{
    journal_image_free(in->image);
    in->image = NULL;
}

static void head(struct reading *in, const struct journal_start *s)
{
    drop_image(in);
    in->image = journal_image_new();
    in->in_head = true;
    in->start = *s;
}

static void image(struct reading *in, const char *text)
{
    const char *fault = "outside of a head";

    if (in->in_head && !in->image)
        return; /* broken, and told */
    if (in->image)
        fault = journal_image_take(in->image, text);
    if (!fault)
        return;
    complain(in, in->line, fault);
    drop_image(in);
}

static void begin(struct reading *in)
{
    const char *fault = in->image ? journal_image_end(in->image) : NULL;

    if (!in->in_head)
        fault = "an end of a head without its beginning";
    if (fault)
        complain(in, in->line, fault);
    if (fault)
        drop_image(in);
    if (in->in_head && in->r->begin)
        in->r->begin(in->r->arg, in->line, &in->start, in->image);
    else
        drop_image(in);
    in->image = NULL;
    in->in_head = false;
}

static void torn(struct reading *in, long line)
{
    if (in->r->torn)
        in->r->torn(in->r->arg, line);
}

/* A torn line is one only where the next thing is a start. */
static void after_torn(struct reading *in, enum journal_kind kind)
{
    if (in->torn_line && kind == JOURNAL_MAGIC)
        torn(in, in->torn_line);
    else if (in->torn_line)
        complain(in, in->torn_line, "torn, and yet the recording goes on");
    in->torn_line = 0;
}

static void use(struct reading *in, const struct journal_record *rec)
{
    const struct journal_reader *r = in->r;
    bool bare = in->bare;

    in->bare = false;
    in->ours |= rec->kind != JOURNAL_BAD && rec->kind != JOURNAL_TORN;
    after_torn(in, rec->kind);
    if (rec->kind == JOURNAL_BAD || rec->kind == JOURNAL_GAP)
        drop_image(in);
    switch (rec->kind) {
    case JOURNAL_BAD:
        complain(in, in->line, rec->bad);
        break;
    case JOURNAL_TORN:
        in->torn_line = in->line;
        break;
    case JOURNAL_MAGIC:
        if (bare) /* all that was written of the start before */
            torn(in, in->line - 1);
        in->bare = true;
        drop_image(in);
        in->in_head = false;
        break;
    case JOURNAL_HEAD:
        head(in, &rec->start);
        break;
    case JOURNAL_IMAGE:
        image(in, rec->image);
        break;
    case JOURNAL_BEGIN:
        begin(in);
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

/* Reads a line without its newline. Of a longer one than JOURNAL_LINE the beginning and
 * the last bytes are kept. False at the end. *whole = it ended with a newline. */
static bool next_line(FILE *from, char line[JOURNAL_LINE + 1], size_t *n, bool *whole)
{
    enum { KEPT = 8 };
    int ch;

    *n = 0;
    while ((ch = getc_unlocked(from)) != EOF && ch != '\n') {
        if (*n == JOURNAL_LINE) {
            memmove(line + JOURNAL_LINE - KEPT, line + JOURNAL_LINE - KEPT + 1,
                    KEPT - 1);
            line[JOURNAL_LINE - 1] = (char)ch;
        } else {
            line[(*n)++] = (char)ch;
        }
    }
    *whole = ch == '\n';
    line[*n] = '\0';
    return *whole || *n > 0;
}

/* A bad last line without newline has been cut off, unless it is a whole record with
 * something behind it: then its newline was changed. */
static bool cut_off(const char *line, size_t n, uint32_t crc)
{
    char copy[JOURNAL_LINE + 1];
    struct journal_record rec;

    memcpy(copy, line, n);
    copy[n - 1] = '\0';
    return journal_text_parse(copy, n - 1, &crc, &rec) == JOURNAL_BAD;
}

long journal_read(FILE *from, struct journal_reader *r)
{
    struct reading in = {.r = r};
    struct journal_record rec;
    char line[JOURNAL_LINE + 1], copy[JOURNAL_LINE + 1];
    size_t n;
    bool whole;

    r->crc = 0;
    while (next_line(from, line, &n, &whole)) {
        uint32_t before = r->crc;

        in.line++;
        memcpy(copy, line, n + 1);
        journal_text_parse(copy, n, &r->crc, &rec);
        if (rec.kind == JOURNAL_BAD && !whole && cut_off(line, n, before))
            rec.kind = JOURNAL_TORN;
        use(&in, &rec);
        if (!in.ours && in.bad == NO_JOURNAL_AFTER)
            break;
    }
    if (in.torn_line)
        torn(&in, in.torn_line);
    drop_image(&in);
    if (ferror(from))
        return -1;
    if (!in.ours) {
        errno = EINVAL;
        return -1;
    }
    return in.bad;
}
