/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server on real sockets: who gets in and how, messages in pieces, peers that
 * misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <poll.h>
#include <unistd.h>

#include "ocpp_socket.h"
#include "proto/ocpp_schema.h"

static void doors(void **state)
{
    static const struct {
        const char *what, *path, *headers, *want, *want_not;
    } cases[] = {
        {"good", "/CP-01", OCPP16, "101", "nothing"},
        {"good, names the subprotocol", "/CP-01", OCPP16,
         "Sec-WebSocket-Protocol: ocpp1.6", "nothing"},
        {"the best of several", "/CP-01",
         "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1\r\n",
         "Sec-WebSocket-Protocol: ocpp2.0.1\r\n", "nothing"},
        {"one of several", "/CP-01", "Sec-WebSocket-Protocol: ocpp2.1, ocpp1.6\r\n",
         "Sec-WebSocket-Protocol: ocpp1.6\r\n", "nothing"},
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
        {"the key in bytes", "/CP-02", KEY_02, "101", "nothing"},
        {"no subprotocol", "/CP-01", "", "101", "Sec-WebSocket-Protocol"},
        {"a foreign subprotocol", "/CP-01", "Sec-WebSocket-Protocol: ocpp2.1\r\n",
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

/* Who is turned away is told once, however often they try, and with what to do. */
static void told_once(void **state)
{
    static const struct {
        const char *path, *headers, *told;
    } cases[] = {
        {"/CP-02", OCPP16 "Authorization: Basic Q1AtMDI6eA==\r\n",
         "CP-02: turned away: wrong password: set the AuthorizationKey in it to what "
         "the "
         "site file has, or the other way round"},
        {"/CP-02", OCPP16, "CP-02: turned away: gives no password: set its "},
        {"/CP-99", OCPP16,
         "CP-99: turned away: no charger of this identity in the site file: add it "
         "there, or correct the identity in its address"},
        {"//", OCPP16,
         "127.0.0.1: turned away: its address does not end in an identity: set it to "
         "ws://HOST:PORT/ID in the charger"},
        {"/CP-01", "",
         "CP-01: turned away: names no subprotocol: set it to " OCPP_SPOKEN ", or "
         "need_subprotocol to false in the site file"},
        {"/CP-01", "Sec-WebSocket-Protocol: ocpp1.5, ocpp2.0\r\n",
         "CP-01: turned away: offers no subprotocol that is spoken here: set it "
         "to " OCPP_SPOKEN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new();
        char head[512];

        rig_start(r);
        for (int n = 0; n < 3; n++) {
            int fd = dial(r);

            ask(fd, cases[i].path, cases[i].headers, head);
            close(fd);
        }
        rig_troubles(r, 1);
        if (r->n_told != 1 ||
            strncmp(r->told, cases[i].told, strlen(cases[i].told)) != 0)
            fail_msg("%s: told %d times, %s", cases[i].path, r->n_told, r->told);
        rig_free(r);
    }
}

/* What was told is over when it gets in. */
static void told_when_over(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd;

    (void)state;
    rig_start(r);
    fd = dial(r);
    ask(fd, "/CP-02", OCPP16, head);
    close(fd);
    rig_troubles(r, 1);
    fd = dial(r);
    ask(fd, "/CP-02", KEY_02, head);
    rig_troubles(r, 0);
    close(fd);
    rig_free(r);
}

/* Two with the same identity throw each other out; both addresses are told, once. */
static void second_charger(void **state)
{
    struct rig *r = rig_new();
    int fds[5];

    (void)state;
    rig_start(r);
    for (int n = 0; n < 5; n++) {
        fds[n] = open_link(r, "/CP-01");
        rig_wait(r, EVENT_LINK, n ? 2 * n + 1 : 1);
        if (n > 0)
            expect_close(fds[n - 1], 0); /* the newest has it */
        if (n == 1)
            assert_int_equal(r->n_told, 0); /* one may just have come back */
    }
    rig_troubles(r, 1);
    assert_int_equal(r->n_told, 1);
    assert_string_equal(r->told, "CP-01: two chargers, at 127.0.0.1 and 127.0.0.1, use "
                                 "this identity: give each its own");
    for (int n = 0; n < 5; n++)
        close(fds[n]);
    rig_free(r);
}

/* Connections from one address that never log in leave room for others. */
static void crowd_at_the_gate(void **state)
{
    struct rig *r = rig_new();
    int crowd[80], fd;

    (void)state;
    r->conf.ocpp.host = "0.0.0.0";
    r->conf.site.n_chargers = 4;
    rig_start(r);
    for (int i = 0; i < 80; i++)
        crowd[i] = dial_from(r, 2);
    rig_troubles(r, 1);
    assert_non_null(strstr(r->told, "127.0.0.2: turned away: too many of its "
                                    "connections wait to log in"));
    fd = open_link(r, "/CP-01");
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_text(fd, "[3,\"1\",");
    close(fd);
    for (int i = 0; i < 80; i++)
        close(crowd[i]);
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
        here = dial_port(ocpp_port(r->ocpp), 1);
        there = dial_port(ocpp_port(r->ocpp), 2);
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

/* A request of more than 4 kB is none. */
static void large_header(void **state)
{
    enum { N = 6000 };
    struct rig *r = rig_new();
    char *text = malloc(N), out[16] = "";
    int fd;

    (void)state;
    rig_start(r);
    fd = dial(r);
    memset(text, 'x', N);
    memcpy(text, "GET /CP-01 HTTP/1.1\r\nHost: ", 28);
    put(fd, text, N);
    while (get(fd, out, 1))
        assert_null(strstr(out, "101"));
    close(fd);
    free(text);
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
    ask(fd, "/CP-02", KEY_02, head);
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

/* Some cannot stand pings (Q52): one that is not tested stays, though it is silent. */
static void pings_are_for_each(void **state)
{
    struct rig *r = rig_new();
    char text[4096];
    int never, often, first;

    (void)state;
    r->conf.ocpp.ping_s = 1;
    r->chargers[0].ping_s = 0;
    rig_start(r);
    never = open_link(r, "/CP-01");
    often = open_link(r, "/RDAM%20123");
    for (int n = 0; n < 2; n++) {
        while ((first = get_frame(often, text)) == 0x81)
            ;
        assert_int_equal(first, 0x89);
        put_frame(often, 0x8a, text, 4);
    }
    put_text(never, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(never, "[3,\"1\","); /* and no ping before it */
    close(often);
    close(never);
    rig_free(r);
}

static void port_in_use(void **state)
{
    const struct ocpp_hooks hooks = {0};
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

static void wait_for_reload(struct rig *r)
{
    bool pending = true;

    while (pending) { /* it is asked for, so it comes */
        pthread_mutex_lock(&r->lock);
        pending = r->reload;
        pthread_mutex_unlock(&r->lock);
        poll(NULL, 0, 1);
    }
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
    ask(kept, "/CP-02", KEY_02, head);
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
    r->map[0] = 1;
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

/* A charger that is in must show anew what has changed. */
static void reload_of_secrets(void **state)
{
    enum { ANY, NEWER, OLDER }; /* ocpp_version_words[] */
    static const struct {
        const char *what, *password;
        int security, version;
        bool stays;
    } cases[] = {
        {"nothing", NULL, -1, ANY, true},
        {"a password", "new", -1, ANY, false},
        {"a profile that it has", NULL, 1, ANY, true},
        {"a higher profile", NULL, 2, ANY, false},
        {"the version that it speaks", NULL, -1, OLDER, true},
        {"another version", NULL, -1, NEWER, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = rig_new();
        int fd;

        rig_start(r);
        fd = open_link(r, "/CP-01");
        rig_wait(r, EVENT_LINK, 1);
        pthread_mutex_lock(&r->lock);
        memcpy(r->other_chargers, r->chargers, sizeof r->chargers);
        r->other_chargers[0].password = cases[i].password;
        r->other_chargers[0].security = cases[i].security;
        r->other_chargers[0].ocpp_version = cases[i].version;
        r->next = r->conf;
        r->next.chargers = r->other_chargers;
        r->reload = true;
        pthread_mutex_unlock(&r->lock);
        loop_wake(r->loop);
        print_message("%s\n", cases[i].what);
        if (cases[i].stays) {
            wait_for_reload(r);
            put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
            expect_answer(fd, "[3,\"1\",");
        } else {
            assert_false(rig_wait(r, EVENT_LINK, 2).link.up);
            expect_close(fd, 0);
        }
        close(fd);
        rig_free(r);
    }
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
    ask(fd, "/CP-02", KEY_02, head);
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
    r->map[0] = 1;
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
        cmocka_unit_test(told_once),
        cmocka_unit_test(told_when_over),
        cmocka_unit_test(second_charger),
        cmocka_unit_test(crowd_at_the_gate),
        cmocka_unit_test(listens_only_where_told),
        cmocka_unit_test(no_subprotocol_needed),
        cmocka_unit_test(plain_http),
        cmocka_unit_test(large_header),
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
        cmocka_unit_test(pings_are_for_each),
        cmocka_unit_test(port_in_use),
        cmocka_unit_test(too_many_sockets),
        cmocka_unit_test(reload),
        cmocka_unit_test(reload_of_secrets),
        cmocka_unit_test(reload_tells_another_fallback),
        cmocka_unit_test(stops_with_open_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
