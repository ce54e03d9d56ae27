/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a limit: which one a charger takes, what follows a refused one, and the
 * profile that each of them is.
 *
 * The forms are a ladder. Where a charger refuses all of them they are tried as
 * Relative ones, then in W. A Relative profile begins with its transaction, so its
 * duration says nothing about now: it is sent without end, and there is no lease (Q10).
 */
#include <stdio.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { ID_FALLBACK = 1, ID_DEFAULT = 2, ID_TX = 3, ID_MAX = 4 };
enum { TX_REFUSALS = 3, TX_EARLY_MS = 5000, MUTE_TIMES = 2, VARIANT_MS = 600000 };

static const char *const no_lease = "takes no limit that ends by itself: when its "
                                    "connection is lost it keeps the last one";

static bool steps_possible(const struct ocpp_peer *p)
{
    return p->config.max_periods != 1 && !p->able.relative;
}

bool ocpp_form_tx(enum ocpp_form f)
{
    return f == OCPP_FORM_TX_1 || f == OCPP_FORM_TX_0;
}

bool ocpp_form_tx_wanted(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    bool named = !p->schema->read_event || *c->tx.name; /* else of another version */

    return c->tx.active && !c->tx.nameless && named && !p->able.tx_no &&
           !c->limit.tx_refused;
}

enum ocpp_form ocpp_form_first(const struct ocpp_peer *p,
                               const struct ocpp_connector *c)
{
    return ocpp_form_tx_wanted(p, c) ? p->able.tx : p->able.other;
}

/* It may not have taken in yet that its transaction has begun: nothing is learned. */
static bool is_early(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    return c->tx.begun_ms && p->w->now_ms - c->tx.begun_ms < TX_EARLY_MS;
}

/* What is left to try after `f` was refused. */
enum ocpp_form ocpp_form_next(struct ocpp_peer *p, struct ocpp_connector *c,
                              enum ocpp_form f, enum ocpp_verdict v)
{
    switch (f) {
    case OCPP_FORM_TX_1:
        if (v == OCPP_REFUSED && !is_early(p, c))
            return OCPP_FORM_TX_0;
        /* fall through */
    case OCPP_FORM_TX_0:
        c->limit.tx_refused = true;
        if (v != OCPP_UNSUPPORTED && is_early(p, c)) {
            c->limit.tx_again_ms = c->tx.begun_ms + TX_EARLY_MS;
            return p->able.other;
        }
        if (v == OCPP_UNSUPPORTED ||
            (v == OCPP_REFUSED && ++p->tx_refusals >= TX_REFUSALS))
            p->able.tx_no = true;
        return p->able.other;
    case OCPP_FORM_DEFAULT_1:
        return steps_possible(p) ? OCPP_FORM_STEPS : OCPP_FORM_DEFAULT_0;
    case OCPP_FORM_STEPS:
        return OCPP_FORM_DEFAULT_0;
    case OCPP_FORM_DEFAULT_0: /* for all connectors together: of one, the same (Q8) */
        if (p->n > 1 || p->able.relative)
            return OCPP_FORM_NONE; /* that purpose is never Relative (Q9) */
        return steps_possible(p) ? OCPP_FORM_MAX_STEPS : OCPP_FORM_MAX;
    case OCPP_FORM_MAX_STEPS:
        return OCPP_FORM_MAX;
    default:
        return OCPP_FORM_NONE;
    }
}

bool ocpp_form_endless(const struct ocpp_peer *p, enum ocpp_form f)
{
    return p->able.relative || f == OCPP_FORM_DEFAULT_0 || f == OCPP_FORM_MAX;
}

/* The forms to begin with, as far as the charger has told. */
void ocpp_form_base(const struct ocpp_peer *p, enum ocpp_form *tx,
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
    return p->able.watts || (p->config.unit_known && !p->config.amps);
}

void ocpp_form_site(struct ocpp_peer *p)
{
    const struct conf_charger *conf = &p->w->conf->chargers[p->charger];
    struct ocpp_ability *a = &p->able;

    if (conf->tx_profile > 0) {
        a->tx_no = conf->tx_profile == 3;
        a->tx = conf->tx_profile == 2 ? OCPP_FORM_TX_0 : OCPP_FORM_TX_1;
    }
    if (conf->default_profile > 0)
        a->other = (enum ocpp_form)(OCPP_FORM_DEFAULT_1 + conf->default_profile - 1);
    if (conf->profile_kind > 0)
        a->relative = conf->profile_kind == 2;
    if (conf->profile_unit > 0)
        a->watts = conf->profile_unit == 2;
}

void ocpp_form_reset(struct ocpp_peer *p)
{
    struct ocpp_ability *a = &p->able, model = *a;
    enum ocpp_form tx, other;

    p->tx_refusals = 0;
    p->variant_ms = 0;
    ocpp_form_base(p, &tx, &other);
    a->no_trigger = false;
    a->ping_s = -1;
    if (!a->tx_ok && !a->tx_no)
        a->tx = tx;
    if (!a->other_ok || (!a->relative && ocpp_form_endless(p, a->other)))
        a->other = other; /* perhaps it takes a lease today */
    ocpp_models_apply(p->w->models, &model);
    if (!a->tx_ok && !a->other_ok)
        ocpp_models_apply(p->w->models, a);
    a->no_trigger = model.no_trigger;
    a->ping_s = model.ping_s;
    ocpp_form_site(p);
    for (int i = 0; i < p->n; i++)
        p->c[i].limit.tx_refused = false;
}

/* Kinds and units that are left to try, in this order: Absolute A, Relative A,
 * Absolute W, Relative W. */
bool ocpp_form_variant(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_ability *a = &p->able;
    bool unit_open = !p->config.unit_known || (p->config.amps && p->config.watts);
    bool again = p->variant_ms && p->w->now_ms - p->variant_ms < VARIANT_MS;

    if (a->kind_ok) /* what it took shows that these are right */
        return false;
    c->limit.tx_refused = a->tx_no = false;
    p->tx_refusals = 0;
    if (!again && !a->relative) {
        a->relative = true;
    } else if (!again && unit_open && !a->watts) {
        a->watts = true;
        a->relative = false;
    } else {
        if (!again)
            p->variant_ms = p->w->now_ms;
        a->watts = a->relative = false;
        ocpp_form_base(p, &a->tx, &a->other);
        return false;
    }
    ocpp_form_base(p, &a->tx, &a->other);
    return true;
}

void ocpp_form_mute(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_limit *l = &c->limit;
    struct ocpp_ability *a = &p->able;
    enum ocpp_form next;

    if ((ocpp_form_tx(l->form) ? a->tx_ok : a->other_ok) ||
        (!p->talks && p->heard_ms < p->call_ms) || ++l->n_mute < MUTE_TIMES)
        return;
    l->n_mute = 0;
    log_warnx("%s: gives no answer to this form of a limit, another one is next",
              p->id);
    if (!a->kind_ok && !a->relative && l->form < OCPP_FORM_MAX_STEPS) {
        a->relative = true; /* the same id and level: it replaces what may be there */
        return;
    }
    if (!l->mute_until_ms || l->form < l->mute)
        l->mute = l->form;
    if (l->now.until_ms > l->mute_until_ms)
        l->mute_until_ms = l->now.until_ms;
    if (!a->kind_ok)
        a->relative = false;
    next = ocpp_form_next(p, c, l->form, OCPP_REFUSED);
    if (next == OCPP_FORM_NONE)
        ocpp_form_base(p, &a->tx, &a->other);
    else if (ocpp_form_tx(next))
        a->tx = next;
    else
        a->other = next;
}

/* Phases that share a limit in W: one where one was told. Else those that a car was
 * seen to use, since a charger shares the watts among these; else all that are wired.
 */
static int phases(const struct ocpp_peer *p, const struct ocpp_connector *c, int told)
{
    unsigned mask = ocpp_peer_wired(p, c);

    if (told == 1)
        return 1;
    if (c->tx.active && (c->phases_seen & mask))
        mask &= c->phases_seen;
    return (int)((mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1));
}

/* A set point is 0 or at least the connector's minimum: some chargers make 6 A of 3 A
 * (Q35). */
static int32_t period_limit(const struct ocpp_peer *p, const struct ocpp_connector *c,
                            int32_t ma, int n_phases)
{
    if (ma < ocpp_peer_site(p, c)->min_ma)
        ma = 0;
    if (p->able.step_ma > 100)
        ma -= ma % p->able.step_ma; /* what it would make of it anyway (Q22) */
    return ocpp_period_limit(ma, in_watts(p), p->w->conf->site.voltage_mv,
                             phases(p, c, n_phases));
}

/* An id names one profile in the whole charge point (its standard says so): chargers
 * that keep to that take the same id on another connector for a replacement. */
static int32_t profile_id(const struct ocpp_connector *c, int32_t kind)
{
    return (c->number - 1) * 10 + kind;
}

int32_t ocpp_form_id(const struct ocpp_connector *c, enum ocpp_form f)
{
    return f >= OCPP_FORM_MAX_STEPS
               ? ID_MAX
               : profile_id(c, ocpp_form_tx(f)            ? ID_TX
                               : f == OCPP_FORM_DEFAULT_1 ? ID_DEFAULT
                                                          : ID_FALLBACK);
}

static struct ocpp_profile profile(const struct ocpp_peer *p,
                                   const struct ocpp_connector *c, int32_t id,
                                   int32_t ma, int n_phases)
{
    struct ocpp_profile o = {.connector = c->number,
                             .id = id,
                             .kind = p->able.relative ? OCPP_RELATIVE : OCPP_ABSOLUTE,
                             .watts = in_watts(p),
                             .n = 1,
                             .phases = n_phases,
                             .phase = n_phases == 1 &&
                                      ocpp_config_chooses(&p->config, c->number),
                             .period[0].limit = period_limit(p, c, ma, n_phases)};

    clock_format_utc(p->w->utc_s - OCPP_BACKDATE_S, o.start);
    return o;
}

struct ocpp_ours ocpp_form_ours(const struct ocpp_peer *p)
{
    return (struct ocpp_ours){.top_level = 1,
                              .whole_max = p->able.other >= OCPP_FORM_MAX_STEPS,
                              .told = &p->config,
                              .address = p->base};
}

void ocpp_form_learn(struct ocpp_peer *p, enum ocpp_form f)
{
    struct ocpp_ability *a = &p->able;
    bool first = !a->tx_ok && !a->other_ok;

    for (int i = 0; first && *p->trouble[OCPP_TROUBLE_FALLBACK] && i < p->n; i++)
        p->c[i].limit.fallback_due = true; /* now that its form is known */
    a->kind_ok |= f < OCPP_FORM_MAX_STEPS;
    if (ocpp_form_tx(f)) {
        a->tx = f;
        a->tx_ok = true;
    } else {
        if (f != a->other)
            log_warnx("%s: takes no TxDefaultProfile on stack level 1, %s", p->id,
                      ocpp_form_endless(p, f)
                          ? "so there is one without end"
                          : "so the fallback is a second period of one");
        a->other = f;
        a->other_ok = true;
    }
    if (!ocpp_form_tx(f) || a->relative)
        ocpp_peer_trouble(p, OCPP_TROUBLE_LEASE,
                          ocpp_form_endless(p, f) ? no_lease : NULL);
    if (f == OCPP_FORM_MAX_STEPS)
        ocpp_peer_trouble(p, OCPP_TROUBLE_FALLBACK, NULL); /* it carries it */
    ocpp_peer_trouble(p, OCPP_TROUBLE_REFUSES, NULL);
}

void ocpp_form_write(const struct ocpp_peer *p, const struct ocpp_connector *c,
                     enum ocpp_form f, const struct ocpp_want *w, char *out)
{
    struct ocpp_profile o = profile(p, c, ocpp_form_id(c, f),
                                    ocpp_limit_capped(c, w->limit_ma), w->n_phases);
    int32_t lease_s =
        OCPP_BACKDATE_S + (int32_t)((w->until_ms - p->w->now_ms + 999) / 1000);

    switch (f) {
    case OCPP_FORM_TX_1:
    case OCPP_FORM_TX_0:
        o.purpose = OCPP_TX;
        o.transaction = c->tx.wire_id;
        o.transaction_name = c->tx.name;
        o.level = f == OCPP_FORM_TX_1;
        o.duration_s = lease_s;
        break;
    case OCPP_FORM_DEFAULT_1:
        o.level = 1;
        o.duration_s = lease_s;
        break;
    case OCPP_FORM_MAX_STEPS:
    case OCPP_FORM_MAX:
        o.connector = 0;
        o.purpose = OCPP_MAX;
        o.kind = OCPP_ABSOLUTE;
        break;
    default:
        break;
    }
    if (f == OCPP_FORM_STEPS || f == OCPP_FORM_MAX_STEPS) {
        o.n = 2;
        o.period[1].start_s = lease_s;
        o.period[1].limit = period_limit(p, c, ocpp_peer_site(p, c)->fallback_ma, 0);
    }
    if (o.kind == OCPP_RELATIVE) {
        o.duration_s = 0;
        o.n = 1;
    }
    p->schema->write_profile(out, &o);
}

void ocpp_form_write_fallback(const struct ocpp_peer *p, const struct ocpp_connector *c,
                              char *out)
{
    struct ocpp_profile o =
        profile(p, c, profile_id(c, ID_FALLBACK), ocpp_peer_site(p, c)->fallback_ma, 0);

    p->schema->write_profile(out, &o);
}
