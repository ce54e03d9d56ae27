/* SPDX-License-Identifier: Apache-2.0 */
/* What the profiles of a simulated charger allow its bays, now and later. */
#include <string.h>

#include "sim/station_state.h"

void station_view(const struct station_bay *b, int64_t now_s,
                  struct sim_profile_view *v)
{
    const struct station *s = b->station;
    int busy = 0;

    for (int i = 0; i < s->u.n_bays; i++)
        busy += s->bays[i].bay.session;
    *v = (struct sim_profile_view){
        .now_s = now_s,
        .connector = b->number,
        .begun_s = b->bay.session ? b->begun_s : SIM_NO_TIME,
        .voltage_mv = s->u.voltage_mv,
        .wires = __builtin_popcount(b->bay.wires),
        .sharing = busy > 1 ? busy : 1,
        .chosen = b->chosen,
    };
}

void station_act(struct station *s, int32_t answer_ms)
{
    for (int i = 0; i < s->u.n_bays; i++)
        if (s->bays[i].act_ms == INT64_MAX)
            s->bays[i].act_ms =
                s->now_ms + answer_ms + station_between(s, 0, s->u.act_max_ms);
}

bool station_no_such(const struct station *s, int32_t number)
{
    return number < 0 || number > s->u.n_bays;
}

/* ---- the composite schedule */

/* What may be drawn from a moment on: mA per phase or tenths of W in all, and on how
 * many phases where that is told. */
struct step {
    int64_t tenths;
    int phases, phase;
};

static int64_t watt_tenths(int64_t ma, int32_t voltage_mv, int phases)
{
    return ma * voltage_mv * phases / 100000;
}

/* One bay, at most its own maximum. */
static struct step step_of(const struct station_bay *b, int64_t utc_s, bool watts)
{
    const struct sim_profiles *all = &b->station->profiles;
    const struct sim_period *period;
    struct sim_profile_view v;
    struct step to = {0};
    int32_t ma;
    int phases;

    station_view(b, utc_s, &v);
    ma = sim_profiles_limit_ma(all, &v);
    ma = ma < b->bay.max_ma ? ma : b->bay.max_ma;
    period = sim_profiles_period(all, &v);
    to.phases = period ? period->phases : 0;
    to.phase = period ? period->phase : 0;
    phases = to.phases && to.phases < v.wires ? to.phases : v.wires;
    to.tenths = watts ? watt_tenths(ma, v.voltage_mv, phases) : ma / 100;
    return to;
}

/* All bays together, at most what holds for the charger as a whole. */
static struct step step_of_all(const struct station *s, int64_t utc_s, bool watts)
{
    struct sim_profile_view v = {.now_s = utc_s,
                                 .begun_s = SIM_NO_TIME,
                                 .voltage_mv = s->u.voltage_mv,
                                 .wires = SITE_PHASES,
                                 .sharing = 1};
    int32_t ma = sim_profiles_limit_ma(&s->profiles, &v);
    int64_t most = watts ? watt_tenths(ma, v.voltage_mv, v.wires) : ma / 100;
    struct step sum = {0};

    for (int i = 0; i < s->u.n_bays; i++)
        sum.tenths += step_of(&s->bays[i], utc_s, watts).tenths;
    if (ma != SIM_NO_LIMIT && most < sum.tenths)
        sum.tenths = most;
    return sum;
}

static int64_t until_s(const struct station *s, int64_t utc_s)
{
    int64_t next_s = INT64_MAX;

    for (int i = 0; i < s->u.n_bays; i++) {
        struct sim_profile_view v;
        int64_t at_s;

        station_view(&s->bays[i], utc_s, &v);
        at_s = sim_profiles_until_s(&s->profiles, &v);
        next_s = at_s < next_s ? at_s : next_s;
    }
    return next_s;
}

static cJSON *period(int64_t from_s, const struct step *p)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "startPeriod", (double)from_s);
    cJSON_AddNumberToObject(o, "limit", (double)p->tenths / 10);
    if (p->phases)
        cJSON_AddNumberToObject(o, "numberPhases", p->phases);
    if (p->phase)
        cJSON_AddNumberToObject(o, "phaseToUse", p->phase);
    return o;
}

/* From one moment at which something may change to the next. */
cJSON *station_composite(const struct station *s, int number, int64_t from_s,
                         int32_t duration_s, bool watts)
{
    cJSON *list = cJSON_CreateArray();
    struct step last = {.tenths = -1};

    for (int64_t at_s = from_s; at_s == from_s || at_s < from_s + duration_s;
         at_s = until_s(s, at_s)) {
        struct step now = number ? step_of(&s->bays[number - 1], at_s, watts)
                                 : step_of_all(s, at_s, watts);

        if (now.tenths != last.tenths || now.phases != last.phases ||
            now.phase != last.phase)
            cJSON_AddItemToArray(list, period(at_s - from_s, &now));
        last = now;
    }
    return list;
}
