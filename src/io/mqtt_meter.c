/* SPDX-License-Identifier: Apache-2.0 */
/* Meters over MQTT. */
#include "io/mqtt_meter.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/meter_tell.h"
#include "meter/plausible.h"
#include "proto/json_pointer.h"

enum {
    PAYLOAD_MAX = 65536,
    READINGS_MS = 100 /* not more often, whatever comes */
};

/* The last of a value. */
struct heard {
    double v;
    bool given;    /* false: it was said that it is not known */
    int64_t at_ms; /* INT64_MIN = never */
};

struct mqtt_meter {
    const struct conf_meter *conf;
    int index;
    bool needed[CONF_QUANTITIES]; /* for a complete reading */
    struct heard heard[CONF_QUANTITIES];
    int64_t good_ms, changed_ms; /* of the last reading, or the start */
    int64_t told_ms;             /* of the last reading; INT64_MIN = never */
    char why[120];               /* what was wrong since; "" = nothing */
    struct belief belief;
    struct counter imported, exported;
    struct meter_trouble trouble;
};

struct mqtt_meters {
    pthread_mutex_t lock;
    struct inbox *inbox;
    struct mqtt_meter *meters;
    int n_meters;
    const char **topics;
    int n_topics;
};

/* ---- from values to a reading ---- */

static int32_t whole(const struct mqtt_meter *m, int quantity, int64_t now_ms)
{
    const struct heard *h = &m->heard[quantity];

    if (h->at_ms == INT64_MIN || !h->given || now_ms - h->at_ms > m->conf->max_age_ms)
        return EVENT_NO_VALUE;
    if (fabs(h->v) >= INT32_MAX)
        return h->v < 0 ? -INT32_MAX : INT32_MAX;
    return (int32_t)lround(h->v);
}

static int64_t energy(const struct mqtt_meter *m, int quantity)
{
    const struct heard *h = &m->heard[quantity];

    if (h->at_ms == INT64_MIN || !h->given || h->v < 0 || h->v > 1e15)
        return EVENT_NO_ENERGY;
    return llround(h->v);
}

static void gather(const struct mqtt_meter *m, int64_t now_ms, struct meter_reading *r)
{
    reading_clear(r);
    for (int i = 0; i < SITE_PHASES; i++) {
        r->v_mv[i] = whole(m, CONF_V + i, now_ms);
        r->p_phase_w[i] = whole(m, CONF_P_PHASE + i, now_ms);
        r->i_ma[i] =
            reading_directed(whole(m, CONF_I + i, now_ms), r->p_phase_w[i], r->v_mv[i]);
    }
    r->p_w = whole(m, CONF_P, now_ms);
    r->hz_mhz = whole(m, CONF_HZ, now_ms);
    r->import_wh = energy(m, CONF_IMPORT);
    r->export_wh = energy(m, CONF_EXPORT);
    reading_complete(r, SITE_PHASES);
}

/* When the oldest of the values that are needed came. */
static int64_t oldest_ms(const struct mqtt_meter *m)
{
    int64_t at_ms = INT64_MAX;

    for (int q = 0; q < CONF_QUANTITIES; q++)
        if (m->needed[q] && m->heard[q].at_ms < at_ms)
            at_ms = m->heard[q].at_ms;
    return at_ms;
}

static void tell(struct mqtt_meters *mm, struct mqtt_meter *m, int64_t now_ms)
{
    /* what produces need not tell its current */
    static const struct definition production = {.kind = DEF_INVERTER};
    int64_t at_ms = oldest_ms(m);
    struct meter_reading r;
    char text[128];

    if (at_ms <= m->good_ms || now_ms - at_ms > m->conf->max_age_ms / 2 ||
        (m->told_ms != INT64_MIN && now_ms - m->told_ms < READINGS_MS))
        return;
    gather(m, now_ms, &r);
    if (!reading_believed(&m->belief, &r,
                          m->conf->role == METER_SOLAR ? &production : NULL, text,
                          sizeof text)) {
        snprintf(m->why, sizeof m->why, "implausible: %.100s", text);
        meter_tell_trouble(mm->inbox, &m->trouble, "meter", m->conf->name, m->why);
        return;
    }
    if (m->conf->invert)
        reading_invert(&r);
    reading_drop_dead(&r);
    r.import_wh = counter_step(&m->imported, r.import_wh, now_ms);
    r.export_wh = counter_step(&m->exported, r.export_wh, now_ms);
    m->good_ms = m->told_ms = now_ms;
    m->why[0] = '\0';
    meter_tell_relief(mm->inbox, &m->trouble, "meter", m->conf->name);
    meter_tell_reading(mm->inbox, m->index, &r, at_ms, m->changed_ms);
}

/* ---- messages ---- */

static void note(struct mqtt_meter *m, const struct conf_meter_value *v,
                 enum json_number how, double number, int64_t now_ms)
{
    struct heard *h = &m->heard[v->quantity];
    double value = number * v->scale;

    if (how == JSON_FAULT) {
        snprintf(m->why, sizeof m->why, "%.60s has no number%s%.40s", v->topic,
                 *v->pointer ? " at " : "", v->pointer);
        return;
    }
    if (m->needed[v->quantity] && h->at_ms != INT64_MIN &&
        (h->given != (how == JSON_NUMBER) || (h->given && h->v != value)))
        m->changed_ms = now_ms;
    *h = (struct heard){.v = how == JSON_NUMBER ? value : 0,
                        .given = how == JSON_NUMBER,
                        .at_ms = now_ms};
}

static bool take(struct mqtt_meter *m, const char *topic, const char *payload, size_t n,
                 cJSON **root, int64_t now_ms)
{
    bool any = false;

    for (int i = 0; i < m->conf->n_values; i++) {
        const struct conf_meter_value *v = &m->conf->values[i];
        double number = 0;
        enum json_number how;

        if (strcmp(v->topic, topic) != 0)
            continue;
        if (*v->pointer && !*root)
            *root = cJSON_ParseWithLength(payload, n);
        how = *v->pointer ? json_number(json_pointer(*root, v->pointer), &number)
                          : json_number_text(payload, n, &number);
        note(m, v, how, number, now_ms);
        any = true;
    }
    return any;
}

bool mqtt_meters_take(struct mqtt_meters *mm, const char *topic, const char *payload,
                      size_t n, bool retained)
{
    int64_t now_ms = clock_ms();
    cJSON *root = NULL;
    bool ours = false;

    for (int i = 0; i < mm->n_topics; i++)
        ours = ours || strcmp(mm->topics[i], topic) == 0;
    if (!ours || retained || n > PAYLOAD_MAX)
        return ours;
    pthread_mutex_lock(&mm->lock);
    for (int i = 0; i < mm->n_meters; i++)
        if (take(&mm->meters[i], topic, payload, n, &root, now_ms))
            tell(mm, &mm->meters[i], now_ms);
    pthread_mutex_unlock(&mm->lock);
    cJSON_Delete(root);
    return true;
}

void mqtt_meters_tick(struct mqtt_meters *mm)
{
    int64_t now_ms = clock_ms();
    char text[300];

    pthread_mutex_lock(&mm->lock);
    for (int i = 0; i < mm->n_meters; i++) {
        struct mqtt_meter *m = &mm->meters[i];

        if (now_ms - m->good_ms <= m->conf->max_age_ms)
            continue;
        snprintf(text, sizeof text, "no complete reading on %.60s for %lld s%s%s",
                 m->conf->topic, (long long)((now_ms - m->good_ms) / 1000),
                 m->why[0] ? ": " : "", m->why);
        meter_tell_trouble(mm->inbox, &m->trouble, "meter", m->conf->name, text);
    }
    pthread_mutex_unlock(&mm->lock);
}

/* ---- setting up ---- */

/* Powers and currents are; a voltage only where the current is worked out with it. */
static void find_needed(struct mqtt_meter *m)
{
    bool given[CONF_QUANTITIES] = {false};

    for (int i = 0; i < m->conf->n_values; i++)
        given[m->conf->values[i].quantity] = true;
    for (int q = 0; q < CONF_QUANTITIES; q++) {
        m->needed[q] = given[q] && q >= CONF_I && q <= CONF_P;
        m->heard[q].at_ms = INT64_MIN;
    }
    for (int p = 0; p < SITE_PHASES; p++)
        m->needed[CONF_V + p] = given[CONF_V + p] && !given[CONF_I + p];
}

static void add_topic(struct mqtt_meters *mm, const char *topic)
{
    for (int i = 0; i < mm->n_topics; i++)
        if (strcmp(mm->topics[i], topic) == 0)
            return;
    mm->topics[mm->n_topics++] = topic;
}

struct mqtt_meters *mqtt_meters_new(const struct config *c, struct inbox *b)
{
    struct mqtt_meters *mm = calloc(1, sizeof *mm);
    size_t meters = 0, values = 0;

    for (int i = 0; i < c->site.n_meters; i++) {
        meters += c->meters[i].source == SOURCE_MQTT;
        values += (size_t)c->meters[i].n_values;
    }
    if (!mm)
        return NULL;
    pthread_mutex_init(&mm->lock, NULL);
    mm->inbox = b;
    mm->meters = calloc(meters + 1, sizeof *mm->meters);
    mm->topics = calloc(values + 1, sizeof *mm->topics);
    if (!mm->meters || !mm->topics) {
        mqtt_meters_free(mm);
        return NULL;
    }
    for (int i = 0; i < c->site.n_meters; i++) {
        struct mqtt_meter *m = &mm->meters[mm->n_meters];

        if (c->meters[i].source != SOURCE_MQTT)
            continue;
        *m = (struct mqtt_meter){.conf = &c->meters[i],
                                 .index = i,
                                 .good_ms = clock_ms(),
                                 .changed_ms = clock_ms(),
                                 .told_ms = INT64_MIN};
        find_needed(m);
        for (int k = 0; k < m->conf->n_values; k++)
            add_topic(mm, m->conf->values[k].topic);
        mm->n_meters++;
    }
    return mm;
}

void mqtt_meters_free(struct mqtt_meters *mm)
{
    if (!mm)
        return;
    pthread_mutex_destroy(&mm->lock);
    free(mm->meters);
    free(mm->topics);
    free(mm);
}

int mqtt_meters_topics(const struct mqtt_meters *mm, const char *const **topics)
{
    *topics = mm->topics;
    return mm->n_topics;
}
