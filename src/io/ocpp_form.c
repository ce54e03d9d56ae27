/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a limit: which one a charger takes, what follows a refused one, and the
 * profile that each of them is. */
#include <stdio.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum { ID_FALLBACK = 1, ID_DEFAULT = 2, ID_TX = 3 };
enum { TX_REFUSALS = 3 };

static const char *const no_lease = "takes no limit that ends by itself: when its "
                                    "connection is lost it keeps the last one";

static bool steps_possible(const struct ocpp_peer *p)
{
    return p->config.max_periods != 1;
}

bool ocpp_form_tx(enum ocpp_form f)
{
    return f == OCPP_FORM_TX_1 || f == OCPP_FORM_TX_0;
}

bool ocpp_form_tx_wanted(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    return c->tx.active && !p->no_tx && !c->limit.tx_refused;
}

enum ocpp_form ocpp_form_first(const struct ocpp_peer *p,
                               const struct ocpp_connector *c)
{
    return ocpp_form_tx_wanted(p, c) ? p->tx_form : p->default_form;
}

/* What is left to try after `f` was refused. */
enum ocpp_form ocpp_form_next(struct ocpp_peer *p, struct ocpp_connector *c,
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
    return p->config.unit_known && !p->config.amps;
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
    return ocpp16_limit(ma, in_watts(p), p->w->conf->site.voltage_mv,
                        phases(p, c, n_phases));
}

/* An id names one profile in the whole charge point (1.6 section 7.8): chargers that
 * keep to that take the same id on another connector for a replacement. */
static int32_t profile_id(const struct ocpp_connector *c, int32_t kind)
{
    return (c->number - 1) * 10 + kind;
}

static struct ocpp16_profile profile(const struct ocpp_peer *p,
                                     const struct ocpp_connector *c, int32_t kind,
                                     int32_t ma, int n_phases)
{
    struct ocpp16_profile o = {.connector = c->number,
                               .id = profile_id(c, kind),
                               .watts = in_watts(p),
                               .n = 1,
                               .phases = n_phases,
                               .period[0].limit = period_limit(p, c, ma, n_phases)};

    clock_format_utc(p->w->utc_s - OCPP_BACKDATE_S, o.start);
    return o;
}

void ocpp_form_learn(struct ocpp_peer *p, enum ocpp_form f)
{
    if (ocpp_form_tx(f)) {
        p->tx_form = f;
    } else if (f > p->default_form) {
        log_warnx("%s: takes no TxDefaultProfile on stack level 1, %s", p->id,
                  f == OCPP_FORM_STEPS ? "so the fallback is a second period of one"
                                       : "so there is one without end");
        p->default_form = f;
    }
    if (!ocpp_form_tx(f))
        ocpp_peer_trouble(p, OCPP_TROUBLE_LEASE,
                          f == OCPP_FORM_DEFAULT_0 ? no_lease : NULL);
    ocpp_peer_trouble(p, OCPP_TROUBLE_REFUSES, NULL);
}

void ocpp_form_write(const struct ocpp_peer *p, const struct ocpp_connector *c,
                     char *out)
{
    const struct ocpp_limit *l = &c->limit;
    struct ocpp16_profile o =
        profile(p, c, ID_FALLBACK, l->now.limit_ma, l->now.n_phases);
    int32_t lease_s =
        OCPP_BACKDATE_S + (int32_t)((l->now.until_ms - p->w->now_ms + 999) / 1000);

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
        o.period[1].limit = period_limit(p, c, ocpp_peer_site(p, c)->fallback_ma, 0);
        break;
    default:
        break;
    }
    ocpp16_write_profile(out, &o);
}

void ocpp_form_write_fallback(const struct ocpp_peer *p, const struct ocpp_connector *c,
                              char *out)
{
    struct ocpp16_profile o =
        profile(p, c, ID_FALLBACK, ocpp_peer_site(p, c)->fallback_ma, 0);

    ocpp16_write_profile(out, &o);
}
