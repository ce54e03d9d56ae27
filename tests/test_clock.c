/* SPDX-License-Identifier: Apache-2.0 */
/* The next time at which the clock on the wall shows so much, also when it is put
 * forward or back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "io/clock.h"

static void test_next(void **state)
{
    static const struct {
        const char *what, *zone, *now, *next;
        int minute;
    } cases[] = {
        {"later today", "UTC0", "2026-11-03T05:00:00Z", "2026-11-03T07:30:00Z", 450},
        {"now is tomorrow", "UTC0", "2026-11-03T07:30:00Z", "2026-11-04T07:30:00Z",
         450},
        {"a second before", "UTC0", "2026-11-03T07:29:59Z", "2026-11-03T07:30:00Z",
         450},
        {"over the end of a year", "UTC0", "2026-12-31T23:00:00Z",
         "2027-01-01T07:30:00Z", 450},
        {"in winter", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-03T05:00:00Z",
         "2026-11-03T06:30:00Z", 450},
        {"in summer", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-03T05:00:00Z",
         "2026-07-03T05:30:00Z", 450},
        {"the night of the short hour", "CET-1CEST,M3.5.0,M10.5.0/3",
         "2026-03-28T20:00:00Z", "2026-03-29T05:30:00Z", 450},
        {"the night of the long hour", "CET-1CEST,M3.5.0,M10.5.0/3",
         "2026-10-24T20:00:00Z", "2026-10-25T06:30:00Z", 450},
        {"midnight", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-03T05:00:00Z",
         "2026-11-03T23:00:00Z", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t now_s;
        char text[21];

        setenv("TZ", cases[i].zone, 1);
        tzset();
        assert_true(clock_parse_utc(cases[i].now, &now_s));
        print_message("%s\n", cases[i].what);
        clock_format_utc(clock_next_utc_s(cases[i].minute, now_s), text);
        assert_string_equal(text, cases[i].next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
