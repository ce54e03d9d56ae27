/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP-J frames: [2, id, action, {}], [3, id, {}], [4, id, code, text, {}]; of those
 * versions that have them [5, id, code, text, {}] and [6, id, action, {}], too.
 *
 * Read leniently, as chargers write them; written strictly, as the standard asks
 * (OCPP-J 1.6 section 4). */
#ifndef PROTO_OCPP_FRAME_H
#define PROTO_OCPP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <cjson/cJSON.h>

enum {
    OCPP_FRAME_MAX = 65536, /* bytes of one message */
    OCPP_FRAME_DEPTH = 32,  /* brackets and braces within each other */
    OCPP_FRAME_ID = 128,    /* the standard says 36; longer ones are given back, too */
    OCPP_FRAME_WORD = 64    /* action, error code */
};

enum ocpp_frame_kind {
    OCPP_FRAME_BAD,   /* unreadable; see fault, about and id */
    OCPP_FRAME_OTHER, /* a message type this version does not know: to be ignored */
    OCPP_FRAME_CALL,
    OCPP_FRAME_RESULT,
    OCPP_FRAME_ERROR,
    OCPP_FRAME_RESULT_ERROR, /* our answer could not be read by who got it */
    OCPP_FRAME_SEND          /* as a CALL, but nobody waits for an answer */
};

struct ocpp_frame {
    enum ocpp_frame_kind kind;
    char id[OCPP_FRAME_ID];       /* "" where it could not be read */
    char action[OCPP_FRAME_WORD]; /* of a CALL, SEND */
    char code[OCPP_FRAME_WORD];   /* of an ERROR, RESULT_ERROR */
    char text[128];               /* of these: its description */
    cJSON *payload;               /* an object; not of BAD and OTHER */
    const char *fault;            /* of BAD: what is wrong, a constant text */
    /* Of BAD: what it was meant to be, as far as its head can be read. With
     * OCPP_FRAME_CALL and an id it is answered by CALLERROR FormationViolation; with
     * OCPP_FRAME_RESULT or _ERROR the call of that id has failed; else by nothing: 1.6
     * has no answer to a message without an id. */
    enum ocpp_frame_kind about;
    bool pooled; /* its memory is the block for one message */
};

/* Parses len bytes of text. False, and kind BAD, when it is unreadable. In both cases
 * ocpp_frame_free() afterwards. */
bool ocpp_frame_parse(struct ocpp_frame *f, const char *text, size_t len);
void ocpp_frame_free(struct ocpp_frame *f);

/* Build frames; NULL when there is no memory. free() them. `payload` is the text of a
 * JSON object. */
char *ocpp_frame_call(const char *id, const char *action, const char *payload);
char *ocpp_frame_result(const char *id, const char *payload);
char *ocpp_frame_error(const char *id, const char *code, const char *text);

/* Makes valid UTF-8 of a text, in place: each byte that is none becomes '?'. Chargers
 * write names in other codes; that is no reason to end a connection. */
void ocpp_text_repair(char *text, size_t len);

/* Copies text, cut at a character's border, without control characters. */
void ocpp_text_copy(char *to, size_t size, const char *from);

#endif
