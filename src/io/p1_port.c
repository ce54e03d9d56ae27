/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of the P1 ports. */
#include "io/p1_port.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/meter_tell.h"
#include "io/modbus_open.h"
#include "meter/p1.h"
#include "meter/plausible.h"

enum {
    CONNECT_MS = 5000,
    BACKOFF_MAX_MS = 60000,
    BAD_SUMS = 3,      /* in a row are told */
    READINGS_MS = 100, /* not more often, whatever comes */
    SILENCE_MS = 30000 /* at least: then a new connection is tried */
};

struct p1_port {
    const struct conf_meter *conf; /* of the configuration in use */
    int index;
    struct inbox *inbox;
    pthread_t thread;
    bool started;
    int stop_fd, fd;
    struct p1 in;
    int64_t begin_ms;  /* of the telegram on its way */
    int64_t good_ms;   /* last reading, or start */
    int64_t period_ms; /* between the last two; 0 = not known */
    int64_t opened_ms; /* the connection */
    int64_t changed_ms, told_ms;
    uint64_t hash;
    bool read;    /* at least once */
    bool heard;   /* anything at all since good_ms */
    int bad_sums; /* telegrams in a row */
    char why[96]; /* the last telegram was of no use; "" = there was none */
    struct belief belief;
    struct counter imported, exported;
    struct meter_trouble trouble;
};

struct p1_ports {
    struct p1_port *ports;
    int n;
};

/* ---- telegrams ---- */

static void trouble(struct p1_port *p, const char *text)
{
    meter_tell_trouble(p->inbox, &p->trouble, "meter", p->conf->name, text);
}

/* With its time and all counts in it, so one that is repeated is known. */
static void note_change(struct p1_port *p)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < p->in.n; i++)
        h = (h ^ (uint8_t)p->in.text[i]) * 1099511628211u;
    if (h != p->hash || p->changed_ms == 0)
        p->changed_ms = p->begin_ms;
    p->hash = h;
}

static void on_telegram(struct p1_port *p)
{
    struct meter_reading r;
    char text[128];

    if (!p1_parse(p->in.text, &r)) {
        trouble(p, "its telegrams tell no power and no current");
        return;
    }
    if (p->conf->ct_ppm)
        reading_transform(&r, p->conf->ct_ppm);
    if (!reading_believed(&p->belief, &r, NULL, text, sizeof text)) {
        snprintf(p->why, sizeof p->why, "implausible: %.80s", text);
        trouble(p, p->why);
        return;
    }
    if (p->conf->invert)
        reading_invert(&r);
    reading_drop_dead(&r);
    note_change(p);
    p->period_ms = p->read ? p->begin_ms - p->good_ms : 0;
    p->read = true;
    p->good_ms = p->begin_ms;
    p->heard = false;
    p->bad_sums = 0;
    p->why[0] = '\0';
    meter_tell_relief(p->inbox, &p->trouble, "meter", p->conf->name);
    if (p->begin_ms - p->told_ms < READINGS_MS)
        return;
    p->told_ms = p->begin_ms;
    r.import_wh = counter_step(&p->imported, r.import_wh, p->begin_ms);
    r.export_wh = counter_step(&p->exported, r.export_wh, p->begin_ms);
    meter_tell_reading(p->inbox, p->index, &r, p->begin_ms, p->changed_ms);
}

static void on_result(struct p1_port *p, enum p1_result result)
{
    switch (result) {
    case P1_MORE:
        break;
    case P1_TELEGRAM:
        on_telegram(p);
        break;
    case P1_BAD_SUM:
        snprintf(p->why, sizeof p->why,
                 "the check sum of its telegrams is wrong: see the cable");
        if (++p->bad_sums == BAD_SUMS)
            trouble(p, p->why);
        break;
    case P1_NO_SUM:
        trouble(p, "its telegrams have no check sum: a meter before DSMR 4 cannot be "
                   "used");
        break;
    case P1_TOO_LONG:
        trouble(p, "its telegrams do not end: is it a P1 port?");
        break;
    }
}

static void on_bytes(struct p1_port *p, const char *bytes, size_t n)
{
    int64_t now_ms = clock_ms();

    for (size_t i = 0; i < n && !p->heard; i++)
        p->heard = bytes[i] != '\r' && bytes[i] != '\n'; /* these end a telegram */
    for (size_t at = 0; at < n;) {
        unsigned begun = p->in.begun;
        enum p1_result result;

        at += p1_feed(&p->in, bytes + at, n - at, &result);
        if (p->in.begun != begun)
            p->begin_ms = now_ms;
        on_result(p, result);
    }
}

/* Nothing good for too long: why? */
static void look_at_age(struct p1_port *p)
{
    int64_t age_ms = clock_ms() - p->good_ms;
    char text[160], more[110] = "";

    if (age_ms <= p->conf->max_age_ms)
        return;
    if (p->why[0])
        snprintf(more, sizeof more, ": %s", p->why);
    else if (p->heard)
        snprintf(more, sizeof more, ": what comes is none, see the baud rate");
    else if (p->period_ms * 3 / 2 > p->conf->max_age_ms)
        snprintf(more, sizeof more,
                 ": they come every %lld s, see interval and max_age",
                 (long long)(p->period_ms / 1000));
    snprintf(text, sizeof text, "no telegram for %lld s%s", (long long)(age_ms / 1000),
             more);
    trouble(p, text);
}

/* ---- the connection ---- */

/* Waits until something comes, or it is time; false = to be stopped. */
static bool wait_for(struct p1_port *p, int ms)
{
    struct pollfd f[2] = {{.fd = p->stop_fd, .events = POLLIN},
                          {.fd = p->fd, .events = POLLIN}};

    poll(f, p->fd < 0 ? 1 : 2, ms < 0 ? 0 : ms);
    return f[0].revents == 0;
}

static void close_port(struct p1_port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->in.n = 0;
}

/* Reads what is there. False: the connection is gone. */
static bool read_port(struct p1_port *p)
{
    char bytes[1024];
    ssize_t n = read(p->fd, bytes, sizeof bytes);

    if (n > 0)
        on_bytes(p, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        return false;
    return true;
}

/* From the connection to its end. */
static void serve(struct p1_port *p)
{
    int64_t silence_ms = 2 * (int64_t)p->conf->max_age_ms;
    struct pollfd f = {.fd = p->fd, .events = POLLIN};

    if (silence_ms < SILENCE_MS)
        silence_ms = SILENCE_MS;
    while (wait_for(p, p->conf->max_age_ms / 4)) {
        int64_t since_ms = p->good_ms > p->opened_ms ? p->good_ms : p->opened_ms;

        if (poll(&f, 1, 0) > 0 && !read_port(p)) {
            trouble(p, "the connection is lost");
            return;
        }
        look_at_age(p);
        if (clock_ms() - since_ms > silence_ms)
            return;
    }
}

static void *run(void *arg)
{
    struct p1_port *p = arg;
    const struct conf_meter *m = p->conf;
    struct line_address a = {.transport = m->transport,
                             .host = m->host,
                             .port = m->port,
                             .device = m->device,
                             .baud = m->baud,
                             .parity = m->parity,
                             .data_bits = m->data_bits,
                             .stop_bits = m->stop_bits};
    int pause_ms = 1000;
    char text[160];

    p->good_ms = clock_ms();
    for (;;) {
        enum line_result result =
            modbus_open(&a, p->stop_fd, CONNECT_MS, &p->fd, text, sizeof text);
        int64_t good_ms = p->good_ms;

        if (result == LINE_STOPPED)
            break;
        if (result == LINE_OK) {
            p->opened_ms = clock_ms();
            serve(p);
        } else {
            p->fd = -1;
            trouble(p, text);
        }
        close_port(p);
        pause_ms = p->good_ms != good_ms ? 1000 : pause_ms;
        if (!wait_for(p, pause_ms))
            break;
        look_at_age(p);
        pause_ms = 2 * pause_ms < BACKOFF_MAX_MS ? 2 * pause_ms : BACKOFF_MAX_MS;
    }
    close_port(p);
    return NULL;
}

/* ---- setting up ---- */

/* Signals are the main thread's. */
static bool start(struct p1_port *p)
{
    sigset_t all, before;

    p->fd = -1;
    p->stop_fd = eventfd(0, EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->started = p->stop_fd >= 0 && pthread_create(&p->thread, NULL, run, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!p->started)
        log_errorx("meter %s: no thread for it", p->conf->name);
    return p->started;
}

struct p1_ports *p1_ports_new(const struct config *c, struct inbox *b)
{
    struct p1_ports *all = calloc(1, sizeof *all);
    bool good;

    if (all)
        all->ports = calloc((size_t)c->site.n_meters + 1, sizeof *all->ports);
    good = all && all->ports;
    for (int i = 0; good && i < c->site.n_meters; i++) {
        if (c->meters[i].source != SOURCE_P1)
            continue;
        all->ports[all->n] =
            (struct p1_port){.conf = &c->meters[i], .index = i, .inbox = b};
        good = start(&all->ports[all->n++]);
    }
    if (good)
        return all;
    p1_ports_free(all);
    return NULL;
}

void p1_ports_free(struct p1_ports *all)
{
    uint64_t one = 1;

    for (int i = 0; all && i < all->n; i++) {
        struct p1_port *p = &all->ports[i];

        if (p->started && write(p->stop_fd, &one, sizeof one) == sizeof one)
            pthread_join(p->thread, NULL);
        if (p->stop_fd >= 0)
            close(p->stop_fd);
    }
    if (all)
        free(all->ports);
    free(all);
}
