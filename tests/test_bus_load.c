/* SPDX-License-Identifier: Apache-2.0 */
/* What many meters cost, and how fast a slow line is. SECONDS=60 measures for that long
 * and on a line of 9600 baud, too (make check-lines); without it, the first for three
 * seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/bus.h"
#include "io/clock.h"
#include "io/meter_files.h"
#include "meter/plan.h"
#include "pty.h"
#include "sim/modbus_server.h"

enum { METERS = 32, SLOW_METERS = 10, SHORT_S = 3, DEADLINE_S = 60 };

static int seconds;
static const int32_t some_ma[3] = {10000, 4000, -2000};

/* ---- a site of meters ---- */

struct bench {
    struct conf_meter conf[METERS];
    struct site_circuit circuit;
    struct config c;
    struct inbox *inbox;
    int woken; /* eventfd: something is in it */
    int readings[METERS];
    int64_t at_ms[METERS], longest_ms[METERS]; /* from reading to reading */
    int troubles;
};

static void wake(void *arg)
{
    eventfd_write(((struct bench *)arg)->woken, 1);
}

static void init(struct bench *b, int n, enum transport t)
{
    struct inbox_item item = {.kind = INBOX_INPUT};

    *b = (struct bench){.inbox = inbox_new(1000, wake, b),
                        .woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    while (inbox_put(b->inbox, &item))
        ; /* its memory is not the meters' */
    while (inbox_take(b->inbox, &item))
        ;
    b->c.meters = b->conf;
    b->c.site.n_meters = n;
    b->c.site.circuits = &b->circuit;
    b->c.site.n_circuits = 1;
    for (int i = 0; i < n; i++)
        b->conf[i] = (struct conf_meter){.name = "meter",
                                         .model = "eastron-sdm630",
                                         .transport = t,
                                         .host = "127.0.0.1",
                                         .baud = 9600,
                                         .parity = 'N',
                                         .data_bits = 8,
                                         .stop_bits = 1,
                                         .unit = 1,
                                         .interval_ms = 1000,
                                         .max_age_ms = 10000};
}

static void take(struct bench *b)
{
    struct inbox_item item;

    while (inbox_take(b->inbox, &item)) {
        int i = item.event.who;
        int64_t ms = item.event.at_ms;

        b->troubles += item.kind == INBOX_TROUBLE;
        if (item.kind != INBOX_EVENT)
            continue;
        assert_memory_equal(item.event.meter.i_ma, some_ma, sizeof some_ma);
        if (b->readings[i]++ && ms - b->at_ms[i] > b->longest_ms[i])
            b->longest_ms[i] = ms - b->at_ms[i];
        b->at_ms[i] = ms;
    }
}

static void finish(struct bench *b)
{
    inbox_free(b->inbox);
    close(b->woken);
}

/* Takes what comes next, if it comes until then. */
static void await(struct bench *b, int64_t until_ms)
{
    struct pollfd fd = {.fd = b->woken, .events = POLLIN};
    int64_t ms = until_ms - clock_ms();
    eventfd_t n;

    if (ms > 0 && poll(&fd, 1, (int)ms) == 1)
        eventfd_read(b->woken, &n);
    take(b);
}

/* Takes what comes for that long, from when each has been read `warm` times on. */
static void watch(struct bench *b, int n, int warm, int for_s)
{
    int64_t deadline = clock_ms() + DEADLINE_S * 1000, end;

    for (int i = 0; i < n; i++)
        while (b->readings[i] < warm) {
            assert_true(clock_ms() < deadline);
            await(b, deadline);
        }
    memset(b->longest_ms, 0, sizeof b->longest_ms);
    memset(b->readings, 0, sizeof b->readings);
    for (end = clock_ms() + for_s * 1000; clock_ms() < end;)
        await(b, end);
}

/* ---- 32 meters over Modbus TCP ---- */

/* Memory that no file is behind, kB: heap and stacks. */
static long memory_kb(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[200];
    long kb = -1;

    while (f && fgets(line, sizeof line, f))
        sscanf(line, "Anonymous: %ld", &kb);
    if (f)
        fclose(f);
    return kb;
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* The meters, in a process of their own. Ends with the other end of the pipe. */
static void serve(int out, int in)
{
    char err[300], c;

    for (int i = 0; i < METERS; i++) {
        struct modbus_server *s =
            modbus_server_new("eastron-sdm630", 1, 0, err, sizeof err);
        int port = s ? modbus_server_port(s) : 0;

        if (s)
            modbus_server_set(s, some_ma, NULL, NULL);
        if (write(out, &port, sizeof port) != sizeof port)
            _exit(1);
    }
    while (read(in, &c, 1) > 0)
        ;
    _exit(0);
}

static void test_many_meters(void **state)
{
    int ports[2], life[2], port;
    int for_s = seconds ? seconds : SHORT_S;
    struct buses *buses;
    double begun_s, used;
    long before_kb, after_kb;
    struct bench b;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ports) || pipe(life), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(life[1]);
        serve(ports[1], life[0]);
    }
    init(&b, METERS, TRANSPORT_TCP);
    for (int i = 0; i < METERS; i++) {
        assert_int_equal(read(ports[0], &port, sizeof port), sizeof port);
        assert_int_not_equal(port, 0);
        b.conf[i].port = port;
    }
    before_kb = memory_kb();
    buses = buses_new(&b.c, b.inbox);
    assert_non_null(buses);
    watch(&b, METERS, 2, 0);
    begun_s = cpu_s();
    watch(&b, METERS, 0, for_s);
    used = (cpu_s() - begun_s) / for_s * 100;
    after_kb = memory_kb();
    buses_free(buses);
    finish(&b);
    close(life[1]);
    waitpid(child, NULL, 0);
    print_message("%d meters: %.2f %% of a core (the looking at it included), %ld kB\n",
                  METERS, used, after_kb - before_kb);
    assert_int_equal(b.troubles, 0);
    assert_true(used < 2.0);
    if (!getenv("SANITIZED"))
        assert_in_range(after_kb - before_kb, 0, 1024);
    close(ports[0]);
    close(ports[1]);
    close(life[0]);
}

/* ---- ten on one line of 9600 baud ---- */

static void test_slow_line(void **state)
{
    struct modbus_server_options o = {.model = "eastron-sdm630",
                                      .unit = 1,
                                      .last_unit = SLOW_METERS,
                                      .rtu = true,
                                      .on_fd = true,
                                      .baud = 9600,
                                      .bits = 10};
    struct modbus_server *s;
    struct buses *buses;
    char device[128], err[300];
    int64_t longest_ms = 0;
    int held, others = 0;
    struct bench b;

    (void)state;
    o.fd = pty_open(device, sizeof device, &held);
    s = modbus_server_start(&o, err, sizeof err);
    if (!s)
        fail_msg("%s", err);
    modbus_server_set(s, some_ma, NULL, NULL);
    init(&b, SLOW_METERS, TRANSPORT_RTU);
    for (int i = 0; i < SLOW_METERS; i++) {
        b.conf[i].device = device;
        b.conf[i].unit = i + 1;
    }
    buses = buses_new(&b.c, b.inbox);
    assert_non_null(buses);
    watch(&b, SLOW_METERS, 2, seconds);
    buses_free(buses);
    finish(&b);
    modbus_server_stop(s);
    close(held);
    for (int i = 1; i < SLOW_METERS; i++) {
        others += b.readings[i];
        longest_ms = b.longest_ms[i] > longest_ms ? b.longest_ms[i] : longest_ms;
    }
    print_message("grid meter: %d readings in %d s, at most %lld ms apart; the others: "
                  "%d, at most %lld ms\n",
                  b.readings[0], seconds, (long long)b.longest_ms[0], others,
                  (long long)longest_ms);
    assert_int_equal(b.troubles, 0);
    assert_in_range(b.longest_ms[0], 1, 1000);
    assert_in_range(longest_ms, 1, 5999);
}

/* The computed time on the bus against the measured. */
static void test_bus_time(void **state)
{
    static const struct {
        const char *model;
        int baud;
        int most_percent;
    } table[] = {{"eastron-sdm630", 9600, 20},
                 {"eastron-sdm72d-m-v2", 9600, 20},
                 {"cg-em340", 9600, 20},
                 {"inepro-pro380", 9600, 20},
                 {"eastron-sdm630", 19200, 20}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct modbus_server_options o = {.model = table[i].model,
                                          .unit = 1,
                                          .last_unit = 1,
                                          .rtu = true,
                                          .on_fd = true,
                                          .baud = table[i].baud,
                                          .bits = 10};
        char device[128], err[300];
        struct modbus_server *s;
        struct definition *d;
        static struct plan p;
        struct buses *buses;
        int held, computed_ms;
        struct bench b;
        double ms;

        o.fd = pty_open(device, sizeof device, &held);
        d = meter_files_load(table[i].model, err, sizeof err);
        assert_non_null(d);
        d->bus.baud = table[i].baud;
        o.bits = 1 + d->bus.data_bits + (d->bus.parity != 'N') + d->bus.stop_bits;
        plan_make(&p, d, 0);
        computed_ms = plan_bus_ms(&p, d, PACE_FAST);
        s = modbus_server_start(&o, err, sizeof err);
        if (!s)
            fail_msg("%s", err);
        modbus_server_set(s, some_ma, NULL, NULL);
        init(&b, 1, TRANSPORT_RTU);
        b.conf[0].model = table[i].model;
        b.conf[0].device = device;
        b.conf[0].baud = table[i].baud;
        b.conf[0].interval_ms = 1; /* as fast as it goes */
        buses = buses_new(&b.c, b.inbox);
        assert_non_null(buses);
        watch(&b, 1, 5, 8); /* its slow registers come every ten seconds */
        buses_free(buses);
        finish(&b);
        modbus_server_stop(s);
        close(held);
        definition_free(d);
        ms = 8000.0 / b.readings[0];
        print_message("%s at %d baud: computed %d ms, measured %.0f ms\n",
                      table[i].model, table[i].baud, computed_ms, ms);
        if (ms > computed_ms * (100 + table[i].most_percent) / 100.0 ||
            ms < computed_ms * (100 - table[i].most_percent) / 100.0)
            fail_msg("more than %d %% apart", table[i].most_percent);
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
        cmocka_unit_test(test_many_meters),
    };
    const struct CMUnitTest longer[] = {
        cmocka_unit_test(test_many_meters),
        cmocka_unit_test(test_slow_line),
        cmocka_unit_test(test_bus_time),
    };
    const char *text = getenv("SECONDS");

    seconds = text ? atoi(text) : 0;
    return seconds ? cmocka_run_group_tests(longer, set_up, NULL)
                   : cmocka_run_group_tests(tests, set_up, NULL);
}
