/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answer of a device to our request. The first five bytes make the
 * request, the sixth says how many of the others come at a time. With its lowest bit,
 * the answer's head and check sum are made right. */
#include <string.h>

#include "fuzz.h"
#include "meter/frame.h"

/* The verdict on the bytes, which may not go back on an answer. */
static void decode(enum framing framing, const struct frame_request *q,
                   const uint8_t *data, size_t size, size_t step)
{
    struct frame_answer a;
    size_t n = 0;

    do {
        uint8_t *exact; /* so that each byte read too many is seen */

        n = n + step < size ? n + step : size;
        exact = malloc(n ? n : 1);
        FUZZ_MUST(exact);
        memcpy(exact, data, n);
        switch (frame_decode(framing, q, exact, (int)n, &a)) {
        case FRAME_EXCEPTION:
            FUZZ_MUST(a.exception >= 0 && a.exception < 256);
            n = size;
            break;
        case FRAME_ANSWER:
            FUZZ_MUST((int)n >= frame_answer_length(framing, q));
            n = size;
            break;
        case FRAME_WRONG:
            FUZZ_MUST(framing == FRAMING_RTU && a.odd != FRAME_ODD_NONE);
            n = size;
            break;
        case FRAME_MORE:
            break;
        }
        free(exact);
    } while (n < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_request q = {.id = 0x0102, .twin_id = 0x0304};
    uint8_t bytes[FRAME_REQUEST_MAX], right[FRAME_ANSWER_MAX + 2];
    size_t n;
    int length;

    if (size < 6 || size > 600)
        return 0;
    q.unit = data[0];
    q.fc = 1 + data[1] % 4;
    q.at = data[2] << 8 | data[3];
    q.n = 1 + data[4] % FRAME_WORDS;
    for (int framing = FRAMING_MBAP; framing <= FRAMING_RTU; framing++) {
        FUZZ_MUST(frame_encode(framing, &q, bytes) <= FRAME_REQUEST_MAX);
        decode(framing, &q, data + 6, size - 6, 1 + data[5] / 2);
    }
    if (!(data[5] & 1))
        return 0;
    length = frame_answer_length(FRAMING_RTU, &q);
    n = size - 6 < (size_t)length ? size - 6 : (size_t)length;
    memset(right, 0, sizeof right);
    memcpy(right, data + 6, n);
    right[0] = (uint8_t)q.unit;
    right[1] = (uint8_t)q.fc;
    right[2] = (uint8_t)(length - 5);
    right[length - 2] = (uint8_t)frame_crc(right, length - 2);
    right[length - 1] = (uint8_t)(frame_crc(right, length - 2) >> 8);
    decode(FRAMING_RTU, &q, right, (size_t)length, 1 + data[5] / 2);
    return 0;
}
