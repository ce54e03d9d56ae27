/* SPDX-License-Identifier: Apache-2.0 */
/* Fallbacks that fit: what the safety statement advises when those of the file do not.
 */
#include <stdlib.h>
#include <string.h>

#include "config/safety.h"

struct mend {
    const struct site *s;
    const struct conf_safety *now;
    int32_t *ma; /* fallback of each connector */
};

static bool below(const struct site *s, int i, int v)
{
    int at = s->connectors[i].circuit;

    while (at != SITE_NONE && at != v)
        at = s->circuits[at].parent;
    return at == v;
}

/* With a bound; less than the charger's minimum is nothing. */
static int32_t bounded(const struct mend *m, int i, int32_t bound_ma)
{
    int32_t ma = m->ma[i] < bound_ma ? m->ma[i] : bound_ma;

    return ma < m->ma[i] && ma < m->s->connectors[i].min_ma ? 0 : ma;
}

static void add(const struct mend *m, int i, int32_t ma, int64_t sum_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (site_phase_mask(&m->s->connectors[i]) >> p & 1)
            sum_ma[p] += ma;
}

static void sum_up(const struct mend *m, int v, int32_t bound_ma,
                   int64_t sum_ma[SITE_PHASES])
{
    memset(sum_ma, 0, SITE_PHASES * sizeof *sum_ma);
    for (int i = 0; i < m->s->n_connectors; i++)
        if (below(m->s, i, v))
            add(m, i, bounded(m, i, bound_ma), sum_ma);
}

static bool carries(const struct mend *m, int v, const int64_t sum_ma[SITE_PHASES])
{
    const struct site_circuit *c = &m->s->circuits[v];
    int64_t total = 0, cars = 0;

    for (int p = 0; p < SITE_PHASES; p++) {
        if (sum_ma[p] > 0 && m->now[v].base_ma[p] + sum_ma[p] > c->limit_ma[p])
            return false;
        cars += sum_ma[p];
        total += m->now[v].base_ma[p] + sum_ma[p];
    }
    return cars == 0 || c->power_limit_w == 0 ||
           total * m->s->voltage_mv / 1000000 <= c->power_limit_w;
}

/* The highest bound in whole amperes that fits. */
static int32_t find_bound(const struct mend *m, int v)
{
    int32_t fits = 0, too_much = SITE_MAX_MA / 1000;

    while (too_much - fits > 1) {
        int32_t middle = (fits + too_much) / 2;
        int64_t sum_ma[SITE_PHASES];

        sum_up(m, v, middle * 1000, sum_ma);
        if (carries(m, v, sum_ma))
            fits = middle;
        else
            too_much = middle;
    }
    return fits * 1000;
}

/* The first ones that the bound leaves nothing keep their minimum, as far as it fits.
 */
static void bound_all(struct mend *m, int v, int32_t bound_ma)
{
    int64_t sum_ma[SITE_PHASES], tried_ma[SITE_PHASES];

    sum_up(m, v, bound_ma, sum_ma);
    for (int i = 0; i < m->s->n_connectors; i++) {
        int32_t ma = bounded(m, i, bound_ma);

        if (!below(m->s, i, v))
            continue;
        if (ma == 0 && m->ma[i] >= m->s->connectors[i].min_ma) {
            memcpy(tried_ma, sum_ma, sizeof sum_ma);
            add(m, i, m->s->connectors[i].min_ma, tried_ma);
            if (carries(m, v, tried_ma)) {
                ma = m->s->connectors[i].min_ma;
                memcpy(sum_ma, tried_ma, sizeof sum_ma);
            }
        }
        m->ma[i] = ma;
    }
}

int conf_safety_mend(const struct site *s, int32_t *fallback_ma)
{
    struct conf_safety *now = calloc((size_t)s->n_circuits, sizeof *now);
    struct mend m = {s, now, fallback_ma};
    int changed = 0;

    for (int i = 0; i < s->n_connectors; i++)
        fallback_ma[i] = s->connectors[i].fallback_ma;
    if (!now)
        return 0;
    conf_safety(s, now);
    for (int v = s->n_circuits - 1; v >= 0; v--) { /* from the leaves up */
        int64_t sum_ma[SITE_PHASES];

        sum_up(&m, v, SITE_MAX_MA, sum_ma);
        if (!carries(&m, v, sum_ma))
            bound_all(&m, v, find_bound(&m, v));
    }
    for (int i = 0; i < s->n_connectors; i++)
        changed += fallback_ma[i] != s->connectors[i].fallback_ma;
    free(now);
    return changed;
}
