/* SPDX-License-Identifier: Apache-2.0 */
/* The random world of the audit's tests. */
#include "audit_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy.h"

uint64_t aw_rnd(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int below(struct aw *w, int n)
{
    return (int)(aw_rnd(&w->rnd) % (uint64_t)n);
}

static bool chance(struct aw *w, int in_a_thousand)
{
    return below(w, 1000) < in_a_thousand;
}

/* ---- the site ---- */

static void make_circuits(struct aw *w)
{
    static const char *const names[] = {"grid",  "garage one", "\"b\"", "Tür 3",
                                        "100 %", "f",          "g",     "h"};

    w->site.n_circuits = 1 + below(w, AW_CIRCUITS);
    for (int v = 0; v < w->site.n_circuits; v++) {
        int32_t ma = v == 0 ? 40000 + below(w, 8) * 10000 : 16000 + below(w, 4) * 8000;

        w->circuits[v] = (struct site_circuit){
            .name = names[v],
            .parent = v == 0 ? SITE_NONE : below(w, v),
            .limit_ma = {ma, ma, ma},
            .margin_ma = below(w, 3) * 500,
            .power_limit_w = below(w, 4) == 0 ? 12000 + below(w, 20000) : 0,
            .meter = SITE_NONE,
            .base_ma = {ma / 2, ma / 2, ma / 2}};
        if (v == 0 || below(w, 3) == 0) {
            w->circuits[v].meter = w->site.n_meters;
            w->meters[w->site.n_meters++] = (struct site_meter){.name = "m",
                                                                .role = METER_CIRCUIT,
                                                                .interval_ms = 1000,
                                                                .max_age_ms = 10000};
        }
    }
}

static void make_connectors(struct aw *w)
{
    w->site.n_connectors = 1 + below(w, AW_CONNECTORS);
    for (int i = 0; i < w->site.n_connectors; i++) {
        int turn = below(w, 3);
        bool single = below(w, 4) == 0;

        if (i == 0 || below(w, 4) != 0)
            w->site.n_chargers++;
        snprintf(w->names[i], sizeof w->names[i], "Bay %d", i);
        w->connectors[i] = (struct site_connector){
            .name = w->names[i],
            .charger = w->site.n_chargers - 1,
            .circuit = below(w, w->site.n_circuits),
            .wiring = {(uint8_t)turn,
                       single ? SITE_NO_PHASE : (uint8_t)((turn + 1) % 3),
                       single ? SITE_NO_PHASE : (uint8_t)((turn + 2) % 3)},
            .wiring_unknown = below(w, 8) == 0,
            .phase_switch = !single && below(w, 4) == 0,
            .mode = below(w, 3) ? MODE_AUTO : (enum mode)below(w, MODE_COUNT),
            .min_ma = 6000,
            .max_ma = below(w, 2) ? 16000 : 32000,
            .step_ma = below(w, 2) ? 100 : 1000,
            .fallback_ma = below(w, 3) == 0 ? 6000 : 0,
            .weight = 1};
        w->chargers[w->site.n_chargers - 1].id = w->names[i];
        w->plug[i] = (struct aw_plug){.want_ma = 8000 + below(w, 24000)};
    }
}

void aw_init(struct aw *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->rnd = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    w->now_ms = 5000;
    w->site = (struct site){.name = "a random site",
                            .voltage_mv = 230000,
                            .policy = policies[0],
                            .lease_ms = 300000,
                            .settle_ms = 6000,
                            .dwell_ms = 120000,
                            .pause_ms = 60000,
                            .writes_per_day = below(w, 2) ? 0 : 500,
                            .solar = {.start_w = 200,
                                      .start_ms = 20000,
                                      .stop_ms = 60000,
                                      .filter_ms = 20000,
                                      .switch_w = 500,
                                      .switch_ms = 60000,
                                      .switches = 5},
                            .circuits = w->circuits,
                            .connectors = w->connectors,
                            .meters = w->meters,
                            .chargers = w->chargers};
    make_circuits(w);
    make_connectors(w);
    assert_null(site_fault(&w->site));
    w->orders = calloc(control_max_orders(&w->site), sizeof *w->orders);
    w->control =
        control_init(malloc(control_size(&w->site)), &w->site, w->now_ms, w->now_ms);
}

void aw_free(struct aw *w)
{
    journal_close(w->journal);
    free(w->control);
    free(w->orders);
}

void aw_head(struct aw *w, bool reload)
{
    struct journal_header h = {.utc_s = 1795161600 + w->now_ms / 1000,
                               .mono_ms = w->now_ms,
                               .version = PACKAGE_VERSION,
                               .config_hash = "0123456789abcdef",
                               .site = &w->site,
                               .control = w->control,
                               .reload = reload};

    journal_head(w->journal, &h);
}

void aw_reload(struct aw *w)
{
    int same[AW_CONNECTORS];
    struct control_map map = {same, same, same, same};
    struct control *before = w->control;

    for (int i = 0; i < AW_CONNECTORS; i++)
        same[i] = i;
    for (int v = 0; v < w->site.n_circuits; v++)
        w->circuits[v].margin_ma = below(w, 5) * 500;
    for (int i = 0; i < w->site.n_connectors; i++)
        w->connectors[i].priority = below(w, 10);
    w->control =
        control_init(malloc(control_size(&w->site)), &w->site, w->now_ms, w->now_ms);
    control_adopt(w->control, before, &map);
    free(before);
    aw_head(w, true);
}

static void link_goes(struct aw *w, int charger, bool up, bool boot);

void aw_restart(struct aw *w)
{
    free(w->control);
    w->control = control_init(malloc(control_size(&w->site)), &w->site, w->now_ms,
                              w->now_ms + w->site.lease_ms);
    memset(w->answer, 0, sizeof w->answer);
    memset(w->online, 0, sizeof w->online);
}

/* ---- events and orders ---- */

static void carry_out(struct aw *w, const struct order *o)
{
    int64_t at_ms = w->now_ms + 50 + below(w, 2500), last_ms = 0;

    for (int i = 0; i < AW_PENDING; i++) /* one after the other, as OCPP has it */
        if (w->answer[i].at_ms && w->answer[i].connector == o->who &&
            w->answer[i].at_ms >= last_ms)
            last_ms = w->answer[i].at_ms + 1000;
    if (at_ms < last_ms)
        at_ms = last_ms;
    for (int i = 0; o->kind == ORDER_LIMIT && i < AW_PENDING; i++)
        if (!w->answer[i].at_ms) {
            w->answer[i] =
                (struct aw_answer){o->who, o->seq, o->limit_ma, o->lease_ms, at_ms};
            return;
        }
}

void aw_feed(struct aw *w, const struct event *e)
{
    size_t n;

    if (w->journal && e->kind == EVENT_TICK)
        journal_flush(w->journal);
    if (w->journal && journal_due(w->journal))
        aw_head(w, false);
    if (w->journal)
        journal_event(w->journal, e);
    n = control_step(w->control, e, w->orders);
    w->events++;
    for (size_t i = 0; i < n; i++) {
        struct order o = w->orders[i];

        w->n_orders++;
        if (w->journal && (!w->bend || w->bend(w->bend_arg, e, &o)))
            journal_order(w->journal, e->at_ms, &o);
        carry_out(w, &w->orders[i]);
    }
}

static struct event event(const struct aw *w, enum event_kind kind, int who)
{
    struct event e;

    memset(&e, 0, sizeof e);
    e.at_ms = w->now_ms;
    e.kind = kind;
    e.who = who;
    return e;
}

static void tell_status(struct aw *w, int i)
{
    struct event e = event(w, EVENT_STATUS, i);

    e.status = !w->plug[i].session      ? STATUS_AVAILABLE
               : w->plug[i].draw_ma > 0 ? STATUS_CHARGING
                                        : STATUS_SUSPENDED_EVSE;
    aw_feed(w, &e);
}

static void tell_session(struct aw *w, int i)
{
    struct event e = event(w, EVENT_SESSION, i);

    e.session.active = w->plug[i].session;
    aw_feed(w, &e);
    tell_status(w, i);
}

static void tell_sample(struct aw *w, int i)
{
    struct event e = event(w, EVENT_SAMPLE, i);

    for (int p = 0; p < SITE_PHASES; p++)
        e.sample.i_ma[p] =
            w->connectors[i].wiring[p] == SITE_NO_PHASE ? 0 : w->plug[i].draw_ma;
    e.sample.p_w = EVENT_NO_VALUE;
    e.sample.energy_wh = w->now_ms / 1000;
    aw_feed(w, &e);
}

static void answer(struct aw *w, const struct aw_answer *a, enum answer what)
{
    struct event e = event(w, EVENT_ANSWER, a->connector);

    e.answer = (struct event_answer){a->seq, what};
    aw_feed(w, &e);
}

/* What a charger was told may hold, whether it said so or not. */
static void obey(struct aw *w, const struct aw_answer *a)
{
    struct aw_plug *c = &w->plug[a->connector];

    c->held_ma = a->ma;
    c->lease_until_ms = w->now_ms + a->lease_ms;
    c->follow_ms = w->now_ms + 1000 + below(w, 4000);
}

static void link_goes(struct aw *w, int charger, bool up, bool boot)
{
    struct event e = event(w, EVENT_LINK, charger);

    w->online[charger] = up;
    e.link = (struct event_link){up, boot};
    aw_feed(w, &e);
    for (int i = 0; i < AW_PENDING; i++)
        if (w->answer[i].at_ms &&
            w->connectors[w->answer[i].connector].charger == charger) {
            struct aw_answer a = w->answer[i];

            w->answer[i].at_ms = 0;
            answer(w, &a, ANSWER_NONE);
        }
    for (int i = 0; up && i < w->site.n_connectors; i++)
        if (w->connectors[i].charger == charger)
            tell_session(w, i);
}

/* ---- the plant ---- */

static void answers(struct aw *w)
{
    for (int i = 0; i < AW_PENDING; i++) {
        struct aw_answer a = w->answer[i];
        int luck = w->quiet ? 999 : below(w, 1000);

        if (!a.at_ms || a.at_ms > w->now_ms)
            continue;
        w->answer[i].at_ms = 0;
        if (luck >= 40)
            obey(w, &a);
        answer(w, &a,
               luck < 20   ? ANSWER_REJECTED
               : luck < 60 ? ANSWER_NONE
                           : ANSWER_ACCEPTED);
    }
}

static void draw(struct aw *w, int i)
{
    struct aw_plug *c = &w->plug[i];
    int32_t was = c->draw_ma, ma = c->held_ma < c->want_ma ? c->held_ma : c->want_ma;

    if (w->now_ms >= c->lease_until_ms)
        c->held_ma = w->connectors[i].fallback_ma;
    if (!c->session)
        c->draw_ma = 0;
    else if (w->now_ms >= c->follow_ms)
        c->draw_ma = ma;
    if ((was > 0) != (c->draw_ma > 0) && w->online[w->connectors[i].charger])
        tell_status(w, i);
}

static bool beneath(const struct aw *w, int circuit, int ancestor)
{
    while (circuit != SITE_NONE && circuit != ancestor)
        circuit = w->circuits[circuit].parent;
    return circuit == ancestor;
}

static void tell_meter(struct aw *w, int v)
{
    struct event e = event(w, EVENT_METER, w->circuits[v].meter);

    e.meter.p_w = EVENT_NO_VALUE;
    e.meter.changed_ms = w->now_ms;
    for (int p = 0; p < SITE_PHASES; p++) {
        e.meter.v_mv[p] = 228000 + below(w, 4000);
        e.meter.i_ma[p] = w->base_ma[v][p];
    }
    for (int i = 0; i < w->site.n_connectors; i++)
        for (int own = 0; own < SITE_PHASES; own++)
            if (beneath(w, w->connectors[i].circuit, v) &&
                w->connectors[i].wiring[own] != SITE_NO_PHASE)
                e.meter.i_ma[w->connectors[i].wiring[own]] += w->plug[i].draw_ma;
    aw_feed(w, &e);
}

static void loads(struct aw *w)
{
    for (int v = 0; v < w->site.n_circuits; v++)
        for (int p = 0; p < SITE_PHASES; p++) {
            int32_t most = w->circuits[v].limit_ma[p] * 9 / 8;

            w->base_ma[v][p] += below(w, 401) - 200;
            if (chance(w, 3))
                w->base_ma[v][p] = below(w, most) - 4000;
        }
}

static void people(struct aw *w)
{
    int i = below(w, w->site.n_connectors), v = below(w, w->site.n_circuits);
    struct event e = event(w, EVENT_MODE, i);

    e.mode = (enum mode)below(w, MODE_COUNT);
    if (chance(w, 3))
        aw_feed(w, &e);
    e = event(w, EVENT_PAUSE, i);
    e.pause = below(w, 4) == 0;
    if (chance(w, 3))
        aw_feed(w, &e);
    e = event(w, EVENT_PRIORITY, i);
    e.priority = below(w, 10);
    if (chance(w, 2))
        aw_feed(w, &e);
    e = event(w, EVENT_WISH, i);
    e.wish = (struct event_wish){.energy_wh = 10000,
                                 .departs_ms = w->now_ms + 3600000,
                                 .source = (enum wish_source)below(w, WISH_SOURCES)};
    if (e.wish.source == WISH_CAR) {
        e.wish.min_ma = below(w, 9000);
        e.wish.max_ma = below(w, 3) ? 0 : 6000 + below(w, 20000);
    }
    if (chance(w, 2))
        aw_feed(w, &e);
    e = event(w, EVENT_CEILING, i);
    e.ceiling = (struct event_ceiling){
        .limit_ma = below(w, 2) ? EVENT_NO_VALUE : below(w, 20000),
        .power_w = below(w, 2) ? EVENT_NO_VALUE : below(w, 12000),
        .whole_ma = below(w, 2) ? EVENT_NO_VALUE : below(w, 40000),
        .whole_w = below(w, 2) ? EVENT_NO_VALUE : below(w, 30000),
        .until_ms = below(w, 5) ? w->now_ms + below(w, 300000) : INT64_MAX};
    if (chance(w, 2))
        aw_feed(w, &e);
    e = event(w, EVENT_LIMIT, v);
    e.limit = (struct event_limit){
        .limit_ma = below(w, 5) ? below(w, 30000) : EVENT_NO_VALUE,
        .until_ms = below(w, 5) ? w->now_ms + below(w, 300000) : INT64_MAX,
        .source = (enum limit_source)below(w, LIMIT_SOURCES),
        .power_w = below(w, 3) ? 0 : 4200 + below(w, 20000),
        .chargers_w = below(w, 3) ? 0 : 4200 + below(w, 20000)};
    if (chance(w, 2))
        aw_feed(w, &e);
}

static void trouble(struct aw *w)
{
    int charger = below(w, w->site.n_chargers), v = below(w, w->site.n_circuits);

    if (chance(w, w->online[charger] ? 3 : 100))
        link_goes(w, charger, !w->online[charger], below(w, 4) == 0);
    if (chance(w, w->meter_lost[v] ? 50 : 2))
        w->meter_lost[v] = !w->meter_lost[v];
}

static void connect_all(struct aw *w)
{
    for (int c = 0; c < w->site.n_chargers; c++)
        if (!w->online[c])
            link_goes(w, c, true, false);
}

static void second(struct aw *w)
{
    struct event tick;

    w->now_ms += 1000;
    for (int i = 0; i < w->site.n_connectors; i++) {
        draw(w, i);
        if (!chance(w, w->plug[i].session ? 1 : 5))
            continue;
        w->plug[i].session = !w->plug[i].session;
        if (w->online[w->connectors[i].charger])
            tell_session(w, i);
    }
    answers(w);
    loads(w);
    for (int v = 0; v < w->site.n_circuits; v++)
        if (w->circuits[v].meter != SITE_NONE && !w->meter_lost[v])
            tell_meter(w, v);
    tick = event(w, EVENT_TICK, SITE_NONE);
    aw_feed(w, &tick);
    for (int i = 0; i < w->site.n_connectors; i++)
        if ((w->now_ms / 1000 + i) % 10 == 0 && w->online[w->connectors[i].charger])
            tell_sample(w, i);
    if (w->quiet) {
        connect_all(w);
    } else {
        people(w);
        trouble(w);
    }
}

void aw_run(struct aw *w, int seconds)
{
    while (seconds-- > 0)
        second(w);
}
