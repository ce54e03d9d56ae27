/* SPDX-License-Identifier: Apache-2.0 */
/* Circuits of struct config: names become indices, parents come first. */
#include <ctype.h>
#include <string.h>

#include "config/build.h"
#include "config/suggest.h"

void *conf_array(struct conf_build *b, int n, size_t size)
{
    return conf_alloc(b->l->arena, (size_t)(n > 0 ? n : 1) * size);
}

char *conf_sanitise(struct conf_load *l, const char *text)
{
    char *id = conf_strdup(l->arena, text);

    for (char *p = id; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-')
            *p = '_';
    return id;
}

int conf_ref(struct conf_build *b, const struct conf_item *i, enum conf_key_id k)
{
    const struct conf_value *v = conf_value(i, k);
    enum conf_section s = (enum conf_section)conf_keys[k].min;
    enum conf_key_id list = s == CONF_CIRCUITS ? K_CIRCUITS : K_METERS;
    int position = 0;

    if (v->state != CONF_GIVEN)
        return SITE_NONE;
    struct conf_suggest near = {.word = v->is.text};
    char quoted[48];
    const struct conf_item *entry = conf_value(b->top, list)->is.list.first;
    for (; entry; entry = entry->next, position++) {
        const char *name = conf_value(entry, conf_sections[s].name)->is.text;
        if (name && strcmp(name, v->is.text) == 0)
            return position;
        if (name)
            conf_suggest_offer(&near, name);
    }
    conf_bad(b->l, v->at, "%s: there is no %s '%s'%s", conf_key_name(&conf_keys[k]),
             conf_sections[s].what, conf_quote(v->is.text, quoted),
             conf_suggest_text(&near));
    return SITE_NONE;
}

int conf_circuit_place(const struct conf_build *b, int position)
{
    return position == SITE_NONE ? 0 : b->place[position];
}

/* How a loop reads: "a -> b -> a". Marks its circuits as told in `place`. */
static void tell_cycle(struct conf_build *b, const struct conf_item *const *items,
                       const int *parent, int start)
{
    const char *text = "";
    int i = start;

    do {
        text = conf_printf(b->l->arena, "%.100s%.40s -> ", text,
                           conf_value(items[i], K_CIRCUIT_NAME)->is.text);
        b->place[i] = -2;
        i = parent[i];
    } while (i != start);
    conf_bad(b->l, conf_at(items[start], K_CIRCUIT_PARENT),
             "parent: these circuits feed each other: %s%s", text,
             conf_value(items[start], K_CIRCUIT_NAME)->is.text);
}

/* Every circuit left without a place leads into a loop: tells each loop once. */
static void find_cycles(struct conf_build *b, const struct conf_item *const *items,
                        const int *parent, int n)
{
    int *seen = conf_array(b, n, sizeof *seen);

    for (int i = 0; i < n; i++) {
        int at = i;

        while (at != SITE_NONE && b->place[at] == -1 && seen[at] == 0) {
            seen[at] = i + 1;
            at = parent[at];
        }
        if (at != SITE_NONE && b->place[at] == -1 && seen[at] == i + 1)
            tell_cycle(b, items, parent, at);
    }
}

/* The one circuit without parent, or SITE_NONE. Others without one are told. */
static int find_root(struct conf_build *b, const struct conf_item *const *items, int n)
{
    int root = SITE_NONE;

    for (int i = 0; i < n; i++) {
        if (conf_value(items[i], K_CIRCUIT_PARENT)->at)
            continue;
        if (root == SITE_NONE)
            root = i;
        else
            conf_bad(b->l, items[i]->at,
                     "%s: 'parent' is missing; only the grid connection (%s) has none",
                     conf_item_text(b->l, items[i]), conf_item_text(b->l, items[root]));
    }
    return root;
}

/* Gives each circuit its place: the root first, then those whose parent has one, in
 * the order of the file. Returns how many got one. */
static int order_circuits(struct conf_build *b, const int *parent, int n, int root)
{
    int *depth = conf_array(b, n, sizeof *depth);
    int placed = 0, before = -1;

    for (int i = 0; i < n; i++)
        b->place[i] = -1;
    if (root != SITE_NONE)
        b->place[root] = placed++;
    while (placed > before) {
        before = placed;
        for (int i = 0; i < n; i++) {
            if (b->place[i] >= 0 || parent[i] == SITE_NONE || b->place[parent[i]] < 0)
                continue;
            b->place[i] = placed++;
            depth[i] = depth[parent[i]] + 1;
        }
    }
    for (int i = 0; i < n; i++)
        if (depth[i] == SITE_MAX_DEPTH - 2) /* a connector and its charger's circuit */
            conf_bad(b->l, b->circuit_items[i]->at,
                     "the tree of circuits is more than %d deep", SITE_MAX_DEPTH - 2);
    return placed;
}

static void fill_circuit(struct conf_build *b, const struct conf_item *item, int parent,
                         struct site_circuit *c)
{
    c->parent = parent;
    c->meter = conf_ref(b, item, K_CIRCUIT_METER);
    conf_store(item, c);
    if (!conf_given(item, K_CIRCUIT_BASE) && conf_value(item, K_CIRCUIT_METER)->at)
        memcpy(c->base_ma, c->limit_ma, sizeof c->base_ma);
}

void conf_build_circuits(struct conf_build *b)
{
    const struct conf_value *list = conf_value(b->top, K_CIRCUITS);
    int n = list->is.list.n, i = 0;
    const struct conf_item **items = conf_array(b, n, sizeof *items);
    int *parent = conf_array(b, n, sizeof *parent);

    for (const struct conf_item *c = list->is.list.first; c; c = c->next, i++) {
        items[i] = c;
        parent[i] = conf_ref(b, c, K_CIRCUIT_PARENT);
    }
    if (n == 0 && list->state == CONF_GIVEN)
        conf_bad(b->l, list->at, "circuits: at least the grid connection is needed");
    b->n_file_circuits = n;
    b->circuit_items = items;
    b->place = conf_array(b, n, sizeof *b->place);
    int root = find_root(b, items, n);
    b->tree_ok = order_circuits(b, parent, n, root) == n && n > 0;
    if (!b->tree_ok)
        find_cycles(b, items, parent, n);
    b->circuits = conf_array(b, n, sizeof *b->circuits);
    b->circuit_items = conf_array(b, n, sizeof *b->circuit_items);
    for (i = 0; i < n; i++) {
        struct site_circuit unplaced = {0}, *c = &unplaced;

        if (b->tree_ok) {
            c = &b->circuits[b->place[i]];
            b->circuit_items[b->place[i]] = items[i];
        }
        fill_circuit(b, items[i],
                     parent[i] == SITE_NONE ? SITE_NONE : b->place[parent[i]], c);
    }
    b->c->site.n_circuits = b->tree_ok ? n : 0;
}
