/* SPDX-License-Identifier: Apache-2.0 */
/* The charging profiles of a simulated charge point, and the limit they make. */
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

/* Seconds since its schedule began, or -1 when it is not in force. */
static int64_t into(const struct sim_profile *p, const struct sim_profile_view *v)
{
    bool relative = p->kind == SIM_RELATIVE || p->start_s == SIM_NO_TIME;
    int64_t begin_s = relative ? v->begun_s : p->start_s, at_s;

    if ((p->valid_from_s != SIM_NO_TIME && v->now_s < p->valid_from_s) ||
        (p->valid_to_s != SIM_NO_TIME && v->now_s >= p->valid_to_s) ||
        begin_s == SIM_NO_TIME || v->now_s < begin_s)
        return -1;
    at_s = v->now_s - begin_s;
    if (p->kind == SIM_RECURRING)
        at_s %= p->every_s;
    return p->duration_s >= 0 && at_s >= p->duration_s ? -1 : at_s;
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
        return p->purpose != SIM_CHARGE_POINT_MAX;
    return p->connector == 0 &&
           (p->purpose == SIM_CHARGE_POINT_MAX ||
            (p->purpose == SIM_TX_DEFAULT && !hidden(s, p, connector)));
}

const struct sim_profile *sim_profiles_prevailing(const struct sim_profiles *s,
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
    int64_t at_s = into(p, v);
    const struct sim_period *now = &p->period[0];

    for (int i = 1; i < p->n && p->period[i].from_s <= at_s; i++)
        now = &p->period[i];
    return now;
}

/* W are spread over the phases told (3 when none are), but no more than there are. */
static int32_t limit_ma(const struct sim_profile *p, const struct sim_profile_view *v)
{
    const struct sim_period *now = period(p, v);
    int phases;

    if (!p->watts)
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
        tx = sim_profiles_prevailing(s, v, SIM_TX);
    return tx ? tx : sim_profiles_prevailing(s, v, SIM_TX_DEFAULT);
}

int sim_profiles_phases(const struct sim_profiles *s, const struct sim_profile_view *v)
{
    const struct sim_profile *tx = of_transaction(s, v);

    return tx ? period(tx, v)->phases : 0;
}

int32_t sim_profiles_limit_ma(const struct sim_profiles *s,
                              const struct sim_profile_view *v)
{
    const struct sim_profile *most =
        sim_profiles_prevailing(s, v, SIM_CHARGE_POINT_MAX);
    const struct sim_profile *tx = of_transaction(s, v);
    int32_t ma = SIM_NO_LIMIT, most_ma;

    if (tx)
        ma = limit_ma(tx, v);
    if (!most)
        return ma;
    most_ma = limit_ma(most, v) / v->sharing;
    return most_ma < ma ? most_ma : ma;
}
