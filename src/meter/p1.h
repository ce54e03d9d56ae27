/* SPDX-License-Identifier: Apache-2.0 */
/* The P1 port of smart meters in the Netherlands, Belgium, Luxembourg and Sweden: from
 * bytes to telegrams, from a telegram to a reading. (DSMR 5.0.2 P1 companion standard,
 * e-MUCS P1 1.7: IEC 62056-21 data sets with OBIS codes of IEC 62056-61.)
 *
 * A telegram goes from '/' to '!' and four hexadecimal digits of a check sum (CRC-16
 * with the polynomial x^16 + x^15 + x^2 + 1 over all of it from '/' to '!'). Without
 * one (DSMR 3 and older) it is not used. */
#ifndef METER_P1_H
#define METER_P1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "meter/reading.h"

enum { P1_MAX = 8192 }; /* bytes of a telegram; usual ones have 500 to 2000 */

enum p1_result {
    P1_MORE,     /* all bytes are taken, no telegram is complete */
    P1_TELEGRAM, /* a good one: p->text up to p->n */
    P1_BAD_SUM,
    P1_NO_SUM, /* an old meter's */
    P1_TOO_LONG
};

/* A telegram on its way in; begins with all zero. */
struct p1 {
    char text[P1_MAX + 1]; /* from '/' on */
    size_t n;              /* 0 = waiting for a '/' */
    int sum_digits;        /* after '!'; -1 = before it */
    bool done;             /* the next byte is another's */
    unsigned begun;        /* counts the telegrams that have begun */
};

/* Takes bytes until something is complete; the number of bytes taken. What is not part
 * of a telegram is skipped; a '/' always begins a new one. After anything but P1_MORE
 * the next call begins anew. */
size_t p1_feed(struct p1 *p, const char *bytes, size_t n, enum p1_result *result);

/* The reading that a telegram tells. What is no number in its right unit is no value.
 * Currents are worked out by p1_current(). False: it tells no power and no current of
 * any phase. */
bool p1_parse(const char *telegram, struct meter_reading *r);

/* The current of a phase, from its power and voltage where both are known. What the
 * meter itself tells counts when that is more: reactive current is current, too. Dutch
 * meters tell whole amperes without a sign, Belgian ones hundredths. The sign is that
 * of the power, where it is clear. */
int32_t p1_current(int32_t told_ma, int32_t p_w, int32_t v_mv);

uint16_t p1_sum(const char *bytes, size_t n);

#endif
