/* SPDX-License-Identifier: Apache-2.0 */
/* The two processes of the demo: the garage, forked before there is any thread, and the
 * controller, started as a user would start it. Neither outlives the demo. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/demo.h"
#include "io/clock.h"
#include "io/http_get.h"
#include "sim/garage.h"
#include "sim/garage_site.h"

enum {
    START_MS = 30000, /* of the controller, on a slow and busy machine */
    END_MS = 10000,
    TRIES = 3
};

/* ---- common to both */

/* In the child: log lines go to a file; it ends with us, but not with Ctrl-C. */
static void settle_child(const struct demo *d, const char *log, pid_t parent)
{
    char path[300];
    int fd;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    snprintf(path, sizeof path, "%s/%s", d->folder, log);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
    if (fd > STDERR_FILENO)
        close(fd);
}

/* Waits for its end, then kills it. */
static void end_child(pid_t *pid, int wait_ms)
{
    int64_t until_ms = clock_ms() + wait_ms;

    while (*pid > 0 && waitpid(*pid, NULL, WNOHANG) == 0) {
        if (clock_ms() > until_ms)
            kill(*pid, SIGKILL);
        poll(NULL, 0, 20);
    }
    *pid = 0;
}

static bool ended(struct demo *d, pid_t *pid, const char *what, const char *log)
{
    int status;

    if (*pid <= 0 || waitpid(*pid, &status, WNOHANG) == 0)
        return false;
    *pid = 0;
    if (WIFSIGNALED(status))
        snprintf(d->why, sizeof d->why, "%s was ended by signal %d, see %s", what,
                 WTERMSIG(status), log);
    else
        snprintf(d->why, sizeof d->why, "%s ended with code %d, see %s", what,
                 WEXITSTATUS(status), log);
    return true;
}

bool demo_alive(struct demo *d)
{
    return !ended(d, &d->plant, "the garage", "plant.log") &&
           !ended(d, &d->controller, "the controller", "controller.log");
}

/* ---- the garage */

static void take_line(struct demo *d, const char *line)
{
    cJSON *json = cJSON_Parse(line);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const cJSON *port = cJSON_GetObjectItemCaseSensitive(json, "meter_port");

    if (cJSON_IsString(error))
        snprintf(d->why, sizeof d->why, "the garage: %.200s", error->valuestring);
    else if (cJSON_IsNumber(port))
        d->meter_port = port->valueint;
    if (cJSON_GetObjectItemCaseSensitive(json, "t")) {
        cJSON_Delete(d->report);
        d->report = json;
    } else {
        cJSON_Delete(json);
    }
}

/* False when there is nothing more to come. */
bool demo_listen(struct demo *d, int wait_ms)
{
    struct pollfd p = {.fd = d->from_plant, .events = POLLIN};
    ssize_t n;
    char *end;

    if (d->from_plant < 0) {
        poll(NULL, 0, wait_ms);
        return false;
    }
    if (poll(&p, 1, wait_ms) <= 0)
        return true;
    n = read(d->from_plant, d->in + d->n_in, sizeof d->in - 1 - d->n_in);
    if (n <= 0) {
        close(d->from_plant);
        d->from_plant = -1;
        return false;
    }
    d->n_in += (size_t)n;
    d->in[d->n_in] = '\0';
    while ((end = strchr(d->in, '\n'))) {
        *end = '\0';
        take_line(d, d->in);
        d->n_in -= (size_t)(end + 1 - d->in);
        memmove(d->in, end + 1, d->n_in + 1);
    }
    if (d->n_in == sizeof d->in - 1)
        d->n_in = 0;
    return true;
}

static void be_plant(const struct demo *d, int in_fd, int out_fd, pid_t parent)
{
    struct garage_setup u = {.in_fd = in_fd,
                             .out_fd = out_fd,
                             .folder = d->folder,
                             .seed = d->seed,
                             .for_s = d->for_s};

    settle_child(d, "plant.log", parent);
    _exit(garage_run(&u));
}

bool demo_start_plant(struct demo *d)
{
    int to[2], from[2];
    pid_t parent = getpid();

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
        snprintf(d->why, sizeof d->why, "no pipe: %s", strerror(errno));
        return false;
    }
    fflush(NULL);
    d->plant = fork();
    if (d->plant == 0) {
        close(to[1]);
        close(from[0]);
        be_plant(d, to[0], from[1], parent);
    }
    close(to[0]);
    close(from[1]);
    d->to_plant = to[1];
    d->from_plant = from[0];
    while (d->plant > 0 && !d->meter_port && !d->why[0] && demo_listen(d, START_MS))
        ;
    if (!d->meter_port && !d->why[0])
        snprintf(d->why, sizeof d->why, "the garage does not start, see plant.log");
    return d->meter_port != 0;
}

void demo_go(struct demo *d)
{
    dprintf(d->to_plant, "go %d\n", d->ocpp_port);
}

/* ---- the controller */

/* A free port, held until the socket is closed. */
static int hold_port(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *port = 0;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
        getsockname(fd, (struct sockaddr *)&a, &size) == 0)
        *port = ntohs(a.sin_port);
    return fd;
}

static bool choose_ports(struct demo *d)
{
    int ocpp = hold_port(&d->ocpp_port), http = hold_port(&d->http_port);

    if (ocpp >= 0)
        close(ocpp);
    if (http >= 0)
        close(http);
    return d->ocpp_port && d->http_port;
}

static bool write_site(struct demo *d)
{
    char path[300];
    FILE *f;
    bool ok;

    snprintf(path, sizeof path, "%s/site.yaml", d->folder);
    f = fopen(path, "we");
    ok =
        f && garage_site_write(f, d->folder, d->meter_port, d->ocpp_port, d->http_port);
    if (f && fclose(f) != 0)
        ok = false;
    if (!ok)
        snprintf(d->why, sizeof d->why, "%s: %s", path, strerror(errno));
    return ok;
}

static void spawn_controller(struct demo *d)
{
    pid_t parent = getpid();
    char path[300];

    snprintf(path, sizeof path, "%s/site.yaml", d->folder);
    fflush(NULL);
    d->controller = fork();
    if (d->controller != 0)
        return;
    settle_child(d, "controller.log", parent);
    execl("/proc/self/exe", "chargehand", "run", "-c", path, (char *)NULL);
    fprintf(stderr, "cannot start the controller: %s\n", strerror(errno));
    _exit(127);
}

static bool answers(const struct demo *d)
{
    char address[32], error[256];
    char *body = NULL;
    int code;

    snprintf(address, sizeof address, "127.0.0.1:%d", d->http_port);
    code = http_get(address, "80", "/api/v1/state", 2000, &body, error, sizeof error);
    if (code >= 0)
        free(body);
    return code == 200;
}

static bool await_controller(struct demo *d, const volatile bool *quit)
{
    int64_t until_ms = clock_ms() + START_MS;

    while (demo_alive(d) && !*quit && clock_ms() < until_ms) {
        if (answers(d))
            return true;
        demo_listen(d, 50);
    }
    if (!d->why[0])
        snprintf(d->why, sizeof d->why,
                 *quit ? "interrupted"
                       : "the controller does not answer, see controller.log");
    return false;
}

/* A port may be taken by somebody else before the controller has it: then another. */
bool demo_start_controller(struct demo *d, volatile bool *quit)
{
    for (int i = 0; i < TRIES; i++) {
        d->why[0] = '\0';
        if (!choose_ports(d)) {
            snprintf(d->why, sizeof d->why, "no free port on 127.0.0.1");
            return false;
        }
        if (!write_site(d))
            return false;
        spawn_controller(d);
        if (await_controller(d, quit))
            return true;
        if (d->controller > 0 || *quit)
            return false; /* it is there but does not answer */
    }
    return false;
}

/* ---- the end */

/* The last report comes while the controller is still there; the garage stays until it
 * is gone. */
void demo_stop(struct demo *d)
{
    int64_t until_ms = clock_ms() + END_MS;

    if (d->plant > 0 && d->to_plant >= 0)
        dprintf(d->to_plant, "stop\n");
    while (d->plant > 0 && clock_ms() < until_ms && demo_listen(d, 200) &&
           !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(d->report, "done")))
        ;
    if (d->controller > 0)
        kill(d->controller, SIGTERM);
    end_child(&d->controller, END_MS);
    if (d->to_plant >= 0)
        close(d->to_plant);
    d->to_plant = -1;
    end_child(&d->plant, END_MS);
    if (d->from_plant >= 0)
        close(d->from_plant);
    d->from_plant = -1;
}
