/* SPDX-License-Identifier: Apache-2.0 */
/* Progressive filling on a tree of limits, in integers. See share.h for the problem. */
#include "share.h"

/* Levels and currents are counted in 1/FINE of a milliampere in here: a car at level L
 * has offset * FINE + weight * L, so that no rounding can add up to more than fits. */
enum { FINE = 1024 };

static int n_phases(uint8_t mask)
{
    return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
}

/* How often the car's current counts in that row. */
static int factor(const struct share_car *c, int row)
{
    if (row == SHARE_SOLAR)
        return 0;
    return row == SHARE_POWER ? n_phases(c->phases) : c->phases >> row & 1;
}

static void use(const struct share_tree *t, const struct share_car *c, int64_t fine)
{
    for (int v = c->circuit; v != SITE_NONE; v = t->parent[v])
        for (int r = 0; r < SHARE_ROWS; r++)
            t->used[v][r] += fine * factor(c, r);
}

/* What is still free on a row; negative where base load alone is too much. */
static int64_t left(const struct share_tree *t, int v, int row)
{
    return t->room_ma[v][row] * FINE - t->used[v][row];
}

/* Whether so much more fits on its way to the root; else says in `why` where not. */
static bool fits(const struct share_tree *t, const struct share_car *c, int64_t fine,
                 struct why *why)
{
    for (int v = c->circuit; v != SITE_NONE; v = t->parent[v])
        for (int r = 0; r < SHARE_ROWS; r++) {
            int k = factor(c, r);

            if (!k || t->room_ma[v][r] == SHARE_NO_LIMIT || fine * k <= left(t, v, r))
                continue;
            why->circuit = (int16_t)v;
            why->phase = r == SHARE_POWER ? SITE_NONE : (int8_t)r;
            return false;
        }
    return true;
}

/* ---- order: tier, held before new, turn, index ---- */

static bool before(const struct share_car *cars, int a, int b)
{
    const struct share_car *x = &cars[a], *y = &cars[b];

    if (x->held != y->held)
        return x->held;
    if (x->tier != y->tier)
        return x->tier < y->tier;
    if (x->turn != y->turn)
        return x->turn < y->turn;
    return a < b;
}

static bool by_tier(const struct share_car *cars, int a, int b)
{
    if (cars[a].tier != cars[b].tier)
        return cars[a].tier < cars[b].tier;
    return cars[a].turn != cars[b].turn ? cars[a].turn < cars[b].turn : a < b;
}

/* After rounding: who is lowest on the level of its tier comes first. */
static bool lower(const struct share_car *cars, int a, int b)
{
    const struct share_car *x = &cars[a], *y = &cars[b];
    int64_t l, m;

    if (x->tier != y->tier)
        return x->tier < y->tier;
    l = (x->now - x->offset_ma * FINE) / x->weight;
    m = (y->now - y->offset_ma * FINE) / y->weight;
    return l != m ? l < m : a < b;
}

typedef bool (*less_fn)(const struct share_car *cars, int a, int b);

/* Heapsort: no allocation, n log n whatever comes. */
static void sift(int *order, int from, int n, const struct share_car *cars,
                 less_fn less)
{
    for (int child; (child = 2 * from + 1) < n; from = child) {
        int keep;

        if (child + 1 < n && less(cars, order[child], order[child + 1]))
            child++;
        if (!less(cars, order[from], order[child]))
            return;
        keep = order[from];
        order[from] = order[child];
        order[child] = keep;
    }
}

static void sort(int *order, int n, const struct share_car *cars, less_fn less)
{
    for (int i = n / 2 - 1; i >= 0; i--)
        sift(order, i, n, cars, less);
    for (int last = n - 1; last > 0; last--) {
        int keep = order[0];

        order[0] = order[last];
        order[last] = keep;
        sift(order, 0, last, cars, less);
    }
}

/* ---- admission ---- */

/* Gives each car its minimum, in order; who finds no room for it waits. */
static void admit(const struct share_tree *t, struct share_car *cars, const int *order,
                  int n, enum share_admission how, const bool *dropped)
{
    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[order[i]];
        int32_t step = c->step_ma;

        c->lo = (int64_t)FINE * ((c->min_ma + step - 1) / step * step);
        c->hi = (int64_t)FINE * (c->max_ma / step * step);
        c->now = 0;
        if (how == SHARE_FILL_DROP && !c->held)
            c->lo = 0;
        c->why = (struct why){REASON_WAITING, SITE_NONE, SITE_NONE};
        if (c->hi < c->lo || c->hi == 0)
            c->why.reason = REASON_MAX;
        c->admitted = c->why.reason == REASON_WAITING &&
                      fits(t, c, c->lo ? c->lo : FINE, &c->why);
        if (dropped[order[i]])
            c->admitted = false;
        if (!c->admitted)
            continue;
        c->now = c->lo;
        use(t, c, c->lo);
    }
}

/* ---- filling ---- */

static int64_t at_level(const struct share_car *c, int64_t level)
{
    int64_t fine = c->offset_ma * FINE + c->weight * level;

    return fine < c->lo ? c->lo : fine > c->hi ? c->hi : fine;
}

/* The last level at which the car is still at its minimum. */
static int64_t join_level(const struct share_car *c)
{
    int64_t up = c->lo - c->offset_ma * FINE;

    return up >= 0 ? up / c->weight : -((-up + c->weight - 1) / c->weight);
}

/* The first level at which it is at its maximum. */
static int64_t top_level(const struct share_car *c)
{
    int64_t up = c->hi - c->offset_ma * FINE;

    return up >= 0 ? (up + c->weight - 1) / c->weight : -(-up / c->weight);
}

/* The slope of each row: by how much it fills per level with the cars that grow now. */
static void slopes(const struct share_tree *t, const struct share_car *cars,
                   const int *order, int n, int64_t level)
{
    for (int v = 0; v < t->n_circuits; v++)
        for (int r = 0; r < SHARE_ROWS; r++)
            t->slope[v][r] = 0;
    for (int i = 0; i < n; i++) {
        const struct share_car *c = &cars[order[i]];

        if (c->frozen || level < join_level(c))
            continue;
        for (int v = c->circuit; v != SITE_NONE; v = t->parent[v])
            for (int r = 0; r < SHARE_ROWS; r++)
                t->slope[v][r] += (int64_t)c->weight * factor(c, r);
    }
}

/* The level up to which nothing happens: no row full, no car joins or is at its
 * maximum. At least `level`. */
static int64_t next_level(const struct share_tree *t, const struct share_car *cars,
                          const int *order, int n, int64_t level)
{
    int64_t next = INT64_MAX;

    for (int v = 0; v < t->n_circuits; v++)
        for (int r = 0; r < SHARE_ROWS; r++) {
            int64_t at;

            if (t->room_ma[v][r] == SHARE_NO_LIMIT || t->slope[v][r] == 0)
                continue;
            at = level + left(t, v, r) / t->slope[v][r];
            if (at < next)
                next = at;
        }
    for (int i = 0; i < n; i++) {
        const struct share_car *c = &cars[order[i]];
        int64_t join, top;

        if (c->frozen)
            continue;
        join = join_level(c);
        top = top_level(c);
        if (join > level && join < next)
            next = join;
        if (top < next)
            next = top;
    }
    return next;
}

/* The row on its way that cannot take one level more, if any. */
static bool blocked(const struct share_tree *t, const struct share_car *c,
                    struct why *why)
{
    for (int v = c->circuit; v != SITE_NONE; v = t->parent[v])
        for (int r = 0; r < SHARE_ROWS; r++) {
            if (!factor(c, r) || t->room_ma[v][r] == SHARE_NO_LIMIT ||
                left(t, v, r) >= t->slope[v][r])
                continue;
            *why = (struct why){r == SHARE_POWER ? REASON_POWER : REASON_CIRCUIT,
                                (int16_t)v, r == SHARE_POWER ? SITE_NONE : (int8_t)r};
            return true;
        }
    return false;
}

/* Freezes every car that has reached its maximum or hangs on a row that is full.
 * Returns how many go on. */
static int freeze(const struct share_tree *t, struct share_car *cars, const int *order,
                  int n, int64_t level)
{
    int active = 0;

    slopes(t, cars, order, n, level);
    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[order[i]];

        if (c->frozen)
            continue;
        if (c->now >= c->hi) {
            c->frozen = true;
            c->why = (struct why){REASON_MAX, SITE_NONE, SITE_NONE};
        } else if (level >= join_level(c) && blocked(t, c, &c->why)) {
            c->frozen = true;
        } else {
            active++;
        }
    }
    return active;
}

/* Fills one tier: the n cars order[0..n) of it. */
static void fill(const struct share_tree *t, struct share_car *cars, const int *order,
                 int n)
{
    int64_t level = INT64_MAX;
    int active = 0;

    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[order[i]];
        int64_t join;

        c->frozen = !c->admitted;
        if (c->frozen)
            continue;
        join = join_level(c);
        if (join < level)
            level = join;
        active++;
    }
    while (active > 0 && freeze(t, cars, order, n, level) > 0) {
        slopes(t, cars, order, n, level);
        level = next_level(t, cars, order, n, level);
        for (int i = 0; i < n; i++) {
            struct share_car *c = &cars[order[i]];
            int64_t fine;

            if (c->frozen)
                continue;
            fine = at_level(c, level);
            use(t, c, fine - c->now);
            c->now = fine;
        }
    }
}

/* ---- steps ---- */

/* One step more to whom it still fits, the one that is lowest first. False = to nobody.
 */
static bool hand_out(const struct share_tree *t, struct share_car *cars, int *order,
                     int n)
{
    bool any = false;

    sort(order, n, cars, lower);
    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[order[i]];
        int64_t step = (int64_t)c->step_ma * FINE;
        struct why ignored;

        if (!c->admitted || c->now + step > c->hi || !fits(t, c, step, &ignored))
            continue;
        use(t, c, step);
        c->now += step;
        any = true;
    }
    return any;
}

/* Rounds each car down to its step and hands out what that has left over. */
static void round_steps(const struct share_tree *t, struct share_car *cars, int *order,
                        int n)
{
    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[i];
        int64_t over = c->now % ((int64_t)c->step_ma * FINE);

        use(t, c, -over);
        c->now -= over;
    }
    while (hand_out(t, cars, order, n))
        ;
    for (int i = 0; i < n; i++)
        cars[i].current_ma = (int32_t)(cars[i].now / FINE);
}

static int64_t least(const struct share_car *c)
{
    return (int64_t)FINE * ((c->min_ma + c->step_ma - 1) / c->step_ma * c->step_ma);
}

void share(const struct share_tree *t, struct share_car *cars, int n,
           enum share_admission how, int *order)
{
    bool dropped[6000] = {0};
    int last;

    do {
        last = -1;
        for (int v = 0; v < t->n_circuits; v++)
            for (int r = 0; r < SHARE_ROWS; r++)
                t->used[v][r] = 0;
        for (int i = 0; i < n; i++)
            order[i] = i;
        sort(order, n, cars, before);
        admit(t, cars, order, n, how, dropped);
        sort(order, n, cars, by_tier);
        for (int first = 0, end; first < n; first = end) {
            for (end = first;
                 end < n && cars[order[end]].tier == cars[order[first]].tier;)
                end++;
            fill(t, cars, order + first, end - first);
        }
        if (how == SHARE_FILL_DROP) {
            sort(order, n, cars, before);
            for (int i = 0; i < n; i++)
                if (cars[order[i]].now > 0 &&
                    cars[order[i]].now < least(&cars[order[i]]))
                    last = order[i];
            if (last >= 0)
                dropped[last] = true;
        }
    } while (last >= 0);
    if (how == SHARE_FILL_DROP) {
        sort(order, n, cars, before);
        for (int i = 0; i < n; i++) {
            struct share_car *c = &cars[order[i]];
            struct why ignored;
            if (c->now == 0 && c->min_ma > 0) {
                if (least(c) <= c->hi && fits(t, c, least(c), &ignored)) {
                    c->admitted = true;
                    c->now = least(c);
                    use(t, c, c->now);
                } else {
                    c->admitted = false;
                    c->why.reason = REASON_WAITING;
                }
            }
        }
    }
    round_steps(t, cars, order, n);
}
