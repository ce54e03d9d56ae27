/* SPDX-License-Identifier: Apache-2.0 */
/* The Unix socket for commands: who may use it, a line in, a line out, and clients that
 * go, say too much, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/command.h"

enum { LINES = 8 };

struct world {
    char dir[64], path[96];
    struct loop *l;
    struct command *c;
    struct command_line *lines[LINES];
    char text[LINES][128];
    uid_t user;
    int n;
};

static void asked(void *arg, struct command_line *line, uid_t user, const char *text)
{
    struct world *w = arg;

    assert_true(w->n < LINES);
    w->user = user;
    snprintf(w->text[w->n], sizeof w->text[0], "%s", text);
    w->lines[w->n++] = line;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->dir, "/tmp/chargehand-command.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/control.socket", w->dir);
    w->l = loop_new();
    w->c = command_new(w->l, w->path, asked, w);
    assert_non_null(w->c);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    command_free(w->c);
    loop_free(w->l);
    assert_int_equal(rmdir(w->dir), 0); /* the socket is gone */
    free(w);
    return 0;
}

static int dial(const struct world *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(a.sun_path, w->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* The loop goes on until n lines have come. */
static void until(struct world *w, int n)
{
    while (w->n < n)
        lws_service(loop_lws(w->l), 0);
}

/* What the client hears until it is closed. */
static void hear(struct world *w, int fd, char *out, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0;
    ssize_t k = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (k != 0) {
        lws_cancel_service(loop_lws(w->l)); /* never sleep in it */
        lws_service(loop_lws(w->l), 0);
        if (poll(&p, 1, 0) <= 0)
            continue;
        k = recv(fd, out + n, size - n - 1, 0);
        n += k > 0 ? (size_t)k : 0;
        if (k < 0)
            break;
    }
    out[n] = '\0';
    close(fd);
}

static int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void a_line(void **state)
{
    struct world *w = *state;
    int before = open_files(), fd = dial(w);
    struct stat st;
    char out[64];

    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(send(fd, "{\"do\":", 6, 0), 6); /* in two pieces */
    assert_int_equal(send(fd, "1}\n", 3, 0), 3);
    until(w, 1);
    assert_string_equal(w->text[0], "{\"do\":1}");
    assert_int_equal(w->user, getuid());
    command_answer(w->lines[0], "yes");
    hear(w, fd, out, sizeof out);
    assert_string_equal(out, "yes\n");
    assert_int_equal(open_files(), before);
}

static void answers_out_of_order(void **state)
{
    struct world *w = *state;
    int a = dial(w), b = dial(w);
    char out[64];

    send(a, "a\n", 2, 0);
    until(w, 1);
    send(b, "b\n", 2, 0);
    until(w, 2);
    command_answer(w->lines[1], "to b");
    hear(w, b, out, sizeof out);
    assert_string_equal(out, "to b\n");
    command_answer(w->lines[0], "to a");
    hear(w, a, out, sizeof out);
    assert_string_equal(out, "to a\n");
}

/* As `echo ... | socat` does; and one that does so and goes. */
static void says_no_more(void **state)
{
    struct world *w = *state;
    int before = open_files(), fd = dial(w), n = 0;
    char out[64];

    send(fd, "a\n", 2, 0);
    shutdown(fd, SHUT_WR);
    until(w, 1);
    for (int i = 0; i < 1000; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        lws_cancel_service(loop_lws(w->l));
        lws_service(loop_lws(w->l), 0);
        n += poll(&p, 1, 0); /* hung up on */
    }
    assert_int_equal(n, 0);
    command_answer(w->lines[0], "yes");
    hear(w, fd, out, sizeof out);
    assert_string_equal(out, "yes\n");

    fd = dial(w);
    send(fd, "b\n", 2, 0);
    shutdown(fd, SHUT_WR);
    until(w, 2);
    lws_cancel_service(loop_lws(w->l));
    lws_service(loop_lws(w->l), 0); /* sees the end */
    close(fd);
    for (int i = 0; i < 1000 && open_files() > before; i++) {
        lws_cancel_service(loop_lws(w->l));
        lws_service(loop_lws(w->l), 0);
    }
    assert_int_equal(open_files(), before);
    command_answer(w->lines[1], "nobody hears it");
}

static void gone_before_the_answer(void **state)
{
    struct world *w = *state;
    int fd = dial(w);
    char out[64];

    send(fd, "a\n", 2, 0);
    until(w, 1);
    close(fd);
    fd = dial(w); /* served after the loop has seen the other one go */
    send(fd, "b\n", 2, 0);
    until(w, 2);
    command_answer(w->lines[0], "nobody hears it");
    command_answer(w->lines[1], "b");
    hear(w, fd, out, sizeof out);
    assert_string_equal(out, "b\n");
}

static void too_long(void **state)
{
    struct world *w = *state;
    int fd = dial(w);
    char out[64], *much = calloc(1, COMMAND_LINE + 1);

    memset(much, 'x', COMMAND_LINE + 1);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (size_t at = 0; at < COMMAND_LINE + 1;) {
        ssize_t k = send(fd, much + at, COMMAND_LINE + 1 - at, MSG_NOSIGNAL);

        if (k < 0)
            lws_service(loop_lws(w->l), 0);
        at += k > 0 ? (size_t)k : 0;
    }
    hear(w, fd, out, sizeof out);
    assert_string_equal(out, "");
    assert_int_equal(w->n, 0);
    free(much);
}

static void two_controllers(void **state)
{
    struct world *w = *state;
    char path[300];

    assert_null(command_new(w->l, w->path, asked, w)); /* that one lives */
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_null(command_new(w->l, path, asked, w));
}

static void after_a_crash(void **state)
{
    struct world *w = *state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct command *c;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s/other", w->dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd); /* the file stays, nobody listens */
    c = command_new(w->l, a.sun_path, asked, w);
    assert_non_null(c);
    command_free(c);
    fd = open(a.sun_path, O_CREAT | O_WRONLY, 0600); /* no socket: not ours to remove */
    close(fd);
    assert_null(command_new(w->l, a.sun_path, asked, w));
    assert_int_equal(unlink(a.sun_path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_out_of_order, setup, teardown),
        cmocka_unit_test_setup_teardown(says_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(gone_before_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(two_controllers, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_crash, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
