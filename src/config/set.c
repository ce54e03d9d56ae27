/* SPDX-License-Identifier: Apache-2.0 */
/* Overrides on top of a file. */
#include "config/set.h"

#include <string.h>

#include "config/suggest.h"
#include "config/value.h"

static void mark(struct conf_node *n, const char *set)
{
    n->set = set;
    if (n->key)
        n->key->set = set;
    for (struct conf_node *c = n->first; c; c = c->next)
        mark(c, set);
}

static struct conf_node *new_node(struct conf_load *l, enum conf_node_kind kind,
                                  const char *text, const char *set)
{
    struct conf_node *n = conf_alloc(l->arena, sizeof *n);

    *n = (struct conf_node){.kind = kind, .text = text, .set = set};
    return n;
}

struct twice {
    struct conf_load *l;
    const char *set;
};

static void tell_twice(void *arg, const struct conf_node *key,
                       const struct conf_node *first)
{
    struct twice *t = arg;
    struct conf_node here = {.set = t->set};
    (void)first;

    conf_bad(t->l, &here, "key '%.60s' is given twice", key->text);
}

/* The value is YAML too: a list in brackets is one. NULL after an error. */
static struct conf_node *read_value(struct conf_load *l, const char *text,
                                    const char *set)
{
    struct conf_fault fault;
    struct twice twice = {l, set};
    struct conf_node here = {.set = set}, *value;

    if (text[strspn(text, " ")] == '\0')
        return new_node(l, CONF_NOTHING, "", set);
    value = conf_yaml(l->arena, text, strlen(text), &fault, tell_twice, &twice);
    if (value)
        mark(value, set);
    else
        conf_bad(l, &here, "%s", fault.text);
    return value;
}

static void replace(struct conf_load *l, struct conf_node *map, const char *key,
                    struct conf_node *value)
{
    struct conf_node *old = conf_get(map, key);

    value->key = new_node(l, CONF_SCALAR, key, value->set);
    if (!old) {
        conf_append(map, value);
        return;
    }
    struct conf_node **link = &map->first;
    while (*link != old)
        link = &(*link)->next;
    *link = value;
    value->next = old->next;
    if (map->last == old)
        map->last = value;
}

static const char *entry_name(const struct conf_node *entry, const char *key)
{
    const struct conf_node *n = conf_get(entry, key);

    return n && n->kind == CONF_SCALAR ? n->text : NULL;
}

/* Length of `name` when the path goes on with it, else 0. */
static size_t begins(const char *path, const char *name)
{
    size_t n = name ? strlen(name) : 0;

    return n && strncmp(path, name, n) == 0 && (path[n] == '.' || !path[n]) ? n : 0;
}

/* The entry of a list that the path names (names may contain dots: the longest wins),
 * and how much of the path that took. */
static struct conf_node *find_entry(const struct conf_node *list, const char *path,
                                    size_t *used, struct conf_suggest *near)
{
    struct conf_node *found = NULL;
    char number[12];
    int count = 0;

    *used = 0;
    for (struct conf_node *c = list->first; c; c = c->next) {
        const char *names[] = {entry_name(c, "id"), entry_name(c, "name"), number};

        snprintf(number, sizeof number, "%d", ++count);
        for (int i = 0; i < 3; i++) {
            size_t n = begins(path, names[i]);
            if (n > *used) {
                *used = n;
                found = c;
            }
            if (names[i] && i < 2)
                conf_suggest_offer(near, names[i]);
        }
    }
    return found;
}

static struct conf_node *enter_list(struct conf_load *l, const struct conf_node *list,
                                    const char **path, const struct conf_node *here)
{
    char *word = conf_strdup(l->arena, *path), quoted[48];
    size_t used;

    word[strcspn(word, ".")] = '\0';
    struct conf_suggest near = {.word = word};
    struct conf_node *entry = find_entry(list, *path, &used, &near);
    if (!entry)
        conf_bad(l, here, "there is no '%s' in this list%s", conf_quote(word, quoted),
                 conf_suggest_text(&near));
    else
        *path += used + ((*path)[used] == '.');
    return entry;
}

/* The map or list under that key of a map; made when there is none. */
static struct conf_node *enter_map(struct conf_load *l, struct conf_node *map,
                                   const char *key, const struct conf_node *here)
{
    struct conf_node *child = conf_get(map, key);

    if (!child) {
        child = new_node(l, CONF_MAP, NULL, here->set);
        replace(l, map, key, child);
    }
    if (child->kind == CONF_NOTHING)
        child->kind = CONF_MAP;
    if (child->kind != CONF_SCALAR)
        return child;
    conf_bad(l, here, "'%.60s' has no keys below it", key);
    return NULL;
}

void conf_set(struct conf_load *l, struct conf_node *root, const char *text)
{
    const char *equals = strchr(text, '=');
    char *set = conf_strdup(l->arena, text);
    struct conf_node here = {.set = set}, *at = root, *value;
    const char *path = set;

    set[strcspn(set, "=")] = '\0';
    if (!equals || equals == text) {
        conf_bad(l, &here, "expected KEY=VALUE like site.policy=equal");
        return;
    }
    value = read_value(l, equals + 1, set);
    while (value && at) {
        size_t n = strcspn(path, ".");
        char *key;

        if (at->kind == CONF_LIST) {
            at = enter_list(l, at, &path, &here);
            continue;
        }
        if (n == 0 || at->kind != CONF_MAP) {
            conf_bad(l, &here, "this names no key");
            return;
        }
        key = conf_strdup(l->arena, path);
        key[n] = '\0';
        if (!path[n]) {
            replace(l, at, key, value);
            return;
        }
        at = enter_map(l, at, key, &here);
        path += n + 1;
    }
}
