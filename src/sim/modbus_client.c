/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of a simulated meter. */
#include "sim/modbus_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void client_open(struct modbus_client *c, int fd)
{
    int on = 1;

    *c = (struct modbus_client){.fd = fd};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* not on terminals */
}

void client_close(struct modbus_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

bool client_read(struct modbus_client *c)
{
    ssize_t n =
        read(c->fd, c->in.bytes + c->in.n, sizeof c->in.bytes - (size_t)c->in.n);

    if (n > 0)
        c->in.n += (int)n;
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

void client_answer(struct modbus_client *c, const struct modbus_answer *a)
{
    if (c->n_answers < CLIENT_ANSWERS)
        c->answers[c->n_answers++] = *a;
}

static void drop_first(struct modbus_client *c)
{
    c->n_answers--;
    memmove(&c->answers[0], &c->answers[1],
            (size_t)c->n_answers * sizeof c->answers[0]);
}

int64_t client_send(struct modbus_client *c, int64_t now_ms)
{
    enum { AGAIN_MS = 5 }; /* when the other side does not take it */

    while (c->n_answers > 0) {
        struct modbus_answer *a = &c->answers[0];
        ssize_t n;

        if (a->due_ms > now_ms)
            return a->due_ms;
        n = write(c->fd, a->bytes + a->sent,
                  a->apart_ms >= 0 ? 1 : (size_t)(a->n - a->sent));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return now_ms + AGAIN_MS;
        if (n < 0) { /* gone: reading tells so */
            c->n_answers = 0;
            break;
        }
        a->sent += (int)n;
        if (a->sent == a->n)
            drop_first(c);
        else if (a->apart_ms > 0)
            a->due_ms = now_ms + a->apart_ms;
    }
    return -1;
}
