/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket frames of a client on bare sockets. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(struct wire *w, bool out)
{
    struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = w};

    if (w->wants_out != out)
        epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->fd, &e);
    w->wants_out = out;
}

void wire_close(struct wire *w)
{
    if (w->state == WIRE_OFF)
        return;
    SSL_free(w->ssl);
    w->ssl = NULL;
    close(w->fd);
    w->state = WIRE_OFF;
    w->n_in = w->n_out = 0;
}

static void room(char **buf, size_t *max, size_t need)
{
    if (need <= *max)
        return;
    *max = need * 2;
    *buf = realloc(*buf, *max);
    if (!*buf)
        abort();
}

static void flush(struct wire *w)
{
    ERR_clear_error();
    while (w->n_out > 0) {
        ssize_t n = w->ssl ? SSL_write(w->ssl, w->out, (int)w->n_out)
                           : send(w->fd, w->out, w->n_out, MSG_NOSIGNAL);

        if (n <= 0)
            break; /* a broken one is found when it is read */
        w->n_out -= (size_t)n;
        memmove(w->out, w->out + n, w->n_out);
    }
    watch(w, w->n_out > 0);
}

static void ask(struct wire *w)
{
    room(&w->out, &w->max_out, 512);
    w->n_out = (size_t)snprintf(
        w->out, w->max_out,
        "GET /%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
        w->path, w->subprotocol);
    w->state = WIRE_ASKED;
    flush(w);
}

bool wire_dial(struct wire *w, int epoll, int port, const char *path,
               const char *subprotocol, SSL_CTX *ctx)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = w};
    int one = 1;

    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    w->epoll = epoll;
    w->path = path;
    w->subprotocol = subprotocol;
    w->wants_out = false;
    if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(w->fd);
        return false;
    }
    fcntl(w->fd, F_SETFL, O_NONBLOCK);
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &e);
    w->state = WIRE_TLS;
    if (!ctx) {
        ask(w);
        return true;
    }
    ERR_clear_error();
    w->ssl = SSL_new(ctx);
    SSL_set_mode(w->ssl,
                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_fd(w->ssl, w->fd);
    SSL_set_connect_state(w->ssl);
    SSL_do_handshake(w->ssl);
    return true;
}

void wire_send(struct wire *w, const char *text, size_t len)
{
    unsigned char head[14] = {0x81};
    size_t n = 2;

    if (w->state != WIRE_OPEN)
        return;
    head[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        head[n++] = (unsigned char)(len >> 8);
        head[n++] = (unsigned char)len;
    }
    n += 4; /* a mask of zeros is one, too */
    room(&w->out, &w->max_out, w->n_out + n + len);
    memcpy(w->out + w->n_out, head, n);
    memcpy(w->out + w->n_out + n, text, len);
    w->n_out += n + len;
    flush(w);
}

/* What is complete at the start of `in`; 0 = nothing yet. */
static size_t take(struct wire *w, char *in, size_t n, wire_text_fn *text)
{
    const unsigned char *b = (unsigned char *)in;
    size_t head = 2, len = n >= 2 ? b[1] & 0x7f : 0;
    char saved;

    if (n < 2 || (len == 126 && n < 4))
        return 0;
    if (len == 126) {
        len = (size_t)b[2] << 8 | b[3];
        head = 4;
    }
    if (n < head + len)
        return 0;
    if ((b[0] & 0x0f) == 9) { /* a ping */
        char pong[6 + 125] = {(char)0x8a, (char)(0x80 | len)};

        memcpy(pong + 6, in + head, len);
        room(&w->out, &w->max_out, w->n_out + 6 + len);
        memcpy(w->out + w->n_out, pong, 6 + len);
        w->n_out += 6 + len;
        flush(w);
    } else if ((b[0] & 0x0f) == 1) {
        saved = in[head + len]; /* there is one byte of room more */
        in[head + len] = '\0';
        text(w, in + head, len);
        in[head + len] = saved;
    }
    return head + len;
}

static bool read_head(struct wire *w)
{
    char *end = memmem(w->in, w->n_in, "\r\n\r\n", 4);

    if (!end)
        return true;
    if (w->n_in < 12 || memcmp(w->in + 9, "101", 3) != 0)
        return false;
    w->n_in -= (size_t)(end + 4 - w->in);
    memmove(w->in, end + 4, w->n_in);
    w->state = WIRE_OPEN;
    return true;
}

bool wire_ready(struct wire *w, wire_text_fn *text)
{
    ERR_clear_error(); /* those of other connections would count for this one */
    if (w->state == WIRE_TLS) {
        int n = SSL_do_handshake(w->ssl);

        if (n == 1) {
            ask(w);
        } else if (SSL_get_error(w->ssl, n) != SSL_ERROR_WANT_READ) {
            wire_close(w);
            return false;
        }
        return true;
    }
    flush(w);
    for (;;) {
        size_t used = 0, n_used;
        ssize_t n;

        room(&w->in, &w->max_in, w->n_in + 2048);
        n = w->ssl ? SSL_read(w->ssl, w->in + w->n_in, (int)(w->max_in - w->n_in - 1))
                   : recv(w->fd, w->in + w->n_in, w->max_in - w->n_in - 1, 0);
        if (n <= 0) {
            bool later = w->ssl ? SSL_get_error(w->ssl, (int)n) == SSL_ERROR_WANT_READ
                                : n < 0 && errno == EAGAIN;

            if (!later)
                wire_close(w);
            return later;
        }
        w->n_in += (size_t)n;
        if (w->state == WIRE_ASKED && !read_head(w)) {
            wire_close(w);
            return false;
        }
        while (w->state == WIRE_OPEN &&
               (n_used = take(w, w->in + used, w->n_in - used, text)) > 0)
            used += n_used;
        w->n_in -= used;
        memmove(w->in, w->in + used, w->n_in);
    }
}
