/* SPDX-License-Identifier: Apache-2.0 */
/* What a car has had and still wants, by its samples: a table of scenes, in each of
 * which a driver wishes 10 kWh at the start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy.h"
#include "state.h"

enum { STEPS = 6, WISH_WH = 10000 };

#define NONE EVENT_NO_VALUE
#define NO_REGISTER EVENT_NO_ENERGY

/* A sample so many seconds after the one before, or a wish. */
struct step {
    int after_s; /* 0 = no more */
    int32_t p_w, i_ma;
    int64_t register_wh;
    int32_t wish_wh; /* > 0: it is one */
};

/* clang-format off */
static const struct {
    const char *what;
    struct step steps[STEPS];
    int32_t had_wh, wants_wh;
    bool satisfied;
} rows[] = {
    {"nothing is measured", {{0}}, 0, 10000, false},
    {"a register counts from its first value on",
     {{10, 3600, 16000, 70000, 0}, {10, 3600, 16000, 70500, 0}, {60, 0, 0, 71000, 0}},
     1000, 9000, false},
    {"without a register power is summed up: 36 kW for 50 s are 500 Wh",
     {{10, 36000, NONE, NO_REGISTER, 0}, {20, 36000, NONE, NO_REGISTER, 0},
      {30, 0, NONE, NO_REGISTER, 0}}, 500, 9500, false},
    {"without power currents are: 20 A of 230 V for 60 s",
     {{10, NONE, 20000, NO_REGISTER, 0}, {60, NONE, 0, NO_REGISTER, 0}}, 76, 9924, false},
    {"silence for two minutes is not filled up",
     {{10, 36000, NONE, NO_REGISTER, 0}, {120, 36000, NONE, NO_REGISTER, 0}}, 0, 10000, false},
    {"a register takes the place of a guess",
     {{10, 36000, NONE, 500, 0}, {60, 36000, NONE, NO_REGISTER, 0}, {10, 36000, NONE, 900, 0}},
     400, 9600, false},
    {"a register that was reset goes on from there",
     {{10, 0, 0, 500, 0}, {10, 0, 0, 800, 0}, {10, 0, 0, 0, 0}, {10, 0, 0, 200, 0}},
     500, 9500, false},
    {"a register that tells more than there is tells nothing",
     {{10, 0, 0, 300, 0}, {10, 0, 0, 1000000000000000, 0},
      {10, 0, 0, -1000000000000000, 0}, {10, 0, 0, 800, 0}}, 500, 9500, false},
    {"one that jumps far and back again fills up, and does not overflow",
     {{10, 0, 0, -600000000000, 0}, {10, 0, 0, 600000000000, 0},
      {10, 0, 0, -600000000000, 0}, {10, 0, 0, 600000000000, 0},
      {10, 0, 0, -600000000000, 0}, {10, 0, 0, 600000000000, 0}}, INT32_MAX, 0, true},
    {"a wish is never less than nothing",
     {{10, 0, 0, 0, 0}, {10, 0, 0, 12000, 0}}, 12000, 0, true},
    {"99 % of it will do",
     {{10, 0, 0, 0, 0}, {10, 0, 0, 9900, 0}}, 9900, 100, true},
    {"a new wish counts from its time on",
     {{10, 0, 0, 0, 0}, {10, 0, 0, 9000, 0}, {10, .wish_wh = 3000}, {10, 0, 0, 10000, 0}},
     10000, 2000, false},
    {"power that flows back is not had",
     {{10, -7000, NONE, NO_REGISTER, 0}, {60, -7000, NONE, NO_REGISTER, 0}}, 0, 10000, false},
};
/* clang-format on */

static struct site_circuit grid = {
    .name = "grid",
    .parent = SITE_NONE,
    .limit_ma = {63000, 63000, 63000},
    .meter = SITE_NONE,
};
static struct site_connector bay = {
    .name = "bay",
    .wiring = {0, SITE_NO_PHASE, SITE_NO_PHASE},
    .min_ma = 6000,
    .max_ma = 32000,
    .step_ma = 100,
    .weight = 1,
};
static struct site_charger charger = {"CP"};

static void tell(struct control *k, struct event e)
{
    struct order out[32];

    e.at_ms = k->now_ms;
    assert_true(control_max_orders(k->site) <= 32);
    control_step(k, &e, out);
}

static void play(struct control *k, const struct step *s)
{
    struct event e = {.kind = EVENT_SAMPLE,
                      .sample = {{s->i_ma, NONE, NONE}, s->p_w, s->register_wh}};

    k->now_ms += s->after_s * 1000;
    if (s->wish_wh)
        e = (struct event){.kind = EVENT_WISH,
                           .wish = {.energy_wh = s->wish_wh, .departs_ms = INT64_MAX}};
    tell(k, e);
}

static void begin(struct control *k)
{
    tell(k, (struct event){.kind = EVENT_LINK, .link = {.up = true}});
    tell(k, (struct event){.kind = EVENT_STATUS, .status = STATUS_PREPARING});
    tell(k, (struct event){.kind = EVENT_SESSION, .session = {.active = true}});
    tell(k, (struct event){.kind = EVENT_WISH,
                           .wish = {.energy_wh = WISH_WH, .departs_ms = INT64_MAX}});
}

static struct site one_bay(void)
{
    return (struct site){.name = "test",
                         .voltage_mv = 230000,
                         .policy = policies[0],
                         .lease_ms = 900000,
                         .settle_ms = 6000,
                         .dwell_ms = 900000,
                         .pause_ms = 60000,
                         .n_circuits = 1,
                         .n_connectors = 1,
                         .n_chargers = 1,
                         .circuits = &grid,
                         .connectors = &bay,
                         .chargers = &charger};
}

static struct event wish(struct event_wish w)
{
    return (struct event){.kind = EVENT_WISH, .wish = w};
}

static void test_had_and_wants(void **state)
{
    const struct site site = one_bay();
    int bad = 0;

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct control *k =
            control_init(malloc(control_size(&site)), &site, 1000, 1000);
        const struct connector_state *c = &k->connectors[0];

        begin(k);
        for (int i = 0; i < STEPS && rows[r].steps[i].after_s; i++)
            play(k, &rows[r].steps[i]);
        if (energy_had_wh(c) != rows[r].had_wh ||
            energy_wanted_wh(c) != rows[r].wants_wh ||
            energy_satisfied(c) != rows[r].satisfied) {
            print_error("%s: had %d Wh, wants %d Wh, %ssatisfied\n", rows[r].what,
                        energy_had_wh(c), energy_wanted_wh(c),
                        energy_satisfied(c) ? "" : "not ");
            bad++;
        }
        /* the next car begins anew */
        tell(k, (struct event){.kind = EVENT_SESSION});
        tell(k, (struct event){.kind = EVENT_STATUS, .status = STATUS_AVAILABLE});
        assert_int_equal(energy_had_wh(c), 0);
        assert_int_equal(energy_wanted_wh(c), EVENT_NO_VALUE);
        free(k);
    }
    assert_int_equal(bad, 0);
}

/* Three wish, and the first word counts; each energy counts from when it was told. */
static void test_whose_word_holds(void **state)
{
    const struct site site = one_bay();
    struct control *k = calloc(1, control_size(&site));
    struct connector_view v;

    (void)state;
    control_init(k, &site, 0, 0);
    tell(k, (struct event){.kind = EVENT_LINK, .link = {.up = true}});
    tell(k, (struct event){.kind = EVENT_SESSION, .session = {.active = true}});
    control_connector(k, 0, &v);
    assert_int_equal(v.departs_by, WISH_SOURCES);
    tell(k, wish((struct event_wish){NONE, 5000, WISH_FILE, 0, 0}));
    tell(k, wish((struct event_wish){8000, 4000, WISH_CAR, 8000, 20000}));
    play(k, &(struct step){10, 0, 0, 1000, 0});
    play(k, &(struct step){10, 0, 0, 3000, 0});
    control_connector(k, 0, &v);
    assert_int_equal(v.departs_by, WISH_CAR);
    assert_int_equal(v.wish.departs_ms, 4000);
    assert_int_equal(v.wish.energy_wh, 6000);
    assert_int_equal(v.wish.max_ma, 20000);
    assert_int_equal(v.asked.energy_wh, NONE);
    tell(k, wish((struct event_wish){9000, INT64_MAX, WISH_PERSON, 0, 0}));
    play(k, &(struct step){10, 0, 0, 4000, 0});
    control_connector(k, 0, &v);
    assert_int_equal(v.energy_by, WISH_PERSON);
    assert_int_equal(v.departs_by, WISH_CAR);
    assert_int_equal(v.wish.energy_wh, 8000);
    /* who takes his word back leaves the car's, which has counted on */
    tell(k, wish((struct event_wish){NONE, INT64_MAX, WISH_PERSON, 0, 0}));
    control_connector(k, 0, &v);
    assert_int_equal(v.wish.energy_wh, 5000);
    tell(k, (struct event){.kind = EVENT_SESSION});
    control_connector(k, 0, &v);
    assert_int_equal(v.departs_by, WISH_SOURCES);
    assert_int_equal(v.energy_by, WISH_SOURCES);
    assert_int_equal(v.wish.max_ma, 0);
    free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_had_and_wants),
        cmocka_unit_test(test_whose_word_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
