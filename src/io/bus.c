/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of the Modbus lines: who is read when, what is told, when to connect
 * again. */
#include "io/bus.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/bus_input.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/meter_files.h"
#include "io/meter_poll.h"

enum {
    BACKOFF_MAX_S = 60,
    CONNECT_MS = 3000, /* at least: a SYN is repeated after a second */
    TIMEOUTS_MAX = 3,  /* in a row: then the connection is made anew */
    FAILURES_TOLD = 3  /* cycles without an answer, in a row */
};

/* A meter, or a digital input. */
struct bus_meter {
    struct meter_poll *poll;        /* NULL: an input */
    const struct conf_input *input; /* NULL: a meter */
    const char *name;
    int index;         /* in the site, or of the inputs */
    bool first_served; /* the grid connection's: it is read at least every other time */
    int32_t interval_ms, max_age_ms;
    int64_t due_ms;
    int64_t good_ms;    /* last reading, or start */
    int failures;       /* cycles in a row without one */
    int silent;         /* ... and without any answer */
    int64_t trouble_ms; /* when it was told; 0 = none */
};

struct bus_line {
    struct modbus_line *line;
    const struct conf_meter *at; /* how it is reached: of the first on it */
    struct inbox *inbox;
    pthread_t thread;
    bool started;
    struct bus_meter *meters;
    int n_meters;
    int last;        /* meter read last */
    int timeouts;    /* in a row, whichever the meter */
    int backoff_s;   /* before the next connection attempt */
    int64_t open_ms; /* not before then */
    bool opened;     /* at least once: the next one is a new one */
};

struct buses {
    struct bus_line *lines;
    int n_lines;
};

/* ---- troubles ---- */

static void trouble_begins(struct bus_line *b, struct bus_meter *m, const char *text)
{
    if (m->trouble_ms)
        return;
    m->trouble_ms = clock_ms();
    inbox_trouble(b->inbox, true, m->poll ? "meter" : "input", m->name, "%s", text);
}

static void trouble_ends(struct bus_line *b, struct bus_meter *m)
{
    if (!m->trouble_ms)
        return;
    inbox_trouble(b->inbox, false, m->poll ? "meter" : "input", m->name,
                  "reads again after %lld s",
                  (long long)((clock_ms() - m->trouble_ms) / 1000));
    m->trouble_ms = 0;
}

/* ---- readings ---- */

static void put_reading(struct bus_line *b, const struct bus_meter *m,
                        const struct poll_reading *p)
{
    struct inbox_item item = {.kind = INBOX_EVENT};
    struct event_meter *e = &item.event.meter;

    item.event.at_ms = p->at_ms;
    item.event.kind = EVENT_METER;
    item.event.who = m->index;
    memcpy(e->i_ma, p->r.i_ma, sizeof e->i_ma);
    memcpy(e->v_mv, p->r.v_mv, sizeof e->v_mv);
    e->p_w = p->r.p_w;
    e->changed_ms = p->changed_ms;
    inbox_put(b->inbox, &item);

    item = (struct inbox_item){.kind = INBOX_METER};
    item.reading.meter = m->index;
    memcpy(item.reading.p_phase_w, p->r.p_phase_w, sizeof item.reading.p_phase_w);
    item.reading.hz_mhz = p->r.hz_mhz;
    item.reading.import_wh = p->r.import_wh;
    item.reading.export_wh = p->r.export_wh;
    inbox_put(b->inbox, &item);
}

static int doubled(int s)
{
    return s == 0 ? 1 : s * 2 < BACKOFF_MAX_S ? s * 2 : BACKOFF_MAX_S;
}

/* A meter that keeps silent is asked less and less often, so that the others on the
 * line are not held up. */
static int64_t pause_after_failures(const struct bus_meter *m)
{
    int s = 0;

    for (int i = FAILURES_TOLD; i <= m->silent && s < BACKOFF_MAX_S; i++)
        s = doubled(s);
    return s * 1000;
}

static void schedule(struct bus_meter *m)
{
    int64_t now_ms = clock_ms(), pause_ms = pause_after_failures(m);

    m->due_ms += m->interval_ms;
    if (m->due_ms < now_ms)
        m->due_ms = now_ms; /* no catching up */
    if (m->due_ms < now_ms + pause_ms)
        m->due_ms = now_ms + pause_ms;
}

static void take_failure(struct bus_line *b, struct bus_meter *m,
                         enum poll_result result)
{
    bool old = clock_ms() - m->good_ms > m->max_age_ms;

    if (result != POLL_LATER)
        m->failures++;
    m->silent = result == POLL_NONE ? m->silent + 1 : 0;
    if (old || result == POLL_FAULT || m->failures >= FAILURES_TOLD)
        trouble_begins(b, m,
                       m->poll ? meter_poll_text(m->poll) : modbus_line_text(b->line));
}

static enum poll_result cycle_meter(struct bus_line *b, struct bus_meter *m)
{
    struct poll_reading p;
    enum poll_result result = meter_poll_cycle(m->poll, b->line, false, &p);

    if (result == POLL_READING) {
        m->good_ms = p.at_ms;
        put_reading(b, m, &p);
    }
    return result;
}

static enum poll_result cycle_input(struct bus_line *b, struct bus_meter *m)
{
    struct inbox_item item = {.kind = INBOX_INPUT};
    enum poll_result result = bus_input_read(m->input, b->line, &item.input.active);

    if (result == POLL_READING) {
        item.input.input = m->index;
        item.input.at_ms = m->good_ms = clock_ms();
        inbox_put(b->inbox, &item);
    }
    return result;
}

/* One cycle of one meter or input. */
static void read_one(struct bus_line *b, struct bus_meter *m)
{
    enum poll_result result = m->poll ? cycle_meter(b, m) : cycle_input(b, m);

    if (result == POLL_STOPPED)
        return;
    if (result == POLL_READING) {
        m->failures = m->silent = 0;
        trouble_ends(b, m);
    } else {
        take_failure(b, m, result);
    }
    schedule(m);
    if (result != POLL_NONE && result != POLL_LOST) {
        b->timeouts = 0;
        b->backoff_s = 0;
    } else if (result == POLL_NONE) {
        b->timeouts += 2; /* it has been asked twice */
        if (b->timeouts >= TIMEOUTS_MAX)
            modbus_line_close(b->line);
    }
}

/* ---- the line ---- */

static int connect_timeout_ms(const struct bus_line *b)
{
    int ms = CONNECT_MS;

    for (int i = 0; i < b->n_meters; i++) {
        const struct definition *d =
            b->meters[i].poll ? meter_poll_definition(b->meters[i].poll) : NULL;

        if (d && d->bus.timeout_ms > ms)
            ms = d->bus.timeout_ms;
    }
    return ms;
}

static int connect_pause_ms(const struct bus_line *b)
{
    int ms = 0;

    for (int i = 0; i < b->n_meters; i++) {
        const struct definition *d =
            b->meters[i].poll ? meter_poll_definition(b->meters[i].poll) : NULL;

        if (d && d->bus.connect_ms > ms)
            ms = d->bus.connect_ms;
    }
    return ms;
}

/* Connects when its time has come. False = not connected. */
static bool connect_line(struct bus_line *b)
{
    enum line_result result;

    if (!modbus_line_wait(b->line, b->open_ms))
        return false;
    result = modbus_line_open(b->line, connect_timeout_ms(b));
    b->backoff_s = doubled(b->backoff_s);
    b->open_ms = clock_ms() + b->backoff_s * 1000;
    b->timeouts = 0;
    if (result == LINE_BROKEN)
        for (int i = 0; i < b->n_meters; i++)
            trouble_begins(b, &b->meters[i], modbus_line_text(b->line));
    if (result != LINE_OK)
        return false;
    for (int i = 0; i < b->n_meters && b->opened; i++)
        if (b->meters[i].poll)
            meter_poll_reset(b->meters[i].poll);
    b->opened = true;
    return modbus_line_wait(b->line, clock_ms() + connect_pause_ms(b));
}

/* Whose turn it is: the grid connection's meter when it is due and was not the one
 * before, else the one that is due first. */
static int choose(const struct bus_line *b)
{
    int64_t now_ms = clock_ms();
    int best = 0;

    for (int i = 0; i < b->n_meters; i++) {
        if (b->meters[i].first_served && i != b->last && b->meters[i].due_ms <= now_ms)
            return i;
        if (b->meters[i].due_ms < b->meters[best].due_ms)
            best = i;
    }
    return best;
}

static void *run_line(void *arg)
{
    struct bus_line *b = arg;

    while (!modbus_line_stopped(b->line)) {
        if (!modbus_line_is_open(b->line) && !connect_line(b))
            continue;
        int i = choose(b);

        if (!modbus_line_wait(b->line, b->meters[i].due_ms))
            break;
        b->last = i;
        read_one(b, &b->meters[i]);
    }
    modbus_line_close(b->line);
    return NULL;
}

/* ---- setting up ---- */

static bool same_line(const struct conf_meter *a, const struct conf_meter *b)
{
    if (a->transport != b->transport)
        return false;
    if (a->transport == TRANSPORT_RTU)
        return strcmp(a->device, b->device) == 0;
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static struct bus_line *line_for(struct buses *buses, const struct config *c,
                                 const struct conf_meter *m, struct inbox *inbox)
{
    struct line_address a = {.transport = m->transport,
                             .host = m->host,
                             .port = m->port,
                             .device = m->device,
                             .baud = m->baud,
                             .parity = m->parity,
                             .data_bits = m->data_bits,
                             .stop_bits = m->stop_bits};
    struct bus_line *b;
    char err[160];

    for (int i = 0; i < buses->n_lines; i++)
        if (same_line(m, buses->lines[i].at))
            return &buses->lines[i];
    b = &buses->lines[buses->n_lines];
    b->at = m;
    b->inbox = inbox;
    b->last = SITE_NONE;
    b->meters = calloc((size_t)(c->site.n_meters + c->n_inputs), sizeof *b->meters);
    b->line = b->meters ? modbus_line_new(&a, err, sizeof err) : NULL;
    if (!b->line) {
        log_errorx("%s", b->meters ? err : "out of memory");
        free(b->meters);
        b->meters = NULL;
        return NULL;
    }
    buses->n_lines++;
    return b;
}

static bool add_meter(struct buses *buses, const struct config *c, int meter,
                      struct inbox *inbox)
{
    const struct conf_meter *conf = &c->meters[meter];
    char err[2000] = "";
    struct definition *d = meter_files_load(conf->model, err, sizeof err);
    struct meter_poll *poll;
    struct bus_line *b;

    if (d && conf->role == METER_SOLAR && d->kind == DEF_HYBRID)
        definition_solar_side(d);
    poll = d ? meter_poll_new(d, conf->unit, conf->invert, err, sizeof err) : NULL;
    if (!poll) {
        log_errorx("meter %s: %.*s", conf->name, (int)strcspn(err, "\n"), err);
        return false;
    }
    b = line_for(buses, c, conf, inbox);
    if (!b) {
        meter_poll_free(poll);
        return false;
    }
    b->meters[b->n_meters++] = (struct bus_meter){
        .poll = poll,
        .name = conf->name,
        .index = meter,
        .first_served = c->site.n_circuits > 0 && c->site.circuits[0].meter == meter,
        .interval_ms = conf->interval_ms > 0 ? conf->interval_ms : 1000,
        .max_age_ms = conf->max_age_ms > 0 ? conf->max_age_ms : 10000,
        .due_ms = clock_ms(),
        .good_ms = clock_ms()};
    return true;
}

static bool add_input(struct buses *buses, const struct config *c, int input,
                      struct inbox *inbox)
{
    const struct conf_input *conf = &c->inputs[input];
    struct bus_line *b = line_for(buses, c, &conf->at, inbox);

    if (!b)
        return false;
    b->meters[b->n_meters++] = (struct bus_meter){.input = conf,
                                                  .name = conf->at.name,
                                                  .index = input,
                                                  .interval_ms = conf->at.interval_ms,
                                                  .max_age_ms = conf->at.max_age_ms,
                                                  .due_ms = clock_ms(),
                                                  .good_ms = clock_ms()};
    return true;
}

/* Signals are the main thread's; a write to a dead socket must not raise SIGPIPE. */
static bool start_line(struct bus_line *b)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    b->started = pthread_create(&b->thread, NULL, run_line, b) == 0;
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
        good = add_meter(buses, c, i, inbox) && good; /* tells of each that is wrong */
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
        modbus_line_free(b->line);
    }
    free(buses->lines);
    free(buses);
}
