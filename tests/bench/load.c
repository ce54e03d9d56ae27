/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the OCPP server as a process of its own, under the load of many chargers:
 *
 *   load throughput CHARGEHAND [NODE-SCRIPT]  messages per second of processor time
 *   load versions CHARGEHAND                  OCPP 2.0.1 against 1.6 in that, and in
 *                                             memory
 *   load push CHARGEHAND                      from a reading to the limits on the wire
 *   load fleet CHARGEHAND N [TLS-FOLDER]      N chargers for a minute; with OCPP=2.0.1
 *                                             chargers of that
 *
 * Prints lines of JSON. The status tells whether the aims were reached. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fleet.h"
#include "place.h"
#include "sim/modbus_server.h"

static struct modbus_server *meter;

static void meter_start(void)
{
    char err[2000];

    meter = modbus_server_new("eastron-sdm630", 0, 0, err, sizeof err);
    if (!meter) {
        fprintf(stderr, "%s\n", err);
        exit(1);
    }
}

static void meter_show(double a)
{
    int32_t ma = (int32_t)(a * 1000);

    modbus_server_set(meter, (int32_t[]){ma, ma, ma}, NULL, NULL);
}

/* Runs for so long, or until all are in (seconds < 0: at most that). */
static double run(struct fleet *f, struct place *p, double seconds, double base_a)
{
    double from = now_s(), limit = seconds < 0 ? -seconds : seconds;

    while (now_s() - from < limit && (seconds > 0 || f->n_booted < f->n)) {
        fleet_run(f, 5);
        place_drain(p);
        if (base_a >= 0)
            meter_show(base_a + fleet_amps(f));
    }
    return now_s() - from;
}

/* ---- throughput ---- */

enum { CLIENTS = 200 };

/* Messages per second of processor time, in so many seconds. */
static double throughput(struct place *p, const char *who, bool modern, double seconds)
{
    struct fleet f;
    double cpu_s, from_s, span_s;
    long answers;

    fleet_init(&f, CLIENTS, p->port, NULL, false);
    f.closed_loop = true;
    f.modern = modern;
    run(&f, p, -60, -1);
    run(&f, p, 1, -1);
    answers = f.answers;
    cpu_s = place_cpu_s(p);
    from_s = now_s();
    run(&f, p, seconds, -1);
    answers = f.answers - answers;
    cpu_s = place_cpu_s(p) - cpu_s;
    span_s = now_s() - from_s;
    printf("{\"bench\": \"throughput\", \"of\": \"%s\", \"ocpp\": \"%s\", \"clients\": "
           "%d, "
           "\"messages\": %ld, \"s\": %.2f, \"cpu_s\": %.2f, \"per_cpu_s\": %.0f, "
           "\"refused\": %ld}\n",
           who, modern ? "2.0.1" : "1.6", CLIENTS, answers, span_s, cpu_s,
           (double)answers / cpu_s, f.refused);
    fleet_free(&f);
    place_stop(p);
    return (double)answers / cpu_s;
}

static int bench_throughput(const char *program, const char *script)
{
    struct place p;
    double ours, theirs;

    meter_start();
    place_chargehand(&p, program, CLIENTS, 1000, modbus_server_port(meter), NULL);
    ours = throughput(&p, "chargehand", false, 5);
    modbus_server_stop(meter);
    if (!script)
        return 0;
    place_node(&p, script);
    theirs = throughput(&p, "ocpp-rpc", false, 5);
    printf("{\"bench\": \"ratio\", \"value\": %.2f}\n", ours / theirs);
    return ours >= 2 * theirs ? 0 : 1;
}

/* ---- push ---- */

/* How many chargers that charge were told less since then, and when the last one. */
static int told_since(const struct fleet *f, double since_s, double *last_s)
{
    int n = 0;

    *last_s = 0;
    for (int i = 0; i < f->n; i++) {
        const struct bay *b = &f->bays[i];

        if (!b->charges || b->told_s < since_s)
            continue;
        n++;
        if (b->told_s > *last_s)
            *last_s = b->told_s;
    }
    return n;
}

/* The meter shows too much; seconds from the request that reads it to the last limit on
 * the wire. The next request is awaited without sleep. */
static double push(struct fleet *f, struct place *p, double base_a, int n_charging,
                   int *n_told)
{
    uint64_t before;
    double at_s, last_s = 0;

    meter_show(base_a + fleet_amps(f));
    before = modbus_server_requests(meter);
    while (modbus_server_requests(meter) == before)
        ;
    at_s = now_s();
    while ((*n_told = told_since(f, at_s, &last_s)) < n_charging &&
           now_s() - at_s < 5) {
        fleet_run(f, 1);
        place_drain(p);
    }
    return last_s - at_s;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int bench_push(const char *program, bool modern)
{
    enum { N = 100, TIMES = 5, LIMIT_A = 4000 }; /* room for cars all at once */
    double base_a = 0, took_s[TIMES];
    struct place p;
    struct fleet f;
    int told = 0;

    meter_start();
    place_chargehand(&p, program, N, LIMIT_A, modbus_server_port(meter), NULL);
    fleet_init(&f, N, p.port, NULL, false);
    for (int i = 0; i < N; i++)
        f.bays[i].charges = true;
    f.modern = modern;
    f.period_s = 2; /* so that their samples are fresh for the next push */
    run(&f, &p, -60, base_a);
    run(&f, &p, 40, base_a);
    for (int t = 0; t < TIMES; t++) { /* one or two amperes less for each, every time */
        base_a = LIMIT_A + 10 - fleet_amps(&f) + 150;
        took_s[t] = push(&f, &p, base_a, N, &told);
        fprintf(stderr, "%d told, %.1f ms, %.0f A\n", told, took_s[t] * 1000,
                fleet_amps(&f));
        run(&f, &p, 10, base_a);
    }
    qsort(took_s, TIMES, sizeof *took_s, by_size);
    printf("{\"bench\": \"push\", \"ocpp\": \"%s\", \"chargers\": %d, \"told\": %d, "
           "\"ms\": %.1f, \"worst_ms\": %.1f}\n",
           modern ? "2.0.1" : "1.6", N, told, took_s[TIMES / 2] * 1000,
           took_s[TIMES - 1] * 1000);
    fleet_free(&f);
    place_stop(&p);
    modbus_server_stop(meter);
    return told == N && took_s[TIMES / 2] < 0.010 ? 0 : 1;
}

/* ---- fleet ---- */

/* *kb_each: the memory that each takes. */
static int fleet(const char *program, int n, const char *tls, bool modern,
                 double *kb_each)
{
    SSL_CTX *ctx = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    double base_a = 0, in_s, took_s, cpu_s;
    long empty_kb, kb;
    struct place p;
    struct fleet f;
    int told, charging = (n + 2) / 3;

    meter_start();
    place_chargehand(&p, program, n, 6 * n, modbus_server_port(meter), tls);
    empty_kb = place_kb(&p);
    fleet_init(&f, n, p.port, ctx, true);
    f.period_s = 10;
    f.modern = modern;
    cpu_s = place_cpu_s(&p);
    in_s = run(&f, &p, -120, base_a);
    printf("{\"bench\": \"connect\", \"ocpp\": \"%s\", \"chargers\": %d, \"tls\": %s, "
           "\"in\": %d, \"s\": %.1f, \"cpu_s\": %.2f}\n",
           modern ? "2.0.1" : "1.6", n, tls ? "true" : "false", f.n_booted, in_s,
           place_cpu_s(&p) - cpu_s);
    run(&f, &p, 30, base_a);
    cpu_s = place_cpu_s(&p);
    run(&f, &p, 30, base_a);
    cpu_s = place_cpu_s(&p) - cpu_s;
    kb = place_kb(&p) - empty_kb;
    base_a = 6 * n - fleet_amps(&f) + charging;
    took_s = push(&f, &p, base_a, charging, &told);
    printf(
        "{\"bench\": \"fleet\", \"ocpp\": \"%s\", \"chargers\": %d, \"tls\": %s, "
        "\"charging\": %d, "
        "\"lost\": %ld, \"late\": %ld, \"refused\": %ld, \"worst_answer_ms\": %.0f, "
        "\"cpu_percent\": %.1f, \"kb_each\": %.1f, \"told\": %d, \"push_ms\": %.0f}\n",
        modern ? "2.0.1" : "1.6", n, tls ? "true" : "false", charging, f.lost, f.late,
        f.refused, f.worst_s * 1000, cpu_s / 30 * 100, (double)kb / n, told,
        took_s * 1000);
    *kb_each = (double)kb / n;
    fleet_free(&f);
    place_stop(&p);
    modbus_server_stop(meter);
    SSL_CTX_free(ctx);
    return f.n_booted == n && in_s < 60 && f.late == 0 && f.lost == 0 &&
                   told == charging && took_s < 2 && kb < (tls ? 64 : 16) * (long)n
               ? 0
               : 1;
}

/* ---- versions ---- */

/* In turns, so that what else the machine does is in both. */
static int bench_versions(const char *program)
{
    enum { TIMES = 7, N = 1000 };
    double ratio[TIMES], kb[2];
    int result = 0;

    meter_start();
    for (int t = 0; t < TIMES; t++) {
        double rate[2];

        for (int modern = 0; modern < 2; modern++) {
            struct place p;

            place_chargehand(&p, program, CLIENTS, 1000, modbus_server_port(meter),
                             NULL);
            rate[modern] = throughput(&p, "chargehand", modern, 2);
        }
        ratio[t] = rate[1] / rate[0];
    }
    modbus_server_stop(meter);
    for (int modern = 0; modern < 2; modern++)
        result |= fleet(program, N, NULL, modern, &kb[modern]);
    qsort(ratio, TIMES, sizeof *ratio, by_size);
    printf("{\"bench\": \"versions\", \"throughput\": %.2f, \"from\": %.2f, \"to\": "
           "%.2f, \"memory\": %.2f}\n",
           ratio[TIMES / 2], ratio[0], ratio[TIMES - 1], kb[1] / kb[0]);
    return ratio[TIMES / 2] >= 0.8 && kb[1] <= 1.2 * kb[0] ? result : 1;
}

int main(int argc, char **argv)
{
    const char *ocpp = getenv("OCPP");
    bool modern = ocpp && strcmp(ocpp, "2.0.1") == 0;
    double kb_each;
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files); /* the server inherits it */
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc >= 3 && strcmp(argv[1], "throughput") == 0)
        return bench_throughput(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "push") == 0)
        return bench_push(argv[2], false) | bench_push(argv[2], true);
    if (argc >= 4 && strcmp(argv[1], "fleet") == 0)
        return fleet(argv[2], atoi(argv[3]), argv[4], modern, &kb_each);
    if (argc == 3 && strcmp(argv[1], "versions") == 0)
        return bench_versions(argv[2]);
    fprintf(stderr, "usage: load throughput CHARGEHAND [NODE-SCRIPT]\n"
                    "       load versions CHARGEHAND\n"
                    "       load push CHARGEHAND\n"
                    "       load fleet CHARGEHAND N [TLS-FOLDER]\n");
    return 64;
}
