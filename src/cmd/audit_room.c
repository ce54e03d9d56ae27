/* SPDX-License-Identifier: Apache-2.0 */
/* The promise, checked on the recording: base load + what the connectors may draw <=
 * limit, wherever one of them is raised, and enough taken back when a meter shows more
 * than its limit. */
#include <stdio.h>

#include "cmd/audit_ledger.h"

static bool below(const struct ledger *l, int circuit, int ancestor)
{
    while (circuit != SITE_NONE && circuit != ancestor)
        circuit = l->site->circuits[circuit].parent;
    return circuit == ancestor;
}

/* The base load by a reading: the meter less what the cars below drew by their last
 * samples. The controller must not reckon with less. */
void room_meter(struct ledger *l, int meter, const struct event_meter *e)
{
    for (int v = 0; v < l->site->n_circuits; v++) {
        struct wire *w = &l->wires[v];

        if (l->site->circuits[v].meter != meter)
            continue;
        l->meter_read = true;
        w->last = *e;
        w->at_ms = l->now_ms;
        for (int p = 0; p < SITE_PHASES; p++) {
            int64_t ma = e->i_ma[p];

            for (int i = 0; i < l->site->n_connectors; i++) {
                const struct account *a = &l->accounts[i];

                if (below(l, l->site->connectors[i].circuit, v) && a->seen_ms >= 0 &&
                    l->now_ms - a->seen_ms <= LEDGER_STALE_MS)
                    ma -= a->seen_ma[p];
            }
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
            if (l->wires[v].last.i_ma[p] != EVENT_NO_VALUE)
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

static int64_t limit(const struct ledger *l, int v, int p)
{
    const struct wire *w = &l->wires[v];
    int64_t ma = l->site->circuits[v].limit_ma[p];

    if (w->external_ma != EVENT_NO_VALUE && l->now_ms < w->external_until_ms &&
        w->external_ma < ma)
        ma = w->external_ma;
    return ma;
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

    if (l->site->circuits[v].power_limit_w <= 0)
        return;
    limit_ma = (int64_t)l->site->circuits[v].power_limit_w * 1000000 / voltage_mv(l, v);
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
    uint8_t phases = account_phases(l, connector);

    for (int v = l->site->connectors[connector].circuit; v != SITE_NONE;
         v = l->site->circuits[v].parent) {
        if (!base_known(l, v))
            continue;
        for (int p = 0; p < SITE_PHASES; p++) {
            int64_t most = limit(l, v, p) - l->site->circuits[v].margin_ma;
            int64_t base_ma = base(l, v, p), granted_ma = granted(l, v, p);

            if (phases >> p & 1 && base_ma + granted_ma > most)
                ledger_breach(l,
                              "connector %d is raised, and L%d of %s may then carry "
                              "%lld mA: base load %lld mA, connectors %lld mA; its "
                              "limit less the margin is %lld mA",
                              connector, p + 1, circuit_name(l, v),
                              (long long)(base_ma + granted_ma), (long long)base_ma,
                              (long long)granted_ma, (long long)most);
        }
        if (phases)
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

/* What flows when all that was told is followed, by those who can be told. */
static void check_taken_back(struct ledger *l, int v, int p)
{
    int64_t ma = base(l, v, p);
    int one = SITE_NONE;

    for (int i = 0; i < l->site->n_connectors; i++) {
        const struct account *a = &l->accounts[i];

        if (!below(l, l->site->connectors[i].circuit, v) ||
            !(account_phases(l, i) >> p & 1) || !reachable(l, i))
            continue;
        ma += a->told_ma;
        if (a->told_ma > 0)
            one = i;
    }
    if (one != SITE_NONE && ma > limit(l, v, p))
        ledger_breach(l,
                      "the meter of %s shows %d mA on L%d, and what the connectors are "
                      "told leaves %lld mA; its limit is %lld mA",
                      circuit_name(l, v), l->wires[v].last.i_ma[p], p + 1,
                      (long long)ma, (long long)limit(l, v, p));
}

void room_overload(struct ledger *l)
{
    for (int v = 0; v < l->site->n_circuits; v++)
        for (int p = 0; p < SITE_PHASES && metered(l, v); p++)
            if (l->wires[v].last.i_ma[p] != EVENT_NO_VALUE &&
                l->wires[v].last.i_ma[p] > limit(l, v, p))
                check_taken_back(l, v, p);
}
