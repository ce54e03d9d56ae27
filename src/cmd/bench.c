/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand bench: how long its calculations take on this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "core/control.h"
#include "policy.h"
#include "sim/rng.h"
#include "sim/world.h"

static const char help[] =
    "usage: chargehand bench\n"
    "\n"
    "Measures on this machine and prints a line of JSON for each:\n"
    "\n"
    "  share    one allocation for 10, 100, 1000, 10000 connectors with one, two and\n"
    "           three phases in a tree of three levels, with limits that bind at each\n"
    "  step     one step of the controller with 100 connectors in a simulated garage:\n"
    "           ticks, meter readings, samples, answers, cars that come, loads that "
    "jump\n"
    "  replay   seconds of that garage that are simulated in a second\n"
    "\n"
    "Times are the processor's, as the thread has used it: mean, and the time that 99\n"
    "of 100 do not exceed.\n";

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- times ---- */

struct times {
    int64_t *ns;
    int n, room;
    int64_t clock_ns; /* what reading the clock takes by itself */
};

static bool times_init(struct times *t, int room)
{
    *t = (struct times){malloc((size_t)room * sizeof *t->ns), 0, room, INT64_MAX};
    for (int i = 0; i < 100; i++) {
        int64_t from = now_ns(), took = now_ns() - from;

        t->clock_ns = took < t->clock_ns ? took : t->clock_ns;
    }
    return t->ns;
}

static void times_add(struct times *t, int64_t from_ns)
{
    int64_t took = now_ns() - from_ns - t->clock_ns;

    if (t->n < t->room)
        t->ns[t->n++] = took > 0 ? took : 0;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Prints them; the mean is that of all, when `mean_us` is below 0. */
static void times_print(struct times *t, const char *bench, int n, double mean_us)
{
    double sum = 0;

    for (int i = 0; i < t->n; i++)
        sum += (double)t->ns[i];
    if (mean_us < 0)
        mean_us = sum / t->n / 1000;
    qsort(t->ns, (size_t)t->n, sizeof *t->ns, by_size);
    printf("{\"bench\": \"%s\", \"n\": %d, \"mean_us\": %.2f, \"p99_us\": %.2f}\n",
           bench, n, mean_us, (double)t->ns[(t->n - 1) * 99LL / 100] / 1000);
    fflush(stdout);
}

/* ---- a site of three levels ---- */

enum {
    PER_BOARD = 10,  /* connectors on a distribution board */
    PER_FEEDER = 10, /* boards on a feeder */
    VOLTAGE_MV = 230000
};

struct place {
    int n, boards, feeders;
    struct site_circuit *circuits; /* grid, feeders, boards */
    struct site_connector *connectors;
    struct site_charger *chargers;
    struct site_meter meter;
    struct site site;
};

/* Room for about two thirds of what the cars can take on each board, half on a feeder,
 * 45 % at the grid connection, and a little less in power; phases differ. */
static void place_circuit(struct place *p, int v, struct sim_rng *r)
{
    static const int per_cent[] = {45, 50, 66};
    int level = v == 0 ? 0 : v <= p->feeders ? 1 : 2;
    int cars = level == 0 ? p->n : level == 1 ? p->n / p->feeders : p->n / p->boards;
    int64_t most_ma = (int64_t)cars * 16000; /* per phase, three of four load it */
    struct site_circuit *c = &p->circuits[v];

    *c = (struct site_circuit){
        .name = level == 0   ? "grid"
                : level == 1 ? "feeder"
                             : "board",
        .parent = level == 0   ? SITE_NONE
                  : level == 1 ? 0
                               : 1 + (v - 1 - p->feeders) % p->feeders,
        .meter = SITE_NONE,
    };
    for (int ph = 0; ph < SITE_PHASES; ph++) {
        int64_t ma = most_ma * per_cent[level] / 100;

        c->limit_ma[ph] = (int32_t)(ma * sim_rng_between(r, 80, 120) / 100);
    }
    if (level == 0)
        c->power_limit_w = (int32_t)(most_ma * 42 / 100 * 3 * VOLTAGE_MV / 1000000);
}

static void place_connector(struct place *p, int i, struct sim_rng *r)
{
    static const uint8_t wirings[][SITE_PHASES] = {
        {0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, SITE_NO_PHASE, SITE_NO_PHASE},
        {0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {1, SITE_NO_PHASE, SITE_NO_PHASE},
        {0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {2, 0, SITE_NO_PHASE},
    };
    struct site_connector *c = &p->connectors[i];

    *c = (struct site_connector){
        .name = "bay",
        .charger = i,
        .circuit = 1 + p->feeders + i % p->boards,
        .min_ma = 6000,
        .max_ma = sim_rng_between(r, 0, 1) ? 16000 : 32000,
        .step_ma = sim_rng_between(r, 0, 3) ? 100 : 1000,
        .weight = 1,
        .mode = MODE_AUTO,
    };
    memcpy(c->wiring, wirings[sim_rng_between(r, 0, 11)], sizeof c->wiring);
    p->chargers[i] = (struct site_charger){"CP"};
}

static bool place_init(struct place *p, int n, uint64_t seed)
{
    struct sim_rng r = sim_rng_stream(seed, (uint64_t)n);

    *p = (struct place){.n = n};
    p->boards = (n + PER_BOARD - 1) / PER_BOARD;
    p->feeders = (p->boards + PER_FEEDER - 1) / PER_FEEDER;
    p->meter = (struct site_meter){"main", METER_CIRCUIT, 1000, 10000};
    p->site = (struct site){.name = "bench",
                            .voltage_mv = VOLTAGE_MV,
                            .policy = policies[0],
                            .lease_ms = 600000,
                            .settle_ms = 10000,
                            .dwell_ms = 900000,
                            .pause_ms = 60000,
                            .n_circuits = 1 + p->feeders + p->boards,
                            .n_connectors = n,
                            .n_meters = 1,
                            .n_chargers = n,
                            .meters = &p->meter};
    p->circuits = calloc((size_t)p->site.n_circuits, sizeof *p->circuits);
    p->connectors = calloc((size_t)n, sizeof *p->connectors);
    p->chargers = calloc((size_t)n, sizeof *p->chargers);
    if (!p->circuits || !p->connectors || !p->chargers)
        return false;
    for (int v = 0; v < p->site.n_circuits; v++)
        place_circuit(p, v, &r);
    for (int i = 0; i < n; i++)
        place_connector(p, i, &r);
    p->site.circuits = p->circuits;
    p->site.connectors = p->connectors;
    p->site.chargers = p->chargers;
    return true;
}

static void place_free(struct place *p)
{
    free(p->circuits);
    free(p->connectors);
    free(p->chargers);
}

/* ---- share ---- */

struct problem {
    struct share_tree tree;
    struct share_car *cars;
};

static bool problem_init(struct problem *p, const struct site *s)
{
    size_t nc = (size_t)s->n_circuits;

    p->tree.n_circuits = s->n_circuits;
    p->tree.parent = calloc(nc, sizeof *p->tree.parent);
    p->tree.room_ma = calloc(nc, sizeof *p->tree.room_ma);
    p->tree.unbalance_ma = calloc(nc, sizeof *p->tree.unbalance_ma);
    p->cars = calloc((size_t)s->n_connectors, sizeof *p->cars);
    if (!p->tree.parent || !p->tree.room_ma || !p->tree.unbalance_ma || !p->cars)
        return false;
    for (int v = 0; v < s->n_circuits; v++) {
        const struct site_circuit *c = &s->circuits[v];

        p->tree.parent[v] = c->parent;
        for (int ph = 0; ph < SITE_PHASES; ph++)
            p->tree.room_ma[v][ph] = c->limit_ma[ph];
        p->tree.room_ma[v][SHARE_POWER] =
            c->power_limit_w ? (int64_t)c->power_limit_w * 1000000 / s->voltage_mv
                             : SHARE_NO_LIMIT;
        p->tree.room_ma[v][SHARE_SOLAR] = SHARE_NO_LIMIT;
    }
    for (int i = 0; i < s->n_connectors; i++) {
        const struct site_connector *c = &s->connectors[i];

        p->cars[i] = (struct share_car){.circuit = (int16_t)c->circuit,
                                        .phases = site_phase_mask(c),
                                        .min_ma = c->min_ma,
                                        .max_ma = c->max_ma,
                                        .step_ma = c->step_ma,
                                        .weight = 1,
                                        .sun_ma = SHARE_NO_SUN};
    }
    return true;
}

static void problem_free(struct problem *p)
{
    free(p->tree.parent);
    free(p->tree.room_ma);
    free(p->tree.unbalance_ma);
    free(p->cars);
}

enum { PROBLEMS = 40 };

/* All problems, many times over: one by one for the spread, and in one go for the mean,
 * since looking at the clock takes a good part of the time that ten connectors take. */
static void solve(struct problem *p, int n, int rounds, void *scratch, struct times *t)
{
    int64_t from;

    for (int i = 0; i < rounds * PROBLEMS; i++) {
        struct problem *one = &p[i % PROBLEMS];

        from = now_ns();
        share(&one->tree, one->cars, n, SHARE_ADMIT_FIRST, scratch);
        times_add(t, from);
    }
    from = now_ns();
    for (int i = 0; i < rounds * PROBLEMS; i++)
        share(&p[i % PROBLEMS].tree, p[i % PROBLEMS].cars, n, SHARE_ADMIT_FIRST,
              scratch);
    times_print(t, "share", n, (double)(now_ns() - from) / rounds / PROBLEMS / 1000);
}

/* Returns an exit code. */
static int bench_share(int n)
{
    int rounds = n < 10000 ? 40000 / n : 3, code = EXIT_GOOD;
    struct problem *p = calloc(PROBLEMS, sizeof *p);
    void *scratch = malloc(share_size(n, n)); /* fewer circuits than connectors */
    struct times t;

    if (!times_init(&t, rounds * PROBLEMS) || !scratch || !p)
        code = EXIT_UNAVAILABLE;
    for (int i = 0; i < PROBLEMS && code == EXIT_GOOD; i++) {
        struct place place;

        if (!place_init(&place, n, (uint64_t)i) || !problem_init(&p[i], &place.site))
            code = EXIT_UNAVAILABLE;
        place_free(&place);
    }
    if (code == EXIT_GOOD)
        solve(p, n, rounds, scratch, &t);
    for (int i = 0; i < PROBLEMS && p; i++) {
        if (code == EXIT_GOOD && share_check(&p[i].tree, p[i].cars, n, scratch) != 0)
            code = EXIT_BUG;
        problem_free(&p[i]);
    }
    free(p);
    free(scratch);
    free(t.ns);
    return code;
}

/* ---- the controller in a simulated garage ---- */

enum { GARAGE = 100, GARAGE_S = 3600, LOAD_EVERY_S = 20 };

struct garage {
    struct place place;
    struct sim_session sessions[GARAGE];
    struct sim_load loads[GARAGE_S / LOAD_EVERY_S];
    struct control *control;
    struct times *times; /* NULL = not measured one by one */
};

static bool garage_init(struct garage *g)
{
    struct sim_rng r = sim_rng_stream(1, 1);

    if (!place_init(&g->place, GARAGE, 1))
        return false;
    g->place.circuits[0].meter = 0;
    for (int i = 0; i < GARAGE; i++)
        g->sessions[i] = (struct sim_session){
            .connector = i,
            .arrival_s = i * 5, /* the last ones come when the first ones charge */
            .departure_s = GARAGE_S,
            .energy_wh = sim_rng_between(&r, 2000, 20000),
        };
    for (int i = 0; i < GARAGE_S / LOAD_EVERY_S; i++) {
        g->loads[i] = (struct sim_load){.at_s = i * LOAD_EVERY_S, .meter = SITE_NONE};
        for (int p = 0; p < SITE_PHASES; p++)
            g->loads[i].i_ma[p] = (int32_t)sim_rng_between(&r, 20000, 300000);
    }
    return true;
}

static size_t garage_step(void *arg, const struct event *e, struct order *out)
{
    struct garage *g = arg;
    int64_t from;
    size_t n;

    if (!g->times)
        return control_step(g->control, e, out);
    from = now_ns();
    n = control_step(g->control, e, out);
    times_add(g->times, from);
    return n;
}

/* Plays the hour. The ticks, or -1. */
static int64_t garage_run(struct garage *g)
{
    struct sim_sessions sessions = {g->sessions, GARAGE};
    struct sim_loads loads = {g->loads, GARAGE_S / LOAD_EVERY_S};
    const struct site *s = &g->place.site;
    struct sim_setup u = {.site = s,
                          .sessions = &sessions,
                          .loads = &loads,
                          .real = true,
                          .seed = 1,
                          .brain = {g, garage_step, control_max_orders(s)}};
    void *mem = malloc(control_size(s));
    struct sim_outcome outcome = {0};
    const char *fault = "no memory";

    if (mem) {
        g->control = control_init(mem, s, 0, 0);
        fault = sim_world_run(&u, &outcome);
    }
    free(mem);
    if (!fault)
        return outcome.ticks;
    fprintf(stderr, "chargehand bench: %s\n", fault);
    return -1;
}

static int bench_garage(void)
{
    struct garage *g = calloc(1, sizeof *g);
    struct times t = {0};
    int code = EXIT_UNAVAILABLE;
    int64_t ticks, from;

    if (g && times_init(&t, 1000000) && garage_init(g)) {
        g->times = &t;
        ticks = garage_run(g);
        if (ticks > 0) {
            times_print(&t, "step", GARAGE, -1);
            g->times = NULL;
            from = now_ns();
            ticks = garage_run(g);
            printf("{\"bench\": \"replay\", \"n\": %d, \"ticks_per_s\": %.0f}\n",
                   GARAGE, (double)ticks * 1e9 / (double)(now_ns() - from));
            code = EXIT_GOOD;
        }
    }
    if (g)
        place_free(&g->place);
    free(g);
    free(t.ns);
    return code;
}

int cmd_bench(int argc, char **argv)
{
    int code = EXIT_GOOD;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    if (argc == 2 && strcmp(argv[1], "--json") == 0) /* as it does anyway */
        argc = 1;
    if (argc != 1) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    for (int n = 10; n <= 10000 && code == EXIT_GOOD; n *= 10)
        code = bench_share(n);
    if (code == EXIT_GOOD)
        code = bench_garage();
    if (code != EXIT_GOOD)
        fprintf(stderr, "chargehand bench: %s\n",
                code == EXIT_BUG ? "our bug: the check had to cut an answer"
                                 : "it did not work");
    return code;
}
