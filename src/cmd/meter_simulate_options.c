/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter simulate: its options. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "cmd/meter_simulate.h"

static const char help[] =
    "usage: chargehand meter simulate MODEL [options]\n\n"
    "Answers on a Modbus line as meters of that model would, until interrupted. The\n"
    "first line says where: \"... answers on 127.0.0.1:5020\", \"... on "
    "/dev/pts/4\".\n\n"
    "  --tcp [HOST:]PORT     Modbus TCP (5020; 0 = any free port; HOST 127.0.0.1)\n"
    "  --rtutcp [HOST:]PORT  serial frames through TCP, as simple gateways do it\n"
    "  --pty                 serial frames on a pseudo terminal of this machine\n"
    "  --rtu DEVICE:BAUD:8N1 serial frames on a serial port\n"
    "  --unit N|A-B          Modbus unit ids, a device each (0 = one for all ids)\n"
    "  --current A,A,A       amperes on L1, L2, L3; negative feeds in (10,4,-2)\n"
    "  --voltage V,V,V       volts (230,230,230)\n"
    "  --solar W             of inverters (1500)\n"
    "  --battery W           that it gives, of storages, half full (-500)\n"
    "  --loads FILE          amperes from a recording: time,circuit,l1_a,l2_a,l3_a;\n"
    "                        at its end it begins again\n"
    "  --circuit NAME        of that file; else circuits are named like unit ids\n"
    "  --speed X             the file's time runs so much faster (1)\n"
    "  --noise A             up to so much more on each phase, new each second (0)\n"
    "  --baud N              as slow as a serial line of that speed would be\n"
    "  --fault KIND[=ARG][@FROM-TO][@1/N]\n"
    "                        misbehaves: always, or in these seconds since the start,\n"
    "                        or one time in N; may be given several times\n"
    "  --control             takes commands on standard input: current A,A,A; fault\n"
    "                        ...; clear (ends all faults)\n"
    "  --trace               tells each request\n"
    "  --port N              the same as --tcp N\n\n"
    "Faults:\n";

static void print_help(FILE *to)
{
    char line[100];

    fputs(help, to);
    for (int i = 0; modbus_fault_help(i, line, sizeof line); i++)
        fputs(line, to);
}

bool simulate_currents(const char *text, double a[SITE_PHASES])
{
    int end = 0;
    double v[SITE_PHASES];

    if (sscanf(text, "%lf,%lf,%lf%n", &v[0], &v[1], &v[2], &end) != 3 || text[end])
        return false;
    for (int i = 0; i < SITE_PHASES; i++)
        if (!(v[i] > -1e4 && v[i] < 1e4))
            return false;
    memcpy(a, v, sizeof v);
    return true;
}

static bool parse_number(const char *text, long least, long most, int *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    *out = (int)n;
    return *text && !*end && n >= least && n <= most;
}

/* [HOST:]PORT */
static bool parse_listen(struct simulate_options *o, const char *text, bool rtu)
{
    const char *colon = strrchr(text, ':');

    o->server.rtu = rtu;
    if (colon) {
        snprintf(o->host, sizeof o->host, "%.*s", (int)(colon - text), text);
        o->server.host = o->host;
    }
    return parse_number(colon ? colon + 1 : text, 0, 65535, &o->server.port);
}

static bool parse_units(struct simulate_options *o, const char *text)
{
    struct modbus_server_options *s = &o->server;
    int end = 0;

    if (sscanf(text, "%3d-%3d%n", &s->unit, &s->last_unit, &end) == 2 && end > 0)
        return !text[end] && s->unit >= 1 && s->last_unit >= s->unit &&
               s->last_unit <= 255;
    s->last_unit = 0;
    return parse_number(text, 0, 255, &s->unit);
}

static bool parse_fault(struct simulate_options *o, const char *text)
{
    struct modbus_fault_rule r;
    char err[200];

    if (modbus_fault_parse(text, &r, err, sizeof err) &&
        modbus_faults_add(&o->faults, &r))
        return true;
    fprintf(stderr, "chargehand meter: %s\n",
            o->faults.n == MODBUS_FAULT_RULES ? "too many faults" : err);
    return false;
}

static bool parse_option(struct simulate_options *o, int c, const char *arg)
{
    switch (c) {
    case 't':
    case 'g':
        return parse_listen(o, arg, c == 'g');
    case 'y':
        return o->pty = o->server.rtu = o->server.on_fd = true;
    case 'r':
        o->server.rtu = o->server.on_fd = true;
        return meter_parse_device(&o->serial, o->device, sizeof o->device, arg);
    case 'u':
        return parse_units(o, arg);
    case 'c':
        return simulate_currents(arg, o->a);
    case 'v':
        return simulate_currents(arg, o->volts);
    case 'S':
        return parse_number(arg, 0, 1000000, &o->solar_w);
    case 'B':
        return parse_number(arg, -1000000, 1000000, &o->battery_w);
    case 'l':
        return (o->loads = arg) != NULL;
    case 'n':
        return (o->circuit = arg) != NULL;
    case 's':
        o->speed = atof(arg);
        return o->speed > 0 && o->speed <= 1e6;
    case 'N':
        o->noise_a = atof(arg);
        return o->noise_a >= 0 && o->noise_a <= 1000;
    case 'b':
        return parse_number(arg, 300, 1000000, &o->server.baud);
    case 'f':
        return parse_fault(o, arg);
    case 'o':
        return o->control = true;
    case 'x':
        return o->server.trace = true;
    default:
        return false;
    }
}

int simulate_parse(struct simulate_options *o, int argc, char **argv)
{
    static const struct option options[] = {{"tcp", required_argument, NULL, 't'},
                                            {"port", required_argument, NULL, 't'},
                                            {"rtutcp", required_argument, NULL, 'g'},
                                            {"pty", no_argument, NULL, 'y'},
                                            {"rtu", required_argument, NULL, 'r'},
                                            {"unit", required_argument, NULL, 'u'},
                                            {"current", required_argument, NULL, 'c'},
                                            {"voltage", required_argument, NULL, 'v'},
                                            {"solar", required_argument, NULL, 'S'},
                                            {"battery", required_argument, NULL, 'B'},
                                            {"loads", required_argument, NULL, 'l'},
                                            {"circuit", required_argument, NULL, 'n'},
                                            {"speed", required_argument, NULL, 's'},
                                            {"noise", required_argument, NULL, 'N'},
                                            {"baud", required_argument, NULL, 'b'},
                                            {"fault", required_argument, NULL, 'f'},
                                            {"control", no_argument, NULL, 'o'},
                                            {"trace", no_argument, NULL, 'x'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    char err[100];
    int c;

    *o = (struct simulate_options){.server = {.port = 5020, .bits = 10},
                                   .a = {10, 4, -2},
                                   .solar_w = 1500,
                                   .battery_w = -500,
                                   .volts = {230, 230, 230},
                                   .speed = 1};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            print_help(stdout);
            return EXIT_GOOD;
        }
        if (c == '?')
            return EXIT_USAGE;
        if (!parse_option(o, c, optarg)) {
            fprintf(stderr,
                    "chargehand meter: '%s' is no good: see "
                    "chargehand meter simulate --help\n",
                    optarg);
            return EXIT_USAGE;
        }
    }
    for (int i = 0; i < o->faults.n; i++)
        if (!modbus_fault_suits(o->faults.rules[i].fault, o->server.rtu,
                                !o->server.on_fd, err, sizeof err)) {
            fprintf(stderr, "chargehand meter: %s\n", err);
            return EXIT_USAGE;
        }
    if (optind + 1 == argc) {
        o->server.model = argv[optind];
        return -1;
    }
    print_help(stderr);
    return EXIT_USAGE;
}
