/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration keys of a charger, and the requests around them. */
#include "proto/ocpp16_config.h"

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

void ocpp16_config_init(struct ocpp16_config *c)
{
    *c = (struct ocpp16_config){.max_level = -1,
                                .max_periods = -1,
                                .max_profiles = -1,
                                .connectors = -1,
                                .sample_s = -1,
                                .ping_s = -1};
}

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

/* The next word of a comma-separated list, without blanks; NULL at its end. */
static const char *next_word(const char **list, size_t *len)
{
    const char *word;

    *list += strspn(*list, ", \t");
    if (!**list)
        return NULL;
    word = *list;
    *len = strcspn(word, ",");
    *list += *len;
    while (*len > 0 && (word[*len - 1] == ' ' || word[*len - 1] == '\t'))
        --*len;
    return word;
}

static bool has_word(const char *list, const char *wanted, size_t wanted_len)
{
    const char *word;
    size_t len;

    while ((word = next_word(&list, &len)))
        if (len == wanted_len && strncasecmp(word, wanted, len) == 0)
            return true;
    return false;
}

bool ocpp16_list_has(const char *list, const char *wanted)
{
    const char *word;
    size_t len;

    while ((word = next_word(&wanted, &len)))
        if (!has_word(list, word, len))
            return false;
    return true;
}

/* Spellings in the field (Q23). */
static void read_units(struct ocpp16_config *c, const char *list)
{
    c->amps = has_word(list, "Current", 7) || has_word(list, "A", 1) ||
              has_word(list, "Amps", 4);
    c->watts = has_word(list, "Power", 5) || has_word(list, "W", 1) ||
               has_word(list, "Watts", 5);
    c->unit_known = c->amps || c->watts;
}

static int32_t whole(const cJSON *item)
{
    int64_t n;

    return ocpp16_get_int(item, "value", &n) && n >= 0 && n < INT32_MAX ? (int32_t)n
                                                                        : -1;
}

static void take(struct ocpp16_config *c, const char *key, const cJSON *item)
{
    bool fixed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "readonly"));
    char value[64];

    ocpp16_get_text(item, "value", value, sizeof value);
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
        ocpp16_get_text(item, "value", c->rotation, sizeof c->rotation);
    } else if (strcmp(key, "MeterValuesSampledData") == 0) {
        ocpp16_get_text(item, "value", c->measurands, sizeof c->measurands);
        c->measurands_fixed = fixed;
    } else if (strcmp(key, "MeterValueSampleInterval") == 0) {
        c->sample_s = whole(item);
        c->sample_fixed = fixed;
    } else {
        c->ping_s = whole(item);
        c->ping_fixed = fixed;
    }
}

int ocpp16_config_read(const cJSON *p, struct ocpp16_config *c)
{
    const cJSON *item;
    char name[52];
    int n = 0;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(p, "configurationKey"))
    {
        if (!ocpp16_get_text(item, "key", name, sizeof name))
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (strcasecmp(keys[k], name) == 0) {
                take(c, keys[k], item);
                n++;
            }
    }
    return n;
}

void ocpp16_get_configuration(char *out, bool all)
{
    size_t n;

    if (all) {
        strcpy(out, "{}");
        return;
    }
    n = (size_t)snprintf(out, OCPP16_CALL, "{\"key\":[");
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        n += (size_t)snprintf(out + n, OCPP16_CALL - n, "%s\"%s\"", k ? "," : "",
                              keys[k]);
    snprintf(out + n, OCPP16_CALL - n, "]}");
}

void ocpp16_change_configuration(char *out, const char *key, const char *value)
{
    snprintf(out, OCPP16_CALL, "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
}

void ocpp16_trigger(char *out, const char *message, int32_t connector)
{
    int n = snprintf(out, OCPP16_CALL, "{\"requestedMessage\":\"%s\"", message);

    if (connector > 0)
        n += snprintf(out + n, OCPP16_CALL - (size_t)n, ",\"connectorId\":%d",
                      (int)connector);
    snprintf(out + n, OCPP16_CALL - (size_t)n, "}");
}

void ocpp16_clear_profile(char *out, const char *purpose, int32_t level)
{
    char at[32] = "";

    if (level >= 0)
        snprintf(at, sizeof at, ",\"stackLevel\":%d", (int)level);
    snprintf(out, OCPP16_CALL, "{\"chargingProfilePurpose\":\"%s\"%s}", purpose, at);
}

void ocpp16_clear_id(char *out, int32_t id)
{
    snprintf(out, OCPP16_CALL, "{\"id\":%d}", (int)id);
}
