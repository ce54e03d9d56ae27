/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter simulate: a meter to try things with. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "io/clock.h"
#include "sim/modbus_server.h"

static const char help[] =
    "usage: chargehand meter simulate MODEL [--port N] [--unit N] [--current A,A,A]\n\n"
    "Answers on Modbus TCP, 127.0.0.1 only, as a meter of that model would.\n\n"
    "  --port N         TCP port (5020; 0 = any free one)\n"
    "  --unit N         Modbus unit id it answers to (0 = to every one)\n"
    "  --current A,A,A  amperes on L1, L2, L3; negative feeds in (10,4,-2)\n";

static bool parse_currents(const char *text, double a[SITE_PHASES])
{
    int end = 0;

    return sscanf(text, "%lf,%lf,%lf%n", &a[0], &a[1], &a[2], &end) == 3 &&
           !text[end] && a[0] > -1e4 && a[0] < 1e4 && a[1] > -1e4 && a[1] < 1e4 &&
           a[2] > -1e4 && a[2] < 1e4;
}

/* Says where it is when it has something to tell, then counts energy each second until
 * a signal comes. */
static void simulate(struct modbus_server *s, const char *model,
                     const double a[SITE_PHASES])
{
    const struct timespec second = {.tv_sec = 1};
    double w = (a[0] + a[1] + a[2]) * 230, import_wh = 1000000, export_wh = 0;
    int64_t last_ms = clock_ms();
    int32_t i_ma[SITE_PHASES];

    for (int i = 0; i < SITE_PHASES; i++)
        i_ma[i] = (int32_t)(a[i] * 1000);
    modbus_server_set(s, i_ma, NULL, NULL);
    meter_until_signal(NULL);
    printf("%s answers on 127.0.0.1:%d\n", model, modbus_server_port(s));
    fflush(stdout);
    while (!meter_signalled()) {
        int64_t now_ms = clock_ms();
        double wh = w * (double)(now_ms - last_ms) / 3600000;

        import_wh += wh > 0 ? wh : 0;
        export_wh -= wh < 0 ? wh : 0;
        modbus_server_set_energy(s, (int64_t)import_wh, (int64_t)export_wh);
        last_ms = now_ms;
        nanosleep(&second, NULL);
    }
}

int meter_simulate(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"unit", required_argument, NULL, 'u'},
                                            {"current", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    double a[SITE_PHASES] = {10, 4, -2};
    int port = 5020, unit = 0, c;
    struct modbus_server *s;
    bool good = true;
    char err[2000];

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return EXIT_GOOD;
        }
        if (c == 'p')
            port = atoi(optarg);
        else if (c == 'u')
            unit = atoi(optarg);
        else
            good = good && c == 'c' && parse_currents(optarg, a);
    }
    if (!good || optind + 1 != argc || port < 0 || port > 65535 || unit < 0 ||
        unit > 255) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    s = modbus_server_new(argv[optind], unit, port, err, sizeof err);
    if (!s) {
        fprintf(stderr, "chargehand meter: %s\n", err);
        return EXIT_UNAVAILABLE;
    }
    simulate(s, argv[optind], a);
    modbus_server_stop(s);
    return EXIT_GOOD;
}
