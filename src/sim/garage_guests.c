/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to the simulated garage and goes. In a run with an end there is one session
 * in each bay; without an end a next car comes some time after one has left. */
#include <stdio.h>
#include <string.h>

#include "sim/garage_state.h"

enum {
    SHORT_S = 60, /* below that nobody has time to finish */
    HEAD_S = 25,  /* of a run goes to arriving, being noticed and leaving */
    ENDLESS_S = 150,
    MAX_WH = 40000,
    LINGER_MS = GARAGE_SAMPLE_S * 1000 + 500 /* from being full to leaving, at least */
};

/* The table's energies are for a run of a minute. */
static int64_t scaled_wh(const struct garage *g, int64_t wh)
{
    int64_t for_s = g->u->for_s ? g->u->for_s : ENDLESS_S;

    wh = for_s < SHORT_S ? wh * for_s / SHORT_S : wh * (for_s - HEAD_S) / (60 - HEAD_S);
    if (wh < 1)
        return 1;
    return wh < MAX_WH ? wh : MAX_WH;
}

static void name_guest(struct garage_guest *v, int bay)
{
    snprintf(v->tag, sizeof v->tag, "CAR-%02d-%03d", bay + 1, v->visits % 1000);
}

void garage_guests_init(struct garage *g)
{
    for (int i = 0; i < GARAGE_BAYS; i++) {
        struct garage_guest *v = &g->guests[i];

        v->arrives_ms = garage_bays[i].arrives_ms;
        v->wanted_wh = scaled_wh(g, garage_bays[i].wanted_wh);
        name_guest(v, i);
    }
}

static void arrive(struct garage *g, int bay, int64_t now_ms)
{
    const struct garage_bay *b = &garage_bays[bay];
    struct garage_guest *v = &g->guests[bay];
    struct sim_car car;

    sim_car_real(&car, v->wanted_wh, b->car_phases, b->car_a * 1000, &g->rng);
    car.taper_nj = 0; /* it would have to slow down within seconds */
    car.wake_ms = car.asleep_ms = (int32_t)sim_rng_between(&g->rng, 500, 2500);
    station_plug(g->stations[b->charger], b->number - 1, now_ms, &car, v->tag,
                 (int32_t)sim_rng_between(&g->rng, 500, 2000));
    v->state = GUEST_THERE;
    v->leaves_ms = INT64_MAX;
}

/* A full car is driven away a moment later. */
static void stay(struct garage *g, int bay, int64_t now_ms)
{
    struct garage_guest *v = &g->guests[bay];
    const struct garage_bay *b = &garage_bays[bay];
    struct station *s = g->stations[b->charger];

    v->session = *station_session(s, b->number - 1);
    if (v->session.full && v->leaves_ms == INT64_MAX)
        v->leaves_ms = garage_time_ms(g, now_ms) +
                       sim_rng_between(&g->rng, LINGER_MS, LINGER_MS + 2000);
    if (garage_time_ms(g, now_ms) < v->leaves_ms)
        return;
    station_unplug(s, b->number - 1, now_ms);
    v->session = *station_session(s, b->number - 1);
    v->state = GUEST_LEAVING;
}

static void leave(struct garage *g, int bay)
{
    struct garage_guest *v = &g->guests[bay];

    v->session.transaction = station_session(g->stations[garage_bays[bay].charger],
                                             garage_bays[bay].number - 1)
                                 ->transaction;
    g->totals.left++;
    g->totals.served += garage_served(g, v);
    g->totals.served_nj += v->session.delivered_nj;
    v->state = GUEST_GONE;
}

static void next_guest(struct garage *g, int bay, int64_t now_ms)
{
    struct garage_guest *v = &g->guests[bay];
    int64_t usual_wh = scaled_wh(g, garage_bays[bay].wanted_wh);

    v->state = GUEST_COMING;
    v->visits++;
    v->arrives_ms = garage_time_ms(g, now_ms) + sim_rng_between(&g->rng, 5000, 40000);
    v->wanted_wh = usual_wh * sim_rng_between(&g->rng, 50, 150) / 100 + 1;
    v->session = (struct station_session){0};
    name_guest(v, bay);
}

static void tick(struct garage *g, int bay, int64_t now_ms)
{
    struct garage_guest *v = &g->guests[bay];
    const struct garage_bay *b = &garage_bays[bay];
    const struct station *s = g->stations[b->charger];

    switch (v->state) {
    case GUEST_COMING:
        if (garage_time_ms(g, now_ms) >= v->arrives_ms && station_accepted(s) &&
            station_counts(s)->set_points > 0)
            arrive(g, bay, now_ms);
        break;
    case GUEST_THERE:
        stay(g, bay, now_ms);
        break;
    case GUEST_LEAVING:
        if (station_free_bay(s, b->number - 1))
            leave(g, bay);
        break;
    case GUEST_GONE:
        if (!g->u->for_s)
            next_guest(g, bay, now_ms);
        break;
    }
}

void garage_guests_tick(struct garage *g, int64_t now_ms)
{
    for (int i = 0; i < GARAGE_BAYS; i++)
        tick(g, i, now_ms);
}

bool garage_served(const struct garage *g, const struct garage_guest *v)
{
    const struct station_session *s = &v->session;

    if (s->transaction <= 0 || s->drew_ms == 0 || s->untold_ms > 0)
        return false;
    return (g->u->for_s && g->u->for_s < SHORT_S) || (s->full && s->over);
}
