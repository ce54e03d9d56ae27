/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 1.6: what chargers ask, and what we answer (sections 4 and 6 of the standard).
 *
 * Readers take the payload of a CALL. They are false, with the CALLERROR in `fault`,
 * only where the meaning is lost; what else is missing is "", 0 or OCPP16_NO_METER.
 * Times are left as text: what they are worth is known by those who know the time. */
#ifndef PROTO_OCPP16_H
#define PROTO_OCPP16_H

#include "core/event.h"
#include "proto/ocpp16_field.h"

enum { OCPP16_TAG = 21, OCPP16_TIME = 36 };
#define OCPP16_NO_METER INT64_MIN

struct ocpp16_boot {
    char vendor[24], model[24], serial[28], firmware[52];
};

struct ocpp16_status {
    int32_t connector; /* 0 = the whole charger */
    enum connector_status status;
    char error[40]; /* "NoError", ... or what the charger made up */
    char info[64];
    char timestamp[OCPP16_TIME];
};

struct ocpp16_start {
    int32_t connector;
    char tag[OCPP16_TAG];
    int64_t meter_wh;
    int64_t reservation; /* INT64_MIN = none */
    char timestamp[OCPP16_TIME];
};

struct ocpp16_stop {
    int32_t transaction; /* -1 and 0 happen (errata 3.18) */
    char tag[OCPP16_TAG];
    int64_t meter_wh;
    char timestamp[OCPP16_TIME];
    char reason[24];
};

void ocpp16_read_boot(const cJSON *p, struct ocpp16_boot *b);
bool ocpp16_read_status(const cJSON *p, struct ocpp16_status *s,
                        struct ocpp16_fault *fault);
bool ocpp16_read_start(const cJSON *p, struct ocpp16_start *s,
                       struct ocpp16_fault *fault);
bool ocpp16_read_stop(const cJSON *p, struct ocpp16_stop *s,
                      struct ocpp16_fault *fault);

/* STATUS_UNKNOWN for words that no version knows. */
enum connector_status ocpp16_status_by_name(const char *name);

/* Confirmations, as JSON text in `out`, which holds OCPP16_CONF bytes. `now` is UTC
 * like 2019-03-01T14:20:00Z. */
enum { OCPP16_CONF = 256 };
void ocpp16_conf_boot(char *out, const char *now, int32_t interval_s);
void ocpp16_conf_heartbeat(char *out, const char *now);
void ocpp16_conf_status(char *out, const char *status); /* {"status": ...} */
void ocpp16_conf_empty(char *out);

#endif
