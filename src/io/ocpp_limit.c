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
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { FALLBACK_AGAIN_MS = 60000 };

static void answer(struct ocpp_peer *p, struct ocpp_connector *c, struct ocpp_want *w,
                   enum answer a)
{
    if (w->has && !w->internal)
        ocpp_emit(p->w, (struct event){.kind = EVENT_ANSWER,
                                       .who = ocpp_peer_index(p, c),
                                       .answer = {.seq = w->seq, .answer = a}});
    w->has = false;
}

static void told(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_reply *r);

/* Sends what `now` holds, unless its lease is over before it could leave. */
static bool start(struct ocpp_peer *p, struct ocpp_connector *c)
{
    char text[OCPP16_PROFILE];

    if (c->limit.now.until_ms <= p->w->now_ms) {
        answer(p, c, &c->limit.now, ANSWER_REJECTED);
        return false;
    }
    c->limit.form_tx = c->tx.wire_id;
    ocpp_form_write(p, c, text);
    ocpp_peer_call(p, "SetChargingProfile", text, told, c);
    return true;
}

static void accepted(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;
    bool tx = ocpp_form_tx(l->form);
    bool governs =
        tx == ocpp_form_tx_wanted(p, c) && (!tx || l->form_tx == c->tx.wire_id);

    ocpp_form_learn(p, l->form);
    if (governs) {
        l->force = l->now;
        answer(p, c, &l->now, ANSWER_ACCEPTED);
    } else if (l->next.has) { /* a transaction came or went, and a newer order */
        answer(p, c, &l->now, ANSWER_NONE);
    } else { /* told in the form that governs now, then answered */
        l->form = ocpp_form_first(p, c);
        start(p, c);
    }
}

static void refused(struct ocpp_peer *p, struct ocpp_connector *c,
                    enum ocpp16_verdict v)
{
    struct ocpp_limit *l = &c->limit;

    if (ocpp_form_tx(l->form) && !ocpp_form_tx_wanted(p, c))
        l->form = p->default_form; /* the transaction is over: nothing learned */
    else
        l->form = ocpp_form_next(p, c, l->form, v);
    if (l->form == OCPP_FORM_NONE) {
        ocpp_peer_trouble(p, OCPP_TROUBLE_REFUSES, "refuses every form of a limit");
        ocpp_form_base(p, &p->tx_form,
                       &p->default_form); /* all of them again next time */
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
                          .other = o->insist >= 2,
                          .n_phases = o->n_phases,
                          .until_ms = p->w->now_ms + o->lease_ms};

    if (o->n_phases != c->n_phases)
        c->phases_seen = 0; /* they tell nothing of another number of them */
    c->n_phases = o->n_phases;
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

/* It took the last form and did not follow: the next one, from the first again after
 * the last. */
static void other_form(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    l->form = ocpp_form_next(p, c, l->form, OCPP16_REFUSED);
    if (l->form == OCPP_FORM_NONE) {
        ocpp_form_base(p, &p->tx_form, &p->default_form);
        p->no_tx = c->limit.tx_refused = false;
        l->form = ocpp_form_first(p, c);
    }
    log_info("%s: connector %d: does not follow its limit, trying another form of it",
             p->id, c->number);
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
        l->form = ocpp_form_first(p, c);
        if (l->now.other)
            other_form(p, c);
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
        ocpp_peer_trouble(p, OCPP_TROUBLE_FALLBACK, NULL);
        break;
    case OCPP16_UNCLEAR:
        c->limit.fallback_due = true;
        c->limit.fallback_at_ms = p->w->now_ms + FALLBACK_AGAIN_MS;
        break;
    default:
        ocpp_peer_trouble(p, OCPP_TROUBLE_FALLBACK, "refuses the fallback limit");
    }
}

/* Where the working profile takes the fallback's place, it carries it (or cannot). */
bool ocpp_limit_pump_fallback(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];
        char text[OCPP16_PROFILE];

        if (!c->limit.fallback_due || p->w->now_ms < c->limit.fallback_at_ms)
            continue;
        c->limit.fallback_due = false;
        if (p->default_form != OCPP_FORM_DEFAULT_1 && c->limit.force.has &&
            !ocpp_form_tx_wanted(p, c))
            continue;
        ocpp_form_write_fallback(p, c, text);
        ocpp_peer_call(p, "SetChargingProfile", text, fallback_told, c);
        return true;
    }
    return false;
}

void ocpp_limit_config(struct ocpp_peer *p, bool unit_changed)
{
    enum ocpp_form tx, other;

    ocpp_form_base(p, &tx, &other);
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
    ocpp_form_base(p, &p->tx_form, &p->default_form);
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
