/* SPDX-License-Identifier: Apache-2.0 */
/* Completing and doubting readings. */
#include "meter/reading.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    V_MIN_MV = 80000,
    V_MAX_MV = 300000,
    V_DEAD_MV = 10000, /* below: the phase is not connected, as on a 1-phase site */
    I_DEAD_MA = 200,
    P_CHECK_W = 1000,
    P_FACTOR = 3,
    P_MAX_W = 9000000, /* SITE_MAX_MA on three phases of V_MAX_MV */
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
            r->v_mv[i] >= V_MIN_MV)
            r->i_ma[i] = current_from_power(r->p_phase_w[i], r->v_mv[i]);
        all = all && r->p_phase_w[i] != EVENT_NO_VALUE;
        sum_w += all ? r->p_phase_w[i] : 0;
    }
    if (r->p_w == EVENT_NO_VALUE && all && llabs(sum_w) <= INT32_MAX)
        r->p_w = (int32_t)sum_w;
}

static bool is_dead(const struct meter_reading *r, int i)
{
    return r->v_mv[i] >= 0 && r->v_mv[i] <= V_DEAD_MV &&
           (r->i_ma[i] == EVENT_NO_VALUE || abs(r->i_ma[i]) <= I_DEAD_MA);
}

static bool voltage_plausible(const struct meter_reading *r, int i)
{
    int32_t v = r->v_mv[i];

    return v == EVENT_NO_VALUE || (v >= V_MIN_MV && v <= V_MAX_MV) || is_dead(r, i);
}

static bool current_plausible(const struct meter_reading *r, int i)
{
    return r->i_ma[i] == EVENT_NO_VALUE || abs(r->i_ma[i]) <= SITE_MAX_MA;
}

static bool power_plausible(const struct meter_reading *r, int i)
{
    int64_t p = llabs((int64_t)r->p_phase_w[i]), s;

    if (r->p_phase_w[i] == EVENT_NO_VALUE || r->v_mv[i] == EVENT_NO_VALUE ||
        r->i_ma[i] == EVENT_NO_VALUE || p <= P_CHECK_W)
        return true;
    s = llabs((int64_t)r->v_mv[i] * r->i_ma[i]) / 1000000;
    return p <= P_FACTOR * s && s <= P_FACTOR * p;
}

/* A meter whose registers are all zero, or all empty, is another device. An inverter
 * that sleeps is like that. */
static bool has_content(const struct meter_reading *r, const struct definition *layout,
                        char *text, size_t size)
{
    bool voltage = false, dead = false, current = false;

    if (layout->kind == DEF_INVERTER)
        return true;
    for (int i = 0; i < SITE_PHASES; i++) {
        voltage = voltage || (r->v_mv[i] != EVENT_NO_VALUE && !is_dead(r, i));
        dead = dead || is_dead(r, i);
        current = current || r->i_ma[i] != EVENT_NO_VALUE;
    }
    if (dead && !voltage)
        snprintf(text, size, "no voltage on any phase: wrong model or unit?");
    else if (!current && layout->by_quantity[QUANTITY_I] >= 0)
        snprintf(text, size, "gives no current on any phase: wrong model, or asleep?");
    else
        return true;
    return false;
}

bool reading_plausible(const struct meter_reading *r, const struct definition *layout,
                       char *text, size_t size)
{
    for (int i = 0; i < SITE_PHASES; i++) {
        if (!voltage_plausible(r, i)) {
            snprintf(text, size, "L%d reads %.1f V: wrong model or unit?", i + 1,
                     r->v_mv[i] / 1000.0);
            return false;
        }
        if (!current_plausible(r, i)) {
            snprintf(text, size, "L%d reads %.0f A: wrong model?", i + 1,
                     r->i_ma[i] / 1000.0);
            return false;
        }
        if (!power_plausible(r, i)) {
            snprintf(text, size,
                     "L%d reads %d W but %.1f V and %.1f A: wrong model, or wrong "
                     "transformer ratio?",
                     i + 1, r->p_phase_w[i], r->v_mv[i] / 1000.0, r->i_ma[i] / 1000.0);
            return false;
        }
    }
    if (r->p_w != EVENT_NO_VALUE && abs(r->p_w) > P_MAX_W) {
        snprintf(text, size, "the total power reads %d W: wrong model?", r->p_w);
        return false;
    }
    return has_content(r, layout, text, size);
}

void reading_drop_dead(struct meter_reading *r)
{
    for (int i = 0; i < SITE_PHASES; i++)
        if (is_dead(r, i)) {
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
