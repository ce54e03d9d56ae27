/* SPDX-License-Identifier: Apache-2.0 */
/* The promise, checked on the recording: base load + what the connectors may draw <=
 * limit, wherever one of them is raised, and enough taken back when a meter shows more
 * than its limit. */
#include <stdio.h>

#include "cmd/audit_ledger.h"

enum { OVER_READINGS = 3 }; /* so many in a row, and nothing was done */

static bool below(const struct ledger *l, int circuit, int ancestor)
{
    while (circuit != SITE_NONE && circuit != ancestor)
        circuit = l->site->circuits[circuit].parent;
    return circuit == ancestor;
}

/* What the connector drew at the moment of a reading: what its last sample tells, when
 * nothing has changed for long; else it may be as much as it might draw. */
static int32_t drew(const struct ledger *l, int connector, int phase)
{
    const struct account *a = &l->accounts[connector];
    bool fresh = a->seen_ms >= 0 && l->now_ms - a->seen_ms <= LEDGER_STALE_MS;
    bool steady = a->n == 1 && a->grant[0].state == GRANT_HELD &&
                  l->now_ms - a->grant[0].sent_ms >= LEDGER_STALE_MS;
    int32_t seen_ma = fresh ? a->seen_ma[phase] : 0;
    int32_t most_ma = account_ma(l, connector, phase);

    return steady || most_ma < seen_ma ? seen_ma : most_ma;
}

/* The base load by a reading: the meter less what the cars below it drew, but no more
 * than what is certain. The controller must not reckon with less. */
void room_meter(struct ledger *l, int meter, const struct event_meter *e)
{
    for (int v = 0; v < l->site->n_circuits; v++) {
        struct wire *w = &l->wires[v];

        if (l->site->circuits[v].meter != meter)
            continue;
        w->just_read = true;
        w->last = *e;
        w->at_ms = l->now_ms;
        for (int p = 0; p < SITE_PHASES; p++) {
            int64_t ma = e->i_ma[p];

            for (int i = 0; i < l->site->n_connectors; i++)
                if (below(l, l->site->connectors[i].circuit, v))
                    ma -= drew(l, i, p);
            w->base_ma[p] =
                (int32_t)(e->i_ma[p] == EVENT_NO_VALUE ? l->site->circuits[v].base_ma[p]
                                                       : ma);
        }
    }
}

void room_frozen(struct ledger *l, int meter, bool begins)
{
    for (int v = 0; v < l->site->n_circuits; v++)
        if (l->site->circuits[v].meter == meter)
            l->wires[v].frozen = begins;
}

void room_sample(struct ledger *l, int connector, const int32_t before_ma[SITE_PHASES])
{
    const struct account *a = &l->accounts[connector];

    for (int v = l->site->connectors[connector].circuit; v != SITE_NONE;
         v = l->site->circuits[v].parent)
        for (int p = 0; p < SITE_PHASES; p++)
            if (l->wires[v].last.i_ma[p] != EVENT_NO_VALUE &&
                a->seen_ma[p] > before_ma[p])
                l->wires[v].base_ma[p] -= a->seen_ma[p] - before_ma[p];
}

/* ---- a circuit ---- */

static bool metered(const struct ledger *l, int v)
{
    int m = l->site->circuits[v].meter;

    return m != SITE_NONE && l->wires[v].at_ms >= 0 && !l->wires[v].frozen &&
           l->now_ms - l->wires[v].at_ms <= l->site->meters[m].max_age_ms;
}

/* False where a meter has not been heard since the recording began. */
static bool base_known(const struct ledger *l, int v)
{
    return l->site->circuits[v].meter == SITE_NONE || l->wires[v].at_ms >= 0;
}

static int64_t base(const struct ledger *l, int v, int p)
{
    return metered(l, v) ? l->wires[v].base_ma[p] : l->site->circuits[v].base_ma[p];
}

static bool in_force(const struct ledger *l, const struct event_limit *e)
{
    return l->now_ms < e->until_ms;
}

static int64_t limit(const struct ledger *l, int v, int p)
{
    int64_t ma = l->site->circuits[v].limit_ma[p];

    for (int i = 0; i <= LIMIT_BEFORE; i++) {
        const struct event_limit *e = &l->wires[v].external[i];

        if (in_force(l, e) && e->limit_ma != EVENT_NO_VALUE && e->limit_ma < ma)
            ma = e->limit_ma;
    }
    return ma;
}

/* 0 = none */
static int32_t power_limit_w(const struct ledger *l, int v)
{
    int32_t w = l->site->circuits[v].power_limit_w;

    for (int i = 0; i <= LIMIT_BEFORE; i++) {
        const struct event_limit *e = &l->wires[v].external[i];

        if (in_force(l, e) && e->power_w > 0 && (w <= 0 || e->power_w < w))
            w = e->power_w;
    }
    return w;
}

static int64_t granted(const struct ledger *l, int v, int p)
{
    int64_t ma = 0;

    for (int i = 0; i < l->site->n_connectors; i++)
        if (below(l, l->site->connectors[i].circuit, v))
            ma += account_ma(l, i, p);
    return ma;
}

static int64_t voltage_mv(const struct ledger *l, int v)
{
    int64_t sum = 0;
    int n = 0;

    for (int p = 0; p < SITE_PHASES && metered(l, v); p++)
        if (l->wires[v].last.v_mv[p] > l->site->voltage_mv / 2) {
            sum += l->wires[v].last.v_mv[p];
            n++;
        }
    return n ? sum / n : l->site->voltage_mv;
}

static const char *circuit_name(const struct ledger *l, int v)
{
    const char *name = l->site->circuits[v].name;

    return name ? name : "a circuit";
}

/* ---- raises ---- */

static void check_power(struct ledger *l, int connector, int v)
{
    int64_t all_ma = 0, limit_ma;

    if (power_limit_w(l, v) <= 0)
        return;
    limit_ma = (int64_t)power_limit_w(l, v) * 1000000 / voltage_mv(l, v);
    for (int p = 0; p < SITE_PHASES; p++)
        all_ma += base(l, v, p) + granted(l, v, p);
    if (all_ma > limit_ma)
        ledger_breach(l,
                      "connector %d is raised, and %s may then carry %lld mA over all "
                      "phases; its power limit allows %lld mA",
                      connector, circuit_name(l, v), (long long)all_ma,
                      (long long)limit_ma);
}

void room_raise(struct ledger *l, int connector)
{
    bool any = false;

    for (int v = l->site->connectors[connector].circuit; v != SITE_NONE;
         v = l->site->circuits[v].parent) {
        if (!base_known(l, v))
            continue;
        for (int p = 0; p < SITE_PHASES; p++) {
            int64_t most = limit(l, v, p) - l->site->circuits[v].margin_ma;
            int64_t base_ma = base(l, v, p), granted_ma = granted(l, v, p);

            any |= account_told_ma(l, connector, p) > 0;
            if (account_told_ma(l, connector, p) > 0 && base_ma + granted_ma > most)
                ledger_breach(l,
                              "connector %d is raised, and L%d of %s may then carry "
                              "%lld mA: base load %lld mA, connectors %lld mA; its "
                              "limit less the margin is %lld mA",
                              connector, p + 1, circuit_name(l, v),
                              (long long)(base_ma + granted_ma), (long long)base_ma,
                              (long long)granted_ma, (long long)most);
        }
        if (any)
            check_power(l, connector, v);
    }
}

/* ---- overloads ---- */

/* It can be told something, and has not just been found not to listen. */
static bool reachable(const struct ledger *l, int i)
{
    const struct account *a = &l->accounts[i];
    int waiting = 0;

    for (int j = 0; j < a->n; j++)
        waiting += a->grant[j].state == GRANT_SENT;
    return a->online && a->told_ma >= 0 && !a->untold && waiting < 4;
}

/* What flows when all that was told is followed, by those who can be told; *any: there
 * is one who may still draw. */
static int64_t told_ma(const struct ledger *l, int v, int p, bool *any)
{
    int64_t ma = base(l, v, p);

    *any = false;
    for (int i = 0; i < l->site->n_connectors; i++)
        if (below(l, l->site->connectors[i].circuit, v) && reachable(l, i)) {
            ma += account_told_ma(l, i, p);
            *any |= account_told_ma(l, i, p) > 0;
        }
    return ma;
}

static bool taken_back(const struct ledger *l, int v, int p)
{
    bool any;

    return told_ma(l, v, p, &any) <= limit(l, v, p) || !any;
}

static void blame(struct ledger *l, int v, int p)
{
    bool any;

    ledger_breach(l,
                  "the meter of %s shows %d mA on L%d, and what the connectors are "
                  "told leaves %lld mA; its limit is %lld mA",
                  circuit_name(l, v), l->wires[v].last.i_ma[p], p + 1,
                  (long long)told_ma(l, v, p, &any), (long long)limit(l, v, p));
}

/* One reading may fall into the moment at which a car is about to follow. */
void room_overload(struct ledger *l)
{
    for (int v = 0; v < l->site->n_circuits; v++) {
        struct wire *w = &l->wires[v];

        for (int p = 0; p < SITE_PHASES && w->just_read; p++) {
            bool over = metered(l, v) && w->last.i_ma[p] != EVENT_NO_VALUE &&
                        w->last.i_ma[p] > limit(l, v, p);

            if (!over || taken_back(l, v, p))
                w->unanswered[p] = 0;
            else if (++w->unanswered[p] == OVER_READINGS)
                blame(l, v, p);
        }
        w->just_read = false;
    }
}
