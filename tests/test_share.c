/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel: hand-made cases, and invariants and max-min fairness on random trees. */
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

enum { MAX_CARS = 200, MAX_CIRCUITS = 40 };

struct problem {
    int parent[MAX_CIRCUITS];
    int64_t room[MAX_CIRCUITS][SHARE_ROWS], used[MAX_CIRCUITS][SHARE_ROWS];
    int64_t slope[MAX_CIRCUITS][SHARE_ROWS];
    int32_t unbalance[MAX_CIRCUITS];
    struct share_car cars[MAX_CARS];
    int order[MAX_CARS];
    int n;
    struct share_tree tree;
};

static void begin(struct problem *p, int n_circuits, int n)
{
    memset(p, 0, sizeof *p);
    p->n = n;
    p->tree = (struct share_tree){n_circuits,   p->parent, p->room,
                                  p->unbalance, p->used,   p->slope};
    for (int v = 0; v < n_circuits; v++) {
        p->parent[v] = v - 1;
        for (int r = 0; r < SHARE_ROWS; r++)
            p->room[v][r] = SHARE_NO_LIMIT;
    }
    for (int i = 0; i < n; i++)
        p->cars[i] = (struct share_car){.phases = 7,
                                        .min_ma = 6000,
                                        .max_ma = 16000,
                                        .step_ma = 100,
                                        .weight = 1,
                                        .sun_ma = SHARE_NO_SUN};
}

static void rooms(struct problem *p, int v, int64_t l1, int64_t l2, int64_t l3)
{
    p->room[v][0] = l1;
    p->room[v][1] = l2;
    p->room[v][2] = l3;
}

static void solve(struct problem *p)
{
    share(&p->tree, p->cars, p->n, SHARE_ADMIT_FIRST, p->order);
}

static void test_equal_share(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 3);
    rooms(&p, 0, 30000, 30000, 30000);
    solve(&p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(p.cars[i].current_ma, 10000);
        assert_int_equal(p.cars[i].why.reason, REASON_CIRCUIT);
        assert_int_equal(p.cars[i].why.circuit, 0);
    }
}

static void test_bottlenecks_at_two_depths(void **state)
{
    struct problem p;

    (void)state;
    /* two cars behind 14 A, one beside them, all behind 40 A: 7 7 16 */
    begin(&p, 2, 3);
    rooms(&p, 0, 40000, 40000, 40000);
    rooms(&p, 1, 14000, 14000, 14000);
    p.cars[0].circuit = p.cars[1].circuit = 1;
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 7000);
    assert_int_equal(p.cars[1].current_ma, 7000);
    assert_int_equal(p.cars[0].why.circuit, 1);
    assert_int_equal(p.cars[2].current_ma, 16000);
    assert_int_equal(p.cars[2].why.reason, REASON_MAX);
}

static void test_phases_apart(void **state)
{
    struct problem p;

    (void)state;
    /* L2 is nearly full: only who uses L2 gets less */
    begin(&p, 1, 3);
    rooms(&p, 0, 60000, 14000, 60000);
    p.cars[0].phases = 1;
    p.cars[1].phases = 2;
    p.cars[2].phases = 7;
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 16000);
    assert_int_equal(p.cars[1].current_ma, 7000);
    assert_int_equal(p.cars[2].current_ma, 7000);
    assert_int_equal(p.cars[2].why.phase, 1);
}

static void test_minimum_decides_who(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 3);
    rooms(&p, 0, 15000, 15000, 15000);
    p.cars[2].held = true; /* it charges already and goes on */
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 7500);
    assert_int_equal(p.cars[1].current_ma, 0);
    assert_int_equal(p.cars[1].why.reason, REASON_WAITING);
    assert_int_equal(p.cars[1].why.circuit, 0);
    assert_int_equal(p.cars[2].current_ma, 7500);
}

static void test_power_limit_counts_phases(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 2);
    p.room[0][SHARE_POWER] = 40000;
    p.cars[0].phases = 1;
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 10000);
    assert_int_equal(p.cars[1].current_ma, 10000);
    assert_int_equal(p.cars[1].why.reason, REASON_POWER);
}

static void test_whole_amperes_leave_nothing(void **state)
{
    struct problem p;
    int sum = 0;

    (void)state;
    begin(&p, 1, 3);
    rooms(&p, 0, 32000, 32000, 32000);
    for (int i = 0; i < 3; i++)
        p.cars[i].step_ma = 1000;
    solve(&p);
    for (int i = 0; i < 3; i++)
        sum += p.cars[i].current_ma;
    assert_int_equal(sum, 32000); /* 11 11 10 */
}

static void test_tiers_weights_offsets(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 3);
    rooms(&p, 0, 30000, 30000, 30000);
    p.cars[2].tier = -1; /* served first, the others share the rest */
    solve(&p);
    assert_int_equal(p.cars[2].current_ma, 16000);
    assert_int_equal(p.cars[0].current_ma, 7000);
    begin(&p, 1, 2);
    rooms(&p, 0, 18000, 18000, 18000);
    p.cars[0].weight = 2;
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 12000);
    assert_int_equal(p.cars[1].current_ma, 6000);
    begin(&p, 1, 2);
    rooms(&p, 0, 20000, 20000, 20000);
    p.cars[1].offset_ma = -4000; /* joins 4 A later */
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 12000);
    assert_int_equal(p.cars[1].current_ma, 8000);
}

static void test_base_load_alone_too_much(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 2);
    rooms(&p, 0, -5000, 30000, 30000);
    p.cars[0].min_ma = 0;
    p.cars[1].phases = 2;
    solve(&p);
    assert_int_equal(p.cars[0].current_ma, 0);
    assert_int_equal(p.cars[1].current_ma, 16000);
    assert_int_equal(share_check(&p.tree, p.cars, p.n), 0);
}

static void test_check_cuts_what_is_wrong(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 2, 2);
    rooms(&p, 1, 20000, 20000, 20000);
    p.cars[0].circuit = p.cars[1].circuit = 1;
    p.cars[0].current_ma = p.cars[1].current_ma = 16000;
    assert_int_equal(share_check(&p.tree, p.cars, p.n), 1);
    assert_int_equal(p.cars[0].current_ma + p.cars[1].current_ma, 16000);
    p.cars[0].current_ma = 3000; /* between 0 and its minimum */
    p.cars[1].current_ma = 0;
    assert_int_equal(share_check(&p.tree, p.cars, p.n), 1);
    assert_int_equal(p.cars[0].current_ma, 0);
}

/* ---- random trees ---- */

static uint64_t seed;

static int random_below(int n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int)(seed % (uint64_t)n);
}

static void random_problem(struct problem *p, int step_ma)
{
    static const uint8_t masks[] = {1, 2, 4, 3, 6, 7, 7, 7};
    int n_circuits = 1 + random_below(12);

    begin(p, n_circuits, 1 + random_below(60));
    for (int v = 0; v < n_circuits; v++) {
        p->parent[v] = v ? random_below(v) : SITE_NONE;
        for (int r = 0; r < SITE_PHASES; r++)
            p->room[v][r] = random_below(200000) - 5000;
        if (random_below(3) == 0)
            p->room[v][SHARE_POWER] = random_below(400000);
    }
    for (int i = 0; i < p->n; i++) {
        struct share_car *c = &p->cars[i];

        c->circuit = (int16_t)random_below(n_circuits);
        c->phases = masks[random_below(8)];
        c->min_ma = random_below(4) ? 6000 : 0;
        c->max_ma = 6000 + random_below(27) * 1000;
        c->step_ma = step_ma ? step_ma : random_below(2) ? 100 : 1000;
        c->weight = 1 + random_below(4);
        c->offset_ma = random_below(3) ? 0 : random_below(20000) - 10000;
        c->tier = random_below(2);
        c->held = random_below(2);
    }
}

static int64_t row_used(const struct problem *p, int v, int r)
{
    int64_t sum = 0;

    for (int i = 0; i < p->n; i++) {
        const struct share_car *c = &p->cars[i];
        int at = c->circuit;

        while (at != v && at != SITE_NONE)
            at = p->parent[at];
        if (at == v)
            sum +=
                (int64_t)c->current_ma *
                (r == SHARE_POWER ? __builtin_popcount(c->phases) : c->phases >> r & 1);
    }
    return sum;
}

/* Whether one more step of car i fits everywhere on its way. */
static bool could_have_more(const struct problem *p, const struct share_car *c,
                            int by_ma)
{
    for (int v = c->circuit; v != SITE_NONE; v = p->parent[v])
        for (int r = 0; r < SHARE_ROWS; r++) {
            int k =
                r == SHARE_POWER ? __builtin_popcount(c->phases) : c->phases >> r & 1;

            if (k && p->room[v][r] != SHARE_NO_LIMIT &&
                row_used(p, v, r) + (int64_t)k * by_ma > p->room[v][r])
                return false;
        }
    return true;
}

static void test_random_invariants(void **state)
{
    static struct problem p;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        random_problem(&p, 0);
        solve(&p);
        for (int i = 0; i < p.n; i++) {
            const struct share_car *c = &p.cars[i];

            assert_true(c->current_ma == 0 ||
                        (c->current_ma >= c->min_ma && c->current_ma <= c->max_ma));
            assert_int_equal(c->current_ma % c->step_ma, 0);
            /* work conserving: who is on and below its maximum cannot have a step more
             */
            if (c->current_ma > 0 && c->current_ma + c->step_ma <= c->max_ma)
                assert_false(could_have_more(&p, c, c->step_ma));
            if (c->why.reason == REASON_WAITING && c->max_ma >= c->min_ma)
                assert_int_equal(c->current_ma, 0);
        }
        for (int v = 0; v < p.tree.n_circuits; v++)
            for (int r = 0; r < SHARE_ROWS; r++) {
                int64_t used = row_used(&p, v, r);

                assert_true(used == 0 || p.room[v][r] == SHARE_NO_LIMIT ||
                            used <= p.room[v][r]);
            }
        assert_int_equal(share_check(&p.tree, p.cars, p.n), 0);
    }
}

/* The bottleneck theorem (Bertsekas and Gallager): an allocation is max-min fair if and
 * only if each car below its maximum has a full row on which no other car of its tier
 * with more than its minimum stands on a higher level. In steps of 1 mA. */
static void test_random_bottlenecks(void **state)
{
    static struct problem p;
    int seen = 0;

    (void)state;
    for (int round = 0; round < 1500; round++) {
        random_problem(&p, 1);
        for (int i = 0; i < p.n; i++)
            p.cars[i].tier = 0;
        solve(&p);
        for (int i = 0; i < p.n; i++) {
            const struct share_car *c = &p.cars[i];
            double level = (double)(c->current_ma - c->offset_ma) / c->weight;
            int v = c->why.circuit,
                r = c->why.reason == REASON_POWER ? SHARE_POWER : c->why.phase;

            /* rounding to 1 mA leaves less than 1 mA a car, handed out where it fits */
            double slack = 2 * p.n;

            if (!c->admitted || c->why.reason == REASON_MAX)
                continue;
            seen++;
            assert_in_range(v, 0, p.tree.n_circuits - 1);
            assert_true(p.room[v][r] - row_used(&p, v, r) <= 4 * p.n);
            for (int j = 0; j < p.n; j++) {
                const struct share_car *d = &p.cars[j];
                int at = d->circuit;

                while (at != v && at != SITE_NONE)
                    at = p.parent[at];
                if (at != v || !d->admitted || d->current_ma <= d->min_ma + slack ||
                    (r < SHARE_POWER && !(d->phases >> r & 1)))
                    continue;
                assert_true((double)(d->current_ma - d->offset_ma) / d->weight <=
                            level + slack);
            }
        }
    }
    assert_true(seen > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_share),
        cmocka_unit_test(test_bottlenecks_at_two_depths),
        cmocka_unit_test(test_phases_apart),
        cmocka_unit_test(test_minimum_decides_who),
        cmocka_unit_test(test_power_limit_counts_phases),
        cmocka_unit_test(test_whole_amperes_leave_nothing),
        cmocka_unit_test(test_tiers_weights_offsets),
        cmocka_unit_test(test_base_load_alone_too_much),
        cmocka_unit_test(test_check_cuts_what_is_wrong),
        cmocka_unit_test(test_random_invariants),
        cmocka_unit_test(test_random_bottlenecks),
    };
    const char *given = getenv("SEED");

    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("# seed %llu\n", (unsigned long long)seed);
    seed = seed * 2654435761u + 88172645463325252u;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
