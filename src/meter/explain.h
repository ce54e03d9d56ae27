/* SPDX-License-Identifier: Apache-2.0 */
/* Why a reading may be wrong, by decoding its registers otherwise. */
#ifndef METER_EXPLAIN_H
#define METER_EXPLAIN_H

#include "meter/decode.h"

/* For a reading that is not plausible: the order of words with which it would be
 * ("ws"), or NULL. */
const char *explain_word_order(const struct decode *d, const struct plan *p);

/* Gives all values that order; false = no such word. For a device whose order of words
 * can be set. */
bool definition_set_order(struct definition *d, const char *order);

#endif
