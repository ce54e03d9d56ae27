/* SPDX-License-Identifier: Apache-2.0 */
/* The tags (RFID cards) that may charge: everyone, a CSV file, or a list in place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/build.h"
#include "config/suggest.h"
#include "proto/ocpp_token.h"

enum { MAX_TAGS = 50000 };

struct tag {
    struct conf_tag tag;
    const char *file; /* NULL: the site file */
    const struct conf_node *at;
    int line;
};

struct tags {
    struct tag *list;
    int n, max;
};

static int by_id(const void *a, const void *b)
{
    const struct tag *x = a, *y = b;
    int order = strcasecmp(x->tag.id, y->tag.id);

    return order ? order : x->line - y->line;
}

static const struct conf_tag blank = {
    .card = {MODE_COUNT, EVENT_NO_VALUE, EVENT_NO_VALUE},
    .departs_min = CONF_NO_DEPARTURE,
};

/* ---- what may be said of a tag: columns of a CSV file, keys in a list */

static bool read_id(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    t->id = text;
    return conf_value_tag(text, why);
}

static bool read_name(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    t->name = text;
    return conf_value_text(text, why);
}

static bool number(const char *text, const char *what, int decimals, int64_t min,
                   int64_t max, int32_t *out, char why[CONF_WHY])
{
    int64_t n;

    if (!conf_value_decimal(text, decimals, what, &n, why))
        return false;
    if (n < min || n > max) {
        snprintf(why, CONF_WHY, "%s is out of range: %.15g to %.15g", text,
                 (double)min / (decimals ? 1000 : 1),
                 (double)max / (decimals ? 1000 : 1));
        return false;
    }
    *out = (int32_t)n;
    return true;
}

static bool read_priority(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    return number(text, "a priority", 0, 0, 10, &t->card.priority, why);
}

static bool read_mode(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    int64_t mode;

    if (!conf_value_choice(text, conf_keys[K_CONNECTOR_MODE].words, &mode, why))
        return false;
    t->card.mode = (enum mode)mode;
    return true;
}

static bool read_limit(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    return number(text, "amperes", 3, 6000, 1000000, &t->card.max_ma, why);
}

static bool read_departs(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    int64_t minutes;

    if (!conf_value_clock(text, &minutes, why))
        return false;
    t->departs_min = (int)minutes;
    return true;
}

static bool read_group(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    t->group = text;
    return conf_value_tag(text, why);
}

static bool read_type(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    int64_t i;

    if (!conf_value_choice(text, ocpp_token_types, &i, why))
        return false;
    t->type = ocpp_token_types[i];
    return true;
}

/* Of a session, at most. */
static bool read_max_kwh(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    return number(text, "kWh", 3, 100, 1000000, &t->most.wh, why);
}

static bool read_max_hours(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    int32_t milli;

    if (!number(text, "hours", 3, 10, 1000000, &milli, why))
        return false;
    t->most.s = (int32_t)((int64_t)milli * 3600 / 1000);
    return true;
}

static bool read_max_cost(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    return number(text, "an amount", 3, 10, 1000000000, &t->most.milli, why);
}

/* "2026-12-31" is to the end of that day, "2026-12-31T12:00:00Z" to that second. */
static bool read_until(const char *text, struct conf_tag *t, char why[CONF_WHY])
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    bool day = end && !*end;
    time_t at;

    if (end && !day)
        end = strptime(end, "T%H:%M:%SZ", &tm);
    if (!end || *end) {
        snprintf(why, CONF_WHY,
                 "expected a day like 2026-12-31 or a time like 2026-12-31T12:00:00Z, "
                 "not '%.40s'",
                 text);
        return false;
    }
    at = timegm(&tm);
    t->until_s = (int64_t)at + (day ? 86400 : 0);
    return true;
}

static const struct column {
    const char *name;
    bool (*read)(const char *text, struct conf_tag *t, char why[CONF_WHY]);
} columns[] = {{"id_tag", read_id},         {"name", read_name},
               {"priority", read_priority}, {"mode", read_mode},
               {"limit", read_limit},       {"departs", read_departs},
               {"group", read_group},       {"valid_until", read_until},
               {"max_kwh", read_max_kwh},   {"max_hours", read_max_hours},
               {"max_cost", read_max_cost}, {"type", read_type}};

enum { COLUMNS = sizeof columns / sizeof *columns, MAX_CELLS = 32 };

static int column(const char *name)
{
    for (int i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i].name, name) == 0)
            return i;
    return -1;
}

/* {id_tag: A, priority: 5} */
static bool read_map(struct conf_build *b, const struct conf_node *map,
                     struct conf_tag *t)
{
    bool good = true;

    for (const struct conf_node *n = map->first; n; n = n->next) {
        struct conf_suggest near = {.word = n->key->text};
        char why[CONF_WHY] = "expected one value", quoted[48];
        int k = column(n->key->text);

        for (int i = 0; k < 0 && i < COLUMNS; i++)
            conf_suggest_offer(&near, columns[i].name);
        if (k < 0)
            conf_bad(b->l, n->key, "tags: there is no key '%s' in a tag%s",
                     conf_quote(n->key->text, quoted), conf_suggest_text(&near));
        else if (n->kind != CONF_SCALAR || !columns[k].read(n->text, t, why))
            conf_bad(b->l, n, "%s: %s", columns[k].name, why);
        else
            continue;
        good = false;
    }
    if (good && !t->id)
        conf_bad(b->l, map, "tags: 'id_tag' is missing");
    return good && t->id;
}

static void add_from_node(struct conf_build *b, struct tags *t,
                          const struct conf_node *n)
{
    char why[CONF_WHY] = "expected a tag or its keys, not a list";
    struct tag new = {.tag = blank, .at = n, .line = n->line};

    if (n->kind == CONF_MAP) {
        if (!read_map(b, n, &new.tag))
            return;
    } else if (n->kind != CONF_SCALAR || !read_id(n->text, &new.tag, why)) {
        conf_bad(b->l, n, "tags: %s", why);
        return;
    }
    t->list[t->n++] = new;
}

/* ---- a CSV file */

/* Cuts one cell off the line: plain, or in double quotes with "" for a quote. NULL at
 * the end of the line or when a quote is not closed. */
static char *next_cell(char **line)
{
    char *from = *line, *to = from, *cell = from;

    if (!from)
        return NULL;
    if (*from != '"') {
        *line = strchr(from, ',');
        if (*line)
            *(*line)++ = '\0';
        return cell;
    }
    for (from++; *from && (*from != '"' || from[1] == '"'); *to++ = *from++)
        from += *from == '"';
    if (*from++ != '"' || (*from && *from != ','))
        return NULL;
    *line = *from ? from + 1 : NULL;
    *to = '\0';
    return cell;
}

/* Which column is in which cell; others have -1. False = there is no id_tag. */
static bool read_header(char *line, int at[MAX_CELLS])
{
    bool any = false;
    char *cell;

    for (int i = 0; i < MAX_CELLS; i++)
        at[i] = -1;
    for (int i = 0; i < MAX_CELLS && (cell = next_cell(&line)); i++) {
        at[i] = column(cell);
        any |= at[i] == 0;
    }
    return any;
}

static void read_row(struct conf_build *b, struct tags *t, const char *file, int number,
                     char *line, const int at[MAX_CELLS])
{
    struct tag new = {.tag = blank, .file = file, .line = number};
    char why[CONF_WHY] = "there is no id_tag in this line", *cell;
    const struct column *wrong = NULL;

    for (int i = 0; i < MAX_CELLS && !wrong && (cell = next_cell(&line)); i++)
        if (at[i] >= 0 && (*cell || at[i] == 0) &&
            !columns[at[i]].read(cell, &new.tag, why))
            wrong = &columns[at[i]];
    if (wrong && wrong->read != read_id)
        conf_bad_in(b->l, file, number, 1, "%s: %s", wrong->name, why);
    else if (wrong || !new.tag.id)
        conf_bad_in(b->l, file, number, 1, "%s", why);
    else
        t->list[t->n++] = new;
}

static void read_csv(struct conf_build *b, struct tags *t, const char *file, char *text)
{
    int number = 1, at[MAX_CELLS];
    char *next = text;

    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        next += 3; /* the byte order mark of some spreadsheets */
    for (char *line; (line = strsep(&next, "\n")); number++) {
        line[strcspn(line, "\r")] = '\0';
        if (number == 1 && !read_header(line, at)) {
            conf_bad_in(b->l, file, 1, 1,
                        "the first line must name the columns: id_tag,name");
            return;
        }
        if (number == 1 || !*line)
            continue;
        if (t->n == t->max) {
            conf_bad_in(b->l, file, number, 1, "more than %d tags", MAX_TAGS);
            return;
        }
        read_row(b, t, file, number, line, at);
    }
}

static int count_lines(const char *text)
{
    int n = 1;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void add_from_file(struct conf_build *b, struct tags *t,
                          const struct conf_value *v)
{
    const char *path = v->is.text;
    size_t size;

    if (*path != '/')
        path = conf_printf(b->l->arena, "%s%s", b->l->folder, path);
    char *text = conf_read_file(b->l->arena, path, &size);
    if (!text) {
        conf_bad(b->l, v->at,
                 "tags: expected accept, a CSV file or a list; cannot read "
                 "'%.100s': %m",
                 path);
        return;
    }
    t->max = count_lines(text);
    t->max = t->max > MAX_TAGS ? MAX_TAGS : t->max;
    t->list = conf_array(b, t->max, sizeof *t->list);
    read_csv(b, t, path, text);
}

static void check_twice(struct conf_build *b, const struct tags *t)
{
    for (int i = 1; i < t->n; i++) {
        const struct tag *x = &t->list[i - 1], *y = &t->list[i];

        if (strcasecmp(x->tag.id, y->tag.id) != 0)
            continue;
        if (y->file)
            conf_bad_in(b->l, y->file, y->line, 1,
                        "tag '%s' is given twice; the first is at line %d", y->tag.id,
                        x->line);
        else
            conf_bad(b->l, y->at, "tag '%s' is given twice; the first is at %s",
                     y->tag.id, conf_place(b->l, x->at));
    }
}

void conf_build_tags(struct conf_build *b, const struct conf_item *ocpp)
{
    const struct conf_value *v = conf_value(ocpp, K_OCPP_TAGS);
    struct tags t = {0};

    if (v->state == CONF_WRONG)
        return;
    if (v->at && v->at->kind == CONF_LIST) {
        t.list = conf_array(b, v->at->n, sizeof *t.list);
        for (const struct conf_node *n = v->at->first; n; n = n->next)
            add_from_node(b, &t, n);
    } else if (strcmp(v->is.text, "accept") == 0) {
        b->c->ocpp.accept_all_tags = true;
        return;
    } else {
        add_from_file(b, &t, v);
    }
    if (t.n > 1)
        qsort(t.list, (size_t)t.n, sizeof *t.list, by_id);
    check_twice(b, &t);
    struct conf_tag *tags = conf_array(b, t.n, sizeof *tags);
    for (int i = 0; i < t.n; i++)
        tags[i] = t.list[i].tag;
    b->c->ocpp.tags = tags;
    b->c->ocpp.n_tags = t.n;
}
