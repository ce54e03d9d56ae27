/* SPDX-License-Identifier: Apache-2.0 */
/* The bus with simulated meters on real sockets: readings, troubles told once, and what
 * must never become a reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/bus.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/meter_files.h"
#include "io/meter_poll.h"
#include "sim/modbus_server.h"

enum { METERS = 4, DEADLINE_S = 90, TEXTS = 8 };

static char temporary[300];

/* ---- a site of meters, and what they have told ---- */

struct seen {
    int readings;
    struct event last;
    int32_t p_phase_w[SITE_PHASES], hz_mhz;
    int64_t import_wh, export_wh;
    int begins, ends;
    char text[TEXTS][160]; /* of each begin */
};

struct bench {
    struct conf_meter conf[METERS];
    struct site_circuit circuit;
    struct config c;
    struct inbox *inbox;
    struct buses *buses;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
    struct seen seen[METERS];
    /* called for each reading */
    void (*check)(const struct event_meter *m);
};

static void wake(void *arg)
{
    struct bench *b = arg;

    pthread_mutex_lock(&b->lock);
    b->wake = true;
    pthread_cond_signal(&b->woken);
    pthread_mutex_unlock(&b->lock);
}

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->woken, NULL);
    b->inbox = inbox_new(1000, wake, b);
    b->c.meters = b->conf;
    b->c.site.circuits = &b->circuit;
    b->c.site.n_circuits = 1;
    b->circuit.meter = 0;
}

static struct conf_meter *add(struct bench *b, const char *model, int port)
{
    static const char *const names[METERS] = {"main", "second", "third", "fourth"};
    struct conf_meter *m = &b->conf[b->c.site.n_meters];

    *m = (struct conf_meter){.name = names[b->c.site.n_meters],
                             .model = model,
                             .transport = TRANSPORT_TCP,
                             .host = "127.0.0.1",
                             .port = port,
                             .unit = -1,
                             .interval_ms = 20,
                             .max_age_ms = 60000};
    b->c.site.n_meters++;
    return m;
}

static void start(struct bench *b)
{
    b->buses = buses_new(&b->c, b->inbox);
    assert_non_null(b->buses);
}

static void stop(struct bench *b)
{
    buses_free(b->buses);
    inbox_free(b->inbox);
    pthread_cond_destroy(&b->woken);
    pthread_mutex_destroy(&b->lock);
}

static int meter_named(const struct bench *b, const char *name)
{
    for (int i = 0; i < b->c.site.n_meters; i++)
        if (strcmp(b->conf[i].name, name) == 0)
            return i;
    fail_msg("a trouble of \"%s\"", name);
    return -1;
}

static void take(struct bench *b, const struct inbox_item *item)
{
    struct seen *s;

    if (item->kind == INBOX_EVENT) {
        assert_int_equal(item->event.kind, EVENT_METER);
        s = &b->seen[item->event.who];
        assert_true(s->readings == 0 || item->event.at_ms >= s->last.at_ms);
        assert_true(item->event.meter.changed_ms <= item->event.at_ms);
        assert_in_range(clock_ms() - item->event.at_ms, 0, DEADLINE_S * 1000);
        s->last = item->event;
        if (b->check)
            b->check(&item->event.meter);
    } else if (item->kind == INBOX_METER) {
        s = &b->seen[item->reading.meter];
        memcpy(s->p_phase_w, item->reading.p_phase_w, sizeof s->p_phase_w);
        s->hz_mhz = item->reading.hz_mhz;
        s->import_wh = item->reading.import_wh;
        s->export_wh = item->reading.export_wh;
        s->readings++; /* the pair is whole */
    } else {
        assert_int_equal(item->kind, INBOX_TROUBLE);
        assert_string_equal(item->trouble.code, "meter");
        s = &b->seen[meter_named(b, item->trouble.who)];
        if (item->trouble.begins && s->begins < TEXTS)
            strcpy(s->text[s->begins], item->trouble.text);
        s->begins += item->trouble.begins;
        s->ends += !item->trouble.begins;
    }
}

/* Takes all that comes until the condition holds. */
#define UNTIL(b, condition)                                                            \
    do {                                                                               \
        int64_t deadline = clock_ms() + DEADLINE_S * 1000;                             \
        while (!(condition)) {                                                         \
            if (clock_ms() > deadline)                                                 \
                fail_msg("line %d: never: %s", __LINE__, #condition);                  \
            take_next(b);                                                              \
        }                                                                              \
    } while (0)

static void take_next(struct bench *b)
{
    struct inbox_item item;
    struct timespec t;

    pthread_mutex_lock(&b->lock);
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 1;
    while (!b->wake && pthread_cond_timedwait(&b->woken, &b->lock, &t) != ETIMEDOUT)
        ;
    b->wake = false;
    pthread_mutex_unlock(&b->lock);
    while (inbox_take(b->inbox, &item))
        take(b, &item);
}

static struct modbus_server *server(const char *model, int unit, int port)
{
    char err[2000];
    struct modbus_server *s = modbus_server_new(model, unit, port, err, sizeof err);

    if (!s)
        fail_msg("%s", err);
    return s;
}

static const int32_t some_ma[3] = {10000, 4000, -2000};
static const int32_t other_ma[3] = {16000, -5000, 1000};

static bool reads(const struct bench *b, int meter, const int32_t i_ma[3])
{
    return memcmp(b->seen[meter].last.meter.i_ma, i_ma, 3 * sizeof i_ma[0]) == 0;
}

/* ---- readings ---- */

static void test_values(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    const struct seen *m;
    int64_t changed_ms;
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 1234567, 8900);
    bench_init(&b);
    add(&b, "eastron-sdm630", modbus_server_port(s))->host = "localhost";
    start(&b);
    m = &b.seen[0];
    UNTIL(&b, m->readings >= 3);
    assert_true(reads(&b, 0, some_ma));
    assert_int_equal(m->last.meter.v_mv[2], 230000);
    assert_int_equal(m->last.meter.p_w, 2300 + 920 - 460);
    assert_int_equal(m->p_phase_w[2], -460);
    assert_int_equal(m->hz_mhz, 50000);
    assert_in_range(m->import_wh, 1234566, 1234568); /* f32 of kWh */
    assert_int_equal(m->export_wh, 8900);
    changed_ms = m->last.meter.changed_ms;
    assert_true(m->last.at_ms > changed_ms);
    modbus_server_set(s, other_ma, NULL, NULL);
    UNTIL(&b, reads(&b, 0, other_ma));
    assert_true(m->last.meter.changed_ms > changed_ms);
    assert_int_equal(m->begins + m->ends, 0);
    assert_int_equal(modbus_server_clients(s), 1);
    stop(&b);
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
        struct modbus_server *s = server(models[i], 0, 0);
        struct bench b;

        modbus_server_set(s, inverter ? produces_ma : some_ma, NULL, NULL);
        bench_init(&b);
        add(&b, models[i], modbus_server_port(s));
        start(&b);
        UNTIL(&b, b.seen[0].readings >= 2);
        if (!reads(&b, 0, inverter ? produces_ma : some_ma))
            fail_msg("%s", models[i]);
        /* what is produced is negative */
        assert_int_equal(b.seen[0].last.meter.p_w, inverter ? -5589 : 2760);
        assert_int_equal(b.seen[0].begins, 0);
        stop(&b);
        modbus_server_stop(s);
    }
}

/* Meters of one address share one connection, each with its own unit id. */
static void test_shared_line(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 0, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    for (int i = 0; i < 3; i++)
        add(&b, "eastron-sdm630", modbus_server_port(s))->unit = i + 1;
    b.conf[1].invert = true;
    start(&b);
    UNTIL(&b,
          b.seen[0].readings > 2 && b.seen[1].readings > 2 && b.seen[2].readings > 2);
    assert_true(reads(&b, 0, some_ma) && reads(&b, 2, some_ma));
    assert_true(reads(&b, 1, (const int32_t[]){-10000, -4000, 2000}));
    assert_int_equal(b.seen[1].last.meter.p_w, -2760);
    assert_int_equal(modbus_server_clients(s), 1);
    stop(&b);
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
    add(&b, "quick", modbus_server_port(s))->transport = TRANSPORT_RTUTCP;
    start(&b);
    UNTIL(&b, b.seen[0].readings >= 3);
    assert_true(reads(&b, 0, some_ma));
    stop(&b);
    modbus_server_stop(s);
}

static void test_no_value(void **state)
{
    static const int32_t with_gap_ma[3] = {10000, EVENT_NO_VALUE, -2000};
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, with_gap_ma, NULL, NULL); /* NaN in I and P of L2 */
    bench_init(&b);
    add(&b, "eastron-sdm630", modbus_server_port(s));
    start(&b);
    UNTIL(&b, b.seen[0].readings >= 1);
    assert_true(reads(&b, 0, with_gap_ma));
    assert_int_equal(b.seen[0].last.meter.p_w, EVENT_NO_VALUE);
    assert_int_equal(b.seen[0].p_phase_w[1], EVENT_NO_VALUE);
    modbus_server_set(s, some_ma, NULL, NULL);
    UNTIL(&b, reads(&b, 0, some_ma));
    stop(&b);
    modbus_server_stop(s);
}

/* ---- troubles ---- */

static void test_restart(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    int port = modbus_server_port(s), n;
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    add(&b, "eastron-sdm630", port)->unit = 1;
    add(&b, "eastron-sdm630", port)->unit = 1;
    start(&b);
    UNTIL(&b, b.seen[0].readings && b.seen[1].readings);
    modbus_server_stop(s);
    UNTIL(&b, b.seen[0].begins && b.seen[1].begins);
    assert_non_null(strstr(b.seen[0].text[0], "nothing listens there"));
    s = server("eastron-sdm630", 1, port);
    modbus_server_set(s, other_ma, NULL, NULL);
    n = b.seen[0].readings;
    UNTIL(&b, b.seen[0].readings > n && b.seen[0].ends && b.seen[1].ends);
    assert_true(reads(&b, 0, other_ma));
    UNTIL(&b, b.seen[0].readings > n + 5);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b.seen[i].begins, 1);
        assert_int_equal(b.seen[i].ends, 1);
    }
    stop(&b);
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
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
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
    add(&b, "quick", modbus_server_port(s));
    start(&b);
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
        take_next(&b);
    assert_int_equal(m->readings, n);

    modbus_server_fault(s, MODBUS_FAULT_NONE, 0, 0);
    UNTIL(&b, m->readings > n + 5);
    assert_true(reads(&b, 0, other_ma));
    assert_int_equal(m->begins, 1);
    assert_int_equal(m->ends, 1);
    stop(&b);
    modbus_server_stop(s);
}

/* One meter of a line is silent: told once, and the other one is still read. */
static void test_one_silent(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    struct bench b;
    int n;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    add(&b, "quick", modbus_server_port(s));
    add(&b, "quick", modbus_server_port(s))->unit = 9;
    start(&b);
    UNTIL(&b, b.seen[1].begins);
    assert_non_null(strstr(b.seen[1].text[0], "unit 9"));
    assert_non_null(strstr(b.seen[1].text[0], "does not answer"));
    n = b.seen[0].readings;
    UNTIL(&b, b.seen[0].readings > n + 20);
    assert_int_equal(b.seen[0].begins, 0);
    assert_int_equal(b.seen[1].begins, 1);
    assert_int_equal(b.seen[1].readings, 0);
    stop(&b);
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

/* A device whose answers come after the time-out, three blocks of one length: no value
 * may land in the place of another. */
static void late(enum transport t)
{
    char err[300];
    struct modbus_server *s =
        t == TRANSPORT_TCP
            ? server("eastron-sdm630", 1, 0)
            : modbus_server_new_rtu("eastron-sdm630", 1, -1, err, sizeof err);
    struct bench b;

    assert_non_null(s);
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    b.check = only_some_or_other;
    add(&b, "quick", modbus_server_port(s))->transport = t;
    start(&b);
    for (int i = 0; i < 4; i++) {
        int n = b.seen[0].readings;

        UNTIL(&b, b.seen[0].readings > n + 2);
        modbus_server_fault(s, MODBUS_FAULT_DELAY, 250, 1 + i % 2);
        n = b.seen[0].readings;
        UNTIL(&b, b.seen[0].readings > n + 2);
    }
    modbus_server_set(s, other_ma, NULL, NULL);
    UNTIL(&b, reads(&b, 0, other_ma));
    for (int i = 0; i < b.seen[0].begins && i < TEXTS; i++)
        assert_null(strstr(b.seen[0].text[i], "implausible"));
    stop(&b);
    modbus_server_stop(s);
}

static void test_late_tcp(void **state)
{
    (void)state;
    late(TRANSPORT_TCP);
}

static void test_late_rtutcp(void **state)
{
    (void)state;
    late(TRANSPORT_RTUTCP);
}

static void test_faults(void **state)
{
    static const struct {
        const char *what;
        enum modbus_fault fault;
        int arg;
        bool told;
        const char *text;
    } table[] = {
        {"illegal address", MODBUS_FAULT_EXCEPTION, 2, true,
         "exception 2 (illegal address: wrong model?)"},
        {"device failure", MODBUS_FAULT_EXCEPTION, 4, true, "exception 4"},
        {"hangs up", MODBUS_FAULT_HANG_UP, 0, true, "connection lost"},
        {"other transaction ids", MODBUS_FAULT_WRONG_ID, 0, true, "garbled answer"},
        {"silence", MODBUS_FAULT_SILENT, 0, true, "does not answer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct modbus_server *s = server("eastron-sdm630", 1, 0);
        struct bench b;
        int n;

        print_message("%s\n", table[i].what);
        modbus_server_set(s, some_ma, NULL, NULL);
        bench_init(&b);
        b.check = only_some_or_other;
        add(&b, "quick", modbus_server_port(s));
        start(&b);
        UNTIL(&b, b.seen[0].readings);
        modbus_server_fault(s, table[i].fault, table[i].arg, -1);
        UNTIL(&b, b.seen[0].begins);
        if (!strstr(b.seen[0].text[0], table[i].text))
            fail_msg("%s: %s", table[i].what, b.seen[0].text[0]);
        modbus_server_fault(s, MODBUS_FAULT_NONE, 0, 0);
        n = b.seen[0].readings;
        UNTIL(&b, b.seen[0].readings > n + 5);
        assert_int_equal(b.seen[0].begins, 1);
        assert_int_equal(b.seen[0].ends, 1);
        stop(&b);
        modbus_server_stop(s);
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
    add(&b, "quick", modbus_server_port(s)); /* as Modbus TCP */
    start(&b);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0],
                           "speaks RTU in TCP, not Modbus TCP: set rtutcp instead"));
    stop(&b);
    modbus_server_stop(s);
}

/* One that serves a single client is told from one that is not there; it is never asked
 * on a second connection. */
static void test_single_client(void **state)
{
    struct modbus_server *s = server("solaredge-meter1", 1, 0);
    int port = modbus_server_port(s);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_fault(s, MODBUS_FAULT_ONE_CLIENT, 0, -1);
    bench_init(&b);
    for (int i = 0; i < 3; i++) /* grid, inverter, battery */
        add(&b, "solaredge-meter1", port);
    start(&b);
    UNTIL(&b,
          b.seen[0].readings > 2 && b.seen[1].readings > 2 && b.seen[2].readings > 2);
    assert_int_equal(modbus_server_clients(s), 1);
    modbus_server_stop(s);
    UNTIL(&b, b.seen[0].begins && b.seen[1].begins && b.seen[2].begins);
    assert_non_null(
        strstr(b.seen[0].text[0], "refused: it serves one client at a time"));
    stop(&b);
}

/* What a device refuses is learnt once, not after each connection again. */
static void test_split_remembered(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
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

/* "Busy" is no trouble while readings are young enough, and keeps the connection. */
static void test_busy(void **state)
{
    static const int codes[] = {5, 6, 11};
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    add(&b, "eastron-sdm630", modbus_server_port(s));
    start(&b);
    for (int i = 0; i < 3; i++) {
        int n = b.seen[0].readings;

        UNTIL(&b, b.seen[0].readings > n);
        modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, codes[i], 5);
        n = b.seen[0].readings;
        UNTIL(&b, b.seen[0].readings > n + 3);
    }
    assert_int_equal(b.seen[0].begins, 0);
    assert_int_equal(modbus_server_clients(s), 1);
    stop(&b);
    /* when it stays busy for longer than max_age, it is one */
    bench_init(&b);
    modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, 6, -1);
    add(&b, "eastron-sdm630", modbus_server_port(s))->max_age_ms = 200;
    start(&b);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0], "exception 6 (busy)"));
    stop(&b);
    modbus_server_stop(s);
}

/* A gateway that says "no answer from there" has waited for one: such a meter is asked
 * more and more rarely, as one that is silent itself. */
static void test_gateway_waits(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    int64_t begun = clock_ms();
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_fault(s, MODBUS_FAULT_EXCEPTION, 11, -1);
    bench_init(&b);
    add(&b, "quick", modbus_server_port(s))->max_age_ms = 1000;
    start(&b);
    UNTIL(&b, modbus_server_requests(s) >= 5); /* pauses of 1 and 2 s among them */
    assert_true(clock_ms() - begun >= 2900);
    UNTIL(&b, b.seen[0].begins);
    assert_non_null(strstr(b.seen[0].text[0], "exception 11 (gateway: the device"));
    assert_int_equal(modbus_server_clients(s), 1);
    stop(&b);
    modbus_server_stop(s);
}

static void test_implausible(void **state)
{
    static const int32_t low_mv[3] = {23000, 23000, 23000};
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    struct bench b;
    uint64_t asked;
    int n;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    bench_init(&b);
    b.check = only_some_or_other;
    add(&b, "eastron-sdm630", modbus_server_port(s));
    start(&b);
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
    stop(&b);
    modbus_server_stop(s);
}

/* A block with registers that the device does not have is split until it answers; what
 * was read before stays (a refused energy register once wiped out the currents). */
static void test_gap_refused(void **state)
{
    struct modbus_server *s = server("chint-dtsu666", 1, 0);
    struct bench b;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 5000, 3000);
    bench_init(&b);
    add(&b, "chint-dtsu666", modbus_server_port(s));
    start(&b);
    UNTIL(&b, b.seen[0].readings && b.seen[0].import_wh == 5000 &&
                  b.seen[0].export_wh == 3000);
    assert_true(reads(&b, 0, some_ma));
    assert_int_equal(b.seen[0].begins, 0);
    stop(&b);
    modbus_server_stop(s);
}

static void test_counter_holds(void **state)
{
    struct modbus_server *s = server("quick", 1, 0);
    struct bench b;
    uint64_t asked;

    (void)state;
    modbus_server_set(s, some_ma, NULL, NULL);
    modbus_server_set_energy(s, 53700000, 0);
    bench_init(&b);
    add(&b, "quick", modbus_server_port(s));
    start(&b);
    UNTIL(&b, b.seen[0].import_wh == 53700000);
    modbus_server_set_energy(s, 0, 0);
    asked = modbus_server_requests(s);
    UNTIL(&b, modbus_server_requests(s) > asked + 30);
    assert_int_equal(b.seen[0].import_wh, 53700000);
    stop(&b);
    modbus_server_stop(s);
}

/* ---- beginning and end ---- */

static void test_stop_at_once(void **state)
{
    struct modbus_server *s = server("eastron-sdm630", 1, 0);
    struct bench b;
    int64_t begun;

    (void)state;
    bench_init(&b);
    add(&b, "patient", modbus_server_port(s)); /* waits 20 s for an answer */
    modbus_server_fault(s, MODBUS_FAULT_SILENT, 0, -1);
    start(&b);
    while (modbus_server_requests(s) == 0)
        ;
    begun = clock_ms();
    stop(&b);
    assert_in_range(clock_ms() - begun, 0, 10000);
    modbus_server_stop(s);
}

static void test_bad_model(void **state)
{
    struct bench b;

    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    bench_init(&b);
    add(&b, "eastron-sdm630", 1);
    add(&b, "no-such-model", 1);
    assert_null(buses_new(&b.c, b.inbox));
    b.conf[1].model = "sunspec/203";
    assert_null(buses_new(&b.c, b.inbox));
    b.buses = NULL;
    stop(&b);
}

static void write_model(const char *id, const char *bus)
{
    char path[400];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.yaml", temporary, id);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(
        f,
        "format: 1\nid: %s\nname: X\nkind: meter\nbus: {unit: 1, %s}\n"
        "limits: {max_regs: 6}\ndefaults: {fc: 4, type: f32}\n"
        "fast: [v, i, pp, e_imp]\npoints:\n"
        "  v: {at: [0, 2, 4]}\n  i: {at: [6, 8, 10], sign: pp}\n"
        "  pp: {at: [12, 14, 16]}\n  e_imp: {at: 72, counter: true, optional: true}\n",
        id, bus);
    fclose(f);
}

static int set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[700];

    (void)state;
    snprintf(temporary, sizeof temporary, "%s/chargehand-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(temporary))
        return -1;
    snprintf(env, sizeof env, "%s:%s/meters", temporary, srcdir ? srcdir : ".");
    write_model("quick", "timeout_ms: 150, gap_ms: 0");
    write_model("patient", "timeout_ms: 20000");
    return setenv("CHARGEHAND_METERS", env, 1);
}

static int tear_down(void **state)
{
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s/quick.yaml", temporary);
    unlink(path);
    snprintf(path, sizeof path, "%s/patient.yaml", temporary);
    unlink(path);
    return rmdir(temporary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_every_model),
        cmocka_unit_test(test_shared_line),
        cmocka_unit_test(test_rtu_in_tcp),
        cmocka_unit_test(test_no_value),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_freezes_sleeps_refuses),
        cmocka_unit_test(test_one_silent),
        cmocka_unit_test(test_late_tcp),
        cmocka_unit_test(test_late_rtutcp),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_gateway_waits),
        cmocka_unit_test(test_other_framing),
        cmocka_unit_test(test_single_client),
        cmocka_unit_test(test_split_remembered),
        cmocka_unit_test(test_implausible),
        cmocka_unit_test(test_gap_refused),
        cmocka_unit_test(test_counter_holds),
        cmocka_unit_test(test_stop_at_once),
        cmocka_unit_test(test_bad_model),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
