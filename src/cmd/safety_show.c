/* SPDX-License-Identifier: Apache-2.0 */
/* The safety statement as a table for each circuit, 80 columns wide. */
#include "cmd/safety_show.h"

#include <stdlib.h>

#include "policy.h"

/* "63 A" or "63, 63, 50 A" */
static void print_phases(const int32_t ma[SITE_PHASES])
{
    char a[24], b[24], c[24];

    if (ma[0] == ma[1] && ma[1] == ma[2])
        printf("%s A", safety_amps(ma[0], a));
    else
        printf("%s, %s, %s A", safety_amps(ma[0], a), safety_amps(ma[1], b),
               safety_amps(ma[2], c));
}

static void print_head(const struct config *c, int v, const struct conf_safety *x)
{
    const struct site_circuit *s = &c->site.circuits[v];
    char a[24];

    printf("\n  %s: limit ", s->name);
    print_phases(s->limit_ma);
    if (s->margin_ma)
        printf(", margin %s A", safety_amps(s->margin_ma, a));
    if (s->power_limit_w)
        printf(", %d W", s->power_limit_w);
    if (s->unbalance_ma)
        printf(", unbalance %s A", safety_amps(s->unbalance_ma, a));
    if (s->meter != SITE_NONE)
        printf(", meter %s", c->site.meters[s->meter].name);
    if (s->parent != SITE_NONE)
        printf(", fed by %s", c->site.circuits[s->parent].name);
    printf("; %d connector%s: %s\n", x->n_connectors, x->n_connectors == 1 ? "" : "s",
           conf_safety_carries(x) ? "SAFE" : "NOT SAFE");
    printf("    %-28s%7s %7s %7s    %7s  %11s\n", "", "L1", "L2", "L3", "free",
           "after");
}

static void print_row(const char *what, const int64_t ma[SITE_PHASES])
{
    char a[24], b[24], c[24];

    printf("    %-28s%7s %7s %7s A", what, safety_amps(ma[0], a), safety_amps(ma[1], b),
           safety_amps(ma[2], c));
}

static void print_loss(const char *what, const struct site_circuit *s,
                       const struct conf_loss *l)
{
    char a[24], b[24];

    print_row(what, l->total_ma);
    printf("  %7s A %11s\n", safety_amps(l->free_ma, a), safety_time(l->after_ms, b));
    if (s->power_limit_w)
        printf("    %-28s%23lld W  %7lld W\n", "  power", (long long)l->power_w,
               (long long)(s->power_limit_w - l->power_w));
}

static void print_circuit(const struct config *c, int v, const struct conf_safety *x)
{
    const struct site_circuit *s = &c->site.circuits[v];
    char a[24];

    print_head(c, v, x);
    print_row("chargers at their maximum", x->max_ma);
    printf("\n");
    print_row(x->base_unknown ? "base load, not known" : "base load, at worst",
              x->base_ma);
    printf("\n");
    print_row("fallbacks", x->fallback_ma);
    printf("\n");
    print_loss("controller or network lost", s, &x->alone);
    if (s->meter == SITE_NONE)
        return;
    print_loss("meter lost, controlled", s, &x->blind);
    printf("    %-28s%48s\n", "meter repeats old values",
           x->frozen_ms ? safety_time(x->frozen_ms, a) : "never found");
    printf("    %-28s%48s\n", "base load rises, controlled",
           safety_time(x->rise_ms, a));
}

static struct conf_safety *reckon(const struct config *c, bool *safe)
{
    struct conf_safety *x = calloc((size_t)c->site.n_circuits, sizeof *x);

    *safe = x && conf_safety(&c->site, x);
    return x;
}

bool safety_holds(const struct config *c)
{
    bool safe;

    free(reckon(c, &safe));
    return safe;
}

void safety_print(const struct config *c)
{
    const struct site *s = &c->site;
    bool safe;
    struct conf_safety *x = reckon(c, &safe);

    if (!x)
        return;
    printf(
        "%s: %s: %d circuit%s, %d meter%s, %d charger%s, %d connector%s, policy %s\n",
        c->path, s->name, s->n_circuits, s->n_circuits == 1 ? "" : "s", s->n_meters,
        s->n_meters == 1 ? "" : "s", s->n_chargers, s->n_chargers == 1 ? "" : "s",
        s->n_connectors, s->n_connectors == 1 ? "" : "s", s->policy->name);
    for (int v = 0; v < s->n_circuits; v++)
        print_circuit(c, v, &x[v]);
    for (int i = 0; i < c->n_inputs; i++)
        printf("\n  input %s: chargers below %s draw at most %d W while it is active, "
               "and\n    %s when it cannot be read\n",
               c->inputs[i].at.name, s->circuits[c->inputs[i].circuit].name,
               c->inputs[i].power_w, c->inputs[i].lost_inactive ? "not" : "also");
    printf("\n  after: the longest until it is so. Until then a charger that is lost "
           "draws no\n  more than it was granted. Lines and answers come on top.\n");
    safety_words(stdout, c, x);
    if (safe)
        printf("SAFE: when the controller, the network or a meter is lost, every "
               "circuit and phase\n  carries what is left, once each charger has "
               "confirmed its fallback.\n");
    free(x);
}
