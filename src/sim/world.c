/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of the simulated world. In each moment come loads, departures and arrivals,
 * then what chargers and meters do, then the tick; each is told to the controller.
 * The verdict on a second comes before what happens at its last moment. */
#include "sim/world.h"

#include <stdlib.h>

#include "sim/world_state.h"

enum {
    WARM_UP_S = 60,
    MOMENT_EVENTS =
        1000000 /* more at one moment: controller and plant run in circles */
};

bool sim_world_span(const struct sim_sessions *s, const struct sim_loads *l,
                    int64_t *from_s, int64_t *to_s)
{
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (int i = 0; i < s->n; i++) {
        first = s->list[i].arrival_s < first ? s->list[i].arrival_s : first;
        last = s->list[i].departure_s > last ? s->list[i].departure_s : last;
    }
    if (l && l->n) {
        first = l->list[0].at_s < first ? l->list[0].at_s : first;
        last = l->list[l->n - 1].at_s > last ? l->list[l->n - 1].at_s : last;
    }
    *from_s = first - WARM_UP_S;
    *to_s = last + 1;
    return first != INT64_MAX;
}

/* Goes on to a later moment; what has flowed until then is looked at first. */
static void go_to(struct sim_world *w, int64_t ms)
{
    if (ms > w->now_ms && w->touched) {
        sim_plant_look(w->plant, w->now_ms);
        w->touched = false;
    }
    w->now_ms = ms;
}

/* What the recording has next: its time, INT64_MAX = nothing more. */
static int64_t next_recorded_ms(const struct sim_world *w)
{
    const struct sim_sessions *s = w->u->sessions;
    const struct sim_loads *l = w->u->loads;
    int64_t ms = INT64_MAX, t;

    if (l && w->next_load < l->n)
        ms = sim_world_ms(w, l->list[w->next_load].at_s);
    if (w->next_departure < s->n) {
        t = sim_world_ms(w, w->leaves[w->next_departure].at_s);
        ms = t < ms ? t : ms;
    }
    if (w->next_arrival < s->n) {
        t = sim_world_ms(w, s->list[w->next_arrival].arrival_s);
        ms = t < ms ? t : ms;
    }
    return ms;
}

static void play_recorded(struct sim_world *w)
{
    const struct sim_sessions *s = w->u->sessions;
    const struct sim_loads *l = w->u->loads;

    sim_happen_refresh(w);
    while (l && w->next_load < l->n &&
           sim_world_ms(w, l->list[w->next_load].at_s) == w->now_ms)
        sim_happen_load(w, &l->list[w->next_load++]);
    while (w->next_departure < s->n &&
           sim_world_ms(w, w->leaves[w->next_departure].at_s) == w->now_ms)
        sim_happen_leave(w, w->leaves[w->next_departure++].session);
    while (w->next_arrival < s->n &&
           sim_world_ms(w, s->list[w->next_arrival].arrival_s) == w->now_ms)
        sim_happen_arrive(w, w->next_arrival++);
}

/* What has flowed in this second; what happens at its last moment counts in the next.
 */
static void end_second(struct sim_world *w)
{
    sim_happen_refresh(w);
    w->touched = false;
    sim_plant_second(w->plant, w->now_ms);
    if (w->u->second)
        w->u->second(w->u->second_arg, w->now_ms, w->plant);
}

static void tick(struct sim_world *w)
{
    w->out->ticks++;
    sim_happen_tell(w, &(struct event){.kind = EVENT_TICK});
}

static const char *run(struct sim_world *w)
{
    int64_t tick_ms = 1000, moment = 0;

    while (!w->failed) {
        const struct sim_item *first = sim_queue_first(&w->queue);
        int64_t recorded_ms = next_recorded_ms(w);
        int64_t queued_ms = first ? first->at_ms : INT64_MAX;
        int64_t next_ms = recorded_ms < queued_ms ? recorded_ms : queued_ms;
        struct sim_item item;

        next_ms = tick_ms < next_ms ? tick_ms : next_ms;
        if (next_ms > w->end_ms)
            return NULL;
        moment = next_ms == w->now_ms ? moment + 1 : 0;
        if (moment > MOMENT_EVENTS)
            return "the controller and the plant answer each other without end";
        if (next_ms == tick_ms && w->now_ms < tick_ms) {
            go_to(w, tick_ms);
            end_second(w);
            continue;
        }
        go_to(w, next_ms);
        if (recorded_ms == next_ms) {
            play_recorded(w);
        } else if (queued_ms == next_ms) {
            sim_queue_take(&w->queue, &item);
            sim_happen(w, &item);
        } else {
            tick(w);
            tick_ms += 1000;
        }
    }
    return "no memory";
}

/* ---- set-up */

static int by_departure(const void *left, const void *right)
{
    const struct sim_leave *a = left, *b = right;

    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    return a->session - b->session;
}

/* Streams of random numbers: one for each thing, so that the cars of a recording are
 * the same whatever the controller does. */
enum { STREAM_STALLS = 1 << 16, STREAM_CHARGERS = 2 << 16, STREAM_METERS = 3 << 16 };

static void set_up_stall(struct sim_world *w, int i)
{
    const struct site_connector *c = &w->site->connectors[i];
    struct sim_stall *s = &w->stalls[i];
    uint8_t wires = 0;

    s->rng = sim_rng_stream(w->u->seed, STREAM_STALLS + (uint64_t)i);
    s->session = SIM_NOBODY;
    for (int p = 0; p < SITE_PHASES; p++)
        s->wiring[p] = c->wiring_unknown ? (uint8_t)p : c->wiring[p];
    if (c->wiring_unknown) { /* it does have one */
        int turn = (int)sim_rng_between(&s->rng, 0, SITE_PHASES - 1);

        for (int p = 0; p < SITE_PHASES; p++)
            s->wiring[p] = (uint8_t)((p + turn) % SITE_PHASES);
    }
    for (int p = 0; p < SITE_PHASES; p++)
        if (s->wiring[p] < SITE_PHASES)
            wires |= (uint8_t)(1 << p);
    sim_bay_init(&s->bay, wires, c->min_ma, c->max_ma, c->step_ma, c->fallback_ma,
                 w->site->voltage_mv, 0);
}

static bool set_up_chargers(struct sim_world *w)
{
    for (int i = 0; i < w->site->n_connectors; i++)
        set_up_stall(w, i);
    for (int i = 0; i < w->site->n_chargers; i++) {
        struct sim_rng rng = sim_rng_stream(w->u->seed, STREAM_CHARGERS + (uint64_t)i);
        int64_t at_ms = w->u->real ? sim_rng_between(&rng, 0, SIM_LINK_MAX_MS) : 0;
        int n = 0;

        for (int c = 0; c < w->site->n_connectors; c++)
            n += w->site->connectors[c].charger == i;
        if (!sim_charger_init(&w->chargers[i], n, w->u->real, rng))
            return false;
        if (w->u->real && w->u->act_max_ms) {
            w->chargers[i].act_min_ms = w->u->act_min_ms;
            w->chargers[i].act_max_ms = w->u->act_max_ms;
        }
        sim_happen_put(w, (struct sim_item){at_ms, .what = SIM_LINK, .who = i});
    }
    return true;
}

static void set_up_meters(struct sim_world *w)
{
    for (int i = 0; i < w->site->n_meters; i++) {
        int64_t at_ms = 0;

        w->meters[i] = sim_rng_stream(w->u->seed, STREAM_METERS + (uint64_t)i);
        w->meter_circuit[i] = SITE_NONE;
        for (int c = w->site->n_circuits - 1; c >= 0; c--)
            if (w->site->circuits[c].meter == i)
                w->meter_circuit[i] = c;
        if (w->u->real)
            at_ms =
                sim_rng_between(&w->meters[i], 0, w->site->meters[i].interval_ms - 1);
        sim_happen_put(w, (struct sim_item){at_ms, .what = SIM_READ, .who = i});
    }
}

/* Meter period plus the slowest charger's response, the car's included. */
static int64_t reaction_ms(const struct sim_world *w)
{
    int32_t meter_ms = 0, charger_ms = 0;

    for (int i = 0; i < w->site->n_meters; i++)
        if (w->site->meters[i].interval_ms > meter_ms)
            meter_ms = w->site->meters[i].interval_ms;
    if (!w->u->real)
        return meter_ms;
    for (int i = 0; i < w->site->n_chargers; i++)
        if (sim_charger_slowest_ms(&w->chargers[i]) > charger_ms)
            charger_ms = sim_charger_slowest_ms(&w->chargers[i]);
    return meter_ms + SIM_READ_MAX_MS + (w->u->faults ? w->u->faults->lag_ms : 0) +
           charger_ms + SIM_SETTLE_MS;
}

static void *some(size_t n, size_t size)
{
    return calloc(n + 1, size);
}

static bool allocate(struct sim_world *w)
{
    size_t bays = (size_t)w->site->n_connectors, meters = (size_t)w->site->n_meters;

    w->stalls = some(bays, sizeof *w->stalls);
    w->active = some(bays, sizeof *w->active);
    w->chargers = some((size_t)w->site->n_chargers, sizeof *w->chargers);
    w->meters = some(meters, sizeof *w->meters);
    w->gauges = some(meters, sizeof *w->gauges);
    w->meter_circuit = some(meters, sizeof *w->meter_circuit);
    w->solar_ma = some(meters, sizeof *w->solar_ma);
    w->own_ma = some((size_t)w->site->n_circuits, sizeof *w->own_ma);
    w->leaves = some((size_t)w->u->sessions->n, sizeof *w->leaves);
    w->orders = some(w->u->brain.max_orders, sizeof *w->orders);
    return w->stalls && w->active && w->chargers && w->meters && w->gauges &&
           w->meter_circuit && w->solar_ma && w->own_ma && w->leaves && w->orders;
}

static void release(struct sim_world *w)
{
    for (int i = 0; w->chargers && i < w->site->n_chargers; i++)
        sim_charger_free(&w->chargers[i]);
    free(w->stalls);
    free(w->active);
    free(w->chargers);
    free(w->meters);
    free(w->gauges);
    free(w->meter_circuit);
    free(w->solar_ma);
    free(w->own_ma);
    free(w->leaves);
    free(w->orders);
    sim_plant_free(w->plant);
    sim_queue_free(&w->queue);
}

static bool set_up(struct sim_world *w)
{
    struct sim_sessions *s = w->u->sessions;

    if (!allocate(w) || !set_up_chargers(w))
        return false;
    set_up_meters(w);
    for (int i = 0; i < s->n; i++) {
        s->list[i].delivered_nj = 0;
        s->list[i].starts = 0;
        w->leaves[i] = (struct sim_leave){s->list[i].departure_s, i};
    }
    qsort(w->leaves, (size_t)s->n, sizeof *w->leaves, by_departure);
    sim_fail_begin(w);
    w->out->reaction_ms = reaction_ms(w);
    w->plant = sim_plant_new(w->site, w->out->reaction_ms);
    return w->plant && !w->failed;
}

const char *sim_world_run(const struct sim_setup *u, struct sim_outcome *out)
{
    struct sim_world w = {.u = u, .site = u->site, .out = out, .stepped_ms = -1};
    int64_t to_s;
    const char *fault;

    *out = (struct sim_outcome){0};
    if (!sim_world_span(u->sessions, u->loads, &w.from_s, &to_s))
        return "nothing is recorded";
    w.end_ms = sim_world_ms(&w, to_s);
    out->simulated_s = to_s - w.from_s;
    fault = set_up(&w) ? run(&w) : "no memory";
    if (w.plant)
        out->verdict = *sim_plant_verdict(w.plant);
    release(&w);
    return fault;
}
