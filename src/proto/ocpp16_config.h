/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration keys of a charger (OCPP 1.6 section 9) and the small calls of ours that
 * go with them. */
#ifndef PROTO_OCPP16_CONFIG_H
#define PROTO_OCPP16_CONFIG_H

#include "proto/ocpp16_field.h"

/* What a charger tells of itself; -1 and "" where it does not. */
struct ocpp16_config {
    int32_t max_level;    /* ChargeProfileMaxStackLevel */
    int32_t max_periods;  /* ChargingScheduleMaxPeriods */
    int32_t max_profiles; /* MaxChargingProfilesInstalled */
    int32_t connectors;   /* NumberOfConnectors */
    bool unit_known;      /* ChargingScheduleAllowedChargingRateUnit */
    bool amps, watts;
    int32_t sample_s;                                /* MeterValueSampleInterval */
    int32_t ping_s;                                  /* WebSocketPingInterval */
    bool sample_fixed, ping_fixed, measurands_fixed; /* read-only */
    char measurands[256];                            /* MeterValuesSampledData */
    char rotation[64];                               /* ConnectorPhaseRotation */
};

void ocpp16_config_init(struct ocpp16_config *c);
/* Takes over what a GetConfiguration confirmation tells; keys in any case (Q56).
 * Returns the number of keys it knew. */
int ocpp16_config_read(const cJSON *p, struct ocpp16_config *c);

/* Is it a key of the standard or of the security whitepaper? In any case. */
bool ocpp16_config_standard(const char *key);

/* True when each of the comma-separated words of `wanted` is in `list`. */
bool ocpp16_list_has(const char *list, const char *wanted);

/* Requests, as JSON in `out`, OCPP16_CALL bytes. */
enum { OCPP16_CALL = 512 };
void ocpp16_get_configuration(char *out, bool all); /* all keys, or those above */
void ocpp16_change_configuration(char *out, const char *key, const char *value);
/* connector 0: that of the charger as a whole */
void ocpp16_trigger(char *out, const char *message, int32_t connector);
/* Of profiles of this purpose on all connectors, of one stack level; -1 = of all. */
void ocpp16_clear_profile(char *out, const char *purpose, int32_t level);
void ocpp16_clear_id(char *out, int32_t id); /* the profile of that id */

#endif
