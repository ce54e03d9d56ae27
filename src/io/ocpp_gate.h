/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections may wait to be let in: in all, and from one address. Those of
 * chargers that are in do not count, so a garage behind one router is no trouble.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_GATE_H
#define IO_OCPP_GATE_H

#include <netinet/in.h>
#include <stdbool.h>

enum {
    OCPP_GATE_ALL = 256,    /* handshakes and requests at a time */
    OCPP_GATE_ADDRESS = 64, /* of them from one address */
    OCPP_GATE_TEXT = INET6_ADDRSTRLEN
};

struct ocpp_gate_place {
    struct in6_addr address;
    int n; /* 0 = free */
};

struct ocpp_gate {
    struct ocpp_gate_place places[OCPP_GATE_ALL];
    int n;
};

/* Whether one more may come in by this socket; if not, from what address. */
bool ocpp_gate_open(const struct ocpp_gate *g, int fd, char who[OCPP_GATE_TEXT]);
/* It waits now: the place to leave; NULL when there is none. */
struct ocpp_gate_place *ocpp_gate_wait(struct ocpp_gate *g, int fd);
void ocpp_gate_leave(struct ocpp_gate *g, struct ocpp_gate_place *p);

/* The peer's address as people write it; "?" when it is gone. */
void ocpp_gate_text(int fd, char who[OCPP_GATE_TEXT]);

#endif
