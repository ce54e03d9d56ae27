/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings as CSV files: who charged when and how much, and what else drew current.
 *
 * A header line names the columns, in any order; columns of other names are ignored.
 * Times are UTC (2019-03-01T14:20:00Z). Empty lines and lines that begin with # are
 * skipped. Complaints go to `complain` as file:line: text; all of a file, at most 20.
 */
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include <stdint.h>
#include <stdio.h>
#include "core/site.h"
#include "proto/ocpp_token.h"

/* connector,arrival,departure,energy_kwh and optionally max_current_a,phases,id_tag */
struct sim_session {
    int connector;
    int64_t arrival_s, departure_s; /* UTC */
    int64_t energy_wh;              /* what its driver wanted */
    int32_t max_ma;                 /* 0 = not told */
    int phases;                     /* 1 .. 3; 0 = not told */
    char id_tag[OCPP_TAG];          /* "" = not told */
    int line;
    /* what became of it */
    int64_t delivered_nj;
    int starts; /* how often it began to draw */
};

/* time,circuit,l1_a,l2_a,l3_a: from this time on */
struct sim_load {
    int64_t at_s;
    int circuit; /* index */
    int meter;   /* a solar meter that sees it alone, or SITE_NONE */
    int32_t i_ma[SITE_PHASES];
    int line;
};

struct sim_sessions {
    struct sim_session *list; /* by arrival, then line */
    int n;
};

struct sim_loads {
    struct sim_load *list; /* by time, then line */
    int n;
};

enum { SIM_UNKNOWN = -1, SIM_AMBIGUOUS = -2 };

/* Finds what a name in the file means: the index, or SIM_UNKNOWN, SIM_AMBIGUOUS. */
struct sim_names {
    void *arg;
    int (*connector)(void *arg, const char *name);
    /* Also sets *meter where the name is that of a solar meter. */
    int (*circuit)(void *arg, const char *name, int *meter);
};

/* Where one session on a connector begins before the one before it has ended, the
 * earlier one is cut there, with a warning. False = there were errors; then *out is
 * empty. The lists are to be freed with free(). */
bool sim_sessions_read(const char *path, const struct sim_names *names,
                       struct sim_sessions *out, FILE *complain);
bool sim_loads_read(const char *path, const struct sim_names *names,
                    struct sim_loads *out, FILE *complain);

#endif
