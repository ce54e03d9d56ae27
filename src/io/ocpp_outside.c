/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that others than we have set in a charger, as it tells them: an energy
 * management of the house, the grid operator. It draws no more than that, so the core
 * gives the rest to others; what it may draw is reckoned by our own limits alone. A
 * limit holds until the charger says that it is over, its schedule ends, or the charger
 * has restarted: then it is asked what it still has, as after each new connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"
#include "proto/ocpp_schedule.h"

enum {
    OUTSIDE_MOST = 16,
    RISE_MS = 30000, /* so long a limit stays as low as it was told: each change of it
                        is one of ours, too, and wears the charger's memory */
    AGAIN_MS = 2000  /* the core keeps a limit so long beyond its change: the next one
                        comes meanwhile */
};

struct ocpp_outside {
    int n;
    struct outside {
        struct ocpp_limited is;
        int64_t at_ms; /* when it was told */
        bool reported; /* as the answer to a question */
    } told[OUTSIDE_MOST];
    struct ocpp_ration news;
};

static const struct event_ceiling no_ceiling = {
    EVENT_NO_VALUE, EVENT_NO_VALUE, EVENT_NO_VALUE, EVENT_NO_VALUE, INT64_MAX};

/* ---- for people */

static void bound_text(struct ocpp_bound b, char out[32])
{
    if (b.ma != EVENT_NO_VALUE)
        snprintf(out, 32, "%d.%d A", b.ma / 1000, b.ma / 100 % 10);
    else
        snprintf(out, 32, "%d W", b.w);
}

/* what: "limit"; to: " to 8.0 A" */
static void news(struct ocpp_peer *p, const struct ocpp_limited *l, const char *what,
                 const char *to)
{
    char whom[32] = "it", text[160];

    if (l->connector > 0)
        snprintf(whom, sizeof whom, "its connector %d", (int)l->connector);
    snprintf(text, sizeof text, "others (%s) %s %s%s", l->source, what, whom, to);
    if (ocpp_ration_has(p, &p->outside->news))
        ocpp_news(p, "info", "charger_limit", text);
}

static void begin_news(struct ocpp_peer *p, const struct ocpp_limited *l)
{
    int64_t until_s;
    struct ocpp_bound b = ocpp_limited_now(l, p->w->utc_s, &until_s);
    char text[32], to[40];

    if (!ocpp_bound_any(b)) {
        news(p, l, l->n ? "will limit" : "limit", l->n ? "" : ", to what is not told");
        return;
    }
    bound_text(b, text);
    snprintf(to, sizeof to, " to %s", text);
    news(p, l, "limit", to);
}

cJSON *ocpp_outside_list(const struct ocpp_peer *p)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; p->outside && i < p->outside->n; i++) {
        const struct ocpp_limited *l = &p->outside->told[i].is;
        cJSON *o = cJSON_CreateObject();
        int64_t until_s;
        struct ocpp_bound b = ocpp_limited_now(l, p->w->utc_s, &until_s);
        char time[21];

        cJSON_AddStringToObject(o, "source", l->source);
        cJSON_AddNumberToObject(o, "connector", l->connector);
        cJSON_AddBoolToObject(o, "grid_critical", l->critical);
        if (b.ma != EVENT_NO_VALUE)
            cJSON_AddNumberToObject(o, "limit_a", b.ma / 1000.0);
        if (b.w != EVENT_NO_VALUE)
            cJSON_AddNumberToObject(o, "limit_w", b.w);
        if (until_s != INT64_MAX)
            cJSON_AddStringToObject(o, "until", clock_format_utc(until_s, time));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

/* ---- what it comes to */

static bool same(const struct event_ceiling *a, const struct event_ceiling *b)
{
    return a->limit_ma == b->limit_ma && a->power_w == b->power_w &&
           a->whole_ma == b->whole_ma && a->whole_w == b->whole_w &&
           llabs(a->until_ms - b->until_ms) < AGAIN_MS;
}

static bool higher(int32_t is, int32_t was)
{
    return was != EVENT_NO_VALUE && (is == EVENT_NO_VALUE || is > was);
}

static bool rises(const struct event_ceiling *is, const struct event_ceiling *was)
{
    return higher(is->limit_ma, was->limit_ma) || higher(is->power_w, was->power_w) ||
           higher(is->whole_ma, was->whole_ma) || higher(is->whole_w, was->whole_w);
}

static void look(struct ocpp_peer *p, struct ocpp_connector *c)
{
    struct ocpp_bound own = {EVENT_NO_VALUE, EVENT_NO_VALUE}, whole = own;
    int64_t until_s, first_s = INT64_MAX;
    struct event_ceiling is = no_ceiling;
    bool up;

    for (int i = 0; p->outside && i < p->outside->n; i++) {
        const struct ocpp_limited *l = &p->outside->told[i].is;
        struct ocpp_bound *b = l->connector == 0 ? &whole : &own;

        if (l->connector != 0 && l->connector != c->number)
            continue;
        *b = ocpp_bound_lower(*b, ocpp_limited_now(l, p->w->utc_s, &until_s));
        if (until_s < first_s)
            first_s = until_s;
    }
    if (ocpp_bound_any(own) || ocpp_bound_any(whole)) {
        is = (struct event_ceiling){own.ma, own.w, whole.ma, whole.w, INT64_MAX};
        if (first_s - p->w->utc_s < INT32_MAX)
            is.until_ms = p->w->now_ms + (first_s - p->w->utc_s) * 1000 + AGAIN_MS;
    }
    up = rises(&is, &c->ceiling);
    if (same(&is, &c->ceiling) || (up && p->w->now_ms - c->lowered_ms < RISE_MS))
        return;
    c->ceiling = is;
    if (!up)
        c->lowered_ms = p->w->now_ms;
    ocpp_emit(p->w, (struct event){.kind = EVENT_CEILING,
                                   .who = ocpp_peer_index(p, c),
                                   .ceiling = is});
}

static void look_all(struct ocpp_peer *p)
{
    for (int i = 0; i < p->n; i++)
        look(p, &p->c[i]);
}

/* ---- what is told */

static void drop(struct ocpp_peer *p, int i)
{
    struct ocpp_outside *o = p->outside;

    ocpp_limited_free(&o->told[i].is);
    memmove(&o->told[i], &o->told[i + 1], (size_t)(--o->n - i) * sizeof *o->told);
}

static void end(struct ocpp_peer *p, int i)
{
    news(p, &p->outside->told[i].is, "no longer limit", "");
    drop(p, i);
}

static int find(const struct ocpp_peer *p, const char *source, int32_t connector)
{
    int i = p->outside ? p->outside->n : 0;

    while (--i >= 0 && (p->outside->told[i].is.connector != connector ||
                        strcmp(p->outside->told[i].is.source, source) != 0))
        ;
    return i;
}

/* Times of the charger's: what cannot be read is now, or does not limit. */
static void set_times(const struct ocpp_peer *p, struct ocpp_limited *l)
{
    for (int i = 0; i < l->n; i++) {
        struct ocpp_schedule *s = &l->schedules[i];

        if (!clock_parse_utc(s->start, &s->start_s))
            s->start_s = p->w->utc_s;
        if (!clock_parse_utc(s->from, &s->from_s))
            s->from_s = INT64_MIN;
        if (!clock_parse_utc(s->to, &s->to_s))
            s->to_s = INT64_MAX;
    }
}

/* Takes it over, schedules and all. */
static void take(struct ocpp_peer *p, struct ocpp_limited *l, bool reported)
{
    int i = find(p, l->source, l->connector);
    bool known = i >= 0, news_of_it = !known || p->outside->told[i].is.n == 0;

    if (!p->outside)
        p->outside = calloc(1, sizeof *p->outside);
    if (!p->outside || (l->connector > 0 && !ocpp_peer_connector(p, l->connector)) ||
        (p->outside->n == OUTSIDE_MOST && !known)) {
        ocpp_limited_free(l);
        return;
    }
    set_times(p, l);
    if (known)
        ocpp_limited_free(&p->outside->told[i].is);
    else
        i = p->outside->n++;
    p->outside->told[i] = (struct outside){*l, p->w->now_ms, reported};
    if (news_of_it && (!known || l->n > 0))
        begin_news(p, l);
}

void ocpp_outside_told(struct ocpp_peer *p, struct ocpp_limited *l)
{
    if (l->n == 0)
        p->outside_due = true; /* it may tell more when it is asked */
    take(p, l, false);
    look_all(p);
}

/* Of the whole charger: all of that source, as stations mean it that tell limits of
 * their connectors and end them at once. */
void ocpp_outside_cleared(struct ocpp_peer *p, const struct ocpp_limited *l)
{
    for (int i = p->outside ? p->outside->n : 0; i-- > 0;)
        if (strcmp(p->outside->told[i].is.source, l->source) == 0 &&
            (l->connector == 0 || p->outside->told[i].is.connector == l->connector))
            end(p, i);
    look_all(p);
}

/* ---- what is asked */

/* What was told before the question and is not in the answer is over. */
static void forget(struct ocpp_peer *p, int64_t before_ms)
{
    for (int i = p->outside ? p->outside->n : 0; i-- > 0;)
        if (p->outside->told[i].at_ms < before_ms && p->outside->told[i].is.n > 0)
            end(p, i);
}

static void asked(struct ocpp_peer *p, struct ocpp_connector *c,
                  const struct ocpp_reply *r)
{
    char status[24] = "";

    (void)c;
    if (r->kind == OCPP_REPLY_RESULT)
        ocpp_get_text(r->payload, "status", status, sizeof status);
    if (strcmp(status, "NoProfiles") == 0)
        forget(p, p->outside_ms);
    look_all(p);
}

/* A charger may tell each profile in a message of its own. */
static void join(const struct ocpp_peer *p, struct ocpp_limited *l,
                 struct ocpp_limited *more)
{
    size_t n = (size_t)(l->n + more->n);
    struct ocpp_schedule *all =
        n > OCPP_SCHEDULES_MOST ? NULL : realloc(l->schedules, n * sizeof *all);

    if (all) {
        set_times(p, more);
        memcpy(all + l->n, more->schedules, (size_t)more->n * sizeof *all);
        l->schedules = all;
        l->n = (int)n;
        more->n = 0; /* they are there now */
    }
    ocpp_limited_free(more);
}

void ocpp_outside_reported(struct ocpp_peer *p, struct ocpp_limited *l, int64_t request)
{
    int i = find(p, l->source, l->connector);
    struct outside *t = i < 0 ? NULL : &p->outside->told[i];
    bool newer = t && t->at_ms >= p->outside_ms;

    if (request != p->outside_request || l->n == 0 ||
        (newer && !t->reported && t->is.n > 0)) {
        ocpp_limited_free(l); /* not asked for by us; or it told something newer */
        return;
    }
    if (newer && t->reported)
        join(p, &t->is, l);
    else
        take(p, l, true);
    look_all(p);
}

bool ocpp_outside_pump(struct ocpp_peer *p)
{
    char text[OCPP_CALL_TEXT];

    if (!p->outside_due || !p->schema->ask_limited || p->setup != OCPP_SETUP_DONE)
        return false;
    p->outside_due = false;
    p->outside_ms = p->w->now_ms;
    p->outside_request = ocpp_request_id(p->w, OCPP_OUR_REQUESTS);
    ocpp_peer_call(p, p->schema->ask_limited(text, p->outside_request), text, asked,
                   NULL);
    return true;
}

/* ---- time, links */

void ocpp_outside_tick(struct ocpp_peer *p)
{
    if (!p->outside)
        return;
    for (int i = p->outside->n; i-- > 0;)
        if (ocpp_limited_over(&p->outside->told[i].is, p->w->utc_s))
            end(p, i);
    look_all(p);
}

void ocpp_outside_up(struct ocpp_peer *p)
{
    p->outside_due = true;
}

void ocpp_outside_boot(struct ocpp_peer *p)
{
    while (p->outside && p->outside->n > 0)
        end(p, p->outside->n - 1);
    look_all(p);
    p->outside_due = true;
}

void ocpp_outside_free(struct ocpp_peer *p)
{
    while (p->outside && p->outside->n > 0)
        drop(p, p->outside->n - 1);
    free(p->outside);
    p->outside = NULL;
}
