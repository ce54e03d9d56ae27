/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus connection: opening it in modbus_open.c, requests in modbus_socket.c and
 * modbus_serial.c; here, when to send one and what its result means. */
#include "io/modbus_line.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/modbus_open.h"
#include "io/modbus_serial.h"
#include "io/modbus_socket.h"

enum {
    OWED = 4,
    CHANGE_MS = 100, /* pause between requests to different units */
    SETTLE_MS = 50,  /* of silence after something odd: the rest of it */
    DRAIN_MAX = 1000 /* reads without an end of it: that is no Modbus device */
};

/* A request whose answer did not come, or was none: it may come yet. */
struct owed {
    struct line_request r;
    int64_t until_ms; /* no later than that */
};

struct modbus_line {
    struct line_address a;
    char name[96];
    int fd;                       /* -1 = closed */
    struct modbus_serial *serial; /* NULL: a socket */
    int stop_fd;                  /* readable once stopped */
    bool stopped;                 /* atomic */
    bool unsettled;               /* RTU: something odd has come, more may follow */
    struct owed owed[OWED];       /* RTU only */
    uint16_t id;                  /* TCP: of the request before */
    struct line_request last;     /* which that was; .n = 0: none on this connection */
    bool last_missed;             /* and had no answer */
    int64_t sent_ms, done_ms;     /* its begin and end */
    struct line_reply reply;
    char text[160];
};

static void set_text(struct modbus_line *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set_text(struct modbus_line *l, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(l->text, sizeof l->text, format, args);
    va_end(args);
}

static bool is_serial(const struct modbus_line *l)
{
    return l->a.transport == TRANSPORT_RTU;
}

static bool is_rtu(const struct modbus_line *l)
{
    return l->a.transport != TRANSPORT_TCP;
}

struct modbus_line *modbus_line_new(const struct line_address *a, char *err,
                                    size_t size)
{
    struct modbus_line *l = calloc(1, sizeof *l);

    if (!l) {
        snprintf(err, size, "out of memory");
        return NULL;
    }
    l->a = *a;
    l->fd = -1;
    if (is_serial(l))
        snprintf(l->name, sizeof l->name, "%s %d %d%c%d", a->device, a->baud,
                 a->data_bits, a->parity, a->stop_bits);
    else
        snprintf(l->name, sizeof l->name, "%s:%d", a->host, a->port);
    l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (is_serial(l))
        l->serial = modbus_serial_new();
    if (l->stop_fd >= 0 && (l->serial || !is_serial(l)))
        return l;
    if (l->stop_fd < 0)
        snprintf(err, size, "%s: no file descriptor is free", l->name);
    else
        snprintf(err, size, "%s: no file descriptor below %d is free", l->name,
                 FD_SETSIZE);
    modbus_line_free(l);
    return NULL;
}

void modbus_line_free(struct modbus_line *l)
{
    if (!l)
        return;
    modbus_line_close(l);
    modbus_serial_free(l->serial);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    free(l);
}

const char *modbus_line_name(const struct modbus_line *l)
{
    return l->name;
}

const char *modbus_line_text(const struct modbus_line *l)
{
    return l->text;
}

int modbus_line_exception(const struct modbus_line *l)
{
    return l->reply.answer.exception;
}

bool modbus_line_is_open(const struct modbus_line *l)
{
    return l->fd >= 0;
}

bool modbus_line_is_rtu(const struct modbus_line *l)
{
    return is_rtu(l);
}

bool modbus_line_stopped(const struct modbus_line *l)
{
    return __atomic_load_n(&l->stopped, __ATOMIC_SEQ_CST);
}

void modbus_line_stop(struct modbus_line *l)
{
    uint64_t one = 1;

    __atomic_store_n(&l->stopped, true, __ATOMIC_SEQ_CST);
    if (write(l->stop_fd, &one, sizeof one) < 0)
        return; /* it is readable already */
}

bool modbus_line_wait(struct modbus_line *l, int64_t until_ms)
{
    struct pollfd p = {.fd = l->stop_fd, .events = POLLIN};

    while (!modbus_line_stopped(l)) {
        int64_t left = until_ms - clock_ms();

        if (left <= 0)
            return true;
        poll(&p, 1, left > 60000 ? 60000 : (int)left);
    }
    return false;
}

enum line_result modbus_line_open(struct modbus_line *l, int timeout_ms)
{
    enum line_result result;
    int fd = -1;

    modbus_line_close(l);
    result = modbus_open(&l->a, l->stop_fd, timeout_ms, &fd, l->text, sizeof l->text);
    if (result != LINE_OK)
        return result;
    l->fd = l->serial ? modbus_serial_open(l->serial, fd) : fd;
    if (l->fd < 0) {
        set_text(l, "out of memory");
        return LINE_BROKEN;
    }
    l->unsettled = is_rtu(l); /* a gateway may have kept something for us */
    l->last.n = 0;
    return LINE_OK;
}

void modbus_line_close(struct modbus_line *l)
{
    if (l->fd < 0)
        return;
    if (l->serial)
        modbus_serial_close(l->serial);
    else
        close(l->fd);
    l->fd = -1;
}

/* ---- before a request ---- */

/* Throws away what has come in. False when the other side has closed, or sends faster
 * than that. */
static bool drain(struct modbus_line *l)
{
    bool serial = is_serial(l);
    char junk[300];
    ssize_t n;
    int reads = 0;

    do {
        n = serial ? read(l->fd, junk, sizeof junk)
                   : recv(l->fd, junk, sizeof junk, MSG_DONTWAIT);
    } while ((n > 0 || (n < 0 && errno == EINTR)) && ++reads < DRAIN_MAX);
    if (n < 0 ? errno == EAGAIN : n == 0 && serial)
        return true;
    if (n > 0)
        set_text(l, "%s: sends without end: that is no Modbus", l->name);
    return false;
}

/* Listens until then and until nothing has come for SETTLE_MS; at most a second longer
 * than told. What comes is thrown away. */
static enum line_result fall_silent(struct modbus_line *l, int64_t until_ms)
{
    int64_t end_ms = until_ms + 1000;

    for (int64_t now_ms = clock_ms(); now_ms < until_ms; now_ms = clock_ms()) {
        struct pollfd p[2] = {{.fd = l->stop_fd, .events = POLLIN},
                              {.fd = l->fd, .events = POLLIN}};

        if (poll(p, 2, (int)(until_ms - now_ms)) < 0 && errno != EINTR)
            return LINE_BROKEN;
        if (modbus_line_stopped(l))
            return LINE_STOPPED;
        if (p[1].revents && (!(p[1].revents & POLLIN) || !drain(l)))
            return LINE_BROKEN;
        if (p[1].revents && until_ms < clock_ms() + SETTLE_MS)
            until_ms =
                clock_ms() + SETTLE_MS < end_ms ? clock_ms() + SETTLE_MS : end_ms;
    }
    return LINE_OK;
}

static bool same_request(const struct line_request *a, const struct line_request *b)
{
    return a->unit == b->unit && a->fc == b->fc && a->at == b->at && a->n == b->n;
}

/* Whether the answer to `owed` would be taken for one to r. An RTU frame does not say
 * which registers it holds, and an exception not even how many were asked for. For the
 * same request it is as good as the right one; but on a serial line it would meet our
 * request on the wire. */
static bool confusable(const struct modbus_line *l, const struct line_request *owed,
                       const struct line_request *r)
{
    if (owed->unit != r->unit)
        return false;
    return is_serial(l) || (owed->fc == r->fc && !same_request(owed, r));
}

/* Until when to listen before this request. */
static int64_t silent_until_ms(const struct modbus_line *l,
                               const struct line_request *r)
{
    int64_t now_ms = clock_ms(), ms = l->unsettled ? now_ms + SETTLE_MS : 0,
            first_ms = 0;
    int live = 0;

    for (int i = 0; i < OWED; i++) {
        const struct owed *o = &l->owed[i];

        if (o->until_ms <= now_ms)
            continue;
        live++;
        if (confusable(l, &o->r, r) && o->until_ms > ms)
            ms = o->until_ms;
        if (!first_ms || o->until_ms < first_ms)
            first_ms = o->until_ms;
    }
    /* no place to remember another one */
    return live == OWED && first_ms > ms ? first_ms : ms;
}

/* Pauses as the devices need it, and makes sure that what is read next answers what is
 * sent next. Some meters miss the first request after one to another unit that came too
 * soon (evcc-io/evcc#16049), behind gateways, too. */
static enum line_result prepare(struct modbus_line *l, const struct line_request *r)
{
    enum line_result result = LINE_OK;
    int64_t until_ms;
    int gap_ms = r->gap_ms;

    if (l->last.n && l->last.unit != r->unit && gap_ms < CHANGE_MS)
        gap_ms = CHANGE_MS;
    if (l->last.n && !modbus_line_wait(l, l->done_ms + gap_ms))
        return LINE_STOPPED;
    set_text(l, "%s: the other side closed the connection", l->name);
    until_ms = silent_until_ms(l, r);
    if (until_ms)
        result = fall_silent(l, until_ms);
    if (result == LINE_OK && !drain(l))
        result = LINE_BROKEN;
    if (result == LINE_BROKEN)
        modbus_line_close(l);
    return result;
}

/* ---- after a request ---- */

/* An answer to r may come yet: none did, or what came was none. Or one did, but there
 * were two requests. */
static void note_owed(struct modbus_line *l, const struct line_request *r, bool missed)
{
    int late = is_serial(l) ? LINE_LATE_RTU : LINE_LATE_RTUTCP;
    int64_t until_ms = l->sent_ms + (int64_t)late * r->timeout_ms;
    struct owed *place = NULL;

    for (int i = 0; i < OWED; i++) {
        struct owed *o = &l->owed[i];

        if (o->until_ms > l->sent_ms && same_request(&o->r, r)) {
            o->until_ms = o->until_ms > until_ms ? o->until_ms : until_ms;
            return;
        }
        if (!place || o->until_ms < place->until_ms)
            place = o;
    }
    if (missed)
        *place = (struct owed){.r = *r, .until_ms = until_ms};
}

static const char *exception_text(int code)
{
    static const char *const texts[] = {
        [1] = "function not supported: wrong model?",
        [2] = "illegal address: wrong model?",
        [3] = "illegal value: wrong model?",
        [4] = "device failure",
        [5] = "acknowledged, comes later",
        [6] = "busy",
        [7] = "refused",
        [8] = "memory error",
        [10] = "gateway: no path, check the unit id",
        [11] =
            "gateway: the device behind it does not answer, check unit id and wiring",
    };

    return code > 0 && code < 12 && texts[code] ? texts[code] : "unknown code";
}

static const char *odd_text(const struct modbus_line *l)
{
    switch (l->reply.answer.odd) {
    case FRAME_ODD_UNIT:
        return "another unit answers";
    case FRAME_ODD_CHECK_SUM:
        return "check sum";
    case FRAME_ODD_SEVERAL:
        return "more than one";
    case FRAME_ODD_FRAMING:
        return is_rtu(l) ? "in Modbus TCP: set tcp instead of rtutcp"
                         : "in RTU frames: set rtutcp instead of tcp";
    default:
        return "not to this request";
    }
}

static const char *silence_hint(const struct modbus_line *l)
{
    switch (l->a.transport) {
    case TRANSPORT_TCP:
        return l->a.single ? "and whether another client holds it: it serves one"
                           : "and whether it speaks Modbus TCP";
    case TRANSPORT_RTUTCP:
        return "the gateway's baud rate and parity, wiring, and whether it speaks RTU";
    default:
        return "baud rate, parity and wiring";
    }
}

/* Says in words what the result is, for people. */
static void tell(struct modbus_line *l, const struct line_request *r,
                 enum line_result result)
{
    int code = l->reply.answer.exception;

    switch (result) {
    case LINE_TIMEOUT:
        set_text(l, "unit %d at %s does not answer: check unit id, %s", r->unit,
                 l->name, silence_hint(l));
        break;
    case LINE_REFUSED:
        set_text(l, "unit %d at %s answers exception %d (%s)", r->unit, l->name, code,
                 exception_text(code));
        break;
    case LINE_GARBLED:
        set_text(l, "unit %d at %s: garbled answer (%s)", r->unit, l->name,
                 odd_text(l));
        break;
    case LINE_BROKEN:
        set_text(
            l, "%s: connection lost (%s)%s", l->name, strerrordesc_np(l->reply.error),
            l->a.single ? "; it serves one client: does another one hold it?" : "");
        break;
    default:
        break;
    }
}

/* ---- a request ---- */

/* On TCP: the answer to the same request just before is as good as that to this one, so
 * a device that is slower than its time-out is read nevertheless. */
static enum line_result request_socket(struct modbus_line *l, enum framing framing,
                                       const struct line_request *r, bool twin)
{
    struct frame_request q = {.unit = r->unit, .fc = r->fc, .at = r->at, .n = r->n};

    /* Steps that no mistaken device takes: an id that is off by a little is not ours.
     */
    q.twin_id = l->id;
    q.id = l->id = (uint16_t)(l->id + 0x4E35);
    if (!twin)
        q.twin_id = q.id;
    return modbus_socket_read(l->fd, l->stop_fd, framing, &q, r->timeout_ms, &l->reply);
}

static enum line_result request(struct modbus_line *l, const struct line_request *r)
{
    bool twin = l->last_missed && same_request(&l->last, r) &&
                clock_ms() < l->sent_ms + LINE_LATE_RTUTCP * (int64_t)r->timeout_ms;
    enum line_result result;

    l->sent_ms = clock_ms();
    if (l->serial)
        result = modbus_serial_read(l->serial, r, &l->reply);
    else
        result = request_socket(l, is_rtu(l) ? FRAMING_RTU : FRAMING_MBAP, r, twin);
    l->done_ms = clock_ms();
    l->last = *r;
    l->last_missed = result == LINE_TIMEOUT || result == LINE_GARBLED;
    l->unsettled = result == LINE_GARBLED && is_rtu(l);
    if (is_rtu(l))
        note_owed(l, r, l->last_missed);
    return result;
}

enum line_result modbus_line_read(struct modbus_line *l, const struct line_request *r,
                                  uint16_t *regs)
{
    enum line_result result;

    if (l->fd < 0) {
        set_text(l, "%s: not connected", l->name);
        return LINE_BROKEN;
    }
    if (l->serial && r->unit > 247) { /* libmodbus, and Modbus over Serial Line 2.2 */
        l->reply.answer.exception = 0;
        set_text(l, "unit %d at %s: a serial line has units 1 to 247", r->unit,
                 l->name);
        return LINE_REFUSED;
    }
    result = prepare(l, r);
    if (result != LINE_OK)
        return result;
    result = request(l, r);
    if (modbus_line_stopped(l))
        return LINE_STOPPED;
    if (result == LINE_OK)
        memcpy(regs, l->reply.answer.words, (size_t)r->n * sizeof regs[0]);
    tell(l, r, result);
    if (result == LINE_BROKEN)
        modbus_line_close(l);
    return result;
}

bool modbus_line_speaks_other(struct modbus_line *l, const struct line_request *r)
{
    enum { CONNECT_MS = 3000 };
    bool answers = false;

    if (l->serial)
        return false;
    if (modbus_line_open(l, CONNECT_MS) == LINE_OK) {
        enum line_result result =
            request_socket(l, is_rtu(l) ? FRAMING_MBAP : FRAMING_RTU, r, false);

        answers = result == LINE_OK || result == LINE_REFUSED;
    }
    modbus_line_close(l);
    if (answers)
        set_text(l, "unit %d at %s speaks %s: set %s in the site file", r->unit,
                 l->name,
                 is_rtu(l) ? "Modbus TCP, not RTU" : "RTU in TCP, not Modbus TCP",
                 is_rtu(l) ? "tcp instead of rtutcp" : "rtutcp instead of tcp");
    return answers;
}
