/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus RTU on a serial port, by libmodbus.
 *
 * libmodbus aborts the process on a descriptor of FD_SETSIZE (1024) or more. Each
 * serial line therefore holds a lower one all its life, and some are kept for lines
 * that a reload of the site file brings. */
#ifndef IO_MODBUS_SERIAL_H
#define IO_MODBUS_SERIAL_H

#include "io/modbus_line.h"

struct modbus_serial;

/* Keeps low descriptors for later lines; before many connections are made. */
void modbus_serial_reserve(void);

struct modbus_serial *modbus_serial_new(void); /* NULL: no low descriptor is free */
void modbus_serial_free(struct modbus_serial *s);

/* Takes an open port over. The descriptor to use from now on, or -1. */
int modbus_serial_open(struct modbus_serial *s, int fd);
void modbus_serial_close(struct modbus_serial *s);

/* Blocks until there is an answer, at most for the time-out. */
enum line_result modbus_serial_read(struct modbus_serial *s,
                                    const struct line_request *r,
                                    struct line_reply *reply);

#endif
