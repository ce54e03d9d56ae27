/* SPDX-License-Identifier: Apache-2.0 */
/* Meters of struct config: Modbus, P1, MQTT, and the chargers' own. */
#include "config/build.h"
#include "core/event.h"

enum { CHARGERS_AGE_MS = 60000 }; /* they tell their current every ten seconds or so */

static void fill_line(const struct conf_item *i, const enum conf_key_id keys[3],
                      struct conf_meter *m)
{
    const struct conf_value *v = conf_value(i, keys[1]);

    if (v->state == CONF_GIVEN) {
        m->transport = TRANSPORT_RTU;
        m->device = v->is.serial->device;
        m->baud = v->is.serial->baud;
        m->parity = v->is.serial->parity;
        m->data_bits = v->is.serial->data_bits;
        m->stop_bits = v->is.serial->stop_bits;
        return;
    }
    m->transport = conf_given(i, keys[0]) ? TRANSPORT_TCP : TRANSPORT_RTUTCP;
    v = conf_value(i, m->transport == TRANSPORT_TCP ? keys[0] : keys[2]);
    if (v->state == CONF_GIVEN) {
        m->host = v->is.address->host;
        m->port = v->is.address->port;
    }
}

void conf_build_line(struct conf_build *b, const struct conf_item *i,
                     const enum conf_key_id keys[3], struct conf_meter *m)
{
    int n = 0;

    for (int k = 0; k < 3; k++) {
        const struct conf_node *at = conf_value(i, keys[k])->at;
        if (at && n++ > 0)
            conf_bad(b->l, at, "%s has more than one of tcp, rtu and rtutcp",
                     conf_item_text(b->l, i));
    }
    if (n == 0)
        conf_bad(b->l, i->at, "%s: one of 'tcp', 'rtu' or 'rtutcp' is missing",
                 conf_item_text(b->l, i));
    fill_line(i, keys, m);
}

/* ---- other kinds than Modbus ---- */

static const struct {
    enum conf_key_id key;
    enum meter_source source;
} sources[] = {
    {K_METER_TCP, SOURCE_MODBUS},        {K_METER_RTU, SOURCE_MODBUS},
    {K_METER_RTUTCP, SOURCE_MODBUS},     {K_METER_P1, SOURCE_P1},
    {K_METER_P1TCP, SOURCE_P1},          {K_METER_MQTT, SOURCE_MQTT},
    {K_METER_CHARGERS, SOURCE_CHARGERS},
};

/* Which kind of meter the keys make it. */
static enum meter_source find_source(struct conf_build *b, const struct conf_item *i,
                                     bool *any)
{
    enum meter_source source = SOURCE_MODBUS;
    const char *first = NULL;

    for (size_t k = 0; k < sizeof sources / sizeof sources[0]; k++) {
        const struct conf_node *at = conf_value(i, sources[k].key)->at;
        const char *name = conf_key_name(&conf_keys[sources[k].key]);

        if (!at)
            continue;
        if (first && (source != SOURCE_MODBUS || sources[k].source != SOURCE_MODBUS))
            conf_bad(b->l, at, "%s has both %s and %s", conf_item_text(b->l, i), first,
                     name);
        if (!first)
            source = sources[k].source;
        first = first ? first : name;
    }
    if (!first)
        conf_bad(b->l, i->at,
                 "%s: one of 'tcp', 'rtu', 'rtutcp', 'p1', 'p1tcp', 'mqtt' or "
                 "'chargers' is missing",
                 conf_item_text(b->l, i));
    *any = first != NULL;
    return source;
}

/* Keys that mean nothing for this kind. */
static void refuse_others(struct conf_build *b, const struct conf_item *i,
                          enum meter_source source)
{
    static const struct {
        enum conf_key_id key;
        unsigned fits; /* a bit for each source */
        const char *what;
    } keys[] = {
        {K_METER_MODEL, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_UNIT, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_WORDS, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_CT, 1 << SOURCE_MODBUS | 1 << SOURCE_P1, "a meter with transformers"},
        {K_METER_GAP, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_TIMEOUT, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_MAX_REGS, 1 << SOURCE_MODBUS, "a Modbus meter"},
        {K_METER_VALUES, 1 << SOURCE_MQTT, "a meter with mqtt"},
    };

    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (conf_value(i, keys[k].key)->at && !(keys[k].fits >> source & 1))
            conf_bad(b->l, conf_at(i, keys[k].key), "%s: is for %s",
                     conf_key_name(&conf_keys[keys[k].key]), keys[k].what);
    if (source == SOURCE_MODBUS && !conf_value(i, K_METER_MODEL)->at)
        conf_bad(b->l, i->at, "%s: 'model' is missing", conf_item_text(b->l, i));
}

static void build_p1(const struct conf_item *i, struct conf_meter *m)
{
    const struct conf_value *serial = conf_value(i, K_METER_P1);
    const struct conf_value *tcp = conf_value(i, K_METER_P1TCP);

    m->transport = serial->at ? TRANSPORT_RTU : TRANSPORT_RTUTCP;
    if (serial->state == CONF_GIVEN) {
        m->device = serial->is.serial->device;
        m->baud = serial->is.serial->baud;
        m->parity = serial->is.serial->parity;
        m->data_bits = serial->is.serial->data_bits;
        m->stop_bits = serial->is.serial->stop_bits;
    } else if (tcp->state == CONF_GIVEN) {
        m->host = tcp->is.address->host;
        m->port = tcp->is.address->port;
    }
}

/* ---- values of MQTT ---- */

/* What a unit is of, and its size in mV, mA, W, mHz, Wh; in the order of keys.c. */
static const struct {
    char of; /* V A W H E */
    double size;
} units[] = {{'V', 1}, {'V', 1e3}, {'A', 1}, {'A', 1e3}, {'W', 1},  {'W', 1e3},
             {'H', 1}, {'H', 1e3}, {'E', 1}, {'E', 1e3}, {'E', 1e6}};
enum { UNIT_V = 1, UNIT_A = 3, UNIT_W = 4, UNIT_HZ = 7, UNIT_KWH = 9 };

static int usual_unit(int quantity)
{
    return quantity < CONF_I         ? UNIT_V
           : quantity < CONF_P_PHASE ? UNIT_A
           : quantity <= CONF_P      ? UNIT_W
           : quantity == CONF_HZ     ? UNIT_HZ
                                     : UNIT_KWH;
}

static void build_value(struct conf_build *b, const struct conf_item *i,
                        const struct conf_meter *m, struct conf_meter_value *v)
{
    int usual;

    v->quantity = v->unit = -1;
    v->pointer = "";
    v->topic = m->topic;
    conf_store(i, v);
    if (v->quantity < 0)
        return;
    usual = usual_unit(v->quantity);
    if (v->unit < 0)
        v->unit = usual;
    if (units[v->unit].of != units[usual].of)
        conf_bad(b->l, conf_at(i, K_VALUE_UNIT), "unit: %s is not in %s",
                 conf_keys[K_VALUE_WHAT].words[v->quantity],
                 conf_keys[K_VALUE_UNIT].words[v->unit]);
    if (v->factor_ppm == 0)
        conf_bad(b->l, conf_at(i, K_VALUE_FACTOR), "factor: 0 leaves nothing");
    v->scale = units[v->unit].size * v->factor_ppm / 1e6;
}

static void check_values(struct conf_build *b, const struct conf_item *i,
                         const struct conf_meter *m)
{
    const struct conf_item *at = conf_value(i, K_METER_VALUES)->is.list.first;
    unsigned seen = 0;
    bool known = true;
    int phases = 0;

    for (int k = 0; k < m->n_values; k++, at = at->next) {
        int q = m->values[k].quantity;

        if (q >= 0 && seen >> q & 1)
            conf_bad(b->l, at->at, "value: %s comes twice",
                     conf_keys[K_VALUE_WHAT].words[q]);
        seen |= q >= 0 ? 1U << q : 0;
        known = known && q >= 0;
    }
    for (int p = 0; p < SITE_PHASES; p++)
        phases += seen >> (CONF_I + p) & 1 ||
                  (seen >> (CONF_P_PHASE + p) & 1 && seen >> (CONF_V + p) & 1);
    if (m->n_values == 0)
        conf_bad(b->l, i->at, "%s: 'values' is missing", conf_item_text(b->l, i));
    else if (known && m->role == METER_CIRCUIT && phases == 0)
        conf_bad(b->l, conf_at(i, K_METER_VALUES),
                 "values: a circuit needs the current of a phase: i1, or p1 and v1");
    else if (known && m->role == METER_CIRCUIT && phases < SITE_PHASES)
        conf_warn(b->l, conf_at(i, K_METER_VALUES),
                  "values: not the current of all phases: those that are missing count "
                  "as full");
    else if (known && m->role == METER_SOLAR && phases == 0 && !(seen >> CONF_P & 1))
        conf_bad(b->l, conf_at(i, K_METER_VALUES), "values: p is missing");
}

static void build_mqtt(struct conf_build *b, const struct conf_item *i,
                       struct conf_meter *m)
{
    const struct conf_value *list = conf_value(i, K_METER_VALUES);
    struct conf_meter_value *v = conf_array(b, list->is.list.n, sizeof *v);

    m->values = v;
    m->n_values = list->is.list.n;
    for (const struct conf_item *x = list->is.list.first; x; x = x->next)
        build_value(b, x, m, v++);
    if (list->state != CONF_WRONG)
        check_values(b, i, m);
    if (!conf_value(b->top, K_MQTT)->is.section)
        conf_bad(b->l, conf_at(i, K_METER_MQTT),
                 "mqtt: there is no mqtt section with a broker to hear it from");
}

/* ---- all meters ---- */

static void build_meter(struct conf_build *b, const struct conf_item *item,
                        struct conf_meter *m)
{
    static const enum conf_key_id line[] = {K_METER_TCP, K_METER_RTU, K_METER_RTUTCP};
    bool any;

    m->unit = -1;
    m->circuit = SITE_NONE;
    conf_store(item, m);
    if (m->role == METER_SOLAR && !conf_given(item, K_METER_MAX_SAME))
        m->max_same_ms = 0; /* all night it has nothing new to tell */
    if (conf_given(item, K_METER_WORDS))
        m->word_order =
            conf_keys[K_METER_WORDS].words[conf_value(item, K_METER_WORDS)->is.n];
    m->source = find_source(b, item, &any);
    refuse_others(b, item, m->source);
    switch (m->source) {
    case SOURCE_MODBUS:
        if (any)
            conf_build_line(b, item, line, m);
        break;
    case SOURCE_P1:
        build_p1(item, m);
        break;
    case SOURCE_MQTT:
        build_mqtt(b, item, m);
        break;
    case SOURCE_CHARGERS:
        m->circuit = conf_circuit_place(b, conf_ref(b, item, K_METER_CHARGERS));
        if (!conf_given(item, K_METER_MAX_AGE))
            m->max_age_ms = CHARGERS_AGE_MS;
        break;
    }
}

void conf_build_meters(struct conf_build *b)
{
    const struct conf_value *list = conf_value(b->top, K_METERS);
    int n = list->is.list.n, i = 0;
    struct site_meter *meters = conf_array(b, n, sizeof *meters);
    struct conf_meter *m = conf_array(b, n, sizeof *m);

    for (const struct conf_item *item = list->is.list.first; item;
         item = item->next, i++) {
        build_meter(b, item, &m[i]);
        meters[i] = (struct site_meter){.name = m[i].name,
                                        .role = m[i].role,
                                        .interval_ms = m[i].interval_ms,
                                        .max_age_ms = m[i].max_age_ms,
                                        .max_same_ms = m[i].max_same_ms};
    }
    b->c->meters = m;
    b->c->site.meters = meters;
    b->c->site.n_meters = n;
}
