/* SPDX-License-Identifier: Apache-2.0 */
/* Events that wait until the orders of the one before are carried out. Each connector
 * may answer at once for an order that is replaced, and an answer that is lost would be
 * waited for for ever: so there is no bound. All zero = empty. */
#ifndef RUN_WAITING_H
#define RUN_WAITING_H

#include <stddef.h>
#include "core/event.h"

struct waiting {
    struct event *ring;
    size_t first, n, room;
};

bool waiting_put(struct waiting *w, const struct event *e); /* false = no memory */
bool waiting_take(struct waiting *w, struct event *e); /* the oldest; false = none */
void waiting_free(struct waiting *w);

#endif
