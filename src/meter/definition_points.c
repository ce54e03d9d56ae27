/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a definition, and the lists that name them. */
#include "meter/definition_read.h"

#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int exponent; /* from this unit to mV, mA, W, mHz, Wh, permille */
};

static const struct unit units_v[] = {{"V", 3}, {"mV", 0}, {"kV", 6}, {NULL, 0}};
static const struct unit units_a[] = {{"A", 3}, {"mA", 0}, {"kA", 6}, {NULL, 0}};
static const struct unit units_w[] = {{"W", 0}, {"kW", 3}, {"MW", 6}, {NULL, 0}};
static const struct unit units_hz[] = {{"Hz", 3}, {"mHz", 0}, {NULL, 0}};
static const struct unit units_wh[] = {{"kWh", 3}, {"Wh", 0}, {"MWh", 6}, {NULL, 0}};
static const struct unit units_percent[] = {{"%", 1}, {NULL, 0}};
static const struct unit units_none[] = {{"1", 0}, {NULL, 0}};

static const struct unit *const units[QUANTITY_COUNT] = {
    [QUANTITY_V] = units_v,           [QUANTITY_I] = units_a,
    [QUANTITY_PP] = units_w,          [QUANTITY_P] = units_w,
    [QUANTITY_HZ] = units_hz,         [QUANTITY_E_IMP] = units_wh,
    [QUANTITY_E_EXP] = units_wh,      [QUANTITY_PV_P] = units_w,
    [QUANTITY_BAT_P] = units_w,       [QUANTITY_SOC] = units_percent,
    [QUANTITY_INTERNAL] = units_none,
};

int quantity_exponent(enum quantity q)
{
    return units[q]->exponent;
}

static bool per_phase(enum quantity q)
{
    return q == QUANTITY_V || q == QUANTITY_I || q == QUANTITY_PP;
}

/* The index of the point that a text names, or DEF_NOWHERE (told). */
static int find_point(struct reader *r, const struct tree *t, const char *what)
{
    const char *names[DEF_POINTS + 1] = {NULL};
    char hint[64];

    if (t->kind != TREE_SCALAR) {
        meter_error(r->e, t->line, t->col, "\"%s\" must name a point", what);
        return DEF_NOWHERE;
    }
    for (int i = 0; i < r->d->n_points; i++) {
        names[i] = r->d->points[i].name;
        if (strcmp(names[i], t->text) == 0)
            return i;
    }
    meter_error(r->e, t->line, t->col, "\"%s\" names no point: \"%s\"%s", what, t->text,
                meter_nearest(t->text, names, hint, sizeof hint));
    return DEF_NOWHERE;
}

/* One address, or one per phase, as the quantity asks for. */
static bool read_addresses(struct reader *r, const struct tree *map, const char *key,
                           const struct point *p, int at[DEF_PHASES])
{
    const struct tree *t = tree_get(map, key);
    int n, good;

    if (!t)
        return false;
    n = t->kind == TREE_LIST ? tree_count(t) : 1;
    if (n != p->n || t->kind == TREE_MAP) {
        meter_error(r->e, t->line, t->col,
                    "\"%s\" of \"%s\" must be %d address%s, one per phase; here %s %d",
                    key, p->name, p->n, p->n > 1 ? "es" : "", n == 1 ? "is" : "are", n);
        return false;
    }
    good = read_ints(r, map, key, 0, 65535, at, DEF_PHASES);
    for (int i = 0; i < good; i++)
        if (at[i] + value_type_width(p->type) > 65536) {
            meter_error(r->e, t->line, t->col,
                        "\"%s\" of \"%s\" goes beyond register 65535", key, p->name);
            return false;
        }
    return good == n;
}

static void read_unit(struct reader *r, const struct tree *map, struct point *p)
{
    const struct unit *u = units[p->quantity];
    const struct tree *t = tree_get(map, "unit");
    char list[40] = "";
    size_t n = 0;

    p->unit_exp = u->exponent;
    if (!t)
        return;
    for (; u->name; u++) {
        if (t->kind == TREE_SCALAR && strcmp(t->text, u->name) == 0) {
            p->unit_exp = u->exponent;
            return;
        }
        n += (size_t)snprintf(list + n, sizeof list - n, " %s", u->name);
    }
    meter_error(r->e, t->line, t->col, "\"unit\" of \"%s\" must be one of%s", p->name,
                list);
}

static void read_factor(struct reader *r, const struct tree *map, struct point *p)
{
    const struct tree *t = tree_get(map, "x");

    p->x = (struct decimal){1, 0};
    if (!t || !decimal_of(r, t, "x", &p->x))
        return;
    if (p->x.m == 0)
        meter_error(r->e, t->line, t->col, "\"x\" must not be 0");
}

static void read_ok(struct reader *r, const struct tree *map, struct point *p)
{
    const struct tree *t = tree_get(map, "ok");
    struct decimal min, max;

    if (!t)
        return;
    if (t->kind != TREE_LIST || tree_count(t) != 2) {
        meter_error(r->e, t->line, t->col, "\"ok\" must be [lowest, highest]");
        return;
    }
    if (!decimal_of(r, t->first, "ok", &min) ||
        !decimal_of(r, t->first->next, "ok", &max))
        return;
    p->has_ok = true;
    p->ok_min = number_scale(1, min, p->unit_exp);
    p->ok_max = number_scale(1, max, p->unit_exp);
    if (p->ok_min > p->ok_max)
        meter_error(r->e, t->line, t->col, "\"ok\" must be [lowest, highest]");
}

void read_na(struct reader *r, const struct tree *map, struct na *out)
{
    const struct tree *t = tree_get(map, "na");
    int word;
    int64_t raw;

    if (!t)
        return;
    *out = (struct na){.rule = NA_LIST};
    if (t->kind != TREE_LIST) {
        if (read_word(r, map, "na", na_words, &word))
            out->rule = (enum na_rule)word;
        return;
    }
    if (tree_count(t) < 1 || tree_count(t) > DEF_NAS)
        meter_error(r->e, t->line, t->col, "\"na\" takes 1 to %d raw values", DEF_NAS);
    else
        for (const struct tree *i = t->first; i; i = i->next)
            if (i->kind == TREE_SCALAR && number_integer(i->text, &raw))
                out->raw[out->n++] = (uint64_t)raw;
            else
                meter_error(r->e, i->line, i->col,
                            "\"na\" must be a whole number (12 or 0x0C)");
}

static void read_mul(struct reader *r, const struct tree *map, struct point *p)
{
    const struct tree *t = tree_get(map, "mul");

    if (!t)
        return;
    if (t->kind == TREE_LIST && tree_count(t) > DEF_MULS) {
        meter_error(r->e, t->line, t->col, "\"mul\" takes at most %d points", DEF_MULS);
        return;
    }
    for (const struct tree *i = t->kind == TREE_LIST ? t->first : t; i;
         i = t->kind == TREE_LIST ? i->next : NULL) {
        int at = find_point(r, i, "mul");

        if (at >= 0)
            p->mul[p->n_mul++] = at;
    }
}

static void read_reference(struct reader *r, const struct tree *map, const char *key,
                           int *out)
{
    const struct tree *t = tree_get(map, key);

    *out = t ? find_point(r, t, key) : DEF_NOWHERE;
}

static void read_coding(struct reader *r, const struct tree *map, struct point *p)
{
    int word;

    p->fc = r->defaults.fc;
    p->type = r->defaults.type;
    p->order = r->defaults.order;
    read_int(r, map, "fc", 3, 4, &p->fc);
    if (read_word(r, map, "type", value_type_words, &word))
        p->type = (enum value_type)word;
    if (read_word(r, map, "order", word_order_words, &word))
        p->order = (enum word_order)word;
}

/* Energies are counters, whether the file says so or not; nothing else is. */
static void read_counter(struct reader *r, const struct tree *map,
                         const struct point *p)
{
    bool energy = p->quantity == QUANTITY_E_IMP || p->quantity == QUANTITY_E_EXP;
    bool counter;

    if (read_bool(r, map, "counter", &counter) && counter != energy)
        meter_error(r->e, tree_get(map, "counter")->line, tree_get(map, "counter")->col,
                    "\"counter\": e_imp and e_exp only grow, nothing else does");
}

static void read_point(struct reader *r, const struct tree *map, struct point *p)
{
    static const char *const keys[] = {
        "at", "minus", "plus",     "sf",      "type",     "order", "fc",
        "x",  "unit",  "mul",      "sum",     "sign",     "na",    "na0",
        "ok", "block", "optional", "counter", "internal", NULL};
    char what[40];

    snprintf(what, sizeof what, "point \"%s\"", p->name);
    tree_only(map, what, keys, r->e);
    read_coding(r, map, p);
    read_unit(r, map, p);
    read_factor(r, map, p);
    read_ok(r, map, p);
    p->na = r->defaults.na;
    read_na(r, map, &p->na);
    read_mul(r, map, p);
    read_reference(r, map, "sum", &p->sum);
    read_reference(r, map, "sign", &p->sign);
    read_bool(r, map, "na0", &p->na0);
    read_bool(r, map, "optional", &p->optional);
    read_counter(r, map, p);
    read_bool(r, map, "block", &p->alone);
    p->sf = DEF_NOWHERE;
    read_int(r, map, "sf", 0, 65535, &p->sf);
    read_addresses(r, map, "at", p, p->at);
    read_addresses(r, map, "minus", p, p->minus);
    read_addresses(r, map, "plus", p, p->plus);
    if (!tree_get(map, "at") == !tree_get(map, "sum"))
        meter_error(r->e, p->line, p->col, "\"%s\" needs either \"at\" or \"sum\"",
                    p->name);
}

/* Its name decides what it measures; others must say that they are internal. */
static void name_point(struct reader *r, const struct tree *map)
{
    static const char *const names[] = {"v",     "i",    "pp",    "p",   "hz", "e_imp",
                                        "e_exp", "pv_p", "bat_p", "soc", NULL};
    struct definition *d = r->d;
    struct point *p = &d->points[d->n_points];
    bool internal = false;
    char hint[64];

    if (strlen(map->key) >= sizeof p->name) {
        meter_error(r->e, map->key_line, map->key_col, "the name is too long");
        return;
    }
    snprintf(p->name, sizeof p->name, "%s", map->key);
    p->line = map->key_line;
    p->col = map->key_col;
    read_bool(r, map, "internal", &internal);
    p->quantity = QUANTITY_INTERNAL;
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], map->key) == 0)
            p->quantity = (enum quantity)i;
    if (p->quantity == QUANTITY_INTERNAL && !internal)
        meter_error(r->e, p->line, p->col,
                    "unknown point \"%s\" (one of ours needs internal: true)%s",
                    p->name, meter_nearest(p->name, names, hint, sizeof hint));
    if (p->quantity != QUANTITY_INTERNAL)
        d->by_quantity[p->quantity] = d->n_points;
    p->n = per_phase(p->quantity) ? d->phases : 1;
    for (int i = 0; i < DEF_PHASES; i++)
        p->at[i] = p->minus[i] = p->plus[i] = DEF_NOWHERE;
    p->sum = p->sign = p->sf = DEF_NOWHERE;
    d->n_points++;
}

/* What is read in each cycle when the file does not say. */
static bool is_fast(enum def_kind kind, enum quantity q)
{
    return q <= QUANTITY_P || (q == QUANTITY_PV_P && kind == DEF_INVERTER) ||
           (q == QUANTITY_BAT_P && kind == DEF_BATTERY);
}

/* Sets the pace of the points in the list `key`. True = the list is there. */
static bool read_pace(struct reader *r, const char *key, enum pace pace)
{
    const struct tree *t = tree_get(r->root, key);

    if (!t)
        return false;
    if (t->kind != TREE_LIST) {
        meter_error(r->e, t->line, t->col, "\"%s\" must be a list of points", key);
        return true;
    }
    for (const struct tree *i = t->first; i; i = i->next) {
        int at = find_point(r, i, key);

        if (at >= 0)
            r->d->points[at].pace = pace;
    }
    return true;
}

static void read_paces(struct reader *r)
{
    struct definition *d = r->d;

    for (int i = 0; i < d->n_points; i++)
        d->points[i].pace = PACE_SLOW;
    if (!read_pace(r, "fast", PACE_FAST))
        for (int q = QUANTITY_V; q < QUANTITY_INTERNAL; q++)
            if (d->by_quantity[q] >= 0 && is_fast(d->kind, (enum quantity)q))
                d->points[d->by_quantity[q]].pace = PACE_FAST;
    read_pace(r, "static", PACE_STATIC);
}

static void read_invert(struct reader *r)
{
    const struct tree *t = tree_get(r->root, "invert");

    if (!t)
        return;
    for (const struct tree *i = t->kind == TREE_LIST ? t->first : t; i;
         i = t->kind == TREE_LIST ? i->next : NULL) {
        bool known = false;

        for (int q = QUANTITY_I; q <= QUANTITY_P; q++)
            if (i->kind == TREE_SCALAR && strcmp(i->text, quantity_name(q)) == 0)
                r->d->invert[q] = known = true;
        if (!known)
            meter_error(r->e, i->line, i->col, "\"invert\" takes i, pp and p");
    }
}

static void read_probe(struct reader *r)
{
    static const char *const keys[] = {"point", "ok", NULL};
    const struct tree *probe = read_map(r, r->root, "probe"), *t;
    struct point range = {0};
    enum quantity q;

    r->d->probe.point = DEF_NOWHERE;
    if (!probe)
        return;
    tree_only(probe, "probe", keys, r->e);
    t = tree_get(probe, "point");
    if (!t || t->kind != TREE_SCALAR ||
        !definition_value_name(t->text, &q, &r->d->probe.phase) ||
        r->d->by_quantity[q] < 0 || r->d->probe.phase >= r->d->phases) {
        t = t ? t : probe;
        meter_error(r->e, t->line, t->col,
                    "\"probe\" needs a point of this file, like v1");
        return;
    }
    r->d->probe.point = r->d->by_quantity[q];
    range.unit_exp = quantity_exponent(q);
    read_ok(r, probe, &range);
    if (!range.has_ok && !tree_get(probe, "ok"))
        meter_error(r->e, probe->line, probe->col,
                    "\"probe\" needs \"ok\": [lowest, highest]");
    r->d->probe.min = range.ok_min;
    r->d->probe.max = range.ok_max;
}

void read_points(struct reader *r)
{
    const struct tree *points = read_map(r, r->root, "points");
    int i = 0;

    for (int q = 0; q < QUANTITY_COUNT; q++)
        r->d->by_quantity[q] = DEF_NOWHERE;
    for (const struct tree *t = points ? points->first : NULL; t; t = t->next) {
        if (r->d->n_points == DEF_POINTS) {
            meter_error(r->e, t->key_line, t->key_col, "more than %d points",
                        DEF_POINTS);
            return;
        }
        if (t->kind != TREE_MAP)
            meter_error(r->e, t->line, t->col, "a point is written {at: 12, ...}");
        name_point(r, t);
    }
    for (const struct tree *t = points ? points->first : NULL; t; t = t->next)
        if (i < r->d->n_points && strcmp(r->d->points[i].name, t->key) == 0) {
            if (t->kind == TREE_MAP)
                read_point(r, t, &r->d->points[i]);
            i++;
        }
    read_paces(r);
    read_invert(r);
    read_probe(r);
}
