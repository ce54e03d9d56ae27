/* SPDX-License-Identifier: Apache-2.0 */
/* Typed access to the tree of a definition, with complaints that name the key. */
#include "meter/definition_read.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

bool number_of(struct reader *r, const struct tree *t, const char *what, int min,
               int max, int *out)
{
    int64_t v;

    if (t->kind != TREE_SCALAR || t->quoted || !number_integer(t->text, &v)) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be a whole number (12 or 0x0C)",
                    what);
        return false;
    }
    if (v < min || v > max) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be from %d to %d", what, min,
                    max);
        return false;
    }
    *out = (int)v;
    return true;
}

bool decimal_of(struct reader *r, const struct tree *t, const char *what,
                struct decimal *out)
{
    if (t->kind == TREE_SCALAR && !t->quoted && number_decimal(t->text, out))
        return true;
    meter_error(r->e, t->line, t->col,
                "\"%s\" must be a number like 230.1, of at most 12 digits", what);
    return false;
}

bool read_int(struct reader *r, const struct tree *map, const char *key, int min,
              int max, int *out)
{
    const struct tree *t = tree_get(map, key);

    return t && number_of(r, t, key, min, max, out);
}

bool read_bool(struct reader *r, const struct tree *map, const char *key, bool *out)
{
    const struct tree *t = tree_get(map, key);

    if (!t)
        return false;
    if (t->kind == TREE_SCALAR && !t->quoted &&
        (strcmp(t->text, "true") == 0 || strcmp(t->text, "false") == 0)) {
        *out = t->text[0] == 't';
        return true;
    }
    meter_error(r->e, t->line, t->col, "\"%s\" must be true or false", key);
    return false;
}

bool read_text(struct reader *r, const struct tree *map, const char *key, char *out,
               size_t size)
{
    const struct tree *t = tree_get(map, key);

    if (!t)
        return false;
    if (t->kind != TREE_SCALAR || t->text[0] == '\0' || strlen(t->text) >= size) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be a text of 1 to %d letters",
                    key, (int)size - 1);
        return false;
    }
    for (const char *c = t->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) { /* they move cursors, and more */
            meter_error(r->e, t->line, t->col,
                        "\"%s\" must be one line, without control characters", key);
            return false;
        }
    snprintf(out, size, "%s", t->text);
    return true;
}

bool read_word(struct reader *r, const struct tree *map, const char *key,
               const char *const *words, int *out)
{
    const struct tree *t = tree_get(map, key);
    char hint[64], list[120] = "";
    size_t n = 0;

    if (!t)
        return false;
    for (int i = 0; words[i]; i++) {
        if (t->kind == TREE_SCALAR && strcmp(t->text, words[i]) == 0) {
            *out = i;
            return true;
        }
        n += (size_t)snprintf(list + n, sizeof list - n, " %s", words[i]);
    }
    meter_error(
        r->e, t->line, t->col, "\"%s\" must be one of%s%s", key, list,
        t->kind == TREE_SCALAR ? meter_nearest(t->text, words, hint, sizeof hint) : "");
    return false;
}

int read_ints(struct reader *r, const struct tree *map, const char *key, int min,
              int max, int *out, int n_max)
{
    const struct tree *t = tree_get(map, key);
    int n = 0;

    if (!t)
        return 0;
    if (t->kind == TREE_SCALAR)
        return number_of(r, t, key, min, max, out);
    if (t->kind != TREE_LIST || !t->first || tree_count(t) > n_max) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be 1 to %d numbers", key,
                    n_max);
        return 0;
    }
    for (const struct tree *i = t->first; i; i = i->next)
        n += number_of(r, i, key, min, max, &out[n]);
    return n;
}

const struct tree *read_map(struct reader *r, const struct tree *map, const char *key)
{
    const struct tree *t = tree_get(map, key);

    if (t && t->kind != TREE_MAP) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be a list of key: value", key);
        return NULL;
    }
    return t;
}
