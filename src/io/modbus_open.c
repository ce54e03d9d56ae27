/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets and serial ports for Modbus. libmodbus could open them, too, but neither by
 * name, nor exclusively, nor so that a stop request ends the wait. */
#include "io/modbus_open.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/lock_holder.h"

/* One look-up of a name, in a thread of its own as getaddrinfo() cannot be ended. Who
 * comes last frees it: the one who asked, or the thread when nobody waits any more. */
struct lookup {
    pthread_mutex_t lock;
    bool done, abandoned;
    int done_fd; /* readable once done */
    char host[256], port[8];
    struct addrinfo *result;
    int error;
};

static bool is_stopped(int stop_fd)
{
    struct pollfd p = {.fd = stop_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

static int look_up(const char *host, const char *port, int flags, struct addrinfo **out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = flags | AI_NUMERICSERV};

    *out = NULL;
    return getaddrinfo(host, port, &hints, out);
}

static struct lookup *lookup_new(const char *host, const char *port)
{
    struct lookup *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->done_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&l->lock, NULL);
    snprintf(l->host, sizeof l->host, "%s", host);
    snprintf(l->port, sizeof l->port, "%s", port);
    return l;
}

static void lookup_free(struct lookup *l)
{
    if (l->result)
        freeaddrinfo(l->result);
    if (l->done_fd >= 0)
        close(l->done_fd);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void *run_lookup(void *arg)
{
    struct lookup *l = arg;
    uint64_t one = 1;
    bool last;

    l->error = look_up(l->host, l->port, AI_ADDRCONFIG, &l->result);
    pthread_mutex_lock(&l->lock);
    l->done = true;
    last = l->abandoned;
    if (!last && write(l->done_fd, &one, sizeof one) < 0)
        l->error = EAI_SYSTEM;
    pthread_mutex_unlock(&l->lock);
    if (last)
        lookup_free(l);
    return NULL;
}

static bool start_lookup(struct lookup *l)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool good;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    good = l->done_fd >= 0 && pthread_create(&thread, &attr, run_lookup, l) == 0;
    pthread_attr_destroy(&attr);
    return good;
}

/* Waits until it is done or stop_fd is readable. *error = 0, an EAI_ code, or
 * EAI_INPROGRESS after the time. */
static enum line_result wait_lookup(struct lookup *l, int stop_fd, int timeout_ms,
                                    struct addrinfo **out, int *error)
{
    struct pollfd p[2] = {{.fd = l->done_fd, .events = POLLIN},
                          {.fd = stop_fd, .events = POLLIN}};
    bool done;

    while (poll(p, 2, timeout_ms) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&l->lock);
    done = l->done;
    l->abandoned = true;
    pthread_mutex_unlock(&l->lock);
    if (!done) {
        *error = EAI_INPROGRESS;
        return p[1].revents ? LINE_STOPPED : LINE_BROKEN;
    }
    *error = l->error;
    *out = l->result;
    l->result = NULL;
    lookup_free(l);
    return *error ? LINE_BROKEN : LINE_OK;
}

static enum line_result resolve(const struct line_address *a, int stop_fd,
                                struct addrinfo **out, char *text, size_t size)
{
    enum { NAME_SERVER_MS = 10000 };
    enum line_result result = LINE_BROKEN;
    struct lookup *l;
    char port[8];
    int error;

    snprintf(port, sizeof port, "%d", a->port);
    error = look_up(a->host, port, AI_NUMERICHOST, out);
    if (!error)
        return LINE_OK;
    if (error == EAI_NONAME) {
        error = EAI_MEMORY;
        l = lookup_new(a->host, port);
        if (l && start_lookup(l))
            result = wait_lookup(l, stop_fd, NAME_SERVER_MS, out, &error);
        else if (l)
            lookup_free(l);
    }
    if (result == LINE_BROKEN)
        snprintf(text, size, "the name %s cannot be resolved: %s", a->host,
                 error == EAI_INPROGRESS ? "the name server does not answer"
                                         : gai_strerror(error));
    return result;
}

/* A small device, often behind a radio link: find out soon when it is gone. */
static void tune(int fd, int timeout_ms)
{
    int on = 1, idle_s = 30, interval_s = 10, probes = 3;
    unsigned int give_up_ms = timeout_ms > 10000 ? (unsigned)timeout_ms : 10000;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_ms, sizeof give_up_ms);
}

/* Waits for a connection under way. 0, or an errno; ECANCELED = stopped. */
static int finish_connect(int fd, int stop_fd, int64_t end)
{
    int error = 0;
    socklen_t length = sizeof error;

    for (;;) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLOUT},
                              {.fd = stop_fd, .events = POLLIN}};
        int64_t left = end - clock_ms();
        int n = poll(p, 2, left > 0 ? (int)left : 0);

        if (p[1].revents)
            return ECANCELED;
        if (n > 0 && p[0].revents)
            break;
        if (n == 0)
            return ETIMEDOUT;
        if (n < 0 && errno != EINTR)
            return errno;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return errno;
    return error;
}

/* 0 with *out, or an errno. */
static int connect_one(const struct addrinfo *ai, int stop_fd, int64_t end, int *out)
{
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    ai->ai_protocol);
    int error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
        error = errno == EINPROGRESS ? finish_connect(fd, stop_fd, end) : errno;
    if (error) {
        close(fd);
        return error;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    *out = fd;
    return 0;
}

static const char *connect_hint(const struct line_address *a, int error)
{
    switch (error) {
    case ECONNREFUSED:
        if (a->single)
            return "refused: it serves one client at a time, so does another one hold "
                   "it? Else check address and port";
        if (a->transport != TRANSPORT_TCP)
            return "nothing listens there, or it serves another client: check address "
                   "and port";
        return "nothing listens there, or it serves another client: check address, "
               "port, and that Modbus TCP is switched on";
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "not reachable: check address, cable and power";
    default:
        return strerrordesc_np(error);
    }
}

static enum line_result open_tcp(const struct line_address *a, int stop_fd,
                                 int timeout_ms, int *fd, char *text, size_t size)
{
    struct addrinfo *list;
    enum line_result result = resolve(a, stop_fd, &list, text, size);
    int error = EHOSTUNREACH;

    if (result != LINE_OK)
        return result;
    for (struct addrinfo *ai = list; ai && error && error != ECANCELED;
         ai = ai->ai_next)
        error = connect_one(ai, stop_fd, clock_ms() + timeout_ms, fd);
    freeaddrinfo(list);
    if (error == ECANCELED)
        return LINE_STOPPED;
    if (error) {
        snprintf(text, size, "%s:%d: %s", a->host, a->port, connect_hint(a, error));
        return LINE_BROKEN;
    }
    tune(*fd, timeout_ms);
    return LINE_OK;
}

static speed_t speed(int baud)
{
    static const struct {
        int baud;
        speed_t speed;
    } table[] = {{1200, B1200},     {2400, B2400},     {4800, B4800},
                 {9600, B9600},     {19200, B19200},   {38400, B38400},
                 {57600, B57600},   {115200, B115200}, {230400, B230400},
                 {460800, B460800}, {921600, B921600}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].baud == baud)
            return table[i].speed;
    return B0;
}

static bool set_up_serial(int fd, const struct line_address *a)
{
    struct termios t;

    if (speed(a->baud) == B0) {
        errno = EINVAL;
        return false;
    }
    if (tcgetattr(fd, &t) < 0)
        return false;
    cfmakeraw(&t);
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
    t.c_cflag |= CREAD | CLOCAL | (a->data_bits == 7 ? CS7 : CS8);
    t.c_cflag |= a->stop_bits == 2 ? CSTOPB : 0;
    t.c_cflag |= a->parity == 'E' ? PARENB : a->parity == 'O' ? PARENB | PARODD : 0;
    t.c_iflag |= a->parity == 'N' ? 0 : INPCK;
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 0;
    cfsetspeed(&t, speed(a->baud));
    return tcsetattr(fd, TCSANOW, &t) == 0 && tcflush(fd, TCIOFLUSH) == 0;
}

static const char *serial_hint(int error)
{
    switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "there is no such device: is the adapter plugged in?";
    case EACCES:
        return "no permission: is the user in the group dialout?";
    case EBUSY:
    case EWOULDBLOCK:
        return "another program uses it";
    case EINVAL:
        return "it does not take this baud rate";
    default:
        return strerrordesc_np(error);
    }
}

static void tell_holder(const struct line_address *a, int fd, char *text, size_t size)
{
    char name[32];
    int pid;

    if (!lock_holder(fd, &pid, name, sizeof name))
        return;
    if (strcmp(name, "chargehand") == 0)
        snprintf(text, size,
                 "%s: chargehand uses it (process %d), most likely the running "
                 "controller: stop it meanwhile",
                 a->device, pid);
    else
        snprintf(text, size, "%s: %s uses it (process %d)", a->device, name, pid);
}

/* With a lock, as two masters on one RS-485 line garble each other. */
static enum line_result open_serial(const struct line_address *a, int *fd, char *text,
                                    size_t size)
{
    int error = 0;

    *fd = open(a->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0)
        error = errno;
    else if (flock(*fd, LOCK_EX | LOCK_NB) < 0 || !set_up_serial(*fd, a))
        error = errno;
    if (!error)
        return LINE_OK;
    snprintf(text, size, "%s: %s", a->device, serial_hint(error));
    if (error == EWOULDBLOCK)
        tell_holder(a, *fd, text, size);
    if (*fd >= 0)
        close(*fd);
    return LINE_BROKEN;
}

enum line_result modbus_open(const struct line_address *a, int stop_fd, int timeout_ms,
                             int *fd, char *text, size_t size)
{
    if (is_stopped(stop_fd))
        return LINE_STOPPED;
    if (a->transport == TRANSPORT_RTU)
        return open_serial(a, fd, text, size);
    return open_tcp(a, stop_fd, timeout_ms, fd, text, size);
}
