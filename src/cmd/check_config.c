/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand check-config: every error of site files, then what their circuits carry
 * when the controller is gone. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/safety.h"
#include "io/meter_files.h"
#include "policy.h"

static const char usage_text[] =
    "usage: chargehand check-config [OPTION...] SITE.yaml...\n"
    "\n"
    "Checks site files: tells every error as file:line:col: message, or what each\n"
    "circuit carries and whether it is safe when the controller is gone.\n"
    "\n"
    "  --json            the result as one JSON document\n"
    "  --set KEY=VALUE   checks with this override, like site.policy=equal\n"
    "  --keys            prints all keys with their ranges and defaults instead\n"
    "  --help            prints this\n"
    "\n"
    "Exit: 0 all files are good, 78 one is not, 64 wrong usage.\n";

struct options {
    bool json, keys, man;
    const char *set[32];
    int n_set;
};

static const char *amps(int64_t ma, char out[24])
{
    conf_amount(CONF_T_AMPS, ma, out, 24);
    out[strcspn(out, " ")] = '\0';
    return out;
}

/* "63 A" or "63, 63, 50 A" */
static void print_phases(const int32_t ma[SITE_PHASES])
{
    char a[24], b[24], c[24];

    if (ma[0] == ma[1] && ma[1] == ma[2])
        printf("%s A", amps(ma[0], a));
    else
        printf("%s, %s, %s A", amps(ma[0], a), amps(ma[1], b), amps(ma[2], c));
}

static void print_sum(const char *what, const int64_t ma[SITE_PHASES], const char *end)
{
    char a[24], b[24], c[24];

    printf("    %-28s L1 %6s  L2 %6s  L3 %6s A%s\n", what, amps(ma[0], a),
           amps(ma[1], b), amps(ma[2], c), end);
}

static void print_circuit(const struct config *c, int i, const struct conf_safety *x)
{
    const struct site_circuit *s = &c->site.circuits[i];
    int64_t total[SITE_PHASES];
    char a[24];

    printf("  %s: limit ", s->name);
    print_phases(s->limit_ma);
    if (s->margin_ma)
        printf(", margin %s A", amps(s->margin_ma, a));
    if (s->power_limit_w)
        printf(", %d W", s->power_limit_w);
    if (s->unbalance_ma)
        printf(", unbalance %s A", amps(s->unbalance_ma, a));
    if (s->meter != SITE_NONE)
        printf(", meter %s", c->site.meters[s->meter].name);
    if (s->parent != SITE_NONE)
        printf(", fed by %s", c->site.circuits[s->parent].name);
    printf("; %d connector%s\n", x->n_connectors, x->n_connectors == 1 ? "" : "s");
    for (int p = 0; p < SITE_PHASES; p++)
        total[p] = x->base_ma[p] + x->fallback_ma[p];
    print_sum("chargers at their maximum", x->max_ma, "");
    print_sum("base load, meters lost", x->base_ma, "");
    print_sum("fallbacks", x->fallback_ma, "");
    print_sum("without the controller", total,
              x->phase == SITE_NONE && x->power_fits ? ": safe" : ": NOT SAFE");
}

/* Why it is not safe: one line for each circuit that is overloaded. */
static void print_overloads(const struct config *c, const struct conf_safety *x)
{
    for (int i = 0; i < c->site.n_circuits; i++) {
        const struct site_circuit *s = &c->site.circuits[i];
        int p = x[i].phase;
        char base[24], fallback[24], total[24], limit[24];

        if (p != SITE_NONE)
            printf("NOT SAFE when the controller is gone: circuit %s, phase L%d: base "
                   "load %s A + fallbacks %s A = %s A, limit %s A%s\n",
                   s->name, p + 1, amps(x[i].base_ma[p], base),
                   amps(x[i].fallback_ma[p], fallback),
                   amps(x[i].base_ma[p] + x[i].fallback_ma[p], total),
                   amps(s->limit_ma[p], limit),
                   x[i].base_is_full
                       ? " (it is metered and has no base_load of its own, so without "
                         "its meter it counts as full)"
                       : "");
        if (!x[i].power_fits)
            printf("NOT SAFE when the controller is gone: circuit %s: base load and "
                   "fallbacks %lld W, limit %d W\n",
                   s->name, (long long)x[i].power_w, s->power_limit_w);
    }
}

static void print_summary(const struct config *c)
{
    const struct site *s = &c->site;
    struct conf_safety *x = calloc((size_t)s->n_circuits, sizeof *x);

    if (!x)
        return;
    bool safe = conf_safety(s, x);
    printf(
        "%s: %s: %d circuit%s, %d meter%s, %d charger%s, %d connector%s, policy %s\n",
        c->path, s->name, s->n_circuits, s->n_circuits == 1 ? "" : "s", s->n_meters,
        s->n_meters == 1 ? "" : "s", s->n_chargers, s->n_chargers == 1 ? "" : "s",
        s->n_connectors, s->n_connectors == 1 ? "" : "s", s->policy->name);
    for (int i = 0; i < s->n_circuits; i++)
        print_circuit(c, i, &x[i]);
    print_overloads(c, x);
    if (safe)
        printf("SAFE when the controller is gone: base load and fallbacks fit on every "
               "circuit and phase, once each charger has confirmed its fallback.\n");
    free(x);
}

/* ---- JSON */

static cJSON *json_amps(const int64_t ma[SITE_PHASES])
{
    cJSON *a = cJSON_CreateArray();

    for (int p = 0; p < SITE_PHASES; p++)
        cJSON_AddItemToArray(a, cJSON_CreateNumber((double)ma[p] / 1000));
    return a;
}

static cJSON *json_circuit(const struct config *c, int i, const struct conf_safety *x)
{
    const struct site_circuit *s = &c->site.circuits[i];
    int64_t limit[SITE_PHASES];
    cJSON *o = cJSON_CreateObject();

    for (int p = 0; p < SITE_PHASES; p++)
        limit[p] = s->limit_ma[p];
    cJSON_AddStringToObject(o, "name", s->name);
    if (s->parent != SITE_NONE)
        cJSON_AddStringToObject(o, "parent", c->site.circuits[s->parent].name);
    else
        cJSON_AddNullToObject(o, "parent");
    cJSON_AddItemToObject(o, "limit_a", json_amps(limit));
    cJSON_AddNumberToObject(o, "margin_a", s->margin_ma / 1000.0);
    if (s->power_limit_w)
        cJSON_AddNumberToObject(o, "power_limit_w", s->power_limit_w);
    else
        cJSON_AddNullToObject(o, "power_limit_w");
    if (s->meter != SITE_NONE)
        cJSON_AddStringToObject(o, "meter", c->site.meters[s->meter].name);
    else
        cJSON_AddNullToObject(o, "meter");
    cJSON_AddNumberToObject(o, "connectors", x->n_connectors);
    cJSON_AddItemToObject(o, "max_a", json_amps(x->max_ma));
    cJSON_AddItemToObject(o, "base_load_a", json_amps(x->base_ma));
    cJSON_AddItemToObject(o, "fallback_a", json_amps(x->fallback_ma));
    cJSON_AddBoolToObject(o, "safe", x->phase == SITE_NONE && x->power_fits);
    if (x->phase != SITE_NONE)
        cJSON_AddNumberToObject(o, "overloaded_phase", x->phase + 1);
    else
        cJSON_AddNullToObject(o, "overloaded_phase");
    return o;
}

static void json_site(cJSON *file, const struct config *c)
{
    const struct site *s = &c->site;
    struct conf_safety *x = calloc((size_t)s->n_circuits, sizeof *x);
    cJSON *circuits = cJSON_AddArrayToObject(file, "circuits");

    if (!x)
        return;
    bool safe = conf_safety(s, x);
    for (int i = 0; i < s->n_circuits; i++)
        cJSON_AddItemToArray(circuits, json_circuit(c, i, &x[i]));
    cJSON_AddStringToObject(file, "site", s->name);
    cJSON_AddStringToObject(file, "site_id", c->site_id);
    cJSON_AddStringToObject(file, "hash", c->hash);
    cJSON_AddStringToObject(file, "policy", s->policy->name);
    cJSON_AddNumberToObject(file, "meters", s->n_meters);
    cJSON_AddNumberToObject(file, "chargers", s->n_chargers);
    cJSON_AddNumberToObject(file, "connectors", s->n_connectors);
    cJSON_AddBoolToObject(file, "safe", safe);
    free(x);
}

static cJSON *json_file(const char *path, const struct config *c,
                        const struct conf_errors *errors)
{
    cJSON *file = cJSON_CreateObject(), *list;

    cJSON_AddStringToObject(file, "file", path);
    cJSON_AddBoolToObject(file, "ok", c != NULL);
    list = cJSON_AddArrayToObject(file, "messages");
    for (int i = 0; i < errors->n; i++) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddStringToObject(o, "file", errors->list[i].file);
        cJSON_AddNumberToObject(o, "line", errors->list[i].line);
        cJSON_AddNumberToObject(o, "col", errors->list[i].col);
        cJSON_AddBoolToObject(o, "warning", errors->list[i].warning);
        cJSON_AddStringToObject(o, "text", errors->list[i].text);
        cJSON_AddItemToArray(list, o);
    }
    if (c)
        json_site(file, c);
    return file;
}

/* ---- the command */

static bool check(const char *path, const struct options *o, cJSON *files)
{
    struct conf_errors errors = {0};
    struct config *c = config_load_checked(path, o->set, meter_files_fit, &errors);
    bool good = c != NULL;

    if (files) {
        cJSON_AddItemToArray(files, json_file(path, c, &errors));
    } else {
        conf_errors_print(&errors, stderr);
        fflush(stderr);
        if (c)
            print_summary(c);
    }
    config_free(c);
    conf_errors_free(&errors);
    return good;
}

static int check_files(char **paths, const struct options *o)
{
    cJSON *top = o->json ? cJSON_CreateObject() : NULL;
    cJSON *files = top ? cJSON_AddArrayToObject(top, "files") : NULL;
    bool good = true;

    for (; *paths; paths++)
        good &= check(*paths, o, files);
    if (top) {
        char *text = cJSON_Print(top);
        printf("%s\n", text ? text : "{}");
        cJSON_free(text);
        cJSON_Delete(top);
    }
    return good ? EXIT_GOOD : EXIT_CONFIG;
}

static int print_keys(const struct options *o)
{
    if (o->man)
        conf_keys_print_man(stdout);
    else if (o->json)
        conf_keys_print_json(stdout);
    else
        conf_keys_print(stdout);
    return EXIT_GOOD;
}

int cmd_check_config(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, {"keys", no_argument, NULL, 'k'},
        {"man", no_argument, NULL, 'm'},  {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct options o = {0};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage_text, stdout);
            return EXIT_GOOD;
        }
        if (c == 's' && o.n_set < 31)
            o.set[o.n_set++] = optarg;
        else if (c == '?' || c == 's')
            break;
        o.json |= c == 'j';
        o.keys |= c == 'k';
        o.man |= c == 'm';
    }
    if (c == -1 && o.keys)
        return print_keys(&o);
    if (c == -1 && optind < argc)
        return check_files(argv + optind, &o);
    fputs(usage_text, stderr);
    return EXIT_USAGE;
}
