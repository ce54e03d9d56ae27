/* SPDX-License-Identifier: Apache-2.0 */
/* Points -> a reading: factors, scale factors, ratios, differences, sums, signs. */
#include "meter/decode.h"

#include <math.h>

enum { SF_MIN = -10, SF_MAX = 10 }; /* of sunssf, SunSpec Information Model */

/* One address of a point, in mV, mA, W, mHz, Wh, permille. A scale factor comes out of
 * the very request that has read the value: the device may change both at any time. */
static bool part(const struct decode *d, const struct plan *p, const struct point *pt,
                 int at, double *out)
{
    int width = value_type_width(pt->type), sf = 0;
    int sf_at = pt->sf >= 0 ? d->offset + pt->sf : DEF_NOWHERE;
    const uint16_t *factor = NULL;
    const uint16_t *w = plan_pair(p, pt->fc, d->offset + at, width, sf_at, &factor);

    if (!w || !decode_raw(pt, w, out))
        return false;
    if (factor)
        sf = (int16_t)*factor;
    if (sf < SF_MIN || sf > SF_MAX)
        return false;
    *out = number_scale(*out, pt->x, pt->unit_exp + sf);
    return true;
}

static bool value(const struct decode *d, const struct plan *p, const struct point *pt,
                  int phase, double *out);

static bool sum(const struct decode *d, const struct plan *p, const struct point *of,
                double *out)
{
    double one;

    *out = 0;
    for (int i = 0; i < of->n; i++) {
        if (!value(d, p, of, i, &one))
            return false;
        *out += one;
    }
    return true;
}

/* The register, less or and another one: import - export, the sum of two strings. */
static bool registers(const struct decode *d, const struct plan *p,
                      const struct point *pt, int phase, double *out)
{
    double other = 0;

    if (!part(d, p, pt, pt->at[phase], out))
        return false;
    if (pt->minus[phase] >= 0 && !part(d, p, pt, pt->minus[phase], &other))
        return false;
    *out -= other;
    other = 0;
    if (pt->plus[phase] >= 0 && !part(d, p, pt, pt->plus[phase], &other))
        return false;
    *out += other;
    return true;
}

/* References are checked by the loader: they do not go in circles. */
static bool value(const struct decode *d, const struct plan *p, const struct point *pt,
                  int phase, double *out)
{
    double other;
    bool got = pt->sum >= 0 ? sum(d, p, &d->layout->points[pt->sum], out)
                            : registers(d, p, pt, phase, out);

    if (!got)
        return false;
    for (int i = 0; i < pt->n_mul; i++) {
        if (!value(d, p, &d->layout->points[pt->mul[i]], 0, &other))
            return false;
        *out *= other;
    }
    return !pt->has_ok || (*out >= pt->ok_min && *out <= pt->ok_max);
}

/* Whether the device, as it is mounted, counts this quantity the other way round. */
static bool inverted(const struct decode *d, enum quantity q)
{
    bool directed = q == QUANTITY_I || q == QUANTITY_PP || q == QUANTITY_P;

    return d->device->invert[q] != (d->turned && directed);
}

static bool quantity(const struct decode *d, const struct plan *p, enum quantity q,
                     int phase, double *out)
{
    int i = d->layout->by_quantity[q];

    if (i < 0 || phase >= d->layout->points[i].n ||
        !value(d, p, &d->layout->points[i], phase, out))
        return false;
    if (inverted(d, q))
        *out = -*out;
    return true;
}

/* The direction of an unsigned current is that of its phase's power: negative only
 * when that is clearly so, as near 0 W a large reactive current says nothing, and for a
 * fuse it is safe to take a current for drawn. Nominal voltage where none is read. */
static double directed(const struct decode *d, const struct plan *p,
                       const struct point *pt, int phase, double ma)
{
    const struct point *of = &d->layout->points[pt->sign];
    double w, mv, least;

    ma = fabs(ma);
    if (!quantity(d, p, of->quantity, of->n > 1 ? phase : 0, &w))
        return ma;
    if (!quantity(d, p, QUANTITY_V, phase, &mv))
        mv = 230000;
    least = 0.1 * ma * mv / 1e6 * (of->n < pt->n ? pt->n : 1);
    return w < -least ? -ma : ma;
}

/* What does not fit is as large as can be: not missing, but implausible. */
static int32_t whole(double v)
{
    if (fabs(v) < INT32_MAX)
        return (int32_t)lround(v);
    return v < 0 ? -INT32_MAX : INT32_MAX;
}

static int32_t number(const struct decode *d, const struct plan *p, enum quantity q,
                      int phase)
{
    int i = d->layout->by_quantity[q];
    double v;

    if (!quantity(d, p, q, phase, &v))
        return EVENT_NO_VALUE;
    if (q == QUANTITY_I && d->layout->points[i].sign >= 0)
        v = directed(d, p, &d->layout->points[i], phase, v);
    return whole(v);
}

static int64_t energy(const struct decode *d, const struct plan *p, enum quantity q)
{
    double v;

    if (!quantity(d, p, q, 0, &v) || v < 0 || v > 1e15)
        return EVENT_NO_ENERGY;
    return llround(v);
}

void decode_reading(const struct decode *d, const struct plan *p,
                    struct meter_reading *out)
{
    reading_clear(out);
    for (int i = 0; i < d->layout->phases; i++) {
        out->v_mv[i] = number(d, p, QUANTITY_V, i);
        out->i_ma[i] = number(d, p, QUANTITY_I, i);
        out->p_phase_w[i] = number(d, p, QUANTITY_PP, i);
    }
    out->p_w = number(d, p, QUANTITY_P, 0);
    out->hz_mhz = number(d, p, QUANTITY_HZ, 0);
    out->import_wh = energy(d, p, d->turned ? QUANTITY_E_EXP : QUANTITY_E_IMP);
    out->export_wh = energy(d, p, d->turned ? QUANTITY_E_IMP : QUANTITY_E_EXP);
    out->pv_w = number(d, p, QUANTITY_PV_P, 0);
    out->bat_w = number(d, p, QUANTITY_BAT_P, 0);
    out->soc_permille = number(d, p, QUANTITY_SOC, 0);
    if (d->layout->kind == DEF_INVERTER && d->layout->by_quantity[QUANTITY_P] < 0 &&
        out->pv_w != EVENT_NO_VALUE)
        out->p_w = d->turned ? out->pv_w : -out->pv_w; /* what it produces is fed in */
    reading_complete(out, d->layout->phases);
    if (d->device->ct_ppm)
        reading_transform(out, d->device->ct_ppm);
}
