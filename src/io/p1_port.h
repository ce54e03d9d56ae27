/* SPDX-License-Identifier: Apache-2.0 */
/* The P1 ports of smart meters: on a serial line, or passed on over TCP. Each has a
 * thread of the same kind as a Modbus line has, as it, too, waits for a slow neighbour:
 * it connects, again and again, and puts each telegram's reading into the inbox as
 * EVENT_METER followed by INBOX_METER. */
#ifndef IO_P1_PORT_H
#define IO_P1_PORT_H

#include "config/config.h"
#include "io/inbox.h"

struct p1_ports;

/* Starts a thread for each meter of SOURCE_P1. NULL, with a log line: out of memory or
 * threads. */
struct p1_ports *p1_ports_new(const struct config *c, struct inbox *b);
void p1_ports_free(struct p1_ports *p); /* ends the threads, waits for them */

#endif
