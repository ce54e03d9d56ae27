/* SPDX-License-Identifier: Apache-2.0 */
/* MeterValues of a connector: which of them are about now, and what they say. */
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { SLACK_S = 90, FLOWS_MA = 1000, STEP_MS = 5000 };
enum {
    MEAN_MIN_MS = 4000,
    MEAN_MAX_MS = 180000,
    MEAN_FALL_MS = 10000,
    COARSE_WH = 100
};
enum { DRAW_VALUES = OCPP_VALUE_CURRENT | OCPP_VALUE_CURRENTS | OCPP_VALUE_POWER };

/* The newest element of the message, with the others of the same moment: some send one
 * measurand per element. Its time in *utc_s, INT64_MIN when it has none. */
static bool newest(const cJSON *values, struct ocpp_sample *best, int64_t *utc_s)
{
    const cJSON *element;
    bool any = false;

    *utc_s = INT64_MIN;
    cJSON_ArrayForEach(element, values)
    {
        struct ocpp_sample s;
        int64_t t = INT64_MIN;

        ocpp_read_sample(element, &s);
        clock_parse_utc(s.timestamp, &t);
        if (s.n == 0 || (any && t < *utc_s))
            continue;
        if (any && t == *utc_s)
            ocpp_merge_sample(&s, best);
        *best = s;
        *utc_s = t;
        any = true;
    }
    return any;
}

/* Stored values sent late (Q69) are older than one that was here before, or than a
 * status told on the way. They come faster than they were taken; when they do not, the
 * charger's clock was put back and they are about now. */
static bool is_old(struct ocpp_peer *p, struct ocpp_connector *c, int64_t utc_s)
{
    int64_t now_ms = p->w->now_ms;
    bool old, live;

    if (utc_s == INT64_MIN)
        return false;
    old = utc_s < c->sample_utc_s ||
          (p->status_utc_s != INT64_MIN && utc_s < p->status_utc_s - SLACK_S);
    live = c->old_utc_s != INT64_MIN && utc_s > c->old_utc_s &&
           now_ms - c->old_ms >= STEP_MS &&
           (utc_s - c->old_utc_s) * 1000 <= now_ms - c->old_ms + STEP_MS;
    if (old && !live) {
        c->old_utc_s = utc_s;
        c->old_ms = now_ms;
        return true;
    }
    if (old)
        p->status_utc_s = utc_s;
    c->old_utc_s = INT64_MIN;
    c->sample_utc_s = utc_s;
    return false;
}

static bool flows(struct ocpp_connector *c, const int32_t i_ma[SITE_PHASES])
{
    bool any = false;

    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] != EVENT_NO_VALUE && i_ma[p] > FLOWS_MA) {
            c->phases_seen |= 1u << p;
            any = true;
        }
    return any;
}

/* No wire of a site carries as much: such a value is none, and none for the journal,
 * which is not audited beyond what cannot be. */
static void drop_absurd(int32_t i_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] > SITE_MAX_MA || i_ma[p] < -SITE_MAX_MA)
            i_ma[p] = EVENT_NO_VALUE;
}

static int32_t most(const int32_t i_ma[SITE_PHASES])
{
    int32_t ma = EVENT_NO_VALUE;

    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] > ma)
            ma = i_ma[p];
    return ma;
}

/* Where only the register is told its steps are the power: the smaller of the last two
 * means, since it is of the past. Registers in tenths of kWh tell nothing of that. */
static int32_t power_of_register(struct ocpp_connector *c, int64_t wh, int64_t now_ms)
{
    int64_t by_wh = wh - c->register_wh, in_ms = now_ms - c->register_ms;
    int32_t before_w = c->mean_w, w = EVENT_NO_VALUE;
    bool first = c->register_ms == 0;

    if (!first && in_ms < MEAN_MIN_MS)
        return before_w;
    c->mean_from_ms = c->register_ms;
    c->register_wh = wh;
    c->register_ms = now_ms;
    c->fine |= wh % COARSE_WH != 0;
    if (!first && c->fine && by_wh >= 0 && by_wh < 1000 && in_ms <= MEAN_MAX_MS)
        w = (int32_t)(by_wh * 3600000 / in_ms);
    c->mean_w = w;
    return before_w == EVENT_NO_VALUE || w == EVENT_NO_VALUE || w < before_w ? w
                                                                             : before_w;
}

/* A mean from before the limit was lowered shows no disobedience. */
static void clamp_mean(const struct ocpp_connector *c, int32_t i_ma[SITE_PHASES])
{
    const struct ocpp_limit *l = &c->limit;

    if (!l->force.has || l->force_ms + MEAN_FALL_MS < c->mean_from_ms)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] > l->told_ma)
            i_ma[p] = l->told_ma;
}

void ocpp_sample(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_meter *m)
{
    const struct site_connector *site = ocpp_peer_site(p, c);
    const struct ocpp_wiring w = {.phases = ocpp_peer_wired(p, c),
                                  .max_ma = site->max_ma,
                                  .voltage_mv = p->w->conf->site.voltage_mv};
    struct event e = {.kind = EVENT_SAMPLE, .who = ocpp_peer_index(p, c)};
    struct ocpp_sample s;
    int64_t utc_s;
    bool charging;

    if (!newest(m->values, &s, &utc_s))
        return;
    if (is_old(p, c, utc_s)) {
        log_debug("%s: connector %d: old values of %s", p->id, c->number, s.timestamp);
        return;
    }
    ocpp_learn_values(p, &s);
    e.sample.energy_wh = ocpp_energy(&s);
    if (!(p->able.values & DRAW_VALUES) && e.sample.energy_wh != EVENT_NO_ENERGY)
        s.p_w = power_of_register(c, e.sample.energy_wh, p->w->now_ms);
    ocpp_currents(&s, &w, e.sample.i_ma);
    drop_absurd(e.sample.i_ma);
    if (!(p->able.values & DRAW_VALUES))
        clamp_mean(c, e.sample.i_ma);
    e.sample.p_w = ocpp_power(&s, &w);
    charging = flows(c, e.sample.i_ma) || c->status == STATUS_CHARGING ||
               c->status == STATUS_SUSPENDED_EV || c->status == STATUS_SUSPENDED_EVSE;
    c->drawn_ma = most(e.sample.i_ma);
    c->drawn_ms = c->drawn_ma != EVENT_NO_VALUE ? p->w->now_ms : 0;
    ocpp_learn_sample(p, c, &s, e.sample.i_ma);
    if (m->has_transaction)
        ocpp_tx_seen(p, c, m->transaction, charging, e.sample.energy_wh);
    else
        ocpp_tx_unseen(p, c, flows(c, e.sample.i_ma), e.sample.energy_wh);
    ocpp_emit(p->w, e);
}

void ocpp_sample_order(struct ocpp_peer *p, struct ocpp_connector *c)
{
    if (!p->link || p->able.no_trigger)
        return;
    c->sample_due = true;
    ocpp_peer_pump(p);
}

static void triggered(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct ocpp_reply *r)
{
    char status[24] = "";

    (void)c;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (strcasecmp(status, "NotImplemented") == 0 ||
        (r->kind == OCPP_REPLY_ERROR &&
         ocpp_verdict_error(r->code) == OCPP_UNSUPPORTED))
        p->able.no_trigger = true;
}

/* ... by what other versions do not know: then it is asked as they are. */
static void tx_triggered(struct ocpp_peer *p, struct ocpp_connector *c,
                         const struct ocpp_reply *r)
{
    char status[24] = "";

    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (r->kind != OCPP_REPLY_ERROR && strcasecmp(status, "Rejected") != 0 &&
        strcasecmp(status, "NotImplemented") != 0)
        return;
    p->plain_sample = true;
    c->sample_due = true;
    c->trigger_ms = 0;
}

static void trigger(struct ocpp_peer *p, struct ocpp_connector *c)
{
    static const char plain[] = "MeterValues";
    char text[OCPP_CALL_TEXT];
    const char *what = c->tx.active && !p->plain_sample ? p->schema->tx_sample : plain;

    p->schema->write_trigger(text, what, c->number, 0);
    ocpp_peer_call(p, "TriggerMessage", text,
                   strcmp(what, plain) == 0 ? triggered : tx_triggered, c);
}

bool ocpp_sample_pump(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];

        if (!c->sample_due || p->able.no_trigger ||
            (c->trigger_ms && p->w->now_ms - c->trigger_ms < OCPP_TRIGGER_MS))
            continue;
        c->sample_due = false;
        c->trigger_ms = p->w->now_ms;
        trigger(p, c);
        return true;
    }
    return false;
}
