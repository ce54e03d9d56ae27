/* SPDX-License-Identifier: Apache-2.0 */
/* Limits over time that a charger tells, whatever the version of OCPP: what others than
 * we have limited it to. */
#ifndef PROTO_OCPP_SCHEDULE_H
#define PROTO_OCPP_SCHEDULE_H

#include "proto/ocpp_said.h"

enum { OCPP_PERIODS_MOST = 1024, OCPP_SCHEDULES_MOST = 16 };

/* What is limited at a moment: EVENT_NO_VALUE = not in that unit. */
struct ocpp_bound {
    int32_t ma; /* on each phase */
    int32_t w;  /* over all phases */
};

struct ocpp_schedule {
    char start[OCPP_TIMESTAMP]; /* as told; "" = from when it was told on */
    char from[OCPP_TIMESTAMP], to[OCPP_TIMESTAMP]; /* it is valid; "" = always */
    int64_t start_s, from_s, to_s; /* the same, set by who knows the time; UTC */
    int32_t duration_s;            /* 0 = no end */
    int32_t every_s;               /* it recurs; 0 = it does not */
    int32_t level;                 /* of those that say something the highest counts */
    int n;
    struct ocpp_schedule_period {
        int32_t start_s;
        struct ocpp_bound bound;
    } * at; /* ascending, the first at 0 */
};

/* Who limits what: the schedules are what is known of it. */
struct ocpp_limited {
    int32_t connector; /* 0 = the whole charger */
    char source[8];    /* "EMS", "SO", "CSO", "Other" */
    bool critical;     /* for the grid */
    int n;
    struct ocpp_schedule *schedules;
};

void ocpp_limited_free(struct ocpp_limited *l);

/* What the schedules say at that time; neither = nothing. *until_s: then it may be
 * otherwise; INT64_MAX = never. */
struct ocpp_bound ocpp_limited_now(const struct ocpp_limited *l, int64_t utc_s,
                                   int64_t *until_s);
/* Is all of it over for good? */
bool ocpp_limited_over(const struct ocpp_limited *l, int64_t utc_s);
/* The lower of both, in each unit. */
struct ocpp_bound ocpp_bound_lower(struct ocpp_bound a, struct ocpp_bound b);
bool ocpp_bound_any(struct ocpp_bound b);

#endif
