/* SPDX-License-Identifier: Apache-2.0 */
/* The tags (RFID cards) that may charge: everyone, a CSV file, or a list in place. */
#include <stdlib.h>
#include <string.h>

#include "config/build.h"

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

static void add_from_node(struct conf_build *b, struct tags *t,
                          const struct conf_node *n)
{
    char why[CONF_WHY] = "expected a tag, not a list or keys";

    if (n->kind != CONF_SCALAR || !conf_value_tag(n->text, why))
        conf_bad(b->l, n, "tags: %s", why);
    else
        t->list[t->n++] = (struct tag){{n->text, NULL}, NULL, n, n->line};
}

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

static bool read_header(char *line, int *id, int *name)
{
    char *cell;

    *id = *name = -1;
    for (int i = 0; (cell = next_cell(&line)); i++) {
        if (strcmp(cell, "id_tag") == 0)
            *id = i;
        if (strcmp(cell, "name") == 0)
            *name = i;
    }
    return *id >= 0;
}

static void read_row(struct conf_build *b, struct tags *t, const char *file, int number,
                     char *line, int id_at, int name_at)
{
    struct tag new = {.file = file, .line = number};
    char why[CONF_WHY] = "there is no id_tag in this line", *cell;

    for (int i = 0; (cell = next_cell(&line)); i++) {
        if (i == id_at)
            new.tag.id = cell;
        if (i == name_at && *cell)
            new.tag.name = cell;
    }
    if (!new.tag.id || !conf_value_tag(new.tag.id, why) ||
        (new.tag.name && !conf_value_text(new.tag.name, why)))
        conf_bad_in(b->l, file, number, 1, "%s", why);
    else
        t->list[t->n++] = new;
}

static void read_csv(struct conf_build *b, struct tags *t, const char *file, char *text)
{
    int number = 1, id = -1, name = -1;
    char *next = text;

    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        next += 3; /* the byte order mark of some spreadsheets */
    for (char *line; (line = strsep(&next, "\n")); number++) {
        line[strcspn(line, "\r")] = '\0';
        if (number == 1 && !read_header(line, &id, &name)) {
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
        read_row(b, t, file, number, line, id, name);
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
