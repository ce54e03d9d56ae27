/* SPDX-License-Identifier: Apache-2.0 */
/* What flows on the phases of a connector, told from a sample that may have currents,
 * powers or both, with phases or without.
 *
 * Where a reading can mean two things, the smaller current is taken: the core reckons
 * the base load as meter minus measured draw, so a draw that is too small only makes it
 * more careful, and what the car may draw is reserved by its limit anyway. */
#include "proto/ocpp_meter.h"

enum { SMALL_MA = 500, DC_MV = 300000, LOW_MV = 80000 };

static int count(unsigned mask)
{
    return (int)((mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1));
}

/* Volts of a phase: as told, when that is a voltage to neutral. */
static int32_t volts(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                     int phase)
{
    int32_t v = s->v_mv[phase] != EVENT_NO_VALUE ? s->v_mv[phase] : s->v_any_mv;

    return v > LOW_MV && v < DC_MV ? v : w->voltage_mv;
}

static int32_t amps(int64_t p_w, int32_t v_mv)
{
    int64_t ma = v_mv > 0 ? p_w * 1000000 / v_mv : 0;

    return ma > INT32_MAX ? INT32_MAX : ma < -INT32_MAX ? -INT32_MAX : (int32_t)ma;
}

int32_t ocpp_told_w(const struct ocpp_sample *s)
{
    int64_t sum = 0;
    bool any = false;

    if (s->p_w != EVENT_NO_VALUE)
        return s->p_w;
    for (int p = 0; p < SITE_PHASES; p++)
        if (s->p_phase_w[p] != EVENT_NO_VALUE) {
            sum += s->p_phase_w[p];
            any = true;
        }
    return any && sum <= INT32_MAX && sum > INT32_MIN ? (int32_t)sum : EVENT_NO_VALUE;
}

/* Tenths of phases that would carry ma each to make up the total power; -1 = it cannot
 * be told. */
static int phases_x10(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                      int phase, int32_t ma)
{
    if (s->p_w == EVENT_NO_VALUE || ma < SMALL_MA)
        return -1;
    return (int)((int64_t)s->p_w * 10 * 1000000 / ((int64_t)volts(s, w, phase) * ma));
}

static void spread(unsigned mask, int32_t ma, int32_t i_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (mask & 1u << p)
            i_ma[p] = ma;
}

/* Only one phase of several told (evcc#16523): its power says what of the others. */
static void complete(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                     unsigned known, int32_t i_ma[SITE_PHASES])
{
    int phase = known & 1 ? 0 : known & 2 ? 1 : 2;
    int k = phases_x10(s, w, phase, i_ma[phase]);

    if (count(known) != 1 || k < 0)
        return;
    if (k >= 25)
        spread(w->phases & ~known, i_ma[phase], i_ma);
    else if (k < 15)
        spread(w->phases & ~known, 0, i_ma);
}

/* A current without a phase: that of each phase, or the sum of them. */
static void from_any(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                     int32_t i_ma[SITE_PHASES])
{
    int n = count(w->phases);
    int32_t i = s->i_any_ma;
    int k = phases_x10(s, w, 0, i);
    bool sum = n > 1 && (i > (int64_t)w->max_ma * 11 / 10 || (k >= 0 && k < 15));

    spread(w->phases, sum ? i / n : i, i_ma);
}

void ocpp_currents(const struct ocpp_sample *s, const struct ocpp_wiring *w,
                   int32_t i_ma[SITE_PHASES])
{
    unsigned known = 0;
    bool dc = s->v_any_mv != EVENT_NO_VALUE && s->v_any_mv >= DC_MV;
    int32_t p_w = ocpp_told_w(s);

    for (int p = 0; p < SITE_PHASES; p++) {
        i_ma[p] = EVENT_NO_VALUE;
        if ((w->phases & 1u << p) && s->i_ma[p] != EVENT_NO_VALUE) {
            i_ma[p] = s->i_ma[p];
            known |= 1u << p;
        }
    }
    if (known) {
        complete(s, w, known, i_ma);
        return;
    }
    if (s->i_any_ma != EVENT_NO_VALUE && !(dc && p_w != EVENT_NO_VALUE)) {
        from_any(s, w, i_ma);
        return;
    }
    for (int p = 0; p < SITE_PHASES; p++)
        if ((w->phases & 1u << p) && s->p_phase_w[p] != EVENT_NO_VALUE) {
            i_ma[p] = amps(s->p_phase_w[p], volts(s, w, p));
            known |= 1u << p;
        }
    if (!known && w->phases && p_w != EVENT_NO_VALUE)
        spread(w->phases, amps(p_w, volts(s, w, 0)) / count(w->phases), i_ma);
}

int32_t ocpp_power(const struct ocpp_sample *s, const struct ocpp_wiring *w)
{
    int32_t i_ma[SITE_PHASES], told = ocpp_told_w(s);
    int64_t uw = 0;
    bool any = false;

    if (told != EVENT_NO_VALUE)
        return told;
    ocpp_currents(s, w, i_ma);
    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] != EVENT_NO_VALUE) {
            uw += (int64_t)i_ma[p] * volts(s, w, p);
            any = true;
        }
    uw /= 1000000;
    return any && uw <= INT32_MAX && uw > INT32_MIN ? (int32_t)uw : EVENT_NO_VALUE;
}

int64_t ocpp_energy(const struct ocpp_sample *s)
{
    int64_t sum = 0;
    bool any = false;

    if (s->energy_wh != EVENT_NO_ENERGY)
        return s->energy_wh;
    for (int p = 0; p < SITE_PHASES; p++)
        if (s->energy_phase_wh[p] != EVENT_NO_ENERGY) {
            sum += s->energy_phase_wh[p];
            any = true;
        }
    return any ? sum : EVENT_NO_ENERGY;
}

/* ---- two elements of the same moment */

static void fill32(int32_t *to, int32_t from)
{
    if (*to == EVENT_NO_VALUE)
        *to = from;
}

static void fill64(int64_t *to, int64_t from)
{
    if (*to == EVENT_NO_ENERGY)
        *to = from;
}

void ocpp_merge_sample(struct ocpp_sample *s, const struct ocpp_sample *more)
{
    for (int p = 0; p < SITE_PHASES; p++) {
        fill32(&s->i_ma[p], more->i_ma[p]);
        fill32(&s->v_mv[p], more->v_mv[p]);
        fill32(&s->p_phase_w[p], more->p_phase_w[p]);
        fill64(&s->energy_phase_wh[p], more->energy_phase_wh[p]);
    }
    fill32(&s->i_any_ma, more->i_any_ma);
    fill32(&s->offered_ma, more->offered_ma);
    fill32(&s->v_any_mv, more->v_any_mv);
    fill32(&s->p_w, more->p_w);
    fill64(&s->energy_wh, more->energy_wh);
    s->n += more->n;
}
