/* SPDX-License-Identifier: Apache-2.0 */
/* The charging profiles of a simulated charger, and the limit they make. */
#include "sim/profiles.h"

#include <string.h>

static void take_out(struct sim_profiles *s, int i)
{
    s->n--;
    memmove(&s->list[i], &s->list[i + 1], (size_t)(s->n - i) * sizeof s->list[0]);
}

/* An id is unique in the charge point; a place in a stack is unique on its connector.
 */
static bool replaces(const struct sim_profile *p, const struct sim_profile *old)
{
    return p->id == old->id || (p->connector == old->connector &&
                                p->purpose == old->purpose && p->level == old->level);
}

bool sim_profiles_put(struct sim_profiles *s, const struct sim_profile *p)
{
    int left = s->n;

    for (int i = 0; i < s->n; i++)
        left -= replaces(p, &s->list[i]);
    if (left >= SIM_PROFILES)
        return false;
    for (int i = s->n - 1; i >= 0; i--)
        if (replaces(p, &s->list[i]))
            take_out(s, i);
    s->list[s->n++] = *p;
    return true;
}

const struct sim_profile *sim_profiles_clash(const struct sim_profiles *s,
                                             const struct sim_profile *p)
{
    for (int i = 0; i < s->n; i++) {
        const struct sim_profile *old = &s->list[i];
        bool here =
            p->connector == old->connector ||
            (p->purpose == SIM_TX_DEFAULT && (!p->connector || !old->connector));

        if (here && p->id != old->id && p->purpose == old->purpose &&
            p->level == old->level)
            return old;
    }
    return NULL;
}

static bool asked(int32_t filter, int32_t value)
{
    return filter == SIM_PROFILE_ANY || filter == value;
}

int sim_profiles_clear(struct sim_profiles *s, int32_t id, int connector, int purpose,
                       int32_t level)
{
    int before = s->n;

    for (int i = s->n - 1; i >= 0; i--) {
        const struct sim_profile *p = &s->list[i];

        if (id != SIM_PROFILE_ANY
                ? p->id == id
                : asked(connector, p->connector) && asked(purpose, (int)p->purpose) &&
                      asked(level, p->level))
            take_out(s, i);
    }
    return before - s->n;
}

void sim_profiles_end(struct sim_profiles *s, int connector)
{
    sim_profiles_clear(s, SIM_PROFILE_ANY, connector, SIM_TX, SIM_PROFILE_ANY);
}

/* ---- which one counts */

static const struct sim_schedule *schedule(const struct sim_profile *p,
                                           const struct sim_profile_view *v)
{
    return &p->schedule[p->purpose == SIM_TX && v->chosen < p->n ? v->chosen : 0];
}

/* When its schedule begins (the first time, of a recurring one); SIM_NO_TIME = never.
 */
static int64_t begin_s(const struct sim_profile *p, const struct sim_profile_view *v)
{
    int64_t start_s = schedule(p, v)->start_s;

    return p->kind == SIM_RELATIVE || start_s == SIM_NO_TIME ? v->begun_s : start_s;
}

/* Seconds since its schedule began, or -1 when it is not in force. */
static int64_t into(const struct sim_profile *p, const struct sim_profile_view *v)
{
    int64_t from_s = begin_s(p, v), at_s;
    int32_t duration_s = schedule(p, v)->duration_s;

    if ((p->valid_from_s != SIM_NO_TIME && v->now_s < p->valid_from_s) ||
        (p->valid_to_s != SIM_NO_TIME && v->now_s >= p->valid_to_s) ||
        from_s == SIM_NO_TIME || v->now_s < from_s)
        return -1;
    at_s = v->now_s - from_s;
    if (p->kind == SIM_RECURRING)
        at_s %= p->every_s;
    return duration_s >= 0 && at_s >= duration_s ? -1 : at_s;
}

/* A default for one connector replaces the general one of its level there. */
static bool hidden(const struct sim_profiles *s, const struct sim_profile *p,
                   int connector)
{
    for (int i = 0; i < s->n; i++)
        if (s->list[i].purpose == p->purpose && s->list[i].level == p->level &&
            s->list[i].connector == connector)
            return true;
    return false;
}

static bool concerns(const struct sim_profiles *s, const struct sim_profile *p,
                     int connector)
{
    if (p->connector == connector)
        return p->purpose != SIM_CHARGE_POINT_MAX || connector == 0;
    return p->connector == 0 &&
           (p->purpose == SIM_CHARGE_POINT_MAX ||
            (p->purpose == SIM_TX_DEFAULT && !hidden(s, p, connector)));
}

/* The one of a purpose that counts now: the highest stack level that is valid and has
 * not run out. NULL = none. */
static const struct sim_profile *prevailing(const struct sim_profiles *s,
                                            const struct sim_profile_view *v,
                                            enum sim_purpose purpose)
{
    const struct sim_profile *best = NULL;

    for (int i = 0; i < s->n; i++) {
        const struct sim_profile *p = &s->list[i];

        if (p->purpose == purpose && concerns(s, p, v->connector) && into(p, v) >= 0 &&
            (!best || p->level > best->level))
            best = p;
    }
    return best;
}

static const struct sim_period *period(const struct sim_profile *p,
                                       const struct sim_profile_view *v)
{
    const struct sim_schedule *c = schedule(p, v);
    const struct sim_period *now = &c->period[0];
    int64_t at_s = into(p, v);

    for (int i = 1; i < c->n && c->period[i].from_s <= at_s; i++)
        now = &c->period[i];
    return now;
}

/* ---- what follows */

/* W are spread over the phases told (3 when none are), but no more than there are. */
static int32_t limit_ma(const struct sim_profile *p, const struct sim_profile_view *v)
{
    const struct sim_period *now = period(p, v);
    int phases;

    if (!schedule(p, v)->watts)
        return now->tenths * 100;
    phases = now->phases ? now->phases : 3;
    phases = phases < v->wires ? phases : v->wires;
    return (int32_t)((int64_t)now->tenths * 100000 / ((int64_t)v->voltage_mv * phases));
}

/* The TxProfile of a transaction, or the default, or NULL. */
static const struct sim_profile *of_transaction(const struct sim_profiles *s,
                                                const struct sim_profile_view *v)
{
    const struct sim_profile *tx = NULL;

    if (v->begun_s != SIM_NO_TIME)
        tx = prevailing(s, v, SIM_TX);
    return tx ? tx : prevailing(s, v, SIM_TX_DEFAULT);
}

const struct sim_period *sim_profiles_period(const struct sim_profiles *s,
                                             const struct sim_profile_view *v)
{
    const struct sim_profile *tx = v->connector ? of_transaction(s, v) : NULL;

    return tx ? period(tx, v) : NULL;
}

/* What is for the charger as a whole is shared. */
static int32_t part_ma(const struct sim_profile *p, const struct sim_profile_view *v)
{
    if (!p)
        return SIM_NO_LIMIT;
    return limit_ma(p, v) /
           (p->connector == 0 && p->purpose != SIM_TX_DEFAULT ? v->sharing : 1);
}

static int32_t lower(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* One for the whole and one for this connector: both hold. */
static int32_t external_ma(const struct sim_profiles *s,
                           const struct sim_profile_view *v)
{
    struct sim_profile_view whole = *v;
    int32_t ma;

    ma = part_ma(prevailing(s, v, SIM_EXTERNAL), v);
    if (v->connector == 0)
        return ma;
    whole.connector = 0;
    return lower(ma, part_ma(prevailing(s, &whole, SIM_EXTERNAL), v));
}

int32_t sim_profiles_limit_ma(const struct sim_profiles *s,
                              const struct sim_profile_view *v)
{
    int32_t ma =
        lower(part_ma(prevailing(s, v, SIM_CHARGE_POINT_MAX), v), external_ma(s, v));

    return v->connector ? lower(ma, part_ma(of_transaction(s, v), v)) : ma;
}

/* ---- when that changes */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* `at_s` when that is still to come. */
static int64_t later_than(int64_t now_s, int64_t at_s)
{
    return at_s != SIM_NO_TIME && at_s > now_s ? at_s : INT64_MAX;
}

static int64_t change_s(const struct sim_profile *p, const struct sim_profile_view *v)
{
    const struct sim_schedule *c = schedule(p, v);
    int64_t from_s = begin_s(p, v), now_s = v->now_s;
    int64_t next_s =
        earlier(later_than(now_s, p->valid_from_s), later_than(now_s, p->valid_to_s));

    if (from_s == SIM_NO_TIME)
        return next_s;
    if (p->kind == SIM_RECURRING && now_s >= from_s) {
        from_s = now_s - (now_s - from_s) % p->every_s;
        next_s = earlier(next_s, from_s + p->every_s);
    }
    if (c->duration_s >= 0)
        next_s = earlier(next_s, later_than(now_s, from_s + c->duration_s));
    for (int i = 0; i < c->n; i++)
        next_s = earlier(next_s, later_than(now_s, from_s + c->period[i].from_s));
    return next_s;
}

int64_t sim_profiles_until_s(const struct sim_profiles *s,
                             const struct sim_profile_view *v)
{
    int64_t next_s = INT64_MAX;

    for (int i = 0; i < s->n; i++)
        next_s = earlier(next_s, change_s(&s->list[i], v));
    return next_s;
}
