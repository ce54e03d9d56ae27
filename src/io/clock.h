/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks. Control uses only the monotonic one. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void); /* monotonic, also while suspended; milliseconds */
/* The zone of local time, like "Europe/Berlin"; NULL = the machine's. Before there are
 * other threads. */
void clock_set_zone(const char *zone);
int64_t clock_utc_s(void); /* wall clock, seconds since 1970 UTC */

/* "2019-03-01T14:20:00Z" into out[21]. */
char *clock_format_utc(int64_t utc_s, char out[21]);
/* Local time for people: "14:35", or "Sun 14:35" when that is far from now_s. */
char *clock_format_local(int64_t utc_s, int64_t now_s, char out[24]);
/* Parses "2019-03-01T14:20:00Z", fractions and "+01:00" allowed. False = no time. */
int clock_parse_utc(const char *text, int64_t *utc_s);

/* The first moment after utc_s at which the clock on the wall shows that minute of the
 * day, in the time zone of this process. */
int64_t clock_next_utc_s(int minute, int64_t utc_s);

#endif
