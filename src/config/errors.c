/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting, sorting and printing complaints about a configuration. */
#include "config/errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct conf_errors *e)
{
    int n_max = e->n_max ? 2 * e->n_max : 16;
    struct conf_error *list = realloc(e->list, (size_t)n_max * sizeof *list);

    if (!list)
        return false;
    e->list = list;
    e->n_max = n_max;
    return true;
}

/* Without memory the complaint is lost, but n_errors has counted it. */
__attribute__((format(printf, 6, 0))) static void add(struct conf_load *l,
                                                      const char *file, int line,
                                                      int col, bool warning,
                                                      const char *format, va_list args)
{
    struct conf_errors *e = l->errors;
    int saved = errno; /* formats may use %m */

    if (!warning)
        l->n_errors++;
    if (e->n - l->first >= CONF_MAX_ERRORS || (e->n == e->n_max && !grow(e)))
        return;
    char *copy = strdup(file);
    if (!copy)
        return;
    struct conf_error *new = &e->list[e->n++];
    *new =
        (struct conf_error){.file = copy, .line = line, .col = col, .warning = warning};
    errno = saved;
    vsnprintf(new->text, sizeof new->text, format, args);
}

__attribute__((format(printf, 4, 0))) static void
add_at(struct conf_load *l, const struct conf_node *at, bool warning,
       const char *format, va_list args)
{
    char set[160];

    if (!at) {
        add(l, l->path, 1, 1, warning, format, args);
    } else if (at->set) {
        snprintf(set, sizeof set, "--set %s", at->set);
        add(l, set, 0, 0, warning, format, args);
    } else {
        add(l, l->path, at->line, at->col, warning, format, args);
    }
}

void conf_bad(struct conf_load *l, const struct conf_node *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_at(l, at, false, format, args);
    va_end(args);
}

void conf_warn(struct conf_load *l, const struct conf_node *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_at(l, at, true, format, args);
    va_end(args);
}

void conf_bad_in(struct conf_load *l, const char *file, int line, int col,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(l, file, line, col, false, format, args);
    va_end(args);
}

const char *conf_place(struct conf_load *l, const struct conf_node *at)
{
    if (at->set)
        return conf_printf(l->arena, "--set %s", at->set);
    return conf_printf(l->arena, "line %d", at->line);
}

static int file_rank(const struct conf_load *l, const struct conf_error *e)
{
    if (e->line == 0)
        return 0;
    return strcmp(e->file, l->path) == 0 ? 1 : 2;
}

static bool is_after(const struct conf_load *l, const struct conf_error *a,
                     const struct conf_error *b)
{
    int ranks = file_rank(l, a) - file_rank(l, b);
    int files = strcmp(a->file, b->file);

    if (ranks)
        return ranks > 0;
    if (files)
        return files > 0;
    return a->line != b->line ? a->line > b->line : a->col > b->col;
}

void conf_sort_errors(struct conf_load *l)
{
    struct conf_error *e = l->errors->list;

    for (int i = l->first + 1; i < l->errors->n; i++) { /* stable; at most 200 */
        struct conf_error moving = e[i];
        int j = i;

        for (; j > l->first && is_after(l, &e[j - 1], &moving); j--)
            e[j] = e[j - 1];
        e[j] = moving;
    }
    if (l->n_errors > CONF_MAX_ERRORS && e) {
        struct conf_error *last = &e[l->errors->n - 1];
        last->warning = false;
        snprintf(last->text, sizeof last->text, "%d more errors are not shown",
                 l->n_errors - CONF_MAX_ERRORS + 1);
    }
}

void conf_errors_print(const struct conf_errors *e, FILE *to)
{
    for (int i = 0; i < e->n; i++) {
        const struct conf_error *x = &e->list[i];

        if (x->line > 0)
            fprintf(to, "%s:%d:%d: ", x->file, x->line, x->col);
        else
            fprintf(to, "%s: ", x->file);
        fprintf(to, "%s%s\n", x->warning ? "warning: " : "", x->text);
    }
}

void conf_errors_free(struct conf_errors *e)
{
    for (int i = 0; i < e->n; i++)
        free((char *)e->list[i].file);
    free(e->list);
    *e = (struct conf_errors){0};
}
