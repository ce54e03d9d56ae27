/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the site's description alone. */
#include "site.h"

#include <stddef.h>

uint8_t site_phase_mask(const struct site_connector *c)
{
    uint8_t mask = 0;

    if (c->wiring_unknown)
        return 7;
    for (int own = 0; own < SITE_PHASES; own++)
        if (c->wiring[own] < SITE_PHASES)
            mask |= (uint8_t)(1u << c->wiring[own]);
    return mask;
}

void site_rotate(const struct site_connector *c, const int32_t own_ma[SITE_PHASES],
                 int32_t site_ma[SITE_PHASES])
{
    int32_t most = INT32_MIN;

    for (int p = 0; p < SITE_PHASES; p++) {
        site_ma[p] = c->wiring_unknown ? INT32_MIN : 0;
        if (own_ma[p] > most)
            most = own_ma[p];
    }
    for (int own = 0; own < SITE_PHASES; own++)
        if (c->wiring_unknown)
            site_ma[own] = most;
        else if (c->wiring[own] < SITE_PHASES)
            site_ma[c->wiring[own]] = own_ma[own];
}

int64_t site_lease_end_ms(const struct site *s)
{
    return (int64_t)s->lease_ms + s->lease_ms / 16;
}

static const char *circuit_fault(const struct site *s, int i)
{
    const struct site_circuit *c = &s->circuits[i];
    int depth = 1;

    if (i == 0 ? c->parent != SITE_NONE : c->parent < 0 || c->parent >= i)
        return "a circuit stands before its parent, or there are two roots";
    for (int p = c->parent; p != SITE_NONE; p = s->circuits[p].parent)
        depth++;
    if (depth > SITE_MAX_DEPTH)
        return "circuits are nested too deep";
    if (c->meter != SITE_NONE && (c->meter < 0 || c->meter >= s->n_meters))
        return "a circuit names a meter that is not there";
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->limit_ma[p] < 0 || c->limit_ma[p] > SITE_MAX_MA)
            return "a circuit's limit is out of range";
    return NULL;
}

static const char *connector_fault(const struct site *s, const struct site_connector *c)
{
    uint8_t seen = 0;

    if (c->charger < 0 || c->charger >= s->n_chargers)
        return "a connector names a charger that is not there";
    if (c->circuit < 0 || c->circuit >= s->n_circuits)
        return "a connector names a circuit that is not there";
    if (c->min_ma < 0 || c->max_ma < c->min_ma || c->max_ma > SITE_MAX_MA ||
        c->fallback_ma < 0 || c->fallback_ma > c->max_ma || c->step_ma < 1)
        return "a connector's currents are out of range";
    if (c->min_3p_ma < 0 || c->max_ma < c->min_3p_ma)
        return "a connector's minimum on three phases is out of range";
    if (c->wiring_unknown)
        return NULL;
    for (int p = 0; p < SITE_PHASES; p++) {
        if (c->wiring[p] == SITE_NO_PHASE)
            continue;
        if (c->wiring[p] >= SITE_PHASES || seen & 1u << c->wiring[p])
            return "a connector's wiring is wrong";
        seen |= (uint8_t)(1u << c->wiring[p]);
    }
    return seen ? NULL : "a connector is wired to no phase";
}

const char *site_fault(const struct site *s)
{
    const char *fault = s->n_circuits < 1 ? "there is no circuit" : NULL;

    if (!fault && (s->n_circuits > INT16_MAX || s->n_connectors > INT16_MAX))
        fault = "there are too many circuits or connectors";
    if (!fault && (s->voltage_mv < 1000 || !s->policy || s->lease_ms < 1000))
        fault = "voltage, policy or lease is missing";
    for (int i = 0; !fault && i < s->n_circuits; i++)
        fault = circuit_fault(s, i);
    for (int i = 0; !fault && i < s->n_connectors; i++)
        fault = connector_fault(s, &s->connectors[i]);
    return fault;
}
