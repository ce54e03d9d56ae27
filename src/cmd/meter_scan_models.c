/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter scan: which models a unit can be.
 *
 * First the few registers that tell a model from others are read, each request once
 * for all models that have it in common; then models for which these are right are read
 * in full and must be plausible. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/meter_scan.h"
#include "meter/decode.h"

enum { PROBE_REGS = 16, SILENT = 2 };

/* One request, and what came of it on the unit that is being asked. */
struct probe {
    int fc, at, n;
    int models; /* that have it in common */
    enum line_result result;
    uint16_t words[PROBE_REGS];
};

struct model {
    char name[256]; /* to load it by */
    struct definition *d;
    int probe; /* index; of SunSpec devices -1 */
};

struct scan_models {
    struct model *list;
    int n;
    struct probe *probes; /* the most common ones first */
    int n_probes;
};

/* ---- the models ---- */

/* The registers of the model's probe, with its scale factor where that is near. */
static struct probe probe_of(const struct definition *d)
{
    const struct point *pt = &d->points[d->probe.point < 0 ? 0 : d->probe.point];
    int from = pt->at[d->probe.point < 0 ? 0 : d->probe.phase];
    int to = from + value_type_width(pt->type);

    if (pt->sum >= 0) { /* of its phases: the first one of them */
        pt = &d->points[pt->sum];
        from = pt->at[0];
        to = from + value_type_width(pt->type);
    }
    if (pt->sf >= 0 && pt->sf < from && to - pt->sf <= PROBE_REGS)
        from = pt->sf;
    if (pt->sf >= to && pt->sf + 1 - from <= PROBE_REGS)
        to = pt->sf + 1;
    return (struct probe){.fc = pt->fc, .at = from, .n = to - from};
}

static int by_models(const void *a, const void *b)
{
    return ((const struct probe *)b)->models - ((const struct probe *)a)->models;
}

static int find_probe(const struct scan_models *s, const struct probe *p)
{
    for (int i = 0; i < s->n_probes; i++)
        if (s->probes[i].fc == p->fc && s->probes[i].at == p->at &&
            s->probes[i].n == p->n)
            return i;
    return -1;
}

static void add_probe(struct scan_models *s, const struct probe *p)
{
    int k = find_probe(s, p);

    if (k < 0)
        s->probes[k = s->n_probes++] = *p;
    s->probes[k].models++;
}

/* All places at which SunSpec devices begin are probes, too. */
static void collect_probes(struct scan_models *s)
{
    struct probe p;

    for (int i = 0; i < s->n; i++) {
        const struct definition *d = s->list[i].d;

        for (int k = 0; d->sunspec.used && k < d->sunspec.n_base; k++) {
            p = (struct probe){.fc = 3, .at = d->sunspec.base[k], .n = 2};
            add_probe(s, &p);
        }
        if (!d->sunspec.used) {
            p = probe_of(d);
            add_probe(s, &p);
        }
    }
    qsort(s->probes, (size_t)s->n_probes, sizeof s->probes[0], by_models);
    for (int i = 0; i < s->n; i++) {
        s->list[i].probe = -1;
        if (!s->list[i].d->sunspec.used) {
            p = probe_of(s->list[i].d);
            s->list[i].probe = find_probe(s, &p);
        }
    }
}

static bool add_model(struct scan_models *s, const char *name)
{
    char err[2000] = "";
    struct model *m = &s->list[s->n];

    snprintf(m->name, sizeof m->name, "%s", name);
    m->d = meter_files_load(name, err, sizeof err);
    if (m->d && (m->d->n_points || m->d->sunspec.used)) {
        s->n++;
        return true;
    }
    fputs(err, stderr);
    definition_free(m->d);
    return false;
}

struct scan_models *scan_models_new(const char *model)
{
    struct scan_models *s = calloc(1, sizeof *s);
    struct meter_file *files = NULL;
    int n = model ? 1 : meter_files_list(&files);

    if (s) {
        s->list = calloc((size_t)n + 1, sizeof s->list[0]);
        s->probes = calloc((size_t)n * DEF_BASES + 1, sizeof s->probes[0]);
    }
    for (int i = 0; s && s->list && s->probes && i < n; i++)
        add_model(s, model ? model : files[i].name);
    free(files);
    if (s && s->n) {
        collect_probes(s);
        return s;
    }
    scan_models_free(s);
    return NULL;
}

void scan_models_free(struct scan_models *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->n; i++)
        definition_free(s->list[i].d);
    free(s->list);
    free(s->probes);
    free(s);
}

static bool same_serial(const struct line_address *a, const struct definition *d)
{
    return a->baud == d->bus.baud && a->parity == d->bus.parity &&
           a->data_bits == d->bus.data_bits && a->stop_bits == d->bus.stop_bits;
}

int scan_models_serial(const struct scan_models *s, struct line_address *list, int room)
{
    int count[32] = {0}, n = 0;

    for (int i = 0; i < s->n; i++) {
        const struct definition *d = s->list[i].d;
        int k = 0;

        if (!d->bus.rtu || !d->bus.has_serial)
            continue;
        while (k < n && !same_serial(&list[k], d))
            k++;
        if (k == n && (n == room || n == 32))
            continue;
        list[k].baud = d->bus.baud;
        list[k].parity = d->bus.parity;
        list[k].data_bits = d->bus.data_bits;
        list[k].stop_bits = d->bus.stop_bits;
        n += k == n;
        count[k]++;
        for (; k > 0 && count[k] > count[k - 1]; k--) { /* the usual ones first */
            struct line_address a = list[k];
            int c = count[k];

            list[k] = list[k - 1];
            count[k] = count[k - 1];
            list[k - 1] = a;
            count[k - 1] = c;
        }
    }
    return n;
}

/* ---- one unit ---- */

/* What the probe measures, in mV, mA, W, mHz, permille. */
static int32_t measured(const struct meter_reading *r, enum quantity q, int phase)
{
    switch (q) {
    case QUANTITY_V:
        return r->v_mv[phase];
    case QUANTITY_I:
        return r->i_ma[phase];
    case QUANTITY_PP:
        return r->p_phase_w[phase];
    case QUANTITY_P:
        return r->p_w;
    case QUANTITY_HZ:
        return r->hz_mhz;
    case QUANTITY_PV_P:
        return r->pv_w;
    case QUANTITY_BAT_P:
        return r->bat_w;
    case QUANTITY_SOC:
        return r->soc_permille;
    default:
        return 0;
    }
}

/* Whether these words can be the model's. What needs more registers to be told is left
 * to the full reading. */
static bool probe_fits(const struct definition *d, const struct probe *p)
{
    const struct point *pt;
    struct decode decode = {.layout = d, .device = d};
    struct plan *plan;
    struct meter_reading r;
    int32_t v;

    if (d->probe.point < 0)
        return true;
    pt = &d->points[d->probe.point];
    if (pt->n_mul || pt->sum >= 0 || pt->minus[0] >= 0 || pt->plus[0] >= 0 ||
        (pt->sf >= 0 && (pt->sf < p->at || pt->sf >= p->at + p->n)))
        return true;
    plan = calloc(1, sizeof *plan);
    if (!plan)
        return false;
    plan->n_blocks = 1;
    plan->blocks[0] = (struct block){.fc = (uint8_t)p->fc,
                                     .at = (uint16_t)p->at,
                                     .n = p->n,
                                     .valid = true,
                                     .regs = plan->regs};
    memcpy(plan->regs, p->words, (size_t)p->n * sizeof p->words[0]);
    decode_reading(&decode, plan, &r);
    v = measured(&r, pt->quantity, d->probe.phase);
    free(plan);
    return v != EVENT_NO_VALUE && v >= d->probe.min && v <= d->probe.max;
}

/* Voltages and currents that are there speak for a model, zeros do not. */
static int score_of(const struct meter_reading *r)
{
    int score = 0;

    for (int i = 0; i < SITE_PHASES; i++) {
        score += r->v_mv[i] != EVENT_NO_VALUE && r->v_mv[i] > 80000 ? 3 : 0;
        score += r->i_ma[i] != EVENT_NO_VALUE;
        score += r->p_phase_w[i] != EVENT_NO_VALUE && r->p_phase_w[i];
    }
    score += r->p_w != EVENT_NO_VALUE && r->p_w;
    score += r->hz_mhz != EVENT_NO_VALUE && r->hz_mhz > 45000 && r->hz_mhz < 65000;
    score += r->pv_w != EVENT_NO_VALUE && r->pv_w;
    score += r->bat_w != EVENT_NO_VALUE && r->bat_w;
    score += r->soc_permille != EVENT_NO_VALUE && r->soc_permille > 0;
    score += r->import_wh != EVENT_NO_ENERGY && r->import_wh > 0;
    score += r->export_wh != EVENT_NO_ENERGY && r->export_wh > 0;
    return score;
}

static void keep(struct scan_unit *out, const struct scan_fit *fit)
{
    int i = out->n_fits;

    if (out->n_fits == SCAN_FITS && out->fits[--i].score >= fit->score)
        return;
    out->n_fits = i + 1;
    for (; i > 0 && (out->fits[i - 1].score < fit->score ||
                     (out->fits[i - 1].score == fit->score &&
                      out->fits[i - 1].untested && !fit->untested));
         i--)
        out->fits[i] = out->fits[i - 1];
    out->fits[i] = *fit;
}

/* Reads the model in full. */
static enum poll_result try_model(const struct model *m, struct modbus_line *l,
                                  int unit, int timeout_ms, struct scan_unit *out)
{
    char err[300];
    struct definition *d = meter_files_load(m->name, err, sizeof err);
    enum poll_result result;
    struct meter_poll *poll;
    struct poll_reading p;

    if (!d)
        return POLL_FAULT;
    d->bus.timeout_ms = timeout_ms;
    d->bus.gap_ms = 0;
    poll = meter_poll_new(d, unit, false, err, sizeof err);
    if (!poll)
        return POLL_FAULT;
    result = meter_poll_cycle(poll, l, true, &p);
    if (result == POLL_READING) {
        struct scan_fit fit = {.untested = d->untested,
                               .score = score_of(&p.r),
                               .phases = d->phases,
                               .r = p.r};

        snprintf(fit.model, sizeof fit.model, "%s", d->id);
        if (fit.score > 0)
            keep(out, &fit);
    }
    meter_poll_free(poll);
    return result;
}

static void ask_probe(struct probe *p, struct modbus_line *l, int unit, int timeout_ms,
                      struct scan_unit *out)
{
    struct line_request r = {
        .unit = unit, .fc = p->fc, .at = p->at, .n = p->n, .timeout_ms = timeout_ms};

    p->result = modbus_line_read(l, &r, p->words);
    if (p->result == LINE_REFUSED)
        out->exception = modbus_line_exception(l);
    out->answers = out->answers || p->result == LINE_OK || p->result == LINE_REFUSED;
}

/* Asks all probes; gives up when nobody answers the first few. */
static enum line_result ask_probes(struct scan_models *s, struct modbus_line *l,
                                   int unit, int timeout_ms, struct scan_unit *out)
{
    int silent = 0;

    for (int i = 0; i < s->n_probes; i++) {
        struct probe *p = &s->probes[i];

        ask_probe(p, l, unit, timeout_ms, out);
        if (p->result == LINE_BROKEN || p->result == LINE_STOPPED)
            return p->result;
        silent += p->result == LINE_TIMEOUT || p->result == LINE_GARBLED;
        /* behind a gateway nobody is there: 10, 11 */
        if (!out->answers && silent == SILENT)
            return LINE_OK;
        if (out->exception == 10 || out->exception == 11) {
            out->answers = false;
            return LINE_OK;
        }
        out->sunspec = out->sunspec || (p->result == LINE_OK && p->n == 2 &&
                                        p->words[0] == 0x5375 && p->words[1] == 0x6E53);
    }
    return LINE_OK;
}

enum line_result scan_models_ask(struct scan_models *s, struct modbus_line *l, int unit,
                                 int timeout_ms, struct scan_unit *out)
{
    enum line_result result;

    *out = (struct scan_unit){.unit = unit};
    result = ask_probes(s, l, unit, timeout_ms, out);
    for (int i = 0; result == LINE_OK && out->answers && i < s->n; i++) {
        const struct model *m = &s->list[i];
        const struct probe *p = m->probe < 0 ? NULL : &s->probes[m->probe];
        enum poll_result poll = POLL_FAULT;

        if (p ? p->result == LINE_OK && probe_fits(m->d, p) : out->sunspec)
            poll = try_model(m, l, unit, timeout_ms, out);
        if (poll == POLL_LOST || poll == POLL_STOPPED)
            result = poll == POLL_LOST ? LINE_BROKEN : LINE_STOPPED;
    }
    return result;
}
