/* SPDX-License-Identifier: Apache-2.0 */
/* What limits circuits from outside, of struct config: schedules, the fail-safe of
 * external limits, digital inputs. */
#include "config/build.h"
#include "core/event.h"

/* The least to which the grid operator may dim n charge points behind one energy
 * manager: 4.2 kW for the first, and for each further one 4.2 kW times a factor for
 * simultaneity (section 14a EnWG, Bundesnetzagentur BK6-22-300, annex 1, 4.5.2). */
static int32_t least_power_w(int n)
{
    static const int32_t per_mille[] = {0, 0, 800, 750, 700, 650, 600, 550, 500, 450};
    enum { LAST = sizeof per_mille / sizeof *per_mille - 1 };

    return n < 2 ? 4200
                 : 4200 + (int32_t)((n - 1) * INT64_C(4200) *
                                    per_mille[n < LAST ? n : LAST] / 1000);
}

/* Charge points below it that are controllable devices: those that can draw more than
 * 4.2 kW. */
static int charge_points(const struct site *s, int circuit)
{
    int n = 0;

    for (int i = 0; i < s->n_connectors; i++) {
        const struct site_connector *c = &s->connectors[i];
        int v = c->circuit, phases = 0;

        for (int p = 0; p < SITE_PHASES; p++)
            phases += c->wiring_unknown || c->wiring[p] != SITE_NO_PHASE;
        while (v != SITE_NONE && v != circuit)
            v = s->circuits[v].parent;
        n += v == circuit &&
             (int64_t)c->max_ma * phases * s->voltage_mv / 1000000 > 4200;
    }
    return n;
}

static void build_schedule(struct conf_build *b, const struct conf_item *circuit,
                           struct conf_circuit *c)
{
    const struct conf_value *list = conf_value(circuit, K_CIRCUIT_SCHEDULE);
    struct conf_schedule *s = conf_array(b, list->is.list.n, sizeof *s);

    c->schedule = s;
    c->n_schedule = list->is.list.n;
    for (const struct conf_item *i = list->is.list.first; i; i = i->next, s++) {
        s->limit_ma = EVENT_NO_VALUE;
        conf_store(i, s);
        if (!conf_value(i, K_SCHEDULE_LIMIT)->at &&
            !conf_value(i, K_SCHEDULE_POWER)->at &&
            !conf_value(i, K_SCHEDULE_CHARGERS)->at)
            conf_bad(b->l, i->at,
                     "schedule entry: one of 'limit', 'power' or 'chargers_power' is "
                     "missing");
    }
}

static int32_t number(const struct conf_item *i, enum conf_key_id k, int32_t none)
{
    return conf_given(i, k) ? (int32_t)conf_value(i, k)->is.n : none;
}

static void build_silence(struct conf_build *b, const struct conf_item *i,
                          struct conf_circuit *c)
{
    bool timeout = conf_value(i, K_CIRCUIT_TIMEOUT)->at != NULL;
    bool limit = conf_value(i, K_CIRCUIT_SILENT)->at != NULL ||
                 conf_value(i, K_CIRCUIT_SILENT_CHARGERS)->at != NULL;

    c->silent_after_ms = number(i, K_CIRCUIT_TIMEOUT, 0);
    c->silent_ma = number(i, K_CIRCUIT_SILENT, EVENT_NO_VALUE);
    c->silent_chargers_w = number(i, K_CIRCUIT_SILENT_CHARGERS, 0);
    c->silent_hold_ms = number(i, K_CIRCUIT_HOLD, 0);
    if (timeout && !limit)
        conf_bad(b->l, conf_at(i, K_CIRCUIT_TIMEOUT),
                 "external_timeout: needs external_fallback or "
                 "external_fallback_chargers");
    if (timeout && limit && !conf_value(b->top, K_MQTT)->is.section)
        conf_bad(b->l, conf_at(i, K_CIRCUIT_TIMEOUT),
                 "external_timeout: there is no mqtt section to be heard by");
    if (!timeout && (limit || conf_value(i, K_CIRCUIT_HOLD)->at))
        conf_bad(b->l, i->at, "%s: 'external_timeout' is missing for its fail-safe",
                 conf_item_text(b->l, i));
}

static void build_inputs(struct conf_build *b)
{
    static const enum conf_key_id line[] = {K_INPUT_TCP, K_INPUT_RTU, K_INPUT_RTUTCP};
    const struct conf_value *list = conf_value(b->top, K_INPUTS);
    struct conf_input *in = conf_array(b, list->is.list.n, sizeof *in);

    b->c->inputs = in;
    b->c->n_inputs = list->is.list.n;
    for (const struct conf_item *i = list->is.list.first; i; i = i->next, in++) {
        conf_store(i, in);
        conf_build_line(b, i, line, &in->at);
        in->circuit = conf_circuit_place(b, conf_ref(b, i, K_INPUT_CIRCUIT));
        if (in->power_w == 0)
            in->power_w = least_power_w(charge_points(&b->c->site, in->circuit));
    }
}

void conf_build_limits(struct conf_build *b)
{
    struct conf_circuit *c = conf_array(b, b->c->site.n_circuits, sizeof *c);

    b->c->circuits = c;
    for (int v = 0; v < b->c->site.n_circuits; v++) {
        c[v].silent_ma = EVENT_NO_VALUE;
        if (v >= b->n_file_circuits)
            continue;
        build_schedule(b, b->circuit_items[v], &c[v]);
        build_silence(b, b->circuit_items[v], &c[v]);
    }
    build_inputs(b);
}
