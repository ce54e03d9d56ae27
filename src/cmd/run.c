/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand run: the controller in the foreground, until SIGTERM or SIGINT. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "io/log.h"
#include "io/meter_files.h"
#include "run/runner.h"

static struct runner *running;

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: chargehand run -c SITE.yaml [--verbose]\n"
        "\n"
        "Runs the controller in the foreground. SIGHUP reads the site file again, all\n"
        "of it or nothing; SIGTERM and SIGINT end it. Log lines go to standard error.\n"
        "\n"
        "  -c, --config FILE   the site file, see chargehand.yaml(5)\n"
        "  -v, --verbose       tell more\n"
        "  -h, --help          this text\n");
}

/* loop_wake() may be called from a signal handler. */
static void on_signal(int number)
{
    if (number == SIGHUP)
        running->hangup = true;
    else
        running->quit = true;
    loop_wake(running->loop);
}

/* A reload that is asked for before the controller can hear it waits. */
static void hold_hangup(int how)
{
    sigset_t hangup;

    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(how, &hangup, NULL);
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a full disk, not the end */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    hold_hangup(SIG_UNBLOCK);
}

/* While it ends there is nothing to reload, and who asks a second time does not want to
 * wait for it. */
static void leave_signals(void)
{
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
}

static int run(const char *path)
{
    struct conf_errors errors = {0};
    struct config *conf;
    int exit_code;

    hold_hangup(SIG_BLOCK);
    conf = config_load_checked(path, NULL, meter_files_fit, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_free(&errors);
    if (!conf)
        return EXIT_CONFIG;
    running = runner_new(conf, &exit_code);
    if (!running)
        return exit_code;
    catch_signals();
    runner_loop(running);
    leave_signals();
    runner_free(running);
    return EXIT_GOOD;
}

int cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    int o;

    while ((o = getopt_long(argc, argv, "c:vh", options, NULL)) != -1)
        if (o == 'c') {
            path = optarg;
        } else if (o == 'v') {
            log_set_level(LOG_LEVEL_DEBUG);
        } else {
            usage(o == 'h' ? stdout : stderr);
            return o == 'h' ? EXIT_GOOD : EXIT_USAGE;
        }
    if (!path || optind < argc) {
        fprintf(stderr, "chargehand run: %s\n",
                path ? "there is an argument too many"
                     : "name a site file: -c SITE.yaml");
        return EXIT_USAGE;
    }
    return run(path);
}
