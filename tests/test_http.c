/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP endpoint against raw sockets, and the client against good and bad servers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/http.h"
#include "io/http_get.h"
#include "io/http_host.h"
#include "io/log.h"

enum { LONGEST_MS = 60000 };

/* The server, on a thread with a loop of its own. */
static struct {
    struct loop *loop;
    struct http *http;
    pthread_t thread;
    int port;
    char address[32];
    pthread_mutex_t lock;
    int64_t tick_ms;
    size_t bytes; /* of the state; 0 = there is none */
    int asked;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *give_state(void *arg)
{
    char *text = NULL;

    (void)arg;
    pthread_mutex_lock(&server.lock);
    server.asked++;
    if (server.bytes) {
        text = malloc(server.bytes + 1);
        for (size_t i = 0; i < server.bytes; i++)
            text[i] = (char)('a' + i % 23);
        text[server.bytes] = '\0';
    }
    pthread_mutex_unlock(&server.lock);
    return text;
}

static int64_t give_tick(void *arg)
{
    int64_t tick_ms;

    (void)arg;
    pthread_mutex_lock(&server.lock);
    tick_ms = server.tick_ms;
    pthread_mutex_unlock(&server.lock);
    return tick_ms;
}

static void set(size_t bytes, int64_t tick_ms)
{
    pthread_mutex_lock(&server.lock);
    server.bytes = bytes;
    server.tick_ms = tick_ms;
    pthread_mutex_unlock(&server.lock);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void *run(void *arg)
{
    loop_run(arg, stop, arg); /* loop_wake() ends it */
    return NULL;
}

static const char *const names[] = {"garage.example.org", NULL};
static const struct http_hooks hooks = {NULL, give_state, give_tick, names};

static int setup(void **state)
{
    (void)state;
    server.loop = loop_new();
    server.http = server.loop ? http_new(server.loop, "127.0.0.1", 0, &hooks) : NULL;
    if (!server.http)
        return -1;
    server.port = http_port(server.http);
    snprintf(server.address, sizeof server.address, "127.0.0.1:%d", server.port);
    return pthread_create(&server.thread, NULL, run, server.loop);
}

static int teardown(void **state)
{
    (void)state;
    loop_wake(server.loop);
    pthread_join(server.thread, NULL);
    http_free(server.http);
    loop_free(server.loop);
    return 0;
}

/* ---- a raw client ---- */

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)server.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval longest = {.tv_sec = LONGEST_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* All until the other side closes. */
static size_t hear(int fd, char *out, size_t size)
{
    size_t n = 0;
    ssize_t k;

    while (n < size - 1 && (k = recv(fd, out + n, size - 1 - n, 0)) > 0)
        n += (size_t)k;
    out[n] = '\0';
    return n;
}

static char heard[400000];

static const char *ask(const char *request)
{
    int fd = dial();

    say(fd, request);
    hear(fd, heard, sizeof heard);
    close(fd);
    return heard;
}

static int status_of(const char *answer)
{
    int status = 0;

    sscanf(answer, "HTTP/1.%*d %d", &status);
    return status;
}

/* ---- tests ---- */

static void host_headers(void **state)
{
    static const struct {
        const char *what, *header;
        bool allowed;
    } cases[] = {
        {"an address", "192.0.2.7", true},
        {"an address and port", "192.0.2.7:8880", true},
        {"IPv6", "[::1]", true},
        {"IPv6 and port", "[2001:db8::1]:8880", true},
        {"localhost", "localhost:8880", true},
        {"localhost, loud", "LocalHost", true},
        {"mDNS", "chargehand.local", true},
        {"mDNS with the root's dot", "chargehand.local.:80", true},
        {"configured", "garage.example.org", true},
        {"configured, other case and port", "Garage.Example.ORG:443", true},
        {"somebody's name for us", "evil.example.com", false},
        {"below a configured one", "x.garage.example.org", false},
        {"an address in a name", "127.0.0.1.evil.example", false},
        {"localhost in a name", "localhost.evil.example", false},
        {"local in the middle", "a.local.evil.example", false},
        {"local alone", ".local", false},
        {"nothing", "", false},
        {"only a port", ":80", false},
        {"a port that is none", "localhost:80x", false},
        {"a port too large", "localhost:70000", false},
        {"IPv6 without end", "[::1", false},
        {"IPv6 that is none", "[localhost]", false},
        {"behind IPv6", "[::1]evil", false},
        {"a user", "127.0.0.1@evil", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(http_host_allowed(cases[i].header, names), cases[i].allowed);
    }
    assert_false(http_host_allowed("garage.example.org", NULL));
}

static void every_request_gets_its_status(void **state)
{
    static const struct {
        const char *what, *request;
        int status;
    } cases[] = {
        {"alive", "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 200},
        {"the state", "GET /api/v1/state HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", 200},
        {"with a query", "GET /healthz?x=1 HTTP/1.0\r\nHost: localhost\r\n\r\n", 200},
        {"nothing there", "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", 404},
        {"nothing below", "GET /healthz/x HTTP/1.0\r\nHost: localhost\r\n\r\n", 404},
        {"out of the house",
         "GET /../../etc/passwd HTTP/1.0\r\nHost: localhost\r\n\r\n", 404},
        {"a foreign host", "GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421},
        {"a foreign host first", "POST /x HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421},
        {"a configured host",
         "GET /healthz HTTP/1.0\r\nHost: garage.example.org\r\n\r\n", 200},
        {"POST",
         "POST /healthz HTTP/1.0\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
         405},
        {"POST without its body",
         "POST /healthz HTTP/1.0\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n",
         405},
        {"PUT", "PUT /x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405},
        {"DELETE", "DELETE /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 405},
        {"OPTIONS", "OPTIONS /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 405},
        {"a WebSocket",
         "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Version: 13\r\n\r\n",
         404},
    };

    (void)state;
    set(50, clock_ms() + LONGEST_MS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(status_of(ask(cases[i].request)), cases[i].status);
    }
    assert_null(strcasestr(ask(cases[4].request), "passwd"));
}

static void an_old_tick_is_no_sign_of_life(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n";

    (void)state;
    set(1, clock_ms());
    assert_int_equal(status_of(ask(request)), 200);
    assert_non_null(strstr(heard, "\r\n\r\nok\n"));
    set(1, clock_ms() - HTTP_TICK_MS);
    assert_int_equal(status_of(ask(request)), 503);
}

static void headers_protect(void **state)
{
    (void)state;
    set(10, 0);
    ask("GET /api/v1/state HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_non_null(strcasestr(heard, "\r\ncontent-type: application/json\r\n"));
    assert_non_null(strcasestr(heard, "\r\ncache-control: no-store\r\n"));
    assert_non_null(strcasestr(heard, "\r\nx-content-type-options: nosniff\r\n"));
    assert_non_null(strcasestr(heard, "\r\ncontent-length: 10\r\n"));
    assert_null(strcasestr(heard, "access-control"));
    assert_non_null(strstr(heard, "\r\n\r\nabcdefghij"));
    ask("POST / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_non_null(strcasestr(heard, "\r\nallow: GET, HEAD\r\n"));
}

static void head_has_no_body(void **state)
{
    (void)state;
    set(10, 0);
    ask("HEAD /api/v1/state HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_int_equal(status_of(heard), 200);
    assert_non_null(strcasestr(heard, "\r\ncontent-length: 10\r\n"));
    assert_non_null(strstr(heard, "\r\n\r\n"));
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\n");
}

static void no_state_yet_is_told(void **state)
{
    (void)state;
    set(0, 0);
    assert_int_equal(
        status_of(ask("GET /api/v1/state HTTP/1.0\r\nHost: localhost\r\n\r\n")), 503);
}

static void assert_state(const char *body, size_t n)
{
    assert_int_equal(strlen(body), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(body[i], 'a' + i % 23);
}

static void texts_of_every_size_arrive_whole(void **state)
{
    static const size_t sizes[] = {1, 8191, 8192, 8193, 16384, 100000, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        set(sizes[i], 0);
        ask("GET /api/v1/state HTTP/1.0\r\nHost: localhost\r\n\r\n");
        assert_non_null(strstr(heard, "\r\n\r\n"));
        assert_state(strstr(heard, "\r\n\r\n") + 4, sizes[i]);
    }
}

/* A client with a tiny window that reads a little now and then. */
static void a_slow_reader_gets_it_all_and_delays_nobody(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 2048;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)server.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval longest = {.tv_sec = LONGEST_MS / 1000};
    static char slow[400000];
    size_t n = 0;
    ssize_t k;

    (void)state;
    set(300000, clock_ms());
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    say(fd, "GET /api/v1/state HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_true(recv(fd, slow, 1, MSG_PEEK) == 1); /* it is being sent */
    assert_int_equal(status_of(ask("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")),
                     200);
    while ((k = recv(fd, slow + n, 700, 0)) > 0)
        n += (size_t)k;
    slow[n] = '\0';
    close(fd);
    assert_non_null(strstr(slow, "\r\n\r\n"));
    assert_state(strstr(slow, "\r\n\r\n") + 4, 300000);
}

/* Reads one answer of known length from a connection that stays open. */
static void one_answer(int fd, char *out, size_t size)
{
    size_t n = 0, want = SIZE_MAX;
    char *body, *length;

    while (n < want && n < size - 1 && recv(fd, out + n, 1, 0) == 1) {
        out[++n] = '\0';
        body = want == SIZE_MAX ? strstr(out, "\r\n\r\n") : NULL;
        if (body) {
            length = strcasestr(out, "content-length:");
            assert_non_null(length);
            want = (size_t)(body + 4 - out) + strtoul(length + 15, NULL, 10);
        }
    }
    assert_int_equal(n, want);
}

static void a_connection_serves_many_requests(void **state)
{
    int fd = dial();

    (void)state;
    for (size_t i = 1; i < 6; i++) {
        set(i * 5000, clock_ms());
        say(fd, "GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n");
        one_answer(fd, heard, sizeof heard);
        assert_state(strstr(heard, "\r\n\r\n") + 4, i * 5000);
        say(fd, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
        one_answer(fd, heard, sizeof heard);
        assert_int_equal(status_of(heard), 404);
    }
    close(fd);
}

static void rubbish_is_closed_and_others_are_served(void **state)
{
    static char big[200000];
    static const char *const cases[] = {
        "\r\n\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\xff\xff\x80",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };

    (void)state;
    set(10, clock_ms() + LONGEST_MS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = dial();

        say(fd, cases[i]);
        shutdown(fd, SHUT_WR);
        hear(fd, heard, sizeof heard);
        close(fd);
        assert_int_not_equal(status_of(heard), 200);
    }
    memset(big, 'x', sizeof big - 1); /* a head without end */
    memcpy(big, "GET /healthz HTTP/1.0\r\nHost: ", 29);
    assert_int_not_equal(status_of(ask(big)), 200);
    memcpy(big, "GET /", 5);
    assert_int_not_equal(status_of(ask(big)), 200);
    assert_int_equal(status_of(ask("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")),
                     200);
}

static void too_many_connections_are_closed(void **state)
{
    int fd[HTTP_CONNECTIONS + 8], closed = 0;
    int64_t until_ms = clock_ms() + LONGEST_MS;
    char c;

    (void)state;
    for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
        fd[i] = dial();
    while (closed < 8 && clock_ms() < until_ms) {
        closed = 0;
        for (size_t i = 0; i < sizeof fd / sizeof *fd; i++) {
            ssize_t k = recv(fd[i], &c, 1, MSG_DONTWAIT | MSG_PEEK);
            closed += k == 0 || (k < 0 && errno != EAGAIN);
        }
        poll(NULL, 0, 2);
    }
    /* one that a client has left may still count for a moment */
    assert_in_range(closed, 8, 8 + 4);
    for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
        close(fd[i]);
    set(10, clock_ms() + LONGEST_MS); /* when they are gone there is room again */
    while (status_of(ask("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")) != 200)
        assert_true(clock_ms() < until_ms);
}

static void what_cannot_be_listened_on_is_refused(void **state)
{
    struct loop *l = loop_new();
    struct http *a, *again;

    (void)state;
    assert_null(http_new(l, "127.0.0.1", server.port, &hooks));
    assert_null(http_new(l, "192.0.2.1", 0, &hooks));
    a = http_new(l, "localhost", 0, &hooks); /* and freed before it ever ran */
    assert_non_null(a);
    assert_true(http_port(a) > 0);
    assert_int_not_equal(http_port(a), server.port);
    again = http_new(l, "0.0.0.0", 0, &hooks);
    assert_non_null(again);
    assert_int_not_equal(http_port(again), http_port(a));
    http_free(again);
    http_free(a);
    loop_free(l);
}

/* A request is half answered, another half asked, when the server ends. */
static void it_ends_in_the_middle_of_a_transfer(void **state)
{
    struct loop *l = loop_new();
    struct http *h = http_new(l, "127.0.0.1", 0, &hooks);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(h)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int asking = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 2048;
    int hearing = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t thread;
    char c;

    (void)state;
    set(10000000, 0);
    setsockopt(hearing, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    pthread_create(&thread, NULL, run, l);
    assert_int_equal(connect(asking, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(connect(hearing, (struct sockaddr *)&to, sizeof to), 0);
    say(asking, "GET /api/v1/sta");
    say(hearing, "GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_true(recv(hearing, &c, 1, 0) == 1);
    loop_wake(l);
    pthread_join(thread, NULL);
    http_free(h);
    loop_free(l);
    close(asking);
    close(hearing);
}

/* ---- the client ---- */

static void the_client_gets_the_state(void **state)
{
    char error[200], *body = NULL, address[40];

    (void)state;
    set(123456, 0);
    assert_int_equal(http_get(server.address, "1", "/api/v1/state", LONGEST_MS, &body,
                              error, sizeof error),
                     200);
    assert_state(body, 123456);
    free(body);
    snprintf(address, sizeof address, "%d", server.port);
    assert_int_equal(http_get("localhost", address, "/nothing", LONGEST_MS, &body,
                              error, sizeof error),
                     404);
    free(body);
}

/* A server that answers with this and closes. */
static void *answer_once(void *arg)
{
    int *pair = arg; /* the listening socket, then an index */
    static const char *const texts[] = {
        "",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.0 200 OK\r\n\r\nno length",
        NULL, /* says nothing, and keeps the line */
    };
    int fd = accept(pair[0], NULL, NULL);
    char c;

    if (texts[pair[1]]) {
        say(fd, texts[pair[1]]);
        shutdown(fd, SHUT_WR);
    }
    while (recv(fd, &c, 1, 0) > 0)
        ;
    close(fd);
    return NULL;
}

static void the_client_tells_what_is_wrong(void **state)
{
    static const struct {
        const char *what, *error;
        int status, timeout_ms;
    } cases[] = {
        {"nothing at all", "no HTTP server", -1, LONGEST_MS},
        {"something else", "no HTTP server", -1, LONGEST_MS},
        {"cut off", "cut off", -1, LONGEST_MS},
        {"HTTP/1.0 without a length", "", 200, LONGEST_MS},
        {"silence", "no answer in time", -1, 50},
    };

    (void)state;
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof at;
        int pair[2] = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i};
        char address[40], error[200] = "", *body = NULL;
        pthread_t thread;

        print_message("%s\n", cases[i].what);
        assert_int_equal(bind(pair[0], (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(listen(pair[0], 1), 0);
        getsockname(pair[0], (struct sockaddr *)&at, &size);
        snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
        pthread_create(&thread, NULL, answer_once, pair);
        assert_int_equal(http_get(address, "1", "/", cases[i].timeout_ms, &body, error,
                                  sizeof error),
                         cases[i].status);
        assert_non_null(strstr(error, cases[i].error));
        if (cases[i].status == 200)
            assert_string_equal(body, "no length");
        free(body);
        pthread_join(thread, NULL);
        close(pair[0]);
        if (i == 0) { /* now nobody listens there */
            assert_int_equal(
                http_get(address, "1", "/", LONGEST_MS, &body, error, sizeof error),
                -1);
            assert_non_null(strstr(error, "Connection refused"));
        }
    }
}

static void addresses_that_are_none(void **state)
{
    static const char *const cases[] = {"", ":80", "[::1", "[::1]x", "localhost:"};
    char error[200], *body = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            http_get(cases[i], "1", "/", LONGEST_MS, &body, error, sizeof error), -1);
        assert_non_null(strstr(error, "is no HOST:PORT"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_headers),
        cmocka_unit_test(every_request_gets_its_status),
        cmocka_unit_test(an_old_tick_is_no_sign_of_life),
        cmocka_unit_test(headers_protect),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(no_state_yet_is_told),
        cmocka_unit_test(texts_of_every_size_arrive_whole),
        cmocka_unit_test(a_slow_reader_gets_it_all_and_delays_nobody),
        cmocka_unit_test(a_connection_serves_many_requests),
        cmocka_unit_test(rubbish_is_closed_and_others_are_served),
        cmocka_unit_test(too_many_connections_are_closed),
        cmocka_unit_test(what_cannot_be_listened_on_is_refused),
        cmocka_unit_test(it_ends_in_the_middle_of_a_transfer),
        cmocka_unit_test(the_client_gets_the_state),
        cmocka_unit_test(the_client_tells_what_is_wrong),
        cmocka_unit_test(addresses_that_are_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
