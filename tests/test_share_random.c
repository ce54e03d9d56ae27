/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel on random trees: what must hold of every answer.
 *
 * 100,000 trees of up to 200 connectors, 10,000 under sanitizers, TREES=N for another
 * number, SEED=N for those of a run before. Nothing here is taken from the kernel or
 * from its check: sums and rules are reckoned anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "share.h"

enum { MAX_CARS = 200, MAX_CIRCUITS = 60, UNEVEN = SHARE_ROWS };

struct sums {
    int64_t row[SHARE_ROWS], few[SITE_PHASES];
};

struct problem {
    int parent[MAX_CIRCUITS];
    int64_t room[MAX_CIRCUITS][SHARE_ROWS];
    int32_t unbalance[MAX_CIRCUITS];
    struct share_car cars[MAX_CARS];
    int n;
    bool uneven; /* some circuit limits the difference between phases */
    enum share_admission how;
    struct share_tree tree;
    struct sums sums[MAX_CIRCUITS];
};

static void *scratch;
static uint64_t seed;
static int trees;

static int below(int n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int)(seed % (uint64_t)n);
}

/* ---- problems ---- */

static void random_tree(struct problem *p)
{
    int m = 1 + below(1 + below(MAX_CIRCUITS)), per_car = 4000 + below(30000);

    p->tree = (struct share_tree){m, p->parent, p->room, p->unbalance};
    for (int v = 0; v < m; v++) {
        int cars = 1 + p->n / (v ? 1 + below(m) : 1);

        p->parent[v] = v ? below(v) : SITE_NONE;
        for (int r = 0; r < SHARE_ROWS; r++)
            p->room[v][r] = SHARE_NO_LIMIT;
        for (int r = 0; r < SITE_PHASES; r++)
            if (below(10))
                p->room[v][r] = (int64_t)below(1 + per_car) * cars - below(3000);
        if (below(3) == 0)
            p->room[v][SHARE_POWER] = (int64_t)below(2 * per_car) * cars;
        if (below(5) == 0)
            p->room[v][SHARE_SOLAR] = (int64_t)below(per_car) * cars - below(5000);
        p->unbalance[v] = 0;
        if (p->uneven && below(3) == 0)
            p->unbalance[v] = 6000 + below(30000);
    }
}

static void random_cars(struct problem *p)
{
    static const uint8_t masks[] = {1, 2, 4, 3, 6, 7, 7, 7};
    int tiers = below(3) ? 1 : 1 + below(p->n + 1), wide = below(4);

    for (int i = 0; i < p->n; i++) {
        struct share_car *c = &p->cars[i];

        *c = (struct share_car){
            .circuit = (int16_t)below(p->tree.n_circuits),
            .phases = masks[below(8)],
            .held = below(2),
            .min_ma = below(4) ? 6000 + below(2) * 3200 : 0,
            .max_ma = 6000 + below(27) * 1000 + below(10) * 100,
            .step_ma = below(2) ? 100 : 1000,
            .tier = below(tiers),
            .weight = 1 + below(wide == 3   ? 100000
                                : wide == 2 ? 320
                                            : 1 + wide * 3),
            .sun_ma = SHARE_NO_SUN,
            .turn = below(5),
        };
        if (wide == 2)
            c->offset_ma = -(int64_t)c->weight * (below(4000) - 400);
        else if (below(3) == 0)
            c->offset_ma = below(20000) - 10000;
        if (below(4) == 0)
            c->sun_ma = below(2) ? c->min_ma : below(12000);
    }
}

/* ---- what an answer means, reckoned anew ---- */

/* How often a mA more counts on a row; of the sun's row see sun_of(). */
static int times(const struct share_car *c, int r)
{
    return r < SITE_PHASES ? c->phases >> r & 1 : __builtin_popcount(c->phases);
}

static int64_t sun_of(const struct share_car *c, int64_t ma)
{
    return ma > c->sun_ma ? (ma - c->sun_ma) * times(c, SHARE_SOLAR) : 0;
}

/* What `ma` instead of `was` adds on a row. */
static int64_t adds(const struct share_car *c, int r, int64_t was, int64_t ma)
{
    return r == SHARE_SOLAR ? sun_of(c, ma) - sun_of(c, was) : (ma - was) * times(c, r);
}

static void sum_up(struct problem *p, const int32_t *ma)
{
    memset(p->sums, 0, sizeof p->sums);
    for (int i = 0; i < p->n; i++) {
        const struct share_car *c = &p->cars[i];
        int32_t mine = ma ? ma[i] : c->current_ma;

        for (int v = c->circuit; v != SITE_NONE; v = p->parent[v]) {
            for (int r = 0; r < SHARE_ROWS; r++)
                p->sums[v].row[r] += adds(c, r, 0, mine);
            for (int r = 0; r < SITE_PHASES; r++)
                if (times(c, SHARE_POWER) < SITE_PHASES)
                    p->sums[v].few[r] += adds(c, r, 0, mine);
        }
    }
}

/* Whether a row, or UNEVEN, does not carry `ma` in place of `was`. */
static bool blocks(const struct problem *p, const struct share_car *c, int v, int r,
                   int64_t was, int64_t ma)
{
    const int64_t *few = p->sums[v].few;

    if (r < SHARE_ROWS)
        return p->room[v][r] != SHARE_NO_LIMIT && times(c, r) > 0 &&
               (r != SHARE_SOLAR || sun_of(c, ma) > 0) &&
               p->sums[v].row[r] + adds(c, r, was, ma) > p->room[v][r];
    for (int a = 0; a < SITE_PHASES && p->unbalance[v]; a++)
        for (int b = 0; b < SITE_PHASES; b++)
            if (times(c, a) && !times(c, b) &&
                few[a] + ma - was - few[b] > p->unbalance[v])
                return true;
    return false;
}

static bool fits(const struct problem *p, const struct share_car *c, int64_t was,
                 int64_t ma)
{
    for (int v = c->circuit; v != SITE_NONE; v = p->parent[v])
        for (int r = 0; r <= UNEVEN; r++)
            if (blocks(p, c, v, r, was, ma))
                return false;
    return true;
}

static int32_t least(const struct share_car *c)
{
    return (c->min_ma + c->step_ma - 1) / c->step_ma * c->step_ma;
}

static bool able(const struct share_car *c)
{
    return least(c) <= c->max_ma && c->max_ma >= c->step_ma;
}

/* The next higher set point, or -1 when there is none. */
static int32_t next(const struct share_car *c)
{
    int32_t ma = c->current_ma + c->step_ma;

    if (!able(c))
        return -1;
    if (c->current_ma == 0 && least(c) > 0)
        ma = least(c);
    return ma <= c->max_ma ? ma : -1;
}

/* ---- what must hold ---- */

static void check_limits(const struct problem *p)
{
    for (int v = 0; v < p->tree.n_circuits; v++) {
        for (int r = 0; r < SHARE_ROWS; r++) {
            int64_t sum = p->sums[v].row[r];

            assert_true(sum <= 0 || p->room[v][r] == SHARE_NO_LIMIT ||
                        sum <= p->room[v][r]);
        }
        for (int a = 0; a < SITE_PHASES && p->unbalance[v]; a++)
            for (int b = 0; b < SITE_PHASES; b++)
                assert_true(p->sums[v].few[a] - p->sums[v].few[b] <= p->unbalance[v]);
    }
}

static void check_car(const struct problem *p, const struct share_car *c)
{
    int r = c->why.reason == REASON_POWER       ? SHARE_POWER
            : c->why.reason == REASON_SOLAR     ? SHARE_SOLAR
            : c->why.reason == REASON_UNBALANCE ? UNEVEN
                                                : c->why.phase;

    assert_true(c->current_ma == 0 || c->current_ma >= c->min_ma);
    assert_true(c->current_ma >= 0 && c->current_ma <= c->max_ma);
    assert_int_equal(c->current_ma % c->step_ma, 0);
    if (next(c) < 0) {
        assert_int_equal(c->why.reason, REASON_MAX);
        return;
    }
    /* work conserving, and for the reason that is told */
    assert_false(fits(p, c, c->current_ma, next(c)));
    assert_int_not_equal(c->why.reason, REASON_MAX);
    if (c->why.reason == REASON_WAITING)
        assert_int_equal(c->current_ma, 0);
    else if (r >= 0)
        assert_true(blocks(p, c, c->why.circuit, r, c->current_ma, next(c)));
}

/* Nobody would have a step more if all later tiers had no more than their minimums;
 * with SHARE_FILL_DROP those that are held. */
static void check_tiers(struct problem *p)
{
    static int32_t ma[MAX_CARS];
    bool drop = p->how == SHARE_FILL_DROP;

    for (int i = 0; i < p->n; i += 1 + below(p->n)) {
        struct share_car *c = &p->cars[i];

        if (next(c) < 0)
            continue;
        for (int j = 0; j < p->n; j++) {
            const struct share_car *d = &p->cars[j];

            ma[j] = d->tier <= c->tier                    ? d->current_ma
                    : d->current_ma && (!drop || d->held) ? least(d)
                                                          : 0;
        }
        sum_up(p, ma);
        assert_false(fits(p, c, c->current_ma, next(c)));
    }
}

/* Whoever waits would not have its minimum with those alone that come before it: the
 * held ones, then by tier, turn, index. */
static void check_admission(struct problem *p)
{
    static int32_t ma[MAX_CARS];

    for (int i = 0; i < p->n; i += 1 + below(p->n)) {
        struct share_car *c = &p->cars[i];

        if (c->current_ma > 0 || !able(c) || c->min_ma == 0)
            continue;
        for (int j = 0; j < p->n; j++) {
            const struct share_car *d = &p->cars[j];
            bool before = d->held != c->held   ? d->held
                          : d->tier != c->tier ? d->tier < c->tier
                          : d->turn != c->turn ? d->turn < c->turn
                                               : j < i;

            ma[j] = before && d->current_ma ? least(d) : 0;
        }
        sum_up(p, ma);
        assert_false(fits(p, c, 0, least(c)));
    }
}

static void check_all(struct problem *p)
{
    static struct share_car told[MAX_CARS];

    sum_up(p, NULL);
    check_limits(p);
    for (int i = 0; i < p->n; i++)
        check_car(p, &p->cars[i]);
    memcpy(told, p->cars, sizeof told);
    assert_int_equal(share_check(&p->tree, p->cars, p->n, scratch), 0);
    assert_memory_equal(told, p->cars, (size_t)p->n * sizeof *told);
    if (p->uneven)
        return;
    check_tiers(p);
    if (p->how == SHARE_ADMIT_FIRST)
        check_admission(p);
}

static void random_run(struct problem *p, int count)
{
    for (int i = 0; i < count; i++) {
        p->n = 1 + below(MAX_CARS);
        p->how = below(2) ? SHARE_ADMIT_FIRST : SHARE_FILL_DROP;
        random_tree(p);
        random_cars(p);
        share(&p->tree, p->cars, p->n, p->how, scratch);
        check_all(p);
    }
}

static void test_invariants(void **state)
{
    static struct problem p;

    (void)state;
    p.uneven = false;
    random_run(&p, trees - trees / 4);
}

static void test_invariants_unbalance(void **state)
{
    static struct problem p;

    (void)state;
    p.uneven = true;
    random_run(&p, trees / 4);
}

/* ---- fill, then drop ---- */

/* One after the other, with a filling for each: the rule in its plainest form. */
static void drop_one_by_one(struct problem *p)
{
    static bool gone[MAX_CARS];
    int32_t min_ma[MAX_CARS];

    memset(gone, 0, sizeof gone);
    for (int i = 0; i < p->n; i++)
        min_ma[i] = p->cars[i].min_ma;
    for (int last = 0; last >= 0;) {
        for (int i = 0; i < p->n; i++)
            p->cars[i].min_ma = gone[i] ? INT32_MAX - 1000 : 0;
        share(&p->tree, p->cars, p->n, SHARE_ADMIT_FIRST, scratch);
        last = -1;
        for (int i = 0; i < p->n; i++)
            if (p->cars[i].current_ma > 0 && p->cars[i].current_ma < min_ma[i])
                last = i;
        if (last >= 0)
            gone[last] = true;
    }
    for (int i = 0; i < p->n; i++)
        p->cars[i].min_ma = min_ma[i];
}

static int charging(const struct problem *p)
{
    int n = 0;

    for (int i = 0; i < p->n; i++)
        n += p->cars[i].current_ma > 0;
    return n;
}

/* Dropping many at once lets as many charge as dropping one after the other. */
static void test_drop_is_not_hasty(void **state)
{
    static struct problem p;
    int fewer = 0, more = 0, all = 0;

    (void)state;
    for (int i = 0; i < trees / 100; i++) {
        int one;

        p.n = 1 + below(40);
        random_tree(&p);
        for (int v = 0; v < p.tree.n_circuits; v++)
            p.room[v][SHARE_SOLAR] = SHARE_NO_LIMIT;
        random_cars(&p);
        for (int j = 0; j < p.n; j++) {
            p.cars[j].tier = 0;
            p.cars[j].held = false;
            p.cars[j].turn = 0;
            p.cars[j].step_ma = 1;
        }
        drop_one_by_one(&p);
        one = charging(&p);
        share(&p.tree, p.cars, p.n, SHARE_FILL_DROP, scratch);
        fewer += charging(&p) < one ? one - charging(&p) : 0;
        more += charging(&p) > one ? charging(&p) - one : 0;
        all += one;
    }
    printf("# drop: %d charge one by one, at once %d fewer, %d more\n", all, fewer,
           more);
    assert_true(fewer * 50 <= all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_invariants_unbalance),
        cmocka_unit_test(test_drop_is_not_hasty),
    };
    const char *given = getenv("SEED"), *number = getenv("TREES"),
               *sanitized = getenv("SANITIZED");
    int failed;

    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    trees = number ? atoi(number) : sanitized && *sanitized ? 10000 : 100000;
    printf("# seed %llu, %d trees\n", (unsigned long long)seed, trees);
    seed = seed * 2654435761u + 88172645463325252u;
    scratch = malloc(share_size(MAX_CIRCUITS, MAX_CARS));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(scratch);
    return failed;
}
