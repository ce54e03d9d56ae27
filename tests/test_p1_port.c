/* SPDX-License-Identifier: Apache-2.0 */
/* P1 ports on real sockets and pseudo terminals: telegrams in single bytes, garbage
 * between, wrong check sums, silence, a connection that goes and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/p1_port.h"
#include "meter/p1.h"

enum { DEADLINE_MS = 60000 };

struct desk {
    struct conf_meter meter;
    struct config c;
    struct inbox *inbox;
    struct p1_ports *ports;
    int woken; /* eventfd */
    int listener, peer;
    struct event last;
    int readings, begins, ends;
    int64_t import_wh;
    char text[160];
};

static void wake(void *arg)
{
    uint64_t one = 1;

    assert_int_equal(write(*(int *)arg, &one, sizeof one), sizeof one);
}

static void begin(struct desk *d)
{
    d->woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->listener = d->peer = -1;
    d->inbox = inbox_new(1000, wake, &d->woken);
    d->meter.name = "main";
    d->meter.source = SOURCE_P1;
    if (!d->meter.max_age_ms)
        d->meter.max_age_ms = DEADLINE_MS;
    d->c.meters = &d->meter;
    d->c.site.n_meters = 1;
}

static void start(struct desk *d)
{
    d->ports = p1_ports_new(&d->c, d->inbox);
    assert_non_null(d->ports);
}

static void end(struct desk *d)
{
    p1_ports_free(d->ports);
    inbox_free(d->inbox);
    if (d->peer >= 0)
        close(d->peer);
    if (d->listener >= 0)
        close(d->listener);
    close(d->woken);
}

static void listen_on(struct desk *d)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(d->listener, 1), 0);
    assert_int_equal(getsockname(d->listener, (struct sockaddr *)&a, &n), 0);
    d->meter.transport = TRANSPORT_RTUTCP;
    d->meter.host = "127.0.0.1";
    d->meter.port = ntohs(a.sin_port);
}

static void accept_it(struct desk *d)
{
    struct pollfd p = {.fd = d->listener, .events = POLLIN};

    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    d->peer = accept(d->listener, NULL, NULL);
    assert_true(d->peer >= 0);
}

static void take(struct desk *d)
{
    struct inbox_item item;
    uint64_t n;

    if (read(d->woken, &n, sizeof n) < 0)
        n = 0;
    while (inbox_take(d->inbox, &item)) {
        if (item.kind == INBOX_EVENT) {
            d->last = item.event;
        } else if (item.kind == INBOX_METER) {
            d->import_wh = item.reading.import_wh;
            d->readings++; /* it comes behind its event */
        } else if (item.kind == INBOX_TROUBLE && item.trouble.begins) {
            snprintf(d->text, sizeof d->text, "%s", item.trouble.text);
            d->begins++;
        } else if (item.kind == INBOX_TROUBLE) {
            d->ends++;
        }
    }
}

/* Waits until *count is that much. */
static void until(struct desk *d, const int *count, int much)
{
    int64_t end_ms = clock_ms() + DEADLINE_MS;

    for (take(d); *count < much; take(d)) {
        struct pollfd p = {.fd = d->woken, .events = POLLIN};
        int64_t left_ms = end_ms - clock_ms();

        if (left_ms <= 0)
            fail_msg("%d instead of %d; %s", *count, much, d->text);
        poll(&p, 1, (int)left_ms);
    }
}

/* A telegram with those watts on L1, at that second. */
static const char *telegram(int w, int second)
{
    static char text[600];
    int n = snprintf(text, sizeof text,
                     "/KFM5KAIFA\r\n\r\n0-0:1.0.0(2611261200%02dW)\r\n"
                     "1-0:1.8.1(000100.000*kWh)\r\n1-0:1.8.2(000001.%03d*kWh)\r\n"
                     "1-0:1.7.0(%02d.%03d*kW)\r\n1-0:2.7.0(00.000*kW)\r\n"
                     "1-0:32.7.0(230.0*V)\r\n1-0:31.7.0(%03d*A)\r\n"
                     "1-0:21.7.0(%02d.%03d*kW)\r\n1-0:22.7.0(00.000*kW)\r\n!",
                     second, second, w / 1000, w % 1000, w / 230, w / 1000, w % 1000);

    snprintf(text + n, sizeof text - (size_t)n, "%04X\r\n", p1_sum(text, (size_t)n));
    return text;
}

static void say(struct desk *d, const char *text)
{
    size_t n = strlen(text);

    assert_int_equal(send(d->peer, text, n, MSG_NOSIGNAL), n);
}

static void test_tcp(void **state)
{
    struct desk d = {0};
    const char *text;

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    text = telegram(2300, 1);
    say(&d, text + 30); /* it came in the middle of one */
    for (const char *p = text; *p; p++)
        assert_int_equal(send(d.peer, p, 1, MSG_NOSIGNAL), 1);
    until(&d, &d.readings, 1);
    assert_int_equal(d.last.meter.i_ma[0], 10000);
    assert_int_equal(d.last.meter.i_ma[1], EVENT_NO_VALUE);
    assert_int_equal(d.last.meter.v_mv[0], 230000);
    assert_int_equal(d.last.meter.p_w, 2300);
    assert_int_equal(d.import_wh, 101001);
    end(&d);
}

/* The next telegram counts when the last one is 100 ms old: what is told again and
 * again in one go is one reading. */
static void next(struct desk *d, int w, int second)
{
    int64_t until_ms = clock_ms() + 101;
    struct pollfd none = {.fd = -1};

    while (clock_ms() < until_ms)
        poll(&none, 1, (int)(until_ms - clock_ms()));
    say(d, telegram(w, second));
}

static void test_changes(void **state)
{
    struct desk d = {0};
    int64_t changed_ms;

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    say(&d, telegram(2300, 1));
    until(&d, &d.readings, 1);
    changed_ms = d.last.meter.changed_ms;
    /* the same one again is a reading that has not changed */
    next(&d, 2300, 1);
    until(&d, &d.readings, 2);
    assert_int_equal(d.last.meter.changed_ms, changed_ms);
    assert_true(d.last.at_ms > changed_ms);
    next(&d, 2300, 2); /* the same power a second later is one that has */
    until(&d, &d.readings, 3);
    assert_true(d.last.meter.changed_ms > changed_ms);
    assert_int_equal(d.begins, 0);
    end(&d);
}

static void test_damage(void **state)
{
    struct desk d = {0};
    char text[600];

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    /* one with a wrong digit is none, and told when it goes on */
    snprintf(text, sizeof text, "%s", telegram(1150, 3));
    *strstr(text, "1-0:21.7.0(01") = '7';
    for (int i = 0; i < 7; i++)
        say(&d, text);
    until(&d, &d.begins, 1);
    assert_string_equal(d.text,
                        "the check sum of its telegrams is wrong: see the cable");
    /* a good one between garbage ends it */
    say(&d, "\r\n!!garbage\xff\r\n");
    say(&d, telegram(1150, 4));
    until(&d, &d.ends, 1);
    until(&d, &d.readings, 1);
    assert_int_equal(d.last.meter.i_ma[0], 5000);
    assert_int_equal(d.begins, 1);
    /* endless */
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[0] = '/';
    for (int i = 0; i < 20; i++, text[0] = 'x')
        say(&d, text);
    until(&d, &d.begins, 2);
    assert_string_equal(d.text, "its telegrams do not end: is it a P1 port?");
    end(&d);
}

static void test_silence(void **state)
{
    struct desk d = {.meter.max_age_ms = 100};

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    until(&d, &d.begins, 1);
    assert_int_equal(strncmp(d.text, "no telegram for ", 16), 0);
    assert_null(strchr(d.text, ':'));
    say(&d, telegram(1150, 4));
    until(&d, &d.ends, 1);
    until(&d, &d.readings, 1);
    until(&d, &d.begins, 2);
    /* one that tells something more rarely than it is asked for */
    next(&d, 1150, 5);
    until(&d, &d.readings, 2);
    until(&d, &d.begins, 3);
    assert_non_null(strstr(d.text, ": they come every "));
    end(&d);
}

/* What comes is no telegram. Where it comes later than the silence is told, the same
 * again with more time. */
static void test_baud_rate(void **state)
{
    bool hinted = false;

    (void)state;
    for (int ms = 100; !hinted && ms < DEADLINE_MS; ms *= 2) {
        struct desk d = {.meter.max_age_ms = ms};

        begin(&d);
        listen_on(&d);
        start(&d);
        accept_it(&d);
        say(&d, "\x80\x7f\x80");
        until(&d, &d.begins, 1);
        hinted = strstr(d.text, "what comes is none, see the baud rate") != NULL;
        end(&d);
    }
    assert_true(hinted);
}

static void test_old_meter(void **state)
{
    struct desk d = {0};

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    say(&d, "/ISk5\r\n\r\n1-0:1.7.0(0001.01*kW)\r\n!\r\n");
    until(&d, &d.begins, 1);
    assert_string_equal(d.text,
                        "its telegrams have no check sum: a meter before DSMR 4 "
                        "cannot be used");
    assert_int_equal(d.readings, 0);
    end(&d);
}

static void test_implausible(void **state)
{
    struct desk d = {0};
    char text[600];
    int n;

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    n = snprintf(text, sizeof text,
                 "/X5\r\n1-0:31.7.0(005*A)\r\n1-0:32.7.0(2.3*V)\r\n!");
    snprintf(text + n, sizeof text - (size_t)n, "%04X", p1_sum(text, (size_t)n));
    say(&d, text);
    until(&d, &d.begins, 1);
    assert_non_null(strstr(d.text, "implausible: L1 reads 2.3 V, 100 times too small"));
    assert_int_equal(d.readings, 0);
    end(&d);
}

static void test_reconnects(void **state)
{
    struct desk d = {0};
    int listener;

    (void)state;
    begin(&d);
    listen_on(&d);
    start(&d);
    accept_it(&d);
    say(&d, "/KFM5KAIFA\r\n1-0:1.7.0(01"); /* the rest never comes */
    close(d.peer);
    until(&d, &d.begins, 1);
    assert_string_equal(d.text, "the connection is lost");
    accept_it(&d);
    say(&d, telegram(2300, 1));
    until(&d, &d.readings, 1);
    until(&d, &d.ends, 1);
    /* nobody listens there any more */
    listener = d.listener;
    d.listener = -1;
    close(listener);
    close(d.peer);
    d.peer = -1;
    until(&d, &d.begins, 2);
    end(&d); /* and while it waits it can be ended */
}

static void test_serial(void **state)
{
    struct desk d = {.meter = {.invert = true, .ct_ppm = 2000000}};
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];

    (void)state;
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    snprintf(name, sizeof name, "%s", ptsname(master));
    begin(&d);
    d.meter.transport = TRANSPORT_RTU;
    d.meter.device = name;
    d.meter.baud = 115200;
    d.meter.parity = 'N';
    d.meter.data_bits = 8;
    d.meter.stop_bits = 1;
    start(&d);
    /* what was on the line before it was opened is thrown away: say it until heard */
    for (int second = 0; d.readings == 0 && second < 60; second++) {
        const char *text = telegram(2300, second);
        struct pollfd p = {.fd = d.woken, .events = POLLIN};

        assert_int_equal(write(master, text, strlen(text)), strlen(text));
        poll(&p, 1, 1000);
        take(&d);
    }
    assert_int_equal(d.last.meter.i_ma[0], -20000);
    assert_int_equal(d.last.meter.p_w, -4600);
    /* the adapter is pulled out */
    close(master);
    until(&d, &d.begins, 1);
    end(&d);
}

static void test_no_device(void **state)
{
    struct desk d = {.meter = {.transport = TRANSPORT_RTU,
                               .device = "/nowhere/ttyP1",
                               .baud = 115200,
                               .parity = 'N',
                               .data_bits = 8,
                               .stop_bits = 1}};

    (void)state;
    begin(&d);
    start(&d);
    until(&d, &d.begins, 1);
    assert_string_equal(d.text,
                        "/nowhere/ttyP1: there is no such device: is the adapter "
                        "plugged in?");
    end(&d);
}

/* ---- chargehand meter p1 ---- */

/* Runs it against what is said, by one who stays or hangs up then; returns its exit
 * code, `out` what it prints. */
static int command(const char *options, const char *said, bool stays, char *out,
                   size_t size)
{
    struct desk d = {0};
    char line[200];
    FILE *f;
    size_t n;
    int status;

    begin(&d);
    listen_on(&d);
    snprintf(line, sizeof line, "./chargehand meter p1 127.0.0.1:%d %s 2>&1",
             d.meter.port, options);
    f = popen(line, "r");
    assert_non_null(f);
    accept_it(&d);
    say(&d, said);
    if (!stays)
        shutdown(d.peer, SHUT_WR);
    n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    status = pclose(f);
    close(d.peer);
    close(d.listener);
    close(d.woken);
    inbox_free(d.inbox);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_command(void **state)
{
    static const struct {
        const char *options, *said, *out;
        int code;
    } table[] = {
        {"--json", NULL, "\"voltage_v\":[230,null,null],\"current_a\":[10,null,null]",
         0},
        {"", NULL, "  L1       230.0 V     10.00 A     2300 W\n", 0},
        {"--raw", NULL, "1-0:31.7.0(010*A)", 0},
        {"", "/X\r\n!\r\n", "a telegram without check sum: a meter before DSMR 4", 1},
        {"", "/X\r\n!0000\r\n", "a telegram with a wrong check sum: see the cable", 1},
        {"", "hello", "what comes is no telegram: see the baud rate", 1},
        {"", "", "the connection is lost", 69},
    };
    char out[3000], code[40], two[2000];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int is =
            command(table[i].options, table[i].said ? table[i].said : telegram(2300, 1),
                    false, out, sizeof out);

        snprintf(code, sizeof code, "exit %d", is);
        if (is != table[i].code || !strstr(out, table[i].out))
            fail_msg("%zu: %s: %s", i, code, out);
    }
    assert_int_equal(command("--timeout 1", "", true, out, sizeof out), 69);
    assert_non_null(strstr(out, "no telegram in 1 s: does it serve another client"));
    /* one is enough, though there is more and the line stays */
    snprintf(two, sizeof two, "%s%s", telegram(2300, 1), telegram(2300, 1));
    assert_int_equal(command("--raw", two, true, out, sizeof out), 0);
    assert_non_null(strstr(out, "  total "));
    assert_null(strstr(strstr(out, "  total ") + 1, "  total "));
    assert_int_equal(command("--watch", two, false, out, sizeof out), 0);
    assert_non_null(strstr(strstr(out, "  total ") + 1, "  total "));
    assert_int_equal(WEXITSTATUS(system("./chargehand meter p1 2>/dev/null")), 64);
    assert_int_equal(WEXITSTATUS(system("./chargehand meter p1 host 2>/dev/null")), 64);
    assert_int_equal(
        WEXITSTATUS(system("./chargehand meter p1 127.0.0.1:1 2>/dev/null")), 69);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),         cmocka_unit_test(test_damage),
        cmocka_unit_test(test_changes),     cmocka_unit_test(test_silence),
        cmocka_unit_test(test_baud_rate),   cmocka_unit_test(test_old_meter),
        cmocka_unit_test(test_implausible), cmocka_unit_test(test_reconnects),
        cmocka_unit_test(test_serial),      cmocka_unit_test(test_no_device),
        cmocka_unit_test(test_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
