/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of recordings. */
#include "sim/recording.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"

enum { COLUMNS = 16, COMPLAINTS = 20, MAX_KWH = 1000, MAX_A = 10000 };

struct reader {
    const char *path;
    FILE *file, *complain;
    int line, errors;
    char *text; /* the line; fields point into it */
    size_t room;
    char *field[COLUMNS];
    int n_fields;
    /* which field each wanted column is in, or -1 */
    const char *const *wanted;
    int n_wanted, n_required;
    int at[COLUMNS];
};

__attribute__((format(printf, 4, 5))) static void
complain(struct reader *r, int line, bool error, const char *format, ...)
{
    va_list args;

    if (error && ++r->errors > COMPLAINTS)
        return;
    if (line)
        fprintf(r->complain, "%s:%d: %s", r->path, line, error ? "" : "warning: ");
    else
        fprintf(r->complain, "%s: ", r->path);
    va_start(args, format);
    vfprintf(r->complain, format, args);
    va_end(args);
    fputc('\n', r->complain);
    if (r->errors == COMPLAINTS && error)
        fprintf(r->complain, "%s: no more errors are told\n", r->path);
}

/* Cuts blanks and one pair of quotes off both ends. */
static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (*s == ' ' || *s == '\t')
        s++;
    while (end > s && strchr(" \t\r\n", end[-1]))
        *--end = '\0';
    if (end - s >= 2 && *s == '"' && end[-1] == '"') {
        end[-1] = '\0';
        s++;
    }
    return s;
}

static void split(struct reader *r, char *s)
{
    char *next;

    for (r->n_fields = 0; s && r->n_fields < COLUMNS; s = next) {
        next = strchr(s, ',');
        if (next)
            *next++ = '\0';
        r->field[r->n_fields++] = trim(s);
    }
}

/* Reads the next line that says something and splits it. */
static bool next_line(struct reader *r)
{
    while (getline(&r->text, &r->room, r->file) >= 0) {
        char *s = r->text;

        if (r->line++ == 0 && strncmp(s, "\xef\xbb\xbf", 3) == 0)
            s += 3; /* a byte order mark */
        if (s[strspn(s, " \t\r\n")] == '\0' || *s == '#')
            continue;
        split(r, s);
        return true;
    }
    return false;
}

static bool header(struct reader *r)
{
    if (!next_line(r)) {
        complain(r, 0, true, "is empty; a header line is needed");
        return false;
    }
    for (int w = 0; w < r->n_wanted; w++) {
        r->at[w] = -1;
        for (int f = 0; f < r->n_fields; f++)
            if (strcmp(r->field[f], r->wanted[w]) == 0)
                r->at[w] = f;
        if (r->at[w] < 0 && w < r->n_required)
            complain(r, r->line, true, "the header has no column '%s'", r->wanted[w]);
    }
    return r->errors == 0;
}

static bool open_reader(struct reader *r)
{
    r->file = fopen(r->path, "r");
    if (!r->file) {
        complain(r, 0, true, "%s", strerror(errno));
        return false;
    }
    return header(r);
}

static void close_reader(struct reader *r)
{
    if (r->file)
        fclose(r->file);
    free(r->text);
}

/* The text of a wanted column; NULL where the line or the file has none. */
static const char *column(struct reader *r, int w)
{
    const char *s = r->at[w] >= 0 && r->at[w] < r->n_fields ? r->field[r->at[w]] : NULL;

    if (s && *s)
        return s;
    if (w < r->n_required)
        complain(r, r->line, true, "'%s' is missing", r->wanted[w]);
    return NULL;
}

/* A number of a wanted column in thousandths, rounded. False = told, or not there. */
static bool milli(struct reader *r, int w, double least, double most, int64_t *out)
{
    const char *s = column(r, w);
    char *end;
    double x;

    if (!s)
        return false;
    x = strtod(s, &end);
    if (end == s || *end || !(x >= least && x <= most)) {
        complain(r, r->line, true, "%s '%s' is not a number from %g to %g",
                 r->wanted[w], s, least, most);
        return false;
    }
    *out = (int64_t)llround(x * 1000);
    return true;
}

static bool utc(struct reader *r, int w, int64_t *out)
{
    const char *s = column(r, w);

    if (!s)
        return false;
    if (clock_parse_utc(s, out))
        return true;
    complain(r, r->line, true, "%s '%s' is not a time like 2019-03-01T14:20:00Z",
             r->wanted[w], s);
    return false;
}

static bool found(struct reader *r, int w, const char *name, int index)
{
    if (index == SIM_UNKNOWN)
        complain(r, r->line, true, "%s '%s' is not in the site file", r->wanted[w],
                 name);
    else if (index == SIM_AMBIGUOUS)
        complain(r, r->line, true, "%s '%s' could be several; name one of them",
                 r->wanted[w], name);
    return index >= 0;
}

/* The list with room for one more of `size` bytes after n; NULL when there is none. */
static void *grown(struct reader *r, void *list, int n, size_t size)
{
    void *more;

    if (n & (n - 1))
        return list;
    more = realloc(list, (n ? 2 * (size_t)n : 1) * size);
    if (!more) {
        complain(r, 0, true, "no memory");
        free(list);
    }
    return more;
}

/* ---- sessions */

enum { S_CONNECTOR, S_ARRIVAL, S_DEPARTURE, S_ENERGY, S_MAX, S_PHASES, S_TAG, S_N };
static const char *const session_columns[S_N] = {
    "connector",     "arrival", "departure", "energy_kwh",
    "max_current_a", "phases",  "id_tag"};

static void session_options(struct reader *r, struct sim_session *s)
{
    const char *tag = column(r, S_TAG);
    int64_t value;

    if (milli(r, S_MAX, 1, MAX_A, &value))
        s->max_ma = (int32_t)value;
    if (milli(r, S_PHASES, 1, 3, &value))
        s->phases = (int)(value / 1000);
    if (tag)
        snprintf(s->id_tag, sizeof s->id_tag, "%s", tag);
}

static void session_line(struct reader *r, const struct sim_names *names,
                         struct sim_session *s)
{
    const char *name = column(r, S_CONNECTOR);
    bool times;

    *s = (struct sim_session){.line = r->line, .connector = SIM_UNKNOWN};
    if (name) {
        s->connector = names->connector(names->arg, name);
        found(r, S_CONNECTOR, name, s->connector);
    }
    times = utc(r, S_ARRIVAL, &s->arrival_s);
    times &= utc(r, S_DEPARTURE, &s->departure_s);
    if (times && s->departure_s <= s->arrival_s)
        complain(r, r->line, true, "the departure is not after the arrival");
    milli(r, S_ENERGY, 0, MAX_KWH, &s->energy_wh);
    session_options(r, s);
}

static int by_arrival(const void *left, const void *right)
{
    const struct sim_session *a = left, *b = right;

    if (a->arrival_s != b->arrival_s)
        return a->arrival_s < b->arrival_s ? -1 : 1;
    return a->line - b->line;
}

/* For sorting: sessions of one connector together. */
static int by_connector(const void *left, const void *right)
{
    const struct sim_session *a = left, *b = right;

    return a->connector != b->connector ? a->connector - b->connector
                                        : by_arrival(left, right);
}

static void cut_overlaps(struct reader *r, struct sim_sessions *all)
{
    qsort(all->list, (size_t)all->n, sizeof *all->list, by_connector);
    for (int i = 1; i < all->n; i++) {
        struct sim_session *a = &all->list[i - 1], *b = &all->list[i];

        if (a->connector != b->connector || a->departure_s <= b->arrival_s)
            continue;
        complain(r, b->line, false,
                 "arrives while the session of line %d is still there; that one ends "
                 "here",
                 a->line);
        a->departure_s = b->arrival_s;
    }
}

bool sim_sessions_read(const char *path, const struct sim_names *names,
                       struct sim_sessions *out, FILE *complain_to)
{
    struct reader r = {.path = path,
                       .complain = complain_to,
                       .wanted = session_columns,
                       .n_wanted = S_N,
                       .n_required = S_ENERGY + 1};

    *out = (struct sim_sessions){0};
    if (open_reader(&r))
        while (next_line(&r) &&
               (out->list = grown(&r, out->list, out->n, sizeof *out->list)))
            session_line(&r, names, &out->list[out->n++]);
    close_reader(&r);
    if (!r.errors && out->n) {
        cut_overlaps(&r, out);
        qsort(out->list, (size_t)out->n, sizeof *out->list, by_arrival);
    }
    if (!r.errors)
        return true;
    free(out->list);
    *out = (struct sim_sessions){0};
    return false;
}

/* ---- loads */

enum { L_TIME, L_CIRCUIT, L_1, L_2, L_3, L_N };
static const char *const load_columns[L_N] = {"time", "circuit", "l1_a", "l2_a",
                                              "l3_a"};

static void load_line(struct reader *r, const struct sim_names *names,
                      struct sim_load *l)
{
    const char *name;
    int64_t value;

    *l = (struct sim_load){.line = r->line, .meter = SITE_NONE};
    utc(r, L_TIME, &l->at_s);
    name = column(r, L_CIRCUIT);
    if (name) {
        l->circuit = names->circuit(names->arg, name, &l->meter);
        found(r, L_CIRCUIT, name, l->circuit);
    }
    for (int p = 0; p < SITE_PHASES; p++)
        if (milli(r, L_1 + p, -MAX_A, MAX_A, &value))
            l->i_ma[p] = (int32_t)value;
}

static int by_time(const void *left, const void *right)
{
    const struct sim_load *a = left, *b = right;

    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    return a->line - b->line;
}

bool sim_loads_read(const char *path, const struct sim_names *names,
                    struct sim_loads *out, FILE *complain_to)
{
    struct reader r = {.path = path,
                       .complain = complain_to,
                       .wanted = load_columns,
                       .n_wanted = L_N,
                       .n_required = L_N};

    *out = (struct sim_loads){0};
    if (open_reader(&r))
        while (next_line(&r) &&
               (out->list = grown(&r, out->list, out->n, sizeof *out->list)))
            load_line(&r, names, &out->list[out->n++]);
    close_reader(&r);
    if (!r.errors) {
        if (out->n)
            qsort(out->list, (size_t)out->n, sizeof *out->list, by_time);
        return true;
    }
    free(out->list);
    *out = (struct sim_loads){0};
    return false;
}
