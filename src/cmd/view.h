/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the site for a terminal, 80 columns wide: first whether it is limiting
 * and why, then circuits phase by phase against their limits, then connectors.
 *
 * `state` is the document of GET /api/v1/state (proto/snapshot.h). Keys that are not
 * there, or null, are shown as "-". */
#ifndef CMD_VIEW_H
#define CMD_VIEW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

void view_draw(FILE *to, const cJSON *state, bool colour);

/* The first line alone, without its newline: "Limiting 2 of 3 cars: garage L2 is full".
 */
void view_answer(FILE *to, const cJSON *state);

/* True when `to` is a terminal that may be coloured (NO_COLOR, TERM=dumb). */
bool view_may_colour(FILE *to);

#endif
