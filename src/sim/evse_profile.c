/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated charger of the newer generation takes charging profiles: it refuses
 * all that block K of the standard lets it refuse (the numbers of its requirements
 * stand beside), and tells what it has. */
#include <string.h>

#include "sim/station_state.h"

enum { REPORT_MOST = 4 /* profiles in a message */ };

static const char *const purposes[] = {
    [SIM_CHARGE_POINT_MAX] = "ChargingStationMaxProfile",
    [SIM_EXTERNAL] = "ChargingStationExternalConstraints",
    [SIM_TX_DEFAULT] = "TxDefaultProfile",
    [SIM_TX] = "TxProfile",
};

static int purpose_of(const char *word)
{
    int i = 0;

    while (strcmp(purposes[i], word) != 0)
        i++;
    return i; /* the shape has been checked: it is one of them */
}

/* ---- taking one */

static const char *bad_period(const struct station *s, const struct sim_period *p)
{
    if (p->phase && (p->phases != 1 || !s->u.phase_switch)) /* K01.FR.19, 20 */
        return "InvalidSchedule";
    return NULL;
}

static const char *bad_schedule(const struct station *s, const struct sim_profile *p,
                                const struct sim_schedule *c)
{
    bool begins = c->start_s != SIM_NO_TIME;

    if (p->kind == SIM_RELATIVE ? begins : !begins) /* K01.FR.40, 41 */
        return "InvalidSchedule";
    for (int i = 0; i < c->n; i++)
        if (bad_period(s, &c->period[i]))
            return bad_period(s, &c->period[i]);
    return NULL;
}

/* Reads it, with its order of periods (K01.FR.31, 35), its level and its number of
 * schedules and periods as they fit here. */
static const char *read_profile(const struct station *s, int evse, const cJSON *o,
                                struct sim_profile *p)
{
    const char *transaction = payload_text(o, "transactionId");
    const cJSON *schedule;

    if (!station_read_profile(o, evse, p))
        return p->level > SIM_PROFILE_LEVELS ? "InvalidStackLevel" : "InvalidProfile";
    p->id = payload_int(o, "id", 0);
    p->purpose =
        (enum sim_purpose)purpose_of(payload_text(o, "chargingProfilePurpose"));
    if (transaction)
        strncpy(p->transaction, transaction, sizeof p->transaction - 1);
    cJSON_ArrayForEach(schedule, payload_get(o, "chargingSchedule"))
    {
        struct sim_schedule *c = &p->schedule[p->n++];

        if (!station_read_schedule(schedule, c) || bad_schedule(s, p, c))
            return "InvalidSchedule";
    }
    return NULL;
}

/* K01.FR.03, 16, 33: of a transaction that runs there; of one that is about to be begun
 * remotely nothing is known yet. */
static const char *bad_transaction(const struct station *s, const struct sim_profile *p,
                                   bool remote_start)
{
    const struct station_bay *b;

    if (p->connector == 0)
        return "InvalidProfile";
    if (remote_start)
        return p->transaction[0] ? "InvalidProfile" : NULL;
    b = &s->bays[p->connector - 1];
    if (!p->transaction[0])
        return "InvalidProfile";
    return b->bay.session && strcmp(b->session.name, p->transaction) == 0
               ? NULL
               : "TxNotFound";
}

static const char *bad_purpose(const struct station *s, const struct sim_profile *p,
                               bool remote_start)
{
    if (p->purpose == SIM_EXTERNAL) /* K01.FR.22 */
        return "InvalidProfile";
    if (p->purpose == SIM_TX)
        return bad_transaction(s, p, remote_start);
    if (p->transaction[0] || remote_start)
        return "InvalidProfile";
    if (p->purpose == SIM_CHARGE_POINT_MAX &&
        (p->connector != 0 || p->kind == SIM_RELATIVE)) /* K01.FR.38 */
        return "InvalidProfile";
    return NULL;
}

const char *evse_profile_set(struct station *s, int evse, const cJSON *profile,
                             bool remote_start)
{
    struct sim_profile p;
    const char *why = read_profile(s, evse, profile, &p);

    if (!why)
        why = bad_purpose(s, &p, remote_start);
    if (why)
        return why;
    for (int i = 0; i < s->profiles.n; i++) /* K01.FR.05: it is somebody else's */
        if (s->profiles.list[i].id == p.id &&
            s->profiles.list[i].purpose == SIM_EXTERNAL)
            return "InvalidProfileId";
    if (sim_profiles_clash(&s->profiles, &p))
        return "DuplicateProfile";
    return sim_profiles_put(&s->profiles, &p) ? NULL : "TooManyProfiles";
}

/* ---- taking them away */

/* Others' limits stay. */
static bool goes(const struct sim_profile *p, int32_t id, const cJSON *which)
{
    int32_t evse = payload_int(which, "evseId", SIM_PROFILE_ANY);
    int32_t level = payload_int(which, "stackLevel", SIM_PROFILE_ANY);
    const char *purpose = payload_text(which, "chargingProfilePurpose");

    if (p->purpose == SIM_EXTERNAL)
        return false;
    if (id != SIM_PROFILE_ANY)
        return p->id == id;
    return (evse == SIM_PROFILE_ANY || evse == p->connector) &&
           (level == SIM_PROFILE_ANY || level == p->level) &&
           (!purpose || strcmp(purpose, purposes[p->purpose]) == 0);
}

cJSON *evse_profiles_clear(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t id = payload_int(o, "chargingProfileId", SIM_PROFILE_ANY);
    int gone = 0;

    for (int i = s->profiles.n - 1; i >= 0; i--) {
        struct sim_profile p = s->profiles.list[i];

        if (goes(&p, id, payload_get(o, "chargingProfileCriteria")))
            gone += sim_profiles_clear(&s->profiles, p.id, SIM_PROFILE_ANY,
                                       SIM_PROFILE_ANY, SIM_PROFILE_ANY);
    }
    if (gone)
        station_act(s, answer_ms);
    return payload_status(gone ? "Accepted" : "Unknown");
}

/* ---- telling what there is */

static cJSON *period(const struct sim_period *p)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddNumberToObject(o, "startPeriod", p->from_s);
    cJSON_AddNumberToObject(o, "limit", p->tenths / 10.0);
    if (p->phases)
        cJSON_AddNumberToObject(o, "numberPhases", p->phases);
    if (p->phase)
        cJSON_AddNumberToObject(o, "phaseToUse", p->phase);
    return o;
}

cJSON *evse_schedule(const struct sim_schedule *c)
{
    cJSON *o = cJSON_CreateObject(), *list;

    cJSON_AddNumberToObject(o, "id", c->id);
    if (c->start_s != SIM_NO_TIME)
        payload_add_time(o, "startSchedule", c->start_s);
    if (c->duration_s >= 0)
        cJSON_AddNumberToObject(o, "duration", c->duration_s);
    cJSON_AddStringToObject(o, "chargingRateUnit", c->watts ? "W" : "A");
    if (c->min_tenths >= 0)
        cJSON_AddNumberToObject(o, "minChargingRate", c->min_tenths / 10.0);
    list = cJSON_AddArrayToObject(o, "chargingSchedulePeriod");
    for (int i = 0; i < c->n; i++)
        cJSON_AddItemToArray(list, period(&c->period[i]));
    return o;
}

static cJSON *profile(const struct sim_profile *p)
{
    static const char *const kinds[] = {"Absolute", "Recurring", "Relative"};
    cJSON *o = cJSON_CreateObject(), *list;

    cJSON_AddNumberToObject(o, "id", p->id);
    cJSON_AddNumberToObject(o, "stackLevel", p->level);
    cJSON_AddStringToObject(o, "chargingProfilePurpose", purposes[p->purpose]);
    cJSON_AddStringToObject(o, "chargingProfileKind", kinds[p->kind]);
    if (p->kind == SIM_RECURRING)
        cJSON_AddStringToObject(o, "recurrencyKind",
                                p->every_s == 86400 ? "Daily" : "Weekly");
    if (p->valid_from_s != SIM_NO_TIME)
        payload_add_time(o, "validFrom", p->valid_from_s);
    if (p->valid_to_s != SIM_NO_TIME)
        payload_add_time(o, "validTo", p->valid_to_s);
    if (p->transaction[0])
        cJSON_AddStringToObject(o, "transactionId", p->transaction);
    list = cJSON_AddArrayToObject(o, "chargingSchedule");
    for (int i = 0; i < p->n; i++)
        cJSON_AddItemToArray(list, evse_schedule(&p->schedule[i]));
    return o;
}

static const char *source_of(const struct sim_profile *p)
{
    return p->purpose == SIM_EXTERNAL ? "Other" : "CSO";
}

static bool has_int(const cJSON *list, int32_t n)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list) if (item->valueint == n) return true;
    return !list;
}

static bool has_word(const cJSON *list, const char *word)
{
    const cJSON *item;

    cJSON_ArrayForEach(item,
                       list) if (strcmp(item->valuestring, word) == 0) return true;
    return !list;
}

static bool asked_for(const struct sim_profile *p, const cJSON *o)
{
    const cJSON *which = payload_get(o, "chargingProfile");
    int32_t evse = payload_int(o, "evseId", SIM_PROFILE_ANY);
    int32_t level = payload_int(which, "stackLevel", SIM_PROFILE_ANY);
    const char *purpose = payload_text(which, "chargingProfilePurpose");

    return (evse == SIM_PROFILE_ANY || evse == p->connector) &&
           (level == SIM_PROFILE_ANY || level == p->level) &&
           (!purpose || strcmp(purpose, purposes[p->purpose]) == 0) &&
           has_int(payload_get(which, "chargingProfileId"), p->id) &&
           has_word(payload_get(which, "chargingLimitSource"), source_of(p));
}

/* GetChargingProfiles: whether there are any. */
cJSON *evse_profiles_report(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)answer_ms;
    for (int i = 0; i < s->profiles.n; i++)
        if (asked_for(&s->profiles.list[i], o))
            return payload_status("Accepted");
    return payload_status("NoProfiles");
}

/* Those of one EVSE and one source from the i-th on go into a message together. */
static cJSON *take_some(const struct station *s, const cJSON *o,
                        bool done[SIM_PROFILES], int i)
{
    const struct sim_profile *first = &s->profiles.list[i], *p;
    cJSON *m = cJSON_CreateObject(), *list;
    int n = 0;

    cJSON_AddNumberToObject(m, "requestId", payload_int(o, "requestId", 0));
    cJSON_AddStringToObject(m, "chargingLimitSource", source_of(first));
    cJSON_AddNumberToObject(m, "evseId", first->connector);
    list = cJSON_AddArrayToObject(m, "chargingProfile");
    for (; i < s->profiles.n && n < REPORT_MOST; i++) {
        p = &s->profiles.list[i];
        if (done[i] || !asked_for(p, o) || p->connector != first->connector ||
            (p->purpose == SIM_EXTERNAL) != (first->purpose == SIM_EXTERNAL))
            continue;
        done[i] = true;
        n++;
        cJSON_AddItemToArray(list, profile(p));
    }
    return m;
}

void evse_profiles_tell(struct station *s, const cJSON *o)
{
    bool done[SIM_PROFILES] = {false};
    cJSON *m = NULL;

    for (int i = 0; i < s->profiles.n; i++) {
        if (done[i] || !asked_for(&s->profiles.list[i], o))
            continue;
        if (m) {
            cJSON_AddTrueToObject(m, "tbc");
            station_tell_call(s, 0, "ReportChargingProfiles", m, NULL, NULL);
        }
        m = take_some(s, o, done, i);
    }
    if (m)
        station_tell_call(s, 0, "ReportChargingProfiles", m, NULL, NULL);
}
