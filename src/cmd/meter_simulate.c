/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter simulate: meters to try things with. */
#include "cmd/meter_simulate.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "cmd/meter_relay.h"
#include "io/clock.h"
#include "io/modbus_open.h"
#include "sim/rng.h"

enum { UNITS = 256, STEP_MS = 1000 };

struct simulation {
    struct simulate_options *o;
    struct modbus_server *server;
    struct simulate_loads *loads;
    struct sim_rng rng;
    int64_t start_ms, last_ms;
    double import_wh[UNITS], export_wh[UNITS];
    char command[300]; /* what has been typed of it */
    size_t n_command;
    bool control; /* standard input is not at its end */
};

/* ---- where it answers ---- */

/* The descriptor to serve on, or -1 with a reason. */
static int open_serial(struct simulate_options *o, int *other_fd, char *err,
                       size_t size)
{
    int fd = -1, stop_fd;

    if (o->pty) {
        fd = meter_open_pty(o->device, sizeof o->device, other_fd);
        if (fd < 0)
            snprintf(err, size, "there is no pseudo terminal");
        return fd;
    }
    if (o->serial.baud == 0)
        o->serial.baud = 9600;
    if (o->serial.parity == 0) {
        o->serial.parity = 'N';
        o->serial.data_bits = 8;
        o->serial.stop_bits = 1;
    }
    stop_fd = eventfd(0, EFD_CLOEXEC);
    o->serial.transport = TRANSPORT_RTU;
    if (modbus_open(&o->serial, stop_fd, 0, &fd, err, size) != LINE_OK)
        fd = -1;
    close(stop_fd);
    return fd;
}

static void say_where(const struct simulation *m)
{
    const struct modbus_server_options *s = &m->o->server;

    if (s->on_fd)
        printf("%s answers on %s\n", s->model, m->o->device);
    else
        printf("%s answers on %s:%d\n", s->model, s->host ? s->host : "127.0.0.1",
               modbus_server_port(m->server));
    fflush(stdout);
}

/* ---- values ---- */

static void measure(struct simulation *m, int unit, const double a[SITE_PHASES],
                    double hours)
{
    struct meter_reading r;
    double w = 0;

    reading_clear(&r);
    for (int i = 0; i < SITE_PHASES; i++) {
        r.i_ma[i] = (int32_t)lround(a[i] * 1000);
        r.v_mv[i] = (int32_t)lround(m->o->volts[i] * 1000);
        r.p_phase_w[i] = (int32_t)lround(a[i] * m->o->volts[i]);
        w += a[i] * m->o->volts[i];
    }
    r.p_w = (int32_t)lround(w);
    r.hz_mhz = 50000;
    r.pv_w = m->o->solar_w;
    r.bat_w = m->o->battery_w;
    r.soc_permille = 500;
    if (w > 0)
        m->import_wh[unit] += w * hours;
    else
        m->export_wh[unit] -= w * hours;
    r.import_wh = (int64_t)m->import_wh[unit];
    r.export_wh = (int64_t)m->export_wh[unit];
    modbus_server_set_unit(m->server, unit, &r);
}

static void step(struct simulation *m)
{
    int first = m->o->server.unit, last = m->o->server.last_unit;
    int64_t now_ms = clock_ms();
    double s = (double)(now_ms - m->start_ms) / 1000 * m->o->speed;
    double hours = (double)(now_ms - m->last_ms) / 3600000 * m->o->speed;

    for (int unit = first; unit <= (last > first ? last : first); unit++) {
        double a[SITE_PHASES];

        memcpy(a, m->o->a, sizeof a);
        if (m->loads)
            simulate_loads_at(m->loads, unit, s, a);
        for (int i = 0; i < SITE_PHASES; i++)
            a[i] += m->o->noise_a * (double)sim_rng_between(&m->rng, 0, 1000) / 1000;
        measure(m, unit, a, hours);
    }
    m->last_ms = now_ms;
}

/* ---- commands ---- */

static void obey(struct simulation *m, const char *command)
{
    struct modbus_fault_rule r;
    char err[200] = "";

    if (strncmp(command, "current ", 8) == 0) {
        if (!simulate_currents(command + 8, m->o->a))
            snprintf(err, sizeof err, "currents are A,A,A");
        simulate_loads_free(m->loads);
        m->loads = NULL;
        step(m);
    } else if (strncmp(command, "fault ", 6) == 0) {
        if (modbus_fault_parse(command + 6, &r, err, sizeof err) &&
            modbus_fault_suits(r.fault, m->o->server.rtu, !m->o->server.on_fd, err,
                               sizeof err) &&
            !modbus_server_add_fault(m->server, &r))
            snprintf(err, sizeof err, "too many faults");
    } else if (strcmp(command, "clear") == 0) {
        modbus_server_fault(m->server, MODBUS_FAULT_NONE, 0, 0);
    } else {
        snprintf(err, sizeof err, "commands are: current A,A,A; fault ...; clear");
    }
    if (err[0])
        printf("no: %s\n", err);
    else
        printf("yes: %s\n", command);
    fflush(stdout);
}

/* Takes what has been typed, up to the last end of a line. */
static void take_commands(struct simulation *m)
{
    ssize_t n = read(STDIN_FILENO, m->command + m->n_command,
                     sizeof m->command - 1 - m->n_command);
    char *end;

    if (n <= 0) {
        m->control = false;
        return;
    }
    m->n_command += (size_t)n;
    m->command[m->n_command] = '\0';
    while ((end = strchr(m->command, '\n'))) {
        *end++ = '\0';
        obey(m, m->command);
        m->n_command = strlen(end);
        memmove(m->command, end, m->n_command + 1);
    }
    if (m->n_command == sizeof m->command - 1)
        m->n_command = 0; /* nobody types that much */
}

/* ---- all of it ---- */

static void simulate(struct simulation *m)
{
    meter_until_signal(NULL);
    m->control = m->o->control;
    m->start_ms = m->last_ms = clock_ms();
    for (int i = 0; i < UNITS; i++)
        m->import_wh[i] = 1000000;
    step(m);
    say_where(m);
    while (!meter_signalled()) {
        struct pollfd p = {.fd = m->control ? STDIN_FILENO : -1, .events = POLLIN};

        if (poll(&p, 1, STEP_MS) > 0)
            take_commands(m);
        else
            step(m);
    }
}

static int start(struct simulation *m)
{
    struct simulate_options *o = m->o;
    char err[2000] = "";
    int other_fd = -1;

    if (o->server.on_fd) {
        o->server.fd = open_serial(o, &other_fd, err, sizeof err);
        if (o->server.fd < 0) {
            fprintf(stderr, "chargehand meter: %s\n", err);
            return EXIT_UNAVAILABLE;
        }
    }
    m->server = modbus_server_start(&o->server, err, sizeof err);
    for (int i = 0; m->server && i < o->faults.n; i++)
        modbus_server_add_fault(m->server, &o->faults.rules[i]);
    if (m->server)
        simulate(m);
    else
        fprintf(stderr, "chargehand meter: %s\n", err);
    modbus_server_stop(m->server);
    if (other_fd >= 0)
        close(other_fd);
    return m->server ? EXIT_GOOD : EXIT_UNAVAILABLE;
}

int meter_simulate(int argc, char **argv)
{
    struct simulate_options o;
    struct simulation m = {.o = &o};
    int result = simulate_parse(&o, argc, argv);

    if (result >= 0)
        return result;
    if (o.loads) {
        m.loads = simulate_loads_new(o.loads, o.circuit);
        if (!m.loads)
            return EXIT_CONFIG;
    }
    result = start(&m);
    simulate_loads_free(m.loads);
    return result;
}
