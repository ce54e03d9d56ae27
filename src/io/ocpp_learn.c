/* SPDX-License-Identifier: Apache-2.0 */
/* What is learned of a charger while it is used, and its record. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum { ZERO_MS = 60000, OFFERED_MS = 5000, REST_MA = 500, DRAWS_MA = 3000 };

/* ---- the record */

/* Records without a version are of the oldest one. */
static const char *version_word(const struct ocpp_peer *p)
{
    return p->schema == ocpp_schema_named("") ? "" : p->schema->version;
}

void ocpp_learn_recall(struct ocpp_peer *p)
{
    const struct ocpp_hooks *h = &p->w->hooks;
    const struct ocpp_record *r =
        h->recall && !*p->able.vendor && *p->id ? h->recall(h->arg, p->id) : NULL;
    struct ocpp_ability a;
    char why[OCPP_ABILITY_WHY];

    if (!r)
        return;
    ocpp_ability_init(&a);
    snprintf(a.vendor, sizeof a.vendor, "%s", r->vendor);
    snprintf(a.model, sizeof a.model, "%s", r->model);
    snprintf(a.firmware, sizeof a.firmware, "%s", r->firmware);
    if (!ocpp_ability_read(&a, r->words, why)) {
        log_warnx("%s: what was kept of it is of no use: %s", p->id, why);
        return;
    }
    if (strcmp(a.version, version_word(p)) != 0) {
        log_info("%s: speaks another version of OCPP than before: what was known of it "
                 "is found out anew",
                 p->id);
        return;
    }
    p->able = a;
    ocpp_ability_write(&a, p->able_text);
}

void ocpp_learn_boot(struct ocpp_peer *p, const struct ocpp_boot *b)
{
    struct ocpp_ability *a = &p->able;
    const char *note;

    if (strcmp(a->vendor, b->vendor) == 0 && strcmp(a->model, b->model) == 0 &&
        strcmp(a->firmware, b->firmware) == 0)
        return;
    if (*a->vendor)
        log_info("%s: it is no longer %s %s %s: what was known of it is found out anew",
                 p->id, a->vendor, a->model, a->firmware);
    ocpp_ability_init(a);
    snprintf(a->vendor, sizeof a->vendor, "%s", b->vendor);
    snprintf(a->model, sizeof a->model, "%s", b->model);
    snprintf(a->firmware, sizeof a->firmware, "%s", b->firmware);
    snprintf(a->version, sizeof a->version, "%s", version_word(p));
    ocpp_config_init(&p->config);
    p->cleared = false;
    p->able_text[0] = '\0';
    note = ocpp_models_note(p->w->models, a);
    if (note)
        log_info("%s: %s %s: %s", p->id, a->vendor, a->model, note);
}

/* A lease is of no use there, and what it may draw without us is not its fallback. */
static void tell_keeps(struct ocpp_peer *p)
{
    bool low = false;

    for (int i = 0; i < p->n; i++)
        low |= ocpp_peer_site(p, &p->c[i])->fallback_ma <
               ocpp_peer_site(p, &p->c[i])->max_ma;
    ocpp_peer_trouble(p, OCPP_TROUBLE_KEEPS,
                      p->able.keeps == OCPP_KEEPS_NO && low
                          ? "loses its limit with the connection: its fallback must be "
                            "its maximum"
                          : NULL);
}

void ocpp_learn_tick(struct ocpp_peer *p)
{
    const struct ocpp_hooks *h = &p->w->hooks;
    struct ocpp_record r = {0};

    if (!p->able_due || !*p->able.vendor || p->setup != OCPP_SETUP_DONE)
        return;
    p->able_due = false;
    tell_keeps(p);
    ocpp_setup_check(p); /* there may be another site file now */
    _Static_assert(sizeof r.words == OCPP_ABILITY_TEXT, "what is written fits");
    ocpp_ability_write(&p->able, r.words);
    if (strcmp(r.words, p->able_text) == 0)
        return;
    snprintf(p->able_text, sizeof p->able_text, "%s", r.words);
    snprintf(r.id, sizeof r.id, "%s", p->id);
    snprintf(r.vendor, sizeof r.vendor, "%s", p->able.vendor);
    snprintf(r.model, sizeof r.model, "%s", p->able.model);
    snprintf(r.firmware, sizeof r.firmware, "%s", p->able.firmware);
    log_info("%s: is known as %s", p->id, r.words);
    if (h->learned)
        h->learned(h->arg, &r);
}

/* ---- in passing */

/* What it makes of a limit that is no whole ampere. */
static void learn_step(struct ocpp_ability *a, int32_t told_ma, int32_t offered_ma)
{
    int32_t tenths_ma = told_ma - told_ma % 100;

    if (tenths_ma % 1000 == 0)
        return;
    if (offered_ma == tenths_ma)
        a->step_ma = 100;
    else if (offered_ma == tenths_ma - tenths_ma % 1000 && a->step_ma == 0)
        a->step_ma = 1000;
}

/* Whether it stops on 0 A. A car that takes nothing by itself shows nothing. */
static void learn_zero(struct ocpp_ability *a, const struct ocpp_connector *c,
                       const int32_t i_ma[SITE_PHASES], int64_t told_for_ms)
{
    int32_t most = EVENT_NO_VALUE;

    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] > most)
            most = i_ma[p];
    if (most == EVENT_NO_VALUE || c->phases_seen == 0)
        return;
    if (most > DRAWS_MA && told_for_ms > ZERO_MS)
        a->zero = OCPP_ZERO_DRAWS;
    else if (most < REST_MA && a->zero == OCPP_ZERO_UNKNOWN)
        a->zero = OCPP_ZERO_PAUSES;
}

void ocpp_learn_values(struct ocpp_peer *p, const struct ocpp_sample *s)
{
    struct ocpp_ability *a = &p->able;

    for (int i = 0; i < SITE_PHASES; i++) {
        a->values |= s->i_ma[i] != EVENT_NO_VALUE ? OCPP_VALUE_CURRENTS : 0;
        a->values |= s->v_mv[i] != EVENT_NO_VALUE ? OCPP_VALUE_VOLTAGE : 0;
    }
    a->values |= s->i_any_ma != EVENT_NO_VALUE ? OCPP_VALUE_CURRENT : 0;
    a->values |= s->v_any_mv != EVENT_NO_VALUE ? OCPP_VALUE_VOLTAGE : 0;
    a->values |= s->offered_ma != EVENT_NO_VALUE ? OCPP_VALUE_OFFERED : 0;
    a->values |= ocpp_told_w(s) != EVENT_NO_VALUE ? OCPP_VALUE_POWER : 0;
    a->values |= ocpp_energy(s) != EVENT_NO_ENERGY ? OCPP_VALUE_ENERGY : 0;
}

void ocpp_learn_sample(struct ocpp_peer *p, struct ocpp_connector *c,
                       const struct ocpp_sample *s, const int32_t i_ma[SITE_PHASES])
{
    const struct ocpp_limit *l = &c->limit;
    struct ocpp_ability *a = &p->able;
    int64_t for_ms = p->w->now_ms - l->force_ms;

    if (!c->tx.active || !l->force.has || l->force.until_ms <= p->w->now_ms)
        return;
    if (l->told_ma < ocpp_peer_site(p, c)->min_ma)
        learn_zero(a, c, i_ma, for_ms);
    else if (s->offered_ma != EVENT_NO_VALUE && for_ms >= OFFERED_MS)
        learn_step(a, l->told_ma, s->offered_ma);
}

/* Some take 0 A for an end (Q31); a driver who leaves at that moment looks different.
 */
void ocpp_learn_end(struct ocpp_peer *p, struct ocpp_connector *c, const char *reason)
{
    static const char *const people[] = {"EVDisconnected", "Local", "Remote",
                                         "DeAuthorized", "Reboot"};
    const struct ocpp_limit *l = &c->limit;

    for (size_t i = 0; i < sizeof people / sizeof *people; i++)
        if (strcasecmp(reason, people[i]) == 0)
            return;
    if (*reason && c->phases_seen && l->force.has && l->told_ma == 0 &&
        p->w->now_ms - l->force_ms < ZERO_MS) {
        log_warnx("%s: ends its transaction on 0 A", p->id);
        p->able.zero = OCPP_ZERO_ENDS;
    }
}

/* ---- for people */

static void add_level(cJSON *o, const char *name, int32_t value)
{
    if (value >= 0)
        cJSON_AddNumberToObject(o, name, value);
}

static void add_truth(cJSON *o, const char *name, int32_t value)
{
    if (value >= 0)
        cJSON_AddBoolToObject(o, name, value);
}

/* Plugs of each connector where one has several; those that can choose their phase. */
static void describe_places(const struct ocpp_peer *p, cJSON *r)
{
    cJSON *plugs = cJSON_CreateArray(), *choose = cJSON_CreateArray();
    bool several = false;

    for (int i = 0; i < p->n; i++) {
        int n = ocpp_plugs_of(p, &p->c[i]);

        several |= n > 1;
        cJSON_AddItemToArray(plugs, cJSON_CreateNumber(n));
        if (ocpp_config_chooses(&p->config, p->c[i].number))
            cJSON_AddItemToArray(choose, cJSON_CreateNumber(p->c[i].number));
    }
    if (several)
        cJSON_AddItemToObject(r, "plugs", plugs);
    else
        cJSON_Delete(plugs);
    if (cJSON_GetArraySize(choose) > 0)
        cJSON_AddItemToObject(r, "choose_phase", choose);
    else
        cJSON_Delete(choose);
}

/* What cannot be set, or is refused. */
static void describe_fixed(const struct ocpp_config *c, cJSON *r)
{
    const struct {
        bool fixed;
        const char *name;
    } all[] = {{c->smart_fixed && c->smart == 0, "smart_charging"},
               {c->sample_fixed, "sample_s"},
               {c->measurands_fixed, "measurands"},
               {c->ping_fixed, "ping_s"}};
    cJSON *list = NULL;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].fixed) {
            list = list ? list : cJSON_AddArrayToObject(r, "fixed");
            cJSON_AddItemToArray(list, cJSON_CreateString(all[i].name));
        }
}

static void describe_record(const struct ocpp_peer *p, cJSON *o)
{
    const struct ocpp_config *c = &p->config;
    cJSON *r = cJSON_AddObjectToObject(o, "record");
    char words[OCPP_ABILITY_TEXT];
    const char *note = ocpp_models_note(p->w->models, &p->able);
    char *rest = words, *word;

    ocpp_ability_write(&p->able, words);
    cJSON_AddStringToObject(o, "habits", words);
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');

        *value++ = '\0';
        cJSON_AddStringToObject(r, word, value);
    }
    add_level(r, "max_level", c->max_level);
    add_level(r, "max_periods", c->max_periods);
    add_level(r, "max_profiles", c->max_profiles);
    add_level(r, "connectors", c->connectors);
    describe_places(p, r);
    add_truth(r, "smart_charging", c->smart_there == 0 ? 0 : c->smart);
    add_truth(r, "one_phase", c->one_phase);
    add_truth(r, "outside_limits", c->outside);
    if (c->change_milli >= 0)
        cJSON_AddNumberToObject(r, "change_pct", c->change_milli / 1000.0);
    add_level(r, "sample_s", c->sample_s);
    add_level(r, "aligned_s", c->aligned_s);
    add_level(r, "heartbeat_s", c->heartbeat_s);
    add_level(r, "ping_s", c->ping_s);
    add_level(r, "get_items", c->per_get);
    add_level(r, "get_bytes", c->bytes_get);
    add_level(r, "set_items", c->per_set);
    add_level(r, "set_bytes", c->bytes_set);
    describe_fixed(c, r);
    if (*c->starts)
        cJSON_AddStringToObject(r, "starts", c->starts);
    if (c->unit_known)
        cJSON_AddStringToObject(r, "units",
                                c->amps && c->watts ? "A,W"
                                : c->amps           ? "A"
                                                    : "W");
    if (*c->measurands)
        cJSON_AddStringToObject(r, "measurands", c->measurands);
    if (*c->rotation)
        cJSON_AddStringToObject(r, "rotation", c->rotation);
    if (note)
        cJSON_AddStringToObject(r, "note", note);
}

cJSON *ocpp_learn_describe(const struct ocpp_peer *p)
{
    cJSON *o = cJSON_CreateObject(), *troubles;

    cJSON_AddStringToObject(o, "id", p->id);
    cJSON_AddStringToObject(o, "name", p->w->conf->chargers[p->charger].name);
    cJSON_AddBoolToObject(o, "connected", p->link != NULL);
    cJSON_AddStringToObject(o, "version", p->schema->version);
    cJSON_AddStringToObject(o, "vendor", p->able.vendor);
    cJSON_AddStringToObject(o, "model", p->able.model);
    cJSON_AddStringToObject(o, "firmware", p->able.firmware);
    describe_record(p, o);
    troubles = cJSON_AddArrayToObject(o, "troubles");
    for (int t = 0; t < OCPP_TROUBLES; t++)
        if (*p->trouble[t])
            cJSON_AddItemToArray(troubles, cJSON_CreateString(p->trouble[t]));
    return o;
}
