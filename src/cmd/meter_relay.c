/* SPDX-License-Identifier: Apache-2.0 */
/* A relay of bytes in a thread of its own: on TCP a listener of 127.0.0.1, for a serial
 * port a pseudo terminal. */
#include "cmd/meter_relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/modbus_open.h"

struct relay {
    int there_fd;  /* the device */
    int listen_fd; /* TCP, until the line has come */
    int here_fd;   /* the line; -1 = it has not come yet */
    int held_fd;   /* the line's end of a pseudo terminal, lest it end between opens */
    int stop_fd;
    char device[128];
    relay_told *told;
    void *arg;
    int64_t start_ms;
    pthread_t thread;
    bool running;
};

static void say(const struct relay *r, enum relay_event event, const uint8_t *bytes,
                int n)
{
    r->told(r->arg, event, bytes, n, relay_now_ms(r));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Passes on what there is from one side to the other. False = it has ended. */
static bool pass(struct relay *r, int from, int to, enum relay_event event)
{
    uint8_t bytes[600];
    ssize_t n = read(from, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    say(r, event, bytes, (int)n);
    for (ssize_t at = 0; at < n;) { /* a few bytes: they find room */
        ssize_t put = write(to, bytes + at, (size_t)(n - at));

        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        at += put > 0 ? put : 0;
    }
    return true;
}

static void admit(struct relay *r)
{
    int on = 1;

    r->here_fd = accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(r->here_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close_fd(&r->listen_fd);
}

static void *run(void *arg)
{
    struct relay *r = arg;

    for (;;) {
        struct pollfd p[4] = {{.fd = r->stop_fd, .events = POLLIN},
                              {.fd = r->there_fd, .events = POLLIN},
                              {.fd = r->here_fd, .events = POLLIN},
                              {.fd = r->listen_fd, .events = POLLIN}};

        if (poll(p, 4, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            break;
        if (p[3].revents)
            admit(r);
        if (p[1].revents && r->here_fd >= 0 &&
            !pass(r, r->there_fd, r->here_fd, RELAY_CAME)) {
            say(r, RELAY_CLOSED, NULL, 0);
            close_fd(&r->there_fd);
            shutdown(r->here_fd, SHUT_RDWR);
        }
        if (p[2].revents &&
            (r->there_fd < 0 || !pass(r, r->here_fd, r->there_fd, RELAY_SENT)))
            close_fd(&r->here_fd);
    }
    return NULL;
}

int meter_open_pty(char *device, size_t size, int *other_fd)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;

    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 ||
        ptsname_r(fd, device, size) != 0 || tcgetattr(fd, &t) < 0)
        return -1;
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    *other_fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return *other_fd < 0 ? -1 : fd;
}

static bool listen_here(struct relay *r, struct line_address *here)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;

    r->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->listen_fd < 0 || bind(r->listen_fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(r->listen_fd, 1) < 0 ||
        getsockname(r->listen_fd, (struct sockaddr *)&a, &length) < 0)
        return false;
    here->host = "127.0.0.1";
    here->port = ntohs(a.sin_port);
    return true;
}

static bool terminal_here(struct relay *r, struct line_address *here)
{
    r->here_fd = meter_open_pty(r->device, sizeof r->device, &r->held_fd);
    here->device = r->device;
    return r->here_fd >= 0;
}

struct relay *relay_new(const struct line_address *there, int timeout_ms,
                        struct line_address *here, relay_told *told, void *arg,
                        char *err, size_t size)
{
    struct relay *r = calloc(1, sizeof *r);
    bool good;

    if (!r) {
        snprintf(err, size, "out of memory");
        return NULL;
    }
    *here = *there;
    r->there_fd = r->listen_fd = r->here_fd = r->held_fd = -1;
    r->told = told;
    r->arg = arg;
    r->start_ms = clock_ms();
    r->stop_fd = eventfd(0, EFD_CLOEXEC);
    good =
        modbus_open(there, r->stop_fd, timeout_ms, &r->there_fd, err, size) == LINE_OK;
    if (good && !(there->transport == TRANSPORT_RTU ? terminal_here(r, here)
                                                    : listen_here(r, here))) {
        snprintf(err, size, "no place to listen in between");
        good = false;
    }
    r->running = good && pthread_create(&r->thread, NULL, run, r) == 0;
    if (r->running)
        return r;
    relay_free(r);
    return NULL;
}

int64_t relay_now_ms(const struct relay *r)
{
    return clock_ms() - r->start_ms;
}

void relay_free(struct relay *r)
{
    uint64_t one = 1;

    if (!r)
        return;
    while (write(r->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    if (r->running)
        pthread_join(r->thread, NULL);
    close_fd(&r->there_fd);
    close_fd(&r->listen_fd);
    close_fd(&r->here_fd);
    close_fd(&r->held_fd);
    close_fd(&r->stop_fd);
    free(r);
}
