/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text as a tree of nodes that know their place. Strict, as the file may come from
 * a stranger: no anchors, aliases, tags or merge keys, no duplicate keys, limits on
 * size, depth and number of nodes. */
#ifndef METER_TREE_H
#define METER_TREE_H

#include <stdbool.h>
#include "meter/errors.h"

enum { TREE_MAX_NODES = 5000, TREE_MAX_DEPTH = 12 };

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree {
    enum tree_kind kind;
    int line, col;
    bool quoted;           /* scalar in quotes or as a block: a text, never a number */
    char *text;            /* scalar */
    struct tree *first;    /* list: items; map: values */
    struct tree *next;     /* in the list or map it belongs to */
    const char *key;       /* in a map: its key ... */
    int key_line, key_col; /* ... and where that stands */
    struct tree *owned;    /* next in the order of allocation */
};

/* A list whose only item is the root, or NULL with errors. Free with tree_free(). */
struct tree *tree_parse(const char *text, size_t length, struct meter_errors *e);
void tree_free(struct tree *root);

/* The value of that key, or NULL. */
const struct tree *tree_get(const struct tree *map, const char *key);
/* Complains of each key of the map that is not in the NULL-ended list. */
void tree_only(const struct tree *map, const char *what, const char *const *keys,
               struct meter_errors *e);
int tree_count(const struct tree *t); /* items of a list or map */

#endif
