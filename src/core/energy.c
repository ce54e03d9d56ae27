/* SPDX-License-Identifier: Apache-2.0 */
/* What a car has had since it came, and what it still wants: the driver's wish less
 * what was measured since it was told.
 *
 * A charger's register tells it exactly. Between two values of the register, or where
 * there is none, the power of the last sample is taken to have lasted until this one;
 * the next value of the register takes the place of that guess. */
#include "state.h"

enum { MJ_PER_WH = 3600000, SATISFIED_PCT = 99 };
/* No car takes more, and no sum of what registers and powers tell overflows. */
#define MOST_MJ (INT64_MAX / 4)
#define MOST_WH (MOST_MJ / MJ_PER_WH)

void energy_begin(struct energy *e)
{
    *e = (struct energy){.register_wh = EVENT_NO_ENERGY, .at_ms = NEVER};
}

static int64_t power_w(const struct control *k, const struct event_sample *s)
{
    int64_t ma = 0;

    if (s->p_w != EVENT_NO_VALUE)
        return s->p_w;
    for (int p = 0; p < SITE_PHASES; p++)
        if (s->i_ma[p] != EVENT_NO_VALUE)
            ma += s->i_ma[p];
    return ma * k->site->voltage_mv / 1000000;
}

static void add(int64_t *mj, int64_t more_mj)
{
    if (*mj < MOST_MJ)
        *mj += more_mj;
}

/* A register that runs backwards was reset: it counts on from there. */
static void read_register(struct energy *e, int64_t wh)
{
    if (wh > MOST_WH || wh < -MOST_WH)
        return;
    if (e->register_wh == EVENT_NO_ENERGY || wh < e->register_wh)
        e->sure_mj = e->had_mj;
    else
        add(&e->sure_mj, (wh - e->register_wh) * MJ_PER_WH);
    e->had_mj = e->sure_mj;
    e->register_wh = wh;
}

void energy_sample(struct control *k, int connector, const struct event_sample *s)
{
    struct energy *e = &k->connectors[connector].energy;

    if (e->at_ms != NEVER && k->now_ms - e->at_ms <= SAMPLE_STALE_MS && e->power_w > 0)
        add(&e->had_mj, e->power_w * (k->now_ms - e->at_ms));
    if (s->energy_wh != EVENT_NO_ENERGY)
        read_register(e, s->energy_wh);
    e->power_w = power_w(k, s);
    e->at_ms = k->now_ms;
}

/* The wish counts from now on. */
void energy_wish(struct connector_state *c, const struct event_wish *w)
{
    if (w->source < 0 || w->source >= WISH_SOURCES)
        return;
    c->wishes[w->source] = *w;
    c->energy.wished_mj[w->source] = c->energy.had_mj;
}

void energy_no_wish(struct connector_state *c)
{
    for (int i = 0; i < WISH_SOURCES; i++)
        c->wishes[i] = (struct event_wish){.energy_wh = EVENT_NO_VALUE,
                                           .departs_ms = INT64_MAX,
                                           .source = (enum wish_source)i};
}

enum wish_source energy_by(const struct connector_state *c)
{
    int i = 0;

    while (i < WISH_SOURCES && c->wishes[i].energy_wh == EVENT_NO_VALUE)
        i++;
    return (enum wish_source)i;
}

enum wish_source energy_departs_by(const struct connector_state *c)
{
    int i = 0;

    while (i < WISH_SOURCES && c->wishes[i].departs_ms == INT64_MAX)
        i++;
    return (enum wish_source)i;
}

int64_t energy_departs_ms(const struct connector_state *c)
{
    enum wish_source by = energy_departs_by(c);

    return by == WISH_SOURCES ? INT64_MAX : c->wishes[by].departs_ms;
}

static int32_t wh(int64_t mj)
{
    mj /= MJ_PER_WH;
    return mj > INT32_MAX ? INT32_MAX : (int32_t)mj;
}

int32_t energy_had_wh(const struct connector_state *c)
{
    return wh(c->energy.had_mj);
}

/* A guess that the register has corrected may leave it with less than before. */
static int32_t since_wish_wh(const struct connector_state *c, enum wish_source by)
{
    int64_t mj = c->energy.had_mj - c->energy.wished_mj[by];

    return mj > 0 ? wh(mj) : 0;
}

int32_t energy_wished_wh(const struct connector_state *c, enum wish_source by)
{
    int32_t had = since_wish_wh(c, by), wanted = c->wishes[by].energy_wh;

    if (wanted == EVENT_NO_VALUE)
        return EVENT_NO_VALUE;
    return had < wanted ? wanted - had : 0;
}

int32_t energy_wanted_wh(const struct connector_state *c)
{
    enum wish_source by = energy_by(c);

    return by == WISH_SOURCES ? EVENT_NO_VALUE : energy_wished_wh(c, by);
}

/* Registers count in steps of up to 100 Wh, and a wish is a round number. */
bool energy_satisfied(const struct connector_state *c)
{
    enum wish_source by = energy_by(c);

    return by != WISH_SOURCES && (int64_t)since_wish_wh(c, by) * 100 >=
                                     (int64_t)c->wishes[by].energy_wh * SATISFIED_PCT;
}
