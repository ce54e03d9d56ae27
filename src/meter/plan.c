/* SPDX-License-Identifier: Apache-2.0 */
/* Points -> block reads. */
#include "meter/plan.h"

#include <stdlib.h>
#include <string.h>

static bool add_piece(struct plan *p, const struct point *pt, int at, int sf,
                      int offset)
{
    struct piece *c = &p->pieces[p->n_pieces];
    int to = at + value_type_width(pt->type);

    if (p->n_pieces == PLAN_PIECES)
        return false;
    *c = (struct piece){.fc = (uint8_t)pt->fc,
                        .optional = pt->optional,
                        .alone = pt->alone,
                        .pace = (uint8_t)pt->pace,
                        .from = sf >= 0 && sf < at ? sf : at,
                        .to = sf >= to ? sf + 1 : to};
    c->from += offset;
    c->to += offset;
    p->n_pieces++;
    return c->to <= 65536;
}

static int by_place(const void *va, const void *vb)
{
    const struct piece *a = va, *b = vb;

    if (a->pace != b->pace)
        return a->pace < b->pace ? -1 : 1;
    if (a->fc != b->fc)
        return a->fc < b->fc ? -1 : 1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return a->to < b->to ? -1 : a->to > b->to;
}

static struct block block_of(const struct plan *p, int first, int count)
{
    const struct piece *c = &p->pieces[first];
    int to = c->to;

    for (int i = 1; i < count; i++)
        if (c[i].to > to)
            to = c[i].to;
    return (struct block){.fc = c->fc,
                          .pace = (enum pace)c->pace,
                          .at = (uint16_t)c->from,
                          .n = to - c->from,
                          .first = first,
                          .count = count};
}

/* Whether block b can also take the next piece. */
static bool fits(const struct plan *p, const struct definition *d,
                 const struct block *b, const struct piece *c)
{
    const struct piece *last = &p->pieces[b->first + b->count - 1];
    int end = b->at + b->n;

    return c->fc == b->fc && c->pace == b->pace && !c->alone && !last->alone &&
           c->from - end <= d->max_gap && c->to - b->at <= d->max_regs;
}

static bool make_blocks(struct plan *p, const struct definition *d)
{
    for (int i = 0; i < p->n_pieces; i++) {
        struct block *b = p->n_blocks ? &p->blocks[p->n_blocks - 1] : NULL;

        if (p->pieces[i].to - p->pieces[i].from > d->max_regs)
            return false;
        if (b && fits(p, d, b, &p->pieces[i])) {
            *b = block_of(p, b->first, b->count + 1);
        } else {
            if (p->n_blocks == PLAN_BLOCKS)
                return false;
            p->blocks[p->n_blocks++] = block_of(p, i, 1);
        }
    }
    return true;
}

/* Gives each block its part of the plan's registers. */
static bool place_regs(struct plan *p)
{
    int used = 0;

    for (int i = 0; i < p->n_blocks; i++) {
        if (used + p->blocks[i].n > PLAN_WORDS)
            return false;
        p->blocks[i].regs = p->regs + used;
        used += p->blocks[i].n;
    }
    return true;
}

bool plan_make(struct plan *p, const struct definition *d, int offset)
{
    p->n_pieces = p->n_blocks = 0;
    for (int i = 0; i < d->n_points; i++) {
        const struct point *pt = &d->points[i];

        for (int k = 0; k < pt->n && pt->at[0] >= 0; k++) {
            if (!add_piece(p, pt, pt->at[k], pt->sf, offset))
                return false;
            if (pt->minus[k] >= 0 && !add_piece(p, pt, pt->minus[k], pt->sf, offset))
                return false;
            if (pt->plus[k] >= 0 && !add_piece(p, pt, pt->plus[k], pt->sf, offset))
                return false;
        }
    }
    qsort(p->pieces, (size_t)p->n_pieces, sizeof p->pieces[0], by_place);
    return make_blocks(p, d) && place_regs(p);
}

void plan_reset(struct plan *p)
{
    for (int i = 0; i < p->n_blocks; i++) {
        p->blocks[i].valid = p->blocks[i].dropped = false;
        p->blocks[i].due_ms = 0;
    }
}

bool plan_split(struct plan *p, int i)
{
    struct block b = p->blocks[i];

    p->blocks[i].valid = false;
    if (b.count == 1) {
        p->blocks[i].dropped = p->pieces[b.first].optional;
        return p->blocks[i].dropped;
    }
    if (p->n_blocks == PLAN_BLOCKS)
        return false;
    memmove(&p->blocks[i + 1], &p->blocks[i],
            (size_t)(p->n_blocks - i) * sizeof p->blocks[0]);
    p->n_blocks++;
    p->blocks[i] = block_of(p, b.first, b.count / 2);
    p->blocks[i + 1] = block_of(p, b.first + b.count / 2, b.count - b.count / 2);
    p->blocks[i].regs = b.regs; /* both within those of the one before */
    p->blocks[i + 1].regs = b.regs + (p->blocks[i + 1].at - b.at);
    return true;
}

static bool holds(const struct block *b, int at, int width)
{
    return at >= b->at && at + width <= b->at + b->n;
}

const uint16_t *plan_pair(const struct plan *p, int fc, int at, int width, int with,
                          const uint16_t **word)
{
    for (int i = 0; i < p->n_blocks; i++) {
        const struct block *b = &p->blocks[i];

        if (!b->valid || b->fc != fc || !holds(b, at, width) ||
            (with >= 0 && !holds(b, with, 1)))
            continue;
        if (with >= 0)
            *word = &b->regs[with - b->at];
        return &b->regs[at - b->at];
    }
    return NULL;
}

const uint16_t *plan_words(const struct plan *p, int fc, int at, int width)
{
    return plan_pair(p, fc, at, width, DEF_NOWHERE, NULL);
}

int plan_count(const struct plan *p, enum pace pace)
{
    int n = 0;

    for (int i = 0; i < p->n_blocks; i++)
        n += p->blocks[i].pace == pace && !p->blocks[i].dropped;
    return n;
}

int block_bus_ms(const struct block *b, const struct definition *d)
{
    /* Request 8 bytes, answer 5 and the words; each ends with 3.5 characters of
     * silence (Modbus over Serial Line 2.5.1.1); 30 ms is what common meters take. */
    enum { TURNAROUND_MS = 30, FRAMES = 8 + 5 + 7 };
    int bits = 1 + d->bus.data_bits + (d->bus.parity != 'N') + d->bus.stop_bits;

    return (FRAMES + 2 * b->n) * bits * 1000 / d->bus.baud + TURNAROUND_MS +
           d->bus.gap_ms;
}

int plan_bus_ms(const struct plan *p, const struct definition *d, enum pace pace)
{
    int ms = 0;

    for (int i = 0; i < p->n_blocks; i++)
        if (p->blocks[i].pace == pace && !p->blocks[i].dropped)
            ms += block_bus_ms(&p->blocks[i], d);
    return ms;
}
