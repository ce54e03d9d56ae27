/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand: finds the subcommand and runs it. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct command commands[] = {
    {"audit", "reckons a journal anew and checks the rules of safety on it", cmd_audit},
    {"bench", "how long its calculations take on this machine", cmd_bench},
    {"check-config", "checks site files and says what is safe", cmd_check_config},
    {"demo", "a simulated garage under the real controller", cmd_demo},
    {"history", "takes rows out of the history", cmd_history},
    {"meter", "lists, reads, checks and simulates meters; needs no site file",
     cmd_meter},
    {"ocpp", "talks to chargers through the running controller", cmd_ocpp},
    {"replay", "plays a recording to the controller, with simulated cars", cmd_replay},
    {"run", "the controller", cmd_run},
    {"share", "one allocation, with reasons", cmd_share},
    {"status", "what it is limiting and why, from the running controller", cmd_status},
    {NULL, NULL, NULL},
};

static void usage(FILE *to)
{
    fprintf(to, "usage: chargehand COMMAND [...]\n\n");
    for (const struct command *c = commands; c->name; c++)
        fprintf(to, "  %-14s %s\n", c->name, c->help);
    fprintf(to, "\n  chargehand COMMAND --help   tells its options\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return EXIT_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("chargehand " PACKAGE_VERSION "\n");
        return EXIT_GOOD;
    }
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(argv[1], c->name) == 0)
            return c->run(argc - 1, argv + 1);
    fprintf(stderr, "chargehand: there is no command '%s'\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE;
}
