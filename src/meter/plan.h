/* SPDX-License-Identifier: Apache-2.0 */
/* Which registers to ask for in one request each, and what came back.
 *
 * A piece is what must be read together: one value, or a value and its scale factor. A
 * block is a run of pieces that fits one request: at most max_regs registers with gaps
 * of at most max_gap between pieces of the same pace. */
#ifndef METER_PLAN_H
#define METER_PLAN_H

#include "meter/definition.h"

enum { PLAN_PIECES = 160, PLAN_BLOCKS = 64, PLAN_REGS = 125, PLAN_WORDS = 1200 };

struct piece {
    uint8_t fc;
    bool optional, alone;
    uint8_t pace; /* enum pace */
    int from, to; /* registers from .. to-1 */
};

struct block {
    uint8_t fc;
    enum pace pace;
    uint16_t at;
    int n;            /* registers */
    int first, count; /* its pieces */
    bool dropped;     /* the device has refused it and it is optional */
    bool valid;       /* regs[] holds an answer */
    int64_t due_ms;   /* for the reader: when to ask again; 0 = at once */
    uint16_t *regs;   /* n of them, in the plan's */
};

struct plan {
    struct piece pieces[PLAN_PIECES];
    struct block blocks[PLAN_BLOCKS];
    int n_pieces, n_blocks;
    uint16_t regs[PLAN_WORDS]; /* of all blocks */
};

/* Plans the reads of a definition, its addresses moved up by `offset` (SunSpec). False
 * when a piece has more registers than max_regs allows, or there are too many. A plan
 * is not to be copied. */
bool plan_make(struct plan *p, const struct definition *d, int offset);

/* A new connection: nothing that was read counts, and what was dropped is asked for
 * once more. Splits stay. */
void plan_reset(struct plan *p);

/* The device has refused block i (exception 2, illegal address): halves it, or drops it
 * when it is one optional piece. False when neither is possible. The
 * blocks behind it move up by one. */
bool plan_split(struct plan *p, int i);

/* The words of `width` registers at `at`, or NULL when no valid block holds them. */
const uint16_t *plan_words(const struct plan *p, int fc, int at, int width);
/* The same, out of the very request that has also read the register `with`, which is
 * told at *word; DEF_NOWHERE = none. */
const uint16_t *plan_pair(const struct plan *p, int fc, int at, int width, int with,
                          const uint16_t **word);

/* Estimated milliseconds on the serial line of the definition, for one block, and for
 * all blocks of that pace. */
int block_bus_ms(const struct block *b, const struct definition *d);
int plan_bus_ms(const struct plan *p, const struct definition *d, enum pace pace);
int plan_count(const struct plan *p, enum pace pace); /* blocks not dropped */

#endif
