/* SPDX-License-Identifier: Apache-2.0 */
/* A reading -> the registers a device of that definition would have: the inverse of
 * decode.h, for simulated meters. */
#ifndef METER_ENCODE_H
#define METER_ENCODE_H

#include "meter/decode.h"

/* Takes one register of the device. */
typedef void encode_put(void *arg, int fc, int at, uint16_t word);

/* Puts every register of the points of d->layout, scale factors and ratios included
 * (ratios are 1). Values that are missing get the device's code for "not available"
 * where it has one, else 0. Scale factors are chosen so that everything fits. */
void encode_reading(const struct decode *d, const struct meter_reading *r,
                    encode_put *put, void *arg);

/* The chain of models of a SunSpec device around the layout d->models[0] at d->base:
 * marker, common model, head of the model (nth times), end. Returns where the model,
 * the last of them, begins. */
int encode_chain(const struct definition *d, encode_put *put, void *arg);

#endif
