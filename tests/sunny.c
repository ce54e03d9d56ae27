/* SPDX-License-Identifier: Apache-2.0 */
/* The house of sunny.h. */
#include "sunny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy.h"

enum { ACT_MS = 2000, RISE_MS = 15000, GRID_W = 100 }; /* so much import is none */

static int phases_now(const struct sunny_box *b, int n)
{
    return n < b->car_phases ? n : b->car_phases;
}

/* Whether it loads that site phase when it may use n. */
static bool loads(const struct sunny_box *b, int p, int n)
{
    return (p - b->first + SITE_PHASES) % SITE_PHASES < phases_now(b, n);
}

static int32_t base_ma(const struct sunny *s)
{
    return (int32_t)((int64_t)(s->house_w - s->pv_w) * 1000 / (3 * SUNNY_V));
}

static int32_t cars_w(const struct sunny *s)
{
    int32_t w = 0;

    for (int i = 0; i < SUNNY_CARS; i++)
        w += s->box[i].draw_ma / 10 * phases_now(&s->box[i], s->box[i].n_phases) *
             SUNNY_V / 100;
    return w;
}

int32_t sunny_export_w(const struct sunny *s)
{
    return s->pv_w - s->house_w - cars_w(s);
}

/* What the cars may draw on that phase by what their chargers were told. */
static int64_t may_draw(const struct sunny *s, int p)
{
    int64_t sum = 0;

    for (int i = 0; i < SUNNY_CARS; i++) {
        const struct sunny_box *b = &s->box[i];
        int32_t now = loads(b, p, b->n_phases) ? b->limit_ma : 0;
        int32_t next = loads(b, p, b->next_phases) && b->acts_ms ? b->next_ma : 0;

        if (b->present)
            sum += now > next ? now : next;
    }
    return sum;
}

/* No wire may carry more than its limit, and the controller never counts less than what
 * may flow. */
static void promise(const struct sunny *s)
{
    struct circuit_view v;

    control_circuit(s->k, 0, &v);
    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t cars = may_draw(s, p), sum = base_ma(s) + cars;

        if (cars > 0 && sum > s->circuits[0].limit_ma[p] && s->now_ms >= s->excused_ms)
            fail_msg("at %lld ms L%d may carry %lld mA", (long long)s->now_ms, p + 1,
                     (long long)sum);
        if (cars > v.granted_ma[p] && !s->uncounted)
            fail_msg("at %lld ms L%d: cars may draw %lld mA, %d are counted",
                     (long long)s->now_ms, p + 1, (long long)cars, v.granted_ma[p]);
    }
}

/* ---- the world around the core */

static void obey(struct sunny *s, const struct order *o)
{
    struct sunny_box *b = &s->box[o->who];
    enum answer a = b->silent                        ? ANSWER_NONE
                    : b->refuses && o->n_phases == 1 ? ANSWER_REJECTED
                                                     : ANSWER_ACCEPTED;

    b->switches += o->n_phases != b->last.n_phases && b->last.seq != 0;
    b->last = *o;
    if (!b->online)
        return;
    if (a == ANSWER_ACCEPTED) {
        b->next_ma = o->limit_ma;
        b->next_phases = o->n_phases == 1 && !b->deaf ? 1 : 3;
        if (b->acts_ms == 0)
            b->acts_ms = s->now_ms + ACT_MS;
    }
    sunny_step(s, (struct event){.kind = EVENT_ANSWER,
                                 .who = o->who,
                                 .answer = {.seq = o->seq, .answer = a}});
}

void sunny_step(struct sunny *s, struct event e)
{
    struct order mine[64];
    size_t n;

    e.at_ms = s->now_ms;
    n = control_step(s->k, &e, s->out);
    assert_true(n <= control_max_orders(&s->site) && n <= 64);
    memcpy(mine, s->out, n * sizeof *mine);
    for (size_t i = 0; i < n; i++)
        if (mine[i].kind == ORDER_LIMIT)
            obey(s, &mine[i]);
}

static void act(struct sunny *s, struct sunny_box *b)
{
    if (b->acts_ms && s->now_ms >= b->acts_ms) {
        b->hot_switches += b->next_phases != b->n_phases && b->draw_ma > 0;
        b->limit_ma = b->next_ma;
        b->n_phases = b->next_phases;
        b->acts_ms = 0;
    }
    b->starts += b->present && b->draw_ma == 0 && b->limit_ma > 0;
    b->draw_ma = b->present ? b->limit_ma : 0;
}

static void read_meter(struct sunny *s)
{
    struct event e = {.kind = EVENT_METER, .who = 0};

    for (int p = 0; p < SITE_PHASES; p++) {
        e.meter.v_mv[p] = SUNNY_V * 1000;
        e.meter.i_ma[p] = base_ma(s);
        for (int i = 0; i < SUNNY_CARS; i++)
            if (loads(&s->box[i], p, s->box[i].n_phases))
                e.meter.i_ma[p] += s->box[i].draw_ma;
    }
    e.meter.p_w = s->no_power ? EVENT_NO_VALUE : -sunny_export_w(s);
    sunny_step(s, e);
}

static void sample(struct sunny *s, int i)
{
    const struct sunny_box *b = &s->box[i];
    struct event e = {.kind = EVENT_SAMPLE, .who = i};

    for (int p = 0; p < SITE_PHASES; p++)
        e.sample.i_ma[p] = p < phases_now(b, b->n_phases) ? b->draw_ma : 0;
    e.sample.p_w = EVENT_NO_VALUE;
    e.sample.energy_wh = EVENT_NO_ENERGY;
    sunny_step(s, e);
}

static void watch(struct sunny *s)
{
    int32_t cars = cars_w(s), import = -sunny_export_w(s);

    s->grid_s = cars > 0 && import > GRID_W ? s->grid_s + 1 : 0;
    if (s->grid_s > s->grid_longest_s)
        s->grid_longest_s = s->grid_s;
    s->car_ws += cars;
    s->sun_ws += import <= 0 ? cars : import < cars ? cars - import : 0;
}

void sunny_pass(struct sunny *s, int seconds)
{
    if (base_ma(s) > s->base_ma)
        s->excused_ms = s->now_ms + RISE_MS;
    s->base_ma = base_ma(s);
    while (seconds-- > 0) {
        s->now_ms += 1000;
        for (int i = 0; i < SUNNY_CARS; i++)
            act(s, &s->box[i]);
        if (!s->meter_dead)
            read_meter(s);
        for (int i = 0; i < SUNNY_CARS; i++)
            if (s->box[i].online && s->box[i].present &&
                (s->now_ms / 1000 + 3 * i) % 10 == 0)
                sample(s, i);
        sunny_step(s, (struct event){.kind = EVENT_TICK});
        promise(s);
        watch(s);
    }
}

void sunny_link(struct sunny *s, int i, bool up)
{
    s->box[i].online = up;
    sunny_step(s, (struct event){.kind = EVENT_LINK, .who = i, .link = {.up = up}});
    if (up)
        sunny_step(s, (struct event){.kind = EVENT_STATUS,
                                     .who = i,
                                     .status = s->box[i].present ? STATUS_CHARGING
                                                                 : STATUS_AVAILABLE});
}

void sunny_arrive(struct sunny *s, int i, int phases)
{
    s->box[i].present = true;
    s->box[i].car_phases = phases;
    sunny_step(
        s, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_CHARGING});
    sunny_step(s, (struct event){
                      .kind = EVENT_SESSION, .who = i, .session = {.active = true}});
}

void sunny_leave(struct sunny *s, int i)
{
    s->box[i].present = false;
    s->box[i].draw_ma = 0;
    sunny_step(s, (struct event){.kind = EVENT_SESSION, .who = i});
    sunny_step(
        s, (struct event){.kind = EVENT_STATUS, .who = i, .status = STATUS_AVAILABLE});
}

struct connector_view sunny_view(const struct sunny *s, int i)
{
    struct connector_view v;

    control_connector(s->k, i, &v);
    return v;
}

/* ---- start and end */

struct sunny *sunny_new(int n)
{
    struct sunny *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->circuits[0] = (struct site_circuit){.name = "grid",
                                           .parent = SITE_NONE,
                                           .limit_ma = {40000, 40000, 40000},
                                           .meter = 0,
                                           .base_ma = {15000, 15000, 15000}};
    s->meters[0] = (struct site_meter){"main", METER_CIRCUIT, 1000, 10000};
    for (int i = 0; i < SUNNY_CARS; i++) {
        s->chargers[i].id = "CP";
        s->connectors[i] = (struct site_connector){.name = "bay",
                                                   .charger = i,
                                                   .wiring = {0, 1, 2},
                                                   .min_ma = 6000,
                                                   .max_ma = 16000,
                                                   .step_ma = 100,
                                                   .weight = 1,
                                                   .mode = MODE_SOLAR};
        s->box[i].n_phases = 3;
        s->box[i].car_phases = 3;
    }
    s->site = (struct site){.name = "sunny",
                            .voltage_mv = SUNNY_V * 1000,
                            .policy = policy_by_name("equal"),
                            .lease_ms = 900000,
                            .settle_ms = 6000,
                            .dwell_ms = 900000,
                            .pause_ms = 60000,
                            .solar = {.start_w = 200,
                                      .start_ms = 60000,
                                      .stop_ms = 180000,
                                      .filter_ms = 240000,
                                      .switch_w = 200,
                                      .switch_ms = 600000,
                                      .switches = 10},
                            .n_circuits = 1,
                            .n_connectors = n,
                            .n_meters = 1,
                            .n_chargers = n,
                            .circuits = s->circuits,
                            .connectors = s->connectors,
                            .meters = s->meters,
                            .chargers = s->chargers};
    s->house_w = 300;
    s->now_ms = 1000000;
    return s;
}

void sunny_go(struct sunny *s)
{
    assert_null(site_fault(&s->site));
    s->k = control_init(malloc(control_size(&s->site)), &s->site, s->now_ms, s->now_ms);
    s->out = calloc(control_max_orders(&s->site), sizeof *s->out);
    for (int i = 0; i < s->site.n_connectors; i++)
        sunny_link(s, i, true);
    sunny_pass(s, 300);
}

void sunny_free(struct sunny *s)
{
    assert_int_equal(control_check_failures(s->k), 0);
    for (int i = 0; i < SUNNY_CARS; i++)
        assert_int_equal(s->box[i].hot_switches, 0);
    free(s->k);
    free(s->out);
    free(s);
}
