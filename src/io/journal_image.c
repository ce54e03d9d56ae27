/* SPDX-License-Identifier: Apache-2.0 */
/* The site and the controller's memory as lines, by the core's own tables. */
#include "io/journal_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/journal_code.h"
#include "io/journal_text.h"
#include "policy.h"

enum {
    NAME_MAX_BYTES = 120,           /* of a name; the rest is cut off */
    VALUE_MAX = 3 * NAME_MAX_BYTES, /* bytes of a member's value as text */
    ROW_MOST = 8,                   /* numbers in one go; the next are "name@8" */
    COUNT_MAX = INT16_MAX,          /* of circuits, connectors, ... */
    BYTES_MAX = 256 << 20           /* of a controller's memory */
};

/* ---- writing ---- */

struct writer {
    void (*put)(void *arg, const char *line, size_t n);
    void *arg;
    char line[JOURNAL_LINE];
    size_t n, begin; /* bytes in it, of them the words that say what it is about */
};

static void flush(struct writer *w)
{
    if (w->n > w->begin)
        w->put(w->arg, w->line, w->n);
    w->n = w->begin;
}

static void word(struct writer *w, const char *name, const char *value)
{
    size_t n = strlen(name) + strlen(value) + 2;

    if (w->n + n > JOURNAL_BODY)
        flush(w);
    w->n += (size_t)sprintf(w->line + w->n, " %s %s", name, value);
}

/* Quoted; what would be taken for the end of a word is written as %20. */
static void quote(char out[VALUE_MAX + 3], const char *text)
{
    char *p = out;

    *p++ = '"';
    for (int i = 0; text[i] && i < NAME_MAX_BYTES; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c == '%' || c == '"' || c == 0x7f)
            p += sprintf(p, "%%%02x", c);
        else
            *p++ = (char)c;
    }
    *p++ = '"';
    *p = '\0';
}

static const char *text_of(const void *at, const struct field *f)
{
    const char *text;

    memcpy(&text, (const char *)at + f->offset, sizeof text);
    return text;
}

/* Numbers of the member from the first-th on. */
static void numbers(struct writer *w, const void *at, const struct field *f, int first)
{
    char value[VALUE_MAX + 3], name[64];
    int end = f->count - first > ROW_MOST ? first + ROW_MOST : f->count;
    size_t n = 0;
    bool any = false;

    for (int i = first; i < end; i++) {
        int64_t v = field_get(at, f, i);

        any |= v != 0;
        n += (size_t)sprintf(value + n, "%s%" PRId64, i > first ? "," : "", v);
    }
    snprintf(name, sizeof name, first ? "%s@%d" : "%s", f->name, first);
    if (any)
        word(w, name, value);
}

static void member(struct writer *w, const void *at, const struct field *f)
{
    char value[VALUE_MAX + 3];

    for (int i = 0; f->kind != FIELD_TEXT && i < f->count; i += ROW_MOST)
        numbers(w, at, f, i);
    if (f->kind != FIELD_TEXT || !text_of(at, f))
        return;
    quote(value, text_of(at, f));
    word(w, f->name, value);
}

static void write_all(struct writer *w, char kind, const struct memory *m)
{
    for (int i = 0; i < m->n; i++) {
        const void *at = (const char *)m->at + (size_t)i * m->size;

        w->n = w->begin = (size_t)sprintf(w->line, "%c %s %d", kind, m->what, i);
        for (int j = 0; j < m->n_fields; j++)
            member(w, at, &m->fields[j]);
        flush(w);
    }
}

void journal_image_write(const struct site *s, const struct control *k,
                         void (*put)(void *arg, const char *line, size_t n), void *arg)
{
    struct writer w = {.put = put, .arg = arg};
    struct memory site[MEMORY_SITE], control[MEMORY_CONTROL];
    char policy[VALUE_MAX + 3];

    memory_site((struct site *)(uintptr_t)s, site);
    memory_control((struct control *)(uintptr_t)k, control);
    w.begin = (size_t)sprintf(w.line, "S layout");
    w.n = w.begin + (size_t)sprintf(w.line + w.begin, " %" PRIu32, memory_layout());
    flush(&w);
    w.n = w.begin = (size_t)sprintf(w.line, "S policy");
    quote(policy, s->policy->name);
    w.n += (size_t)sprintf(w.line + w.n, " %s", policy);
    flush(&w);
    for (int i = 0; i < MEMORY_SITE; i++)
        write_all(&w, 'S', &site[i]);
    for (int i = 0; i < MEMORY_CONTROL; i++)
        write_all(&w, 'K', &control[i]);
}

/* ---- reading ---- */

struct text {
    struct text *next;
    char bytes[];
};

struct journal_image {
    struct site site;
    struct control *control;
    struct text *texts;
    bool layout; /* it is ours */
};

struct journal_image *journal_image_new(void)
{
    return calloc(1, sizeof(struct journal_image));
}

void journal_image_free(struct journal_image *m)
{
    if (!m)
        return;
    while (m->texts) {
        struct text *next = m->texts->next;

        free(m->texts);
        m->texts = next;
    }
    free((void *)(uintptr_t)m->site.circuits);
    free((void *)(uintptr_t)m->site.connectors);
    free((void *)(uintptr_t)m->site.meters);
    free((void *)(uintptr_t)m->site.chargers);
    free(m->control);
    free(m);
}

const struct site *journal_image_site(const struct journal_image *m)
{
    return &m->site;
}

struct control *journal_image_control(struct journal_image *m)
{
    return m->control;
}

static const char *other_layout =
    "recorded by another build, whose memory has other members than this one's";

static const char *no_memory = "there is no memory for it";

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text without its quotes, kept by the image. NULL when it is none. */
static const char *unquote(struct journal_image *m, const char *value)
{
    size_t n = strlen(value);
    struct text *t;
    char *to;

    if (n < 2 || value[0] != '"' || value[n - 1] != '"')
        return NULL;
    t = malloc(sizeof *t + n);
    if (!t)
        return NULL;
    t->next = m->texts;
    m->texts = t;
    to = t->bytes;
    for (const char *p = value + 1; p < value + n - 1; p++) {
        if (*p != '%') {
            *to++ = *p;
        } else if (hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            *to++ = (char)(hex(p[1]) << 4 | hex(p[2]));
            p += 2;
        }
    }
    *to = '\0';
    return t->bytes;
}

/* Numbers with commas between them, as many as the member has from there on. */
static bool take_numbers(void *at, const struct field *f, int64_t first, char *value)
{
    int64_t end = f->count - first > ROW_MOST ? first + ROW_MOST : f->count;

    if (first < 0 || first >= f->count)
        return false;
    for (int64_t i = first; i < end; i++) {
        char *one = strsep(&value, ",");
        int64_t v;

        if (!one || !code_int(one, &v) || !field_set(at, f, (int)i, v))
            return false;
    }
    return value == NULL;
}

static bool take_member(struct journal_image *m, void *at, const struct memory *of,
                        char *name, char *value)
{
    char *first_text = strchr(name, '@');
    int64_t first = 0;
    const char *text;

    if (first_text)
        *first_text++ = '\0';
    if (first_text && !code_int(first_text, &first))
        return false;
    for (int i = 0; i < of->n_fields; i++) {
        const struct field *f = &of->fields[i];

        if (strcmp(f->name, name) != 0)
            continue;
        if (f->kind != FIELD_TEXT)
            return take_numbers(at, f, first, value);
        text = unquote(m, value);
        memcpy((char *)at + f->offset, &text, sizeof text);
        return text != NULL;
    }
    return false;
}

/* "3 name "garage" parent 0": a struct's index and its members. */
static const char *take_struct(struct journal_image *m, const struct memory *of,
                               char *rest)
{
    char *index = strsep(&rest, " "), *name;
    int64_t i;

    if (!code_int(index, &i) || i < 0 || i >= of->n)
        return "an index is out of range";
    while ((name = strsep(&rest, " "))) {
        char *value = strsep(&rest, " ");

        if (!value ||
            !take_member(m, (char *)of->at + (size_t)i * of->size, of, name, value))
            return "a member that this version does not know, or no value for it";
    }
    return NULL;
}

/* The arrays, once it is known how large they are. */
static const char *make_site(struct journal_image *m)
{
    struct site *s = &m->site;

    if (s->circuits)
        return NULL;
    if (s->n_circuits < 1 || s->n_circuits > COUNT_MAX || s->n_connectors < 0 ||
        s->n_connectors > COUNT_MAX || s->n_meters < 0 || s->n_meters > COUNT_MAX ||
        s->n_chargers < 0 || s->n_chargers > COUNT_MAX)
        return "the size of the site is out of range";
    s->circuits = calloc((size_t)s->n_circuits + 1, sizeof *s->circuits);
    s->connectors = calloc((size_t)s->n_connectors + 1, sizeof *s->connectors);
    s->meters = calloc((size_t)s->n_meters + 1, sizeof *s->meters);
    s->chargers = calloc((size_t)s->n_chargers + 1, sizeof *s->chargers);
    return s->circuits && s->connectors && s->meters && s->chargers ? NULL : no_memory;
}

/* Zeros, as what is 0 is not written. */
static void clear(struct control *k)
{
    struct memory of[MEMORY_CONTROL];

    memory_control(k, of);
    for (int a = 0; a < MEMORY_CONTROL; a++)
        for (int i = 0; i < of[a].n; i++)
            for (int f = 0; f < of[a].n_fields; f++)
                for (int j = 0; j < of[a].fields[f].count; j++)
                    field_set((char *)of[a].at + (size_t)i * of[a].size,
                              &of[a].fields[f], j, 0);
}

static const char *make_control(struct journal_image *m)
{
    const char *fault;
    void *mem;

    if (m->control)
        return NULL;
    fault = make_site(m);
    if (!fault)
        fault = site_fault(&m->site);
    if (fault)
        return fault;
    if (control_size(&m->site) > BYTES_MAX)
        return no_memory;
    mem = malloc(control_size(&m->site));
    if (!mem)
        return no_memory;
    m->control = control_init(mem, &m->site, 0, 0);
    clear(m->control);
    return NULL;
}

static const char *take_layout(struct journal_image *m, const char *value)
{
    int64_t layout;

    m->layout = code_int(value, &layout) && layout == memory_layout();
    return m->layout ? NULL : other_layout;
}

static const char *take(struct journal_image *m, char kind, char *rest)
{
    const char *what = strsep(&rest, " "), *fault = NULL;
    struct memory of[MEMORY_SITE + MEMORY_CONTROL];
    int n = kind == 'S' ? MEMORY_SITE : MEMORY_CONTROL;

    if (!rest)
        return "there is no value";
    if (kind == 'S' && strcmp(what, "layout") == 0)
        return take_layout(m, rest);
    if (kind == 'S' && strcmp(what, "policy") == 0) {
        const char *name = unquote(m, rest);

        m->site.policy = name ? policy_by_name(name) : NULL;
        return m->site.policy ? NULL : "a policy that this version does not know";
    }
    if (kind == 'S' && m->control)
        return "the site goes on behind the controller's memory";
    if (kind == 'K')
        fault = make_control(m);
    else if (strcmp(what, "site") != 0)
        fault = make_site(m);
    if (fault)
        return fault;
    if (kind == 'S' && m->site.circuits && strcmp(what, "site") == 0)
        return "the size of the site comes too late";
    if (kind == 'S')
        memory_site(&m->site, of);
    else
        memory_control(m->control, of);
    for (int i = 0; i < n; i++)
        if (strcmp(of[i].what, what) == 0)
            return take_struct(m, &of[i], rest);
    return "something that this version does not know";
}

const char *journal_image_take(struct journal_image *m, const char *line)
{
    char copy[JOURNAL_LINE];

    snprintf(copy, sizeof copy, "%s", line);
    return take(m, copy[0], copy + 2);
}

const char *journal_image_end(struct journal_image *m)
{
    const char *fault = make_control(m);

    if (!fault && !m->layout)
        fault = other_layout;
    if (!fault && !memory_sound(m->control))
        fault = "the controller's memory is not sound";
    return fault;
}
