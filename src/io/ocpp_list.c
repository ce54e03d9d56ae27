/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a charger, as JSON for people. */
#include "io/clock.h"
#include "io/ocpp_peer.h"

static void add_text(cJSON *o, const char *name, const char *text)
{
    if (*text)
        cJSON_AddStringToObject(o, name, text);
    else
        cJSON_AddNullToObject(o, name);
}

static void add_reserved(cJSON *o, const struct ocpp_peer *p,
                         const struct ocpp_reserved *r)
{
    cJSON *is;

    if (!r->active || r->until_s <= p->w->utc_s) {
        cJSON_AddNullToObject(o, "reserved");
        return;
    }
    is = cJSON_AddObjectToObject(o, "reserved");
    cJSON_AddNumberToObject(is, "id", r->is.id);
    cJSON_AddStringToObject(is, "tag", r->is.tag);
    cJSON_AddStringToObject(is, "until", r->is.expiry);
}

static cJSON *connector(const struct ocpp_peer *p, const struct ocpp_connector *c)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "number", c->number);
    cJSON_AddStringToObject(o, "name",
                            p->w->conf->connectors[ocpp_peer_index(p, c)].name);
    cJSON_AddStringToObject(o, "status", status_name(c->status));
    add_text(o, "error", c->error);
    if (c->tx.active && *c->tx.name)
        cJSON_AddStringToObject(o, "transaction", c->tx.name);
    else if (c->tx.active)
        cJSON_AddNumberToObject(o, "transaction", c->tx.wire_id);
    else
        cJSON_AddNullToObject(o, "transaction");
    add_text(o, "tag", c->tx.active ? c->tx.tag : "");
    add_reserved(o, p, &c->reserved);
    return o;
}

static void add_transfer(cJSON *o, const struct ocpp_transfer *t)
{
    static const char *const kinds[] = {"firmware", "diagnostics", "log"};
    cJSON *is;

    if (!t) {
        cJSON_AddNullToObject(o, "transfer");
        return;
    }
    is = cJSON_AddObjectToObject(o, "transfer");
    cJSON_AddStringToObject(is, "what", kinds[t->what]);
    cJSON_AddStringToObject(is, "file", t->name);
    add_text(is, "status", t->word);
    cJSON_AddNumberToObject(is, "bytes", (double)t->at);
    if (t->size >= 0)
        cJSON_AddNumberToObject(is, "of_bytes", (double)t->size);
    else
        cJSON_AddNullToObject(is, "of_bytes");
    cJSON_AddBoolToObject(is, "over", t->over);
}

cJSON *ocpp_list_peer(const struct ocpp_peer *p)
{
    cJSON *o = ocpp_learn_describe(p), *list;
    char time[21] = "";

    if (p->seen)
        clock_format_utc(p->w->utc_s - (p->w->now_ms - p->link_ms) / 1000, time);
    add_text(o, "since", time);
    add_text(o, "serial", p->station.serial);
    add_reserved(o, p, &p->reserved);
    add_transfer(o, p->transfer);
    cJSON_AddItemToObject(o, "problems", ocpp_happened_list(p));
    cJSON_AddItemToObject(o, "external", ocpp_outside_list(p));
    if (p->list.held == p->w->conf)
        cJSON_AddNumberToObject(o, "tags_list", p->w->tags_version);
    else
        cJSON_AddNullToObject(o, "tags_list");
    list = cJSON_AddArrayToObject(o, "connectors");
    for (int i = 0; i < p->n; i++)
        cJSON_AddItemToArray(list, connector(p, &p->c[i]));
    return o;
}
