/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charger of the newer generation says to its central system: all of a
 * transaction in numbered events, told again later when there was nobody to hear. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/station_state.h"

/* ---- boot, status */

static void tell_boot(struct station *s, unsigned flags)
{
    cJSON *o = cJSON_CreateObject(), *self;
    const char *reason = s->was_reset ? "RemoteReset" : "PowerUp";

    self = cJSON_AddObjectToObject(o, "chargingStation");
    cJSON_AddStringToObject(self, "vendorName", s->u.vendor);
    cJSON_AddStringToObject(self, "model", s->u.model);
    cJSON_AddStringToObject(self, "serialNumber", s->u.identity);
    cJSON_AddStringToObject(self, "firmwareVersion", s->u.firmware);
    cJSON_AddStringToObject(o, "reason",
                            flags & OCPP_CLIENT_FIRST ? reason : "Triggered");
    s->boot_ms = INT64_MAX;
    station_tell_call(s, flags, "BootNotification", o, station_on_boot, s);
}

static const char *plug_word(const struct station_bay *b)
{
    if (b->out && !b->bay.session)
        return "Unavailable";
    return b->bay.plugged ? "Occupied" : "Available";
}

static const char *charging_state(const struct station_bay *b)
{
    if (!b->bay.plugged)
        return "Idle";
    switch (b->bay.status) {
    case STATUS_CHARGING:
        return "Charging";
    case STATUS_SUSPENDED_EV:
        return "SuspendedEV";
    case STATUS_SUSPENDED_EVSE:
        return "SuspendedEVSE";
    default:
        return "EVConnected";
    }
}

static void tell_plug(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->told_plug = plug_word(b);
    cJSON_AddNumberToObject(o, "evseId", b->number);
    cJSON_AddNumberToObject(o, "connectorId", 1);
    cJSON_AddStringToObject(o, "connectorStatus", b->told_plug);
    payload_add_time(o, "timestamp", station_utc_s(b->station));
    station_tell_call(b->station, 0, "StatusNotification", o, NULL, NULL);
}

/* What the car does is an event, whether it is there is a status. */
static void tell_status(struct station *s, int number)
{
    struct station_bay *b = number ? &s->bays[number - 1] : NULL;
    bool changed = b && b->told != b->bay.status;

    if (!b)
        return;
    b->told = b->bay.status;
    if (!changed || !b->told_plug || strcmp(b->told_plug, plug_word(b)) != 0)
        tell_plug(b);
    if (changed && b->bay.session && b->seq > 0)
        evse_tell_event(b, "ChargingStateChanged", NULL);
}

/* ---- tags */

static cJSON *token(const struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "idToken", b->tag);
    cJSON_AddStringToObject(o, "type",
                            b->remote_start == INT32_MIN ? "ISO14443" : "Central");
    return o;
}

static bool accepted(const cJSON *payload)
{
    const cJSON *info = payload_get(payload, "idTokenInfo");

    return !info || payload_is(info, "status", "Accepted");
}

static void on_authorize(void *arg, const cJSON *payload)
{
    station_on_authorize(arg, payload, accepted(payload));
}

static void tell_authorize(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->state = BAY_ASKING;
    b->remote_start = INT32_MIN;
    cJSON_AddItemToObject(o, "idToken", token(b));
    station_tell_call(b->station, 0, "Authorize", o, on_authorize, b);
}

/* ---- transactions */

static void on_start(void *arg, const cJSON *payload)
{
    struct station_bay *b = arg;

    b->starting = false;
    b->session.transaction = payload ? 1 : -1;
    if (payload && !accepted(payload))
        station_end(b, "DeAuthorized");
}

static cJSON *info_of(const struct station_bay *b, bool ends)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "transactionId", b->session.name);
    cJSON_AddStringToObject(o, "chargingState", charging_state(b));
    if (b->remote_start != INT32_MIN)
        cJSON_AddNumberToObject(o, "remoteStartId", b->remote_start);
    if (ends)
        cJSON_AddStringToObject(o, "stoppedReason", b->stop_reason);
    return o;
}

static void add_values(cJSON *o, const struct station_bay *b, const char *context)
{
    cJSON *values = context ? station_values(b, context) : NULL, *at;

    if (!values)
        return;
    at = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "meterValue"), at);
    payload_add_time(at, "timestamp", station_utc_s(b->station));
    cJSON_AddItemToObject(at, "sampledValue", values);
    b->station->counts.samples++;
}

cJSON *evse_event(struct station_bay *b, const char *type, const char *trigger,
                  const char *context, bool with_tag)
{
    struct station *s = b->station;
    cJSON *o = cJSON_CreateObject(), *evse;

    cJSON_AddStringToObject(o, "eventType", type);
    cJSON_AddStringToObject(o, "triggerReason", trigger);
    payload_add_time(o, "timestamp", station_utc_s(s));
    cJSON_AddNumberToObject(o, "seqNo", b->seq++);
    if (!ocpp_client_is_open(s->client))
        cJSON_AddTrueToObject(o, "offline");
    cJSON_AddItemToObject(o, "transactionInfo", info_of(b, strcmp(type, "Ended") == 0));
    evse = cJSON_AddObjectToObject(o, "evse");
    cJSON_AddNumberToObject(evse, "id", b->number);
    cJSON_AddNumberToObject(evse, "connectorId", 1);
    if (with_tag)
        cJSON_AddItemToObject(o, "idToken", token(b));
    add_values(o, b, context);
    return o;
}

/* Those that nobody heard are told again, in their order. */
static void tell(struct station_bay *b, const char *type, const char *trigger,
                 const char *context, ocpp_client_done *done)
{
    station_tell_call(b->station, OCPP_CLIENT_KEEP, "TransactionEvent",
                      evse_event(b, type, trigger, context, done != NULL), done, b);
}

void evse_tell_event(struct station_bay *b, const char *trigger, const char *context)
{
    tell(b, "Updated", trigger, context, NULL);
}

/* No two transactions have the same name, also not after the power has been out. */
static void name_transaction(struct station_bay *b)
{
    struct station *s = b->station;

    snprintf(b->session.name, sizeof b->session.name, "%08" PRIx32 "-%" PRIx64 "-%u",
             (uint32_t)station_between(s, 0, INT32_MAX), (uint64_t)b->begun_s,
             (unsigned)++s->transactions);
}

static void tell_start(struct station_bay *b)
{
    bool remote = b->remote_start != INT32_MIN;

    name_transaction(b);
    b->starting = true;
    b->seq = 0;
    b->told_ma = b->limit_ma;
    tell(b, "Started", remote ? "RemoteStart" : "Authorized", "Transaction.Begin",
         on_start);
}

static void tell_stop(struct station_bay *b)
{
    static const struct {
        const char *reason, *trigger;
    } words[] = {
        {"EVDisconnected", "EVDeparted"},
        {"Remote", "RemoteStop"},
        {"DeAuthorized", "Deauthorized"},
        {"ImmediateReset", "ResetCommand"},
    };
    const char *trigger = "AbnormalCondition";

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].reason, b->stop_reason) == 0)
            trigger = words[i].trigger;
    tell(b, "Ended", trigger, "Transaction.End", NULL);
}

/* ---- meter values */

static void tell_meter(struct station_bay *b, const char *context)
{
    bool periodic = strcmp(context, "Sample.Periodic") == 0;
    cJSON *o;

    if (b->bay.session) {
        evse_tell_event(b, periodic ? "MeterValuePeriodic" : "Trigger", context);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "evseId", b->number);
    add_values(o, b, context);
    if (payload_get(o, "meterValue"))
        station_tell_call(b->station, 0, "MeterValues", o, NULL, NULL);
    else
        cJSON_Delete(o);
}

/* ---- limits */

static void tell_limit(struct station_bay *b)
{
    if (b->told_ma == b->limit_ma)
        return;
    b->told_ma = b->limit_ma;
    evse_tell_event(b, "ChargingRateChanged", "Other");
}

/* Somebody else's limit is there, or is gone again. */
void evse_tell_external(struct station *s, const struct sim_profile *p)
{
    cJSON *o = cJSON_CreateObject(), *limit;

    if (p->n > 0) {
        limit = cJSON_AddObjectToObject(o, "chargingLimit");
        cJSON_AddStringToObject(limit, "chargingLimitSource", "Other");
        cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "chargingSchedule"),
                             evse_schedule(&p->schedule[0]));
    } else {
        cJSON_AddStringToObject(o, "chargingLimitSource", "Other");
    }
    cJSON_AddNumberToObject(o, "evseId", p->connector);
    station_tell_call(s, 0, p->n > 0 ? "NotifyChargingLimit" : "ClearedChargingLimit",
                      o, NULL, NULL);
}

const struct station_dialect station_evse = {
    .verbs = evse_verbs,
    .init_keys = evse_model_init,
    .tell_boot = tell_boot,
    .tell_status = tell_status,
    .tell_authorize = tell_authorize,
    .tell_start = tell_start,
    .tell_stop = tell_stop,
    .tell_meter = tell_meter,
    .tell_limit = tell_limit,
};
