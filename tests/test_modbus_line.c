/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus connection against a simulated device that misbehaves. Register n of the
 * device holds n, so an answer that belongs to another request shows at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/modbus_line.h"
#include "io/modbus_serial.h"
#include "pty.h"
#include "sim/modbus_server.h"

enum { REGISTERS = 200, DEADLINE_MS = 30000 };

static const char *const transport_names[] = {"tcp", "rtu", "rtutcp"};

struct pair {
    struct modbus_server *server;
    struct modbus_line *line;
    char device[128];
    int held_fd; /* keeps the pseudo terminal alive while the line is closed */
    struct line_address address;
};

static void begin(struct pair *p, enum transport t)
{
    struct line_address a = {.transport = t,
                             .host = "localhost",
                             .baud = 115200,
                             .parity = 'N',
                             .data_bits = 8,
                             .stop_bits = 1};
    char err[300] = "";
    int fd = -1;

    p->held_fd = -1;
    if (t == TRANSPORT_RTU) {
        fd = pty_open(p->device, sizeof p->device, &p->held_fd);
        assert_true(fd >= 0);
    }

    p->server = t == TRANSPORT_TCP
                    ? modbus_server_new("eastron-sdm630", 1, 0, err, sizeof err)
                    : modbus_server_new_rtu("eastron-sdm630", 1, fd, err, sizeof err);
    if (!p->server)
        fail_msg("%s", err);
    for (int i = 0; i < REGISTERS; i++)
        modbus_server_set_register(p->server, 4, i, (uint16_t)i);
    a.port = modbus_server_port(p->server);
    a.device = p->device;
    p->address = a;
    p->line = modbus_line_new(&a, err, sizeof err);
    if (!p->line)
        fail_msg("%s", err);
    assert_int_equal(modbus_line_open(p->line, 5000), LINE_OK);
}

static void end(struct pair *p)
{
    modbus_line_free(p->line);
    modbus_server_stop(p->server);
    if (p->held_fd >= 0)
        close(p->held_fd);
}

static enum line_result read_at(struct pair *p, int at, int n, int timeout_ms)
{
    struct line_request r = {
        .unit = 1, .fc = 4, .at = at, .n = n, .timeout_ms = timeout_ms};
    uint16_t regs[125];
    enum line_result result = modbus_line_read(p->line, &r, regs);

    for (int i = 0; i < n && result == LINE_OK; i++)
        if (regs[i] != at + i)
            fail_msg("register %d was read as that of %d", at + i, regs[i]);
    return result;
}

/* As the readers of meters do it: once more when no good answer came. */
static enum line_result read_twice(struct pair *p, int at, int n, int timeout_ms)
{
    enum line_result result = read_at(p, at, n, timeout_ms);

    if (result == LINE_TIMEOUT || result == LINE_GARBLED)
        result = read_at(p, at, n, timeout_ms);
    return result;
}

/* Reads until it is good again. */
static void until_good(struct pair *p, int at, int n, int timeout_ms)
{
    int64_t deadline = clock_ms() + DEADLINE_MS;

    while (read_twice(p, at, n, timeout_ms) != LINE_OK)
        assert_true(clock_ms() < deadline);
}

static void test_reads(void **state)
{
    (void)state;
    for (int t = TRANSPORT_TCP; t <= TRANSPORT_RTUTCP; t++) {
        struct pair p;

        print_message("%s\n", transport_names[t]);
        begin(&p, (enum transport)t);
        for (int at = 0; at < 60; at += 7)
            assert_int_equal(read_at(&p, at, 1 + at, 5000), LINE_OK);
        assert_int_equal(read_at(&p, 0, 125, 5000), LINE_OK);
        modbus_server_fault(p.server, MODBUS_FAULT_TRICKLE, 0, 1);
        assert_int_equal(read_at(&p, 3, 20, 5000), LINE_OK);
        end(&p);
    }
}

static void test_exceptions(void **state)
{
    struct pair p;

    (void)state;
    begin(&p, TRANSPORT_TCP);
    assert_int_equal(read_at(&p, REGISTERS - 1, 2, 5000), LINE_REFUSED);
    assert_int_equal(modbus_line_exception(p.line), 2);
    assert_non_null(strstr(modbus_line_text(p.line), "exception 2 (illegal address"));
    for (int code = 1; code <= 11; code++) {
        modbus_server_fault(p.server, MODBUS_FAULT_EXCEPTION, code, 1);
        assert_int_equal(read_at(&p, 0, 2, 5000), LINE_REFUSED);
        assert_int_equal(modbus_line_exception(p.line), code);
    }
    assert_true(modbus_line_is_open(p.line));
    assert_int_equal(read_at(&p, 0, 2, 5000), LINE_OK);
    end(&p);
}

static void test_wrong_id(void **state)
{
    struct pair p;

    (void)state;
    begin(&p, TRANSPORT_TCP);
    modbus_server_fault(p.server, MODBUS_FAULT_WRONG_ID, 0, 1);
    assert_int_equal(read_at(&p, 0, 6, 2000), LINE_GARBLED);
    assert_true(modbus_line_is_open(p.line));
    until_good(&p, 6, 6, 2000);
    end(&p);
}

static void test_silent_and_hang_up(void **state)
{
    struct pair p;

    (void)state;
    begin(&p, TRANSPORT_TCP);
    modbus_server_fault(p.server, MODBUS_FAULT_SILENT, 0, 1);
    assert_int_equal(read_at(&p, 0, 6, 50), LINE_TIMEOUT);
    assert_true(modbus_line_is_open(p.line));
    modbus_server_fault(p.server, MODBUS_FAULT_HANG_UP, 0, 1);
    assert_int_equal(read_at(&p, 0, 6, 5000), LINE_BROKEN);
    assert_false(modbus_line_is_open(p.line));
    assert_int_equal(read_at(&p, 0, 6, 5000), LINE_BROKEN); /* not connected */
    assert_int_equal(modbus_line_open(p.line, 5000), LINE_OK);
    assert_int_equal(read_at(&p, 0, 6, 5000), LINE_OK);
    end(&p);
}

static void test_cannot_connect(void **state)
{
    static const struct {
        const char *what;
        struct line_address a;
        const char *text;
    } table[] = {
        {"nobody listens",
         {.transport = TRANSPORT_TCP, .host = "127.0.0.1", .port = 1},
         "127.0.0.1:1: nothing listens there"},
        {"no such name",
         {.transport = TRANSPORT_TCP, .host = "no-such-host.invalid", .port = 502},
         "the name no-such-host.invalid cannot be resolved"},
        {"no such device",
         {.transport = TRANSPORT_RTU,
          .device = "/nonexistent/ttyUSB7",
          .baud = 9600,
          .parity = 'N',
          .data_bits = 8,
          .stop_bits = 1},
         "/nonexistent/ttyUSB7: there is no such device"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char err[300];
        struct modbus_line *l = modbus_line_new(&table[i].a, err, sizeof err);

        assert_non_null(l);
        assert_int_equal(modbus_line_open(l, 2000), LINE_BROKEN);
        if (strncmp(modbus_line_text(l), table[i].text, strlen(table[i].text)) != 0)
            fail_msg("%s: %s", table[i].what, modbus_line_text(l));
        modbus_line_free(l);
    }
}

/* Two masters on one serial line would garble each other. */
static void test_serial_lock(void **state)
{
    struct line_address a = {.transport = TRANSPORT_RTU,
                             .baud = 9600,
                             .parity = 'E',
                             .data_bits = 8,
                             .stop_bits = 1};
    struct modbus_line *second;
    struct pair p;
    char err[300], who[80];

    (void)state;
    begin(&p, TRANSPORT_RTU);
    a.device = p.device;
    second = modbus_line_new(&a, err, sizeof err);
    assert_non_null(second);
    assert_int_equal(modbus_line_open(second, 1000), LINE_BROKEN);
    snprintf(who, sizeof who, "test_modbus_lin uses it (process %d)", (int)getpid());
    assert_non_null(strstr(modbus_line_text(second), who)); /* names end after 15 */
    modbus_line_close(p.line);
    assert_int_equal(modbus_line_open(second, 1000), LINE_OK);
    modbus_line_free(second);
    end(&p);
}

/* Some inverters have units above 247; a serial line has none. */
static void test_high_unit(void **state)
{
    struct line_request r = {.unit = 250, .fc = 4, .at = 0, .n = 2, .timeout_ms = 50};
    uint16_t words[FRAME_WORDS];
    struct pair p;

    (void)state;
    begin(&p, TRANSPORT_TCP);
    assert_int_equal(modbus_line_read(p.line, &r, words), LINE_TIMEOUT); /* asked */
    end(&p);
    begin(&p, TRANSPORT_RTU);
    assert_int_equal(modbus_line_read(p.line, &r, words), LINE_REFUSED);
    assert_non_null(
        strstr(modbus_line_text(p.line), "a serial line has units 1 to 247"));
    end(&p);
}

/* A device that is slower than the time-out: on TCP the answer to the first request is
 * good for its repetition. */
static void test_slow_device(void **state)
{
    struct pair p;
    int good = 0;

    (void)state;
    begin(&p, TRANSPORT_TCP);
    for (int i = 0; i < 8; i++) {
        modbus_server_fault(p.server, MODBUS_FAULT_DELAY, 130, 1);
        good += read_twice(&p, i % 2 * 6, 6, 100) == LINE_OK;
    }
    print_message("%d of 8\n", good);
    assert_in_range(good, 1, 8);
    end(&p);
}

static enum line_result read_new(const struct line_address *a, char *err, size_t size)
{
    struct pair p = {.line = modbus_line_new(a, err, size)};
    enum line_result result = LINE_BROKEN;

    if (p.line && modbus_line_open(p.line, 5000) == LINE_OK)
        result = read_twice(&p, 0, 20, 5000);
    modbus_line_free(p.line);
    return result;
}

/* As with 3000 chargers. libmodbus would abort the process on a descriptor of 1024 or
 * more: serial lines have lower ones that were reserved, and when these are used up a
 * new one is refused. The others need none. */
static void test_many_descriptors(void **state)
{
    enum { FILES = 3000, LEAST = 1200, OTHERS = 100 };
    struct rlimit before, more;
    struct line_address a[3];
    struct modbus_line *lines[20];
    struct pair p[3];
    int n = 0, n_lines = 0, files = FILES;
    char err[300] = "";
    static int fds[FILES];

    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    more = before;
    if (before.rlim_max != RLIM_INFINITY && before.rlim_max < FILES + OTHERS)
        files = (int)before.rlim_max - OTHERS;
    if (files < LEAST)
        fail_msg("no process may have more than %d files open here: ulimit -Hn %d",
                 files + OTHERS, LEAST + OTHERS);
    more.rlim_cur = (rlim_t)files + OTHERS;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &more), 0);
    modbus_serial_reserve();
    for (int t = TRANSPORT_TCP; t <= TRANSPORT_RTUTCP; t++) {
        begin(&p[t], (enum transport)t);
        a[t] = p[t].address;
        modbus_line_close(p[t].line);
    }
    for (; n < files; n++)
        assert_true((fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
    for (int t = TRANSPORT_TCP; t <= TRANSPORT_RTUTCP; t++) {
        assert_int_equal(modbus_line_open(p[t].line, 5000), LINE_OK); /* anew */
        assert_int_equal(read_twice(&p[t], 0, 20, 5000), LINE_OK);
        modbus_line_close(p[t].line);
        if (read_new(&a[t], err, sizeof err) != LINE_OK)
            fail_msg("%s: %s", transport_names[t], err);
    }
    while (n_lines < 20 &&
           (lines[n_lines] = modbus_line_new(&a[TRANSPORT_RTU], err, sizeof err)))
        n_lines++;
    assert_int_equal(n_lines, 8);
    assert_non_null(strstr(err, ": no file descriptor below 1024 is free"));
    while (n_lines > 0)
        modbus_line_free(lines[--n_lines]);
    while (n > 0)
        close(fds[--n]);
    for (int t = TRANSPORT_TCP; t <= TRANSPORT_RTUTCP; t++)
        end(&p[t]);
    setrlimit(RLIMIT_NOFILE, &before);
}

/* A meter behind a gateway that is set to the other framing keeps silent; asked in that
 * one, it tells what to change. */
static void test_other_framing(void **state)
{
    static const char *const texts[] = {
        [TRANSPORT_TCP] =
            "speaks RTU in TCP, not Modbus TCP: set rtutcp instead of tcp",
        [TRANSPORT_RTUTCP] = "speaks Modbus TCP, not RTU: set tcp instead of rtutcp"};

    (void)state;
    for (int t = TRANSPORT_TCP; t <= TRANSPORT_RTUTCP; t += TRANSPORT_RTUTCP) {
        struct line_request r = {
            .unit = 1, .fc = 4, .at = 3, .n = 6, .timeout_ms = 5000};
        struct line_address a;
        struct modbus_line *l;
        struct pair p;
        char err[300];

        begin(&p, (enum transport)(TRANSPORT_RTUTCP - t));
        a = p.address;
        a.transport = (enum transport)t;
        l = modbus_line_new(&a, err, sizeof err);
        assert_non_null(l);
        assert_true(modbus_line_speaks_other(l, &r));
        if (!strstr(modbus_line_text(l), texts[t]))
            fail_msg("%s", modbus_line_text(l));
        assert_false(modbus_line_is_open(l));
        r.timeout_ms = 50;
        assert_false(modbus_line_speaks_other(p.line, &r)); /* it speaks ours */
        modbus_line_free(l);
        end(&p);
    }
}

static void *read_for_long(void *arg)
{
    return (void *)(intptr_t)read_at(arg, 0, 6, 60000);
}

static void *wait_for_long(void *arg)
{
    struct pair *p = arg;

    return (void *)(intptr_t)modbus_line_wait(p->line, clock_ms() + 60000);
}

static void *send_for_ever(void *arg)
{
    static const char bytes[65536];
    int fd = accept(*(int *)arg, NULL, NULL);

    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        ;
    close(fd);
    return NULL;
}

/* What sends faster than it can be thrown away is given up, not listened to for ever.
 */
static void test_flood(void **state)
{
    struct line_request r = {.unit = 1, .fc = 4, .at = 0, .n = 2, .timeout_ms = 50};
    struct line_address a = {.transport = TRANSPORT_RTUTCP, .host = "127.0.0.1"};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int64_t deadline = clock_ms() + DEADLINE_MS;
    uint16_t words[FRAME_WORDS];
    struct modbus_line *l;
    pthread_t thread;
    char err[300];

    (void)state;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    a.port = ntohs(at.sin_port);
    l = modbus_line_new(&a, err, sizeof err);
    assert_int_equal(pthread_create(&thread, NULL, send_for_ever, &fd), 0);
    assert_int_equal(modbus_line_open(l, 5000), LINE_OK);
    while (modbus_line_is_open(l)) {
        assert_int_not_equal(modbus_line_read(l, &r, words), LINE_OK);
        assert_true(clock_ms() < deadline);
    }
    assert_non_null(strstr(modbus_line_text(l), "sends without end"));
    modbus_line_free(l);
    pthread_join(thread, NULL);
    close(fd);
}

/* A stop ends a read and a wait of a minute at once, and all later ones. */
static void test_stop(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t begun, deadline = clock_ms() + DEADLINE_MS;
        struct pair p;
        pthread_t thread;
        void *result;

        begin(&p, TRANSPORT_TCP);
        modbus_server_fault(p.server, MODBUS_FAULT_SILENT, 0, -1);
        pthread_create(&thread, NULL, i ? wait_for_long : read_for_long, &p);
        while (i == 0 && modbus_server_requests(p.server) == 0)
            assert_true(clock_ms() < deadline);
        begun = clock_ms();
        modbus_line_stop(p.line);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, i ? false : LINE_STOPPED);
        assert_in_range(clock_ms() - begun, 0, 20000);
        assert_int_equal(modbus_line_open(p.line, 60000), LINE_STOPPED);
        assert_false(modbus_line_wait(p.line, clock_ms() + 60000));
        end(&p);
    }
}

static int set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[300];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(env, sizeof env, "%s/meters", srcdir ? srcdir : ".");
    return setenv("CHARGEHAND_METERS", env, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_wrong_id),
        cmocka_unit_test(test_silent_and_hang_up),
        cmocka_unit_test(test_cannot_connect),
        cmocka_unit_test(test_serial_lock),
        cmocka_unit_test(test_high_unit),
        cmocka_unit_test(test_slow_device),
        cmocka_unit_test(test_many_descriptors),
        cmocka_unit_test(test_other_framing),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
