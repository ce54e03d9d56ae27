/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus requests on a TCP connection. */
#include "io/modbus_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "io/clock.h"

/* What has come in. An answer and as much again of what nobody asked for fit. */
struct received {
    uint8_t bytes[2 * FRAME_ANSWER_MAX];
    int n;
};

static enum line_result lost(struct line_reply *reply, int error)
{
    reply->error = error;
    return LINE_BROKEN;
}

/* LINE_OK = there is something to receive. */
static enum line_result wait_for_more(int fd, int stop_fd, int64_t end_ms,
                                      struct line_reply *reply)
{
    for (;;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = stop_fd, .events = POLLIN}};
        int64_t left = end_ms - clock_ms();
        int n = poll(p, 2, left > 0 ? (int)left : 0);

        if (n < 0 && errno != EINTR)
            return lost(reply, errno);
        if (n > 0 && p[1].revents)
            return LINE_STOPPED;
        if (n > 0)
            return LINE_OK;
        if (n == 0)
            return LINE_TIMEOUT;
    }
}

static enum line_result receive(int fd, struct received *in, struct line_reply *reply)
{
    int room = (int)sizeof in->bytes - in->n;
    ssize_t n;

    if (room == 0) { /* a flood of what is not for us: the newer half may be */
        in->n = FRAME_ANSWER_MAX;
        memcpy(in->bytes, in->bytes + FRAME_ANSWER_MAX, FRAME_ANSWER_MAX);
        room = FRAME_ANSWER_MAX;
    }
    n = recv(fd, in->bytes + in->n, (size_t)room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return LINE_OK;
    if (n <= 0)
        return lost(reply, n < 0 ? errno : ECONNRESET);
    in->n += (int)n;
    return LINE_OK;
}

static enum line_result take_answer(int fd, int stop_fd, enum framing framing,
                                    const struct frame_request *q, int64_t end_ms,
                                    struct line_reply *reply)
{
    struct received in = {.n = 0};

    for (;;) {
        enum line_result result = wait_for_more(fd, stop_fd, end_ms, reply);

        if (result == LINE_TIMEOUT && in.n > 0)
            return LINE_GARBLED;
        if (result == LINE_OK)
            result = receive(fd, &in, reply);
        if (result != LINE_OK)
            return result;
        switch (frame_decode(framing, q, in.bytes, in.n, &reply->answer)) {
        case FRAME_ANSWER:
            return LINE_OK;
        case FRAME_EXCEPTION:
            return LINE_REFUSED;
        case FRAME_WRONG:
            return LINE_GARBLED;
        case FRAME_MORE:
            break;
        }
    }
}

enum line_result modbus_socket_read(int fd, int stop_fd, enum framing framing,
                                    const struct frame_request *q, int timeout_ms,
                                    struct line_reply *reply)
{
    uint8_t bytes[FRAME_REQUEST_MAX];
    int n = frame_encode(framing, q, bytes);

    reply->answer.odd = FRAME_ODD_NONE;
    /* It does not fit when earlier ones are still on their way: the cable is pulled. */
    if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
        return lost(reply, errno == EAGAIN ? ETIMEDOUT : errno);
    return take_answer(fd, stop_fd, framing, q, clock_ms() + timeout_ms, reply);
}
