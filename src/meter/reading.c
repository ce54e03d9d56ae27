/* SPDX-License-Identifier: Apache-2.0 */
/* Completing readings. */
#include "meter/reading.h"

#include <stdlib.h>

enum {
    V_DEAD_MV = 10000, /* below: the phase is not connected, as on a 1-phase site */
    I_DEAD_MA = 200,
    HZ_MIN_MHZ = 40000,
    HZ_MAX_MHZ = 70000,
    DIRECTION_PART = 10, /* of V * I: less power than that tells no direction */
    V_NOMINAL_MV = 230000,
    COUNTER_PERSISTS_MS = 600000,
    COUNTER_MAX_KW = 20000 /* more than SITE_MAX_MA on three phases draw */
};

void reading_clear(struct meter_reading *r)
{
    for (int i = 0; i < SITE_PHASES; i++)
        r->v_mv[i] = r->i_ma[i] = r->p_phase_w[i] = EVENT_NO_VALUE;
    r->p_w = r->hz_mhz = EVENT_NO_VALUE;
    r->pv_w = r->bat_w = r->soc_permille = EVENT_NO_VALUE;
    r->import_wh = r->export_wh = EVENT_NO_ENERGY;
}

static int32_t current_from_power(int32_t p_w, int32_t v_mv)
{
    int64_t ma = (int64_t)p_w * 1000000 / v_mv;

    return ma > INT32_MAX || ma < -INT32_MAX ? EVENT_NO_VALUE : (int32_t)ma;
}

void reading_complete(struct meter_reading *r, int phases)
{
    int64_t sum_w = 0;
    bool all = true;

    for (int i = 0; i < phases; i++) {
        if (r->i_ma[i] == EVENT_NO_VALUE && r->p_phase_w[i] != EVENT_NO_VALUE &&
            r->v_mv[i] >= READING_V_MIN_MV)
            r->i_ma[i] = current_from_power(r->p_phase_w[i], r->v_mv[i]);
        all = all && r->p_phase_w[i] != EVENT_NO_VALUE;
        sum_w += all ? r->p_phase_w[i] : 0;
    }
    if (r->p_w == EVENT_NO_VALUE && all && llabs(sum_w) <= INT32_MAX)
        r->p_w = (int32_t)sum_w;
}

int32_t reading_directed(int32_t i_ma, int32_t p_w, int32_t v_mv)
{
    int64_t va;

    if (i_ma == EVENT_NO_VALUE || p_w == EVENT_NO_VALUE)
        return i_ma;
    i_ma = abs(i_ma);
    va = (int64_t)i_ma * (v_mv >= READING_V_MIN_MV ? v_mv : V_NOMINAL_MV) / 1000000;
    return p_w < -(va / DIRECTION_PART) ? -i_ma : i_ma;
}

static int32_t times(int32_t v, int64_t ppm)
{
    int64_t n = v * ppm / 1000000; /* 31 bits by 31 */

    if (v == EVENT_NO_VALUE)
        return v;
    return n > INT32_MAX ? INT32_MAX : n < -INT32_MAX ? -INT32_MAX : (int32_t)n;
}

void reading_transform(struct meter_reading *r, int32_t ratio_ppm)
{
    int64_t *const energy[] = {&r->import_wh, &r->export_wh};

    for (int i = 0; i < SITE_PHASES; i++) {
        r->i_ma[i] = times(r->i_ma[i], ratio_ppm);
        r->p_phase_w[i] = times(r->p_phase_w[i], ratio_ppm);
    }
    r->p_w = times(r->p_w, ratio_ppm);
    for (int i = 0; i < 2; i++)
        if (*energy[i] != EVENT_NO_ENERGY)
            *energy[i] = *energy[i] / 1000000 * ratio_ppm +
                         *energy[i] % 1000000 * ratio_ppm / 1000000;
}

static int32_t minus(int32_t v)
{
    return v == EVENT_NO_VALUE ? v : -v;
}

void reading_invert(struct meter_reading *r)
{
    int64_t import_wh = r->import_wh;

    for (int i = 0; i < SITE_PHASES; i++) {
        r->i_ma[i] = minus(r->i_ma[i]);
        r->p_phase_w[i] = minus(r->p_phase_w[i]);
    }
    r->p_w = minus(r->p_w);
    r->import_wh = r->export_wh;
    r->export_wh = import_wh;
}

bool reading_is_dead(const struct meter_reading *r, int i)
{
    return r->v_mv[i] >= 0 && r->v_mv[i] <= V_DEAD_MV &&
           (r->i_ma[i] == EVENT_NO_VALUE || abs(r->i_ma[i]) <= I_DEAD_MA);
}

void reading_drop_dead(struct meter_reading *r)
{
    if (r->hz_mhz < HZ_MIN_MHZ || r->hz_mhz > HZ_MAX_MHZ)
        r->hz_mhz = EVENT_NO_VALUE;
    for (int i = 0; i < SITE_PHASES; i++)
        if (reading_is_dead(r, i)) {
            r->v_mv[i] = EVENT_NO_VALUE;
            if (r->i_ma[i] != EVENT_NO_VALUE)
                r->i_ma[i] = 0;
        }
}

/* Whether wh can follow what the counter had at from_ms. */
static bool follows(int64_t from_wh, int64_t from_ms, int64_t wh, int64_t now_ms)
{
    int64_t most = (now_ms - from_ms) / 36 * COUNTER_MAX_KW / 100 + COUNTER_MAX_KW;

    return wh >= from_wh && wh - from_wh <= most;
}

int64_t counter_step(struct counter *c, int64_t wh, int64_t now_ms)
{
    if (wh == EVENT_NO_ENERGY)
        return EVENT_NO_ENERGY;
    if (!c->begun || follows(c->wh, c->at_ms, wh, now_ms)) {
        *c = (struct counter){.begun = true, .wh = wh, .at_ms = now_ms};
        return wh;
    }
    if (!c->odd || !follows(c->odd_wh, c->odd_at_ms, wh, now_ms)) {
        c->odd = true;
        c->odd_wh = wh;
        c->odd_at_ms = now_ms;
    } else if (now_ms - c->odd_at_ms >= COUNTER_PERSISTS_MS) {
        *c = (struct counter){.begun = true, .wh = wh, .at_ms = now_ms};
    }
    return c->wh;
}
