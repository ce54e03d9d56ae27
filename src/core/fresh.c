/* SPDX-License-Identifier: Apache-2.0 */
/* How far a meter can be trusted: how old its reading is, whether it still moves, and
 * how finely it tells.
 *
 * A gateway may answer for a meter that it no longer hears, with the last values for
 * ever. Such a meter is found by its values that stay the same to the last digit: for
 * longer than they may (site_meter.max_same_ms), or while the cars below it have
 * changed their current by more than a little. It then counts as lost.
 *
 * Between two readings a load may rise. The older the reading, the more is kept free:
 * nothing for two intervals, then a little each second, up to the base load that is
 * taken for true when the meter is lost. What its last digit stands for is kept free,
 * too: it is found as the greatest common divisor of what it told. */
#include "state.h"

enum {
    MOVE_MA = 2000,     /* a change of the cars' that their meter cannot miss */
    MOVE_LAG_MS = 5000, /* ... in this time */
    LIVELY_PART = 8,    /* of the time for which it may repeat itself */
    WIDEN_PART = 64,    /* of the limit, each second */
    STEP_MOST_MA = 1000,
    STEP_READINGS = 30 /* values that differ tell the last digit */
};

static int32_t gcd(int32_t a, int32_t b)
{
    while (b) {
        int32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static void still(struct meter_state *m)
{
    m->moved_ms = NEVER;
    for (int p = 0; p < SITE_PHASES; p++)
        m->missed_ma[p] = 0;
}

/* A reading has come. */
void fresh_reading(struct control *k, int meter, const struct event_meter *e)
{
    struct meter_state *m = &k->meters[meter];
    bool differs = false;

    if (m->at_ms == NEVER || e->changed_ms != m->last.changed_ms)
        still(m);
    for (int p = 0; p < SITE_PHASES; p++) {
        if (e->i_ma[p] == EVENT_NO_VALUE)
            continue;
        differs |= m->at_ms == NEVER || e->i_ma[p] != m->last.i_ma[p];
        m->digit_ma = gcd(m->digit_ma, e->i_ma[p]);
    }
    if (differs && m->readings < STEP_READINGS)
        m->readings++;
}

/* A car below the circuit draws otherwise than by its sample before, at before_ms. */
void fresh_sample(struct control *k, int circuit, int64_t before_ms,
                  const int32_t more_ma[SITE_PHASES])
{
    int at = k->site->circuits[circuit].meter;
    struct meter_state *m;

    if (at == SITE_NONE || before_ms == NEVER)
        return;
    m = &k->meters[at];
    if (m->at_ms == NEVER || m->last.changed_ms >= before_ms)
        return; /* it may have shown it */
    for (int p = 0; p < SITE_PHASES; p++) {
        m->missed_ma[p] = current_bounded((int64_t)m->missed_ma[p] + more_ma[p]);
        if ((m->missed_ma[p] > MOVE_MA || m->missed_ma[p] < -MOVE_MA) &&
            m->moved_ms == NEVER)
            m->moved_ms = k->now_ms;
    }
}

/* It answers, but always the same. */
bool fresh_frozen(const struct control *k, int meter)
{
    const struct meter_state *m = &k->meters[meter];
    int32_t most_ms = k->site->meters[meter].max_same_ms;

    if (most_ms == 0 || m->at_ms == NEVER)
        return false;
    return k->now_ms - m->last.changed_ms > most_ms ||
           (m->moved_ms != NEVER && k->now_ms - m->moved_ms > MOVE_LAG_MS);
}

/* It told something new not long ago: what it tells may be built on. */
bool fresh_lively(const struct control *k, int meter)
{
    int32_t most_ms = k->site->meters[meter].max_same_ms;

    return most_ms == 0 ||
           k->now_ms - k->meters[meter].last.changed_ms <= most_ms / LIVELY_PART;
}

bool fresh_meter(const struct control *k, int meter)
{
    const struct meter_state *m = &k->meters[meter];

    return m->at_ms != NEVER &&
           k->now_ms - m->at_ms <= k->site->meters[meter].max_age_ms &&
           !fresh_frozen(k, meter);
}

/* What is kept free for the age and the last digit of the circuit's reading, in mA. */
int32_t fresh_margin(const struct control *k, int circuit, int phase)
{
    const struct site_circuit *c = &k->site->circuits[circuit];
    const struct meter_state *m = &k->meters[c->meter];
    int64_t old_ms =
        k->now_ms - m->at_ms - 2 * (int64_t)k->site->meters[c->meter].interval_ms;
    int64_t ma = 0;

    if (m->readings == STEP_READINGS)
        ma = m->digit_ma < STEP_MOST_MA ? m->digit_ma : STEP_MOST_MA;
    if (old_ms > 0)
        ma += (int64_t)c->limit_ma[phase] / WIDEN_PART * old_ms / 1000;
    return (int32_t)ma;
}
