/* SPDX-License-Identifier: Apache-2.0 */
/* The independent check of an answer: shares no code with the kernel on purpose. */
#include "share.h"

/* The sum of all cars below circuit v in that row. */
static int64_t row_sum(const struct share_tree *t, const struct share_car *cars, int n,
                       int v, int row)
{
    int64_t sum = 0;

    for (int i = 0; i < n; i++) {
        int at = cars[i].circuit;

        while (at != SITE_NONE && at != v)
            at = t->parent[at];
        if (at != v)
            continue;
        for (int p = 0; p < SITE_PHASES; p++)
            if (cars[i].phases & 1 << p && (row == p || row == SHARE_POWER))
                sum += cars[i].current_ma;
    }
    return sum;
}

static bool below(const struct share_tree *t, int at, int v)
{
    while (at != SITE_NONE && at != v)
        at = t->parent[at];
    return at == v;
}

/* A car cut to nothing, from the last to the first, until the row carries the rest. */
static int cut_row(const struct share_tree *t, struct share_car *cars, int n, int v,
                   int row)
{
    int cut = 0;

    for (int i = n - 1; i >= 0; i--) {
        struct share_car *c = &cars[i];

        if (row_sum(t, cars, n, v, row) <= t->room_ma[v][row])
            break;
        if (c->current_ma == 0 || !below(t, c->circuit, v) ||
            (row < SHARE_POWER && !(c->phases & 1 << row)))
            continue;
        c->current_ma = 0;
        c->why = (struct why){REASON_CIRCUIT, (int16_t)v,
                              row == SHARE_POWER ? SITE_NONE : (int8_t)row};
        cut++;
    }
    return cut;
}

int share_check(const struct share_tree *t, struct share_car *cars, int n)
{
    int cut = 0;

    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[i];

        if (c->current_ma == 0)
            continue;
        if (c->current_ma < c->min_ma || c->current_ma < 0) {
            c->current_ma = 0;
            cut++;
        } else if (c->current_ma > c->max_ma) {
            c->current_ma = c->max_ma;
            cut++;
        }
    }
    for (int v = 0; v < t->n_circuits; v++)
        for (int row = 0; row < SHARE_ROWS; row++)
            if (t->room_ma[v][row] != SHARE_NO_LIMIT)
                cut += cut_row(t, cars, n, v, row);
    return cut;
}
