/* SPDX-License-Identifier: Apache-2.0 */
/* Any registers as those of a device: its SunSpec chain is walked and its values are
 * decoded. The first byte says which of some definitions. */
#include <string.h>

#include "fuzz.h"
#include "meter/decode.h"
#include "meter/plausible.h"
#include "meter/sunspec.h"

static const char plain[] = "format: 1\nid: x\nname: x\nkind: meter\nphases: 3\n"
                            "bus: {via: [tcp], unit: 1}\nlimits: {max_regs: 60}\n"
                            "defaults: {fc: 3, type: f32}\n"
                            "static: [ct]\n"
                            "points:\n"
                            "  v: {at: [0, 2, 4], unit: V, na: sunspec}\n"
                            "  i: {at: [6, 8, 10], unit: A, sign: pp, mul: [ct]}\n"
                            "  pp: {at: [12, 14, 16], minus: [18, 20, 22], type: u32,"
                            " sf: 24, unit: W, order: ws}\n"
                            "  e_imp: {at: 25, type: f64, unit: kWh, counter: true}\n"
                            "  e_exp: {at: 29, type: u64, unit: kWh, counter: true}\n"
                            "  ct: {at: 33, type: i16, internal: true}\n";
static const char chain[] = "format: 1\nid: x\nname: x\nkind: meter\nphases: 3\n"
                            "bus: {via: [tcp], unit: 1}\n"
                            "sunspec: {base: [0, 40, 50000], use: [203], nth: 1,"
                            " match: {Mn: A}}\n";
static const char model[] = "format: 1\nid: m\nname: m\nkind: meter\nphases: 3\n"
                            "sunspec_model: {ids: [203], len: 20}\n"
                            "defaults: {fc: 3, type: i16, na: sunspec}\n"
                            "points:\n"
                            "  i: {at: [3, 4, 5], sf: 6, unit: A, sign: pp}\n"
                            "  v: {at: [7, 8, 9], sf: 10, unit: V}\n"
                            "  pp: {at: [11, 12, 13], sf: 14, unit: W}\n"
                            "  e_imp: {at: 15, type: u32, na0: true, sf: 17, x: 0.001,"
                            " unit: kWh, counter: true}\n";

static struct definition *parse(const char *text)
{
    struct meter_errors e = {.file = "fuzz"};
    struct definition *d = definition_parse(text, strlen(text), NULL, &e);
    char errors[METER_ERRORS_MAX * 240];

    if (!d)
        fputs(meter_errors_text(&e, errors, sizeof errors), stderr);
    FUZZ_MUST(d);
    return d;
}

/* The device repeats its registers for ever, and refuses one in 256 requests. */
struct device {
    const uint8_t *data;
    size_t size;
    uint8_t refuse;
};

static const uint16_t *words_of(const struct device *v, int at, int n, uint16_t *out)
{
    if ((uint8_t)(at + n) == v->refuse)
        return NULL;
    for (int i = 0; i < n; i++) {
        size_t k = (size_t)(at + i) * 2 % v->size;

        out[i] = (uint16_t)(v->data[k] << 8 | v->data[(k + 1) % v->size]);
    }
    return out;
}

static void decode(const struct definition *d, const struct definition *layout,
                   int offset, const struct device *v)
{
    struct decode how = {.layout = layout, .device = d, .offset = offset};
    struct plan *p = calloc(1, sizeof *p);
    struct meter_reading r;
    char text[160] = "";

    FUZZ_MUST(p);
    for (int i = 0; plan_make(p, layout, offset) && i < p->n_blocks; i++) {
        struct block *b = &p->blocks[i];

        FUZZ_MUST(b->n >= 1 && b->n <= PLAN_REGS && b->at + b->n <= 65536);
        b->valid = words_of(v, b->at, b->n, b->regs) != NULL;
    }
    decode_reading(&how, p, &r);
    for (int i = 0; i < SITE_PHASES; i++) { /* the core's own bound on what it takes */
        FUZZ_MUST(r.i_ma[i] == EVENT_NO_VALUE || r.i_ma[i] > -2000000000);
        FUZZ_MUST(r.v_mv[i] == EVENT_NO_VALUE || r.v_mv[i] > -2000000000);
    }
    reading_complete(&r, layout->phases);
    FUZZ_MUST(reading_plausible(&r, layout, text, sizeof text) || text[0]);
    reading_drop_dead(&r);
    free(p);
}

static void walk(const struct definition *d, const struct device *v)
{
    struct sunspec_walk w;
    uint16_t words[WALK_WORDS];
    char text[160];
    int asked = 0;

    sunspec_begin(&w, d);
    while (!sunspec_done(&w)) {
        FUZZ_MUST(++asked < 3 * WALK_MODELS);
        FUZZ_MUST(w.at >= 0 && w.n >= 1 && w.n <= WALK_WORDS && w.at + w.n <= 65536);
        sunspec_answer(&w, words_of(v, w.at, w.n, words));
    }
    sunspec_text(&w, text, sizeof text);
    if (w.state == WALK_FOUND)
        decode(d, definition_model(d, w.model_id), w.model_at, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct definition *meter, *sunspec;
    struct device v = {.data = data + 2, .size = size - 2};

    if (!meter) {
        meter = parse(plain);
        sunspec = parse(chain);
        FUZZ_MUST(definition_add_model(sunspec, parse(model)));
    }
    if (size < 4)
        return 0;
    v.refuse = data[1];
    if (data[0] & 1)
        walk(sunspec, &v);
    else
        decode(meter, meter, 0, &v);
    return 0;
}
