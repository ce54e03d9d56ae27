/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, measuring and ending the server of a benchmark. */
#include "place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void spawn(struct place *p, const char *const argv[])
{
    int fds[2];

    if (pipe(fds) != 0 || (p->pid = fork()) < 0)
        die(argv[0]);
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]);
        close(fds[1]);
        execvp(argv[0], (char *const *)argv);
        die(argv[0]);
    }
    close(fds[1]);
    p->out = fds[0];
}

/* Reads the log until `mark` has come, then the number behind it. */
static int number_after(struct place *p, const char *mark)
{
    char line[512];
    size_t n = 0;

    while (read(p->out, line + n, 1) == 1) {
        const char *at;

        if (line[n] != '\n' && n < sizeof line - 2) {
            n++;
            continue;
        }
        line[n] = '\0';
        n = 0;
        at = strstr(line, mark);
        if (at)
            return atoi(at + strlen(mark));
        fprintf(stderr, "%s\n", line);
    }
    fprintf(stderr, "the server has ended\n");
    exit(1);
}

void place_chargehand(struct place *p, const char *program, int n, int32_t limit_a,
                      int meter_port, const char *tls)
{
    char path[96];
    FILE *f;

    *p = (struct place){.folder = "/tmp/chargehand-bench-XXXXXX"};
    if (!mkdtemp(p->folder))
        die(p->folder);
    snprintf(path, sizeof path, "%s/site.yaml", p->folder);
    f = fopen(path, "w");
    if (!f)
        die(path);
    fprintf(f,
            "circuits:\n- {name: grid, limit: %d, meter: main}\n"
            "meters:\n- {name: main, model: eastron-sdm630, tcp: '127.0.0.1:%d', unit: "
            "1}\n"
            "ocpp:\n  sample: 10s\n",
            limit_a, meter_port);
    if (tls)
        fprintf(f,
                "  listen_tls: 127.0.0.1:0\n  cert_file: %s/server.pem\n"
                "  key_file: %s/server.key\n",
                tls, tls);
    else
        fprintf(f, "  listen: 127.0.0.1:0\n");
    fprintf(f, "chargers:\n");
    for (int i = 0; i < n; i++)
        fprintf(f, "- {id: CP-%d, connectors: [{max: 16, fallback: 0}]}\n", i);
    fclose(f);
    spawn(p, (const char *[]){program, "run", "-c", path, NULL});
    p->port = number_after(p, "listening on 127.0.0.1:");
    p->tls_port = tls ? p->port : 0;
    fcntl(p->out, F_SETFL, O_NONBLOCK);
}

void place_node(struct place *p, const char *script)
{
    *p = (struct place){0};
    spawn(p, (const char *[]){"node", script, NULL});
    p->port = number_after(p, "port ");
    fcntl(p->out, F_SETFL, O_NONBLOCK);
}

void place_drain(struct place *p)
{
    static char text[65536];
    ssize_t n;

    while ((n = read(p->out, text, sizeof text)) > 0)
        if (getenv("VERBOSE"))
            fwrite(text, 1, (size_t)n, stderr);
}

void place_stop(struct place *p)
{
    char path[96];

    kill(p->pid, SIGTERM);
    fcntl(p->out, F_SETFL, 0);
    while (read(p->out, path, sizeof path) > 0) /* its last words: it waits for us */
        ;
    waitpid(p->pid, NULL, 0);
    close(p->out);
    if (!*p->folder)
        return;
    snprintf(path, sizeof path, "%s/site.yaml", p->folder);
    unlink(path);
    rmdir(p->folder);
}

double place_cpu_s(const struct place *p)
{
    struct timespec t = {0};
    clockid_t clock;

    if (clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        die("its processor time");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

long place_kb(const struct place *p)
{
    char path[64], line[256];
    long kb = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", p->pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Private_Dirty:", 14) == 0)
            kb = atol(line + 14);
    if (f)
        fclose(f);
    return kb;
}
