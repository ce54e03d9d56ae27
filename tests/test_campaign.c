/* SPDX-License-Identifier: Apache-2.0 */
/* The campaign: random sites, cars and loads, and everything that can go wrong at once,
 * under the real controller. Whatever happens, no wire carries more than its limit
 * through any fault of control's.
 *
 * SITE_DAYS=1000 makes it the long one; SEED another one; SITE=n plays one site again.
 * Prints how long what was over a limit lasted: the reaction times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/control.h"
#include "policy.h"
#include "sim/rng.h"
#include "sim/world.h"

enum {
    MAX_CIRCUITS = 8,
    MAX_BAYS = 60,
    MAX_SESSIONS = 1000,
    MAX_LOADS = 20000,
    T0 = 1772323200,
    DAY_S = 86400,
    CLASS_PERMILLE = 10,
    DEAF_MOST_S = 60
};

struct garage {
    struct sim_rng rng;
    struct site site;
    struct site_circuit circuits[MAX_CIRCUITS];
    struct site_connector bays[MAX_BAYS];
    struct site_charger chargers[MAX_BAYS];
    struct site_meter meters[MAX_CIRCUITS];
    int32_t own_ma[MAX_CIRCUITS]; /* the most that its own load draws on a phase */
    struct sim_session sessions[MAX_SESSIONS];
    struct sim_load loads[MAX_LOADS];
    int n_sessions, n_loads;
    void *mem;
    struct control *control;
};

static int between(struct garage *g, int lo, int hi)
{
    return (int)sim_rng_between(&g->rng, lo, hi);
}

/* ---- the site ---- */

static void make_bays(struct garage *g, const struct sim_faults *f)
{
    static const uint8_t turns[][SITE_PHASES] = {
        {0, 1, 2},
        {1, 2, 0},
        {2, 0, 1},
        {0, SITE_NO_PHASE, SITE_NO_PHASE},
        {1, SITE_NO_PHASE, SITE_NO_PHASE},
        {2, SITE_NO_PHASE, SITE_NO_PHASE},
    };
    int charger = 0;

    for (int i = 0; i < g->site.n_connectors; i++) {
        struct site_connector *b = &g->bays[i];

        g->chargers[charger].id = "CP";
        *b = (struct site_connector){
            .name = "bay",
            .charger = charger,
            .circuit = between(g, 0, g->site.n_circuits - 1),
            .wiring_unknown = between(g, 0, 19) == 0,
            .min_ma = 6000,
            .max_ma = between(g, 0, 2) ? 16000 : 32000,
            .step_ma = between(g, 0, 1) ? 100 : 1000,
            .fallback_ma = f->forget_pct || between(g, 0, 2) ? 0 : 6000,
            .weight = between(g, 1, 3),
            .priority = between(g, 0, 2),
        };
        memcpy(b->wiring, turns[between(g, 0, 5)], sizeof b->wiring);
        if (b->wiring_unknown)
            memcpy(b->wiring, turns[0], sizeof b->wiring);
        charger += between(g, 0, 4) > 0 || i + 1 == g->site.n_connectors;
    }
    g->site.n_chargers = charger;
}

/* What the unmanaged loads and the fallbacks below a circuit draw at most. */
static int32_t unmanaged(const struct garage *g, int circuit, int phase, bool fallbacks)
{
    int32_t ma = 0;

    for (int v = circuit; v < g->site.n_circuits; v++)
        for (int u = v; u != SITE_NONE; u = g->circuits[u].parent)
            if (u == circuit)
                ma += g->own_ma[v];
    for (int i = 0; fallbacks && i < g->site.n_connectors; i++)
        for (int u = g->bays[i].circuit; u != SITE_NONE; u = g->circuits[u].parent)
            if (u == circuit && site_phase_mask(&g->bays[i]) >> phase & 1)
                ma += g->bays[i].fallback_ma;
    return ma;
}

static void make_circuits(struct garage *g)
{
    for (int v = 0; v < g->site.n_circuits; v++) {
        g->circuits[v] =
            (struct site_circuit){.name = "circuit",
                                  .parent = v ? between(g, 0, v - 1) : SITE_NONE,
                                  .meter = SITE_NONE};
        g->own_ma[v] = v == 0 || between(g, 0, 2) == 0 ? between(g, 2, 20) * 1000 : 0;
    }
}

/* Safe as check-config understands it: loads and fallbacks fit. */
static void size_circuits(struct garage *g, const struct sim_faults *f)
{
    for (int v = 0; v < g->site.n_circuits; v++) {
        struct site_circuit *c = &g->circuits[v];
        int spare = between(g, 6, 12 + 3 * g->site.n_connectors);

        for (int p = 0; p < SITE_PHASES; p++) {
            c->base_ma[p] = unmanaged(g, v, p, false);
            c->limit_ma[p] =
                unmanaged(g, v, p, true) + (spare + between(g, 0, 5)) * 1000;
        }
        c->margin_ma = c->limit_ma[0] * f->class_permille / 1000 + 500;
        for (int p = 0; p < SITE_PHASES; p++)
            c->limit_ma[p] += c->margin_ma;
        if (v == 0 || between(g, 0, 2) == 0) {
            c->meter = g->site.n_meters++;
            g->meters[c->meter] = (struct site_meter){.name = "meter",
                                                      .role = METER_CIRCUIT,
                                                      .interval_ms = 1000,
                                                      .max_age_ms = 10000,
                                                      .max_same_ms = 60000};
        }
    }
}

static void make_site(struct garage *g, const struct sim_faults *f)
{
    int n_policies = 0;

    while (policies[n_policies])
        n_policies++;
    g->site = (struct site){
        .name = "campaign",
        .voltage_mv = 230000,
        .policy = policies[between(g, 0, n_policies - 1)],
        .lease_ms = 900000,
        .settle_ms = 6000 + f->late_ms,
        .dwell_ms = 900000,
        .pause_ms = 60000,
        .n_circuits = between(g, 1, MAX_CIRCUITS),
        .n_connectors = between(g, 1, between(g, 0, 3) ? 12 : MAX_BAYS),
        .circuits = g->circuits,
        .connectors = g->bays,
        .meters = g->meters,
        .chargers = g->chargers,
    };
    make_circuits(g);
    make_bays(g, f);
    size_circuits(g, f);
    assert_null(site_fault(&g->site));
}

/* ---- what happens there ---- */

static int by_arrival(const void *left, const void *right)
{
    const struct sim_session *a = left, *b = right;

    if (a->arrival_s != b->arrival_s)
        return a->arrival_s < b->arrival_s ? -1 : 1;
    return a->connector - b->connector;
}

static void make_sessions(struct garage *g)
{
    for (int i = 0; i < g->site.n_connectors; i++) {
        int64_t at_s = T0 + between(g, 0, 4 * 3600);

        while (at_s < T0 + DAY_S - 7200 && g->n_sessions < MAX_SESSIONS) {
            int stay_s = between(g, 1200, 8 * 3600);

            g->sessions[g->n_sessions++] = (struct sim_session){
                .connector = i,
                .arrival_s = at_s,
                .departure_s = at_s + stay_s,
                .energy_wh = between(g, 1, 60) * 1000,
                .max_ma = between(g, 0, 1) ? 16000 : 32000,
                .phases = between(g, 0, 1) ? 3 : between(g, 1, 3),
            };
            at_s += stay_s + between(g, 60, 3 * 3600);
        }
    }
    qsort(g->sessions, (size_t)g->n_sessions, sizeof *g->sessions, by_arrival);
}

/* Steps of all sizes, with noise between them. */
static void make_loads(struct garage *g)
{
    int32_t now_ma[MAX_CIRCUITS][SITE_PHASES] = {{0}};
    int64_t at_s = T0;

    while (at_s < T0 + DAY_S && g->n_loads < MAX_LOADS) {
        int v = between(g, 0, g->site.n_circuits - 1), p = between(g, 0, 2);
        bool step = between(g, 0, 3) == 0;
        int32_t most = g->own_ma[v];
        int32_t ma = step ? between(g, 0, most)
                          : now_ma[v][p] + between(g, -most / 20, most / 20);

        now_ma[v][p] = ma < 0 ? 0 : ma > most ? most : ma;
        if (most > 0) {
            struct sim_load *l = &g->loads[g->n_loads++];

            *l = (struct sim_load){.at_s = at_s, .circuit = v, .meter = SITE_NONE};
            memcpy(l->i_ma, now_ma[v], sizeof l->i_ma);
        }
        at_s += between(g, 1, 30);
    }
}

/* ---- the controller ---- */

static size_t step(void *arg, const struct event *e, struct order *out)
{
    return control_step(((struct garage *)arg)->control, e, out);
}

/* Until when the set points of the one before may hold: as the running controller
 * reckons without a history. */
static void restart(void *arg, int64_t now_ms)
{
    struct garage *g = arg;

    assert_int_equal(control_check_failures(g->control), 0);
    g->control = control_init(g->mem, &g->site, now_ms, now_ms + g->site.lease_ms);
}

static struct sim_outcome play(uint64_t seed, uint64_t number,
                               const struct sim_faults *f)
{
    struct garage *g = calloc(1, sizeof *g);
    struct sim_outcome out;
    const char *fault;

    assert_non_null(g);
    g->rng = sim_rng_stream(seed, number);
    make_site(g, f);
    make_sessions(g);
    make_loads(g);
    struct sim_sessions sessions = {g->sessions, g->n_sessions};
    struct sim_loads loads = {g->loads, g->n_loads};
    struct sim_setup u = {
        .site = &g->site,
        .sessions = &sessions,
        .loads = &loads,
        .real = true,
        .seed = seed + number,
        .faults = f,
        .brain = {g, step, control_max_orders(&g->site), restart},
    };

    g->mem = malloc(control_size(&g->site));
    g->control = control_init(g->mem, &g->site, 0, 0);
    fault = sim_world_run(&u, &out);
    if (fault)
        fail_msg("%s", fault);
    assert_int_equal(control_check_failures(g->control), 0);
    if (out.verdict.by_control_s || out.verdict.longest_by_control_s)
        printf(
            "# site %llu: %d circuits, %d bays, %s: over by control %lld s, first in "
            "circuit %d at %lld ms, the longest %d s\n",
            (unsigned long long)number, g->site.n_circuits, g->site.n_connectors,
            g->site.policy->name, (long long)out.verdict.by_control_s,
            out.verdict.first_circuit, (long long)out.verdict.first_ms,
            out.verdict.longest_by_control_s);
    free(g->mem);
    free(g);
    return out;
}

/* ---- campaigns ---- */

static uint64_t seed;
static int site_days;

static void print_spans(const char *what, const int64_t *lasted)
{
    printf("# %s: spans over a limit, by how long they lasted:", what);
    for (int i = 0; i < SIM_LASTED; i++)
        if (sim_lasted_s[i] == INT32_MAX)
            printf(" longer: %lld\n", (long long)lasted[i]);
        else
            printf(" <= %d s: %lld,", (int)sim_lasted_s[i], (long long)lasted[i]);
}

static struct sim_verdict campaign(const char *what, const struct sim_faults *f,
                                   int share_pct)
{
    struct sim_verdict all = {0};
    const char *only = getenv("SITE");
    int n = site_days * share_pct / 100 > 0 ? site_days * share_pct / 100 : 1;

    for (int i = only ? atoi(only) : 0; i < (only ? atoi(only) + 1 : n); i++) {
        struct sim_outcome o = play(seed, (uint64_t)i, f);

        all.seconds += o.verdict.seconds;
        all.over_s += o.verdict.over_s;
        all.by_control_s += o.verdict.by_control_s;
        if (o.verdict.longest_by_control_s > all.longest_by_control_s)
            all.longest_by_control_s = o.verdict.longest_by_control_s;
        for (int k = 0; k < SIM_LASTED; k++)
            all.lasted[k] += o.verdict.lasted[k];
    }
    printf("# %s: %d site-days, over a limit %lld of %lld s, by control %lld s\n", what,
           n, (long long)all.over_s, (long long)all.seconds,
           (long long)all.by_control_s);
    print_spans(what, all.lasted);
    return all;
}

static void test_nothing_fails(void **state)
{
    (void)state;
    assert_int_equal(campaign("calm", &(struct sim_faults){0}, 20).by_control_s, 0);
}

static const struct sim_faults faults = {
    .link_every_s = 4 * 3600,
    .link_out_s = 3600,
    .link_notice_s = 60,
    .reboot_pct = 30,
    .forget_pct = 20,
    .lost_permille = 10,
    .refused_permille = 10,
    .refusing_pct = 10,
    .late_told_ms = 1500,
    .watts_pct = 20,
    .timeout_ms = 30000,
    .meter_every_s = 4 * 3600,
    .meter_out_s = 1800,
    .freeze_pct = 50,
    .class_permille = CLASS_PERMILLE,
    .lag_ms = 800,
    .kill_every_s = 6 * 3600,
    .kill_out_s = 3600,
};

static void test_everything_fails(void **state)
{
    (void)state;
    assert_int_equal(campaign("faults", &faults, 50).by_control_s, 0);
}

static void test_slow_chargers(void **state)
{
    struct sim_faults f = faults;

    (void)state;
    f.late_ms = 20000;
    assert_int_equal(campaign("slow", &f, 20).by_control_s, 0);
}

/* Half of the chargers keep profiles by clocks of their own, which are wrong by as much
 * as leases have room for (a 16th), and tell a new controller of their transactions
 * with the next event only. Others limit them, too, for a while. */
static void test_newer_chargers(void **state)
{
    struct sim_faults f = faults;

    (void)state;
    f.newer_pct = 50;
    f.clock_off_s = 50;
    f.others_every_s = 2 * 3600;
    f.others_out_s = 1800;
    assert_int_equal(campaign("newer", &f, 15).by_control_s, 0);
}

/* Chargers that accept every limit and follow none: what they draw too much is given up
 * by the others as soon as it is measured. The stated time: a meter period, the slowest
 * charger and car (sim_outcome.reaction_ms, 20 s at most here), and where no meter sees
 * it the charger's own next sample (10 s). */
static void test_deaf_chargers(void **state)
{
    struct sim_faults f = {
        .deaf_pct = 20, .deaf_after_s = 12 * 3600, .timeout_ms = 30000};
    struct sim_verdict v;

    (void)state;
    v = campaign("deaf", &f, 20);
    printf("# deaf: the longest span by control %d s\n", (int)v.longest_by_control_s);
    assert_in_range(v.longest_by_control_s, 1, DEAF_MOST_S);
}

/* Sites of the long campaign where something went wrong once. */
static void test_once_bitten(void **state)
{
    static const struct {
        const char *what;
        uint64_t seed;
        int site;
        int32_t late_ms;
        bool calm;
    } sites[] = {
        {"a base load that rises just before a car starts", 20261126, 179, 0, true},
        {"a decrease that is refused time and again", 20261126, 90, 20000, false},
        {"cars told less and more again before they have followed", 20261126, 183,
         20000, false},
        {"a base load that rises while a charger restarts", 777002, 38, 0, false},
        {"a charger that is not reached, which nobody knows", 777003, 12, 0, false},
        {"a base load that rises behind a car whose charger is lost", 20261126, 416, 0,
         false},
        {"a sample that tells too late that it was not the car", 33, 85, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        struct sim_faults f = sites[i].calm ? (struct sim_faults){0} : faults;
        struct sim_outcome o;

        f.late_ms = sites[i].late_ms;
        o = play(sites[i].seed, (uint64_t)sites[i].site, &f);
        if (o.verdict.by_control_s)
            fail_msg("%s: over by control %lld s", sites[i].what,
                     (long long)o.verdict.by_control_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_fails), cmocka_unit_test(test_everything_fails),
        cmocka_unit_test(test_slow_chargers), cmocka_unit_test(test_newer_chargers),
        cmocka_unit_test(test_deaf_chargers), cmocka_unit_test(test_once_bitten),
    };
    const char *s = getenv("SEED"), *d = getenv("SITE_DAYS");

    seed = s ? strtoull(s, NULL, 10) : 20261126;
#ifdef __SANITIZE_ADDRESS__
    site_days = d ? atoi(d) : 5; /* ten times as slow */
#else
    site_days = d ? atoi(d) : 30;
#endif
    printf("# seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
