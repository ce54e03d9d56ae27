/* SPDX-License-Identifier: Apache-2.0 */
/* MBAP and RTU framing for simulated meters. */
#include "sim/modbus_frame.h"

#include <string.h>

#include "meter/frame.h"

static int word(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void discard(struct modbus_buffer *b, int n)
{
    b->n -= n;
    memmove(b->bytes, b->bytes + n, (size_t)b->n);
}

static bool next_rtu(struct modbus_buffer *b, struct modbus_request *q)
{
    enum { READ_FRAME = 8 };
    const uint8_t *p = b->bytes;

    while (b->n >= READ_FRAME) {
        if (frame_crc(p, READ_FRAME - 2) == (p[6] | p[7] << 8)) {
            *q = (struct modbus_request){
                .unit = p[0], .fc = p[1], .at = word(p + 2), .n = word(p + 4)};
            discard(b, READ_FRAME);
            return true;
        }
        discard(b, 1);
    }
    return false;
}

static bool next_tcp(struct modbus_buffer *b, struct modbus_request *q)
{
    const uint8_t *p = b->bytes;
    int length = b->n >= 6 ? 6 + word(p + 4) : 0;

    if (b->n >= 6 && (word(p + 2) != 0 || length < 8 || length > MODBUS_FRAME_MAX))
        b->n = 0; /* not Modbus TCP */
    if (b->n < 6 || b->n < length)
        return false;
    *q = (struct modbus_request){.id = (uint16_t)word(p), .unit = p[6], .fc = p[7]};
    if (length >= 12) {
        q->at = word(p + 8);
        q->n = word(p + 10);
    }
    discard(b, length);
    return true;
}

bool modbus_next_request(bool rtu, struct modbus_buffer *b, struct modbus_request *q)
{
    return rtu ? next_rtu(b, q) : next_tcp(b, q);
}

int modbus_frame(bool rtu, const struct modbus_request *q, const uint8_t *pdu,
                 int length, uint8_t frame[MODBUS_FRAME_MAX])
{
    int head = rtu ? 1 : 7;

    if (!rtu) {
        frame[0] = (uint8_t)(q->id >> 8);
        frame[1] = (uint8_t)q->id;
        frame[2] = frame[3] = 0;
        frame[4] = (uint8_t)((length + 1) >> 8);
        frame[5] = (uint8_t)(length + 1);
    }
    frame[head - 1] = (uint8_t)q->unit;
    memcpy(frame + head, pdu, (size_t)length);
    if (rtu) {
        uint16_t crc = frame_crc(frame, head + length);

        frame[head + length] = (uint8_t)crc;
        frame[head + length + 1] = (uint8_t)(crc >> 8);
        length += 2;
    }
    return head + length;
}
