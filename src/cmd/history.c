/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand history: takes rows out of the history, also while the controller runs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/config.h"
#include "io/clock.h"
#include "io/history_read.h"

#define DEFAULT_FOLDER "/var/lib/chargehand"

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: chargehand history export --what WHAT [-c SITE.yaml | --folder DIR]\n"
        "                                 [--from T] [--to T] [--open] [--json]\n\n"
        "  --what WHAT    sessions, loads, meters, samples, setpoints or events;\n"
        "                 sessions and loads are recordings for chargehand replay\n"
        "  -c, --config FILE  the site file whose history it is\n"
        "  --folder DIR   where the history is, when no site file is named (%s)\n"
        "  --from T       first time, like 2026-11-01 or 2026-11-01T06:00:00Z (UTC)\n"
        "  --to T         rows before this time\n"
        "  --open         sessions that have not ended, too\n"
        "  --json         a JSON array instead of CSV\n",
        DEFAULT_FOLDER);
}

/* A day or a moment. */
static bool parse_time(const char *text, int64_t *utc_s)
{
    char day[32];

    if (strlen(text) == strlen("2026-11-01")) {
        snprintf(day, sizeof day, "%sT00:00:00Z", text);
        text = day;
    }
    return clock_parse_utc(text, utc_s);
}

static int misused(const char *complaint, const char *what)
{
    fprintf(stderr, "chargehand history: %s %s\n\n", complaint, what);
    usage(stderr);
    return EXIT_USAGE;
}

static int export_rows(const char *folder, const struct history_query *q)
{
    char error[256];
    int64_t left_out, rows;

    rows = history_export(folder, q, stdout, &left_out, error, sizeof error);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "chargehand history: cannot write: %s\n", strerror(errno));
        return EXIT_IO;
    }
    if (rows < 0) {
        fprintf(stderr, "chargehand history: %s\n", error);
        return EXIT_IO;
    }
    if (left_out > 0)
        fprintf(stderr,
                "chargehand history: %lld sessions that have not ended are left out "
                "(--open shows them)\n",
                (long long)left_out);
    return EXIT_GOOD;
}

/* The history that this site file names. */
static int export_site(const char *path, const struct history_query *q)
{
    struct conf_errors errors = {0};
    struct config *c = config_load(path, NULL, &errors);
    int code = EXIT_CONFIG;

    if (!c) {
        conf_errors_print(&errors, stderr);
    } else if (!c->history.folder) {
        fprintf(stderr, "chargehand history: %s keeps no history\n", path);
    } else {
        code = export_rows(c->history.folder, q);
    }
    conf_errors_free(&errors);
    config_free(c);
    return code;
}

int cmd_history(int argc, char **argv)
{
    enum { WHAT = 256, FOLDER, FROM, TO, OPEN, JSON, HELP };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"what", required_argument, NULL, WHAT},
        {"folder", required_argument, NULL, FOLDER},
        {"from", required_argument, NULL, FROM},
        {"to", required_argument, NULL, TO},
        {"open", no_argument, NULL, OPEN},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    struct history_query q = {.from_utc_s = INT64_MIN, .to_utc_s = INT64_MAX};
    const char *folder = DEFAULT_FOLDER, *site = NULL;
    int option, what = -1;

    optind = 0;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case WHAT:
            what = history_what_by_name(optarg);
            if (what < 0)
                return misused("there is no history of", optarg);
            break;
        case 'c':
            site = optarg;
            break;
        case FOLDER:
            folder = optarg;
            break;
        case FROM:
        case TO:
            if (!parse_time(optarg, option == FROM ? &q.from_utc_s : &q.to_utc_s))
                return misused("no time like 2026-11-01T06:00:00Z is", optarg);
            break;
        case OPEN:
            q.open_too = true;
            break;
        case JSON:
            q.json = true;
            break;
        case 'h':
        case HELP:
            usage(stdout);
            return EXIT_GOOD;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc - 1 || strcmp(argv[optind], "export") != 0)
        return misused("say what to do:", "export");
    if (what < 0)
        return misused("say what to export:", "--what sessions, ...");
    q.what = (enum history_what)what;
    return site ? export_site(site, &q) : export_rows(folder, &q);
}
