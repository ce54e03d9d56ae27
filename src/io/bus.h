/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus line (a TCP connection, a serial port) and its thread: reads the meters
 * and digital inputs on it one after the other and puts each reading into the inbox, as
 * EVENT_METER followed by INBOX_METER, or as INBOX_INPUT. libmodbus blocks, so it lives
 * here and nowhere else. */
#ifndef IO_BUS_H
#define IO_BUS_H

#include "config/config.h"
#include "io/inbox.h"

struct buses;

/* Starts a thread per line: meters with the same transport and address share one. Needs
 * the meters' definitions; NULL and a log line when one cannot be loaded. */
struct buses *buses_new(const struct config *c, struct inbox *b);
void buses_free(struct buses *b); /* ends the threads, waits for them */

#endif
