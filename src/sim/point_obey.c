/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charger of the older generation answers to the calls of its central
 * system. */
#include "sim/station_state.h"

#include <stdio.h>
#include <string.h>

/* ---- profiles */

static enum sim_purpose purpose_of(const char *word)
{
    if (strcmp(word, "ChargePointMaxProfile") == 0)
        return SIM_CHARGE_POINT_MAX;
    return strcmp(word, "TxProfile") == 0 ? SIM_TX : SIM_TX_DEFAULT;
}

/* False = it says something that cannot be. */
static bool read_profile(const cJSON *o, int connector, struct sim_profile *p)
{
    if (!station_read_profile(o, connector, p))
        return false;
    p->id = payload_int(o, "chargingProfileId", 0);
    p->purpose = purpose_of(payload_text(o, "chargingProfilePurpose"));
    p->n = 1;
    return station_read_schedule(payload_get(o, "chargingSchedule"), &p->schedule[0]);
}

/* A maximum is for the charge point, a TxProfile for a running transaction. */
static bool in_its_place(const struct station *s, const cJSON *o,
                         const struct sim_profile *p)
{
    int32_t transaction = payload_int(o, "transactionId", INT32_MIN);
    const struct station_bay *b;

    if (p->purpose == SIM_CHARGE_POINT_MAX)
        return p->connector == 0;
    if (p->purpose == SIM_TX_DEFAULT)
        return true;
    if (p->connector == 0)
        return false;
    b = &s->bays[p->connector - 1];
    return b->bay.session &&
           (transaction == INT32_MIN || transaction == b->session.transaction);
}

static cJSON *set_profile(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const cJSON *in = payload_get(o, "csChargingProfiles");
    int32_t connector = payload_int(o, "connectorId", 0);
    struct sim_profile p;

    if (station_no_such(s, connector))
        return NULL;
    if (!read_profile(in, connector, &p) || !in_its_place(s, in, &p) ||
        !sim_profiles_put(&s->profiles, &p))
        return payload_status("Rejected");
    s->counts.set_points++;
    station_act(s, answer_ms);
    return payload_status("Accepted");
}

static cJSON *clear_profile(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const char *purpose = payload_text(o, "chargingProfilePurpose");
    int gone = sim_profiles_clear(&s->profiles, payload_int(o, "id", SIM_PROFILE_ANY),
                                  payload_int(o, "connectorId", SIM_PROFILE_ANY),
                                  purpose ? (int)purpose_of(purpose) : SIM_PROFILE_ANY,
                                  payload_int(o, "stackLevel", SIM_PROFILE_ANY));

    if (gone)
        station_act(s, answer_ms);
    return payload_status(gone ? "Accepted" : "Unknown");
}

static cJSON *composite(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t connector = payload_int(o, "connectorId", 0);
    int32_t duration_s = payload_int(o, "duration", 0);
    bool watts = payload_is(o, "chargingRateUnit", "W");
    int64_t from_s = station_utc_s(s);
    cJSON *answer, *schedule;

    (void)answer_ms;
    if (station_no_such(s, connector))
        return NULL;
    duration_s = duration_s > COMPOSITE_MOST_S ? COMPOSITE_MOST_S : duration_s;
    answer = payload_status("Accepted");
    cJSON_AddNumberToObject(answer, "connectorId", connector);
    payload_add_time(answer, "scheduleStart", from_s);
    schedule = cJSON_AddObjectToObject(answer, "chargingSchedule");
    cJSON_AddNumberToObject(schedule, "duration", duration_s);
    cJSON_AddStringToObject(schedule, "chargingRateUnit", watts ? "W" : "A");
    cJSON_AddItemToObject(schedule, "chargingSchedulePeriod",
                          station_composite(s, connector, from_s, duration_s, watts));
    return answer;
}

/* ---- transactions */

static cJSON *remote_start(struct station *s, const cJSON *o, int32_t answer_ms)
{
    int32_t connector = payload_int(o, "connectorId", 0);

    (void)answer_ms;
    if (station_no_such(s, connector))
        return NULL;
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];

        if ((connector && b->number != connector) || b->state == BAY_FREE ||
            b->state == BAY_CHARGING || b->leave_ms != INT64_MAX || b->starting ||
            b->stop_due || payload_get(o, "chargingProfile"))
            continue;
        snprintf(b->tag, sizeof b->tag, "%s", payload_text(o, "idTag"));
        station_begin(b);
        return payload_status("Accepted");
    }
    return payload_status("Rejected");
}

static cJSON *remote_stop(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)answer_ms;
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];

        if (!b->bay.session || b->session.transaction <= 0 ||
            b->session.transaction != payload_int(o, "transactionId", 0))
            continue;
        station_end(b, "Remote");
        return payload_status("Accepted");
    }
    return payload_status("Rejected");
}

static cJSON *reset(struct station *s, const cJSON *o, int32_t answer_ms)
{
    bool hard = strcmp(payload_text(o, "type"), "Hard") == 0;

    for (int i = 0; i < s->u.n_bays; i++)
        station_end(&s->bays[i], hard ? "HardReset" : "SoftReset");
    s->reset_ms = s->now_ms + answer_ms + 500;
    return payload_status("Accepted");
}

/* ---- all of them */

static void say(struct station *s, const cJSON *o)
{
    const char *what = payload_text(o, "requestedMessage");
    int32_t connector = payload_int(o, "connectorId", 0);

    if (strcmp(what, "BootNotification") == 0)
        s->dialect->tell_boot(s, 0);
    else if (strcmp(what, "Heartbeat") == 0)
        station_tell_heartbeat(s);
    else if (strcmp(what, "StatusNotification") == 0 && connector == 0)
        station_tell_all(s);
    else if (strcmp(what, "StatusNotification") == 0)
        s->dialect->tell_status(s, connector);
    else
        for (int i = 0; i < s->u.n_bays; i++)
            if (connector == 0 || connector == i + 1)
                s->dialect->tell_meter(&s->bays[i], "Trigger");
}

static cJSON *trigger(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const char *what = payload_text(o, "requestedMessage");
    int32_t connector = payload_int(o, "connectorId", 0);

    (void)answer_ms;
    if (station_no_such(s, connector))
        return NULL;
    return payload_status(strstr(what, "Diagnostics") || strstr(what, "Firmware")
                              ? "NotImplemented"
                              : "Accepted"); /* said when this has been answered */
}

static cJSON *get_keys(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)answer_ms;
    return point_keys_get(s, payload_get(o, "key"));
}

static cJSON *change_key(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)answer_ms;
    return payload_status(
        point_keys_change(s, payload_text(o, "key"), payload_text(o, "value")));
}

static cJSON *no_vendor(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)s, (void)o, (void)answer_ms;
    return payload_status("UnknownVendorId");
}

static cJSON *no_lock(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)s, (void)o, (void)answer_ms;
    return payload_status("NotSupported");
}

static cJSON *no(struct station *s, const cJSON *o, int32_t answer_ms)
{
    (void)s, (void)o, (void)answer_ms;
    return payload_status("Rejected");
}

const struct station_verb point_verbs[] = {
    {"ChangeAvailability", no, NULL},
    {"ChangeConfiguration", change_key, NULL},
    {"ClearCache", no, NULL},
    {"ClearChargingProfile", clear_profile, NULL},
    {"DataTransfer", no_vendor, NULL},
    {"GetCompositeSchedule", composite, NULL},
    {"GetConfiguration", get_keys, NULL},
    {"RemoteStartTransaction", remote_start, NULL},
    {"RemoteStopTransaction", remote_stop, NULL},
    {"Reset", reset, NULL},
    {"SetChargingProfile", set_profile, NULL},
    {"TriggerMessage", trigger, say},
    {"UnlockConnector", no_lock, NULL},
    {NULL, NULL, NULL},
};
