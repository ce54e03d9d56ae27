/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated garage as a process. */
#include "sim/garage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "sim/garage_load.h"
#include "sim/garage_state.h"

enum {
    TICK_MS = 100,
    ANSWER_MS = 600,  /* a charger takes up to so long to answer a call ... */
    ACT_MS = 800,     /* ... then until it acts, ... */
    SETTLE_MS = 3000, /* ... and the slowest car until it has followed */
    READ_MS = 150
};

int64_t garage_time_ms(const struct garage *g, int64_t now_ms)
{
    return g->start_ms < 0 ? 0 : now_ms - g->start_ms;
}

static int64_t reaction_ms(void)
{
    /* meter period and answer, a call for each connector and the one under way */
    return 1000 + READ_MS + (1 + STATION_BAYS) * ANSWER_MS + ACT_MS + SETTLE_MS;
}

/* ---- the physical side */

static void flow(struct garage *g, int64_t now_ms)
{
    for (int i = 0; i < GARAGE_BAYS; i++) {
        const struct garage_bay *b = &garage_bays[i];
        const struct site_connector *c = &g->site->connectors[i];
        int32_t own_ma[SITE_PHASES], site_ma[SITE_PHASES] = {0};

        sim_bay_current(station_bay(g->stations[b->charger], b->number - 1), own_ma);
        for (int p = 0; p < SITE_PHASES; p++)
            if (c->wiring[p] != SITE_NO_PHASE)
                site_ma[c->wiring[p]] += own_ma[p];
        sim_plant_set_car(g->plant, i, site_ma);
    }
    sim_plant_look(g->plant, now_ms);
}

static void base_load(struct garage *g, int64_t now_ms)
{
    int32_t was_ma[SITE_PHASES], i_ma[SITE_PHASES];

    garage_load(garage_time_ms(g, now_ms), g->u->seed, i_ma);
    sim_plant_base(g->plant, 0, was_ma);
    if (memcmp(was_ma, i_ma, sizeof i_ma) != 0)
        sim_plant_set_base(g->plant, now_ms, 0, i_ma);
}

static void show_meter(struct garage *g, int64_t now_ms)
{
    int32_t i_ma[SITE_PHASES];

    sim_plant_total(g->plant, 0, i_ma);
    modbus_server_set(g->meter, i_ma, NULL, NULL);
    /* W x ms = 1/3,600,000 Wh */
    g->import_nwh += sim_plant_power_w(g->plant, 0) * (now_ms - g->metered_ms) *
                     INT64_C(1000000000) / 3600000;
    g->metered_ms = now_ms;
    modbus_server_set_energy(g->meter, g->import_nwh / INT64_C(1000000000), 0);
}

/* ---- commands of the supervisor */

static bool read_password(struct garage *g, int charger)
{
    char path[512];
    FILE *f;
    bool ok;

    snprintf(path, sizeof path, "%s/keys/%s", g->u->folder,
             garage_chargers[charger].id);
    f = fopen(path, "re");
    if (!f)
        return false;
    ok = fgets(g->passwords[charger], sizeof g->passwords[charger], f) != NULL;
    g->passwords[charger][strcspn(g->passwords[charger], "\r\n")] = '\0';
    fclose(f);
    return ok;
}

static struct station *build(struct garage *g, int charger, int port, int64_t now_ms)
{
    const struct garage_charger *c = &garage_chargers[charger];
    struct station_setup u = {
        .schema = garage_speaks(c),
        .lws = loop_lws(g->loop),
        .host = "127.0.0.1",
        .port = port,
        .identity = c->id,
        .password = read_password(g, charger) ? g->passwords[charger] : NULL,
        .vendor = c->vendor,
        .model = c->model,
        .firmware = "1.0",
        .rotation = c->rotation,
        .voltage_mv = g->site->voltage_mv,
        .answer_max_ms = ANSWER_MS,
        .act_max_ms = ACT_MS,
        .rng = sim_rng_stream(g->u->seed, 1 + (uint64_t)charger),
    };

    for (int i = 0; i < GARAGE_BAYS; i++) {
        const struct site_connector *s = &g->site->connectors[i];
        int n = u.n_bays;

        if (s->charger != charger)
            continue;
        for (int p = 0; p < SITE_PHASES; p++)
            if (s->wiring[p] != SITE_NO_PHASE)
                u.bay[n].wires |= (uint8_t)(1 << p);
        u.bay[n].min_ma = s->min_ma;
        u.bay[n].max_ma = s->max_ma;
        u.bay[n].step_ma = s->step_ma;
        u.n_bays++;
    }
    return station_new(&u, now_ms);
}

static void go(struct garage *g, int port)
{
    int64_t now_ms = clock_ms();

    if (g->start_ms >= 0)
        return;
    for (int i = 0; i < GARAGE_CHARGERS; i++) {
        g->stations[i] = build(g, i, port, now_ms);
        if (!g->stations[i]) {
            log_errorx("the garage: no memory");
            loop_stop(g->loop);
            return;
        }
    }
    g->start_ms = g->metered_ms = now_ms;
    g->second_ms = now_ms + 1000;
}

static void finish(struct garage *g)
{
    if (!g->done)
        garage_report(g, true);
    g->done = true;
}

static void command(struct garage *g, const char *line)
{
    int port;

    if (sscanf(line, "go %d", &port) == 1)
        go(g, port);
    else if (strcmp(line, "stop") == 0)
        finish(g);
}

static void commands(struct garage *g)
{
    ssize_t n;
    char *end;

    while ((n = read(g->u->in_fd, g->in + g->n_in, sizeof g->in - 1 - g->n_in)) > 0) {
        g->n_in += (size_t)n;
        g->in[g->n_in] = '\0';
        while ((end = strchr(g->in, '\n'))) {
            *end = '\0';
            command(g, g->in);
            g->n_in -= (size_t)(end + 1 - g->in);
            memmove(g->in, end + 1, g->n_in + 1);
        }
        if (g->n_in == sizeof g->in - 1)
            g->n_in = 0; /* too long to be one of ours */
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR) || g->gone)
        loop_stop(g->loop);
}

/* ---- all of it */

static void tick(void *arg)
{
    struct garage *g = arg;
    int64_t now_ms = clock_ms();

    commands(g);
    if (g->start_ms < 0 || !g->stations[GARAGE_CHARGERS - 1])
        return;
    base_load(g, now_ms);
    garage_guests_tick(g, now_ms);
    for (int i = 0; i < GARAGE_CHARGERS; i++)
        station_tick(g->stations[i], now_ms);
    flow(g, now_ms);
    show_meter(g, now_ms);
    if (now_ms < g->second_ms || g->done)
        return;
    g->second_ms += 1000;
    sim_plant_second(g->plant, now_ms);
    garage_report(g, false);
}

static const char *set_up(struct garage *g)
{
    static char err[256];

    g->site = garage_site();
    g->rng = sim_rng_stream(g->u->seed, 0);
    g->plant = sim_plant_new(g->site, reaction_ms());
    g->loop = loop_new();
    if (!g->plant || !g->loop || !loop_every(g->loop, TICK_MS, tick, g))
        return "no memory";
    g->meter = modbus_server_new(GARAGE_METER, 1, 0, err, sizeof err);
    if (!g->meter)
        return err;
    garage_guests_init(g);
    if (fcntl(g->u->in_fd, F_SETFL, O_NONBLOCK) < 0)
        return "its supervisor cannot be heard";
    return NULL;
}

static void tear_down(struct garage *g)
{
    for (int i = 0; i < GARAGE_CHARGERS; i++)
        station_free(g->stations[i]);
    if (g->meter)
        modbus_server_stop(g->meter);
    loop_free(g->loop);
    sim_plant_free(g->plant);
}

int garage_run(const struct garage_setup *u)
{
    struct garage g = {.u = u, .start_ms = -1};
    cJSON *first = cJSON_CreateObject();
    const char *fault;

    signal(SIGPIPE, SIG_IGN);
    fault = set_up(&g);
    if (fault)
        cJSON_AddStringToObject(first, "error", fault);
    else
        cJSON_AddNumberToObject(first, "meter_port", modbus_server_port(g.meter));
    garage_say(&g, first);
    if (!fault) {
        loop_run(g.loop, NULL, NULL);
        finish(&g);
    }
    tear_down(&g);
    return fault ? 1 : 0;
}
