/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of `chargehand meter simulate`. */
#ifndef CMD_METER_SIMULATE_H
#define CMD_METER_SIMULATE_H

#include "io/modbus_line.h"
#include "sim/modbus_server.h"

struct simulate_options {
    struct modbus_server_options server;
    char host[64];
    bool pty;
    struct line_address serial; /* .device: a real serial port */
    char device[128];           /* of the pseudo terminal, or the serial port */
    const char *loads, *circuit;
    double a[SITE_PHASES]; /* without loads */
    double volts[SITE_PHASES];
    int solar_w, battery_w; /* positive = gives */
    double speed;           /* of the loads' time */
    double noise_a;         /* at most so much more on each phase */
    bool control;           /* commands come on standard input */
    struct modbus_faults faults;
};

/* -1 = go on, else what to exit with. */
int simulate_parse(struct simulate_options *o, int argc, char **argv);
bool simulate_currents(const char *text, double a[SITE_PHASES]);

/* What the units draw, out of a loads recording. */
struct simulate_loads;

/* Rows of that circuit; NULL: the only one there is, or those named like the unit. NULL
 * with all errors told. */
struct simulate_loads *simulate_loads_new(const char *path, const char *circuit);
void simulate_loads_free(struct simulate_loads *l);
/* Amperes of that unit so many seconds after the first row. It begins again after the
 * last one. */
void simulate_loads_at(const struct simulate_loads *l, int unit, double s,
                       double a[SITE_PHASES]);

#endif
