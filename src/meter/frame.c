/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus frames of a client. */
#include "meter/frame.h"

#include <string.h>

enum { MBAP_HEAD = 7, EXCEPTION_BIT = 0x80 };

uint16_t frame_crc(const uint8_t *bytes, int n)
{
    uint16_t crc = 0xFFFF;

    for (int i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

static bool crc_good(const uint8_t *bytes, int n)
{
    uint16_t crc = frame_crc(bytes, n - 2);

    return bytes[n - 2] == (crc & 0xFF) && bytes[n - 1] == crc >> 8;
}

static void put_word(uint8_t *p, int word)
{
    p[0] = (uint8_t)(word >> 8);
    p[1] = (uint8_t)word;
}

static int data_bytes(const struct frame_request *q)
{
    return q->fc < 3 ? (q->n + 7) / 8 : 2 * q->n;
}

int frame_answer_length(enum framing framing, const struct frame_request *q)
{
    return (framing == FRAMING_MBAP ? MBAP_HEAD + 2 : 5) + data_bytes(q);
}

int frame_encode(enum framing framing, const struct frame_request *q,
                 uint8_t bytes[FRAME_REQUEST_MAX])
{
    uint8_t *pdu = bytes + (framing == FRAMING_MBAP ? MBAP_HEAD : 1);

    if (framing == FRAMING_MBAP) {
        put_word(bytes, q->id);
        put_word(bytes + 2, 0);
        put_word(bytes + 4, 6);
    }
    pdu[-1] = (uint8_t)q->unit;
    pdu[0] = (uint8_t)q->fc;
    put_word(pdu + 1, q->at);
    put_word(pdu + 3, q->n);
    if (framing == FRAMING_RTU) {
        uint16_t crc = frame_crc(bytes, 6);

        pdu[5] = (uint8_t)crc;
        pdu[6] = (uint8_t)(crc >> 8);
        return 8;
    }
    return MBAP_HEAD + 5;
}

static enum frame_verdict take_words(const struct frame_request *q, const uint8_t *data,
                                     struct frame_answer *out)
{
    for (int i = 0; i < q->n; i++)
        out->words[i] = q->fc < 3 ? data[i / 8] >> i % 8 & 1
                                  : (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
    return FRAME_ANSWER;
}

static bool begins(const uint8_t *bytes, int n, const uint8_t *want, int length)
{
    return memcmp(bytes, want, (size_t)(n < length ? n : length)) == 0;
}

/* ---- RTU ---- */

/* An answer to a request in the other framing, as far as can be told. */
static bool is_mbap(const struct frame_request *q, const uint8_t *bytes, int n)
{
    return n >= MBAP_HEAD + 2 && bytes[2] == 0 && bytes[3] == 0 && bytes[4] == 0 &&
           bytes[5] >= 3 && bytes[6] == q->unit && (bytes[7] & ~EXCEPTION_BIT) == q->fc;
}

static enum frame_verdict wrong(struct frame_answer *out, enum frame_odd odd)
{
    out->odd = odd;
    return FRAME_WRONG;
}

/* The frame of `length` bytes that has begun: FRAME_ANSWER = it is whole. */
static enum frame_verdict whole(const uint8_t *bytes, int n, int length,
                                struct frame_answer *out)
{
    if (n < length)
        return FRAME_MORE;
    if (!crc_good(bytes, length))
        return wrong(out, FRAME_ODD_CHECK_SUM);
    return n > length ? wrong(out, FRAME_ODD_SEVERAL) : FRAME_ANSWER;
}

static enum frame_verdict decode_rtu(const struct frame_request *q,
                                     const uint8_t *bytes, int n,
                                     struct frame_answer *out)
{
    const uint8_t head[] = {(uint8_t)q->unit, (uint8_t)q->fc, (uint8_t)data_bytes(q)};
    const uint8_t refusal[] = {head[0], (uint8_t)(q->fc | EXCEPTION_BIT)};
    enum frame_verdict verdict;

    if (n == 0)
        return FRAME_MORE;
    if (begins(bytes, n, head, 3)) {
        verdict = whole(bytes, n, frame_answer_length(FRAMING_RTU, q), out);
        return verdict == FRAME_ANSWER ? take_words(q, bytes + 3, out) : verdict;
    }
    if (n > 1 && begins(bytes, n, refusal, 2)) {
        verdict = whole(bytes, n, 5, out);
        out->exception = n > 2 ? bytes[2] : 0;
        return verdict == FRAME_ANSWER ? FRAME_EXCEPTION : verdict;
    }
    if (is_mbap(q, bytes, n))
        return wrong(out, FRAME_ODD_FRAMING);
    return wrong(out, bytes[0] == q->unit ? FRAME_ODD_STRANGE : FRAME_ODD_UNIT);
}

/* ---- MBAP ---- */

/* Whether n bytes can be the begin of a frame. When what follows an answer is none, the
 * answer was cut off, and its end is of another. */
static bool may_begin(const uint8_t *bytes, int n)
{
    for (int i = 2; i < 5 && i < n; i++)
        if (bytes[i]) /* protocol, and the high byte of the length */
            return false;
    return n < 6 || bytes[5] >= 3;
}

/* Whether the answer with this id begins at the first of the n bytes. FRAME_WRONG =
 * no; FRAME_MORE = it may. */
static enum frame_verdict match_mbap(const struct frame_request *q, uint16_t id,
                                     const uint8_t *bytes, int n,
                                     struct frame_answer *out)
{
    uint8_t head[] = {
        (uint8_t)(id >> 8), (uint8_t)id,           0, 0, 0, 0, (uint8_t)q->unit,
        (uint8_t)q->fc,     (uint8_t)data_bytes(q)};

    int length = frame_answer_length(FRAMING_MBAP, q);

    put_word(head + 4, 3 + data_bytes(q));
    if (begins(bytes, n, head, sizeof head)) {
        if (n < length)
            return FRAME_MORE;
        if (!may_begin(bytes + length, n - length))
            return FRAME_WRONG;
        return take_words(q, bytes + sizeof head, out);
    }
    put_word(head + 4, 3);
    head[7] |= EXCEPTION_BIT;
    if (begins(bytes, n, head, sizeof head - 1)) {
        if (n < (int)sizeof head)
            return FRAME_MORE;
        out->exception = bytes[8];
        return FRAME_EXCEPTION;
    }
    if (n > MBAP_HEAD && begins(bytes, n, head, 4) && bytes[6] != q->unit)
        out->odd = FRAME_ODD_UNIT;
    return FRAME_WRONG;
}

static enum frame_verdict decode_mbap(const struct frame_request *q,
                                      const uint8_t *bytes, int n,
                                      struct frame_answer *out)
{
    struct frame_answer rtu = {0};
    enum frame_verdict verdict;

    for (int i = 0; i < n; i++) {
        verdict = match_mbap(q, q->id, bytes + i, n - i, out);
        if (verdict == FRAME_WRONG)
            verdict = match_mbap(q, q->twin_id, bytes + i, n - i, out);
        if (verdict != FRAME_WRONG)
            return verdict;
    }
    if (n > 0 && out->odd == FRAME_ODD_NONE)
        out->odd = FRAME_ODD_STRANGE;
    verdict = decode_rtu(q, bytes, n, &rtu);
    if (verdict == FRAME_ANSWER || verdict == FRAME_EXCEPTION)
        out->odd = FRAME_ODD_FRAMING;
    return FRAME_MORE;
}

enum frame_verdict frame_decode(enum framing framing, const struct frame_request *q,
                                const uint8_t *bytes, int n, struct frame_answer *out)
{
    out->exception = 0;
    out->odd = FRAME_ODD_NONE;
    return framing == FRAMING_MBAP ? decode_mbap(q, bytes, n, out)
                                   : decode_rtu(q, bytes, n, out);
}
