/* SPDX-License-Identifier: Apache-2.0 */
/* The next time at which the clock on the wall shows so much, also when it is put
 * forward or back; and times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

/* The short way of reading is the long one's. */
static void test_plain(void **state)
{
    static const char *const texts[] = {
        "2019-02-31T00:00:00Z", "1999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
        "2019-13-01T00:00:00Z", "2019-00-01T00:00:00Z", "2019-01-00T00:00:00Z",
        "2019-01-32T00:00:00Z", "2019-01-01T24:00:00Z", "2019-01-01T00:60:00Z",
        "2019-01-01T00:00:60Z", "2019-0a-01T00:00:00Z", "2019-01-01t00:00:00Z",
        "9999-12-31T23:59:59Z", "1600-03-01T00:00:00Z"};
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t utc_s = (int64_t)(seed = seed * 1664525 + 1013904223) * 3, read_s;
        char text[21];

        clock_format_utc(utc_s, text);
        assert_true(clock_parse_utc(text, &read_s));
        assert_true(read_s == utc_s);
        text[19] = '\0'; /* without its Z it goes the long way */
        assert_true(clock_parse_utc(text, &read_s));
        assert_true(read_s == utc_s);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t one_s = 0, other_s = 0;
        char other[21];
        int good = clock_parse_utc(texts[i], &one_s);

        memcpy(other, texts[i], 19);
        other[19] = '\0';
        assert_int_equal(good, clock_parse_utc(other, &other_s));
        assert_true(!good || one_s == other_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
