/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter simulate: the load out of a recording. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meter_simulate.h"
#include "sim/recording.h"

enum { CIRCUITS = 256 };

struct simulate_loads {
    char *names[CIRCUITS];
    int n_names;
    int one; /* the circuit that holds for all units, or SITE_NONE */
    struct sim_loads rows;
    int64_t period_s;
};

static int remember(void *arg, const char *name, int *meter)
{
    struct simulate_loads *l = arg;

    *meter = SITE_NONE;
    for (int i = 0; i < l->n_names; i++)
        if (strcmp(l->names[i], name) == 0)
            return i;
    if (l->n_names == CIRCUITS || !(l->names[l->n_names] = strdup(name)))
        return SIM_UNKNOWN;
    return l->n_names++;
}

static int circuit_of(const struct simulate_loads *l, const char *name)
{
    for (int i = 0; i < l->n_names; i++)
        if (strcmp(l->names[i], name) == 0)
            return i;
    return SITE_NONE;
}

/* All are named like units: 1, 2, ... */
static bool are_units(const struct simulate_loads *l)
{
    for (int i = 0; i < l->n_names; i++)
        if (strspn(l->names[i], "0123456789") != strlen(l->names[i]))
            return false;
    return true;
}

static bool choose(struct simulate_loads *l, const char *path, const char *circuit)
{
    l->one = circuit ? circuit_of(l, circuit) : l->n_names == 1 ? 0 : SITE_NONE;
    if (l->one >= 0 || (!circuit && are_units(l)))
        return true;
    if (circuit)
        fprintf(stderr, "chargehand meter: %s has no circuit '%s', but", path, circuit);
    else
        fprintf(stderr, "chargehand meter: choose a --circuit of %s:", path);
    for (int i = 0; i < l->n_names; i++)
        fprintf(stderr, "%s %s", i ? "," : "", l->names[i]);
    fputc('\n', stderr);
    return false;
}

/* The last row lasts as long as the one before it did, at least a second. */
static int64_t period_of(const struct sim_loads *rows)
{
    int64_t first = rows->list[0].at_s, last = rows->list[rows->n - 1].at_s;
    int64_t step = 0;

    for (int i = rows->n - 1; i > 0 && step == 0; i--)
        step = last - rows->list[i - 1].at_s;
    return last - first + (step > 0 ? step : 1);
}

struct simulate_loads *simulate_loads_new(const char *path, const char *circuit)
{
    struct simulate_loads *l = calloc(1, sizeof *l);
    struct sim_names names = {.arg = l, .circuit = remember};

    if (!l || !sim_loads_read(path, &names, &l->rows, stderr)) {
        simulate_loads_free(l);
        return NULL;
    }
    if (l->rows.n == 0)
        fprintf(stderr, "chargehand meter: %s has no rows\n", path);
    if (l->rows.n == 0 || !choose(l, path, circuit)) {
        simulate_loads_free(l);
        return NULL;
    }
    l->period_s = period_of(&l->rows);
    return l;
}

void simulate_loads_free(struct simulate_loads *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->n_names; i++)
        free(l->names[i]);
    free(l->rows.list);
    free(l);
}

void simulate_loads_at(const struct simulate_loads *l, int unit, double s,
                       double a[SITE_PHASES])
{
    int64_t at_s = l->rows.list[0].at_s + (int64_t)s % l->period_s;
    int circuit = l->one;
    char name[12];

    if (circuit < 0) {
        snprintf(name, sizeof name, "%d", unit);
        circuit = circuit_of(l, name);
    }
    for (int k = 0; k < SITE_PHASES; k++)
        a[k] = 0;
    for (int i = 0; i < l->rows.n && l->rows.list[i].at_s <= at_s; i++)
        for (int k = 0; k < SITE_PHASES && l->rows.list[i].circuit == circuit; k++)
            a[k] = l->rows.list[i].i_ma[k] / 1000.0;
}
