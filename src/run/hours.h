/* SPDX-License-Identifier: Apache-2.0 */
/* The hours of a schedule, by local time with its changes in spring and autumn. */
#ifndef RUN_HOURS_H
#define RUN_HOURS_H

#include "config/config.h"

/* Before this moment (UTC) the clock of a machine has not been set. */
enum { HOURS_CLOCK_SET_S = 1704067200 }; /* 2024 */

/* Whether the entry holds at utc_s; then *until_s is its end. */
bool hours_hold(const struct conf_schedule *s, int64_t utc_s, int64_t *until_s);

#endif
