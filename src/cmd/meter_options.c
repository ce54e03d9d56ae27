/* SPDX-License-Identifier: Apache-2.0 */
/* The options of chargehand meter read and scan. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "config/value.h"

static bool parse_host(struct meter_options *o, const char *text)
{
    const char *colon = strrchr(text, ':'), *end = text + strlen(text);
    char *rest = NULL;
    long port = 0;

    if (text[0] == '[') {
        end = strchr(text, ']');
        if (!end)
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
        text++;
    } else if (colon) {
        end = colon;
    }
    if (colon) {
        port = strtol(colon + 1, &rest, 10);
        if (*rest || port < 1 || port > 65535)
            return false;
    }
    o->address.port = (int)port;
    snprintf(o->host, sizeof o->host, "%.*s", (int)(end - text), text);
    o->address.host = o->host;
    return o->host[0] != '\0';
}

static bool parse_frame(struct line_address *a, const char *text)
{
    int end = 0;

    return sscanf(text, "%1d%c%1d%n", &a->data_bits, &a->parity, &a->stop_bits, &end) ==
               3 &&
           !text[end] && a->data_bits >= 7 && a->data_bits <= 8 &&
           strchr("NEO", a->parity) && a->stop_bits >= 1 && a->stop_bits <= 2;
}

bool meter_parse_device(struct line_address *a, char *device, size_t size,
                        const char *text)
{
    char *colon, *rest;
    long baud;

    if (strlen(text) >= size)
        return false;
    snprintf(device, size, "%s", text);
    a->device = device;
    colon = strrchr(device, ':');
    if (colon && strlen(colon) == 4 && parse_frame(a, colon + 1)) {
        *colon = '\0';
        colon = strrchr(device, ':');
        if (!colon)
            return false;
    }
    baud = colon ? strtol(colon + 1, &rest, 10) : 0;
    if (colon && *rest == '\0' && baud >= 300 && baud <= 1000000) {
        a->baud = (int)baud;
        *colon = '\0';
    }
    return device[0] != '\0' && (a->baud || !a->parity);
}

static bool parse_address(struct meter_options *o, enum transport t, const char *text)
{
    bool good;

    o->address.transport = t;
    good = strlen(text) < sizeof o->host &&
           (t == TRANSPORT_RTU
                ? meter_parse_device(&o->address, o->host, sizeof o->host, text)
                : parse_host(o, text));
    if (good && t == TRANSPORT_RTUTCP && o->address.port == 0)
        good = false;
    if (!good)
        fprintf(stderr, "chargehand meter: '%s' is not %s\n", text,
                t == TRANSPORT_RTU ? "DEVICE:BAUD:8N1" : "HOST:PORT");
    if (o->addressed)
        fprintf(stderr, "chargehand meter: one address, please\n");
    good = good && !o->addressed;
    o->addressed = true;
    return good;
}

static bool parse_number(const char *text, int min, int max, int *out)
{
    char *rest;
    long v = strtol(text, &rest, 10);

    if (*text == '\0' || *rest || v < min || v > max) {
        fprintf(stderr, "chargehand meter: '%s' must be from %d to %d\n", text, min,
                max);
        return false;
    }
    *out = (int)v;
    return true;
}

/* "3", or "1-16". */
static bool parse_units(struct meter_options *o, const char *text)
{
    const char *dash = strchr(text, '-');
    char first[8];

    if (!dash || dash == text || dash - text >= (int)sizeof first)
        return parse_number(text, 0, 255, &o->unit) && (o->last_unit = o->unit) >= 0;
    snprintf(first, sizeof first, "%.*s", (int)(dash - text), text);
    return parse_number(first, 0, 255, &o->unit) &&
           parse_number(dash + 1, o->unit, 255, &o->last_unit);
}

/* As the keys of the site file. */
static bool parse_here(struct conf_meter *m, int c, const char *arg)
{
    static const char *const orders[] = {"be", "ws", "bs", "le", NULL};
    char why[CONF_WHY];
    int64_t n = 0;
    bool good = c == 'c' ? conf_value_ratio(arg, &n, why)
                         : conf_value_choice(arg, orders, &n, why);

    if (good && c == 'c' && (n < 1000 || n > 2000000000)) {
        good = false;
        snprintf(why, sizeof why, "'%s' is out of range: 0.001 to 2000", arg);
    }
    if (!good)
        fprintf(stderr, "chargehand meter: --%s: %s\n", c == 'c' ? "ct" : "word-order",
                why);
    else if (c == 'c')
        m->ct_ppm = (int32_t)n;
    else
        m->word_order = orders[n];
    return good;
}

static bool parse_option(struct meter_options *o, int c, const char *arg)
{
    int s;

    switch (c) {
    case 't':
        return parse_address(o, TRANSPORT_TCP, arg);
    case 'r':
        return parse_address(o, TRANSPORT_RTU, arg);
    case 'g':
        return parse_address(o, TRANSPORT_RTUTCP, arg);
    case 'm':
        o->model = arg;
        return true;
    case 'l':
        o->serial = arg;
        return true;
    case 'u':
        return parse_units(o, arg);
    case 'o':
        return parse_number(arg, 50, 30000, &o->timeout_ms);
    case 's':
        if (!parse_number(arg, 1, 3600, &s))
            return false;
        o->interval_ms = s * 1000;
        return true;
    case 'i':
        return o->turned = true;
    case 'c':
    case 'e':
        return parse_here(&o->here, c, arg);
    case 'n':
        return parse_number(arg, 1, 125, &o->here.max_regs);
    case 'w':
        return o->watch = true;
    case 'x':
        return o->raw = true;
    case 'j':
        return o->json = true;
    default:
        return false;
    }
}

static const char *missing(const struct meter_options *o, bool reads)
{
    if (!o->addressed)
        return "--tcp, --rtu or --rtutcp is missing";
    if (reads && !o->model)
        return "--model is missing";
    if (reads && o->last_unit != o->unit)
        return "one unit id, please";
    return NULL;
}

int meter_parse_options(struct meter_options *o, int argc, char **argv,
                        const char *help, bool reads)
{
    static const struct option options[] = {
        {"tcp", required_argument, NULL, 't'},
        {"rtu", required_argument, NULL, 'r'},
        {"rtutcp", required_argument, NULL, 'g'},
        {"model", required_argument, NULL, 'm'},
        {"serial", required_argument, NULL, 'l'},
        {"unit", required_argument, NULL, 'u'},
        {"units", required_argument, NULL, 'u'},
        {"timeout", required_argument, NULL, 'o'},
        {"interval", required_argument, NULL, 's'},
        {"invert", no_argument, NULL, 'i'},
        {"ct", required_argument, NULL, 'c'},
        {"word-order", required_argument, NULL, 'e'},
        {"max-regs", required_argument, NULL, 'n'},
        {"watch", no_argument, NULL, 'w'},
        {"raw", no_argument, NULL, 'x'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    const char *lacks;
    int c;

    *o = (struct meter_options){.unit = -1, .last_unit = -1, .interval_ms = 1000};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return EXIT_GOOD;
        }
        if (!parse_option(o, c, optarg))
            return EXIT_USAGE;
    }
    lacks = optind < argc ? "too many words" : missing(o, reads);
    if (!lacks)
        return -1;
    fprintf(stderr, "chargehand meter: %s\n\n%s", lacks, help);
    return EXIT_USAGE;
}

/* What the command line leaves open comes from the definition. */
bool meter_complete_address(struct meter_options *o, struct definition *d, char *err,
                            size_t size)
{
    struct line_address *a = &o->address;

    if (a->transport == TRANSPORT_RTU && !a->baud && !d->bus.has_serial) {
        snprintf(err, size,
                 "\"%s\" has no usual speed: --rtu DEVICE:BAUD:8N1, as it is set there",
                 d->id);
        return false;
    }

    if (!a->port)
        a->port = d->bus.port;
    if (!a->baud)
        a->baud = d->bus.baud;
    if (!a->parity) {
        a->parity = d->bus.parity;
        a->data_bits = d->bus.data_bits;
        a->stop_bits = d->bus.stop_bits;
    }
    if (o->timeout_ms)
        d->bus.timeout_ms = o->timeout_ms;
    return true;
}

char *meter_address_text(const struct line_address *a, char *text, size_t size)
{
    if (a->transport == TRANSPORT_RTU)
        snprintf(text, size, "%s %d %d%c%d", a->device, a->baud, a->data_bits,
                 a->parity, a->stop_bits);
    else
        snprintf(text, size, "%s:%d", a->host, a->port);
    return text;
}
