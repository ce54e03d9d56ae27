/* SPDX-License-Identifier: Apache-2.0 */
/* What a car needs, as its charger tells it: goes to the core as the car's wish. */
#include <stdio.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

enum {
    LATEST_S = 7 * 86400, /* a car that leaves later leaves at an unknown time */
    MIN_MOST_MA = 16000,  /* no car needs more than that to charge at all */
    LOSS_PART = 10,       /* a station takes so much more, 1/10, than it gives as DC */
    AGAIN_MS = 5000
};

/* On each phase; 0 = not told. */
static int32_t most_ma(const struct ocpp_peer *p, const struct ocpp_connector *c,
                       const struct ocpp_needs *n)
{
    unsigned wired = ocpp_peer_wired(p, c);
    int phases = (int)((wired & 1) + (wired >> 1 & 1) + (wired >> 2 & 1));
    int64_t w = (int64_t)n->max_w + n->max_w / LOSS_PART, ma;

    if (n->max_w == 0 || phases == 0)
        return n->max_ma;
    ma = w * 1000000 / p->w->conf->site.voltage_mv / phases;
    return ma < SITE_MAX_MA ? (int32_t)ma : 0;
}

static struct event_wish wish(const struct ocpp_peer *p, const struct ocpp_connector *c,
                              const struct ocpp_needs *n)
{
    struct event_wish w = {.energy_wh = n->energy_wh ? n->energy_wh : EVENT_NO_VALUE,
                           .departs_ms = INT64_MAX,
                           .source = WISH_CAR,
                           .min_ma = n->min_ma <= MIN_MOST_MA ? n->min_ma : 0,
                           .max_ma = most_ma(p, c, n)};
    int64_t utc_s;

    if (clock_parse_utc(n->departs, &utc_s) && utc_s > p->w->utc_s &&
        utc_s - p->w->utc_s <= LATEST_S)
        w.departs_ms = p->w->now_ms + (utc_s - p->w->utc_s) * 1000;
    return w;
}

static void note(const struct ocpp_peer *p, const struct ocpp_connector *c,
                 const struct ocpp_needs *n, const struct event_wish *w)
{
    char energy[32] = "", departs[64] = "", amps[32] = "";

    if (w->energy_wh != EVENT_NO_VALUE)
        snprintf(energy, sizeof energy, " %d Wh,", (int)w->energy_wh);
    if (w->departs_ms != INT64_MAX)
        snprintf(departs, sizeof departs, " until %s,", n->departs);
    if (w->max_ma)
        snprintf(amps, sizeof amps, " at most %d A,", (int)(w->max_ma / 1000));
    log_info("%s: connector %d: its car wants%s%s%s as it says", p->id, c->number,
             energy, departs, amps);
}

/* No more than the cable carries is of use to it. */
static void tell(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct event_wish w = c->car;

    if (!c->car_told)
        w = (struct event_wish){
            .energy_wh = EVENT_NO_VALUE, .departs_ms = INT64_MAX, .source = WISH_CAR};
    if (c->cable_ma && (w.max_ma == 0 || c->cable_ma < w.max_ma))
        w.max_ma = c->cable_ma;
    ocpp_emit(p->w, (struct event){
                        .kind = EVENT_WISH, .who = ocpp_peer_index(p, c), .wish = w});
}

void ocpp_needs_cable(struct ocpp_peer *p, struct ocpp_connector *c, int32_t cable_ma)
{
    if (cable_ma == 0 || cable_ma == c->cable_ma)
        return;
    c->cable_ma = cable_ma;
    tell(p, c);
}

void ocpp_needs_gone(struct ocpp_connector *c)
{
    c->car_told = false;
    c->cable_ma = 0;
}

const char *ocpp_needs(struct ocpp_peer *p, const struct ocpp_needs *n)
{
    struct ocpp_connector *c = ocpp_peer_connector(p, n->connector);

    if (!c)
        return "Rejected";
    c->car = wish(p, c, n);
    c->car_told = true;
    note(p, c, n, &c->car);
    tell(p, c);
    if (!c->tx.active)
        return "Processing"; /* there is a profile as soon as there is a transaction */
    /* it waits for a profile now, before it talks to the car */
    if (p->w->now_ms - c->needs_ms >= AGAIN_MS || c->needs_ms == 0)
        ocpp_limit_again(p, c);
    c->needs_ms = p->w->now_ms;
    return "Accepted";
}
