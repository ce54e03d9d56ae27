/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus RTU on a serial port: libmodbus and its low descriptors. */
#include "io/modbus_serial.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

struct modbus_serial {
    modbus_t *ctx; /* NULL = closed */
    int fd;        /* ours for ever, < FD_SETSIZE: the port, or /dev/null */
};

/* Low descriptors that no line has, each on /dev/null. */
enum { SPARES = 8 };
static int spare[SPARES], n_spares;
static pthread_mutex_t spares_lock = PTHREAD_MUTEX_INITIALIZER;

/* A descriptor on /dev/null below FD_SETSIZE, or -1. */
static int low_null(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd >= FD_SETSIZE) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void modbus_serial_reserve(void)
{
    pthread_mutex_lock(&spares_lock);
    while (n_spares < SPARES) {
        int fd = low_null();

        if (fd < 0)
            break;
        spare[n_spares++] = fd;
    }
    pthread_mutex_unlock(&spares_lock);
}

static int take_spare(void)
{
    int fd = -1;

    pthread_mutex_lock(&spares_lock);
    if (n_spares > 0)
        fd = spare[--n_spares];
    pthread_mutex_unlock(&spares_lock);
    return fd;
}

/* False when there are enough of them. */
static bool give_spare(int fd)
{
    bool taken;

    pthread_mutex_lock(&spares_lock);
    taken = n_spares < SPARES;
    if (taken)
        spare[n_spares++] = fd;
    pthread_mutex_unlock(&spares_lock);
    return taken;
}

struct modbus_serial *modbus_serial_new(void)
{
    struct modbus_serial *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->fd = low_null();
    if (s->fd < 0)
        s->fd = take_spare();
    if (s->fd >= 0)
        return s;
    free(s);
    return NULL;
}

/* Puts /dev/null on the descriptor, which closes the port. */
static void park(int low_fd)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    dup3(fd, low_fd, O_CLOEXEC);
    close(fd);
}

void modbus_serial_free(struct modbus_serial *s)
{
    if (!s)
        return;
    modbus_serial_close(s);
    if (!give_spare(s->fd))
        close(s->fd);
    free(s);
}

int modbus_serial_open(struct modbus_serial *s, int fd)
{
    /* The address is never used: libmodbus gets a port that is open. */
    modbus_t *ctx = modbus_new_rtu("none", 9600, 'N', 8, 1);

    if (!ctx || dup3(fd, s->fd, O_CLOEXEC) < 0) {
        modbus_free(ctx);
        close(fd);
        return -1;
    }
    close(fd);
    modbus_set_error_recovery(ctx, MODBUS_ERROR_RECOVERY_NONE);
    /* 0: the response time-out bounds the whole answer, however it trickles */
    modbus_set_byte_timeout(ctx, 0, 0);
    modbus_set_socket(ctx, s->fd);
    s->ctx = ctx;
    return s->fd;
}

void modbus_serial_close(struct modbus_serial *s)
{
    if (!s->ctx)
        return;
    modbus_set_socket(s->ctx, -1);
    modbus_free(s->ctx);
    s->ctx = NULL;
    park(s->fd);
}

/* Coils and discrete inputs: each becomes a word of 0 or 1. */
static int read_bits(struct modbus_serial *s, const struct line_request *r,
                     uint16_t *words)
{
    uint8_t bits[MODBUS_MAX_READ_BITS];
    int got = r->fc == 1 ? modbus_read_bits(s->ctx, r->at, r->n, bits)
                         : modbus_read_input_bits(s->ctx, r->at, r->n, bits);

    for (int i = 0; i < got; i++)
        words[i] = bits[i];
    return got;
}

/* How many came, or -1 and errno. */
static int request(struct modbus_serial *s, const struct line_request *r,
                   uint16_t *words)
{
    errno = 0;
    modbus_set_response_timeout(s->ctx, (uint32_t)r->timeout_ms / 1000,
                                (uint32_t)r->timeout_ms % 1000 * 1000);
    if (modbus_set_slave(s->ctx, r->unit) < 0)
        return -1;
    if (r->fc < 3)
        return read_bits(s, r, words);
    return r->fc == 4 ? modbus_read_input_registers(s->ctx, r->at, r->n, words)
                      : modbus_read_registers(s->ctx, r->at, r->n, words);
}

/* What libmodbus says of a failed read. */
static enum line_result judge(int error, struct line_reply *reply)
{
    int code = error - MODBUS_ENOBASE;

    if (error == ETIMEDOUT)
        return LINE_TIMEOUT;
    if (code > 0 && code < 12) {
        reply->answer.exception = code;
        return LINE_REFUSED;
    }
    if (error >= MODBUS_ENOBASE) { /* EMBBADCRC and its like */
        reply->answer.odd = error == EMBBADCRC     ? FRAME_ODD_CHECK_SUM
                            : error == EMBBADSLAVE ? FRAME_ODD_UNIT
                                                   : FRAME_ODD_STRANGE;
        return LINE_GARBLED;
    }
    reply->error = error;
    return LINE_BROKEN;
}

enum line_result modbus_serial_read(struct modbus_serial *s,
                                    const struct line_request *r,
                                    struct line_reply *reply)
{
    int more = 0, got = request(s, r, reply->answer.words);

    if (got < 0)
        return judge(errno, reply);
    /* More than one answer: who knows which one is ours? */
    if (got != r->n || (ioctl(s->fd, FIONREAD, &more) == 0 && more > 0)) {
        reply->answer.odd = got != r->n ? FRAME_ODD_STRANGE : FRAME_ODD_SEVERAL;
        return LINE_GARBLED;
    }
    return LINE_OK;
}
