/* SPDX-License-Identifier: Apache-2.0 */
/* The rows on a car's way to the root: what fits on them, and taking it. */
#include "share_work.h"

/* Of a current x, what counts on the rows of the sun's surplus. */
static int64_t above_sun(const struct work *c, int64_t x)
{
    return x > c->sun ? x - c->sun : 0;
}

/* Phases and power: what counts from the first milliampere on. */
static unsigned plain_rows(const struct node *v, const struct work *c)
{
    return v->limited & (c->phases | 1u << SHARE_POWER);
}

static bool has(const struct node *v, int kind)
{
    return v->limited >> kind & 1;
}

/* How much more a car may have beside what the cars below v have on other phases. */
static int64_t uneven_room(const struct node *v, const struct work *c)
{
    int64_t room = INT64_MAX;

    for (int p = 0; p < SITE_PHASES; p++)
        for (int q = 0; q < SITE_PHASES; q++)
            if (c->phases >> p & 1 && !(c->phases >> q & 1) &&
                v->unbalance - v->part[p] + v->part[q] < room)
                room = v->unbalance - v->part[p] + v->part[q];
    return room;
}

static bool even_enough(const struct node *v, const struct work *c, int64_t by)
{
    return !has(v, ROW_UNBALANCE) || c->n == SITE_PHASES || by <= uneven_room(v, c);
}

/* Whether so much more, of which `sun` counts on the rows of the sun, is too much for a
 * row; such a row does not matter to a car that lives on the grid. */
static bool too_much(const struct node *v, const struct work *c, int kind, int64_t by,
                     int64_t sun)
{
    if (kind == ROW_UNBALANCE)
        return !even_enough(v, c, by);
    if (kind == SHARE_SOLAR)
        return c->x + by > c->sun && sun * c->n > v->row[kind].left;
    return by * row_times(c, kind) > v->row[kind].left;
}

int32_t work_blocked(const struct share_work *s, const struct work *c, int64_t by)
{
    int64_t sun = above_sun(c, c->x + by) - above_sun(c, c->x);
    const struct node *node;

    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = node->limited & (c->phases | ~7u); m; m &= m - 1) {
            int r = __builtin_ctz(m);

            if (too_much(node, c, r, by, sun))
                return row_id(v, r);
        }
    }
    return ROW_NONE;
}

bool work_blocked_at(const struct share_work *s, const struct work *c, int32_t id,
                     int64_t by)
{
    return too_much(&s->nodes[id >> ROW_BITS], c, id & ((1 << ROW_BITS) - 1), by,
                    above_sun(c, c->x + by) - above_sun(c, c->x));
}

/* How much more such a row allows. */
static int64_t row_room(const struct node *v, const struct work *c, int kind)
{
    int64_t left = v->row[kind].left;

    if (kind == ROW_UNBALANCE)
        return c->n < SITE_PHASES ? uneven_room(v, c) : INT64_MAX;
    if (kind != SHARE_SOLAR)
        return left / row_times(c, kind);
    if (c->x > c->sun)
        return left / c->n;
    return c->sun - c->x + (left > 0 ? left / c->n : 0);
}

int64_t work_room(const struct share_work *s, const struct work *c, int32_t *id)
{
    int64_t room = INT64_MAX;
    const struct node *node;

    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = node->limited & (c->phases | ~7u); m; m &= m - 1) {
            int r = __builtin_ctz(m);
            int64_t here = row_room(node, c, r);

            if (here < room) {
                room = here;
                *id = row_id(v, r);
            }
        }
    }
    return room > 0 ? room : 0;
}

bool work_take(struct share_work *s, struct work *c, int64_t by)
{
    int64_t sun = above_sun(c, c->x + by) - above_sun(c, c->x), least = 0;
    struct node *node;

    c->x += by;
    for (int v = c->circuit; v != SITE_NONE; v = node->parent) {
        node = &s->nodes[v];
        for (unsigned m = plain_rows(node, c); m; m &= m - 1) {
            int r = __builtin_ctz(m);
            int64_t left = node->row[r].left -= by * row_times(c, r);

            least = left < least ? left : least;
        }
        if (sun != 0) {
            int64_t left = node->row[SHARE_SOLAR].left -= sun * c->n;

            if (has(node, SHARE_SOLAR) && left < least)
                least = left;
        }
        if (has(node, ROW_UNBALANCE) && c->n < SITE_PHASES) {
            for (int p = 0; p < SITE_PHASES; p++)
                if (c->phases >> p & 1)
                    node->part[p] += by;
            if (!even_enough(node, c, 0))
                least = -1;
        }
    }
    return least == 0;
}

bool work_try(struct share_work *s, struct work *c, int64_t by)
{
    if (work_take(s, c, by))
        return true;
    work_take(s, c, -by);
    return false;
}

/* The first of cars[first .. end) whose circuit has at least that number. */
static int lower_bound(const struct share_work *s, int first, int end, int pre)
{
    while (first < end) {
        int mid = first + (end - first) / 2;

        if (s->nodes[s->cars[mid].circuit].pre < pre)
            first = mid + 1;
        else
            end = mid;
    }
    return first;
}

void work_below(const struct share_work *s, int circuit, int *first, int *end)
{
    const struct node *v = &s->nodes[circuit];
    int from = lower_bound(s, *first, *end, v->pre);

    *end = lower_bound(s, from, *end, v->last + 1);
    *first = from;
}
