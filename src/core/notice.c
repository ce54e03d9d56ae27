/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told: once when it begins and once when it is over. */
#include "state.h"

enum { OVER_CLEAR_MS = 10000 }; /* an overload is over after so long without one */

static void tell(struct control *k, enum notice notice, int who, bool begins)
{
    struct order *o = control_out(k, ORDER_NOTICE, who);

    o->notice = notice;
    o->begins = begins;
}

static void meters(struct control *k)
{
    for (int m = 0; m < k->site->n_meters; m++) {
        struct meter_state *s = &k->meters[m];
        int64_t last = s->at_ms == NEVER ? k->start_ms : s->at_ms;
        bool lost = k->now_ms - last > k->site->meters[m].max_age_ms;

        if (lost != s->lost_told)
            tell(k, NOTICE_METER_LOST, m, lost);
        s->lost_told = lost;
        if (!lost && fresh_frozen(k, m) != s->frozen_told) {
            s->frozen_told = !s->frozen_told;
            tell(k, NOTICE_METER_FROZEN, m, s->frozen_told);
        }
    }
}

static bool over(const struct control *k, int v)
{
    const struct event_meter *m = &k->meters[k->site->circuits[v].meter].last;

    for (int p = 0; p < SITE_PHASES; p++)
        if (m->i_ma[p] != EVENT_NO_VALUE && m->i_ma[p] > control_limit(k, v, p))
            return true;
    return false;
}

static void circuit(struct control *k, int v)
{
    struct circuit_state *s = &k->circuits[v];
    bool external = limit_any(s);

    if (external != s->external_told) {
        s->external_told = external;
        tell(k, NOTICE_LIMIT_EXTERNAL, v, external);
    }
    if (!base_metered(k, v))
        return;
    if (over(k, v)) {
        s->over_ms = k->now_ms;
        if (!s->over_told)
            tell(k, NOTICE_OVER_LIMIT, v, true);
        s->over_told = true;
    } else if (s->over_told && k->now_ms - s->over_ms >= OVER_CLEAR_MS) {
        s->over_told = false;
        tell(k, NOTICE_OVER_LIMIT, v, false);
    }
}

static void connectors(struct control *k)
{
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct connector_state *c = &k->connectors[i];

        if (c->disobeys != c->disobeys_told)
            tell(k, NOTICE_DISOBEYS, i, c->disobeys);
        c->disobeys_told = c->disobeys;
    }
}

void notice_all(struct control *k)
{
    connectors(k);
    meters(k);
    for (int v = 0; v < k->site->n_circuits; v++)
        circuit(k, v);
    if (k->check_failures > 0 && !k->check_told) {
        k->check_told = true;
        tell(k, NOTICE_CHECK_FAILED, 0, true);
    }
}
