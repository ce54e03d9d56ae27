/* SPDX-License-Identifier: Apache-2.0 */
/* YAML events of libyaml -> tree, refusing what a definition has no use for. */
#include "meter/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "meter/definition.h"

struct builder {
    yaml_parser_t parser;
    struct meter_errors *e;
    struct tree *last; /* chain of all nodes, for freeing */
    int nodes;
};

static void complain(struct builder *b, const yaml_mark_t *m, const char *text)
{
    meter_error(b->e, (int)m->line + 1, (int)m->column + 1, "%s", text);
}

static struct tree *node_new(struct builder *b, const yaml_event_t *ev)
{
    struct tree *t;

    if (++b->nodes > TREE_MAX_NODES) {
        complain(b, &ev->start_mark, "the file has too many parts");
        return NULL;
    }
    t = calloc(1, sizeof *t);
    if (!t) {
        complain(b, &ev->start_mark, "out of memory");
        return NULL;
    }
    t->line = (int)ev->start_mark.line + 1;
    t->col = (int)ev->start_mark.column + 1;
    if (b->last)
        b->last->owned = t;
    b->last = t;
    return t;
}

/* Anchors and tags are no part of the format. */
static bool is_plain(struct builder *b, const yaml_event_t *ev, const void *anchor,
                     const void *tag)
{
    if (anchor)
        complain(b, &ev->start_mark, "anchors (&) are not allowed here");
    else if (tag)
        complain(b, &ev->start_mark, "tags (!) are not allowed here");
    return !anchor && !tag;
}

static struct tree *build(struct builder *b, yaml_event_t *ev, int depth);

static bool next_event(struct builder *b, yaml_event_t *ev)
{
    if (yaml_parser_parse(&b->parser, ev))
        return true;
    char text[160];
    yaml_mark_t m = b->parser.problem_mark;

    snprintf(text, sizeof text, "not YAML: %s",
             b->parser.problem ? b->parser.problem : "unreadable");
    complain(b, &m, text);
    return false;
}

static struct tree *build_list(struct builder *b, struct tree *t, int depth)
{
    struct tree **end = &t->first;
    yaml_event_t ev;

    t->kind = TREE_LIST;
    while (next_event(b, &ev)) {
        if (ev.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&ev);
            return t;
        }
        *end = build(b, &ev, depth + 1);
        if (!*end)
            return NULL;
        end = &(*end)->next;
    }
    return NULL;
}

/* Takes the key out of its event; complains when it is no plain word or a repeat. */
static struct tree *build_key(struct builder *b, const struct tree *map,
                              yaml_event_t *ev)
{
    yaml_mark_t m = ev->start_mark;
    bool scalar = ev->type == YAML_SCALAR_EVENT;
    struct tree *key;

    if (!scalar) {
        complain(b, &m, "a key must be a word or a number");
        yaml_event_delete(ev);
        return NULL;
    }
    key = build(b, ev, 0);
    if (!key)
        return NULL;
    if (strcmp(key->text, "<<") == 0) {
        complain(b, &m, "merge keys (<<) are not allowed here");
        return NULL;
    }
    if (tree_get(map, key->text))
        meter_error(b->e, key->line, key->col, "the key \"%s\" is there twice",
                    key->text);
    return key;
}

static struct tree *build_map(struct builder *b, struct tree *t, int depth)
{
    struct tree **end = &t->first;
    yaml_event_t ev;

    t->kind = TREE_MAP;
    while (next_event(b, &ev)) {
        if (ev.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&ev);
            return t;
        }
        struct tree *key = build_key(b, t, &ev);

        if (!key || !next_event(b, &ev))
            return NULL;
        struct tree *value = build(b, &ev, depth + 1);

        if (!value)
            return NULL;
        value->key = key->text;
        value->key_line = key->line;
        value->key_col = key->col;
        *end = value;
        end = &value->next;
    }
    return NULL;
}

static struct tree *build_scalar(struct builder *b, const yaml_event_t *ev)
{
    const char *text = (const char *)ev->data.scalar.value;
    struct tree *t;

    if (strlen(text) != ev->data.scalar.length) {
        complain(b, &ev->start_mark, "a NUL character in the text");
        return NULL;
    }
    t = node_new(b, ev);
    if (!t)
        return NULL;
    t->kind = TREE_SCALAR;
    t->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    t->text = strdup(text);
    return t->text ? t : NULL;
}

/* Consumes the event. */
static struct tree *build(struct builder *b, yaml_event_t *ev, int depth)
{
    struct tree *t = NULL;
    bool more = false;

    if (depth > TREE_MAX_DEPTH) {
        complain(b, &ev->start_mark, "nested too deep");
    } else if (ev->type == YAML_ALIAS_EVENT) {
        complain(b, &ev->start_mark, "aliases (*) are not allowed here");
    } else if (ev->type == YAML_SCALAR_EVENT) {
        if (is_plain(b, ev, ev->data.scalar.anchor, ev->data.scalar.tag))
            t = build_scalar(b, ev);
    } else if (ev->type == YAML_SEQUENCE_START_EVENT) {
        if (is_plain(b, ev, ev->data.sequence_start.anchor,
                     ev->data.sequence_start.tag))
            more = (t = node_new(b, ev)) != NULL;
        if (more) {
            yaml_event_delete(ev);
            return build_list(b, t, depth);
        }
    } else if (ev->type == YAML_MAPPING_START_EVENT) {
        if (is_plain(b, ev, ev->data.mapping_start.anchor, ev->data.mapping_start.tag))
            more = (t = node_new(b, ev)) != NULL;
        if (more) {
            yaml_event_delete(ev);
            return build_map(b, t, depth);
        }
    } else {
        complain(b, &ev->start_mark, "the file is empty");
    }
    yaml_event_delete(ev);
    return t;
}

/* Stream and document start, the root, and nothing after it. */
static struct tree *build_document(struct builder *b)
{
    yaml_event_t ev;
    struct tree *root;

    for (int i = 0; i < 2; i++) {
        if (!next_event(b, &ev))
            return NULL;
        bool end = ev.type == YAML_STREAM_END_EVENT;
        yaml_mark_t m = ev.start_mark;

        yaml_event_delete(&ev);
        if (end) {
            complain(b, &m, "the file is empty");
            return NULL;
        }
    }
    if (!next_event(b, &ev))
        return NULL;
    root = build(b, &ev, 0);
    if (!root || !next_event(b, &ev))
        return NULL;
    yaml_event_delete(&ev); /* the document's end */
    if (!next_event(b, &ev))
        return NULL;
    if (ev.type != YAML_STREAM_END_EVENT) {
        complain(b, &ev.start_mark, "one file holds one definition");
        root = NULL;
    }
    yaml_event_delete(&ev);
    return root;
}

struct tree *tree_parse(const char *text, size_t length, struct meter_errors *e)
{
    /* A node that owns the chain of all others, so that a failure half way leaks
     * nothing; it is the one given to tree_free(). */
    struct tree *owner = calloc(1, sizeof *owner), *root;
    struct builder b = {.e = e, .last = owner};

    if (!owner || !yaml_parser_initialize(&b.parser)) {
        meter_error(e, 1, 1, "out of memory");
        free(owner);
        return NULL;
    }
    if (length > DEF_MAX_BYTES) {
        meter_error(e, 1, 1, "the file is larger than %d bytes", DEF_MAX_BYTES);
        root = NULL;
    } else {
        yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, length);
        root = build_document(&b);
    }
    yaml_parser_delete(&b.parser);
    if (!root) {
        if (e->n == 0)
            meter_error(e, 1, 1, "out of memory");
        tree_free(owner);
        return NULL;
    }
    owner->kind = TREE_LIST;
    owner->first = root;
    return owner;
}

void tree_free(struct tree *root)
{
    while (root) {
        struct tree *next = root->owned;

        free(root->text);
        free(root);
        root = next;
    }
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    if (map->kind == TREE_MAP)
        for (const struct tree *t = map->first; t; t = t->next)
            if (strcmp(t->key, key) == 0)
                return t;
    return NULL;
}

void tree_only(const struct tree *map, const char *what, const char *const *keys,
               struct meter_errors *e)
{
    char hint[64];

    for (const struct tree *t = map->first; t; t = t->next) {
        const char *const *k = keys;

        while (*k && strcmp(*k, t->key) != 0)
            k++;
        if (!*k)
            meter_error(e, t->key_line, t->key_col, "unknown key \"%s\" in %s%s",
                        t->key, what, meter_nearest(t->key, keys, hint, sizeof hint));
    }
}

int tree_count(const struct tree *t)
{
    int n = 0;

    for (const struct tree *i = t->first; i; i = i->next)
        n++;
    return n;
}
