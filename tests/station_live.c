/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated charger as a program, so that it can be tried against central systems
 * of others (tests/e2e/test/station.test.js): station_live VERSION ID PORT.
 *
 * It reads lines: "plug TAG WH", "unplug", "cut MS" (its link, for so long), "limit
 * TENTHS" (others limit it; below 0: no longer). When there are no more it writes what
 * it had to object to, as JSON, and ends. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/loop.h"
#include "sim/station_state.h"

enum { TICK_MS = 20, OTHERS_S = 3600 };

struct live {
    struct loop *loop;
    struct station *s;
    char in[256];
    size_t n;
    bool cut; /* its link is going: what comes next is done when it is gone */
};

static void command(struct live *l, const char *line)
{
    char tag[STATION_TAG];
    struct sim_car car;
    int64_t now_ms = clock_ms();
    int n;

    if (sscanf(line, "plug %36s %d", tag, &n) == 2) {
        sim_car_ideal(&car, n, 3, 16000, 6000);
        station_plug(l->s, 0, now_ms, &car, tag, 0);
    } else if (strcmp(line, "unplug") == 0) {
        station_unplug(l->s, 0, now_ms);
    } else if (sscanf(line, "cut %d", &n) == 1) {
        ocpp_client_drop(l->s->client, n);
        l->cut = true;
    } else if (sscanf(line, "limit %d", &n) == 1) {
        station_constrain(l->s, 1, n, OTHERS_S);
    }
}

/* False when there is nothing more to come. */
static bool listen_to(struct live *l)
{
    ssize_t n = read(STDIN_FILENO, l->in + l->n, sizeof l->in - 1 - l->n);
    char *end;

    if (n > 0)
        l->n += (size_t)n;
    l->in[l->n] = '\0';
    l->cut = l->cut && ocpp_client_is_open(l->s->client);
    while (!l->cut && (end = strchr(l->in, '\n'))) {
        *end = '\0';
        command(l, l->in);
        l->n -= (size_t)(end + 1 - l->in);
        memmove(l->in, end + 1, l->n + 1);
    }
    return n != 0;
}

static void tick(void *arg)
{
    struct live *l = arg;
    const struct station_counts *c = station_counts(l->s);

    station_tick(l->s, clock_ms());
    if (listen_to(l))
        return;
    printf("{\"calls\":%lld,\"faulty\":%lld,\"wrong\":%lld}\n", (long long)c->calls,
           (long long)c->faulty, (long long)c->wrong);
    loop_stop(l->loop);
}

int main(int argc, char **argv)
{
    struct live l = {.loop = loop_new()};
    struct station_setup u = {
        .host = "127.0.0.1",
        .vendor = "Fir",
        .model = "Single",
        .firmware = "1.0",
        .rotation = "1.RST",
        .voltage_mv = 230000,
        .phase_switch = true,
        .rng = {(uint64_t)clock_utc_s()},
        .n_bays = 1,
        .bay = {{7, 6000, 16000, 100}},
    };

    if (argc != 4 || !l.loop)
        return 64;
    u.schema = ocpp_schema_choose(NULL, argv[1]);
    u.identity = argv[2];
    u.port = atoi(argv[3]);
    u.lws = loop_lws(l.loop);
    l.s = u.schema ? station_new(&u, clock_ms()) : NULL;
    if (!l.s || fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0 ||
        !loop_every(l.loop, TICK_MS, tick, &l))
        return 69;
    loop_run(l.loop, NULL, NULL);
    station_free(l.s);
    loop_free(l.loop);
    return 0;
}
