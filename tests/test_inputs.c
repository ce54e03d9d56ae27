/* SPDX-License-Identifier: Apache-2.0 */
/* Digital inputs on real sockets: a contact that closes and opens in a simulated Modbus
 * module, on the same line as a meter, becomes a limit of the controller; what cannot
 * be read is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "config_util.h"
#include "io/bus.h"
#include "io/clock.h"
#include "run/limits.h"
#include "sim/modbus_server.h"

enum { DEADLINE_S = 60 };

struct bench {
    struct config *c;
    struct limits *l;
    struct inbox *inbox;
    struct buses *buses;
    struct modbus_server *server;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
    int readings, begins, ends, events;
    int inputs[4];
    bool active[4];
    int32_t chargers_w;
    char text[160];
};

static void wake(void *arg)
{
    struct bench *b = arg;

    pthread_mutex_lock(&b->lock);
    b->wake = true;
    pthread_cond_signal(&b->woken);
    pthread_mutex_unlock(&b->lock);
}

static void feed(void *arg, const struct event *e)
{
    struct bench *b = arg;

    assert_int_equal(e->kind, EVENT_LIMIT);
    assert_int_equal(e->limit.source, LIMIT_INPUT);
    b->chargers_w = e->limit.chargers_w;
    b->events++;
}

static void tell(void *arg, const char *level, const char *code, const char *who,
                 const char *text)
{
    (void)arg, (void)level, (void)who, (void)text;
    assert_string_equal(code, "input");
}

static int64_t granted_w(void *arg, int circuit)
{
    (void)arg, (void)circuit;
    return 0;
}

static void take(struct bench *b, const struct inbox_item *item)
{
    if (item->kind == INBOX_EVENT) {
        b->readings++;
    } else if (item->kind == INBOX_INPUT) {
        b->inputs[item->input.input]++;
        b->active[item->input.input] = item->input.active;
        limits_input(b->l, item->input.input, item->input.active, item->input.at_ms);
    } else if (item->kind == INBOX_TROUBLE &&
               strcmp(item->trouble.code, "input") == 0) {
        assert_string_equal(item->trouble.who, "dim");
        b->begins += item->trouble.begins;
        b->ends += !item->trouble.begins;
        if (item->trouble.begins)
            strcpy(b->text, item->trouble.text);
    }
}

/* Takes what comes until it is so. */
static void until(struct bench *b, bool (*done)(const struct bench *), const char *what)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    while (!done(b)) {
        struct inbox_item item;
        int late = 0;

        pthread_mutex_lock(&b->lock);
        while (!b->wake && late == 0)
            late = pthread_cond_timedwait(&b->woken, &b->lock, &deadline);
        b->wake = false;
        pthread_mutex_unlock(&b->lock);
        if (late)
            fail_msg("waited in vain: %s", what);
        while (inbox_take(b->inbox, &item))
            take(b, &item);
    }
}

static void begin(struct bench *b, const char *input)
{
    char text[900], err[200], *said;
    struct limits_hooks h = {b, feed, tell, granted_w};

    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->woken, NULL);
    b->server = modbus_server_new("eastron-sdm630", 0, 0, err, sizeof err);
    if (!b->server)
        fail_msg("%s", err);
    snprintf(text, sizeof text,
             "circuits:\n- {name: grid, limit: 63, meter: main}\n"
             "meters:\n- {name: main, model: eastron-sdm630, unit: 1, tcp: "
             "'127.0.0.1:%d', interval: 100ms}\n"
             "inputs:\n- {name: dim, tcp: '127.0.0.1:%d', interval: 100ms, %s}\n"
             "chargers:\n- {id: a}\n- {id: b}\n",
             modbus_server_port(b->server), modbus_server_port(b->server), input);
    b->c = util_load(text, NULL, &said);
    if (!b->c)
        fail_msg("%s", said);
    free(said);
    b->inbox = inbox_new(1000, wake, b);
    b->l = limits_new(b->c, &h, clock_ms());
    assert_non_null(b->l);
}

static void start(struct bench *b)
{
    b->buses = buses_new(b->c, b->inbox);
    assert_non_null(b->buses);
}

static void end(struct bench *b)
{
    buses_free(b->buses);
    inbox_free(b->inbox);
    limits_free(b->l);
    config_free(b->c);
    modbus_server_stop(b->server);
    pthread_cond_destroy(&b->woken);
    pthread_mutex_destroy(&b->lock);
}

static bool is_active(const struct bench *b)
{
    return b->active[0];
}

static bool is_inactive(const struct bench *b)
{
    return b->inputs[0] > 0 && !b->active[0];
}

static bool meter_is_read(const struct bench *b)
{
    return b->readings >= 3;
}

static bool in_trouble(const struct bench *b)
{
    return b->begins > 0;
}

static bool over(const struct bench *b)
{
    return b->ends > 0;
}

static void test_contact(void **state)
{
    static const struct {
        const char *keys;
        int fc, at;
        uint16_t open, closed;
    } cases[] = {
        {"unit: 7", 2, 0, 0, 1},
        {"unit: 7, function: coil, address: 9", 1, 9, 0, 1},
        {"function: holding, address: 65535, bit: 15", 3, 65535, 0x7fff, 0x8000},
        {"function: input, address: 700, bit: 2, active: low", 4, 700, 0xffff, 0xfffb},
        {"function: discrete, address: 3, active: low", 2, 3, 1, 0},
    };
    struct bench b;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&b, cases[i].keys);
        modbus_server_set_register(b.server, cases[i].fc, cases[i].at, cases[i].open);
        start(&b);
        until(&b, is_inactive, "the contact is open");
        assert_int_equal(b.events, 0);
        modbus_server_set_register(b.server, cases[i].fc, cases[i].at, cases[i].closed);
        until(&b, is_active, "the contact is closed");
        assert_int_equal(b.chargers_w, 7560); /* two charge points by section 14a */
        modbus_server_set_register(b.server, cases[i].fc, cases[i].at, cases[i].open);
        until(&b, is_inactive, "the contact is open again");
        assert_int_equal(b.chargers_w, 0);
        until(&b, meter_is_read, "the meter on the same line");
        assert_int_equal(b.events, 2);
        assert_int_equal(b.begins, 0);
        end(&b);
    }
}

static void test_no_such_input(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, "address: 5");
    start(&b);
    until(&b, in_trouble, "it is told");
    assert_non_null(strstr(b.text, "answers exception 2"));
    assert_int_equal(b.inputs[0], 0);
    modbus_server_set_register(b.server, 2, 5, 1);
    until(&b, over, "it is over");
    until(&b, is_active, "it is read");
    assert_int_equal(b.begins, 1);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contact),
        cmocka_unit_test(test_no_such_input),
    };
    const char *srcdir = getenv("srcdir");
    char models[300];

    snprintf(models, sizeof models, "%s/meters", srcdir ? srcdir : ".");
    setenv("CHARGEHAND_METERS", models, 1);
    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
