/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay came to, as figures, as a table for people and as JSON. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <cjson/cJSON.h>

#include "cmd/replay.h"
#include "io/clock.h"
#include "policy.h"
#include "sim/car.h"

#define FIGURE(field) offsetof(struct replay_result, field)

const struct replay_figure replay_figures[] = {
    {"sessions", "sessions", 0, true, FIGURE(sessions)},
    {"simulated_s", "simulated, s", 0, true, FIGURE(simulated_s)},
    {"wall_s", "took, s", 3, true, FIGURE(wall_s)},
    {"ticks", "ticks", 0, false, FIGURE(ticks)},
    {"energy_requested_kwh", "energy asked for, kWh", 3, true, FIGURE(requested_kwh)},
    {"energy_delivered_kwh", "energy delivered, kWh", 3, true, FIGURE(delivered_kwh)},
    {"delivered_pct", "delivered, %", 3, true, FIGURE(delivered_pct)},
    {"sessions_complete_pct", "sessions complete, %", 3, true, FIGURE(complete_pct)},
    {"peak_kw", "peak of the site, kW", 3, true, FIGURE(peak_kw)},
    {"peak_cars_kw", "peak of the cars, kW", 3, true, FIGURE(peak_cars_kw)},
    {"starts_per_session", "starts per session", 3, true, FIGURE(starts_per_session)},
    {"setpoints_sent", "set points sent", 0, true, FIGURE(setpoints)},
    {"setpoints_renewed", "... of them renewals", 0, true, FIGURE(renewals)},
    {"samples_asked", "meter values asked for", 0, false, FIGURE(samples_asked)},
    {"jain", "fairness (Jain)", 4, true, FIGURE(jain)},
    {"over_limit_s", "over a limit, s", 0, true, FIGURE(over_s)},
    {"over_limit_by_control_s", "... by control, s", 0, true, FIGURE(over_control_s)},
    {"worst_over_limit_a", "worst over a limit, A", 3, true, FIGURE(worst_a)},
    {"over_power_s", "over a power limit, s", 0, true, FIGURE(power_over_s)},
    {"over_power_by_control_s", "... by control, s", 0, true,
     FIGURE(power_over_control_s)},
    {"worst_over_power_kw", "worst over it, kW", 3, true, FIGURE(worst_kw)},
    {"reaction_s", "reaction time, s", 3, false, FIGURE(reaction_s)},
    {"check_failures", "answers cut by the check", 0, false, FIGURE(check_failures)},
    {NULL, NULL, 0, false, 0},
};

/* A session is complete when it got 99.9 % of what was asked for. */
static bool complete(const struct sim_session *s)
{
    return s->delivered_nj >= s->energy_wh * (SIM_NJ_PER_WH / 1000 * 999);
}

static double served(const struct sim_session *s)
{
    if (s->energy_wh == 0)
        return 1;
    return (double)s->delivered_nj / (double)SIM_NJ_PER_WH / (double)s->energy_wh;
}

static void reckon_sessions(struct replay_result *r, const struct sim_sessions *all)
{
    double sum = 0, squares = 0, n_complete = 0, starts = 0, n = all->n ? all->n : 1;

    for (int i = 0; i < all->n; i++) {
        const struct sim_session *s = &all->list[i];
        double part = served(s);

        r->requested_kwh += (double)s->energy_wh / 1000;
        r->delivered_kwh += (double)s->delivered_nj / (double)SIM_NJ_PER_WH / 1000;
        n_complete += complete(s);
        starts += s->starts;
        sum += part;
        squares += part * part;
    }
    r->sessions = all->n;
    r->delivered_pct =
        r->requested_kwh > 0 ? 100 * r->delivered_kwh / r->requested_kwh : 100;
    r->complete_pct = all->n ? 100 * n_complete / n : 100;
    r->starts_per_session = starts / n;
    r->jain = squares > 0 ? sum * sum / (n * squares) : 1;
}

void replay_reckon(struct replay_result *r, const char *policy,
                   const struct sim_outcome *o, const struct sim_sessions *s)
{
    const struct sim_verdict *v = &o->verdict;

    *r = (struct replay_result){
        .policy = policy,
        .simulated_s = (double)o->simulated_s,
        .ticks = (double)o->ticks,
        .peak_kw = v->peak_w / 1000.0,
        .peak_cars_kw = v->peak_cars_w / 1000.0,
        .setpoints = (double)o->setpoints,
        .renewals = (double)o->renewals,
        .samples_asked = (double)o->samples_asked,
        .over_s = (double)v->over_s,
        .over_control_s = (double)v->by_control_s,
        .worst_a = v->worst_ma / 1000.0,
        .power_over_s = (double)v->power_over_s,
        .power_over_control_s = (double)v->power_by_control_s,
        .worst_kw = v->worst_w / 1000.0,
        .reaction_s = (double)o->reaction_ms / 1000,
        .blame_circuit = v->first_circuit,
        .blame_ms = v->first_ms,
    };
    reckon_sessions(r, s);
}

/* Where and when control was first to blame: for whoever looks into it. */
static void print_blame(const struct replay_set *set, FILE *to)
{
    char utc[21];

    for (int i = 0; i < set->n_runs; i++) {
        const struct replay_result *r = &set->runs[i].result;

        if (r->blame_circuit == SITE_NONE)
            continue;
        clock_format_utc(set->from_s + r->blame_ms / 1000, utc);
        fprintf(to, "\n%s: first over a limit by control at %s in circuit %s\n",
                r->policy, utc, set->site->circuits[r->blame_circuit].name);
    }
}

void replay_print(const struct replay_set *set, FILE *to)
{
    fprintf(to, "%s, %s plant, seed %llu\n\n%-24s", set->site->name, set->plant,
            (unsigned long long)set->seed, "policy");
    for (int i = 0; i < set->n_runs; i++)
        fprintf(to, " %14s", set->runs[i].result.policy);
    fputc('\n', to);
    for (const struct replay_figure *f = replay_figures; f->key; f++) {
        if (!f->brief)
            continue;
        fprintf(to, "%-24s", f->label);
        for (int i = 0; i < set->n_runs; i++)
            fprintf(to, " %14.*f", f->decimals, replay_figure(&set->runs[i].result, f));
        fputc('\n', to);
    }
    print_blame(set, to);
}

static cJSON *run_json(const struct replay_set *set, const struct replay_result *r)
{
    cJSON *o = cJSON_CreateObject();
    char utc[21];

    cJSON_AddStringToObject(o, "policy", r->policy);
    cJSON_AddStringToObject(o, "plant", set->plant);
    cJSON_AddNumberToObject(o, "seed", (double)set->seed);
    for (const struct replay_figure *f = replay_figures; f->key; f++) {
        double scale = pow(10, f->decimals);

        cJSON_AddNumberToObject(o, f->key, round(replay_figure(r, f) * scale) / scale);
    }
    if (r->blame_circuit != SITE_NONE) {
        cJSON_AddStringToObject(o, "first_by_control_circuit",
                                set->site->circuits[r->blame_circuit].name);
        cJSON_AddStringToObject(
            o, "first_by_control_at",
            clock_format_utc(set->from_s + r->blame_ms / 1000, utc));
    }
    return o;
}

void replay_print_json(const struct replay_set *set, bool compare, FILE *to)
{
    cJSON *top, *runs;
    char *text;

    if (compare) {
        top = cJSON_CreateObject();
        runs = cJSON_AddArrayToObject(top, "runs");
        for (int i = 0; i < set->n_runs; i++)
            cJSON_AddItemToArray(runs, run_json(set, &set->runs[i].result));
    } else {
        top = run_json(set, &set->runs[0].result);
    }
    text = cJSON_Print(top);
    if (text)
        fprintf(to, "%s\n", text);
    free(text);
    cJSON_Delete(top);
}
