/* SPDX-License-Identifier: Apache-2.0 */
/* A meter's readings and troubles on their way into the inbox, wherever it is read. Any
 * thread. */
#ifndef IO_METER_TELL_H
#define IO_METER_TELL_H

#include "io/inbox.h"
#include "meter/reading.h"

/* As EVENT_METER followed by INBOX_METER. changed_ms: when the device's values last
 * differed from those before. */
void meter_tell_reading(struct inbox *b, int meter, const struct meter_reading *r,
                        int64_t at_ms, int64_t changed_ms);

/* A trouble is told once at its begin and once at its end; of one that comes and goes
 * at most one begin a minute, after the first few. */
struct meter_trouble {
    int64_t since_ms; /* 0 = none that was told */
    int64_t paid_ms;  /* when the next may be told */
};
void meter_tell_trouble(struct inbox *b, struct meter_trouble *t, const char *code,
                        const char *name, const char *text);
void meter_tell_relief(struct inbox *b, struct meter_trouble *t, const char *code,
                       const char *name);

#endif
