/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the test vectors of a definition through the planner, the SunSpec walk and the
 * decoder: the very code that reads the device. */
#ifndef METER_VECTOR_H
#define METER_VECTOR_H

#include "meter/definition.h"

/* True = the registers give the wanted values; else a complaint is added to e. */
bool vector_run(const struct definition *d, const struct vector *v,
                struct meter_errors *e);

/* Runs all tests of a definition, and complains when it has none, or no probe. Returns
 * how many pass. */
int definition_prove(const struct definition *d, struct meter_errors *e);

#endif
