/* SPDX-License-Identifier: Apache-2.0 */
/* The capability records of chargers. */
#include "run/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 10000 }; /* strangers may come under ever new names */

struct records {
    struct history *history;
    struct ocpp_record *list;
    int n, max;
};

static struct ocpp_record *place(struct records *r, const char *id)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->list[i].id, id) == 0)
            return &r->list[i];
    if (r->n == r->max && r->n < RECORDS) {
        int max = r->max ? 2 * r->max : 16;
        struct ocpp_record *more = realloc(r->list, (size_t)max * sizeof *more);

        if (!more)
            return NULL;
        r->list = more;
        r->max = max;
    }
    return r->n < r->max ? &r->list[r->n++] : NULL;
}

static void read_one(void *arg, const struct history_charger *c)
{
    struct ocpp_record *o = *c->id ? place(arg, c->id) : NULL;

    if (!o)
        return;
    snprintf(o->id, sizeof o->id, "%s", c->id);
    snprintf(o->vendor, sizeof o->vendor, "%s", c->vendor);
    snprintf(o->model, sizeof o->model, "%s", c->model);
    snprintf(o->firmware, sizeof o->firmware, "%s", c->firmware);
    snprintf(o->words, sizeof o->words, "%s", c->words);
}

struct records *records_new(const char *folder, struct history *history)
{
    struct records *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->history = history;
    if (folder)
        history_chargers(folder, read_one, r);
    return r;
}

void records_free(struct records *r)
{
    if (r)
        free(r->list);
    free(r);
}

void records_put(struct records *r, const struct ocpp_record *record, int64_t utc_s)
{
    struct ocpp_record *o = place(r, record->id);
    struct history_charger c = {record->id, record->vendor, record->model,
                                record->firmware, record->words};

    if (o)
        *o = *record;
    if (r->history)
        history_charger(r->history, utc_s, &c);
}

const struct ocpp_record *records_find(const struct records *r, const char *id)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->list[i].id, id) == 0)
            return &r->list[i];
    return NULL;
}
