/* SPDX-License-Identifier: Apache-2.0 */
/* The test vectors of a definition: registers, and the values they must give. */
#include "meter/definition_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_word(struct reader *r, struct vector *v, int at, const struct tree *t)
{
    int word;

    if (at > 65535) {
        meter_error(r->e, t->line, t->col, "register beyond 65535");
        return false;
    }
    if (!number_of(r, t, "regs", 0, 65535, &word))
        return false;
    v->words[v->n_words++] = (struct vector_word){(uint16_t)at, (uint16_t)word};
    return true;
}

/* {address: [word, word], ...} */
static void read_regs(struct reader *r, const struct tree *regs, struct vector *v)
{
    int n = 0;

    for (const struct tree *t = regs->first; t; t = t->next)
        n += t->kind == TREE_LIST ? tree_count(t) : 1;
    v->words = calloc((size_t)n + 1, sizeof *v->words);
    if (!v->words) {
        meter_error(r->e, regs->line, regs->col, "out of memory");
        return;
    }
    for (const struct tree *t = regs->first; t; t = t->next) {
        int64_t at;

        if (!number_integer(t->key, &at) || at > 65535) {
            meter_error(r->e, t->key_line, t->key_col,
                        "\"regs\" maps register addresses (0 to 65535) to words");
            continue;
        }
        if (t->kind == TREE_LIST)
            for (const struct tree *w = t->first; w; w = w->next)
                add_word(r, v, (int)at++, w);
        else
            add_word(r, v, (int)at, t);
    }
}

static void read_wants(struct reader *r, const struct tree *want, struct vector *v)
{
    v->wants = calloc((size_t)tree_count(want) + 1, sizeof *v->wants);
    if (!v->wants) {
        meter_error(r->e, want->line, want->col, "out of memory");
        return;
    }
    for (const struct tree *t = want->first; t; t = t->next) {
        struct vector_want *w = &v->wants[v->n_wants];

        *w = (struct vector_want){.line = t->line, .col = t->col};
        if (!definition_value_name(t->key, &w->quantity, &w->phase)) {
            meter_error(r->e, t->key_line, t->key_col,
                        "\"want\" knows v1 i1 p1 (power of phase 1) p hz e_imp e_exp "
                        "pv_p bat_p soc, not \"%s\"",
                        t->key);
            continue;
        }
        snprintf(w->name, sizeof w->name, "%s", t->key);
        w->null = t->kind == TREE_SCALAR && !t->quoted &&
                  (strcmp(t->text, "null") == 0 || strcmp(t->text, "~") == 0);
        if (w->null || decimal_of(r, t, t->key, &w->value))
            v->n_wants++;
    }
}

static void read_vector(struct reader *r, const struct tree *t, struct vector *v)
{
    static const char *const keys[] = {"regs", "want", NULL};
    const struct tree *regs, *want;

    v->line = t->line;
    v->col = t->col;
    if (t->kind != TREE_MAP) {
        meter_error(r->e, t->line, t->col, "a test has \"regs\" and \"want\"");
        return;
    }
    tree_only(t, "test", keys, r->e);
    regs = read_map(r, t, "regs");
    want = read_map(r, t, "want");
    if (!regs || !want || !want->first) {
        meter_error(r->e, t->line, t->col, "a test needs both \"regs\" and \"want\"");
        return;
    }
    read_regs(r, regs, v);
    read_wants(r, want, v);
}

void read_vectors(struct reader *r)
{
    const struct tree *test = tree_get(r->root, "test");

    if (!test)
        return;
    if (test->kind != TREE_LIST) {
        meter_error(r->e, test->line, test->col, "\"test\" must be a list");
        return;
    }
    r->d->vectors = calloc((size_t)tree_count(test) + 1, sizeof *r->d->vectors);
    if (!r->d->vectors) {
        meter_error(r->e, test->line, test->col, "out of memory");
        return;
    }
    for (const struct tree *t = test->first; t; t = t->next)
        read_vector(r, t, &r->d->vectors[r->d->n_vectors++]);
}
