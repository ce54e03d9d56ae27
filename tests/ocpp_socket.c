/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server in a thread, and a charger made of a socket. */
#include "ocpp_socket.h"

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
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

    pthread_mutex_lock(&r->lock);
    r->troubles += begins ? 1 : -1;
    if (begins) {
        r->n_told++;
        snprintf(r->told, sizeof r->told, "%s: %s", who, text);
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static int32_t next_transaction(void *arg)
{
    (void)arg;
    return 7;
}

static void woken(void *arg)
{
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
        ocpp_reload(r->ocpp, &r->next, r->map);
    if (has)
        ocpp_order(r->ocpp, &o);
}

static void *serve(void *arg)
{
    struct rig *r = arg;

    loop_run(r->loop, woken, r);
    return NULL;
}

struct rig *rig_new(void)
{
    static const char *const ids[CHARGERS] = {"CP-01", "CP-02", "RDAM 123", NULL};
    static const char *const passwords[CHARGERS] = {
        NULL, "00112233445566778899aabbccddeeff01234567", NULL, NULL};
    struct rig *r = calloc(1, sizeof *r);

    for (int i = 0; i < CHARGERS; i++) {
        r->chargers[i] = (struct conf_charger){.id = ids[i],
                                               .security = -1,
                                               .ping_s = -1,
                                               .name = "a place",
                                               .password = passwords[i],
                                               .first = i,
                                               .n = 1};
        r->map[i] = i;
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

void rig_start(struct rig *r)
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

void rig_free(struct rig *r)
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
struct event rig_wait(struct rig *r, enum event_kind kind, int n)
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

void rig_troubles(struct rig *r, int n)
{
    struct timespec until = deadline();
    int late = 0;

    pthread_mutex_lock(&r->lock);
    while (r->troubles != n && !late)
        late = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    pthread_mutex_unlock(&r->lock);
    if (late)
        fail_msg("%d troubles, not %d: %s", r->troubles, n, r->told);
}

/* ---- the charger's side ---- */

static SSL *tls[1024]; /* of each descriptor */

/* From 127.0.0.`from` (0 = the kernel's choice) to 127.0.0.`host`. */
static int dial_any(int port, uint32_t from, uint32_t host)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(0x7f000000 + host)};
    struct sockaddr_in me = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f000000 + from)};
    struct timeval t = {.tv_sec = DEADLINE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0 && fd < (int)(sizeof tls / sizeof *tls));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (from)
        assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof me), 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int dial_port(int port, uint32_t host)
{
    return dial_any(port, 0, host);
}

int dial_from(struct rig *r, uint32_t from)
{
    return dial_any(ocpp_port(r->ocpp), from, 1);
}

int dial_tls(int fd, SSL_CTX *ctx)
{
    tls[fd] = SSL_new(ctx);
    assert_non_null(tls[fd]);
    SSL_set_fd(tls[fd], fd);
    return SSL_connect(tls[fd]);
}

SSL *tls_of(int fd)
{
    return tls[fd];
}

/* Reads all that is left first: else the kernel takes our last words back. */
void hang_up(int fd)
{
    char rest[512];

    shutdown(fd, SHUT_WR);
    while (tls[fd] && recv(fd, rest, sizeof rest, 0) > 0)
        ;
    SSL_free(tls[fd]);
    tls[fd] = NULL;
    close(fd);
}

int dial(struct rig *r)
{
    int fd = dial_port(ocpp_port(r->ocpp), 1);

    assert_true(fd >= 0);
    return fd;
}

void put(int fd, const void *data, size_t len)
{
    if (tls[fd])
        assert_int_equal(SSL_write(tls[fd], data, (int)len), (int)len);
    else
        assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (int)len);
}

bool get(int fd, void *data, size_t len)
{
    char *to = data;

    while (len > 0) {
        ssize_t n = tls[fd] ? SSL_read(tls[fd], to, (int)len) : recv(fd, to, len, 0);

        if (n <= 0) {
            if (n < 0 && !tls[fd] && (errno == EAGAIN || errno == EWOULDBLOCK))
                fail_msg("no answer");
            return false;
        }
        to += n;
        len -= (size_t)n;
    }
    return true;
}

/* Asks for a WebSocket; the head of the response in out[512]. */
void ask(int fd, const char *path, const char *headers, char *out)
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

int open_link(struct rig *r, const char *path)
{
    char head[512];
    int fd = dial(r);

    ask(fd, path, OCPP16, head);
    assert_non_null(strstr(head, "HTTP/1.1 101"));
    return fd;
}

/* One masked frame. */
static unsigned char *make_frame(unsigned char first, const void *data, size_t len,
                                 size_t *size)
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
    *size = n + 4 + len;
    return f;
}

void put_frame(int fd, unsigned char first, const void *data, size_t len)
{
    size_t size;
    unsigned char *f = make_frame(first, data, len, &size);

    put(fd, f, size);
    free(f);
}

void try_frame(int fd, unsigned char first, const void *data, size_t len)
{
    size_t size;
    unsigned char *f = make_frame(first, data, len, &size);

    send(fd, f, size, MSG_NOSIGNAL);
    free(f);
}

void put_text(int fd, const char *text)
{
    put_frame(fd, 0x81, text, strlen(text));
}

/* The next frame: its first byte, its data as a text in out[4096]; 0 = closed. */
int get_frame(int fd, char *out)
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

void expect_text(int fd, const char *part)
{
    char text[4096];

    assert_int_equal(get_frame(fd, text), 0x81);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in %s", part, text);
}

/* The next answer; calls of the server may come before it. */
void expect_answer(int fd, const char *want)
{
    char text[4096];

    do
        assert_int_equal(get_frame(fd, text), 0x81);
    while (text[1] == '2');
    assert_memory_equal(text, want, strlen(want));
}

/* Reads on until a close frame with this code, 0 for any end. */
void expect_close(int fd, int code)
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
