/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong in the simulated world. */
#include "sim/fail.h"

#include "sim/world_state.h"

enum {
    STREAM_FAIL = 5 << 16,
    STREAM_NEWER = 6 << 16,
    DOUBT_MS = 11000,      /* without an answer for so long, it is taken for lost */
    RETRY_MOST_MS = 30000, /* the controller tells it again after at most so long */
    BACK_MAX_MS = 20000,   /* a charger connects to a new controller within so long */
    BOOT_MAX_MS = 20000    /* a restart of a charger */
};

static struct sim_rng *rng(struct sim_world *w)
{
    return &w->fail_rng;
}

static bool chance(struct sim_world *w, int32_t share, int32_t of)
{
    return sim_rng_between(rng(w), 1, of) <= share;
}

/* A random time whose mean is every_s. */
static int64_t some_time_ms(struct sim_world *w, int32_t every_s)
{
    return sim_rng_between(rng(w), 1000, 2000 * (int64_t)every_s);
}

static void put(struct sim_world *w, int64_t in_ms, enum sim_what what, int who)
{
    sim_happen_put(w, (struct sim_item){w->now_ms + in_ms, .what = what, .who = who});
}

static void next(struct sim_world *w, int32_t every_s, enum sim_what what, int who)
{
    if (every_s > 0)
        put(w, some_time_ms(w, every_s), what, who);
}

/* By numbers of their own: all else stays as it is. */
static void set_up_newer(struct sim_world *w, int charger)
{
    const struct sim_faults *f = w->u->faults;
    struct sim_charger *c = &w->chargers[charger];
    struct sim_rng own = sim_rng_stream(w->u->seed, STREAM_NEWER + (uint64_t)charger);

    c->newer = sim_rng_between(&own, 1, 100) <= f->newer_pct;
    c->clock_off_ms =
        (int32_t)sim_rng_between(&own, -f->clock_off_s * 1000, f->clock_off_s * 1000);
    if (!c->newer)
        return;
    c->lease_from_act = false;
    next(w, f->others_every_s, SIM_OTHERS, charger);
    for (int i = 0; i < w->site->n_connectors; i++)
        if (w->site->connectors[i].charger == charger)
            sim_keep_begin(w, i);
}

void sim_fail_begin(struct sim_world *w)
{
    const struct sim_faults *f = w->u->faults;

    if (!f)
        return;
    w->fail_rng = sim_rng_stream(w->u->seed, STREAM_FAIL);
    for (int i = 0; i < w->site->n_chargers; i++) {
        w->chargers[i].act_max_ms +=
            f->late_ms ? sim_rng_between(rng(w), 0, f->late_ms) : 0;
        next(w, f->link_every_s, SIM_CUT, i);
        w->chargers[i].forgets = chance(w, f->forget_pct, 100);
        w->chargers[i].refuses = f->refusing_pct && chance(w, f->refusing_pct, 100);
        w->chargers[i].watts = f->watts_pct && chance(w, f->watts_pct, 100);
        set_up_newer(w, i);
        if (chance(w, f->deaf_pct, 100))
            put(w, sim_rng_between(rng(w), 0, f->deaf_after_s) * 1000, SIM_DEAF, i);
    }
    for (int m = 0; m < w->site->n_meters; m++) {
        w->gauges[m].wrong_permille =
            (int32_t)sim_rng_between(rng(w), -f->class_permille, f->class_permille);
        w->gauges[m].lag_ms = (int32_t)sim_rng_between(rng(w), 0, f->lag_ms);
        next(w, f->meter_every_s, SIM_METER_OUT, m);
    }
    next(w, f->kill_every_s, SIM_KILL, 0);
}

static const int64_t ever_ms = INT64_MAX / 2;

/* Control cannot reach the connectors of that charger from now on, until so long. */
static void out(struct sim_world *w, int charger, int64_t until_ms)
{
    for (int i = 0; i < w->site->n_connectors; i++)
        if (w->site->connectors[i].charger == charger)
            sim_plant_out(w->plant, i, w->now_ms, until_ms);
}

static void in_again(struct sim_world *w, int charger)
{
    for (int i = 0; i < w->site->n_connectors; i++)
        if (w->site->connectors[i].charger == charger)
            sim_plant_in(w->plant, i, w->now_ms + w->out->reaction_ms);
}

/* A limit that is not taken is made up for by others, when that is known. */
static void in_doubt(struct sim_world *w, int charger, int64_t since_ms, int64_t for_ms)
{
    for (int i = 0; i < w->site->n_connectors; i++)
        if (w->site->connectors[i].charger == charger)
            for (int v = w->site->connectors[i].circuit; v != SITE_NONE;
                 v = w->site->circuits[v].parent)
                sim_plant_blind(w->plant, v, since_ms, w->now_ms + for_ms);
}

int64_t sim_fail_told(struct sim_world *w, int charger)
{
    struct sim_charger *c = &w->chargers[charger];
    int32_t most_ms = w->u->faults ? w->u->faults->late_told_ms : 0;
    int64_t at_ms;

    if (most_ms == 0)
        return w->now_ms;
    at_ms = w->now_ms + sim_rng_between(rng(w), 0, most_ms);
    if (c->heard_ms < at_ms)
        c->heard_ms = at_ms;
    return c->heard_ms;
}

void sim_fail_waits(struct sim_world *w, int charger)
{
    if (w->chargers[charger].lost)
        in_doubt(w, charger, w->now_ms, DOUBT_MS + w->out->reaction_ms);
}

/* ---- calls ---- */

/* More than the bay may draw now: whether it takes that or not, it can be lowered. */
static bool is_raise(const struct sim_world *w, const struct order *o)
{
    return o->kind == ORDER_LIMIT && o->limit_ma > w->stalls[o->who].bay.limit_ma;
}

enum sim_fate sim_fail_call(struct sim_world *w, int charger)
{
    const struct sim_faults *f = w->u->faults;

    if (!f)
        return SIM_FATE_GOOD;
    if (w->chargers[charger].mute) { /* which control does not know yet */
        in_doubt(w, charger, w->chargers[charger].call_ms,
                 DOUBT_MS + w->out->reaction_ms);
        return SIM_FATE_LOST;
    }
    if (chance(w, f->lost_permille, 1000)) {
        in_doubt(w, charger, w->chargers[charger].call_ms,
                 DOUBT_MS + w->out->reaction_ms);
        out(w, charger,
            w->now_ms + f->timeout_ms + RETRY_MOST_MS + w->out->reaction_ms);
        return chance(w, 1, 2) ? SIM_FATE_LOST : SIM_FATE_ANSWER_LOST;
    }
    if (!chance(w, w->chargers[charger].refuses ? 500 : f->refused_permille, 1000))
        return SIM_FATE_GOOD;
    if (is_raise(w, &w->chargers[charger].call))
        return SIM_FATE_REFUSED;
    in_doubt(w, charger, w->chargers[charger].call_ms, w->out->reaction_ms);
    out(w, charger, w->now_ms + RETRY_MOST_MS + w->out->reaction_ms);
    return SIM_FATE_REFUSED;
}

/* ---- others who limit a charger ---- */

static void others(struct sim_world *w, int charger)
{
    const struct sim_faults *f = w->u->faults;
    int32_t limit_ma = (int32_t)sim_rng_between(rng(w), 0, 20) * 1000;
    bool over = false;

    sim_happen_refresh(w);
    for (int i = 0; i < w->site->n_connectors; i++)
        if (w->site->connectors[i].charger == charger)
            over = sim_keep_others(w, i, limit_ma);
    next(w, over ? f->others_every_s : f->others_out_s, SIM_OTHERS, charger);
}

/* A controller that asks hears of them. */
static void tell_others(struct sim_world *w, int charger)
{
    for (int i = 0; i < w->site->n_connectors && w->chargers[charger].newer; i++)
        if (w->site->connectors[i].charger == charger)
            sim_keep_tell(w, i);
}

/* ---- links ---- */

/* What waits was never sent; what is under way may have arrived. */
static void drop_calls(struct sim_world *w, int charger)
{
    struct sim_charger *c = &w->chargers[charger];

    for (int i = 0; i < c->n_waiting; i++)
        if (c->waiting[i].kind == ORDER_LIMIT)
            sim_happen_give_back(w, &c->waiting[i], ANSWER_REJECTED);
    c->n_waiting = 0;
    if (c->busy && c->call.kind == ORDER_LIMIT) {
        if (chance(w, 1, 2) && !c->mute)
            sim_happen_act(w, &c->call, c->call.lease_ms);
        sim_happen_give_back(w, &c->call, ANSWER_NONE);
    }
    c->busy = c->lost = false;
    c->calls++; /* its answer and its time-out are about nothing now */
}

static void down(struct sim_world *w, int charger)
{
    if (!w->chargers[charger].up)
        return;
    drop_calls(w, charger);
    w->chargers[charger].up = false;
    sim_happen_tell(w, &(struct event){.kind = EVENT_LINK, .who = charger});
}

static void cut(struct sim_world *w, int charger)
{
    const struct sim_faults *f = w->u->faults;
    struct sim_charger *c = &w->chargers[charger];
    int64_t out_ms = sim_rng_between(rng(w), 1000, (int64_t)f->link_out_s * 1000);

    next(w, f->link_every_s, SIM_CUT, charger);
    if (c->mute || !c->up)
        return;
    c->mute = true;
    out(w, charger, ever_ms);
    c->booted = chance(w, f->reboot_pct, 100);
    if (c->booted) {
        sim_happen_switch(w, charger, false);
        out_ms = sim_rng_between(rng(w), 5000, BOOT_MAX_MS);
    }
    put(w, sim_rng_between(rng(w), 0, (int64_t)f->link_notice_s * 1000), SIM_NOTICED,
        charger);
    put(w, out_ms, SIM_BACK, charger);
}

static void back(struct sim_world *w, int charger)
{
    struct sim_charger *c = &w->chargers[charger];

    if (c->booted)
        sim_happen_switch(w, charger, true);
    if (w->dead) { /* nobody is there to connect to */
        put(w, 1000, SIM_BACK, charger);
        return;
    }
    if (c->up)
        drop_calls(w, charger); /* the new connection replaces the old one */
    c->mute = false;
    in_again(w, charger);
    sim_happen_connect(w, charger, c->booted);
    tell_others(w, charger);
    c->booted = false;
}

/* ---- meters ---- */

static void meter_out(struct sim_world *w, int meter)
{
    const struct sim_faults *f = w->u->faults;
    struct sim_gauge *g = &w->gauges[meter];
    int64_t notice_ms, blind_ms;

    g->until_ms =
        w->now_ms + sim_rng_between(rng(w), 1000, (int64_t)f->meter_out_s * 1000);
    g->frozen = chance(w, f->freeze_pct, 100);
    notice_ms = g->frozen ? w->site->meters[meter].max_same_ms
                          : w->site->meters[meter].max_age_ms;
    blind_ms = w->now_ms + notice_ms + 2000;
    if (w->meter_circuit[meter] != SITE_NONE)
        sim_plant_blind(w->plant, w->meter_circuit[meter], w->now_ms,
                        (g->until_ms < blind_ms ? g->until_ms : blind_ms) +
                            w->out->reaction_ms);
    next(w, f->meter_every_s, SIM_METER_OUT, meter);
}

bool sim_fail_meter(struct sim_world *w, int meter, struct event_meter *r)
{
    struct sim_gauge *g = &w->gauges[meter];

    if (!w->u->faults)
        return true;
    for (int p = 0; p < SITE_PHASES; p++)
        r->i_ma[p] += (int32_t)((int64_t)r->i_ma[p] * g->wrong_permille / 1000);
    if (w->now_ms >= g->until_ms || g->changed_ms == 0) {
        g->changed_ms = w->now_ms;
        g->last = *r;
    }
    *r = g->last;
    r->changed_ms = g->changed_ms;
    return w->now_ms >= g->until_ms || g->frozen;
}

/* ---- the controller ---- */

static void kill_it(struct sim_world *w)
{
    const struct sim_faults *f = w->u->faults;

    for (int i = 0; i < w->site->n_chargers; i++) {
        drop_calls(w, i);
        w->chargers[i].up = false;
        out(w, i, ever_ms);
    }
    w->dead = true;
    w->out->kills++;
    put(w, sim_rng_between(rng(w), 1000, (int64_t)f->kill_out_s * 1000), SIM_START_UP,
        0);
    next(w, f->kill_every_s, SIM_KILL, 0);
}

static void start_up(struct sim_world *w)
{
    w->dead = false;
    w->u->brain.restart(w->u->brain.arg, w->now_ms);
    for (int i = 0; i < w->site->n_connectors; i++)
        w->stalls[i].untold = w->stalls[i].bay.session &&
                              w->chargers[w->site->connectors[i].charger].newer;
    for (int i = 0; i < w->site->n_chargers; i++)
        if (!w->chargers[i].mute)
            put(w, sim_rng_between(rng(w), 0, BACK_MAX_MS), SIM_BACK, i);
}

void sim_fail(struct sim_world *w, const struct sim_item *i)
{
    if (i->what == SIM_CUT)
        cut(w, i->who);
    else if (i->what == SIM_NOTICED && w->chargers[i->who].mute)
        down(w, i->who);
    else if (i->what == SIM_BACK)
        back(w, i->who);
    else if (i->what == SIM_OTHERS)
        others(w, i->who);
    else if (i->what == SIM_DEAF)
        sim_happen_deafen(w, i->who);
    else if (i->what == SIM_METER_OUT)
        meter_out(w, i->who);
    else if (i->what == SIM_KILL && !w->dead)
        kill_it(w);
    else if (i->what == SIM_KILL)
        next(w, w->u->faults->kill_every_s, SIM_KILL, 0);
    else if (i->what == SIM_START_UP)
        start_up(w);
}
