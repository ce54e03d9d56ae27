/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated meter: a thread, a listener, a few connections, Modbus frames by hand.
 *
 * Not libmodbus' server: that one answers strictly and at once, while tests need late,
 * split, wrong and missing answers, several clients and both kinds of frames. */
#include "sim/modbus_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/meter_files.h"
#include "meter/encode.h"
#include "sim/modbus_frame.h"

enum { CLIENTS = 8 };

struct client {
    int fd; /* -1 = free */
    struct modbus_buffer in;
};

struct modbus_server {
    struct definition *d;
    struct decode decode;
    int unit, port, listen_fd, stop_fd;
    bool rtu;
    struct client clients[CLIENTS];
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    struct meter_reading reading;
    uint16_t word[4][65536]; /* of function codes 1 to 4 */
    uint8_t present[4][65536];
    enum modbus_fault fault;
    int fault_arg, fault_count;
    uint64_t requests, n_clients;
};

static void put_register(void *arg, int fc, int at, uint16_t word)
{
    struct modbus_server *s = arg;

    if (at < 0 || at > 65535 || fc < 1 || fc > 4)
        return;
    s->word[fc - 1][at] = word;
    s->present[fc - 1][at] = 1;
}

/* ---- answering ---- */

/* Bits go into bytes from the lowest on. */
static int answer_bits(const struct modbus_server *s, const struct modbus_request *q,
                       uint8_t *pdu)
{
    int bytes = (q->n + 7) / 8;

    pdu[1] = (uint8_t)bytes;
    memset(pdu + 2, 0, (size_t)bytes);
    for (int i = 0; i < q->n; i++)
        if (s->word[q->fc - 1][q->at + i])
            pdu[2 + i / 8] |= (uint8_t)(1 << i % 8);
    return 2 + bytes;
}

/* The protocol data unit of the answer; returns its length. Called with the lock. */
static int answer(struct modbus_server *s, const struct modbus_request *q, uint8_t *pdu)
{
    int code = 0;

    if (q->fc < 1 || q->fc > 4)
        code = 1;
    else if (q->n < 1 || q->n > 125)
        code = 3;
    else if (q->at + q->n > 65536)
        code = 2;
    for (int i = 0; !code && i < q->n; i++)
        if (!s->present[q->fc - 1][q->at + i])
            code = 2;
    if (s->fault == MODBUS_FAULT_EXCEPTION)
        code = s->fault_arg;
    if (code) {
        pdu[0] = (uint8_t)(q->fc | 0x80);
        pdu[1] = (uint8_t)code;
        return 2;
    }
    pdu[0] = (uint8_t)q->fc;
    if (q->fc < 3)
        return answer_bits(s, q, pdu);
    pdu[1] = (uint8_t)(q->n * 2);
    for (int i = 0; i < q->n; i++) {
        pdu[2 + 2 * i] = (uint8_t)(s->word[q->fc - 1][q->at + i] >> 8);
        pdu[3 + 2 * i] = (uint8_t)s->word[q->fc - 1][q->at + i];
    }
    return 2 + q->n * 2;
}

/* Sleeps, but not when the server is stopped: false. */
static bool nap(const struct modbus_server *s, int ms)
{
    struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};

    return poll(&p, 1, ms) == 0;
}

static void send_all(const struct modbus_server *s, int fd, const uint8_t *frame,
                     int length, bool trickle)
{
    for (int i = 0; i < length;) {
        ssize_t n = write(fd, frame + i, trickle ? 1 : (size_t)(length - i));

        if (n <= 0 || (trickle && !nap(s, 1)))
            return;
        i += (int)n;
    }
}

/* Answers one request, or misbehaves. False = hang up. */
static bool serve_request(struct modbus_server *s, int fd, struct modbus_request *q)
{
    uint8_t frame[MODBUS_FRAME_MAX], pdu[MODBUS_FRAME_MAX];
    enum modbus_fault fault;
    int length, arg;

    pthread_mutex_lock(&s->lock);
    s->requests++;
    fault = s->fault;
    arg = s->fault_arg;
    length = answer(s, q, pdu);
    if (s->fault_count > 0 && --s->fault_count == 0)
        s->fault = MODBUS_FAULT_NONE;
    pthread_mutex_unlock(&s->lock);
    if (fault == MODBUS_FAULT_HANG_UP)
        return false;
    if (fault == MODBUS_FAULT_SILENT || (s->unit && q->unit != s->unit))
        return true;
    if (fault == MODBUS_FAULT_DELAY && !nap(s, arg))
        return false;
    q->id = (uint16_t)(q->id + (fault == MODBUS_FAULT_WRONG_ID ? 77 : 0));
    length = modbus_frame(s->rtu, q, pdu, length, frame);
    send_all(s, fd, frame, length, fault == MODBUS_FAULT_TRICKLE);
    return true;
}

/* Reads what has come and serves all whole requests. False = the client has gone. */
static bool serve(struct modbus_server *s, struct client *c)
{
    struct modbus_request q;
    ssize_t n =
        read(c->fd, c->in.bytes + c->in.n, sizeof c->in.bytes - (size_t)c->in.n);

    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    c->in.n += (int)n;
    while (modbus_next_request(s->rtu, &c->in, &q))
        if (!serve_request(s, c->fd, &q))
            return false;
    return true;
}

static void hang_up(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    c->in.n = 0;
}

static void admit(struct modbus_server *s)
{
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->n_clients++;
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < CLIENTS; i++)
        if (s->clients[i].fd < 0) {
            s->clients[i].fd = fd;
            return;
        }
    close(fd);
}

static void *run(void *arg)
{
    struct modbus_server *s = arg;
    struct pollfd p[CLIENTS + 2];

    for (;;) {
        for (int i = 0; i < CLIENTS; i++)
            p[i] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
        p[CLIENTS] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
        p[CLIENTS + 1] = (struct pollfd){.fd = s->stop_fd, .events = POLLIN};
        if (poll(p, CLIENTS + 2, -1) < 0 && errno != EINTR)
            break;
        if (p[CLIENTS + 1].revents)
            break;
        if (p[CLIENTS].revents)
            admit(s);
        for (int i = 0; i < CLIENTS; i++)
            if (p[i].fd >= 0 && p[i].revents && !serve(s, &s->clients[i]))
                hang_up(&s->clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++)
        if (s->clients[i].fd >= 0)
            hang_up(&s->clients[i]);
    return NULL;
}

/* ---- setting up ---- */

static bool listen_on(struct modbus_server *s, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof a;
    int on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listen_fd < 0)
        return false;
    setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(s->listen_fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(s->listen_fd, 8) < 0 ||
        getsockname(s->listen_fd, (struct sockaddr *)&a, &length) < 0)
        return false;
    s->port = ntohs(a.sin_port);
    return true;
}

static void encode(struct modbus_server *s)
{
    encode_reading(&s->decode, &s->reading, put_register, s);
}

static void begin(struct modbus_server *s)
{
    static const int32_t none_ma[SITE_PHASES];

    s->decode = (struct decode){.layout = s->d, .device = s->d};
    if (s->d->sunspec.used) {
        s->decode.layout = s->d->models[0];
        s->decode.offset = encode_chain(s->d, put_register, s);
    }
    reading_clear(&s->reading);
    s->reading.hz_mhz = 50000;
    s->reading.import_wh = s->reading.export_wh = 0;
    modbus_server_set(s, none_ma, NULL, NULL);
}

static struct modbus_server *server_new(const char *model, int unit, char *err,
                                        size_t n)
{
    struct modbus_server *s = calloc(1, sizeof *s);

    if (!s) {
        snprintf(err, n, "out of memory");
        return NULL;
    }
    s->unit = unit;
    s->listen_fd = s->stop_fd = -1;
    for (int i = 0; i < CLIENTS; i++)
        s->clients[i].fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->d = meter_files_load(model, err, n);
    if (s->d && s->d->is_model)
        snprintf(err, n, "\"%s\" is not a device", model);
    if (!s->d || s->d->is_model) {
        definition_free(s->d);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    begin(s);
    return s;
}

static void server_free(struct modbus_server *s)
{
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    pthread_mutex_destroy(&s->lock);
    definition_free(s->d);
    free(s);
}

static struct modbus_server *server_start(struct modbus_server *s, char *err, size_t n)
{
    sigset_t all, before;
    int error;

    s->stop_fd = eventfd(0, EFD_CLOEXEC);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = s->stop_fd < 0 ? errno : pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error)
        return s;
    snprintf(err, n, "no thread for the simulated meter");
    server_free(s);
    return NULL;
}

struct modbus_server *modbus_server_new(const char *model, int unit, int port,
                                        char *err, size_t n)
{
    struct modbus_server *s = server_new(model, unit, err, n);

    if (!s)
        return NULL;
    if (listen_on(s, port))
        return server_start(s, err, n);
    snprintf(err, n, "cannot listen on 127.0.0.1:%d", port);
    server_free(s);
    return NULL;
}

struct modbus_server *modbus_server_new_rtu(const char *model, int unit, int fd,
                                            char *err, size_t n)
{
    struct modbus_server *s = server_new(model, unit, err, n);

    if (!s)
        return NULL;
    s->rtu = true;
    if (fd >= 0)
        s->clients[0].fd = fd;
    if (fd >= 0 || listen_on(s, 0))
        return server_start(s, err, n);
    snprintf(err, n, "cannot listen on 127.0.0.1");
    server_free(s);
    return NULL;
}

void modbus_server_stop(struct modbus_server *s)
{
    uint64_t one = 1;

    if (!s)
        return;
    while (write(s->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(s->thread, NULL);
    server_free(s);
}

int modbus_server_port(const struct modbus_server *s)
{
    return s->port;
}

/* ---- values ---- */

static int32_t power_of(int32_t i_ma, int32_t v_mv)
{
    if (i_ma == EVENT_NO_VALUE || v_mv == EVENT_NO_VALUE)
        return EVENT_NO_VALUE;
    return (int32_t)((int64_t)i_ma * v_mv / 1000000);
}

void modbus_server_set(struct modbus_server *s, const int32_t i_ma[SITE_PHASES],
                       const int32_t v_mv[SITE_PHASES], const int32_t p_w[SITE_PHASES])
{
    struct meter_reading *r = &s->reading;

    pthread_mutex_lock(&s->lock);
    r->p_w = 0;
    for (int i = 0; i < SITE_PHASES; i++) {
        r->i_ma[i] = i_ma[i];
        r->v_mv[i] = v_mv ? v_mv[i] : 230000;
        r->p_phase_w[i] = p_w ? p_w[i] : power_of(i_ma[i], r->v_mv[i]);
        if (r->p_phase_w[i] == EVENT_NO_VALUE)
            r->p_w = EVENT_NO_VALUE;
        else if (r->p_w != EVENT_NO_VALUE)
            r->p_w += r->p_phase_w[i];
    }
    encode(s);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_set_energy(struct modbus_server *s, int64_t import_wh,
                              int64_t export_wh)
{
    pthread_mutex_lock(&s->lock);
    s->reading.import_wh = import_wh;
    s->reading.export_wh = export_wh;
    encode(s);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_set_register(struct modbus_server *s, int fc, int at, uint16_t word)
{
    pthread_mutex_lock(&s->lock);
    put_register(s, fc, at, word);
    pthread_mutex_unlock(&s->lock);
}

void modbus_server_fault(struct modbus_server *s, enum modbus_fault f, int arg,
                         int count)
{
    pthread_mutex_lock(&s->lock);
    s->fault = f;
    s->fault_arg = arg;
    s->fault_count = count;
    pthread_mutex_unlock(&s->lock);
}

uint64_t modbus_server_requests(struct modbus_server *s)
{
    uint64_t n;

    pthread_mutex_lock(&s->lock);
    n = s->requests;
    pthread_mutex_unlock(&s->lock);
    return n;
}

uint64_t modbus_server_clients(struct modbus_server *s)
{
    uint64_t n;

    pthread_mutex_lock(&s->lock);
    n = s->n_clients;
    pthread_mutex_unlock(&s->lock);
    return n;
}
