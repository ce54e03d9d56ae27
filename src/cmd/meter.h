/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of `chargehand meter`. */
#ifndef CMD_METER_H
#define CMD_METER_H

#include <stdbool.h>
#include <cjson/cJSON.h>
#include "io/modbus_line.h"
#include "io/meter_poll.h"
#include "meter/definition.h"

/* What the options of read and scan say. */
struct meter_options {
    struct line_address address;
    char host[256]; /* or the device */
    bool addressed;
    const char *model;
    const char *serial;     /* settings to scan with */
    struct conf_meter here; /* what is special of this installation */
    int unit, last_unit;    /* -1 = the definition's */
    int timeout_ms;         /* 0 = the definition's */
    int interval_ms;
    bool json, watch, raw, turned;
};

/* -1 = go on, else what to exit with: help was asked for, or an error has been told.
 * `reads`: a model and at most one unit id are needed. */
int meter_parse_options(struct meter_options *o, int argc, char **argv,
                        const char *help, bool reads);
/* What the command line leaves open comes from the definition. False with a text: nor
 * does that know the speed of the line. */
bool meter_complete_address(struct meter_options *o, struct definition *d, char *err,
                            size_t size);
/* DEVICE[:BAUD[:8N1]], the device's path into `device`; it may itself have colons. */
bool meter_parse_device(struct line_address *a, char *device, size_t size,
                        const char *text);

/* The poller of the model that the options name, with the address completed. NULL: the
 * reason has been told. */
struct meter_poll *meter_open_poll(struct meter_options *o);
/* Asks until there is a reading or it makes no sense to go on. */
enum poll_result meter_try_read(struct meter_poll *m, struct modbus_line *l,
                                struct poll_reading *p);
void meter_print_reading(const struct meter_reading *r, int phases);
/* Adds its values to an object. */
void meter_reading_json(cJSON *j, const struct meter_reading *r);
int meter_exit_code(enum poll_result result);
/* "192.0.2.20:502", "/dev/ttyUSB0 9600 8N1". Returns text. */
char *meter_address_text(const struct line_address *a, char *text, size_t size);

int meter_list(int argc, char **argv);
int meter_check(int argc, char **argv);
int meter_read(int argc, char **argv);
int meter_scan(int argc, char **argv);
int meter_p1(int argc, char **argv);
int meter_trace(int argc, char **argv);
int meter_simulate(int argc, char **argv);

/* Ends the line's waiting, or sets the flag, on SIGINT and SIGTERM. */
void meter_until_signal(struct modbus_line *l);
bool meter_signalled(void);

#endif
