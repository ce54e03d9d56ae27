/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated meters: begin, end, and what the caller sets meanwhile. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/meter_files.h"
#include "sim/modbus_server_state.h"

/* ---- setting up ---- */

static void server_free(struct modbus_server *s)
{
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    for (int i = 0; i < s->n_units; i++)
        free(s->units[i]);
    free(s->units);
    pthread_mutex_destroy(&s->lock);
    definition_free(s->d);
    free(s);
}

static bool make_units(struct modbus_server *s)
{
    int n = s->o.last_unit > s->o.unit ? s->o.last_unit - s->o.unit + 1 : 1;

    s->units = calloc((size_t)n, sizeof s->units[0]);
    while (s->units && s->n_units < n) {
        struct modbus_unit *u = modbus_unit_new(s->d, s->o.unit + s->n_units);

        if (!u)
            return false;
        s->units[s->n_units++] = u;
    }
    return s->units != NULL;
}

static struct modbus_server *server_new(const struct modbus_server_options *o,
                                        char *err, size_t n)
{
    struct modbus_server *s = calloc(1, sizeof *s);

    if (!s) {
        snprintf(err, n, "out of memory");
        return NULL;
    }
    s->o = *o;
    s->listen_fd = s->wake_fd = -1;
    for (int i = 0; i < CLIENTS; i++)
        s->clients[i].fd = -1;
    for (int i = 0; i < MODBUS_FAULT_COUNT; i++)
        s->arg[i] = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->d = meter_files_load(o->model, err, n);
    if (s->d && s->d->is_model)
        snprintf(err, n, "\"%s\" is not a device", o->model);
    else if (s->d && !make_units(s))
        snprintf(err, n, "out of memory");
    else if (s->d)
        return s;
    server_free(s);
    return NULL;
}

static bool start_thread(struct modbus_server *s)
{
    sigset_t all, before;
    int error;

    s->start_ms = clock_ms();
    s->wake_fd = eventfd(0, EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error =
        s->wake_fd < 0 ? errno : pthread_create(&s->thread, NULL, modbus_server_run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

struct modbus_server *modbus_server_start(const struct modbus_server_options *o,
                                          char *err, size_t n)
{
    struct modbus_server *s = server_new(o, err, n);
    const char *host = o->host ? o->host : "127.0.0.1";

    if (!s)
        return NULL;
    s->address = (struct sockaddr_in){.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)o->port)};
    if (o->on_fd)
        client_open(&s->clients[0], o->fd);
    if (!o->on_fd && inet_pton(AF_INET, host, &s->address.sin_addr) != 1)
        snprintf(err, n, "cannot listen on %s:%d: no numeric IPv4 address", host,
                 o->port);
    else if (!o->on_fd && !modbus_server_listen(s))
        snprintf(err, n, "cannot listen on %s:%d: %s", host, o->port, strerror(errno));
    else if (start_thread(s))
        return s;
    else
        snprintf(err, n, "no thread for the simulated meter");
    server_free(s);
    return NULL;
}

struct modbus_server *modbus_server_new(const char *model, int unit, int port,
                                        char *err, size_t n)
{
    return modbus_server_start(
        &(struct modbus_server_options){
            .model = model, .unit = unit, .last_unit = unit, .port = port},
        err, n);
}

struct modbus_server *modbus_server_new_rtu(const char *model, int unit, int fd,
                                            char *err, size_t n)
{
    return modbus_server_start(&(struct modbus_server_options){.model = model,
                                                               .unit = unit,
                                                               .last_unit = unit,
                                                               .rtu = true,
                                                               .on_fd = fd >= 0,
                                                               .fd = fd},
                               err, n);
}

static void wake(struct modbus_server *s)
{
    uint64_t one = 1;

    while (write(s->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void modbus_server_stop(struct modbus_server *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
    pthread_join(s->thread, NULL);
    server_free(s);
}

int modbus_server_port(const struct modbus_server *s)
{
    return ntohs(s->address.sin_port);
}

/* ---- what the caller sets ---- */

static int32_t power_of(int32_t i_ma, int32_t v_mv)
{
    if (i_ma == EVENT_NO_VALUE || v_mv == EVENT_NO_VALUE)
        return EVENT_NO_VALUE;
    return (int32_t)((int64_t)i_ma * v_mv / 1000000);
}

static void set_currents(struct meter_reading *r, const int32_t i_ma[SITE_PHASES],
                         const int32_t v_mv[SITE_PHASES],
                         const int32_t p_w[SITE_PHASES])
{
    r->p_w = 0;
    for (int i = 0; i < SITE_PHASES; i++) {
        r->i_ma[i] = i_ma[i];
        r->v_mv[i] = v_mv ? v_mv[i] : 230000;
        r->p_phase_w[i] = p_w ? p_w[i] : power_of(i_ma[i], r->v_mv[i]);
        if (r->p_phase_w[i] == EVENT_NO_VALUE)
            r->p_w = EVENT_NO_VALUE;
        else if (r->p_w != EVENT_NO_VALUE)
            r->p_w += r->p_phase_w[i];
    }
}

void modbus_server_set(struct modbus_server *s, const int32_t i_ma[SITE_PHASES],
                       const int32_t v_mv[SITE_PHASES], const int32_t p_w[SITE_PHASES])
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n_units; i++)
        set_currents(&s->units[i]->reading, i_ma, v_mv, p_w);
    modbus_server_encode(s);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_set_energy(struct modbus_server *s, int64_t import_wh,
                              int64_t export_wh)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n_units; i++) {
        s->units[i]->reading.import_wh = import_wh;
        s->units[i]->reading.export_wh = export_wh;
    }
    modbus_server_encode(s);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_set_unit(struct modbus_server *s, int unit,
                            const struct meter_reading *r)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n_units; i++)
        if (unit == 0 || s->units[i]->id == unit)
            s->units[i]->reading = *r;
    modbus_server_encode(s);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_set_register(struct modbus_server *s, int fc, int at, uint16_t word)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->n_units; i++)
        modbus_unit_put(s->units[i], fc, at, word);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_fault(struct modbus_server *s, enum modbus_fault f, int arg,
                         int count)
{
    pthread_mutex_lock(&s->lock);
    s->faults.n = 0;
    if (f != MODBUS_FAULT_NONE)
        modbus_faults_add(&s->faults, &(struct modbus_fault_rule){
                                          .fault = f, .arg = arg, .count = count});
    pthread_mutex_unlock(&s->lock);
    wake(s);
}

bool modbus_server_add_fault(struct modbus_server *s, const struct modbus_fault_rule *r)
{
    bool good;

    pthread_mutex_lock(&s->lock);
    good = modbus_faults_add(&s->faults, r);
    pthread_mutex_unlock(&s->lock);
    wake(s);
    return good;
}

uint64_t modbus_server_requests(struct modbus_server *s)
{
    uint64_t n;

    pthread_mutex_lock(&s->lock);
    n = s->requests;
    pthread_mutex_unlock(&s->lock);
    return n;
}

uint64_t modbus_server_clients(struct modbus_server *s)
{
    uint64_t n;

    pthread_mutex_lock(&s->lock);
    n = s->n_clients;
    pthread_mutex_unlock(&s->lock);
    return n;
}
