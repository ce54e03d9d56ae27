/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's frame: lays the problem out, serves tier after tier, gives the answer.
 * See share.h for the problem, share_fill.c for its heart. */
#include "share.h"

#include <string.h>

#include "share_work.h"

enum { UNBALANCE_PASSES = 3 };

#define MAX_OFFSET_MA ((int64_t)1 << 35)
#define MAX_WEIGHT (1 << 20)

/* ---- scratch ---- */

static size_t piece(char *mem, size_t *used, size_t n, size_t size, void *where)
{
    char *p = mem ? mem + *used : NULL;

    if (mem)
        memcpy(where, &p, sizeof p);
    *used += (n * size + 15) & ~(size_t)15;
    return *used;
}

/* Cuts the block up; with mem NULL it only counts. */
static size_t lay_out(struct share_work *s, char *mem)
{
    size_t used = 0, nodes = (size_t)s->n_nodes, n = (size_t)s->n,
           rows = nodes << ROW_BITS;

    piece(mem, &used, nodes, sizeof *s->nodes, &s->nodes);
    piece(mem, &used, n, sizeof *s->cars, &s->cars);
    piece(mem, &used, n, sizeof *s->order, &s->order);
    piece(mem, &used, 3 * n, sizeof *s->records, &s->records);
    piece(mem, &used, 3 * n, sizeof *s->spare, &s->spare);
    piece(mem, &used, rows, sizeof *s->heap, &s->heap);
    piece(mem, &used, rows, sizeof *s->dirty, &s->dirty);
    piece(mem, &used, rows, sizeof *s->touched, &s->touched);
    piece(mem, &used, n + nodes + 1, sizeof *s->at, &s->at);
    return piece(mem, &used, rows, sizeof *s->groups, &s->groups);
}

size_t share_size(int n_circuits, int n_cars)
{
    struct share_work s = {.n_nodes = n_circuits, .n = n_cars};

    return lay_out(&s, NULL);
}

/* ---- the problem ---- */

/* Numbers the circuits depth first: those below one then follow it. */
static void number(struct share_work *s)
{
    int roots = 0;

    for (int v = 0; v < s->n_nodes; v++)
        s->nodes[v].last = 1; /* for now: how many there are, with itself */
    for (int v = s->n_nodes - 1; v >= 0; v--)
        if (s->nodes[v].parent != SITE_NONE)
            s->nodes[s->nodes[v].parent].last += s->nodes[v].last;
    for (int v = 0; v < s->n_nodes; v++) {
        struct node *node = &s->nodes[v];
        int *next = node->parent == SITE_NONE ? &roots : &s->at[node->parent];

        node->pre = *next;
        *next += node->last;
        s->at[v] = node->pre + 1;
        node->last += node->pre - 1;
    }
}

static void take_tree(struct share_work *s, const struct share_tree *t)
{
    for (int v = 0; v < s->n_nodes; v++) {
        struct node *node = &s->nodes[v];

        *node = (struct node){.parent = t->parent[v],
                              .unbalance = (int64_t)t->unbalance_ma[v] * FINE};
        for (int r = 0; r < SHARE_ROWS; r++)
            if (t->room_ma[v][r] != SHARE_NO_LIMIT) {
                node->row[r].left = t->room_ma[v][r] * FINE;
                node->limited |= (uint8_t)(1 << r);
            }
        if (t->unbalance_ma[v] > 0) {
            node->limited |= 1 << ROW_UNBALANCE;
            s->unbalanced = true;
        }
    }
    number(s);
}

static void take_car(struct work *w, const struct share_car *c, int index)
{
    int64_t step = c->step_ma, offset = c->offset_ma;

    if (offset > MAX_OFFSET_MA || offset < -MAX_OFFSET_MA)
        offset = offset > 0 ? MAX_OFFSET_MA : -MAX_OFFSET_MA;
    *w = (struct work){
        .min = (c->min_ma + step - 1) / step * step * FINE,
        .hi = c->max_ma / step * step * FINE,
        .step = step * FINE,
        .offset = offset * FINE,
        .weight = c->weight < 1            ? 1
                  : c->weight > MAX_WEIGHT ? MAX_WEIGHT
                                           : c->weight,
        .sun = c->sun_ma == SHARE_NO_SUN ? NO_SUN : (int64_t)c->sun_ma * FINE,
        .row = ROW_NONE,
        .index = index,
        .tier = c->tier,
        .circuit = c->circuit,
        .held = c->held,
        .phases = c->phases,
        .n = (uint8_t)((c->phases & 1) + (c->phases >> 1 & 1) + (c->phases >> 2 & 1)),
    };
}

/* By tier, and in each depth first. */
static void take_cars(struct share_work *s, const struct share_car *cars)
{
    int32_t *start = s->at + s->n; /* by the circuit's number */

    memset(start, 0, ((size_t)s->n_nodes + 1) * sizeof *start);
    for (int i = 0; i < s->n; i++)
        start[s->nodes[cars[i].circuit].pre + 1]++;
    for (int v = 0; v < s->n_nodes; v++)
        start[v + 1] += start[v];
    for (int i = 0; i < s->n; i++) {
        int32_t at = start[s->nodes[cars[i].circuit].pre]++;

        s->records[at] = (struct record){cars[i].tier, i};
    }
    share_sort(s->records, s->n, s->spare);
    for (int i = 0; i < s->n; i++) {
        int index = s->records[i].what;

        take_car(&s->cars[i], &cars[index], index);
        s->at[index] = i;
    }
}

/* The order of admission: tier, those who are on before new ones, turn, index. */
static void take_order(struct share_work *s, const struct share_car *cars)
{
    for (int i = 0; i < s->n; i++)
        s->records[i] = (struct record){cars[i].turn, i};
    share_sort(s->records, s->n, s->spare);
    for (int i = 0; i < s->n; i++)
        s->records[i].key = !cars[s->records[i].what].held;
    share_sort(s->records, s->n, s->spare);
    for (int i = 0; i < s->n; i++)
        s->records[i].key = cars[s->records[i].what].tier;
    share_sort(s->records, s->n, s->spare);
    for (int i = 0; i < s->n; i++)
        s->order[i] = s->at[s->records[i].what];
}

/* ---- tiers ---- */

static void serve(struct share_work *s, int first, int end, bool drop)
{
    if (end - first == 1) { /* needs no filling */
        share_take_all(s, first, end);
        return;
    }
    if (drop) {
        share_fill_drop(s, first, end);
    } else {
        for (int i = first; i < end; i++)
            if (s->cars[i].on)
                s->cars[i].state = WORK_READY;
        share_fill(s, first, end);
    }
    share_steps(s, first, end);
}

/* Where the difference between phases is limited, those served later make room for
 * those before them. */
static void serve_all(struct share_work *s, bool drop)
{
    int passes = s->unbalanced ? UNBALANCE_PASSES : 1;

    for (int pass = 0; pass < passes; pass++)
        for (int first = 0, end; first < s->n; first = end) {
            for (end = first; end < s->n && s->cars[end].tier == s->cars[first].tier;)
                end++;
            if (pass == 0 || end - first == 1)
                serve(s, first, end, drop);
            else
                share_steps(s, first, end);
        }
    while (s->unbalanced && share_take_all(s, 0, s->n))
        ;
}

/* ---- the answer ---- */

/* Of its phases, the one on which the circuit has most. */
static int8_t fullest(const struct node *v, const struct work *c)
{
    int8_t most = SITE_NONE;

    for (int8_t p = 0; p < SITE_PHASES; p++)
        if (c->phases >> p & 1 && (most == SITE_NONE || v->part[p] > v->part[most]))
            most = p;
    return most;
}

static struct why why(const struct share_work *s, const struct work *c)
{
    static const uint8_t reasons[ROW_KINDS] = {
        [SHARE_POWER] = REASON_POWER,
        [SHARE_SOLAR] = REASON_SOLAR,
        [ROW_UNBALANCE] = REASON_UNBALANCE,
    };
    int kind = c->row & ((1 << ROW_BITS) - 1);
    struct why w = {REASON_MAX, SITE_NONE, SITE_NONE};

    if (!work_able(c) || (c->on && c->x >= c->hi) || c->row == ROW_NONE)
        return w;
    w.circuit = (int16_t)(c->row >> ROW_BITS);
    w.phase = kind < SITE_PHASES      ? (int8_t)kind
              : kind == ROW_UNBALANCE ? fullest(&s->nodes[w.circuit], c)
                                      : SITE_NONE;
    w.reason = kind < SITE_PHASES ? REASON_CIRCUIT : (enum reason)reasons[kind];
    if (!c->on && c->min > 0)
        w.reason = REASON_WAITING;
    return w;
}

void share(const struct share_tree *t, struct share_car *cars, int n,
           enum share_admission how, void *scratch)
{
    struct share_work s = {.n_nodes = t->n_circuits, .n = n};

    lay_out(&s, scratch);
    take_tree(&s, t);
    take_cars(&s, cars);
    take_order(&s, cars);
    share_admit(&s, how);
    serve_all(&s, how == SHARE_FILL_DROP);
    for (int i = 0; i < n; i++) {
        struct share_car *c = &cars[s.cars[i].index];

        c->current_ma = (int32_t)(s.cars[i].x / FINE);
        c->why = why(&s, &s.cars[i]);
    }
}
