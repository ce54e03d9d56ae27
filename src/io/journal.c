/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the journal: a buffer in memory, a file that is rotated. */
#include "io/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal {
    char *path, *older;
    int64_t max_bytes;
    struct journal_start start;
    char *site;
    void (*trouble)(void *arg, bool begins, const char *text);
    void *arg;
    int fd; /* -1 = to be opened */
    bool troubled;
    bool midline; /* the buffer begins within a line that is partly written */
    int64_t lost; /* records, not yet told in the file */
    int64_t lost_ever;
    int64_t last_ms; /* of the newest record */
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

static bool put_line(int fd, const char *line, size_t n)
{
    return put_bytes(fd, line, n) == n;
}

static bool put_header(struct journal *j)
{
    char line[JOURNAL_LINE];
    const char *rest = j->site;
    size_t n;

    if (!put_line(j->fd, line, journal_text_magic(line)) ||
        !put_line(j->fd, line, journal_text_start(line, &j->start)))
        return false;
    while ((n = journal_text_site(line, &rest)) > 0)
        if (!put_line(j->fd, line, n))
            return false;
    return true;
}

/* A line that was torn by the end of an earlier run gets its newline, so that it costs
 * itself only. */
static bool mend_end(int fd)
{
    struct stat st;
    char last = '\n';

    if (fstat(fd, &st) != 0)
        return false;
    if (S_ISREG(st.st_mode) && st.st_size > 0 &&
        pread(fd, &last, 1, st.st_size - 1) < 0)
        return false;
    return last == '\n' || put_line(fd, "\n", 1);
}

static void shut(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

static void drop_torn(struct journal *j)
{
    const char *end = memchr(j->buffer, '\n', j->n);
    size_t cut = end ? (size_t)(end - j->buffer) + 1 : j->n;

    if (!j->midline)
        return;
    memmove(j->buffer, j->buffer + cut, j->n - cut);
    j->n -= cut;
    j->midline = false;
    j->lost++;
    j->lost_ever++;
}

static bool ready(struct journal *j)
{
    if (j->fd >= 0)
        return true;
    j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (j->fd < 0) {
        say(j, true, "cannot open the journal");
        return false;
    }
    if (!mend_end(j->fd) || !put_header(j)) {
        say(j, true, "cannot write the journal");
        shut(j);
        return false;
    }
    drop_torn(j);
    return true;
}

/* The next part continues this one: its clocks are those of the newest record. */
static void next_part(struct journal *j)
{
    j->start.part++;
    if (j->last_ms > j->start.mono_ms) {
        j->start.utc_s += (j->last_ms - j->start.mono_ms) / 1000;
        j->start.mono_ms += (j->last_ms - j->start.mono_ms) / 1000 * 1000;
    }
}

/* Looks at the file that is open: too large, or no longer the one at its path. */
static void look_after_file(struct journal *j)
{
    struct stat open_one, there;

    if (j->fd < 0 || fstat(j->fd, &open_one) != 0)
        return;
    if (stat(j->path, &there) != 0 || there.st_ino != open_one.st_ino ||
        there.st_dev != open_one.st_dev) {
        shut(j);
        next_part(j);
    } else if (j->max_bytes > 0 && S_ISREG(open_one.st_mode) && !j->midline &&
               open_one.st_size >= j->max_bytes && rename(j->path, j->older) == 0) {
        shut(j);
        next_part(j);
    }
}

void journal_flush(struct journal *j)
{
    size_t done;

    look_after_file(j);
    if (!ready(j))
        return;
    if (j->n == 0) {
        say(j, false, "");
        return;
    }
    done = put_bytes(j->fd, j->buffer, j->n);
    if (done > 0)
        j->midline = j->buffer[done - 1] != '\n';
    if (done < j->n)
        say(j, true, "cannot write the journal");
    else
        say(j, false, "");
    memmove(j->buffer, j->buffer + done, j->n - done);
    j->n -= done;
}

static bool append(struct journal *j, const char *line, size_t n)
{
    if (j->n + n > sizeof j->buffer)
        return false;
    memcpy(j->buffer + j->n, line, n);
    j->n += n;
    return true;
}

static void add(struct journal *j, int64_t at_ms, const char *line, size_t n)
{
    char gap[JOURNAL_LINE];

    j->last_ms = at_ms;
    if (j->n + n > sizeof j->buffer && !j->troubled)
        journal_flush(j);
    if (j->lost > 0 && j->n + 2 * JOURNAL_LINE <= sizeof j->buffer &&
        append(j, gap, journal_text_gap(gap, at_ms, j->lost)))
        j->lost = 0;
    if (n == 0 || j->lost > 0 || !append(j, line, n)) {
        j->lost++;
        j->lost_ever++;
    }
}

void journal_event(struct journal *j, const struct event *e)
{
    char line[JOURNAL_LINE];

    add(j, e->at_ms, line, journal_text_event(line, e));
}

void journal_order(struct journal *j, int64_t at_ms, const struct order *o)
{
    char line[JOURNAL_LINE];

    add(j, at_ms, line, journal_text_order(line, at_ms, o));
}

int64_t journal_lost(const struct journal *j)
{
    return j->lost_ever;
}

/* Copies a text for a token of the header: no spaces. */
static void token(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
    for (; *to; to++)
        if (*to <= ' ')
            *to = '_';
}

struct journal *journal_open(const char *path, int64_t max_bytes,
                             const struct journal_header *h,
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
    j->start.utc_s = h->utc_s;
    j->start.mono_ms = j->last_ms = h->mono_ms;
    j->start.part = 1;
    token(j->start.version, sizeof j->start.version, h->version);
    token(j->start.config_hash, sizeof j->start.config_hash, h->config_hash);
    j->path = strdup(path);
    j->site = strdup(h->site ? h->site : "");
    if (!j->path || !j->site || asprintf(&j->older, "%s.1", path) < 0) {
        free(j->path);
        free(j->site);
        free(j);
        return NULL;
    }
    ready(j);
    return j;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    journal_flush(j);
    shut(j);
    free(j->path);
    free(j->older);
    free(j->site);
    free(j);
}
