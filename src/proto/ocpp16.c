/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 1.6: requests of chargers into structs, confirmations into text. */
#include "proto/ocpp16.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum connector_status status;
} statuses[] = {
    {"Available", STATUS_AVAILABLE},
    {"Preparing", STATUS_PREPARING},
    {"Occupied", STATUS_PREPARING}, /* OCPP 1.5: somebody is there */
    {"Charging", STATUS_CHARGING},
    {"SuspendedEV", STATUS_SUSPENDED_EV},
    {"SuspendedEVSE", STATUS_SUSPENDED_EVSE},
    {"Finishing", STATUS_FINISHING},
    {"Reserved", STATUS_RESERVED},
    {"Unavailable", STATUS_UNAVAILABLE},
    {"Faulted", STATUS_FAULTED},
};

enum connector_status ocpp16_status_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcasecmp(statuses[i].name, name) == 0)
            return statuses[i].status;
    return STATUS_UNKNOWN;
}

void ocpp16_read_boot(const cJSON *p, struct ocpp16_boot *b)
{
    ocpp16_get_text(p, "chargePointVendor", b->vendor, sizeof b->vendor);
    ocpp16_get_text(p, "chargePointModel", b->model, sizeof b->model);
    ocpp16_get_text(p, "firmwareVersion", b->firmware, sizeof b->firmware);
    if (!ocpp16_get_text(p, "chargePointSerialNumber", b->serial, sizeof b->serial))
        ocpp16_get_text(p, "chargeBoxSerialNumber", b->serial, sizeof b->serial);
}

bool ocpp16_read_status(const cJSON *p, struct ocpp16_status *s,
                        struct ocpp16_fault *fault)
{
    char name[32];

    if (!ocpp16_need_int(p, "connectorId", 0, INT32_MAX, &s->connector, fault) ||
        !ocpp16_need_text(p, "status", name, sizeof name, fault))
        return false;
    s->status = ocpp16_status_by_name(name);
    ocpp16_get_text(p, "errorCode", s->error, sizeof s->error);
    ocpp16_get_text(p, "info", s->info, sizeof s->info);
    ocpp16_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    return true;
}

static int64_t meter(const cJSON *p, const char *name)
{
    int64_t wh;

    return ocpp16_get_int(p, name, &wh) ? wh : OCPP16_NO_METER;
}

bool ocpp16_read_start(const cJSON *p, struct ocpp16_start *s,
                       struct ocpp16_fault *fault)
{
    if (!ocpp16_need_int(p, "connectorId", 1, INT32_MAX, &s->connector, fault))
        return false;
    ocpp16_get_text(p, "idTag", s->tag, sizeof s->tag);
    ocpp16_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    s->meter_wh = meter(p, "meterStart");
    if (!ocpp16_get_int(p, "reservationId", &s->reservation))
        s->reservation = INT64_MIN;
    return true;
}

bool ocpp16_read_stop(const cJSON *p, struct ocpp16_stop *s, struct ocpp16_fault *fault)
{
    if (!ocpp16_need_int(p, "transactionId", INT32_MIN, INT32_MAX, &s->transaction,
                         fault))
        return false;
    ocpp16_get_text(p, "idTag", s->tag, sizeof s->tag);
    ocpp16_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    ocpp16_get_text(p, "reason", s->reason, sizeof s->reason);
    s->meter_wh = meter(p, "meterStop");
    return true;
}

void ocpp16_conf_boot(char *out, const char *now, int32_t interval_s)
{
    snprintf(out, OCPP16_CONF,
             "{\"currentTime\":\"%s\",\"interval\":%d,\"status\":\"Accepted\"}", now,
             (int)interval_s);
}

void ocpp16_conf_heartbeat(char *out, const char *now)
{
    snprintf(out, OCPP16_CONF, "{\"currentTime\":\"%s\"}", now);
}

void ocpp16_conf_status(char *out, const char *status)
{
    snprintf(out, OCPP16_CONF, "{\"status\":\"%s\"}", status);
}

void ocpp16_conf_empty(char *out)
{
    strcpy(out, "{}");
}
