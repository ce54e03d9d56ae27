/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the example weeks in data/: sessions and loads for the sites apartment and
 * depot, in integers only, so that the same seed gives the same bytes everywhere. What
 * the numbers are is told in data/README.md. */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SIM_WEEK_SEED = 1 }; /* of the files in data/ */

struct sim_week {
    const char *name;
    /* Each writes one CSV file. False = no memory. */
    bool (*sessions)(uint64_t seed, FILE *to);
    bool (*loads)(uint64_t seed, FILE *to);
};

extern const struct sim_week sim_weeks[]; /* ends with a NULL name */

#endif
