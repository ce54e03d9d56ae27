/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration keys of a charger, and the requests around them. */
#include "proto/ocpp16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const keys[] = {
    "ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods", "MaxChargingProfilesInstalled",
    "NumberOfConnectors",         "ConnectorPhaseRotation",
    "MeterValuesSampledData",     "MeterValueSampleInterval",
    "WebSocketPingInterval",
};

bool ocpp16_config_standard(const char *key)
{
    static const char *const standard[] = {
        "AdditionalRootCertificateCheck",
        "AllowOfflineTxForUnknownId",
        "AuthorizationCacheEnabled",
        "AuthorizationKey",
        "AuthorizeRemoteTxRequests",
        "BlinkRepeat",
        "CertificateSignedMaxChainSize",
        "CertificateStoreMaxLength",
        "ChargeProfileMaxStackLevel",
        "ChargingScheduleAllowedChargingRateUnit",
        "ChargingScheduleMaxPeriods",
        "ClockAlignedDataInterval",
        "ConnectionTimeOut",
        "ConnectorPhaseRotation",
        "ConnectorPhaseRotationMaxLength",
        "ConnectorSwitch3to1PhaseSupported",
        "CpoName",
        "GetConfigurationMaxKeys",
        "HeartbeatInterval",
        "LightIntensity",
        "LocalAuthListEnabled",
        "LocalAuthListMaxLength",
        "LocalAuthorizeOffline",
        "LocalPreAuthorize",
        "MaxChargingProfilesInstalled",
        "MaxEnergyOnInvalidId",
        "MeterValueSampleInterval",
        "MeterValuesAlignedData",
        "MeterValuesAlignedDataMaxLength",
        "MeterValuesSampledData",
        "MeterValuesSampledDataMaxLength",
        "MinimumStatusDuration",
        "NumberOfConnectors",
        "ReserveConnectorZeroSupported",
        "ResetRetries",
        "SecurityProfile",
        "SendLocalListMaxLength",
        "StopTransactionOnEVSideDisconnect",
        "StopTransactionOnInvalidId",
        "StopTxnAlignedData",
        "StopTxnAlignedDataMaxLength",
        "StopTxnSampledData",
        "StopTxnSampledDataMaxLength",
        "SupportedFeatureProfiles",
        "SupportedFeatureProfilesMaxLength",
        "SupportedFileTransferProtocols",
        "TransactionMessageAttempts",
        "TransactionMessageRetryInterval",
        "UnlockConnectorOnEVSideDisconnect",
        "WebSocketPingInterval",
    };

    for (size_t k = 0; k < sizeof standard / sizeof *standard; k++)
        if (strcasecmp(standard[k], key) == 0)
            return true;
    return false;
}

/* Spellings in the field (Q23). */
static void read_units(struct ocpp_config *c, const char *list)
{
    c->amps = ocpp_list_has(list, "Current") || ocpp_list_has(list, "A") ||
              ocpp_list_has(list, "Amps");
    c->watts = ocpp_list_has(list, "Power") || ocpp_list_has(list, "W") ||
               ocpp_list_has(list, "Watts");
    c->unit_known = c->amps || c->watts;
}

static int32_t whole(const cJSON *item)
{
    int64_t n;

    return ocpp_get_int(item, "value", &n) && n >= 0 && n < INT32_MAX ? (int32_t)n : -1;
}

static void take(struct ocpp_config *c, const char *key, const cJSON *item)
{
    bool fixed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "readonly"));
    char value[64];

    ocpp_get_text(item, "value", value, sizeof value);
    if (strcmp(key, "ChargeProfileMaxStackLevel") == 0) {
        c->max_level = whole(item);
    } else if (strcmp(key, "ChargingScheduleAllowedChargingRateUnit") == 0) {
        read_units(c, value);
    } else if (strcmp(key, "ChargingScheduleMaxPeriods") == 0) {
        c->max_periods = whole(item);
    } else if (strcmp(key, "MaxChargingProfilesInstalled") == 0) {
        c->max_profiles = whole(item);
    } else if (strcmp(key, "NumberOfConnectors") == 0) {
        c->connectors = whole(item);
    } else if (strcmp(key, "ConnectorPhaseRotation") == 0) {
        ocpp_get_text(item, "value", c->rotation, sizeof c->rotation);
    } else if (strcmp(key, "MeterValuesSampledData") == 0) {
        ocpp_get_text(item, "value", c->measurands, sizeof c->measurands);
        c->measurands_fixed = fixed;
    } else if (strcmp(key, "MeterValueSampleInterval") == 0) {
        c->sample_s = whole(item);
        c->sample_fixed = fixed;
    } else {
        c->ping_s = whole(item);
        c->ping_fixed = fixed;
    }
}

int ocpp16_read_config(const cJSON *p, struct ocpp_config *c)
{
    const cJSON *item;
    char name[52];
    int n = 0;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(p, "configurationKey"))
    {
        if (!ocpp_get_text(item, "key", name, sizeof name))
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (strcasecmp(keys[k], name) == 0) {
                take(c, keys[k], item);
                n++;
            }
    }
    return n;
}

/* Some only know the question without keys (Q56). */
const char *ocpp16_ask_config(char *out, const struct ocpp_config *c, int places,
                              bool again, int *at)
{
    size_t n;

    (void)c;
    (void)places;
    if ((*at)++ > 0)
        return NULL;
    if (again) {
        strcpy(out, "{}");
        return "GetConfiguration";
    }
    n = (size_t)snprintf(out, OCPP_CALL_TEXT, "{\"key\":[");
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        n += (size_t)snprintf(out + n, OCPP_CALL_TEXT - n, "%s\"%s\"", k ? "," : "",
                              keys[k]);
    snprintf(out + n, OCPP_CALL_TEXT - n, "]}");
    return "GetConfiguration";
}

const char *ocpp16_write_setting(char *out, enum ocpp_setting s, const char *value)
{
    static const char *const names[] = {
        [OCPP_SET_LIST] = "LocalAuthListEnabled",
        [OCPP_SET_MEASURANDS] = "MeterValuesSampledData",
        [OCPP_SET_PING] = "WebSocketPingInterval",
        [OCPP_SET_SAMPLE] = "MeterValueSampleInterval",
    };

    snprintf(out, OCPP_CALL_TEXT, "{\"key\":\"%s\",\"value\":\"%s\"}", names[s], value);
    return "ChangeConfiguration";
}

bool ocpp16_setting_taken(const cJSON *p)
{
    char status[24];

    ocpp_get_text(p, "status", status, sizeof status);
    return strcasecmp(status, "Accepted") == 0 ||
           strcasecmp(status, "RebootRequired") == 0;
}

void ocpp16_write_trigger(char *out, const char *message, int32_t connector,
                          int32_t plug)
{
    int n = snprintf(out, OCPP_CALL_TEXT, "{\"requestedMessage\":\"%s\"", message);

    (void)plug;
    if (connector > 0)
        n += snprintf(out + n, OCPP_CALL_TEXT - (size_t)n, ",\"connectorId\":%d",
                      (int)connector);
    snprintf(out + n, OCPP_CALL_TEXT - (size_t)n, "}");
}
