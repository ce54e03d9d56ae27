/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus frames of a server, on TCP (MBAP header) and RTU (check sum): only for
 * simulated meters. */
#ifndef SIM_MODBUS_FRAME_H
#define SIM_MODBUS_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum { MODBUS_FRAME_MAX = 272 };

struct modbus_buffer {
    uint8_t bytes[600];
    int n;
};

struct modbus_request {
    uint16_t id; /* transaction, TCP only */
    int unit, fc, at, n;
};

/* Takes the next whole read request out of the buffer. False = there is none yet; what
 * can never become one is thrown away. */
bool modbus_next_request(bool rtu, struct modbus_buffer *b, struct modbus_request *q);

/* The frame around an answer. Returns its length. */
int modbus_frame(bool rtu, const struct modbus_request *q, const uint8_t *pdu,
                 int length, uint8_t frame[MODBUS_FRAME_MAX]);

#endif
