/* SPDX-License-Identifier: Apache-2.0 */
/* Whether to believe a reading; when not, what is the likely cause. */
#ifndef METER_PLAUSIBLE_H
#define METER_PLAUSIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include "meter/definition.h"
#include "meter/reading.h"

/* What no installation shows: a voltage that is neither 80 .. 300 V nor that of a dead
 * phase, a current above 10 kA, a power above 1 kW that differs from V * I by more than
 * a factor of 3, no voltage or no current at all. A wrong model, a wrong word order, a
 * wrong transformer ratio or another device's answer give such. True = plausible; else
 * a text of what is wrong and why. layout NULL: it comes from no Modbus definition. */
bool reading_plausible(const struct meter_reading *r, const struct definition *layout,
                       char *text, size_t size);

/* What should agree but for the moments at which it was read: the sum of the phases'
 * powers with the total; and no phases whose power is minus half of V * I, as when a
 * phase's current is measured with another's voltage. */
bool reading_agrees(const struct meter_reading *r, char *text, size_t size);

/* Both of them, of reading after reading. One that is not plausible is not believed;
 * one that does not agree is refused from the tenth time in a row on. */
struct belief {
    int doubts;
};
bool reading_believed(struct belief *b, const struct meter_reading *r,
                      const struct definition *layout, char *text, size_t size);

/* More than three times what a circuit carries, for a minute: no fuse holds that, so
 * the meter tells too much, or the limit is a wrong one. The transformer ratio of a
 * meter that multiplies currents and powers alike shows in nothing else. Such a reading
 * is told and not refused: a circuit that counts as overloaded is the safe side. */
struct misfit {
    int64_t since_ms; /* 0 = it fits */
};
/* The phase that does not fit, or SITE_NONE. */
int reading_misfit(struct misfit *m, const int32_t i_ma[SITE_PHASES],
                   const int32_t limit_ma[SITE_PHASES], int64_t now_ms);

#endif
