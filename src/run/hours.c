/* SPDX-License-Identifier: Apache-2.0 */
/* The hours of a schedule, by local time. */
#include "run/hours.h"

#include <time.h>

/* That local time on that day. In autumn an hour comes twice: the first of it when
 * `early`, else the last. In spring one is missing: then what the C library makes of
 * it.
 */
static int64_t local(const struct tm *date, int minutes, bool early)
{
    struct tm tm = {.tm_year = date->tm_year,
                    .tm_mon = date->tm_mon,
                    .tm_mday = date->tm_mday,
                    .tm_min = minutes,
                    .tm_isdst = -1};
    struct tm back;
    time_t found = mktime(&tm);

    for (int hour = -1; hour <= 1; hour += 2) {
        time_t other = found + hour * 3600;

        if (localtime_r(&other, &back) && back.tm_mday == tm.tm_mday &&
            back.tm_hour == tm.tm_hour && back.tm_min == tm.tm_min &&
            (hour < 0) == early)
            return other;
    }
    return found;
}

bool hours_hold(const struct conf_schedule *s, int64_t utc_s, int64_t *until_s)
{
    time_t now = (time_t)utc_s;
    struct tm today;
    bool holds = false;

    if (!localtime_r(&now, &today))
        return false;
    for (int ago = 0; ago <= 1; ago++) { /* it may have begun yesterday */
        struct tm date = {.tm_year = today.tm_year,
                          .tm_mon = today.tm_mon,
                          .tm_mday = today.tm_mday - ago,
                          .tm_hour = 12,
                          .tm_isdst = -1};
        struct tm end;

        mktime(&date); /* sets the day of the week */
        end = date;
        end.tm_mday += s->to_min <= s->from_min;
        if (!(s->days >> date.tm_wday & 1) || utc_s < local(&date, s->from_min, true) ||
            utc_s >= local(&end, s->to_min, false))
            continue;
        if (!holds || *until_s < local(&end, s->to_min, false))
            *until_s = local(&end, s->to_min, false);
        holds = true;
    }
    return holds;
}
