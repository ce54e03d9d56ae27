/* SPDX-License-Identifier: Apache-2.0 */
/* One charger as the central system knows it: its link, its connectors, the call we
 * wait for, what we learned of it. No sockets and no clock in here: bytes come in by
 * ocpp_peer_receive() and leave by world.send, the time is world.now_ms.
 *
 * Inside src/io/ocpp*.c only; others use io/ocpp.h. */
#ifndef IO_OCPP_PEER_H
#define IO_OCPP_PEER_H

#include "io/ocpp.h"
#include "io/ocpp_ability.h"
#include "io/ocpp_files.h"
#include "io/ocpp_limit.h"
#include "io/ocpp_models.h"
#include "io/ocpp_tags.h"
#include "io/ocpp_tx.h"
#include "io/ocpp_world.h"
#include "proto/ocpp_frame.h"
#include "proto/ocpp_schema.h"

enum {
    OCPP_ID = 49,             /* longest identity, with its NUL */
    OCPP_WAIT_BOOT_MS = 5000, /* a link without Boot for so long is a reconnect */
    OCPP_LATE_MS = 60000,     /* not seen since start-up: a trouble */
    OCPP_AWAY_MS = 10000,     /* away for so long: a trouble */
    OCPP_BACKDATE_S = 60,     /* startSchedule lies so far in the past */
    OCPP_CLOCK_S = 30,        /* our clock moved so far: times we told are wrong */
    OCPP_TRIGGER_MS = 5000,   /* between two triggers of one connector */
    OCPP_STATUS_MS = 3000,    /* time for a charger to tell its status unasked */
    OCPP_GONE_MS = 60000,     /* Available for so long ends a transaction */
    OCPP_NAMELESS_MS = 60000, /* current for so long without one is one, too */
    OCPP_WRONG_MS = 3600000,  /* no word of a wrong version for so long: it is over */
    OCPP_TWICE_MS = 60000,    /* no fight about an identity for so long: it is over */
    OCPP_CALLS = 16           /* calls of people that may wait */
};

struct ocpp_connector {
    int number; /* OCPP connectorId */
    enum connector_status status;
    /* Of several plugs, one is used at a time: what each said on this link, how many
     * have been heard of, and the one in use, from 1 on; 0 = not known. */
    uint8_t plug[OCPP_PLUGS];
    int n_plugs, plug_used;
    bool status_seen; /* on this link */
    char error[40];   /* last errorCode; "" = none */
    struct ocpp_tx tx;
    struct ocpp_reserved reserved;
    struct ocpp_limit limit;
    unsigned phases_seen; /* own phases that carried current in this transaction */
    int n_phases;         /* last ordered */
    int32_t drawn_ma;     /* the most on one of its phases in the last sample ... */
    int64_t drawn_ms;     /* ... of then; 0 = there was none */
    int64_t register_wh, register_ms; /* the last one and when it came; 0 = never */
    int64_t mean_from_ms;             /* what mean_w is from */
    bool fine;                        /* it is not in tenths of kWh */
    int32_t mean_w;                   /* of the time before it; EVENT_NO_VALUE */
    int64_t needs_ms;                 /* its car told what it needs; 0 = never */
    struct event_wish car;            /* what it told ... */
    bool car_told;                    /* ... if it did */
    int32_t cable_ma;                 /* what its cable carries; 0 = not told */
    struct event_ceiling ceiling;     /* by others, as the core knows it */
    int64_t lowered_ms;               /* when that was last lowered */
    int64_t status_utc_s;             /* the charger's time of its last status */
    int64_t flows_ms; /* since when it charges outside of transactions; 0 = not */
    bool sample_due;
    int64_t trigger_ms;        /* last trigger */
    int64_t sample_utc_s;      /* the charger's time of the last sample */
    int64_t old_utc_s, old_ms; /* of the last one taken for old */
};

enum ocpp_reply_kind {
    OCPP_REPLY_RESULT,
    OCPP_REPLY_ERROR,   /* a CALLERROR */
    OCPP_REPLY_GARBLED, /* an answer that cannot be read */
    OCPP_REPLY_TIMEOUT,
    OCPP_REPLY_LOST /* the connection ended */
};

struct ocpp_reply {
    enum ocpp_reply_kind kind;
    const cJSON *payload; /* of RESULT */
    const char *code;     /* of ERROR */
    const char *text;     /* of ERROR; else what happened */
};

struct ocpp_peer;
typedef void ocpp_reply_fn(struct ocpp_peer *p, struct ocpp_connector *c,
                           const struct ocpp_reply *r);

/* A person's call. */
struct ocpp_ask {
    struct ocpp_ask *next;
    char action[OCPP_FRAME_WORD];
    char *json;
    unsigned effects;         /* of its answer: enum ocpp_effect */
    struct ocpp_later *later; /* what comes of it afterwards; NULL = nobody waits */
    ocpp_done_fn *done;
    void *arg;
};

enum ocpp_setup {
    OCPP_SETUP_KEYS,
    OCPP_SETUP_ALL_KEYS,
    OCPP_SETUP_SMART,
    OCPP_SETUP_MEASURANDS,
    OCPP_SETUP_INTERVAL,
    OCPP_SETUP_PING,
    OCPP_SETUP_CLEAR,
    OCPP_SETUP_STATUS,
    OCPP_SETUP_REPORT,
    OCPP_SETUP_PLUGS,
    OCPP_SETUP_DONE
};

enum ocpp_trouble {
    OCPP_TROUBLE_AWAY,
    OCPP_TROUBLE_REFUSES,  /* every form of a limit */
    OCPP_TROUBLE_FALLBACK, /* it refuses the fallback */
    OCPP_TROUBLE_LEASE,    /* it takes no limit that ends by itself */
    OCPP_TROUBLE_KEEPS,    /* it draws freely without its connection */
    OCPP_TROUBLE_SMART,    /* it says that it takes no limits */
    OCPP_TROUBLE_NUMBER,   /* it has other connectors than those that we know of */
    OCPP_TROUBLE_TWICE,    /* two chargers with its identity */
    OCPP_TROUBLE_VERSION,  /* it speaks another one than was agreed on */
    OCPP_TROUBLES
};

/* Its report of its settings. */
struct ocpp_reporting {
    enum {
        OCPP_REPORT_FULL,
        OCPP_REPORT_SOME,
        OCPP_REPORT_COMES,
        OCPP_REPORT_OVER
    } step;
    bool gap;
    int32_t request, part; /* our number of it; the part that is next */
    int n_parts;
    int64_t from_ms, until_ms; /* of the wait for the next part */
};

/* News of one kind that a charger may cause, so many a minute, as each is written to
 * the disk. */
struct ocpp_ration {
    int64_t from_ms;
    int n;
};

struct ocpp_probe; /* ocpp_probe.c */

struct ocpp_peer {
    struct ocpp_world *w;
    struct ocpp_probe *probe;         /* NULL = none is under way */
    int charger;                      /* index in the configuration */
    char id[OCPP_ID];                 /* "" = a free place */
    const struct ocpp_schema *schema; /* of the version that its link speaks */
    struct ocpp_station station;      /* as its last Boot told */
    void *link;                       /* NULL = away */
    bool seen;                        /* it was connected before */
    bool plain;                       /* no compressed messages, please */
    bool plain_sample;    /* it cannot be asked for the values of a transaction */
    bool ready;           /* calls may leave */
    int64_t link_ms;      /* since when the link is up, or down */
    int64_t wrong_ms;     /* when it last spoke a wrong version; 0 = never */
    int64_t taken_ms;     /* when a link took the place of a live one; 0 = never */
    int64_t ready_ms;     /* since when it is ready */
    int64_t status_utc_s; /* the charger's time of its last status */
    int64_t clock_s;      /* our clock against the monotonic one when it was told */
    bool clock_due;       /* it is to ask what time it is */
    char error[40];       /* last errorCode of connector 0 */

    bool calling; /* a call of ours is unanswered */
    char call_id[40];
    const char *call_action;
    int64_t call_until_ms;
    ocpp_reply_fn *call_reply;
    struct ocpp_connector *call_connector;
    struct ocpp_ask *asks, *asked; /* waiting; being answered */

    char base[160];    /* the address it has connected to: "https://10.0.0.1:8888" */
    char security[52]; /* its last security event */
    int64_t security_ms, signed_ms; /* when that was, and its last CSR taken */
    struct ocpp_ration security_news;
    struct ocpp_transfer *transfer; /* firmware or a log; NULL = there was none */
    struct ocpp_list list;
    struct ocpp_reserved reserved; /* any one of its connectors */
    struct ocpp_config config;     /* what it told; kept while we run */
    struct ocpp_ability able;
    char able_text[OCPP_ABILITY_TEXT]; /* as it was stored */
    bool able_due;                     /* something was heard since it was looked at */
    struct ocpp_remote remote;         /* the last one */
    struct ocpp_tx_event unplaced;  /* a transaction nowhere yet; its name "" = none */
    struct ocpp_later *later;       /* answers that come in parts */
    struct ocpp_happened *happened; /* what is wrong with it; NULL = nothing was */
    struct ocpp_outside *outside;   /* limits by others; NULL = there were none */
    bool outside_due;               /* it is to be asked for them */
    int32_t outside_request;        /* ... by that, ... */
    int64_t outside_ms;             /* ... and was then */
    int tx_refusals;                /* transactions in which it took no TxProfile */
    bool talks;                     /* it has answered a call on this link */
    int64_t heard_ms;               /* last message of it */
    int64_t call_ms;                /* when the call under way was sent */
    int64_t variant_ms; /* when every kind and unit of limit was last tried; 0 = not */
    enum ocpp_setup setup;
    int setup_i, setup_known; /* keys that were told */
    struct ocpp_reporting report;
    bool cleared;
    char trouble[OCPP_TROUBLES][160]; /* those told and not over; "" = none */
    uint32_t bad_messages;            /* on this link */

    int n;
    struct ocpp_connector c[];
};

struct ocpp_peer *ocpp_peer_new(struct ocpp_world *w, int charger);
void ocpp_peer_free(struct ocpp_peer *p); /* the link must be down */
/* Takes over what `old` knows and its link; `old` is then without. For a reload. */
void ocpp_peer_adopt(struct ocpp_peer *p, struct ocpp_peer *old);

/* The version that its next link speaks. What another one told is no longer true. */
void ocpp_peer_speak(struct ocpp_peer *p, const struct ocpp_schema *schema);
void ocpp_peer_up(struct ocpp_peer *p, void *link);
void ocpp_peer_down(struct ocpp_peer *p);
void ocpp_peer_receive(struct ocpp_peer *p, const char *text, size_t len);
/* Is there a password in this message, which no log should have? */
bool ocpp_peer_secret(const char *text);
void ocpp_peer_tick(struct ocpp_peer *p);
void ocpp_peer_pump(struct ocpp_peer *p); /* sends the next call when it may */
void ocpp_peer_ask(struct ocpp_peer *p, const char *action, const cJSON *payload,
                   ocpp_done_fn *done, void *arg);
/* The same with what comes of it afterwards; wait_ms as for ocpp_call(). */
void ocpp_peer_ask_all(struct ocpp_peer *p, const char *action, const cJSON *payload,
                       int64_t wait_ms, ocpp_done_fn *done, void *arg);

/* For the other files of a peer. */
void ocpp_peer_ready(struct ocpp_peer *p);
void ocpp_peer_call(struct ocpp_peer *p, const char *action, const char *payload,
                    ocpp_reply_fn *reply, struct ocpp_connector *c);
struct ocpp_connector *ocpp_peer_connector(struct ocpp_peer *p, int number);
int ocpp_peer_index(const struct ocpp_peer *p, const struct ocpp_connector *c);
const struct site_connector *ocpp_peer_site(const struct ocpp_peer *p,
                                            const struct ocpp_connector *c);
unsigned ocpp_peer_wired(const struct ocpp_peer *p, const struct ocpp_connector *c);
/* Tells a trouble once at its begin (text) and once at its end (NULL). */
void ocpp_peer_trouble(struct ocpp_peer *p, enum ocpp_trouble t, const char *text);
/* It spoke this version, and that is not the one of its link. */
void ocpp_peer_wrong(struct ocpp_peer *p, const struct ocpp_schema *is,
                     const char *action);
/* It is no longer in the configuration: its link is lost, and it has no troubles. */
void ocpp_peer_forget(struct ocpp_peer *p);

/* ocpp_calls.c: the call under way is answered, checked for its time, lost with its
 * link (and those that wait, too). */
void ocpp_calls_end(struct ocpp_peer *p, const struct ocpp_reply *r);
void ocpp_calls_tick(struct ocpp_peer *p);
void ocpp_calls_lost(struct ocpp_peer *p);

/* ocpp_list.c: what is known of it, for people. NULL = no memory. */
cJSON *ocpp_list_peer(const struct ocpp_peer *p);

/* ocpp_inbound.c: answers a CALL: the confirmation in out, or false and the fault. */
bool ocpp_inbound(struct ocpp_peer *p, const char *action, const cJSON *payload,
                  char *out, struct ocpp_fault *fault);

/* ocpp_needs.c: the answer's status */
const char *ocpp_needs(struct ocpp_peer *p, const struct ocpp_needs *n);
void ocpp_needs_cable(struct ocpp_peer *p, struct ocpp_connector *c, int32_t cable_ma);
void ocpp_needs_gone(struct ocpp_connector *c); /* the car has left */

/* ocpp_later.c: answers to people that come in messages of their own, in parts, called
 * `parts`. May one have this number? Begun with the question, as they may come before
 * its answer (NULL = too many, or no memory); then either dropped, or their end is told
 * by `done`. It takes `answer`. */
bool ocpp_later_free(const struct ocpp_peer *p, int64_t request, char why[OCPP_WHY]);
struct ocpp_later *ocpp_later_begin(struct ocpp_peer *p, const char *parts,
                                    int64_t request, int64_t wait_ms);
void ocpp_later_drop(struct ocpp_peer *p, struct ocpp_later *l);
void ocpp_later_answered(struct ocpp_peer *p, struct ocpp_later *l, char *answer,
                         const char *note, ocpp_done_fn *done, void *arg);
void ocpp_later_part(struct ocpp_peer *p, const char *action, const cJSON *payload);
void ocpp_later_tick(struct ocpp_peer *p);
void ocpp_later_lost(struct ocpp_peer *p);

/* ocpp_happened.c: what a charger tells of its parts. */
void ocpp_happened(struct ocpp_peer *p, const struct ocpp_happening *h);
void ocpp_happened_boot(struct ocpp_peer *p);
cJSON *ocpp_happened_list(const struct ocpp_peer *p); /* for people; NULL = no memory */

/* ocpp_outside.c: limits by others. Told and reported ones are taken over. */
void ocpp_outside_told(struct ocpp_peer *p, struct ocpp_limited *l);
void ocpp_outside_cleared(struct ocpp_peer *p, const struct ocpp_limited *l);
void ocpp_outside_reported(struct ocpp_peer *p, struct ocpp_limited *l,
                           int64_t request);
void ocpp_outside_up(struct ocpp_peer *p);
void ocpp_outside_boot(struct ocpp_peer *p);
void ocpp_outside_tick(struct ocpp_peer *p);
bool ocpp_outside_pump(struct ocpp_peer *p);
cJSON *ocpp_outside_list(const struct ocpp_peer *p); /* for people; NULL = no memory */
void ocpp_outside_free(struct ocpp_peer *p);

/* ocpp_setup.c */
bool ocpp_clock_pump(struct ocpp_peer *p);

/* Told to people, or at least logged. */
void ocpp_news(const struct ocpp_peer *p, const char *level, const char *code,
               const char *text);
/* May there be one more now? It counts. */
bool ocpp_ration_has(const struct ocpp_peer *p, struct ocpp_ration *r);

/* ocpp_security.c: of a charger's security; it wants a certificate: false = no. */
void ocpp_security_event(struct ocpp_peer *p, const char *type, const char *info);
bool ocpp_security_sign(struct ocpp_peer *p, const char *pem);

/* ocpp_sample.c */
void ocpp_sample(struct ocpp_peer *p, struct ocpp_connector *c,
                 const struct ocpp_meter *m);
void ocpp_sample_order(struct ocpp_peer *p, struct ocpp_connector *c);
bool ocpp_sample_pump(struct ocpp_peer *p);

/* ocpp_probe.c */
void ocpp_probe_start(struct ocpp_peer *p, int connector, bool reboot,
                      ocpp_done_fn *done, void *arg);
void ocpp_probe_tick(struct ocpp_peer *p);
void ocpp_probe_stop(struct ocpp_peer *p, const char *why); /* if there is one */
/* Nothing may be told now but what the probe wants, and decreases; it has sent that. */
bool ocpp_probe_pump(struct ocpp_peer *p);
/* A limit of this connector waits, to see what its charger has kept: not a lower one.
 */
bool ocpp_probe_holds(struct ocpp_peer *p, const struct ocpp_connector *c);

/* ocpp_learn.c: the capability record. It is recalled on the first link, begun anew
 * when a Boot tells of another firmware, kept when something was learned. */
void ocpp_learn_recall(struct ocpp_peer *p);
void ocpp_learn_boot(struct ocpp_peer *p, const struct ocpp_boot *b);
void ocpp_learn_values(struct ocpp_peer *p, const struct ocpp_sample *s);
void ocpp_learn_sample(struct ocpp_peer *p, struct ocpp_connector *c,
                       const struct ocpp_sample *s, const int32_t i_ma[SITE_PHASES]);
void ocpp_learn_end(struct ocpp_peer *p, struct ocpp_connector *c, const char *reason);
void ocpp_learn_tick(struct ocpp_peer *p);
/* What is known of it, for people; NULL without memory. */
cJSON *ocpp_learn_describe(const struct ocpp_peer *p);

/* ocpp_setup.c */
void ocpp_setup_begin(struct ocpp_peer *p);
bool ocpp_setup_pump(struct ocpp_peer *p);
/* Has it as many connectors as the site file says? */
void ocpp_setup_check(struct ocpp_peer *p);
/* An answer or a part of a report: how much of it was known. */
int ocpp_setup_config(struct ocpp_peer *p, const cJSON *told);

/* ocpp_report.c: once for each firmware. Sends the question; true when it has. */
void ocpp_report_begin(struct ocpp_peer *p);
bool ocpp_report_pump(struct ocpp_peer *p);
bool ocpp_report_part(struct ocpp_peer *p, const cJSON *q, struct ocpp_fault *fault);

/* ocpp_plugs.c: makes of what one of the plugs says what they say together;
 * STATUS_UNKNOWN: nothing new. */
void ocpp_plugs_say(struct ocpp_connector *c, struct ocpp_status *s);
int ocpp_plugs_of(const struct ocpp_peer *p, const struct ocpp_connector *c);
void ocpp_plugs_up(struct ocpp_connector *c); /* its link is new */

#endif
