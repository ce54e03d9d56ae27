/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated device: its registers and what it answers. No sockets, no threads. */
#ifndef SIM_MODBUS_UNIT_H
#define SIM_MODBUS_UNIT_H

#include "meter/encode.h"
#include "sim/modbus_fault.h"
#include "sim/modbus_frame.h"

struct modbus_unit {
    int id; /* 0 = answers to every unit id */
    struct decode decode;
    struct meter_reading reading; /* what it measures */
    uint16_t word[4][65536];      /* of function codes 1 to 4 */
    uint8_t present[4][65536];
};

/* A device of that definition (borrowed) at 230 V without any current. NULL = no
 * memory. */
struct modbus_unit *modbus_unit_new(const struct definition *d, int id);

/* Registers from `reading`, as the faults of values want them (modbus_faults_now()). */
void modbus_unit_encode(struct modbus_unit *u, const int arg[MODBUS_FAULT_COUNT]);

/* One raw register or bit; it is readable from then on. */
void modbus_unit_put(struct modbus_unit *u, int fc, int at, uint16_t word);

/* The protocol data unit of the answer; returns its length. */
int modbus_unit_answer(const struct modbus_unit *u, const struct modbus_request *q,
                       uint8_t pdu[MODBUS_FRAME_MAX]);
int modbus_exception(const struct modbus_request *q, int code,
                     uint8_t pdu[MODBUS_FRAME_MAX]);

#endif
