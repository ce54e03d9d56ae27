/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT with a real broker: birth and last will, commands, what is refused, a broker
 * that goes and comes back, one that does not let us in, one that hangs; TLS. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/mqtt.h"
#include "io/mqtt_meter.h"
#include "io/mqtt_site.h"
#include "mqtt_fixture.h"

#define BAY "chargehand/connector/CP-01_1/"
#define LIMIT "chargehand/site/main/set/external_limit"

struct desk {
    struct fixture f;
    struct broker broker;
    struct spy spy;
    struct inbox *inbox;
    struct mqtt *m;
    struct inbox_item item;
    enum inbox_kind wanted;
};

static struct desk *desk_new(const char *broker_conf)
{
    struct desk *d = calloc(1, sizeof *d);

    fixture_init(&d->f);
    d->inbox = inbox_new(64, bell_ring, NULL);
    d->f.conf.mqtt.port = free_port();
    if (broker_conf)
        broker_start(&d->broker, d->f.conf.mqtt.port, broker_conf);
    return d;
}

static void desk_free(struct desk *d)
{
    mqtt_free(d->m);
    inbox_free(d->inbox);
    if (d->broker.port)
        broker_end(&d->broker);
    free(d);
}

static bool has_item(void *arg)
{
    struct desk *d = arg;

    while (inbox_take(d->inbox, &d->item))
        if (d->item.kind == d->wanted)
            return true;
    return false;
}

/* The next item of that kind; what is of another kind before it is passed over. */
static const struct inbox_item *next(struct desk *d, enum inbox_kind kind)
{
    d->wanted = kind;
    if (!bell_wait(has_item, d))
        fail_msg("nothing came into the inbox");
    return &d->item;
}

static void trouble(struct desk *d, bool begins, const char *text)
{
    const struct inbox_item *item = next(d, INBOX_TROUBLE);

    print_message("%s: %s\n", item->trouble.who, item->trouble.text);
    assert_string_equal(item->trouble.code, "mqtt");
    assert_int_equal(item->trouble.begins, begins);
    if (!strstr(item->trouble.text, text))
        fail_msg("expected '%s' in '%s'", text, item->trouble.text);
}

/* ---- with a broker that behaves ---- */

static void test_birth(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");
    int i;

    (void)state;
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    assert_non_null(d->m);
    spy_hears(&d->spy, "chargehand/status", "online");
    assert_true(mqtt_connected(d->m));
    assert_int_equal(mqtt_births(d->m), 1);
    assert_true(mqtt_publish(d->m, "chargehand/a", "{\"x\":1}", false));
    assert_true(mqtt_publish(d->m, "chargehand/b", "kept", true));
    spy_hears(&d->spy, "chargehand/a", "{\"x\":1}");
    spy_hears(&d->spy, "chargehand/b", "kept");
    spy_end(&d->spy);
    spy_start(&d->spy, d->broker.port); /* who comes later hears what is retained */
    i = spy_hears(&d->spy, "chargehand/b", "kept");
    assert_true(d->spy.list[i].retained);
    i = spy_hears(&d->spy, "chargehand/status", "online");
    assert_true(d->spy.list[i].retained);
    assert_int_equal(spy_count(&d->spy, "chargehand/a"), 0);
    mqtt_free(d->m);
    d->m = NULL;
    spy_hears(&d->spy, "chargehand/status", "offline");
    d->wanted = INBOX_TROUBLE;
    assert_false(has_item(d)); /* none of this was a trouble */
    spy_end(&d->spy);
    desk_free(d);
}

static void test_commands(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");
    const struct inbox_item *item;

    (void)state;
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    spy_hears(&d->spy, "chargehand/status", "online");
    spy_say(&d->spy, BAY "set/mode", "fast", 4, false);
    item = next(d, INBOX_COMMAND);
    assert_string_equal(item->command.topic, BAY "set/mode");
    assert_string_equal(item->command.payload, "fast");
    assert_false(item->command.retained);
    spy_say(&d->spy, LIMIT, "", 0, false);
    item = next(d, INBOX_COMMAND);
    assert_string_equal(item->command.topic, LIMIT);
    assert_string_equal(item->command.payload, "");
    spy_say(&d->spy, "chargehand/nothing/of/ours", "1", 1, false);
    spy_say(&d->spy, "homeassistant/status", "online", 6, false);
    item = next(d, INBOX_COMMAND);
    assert_string_equal(item->command.topic, "homeassistant/status");
    spy_end(&d->spy);
    desk_free(d);
}

/* What is no text never reaches the main thread; the sender is told why. */
static void test_refused(void **state)
{
    static const struct {
        const char *payload;
        int length;
        const char *error;
    } cases[] = {
        {"mo\0de", 5, "the payload is not a text in UTF-8"},
        {"\xff\xfe", 2, "the payload is not a text in UTF-8"},
        {NULL, 256, "the payload is longer than 255 bytes"},
    };
    struct desk *d = desk_new("allow_anonymous true");
    char big[300], result[300], topic[300];

    (void)state;
    memset(big, 'x', sizeof big);
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    spy_hears(&d->spy, "chargehand/status", "online");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spy_say(&d->spy, BAY "set/mode", cases[i].payload ? cases[i].payload : big,
                cases[i].length, false);
        snprintf(result, sizeof result,
                 "{\"topic\":\"" BAY "set/mode\",\"ok\":false,\"error\":\"%s\","
                 "\"value\":null}",
                 cases[i].error);
        spy_hears(&d->spy, "chargehand/result", result);
    }
    snprintf(topic, sizeof topic, "chargehand/connector/%.*s/set/mode", 200, big);
    spy_say(&d->spy, topic, "fast", 4, false);
    spy_say(&d->spy, BAY "set/mode", big, 255, false); /* just fits */
    assert_int_equal(strlen(next(d, INBOX_COMMAND)->command.payload), 255);
    assert_true(spy_count(&d->spy, "chargehand/result") >= 3);
    spy_end(&d->spy);
    desk_free(d);
}

/* The whole way: discovery, states, a command with its answer, and a retained command
 * that has waited on the broker and is not obeyed. */
static void test_site(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");
    const struct inbox_item *item;
    struct mqtt_site *ms;
    struct mqtt_command m;
    struct event e;
    int i;

    (void)state;
    spy_start(&d->spy, d->broker.port);
    spy_say(&d->spy, LIMIT, "6", 1, true);
    spy_hears(&d->spy, LIMIT, "6");
    d->m = mqtt_new(&d->f.conf, d->inbox);
    ms = mqtt_site_new(&d->f.conf, d->m, NULL);
    spy_hears(&d->spy, "chargehand/status", "online");
    mqtt_site_tell(ms, &d->f.snap);
    i = spy_hears(&d->spy,
                  "homeassistant/device/chargehand/chargehand_main_CP-01_1/config",
                  NULL);
    assert_true(d->spy.list[i].length > 4000);
    spy_hears(&d->spy, BAY "availability", "online");
    spy_hears(&d->spy, BAY "state", NULL);
    item = next(d, INBOX_COMMAND);
    assert_true(item->command.retained);
    assert_false(mqtt_site_command(ms, item->command.topic, item->command.payload,
                                   item->command.retained, 1000, &m));
    i = spy_hears(&d->spy, "chargehand/result", NULL);
    assert_non_null(strstr(d->spy.list[i].payload, "retained message is no command"));
    /* sent with the retain flag now: a broker passes it on without, so it counts */
    spy_say(&d->spy, LIMIT, "{\"a\":16,\"ttl\":60}", 17, true);
    item = next(d, INBOX_COMMAND);
    assert_true(mqtt_site_command(ms, item->command.topic, item->command.payload,
                                  item->command.retained, 1000, &m));
    e = mqtt_command_event(&m, 1000);
    assert_int_equal(e.kind, EVENT_LIMIT);
    assert_int_equal(e.limit.limit_ma, 16000);
    assert_true(e.limit.until_ms == 61000);
    spy_hears(&d->spy, "chargehand/result",
              "{\"topic\":\"" LIMIT "\",\"ok\":true,\"error\":null,"
              "\"value\":{\"a\":16,\"ttl\":60}}");
    mqtt_site_free(ms);
    spy_end(&d->spy);
    desk_free(d);
}

/* Somebody sends without end: the meters' place in the inbox is not taken. */
static bool is_dropped(void *arg)
{
    return mqtt_dropped(((struct desk *)arg)->m) > 0;
}

static void test_flood(void **state)
{
    struct desk *d = desk_new("allow_anonymous true\nmax_queued_messages 0");
    int taken = 0;

    (void)state;
    inbox_free(d->inbox);
    d->inbox = inbox_new(5000, bell_ring, NULL);
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    spy_hears(&d->spy, "chargehand/status", "online");
    for (int i = 0; i < 4000 && !is_dropped(d); i++)
        spy_say(&d->spy, BAY "set/priority", "1", 1, false);
    assert_true(bell_wait(is_dropped, d));
    d->wanted = INBOX_COMMAND;
    while (has_item(d))
        taken++;
    assert_in_range(taken, 256, 3999);
    spy_end(&d->spy);
    desk_free(d);
}

/* ---- meters ---- */

/* Says it until the meters have heard it: that the subscription stands is known to the
 * broker only. */
static const struct event *said(struct desk *d, const char *payload)
{
    int64_t end_ms = clock_ms() + DEADLINE_S * 1000;
    struct pollfd none = {.fd = -1};

    d->wanted = INBOX_EVENT;
    while (!has_item(d)) {
        if (clock_ms() > end_ms)
            fail_msg("no reading came");
        spy_say(&d->spy, "house/meter", payload, (int)strlen(payload), false);
        poll(&none, 1, 50);
    }
    return &d->item.event;
}

/* A meter's messages are neither commands nor bound to their size; a retained one is
 * none; a new connection hears again. */
static void test_meter(void **state)
{
    static const struct conf_meter_value value = {
        .quantity = CONF_I, .topic = "house/meter", .pointer = "/i", .scale = 1000};
    struct conf_meter meter = {.name = "main",
                               .source = SOURCE_MQTT,
                               .topic = "house/meter",
                               .values = &value,
                               .n_values = 1,
                               .max_age_ms = 3600000};
    struct desk *d = desk_new("allow_anonymous true");
    struct mqtt_meters *mm;
    char payload[600];

    (void)state;
    d->f.conf.meters = &meter;
    d->f.conf.site.n_meters = 1;
    spy_start(&d->spy, d->broker.port);
    spy_say(&d->spy, "house/meter", "{\"i\": 99}", 9, true);
    spy_hears(&d->spy, "house/meter", "{\"i\": 99}");
    mm = mqtt_meters_new(&d->f.conf, d->inbox);
    assert_non_null(mm);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    mqtt_hear(d->m, mm);
    snprintf(payload, sizeof payload, "{\"more\": \"%0500d\", \"i\": 10}", 0);
    assert_int_equal(said(d, payload)->meter.i_ma[0], 10000);
    assert_int_equal(spy_count(&d->spy, "chargehand/result"), 0);
    spy_end(&d->spy);
    broker_signal(&d->broker, SIGKILL);
    d->wanted = INBOX_TROUBLE;
    assert_true(bell_wait(has_item, d));
    d->wanted = INBOX_EVENT;
    while (has_item(d)) /* what was on its way */
        ;
    broker_start(&d->broker, d->broker.port, "allow_anonymous true");
    spy_start(&d->spy, d->broker.port);
    assert_int_equal(said(d, "{\"i\": 11}")->meter.i_ma[0], 11000);
    /* nobody's any more: what comes now is for none */
    mqtt_hear(d->m, NULL);
    mqtt_meters_free(mm);
    spy_say(&d->spy, "house/meter", "{\"i\": 12}", 9, false);
    spy_say(&d->spy, BAY "set/mode", "fast", 4, false);
    while (strcmp(next(d, INBOX_COMMAND)->command.topic, BAY "set/mode") != 0)
        ;
    spy_end(&d->spy);
    desk_free(d);
}

/* ---- ends that nobody planned ---- */

/* The other process: connects and stays. */
static int client(int port)
{
    struct fixture f;
    struct inbox *b = inbox_new(8, NULL, NULL);

    fixture_init(&f);
    f.conf.mqtt.port = port;
    if (!mqtt_new(&f.conf, b))
        return 1;
    for (;;)
        pause();
}

static void test_last_will(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");
    char port[16];
    int i;
    pid_t pid;

    (void)state;
    spy_start(&d->spy, d->broker.port);
    snprintf(port, sizeof port, "%d", d->broker.port);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/proc/self/exe", "test_mqtt", "--client", port, (char *)NULL);
        _exit(127);
    }
    spy_hears(&d->spy, "chargehand/status", "online");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    spy_hears(&d->spy, "chargehand/status", "offline");
    spy_end(&d->spy);
    spy_start(&d->spy, d->broker.port);
    i = spy_hears(&d->spy, "chargehand/status", NULL);
    assert_string_equal(d->spy.list[i].payload, "offline");
    assert_true(d->spy.list[i].retained);
    spy_end(&d->spy);
    desk_free(d);
}

static void test_broker_comes_back(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");

    (void)state;
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    spy_hears(&d->spy, "chargehand/status", "online");
    spy_end(&d->spy);
    broker_signal(&d->broker, SIGKILL);
    trouble(d, true, "");
    assert_false(mqtt_connected(d->m));
    assert_false(mqtt_publish(d->m, "chargehand/a", "lost", false));
    broker_end(&d->broker);
    broker_start(&d->broker, d->f.conf.mqtt.port, "allow_anonymous true");
    trouble(d, false, "connected"); /* and no second begin before it */
    assert_int_equal(mqtt_births(d->m), 2);
    assert_true(mqtt_publish(d->m, "chargehand/a", "heard", true));
    spy_start(&d->spy, d->broker.port);
    spy_hears(&d->spy, "chargehand/status", "online");
    spy_hears(&d->spy, "chargehand/a", "heard");
    spy_say(&d->spy, BAY "set/pause", "ON", 2, false); /* subscribed to again */
    assert_string_equal(next(d, INBOX_COMMAND)->command.payload, "ON");
    d->wanted = INBOX_TROUBLE;
    assert_false(has_item(d));
    spy_end(&d->spy);
    desk_free(d);
}

static void test_no_broker_yet(void **state)
{
    struct desk *d = desk_new(NULL);

    (void)state;
    d->m = mqtt_new(&d->f.conf, d->inbox);
    assert_non_null(d->m);
    trouble(d, true, "no broker listens there");
    broker_start(&d->broker, d->f.conf.mqtt.port, "allow_anonymous true");
    trouble(d, false, "connected");
    assert_int_equal(mqtt_births(d->m), 1);
    desk_free(d);
}

static void test_login_refused(void **state)
{
    struct desk *d = desk_new("allow_anonymous false");

    (void)state;
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "refuses the login");
    assert_int_equal(mqtt_births(d->m), 0);
    desk_free(d);
}

static void test_name_unknown(void **state)
{
    struct desk *d = desk_new(NULL);

    (void)state;
    d->f.conf.mqtt.host = "no such host"; /* a blank: no name server is asked */
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "cannot be resolved");
    desk_free(d);
}

static char tls_files[4][4096];
enum { CA, OTHER_CA, CERT, KEY };

static const char *tls_conf(char conf[10000])
{
    static const char *const names[] = {"ca.pem", "other-ca.pem", "server.pem",
                                        "server.key"};
    const char *srcdir = getenv("srcdir");

    for (int i = 0; i < 4; i++)
        snprintf(tls_files[i], sizeof tls_files[i], "%s/tests/tls/%s",
                 srcdir ? srcdir : ".", names[i]);
    snprintf(conf, 10000, "allow_anonymous true\ncertfile %s\nkeyfile %s",
             tls_files[CERT], tls_files[KEY]);
    return conf;
}

/* ---- a broker that this file plays, byte by byte ---- */

static int listening(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, DEADLINE_S * 1000), 1);
}

static void read_all(int fd, unsigned char *to, size_t n)
{
    ssize_t got;

    for (size_t i = 0; i < n; i += (size_t)got) {
        wait_readable(fd);
        got = read(fd, to + i, n - i);
        assert_true(got > 0);
    }
}

/* The next packet (MQTT 3.1.1 section 2); returns its first byte. */
static int packet(int fd, unsigned char body[1024])
{
    unsigned char first, byte;
    size_t length = 0;
    int shift = 0;

    read_all(fd, &first, 1);
    do {
        read_all(fd, &byte, 1);
        length |= (size_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    assert_true(length <= 1024);
    read_all(fd, body, length);
    return first;
}

/* An access list that forbids our subscriptions (mosquitto's own never says so). */
static void test_deaf(void **state)
{
    struct desk *d = desk_new(NULL);
    static const unsigned char connack[] = {0x20, 2, 0, 0};
    unsigned char body[1024], suback[] = {0x90, 5, 0, 0, 1, 0x80, 1};
    int fd, conn;

    (void)state;
    fd = listening(&d->f.conf.mqtt.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    wait_readable(fd);
    conn = accept(fd, NULL, NULL);
    assert_int_equal(packet(conn, body), 0x10);
    assert_int_equal(write(conn, connack, sizeof connack), sizeof connack);
    while (packet(conn, body) != 0x82)
        ;
    memcpy(suback + 2, body, 2);
    assert_int_equal(write(conn, suback, sizeof suback), sizeof suback);
    trouble(d, true, "check its access list");
    assert_true(mqtt_connected(d->m));
    close(conn);
    close(fd);
    desk_free(d);
}

/* The same for the topics of meters, which are another subscription. */
static void test_deaf_meters(void **state)
{
    static const unsigned char connack[] = {0x20, 2, 0, 0};
    static const struct conf_meter_value value = {
        .quantity = CONF_I, .topic = "house/meter", .pointer = "/i", .scale = 1000};
    struct conf_meter meter = {.name = "main",
                               .source = SOURCE_MQTT,
                               .topic = "house/meter",
                               .values = &value,
                               .n_values = 1,
                               .max_age_ms = 3600000};
    unsigned char body[1024], good[] = {0x90, 5, 0, 0, 1, 1, 1},
                              bad[] = {0x90, 3, 0, 0, 0x80};
    struct desk *d = desk_new(NULL);
    struct mqtt_meters *mm;
    int fd, conn;

    (void)state;
    d->f.conf.meters = &meter;
    d->f.conf.site.n_meters = 1;
    mm = mqtt_meters_new(&d->f.conf, d->inbox);
    fd = listening(&d->f.conf.mqtt.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    mqtt_hear(d->m, mm); /* it is not connected yet */
    wait_readable(fd);
    conn = accept(fd, NULL, NULL);
    assert_int_equal(packet(conn, body), 0x10);
    assert_int_equal(write(conn, connack, sizeof connack), sizeof connack);
    while (packet(conn, body) != 0x82)
        ;
    memcpy(good + 2, body, 2);
    while (packet(conn, body) != 0x82)
        ;
    memcpy(bad + 2, body, 2);
    assert_int_equal(write(conn, good, sizeof good), sizeof good);
    assert_int_equal(write(conn, bad, sizeof bad), sizeof bad);
    trouble(d, true, "check its access list");
    assert_string_equal(d->item.trouble.who, "meters");
    close(conn);
    close(fd);
    mqtt_hear(d->m, NULL);
    mqtt_meters_free(mm);
    desk_free(d);
}

/* A listener that hangs up during the TLS handshake (libmosquitto issue 2594: it turns
 * in circles then, and its own thread would end for ever). */
static void test_tls_hangs_up(void **state)
{
    struct desk *d = desk_new(NULL);
    char conf[10000];
    struct rusage before, after;
    int fd, conn;

    (void)state;
    tls_conf(conf);
    d->f.conf.mqtt.ca_file = tls_files[CA];
    fd = listening(&d->f.conf.mqtt.port);
    getrusage(RUSAGE_SELF, &before);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    for (int i = 0; i < 3; i++) {
        wait_readable(fd);
        conn = accept(fd, NULL, NULL);
        assert_true(conn >= 0);
        if (i == 2) { /* once in the middle of the greeting */
            unsigned char some[16];

            read_all(conn, some, sizeof some);
        }
        close(conn);
    }
    trouble(d, true, "");
    wait_readable(fd); /* and it still tries */
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_utime.tv_sec - before.ru_utime.tv_sec < 5);
    close(fd);
    desk_free(d);
}

/* A broker that takes no more: what is queued is bounded, and nothing waits for it. */
static void test_broker_hangs(void **state)
{
    struct desk *d = desk_new("allow_anonymous true");
    char payload[5000];
    int64_t begin_ms;
    int n;

    (void)state;
    memset(payload, 'x', sizeof payload);
    payload[sizeof payload - 1] = '\0';
    spy_start(&d->spy, d->broker.port);
    d->m = mqtt_new(&d->f.conf, d->inbox);
    spy_hears(&d->spy, "chargehand/status", "online");
    spy_end(&d->spy);
    broker_signal(&d->broker, SIGSTOP);
    for (n = 0; n < 100000; n++)
        if (!mqtt_publish(d->m, "chargehand/a", payload, false))
            break;
    assert_in_range(n, 100, 99999);
    assert_true(mqtt_dropped(d->m) > 0);
    begin_ms = clock_ms();
    mqtt_free(d->m);
    d->m = NULL;
    assert_true(clock_ms() - begin_ms < 20000);
    desk_free(d);
}

/* ---- TLS ---- */

static void test_tls(void **state)
{
    char conf[10000];
    struct desk *d = desk_new(tls_conf(conf));

    (void)state;
    d->f.conf.mqtt.ca_file = tls_files[OTHER_CA];
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "TLS");
    mqtt_free(d->m);
    d->f.conf.mqtt.ca_file = NULL;
    d->f.conf.mqtt.tls = true; /* the system's certificates do not know it either */
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "TLS");
    mqtt_free(d->m);
    broker_end(&d->broker);
    d->f.conf.mqtt.ca_file = tls_files[CA];
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "no broker listens there");
    broker_start(&d->broker, d->f.conf.mqtt.port, conf);
    trouble(d, false, "connected");
    assert_int_equal(mqtt_births(d->m), 1);
    desk_free(d);
}

static void test_tls_files(void **state)
{
    struct desk *d = desk_new(NULL);

    (void)state;
    d->f.conf.mqtt.ca_file = "/nonexistent/ca.pem";
    assert_null(mqtt_new(&d->f.conf, d->inbox));
    desk_free(d);
}

/* A broker without TLS where TLS is wanted: it closes, we try again, calmly. */
static void test_tls_with_plain_broker(void **state)
{
    char conf[10000];
    struct desk *d = desk_new("allow_anonymous true");

    (void)state;
    tls_conf(conf);
    d->f.conf.mqtt.ca_file = tls_files[CA];
    d->m = mqtt_new(&d->f.conf, d->inbox);
    trouble(d, true, "");
    assert_int_equal(mqtt_births(d->m), 0);
    desk_free(d);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_birth),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_site),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_meter),
        cmocka_unit_test(test_last_will),
        cmocka_unit_test(test_broker_comes_back),
        cmocka_unit_test(test_no_broker_yet),
        cmocka_unit_test(test_login_refused),
        cmocka_unit_test(test_name_unknown),
        cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_deaf_meters),
        cmocka_unit_test(test_tls_hangs_up),
        cmocka_unit_test(test_broker_hangs),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_files),
        cmocka_unit_test(test_tls_with_plain_broker),
    };

    log_set_level(LOG_LEVEL_ERROR);
    if (argc == 3 && strcmp(argv[1], "--client") == 0)
        return client(atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
