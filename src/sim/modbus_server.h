/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated meters on a Modbus line: they answer as the devices of a definition in
 * meters/ would, from values that the caller sets, and misbehave when told to. They
 * have a thread of their own. All calls but _stop() may come from any thread. */
#ifndef SIM_MODBUS_SERVER_H
#define SIM_MODBUS_SERVER_H

#include "meter/reading.h"
#include "sim/modbus_fault.h"

struct modbus_server;

struct modbus_server_options {
    const char *model;   /* a name in meters/, or a path */
    int unit, last_unit; /* a device for each id; 0, 0 = one that answers to any */
    bool rtu;            /* RTU frames, else Modbus TCP */
    bool on_fd;       /* serves on `fd` (a pseudo terminal, a serial port), which it */
    int fd;           /* takes over; else it listens on ... */
    const char *host; /* ... a numeric address; NULL = 127.0.0.1 */
    int port;         /* 0 = the kernel chooses */
    int baud, bits;   /* takes as long as a serial line would; bits of a character;
                         0 = at once */
    bool trace;       /* tells each request on standard output */
};

/* NULL and a reason in err when the model is unknown or the port is taken. It begins
 * with 230 V and no current. */
struct modbus_server *modbus_server_start(const struct modbus_server_options *o,
                                          char *err, size_t n);

/* Short for one device on a TCP port of 127.0.0.1 ... */
struct modbus_server *modbus_server_new(const char *model, int unit, int port,
                                        char *err, size_t n);
/* ... and with RTU frames: on `fd`, or with fd -1 on a port that the kernel chooses. */
struct modbus_server *modbus_server_new_rtu(const char *model, int unit, int fd,
                                            char *err, size_t n);
int modbus_server_port(const struct modbus_server *s);

/* Sets what it measures. i_ma is signed, import positive; a NULL v_mv means 230 V on
 * each phase; a NULL p_w means V * I on each phase. EVENT_NO_VALUE = the device gives
 * its code for "not available", where its registers have one. */
void modbus_server_set(struct modbus_server *s, const int32_t i_ma[SITE_PHASES],
                       const int32_t v_mv[SITE_PHASES], const int32_t p_w[SITE_PHASES]);
void modbus_server_set_energy(struct modbus_server *s, int64_t import_wh,
                              int64_t export_wh);
/* All of it, for one of several devices; unit 0 = for all. */
void modbus_server_set_unit(struct modbus_server *s, int unit,
                            const struct meter_reading *r);
/* One raw register (function code 3 or 4) or bit (1 or 2); also makes it readable. */
void modbus_server_set_register(struct modbus_server *s, int fc, int at, uint16_t word);

/* The next `count` answers misbehave, -1 = until told otherwise. Ends all other faults.
 */
void modbus_server_fault(struct modbus_server *s, enum modbus_fault f, int arg,
                         int count);
/* One more fault; its times count from the start of the server. */
bool modbus_server_add_fault(struct modbus_server *s,
                             const struct modbus_fault_rule *r);

uint64_t modbus_server_requests(struct modbus_server *s); /* taken since the start */
uint64_t modbus_server_clients(struct modbus_server *s);  /* connections, dito */

/* Closes all connections, ends the thread and frees it. */
void modbus_server_stop(struct modbus_server *s);

#endif
