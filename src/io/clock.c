/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks, and time as text. */
#include "io/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* While the machine is suspended leases run on in the chargers: so does this. */
int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_set_zone(const char *zone)
{
    if (zone)
        setenv("TZ", zone, 1);
    tzset();
}

int64_t clock_utc_s(void)
{
    return (int64_t)time(NULL);
}

/* Many ask for the same second. */
char *clock_format_utc(int64_t utc_s, char out[21])
{
    static _Thread_local int64_t last_s;
    static _Thread_local char last[21] = "1970-01-01T00:00:00Z";
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (utc_s == last_s)
        return memcpy(out, last, sizeof last);
    if (!gmtime_r(&t, &tm) || !strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm))
        strcpy(out, "1970-01-01T00:00:00Z");
    memcpy(last, out, sizeof last);
    last_s = utc_s;
    return out;
}

char *clock_format_local(int64_t utc_s, int64_t now_s, char out[24])
{
    bool near = utc_s - now_s < 20 * 3600 && now_s - utc_s < 20 * 3600;
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (!localtime_r(&t, &tm) || !strftime(out, 24, near ? "%H:%M" : "%a %H:%M", &tm))
        strcpy(out, "-");
    return out;
}

/* Two digits, or a number above 99. */
static int two(const char *p)
{
    unsigned tens = (unsigned)(p[0] - '0'), ones = (unsigned)(p[1] - '0');

    return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : 100;
}

/* "2019-03-01T14:20:00Z" to the letter, as nearly all of them are: chargers send one
 * with each sample, and the way of the library is long. */
static bool parse_plain(const char *text, int64_t *utc_s)
{
    int y, m, d, days;

    if (strlen(text) != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || text[19] != 'Z')
        return false;
    if (two(text) > 99 || two(text + 2) > 99 || two(text + 5) - 1u > 11 ||
        two(text + 8) - 1u > 30 || two(text + 11) > 23 || two(text + 14) > 59 ||
        two(text + 17) > 59)
        return false;
    m = two(text + 5);
    d = two(text + 8);
    y = 100 * two(text) + two(text + 2) - (m <= 2); /* years begin in March */
    if (y < 1600)
        return false;
    days = 365 * y + y / 4 - y / 100 + y / 400 +
           (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 719469;
    *utc_s = days * INT64_C(86400) + two(text + 11) * 3600 + two(text + 14) * 60 +
             two(text + 17);
    return true;
}

int clock_parse_utc(const char *text, int64_t *utc_s)
{
    struct tm tm = {0};
    char sign, *rest;
    int hours, minutes = 0;

    if (parse_plain(text, utc_s))
        return 1;
    rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest)
        return 0;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++)
            ;
    *utc_s = (int64_t)timegm(&tm);
    if (*rest == '\0' || strcmp(rest, "Z") == 0)
        return 1;
    if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) < 2 &&
        sscanf(rest, "%c%2d%2d", &sign, &hours, &minutes) < 2)
        return 0;
    if ((sign != '+' && sign != '-') || hours < 0 || hours > 14 || minutes < 0 ||
        minutes > 59)
        return 0;
    *utc_s -= (sign == '+' ? 1 : -1) * (int64_t)(hours * 3600 + minutes * 60);
    return 1;
}

int64_t clock_next_utc_s(int minute, int64_t utc_s)
{
    time_t now = (time_t)utc_s;

    for (int day = 0; day < 3; day++) {
        struct tm tm;
        time_t t;

        if (!localtime_r(&now, &tm))
            break;
        tm.tm_mday += day;
        tm.tm_hour = minute / 60;
        tm.tm_min = minute % 60;
        tm.tm_sec = 0;
        tm.tm_isdst = -1;
        t = mktime(&tm);
        if (t != (time_t)-1 && (int64_t)t > utc_s)
            return (int64_t)t;
    }
    return utc_s + 86400;
}
