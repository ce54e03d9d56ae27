/* SPDX-License-Identifier: Apache-2.0 */
/* Values -> registers, for simulated devices. */
#include "meter/encode.h"

#include <math.h>
#include <stdlib.h>

struct encoder {
    const struct decode *d;
    const struct meter_reading *r;
    encode_put *put;
    void *arg;
};

/* What the point measures, in mV, mA, W, mHz, Wh and in the device's own direction.
 * False = not available. */
static bool wanted(const struct encoder *e, const struct point *p, int phase,
                   double *out)
{
    const struct meter_reading *r = e->r;
    int64_t wh = p->quantity == QUANTITY_E_IMP ? r->import_wh : r->export_wh;
    int32_t v = p->quantity == QUANTITY_V       ? r->v_mv[phase]
                : p->quantity == QUANTITY_I     ? r->i_ma[phase]
                : p->quantity == QUANTITY_PP    ? r->p_phase_w[phase]
                : p->quantity == QUANTITY_P     ? r->p_w
                : p->quantity == QUANTITY_PV_P  ? r->pv_w
                : p->quantity == QUANTITY_BAT_P ? r->bat_w
                : p->quantity == QUANTITY_SOC   ? r->soc_permille
                                                : r->hz_mhz;

    if (p->quantity == QUANTITY_E_IMP || p->quantity == QUANTITY_E_EXP) {
        *out = (double)wh;
        return wh != EVENT_NO_ENERGY;
    }
    if (p->quantity == QUANTITY_INTERNAL) {
        *out = 1;
        return true;
    }
    if (p->quantity == QUANTITY_PV_P && v == EVENT_NO_VALUE &&
        r->p_w != EVENT_NO_VALUE && e->d->layout->kind == DEF_INVERTER)
        v = -r->p_w; /* what it feeds in is what it makes */
    *out = e->d->device->invert[p->quantity] ? -(double)v : v;
    if (p->sign >= 0)
        *out = fabs(*out);
    return v != EVENT_NO_VALUE;
}

/* The raw number for a value, without a scale factor. */
static double raw_of(const struct point *p, double value)
{
    return number_scale(value / (double)p->x.m, (struct decimal){1, 0},
                        -p->x.e - p->unit_exp);
}

static bool raw_fits(const struct point *p, double raw)
{
    uint16_t words[4];

    return encode_raw(p, raw, words);
}

/* The smallest exponent from -2 up with which all values that share the register fit.
 */
static int scale_for(const struct encoder *e, int fc, int sf)
{
    const struct definition *layout = e->d->layout;
    int exponent = -2;

    for (int i = 0; i < layout->n_points; i++) {
        const struct point *p = &layout->points[i];

        for (int k = 0; p->sf == sf && p->fc == fc && k < p->n; k++) {
            double v;

            if (!wanted(e, p, k, &v))
                continue;
            v = raw_of(p, v);
            if (p->minus[k] >= 0)
                v = fabs(v); /* in one of the two */
            while (exponent < 10 && !raw_fits(p, v * pow(10, -exponent)))
                exponent++;
        }
    }
    return exponent;
}

static void put_words(const struct encoder *e, const struct point *p, int at,
                      const uint16_t *words)
{
    for (int i = 0; i < value_type_width(p->type); i++)
        e->put(e->arg, p->fc, e->d->offset + at + i, words[i]);
}

static void put_value(const struct encoder *e, const struct point *p, int phase)
{
    uint16_t words[4] = {0}, other[4] = {0}, nothing[4] = {0};
    bool split = p->minus[phase] >= 0;
    double v;

    if (!wanted(e, p, phase, &v)) {
        encode_na(p, words);
        encode_na(p, other);
    } else {
        v = raw_of(p, v);
        if (p->sf >= 0)
            v *= pow(10, -scale_for(e, p->fc, p->sf));
        encode_raw(p, split && v < 0 ? 0 : v, words);
        encode_raw(p, split && v < 0 ? -v : 0, other);
    }
    put_words(e, p, p->at[phase], words);
    if (split)
        put_words(e, p, p->minus[phase], other);
    if (p->plus[phase] >= 0)
        put_words(e, p, p->plus[phase], nothing);
}

void encode_reading(const struct decode *d, const struct meter_reading *r,
                    encode_put *put, void *arg)
{
    struct encoder e = {.d = d, .r = r, .put = put, .arg = arg};

    for (int i = 0; i < d->layout->n_points; i++) {
        const struct point *p = &d->layout->points[i];

        for (int k = 0; k < p->n && p->sum < 0; k++)
            put_value(&e, p, k);
        if (p->sf >= 0)
            put(arg, p->fc, d->offset + p->sf,
                (uint16_t)(int16_t)scale_for(&e, p->fc, p->sf));
    }
}

/* An empty model at `at`, and the end of the chain. Returns where the next one goes. */
static int put_model(int at, int id, int len, encode_put *put, void *arg)
{
    put(arg, 3, at, (uint16_t)id);
    put(arg, 3, at + 1, (uint16_t)len);
    for (int i = 0; i < len; i++)
        put(arg, 3, at + 2 + i, 0);
    put(arg, 3, at + 2 + len, 0xFFFF);
    put(arg, 3, at + 3 + len, 0);
    return at + 2 + len;
}

int encode_chain(const struct definition *d, encode_put *put, void *arg)
{
    enum { ID_COMMON = 1, COMMON_LEN = 66 };
    int len = d->models[0]->model.len, at = d->sunspec.base[0] + 2, next;

    put(arg, 3, at - 2, 0x5375);
    put(arg, 3, at - 1, 0x6E53);
    next = put_model(at, ID_COMMON, COMMON_LEN, put, arg);
    for (int i = 0; i < 32 && d->sunspec.mn[i]; i++)
        put(arg, 3, at + 2 + i / 2,
            (uint16_t)(i % 2 ? d->sunspec.mn[i - 1] << 8 | d->sunspec.mn[i]
                             : d->sunspec.mn[i] << 8));
    for (int i = 0; i < d->sunspec.nth; i++) {
        at = next;
        next = put_model(at, d->sunspec.use[0], len, put, arg);
    }
    return at;
}
