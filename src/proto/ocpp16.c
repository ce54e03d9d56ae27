/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 1.6: requests of chargers into structs (sections 4 and 6). */
#include "proto/ocpp16.h"

#include <stdio.h>
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

static enum connector_status status_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcasecmp(statuses[i].name, name) == 0)
            return statuses[i].status;
    return STATUS_UNKNOWN;
}

void ocpp16_read_boot(const cJSON *p, struct ocpp_boot *b)
{
    ocpp_get_text(p, "chargePointVendor", b->vendor, sizeof b->vendor);
    ocpp_get_text(p, "chargePointModel", b->model, sizeof b->model);
    ocpp_get_text(p, "firmwareVersion", b->firmware, sizeof b->firmware);
    if (!ocpp_get_text(p, "chargePointSerialNumber", b->serial, sizeof b->serial))
        ocpp_get_text(p, "chargeBoxSerialNumber", b->serial, sizeof b->serial);
}

bool ocpp16_read_tag(const cJSON *p, char tag[OCPP_TAG], struct ocpp_fault *fault)
{
    return ocpp_need_text(p, "idTag", tag, OCPP_TAG, fault);
}

bool ocpp16_read_status(const cJSON *p, struct ocpp_status *s, struct ocpp_fault *fault)
{
    char name[32];

    *s = (struct ocpp_status){.info = ""};
    if (!ocpp_need_int(p, "connectorId", 0, INT32_MAX, &s->connector, fault) ||
        !ocpp_need_text(p, "status", name, sizeof name, fault))
        return false;
    s->status = status_by_name(name);
    ocpp_get_text(p, "errorCode", s->error, sizeof s->error);
    ocpp_get_text(p, "info", s->info, sizeof s->info);
    ocpp_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    return true;
}

static int64_t meter(const cJSON *p, const char *name)
{
    int64_t wh;

    return ocpp_get_int(p, name, &wh) ? wh : OCPP_NO_METER;
}

bool ocpp16_read_start(const cJSON *p, struct ocpp_start *s, struct ocpp_fault *fault)
{
    if (!ocpp_need_int(p, "connectorId", 1, INT32_MAX, &s->connector, fault))
        return false;
    s->name[0] = '\0';
    ocpp_get_text(p, "idTag", s->tag, sizeof s->tag);
    ocpp_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    s->meter_wh = meter(p, "meterStart");
    if (!ocpp_get_int(p, "reservationId", &s->reservation))
        s->reservation = INT64_MIN;
    return true;
}

bool ocpp16_read_stop(const cJSON *p, struct ocpp_stop *s, struct ocpp_fault *fault)
{
    if (!ocpp_need_int(p, "transactionId", INT32_MIN, INT32_MAX, &s->transaction,
                       fault))
        return false;
    ocpp_get_text(p, "idTag", s->tag, sizeof s->tag);
    ocpp_get_text(p, "timestamp", s->timestamp, sizeof s->timestamp);
    ocpp_get_text(p, "reason", s->reason, sizeof s->reason);
    s->meter_wh = meter(p, "meterStop");
    return true;
}

bool ocpp16_read_meter(const cJSON *p, struct ocpp_meter *m, struct ocpp_fault *fault)
{
    int64_t id;

    if (!ocpp_need_int(p, "connectorId", 0, INT32_MAX, &m->connector, fault))
        return false;
    m->has_transaction =
        ocpp_get_int(p, "transactionId", &id) && id >= INT32_MIN && id <= INT32_MAX;
    m->transaction = m->has_transaction ? (int32_t)id : 0;
    m->values = cJSON_GetObjectItemCaseSensitive(p, "meterValue");
    if (!m->values || cJSON_IsNull(m->values)) {
        *fault = (struct ocpp_fault){"OccurenceConstraintViolation",
                                     "meterValue is missing"};
        return false;
    }
    if (!cJSON_IsArray(m->values)) {
        *fault =
            (struct ocpp_fault){"TypeConstraintViolation", "meterValue is no array"};
        return false;
    }
    return true;
}
