/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides of OCPP 2.0.1 use. */
#include "proto/ocpp201_types.h"

/* clang-format off */
#define FIELDS(name) const struct ocpp_field name[]

FIELDS(ocpp201_nothing) = {{0}};
FIELDS(ocpp201_additional_info) = {
    {"additionalIdToken", OCPP_TEXT, OCPP_MUST, .most = 36},
    {"type", OCPP_TEXT, OCPP_MUST, .most = 50}, {0}};
FIELDS(ocpp201_id_token) = {
    {"additionalInfo", OCPP_OBJECTS, .lo = 1, .sub = ocpp201_additional_info},
    {"idToken", OCPP_TEXT, OCPP_MUST, .most = 36},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|Central|eMAID|ISO14443|ISO15693|KeyCode|"
        "Local|MacAddress|NoAuthorization|"},
    {0}};
FIELDS(ocpp201_personal_message) = {
    {"format", OCPP_WORD, OCPP_MUST, .words = "|ASCII|HTML|URI|UTF8|"},
    {"language", OCPP_TEXT, .most = 8}, {"content", OCPP_TEXT, OCPP_MUST, .most = 512},
    {0}};
FIELDS(ocpp201_id_token_info) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Blocked|ConcurrentTx|Expired|"
        "Invalid|NoCredit|NotAllowedTypeEVSE|NotAtThisLocation|NotAtThisTime|Unknown|"},
    {"cacheExpiryDateTime", OCPP_TIME}, {"chargingPriority", OCPP_INT, .lo = -9, .hi = 9},
    {"language1", OCPP_TEXT, .most = 8}, {"evseId", OCPP_INTS, .lo = 1},
    {"groupIdToken", OCPP_OBJECT, .sub = ocpp201_id_token},
    {"language2", OCPP_TEXT, .most = 8},
    {"personalMessage", OCPP_OBJECT, .sub = ocpp201_personal_message}, {0}};
FIELDS(ocpp201_status_info) = {
    {"reasonCode", OCPP_TEXT, OCPP_MUST, .most = 20},
    {"additionalInfo", OCPP_TEXT, .most = 512}, {0}};
FIELDS(ocpp201_accepted_rejected) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(ocpp201_evse) = {
    {"id", OCPP_INT, OCPP_MUST}, {"connectorId", OCPP_INT}, {0}};
FIELDS(ocpp201_data_transfer) = {
    {"messageId", OCPP_TEXT, .most = 50}, {"data", OCPP_ANY},
    {"vendorId", OCPP_TEXT, OCPP_MUST, .most = 255}, {0}};
FIELDS(ocpp201_data_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|UnknownMessageId|"
        "UnknownVendorId|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {"data", OCPP_ANY}, {0}};
FIELDS(ocpp201_period) = {
    {"startPeriod", OCPP_INT, OCPP_MUST}, {"limit", OCPP_TENTHS, OCPP_MUST},
    {"numberPhases", OCPP_INT, .lo = 1, .hi = 3},
    {"phaseToUse", OCPP_INT, .lo = 1, .hi = 3}, {0}};
FIELDS(ocpp201_component) = {
    {"evse", OCPP_OBJECT, .sub = ocpp201_evse}, {"name", OCPP_TEXT, OCPP_MUST, .most = 50},
    {"instance", OCPP_TEXT, .most = 50}, {0}};
FIELDS(ocpp201_variable) = {
    {"name", OCPP_TEXT, OCPP_MUST, .most = 50}, {"instance", OCPP_TEXT, .most = 50}, {0}};
FIELDS(ocpp201_relative_time_interval) = {
    {"start", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"duration", OCPP_INT}, {0}};
FIELDS(ocpp201_cost) = {
    {"costKind", OCPP_WORD, OCPP_MUST, .words = "|CarbonDioxideEmission|"
        "RelativePricePercentage|RenewableGenerationPercentage|"},
    {"amount", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"amountMultiplier", OCPP_INT, .lo = INT32_MIN}, {0}};
FIELDS(ocpp201_consumption_cost) = {
    {"startValue", OCPP_NUMBER, OCPP_MUST},
    {"cost", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .hi = 3, .sub = ocpp201_cost}, {0}};
FIELDS(ocpp201_sales_tariff_entry) = {
    {"relativeTimeInterval", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_relative_time_interval},
    {"ePriceLevel", OCPP_INT},
    {"consumptionCost", OCPP_OBJECTS, .lo = 1, .hi = 3, .sub = ocpp201_consumption_cost},
    {0}};
FIELDS(ocpp201_sales_tariff) = {
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"salesTariffDescription", OCPP_TEXT, .most = 32},
    {"numEPriceLevels", OCPP_INT, .lo = INT32_MIN},
    {"salesTariffEntry", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .hi = 1024,
     .sub = ocpp201_sales_tariff_entry},
    {0}};
FIELDS(ocpp201_schedule) = {
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"startSchedule", OCPP_TIME},
    {"duration", OCPP_INT}, {"chargingRateUnit", OCPP_WORD, OCPP_MUST, .words = "|W|A|"},
    {"chargingSchedulePeriod", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .hi = 1024, .sub = ocpp201_period},
    {"minChargingRate", OCPP_TENTHS},
    {"salesTariff", OCPP_OBJECT, .sub = ocpp201_sales_tariff}, {0}};
FIELDS(ocpp201_message_info) = {
    {"display", OCPP_OBJECT, .sub = ocpp201_component},
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"priority", OCPP_WORD, OCPP_MUST, .words = "|AlwaysFront|InFront|NormalCycle|"},
    {"state", OCPP_WORD, .words = "|Charging|Faulted|Idle|Unavailable|"},
    {"startDateTime", OCPP_TIME}, {"endDateTime", OCPP_TIME},
    {"transactionId", OCPP_TEXT, .most = 36},
    {"message", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_personal_message}, {0}};
FIELDS(ocpp201_profile) = {
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"stackLevel", OCPP_INT, OCPP_MUST},
    {"chargingProfilePurpose", OCPP_WORD, OCPP_MUST, .words = "|"
        "ChargingStationExternalConstraints|ChargingStationMaxProfile|TxDefaultProfile|"
        "TxProfile|"},
    {"chargingProfileKind", OCPP_WORD, OCPP_MUST, .words = "|Absolute|Recurring|Relative|"},
    {"recurrencyKind", OCPP_WORD, .words = "|Daily|Weekly|"}, {"validFrom", OCPP_TIME},
    {"validTo", OCPP_TIME},
    {"chargingSchedule", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .hi = 3, .sub = ocpp201_schedule},
    {"transactionId", OCPP_TEXT, .most = 36}, {0}};
/* clang-format on */
