/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in the simulated world: cars come and go, chargers answer and act; the
 * controller is told, and its orders are carried out. */
#include "sim/world_state.h"

#include <string.h>

void sim_happen_put(struct sim_world *w, struct sim_item item)
{
    if (!sim_queue_put(&w->queue, &item))
        w->failed = true;
}

/* ---- orders */

static void call(struct sim_world *w, int charger)
{
    int64_t answer_ms;

    if (sim_charger_call(&w->chargers[charger], w->now_ms, &answer_ms))
        sim_happen_put(w,
                       (struct sim_item){answer_ms, .what = SIM_ANSWER, .who = charger,
                                         .call = w->chargers[charger].calls});
}

void sim_happen_give_back(struct sim_world *w, const struct order *o,
                          enum answer answer)
{
    sim_happen_put(w, (struct sim_item){w->now_ms, .what = SIM_REFUSED, .who = o->who,
                                        .answer = {o->seq, answer}});
}

static void obey(struct sim_world *w, const struct order *o)
{
    struct order back;
    int charger;

    if (o->kind != ORDER_LIMIT && o->kind != ORDER_SAMPLE)
        return;
    w->out->setpoints += o->kind == ORDER_LIMIT;
    w->out->renewals += o->kind == ORDER_LIMIT && o->renewal;
    w->out->samples_asked += o->kind == ORDER_SAMPLE;
    if (w->u->mute && o->kind == ORDER_SAMPLE)
        return;
    charger = w->site->connectors[o->who].charger;
    if (!w->chargers[charger].up) {
        if (o->kind == ORDER_LIMIT)
            sim_happen_give_back(w, o, ANSWER_NONE);
        return;
    }
    sim_fail_waits(w, charger);
    if (sim_charger_order(&w->chargers[charger], o, &back))
        sim_happen_give_back(w, &back, ANSWER_REJECTED);
    call(w, charger);
}

void sim_happen_tell(struct sim_world *w, struct event *e)
{
    size_t n;

    if (w->dead)
        return;
    e->at_ms = w->now_ms;
    w->out->events++;
    n = w->u->brain.step(w->u->brain.arg, e, w->orders);
    for (size_t i = 0; i < n; i++)
        obey(w, &w->orders[i]);
}

static bool newer(const struct sim_world *w, int bay)
{
    return w->chargers[w->site->connectors[bay].charger].newer;
}

/* A charger whose link is lost tells nothing. */
static bool silent(const struct sim_world *w, int bay)
{
    return w->chargers[w->site->connectors[bay].charger].mute;
}

/* What a charger tells of a bay, now or a little later. */
static void tell_of(struct sim_world *w, int bay, struct event e)
{
    int64_t at_ms;

    if (silent(w, bay))
        return;
    at_ms = sim_fail_told(w, w->site->connectors[bay].charger);
    e.who = bay;
    if (at_ms == w->now_ms)
        sim_happen_tell(w, &e);
    else
        sim_happen_put(
            w, (struct sim_item){at_ms, .what = SIM_HEARD, .who = bay, .heard = e});
}

static void tell_status(struct sim_world *w, int bay, enum connector_status status)
{
    tell_of(w, bay, (struct event){.kind = EVENT_STATUS, .status = status});
}

static void tell_sample(struct sim_world *w, int bay)
{
    struct event e = {.kind = EVENT_SAMPLE};

    sim_bay_sample(&w->stalls[bay].bay, &e.sample);
    tell_of(w, bay, e);
}

/* ---- currents */

/* Brings one bay up to now and passes on what has changed. */
static void refresh(struct sim_world *w, int bay)
{
    struct sim_stall *s = &w->stalls[bay];
    unsigned changed = sim_bay_step(&s->bay, w->now_ms);
    int32_t own_ma[SITE_PHASES], site_ma[SITE_PHASES] = {0};

    if (changed & SIM_CURRENT) {
        sim_bay_current(&s->bay, own_ma);
        for (int p = 0; p < SITE_PHASES; p++)
            if (s->wiring[p] < SITE_PHASES)
                site_ma[s->wiring[p]] += own_ma[p];
        sim_plant_set_car(w->plant, bay, site_ma);
        w->touched = true;
        if (!w->u->real && s->bay.session)
            sim_happen_put(w,
                           (struct sim_item){w->now_ms, .what = SIM_FRESH, .who = bay});
    }
    if (changed & SIM_STATUS && s->bay.session)
        sim_happen_put(w,
                       (struct sim_item){w->now_ms + (w->u->real ? SIM_STATUS_MS : 0),
                                         .what = SIM_TOLD, .who = bay,
                                         .told = {s->session, s->bay.status}});
}

void sim_happen_refresh(struct sim_world *w)
{
    if (w->stepped_ms == w->now_ms)
        return;
    w->stepped_ms = w->now_ms;
    for (int i = 0; i < w->n_active; i++)
        refresh(w, w->active[i]);
}

void sim_happen_load(struct sim_world *w, const struct sim_load *l)
{
    int32_t *into =
        l->meter == SITE_NONE ? w->own_ma[l->circuit] : w->solar_ma[l->meter];
    int32_t sum_ma[SITE_PHASES];

    memcpy(into, l->i_ma, sizeof l->i_ma);
    memcpy(sum_ma, w->own_ma[l->circuit], sizeof sum_ma);
    for (int m = 0; m < w->site->n_meters; m++)
        for (int p = 0; p < SITE_PHASES; p++)
            if (w->site->meters[m].role == METER_SOLAR && l->circuit == 0)
                sum_ma[p] += w->solar_ma[m][p];
    sim_plant_set_base(w->plant, w->now_ms, l->circuit, sum_ma);
    w->touched = true;
}

/* ---- cars come and go */

/* The transaction of that bay, and what its driver asked for. */
static void tell_session(struct sim_world *w, int bay, bool resumed)
{
    const struct sim_stall *s = &w->stalls[bay];
    const struct sim_session *r = &w->u->sessions->list[s->session];
    int64_t had_wh = sim_bay_session_wh(&s->bay);

    if (silent(w, bay))
        return;
    sim_happen_tell(
        w,
        &(struct event){.kind = EVENT_SESSION, .who = bay, .session = {true, resumed}});
    sim_happen_tell(w,
                    &(struct event){.kind = EVENT_WISH,
                                    .who = bay,
                                    .wish = {
                                        .energy_wh = (int32_t)(r->energy_wh - had_wh),
                                        .departs_ms = sim_world_ms(w, r->departure_s),
                                    }});
}

static void start(struct sim_world *w, int bay)
{
    struct sim_stall *s = &w->stalls[bay];
    int64_t wait_ms = w->u->real ? sim_rng_between(&s->rng, 1, sim_world_sample_ms(w))
                                 : SIM_SAMPLE_MS;

    sim_bay_start(&s->bay, w->now_ms);
    tell_session(w, bay, false);
    sim_happen_put(w, (struct sim_item){w->now_ms + wait_ms, .what = SIM_SAMPLE,
                                        .who = bay, .told = {.session = s->session}});
    refresh(w, bay);
}

void sim_happen_arrive(struct sim_world *w, int session)
{
    struct sim_session *r = &w->u->sessions->list[session];
    const struct site_connector *c = &w->site->connectors[r->connector];
    struct sim_stall *s = &w->stalls[r->connector];
    int32_t max_ma = r->max_ma ? r->max_ma : w->u->car_max_ma;
    int phases = r->phases ? r->phases : SITE_PHASES;
    struct sim_car car;

    if (r->departure_s <= r->arrival_s)
        return; /* cut away by the next one */
    max_ma = max_ma ? max_ma : c->max_ma;
    if (w->u->real)
        sim_car_real(&car, r->energy_wh, phases, max_ma, &s->rng);
    else
        sim_car_ideal(&car, r->energy_wh, phases, max_ma, c->min_ma);
    if (w->u->car)
        w->u->car(w->u->car_arg, session, &car);
    sim_happen_refresh(w);
    s->session = session;
    w->active[w->n_active++] = r->connector;
    sim_bay_plug(&s->bay, w->now_ms, &car);
    sim_bay_step(&s->bay, w->now_ms);
    tell_status(w, r->connector, STATUS_PREPARING);
    if (!w->u->real)
        start(w, r->connector);
    else
        sim_happen_put(
            w, (struct sim_item){w->now_ms + sim_rng_between(&s->rng, SIM_START_MIN_MS,
                                                             SIM_START_MAX_MS),
                                 .what = SIM_START, .who = r->connector,
                                 .told = {.session = session}});
}

void sim_happen_leave(struct sim_world *w, int session)
{
    struct sim_session *r = &w->u->sessions->list[session];
    struct sim_stall *s = &w->stalls[r->connector];
    bool had_begun = s->bay.session;
    int i = 0;

    if (s->session != session)
        return;
    sim_happen_refresh(w);
    r->delivered_nj = had_begun ? s->bay.session_nj : 0;
    r->starts = s->bay.car.starts;
    sim_bay_unplug(&s->bay, w->now_ms);
    s->untold = false;
    if (newer(w, r->connector))
        sim_keep_end(w, r->connector);
    else if (w->dead ||
             silent(w, r->connector)) /* a TxProfile ends with its transaction */
        sim_bay_clear_limit(&s->bay, w->now_ms);
    refresh(w, r->connector);
    s->session = SIM_NOBODY;
    while (w->active[i] != r->connector)
        i++;
    memmove(&w->active[i], &w->active[i + 1],
            (size_t)(--w->n_active - i) * sizeof *w->active);
    if (had_begun && !silent(w, r->connector))
        sim_happen_tell(w, &(struct event){.kind = EVENT_SESSION, .who = r->connector});
    tell_status(w, r->connector, STATUS_AVAILABLE);
}

/* ---- chargers */

/* Also with a transaction that has begun or ended meanwhile. */
void sim_happen_connect(struct sim_world *w, int charger, bool boot)
{
    w->chargers[charger].up = true;
    sim_happen_tell(
        w, &(struct event){.kind = EVENT_LINK, .who = charger, .link = {true, boot}});
    for (int c = 0; c < w->site->n_connectors; c++) {
        if (w->site->connectors[c].charger != charger)
            continue;
        if (w->stalls[c].untold) {
            tell_status(w, c, STATUS_PREPARING); /* somebody is there */
            continue;
        }
        tell_status(w, c, w->stalls[c].bay.status);
        if (w->stalls[c].bay.session)
            tell_session(w, c, true);
    }
}

void sim_happen_switch(struct sim_world *w, int charger, bool on)
{
    sim_happen_refresh(w);
    for (int c = 0; c < w->site->n_connectors; c++) {
        if (w->site->connectors[c].charger != charger)
            continue;
        if (on && w->chargers[charger].forgets && w->chargers[charger].newer)
            sim_keep_forget(w, c);
        else if (on && w->chargers[charger].forgets)
            sim_bay_clear_limit(&w->stalls[c].bay, w->now_ms);
        sim_bay_switch(&w->stalls[c].bay, w->now_ms, on);
        refresh(w, c);
    }
}

/* Whatever it is told from now on, it goes on as it is, without an end. */
void sim_happen_deafen(struct sim_world *w, int charger)
{
    w->chargers[charger].deaf = true;
    sim_happen_refresh(w);
    for (int c = 0; c < w->site->n_connectors; c++)
        if (w->site->connectors[c].charger == charger) {
            sim_plant_deaf(w->plant, c, w->now_ms);
            sim_bay_set_limit(&w->stalls[c].bay, w->now_ms,
                              w->site->connectors[c].max_ma, -1);
            refresh(w, c);
        }
}

/* A set point without a number of phases means all that there are. */
static void act(struct sim_world *w, int bay, uint32_t call, int32_t limit_ma,
                int32_t lease_ms, int n_phases)
{
    struct sim_stall *s = &w->stalls[bay];
    const struct sim_charger *c = &w->chargers[w->site->connectors[bay].charger];

    if (c->deaf || (s->has_acted && (int32_t)(call - s->acted) < 0))
        return; /* it does not listen, or was overtaken by a later one */
    s->has_acted = true;
    s->acted = call;
    sim_happen_refresh(w);
    if (c->watts && !c->newer)
        limit_ma = sim_charger_watts(
            limit_ma, w->site->voltage_mv,
            __builtin_popcount(site_phase_mask(&w->site->connectors[bay])));
    if (w->site->connectors[bay].phase_switch && !c->newer)
        sim_bay_set_phases(&s->bay, w->now_ms, n_phases == 1 ? 1 : SITE_PHASES, 0);
    if (c->newer)
        sim_keep_limit(w, bay, limit_ma, lease_ms, n_phases);
    else
        sim_bay_set_limit(&s->bay, w->now_ms, limit_ma, lease_ms);
    refresh(w, bay);
}

void sim_happen_act(struct sim_world *w, const struct order *o, int32_t lease_ms)
{
    act(w, o->who, w->chargers[w->site->connectors[o->who].charger].calls, o->limit_ma,
        lease_ms, o->n_phases);
}

/* A call that is not answered holds up the next one until its time is over. */
static void wait_in_vain(struct sim_world *w, int charger, const struct order *o)
{
    struct sim_charger *c = &w->chargers[charger];

    c->busy = c->lost = true;
    c->call = *o;
    sim_happen_put(w, (struct sim_item){c->call_ms + w->u->faults->timeout_ms,
                                        .what = SIM_TIMEOUT, .who = charger,
                                        .call = c->calls});
}

static void time_out(struct sim_world *w, int charger)
{
    struct sim_charger *c = &w->chargers[charger];

    c->busy = c->lost = false;
    if (c->call.kind == ORDER_LIMIT)
        sim_happen_tell(w, &(struct event){.kind = EVENT_ANSWER,
                                           .who = c->call.who,
                                           .answer = {c->call.seq, ANSWER_NONE}});
    call(w, charger);
}

static void answer(struct sim_world *w, int charger)
{
    enum sim_fate fate = sim_fail_call(w, charger);
    int64_t act_ms;
    int32_t lease_ms;
    struct order o =
        sim_charger_answer(&w->chargers[charger], w->now_ms, &act_ms, &lease_ms);

    if (fate == SIM_FATE_LOST) {
        wait_in_vain(w, charger, &o);
        return;
    }
    if (fate == SIM_FATE_REFUSED && o.kind == ORDER_LIMIT) {
        sim_happen_tell(w, &(struct event){.kind = EVENT_ANSWER,
                                           .who = o.who,
                                           .answer = {o.seq, ANSWER_REJECTED}});
        call(w, charger);
        return;
    }
    if (o.kind == ORDER_SAMPLE)
        sim_happen_put(w, (struct sim_item){act_ms, .what = SIM_FRESH, .who = o.who});
    else if (act_ms == w->now_ms)
        act(w, o.who, w->chargers[charger].calls, o.limit_ma, lease_ms, o.n_phases);
    else
        sim_happen_put(w, (struct sim_item){act_ms, .what = SIM_ACT, .who = o.who,
                                            .act = {w->chargers[charger].calls,
                                                    o.limit_ma, lease_ms, o.n_phases}});
    if (fate == SIM_FATE_ANSWER_LOST) {
        wait_in_vain(w, charger, &o);
        return;
    }
    if (o.kind == ORDER_LIMIT)
        sim_happen_tell(w, &(struct event){.kind = EVENT_ANSWER,
                                           .who = o.who,
                                           .answer = {o.seq, ANSWER_ACCEPTED}});
    call(w, charger);
}

/* The next event of a transaction is the first that a new controller hears of it. */
static void tell_untold(struct sim_world *w, int bay)
{
    if (!w->stalls[bay].untold || silent(w, bay) || w->dead ||
        !w->chargers[w->site->connectors[bay].charger].up)
        return;
    w->stalls[bay].untold = false;
    tell_session(w, bay, true);
    tell_status(w, bay, w->stalls[bay].bay.status);
}

static void sample(struct sim_world *w, const struct sim_item *item)
{
    struct sim_item again = *item;

    sim_happen_refresh(w);
    tell_untold(w, item->who);
    tell_sample(w, item->who);
    again.at_ms = w->now_ms + sim_world_sample_ms(w);
    sim_happen_put(w, again);
}

/* ---- the clock */

/* The session that it was meant for is still the one that is there. */
static bool is_there(const struct sim_world *w, const struct sim_item *i)
{
    return w->stalls[i->who].session == i->told.session;
}

void sim_happen(struct sim_world *w, const struct sim_item *i)
{
    switch (i->what) {
    case SIM_LINK:
        sim_happen_connect(w, i->who, true);
        break;
    case SIM_START:
        if (is_there(w, i))
            start(w, i->who);
        break;
    case SIM_SAMPLE:
        if (is_there(w, i))
            sample(w, i);
        break;
    case SIM_FRESH:
        sim_happen_refresh(w);
        tell_sample(w, i->who);
        break;
    case SIM_HEARD:
        if (!silent(w, i->who)) {
            struct event e = i->heard;

            sim_happen_tell(w, &e);
        }
        break;
    case SIM_TOLD:
        if (is_there(w, i))
            tell_status(w, i->who, i->told.status);
        break;
    case SIM_ANSWER:
        if (w->chargers[i->who].busy && w->chargers[i->who].calls == i->call)
            answer(w, i->who);
        break;
    case SIM_TIMEOUT:
        if (w->chargers[i->who].busy && w->chargers[i->who].calls == i->call)
            time_out(w, i->who);
        break;
    case SIM_REFUSED:
        sim_happen_tell(
            w,
            &(struct event){.kind = EVENT_ANSWER, .who = i->who, .answer = i->answer});
        break;
    case SIM_ACT:
        act(w, i->who, i->act.call, i->act.limit_ma, i->act.lease_ms, i->act.n_phases);
        break;
    case SIM_FOLLOW:
        sim_happen_refresh(w);
        sim_keep_follow(w, i->who);
        refresh(w, i->who);
        break;
    case SIM_UNDER:
        sim_happen_refresh(w);
        sim_keep_under(w, i);
        refresh(w, i->who);
        break;
    case SIM_READ:
        sim_gauge_read(w, i->who);
        break;
    case SIM_READING:
        sim_gauge_tell(w, i);
        break;
    default:
        sim_fail(w, i);
        break;
    }
}
