/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the history while the controller writes it: rows as CSV or JSON. */
#ifndef IO_HISTORY_READ_H
#define IO_HISTORY_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum history_what {
    HISTORY_OF_METERS,
    HISTORY_OF_SESSIONS, /* a recording, see the contract */
    HISTORY_OF_LOADS,    /* a recording */
    HISTORY_OF_SAMPLES,
    HISTORY_OF_SETPOINTS,
    HISTORY_OF_EVENTS,
    HISTORY_WHATS
};

const char *history_what_name(enum history_what w); /* "meters", ... */
int history_what_by_name(const char *name);         /* or -1 */

struct history_query {
    enum history_what what;
    int64_t from_utc_s, to_utc_s; /* from <= time < to; sessions: their begin */
    bool open_too;                /* sessions that have not ended, too */
    bool json;                    /* a JSON array of objects, else CSV with a header */
};

/* Writes the rows of `folder` to `to`, by time. Returns their number, or -1 with a text
 * in `error`. *left_out = sessions not written because they have not ended.
 *
 * The largest current of a session is told only when it is the car's: at its peak it
 * was offered at least 1 A more than it drew. Its phases are those that carried 1 A. */
int64_t history_export(const char *folder, const struct history_query *q, FILE *to,
                       int64_t *left_out, char *error, size_t size);

#endif
