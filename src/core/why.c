/* SPDX-License-Identifier: Apache-2.0 */
/* Why a connector is offered what it is offered, and until when: the words of the
 * kernel, which knows only numbers, turned into what is true for people. */
#include "state.h"

/* A circuit that is full because nobody knows what flows there is told as such. */
static void blame_meter(const struct control *k, struct why *why)
{
    if ((why->reason == REASON_CIRCUIT || why->reason == REASON_POWER ||
         why->reason == REASON_WAITING) &&
        why->circuit != SITE_NONE &&
        k->site->circuits[why->circuit].meter != SITE_NONE &&
        !base_metered(k, why->circuit))
        why->reason = REASON_METER_LOST;
}

/* The external limit that makes the circuit full ends by itself. */
static int64_t external_end(const struct control *k, int circuit)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (control_limit(k, circuit, p) < k->site->circuits[circuit].limit_ma[p])
            return limit_end(&k->circuits[circuit]);
    return NEVER;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a == NEVER || (b != NEVER && b < a) ? b : a;
}

/* When it is over at the latest, or NEVER when nobody knows. */
static int64_t until(const struct control *k, int i, const struct why *why)
{
    switch (why->reason) {
    case REASON_SATISFIED:
        return reclaim_until(k, i);
    case REASON_WAITING:
        if (why->circuit == SITE_NONE)
            return NEVER;
        return sooner(k->connectors[i].turn.turn_ms, external_end(k, why->circuit));
    case REASON_EXTERNAL:
        return k->connectors[i].ceiling.until_ms == INT64_MAX
                   ? NEVER
                   : k->connectors[i].ceiling.until_ms;
    case REASON_CIRCUIT:
        return why->circuit == SITE_NONE ? NEVER : external_end(k, why->circuit);
    default:
        return NEVER;
    }
}

/* Of a connector that takes no part in the sharing. */
struct why why_aside(const struct control *k, int i, enum reason reason)
{
    struct why why = {reason, SITE_NONE, SITE_NONE, NEVER};

    why.until_ms = until(k, i, &why);
    return why;
}

/* Of one that had to stop and waits for its pause to end. */
struct why why_resting(const struct control *k, int i)
{
    return (struct why){REASON_WAITING, SITE_NONE, SITE_NONE,
                        k->connectors[i].stopped_ms + k->site->pause_ms};
}

/* Of one that took part, by the kernel's answer. */
struct why why_shared(const struct control *k, int i, const struct share_car *car)
{
    const struct connector_state *c = &k->connectors[i];
    const struct site_connector *conf = &k->site->connectors[i];
    int32_t ceiling_ma = ceiling_of(k, i);
    struct why why = car->why;

    if (c->ceiled && (why.reason == REASON_MAX || car->max_ma == 0)) {
        why = (struct why){REASON_EXTERNAL, SITE_NONE, SITE_NONE, NEVER};
    } else if (why.reason == REASON_MAX) {
        if (car->max_ma == ceiling_ma && ceiling_ma < problem_max(k, i))
            why.reason = REASON_EXTERNAL;
        else if (car->max_ma < (c->card_ma > 0 && c->card_ma < conf->max_ma
                                    ? c->card_ma
                                    : conf->max_ma))
            why.reason = REASON_SATISFIED;
    }
    if (car->current_ma > 0 && (c->full || c->probed)) /* the car gives the reason */
        why = (struct why){REASON_SATISFIED, SITE_NONE, SITE_NONE, NEVER};
    blame_meter(k, &why);
    why.until_ms = until(k, i, &why);
    return why;
}

/* The same as people see it at this moment. */
struct why why_now(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];
    struct why why = c->why;

    if (!k->chargers[k->site->connectors[i].charger].online)
        why = (struct why){REASON_OFFLINE, SITE_NONE, SITE_NONE, NEVER};
    else if (c->told_ma + RAISE_MIN_MA <= c->target_ma)
        why = (struct why){REASON_RAMP, why.circuit, why.phase, NEVER};
    if (why.until_ms <= k->now_ms)
        why.until_ms = NEVER;
    return why;
}
