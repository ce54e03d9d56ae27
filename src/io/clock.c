/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks, and time as text. */
#include "io/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
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

char *clock_format_utc(int64_t utc_s, char out[21])
{
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm))
        strcpy(out, "1970-01-01T00:00:00Z");
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

int clock_parse_utc(const char *text, int64_t *utc_s)
{
    struct tm tm = {0};
    char sign, *rest;
    int hours, minutes = 0;

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
