/* SPDX-License-Identifier: Apache-2.0 */
/* The safety statement of a site for people and for programs. */
#ifndef CMD_SAFETY_SHOW_H
#define CMD_SAFETY_SHOW_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "config/config.h"
#include "config/safety.h"

void safety_print(const struct config *c);             /* a table for each circuit */
void safety_json(cJSON *file, const struct config *c); /* into that object */
bool safety_holds(const struct config *c);             /* it is SAFE */

/* safety_words.c: why it is not SAFE and what would mend it, in paragraphs. */
void safety_words(FILE *to, const struct config *c, const struct conf_safety *x);
/* "CP-01", or "CP-01 connector 2" where it has several; as long as the next call */
const char *safety_connector(const struct config *c, int connector);
const char *safety_amps(int64_t ma, char out[24]); /* "16.5" */
/* "17 s", "16 min 2 s" */
const char *safety_time(int64_t ms, char out[24]);
/* That connector's fallback adds to the overload of that circuit. */
bool safety_adds(const struct config *c, const struct conf_safety *x, int circuit,
                 int connector);

#endif
