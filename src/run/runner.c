/* SPDX-License-Identifier: Apache-2.0 */
/* The running controller: what comes in is journaled, decided on and carried out. */
#include "run/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/modbus_serial.h"

enum {
    TICK_MS = 1000,
    RECORD_MS = 10000, /* meters and base loads go into the history so often */
    INBOX_ITEMS = 512
};

void runner_tell(struct runner *r, const char *level, const char *code, const char *who,
                 const char *text)
{
    int64_t utc_s = clock_utc_s();
    const char *space = *who ? " " : "";

    if (strcmp(level, "info") == 0)
        log_info("%s%s%s: %s", code, space, who, text);
    else if (strcmp(level, "error") == 0)
        log_errorx("%s%s%s: %s", code, space, who, text);
    else
        log_warnx("%s%s%s: %s", code, space, who, text);
    if (r->history)
        history_event(r->history, utc_s, level, code, who, text);
    if (r->mqtt_site)
        mqtt_site_event(r->mqtt_site, utc_s, level, code, who, text);
}

void runner_journal(struct runner *r, bool reload)
{
    struct journal_header h = {
        .utc_s = clock_utc_s(),
        .mono_ms = clock_ms(),
        .version = PACKAGE_VERSION,
        .config_hash = r->conf->hash,
        .site = &r->conf->site,
        .control = r->control,
        .reload = reload,
    };

    if (r->journal && (reload || journal_due(r->journal)))
        journal_head(r->journal, &h);
}

/* ---- events ---- */

static void step(struct runner *r, const struct event *e)
{
    size_t n;

    if (r->journal)
        journal_event(r->journal, e);
    if (e->kind == EVENT_SAMPLE && e->sample.energy_wh != EVENT_NO_ENERGY)
        book_energy(r->book, e->who, e->sample.energy_wh, clock_utc_s());
    if (e->kind == EVENT_METER)
        runner_sources_heard(r, e);
    n = control_step(r->control, e, r->orders);
    for (size_t i = 0; i < n; i++)
        runner_carry_out(r, e->at_ms, &r->orders[i]);
}

/* Orders may raise events at once (a charger that is away answers for itself): these
 * wait until the orders of this one are carried out. */
void runner_feed(struct runner *r, const struct event *e)
{
    struct event next;

    r->events_lost += !waiting_put(&r->waiting, e);
    if (r->draining)
        return;
    r->draining = true;
    while (waiting_take(&r->waiting, &next))
        step(r, &next);
    r->draining = false;
}

/* ---- hooks of the limits ---- */

static void on_limit_event(void *arg, const struct event *e)
{
    runner_feed(arg, e);
}

static void on_limit_tell(void *arg, const char *level, const char *code,
                          const char *who, const char *text)
{
    runner_tell(arg, level, code, who, text);
}

static int64_t on_granted_w(void *arg, int circuit)
{
    struct runner *r = arg;
    struct circuit_view v;
    int64_t ma = 0;

    control_circuit(r->control, circuit, &v);
    for (int p = 0; p < SITE_PHASES; p++)
        ma += v.granted_ma[p];
    return ma * r->conf->site.voltage_mv / 1000000;
}

struct limits *runner_limits(struct runner *r, const struct config *c)
{
    struct limits_hooks hooks = {.arg = r,
                                 .feed = on_limit_event,
                                 .tell = on_limit_tell,
                                 .granted_w = on_granted_w};

    return limits_new(c, &hooks, clock_ms());
}

/* ---- the inbox ---- */

static void on_command(struct runner *r, const struct inbox_item *item)
{
    const char *topic = item->command.topic, *payload = item->command.payload;
    struct mqtt_command m;
    struct event e;

    if (!mqtt_site_command(r->mqtt_site, topic, payload, item->command.retained,
                           clock_ms(), &m))
        return;
    e = m.what == MQTT_WISH ? runner_wish(r, &m) : mqtt_command_event(&m, clock_ms());
    runner_tell(r, "info", "command", topic, payload);
    if (e.kind == EVENT_LIMIT)
        limits_heard(r->limits, e.who, e.at_ms);
    runner_feed(r, &e);
}

static void on_item(struct runner *r, const struct inbox_item *item)
{
    struct reading *reading;

    switch (item->kind) {
    case INBOX_EVENT:
        runner_feed(r, &item->event);
        break;
    case INBOX_METER:
        reading = &r->readings[item->reading.meter];
        reading->import_wh = item->reading.import_wh;
        reading->export_wh = item->reading.export_wh;
        break;
    case INBOX_INPUT:
        limits_input(r->limits, item->input.input, item->input.active,
                     item->input.at_ms);
        break;
    case INBOX_COMMAND:
        if (r->mqtt_site)
            on_command(r, item);
        break;
    case INBOX_TROUBLE:
        runner_tell(r, item->trouble.begins ? "warning" : "info", item->trouble.code,
                    item->trouble.who, item->trouble.text);
        break;
    }
}

static void on_woken(void *arg)
{
    struct runner *r = arg;
    struct inbox_item item;

    while (inbox_take(r->inbox, &item))
        on_item(r, &item);
    if (r->hangup) {
        r->hangup = false;
        runner_reload(r);
    }
    if (r->quit)
        loop_stop(r->loop);
}

/* ---- once a second ---- */

static void record(struct runner *r)
{
    int64_t utc_s = clock_utc_s();

    for (int m = 0; m < r->conf->site.n_meters; m++) {
        const struct reading *reading = &r->readings[m];
        struct history_meter h = {
            .meter = r->conf->meters[m].name,
            .p_w = reading->last.p_w,
            .import_wh = reading->import_wh,
            .export_wh = reading->export_wh,
        };

        if (reading->at_ms < r->recorded_ms)
            continue; /* nothing new */
        memcpy(h.i_ma, reading->last.i_ma, sizeof h.i_ma);
        memcpy(h.v_mv, reading->last.v_mv, sizeof h.v_mv);
        history_meter(r->history, utc_s, &h);
    }
    for (int v = 0; v < r->conf->site.n_circuits; v++) {
        struct circuit_view view;

        control_circuit(r->control, v, &view);
        if (view.metered && view.meter_ok)
            history_base(r->history, utc_s, r->conf->site.circuits[v].name,
                         view.base_ma);
    }
}

static void on_tick(void *arg)
{
    struct runner *r = arg;
    struct event tick = {.at_ms = clock_ms(), .kind = EVENT_TICK};
    struct snapshot s;

    r->tick_ms = tick.at_ms;
    limits_tick(r->limits, tick.at_ms, clock_utc_s());
    runner_feed(r, &tick);
    runner_sources_tick(r, tick.at_ms);
    runner_enough(r);
    runner_vacant(r);
    if (r->history && tick.at_ms - r->recorded_ms >= RECORD_MS) {
        record(r);
        r->recorded_ms = tick.at_ms;
    }
    if (r->mqtt_site && runner_snapshot(r, &s)) {
        mqtt_site_tell(r->mqtt_site, &s);
        runner_snapshot_free(&s);
    }
    if (r->journal)
        journal_flush(r->journal);
    runner_journal(r, false);
}

static char *on_state(void *arg)
{
    struct snapshot s;
    char *json;

    if (!runner_snapshot(arg, &s))
        return NULL;
    json = snapshot_json(&s);
    runner_snapshot_free(&s);
    return json;
}

static int64_t on_tick_ms(void *arg)
{
    return ((struct runner *)arg)->tick_ms;
}

static void on_journal_trouble(void *arg, bool begins, const char *text)
{
    runner_tell(arg, begins ? "warning" : "info", "journal", "", text);
}

/* ---- start and end ---- */

static void wake(void *arg)
{
    loop_wake(arg);
}

/* Until when set points of a controller before us may still hold, on the monotonic
 * clock. When its last one was sent nobody can tell for sure: the clock may have been
 * set since, or the disk was full. So there was none only where no history has begun.
 */
static int64_t leases_until_ms(const struct config *c)
{
    char path[512];

    if (c->history.folder) {
        snprintf(path, sizeof path, "%s/ledger.db", c->history.folder);
        if (access(path, F_OK) != 0 && errno == ENOENT)
            return clock_ms(); /* the first start */
    }
    return clock_ms() + site_lease_end_ms(&c->site) + c->site.settle_ms;
}

static bool start_optional(struct runner *r)
{
    const struct config *c = r->conf;

    if (c->mqtt.host) {
        r->mqtt = mqtt_new(c, r->inbox);
        r->mqtt_site = r->mqtt ? mqtt_site_new(c, r->mqtt, c->history.folder) : NULL;
        if (!r->mqtt_site)
            return false;
    }
    if (c->http.host) {
        struct http_hooks hooks = {.arg = r, .state = on_state, .tick_ms = on_tick_ms};

        r->http = http_new(r->loop, c->http.host, c->http.port, &hooks);
        if (!r->http)
            return false;
        log_info("http: http://%s:%d/api/v1/state", c->http.host, http_port(r->http));
    }
    if (config_ocpp(c))
        r->command = runner_command(r);
    if (c->journal.file)
        r->journal =
            journal_open(c->journal.file, c->journal.max_bytes, on_journal_trouble, r);
    runner_journal(r, false);
    return true;
}

static bool start(struct runner *r)
{
    const struct config *c = r->conf;
    int64_t leases = leases_until_ms(c);

    modbus_serial_reserve(); /* while there are low descriptors */
    r->loop = loop_new();
    r->inbox = r->loop ? inbox_new(INBOX_ITEMS, wake, r->loop) : NULL;
    r->stations = calloc((size_t)c->site.n_chargers + 1, sizeof *r->stations);
    r->readings = calloc((size_t)c->site.n_meters + 1, sizeof *r->readings);
    if (!r->inbox || !r->stations || !r->readings)
        return false;
    for (int m = 0; m < c->site.n_meters; m++)
        r->readings[m] = (struct reading){.at_ms = INT64_MIN,
                                          .import_wh = EVENT_NO_ENERGY,
                                          .export_wh = EVENT_NO_ENERGY};
    if (c->history.folder)
        r->history = history_new(c->history.folder, c->history.commit_ms,
                                 c->history.keep_days, r->inbox);
    r->book = book_new(c, r->history, r->started_utc_s);
    r->records = records_new(c->history.folder, r->history);
    r->limits = runner_limits(r, c);
    if (!r->records || !r->book || !r->limits ||
        !runner_set_control(r, r->conf, leases) || !start_optional(r))
        return false;
    if (config_ocpp(c)) {
        r->ocpp = runner_ocpp(r, c);
        if (!r->ocpp)
            return false;
    }
    return runner_sources_start(r, c) && loop_every(r->loop, TICK_MS, on_tick, r);
}

struct runner *runner_new(struct config *conf, int *exit_code)
{
    struct runner *r = calloc(1, sizeof *r);

    *exit_code = 70; /* EX_SOFTWARE, until something better is known */
    if (!r)
        return NULL;
    r->conf = conf;
    clock_set_zone(conf->timezone);
    r->started_utc_s = clock_utc_s();
    r->start_ms = r->tick_ms = clock_ms();
    r->recorded_ms = r->start_ms;
    if (!start(r)) {
        *exit_code =
            69; /* EX_UNAVAILABLE: an address in use, a meter's model unknown */
        runner_free(r);
        return NULL;
    }
    return r;
}

void runner_loop(struct runner *r)
{
    runner_tell(r, "info", "start", r->conf->site.name, "chargehand " PACKAGE_VERSION);
    loop_run(r->loop, on_woken, r);
    runner_tell(r, "info", "stop", r->conf->site.name,
                "set points end with their lease");
}

void runner_free(struct runner *r)
{
    struct inbox_item item;

    if (!r)
        return;
    runner_sources_stop(r);
    command_free(r->command);
    if (r->ocpp)
        ocpp_free(r->ocpp);
    book_free(r->book);
    records_free(r->records);
    limits_free(r->limits);
    mqtt_site_free(r->mqtt_site);
    if (r->mqtt)
        mqtt_free(r->mqtt);
    if (r->http)
        http_free(r->http);
    if (r->history)
        history_free(r->history);
    while (r->inbox && inbox_take(r->inbox, &item))
        if (item.kind == INBOX_TROUBLE && item.trouble.begins)
            log_warnx("%s %s: %s", item.trouble.code, item.trouble.who,
                      item.trouble.text);
    if (r->journal)
        journal_close(r->journal);
    loop_free(r->loop);
    inbox_free(r->inbox);
    free(r->control);
    free(r->orders);
    free(r->stations);
    free(r->readings);
    waiting_free(&r->waiting);
    for (int i = 0; i < r->n_old; i++)
        config_free(r->old[i]);
    free(r->old);
    config_free(r->conf);
    free(r);
}
