/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of a simulated meter's server. */
#ifndef SIM_MODBUS_SERVER_STATE_H
#define SIM_MODBUS_SERVER_STATE_H

#include <netinet/in.h>
#include <pthread.h>

#include "sim/modbus_client.h"
#include "sim/modbus_server.h"
#include "sim/modbus_unit.h"

enum { CLIENTS = 8 };

struct modbus_server {
    struct modbus_server_options o;
    struct definition *d;
    struct modbus_unit **units;
    int n_units;
    int listen_fd, wake_fd; /* wake_fd: something to look at */
    struct sockaddr_in address;
    struct modbus_client clients[CLIENTS];
    int64_t start_ms;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below, and of the units */
    struct modbus_faults faults;
    bool stopping;
    int arg[MODBUS_FAULT_COUNT]; /* the faults that the registers show now */
    bool frozen;
    uint64_t requests, n_clients;
};

/* The thread's function. */
void *modbus_server_run(void *server);
/* Registers from readings. With the lock. */
void modbus_server_encode(struct modbus_server *s);
bool modbus_server_listen(struct modbus_server *s);

#endif
