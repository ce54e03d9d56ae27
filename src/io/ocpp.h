/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP central system: sockets, sessions with chargers, calls in both directions.
 * What the messages mean is in src/proto; this file moves them.
 *
 * All runs on the loop's thread. Facts for the core come out as events (at_ms stamped),
 * the rest through the other hooks. */
#ifndef IO_OCPP_H
#define IO_OCPP_H

#include <cjson/cJSON.h>

#include "config/config.h"
#include "core/event.h"
#include "core/order.h"
#include "io/loop.h"
#include "proto/ocpp_told.h"

/* What a charger said of itself. Empty strings where it did not. */
struct ocpp_station {
    char vendor[52], model[24], serial[28], firmware[52];
};

/* What was found out of a charger, to be kept (ocpp_ability.h has the words). */
struct ocpp_record {
    char id[52]; /* its identity */
    char vendor[52], model[24], firmware[52];
    char words[256];
};

/* A transaction as the charger reports it, for the book of sessions. */
struct ocpp_session {
    int connector; /* index in the site */
    bool begins;   /* else it ends */
    bool tagged;   /* neither: whose it is was told now, in `tag` and `refused` */
    bool resumed;  /* it was under way before we knew of it */
    bool refused;  /* its tag may not charge; the charger may let it */
    bool nameless; /* ... and its charger gives it no id: it has one of ours */
    bool late;     /* an end of which the core has long heard; with the connector of the
                      charger's that had this transaction, else its first */
    int32_t transaction;     /* -1 = of an end whose transaction has a name only */
    char name[OCPP_TX_NAME]; /* that its charger gave it instead of an id; "" */
    char tag[OCPP_TAG];
    int64_t utc_s;       /* charger's time where plausible, else ours */
    int64_t register_wh; /* EVENT_NO_ENERGY */
    char reason[24];     /* of the end: "EVDisconnected", ... */
};

struct ocpp_hooks {
    void *arg;
    void (*event)(void *arg, const struct event *e);
    void (*session)(void *arg, const struct ocpp_session *s);
    void (*station)(void *arg, int charger, const struct ocpp_station *s);
    /* a charger came, went, was refused, ...: once at begin and once at end */
    void (*trouble)(void *arg, bool begins, const char *who, const char *text);
    /* Something happened that is no trouble with an end; level and code as events have
     * them: "info", "file". NULL = it is only logged. */
    void (*news)(void *arg, const char *level, const char *code, const char *who,
                 const char *text);
    /* The record of a charger has changed; NULL = nobody keeps them. */
    void (*learned)(void *arg, const struct ocpp_record *r);
    /* The one that was kept, or NULL. */
    const struct ocpp_record *(*recall)(void *arg, const char *id);
    /* the number of the list of tags in the configuration: grows with each change of
     * it, over restarts, too; > 0. NULL = there is one list only */
    int32_t (*tags_version)(void *arg);
    /* the next unused transaction id, unique over restarts; > 0 */
    int32_t (*next_transaction)(void *arg);
    /* the one that is open there in the book, unless it has another name; 0 = none.
     * NULL = never */
    int32_t (*open_transaction)(void *arg, int connector, const char *name);
};

struct ocpp;

/* Listens. NULL and a log line when it cannot. */
struct ocpp *ocpp_new(struct loop *l, const struct config *c,
                      const struct ocpp_hooks *h);
void ocpp_free(struct ocpp *o);
/* The ports listened on, 0 = none: without TLS, and for security profile 2 or 3. */
int ocpp_port(const struct ocpp *o);
int ocpp_tls_port(const struct ocpp *o, int profile);

/* After a reload: the configuration that replaces the one in use. map[i] = index of the
 * new charger i in the old configuration, or SITE_NONE. */
void ocpp_reload(struct ocpp *o, const struct config *c, const int *map);

/* Carries out ORDER_LIMIT (answered by EVENT_ANSWER, always and once, also when the
 * charger is away; never from within this call) and ORDER_SAMPLE. An order that a newer
 * one overtakes before it was sent is answered REJECTED: it had no effect. */
void ocpp_order(struct ocpp *o, const struct order *order);

/* What became of a person's call. */
enum ocpp_outcome {
    OCPP_ANSWERED,   /* `text` is the answer's JSON; for all others, the reason */
    OCPP_BAD_CALL,   /* it was not sent: no such action, or its payload is wrong */
    OCPP_KEPT_BACK,  /* it was not sent: it would break a promise of ours */
    OCPP_CALL_ERROR, /* a CALLERROR: "code: description" */
    OCPP_AWAY,       /* the charger is not connected, or was lost meanwhile */
    OCPP_SILENT,     /* no answer in time, or one that cannot be read */
    OCPP_IN_PARTS    /* answered, and told in messages of its own: `text` is JSON,
                        {"answer": ..., "parts": [these], "missing": "why some are"} */
};
/* `note`: in what the answer, or one of its parts, is not as the standard wants it, or
 * "". */
typedef void ocpp_done_fn(void *arg, enum ocpp_outcome o, const char *text,
                          const char *note);

/* A person's call to a charger, named by its identity; the payload is borrowed. `done`
 * is called once, at the latest after the call's time-out, and before this returns when
 * the call is not made at all. Where what was asked comes afterwards in messages of its
 * own, it is waited for (OCPP_IN_PARTS) as long as there are not wait_ms without one,
 * a quarter of an hour at most; 0 = it is not, nor kept. */
void ocpp_call(struct ocpp *o, const char *id, const char *action, const cJSON *payload,
               int64_t wait_ms, ocpp_done_fn *done, void *arg);

/* Ends the session at a connector, an index in the site. */
void ocpp_stop(struct ocpp *o, int connector, ocpp_done_fn *done, void *arg);

/* Firmware that a charger is to fetch and install, or a log that it is to send. `name`
 * is the firmware's, in the folder of the site file; `more` are further fields of the
 * request, or NULL. `done` is called as by ocpp_call(), when it is asked for. */
void ocpp_file(struct ocpp *o, const char *id, enum ocpp_file what, const char *name,
               const cJSON *more, ocpp_done_fn *done, void *arg);

/* How the charger's firmware or log goes on, for people: "log CP-01-...: Uploading";
 * "" when none is under way. */
void ocpp_transfer_text(const struct ocpp *o, int charger, char *out, size_t size);

/* What is known of each charger, as a JSON array. NULL = no memory. */
cJSON *ocpp_list(struct ocpp *o);

/* Finds out what a charger really does while a car charges at it: obeys, how fast, on
 * 0 A, without a connection, over a restart (where `reboot`). Takes some minutes; it is
 * never told more than the core grants. connector 0 = the one that charges. `done` gets
 * the report as JSON, as with ocpp_call(). */
void ocpp_probe(struct ocpp *o, const char *id, int connector, bool reboot,
                ocpp_done_fn *done, void *arg);

#endif
