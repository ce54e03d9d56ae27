/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting for the kernel: stable, and its cost depends on no order that comes. */
#include <string.h>

#include "share_work.h"

enum { SHORT = 32, DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

static void sort_short(struct record *r, int n)
{
    for (int i = 1; i < n; i++) {
        struct record keep = r[i];
        int at = i;

        for (; at > 0 && r[at - 1].key > keep.key; at--)
            r[at] = r[at - 1];
        r[at] = keep;
    }
}

static unsigned digit(int64_t key, int shift)
{
    return ((uint64_t)key ^ (uint64_t)1 << 63) >> shift & (DIGITS - 1);
}

/* By one digit, into `to`. */
static void pass(const struct record *r, int n, int shift, struct record *to)
{
    int start[DIGITS] = {0};

    for (int i = 0; i < n; i++)
        start[digit(r[i].key, shift)]++;
    for (int d = 0, at = 0; d < DIGITS; d++) {
        int many = start[d];

        start[d] = at;
        at += many;
    }
    for (int i = 0; i < n; i++)
        to[start[digit(r[i].key, shift)]++] = r[i];
}

/* From the last digit to the first, those in which keys differ (radix sort). */
void share_sort(struct record *r, int n, struct record *spare)
{
    struct record *from = r, *to = spare;
    uint64_t differ = 0;

    if (n <= SHORT) {
        sort_short(r, n);
        return;
    }
    for (int i = 1; i < n; i++)
        differ |= (uint64_t)r[i].key ^ (uint64_t)r[0].key;
    for (int shift = 0; shift < 64; shift += DIGIT_BITS)
        if (differ >> shift & (DIGITS - 1)) {
            struct record *keep = to;

            pass(from, n, shift, to);
            to = from;
            from = keep;
        }
    if (from != r)
        memcpy(r, from, (size_t)n * sizeof *r);
}
