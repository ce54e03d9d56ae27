/* SPDX-License-Identifier: Apache-2.0 */
/* The server that is measured, as a process of its own. */
#ifndef TESTS_BENCH_PLACE_H
#define TESTS_BENCH_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct place {
    int pid, port, tls_port;
    int out; /* its log, to be read on by place_drain() */
    char folder[64];
};

/* `program` run with a site of n chargers CP-0, CP-1, ... below one meter. With tls it
 * listens with TLS, with the certificate in folder `tls`. Ends the process on errors.
 */
void place_chargehand(struct place *p, const char *program, int n, int32_t limit_a,
                      int meter_port, const char *tls);
/* `node script`, which prints "port NUMBER". */
void place_node(struct place *p, const char *script);
void place_stop(struct place *p);

void place_drain(struct place *p);         /* so that its log does not fill the pipe */
double place_cpu_s(const struct place *p); /* processor time it has used */
long place_kb(const struct place *p);      /* memory resident, of its own */

double now_s(void); /* monotonic */

#endif
