/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand check-config: every error of site files, then their safety statements. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/safety_show.h"
#include "config/keys.h"
#include "io/meter_files.h"

static const char usage_text[] =
    "usage: chargehand check-config [OPTION...] SITE.yaml...\n"
    "\n"
    "Checks site files: tells every error as file:line:col: message, or what each\n"
    "circuit carries when the controller, the network or a meter is lost, and how\n"
    "long it takes until then: SAFE, or what is too much and what would mend it.\n"
    "\n"
    "  --json            the result as one JSON document\n"
    "  --set KEY=VALUE   checks with this override, like site.policy=equal\n"
    "  --keys            prints all keys with their ranges and defaults instead\n"
    "  --strict          a good file that is not SAFE is a failure, too\n"
    "  --help            prints this\n"
    "\n"
    "Exit: 0 all files are good, 78 one is not, 1 one is not SAFE (--strict), 64 "
    "wrong\n"
    "usage.\n";

struct options {
    bool json, keys, man, strict;
    const char *set[32];
    int n_set;
};

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
        safety_json(file, c);
    return file;
}

/* ---- the command */

static int check(const char *path, const struct options *o, cJSON *files)
{
    struct conf_errors errors = {0};
    struct config *c = config_load_checked(path, o->set, meter_files_fit, &errors);
    int code = !c                              ? EXIT_CONFIG
               : o->strict && !safety_holds(c) ? EXIT_NEGATIVE
                                               : EXIT_GOOD;

    if (files) {
        cJSON_AddItemToArray(files, json_file(path, c, &errors));
    } else {
        conf_errors_print(&errors, stderr);
        fflush(stderr);
        if (c)
            safety_print(c);
    }
    config_free(c);
    conf_errors_free(&errors);
    return code;
}

static int check_files(char **paths, const struct options *o)
{
    cJSON *top = o->json ? cJSON_CreateObject() : NULL;
    cJSON *files = top ? cJSON_AddArrayToObject(top, "files") : NULL;
    int worst = EXIT_GOOD;

    for (; *paths; paths++) {
        int code = check(*paths, o, files);

        worst = code > worst ? code : worst;
    }
    if (top) {
        char *text = cJSON_Print(top);
        printf("%s\n", text ? text : "{}");
        cJSON_free(text);
        cJSON_Delete(top);
    }
    return worst;
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
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"keys", no_argument, NULL, 'k'},
                                          {"man", no_argument, NULL, 'm'},
                                          {"set", required_argument, NULL, 's'},
                                          {"strict", no_argument, NULL, 'S'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
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
        o.strict |= c == 'S';
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
