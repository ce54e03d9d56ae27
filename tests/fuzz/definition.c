/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a meter definition: refused with a place, or good for everything that is
 * done with one. Behind a NUL byte there may be the SunSpec model that it uses. */
#include <string.h>

#include "fuzz.h"
#include "meter/decode.h"
#include "meter/encode.h"
#include "meter/explain.h"
#include "meter/plausible.h"
#include "meter/vector.h"

static void put(void *arg, int fc, int at, uint16_t word)
{
    uint16_t *words = arg;

    FUZZ_MUST(fc >= 1 && fc <= 4);
    if (at >= 0 && at < 65536) /* a chain may run out of the address space */
        words[at] = word;
}

static struct definition *parse(const char *text, size_t size)
{
    struct meter_errors *e = calloc(1, sizeof *e);
    struct definition *d;

    FUZZ_MUST(e);
    e->file = "fuzz";
    d = definition_parse(text, size, NULL, e);
    FUZZ_MUST((d == NULL) == (e->n > 0));
    for (int i = 0; i < e->n && i < METER_ERRORS_MAX; i++)
        FUZZ_MUST(e->list[i].line > 0 && e->list[i].col > 0 && e->list[i].text[0]);
    free(e);
    return d;
}

/* Reads everything from a simulated device, splitting as if it refused the longest. */
static void use(const struct definition *d, const struct definition *layout, int offset)
{
    static const int32_t i_ma[] = {10000, -4000, 0};
    struct decode decode = {.layout = layout, .device = d, .offset = offset};
    struct plan *p = calloc(1, sizeof *p);
    uint16_t *words = calloc(65536, sizeof *words);
    struct meter_reading r;
    char text[160];

    FUZZ_MUST(p && words);
    reading_clear(&r);
    for (int i = 0; i < SITE_PHASES; i++) {
        r.v_mv[i] = 230000;
        r.i_ma[i] = i_ma[i];
        r.p_phase_w[i] = i_ma[i] / 1000 * 230;
    }
    encode_reading(&decode, &r, put, words);
    if (plan_make(p, layout, offset)) {
        for (int i = 0; i < 2 * PLAN_BLOCKS; i++)
            if (i % 3 < p->n_blocks)
                plan_split(p, i % 3);
        for (int i = 0; i < p->n_blocks; i++) {
            struct block *b = &p->blocks[i];

            FUZZ_MUST(b->n >= 1 && b->n <= PLAN_REGS && b->at + b->n <= 65536);
            memcpy(b->regs, words + b->at, (size_t)b->n * sizeof *words);
            b->valid = true;
        }
        FUZZ_MUST(plan_bus_ms(p, d, PACE_FAST) >= 0);
        decode_reading(&decode, p, &r);
        reading_complete(&r, layout->phases);
        reading_believed(&(struct belief){0}, &r, layout, text, sizeof text);
        explain_word_order(&decode, p);
    }
    free(words);
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t first = zero ? (size_t)(zero - data) : size;
    struct definition *d = parse((const char *)data, first), *model = NULL;

    if (d && zero)
        model = parse((const char *)zero + 1, size - first - 1);
    if (d && model && d->sunspec.used && model->is_model)
        definition_add_model(d, model);
    else
        definition_free(model);
    if (d && !d->sunspec.used)
        use(d, d, 0);
    if (d && d->n_models)
        use(d, d->models[0], 40069);
    if (d && (!d->sunspec.used || d->n_models)) {
        struct meter_errors *e = calloc(1, sizeof *e);

        FUZZ_MUST(e);
        for (int i = 0; i < d->n_vectors; i++)
            vector_run(d, &d->vectors[i], e);
        free(e);
    }
    definition_free(d);
    return 0;
}
