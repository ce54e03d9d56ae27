/* SPDX-License-Identifier: Apache-2.0 */
/* From the YAML tree to checked values: sections, lists, unknown and missing keys. */
#include "config/walk.h"

#include <stdlib.h>
#include <string.h>

#include "config/suggest.h"

struct conf_value *conf_value(const struct conf_item *i, enum conf_key_id k)
{
    return &i->values[(int)k - (int)conf_sections[i->section].first];
}

bool conf_given(const struct conf_item *i, enum conf_key_id k)
{
    return conf_value(i, k)->state == CONF_GIVEN;
}

bool conf_usable(const struct conf_item *i, enum conf_key_id k)
{
    enum conf_state s = conf_value(i, k)->state;

    return s == CONF_GIVEN || s == CONF_DEFAULT;
}

const struct conf_node *conf_at(const struct conf_item *i, enum conf_key_id k)
{
    const struct conf_node *at = conf_value(i, k)->at;

    return at ? at : i->at;
}

const char *conf_item_text(struct conf_load *l, const struct conf_item *i)
{
    const struct conf_section_info *s = &conf_sections[i->section];

    if (s->name == K_COUNT || !conf_value(i, s->name)->at)
        return s->what;
    const char *name = conf_value(i, s->name)->is.text;
    return name ? conf_printf(l->arena, "%s '%s'", s->what, name) : s->what;
}

static struct conf_item *new_item(struct conf_load *l, enum conf_section s,
                                  const struct conf_node *at)
{
    struct conf_item *i = conf_alloc(l->arena, sizeof *i);
    int n = (int)conf_sections[s].last - (int)conf_sections[s].first + 1;

    i->section = s;
    i->at = at;
    i->values = conf_alloc(l->arena, (size_t)n * sizeof *i->values);
    return i;
}

static const struct conf_key *find_key(enum conf_section s, const char *name)
{
    for (int k = (int)conf_sections[s].first; k <= (int)conf_sections[s].last; k++)
        if (strcmp(conf_key_name(&conf_keys[k]), name) == 0)
            return &conf_keys[k];
    return NULL;
}

/* "; known here are name, limit, ...", or the section where such a key is known. */
static const char *known_keys(struct conf_load *l, enum conf_section s,
                              const char *name)
{
    const char *text = "; known here are ";

    for (int other = 0; other < CONF_SECTIONS; other++) {
        const struct conf_key *k = find_key(other, name);
        if (k)
            return conf_printf(l->arena, "; there is %s", k->path);
    }
    for (int k = (int)conf_sections[s].first; k <= (int)conf_sections[s].last; k++)
        text = conf_printf(l->arena, "%s%s%s", text, conf_key_name(&conf_keys[k]),
                           k < (int)conf_sections[s].last ? ", " : "");
    return text;
}

static void tell_unknown(struct conf_load *l, enum conf_section s,
                         const struct conf_node *key)
{
    struct conf_suggest near = {.word = key->text};
    char quoted[48];

    for (int k = (int)conf_sections[s].first; k <= (int)conf_sections[s].last; k++)
        conf_suggest_offer(&near, conf_key_name(&conf_keys[k]));
    conf_bad(l, key, "unknown key '%s'%s", conf_quote(key->text, quoted),
             near.best ? conf_suggest_text(&near) : known_keys(l, s, key->text));
}

static struct conf_item *read_section(struct conf_load *l, enum conf_section s,
                                      const struct conf_node *node);

/* The second of two entries with the same name is refused. Quadratic, but only over
 * lists of some thousands. */
static void check_twice(struct conf_load *l, const struct conf_item *first,
                        const struct conf_item *new)
{
    enum conf_key_id key = conf_sections[new->section].name;

    if (key == K_COUNT || !conf_given(new, key))
        return;
    const struct conf_value *name = conf_value(new, key);
    for (const struct conf_item *i = first; i != new; i = i->next) {
        const struct conf_value *other = conf_value(i, key);
        if (other->state != CONF_GIVEN || strcmp(other->is.text, name->is.text) != 0)
            continue;
        conf_bad(l, name->at, "%s is given twice; the first is at %s",
                 conf_item_text(l, new), conf_place(l, other->at));
        return;
    }
}

static void read_list(struct conf_load *l, const struct conf_key *k,
                      const struct conf_node *node, struct conf_value *v)
{
    struct conf_item **end = &v->is.list.first;
    const char *name = conf_key_name(k);

    v->state = CONF_GIVEN;
    if (node->kind == CONF_NOTHING)
        return;
    if (node->kind != CONF_LIST) {
        v->state = CONF_WRONG;
        conf_bad(l, node, "%s: expected a list, its entries begin with '- '", name);
        return;
    }
    if (node->n > k->max) {
        v->state = CONF_WRONG;
        conf_bad(l, node, "%s: at most %d entries", name, (int)k->max);
        return;
    }
    for (const struct conf_node *c = node->first; c; c = c->next) {
        *end = read_section(l, (enum conf_section)k->min, c);
        check_twice(l, v->is.list.first, *end);
        end = &(*end)->next;
        v->is.list.n++;
    }
}

static void read_key(struct conf_load *l, struct conf_item *i, const struct conf_key *k,
                     const struct conf_node *node)
{
    struct conf_value *v = conf_value(i, (enum conf_key_id)(k - conf_keys));

    v->at = node;
    if (k->type == CONF_T_SECTION) {
        v->is.section = read_section(l, (enum conf_section)k->min, node);
        v->state = CONF_GIVEN;
    } else if (k->type == CONF_T_LIST) {
        read_list(l, k, node, v);
    } else {
        v->state = conf_read_value(l, k, node, v) ? CONF_GIVEN : CONF_WRONG;
    }
}

static void fill_defaults(struct conf_load *l, struct conf_item *i)
{
    const struct conf_section_info *s = &conf_sections[i->section];

    for (int n = (int)s->first; n <= (int)s->last; n++) {
        struct conf_value *v = conf_value(i, (enum conf_key_id)n);
        if (v->state == CONF_ABSENT && !v->at)
            conf_read_default(l, &conf_keys[n], v);
    }
}

static void check_missing(struct conf_load *l, const struct conf_item *i)
{
    const struct conf_section_info *s = &conf_sections[i->section];

    for (int n = (int)s->first; n <= (int)s->last; n++)
        if (conf_keys[n].required && !conf_value(i, (enum conf_key_id)n)->at)
            conf_bad(l, i->at, "%s: '%s' is missing", conf_item_text(l, i),
                     conf_key_name(&conf_keys[n]));
}

static struct conf_item *read_section(struct conf_load *l, enum conf_section s,
                                      const struct conf_node *node)
{
    struct conf_item *i = new_item(l, s, node);

    if (node->kind == CONF_MAP) {
        for (const struct conf_node *c = node->first; c; c = c->next) {
            const struct conf_key *k = find_key(s, c->key->text);
            if (k)
                read_key(l, i, k, c);
            else
                tell_unknown(l, s, c->key);
        }
        check_missing(l, i);
    } else if (node->kind != CONF_NOTHING || s == CONF_TOP ||
               conf_keys[conf_sections[s].first].required) {
        conf_bad(l, node, "%s: expected keys with values, like '%s: ...'%s",
                 conf_sections[s].what,
                 conf_key_name(&conf_keys[conf_sections[s].first]),
                 node->kind == CONF_SCALAR && strchr(node->text, ':')
                     ? ": a space is missing after ':'"
                     : "");
    }
    fill_defaults(l, i);
    return i;
}

struct conf_item *conf_default_item(struct conf_load *l, enum conf_section s)
{
    struct conf_item *i = new_item(l, s, NULL);

    fill_defaults(l, i);
    return i;
}

struct conf_item *conf_walk(struct conf_load *l, const struct conf_node *root)
{
    struct conf_item *top = read_section(l, CONF_TOP, root);
    static const enum conf_key_id always[] = {K_SITE, K_SOLAR, K_OCPP};

    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        struct conf_value *v = conf_value(top, always[i]);

        if (!v->is.section)
            v->is.section =
                conf_default_item(l, (enum conf_section)conf_keys[always[i]].min);
    }
    return top;
}
