/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: which profile tells a limit to a charger, and what its answer means.
 *
 * Two profiles are kept in a charger. The fallback has no end and the lowest level: it
 * is what remains when we are gone. The working one carries the core's limit and ends
 * with its lease: a TxProfile while a transaction runs, else a TxDefaultProfile; when
 * the one becomes the other, the limit in force is told again in the new form. A form
 * that is refused is followed by the next one (enum ocpp_form), and what was learned is
 * kept in the charger's record.
 *
 * What the core hears: ACCEPTED when the profile that governs the connector now has
 * been accepted; REJECTED when the order certainly had no effect (every form refused,
 * or it was never sent because a newer one came or the charger was away); NONE when
 * nobody can know. */
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { FALLBACK_AGAIN_MS = 60000, LEFT_MS = 30000 };

/* Q6, Q28 */
static const char *const refuses_all =
    "refuses every form of a limit: is its load management by others switched on in "
    "its own settings?";

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

int32_t ocpp_limit_capped(const struct ocpp_connector *c, int32_t ma)
{
    return c->limit.cap_ma >= 0 && c->limit.cap_ma < ma ? c->limit.cap_ma : ma;
}

/* Sends what `now` holds, unless its lease is over before it could leave. */
static bool start(struct ocpp_peer *p, struct ocpp_connector *c)
{
    char text[OCPP_PROFILE_TEXT];

    if (c->limit.now.until_ms <= p->w->now_ms) {
        answer(p, c, &c->limit.now, ANSWER_REJECTED);
        return false;
    }
    if (!ocpp_form_tx(c->limit.form)) /* a TxProfile from before has to go */
        ocpp_limit_stray(p, c);
    c->limit.form_tx = c->tx.wire_id;
    c->limit.told_ma = ocpp_limit_capped(c, c->limit.now.limit_ma);
    ocpp_form_write(p, c, c->limit.form, &c->limit.now, text);
    ocpp_peer_call(p, "SetChargingProfile", text, told, c);
    return true;
}

/* A form that was not answered, or a profile that it has taken before, may be in the
 * charger, above this one: the lowest of them, so that none governs when one above it
 * goes. OCPP_FORM_NONE = there is none. */
static enum ocpp_form above(const struct ocpp_peer *p, const struct ocpp_limit *l,
                            enum ocpp_form f)
{
    if (f >= OCPP_FORM_MAX_STEPS)
        return OCPP_FORM_NONE;
    if (f > OCPP_FORM_DEFAULT_1 && l->one_until_ms > p->w->now_ms)
        return OCPP_FORM_DEFAULT_1;
    return l->mute_until_ms > p->w->now_ms && l->mute < f ? l->mute : OCPP_FORM_NONE;
}

static void gone(struct ocpp_limit *l, enum ocpp_form f)
{
    if (l->mute == f) {
        l->mute_until_ms = 0;
        l->left = false;
    }
    if (f == OCPP_FORM_DEFAULT_1)
        l->one_until_ms = 0;
}

static void clear(struct ocpp_peer *p, struct ocpp_connector *c, enum ocpp_form f,
                  ocpp_reply_fn *reply)
{
    char text[OCPP_CALL_TEXT];

    p->schema->write_clear_id(text, ocpp_form_id(c, f));
    ocpp_peer_call(p, "ClearChargingProfile", text, reply, c);
}

/* What was accepted now governs only without those. */
static void cleared(struct ocpp_peer *p, struct ocpp_connector *c,
                    const struct ocpp_reply *r)
{
    struct ocpp_limit *l = &c->limit;
    bool done = r->kind == OCPP_REPLY_RESULT; /* Accepted, or Unknown: it never was */

    if (done)
        gone(l, above(p, l, l->form));
    if (done && above(p, l, l->form) != OCPP_FORM_NONE)
        clear(p, c, above(p, l, l->form), cleared);
    else
        answer(p, c, &l->now, done ? ANSWER_ACCEPTED : ANSWER_NONE);
}

void ocpp_limit_stray(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    if (l->tx_until_ms <= p->w->now_ms)
        return;
    l->mute = OCPP_FORM_TX_1; /* whichever it was: their id is the same */
    if (l->mute_until_ms < l->tx_until_ms)
        l->mute_until_ms = l->tx_until_ms;
    l->tx_until_ms = 0;
    l->left = false;
}

/* It may have taken this one. */
static void note(const struct ocpp_peer *p, struct ocpp_limit *l, enum ocpp_form f,
                 const struct ocpp_want *w)
{
    if (ocpp_form_tx(f) && l->tx_until_ms < w->until_ms)
        l->tx_until_ms = w->until_ms;
    if (f == OCPP_FORM_DEFAULT_1 && l->one_until_ms < w->until_ms)
        l->one_until_ms = ocpp_form_endless(p, f) ? INT64_MAX : w->until_ms;
}

/* What its leased TxDefaultProfile says from now on. */
static void note_under(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    if (ocpp_form_tx(l->form))
        return;
    l->under_ma = l->told_ma;
    l->under_until_ms = ocpp_form_endless(p, l->form) ? INT64_MAX : l->now.until_ms;
}

/* A TxProfile of a run before us: its transaction may be told any moment, and is not
 * left without it, for many chargers keep to a new TxDefaultProfile from the next one
 * on only (Q17). Where nobody is there is none. */
static bool may_be_told(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    if (!l->left || l->mute_until_ms <= p->w->now_ms || ocpp_form_tx(l->form) ||
        l->form >= OCPP_FORM_MAX_STEPS)
        return false;
    if (c->status == STATUS_AVAILABLE)
        gone(l, l->mute);
    l->left = c->status != STATUS_AVAILABLE && p->w->now_ms - p->link_ms < LEFT_MS;
    return l->left;
}

static void accepted(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;
    bool tx = ocpp_form_tx(l->form);
    bool governs =
        tx == ocpp_form_tx_wanted(p, c) && (!tx || l->form_tx == c->tx.wire_id);

    ocpp_form_learn(p, l->form);
    if (ocpp_form_id(c, l->form) == ocpp_form_id(c, l->mute))
        gone(l, l->mute); /* it has taken the place of that */
    note_under(p, c);
    note(p, l, l->form, &l->now);
    if (governs) {
        l->force = l->now;
        l->force_ms = p->w->now_ms;
        if (may_be_told(p, c))
            answer(p, c, &l->now, ANSWER_NONE);
        else if (above(p, l, l->form) != OCPP_FORM_NONE)
            clear(p, c, above(p, l, l->form), cleared);
        else
            answer(p, c, &l->now, ANSWER_ACCEPTED);
        if (l->told_ma != ocpp_limit_capped(c, l->force.limit_ma))
            ocpp_limit_again(p, c); /* the cap has changed meanwhile */
    } else if (l->next.has) {       /* a transaction came or went, and a newer order */
        answer(p, c, &l->now, ANSWER_NONE);
    } else { /* told in the form that governs now, then answered */
        l->form = ocpp_form_first(p, c);
        start(p, c);
    }
}

static void refused(struct ocpp_peer *p, struct ocpp_connector *c, enum ocpp_verdict v)
{
    struct ocpp_limit *l = &c->limit;

    if (ocpp_form_tx(l->form) &&
        (!ocpp_form_tx_wanted(p, c) || l->form_tx != c->tx.wire_id)) {
        l->form = ocpp_form_first(p, c); /* that one is over: nothing learned */
    } else {
        l->form = ocpp_form_next(p, c, l->form, v);
    }
    if (l->form == OCPP_FORM_NONE && v == OCPP_REFUSED && ocpp_form_variant(p, c))
        l->form = ocpp_form_first(p, c);
    if (l->form == OCPP_FORM_NONE) {
        ocpp_peer_trouble(p, OCPP_TROUBLE_REFUSES, refuses_all);
        ocpp_form_base(p, &p->able.tx,
                       &p->able.other); /* all of them again next time */
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

/* It speaks another version: who knows what it made of that. */
static void disbelieved(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    l->force.has = false;
    note(p, l, l->form, &l->now);
    answer(p, c, &l->now, ANSWER_REJECTED);
}

static enum ocpp_verdict verdict(const struct ocpp_reply *r)
{
    return r->kind == OCPP_REPLY_ERROR    ? ocpp_verdict_error(r->code)
           : r->kind == OCPP_REPLY_RESULT ? ocpp_verdict_result(r->payload)
                                          : OCPP_UNCLEAR;
}

static void told(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_reply *r)
{
    struct ocpp_limit *l = &c->limit;

    if (r->kind != OCPP_REPLY_TIMEOUT)
        l->n_mute = 0;
    switch (verdict(r)) {
    case OCPP_ACCEPTED:
        if (*p->trouble[OCPP_TROUBLE_VERSION])
            disbelieved(p, c);
        else
            accepted(p, c);
        break;
    case OCPP_UNCLEAR:
        log_info("%s: connector %d: whether it took the limit is not known: %s", p->id,
                 c->number,
                 r->kind == OCPP_REPLY_ERROR ? r->code
                 : r->text                   ? r->text
                                             : "no status");
        if (l->now.internal) /* the core goes by what was confirmed before */
            l->force = l->now;
        else
            l->force.has = false;
        note(p, l, l->form, &l->now);
        if (r->kind == OCPP_REPLY_TIMEOUT)
            ocpp_form_mute(p, c);
        answer(p, c, &l->now, ANSWER_NONE);
        break;
    case OCPP_REFUSED:
        refused(p, c, OCPP_REFUSED);
        break;
    case OCPP_UNSUPPORTED:
        refused(p, c, OCPP_UNSUPPORTED);
        break;
    case OCPP_NO_TX:
        refused(p, c, OCPP_NO_TX);
        break;
    }
}

/* Tells the limit in force once more: its form, or its unit, has lost its hold. */
void ocpp_limit_again(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;

    if (!p->link || l->next.has || l->now.has || !l->force.has ||
        l->force.until_ms <= p->w->now_ms)
        return;
    l->next = l->force;
    l->next.internal = true;
    l->force.has = false;
}

void ocpp_limit_cap(struct ocpp_peer *p, struct ocpp_connector *c, int32_t cap_ma)
{
    c->limit.cap_ma = cap_ma;
    ocpp_limit_again(p, c);
    ocpp_peer_pump(p);
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

    l->form = ocpp_form_next(p, c, l->form, OCPP_REFUSED);
    if (l->form == OCPP_FORM_NONE) {
        ocpp_form_base(p, &p->able.tx, &p->able.other);
        p->able.tx_no = p->able.tx_ok = p->able.other_ok = false;
        c->limit.tx_refused = false;
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

        if (!l->next.has || (only_urgent && !urgent(p, l)) || ocpp_probe_holds(p, c))
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
    case OCPP_ACCEPTED:
        p->able.kind_ok = true;
        if (p->able.other != OCPP_FORM_DEFAULT_1 &&
            c->limit.one_until_ms <= p->w->now_ms)
            c->limit.under_until_ms = 0; /* it has replaced that */
        ocpp_peer_trouble(p, OCPP_TROUBLE_FALLBACK, NULL);
        break;
    case OCPP_UNCLEAR:
        c->limit.fallback_due = true;
        c->limit.fallback_at_ms = p->w->now_ms + FALLBACK_AGAIN_MS;
        if (r->kind == OCPP_REPLY_TIMEOUT && !p->able.kind_ok && !p->able.relative) {
            c->limit.form = OCPP_FORM_DEFAULT_0;
            ocpp_form_mute(p, c);
        }
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
        char text[OCPP_PROFILE_TEXT];

        if (!c->limit.fallback_due || p->w->now_ms < c->limit.fallback_at_ms)
            continue;
        c->limit.fallback_due = false;
        if (p->able.other != OCPP_FORM_DEFAULT_1 && c->limit.force.has &&
            !ocpp_form_tx_wanted(p, c))
            continue;
        ocpp_form_write_fallback(p, c, text);
        ocpp_peer_call(p, "SetChargingProfile", text, fallback_told, c);
        return true;
    }
    return false;
}

/* ---- what stands below a TxProfile */

/* The most that a transaction which begins now may draw before we have said anything of
 * it. */
static int32_t standing_ma(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    const struct ocpp_limit *l = &c->limit;
    int32_t ma = l->under_until_ms > p->w->now_ms ? l->under_ma : 0;
    int32_t fallback_ma = ocpp_peer_site(p, c)->fallback_ma;

    return l->under_until_ms < l->force.until_ms && fallback_ma > ma ? fallback_ma : ma;
}

static void one_cleared(struct ocpp_peer *p, struct ocpp_connector *c,
                        const struct ocpp_reply *r)
{
    (void)p;
    if (r->kind == OCPP_REPLY_RESULT)
        gone(&c->limit, OCPP_FORM_DEFAULT_1);
}

static void under_told(struct ocpp_peer *p, struct ocpp_connector *c,
                       const struct ocpp_reply *r)
{
    struct ocpp_limit *l = &c->limit;

    note(p, l, l->under_form, &l->under);
    if (verdict(r) == OCPP_ACCEPTED) {
        if (above(p, l, l->under_form) == OCPP_FORM_DEFAULT_1)
            clear(p, c, OCPP_FORM_DEFAULT_1, one_cleared);
        l->under_ma = l->under.limit_ma;
        l->under_until_ms =
            ocpp_form_endless(p, l->under_form) ? INT64_MAX : l->under.until_ms;
    } else {
        l->under_at_ms = p->w->now_ms + FALLBACK_AGAIN_MS;
    }
}

/* A TxProfile ends with its transaction. The next one may begin before we hear of it:
 * then the TxDefaultProfile governs, and it must not be higher than what the core
 * reckons with. */
bool ocpp_limit_pump_under(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        struct ocpp_connector *c = &p->c[i];
        struct ocpp_limit *l = &c->limit;
        char text[OCPP_PROFILE_TEXT];

        if (!l->force.has || !ocpp_form_tx(l->form) || !ocpp_form_tx_wanted(p, c) ||
            l->next.has || l->force.until_ms <= p->w->now_ms ||
            p->w->now_ms < l->under_at_ms || standing_ma(p, c) <= l->force.limit_ma)
            continue;
        l->under = l->force;
        l->under_form = p->able.other;
        ocpp_form_write(p, c, l->under_form, &l->under, text);
        ocpp_peer_call(p, "SetChargingProfile", text, under_told, c);
        return true;
    }
    return false;
}

/* What a run before us may have left there. */
void ocpp_limit_unknown(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++) {
        p->c[i].limit.under_ma = ocpp_peer_site(p, &p->c[i])->max_ma;
        p->c[i].limit.under_until_ms = p->c[i].limit.tx_until_ms =
            p->c[i].limit.one_until_ms =
                p->w->now_ms + site_lease_end_ms(&p->w->conf->site);
        ocpp_limit_stray(p, &p->c[i]);
        p->c[i].limit.left = p->c[i].limit.mute_until_ms > p->w->now_ms;
    }
}

void ocpp_limit_config(struct ocpp_peer *p, bool unit_changed)
{
    enum ocpp_form tx, other;

    ocpp_form_base(p, &tx, &other);
    if (tx > p->able.tx)
        p->able.tx = tx;
    if (other > p->able.other)
        p->able.other = other;
    ocpp_form_site(p);
    for (int i = 0; unit_changed && i < p->n; i++) {
        p->c[i].limit.fallback_due = true;
        ocpp_limit_again(p, &p->c[i]);
    }
}

void ocpp_limit_up(struct ocpp_peer *p)
{
    ocpp_form_reset(p);
    for (int i = 0; i < p->n; i++) {
        p->c[i].limit.fallback_due = true;
        p->c[i].limit.fallback_at_ms = p->c[i].limit.under_at_ms = 0;
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

void ocpp_limit_tick(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->c[i].limit.tx_again_ms && p->w->now_ms >= p->c[i].limit.tx_again_ms)
            ocpp_limit_tx(p, &p->c[i]);
}

void ocpp_limit_tx(struct ocpp_peer *p, struct ocpp_connector *c)
{
    c->limit.tx_refused = false;
    c->limit.tx_again_ms = 0;
    ocpp_limit_again(p, c);
}
