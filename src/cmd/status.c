/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand status: what the running controller is limiting, and why. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/view.h"
#include "io/http_get.h"

#define DEFAULT_HTTP "127.0.0.1:8880"

enum { TIMEOUT_MS = 5000 };

struct options {
    const char *http;
    bool watch, json;
};

static void usage(FILE *to)
{
    fprintf(to,
            "usage: chargehand status [--watch] [--json] [--http HOST:PORT]\n\n"
            "  --watch           draws it anew every second, until Ctrl-C\n"
            "  --json            the document as the controller gives it\n"
            "  --http HOST:PORT  where the controller listens (%s)\n",
            DEFAULT_HTTP);
}

/* Asks the controller. Returns an exit code; on EXIT_GOOD the answer is the caller's.
 */
static int fetch(const struct options *o, char **text, cJSON **state)
{
    char error[400];
    int status = http_get(o->http, "8880", "/api/v1/state", TIMEOUT_MS, text, error,
                          sizeof error);

    if (status < 0) {
        fprintf(stderr, "chargehand status: no controller answers: %s\n", error);
        return EXIT_UNAVAILABLE;
    }
    if (status == 200)
        *state = cJSON_Parse(*text);
    if (status == 200 && cJSON_IsObject(*state))
        return EXIT_GOOD;
    if (status == 200)
        fprintf(stderr, "chargehand status: what %s says is no state\n", o->http);
    else
        fprintf(stderr, "chargehand status: %s answers %d %.60s\n", o->http, status,
                *text);
    cJSON_Delete(*state);
    free(*text);
    return EXIT_UNAVAILABLE;
}

/* Shows it once. All of a picture is written at once, so that it does not flicker. */
static int show(const struct options *o, bool redraw)
{
    char *text = NULL, *picture = NULL;
    cJSON *state = NULL;
    size_t n = 0;
    int rc = fetch(o, &text, &state);
    FILE *to;

    if (rc != EXIT_GOOD)
        return rc;
    to = open_memstream(&picture, &n);
    if (to && o->json)
        fprintf(to, "%s\n", text);
    else if (to)
        view_draw(to, state, view_may_colour(stdout));
    if (to)
        fclose(to);
    if (redraw)
        fputs("\033[H\033[J", stdout);
    fwrite(picture, 1, n, stdout);
    free(picture);
    free(text);
    cJSON_Delete(state);
    return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_IO;
}

/* Until Ctrl-C. A controller that goes away may come back. */
static int watch(const struct options *o)
{
    bool terminal = isatty(STDOUT_FILENO) && !o->json;
    int rc = show(o, terminal);

    if (rc != EXIT_GOOD)
        return rc;
    do {
        sleep(1);
        if (!terminal && !o->json)
            fputc('\n', stdout);
        rc = show(o, terminal);
    } while (rc == EXIT_GOOD || rc == EXIT_UNAVAILABLE);
    return rc;
}

int cmd_status(int argc, char **argv)
{
    enum { WATCH = 256, JSON, HTTP, HELP };
    static const struct option options[] = {
        {"watch", no_argument, NULL, WATCH},
        {"json", no_argument, NULL, JSON},
        {"http", required_argument, NULL, HTTP},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.http = DEFAULT_HTTP};
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case WATCH:
            o.watch = true;
            break;
        case JSON:
            o.json = true;
            break;
        case HTTP:
            o.http = optarg;
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
    if (optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return o.watch ? watch(&o) : show(&o, false);
}
