/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a model on a SunSpec device: at one of three base addresses stands 'SunS',
 * then one model after the other, each an id, a length and that many registers, until
 * the id 0xFFFF (SunSpec Device Information Model Specification, section 6).
 *
 * A pure state machine: ask for `n` registers at `at`, give the answer, until it is
 * done. */
#ifndef METER_SUNSPEC_H
#define METER_SUNSPEC_H

#include "meter/definition.h"

enum walk_state { WALK_MARK, WALK_HEADER, WALK_COMMON, WALK_FOUND, WALK_NOT_FOUND };

enum { WALK_MODELS = 64, WALK_WORDS = 16 };

struct sunspec_walk {
    const struct definition *d;
    enum walk_state state;
    int at, n;                         /* the request; n <= WALK_WORDS */
    int base;                          /* index of the base address tried */
    int model_at, model_id, model_len; /* the one looked at; the result when found */
    int seen;                          /* models of those wanted */
    int ids[WALK_MODELS], n_ids;       /* all on the chain so far */
    char mn[33];                       /* manufacturer of the last common model */
};

void sunspec_begin(struct sunspec_walk *w, const struct definition *d);
bool sunspec_done(const struct sunspec_walk *w);
/* The answer to the request: n words, or NULL when the device refused it. */
void sunspec_answer(struct sunspec_walk *w, const uint16_t *words);

/* Why nothing was found. Returns text. */
char *sunspec_text(const struct sunspec_walk *w, char *text, size_t size);

#endif
