/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated garage as a process: a meter on Modbus TCP, chargers on OCPP
 * WebSockets, cars that come and go, a base load, and the physical truth about every
 * second. It runs in real time.
 *
 * It talks to its supervisor in lines. It writes JSON: first {"meter_port": N}, or
 * {"error": TEXT}; then a report each second (garage_report.c), the last one with
 * "done": true. It reads "go PORT", PORT = where the chargers find their central
 * system, and "stop": now comes the last report, while chargers and meter stay there
 * until the input ends. Then it ends, too. */
#ifndef SIM_GARAGE_H
#define SIM_GARAGE_H

#include <stdint.h>

struct garage_setup {
    int in_fd, out_fd;
    const char *folder; /* keys/ID has the password of each charger */
    uint64_t seed;
    int for_s; /* how long it is going to run: scales the sessions; 0 = no end */
};

/* Returns when it has been told to end: 0, or 1 when it could not be set up. */
int garage_run(const struct garage_setup *u);

#endif
