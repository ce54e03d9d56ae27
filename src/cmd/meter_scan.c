/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter scan: which units answer on a line, and as which models. */
#include "cmd/meter_scan.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"

static const char help[] =
    "usage: chargehand meter scan --tcp HOST[:PORT] | --rtu DEVICE[:BAUD[:8N1]] |\n"
    "           --rtutcp HOST:PORT  [--units A-B] [--model NAME] [--timeout MS]\n"
    "           [--serial LIST] [--json]\n\n"
    "Asks each unit id for what each known model would have, and tells which models\n"
    "give plausible values: V, A and W that fit together. Reads only. Interrupted, it\n"
    "tells what was found so far.\n\n"
    "  --units A-B    Modbus unit ids (1-10)\n"
    "  --model NAME   looks for this model only\n"
    "  --serial LIST  settings to try on a serial port: \"9600 8N1,19200 8E1\"; "
    "without\n"
    "                 it and BAUD, those of all models, the most usual ones first. It\n"
    "                 ends with the first one at which somebody answers\n"
    "  --timeout MS   to wait for an answer (300)\n"
    "  --json         as one JSON array\n\n"
    "Exit 0 when something was found, 1 when nothing was, 69 when there is no\n"
    "connection.\n";

enum { SETTINGS = 16, CONNECT_MS = 3000 };

struct scan {
    struct meter_options o;
    struct scan_models *models;
    struct modbus_line *line;
    struct line_address settings[SETTINGS]; /* to try in turn */
    int n_settings;
    char where[300];
    cJSON *found; /* NULL = as text */
    int n_found, n_answers;
    bool progress, shown;
    bool connected; /* at least once */
};

/* ---- telling ---- */

static void show_progress(struct scan *s, int unit)
{
    if (!s->progress)
        return;
    fprintf(stderr, "\r\033[K%s: unit %d of %d to %d, %d found", s->where, unit,
            s->o.unit, s->o.last_unit, s->n_found);
    fflush(stderr);
    s->shown = true;
}

static void hide_progress(struct scan *s)
{
    if (s->shown)
        fputs("\r\033[K", stderr);
    s->shown = false;
}

static void tell_json(struct scan *s, const struct scan_unit *u)
{
    for (int i = 0; i < u->n_fits || i == 0; i++) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddStringToObject(o, "line", s->where);
        cJSON_AddNumberToObject(o, "unit", u->unit);
        if (i < u->n_fits) {
            cJSON_AddStringToObject(o, "model", u->fits[i].model);
            cJSON_AddNumberToObject(o, "score", u->fits[i].score);
        } else {
            cJSON_AddNullToObject(o, "model");
        }
        cJSON_AddItemToArray(s->found, o);
    }
}

static void tell_text(const struct scan *s, const struct scan_unit *u)
{
    const struct scan_fit *best = &u->fits[0];
    int same = 0;

    if (s->n_settings > 1 && s->n_answers == 1)
        printf("%s:\n", s->where);
    if (u->n_fits == 0) {
        printf("unit %3d  answers%s, but is none of the known models%s\n", u->unit,
               u->sunspec ? " as a SunSpec device" : "",
               u->sunspec ? ": a file in meters/ may be all it needs" : "");
        return;
    }
    printf("unit %3d  %-22s", u->unit, best->model);
    for (int i = 0; i < best->phases; i++)
        if (best->r.v_mv[i] != EVENT_NO_VALUE && best->r.i_ma[i] != EVENT_NO_VALUE)
            printf("  L%d %.1f V %.2f A", i + 1, best->r.v_mv[i] / 1000.0,
                   best->r.i_ma[i] / 1000.0);
    printf("\n");
    for (int i = 1; i < u->n_fits && u->fits[i].score == best->score; i++, same++)
        printf("%s%s",
               same ? ", " : "          the same registers: ", u->fits[i].model);
    if (same)
        printf("\n");
}

static void tell(struct scan *s, const struct scan_unit *u)
{
    s->n_answers++;
    s->n_found += u->n_fits > 0;
    hide_progress(s);
    if (s->found)
        tell_json(s, u);
    else
        tell_text(s, u);
    fflush(stdout);
}

/* ---- asking ---- */

static bool connected(struct scan *s)
{
    bool open = modbus_line_is_open(s->line) ||
                modbus_line_open(s->line, CONNECT_MS) == LINE_OK;

    s->connected = s->connected || open;
    return open;
}

/* All units with one setting of the line. False = it cannot go on. */
static bool scan_line(struct scan *s)
{
    for (int unit = s->o.unit; unit <= s->o.last_unit; unit++) {
        struct scan_unit u = {0};
        enum line_result result = LINE_BROKEN;

        show_progress(s, unit);
        for (int tries = 0; tries < 2 && result == LINE_BROKEN; tries++) {
            if (!connected(s))
                return false;
            result = scan_models_ask(s->models, s->line, unit, s->o.timeout_ms, &u);
        }
        if (u.answers)
            tell(s, &u);
        if (result == LINE_STOPPED) {
            hide_progress(s);
            fprintf(stderr, "interrupted at unit %d\n", unit);
            return false;
        }
    }
    return true;
}

/* Nobody answers on TCP: perhaps in the other frames. */
static void hint(struct scan *s)
{
    struct line_request r = {
        .unit = s->o.unit, .fc = 3, .at = 0, .n = 1, .timeout_ms = s->o.timeout_ms};

    if (s->n_answers || meter_signalled() || s->o.address.transport == TRANSPORT_RTU)
        return;
    if (modbus_line_speaks_other(s->line, &r))
        fprintf(stderr, "chargehand meter: unit %d speaks the other framing: scan %s\n",
                r.unit,
                s->o.address.transport == TRANSPORT_TCP ? "--rtutcp instead of --tcp"
                                                        : "--tcp instead of --rtutcp");
}

/* Goes on until a setting of the line is the right one. False = no connection. */
static bool scan_settings(struct scan *s)
{
    bool good = true;

    for (int i = 0; i < s->n_settings && good && !s->n_answers; i++) {
        char err[300];

        s->line = modbus_line_new(&s->settings[i], err, sizeof err);
        if (!s->line) {
            fprintf(stderr, "chargehand meter: %s\n", err);
            return false;
        }
        snprintf(s->where, sizeof s->where, "%s", modbus_line_name(s->line));
        meter_until_signal(s->line);
        good = scan_line(s) && !meter_signalled();
        hide_progress(s);
        if (!good && !meter_signalled())
            fprintf(stderr, "chargehand meter: %s\n", modbus_line_text(s->line));
        if (good)
            hint(s);
        meter_until_signal(NULL);
        modbus_line_free(s->line);
    }
    return good || s->connected;
}

static int scan_all(struct scan *s)
{
    if (!scan_settings(s))
        return EXIT_UNAVAILABLE;
    if (s->found) {
        char *text = cJSON_Print(s->found);

        puts(text ? text : "[]");
        free(text);
    } else if (s->n_answers == 0) {
        printf("nothing found on %s%s\n", s->where,
               s->n_settings > 1 ? ", nor at other speeds" : "");
    }
    return s->n_found ? EXIT_GOOD : EXIT_NEGATIVE;
}

/* ---- settings ---- */

/* "9600 8N1,19200 8E1" */
static bool parse_settings(struct scan *s, const char *text)
{
    while (*text && s->n_settings < SETTINGS) {
        struct line_address *a = &s->settings[s->n_settings++];
        int end = 0;

        *a = s->o.address;
        if (sscanf(text, " %7d %1d%c%1d%n", &a->baud, &a->data_bits, &a->parity,
                   &a->stop_bits, &end) != 4 ||
            !end || a->baud < 300 || (a->data_bits != 7 && a->data_bits != 8) ||
            !strchr("NEO", a->parity) || a->stop_bits < 1 || a->stop_bits > 2 ||
            (text[end] && text[end] != ','))
            return false;
        text += end + (text[end] == ',');
    }
    return !*text && s->n_settings > 0;
}

static bool make_settings(struct scan *s)
{
    const struct line_address *a = &s->o.address;

    if (s->o.serial && a->transport == TRANSPORT_RTU)
        return parse_settings(s, s->o.serial);
    for (int i = 0; i < SETTINGS; i++)
        s->settings[i] = *a;
    s->n_settings = 1;
    if (a->transport != TRANSPORT_RTU)
        s->settings[0].port = a->port ? a->port : 502;
    else if (a->baud == 0)
        s->n_settings = scan_models_serial(s->models, s->settings, SETTINGS);
    if (s->n_settings == 0) { /* a model without usual settings */
        s->n_settings = 1;
        s->settings[0].baud = 9600;
    }
    for (int i = 0; i < s->n_settings; i++)
        if (s->settings[i].parity == 0) {
            s->settings[i].parity = 'N';
            s->settings[i].data_bits = 8;
            s->settings[i].stop_bits = 1;
        }
    return true;
}

int meter_scan(int argc, char **argv)
{
    struct scan s = {0};
    int result = meter_parse_options(&s.o, argc, argv, help, false);

    if (result >= 0)
        return result;
    if (s.o.unit < 0) {
        s.o.unit = 1;
        s.o.last_unit = 10;
    }
    if (!s.o.timeout_ms)
        s.o.timeout_ms = 300;
    s.models = scan_models_new(s.o.model);
    if (!s.models)
        return EXIT_CONFIG;
    if (make_settings(&s)) {
        s.found = s.o.json ? cJSON_CreateArray() : NULL;
        s.progress = isatty(STDERR_FILENO);
        result = scan_all(&s);
        cJSON_Delete(s.found);
    } else {
        fprintf(stderr, "chargehand meter: '%s' is not \"BAUD 8N1,BAUD 8E1\"\n",
                s.o.serial);
        result = EXIT_USAGE;
    }
    scan_models_free(s.models);
    return result;
}
