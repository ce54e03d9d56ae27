/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter scan: which units answer on a line, and as which models. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "io/meter_files.h"
#include "io/meter_poll.h"

static const char help[] =
    "usage: chargehand meter scan --tcp HOST[:PORT] | --rtu DEVICE:BAUD:8N1 |\n"
    "           --rtutcp HOST:PORT  [--units A-B] [--timeout MS] [--json]\n\n"
    "Asks each unit id for what each known model would have, and tells which models\n"
    "give plausible values: V, A and W that fit together. Reads only.\n\n"
    "  --units A-B    Modbus unit ids (1-10)\n"
    "  --timeout MS   to wait for an answer (300)\n"
    "  --json         as one JSON array\n\n"
    "Exit 0 when something was found, 1 when nothing was, 69 when there is no\n"
    "connection.\n";

struct scan {
    struct meter_options o;
    struct modbus_line *line;
    struct meter_file *files;
    int n_files;
    cJSON *found; /* NULL = as text */
    int n_found;
};

static void tell(struct scan *s, int unit, const struct definition *d,
                 const struct poll_reading *p)
{
    s->n_found++;
    if (s->found) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddNumberToObject(o, "unit", unit);
        cJSON_AddStringToObject(o, "model", d->id);
        cJSON_AddItemToArray(s->found, o);
        return;
    }
    printf("unit %3d  %-22s", unit, d->id);
    for (int i = 0; i < d->phases; i++)
        if (p->r.v_mv[i] != EVENT_NO_VALUE && p->r.i_ma[i] != EVENT_NO_VALUE)
            printf("  L%d %.1f V %.2f A", i + 1, p->r.v_mv[i] / 1000.0,
                   p->r.i_ma[i] / 1000.0);
    printf("\n");
    fflush(stdout);
}

static bool connected(struct scan *s)
{
    return modbus_line_is_open(s->line) || modbus_line_open(s->line, 3000) == LINE_OK;
}

/* Tries one model on one unit. POLL_NONE and POLL_LATER: nobody is there. */
static enum poll_result try_model(struct scan *s, int unit, const char *model)
{
    char err[2000];
    struct definition *d = meter_files_load(model, err, sizeof err);
    enum poll_result result = POLL_FAULT;
    struct meter_poll *m;
    struct poll_reading p;

    if (!d)
        return POLL_FAULT;
    d->bus.timeout_ms = s->o.timeout_ms;
    if (s->o.address.transport == TRANSPORT_TCP)
        d->bus.gap_ms = 0; /* a gateway looks after its line itself */
    m = meter_poll_new(d, unit, false, err, sizeof err);
    if (!m)
        return POLL_FAULT;
    if (!connected(s))
        result = POLL_LOST;
    else
        result = meter_poll_cycle(m, s->line, false, &p);
    if (result == POLL_READING)
        tell(s, unit, d, &p);
    meter_poll_free(m);
    return result;
}

static void scan_unit(struct scan *s, int unit)
{
    for (int i = 0; i < s->n_files && !modbus_line_stopped(s->line); i++) {
        enum poll_result result = try_model(s, unit, s->files[i].name);

        if (result == POLL_NONE || result == POLL_LATER)
            return;
    }
}

static int scan_all(struct scan *s)
{
    if (!connected(s)) {
        fprintf(stderr, "chargehand meter: %s\n", modbus_line_text(s->line));
        return EXIT_UNAVAILABLE;
    }
    for (int unit = s->o.unit; unit <= s->o.last_unit; unit++)
        if (!modbus_line_stopped(s->line))
            scan_unit(s, unit);
    if (s->found) {
        char *text = cJSON_Print(s->found);

        puts(text ? text : "[]");
        free(text);
    } else if (s->n_found == 0) {
        printf("nothing found on %s\n", modbus_line_name(s->line));
    }
    return s->n_found ? EXIT_GOOD : EXIT_NEGATIVE;
}

int meter_scan(int argc, char **argv)
{
    static struct definition common = {.bus = {.port = 502,
                                               .baud = 9600,
                                               .data_bits = 8,
                                               .parity = 'N',
                                               .stop_bits = 1,
                                               .has_serial = true}};
    struct scan s = {0};
    int result = meter_parse_options(&s.o, argc, argv, help, false);
    char err[300];

    if (result >= 0)
        return result;
    if (s.o.unit < 0) {
        s.o.unit = 1;
        s.o.last_unit = 10;
    }
    if (!s.o.timeout_ms)
        s.o.timeout_ms = 300;
    meter_complete_address(&s.o, &common, err, sizeof err);
    s.line = modbus_line_new(&s.o.address, err, sizeof err);
    if (!s.line) {
        fprintf(stderr, "chargehand meter: %s\n", err);
        return EXIT_IO;
    }
    s.n_files = meter_files_list(&s.files);
    s.found = s.o.json ? cJSON_CreateArray() : NULL;
    meter_until_signal(s.line);
    result = scan_all(&s);
    meter_until_signal(NULL);
    cJSON_Delete(s.found);
    free(s.files);
    modbus_line_free(s.line);
    return result;
}
