/* SPDX-License-Identifier: Apache-2.0 */
/* What a charger is asked and told once after it came, when nothing else has to be
 * said: what it can do, which meter values we want, how to notice that we are gone.
 * Settings that are right already are left alone: they are flash memory. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum { CLEAR_FROM = 2, CLEAR_TO = 9 };

/* What the core can use, and what remains when a charger refuses some of it (Q62). */
static const char *const measurands[] = {
    "Current.Import,Power.Active.Import,Energy.Active.Import.Register",
    "Current.Import,Energy.Active.Import.Register",
    "Current.Import,Power.Active.Import",
    "Power.Active.Import,Energy.Active.Import.Register",
    "Current.Import",
    "Power.Active.Import",
};
enum { N_MEASURANDS = sizeof measurands / sizeof *measurands };

static void step(struct ocpp_peer *p, enum ocpp_setup next)
{
    p->setup = next;
    p->setup_i = 0;
}

static void check_config(struct ocpp_peer *p)
{
    const struct ocpp_config *c = &p->config;

    if (*c->rotation)
        log_info("%s: ConnectorPhaseRotation is %s", p->id, c->rotation);
    if (c->unit_known && !c->amps)
        log_info("%s: takes limits in W only", p->id);
    for (int i = 0; i < p->n; i++)
        if (c->one_phase == 0 && ocpp_peer_site(p, &p->c[i])->phase_switch)
            log_warnx("%s: connector %d: phase_switch is set, and it says that it "
                      "cannot change to one phase",
                      p->id, p->c[i].number);
}

void ocpp_setup_check(struct ocpp_peer *p)
{
    const struct ocpp_config *c = &p->config;
    char text[80];

    if (c->connectors < 0)
        return;
    snprintf(text, sizeof text, "has %d connectors, the site file %d of them",
             (int)c->connectors, p->n);
    ocpp_peer_trouble(p, OCPP_TROUBLE_NUMBER, c->connectors != p->n ? text : NULL);
}

/* Limits that were told in another unit, or without the phase that it can be told, are
 * told anew. */
int ocpp_setup_config(struct ocpp_peer *p, const cJSON *told)
{
    struct ocpp_config *c = &p->config, old = *c;
    int n = told ? p->schema->read_config(told, c) : 0;
    bool changed = (old.unit_known && !old.amps) != (c->unit_known && !c->amps);

    for (int i = 0; i < p->n; i++)
        changed |= p->c[i].n_phases == 1 && ocpp_config_chooses(&old, p->c[i].number) !=
                                                ocpp_config_chooses(c, p->c[i].number);
    ocpp_limit_config(p, changed);
    return n;
}

/* Those that understand nothing of the question get it in another form. */
static void got_keys(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    (void)c;
    p->setup_known +=
        ocpp_setup_config(p, r->kind == OCPP_REPLY_RESULT ? r->payload : NULL);
    if (p->setup == OCPP_SETUP_KEYS &&
        (p->setup_known == 0 || r->kind == OCPP_REPLY_ERROR))
        step(p, OCPP_SETUP_ALL_KEYS);
    else if (r->kind == OCPP_REPLY_TIMEOUT)
        p->setup_i = INT16_MAX;
}

static bool ask_keys(struct ocpp_peer *p)
{
    char text[OCPP_CALL_TEXT];
    const char *action = p->schema->ask_config(
        text, &p->config, p->n, p->setup == OCPP_SETUP_ALL_KEYS, &p->setup_i);

    if (action) {
        ocpp_peer_call(p, action, text, got_keys, NULL);
        return true;
    }
    check_config(p);
    ocpp_setup_check(p);
    step(p, OCPP_SETUP_SMART);
    return false;
}

static bool is_taken(const struct ocpp_peer *p, const struct ocpp_reply *r)
{
    return r->kind == OCPP_REPLY_RESULT && p->schema->setting_taken(r->payload);
}

static void set_measurands(struct ocpp_peer *p, struct ocpp_connector *c,
                           const struct ocpp_reply *r)
{
    (void)c;
    if (is_taken(p, r)) {
        snprintf(p->config.measurands, sizeof p->config.measurands, "%s",
                 measurands[p->setup_i]);
        step(p, OCPP_SETUP_INTERVAL);
    } else if (++p->setup_i == N_MEASURANDS) {
        log_warnx("%s: refuses every choice of meter values, it has \"%s\"", p->id,
                  p->config.measurands);
        p->config.measurands_fixed = r->kind == OCPP_REPLY_RESULT;
        step(p, OCPP_SETUP_INTERVAL);
    }
}

static void set_interval(struct ocpp_peer *p, struct ocpp_connector *c,
                         const struct ocpp_reply *r)
{
    (void)c;
    if (is_taken(p, r)) {
        p->config.sample_s = p->w->conf->ocpp.sample_s;
    } else {
        p->config.sample_fixed = r->kind == OCPP_REPLY_RESULT;
        log_warnx("%s: refuses to tell its meter values every %d s", p->id,
                  p->w->conf->ocpp.sample_s);
    }
    step(p, OCPP_SETUP_PING);
}

static void set_ping(struct ocpp_peer *p, struct ocpp_connector *c,
                     const struct ocpp_reply *r)
{
    (void)c;
    if (is_taken(p, r))
        p->config.ping_s = p->w->conf->ocpp.ping_s;
    else
        p->config.ping_fixed = r->kind == OCPP_REPLY_RESULT;
    step(p, OCPP_SETUP_CLEAR);
}

static void change(struct ocpp_peer *p, enum ocpp_setting s, const char *value,
                   ocpp_reply_fn *reply)
{
    char text[OCPP_CALL_TEXT];
    const char *action = p->schema->write_setting(text, s, value);

    ocpp_peer_call(p, action, text, reply, NULL);
}

static void after_smart(struct ocpp_peer *p)
{
    const struct ocpp_config *c = &p->config;

    ocpp_peer_trouble(p, OCPP_TROUBLE_SMART,
                      c->smart_there == 0 ? "says that it takes no limits"
                      : c->smart == 0     ? "its smart charging is switched off, and "
                                            "cannot be switched on from here"
                                          : NULL);
    step(p, OCPP_SETUP_MEASURANDS);
}

static void set_smart(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct ocpp_reply *r)
{
    (void)c;
    if (is_taken(p, r)) {
        log_info("%s: its smart charging was switched off, and is on now", p->id);
        p->config.smart = 1;
        ocpp_limit_up(p); /* what it refused until now it may take */
    } else {
        p->config.smart_fixed = r->kind == OCPP_REPLY_RESULT;
    }
    after_smart(p);
}

static bool change_smart(struct ocpp_peer *p)
{
    const struct ocpp_config *c = &p->config;

    if (c->smart == 0 && c->smart_there != 0 && !c->smart_fixed) {
        change(p, OCPP_SET_SMART, "true", set_smart);
        return true;
    }
    after_smart(p);
    return false;
}

/* What it does not let us change is told, not asked again. */
static bool change_int(struct ocpp_peer *p, enum ocpp_setting s, int32_t value,
                       int32_t is, bool fixed, ocpp_reply_fn *reply,
                       enum ocpp_setup next)
{
    char text[16];

    if (fixed && value > 0 && value != is)
        log_warnx("%s: tells its %s every %d s, not %d, and that cannot be changed",
                  p->id, s == OCPP_SET_SAMPLE ? "meter values" : "pings", is, value);
    if (value <= 0 || value == is || fixed) {
        step(p, next);
        return false;
    }
    snprintf(text, sizeof text, "%d", (int)value);
    change(p, s, text, reply);
    return true;
}

static bool change_measurands(struct ocpp_peer *p)
{
    if (p->config.measurands_fixed ||
        ocpp_list_has(p->config.measurands, measurands[p->setup_i])) {
        step(p, OCPP_SETUP_INTERVAL);
        return false;
    }
    change(p, OCPP_SET_MEASURANDS, measurands[p->setup_i], set_measurands);
    return true;
}

static void cleared(struct ocpp_peer *p, struct ocpp_connector *c,
                    const struct ocpp_reply *r)
{
    (void)c;
    if (r->kind == OCPP_REPLY_ERROR || r->kind == OCPP_REPLY_TIMEOUT)
        step(p, OCPP_SETUP_STATUS); /* it knows no such thing */
}

/* The i-th request to clear; false = there are no more. Levels up to 9 and the highest,
 * which others like to use (Q5: it may be any number), then limits of the whole
 * charger. TxProfiles are there in a transaction only. */
static bool write_clear(const struct ocpp_peer *p, int i, char *text)
{
    int32_t max = p->config.max_level;
    int32_t n = max < CLEAR_FROM ? 0 : max <= CLEAR_TO ? max - CLEAR_FROM + 1 : 9;
    int32_t level = n == 9 && i % 9 == 8 ? max : CLEAR_FROM + (n ? i % n : 0);
    bool max_is_ours =
        p->able.other == OCPP_FORM_MAX_STEPS || p->able.other == OCPP_FORM_MAX;
    bool known = *p->able_text; /* then it may be a person's, told through us */
    int purposes = 1;

    for (int k = 0; k < p->n; k++) {
        if (p->c[k].tx.active)
            purposes = 2;
        known |= p->c[k].limit.left; /* it may be all that limits there */
    }
    if (i < purposes * n)
        p->schema->write_clear(text, i < n ? OCPP_TX_DEFAULT : OCPP_TX, level);
    else if (i == purposes * n && !max_is_ours && !known)
        p->schema->write_clear(text, OCPP_MAX, -1);
    else
        return false;
    return true;
}

/* Profiles that others left on levels above ours would outrank them for ever (Q4, Q19,
 * Q30). Once while we run, and after ours are in: what remains is never no limit. */
static bool clear(struct ocpp_peer *p)
{
    char text[OCPP_CALL_TEXT];

    if (p->cleared || *p->trouble[OCPP_TROUBLE_FALLBACK] ||
        !write_clear(p, p->setup_i++, text)) {
        p->cleared = true;
        step(p, OCPP_SETUP_STATUS);
        return false;
    }
    ocpp_peer_call(p, "ClearChargingProfile", text, cleared, NULL);
    return true;
}

static void triggered(struct ocpp_peer *p, struct ocpp_connector *c,
                      const struct ocpp_reply *r)
{
    (void)c;
    (void)r;
    p->setup_i++;
}

/* Of one with several plugs it is asked when it is known how many these are. */
static bool has_told(const struct ocpp_peer *p, int i)
{
    const struct ocpp_connector *c = &p->c[i / OCPP_PLUGS];
    int k = i % OCPP_PLUGS, n = ocpp_plugs_of(p, c);

    if (p->setup == OCPP_SETUP_STATUS)
        return k > 0 || c->status_seen;
    return n < 2 || k >= n || c->plug[k] != STATUS_UNKNOWN;
}

/* The status of connectors, then of plugs, that told none by themselves. */
static bool trigger_status(struct ocpp_peer *p, enum ocpp_setup next)
{
    char text[OCPP_CALL_TEXT];
    int n = p->n * OCPP_PLUGS;

    while (p->setup_i < n && has_told(p, p->setup_i))
        p->setup_i++;
    if (p->setup_i >= n || p->able.no_trigger) {
        step(p, next);
        return false;
    }
    if (p->w->now_ms - p->ready_ms < OCPP_STATUS_MS)
        return false;
    p->schema->write_trigger(text, "StatusNotification",
                             p->c[p->setup_i / OCPP_PLUGS].number,
                             p->setup_i % OCPP_PLUGS + 1);
    ocpp_peer_call(p, "TriggerMessage", text, triggered, NULL);
    return true;
}

static bool report(struct ocpp_peer *p)
{
    if (p->report.step != OCPP_REPORT_OVER)
        return ocpp_report_pump(p);
    ocpp_setup_check(p);
    step(p, OCPP_SETUP_PLUGS);
    return false;
}

static bool try_step(struct ocpp_peer *p)
{
    const struct ocpp_config *c = &p->config;

    switch (p->setup) {
    case OCPP_SETUP_KEYS:
    case OCPP_SETUP_ALL_KEYS:
        return ask_keys(p);
    case OCPP_SETUP_SMART:
        return change_smart(p);
    case OCPP_SETUP_MEASURANDS:
        return change_measurands(p);
    case OCPP_SETUP_INTERVAL:
        return change_int(p, OCPP_SET_SAMPLE, p->w->conf->ocpp.sample_s, c->sample_s,
                          c->sample_fixed, set_interval, OCPP_SETUP_PING);
    case OCPP_SETUP_PING:
        return change_int(p, OCPP_SET_PING, p->w->conf->ocpp.ping_s, c->ping_s,
                          c->ping_fixed, set_ping, OCPP_SETUP_CLEAR);
    case OCPP_SETUP_CLEAR:
        return clear(p);
    case OCPP_SETUP_STATUS:
        return trigger_status(p, OCPP_SETUP_REPORT);
    case OCPP_SETUP_REPORT:
        return report(p);
    case OCPP_SETUP_PLUGS:
        return trigger_status(p, OCPP_SETUP_DONE);
    case OCPP_SETUP_DONE:
        break;
    }
    return false;
}

bool ocpp_clock_pump(struct ocpp_peer *p)
{
    char text[OCPP_CALL_TEXT];

    if (!p->clock_due)
        return false;
    p->clock_due = false;
    p->schema->write_trigger(text, "Heartbeat", 0, 0);
    ocpp_peer_call(p, "TriggerMessage", text, NULL, NULL);
    return true;
}

bool ocpp_setup_pump(struct ocpp_peer *p)
{
    enum ocpp_setup before;

    do {
        before = p->setup;
        if (try_step(p))
            return true;
    } while (p->setup != before);
    return false;
}

/* Also in the middle of it: then the answer under way is to a question of before. */
void ocpp_setup_begin(struct ocpp_peer *p)
{
    static ocpp_reply_fn *const ours[] = {got_keys,     set_smart, set_measurands,
                                          set_interval, set_ping,  cleared,
                                          triggered};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (p->calling && p->call_reply == ours[i])
            p->call_reply = NULL;
    p->setup_known = 0;
    ocpp_report_begin(p);
    step(p, OCPP_SETUP_KEYS);
}
