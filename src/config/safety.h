/* SPDX-License-Identifier: Apache-2.0 */
/* The safety statement: what flows in each circuit when the controller, the network or
 * a meter is gone, how long it takes until then, and what would mend what is too much.
 *
 * Without the controller, or cut off from it, every charger draws its fallback once its
 * lease has ended. Where only some are cut off the controller reserves their fallbacks
 * and shares out the rest, so that this is never worse than all of them cut off. While
 * a meter is lost the controller reckons with the base load of the file.
 *
 * A phase carries it when base load + chargers <= limit; margins are for control and do
 * not count. What stands below counts in all circuits above. A phase on which nothing
 * falls back to more than 0 is none of our doing. */
#ifndef CONFIG_SAFETY_H
#define CONFIG_SAFETY_H

#include "core/site.h"

/* What flows after a loss, at most. */
struct conf_loss {
    int64_t total_ma[SITE_PHASES];
    int64_t power_w;
    int64_t free_ma;  /* on the fullest phase; negative = by so much too much */
    int64_t after_ms; /* the longest until it is so */
};

struct conf_safety {
    int n_connectors;                 /* below it */
    int64_t base_ma[SITE_PHASES];     /* worst base load reckoned with */
    int64_t fallback_ma[SITE_PHASES]; /* sum of fallbacks below it */
    int64_t max_ma[SITE_PHASES];      /* sum of maximums below it */
    bool base_unknown; /* here or below a meter has no base_load: the limit is taken */
    struct conf_loss alone; /* no controller, or no network */
    struct conf_loss blind; /* its meter is lost; only where it has one */
    int64_t frozen_ms; /* the same while it answers with old values; 0 = never found */
    int64_t rise_ms; /* from a rise of the base load to the chargers' answer; metered */
    int phase;       /* overloaded most when alone, or SITE_NONE */
    int64_t over_w;  /* above the power limit when alone, or 0 */
};

/* Fills one entry per circuit. True when every circuit carries what is left. */
bool conf_safety(const struct site *s, struct conf_safety *out);

bool conf_safety_carries(const struct conf_safety *x);

/* The lease that is needed so that chargers that are still controlled have been lowered
 * before one that is cut off rises to its fallback; 0 = it is long enough, or nothing
 * falls back to more than 0. */
int64_t conf_safety_lease_ms(const struct site *s);

/* Fallbacks with which every circuit would be safe, per connector, none higher than
 * now: the highest common bound in whole amperes below each circuit that is overloaded;
 * where that is less than a charger's minimum, the first ones keep their minimum as far
 * as it fits and the others get 0. Returns how many change. */
int conf_safety_mend(const struct site *s, int32_t *fallback_ma);

/* The highest base load on all phases with which the fallbacks fit; negative = none. */
int64_t conf_safety_base_room_ma(const struct site_circuit *c,
                                 const struct conf_safety *x);

#endif
