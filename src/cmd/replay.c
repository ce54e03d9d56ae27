/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand replay: the same controller on recorded data, with simulated cars. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/replay.h"
#include "config/config.h"
#include "core/control.h"
#include "io/clock.h"
#include "io/log.h"
#include "policy.h"

/* ---- names in recordings */

/* A connector by its id (CP-01_1), its charger's id where that has one only, or its
 * name. */
static int find_connector(void *arg, const char *name)
{
    const struct config *c = arg;
    int found = SIM_UNKNOWN;

    for (int i = 0; i < c->site.n_connectors; i++)
        if (strcmp(c->connectors[i].cid, name) == 0)
            return i;
    for (int i = 0; i < c->site.n_chargers; i++)
        if (c->chargers[i].id && strcmp(c->chargers[i].id, name) == 0)
            return c->chargers[i].n == 1 ? c->chargers[i].first : SIM_AMBIGUOUS;
    for (int i = 0; i < c->site.n_connectors; i++)
        if (c->connectors[i].name && strcmp(c->connectors[i].name, name) == 0)
            found = found == SIM_UNKNOWN ? i : SIM_AMBIGUOUS;
    return found;
}

static int find_circuit(void *arg, const char *name, int *meter)
{
    const struct config *c = arg;

    for (int i = 0; i < c->site.n_circuits; i++)
        if (strcmp(c->site.circuits[i].name, name) == 0)
            return i;
    for (int i = 0; i < c->site.n_meters; i++)
        if (c->site.meters[i].role == METER_SOLAR &&
            strcmp(c->site.meters[i].name, name) == 0) {
            *meter = i;
            return 0;
        }
    return SIM_UNKNOWN;
}

/* ---- a run */

/* The site with what the command line changes in it. */
struct variant {
    const struct config *config; /* as the file says */
    struct site site;
    struct site_circuit *circuits;
};

static bool variant_init(struct variant *v, const struct config *c,
                         const struct replay_options *o)
{
    size_t size = (size_t)c->site.n_circuits * sizeof *v->circuits;

    v->config = c;
    v->site = c->site;
    v->circuits = malloc(size);
    if (!v->circuits)
        return false;
    memcpy(v->circuits, c->site.circuits, size);
    if (o->power_kw > 0)
        v->circuits[0].power_limit_w = (int32_t)(o->power_kw * 1000);
    v->site.circuits = v->circuits;
    return true;
}

/* What goes through the door of the controller. */
struct door {
    struct control *control;
    struct journal *journal; /* NULL = none */
    const struct variant *variant;
    int64_t from_s;
};

static size_t door_step(void *arg, const struct event *e, struct order *out)
{
    struct door *d = arg;
    size_t n;

    if (!d->journal)
        return control_step(d->control, e, out);
    if (e->kind == EVENT_TICK)
        journal_flush(d->journal);
    if (journal_due(d->journal))
        replay_journal_head(d->journal, d->variant->config, &d->variant->site,
                            d->control, d->from_s + e->at_ms / 1000, e->at_ms);
    journal_event(d->journal, e);
    n = control_step(d->control, e, out);
    for (size_t i = 0; i < n; i++)
        journal_order(d->journal, e->at_ms, &out[i]);
    return n;
}

struct watch {
    struct replay_trace *trace; /* NULL = no report */
    const char *policy;
    int64_t span_ms;
    int told_pct;
};

static void watch_second(void *arg, int64_t now_ms, const struct sim_plant *p)
{
    struct watch *w = arg;
    int pct = (int)(now_ms * 100 / w->span_ms);

    if (w->trace)
        replay_trace_add(w->trace, now_ms, p);
    if (pct == w->told_pct || w->told_pct < 0)
        return;
    w->told_pct = pct;
    fprintf(stderr, "\r%s: %d %%%s", w->policy, pct, pct >= 100 ? "\r\033[K" : "");
    fflush(stderr);
}

/* Returns the exit code. */
static int run_one(const struct replay_options *o, const struct variant *v,
                   struct replay_set *set, struct sim_sessions *sessions,
                   const struct sim_loads *loads)
{
    struct replay_run *run = &set->runs[set->n_runs];
    int64_t span_ms = (set->to_s - set->from_s) * 1000;
    struct watch watch = {NULL, v->site.policy->name, span_ms, isatty(2) ? 0 : -1};
    struct door door = {.variant = v, .from_s = set->from_s};
    bool troubled = false;
    struct sim_setup u = {.site = &v->site,
                          .sessions = sessions,
                          .loads = loads,
                          .real = !o->ideal,
                          .seed = o->seed,
                          .car_max_ma = (int32_t)(o->car_max_a * 1000),
                          .second = watch_second,
                          .second_arg = &watch};
    struct sim_outcome outcome;
    void *mem = malloc(control_size(&v->site));
    int64_t begin_ms = clock_ms();
    const char *fault = "no memory";

    set->n_runs++;
    if (o->report) {
        if (!replay_trace_init(&run->trace, v->site.n_circuits, span_ms))
            goto out;
        watch.trace = &run->trace;
    }
    run->sessions = malloc(((size_t)sessions->n + 1) * sizeof *run->sessions);
    if (!mem || !run->sessions)
        goto out;
    if (o->journal) {
        door.journal = replay_journal_open(o->journal, &troubled);
        if (!door.journal)
            goto out;
    }
    door.control = control_init(mem, &v->site, 0, 0);
    u.brain = (struct sim_brain){&door, door_step, control_max_orders(&v->site)};
    fault = sim_world_run(&u, &outcome);
    if (fault)
        goto out;
    replay_reckon(&run->result, v->site.policy->name, &outcome, sessions);
    run->result.wall_s = (double)(clock_ms() - begin_ms) / 1000;
    run->result.check_failures = (double)control_check_failures(door.control);
    memcpy(run->sessions, sessions->list, (size_t)sessions->n * sizeof *run->sessions);
out:
    journal_close(door.journal);
    free(mem);
    if (fault)
        log_errorx("replay: %s", fault);
    return fault ? EXIT_BUG : troubled ? EXIT_IO : EXIT_GOOD;
}

/* One run for each policy asked for, or with the site's. */
static int run_all(const struct replay_options *o, struct variant *v,
                   struct replay_set *set, struct sim_sessions *sessions,
                   const struct sim_loads *loads)
{
    int code = EXIT_GOOD;

    if (o->n_policies == 0)
        return run_one(o, v, set, sessions, loads);
    for (int i = 0; i < o->n_policies && code == EXIT_GOOD; i++) {
        v->site.policy = policy_by_name(o->policies[i]);
        code = run_one(o, v, set, sessions, loads);
    }
    return code;
}

static int show(const struct replay_options *o, struct replay_set *set)
{
    int code = EXIT_GOOD;

    if (o->json)
        replay_print_json(set, o->compare, stdout);
    else
        replay_print(set, stdout);
    for (int i = 0; i < set->n_runs; i++)
        if (set->runs[i].result.over_control_s > 0 ||
            set->runs[i].result.power_over_control_s > 0)
            code = EXIT_NEGATIVE;
    if (o->report && !replay_report(set, o->report)) {
        log_warn("%s", o->report);
        code = EXIT_IO;
    }
    return code;
}

/* ---- all of it */

static bool readable(const char *path)
{
    if (!path || access(path, R_OK) == 0)
        return true;
    log_warn("%s", path);
    return false;
}

static int replay(const struct replay_options *o, const struct config *c)
{
    struct sim_names names = {(void *)(uintptr_t)c, find_connector, find_circuit};
    struct sim_sessions sessions = {0};
    struct sim_loads loads = {0};
    struct replay_run runs[REPLAY_RUNS] = {0};
    struct variant v = {0};
    struct replay_set set = {.site = &v.site,
                             .site_file = o->config,
                             .sessions_file = o->sessions,
                             .loads_file = o->loads,
                             .plant = o->ideal ? "ideal" : "real",
                             .seed = o->seed,
                             .runs = runs};
    int code = EXIT_CONFIG;

    if (!readable(o->sessions) || !readable(o->loads))
        return EXIT_IO;
    if ((o->sessions && !sim_sessions_read(o->sessions, &names, &sessions, stderr)) ||
        (o->loads && !sim_loads_read(o->loads, &names, &loads, stderr)))
        goto out;
    set.n_sessions = sessions.n;
    if (!sim_world_span(&sessions, &loads, &set.from_s, &set.to_s)) {
        log_errorx("replay: nothing is recorded");
        goto out;
    }
    if (variant_init(&v, c, o)) {
        code = run_all(o, &v, &set, &sessions, &loads);
        if (code == EXIT_GOOD)
            code = show(o, &set);
    }
out:
    for (int i = 0; i < set.n_runs; i++) {
        replay_trace_free(&runs[i].trace);
        free(runs[i].sessions);
    }
    free(v.circuits);
    free(sessions.list);
    free(loads.list);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    struct replay_options o;
    struct conf_errors errors = {0};
    struct config *c;
    int code;

    if (argc > 1 && strcmp(argv[1], "--generate") == 0)
        return replay_generate(argc, argv);
    code = replay_parse(&o, argc, argv);
    if (code >= 0)
        return code;
    c = config_load(o.config, o.set, &errors);
    conf_errors_print(&errors, stderr);
    conf_errors_free(&errors);
    if (!c)
        return EXIT_CONFIG;
    code = replay(&o, c);
    config_free(c);
    return code;
}
