/* SPDX-License-Identifier: Apache-2.0 */
/* Register words -> values, by a definition; and back, for simulated devices. What a
 * device does not give is no value, never 0. */
#ifndef METER_DECODE_H
#define METER_DECODE_H

#include "meter/plan.h"
#include "meter/reading.h"

struct decode {
    const struct definition *layout; /* what the registers mean */
    const struct definition *device; /* whose signs count; the layout itself, or the
                                        SunSpec device on which it was found */
    int offset;                      /* added to the layout's addresses */
    bool turned;                     /* mounted the other way round */
};

/* Decodes what the plan's valid blocks hold. */
void decode_reading(const struct decode *d, const struct plan *p,
                    struct meter_reading *out);

/* The number in `words` as the type and order of the point say, without factors. False
 * = not available, or no number (NaN, infinite, subnormal, FLT_MAX). */
bool decode_raw(const struct point *pt, const uint16_t *words, double *out);

/* The words for a raw number, the inverse of decode_raw(). False = does not fit. */
bool encode_raw(const struct point *pt, double raw, uint16_t *words);
/* The words for "not available". False = the point has no code for it. */
bool encode_na(const struct point *pt, uint16_t *words);

#endif
