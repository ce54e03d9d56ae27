/* SPDX-License-Identifier: Apache-2.0 */
/* The base load of a metered circuit: what its meter shows less what the cars below it
 * draw.
 *
 * The meter is read every second, cars tell their current every ten seconds or so, and
 * between two samples a car may do what it likes within its exposure. So there is no
 * exact base load, and we reckon with an upper bound of it:
 *
 * - By each reading: meter - sum of the last samples. Too high while a car draws more
 *   than in its last sample, too low while it draws less.
 * - At a *checkpoint*, a reading for which we wait until every car below has sent a
 *   sample measured before and one measured after it: meter - sum of the smaller ones.
 *   This is not too low when a car has stopped drawing in between. (Where we told it to
 *   draw more or less in between, the change is ours and the fitting sample counts.)
 *
 * The bound is the largest of the last confirmed checkpoint and of all readings since;
 * when a sample shows that a car draws more than before, the readings since are taken
 * to have been too high by as much, but not below the last reading reckoned anew. A car
 * whose charger never measures counts as drawing nothing: its draw then counts twice,
 * as base load and as its exposure. That is the safe side. */
#include "state.h"

/* A car's draw on that phase as far as its samples tell now. */
static int32_t draw(const struct control *k, int i, int phase)
{
    const struct connector_state *c = &k->connectors[i];
    int32_t seen = 0;

    if (c->seen_ms != NEVER && k->now_ms - c->seen_ms <= SAMPLE_STALE_MS)
        seen = c->seen_ma[phase];
    return seen;
}

/* Whether a sample of it is still needed to know what it drew. */
static bool needed(const struct control *k, int i)
{
    const struct connector_state *c = &k->connectors[i];

    if (c->seen_ms == NEVER || k->now_ms - c->seen_ms > SAMPLE_STALE_MS)
        return false; /* then it counts as drawing nothing */
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] > 0)
            return true;
    return c->exp_ma > 0;
}

static struct mark *mark_of(struct control *k, int circuit, int connector)
{
    return &k->marks[circuit * k->site->n_connectors + connector];
}

static void open_checkpoint(struct control *k, int circuit, const int32_t *meter_ma)
{
    struct base_state *b = &k->circuits[circuit].base;

    b->open = true;
    b->waiting = 0;
    b->mark_ms = k->now_ms;
    for (int p = 0; p < SITE_PHASES; p++)
        b->mark_ma[p] = meter_ma[p];
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct mark *m = mark_of(k, circuit, i);

        m->pending = false;
        if (!control_below(k, k->site->connectors[i].circuit, circuit))
            continue;
        for (int p = 0; p < SITE_PHASES; p++)
            m->ma[p] = draw(k, i, p);
        m->pending = needed(k, i);
        b->waiting += m->pending;
    }
}

static void close_checkpoint(struct control *k, int circuit)
{
    struct base_state *b = &k->circuits[circuit].base;

    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t drawn = 0;

        for (int i = 0; i < k->site->n_connectors; i++)
            if (control_below(k, k->site->connectors[i].circuit, circuit))
                drawn += mark_of(k, circuit, i)->ma[p];
        b->bound_ma[p] = (int32_t)(b->mark_ma[p] - drawn);
        b->highest_ma[p] = b->latest_ma[p];
    }
    b->open = false;
}

/* A fresh reading of the circuit's meter has come. */
void base_reading(struct control *k, int circuit)
{
    struct base_state *b = &k->circuits[circuit].base;
    const struct event_meter *m = &k->meters[k->site->circuits[circuit].meter].last;
    int32_t meter_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t drawn = 0;

        meter_ma[p] = m->i_ma[p];
        if (meter_ma[p] == EVENT_NO_VALUE) /* as good as lost: taken as full */
            meter_ma[p] = k->site->circuits[circuit].base_ma[p];
        else
            for (int i = 0; i < k->site->n_connectors; i++)
                if (control_below(k, k->site->connectors[i].circuit, circuit))
                    drawn += draw(k, i, p);
        b->latest_ma[p] = (int32_t)(meter_ma[p] - drawn);
        b->highest_ma[p] -= b->risen_ma[p];
        b->risen_ma[p] = 0;
        if (!b->valid)
            b->bound_ma[p] = b->highest_ma[p] = b->latest_ma[p];
        else if (b->latest_ma[p] > b->highest_ma[p])
            b->highest_ma[p] = b->latest_ma[p];
    }
    b->valid = true;
    if (!b->open)
        open_checkpoint(k, circuit, meter_ma);
    if (b->waiting == 0)
        close_checkpoint(k, circuit);
}

static void confirm(struct control *k, int circuit, int i)
{
    struct base_state *b = &k->circuits[circuit].base;
    struct mark *m = mark_of(k, circuit, i);
    const struct connector_state *c = &k->connectors[i];
    bool raised = c->raised_ms != NEVER && k->now_ms - c->raised_ms <= SLACK_MS &&
                  c->raised_ms < b->mark_ms;
    bool lowered =
        c->lowered_ms != NEVER && c->lowered_ms + 2 * k->site->settle_ms >= b->mark_ms;

    if (!b->open || !m->pending || k->now_ms < b->mark_ms + SAMPLE_LAG_MS)
        return;
    for (int p = 0; p < SITE_PHASES; p++)
        if (c->seen_ma[p] > m->ma[p] ? raised : !lowered)
            m->ma[p] = c->seen_ma[p];
    m->pending = false;
    if (--b->waiting == 0)
        close_checkpoint(k, circuit);
}

/* The connector draws more or less than before, by its sample. The last reading may be
 * older or younger than the change: what makes the base load higher counts at once. */
static void shift(struct base_state *b, const int32_t more_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (more_ma[p] > 0) {
            b->risen_ma[p] += more_ma[p];
        } else {
            b->latest_ma[p] -= more_ma[p];
            if (b->highest_ma[p] < b->latest_ma[p])
                b->highest_ma[p] = b->latest_ma[p];
        }
}

/* A sample of the connector has come; it drew before_ma by the one before. */
void base_sample(struct control *k, int connector, int64_t before_ms,
                 const int32_t before_ma[SITE_PHASES])
{
    int32_t more_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++)
        more_ma[p] = k->connectors[connector].seen_ma[p] - before_ma[p];
    for (int v = k->site->connectors[connector].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent) {
        if (!k->circuits[v].base.valid)
            continue;
        fresh_sample(k, v, before_ms, more_ma);
        shift(&k->circuits[v].base, more_ma);
        confirm(k, v, connector);
    }
}

bool base_metered(const struct control *k, int circuit)
{
    int m = k->site->circuits[circuit].meter;

    return m != SITE_NONE && fresh_meter(k, m);
}

void base_now(struct control *k, int circuit)
{
    const struct site_circuit *c = &k->site->circuits[circuit];
    struct circuit_state *s = &k->circuits[circuit];

    if (!base_metered(k, circuit)) {
        for (int p = 0; p < SITE_PHASES; p++)
            s->base_ma[p] = c->base_ma[p];
        s->base.valid = s->base.open = false;
        return;
    }
    /* a connector that fell silent is not waited for */
    for (int i = 0; s->base.open && i < k->site->n_connectors; i++) {
        struct mark *m = mark_of(k, circuit, i);

        if (!m->pending || needed(k, i))
            continue;
        for (int p = 0; p < SITE_PHASES; p++)
            m->ma[p] = 0;
        m->pending = false;
        if (--s->base.waiting == 0)
            close_checkpoint(k, circuit);
    }
    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t most_ma = s->base.bound_ma[p] > s->base.highest_ma[p]
                              ? s->base.bound_ma[p]
                              : s->base.highest_ma[p];
        int64_t wide_ma = most_ma + fresh_margin(k, circuit, p);

        if (wide_ma > c->base_ma[p]) /* no wider than when it is lost */
            wide_ma = most_ma > c->base_ma[p] ? most_ma : c->base_ma[p];
        s->base_ma[p] = wide_ma;
    }
}
