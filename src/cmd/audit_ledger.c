/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of the connectors, and the rules that concern one connector or one step:
 * order, bounds and leases of set points. */
#include "cmd/audit_ledger.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ledger_breach(struct ledger *l, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    l->breach(l->arg, text);
}

static const char *name_of(const struct ledger *l, int connector)
{
    const char *name = l->site->connectors[connector].name;

    return name ? name : "a connector";
}

static bool may_flow(const struct ledger *l, const struct grant *g)
{
    if (g->state == GRANT_ENDING)
        return l->now_ms < g->end_ms;
    return l->now_ms < g->sent_ms + g->lease_ms;
}

/* The phases that a set point allows. */
static uint8_t phases_of(const struct ledger *l, int connector, const struct grant *g)
{
    const struct site_connector *c = &l->site->connectors[connector];

    if (g->n_phases != 1 || c->wiring_unknown)
        return site_phase_mask(c);
    return c->wiring[0] < SITE_PHASES ? (uint8_t)(1 << c->wiring[0]) : 0;
}

/* The most that was sent for one of these phases and may hold, or what the charger
 * falls back to when the leases of all of it have ended. */
static int32_t highest(const struct ledger *l, int connector, uint8_t phases)
{
    const struct account *a = &l->accounts[connector];
    int32_t ma = 0;
    bool any = false;

    for (int i = 0; i < a->n; i++)
        if (may_flow(l, &a->grant[i])) {
            any = true;
            if (a->grant[i].ma > ma && phases_of(l, connector, &a->grant[i]) & phases)
                ma = a->grant[i].ma;
        }
    return any || a->told_ma < 0 ? ma : l->site->connectors[connector].fallback_ma;
}

uint8_t account_phases(const struct ledger *l, int connector)
{
    return site_phase_mask(&l->site->connectors[connector]) &
           (uint8_t)~l->accounts[connector].unused;
}

int32_t account_ma(const struct ledger *l, int connector, int phase)
{
    const struct account *a = &l->accounts[connector];
    int32_t ma = account_phases(l, connector) >> phase & 1
                     ? highest(l, connector, (uint8_t)(1 << phase))
                     : 0;

    /* it draws more than it is told, and has had all the time there is to follow */
    if (a->seen_ms >= a->accepted_ms + LEDGER_FOLLOW_MS &&
        l->now_ms - a->seen_ms <= LEDGER_STALE_MS && a->seen_ma[phase] > ma)
        ma = a->seen_ma[phase];
    return ma;
}

int32_t account_told_ma(const struct ledger *l, int connector, int phase)
{
    const struct account *a = &l->accounts[connector];
    const struct grant *g = a->n ? &a->grant[a->n - 1] : NULL;
    uint8_t phases = account_phases(l, connector);

    if (g && g->seq == a->told_seq)
        phases &= phases_of(l, connector, g);
    return phases >> phase & 1 && a->told_ma > 0 ? a->told_ma : 0;
}

/* ---- what happens to an account ---- */

static void drop(struct account *a, int i)
{
    for (a->n--; i < a->n; i++)
        a->grant[i] = a->grant[i + 1];
}

static void drop_ended(struct ledger *l, struct account *a)
{
    for (int i = a->n - 1; i >= 0; i--)
        if (!may_flow(l, &a->grant[i]))
            drop(a, i);
}

static void on_sent(struct ledger *l, int i, const struct order *o)
{
    struct account *a = &l->accounts[i];

    drop_ended(l, a);
    if (a->n == LEDGER_GRANTS)
        drop(a, 0);
    a->grant[a->n++] = (struct grant){.seq = o->seq,
                                      .ma = o->limit_ma,
                                      .lease_ms = o->lease_ms,
                                      .n_phases = o->n_phases,
                                      .sent_ms = l->now_ms};
    a->told_ma = o->limit_ma;
    a->told_seq = o->seq;
    a->told_phases = o->n_phases;
    a->untold = false;
    if (o->limit_ma > a->loose_ma)
        a->loose_ma = o->limit_ma;
}

static void on_accepted(struct ledger *l, struct account *a, int at)
{
    int64_t end_ms = l->now_ms + l->site->settle_ms;

    a->grant[at].state = GRANT_HELD;
    a->grant[at].sure = true;
    a->accepted_ms = l->now_ms;
    for (int i = 0; i < a->n; i++)
        if (i != at && a->grant[i].state == GRANT_HELD) {
            a->grant[i].state = GRANT_ENDING;
            a->grant[i].end_ms = end_ms;
        }
}

static void on_answer(struct ledger *l, int i, const struct event_answer *e)
{
    struct account *a = &l->accounts[i];
    int at = 0;

    while (at < a->n &&
           (a->grant[at].seq != e->seq || a->grant[at].state != GRANT_SENT))
        at++;
    if (at == a->n)
        return;
    a->untold |= e->answer != ANSWER_ACCEPTED;
    if (e->answer == ANSWER_ACCEPTED)
        on_accepted(l, a, at);
    else if (e->answer == ANSWER_NONE)
        a->grant[at].state = GRANT_HELD;
    else
        drop(a, at);
}

/* A phase that a car has shown not to use does not count until it is seen there, or
 * another car comes. */
static void learn(struct account *a)
{
    bool on = false;

    for (int p = 0; p < SITE_PHASES; p++)
        on |= a->seen_ma[p] >= LEDGER_ON_MA;
    for (int p = 0; p < SITE_PHASES; p++) {
        a->off[p] = on && a->seen_ma[p] < LEDGER_OFF_MA ? a->off[p] + 1 : 0;
        if (a->off[p] >= LEDGER_OFF_SAMPLES)
            a->unused |= (uint8_t)(1 << p);
        if (a->seen_ma[p] >= LEDGER_ON_MA)
            a->unused &= (uint8_t) ~(1 << p);
    }
}

/* Samples that show it at or below what is held: it has followed. */
static void followed(struct ledger *l, struct account *a)
{
    int32_t ma = 0;

    for (int i = 0; i < a->n; i++)
        if (a->grant[i].state != GRANT_ENDING && a->grant[i].ma > ma)
            ma = a->grant[i].ma;
    for (int p = 0; p < SITE_PHASES; p++)
        if (a->seen_ma[p] > (int64_t)ma + LEDGER_NOISE_MA)
            return;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->grant[i].state == GRANT_ENDING &&
            l->now_ms >= a->accepted_ms + LEDGER_LAG_MS)
            drop(a, i);
}

/* It draws that much on its own phases. */
static void draws(struct ledger *l, int i, const int32_t own_ma[SITE_PHASES])
{
    struct account *a = &l->accounts[i];
    int32_t before_ma[SITE_PHASES];

    memset(before_ma, 0, sizeof before_ma);
    if (a->seen_ms >= 0 && l->now_ms - a->seen_ms <= LEDGER_STALE_MS)
        memcpy(before_ma, a->seen_ma, sizeof before_ma);
    site_rotate(&l->site->connectors[i], own_ma, a->seen_ma);
    a->seen_ms = l->now_ms;
    learn(a);
    followed(l, a);
    room_sample(l, i, before_ma);
}

static void on_sample(struct ledger *l, int i, const struct event_sample *e)
{
    int32_t own_ma[SITE_PHASES];
    bool any = false;

    for (int p = 0; p < SITE_PHASES; p++) {
        any |= e->i_ma[p] != EVENT_NO_VALUE;
        own_ma[p] = e->i_ma[p] > 0 ? e->i_ma[p] : 0;
    }
    if (any)
        draws(l, i, own_ma);
}

/* Nothing is plugged in: nothing is drawn. */
static void on_status(struct ledger *l, int i, enum connector_status status)
{
    const int32_t none_ma[SITE_PHASES] = {0};

    if (status == STATUS_AVAILABLE)
        draws(l, i, none_ma);
}

/* Another car may use other phases. */
static void on_session(struct account *a, bool active)
{
    if (active && !a->session) {
        a->unused = 0;
        memset(a->off, 0, sizeof a->off);
    }
    a->session = active;
}

static void on_link(struct ledger *l, int charger, bool up)
{
    for (int i = 0; i < l->site->n_connectors; i++) {
        struct account *a = &l->accounts[i];

        if (l->site->connectors[i].charger != charger)
            continue;
        a->online = up;
        a->online_ms = l->now_ms;
        a->untold = true;
    }
}

static const struct event_limit no_limit = {.limit_ma = EVENT_NO_VALUE};

static void on_limit(struct ledger *l, int v, const struct event_limit *e)
{
    if (e->source < LIMIT_SOURCES)
        l->wires[v].external[e->source] = *e;
    l->wires[v].external[LIMIT_BEFORE] = no_limit; /* it may be this one */
}

void ledger_event(struct ledger *l, const struct event *e)
{
    bool connector = e->who >= 0 && e->who < l->site->n_connectors;

    if (e->at_ms > l->now_ms)
        l->now_ms = e->at_ms;
    l->raised = false;
    if (e->kind == EVENT_METER && e->who >= 0 && e->who < l->site->n_meters)
        room_meter(l, e->who, &e->meter);
    else if (e->kind == EVENT_LINK)
        on_link(l, e->who, e->link.up);
    else if (e->kind == EVENT_LIMIT && e->who >= 0 && e->who < l->site->n_circuits)
        on_limit(l, e->who, &e->limit);
    else if (e->kind == EVENT_SAMPLE && connector)
        on_sample(l, e->who, &e->sample);
    else if (e->kind == EVENT_STATUS && connector)
        on_status(l, e->who, e->status);
    else if (e->kind == EVENT_ANSWER && connector)
        on_answer(l, e->who, &e->answer);
    else if (e->kind == EVENT_SESSION && connector)
        on_session(&l->accounts[e->who], e->session.active);
}

/* ---- the rules of one order ---- */

static void check_bounds(struct ledger *l, const struct order *o)
{
    const struct site_connector *c = &l->site->connectors[o->who];
    int32_t ma = o->limit_ma, min_ma = c->min_ma;

    if (o->n_phases != 1 && c->min_3p_ma > 0) /* not known: the smaller one */
        min_ma = o->n_phases == 3 || c->min_3p_ma < min_ma ? c->min_3p_ma : min_ma;
    if (ma < 0 || ma > c->max_ma)
        ledger_breach(l, "%s: set point %d mA, its maximum is %d mA",
                      name_of(l, o->who), ma, c->max_ma);
    else if (ma > 0 && ma < min_ma)
        ledger_breach(l, "%s: set point %d mA between 0 and its minimum, %d mA",
                      name_of(l, o->who), ma, min_ma);
    if (o->lease_ms != (ma < c->fallback_ma ? 2 : 1) * l->site->lease_ms)
        ledger_breach(l, "%s: a lease of %d ms, the site's is %d ms",
                      name_of(l, o->who), o->lease_ms, l->site->lease_ms);
    if (!l->accounts[o->who].online)
        ledger_breach(l, "%s: a set point for a charger that is not connected",
                      name_of(l, o->who));
}

void ledger_order(struct ledger *l, const struct order *o)
{
    struct account *a;
    bool raise, lower;

    if (o->kind == ORDER_NOTICE && o->notice == NOTICE_METER_FROZEN)
        room_frozen(l, o->who, o->begins);
    if (o->kind != ORDER_LIMIT)
        return;
    if (o->who < 0 || o->who >= l->site->n_connectors) {
        ledger_breach(l, "a set point for a connector that is not there");
        return;
    }
    a = &l->accounts[o->who];
    if (l->seq && o->seq != l->seq + 1)
        ledger_breach(l, "%s: number %u after number %u", name_of(l, o->who),
                      (unsigned)o->seq, (unsigned)l->seq);
    l->seq = o->seq;
    check_bounds(l, o);
    raise = o->limit_ma > a->loose_ma ||
            (o->limit_ma > 0 && o->n_phases == 3 && a->told_phases == 1);
    lower = !raise && !a->untold && o->limit_ma < a->told_ma &&
            o->limit_ma < highest(l, o->who, 7);
    if (lower && l->raised)
        ledger_breach(l, "%s: lowered to %d mA behind a raise of another",
                      name_of(l, o->who), o->limit_ma);
    l->raised |= raise;
    on_sent(l, o->who, o);
    a->raised |= raise;
}

/* ---- the rules of a step ---- */

/* A set point whose lease ends while the charger is connected, and no other was sent
 * in its place. */
static void check_lease(struct ledger *l, int i)
{
    struct account *a = &l->accounts[i];
    const struct grant *g = a->n ? &a->grant[a->n - 1] : NULL;

    if (!g || g->seq != a->told_seq || g->state != GRANT_HELD || !g->sure ||
        !a->online || a->untold || a->online_ms > g->sent_ms ||
        g->ma == l->site->connectors[i].fallback_ma ||
        l->now_ms < g->sent_ms + g->lease_ms) {
        a->lease_blamed = false;
        return;
    }
    if (!a->lease_blamed)
        ledger_breach(l, "%s: the lease of %d mA has ended and was not renewed",
                      name_of(l, i), g->ma);
    a->lease_blamed = true;
}

/* More than this is a raise for sure: what could flow at most until all answers are
 * there and have had their time. */
static void check_loose(struct ledger *l, struct account *a)
{
    for (int i = a->n - 1; i >= 0; i--)
        if (a->grant[i].state == GRANT_ENDING && !may_flow(l, &a->grant[i]))
            drop(a, i);
    if (a->n == 1 && a->grant[0].state == GRANT_HELD && a->grant[0].sure &&
        !a->untold && l->now_ms > a->accepted_ms + l->site->settle_ms)
        a->loose_ma = a->grant[0].ma;
}

void ledger_step_end(struct ledger *l)
{
    for (int i = 0; i < l->site->n_connectors; i++) {
        if (l->accounts[i].raised)
            room_raise(l, i);
        l->accounts[i].raised = false;
        check_lease(l, i);
        check_loose(l, &l->accounts[i]);
    }
    room_overload(l);
}

/* ---- its beginning ---- */

static void begin_account(struct ledger *l, int i, const struct control *k)
{
    struct account *a = &l->accounts[i];
    struct connector_view v;

    control_connector(k, i, &v);
    *a = (struct account){.online = v.online,
                          .online_ms = l->now_ms,
                          .session = v.session,
                          .told_ma = -1,
                          .loose_ma = v.exposure_ma,
                          .seen_ms = -1};
    if (v.measured_at_ms != INT64_MIN) /* else nothing can have been learned */
        a->unused = site_phase_mask(&l->site->connectors[i]);
    for (int p = 0; p < SITE_PHASES; p++)
        if (v.measured_ma[p] != EVENT_NO_VALUE) {
            a->seen_ma[p] = v.measured_ma[p];
            a->seen_ms = v.measured_at_ms;
            if (v.measured_ma[p] >= LEDGER_ON_MA)
                a->unused &= (uint8_t) ~(1 << p);
        }
    if (!v.confirmed || !v.online)
        return;
    a->grant[a->n++] = (struct grant){.ma = v.offered_ma,
                                      .lease_ms = l->site->lease_ms,
                                      .state = GRANT_HELD,
                                      .sent_ms = l->now_ms};
}

struct ledger *ledger_new(const struct site *s, const struct control *k, int64_t now_ms,
                          void (*breach)(void *arg, const char *text), void *arg)
{
    struct ledger *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->site = s;
    l->breach = breach;
    l->arg = arg;
    l->accounts = calloc((size_t)s->n_connectors + 1, sizeof *l->accounts);
    l->wires = calloc((size_t)s->n_circuits + 1, sizeof *l->wires);
    if (!l->accounts || !l->wires) {
        ledger_free(l);
        return NULL;
    }
    l->now_ms = now_ms;
    for (int i = 0; i < s->n_connectors; i++)
        begin_account(l, i, k);
    for (int v = 0; v < s->n_circuits; v++) {
        struct circuit_view view;

        control_circuit(k, v, &view);
        l->wires[v].at_ms = -1;
        for (int i = 0; i < LIMIT_SOURCES; i++)
            l->wires[v].external[i] = no_limit;
        l->wires[v].external[LIMIT_BEFORE] = (struct event_limit){
            .limit_ma = view.external_ma, .until_ms = view.external_until_ms};
    }
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    free(l->accounts);
    free(l->wires);
    free(l);
}
