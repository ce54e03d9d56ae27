/* SPDX-License-Identifier: Apache-2.0 */
/* Progressive filling as a sequence of events by rising level: a car joins in, begins
 * to live on the sun, reaches its maximum, or a row is full and stops all that grow on
 * it.
 *
 * Events of cars are known beforehand and sorted. Rows stand in a heap by the level at
 * which they will be full. When a car stops, that level can only rise: so it is put
 * right when the row comes up (the heap's keys are lower bounds). When a car joins, it
 * falls, and the row moves up. Each car joins and stops once and each row is full once:
 * n log n on a tree of bounded depth. */
#include "share_work.h"

enum event { JOIN, SUN, TOP };

#define NEVER_FULL INT64_MAX

/* ---- levels ---- */

static int64_t divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Rounded down, also below zero. */
int64_t share_level(int64_t current, int64_t weight)
{
    const int64_t small = INT64_MAX >> (LEVEL_BITS + 1);
    int64_t whole;

    if (current < small && current > -small)
        return divide_down(current * (1 << LEVEL_BITS), weight);
    whole = divide_down(current, weight);
    return whole * (1 << LEVEL_BITS) +
           ((current - whole * weight) << LEVEL_BITS) / weight;
}

static int64_t level_up(int64_t current, int64_t weight)
{
    return -share_level(-current, weight);
}

/* The current of a growing car, rounded down. */
static int64_t at_level(const struct work *c, int64_t level)
{
    int64_t x = c->offset + c->weight * (level >> LEVEL_BITS) +
                (c->weight * (level & ((1 << LEVEL_BITS) - 1)) >> LEVEL_BITS);

    return x < c->x ? c->x : x > c->hi ? c->hi : x;
}

/* ---- the heap ---- */

static void put(struct share_work *s, int at, struct record r)
{
    s->heap[at] = r;
    row_of(s, r.what)->at = at;
}

static void heap_up(struct share_work *s, int at, struct record r)
{
    for (int up; at > 0 && s->heap[up = (at - 1) / 2].key > r.key; at = up)
        put(s, at, s->heap[up]);
    put(s, at, r);
}

static void heap_down(struct share_work *s, int at, struct record r)
{
    for (int child; (child = 2 * at + 1) < s->n_heap; at = child) {
        if (child + 1 < s->n_heap && s->heap[child + 1].key < s->heap[child].key)
            child++;
        if (s->heap[child].key >= r.key)
            break;
        put(s, at, s->heap[child]);
    }
    put(s, at, r);
}

/* ---- rows ---- */

static bool pair(int p, int q, uint8_t phases)
{
    return phases >> p & 1 && !(phases >> q & 1);
}

/* The level at which phase p is as far above q as it may be. */
static int64_t pair_level(const struct node *v, int p, int q)
{
    int64_t slope = v->part_slope[p] - v->part_slope[q];

    if (p == q || slope <= 0)
        return NEVER_FULL;
    return share_level(v->unbalance - v->part[p] + v->part[q], slope);
}

static int64_t full_level(const struct share_work *s, int32_t id)
{
    const struct node *v = &s->nodes[id >> ROW_BITS];
    const struct row *r = row_of(s, id);
    int64_t least = NEVER_FULL;

    if ((id & ((1 << ROW_BITS) - 1)) != ROW_UNBALANCE)
        return r->slope ? share_level(r->left, r->slope) : NEVER_FULL;
    for (int p = 0; p < SITE_PHASES; p++)
        for (int q = 0; q < SITE_PHASES; q++) {
            int64_t level = pair_level(v, p, q);

            least = level < least ? level : least;
        }
    return least;
}

/* The first time that a row is met in this filling. */
static void begin_row(struct share_work *s, int circuit, int kind)
{
    struct node *v = &s->nodes[circuit];
    struct row *r = &v->row[kind];

    r->fill = s->fill;
    r->slope = 0;
    r->at = -1;
    r->full = r->dirty = false;
    s->touched[s->n_touched++] = row_id(circuit, kind);
    if (kind != ROW_UNBALANCE)
        return;
    v->uneven = 0;
    for (int p = 0; p < SITE_PHASES; p++)
        v->part_slope[p] = 0;
}

static void touch(struct share_work *s, int circuit, int kind)
{
    struct row *r = &s->nodes[circuit].row[kind];

    if (!r->dirty) {
        r->dirty = true;
        s->dirty[s->n_dirty++] = row_id(circuit, kind);
    }
}

/* Gives the rows that have changed their places in the heap. Later levels of ordinary
 * rows are left to when they come up. */
static void settle(struct share_work *s)
{
    for (int i = 0; i < s->n_dirty; i++) {
        struct record r = {.what = s->dirty[i]};
        struct row *row = row_of(s, r.what);

        row->dirty = false;
        r.key = full_level(s, r.what);
        if (row->at < 0)
            heap_up(s, s->n_heap++, r);
        else if (r.key < s->heap[row->at].key)
            heap_up(s, row->at, r);
        else if ((r.what & ((1 << ROW_BITS) - 1)) == ROW_UNBALANCE)
            heap_down(s, row->at, r);
    }
    s->n_dirty = 0;
}

/* Whether a row is full before that level: then the first is at the top of the heap. */
static bool full_before(struct share_work *s, int64_t level)
{
    while (s->n_heap > 0 && s->heap[0].key < level) {
        struct record r = s->heap[0];
        int64_t key = full_level(s, r.what);

        if (key == r.key)
            return true;
        r.key = key;
        heap_down(s, 0, r);
    }
    return false;
}

/* ---- cars ---- */

static void add_part(struct node *v, const struct work *c, int64_t by, int64_t slope)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->phases >> p & 1) {
            v->part[p] += by;
            v->part_slope[p] += slope;
        }
}

/* It has grown from x and goes on along its line, on these rows of its way. */
static void grow(struct share_work *s, const struct work *c, unsigned rows, int64_t x)
{
    struct node *node;

    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = node->limited & rows; m; m &= m - 1) {
            int kind = __builtin_ctz(m);
            struct row *r = &node->row[kind];

            if (r->fill != s->fill)
                begin_row(s, v, kind);
            r->left -= (c->offset - x) * row_times(c, kind);
            r->slope += c->weight * row_times(c, kind);
            if (kind == ROW_UNBALANCE)
                add_part(node, c, c->offset - x, c->weight);
            touch(s, v, kind);
        }
    }
}

static void stop(struct share_work *s, struct work *c, int64_t x, int32_t id)
{
    struct node *node;

    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = node->limited & c->rows; m; m &= m - 1) {
            int kind = __builtin_ctz(m);
            struct row *r = &node->row[kind];

            r->left -= (x - c->offset) * row_times(c, kind);
            r->slope -= c->weight * row_times(c, kind);
            if (kind == ROW_UNBALANCE) {
                add_part(node, c, x - c->offset, -c->weight);
                touch(s, v, kind);
            }
        }
    }
    c->x = x;
    c->row = id;
    c->state = WORK_DONE;
    s->n_growing--;
}

static bool stopped_by_pair(const struct node *v, const struct work *c)
{
    for (int p = 0; p < SITE_PHASES; p++)
        for (int q = 0; q < SITE_PHASES; q++)
            if (v->uneven >> (3 * p + q) & 1 && pair(p, q, c->phases))
                return true;
    return false;
}

/* A row of its way that has become full in this filling, if any. */
static int32_t full_row(const struct share_work *s, const struct work *c, unsigned rows)
{
    const struct node *node;

    if (!s->any_full)
        return ROW_NONE;
    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = node->limited & rows; m; m &= m - 1) {
            int r = __builtin_ctz(m);

            if (node->row[r].fill == s->fill &&
                (r == ROW_UNBALANCE ? stopped_by_pair(node, c) : node->row[r].full))
                return row_id(v, r);
        }
    }
    return ROW_NONE;
}

static void on_car(struct share_work *s, struct work *c, enum event e)
{
    unsigned rows = e == SUN ? 1u << SHARE_SOLAR : c->rows;

    if (e == TOP) {
        if (c->state == WORK_GROWS)
            stop(s, c, c->hi, ROW_NONE);
        return;
    }
    if (c->state != (e == JOIN ? WORK_READY : WORK_GROWS))
        return;
    c->row = full_row(s, c, rows);
    if (e == JOIN && c->row != ROW_NONE) {
        c->state = WORK_DONE;
    } else if (c->row != ROW_NONE) {
        stop(s, c, c->sun, c->row);
    } else {
        if (e == SUN)
            c->x = c->sun; /* it will not fall below that */
        grow(s, c, rows, c->x);
        c->rows |= (uint8_t)rows;
        c->state = WORK_GROWS;
        s->n_growing += e == JOIN;
    }
}

/* Stops all that grow on a row that is full at this level. */
static void on_row(struct share_work *s, int first, int end, int32_t id, int64_t level)
{
    int r = id & ((1 << ROW_BITS) - 1), p = 0, q = 1;
    struct node *v = &s->nodes[id >> ROW_BITS];

    if (r == ROW_UNBALANCE) {
        while (pair_level(v, p, q) != level)
            if (++q == SITE_PHASES) {
                p++;
                q = 0;
            }
        v->uneven |= (uint16_t)(1 << (3 * p + q));
    }
    v->row[r].full = true;
    s->any_full = true;
    work_below(s, id >> ROW_BITS, &first, &end);
    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];

        if (c->state == WORK_GROWS && c->rows >> r & 1 &&
            (r != ROW_UNBALANCE || pair(p, q, c->phases)))
            stop(s, c, at_level(c, level), id);
    }
}

/* ---- events ---- */

static void add_event(struct share_work *s, int *n, int64_t level, int i, enum event e)
{
    s->records[(*n)++] = (struct record){level, i << 2 | e};
}

/* Those of one kind after the other: sorting keeps this order within a level. */
static int events(struct share_work *s, int first, int end)
{
    int n = 0;

    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];

        if (c->state != WORK_READY)
            continue;
        if (c->x >= c->hi) {
            c->state = WORK_DONE;
            continue;
        }
        c->rows = (uint8_t)(c->phases | 1u << SHARE_POWER |
                            (c->n < SITE_PHASES) << ROW_UNBALANCE |
                            (c->x >= c->sun) << SHARE_SOLAR);
        add_event(s, &n, share_level(c->x - c->offset, c->weight), i, JOIN);
    }
    for (int i = first; i < end; i++) {
        const struct work *c = &s->cars[i];

        if (c->state == WORK_READY && c->x < c->sun && c->sun < c->hi)
            add_event(s, &n, share_level(c->sun - c->offset, c->weight), i, SUN);
    }
    for (int i = first; i < end; i++) {
        const struct work *c = &s->cars[i];

        if (c->state == WORK_READY)
            add_event(s, &n, level_up(c->hi - c->offset, c->weight), i, TOP);
    }
    share_sort(s->records, n, s->spare);
    return n;
}

void share_fill(struct share_work *s, int first, int end)
{
    int n = events(s, first, end), at = 0;

    s->fill++;
    s->n_heap = s->n_dirty = s->n_touched = s->n_growing = 0;
    s->any_full = false;
    while (at < n || s->n_growing > 0) {
        int64_t level = at < n ? s->records[at].key : NEVER_FULL;

        settle(s);
        if (s->n_growing > 0 && full_before(s, level))
            on_row(s, first, end, s->heap[0].what, s->heap[0].key);
        else
            for (; at < n && s->records[at].key == level; at++)
                on_car(s, &s->cars[s->records[at].what >> 2],
                       (enum event)(s->records[at].what & 3));
    }
}
