/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1: what stations tell of cars' needs, of limits by others, and of what
 * happens in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/ocpp201.h"

/* A whole number above 0, at most `most`; 0 = there is none. */
static int64_t positive(const cJSON *o, const char *name, int64_t most)
{
    int64_t n;

    return ocpp_get_int(o, name, &n) && n > 0 ? n < most ? n : most : 0;
}

/* ---- what cars need */

/* In whole A on each phase. Many stations write 0 where they know nothing. */
static void read_ac(const cJSON *ac, struct ocpp_needs *n)
{
    n->energy_wh = (int32_t)positive(ac, "energyAmount", INT32_MAX);
    n->min_ma = (int32_t)positive(ac, "evMinCurrent", 1000) * 1000;
    n->max_ma = (int32_t)positive(ac, "evMaxCurrent", 1000) * 1000;
}

/* The energy until it is full, or until its driver's aim. */
static int32_t dc_energy(const cJSON *dc)
{
    int64_t wh = positive(dc, "evEnergyCapacity", INT32_MAX), soc;
    int64_t full = positive(dc, "fullSoC", 100);

    if (positive(dc, "energyAmount", INT32_MAX))
        return (int32_t)positive(dc, "energyAmount", INT32_MAX);
    if (!full)
        full = positive(dc, "bulkSoC", 100);
    if (!full)
        full = 100;
    if (!ocpp_get_int(dc, "stateOfCharge", &soc) || soc < 0 || soc >= full)
        return 0;
    return (int32_t)(wh * (full - soc) / 100);
}

/* Currents and voltages of DC are those behind the station. */
static void read_dc(const cJSON *dc, struct ocpp_needs *n)
{
    int64_t w =
        positive(dc, "evMaxCurrent", 10000) * positive(dc, "evMaxVoltage", 10000);
    int64_t most_w = positive(dc, "evMaxPower", INT32_MAX);

    n->energy_wh = dc_energy(dc);
    if (most_w && (!w || most_w < w))
        w = most_w;
    n->max_w = (int32_t)w;
}

bool ocpp201_read_needs(const cJSON *p, struct ocpp_needs *n, struct ocpp_fault *fault)
{
    const cJSON *needs = ocpp_get(p, "chargingNeeds");

    *n = (struct ocpp_needs){0};
    if (!ocpp_need_int(p, "evseId", 1, INT32_MAX, &n->connector, fault))
        return false;
    ocpp_get_text(needs, "departureTime", n->departs, sizeof n->departs);
    if (ocpp_get(needs, "acChargingParameters"))
        read_ac(ocpp_get(needs, "acChargingParameters"), n);
    else
        read_dc(ocpp_get(needs, "dcChargingParameters"), n);
    return true;
}

/* ---- limits by others */

static void read_source(const cJSON *o, char source[8])
{
    static const char *const words[] = {"EMS", "SO", "CSO"};
    char text[16];

    ocpp_get_text(o, "chargingLimitSource", text, sizeof text);
    strcpy(source, "Other");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i], text) == 0)
            strcpy(source, words[i]);
}

/* One that is negative or no number limits to nothing that we could tell. */
static struct ocpp_bound bound(const cJSON *period, bool watts)
{
    struct ocpp_bound b = {EVENT_NO_VALUE, EVENT_NO_VALUE};
    int64_t milli;

    if (!ocpp_milli(ocpp_get(period, "limit"), &milli) || milli < 0)
        return b;
    if (watts)
        b.w = milli / 1000 > INT32_MAX ? INT32_MAX : (int32_t)(milli / 1000);
    else
        b.ma = milli > SITE_MAX_MA ? SITE_MAX_MA : (int32_t)milli;
    return b;
}

static bool read_periods(const cJSON *list, bool watts, struct ocpp_schedule *s)
{
    int n = cJSON_GetArraySize(list);
    const cJSON *item;
    int64_t start;

    s->at = calloc((size_t)(n < OCPP_PERIODS_MOST ? n : OCPP_PERIODS_MOST) + 1,
                   sizeof *s->at);
    cJSON_ArrayForEach(item, list)
    {
        if (!s->at || s->n == OCPP_PERIODS_MOST)
            break;
        if (!ocpp_get_int(item, "startPeriod", &start) || start < 0 ||
            start > INT32_MAX || (s->n > 0 && start <= s->at[s->n - 1].start_s))
            continue;
        s->at[s->n].start_s = s->n == 0 ? 0 : (int32_t)start;
        s->at[s->n++].bound = bound(item, watts);
    }
    return s->n > 0;
}

static bool read_schedule(const cJSON *o, struct ocpp_schedule *s)
{
    char unit[4];

    *s = (struct ocpp_schedule){.duration_s =
                                    (int32_t)positive(o, "duration", INT32_MAX)};
    ocpp_get_text(o, "startSchedule", s->start, sizeof s->start);
    ocpp_get_text(o, "chargingRateUnit", unit, sizeof unit);
    if (read_periods(ocpp_get(o, "chargingSchedulePeriod"), strcasecmp(unit, "W") == 0,
                     s))
        return true;
    free(s->at);
    return false;
}

static bool make_room(struct ocpp_limited *l, int n)
{
    l->schedules =
        calloc((size_t)(n < OCPP_SCHEDULES_MOST ? n : OCPP_SCHEDULES_MOST) + 1,
               sizeof *l->schedules);
    return l->schedules;
}

static bool read_evse(const cJSON *p, struct ocpp_limited *l, struct ocpp_fault *fault)
{
    *l = (struct ocpp_limited){0};
    return !ocpp_get(p, "evseId") ||
           ocpp_need_int(p, "evseId", 0, INT32_MAX, &l->connector, fault);
}

bool ocpp201_read_limited(const cJSON *p, struct ocpp_limited *l,
                          struct ocpp_fault *fault)
{
    const cJSON *list = ocpp_get(p, "chargingSchedule"), *item;
    const cJSON *limit = ocpp_get(p, "chargingLimit");

    if (!read_evse(p, l, fault))
        return false;
    read_source(limit ? limit : p, l->source);
    l->critical = cJSON_IsTrue(ocpp_get(limit, "isGridCritical"));
    if (!make_room(l, cJSON_GetArraySize(list)))
        return true;
    cJSON_ArrayForEach(item, list)
    {
        if (l->n < OCPP_SCHEDULES_MOST && read_schedule(item, &l->schedules[l->n]))
            l->n++;
    }
    return true;
}

static void read_profile(const cJSON *o, struct ocpp_limited *l)
{
    struct ocpp_schedule *s = &l->schedules[l->n];
    const cJSON *list = ocpp_get(o, "chargingSchedule");
    char word[40];
    int64_t level = 0;

    ocpp_get_text(o, "chargingProfilePurpose", word, sizeof word);
    if (strcasecmp(word, "ChargingStationExternalConstraints") != 0 ||
        !read_schedule(list ? list->child : NULL, s))
        return;
    l->n++;
    ocpp_get_int(o, "stackLevel", &level);
    s->level = (int32_t)level;
    ocpp_get_text(o, "validFrom", s->from, sizeof s->from);
    ocpp_get_text(o, "validTo", s->to, sizeof s->to);
    ocpp_get_text(o, "chargingProfileKind", word, sizeof word);
    if (strcasecmp(word, "Recurring") != 0)
        return;
    ocpp_get_text(o, "recurrencyKind", word, sizeof word);
    s->every_s = strcasecmp(word, "Weekly") == 0 ? 7 * 86400 : 86400;
}

bool ocpp201_read_reported(const cJSON *p, struct ocpp_limited *l, int64_t *request,
                           struct ocpp_fault *fault)
{
    const cJSON *list = ocpp_get(p, "chargingProfile"), *item;

    *request = -1;
    ocpp_get_int(p, "requestId", request);
    if (!read_evse(p, l, fault))
        return false;
    read_source(p, l->source);
    if (!make_room(l, cJSON_GetArraySize(list)))
        return true;
    cJSON_ArrayForEach(item, list)
    {
        if (l->n < OCPP_SCHEDULES_MOST)
            read_profile(item, l);
    }
    return true;
}

const char *ocpp201_ask_limited(char *out, int32_t request)
{
    snprintf(out, OCPP_CALL_TEXT,
             "{\"requestId\":%d,\"chargingProfile\":{\"chargingProfilePurpose\":"
             "\"ChargingStationExternalConstraints\"}}",
             (int)request);
    return "GetChargingProfiles";
}

/* ---- what happens in a station */

static bool has_word(const char *const *words, const char *word)
{
    for (; *words; words++)
        if (strcasecmp(*words, word) == 0)
            return true;
    return false;
}

/* An alert is what somebody wanted to be told; else what says by its name that
 * something is wrong. */
bool ocpp201_read_happening(const cJSON *p, int i, struct ocpp_happening *h)
{
    static const char *const wrong[] = {"Problem", "Tripped", "Overload", NULL};
    static const char *const no[] = {"false", "0", "", NULL};
    const cJSON *o = cJSON_GetArrayItem(ocpp_get(p, "eventData"), i);
    char component[52], variable[52], trigger[16];
    int64_t evse = 0;

    if (!o)
        return false;
    ocpp_get_text(ocpp_get(o, "component"), "name", component, sizeof component);
    ocpp_get_text(ocpp_get(o, "variable"), "name", variable, sizeof variable);
    ocpp_get_text(o, "trigger", trigger, sizeof trigger);
    ocpp_get_int(ocpp_get(ocpp_get(o, "component"), "evse"), "id", &evse);
    *h = (struct ocpp_happening){.connector =
                                     evse > 0 && evse < INT32_MAX ? (int32_t)evse : 0};
    snprintf(h->what, sizeof h->what, "%s %s", component, variable);
    ocpp_get_text(o, "actualValue", h->value, sizeof h->value);
    ocpp_get_text(o, "techInfo", h->info, sizeof h->info);
    h->matters = has_word(wrong, variable) || strcasecmp(trigger, "Alerting") == 0;
    h->over = cJSON_IsTrue(ocpp_get(o, "cleared")) ||
              (has_word(wrong, variable) && has_word(no, h->value));
    return true;
}
