/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charge point answers to the calls of its central system. The shape
 * of each payload has been checked before (ocpp_schema.h). */
#include "sim/station_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "proto/ocpp16_schema.h"

static const char *text_of(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static int32_t number_of(const cJSON *o, const char *name, int32_t otherwise)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valueint : otherwise;
}

static int64_t time_of(const cJSON *o, const char *name)
{
    const char *text = text_of(o, name);
    int64_t utc_s = SIM_NO_TIME;

    if (text)
        clock_parse_utc(text, &utc_s);
    return utc_s;
}

static cJSON *status(const char *word)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "status", word);
    return o;
}

/* ---- profiles */

void station_profile_view(const struct station_bay *b, int64_t now_s,
                          struct sim_profile_view *v)
{
    const struct station *s = b->station;
    int wires = 0, busy = 0;

    for (int p = 0; p < SITE_PHASES; p++)
        wires += b->bay.wires >> p & 1;
    for (int i = 0; i < s->u.n_bays; i++)
        busy += s->bays[i].bay.session;
    *v = (struct sim_profile_view){
        .now_s = now_s,
        .connector = b->number,
        .begun_s = b->bay.session ? b->begun_s : SIM_NO_TIME,
        .voltage_mv = s->u.voltage_mv,
        .wires = wires,
        .sharing = busy > 1 ? busy : 1,
    };
}

static enum sim_purpose purpose_of(const char *word)
{
    if (strcmp(word, "ChargePointMaxProfile") == 0)
        return SIM_CHARGE_POINT_MAX;
    return strcmp(word, "TxProfile") == 0 ? SIM_TX : SIM_TX_DEFAULT;
}

static enum sim_kind kind_of(const char *word)
{
    if (strcmp(word, "Absolute") == 0)
        return SIM_ABSOLUTE;
    return strcmp(word, "Relative") == 0 ? SIM_RELATIVE : SIM_RECURRING;
}

static bool read_periods(const cJSON *list, struct sim_profile *p)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        struct sim_period *to = &p->period[p->n];
        double limit;

        if (p->n == SIM_PROFILE_PERIODS)
            return false;
        limit = cJSON_GetObjectItemCaseSensitive(item, "limit")->valuedouble;
        to->from_s = number_of(item, "startPeriod", 0);
        to->tenths = (int32_t)lround(limit * 10);
        to->phases = number_of(item, "numberPhases", 0);
        if (limit < 0 || to->phases < 0 || to->phases > 3 ||
            (p->n == 0 ? to->from_s != 0 : to->from_s <= to[-1].from_s))
            return false;
        p->n++;
    }
    return p->n > 0;
}

/* False = it says something that cannot be. */
static bool read_profile(const cJSON *o, int connector, struct sim_profile *p)
{
    const cJSON *schedule = cJSON_GetObjectItemCaseSensitive(o, "chargingSchedule");
    const char *every = text_of(o, "recurrencyKind");

    *p = (struct sim_profile){
        .connector = connector,
        .id = number_of(o, "chargingProfileId", 0),
        .level = number_of(o, "stackLevel", 0),
        .purpose = purpose_of(text_of(o, "chargingProfilePurpose")),
        .kind = kind_of(text_of(o, "chargingProfileKind")),
        .every_s = every && strcmp(every, "Weekly") == 0 ? 7 * 86400 : 86400,
        .valid_from_s = time_of(o, "validFrom"),
        .valid_to_s = time_of(o, "validTo"),
        .start_s = time_of(schedule, "startSchedule"),
        .duration_s = number_of(schedule, "duration", -1),
        .watts = strcmp(text_of(schedule, "chargingRateUnit"), "W") == 0,
    };
    if (p->level < 0 || p->level > SIM_PROFILE_LEVELS ||
        (p->kind == SIM_RECURRING && !every))
        return false;
    return read_periods(
        cJSON_GetObjectItemCaseSensitive(schedule, "chargingSchedulePeriod"), p);
}

/* A maximum is for the charge point, a TxProfile for a running transaction. */
static bool in_its_place(const struct station *s, const cJSON *o,
                         const struct sim_profile *p)
{
    int32_t transaction = number_of(o, "transactionId", INT32_MIN);
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

/* From now on, or a moment later, its bays act on it. */
static void act(struct station *s, int32_t answer_ms)
{
    for (int i = 0; i < s->u.n_bays; i++)
        if (s->bays[i].act_ms == INT64_MAX)
            s->bays[i].act_ms =
                s->now_ms + answer_ms + station_between(s, 0, s->u.act_max_ms);
}

static bool no_such(const struct station *s, int32_t connector)
{
    return connector < 0 || connector > s->u.n_bays;
}

static cJSON *set_profile(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const cJSON *in = cJSON_GetObjectItemCaseSensitive(o, "csChargingProfiles");
    int32_t connector = number_of(o, "connectorId", 0);
    struct sim_profile p;

    if (no_such(s, connector))
        return NULL;
    if (!read_profile(in, connector, &p) || !in_its_place(s, in, &p) ||
        !sim_profiles_put(&s->profiles, &p))
        return status("Rejected");
    s->counts.set_points++;
    act(s, answer_ms);
    return status("Accepted");
}

static cJSON *clear_profile(struct station *s, const cJSON *o, int32_t answer_ms)
{
    const char *purpose = text_of(o, "chargingProfilePurpose");
    int gone = sim_profiles_clear(&s->profiles, number_of(o, "id", SIM_PROFILE_ANY),
                                  number_of(o, "connectorId", SIM_PROFILE_ANY),
                                  purpose ? (int)purpose_of(purpose) : SIM_PROFILE_ANY,
                                  number_of(o, "stackLevel", SIM_PROFILE_ANY));

    if (gone)
        act(s, answer_ms);
    return status(gone ? "Accepted" : "Unknown");
}

/* What one bay may draw at that time, at most its own maximum. */
static int32_t limit_at(const struct station_bay *b, int64_t utc_s)
{
    struct sim_profile_view v;
    int32_t ma;

    station_profile_view(b, utc_s, &v);
    ma = sim_profiles_limit_ma(&b->station->profiles, &v);
    return ma < b->bay.max_ma ? ma : b->bay.max_ma;
}

static int64_t total_at(const struct station *s, int32_t connector, int64_t utc_s,
                        bool watts)
{
    int64_t sum = 0;

    for (int i = 0; i < s->u.n_bays; i++) {
        const struct station_bay *b = &s->bays[i];
        int64_t ma = limit_at(b, utc_s);
        struct sim_profile_view v;

        station_profile_view(b, utc_s, &v);
        if (connector == 0 || connector == b->number)
            sum += watts ? ma * s->u.voltage_mv / 1000 * v.wires : ma;
    }
    return sum;
}

/* Second by second; changes become periods. */
static cJSON *composite(const struct station *s, const cJSON *o)
{
    const char *unit = text_of(o, "chargingRateUnit");
    int32_t connector = number_of(o, "connectorId", 0);
    int32_t duration_s = number_of(o, "duration", 0);
    bool watts = unit && strcmp(unit, "W") == 0;
    int64_t from_s = station_utc_s(s), last = -1;
    cJSON *answer, *schedule, *periods;
    char text[21];

    if (no_such(s, connector))
        return NULL;
    duration_s = duration_s > 86400 ? 86400 : duration_s;
    answer = status("Accepted");
    cJSON_AddNumberToObject(answer, "connectorId", connector);
    cJSON_AddStringToObject(answer, "scheduleStart", clock_format_utc(from_s, text));
    schedule = cJSON_AddObjectToObject(answer, "chargingSchedule");
    cJSON_AddNumberToObject(schedule, "duration", duration_s);
    cJSON_AddStringToObject(schedule, "chargingRateUnit", watts ? "W" : "A");
    periods = cJSON_AddArrayToObject(schedule, "chargingSchedulePeriod");
    for (int32_t t = 0; t == 0 || t < duration_s; t++) {
        int64_t now = total_at(s, connector, from_s + t, watts);
        cJSON *period;

        if (now == last)
            continue;
        last = now;
        period = cJSON_CreateObject();
        cJSON_AddNumberToObject(period, "startPeriod", t);
        cJSON_AddNumberToObject(period, "limit", (double)(now / 100) / 10);
        cJSON_AddItemToArray(periods, period);
    }
    return answer;
}

/* ---- transactions */

static cJSON *remote_start(struct station *s, const cJSON *o)
{
    int32_t connector = number_of(o, "connectorId", 0);

    if (no_such(s, connector))
        return NULL;
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];

        if ((connector && b->number != connector) || b->state == BAY_FREE ||
            b->state == BAY_CHARGING || b->leave_ms != INT64_MAX || b->starting ||
            b->stop_due || cJSON_GetObjectItemCaseSensitive(o, "chargingProfile"))
            continue;
        snprintf(b->tag, sizeof b->tag, "%s", text_of(o, "idTag"));
        station_begin(b);
        return status("Accepted");
    }
    return status("Rejected");
}

static cJSON *remote_stop(struct station *s, const cJSON *o)
{
    for (int i = 0; i < s->u.n_bays; i++) {
        struct station_bay *b = &s->bays[i];

        if (!b->bay.session || b->session.transaction <= 0 ||
            b->session.transaction != number_of(o, "transactionId", 0))
            continue;
        station_end(b, "Remote");
        return status("Accepted");
    }
    return status("Rejected");
}

static cJSON *reset(struct station *s, const cJSON *o, int32_t answer_ms)
{
    bool hard = strcmp(text_of(o, "type"), "Hard") == 0;

    for (int i = 0; i < s->u.n_bays; i++)
        station_end(&s->bays[i], hard ? "HardReset" : "SoftReset");
    s->reset_ms = s->now_ms + answer_ms + 500;
    return status("Accepted");
}

/* ---- all of them */

static void say(struct station *s, const char *what, int32_t connector)
{
    if (strcmp(what, "BootNotification") == 0)
        station_tell_boot(s, 0);
    else if (strcmp(what, "Heartbeat") == 0)
        station_tell_heartbeat(s);
    else if (strcmp(what, "StatusNotification") == 0 && connector == 0)
        station_tell_all(s);
    else if (strcmp(what, "StatusNotification") == 0)
        station_tell_status(s, connector);
    else
        for (int i = 0; i < s->u.n_bays; i++)
            if (connector == 0 || connector == i + 1)
                station_tell_meter(&s->bays[i], "Trigger");
}

static cJSON *trigger(const struct station *s, const cJSON *o)
{
    const char *what = text_of(o, "requestedMessage");
    int32_t connector = number_of(o, "connectorId", 0);

    if (no_such(s, connector))
        return NULL;
    if (strstr(what, "Diagnostics") || strstr(what, "Firmware"))
        return status("NotImplemented");
    return status("Accepted"); /* said when this has been answered: station_obey() */
}

/* NULL = there is no such connector */
static cJSON *carry_out(struct station *s, const char *action, const cJSON *o,
                        int32_t answer_ms)
{
    if (strcmp(action, "SetChargingProfile") == 0)
        return set_profile(s, o, answer_ms);
    if (strcmp(action, "ClearChargingProfile") == 0)
        return clear_profile(s, o, answer_ms);
    if (strcmp(action, "GetCompositeSchedule") == 0)
        return composite(s, o);
    if (strcmp(action, "GetConfiguration") == 0)
        return station_keys_get(s, cJSON_GetObjectItemCaseSensitive(o, "key"));
    if (strcmp(action, "ChangeConfiguration") == 0)
        return status(station_keys_change(s, text_of(o, "key"), text_of(o, "value")));
    if (strcmp(action, "TriggerMessage") == 0)
        return trigger(s, o);
    if (strcmp(action, "RemoteStartTransaction") == 0)
        return remote_start(s, o);
    if (strcmp(action, "RemoteStopTransaction") == 0)
        return remote_stop(s, o);
    if (strcmp(action, "Reset") == 0)
        return reset(s, o, answer_ms);
    if (strcmp(action, "DataTransfer") == 0)
        return status("UnknownVendorId");
    if (strcmp(action, "UnlockConnector") == 0)
        return status("NotSupported");
    return status("Rejected"); /* ChangeAvailability, ClearCache */
}

static bool is_known(const char *action)
{
    static const char *const known[] = {
        "ChangeAvailability",
        "ChangeConfiguration",
        "ClearCache",
        "ClearChargingProfile",
        "DataTransfer",
        "GetCompositeSchedule",
        "GetConfiguration",
        "RemoteStartTransaction",
        "RemoteStopTransaction",
        "Reset",
        "SetChargingProfile",
        "TriggerMessage",
        "UnlockConnector",
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], action) == 0)
            return true;
    return false;
}

/* NULL when the call is as it should be; else the code of its CALLERROR. */
static const char *fault_of(const char *action, const cJSON *payload,
                            char why[OCPP_WHY])
{
    const struct ocpp_message *m =
        ocpp_schema_find(&ocpp16_schema, OCPP_SYSTEM, action);

    snprintf(why, OCPP_WHY, "%.60s is not known", action);
    if (!m || !is_known(action))
        return "NotImplemented";
    if (cJSON_IsNull(payload) && !m->request->name)
        return NULL;
    return ocpp_schema_strict(&ocpp16_schema, m->request, payload, why);
}

static bool is_refusal(const cJSON *answer)
{
    const char *word = text_of(answer, "status");

    return word && (strcmp(word, "Rejected") == 0 || strncmp(word, "Not", 3) == 0);
}

static void give(struct station *s, const char *id, const char *action, const cJSON *o,
                 cJSON *answer, int32_t answer_ms)
{
    bool refusal = is_refusal(answer);

    s->counts.refused += refusal;
    ocpp_client_answer(s->client, id, answer, answer_ms);
    if (!refusal && strcmp(action, "TriggerMessage") == 0)
        say(s, text_of(o, "requestedMessage"), number_of(o, "connectorId", 0));
}

void station_obey(void *station, const char *id, const char *action,
                  const cJSON *payload)
{
    struct station *s = station;
    int32_t answer_ms = station_between(s, s->u.answer_max_ms / 8, s->u.answer_max_ms);
    char why[OCPP_WHY];
    const char *fault = fault_of(action, payload, why);
    cJSON *answer;

    s->counts.calls++;
    s->now_ms = clock_ms();
    if (fault) {
        s->counts.faulty += strcmp(fault, "NotImplemented") != 0;
        log_warnx("%s: %s is wrong: %s (%s)", s->u.identity, action, why, fault);
        ocpp_client_refuse(s->client, id, fault, why);
        return;
    }
    answer = carry_out(s, action, payload, answer_ms);
    if (answer) {
        give(s, id, action, payload, answer, answer_ms);
        return;
    }
    s->counts.refused++;
    ocpp_client_refuse(s->client, id, "PropertyConstraintViolation",
                       "there is no such connector");
}
