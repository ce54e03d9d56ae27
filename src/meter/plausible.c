/* SPDX-License-Identifier: Apache-2.0 */
/* Doubting readings. */
#include "meter/plausible.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    I_MAX_MA = SITE_MAX_MA,
    P_CHECK_W = 1000,
    P_FACTOR = 3,
    P_MAX_W = 9000000, /* SITE_MAX_MA on three phases of the highest voltage */
    MISFIT_FACTOR = 3,
    MISFIT_MS = 60000,
    SUM_CHECK_W = 1000,
    SUM_PART = 3, /* the total may be off by this part of the phases' powers */
    DOUBTS = 10   /* a slow total lags behind a step for some readings */
};

static bool voltage_plausible(const struct meter_reading *r, int i)
{
    int32_t v = r->v_mv[i];

    return v == EVENT_NO_VALUE || (v >= READING_V_MIN_MV && v <= READING_V_MAX_MV) ||
           reading_is_dead(r, i);
}

/* What the factor between what is read and what should be points to. */
static const char *by_ten(double factor)
{
    static const struct {
        double factor;
        const char *text;
    } table[] = {{10, "10 times too small"},     {100, "100 times too small"},
                 {1000, "1000 times too small"}, {0.1, "10 times too large"},
                 {0.01, "100 times too large"},  {0.001, "1000 times too large"}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (fabs(factor / table[i].factor - 1) < 0.2)
            return table[i].text;
    return NULL;
}

static bool refuse_voltage(const struct meter_reading *r, int i, char *text,
                           size_t size)
{
    double v = r->v_mv[i] / 1000.0;
    const char *ten = v > 0 ? by_ten(230 / v) : NULL;

    if (ten)
        snprintf(text, size, "L%d reads %.1f V, %s: wrong model?", i + 1, v, ten);
    else if (v > 300 && v < 520)
        snprintf(text, size,
                 "L%d reads %.1f V, as between two phases: wrong model, or no neutral "
                 "wire at the meter?",
                 i + 1, v);
    else if (v >= 0 && v <= 10)
        snprintf(text, size,
                 "L%d reads %.1f V but %.1f A: its voltage is not connected, or wrong "
                 "model or unit?",
                 i + 1, v, r->i_ma[i] / 1000.0);
    else
        snprintf(text, size, "L%d reads %.1f V: wrong model, unit or word order?",
                 i + 1, v);
    return false;
}

/* ---- power against voltage times current ---- */

/* V * I in W, or -1 when one of the three values is missing. */
static double apparent(const struct meter_reading *r, int i)
{
    if (r->p_phase_w[i] == EVENT_NO_VALUE || r->v_mv[i] == EVENT_NO_VALUE ||
        r->i_ma[i] == EVENT_NO_VALUE)
        return -1;
    return fabs((double)r->v_mv[i] * r->i_ma[i]) / 1e6;
}

static bool fits(double p, double s)
{
    return fabs(p) <= P_CHECK_W || (fabs(p) <= P_FACTOR * s && s <= P_FACTOR * fabs(p));
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 0.2 * fabs(b);
}

/* The phase whose current fits this one's power, and the other way round; SITE_NONE. */
static int swapped_with(const struct meter_reading *r, int i)
{
    double s = apparent(r, i), p = fabs((double)r->p_phase_w[i]);

    for (int k = 0; k < SITE_PHASES; k++) {
        double other = apparent(r, k);

        if (k != i && other >= 0 && near(p, other) &&
            (near(fabs((double)r->p_phase_w[k]), s) ||
             (s < P_CHECK_W && abs(r->p_phase_w[k]) <= P_CHECK_W)))
            return k;
    }
    return SITE_NONE;
}

/* The factor from V * I to the power that all phases with a load have in common; 0 =
 * they differ. */
static double common_factor(const struct meter_reading *r)
{
    double factor = 0;

    for (int i = 0; i < SITE_PHASES; i++) {
        double s = apparent(r, i), p = fabs((double)r->p_phase_w[i]);

        if (s <= 0 || (p <= P_CHECK_W && s <= P_CHECK_W))
            continue;
        if (factor > 0 && !near(p / s, factor))
            return 0;
        factor = p / s;
    }
    return factor;
}

static bool refuse_power(const struct meter_reading *r, int i, char *text, size_t size)
{
    double factor = common_factor(r);
    int other = swapped_with(r, i), n;

    n = snprintf(text, size, "L%d reads %d W but %.1f V and %.1f A: ", i + 1,
                 r->p_phase_w[i], r->v_mv[i] / 1000.0, r->i_ma[i] / 1000.0);
    text += n;
    size = n < (int)size ? size - (size_t)n : 0;
    if (other != SITE_NONE)
        snprintf(text, size, "are L%d and L%d swapped?", i + 1, other + 1);
    else if (factor >= 700 || (factor > 0 && factor <= 1 / 700.0))
        snprintf(text, size, "kW taken for W: wrong model?");
    else if (factor > 1)
        snprintf(text, size,
                 "%.3g times V * I: wrong transformer ratio, or wrong model?", factor);
    else if (factor > 0)
        snprintf(text, size,
                 "V * I is %.3g times that: wrong transformer ratio, or wrong model?",
                 1 / factor);
    else
        snprintf(text, size, "wrong model, or another device with the same unit?");
    return false;
}

/* ---- all of it ---- */

/* A meter whose registers are all zero, or all empty, is another device. An inverter
 * that sleeps is like that. */
static bool has_content(const struct meter_reading *r, const struct definition *layout,
                        char *text, size_t size)
{
    bool voltage = false, dead = false, current = false;

    if (layout && layout->kind == DEF_INVERTER)
        return true;
    for (int i = 0; i < SITE_PHASES; i++) {
        voltage = voltage || (r->v_mv[i] != EVENT_NO_VALUE && !reading_is_dead(r, i));
        dead = dead || reading_is_dead(r, i);
        current = current || r->i_ma[i] != EVENT_NO_VALUE;
    }
    if (dead && !voltage)
        snprintf(text, size, "no voltage on any phase: wrong model or unit?");
    else if (!current && (!layout || layout->by_quantity[QUANTITY_I] >= 0))
        snprintf(text, size, "gives no current on any phase: wrong model, or asleep?");
    else
        return true;
    return false;
}

bool reading_plausible(const struct meter_reading *r, const struct definition *layout,
                       char *text, size_t size)
{
    for (int i = 0; i < SITE_PHASES; i++) {
        if (!voltage_plausible(r, i))
            return refuse_voltage(r, i, text, size);
        if (r->i_ma[i] != EVENT_NO_VALUE && abs(r->i_ma[i]) > I_MAX_MA) {
            snprintf(text, size, "L%d reads %.0f A: wrong model or word order?", i + 1,
                     r->i_ma[i] / 1000.0);
            return false;
        }
    }
    for (int i = 0; i < SITE_PHASES; i++)
        if (apparent(r, i) >= 0 && !fits(r->p_phase_w[i], apparent(r, i)))
            return refuse_power(r, i, text, size);
    if (r->p_w != EVENT_NO_VALUE && abs(r->p_w) > P_MAX_W) {
        snprintf(text, size, "the total power reads %d W: wrong model or word order?",
                 r->p_w);
        return false;
    }
    return has_content(r, layout, text, size);
}

/* ---- what should agree ---- */

static bool sum_agrees(const struct meter_reading *r, char *text, size_t size)
{
    double sum = 0, most = 0, total = r->p_w, tolerance;
    const char *cause = "wrong model, or another device with the same unit?";

    for (int i = 0; i < SITE_PHASES; i++) {
        if (r->p_phase_w[i] == EVENT_NO_VALUE)
            return true;
        sum += r->p_phase_w[i];
        most += abs(r->p_phase_w[i]);
    }
    tolerance = most / SUM_PART > SUM_CHECK_W ? most / SUM_PART : SUM_CHECK_W;
    if (r->p_w == EVENT_NO_VALUE || fabs(sum - total) <= tolerance)
        return true;
    if (near(total, -sum))
        cause = "one of them counts the other way round: wrong model?";
    else if (near(total, most))
        cause = "it adds up export as import, too: see its settings";
    else if (sum != 0 && total != 0 && by_ten(fabs(sum / total)))
        cause = by_ten(fabs(sum / total));
    for (int i = 0; i < SITE_PHASES && fabs(sum) < most; i++)
        if (near(total, sum - 2.0 * r->p_phase_w[i]) && !near(total, most))
            cause = i == 0   ? "is the transformer of L1 turned round?"
                    : i == 1 ? "is the transformer of L2 turned round?"
                             : "is the transformer of L3 turned round?";
    snprintf(text, size, "the phases sum up to %.0f W, the total reads %.0f W: %s", sum,
             total, cause);
    return false;
}

/* 120 degrees between voltage and current: the power is half of V * I, backwards. */
static bool displaced(const struct meter_reading *r, int i)
{
    double s = apparent(r, i);

    return s > P_CHECK_W && fabs(r->p_phase_w[i] / s + 0.5) < 0.1;
}

/* With two phases swapped, the third one is in step; with all three moved on none is.
 */
static bool phases_agree(const struct meter_reading *r, char *text, size_t size)
{
    int n = 0, in_step = 0, phase[SITE_PHASES];

    for (int i = 0; i < SITE_PHASES; i++) {
        if (displaced(r, i))
            phase[n++] = i + 1;
        else if (apparent(r, i) >= 0 && r->p_phase_w[i] >= 0.8 * apparent(r, i))
            in_step++;
    }
    if (n == 2 && in_step == 1)
        snprintf(text, size,
                 "L%d and L%d: power is minus half of V * I: are their currents or "
                 "voltages swapped?",
                 phase[0], phase[1]);
    else if (n == 3)
        snprintf(text, size,
                 "power is minus half of V * I on all phases: are voltages "
                 "and currents of different phases?");
    else
        return true;
    return false;
}

bool reading_agrees(const struct meter_reading *r, char *text, size_t size)
{
    return phases_agree(r, text, size) && sum_agrees(r, text, size);
}

bool reading_believed(struct belief *b, const struct meter_reading *r,
                      const struct definition *layout, char *text, size_t size)
{
    if (!reading_plausible(r, layout, text, size))
        return false;
    if (reading_agrees(r, text, size))
        b->doubts = 0;
    else if (b->doubts < DOUBTS)
        b->doubts++;
    return b->doubts < DOUBTS;
}

int reading_misfit(struct misfit *m, const int32_t i_ma[SITE_PHASES],
                   const int32_t limit_ma[SITE_PHASES], int64_t now_ms)
{
    int phase = SITE_NONE;

    for (int i = 0; i < SITE_PHASES; i++)
        if (i_ma[i] != EVENT_NO_VALUE &&
            llabs((int64_t)i_ma[i]) > MISFIT_FACTOR * (int64_t)limit_ma[i])
            phase = i;
    if (phase == SITE_NONE)
        m->since_ms = 0;
    else if (m->since_ms == 0)
        m->since_ms = now_ms;
    return phase != SITE_NONE && now_ms - m->since_ms >= MISFIT_MS ? phase : SITE_NONE;
}
