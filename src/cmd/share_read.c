/* SPDX-License-Identifier: Apache-2.0 */
/* A document of `chargehand share` as a problem for the kernel. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/share.h"
#include "core/event.h"

enum { MAX_CONNECTORS = 100000, MAX_CIRCUITS = INT16_MAX };

#define DWELL_S 900  /* a car that came on keeps its minimum for so long */
#define MAX_S 1e8    /* three years */
#define OFFSET_A 1e6 /* either way */

struct reader {
    const char *where;
    FILE *errors;
    int n_errors;
};

/* The thing under way: connectors[3]. */
struct item {
    struct reader *r;
    const cJSON *json;
    const char *list;
    int i;
};

__attribute__((format(printf, 3, 4))) static void
wrong(const struct item *it, const char *key, const char *text, ...)
{
    va_list args;

    fprintf(it->r->errors, "%s: ", it->r->where);
    if (it->list)
        fprintf(it->r->errors, "%s[%d]%s", it->list, it->i, key ? "." : "");
    fprintf(it->r->errors, "%s%s", key ? key : "", it->list || key ? ": " : "");
    va_start(args, text);
    vfprintf(it->r->errors, text, args);
    va_end(args);
    fputc('\n', it->r->errors);
    it->r->n_errors++;
}

static const cJSON *get(const struct item *it, const char *key)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(it->json, key);

    return cJSON_IsNull(j) ? NULL : j;
}

/* A number as thousandths; a wrong one is told and becomes `missing`. */
static int64_t thousandths(const struct item *it, const char *key, const cJSON *j,
                           double least, double most, int64_t missing)
{
    if (!j)
        return missing;
    if (cJSON_IsNumber(j) && j->valuedouble >= least && j->valuedouble <= most)
        return llround(j->valuedouble * 1000);
    wrong(it, key, "not a number from %.15g to %.15g", least, most);
    return missing;
}

static int64_t number(const struct item *it, const char *key, double least, double most,
                      int64_t missing)
{
    return thousandths(it, key, get(it, key), least, most, missing);
}

static int32_t current(const struct item *it, const char *key, int32_t missing)
{
    return (int32_t)number(it, key, 0, SITE_MAX_MA / 1000, missing);
}

static int32_t whole(const struct item *it, const char *key, int least, int most,
                     int missing)
{
    int64_t n = number(it, key, least, most, (int64_t)missing * 1000);

    if (n % 1000 != 0)
        wrong(it, key, "not a whole number");
    return (int32_t)(n / 1000);
}

/* One number for all phases, or three. */
static void per_phase(const struct item *it, const char *key, double least,
                      int32_t missing, int32_t ma[SITE_PHASES])
{
    const cJSON *j = get(it, key);
    double most = SITE_MAX_MA / 1000;

    if (cJSON_IsArray(j) && cJSON_GetArraySize(j) != SITE_PHASES) {
        wrong(it, key, "not a number or a list of three");
        j = NULL;
    }
    for (int p = 0; p < SITE_PHASES; p++) {
        const cJSON *one = cJSON_IsArray(j) ? cJSON_GetArrayItem(j, p) : j;
        int before = it->r->n_errors;

        ma[p] = (int32_t)thousandths(it, key, cJSON_IsNull(one) ? NULL : one, least,
                                     most, missing);
        if (it->r->n_errors > before)
            return;
    }
}

static const char *text(const struct item *it, const char *key, bool required)
{
    const cJSON *j = get(it, key);

    if (cJSON_IsString(j) && *j->valuestring)
        return j->valuestring;
    if (j || required)
        wrong(it, key, j ? "not a text" : "is missing");
    return NULL;
}

/* The list of that name; NULL when it is none. */
static const cJSON *list(const struct item *top, const char *key, int least, int most)
{
    const cJSON *j = get(top, key), *one;
    int i = 0;

    if (!cJSON_IsArray(j) || cJSON_GetArraySize(j) < least ||
        cJSON_GetArraySize(j) > most) {
        wrong(top, key, "not a list of %d to %d", least, most);
        return NULL;
    }
    cJSON_ArrayForEach(one, j)
    {
        struct item it = {top->r, one, key, i++};

        if (!cJSON_IsObject(one))
            wrong(&it, NULL, "not an object");
    }
    return j;
}

/* ---- circuits ---- */

static int find_circuit(const struct share_problem *p, const char *name)
{
    for (int v = 0; v < p->n_circuits; v++)
        if (p->circuits[v].name && strcmp(p->circuits[v].name, name) == 0)
            return v;
    return SITE_NONE;
}

static void read_circuit(const struct item *it, struct share_circuit *c,
                         const struct share_problem *p)
{
    const char *name = text(it, "name", true);

    if (name && find_circuit(p, name) != SITE_NONE)
        wrong(it, "name", "there is another '%s'", name);
    c->name = name;
    per_phase(it, "limit_a", 0, EVENT_NO_VALUE, c->limit_ma);
    per_phase(it, "base_a", -SITE_MAX_MA / 1000, 0, c->base_ma);
    c->power_limit_w = EVENT_NO_VALUE;
    if (get(it, "power_limit_w"))
        c->power_limit_w = (int32_t)(number(it, "power_limit_w", 0, 1e8, 0) / 1000);
}

/* Parents as indices of the document; then places, so that parents come first. */
static void place(const struct item *top, const cJSON *circuits,
                  struct share_problem *p)
{
    int *parent = p->tree.parent, placed = 0;
    struct item it = {top->r, circuits->child, "circuits", 0};

    for (; it.json; it.json = it.json->next, it.i++) {
        const char *name = text(&it, "parent", false);

        parent[it.i] = name ? find_circuit(p, name) : SITE_NONE;
        if (name && parent[it.i] == SITE_NONE)
            wrong(&it, "parent", "there is no circuit '%s'", name);
        p->circuits[it.i].at = SITE_NONE;
    }
    for (int before = -1; before != placed;) {
        before = placed;
        for (int v = 0; v < p->n_circuits; v++)
            if (p->circuits[v].at == SITE_NONE &&
                (parent[v] == SITE_NONE || p->circuits[parent[v]].at != SITE_NONE))
                p->circuits[v].at = placed++;
    }
    for (int v = 0; v < p->n_circuits; v++)
        if (p->circuits[v].at == SITE_NONE) {
            it.i = v;
            wrong(&it, "parent", "its way to the root goes in a circle");
        }
}

/* What there is to share out on each row. */
static void lay_out(const struct item *top, const cJSON *circuits,
                    struct share_problem *p)
{
    struct item it = {top->r, circuits->child, "circuits", 0};
    int *parent = calloc((size_t)p->n_circuits, sizeof *parent);

    if (!parent) {
        wrong(top, NULL, "out of memory");
        return;
    }
    memcpy(parent, p->tree.parent, (size_t)p->n_circuits * sizeof *parent);
    for (; it.json; it.json = it.json->next, it.i++) {
        const struct share_circuit *c = &p->circuits[it.i];
        int64_t *room = p->tree.room_ma[c->at], sum = 0;

        p->tree.parent[c->at] =
            parent[it.i] == SITE_NONE ? SITE_NONE : p->circuits[parent[it.i]].at;
        p->tree.unbalance_ma[c->at] = current(&it, "unbalance_a", 0);
        for (int ph = 0; ph < SITE_PHASES; ph++) {
            room[ph] = c->limit_ma[ph] == EVENT_NO_VALUE
                           ? SHARE_NO_LIMIT
                           : c->limit_ma[ph] - c->base_ma[ph];
            sum += c->base_ma[ph];
        }
        room[SHARE_POWER] = room[SHARE_SOLAR] = SHARE_NO_LIMIT;
        if (c->power_limit_w != EVENT_NO_VALUE)
            room[SHARE_POWER] =
                (int64_t)c->power_limit_w * 1000000 / p->voltage_mv - sum;
        if (p->tree.parent[c->at] == SITE_NONE) /* what is exported there */
            room[SHARE_SOLAR] = sum < 0 ? -sum : 0;
    }
    free(parent);
}

static void read_circuits(const struct item *top, struct share_problem *p,
                          const cJSON *circuits)
{
    struct item it = {top->r, circuits->child, "circuits", 0};

    for (; it.json; it.json = it.json->next, it.i++) {
        read_circuit(&it, &p->circuits[it.i], p);
        p->n_circuits++; /* so that the next one is compared with it */
    }
    place(top, circuits, p);
    if (top->r->n_errors == 0)
        lay_out(top, circuits, p);
}

/* ---- connectors ---- */

/* "231", "1", "unknown" as a mask of site phases. */
static uint8_t phases(const struct item *it)
{
    const char *t = text(it, "phases", true);
    uint8_t mask = 0;

    if (!t)
        return 7;
    if (strcmp(t, "unknown") == 0)
        return 7; /* it counts on every phase */
    for (const char *c = t; *c; c++) {
        unsigned p = (unsigned)(*c - '1');

        if (p >= SITE_PHASES || mask >> p & 1) {
            wrong(it, "phases",
                  "not the site phases on its own L1 L2 L3, like \"231\" or \"1\": "
                  "\"%s\"",
                  t);
            return 7;
        }
        mask |= (uint8_t)(1u << p);
    }
    return mask;
}

static void read_rank(const struct item *it, struct policy_car *r,
                      const struct share_car *car, int32_t voltage_mv, bool charging,
                      int64_t on_ms)
{
    bool departs = get(it, "departs_s"), energy = get(it, "energy_wh");

    *r = (struct policy_car){
        .priority = whole(it, "priority", 0, 10, 0),
        .weight = (int32_t)number(it, "weight", 0.001, 1000, 1000),
        .waited_ms = number(it, "waited_s", 0, MAX_S, 0),
        .arrived_ms = -number(it, "arrived_s", -MAX_S, 0, 0),
        .had_wh = (int32_t)(number(it, "had_wh", 0, 1e6, 0) / 1000),
        .departs_ms = departs ? number(it, "departs_s", -MAX_S, MAX_S, 0) : INT64_MAX,
        .energy_wh = energy ? (int32_t)(number(it, "energy_wh", 0, 1e6, 0) / 1000)
                            : EVENT_NO_VALUE,
        .min_ma = car->min_ma,
        .max_ma = car->max_ma,
        .n_phases = __builtin_popcount(car->phases),
        .voltage_mv = voltage_mv,
    };
    r->turns =
        charging && on_ms >= DWELL_S * 1000; /* it has had one more than others */
}

static void read_connector(const struct item *it, const struct share_problem *p,
                           int32_t step_ma, struct share_connector *c,
                           struct share_car *car)
{
    const cJSON *charging = get(it, "charging");
    const char *circuit = text(it, "circuit", true), *mode = text(it, "mode", false);
    int v = circuit ? find_circuit(p, circuit) : SITE_NONE;
    int64_t on_ms = number(it, "on_s", 0, MAX_S, 0);

    c->name = text(it, "name", true);
    if (circuit && v == SITE_NONE)
        wrong(it, "circuit", "there is no circuit '%s'", circuit);
    if (charging && !cJSON_IsBool(charging))
        wrong(it, "charging", "not true or false");
    if (mode && mode_by_name(mode) < 0)
        wrong(it, "mode", "there is no mode '%s'", mode);
    if (!get(it, "max_a"))
        wrong(it, "max_a", "is missing");
    *car = (struct share_car){
        .circuit = (int16_t)(v == SITE_NONE ? 0 : p->circuits[v].at),
        .phases = phases(it),
        .held = cJSON_IsTrue(charging) && on_ms < DWELL_S * 1000,
        .min_ma = current(it, "min_a", 0),
        .max_ma = current(it, "max_a", 0),
        .step_ma = get(it, "step_a") ? (int32_t)number(it, "step_a", 0.001, 100, 1000)
                                     : step_ma,
        .sun_ma = SHARE_NO_SUN,
    };
    if (car->min_ma > car->max_ma)
        wrong(it, "min_a", "more than max_a");
    c->mode =
        mode && mode_by_name(mode) >= 0 ? (enum mode)mode_by_name(mode) : MODE_AUTO;
    c->takes_part = c->mode != MODE_OFF;
    read_rank(it, &c->rank, car, p->voltage_mv, cJSON_IsTrue(charging), on_ms);
    car->offset_ma = number(it, "offset_a", -OFFSET_A, OFFSET_A, 0);
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* Two of one name could not be told apart in the answer. */
static void names_differ(const struct item *top, const struct share_problem *p)
{
    const char **names = calloc((size_t)p->n_connectors + 1, sizeof *names);
    int n = 0;

    for (int i = 0; names && i < p->n_connectors; i++)
        if (p->connectors[i].name)
            names[n++] = p->connectors[i].name;
    if (names)
        qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            wrong(top, "connectors", "there are two with the name '%s'", names[i]);
    free(names);
}

/* Weights are whole numbers where all of them are. */
static void scale_weights(struct share_problem *p)
{
    bool wholes = true;

    for (int i = 0; i < p->n_connectors; i++)
        wholes &= p->connectors[i].rank.weight % 1000 == 0;
    for (int i = 0; i < p->n_connectors && wholes; i++)
        p->connectors[i].rank.weight /= 1000;
}

static void read_connectors(const struct item *top, struct share_problem *p,
                            const cJSON *connectors)
{
    struct item it = {top->r, connectors->child, "connectors", 0};
    int32_t step_ma = (int32_t)number(top, "step_a", 0.001, 100, 100);

    for (; it.json; it.json = it.json->next, it.i++)
        read_connector(&it, p, step_ma, &p->connectors[it.i], &p->cars[it.i]);
    names_differ(top, p);
    scale_weights(p);
}

/* ---- the document ---- */

static struct share_problem *problem_new(int n_circuits, int n_connectors)
{
    struct share_problem *p = calloc(1, sizeof *p);
    size_t nc = (size_t)n_circuits, nn = (size_t)n_connectors;

    if (!p)
        return NULL;
    p->n_connectors = n_connectors;
    p->circuits = calloc(nc, sizeof *p->circuits);
    p->connectors = calloc(nn + 1, sizeof *p->connectors);
    p->cars = calloc(nn + 1, sizeof *p->cars);
    p->scratch = malloc(share_size(n_circuits, n_connectors));
    p->tree.n_circuits = n_circuits;
    p->tree.parent = calloc(nc, sizeof *p->tree.parent);
    p->tree.room_ma = calloc(nc, sizeof *p->tree.room_ma);
    p->tree.unbalance_ma = calloc(nc, sizeof *p->tree.unbalance_ma);
    if (p->circuits && p->connectors && p->cars && p->scratch && p->tree.parent &&
        p->tree.room_ma && p->tree.unbalance_ma)
        return p;
    share_free(p);
    return NULL;
}

void share_free(struct share_problem *p)
{
    if (!p)
        return;
    free(p->circuits);
    free(p->connectors);
    free(p->cars);
    free(p->scratch);
    free(p->tree.parent);
    free(p->tree.room_ma);
    free(p->tree.unbalance_ma);
    free(p);
}

static const struct policy *read_policy(const struct item *top)
{
    const char *name = text(top, "policy", false);
    const struct policy *found = name ? policy_by_name(name) : policies[0];
    char known[200] = "";

    for (int i = 0; !found && policies[i]; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                 policies[i]->name);
    if (!found)
        wrong(top, "policy", "there is no policy '%s'; there are:%s", name, known);
    return found;
}

struct share_problem *share_read(const cJSON *document, const char *where, FILE *errors)
{
    struct reader r = {where, errors, 0};
    struct item top = {&r, document, NULL, 0};
    struct share_problem *p = NULL;
    const cJSON *circuits, *connectors;
    const struct policy *policy;

    if (!cJSON_IsObject(document)) {
        wrong(&top, NULL, "not an object");
        return NULL;
    }
    policy = read_policy(&top);
    circuits = list(&top, "circuits", 1, MAX_CIRCUITS);
    connectors = list(&top, "connectors", 0, MAX_CONNECTORS);
    if (r.n_errors == 0) {
        p = problem_new(cJSON_GetArraySize(circuits), cJSON_GetArraySize(connectors));
        if (!p)
            wrong(&top, NULL, "out of memory");
    }
    if (p) {
        p->policy = policy;
        p->voltage_mv = (int32_t)number(&top, "voltage_v", 50, 1000, 230000);
        read_circuits(&top, p, circuits);
        read_connectors(&top, p, connectors);
    }
    if (r.n_errors == 0)
        return p;
    share_free(p);
    return NULL;
}
