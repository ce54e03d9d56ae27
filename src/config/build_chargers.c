/* SPDX-License-Identifier: Apache-2.0 */
/* Chargers, connectors and free places of struct config. */
#include <stdlib.h>
#include <string.h>

#include "config/build.h"

enum { MAX_CONNECTORS = 20000 };

struct totals {
    int chargers, connectors, circuits; /* circuits: of chargers with a limit */
};

static int n_connectors(const struct conf_item *charger)
{
    int n = conf_value(charger, K_CHARGER_CONNECTORS)->is.list.n;

    return n > 0 ? n : 1;
}

static int free_places(const struct conf_build *b)
{
    const struct conf_item *o = conf_value(b->top, K_OCPP)->is.section;

    if (!conf_usable(o, K_OCPP_ADOPT) || !conf_value(o, K_OCPP_ADOPT)->is.n)
        return 0;
    return conf_usable(o, K_OCPP_PLACES) ? (int)conf_value(o, K_OCPP_PLACES)->is.n : 0;
}

static struct totals count(const struct conf_build *b)
{
    struct totals t = {0};
    const struct conf_item *i = conf_value(b->top, K_CHARGERS)->is.list.first;

    for (; i; i = i->next) {
        t.chargers++;
        t.connectors += n_connectors(i);
        t.circuits += conf_given(i, K_CHARGER_LIMIT);
    }
    t.chargers += free_places(b);
    t.connectors += free_places(b);
    return t;
}

static void grow_circuits(struct conf_build *b, int more)
{
    int n = b->c->site.n_circuits;
    struct site_circuit *c = conf_array(b, n + more, sizeof *c);
    const struct conf_item **items = conf_array(b, n + more, sizeof *items);

    memcpy(c, b->circuits, (size_t)n * sizeof *c);
    memcpy(items, b->circuit_items, (size_t)n * sizeof *items);
    b->circuits = c;
    b->circuit_items = items;
}

/* A charger whose connectors share a supply is a circuit of its own below `parent`. */
static int own_circuit(struct conf_build *b, const struct conf_item *item, int parent)
{
    const struct conf_value *limit = conf_value(item, K_CHARGER_LIMIT);
    const char *id = conf_value(item, K_CHARGER_ID)->is.text;

    if (limit->state != CONF_GIVEN || !id || !b->tree_ok)
        return parent;
    struct site_circuit *c = &b->circuits[b->c->site.n_circuits];
    *c = (struct site_circuit){
        .name = conf_sanitise(b->l, id), .parent = parent, .meter = SITE_NONE};
    memcpy(c->limit_ma, limit->is.ma, sizeof c->limit_ma);
    for (int i = 0; i < b->c->site.n_circuits; i++)
        if (b->circuits[i].name && strcmp(b->circuits[i].name, c->name) == 0)
            conf_bad(b->l, limit->at,
                     "limit: makes a circuit '%s', and there is one of that name "
                     "already at %s",
                     c->name, conf_place(b->l, b->circuit_items[i]->at));
    b->circuit_items[b->c->site.n_circuits] = item;
    return b->c->site.n_circuits++;
}

/* One connector of the charger; `item` NULL = it is not written in the file. */
static void fill_connector(struct conf_build *b, const struct conf_item *charger,
                           const struct conf_item *item, struct site_connector *s,
                           struct conf_connector *c)
{
    const struct conf_item *i = item ? item : conf_default_item(b->l, CONF_CONNECTORS);
    const struct conf_charger *of = &b->c->chargers[c->charger];

    conf_store(i, s);
    if (conf_usable(i, K_CONNECTOR_WIRING)) {
        const struct conf_wiring *w = conf_value(i, K_CONNECTOR_WIRING)->is.wiring;
        memcpy(s->wiring, w->phase, sizeof s->wiring);
        s->wiring_unknown = w->unknown;
    }
    if (!s->name)
        s->name = n_connectors(charger) == 1
                      ? of->name
                      : conf_printf(b->l->arena, "%s %d", of->name, c->number);
    c->name = s->name;
    c->departs_min = conf_given(i, K_CONNECTOR_DEPARTS)
                         ? (int)conf_value(i, K_CONNECTOR_DEPARTS)->is.n
                         : CONF_NO_DEPARTURE;
    c->cid = conf_printf(b->l->arena, "%s_%d", conf_sanitise(b->l, of->id), c->number);
}

static void fill_charger(struct conf_build *b, const struct conf_item *item, int at,
                         int first)
{
    struct conf_charger *c = &b->c->chargers[at];
    int parent = conf_circuit_place(b, conf_ref(b, item, K_CHARGER_CIRCUIT));
    const struct conf_item *connector =
        conf_value(item, K_CHARGER_CONNECTORS)->is.list.first;

    c->id = "?"; /* until it is known; the file has an error if it stays */
    c->security = c->ping_s = -1;
    conf_store(item, c);
    if (!c->name)
        c->name = c->id;
    c->password = conf_secret(b->l, item, K_CHARGER_PASSWORD, K_CHARGER_PASSWORD_FILE);
    c->first = first;
    c->n = n_connectors(item);
    int circuit = own_circuit(b, item, parent);
    for (int i = 0; i < c->n; i++) {
        struct site_connector *s = &b->connectors[first + i];

        b->c->connectors[first + i] =
            (struct conf_connector){.charger = at, .number = i + 1};
        s->charger = at;
        s->circuit = circuit;
        fill_connector(b, item, connector, s, &b->c->connectors[first + i]);
        b->connector_items[first + i] = connector ? connector : item;
        connector = connector ? connector->next : NULL;
    }
}

/* A place that a charger unknown to this file may take: cautious in every way. */
static void fill_free_place(struct conf_build *b, int at, int connector, int number,
                            int circuit)
{
    const char *name = conf_printf(b->l->arena, "Free place %d", number);

    b->c->chargers[at] = (struct conf_charger){
        .name = name, .security = -1, .ping_s = -1, .first = connector, .n = 1};
    b->c->connectors[connector] =
        (struct conf_connector){.charger = at,
                                .number = 1,
                                .name = name,
                                .departs_min = CONF_NO_DEPARTURE,
                                .cid = conf_printf(b->l->arena, "adopted_%d", number)};
    b->connectors[connector] = (struct site_connector){.name = name,
                                                       .charger = at,
                                                       .circuit = circuit,
                                                       .wiring = {0, 1, 2},
                                                       .wiring_unknown = true,
                                                       .min_ma = 6000,
                                                       .max_ma = 16000,
                                                       .step_ma = 1000,
                                                       .weight = 1,
                                                       .mode = MODE_AUTO};
}

struct named {
    const char *cid;
    int connector;
};

static int by_cid(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->cid, y->cid);

    return order ? order : x->connector - y->connector;
}

/* Two identities may become one id on MQTT: "CP.1" and "CP_1". */
static void check_cids(struct conf_build *b, int n)
{
    struct named *list = conf_array(b, n, sizeof *list);

    for (int i = 0; i < n; i++)
        list[i] = (struct named){b->c->connectors[i].cid, i};
    qsort(list, (size_t)n, sizeof *list, by_cid);
    for (int i = 1; i < n; i++) {
        const struct conf_connector *x = &b->c->connectors[list[i - 1].connector];
        const struct conf_connector *y = &b->c->connectors[list[i].connector];
        const char *one = b->c->chargers[x->charger].id;
        const char *two = b->c->chargers[y->charger].id;

        if (strcmp(x->cid, y->cid) != 0 || (one && two && strcmp(one, two) == 0))
            continue; /* the same identity twice has been told */
        const struct conf_item *at = b->connector_items[list[i].connector];
        conf_bad(b->l, at ? at->at : NULL,
                 "the chargers '%s' and '%s' would both be '%s' on MQTT",
                 one ? one : x->name, two ? two : y->name, x->cid);
    }
}

void conf_build_chargers(struct conf_build *b)
{
    struct config *c = b->c;
    struct totals t = count(b);
    const struct conf_item *list = conf_value(b->top, K_CHARGERS)->is.list.first;
    const struct conf_item *ocpp = conf_value(b->top, K_OCPP)->is.section;
    int at = 0, connector = 0;

    if (t.connectors > MAX_CONNECTORS) {
        conf_bad(b->l, conf_at(b->top, K_CHARGERS), "chargers: more than %d connectors",
                 MAX_CONNECTORS);
        return;
    }
    struct site_charger *chargers = conf_array(b, t.chargers, sizeof *chargers);
    c->chargers = conf_array(b, t.chargers, sizeof *c->chargers);
    c->connectors = conf_array(b, t.connectors, sizeof *c->connectors);
    b->connectors = conf_array(b, t.connectors, sizeof *b->connectors);
    b->connector_items = conf_array(b, t.connectors, sizeof *b->connector_items);
    grow_circuits(b, t.circuits);
    for (const struct conf_item *i = list; i; i = i->next, at++) {
        fill_charger(b, i, at, connector);
        connector += c->chargers[at].n;
        chargers[at].id = c->chargers[at].id;
    }
    int circuit = conf_circuit_place(b, conf_ref(b, ocpp, K_OCPP_CIRCUIT));
    for (int n = 1; at < t.chargers; n++, at++) {
        fill_free_place(b, at, connector++, n, circuit);
        chargers[at].id = c->chargers[at].name;
    }
    check_cids(b, t.connectors);
    c->site.chargers = chargers;
    c->site.n_chargers = t.chargers;
    c->site.connectors = b->connectors;
    c->site.n_connectors = t.connectors;
    c->site.circuits = b->circuits;
}
