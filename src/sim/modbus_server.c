/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated meters: a thread, a listener, a few connections, Modbus frames by hand.
 *
 * Not libmodbus' server: that one answers strictly and at once, while tests need late,
 * split, wrong and missing answers, several clients and both kinds of frames; and it
 * must not be shown to a network (CVE-2024-10918 and others). */
#include "sim/modbus_server_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"

/* ---- values ---- */

void modbus_server_encode(struct modbus_server *s)
{
    for (int i = 0; i < s->n_units && !s->frozen; i++)
        modbus_unit_encode(s->units[i], s->arg);
}

/* Big and little ends of words trade places, in all points. */
static void turn_words(struct definition *d)
{
    static const enum word_order other[] = {[WORDS_BE] = WORDS_WS,
                                            [WORDS_WS] = WORDS_BE,
                                            [WORDS_BS] = WORDS_LE,
                                            [WORDS_LE] = WORDS_BS};

    for (int i = 0; i < d->n_points; i++)
        d->points[i].order = other[d->points[i].order];
    for (int i = 0; i < d->n_models; i++)
        turn_words(d->models[i]);
}

/* Makes the registers what the faults of this moment want. */
static void distort(struct modbus_server *s, const int arg[MODBUS_FAULT_COUNT])
{
    enum { FIRST = MODBUS_FAULT_NAN, END = MODBUS_FAULT_REFUSE };

    if (memcmp(&s->arg[FIRST], &arg[FIRST], (END - FIRST) * sizeof arg[0]) == 0)
        return;
    if ((s->arg[MODBUS_FAULT_WORDS] >= 0) != (arg[MODBUS_FAULT_WORDS] >= 0))
        turn_words(s->d);
    memcpy(s->arg, arg, sizeof s->arg);
    s->frozen = false;
    modbus_server_encode(s);
    s->frozen = arg[MODBUS_FAULT_FROZEN] >= 0;
}

/* ---- answering ---- */

static struct modbus_unit *unit_of(const struct modbus_server *s, int id)
{
    for (int i = 0; i < s->n_units; i++)
        if (s->units[i]->id == 0 || s->units[i]->id == id)
            return s->units[i];
    return NULL;
}

static void append(struct modbus_answer *a, const uint8_t *bytes, int n)
{
    memcpy(a->bytes + a->n, bytes, (size_t)n);
    a->n += n;
}

/* Milliseconds that request and answer take on the serial line. */
static int wire_ms(const struct modbus_server *s, int answer_bytes)
{
    /* 3.5 characters of silence after each; 30 ms is what common meters take */
    enum { REQUEST = 8, SILENCE = 7, TURNAROUND_MS = 30 };

    if (s->o.baud == 0)
        return 0;
    return TURNAROUND_MS +
           (REQUEST + SILENCE + answer_bytes) * s->o.bits * 1000 / s->o.baud;
}

static void put_frames(const struct modbus_server *s, struct modbus_client *c,
                       const struct modbus_request *q, const uint8_t *pdu, int length,
                       const int arg[MODBUS_FAULT_COUNT], struct modbus_answer *a)
{
    const uint8_t request[] = {(uint8_t)q->fc, (uint8_t)(q->at >> 8), (uint8_t)q->at,
                               (uint8_t)(q->n >> 8), (uint8_t)q->n};
    uint8_t frame[MODBUS_FRAME_MAX];
    struct modbus_request as = *q;
    int n;

    if (arg[MODBUS_FAULT_ECHO] >= 0 && s->o.rtu)
        append(a, frame, modbus_frame(true, q, request, sizeof request, frame));
    if (arg[MODBUS_FAULT_BEFORE] >= 0)
        append(a, c->last, c->last_n);
    as.id = (uint16_t)(q->id + (arg[MODBUS_FAULT_WRONG_ID] >= 0 ? 77 : 0));
    as.unit = (q->unit + (arg[MODBUS_FAULT_WRONG_UNIT] >= 0)) & 0xFF;
    n = modbus_frame(s->o.rtu, &as, pdu, length, frame);
    if (arg[MODBUS_FAULT_CRC] >= 0 && s->o.rtu)
        frame[n - 1] ^= 0x55;
    append(a, frame, n);
    if (arg[MODBUS_FAULT_TWICE] >= 0 && a->n + n <= CLIENT_BYTES)
        append(a, frame, n);
    memcpy(c->last, frame, (size_t)n);
    c->last_n = n;
}

static void tell(const struct modbus_server *s, const struct modbus_request *q,
                 const uint8_t *pdu, bool answered)
{
    printf("%9.3f unit %d function %d", (double)(clock_ms() - s->start_ms) / 1000,
           q->unit, q->fc);
    if (q->fc >= 1 && q->fc <= 4)
        printf(" registers %d to %d", q->at, q->at + q->n - 1);
    if (!answered)
        printf(": no answer\n");
    else if (pdu[0] & 0x80)
        printf(": exception %d\n", pdu[1]);
    else
        printf(": answered\n");
    fflush(stdout);
}

/* Answers one request, or misbehaves. False = hang up. */
static bool serve_request(struct modbus_server *s, struct modbus_client *c,
                          const struct modbus_request *q)
{
    struct modbus_answer a = {.apart_ms = -1};
    uint8_t pdu[MODBUS_FRAME_MAX];
    int length = 0, arg[MODBUS_FAULT_COUNT];
    struct modbus_unit *u = unit_of(s, q->unit);
    int64_t now_ms = clock_ms();

    pthread_mutex_lock(&s->lock);
    s->requests++;
    modbus_faults_now(&s->faults, now_ms - s->start_ms, true, arg);
    distort(s, arg);
    if (u && arg[MODBUS_FAULT_EXCEPTION] >= 0)
        length = modbus_exception(q, arg[MODBUS_FAULT_EXCEPTION], pdu);
    else if (u && arg[MODBUS_FAULT_MAX_REGS] >= 0 && q->n > arg[MODBUS_FAULT_MAX_REGS])
        length = modbus_exception(q, 2, pdu);
    else if (u)
        length = modbus_unit_answer(u, q, pdu);
    if (length > 2 && arg[MODBUS_FAULT_FULL] >= 0)
        memset(pdu + 2, 0xFF, (size_t)length - 2);
    if (length > 2 && arg[MODBUS_FAULT_ZERO] >= 0)
        memset(pdu + 2, 0, (size_t)length - 2);
    pthread_mutex_unlock(&s->lock);
    if (arg[MODBUS_FAULT_SILENT] >= 0)
        length = 0;
    if (s->o.trace)
        tell(s, q, pdu, length > 0);
    if (arg[MODBUS_FAULT_HANG_UP] >= 0)
        return false;
    if (length == 0)
        return true;
    put_frames(s, c, q, pdu, length, arg, &a);
    if (c->free_ms < now_ms)
        c->free_ms = now_ms;
    c->free_ms += wire_ms(s, a.n);
    if (arg[MODBUS_FAULT_DELAY] > 0)
        c->free_ms += arg[MODBUS_FAULT_DELAY];
    a.due_ms = c->free_ms;
    if (arg[MODBUS_FAULT_TRICKLE] >= 0)
        a.apart_ms = arg[MODBUS_FAULT_TRICKLE] > 0 ? arg[MODBUS_FAULT_TRICKLE] : 1;
    client_answer(c, &a);
    return true;
}

/* Reads what has come and serves all whole requests. False = the client has gone. */
static bool serve(struct modbus_server *s, struct modbus_client *c)
{
    struct modbus_request q;

    if (!client_read(c))
        return false;
    while (modbus_next_request(s->o.rtu, &c->in, &q))
        if (!serve_request(s, c, &q))
            return false;
    return true;
}

/* ---- connections ---- */

bool modbus_server_listen(struct modbus_server *s)
{
    struct sockaddr_in a = s->address;
    socklen_t length = sizeof a;
    int on = 1, error;

    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listen_fd < 0)
        return false;
    setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(s->listen_fd, (struct sockaddr *)&a, length) == 0 &&
        listen(s->listen_fd, CLIENTS) == 0 &&
        getsockname(s->listen_fd, (struct sockaddr *)&a, &length) == 0) {
        if (s->address.sin_port == 0) /* the first time: others do not look yet */
            s->address = a;
        return true;
    }
    error = errno;
    close(s->listen_fd);
    s->listen_fd = -1;
    errno = error;
    return false;
}

static int count_clients(const struct modbus_server *s)
{
    int n = 0;

    for (int i = 0; i < CLIENTS; i++)
        n += s->clients[i].fd >= 0;
    return n;
}

/* Listens, or does not, as the faults want it. */
static void open_or_shut(struct modbus_server *s, const int arg[MODBUS_FAULT_COUNT])
{
    bool refuse = arg[MODBUS_FAULT_REFUSE] >= 0;
    bool full = arg[MODBUS_FAULT_ONE_CLIENT] >= 0 && count_clients(s) > 0;

    if (s->o.on_fd)
        return;
    for (int i = 0; i < CLIENTS && refuse; i++)
        client_close(&s->clients[i]);
    if (!refuse && !full && s->listen_fd < 0) {
        modbus_server_listen(s);
    } else if ((refuse || full) && s->listen_fd >= 0) {
        close(s->listen_fd);
        s->listen_fd = -1;
    }
}

static void greet(struct modbus_client *c)
{
    static const uint8_t junk[] = {0x01, 0x04, 0x04, 0x43, 0x66,
                                   0x33, 0x34, 0x1B, 0x38};
    struct modbus_answer a = {.apart_ms = -1};

    append(&a, junk, sizeof junk);
    a.due_ms = clock_ms();
    client_answer(c, &a);
}

static void admit(struct modbus_server *s, const int arg[MODBUS_FAULT_COUNT])
{
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC), i = 0;

    if (fd < 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->n_clients++;
    pthread_mutex_unlock(&s->lock);
    while (i < CLIENTS && s->clients[i].fd >= 0)
        i++;
    if (i == CLIENTS || arg[MODBUS_FAULT_CLOSE] >= 0) {
        close(fd);
        return;
    }
    client_open(&s->clients[i], fd);
    if (arg[MODBUS_FAULT_GARBAGE] >= 0)
        greet(&s->clients[i]);
}

/* Sends what is due; returns how long poll() may wait. */
static int send_due(struct modbus_server *s)
{
    int64_t now_ms = clock_ms(), next_ms = -1;

    for (int i = 0; i < CLIENTS; i++) {
        int64_t t = s->clients[i].fd >= 0 ? client_send(&s->clients[i], now_ms) : -1;

        if (t >= 0 && (next_ms < 0 || t < next_ms))
            next_ms = t;
    }
    return next_ms < 0 ? -1 : next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}

/* The faults of connections at this moment. *timed: look again soon. False = the end.
 */
static bool look_at_faults(struct modbus_server *s, int arg[MODBUS_FAULT_COUNT],
                           bool *timed)
{
    bool go_on;

    pthread_mutex_lock(&s->lock);
    go_on = !s->stopping;
    *timed = false;
    for (int i = 0; i < s->faults.n; i++)
        *timed = *timed || s->faults.rules[i].fault >= MODBUS_FAULT_REFUSE;
    modbus_faults_now(&s->faults, clock_ms() - s->start_ms, false, arg);
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

void *modbus_server_run(void *server)
{
    enum { LOOK_MS = 20 };
    struct modbus_server *s = server;
    struct pollfd p[CLIENTS + 2];
    int arg[MODBUS_FAULT_COUNT], wait_ms;
    uint64_t woken;
    bool timed;

    while (look_at_faults(s, arg, &timed)) {
        open_or_shut(s, arg);
        wait_ms = send_due(s);
        if (timed && (wait_ms < 0 || wait_ms > LOOK_MS))
            wait_ms = LOOK_MS;
        for (int i = 0; i < CLIENTS; i++)
            p[i] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
        p[CLIENTS] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
        p[CLIENTS + 1] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
        if (poll(p, CLIENTS + 2, wait_ms) < 0)
            continue;
        if (p[CLIENTS + 1].revents && read(s->wake_fd, &woken, sizeof woken) < 0)
            continue;
        for (int i = 0; i < CLIENTS; i++)
            if (p[i].fd >= 0 && p[i].revents && !serve(s, &s->clients[i]))
                client_close(&s->clients[i]);
        if (p[CLIENTS].revents)
            admit(s, arg);
    }
    for (int i = 0; i < CLIENTS; i++)
        client_close(&s->clients[i]);
    return NULL;
}
