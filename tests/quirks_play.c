/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the scripts of quirks.h. */
#include "quirks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ocpp_rig.h"
#include "io/clock.h"

enum { KEYS = 1024, LEASE_MS = 300000, SEEN = 400 };

struct play {
    struct rig *r;
    const struct quirk *q;
    int line;
    char keys[KEYS]; /* GetConfiguration's list */
    char last[4096]; /* payload of the call that was looked at last */
    char action[64];
    char seen[SEEN][48]; /* actions of all calls since `up` */
    int n_seen;
    uint32_t seq;
    struct ocpp_models *models;
    char want[512]; /* behind the = of a line */
};

static void __attribute__((format(printf, 2, 3), noreturn))
bad(const struct play *p, const char *format, ...)
{
    char text[4600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail_msg("%s (%s), step %d: %s", p->q->name, p->q->what, p->line, text);
    abort();
}

/* ---- calls of ours */

static bool next_call(struct play *p)
{
    const char *payload = "", *action = rig_next(p->r, &payload);

    if (!*action)
        return false;
    snprintf(p->action, sizeof p->action, "%s", action);
    snprintf(p->last, sizeof p->last, "%s", payload);
    if (p->n_seen < SEEN)
        snprintf(p->seen[p->n_seen++], sizeof p->seen[0], "%s", action);
    return true;
}

static void answer(struct play *p, const char *text)
{
    if (*text == '{')
        rig_answer(p->r, text);
    else if (*text == '!')
        rig_error(p->r, text + 1);
    else if (strcmp(text, "-") == 0)
        rig_wait(p->r, p->r->conf.ocpp.call_timeout_ms);
    else
        rig_status(p->r, text);
}

/* Takes everything, or what is no profile. */
static void settle(struct play *p, const char *profiles)
{
    char json[KEYS + 64];
    bool set;

    snprintf(json, sizeof json, "{\"configurationKey\":[%s]}", p->keys);
    while (next_call(p)) {
        set = strcmp(p->action, "SetChargingProfile") == 0;
        answer(p, strcmp(p->action, "GetConfiguration") == 0 ? json
                  : set                                      ? profiles
                                                             : "Accepted");
    }
}

static void form_of(const char *payload, char out[40])
{
    const char *level = strstr(payload, "\"stackLevel\":");

    snprintf(out, 40, "%s%c%s%s%s",
             strstr(payload, "TxDefaultProfile")        ? "default"
             : strstr(payload, "ChargePointMaxProfile") ? "max"
                                                        : "tx",
             level ? level[13] : '?',
             strstr(payload, "},{\"startPeriod\"") ? "-steps"
             : strstr(payload, "\"duration\"")     ? ""
                                                   : "-endless",
             strstr(payload, "\"Relative\"") ? "~" : "",
             strstr(payload, "Unit\":\"W\"") ? "W" : "");
}

static void do_told(struct play *p, char *args)
{
    char form[40], amps[24], text[600], is[40], limit[64];

    if (sscanf(args, "%39s %23s %599s", form, amps, text) != 3)
        bad(p, "told FORM AMPS ANSWER");
    if (!next_call(p) || strcmp(p->action, "SetChargingProfile") != 0)
        bad(p, "no SetChargingProfile but %s", p->action);
    form_of(p->last, is);
    snprintf(limit, sizeof limit, "[{\"startPeriod\":0,\"limit\":%s", amps);
    if (strcmp(is, form) != 0)
        bad(p, "it is %s: %s", is, p->last);
    if (!strstr(p->last, limit))
        bad(p, "another limit: %s", p->last);
    answer(p, text);
}

static void do_got(struct play *p, char *args)
{
    char *rest = args, *action = strsep(&rest, " ");

    if (!next_call(p))
        bad(p, "no call waits");
    if (strcmp(p->action, action) != 0 || (rest && !strstr(p->last, rest)))
        bad(p, "it is %s %s", p->action, p->last);
}

static void do_has(struct play *p, char *args)
{
    if (!strstr(p->last, args))
        bad(p, "it is not in %s", p->last);
}

static void do_hasnt(struct play *p, char *args)
{
    if (strstr(p->last, args))
        bad(p, "it is in %s", p->last);
}

static void do_answer(struct play *p, char *args)
{
    answer(p, args);
}

static void do_settle(struct play *p, char *args)
{
    settle(p, *args ? args : "Accepted");
}

static void do_quiet(struct play *p, char *args)
{
    if (!*args) {
        if (next_call(p))
            bad(p, "there is %s %s", p->action, p->last);
        return;
    }
    settle(p, "Accepted");
    for (int i = 0; i < p->n_seen; i++)
        if (strcmp(p->seen[i], args) == 0)
            bad(p, "there was one");
}

/* ---- the charger speaks */

static void say(struct play *p, const char *action, const char *payload)
{
    if (!*p->want)
        strcpy(p->want, "{}");
    rig_call(p->r, action, payload, p->want);
}

static void do_call(struct play *p, char *args)
{
    char *rest = args, *action = strsep(&rest, " ");

    say(p, action, rest ? rest : "{}");
}

static void do_raw(struct play *p, char *args)
{
    char text[2048], *at = strchr(args, '@');
    int before = p->r->n;

    snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - args) : (int)strlen(args),
             args, at ? p->r->p->call_id : "", at ? at + 1 : "");
    rig_says(p->r, text);
    if (!*p->want)
        return;
    if (p->r->n == before)
        bad(p, "no answer");
    if (!strstr(p->r->sent[p->r->n - 1], p->want))
        bad(p, "answered by %s", p->r->sent[p->r->n - 1]);
    free(p->r->sent[--p->r->n]);
}

static void do_link(struct play *p, char *args)
{
    (void)args;
    ocpp_peer_up(p->r->p, p->r);
    ocpp_deliver(&p->r->w);
}

static void do_boot(struct play *p, char *args)
{
    char json[256], now[21], *rest = args;
    const char *vendor = strsep(&rest, "|"), *model = strsep(&rest, "|");

    snprintf(p->want, sizeof p->want,
             "{\"currentTime\":\"%s\",\"interval\":300,\"status\":\"Accepted\"}",
             clock_format_utc(p->r->w.utc_s, now));
    snprintf(json, sizeof json,
             "{\"chargePointVendor\":\"%s\",\"chargePointModel\":\"%s\","
             "\"firmwareVersion\":\"%s\"}",
             *vendor ? vendor : "V", model ? model : "M", rest ? rest : "1");
    say(p, "BootNotification", json);
}

static void do_up(struct play *p, char *args)
{
    p->n_seen = 0;
    do_link(p, args);
    do_boot(p, args);
    p->want[0] = '\0';
    say(p, "StatusNotification",
        "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}");
    settle(p, "Accepted");
    rig_wait(p->r, 5000);
    settle(p, "Accepted");
}

static void do_down(struct play *p, char *args)
{
    (void)args;
    ocpp_peer_down(p->r->p);
    ocpp_deliver(&p->r->w);
}

static void do_new(struct play *p, char *args)
{
    struct rig *old = p->r;

    (void)args;
    p->r = rig_new(1);
    p->r->record = old->record;
    p->r->w.utc_s = old->w.utc_s;
    p->r->chargers[0] = old->chargers[0];
    rig_free(old);
}

static void do_conf(struct play *p, char *args)
{
    size_t n = strlen(p->keys);
    char *rest = args, *key = strsep(&rest, "=");

    snprintf(p->keys + n, sizeof p->keys - n,
             "%s{\"key\":\"%s\",\"readonly\":true,\"value\":\"%s\"}", n ? "," : "", key,
             rest ? rest : "");
}

static void do_tx(struct play *p, char *args)
{
    char now[21], json[200];

    snprintf(json, sizeof json,
             "{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":1000,"
             "\"timestamp\":\"%s\"}",
             clock_format_utc(p->r->w.utc_s, now));
    snprintf(p->want, sizeof p->want,
             "{\"transactionId\":%d,\"idTagInfo\":{\"status\":\"Accepted\"}}",
             (int)p->r->transaction + 1);
    say(p, "StartTransaction", json);
    if (strcmp(args, "now") != 0) /* it has taken that in */
        p->r->p->c[0].tx.begun_ms -= 5000;
}

static void do_stop(struct play *p, char *args)
{
    char now[21], json[200];

    snprintf(json, sizeof json,
             "{\"transactionId\":%d,\"meterStop\":5000,\"reason\":\"%s\","
             "\"timestamp\":\"%s\"}",
             (int)p->r->p->c[0].tx.wire_id, *args ? args : "EVDisconnected",
             clock_format_utc(p->r->w.utc_s, now));
    say(p, "StopTransaction", json);
}

static void do_values(struct play *p, char *args)
{
    struct ocpp_tx *tx = &p->r->p->c[0].tx;
    char now[21], id[40] = "", json[2000];

    if (tx->active)
        snprintf(id, sizeof id, "\"transactionId\":%d,", (int)tx->wire_id);
    snprintf(json, sizeof json,
             "{\"connectorId\":1,%s\"meterValue\":[{\"timestamp\":\"%s\","
             "\"sampledValue\":%s}]}",
             id, clock_format_utc(p->r->w.utc_s, now), args);
    say(p, "MeterValues", json);
}

/* ---- the core */

static int32_t milli(const char *amps)
{
    return (int32_t)(strtod(amps, NULL) * 1000 + 0.5);
}

static void order(struct play *p, const char *args, int insist)
{
    struct order o = {.kind = ORDER_LIMIT,
                      .seq = ++p->r->seq,
                      .limit_ma = milli(args),
                      .insist = (int8_t)insist,
                      .lease_ms = LEASE_MS};

    p->seq = o.seq;
    ocpp_limit_order(p->r->p, &p->r->p->c[0], &o);
}

static void do_order(struct play *p, char *args)
{
    order(p, args, 0);
}

static void do_insist(struct play *p, char *args)
{
    order(p, args, 2);
}

static void do_sample(struct play *p, char *args)
{
    (void)args;
    ocpp_sample_order(p->r->p, &p->r->p->c[0]);
}

static void do_core(struct play *p, char *args)
{
    static const char *const words[] = {"open", "accepted", "rejected", "none"};
    int is = rig_answered(p->r, p->seq);

    if (strcmp(words[is + 1], args) != 0)
        bad(p, "the core heard: %s", words[is + 1]);
}

static void check_number(const struct play *p, int64_t is, bool none, const char *want)
{
    if (strcmp(want, "-") == 0 ? !none : none || is != strtoll(want, NULL, 10))
        bad(p, "%s, but it is %lld", want, (long long)is);
}

static const struct event *last_sample(const struct play *p)
{
    const struct event *e = rig_last(p->r, EVENT_SAMPLE);

    if (!e)
        bad(p, "the core heard of no sample");
    return e;
}

static void do_amps(struct play *p, char *args)
{
    const struct event *e = last_sample(p);
    char *rest = args;

    for (int i = 0; i < SITE_PHASES; i++) {
        const char *word = strsep(&rest, " ");
        int32_t is = e->sample.i_ma[i];

        if (strcmp(word, "-") == 0 ? is != EVENT_NO_VALUE : is != milli(word))
            bad(p, "L%d: %d mA", i + 1, (int)is);
    }
}

static void do_watts(struct play *p, char *args)
{
    int32_t is = last_sample(p)->sample.p_w;

    check_number(p, is, is == EVENT_NO_VALUE, args);
}

static void do_wh(struct play *p, char *args)
{
    int64_t is = last_sample(p)->sample.energy_wh;

    check_number(p, is, is == EVENT_NO_ENERGY, args);
}

static void do_heard(struct play *p, char *args)
{
    check_number(p, rig_count(p->r, EVENT_SAMPLE), false, args);
}

static void do_session(struct play *p, char *args)
{
    const struct rig *r = p->r;
    const struct ocpp_session *s =
        r->n_sessions ? &r->sessions[r->n_sessions - 1] : NULL;
    const char *is = !s                        ? "none"
                     : s->begins && s->resumed ? "resumed"
                     : s->begins               ? "begins"
                                               : "ended";

    if (strcmp(is, args) != 0)
        bad(p, "the session: %s", is);
}

static void do_record(struct play *p, char *args)
{
    char words[OCPP_ABILITY_TEXT], list[OCPP_ABILITY_TEXT + 8], word[80];

    ocpp_ability_write(&p->r->p->able, words);
    snprintf(list, sizeof list, " %s ", words);
    snprintf(word, sizeof word, " %s ", args);
    if (!strstr(list, word))
        bad(p, "the record is %s", words);
}

static void do_trouble(struct play *p, char *args)
{
    if (p->r->troubles == 0 || !strstr(p->r->trouble, args))
        bad(p, "%d troubles, the last is: %s", p->r->troubles, p->r->trouble);
}

static void do_calm(struct play *p, char *args)
{
    (void)args;
    if (p->r->troubles > 0)
        bad(p, "trouble: %s", p->r->trouble);
}

static void do_wait(struct play *p, char *args)
{
    rig_wait(p->r, atoll(args));
}

/* The table of known models as it is shipped. */
static void do_models(struct play *p, char *args)
{
    const char *top = getenv("srcdir");
    char path[400], why[200], *text = calloc(1, 1 << 17);
    size_t n;
    FILE *f;

    (void)args;
    snprintf(path, sizeof path, "%s/data/chargers.yaml", top ? top : ".");
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(text, 1, 1 << 17, f);
    fclose(f);
    p->models = ocpp_models_parse(text, n, why, sizeof why);
    if (!p->models)
        bad(p, "%s:%s", path, why);
    p->r->w.models = p->models;
    free(text);
}

/* What its record says. */
static void do_habits(struct play *p, char *args)
{
    struct ocpp_record *o = &p->r->record;

    strcpy(o->id, "CP-01");
    strcpy(o->vendor, "Go-e");
    strcpy(o->model, "Box");
    strcpy(o->firmware, "56.2");
    snprintf(o->words, sizeof o->words, "%s", args);
}

/* The site file: chargers[].KEY as the index of its word. */
static void do_site(struct play *p, char *args)
{
    struct conf_charger *c = &p->r->chargers[0];
    char key[32];
    int n;

    if (sscanf(args, "%31s %d", key, &n) != 2)
        bad(p, "site KEY INDEX");
    *(strcmp(key, "tx_profile") == 0        ? &c->tx_profile
      : strcmp(key, "default_profile") == 0 ? &c->default_profile
      : strcmp(key, "profile_kind") == 0    ? &c->profile_kind
                                            : &c->profile_unit) = n;
}

static const struct {
    const char *word;
    void (*fn)(struct play *p, char *args);
} steps[] = {
    {"up", do_up},           {"link", do_link},     {"boot", do_boot},
    {"down", do_down},       {"new", do_new},       {"conf", do_conf},
    {">", do_call},          {"raw", do_raw},       {"tx", do_tx},
    {"stop", do_stop},       {"values", do_values}, {"order", do_order},
    {"insist", do_insist},   {"sample", do_sample}, {"told", do_told},
    {"has", do_has},         {"hasnt", do_hasnt},   {"got", do_got},
    {"answer", do_answer},   {"settle", do_settle}, {"quiet", do_quiet},
    {"wait", do_wait},       {"core", do_core},     {"amps", do_amps},
    {"watts", do_watts},     {"wh", do_wh},         {"heard", do_heard},
    {"session", do_session}, {"record", do_record}, {"trouble", do_trouble},
    {"calm", do_calm},       {"site", do_site},     {"models", do_models},
    {"habits", do_habits},
};

static void step(struct play *p, char *line)
{
    char *args = line, *word = strsep(&args, " "), *want = NULL;

    p->want[0] = '\0';
    if (args && (*word == '>' || strcmp(word, "raw") == 0))
        want = strstr(args, " = ");
    if (want) {
        *want = '\0';
        snprintf(p->want, sizeof p->want, "%s", want + 3);
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].word, word) == 0) {
            steps[i].fn(p, args ? args : word + strlen(word));
            return;
        }
    bad(p, "there is no step '%s'", word);
}

void quirk_play(const struct quirk *q)
{
    struct play p = {.r = rig_new(1), .q = q};
    char *script = strdup(q->script), *rest = script, *line;

    for (char *at = script; *at; at++)
        if (*at == '\'')
            *at = '"';
    while ((line = strsep(&rest, "\n"))) {
        p.line++;
        if (*line)
            step(&p, line);
    }
    rig_free(p.r);
    ocpp_models_free(p.models);
    free(script);
}
