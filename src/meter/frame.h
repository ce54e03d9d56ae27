/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus frames as a client sends and gets them: a read request into bytes, and its
 * answer out of the bytes that have come in. Pure: no socket, no clock, no state.
 *
 * On TCP (MBAP) an answer is known by its transaction id. It is looked for in all that
 * has come in, so late answers to other requests, halves of frames and garbage before
 * it do no harm. RTU frames have no id: there, the bytes must be the answer, whole and
 * alone, with a right check sum, or nothing is believed. */
#ifndef METER_FRAME_H
#define METER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum framing { FRAMING_MBAP, FRAMING_RTU };

enum { FRAME_REQUEST_MAX = 12, FRAME_ANSWER_MAX = 9 + 250, FRAME_WORDS = 125 };

struct frame_request {
    int unit, fc;     /* 0 .. 255; 1 to 4 */
    int at, n;        /* 1 .. FRAME_WORDS registers or bits from this wire address */
    uint16_t id;      /* MBAP: transaction */
    uint16_t twin_id; /* MBAP: of the same request before; an answer to that is as good.
                         = id: none */
};

enum frame_verdict {
    FRAME_MORE,      /* not here yet */
    FRAME_ANSWER,    /* words[] */
    FRAME_EXCEPTION, /* exception, 0 .. 255 */
    FRAME_WRONG      /* RTU: these bytes are not the answer */
};

/* What is odd about the bytes, for people. */
enum frame_odd {
    FRAME_ODD_NONE,
    FRAME_ODD_STRANGE,   /* something that does not answer this request */
    FRAME_ODD_UNIT,      /* another unit answers */
    FRAME_ODD_CHECK_SUM, /* RTU */
    FRAME_ODD_SEVERAL,   /* RTU: more came than one answer */
    FRAME_ODD_FRAMING    /* the other side speaks the other framing */
};

struct frame_answer {
    uint16_t words[FRAME_WORDS]; /* registers; bits as 0 or 1 */
    int exception;
    enum frame_odd odd; /* with FRAME_MORE and FRAME_WRONG */
};

/* Returns the length. */
int frame_encode(enum framing framing, const struct frame_request *q,
                 uint8_t bytes[FRAME_REQUEST_MAX]);

/* Looks at all n bytes that have come in since the request was sent. */
enum frame_verdict frame_decode(enum framing framing, const struct frame_request *q,
                                const uint8_t *bytes, int n, struct frame_answer *out);

/* How long the answer is, in bytes. */
int frame_answer_length(enum framing framing, const struct frame_request *q);

/* The check sum of RTU frames (Modbus over Serial Line, 6.2.2), low byte first. */
uint16_t frame_crc(const uint8_t *bytes, int n);

#endif
