/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand ocpp: talks to chargers through the running controller, over its Unix
 * socket. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/ocpp.h"
#include "cmd/view_json.h"
#include "io/clock.h"

#define DEFAULT_SOCKET "/var/lib/chargehand/control.socket"

/* Longer than any charger may take, with others before it. */
enum { TIMEOUT_MS = 20 * 60 * 1000, MOST = 16 * 1024 * 1024 };

struct options {
    const char *socket;
    const char *wait; /* seconds; NULL = as long as the controller likes */
    bool json, reboot;
};

enum look { AS_JSON, AS_LIST, AS_PROBE };

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: chargehand ocpp [--socket PATH] [--json] list\n"
        "       chargehand ocpp [--socket PATH] [--json] [--wait S] CHARGER ACTION "
        "[JSON|-]\n"
        "       chargehand ocpp [--socket PATH] [--json] [--reboot] probe CHARGER "
        "[CONNECTOR]\n"
        "       chargehand ocpp [--socket PATH] CHARGER firmware FILE [JSON]\n"
        "       chargehand ocpp [--socket PATH] CHARGER diagnostics|log [JSON]\n"
        "       chargehand ocpp actions [ACTION]\n\n"
        "Sends an OCPP message to a charger through the running controller, and\n"
        "prints what it answers. '-' reads the JSON from the standard input;\n"
        "without one it is {}. What comes afterwards in messages of its own, like the\n"
        "reports of GetBaseReport, is waited for and printed, one on each line; a\n"
        "requestId that is left out is made up. 'probe' finds out, while a car charges "
        "there,\n"
        "whether it follows its limits: some minutes.\n\n"
        "  chargehand ocpp CP-01 Reset '{\"type\": \"Soft\"}'\n\n"
        "firmware has it fetch and install a file of the folder ocpp.files of the\n"
        "site file; diagnostics, and log on chargers that know GetLog, have it send\n"
        "one there. JSON adds fields, like retrieveDate or startTime.\n\n"
        "  --socket PATH  of the controller (%s)\n"
        "  --json         the list, or the report of a probe, as JSON; an answer and "
        "its\n"
        "                 parts as one object\n"
        "  --wait S       seconds for the next part to come, 0 to 600: else 60\n"
        "  --reboot       probe: restart the charger, too\n"
        "  -h, --help     this text\n",
        DEFAULT_SOCKET);
}

/* ---- to the controller and back */

static int complain(const char *socket_path)
{
    bool denied = errno == EACCES || errno == EPERM, missing = errno == ENOENT;

    fprintf(stderr, "chargehand ocpp: %s: %s\n", socket_path, strerror(errno));
    if (missing)
        fprintf(stderr,
                "chargehand ocpp: is it running? Its socket is control.socket in "
                "the history's folder: --socket PATH\n");
    if (denied)
        fprintf(stderr, "chargehand ocpp: its group may use it: "
                        "sudo -u chargehand chargehand ocpp ...\n");
    return denied ? EXIT_PERMISSION : EXIT_UNAVAILABLE;
}

static int dial(const char *path, int *fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return complain(path);
    }
    strcpy(a.sun_path, path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && connect(*fd, (struct sockaddr *)&a, sizeof a) == 0)
        return EXIT_GOOD;
    return complain(path);
}

static bool say(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);

        if (k < 0 && errno != EINTR)
            return false;
        text += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return true;
}

/* One line, or NULL. */
static char *hear(int fd)
{
    int64_t until_ms = clock_ms() + TIMEOUT_MS;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0, max = 65536;
    char *text = malloc(max);

    while (text && max <= MOST) {
        int64_t left_ms = until_ms - clock_ms();
        ssize_t k = left_ms > 0 && poll(&p, 1, (int)left_ms) > 0
                        ? recv(fd, text + n, max - n - 1, 0)
                        : 0;

        if (k <= 0)
            break;
        n += (size_t)k;
        if (text[n - 1] == '\n') {
            text[n - 1] = '\0';
            return text;
        }
        if (n + 1 == max) {
            char *more = realloc(text, max *= 2);

            if (!more)
                break;
            text = more;
        }
    }
    free(text);
    return NULL;
}

/* Sends a command. On EXIT_GOOD *answer is the caller's. */
static int command(const struct options *o, const cJSON *question, cJSON **answer)
{
    char *text = cJSON_PrintUnformatted(question), *line = NULL;
    int fd = -1, rc = dial(o->socket, &fd);

    if (rc == EXIT_GOOD && text && say(fd, text, strlen(text)) && say(fd, "\n", 1))
        line = hear(fd);
    if (fd >= 0)
        close(fd);
    free(text);
    if (rc != EXIT_GOOD)
        return rc;
    *answer = line ? cJSON_Parse(line) : NULL;
    free(line);
    if (cJSON_IsObject(*answer))
        return EXIT_GOOD;
    fprintf(stderr, "chargehand ocpp: the controller gave no answer\n");
    cJSON_Delete(*answer);
    return EXIT_UNAVAILABLE;
}

/* ---- what it means */

/* An answer like {"status":"Rejected"} is a negative result. */
static bool is_refusal(const cJSON *answer)
{
    static const char *const good[] = {
        "", "Accepted", "Scheduled", "Unlocked", "RebootRequired", "AcceptedCanceled"};
    const char *status = view_text(answer, "status");

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(status, good[i]) == 0)
            return false;
    return true;
}

static const cJSON *parts_of(const cJSON *reply)
{
    return cJSON_GetObjectItemCaseSensitive(reply, "parts");
}

static int code_of(const cJSON *reply)
{
    static const struct {
        const char *outcome;
        int code;
    } codes[] = {
        {"bad call", EXIT_USAGE},     {"kept back", EXIT_PERMISSION},
        {"error", EXIT_NEGATIVE},     {"away", EXIT_UNAVAILABLE},
        {"silent", EXIT_UNAVAILABLE},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(view_text(reply, "outcome"), codes[i].outcome) == 0)
            return codes[i].code;
    if (*view_text(reply, "missing"))
        return EXIT_UNAVAILABLE;
    return is_refusal(cJSON_GetObjectItemCaseSensitive(reply, "answer")) ? EXIT_NEGATIVE
                                                                         : EXIT_GOOD;
}

static void put_json(const cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);

    printf("%s\n", text ? text : "");
    free(text);
}

/* The answer, and what came of it. */
static void put_answer(const struct options *o, cJSON *reply)
{
    const cJSON *part;

    if (*view_text(reply, "missing"))
        fprintf(stderr, "chargehand ocpp: not all parts: %s\n",
                view_text(reply, "missing"));
    if (parts_of(reply) && o->json) {
        cJSON_DeleteItemFromObjectCaseSensitive(reply, "outcome");
        cJSON_DeleteItemFromObjectCaseSensitive(reply, "note");
        put_json(reply);
        return;
    }
    put_json(cJSON_GetObjectItemCaseSensitive(reply, "answer"));
    cJSON_ArrayForEach(part, parts_of(reply))
    {
        put_json(part);
    }
}

static int show(const struct options *o, cJSON *reply, enum look look)
{
    const cJSON *answer = cJSON_GetObjectItemCaseSensitive(reply, "answer");
    const char *note = view_text(reply, "note");
    int code = code_of(reply);

    if (!answer) {
        fprintf(stderr, "chargehand ocpp: %s\n", view_text(reply, "text"));
        return code;
    }
    if (*note)
        fprintf(stderr,
                "chargehand ocpp: the answer is not as the standard wants it: "
                "%s\n",
                note);
    if (look == AS_LIST && !o->json) {
        ocpp_show_list(stdout, answer);
        return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_IO;
    }
    if (look == AS_PROBE && !o->json) {
        bool good = ocpp_show_probe(stdout, answer);

        return fflush(stdout) != 0 ? EXIT_IO : good ? EXIT_GOOD : EXIT_NEGATIVE;
    }
    put_answer(o, reply);
    return fflush(stdout) == 0 ? code : EXIT_IO;
}

/* ---- the command line */

static char *read_all(FILE *from)
{
    char *text = NULL;
    size_t max = 0;

    if (getdelim(&text, &max, '\0', from) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static cJSON *read_payload(const char *text)
{
    bool read = strcmp(text, "-") == 0;
    char *input = read ? read_all(stdin) : NULL;
    const char *json = input ? input : read ? "" : text, *end = NULL;
    cJSON *o = cJSON_ParseWithOpts(json, &end, true);

    if (!cJSON_IsObject(o)) {
        if (o)
            fprintf(stderr, "chargehand ocpp: the JSON must be an object, {...}\n");
        else
            fprintf(stderr,
                    "chargehand ocpp: this is no JSON, at character %ld: %.40s\n",
                    end ? (long)(end - json) + 1 : 1L, end ? end : "");
        cJSON_Delete(o);
        o = NULL;
    }
    free(input);
    return o;
}

static int ask(const struct options *o, cJSON *question, enum look look)
{
    cJSON *reply = NULL;
    int rc = command(o, question, &reply);

    cJSON_Delete(question);
    if (rc != EXIT_GOOD)
        return rc;
    rc = show(o, reply, look);
    cJSON_Delete(reply);
    return rc;
}

static int list(const struct options *o)
{
    cJSON *question = cJSON_CreateObject();

    cJSON_AddStringToObject(question, "do", "list");
    return ask(o, question, AS_LIST);
}

static int probe(const struct options *o, int n, char **word)
{
    cJSON *question = cJSON_CreateObject();
    char *end = NULL;
    long connector = n == 3 ? strtol(word[2], &end, 10) : 0;

    if (end && (end == word[2] || *end || connector < 1 || connector > 1000)) {
        fprintf(stderr, "chargehand ocpp: '%s' is no connector: 1, 2, ...\n", word[2]);
        cJSON_Delete(question);
        return EXIT_USAGE;
    }
    cJSON_AddStringToObject(question, "do", "probe");
    cJSON_AddStringToObject(question, "charger", word[1]);
    cJSON_AddNumberToObject(question, "connector", (double)connector);
    cJSON_AddBoolToObject(question, "reboot", o->reboot);
    return ask(o, question, AS_PROBE);
}

static int call(const struct options *o, int n, char **word)
{
    cJSON *question, *payload;
    char *end = NULL;
    double wait_s = o->wait ? strtod(o->wait, &end) : 0;

    if (end && (end == o->wait || *end || !(wait_s >= 0 && wait_s <= 600))) {
        fprintf(stderr, "chargehand ocpp: --wait %s: 0 to 600 seconds\n", o->wait);
        return EXIT_USAGE;
    }
    payload = read_payload(n == 3 ? word[2] : "{}");
    if (!payload)
        return EXIT_USAGE;
    question = cJSON_CreateObject();
    cJSON_AddStringToObject(question, "do", "call");
    cJSON_AddStringToObject(question, "charger", word[0]);
    cJSON_AddStringToObject(question, "action", word[1]);
    cJSON_AddItemToObject(question, "payload", payload);
    if (o->wait)
        cJSON_AddNumberToObject(question, "wait_s", wait_s);
    return ask(o, question, AS_JSON);
}

static bool is_file(const char *word)
{
    return strcmp(word, "firmware") == 0 || strcmp(word, "diagnostics") == 0 ||
           strcmp(word, "log") == 0;
}

static int file(const struct options *o, int n, char **word)
{
    bool firmware = strcmp(word[1], "firmware") == 0;
    int named = firmware ? 3 : 2;
    cJSON *question, *payload;

    if (n < named || n > named + 1) {
        usage(stderr);
        return EXIT_USAGE;
    }
    payload = read_payload(n > named ? word[named] : "{}");
    if (!payload)
        return EXIT_USAGE;
    question = cJSON_CreateObject();
    cJSON_AddStringToObject(question, "do", "file");
    cJSON_AddStringToObject(question, "charger", word[0]);
    cJSON_AddStringToObject(question, "what", word[1]);
    cJSON_AddStringToObject(question, "file", firmware ? word[2] : "");
    cJSON_AddItemToObject(question, "payload", payload);
    return ask(o, question, AS_JSON);
}

static int actions(const char *action)
{
    if (ocpp_show_actions(stdout, action))
        return fflush(stdout) == 0 ? EXIT_GOOD : EXIT_IO;
    fprintf(stderr, "chargehand ocpp: there is no action '%s' of a central system\n",
            action);
    return EXIT_USAGE;
}

int cmd_ocpp(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"reboot", no_argument, NULL, 'r'},
        {"wait", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.socket = DEFAULT_SOCKET};
    int option, n;

    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 's') {
            o.socket = optarg;
        } else if (option == 'w') {
            o.wait = optarg;
        } else if (option == 'j') {
            o.json = true;
        } else if (option == 'r') {
            o.reboot = true;
        } else {
            usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_GOOD : EXIT_USAGE;
        }
    }
    argv += optind;
    n = argc - optind;
    if (n >= 1 && n <= 2 && strcmp(argv[0], "actions") == 0)
        return actions(argv[1]);
    if (n == 1 && strcmp(argv[0], "list") == 0)
        return list(&o);
    if ((n == 2 || n == 3) && strcmp(argv[0], "probe") == 0)
        return probe(&o, n, argv);
    if (n >= 2 && is_file(argv[1]))
        return file(&o, n, argv);
    if (n == 2 || n == 3)
        return call(&o, n, argv);
    usage(stderr);
    return EXIT_USAGE;
}
