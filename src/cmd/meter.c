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
    {"scan", "looks for meters on a line", meter_scan},
    {"trace", "shows every frame of a reading", meter_trace},
    {"check", "checks definition files and runs their tests", meter_check},
    {"simulate", "answers on Modbus TCP as a meter would", meter_simulate},
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
    "usage: chargehand meter list [--json] [WORD]\n\n"
    "Lists the meter models that are known, or those with WORD in their name. A site\n"
    "file names them as `model:`. Looked for in the directories of $CHARGEHAND_METERS\n"
    "(separated by colons), then in " SYSCONF_DIR
    "/meters (your own), then in\n" METERS_DIR " (those shipped).\n\n"
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

static void list_line(const struct definition *d)
{
    printf("%-22s %-8s %-16s %s%s\n", d->id, def_kind_name(d->kind),
           d->bus.tcp ? d->bus.rtu ? "tcp, serial" : "tcp" : "serial, gateway", d->name,
           d->untested ? " (untested)" : "");
}

int meter_list(int argc, char **argv)
{
    struct meter_file *files;
    const char *word = "";
    cJSON *all = NULL;
    int n, result = EXIT_GOOD;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(list_help, stdout);
            cJSON_Delete(all);
            return EXIT_GOOD;
        }
        if (strcmp(argv[i], "--json") == 0 && !all) {
            all = cJSON_CreateArray();
        } else if (argv[i][0] != '-' && !*word) {
            word = argv[i];
        } else {
            fputs(list_help, stderr);
            cJSON_Delete(all);
            return EXIT_USAGE;
        }
    }
    n = meter_files_list(&files);
    for (int i = 0; i < n; i++) {
        char err[2000] = "";
        struct definition *d = meter_files_load(files[i].name, err, sizeof err);

        if (!d) {
            fputs(err, stderr);
            result = EXIT_CONFIG;
        } else if (strcasestr(d->id, word) || strcasestr(d->name, word)) {
            if (all)
                list_json(all, d, files[i].path);
            else
                list_line(d);
        }
        definition_free(d);
    }
    if (all) {
        char *text = cJSON_Print(all);

        puts(text ? text : "[]");
        free(text);
    }
    cJSON_Delete(all);
    free(files);
    return result;
}
