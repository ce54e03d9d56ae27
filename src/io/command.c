/* SPDX-License-Identifier: Apache-2.0 */
/* The Unix socket for commands, on libwebsockets' loop. */
#include "io/command.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/log.h"

struct command {
    struct lws_vhost *vhost;
    struct lws *listener;
    void (*asked)(void *arg, struct command_line *line, uid_t user, const char *text);
    void *arg;
    int n_clients;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

/* One connection. libwebsockets gives it zeroed. */
struct client {
    struct lws *wsi;
    char *in;
    size_t n;
    struct command_line *line; /* not yet answered */
    char *out;
    size_t out_n, at;
};

struct command_line {
    struct client *client; /* NULL = it has gone */
};

/* ---- answers */

void command_answer(struct command_line *line, const char *text)
{
    struct client *c = line->client;

    free(line);
    if (!c)
        return;
    c->line = NULL;
    c->out_n = strlen(text) + 1;
    c->out = malloc(c->out_n);
    if (c->out) {
        memcpy(c->out, text, c->out_n - 1);
        c->out[c->out_n - 1] = '\n';
    }
    lws_callback_on_writable(c->wsi);
}

static int write_on(struct client *c)
{
    ssize_t n;

    if (!c->out)
        return c->line || !c->in ? 0 : -1;
    n = send(lws_get_socket_fd(c->wsi), c->out + c->at, c->out_n - c->at,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    c->at += n > 0 ? (size_t)n : 0;
    if (c->at == c->out_n)
        return -1; /* all is said */
    lws_callback_on_writable(c->wsi);
    return 0;
}

/* ---- questions */

static int ask(struct command *s, struct client *c)
{
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t size = sizeof who;
    char *end = memchr(c->in, '\n', c->n);

    if (!end)
        return c->n < COMMAND_LINE ? 0 : -1;
    *end = '\0';
    getsockopt(lws_get_socket_fd(c->wsi), SOL_SOCKET, SO_PEERCRED, &who, &size);
    c->line = calloc(1, sizeof *c->line);
    if (!c->line)
        return -1;
    c->line->client = c;
    lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
    s->asked(s->arg, c->line, who.uid, c->in);
    return 0;
}

static int read_on(struct command *s, struct client *c)
{
    char more[4096];
    ssize_t n = recv(lws_get_socket_fd(c->wsi), more, sizeof more, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n == 0 && (c->line || c->out)) { /* like socat: says no more, but listens */
        lws_rx_flow_control(c->wsi, 0);
        return 0;
    }
    if (n <= 0 || c->line || c->out) /* it hung up, or has more to say than a line */
        return -1;
    if (!c->in)
        c->in = malloc(COMMAND_LINE + 1);
    if (!c->in || c->n + (size_t)n > COMMAND_LINE)
        return -1;
    memcpy(c->in + c->n, more, (size_t)n);
    c->n += (size_t)n;
    return ask(s, c);
}

static void closed(struct client *c)
{
    if (c->line)
        c->line->client = NULL;
    free(c->in);
    free(c->out);
    memset(c, 0, sizeof *c);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len);

static const struct lws_protocols protocols[] = {
    {.name = "chargehand-command",
     .callback = callback,
     .per_session_data_size = sizeof(struct client)},
    {.name = NULL},
};

static struct lws *adopt(struct command *s, int fd)
{
    lws_sock_file_fd_type d = {.filefd = fd};

    return lws_adopt_descriptor_vhost(s->vhost, LWS_ADOPT_RAW_FILE_DESC, d,
                                      protocols[0].name, NULL);
}

static void let_in(struct command *s)
{
    int fd = accept4(lws_get_socket_fd(s->listener), NULL, NULL,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct lws *wsi = fd >= 0 && s->n_clients < COMMAND_CLIENTS ? adopt(s, fd) : NULL;

    if (wsi) {
        s->n_clients++;
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, COMMAND_READ_S);
    } else if (fd >= 0) {
        close(fd);
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t len)
{
    struct lws_vhost *vhost = wsi ? lws_get_vhost(wsi) : NULL;
    struct command *s = vhost ? lws_get_vhost_user(vhost) : NULL;
    struct client *c = user;

    (void)in;
    (void)len;
    if (!s)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_RAW_ADOPT_FILE:
        if (c)
            c->wsi = wsi;
        return 0;
    case LWS_CALLBACK_RAW_RX_FILE:
        if (wsi != s->listener)
            return read_on(s, c);
        let_in(s);
        return 0;
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        return wsi == s->listener ? 0 : write_on(c);
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        if (wsi == s->listener)
            return 0;
        closed(c);
        s->n_clients--;
        return 0;
    default:
        return 0;
    }
}

/* ---- listening */

/* A socket file of a controller that is no more. */
static bool is_stale(const struct sockaddr_un *a)
{
    struct stat st;
    int fd;
    bool stale;

    if (lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    stale = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) != 0 &&
            errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale;
}

static int listen_on(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    mode_t mask;
    int fd, rc;

    if (strlen(path) >= sizeof a.sun_path) {
        log_warnx("%.80s...: too long for a socket, there are no commands", path);
        return -1;
    }
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    mask = umask(0117); /* nobody gets in between bind() and chmod() */
    rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    if (rc != 0 && errno == EADDRINUSE && is_stale(&a) && unlink(path) == 0)
        rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(mask);
    if (rc == 0 && chmod(path, 0660) == 0 && listen(fd, COMMAND_CLIENTS) == 0)
        return fd;
    log_warn("%s: cannot be listened on, there are no commands", path);
    close(fd);
    return -1;
}

static void last(struct lws_vhost *vhost, void *arg)
{
    (void)vhost;
    free(arg);
}

struct command *command_new(struct loop *l, const char *path,
                            void (*asked)(void *arg, struct command_line *line,
                                          uid_t user, const char *text),
                            void *arg)
{
    struct lws_context_creation_info info = {
        .vhost_name = "command",
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
    };
    int fd = listen_on(path);
    struct command *s = fd >= 0 ? calloc(1, sizeof *s) : NULL;

    if (s) {
        info.user = info.finalize_arg = s;
        info.finalize = last;
        strcpy(s->path, path);
        s->asked = asked;
        s->arg = arg;
        s->vhost = lws_create_vhost(loop_lws(l), &info);
    }
    if (s && s->vhost)
        s->listener = adopt(s, fd);
    if (s && s->listener)
        return s;
    if (s && s->vhost)
        lws_vhost_destroy(s->vhost); /* frees s */
    else
        free(s);
    if (fd >= 0 && !(s && s->vhost))
        close(fd);
    return NULL;
}

void command_free(struct command *s)
{
    if (!s)
        return;
    unlink(s->path);
    lws_vhost_destroy(s->vhost);
}
