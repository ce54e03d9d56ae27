/* SPDX-License-Identifier: Apache-2.0 */
/* Words <-> numbers for every type and order of words and bytes. */
#include "meter/decode.h"

#include <float.h>
#include <math.h>
#include <string.h>

static uint16_t swap(uint16_t w)
{
    return (uint16_t)(w << 8 | w >> 8);
}

/* The bits of the value, most significant word first whatever the order on the wire. */
static uint64_t gather(const struct point *pt, const uint16_t *words)
{
    bool reverse = pt->order == WORDS_WS || pt->order == WORDS_LE;
    bool swapped = pt->order == WORDS_BS || pt->order == WORDS_LE;
    int n = value_type_width(pt->type);
    uint64_t bits = 0;

    for (int i = 0; i < n; i++) {
        uint16_t w = words[reverse ? n - 1 - i : i];

        bits = bits << 16 | (swapped ? swap(w) : w);
    }
    return bits;
}

static void scatter(const struct point *pt, uint64_t bits, uint16_t *words)
{
    bool reverse = pt->order == WORDS_WS || pt->order == WORDS_LE;
    bool swapped = pt->order == WORDS_BS || pt->order == WORDS_LE;
    int n = value_type_width(pt->type);

    for (int i = n - 1; i >= 0; i--, bits >>= 16) {
        uint16_t w = (uint16_t)bits;

        words[reverse ? n - 1 - i : i] = swapped ? swap(w) : w;
    }
}

static bool is_float(enum value_type t)
{
    return t == TYPE_F32 || t == TYPE_F64;
}

static bool is_signed(enum value_type t)
{
    return t == TYPE_I16 || t == TYPE_I32 || t == TYPE_I64;
}

/* The code for "not available" of that type. SunSpec Information Model Specification,
 * "unimplemented" values, SMA's integers are the same; ABB B23/B24 manual: the highest
 * value of the type. */
static uint64_t na_code(const struct point *pt)
{
    uint64_t ones = UINT64_MAX >> (64 - 16 * value_type_width(pt->type));

    if (pt->type == TYPE_F32)
        return 0x7FC00000;
    if (pt->type == TYPE_F64)
        return 0x7FF8000000000000;
    if (!is_signed(pt->type))
        return ones;
    return pt->na.rule == NA_ABB ? ones >> 1 : (ones >> 1) + 1;
}

static bool is_na(const struct point *pt, uint64_t bits)
{
    for (int i = 0; i < pt->na.n; i++)
        if (pt->na.raw[i] == bits)
            return true;
    if (pt->na0 && bits == 0)
        return true;
    return pt->na.rule != NA_NONE && pt->na.rule != NA_LIST && bits == na_code(pt);
}

/* A float that is a number: -FLT_MAX is SolarEdge's "not available"; subnormals are
 * integers read as floats. */
static bool sound(double v, double max, double min)
{
    return isfinite(v) && fabs(v) < max && (v == 0 || fabs(v) >= min);
}

static double signed_value(enum value_type t, uint64_t bits)
{
    switch (t) {
    case TYPE_I16:
        return (int16_t)bits;
    case TYPE_I32:
        return (int32_t)bits;
    default:
        return (double)(int64_t)bits;
    }
}

bool decode_raw(const struct point *pt, const uint16_t *words, double *out)
{
    uint64_t bits = gather(pt, words);

    if (is_na(pt, bits))
        return false;
    if (pt->type == TYPE_F32) {
        uint32_t half = (uint32_t)bits;
        float f;

        memcpy(&f, &half, sizeof f);
        *out = (double)f;
        return sound(*out, (double)FLT_MAX, (double)FLT_MIN);
    }
    if (pt->type == TYPE_F64) {
        memcpy(out, &bits, sizeof *out);
        return sound(*out, DBL_MAX, DBL_MIN);
    }
    *out = is_signed(pt->type) ? signed_value(pt->type, bits) : (double)bits;
    return true;
}

bool encode_raw(const struct point *pt, double raw, uint16_t *words)
{
    double top = ldexp(1, 16 * value_type_width(pt->type) - is_signed(pt->type));
    uint64_t bits;

    if (!isfinite(raw))
        return false;
    if (pt->type == TYPE_F32) {
        float f = (float)raw;
        uint32_t half;

        memcpy(&half, &f, sizeof half);
        scatter(pt, half, words);
        return true;
    }
    if (pt->type == TYPE_F64) {
        memcpy(&bits, &raw, sizeof bits);
        scatter(pt, bits, words);
        return true;
    }
    raw = nearbyint(raw);
    if (raw >= top || raw < (is_signed(pt->type) ? -top : 0))
        return false;
    bits = raw < 0 ? (uint64_t)(int64_t)raw : (uint64_t)raw;
    scatter(pt, bits, words);
    return true;
}

bool encode_na(const struct point *pt, uint16_t *words)
{
    if (pt->na.n)
        scatter(pt, pt->na.raw[0], words);
    else if (pt->na0)
        scatter(pt, 0, words);
    else if (is_float(pt->type) || pt->na.rule != NA_NONE)
        scatter(pt, na_code(pt), words);
    else
        return false;
    return true;
}
