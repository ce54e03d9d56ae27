/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated meter: each way to misbehave does what its name says, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "sim/modbus_server.h"

enum { DEADLINE_MS = 30000 };

/* Voltage of L1: registers 0 and 1. */
static const uint8_t tcp_ask[] = {0, 7, 0, 0, 0, 6, 3, 4, 0, 0, 0, 2};
static const uint8_t rtu_ask[] = {3, 4, 0, 0, 0, 2, 0x70, 0x29};

static struct modbus_server *start(bool rtu, int unit, int last_unit)
{
    struct modbus_server_options o = {
        .model = "eastron-sdm630", .unit = unit, .last_unit = last_unit, .rtu = rtu};
    char err[300] = "";
    struct modbus_server *s = modbus_server_start(&o, err, sizeof err);

    if (!s)
        fail_msg("%s", err);
    return s;
}

/* -1 when it is refused. */
static int dial(const struct modbus_server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)modbus_server_port(s)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    assert_true(errno == ECONNREFUSED || errno == ECONNRESET);
    close(fd);
    return -1;
}

/* Waits until it can (or cannot) be connected to. */
static int dial_until(const struct modbus_server *s, bool wanted)
{
    int64_t end = clock_ms() + DEADLINE_MS;

    while (clock_ms() < end) {
        int fd = dial(s);

        if ((fd >= 0) == wanted)
            return fd;
        if (fd >= 0)
            close(fd);
        poll(NULL, 0, 1);
    }
    fail_msg("connections are still %s", wanted ? "refused" : "taken");
    return -1;
}

/* As many bytes as are wanted, or fewer when it hangs up; *parts = reads it took. */
static int listen_for(int fd, uint8_t *bytes, int wanted, int *parts)
{
    int n = 0;

    *parts = 0;
    while (n < wanted) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, DEADLINE_MS) != 1)
            fail_msg("%d of %d bytes came", n, wanted);
        got = read(fd, bytes + n, (size_t)(wanted - n));
        if (got <= 0)
            break;
        n += (int)got;
        ++*parts;
    }
    return n;
}

static void ask(int fd, bool rtu)
{
    const uint8_t *q = rtu ? rtu_ask : tcp_ask;
    ssize_t size = rtu ? sizeof rtu_ask : sizeof tcp_ask;

    assert_int_equal(write(fd, q, (size_t)size), size);
}

/* Asks, and expects these bytes in hexadecimal. */
static void expect(int fd, bool rtu, const char *hex, const char *what)
{
    uint8_t bytes[100];
    char got[201] = "";
    int parts, n;

    ask(fd, rtu);
    n = listen_for(fd, bytes, (int)strlen(hex) / 2, &parts);
    for (int i = 0; i < n; i++)
        sprintf(got + 2 * i, "%02x", bytes[i]);
    if (strcmp(got, hex) != 0)
        fail_msg("%s: %s, not %s", what, got, hex);
}

#define GOOD_TCP "00070000000703040443660000"
#define GOOD_RTU "030404436600002ddf"

static const struct {
    const char *fault;
    bool rtu;
    const char *answers;
} cases[] = {
    {"id", false, "00540000000703040443660000"},
    {"unit", false, "00070000000704040443660000"},
    {"unit", true, "040404436600005b1f"},
    {"exception=11", false, "00070000000303840b"},
    {"exception=6", true, "03840662c2"},
    {"max-regs=1", false, "000700000003038402"},
    {"max-regs=2", false, GOOD_TCP},
    {"twice", false, GOOD_TCP GOOD_TCP},
    {"twice", true, GOOD_RTU GOOD_RTU},
    {"crc", true, "030404436600002d8a"},
    {"echo", true, "0304000000027029" GOOD_RTU},
    {"nan", false, "0007000000070304047fc00000"},
    {"words", false, "00070000000703040400004366"},
    {"full", false, "000700000007030404ffffffff"},
    {"zero", false, "00070000000703040400000000"},
    {"bytes", true, GOOD_RTU},
    {"late=30", true, GOOD_RTU},
};

static void each_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct modbus_server *s = start(cases[i].rtu, 3, 3);
        const char *good = cases[i].rtu ? GOOD_RTU : GOOD_TCP;
        struct modbus_fault_rule r;
        char err[200] = "";
        int fd = dial(s);

        expect(fd, cases[i].rtu, good, "before it begins");
        if (!modbus_fault_parse(cases[i].fault, &r, err, sizeof err))
            fail_msg("%s", err);
        r.count = 2;
        assert_true(modbus_server_add_fault(s, &r));
        for (int k = 0; k < 2; k++)
            expect(fd, cases[i].rtu, cases[i].answers, cases[i].fault);
        expect(fd, cases[i].rtu, good, "when it has ended");
        close(fd);
        modbus_server_stop(s);
    }
}

static void add(struct modbus_server *s, enum modbus_fault f, int every)
{
    assert_true(modbus_server_add_fault(
        s, &(struct modbus_fault_rule){.fault = f, .count = -1, .every = every}));
}

static void the_one_before_comes_first(void **state)
{
    struct modbus_server *s = start(true, 3, 3);
    int fd = dial(s);
    (void)state;

    expect(fd, true, GOOD_RTU, "the first");
    modbus_server_set_register(s, 4, 1, 0x1234);
    add(s, MODBUS_FAULT_BEFORE, 1);
    expect(fd, true, GOOD_RTU "0304044366123420a8", "both");
    close(fd);
    modbus_server_stop(s);
}

static void one_in_three(void **state)
{
    struct modbus_server *s = start(false, 3, 3);
    int fd = dial(s);
    (void)state;

    add(s, MODBUS_FAULT_WRONG_ID, 3);
    for (int i = 1; i <= 9; i++)
        expect(fd, false, i % 3 ? GOOD_TCP : cases[0].answers, "one in three");
    close(fd);
    modbus_server_stop(s);
}

static void connections(void **state)
{
    struct modbus_server *s = start(false, 3, 3);
    int fd = dial(s), parts;
    uint8_t bytes[20];
    (void)state;

    expect(fd, false, GOOD_TCP, "at first");
    modbus_server_fault(s, MODBUS_FAULT_HANG_UP, 0, 1);
    ask(fd, false);
    assert_int_equal(listen_for(fd, bytes, 1, &parts), 0);
    close(fd);
    fd = dial(s);
    expect(fd, false, GOOD_TCP, "after it hung up");
    add(s, MODBUS_FAULT_ONE_CLIENT, 1);
    dial_until(s, false);
    expect(fd, false, GOOD_TCP, "while others are refused");
    close(fd);
    fd = dial_until(s, true);
    expect(fd, false, GOOD_TCP, "when there is room again");

    modbus_server_fault(s, MODBUS_FAULT_REFUSE, 0, -1);
    assert_int_equal(listen_for(fd, bytes, 1, &parts), 0);
    close(fd);
    dial_until(s, false);
    modbus_server_fault(s, MODBUS_FAULT_CLOSE, 0, -1);
    fd = dial_until(s, true);
    assert_int_equal(listen_for(fd, bytes, 1, &parts), 0);
    close(fd);
    modbus_server_fault(s, MODBUS_FAULT_GARBAGE, 0, -1);
    /* the thread may not have seen it: until something comes unasked */
    for (int n = 0; n == 0; close(fd)) {
        struct pollfd p = {.events = POLLIN};

        p.fd = fd = dial(s);
        n = poll(&p, 1, 50) == 1 && read(fd, bytes, sizeof bytes) > 0;
    }
    modbus_server_stop(s);
}

static void values(void **state)
{
    static const int32_t i_ma[] = {1000, 2000, 3000}, low_mv[] = {110000, 0, 0};
    struct modbus_server *s = start(false, 3, 3);
    struct meter_reading r;
    int fd = dial(s);
    (void)state;

    add(s, MODBUS_FAULT_FROZEN, 1);
    expect(fd, false, GOOD_TCP, "as it was");
    modbus_server_set(s, i_ma, low_mv, NULL);
    expect(fd, false, GOOD_TCP, "frozen");
    modbus_server_fault(s, MODBUS_FAULT_NONE, 0, 0);
    expect(fd, false, "00070000000703040442dc0000", "not any more");
    reading_clear(&r);
    r.v_mv[0] = 230000;
    modbus_server_set_unit(s, 4, &r);
    expect(fd, false, "00070000000703040442dc0000", "another unit was meant");
    modbus_server_set_unit(s, 3, &r);
    expect(fd, false, GOOD_TCP, "this one");
    close(fd);
    modbus_server_stop(s);
}

/* What three registers of a float are: current of L1, its power, energy drawn. */
static void distorted(void **state)
{
    static const struct {
        const char *fault;
        double a, w, kwh;
    } table[] = {
        {"silent@1000-2000", 10, -2300, 1000}, {"sign", 10, 2300, 1000},
        {"factor=3", 30, -6900, 1000},         {"counter", 10, -2300, 0},
        {"wrap", 10, -2300, 344.64},
    };
    static const int at[] = {6, 12, 72};
    static const int32_t i_ma[] = {-10000, 0, 0};
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct modbus_server *s = start(false, 3, 3);
        double want[] = {table[i].a, table[i].w, table[i].kwh};
        struct modbus_fault_rule r;
        char err[200] = "";
        int fd = dial(s), parts;

        modbus_server_set(s, i_ma, NULL, NULL);
        modbus_server_set_energy(s, 1000000, 0);
        if (!modbus_fault_parse(table[i].fault, &r, err, sizeof err))
            fail_msg("%s", err);
        modbus_server_add_fault(s, &r);
        for (int k = 0; k < 3; k++) {
            uint8_t q[sizeof tcp_ask], bytes[13];
            uint32_t raw;
            float v;

            memcpy(q, tcp_ask, sizeof q);
            q[9] = (uint8_t)at[k];
            assert_int_equal(write(fd, q, sizeof q), sizeof q);
            assert_int_equal(listen_for(fd, bytes, 13, &parts), 13);
            raw = (uint32_t)bytes[9] << 24 | (uint32_t)bytes[10] << 16 |
                  (uint32_t)bytes[11] << 8 | bytes[12];
            memcpy(&v, &raw, sizeof v);
            if ((double)v < want[k] - 0.01 || (double)v > want[k] + 0.01)
                fail_msg("%s: register %d is %g", table[i].fault, at[k], (double)v);
        }
        close(fd);
        modbus_server_stop(s);
    }
}

static void takes_the_time_of_the_line(void **state)
{
    struct modbus_server_options o = {
        .model = "eastron-sdm630", .rtu = true, .baud = 1200, .bits = 10};
    char err[300] = "";
    struct modbus_server *s = modbus_server_start(&o, err, sizeof err);
    int fd = dial(s);
    int64_t began_ms = clock_ms();
    (void)state;

    expect(fd, true, GOOD_RTU, "slowly");
    /* 24 characters of 10 bits and 30 ms */
    assert_in_range(clock_ms() - began_ms, 229, DEADLINE_MS);
    close(fd);
    modbus_server_stop(s);
}

static void several_units(void **state)
{
    struct modbus_server *s = start(false, 2, 4);
    int fd = dial(s), parts;
    uint8_t bytes[13], q[sizeof tcp_ask];
    (void)state;

    for (int unit = 1; unit <= 5; unit++) { /* 1 and 5 are silent */
        memcpy(q, tcp_ask, sizeof q);
        q[6] = (uint8_t)unit;
        assert_int_equal(write(fd, q, sizeof q), sizeof q);
        if (unit < 2 || unit > 4)
            continue;
        assert_int_equal(listen_for(fd, bytes, 13, &parts), 13);
        assert_int_equal(bytes[6], unit);
    }
    close(fd);
    modbus_server_stop(s);
}

static const struct {
    const char *text;
    struct modbus_fault_rule want;
    const char *err; /* NULL = good */
} texts[] = {
    {"silent", {MODBUS_FAULT_SILENT, 0, -1}, NULL},
    {"late=1500", {MODBUS_FAULT_DELAY, 1500, -1}, NULL},
    {"bytes", {MODBUS_FAULT_TRICKLE, 1, -1}, NULL},
    {"silent@60-660", {MODBUS_FAULT_SILENT, 0, -1, 0, 60000, 660000}, NULL},
    {"exception=6@1/10", {MODBUS_FAULT_EXCEPTION, 6, -1, 10}, NULL},
    {"nan@0.5-1@1/2", {MODBUS_FAULT_NAN, 0, -1, 2, 500, 1000}, NULL},
    {"", {0}, "there is no fault ''"},
    {"none", {0}, "there is no fault 'none'"},
    {"late", {0}, "'late': late needs a number from 0 to 600000"},
    {"exception=0", {0}, "'exception=0': exception needs a number from 1 to 255"},
    {"exception=2x", {0}, "'exception=2x': exception needs a number from 1 to 255"},
    {"silent=3", {0}, "'silent=3': silent takes no number"},
    {"silent@", {0}, "'silent@': a time is @FROM-TO in seconds, a part @1/N"},
    {"silent@9-3", {0}, "'silent@9-3': a time is @FROM-TO in seconds, a part @1/N"},
    {"silent@1/0", {0}, "'silent@1/0': a time is @FROM-TO in seconds, a part @1/N"},
    {"silent@1-2,", {0}, "'silent@1-2,': a time is @FROM-TO in seconds, a part @1/N"},
};

static void rules_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct modbus_fault_rule r;
        char err[200] = "";

        if (modbus_fault_parse(texts[i].text, &r, err, sizeof err) == !!texts[i].err ||
            (texts[i].err && strcmp(err, texts[i].err) != 0))
            fail_msg("\"%s\": %s", texts[i].text, err);
        if (!texts[i].err && memcmp(&r, &texts[i].want, sizeof r) != 0)
            fail_msg("\"%s\" is %d %d %d %d %d-%d", texts[i].text, r.fault, r.arg,
                     r.count, r.every, (int)r.from_ms, (int)r.to_ms);
    }
}

static void rules_hold_in_their_time(void **state)
{
    struct modbus_faults f = {.n = 0};
    int arg[MODBUS_FAULT_COUNT];
    (void)state;

    modbus_faults_add(
        &f, &(struct modbus_fault_rule){
                .fault = MODBUS_FAULT_NAN, .count = -1, .from_ms = 100, .to_ms = 200});
    modbus_faults_add(
        &f, &(struct modbus_fault_rule){.fault = MODBUS_FAULT_SILENT, .count = 1});
    for (int64_t t = 0; t < 300; t += 50) {
        modbus_faults_now(&f, t, true, arg);
        assert_int_equal(arg[MODBUS_FAULT_NAN] >= 0, t >= 100 && t < 200);
        assert_int_equal(arg[MODBUS_FAULT_SILENT] >= 0, t == 0);
    }
    for (int i = f.n; i < MODBUS_FAULT_RULES; i++)
        assert_true(modbus_faults_add(&f, &f.rules[0]));
    assert_false(modbus_faults_add(&f, &f.rules[0]));
}

static void bad_ways_to_start(void **state)
{
    struct modbus_server_options o = {.model = "eastron-sdm631"};
    char err[300] = "";
    (void)state;

    assert_null(modbus_server_start(&o, err, sizeof err));
    assert_non_null(strstr(err, "did you mean \"eastron-sdm630\"?"));
    o = (struct modbus_server_options){.model = "eastron-sdm630", .host = "::"};
    assert_null(modbus_server_start(&o, err, sizeof err));
    assert_string_equal(err, "cannot listen on :::0: no numeric IPv4 address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(rules_hold_in_their_time),
        cmocka_unit_test(each_answer),
        cmocka_unit_test(the_one_before_comes_first),
        cmocka_unit_test(one_in_three),
        cmocka_unit_test(connections),
        cmocka_unit_test(values),
        cmocka_unit_test(distorted),
        cmocka_unit_test(takes_the_time_of_the_line),
        cmocka_unit_test(several_units),
        cmocka_unit_test(bad_ways_to_start),
    };
    const char *srcdir = getenv("srcdir");
    char meters[512];

    snprintf(meters, sizeof meters, "%s/meters", srcdir ? srcdir : ".");
    setenv("CHARGEHAND_METERS", meters, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
