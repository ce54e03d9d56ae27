/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand demo: a simulated garage under the real controller, in one command. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/demo.h"
#include "io/clock.h"
#include "sim/garage_site.h"

enum { PLAIN_S = 5, SHORT_S = 60, MAX_S = 7 * 86400 };

static volatile bool quit;

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: chargehand demo [--for SECONDS] [--dir DIR] [--seed N] [--plain]\n"
        "                       [--json]\n"
        "\n"
        "Runs the controller on a simulated garage: ten bays on 63 A, a meter on "
        "Modbus\n"
        "TCP, chargers that connect as OCPP WebSocket clients, some of each version "
        "that\n"
        "is spoken here, and apartments with a load that rises and falls. Everything "
        "is\n"
        "real but the electricity, and it runs in real time: the cars want watt "
        "hours,\n"
        "not kilowatt hours, so that they are done soon. All sockets are on "
        "127.0.0.1.\n"
        "Ctrl-C ends it.\n"
        "\n"
        "  --for SECONDS   end after this time: one session in each bay, sized to "
        "fit;\n"
        "                  without it cars come and go until Ctrl-C. Below 60 s a\n"
        "                  session counts as served when it has charged.\n"
        "  --dir DIR       site file, keys, history, journal and logs go there; "
        "without\n"
        "                  it a new directory for temporary files is made, and kept\n"
        "  --seed N        other cars (default 1)\n"
        "  --plain         a line each second, no picture; elsewhere than on a "
        "terminal\n"
        "                  there is a line every 5 seconds\n"
        "  --json          nothing but the summary, as JSON\n"
        "  --help          this text\n"
        "\n"
        "Exit code 0: every session was served (without --for: those that had time), "
        "no\n"
        "limit was exceeded because of the controller, and the chargers had nothing "
        "to\n"
        "object to its messages. 1: otherwise; the summary says why.\n");
}

static void on_signal(int number)
{
    (void)number;
    quit = true;
}

/* ---- options */

static bool number(const char *text, long long most, long long *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno && *out >= 0 && *out <= most;
}

/* EXIT_GOOD to go on, -1 when --help was asked for. */
static int options(struct demo *d, int argc, char **argv)
{
    static const struct option known[] = {
        {"for", required_argument, NULL, 'f'},
        {"dir", required_argument, NULL, 'd'},
        {"seed", required_argument, NULL, 's'},
        {"plain", no_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    long long n;
    int o;

    while ((o = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (o == 'f' && number(optarg, MAX_S, &n) && n > 0) {
            d->for_s = (int)n;
        } else if (o == 's' && number(optarg, LLONG_MAX, &n)) {
            d->seed = (uint64_t)n;
        } else if (o == 'd' && *optarg) {
            snprintf(d->folder, sizeof d->folder, "%s", optarg);
        } else if (o == 'p') {
            d->plain = true;
        } else if (o == 'j') {
            d->json = true;
        } else if (o == 'h') {
            usage(stdout);
            return -1;
        } else {
            if (o != '?')
                fprintf(stderr, "chargehand demo: '%s' is no good value here\n",
                        optarg);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return EXIT_GOOD;
    fprintf(stderr, "chargehand demo: what is '%s' for?\n", argv[optind]);
    return EXIT_USAGE;
}

/* ---- the folder */

static bool write_key(const struct demo *d, const char *charger)
{
    unsigned char random[16];
    char path[512];
    FILE *f;
    int fd;

    snprintf(path, sizeof path, "%s/keys/%s", d->folder, charger);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        return false;
    for (size_t i = 0; i < sizeof random; i++)
        fprintf(f, "%02x", random[i]);
    fputc('\n', f);
    return fclose(f) == 0;
}

/* Makes the folder with a key for each charger; d->folder becomes absolute. */
static bool make_folder(struct demo *d)
{
    const char *tmp = getenv("TMPDIR");
    char path[300], full[PATH_MAX];

    if (!d->folder[0]) {
        snprintf(d->folder, sizeof d->folder, "%s/chargehand-demo-XXXXXX",
                 tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(d->folder))
            return false;
    } else if (mkdir(d->folder, 0700) < 0 && errno != EEXIST) {
        return false;
    }
    if (!realpath(d->folder, full) || strlen(full) >= sizeof d->folder ||
        strpbrk(full, "\"\\\n"))
        return false;
    strcpy(d->folder, full);
    snprintf(path, sizeof path, "%s/keys", d->folder);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return false;
    for (int i = 0; i < GARAGE_CHARGERS; i++)
        if (!write_key(d, garage_chargers[i].id))
            return false;
    return true;
}

/* ---- the course of it */

static void look(struct demo *d, bool picture, int second)
{
    cJSON *state;

    if (d->json || (!picture && !d->plain && second % PLAIN_S != 0))
        return;
    state = demo_state(d);
    if (picture)
        demo_draw(d, state);
    else
        demo_line(d, state);
    cJSON_Delete(state);
}

static void watch(struct demo *d)
{
    bool picture = isatty(STDOUT_FILENO) && !d->plain && !d->json;
    int64_t begin_ms = clock_ms();
    int second = 0;

    if (picture)
        fputs("\033[?25l\033[2J", stdout); /* no cursor, an empty screen */
    while (!quit && demo_alive(d)) {
        int64_t now_ms = clock_ms();
        int64_t next_ms = begin_ms + (second + 1) * INT64_C(1000);

        if (d->for_s && now_ms - begin_ms >= d->for_s * INT64_C(1000))
            break;
        if (now_ms < next_ms) {
            demo_listen(d, (int)(next_ms - now_ms));
            continue;
        }
        second = (int)((now_ms - begin_ms) / 1000);
        look(d, picture, second);
    }
    if (picture)
        fputs("\033[?25h\n", stdout);
}

static bool run(struct demo *d)
{
    if (!demo_start_plant(d) || !demo_start_controller(d, &quit))
        return false;
    if (!d->json)
        printf("The garage is simulated, the controller is real: "
               "http://127.0.0.1:%d/api/v1/state\n"
               "Its chargers: chargehand ocpp --socket %s/control.socket list\n",
               d->http_port, d->folder);
    fflush(stdout);
    demo_go(d);
    watch(d);
    return !d->why[0];
}

/* Cars may still be there when somebody has interrupted it. */
static bool all_served(struct demo *d, bool interrupted)
{
    double served = demo_number(d, "sessions_served");

    if (!interrupted && d->for_s && served >= GARAGE_BAYS)
        return true;
    if ((interrupted || !d->for_s) && served >= demo_number(d, "sessions_left"))
        return true;
    snprintf(d->why, sizeof d->why, "%d of %d sessions were served%s", (int)served,
             d->for_s ? GARAGE_BAYS : (int)demo_number(d, "sessions_left"),
             d->for_s && d->for_s < SHORT_S ? "; give it 60 s" : "");
    return false;
}

static bool judge(struct demo *d, bool interrupted)
{
    if (d->why[0])
        return false;
    if (!d->report) {
        snprintf(d->why, sizeof d->why, "the garage has not reported");
        return false;
    }
    if (demo_number(d, "over_limit_by_control_s") > 0)
        snprintf(d->why, sizeof d->why, "control let a limit be exceeded for %.0f s",
                 demo_number(d, "over_limit_by_control_s"));
    else if (demo_number(d, "calls_faulty") > 0)
        snprintf(d->why, sizeof d->why,
                 "%.0f messages of the controller were against the schema, see "
                 "plant.log",
                 demo_number(d, "calls_faulty"));
    else if (demo_number(d, "own_faulty") > 0)
        snprintf(d->why, sizeof d->why,
                 "%.0f messages of the simulated chargers were against the schema, see "
                 "plant.log",
                 demo_number(d, "own_faulty"));
    else
        return all_served(d, interrupted);
    return false;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int cmd_demo(int argc, char **argv)
{
    struct demo d = {.seed = 1, .to_plant = -1, .from_plant = -1};
    int code = options(&d, argc, argv);
    bool ran, good;

    if (code != EXIT_GOOD)
        return code < 0 ? EXIT_GOOD : code;
    if (!make_folder(&d)) {
        fprintf(stderr, "chargehand demo: cannot use '%s' as a folder: %s\n", d.folder,
                strerror(errno));
        return EXIT_IO;
    }
    catch_signals();
    ran = run(&d);
    demo_stop(&d);
    good = judge(&d, quit);
    if (ran || d.report)
        demo_summary(&d, good);
    if (!good)
        fprintf(stderr, "chargehand demo: %s\n", d.why);
    cJSON_Delete(d.report);
    if (good)
        return EXIT_GOOD;
    return ran ? EXIT_NEGATIVE : EXIT_UNAVAILABLE;
}
