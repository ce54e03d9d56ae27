/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of `chargehand replay`: what a run came to, and how it is shown. */
#ifndef CMD_REPLAY_H
#define CMD_REPLAY_H

#include <stdio.h>
#include "config/config.h"
#include "io/journal.h"
#include "sim/world.h"

enum { REPLAY_RUNS = 16, REPLAY_SET = 64 };

struct replay_options {
    const char *config, *sessions, *loads, *report, *journal;
    const char *policies[REPLAY_RUNS];
    int n_policies;
    const char *set[REPLAY_SET + 1];
    int n_set;
    bool compare, ideal, json;
    double power_kw, car_max_a;
    uint64_t seed;
};

/* Returns -1 when all is well, else the exit code; what is wrong has been said. */
int replay_parse(struct replay_options *o, int argc, char **argv);

/* `replay --generate WEEK DIR`, see data/README.md. Returns the exit code. */
int replay_generate(int argc, char **argv);

/* Begins the file anew. *troubled is set when it cannot be written. NULL = no memory.
 */
struct journal *replay_journal_open(const char *path, bool *troubled);
/* Begins a part: the site may differ from the file's by what the command line says. */
void replay_journal_head(struct journal *j, const struct config *c,
                         const struct site *s, const struct control *k, int64_t utc_s,
                         int64_t mono_ms);

/* The figures of one run; see the table in replay_result.c for what each one is. */
struct replay_result {
    const char *policy;
    double sessions, simulated_s, wall_s, ticks;
    double requested_kwh, delivered_kwh, delivered_pct, complete_pct;
    double peak_kw, peak_cars_kw, starts_per_session;
    double setpoints, renewals, samples_asked, jain;
    double over_s, over_control_s, worst_a;
    double power_over_s, power_over_control_s, worst_kw;
    double reaction_s, check_failures;
    int blame_circuit; /* where control was first to blame, or SITE_NONE */
    int64_t blame_ms;
};

/* The most that flowed in each circuit, phase and stretch of time, for the report. */
struct replay_trace {
    int n_circuits, buckets;
    int64_t bucket_ms;
    int32_t (*total_ma)[SITE_PHASES]; /* [bucket * n_circuits + circuit] */
    int32_t (*base_ma)[SITE_PHASES];
};

/* One run with what it needs to be shown. */
struct replay_run {
    struct replay_result result;
    struct replay_trace trace;
    struct sim_session *sessions; /* a copy of its own, with what became of them */
};

/* What is the same in all runs. */
struct replay_set {
    const struct site *site;
    const char *site_file, *sessions_file, *loads_file; /* NULL */
    const char *plant;
    uint64_t seed;
    int64_t from_s, to_s; /* UTC */
    int n_sessions;
    struct replay_run *runs;
    int n_runs;
};

void replay_reckon(struct replay_result *r, const char *policy,
                   const struct sim_outcome *o, const struct sim_sessions *s);
void replay_print(const struct replay_set *set, FILE *to);
void replay_print_json(const struct replay_set *set, bool compare, FILE *to);

bool replay_trace_init(struct replay_trace *t, int n_circuits, int64_t span_ms);
void replay_trace_add(struct replay_trace *t, int64_t now_ms,
                      const struct sim_plant *p);
void replay_trace_free(struct replay_trace *t);

/* Writes the page. False with errno when it cannot. */
bool replay_report(const struct replay_set *set, const char *path);

/* The rows of the table of results; ends with a NULL key. */
struct replay_figure {
    const char *key;   /* in JSON */
    const char *label; /* for people */
    int decimals;
    bool brief; /* people want to see it */
    size_t offset;
};
extern const struct replay_figure replay_figures[];

static inline double replay_figure(const struct replay_result *r,
                                   const struct replay_figure *f)
{
    return *(const double *)(const void *)((const char *)r + f->offset);
}

#endif
