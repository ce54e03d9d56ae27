/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that wait to be let in, counted by their address. */
#include "io/ocpp_gate.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* An IPv4 address becomes its IPv6 form. */
static bool address_of(int fd, struct in6_addr *a)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;

    if (getpeername(fd, (struct sockaddr *)&from, &size) != 0)
        return false;
    if (from.ss_family == AF_INET6) {
        *a = ((struct sockaddr_in6 *)&from)->sin6_addr;
        return true;
    }
    memset(a, 0, sizeof *a);
    a->s6_addr[10] = a->s6_addr[11] = 0xff;
    memcpy(a->s6_addr + 12, &((struct sockaddr_in *)&from)->sin_addr, 4);
    return from.ss_family == AF_INET;
}

void ocpp_gate_text(int fd, char who[OCPP_GATE_TEXT])
{
    struct in6_addr a;
    bool v4;

    strcpy(who, "?");
    if (!address_of(fd, &a))
        return;
    v4 = IN6_IS_ADDR_V4MAPPED(&a);
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a.s6_addr + 12 : a.s6_addr, who,
              OCPP_GATE_TEXT);
}

static const struct ocpp_gate_place *find(const struct ocpp_gate *g,
                                          const struct in6_addr *a)
{
    for (int i = 0; i < OCPP_GATE_ALL; i++)
        if (g->places[i].n > 0 && IN6_ARE_ADDR_EQUAL(&g->places[i].address, a))
            return &g->places[i];
    return NULL;
}

bool ocpp_gate_open(const struct ocpp_gate *g, int fd, char who[OCPP_GATE_TEXT])
{
    const struct ocpp_gate_place *p;
    struct in6_addr a;

    if (!address_of(fd, &a))
        return false;
    p = find(g, &a);
    if (g->n < OCPP_GATE_ALL && (!p || p->n < OCPP_GATE_ADDRESS))
        return true;
    ocpp_gate_text(fd, who);
    return false;
}

struct ocpp_gate_place *ocpp_gate_wait(struct ocpp_gate *g, int fd)
{
    struct ocpp_gate_place *p;
    struct in6_addr a;

    if (!address_of(fd, &a))
        return NULL;
    p = (struct ocpp_gate_place *)find(g, &a);
    for (int i = 0; !p && i < OCPP_GATE_ALL; i++)
        if (g->places[i].n == 0)
            p = &g->places[i];
    if (!p)
        return NULL;
    p->address = a;
    p->n++;
    g->n++;
    return p;
}

void ocpp_gate_leave(struct ocpp_gate *g, struct ocpp_gate_place *p)
{
    if (!p)
        return;
    p->n--;
    g->n--;
}
