/* SPDX-License-Identifier: Apache-2.0 */
/* What the messages of an OCPP version are made of, as a table of facts, and the one
 * check by it: strict for what leaves us, lenient for what chargers send. A version is
 * one const struct ocpp_schema, and all that is read or written by its words is behind
 * it; nothing here knows which one it is. */
#ifndef PROTO_OCPP_SCHEMA_H
#define PROTO_OCPP_SCHEMA_H

#include "proto/ocpp_meter.h"
#include "proto/ocpp_schedule.h"
#include "proto/ocpp_told.h"

enum ocpp_type {
    OCPP_INT,    /* whole, 32 bits, from .lo */
    OCPP_TENTHS, /* at most one digit after the point, from .lo */
    OCPP_BOOL,
    OCPP_TEXT, /* at most .most characters; 0 = any number */
    OCPP_WORD, /* one of .words */
    OCPP_TIME, /* RFC 3339 */
    OCPP_URI,
    OCPP_TEXTS, /* a list of TEXT */
    OCPP_OBJECT,
    OCPP_OBJECTS, /* a list of objects like .sub */
    OCPP_INTS,    /* a list of INT */
    OCPP_WORDS,   /* a list of WORD */
    OCPP_NUMBER,  /* any */
    OCPP_ANY
};

enum ocpp_need {
    OCPP_MAY,
    OCPP_MUST,  /* by the standard; a charger that leaves it out is understood, too */
    OCPP_GIVEN, /* the same, a number of the question: a person need not think of one */
    OCPP_VITAL  /* without it the message has no meaning */
};

struct ocpp_field {
    const char *name; /* NULL ends a list of fields */
    enum ocpp_type type;
    enum ocpp_need need;
    int32_t most;      /* TEXT, TEXTS, URI: characters */
    int32_t lo, hi;    /* hi 0 = as far as 32 bits go; of a list: how many there are */
    const char *words; /* between bars: "|Hard|Soft|" */
    const struct ocpp_field *sub;
};

/* Who asks. */
enum ocpp_asker { OCPP_SYSTEM, OCPP_STATION };

struct ocpp_message {
    const char *action;
    const struct ocpp_field *request, *answer;
    /* of one that chargers ask: */
    enum ocpp_says says;
    const char *reply; /* of OCPP_SAYS_NOTHING: what is always answered */
    /* of one that we ask: the action of those in which chargers tell afterwards, in
     * parts, what was asked, by the number of the question; NULL = there are none */
    const char *parts;
};

struct ocpp_table {
    const struct ocpp_message *messages; /* sorted by action */
    int n;
};

/* What a person's call does to what we keep in a charger. */
enum ocpp_effect {
    OCPP_LIMITS = 1,   /* its limits may be others now: they are told anew */
    OCPP_SETTINGS = 2, /* its settings, too: they are read anew */
    OCPP_LIST = 4,     /* its list of tags is no longer ours */
    OCPP_RESERVE = 8,  /* a place is kept for a tag */
    OCPP_UNRESERVE = 16,
    OCPP_STARTS = 32, /* somebody is let in */
    OCPP_LATER = 64   /* what was asked comes in messages of its own: `parts` */
};

/* Which profiles of a charger are Chargehand's: all with an id below OCPP_OUR_IDS, and
 * what those with others would outrank. */
enum { OCPP_OUR_IDS = 1000 };
struct ocpp_ours {
    int top_level;                  /* highest stack level */
    bool whole_max;                 /* it has one for the charger as a whole */
    const struct ocpp_config *told; /* by the charger; NULL */
    const char *address; /* at which it is connected to us: "http://host:port" */
};

enum { OCPP_WHY = 320 };

struct ocpp_schema {
    const char *version;                    /* "1.6", for people */
    const char *subprotocol;                /* of WebSocket */
    const struct ocpp_table *ours, *theirs; /* what we ask, what chargers ask */
    bool deflate;    /* its messages may be compressed (permessage-deflate) */
    bool custom;     /* every object may have a field customData of anything */
    int tag_most;    /* characters of a tag */
    bool typed_tags; /* they have types; one of another type is another tag */
    /* codes of a CALLERROR, as this version spells them */
    const char *formation, *missing, *type, *value;
    const char *unreadable; /* of a message that is no JSON or no frame */
    const char *other;      /* of a message of an unknown type; NULL = no answer */
    bool sends;        /* it has the message types 5 (CALLRESULTERROR) and 6 (SEND) */
    const char *no_id; /* stands for an id that cannot be read; NULL = no answer */
    const char *list_version; /* the field of GetLocalListVersion's answer */
    const char *soft_reset;   /* payload of Reset */
    const char *tx_sample;    /* what to trigger for the values of a transaction */
    /* False, with the reason: this must not be sent by hand, for then a charger could
     * draw more than is reckoned with. Else what to do after its answer: a sum of enum
     * ocpp_effect. The payload has passed ocpp_schema_strict(). */
    bool (*guard)(const char *action, const cJSON *payload,
                  const struct ocpp_ours *ours, unsigned *effects, char why[OCPP_WHY]);

    /* What chargers ask. False, with the CALLERROR in `fault`, only where the meaning
     * is lost. A sample is one element of the values of struct ocpp_meter; values that
     * are not about now are left out. */
    void (*read_boot)(const cJSON *p, struct ocpp_boot *b);
    bool (*read_tag)(const cJSON *p, char tag[OCPP_TAG], struct ocpp_fault *fault);
    bool (*read_status)(const cJSON *p, struct ocpp_status *s,
                        struct ocpp_fault *fault);
    bool (*read_start)(const cJSON *p, struct ocpp_start *s, struct ocpp_fault *fault);
    bool (*read_stop)(const cJSON *p, struct ocpp_stop *s, struct ocpp_fault *fault);
    bool (*read_event)(const cJSON *p, struct ocpp_tx_event *e,
                       struct ocpp_fault *fault);
    bool (*read_meter)(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault);
    bool (*read_needs)(const cJSON *p, struct ocpp_needs *n, struct ocpp_fault *fault);
    /* Limits by others, and their end; profiles of such that it reports, as asked for
     * by that request. Free with ocpp_limited_free(). */
    bool (*read_limited)(const cJSON *p, struct ocpp_limited *l,
                         struct ocpp_fault *fault);
    bool (*read_reported)(const cJSON *p, struct ocpp_limited *l, int64_t *request,
                          struct ocpp_fault *fault);
    /* The i-th thing that has happened; false = there are no more. */
    bool (*read_happening)(const cJSON *p, int i, struct ocpp_happening *h);
    /* Answers that differ, OCPP_CONF_TEXT bytes. */
    void (*conf_authorize)(char *out, const struct ocpp_tag_info *t);
    void (*conf_start)(char *out, int32_t transaction, const struct ocpp_tag_info *t);

    /* SetChargingProfile, OCPP_PROFILE_TEXT bytes; then, OCPP_CALL_TEXT bytes,
     * ClearChargingProfile of a purpose on all connectors, on one stack level (-1 =
     * all) or of one profile; TriggerMessage, connector 0 = of the charger as a whole,
     * plug 0 = the first of several. */
    void (*write_profile)(char *out, const struct ocpp_profile *p);
    void (*write_clear)(char *out, enum ocpp_purpose purpose, int32_t level);
    void (*write_clear_id)(char *out, int32_t id);
    void (*write_trigger)(char *out, const char *message, int32_t connector,
                          int32_t plug);
    /* Calls whose action is what is returned. The end of a transaction, by its
     * id or by the name that its charger gave it. Settings: those of struct
     * ocpp_config, in questions small enough for `c`: the one that begins at *at (0 =
     * the first), which is set to where the next one begins; NULL = there are no more;
     * `again`: it did not understand the first one. Its reader returns how many it
     * knew. What it can do with a list of tags: false = nothing. A change of a setting,
     * and whether it was taken. Limits by others; NULL = nobody tells of such. */
    const char *(*write_stop)(char *out, int32_t transaction, const char *name);
    const char *(*ask_config)(char *out, const struct ocpp_config *c, int places,
                              bool again, int *at);
    int (*read_config)(const cJSON *p, struct ocpp_config *c);
    const char *(*ask_list)(char *out, const struct ocpp_config *c);
    bool (*read_list)(const cJSON *p, struct ocpp_list_ability *l);
    const char *(*write_setting)(char *out, enum ocpp_setting s, const char *value);
    bool (*setting_taken)(const cJSON *p);
    /* A report of all its settings, or of those that can be changed, in parts, which
     * come as messages of it: read_config() reads them, too. NULL = there is none.
     * read_report() reads any message that is `parts` of a question. */
    const char *(*ask_report)(char *out, int32_t request, bool full);
    bool (*read_report)(const cJSON *p, struct ocpp_report *r,
                        struct ocpp_fault *fault);
    const char *(*ask_limited)(char *out, int32_t request);
    /* SendLocalList; free() it. NULL = no memory. */
    char *(*send_list)(int32_t version, bool full, const struct ocpp_tag *tags, int n);
    /* A request of ours that was accepted; false = it cannot be understood. */
    bool (*read_reservation)(const cJSON *p, struct ocpp_reservation *r);
    /* A request of ours to let somebody in, by its number. */
    bool (*read_remote)(const cJSON *p, struct ocpp_remote *r);
    /* The request; cJSON_Delete() it, NULL = no memory. `more` has further fields of it
     * as they are in the standard, those of the objects inside, too; or is NULL. `now`
     * is UTC, id our number of it. */
    cJSON *(*file_request)(enum ocpp_file what, const char *location, const char *now,
                           int32_t id, const cJSON *more, const char **action);
};

/* All versions, the best one first, NULL-ended. */
extern const struct ocpp_schema *const ocpp_schemas[];

/* The one of this subprotocol; of none, or of one that is not spoken here, the oldest.
 */
const struct ocpp_schema *ocpp_schema_named(const char *subprotocol);
/* Which to take of those in a Sec-WebSocket-Protocol header; NULL = none. Without that
 * header (list NULL) it is the oldest. `only`: none but this version, or NULL. */
const struct ocpp_schema *ocpp_schema_choose(const char *list, const char *only);
/* A charger asks this on a connection of s: the version that it is of when it makes no
 * sense in s and does in another, or NULL. */
const struct ocpp_schema *ocpp_schema_whose(const struct ocpp_schema *s,
                                            const char *action, const cJSON *payload);
/* ... it refuses what we ask with this text: the version whose words it misses (quirk
 * Q27), or NULL. */
const struct ocpp_schema *ocpp_schema_blamed(const struct ocpp_schema *s,
                                             const char *action, const char *text);
/* How this version spells a code of struct ocpp_fault. */
const char *ocpp_schema_code(const struct ocpp_schema *s, const char *code);
#define OCPP_SPOKEN "OCPP 2.0.1 or 1.6 (JSON)" /* for people */

/* NULL when nobody of that kind asks such a thing. */
const struct ocpp_message *ocpp_schema_find(const struct ocpp_schema *s,
                                            enum ocpp_asker asker, const char *action);

/* NULL when an object is as its fields want it; else the code for a CALLERROR, and in
 * `why` where and what is wrong: "csChargingProfiles.stackLevel: is missing". */
const char *ocpp_schema_strict(const struct ocpp_schema *s,
                               const struct ocpp_field *fields, const cJSON *object,
                               char why[OCPP_WHY]);
/* The same for what a charger sent: only where the meaning is lost. Numbers as texts
 * and texts as numbers, unknown words and fields, null for nothing are let pass. */
const char *ocpp_schema_lenient(const struct ocpp_schema *s,
                                const struct ocpp_field *fields, const cJSON *object,
                                char why[OCPP_WHY]);

#endif
