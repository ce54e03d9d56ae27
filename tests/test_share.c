/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel: hand-made cases, and the theorem of max-min fairness on random trees. */
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
    int64_t room[MAX_CIRCUITS][SHARE_ROWS];
    int32_t unbalance[MAX_CIRCUITS];
    struct share_car cars[MAX_CARS];
    int n;
    struct share_tree tree;
};

static void *scratch;

static void begin(struct problem *p, int n_circuits, int n)
{
    memset(p, 0, sizeof *p);
    p->n = n;
    p->tree = (struct share_tree){n_circuits, p->parent, p->room, p->unbalance};
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
    share(&p->tree, p->cars, p->n, SHARE_ADMIT_FIRST, scratch);
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
    assert_int_equal(share_check(&p.tree, p.cars, p.n, scratch), 0);
}

static void test_check_cuts_what_is_wrong(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 2, 2);
    rooms(&p, 1, 20000, 20000, 20000);
    p.cars[0].circuit = p.cars[1].circuit = 1;
    p.cars[0].current_ma = p.cars[1].current_ma = 16000;
    assert_int_equal(share_check(&p.tree, p.cars, p.n, scratch), 1);
    assert_int_equal(p.cars[0].current_ma + p.cars[1].current_ma, 16000);
    p.cars[0].current_ma = 3000; /* between 0 and its minimum */
    p.cars[1].current_ma = 0;
    assert_int_equal(share_check(&p.tree, p.cars, p.n, scratch), 1);
    assert_int_equal(p.cars[0].current_ma, 0);
}

/* ---- tables: one circuit, and one below it ---- */

enum { CARS = 6, A = 1000, NONE = 1000000000 };

struct table_car {
    int circuit;
    uint8_t phases;
    int32_t min_ma, max_ma, step_ma;
    int32_t sun_ma; /* 0 = not at all */
    int tier, turn;
    bool held;
    int32_t offset_ma, weight; /* 0 = 1 */
    int32_t want_ma;
    enum reason why;
};

struct table {
    const char *what;
    enum share_admission how;
    int64_t phases_ma, below_ma, power_ma, solar_ma; /* NONE = no limit */
    int32_t unbalance_ma;
    struct table_car cars[CARS];
};

static void run_table(const struct table *t)
{
    struct problem p;
    int n = 0;

    print_message("%s\n", t->what);
    while (n < CARS && t->cars[n].phases)
        n++;
    begin(&p, 2, n);
    for (int r = 0; r < SITE_PHASES; r++) {
        p.room[0][r] = t->phases_ma == NONE ? SHARE_NO_LIMIT : t->phases_ma;
        p.room[1][r] = t->below_ma == NONE ? SHARE_NO_LIMIT : t->below_ma;
    }
    p.room[0][SHARE_POWER] = t->power_ma == NONE ? SHARE_NO_LIMIT : t->power_ma;
    p.room[0][SHARE_SOLAR] = t->solar_ma == NONE ? SHARE_NO_LIMIT : t->solar_ma;
    p.unbalance[0] = t->unbalance_ma;
    for (int i = 0; i < n; i++) {
        const struct table_car *c = &t->cars[i];

        p.cars[i] = (struct share_car){
            .circuit = (int16_t)c->circuit,
            .phases = c->phases,
            .held = c->held,
            .min_ma = c->min_ma,
            .max_ma = c->max_ma,
            .step_ma = c->step_ma ? c->step_ma : 100,
            .tier = c->tier,
            .turn = c->turn,
            .weight = c->weight ? c->weight : 1,
            .offset_ma = c->offset_ma,
            .sun_ma = c->sun_ma ? c->sun_ma : SHARE_NO_SUN,
        };
    }
    share(&p.tree, p.cars, n, t->how, scratch);
    for (int i = 0; i < n; i++) {
        assert_int_equal(p.cars[i].current_ma, t->cars[i].want_ma);
        assert_string_equal(reason_name(p.cars[i].why.reason),
                            reason_name(t->cars[i].why));
    }
    assert_int_equal(share_check(&p.tree, p.cars, n, scratch), 0);
}

/* min, max */
#define MIN6(m) .min_ma = 6 * A, .max_ma = (m)*A
#define FREE(m) .max_ma = (m)*A
#define GETS(ma, r) .want_ma = (ma), .why = REASON_##r

static void test_solar(void **state)
{
    static const struct table cases[] = {
        {"minimum from the grid, the rest from the sun",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         12 * A,
         0,
         {{0, 7, MIN6(16), .sun_ma = 6 * A, GETS(10 * A, SOLAR)}}},
        {"shared with a car on one phase, where a third counts",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         12 * A,
         0,
         {{0, 7, MIN6(16), .sun_ma = 6 * A, GETS(9 * A, SOLAR)},
          {0, 1, MIN6(16), .sun_ma = 6 * A, GETS(9 * A, SOLAR)}}},
        {"who does not live on it does not care",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         -5 * A,
         0,
         {{0, 7, MIN6(16), GETS(16 * A, MAX)},
          {0, 7, MIN6(16), .sun_ma = 6 * A, GETS(6 * A, SOLAR)}}},
        {"all of the minimum too",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         17 * A,
         0,
         {{0, 7, MIN6(16), .sun_ma = 1, GETS(0, WAITING)},
          {0, 1, MIN6(16), .sun_ma = 1, GETS(16 * A, MAX)}}},
        {"from some current on",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         3 * A,
         0,
         {{0, 1, FREE(16), .sun_ma = 8 * A, GETS(11 * A, SOLAR)},
          {0, 2, FREE(7), .sun_ma = 8 * A, GETS(7 * A, MAX)}}},
        {"one that is stopped before leaves the sun to the other",
         SHARE_ADMIT_FIRST,
         NONE,
         7 * A,
         NONE,
         4 * A,
         0,
         {{1, 1, MIN6(16), .sun_ma = 6 * A, GETS(7 * A, CIRCUIT)},
          {0, 1, MIN6(16), .sun_ma = 6 * A, GETS(9 * A, SOLAR)}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_table(&cases[i]);
}

static void test_unbalance(void **state)
{
    static const struct table cases[] = {
        {"three phases make no difference",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         1 * A,
         {{0, 7, MIN6(32), GETS(32 * A, MAX)}}},
        {"one phase alone",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         20 * A,
         {{0, 7, MIN6(32), GETS(32 * A, MAX)},
          {0, 1, MIN6(32), GETS(20 * A, UNBALANCE)}}},
        {"two on it",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         20 * A,
         {{0, 1, MIN6(32), GETS(10 * A, UNBALANCE)},
          {0, 1, MIN6(32), GETS(10 * A, UNBALANCE)}}},
        {"no room for the minimum of a fourth, its turn or not",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         20 * A,
         {{0, 1, MIN6(32), .turn = 9, GETS(0, WAITING)},
          {0, 1, MIN6(32), GETS(6700, UNBALANCE)},
          {0, 1, MIN6(32), GETS(6700, UNBALANCE)},
          {0, 1, MIN6(32), GETS(6600, UNBALANCE)}}},
        {"others on the other phases let it rise again",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         8 * A,
         {{0, 1, FREE(32), GETS(8 * A, UNBALANCE)},
          {0, 1, FREE(32), GETS(8 * A, UNBALANCE)},
          {0, 1, FREE(32), GETS(8 * A, UNBALANCE)},
          {0, 2, FREE(16), GETS(16 * A, MAX)},
          {0, 4, FREE(16), GETS(16 * A, MAX)}}},
        {"and let in who waited",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         8 * A,
         {{0, 1, MIN6(6), GETS(6 * A, MAX)},
          {0, 1, MIN6(6), GETS(6 * A, MAX)},
          {0, 2, MIN6(16), GETS(16 * A, MAX)},
          {0, 4, MIN6(16), GETS(16 * A, MAX)}}},
        {"two phases against the third",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         10 * A,
         {{0, 3, MIN6(32), GETS(10 * A, UNBALANCE)}}},
        {"a later tier makes room for an earlier one",
         SHARE_ADMIT_FIRST,
         NONE,
         NONE,
         NONE,
         NONE,
         10 * A,
         {{0, 1, FREE(32), GETS(20 * A, UNBALANCE)},
          {0, 6, FREE(10), .tier = 1, GETS(10 * A, MAX)}}},
        {"the deadline's way",
         SHARE_FILL_DROP,
         NONE,
         NONE,
         NONE,
         NONE,
         14 * A,
         {{0, 1, MIN6(32), GETS(7 * A, UNBALANCE)},
          {0, 1, MIN6(32), GETS(7 * A, UNBALANCE)},
          {0, 1, MIN6(32), GETS(0, WAITING)}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_table(&cases[i]);
}

static void test_fill_drop(void **state)
{
    static const struct table cases[] = {
        {"with room for three of five minimums three charge",
         SHARE_FILL_DROP,
         20 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), GETS(6700, CIRCUIT)},
          {0, 7, MIN6(16), GETS(6700, CIRCUIT)},
          {0, 7, MIN6(16), GETS(6600, CIRCUIT)},
          {0, 7, MIN6(16), GETS(0, WAITING)},
          {0, 7, MIN6(16), GETS(0, WAITING)}}},
        {"by turn, not by index",
         SHARE_FILL_DROP,
         15 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), .turn = 3, GETS(0, WAITING)},
          {0, 7, MIN6(16), .turn = 2, GETS(7500, CIRCUIT)},
          {0, 7, MIN6(16), .turn = 1, GETS(7500, CIRCUIT)}}},
        {"minimums take nothing from who is urgent",
         SHARE_FILL_DROP,
         20 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(32), .offset_ma = 16 * A, GETS(20 * A, CIRCUIT)},
          {0, 7, MIN6(32), .offset_ma = 1 * A, GETS(0, WAITING)}}},
        {"unless they are held",
         SHARE_FILL_DROP,
         20 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(32), .offset_ma = 16 * A, GETS(14 * A, CIRCUIT)},
          {0, 7, MIN6(32), .held = true, GETS(6 * A, CIRCUIT)}}},
        {"one tier for each: the first has all it can take",
         SHARE_FILL_DROP,
         24 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), .tier = 3, GETS(0, WAITING)},
          {0, 7, MIN6(16), .tier = 1, GETS(16 * A, MAX)},
          {0, 7, MIN6(16), .tier = 2, GETS(8 * A, CIRCUIT)}}},
        {"what is left over goes to the next whose minimum fits",
         SHARE_FILL_DROP,
         22500,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), .tier = 1, GETS(16 * A, MAX)},
          {0, 7, .min_ma = 9 * A, .max_ma = 16 * A, .tier = 2, GETS(0, WAITING)},
          {0, 7, MIN6(16), .tier = 3, GETS(6500, CIRCUIT)}}},
        {"who was dropped for one that is dropped too comes back",
         SHARE_FILL_DROP,
         15 * A,
         6 * A,
         NONE,
         NONE,
         0,
         {{0, 7, .min_ma = 14 * A, .max_ma = 16 * A, .turn = 1, GETS(0, WAITING)},
          {0, 7, .min_ma = 10 * A, .max_ma = 16 * A, .turn = 2, GETS(0, WAITING)},
          {1, 7, MIN6(6), .turn = 3, .weight = 10, GETS(6 * A, MAX)},
          {0, 7, MIN6(16), .turn = 4, GETS(9 * A, CIRCUIT)}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_table(&cases[i]);
}

static void test_held_and_steps(void **state)
{
    static const struct table cases[] = {
        {"held is admitted before an earlier tier, which has the rest",
         SHARE_ADMIT_FIRST,
         15 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), .tier = 1, .held = true, GETS(6 * A, CIRCUIT)},
          {0, 7, MIN6(16), .tier = 0, GETS(9 * A, CIRCUIT)},
          {0, 7, MIN6(16), .tier = 0, GETS(0, WAITING)}}},
        {"a minimum between steps is the next step",
         SHARE_ADMIT_FIRST,
         19 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, .min_ma = 9200, .max_ma = 16 * A, .step_ma = 1000, GETS(0, WAITING)},
          {0, 7, .min_ma = 9200, .max_ma = 16 * A, .held = true, GETS(16 * A, MAX)}}},
        {"no set point between minimum and maximum",
         SHARE_ADMIT_FIRST,
         19 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, .min_ma = 9200, .max_ma = 9800, .step_ma = 1000, GETS(0, MAX)}}},
        {"steps of different size leave less than the smaller one",
         SHARE_ADMIT_FIRST,
         15500,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, MIN6(16), .step_ma = 1000, GETS(7 * A, CIRCUIT)},
          {0, 7, MIN6(16), GETS(8500, CIRCUIT)}}},
        {"room that three phases cannot take goes to those on one",
         SHARE_ADMIT_FIRST,
         16 * A,
         6500,
         NONE,
         NONE,
         0,
         {{1, 7, MIN6(16), .step_ma = 1000, GETS(6 * A, CIRCUIT)},
          {0, 1, MIN6(16), .step_ma = 1000, GETS(10 * A, CIRCUIT)},
          {0, 2, MIN6(16), .step_ma = 1000, GETS(10 * A, CIRCUIT)}}},
        {"a weight of many thousands loses nothing by rounding",
         SHARE_ADMIT_FIRST,
         30 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 1, FREE(32), .weight = 99991, GETS(20 * A, CIRCUIT)},
          {0, 1, FREE(10), .weight = 77773, GETS(10 * A, MAX)}}},
        {"an offset of years",
         SHARE_ADMIT_FIRST,
         30 * A,
         NONE,
         NONE,
         NONE,
         0,
         {{0, 7, FREE(32), .offset_ma = -2000000000, GETS(10 * A, CIRCUIT)},
          {0, 7, FREE(32), .offset_ma = -1999990000, GETS(20 * A, CIRCUIT)}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_table(&cases[i]);
}

static void test_check_cuts_sun_and_unbalance(void **state)
{
    struct problem p;

    (void)state;
    begin(&p, 1, 2);
    p.room[0][SHARE_SOLAR] = 5 * A;
    p.cars[0].current_ma = p.cars[1].current_ma = 8 * A;
    p.cars[1].sun_ma = 6 * A; /* three phases, 2 A each */
    assert_int_equal(share_check(&p.tree, p.cars, 2, scratch), 1);
    assert_int_equal(p.cars[0].current_ma, 8 * A);
    assert_int_equal(p.cars[1].current_ma, 0);
    begin(&p, 1, 3);
    p.unbalance[0] = 10 * A;
    p.cars[0].current_ma = p.cars[1].current_ma = p.cars[2].current_ma = 8 * A;
    p.cars[0].phases = p.cars[1].phases = 1;
    assert_int_equal(share_check(&p.tree, p.cars, 3, scratch), 1);
    assert_int_equal(p.cars[1].current_ma, 0);
    assert_int_equal(p.cars[1].why.reason, REASON_UNBALANCE);
    assert_int_equal(p.cars[2].current_ma, 8 * A);
    begin(&p, 1, 1);
    p.cars[0].current_ma = 6050; /* not a step */
    assert_int_equal(share_check(&p.tree, p.cars, 1, scratch), 1);
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

/* How often a car's current counts on a row. */
static int times(const struct share_car *c, int r)
{
    return r == SHARE_POWER ? __builtin_popcount(c->phases) : c->phases >> r & 1;
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
            sum += (int64_t)c->current_ma * times(c, r);
    }
    return sum;
}

/* Whether nobody of those who share that row, above its minimum, is on a higher level.
 */
static bool highest_on(const struct problem *p, const struct share_car *c, int v, int r)
{
    double slack = 2 * p->n, level = (double)(c->current_ma - c->offset_ma) / c->weight;

    for (int j = 0; j < p->n; j++) {
        const struct share_car *d = &p->cars[j];
        int at = d->circuit;

        while (at != v && at != SITE_NONE)
            at = p->parent[at];
        if (at == v && d->current_ma > d->min_ma + slack && times(d, r) > 0 &&
            (double)(d->current_ma - d->offset_ma) / d->weight > level + slack)
            return false;
    }
    return true;
}

/* The bottleneck theorem (Bertsekas and Gallager): an allocation is max-min fair if and
 * only if each car below its maximum has a full row on which no other car with more
 * than its minimum stands on a higher level. In steps of 1 mA, of which rounding leaves
 * less than one a car. */
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
            bool found = false;

            if (c->current_ma == 0 || c->why.reason == REASON_MAX)
                continue;
            seen++;
            for (int v = c->circuit; v != SITE_NONE; v = p.parent[v])
                for (int r = 0; r < SHARE_SOLAR; r++)
                    found |= times(c, r) > 0 && p.room[v][r] != SHARE_NO_LIMIT &&
                             p.room[v][r] - row_used(&p, v, r) <= 4 * p.n &&
                             highest_on(&p, c, v, r);
            assert_true(found);
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
        cmocka_unit_test(test_solar),
        cmocka_unit_test(test_unbalance),
        cmocka_unit_test(test_fill_drop),
        cmocka_unit_test(test_held_and_steps),
        cmocka_unit_test(test_check_cuts_sun_and_unbalance),
        cmocka_unit_test(test_random_bottlenecks),
    };
    const char *given = getenv("SEED");
    int failed;

    scratch = malloc(share_size(MAX_CIRCUITS, MAX_CARS));
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("# seed %llu\n", (unsigned long long)seed);
    seed = seed * 2654435761u + 88172645463325252u;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(scratch);
    return failed;
}
