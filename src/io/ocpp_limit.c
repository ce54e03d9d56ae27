/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: which profile tells a limit to a charger, and what its answer means.
 *
 * Two profiles are kept in a charger. The fallback has no end and the lowest level: it
 * is what remains when we are gone. The working one carries the core's limit and ends
 * with its lease: a TxProfile while a transaction runs, else a TxDefaultProfile; when
 * the one becomes the other, the limit in force is told again in the new form. A form
 * that is refused is followed by the next one (enum ocpp_form), and what was learned
 * holds as long as the connection.
 *
 * What the core hears: ACCEPTED when the profile that governs the connector now has
 * been accepted; REJECTED when the order certainly had no effect (every form refused,
 * or it was never sent because a newer one came or the charger was away); NONE when
 * nobody can know. */
#include <stdio.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { ID_FALLBACK = 1, ID_DEFAULT = 2, ID_TX = 3 };
enum { TX_REFUSALS = 3, FALLBACK_AGAIN_MS = 60000 };

static const char *const no_lease = "takes no limit that ends by itself: when its "
                                    "connection is lost it keeps the last one";
static const char *const no_fallback = "refuses the fallback limit";
static const char *const refuses = "refuses every form of a limit";

static void answer(struct ocpp_peer *p, struct ocpp_connector *c, struct ocpp_want *w,
                   enum answer a)
{
    if (w->has && !w->internal)
        ocpp_emit(p->w, (struct event){.kind = EVENT_ANSWER,
                                       .who = ocpp_peer_index(p, c),
                                       .answer = {.seq = w->seq, .answer = a}});
    w->has = false;
}

static bool steps_possible(const struct ocpp_peer *p)
{
    return p->config.max_periods != 1;
}

static bool tx_form(enum ocpp_form f)
{
    return f == OCPP_FORM_TX_1 || f == OCPP_FORM_TX_0;
}

static bool tx_wanted(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    return c->tx.active && !p->no_tx && !c->limit.tx_refused;
}

static enum ocpp_form first_form(const struct ocpp_peer *p,
                                 const struct ocpp_connector *c)
{
    return tx_wanted(p, c) ? p->tx_form : p->default_form;
}

/* What is left to try after `f` was refused. */
static enum ocpp_form next_form(struct ocpp_peer *p, struct ocpp_connector *c,
                                enum ocpp_form f, enum ocpp16_verdict v)
{
    switch (f) {
    case OCPP_FORM_TX_1:
        if (v != OCPP16_UNSUPPORTED)
            return OCPP_FORM_TX_0;
        /* fall through */
    case OCPP_FORM_TX_0:
        c->limit.tx_refused = true;
        if (v == OCPP16_UNSUPPORTED || ++p->tx_refusals >= TX_REFUSALS)
            p->no_tx = true;
        return p->default_form;
    case OCPP_FORM_DEFAULT_1:
        return steps_possible(p) ? OCPP_FORM_STEPS : OCPP_FORM_DEFAULT_0;
    case OCPP_FORM_STEPS:
        return OCPP_FORM_DEFAULT_0;
    default:
        return OCPP_FORM_NONE;
    }
}

/* The forms to begin with, as far as the charger has told. */
static void base_forms(const struct ocpp_peer *p, enum ocpp_form *tx,
                       enum ocpp_form *other)
{
    bool one = p->config.max_level == 0 || p->config.max_profiles == 1;

    *tx = p->config.max_level == 0 ? OCPP_FORM_TX_0 : OCPP_FORM_TX_1;
    *other = !one                ? OCPP_FORM_DEFAULT_1
             : steps_possible(p) ? OCPP_FORM_STEPS
                                 : OCPP_FORM_DEFAULT_0;
}

static bool in_watts(const struct ocpp_peer *p)
{
    return p->config.unit_known && !p->config.amps;
}

/* Phases that share a limit in W. Those that a car was seen to use, since a charger
 * shares the watts among these; else all that are wired. */
static int phases(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    unsigned mask = ocpp_peer_wired(p, c);

    if (c->tx.active && (c->phases_seen & mask))
        mask &= c->phases_seen;
    return (int)((mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1));
}

/* A set point is 0 or at least the connector's minimum: some chargers make 6 A of 3 A
 * (Q35). */
static int32_t period_limit(const struct ocpp_peer *p, const struct ocpp_connector *c,
                            int32_t ma)
{
    if (ma < ocpp_peer_site(p, c)->min_ma)
        ma = 0;
    return ocpp16_limit(ma, in_watts(p), p->w->conf->site.voltage_mv, phases(p, c));
}

/* An id names one profile in the whole charge point (section 7.8): chargers that keep
 * to that would take the same id on another connector for a replacement. */
static int32_t profile_id(const struct ocpp_connector *c, int32_t kind)
{
    return (c->number - 1) * 10 + kind;
}

static struct ocpp16_profile profile(const struct ocpp_peer *p,
                                     const struct ocpp_connector *c, int32_t kind,
                                     int32_t ma)
{
    struct ocpp16_profile o = {.connector = c->number,
                               .id = profile_id(c, kind),
                               .watts = in_watts(p),
                               .n = 1,
                               .period[0].limit = period_limit(p, c, ma)};

    clock_format_utc(p->w->utc_s - OCPP_BACKDATE_S, o.start);
    return o;
}

static void told(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_reply *r);

static void send(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;
    struct ocpp16_profile o = profile(p, c, ID_FALLBACK, l->now.limit_ma);
    int32_t lease_s =
        OCPP_BACKDATE_S + (int32_t)((l->now.until_ms - p->w->now_ms + 999) / 1000);
    char text[OCPP16_PROFILE];

    switch (l->form) {
    case OCPP_FORM_TX_1:
    case OCPP_FORM_TX_0:
        o.id = profile_id(c, ID_TX);
        o.purpose = OCPP16_TX;
        o.transaction = c->tx.wire_id;
        o.level = l->form == OCPP_FORM_TX_1;
        o.duration_s = lease_s;
        break;
    case OCPP_FORM_DEFAULT_1:
        o.id = profile_id(c, ID_DEFAULT);
        o.level = 1;
        o.duration_s = lease_s;
        break;
    case OCPP_FORM_STEPS:
        o.n = 2;
        o.period[1].start_s = lease_s;
        o.period[1].limit = period_limit(p, c, ocpp_peer_site(p, c)->fallback_ma);
        break;
    default:
        break;
    }
    ocpp16_write_profile(text, &o);
    ocpp_peer_call(p, "SetChargingProfile", text, told, c);
}

/* Sends what `now` holds, unless its lease is over before it could leave. */
static bool start(struct ocpp_peer *p, struct ocpp_connector *c)
{
    if (c->limit.now.until_ms <= p->w->now_ms) {
        answer(p, c, &c->limit.now, ANSWER_REJECTED);
        return false;
    }
    send(p, c);
    return true;
}

static void learn(struct ocpp_peer *p, enum ocpp_form f)
{
    if (tx_form(f)) {
        p->tx_form = f;
    } else if (f > p->default_form) {
        log_warnx("%s: takes no TxDefaultProfile on stack level 1, %s", p->id,
                  f == OCPP_FORM_STEPS ? "so the fallback is a second period of one"
                                       : "so there is one without end");
        p->default_form = f;
    }
    if (!tx_form(f))
        ocpp_peer_trouble(p, &p->told_no_lease, f == OCPP_FORM_DEFAULT_0, no_lease);
    ocpp_peer_trouble(p, &p->told_refuses, false, refuses);
}

static void accepted(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;
    bool governs = tx_form(l->form) == tx_wanted(p, c);

    learn(p, l->form);
    if (governs) {
        l->force = l->now;
        answer(p, c, &l->now, ANSWER_ACCEPTED);
    } else if (l->next.has) { /* a transaction came or went, and a newer order */
        answer(p, c, &l->now, ANSWER_NONE);
    } else { /* told in the form that governs now, then answered */
        l->form = first_form(p, c);
        start(p, c);
    }
}

static void refused(struct ocpp_peer *p, struct ocpp_connector *c,
                    enum ocpp16_verdict v)
{
    struct ocpp_limit *l = &c->limit;

    if (tx_form(l->form) && !tx_wanted(p, c))
        l->form = p->default_form; /* the transaction is over: nothing learned */
    else
        l->form = next_form(p, c, l->form, v);
    if (l->form == OCPP_FORM_NONE) {
        ocpp_peer_trouble(p, &p->told_refuses, true, refuses);
        base_forms(p, &p->tx_form, &p->default_form); /* all of them again next time */
        answer(p, c, &l->now, ANSWER_REJECTED);
        return;
    }
    if (l->next.has) { /* the newer order goes on where this one was refused */
        answer(p, c, &l->now, ANSWER_REJECTED);
        l->now = l->next;
        l->next.has = false;
    }
    start(p, c);
}

static enum ocpp16_verdict verdict(const struct ocpp_reply *r)
{
    char status[24];

    if (r->kind == OCPP_REPLY_ERROR)
        return ocpp16_profile_error(r->code);
    if (r->kind != OCPP_REPLY_RESULT)
        return OCPP16_UNCLEAR;
    ocpp16_get_text(r->payload, "status", status, sizeof status);
    return ocpp16_profile_status(status);
}

static void told(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_reply *r)
{
    struct ocpp_limit *l = &c->limit;

    switch (verdict(r)) {
    case OCPP16_ACCEPTED:
        accepted(p, c);
        break;
    case OCPP16_UNCLEAR:
        log_info("%s: connector %d: whether it took the limit is not known: %s", p->id,
                 c->number,
                 r->kind == OCPP_REPLY_ERROR ? r->code
                 : r->text                   ? r->text
                                             : "no status");
        l->force.has = false;
        answer(p, c, &l->now, ANSWER_NONE);
        break;
    case OCPP16_REFUSED:
        refused(p, c, OCPP16_REFUSED);
        break;
    case OCPP16_UNSUPPORTED:
        refused(p, c, OCPP16_UNSUPPORTED);
        break;
    }
}

/* Tells the limit in force once more: its form, or its unit, has lost its hold. */
static void retell(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    if (!p->link || l->next.has || l->now.has || !l->force.has ||
        l->force.until_ms <= p->w->now_ms)
        return;
    l->next = l->force;
    l->next.internal = true;
    l->force.has = false;
}

void ocpp_limit_order(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct order *o)
{
    struct ocpp_want w = {.has = true,
                          .seq = o->seq,
                          .limit_ma = o->limit_ma,
                          .until_ms = p->w->now_ms + o->lease_ms};

    answer(p, c, &c->limit.next, ANSWER_REJECTED); /* never sent */
    if (!p->link) {
        answer(p, c, &w, ANSWER_REJECTED);
        return;
    }
    c->limit.next = w;
    ocpp_peer_pump(p);
}

/* A limit that may be lower than what the charger goes by. */
static bool urgent(const struct ocpp_peer *p, const struct ocpp_limit *l)
{
    return !l->force.has || l->force.until_ms <= p->w->now_ms ||
           l->next.limit_ma < l->force.limit_ma;
}

static bool pump(struct ocpp_peer *p, bool only_urgent)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];
        struct ocpp_limit *l = &c->limit;

        if (!l->next.has || (only_urgent && !urgent(p, l)))
            continue;
        l->now = l->next;
        l->next.has = false;
        l->form = first_form(p, c);
        if (start(p, c))
            return true;
    }
    return false;
}

bool ocpp_limit_pump_urgent(struct ocpp_peer *p)
{
    return pump(p, true);
}

bool ocpp_limit_pump_any(struct ocpp_peer *p)
{
    return pump(p, false);
}

static void fallback_told(struct ocpp_peer *p, struct ocpp_connector *c,
                          const struct ocpp_reply *r)
{
    switch (verdict(r)) {
    case OCPP16_ACCEPTED:
        ocpp_peer_trouble(p, &p->told_fallback, false, no_fallback);
        break;
    case OCPP16_UNCLEAR:
        c->limit.fallback_due = true;
        c->limit.fallback_at_ms = p->w->now_ms + FALLBACK_AGAIN_MS;
        break;
    default:
        ocpp_peer_trouble(p, &p->told_fallback, true, no_fallback);
    }
}

/* Where the working profile takes the fallback's place, it carries it (or cannot). */
bool ocpp_limit_pump_fallback(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];
        struct ocpp16_profile o;
        char text[OCPP16_PROFILE];

        if (!c->limit.fallback_due || p->w->now_ms < c->limit.fallback_at_ms)
            continue;
        c->limit.fallback_due = false;
        if (p->default_form != OCPP_FORM_DEFAULT_1 && c->limit.force.has &&
            !tx_wanted(p, c))
            continue;
        o = profile(p, c, ID_FALLBACK, ocpp_peer_site(p, c)->fallback_ma);
        ocpp16_write_profile(text, &o);
        ocpp_peer_call(p, "SetChargingProfile", text, fallback_told, c);
        return true;
    }
    return false;
}

void ocpp_limit_config(struct ocpp_peer *p, bool unit_changed)
{
    enum ocpp_form tx, other;

    base_forms(p, &tx, &other);
    if (tx > p->tx_form)
        p->tx_form = tx;
    if (other > p->default_form)
        p->default_form = other;
    for (int i = 0; unit_changed && i < p->n; i++) {
        p->c[i].limit.fallback_due = true;
        retell(p, &p->c[i]);
    }
}

void ocpp_limit_up(struct ocpp_peer *p)
{
    p->no_tx = false;
    p->tx_refusals = 0;
    base_forms(p, &p->tx_form, &p->default_form);
    for (int i = 0; i < p->n; i++) {
        p->c[i].limit.tx_refused = false;
        p->c[i].limit.fallback_due = true;
        p->c[i].limit.fallback_at_ms = 0;
    }
}

/* It may have lost all that we told it. */
void ocpp_limit_boot(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++)
        p->c[i].limit.force.has = false;
    ocpp_limit_up(p);
}

void ocpp_limit_down(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++)
        answer(p, &p->c[i], &p->c[i].limit.next, ANSWER_REJECTED);
}

void ocpp_limit_tx(struct ocpp_peer *p, struct ocpp_connector *c)
{
    c->limit.tx_refused = false;
    retell(p, c);
}
