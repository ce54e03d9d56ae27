/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus frames in words. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/meter_trace.h"

enum { MBAP = 7, EXCEPTION_BIT = 0x80 };

struct words {
    char *text;
    size_t n, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w,
                                                      const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(w->text + w->n, w->size - w->n, format, args);
    va_end(args);
    w->n += (size_t)n;
    if (w->n >= w->size)
        w->n = w->size - 1;
}

static int word(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static bool sum_good(const uint8_t *bytes, int n)
{
    uint16_t crc = n > 2 ? frame_crc(bytes, n - 2) : 0;

    return n > 2 && bytes[n - 2] == (crc & 0xFF) && bytes[n - 1] == crc >> 8;
}

bool trace_request(enum framing framing, const uint8_t *bytes, int n,
                   struct frame_request *q)
{
    const uint8_t *pdu = bytes + (framing == FRAMING_MBAP ? MBAP : 1);

    if (n != (framing == FRAMING_MBAP ? MBAP + 5 : 8))
        return false;
    *q = (struct frame_request){
        .unit = pdu[-1], .fc = pdu[0], .at = word(pdu + 1), .n = word(pdu + 3)};
    if (framing == FRAMING_MBAP)
        q->id = q->twin_id = (uint16_t)word(bytes);
    return q->fc >= 1 && q->fc <= 4 && q->n >= 1 && q->n <= FRAME_WORDS;
}

static const char *things(int fc)
{
    static const char *const names[] = {"", "coils", "discrete inputs",
                                        "holding registers", "input registers"};

    return names[fc];
}

char *trace_request_text(const struct frame_request *q, char *text, size_t size)
{
    snprintf(text, size, "unit %d, function %d: read %d %s from %d", q->unit, q->fc,
             q->n, things(q->fc), q->at);
    return text;
}

static const char *exception_name(int code)
{
    static const char *const names[] = {
        "",
        "function not supported",
        "illegal address",
        "illegal value",
        "device failure",
        "acknowledged, the answer comes later",
        "busy",
        "refused",
        "memory error",
        "",
        "gateway: no path to that unit",
        "gateway: the unit behind it does not answer",
    };

    return code < 12 && names[code][0] ? names[code] : "not a code of the standard";
}

/* Unit, function, length: what both framings have. pdu[-1] is the unit; n bytes from
 * the function on, without a check sum. */
static void compare(struct words *w, const struct frame_request *q, const uint8_t *pdu,
                    int n)
{
    int data = q->fc < 3 ? (q->n + 7) / 8 : 2 * q->n;

    if (pdu[-1] != q->unit)
        add(w, "; from unit %d, asked was %d", pdu[-1], q->unit);
    if (pdu[0] == (q->fc | EXCEPTION_BIT)) {
        add(w, "; exception %d: %s", pdu[1], exception_name(pdu[1]));
        if (n > 2)
            add(w, "; %d more bytes", n - 2);
        return;
    }
    if (pdu[0] != q->fc) {
        add(w, "; of function %d, asked was %d", pdu[0], q->fc);
        return;
    }
    if (pdu[1] != data)
        add(w, "; holds %d bytes, asked were %d (an answer to another request?)",
            pdu[1], data);
    else if (n < 2 + data)
        add(w, "; %d bytes are missing", 2 + data - n);
    else if (n > 2 + data)
        add(w, "; %d more bytes", n - 2 - data);
}

static void tcp_text(struct words *w, const struct frame_request *q,
                     const uint8_t *bytes, int n)
{
    if (n < MBAP + 2) {
        add(w, sum_good(bytes, n) ? "; a serial frame: --rtutcp instead of --tcp"
                                  : "; not a whole answer");
        return;
    }
    if (word(bytes + 2) != 0) {
        add(w, sum_good(bytes, n) ? "; a serial frame: --rtutcp instead of --tcp"
                                  : "; not Modbus TCP: bytes 3 and 4 must be 0");
        return;
    }
    if (word(bytes) != q->id)
        add(w, "; transaction %d, asked was %d (a late answer?)", word(bytes), q->id);
    if (6 + word(bytes + 4) < n) {
        add(w, "; the frame ends after %d bytes, then comes another",
            6 + word(bytes + 4));
        n = 6 + word(bytes + 4) > MBAP + 2 ? 6 + word(bytes + 4) : MBAP + 2;
    }
    compare(w, q, bytes + MBAP, n - MBAP);
}

/* A second frame behind a good first one; the length of the first. 0 = no such. */
static int first_frame(const uint8_t *bytes, int n)
{
    for (int k = 5; k < n; k++)
        if (sum_good(bytes, k))
            return k;
    return 0;
}

static void rtu_text(struct words *w, const struct frame_request *q,
                     const uint8_t *bytes, int n)
{
    uint8_t request[FRAME_REQUEST_MAX];
    int k = frame_encode(FRAMING_RTU, q, request);

    if (n >= k && memcmp(bytes, request, (size_t)k) == 0) {
        add(w, "; the request itself comes back: an adapter with echo, or the wires "
               "are not connected to the device");
        bytes += k;
        n -= k;
    }
    if (n == 0)
        return;
    if (n >= MBAP + 2 && word(bytes + 2) == 0 && word(bytes + 4) == n - 6) {
        add(w, "; a Modbus TCP frame: --tcp instead of --rtutcp");
        return;
    }
    if (n < 5) {
        add(w, "; not a whole answer");
        return;
    }
    if (!sum_good(bytes, n)) {
        k = first_frame(bytes, n);
        if (k > 0)
            add(w, "; the frame ends after %d bytes, then come others", k);
        else if (bytes[0] == q->unit && bytes[1] == q->fc && n < 5 + bytes[2])
            add(w, "; %d bytes are missing", 5 + bytes[2] - n);
        else
            add(w,
                "; check sum %02x %02x, it should be %02x %02x: noise, another speed "
                "or parity, or two who speak at a time",
                bytes[n - 2], bytes[n - 1], frame_crc(bytes, n - 2) & 0xFF,
                frame_crc(bytes, n - 2) >> 8);
        if (k == 0)
            return;
        n = k;
    }
    compare(w, q, bytes + 1, n - 3);
}

char *trace_answer_text(enum framing framing, const struct frame_request *q,
                        const uint8_t *bytes, int n, char *text, size_t size)
{
    struct words w = {.text = text, .size = size};

    text[0] = '\0';
    if (framing == FRAMING_MBAP)
        tcp_text(&w, q, bytes, n);
    else
        rtu_text(&w, q, bytes, n);
    if (w.n == 0)
        add(&w, "; as it should be");
    memmove(text, text + 2, w.n - 1); /* the first "; " */
    return text;
}
