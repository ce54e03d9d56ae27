/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server on real sockets: who gets in and how, messages in pieces, peers that
 * misbehave. The server's loop runs in a thread of its own, the test is the charger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/ocpp.h"

enum { DEADLINE_MS = 20000, CHARGERS = 4, EVENTS = 256 };

struct rig {
    struct config conf, next;
    struct conf_charger chargers[CHARGERS], less[1];
    struct site_connector other[CHARGERS]; /* of the next configuration */
    struct conf_connector connectors[CHARGERS];
    struct site_connector site_connectors[CHARGERS];
    struct loop *loop;
    struct ocpp *ocpp;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event events[EVENTS];
    int n_events;
    int troubles;
    struct order order;
    bool has_order, reload;
};

/* ---- the server's side ---- */

static void on_event(void *arg, const struct event *e)
{
    struct rig *r = arg;

    pthread_mutex_lock(&r->lock);
    if (r->n_events < EVENTS)
        r->events[r->n_events++] = *e;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void on_session(void *arg, const struct ocpp_session *s)
{
    (void)arg;
    (void)s;
}

static void on_station(void *arg, int charger, const struct ocpp_station *s)
{
    (void)arg;
    (void)charger;
    (void)s;
}

static void on_trouble(void *arg, bool begins, const char *who, const char *text)
{
    struct rig *r = arg;

    (void)who;
    (void)text;
    pthread_mutex_lock(&r->lock);
    r->troubles += begins ? 1 : -1;
    pthread_mutex_unlock(&r->lock);
}

static int32_t next_transaction(void *arg)
{
    (void)arg;
    return 7;
}

static void woken(void *arg)
{
    static const int map[1] = {1};
    struct rig *r = arg;
    struct order o;
    bool has, reload;

    pthread_mutex_lock(&r->lock);
    o = r->order;
    has = r->has_order;
    reload = r->reload;
    r->has_order = r->reload = false;
    pthread_mutex_unlock(&r->lock);
    if (reload)
        ocpp_reload(r->ocpp, &r->next, map);
    if (has)
        ocpp_order(r->ocpp, &o);
}

static void *serve(void *arg)
{
    struct rig *r = arg;

    loop_run(r->loop, woken, r);
    return NULL;
}

static struct rig *rig_new(void)
{
    static const char *const ids[CHARGERS] = {"CP-01", "CP-02", "RDAM 123", NULL};
    static const char *const passwords[CHARGERS] = {
        NULL, "00112233445566778899aabbccddeeff01234567", NULL, NULL};
    struct rig *r = calloc(1, sizeof *r);

    for (int i = 0; i < CHARGERS; i++) {
        r->chargers[i] = (struct conf_charger){.id = ids[i],
                                               .name = "a place",
                                               .password = passwords[i],
                                               .first = i,
                                               .n = 1};
        r->connectors[i] = (struct conf_connector){.charger = i, .number = 1};
        r->site_connectors[i] = (struct site_connector){.charger = i,
                                                        .wiring = {0, 1, 2},
                                                        .min_ma = 6000,
                                                        .max_ma = 16000,
                                                        .fallback_ma = 6000};
    }
    r->conf.chargers = r->chargers;
    r->conf.connectors = r->connectors;
    r->conf.site.connectors = r->site_connectors;
    r->conf.site.n_chargers = r->conf.site.n_connectors = CHARGERS;
    r->conf.site.voltage_mv = 230000;
    r->conf.ocpp.host = "127.0.0.1";
    r->conf.ocpp.need_subprotocol = true;
    r->conf.ocpp.accept_all_tags = true;
    r->conf.ocpp.heartbeat_s = 300;
    r->conf.ocpp.sample_s = 10;
    r->conf.ocpp.call_timeout_ms = 30000;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    return r;
}

static void rig_start(struct rig *r)
{
    const struct ocpp_hooks hooks = {.arg = r,
                                     .event = on_event,
                                     .session = on_session,
                                     .station = on_station,
                                     .trouble = on_trouble,
                                     .next_transaction = next_transaction};

    r->loop = loop_new();
    assert_non_null(r->loop);
    r->ocpp = ocpp_new(r->loop, &r->conf, &hooks);
    assert_non_null(r->ocpp);
    assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
}

static void rig_free(struct rig *r)
{
    loop_stop(r->loop);
    pthread_join(r->thread, NULL);
    ocpp_free(r->ocpp);
    loop_free(r->loop);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct timespec deadline(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += DEADLINE_MS / 1000;
    return t;
}

/* Waits for the n-th event of a kind (from 1). */
static struct event rig_wait(struct rig *r, enum event_kind kind, int n)
{
    struct timespec until = deadline();
    struct event e = {0};
    int found = 0, at = 0, late = 0;

    pthread_mutex_lock(&r->lock);
    while (found < n && !late) {
        for (; at < r->n_events && found < n; at++)
            if (r->events[at].kind == kind && ++found == n)
                e = r->events[at];
        if (found < n)
            late = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    }
    pthread_mutex_unlock(&r->lock);
    if (found < n)
        fail_msg("no %s", event_kind_name(kind));
    return e;
}

/* ---- the charger's side ---- */

/* To 127.0.0.host; -1 when nobody listens there. */
static int dial_host(struct rig *r, uint32_t host)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)ocpp_port(r->ocpp)),
                             .sin_addr.s_addr = htonl(0x7f000000 + host)};
    struct timeval t = {.tv_sec = DEADLINE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int dial(struct rig *r)
{
    int fd = dial_host(r, 1);

    assert_true(fd >= 0);
    return fd;
}

static void put(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (int)len);
}

static bool get(int fd, void *data, size_t len)
{
    char *to = data;

    while (len > 0) {
        ssize_t n = recv(fd, to, len, 0);

        if (n <= 0) {
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                fail_msg("no answer");
            return false;
        }
        to += n;
        len -= (size_t)n;
    }
    return true;
}

/* Asks for a WebSocket; the head of the response in out[512]. */
static void ask(int fd, const char *path, const char *headers, char *out)
{
    char text[1024];
    size_t n = 0;

    snprintf(text, sizeof text,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\n%s\r\n",
             path, headers);
    put(fd, text, strlen(text));
    while (n < 511 && (n < 4 || memcmp(out + n - 4, "\r\n\r\n", 4) != 0)) {
        if (!get(fd, out + n, 1))
            break;
        n++;
    }
    out[n] = '\0';
}

#define OCPP16 "Sec-WebSocket-Protocol: ocpp1.6\r\n"

static int open_link(struct rig *r, const char *path)
{
    char head[512];
    int fd = dial(r);

    ask(fd, path, OCPP16, head);
    assert_non_null(strstr(head, "HTTP/1.1 101"));
    return fd;
}

/* One masked frame. */
static void put_frame(int fd, unsigned char first, const void *data, size_t len)
{
    unsigned char *f = malloc(len + 14);
    size_t n = 0;

    f[n++] = first;
    if (len < 126) {
        f[n++] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        f[n++] = 0x80 | 126;
        f[n++] = (unsigned char)(len >> 8);
        f[n++] = (unsigned char)len;
    } else {
        f[n++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            f[n++] = (unsigned char)((uint64_t)len >> 8 * i);
    }
    memcpy(f + n, "mask", 4);
    for (size_t i = 0; i < len; i++)
        f[n + 4 + i] = ((const unsigned char *)data)[i] ^ (unsigned char)"mask"[i % 4];
    put(fd, f, n + 4 + len);
    free(f);
}

static void put_text(int fd, const char *text)
{
    put_frame(fd, 0x81, text, strlen(text));
}

/* The next frame: its first byte, its data as a text in out[4096]; 0 = closed. */
static int get_frame(int fd, char *out)
{
    unsigned char head[4];
    size_t len;

    out[0] = '\0';
    if (!get(fd, head, 2))
        return 0;
    len = head[1];
    if (len == 126) {
        assert_true(get(fd, head + 2, 2));
        len = (size_t)head[2] << 8 | head[3];
    }
    assert_true(len < 4096);
    assert_true(get(fd, out, len));
    out[len] = '\0';
    return head[0];
}

static void expect_text(int fd, const char *part)
{
    char text[4096];

    assert_int_equal(get_frame(fd, text), 0x81);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in %s", part, text);
}

/* The next answer; calls of the server may come before it. */
static void expect_answer(int fd, const char *want)
{
    char text[4096];

    do
        assert_int_equal(get_frame(fd, text), 0x81);
    while (text[1] == '2');
    assert_memory_equal(text, want, strlen(want));
}

/* Reads on until a close frame with this code, 0 for any end. */
static void expect_close(int fd, int code)
{
    char text[4096];
    int first;

    while ((first = get_frame(fd, text)) != 0x88)
        if (first == 0) {
            assert_int_equal(code, 0);
            return;
        }
    if (code)
        assert_int_equal((unsigned char)text[0] << 8 | (unsigned char)text[1], code);
}

/* ---- tests ---- */

static void doors(void **state)
{
    static const struct {
        const char *what, *path, *headers, *want, *want_not;
    } cases[] = {
        {"good", "/CP-01", OCPP16, "101", "nothing"},
        {"good, names the subprotocol", "/CP-01", OCPP16,
         "Sec-WebSocket-Protocol: ocpp1.6", "nothing"},
        {"one of several", "/CP-01", "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6\r\n",
         "Sec-WebSocket-Protocol: ocpp1.6", "nothing"},
        {"a longer path", "//ocpp//x/CP-01/", OCPP16, "101", "nothing"},
        {"a query", "/CP-01?a=b", OCPP16, "101", "nothing"},
        {"a blank in it", "/ocppj/RDAM%20123", OCPP16, "101", "nothing"},
        {"decoded only once", "/CP%252D01", OCPP16, "404", "nothing"},
        {"decoded", "/CP%2D01", OCPP16, "101", "nothing"},
        {"unknown", "/CP-99", OCPP16, "404", "nothing"},
        {"nobody", "/", OCPP16, "404", "nothing"},
        {"a password nobody wants", "/CP-01",
         OCPP16 "Authorization: Basic Q1AtMDE6eA==\r\n", "101", "nothing"},
        {"no password", "/CP-02", OCPP16, "401", "nothing"},
        {"no password, is told how", "/CP-02", OCPP16, "asic realm=", "nothing"},
        {"wrong password", "/CP-02", OCPP16 "Authorization: Basic Q1AtMDI6eA==\r\n",
         "401", "nothing"},
        {"the key in hexadecimal", "/CP-02",
         OCPP16 "Authorization: Basic Q1AtMDI6MDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiY2NkZGVl"
                "ZmYwMTIzNDU2Nw==\r\n",
         "101", "nothing"},
        {"the key in bytes", "/CP-02",
         OCPP16 "Authorization: Basic Q1AtMDI6ABEiM0RVZneImaq7zN3u/wEjRWc=\r\n", "101",
         "nothing"},
        {"no subprotocol", "/CP-01", "", "101", "Sec-WebSocket-Protocol"},
        {"a foreign subprotocol", "/CP-01", "Sec-WebSocket-Protocol: ocpp2.0.1\r\n",
         "101", "Sec-WebSocket-Protocol"},
    };
    struct rig *r = rig_new();

    (void)state;
    rig_start(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[512];
        int fd = dial(r);

        ask(fd, cases[i].path, cases[i].headers, head);
        if (!strstr(head, cases[i].want) || strstr(head, cases[i].want_not))
            fail_msg("%s: %s", cases[i].what, head);
        if (strcmp(cases[i].want_not, "nothing") != 0)
            expect_close(fd, 1002);
        close(fd);
    }
    rig_free(r);
}

/* An address is that address and not all of them. */
static void listens_only_where_told(void **state)
{
    static const struct {
        const char *host;
        bool elsewhere;
    } cases[] = {{"127.0.0.1", false}, {"localhost", false}, {"0.0.0.0", true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new();
        int here, there;

        r->conf.ocpp.host = cases[i].host;
        rig_start(r);
        here = dial_host(r, 1);
        there = dial_host(r, 2);
        assert_true(here >= 0);
        assert_int_equal(there >= 0, cases[i].elsewhere);
        close(here);
        if (there >= 0)
            close(there);
        rig_free(r);
    }
}

static void no_subprotocol_needed(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd;

    (void)state;
    r->conf.ocpp.need_subprotocol = false;
    rig_start(r);
    fd = dial(r);
    ask(fd, "/CP-01", "", head);
    assert_non_null(strstr(head, "101"));
    assert_null(strstr(head, "Sec-WebSocket-Protocol"));
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",{\"currentTime\":\"");
    close(fd);
    rig_free(r);
}

static void plain_http(void **state)
{
    static const char get_text[] = "GET /CP-01 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct rig *r = rig_new();
    char out[16] = "";
    int fd;

    (void)state;
    rig_start(r);
    fd = dial(r);
    put(fd, get_text, sizeof get_text - 1);
    assert_true(get(fd, out, 12));
    assert_non_null(strstr(out, "404"));
    close(fd);
    rig_free(r);
}

static void stranger_is_adopted(void **state)
{
    struct rig *r = rig_new();
    struct event e;
    char head[512];
    int fd, other;

    (void)state;
    r->conf.ocpp.adopt = true;
    rig_start(r);
    fd = open_link(r, "/new-one");
    e = rig_wait(r, EVENT_LINK, 1);
    assert_int_equal(e.who, 3);
    other = dial(r);
    ask(other, "/yet-another", OCPP16, head);
    assert_non_null(strstr(head, "404"));
    close(other);
    close(fd);
    rig_wait(r, EVENT_LINK, 2);
    fd = open_link(r, "/new-one"); /* it keeps its place */
    assert_int_equal(rig_wait(r, EVENT_LINK, 3).who, 3);
    close(fd);
    rig_free(r);
}

static void newest_connection_wins(void **state)
{
    struct rig *r = rig_new();
    int old, fd;

    (void)state;
    rig_start(r);
    old = open_link(r, "/CP-01");
    assert_true(rig_wait(r, EVENT_LINK, 1).link.up);
    fd = open_link(r, "/CP-01");
    assert_false(rig_wait(r, EVENT_LINK, 2).link.up);
    assert_true(rig_wait(r, EVENT_LINK, 3).link.up);
    expect_close(old, 0);
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",");
    close(old);
    pthread_mutex_lock(&r->lock); /* the old one's end is not the new one's */
    assert_int_equal(r->n_events, 3);
    pthread_mutex_unlock(&r->lock);
    close(fd);
    assert_false(rig_wait(r, EVENT_LINK, 4).link.up);
    rig_free(r);
}

static void wrong_password_ends_no_connection(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd, other;

    (void)state;
    rig_start(r);
    fd = dial(r);
    ask(fd, "/CP-02",
        OCPP16 "Authorization: Basic Q1AtMDI6ABEiM0RVZneImaq7zN3u/wEjRWc=\r\n", head);
    assert_non_null(strstr(head, "101"));
    other = dial(r);
    ask(other, "/CP-02", OCPP16, head);
    assert_non_null(strstr(head, "401"));
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",");
    close(other);
    close(fd);
    rig_free(r);
}

static void in_pieces(void **state)
{
    struct rig *r = rig_new();
    char text[4096];
    int fd;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    put_frame(fd, 0x01, "[2,\"1\",\"Hea", 11); /* text, not final */
    put_frame(fd, 0x00, "rtb", 3);             /* more */
    put_frame(fd, 0x89, "hi", 2);              /* a ping in between */
    put_frame(fd, 0x80, "eat\",{}]", 8);       /* final */
    assert_int_equal(get_frame(fd, text), 0x8a);
    assert_string_equal(text, "hi");
    expect_text(fd, "[3,\"1\",");
    close(fd);
    rig_free(r);
}

static void large_but_allowed(void **state)
{
    enum { N = 65536 };
    struct rig *r = rig_new();
    char *big = malloc(N);
    int fd;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    memset(big, ' ', N);
    memcpy(big, "[2,\"1\",\"Heartbeat\",{}]", 22);
    put_frame(fd, 0x81, big, N);
    expect_text(fd, "[3,\"1\",");
    free(big);
    close(fd);
    rig_free(r);
}

static void too_large(void **state)
{
    enum { N = 65536 + 1 };
    struct rig *r = rig_new();
    char *big = calloc(1, N);
    int fd;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    memset(big, ' ', N);
    put_frame(fd, 0x81, big, N);
    expect_close(fd, 1009);
    close(fd);
    fd = open_link(r, "/CP-01"); /* also when it comes in pieces */
    for (int i = 0; i < 16; i++)
        put_frame(fd, i ? 0x00 : 0x01, big, 4096);
    put_frame(fd, 0x80, big, 1);
    expect_close(fd, 1009);
    free(big);
    close(fd);
    rig_free(r);
}

static void garbage(void **state)
{
    struct rig *r = rig_new();
    unsigned char noise[600];
    int fd;

    (void)state;
    rig_start(r);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(i * 7 + 128);
    fd = dial(r);
    put(fd, noise, sizeof noise); /* instead of a request */
    while (get(fd, noise, 1))
        ;
    close(fd);
    fd = open_link(r, "/CP-01");
    put_frame(fd, 0x82, "[2]", 3); /* binary */
    expect_close(fd, 1003);
    close(fd);
    fd = open_link(r, "/CP-01");
    put_text(fd, "[2,\"\xfc\",\"Heartbeat\",{}]"); /* no UTF-8, but we can talk */
    expect_text(fd, "[3,\"?\",");
    close(fd);
    fd = open_link(r, "/CP-01");
    put_frame(fd, 0xf3, "x", 1); /* no such frame */
    expect_close(fd, 0);
    close(fd);
    fd = open_link(r, "/CP-01");
    put_text(fd, "no JSON"); /* that is no reason to close */
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",");
    close(fd);
    rig_free(r);
}

/* Some send what they have stored without waiting for answers. That takes no more
 * memory here, and each message gets its answer. */
static void all_at_once(void **state)
{
    enum { N = 500 };
    struct rig *r = rig_new();
    char text[4096], want[32];
    int fd;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "[2,\"n%d\",\"Heartbeat\",{}]", i);
        put_text(fd, text);
    }
    for (int i = 0; i < N; i++) {
        snprintf(want, sizeof want, "[3,\"n%d\",", i);
        expect_answer(fd, want);
    }
    close(fd);
    rig_free(r);
}

static void orders_and_answers(void **state)
{
    struct rig *r = rig_new();
    char text[4096], answer[128], id[40];
    struct event e;
    int fd;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    rig_wait(r, EVENT_LINK, 1);
    pthread_mutex_lock(&r->lock);
    r->order = (struct order){
        .kind = ORDER_LIMIT, .seq = 4711, .limit_ma = 7500, .lease_ms = 60000};
    r->has_order = true;
    pthread_mutex_unlock(&r->lock);
    loop_wake(r->loop);
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    for (;;) { /* the limit is among what it gets */
        assert_int_equal(get_frame(fd, text), 0x81);
        if (sscanf(text, "[2,\"%39[^\"]", id) != 1)
            continue;
        snprintf(answer, sizeof answer, "[3,\"%s\",{\"status\":\"Accepted\"}]", id);
        put_text(fd, answer);
        if (strstr(text, "\"limit\":7.5}"))
            break;
    }
    e = rig_wait(r, EVENT_ANSWER, 1);
    assert_int_equal(e.answer.seq, 4711);
    assert_int_equal(e.answer.answer, ANSWER_ACCEPTED);
    close(fd);
    rig_free(r);
}

/* A dead peer is found by pings; one that answers them stays. */
static void pings(void **state)
{
    struct rig *r = rig_new();
    char text[4096];
    int fd, first;

    (void)state;
    r->conf.ocpp.ping_s = 1;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    for (int n = 0; n < 2; n++) {
        while ((first = get_frame(fd, text)) == 0x81)
            ; /* calls of the server */
        assert_int_equal(first, 0x89);
        put_frame(fd, 0x8a, text, 4);
    }
    pthread_mutex_lock(&r->lock);
    assert_int_equal(r->n_events, 1);
    pthread_mutex_unlock(&r->lock);
    assert_false(rig_wait(r, EVENT_LINK, 2).link.up); /* no answer from now on */
    close(fd);
    rig_free(r);
}

static void port_in_use(void **state)
{
    const struct ocpp_hooks hooks = {.event = on_event};
    struct rig *r = rig_new();
    struct config second;
    struct loop *loop;

    (void)state;
    rig_start(r);
    second = r->conf;
    second.ocpp.port = ocpp_port(r->ocpp);
    loop = loop_new();
    assert_null(ocpp_new(loop, &second, &hooks));
    loop_free(loop);
    rig_free(r);
}

/* Sockets that say nothing cannot take all the room for ever, nor shut chargers out
 * that are in. */
static void too_many_sockets(void **state)
{
    enum { N = 2 * CHARGERS + 64 + 8 };
    struct rig *r = rig_new();
    int fds[N], link, turned_away = 0;

    (void)state;
    rig_start(r);
    link = open_link(r, "/CP-01");
    for (int i = 0; i < N; i++)
        fds[i] = dial(r);
    put_text(link, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(link, "[3,\"1\",");
    for (int i = 0; i < N; i++) {
        struct pollfd p = {.fd = fds[i], .events = POLLIN};

        turned_away += poll(&p, 1, i < N - 8 ? 0 : DEADLINE_MS) == 1;
        close(fds[i]);
    }
    assert_true(turned_away >= 8);
    close(link);
    rig_free(r);
}

static int troubles(struct rig *r)
{
    int n;

    pthread_mutex_lock(&r->lock);
    n = r->troubles;
    pthread_mutex_unlock(&r->lock);
    return n;
}

/* A charger that the new configuration still has keeps its connection, and its troubles
 * are not over. */
static void reload(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int gone, kept;

    (void)state;
    rig_start(r);
    gone = open_link(r, "/CP-01");
    kept = dial(r);
    ask(kept, "/CP-02",
        OCPP16 "Authorization: Basic Q1AtMDI6ABEiM0RVZneImaq7zN3u/wEjRWc=\r\n", head);
    rig_wait(r, EVENT_LINK, 2);
    put_text(kept, "[2,\"0\",\"StatusNotification\",{\"connectorId\":2,\"errorCode\":"
                   "\"NoError\",\"status\":\"Available\"}]");
    expect_answer(kept, "[3,\"0\",{}]");
    assert_int_equal(troubles(r), 1);
    r->less[0] = r->chargers[1];
    r->less[0].first = 0;
    pthread_mutex_lock(&r->lock);
    r->next = r->conf;
    r->next.chargers = r->less;
    r->next.site.n_chargers = r->next.site.n_connectors = 1;
    r->reload = true;
    pthread_mutex_unlock(&r->lock);
    loop_wake(r->loop);
    expect_close(gone, 0);
    put_text(kept, "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":"
                   "\"NoError\",\"status\":\"Charging\"}]");
    expect_answer(kept, "[3,\"1\",{}]");
    assert_int_equal(rig_wait(r, EVENT_STATUS, 1).who, 0);
    assert_int_equal(troubles(r), 1);
    close(gone);
    close(kept);
    rig_free(r);
}

/* Answers the next call of the server, in which `part` or else `other` has to be, with
 * {"status": ..}. Whether it was `part`. */
static bool answer_call(int fd, const char *part, const char *other)
{
    char text[4096], id[64], reply[128];

    assert_int_equal(get_frame(fd, text), 0x81);
    if (!strstr(text, part) && !(other && strstr(text, other)))
        fail_msg("\"%s\" is not in %s", part, text);
    assert_int_equal(sscanf(text, "[2,\"%63[^\"]\"", id), 1);
    snprintf(reply, sizeof reply, "[3,\"%s\",{\"status\":\"Accepted\"}]", id);
    put_text(fd, reply);
    return strstr(text, part) != NULL;
}

/* A charger keeps to the fallback of the file before until it is told the new one. */
static void reload_tells_another_fallback(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd;

    (void)state;
    rig_start(r);
    fd = dial(r);
    ask(fd, "/CP-02",
        OCPP16 "Authorization: Basic Q1AtMDI6ABEiM0RVZneImaq7zN3u/wEjRWc=\r\n", head);
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",");
    answer_call(fd, "\"limit\":6", NULL);
    pthread_mutex_lock(&r->lock);
    memcpy(r->other, r->site_connectors, sizeof r->other);
    r->other[0].fallback_ma = 8000;
    r->less[0] = r->chargers[1];
    r->less[0].first = 0;
    r->next = r->conf;
    r->next.chargers = r->less;
    r->next.site.connectors = r->other;
    r->next.site.n_chargers = r->next.site.n_connectors = 1;
    r->reload = true;
    pthread_mutex_unlock(&r->lock);
    loop_wake(r->loop);
    while (!answer_call(fd, "\"limit\":8", ""))
        ; /* what it was about to be asked may come before */
    close(fd);
    rig_free(r);
}

static void stops_with_open_links(void **state)
{
    struct rig *r = rig_new();
    int fd, raw;

    (void)state;
    rig_start(r);
    fd = open_link(r, "/CP-01");
    raw = dial(r);
    rig_wait(r, EVENT_LINK, 1);
    rig_free(r);
    expect_close(fd, 0);
    expect_close(raw, 0);
    close(fd);
    close(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doors),
        cmocka_unit_test(listens_only_where_told),
        cmocka_unit_test(no_subprotocol_needed),
        cmocka_unit_test(plain_http),
        cmocka_unit_test(stranger_is_adopted),
        cmocka_unit_test(newest_connection_wins),
        cmocka_unit_test(wrong_password_ends_no_connection),
        cmocka_unit_test(in_pieces),
        cmocka_unit_test(large_but_allowed),
        cmocka_unit_test(too_large),
        cmocka_unit_test(garbage),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(orders_and_answers),
        cmocka_unit_test(pings),
        cmocka_unit_test(port_in_use),
        cmocka_unit_test(too_many_sockets),
        cmocka_unit_test(reload),
        cmocka_unit_test(reload_tells_another_fallback),
        cmocka_unit_test(stops_with_open_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
