/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded ring with one lock. */
#include "io/inbox.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct inbox {
    pthread_mutex_t lock;
    struct inbox_item *items;
    int capacity, first, n;
    uint64_t dropped;
    void (*wake)(void *arg);
    void *arg;
};

struct inbox *inbox_new(int capacity, void (*wake)(void *arg), void *arg)
{
    struct inbox *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->items = calloc((size_t)capacity, sizeof *b->items);
    if (!b->items) {
        free(b);
        return NULL;
    }
    pthread_mutex_init(&b->lock, NULL);
    b->capacity = capacity;
    b->wake = wake;
    b->arg = arg;
    return b;
}

void inbox_free(struct inbox *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b->items);
    free(b);
}

bool inbox_put(struct inbox *b, const struct inbox_item *item)
{
    bool room;

    pthread_mutex_lock(&b->lock);
    room = b->n < b->capacity;
    if (room)
        b->items[(b->first + b->n++) % b->capacity] = *item;
    else
        b->dropped++;
    pthread_mutex_unlock(&b->lock);
    if (b->wake)
        b->wake(b->arg);
    return room;
}

bool inbox_take(struct inbox *b, struct inbox_item *item)
{
    bool any;

    pthread_mutex_lock(&b->lock);
    any = b->n > 0;
    if (any) {
        *item = b->items[b->first];
        b->first = (b->first + 1) % b->capacity;
        b->n--;
    }
    pthread_mutex_unlock(&b->lock);
    return any;
}

uint64_t inbox_dropped(struct inbox *b)
{
    uint64_t n;

    pthread_mutex_lock(&b->lock);
    n = b->dropped;
    pthread_mutex_unlock(&b->lock);
    return n;
}

void inbox_trouble(struct inbox *b, bool begins, const char *code, const char *who,
                   const char *format, ...)
{
    struct inbox_item item = {.kind = INBOX_TROUBLE};
    va_list args;

    item.trouble.begins = begins;
    snprintf(item.trouble.code, sizeof item.trouble.code, "%s", code);
    snprintf(item.trouble.who, sizeof item.trouble.who, "%s", who);
    va_start(args, format);
    vsnprintf(item.trouble.text, sizeof item.trouble.text, format, args);
    va_end(args);
    inbox_put(b, &item);
}
