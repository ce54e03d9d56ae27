/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of a meter: integers, import positive. */
#ifndef METER_READING_H
#define METER_READING_H

#include <stdbool.h>
#include <stdint.h>
#include "core/event.h"

struct meter_reading {
    int32_t v_mv[SITE_PHASES], i_ma[SITE_PHASES]; /* EVENT_NO_VALUE where not given */
    int32_t p_phase_w[SITE_PHASES], p_w, hz_mhz;
    int64_t import_wh, export_wh; /* EVENT_NO_ENERGY */
    /* of inverters and batteries: positive = produced, given */
    int32_t pv_w, bat_w, soc_permille;
};

void reading_clear(struct meter_reading *r);

/* Fills in what follows from the rest: a missing current of a phase from its power and
 * voltage, a missing total power from those of all phases. */
void reading_complete(struct meter_reading *r, int phases);

/* The direction of an unsigned current is that of its own phase's power: negative only
 * when that is clearly so (more than a tenth of V * I), as near 0 W a large reactive
 * current says nothing, and for a fuse it is safe to take a current for drawn. Without
 * a power it stays as it is. */
int32_t reading_directed(int32_t i_ma, int32_t p_w, int32_t v_mv);

/* The currents are those of transformers which the meter knows nothing of: currents,
 * powers and energies times ratio, in millionths (250/5 A = 50000000). */
void reading_transform(struct meter_reading *r, int32_t ratio_ppm);

/* It is mounted the other way round: what it takes for drawn is fed in. */
void reading_invert(struct meter_reading *r);

enum { READING_V_MIN_MV = 80000, READING_V_MAX_MV = 300000 };

/* The phase is not connected: no voltage, and no current worth the name. */
bool reading_is_dead(const struct meter_reading *r, int i);

/* A phase that is not connected (a three-phase meter on a one-phase site) has a true
 * current of 0, and no voltage. No grid has a frequency outside of 40 .. 70 Hz: that is
 * no value. */
void reading_drop_dead(struct meter_reading *r);

/* A counter of energy that steps back or leaps is a fault of the device or the line,
 * unless it goes on from there: a new meter. */
struct counter {
    bool begun, odd;
    int64_t wh, at_ms;         /* last believed */
    int64_t odd_wh, odd_at_ms; /* first one not believed */
};

/* What to tell when the device says wh: never less than before, until a lower (or
 * unbelievably higher) count has gone on for ten minutes. EVENT_NO_ENERGY passes. */
int64_t counter_step(struct counter *c, int64_t wh, int64_t now_ms);

#endif
