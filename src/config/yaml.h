/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text as a tree in which every node knows its place.
 *
 * Only the plain part of YAML is let in: maps, lists and scalars. Anchors, aliases,
 * tags, a second document and a key given twice are refused: they make a file mean
 * something else than what it looks like. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include "config/arena.h"

enum conf_node_kind { CONF_NOTHING, CONF_SCALAR, CONF_LIST, CONF_MAP };

enum { CONF_MAX_DEPTH = 12, CONF_MAX_KEYS = 200, CONF_MAX_BYTES = 1 << 20 };

struct conf_node {
    enum conf_node_kind kind;
    int line, col;         /* from 1 */
    const char *set;       /* the override it comes from ("site.policy"), else NULL */
    const char *text;      /* of a scalar */
    struct conf_node *key; /* of a map's child: its key, a scalar */
    struct conf_node *first, *last, *next; /* children in the order of the file */
    int n;                                 /* children */
};

struct conf_fault {
    int line, col;
    char text[200];
};

/* NULL and a fault when the text is not such YAML. Duplicate keys do not stop it: they
 * are told one by one through `twice`. */
struct conf_node *conf_yaml(struct conf_arena *a, const char *text, size_t size,
                            struct conf_fault *fault,
                            void (*twice)(void *arg, const struct conf_node *key,
                                          const struct conf_node *first),
                            void *arg);

void conf_append(struct conf_node *parent, struct conf_node *child);
/* The child of a map under that key, or NULL. */
struct conf_node *conf_get(const struct conf_node *map, const char *key);

#endif
