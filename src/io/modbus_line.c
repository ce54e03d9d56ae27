/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus connection: opening it in modbus_open.c, requests and waiting here. */
#include "io/modbus_line.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
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

struct modbus_line {
    struct line_address a;
    char name[96];
    modbus_t *ctx; /* NULL = closed */
    int low_fd;    /* ours for ever, < FD_SETSIZE: the connection, or /dev/null */
    int stop_fd;   /* readable once stopped */
    bool stopped;  /* atomic */
    bool garbled;  /* the answer before was: more may follow */
    bool owed;     /* answers to this one may still come (RTU) */
    struct line_request suspect;
    int64_t last_ms; /* end of the request before */
    int last_unit;   /* that it was for; -1 = none */
    int exception;
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

/* Puts /dev/null on the line's descriptor, which closes what was there. */
static bool park(struct modbus_line *l)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), low = -1;

    if (fd < 0)
        return false;
    if (l->low_fd < 0)
        low = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    else
        low = dup3(fd, l->low_fd, O_CLOEXEC);
    close(fd);
    if (l->low_fd < 0)
        l->low_fd = low;
    return low >= 0 && low < FD_SETSIZE;
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
    l->low_fd = -1;
    if (a->transport == TRANSPORT_RTU)
        snprintf(l->name, sizeof l->name, "%s %d %d%c%d", a->device, a->baud,
                 a->data_bits, a->parity, a->stop_bits);
    else
        snprintf(l->name, sizeof l->name, "%s:%d", a->host, a->port);
    l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->stop_fd < 0 || !park(l)) {
        snprintf(err, size, "%s: no file descriptor below %d is free", l->name,
                 FD_SETSIZE);
        modbus_line_free(l);
        return NULL;
    }
    return l;
}

void modbus_line_free(struct modbus_line *l)
{
    if (!l)
        return;
    modbus_line_close(l);
    if (l->low_fd >= 0)
        close(l->low_fd);
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
    return l->exception;
}

bool modbus_line_is_open(const struct modbus_line *l)
{
    return l->ctx != NULL;
}

bool modbus_line_stopped(const struct modbus_line *l)
{
    return __atomic_load_n(&l->stopped, __ATOMIC_SEQ_CST);
}

void modbus_line_stop(struct modbus_line *l)
{
    uint64_t one = 1;

    /* First the flag, then the shutdown: the owner looks at the flag after it has put a
     * new connection on low_fd, so one of the two always meets it. */
    __atomic_store_n(&l->stopped, true, __ATOMIC_SEQ_CST);
    if (write(l->stop_fd, &one, sizeof one) < 0)
        return; /* it is readable already */
    shutdown(l->low_fd, SHUT_RDWR);
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

static modbus_t *context(const struct line_address *a)
{
    modbus_t *ctx;

    /* RTU frames through a socket: the address is never used (libmodbus#859). */
    if (a->transport == TRANSPORT_TCP)
        ctx = modbus_new_tcp("127.0.0.1", 502);
    else
        ctx = modbus_new_rtu("none", 9600, 'N', 8, 1);
    if (ctx) {
        modbus_set_error_recovery(ctx, MODBUS_ERROR_RECOVERY_NONE);
        /* 0: the response time-out bounds the whole answer, however it trickles */
        modbus_set_byte_timeout(ctx, 0, 0);
    }
    return ctx;
}

enum line_result modbus_line_open(struct modbus_line *l, int timeout_ms)
{
    enum line_result result;
    modbus_t *ctx;
    int fd = -1;

    modbus_line_close(l);
    result = modbus_open(&l->a, l->stop_fd, timeout_ms, &fd, l->text, sizeof l->text);
    if (result != LINE_OK)
        return result;
    ctx = context(&l->a);
    if (!ctx || dup3(fd, l->low_fd, O_CLOEXEC) < 0) {
        set_text(l, "out of memory");
        modbus_free(ctx);
        close(fd);
        return LINE_BROKEN;
    }
    close(fd);
    modbus_set_socket(ctx, l->low_fd);
    l->ctx = ctx;
    l->garbled = l->owed = false;
    l->last_unit = -1;
    if (modbus_line_stopped(l)) {
        modbus_line_close(l);
        return LINE_STOPPED;
    }
    return LINE_OK;
}

void modbus_line_close(struct modbus_line *l)
{
    if (!l->ctx)
        return;
    modbus_set_socket(l->ctx, -1);
    modbus_free(l->ctx);
    l->ctx = NULL;
    if (l->a.transport != TRANSPORT_RTU)
        shutdown(l->low_fd, SHUT_RDWR);
    park(l);
}

/* Throws away what has come in. False when the other side has closed. */
static bool drain(struct modbus_line *l)
{
    bool serial = l->a.transport == TRANSPORT_RTU;
    char junk[300];
    ssize_t n;

    do {
        n = serial ? read(l->low_fd, junk, sizeof junk)
                   : recv(l->low_fd, junk, sizeof junk, MSG_DONTWAIT);
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n < 0 ? errno == EAGAIN : serial;
}

/* Listens until nothing has come for quiet_ms; at most ten times that long. */
static enum line_result fall_silent(struct modbus_line *l, int quiet_ms)
{
    int64_t last = clock_ms(), end = last + 10 * quiet_ms;

    while (last + quiet_ms > clock_ms() && clock_ms() < end) {
        struct pollfd p[2] = {{.fd = l->stop_fd, .events = POLLIN},
                              {.fd = l->low_fd, .events = POLLIN}};

        if (poll(p, 2, (int)(last + quiet_ms - clock_ms())) < 0 && errno != EINTR)
            return LINE_BROKEN;
        if (modbus_line_stopped(l))
            return LINE_STOPPED;
        if (p[1].revents && (!(p[1].revents & POLLIN) || !drain(l)))
            return LINE_BROKEN;
        if (p[1].revents)
            last = clock_ms();
    }
    return LINE_OK;
}

static bool is_rtu(const struct modbus_line *l)
{
    return l->a.transport != TRANSPORT_TCP;
}

/* The pause before a request on RS-485. Some meters miss the first request after one
 * to another unit that came too soon (evcc-io/evcc#16049). */
static bool pause_before(struct modbus_line *l, const struct line_request *r)
{
    enum { CHANGE_MS = 100 };
    int gap_ms = r->gap_ms;

    if (!is_rtu(l) || l->last_unit < 0)
        return true;
    if (l->last_unit != r->unit && gap_ms < CHANGE_MS)
        gap_ms = CHANGE_MS;
    return modbus_line_wait(l, l->last_ms + gap_ms);
}

static bool same_request(const struct line_request *a, const struct line_request *b)
{
    return a->unit == b->unit && a->fc == b->fc && a->at == b->at && a->n == b->n;
}

/* How long the line must be silent before this request. An answer in an RTU frame does
 * not say to what: one that comes late is good for the same request, and a wrong value
 * for any other. Gateways delay longer than serial lines do. */
static int quiet_ms(const struct modbus_line *l, const struct line_request *r)
{
    /* On TCP an answer may hang in the device until our side acknowledges the one
     * before (Nagle's algorithm), which takes 40 to 200 ms. */
    enum { TCP_QUIET_MS = 250 };

    if (l->owed && !same_request(&l->suspect, r))
        return r->timeout_ms * (l->a.transport == TRANSPORT_RTUTCP ? 4 : 2);
    if (l->owed || (l->garbled && is_rtu(l)))
        return r->timeout_ms;
    return l->garbled ? TCP_QUIET_MS : 0;
}

/* Makes sure that what is read next answers what is sent next. */
static enum line_result prepare(struct modbus_line *l, const struct line_request *r)
{
    enum line_result result = LINE_OK;

    if (!pause_before(l, r))
        return LINE_STOPPED;
    if (quiet_ms(l, r))
        result = fall_silent(l, quiet_ms(l, r));
    if (result == LINE_OK) {
        l->owed = l->owed && same_request(&l->suspect, r);
        l->garbled = false;
    }
    if (result == LINE_OK && !drain(l))
        result = LINE_BROKEN;
    if (result == LINE_BROKEN) {
        set_text(l, "%s: the other side closed the connection", l->name);
        modbus_line_close(l);
    }
    return result;
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

/* What libmodbus says of a failed read. */
static enum line_result judge(struct modbus_line *l, const struct line_request *r,
                              int error)
{
    int code = error - MODBUS_ENOBASE;

    if (modbus_line_stopped(l))
        return LINE_STOPPED;
    if (error == ETIMEDOUT) {
        l->owed = is_rtu(l); /* on TCP the transaction id tells late answers apart */
        l->suspect = *r;
        set_text(l, "unit %d at %s does not answer: check unit id, %s", r->unit,
                 l->name,
                 is_rtu(l) ? "baud rate, parity and wiring"
                           : "and whether it speaks Modbus TCP");
        return LINE_TIMEOUT;
    }
    if (code > 0 && code < 12) {
        l->exception = code;
        set_text(l, "unit %d at %s answers exception %d (%s)", r->unit, l->name, code,
                 exception_text(code));
        return LINE_REFUSED;
    }
    if (error == EMBBADCRC || error == EMBBADDATA || error == EMBBADEXC ||
        error == EMBUNKEXC || error == EMBMDATA || error == EMBBADSLAVE) {
        l->garbled = true; /* the right one may follow */
        l->owed = is_rtu(l);
        l->suspect = *r;
        set_text(l, "unit %d at %s: garbled answer (%s)", r->unit, l->name,
                 error == EMBBADCRC ? "check sum" : "not to this request");
        return LINE_GARBLED;
    }
    set_text(l, "%s: connection lost (%s)", l->name, strerrordesc_np(error));
    modbus_line_close(l);
    return LINE_BROKEN;
}

/* Coils and discrete inputs: each becomes a word of 0 or 1. */
static int request_bits(struct modbus_line *l, const struct line_request *r,
                        uint16_t *words)
{
    uint8_t bits[MODBUS_MAX_READ_BITS];
    int got = r->fc == 1 ? modbus_read_bits(l->ctx, r->at, r->n, bits)
                         : modbus_read_input_bits(l->ctx, r->at, r->n, bits);

    for (int i = 0; i < got; i++)
        words[i] = bits[i];
    return got;
}

static int request(struct modbus_line *l, const struct line_request *r, uint16_t *regs)
{
    int got;

    modbus_set_response_timeout(l->ctx, (uint32_t)r->timeout_ms / 1000,
                                (uint32_t)r->timeout_ms % 1000 * 1000);
    if (modbus_set_slave(l->ctx, r->unit) < 0)
        return -1;
    errno = 0;
    if (r->fc < 3)
        got = request_bits(l, r, regs);
    else
        got = r->fc == 4 ? modbus_read_input_registers(l->ctx, r->at, r->n, regs)
                         : modbus_read_registers(l->ctx, r->at, r->n, regs);
    l->last_ms = clock_ms();
    l->last_unit = r->unit;
    return got;
}

enum line_result modbus_line_read(struct modbus_line *l, const struct line_request *r,
                                  uint16_t *regs)
{
    enum line_result result;
    int got;

    if (!l->ctx) {
        set_text(l, "%s: not connected", l->name);
        return LINE_BROKEN;
    }
    result = prepare(l, r);
    if (result != LINE_OK)
        return result;
    got = request(l, r, regs);
    if (got == r->n)
        return modbus_line_stopped(l) ? LINE_STOPPED : LINE_OK;
    return judge(l, r, got < 0 ? errno : EMBBADDATA);
}
