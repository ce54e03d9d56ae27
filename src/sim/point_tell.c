/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charger of the older generation says to its central system. */
#include "sim/station_state.h"

static const char *word(enum connector_status status)
{
    static const char *const words[STATUS_COUNT] = {
        [STATUS_UNKNOWN] = "Unavailable",
        [STATUS_AVAILABLE] = "Available",
        [STATUS_PREPARING] = "Preparing",
        [STATUS_CHARGING] = "Charging",
        [STATUS_SUSPENDED_EV] = "SuspendedEV",
        [STATUS_SUSPENDED_EVSE] = "SuspendedEVSE",
        [STATUS_FINISHING] = "Finishing",
        [STATUS_RESERVED] = "Reserved",
        [STATUS_UNAVAILABLE] = "Unavailable",
        [STATUS_FAULTED] = "Faulted",
    };

    return words[status];
}

static bool accepted_tag(const cJSON *payload)
{
    return payload_is(payload_get(payload, "idTagInfo"), "status", "Accepted");
}

/* ---- boot, status */

static void tell_boot(struct station *s, unsigned flags)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "chargePointVendor", s->u.vendor);
    cJSON_AddStringToObject(o, "chargePointModel", s->u.model);
    cJSON_AddStringToObject(o, "chargePointSerialNumber", s->u.identity);
    cJSON_AddStringToObject(o, "firmwareVersion", s->u.firmware);
    s->boot_ms = INT64_MAX;
    station_tell_call(s, flags, "BootNotification", o, station_on_boot, s);
}

static void tell_status(struct station *s, int number)
{
    cJSON *o = cJSON_CreateObject();
    enum connector_status status = STATUS_AVAILABLE;

    if (number > 0) {
        status = s->bays[number - 1].bay.status;
        s->bays[number - 1].told = status;
    }
    cJSON_AddNumberToObject(o, "connectorId", number);
    cJSON_AddStringToObject(o, "errorCode", "NoError");
    cJSON_AddStringToObject(o, "status", word(status));
    payload_add_time(o, "timestamp", station_utc_s(s));
    station_tell_call(s, 0, "StatusNotification", o, NULL, NULL);
}

/* ---- transactions */

static void on_authorize(void *arg, const cJSON *payload)
{
    station_on_authorize(arg, payload, accepted_tag(payload));
}

static void tell_authorize(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->state = BAY_ASKING;
    cJSON_AddStringToObject(o, "idTag", b->tag);
    station_tell_call(b->station, 0, "Authorize", o, on_authorize, b);
}

static void tell_stop(struct station_bay *b);

/* Without an answer the transaction goes on as -1 (errata 3.18). */
static void on_start(void *arg, const cJSON *payload)
{
    struct station_bay *b = arg;
    int32_t id = payload_int(payload, "transactionId", 0);

    b->starting = false;
    b->session.transaction = payload && id > 0 ? id : -1;
    if (b->stop_due)
        tell_stop(b);
    else if (payload && !accepted_tag(payload))
        station_end(b, "DeAuthorized");
}

static void tell_start(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->starting = true;
    cJSON_AddNumberToObject(o, "connectorId", b->number);
    cJSON_AddStringToObject(o, "idTag", b->tag);
    cJSON_AddNumberToObject(o, "meterStart", (double)sim_bay_energy_wh(&b->bay));
    payload_add_time(o, "timestamp", b->begun_s);
    station_tell_call(b->station, OCPP_CLIENT_KEEP, "StartTransaction", o, on_start, b);
}

static void tell_stop(struct station_bay *b)
{
    cJSON *o;

    b->stop_due = b->starting; /* its id has to be known first */
    if (b->starting)
        return;
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "transactionId", b->session.transaction);
    cJSON_AddStringToObject(o, "idTag", b->tag);
    cJSON_AddNumberToObject(o, "meterStop", (double)b->stop_wh);
    cJSON_AddStringToObject(o, "reason", b->stop_reason);
    payload_add_time(o, "timestamp", b->stop_s);
    station_tell_call(b->station, OCPP_CLIENT_KEEP, "StopTransaction", o, NULL, NULL);
}

/* ---- meter values */

static void tell_meter(struct station_bay *b, const char *context)
{
    cJSON *o, *at, *values;

    if (!ocpp_client_is_open(b->station->client))
        return;
    values = station_values(b, context);
    if (!values)
        return;
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "connectorId", b->number);
    if (b->bay.session && b->session.transaction != 0)
        cJSON_AddNumberToObject(o, "transactionId", b->session.transaction);
    at = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "meterValue"), at);
    payload_add_time(at, "timestamp", station_utc_s(b->station));
    cJSON_AddItemToObject(at, "sampledValue", values);
    b->station->counts.samples++;
    station_tell_call(b->station, 0, "MeterValues", o, NULL, NULL);
}

const struct station_dialect station_point = {
    .verbs = point_verbs,
    .texts = true,
    .init_keys = point_keys_init,
    .tell_boot = tell_boot,
    .tell_status = tell_status,
    .tell_authorize = tell_authorize,
    .tell_start = tell_start,
    .tell_stop = tell_stop,
    .tell_meter = tell_meter,
};
