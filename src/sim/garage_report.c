/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated garage tells its supervisor: one line of JSON each second. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"
#include "sim/garage_state.h"

void garage_say(struct garage *g, cJSON *line)
{
    char *text = cJSON_PrintUnformatted(line), *at = text;
    size_t left;

    cJSON_Delete(line);
    if (!text)
        return;
    left = strlen(text);
    text[left++] = '\n'; /* instead of the NUL */
    while (left > 0 && !g->gone) {
        ssize_t n = write(g->u->out_fd, at, left);

        if (n < 0 && errno != EINTR)
            g->gone = true;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
    }
    free(text);
}

static double kwh(int64_t nj)
{
    return (double)(nj / (SIM_NJ_PER_WH / 10)) / 10000;
}

static double amps(int64_t ma)
{
    return (double)(ma / 100) / 10;
}

static void add_verdict(const struct garage *g, cJSON *o)
{
    const struct sim_verdict *v = sim_plant_verdict(g->plant);

    cJSON_AddNumberToObject(o, "seconds", (double)v->seconds);
    cJSON_AddNumberToObject(o, "over_limit_s", (double)v->over_s);
    cJSON_AddNumberToObject(o, "over_limit_by_control_s", (double)v->by_control_s);
    cJSON_AddNumberToObject(o, "worst_over_limit_a", amps(v->worst_ma));
    cJSON_AddNumberToObject(o, "peak_kw", v->peak_w / 1000.0);
    if (v->first_circuit != SITE_NONE) {
        cJSON_AddStringToObject(o, "first_circuit",
                                g->site->circuits[v->first_circuit].name);
        cJSON_AddNumberToObject(o, "first_s",
                                (double)(garage_time_ms(g, v->first_ms) / 1000));
    }
}

/* How many speak which version, the best one first. */
static void add_versions(cJSON *o)
{
    cJSON *versions = cJSON_AddObjectToObject(o, "versions");

    for (const struct ocpp_schema *const *v = ocpp_schemas; *v; v++) {
        int n = 0;

        for (int i = 0; i < GARAGE_CHARGERS; i++)
            n += garage_speaks(&garage_chargers[i]) == *v;
        if (n > 0)
            cJSON_AddNumberToObject(versions, (*v)->version, n);
    }
}

static void add_counts(const struct garage *g, cJSON *o)
{
    struct station_counts sum = {0};

    for (int i = 0; i < GARAGE_CHARGERS; i++) {
        const struct station_counts *c;

        if (!g->stations[i])
            continue;
        c = station_counts(g->stations[i]);
        sum.boots += station_accepted(g->stations[i]);
        sum.set_points += c->set_points;
        sum.calls += c->calls;
        sum.faulty += c->faulty;
        sum.refused += c->refused;
        sum.wrong += c->wrong;
        sum.samples += c->samples;
    }
    cJSON_AddNumberToObject(o, "chargers", GARAGE_CHARGERS);
    add_versions(o);
    cJSON_AddNumberToObject(o, "chargers_connected", sum.boots);
    cJSON_AddNumberToObject(o, "set_points", (double)sum.set_points);
    cJSON_AddNumberToObject(o, "calls", (double)sum.calls);
    cJSON_AddNumberToObject(o, "calls_faulty", (double)sum.faulty);
    cJSON_AddNumberToObject(o, "calls_refused", (double)sum.refused);
    cJSON_AddNumberToObject(o, "own_faulty", (double)sum.wrong);
    cJSON_AddNumberToObject(o, "samples", (double)sum.samples);
    cJSON_AddNumberToObject(o, "meter_reads", (double)modbus_server_requests(g->meter));
}

static void add_phases(const struct garage *g, cJSON *o)
{
    cJSON *list = cJSON_AddArrayToObject(o, "physical_a");
    int32_t i_ma[SITE_PHASES];

    sim_plant_total(g->plant, 0, i_ma);
    for (int p = 0; p < SITE_PHASES; p++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(amps(i_ma[p])));
}

static const char *how(const struct garage *g, const struct garage_guest *v)
{
    const struct station_session *s = &v->session;

    if (v->state == GUEST_COMING)
        return "not come yet";
    if (s->over && garage_served(g, v))
        return "served";
    if (!s->begun)
        return "no transaction";
    if (s->drew_ms == 0)
        return s->over ? "never drew" : "waiting";
    if (s->untold_ms > 0)
        return "drew without a limit";
    if (s->transaction <= 0)
        return "transaction not confirmed";
    return s->full ? "full" : "charging";
}

static int add_sessions(const struct garage *g, cJSON *o)
{
    cJSON *list = cJSON_AddArrayToObject(o, "sessions");
    int served = 0;

    for (int i = 0; i < GARAGE_BAYS; i++) {
        const struct garage_guest *v = &g->guests[i];
        cJSON *s = cJSON_CreateObject();

        cJSON_AddStringToObject(s, "bay", garage_bays[i].name);
        cJSON_AddStringToObject(s, "state", how(g, v));
        cJSON_AddNumberToObject(s, "transaction", v->session.transaction);
        cJSON_AddNumberToObject(s, "wanted_kwh", (double)v->wanted_wh / 1000);
        cJSON_AddNumberToObject(s, "delivered_kwh", kwh(v->session.delivered_nj));
        cJSON_AddNumberToObject(s, "drew_s", (double)v->session.drew_ms / 1000);
        cJSON_AddItemToArray(list, s);
        /* where nobody has time to finish, those that are there count, too */
        served += v->state != GUEST_GONE && garage_served(g, v);
    }
    return served;
}

void garage_report(struct garage *g, bool done)
{
    cJSON *o = cJSON_CreateObject();
    int64_t nj = g->totals.served_nj, begun = g->totals.left;
    int still;

    cJSON_AddNumberToObject(o, "t", (double)(garage_time_ms(g, clock_ms()) / 1000));
    cJSON_AddBoolToObject(o, "done", done);
    still = add_sessions(g, o);
    for (int i = 0; i < GARAGE_BAYS; i++)
        if (g->guests[i].state != GUEST_GONE) {
            nj += g->guests[i].session.delivered_nj;
            begun += g->guests[i].session.begun;
        }
    cJSON_AddNumberToObject(o, "sessions_begun", (double)begun);
    cJSON_AddNumberToObject(o, "sessions_left", g->totals.left);
    cJSON_AddNumberToObject(o, "sessions_served", g->totals.served + still);
    cJSON_AddNumberToObject(o, "energy_kwh", kwh(nj));
    add_phases(g, o);
    add_verdict(g, o);
    add_counts(g, o);
    garage_say(g, o);
}
