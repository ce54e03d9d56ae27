/* SPDX-License-Identifier: Apache-2.0 */
#include "liar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "pty.h"

enum { PENDING = 64, BYTES = 300 };

struct request {
    uint16_t id;
    int unit, fc, at, n;
    int64_t asked_ms; /* not sent before */
};

/* Bytes on their way. */
struct pending {
    uint8_t bytes[BYTES];
    int n;
    bool single; /* one byte at a time */
    bool begins; /* the begin of a frame ... */
    bool rest;   /* ... and its end */
    int64_t asked_ms, due_ms;
};

struct liar {
    enum transport t;
    int timeout_ms, per_1000;
    unsigned seed;
    char device[128];
    int port, listen_fd, fd, held_fd, stop_fd;
    bool hang_up, was_hung_up;
    uint8_t in[BYTES];
    int n_in;
    struct pending pending[PENDING];
    int n_pending;
    uint16_t last_id;
    int told[LIES];
    pthread_t thread;
};

static int any(struct liar *l, int below)
{
    return (int)((unsigned)rand_r(&l->seed) % (unsigned)below);
}

static bool is_rtu(const struct liar *l)
{
    return l->t != TRANSPORT_TCP;
}

uint16_t liar_word(int unit, int fc, int at)
{
    return (uint16_t)((unit & 15) << 12 | (fc == 4) << 11 | (at & 2047));
}

const char *liar_name(enum lie lie)
{
    static const char *const names[LIES] = {
        "late",           "single bytes", "pieces", "half",    "two",
        "two, ours last", "twice",        "unit",   "id",      "sum",
        "junk",           "exception",    "silent", "hangs up"};

    return names[lie];
}

/* ---- frames ---- */

static int frame(const struct liar *l, const struct request *q, const uint8_t *pdu,
                 int n, uint8_t *out)
{
    uint16_t crc;

    if (!is_rtu(l)) {
        memcpy(out,
               (uint8_t[]){(uint8_t)(q->id >> 8), (uint8_t)q->id, 0, 0,
                           (uint8_t)((n + 1) >> 8), (uint8_t)(n + 1), (uint8_t)q->unit},
               7);
        memcpy(out + 7, pdu, (size_t)n);
        return 7 + n;
    }
    out[0] = (uint8_t)q->unit;
    memcpy(out + 1, pdu, (size_t)n);
    crc = frame_crc(out, 1 + n);
    out[1 + n] = (uint8_t)crc;
    out[2 + n] = (uint8_t)(crc >> 8);
    return 3 + n;
}

static int right(const struct liar *l, const struct request *q, uint8_t *out)
{
    uint8_t pdu[BYTES] = {(uint8_t)q->fc, (uint8_t)(2 * q->n)};

    for (int i = 0; i < q->n; i++) {
        uint16_t word = liar_word(q->unit, q->fc, q->at + i);

        pdu[2 + 2 * i] = (uint8_t)(word >> 8);
        pdu[3 + 2 * i] = (uint8_t)word;
    }
    return frame(l, q, pdu, 2 + 2 * q->n, out);
}

static int exception(const struct liar *l, const struct request *q, int code,
                     uint8_t *out)
{
    const uint8_t pdu[] = {(uint8_t)(q->fc | 0x80), (uint8_t)code};

    return frame(l, q, pdu, 2, out);
}

/* The answer to another request that looks the same. */
static int other(struct liar *l, const struct request *q, uint8_t *out)
{
    struct request o = *q;

    o.at = (q->at + 6 + any(l, 500)) % 1900;
    o.id = (uint16_t)(q->id + (any(l, 2) ? -1 : 1) * (1 + any(l, 3)));
    return right(l, &o, out);
}

/* ---- lying ---- */

static struct pending *put(struct liar *l, const struct request *q, int delay_ms)
{
    struct pending *p = &l->pending[l->n_pending];

    if (l->n_pending == PENDING)
        return &l->pending[PENDING - 1]; /* never so many */
    l->n_pending++;
    *p = (struct pending){.asked_ms = q->asked_ms, .due_ms = clock_ms() + delay_ms};
    return p;
}

static void put_right(struct liar *l, const struct request *q, int delay_ms)
{
    struct pending *p = put(l, q, delay_ms);

    p->n = right(l, q, p->bytes);
}

static void garbage(struct liar *l, struct pending *p)
{
    p->n = 1 + any(l, 60);
    for (int i = 0; i < p->n; i++)
        p->bytes[i] = (uint8_t)any(l, 256);
}

static bool owes_rest(const struct liar *l)
{
    for (int i = 0; i < l->n_pending; i++)
        if (l->pending[i].rest)
            return true;
    return false;
}

/* Two frames in one segment. */
static void two(struct liar *l, const struct request *q, enum lie lie)
{
    struct pending *p = put(l, q, 0);

    p->n = lie == LIE_TWO_BEFORE ? other(l, q, p->bytes) : right(l, q, p->bytes);
    p->n +=
        lie == LIE_TWO ? other(l, q, p->bytes + p->n) : right(l, q, p->bytes + p->n);
}

static void pieces(struct liar *l, const struct request *q, bool all)
{
    struct pending *p = put(l, q, 0), *rest;
    int cut;

    p->n = right(l, q, p->bytes);
    cut = 1 + any(l, p->n - 1);
    if (all) {
        rest = put(l, q, 1 + any(l, l->timeout_ms / 2));
        p->begins = rest->rest = true;
        rest->n = p->n - cut;
        memcpy(rest->bytes, p->bytes + cut, (size_t)rest->n);
    }
    p->n = cut;
    l->hang_up = !all && !is_rtu(l); /* TCP loses nothing in between */
}

/* Something that is not the answer, and perhaps the answer behind it. */
static void wrong(struct liar *l, const struct request *q, enum lie lie)
{
    struct pending *p = put(l, q, 0);
    struct request o = *q;

    switch (lie) {
    case LIE_UNIT:
        o.unit = q->unit + 1;
        p->n = right(l, &o, p->bytes);
        break;
    case LIE_ID: /* where there is none, another function */
        p->n = other(l, q, p->bytes);
        if (is_rtu(l)) {
            o.fc = 7 - q->fc;
            p->n = right(l, &o, p->bytes);
        }
        break;
    case LIE_CHECK_SUM: /* not in the id: what has ours and looks right is ours */
        p->n = is_rtu(l) ? right(l, q, p->bytes) : other(l, q, p->bytes);
        p->bytes[is_rtu(l) ? any(l, p->n) : 2 + any(l, 5)] ^= (uint8_t)(1 << any(l, 8));
        break;
    default:
        garbage(l, p);
        break;
    }
    if (any(l, 2))
        put_right(l, q, any(l, l->timeout_ms));
}

static void lie(struct liar *l, const struct request *q, enum lie lie)
{
    static const int codes[] = {2, 4, 5, 6, 11};
    int late = l->t == TRANSPORT_RTU ? LINE_LATE_RTU : LINE_LATE_RTUTCP;
    struct pending *p;

    l->told[lie]++;
    switch (lie) {
    case LIE_LATE:
        put_right(l, q, l->timeout_ms + any(l, (late - 1) * l->timeout_ms));
        break;
    case LIE_SINGLE:
        put_right(l, q, 0);
        l->pending[l->n_pending - 1].single = true;
        break;
    case LIE_PIECES:
    case LIE_HALF:
        if (owes_rest(l))
            put_right(l, q, 0); /* one frame after the other */
        else
            pieces(l, q, lie == LIE_PIECES);
        break;
    case LIE_TWO:
    case LIE_TWO_BEFORE:
    case LIE_TWICE:
        two(l, q, lie);
        break;
    case LIE_EXCEPTION:
        p = put(l, q, 0);
        p->n = exception(l, q, codes[any(l, 5)], p->bytes);
        break;
    case LIE_HANG_UP:
        l->hang_up = l->t != TRANSPORT_RTU;
        break;
    case LIE_SILENT:
        break;
    default:
        wrong(l, q, lie);
        break;
    }
}

/* ---- the line ---- */

static bool send_pending(struct liar *l, const struct pending *p)
{
    for (int i = 0; i < p->n;) {
        ssize_t n = write(l->fd, p->bytes + i, p->single ? 1 : (size_t)(p->n - i));

        if (n <= 0)
            return false;
        i += (int)n;
    }
    return true;
}

/* Whether that would come later than the line promises to bear. The client sent its
 * request after asked_ms, so this errs on the early side, with a quarter of a time-out
 * for us and the kernel. On TCP nothing is too late. */
static bool too_late(const struct liar *l, const struct pending *p, int64_t now_ms)
{
    int late = l->t == TRANSPORT_RTU ? LINE_LATE_RTU : LINE_LATE_RTUTCP;

    return is_rtu(l) && now_ms - p->asked_ms > late * l->timeout_ms - l->timeout_ms / 4;
}

/* On TCP nothing comes in between the pieces of a frame: a stream keeps its order. */
static void send_due(struct liar *l)
{
    int64_t now_ms = clock_ms();
    bool hold = !is_rtu(l) && owes_rest(l), due;
    int kept = 0;

    for (int i = 0; i < l->n_pending; i++) {
        const struct pending *p = &l->pending[i];

        due = p->due_ms <= now_ms && (p->rest || p->begins || !hold);
        if (!due)
            l->pending[kept++] = *p;
        else if (l->fd >= 0 && !too_late(l, p, clock_ms()))
            send_pending(l, p);
    }
    l->n_pending = kept;
}

static int word_at(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void take_requests(struct liar *l, int64_t asked_ms)
{
    int length = is_rtu(l) ? 8 : 12;

    while (l->n_in >= length) {
        const uint8_t *p = l->in + (is_rtu(l) ? 0 : 6);
        struct request q = {.id = (uint16_t)word_at(l->in),
                            .unit = p[0],
                            .fc = p[1],
                            .at = word_at(p + 2),
                            .n = word_at(p + 4),
                            .asked_ms = asked_ms};

        l->last_id = q.id;
        l->n_in -= length;
        memmove(l->in, l->in + length, (size_t)l->n_in);
        if (any(l, 1000) < l->per_1000)
            lie(l, &q, (enum lie)any(l, LIES));
        else
            put_right(l, &q, 0);
    }
}

/* False = the client has gone. */
static bool take_bytes(struct liar *l, int64_t asked_ms)
{
    ssize_t n = read(l->fd, l->in + l->n_in, sizeof l->in - (size_t)l->n_in);

    if (n <= 0)
        return false;
    l->n_in += (int)n;
    take_requests(l, asked_ms);
    return true;
}

static void hang_up(struct liar *l)
{
    int kept = 0;

    for (int i = 0; i < l->n_pending; i++)
        if (!l->pending[i].rest && !l->pending[i].begins)
            l->pending[kept++] = l->pending[i];
    l->n_pending = kept;
    close(l->fd);
    l->fd = -1;
    l->n_in = 0;
    l->was_hung_up = true;
    l->hang_up = false;
}

/* A new connection; after a hang-up with what was left in some buffer. */
static void admit(struct liar *l)
{
    struct pending p = {.n = 0};
    struct request old = {.id = (uint16_t)(l->last_id + 1), .unit = 1, .fc = 4, .n = 6};
    int on = 1;

    l->fd = accept(l->listen_fd, NULL, NULL);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!l->was_hung_up)
        return;
    if (is_rtu(l) || any(l, 2))
        garbage(l, &p);
    else
        p.n = right(l, &old, p.bytes);
    send_pending(l, &p);
    l->was_hung_up = false;
}

static void *run(void *arg)
{
    struct liar *l = arg;
    int64_t looked_ms = clock_ms(), before_ms;

    for (;;) {
        struct pollfd p[2] = {
            {.fd = l->fd >= 0 ? l->fd : l->listen_fd, .events = POLLIN},
            {.fd = l->stop_fd, .events = POLLIN}};
        bool gone = false;

        before_ms = looked_ms; /* then at the latest nothing was there yet */
        looked_ms = clock_ms();
        poll(p, 2, 2);
        if (p[1].revents)
            return NULL;
        if (p[0].revents && l->fd < 0)
            admit(l);
        else if (p[0].revents)
            gone = !take_bytes(l, before_ms);
        send_due(l);
        if (l->fd >= 0 && l->t != TRANSPORT_RTU && (l->hang_up || gone))
            hang_up(l);
    }
}

/* ---- setting up ---- */

static bool listen_on(struct liar *l)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;

    l->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->listen_fd < 0 || bind(l->listen_fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(l->listen_fd, 8) < 0 ||
        getsockname(l->listen_fd, (struct sockaddr *)&a, &length) < 0)
        return false;
    l->port = ntohs(a.sin_port);
    return true;
}

struct liar *liar_new(enum transport t, int timeout_ms, int per_1000, unsigned seed)
{
    struct liar *l = calloc(1, sizeof *l);
    bool good;

    if (!l)
        return NULL;
    l->t = t;
    l->timeout_ms = timeout_ms;
    l->per_1000 = per_1000;
    l->seed = seed;
    l->fd = l->listen_fd = l->held_fd = -1;
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (t == TRANSPORT_RTU)
        l->fd = pty_open(l->device, sizeof l->device, &l->held_fd);
    good = l->stop_fd >= 0 && (t == TRANSPORT_RTU ? l->fd >= 0 : listen_on(l));
    if (good && pthread_create(&l->thread, NULL, run, l) == 0)
        return l;
    free(l);
    return NULL;
}

void liar_address(const struct liar *l, struct line_address *a)
{
    *a = (struct line_address){.transport = l->t,
                               .host = "127.0.0.1",
                               .port = l->port,
                               .device = l->device,
                               .baud = 115200,
                               .parity = 'N',
                               .data_bits = 8,
                               .stop_bits = 1};
}

void liar_stop(struct liar *l, int told[LIES])
{
    uint64_t one = 1;

    while (write(l->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(l->thread, NULL);
    memcpy(told, l->told, sizeof l->told);
    for (int i = 0; i < 4; i++) {
        int fd = (int[]){l->fd, l->listen_fd, l->held_fd, l->stop_fd}[i];

        if (fd >= 0)
            close(fd);
    }
    free(l);
}
