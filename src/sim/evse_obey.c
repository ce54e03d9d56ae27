/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charger of the newer generation answers to the calls of its central
 * system. */
#include <stdio.h>
#include <string.h>

#include "sim/station_state.h"

static cJSON *status(const char *word, const char *why)
{
    cJSON *o = payload_status(word);

    if (why)
        cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "statusInfo"), "reasonCode",
                                why);
    return o;
}

/* ---- profiles */

static cJSON *set_profile(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t evse = payload_int(o, "evseId", 0);
    const char *why = "UnknownEvse"; /* K01.FR.28 */

    if (!station_no_such(s, evse))
        why = evse_profile_set(s, evse, payload_get(o, "chargingProfile"), false);
    if (why)
        return status("Rejected", why);
    s->counts.set_points++;
    station_act(s, answer_ms);
    return status("Accepted", NULL);
}

static cJSON *composite(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t evse = payload_int(o, "evseId", 0);
    int32_t duration_s = payload_int(o, "duration", 0);
    bool watts = payload_is(o, "chargingRateUnit", "W");
    int64_t from_s = station_utc_s(s);
    cJSON *answer, *schedule;

    (void)answer_ms;
    if (station_no_such(s, evse))
        return status("Rejected", "UnknownEvse");
    duration_s = duration_s > COMPOSITE_MOST_S ? COMPOSITE_MOST_S : duration_s;
    answer = status("Accepted", NULL);
    schedule = cJSON_AddObjectToObject(answer, "schedule");
    cJSON_AddNumberToObject(schedule, "evseId", evse);
    cJSON_AddNumberToObject(schedule, "duration", duration_s);
    payload_add_time(schedule, "scheduleStart", from_s);
    cJSON_AddStringToObject(schedule, "chargingRateUnit", watts ? "W" : "A");
    cJSON_AddItemToObject(schedule, "chargingSchedulePeriod",
                          station_composite(s, evse, from_s, duration_s, watts));
    return answer;
}

void station_constrain(struct station *s, int bay_number, int32_t tenths,
                       int32_t duration_s)
{
    enum { FIRST_ID = -1000 };
    struct sim_profile p = {
        .connector = bay_number,
        .id = FIRST_ID - bay_number,
        .purpose = SIM_EXTERNAL,
        .kind = SIM_ABSOLUTE,
        .valid_from_s = SIM_NO_TIME,
        .valid_to_s = SIM_NO_TIME,
        .n = tenths >= 0,
        .schedule[0] = {.start_s = station_utc_s(s),
                        .duration_s = duration_s,
                        .min_tenths = -1,
                        .n = 1,
                        .period[0].tenths = tenths},
    };

    if (tenths < 0)
        sim_profiles_clear(&s->profiles, p.id, SIM_PROFILE_ANY, SIM_PROFILE_ANY,
                           SIM_PROFILE_ANY);
    else if (!sim_profiles_put(&s->profiles, &p))
        return;
    station_act(s, 0);
    evse_tell_external(s, &p);
}

/* ---- transactions */

static bool may_begin(const struct station_bay *b)
{
    return b->state != BAY_FREE && b->state != BAY_CHARGING && !b->out &&
           b->leave_ms == INT64_MAX && !b->starting;
}

/* Its profile counts from the begin on, and is the transaction's. */
static const char *begin(struct station_bay *b, const cJSON *o)
{
    const cJSON *profile = payload_get(o, "chargingProfile");
    const char *why = NULL;

    if (profile && !payload_is(profile, "chargingProfilePurpose", "TxProfile"))
        return "InvalidProfile";
    if (profile)
        why = evse_profile_set(b->station, b->number, profile, true);
    if (why)
        return why;
    b->remote_start = payload_int(o, "remoteStartId", 0);
    snprintf(b->tag, sizeof b->tag, "%s",
             payload_text(payload_get(o, "idToken"), "idToken"));
    station_begin(b);
    for (int i = 0; profile && i < b->station->profiles.n; i++)
        if (b->station->profiles.list[i].id == payload_int(profile, "id", 0))
            memcpy(b->station->profiles.list[i].transaction, b->session.name,
                   sizeof b->session.name);
    return NULL;
}

static cJSON *request_start(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t evse = payload_int(o, "evseId", 0);
    const char *why = "UnknownEvse";

    if (station_no_such(s, evse))
        return status("Rejected", why);
    why = "NoCable";
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];
        cJSON *answer;

        if ((evse && b->number != evse) || !may_begin(b))
            continue;
        why = begin(b, o);
        if (why)
            break;
        station_act(s, answer_ms);
        answer = status("Accepted", NULL);
        cJSON_AddStringToObject(answer, "transactionId", b->session.name);
        return answer;
    }
    return status("Rejected", why);
}

static struct station_bay *running(struct station *s, const char *name)
{
    for (int i = 0; i < s->u.n_bays; i++)
        if (s->bays[i].bay.session && strcmp(s->bays[i].session.name, name) == 0)
            return &s->bays[i];
    return NULL;
}

static cJSON *request_stop(struct station *s, const cJSON *o, int32_t answer_ms)
{
    struct station_bay *b = running(s, payload_text(o, "transactionId"));

    (void)answer_ms;
    if (!b)
        return status("Rejected", "TxNotFound");
    station_end(b, "Remote");
    return status("Accepted", NULL);
}

static cJSON *transaction_status(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const char *name = payload_text(o, "transactionId");
    cJSON *answer = cJSON_CreateObject();

    (void)answer_ms;
    if (name)
        cJSON_AddBoolToObject(answer, "ongoingIndicator", running(s, name) != NULL);
    cJSON_AddBoolToObject(answer, "messagesInQueue", ocpp_client_waits(s->client));
    return answer;
}

/* ---- the station itself */

static cJSON *reset(struct station *s, const cJSON *o, int32_t answer_ms)
{
    bool busy = false;

    if (payload_get(o, "evseId")) /* no EVSE can be reset by itself */
        return status("Rejected", "UnsupportedParam");
    for (int i = 0; i < s->u.n_bays; i++)
        busy |= s->bays[i].bay.session;
    if (busy && payload_is(o, "type", "OnIdle")) {
        s->reset_when_idle = true;
        return status("Scheduled", NULL);
    }
    for (int i = 0; i < s->u.n_bays; i++)
        station_end(&s->bays[i], "ImmediateReset");
    s->reset_ms = s->now_ms + answer_ms + 500;
    return status("Accepted", NULL);
}

static cJSON *change_availability(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t evse = payload_int(payload_get(o, "evse"), "id", 0);
    bool out = payload_is(o, "operationalStatus", "Inoperative"), later = false;

    (void)answer_ms;
    if (station_no_such(s, evse))
        return status("Rejected", "UnknownEvse");
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];

        if (evse && evse != b->number)
            continue;
        b->out_due = out;
        b->out = out && !b->bay.session;
        later |= out && b->bay.session;
    }
    return status(later ? "Scheduled" : "Accepted", NULL);
}

static void tell_availability(struct station *s, const cJSON *o)
{
    (void)o;
    station_tell_all(s);
}

static cJSON *unlock(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t evse = payload_int(o, "evseId", 0);

    (void)answer_ms;
    if (evse == 0 || station_no_such(s, evse) || payload_int(o, "connectorId", 0) != 1)
        return status("UnknownConnector", NULL);
    return status(s->bays[evse - 1].bay.session ? "OngoingAuthorizedTransaction"
                                                : "Unlocked",
                  NULL);
}

static cJSON *no_vendor(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)s, (void)o, (void)answer_ms;
    return status("UnknownVendorId", NULL);
}

static cJSON *no_cache(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)s, (void)o, (void)answer_ms;
    return status("Rejected", "NotEnabled");
}

/* ---- what it is asked to say */

static void say_of(struct station_bay *b, const char *what)
{
    if (strcmp(what, "StatusNotification") == 0)
        b->station->dialect->tell_status(b->station, b->number);
    else if (strcmp(what, "TransactionEvent") == 0 && b->bay.session)
        evse_tell_event(b, "Trigger", "Trigger");
    else if (strcmp(what, "MeterValues") == 0)
        b->station->dialect->tell_meter(b, "Trigger");
}

static void say(struct station *s, const cJSON *o)
{
    const char *what = payload_text(o, "requestedMessage");
    int32_t evse = payload_int(payload_get(o, "evse"), "id", 0);

    if (strcmp(what, "BootNotification") == 0)
        s->dialect->tell_boot(s, 0);
    if (strcmp(what, "Heartbeat") == 0)
        station_tell_heartbeat(s);
    for (int i = 0; i < s->u.n_bays; i++)
        if (!evse || evse == i + 1)
            say_of(&s->bays[i], what);
}

static cJSON *trigger(struct station *s, const cJSON *o, int32_t answer_ms)
{
    static const char known[] = "|BootNotification|Heartbeat|MeterValues|"
                                "StatusNotification|TransactionEvent|";
    int32_t evse = payload_int(payload_get(o, "evse"), "id", 0);
    char word[64];

    (void)answer_ms;
    snprintf(word, sizeof word, "|%s|", payload_text(o, "requestedMessage"));
    if (!strstr(known, word))
        return status("NotImplemented", NULL);
    if (station_no_such(s, evse))
        return status("Rejected", "UnknownEvse");
    return status("Accepted", NULL); /* said when this has been answered */
}

const struct station_verb evse_verbs[] = {
    {"ChangeAvailability", change_availability, tell_availability},
    {"ClearCache", no_cache, NULL},
    {"ClearChargingProfile", evse_profiles_clear, NULL},
    {"DataTransfer", no_vendor, NULL},
    {"GetBaseReport", evse_model_report, evse_model_tell},
    {"GetChargingProfiles", evse_profiles_report, evse_profiles_tell},
    {"GetCompositeSchedule", composite, NULL},
    {"GetReport", evse_model_report, evse_model_tell},
    {"GetTransactionStatus", transaction_status, NULL},
    {"GetVariables", evse_model_get, NULL},
    {"RequestStartTransaction", request_start, NULL},
    {"RequestStopTransaction", request_stop, NULL},
    {"Reset", reset, NULL},
    {"SetChargingProfile", set_profile, NULL},
    {"SetVariables", evse_model_set, NULL},
    {"TriggerMessage", trigger, say},
    {"UnlockConnector", unlock, NULL},
    {NULL, NULL, NULL},
};
