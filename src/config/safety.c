/* SPDX-License-Identifier: Apache-2.0 */
/* What flows in each circuit when the controller is gone. */
#include "config/safety.h"

#include <string.h>

static void add_connector(const struct site *s, const struct site_connector *c,
                          struct conf_safety *out)
{
    for (int i = c->circuit; i != SITE_NONE; i = s->circuits[i].parent) {
        out[i].n_connectors++;
        for (int w = 0; w < SITE_PHASES; w++) {
            if (c->wiring[w] == SITE_NO_PHASE && !c->wiring_unknown)
                continue;
            int p = c->wiring_unknown ? w : c->wiring[w];
            out[i].fallback_ma[p] += c->fallback_ma;
            out[i].max_ma[p] += c->max_ma;
        }
    }
}

/* Children come after their parents, so that one way back sums them up. */
static void add_bases(const struct site *s, struct conf_safety *out)
{
    for (int i = s->n_circuits - 1; i >= 0; i--) {
        const struct site_circuit *c = &s->circuits[i];

        for (int p = 0; p < SITE_PHASES; p++) {
            if (c->meter != SITE_NONE || out[i].base_ma[p] < c->base_ma[p])
                out[i].base_ma[p] = c->base_ma[p];
            if (c->parent != SITE_NONE && out[i].base_ma[p] > 0)
                out[c->parent].base_ma[p] += out[i].base_ma[p];
        }
        out[i].base_is_full = c->meter != SITE_NONE &&
                              memcmp(c->base_ma, c->limit_ma, sizeof c->base_ma) == 0;
    }
}

static bool judge(const struct site *s, const struct site_circuit *c,
                  struct conf_safety *x)
{
    int64_t worst = 0, sum_ma = 0, fallback = 0;

    x->phase = SITE_NONE;
    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t total = x->base_ma[p] + x->fallback_ma[p];

        sum_ma += total;
        fallback += x->fallback_ma[p];
        if (x->fallback_ma[p] > 0 && total - c->limit_ma[p] > worst) {
            worst = total - c->limit_ma[p];
            x->phase = p;
        }
    }
    x->power_w = sum_ma * s->voltage_mv / 1000000;
    x->power_fits =
        c->power_limit_w == 0 || fallback == 0 || x->power_w <= c->power_limit_w;
    return x->phase == SITE_NONE && x->power_fits;
}

bool conf_safety(const struct site *s, struct conf_safety *out)
{
    bool safe = true;

    memset(out, 0, (size_t)s->n_circuits * sizeof *out);
    for (int i = 0; i < s->n_connectors; i++)
        add_connector(s, &s->connectors[i], out);
    add_bases(s, out);
    for (int i = 0; i < s->n_circuits; i++)
        safe &= judge(s, &s->circuits[i], &out[i]);
    return safe;
}
