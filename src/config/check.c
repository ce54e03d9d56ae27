/* SPDX-License-Identifier: Apache-2.0 */
/* Checks across the sections of a site file: what is well written, but cannot be meant.
 */
#include <string.h>

#include "config/build.h"

static int32_t least_limit(const struct site_circuit *c)
{
    int32_t least = c->limit_ma[0];

    for (int p = 1; p < SITE_PHASES; p++)
        if (c->limit_ma[p] < least)
            least = c->limit_ma[p];
    return least;
}

/* The smallest minimum of all connectors below each circuit, and whose it is. */
struct smallest {
    int32_t min_ma;
    int connector;
};

static void check_minimums(struct conf_build *b)
{
    const struct site *s = &b->c->site;
    struct smallest *below = conf_array(b, s->n_circuits, sizeof *below);

    for (int i = 0; i < s->n_circuits; i++)
        below[i] = (struct smallest){INT32_MAX, SITE_NONE};
    for (int i = 0; i < s->n_connectors; i++)
        for (int c = s->connectors[i].circuit; c != SITE_NONE;
             c = s->circuits[c].parent)
            if (s->connectors[i].min_ma < below[c].min_ma)
                below[c] = (struct smallest){s->connectors[i].min_ma, i};
    for (int i = 0; i < s->n_circuits; i++) {
        const struct site_circuit *c = &s->circuits[i];
        enum conf_key_id key =
            i < b->n_file_circuits ? K_CIRCUIT_LIMIT : K_CHARGER_LIMIT;
        char amps[24];

        if (below[i].connector != SITE_NONE &&
            below[i].min_ma > least_limit(c) - c->margin_ma)
            conf_warn(b->l, conf_at(b->circuit_items[i], key),
                      "limit: leaves less than the smallest minimum below it, %s of "
                      "%.60s: nothing can charge",
                      conf_amount(CONF_T_AMPS, below[i].min_ma, amps, sizeof amps),
                      s->connectors[below[i].connector].name);
    }
}

/* Written base loads of the circuits fed by this one. */
static int64_t base_below(const struct conf_build *b, int circuit, int phase)
{
    const struct site *s = &b->c->site;
    int64_t sum_ma = 0;

    for (int i = circuit + 1; i < b->n_file_circuits; i++)
        if (s->circuits[i].parent == circuit &&
            conf_given(b->circuit_items[i], K_CIRCUIT_BASE))
            sum_ma += s->circuits[i].base_ma[phase];
    return sum_ma;
}

/* A circuit without a meter carries at least the base loads written for those below. */
static void check_bases(struct conf_build *b)
{
    const struct site *s = &b->c->site;

    for (int i = 0; i < b->n_file_circuits; i++) {
        for (int p = 0; p < SITE_PHASES && s->circuits[i].meter == SITE_NONE; p++) {
            int64_t below_ma = base_below(b, i, p);
            char amps[24];

            if (below_ma <= 0 || below_ma <= s->circuits[i].base_ma[p])
                continue;
            conf_warn(b->l, conf_at(b->circuit_items[i], K_CIRCUIT_BASE),
                      "base_load: the circuits below have %s on L%d, which this one "
                      "carries, too",
                      conf_amount(CONF_T_AMPS, below_ma, amps, sizeof amps), p + 1);
            break;
        }
    }
}

static void check_margins(struct conf_build *b)
{
    for (const struct conf_item *i = conf_value(b->top, K_CIRCUITS)->is.list.first; i;
         i = i->next) {
        const struct conf_value *limit = conf_value(i, K_CIRCUIT_LIMIT);
        const struct conf_value *margin = conf_value(i, K_CIRCUIT_MARGIN);

        if (limit->state != CONF_GIVEN || margin->state != CONF_GIVEN)
            continue;
        for (int p = 0; p < SITE_PHASES; p++) {
            if (margin->is.n < limit->is.ma[p])
                continue;
            conf_bad(b->l, margin->at, "margin: leaves nothing of the limit");
            break;
        }
    }
}

static void check_min_3p(struct conf_build *b, const struct conf_item *i)
{
    int64_t ma = conf_value(i, K_CONNECTOR_MIN_3P)->is.n;
    int64_t max = conf_value(i, K_CONNECTOR_MAX)->is.n;
    int64_t min = conf_value(i, K_CONNECTOR_MIN)->is.n;
    char one[24], two[24];

    if (!conf_given(i, K_CONNECTOR_MIN_3P))
        return;
    if (conf_usable(i, K_CONNECTOR_MAX) && ma > max)
        conf_bad(b->l, conf_at(i, K_CONNECTOR_MIN_3P), "min_3p: %s is above max: %s",
                 conf_amount(CONF_T_AMPS, ma, one, sizeof one),
                 conf_amount(CONF_T_AMPS, max, two, sizeof two));
    if (conf_usable(i, K_CONNECTOR_MIN) && ma < min)
        conf_bad(b->l, conf_at(i, K_CONNECTOR_MIN_3P), "min_3p: %s is below min: %s",
                 conf_amount(CONF_T_AMPS, ma, one, sizeof one),
                 conf_amount(CONF_T_AMPS, min, two, sizeof two));
}

/* What cannot be turned down to one phase. */
static void check_phase_switch(struct conf_build *b, const struct conf_item *i)
{
    const struct conf_wiring *w = conf_value(i, K_CONNECTOR_WIRING)->is.wiring;

    if (!conf_given(i, K_CONNECTOR_PHASE_SWITCH) ||
        !conf_value(i, K_CONNECTOR_PHASE_SWITCH)->is.n ||
        !conf_usable(i, K_CONNECTOR_WIRING) || w->phase[2] != SITE_NO_PHASE)
        return;
    conf_bad(b->l, conf_at(i, K_CONNECTOR_PHASE_SWITCH),
             "phase_switch: needs a wiring with three phases");
}

static void check_connector(struct conf_build *b, const struct conf_item *i)
{
    int64_t max = conf_value(i, K_CONNECTOR_MAX)->is.n;
    int64_t min = conf_value(i, K_CONNECTOR_MIN)->is.n;
    int64_t fallback = conf_value(i, K_CONNECTOR_FALLBACK)->is.n;
    bool known = conf_usable(i, K_CONNECTOR_MAX) && conf_usable(i, K_CONNECTOR_MIN);
    char one[24], two[24];

    if (known && max < min)
        conf_bad(b->l, conf_at(i, K_CONNECTOR_MAX), "max: %s is below min: %s",
                 conf_amount(CONF_T_AMPS, max, one, sizeof one),
                 conf_amount(CONF_T_AMPS, min, two, sizeof two));
    if (known && min > 0 && min < 6000)
        conf_warn(b->l, conf_at(i, K_CONNECTOR_MIN),
                  "min: cars do not charge with less than 6 A (IEC 61851-1)");
    check_min_3p(b, i);
    check_phase_switch(b, i);
    if (!known || !conf_usable(i, K_CONNECTOR_FALLBACK))
        return;
    if (fallback > max)
        conf_bad(b->l, conf_at(i, K_CONNECTOR_FALLBACK),
                 "fallback: %s is above max: %s",
                 conf_amount(CONF_T_AMPS, fallback, one, sizeof one),
                 conf_amount(CONF_T_AMPS, max, two, sizeof two));
    else if (fallback > 0 && fallback < min)
        conf_warn(b->l, conf_at(i, K_CONNECTOR_FALLBACK),
                  "fallback: %s is below min: %s: nothing will charge with it",
                  conf_amount(CONF_T_AMPS, fallback, one, sizeof one),
                  conf_amount(CONF_T_AMPS, min, two, sizeof two));
}

static bool is_solar_mode(const struct conf_item *i)
{
    const struct conf_value *v = conf_value(i, K_CONNECTOR_MODE);

    return v->state == CONF_GIVEN &&
           (v->is.n == MODE_SOLAR || v->is.n == MODE_MINSOLAR);
}

static void check_connectors(struct conf_build *b)
{
    bool grid_metered = b->tree_ok && b->circuits[0].meter != SITE_NONE;

    for (const struct conf_item *i = conf_value(b->top, K_CHARGERS)->is.list.first; i;
         i = i->next)
        for (const struct conf_item *c =
                 conf_value(i, K_CHARGER_CONNECTORS)->is.list.first;
             c; c = c->next) {
            check_connector(b, c);
            if (is_solar_mode(c) && b->tree_ok && !grid_metered)
                conf_warn(b->l, conf_at(c, K_CONNECTOR_MODE),
                          "mode: needs a meter at the grid connection");
        }
}

/* ---- meters */

static bool same_line(const struct conf_meter *a, const struct conf_meter *b)
{
    if (a->transport != b->transport)
        return false;
    if (a->transport == TRANSPORT_RTU)
        return a->device && b->device && strcmp(a->device, b->device) == 0;
    return a->host && b->host && strcasecmp(a->host, b->host) == 0 &&
           a->port == b->port;
}

static bool other_settings(const struct conf_meter *a, const struct conf_meter *b)
{
    return same_line(a, b) && a->transport == TRANSPORT_RTU &&
           (a->baud != b->baud || a->parity != b->parity ||
            a->data_bits != b->data_bits || a->stop_bits != b->stop_bits);
}

static bool same_model(const struct conf_meter *a, const struct conf_meter *b)
{
    return a->model && b->model && strcmp(a->model, b->model) == 0;
}

/* One device may well be read as two, the grid and the solar side of a hybrid inverter.
 * Anything else is a slip of the pen. */
static void check_pair(struct conf_build *b, const struct conf_item *first, int i,
                       const struct conf_item *second, int k)
{
    const struct conf_meter *x = &b->c->meters[i], *y = &b->c->meters[k];

    if (!same_line(x, y))
        return;
    if (x->source != SOURCE_MODBUS || y->source != SOURCE_MODBUS) {
        conf_bad(b->l, second->at, "%s has the line of %s at %s",
                 conf_item_text(b->l, second), conf_item_text(b->l, first),
                 conf_place(b->l, first->at));
        return;
    }
    if (other_settings(x, y))
        conf_bad(b->l, conf_at(second, K_METER_RTU),
                 "rtu: %s has other settings on the same line at %s",
                 conf_item_text(b->l, first), conf_place(b->l, first->at));
    if (x->unit != y->unit || (x->unit < 0 && !same_model(x, y)))
        return;
    if (!same_model(x, y) && x->role == y->role)
        conf_bad(b->l, conf_at(second, K_METER_UNIT),
                 "%s has the address and unit of %s at %s, but another model",
                 conf_item_text(b->l, second), conf_item_text(b->l, first),
                 conf_place(b->l, first->at));
    else if (x->role == y->role)
        conf_warn(b->l, conf_at(second, K_METER_UNIT),
                  "%s is the same device as %s at %s", conf_item_text(b->l, second),
                  conf_item_text(b->l, first), conf_place(b->l, first->at));
}

static void check_meter(struct conf_build *b, const struct conf_item *i,
                        const struct conf_meter *m, int32_t *serial_ms)
{
    char why[200] = "";

    if (conf_usable(i, K_METER_MAX_AGE) && conf_usable(i, K_METER_INTERVAL) &&
        m->max_age_ms <= m->interval_ms)
        conf_bad(b->l, conf_at(i, K_METER_MAX_AGE),
                 "max_age: must be longer than the interval");
    if (b->check_meter && conf_usable(i, K_METER_MODEL) &&
        !b->check_meter(m, why, sizeof why, serial_ms))
        conf_bad(b->l, conf_at(i, K_METER_MODEL), "model: %s", why);
    else if (why[0])
        conf_warn(b->l, conf_at(i, K_METER_MODEL), "model: %s", why);
}

static void check_meters(struct conf_build *b)
{
    const struct conf_item *list = conf_value(b->top, K_METERS)->is.list.first;
    int32_t *serial_ms = conf_array(b, b->c->site.n_meters, sizeof *serial_ms);
    int k = 0;

    for (const struct conf_item *second = list; second; second = second->next, k++) {
        int i = 0;

        check_meter(b, second, &b->c->meters[k], &serial_ms[k]);
        for (const struct conf_item *first = list; first != second; first = first->next)
            check_pair(b, first, i++, second, k);
    }
    conf_check_lines(b, serial_ms);
}

static void check_input(struct conf_build *b, const struct conf_item *i,
                        const struct conf_meter *x)
{
    const struct conf_item *item = conf_value(b->top, K_METERS)->is.list.first;

    if (conf_usable(i, K_INPUT_MAX_AGE) && conf_usable(i, K_INPUT_INTERVAL) &&
        x->max_age_ms <= x->interval_ms)
        conf_bad(b->l, conf_at(i, K_INPUT_MAX_AGE),
                 "max_age: must be longer than the interval");
    for (int k = 0; item; item = item->next, k++)
        if (same_line(x, &b->c->meters[k]) && b->c->meters[k].source != SOURCE_MODBUS)
            conf_bad(b->l, i->at, "%s has the line of %s at %s",
                     conf_item_text(b->l, i), conf_item_text(b->l, item),
                     conf_place(b->l, item->at));
        else if (other_settings(x, &b->c->meters[k]))
            conf_bad(b->l, conf_at(i, K_INPUT_RTU),
                     "rtu: %s has other settings on the same line at %s",
                     conf_item_text(b->l, item), conf_place(b->l, item->at));
}

static void check_inputs(struct conf_build *b)
{
    int k = 0;

    for (const struct conf_item *i = conf_value(b->top, K_INPUTS)->is.list.first; i;
         i = i->next, k++)
        check_input(b, i, &b->c->inputs[k].at);
}

static void check_use_of_meters(struct conf_build *b)
{
    const struct conf_item *item = conf_value(b->top, K_METERS)->is.list.first;
    const struct site *s = &b->c->site;
    int *used = conf_array(b, s->n_meters, sizeof *used);

    for (int i = 0; i < b->n_file_circuits; i++) {
        int m = b->circuits[i].meter;
        const struct conf_node *at = conf_at(b->circuit_items[i], K_CIRCUIT_METER);

        if (m == SITE_NONE)
            continue;
        if (b->c->meters[m].role == METER_SOLAR)
            conf_bad(b->l, at,
                     "meter: '%s' has the role solar, this needs role circuit",
                     b->c->meters[m].name);
        if (b->c->meters[m].source == SOURCE_CHARGERS)
            conf_bad(b->l, at,
                     "meter: '%s' sums up chargers: what is not a charger it does not "
                     "see, and a circuit without anything else needs no meter, since "
                     "what its chargers may draw is counted",
                     b->c->meters[m].name);
        if (used[m]++)
            conf_bad(b->l, at, "meter: '%s' measures another circuit already",
                     b->c->meters[m].name);
    }
    for (int m = 0; item; item = item->next, m++)
        if (!used[m] && b->c->meters[m].role == METER_CIRCUIT &&
            b->c->meters[m].source != SOURCE_CHARGERS)
            conf_warn(
                b->l, item->at,
                "%s is not the meter of any circuit (a solar one has role: solar)",
                conf_item_text(b->l, item));
}

/* ---- who may connect */

static bool is_local(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* A charger that must use a profile needs what is asked there, and a port for it. */
static void check_security(struct conf_build *b)
{
    const struct conf_item *ocpp = conf_value(b->top, K_OCPP)->is.section;
    const struct conf_item *i = conf_value(b->top, K_CHARGERS)->is.list.first;
    const struct config *c = b->c;

    for (int n = 0; i && n < c->site.n_chargers; n++, i = i->next) {
        bool own = conf_given(i, K_CHARGER_SECURITY);
        int least = own ? c->chargers[n].security : c->ocpp.security;
        const struct conf_node *at =
            own ? conf_at(i, K_CHARGER_SECURITY) : conf_at(ocpp, K_OCPP_SECURITY);

        if (least > 0 && least < 3 && !c->chargers[n].password && !c->ocpp.mtls_host)
            conf_bad(b->l, at,
                     "security: profile %d needs a password for '%.60s', or a "
                     "listen_mtls for its certificate",
                     least, c->chargers[n].id);
        else if (least == 3 ? !c->ocpp.mtls_host
                            : least == 2 && !c->ocpp.tls_host && !c->ocpp.mtls_host)
            conf_bad(b->l, at, "security: profile %d needs a '%s'", least,
                     least == 2 ? "listen_tls" : "listen_mtls");
    }
}

/* Behind two addresses with the same port libwebsockets would take the one for the
 * other, by the name that a client says it speaks to. */
static void check_ports(struct conf_build *b)
{
    const struct conf_item *ocpp = conf_value(b->top, K_OCPP)->is.section;
    const struct conf_item *http = conf_value(b->top, K_HTTP)->is.section;
    const struct config *c = b->c;
    const struct {
        const char *host;
        int port;
        const struct conf_item *section;
        enum conf_key_id key;
    } ports[] = {{c->ocpp.host, c->ocpp.port, ocpp, K_OCPP_LISTEN},
                 {c->ocpp.tls_host, c->ocpp.tls_port, ocpp, K_OCPP_LISTEN_TLS},
                 {c->ocpp.mtls_host, c->ocpp.mtls_port, ocpp, K_OCPP_LISTEN_MTLS},
                 {c->http.host, c->http.port, http, K_HTTP_LISTEN}};

    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            if (ports[i].host && ports[k].host && ports[i].port > 0 &&
                ports[i].port == ports[k].port)
                conf_bad(b->l, conf_at(ports[i].section, ports[i].key),
                         "%s: needs a port of its own: %d is that of %s",
                         conf_key_name(&conf_keys[ports[i].key]), ports[i].port,
                         conf_keys[ports[k].key].path);
}

static void check_listening(struct conf_build *b)
{
    const struct conf_item *ocpp = conf_value(b->top, K_OCPP)->is.section;
    const struct conf_item *http = conf_value(b->top, K_HTTP)->is.section;
    const struct config *c = b->c;
    int open = 0;

    for (int i = 0; i < c->site.n_chargers; i++)
        open += c->chargers[i].id && !c->chargers[i].password &&
                (c->chargers[i].security < 0 ? c->ocpp.security
                                             : c->chargers[i].security) < 3;
    if (c->ocpp.host && !is_local(c->ocpp.host) && open > 0)
        conf_warn(b->l, conf_at(ocpp, K_OCPP_LISTEN),
                  "listen: anyone who reaches %s can pass for a charger: %d of %d have "
                  "no password",
                  c->ocpp.host, open, c->site.n_chargers);
    if (c->http.host && !is_local(c->http.host))
        conf_warn(b->l, conf_at(http, K_HTTP_LISTEN),
                  "listen: the state of the site is told to anyone who reaches %s",
                  c->http.host);
    if (c->site.n_chargers == 0 && b->l->n_errors == 0)
        conf_warn(b->l, NULL, "there are no chargers: nothing to control");
}

void conf_check(struct conf_build *b)
{
    check_margins(b);
    check_connectors(b);
    check_meters(b);
    check_inputs(b);
    if (b->tree_ok)
        check_use_of_meters(b);
    if (b->tree_ok && b->l->n_errors == 0) {
        check_minimums(b);
        check_bases(b);
    }
    check_security(b);
    check_ports(b);
    check_listening(b);
}
