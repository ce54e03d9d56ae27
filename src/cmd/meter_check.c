/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter check: is a definition sound, do its tests pass, what will it ask
 * its device for. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "io/meter_files.h"
#include "meter/plan.h"
#include "meter/vector.h"

static const char help[] =
    "usage: chargehand meter check [--json] FILE...\n\n"
    "Checks meter definitions: every error as file:line:col, then the tests in the\n"
    "file, then the requests that will be sent and how long each takes on a serial "
    "line of\n"
    "the model's speed. Exit 0 when all is well, 1 when a "
    "test\n"
    "fails or there is none, 78 when a file is not sound.\n\n"
    "  --json   as one JSON array\n";

static const char *const pace_names[] = {
    [PACE_FAST] = "each cycle",
    [PACE_SLOW] = "now and then",
    [PACE_STATIC] = "after connecting",
};

static void print_time(const struct plan *p, const struct definition *d)
{
    int ms = plan_bus_ms(p, d, PACE_FAST);
    int more_ms = plan_bus_ms(p, d, PACE_SLOW) + plan_bus_ms(p, d, PACE_STATIC);

    printf("  on a serial line %d %d%c%d: about %d ms a cycle%s", d->bus.baud,
           d->bus.data_bits, d->bus.parity, d->bus.stop_bits, ms,
           ms > 1000 ? " (slower than once a second)" : "");
    if (more_ms)
        printf(", %d ms with all the rest", ms + more_ms);
    printf("\n");
}

static void print_plan(const struct definition *d)
{
    struct plan *p = calloc(1, sizeof *p);
    const char *plus = d->is_model ? "+" : "";

    if (p && plan_make(p, d, 0)) {
        for (int i = 0; i < p->n_blocks; i++) {
            const struct block *b = &p->blocks[i];

            printf("  %-17s function %d, registers %s%d to %s%d (%d)",
                   pace_names[b->pace], b->fc, plus, b->at, plus, b->at + b->n - 1,
                   b->n);
            if (!d->is_model)
                printf(", %d ms", block_bus_ms(b, d));
            printf("\n");
        }
        if (!d->is_model)
            print_time(p, d);
    }
    free(p);
}

static void print_sunspec(const struct definition *d)
{
    printf("  looks at");
    for (int i = 0; i < d->sunspec.n_base; i++)
        printf(" %d", d->sunspec.base[i]);
    printf(" for SunSpec model");
    for (int i = 0; i < d->sunspec.n_use; i++)
        printf(" %d", d->sunspec.use[i]);
    printf(", number %d\n", d->sunspec.nth);
    for (int i = 0; i < d->n_models; i++) {
        printf("  %s:\n", d->models[i]->id);
        print_plan(d->models[i]);
    }
}

static void print_errors(const struct meter_errors *e)
{
    char text[METER_ERRORS_MAX * 240];

    fputs(meter_errors_text(e, text, sizeof text), stderr);
}

static cJSON *json_errors(const struct meter_errors *e)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < e->n && i < METER_ERRORS_MAX; i++) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddNumberToObject(o, "line", e->list[i].line);
        cJSON_AddNumberToObject(o, "col", e->list[i].col);
        cJSON_AddStringToObject(o, "text", e->list[i].text);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

static cJSON *json_plan(const struct definition *d)
{
    struct plan *p = calloc(1, sizeof *p);
    cJSON *list = cJSON_CreateArray();

    if (p && plan_make(p, d, 0))
        for (int i = 0; i < p->n_blocks; i++) {
            cJSON *o = cJSON_CreateObject();

            cJSON_AddStringToObject(o, "when", pace_names[p->blocks[i].pace]);
            cJSON_AddNumberToObject(o, "function", p->blocks[i].fc);
            cJSON_AddNumberToObject(o, "at", p->blocks[i].at);
            cJSON_AddNumberToObject(o, "registers", p->blocks[i].n);
            cJSON_AddNumberToObject(o, "serial_ms", block_bus_ms(&p->blocks[i], d));
            cJSON_AddItemToArray(list, o);
        }
    free(p);
    return list;
}

static void add_json(cJSON *all, const char *path, const struct definition *d,
                     const struct meter_errors *e, int passed)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "file", path);
    cJSON_AddBoolToObject(o, "good", e->n == 0);
    cJSON_AddItemToObject(o, "errors", json_errors(e));
    if (d) {
        cJSON_AddStringToObject(o, "model", d->id);
        cJSON_AddNumberToObject(o, "tests", d->n_vectors);
        cJSON_AddNumberToObject(o, "passed", passed);
        cJSON_AddItemToObject(o, "requests", json_plan(d));
    }
    cJSON_AddItemToArray(all, o);
}

static int check_file(const char *path, cJSON *all)
{
    struct meter_errors *e = calloc(1, sizeof *e);
    struct definition *d;
    int passed = 0, result = EXIT_GOOD;

    if (!e)
        return EXIT_IO;
    e->file = path;
    d = meter_files_load_path(path, e);
    if (d)
        passed = definition_prove(d, e);
    if (e->n)
        result = d ? EXIT_NEGATIVE : EXIT_CONFIG;
    if (all) {
        add_json(all, path, d, e, passed);
    } else {
        fflush(stdout);
        print_errors(e);
    }
    if (d && !all) {
        printf("%s: %s\n  %d of %d tests pass\n", d->id, d->name, passed, d->n_vectors);
        if (d->sunspec.used)
            print_sunspec(d);
        else
            print_plan(d);
    }
    definition_free(d);
    free(e);
    return result;
}

int meter_check(int argc, char **argv)
{
    int result = EXIT_GOOD, files = 0;
    cJSON *all = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return EXIT_GOOD;
        }
        files += argv[i][0] != '-';
        if (argv[i][0] == '-' && strcmp(argv[i], "--json") != 0)
            files = argc = 0;
    }
    if (files == 0) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    for (int i = 1; i < argc && !all; i++)
        if (strcmp(argv[i], "--json") == 0)
            all = cJSON_CreateArray();
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-') {
            int one = check_file(argv[i], all);

            result = one > result ? one : result;
        }
    if (all) {
        char *text = cJSON_Print(all);

        puts(text ? text : "[]");
        free(text);
        cJSON_Delete(all);
    }
    return result;
}
