/* SPDX-License-Identifier: Apache-2.0 */
/* The composite schedule of the simulated charger of the newer generation, against a
 * reckoning second by second that knows nothing of it: random stacks of profiles are
 * sent to it in its own messages, and what it answers is compared at every second.
 *
 * SEED=N for another row of stacks, INSTANTS=N for more of them (1,000,000). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/clock.h"
#include "station_help.h"

enum {
    EVSES = 2,
    PLANS = 10,
    SCHEDULES = 3,
    PERIODS = 5,
    WINDOW_S = 1000,
    VOLT = 230,
    LEVELS = 4
};
#define NEVER INT64_MIN

enum purpose { MAX, EXTERNAL, DEFAULT, TX };
enum kind { ABSOLUTE, RECURRING, RELATIVE };

/* A profile as a person would write it down. */
struct plan {
    enum purpose purpose;
    enum kind kind;
    int evse, id, level, repeat_s, n;
    int64_t from, to; /* NEVER = not told */
    struct {
        int64_t start;
        int lasts, n; /* lasts 0 = without end */
        bool watts;
        int after[PERIODS], tenths[PERIODS], phases[PERIODS], phase[PERIODS];
    } schedule[SCHEDULES];
};

struct stack {
    struct plan plans[PLANS];
    int n;
    int64_t begun[EVSES]; /* of the transaction; NEVER */
    int chosen[EVSES];
};

static const int wires[EVSES] = {3, 1}, max_a[EVSES] = {32, 16};
static struct sim_rng rng;

static int64_t between(int64_t lo, int64_t hi)
{
    return sim_rng_between(&rng, lo, hi);
}

static bool one_in(int n)
{
    return between(1, n) == 1;
}

/* ---- the reckoning */

/* When the schedule that runs at t began; NEVER = none does. */
static int64_t began(const struct stack *k, const struct plan *p, int evse, int which,
                     int64_t t)
{
    int64_t at = p->schedule[which].start;

    if (p->kind == RELATIVE)
        at = evse ? k->begun[evse - 1] : NEVER;
    if (at == NEVER || at > t)
        return NEVER;
    if (p->kind == RECURRING)
        for (; at + p->repeat_s <= t; at += p->repeat_s)
            ;
    return at;
}

/* The period of a plan at t for an EVSE; false = it says nothing then. */
static bool says(const struct stack *k, const struct plan *p, int evse, int64_t t,
                 int *which, int *period)
{
    int64_t at;

    *which = p->purpose == TX && k->chosen[evse - 1] < p->n ? k->chosen[evse - 1] : 0;
    at = began(k, p, evse, *which, t);
    if (at == NEVER || (p->from != NEVER && t < p->from) ||
        (p->to != NEVER && p->to <= t))
        return false;
    if (p->schedule[*which].lasts && t >= at + p->schedule[*which].lasts)
        return false;
    *period = p->schedule[*which].n - 1;
    while (at + p->schedule[*which].after[*period] > t)
        --*period;
    return true;
}

/* What the highest of a purpose says to one EVSE, in mA on each phase; -1 = nothing.
 * `of` is the EVSE whose profiles they are, 0 = the whole. */
static int ma_of(const struct stack *k, enum purpose purpose, int of, int evse,
                 int64_t t, int *level, int *phases, int *phase)
{
    int ma = -1, which, period;

    *level = -1;
    for (int i = 0; i < k->n; i++) {
        const struct plan *p = &k->plans[i];

        if (p->purpose != purpose || p->evse != of || p->level <= *level ||
            !says(k, p, evse, t, &which, &period))
            continue;
        *level = p->level;
        *phases = p->schedule[which].phases[period];
        *phase = p->schedule[which].phase[period];
        ma = p->schedule[which].tenths[period] * 100;
        if (p->schedule[which].watts) { /* ma are mW so far */
            int there = evse ? wires[evse - 1] : 3, told = *phases ? *phases : 3;

            ma = (int)((int64_t)ma * 1000 /
                       (VOLT * 1000 * (told < there ? told : there)));
        }
    }
    return ma;
}

static int least(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* One EVSE: mA on each phase, never above its own maximum. */
static int evse_ma(const struct stack *k, int evse, int64_t t, int *phases, int *phase)
{
    bool both = k->begun[0] != NEVER && k->begun[1] != NEVER;
    int no[2], level, other, ma = max_a[evse - 1] * 1000, here, all, n = 0, one = 0;

    for (int p = MAX; p <= EXTERNAL; p++) {
        int part = ma_of(k, p, 0, evse, t, &level, &no[0], &no[1]);

        ma = least(ma, part >= 0 && both ? part / 2 : part);
    }
    ma = least(ma, ma_of(k, EXTERNAL, evse, evse, t, &level, &no[0], &no[1]));
    *phases = *phase = 0;
    if (k->begun[evse - 1] != NEVER) {
        here = ma_of(k, TX, evse, evse, t, &level, phases, phase);
        if (here >= 0)
            return least(ma, here);
    }
    here = ma_of(k, DEFAULT, evse, evse, t, &level, phases, phase);
    all = ma_of(k, DEFAULT, 0, evse, t, &other, &n, &one);
    if (all >= 0 && other > level) {
        *phases = n;
        *phase = one;
        here = all;
    }
    if (here < 0)
        *phases = *phase = 0;
    return least(ma, here);
}

static int64_t in_unit(int64_t ma, int phases, bool watts)
{
    return watts ? ma * VOLT * phases / 100 : ma / 100;
}

/* Tenths of A or W at t. */
static int64_t reckon(const struct stack *k, int evse, int64_t t, bool watts,
                      int *phases, int *phase)
{
    int level, no[2], whole;
    int64_t sum = 0;

    if (evse) {
        int ma = evse_ma(k, evse, t, phases, phase);
        int used = *phases && *phases < wires[evse - 1] ? *phases : wires[evse - 1];

        return in_unit(ma, used, watts);
    }
    for (int e = 1; e <= EVSES; e++)
        sum += reckon(k, e, t, watts, phases, phase);
    *phases = *phase = 0;
    whole = least(ma_of(k, MAX, 0, 0, t, &level, &no[0], &no[1]),
                  ma_of(k, EXTERNAL, 0, 0, t, &level, &no[0], &no[1]));
    if (whole >= 0 && in_unit(whole, 3, watts) < sum)
        sum = in_unit(whole, 3, watts);
    return sum;
}

/* ---- random profiles, all of whose edges are near t */

static void invent_schedule(struct plan *p, int s, int64_t t)
{
    bool watts = one_in(3);
    int n = (int)between(1, PERIODS);

    p->schedule[s].watts = watts;
    p->schedule[s].n = n;
    p->schedule[s].start = NEVER;
    p->schedule[s].lasts = one_in(2) ? (int)between(1, 2500) : 0;
    if (p->kind != RELATIVE)
        p->schedule[s].start = t + between(-1500, 800);
    if (p->kind == RECURRING)
        p->schedule[s].start -= p->repeat_s * between(0, 3) + 86400 * between(0, 7);
    for (int i = 0; i < n; i++) {
        p->schedule[s].after[i] =
            i ? p->schedule[s].after[i - 1] + (int)between(1, 700) : 0;
        p->schedule[s].tenths[i] = (int)between(0, watts ? 150000 : 400);
        p->schedule[s].phases[i] = one_in(3) ? (int)between(1, 3) : 0;
        p->schedule[s].phase[i] =
            p->schedule[s].phases[i] == 1 && one_in(2) ? (int)between(1, 3) : 0;
    }
}

static void invent(struct stack *k, struct plan *p, int64_t t)
{
    memset(p, 0, sizeof *p);
    p->purpose = (enum purpose)between(MAX, TX);
    p->evse = p->purpose == MAX ? 0 : (int)between(p->purpose == TX, EVSES);
    p->kind = (enum kind)between(
        ABSOLUTE, p->purpose == MAX || p->purpose == EXTERNAL ? RECURRING : RELATIVE);
    if (p->purpose == TX && k->begun[p->evse - 1] == NEVER)
        p->purpose = DEFAULT;
    p->id = (int)between(1, 2 * PLANS) + (p->purpose == EXTERNAL ? 1000 : 0);
    p->level = (int)between(0, LEVELS);
    p->repeat_s = one_in(2) ? 86400 : 7 * 86400;
    p->from = one_in(4) ? t + between(-500, WINDOW_S) : NEVER;
    p->to = one_in(4) ? t + between(0, WINDOW_S + 500) : NEVER;
    p->n = p->purpose == EXTERNAL ? 1 : (int)between(1, SCHEDULES);
    for (int s = 0; s < p->n; s++)
        invent_schedule(p, s, t);
}

/* ---- in the messages of the standard */

static void put_time(char **at, const char *name, int64_t t)
{
    char text[21];

    if (t != NEVER)
        *at += sprintf(*at, "\"%s\":\"%s\",", name, clock_format_utc(t, text));
}

static void put_schedule(char **at, const struct plan *p, int s)
{
    *at += sprintf(*at, "%s{\"id\":%d,", s ? "," : "", s + 1);
    put_time(at, "startSchedule", p->schedule[s].start);
    if (p->schedule[s].lasts)
        *at += sprintf(*at, "\"duration\":%d,", p->schedule[s].lasts);
    if (one_in(5)) /* which is no limit */
        *at += sprintf(*at, "\"minChargingRate\":%d.5,", (int)between(0, 20));
    *at += sprintf(*at, "\"chargingRateUnit\":\"%s\",\"chargingSchedulePeriod\":[",
                   p->schedule[s].watts ? "W" : "A");
    for (int i = 0; i < p->schedule[s].n; i++) {
        *at += sprintf(*at, "%s{\"startPeriod\":%d,\"limit\":%d.%d", i ? "," : "",
                       p->schedule[s].after[i], p->schedule[s].tenths[i] / 10,
                       p->schedule[s].tenths[i] % 10);
        if (p->schedule[s].phases[i])
            *at += sprintf(*at, ",\"numberPhases\":%d", p->schedule[s].phases[i]);
        if (p->schedule[s].phase[i])
            *at += sprintf(*at, ",\"phaseToUse\":%d", p->schedule[s].phase[i]);
        *at += sprintf(*at, "}");
    }
    *at += sprintf(*at, "]}");
}

static void write_plan(const struct plan *p, const char *transaction, char *at)
{
    static const char *const purposes[] = {"ChargingStationMaxProfile",
                                           "ChargingStationExternalConstraints",
                                           "TxDefaultProfile", "TxProfile"};
    static const char *const kinds[] = {"Absolute", "Recurring", "Relative"};

    at += sprintf(at,
                  "{\"evseId\":%d,\"chargingProfile\":{\"id\":%d,\"stackLevel\":%d,"
                  "\"chargingProfilePurpose\":\"%s\",\"chargingProfileKind\":\"%s\",",
                  p->evse, p->id, p->level, purposes[p->purpose], kinds[p->kind]);
    if (p->kind == RECURRING)
        at += sprintf(at, "\"recurrencyKind\":\"%s\",",
                      p->repeat_s == 86400 ? "Daily" : "Weekly");
    put_time(&at, "validFrom", p->from);
    put_time(&at, "validTo", p->to);
    if (p->purpose == TX)
        at += sprintf(at, "\"transactionId\":\"%s\",", transaction);
    at += sprintf(at, "\"chargingSchedule\":[");
    for (int s = 0; s < p->n; s++)
        put_schedule(&at, p, s);
    sprintf(at, "]}}");
}

/* Others' limits come by no message: they are put there. */
static bool put_external(struct station *s, const struct plan *p)
{
    struct sim_profile to = {.connector = p->evse,
                             .id = p->id,
                             .level = p->level,
                             .purpose = SIM_EXTERNAL,
                             .kind =
                                 p->kind == RECURRING ? SIM_RECURRING : SIM_ABSOLUTE,
                             .every_s = p->repeat_s,
                             .valid_from_s = p->from,
                             .valid_to_s = p->to,
                             .n = 1};
    char text[4096], *at = text;
    cJSON *o;

    if (sim_profiles_clash(&s->profiles, &to))
        return false;
    put_schedule(&at, p, 0);
    o = cJSON_Parse(text);
    assert_true(station_read_schedule(o, &to.schedule[0]));
    cJSON_Delete(o);
    assert_true(sim_profiles_put(&s->profiles, &to));
    return true;
}

/* Another one is at its place: it has to be refused. */
static bool taken(const struct stack *k, const struct plan *p)
{
    for (int i = 0; i < k->n; i++) {
        const struct plan *q = &k->plans[i];

        if (q->id != p->id && q->purpose == p->purpose && q->level == p->level &&
            (q->evse == p->evse ||
             (p->purpose == DEFAULT && (q->evse == 0 || p->evse == 0))))
            return true;
    }
    return false;
}

static void install(struct station *s, struct stack *k, const struct plan *p)
{
    bool refuse = taken(k, p), good;
    char text[8192];

    if (p->purpose == EXTERNAL) {
        good = put_external(s, p);
    } else {
        cJSON *answer;

        write_plan(p, p->evse ? s->bays[p->evse - 1].session.name : "", text);
        answer = station_ask(s, "SetChargingProfile", text);
        good = payload_is(answer, "status", "Accepted");
        if (refuse)
            assert_true(payload_is(payload_get(answer, "statusInfo"), "reasonCode",
                                   "DuplicateProfile"));
        cJSON_Delete(answer);
    }
    assert_int_equal(good, !refuse);
    if (refuse)
        return;
    for (int i = 0; i < k->n; i++)
        if (k->plans[i].id == p->id) {
            k->plans[i] = *p;
            return;
        }
    k->plans[k->n++] = *p;
}

/* ---- the comparison */

static void describe(const struct station *s)
{
    for (int i = 0; i < s->profiles.n; i++) {
        const struct sim_profile *p = &s->profiles.list[i];

        print_error("  id %d of EVSE %d: purpose %d, level %d, kind %d, %d schedules\n",
                    (int)p->id, p->connector, (int)p->purpose, (int)p->level,
                    (int)p->kind, p->n);
    }
}

static void compare(struct station *s, const struct stack *k, int round)
{
    int evse = (int)between(0, EVSES);
    bool watts = one_in(2);
    char text[128];
    const cJSON *schedule, *period;
    cJSON *answer;
    int64_t from;

    snprintf(text, sizeof text,
             "{\"evseId\":%d,\"duration\":%d,\"chargingRateUnit\":\"%s\"}", evse,
             WINDOW_S, watts ? "W" : "A");
    answer = station_ask(s, "GetCompositeSchedule", text);
    schedule = payload_get(answer, "schedule");
    period = payload_get(schedule, "chargingSchedulePeriod")->child;
    from = payload_time_s(schedule, "scheduleStart");
    for (int t = 0; t < WINDOW_S; t++) {
        int phases, phase;
        int64_t want = reckon(k, evse, from + t, watts, &phases, &phase), is;

        while (period->next && payload_int(period->next, "startPeriod", 0) <= t)
            period = period->next;
        is = (int64_t)(payload_get(period, "limit")->valuedouble * 10 + 0.5);
        if (is == want && payload_int(period, "numberPhases", 0) == phases &&
            payload_int(period, "phaseToUse", 0) == phase)
            continue;
        describe(s);
        fail_msg("stack %d, EVSE %d, %s, second %d: %d tenths on %d phases, reckoned "
                 "%d on %d",
                 round, evse, watts ? "W" : "A", t, (int)is,
                 (int)payload_int(period, "numberPhases", 0), (int)want, phases);
    }
    cJSON_Delete(answer);
}

/* Cars at some of its EVSEs, some profiles; no link, so that what it says waits. */
static void one_stack(struct loop *loop, int round)
{
    struct station *s = station_alone(loop, (uint64_t)round);
    struct stack k = {.n = 0};
    int64_t t;

    s->clock_ahead_s = between(-100, 100) * 86400;
    t = station_utc_s(s);
    for (int i = 0; i < EVSES; i++) {
        struct sim_car car = {.n_phases = 3};

        k.begun[i] = NEVER;
        k.chosen[i] = (int)between(0, SCHEDULES - 1);
        station_plug(s, i, 0, &car, "TAG", 0);
        s->bays[i].chosen = k.chosen[i];
        if (one_in(3))
            continue;
        station_begin(&s->bays[i]);
        k.begun[i] = s->bays[i].begun_s = t - between(0, 2000);
    }
    for (int n = (int)between(1, PLANS); n > 0; n--) {
        struct plan p;

        invent(&k, &p, t);
        install(s, &k, &p);
    }
    compare(s, &k, round);
    station_free(s);
}

static void test_composite(void **state)
{
    const char *seed_text = getenv("SEED"), *many = getenv("INSTANTS");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    long instants = many ? strtol(many, NULL, 10) : 1000000;
    struct loop *loop = loop_new();

    (void)state;
    assert_non_null(loop);
    rng = sim_rng_stream(seed, 0);
    print_message("SEED=%llu, %ld instants\n", (unsigned long long)seed, instants);
    for (long i = 0; i * WINDOW_S < instants; i++)
        one_stack(loop, (int)i);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_composite)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
