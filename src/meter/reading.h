/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of a meter: integers, import positive, and whether to believe it. */
#ifndef METER_READING_H
#define METER_READING_H

#include <stddef.h>
#include "core/event.h"
#include "meter/definition.h"

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

/* Looks for what a wrong model, a wrong word order, a wrong transformer ratio or
 * another device's answer give: a voltage that is neither 80 .. 300 V nor that of a
 * dead phase, a current above 10 kA, no voltage or no current at all, or a power above
 * 1 kW that differs from V * I by more than a factor of 3. True = plausible; else a
 * text of what is wrong. */
bool reading_plausible(const struct meter_reading *r, const struct definition *layout,
                       char *text, size_t size);

/* A phase that is not connected (a three-phase meter on a one-phase site) has a true
 * current of 0, and no voltage. */
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
