/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as a charger is told them: what it is to have, what it may have, and in which
 * form it takes one. Part of a peer (io/ocpp_peer.h).
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_LIMIT_H
#define IO_OCPP_LIMIT_H

#include "core/order.h"
#include "io/ocpp_ability.h"
#include "proto/ocpp_schema.h"

struct ocpp_peer;
struct ocpp_connector;

struct ocpp_want {
    bool has;
    bool internal; /* not the core's: nobody waits for an answer */
    bool other;    /* in another form than the last: that one was of no use */
    uint32_t seq;
    int32_t limit_ma;
    int n_phases;     /* 1 or 3; 0 = nothing is said of it */
    int64_t until_ms; /* end of its lease */
};

struct ocpp_limit {
    struct ocpp_want next;  /* waits to be sent */
    struct ocpp_want now;   /* being told, in `form` */
    struct ocpp_want force; /* last one confirmed */
    enum ocpp_form form;
    int32_t form_tx;       /* transaction it was told for, in a form for one */
    bool tx_refused;       /* no TxProfile in this transaction ... */
    int64_t tx_again_ms;   /* ... until then; 0 = till its end */
    int64_t tx_until_ms;   /* end of the last TxProfile that it may have taken */
    int64_t one_until_ms;  /* ... of the TxDefaultProfile of the highest form */
    int n_mute;            /* times that the form was not answered */
    enum ocpp_form mute;   /* one that was not answered: it may hold ... */
    int64_t mute_until_ms; /* ... until then; 0 = there is none */
    bool left;             /* it may be of a run before us */
    int32_t cap_ma;        /* no more than that is told while it is probed; -1 = none */
    int32_t told_ma;       /* what was told last: the order, or the cap */
    int64_t force_ms;      /* when `force` was confirmed */
    struct ocpp_want under;    /* being told for what stands below a TxProfile ... */
    enum ocpp_form under_form; /* ... in that form */
    int32_t under_ma;          /* the TxDefaultProfile that it has above the fallback */
    int64_t under_until_ms;    /* its end, 0 = none */
    int64_t under_at_ms;       /* not before */
    bool fallback_due;
    int64_t fallback_at_ms; /* not before */
};

void ocpp_limit_order(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct order *o);
void ocpp_limit_unknown(struct ocpp_peer *p);
void ocpp_limit_up(struct ocpp_peer *p);
void ocpp_limit_boot(struct ocpp_peer *p);
void ocpp_limit_again(struct ocpp_peer *p, struct ocpp_connector *c); /* tells it */
void ocpp_limit_tick(struct ocpp_peer *p);
void ocpp_limit_down(struct ocpp_peer *p);
void ocpp_limit_config(struct ocpp_peer *p, bool unit_changed); /* p->config is new */
/* From now on no more than that, whatever the orders say; -1 = as they say. */
int32_t ocpp_limit_capped(const struct ocpp_connector *c, int32_t ma);
void ocpp_limit_cap(struct ocpp_peer *p, struct ocpp_connector *c, int32_t cap_ma);
void ocpp_limit_tx(struct ocpp_peer *p, struct ocpp_connector *c); /* began or ended */
/* A TxProfile may be left there of a transaction that we do not know, or no more: what
 * is told in another form governs only without it. */
void ocpp_limit_stray(struct ocpp_peer *p, struct ocpp_connector *c);
/* Send the most urgent: decreases and first limits; the fallback; the rest. */
bool ocpp_limit_pump_urgent(struct ocpp_peer *p);
bool ocpp_limit_pump_fallback(struct ocpp_peer *p);
bool ocpp_limit_pump_any(struct ocpp_peer *p);
bool ocpp_limit_pump_under(struct ocpp_peer *p);

/* ocpp_form.c: forms in which a limit can be told. */
bool ocpp_form_tx(enum ocpp_form f);
bool ocpp_form_endless(const struct ocpp_peer *p, enum ocpp_form f);
bool ocpp_form_tx_wanted(const struct ocpp_peer *p, const struct ocpp_connector *c);
enum ocpp_form ocpp_form_first(const struct ocpp_peer *p,
                               const struct ocpp_connector *c);
enum ocpp_form ocpp_form_next(struct ocpp_peer *p, struct ocpp_connector *c,
                              enum ocpp_form f, enum ocpp_verdict v);
void ocpp_form_base(const struct ocpp_peer *p, enum ocpp_form *tx,
                    enum ocpp_form *other);
struct ocpp_ours ocpp_form_ours(const struct ocpp_peer *p);  /* it may keep these */
void ocpp_form_learn(struct ocpp_peer *p, enum ocpp_form f); /* it was accepted */
/* On a new link, after a boot: what is known of it, and of its kind. */
void ocpp_form_reset(struct ocpp_peer *p);
/* All were refused: the same in another kind or unit, from the first on. False: those
 * have been tried, too, not long ago. */
bool ocpp_form_variant(struct ocpp_peer *p, struct ocpp_connector *c);
/* The form was not answered, and the charger lives: what to begin with next (Q10). */
void ocpp_form_mute(struct ocpp_peer *p, struct ocpp_connector *c);
/* What the site file says of it counts more than what it was found to be. */
void ocpp_form_site(struct ocpp_peer *p);
/* The id of the profile that a form is. */
int32_t ocpp_form_id(const struct ocpp_connector *c, enum ocpp_form f);
/* SetChargingProfile of w in form f; of the fallback. OCPP_PROFILE_TEXT. */
void ocpp_form_write(const struct ocpp_peer *p, const struct ocpp_connector *c,
                     enum ocpp_form f, const struct ocpp_want *w, char *out);
void ocpp_form_write_fallback(const struct ocpp_peer *p, const struct ocpp_connector *c,
                              char *out);

#endif
