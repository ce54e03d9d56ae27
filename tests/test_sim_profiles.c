/* SPDX-License-Identifier: Apache-2.0 */
/* The limit that follows from charging profiles, by the rules of both standards, seen
 * from the charger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sim/profiles.h"

#define NONE SIM_NO_LIMIT
#define MAX SIM_CHARGE_POINT_MAX
#define DEF SIM_TX_DEFAULT
#define TX SIM_TX
enum { T0 = 1000000 };

/* Short for a profile with one or two periods. All times are from T0. */
struct short_profile {
    int connector, id, level;
    enum sim_purpose purpose;
    enum sim_kind kind;
    int start_s;    /* of an absolute or recurring one */
    int duration_s; /* 0 = no end */
    int tenths;
    int second_s, second_tenths; /* 0 = no second period */
    int phases;
    bool watts;
    int from_s, to_s; /* validFrom, validTo; 0 = not told */
};

static struct sim_profile make(const struct short_profile *f)
{
    struct sim_profile p = {
        .connector = f->connector,
        .id = f->id,
        .level = f->level,
        .purpose = f->purpose,
        .kind = f->kind,
        .every_s = 86400,
        .valid_from_s = f->from_s ? T0 + f->from_s : SIM_NO_TIME,
        .valid_to_s = f->to_s ? T0 + f->to_s : SIM_NO_TIME,
        .n = 1,
        .schedule[0] = {.start_s =
                            f->kind == SIM_RELATIVE ? SIM_NO_TIME : T0 + f->start_s,
                        .duration_s = f->duration_s ? f->duration_s : -1,
                        .watts = f->watts,
                        .min_tenths = -1,
                        .n = f->second_s ? 2 : 1,
                        .period = {{0, f->tenths, f->phases},
                                   {f->second_s, f->second_tenths, f->phases}}},
    };

    return p;
}

enum { MOST = 4 };

struct limit_case {
    const char *what;
    struct short_profile given[MOST]; /* in this order; id 0 ends them */
    int now_s;
    int begun_s; /* of the transaction on connector 1; INT32_MIN = none */
    int wires;   /* 0 = 3 */
    int sharing; /* 0 = 1 */
    int32_t limit_ma;
};

static const struct limit_case limits[] = {
    {"nothing told: no constraint", {{0}}, .limit_ma = NONE},
    {"a default",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 160}},
     .limit_ma = 16000},
    {"a default of 0 A",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 0}},
     .limit_ma = 0},
    {"tenths of amperes",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 63}},
     .limit_ma = 6300},
    {"a default for the charge point holds for each connector",
     {{0, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 100}},
     .limit_ma = 10000},
    {"a default for the connector replaces the general one of its level",
     {{1, 2, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 80},
      {0, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 100}},
     .limit_ma = 8000},
    {"a general default of a higher level prevails",
     {{1, 2, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 80},
      {0, 1, 1, DEF, SIM_ABSOLUTE, -60, .tenths = 100}},
     .limit_ma = 10000},
    {"a default for another connector",
     {{2, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 100}},
     .limit_ma = NONE},
    {"the transaction's overrules the default, also upwards",
     {{1, 1, 5, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
      {1, 2, 0, TX, SIM_ABSOLUTE, -60, .tenths = 200}},
     .limit_ma = 20000},
    {"the transaction's has ended by its duration: the default",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
      {1, 2, 0, TX, SIM_ABSOLUTE, -60, 60, .tenths = 200}},
     .limit_ma = 6000},
    {"... one second before that",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
      {1, 2, 0, TX, SIM_ABSOLUTE, -60, 60, .tenths = 200}},
     .now_s = -1,
     .limit_ma = 20000},
    {"the highest level prevails, not the lowest limit",
     {{1, 1, 1, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
      {1, 2, 3, DEF, SIM_ABSOLUTE, -60, .tenths = 320},
      {1, 3, 2, DEF, SIM_ABSOLUTE, -60, .tenths = 160}},
     .limit_ma = 32000},
    {"a higher level that has run out falls back to the lower one",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -9000, .tenths = 60},
      {1, 2, 1, DEF, SIM_ABSOLUTE, -900, 900, .tenths = 160}},
     .limit_ma = 6000},
    {"one that has run out with nothing below: no constraint",
     {{1, 2, 1, DEF, SIM_ABSOLUTE, -900, 900, .tenths = 160}},
     .limit_ma = NONE},
    {"a start in the future does not count yet",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, 1, .tenths = 60}},
     .limit_ma = NONE},
    {"... and does when it has come",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, 1, .tenths = 60}},
     .now_s = 1,
     .limit_ma = 6000},
    {"before the second period",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 160, .second_s = 61,
       .second_tenths = 60}},
     .limit_ma = 16000},
    {"from the second period on, without end",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 160, .second_s = 60,
       .second_tenths = 60}},
     .limit_ma = 6000},
    {"validFrom in the future",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60, .from_s = 1}},
     .limit_ma = NONE},
    {"validTo is outside",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60, .to_s = 5}},
     .now_s = 5,
     .limit_ma = NONE},
    {"relative: from the begin of the transaction",
     {{1, 1, 0, TX, SIM_RELATIVE, .tenths = 160, .second_s = 100, .second_tenths = 60}},
     .begun_s = -100,
     .limit_ma = 6000},
    {"relative and without a transaction",
     {{1, 1, 0, DEF, SIM_RELATIVE, .tenths = 160}},
     .begun_s = INT32_MIN,
     .limit_ma = NONE},
    {"a TxProfile without its transaction",
     {{1, 1, 0, TX, SIM_ABSOLUTE, -60, .tenths = 160}},
     .begun_s = INT32_MIN,
     .limit_ma = NONE},
    {"recurring daily: on the next day at the same time",
     {{1, 1, 0, DEF, SIM_RECURRING, 0, .tenths = 160, .second_s = 3600,
       .second_tenths = 60}},
     .now_s = 86400 + 3600,
     .limit_ma = 6000},
    {"recurring with a duration: outside of it",
     {{1, 1, 0, DEF, SIM_RECURRING, 0, 600, .tenths = 160}},
     .now_s = 86400 + 600,
     .limit_ma = NONE},
    {"the charge point's maximum caps the transaction",
     {{0, 1, 0, MAX, SIM_ABSOLUTE, -60, .tenths = 100},
      {1, 2, 0, TX, SIM_ABSOLUTE, -60, .tenths = 160}},
     .limit_ma = 10000},
    {"... and does not raise it",
     {{0, 1, 0, MAX, SIM_ABSOLUTE, -60, .tenths = 320},
      {1, 2, 0, TX, SIM_ABSOLUTE, -60, .tenths = 160}},
     .limit_ma = 16000},
    {"two cars share the charge point's maximum",
     {{0, 1, 0, MAX, SIM_ABSOLUTE, -60, .tenths = 200}},
     .sharing = 2,
     .limit_ma = 10000},
    {"W over three phases",
     {{1, 1, 0, TX, SIM_ABSOLUTE, -60, .tenths = 41400, .watts = true}},
     .limit_ma = 6000},
    {"W over three phases where there is one",
     {{1, 1, 0, TX, SIM_ABSOLUTE, -60, .tenths = 13800, .watts = true}},
     .wires = 1,
     .limit_ma = 6000},
    {"W with numberPhases 1 on three wires",
     {{1, 1, 0, TX, SIM_ABSOLUTE, -60, .tenths = 13800, .phases = 1, .watts = true}},
     .limit_ma = 6000},
    {"replaced by its id, on another level",
     {{1, 7, 3, DEF, SIM_ABSOLUTE, -60, .tenths = 320},
      {1, 7, 1, DEF, SIM_ABSOLUTE, -60, .tenths = 60}},
     .limit_ma = 6000},
    {"replaced by its place in the stack, with another id",
     {{1, 1, 3, DEF, SIM_ABSOLUTE, -60, .tenths = 320},
      {1, 2, 3, DEF, SIM_ABSOLUTE, -60, .tenths = 60}},
     .limit_ma = 6000},
    {"replaced by one that begins later: a gap",
     {{1, 1, 3, DEF, SIM_ABSOLUTE, -60, .tenths = 320},
      {1, 1, 3, DEF, SIM_ABSOLUTE, 60, .tenths = 60}},
     .limit_ma = NONE},
    {"an id is unique in the charge point: it moves to the other connector",
     {{1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
      {2, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60}},
     .limit_ma = NONE},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct limit_case *c = &limits[i];
        struct sim_profiles s = {0};
        struct sim_profile_view v = {
            .now_s = T0 + c->now_s,
            .connector = 1,
            .begun_s = c->begun_s == INT32_MIN ? SIM_NO_TIME : T0 + c->begun_s,
            .voltage_mv = 230000,
            .wires = c->wires ? c->wires : 3,
            .sharing = c->sharing ? c->sharing : 1,
        };
        int32_t ma;

        for (int k = 0; k < MOST && c->given[k].id; k++) {
            struct sim_profile p = make(&c->given[k]);

            assert_true(sim_profiles_put(&s, &p));
        }
        ma = sim_profiles_limit_ma(&s, &v);
        if (ma != c->limit_ma)
            print_error("%s: %d mA, expected %d\n", c->what, ma, c->limit_ma);
        assert_int_equal(ma, c->limit_ma);
    }
}

static int phases_told(const struct sim_profiles *s, const struct sim_profile_view *v)
{
    const struct sim_period *p = sim_profiles_period(s, v);

    return p ? p->phases : 0;
}

/* The number of phases goes with the limit that counts. */
static void test_phases(void **state)
{
    static const struct short_profile all[] = {
        {1, 1, 0, DEF, SIM_ABSOLUTE, -60, .tenths = 60},
        {1, 2, 1, DEF, SIM_ABSOLUTE, -60, .tenths = 60, .phases = 3},
        {1, 3, 1, TX, SIM_ABSOLUTE, -60, .tenths = 60, .phases = 1},
    };
    struct sim_profile_view v = {.now_s = T0,
                                 .connector = 1,
                                 .begun_s = SIM_NO_TIME,
                                 .voltage_mv = 230000,
                                 .wires = 3,
                                 .sharing = 1};
    struct sim_profiles s = {0};
    struct sim_profile p;

    (void)state;
    assert_int_equal(phases_told(&s, &v), 0);
    for (size_t i = 0; i < 3; i++) {
        p = make(&all[i]);
        assert_true(sim_profiles_put(&s, &p));
        assert_int_equal(phases_told(&s, &v), i == 0 ? 0 : 3);
    }
    v.begun_s = T0 - 30;
    assert_int_equal(phases_told(&s, &v), 1);
}

static void fill(struct sim_profiles *s)
{
    static const struct short_profile all[] = {
        {0, 1, 0, MAX, SIM_ABSOLUTE, .tenths = 320},
        {1, 2, 0, DEF, SIM_ABSOLUTE, .tenths = 320},
        {1, 3, 1, DEF, SIM_ABSOLUTE, .tenths = 320},
        {2, 4, 1, DEF, SIM_ABSOLUTE, .tenths = 320},
        {1, 5, 1, TX, SIM_ABSOLUTE, .tenths = 320},
    };

    s->n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct sim_profile p = make(&all[i]);

        assert_true(sim_profiles_put(s, &p));
    }
}

static void test_clear(void **state)
{
    enum { ANY = SIM_PROFILE_ANY };
    static const struct {
        const char *what;
        int id, connector, purpose, level, gone;
    } cases[] = {
        {"all", ANY, ANY, ANY, ANY, 5},
        {"by id, whatever else is said", 3, 9, TX, 7, 1},
        {"an id that is not there", 9, ANY, ANY, ANY, 0},
        {"by connector", ANY, 1, ANY, ANY, 3},
        {"connector 0 is the charge point alone", ANY, 0, ANY, ANY, 1},
        {"by purpose", ANY, ANY, DEF, ANY, 3},
        {"by purpose and level", ANY, ANY, DEF, 1, 2},
        {"by all three", ANY, 2, DEF, 1, 1},
        {"by all three, not there", ANY, 2, TX, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sim_profiles s;
        int gone;

        fill(&s);
        gone = sim_profiles_clear(&s, cases[i].id, cases[i].connector, cases[i].purpose,
                                  cases[i].level);
        if (gone != cases[i].gone)
            print_error("%s: %d gone\n", cases[i].what, gone);
        assert_int_equal(gone, cases[i].gone);
        assert_int_equal(s.n, 5 - gone);
    }
}

static void test_end_of_transaction(void **state)
{
    struct sim_profiles s;

    (void)state;
    fill(&s);
    sim_profiles_end(&s, 2);
    assert_int_equal(s.n, 5);
    sim_profiles_end(&s, 1);
    assert_int_equal(s.n, 4);
    for (int i = 0; i < s.n; i++)
        assert_int_not_equal(s.list[i].purpose, SIM_TX);
}

static void test_full(void **state)
{
    struct sim_profiles s = {0};
    struct short_profile f = {1, 0, 0, DEF, SIM_ABSOLUTE, .tenths = 60};
    struct sim_profile p;

    (void)state;
    for (int i = 0; i < SIM_PROFILES; i++) {
        f.id = i + 1;
        f.level = i;
        p = make(&f);
        assert_true(sim_profiles_put(&s, &p));
    }
    f.id = f.level = 99;
    p = make(&f);
    assert_false(sim_profiles_put(&s, &p)); /* no room ... */
    f.id = 1;
    p = make(&f);
    assert_true(sim_profiles_put(&s, &p)); /* ... but one may be replaced */
    assert_int_equal(s.n, SIM_PROFILES);
    f.level = 5; /* id 1 again, on the place of id 6: both are replaced */
    p = make(&f);
    assert_true(sim_profiles_put(&s, &p));
    assert_int_equal(s.n, SIM_PROFILES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits), cmocka_unit_test(test_phases),
        cmocka_unit_test(test_clear),  cmocka_unit_test(test_end_of_transaction),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
