/* SPDX-License-Identifier: Apache-2.0 */
/* Test vectors. A register that a vector does not list reads 0; a request that begins
 * at one is refused by a SunSpec device. */
#include "meter/vector.h"

#include <math.h>
#include <stdlib.h>

#include "meter/decode.h"
#include "meter/sunspec.h"

static bool find_word(const struct vector *v, int at, uint16_t *word)
{
    for (int i = 0; i < v->n_words; i++)
        if (v->words[i].at == at) {
            *word = v->words[i].word;
            return true;
        }
    *word = 0;
    return false;
}

static void fill_block(const struct vector *v, struct block *b)
{
    for (int k = 0; k < b->n; k++)
        find_word(v, b->at + k, &b->regs[k]);
    b->valid = true;
}

/* Finds the layout and its offset as on a real device. */
static bool discover(const struct definition *d, const struct vector *v,
                     struct decode *out, struct meter_errors *e)
{
    struct sunspec_walk w;
    uint16_t words[WALK_WORDS];
    char text[160];

    sunspec_begin(&w, d);
    while (!sunspec_done(&w)) {
        bool there = find_word(v, w.at, &words[0]);

        for (int i = 1; i < w.n; i++)
            find_word(v, w.at + i, &words[i]);
        sunspec_answer(&w, there ? words : NULL);
    }
    if (w.state != WALK_FOUND) {
        meter_error(e, v->line, v->col, "test: %s",
                    sunspec_text(&w, text, sizeof text));
        return false;
    }
    out->layout = definition_model(d, w.model_id);
    out->offset = w.model_at;
    return true;
}

static int64_t got_value(const struct meter_reading *r, const struct vector_want *w,
                         bool *null)
{
    int32_t v = EVENT_NO_VALUE;

    if (w->quantity == QUANTITY_E_IMP || w->quantity == QUANTITY_E_EXP) {
        int64_t wh = w->quantity == QUANTITY_E_IMP ? r->import_wh : r->export_wh;

        *null = wh == EVENT_NO_ENERGY;
        return wh;
    }
    switch (w->quantity) {
    case QUANTITY_V:
        v = r->v_mv[w->phase];
        break;
    case QUANTITY_I:
        v = r->i_ma[w->phase];
        break;
    case QUANTITY_PP:
        v = r->p_phase_w[w->phase];
        break;
    case QUANTITY_P:
        v = r->p_w;
        break;
    case QUANTITY_PV_P:
        v = r->pv_w;
        break;
    case QUANTITY_BAT_P:
        v = r->bat_w;
        break;
    case QUANTITY_SOC:
        v = r->soc_permille;
        break;
    default:
        v = r->hz_mhz;
        break;
    }
    *null = v == EVENT_NO_VALUE;
    return v;
}

static bool compare(const struct meter_reading *r, const struct vector_want *w,
                    struct meter_errors *e)
{
    int exponent = quantity_exponent(w->quantity);
    bool null;
    int64_t got = got_value(r, w, &null);
    int64_t want = llround(number_scale(1, w->value, exponent));

    if (w->null ? null : !null && got == want)
        return true;
    if (null)
        meter_error(e, w->line, w->col, "test: %s gives no value", w->name);
    else
        meter_error(e, w->line, w->col, "test: %s gives %.*f", w->name, exponent,
                    number_scale((double)got, (struct decimal){1, 0}, -exponent));
    return false;
}

bool vector_run(const struct definition *d, const struct vector *v,
                struct meter_errors *e)
{
    struct decode decode = {.layout = d, .device = d};
    struct plan *plan = calloc(1, sizeof *plan);
    struct meter_reading r;
    bool good = plan != NULL;

    if (good && d->sunspec.used)
        good = discover(d, v, &decode, e);
    if (good && !plan_make(plan, decode.layout, decode.offset)) {
        meter_error(e, v->line, v->col, "test: the plan does not fit");
        good = false;
    }
    for (int i = 0; good && i < plan->n_blocks; i++)
        fill_block(v, &plan->blocks[i]);
    if (good) {
        decode_reading(&decode, plan, &r);
        for (int i = 0; i < v->n_wants; i++)
            good = compare(&r, &v->wants[i], e) && good;
    }
    free(plan);
    return good;
}

int definition_prove(const struct definition *d, struct meter_errors *e)
{
    int passed = 0;

    for (int i = 0; i < d->n_vectors; i++)
        passed += vector_run(d, &d->vectors[i], e);
    if (d->n_vectors == 0)
        meter_error(e, 1, 1, "there is no test: registers and the values they mean");
    if (!d->is_model && !d->sunspec.used && d->probe.point < 0)
        meter_error(e, 1, 1,
                    "there is no probe: a point and its range, to tell the "
                    "device from others");
    return passed;
}
