/* SPDX-License-Identifier: Apache-2.0 */
/* A binary heap of things to come. */
#include "sim/queue.h"

#include <stdlib.h>

static bool before(const struct sim_item *a, const struct sim_item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

bool sim_queue_put(struct sim_queue *q, const struct sim_item *item)
{
    struct sim_item new = *item;
    int i = q->n;

    if (q->n == q->room) {
        int room = q->room ? 2 * q->room : 64;
        struct sim_item *more = realloc(q->heap, (size_t)room * sizeof *more);

        if (!more)
            return false;
        q->heap = more;
        q->room = room;
    }
    new.order = q->put++;
    q->n++;
    for (; i > 0 && before(&new, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = new;
    return true;
}

const struct sim_item *sim_queue_first(const struct sim_queue *q)
{
    return q->n ? &q->heap[0] : NULL;
}

void sim_queue_take(struct sim_queue *q, struct sim_item *out)
{
    struct sim_item last;
    int i = 0, child;

    *out = q->heap[0];
    last = q->heap[--q->n];
    for (; (child = 2 * i + 1) < q->n; i = child) {
        if (child + 1 < q->n && before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!before(&q->heap[child], &last))
            break;
        q->heap[i] = q->heap[child];
    }
    q->heap[i] = last;
}

void sim_queue_free(struct sim_queue *q)
{
    free(q->heap);
    *q = (struct sim_queue){0};
}
