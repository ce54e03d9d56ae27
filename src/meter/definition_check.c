/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between the parts of a definition. */
#include <stdlib.h>

#include "meter/definition_read.h"
#include "meter/plan.h"

/* Two values may be the same registers, but not half of each other's. */
static void check_overlap(struct reader *r, const struct point *a, int at_a,
                          const struct point *b, int at_b)
{
    int end_a = at_a + value_type_width(a->type);
    int end_b = at_b + value_type_width(b->type);

    if (a == b && at_a == at_b)
        meter_error(r->e, b->line, b->col, "\"%s\" has register %d twice", b->name,
                    at_b);
    else if (a->fc == b->fc && at_a < end_b && at_b < end_a &&
             !(at_a == at_b && end_a == end_b))
        meter_error(r->e, b->line, b->col,
                    "\"%s\" at register %d overlaps \"%s\" at %d", b->name, at_b,
                    a->name, at_a);
}

/* Address k of a point: of its phases, then those subtracted, then those added. */
static int address(const struct point *p, int k)
{
    const int *lists[] = {p->at, p->minus, p->plus};

    return lists[k / p->n][k % p->n];
}

static void check_overlaps(struct reader *r)
{
    struct definition *d = r->d;

    for (int i = 0; i < d->n_points; i++)
        for (int k = 0; k < d->points[i].n * 3; k++)
            for (int j = i; j < d->n_points; j++)
                for (int m = j == i ? k + 1 : 0; m < d->points[j].n * 3; m++) {
                    const struct point *a = &d->points[i], *b = &d->points[j];

                    if (address(a, k) >= 0 && address(b, m) >= 0)
                        check_overlap(r, a, address(a, k), b, address(b, m));
                }
}

/* A scale factor is a register of its own. */
static void check_scale(struct reader *r, const struct point *p)
{
    for (int i = 0; p->sf >= 0 && i < r->d->n_points; i++) {
        const struct point *of = &r->d->points[i];

        for (int k = 0; k < of->n * 3 && of->fc == p->fc; k++)
            if (address(of, k) >= 0 && p->sf >= address(of, k) &&
                p->sf < address(of, k) + value_type_width(of->type)) {
                meter_error(r->e, p->line, p->col,
                            "\"sf\" of \"%s\", register %d, is part of \"%s\"", p->name,
                            p->sf, of->name);
                return;
            }
    }
}

static void check_na(struct reader *r, const struct point *p)
{
    int bits = 16 * value_type_width(p->type);

    for (int i = 0; i < p->na.n; i++)
        if (bits < 64 && p->na.raw[i] >> bits)
            meter_error(r->e, p->line, p->col,
                        "\"na\" of \"%s\": 0x%llX is wider than %s", p->name,
                        (unsigned long long)p->na.raw[i], value_type_name(p->type));
}

static void check_references(struct reader *r, const struct point *p)
{
    const struct definition *d = r->d;

    for (int i = 0; i < p->n_mul; i++) {
        const struct point *of = &d->points[p->mul[i]];

        if (of->n != 1 || of->sum >= 0 || of->n_mul || of == p)
            meter_error(r->e, p->line, p->col,
                        "\"mul\" of \"%s\": \"%s\" must be one plain register of its "
                        "own",
                        p->name, of->name);
    }
    if (p->sum >= 0 && (d->points[p->sum].sum >= 0 || p->n != 1))
        meter_error(r->e, p->line, p->col,
                    "\"sum\" of \"%s\": it must be a total of registers", p->name);
    else if (p->sum >= 0 && (d->points[p->sum].quantity != QUANTITY_PP ||
                             p->minus[0] >= 0 || p->plus[0] >= 0 || p->sf >= 0))
        meter_error(r->e, p->line, p->col,
                    "\"sum\" of \"%s\": it must be that of pp, and nothing else",
                    p->name);
    if (p->sign >= 0 && d->points[p->sign].quantity != QUANTITY_PP &&
        d->points[p->sign].quantity != QUANTITY_P)
        meter_error(r->e, p->line, p->col, "\"sign\" of \"%s\" must be pp or p",
                    p->name);
    if (p->sign >= 0 && p->quantity != QUANTITY_I)
        meter_error(r->e, p->line, p->col, "only \"i\" has a \"sign\"");
}

/* A value and its scale factor come in one answer, or they do not belong together. */
static void check_width(struct reader *r, const struct point *p)
{
    int width = value_type_width(p->type);

    for (int i = 0; i < p->n * 3; i++) {
        int at = address(p, i), end = at + width;
        int from = p->sf >= 0 && p->sf < at ? p->sf : at;
        int to = p->sf >= end ? p->sf + 1 : end;

        if (at < 0)
            continue;
        if (to - from > r->d->max_regs) {
            meter_error(r->e, p->line, p->col,
                        "\"%s\"%s needs %d registers in one request, max_regs is %d",
                        p->name, p->sf >= 0 ? " with its scale factor" : "", to - from,
                        r->d->max_regs);
            return;
        }
        if (r->d->model.len && (from < 2 || to > 2 + r->d->model.len))
            meter_error(r->e, p->line, p->col,
                        "\"%s\" at %d is not inside the model (2 to %d)", p->name, at,
                        1 + r->d->model.len);
    }
}

static bool is_unsigned(enum value_type t)
{
    return t == TYPE_U16 || t == TYPE_U32 || t == TYPE_U64;
}

enum def_current definition_current(const struct definition *d)
{
    bool v = d->by_quantity[QUANTITY_V] >= 0, i = d->by_quantity[QUANTITY_I] >= 0;
    bool pp = d->by_quantity[QUANTITY_PP] >= 0;
    enum def_current all = DEF_DIRECTED;

    for (int k = 0; k < d->n_models; k++) {
        enum def_current one = definition_current(d->models[k]);

        all = one < all ? one : all;
    }
    if (d->n_models)
        return all;
    if (i && d->direction == DIRECTION_NONE)
        return DEF_UNDIRECTED;
    if ((i && d->direction == DIRECTION_CURRENT) || (pp && (i || v)))
        return DEF_DIRECTED;
    return i ? DEF_UNDIRECTED : DEF_NO_CURRENT;
}

/* Where a key of the file stands; its begin when it is not there. */
static const struct tree *place(const struct reader *r, const char *key)
{
    const struct tree *t = tree_get(r->root, key);

    return t ? t : r->root;
}

/* What the file says of directions must be what its points can tell. */
static void check_direction(struct reader *r)
{
    const struct definition *d = r->d;
    const struct tree *limits = tree_get(r->root, "limits");
    const struct tree *t = limits ? tree_get(limits, "direction") : NULL;
    const struct tree *kind = place(r, "kind");
    int at = d->by_quantity[QUANTITY_I];
    const struct point *i = at >= 0 ? &d->points[at] : NULL;
    bool grid = d->kind == DEF_METER || d->kind == DEF_HYBRID;

    if (d->direction == DIRECTION_CURRENT && (!i || i->sign >= 0))
        meter_error(r->e, t->line, t->col,
                    "direction: current needs an \"i\" that has a sign of its own");
    else if (d->direction == DIRECTION_POWER && grid &&
             definition_current(d) != DEF_DIRECTED)
        meter_error(r->e, kind->line, kind->col,
                    "a %s needs \"i\" and \"pp\", or limits: {direction: none} when it "
                    "cannot tell import from export on each phase",
                    def_kind_name(d->kind));
    else if (i && i->sign < 0 && is_unsigned(i->type) && d->direction != DIRECTION_NONE)
        meter_error(r->e, i->line, i->col,
                    "\"i\" is %s and has no direction: it needs sign: pp",
                    value_type_name(i->type));
}

/* A reading is as old as its fast registers: nothing older may be in it that a fuse is
 * guarded with. */
static void check_pace(struct reader *r)
{
    const struct definition *d = r->d;
    bool grid = d->kind == DEF_METER || d->kind == DEF_HYBRID;

    for (int i = 0; i < d->n_points; i++) {
        const struct point *p = &d->points[i];
        enum quantity q = p->quantity;
        bool used = q == QUANTITY_P || q == QUANTITY_PP || (grid && q == QUANTITY_I) ||
                    (grid && q == QUANTITY_V && d->by_quantity[QUANTITY_I] < 0) ||
                    (d->kind == DEF_INVERTER && q == QUANTITY_PV_P);

        if (used && d->kind != DEF_BATTERY && p->sum < 0 && p->pace != PACE_FAST)
            meter_error(r->e, p->line, p->col,
                        "\"%s\" must be read in each cycle (fast), or an old value "
                        "counts as new",
                        p->name);
    }
}

static void check_content(struct reader *r)
{
    const struct definition *d = r->d;
    const struct tree *kind = place(r, "kind"), *sunspec = place(r, "sunspec");
    const int *q = d->by_quantity;

    if (d->sunspec.used && (d->is_model || (d->n_points && !d->model.len))) {
        meter_error(
            r->e, sunspec->line, sunspec->col,
            "with \"sunspec\" the points come from its models; for points of its "
            "own it needs \"len\", the length of the model");
    } else if (d->sunspec.used && !d->n_points) {
        return;
    } else if (d->n_points == 0) {
        meter_error(r->e, 1, 1, "\"points\" is missing: which registers mean what");
    } else if (d->kind == DEF_INVERTER && q[QUANTITY_P] < 0 && q[QUANTITY_PV_P] < 0) {
        meter_error(r->e, kind->line, kind->col, "an inverter needs \"p\" or \"pv_p\"");
    } else if (d->kind == DEF_BATTERY && q[QUANTITY_BAT_P] < 0 && q[QUANTITY_SOC] < 0) {
        meter_error(r->e, kind->line, kind->col,
                    "a battery needs \"bat_p\" or \"soc\"");
    } else {
        check_direction(r);
        check_pace(r);
    }
}

void check_definition(struct reader *r)
{
    struct plan *plan;

    check_content(r);
    for (int i = 0; i < r->d->n_points; i++) {
        check_references(r, &r->d->points[i]);
        check_width(r, &r->d->points[i]);
        check_scale(r, &r->d->points[i]);
        check_na(r, &r->d->points[i]);
    }
    check_overlaps(r);
    if (r->e->n)
        return;
    plan = calloc(1, sizeof *plan);
    if (!plan || !plan_make(plan, r->d, 0))
        meter_error(r->e, place(r, "points")->line, place(r, "points")->col,
                    "the points need more than %d requests", PLAN_BLOCKS);
    free(plan);
}
