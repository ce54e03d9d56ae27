/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the kernel: what share() works with. Only share*.c include it.
 *
 * Currents are counted in 1/FINE mA, levels with LEVEL_BITS more: so that the rounding
 * of one row's level moves a car by less than FINE-ths of a mA, also with a weight of
 * many thousands, and nothing of it adds up: all is kept as sums of whole numbers. */
#ifndef CORE_SHARE_WORK_H
#define CORE_SHARE_WORK_H

#include "share.h"

enum {
    FINE = 1024,
    LEVEL_BITS = 16,
    ROW_UNBALANCE = SHARE_ROWS, /* the limit on the difference between phases */
    ROW_KINDS,
    ROW_BITS = 3, /* a row's id is its circuit << ROW_BITS | kind */
    ROW_NONE = -1
};

/* While cars grow, a row is full at the level left / slope. */
struct row {
    int64_t left;  /* room less what cars have; of growing ones only the offset */
    int64_t slope; /* sum of the weights of those that grow, as often as they count */
    uint32_t fill; /* slope, at, full and dirty are of this filling */
    int32_t at;    /* place in the heap, or -1 */
    bool full, dirty;
};

struct node {
    int parent;
    int pre, last;   /* numbers of itself and of its last descendant, depth first */
    uint8_t limited; /* bit r: row r has a limit */
    int64_t unbalance;
    /* sums of the cars below that load fewer than three phases, as in struct row */
    int64_t part[SITE_PHASES], part_slope[SITE_PHASES];
    uint16_t uneven; /* bit 3 * p + q: p may not grow beside q; of this filling */
    struct row row[ROW_KINDS];
};

enum work_state { WORK_DONE, WORK_READY, WORK_GROWS };

/* A car, in the order of tiers and depth first in each. */
struct work {
    int64_t min, hi, step, x; /* x: what it has, always counted on its rows */
    int64_t offset, weight, sun;
    int32_t row; /* that it stopped at, or ROW_NONE */
    int32_t index, tier;
    int16_t circuit;
    uint8_t phases, n; /* bit mask, and how many */
    uint8_t rows;      /* bit mask of rows it counts on while it grows */
    uint8_t state;
    bool on; /* admitted */
    bool held;
};

#define NO_SUN (INT64_MAX / 2)

struct record {
    int64_t key;
    int32_t what;
};

struct group {
    int64_t sum, least;
    int32_t count, keep;
};

struct share_work {
    int n_nodes, n;
    struct node *nodes;
    struct work *cars;
    int32_t *order; /* indices of cars[] in order of admission, tier by tier */
    struct record *records, *spare;
    struct record *heap;
    int32_t *dirty, *touched, *at;
    struct group *groups;
    int n_heap, n_dirty, n_touched, n_growing;
    uint32_t fill;
    bool any_full, unbalanced;
};

static inline struct row *row_of(const struct share_work *s, int32_t id)
{
    return &s->nodes[id >> ROW_BITS].row[id & ((1 << ROW_BITS) - 1)];
}

static inline int32_t row_id(int circuit, int kind)
{
    return circuit << ROW_BITS | kind;
}

/* How often a car counts on a row that it counts on. */
static inline int row_times(const struct work *c, int kind)
{
    return kind < SHARE_POWER ? 1 : c->n;
}

/* Whether there is a set point that it can take. */
static inline bool work_able(const struct work *c)
{
    return c->hi >= c->min && c->hi > 0;
}

/* share_rows.c */
/* The first row on its way on which so much more does not fit, or ROW_NONE. */
int32_t work_blocked(const struct share_work *s, const struct work *c, int64_t by);
/* Whether so much more does not fit on that row. */
bool work_blocked_at(const struct share_work *s, const struct work *c, int32_t id,
                     int64_t by);
/* How much more fits; `id` becomes the row that allows no more. */
int64_t work_room(const struct share_work *s, const struct work *c, int32_t *id);
/* It gets so much more, or less, on all its rows; not while it grows. False = now some
 * row is over its limit. */
bool work_take(struct share_work *s, struct work *c, int64_t by);
/* The same, and nothing when it does not fit. */
bool work_try(struct share_work *s, struct work *c, int64_t by);
/* The range of cars[first .. end) that hang below that circuit. */
void work_below(const struct share_work *s, int circuit, int *first, int *end);

/* share_sort.c: by key; equal ones stay in order. `spare` holds n records. */
void share_sort(struct record *r, int n, struct record *spare);

/* share_fill.c: all cars[first .. end) that are WORK_READY grow, until a row or their
 * maximum stops them; then they are WORK_DONE. */
void share_fill(struct share_work *s, int first, int end);
/* The highest level at which weight * level <= current. */
int64_t share_level(int64_t current, int64_t weight);

/* share_steps.c: rounds all cars of a tier to steps and hands out what is left. */
void share_steps(struct share_work *s, int first, int end);
/* As many steps as fit, one car after the other. Whether any did. */
bool share_take_all(struct share_work *s, int first, int end);

/* share_admit.c */
/* Whoever is not on gets its minimum, in order, where it fits; with `held` only those
 * that are held. Whether any did. */
bool share_let_in(struct share_work *s, int first, int end, bool held);
/* The held ones first, with SHARE_ADMIT_FIRST then all. */
void share_admit(struct share_work *s, enum share_admission how);
/* Fills and drops until nobody is between 0 and its minimum. */
void share_fill_drop(struct share_work *s, int first, int end);

#endif
