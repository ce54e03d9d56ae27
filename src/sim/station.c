/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a simulated charger: it connects, boots, drivers come and go, cars
 * draw what its profiles let them. */
#include "sim/station_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"

enum { LEAVE_MS = 1000, RESTART_MS = 2000 };

int64_t station_utc_s(const struct station *s)
{
    return clock_utc_s() + s->clock_ahead_s;
}

int32_t station_between(struct station *s, int32_t lo, int32_t hi)
{
    return (int32_t)sim_rng_between(&s->rng, lo, hi > lo ? hi : lo);
}

/* ---- the link */

static void on_open(void *arg)
{
    struct station *s = arg;

    if (!s->booted) {
        s->dialect->tell_boot(s, OCPP_CLIENT_FIRST);
        return;
    }
    ocpp_client_ready(s->client, true);
    station_tell_all(s);
}

static void on_close(void *arg)
{
    struct station *s = arg;

    s->boot_ms = INT64_MAX;
}

void station_accepted_boot(struct station *s, int32_t interval_s)
{
    if (interval_s > 0)
        snprintf(s->keys[KEY_HEARTBEAT], sizeof s->keys[0], "%d", (int)interval_s);
    s->heartbeat_ms = s->now_ms;
    s->counts.boots++;
    if (s->booted)
        return; /* it was only asked to say so again */
    s->booted = true;
    ocpp_client_ready(s->client, true);
    station_tell_all(s);
}

static void link(struct station *s)
{
    int beat_s = station_key_int(s, KEY_HEARTBEAT);

    ocpp_client_ping_every(s->client, station_key_int(s, KEY_PING));
    ocpp_client_tick(s->client, s->now_ms);
    if (!ocpp_client_is_open(s->client))
        return;
    if (s->now_ms >= s->boot_ms)
        s->dialect->tell_boot(s, OCPP_CLIENT_FIRST);
    if (s->booted && beat_s > 0 && s->now_ms - s->heartbeat_ms >= beat_s * 1000) {
        s->heartbeat_ms = s->now_ms;
        station_tell_heartbeat(s);
    }
}

/* ---- transactions */

static int64_t sample_ms(const struct station *s)
{
    return station_key_int(s, KEY_SAMPLE_S) * INT64_C(1000);
}

/* Current may flow from now on, under the limit as it is at this moment. */
void station_begin(struct station_bay *b)
{
    struct station *s = b->station;

    b->state = BAY_CHARGING;
    b->session = (struct station_session){.begun = true};
    b->begun_s = station_utc_s(s);
    b->sample_ms = INT64_MAX;
    if (sample_ms(s) > 0)
        b->sample_ms = s->now_ms + station_between(s, 500, (int32_t)sample_ms(s));
    b->act_ms = INT64_MAX;
    s->dialect->tell_start(b);
    sim_bay_start(&b->bay, s->now_ms);
}

void station_end(struct station_bay *b, const char *reason)
{
    struct station *s = b->station;

    if (!b->bay.session)
        return;
    sim_bay_stop(&b->bay, s->now_ms);
    sim_profiles_end(&s->profiles, b->number);
    b->out |= b->out_due;
    b->state = BAY_DONE;
    b->begun_s = SIM_NO_TIME;
    b->sample_ms = INT64_MAX;
    b->session.over = true;
    b->session.delivered_nj = b->bay.session_nj;
    b->session.full = sim_car_full(&b->bay.car);
    b->stop_s = station_utc_s(s);
    b->stop_wh = sim_bay_energy_wh(&b->bay);
    b->stop_reason = reason;
    s->dialect->tell_stop(b);
}

void station_plug(struct station *s, int bay, int64_t now_ms, const struct sim_car *car,
                  const char *tag, int32_t think_ms)
{
    struct station_bay *b = &s->bays[bay];

    s->now_ms = now_ms;
    b->session = (struct station_session){0};
    b->chosen = 0;
    snprintf(b->tag, sizeof b->tag, "%s", tag);
    b->state = BAY_THINKING;
    b->ask_ms = now_ms + think_ms;
    sim_bay_plug(&b->bay, now_ms, car);
}

void station_unplug(struct station *s, int bay, int64_t now_ms)
{
    struct station_bay *b = &s->bays[bay];

    s->now_ms = now_ms;
    station_end(b, "EVDisconnected");
    if (b->state == BAY_FREE)
        return;
    b->state = BAY_DONE;
    b->leave_ms = now_ms + LEAVE_MS;
}

/* ---- what its profiles let through */

static void obey_profiles(struct station_bay *b)
{
    struct station *s = b->station;
    const struct sim_period *period;
    struct sim_profile_view v;
    int32_t ma;

    if (b->act_ms != INT64_MAX && s->now_ms < b->act_ms)
        return;
    b->act_ms = INT64_MAX;
    station_view(b, station_utc_s(s), &v);
    period = sim_profiles_period(&s->profiles, &v);
    if (s->u.phase_switch)
        sim_bay_set_phases(&b->bay, s->now_ms,
                           period && period->phases == 1 ? 1 : SITE_PHASES,
                           period && period->phase ? period->phase - 1 : 0);
    ma = sim_profiles_limit_ma(&s->profiles, &v);
    if (ma == b->limit_ma)
        return;
    b->limit_ma = ma;
    if (ma == SIM_NO_LIMIT)
        sim_bay_clear_limit(&b->bay, s->now_ms);
    else
        sim_bay_set_limit(&b->bay, s->now_ms, ma, -1);
    if (s->dialect->tell_limit && b->bay.session)
        s->dialect->tell_limit(b);
}

static void watch(struct station_bay *b)
{
    int64_t now_ms = b->station->now_ms, dt_ms = now_ms - b->looked_ms;

    b->looked_ms = now_ms;
    if (!b->bay.session)
        return;
    b->session.delivered_nj = b->bay.session_nj;
    b->session.full = sim_car_full(&b->bay.car);
    if (b->bay.car.i_ma <= 0)
        return;
    b->session.drew_ms += dt_ms;
    if (b->limit_ma == SIM_NO_LIMIT)
        b->session.untold_ms += dt_ms;
}

/* Meter values are due; another interval counts at once. */
static void tick_sample(struct station_bay *b)
{
    struct station *s = b->station;
    int64_t every_ms = sample_ms(s);

    if (every_ms <= 0 || !b->bay.session) {
        b->sample_ms = INT64_MAX;
        return;
    }
    if (b->sample_ms > s->now_ms + every_ms)
        b->sample_ms = s->now_ms + every_ms;
    if (s->now_ms < b->sample_ms)
        return;
    b->sample_ms = s->now_ms + every_ms;
    s->dialect->tell_meter(b, "Sample.Periodic");
}

static void tick_bay(struct station_bay *b)
{
    struct station *s = b->station;

    obey_profiles(b);
    sim_bay_step(&b->bay, s->now_ms);
    watch(b);
    if (s->now_ms >= b->leave_ms) {
        sim_bay_unplug(&b->bay, s->now_ms);
        b->state = BAY_FREE;
        b->leave_ms = INT64_MAX;
    }
    if (b->state == BAY_THINKING && s->now_ms >= b->ask_ms && station_accepted(s) &&
        !b->out)
        s->dialect->tell_authorize(b);
    if (b->bay.status != b->told && station_accepted(s))
        s->dialect->tell_status(s, b->number);
    tick_sample(b);
}

static bool idle(const struct station *s)
{
    for (int i = 0; i < s->u.n_bays; i++)
        if (s->bays[i].bay.session)
            return false;
    return true;
}

/* Reset: transactions end, then it is away for a while and boots anew. */
static void restart(struct station *s)
{
    if (s->reset_when_idle && idle(s)) {
        s->reset_when_idle = false;
        s->reset_ms = s->now_ms;
    }
    if (s->now_ms < s->reset_ms)
        return;
    s->reset_ms = INT64_MAX;
    s->booted = false;
    s->was_reset = true;
    ocpp_client_drop(s->client, RESTART_MS);
}

void station_tick(struct station *s, int64_t now_ms)
{
    s->now_ms = now_ms;
    link(s);
    for (int i = 0; i < s->u.n_bays; i++)
        tick_bay(&s->bays[i]);
    restart(s);
}

/* ---- for others */

bool station_accepted(const struct station *s)
{
    return s->booted && ocpp_client_is_open(s->client);
}

bool station_free_bay(const struct station *s, int bay)
{
    const struct station_bay *b = &s->bays[bay];

    return b->state == BAY_FREE && !b->starting && !b->stop_due;
}

const struct sim_bay *station_bay(const struct station *s, int bay)
{
    return &s->bays[bay].bay;
}

const struct station_session *station_session(const struct station *s, int bay)
{
    return &s->bays[bay].session;
}

const struct station_counts *station_counts(const struct station *s)
{
    return &s->counts;
}

static void set_up_bay(struct station *s, int i, int64_t now_ms)
{
    struct station_bay *b = &s->bays[i];

    b->station = s;
    b->number = i + 1;
    b->leave_ms = b->sample_ms = b->act_ms = INT64_MAX;
    b->begun_s = SIM_NO_TIME;
    b->limit_ma = SIM_NO_LIMIT;
    b->looked_ms = now_ms;
    sim_bay_init(&b->bay, s->u.bay[i].wires, s->u.bay[i].min_ma, s->u.bay[i].max_ma,
                 s->u.bay[i].step_ma, s->u.bay[i].max_ma, s->u.voltage_mv, now_ms);
}

struct station *station_new(const struct station_setup *u, int64_t now_ms)
{
    struct station *s = calloc(1, sizeof *s);
    struct ocpp_client_setup link_setup = {
        .schema = u->schema,
        .lws = u->lws,
        .host = u->host,
        .port = u->port,
        .identity = u->identity,
        .password = u->password,
        .arg = s,
        .opened = on_open,
        .closed = on_close,
        .called = station_obey,
    };

    if (!s)
        return NULL;
    s->u = *u;
    s->rng = u->rng;
    s->now_ms = now_ms;
    s->boot_ms = s->reset_ms = INT64_MAX;
    s->dialect = u->schema->read_event ? &station_evse : &station_point;
    s->dialect->init_keys(s);
    for (int i = 0; i < u->n_bays; i++)
        set_up_bay(s, i, now_ms);
    s->client = ocpp_client_new(&link_setup);
    if (s->client)
        return s;
    free(s);
    return NULL;
}

void station_free(struct station *s)
{
    if (!s)
        return;
    ocpp_client_free(s->client);
    free(s);
}
