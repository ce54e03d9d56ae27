/* SPDX-License-Identifier: Apache-2.0 */
/* Strict readers of numbers, times, words and texts. */
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/suggest.h"

enum { MAX_DIGITS = 15 }; /* fits int64_t with three decimals */

const char *conf_quote(const char *text, char out[48])
{
    int n = 0;

    for (; *text && n < 40; text++) {
        unsigned char c = (unsigned char)*text;
        out[n++] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    for (; n > 0 && ((unsigned char)*text & 0xc0) == 0x80; text--)
        n--; /* never half a UTF-8 character */
    strcpy(out + n, *text ? "..." : "");
    return out;
}

static bool refuse(char why[CONF_WHY], const char *expected, const char *text,
                   const char *hint)
{
    char quoted[48];

    snprintf(why, CONF_WHY, "expected %s, not '%s'%s%s", expected,
             conf_quote(text, quoted), *hint ? ": " : "", hint);
    return false;
}

/* The advice for the usual ways of writing a number wrong. */
static const char *number_hint(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits && text[digits] == ',' &&
        strspn(text + digits + 1, "0123456789") == strlen(text + digits + 1))
        return "write a point, not a comma";
    if (digits > 1 && text[0] == '0' && !text[digits])
        return "leave out the leading zero";
    if (digits)
        digits = strspn(text, "0123456789.");
    if (digits && isalpha((unsigned char)text[digits]) && text[digits] != 'x' &&
        text[digits] != 'e' && text[digits] != 'E')
        return "leave out the unit";
    return "";
}

/* Digits with an optional fraction, no leading zeros; NULL or the first character that
 * is not part of it. */
static const char *scan_decimal(const char *text, int decimals, int64_t *out,
                                bool *too_fine)
{
    const char *p = text;
    int64_t n = 0;
    int whole = 0, fine = 0;

    for (; isdigit((unsigned char)*p); p++, whole++) {
        if (whole == MAX_DIGITS - decimals)
            return NULL;
        n = 10 * n + (*p - '0');
    }
    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return NULL;
    if (*p == '.') {
        for (p++; isdigit((unsigned char)*p); p++, fine++)
            if (fine < decimals)
                n = 10 * n + (*p - '0');
        if (fine == 0)
            return NULL;
    }
    *too_fine = fine > decimals;
    for (; fine < decimals; fine++)
        n *= 10;
    *out = n;
    return p;
}

bool conf_value_decimal(const char *text, int decimals, const char *unit, int64_t *out,
                        char why[CONF_WHY])
{
    const char *number = *text == '-' ? text + 1 : text;
    bool too_fine = false;
    const char *end = scan_decimal(number, decimals, out, &too_fine);
    char expected[80], hint[40];

    snprintf(expected, sizeof expected, "%s as a plain number like %s", unit,
             decimals ? "16 or 16.5" : "16");
    if (!end || *end)
        return refuse(why, expected, text, number_hint(number));
    snprintf(hint, sizeof hint, decimals ? "at most %d decimals" : "a whole number",
             decimals);
    if (too_fine)
        return refuse(why, expected, text, hint);
    if (*text == '-')
        *out = -*out;
    return true;
}

struct unit {
    const char *word;
    int64_t factor;
};

static bool with_unit(const char *text, const struct unit *units, const char *expected,
                      const char *bare, int64_t *out, char why[CONF_WHY])
{
    bool too_fine = false;
    const char *end = scan_decimal(text, 0, out, &too_fine);

    if (!end)
        return refuse(why, expected, text, "");
    if (too_fine)
        return refuse(why, expected, text, "a whole number");
    if (!*end)
        return refuse(why, expected, text, bare);
    for (const struct unit *u = units; u->word; u++) {
        if (strcmp(end, u->word) != 0)
            continue;
        if (*out > INT64_MAX / u->factor)
            return refuse(why, expected, text, "that is too much");
        *out *= u->factor;
        return true;
    }
    if (*end == ' ')
        return refuse(why, expected, text, "no space before the unit");
    return refuse(why, expected, text, "unknown unit");
}

bool conf_value_ratio(const char *text, int64_t *ppm, char why[CONF_WHY])
{
    const char *slash = strchr(text, '/');
    int64_t above, below = 1000000;
    char first[16];

    if (!slash)
        return conf_value_decimal(text, 6, "a ratio like 250/5 or 50", ppm, why);
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    if (slash - text >= (int)sizeof first ||
        !conf_value_decimal(first, 3, "a ratio", &above, why) ||
        !conf_value_decimal(slash + 1, 3, "a ratio", &below, why) || below <= 0 ||
        above > INT64_MAX / 1000000)
        return refuse(why, "a ratio like 250/5 or 50", text, "");
    *ppm = above * 1000000 / below;
    return true;
}

bool conf_value_time(const char *text, int64_t *ms, char why[CONF_WHY])
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"min", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

    return with_unit(text, units, "a time like 500ms, 10s, 15min or 2h", "add its unit",
                     ms, why);
}

bool conf_value_size(const char *text, int64_t *bytes, char why[CONF_WHY])
{
    static const struct unit units[] = {
        {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {NULL, 0}};

    return with_unit(text, units, "a size like 500kB, 100MB or 2GB", "add its unit",
                     bytes, why);
}

bool conf_value_bool(const char *text, bool *out, char why[CONF_WHY])
{
    *out = strcmp(text, "true") == 0;
    if (*out || strcmp(text, "false") == 0)
        return true;
    return refuse(why, "true or false", text, "");
}

bool conf_value_choice(const char *text, const char *const *words, int64_t *out,
                       char why[CONF_WHY])
{
    struct conf_suggest near = {.word = text};
    char list[120] = "", quoted[48];
    size_t n = 0;

    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
        conf_suggest_offer(&near, words[i]);
        if (n < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "",
                                  words[i]);
    }
    snprintf(why, CONF_WHY, "expected one of %.100s; not '%s'%s", list,
             conf_quote(text, quoted), conf_suggest_text(&near));
    return false;
}
