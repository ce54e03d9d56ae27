/* SPDX-License-Identifier: Apache-2.0 */
/* The independent check of an answer: shares no code with the kernel on purpose. */
#include <string.h>

#include "share.h"

/* What all cars below a circuit draw: on each row, and on each phase those of them that
 * load fewer than three. */
struct sums {
    int64_t row[SHARE_ROWS];
    int64_t few[SITE_PHASES];
};

static int phases_of(const struct share_car *c)
{
    int n = 0;

    for (int p = 0; p < SITE_PHASES; p++)
        n += c->phases >> p & 1;
    return n;
}

static void add(const struct share_tree *t, struct sums *sums,
                const struct share_car *c, int64_t sign)
{
    int n = phases_of(c);
    int64_t ma = sign * c->current_ma, sun = 0;

    if (c->current_ma > c->sun_ma)
        sun = sign * n * ((int64_t)c->current_ma - c->sun_ma);
    for (int v = c->circuit; v != SITE_NONE; v = t->parent[v]) {
        for (int p = 0; p < SITE_PHASES; p++)
            if (c->phases & 1 << p) {
                sums[v].row[p] += ma;
                sums[v].row[SHARE_POWER] += ma;
                sums[v].few[p] += n < SITE_PHASES ? ma : 0;
            }
        sums[v].row[SHARE_SOLAR] += sun;
    }
}

static void cut(const struct share_tree *t, struct sums *sums, struct share_car *c,
                struct why why)
{
    add(t, sums, c, -1);
    c->current_ma = 0;
    c->why = why;
}

static bool below(const struct share_tree *t, int at, int v)
{
    while (at != SITE_NONE && at != v)
        at = t->parent[at];
    return at == v;
}

/* How much too much there is on a row of circuit v. */
static bool row_over(const struct share_tree *t, const struct sums *sums, int v,
                     int row)
{
    return t->room_ma[v][row] != SHARE_NO_LIMIT && sums[v].row[row] > 0 &&
           sums[v].row[row] > t->room_ma[v][row];
}

/* The phase that has too much beside another, or SITE_NONE. */
static int phase_over(const struct share_tree *t, const struct sums *sums, int v)
{
    if (t->unbalance_ma[v] > 0)
        for (int p = 0; p < SITE_PHASES; p++)
            for (int q = 0; q < SITE_PHASES; q++)
                if (sums[v].few[p] - sums[v].few[q] > t->unbalance_ma[v])
                    return p;
    return SITE_NONE;
}

static bool loads_row(const struct share_car *c, int row)
{
    if (row == SHARE_SOLAR)
        return c->current_ma > c->sun_ma;
    return row == SHARE_POWER || c->phases & 1 << row;
}

/* Cars cut to nothing, from the last to the first, until circuit v carries the rest. */
static int cut_circuit(const struct share_tree *t, struct sums *sums,
                       struct share_car *cars, int n, int v)
{
    static const enum reason reasons[SHARE_ROWS] = {
        REASON_CIRCUIT, REASON_CIRCUIT, REASON_CIRCUIT, REASON_POWER, REASON_SOLAR};
    int count = 0, p;

    for (int row = 0; row < SHARE_ROWS; row++)
        for (int i = n - 1; i >= 0 && row_over(t, sums, v, row); i--)
            if (cars[i].current_ma > 0 && loads_row(&cars[i], row) &&
                below(t, cars[i].circuit, v)) {
                cut(t, sums, &cars[i],
                    (struct why){reasons[row], (int16_t)v,
                                 row < SITE_PHASES ? (int8_t)row : SITE_NONE});
                count++;
            }
    for (int i = n - 1; i >= 0 && (p = phase_over(t, sums, v)) != SITE_NONE; i--)
        if (cars[i].current_ma > 0 && cars[i].phases & 1 << p &&
            phases_of(&cars[i]) < SITE_PHASES && below(t, cars[i].circuit, v)) {
            cut(t, sums, &cars[i],
                (struct why){REASON_UNBALANCE, (int16_t)v, (int8_t)p});
            count++;
        }
    return count;
}

static bool possible(const struct share_car *c)
{
    return c->current_ma >= 0 && c->current_ma >= c->min_ma &&
           c->current_ma <= c->max_ma && c->current_ma % c->step_ma == 0;
}

int share_check(const struct share_tree *t, struct share_car *cars, int n,
                void *scratch)
{
    struct sums *sums = scratch;
    int count = 0, more;

    memset(sums, 0, (size_t)t->n_circuits * sizeof *sums);
    for (int i = 0; i < n; i++) {
        if (cars[i].current_ma != 0 && !possible(&cars[i])) {
            cars[i].current_ma = 0;
            cars[i].why = (struct why){REASON_WAITING, SITE_NONE, SITE_NONE};
            count++;
        }
        add(t, sums, &cars[i], 1);
    }
    do { /* a cut on one phase can make another too much beside it */
        more = 0;
        for (int v = 0; v < t->n_circuits; v++)
            more += cut_circuit(t, sums, cars, n, v);
        count += more;
    } while (more > 0);
    return count;
}
