/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from a P1 port. The first byte says how many come at a time; the second,
 * whether the check sum at the end is made right, so that the parser behind it is
 * reached. */
#include <string.h>

#include "fuzz.h"
#include "meter/p1.h"

static void check(const struct meter_reading *r)
{
    for (int i = 0; i < SITE_PHASES; i++) {
        FUZZ_MUST(r->i_ma[i] == EVENT_NO_VALUE || r->i_ma[i] > -2000000000);
        FUZZ_MUST(r->v_mv[i] == EVENT_NO_VALUE || r->v_mv[i] >= 0);
    }
}

static void feed(struct p1 *p, const char *bytes, size_t n)
{
    while (n > 0) {
        enum p1_result result;
        struct meter_reading r;
        size_t taken = p1_feed(p, bytes, n, &result);

        FUZZ_MUST(taken <= n && (taken > 0 || result != P1_MORE));
        FUZZ_MUST(p->n <= P1_MAX);
        if (result == P1_TELEGRAM) {
            FUZZ_MUST(p->text[0] == '/');
            if (p1_parse(p->text, &r))
                check(&r);
        }
        bytes += taken;
        n -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct p1 *p = calloc(1, sizeof *p);
    const char *text = (const char *)data + 2;
    char sum[8];
    size_t step, n = size - 2;

    FUZZ_MUST(p);
    if (size > 2) {
        step = data[0] ? data[0] : 1;
        for (size_t at = 0; at < n; at += step)
            feed(p, text + at, n - at < step ? n - at : step);
        if (data[1] & 1 && text[n - 1] == '!') {
            const char *start = memrchr(text, '/', n);

            if (start) {
                snprintf(sum, sizeof sum, "%04X\r\n",
                         p1_sum(start, (size_t)(text + n - start)));
                feed(p, sum, 6);
            }
        }
    }
    free(p);
    return 0;
}
