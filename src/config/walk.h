/* SPDX-License-Identifier: Apache-2.0 */
/* From the YAML tree to checked values: every section of the file becomes an item with
 * one value per key of the table. */
#ifndef CONFIG_WALK_H
#define CONFIG_WALK_H

#include "config/errors.h"
#include "config/keys.h"
#include "config/value.h"

struct policy;

enum conf_state {
    CONF_ABSENT,  /* not in the file and without a fixed default */
    CONF_DEFAULT, /* not in the file: the default of the table */
    CONF_GIVEN,
    CONF_WRONG /* in the file, but refused; of a name the text is still there */
};

struct conf_value {
    enum conf_state state;
    const struct conf_node *at; /* in the file, else NULL */
    union {
        int64_t n; /* numbers, times, choices, true = 1 */
        const char *text;
        int32_t ma[3];
        const struct policy *policy;
        const struct conf_address *address;
        const struct conf_serial *serial;
        const struct conf_wiring *wiring;
        struct conf_item *section;
        struct {
            struct conf_item *first;
            int n;
        } list;
    } is;
};

struct conf_item {
    enum conf_section section;
    const struct conf_node *at; /* NULL: a section that is not in the file */
    struct conf_item *next;     /* in its list */
    struct conf_value *values;
};

/* The whole file; never NULL. The sections site, solar and ocpp are there in any case.
 */
struct conf_item *conf_walk(struct conf_load *l, const struct conf_node *root);
/* An item with nothing but defaults. */
struct conf_item *conf_default_item(struct conf_load *l, enum conf_section s);

struct conf_value *conf_value(const struct conf_item *i, enum conf_key_id k);
bool conf_given(const struct conf_item *i, enum conf_key_id k);
bool conf_usable(const struct conf_item *i, enum conf_key_id k); /* given or default */
/* Where the key stands, else where its item begins. */
const struct conf_node *conf_at(const struct conf_item *i, enum conf_key_id k);
/* Copies the usable values into the struct of that section. */
void conf_store(const struct conf_item *i, void *target);
/* "circuit 'grid'" */
const char *conf_item_text(struct conf_load *l, const struct conf_item *i);

/* Reads one scalar or list by the type of its key (walk_value.c); false after telling
 * what is wrong. */
bool conf_read_value(struct conf_load *l, const struct conf_key *k,
                     const struct conf_node *node, struct conf_value *v);
/* The default of the table, where it is a text of the file. */
void conf_read_default(struct conf_load *l, const struct conf_key *k,
                       struct conf_value *v);

#endif
