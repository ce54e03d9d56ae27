/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of all members of the site and of the controller's memory. A struct that
 * has got a member which is missing here does not compile: see WHOLE. */
#include "memory.h"

#include <string.h>

#include "state.h"

/* ---- the members ----
 *
 * one(T, m)           a number
 * row(T, m)           an array of numbers
 * in(T, m, LIST)      a struct, with its own list
 * each(T, m, LIST)    an array of structs
 * skip(T, m)          no memory: it is set by control_init(), or scratch
 * `p.` in a list stands for the way to the struct. */

/* clang-format off */
#define SITE_LIST(T, one, row, in, each, skip)                                         \
    one(T, name) one(T, voltage_mv) skip(T, policy) one(T, lease_ms) one(T, settle_ms) \
    one(T, dwell_ms) one(T, pause_ms) one(T, writes_per_day) in(T, solar, SUN_LIST)     \
    one(T, n_circuits) one(T, n_connectors) one(T, n_meters) one(T, n_chargers)        \
    skip(T, circuits) skip(T, connectors) skip(T, meters) skip(T, chargers)

#define SITE_CIRCUIT_LIST(T, one, row, in, each, skip)                                 \
    one(T, name) one(T, parent) row(T, limit_ma) one(T, margin_ma)                     \
    one(T, power_limit_w) one(T, unbalance_ma) one(T, meter) row(T, base_ma)

#define SITE_CONNECTOR_LIST(T, one, row, in, each, skip)                               \
    one(T, name) one(T, charger) one(T, circuit) row(T, wiring) one(T, wiring_unknown) \
    one(T, min_ma) one(T, min_3p_ma) one(T, max_ma) one(T, step_ma)                    \
    one(T, fallback_ma) one(T, priority) one(T, weight) one(T, mode)                   \
    one(T, phase_switch)

#define SITE_METER_LIST(T, one, row, in, each, skip)                                   \
    one(T, name) one(T, role) one(T, interval_ms) one(T, max_age_ms)         \
    one(T, max_same_ms)

#define SITE_CHARGER_LIST(T, one, row, in, each, skip) one(T, id)

#define CONTROL_LIST(T, one, row, in, each, skip)                                      \
    skip(T, site) one(T, now_ms) one(T, start_ms) one(T, leases_until_ms)              \
    one(T, steps) one(T, check_failures) one(T, seq) one(T, reviewed_ms)               \
    one(T, hold_ms) one(T, changed) one(T, starting) one(T, rising_ma) one(T, n_on)    \
    one(T, check_told) skip(T, connectors) skip(T, chargers) skip(T, meters)           \
    skip(T, circuits) in(T, solar, SOLAR_LIST) skip(T, marks) in(T, tree, NO_LIST) skip(T, cars)                \
    skip(T, car_of) skip(T, scratch) skip(T, out) skip(T, n_out)

#define CONNECTOR_LIST(T, one, row, in, each, skip)                                    \
    one(T, status) one(T, status_ms) one(T, session) one(T, paused) one(T, full)       \
    one(T, probed) one(T, probes) one(T, session_ms) one(T, full_ms) one(T, mode)      \
    one(T, priority) each(T, wishes, WISH_LIST) in(T, ceiling, CEILING_LIST) one(T, ceiled)           \
    one(T, own_mode) one(T, own_priority) one(T, card_ma)                              \
    row(T, seen_ma) row(T, sure_ma) row(T, past_ma) row(T, own_ma) one(T, seen_ms) one(T, energy_wh) one(T, power_w)   \
    in(T, energy, ENERGY_LIST) one(T, phases) one(T, alike_mask) one(T, alike)         \
    one(T, moved_ms) in(T, take, TAKING_LIST)                                                           \
    one(T, known) one(T, told_ma) one(T, told_ms) one(T, held_ma) one(T, held_sure)    \
    one(T, lapsed)                                                                     \
    one(T, answered_ms) one(T, prior_ms) one(T, lease_from_ms) one(T, lease_until_ms) one(T, retry_ms)  \
    one(T, refusals) one(T, settle_for_ms) one(T, above_ms) one(T, obeyed_ms)          \
    one(T, insist) one(T, late) one(T, disobeys) one(T, disobeys_told)                 \
    each(T, flight, FLIGHT_LIST) one(T, n_flight)                                      \
    one(T, exp_ma) one(T, settle_ms) one(T, settle_ma) one(T, was_above)               \
    one(T, raised_ms) one(T, rising_ms) one(T, lowered_ms) one(T, fell_ms)             \
    one(T, ask_ms) one(T, asked_ms) one(T, stopped_ms) one(T, small_ms)                \
    one(T, small_up) one(T, writes_ms) in(T, turn, TURN_LIST) one(T, target_ma)        \
    in(T, why, WHY_LIST) one(T, sun) one(T, sun_ms) in(T, ph, PHASE_LIST)

#define CHARGER_LIST(T, one, row, in, each, skip) one(T, online) one(T, since_ms)

#define METER_LIST(T, one, row, in, each, skip)                                        \
    in(T, last, READING_LIST) one(T, at_ms) one(T, moved_ms) row(T, missed_ma)         \
    one(T, digit_ma) one(T, readings) one(T, lost_told) one(T, frozen_told)

#define CIRCUIT_LIST(T, one, row, in, each, skip)                                      \
    each(T, external, LIMIT_LIST) one(T, external_told) one(T, over_told)              \
    one(T, over_ms) in(T, base, BASE_LIST)                                             \
    row(T, limit_ma) row(T, base_ma) row(T, below_ma) row(T, calm_ma) row(T, rise_ma) row(T, rise_ms) row(T, low_ma) row(T, doubt_ma) row(T, guard_ma) \
    row(T, exposure_ma) row(T, settled_ma) row(T, slack_ma) one(T, short_rows)         \
    one(T, chargers_limit_ma) one(T, chargers_room_ma)

#define MARK_LIST(T, one, row, in, each, skip) row(T, ma) one(T, pending)

#define NO_LIST(T, p, one, row)
#define WISH_LIST(T, p, one, row)                                                      \
    one(T, p.energy_wh) one(T, p.departs_ms) one(T, p.source) one(T, p.min_ma)         \
    one(T, p.max_ma)
#define CEILING_LIST(T, p, one, row)                                                   \
    one(T, p.limit_ma) one(T, p.power_w) one(T, p.whole_ma) one(T, p.whole_w)          \
    one(T, p.until_ms)
#define WHY_LIST(T, p, one, row)                                                       \
    one(T, p.reason) one(T, p.circuit) one(T, p.phase) one(T, p.until_ms)
#define ENERGY_LIST(T, p, one, row)                                                    \
    one(T, p.had_mj) one(T, p.sure_mj) one(T, p.register_wh) row(T, p.wished_mj)       \
    one(T, p.power_w) one(T, p.at_ms)
#define TAKING_LIST(T, p, one, row)                                                    \
    one(T, p.cap_ma) one(T, p.cap_ms) one(T, p.tries) one(T, p.returns)                \
    one(T, p.look_ms) one(T, p.peak_ma) one(T, p.last_ms) one(T, p.none_ms)            \
    one(T, p.least_ma)
#define TURN_LIST(T, p, one, row)                                                      \
    one(T, p.on_ms) one(T, p.queued_ms) one(T, p.had) one(T, p.turn_ms)
#define LIMIT_LIST(T, p, one, row)                                                     \
    one(T, p.limit_ma) one(T, p.until_ms) one(T, p.source) one(T, p.power_w)           \
    one(T, p.chargers_w)
#define FLIGHT_LIST(T, p, one, row) one(T, p.seq) one(T, p.ma) one(T, p.sent_ms)      \
    one(T, p.n_phases) one(T, p.renewal)
#define PHASE_LIST(T, p, one, row)                                                     \
    one(T, p.set) one(T, p.want) one(T, p.held) one(T, p.busy) one(T, p.failed)        \
    one(T, p.other) one(T, p.refusals) one(T, p.switches) one(T, p.up_ms)              \
    one(T, p.short_ms)
#define SOLAR_LIST(T, p, one, row)                                                     \
    row(T, p.sum_ma) row(T, p.n) one(T, p.slot) one(T, p.now_ma) one(T, p.mean_ma)     \
    one(T, p.read_ms) one(T, p.looked_ms)
#define SUN_LIST(T, p, one, row)                                                       \
    one(T, p.start_w) one(T, p.start_ms) one(T, p.stop_ms) one(T, p.filter_ms)         \
    one(T, p.switch_w) one(T, p.switch_ms) one(T, p.switches)
#define READING_LIST(T, p, one, row)                                                   \
    row(T, p.i_ma) row(T, p.v_mv) one(T, p.p_w) one(T, p.changed_ms)
#define BASE_LIST(T, p, one, row)                                                      \
    one(T, p.valid) row(T, p.bound_ma) row(T, p.highest_ma) row(T, p.latest_ma)        \
    row(T, p.read_ma) row(T, p.peak_ma)                                                \
    row(T, p.risen_ma) row(T, p.noise_ma) row(T, p.doubt_ma) one(T, p.open) one(T, p.unsure) \
    one(T, p.mark_ms) row(T, p.mark_ma) one(T, p.waiting)
/* clang-format on */

/* ---- nothing is missing ----
 *
 * An initialiser without names has to have one value for each member; with fewer the
 * compiler complains. Inside of sizeof nothing is evaluated. */

#define ZERO(T, m) 0,
#define ZEROS(T, m) {0},
#define ZERO_STRUCT(T, m, list) ((T *)0)->m,
#define ZERO_STRUCTS(T, m, list) {{0}},
#define WHOLE(T, list)                                                                 \
    (void)sizeof((T){list(T, ZERO, ZEROS, ZERO_STRUCT, ZERO_STRUCTS, ZERO)})
#define WHOLE_INNER(T, list) (void)sizeof((T){list(T, x, ZERO, ZEROS)})

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wmissing-field-initializers"
__attribute__((unused)) static void whole(void)
{
    WHOLE(struct site, SITE_LIST);
    WHOLE(struct site_circuit, SITE_CIRCUIT_LIST);
    WHOLE(struct site_connector, SITE_CONNECTOR_LIST);
    WHOLE(struct site_meter, SITE_METER_LIST);
    WHOLE(struct site_charger, SITE_CHARGER_LIST);
    WHOLE(struct control, CONTROL_LIST);
    WHOLE(struct connector_state, CONNECTOR_LIST);
    WHOLE(struct charger_state, CHARGER_LIST);
    WHOLE(struct meter_state, METER_LIST);
    WHOLE(struct circuit_state, CIRCUIT_LIST);
    WHOLE(struct mark, MARK_LIST);
    WHOLE_INNER(struct event_wish, WISH_LIST);
    WHOLE_INNER(struct event_ceiling, CEILING_LIST);
    WHOLE_INNER(struct why, WHY_LIST);
    WHOLE_INNER(struct energy, ENERGY_LIST);
    WHOLE_INNER(struct taking, TAKING_LIST);
    WHOLE_INNER(struct turn, TURN_LIST);
    WHOLE_INNER(struct flight, FLIGHT_LIST);
    WHOLE_INNER(struct event_limit, LIMIT_LIST);
    WHOLE_INNER(struct phase_state, PHASE_LIST);
    WHOLE_INNER(struct solar_state, SOLAR_LIST);
    WHOLE_INNER(struct site_solar, SUN_LIST);
    WHOLE_INNER(struct event_meter, READING_LIST);
    WHOLE_INNER(struct base_state, BASE_LIST);
}
#pragma GCC diagnostic pop

/* ---- the tables ---- */

#define AT(T, m) (((T *)0)->m)
#define ONE(T, m) {#m, offsetof(T, m), 1, 0, FIELD_KIND(AT(T, m))},
#define ROW(T, m)                                                                      \
    {#m, offsetof(T, m), sizeof AT(T, m) / sizeof AT(T, m)[0], sizeof AT(T, m)[0],     \
     FIELD_KIND(AT(T, m)[0])},
#define IN(T, m, list) list(T, m, ONE, ROW)
#define OF(T, m, n, size) {#m, offsetof(T, m), n, size, FIELD_KIND(AT(T, m))},
#define OF_flight(T, m) OF(T, m, IN_FLIGHT, sizeof(struct flight))
#define OF_external(T, m) OF(T, m, LIMIT_SOURCES, sizeof(struct event_limit))
#define OF_wishes(T, m) OF(T, m, WISH_SOURCES, sizeof(struct event_wish))
#define EACH(T, m, list) list(T, m[0], OF_##m, OF_##m)
#define SKIP(T, m)
#define TABLE(name, T, list)                                                           \
    static const struct field name[] = {list(T, ONE, ROW, IN, EACH, SKIP)}

TABLE(site_fields, struct site, SITE_LIST);
TABLE(site_circuit_fields, struct site_circuit, SITE_CIRCUIT_LIST);
TABLE(site_connector_fields, struct site_connector, SITE_CONNECTOR_LIST);
TABLE(site_meter_fields, struct site_meter, SITE_METER_LIST);
TABLE(site_charger_fields, struct site_charger, SITE_CHARGER_LIST);
TABLE(control_fields, struct control, CONTROL_LIST);
TABLE(connector_fields, struct connector_state, CONNECTOR_LIST);
TABLE(charger_fields, struct charger_state, CHARGER_LIST);
TABLE(meter_fields, struct meter_state, METER_LIST);
TABLE(circuit_fields, struct circuit_state, CIRCUIT_LIST);
TABLE(mark_fields, struct mark, MARK_LIST);

#define FIELDS(table) table, (int)(sizeof table / sizeof table[0])

enum { SHIFT_MOST = 16 }; /* times are shifted by counters that stay below */

/* The arrays of a site are constant for everybody but who reads it back. */
static void *free_to_fill(const void *p)
{
    return (void *)(uintptr_t)p;
}

void memory_site(struct site *s, struct memory out[MEMORY_SITE])
{
    const struct memory all[MEMORY_SITE] = {
        {"site", s, sizeof *s, 1, FIELDS(site_fields)},
        {"circuit", free_to_fill(s->circuits), sizeof *s->circuits, s->n_circuits,
         FIELDS(site_circuit_fields)},
        {"connector", free_to_fill(s->connectors), sizeof *s->connectors,
         s->n_connectors, FIELDS(site_connector_fields)},
        {"meter", free_to_fill(s->meters), sizeof *s->meters, s->n_meters,
         FIELDS(site_meter_fields)},
        {"charger", free_to_fill(s->chargers), sizeof *s->chargers, s->n_chargers,
         FIELDS(site_charger_fields)},
    };

    memcpy(out, all, sizeof all);
}

void memory_control(struct control *k, struct memory out[MEMORY_CONTROL])
{
    const struct site *s = k->site;
    const struct memory all[MEMORY_CONTROL] = {
        {"control", k, sizeof *k, 1, FIELDS(control_fields)},
        {"connector", k->connectors, sizeof *k->connectors, s->n_connectors,
         FIELDS(connector_fields)},
        {"charger", k->chargers, sizeof *k->chargers, s->n_chargers,
         FIELDS(charger_fields)},
        {"meter", k->meters, sizeof *k->meters, s->n_meters, FIELDS(meter_fields)},
        {"circuit", k->circuits, sizeof *k->circuits, s->n_circuits,
         FIELDS(circuit_fields)},
        {"mark", k->marks, sizeof *k->marks, s->n_circuits * s->n_connectors,
         FIELDS(mark_fields)},
    };

    memcpy(out, all, sizeof all);
}

/* FNV-1a, of a text with its end */
static uint32_t hash_text(uint32_t h, const char *text)
{
    do
        h = (h ^ (uint8_t)*text) * 16777619u;
    while (*text++);
    return h;
}

uint32_t memory_layout(void)
{
    static const struct site none;
    struct control blank = {.site = &none};
    struct memory all[MEMORY_SITE + MEMORY_CONTROL];
    uint32_t h = 2166136261u;

    memory_site((struct site *)free_to_fill(&none), all);
    memory_control(&blank, all + MEMORY_SITE);
    for (int m = 0; m < MEMORY_SITE + MEMORY_CONTROL; m++)
        for (int f = 0; f < all[m].n_fields; f++) {
            const struct field *d = &all[m].fields[f];

            h = hash_text(hash_text(h, all[m].what), d->name);
            h = ((h ^ (uint32_t)d->count) * 16777619u ^ d->kind) * 16777619u;
        }
    return h;
}

static bool within(int value, int most)
{
    return value >= 0 && value <= most;
}

/* Currents that can be summed up without an overflow; `none`: or are not known. */
static bool currents(const int32_t ma[SITE_PHASES], bool none)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (!(none && ma[p] == EVENT_NO_VALUE) &&
            !within(ma[p] < 0 ? -(ma[p] + 1) : ma[p], CURRENT_MOST))
            return false;
    return true;
}

static bool circuit_sound(const struct circuit_state *c)
{
    const struct base_state *b = &c->base;

    return currents(b->bound_ma, false) && currents(b->highest_ma, false) &&
           currents(b->latest_ma, false) && currents(b->risen_ma, false) &&
           currents(b->noise_ma, false) && currents(b->doubt_ma, false) &&
           currents(b->mark_ma, false) && currents(b->read_ma, false) &&
           currents(b->peak_ma, false);
}

/* Its slot is an index; -1 = none yet. */
static bool solar_sound(const struct solar_state *s)
{
    const int64_t most = INT64_MAX / 4 / SOLAR_SLOTS;

    for (int i = 0; i < SOLAR_SLOTS; i++)
        if (!within(s->n[i], INT32_MAX / 2) || s->sum_ma[i] > most ||
            s->sum_ma[i] < -most)
            return false;
    return s->slot >= -1;
}

bool memory_sound(const struct control *k)
{
    if (!solar_sound(&k->solar))
        return false;
    for (int v = 0; v < k->site->n_circuits; v++)
        if (!circuit_sound(&k->circuits[v]))
            return false;
    for (int m = 0; m < k->site->n_meters; m++)
        if (!currents(k->meters[m].last.i_ma, true) ||
            !currents(k->meters[m].missed_ma, false) ||
            !within(k->meters[m].digit_ma, CURRENT_MOST))
            return false;
    for (int i = 0; i < k->site->n_circuits * k->site->n_connectors; i++)
        if (!currents(k->marks[i].ma, false))
            return false;
    for (int i = 0; i < k->site->n_connectors; i++) {
        const struct connector_state *c = &k->connectors[i];

        if (!currents(c->seen_ma, false) || !currents(c->sure_ma, false) ||
            !currents(c->own_ma, true) || !within(c->exp_ma, CURRENT_MOST) ||
            !within(c->held_ma, CURRENT_MOST) || !within(c->n_flight, IN_FLIGHT) ||
            !within(c->probes, FULL_PROBES) || !within(c->refusals, REFUSALS) ||
            !within(c->take.tries, FULL_PROBES) ||
            !within(c->take.returns, SHIFT_MOST) || c->status >= STATUS_COUNT ||
            c->mode >= MODE_COUNT || c->phases > 7)
            return false;
    }
    return true;
}

/* ---- the values ---- */

int64_t field_get(const void *at, const struct field *f, int i)
{
    const void *p = (const char *)at + f->offset + (size_t)i * f->stride;

    switch (f->kind) {
    case FIELD_BOOL:
        return *(const bool *)p;
    case FIELD_U8:
        return *(const uint8_t *)p;
    case FIELD_I8:
        return *(const int8_t *)p;
    case FIELD_I16:
        return *(const int16_t *)p;
    case FIELD_I32:
        return *(const int32_t *)p;
    case FIELD_U32:
        return *(const uint32_t *)p;
    case FIELD_I64:
        return *(const int64_t *)p;
    case FIELD_U64:
        return (int64_t) * (const uint64_t *)p;
    case FIELD_TEXT:
        break;
    }
    return 0;
}

bool field_set(void *at, const struct field *f, int i, int64_t v)
{
    void *p = (char *)at + f->offset + (size_t)i * f->stride;

    switch (f->kind) {
    case FIELD_BOOL:
        *(bool *)p = v != 0;
        break;
    case FIELD_U8:
        *(uint8_t *)p = (uint8_t)v;
        break;
    case FIELD_I8:
        *(int8_t *)p = (int8_t)v;
        break;
    case FIELD_I16:
        *(int16_t *)p = (int16_t)v;
        break;
    case FIELD_I32:
        *(int32_t *)p = (int32_t)v;
        break;
    case FIELD_U32:
        *(uint32_t *)p = (uint32_t)v;
        break;
    case FIELD_I64:
        *(int64_t *)p = v;
        break;
    case FIELD_U64:
        *(uint64_t *)p = (uint64_t)v;
        break;
    case FIELD_TEXT:
        return false;
    }
    return field_get(at, f, i) == v;
}
