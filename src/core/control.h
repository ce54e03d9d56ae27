/* SPDX-License-Identifier: Apache-2.0 */
/* The controller: an event in, orders out. Nothing else goes on in here: no I/O, no
 * clock, no thread, no allocation. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <stddef.h>
#include "event.h"
#include "order.h"

struct control;

/* Bytes that control_init() needs for this site. */
size_t control_size(const struct site *s);

/* Sets up a controller in `mem` (aligned as malloc does). The site is borrowed and must
 * stay as it is. Nothing is granted until meters and chargers have been heard.
 *
 * A controller before this one may have given set points that still hold: until
 * leases_until_ms a charger that we have not heard yet counts with its maximum, then
 * with its fallback. Where nothing was given before, that is now_ms. */
struct control *control_init(void *mem, const struct site *s, int64_t now_ms,
                             int64_t leases_until_ms);

/* The largest number of orders one step can give. */
size_t control_max_orders(const struct site *s);

/* Takes one event in and writes the orders that follow from it to `out`, decreases
 * before increases. Returns their number, at most control_max_orders(). */
size_t control_step(struct control *k, const struct event *e, struct order *out);

/* Takes over what `old` knows of connectors, chargers, meters and circuits after the
 * configuration has changed. map_*[i] = index in the old site, or SITE_NONE. */
struct control_map {
    const int *circuits, *connectors, *meters, *chargers;
};
void control_adopt(struct control *k, const struct control *old,
                   const struct control_map *map);

/* ---- what people want to see ---- */

struct connector_view {
    bool online;
    bool session;
    bool paused;
    bool confirmed; /* the charger has confirmed offered_ma */
    enum connector_status status;
    enum mode mode;
    int32_t priority;
    int32_t offered_ma;               /* last set point told */
    int32_t exposure_ma;              /* what it may draw at most at this moment */
    int32_t measured_ma[SITE_PHASES]; /* site phases; EVENT_NO_VALUE where unknown */
    int64_t measured_at_ms;           /* INT64_MIN = never */
    int64_t energy_wh;                /* last register, or EVENT_NO_ENERGY */
    int32_t power_w;                  /* EVENT_NO_VALUE */
    struct event_wish wish;           /* as it counts; min_ma and max_ma of the car */
    enum wish_source energy_by, departs_by; /* WISH_SOURCES = nobody told */
    struct event_wish asked;                /* of it by commands */
    int32_t ceiling_ma; /* its charger is limited by others to that; EVENT_NO_VALUE */
    int n_phases;       /* it was told to use, 1 or 3; 0 = it cannot switch */
    struct why why;
};

struct circuit_view {
    bool metered;
    bool meter_ok;                   /* fresh; true where there is no meter */
    int32_t limit_ma[SITE_PHASES];   /* in force, external limit counted, no margin */
    int32_t external_ma;             /* EVENT_NO_VALUE = none */
    int32_t external_w;              /* of all that flows in it; 0 = none */
    int32_t external_chargers_w;     /* of the chargers below it; 0 = none */
    int64_t external_until_ms;       /* the first end; INT64_MAX = none is known */
    int32_t base_ma[SITE_PHASES];    /* base load reckoned with */
    int32_t granted_ma[SITE_PHASES]; /* sum of exposures below */
    int32_t total_ma[SITE_PHASES];   /* as its meter reads; EVENT_NO_VALUE */
    int64_t meter_at_ms;             /* INT64_MIN = never */
    int32_t total_w;                 /* as its meter reads; EVENT_NO_VALUE */
};

void control_connector(const struct control *k, int connector,
                       struct connector_view *v);
void control_circuit(const struct control *k, int circuit, struct circuit_view *v);

/* How often the independent check had to cut an answer. Must stay 0. */
uint64_t control_check_failures(const struct control *k);
uint64_t control_steps(const struct control *k);

#endif
