/* SPDX-License-Identifier: Apache-2.0 */
/* A broker and a listening client for the tests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <mosquitto.h>

pthread_mutex_t bell_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t bell = PTHREAD_COND_INITIALIZER;

int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* Reads the log until the broker says that it runs. False: it has ended. */
static bool runs(struct broker *b)
{
    char log[8192];
    size_t n = 0;
    struct pollfd p = {.fd = b->log, .events = POLLIN};
    ssize_t got;

    while (n < sizeof log - 1 && poll(&p, 1, DEADLINE_S * 1000) > 0) {
        got = read(b->log, log + n, sizeof log - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        log[n] = '\0';
        if (strstr(log, "running"))
            return true;
    }
    log[n] = '\0';
    print_message("mosquitto: %s\n", log);
    return false;
}

static void write_conf(struct broker *b, char path[128], const char *more)
{
    FILE *f;

    strcpy(b->folder, "/tmp/chargehand-broker-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(path, 128, "%s/conf", b->folder);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "listener %d 127.0.0.1\nuser root\nlog_dest stderr\npersistence false\n"
            "%s\n",
            b->port, more);
    fclose(f);
}

void broker_start(struct broker *b, int port, const char *more)
{
    static const char *const places[] = {"/usr/sbin/mosquitto", "/usr/bin/mosquitto",
                                         "/usr/local/sbin/mosquitto"};
    const char *program = NULL;
    char conf[128];
    int pipes[2];

    for (size_t i = 0; !program && i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            program = places[i];
    if (!program)
        fail_msg("the broker mosquitto is not installed (Debian package mosquitto): "
                 "this test needs it");
    b->port = port;
    write_conf(b, conf, more);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    b->pid = fork();
    assert_true(b->pid >= 0);
    if (b->pid == 0) {
        dup2(pipes[1], STDERR_FILENO);
        execl(program, program, "-c", conf, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    b->log = pipes[0];
    if (!runs(b))
        fail_msg("mosquitto does not start on port %d", port);
}

void broker_signal(struct broker *b, int number)
{
    assert_int_equal(kill(b->pid, number), 0);
    if (number != SIGKILL)
        return;
    waitpid(b->pid, NULL, 0);
    b->pid = 0;
}

void broker_end(struct broker *b)
{
    char path[128];

    if (b->pid > 0)
        broker_signal(b, SIGKILL);
    close(b->log);
    snprintf(path, sizeof path, "%s/conf", b->folder);
    unlink(path);
    rmdir(b->folder);
}

void bell_ring(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&bell_lock);
    pthread_cond_broadcast(&bell);
    pthread_mutex_unlock(&bell_lock);
}

bool bell_wait(bool (*fn)(void *arg), void *arg)
{
    struct timespec until;
    bool good;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&bell_lock);
    while (!(good = fn(arg)) &&
           pthread_cond_timedwait(&bell, &bell_lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&bell_lock);
    return good;
}

/* ---- the listening client ---- */

static void heard_message(struct mosquitto *lib, void *arg,
                          const struct mosquitto_message *m)
{
    struct spy *s = arg;
    struct heard *h;

    (void)lib;
    pthread_mutex_lock(&bell_lock);
    s->list = realloc(s->list, (size_t)(s->n + 1) * sizeof *s->list);
    h = &s->list[s->n++];
    memset(h, 0, sizeof *h);
    snprintf(h->topic, sizeof h->topic, "%s", m->topic);
    h->length = m->payloadlen;
    if (m->payloadlen > 0 && m->payloadlen < (int)sizeof h->payload)
        memcpy(h->payload, m->payload, (size_t)m->payloadlen);
    h->retained = m->retain;
    pthread_cond_broadcast(&bell);
    pthread_mutex_unlock(&bell_lock);
}

static void subscribed(struct mosquitto *lib, void *arg, int mid, int n,
                       const int *granted)
{
    struct spy *s = arg;

    (void)lib;
    (void)mid;
    (void)n;
    (void)granted;
    pthread_mutex_lock(&bell_lock);
    s->subscribed = true;
    pthread_cond_broadcast(&bell);
    pthread_mutex_unlock(&bell_lock);
}

static bool is_subscribed(void *arg)
{
    return ((struct spy *)arg)->subscribed;
}

void spy_start(struct spy *s, int port)
{
    *s = (struct spy){0};
    mosquitto_lib_init();
    s->lib = mosquitto_new(NULL, true, s);
    assert_non_null(s->lib);
    mosquitto_message_callback_set(s->lib, heard_message);
    mosquitto_subscribe_callback_set(s->lib, subscribed);
    assert_int_equal(mosquitto_connect(s->lib, "127.0.0.1", port, 60), 0);
    assert_int_equal(mosquitto_loop_start(s->lib), 0);
    assert_int_equal(mosquitto_subscribe(s->lib, NULL, "#", 1), 0);
    assert_true(bell_wait(is_subscribed, s));
}

void spy_end(struct spy *s)
{
    mosquitto_disconnect(s->lib);
    mosquitto_loop_stop(s->lib, false);
    mosquitto_destroy(s->lib);
    mosquitto_lib_cleanup();
    free(s->list);
}

void spy_say(struct spy *s, const char *topic, const void *payload, int length,
             bool retain)
{
    assert_int_equal(mosquitto_publish(s->lib, NULL, topic, length, payload, 1, retain),
                     0);
}

struct wish {
    struct spy *s;
    const char *topic, *payload;
    int found;
};

static bool is_heard(void *arg)
{
    struct wish *w = arg;

    for (int i = 0; i < w->s->n; i++) {
        const struct heard *h = &w->s->list[i];

        if (strcmp(h->topic, w->topic) == 0 &&
            (!w->payload || strcmp(h->payload, w->payload) == 0)) {
            w->found = i;
            return true;
        }
    }
    return false;
}

int spy_hears(struct spy *s, const char *topic, const char *payload)
{
    struct wish w = {s, topic, payload, -1};

    if (!bell_wait(is_heard, &w))
        fail_msg("%s%s%s has not been heard", topic, payload ? " = " : "",
                 payload ? payload : "");
    return w.found;
}

int spy_count(struct spy *s, const char *topic)
{
    int n = 0;

    pthread_mutex_lock(&bell_lock);
    for (int i = 0; i < s->n; i++)
        n += strcmp(s->list[i].topic, topic) == 0;
    pthread_mutex_unlock(&bell_lock);
    return n;
}
