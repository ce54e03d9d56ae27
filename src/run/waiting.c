/* SPDX-License-Identifier: Apache-2.0 */
/* A ring that grows. */
#include "run/waiting.h"

#include <stdlib.h>
#include <string.h>

static const size_t first_room = 64;

static bool grow(struct waiting *w)
{
    size_t room = w->room ? 2 * w->room : first_room;
    struct event *ring = malloc(room * sizeof *ring);

    if (!ring)
        return false;
    for (size_t i = 0; i < w->n; i++)
        ring[i] = w->ring[(w->first + i) % w->room];
    free(w->ring);
    w->ring = ring;
    w->room = room;
    w->first = 0;
    return true;
}

bool waiting_put(struct waiting *w, const struct event *e)
{
    if (w->n == w->room && !grow(w))
        return false;
    w->ring[(w->first + w->n++) % w->room] = *e;
    return true;
}

bool waiting_take(struct waiting *w, struct event *e)
{
    if (w->n == 0)
        return false;
    *e = w->ring[w->first];
    w->first = (w->first + 1) % w->room;
    w->n--;
    return true;
}

void waiting_free(struct waiting *w)
{
    free(w->ring);
    memset(w, 0, sizeof *w);
}
