/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as Modbus frames. The first byte says which frames, and how many bytes come
 * at a time. */
#include <string.h>

#include "fuzz.h"
#include "sim/modbus_frame.h"

/* What a simulated meter is sent. */
static void requests(bool rtu, size_t step, const uint8_t *data, size_t size)
{
    struct modbus_buffer b = {.n = 0};
    struct modbus_request q;
    uint8_t pdu[2] = {0x83, 2}, frame[MODBUS_FRAME_MAX];
    int length;

    while (size > 0) {
        size_t n = size < step ? size : step;

        if (n > sizeof b.bytes - (size_t)b.n)
            n = sizeof b.bytes - (size_t)b.n;
        FUZZ_MUST(n > 0); /* there is always room for more, or it would hang */
        memcpy(b.bytes + b.n, data, n);
        b.n += (int)n;
        data += n;
        size -= n;
        while (modbus_next_request(rtu, &b, &q)) {
            FUZZ_MUST(b.n >= 0 && b.n <= (int)sizeof b.bytes);
            FUZZ_MUST(q.unit >= 0 && q.unit < 256 && q.fc >= 0 && q.fc < 256);
            FUZZ_MUST(q.at >= 0 && q.at < 65536 && q.n >= 0 && q.n < 65536);
            length = modbus_frame(rtu, &q, pdu, sizeof pdu, frame);
            FUZZ_MUST(length > (int)sizeof pdu && length <= MODBUS_FRAME_MAX);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1)
        requests(data[0] & 1, 1 + data[0] / 2, data + 1, size - 1);
    return 0;
}
