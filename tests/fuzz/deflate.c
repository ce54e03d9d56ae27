/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a packed message, and as what a charger offers of packing. What can be
 * unpacked, packed again, is the same. */
#include <string.h>

#include "fuzz.h"
#include "io/ocpp_deflate.h"
#include "proto/ocpp_frame.h"

static void offer(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    bool bits;

    FUZZ_MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (ocpp_deflate_fits(text, &bits))
        FUZZ_MUST(strstr(text, "permessage-deflate"));
    free(text);
}

static void message(struct ocpp_deflate *d, const uint8_t *data, size_t size)
{
    unsigned char *packed;
    char *text, *copy;
    size_t len, n;

    switch (ocpp_deflate_unpack(d, data, size, &text, &len)) {
    case OCPP_UNPACK_BAD:
        return;
    case OCPP_UNPACK_LONG:
        FUZZ_MUST(len > OCPP_FRAME_MAX);
        return;
    case OCPP_UNPACKED:
        break;
    }
    FUZZ_MUST(len <= OCPP_FRAME_MAX);
    copy = malloc(len + 1);
    packed = malloc(len + 1);
    FUZZ_MUST(copy && packed);
    memcpy(copy, text, len);
    n = ocpp_deflate_pack(d, copy, len, packed);
    FUZZ_MUST(n < len || n == 0);
    if (n > 0) {
        size_t again;

        FUZZ_MUST(ocpp_deflate_unpack(d, packed, n, &text, &again) == OCPP_UNPACKED);
        FUZZ_MUST(again == len && memcmp(text, copy, len) == 0);
    }
    free(packed);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ocpp_deflate *d;

    if (!d)
        d = ocpp_deflate_new();
    FUZZ_MUST(d);
    offer(data, size);
    message(d, data, size);
    return 0;
}
