/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one configuration. */
#include "config/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384, ALIGN = 16 };

struct conf_block {
    struct conf_block *next;
    _Alignas(ALIGN) unsigned char bytes[];
};

struct conf_arena *conf_arena_new(void)
{
    return calloc(1, sizeof(struct conf_arena));
}

void conf_arena_free(struct conf_arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        struct conf_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    free(a);
}

void *conf_try_alloc(struct conf_arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (!a->blocks || size > a->size - a->used) {
        size_t room = size > BLOCK ? size : BLOCK;
        struct conf_block *b = calloc(1, sizeof *b + room);

        if (!b)
            return NULL;
        b->next = a->blocks;
        a->blocks = b;
        a->size = room;
        a->used = 0;
    }
    void *piece = a->blocks->bytes + a->used;
    a->used += size;
    return piece;
}

void *conf_alloc(struct conf_arena *a, size_t size)
{
    void *piece = conf_try_alloc(a, size);

    if (!piece)
        longjmp(*a->no_memory, 1);
    return piece;
}

char *conf_strdup(struct conf_arena *a, const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(conf_alloc(a, size), text, size);
}

char *conf_printf(struct conf_arena *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = conf_alloc(a, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}
