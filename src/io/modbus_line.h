/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus connection (TCP, serial RTU, RTU inside TCP) around libmodbus, made safe:
 *
 * - a late answer is never taken for the next one: the line is drained before each
 *   request, and where the frames carry no transaction id (RTU) it must fall silent for
 *   a whole time-out after one was missed;
 * - libmodbus never sees a descriptor >= 1024 (it would abort the process): each line
 *   keeps one low descriptor reserved all its life;
 * - every wait ends soon after modbus_line_stop();
 * - libmodbus' own error recovery stays off.
 *
 * One thread owns a line; only modbus_line_stop() may come from another. */
#ifndef IO_MODBUS_LINE_H
#define IO_MODBUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct line_address {
    enum transport transport;
    const char *host; /* tcp, rtutcp: a name or an address */
    int port;
    const char *device; /* rtu */
    int baud;
    char parity; /* N E O */
    int data_bits, stop_bits;
};

enum line_result {
    LINE_OK,
    LINE_TIMEOUT, /* no answer, connection kept */
    LINE_REFUSED, /* an exception: see .exception */
    LINE_GARBLED, /* an answer that is not to our request, or with a wrong check sum */
    LINE_BROKEN,  /* connection lost or not made: closed */
    LINE_STOPPED  /* modbus_line_stop() */
};

struct modbus_line;

/* Reserves the line's descriptor; no connection yet. Strings are borrowed. NULL and a
 * reason in err. */
struct modbus_line *modbus_line_new(const struct line_address *a, char *err,
                                    size_t size);
void modbus_line_free(struct modbus_line *l);

/* Connects, waiting at most timeout_ms. LINE_OK, LINE_BROKEN or LINE_STOPPED. */
enum line_result modbus_line_open(struct modbus_line *l, int timeout_ms);
void modbus_line_close(struct modbus_line *l);
bool modbus_line_is_open(const struct modbus_line *l);

struct line_request {
    int unit, fc; /* 1 to 4 */
    int at, n;    /* 1 .. 125 registers or bits from this wire address */
    int timeout_ms;
    int gap_ms; /* pause after the request before, where frames are RTU */
};

enum line_result modbus_line_read(struct modbus_line *l, const struct line_request *r,
                                  uint16_t *regs);
int modbus_line_exception(const struct modbus_line *l); /* of the last LINE_REFUSED */
/* What went wrong last, in words that say what to check. */
const char *modbus_line_text(const struct modbus_line *l);
/* "192.0.2.20:502", "/dev/ttyUSB0 9600 8N1": for people. */
const char *modbus_line_name(const struct modbus_line *l);

/* Waits until then (clock_ms) or until stopped: false. */
bool modbus_line_wait(struct modbus_line *l, int64_t until_ms);

/* Ends all waiting of the thread that owns the line, now and from now on. */
void modbus_line_stop(struct modbus_line *l);
bool modbus_line_stopped(const struct modbus_line *l);

#endif
