/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus connection (TCP, serial RTU, RTU inside TCP), made safe:
 *
 * - a late answer is never taken for the next one: what has come in before a request is
 *   thrown away, on TCP the transaction id must be ours, and where frames carry none
 *   (RTU), a request that an answer still owed could be mistaken for has to wait;
 * - TCP connections may have any descriptor and speak our own frames (modbus_socket.h);
 *   serial lines are libmodbus' (modbus_serial.h), and hold a low one for it;
 * - every wait ends soon after modbus_line_stop(): at once, on a serial line with the
 *   time-out of the request.
 *
 * One thread owns a line; only modbus_line_stop() may come from another. */
#ifndef IO_MODBUS_LINE_H
#define IO_MODBUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "meter/frame.h"

struct line_address {
    enum transport transport;
    const char *host; /* tcp, rtutcp: a name or an address */
    int port;
    const char *device; /* rtu */
    int baud;
    char parity; /* N E O */
    int data_bits, stop_bits;
    bool single; /* serves one client at a time: for the words of refusals */
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

/* No connection yet. Strings are borrowed. NULL and a reason in err. */
struct modbus_line *modbus_line_new(const struct line_address *a, char *err,
                                    size_t size);
void modbus_line_free(struct modbus_line *l);

/* Connects, waiting at most timeout_ms. LINE_OK, LINE_BROKEN or LINE_STOPPED. */
enum line_result modbus_line_open(struct modbus_line *l, int timeout_ms);
void modbus_line_close(struct modbus_line *l);
bool modbus_line_is_open(const struct modbus_line *l);
bool modbus_line_is_rtu(const struct modbus_line *l); /* its frames */

struct line_request {
    int unit, fc; /* 0 .. 255, on a serial line .. 247; 1 to 4 */
    int at, n;    /* 1 .. 125 registers or bits from this wire address */
    int timeout_ms;
    int gap_ms; /* pause after the request before */
};

/* More of the result of a request. */
struct line_reply {
    struct frame_answer answer;
    int error; /* errno, of LINE_BROKEN */
};

/* How late an answer may come, counted from its request and in time-outs of it, without
 * being mistaken for another. On TCP as late as it likes. */
enum { LINE_LATE_RTU = 2, LINE_LATE_RTUTCP = 4 };

enum line_result modbus_line_read(struct modbus_line *l, const struct line_request *r,
                                  uint16_t *regs);
int modbus_line_exception(const struct modbus_line *l); /* of the last LINE_REFUSED */
/* What went wrong last, in words that say what to check. */
const char *modbus_line_text(const struct modbus_line *l);
/* "192.0.2.20:502", "/dev/ttyUSB0 9600 8N1": for people. */
const char *modbus_line_name(const struct modbus_line *l);

/* Connects once more, asks r in the other framing (TCP, RTU in TCP) and closes again:
 * true = it answers. For a hint to people whose meter keeps silent. */
bool modbus_line_speaks_other(struct modbus_line *l, const struct line_request *r);

/* Waits until then (clock_ms) or until stopped: false. */
bool modbus_line_wait(struct modbus_line *l, int64_t until_ms);

/* Ends all waiting of the thread that owns the line, now and from now on. */
void modbus_line_stop(struct modbus_line *l);
bool modbus_line_stopped(const struct modbus_line *l);

#endif
