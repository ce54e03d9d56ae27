/* SPDX-License-Identifier: Apache-2.0 */
/* The sun's surplus, and who lives on it.
 *
 * The surplus is what the grid connection exports plus what cars take that count as
 * living on the sun: of a car in mode solar all, of one in minsolar what is above its
 * guaranteed minimum. All of it is counted in mA summed over the phases, since a
 * surplus on one phase pays for a draw on another.
 *
 * Two figures are kept: of the last seconds, and the mean over the filter's time. What
 * is above the minimums is given by the smaller of them: it falls as fast as a cloud
 * comes and rises only as steadily as the sun does. The meter shows a car's change at
 * once, its sample only later; so readings do not count while a car is changing.
 *
 * A car in mode solar starts when its minimum and a margin have been there for a while.
 * One that runs keeps its minimum for a while without the sun. Between n cars and
 * enough for k of them, k run, in the order of the policy; those that run stay. */
#include "state.h"

enum {
    SMOOTH_MS = 8000,     /* "the last seconds" */
    HOLD_READ_MS = 30000, /* readings wait at most so long for a car to be steady */
    LOOK_MS = 1000
};

/* What is left of the surplus while the cars are gone through. */
struct left {
    int64_t now_ma, mean_ma;
    int64_t calm_ma; /* the smaller of the two */
};

static bool is_sunny(const struct connector_state *c)
{
    return c->mode == MODE_SOLAR || c->mode == MODE_MINSOLAR;
}

static int64_t to_ma(const struct control *k, int32_t w)
{
    return (int64_t)w * 1000000 / stand_voltage_mv(k, 0);
}

/* What it may take from the grid for ever; summed over its phases. */
static int64_t guaranteed_ma(const struct control *k, int i)
{
    int n = phases_switchable(k, i) ? 1 : phases_of(k, i);

    if (k->connectors[i].mode != MODE_MINSOLAR)
        return 0;
    return (int64_t)phases_min(k, i, n) * n;
}

/* What the sun must give for its minimum on n phases. */
static int64_t need_ma(const struct control *k, int i, int n)
{
    int64_t ma = (int64_t)phases_min(k, i, n) * n - guaranteed_ma(k, i);

    return ma > 0 ? ma : 0;
}

/* ---- the surplus */

static int64_t sun_draw_ma(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    int64_t sum = -guaranteed_ma(k, i);

    if (!is_sunny(c) || c->seen_ms == NEVER || k->now_ms - c->seen_ms > SAMPLE_STALE_MS)
        return 0;
    for (int p = 0; p < SITE_PHASES; p++)
        sum += c->own_ma[p] > 0 ? c->own_ma[p] : 0;
    return sum > 0 ? sum : 0;
}

/* Whether its draw may have changed since its last sample. */
static bool changing(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!is_sunny(c) || c->seen_ms == NEVER ||
        k->now_ms - c->seen_ms > SAMPLE_STALE_MS || !control_wants(k, i))
        return false;
    return c->n_flight > 0 || c->seen_ms < c->answered_ms + k->site->settle_ms ||
           c->moved_ms == c->seen_ms;
}

/* What the meter reads; false when it does not tell. */
static bool net(const struct control *k, int64_t *ma)
{
    const struct event_meter *m = &k->meters[k->site->circuits[0].meter].last;

    *ma = 0;
    if (m->p_w != EVENT_NO_VALUE) {
        *ma = to_ma(k, m->p_w);
        return true;
    }
    for (int p = 0; p < SITE_PHASES; p++) {
        if (m->i_ma[p] == EVENT_NO_VALUE)
            return false;
        *ma += m->i_ma[p];
    }
    return true;
}

static void forget(struct solar_state *s)
{
    for (int i = 0; i < SOLAR_SLOTS; i++)
        s->n[i] = 0;
    s->now_ma = s->mean_ma = 0;
    s->read_ms = NEVER;
}

/* Adds to the present piece of the filter's time; those that are over are emptied. */
static void add(struct solar_state *s, int64_t slot, int64_t ma)
{
    int64_t sum = 0;
    int n = 0;

    if (slot - s->slot > SOLAR_SLOTS)
        s->slot = slot - SOLAR_SLOTS;
    while (s->slot < slot) {
        s->slot++;
        s->sum_ma[s->slot % SOLAR_SLOTS] = 0;
        s->n[s->slot % SOLAR_SLOTS] = 0;
    }
    s->sum_ma[slot % SOLAR_SLOTS] += ma;
    s->n[slot % SOLAR_SLOTS]++;
    for (int i = 0; i < SOLAR_SLOTS; i++)
        if (s->n[i] > 0) {
            sum += s->sum_ma[i] / s->n[i];
            n++;
        }
    s->mean_ma = sum / n;
}

void solar_reading(struct control *k)
{
    struct solar_state *s = &k->solar;
    int32_t piece_ms = k->site->solar.filter_ms / SOLAR_SLOTS;
    int64_t ma, dt_ms = k->now_ms - s->read_ms;
    bool wait = false;

    if (!net(k, &ma)) {
        forget(s);
        return;
    }
    ma = -ma;
    for (int i = 0; i < k->site->n_connectors; i++) {
        wait |= changing(k, i);
        ma += sun_draw_ma(k, i);
    }
    if (s->read_ms == NEVER)
        s->now_ma = ma;
    else if (wait && dt_ms < HOLD_READ_MS)
        return;
    else
        s->now_ma += (ma - s->now_ma) * dt_ms / (dt_ms + SMOOTH_MS);
    s->read_ms = k->now_ms;
    if (piece_ms > 0)
        add(s, k->now_ms / piece_ms, ma);
    else
        s->mean_ma = s->now_ma;
}

static struct left surplus(const struct control *k)
{
    const struct solar_state *s = &k->solar;

    return (struct left){s->now_ma, s->mean_ma,
                         s->mean_ma < s->now_ma ? s->mean_ma : s->now_ma};
}

int64_t solar_room(const struct control *k)
{
    int64_t room = surplus(k).calm_ma;

    for (int i = 0; i < k->site->n_connectors; i++)
        if (k->connectors[i].sun)
            room -= need_ma(k, i, phases_of(k, i));
    return room > 0 ? room : 0;
}

/* ---- the cars */

static void take(struct left *left, int64_t ma)
{
    left->now_ma -= ma;
    left->mean_ma -= ma;
    left->calm_ma -= ma;
}

/* It has had to do without the sun for long: one phase is less, or it stops. */
static void give_up(struct control *k, int i, struct left *left)
{
    struct connector_state *c = &k->connectors[i];
    int64_t need = need_ma(k, i, 1);

    c->sun_ms = NEVER;
    if (phases_may(k, i, 1) && left->now_ma >= (need > 0 ? need : INT64_MIN)) {
        phases_set(k, i, 1);
        take(left, need);
        return;
    }
    c->sun = c->mode == MODE_MINSOLAR;
    k->changed = true;
}

static void running(struct control *k, int i, struct left *left)
{
    struct connector_state *c = &k->connectors[i];
    int64_t need = need_ma(k, i, phases_of(k, i));
    bool enough = need == 0 || left->now_ma >= need;
    bool begins = c->mode == MODE_MINSOLAR && c->exp_ma == 0 && !c->ph.busy;
    int32_t delay_ms = begins ? 0 : k->site->solar.stop_ms;

    if (control_lasts(k, &c->sun_ms, !enough, delay_ms)) {
        give_up(k, i, left);
        return;
    }
    /* without enough it uses up what there is, and nobody starts beside it */
    if (enough)
        take(left, need);
    else if (left->now_ma > 0)
        take(left, left->now_ma);
}

static void waiting(struct control *k, int i, struct left *left)
{
    struct connector_state *c = &k->connectors[i];
    int64_t one = need_ma(k, i, phases_may(k, i, 1) ? 1 : phases_of(k, i));
    int64_t three = need_ma(k, i, 3) - one + to_ma(k, k->site->solar.switch_w);
    bool enough = left->calm_ma >= one + to_ma(k, k->site->solar.start_w);
    bool begins = control_lasts(k, &c->sun_ms, enough, k->site->solar.start_ms);

    if (enough)
        take(left, one);
    if (!begins)
        return;
    c->sun = true;
    c->sun_ms = NEVER;
    k->changed = true;
    if (left->calm_ma < three)
        phases_set(k, i, 1);
    else if (phases_switchable(k, i)) {
        phases_set(k, i, 3);
        take(left, three);
    }
}

/* From one phase to three, when what all others need has been taken away. */
static void more_phases(struct control *k, int i, struct left *left)
{
    struct connector_state *c = &k->connectors[i];
    int64_t more =
        need_ma(k, i, 3) - need_ma(k, i, 1) + to_ma(k, k->site->solar.switch_w);
    bool enough = c->sun && phases_may(k, i, 3) && left->mean_ma >= more;

    if (enough)
        take(left, more);
    if (control_lasts(k, &c->ph.up_ms, enough, k->site->solar.switch_ms))
        phases_set(k, i, 3);
}

/* Fills cars[] and car_of[] with those whose mode looks at the sun; returns their
 * number. */
static int gather(struct control *k)
{
    int n = 0;

    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];
        enum reason r = is_sunny(c) ? problem_set_aside(k, i) : REASON_MODE;

        if (r != REASON_WAITING && r != REASON_SOLAR && r != REASON_PHASES) {
            c->sun = false;
            c->sun_ms = NEVER;
            continue;
        }
        c->sun |= c->mode == MODE_MINSOLAR;
        problem_car(k, i, &k->cars[n]);
        k->car_of[n++] = i;
    }
    return n;
}

/* Those that live on it already, then the kernel's order of admission. So nobody is
 * stopped for another one's turn: on a day with clouds turns come by themselves. */
static bool before(const struct control *k, int a, int b)
{
    const struct share_car *x = &k->cars[a], *y = &k->cars[b];
    bool x_runs = k->connectors[k->car_of[a]].sun,
         y_runs = k->connectors[k->car_of[b]].sun;

    if (x_runs != y_runs)
        return x_runs;
    if (x->held != y->held)
        return x->held;
    if (x->tier != y->tier)
        return x->tier < y->tier;
    return x->turn < y->turn;
}

/* Brings the first of cars[from .. n) to its place; returns its connector. */
static int first_of(struct control *k, int from, int n)
{
    struct share_car car;
    int best = from, i;

    for (int j = from + 1; j < n; j++)
        if (before(k, j, best))
            best = j;
    car = k->cars[best];
    i = k->car_of[best];
    for (; best > from; best--) { /* the others keep their order */
        k->cars[best] = k->cars[best - 1];
        k->car_of[best] = k->car_of[best - 1];
    }
    k->cars[from] = car;
    k->car_of[from] = i;
    return i;
}

void solar_clock(struct control *k)
{
    struct solar_state *s = &k->solar;
    struct left left;
    int n;

    if (!base_metered(k, 0))
        forget(s);
    if (!k->changed && s->looked_ms != NEVER && k->now_ms - s->looked_ms < LOOK_MS)
        return;
    s->looked_ms = k->now_ms;
    n = gather(k);
    left = surplus(k);
    for (int j = 0; j < n; j++) {
        int i = first_of(k, j, n);

        if (k->connectors[i].sun)
            running(k, i, &left);
        else
            waiting(k, i, &left);
    }
    for (int j = 0; j < n; j++)
        more_phases(k, k->car_of[j], &left);
}
