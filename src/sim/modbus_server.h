/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated meter on Modbus TCP: answers as the device of a definition in meters/
 * would, from values that the caller sets. It listens on 127.0.0.1 only, in a thread of
 * its own. All calls but _stop() may come from any thread. */
#ifndef SIM_MODBUS_SERVER_H
#define SIM_MODBUS_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include "core/event.h"

struct modbus_server;

/* Starts a meter of `model` (a name in meters/) that answers to `unit` (0: to every
 * one). Port 0 = the kernel chooses. It begins with 230 V and no current. NULL and a
 * reason in err when the model is unknown or the port is taken. */
struct modbus_server *modbus_server_new(const char *model, int unit, int port,
                                        char *err, size_t n);
int modbus_server_port(const struct modbus_server *s);

/* The same with RTU frames: on `fd` (a pseudo terminal; taken over), or with fd -1 on a
 * TCP port of 127.0.0.1, as a gateway for RTU inside TCP. */
struct modbus_server *modbus_server_new_rtu(const char *model, int unit, int fd,
                                            char *err, size_t n);

/* Sets what it measures. i_ma is signed, import positive; a NULL v_mv means 230 V on
 * each phase; a NULL p_w means V * I on each phase. EVENT_NO_VALUE = the device gives
 * its code for "not available", where its registers have one. */
void modbus_server_set(struct modbus_server *s, const int32_t i_ma[SITE_PHASES],
                       const int32_t v_mv[SITE_PHASES], const int32_t p_w[SITE_PHASES]);
void modbus_server_set_energy(struct modbus_server *s, int64_t import_wh,
                              int64_t export_wh);
/* One raw register (function code 3 or 4) or bit (1 or 2); also makes it readable. */
void modbus_server_set_register(struct modbus_server *s, int fc, int at, uint16_t word);

/* Ways to misbehave, for tests. */
enum modbus_fault {
    MODBUS_FAULT_NONE,
    MODBUS_FAULT_SILENT,    /* takes requests, does not answer */
    MODBUS_FAULT_EXCEPTION, /* arg = exception code */
    MODBUS_FAULT_DELAY,     /* arg = milliseconds before each answer */
    MODBUS_FAULT_TRICKLE,   /* one byte a segment */
    MODBUS_FAULT_WRONG_ID,  /* a transaction id that nobody asked for */
    MODBUS_FAULT_HANG_UP    /* closes the connection instead of answering */
};
/* The next `count` answers misbehave, -1 = until told otherwise. */
void modbus_server_fault(struct modbus_server *s, enum modbus_fault f, int arg,
                         int count);

uint64_t modbus_server_requests(struct modbus_server *s); /* taken since the start */
uint64_t modbus_server_clients(struct modbus_server *s);  /* connections, dito */

/* Closes all connections, ends the thread and frees it. */
void modbus_server_stop(struct modbus_server *s);

#endif
