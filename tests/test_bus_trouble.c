/* SPDX-License-Identifier: Apache-2.0 */
/* A bus in trouble: what is told, once, and what must never become a reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bus_bench.h"

static void test_restart(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    int port = modbus_server_port(s), n;
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    bench_add(&b, "eastron-sdm630", port)->unit = 1;
    bench_add(&b, "eastron-sdm630", port)->unit = 1;
    bench_start(&b);
    UNTIL(&b, b.seen[0].readings && b.seen[1].readings);
    modbus_server_stop(s);
    UNTIL(&b, b.seen[0].begins && b.seen[1].begins);
    assert_non_null(strstr(b.seen[0].text[0], "nothing listens there"));
    s = bench_server("eastron-sdm630", 1, port);
    modbus_server_set(s, other_ma, NULL, NULL);
    n = b.seen[0].readings;
    UNTIL(&b, b.seen[0].readings > n && b.seen[0].ends && b.seen[1].ends);
    assert_true(bench_reads(&b, 0, other_ma));
    UNTIL(&b, b.seen[0].readings > n + 5);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b.seen[i].begins, 1);
        assert_int_equal(b.seen[i].ends, 1);
    }
    bench_stop(&b);
    modbus_server_stop(s);
}

static void never_zero(const struct event_meter *m)
{
    for (int i = 0; i < SITE_PHASES; i++)
        assert_int_not_equal(m->i_ma[i], 0);
}

/* A meter that shows the same for ever, then nothing (an inverter at night), then
 * refuses connections (REFUSE_S seconds): what the core has grows old, and never
 * becomes 0. That it is back is told once. */
static void test_freezes_sleeps_refuses(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    const char *refuse_s = getenv("REFUSE_S");
    int64_t changed_ms, until_ms;
    const struct seen *m;
    struct bench b;
    uint64_t asked;
    int n;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    b.check = never_zero;
    bench_add(&b, "quick", modbus_server_port(s));
    bench_start(&b);
    m = &b.seen[0];
    UNTIL(&b, m->readings);
    modbus_server_fault(s, MODBUS_FAULT_FROZEN, 0, -1);
    modbus_server_set(s, other_ma, NULL, NULL);
    n = m->readings;
    UNTIL(&b, m->readings > n + 1); /* one may have been on its way */
    changed_ms = m->last.meter.changed_ms;
    UNTIL(&b, m->readings > n + 10);
    assert_int_equal(m->last.meter.changed_ms, changed_ms);
    assert_true(m->last.at_ms > changed_ms);

    modbus_server_fault(s, MODBUS_FAULT_NAN, 0, -1);
    UNTIL(&b, m->begins);
    n = m->readings;
    asked = modbus_server_requests(s);
    UNTIL(&b, modbus_server_requests(s) > asked + 10);
    modbus_server_fault(s, MODBUS_FAULT_REFUSE, 0, -1);
    until_ms = clock_ms() + (refuse_s ? atoi(refuse_s) : 2) * 1000;
    while (clock_ms() < until_ms)
        bench_next(&b);
    assert_int_equal(m->readings, n);

    modbus_server_fault(s, MODBUS_FAULT_NONE, 0, 0);
    UNTIL(&b, m->readings > n + 5);
    assert_true(bench_reads(&b, 0, other_ma));
    assert_int_equal(m->begins, 1);
    assert_int_equal(m->ends, 1);
    bench_stop(&b);
    modbus_server_stop(s);
}

/* One meter of a line is silent: told once, and the other one is still read. */
static void test_one_silent(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct bench b;
    int n;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    bench_add(&b, "quick", modbus_server_port(s));
    bench_add(&b, "quick", modbus_server_port(s))->unit = 9;
    bench_start(&b);
    UNTIL(&b, b.seen[1].begins);
    assert_non_null(strstr(b.seen[1].text[0], "unit 9"));
    assert_non_null(strstr(b.seen[1].text[0], "does not answer"));
    n = b.seen[0].readings;
    UNTIL(&b, b.seen[0].readings > n + 20);
    assert_int_equal(b.seen[0].begins, 0);
    assert_int_equal(b.seen[1].begins, 1);
    assert_int_equal(b.seen[1].readings, 0);
    bench_stop(&b);
    modbus_server_stop(s);
}

static void only_some_or_other(const struct event_meter *m)
{
    bool some = memcmp(m->i_ma, some_ma, sizeof some_ma) == 0;
    bool other = memcmp(m->i_ma, other_ma, sizeof other_ma) == 0;

    assert_true(some || other);
    assert_int_equal(m->p_w, 2760); /* of both */
    for (int i = 0; i < SITE_PHASES; i++)
        assert_int_equal(m->v_mv[i], 230000);
}

/* All at once: each takes its time. */
static void test_faults(void **state)
{
    static const struct {
        const char *what;
        enum modbus_fault fault;
        int arg;
        const char *text;
    } table[] = {
        {"illegal address", MODBUS_FAULT_EXCEPTION, 2,
         "exception 2 (illegal address: wrong model?)"},
        {"device failure", MODBUS_FAULT_EXCEPTION, 4, "exception 4"},
        {"hangs up", MODBUS_FAULT_HANG_UP, 0, "connection lost"},
        {"other transaction ids", MODBUS_FAULT_WRONG_ID, 0, "garbled answer"},
        {"silence", MODBUS_FAULT_SILENT, 0, "does not answer"},
    };
    enum { N = sizeof table / sizeof table[0] };
    struct modbus_server *s[N];
    static struct bench b[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        s[i] = bench_server("eastron-sdm630", 1, 0);
        modbus_server_set(s[i], some_ma, NULL, NULL);
        bench_init(&b[i]);
        b[i].check = only_some_or_other;
        bench_add(&b[i], "quick", modbus_server_port(s[i]))->interval_ms = 200;
        bench_start(&b[i]);
    }
    for (int i = 0; i < N; i++) {
        UNTIL(&b[i], b[i].seen[0].readings);
        modbus_server_fault(s[i], table[i].fault, table[i].arg, -1);
    }
    for (int i = 0; i < N; i++) {
        UNTIL(&b[i], b[i].seen[0].begins);
        if (!strstr(b[i].seen[0].text[0], table[i].text))
            fail_msg("%s: %s", table[i].what, b[i].seen[0].text[0]);
        modbus_server_fault(s[i], MODBUS_FAULT_NONE, 0, 0);
    }
    for (int i = 0; i < N; i++) {
        UNTIL(&b[i], b[i].seen[0].ends);
        assert_int_equal(b[i].seen[0].begins, 1);
        assert_int_equal(b[i].seen[0].ends, 1);
        bench_stop(&b[i]);
        modbus_server_stop(s[i]);
    }
}

/* A gateway that is set to the other framing: people are told what to change. */
static void test_other_framing(void **state)
{
    char err[300];
    struct modbus_server *s =
        modbus_server_new_rtu("eastron-sdm630", 1, -1, err, sizeof err);
    struct bench b;

    (void)state;
    assert_non_null(s);
    bench_init(&b);
    bench_add(&b, "quick", modbus_server_port(s)); /* as Modbus TCP */
    bench_start(&b);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0],
                           "speaks RTU in TCP, not Modbus TCP: set rtutcp instead"));
    bench_stop(&b);
    modbus_server_stop(s);
}

/* One that serves a single client is told from one that is not there; it is never asked
 * on a second connection. */
static void test_single_client(void **state)
{
    struct modbus_server *s = bench_server("solaredge-meter1", 1, 0);
    int port = modbus_server_port(s);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_fault(s, MODBUS_FAULT_ONE_CLIENT, 0, -1);
    bench_init(&b);
    for (int i = 0; i < 3; i++) /* grid, inverter, battery */
        bench_add(&b, "solaredge-meter1", port);
    bench_start(&b);
    UNTIL(&b,
          b.seen[0].readings > 2 && b.seen[1].readings > 2 && b.seen[2].readings > 2);
    assert_int_equal(modbus_server_clients(s), 1);
    modbus_server_stop(s);
    UNTIL(&b, b.seen[0].begins && b.seen[1].begins && b.seen[2].begins);
    assert_non_null(
        strstr(b.seen[0].text[0], "refused: it serves one client at a time"));
    bench_stop(&b);
}

/* "Busy" is no trouble while readings are young enough, and keeps the connection. */
static void test_busy(void **state)
{
    static const int codes[] = {5, 6, 11};
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    bench_add(&b, "eastron-sdm630", modbus_server_port(s));
    bench_start(&b);
    for (int i = 0; i < 3; i++) {
        int n = b.seen[0].readings;

        UNTIL(&b, b.seen[0].readings > n);
        modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, codes[i],
                            codes[i] == 11 ? 2 : 5);
        n = b.seen[0].readings;
        UNTIL(&b, b.seen[0].readings > n + 3);
    }
    assert_int_equal(b.seen[0].begins, 0);
    assert_int_equal(modbus_server_clients(s), 1);
    bench_stop(&b);
    /* when it stays busy for longer than max_age, it is one */
    bench_init(&b);
    modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, 6, -1);
    bench_add(&b, "eastron-sdm630", modbus_server_port(s))->max_age_ms = 200;
    bench_start(&b);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0], "exception 6 (busy)"));
    bench_stop(&b);
    modbus_server_stop(s);
}

/* A gateway that says "no answer from there" has waited for one: such a meter is asked
 * more and more rarely, as one that is silent itself. */
static void test_gateway_waits(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    int64_t begun = clock_ms();
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, 11, -1);
    bench_init(&b);
    bench_add(&b, "quick", modbus_server_port(s))->max_age_ms = 1000;
    bench_start(&b);
    UNTIL(&b, modbus_server_requests(s) >= 5); /* pauses of 1 and 2 s among them */
    assert_true(clock_ms() - begun >= 2900);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0], "exception 11 (gateway: the device"));
    assert_int_equal(modbus_server_clients(s), 1);
    bench_stop(&b);
    modbus_server_stop(s);
}

static void test_implausible(void **state)
{
    static const int32_t low_mv[3] = {23000, 23000, 23000};
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct bench b;
    uint64_t asked;
    int n;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    b.check = only_some_or_other;
    bench_add(&b, "eastron-sdm630", modbus_server_port(s));
    bench_start(&b);
    UNTIL(&b, b.seen[0].readings);
    modbus_server_set(s, some_ma, low_mv, NULL);
    UNTIL(&b, b.seen[0].begins);
    assert_string_equal(
        b.seen[0].text[0],
        "unit 1: implausible: L1 reads 23.0 V, 10 times too small: wrong "
        "model?");
    n = b.seen[0].readings;
    asked = modbus_server_requests(s);
    UNTIL(&b, modbus_server_requests(s) > asked + 10);
    assert_int_equal(b.seen[0].readings, n); /* refused, each of them */
    modbus_server_set(s, some_ma, NULL, NULL);
    UNTIL(&b, b.seen[0].ends);
    UNTIL(&b, b.seen[0].readings > n);
    assert_int_equal(b.seen[0].begins, 1);
    bench_stop(&b);
    modbus_server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_freezes_sleeps_refuses),
        cmocka_unit_test(test_one_silent),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_other_framing),
        cmocka_unit_test(test_single_client),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_gateway_waits),
        cmocka_unit_test(test_implausible),
    };

    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
