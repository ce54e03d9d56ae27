/* SPDX-License-Identifier: Apache-2.0 */
/* From exact shares to steps: down to the step below, then what that has left over is
 * handed out, a step to each, those on the lowest level first. What then still fits
 * somewhere (a car that could not take a step left room on its other phases, or a phase
 * may have more since the others have) is shared out in the same way again.
 *
 * So nobody has a step less than its exact share, and nobody could have a step more. A
 * car has more than a step above its exact share only out of room that rounding has
 * taken from others and that they cannot use: as steps they do not fit everywhere. */
#include "share_work.h"

enum { ROUNDS = 8 };

static void round_down(struct share_work *s, int first, int end)
{
    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];
        int64_t over = c->x % c->step;

        if (over > 0)
            work_take(s, c, -over);
    }
}

/* ---- mending: what rounding can break ---- */

/* The pair of phases of which p has more beside q than it may. */
static bool uneven(const struct node *v, int *p, int *q)
{
    for (*p = 0; *p < SITE_PHASES; ++*p)
        for (*q = 0; *q < SITE_PHASES; ++*q)
            if (v->part[*p] - v->part[*q] > v->unbalance)
                return true;
    return false;
}

static bool adds_to(const struct work *c, int kind)
{
    return kind == SHARE_SOLAR ? c->x > c->sun : c->x > 0 && c->rows >> kind & 1;
}

/* Whether row `id` is over its limit, and `c` adds to it; c NULL = whoever. */
static bool is_over(const struct share_work *s, int32_t id, const struct work *c)
{
    const struct node *v = &s->nodes[id >> ROW_BITS];
    int kind = id & ((1 << ROW_BITS) - 1), p, q;

    if (kind != ROW_UNBALANCE)
        return v->row[kind].left < 0 && (!c || adds_to(c, kind));
    return uneven(v, &p, &q) &&
           (!c || (c->x > 0 && c->phases >> p & 1 && !(c->phases >> q & 1)));
}

/* Less for a car can be too much for those on other phases: also on circuits that the
 * last filling has not touched. */
static void watch(struct share_work *s, const struct work *c)
{
    for (int v = c->circuit; v != SITE_NONE; v = s->nodes[v].parent) {
        struct row *r = &s->nodes[v].row[ROW_UNBALANCE];

        if (s->nodes[v].limited >> ROW_UNBALANCE & 1 && r->fill != s->fill) {
            r->fill = s->fill;
            s->touched[s->n_touched++] = row_id(v, ROW_UNBALANCE);
        }
    }
}

/* One step less for each that adds to the row while it is over its limit; with `drop`
 * all, for one car. Whether anyone had anything to give. */
static bool lower(struct share_work *s, int first, int end, int32_t id, bool drop)
{
    bool any = false;

    work_below(s, id >> ROW_BITS, &first, &end);
    for (int i = end - 1; i >= first && !(drop && any); i--) {
        struct work *c = &s->cars[i];

        if ((!drop && c->x - c->step < c->min) || !is_over(s, id, c))
            continue;
        work_take(s, c, drop ? -c->x : -c->step);
        watch(s, c);
        c->on &= !drop || c->min == 0;
        c->row = id;
        any = true;
    }
    return any;
}

static bool mend_row(struct share_work *s, int first, int end, int32_t id)
{
    return is_over(s, id, NULL) &&
           (lower(s, first, end, id, false) || lower(s, first, end, id, true));
}

/* When the cars of one phase have been rounded down, those of another may have too much
 * beside them; and so on, when those load a third. (Ordinary rows are not exceeded, but
 * for 1/FINE mA for each car that stopped at the very level at which it had joined.) */
static void mend(struct share_work *s, int first, int end)
{
    bool any = true;

    while (any) {
        any = false;
        for (int i = 0; i < s->n_touched; i++)
            while (mend_row(s, first, end, s->touched[i]))
                any = true;
    }
}

/* ---- handing out ---- */

static bool wants_step(const struct work *c)
{
    return c->on && c->x + c->step <= c->hi;
}

static void hand_out_to(struct share_work *s, int first, int end, int phases)
{
    int n = 0;

    for (int i = first; i < end; i++) {
        const struct work *c = &s->cars[i];

        if (c->n == phases && wants_step(c))
            s->records[n++] =
                (struct record){share_level(c->x - c->offset, c->weight), i};
    }
    share_sort(s->records, n, s->spare);
    for (int i = 0; i < n; i++) {
        struct work *c = &s->cars[s->records[i].what];

        if (c->row == ROW_NONE || !work_blocked_at(s, c, c->row, c->step))
            work_try(s, c, c->step);
    }
}

/* Cars on more phases first: room that they cannot take on one of them is room that
 * they leave on the others. */
static void hand_out(struct share_work *s, int first, int end)
{
    for (int phases = SITE_PHASES; phases > 0; phases--)
        hand_out_to(s, first, end, phases);
}

/* Readies those who could have a step more; the others learn which row is full. The one
 * that stopped them is the one to name, as long as it is. */
static int ready(struct share_work *s, int first, int end)
{
    int n = 0;

    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];
        int32_t row;

        if (!wants_step(c) ||
            (c->row != ROW_NONE && work_blocked_at(s, c, c->row, c->step)))
            continue;
        row = work_blocked(s, c, c->step);
        if (row != ROW_NONE) {
            c->row = row;
        } else {
            c->state = WORK_READY;
            n++;
        }
    }
    return n;
}

bool share_take_all(struct share_work *s, int first, int end)
{
    bool any = share_let_in(s, first, end, false);

    for (int i = first; i < end; i++) {
        struct work *c = &s->cars[i];
        int64_t room;

        if (!wants_step(c))
            continue;
        room = work_room(s, c, &c->row);
        room = room < c->hi - c->x ? room : c->hi - c->x;
        work_take(s, c, room / c->step * c->step);
        any |= room >= c->step;
    }
    return any;
}

void share_steps(struct share_work *s, int first, int end)
{
    for (int round = 0; round < ROUNDS; round++) {
        round_down(s, first, end);
        mend(s, first, end);
        hand_out(s, first, end);
        share_let_in(s, first, end,
                     false); /* who finds room for its minimum after all */
        if (ready(s, first, end) == 0)
            return;
        share_fill(s, first, end);
    }
    round_down(s, first, end);
    mend(s, first, end);
    while (share_take_all(s, first, end))
        ;
}
