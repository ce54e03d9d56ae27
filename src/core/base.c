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
 *   draw more or less in between, the change is ours and the fitting sample counts; but
 *   where the car may have followed by then or not, the bound does not fall.)
 *
 * The bound is the largest of the last confirmed checkpoint and of all readings since;
 * when a sample shows that a car draws more than before, the readings since are taken
 * to have been too high by as much, but not below the last reading reckoned anew. When
 * it shows that a car draws less, there is doubt until the next reading: nothing is
 * raised on the part in doubt. While cars below have been told less and may not have
 * followed, or their charger was lost after their last sample, the last samples may be
 * too high: the bound does not fall, and when the meter rises then, what it had come
 * down before is taken for theirs.
 *
 * Of a car with unknown wiring only what it draws on all phases is taken off.
 *
 * A car whose charger never measures, or that nobody hears, counts as drawing nothing:
 * its draw then counts twice, as base load and as its exposure. That is the safe side.
 */
#include "state.h"

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* A current that was measured at that time, as far as it is still true: from before the
 * car had to be down at its exposure, it is no more than that. */
static int32_t still(const struct connector_state *c, int32_t ma, int64_t at_ms)
{
    return grant_fell_since(c, at_ms) ? min32(ma, c->exp_ma) : ma;
}

/* A car's draw on that phase as far as we know now. */
int32_t base_draw(const struct control *k, int i, int phase)
{
    const struct connector_state *c = &k->connectors[i];

    if (c->seen_ms == NEVER || k->now_ms - c->seen_ms > SAMPLE_STALE_MS)
        return 0;
    return still(c, c->sure_ma[phase], c->seen_ms);
}

/* The same at the time of a reading, which may be one that comes late: a younger sample
 * does not tell what was drawn then. */
static int32_t draw_at(const struct control *k, int i, int phase, int64_t at_ms)
{
    const struct connector_state *c = &k->connectors[i];
    int32_t ma = base_draw(k, i, phase);

    return c->seen_ms > at_ms + LATE_MS ? min32(ma, c->past_ma[phase]) : ma;
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

static void open_checkpoint(struct control *k, int circuit, const int32_t *meter_ma,
                            int64_t at_ms)
{
    struct base_state *b = &k->circuits[circuit].base;

    b->open = true;
    b->unsure = false;
    b->waiting = 0;
    b->mark_ms = at_ms;
    for (int p = 0; p < SITE_PHASES; p++)
        b->mark_ma[p] = meter_ma[p];
    for (int i = 0; i < k->site->n_connectors; i++) {
        struct mark *m = mark_of(k, circuit, i);

        m->pending = false;
        if (!control_below(k, k->site->connectors[i].circuit, circuit))
            continue;
        m->pending = needed(k, i); /* nothing proves that another draws anything */
        for (int p = 0; p < SITE_PHASES; p++)
            m->ma[p] = m->pending ? draw_at(k, i, p, at_ms) : 0;
        b->waiting += m->pending;
    }
}

/* Its charger was lost after its last sample and may have been off since. */
static bool unheard(const struct control *k, int i)
{
    const struct charger_state *ch = &k->chargers[k->site->connectors[i].charger];

    return k->connectors[i].seen_ms < ch->since_ms;
}

/* A car that has been told less and may not have followed yet. */
static bool comes_down(const struct connector_state *c)
{
    return (c->settle_ms != NEVER || c->n_flight > 0) && c->told_ma < c->exp_ma;
}

/* What the car draws at least, when it drew draw_ma by its last sample. */
static int32_t least_ma(const struct control *k, int i, int32_t draw_ma)
{
    const struct connector_state *c = &k->connectors[i];

    if (draw_ma > 0 && unheard(k, i))
        return 0;
    return comes_down(c) ? min32(draw_ma, max32(c->told_ma, 0)) : draw_ma;
}

/* Whether cars below may draw less than their last samples tell. */
static bool settling(const struct control *k, int circuit)
{
    for (int i = 0; i < k->site->n_connectors; i++) {
        if (!control_below(k, k->site->connectors[i].circuit, circuit))
            continue;
        if (comes_down(&k->connectors[i]))
            return true;
        for (int p = 0; p < SITE_PHASES; p++) {
            int32_t ma = base_draw(k, i, p);

            if (least_ma(k, i, ma) < ma)
                return true;
        }
    }
    return false;
}

/* By how much these draw less than their last samples tell, at most: as much as the
 * meter has come down. */
static int64_t fallen(const struct control *k, int circuit, int phase)
{
    const struct base_state *b = &k->circuits[circuit].base;
    int64_t most = 0, down = (int64_t)b->peak_ma[phase] - b->read_ma[phase];

    for (int i = 0; i < k->site->n_connectors; i++)
        if (control_below(k, k->site->connectors[i].circuit, circuit)) {
            int32_t ma = base_draw(k, i, phase);

            most += ma - least_ma(k, i, ma);
        }
    return most < down ? most : down;
}

static void close_checkpoint(struct control *k, int circuit)
{
    struct base_state *b = &k->circuits[circuit].base;
    bool falling = settling(k, circuit); /* the last samples may be too high */

    for (int p = 0; p < SITE_PHASES; p++) {
        int64_t drawn = 0;

        for (int i = 0; i < k->site->n_connectors; i++)
            if (control_below(k, k->site->connectors[i].circuit, circuit))
                drawn += mark_of(k, circuit, i)->ma[p];
        int32_t bound_ma = current_bounded(b->mark_ma[p] - drawn);

        b->bound_ma[p] = b->unsure ? max32(b->bound_ma[p], bound_ma) : bound_ma;
        if (!falling)
            b->highest_ma[p] = b->latest_ma[p];
    }
    b->open = false;
}

/* How much the base load moves from reading to reading: a mean over about eight. A step
 * counts for little. */
static void listen(struct base_state *b, int phase, int32_t before_ma)
{
    int32_t by = b->latest_ma[phase] - before_ma, noise = b->noise_ma[phase];

    by = min32(by < 0 ? -by : by, NOISE_STEP_MA);
    b->noise_ma[phase] = (7 * noise + by) / 8;
}

/* A reading of the circuit's meter has come. */
void base_reading(struct control *k, int circuit)
{
    struct base_state *b = &k->circuits[circuit].base;
    const struct meter_state *m = &k->meters[k->site->circuits[circuit].meter];
    bool falling = b->valid && settling(k, circuit);
    int32_t meter_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++) {
        int32_t before_ma = b->latest_ma[p];
        int64_t drawn = 0;

        meter_ma[p] = m->last.i_ma[p];
        if (meter_ma[p] == EVENT_NO_VALUE) /* as good as lost: taken as full */
            meter_ma[p] = k->site->circuits[circuit].base_ma[p];
        else
            for (int i = 0; i < k->site->n_connectors; i++)
                if (control_below(k, k->site->connectors[i].circuit, circuit))
                    drawn += draw_at(k, i, p, m->at_ms);
        if (falling && meter_ma[p] >= b->read_ma[p] + MOVED_MA)
            drawn -= fallen(k, circuit, p);
        b->read_ma[p] = meter_ma[p];
        b->latest_ma[p] = current_bounded(meter_ma[p] - drawn);
        b->highest_ma[p] = current_bounded((int64_t)b->highest_ma[p] - b->risen_ma[p]);
        b->risen_ma[p] = b->doubt_ma[p] = 0;
        if (b->valid)
            listen(b, p, before_ma);
        if (!b->valid)
            b->bound_ma[p] = b->highest_ma[p] = b->latest_ma[p];
        else if (b->latest_ma[p] > b->highest_ma[p])
            b->highest_ma[p] = b->latest_ma[p];
        /* a car may have stopped before its charger was lost: that much it would be */
        b->peak_ma[p] =
            falling ? max32(b->peak_ma[p], meter_ma[p])
                    : current_bounded(max32(b->bound_ma[p], b->highest_ma[p]) + drawn);
    }
    b->valid = true;
    if (!b->open)
        open_checkpoint(k, circuit, meter_ma, m->at_ms);
    if (b->waiting == 0)
        close_checkpoint(k, circuit);
}

static void confirm(struct control *k, int circuit, int i)
{
    struct base_state *b = &k->circuits[circuit].base;
    struct mark *m = mark_of(k, circuit, i);
    const struct connector_state *c = &k->connectors[i];
    bool raised = c->raised_ms != NEVER && c->rising_ms < b->mark_ms &&
                  b->mark_ms <= c->raised_ms + SLACK_MS;
    bool lowered =
        c->lowered_ms != NEVER && c->lowered_ms + 2 * c->settle_for_ms >= b->mark_ms;
    bool done = c->n_flight == 0 && b->mark_ms >= c->answered_ms + c->settle_for_ms;
    bool before = b->mark_ms <= c->lowered_ms;

    if (!b->open || !m->pending || k->now_ms < b->mark_ms + SAMPLE_LAG_MS)
        return;
    for (int p = 0; p < SITE_PHASES; p++) {
        bool more = c->sure_ma[p] > m->ma[p];

        if (more ? raised && !done : c->sure_ma[p] < m->ma[p] && lowered && !before)
            b->unsure = true;
        if (more ? raised : !lowered)
            m->ma[p] = c->sure_ma[p];
    }
    m->pending = false;
    if (--b->waiting == 0)
        close_checkpoint(k, circuit);
}

/* The connector draws more or less than before, by its sample. The last reading may be
 * older or younger than the change; the next one is surely younger. Until then the base
 * load may be as much higher as the connector draws less. */
static void shift(struct base_state *b, const int32_t more_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (more_ma[p] > 0) {
            b->risen_ma[p] = current_bounded((int64_t)b->risen_ma[p] + more_ma[p]);
        } else {
            b->doubt_ma[p] = current_bounded((int64_t)b->doubt_ma[p] - more_ma[p]);
        }
}

/* A sample of the connector has come; it drew before_ma by the one before. */
void base_sample(struct control *k, int connector, int64_t before_ms,
                 const int32_t before_ma[SITE_PHASES])
{
    int32_t more_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++)
        more_ma[p] = base_draw(k, connector, p) -
                     still(&k->connectors[connector], before_ma[p], before_ms);
    for (int v = k->site->connectors[connector].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent) {
        if (!k->circuits[v].base.valid)
            continue;
        fresh_sample(k, v, before_ms, more_ma);
        shift(&k->circuits[v].base, more_ma);
        confirm(k, v, connector);
    }
}

/* The connector may draw less than before, by its set point, than its last sample told;
 * the last reading was reckoned with before_ma. */
void base_settled(struct control *k, int connector,
                  const int32_t before_ma[SITE_PHASES])
{
    int32_t more_ma[SITE_PHASES];

    for (int p = 0; p < SITE_PHASES; p++)
        more_ma[p] = min32(0, base_draw(k, connector, p) - before_ma[p]);
    for (int v = k->site->connectors[connector].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        if (k->circuits[v].base.valid)
            shift(&k->circuits[v].base, more_ma);
}

/* Its charger says that it has started: it may have been off for a while, and a load
 * may have risen behind that; or it was not, as many say so with each connection. A
 * sample tells, and the bound does not fall by what was drawn before. */
void base_restarted(struct control *k, int connector)
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (base_draw(k, connector, p) > 0)
            grant_ask(k, connector, ASK_MS);
    for (int v = k->site->connectors[connector].circuit; v != SITE_NONE;
         v = k->site->circuits[v].parent)
        k->circuits[v].base.unsure |= mark_of(k, v, connector)->pending;
}

/* What is better left free, so that noise does not call for cuts. */
int32_t base_guard(const struct control *k, int circuit, int phase)
{
    const struct base_state *b = &k->circuits[circuit].base;

    return b->valid ? 2 * b->noise_ma[phase] : 0;
}

/* By how much the base load may be higher until the next reading tells. */
int32_t base_doubt(const struct control *k, int circuit, int phase)
{
    const struct circuit_state *s = &k->circuits[circuit];

    if (!s->base.valid)
        return 0;
    return max32(0, s->base.latest_ma[phase] + s->base.doubt_ma[phase] -
                        (int32_t)s->base_ma[phase]);
}

bool base_metered(const struct control *k, int circuit)
{
    int m = k->site->circuits[circuit].meter;

    return m != SITE_NONE && fresh_meter(k, m);
}

/* When the last reading says that there is room again, and somebody has use for it, the
 * samples that can prove it are asked for. */
static void ask_for_proof(struct control *k, int circuit)
{
    const struct circuit_state *s = &k->circuits[circuit];
    bool worth = false;

    for (int p = 0; p < SITE_PHASES; p++)
        worth |= (s->short_rows >> p & 1 || s->short_rows >> SHARE_POWER & 1) &&
                 s->base_ma[p] - s->base.latest_ma[p] >= PROOF_MA;
    if (!worth || !s->base.open || k->now_ms < s->base.mark_ms + ASK_MS)
        return;
    for (int i = 0; i < k->site->n_connectors; i++)
        if (mark_of(k, circuit, i)->pending)
            grant_ask(k, i, PROOF_EVERY_MS);
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
        int32_t most_ma = max32(s->base.bound_ma[p], s->base.highest_ma[p]);
        int32_t wide_ma = most_ma + fresh_margin(k, circuit, p);

        if (wide_ma > c->base_ma[p]) /* no wider than when it is lost */
            wide_ma = max32(most_ma, c->base_ma[p]);
        s->base_ma[p] = wide_ma;
    }
    ask_for_proof(k, circuit);
}
