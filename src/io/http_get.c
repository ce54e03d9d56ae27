/* SPDX-License-Identifier: Apache-2.0 */
/* One blocking HTTP request. */
#include "io/http_get.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"

struct get {
    char host[256];
    const char *port;
    int fd;
    int64_t until_ms;
    char *answer; /* all that came, ends with NUL */
    size_t n, max;
    char *error;
    size_t size;
};

static int failed(struct get *g, const char *what)
{
    snprintf(g->error, g->size, "%s port %s: %s", g->host, g->port, what);
    return -1;
}

static bool split(struct get *g, const char *host_port, const char *default_port)
{
    const char *start = host_port, *end, *rest;

    if (*start == '[') {
        start++;
        end = strchr(start, ']');
        rest = end ? end + 1 : "";
    } else {
        end = start + strcspn(start, ":");
        rest = end;
    }
    g->port = *rest == ':' ? rest + 1 : default_port;
    if (!end || end == start || (*rest && *rest != ':') || !*g->port ||
        (size_t)(end - start) >= sizeof g->host) {
        snprintf(g->error, g->size, "'%s' is no HOST:PORT", host_port);
        return false;
    }
    memcpy(g->host, start, (size_t)(end - start));
    g->host[end - start] = '\0';
    return true;
}

/* Waits until the socket can do it, or the time is up. */
static int wait_for(struct get *g, short what)
{
    struct pollfd p = {.fd = g->fd, .events = what};
    int64_t left_ms;
    int rc;

    do {
        left_ms = g->until_ms - clock_ms();
        rc = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
    } while (rc < 0 && errno == EINTR);
    return rc > 0 ? 0 : failed(g, rc == 0 ? "no answer in time" : strerror(errno));
}

static int dial(struct get *g, const struct addrinfo *to)
{
    socklen_t size = sizeof(int);
    int error = 0;

    g->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   to->ai_protocol);
    if (g->fd < 0)
        return failed(g, strerror(errno));
    if (connect(g->fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return failed(g, strerror(errno));
    if (wait_for(g, POLLOUT) != 0)
        return -1;
    if (getsockopt(g->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    return error ? failed(g, strerror(error)) : 0;
}

static int dial_any(struct get *g)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int rc = getaddrinfo(g->host, g->port, &hints, &list);

    if (rc != 0)
        return failed(g, gai_strerror(rc));
    rc = -1;
    for (const struct addrinfo *a = list; a && rc != 0; a = a->ai_next) {
        rc = dial(g, a);
        if (rc != 0 && g->fd >= 0) {
            close(g->fd);
            g->fd = -1;
        }
    }
    freeaddrinfo(list);
    return rc;
}

static int ask(struct get *g, const char *path)
{
    bool ip6 = strchr(g->host, ':');
    char request[1024];
    size_t at = 0, n;

    n = (size_t)snprintf(request, sizeof request,
                         "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\n"
                         "User-Agent: chargehand/" PACKAGE_VERSION "\r\n\r\n",
                         path, ip6 ? "[" : "", g->host, ip6 ? "]" : "", g->port);
    if (n >= sizeof request)
        return failed(g, "the path is too long");
    while (at < n) {
        ssize_t k = send(g->fd, request + at, n - at, MSG_NOSIGNAL);

        if (k > 0)
            at += (size_t)k;
        else if (errno != EAGAIN && errno != EINTR)
            return failed(g, strerror(errno));
        else if (wait_for(g, POLLOUT) != 0)
            return -1;
    }
    return 0;
}

static bool room(struct get *g)
{
    size_t max = g->max ? 2 * g->max : 65536;
    char *more;

    if (g->n + 1 < g->max)
        return true;
    more = max <= HTTP_GET_MOST ? realloc(g->answer, max) : NULL;
    if (!more)
        return false;
    g->answer = more;
    g->max = max;
    return true;
}

/* Reads until the other side closes: HTTP/1.0 has no other end. */
static int listen_to(struct get *g)
{
    for (;;) {
        ssize_t k;

        if (!room(g))
            return failed(g, "the answer is too long");
        k = recv(g->fd, g->answer + g->n, g->max - g->n - 1, 0);
        if (k > 0)
            g->n += (size_t)k;
        g->answer[g->n] = '\0';
        if (k == 0)
            return 0;
        if (k < 0 && errno != EAGAIN && errno != EINTR)
            return failed(g, strerror(errno));
        if (k < 0 && wait_for(g, POLLIN) != 0)
            return -1;
    }
}

/* The length told in the head; or what there is. */
static size_t told_length(const char *head, const char *body, size_t n)
{
    for (const char *line = head; line && line < body; line = strstr(line, "\r\n")) {
        line += line == head ? 0 : 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            return strtoul(line + 15, NULL, 10);
        line++;
    }
    return n;
}

static int understand(struct get *g, char **body)
{
    char *start = strstr(g->answer, "\r\n\r\n");
    size_t n;
    int status;

    if (!start || sscanf(g->answer, "HTTP/1.%*1d %3d", &status) != 1)
        return failed(g, "this is no HTTP server");
    start += 4;
    n = g->n - (size_t)(start - g->answer);
    if (told_length(g->answer, start, n) != n)
        return failed(g, "the answer was cut off");
    memmove(g->answer, start, n + 1);
    *body = g->answer;
    g->answer = NULL;
    return status;
}

int http_get(const char *host_port, const char *default_port, const char *path,
             int timeout_ms, char **body, char *error, size_t size)
{
    struct get g = {
        .fd = -1, .until_ms = clock_ms() + timeout_ms, .error = error, .size = size};
    int status = -1;

    if (split(&g, host_port, default_port) && dial_any(&g) == 0 && ask(&g, path) == 0 &&
        listen_to(&g) == 0)
        status = understand(&g, body);
    if (g.fd >= 0)
        close(g.fd);
    free(g.answer);
    return status;
}
