/* SPDX-License-Identifier: Apache-2.0 */
/* What people have asked of a charger and it answers in messages of its own, in parts:
 * a report of its settings, its monitors, its messages, ... They are kept as text until
 * the last one has come, or none comes any more. What nobody waits for is not kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/ocpp_peer.h"

enum {
    ONE_MOST = 4 * 1024 * 1024, /* bytes of one answer, ... */
    ALL_MOST = 4 * ONE_MOST,    /* ... of those of all chargers together */
    WHOLE_MS = 900000           /* from the answer to the last part */
};

struct ocpp_later {
    struct ocpp_later *next;
    const char *action; /* of its parts */
    int32_t request;
    int32_t part; /* the number of the next one, where they have any */
    int n_parts;
    bool over;
    const char *missing; /* why there are not all of them; "" */
    char *parts;         /* with commas between them */
    size_t n, max;
    char *answer;        /* NULL = it has not been answered */
    char note[OCPP_WHY]; /* in what they are not as the standard wants them */
    int64_t wait_ms, until_ms, end_ms;
    ocpp_done_fn *done;
    void *arg;
};

static struct ocpp_later *find(const struct ocpp_peer *p, int64_t request)
{
    struct ocpp_later *l = p->later;

    while (l && l->request != request)
        l = l->next;
    return l;
}

bool ocpp_later_free(const struct ocpp_peer *p, int64_t request, char why[OCPP_WHY])
{
    if (request >= OCPP_OUR_REQUESTS)
        snprintf(why, OCPP_WHY,
                 "requestId: Chargehand uses those from %d on itself, choose another "
                 "or leave it out",
                 OCPP_OUR_REQUESTS);
    else if (find(p, request))
        snprintf(why, OCPP_WHY,
                 "requestId: somebody waits for what was asked with it, choose another "
                 "or leave it out");
    else
        return true;
    return false;
}

struct ocpp_later *ocpp_later_begin(struct ocpp_peer *p, const char *parts,
                                    int64_t request, int64_t wait_ms)
{
    struct ocpp_later *l;
    int n = 0;

    for (l = p->later; l; l = l->next)
        n++;
    l = n < OCPP_CALLS ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    l->action = parts;
    l->missing = "";
    l->request = (int32_t)request;
    l->wait_ms = wait_ms;
    l->next = p->later;
    p->later = l;
    return l;
}

void ocpp_later_drop(struct ocpp_peer *p, struct ocpp_later *l)
{
    struct ocpp_later **at = &p->later;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    p->w->later_bytes -= l->max;
    free(l->parts);
    free(l->answer);
    free(l);
}

static char *compose(const struct ocpp_later *l)
{
    const char *missing = l->missing;
    size_t size = l->n + strlen(l->answer) + strlen(missing) + 64;
    char *text = malloc(size);

    if (text)
        snprintf(text, size, "{\"answer\":%s,\"parts\":[%s]%s%s%s}", l->answer,
                 l->parts ? l->parts : "", *missing ? ",\"missing\":\"" : "", missing,
                 *missing ? "\"" : "");
    return text;
}

static void end(struct ocpp_peer *p, struct ocpp_later *l)
{
    ocpp_done_fn *done = l->done;
    void *arg = l->arg;
    char note[OCPP_WHY], *text;

    text = compose(l);
    strcpy(note, l->note);
    ocpp_later_drop(p, l);
    done(arg, text ? OCPP_IN_PARTS : OCPP_SILENT, text ? text : "no memory", note);
    free(text);
}

void ocpp_later_answered(struct ocpp_peer *p, struct ocpp_later *l, char *answer,
                         const char *note, ocpp_done_fn *done, void *arg)
{
    l->answer = answer;
    if (*note)
        snprintf(l->note, sizeof l->note, "%s", note);
    l->done = done;
    l->arg = arg;
    l->until_ms = p->w->now_ms + l->wait_ms;
    l->end_ms = p->w->now_ms + WHOLE_MS;
    if (l->over) /* they may come before the answer */
        end(p, l);
}

static bool make_room(struct ocpp_peer *p, struct ocpp_later *l, size_t n)
{
    size_t max = l->max ? l->max : 4096;
    char *more;

    while (max < l->n + n + 2)
        max *= 2;
    if (max == l->max)
        return true;
    if (max > ONE_MOST || p->w->later_bytes + max - l->max > ALL_MOST)
        return false;
    more = realloc(l->parts, max);
    if (!more)
        return false;
    p->w->later_bytes += max - l->max;
    l->parts = more;
    l->max = max;
    return true;
}

static bool add(struct ocpp_peer *p, struct ocpp_later *l, const cJSON *payload)
{
    char *text = cJSON_PrintUnformatted(payload);
    size_t n = text ? strlen(text) : 0;
    bool good = text && make_room(p, l, n);

    if (good) {
        if (l->n > 0)
            l->parts[l->n++] = ',';
        memcpy(l->parts + l->n, text, n + 1);
        l->n += n;
    }
    cJSON_free(text);
    return good;
}

/* The first mistake is told. */
static void check(const struct ocpp_peer *p, struct ocpp_later *l, const cJSON *payload)
{
    const struct ocpp_message *m = ocpp_schema_find(p->schema, OCPP_STATION, l->action);
    char why[OCPP_WHY];

    l->n_parts++;
    if (!*l->note && ocpp_schema_strict(p->schema, m->request, payload, why))
        snprintf(l->note, sizeof l->note, "part %d: %.290s", l->n_parts, why);
}

/* One that comes again is shown again. */
static void take(struct ocpp_peer *p, struct ocpp_later *l, const cJSON *payload,
                 const struct ocpp_report *is)
{
    if (l->over)
        return;
    check(p, l, payload);
    l->over = !is->more;
    if (is->part > l->part)
        l->missing = "by their numbers there should be more before the last one";
    l->part = is->part < INT32_MAX ? is->part + 1 : 0;
    l->until_ms = p->w->now_ms + l->wait_ms;
    if (!add(p, l, payload)) {
        l->missing = "there is no room for more";
        l->over = true;
    }
    if (l->over && l->answer)
        end(p, l);
}

void ocpp_later_part(struct ocpp_peer *p, const char *action, const cJSON *payload)
{
    struct ocpp_fault fault;
    struct ocpp_report is;
    struct ocpp_later *l;

    if (!p->later || !p->schema->read_report ||
        !p->schema->read_report(payload, &is, &fault))
        return;
    l = find(p, is.request);
    if (l && strcmp(l->action, action) == 0)
        take(p, l, payload, &is);
}

void ocpp_later_tick(struct ocpp_peer *p)
{
    struct ocpp_later *next;

    for (struct ocpp_later *l = p->later; l; l = next) {
        next = l->next;
        if (!l->answer || (p->w->now_ms < l->until_ms && p->w->now_ms < l->end_ms))
            continue;
        l->missing =
            l->n ? "the last one has not come in time" : "none has come in time";
        end(p, l);
    }
}

void ocpp_later_lost(struct ocpp_peer *p)
{
    struct ocpp_later *next;

    for (struct ocpp_later *l = p->later; l; l = next) {
        next = l->next;
        if (!l->answer)
            continue;
        l->missing = "the connection was lost before the last one";
        end(p, l);
    }
}
