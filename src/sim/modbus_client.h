/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a simulated meter: what has come in, and the answers on their way,
 * each with its time. */
#ifndef SIM_MODBUS_CLIENT_H
#define SIM_MODBUS_CLIENT_H

#include "sim/modbus_frame.h"

enum { CLIENT_ANSWERS = 16, CLIENT_BYTES = 3 * MODBUS_FRAME_MAX };

struct modbus_answer {
    int64_t due_ms;
    int apart_ms; /* between two bytes; -1 = all at once */
    int n, sent;
    uint8_t bytes[CLIENT_BYTES];
};

struct modbus_client {
    int fd; /* -1 = free */
    struct modbus_buffer in;
    struct modbus_answer answers[CLIENT_ANSWERS]; /* in their order */
    int n_answers;
    int64_t free_ms; /* when the device is done with the request before */
    uint8_t last[MODBUS_FRAME_MAX]; /* the frame before */
    int last_n;
};

void client_open(struct modbus_client *c, int fd);
void client_close(struct modbus_client *c);
/* False = the connection has gone. */
bool client_read(struct modbus_client *c);
/* Takes one more answer; when too many are on their way it is lost. */
void client_answer(struct modbus_client *c, const struct modbus_answer *a);
/* Sends what is due. Returns when there is more to send, -1 = nothing. */
int64_t client_send(struct modbus_client *c, int64_t now_ms);

#endif
