/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets anything when the minimums do not fit. */
#include "share_work.h"

enum { PASSES = 4 };

bool share_let_in(struct share_work *s, int first, int end, bool held)
{
    bool any = false;

    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[s->order[i]];

        if (c->on || !work_able(c) || (held && !c->held))
            continue;
        if (work_try(s, c, c->min))
            c->on = any = true;
        else
            c->row = work_blocked(s, c, c->min);
    }
    return any;
}

/* More passes than one only where a limit on the difference between phases may let a
 * car in after another. */
static void let_all_in(struct share_work *s, bool held)
{
    int passes = s->unbalanced ? PASSES : 1;

    while (passes-- > 0 && share_let_in(s, 0, s->n, held))
        ;
}

void share_admit(struct share_work *s, enum share_admission how)
{
    let_all_in(s, true);
    if (how == SHARE_ADMIT_FIRST)
        let_all_in(s, false);
}

/* ---- fill, then drop ---- */

static bool too_low(const struct work *c)
{
    return c->x > 0 && c->x < c->min;
}

/* Of the cars between 0 and their minimum that one full row has stopped: what they have
 * there together, and so for how many it can be enough at most. */
static bool group(struct share_work *s, int first, int end)
{
    bool any = false;

    for (int i = first; i < end; i++)
        if (too_low(&s->cars[i]))
            s->groups[s->cars[i].row] = (struct group){0, INT64_MAX, 0, 0};
    for (int i = first; i < end; i++) {
        const struct work *c = &s->cars[i];
        int r = c->row & ((1 << ROW_BITS) - 1);
        struct group *g = &s->groups[c->row];

        if (!too_low(c))
            continue;
        any = true;
        g->sum += c->x * row_times(c, r);
        g->count++;
        if (c->min * row_times(c, r) < g->least)
            g->least = c->min * row_times(c, r);
        g->keep = (int32_t)(g->sum / g->least);
        if (g->keep >= g->count)
            g->keep = g->count - 1;
    }
    return any;
}

/* Those that stay grow again: from nothing, or from the minimum that a held one has. */
static void again(struct share_work *s, int first, int end)
{
    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];

        work_take(s, c, (c->held ? c->min : 0) - c->x);
        if (c->on)
            c->state = WORK_READY;
    }
}

static void drop(struct share_work *s, int first, int end)
{
    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[s->order[i]];

        if (too_low(c) && s->groups[c->row].keep-- <= 0)
            c->on = false;
    }
}

/* Dropping one lets the others rise. The last of a group go at once, as many as surely
 * cannot have their minimum out of what the group has; at least one. */
void share_fill_drop(struct share_work *s, int first, int end)
{
    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];

        c->held &= c->on;
        c->on |= work_able(c) && work_blocked(s, c, 0) == ROW_NONE;
    }
    again(s, first, end);
    share_fill(s, first, end);
    while (group(s, first, end)) {
        drop(s, first, end);
        again(s, first, end);
        share_fill(s, first, end);
    }
    for (int i = first; i < end; i++)
        s->cars[i].on &= s->cars[i].x > 0 || s->cars[i].min == 0;
}
