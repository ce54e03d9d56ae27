/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter: works on meters without a site file. */
#include "cmd/meter.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "io/meter_files.h"

static volatile sig_atomic_t signalled;
static struct modbus_line *signal_line;

static const struct command subcommands[] = {
    {"list", "the meter models that are known", meter_list},
    {"read", "reads one meter", meter_read},
    {"p1", "listens to the P1 port of a smart meter", meter_p1},
    {"scan", "looks for meters on a line", meter_scan},
    {"trace", "shows every frame of a reading", meter_trace},
    {"check", "checks definition files and runs their tests", meter_check},
    {"simulate", "answers on a Modbus line as a meter would", meter_simulate},
    {NULL, NULL, NULL},
};

static void usage(FILE *to)
{
    fprintf(to, "usage: chargehand meter COMMAND [...]\n\n");
    for (const struct command *c = subcommands; c->name; c++)
        fprintf(to, "  %-10s %s\n", c->name, c->help);
    fprintf(to, "\n  chargehand meter COMMAND --help   tells its options\n");
}

int cmd_meter(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return EXIT_GOOD;
    }
    for (const struct command *c = subcommands; argc > 1 && c->name; c++)
        if (strcmp(argv[1], c->name) == 0)
            return c->run(argc - 1, argv + 1);
    if (argc > 1)
        fprintf(stderr, "chargehand meter: there is no command '%s'\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE;
}

/* modbus_line_stop() only writes to descriptors: good in a signal handler. */
static void on_signal(int number)
{
    (void)number;
    signalled = 1;
    if (signal_line)
        modbus_line_stop(signal_line);
}

void meter_until_signal(struct modbus_line *l)
{
    struct sigaction a = {.sa_handler = on_signal};

    signal_line = l;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool meter_signalled(void)
{
    return signalled != 0;
}

/* ---- list ---- */

static const char list_help[] =
    "usage: chargehand meter list [--json] [WORD...]\n\n"
    "Lists the meter models that are known, or those that have all the WORDs in their\n"
    "name, kind or ways to connect. A site file names them as `model:`. Looked for in "
    "the\n"
    "directories of $CHARGEHAND_METERS (separated by colons), then in\n" SYSCONF_DIR
    "/meters (your own), then in " METERS_DIR "\n(those shipped). Exit 1 when there is "
    "none.\n\n"
    "  --json   as one JSON array\n";

static void list_json(cJSON *all, const struct definition *d, const char *path)
{
    cJSON *o = cJSON_CreateObject(), *via = cJSON_CreateArray();

    cJSON_AddStringToObject(o, "model", d->id);
    cJSON_AddStringToObject(o, "name", d->name);
    cJSON_AddStringToObject(o, "kind", def_kind_name(d->kind));
    cJSON_AddBoolToObject(o, "untested", d->untested);
    cJSON_AddNumberToObject(o, "phases", d->phases);
    if (d->bus.tcp)
        cJSON_AddItemToArray(via, cJSON_CreateString("tcp"));
    if (d->bus.rtu)
        cJSON_AddItemToArray(via, cJSON_CreateString("rtu"));
    if (d->bus.rtutcp)
        cJSON_AddItemToArray(via, cJSON_CreateString("rtutcp"));
    cJSON_AddItemToObject(o, "via", via);
    if (d->bus.unit >= 0)
        cJSON_AddNumberToObject(o, "unit", d->bus.unit);
    cJSON_AddBoolToObject(o, "sunspec", d->sunspec.used);
    cJSON_AddStringToObject(o, "path", path);
    cJSON_AddItemToArray(all, o);
}

static const char *list_via(const struct definition *d)
{
    return d->bus.tcp ? d->bus.rtu ? "tcp, serial" : "tcp" : "serial, gateway";
}

static void list_line(const struct definition *d)
{
    printf("%-22s %-8s %-16s %s%s\n", d->id, def_kind_name(d->kind), list_via(d),
           d->name, d->untested ? " (untested)" : "");
}

static bool list_matches(const struct definition *d, char *const *words, int n)
{
    char text[256];

    snprintf(text, sizeof text, "%s %s %s %s %s", d->id, d->name,
             def_kind_name(d->kind), list_via(d), d->sunspec.used ? "SunSpec" : "");
    for (int i = 0; i < n; i++)
        if (!strcasestr(text, words[i]))
            return false;
    return true;
}

/* Lists all that match. What is unsound in files is told. */
static int list_all(char *const *words, int n_words, cJSON *all)
{
    struct meter_file *files;
    int n = meter_files_list(&files), found = 0, result = EXIT_GOOD;

    for (int i = 0; i < n; i++) {
        char err[2000] = "";
        struct definition *d = meter_files_load(files[i].name, err, sizeof err);

        if (!d) {
            fputs(err, stderr);
            result = EXIT_CONFIG;
        } else if (list_matches(d, words, n_words)) {
            found++;
            if (all)
                list_json(all, d, files[i].path);
            else
                list_line(d);
        }
        definition_free(d);
    }
    free(files);
    if (found == 0 && !all)
        fprintf(stderr, "chargehand meter: there is no such model, but many are sold "
                        "under several names: chargehand meter scan\n");
    return result == EXIT_GOOD && found == 0 ? EXIT_NEGATIVE : result;
}

int meter_list(int argc, char **argv)
{
    cJSON *all = NULL;
    int first = 1, result;
    char *text;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(list_help, stdout);
        return EXIT_GOOD;
    }
    if (argc > 1 && strcmp(argv[1], "--json") == 0) {
        all = cJSON_CreateArray();
        first = 2;
    }
    for (int i = first; i < argc; i++)
        if (argv[i][0] == '-') {
            fputs(list_help, stderr);
            cJSON_Delete(all);
            return EXIT_USAGE;
        }
    result = list_all(argv + first, argc - first, all);
    if (all) {
        text = cJSON_Print(all);
        puts(text ? text : "[]");
        free(text);
    }
    cJSON_Delete(all);
    return result;
}
