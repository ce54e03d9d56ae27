/* SPDX-License-Identifier: Apache-2.0 */
/* A house with a solar roof, up to three chargers and the controller, on a virtual
 * clock: for the tests of the modes that look at the sun. Chargers act two seconds
 * after an order and cars follow at once; the meter is read every second, samples come
 * every ten. After each second the promise is checked by the house's own sums: base
 * load + what each charger may draw on each phase <= limit. */
#ifndef TESTS_SUNNY_H
#define TESTS_SUNNY_H

#include "core/control.h"

enum { SUNNY_CARS = 3, SUNNY_V = 230 };

struct sunny_box {
    int first; /* the site phase of its own L1 */
    /* what it is */
    bool deaf;    /* confirms a number of phases, but uses three */
    bool refuses; /* every order with one phase */
    bool silent;  /* gives no answers */
    /* how it is */
    bool online, present;
    int car_phases;   /* that the car can use */
    int32_t limit_ma; /* in force */
    int n_phases;     /* in force, 1 or 3 */
    int32_t next_ma;  /* confirmed, acts at acts_ms */
    int next_phases;
    int64_t acts_ms; /* 0 = nothing is under way */
    int32_t draw_ma;
    int starts, hot_switches, switches;
    struct order last; /* ORDER_LIMIT */
};

struct sunny {
    struct site_circuit circuits[1];
    struct site_connector connectors[SUNNY_CARS];
    struct site_meter meters[1];
    struct site_charger chargers[SUNNY_CARS];
    struct site site;
    struct control *k;
    struct order *out;
    int64_t now_ms;
    struct sunny_box box[SUNNY_CARS];
    int32_t pv_w, house_w;     /* spread over the three phases */
    int32_t base_ma;           /* before the last change */
    int64_t excused_ms;        /* a base load that rises is nobody's fault until then */
    bool uncounted;            /* a charger lies: more may flow than is counted */
    bool meter_dead, no_power; /* no_power: the meter tells only currents */
    /* watched */
    int grid_s, grid_longest_s; /* cars draw, and from the grid */
    int64_t car_ws, sun_ws;     /* energy of the cars, and of it from the sun */
};

/* Connectors 6 to 16 A, steps of 0.1 A, three phases, mode solar; `n` of them. */
struct sunny *sunny_new(int n);
void sunny_go(struct sunny *s); /* when the site is as it shall be */
void sunny_free(struct sunny *s);

void sunny_step(struct sunny *s, struct event e);
void sunny_pass(struct sunny *s, int seconds);
void sunny_link(struct sunny *s, int i, bool up);
void sunny_arrive(struct sunny *s, int i, int phases);
void sunny_leave(struct sunny *s, int i);
struct connector_view sunny_view(const struct sunny *s, int i);
/* What the grid connection exports, W. */
int32_t sunny_export_w(const struct sunny *s);

#endif
