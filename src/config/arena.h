/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one configuration: taken piece by piece, given back all at once. */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct conf_arena {
    struct conf_block *blocks;
    size_t used, size;  /* of the newest block */
    jmp_buf *no_memory; /* where to go when malloc fails; must be set */
};

struct conf_arena *conf_arena_new(void); /* NULL without memory */
void conf_arena_free(struct conf_arena *a);

/* Zeroed, aligned for anything. Does not return without memory. */
void *conf_alloc(struct conf_arena *a, size_t size);
/* The same, but NULL without memory: for callers that must clean up first. */
void *conf_try_alloc(struct conf_arena *a, size_t size);
char *conf_strdup(struct conf_arena *a, const char *text);
char *conf_printf(struct conf_arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
