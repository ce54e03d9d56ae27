/* SPDX-License-Identifier: Apache-2.0 */
/* The site as the core knows it: a tree of circuits with the connectors hanging on it.
 *
 * All of it is set by the configuration and does not change while the controller runs.
 * Things are known by their index; names are only carried along for people.
 *
 * Currents are milliamperes per phase, positive when drawn from the grid. Phases are
 * the site's own, L1 L2 L3 = 0 1 2; a charger's rotated wiring is resolved here. */
#ifndef CORE_SITE_H
#define CORE_SITE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SITE_PHASES = 3,
    SITE_NONE = -1,        /* "no such circuit, meter, ..." */
    SITE_NO_PHASE = 0xff,  /* in wiring[]: this phase of the charger is not connected */
    SITE_MAX_DEPTH = 16,   /* circuits from the root to a connector, both counted */
    SITE_MAX_MA = 10000000 /* 10,000 A: no limit of a site may be higher */
};

/* How much a driver wants; `auto` follows the policy of the site. */
enum mode { MODE_AUTO, MODE_OFF, MODE_FAST, MODE_MINSOLAR, MODE_SOLAR, MODE_COUNT };

struct site_circuit {
    const char *name;
    int parent; /* index, smaller than its own; SITE_NONE for the root */
    int32_t limit_ma[SITE_PHASES]; /* what the fuse or the cable carries */
    int32_t margin_ma;             /* kept free on each phase */
    int32_t power_limit_w;         /* over all phases; 0 = none */
    int32_t unbalance_ma;          /* allowed difference between phases; 0 = any */
    int meter;                     /* index, or SITE_NONE */
    int32_t base_ma[SITE_PHASES]; /* base load taken for true while no meter tells it */
};

struct site_connector {
    const char *name;
    int charger;                 /* index of the charge point it belongs to */
    int circuit;                 /* index of the circuit it hangs on */
    uint8_t wiring[SITE_PHASES]; /* site phase on its own L1 L2 L3, or SITE_NO_PHASE */
    bool wiring_unknown;         /* then its current counts on every phase */
    int32_t min_ma;              /* a set point is 0 or at least this; 0 = no minimum */
    int32_t min_3p_ma;           /* the same on three phases; 0 = as min_ma */
    int32_t max_ma;
    int32_t step_ma;     /* granularity of set points: 100 or 1000 */
    int32_t fallback_ma; /* what it draws at most when it is left alone */
    int32_t priority;    /* 0 .. 10, higher is served first where it counts */
    int32_t weight;      /* share under `weighted`, 1 .. 1000 */
    enum mode mode;
    bool phase_switch; /* the charger can be told to use one phase, its own L1 */
};

/* When cars live on the sun, and when they change between one and three phases. */
struct site_solar {
    int32_t start_w;   /* a car starts with its minimum and so much more ... */
    int32_t start_ms;  /* ... after so long */
    int32_t stop_ms;   /* without the sun it keeps its minimum so long */
    int32_t filter_ms; /* the surplus is averaged over this time; 0 = not */
    int32_t switch_w;  /* three phases with their minimum and so much more ... */
    int32_t switch_ms; /* ... after so long */
    int32_t switches;  /* most changes of the number of phases in a session */
};

enum meter_role { METER_CIRCUIT, METER_SOLAR };

struct site_meter {
    const char *name;
    enum meter_role role;
    int32_t interval_ms;
    int32_t max_age_ms;  /* a reading older than this is no reading */
    int32_t max_same_ms; /* nor is one that stays the same for so long; 0 = any time */
};

struct site_charger {
    const char *id;
};

struct policy; /* algorithms/policy.h */

struct site {
    const char *name;
    int32_t voltage_mv; /* phase to neutral, where nothing measures it */
    const struct policy *policy;
    int32_t lease_ms;  /* a set point that is not renewed ends after this time; one
                          below the fallback after twice as long */
    int32_t settle_ms; /* time a car may take to follow a confirmed set point */
    int32_t dwell_ms;  /* a car that was switched on is left on for so long */
    int32_t pause_ms;  /* a car that was switched off is left off for so long */
    int32_t
        writes_per_day; /* raises of a charger's set point; 0 = as many as it takes */
    struct site_solar solar;
    int n_circuits, n_connectors, n_meters, n_chargers;
    const struct site_circuit *circuits;     /* parents before children, 0 = the root */
    const struct site_connector *connectors; /* in any order */
    const struct site_meter *meters;
    const struct site_charger *chargers;
};

/* Bit p is set when the connector can load site phase p. */
uint8_t site_phase_mask(const struct site_connector *c);

/* Turns currents of the charger's own phases into currents of the site's phases.
 * With unknown wiring each site phase gets the largest of them. */
void site_rotate(const struct site_connector *c, const int32_t own_ma[SITE_PHASES],
                 int32_t site_ma[SITE_PHASES]);

/* The longest that a set point above the fallback may hold after it was sent, in ms:
 * its lease, and a 16th of it for clocks that differ and for the way there. */
int64_t site_lease_end_ms(const struct site *s);

/* NULL when the tree is sound, else what is wrong with it (a constant text). */
const char *site_fault(const struct site *s);

const char *mode_name(enum mode m);
/* The mode of that name, or -1. */
int mode_by_name(const char *name);

#endif
