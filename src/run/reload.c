/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration read again while running: all of it is taken, or nothing. */
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/meter_files.h"
#include "run/runner.h"

struct maps {
    int *circuits, *connectors, *meters, *chargers;
};

/* A new controller for `conf`; the one before is freed by the caller. */
bool runner_set_control(struct runner *r, struct config *conf, int64_t leases_until_ms)
{
    void *mem = malloc(control_size(&conf->site));
    struct order *orders = calloc(control_max_orders(&conf->site), sizeof *orders);

    if (!mem || !orders) {
        free(mem);
        free(orders);
        return false;
    }
    free(r->orders);
    r->orders = orders;
    r->control = control_init(mem, &conf->site, clock_ms(), leases_until_ms);
    return true;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool map_all(const struct config *was, const struct config *is, struct maps *m)
{
    m->circuits = malloc(((size_t)is->site.n_circuits + 1) * sizeof(int));
    m->connectors = malloc(((size_t)is->site.n_connectors + 1) * sizeof(int));
    m->meters = malloc(((size_t)is->site.n_meters + 1) * sizeof(int));
    m->chargers = malloc(((size_t)is->site.n_chargers + 1) * sizeof(int));
    if (!m->circuits || !m->connectors || !m->meters || !m->chargers)
        return false;
#define MAP(member, count, now, before)                                                \
    for (int i = 0; i < is->site.count; i++) {                                         \
        m->member[i] = SITE_NONE;                                                      \
        for (int j = 0; j < was->site.count; j++)                                      \
            if (same(now, before))                                                     \
                m->member[i] = j;                                                      \
    }
    MAP(circuits, n_circuits, is->site.circuits[i].name, was->site.circuits[j].name)
    MAP(connectors, n_connectors, is->connectors[i].cid, was->connectors[j].cid)
    MAP(meters, n_meters, is->meters[i].name, was->meters[j].name)
    MAP(chargers, n_chargers, is->chargers[i].id, was->chargers[j].id)
#undef MAP
    return true;
}

static bool keep_old(struct runner *r)
{
    struct config **old = realloc(r->old, ((size_t)r->n_old + 1) * sizeof *old);

    if (!old)
        return false;
    r->old = old;
    r->old[r->n_old++] = r->conf;
    return true;
}

/* What we know by charger and by meter moves to its new place. */
static bool move_tables(struct runner *r, const struct config *next,
                        const struct maps *m)
{
    size_t n_chargers = (size_t)next->site.n_chargers + 1;
    size_t n_meters = (size_t)next->site.n_meters + 1;
    struct ocpp_station *stations = calloc(n_chargers, sizeof *stations);
    struct reading *readings = calloc(n_meters, sizeof *readings);

    if (!stations || !readings || !book_remap(r->book, next, m->connectors)) {
        free(stations);
        free(readings);
        return false;
    }
    for (int i = 0; i < next->site.n_chargers; i++)
        if (m->chargers[i] != SITE_NONE)
            stations[i] = r->stations[m->chargers[i]];
    for (int i = 0; i < next->site.n_meters; i++)
        if (m->meters[i] != SITE_NONE)
            readings[i] = r->readings[m->meters[i]];
        else
            readings[i] = (struct reading){.at_ms = INT64_MIN,
                                           .import_wh = EVENT_NO_ENERGY,
                                           .export_wh = EVENT_NO_ENERGY};
    free(r->stations);
    free(r->readings);
    r->stations = stations;
    r->readings = readings;
    return true;
}

static bool same_or_none(const char *a, const char *b)
{
    return a == b || same(a, b);
}

static bool same_values(const struct conf_meter *x, const struct conf_meter *y)
{
    if (x->n_values != y->n_values || !same_or_none(x->topic, y->topic))
        return false;
    for (int i = 0; i < x->n_values; i++) {
        const struct conf_meter_value *a = &x->values[i], *b = &y->values[i];

        if (a->quantity != b->quantity || !same(a->topic, b->topic) ||
            !same(a->pointer, b->pointer) || a->factor_ppm != b->factor_ppm ||
            a->unit != b->unit)
            return false;
    }
    return true;
}

static bool same_meter(const struct conf_meter *x, const struct conf_meter *y)
{
    return same(x->name, y->name) && x->source == y->source &&
           same_or_none(x->word_order, y->word_order) && x->gap_ms == y->gap_ms &&
           x->timeout_ms == y->timeout_ms && x->max_regs == y->max_regs &&
           x->ct_ppm == y->ct_ppm && same_values(x, y) &&
           same_or_none(x->model, y->model) && x->transport == y->transport &&
           same_or_none(x->host, y->host) && x->port == y->port &&
           same_or_none(x->device, y->device) && x->baud == y->baud &&
           x->parity == y->parity && x->data_bits == y->data_bits &&
           x->stop_bits == y->stop_bits && x->unit == y->unit &&
           x->invert == y->invert && x->interval_ms == y->interval_ms &&
           x->max_age_ms == y->max_age_ms;
}

static bool same_meters(const struct config *a, const struct config *b)
{
    if (a->site.n_meters != b->site.n_meters || a->n_inputs != b->n_inputs)
        return false;
    for (int i = 0; i < a->site.n_meters; i++)
        if (!same_meter(&a->meters[i], &b->meters[i]))
            return false;
    for (int i = 0; i < a->n_inputs; i++) {
        const struct conf_input *x = &a->inputs[i], *y = &b->inputs[i];

        if (!same_meter(&x->at, &y->at) || x->function != y->function ||
            x->address != y->address || x->bit != y->bit ||
            x->active_low != y->active_low)
            return false;
    }
    return true;
}

/* Other meters or inputs: the old threads end first, for what they have put into the
 * inbox counts meters as the old file did. */
static bool swap_meters(struct runner *r, struct config *next)
{
    struct inbox_item item;

    if (same_meters(r->conf, next))
        return true;
    runner_sources_stop(r);
    while (inbox_take(r->inbox, &item))
        ;
    if (runner_sources_start(r, next))
        return true;
    runner_sources_start(r, r->conf);
    return false;
}

/* A charger that goes by another name now may hold what we told it before: all that is
 * new may, then, until those leases have ended. */
static int64_t leases_until_ms(const struct config *was, const struct config *is,
                               const struct maps *m)
{
    for (int j = 0; j < was->site.n_connectors; j++) {
        bool kept = false;

        for (int i = 0; i < is->site.n_connectors; i++)
            kept |= m->connectors[i] == j;
        if (!kept)
            return clock_ms() + site_lease_end_ms(&was->site) + was->site.settle_ms;
    }
    return clock_ms();
}

static bool swap(struct runner *r, struct config *next, const struct maps *m)
{
    struct control_map map = {m->circuits, m->connectors, m->meters, m->chargers};
    struct control *before = r->control;
    struct limits *limits = runner_limits(r, next);

    if (!limits || !swap_meters(r, next) || !keep_old(r) || !move_tables(r, next, m) ||
        !runner_set_control(r, next, leases_until_ms(r->conf, next, m))) {
        limits_free(limits);
        return false;
    }
    control_adopt(r->control, before, &map);
    free(before);
    r->conf = next;
    limits_adopt(limits, r->limits);
    limits_free(r->limits);
    r->limits = limits;
    limits_tick(limits, clock_ms(), clock_utc_s());
    runner_journal(r, true);
    if (r->ocpp)
        ocpp_reload(r->ocpp, next, m->chargers);
    if (r->mqtt_site)
        mqtt_site_reload(r->mqtt_site, next);
    return true;
}

static void tell(const struct conf_errors *errors)
{
    for (int i = 0; i < errors->n; i++) {
        const struct conf_error *e = &errors->list[i];

        if (e->warning)
            log_warnx("%s:%d:%d: %s", e->file, e->line, e->col, e->text);
        else
            log_errorx("%s:%d:%d: %s", e->file, e->line, e->col, e->text);
    }
}

void runner_reload(struct runner *r)
{
    struct conf_errors errors = {0};
    struct config *next =
        config_load_checked(r->conf->path, NULL, meter_files_fit, &errors);
    struct maps m = {0};
    const char *key;

    tell(&errors);
    conf_errors_free(&errors);
    if (!next) {
        runner_tell(r, "error", "config", r->conf->path,
                    "the file has errors: the configuration in use stays");
        return;
    }
    key = config_restart_key(r->conf, next);
    if (key) {
        char text[160];

        snprintf(
            text, sizeof text,
            "%s has changed, which needs a restart: the configuration in use stays",
            key);
        runner_tell(r, "error", "config", r->conf->path, text);
        config_free(next);
    } else if (!map_all(r->conf, next, &m) || !swap(r, next, &m)) {
        runner_tell(r, "error", "config", r->conf->path,
                    "it could not be put to use: the configuration in use stays");
        config_free(next);
    } else {
        runner_tell(r, "info", "config", r->conf->path, "read again and in use");
    }
    free(m.circuits);
    free(m.connectors);
    free(m.meters);
    free(m.chargers);
}
