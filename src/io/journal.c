/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the journal: a buffer in memory, a file that is rotated. */
#include "io/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_MS = 3600000 }; /* a part is no longer than an hour */

struct journal {
    char *path, *older;
    int64_t max_bytes;
    void (*trouble)(void *arg, bool begins, const char *text);
    void *arg;
    int fd;                     /* -1 = to be opened */
    struct journal_start start; /* of the newest part */
    bool due;                   /* a part is to begin, for start.begun */
    bool full;                  /* due, with a new file in place of the open one */
    bool troubled;
    bool midline; /* the buffer begins within a line that is partly written */
    int64_t lost; /* records, not yet told in the file */
    int64_t lost_ever;
    int64_t last_ms;    /* of the newest record */
    int64_t head_bytes; /* of the newest head */
    uint32_t crc;       /* of the last line in the buffer */
    size_t n;
    char buffer[JOURNAL_BUFFER];
};

static void say(struct journal *j, bool begins, const char *doing)
{
    char text[160];

    if (begins == j->troubled)
        return;
    j->troubled = begins;
    if (begins)
        snprintf(text, sizeof text, "%s %s: %s", doing, j->path, strerror(errno));
    else
        snprintf(text, sizeof text, "%s is written again, %lld records were lost",
                 j->path, (long long)j->lost_ever);
    if (j->trouble)
        j->trouble(j->arg, begins, text);
}

/* Writes as much as goes; returns the number of bytes written, errno where short. */
static size_t put_bytes(int fd, const char *bytes, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t k = write(fd, bytes + done, n - done);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            if (k == 0)
                errno = ENOSPC;
            break;
        }
        done += (size_t)k;
    }
    return done;
}

/* A line that was torn by the end of an earlier run is closed, so that it costs itself
 * only. */
static bool mend_end(int fd)
{
    static const char mend[] = JOURNAL_TORN_END "\n";
    struct stat st;
    char last = '\n';

    if (fstat(fd, &st) != 0)
        return false;
    if (S_ISREG(st.st_mode) && st.st_size > 0 &&
        pread(fd, &last, 1, st.st_size - 1) < 0)
        return false;
    return last == '\n' || put_bytes(fd, mend, sizeof mend - 1) == sizeof mend - 1;
}

static void shut(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    j->n = 0;
    j->midline = false;
}

static void call_due(struct journal *j, enum journal_begun begun)
{
    if (!j->due)
        j->start.begun = begun;
    j->due = true;
}

/* Looks at the file that is open: too large, or no longer the one at its path. */
static void look_after_file(struct journal *j)
{
    struct stat open_one, there;

    if (j->fd < 0 || fstat(j->fd, &open_one) != 0)
        return;
    if (stat(j->path, &there) != 0 || there.st_ino != open_one.st_ino ||
        there.st_dev != open_one.st_dev)
        j->full = true;
    else if (j->max_bytes > 0 && S_ISREG(open_one.st_mode) &&
             open_one.st_size >= j->max_bytes &&
             open_one.st_size >= 2 * j->head_bytes) /* not one head after the other */
        j->full = true;
    if (j->full)
        call_due(j, BEGUN_FILE);
}

static void append(struct journal *j, const char *line, size_t n)
{
    memcpy(j->buffer + j->n, line, n);
    j->n += journal_text_seal(j->buffer + j->n, n, &j->crc);
}

static void put_buffer(struct journal *j)
{
    size_t done = put_bytes(j->fd, j->buffer, j->n);

    if (done > 0)
        j->midline = j->buffer[done - 1] != '\n';
    if (done < j->n)
        say(j, true, "cannot write the journal");
    else
        say(j, false, "");
    memmove(j->buffer, j->buffer + done, j->n - done);
    j->n -= done;
}

void journal_flush(struct journal *j)
{
    char line[JOURNAL_LINE];

    if (j->fd < 0)
        return;
    look_after_file(j);
    put_buffer(j);
    if (j->lost > 0 && j->n == 0) {
        append(j, line, journal_text_gap(line, j->last_ms, j->lost));
        j->lost = 0;
        call_due(j, BEGUN_GAP);
    }
    if (j->last_ms - j->start.mono_ms >= PART_MS)
        call_due(j, BEGUN_HOUR);
}

static void add(struct journal *j, const char *line, size_t n)
{
    bool fits = j->n + JOURNAL_LINE <= sizeof j->buffer;

    if (!fits && j->fd >= 0 && !j->troubled) {
        put_buffer(j);
        fits = j->n + JOURNAL_LINE <= sizeof j->buffer;
    }
    if (n == 0 || j->fd < 0 || j->lost > 0 || !fits) {
        j->lost++;
        j->lost_ever++;
    } else {
        append(j, line, n);
    }
}

void journal_event(struct journal *j, const struct event *e)
{
    char line[JOURNAL_LINE];

    j->last_ms = e->at_ms;
    add(j, line, journal_text_event(line, e));
}

void journal_order(struct journal *j, int64_t at_ms, const struct order *o)
{
    char line[JOURNAL_LINE];

    j->last_ms = at_ms;
    add(j, line, journal_text_order(line, at_ms, o));
}

int64_t journal_lost(const struct journal *j)
{
    return j->lost_ever;
}

bool journal_due(const struct journal *j)
{
    return j->due;
}

/* ---- the head ---- */

/* The file before is renamed; where that cannot be it is given up: the journal's size
 * has a bound. False when the file before is not yet written. */
static bool turn_over(struct journal *j)
{
    struct stat open_one, there;

    put_buffer(j);
    if (j->n > 0)
        return false;
    snprintf(j->start.after, sizeof j->start.after, "%08" PRIx32, j->crc);
    if (fstat(j->fd, &open_one) == 0 && stat(j->path, &there) == 0 &&
        there.st_ino == open_one.st_ino && there.st_dev == open_one.st_dev &&
        rename(j->path, j->older) != 0 && ftruncate(j->fd, 0) == 0)
        j->start.after[0] = '\0';
    shut(j);
    j->full = false;
    return true;
}

static bool open_file(struct journal *j)
{
    char line[JOURNAL_LINE];

    j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (j->fd < 0) {
        say(j, true, "cannot open the journal");
        return false;
    }
    if (!mend_end(j->fd)) {
        say(j, true, "cannot write the journal");
        shut(j);
        return false;
    }
    j->crc = 0;
    append(j, line, journal_text_magic(line));
    if (j->lost > 0)
        append(j, line, journal_text_gap(line, j->last_ms, j->lost));
    j->lost = 0;
    return true;
}

/* Copies a text for a token of the head: no spaces. */
static void token(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
    for (; *to; to++)
        if (*to <= ' ')
            *to = '_';
}

static void add_image(void *j, const char *line, size_t n)
{
    add(j, line, n);
}

static int64_t file_bytes(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_size : 0;
}

void journal_head(struct journal *j, const struct journal_header *h)
{
    char line[JOURNAL_LINE];
    int64_t before;

    if (h->reload)
        j->start.begun = BEGUN_RELOAD;
    j->due = true;
    j->start.after[0] = '\0';
    if ((j->full && !turn_over(j)) || (j->fd < 0 && !open_file(j)))
        return;
    before = file_bytes(j->fd);
    j->start.utc_s = h->utc_s;
    j->start.mono_ms = j->last_ms = h->mono_ms;
    j->start.part++;
    token(j->start.version, sizeof j->start.version, h->version);
    token(j->start.config_hash, sizeof j->start.config_hash, h->config_hash);
    add(j, line, journal_text_start(line, &j->start));
    journal_image_write(h->site, h->control, add_image, j);
    add(j, line, journal_text_begin(line));
    put_buffer(j);
    j->head_bytes = file_bytes(j->fd) - before;
    j->due = false; /* what was lost just now makes it due again */
}

struct journal *journal_open(const char *path, int64_t max_bytes,
                             void (*trouble)(void *arg, bool begins, const char *text),
                             void *arg)
{
    struct journal *j = malloc(sizeof *j);

    if (!j)
        return NULL;
    memset(j, 0, offsetof(struct journal, buffer));
    j->fd = -1;
    j->max_bytes = max_bytes;
    j->trouble = trouble;
    j->arg = arg;
    j->due = true;
    j->start.begun = BEGUN_START;
    j->path = strdup(path);
    if (!j->path || asprintf(&j->older, "%s.1", path) < 0) {
        free(j->path);
        free(j);
        return NULL;
    }
    return j;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        put_buffer(j);
    shut(j);
    free(j->path);
    free(j->older);
    free(j);
}
