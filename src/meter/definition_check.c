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

    if (a->fc == b->fc && at_a < end_b && at_b < end_a &&
        !(at_a == at_b && end_a == end_b))
        meter_error(r->e, b->line, b->col,
                    "\"%s\" at register %d overlaps \"%s\" at %d", b->name, at_b,
                    a->name, at_a);
}

static void check_overlaps(struct reader *r)
{
    struct definition *d = r->d;

    for (int i = 0; i < d->n_points; i++)
        for (int k = 0; k < d->points[i].n * 2; k++)
            for (int j = i; j < d->n_points; j++)
                for (int m = j == i ? k + 1 : 0; m < d->points[j].n * 2; m++) {
                    const struct point *a = &d->points[i], *b = &d->points[j];
                    int at_a = k % 2 ? a->minus[k / 2] : a->at[k / 2];
                    int at_b = m % 2 ? b->minus[m / 2] : b->at[m / 2];

                    if (at_a >= 0 && at_b >= 0)
                        check_overlap(r, a, at_a, b, at_b);
                }
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

    for (int i = 0; i < p->n && p->at[0] >= 0; i++) {
        int at = p->at[i], end = at + width;
        int from = p->sf >= 0 && p->sf < at ? p->sf : at;
        int to = p->sf >= end ? p->sf + 1 : end;

        if (to - from > r->d->max_regs) {
            meter_error(r->e, p->line, p->col,
                        "\"%s\"%s needs %d registers in one request, max_regs is %d",
                        p->name, p->sf >= 0 ? " with its scale factor" : "", to - from,
                        r->d->max_regs);
            return;
        }
        if (r->d->is_model && (from < 2 || to > 2 + r->d->model.len))
            meter_error(r->e, p->line, p->col,
                        "\"%s\" at %d is not inside the model (2 to %d)", p->name, at,
                        1 + r->d->model.len);
    }
}

static void check_content(struct reader *r)
{
    const struct definition *d = r->d;
    const int *q = d->by_quantity;
    bool directed = q[QUANTITY_PP] >= 0 && (q[QUANTITY_I] >= 0 || q[QUANTITY_V] >= 0);

    if (d->sunspec.used) {
        if (d->n_points || d->is_model)
            meter_error(r->e, 1, 1, "with \"sunspec\" the points come from its models");
    } else if (d->n_points == 0) {
        meter_error(r->e, 1, 1, "\"points\" is missing: which registers mean what");
    } else if (d->kind == DEF_METER && !directed && !d->no_direction) {
        meter_error(r->e, 1, 1,
                    "a meter needs \"i\" and \"pp\", or limits: {direction: none} when "
                    "it cannot tell import from export on each phase");
    } else if (d->kind == DEF_INVERTER && q[QUANTITY_P] < 0) {
        meter_error(r->e, 1, 1, "an inverter needs \"p\"");
    }
}

void check_definition(struct reader *r)
{
    struct plan *plan;

    check_content(r);
    for (int i = 0; i < r->d->n_points; i++) {
        check_references(r, &r->d->points[i]);
        check_width(r, &r->d->points[i]);
    }
    check_overlaps(r);
    if (r->e->n)
        return;
    plan = calloc(1, sizeof *plan);
    if (!plan || !plan_make(plan, r->d, 0))
        meter_error(r->e, 1, 1, "the points need more than %d requests", PLAN_BLOCKS);
    free(plan);
}
