/* SPDX-License-Identifier: Apache-2.0 */
/* The safety statement as JSON. */
#include <stdlib.h>

#include "cmd/safety_show.h"
#include "policy.h"

static cJSON *amps(const int64_t ma[SITE_PHASES])
{
    cJSON *a = cJSON_CreateArray();

    for (int p = 0; p < SITE_PHASES; p++)
        cJSON_AddItemToArray(a, cJSON_CreateNumber((double)ma[p] / 1000));
    return a;
}

static void add_loss(cJSON *o, const char *key, const struct conf_loss *l)
{
    cJSON *loss = cJSON_AddObjectToObject(o, key);

    cJSON_AddItemToObject(loss, "total_a", amps(l->total_ma));
    cJSON_AddNumberToObject(loss, "free_a", (double)l->free_ma / 1000);
    cJSON_AddNumberToObject(loss, "power_w", (double)l->power_w);
    cJSON_AddNumberToObject(loss, "after_s", (double)l->after_ms / 1000);
}

static void add_or_null(cJSON *o, const char *key, bool given, double n)
{
    if (given)
        cJSON_AddNumberToObject(o, key, n);
    else
        cJSON_AddNullToObject(o, key);
}

static void add_text(cJSON *o, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(o, key, text);
    else
        cJSON_AddNullToObject(o, key);
}

static void add_overload(cJSON *o, const struct config *c, int v,
                         const struct conf_safety *x)
{
    int p = x[v].phase;
    cJSON *list;

    cJSON_AddBoolToObject(o, "safe", conf_safety_carries(&x[v]));
    add_or_null(o, "overloaded_phase", p != SITE_NONE, p + 1);
    add_or_null(o, "over_a", p != SITE_NONE,
                p == SITE_NONE ? 0
                               : (double)(x[v].alone.total_ma[p] -
                                          c->site.circuits[v].limit_ma[p]) /
                                     1000);
    add_or_null(o, "over_w", x[v].over_w > 0, (double)x[v].over_w);
    list = cJSON_AddArrayToObject(o, "overloaded_by");
    for (int i = 0; i < c->site.n_connectors && !conf_safety_carries(&x[v]); i++)
        if (safety_adds(c, x, v, i))
            cJSON_AddItemToArray(list, cJSON_CreateString(c->connectors[i].cid));
}

static cJSON *circuit(const struct config *c, int v, const struct conf_safety *x)
{
    const struct site_circuit *s = &c->site.circuits[v];
    bool metered = s->meter != SITE_NONE;
    int64_t limit[SITE_PHASES];
    cJSON *o = cJSON_CreateObject();

    for (int p = 0; p < SITE_PHASES; p++)
        limit[p] = s->limit_ma[p];
    cJSON_AddStringToObject(o, "name", s->name);
    add_text(o, "parent",
             s->parent == SITE_NONE ? NULL : c->site.circuits[s->parent].name);
    cJSON_AddItemToObject(o, "limit_a", amps(limit));
    cJSON_AddNumberToObject(o, "margin_a", s->margin_ma / 1000.0);
    add_or_null(o, "power_limit_w", s->power_limit_w > 0, s->power_limit_w);
    add_text(o, "meter", metered ? c->site.meters[s->meter].name : NULL);
    cJSON_AddNumberToObject(o, "connectors", x[v].n_connectors);
    cJSON_AddItemToObject(o, "max_a", amps(x[v].max_ma));
    cJSON_AddItemToObject(o, "base_load_a", amps(x[v].base_ma));
    cJSON_AddBoolToObject(o, "base_load_known", !x[v].base_unknown);
    cJSON_AddItemToObject(o, "fallback_a", amps(x[v].fallback_ma));
    add_loss(o, "controller_lost", &x[v].alone);
    add_loss(o, "network_lost", &x[v].alone);
    if (metered)
        add_loss(o, "meter_lost", &x[v].blind);
    else
        cJSON_AddNullToObject(o, "meter_lost");
    add_or_null(o, "frozen_after_s", x[v].frozen_ms > 0, (double)x[v].frozen_ms / 1000);
    add_or_null(o, "rise_after_s", metered, (double)x[v].rise_ms / 1000);
    add_overload(o, c, v, x);
    return o;
}

/* Fallbacks with which it would be safe: only those that change. */
static void add_mend(cJSON *file, const struct config *c)
{
    int32_t *ma = calloc((size_t)c->site.n_connectors + 1, sizeof *ma);
    cJSON *list = cJSON_AddArrayToObject(file, "mend");

    if (ma)
        conf_safety_mend(&c->site, ma);
    for (int i = 0; ma && i < c->site.n_connectors; i++) {
        cJSON *o;

        if (ma[i] == c->site.connectors[i].fallback_ma)
            continue;
        o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "connector", c->connectors[i].cid);
        cJSON_AddNumberToObject(o, "fallback_a",
                                c->site.connectors[i].fallback_ma / 1000.0);
        cJSON_AddNumberToObject(o, "mended_a", ma[i] / 1000.0);
        cJSON_AddItemToArray(list, o);
    }
    free(ma);
}

static void add_inputs(cJSON *file, const struct config *c)
{
    cJSON *list = cJSON_AddArrayToObject(file, "inputs");

    for (int i = 0; i < c->n_inputs; i++) {
        const struct conf_input *in = &c->inputs[i];
        cJSON *o = cJSON_CreateObject();

        cJSON_AddStringToObject(o, "name", in->at.name);
        cJSON_AddStringToObject(o, "circuit", c->site.circuits[in->circuit].name);
        cJSON_AddNumberToObject(o, "chargers_w", in->power_w);
        cJSON_AddBoolToObject(o, "active_when_lost", !in->lost_inactive);
        cJSON_AddItemToArray(list, o);
    }
}

void safety_json(cJSON *file, const struct config *c)
{
    const struct site *s = &c->site;
    struct conf_safety *x = calloc((size_t)s->n_circuits, sizeof *x);
    cJSON *circuits = cJSON_AddArrayToObject(file, "circuits");
    int64_t lease_ms = conf_safety_lease_ms(s);

    if (!x)
        return;
    bool safe = conf_safety(s, x);
    for (int v = 0; v < s->n_circuits; v++)
        cJSON_AddItemToArray(circuits, circuit(c, v, x));
    cJSON_AddStringToObject(file, "site", s->name);
    cJSON_AddStringToObject(file, "site_id", c->site_id);
    cJSON_AddStringToObject(file, "hash", c->hash);
    cJSON_AddStringToObject(file, "policy", s->policy->name);
    cJSON_AddNumberToObject(file, "meters", s->n_meters);
    cJSON_AddNumberToObject(file, "chargers", s->n_chargers);
    cJSON_AddNumberToObject(file, "connectors", s->n_connectors);
    cJSON_AddBoolToObject(file, "safe", safe);
    add_or_null(file, "lease_needed_s", lease_ms > 0, (double)lease_ms / 1000);
    add_mend(file, c);
    add_inputs(file, c);
    free(x);
}
