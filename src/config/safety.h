/* SPDX-License-Identifier: Apache-2.0 */
/* The safety statement: what flows in each circuit when the controller is gone and
 * every charger draws its fallback current. */
#ifndef CONFIG_SAFETY_H
#define CONFIG_SAFETY_H

#include "core/site.h"

struct conf_safety {
    int n_connectors;                 /* below it */
    int64_t base_ma[SITE_PHASES];     /* base load reckoned with */
    int64_t fallback_ma[SITE_PHASES]; /* sum of fallbacks below it */
    int64_t max_ma[SITE_PHASES];      /* sum of maximums below it */
    int64_t power_w;                  /* of base load and fallbacks */
    int phase;         /* the most overloaded one, SITE_NONE when the phases fit */
    bool power_fits;   /* true without a power limit */
    bool base_is_full; /* metered, and the base load is taken to be the whole limit */
};

/* Fills one entry per circuit. True when every circuit carries what is left.
 *
 * A phase carries it when base load + fallbacks <= limit; margins are for control and
 * do not count. The base load of a circuit without a meter is at least the sum of those
 * below it. A circuit in which nothing falls back to more than 0 is none of our doing.
 */
bool conf_safety(const struct site *s, struct conf_safety *out);

#endif
