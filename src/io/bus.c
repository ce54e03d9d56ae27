/* SPDX-License-Identifier: Apache-2.0 */
/* The Modbus lines of a site: which there are, who is on which, their threads. */
#include "io/bus.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/bus_line.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/meter_files.h"

struct buses {
    struct bus_line *lines;
    int n_lines;
};

static bool same_line(const struct conf_meter *a, const struct conf_meter *b)
{
    if (a->transport != b->transport)
        return false;
    if (a->transport == TRANSPORT_RTU)
        return strcmp(a->device, b->device) == 0;
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

/* The line of this meter or input, a new one if need be. `single`: what is there takes
 * one connection at a time. */
static struct bus_line *line_for(struct buses *buses, const struct conf_meter *m,
                                 bool single, struct inbox *inbox)
{
    struct line_address a = {.transport = m->transport,
                             .host = m->host,
                             .port = m->port,
                             .device = m->device,
                             .baud = m->baud,
                             .parity = m->parity,
                             .data_bits = m->data_bits,
                             .stop_bits = m->stop_bits,
                             .single = single};
    struct bus_line *b;
    char err[160];

    for (int i = 0; i < buses->n_lines; i++)
        if (same_line(m, buses->lines[i].at))
            return &buses->lines[i];
    b = &buses->lines[buses->n_lines];
    b->at = m;
    b->inbox = inbox;
    b->last = SITE_NONE;
    b->line = modbus_line_new(&a, err, sizeof err);
    if (!b->line) {
        log_errorx("%s", err);
        return NULL;
    }
    buses->n_lines++;
    return b;
}

/* Puts one more on the line. */
static bool join(struct bus_line *b, const struct bus_meter *m,
                 const struct conf_meter *conf, bool first_served)
{
    size_t n = (size_t)b->n_meters + 1;
    struct bus_meter *meters = realloc(b->meters, n * sizeof *meters);
    struct bus_turn *turns;

    if (meters)
        b->meters = meters;
    turns = meters ? realloc(b->turns, n * sizeof *turns) : NULL;
    if (!turns) {
        log_errorx("out of memory");
        return false;
    }
    b->turns = turns;
    meters[n - 1] = *m;
    meters[n - 1].name = conf->name;
    meters[n - 1].max_age_ms = conf->max_age_ms > 0 ? conf->max_age_ms : 10000;
    meters[n - 1].good_ms = clock_ms();
    turns[n - 1] = (struct bus_turn){
        .first_served = first_served,
        .interval_ms = conf->interval_ms > 0 ? conf->interval_ms : 1000,
        .due_ms = clock_ms(),
        .cost_ms = BUS_TURN_COST_MS};
    b->n_meters++;
    return true;
}

static bool add_meter(struct buses *buses, const struct config *c, int meter,
                      struct inbox *inbox)
{
    const struct conf_meter *conf = &c->meters[meter];
    char err[2000] = "";
    struct definition *d = meter_files_load_for(conf, err, sizeof err);
    struct meter_poll *poll;
    struct bus_line *b;

    if (d && conf->role == METER_SOLAR && d->kind == DEF_HYBRID)
        definition_solar_side(d);
    poll = d ? meter_poll_new(d, conf->unit, conf->invert, err, sizeof err) : NULL;
    if (!poll) {
        log_errorx("meter %s: %.*s", conf->name, (int)strcspn(err, "\n"), err);
        return false;
    }
    b = line_for(buses, conf, d->bus.max_conn == 1, inbox);
    if (b && join(b, &(struct bus_meter){.poll = poll, .index = meter}, conf,
                  c->site.n_circuits > 0 && c->site.circuits[0].meter == meter))
        return true;
    meter_poll_free(poll);
    return false;
}

static bool add_input(struct buses *buses, const struct config *c, int input,
                      struct inbox *inbox)
{
    const struct conf_input *conf = &c->inputs[input];
    struct bus_line *b = line_for(buses, &conf->at, false, inbox);

    return b && join(b, &(struct bus_meter){.input = conf, .index = input}, &conf->at,
                     false);
}

/* Signals are the main thread's; a write to a dead socket must not raise SIGPIPE. */
static bool start_line(struct bus_line *b)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    b->started = pthread_create(&b->thread, NULL, bus_line_run, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!b->started)
        log_errorx("%s: no thread for it", modbus_line_name(b->line));
    return b->started;
}

struct buses *buses_new(const struct config *c, struct inbox *inbox)
{
    struct buses *buses = calloc(1, sizeof *buses);
    bool good;

    if (buses)
        buses->lines =
            calloc((size_t)(c->site.n_meters + c->n_inputs) + 1, sizeof *buses->lines);
    good = buses && buses->lines;
    for (int i = 0; buses && buses->lines && i < c->site.n_meters; i++)
        if (c->meters[i].source == SOURCE_MODBUS) /* tells of each that is wrong */
            good = add_meter(buses, c, i, inbox) && good;
    for (int i = 0; good && i < c->n_inputs; i++)
        good = add_input(buses, c, i, inbox);
    for (int i = 0; good && i < buses->n_lines; i++)
        good = start_line(&buses->lines[i]);
    if (good)
        return buses;
    buses_free(buses);
    return NULL;
}

void buses_free(struct buses *buses)
{
    if (!buses)
        return;
    for (int i = 0; i < buses->n_lines; i++)
        modbus_line_stop(buses->lines[i].line);
    for (int i = 0; i < buses->n_lines; i++) {
        struct bus_line *b = &buses->lines[i];

        if (b->started)
            pthread_join(b->thread, NULL);
        for (int k = 0; k < b->n_meters; k++)
            meter_poll_free(b->meters[k].poll);
        free(b->meters);
        free(b->turns);
        modbus_line_free(b->line);
    }
    free(buses->lines);
    free(buses);
}
