/* SPDX-License-Identifier: Apache-2.0 */
/* Chargers that can change between one and three phases.
 *
 * A change is made at rest: the car is set to 0 A and that is confirmed and followed;
 * then 0 A is told again with the new number of phases; when that has been confirmed
 * and has had its time the car goes on. Every later set point carries the number, too.
 *
 * One phase is counted only while the charger is known to use one. Before the change to
 * three is told, all are counted again. A charger that may have fallen back counts with
 * its fallback on all three. A charger whose samples show that it does not do what it
 * confirmed is not asked again while its connection lasts. */
#include "state.h"

enum { PHASE_REFUSALS = 2 };

bool phases_switchable(const struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];

    return conf->phase_switch && site_phase_mask(conf) == 7 &&
           !k->connectors[i].ph.failed;
}

int phases_of(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (!phases_switchable(k, i))
        return control_phases(c->phases);
    if (c->ph.want == 1)
        return 1;
    return c->ph.set == 1 ? SITE_PHASES : control_phases(c->phases);
}

int32_t phases_min(const struct control *k, int i, int n)
{
    const struct site_connector *conf = &k->site->connectors[i];

    return n == SITE_PHASES && conf->min_3p_ma > conf->min_ma ? conf->min_3p_ma
                                                              : conf->min_ma;
}

/* The way back to one phase must be left. */
bool phases_may(const struct control *k, int i, int n)
{
    const struct phase_state *ph = &k->connectors[i].ph;

    return phases_switchable(k, i) && !ph->busy && ph->set != n &&
           ph->switches + (n == SITE_PHASES) < k->site->solar.switches;
}

void phases_set(struct control *k, int i, int n)
{
    struct phase_state *ph = &k->connectors[i].ph;

    if (!phases_may(k, i, n))
        return;
    ph->want = (int8_t)n;
    ph->busy = true;
    ph->switches++;
    ph->up_ms = ph->short_ms = NEVER;
    k->changed = true;
}

static void fail(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    c->ph.failed = true;
    c->ph.busy = false;
    c->ph.set = c->ph.want = c->ph.held = 0;
    c->phases = site_phase_mask(&k->site->connectors[i]);
    c->alike = 0;
    k->changed = true;
}

/* It stands still and that is sure: the new number can be told. */
static void stop_first(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (c->exp_ma > 0 || c->told_ma != 0 || c->n_flight > 0 || !c->held_sure ||
        !c->known)
        return;
    c->ph.set = c->ph.want;
    c->ph.other = false;
    if (c->ph.set == SITE_PHASES) {
        c->phases = site_phase_mask(&k->site->connectors[i]);
        c->alike = 0;
    }
    c->known = false; /* so it is told again */
    k->changed = true;
}

static void confirmed(struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    struct connector_state *c = &k->connectors[i];

    if (c->ph.held != c->ph.set || c->n_flight > 0 || !c->known ||
        k->now_ms < c->answered_ms + k->site->settle_ms)
        return;
    k->changed |= c->ph.busy;
    c->ph.busy = false;
    if (c->ph.set != 1 || c->ph.other || conf->wiring_unknown || c->phases != 7)
        return;
    c->phases = (uint8_t)(1u << conf->wiring[0]);
    k->changed = true;
}

/* ---- where the wires are too small for three */

/* What the others take at least, on that site phase or (SHARE_POWER) on all. */
static int64_t least_ma(const struct control *k, int j, int row)
{
    int32_t min_ma = phases_min(k, j, phases_of(k, j));
    int64_t sum = 0;

    for (int p = 0; p < SITE_PHASES; p++) {
        int32_t ma = grant_exposure(k, j, p);

        if (row == p || row == SHARE_POWER)
            sum += ma < min_ma ? ma : min_ma;
    }
    return sum;
}

/* The current for which there is room on these phases when all others come down to
 * their minimums. */
static int64_t room_ma(const struct control *k, int i, uint8_t mask)
{
    int64_t room = SITE_MAX_MA;

    for (int v = k->site->connectors[i].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        for (int r = 0; r <= SHARE_POWER; r++) {
            const struct circuit_state *s = &k->circuits[v];
            int n = r == SHARE_POWER ? control_phases(mask) : mask >> r & 1;
            int64_t left;

            if (n == 0 || s->limit_ma[r] == SHARE_NO_LIMIT)
                continue;
            left = s->limit_ma[r] - s->base_ma[r];
            for (int j = 0; j < k->site->n_connectors; j++)
                if (j != i && control_below(k, k->site->connectors[j].circuit, v))
                    left -= least_ma(k, j, r);
            room = left / n < room ? left / n : room;
        }
    return room;
}

/* In modes that do not look at the sun: one phase when the minimum does not fit on
 * three, and back when it does. */
static void fit(struct control *k, int i)
{
    const struct site_connector *conf = &k->site->connectors[i];
    const struct site_solar *solar = &k->site->solar;
    struct connector_state *c = &k->connectors[i];
    bool three = c->ph.set == SITE_PHASES, at_rest = c->exp_ma == 0 && c->told_ma <= 0;
    int64_t margin_ma = (int64_t)solar->switch_w * 1000000 / SITE_PHASES /
                        stand_voltage_mv(k, conf->circuit);
    uint8_t one;

    if (!phases_may(k, i, three ? 1 : SITE_PHASES) ||
        problem_set_aside(k, i) != REASON_WAITING || (three && c->target_ma > 0)) {
        c->ph.up_ms = c->ph.short_ms = NEVER;
        return;
    }
    one = conf->wiring_unknown ? 7 : (uint8_t)(1u << conf->wiring[0]);
    if (three && control_lasts(k, &c->ph.short_ms,
                               room_ma(k, i, 7) < phases_min(k, i, SITE_PHASES) &&
                                   room_ma(k, i, one) >= phases_min(k, i, 1),
                               solar->stop_ms))
        phases_set(k, i, 1);
    if (!three &&
        control_lasts(k, &c->ph.up_ms,
                      room_ma(k, i, 7) >= phases_min(k, i, SITE_PHASES) + margin_ma,
                      at_rest ? 0 : solar->switch_ms))
        phases_set(k, i, SITE_PHASES);
}

void phases_clock(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];

    if (!phases_switchable(k, i))
        return;
    if (c->ph.set != c->ph.want)
        stop_first(k, i);
    else
        confirmed(k, i);
    if (c->mode != MODE_SOLAR && c->mode != MODE_MINSOLAR)
        fit(k, i);
}

/* ---- what chargers tell */

void phases_answer(struct control *k, int i, const struct flight *f, enum answer a)
{
    struct phase_state *ph = &k->connectors[i].ph;

    if (!phases_switchable(k, i))
        return;
    if (a == ANSWER_ACCEPTED) {
        ph->held = f->n_phases;
        ph->refusals = 0;
    } else if (a == ANSWER_NONE && f->n_phases != ph->held) {
        ph->held = 0;
    } else if (a == ANSWER_REJECTED && ph->busy && ph->set == ph->want &&
               f->n_phases == ph->set && k->connectors[i].n_flight == 0 &&
               ++ph->refusals >= PHASE_REFUSALS) {
        fail(k, i);
    }
}

void phases_forget(struct control *k, int i)
{
    k->connectors[i].ph.held = 0;
}

void phases_reset(struct control *k, int i)
{
    bool can = k->site->connectors[i].phase_switch;

    k->connectors[i].ph = (struct phase_state){.set = can ? SITE_PHASES : 0,
                                               .want = can ? SITE_PHASES : 0,
                                               .up_ms = NEVER,
                                               .short_ms = NEVER};
}

void phases_new_car(struct control *k, int i)
{
    struct phase_state *ph = &k->connectors[i].ph;

    ph->switches = 0;
    ph->up_ms = ph->short_ms = NEVER;
}

void phases_sample(struct control *k, int i)
{
    struct connector_state *c = &k->connectors[i];
    int n = 0;

    if (!phases_switchable(k, i) || c->ph.busy)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        n += c->own_ma[p] >= LEARN_ON_MA;
    if (c->ph.set != 1 || c->ph.held != 1)
        return;
    c->ph.other |= n == 1 && c->own_ma[0] < LEARN_OFF_MA;
    if (n > 1)
        fail(k, i);
}
