/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text as a tree in which every node knows its place: libyaml's events, gathered.
 */
#include "config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "config/yaml_fault.h"

struct reader {
    yaml_parser_t parser;
    struct conf_arena *arena;
    struct conf_fault *fault;
    const char *text;
    size_t size;
    void (*twice)(void *, const struct conf_node *, const struct conf_node *);
    void *arg;
};

void conf_append(struct conf_node *parent, struct conf_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->n++;
}

struct conf_node *conf_get(const struct conf_node *map, const char *key)
{
    for (struct conf_node *c = map->kind == CONF_MAP ? map->first : NULL; c;
         c = c->next)
        if (strcmp(c->key->text, key) == 0)
            return c;
    return NULL;
}

static bool refuse(struct reader *r, yaml_mark_t at, const char *text)
{
    r->fault->line = (int)at.line + 1;
    r->fault->col = (int)at.column + 1;
    snprintf(r->fault->text, sizeof r->fault->text, "%s", text);
    return false;
}

/* The next event; false when the text ends here with a fault. */
static bool next_event(struct reader *r, yaml_event_t *e)
{
    if (yaml_parser_parse(&r->parser, e))
        return true;
    conf_yaml_explain(&r->parser, r->text, r->size, r->fault);
    return false;
}

static struct conf_node *new_node(struct reader *r, enum conf_node_kind kind,
                                  yaml_mark_t at)
{
    struct conf_node *n = conf_try_alloc(r->arena, sizeof *n);

    if (!n) {
        refuse(r, at, "out of memory");
        return NULL;
    }
    n->kind = kind;
    n->line = (int)at.line + 1;
    n->col = (int)at.column + 1;
    return n;
}

static bool is_nothing(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;

    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static struct conf_node *read_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t size = e->data.scalar.length;
    struct conf_node *n;

    if (strlen(text) != size) {
        refuse(r, e->start_mark, "a text must not contain a zero byte");
        return NULL;
    }
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        e->start_mark.line != e->end_mark.line) {
        conf_yaml_explain_run_on(r->text, r->size, e->start_mark, r->fault);
        return NULL;
    }
    n = new_node(r, is_nothing(e) ? CONF_NOTHING : CONF_SCALAR, e->start_mark);
    char *copy = n ? conf_try_alloc(r->arena, size + 1) : NULL;
    if (!copy) {
        refuse(r, e->start_mark, "out of memory");
        return NULL;
    }
    n->text = memcpy(copy, text, size + 1);
    return n;
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e, int depth);

static struct conf_node *read_list(struct reader *r, const yaml_event_t *start,
                                   int depth)
{
    struct conf_node *list = new_node(r, CONF_LIST, start->start_mark);
    yaml_event_t e;

    while (list && next_event(r, &e)) {
        bool end = e.type == YAML_SEQUENCE_END_EVENT;
        struct conf_node *child = end ? NULL : read_node(r, &e, depth);

        yaml_event_delete(&e);
        if (end)
            return list;
        if (!child)
            return NULL;
        conf_append(list, child);
    }
    return NULL;
}

static struct conf_node *read_key(struct reader *r, const yaml_event_t *e, int depth)
{
    struct conf_node *key = read_node(r, e, depth);

    if (key && key->kind != CONF_SCALAR) {
        refuse(r, e->start_mark, "a key must be a plain word");
        return NULL;
    }
    return key;
}

static struct conf_node *read_pair(struct reader *r, const yaml_event_t *first,
                                   int depth)
{
    struct conf_node *key = read_key(r, first, depth), *value;
    yaml_event_t e;

    if (!key || !next_event(r, &e))
        return NULL;
    value = read_node(r, &e, depth);
    yaml_event_delete(&e);
    if (value)
        value->key = key;
    return value;
}

static struct conf_node *read_map(struct reader *r, const yaml_event_t *start,
                                  int depth)
{
    struct conf_node *map = new_node(r, CONF_MAP, start->start_mark);
    yaml_event_t e;

    while (map && next_event(r, &e)) {
        bool end = e.type == YAML_MAPPING_END_EVENT;
        struct conf_node *child = end ? NULL : read_pair(r, &e, depth);
        yaml_mark_t at = e.start_mark;

        yaml_event_delete(&e);
        if (end)
            return map;
        if (!child)
            return NULL;
        if (map->n == CONF_MAX_KEYS) {
            refuse(r, at, "too many keys");
            return NULL;
        }
        const struct conf_node *other = conf_get(map, child->key->text);
        if (other)
            r->twice(r->arg, child->key, other->key);
        else
            conf_append(map, child);
    }
    return NULL;
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e, int depth)
{
    const unsigned char *anchor = NULL, *tag = NULL;

    if (e->type == YAML_SCALAR_EVENT)
        anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
    else if (e->type == YAML_SEQUENCE_START_EVENT)
        anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
    else if (e->type == YAML_MAPPING_START_EVENT)
        anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
    if (anchor || e->type == YAML_ALIAS_EVENT)
        refuse(r, e->start_mark,
               "anchors (&name) and aliases (*name) are not allowed: write it out");
    else if (tag)
        refuse(r, e->start_mark, "tags (!name) are not allowed");
    else if (depth == CONF_MAX_DEPTH)
        refuse(r, e->start_mark, "nested too deeply");
    else if (e->type == YAML_SCALAR_EVENT)
        return read_scalar(r, e);
    else if (e->type == YAML_SEQUENCE_START_EVENT)
        return read_list(r, e, depth + 1);
    else if (e->type == YAML_MAPPING_START_EVENT)
        return read_map(r, e, depth + 1);
    return NULL;
}

/* Skips to the first event of the document's content; false when there is none. */
static bool begin(struct reader *r, yaml_event_t *e)
{
    static const yaml_mark_t start;

    for (;;) {
        if (!next_event(r, e))
            return false;
        if (e->type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(e);
            return refuse(r, start, "the file is empty");
        }
        if (e->type != YAML_STREAM_START_EVENT && e->type != YAML_DOCUMENT_START_EVENT)
            return true;
        yaml_event_delete(e);
    }
}

static bool nothing_follows(struct reader *r)
{
    for (;;) {
        yaml_event_t e;

        if (!next_event(r, &e))
            return false;
        yaml_event_type_t type = e.type;
        yaml_mark_t at = e.start_mark;
        yaml_event_delete(&e);
        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (type == YAML_DOCUMENT_START_EVENT)
            return refuse(r, at, "a second document begins here; one is allowed");
    }
}

struct conf_node *conf_yaml(struct conf_arena *a, const char *text, size_t size,
                            struct conf_fault *fault,
                            void (*twice)(void *arg, const struct conf_node *key,
                                          const struct conf_node *first),
                            void *arg)
{
    struct reader r = {.arena = a,
                       .fault = fault,
                       .text = text,
                       .size = size,
                       .twice = twice,
                       .arg = arg};
    struct conf_node *root = NULL;
    yaml_event_t e;

    if (!yaml_parser_initialize(&r.parser)) {
        refuse(&r, (yaml_mark_t){0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    if (begin(&r, &e)) {
        root = read_node(&r, &e, 0);
        yaml_event_delete(&e);
        if (root && !nothing_follows(&r))
            root = NULL;
    }
    yaml_parser_delete(&r.parser);
    return root;
}
