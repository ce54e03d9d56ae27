/* SPDX-License-Identifier: Apache-2.0 */
/* Who was turned away at the door: told once when it begins and once when it is over,
 * not at each of the attempts that chargers repeat for ever. */
#ifndef IO_OCPP_REFUSED_H
#define IO_OCPP_REFUSED_H

#include "io/ocpp_peer.h"

enum {
    OCPP_REFUSED_MOST = 64,       /* known at a time; more are not told */
    OCPP_REFUSED_OVER_MS = 600000 /* not seen for so long: over */
};

struct ocpp_refused {
    struct {
        char who[128];    /* "" = free; an identity, or an address */
        const char *text; /* constant */
        int64_t last_ms;
    } list[OCPP_REFUSED_MOST];
};

void ocpp_refused_note(struct ocpp_refused *r, struct ocpp_world *w, const char *who,
                       const char *text);
void ocpp_refused_over(struct ocpp_refused *r, struct ocpp_world *w, const char *who);
void ocpp_refused_tick(struct ocpp_refused *r, struct ocpp_world *w);

#endif
