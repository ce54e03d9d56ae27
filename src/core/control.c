/* SPDX-License-Identifier: Apache-2.0 */
/* The door: takes events in, keeps what they tell, has it decided, gives orders out. */
#include "control.h"

#include <string.h>

#include "policy.h"
#include "state.h"

/* ---- memory ---- */

/* Hands out aligned pieces of one block; with mem NULL it only counts. */
struct carve {
    char *mem;
    size_t used;
};

static void *piece(struct carve *c, size_t n, size_t size)
{
    void *p = c->mem ? c->mem + c->used : NULL;

    c->used += (n * size + 15) & ~(size_t)15;
    return p;
}

/* `k` is the first piece itself, or any when only counting. */
static void carve_all(struct carve *c, const struct site *s, struct control *k)
{
    size_t nc = (size_t)s->n_circuits, nn = (size_t)s->n_connectors;

    piece(c, 1, sizeof *k);
    k->connectors = piece(c, nn, sizeof *k->connectors);
    k->chargers = piece(c, (size_t)s->n_chargers, sizeof *k->chargers);
    k->meters = piece(c, (size_t)s->n_meters, sizeof *k->meters);
    k->circuits = piece(c, nc, sizeof *k->circuits);
    k->marks = piece(c, nc * nn, sizeof *k->marks);
    k->tree.parent = piece(c, nc, sizeof *k->tree.parent);
    k->tree.room_ma = piece(c, nc, sizeof *k->tree.room_ma);
    k->tree.unbalance_ma = piece(c, nc, sizeof *k->tree.unbalance_ma);
    k->cars = piece(c, nn, sizeof *k->cars);
    k->car_of = piece(c, nn, sizeof *k->car_of);
    k->scratch = piece(c, 1, share_size(s->n_circuits, s->n_connectors));
}

size_t control_size(const struct site *s)
{
    struct carve c = {NULL, 0};
    struct control blank;

    carve_all(&c, s, &blank);
    return c.used;
}

size_t control_max_orders(const struct site *s)
{
    /* each connector: insisted, lowered, raised or renewed, asked; notices of all */
    return (size_t)(6 * s->n_connectors + 2 * s->n_circuits + 2 * s->n_meters + 1);
}

static void blank_connector(const struct site *s, struct connector_state *c,
                            const struct site_connector *conf)
{
    c->settle_for_ms = s->settle_ms;
    c->writes_ms = INT64_MIN / 2;
    c->status_ms = c->seen_ms = c->told_ms = c->retry_ms = c->settle_ms = NEVER;
    c->raised_ms = c->ask_ms = c->stopped_ms = c->small_ms = NEVER;
    c->lowered_ms = c->fell_ms = c->asked_ms = c->above_ms = c->obeyed_ms = NEVER;
    c->moved_ms = c->sun_ms = NEVER;
    reclaim_forget(c);
    c->mode = conf->mode;
    c->priority = conf->priority;
    c->own_mode = conf->mode;
    c->own_priority = conf->priority;
    energy_no_wish(c);
    ceiling_none(c);
    energy_begin(&c->energy);
    c->turn.on_ms = NEVER;
    turn_begin(&c->turn);
    c->energy_wh = EVENT_NO_ENERGY;
    c->power_w = EVENT_NO_VALUE;
    for (int p = 0; p < SITE_PHASES; p++)
        c->own_ma[p] = EVENT_NO_VALUE;
    c->phases = site_phase_mask(conf);
    c->told_ma = NEVER;
    /* a set point of the controller before us may still hold */
    c->held_ma = c->exp_ma = conf->max_ma;
    c->why = (struct why){REASON_NONE, SITE_NONE, SITE_NONE, NEVER};
}

struct control *control_init(void *mem, const struct site *s, int64_t now_ms,
                             int64_t leases_until_ms)
{
    struct carve c = {mem, 0};
    struct control *k = mem;

    memset(mem, 0, control_size(s));
    carve_all(&c, s, k);
    k->site = s;
    k->now_ms = k->start_ms = now_ms;
    k->leases_until_ms = leases_until_ms;
    k->reviewed_ms = k->hold_ms = k->solar.read_ms = k->solar.looked_ms = NEVER;
    k->changed = true;
    k->tree.n_circuits = s->n_circuits;
    for (int v = 0; v < s->n_circuits; v++) {
        k->tree.parent[v] = s->circuits[v].parent;
        k->tree.unbalance_ma[v] = s->circuits[v].unbalance_ma;
        k->circuits[v].over_ms = NEVER;
        limit_none(&k->circuits[v]);
    }
    for (int m = 0; m < s->n_meters; m++)
        k->meters[m].at_ms = k->meters[m].moved_ms = NEVER;
    for (int i = 0; i < s->n_connectors; i++) {
        blank_connector(s, &k->connectors[i], &s->connectors[i]);
        k->connectors[i].lease_until_ms = leases_until_ms;
        phases_reset(k, i);
    }
    return k;
}

/* Measured currents of the charger's own phases as currents of the site's; what was not
 * measured is 0, what flows back is not counted. */
static void rotate(const struct site_connector *conf, const int32_t own_ma[SITE_PHASES],
                   int32_t site_ma[SITE_PHASES])
{
    int32_t positive_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++)
        positive_ma[p] = own_ma[p] > 0 ? own_ma[p] : 0;
    site_rotate(conf, positive_ma, site_ma);
}

/* What it draws by its last sample, and what of it is sure: with unknown wiring a car
 * may draw the most on each phase, but surely only what it draws on all. */
static void take_down(const struct site_connector *conf, struct connector_state *c)
{
    rotate(conf, c->own_ma, c->seen_ma);
    for (int p = 0; p < SITE_PHASES; p++) {
        c->sure_ma[p] = c->seen_ma[p];
        for (int own = 0; conf->wiring_unknown && own < SITE_PHASES; own++)
            if (c->own_ma[own] < c->sure_ma[p])
                c->sure_ma[p] = c->own_ma[own] > 0 ? c->own_ma[own] : 0;
    }
}

void control_adopt(struct control *k, const struct control *old,
                   const struct control_map *map)
{
    k->seq = old->seq;
    k->steps = old->steps;
    k->check_failures = old->check_failures;
    k->check_told = old->check_told;
    if (k->leases_until_ms < old->leases_until_ms)
        k->leases_until_ms = old->leases_until_ms;
    for (int i = 0; i < k->site->n_chargers; i++)
        if (map->chargers[i] != SITE_NONE)
            k->chargers[i] = old->chargers[map->chargers[i]];
    for (int i = 0; i < k->site->n_meters; i++)
        if (map->meters[i] != SITE_NONE)
            k->meters[i] = old->meters[map->meters[i]];
    for (int i = 0; i < k->site->n_circuits; i++) {
        const struct circuit_state *was;

        if (map->circuits[i] == SITE_NONE)
            continue;
        was = &old->circuits[map->circuits[i]];
        memcpy(k->circuits[i].external, was->external, sizeof was->external);
        k->circuits[i].external_told = was->external_told;
        k->circuits[i].over_told = was->over_told;
        k->circuits[i].over_ms = was->over_ms;
    }
    for (int i = 0; i < k->site->n_connectors; i++) {
        const struct site_connector *conf = &k->site->connectors[i];
        struct connector_state *c = &k->connectors[i];
        const struct site_connector *before;

        c->lease_until_ms = k->leases_until_ms;
        if (map->connectors[i] == SITE_NONE)
            continue;
        before = &old->site->connectors[map->connectors[i]];
        *c = old->connectors[map->connectors[i]];
        c->phases = site_phase_mask(conf);
        c->alike = 0;
        /* what holds in the charger was told by the old file */
        if (k->site->lease_ms != old->site->lease_ms ||
            conf->fallback_ma != before->fallback_ma)
            grant_doubt(k, i, before->fallback_ma);
        if (c->settle_for_ms < k->site->settle_ms)
            c->settle_for_ms = k->site->settle_ms;
        take_down(conf, c);             /* the wiring may have changed */
        if (conf->mode != before->mode) /* the file's word is the newer one */
            c->mode = c->own_mode = conf->mode;
        if (conf->priority != before->priority)
            c->priority = c->own_priority = conf->priority;
        if (conf->phase_switch != before->phase_switch)
            phases_reset(k, i);
    }
    for (int v = 0; v < k->site->n_circuits; v++)
        if (base_metered(k, v))
            base_reading(k, v);
}

/* ---- for the other files of the core ---- */

struct order *control_out(struct control *k, enum order_kind kind, int who)
{
    struct order *o = &k->out[k->n_out++];

    memset(o, 0, sizeof *o);
    o->kind = kind;
    o->who = who;
    o->why = (struct why){REASON_NONE, SITE_NONE, SITE_NONE, NEVER};
    return o;
}

bool control_below(const struct control *k, int circuit, int ancestor)
{
    while (circuit != SITE_NONE && circuit != ancestor)
        circuit = k->site->circuits[circuit].parent;
    return circuit == ancestor;
}

/* The limit in force on that phase, an external one counted. */
int32_t control_limit(const struct control *k, int circuit, int phase)
{
    struct event_limit l = limit_lowest(&k->circuits[circuit]);
    int32_t ma = k->site->circuits[circuit].limit_ma[phase];

    return l.limit_ma != EVENT_NO_VALUE && l.limit_ma < ma ? l.limit_ma : ma;
}

/* Whether a car is there that would draw. */
bool control_wants(const struct control *k, int connector)
{
    const struct connector_state *c = &k->connectors[connector];

    if (c->status == STATUS_UNAVAILABLE || c->status == STATUS_FAULTED ||
        c->status == STATUS_FINISHING)
        return false;
    return c->session || c->status == STATUS_CHARGING ||
           c->status == STATUS_SUSPENDED_EVSE || c->status == STATUS_SUSPENDED_EV;
}

bool control_lasts(const struct control *k, int64_t *since_ms, bool now, int32_t ms)
{
    if (!now)
        *since_ms = NEVER;
    else if (*since_ms == NEVER)
        *since_ms = k->now_ms;
    return now && k->now_ms - *since_ms >= ms;
}

/* ---- events ---- */

/* No wire of a site carries as much: such a value is none. */
static int32_t sane_ma(int32_t ma)
{
    return ma > SITE_MAX_MA || ma < -SITE_MAX_MA ? EVENT_NO_VALUE : ma;
}

/* at_ms: when it was read, or when the oldest of its values came. */
static void on_meter(struct control *k, int m, int64_t at_ms,
                     const struct event_meter *told)
{
    struct event_meter copy = *told, *e = &copy;

    if (m < 0 || m >= k->site->n_meters)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        e->i_ma[p] = sane_ma(e->i_ma[p]);
    fresh_reading(k, m, e);
    k->meters[m].last = *e;
    k->meters[m].at_ms = at_ms;
    for (int v = 0; v < k->site->n_circuits; v++)
        if (k->site->circuits[v].meter == m)
            base_reading(k, v);
    if (k->site->circuits[0].meter == m)
        solar_reading(k);
}

static void forget_car(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    reclaim_forget(c);
    c->stopped_ms = NEVER;
    energy_begin(&c->energy);
    turn_begin(&c->turn);
}

/* What its driver wished ends with the session. */
static void forget_driver(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    forget_car(k, i);
    energy_no_wish(c);
    c->mode = c->own_mode;
    c->priority = c->own_priority;
    c->card_ma = 0;
}

/* Another car may use other phases. Not done when the one before leaves: until its set
 * point has settled, it counts where it drew. */
static void new_car(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    forget_car(k, i);
    c->phases = site_phase_mask(&k->site->connectors[i]);
    c->alike = 0;
    phases_new_car(k, i);
}

/* The connector draws so much on the charger's own phases. */
static void draws(struct control *k, int i, const int32_t own_ma[SITE_PHASES])
{
    struct connector_state *c = &k->connectors[i];
    int32_t before_ma[SITE_PHASES], sure_ma[SITE_PHASES];
    int64_t before_ms = c->seen_ms;

    memcpy(c->own_ma, own_ma, sizeof c->own_ma);
    memcpy(before_ma, c->seen_ma, sizeof before_ma);
    memcpy(sure_ma, c->sure_ma, sizeof sure_ma);
    if (c->seen_ms == NEVER || k->now_ms - c->seen_ms > SAMPLE_STALE_MS) {
        memset(before_ma, 0, sizeof before_ma);
        memset(sure_ma, 0, sizeof sure_ma);
    }
    memcpy(c->past_ma, sure_ma, sizeof c->past_ma);
    take_down(&k->site->connectors[i], c);
    c->seen_ms = k->now_ms;
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] - before_ma[p] >= MOVED_MA ||
            before_ma[p] - c->seen_ma[p] >= MOVED_MA)
            c->moved_ms = k->now_ms;
    grant_seen(k, i);
    base_sample(k, i, before_ms, sure_ma);
}

/* Where no car is nothing is drawn, whatever the last sample said. */
static void draws_nothing(struct control *k, int i)
{
    static const int32_t nothing_ma[SITE_PHASES];

    if (k->connectors[i].seen_ms != NEVER)
        draws(k, i, nothing_ma);
}

static void on_status(struct control *k, int i, enum connector_status status)
{
    struct connector_state *c = &k->connectors[i];

    if (status == c->status)
        return;
    if (c->status == STATUS_AVAILABLE)
        new_car(k, i);
    if (status == STATUS_AVAILABLE) {
        forget_driver(k, i);
        draws_nothing(k, i);
        c->session = false;
    }
    if (status == STATUS_CHARGING)
        reclaim_charging(k, i);
    else if (status == STATUS_SUSPENDED_EVSE && c->status == STATUS_PREPARING)
        reclaim_ask(k, i); /* what it was offered before was for nobody */
    if (status != STATUS_SUSPENDED_EVSE || !c->full)
        k->changed = true;
    c->status = status;
    c->status_ms = k->now_ms;
}

static void on_session(struct control *k, int i, const struct event_session *e)
{
    struct connector_state *c = &k->connectors[i];

    if (e->active && !c->session) {
        new_car(k, i);
        c->session_ms = k->now_ms;
    } else if (e->active) {
        reclaim_ask(k, i); /* somebody wants something of it */
    }
    c->session = e->active;
    if (!e->active)
        forget_driver(k, i);
    k->changed = true;
}

/* Three samples alike tell which of the wired phases this car uses. A phase on which it
 * is seen to draw is used again at once. */
static void learn_phases(struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    struct connector_state *c = &k->connectors[i];
    uint8_t wired = site_phase_mask(conf), on = 0, off = 0;

    for (int p = 0; p < SITE_PHASES; p++) {
        on |= (uint8_t)((c->seen_ma[p] >= LEARN_ON_MA) << p);
        off |= (uint8_t)((c->seen_ma[p] < LEARN_OFF_MA) << p);
    }
    if (on & ~c->phases)
        c->phases = wired;
    if (conf->wiring_unknown || !c->session || on == 0 || (on | off) != 7)
        return;
    c->alike = on == c->alike_mask ? c->alike + 1 : 1;
    c->alike_mask = on;
    if (c->alike < LEARN_SAMPLES || c->phases == (on & wired) || !(on & wired))
        return;
    c->phases = on & wired;
    k->changed = true;
}

static void on_sample(struct control *k, int i, const struct event_sample *told)
{
    struct connector_state *c = &k->connectors[i];
    struct event_sample copy = *told, *e = &copy;
    bool any = false;

    for (int p = 0; p < SITE_PHASES; p++)
        e->i_ma[p] = sane_ma(e->i_ma[p]);
    energy_sample(k, i, e);
    if (e->energy_wh != EVENT_NO_ENERGY)
        c->energy_wh = e->energy_wh;
    if (e->p_w != EVENT_NO_VALUE)
        c->power_w = e->p_w;
    for (int p = 0; p < SITE_PHASES; p++)
        any |= e->i_ma[p] != EVENT_NO_VALUE;
    if (!any)
        return;
    draws(k, i, e->i_ma);
    learn_phases(k, i);
    phases_sample(k, i);
    obey_sample(k, i);
    reclaim_sample(k, i);
}

static void on_card(struct control *k, struct connector_state *c,
                    const struct event_card *e)
{
    c->mode = e->mode == MODE_COUNT ? c->own_mode : e->mode;
    c->priority = e->priority == EVENT_NO_VALUE ? c->own_priority : e->priority;
    c->card_ma = e->max_ma == EVENT_NO_VALUE ? 0 : e->max_ma;
    k->changed = true;
}

static void on_connector(struct control *k, int i, const struct event *e)
{
    struct connector_state *c = &k->connectors[i];

    if (e->kind == EVENT_STATUS) {
        on_status(k, i, e->status);
    } else if (e->kind == EVENT_SESSION) {
        on_session(k, i, &e->session);
    } else if (e->kind == EVENT_SAMPLE) {
        on_sample(k, i, &e->sample);
    } else if (e->kind == EVENT_ANSWER) {
        grant_answer(k, i, &e->answer);
    } else if (e->kind == EVENT_WISH) {
        energy_wish(c, &e->wish);
        k->changed = true;
    } else if (e->kind == EVENT_MODE) {
        if (e->mode != c->mode)
            reclaim_ask(k, i);
        c->mode = c->own_mode = e->mode;
        k->changed = true;
    } else if (e->kind == EVENT_PRIORITY) {
        c->priority = c->own_priority = e->priority;
        k->changed = true;
    } else if (e->kind == EVENT_PAUSE) {
        if (e->pause != c->paused)
            reclaim_ask(k, i);
        c->paused = e->pause;
        k->changed = true;
    } else if (e->kind == EVENT_CARD) {
        on_card(k, c, &e->card);
    } else if (e->kind == EVENT_CEILING) {
        ceiling_take(k, i, &e->ceiling);
    }
}

/* What changes by time alone. */
static void on_time(struct control *k)
{
    for (int v = 0; v < k->site->n_circuits; v++)
        limit_clock(k, v);
    ceiling_clock(k);
    for (int i = 0; i < k->site->n_connectors; i++)
        reclaim_time(k, i);
}

size_t control_step(struct control *k, const struct event *e, struct order *out)
{
    bool look = e->kind == EVENT_TICK || e->kind == EVENT_METER;

    k->out = out;
    k->n_out = 0;
    k->steps++;
    if (e->at_ms > k->now_ms)
        k->now_ms = e->at_ms;
    if (e->kind == EVENT_TICK)
        on_time(k);
    else if (e->kind == EVENT_METER)
        on_meter(k, e->who, e->at_ms, &e->meter);
    else if (e->kind == EVENT_LINK && e->who >= 0 && e->who < k->site->n_chargers)
        grant_link(k, e->who, &e->link);
    else if (e->kind == EVENT_LIMIT && e->who >= 0 && e->who < k->site->n_circuits)
        limit_take(k, e->who, &e->limit);
    else if (e->who >= 0 && e->who < k->site->n_connectors)
        on_connector(k, e->who, e);
    if (look || k->changed)
        decide(k, look);
    if (look)
        notice_all(k);
    return k->n_out;
}
