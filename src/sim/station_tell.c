/* SPDX-License-Identifier: Apache-2.0 */
/* What a simulated charge point says to its central system. */
#include "sim/station_state.h"

#include <stdio.h>
#include <string.h>

#include "io/clock.h"

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

static void add_time(cJSON *o, int64_t utc_s)
{
    char text[21];

    cJSON_AddStringToObject(o, "timestamp", clock_format_utc(utc_s, text));
}

static const char *text_of(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static int32_t number_of(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(v) ? v->valueint : 0;
}

static bool accepted_tag(const cJSON *payload)
{
    const cJSON *info = cJSON_GetObjectItemCaseSensitive(payload, "idTagInfo");

    return strcmp(text_of(info, "status"), "Accepted") == 0;
}

/* ---- boot, heartbeat, status */

static void set_clock(struct station *s, const cJSON *payload)
{
    int64_t utc_s;

    if (clock_parse_utc(text_of(payload, "currentTime"), &utc_s))
        s->clock_ahead_s = utc_s - clock_utc_s();
}

static void on_boot(void *arg, const cJSON *payload)
{
    struct station *s = arg;
    int32_t interval_s = number_of(payload, "interval");

    if (!payload) {
        s->boot_ms = s->now_ms + 5000;
        return;
    }
    set_clock(s, payload);
    if (strcmp(text_of(payload, "status"), "Accepted") == 0)
        station_accepted_boot(s, interval_s);
    else
        s->boot_ms = s->now_ms + (interval_s > 0 ? interval_s : 30) * INT64_C(1000);
}

void station_tell_boot(struct station *s, unsigned flags)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "chargePointVendor", s->u.vendor);
    cJSON_AddStringToObject(o, "chargePointModel", s->u.model);
    cJSON_AddStringToObject(o, "chargePointSerialNumber", s->u.identity);
    cJSON_AddStringToObject(o, "firmwareVersion", s->u.firmware);
    s->boot_ms = INT64_MAX;
    ocpp_client_call(s->client, flags, "BootNotification", o, on_boot, s);
}

static void on_heartbeat(void *arg, const cJSON *payload)
{
    if (payload)
        set_clock(arg, payload);
}

void station_tell_heartbeat(struct station *s)
{
    ocpp_client_call(s->client, 0, "Heartbeat", cJSON_CreateObject(), on_heartbeat, s);
}

/* number 0: the charge point as a whole */
void station_tell_status(struct station *s, int number)
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
    add_time(o, station_utc_s(s));
    ocpp_client_call(s->client, 0, "StatusNotification", o, NULL, NULL);
}

void station_tell_all(struct station *s)
{
    for (int number = 0; number <= s->u.n_bays; number++)
        station_tell_status(s, number);
}

/* ---- transactions */

static void on_authorize(void *arg, const cJSON *payload)
{
    struct station_bay *b = arg;

    if (b->state != BAY_ASKING)
        return;
    if (!payload) { /* nobody to ask: once more */
        b->state = BAY_THINKING;
        b->ask_ms = b->station->now_ms + 5000;
    } else if (accepted_tag(payload)) {
        station_begin(b);
    } else {
        b->state = BAY_DONE;
    }
}

void station_tell_authorize(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->state = BAY_ASKING;
    cJSON_AddStringToObject(o, "idTag", b->tag);
    ocpp_client_call(b->station->client, 0, "Authorize", o, on_authorize, b);
}

/* Without an answer the transaction goes on as -1 (errata 3.18). */
static void on_start(void *arg, const cJSON *payload)
{
    struct station_bay *b = arg;
    int32_t id = number_of(payload, "transactionId");

    b->starting = false;
    b->session.transaction = payload && id > 0 ? id : -1;
    if (b->stop_due)
        station_tell_stop(b);
    else if (payload && !accepted_tag(payload))
        station_end(b, "DeAuthorized");
}

void station_tell_start(struct station_bay *b)
{
    cJSON *o = cJSON_CreateObject();

    b->starting = true;
    cJSON_AddNumberToObject(o, "connectorId", b->number);
    cJSON_AddStringToObject(o, "idTag", b->tag);
    cJSON_AddNumberToObject(o, "meterStart", (double)sim_bay_energy_wh(&b->bay));
    add_time(o, b->begun_s);
    ocpp_client_call(b->station->client, OCPP_CLIENT_KEEP, "StartTransaction", o,
                     on_start, b);
}

void station_tell_stop(struct station_bay *b)
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
    add_time(o, b->stop_s);
    ocpp_client_call(b->station->client, OCPP_CLIENT_KEEP, "StopTransaction", o, NULL,
                     NULL);
}

/* ---- meter values */

struct sample {
    const struct station *station;
    const char *context;
    cJSON *values;
};

static void add_value(const struct sample *m, const char *measurand, const char *phase,
                      const char *unit, const char *value)
{
    cJSON *o;

    if (!station_key_has(m->station, KEY_MEASURANDS, measurand))
        return;
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "value", value);
    cJSON_AddStringToObject(o, "context", m->context);
    cJSON_AddStringToObject(o, "measurand", measurand);
    if (phase)
        cJSON_AddStringToObject(o, "phase", phase);
    cJSON_AddStringToObject(o, "location", "Outlet");
    cJSON_AddStringToObject(o, "unit", unit);
    cJSON_AddItemToArray(m->values, o);
}

static void add_phase(const struct sample *m, int phase, int32_t i_ma, int32_t v_mv)
{
    static const char *const lines[] = {"L1", "L2", "L3"};
    static const char *const to_neutral[] = {"L1-N", "L2-N", "L3-N"};
    char text[32];
    int32_t tenths = (i_ma + 50) / 100;

    snprintf(text, sizeof text, "%d.%d", (int)tenths / 10, (int)tenths % 10);
    add_value(m, "Current.Import", lines[phase], "A", text);
    snprintf(text, sizeof text, "%d", (int)(v_mv + 500) / 1000);
    add_value(m, "Voltage", to_neutral[phase], "V", text);
}

static cJSON *sampled_values(const struct station_bay *b, const char *context)
{
    struct sample m = {b->station, context, cJSON_CreateArray()};
    struct event_sample s;
    char text[32];

    sim_bay_sample(&b->bay, &s);
    for (int p = 0; p < SITE_PHASES; p++)
        if (s.i_ma[p] != EVENT_NO_VALUE)
            add_phase(&m, p, s.i_ma[p], b->bay.voltage_mv);
    snprintf(text, sizeof text, "%d", (int)s.p_w);
    add_value(&m, "Power.Active.Import", NULL, "W", text);
    snprintf(text, sizeof text, "%lld", (long long)s.energy_wh);
    add_value(&m, "Energy.Active.Import.Register", NULL, "Wh", text);
    snprintf(text, sizeof text, "%.1f", sim_bay_offered(&b->bay) / 1000.0);
    add_value(&m, "Current.Offered", NULL, "A", text);
    return m.values;
}

void station_tell_meter(struct station_bay *b, const char *context)
{
    cJSON *o, *at, *list;

    if (!b->station->keys[KEY_MEASURANDS][0] ||
        !ocpp_client_is_open(b->station->client))
        return;
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "connectorId", b->number);
    if (b->bay.session && b->session.transaction != 0)
        cJSON_AddNumberToObject(o, "transactionId", b->session.transaction);
    list = cJSON_AddArrayToObject(o, "meterValue");
    at = cJSON_CreateObject();
    cJSON_AddItemToArray(list, at);
    add_time(at, station_utc_s(b->station));
    cJSON_AddItemToObject(at, "sampledValue", sampled_values(b, context));
    b->station->counts.samples++;
    ocpp_client_call(b->station->client, 0, "MeterValues", o, NULL, NULL);
}
