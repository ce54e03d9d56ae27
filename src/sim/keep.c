/* SPDX-License-Identifier: Apache-2.0 */
/* Chargers of the newer generation in the simulated world. They keep what they are told
 * as charging profiles (profiles.h), by a clock of their own: a fallback without an
 * end, above it what was told while no transaction ran, above that the transaction's
 * own, which goes with it. Each is told with a begin in the past and how long it lasts,
 * and what stands below the transaction's is lowered after it. Others than the
 * controller may limit them, too. */
#include "sim/world_state.h"

#include <string.h>

enum {
    ID_FALLBACK = 1,
    ID_DEFAULT,
    ID_TX,
    ID_OTHERS,
    BACKDATE_S = 60,
    TELL_MIN_MS = 1000, /* one more call, and its effect */
    TELL_MAX_MS = 8000
};

static struct sim_charger *charger_of(const struct sim_world *w, int bay)
{
    return &w->chargers[w->site->connectors[bay].charger];
}

/* The time by its own clock. */
static int64_t own_ms(const struct sim_world *w, int bay)
{
    return w->from_s * 1000 + w->now_ms + charger_of(w, bay)->clock_off_ms;
}

static struct sim_profile_view view(const struct sim_world *w, int bay)
{
    int wires = __builtin_popcount(site_phase_mask(&w->site->connectors[bay]));

    return (struct sim_profile_view){
        .now_s = own_ms(w, bay) / 1000,
        .connector = 1,
        .begun_s = w->stalls[bay].bay.session ? 0 : SIM_NO_TIME,
        .voltage_mv = w->site->voltage_mv,
        .wires = wires,
        .sharing = 1,
    };
}

/* Amperes, or whole watts where it takes no others. */
static struct sim_period period(const struct sim_world *w, int bay, int32_t limit_ma,
                                int n_phases)
{
    const struct sim_profile_view v = view(w, bay);
    struct sim_period p = {.tenths = limit_ma / 100, .phases = n_phases == 1};

    if (charger_of(w, bay)->watts) {
        int64_t uw_per_ma = (int64_t)v.voltage_mv * v.wires;

        p.tenths = (int32_t)(limit_ma * uw_per_ma / 1000000 * 10);
        p.phases = v.wires;
    }
    return p;
}

static enum sim_purpose purpose_of(int id)
{
    return id == ID_TX ? SIM_TX : id == ID_OTHERS ? SIM_EXTERNAL : SIM_TX_DEFAULT;
}

static void put(struct sim_world *w, int bay, int id, int32_t limit_ma,
                int64_t until_ms, int n_phases)
{
    int64_t now_s = w->from_s + w->now_ms / 1000;
    int64_t lasts_s = (until_ms - w->now_ms + 999) / 1000;
    struct sim_profile p = {
        .connector = 1,
        .id = id,
        .level = id != ID_FALLBACK,
        .purpose = purpose_of(id),
        .kind = SIM_ABSOLUTE,
        .valid_from_s = SIM_NO_TIME,
        .valid_to_s = SIM_NO_TIME,
        .n = 1,
        .schedule[0] = {.start_s = now_s - BACKDATE_S,
                        .duration_s = -1,
                        .watts = charger_of(w, bay)->watts,
                        .n = 1,
                        .period[0] = period(w, bay, limit_ma, n_phases)},
    };

    if (until_ms != INT64_MAX)
        p.schedule[0].duration_s = (int32_t)(BACKDATE_S + lasts_s);
    if (sim_profiles_clash(&w->stalls[bay].profiles, &p) ||
        !sim_profiles_put(&w->stalls[bay].profiles, &p))
        w->failed = true; /* a strict one would have refused it */
}

static const struct sim_profile *kept(const struct sim_stall *s, int id)
{
    for (int i = 0; i < s->profiles.n; i++)
        if (s->profiles.list[i].id == id)
            return &s->profiles.list[i];
    return NULL;
}

static void forget(struct sim_world *w, int bay, int id)
{
    sim_profiles_clear(&w->stalls[bay].profiles, id, SIM_PROFILE_ANY, SIM_PROFILE_ANY,
                       SIM_PROFILE_ANY);
}

void sim_keep_begin(struct sim_world *w, int bay)
{
    put(w, bay, ID_FALLBACK, w->site->connectors[bay].fallback_ma, INT64_MAX, 0);
    sim_keep_follow(w, bay);
}

/* What its profiles say now counts, until they say something else. */
void sim_keep_follow(struct sim_world *w, int bay)
{
    struct sim_stall *s = &w->stalls[bay];
    struct sim_profile_view v = view(w, bay);
    const struct sim_period *p = sim_profiles_period(&s->profiles, &v);
    int32_t ma = sim_profiles_limit_ma(&s->profiles, &v);
    int64_t until_s = sim_profiles_until_s(&s->profiles, &v), at_ms;

    if (charger_of(w, bay)->deaf)
        return;
    if (w->site->connectors[bay].phase_switch)
        sim_bay_set_phases(&s->bay, w->now_ms, p && p->phases == 1 ? 1 : SITE_PHASES,
                           0);
    if (ma != s->bay.limit_ma)
        sim_bay_set_limit(&s->bay, w->now_ms, ma, -1);
    if (until_s == INT64_MAX)
        return;
    at_ms = w->now_ms + until_s * 1000 - own_ms(w, bay);
    if (at_ms != s->follow_ms)
        sim_happen_put(w, (struct sim_item){at_ms, .what = SIM_FOLLOW, .who = bay});
    s->follow_ms = at_ms;
}

/* One more call, a moment later. */
static void tell_default(struct sim_world *w, int bay, int32_t limit_ma,
                         int64_t until_ms, int n_phases)
{
    struct sim_stall *s = &w->stalls[bay];
    int64_t at_ms = w->now_ms + sim_rng_between(&s->rng, TELL_MIN_MS, TELL_MAX_MS);

    if (at_ms < until_ms)
        sim_happen_put(
            w, (struct sim_item){
                   at_ms, .what = SIM_UNDER, .who = bay,
                   .act = {s->acted, limit_ma, (int32_t)(until_ms - at_ms), n_phases}});
}

/* A car that comes after this one must not find more than this one has. */
static bool stands_higher(const struct sim_world *w, int bay, int32_t limit_ma,
                          int64_t until_ms)
{
    const struct sim_stall *s = &w->stalls[bay];
    struct sim_profile_view v = view(w, bay);
    const struct sim_profile *below = kept(s, ID_DEFAULT);
    int64_t end_s = w->from_s + until_ms / 1000;

    v.begun_s = SIM_NO_TIME;
    if (sim_profiles_limit_ma(&s->profiles, &v) > limit_ma)
        return true;
    return w->site->connectors[bay].fallback_ma > limit_ma &&
           (!below ||
            below->schedule[0].start_s + below->schedule[0].duration_s < end_s);
}

void sim_keep_limit(struct sim_world *w, int bay, int32_t limit_ma, int32_t lease_ms,
                    int n_phases)
{
    struct sim_stall *s = &w->stalls[bay];
    int64_t until_ms = w->now_ms + lease_ms;

    put(w, bay, s->bay.session ? ID_TX : ID_DEFAULT, limit_ma, until_ms, n_phases);
    s->kept_ma = limit_ma;
    s->kept_until_ms = until_ms;
    s->kept_phases = n_phases;
    if (s->bay.session && stands_higher(w, bay, limit_ma, until_ms))
        tell_default(w, bay, limit_ma, until_ms, n_phases);
    sim_keep_follow(w, bay);
}

/* Its transaction is over; what it had is told anew for the next one. */
void sim_keep_end(struct sim_world *w, int bay)
{
    struct sim_stall *s = &w->stalls[bay];

    sim_profiles_end(&s->profiles, 1);
    sim_keep_follow(w, bay);
    tell_default(w, bay, s->kept_ma, s->kept_until_ms, s->kept_phases);
}

void sim_keep_forget(struct sim_world *w, int bay)
{
    forget(w, bay, ID_DEFAULT);
    forget(w, bay, ID_TX);
    sim_keep_follow(w, bay);
}

void sim_keep_under(struct sim_world *w, const struct sim_item *i)
{
    const struct sim_charger *c = charger_of(w, i->who);

    if (w->dead || !c->up || c->mute || w->stalls[i->who].acted != i->act.call)
        return;
    put(w, i->who, ID_DEFAULT, i->act.limit_ma, w->now_ms + i->act.lease_ms,
        i->act.n_phases);
    sim_keep_follow(w, i->who);
}

/* ---- others */

/* The controller hears who limits it, now or a little later. */
void sim_keep_tell(struct sim_world *w, int bay)
{
    const struct sim_stall *s = &w->stalls[bay];
    bool limited = kept(s, ID_OTHERS);
    struct event e = {
        .kind = EVENT_CEILING,
        .who = bay,
        .ceiling = {.limit_ma = limited ? s->others_ma : EVENT_NO_VALUE,
                    .power_w = EVENT_NO_VALUE,
                    .until_ms = INT64_MAX},
    };
    int64_t at_ms;

    if (charger_of(w, bay)->mute)
        return;
    at_ms = sim_fail_told(w, w->site->connectors[bay].charger);
    sim_happen_put(w,
                   (struct sim_item){at_ms, .what = SIM_HEARD, .who = bay, .heard = e});
}

/* They limit it, or do so no longer: then true. */
bool sim_keep_others(struct sim_world *w, int bay, int32_t limit_ma)
{
    struct sim_stall *s = &w->stalls[bay];
    bool over = kept(s, ID_OTHERS);

    s->others_ma = limit_ma;
    if (over)
        forget(w, bay, ID_OTHERS);
    else
        put(w, bay, ID_OTHERS, limit_ma, INT64_MAX, 0);
    sim_keep_follow(w, bay);
    sim_keep_tell(w, bay);
    return over;
}
