/* SPDX-License-Identifier: Apache-2.0 */
/* The core against a world that loses, delays and breaks whatever can be: two to six
 * chargers on one circuit, calls and answers that come late or never, links that break
 * unnoticed, chargers and controllers that restart. The world knows what each charger
 * may draw: the set points it has really got, their leases by its own clock, the time
 * its car takes to follow, its fallback. After each step of time the sum is compared
 * with the limit. What the world assumes is what doc/safety.md says.
 *
 * SEED=n plays another one, ROUNDS=n more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/control.h"
#include "policy.h"
#include "sim/rng.h"

enum {
    MOST = 6,
    CALL_MS = 10000, /* ocpp.call_timeout */
    TRIP_MS = 8000,  /* a message is under way for less than this, or lost */
    ROUND_MS = 3 * 3600000,
    NONE = -1
};

/* What the edge waits to tell, or waits for an answer to. */
struct call {
    bool has;
    uint32_t seq;
    int32_t ma;
    int64_t until_ms; /* end of its lease */
    int64_t give_up_ms;
};

/* A request on its way to the charger, or its answer on the way back. */
struct message {
    bool has;
    struct call call;
    int64_t at_ms; /* it arrives */
    enum answer answer;
};

enum { UNDER_WAY = 4, PASTS = 16 };

/* A set point that is no longer in force, but that the car may still go by. */
struct past {
    int32_t ma;
    int64_t until_ms;
};

struct box {
    /* the edge */
    bool up;
    struct call now, next;
    /* the wire */
    struct message there[UNDER_WAY], back;
    int64_t dead_ms;    /* its link is broken, which shows at this time; NONE */
    int64_t connect_ms; /* it connects again; NONE */
    bool boot;
    int64_t mute_ms; /* it is connected, but hears nothing until then */
    /* the charger */
    int32_t set_ma; /* in force */
    struct past past[PASTS];
    int64_t end_ms;   /* of the lease; NONE = the fallback is in force */
    int32_t clock_ms; /* it is ahead by this */
    /* the car */
    bool here;
    int32_t takes_ma;
    int64_t sample_ms;
};

struct world {
    struct sim_rng rng;
    struct site_circuit circuit;
    struct site_connector connectors[MOST];
    struct site_charger chargers[MOST];
    struct site site;
    struct control *k; /* NULL while none runs */
    struct order *out;
    int64_t now_ms, start_ms, leases_until_ms;
    struct box boxes[MOST];
    int pace; /* things happen so much more rarely than at most */
    uint64_t events, raises;
};

static int rnd(struct world *w, int n)
{
    return n > 0 ? (int)sim_rng_between(&w->rng, 0, n - 1) : 0;
}

static bool one_in(struct world *w, int n)
{
    return rnd(w, n) == 0;
}

/* ---- the charger ---- */

static int32_t may_draw(const struct world *w, const struct box *b)
{
    int32_t ma = b->set_ma;

    for (int n = 0; n < PASTS; n++)
        if (b->past[n].until_ms > w->now_ms && b->past[n].ma > ma)
            ma = b->past[n].ma;
    return ma;
}

/* The car follows each set point in the time it may take. */
static void obey(struct world *w, struct box *b, int32_t ma)
{
    struct past *oldest = &b->past[0];

    for (int n = 1; n < PASTS; n++)
        if (b->past[n].until_ms < oldest->until_ms)
            oldest = &b->past[n];
    assert_true(oldest->until_ms <= w->now_ms);
    *oldest = (struct past){b->set_ma, w->now_ms + rnd(w, w->site.settle_ms)};
    b->set_ma = ma;
}

static bool follows(const struct world *w, const struct box *b)
{
    for (int n = 0; n < PASTS; n++)
        if (b->past[n].until_ms + w->site.settle_ms > w->now_ms)
            return true;
    return false;
}

static int32_t fallback_of(const struct world *w, const struct box *b)
{
    return w->connectors[b - w->boxes].fallback_ma;
}

static void take(struct world *w, struct box *b, const struct call *c)
{
    b->end_ms = c->until_ms - b->clock_ms;
    if (b->end_ms <= w->now_ms) {
        b->end_ms = NONE;
        obey(w, b, fallback_of(w, b));
    } else {
        obey(w, b, c->ma);
    }
}

static void charger_time(struct world *w, struct box *b)
{
    if (b->end_ms != NONE && w->now_ms >= b->end_ms) {
        b->end_ms = NONE;
        obey(w, b, fallback_of(w, b));
    }
}

/* ---- the edge, and the wire ---- */

static void feed(struct world *w, struct event e);

static void answer(struct world *w, int i, struct call *c, enum answer a)
{
    if (!c->has)
        return;
    c->has = false;
    feed(w, (struct event){.kind = EVENT_ANSWER,
                           .who = i,
                           .answer = {.seq = c->seq, .answer = a}});
}

/* One call at a time; one connection keeps their order. */
static void pump(struct world *w, int i)
{
    struct box *b = &w->boxes[i];
    int64_t at_ms = w->now_ms + rnd(w, one_in(w, 4) ? TRIP_MS : 200);

    if (!b->up || b->now.has || !b->next.has)
        return;
    b->now = b->next;
    b->next.has = false;
    b->now.give_up_ms = w->now_ms + CALL_MS;
    if (b->dead_ms != NONE || w->now_ms < b->mute_ms || one_in(w, 12))
        return; /* it is lost */
    for (int n = 0; n < UNDER_WAY; n++)
        if (b->there[n].has && b->there[n].at_ms > at_ms)
            at_ms = b->there[n].at_ms;
    for (int n = 0; n < UNDER_WAY; n++)
        if (!b->there[n].has) {
            b->there[n] = (struct message){true, b->now, at_ms, ANSWER_ACCEPTED};
            return;
        }
}

static void order(struct world *w, const struct order *o)
{
    struct box *b = &w->boxes[o->who];
    struct call c = {true, o->seq, o->limit_ma, w->now_ms + o->lease_ms, 0};

    answer(w, o->who, &b->next, ANSWER_REJECTED);
    w->raises += o->limit_ma > 0;
    w->leases_until_ms = w->now_ms + site_lease_end_ms(&w->site) + w->site.settle_ms;
    if (b->up) {
        b->next = c;
        pump(w, o->who);
    } else {
        answer(w, o->who, &c, ANSWER_REJECTED);
    }
}

static void feed(struct world *w, struct event e)
{
    struct order mine[8 * MOST + 8];
    size_t n;

    if (!w->k)
        return;
    e.at_ms = w->now_ms;
    w->events++;
    n = control_step(w->k, &e, w->out);
    assert_true(n <= sizeof mine / sizeof *mine);
    memcpy(mine, w->out, n * sizeof *mine);
    for (size_t j = 0; j < n; j++)
        if (mine[j].kind == ORDER_LIMIT)
            order(w, &mine[j]);
}

static void link_event(struct world *w, int i, bool up, bool boot)
{
    feed(w, (struct event){.kind = EVENT_LINK, .who = i, .link = {up, boot}});
}

static void status(struct world *w, int i)
{
    enum connector_status s = w->boxes[i].here ? STATUS_CHARGING : STATUS_AVAILABLE;

    if (w->boxes[i].up && w->boxes[i].dead_ms == NONE)
        feed(w, (struct event){.kind = EVENT_STATUS, .who = i, .status = s});
}

static void down(struct world *w, int i)
{
    struct box *b = &w->boxes[i];

    if (!b->up)
        return;
    b->up = false;
    b->back.has = false;
    answer(w, i, &b->now, ANSWER_NONE);
    answer(w, i, &b->next, ANSWER_REJECTED);
    link_event(w, i, false, false);
}

/* A charger listens to its newest connection only. */
static void connect(struct world *w, int i)
{
    struct box *b = &w->boxes[i];

    b->connect_ms = NONE;
    if (!w->k) {
        b->connect_ms = w->now_ms + 1000 + rnd(w, 20000);
        return;
    }
    down(w, i);
    b->dead_ms = NONE;
    for (int n = 0; n < UNDER_WAY; n++)
        b->there[n].has = false;
    b->up = true;
    link_event(w, i, true, false);
    if (b->boot)
        link_event(w, i, true, true);
    b->boot = false;
    status(w, i);
}

static void arrive(struct world *w, struct box *b, struct message *m)
{
    bool refuses = one_in(w, 15);

    m->has = false;
    if (!refuses)
        take(w, b, &m->call);
    if (b->dead_ms == NONE && b->up && !one_in(w, 12) && b->now.has &&
        b->now.seq == m->call.seq)
        b->back = (struct message){true, m->call,
                                   w->now_ms + rnd(w, one_in(w, 4) ? TRIP_MS : 200),
                                   refuses ? ANSWER_REJECTED : ANSWER_ACCEPTED};
}

/* The oldest first. */
static void wire_time(struct world *w, int i)
{
    struct box *b = &w->boxes[i];
    struct message *m;

    do {
        m = NULL;
        for (int n = 0; n < UNDER_WAY; n++)
            if (b->there[n].has && w->now_ms >= b->there[n].at_ms &&
                (!m || b->there[n].call.seq < m->call.seq))
                m = &b->there[n];
        if (m)
            arrive(w, b, m);
    } while (m);
    if (b->back.has && w->now_ms >= b->back.at_ms) {
        b->back.has = false;
        if (b->now.has && b->now.seq == b->back.call.seq)
            answer(w, i, &b->now, b->back.answer);
    }
    if (b->now.has && w->now_ms >= b->now.give_up_ms)
        answer(w, i, &b->now, ANSWER_NONE);
    if (b->next.has && !b->now.has && b->next.until_ms <= w->now_ms)
        answer(w, i, &b->next, ANSWER_REJECTED);
    pump(w, i);
    if (b->dead_ms != NONE && w->now_ms >= b->dead_ms) {
        b->dead_ms = NONE;
        down(w, i);
    }
    if (b->connect_ms != NONE && w->now_ms >= b->connect_ms)
        connect(w, i);
}

/* ---- what happens ---- */

static void break_link(struct world *w, struct box *b)
{
    if (b->connect_ms != NONE)
        return;
    b->dead_ms = w->now_ms + rnd(w, 30000);
    b->connect_ms = w->now_ms + rnd(w, one_in(w, 3) ? 3 * w->site.lease_ms : 40000);
}

/* Its profiles survive, or it has a fallback of 0 to come back to. */
static void reboot(struct world *w, struct box *b)
{
    for (int n = 0; n < UNDER_WAY; n++)
        b->there[n].has = false;
    if (fallback_of(w, b) == 0 && one_in(w, 2)) {
        b->end_ms = NONE;
        obey(w, b, 0);
    }
    b->boot = true;
    break_link(w, b);
}

static void kill_controller(struct world *w)
{
    free(w->k);
    w->k = NULL;
    w->start_ms = w->now_ms + rnd(w, one_in(w, 4) ? 3 * w->site.lease_ms : 20000);
    for (int i = 0; i < w->site.n_connectors; i++) {
        struct box *b = &w->boxes[i];

        b->up = b->now.has = b->next.has = b->back.has = false;
        b->dead_ms = NONE;
        b->connect_ms = w->start_ms + rnd(w, 30000);
    }
}

static void start_controller(struct world *w)
{
    w->k =
        control_init(malloc(control_size(&w->site)), &w->site, w->now_ms,
                     w->leases_until_ms > w->now_ms ? w->leases_until_ms : w->now_ms);
}

static void sample(struct world *w, int i)
{
    struct box *b = &w->boxes[i];
    struct event e = {.kind = EVENT_SAMPLE, .who = i};
    int32_t ma = may_draw(w, b);

    if (!b->here)
        ma = 0;
    else if (b->takes_ma < ma)
        ma = b->takes_ma;
    b->sample_ms = w->now_ms + 10000;
    if (!b->up || b->dead_ms != NONE)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        e.sample.i_ma[p] = ma;
    e.sample.p_w = EVENT_NO_VALUE;
    e.sample.energy_wh = EVENT_NO_ENERGY;
    feed(w, e);
}

/* A car does not change its mind unseen between its last sample and its following a
 * decrease: that would be taken for following. */
static void car(struct world *w, int i)
{
    struct box *b = &w->boxes[i];

    if (follows(w, b))
        return;
    b->takes_ma = one_in(w, 3) ? rnd(w, 16000) : 32000;
    if (one_in(w, 3)) {
        b->here = !b->here;
        status(w, i);
    }
    sample(w, i);
}

/* Its charger tells that others limit it, and its car what it can take. Neither is
 * true: they draw what we have let them. */
static void lie(struct world *w, int i)
{
    struct event_ceiling c = {rnd(w, 20000), rnd(w, 12000), rnd(w, 30000),
                              rnd(w, 20000), INT64_MAX};
    struct event_wish wish = {.departs_ms = INT64_MAX, .source = WISH_CAR};

    if (one_in(w, 3))
        c.limit_ma = EVENT_NO_VALUE;
    if (one_in(w, 3))
        c.power_w = EVENT_NO_VALUE;
    if (!one_in(w, 3))
        c.whole_ma = EVENT_NO_VALUE;
    if (!one_in(w, 3))
        c.whole_w = EVENT_NO_VALUE;
    if (one_in(w, 2))
        c.until_ms = w->now_ms + rnd(w, 600000);
    wish.energy_wh = one_in(w, 2) ? EVENT_NO_VALUE : rnd(w, 20000);
    wish.min_ma = one_in(w, 2) ? 0 : rnd(w, 16000);
    wish.max_ma = one_in(w, 2) ? 0 : rnd(w, 32000);
    if (one_in(w, 3))
        feed(w, (struct event){.kind = EVENT_WISH, .who = i, .wish = wish});
    else
        feed(w, (struct event){.kind = EVENT_CEILING, .who = i, .ceiling = c});
}

static void happen(struct world *w)
{
    int i = rnd(w, w->site.n_connectors);
    struct box *b = &w->boxes[i];

    if (one_in(w, 150))
        car(w, i);
    if (one_in(w, 3000))
        lie(w, i);
    if (!one_in(w, w->pace))
        return;
    switch (rnd(w, 1000)) {
    case 0:
    case 1:
    case 2:
    case 3:
        break_link(w, b);
        break;
    case 4:
        reboot(w, b);
        break;
    case 5:
        if (w->k && one_in(w, 15))
            kill_controller(w);
        break;
    case 6: /* the whole network, silently */
        for (int j = 0; one_in(w, 6) && j < w->site.n_connectors; j++)
            break_link(w, &w->boxes[j]);
        break;
    case 7: /* it connects anew while its old connection is thought to live */
        if (b->up)
            connect(w, i);
        break;
    case 8:
        if (one_in(w, 3))
            b->mute_ms = w->now_ms + rnd(w, 3 * w->site.lease_ms);
        break;
    default:
        break;
    }
}

static void check(struct world *w)
{
    int64_t sum = 0;

    for (int i = 0; i < w->site.n_connectors; i++)
        sum += may_draw(w, &w->boxes[i]);
    if (sum <= w->circuit.limit_ma[0])
        return;
    for (int i = 0; i < w->site.n_connectors; i++) {
        const struct box *b = &w->boxes[i];
        struct connector_view v = {0};

        if (w->k)
            control_connector(w->k, i, &v);
        print_error("%d: may draw %d mA, set %d, fallback %d, thought to be up to %d, "
                    "offered %d%s\n",
                    i, may_draw(w, b), b->set_ma, fallback_of(w, b), v.exposure_ma,
                    v.offered_ma, b->up ? "" : ", away");
    }
    fail_msg("at %lld ms: %lld mA of %d", (long long)w->now_ms, (long long)sum,
             w->circuit.limit_ma[0]);
}

static void step(struct world *w)
{
    w->now_ms += 100;
    if (!w->k && w->now_ms >= w->start_ms)
        start_controller(w);
    for (int i = 0; i < w->site.n_connectors; i++) {
        charger_time(w, &w->boxes[i]);
        wire_time(w, i);
        if (w->now_ms >= w->boxes[i].sample_ms)
            sample(w, i);
    }
    happen(w);
    if (w->now_ms % 1000 == 0)
        feed(w, (struct event){.kind = EVENT_TICK});
    check(w);
}

/* ---- the worlds ---- */

static void build(struct world *w)
{
    int n = 2 + rnd(w, MOST - 1);
    int32_t limit_ma = 8000 * n + rnd(w, 8000) * n, fallbacks_ma = 0;

    w->circuit = (struct site_circuit){.name = "grid",
                                       .parent = SITE_NONE,
                                       .limit_ma = {limit_ma, limit_ma, limit_ma},
                                       .meter = SITE_NONE};
    for (int i = 0; i < n; i++) {
        struct site_connector *c = &w->connectors[i];

        *c = (struct site_connector){.name = "bay",
                                     .charger = i,
                                     .wiring = {0, 1, 2},
                                     .min_ma = 6000,
                                     .max_ma = one_in(w, 2) ? 16000 : 32000,
                                     .step_ma = one_in(w, 2) ? 100 : 1000,
                                     .weight = 1};
        if (one_in(w, 2) && fallbacks_ma + 8000 <= limit_ma)
            c->fallback_ma = 6000 + rnd(w, 2000);
        fallbacks_ma += c->fallback_ma;
        w->chargers[i].id = "CP";
    }
    w->site = (struct site){.name = "random",
                            .voltage_mv = 230000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = 300000 + rnd(w, 600000),
                            .settle_ms = 1000 + rnd(w, 9000),
                            .n_circuits = 1,
                            .n_connectors = n,
                            .n_chargers = n,
                            .circuits = &w->circuit,
                            .connectors = w->connectors,
                            .chargers = w->chargers};
    assert_null(site_fault(&w->site));
    w->pace = one_in(w, 2) ? 1 : one_in(w, 2) ? 8 : 40;
    for (int i = 0; i < n; i++)
        w->boxes[i] = (struct box){
            .dead_ms = NONE,
            .connect_ms = rnd(w, 30000),
            .set_ma = w->connectors[i].fallback_ma,
            .end_ms = NONE,
            .clock_ms = rnd(w, w->site.lease_ms / 16) - w->site.lease_ms / 32,
            .takes_ma = 32000,
        };
    w->out = calloc(control_max_orders(&w->site), sizeof *w->out);
    start_controller(w);
}

static void play(uint64_t seed, uint64_t *events, uint64_t *raises)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->rng = (struct sim_rng){seed};
    build(w);
    while (w->now_ms < ROUND_MS)
        step(w);
    *events += w->events;
    *raises += w->raises;
    if (w->k)
        assert_int_equal(control_check_failures(w->k), 0);
    free(w->k);
    free(w->out);
    free(w);
}

static void test_random_worlds(void **state)
{
    const char *s = getenv("SEED"), *r = getenv("ROUNDS");
    uint64_t seed = s ? strtoull(s, NULL, 10) : 20261126, events = 0, raises = 0;
    int rounds = r ? atoi(r) : 30;

    (void)state;
    for (int n = 0; n < rounds; n++) {
        print_message("# SEED=%llu ROUNDS=1\n",
                      (unsigned long long)(seed + (uint64_t)n));
        play(seed + (uint64_t)n, &events, &raises);
    }
    print_message("# %d rounds, %llu events, %llu set points above 0\n", rounds,
                  (unsigned long long)events, (unsigned long long)raises);
    assert_true(raises > events / 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_worlds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
