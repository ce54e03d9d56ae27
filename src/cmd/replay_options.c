/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `chargehand replay`. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/replay.h"
#include "policy.h"

static const char help[] =
    "usage: chargehand replay -c SITE.yaml [--sessions F.csv] [--loads F.csv] [...]\n"
    "\n"
    "Plays recorded sessions and loads to the controller on a virtual clock, with\n"
    "simulated chargers and cars, and tells what came of it.\n"
    "\n"
    "  -c, --config SITE.yaml    the site\n"
    "      --sessions F.csv      connector,arrival,departure,energy_kwh and "
    "optionally\n"
    "                            max_current_a,phases,id_tag; times in UTC\n"
    "      --loads F.csv         time,circuit,l1_a,l2_a,l3_a: what the uncontrolled "
    "part\n"
    "                            of that circuit draws from then on; solar is "
    "negative;\n"
    "                            the name of a solar meter in place of a circuit: "
    "that\n"
    "                            meter sees it, and it counts at the grid connection\n"
    "      --policy NAME         in place of the site's; chargehand.yaml(5) tells "
    "them\n"
    "      --compare A,B,..      one run for each of these policies\n"
    "      --plant real|ideal    real (the default): chargers answer after 0.5 .. 5 "
    "s,\n"
    "                            cars ramp, sleep, taper and need 6 A; ideal: "
    "everything\n"
    "                            happens at once and exactly\n"
    "      --power-limit-kw N    power limit of the grid connection, in place of the\n"
    "                            site's\n"
    "      --car-max-a N         maximum of cars without a recorded one; else that of\n"
    "                            their connector\n"
    "      --set KEY=VALUE       another value for a key of the site file; repeatable\n"
    "      --seed N              of the simulated plant, 1 when left out\n"
    "      --json                the result as JSON\n"
    "      --report F.html       a page with currents, results and sessions\n"
    "      --journal F           every event and order, for `chargehand audit`;\n"
    "                            begun anew; of one policy\n"
    "\n"
    "A session is complete when it got at least 99.9 % of what was asked for.\n"
    "A second is over a limit by control when neither a base load above the limit by\n"
    "itself nor its rise within the last reaction time (meter period + slowest "
    "charger)\n"
    "explains it. Exit code 1 when there was such a second.\n";

enum {
    O_SESSIONS = 256,
    O_LOADS,
    O_POLICY,
    O_COMPARE,
    O_PLANT,
    O_POWER,
    O_CAR,
    O_SET,
    O_SEED,
    O_JSON,
    O_REPORT,
    O_JOURNAL
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"sessions", required_argument, NULL, O_SESSIONS},
    {"loads", required_argument, NULL, O_LOADS},
    {"policy", required_argument, NULL, O_POLICY},
    {"compare", required_argument, NULL, O_COMPARE},
    {"plant", required_argument, NULL, O_PLANT},
    {"power-limit-kw", required_argument, NULL, O_POWER},
    {"car-max-a", required_argument, NULL, O_CAR},
    {"set", required_argument, NULL, O_SET},
    {"seed", required_argument, NULL, O_SEED},
    {"json", no_argument, NULL, O_JSON},
    {"report", required_argument, NULL, O_REPORT},
    {"journal", required_argument, NULL, O_JOURNAL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "chargehand replay: %s%s%s\n", what, value ? ": " : "",
            value ? value : "");
    fprintf(stderr, "chargehand replay --help tells the options\n");
    return EXIT_USAGE;
}

static bool number(const char *text, double least, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && !*end && *out >= least && *out <= most;
}

static bool seed(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* Splits "a,b,c" in place. */
static bool take_policies(struct replay_options *o, char *list)
{
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        if (o->n_policies == REPLAY_RUNS)
            return false;
        o->policies[o->n_policies++] = name;
    }
    return o->n_policies > 0;
}

/* Takes one option. NULL, or what is wrong with its value. */
static const char *take(struct replay_options *o, int option, char *value)
{
    switch (option) {
    case 'c':
        o->config = value;
        return NULL;
    case O_SESSIONS:
        o->sessions = value;
        return NULL;
    case O_LOADS:
        o->loads = value;
        return NULL;
    case O_POLICY:
        o->n_policies = 0;
        o->policies[o->n_policies++] = value;
        o->compare = false;
        return NULL;
    case O_COMPARE:
        o->n_policies = 0;
        o->compare = true;
        return take_policies(o, value) ? NULL : "--compare needs 1 to 16 policies";
    case O_PLANT:
        o->ideal = strcmp(value, "ideal") == 0;
        return o->ideal || strcmp(value, "real") == 0 ? NULL
                                                      : "--plant is real or ideal, not";
    case O_POWER:
        return number(value, 0.001, 1e6, &o->power_kw) ? NULL
                                                       : "--power-limit-kw is no power";
    case O_CAR:
        return number(value, 1, 10000, &o->car_max_a) ? NULL
                                                      : "--car-max-a is no current";
    case O_SET:
        if (o->n_set == REPLAY_SET)
            return "there are too many --set";
        o->set[o->n_set++] = value;
        return NULL;
    case O_SEED:
        return seed(value, &o->seed) ? NULL : "--seed is not a whole number";
    case O_JSON:
        o->json = true;
        return NULL;
    case O_REPORT:
        o->report = value;
        return NULL;
    default:
        o->journal = value;
        return NULL;
    }
}

/* Also says what is wrong. */
static bool policies_known(const struct replay_options *o)
{
    bool known = true;

    for (int i = 0; i < o->n_policies; i++)
        if (!policy_by_name(o->policies[i])) {
            fprintf(stderr, "chargehand replay: there is no policy '%s'; there are:",
                    o->policies[i]);
            for (int p = 0; policies[p]; p++)
                fprintf(stderr, " %s", policies[p]->name);
            fputc('\n', stderr);
            known = false;
        }
    return known;
}

int replay_parse(struct replay_options *o, int argc, char **argv)
{
    int option;
    const char *fault;

    *o = (struct replay_options){.seed = 1};
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_GOOD;
        }
        if (option == '?')
            return usage_error("there was an option that it does not know", NULL);
        fault = take(o, option, optarg);
        if (fault)
            return usage_error(fault, optarg);
    }
    if (optind < argc)
        return usage_error("this is too much", argv[optind]);
    if (!o->config)
        return usage_error("-c SITE.yaml is missing", NULL);
    if (!o->sessions && !o->loads)
        return usage_error("--sessions or --loads is missing", NULL);
    if (o->journal && o->n_policies > 1)
        return usage_error("--journal takes one policy", NULL);
    return policies_known(o) ? -1 : EXIT_USAGE;
}
