/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter p1: what the P1 port of a smart meter tells. */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "io/clock.h"
#include "io/modbus_open.h"
#include "meter/p1.h"
#include "meter/plausible.h"

enum { CONNECT_MS = 5000, SILENCE_S = 15 };

static const char help[] =
    "usage: chargehand meter p1 DEVICE[:BAUD[:8N1]] | HOST:PORT [options]\n\n"
    "Listens to the P1 port of a smart meter (DSMR 4 and later, e-MUCS) and prints "
    "what\n"
    "it measures. Positive is drawn from the grid. A device's speed and frame are\n"
    "115200:8N1 if left out.\n\n"
    "  --watch       telegram after telegram until interrupted\n"
    "  --timeout S   to wait for a telegram (15)\n"
    "  --raw         the telegrams, too\n"
    "  --json        as JSON, a line per reading\n\n"
    "Exit 0 when it was read, 1 when what comes is no good telegram, 69 when nothing\n"
    "comes.\n";

struct listener {
    struct line_address address;
    char host[256]; /* or the device */
    int timeout_s;
    bool watch, raw, json;
    struct p1 in;
    int fd;
    bool heard; /* anything */
    bool gone;  /* the other side has hung up */
    int result;
};

static void print_json(const struct listener *l, const struct meter_reading *r)
{
    cJSON *j = cJSON_CreateObject();
    char time[21], *text;

    cJSON_AddStringToObject(j, "time", clock_format_utc(clock_utc_s(), time));
    meter_reading_json(j, r);
    if (l->raw)
        cJSON_AddStringToObject(j, "telegram", l->in.text);
    text = cJSON_PrintUnformatted(j);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(j);
}

static void refuse(struct listener *l, const char *text)
{
    fprintf(stderr, "chargehand meter: %s\n", text);
    l->result = EXIT_NEGATIVE;
}

static void on_telegram(struct listener *l)
{
    struct meter_reading r;
    char text[128];
    int phases = 1;

    if (!p1_parse(l->in.text, &r)) {
        refuse(l, "the telegram tells no power and no current");
        return;
    }
    l->result = EXIT_GOOD;
    for (int i = 1; i < SITE_PHASES; i++)
        if (r.i_ma[i] != EVENT_NO_VALUE || r.v_mv[i] != EVENT_NO_VALUE)
            phases = i + 1;
    if (l->json)
        print_json(l, &r);
    else if (l->raw)
        printf("%s\n", l->in.text);
    if (!l->json)
        meter_print_reading(&r, phases);
    fflush(stdout);
    if (!reading_plausible(&r, NULL, text, sizeof text) ||
        !reading_agrees(&r, text, sizeof text))
        refuse(l, text);
}

static void on_result(struct listener *l, enum p1_result result)
{
    switch (result) {
    case P1_MORE:
        break;
    case P1_TELEGRAM:
        on_telegram(l);
        break;
    case P1_BAD_SUM:
        refuse(l, "a telegram with a wrong check sum: see the cable");
        break;
    case P1_NO_SUM:
        refuse(l, "a telegram without check sum: a meter before DSMR 4 cannot be used");
        break;
    case P1_TOO_LONG:
        refuse(l, "a telegram that does not end: is it a P1 port?");
        break;
    }
}

/* Reads on until a telegram is complete, good or not. False: no more comes. */
static bool hear(struct listener *l)
{
    int64_t end_ms = clock_ms() + 1000 * (int64_t)l->timeout_s;
    bool complete = false;

    while (!complete) {
        struct pollfd p = {.fd = l->fd, .events = POLLIN};
        int64_t left_ms = end_ms - clock_ms();
        char bytes[256];
        ssize_t n;

        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        n = read(l->fd, bytes, sizeof bytes);
        l->gone = n <= 0;
        if (l->gone)
            break;
        l->heard = true;
        for (ssize_t at = 0; at < n && (l->watch || !complete);) {
            enum p1_result result;

            at += (ssize_t)p1_feed(&l->in, bytes + at, (size_t)(n - at), &result);
            on_result(l, result);
            complete = complete || result != P1_MORE;
        }
    }
    return complete;
}

static int listen_to(struct listener *l)
{
    int stop_fd = eventfd(0, EFD_CLOEXEC); /* nobody stops it but a signal's default */
    char text[200];

    l->result = EXIT_UNAVAILABLE;
    if (stop_fd < 0 || modbus_open(&l->address, stop_fd, CONNECT_MS, &l->fd, text,
                                   sizeof text) != LINE_OK) {
        fprintf(stderr, "chargehand meter: %s\n", stop_fd < 0 ? "no descriptor" : text);
        return EXIT_UNAVAILABLE;
    }
    while (hear(l) && l->watch)
        ;
    if (l->result == EXIT_UNAVAILABLE && l->heard)
        refuse(l, "what comes is no telegram: see the baud rate");
    else if (l->result == EXIT_UNAVAILABLE && l->gone)
        fprintf(stderr, "chargehand meter: the connection is lost\n");
    else if (l->result == EXIT_UNAVAILABLE)
        fprintf(stderr, "chargehand meter: no telegram in %d s: %s\n", l->timeout_s,
                l->address.transport == TRANSPORT_RTU
                    ? "see the cable, and whether its port is switched on"
                    : "does it serve another client, like the running controller?");
    close(l->fd);
    close(stop_fd);
    return l->result;
}

static bool parse_place(struct listener *l, const char *text)
{
    struct line_address *a = &l->address;
    const char *colon = strrchr(text, ':');
    char *rest;
    long port;

    *a = (struct line_address){
        .baud = 115200, .parity = 'N', .data_bits = 8, .stop_bits = 1};
    if (*text == '/') {
        a->transport = TRANSPORT_RTU;
        a->device = l->host;
        return meter_parse_device(a, l->host, sizeof l->host, text);
    }
    port = colon ? strtol(colon + 1, &rest, 10) : 0;
    if (port < 1 || port > 65535 || *rest || colon - text >= (int)sizeof l->host)
        return false;
    snprintf(l->host, sizeof l->host, "%.*s", (int)(colon - text), text);
    a->transport = TRANSPORT_RTUTCP;
    a->host = l->host;
    a->port = (int)port;
    return true;
}

static bool parse(struct listener *l, int argc, char **argv, bool *asked)
{
    static const struct option options[] = {
        {"watch", no_argument, NULL, 'w'}, {"timeout", required_argument, NULL, 'o'},
        {"raw", no_argument, NULL, 'x'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},  {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        l->watch |= c == 'w';
        l->raw |= c == 'x';
        l->json |= c == 'j';
        *asked |= c == 'h';
        if (c == 'o')
            l->timeout_s = atoi(optarg);
        if (c == '?' || l->timeout_s < 1 || l->timeout_s > 3600)
            return false;
    }
    return *asked || (optind == argc - 1 && parse_place(l, argv[optind]));
}

int meter_p1(int argc, char **argv)
{
    struct listener *l = calloc(1, sizeof *l);
    int result = EXIT_USAGE;
    bool asked = false;

    if (!l)
        return EXIT_IO;
    l->timeout_s = SILENCE_S;
    if (!parse(l, argc, argv, &asked))
        fputs(help, stderr);
    else if (asked)
        fputs(help, stdout);
    else
        result = listen_to(l);
    if (asked)
        result = EXIT_GOOD;
    free(l);
    return result;
}
