/* SPDX-License-Identifier: Apache-2.0 */
/* What limits over time come to at a moment. */
#include "proto/ocpp_schedule.h"

#include <stdlib.h>

static const struct ocpp_bound none = {EVENT_NO_VALUE, EVENT_NO_VALUE};

void ocpp_limited_free(struct ocpp_limited *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->schedules[i].at);
    free(l->schedules);
    l->schedules = NULL;
    l->n = 0;
}

static int32_t lower(int32_t a, int32_t b)
{
    return a == EVENT_NO_VALUE || (b != EVENT_NO_VALUE && b < a) ? b : a;
}

struct ocpp_bound ocpp_bound_lower(struct ocpp_bound a, struct ocpp_bound b)
{
    return (struct ocpp_bound){lower(a.ma, b.ma), lower(a.w, b.w)};
}

bool ocpp_bound_any(struct ocpp_bound b)
{
    return b.ma != EVENT_NO_VALUE || b.w != EVENT_NO_VALUE;
}

static void sooner(int64_t *until_s, int64_t s)
{
    if (s < *until_s)
        *until_s = s;
}

/* Of a time that has begun: since when the present turn of it is. */
static int64_t turn(const struct ocpp_schedule *s, int64_t utc_s)
{
    return s->every_s > 0 ? utc_s - (utc_s - s->start_s) % s->every_s : s->start_s;
}

static struct ocpp_bound at(const struct ocpp_schedule *s, int64_t utc_s,
                            int64_t *until_s)
{
    int64_t begun_s, i = 0;

    if (utc_s < s->from_s || utc_s < s->start_s) {
        sooner(until_s, utc_s < s->from_s ? s->from_s : s->start_s);
        return none;
    }
    if (utc_s >= s->to_s)
        return none;
    sooner(until_s, s->to_s);
    begun_s = turn(s, utc_s);
    if (s->every_s > 0)
        sooner(until_s, begun_s + s->every_s);
    if (s->duration_s > 0 && utc_s - begun_s >= s->duration_s)
        return none;
    if (s->duration_s > 0)
        sooner(until_s, begun_s + s->duration_s);
    while (i + 1 < s->n && s->at[i + 1].start_s <= utc_s - begun_s)
        i++;
    if (i + 1 < s->n)
        sooner(until_s, begun_s + s->at[i + 1].start_s);
    return s->n > 0 ? s->at[i].bound : none;
}

struct ocpp_bound ocpp_limited_now(const struct ocpp_limited *l, int64_t utc_s,
                                   int64_t *until_s)
{
    struct ocpp_bound lowest = none;
    int32_t level = INT32_MIN;

    *until_s = INT64_MAX;
    for (int i = 0; i < l->n; i++) {
        const struct ocpp_schedule *s = &l->schedules[i];
        struct ocpp_bound b = at(s, utc_s, until_s);

        if (!ocpp_bound_any(b) || s->level < level)
            continue;
        lowest = s->level > level ? b : ocpp_bound_lower(lowest, b);
        level = s->level;
    }
    return lowest;
}

bool ocpp_limited_over(const struct ocpp_limited *l, int64_t utc_s)
{
    for (int i = 0; i < l->n; i++) {
        const struct ocpp_schedule *s = &l->schedules[i];
        bool ends = s->every_s == 0 && s->duration_s > 0;

        if (utc_s < s->to_s && !(ends && utc_s - s->start_s >= s->duration_s))
            return false;
    }
    return l->n > 0;
}
