/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and repairs UTF-8. */
#include "proto/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The table of well-formed sequences, Unicode 15 table 3-7: by the first byte, the
 * length and the range of the second byte. */
static const struct {
    unsigned char first, last, length, low, high;
} forms[] = {
    {0x01, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf8_length(const char *text, size_t left)
{
    const unsigned char *p = (const unsigned char *)text;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t length = forms[i].length;

        if (*p < forms[i].first || *p > forms[i].last)
            continue;
        if (length > left)
            return 0;
        if (length > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
            return 0;
        for (size_t k = 2; k < length; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

bool utf8_valid(const char *text, size_t n)
{
    size_t length;

    for (size_t i = 0; i < n; i += length) {
        length = utf8_length(text + i, n - i);
        if (length == 0)
            return false;
    }
    return true;
}

char *utf8_repair(const char *text)
{
    size_t n = strlen(text), length, to = 0;
    char *out = malloc(3 * n + 1);

    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i += length) {
        length = utf8_length(text + i, n - i);
        if (length > 0) {
            memcpy(out + to, text + i, length);
            to += length;
        } else {
            memcpy(out + to, "\xef\xbf\xbd", 3);
            to += 3;
            length = 1;
        }
    }
    out[to] = '\0';
    return out;
}
