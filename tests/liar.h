/* SPDX-License-Identifier: Apache-2.0 */
/* A Modbus device, or a gateway, that misbehaves at random in all ways that were met in
 * the field. Each of its registers says in its value which one it is (liar_word), so an
 * answer that is taken for another shows in each word. */
#ifndef TESTS_LIAR_H
#define TESTS_LIAR_H

#include <stdint.h>
#include "io/modbus_line.h"

enum lie {
    LIE_LATE,       /* the answer comes after the time-out */
    LIE_SINGLE,     /* byte by byte */
    LIE_PIECES,     /* in two pieces, some time between them */
    LIE_HALF,       /* half of it, and never the rest; on TCP it hangs up then */
    LIE_TWO,        /* with one to another request behind it, in one segment */
    LIE_TWO_BEFORE, /* ... before it */
    LIE_TWICE,      /* the same one twice, in one segment */
    LIE_UNIT,       /* another unit's answer, then perhaps the right one */
    LIE_ID,         /* an answer with another transaction id, then perhaps ... */
    LIE_CHECK_SUM,  /* flipped bits; on TCP in the head */
    LIE_GARBAGE,    /* random bytes, then perhaps the right answer */
    LIE_EXCEPTION,
    LIE_SILENT,
    LIE_HANG_UP, /* and garbage after the reconnect */
    LIES
};

struct liar;

/* Lies in `per_1000` of the answers. What it delays it delays by time-outs of
 * timeout_ms, and it throws away what a slow machine has delayed beyond what the
 * client's line promises to sort out. NULL and errno. */
struct liar *liar_new(enum transport t, int timeout_ms, int per_1000, unsigned seed);
void liar_address(const struct liar *l, struct line_address *a);
const char *liar_name(enum lie lie);
/* Ends it; how often it lied in which way. */
void liar_stop(struct liar *l, int told[LIES]);

/* unit 0 .. 15, fc 3 or 4, at 0 .. 2047 */
uint16_t liar_word(int unit, int fc, int at);

#endif
