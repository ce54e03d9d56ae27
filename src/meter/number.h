/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in definitions, read strictly: decimal or 0x integers without leading zeros,
 * and exact decimal fractions. No octal, no "yes", no "1e3", no infinity. */
#ifndef METER_NUMBER_H
#define METER_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* m * 10^e, exactly as written: 0.001 is {1, -3}. */
struct decimal {
    int64_t m;
    int e;
};

/* 0 .. 2^63-1, "12" or "0x2A". */
bool number_integer(const char *text, int64_t *out);
/* As above, or with a sign and a fraction of up to 12 digits in all. */
bool number_decimal(const char *text, struct decimal *out);

/* v * d * 10^exponent. Exact up to one rounding while v * d.m fits 53 bits, as a power
 * of ten up to 10^22 is exact: the same on every compiler. */
double number_scale(double v, struct decimal d, int exponent);

#endif
