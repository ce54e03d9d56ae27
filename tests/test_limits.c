/* SPDX-License-Identifier: Apache-2.0 */
/* Limits from schedules, digital inputs and silent sources: the hours of a schedule by
 * the local clock, what the site file says, and what the controller makes of it, on a
 * virtual clock with chargers that take all they may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_util.h"
#include "core/control.h"
#include "io/clock.h"
#include "run/hours.h"
#include "run/limits.h"
#include "run/waiting.h"

/* ---- hours ---- */

enum { SUN = 1, MON = 2, FRI = 32, SAT = 64, ALL = 127 };

static void test_hours(void **state)
{
    static const struct {
        const char *what;
        int days, from, to; /* hhmm */
        const char *now;    /* UTC; Berlin is one hour ahead, in summer two */
        const char *until;  /* "" = it does not hold */
    } cases[] = {
        {"just before", ALL, 1700, 2000, "2026-11-26T15:59:59Z", ""},
        {"begins", ALL, 1700, 2000, "2026-11-26T16:00:00Z", "2026-11-26T19:00:00Z"},
        {"just before its end", ALL, 1700, 2000, "2026-11-26T18:59:59Z",
         "2026-11-26T19:00:00Z"},
        {"ends", ALL, 1700, 2000, "2026-11-26T19:00:00Z", ""},
        {"summer", ALL, 1700, 2000, "2026-07-01T15:00:00Z", "2026-07-01T18:00:00Z"},
        {"not on Thursdays", MON | FRI, 1700, 2000, "2026-11-26T17:00:00Z", ""},
        {"on Fridays", MON | FRI, 1700, 2000, "2026-11-27T17:00:00Z",
         "2026-11-27T19:00:00Z"},
        {"over midnight, before", FRI, 2200, 600, "2026-11-27T21:30:00Z",
         "2026-11-28T05:00:00Z"},
        {"over midnight, after", FRI, 2200, 600, "2026-11-28T04:59:59Z",
         "2026-11-28T05:00:00Z"},
        {"the day of its begin counts", SAT, 2200, 600, "2026-11-28T04:59:59Z", ""},
        {"to midnight", ALL, 2000, 0, "2026-11-26T22:59:00Z", "2026-11-26T23:00:00Z"},
        {"all day, a day on its own", SUN, 0, 0, "2026-11-29T12:00:00Z",
         "2026-11-29T23:00:00Z"},
        {"all around the clock", ALL, 0, 0, "2026-11-26T22:59:59Z",
         "2026-11-26T23:00:00Z"},
        {"over the end of a month", MON, 2300, 100, "2026-11-30T23:30:00Z",
         "2026-12-01T00:00:00Z"},
        /* 2026-03-29: 2:00 becomes 3:00 */
        {"a short night", SAT, 2200, 600, "2026-03-29T03:59:59Z",
         "2026-03-29T04:00:00Z"},
        {"a short night ends", SAT, 2200, 600, "2026-03-29T04:00:00Z", ""},
        {"an hour that is missing", SUN, 200, 400, "2026-03-29T01:00:00Z",
         "2026-03-29T02:00:00Z"},
        /* 2026-10-25: 3:00 becomes 2:00 */
        {"a long night", SAT, 2200, 600, "2026-10-25T04:59:59Z",
         "2026-10-25T05:00:00Z"},
        {"the hour that comes twice: the first", SUN, 230, 245, "2026-10-25T00:30:00Z",
         "2026-10-25T01:45:00Z"},
        {"and the second", SUN, 230, 245, "2026-10-25T01:44:59Z",
         "2026-10-25T01:45:00Z"},
        {"and then it is over", SUN, 230, 245, "2026-10-25T01:45:00Z", ""},
    };

    (void)state;
    clock_set_zone("Europe/Berlin");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf_schedule s = {.days = cases[i].days,
                                  .from_min =
                                      cases[i].from / 100 * 60 + cases[i].from % 100,
                                  .to_min = cases[i].to / 100 * 60 + cases[i].to % 100};
        int64_t now_s, until_s;
        char until[21] = "";

        assert_true(clock_parse_utc(cases[i].now, &now_s));
        if (hours_hold(&s, now_s, &until_s))
            clock_format_utc(until_s, until);
        if (strcmp(until, cases[i].until) != 0)
            fail_msg("%s: until '%s', not '%s'", cases[i].what, until, cases[i].until);
    }
}

/* Every second of a year: it holds for three hours a day and the ends agree. */
static void test_hours_of_a_year(void **state)
{
    struct conf_schedule s = {.days = ALL, .from_min = 17 * 60, .to_min = 20 * 60};
    int64_t now_s, until_s, held = 0, end_s = 0;

    (void)state;
    clock_set_zone("Europe/Berlin");
    assert_true(clock_parse_utc("2026-01-01T00:00:00Z", &now_s));
    for (int minute = 0; minute < 365 * 1440; minute++, now_s += 60) {
        bool holds = hours_hold(&s, now_s, &until_s);

        held += holds;
        assert_true(!holds || (until_s > now_s && until_s <= now_s + 3 * 3600));
        assert_true(holds == (now_s < end_s) || (holds && end_s <= now_s));
        if (holds)
            end_s = until_s;
    }
    assert_int_equal(held, 365 * 180);
}

/* ---- the site file ---- */

static struct config *load(const char *text)
{
    char *said;
    struct config *c = util_load(text, NULL, &said);

    if (!c || *said)
        fail_msg("%s", said);
    free(said);
    return c;
}

#define GRID                                                                           \
    "circuits:\n- {name: grid, limit: 200}\n- {name: garage, parent: grid, limit: "    \
    "100}\n"
#define DIM "inputs:\n- {name: dim, tcp: 'a:502', circuit: garage}\n"

/* Pmin of section 14a for n charge points. */
static void test_least_power(void **state)
{
    static const int32_t least_w[] = {4200,  4200,  7560,  10500, 13020, 15120,
                                      16800, 18060, 18900, 19320, 21210};
    char text[2000];

    (void)state;
    for (int n = 0; n <= 10; n++) {
        int len = sprintf(text, GRID DIM "chargers:\n- {id: other}\n"
                                         "- {id: small, circuit: garage, connectors: "
                                         "[{wiring: L2, max: 16}]}\n");

        for (int i = 0; i < n; i++)
            len += sprintf(text + len, "- {id: c%d, circuit: garage}\n", i);
        struct config *c = load(text);

        assert_int_equal(c->inputs[0].power_w, least_w[n]);
        assert_int_equal(c->inputs[0].circuit, 1);
        assert_int_equal(c->inputs[0].function + 1, 2);
        assert_false(c->inputs[0].lost_inactive);
        config_free(c);
    }
}

static void test_keys(void **state)
{
    struct config *c =
        load("circuits:\n- name: grid\n  limit: 63\n  external_timeout: 2min\n"
             "  external_fallback: 16.5\n  external_fallback_chargers: 4200\n"
             "  external_hold: 2h\n  schedule:\n"
             "  - {days: 'sat-mon, wed', from: 17:00, to: '20:30', limit: 20}\n"
             "  - {from: 00:00, to: 00:00, power: 8000, chargers_power: 5000}\n"
             "mqtt: {}\nchargers:\n- {id: a, limit: 16}\n");
    const struct conf_schedule *s = c->circuits[0].schedule;

    (void)state;
    assert_int_equal(c->circuits[0].silent_after_ms, 120000);
    assert_int_equal(c->circuits[0].silent_ma, 16500);
    assert_int_equal(c->circuits[0].silent_chargers_w, 4200);
    assert_int_equal(c->circuits[0].silent_hold_ms, 7200000);
    assert_int_equal(c->circuits[0].n_schedule, 2);
    assert_int_equal(s[0].days, SAT | SUN | MON | 8);
    assert_int_equal(s[0].from_min, 17 * 60);
    assert_int_equal(s[0].to_min, 20 * 60 + 30);
    assert_int_equal(s[0].limit_ma, 20000);
    assert_int_equal(s[0].power_w + s[0].chargers_w, 0);
    assert_int_equal(s[1].days, ALL);
    assert_int_equal(s[1].from_min, 0);
    assert_int_equal(s[1].to_min, 0); /* of the next day */
    assert_int_equal(s[1].limit_ma, EVENT_NO_VALUE);
    assert_int_equal(s[1].power_w, 8000);
    assert_int_equal(s[1].chargers_w, 5000);
    assert_int_equal(c->circuits[1].n_schedule, 0); /* the charger's own */
    assert_int_equal(c->circuits[1].silent_ma, EVENT_NO_VALUE);
    config_free(c);
}

static void test_bad_keys(void **state)
{
    static const struct {
        const char *what, *text, *said;
    } cases[] = {
        {"no limit", "  schedule: [{from: 17:00, to: 18:00}]\n",
         "site.yaml:4:14: schedule entry: one of 'limit', 'power' or 'chargers_power' "
         "is missing\n"},
        {"no end", "  schedule: [{from: 17:00, limit: 1}]\n",
         "site.yaml:4:14: schedule entry: 'to' is missing\n"},
        {"an hour", "  schedule: [{from: 25:00, to: 18:00, limit: 1}]\n",
         "site.yaml:4:21: from: expected a time of day like 07:30, not '25:00'\n"},
        {"a day",
         "  schedule: [{days: 'mon, fry', from: 17:00, to: 18:00, limit: 1}]\n",
         "site.yaml:4:21: days: expected days like mon-fri or sat, sun, not 'mon, "
         "fry'\n"},
        {"a fail-safe without a time", "  external_fallback: 6\n",
         "site.yaml:2:3: circuit 'grid': 'external_timeout' is missing for its "
         "fail-safe\n"},
        {"a time without a fail-safe", "  external_timeout: 1min\nmqtt: {}\n",
         "site.yaml:4:21: external_timeout: needs external_fallback or "
         "external_fallback_chargers\n"},
        {"nobody to be heard", "  external_timeout: 1min\n  external_fallback: 6\n",
         "site.yaml:4:21: external_timeout: there is no mqtt section to be heard by\n"},
        {"an input without a line", "inputs:\n- name: dim\n",
         "site.yaml:5:3: input 'dim': one of 'tcp', 'rtu' or 'rtutcp' is missing\n"},
        {"an input of no circuit", "inputs:\n- {name: dim, tcp: 'a:502', circuit: g}\n",
         "site.yaml:5:38: circuit: there is no circuit 'g'\n"},
        {"two speeds on a line",
         "inputs:\n- {name: dim, rtu: /dev/ttyS0 9600 8N1}\n"
         "meters:\n- {name: m, model: x, rtu: /dev/ttyS0 19200 8N1, role: solar}\n",
         "site.yaml:5:20: rtu: meter 'm' has other settings on the same line at line "
         "7\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600], *said;

        snprintf(text, sizeof text, "circuits:\n- name: grid\n  limit: 63\n%s%s",
                 cases[i].text, "chargers:\n- {id: a}\n");
        assert_null(util_load(text, NULL, &said));
        if (strcmp(said, cases[i].said) != 0)
            fail_msg("%s: %s", cases[i].what, said);
        free(said);
    }
}

/* ---- the controller ---- */

enum { TEXTS = 40, ANSWERS = 200 };

struct world {
    struct config *c;
    struct limits *l;
    struct control *k;
    struct order *out;
    int64_t now_ms, utc_s;
    int32_t told_ma[16];
    int n_texts;
    char text[TEXTS][240];
    int events; /* EVENT_LIMIT */
};

/* All chargers answer at once, when the orders of a step have been carried out. */
static void step(struct world *w, struct event e)
{
    struct event heard[ANSWERS] = {e};
    int n_heard = 1;

    for (int i = 0; i < n_heard; i++) {
        size_t n;

        heard[i].at_ms = w->now_ms;
        n = control_step(w->k, &heard[i], w->out);
        for (size_t k = 0; k < n; k++) {
            const struct order *o = &w->out[k];

            if (o->kind != ORDER_LIMIT)
                continue;
            w->told_ma[o->who] = o->limit_ma;
            assert_true(n_heard < ANSWERS);
            heard[n_heard++] =
                (struct event){.kind = EVENT_ANSWER,
                               .who = o->who,
                               .answer = {.seq = o->seq, .answer = ANSWER_ACCEPTED}};
        }
    }
}

static void feed(void *arg, const struct event *e)
{
    struct world *w = arg;

    assert_int_equal(e->at_ms, w->now_ms);
    w->events++;
    step(w, *e);
}

static void tell(void *arg, const char *level, const char *code, const char *who,
                 const char *text)
{
    struct world *w = arg;

    assert_true(w->n_texts < TEXTS);
    snprintf(w->text[w->n_texts++], sizeof w->text[0], "%s %s %s: %s", level, code, who,
             text);
}

static int64_t granted_w(void *arg, int circuit)
{
    struct world *w = arg;
    struct circuit_view v;
    int64_t ma = 0;

    control_circuit(w->k, circuit, &v);
    for (int p = 0; p < SITE_PHASES; p++)
        ma += v.granted_ma[p];
    return ma * 230 / 1000;
}

static struct limits *new_limits(struct world *w)
{
    struct limits_hooks h = {w, feed, tell, granted_w};
    struct limits *l = limits_new(w->c, &h, w->now_ms);

    assert_non_null(l);
    return l;
}

static void begin(struct world *w, const char *text, const char *utc)
{
    memset(w, 0, sizeof *w);
    w->c = load(text);
    w->now_ms = 5000000;
    assert_true(clock_parse_utc(utc, &w->utc_s));
    w->k = control_init(malloc(control_size(&w->c->site)), &w->c->site, w->now_ms,
                        w->now_ms);
    w->out = calloc(control_max_orders(&w->c->site), sizeof *w->out);
    w->l = new_limits(w);
    for (int i = 0; i < w->c->site.n_connectors; i++) {
        step(w, (struct event){.kind = EVENT_LINK,
                               .who = w->c->site.connectors[i].charger,
                               .link = {.up = true}});
        step(w,
             (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_CHARGING});
        step(w, (struct event){
                    .kind = EVENT_SESSION, .who = i, .session = {.active = true}});
    }
}

static void end(struct world *w)
{
    limits_free(w->l);
    free(w->k);
    free(w->out);
    config_free(w->c);
}

/* A second for the two clocks, then the tick. */
static void pass(struct world *w, int seconds)
{
    while (seconds-- > 0) {
        w->now_ms += 1000;
        w->utc_s++;
        for (int i = 0; i < w->c->site.n_connectors && w->now_ms % 10000 == 0; i++)
            step(w, (struct event){.kind = EVENT_SAMPLE,
                                   .who = i,
                                   .sample = {.i_ma = {w->told_ma[i], w->told_ma[i],
                                                       w->told_ma[i]},
                                              .p_w = EVENT_NO_VALUE,
                                              .energy_wh = EVENT_NO_ENERGY}});
        limits_tick(w->l, w->now_ms, w->utc_s);
        step(w, (struct event){.kind = EVENT_TICK});
    }
}

static int64_t told_w(const struct world *w)
{
    int64_t ma = 0;

    for (int i = 0; i < w->c->site.n_connectors; i++)
        ma += 3 * w->told_ma[i];
    return ma * 230 / 1000;
}

static void heard(const struct world *w, int from, const char *const *texts)
{
    int n = from;

    for (; *texts; texts++, n++)
        if (n >= w->n_texts || strcmp(w->text[n], *texts) != 0)
            fail_msg("not '%s' but '%s'", *texts, n < w->n_texts ? w->text[n] : "");
    assert_int_equal(w->n_texts, n);
}

static void test_schedule(void **state)
{
    struct world w;

    (void)state;
    clock_set_zone("Europe/Berlin");
    begin(&w,
          "circuits:\n- name: grid\n  limit: 32\n  schedule:\n"
          "  - {days: mon-fri, from: 17:00, to: 17:05, limit: 20}\n"
          "  - {from: 17:05, to: 17:10, limit: 10}\n"
          "  - {from: 17:06, to: 17:08, power: 5520}\n"
          "chargers:\n- {id: a}\n- {id: b}\n",
          "2026-11-26T15:58:00Z");
    pass(&w, 119);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 32000);
    assert_int_equal(w.events, 0);
    pass(&w, 1);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 20000); /* in that very second */
    for (int i = 0; i < 299; i++) {
        pass(&w, 1);
        assert_true(w.told_ma[0] + w.told_ma[1] <= 20000);
    }
    for (int i = 0; i < 60; i++) { /* no gap between the two */
        pass(&w, 1);
        assert_true(w.told_ma[0] + w.told_ma[1] <= 10000);
    }
    pass(&w, 1);
    assert_true(told_w(&w) <= 5520);
    pass(&w, 119);
    assert_true(told_w(&w) <= 5520);
    pass(&w, 90);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 10000);
    pass(&w, 200);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 32000);
    heard(&w, 0,
          (const char *const[]){
              "info schedule grid: limit 20.0 A on each phase until 17:05",
              "info schedule grid: limit 10.0 A on each phase until 17:10",
              "info schedule grid: limit 10.0 A on each phase, 5520 W until 17:08",
              "info schedule grid: limit 10.0 A on each phase until 17:10",
              "info schedule grid: the limit has ended", NULL});
    assert_int_equal(w.events, 5);
    end(&w);
}

/* The machine wakes up in 1970, and somebody sets its clock. */
static void test_clock_not_set(void **state)
{
    struct world w;

    (void)state;
    begin(&w,
          "circuits:\n- name: grid\n  limit: 32\n  schedule:\n"
          "  - {from: 17:00, to: 17:05, limit: 20}\n"
          "chargers:\n- {id: a}\n- {id: b}\n",
          "1970-01-01T00:00:00Z");
    pass(&w, 3600);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 20000);
    assert_true(clock_parse_utc("2026-11-26T12:00:00Z", &w.utc_s));
    pass(&w, 100);
    assert_int_equal(w.told_ma[0] + w.told_ma[1], 32000);
    heard(&w, 0,
          (const char *const[]){
              "warning clock : the clock is not set: all limits of schedules hold",
              "info schedule grid: limit 20.0 A on each phase",
              "info clock : the clock is set: schedules go by it",
              "info schedule grid: the limit has ended", NULL});
    end(&w);
}

#define TEN                                                                            \
    "chargers:\n- {id: c0, circuit: garage}\n- {id: c1, circuit: garage}\n"            \
    "- {id: c2, circuit: garage}\n- {id: c3, circuit: garage}\n"                       \
    "- {id: c4, circuit: garage}\n- {id: c5, circuit: garage}\n"                       \
    "- {id: c6, circuit: garage}\n- {id: c7, circuit: garage}\n"                       \
    "- {id: c8, circuit: garage}\n- {id: c9, circuit: garage}\n"

/* It is read each second. */
static void stays(struct world *w, bool active, int seconds)
{
    for (; seconds > 0; seconds--) {
        limits_input(w->l, 0, active, w->now_ms);
        pass(w, 1);
    }
}

/* The grid operator dims ten charge points to 21,210 W, whatever the house draws. */
static void test_input(void **state)
{
    struct world w;
    int events;

    (void)state;
    begin(&w, GRID DIM TEN, "2026-11-26T12:00:00Z");
    stays(&w, false, 60);
    assert_true(told_w(&w) > 60000);
    for (int i = 0; i < 60; i++) {
        limits_input(w.l, 0, true, w.now_ms);
        assert_in_range(told_w(&w), 16560, 21210); /* at once, four or five cars */
        pass(&w, 1);
    }
    events = w.events;
    assert_int_equal(events, 1); /* the same state again is nothing new */
    pass(&w, 60); /* it cannot be read any more: what was, holds, and then, too */
    assert_in_range(told_w(&w), 16560, 21210);
    stays(&w, false, 120);
    assert_true(told_w(&w) > 60000);
    assert_int_equal(w.n_texts, 3);
    assert_string_equal(
        w.text[0],
        "info input dim: active: chargers below garage draw at most 21210 W together");
    assert_non_null(
        strstr(w.text[1], "info input dim: chargers below garage draw at most "));
    assert_non_null(strstr(w.text[1], " W, 7 s after"));
    assert_string_equal(w.text[2], "info input dim: inactive: the limit of 21210 W has "
                                   "ended after 120 s");
    end(&w);
}

/* It was inactive when it was lost: after its max_age it counts as active, or not. */
static void test_input_lost(void **state)
{
    struct world w;

    (void)state;
    begin(&w, GRID DIM TEN, "2026-11-26T12:00:00Z");
    stays(&w, false, 60);
    pass(&w, 9); /* the last reading was a second ago */
    assert_true(told_w(&w) > 60000);
    pass(&w, 1);
    assert_true(told_w(&w) <= 21210);
    assert_string_equal(w.text[0],
                        "warning input dim: lost, counts as active: chargers below "
                        "garage draw at most 21210 W together");
    stays(&w, false, 120);
    assert_true(told_w(&w) > 60000);
    end(&w);

    begin(&w,
          GRID "inputs:\n- {name: dim, tcp: 'a:502', circuit: garage, lost: inactive, "
               "power: 9000, max_age: 30s}\n" TEN,
          "2026-11-26T12:00:00Z");
    limits_input(w.l, 0, true, w.now_ms);
    pass(&w, 30);
    assert_true(told_w(&w) <= 9000);
    pass(&w, 120);
    assert_true(told_w(&w) > 60000);
    assert_string_equal(w.text[w.n_texts - 1],
                        "warning input dim: lost, counts as inactive: the limit of "
                        "9000 W has ended after 31 s");
    end(&w);
}

/* Two stages: the lower one holds. */
static void test_two_inputs(void **state)
{
    struct world w;

    (void)state;
    begin(
        &w,
        GRID
        "inputs:\n"
        "- {name: one, tcp: 'a:502', circuit: garage, power: 30000, max_age: 1h}\n"
        "- {name: two, tcp: 'a:502', circuit: garage, power: 9000, max_age: 1h}\n" TEN,
        "2026-11-26T12:00:00Z");
    limits_input(w.l, 0, true, w.now_ms);
    pass(&w, 120);
    assert_in_range(told_w(&w), 27000, 30000);
    limits_input(w.l, 1, true, w.now_ms);
    assert_true(told_w(&w) <= 9000);
    limits_input(w.l, 0, false, w.now_ms);
    pass(&w, 120);
    assert_true(told_w(&w) <= 9000);
    limits_input(w.l, 1, false, w.now_ms);
    pass(&w, 120);
    assert_true(told_w(&w) > 60000);
    end(&w);
}

#define HEARD                                                                          \
    "circuits:\n- name: grid\n  limit: 200\n- name: garage\n  parent: grid\n"          \
    "  limit: 100\n  external_timeout: 2min\n"                                         \
    "  external_fallback_chargers: 4200\n"

static void remote(struct world *w, int32_t chargers_w, int seconds)
{
    limits_heard(w->l, 1, w->now_ms);
    step(w, (struct event){.kind = EVENT_LIMIT,
                           .who = 1,
                           .limit = {.limit_ma = EVENT_NO_VALUE,
                                     .until_ms = w->now_ms + 1000 * seconds,
                                     .chargers_w = chargers_w}});
}

/* As a bridge to the grid operator's box would: a limit, heartbeats, silence. */
static void test_silent_source(void **state)
{
    struct world w;

    (void)state;
    begin(&w, HEARD "mqtt: {}\n" TEN, "2026-11-26T12:00:00Z");
    pass(&w, 119);
    assert_true(told_w(&w) > 60000);
    pass(&w, 1); /* never heard since the start */
    assert_true(told_w(&w) <= 4200);
    pass(&w, 7200);
    assert_true(told_w(&w) <= 4200);
    for (int i = 0; i < 10; i++) {
        remote(&w, 0, 0);
        pass(&w, 60);
    }
    assert_true(told_w(&w) > 60000);
    remote(&w, 10000, 7200);
    pass(&w, 60);
    assert_in_range(told_w(&w), 8280, 10000);
    pass(&w, 61); /* its limit would hold, but nobody is there: the lower one does */
    assert_true(told_w(&w) <= 4200);
    heard(
        &w, 0,
        (const char *const[]){
            "warning remote garage: silent for 120 s: fail-safe limit chargers 4200 W",
            "info remote garage: heard again: the fail-safe limit has ended",
            "warning remote garage: silent for 120 s: fail-safe limit chargers 4200 W",
            NULL});
    end(&w);
}

static void test_silence_has_an_end(void **state)
{
    struct world w;

    (void)state;
    begin(&w, HEARD "  external_hold: 2h\nmqtt: {}\n" TEN, "2026-11-26T12:00:00Z");
    pass(&w, 120 + 7199);
    assert_true(told_w(&w) <= 4200);
    pass(&w, 300);
    assert_true(told_w(&w) > 60000);
    pass(&w, 7200); /* only once */
    assert_true(told_w(&w) > 60000);
    remote(&w, 0, 0);
    pass(&w, 121);
    assert_true(told_w(&w) <= 4200);
    assert_int_equal(w.n_texts, 3);
    assert_string_equal(
        w.text[1],
        "info remote garage: still silent, but the fail-safe limit has ended");
    end(&w);
}

/* The file is read again: what holds goes on without a gap, what is gone ends. */
static void test_reload(void **state)
{
    struct world w;
    struct config *before;
    struct limits *old;

    (void)state;
    begin(&w, GRID DIM "- {name: more, tcp: 'a:502', circuit: grid, power: 9000}\n" TEN,
          "2026-11-26T12:00:00Z");
    limits_input(w.l, 0, true, w.now_ms);
    limits_input(w.l, 1, true, w.now_ms);
    pass(&w, 5);
    assert_true(told_w(&w) <= 9000);
    before = w.c;
    old = w.l;
    w.c = load(GRID DIM TEN);
    w.l = new_limits(&w);
    limits_adopt(w.l, old);
    limits_free(old);
    limits_tick(w.l, w.now_ms, w.utc_s);
    for (int i = 0; i < 120; i++) {
        limits_input(w.l, 0, true, w.now_ms);
        pass(&w, 1);
        assert_true(told_w(&w) <= 21210);
    }
    assert_true(told_w(&w) >= 16560);
    end(&w);
    config_free(before);
}

/* ---- events that wait ---- */

/* As many as there are connectors may answer at once: none is lost, and they stay in
 * their order. */
static void test_no_event_is_lost(void **state)
{
    struct waiting w = {0};
    struct event e = {.kind = EVENT_ANSWER};
    int32_t put = 0, taken = 0;

    (void)state;
    assert_false(waiting_take(&w, &e));
    for (int n = 1; n < 3000; n += n / 2 + 1) {
        for (int i = 0; i < n; i++) {
            e.who = put++;
            assert_true(waiting_put(&w, &e));
        }
        for (int i = 0; i < n / 2; i++) {
            assert_true(waiting_take(&w, &e));
            assert_int_equal(e.who, taken++);
        }
    }
    while (waiting_take(&w, &e))
        assert_int_equal(e.who, taken++);
    assert_int_equal(taken, put);
    waiting_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_event_is_lost),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_hours_of_a_year),
        cmocka_unit_test(test_least_power),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_clock_not_set),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_input_lost),
        cmocka_unit_test(test_two_inputs),
        cmocka_unit_test(test_silent_source),
        cmocka_unit_test(test_silence_has_an_end),
        cmocka_unit_test(test_reload),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
