/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter read: one meter, once or again and again. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "io/clock.h"
#include "io/meter_files.h"
#include "io/meter_poll.h"

static const char help[] =
    "usage: chargehand meter read --tcp HOST[:PORT] | --rtu DEVICE[:BAUD[:8N1]] |\n"
    "           --rtutcp HOST:PORT  --model NAME [--unit N] [options]\n\n"
    "Reads one meter and prints what it measures. Positive is drawn from the grid.\n\n"
    "  --tcp HOST[:PORT]   Modbus TCP; the port is the model's, mostly 502\n"
    "  --rtu DEVICE:BAUD:8N1\n"
    "                      serial line; speed and frame are the model's if left out\n"
    "  --rtutcp HOST:PORT  serial frames through TCP, as simple gateways do it\n"
    "  --model NAME        one of `chargehand meter list`, or a path to a file\n"
    "  --unit N            Modbus unit id; the model's if left out\n"
    "  --timeout MS        to wait for an answer; the model's if left out\n"
    "  --invert            turns all signs: the meter is mounted the other way round\n"
    "  --ct RATIO          of its current transformers, like 250/5\n"
    "  --word-order ORDER  be, ws, bs or le, where the device can be set\n"
    "  --max-regs N        at most so many registers at once\n"
    "  --watch             again and again until interrupted\n"
    "  --interval S        seconds between readings with --watch (1)\n"
    "  --raw               the registers, too\n"
    "  --json              as JSON, a line per reading\n\n"
    "Exit 0 when it was read, 1 when what it says cannot be right or it refuses, 69\n"
    "when nothing answers.\n";

/* ---- printing ---- */

static void print_scaled(int32_t v, const char *format_unit, int decimals, int divisor,
                         int width)
{
    if (v == EVENT_NO_VALUE)
        printf(" %*s", width + 1 + (int)strlen(format_unit), "-");
    else
        printf(" %*.*f %s", width, decimals, (double)v / divisor, format_unit);
}

static bool has_phases(const struct meter_reading *r)
{
    for (int i = 0; i < SITE_PHASES; i++)
        if (r->v_mv[i] != EVENT_NO_VALUE || r->i_ma[i] != EVENT_NO_VALUE ||
            r->p_phase_w[i] != EVENT_NO_VALUE)
            return true;
    return false;
}

void meter_print_reading(const struct meter_reading *r, int phases)
{
    for (int i = 0; i < phases && has_phases(r); i++) {
        printf("  L%d   ", i + 1);
        print_scaled(r->v_mv[i], "V", 1, 1000, 8);
        print_scaled(r->i_ma[i], "A", 2, 1000, 9);
        print_scaled(r->p_phase_w[i], "W", 0, 1, 8);
        printf("\n");
    }
    printf("  total");
    print_scaled(r->hz_mhz, "Hz", 2, 1000, 8);
    printf("%*s", 11, "");
    print_scaled(r->p_w, "W", 0, 1, 8);
    printf("\n");
    if (r->import_wh != EVENT_NO_ENERGY)
        printf("  imported %12.3f kWh\n", (double)r->import_wh / 1000);
    if (r->export_wh != EVENT_NO_ENERGY)
        printf("  exported %12.3f kWh\n", (double)r->export_wh / 1000);
    if (r->pv_w != EVENT_NO_VALUE)
        printf("  solar    %8d W\n", r->pv_w);
    if (r->bat_w != EVENT_NO_VALUE)
        printf("  battery  %8d W\n", r->bat_w);
    if (r->soc_permille != EVENT_NO_VALUE)
        printf("  charged  %8.1f %%\n", r->soc_permille / 10.0);
}

static void print_raw(const struct plan *p)
{
    for (int i = 0; i < p->n_blocks; i++) {
        const struct block *b = &p->blocks[i];

        for (int k = 0; b->valid && k < b->n; k++)
            printf("%s%s%04X",
                   k % 8 ? " "
                   : k   ? "\n           "
                         : "",
                   k ? "" : (printf("  %d/%-7d", b->fc, b->at), ""), b->regs[k]);
        if (b->valid)
            printf("\n");
    }
}

static cJSON *number(int32_t v, int divisor)
{
    return v == EVENT_NO_VALUE ? cJSON_CreateNull()
                               : cJSON_CreateNumber((double)v / divisor);
}

static cJSON *numbers(const int32_t v[SITE_PHASES], int divisor)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < SITE_PHASES; i++)
        cJSON_AddItemToArray(list, number(v[i], divisor));
    return list;
}

static cJSON *energy(int64_t wh)
{
    return wh == EVENT_NO_ENERGY ? cJSON_CreateNull()
                                 : cJSON_CreateNumber((double)wh / 1000);
}

static cJSON *raw_json(const struct plan *p)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < p->n_blocks; i++) {
        const struct block *b = &p->blocks[i];
        cJSON *o, *words;

        if (!b->valid)
            continue;
        o = cJSON_CreateObject();
        words = cJSON_AddArrayToObject(o, "words");
        cJSON_AddNumberToObject(o, "function", b->fc);
        cJSON_AddNumberToObject(o, "at", b->at);
        for (int k = 0; k < b->n; k++)
            cJSON_AddItemToArray(words, cJSON_CreateNumber(b->regs[k]));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

void meter_reading_json(cJSON *j, const struct meter_reading *r)
{
    cJSON_AddItemToObject(j, "voltage_v", numbers(r->v_mv, 1000));
    cJSON_AddItemToObject(j, "current_a", numbers(r->i_ma, 1000));
    cJSON_AddItemToObject(j, "power_phase_w", numbers(r->p_phase_w, 1));
    cJSON_AddItemToObject(j, "power_w", number(r->p_w, 1));
    cJSON_AddItemToObject(j, "frequency_hz", number(r->hz_mhz, 1000));
    cJSON_AddItemToObject(j, "import_kwh", energy(r->import_wh));
    cJSON_AddItemToObject(j, "export_kwh", energy(r->export_wh));
    cJSON_AddItemToObject(j, "solar_w", number(r->pv_w, 1));
    cJSON_AddItemToObject(j, "battery_w", number(r->bat_w, 1));
    cJSON_AddItemToObject(j, "battery_percent", number(r->soc_permille, 10));
}

static void print_json(const struct meter_options *o, const struct meter_poll *m,
                       const struct meter_reading *r)
{
    cJSON *j = cJSON_CreateObject();
    char time[21], *text;

    cJSON_AddStringToObject(j, "time", clock_format_utc(clock_utc_s(), time));
    cJSON_AddStringToObject(j, "model", meter_poll_definition(m)->id);
    cJSON_AddNumberToObject(j, "unit", meter_poll_unit(m));
    meter_reading_json(j, r);
    if (o->raw)
        cJSON_AddItemToObject(j, "registers", raw_json(meter_poll_plan(m)));
    text = cJSON_PrintUnformatted(j);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(j);
}

static void print_head(const struct meter_poll *m, const struct modbus_line *l)
{
    int at, model = meter_poll_model(m, &at);

    printf("%s, unit %d at %s", meter_poll_definition(m)->id, meter_poll_unit(m),
           modbus_line_name(l));
    if (model)
        printf(", SunSpec model %d at register %d", model, at);
    printf("\n");
}

/* ---- reading ---- */

enum poll_result meter_try_read(struct meter_poll *m, struct modbus_line *l,
                                struct poll_reading *p)
{
    const struct definition *d = meter_poll_definition(m);
    int tries = d->sunspec.used ? d->sunspec.n_base : 1;
    enum poll_result result = POLL_LOST;

    for (int later = 0;;) {
        result = meter_poll_cycle(m, l, true, p);
        if (result == POLL_LATER && ++later < 5)
            modbus_line_wait(l, clock_ms() + 500);
        else if (result != POLL_NONE || --tries <= 0)
            return result;
    }
}

int meter_exit_code(enum poll_result result)
{
    return result == POLL_READING || result == POLL_STOPPED ? EXIT_GOOD
           : result == POLL_FAULT                           ? EXIT_NEGATIVE
                                                            : EXIT_UNAVAILABLE;
}

static int read_once(const struct meter_options *o, struct meter_poll *m,
                     struct modbus_line *l, bool first)
{
    struct poll_reading p;
    enum poll_result result = meter_try_read(m, l, &p);
    char time[21];

    if (result == POLL_READING && o->json) {
        print_json(o, m, &p.r);
    } else if (result == POLL_READING) {
        if (first)
            print_head(m, l);
        if (o->watch)
            printf("%s\n", clock_format_utc(clock_utc_s(), time));
        meter_print_reading(&p.r, meter_poll_definition(m)->phases);
    } else if (result != POLL_STOPPED) {
        fprintf(stderr, "chargehand meter: %s\n", meter_poll_text(m));
    }
    if (o->raw && !o->json && meter_poll_plan(m))
        print_raw(meter_poll_plan(m));
    fflush(stdout);
    return meter_exit_code(result);
}

static int open_and_read(const struct meter_options *o, struct meter_poll *m,
                         struct modbus_line *l)
{
    const struct definition *d = meter_poll_definition(m);
    int result = EXIT_UNAVAILABLE;
    int64_t next_ms = clock_ms();

    meter_until_signal(l);
    for (bool first = true; !modbus_line_stopped(l); first = false) {
        if (!modbus_line_is_open(l)) {
            if (modbus_line_open(l, d->bus.timeout_ms > 3000 ? d->bus.timeout_ms
                                                             : 3000) == LINE_OK) {
                meter_poll_reset(m);
                modbus_line_wait(l, clock_ms() + d->bus.connect_ms);
            } else if (!modbus_line_stopped(l)) {
                fprintf(stderr, "chargehand meter: %s\n", modbus_line_text(l));
            }
        }
        if (modbus_line_is_open(l))
            result = read_once(o, m, l, first);
        if (!o->watch)
            break;
        next_ms += o->interval_ms;
        if (next_ms < clock_ms())
            next_ms = clock_ms();
        modbus_line_wait(l, next_ms);
    }
    return result;
}

struct meter_poll *meter_open_poll(struct meter_options *o)
{
    char err[4000] = "";
    struct meter_poll *m = NULL;
    struct definition *d;

    o->here.model = o->model;
    d = meter_files_load_for(&o->here, err, sizeof err);
    if (d && meter_complete_address(o, d, err, sizeof err))
        m = meter_poll_new(d, o->unit, o->turned, err, sizeof err);
    else
        definition_free(d);
    if (!m)
        fprintf(stderr, "chargehand meter: %s%s", err,
                err[0] && err[strlen(err) - 1] == '\n' ? "" : "\n");
    return m;
}

int meter_read(int argc, char **argv)
{
    struct meter_options o;
    int result = meter_parse_options(&o, argc, argv, help, true);
    struct meter_poll *m;
    struct modbus_line *l;
    char err[300] = "";

    if (result >= 0)
        return result;
    m = meter_open_poll(&o);
    if (!m)
        return EXIT_CONFIG;
    l = modbus_line_new(&o.address, err, sizeof err);
    if (l)
        result = open_and_read(&o, m, l);
    else
        fprintf(stderr, "chargehand meter: %s\n", err);
    meter_until_signal(NULL);
    meter_poll_free(m);
    if (!l)
        return EXIT_IO;
    modbus_line_free(l);
    return result;
}
