/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a definition: what the device is, its bus, its limits, SunSpec. */
#include "meter/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter/definition_read.h"

const char *const value_type_words[] = {"u16", "i16", "u32", "i32", "u64",
                                        "i64", "f32", "f64", NULL};
const char *const word_order_words[] = {"be", "ws", "bs", "le", NULL};
const char *const na_words[] = {"none", "sunspec", "abb", "sma", NULL};
static const char *const kinds[] = {"meter", "hybrid", "inverter", "battery", NULL};

static const char *const quantity_names[QUANTITY_COUNT] = {
    [QUANTITY_V] = "v",
    [QUANTITY_I] = "i",
    [QUANTITY_PP] = "pp",
    [QUANTITY_P] = "p",
    [QUANTITY_HZ] = "hz",
    [QUANTITY_E_IMP] = "e_imp",
    [QUANTITY_E_EXP] = "e_exp",
    [QUANTITY_PV_P] = "pv_p",
    [QUANTITY_BAT_P] = "bat_p",
    [QUANTITY_SOC] = "soc",
    [QUANTITY_INTERNAL] = "internal",
};

const char *def_kind_name(enum def_kind k)
{
    return kinds[k];
}

const char *quantity_name(enum quantity q)
{
    return quantity_names[q];
}

const char *value_type_name(enum value_type t)
{
    return value_type_words[t];
}

int value_type_width(enum value_type t)
{
    static const int width[TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 2, 4};

    return width[t];
}

bool definition_value_name(const char *name, enum quantity *q, int *phase)
{
    size_t n = strlen(name);
    int p = n > 1 && name[n - 1] >= '1' && name[n - 1] <= '3' ? name[n - 1] - '1' : -1;

    *phase = p < 0 ? 0 : p;
    if (p >= 0 && n == 2 && name[0] == 'p') {
        *q = QUANTITY_PP;
        return true;
    }
    for (int i = 0; i < QUANTITY_INTERNAL; i++) {
        bool per_phase = i == QUANTITY_V || i == QUANTITY_I || i == QUANTITY_PP;
        size_t m = p < 0 ? n : n - 1;

        *q = (enum quantity)i;
        if (per_phase == (p >= 0) && strlen(quantity_names[i]) == m &&
            memcmp(quantity_names[i], name, m) == 0)
            return true;
    }
    return false;
}

/* "9600 8N1" */
static void read_serial(struct reader *r, const struct tree *bus)
{
    char text[32], parity;
    int baud, data, stop, end = 0;

    if (!read_text(r, bus, "serial", text, sizeof text))
        return;
    if (sscanf(text, "%d %1d%c%1d%n", &baud, &data, &parity, &stop, &end) != 4 ||
        text[end] || baud < 300 || baud > 1000000 || data < 7 || data > 8 ||
        !strchr("NEO", parity) || stop < 1 || stop > 2) {
        const struct tree *t = tree_get(bus, "serial");

        meter_error(r->e, t->line, t->col, "\"serial\" must be like: 9600 8N1");
        return;
    }
    r->d->bus.baud = baud;
    r->d->bus.data_bits = data;
    r->d->bus.parity = parity;
    r->d->bus.stop_bits = stop;
    r->d->bus.has_serial = true;
}

static void read_via(struct reader *r, const struct tree *bus)
{
    static const char *const words[] = {"tcp", "rtu", "rtutcp", NULL};
    const struct tree *t = tree_get(bus, "via");
    bool *const ways[] = {&r->d->bus.tcp, &r->d->bus.rtu, &r->d->bus.rtutcp};

    if (!t)
        return;
    for (const struct tree *i = t->kind == TREE_LIST ? t->first : t; i;
         i = t->kind == TREE_LIST ? i->next : NULL) {
        bool known = false;

        for (int w = 0; words[w] && i->kind == TREE_SCALAR; w++)
            if (strcmp(words[w], i->text) == 0)
                *ways[w] = known = true;
        if (!known)
            meter_error(r->e, i->line, i->col, "\"via\" takes tcp, rtu and rtutcp");
    }
}

static void read_bus(struct reader *r)
{
    static const char *const keys[] = {"via",      "unit",       "serial",
                                       "port",     "gap_ms",     "timeout_ms",
                                       "max_conn", "connect_ms", NULL};
    const struct tree *bus = read_map(r, r->root, "bus"), *t;
    struct definition *d = r->d;

    d->bus.unit = DEF_NOWHERE;
    d->bus.port = 502;
    d->bus.baud = 9600;
    d->bus.data_bits = 8;
    d->bus.parity = 'N';
    d->bus.stop_bits = 1;
    d->bus.gap_ms = 50;
    d->bus.timeout_ms = 1000;
    if (!bus)
        return;
    tree_only(bus, "bus", keys, r->e);
    read_via(r, bus);
    read_serial(r, bus);
    if (read_int(r, bus, "unit", 0, 255, &d->bus.unit) && d->bus.unit > 247 &&
        d->bus.unit < 255) {
        t = tree_get(bus, "unit");
        meter_error(r->e, t->line, t->col, "\"unit\" must be from 0 to 247, or 255");
    }
    read_int(r, bus, "port", 1, 65535, &d->bus.port);
    read_int(r, bus, "gap_ms", 0, 5000, &d->bus.gap_ms);
    read_int(r, bus, "timeout_ms", 50, 30000, &d->bus.timeout_ms);
    read_int(r, bus, "connect_ms", 0, 30000, &d->bus.connect_ms);
    read_int(r, bus, "max_conn", 1, 100, &d->bus.max_conn);
}

static void read_limits(struct reader *r)
{
    static const char *const keys[] = {"max_regs", "max_gap", "direction", NULL};
    static const char *const directions[] = {"power", "current", "none", NULL};
    const struct tree *limits = read_map(r, r->root, "limits");
    int word;

    r->d->max_regs = r->d->is_model ? 125 : 16;
    r->d->max_gap = r->d->is_model ? 125 : 0;
    if (!limits)
        return;
    tree_only(limits, "limits", keys, r->e);
    read_int(r, limits, "max_regs", 1, 125, &r->d->max_regs);
    read_int(r, limits, "max_gap", 0, 125, &r->d->max_gap);
    if (read_word(r, limits, "direction", directions, &word))
        r->d->direction = (enum direction)word;
}

static void read_defaults(struct reader *r)
{
    static const char *const keys[] = {"fc", "type", "order", "na", NULL};
    const struct tree *defaults = read_map(r, r->root, "defaults");
    int word;

    r->defaults.fc = 3;
    r->defaults.type = TYPE_U16;
    r->defaults.order = WORDS_BE;
    if (!defaults)
        return;
    tree_only(defaults, "defaults", keys, r->e);
    read_int(r, defaults, "fc", 3, 4, &r->defaults.fc);
    if (read_word(r, defaults, "type", value_type_words, &word))
        r->defaults.type = (enum value_type)word;
    if (read_word(r, defaults, "order", word_order_words, &word))
        r->defaults.order = (enum word_order)word;
    read_na(r, defaults, &r->defaults.na);
}

/* Numbers of SunSpec models. */
static int read_ids(struct reader *r, const struct tree *map, const char *key, int *out)
{
    int n = read_ints(r, map, key, 1, 65534, out, DEF_IDS);
    const struct tree *t = tree_get(map, key);

    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            if (out[i] == out[k])
                meter_error(r->e, t->line, t->col, "\"%s\" has %d twice", key, out[i]);
    return n;
}

static void read_sunspec(struct reader *r)
{
    static const char *const keys[] = {"base", "use", "nth", "len", "match", NULL};
    static const char *const match_keys[] = {"Mn", NULL};
    static const int bases[] = {40000, 0, 50000}; /* in the order of the standard */
    const struct tree *s = read_map(r, r->root, "sunspec"), *match, *use;
    struct definition *d = r->d;

    if (!s)
        return;
    tree_only(s, "sunspec", keys, r->e);
    d->sunspec.used = true;
    memcpy(d->sunspec.base, bases, sizeof bases);
    d->sunspec.n_base = 3;
    if (tree_get(s, "base"))
        d->sunspec.n_base =
            read_ints(r, s, "base", 0, 65535, d->sunspec.base, DEF_BASES);
    d->sunspec.n_use = read_ids(r, s, "use", d->sunspec.use);
    use = tree_get(s, "use");
    d->sunspec.line = use ? use->line : s->line;
    d->sunspec.col = use ? use->col : s->col;
    if (!use)
        meter_error(r->e, s->key_line, s->key_col,
                    "\"sunspec\" needs \"use\": the numbers of the models to look for");
    d->sunspec.nth = 1;
    read_int(r, s, "nth", 1, 30, &d->sunspec.nth);
    read_int(r, s, "len", 1, 1000, &d->model.len);
    match = read_map(r, s, "match");
    if (match) {
        tree_only(match, "match", match_keys, r->e);
        read_text(r, match, "Mn", d->sunspec.mn, sizeof d->sunspec.mn);
    }
}

static void read_model(struct reader *r)
{
    static const char *const keys[] = {"ids", "len", NULL};
    const struct tree *m = read_map(r, r->root, "sunspec_model");

    if (!m)
        return;
    tree_only(m, "sunspec_model", keys, r->e);
    r->d->is_model = true;
    r->d->model.n_ids = read_ids(r, m, "ids", r->d->model.ids);
    if (!tree_get(m, "ids"))
        meter_error(r->e, m->key_line, m->key_col, "\"sunspec_model\" needs \"ids\"");
    if (!read_int(r, m, "len", 1, 1000, &r->d->model.len) && !tree_get(m, "len"))
        meter_error(r->e, m->key_line, m->key_col, "\"sunspec_model\" needs \"len\"");
}

static void read_id(struct reader *r, const char *wanted)
{
    const struct tree *t = tree_get(r->root, "id");

    if (!t)
        meter_error(r->e, 1, 1,
                    "\"id\" is missing: the name of the file without .yaml");
    else if (!read_text(r, r->root, "id", r->d->id, sizeof r->d->id))
        return;
    else if (strspn(r->d->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-_.") != strlen(r->d->id))
        meter_error(r->e, t->line, t->col,
                    "\"id\" is made of letters, digits, - _ and .");
    else if (wanted && strcmp(wanted, r->d->id) != 0)
        meter_error(r->e, t->line, t->col,
                    "\"id\" must be \"%s\", as the file is named", wanted);
}

static void read_head(struct reader *r, const char *wanted)
{
    static const char *const keys[] = {"format", "id",       "name",   "kind",
                                       "phases", "bus",      "limits", "fast",
                                       "static", "defaults", "points", "probe",
                                       "invert", "sunspec",  "test",   "sunspec_model",
                                       "notes",  "sources",  "status", NULL};
    static const char *const states[] = {"untested", NULL};
    const struct tree *t;
    int format, kind, state;

    tree_only(r->root, "the file", keys, r->e);
    if (!tree_get(r->root, "format"))
        meter_error(r->e, 1, 1, "\"format\" is missing: this version knows format: 1");
    read_int(r, r->root, "format", 1, 1, &format);
    read_id(r, wanted);
    if (!tree_get(r->root, "name"))
        meter_error(r->e, 1, 1, "\"name\" is missing: maker and models");
    read_text(r, r->root, "name", r->d->name, sizeof r->d->name);
    if (read_word(r, r->root, "kind", kinds, &kind))
        r->d->kind = (enum def_kind)kind;
    else if (!tree_get(r->root, "kind"))
        meter_error(r->e, 1, 1,
                    "\"kind\" is missing: meter, hybrid, inverter or battery");
    r->d->untested = read_word(r, r->root, "status", states, &state);
    r->d->phases = DEF_PHASES;
    read_int(r, r->root, "phases", 1, DEF_PHASES, &r->d->phases);
    t = tree_get(r->root, "sources");
    if (t && t->kind != TREE_LIST)
        meter_error(r->e, t->line, t->col, "\"sources\" must be a list of texts");
}

/* A SunSpec device with points of its own: they become its only model. */
static void split_layout(struct definition *d, struct meter_errors *e)
{
    struct definition *model = calloc(1, sizeof *model);

    if (!model) {
        meter_error(e, 1, 1, "out of memory");
        return;
    }
    *model = *d;
    model->is_model = true;
    memset(&model->sunspec, 0, sizeof model->sunspec);
    model->vectors = NULL;
    model->n_vectors = 0;
    model->model.n_ids = d->sunspec.n_use;
    memcpy(model->model.ids, d->sunspec.use, sizeof model->model.ids);
    definition_add_model(d, model);
    d->points = NULL; /* they are the model's now */
    d->n_points = 0;
    d->probe.point = DEF_NOWHERE;
    for (int q = 0; q < QUANTITY_COUNT; q++)
        d->by_quantity[q] = DEF_NOWHERE;
}

static struct definition *new_definition(void)
{
    struct definition *d = calloc(1, sizeof *d);

    if (d)
        d->points = calloc(DEF_POINTS, sizeof *d->points);
    if (d && d->points)
        return d;
    free(d);
    return NULL;
}

/* Most have few points, and there may be many meters. */
static void shrink_points(struct definition *d)
{
    size_t n = d->n_points > 0 ? (size_t)d->n_points : 1;
    struct point *points = d->points ? realloc(d->points, n * sizeof *points) : NULL;

    if (points)
        d->points = points;
}

struct definition *definition_parse(const char *text, size_t length, const char *id,
                                    struct meter_errors *e)
{
    struct tree *tree = tree_parse(text, length, e);
    struct reader r = {.e = e};

    if (!tree)
        return NULL;
    r.root = tree->first;
    r.d = new_definition();
    if (!r.d) {
        meter_error(e, 1, 1, "out of memory");
    } else if (r.root->kind != TREE_MAP) {
        meter_error(e, r.root->line, r.root->col, "the file must be key: value lines");
    } else {
        read_head(&r, id);
        read_model(&r);
        read_sunspec(&r);
        read_bus(&r);
        read_limits(&r);
        read_defaults(&r);
        read_points(&r);
        read_vectors(&r);
        shrink_points(r.d);
        if (e->n == 0)
            check_definition(&r);
        if (e->n == 0 && r.d->sunspec.used && r.d->n_points)
            split_layout(r.d, e);
    }
    tree_free(tree);
    if (e->n == 0)
        return r.d;
    definition_free(r.d);
    return NULL;
}

void definition_free(struct definition *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->n_models; i++)
        definition_free(d->models[i]);
    for (int i = 0; i < d->n_vectors; i++) {
        free(d->vectors[i].words);
        free(d->vectors[i].wants);
    }
    free(d->vectors);
    free(d->points);
    free(d);
}

void definition_solar_side(struct definition *d)
{
    int pv = d->by_quantity[QUANTITY_PV_P];

    d->kind = DEF_INVERTER;
    for (int q = 0; q < QUANTITY_INTERNAL; q++)
        if (q != QUANTITY_PV_P)
            d->by_quantity[q] = DEF_NOWHERE;
    for (int i = 0; i < d->n_points; i++)
        if (i == pv)
            d->points[i].pace = PACE_FAST;
        else if (d->points[i].quantity != QUANTITY_INTERNAL)
            d->points[i].n = 0;
}

bool definition_add_model(struct definition *d, struct definition *model)
{
    if (d->n_models == DEF_IDS) {
        definition_free(model);
        return false;
    }
    d->models[d->n_models++] = model;
    return true;
}

const struct definition *definition_model(const struct definition *d, int id)
{
    for (int i = 0; i < d->n_models; i++)
        for (int k = 0; k < d->models[i]->model.n_ids; k++)
            if (d->models[i]->model.ids[k] == id)
                return d->models[i];
    return NULL;
}
