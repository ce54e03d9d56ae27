/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers. */
#include "meter/number.h"

#include <stddef.h>

static int digit(char c, int base)
{
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;

    return d < base ? d : -1;
}

bool number_integer(const char *text, int64_t *out)
{
    int base = 10;
    int64_t v = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    } else if (text[0] == '0' && text[1] != '\0') {
        return false; /* 010 means 8 to some and 10 to others */
    }
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        int d = digit(*text, base);

        if (d < 0 || v > (INT64_MAX - d) / base)
            return false;
        v = v * base + d;
    }
    *out = v;
    return true;
}

bool number_decimal(const char *text, struct decimal *out)
{
    bool negative = *text == '-';
    int digits = 0, fraction = -1;
    int64_t m = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        out->e = 0;
        return number_integer(text, &out->m);
    }
    text += negative;
    if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
        return false;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text; text++) {
        if (*text == '.' && fraction < 0) {
            fraction = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 12)
            return false;
        m = m * 10 + (*text - '0');
        fraction += fraction >= 0;
    }
    if (fraction == 0)
        return false; /* "1." */
    *out = (struct decimal){negative ? -m : m, fraction > 0 ? -fraction : 0};
    return true;
}

static double power_of_ten(int n)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    return exact[n < 22 ? n : 22];
}

double number_scale(double v, struct decimal d, int exponent)
{
    int e = d.e + exponent;

    v *= (double)d.m;
    return e >= 0 ? v * power_of_ten(e) : v / power_of_ten(-e);
}
