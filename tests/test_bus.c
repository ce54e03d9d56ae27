/* SPDX-License-Identifier: Apache-2.0 */
/* Readings from simulated meters on real sockets, and the begin and end of a bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bus_bench.h"
#include "io/log.h"
#include "io/meter_files.h"
#include "io/meter_poll.h"

/* ---- readings ---- */

static void test_values(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    const struct seen *m;
    int64_t changed_ms;
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 1234567, 8900);
    bench_init(&b);
    bench_add(&b, "eastron-sdm630", modbus_server_port(s))->host = "localhost";
    bench_start(&b);
    m = &b.seen[0];
    UNTIL(&b, m->readings >= 3);
    assert_true(bench_reads(&b, 0, some_ma));
    assert_int_equal(m->last.meter.v_mv[2], 230000);
    assert_int_equal(m->last.meter.p_w, 2300 + 920 - 460);
    assert_int_equal(m->p_phase_w[2], -460);
    assert_int_equal(m->hz_mhz, 50000);
    assert_in_range(m->import_wh, 1234566, 1234568); /* f32 of kWh */
    assert_int_equal(m->export_wh, 8900);
    changed_ms = m->last.meter.changed_ms;
    assert_true(m->last.at_ms > changed_ms);
    modbus_server_set(s, other_ma, NULL, NULL);
    UNTIL(&b, bench_reads(&b, 0, other_ma));
    assert_true(m->last.meter.changed_ms > changed_ms);
    assert_int_equal(m->begins + m->ends, 0);
    assert_int_equal(modbus_server_clients(s), 1);
    bench_stop(&b);
    modbus_server_stop(s);
}

static void test_every_model(void **state)
{
    static const char *const models[] = {
        "cg-em340",         "chint-dtsu666", "fronius-gen24-meter",
        "solaredge-meter1", "sunspec-meter", "sunspec-inverter"};
    static const int32_t produces_ma[3] = {-8000, -8100, -8200};

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        bool inverter = strstr(models[i], "inverter") != NULL;
        struct modbus_server *s = bench_server(models[i], 0, 0);
        struct bench b;

        modbus_server_set(s, inverter ? produces_ma : some_ma, NULL, NULL);
        bench_init(&b);
        bench_add(&b, models[i], modbus_server_port(s));
        bench_start(&b);
        UNTIL(&b, b.seen[0].readings >= 2);
        if (!bench_reads(&b, 0, inverter ? produces_ma : some_ma))
            fail_msg("%s", models[i]);
        /* what is produced is negative */
        assert_int_equal(b.seen[0].last.meter.p_w, inverter ? -5589 : 2760);
        assert_int_equal(b.seen[0].begins, 0);
        bench_stop(&b);
        modbus_server_stop(s);
    }
}

/* Meters of one address share one connection, each with its own unit id. */
static void test_shared_line(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 0, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    for (int i = 0; i < 3; i++)
        bench_add(&b, "eastron-sdm630", modbus_server_port(s))->unit = i + 1;
    b.conf[1].invert = true;
    b.conf[1].host = "localhost"; /* names are the same in capitals */
    b.conf[0].host = b.conf[2].host = "LOCALHOST";
    bench_start(&b);
    UNTIL(&b,
          b.seen[0].readings > 2 && b.seen[1].readings > 2 && b.seen[2].readings > 2);
    assert_true(bench_reads(&b, 0, some_ma) && bench_reads(&b, 2, some_ma));
    assert_true(bench_reads(&b, 1, (const int32_t[]){-10000, -4000, 2000}));
    assert_int_equal(b.seen[1].last.meter.p_w, -2760);
    assert_int_equal(modbus_server_clients(s), 1);
    bench_stop(&b);
    modbus_server_stop(s);
}

static void test_rtu_in_tcp(void **state)
{
    char err[300];
    struct modbus_server *s =
        modbus_server_new_rtu("eastron-sdm630", 1, -1, err, sizeof err);
    struct bench b;

    (void)state;
    assert_non_null(s);
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    bench_add(&b, "quick", modbus_server_port(s))->transport = TRANSPORT_RTUTCP;
    bench_start(&b);
    UNTIL(&b, b.seen[0].readings >= 3);
    assert_true(bench_reads(&b, 0, some_ma));
    bench_stop(&b);
    modbus_server_stop(s);
}

static void test_no_value(void **state)
{
    static const int32_t with_gap_ma[3] = {10000, EVENT_NO_VALUE, -2000};
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, with_gap_ma, NULL, NULL); /* NaN in I and P of L2 */
    bench_init(&b);
    bench_add(&b, "eastron-sdm630", modbus_server_port(s));
    bench_start(&b);
    UNTIL(&b, b.seen[0].readings >= 1);
    assert_true(bench_reads(&b, 0, with_gap_ma));
    assert_int_equal(b.seen[0].last.meter.p_w, EVENT_NO_VALUE);
    assert_int_equal(b.seen[0].p_phase_w[1], EVENT_NO_VALUE);
    modbus_server_set(s, some_ma, NULL, NULL);
    UNTIL(&b, bench_reads(&b, 0, some_ma));
    bench_stop(&b);
    modbus_server_stop(s);
}

/* What a device refuses is learnt once, not after each connection again. */
static void test_split_remembered(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct line_address a = {
        .transport = TRANSPORT_TCP, .host = "127.0.0.1", .port = modbus_server_port(s)};
    char err[300];
    struct modbus_line *l = modbus_line_new(&a, err, sizeof err);
    struct meter_poll *m =
        meter_poll_new(meter_files_load("eastron-sdm630", err, sizeof err), -1, false,
                       err, sizeof err);
    struct poll_reading p;
    uint64_t asked[3] = {0};

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_fault(s, MODBUS_FAULT_MAX_REGS, 6, -1);
    for (int i = 0; i < 3; i++) {
        uint64_t before = modbus_server_requests(s);

        assert_int_equal(modbus_line_open(l, 5000), LINE_OK);
        meter_poll_reset(m);
        assert_int_equal(meter_poll_cycle(m, l, true, &p), POLL_READING);
        assert_memory_equal(p.r.i_ma, some_ma, sizeof some_ma);
        asked[i] = modbus_server_requests(s) - before;
    }
    assert_true(asked[0] > asked[1]);
    assert_int_equal(asked[1], asked[2]);
    assert_int_equal(asked[1], plan_count(meter_poll_plan(m), PACE_FAST) +
                                   plan_count(meter_poll_plan(m), PACE_SLOW));
    meter_poll_free(m);
    modbus_line_free(l);
    modbus_server_stop(s);
}

/* A block with registers that the device does not have is split until it answers; what
 * was read before stays (a refused energy register once wiped out the currents). */
static void test_gap_refused(void **state)
{
    struct modbus_server *s = bench_server("chint-dtsu666", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 5000, 3000);
    bench_init(&b);
    bench_add(&b, "chint-dtsu666", modbus_server_port(s));
    bench_start(&b);
    UNTIL(&b, b.seen[0].readings && b.seen[0].import_wh == 5000 &&
                  b.seen[0].export_wh == 3000);
    assert_true(bench_reads(&b, 0, some_ma));
    assert_int_equal(b.seen[0].begins, 0);
    bench_stop(&b);
    modbus_server_stop(s);
}

static void test_counter_holds(void **state)
{
    struct modbus_server *s = bench_server("quick", 1, 0);
    struct bench b;
    uint64_t asked;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 53700000, 0);
    bench_init(&b);
    bench_add(&b, "quick", modbus_server_port(s));
    bench_start(&b);
    UNTIL(&b, b.seen[0].import_wh == 53700000);
    modbus_server_set_energy(s, 0, 0);
    asked = modbus_server_requests(s);
    UNTIL(&b, modbus_server_requests(s) > asked + 30);
    assert_int_equal(b.seen[0].import_wh, 53700000);
    bench_stop(&b);
    modbus_server_stop(s);
}

/* ---- beginning and end ---- */

static void test_stop_at_once(void **state)
{
    struct modbus_server *s = bench_server("eastron-sdm630", 1, 0);
    struct bench b;
    int64_t begun;

    (void)state;
    bench_init(&b);
    bench_add(&b, "patient", modbus_server_port(s)); /* waits 20 s for an answer */
    modbus_server_fault(s, MODBUS_FAULT_SILENT, 0, -1);
    bench_start(&b);
    while (modbus_server_requests(s) == 0)
        ;
    begun = clock_ms();
    bench_stop(&b);
    assert_in_range(clock_ms() - begun, 0, 10000);
    modbus_server_stop(s);
}

static void test_bad_model(void **state)
{
    struct bench b;

    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    bench_init(&b);
    bench_add(&b, "eastron-sdm630", 1);
    bench_add(&b, "no-such-model", 1);
    assert_null(buses_new(&b.c, b.inbox));
    b.conf[1].model = "sunspec/203";
    assert_null(buses_new(&b.c, b.inbox));
    b.buses = NULL;
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_every_model),
        cmocka_unit_test(test_shared_line),  cmocka_unit_test(test_rtu_in_tcp),
        cmocka_unit_test(test_no_value),     cmocka_unit_test(test_split_remembered),
        cmocka_unit_test(test_gap_refused),  cmocka_unit_test(test_counter_holds),
        cmocka_unit_test(test_stop_at_once), cmocka_unit_test(test_bad_model),
    };

    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
