/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the messages of OCPP 1.6. */
#include "proto/ocpp16_schema.h"

#include "proto/ocpp16.h"

/* clang-format off */
#define FIELDS(name) static const struct ocpp_field name[]
#define STATUS(name, list) FIELDS(name) = {{"status", OCPP_WORD, OCPP_MUST, .words = list}, {0}}

FIELDS(nothing) = {{0}};

/* ---- answers that are a word */
STATUS(accepted_rejected, "|Accepted|Rejected|");
STATUS(availability, "|Accepted|Rejected|Scheduled|");
STATUS(configuration, "|Accepted|Rejected|RebootRequired|NotSupported|");
STATUS(cleared, "|Accepted|Unknown|");
STATUS(deleted, "|Accepted|Failed|NotFound|");
STATUS(installed, "|Accepted|Failed|Rejected|");
STATUS(list_status, "|Accepted|Failed|NotSupported|VersionMismatch|");
STATUS(profile_status, "|Accepted|Rejected|NotSupported|");
STATUS(reserved, "|Accepted|Faulted|Occupied|Rejected|Unavailable|");
STATUS(signed_update_status,
       "|Accepted|Rejected|AcceptedCanceled|InvalidCertificate|RevokedCertificate|");
STATUS(triggered, "|Accepted|Rejected|NotImplemented|");
STATUS(unlocked, "|Unlocked|UnlockFailed|NotSupported|");

/* ---- parts of several messages */
FIELDS(period) = {
    {"startPeriod", OCPP_INT, OCPP_MUST},
    {"limit", OCPP_TENTHS, OCPP_MUST},
    {"numberPhases", OCPP_INT, .lo = 1, .hi = 3},
    {0}};
FIELDS(schedule) = {
    {"duration", OCPP_INT},
    {"startSchedule", OCPP_TIME},
    {"chargingRateUnit", OCPP_WORD, OCPP_MUST, .words = "|A|W|"},
    {"chargingSchedulePeriod", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = period},
    {"minChargingRate", OCPP_TENTHS},
    {0}};
FIELDS(profile) = {
    {"chargingProfileId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"transactionId", OCPP_INT, .lo = INT32_MIN},
    {"stackLevel", OCPP_INT, OCPP_MUST},
    {"chargingProfilePurpose", OCPP_WORD, OCPP_MUST,
     .words = "|ChargePointMaxProfile|TxDefaultProfile|TxProfile|"},
    {"chargingProfileKind", OCPP_WORD, OCPP_MUST, .words = "|Absolute|Recurring|Relative|"},
    {"recurrencyKind", OCPP_WORD, .words = "|Daily|Weekly|"},
    {"validFrom", OCPP_TIME},
    {"validTo", OCPP_TIME},
    {"chargingSchedule", OCPP_OBJECT, OCPP_MUST, .sub = schedule},
    {0}};
FIELDS(tag_info) = {
    {"expiryDate", OCPP_TIME},
    {"parentIdTag", OCPP_TEXT, .most = 20},
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Blocked|Expired|Invalid|ConcurrentTx|"},
    {0}};
FIELDS(tag) = {
    {"idTag", OCPP_TEXT, OCPP_MUST, 20},
    {"idTagInfo", OCPP_OBJECT, .sub = tag_info},
    {0}};
FIELDS(certificate_hash) = {
    {"hashAlgorithm", OCPP_WORD, OCPP_MUST, .words = "|SHA256|SHA384|SHA512|"},
    {"issuerNameHash", OCPP_TEXT, OCPP_MUST, 128},
    {"issuerKeyHash", OCPP_TEXT, OCPP_MUST, 128},
    {"serialNumber", OCPP_TEXT, OCPP_MUST, 40},
    {0}};
FIELDS(sample) = {
    {"value", OCPP_TEXT, OCPP_MUST},
    {"context", OCPP_WORD, .words = "|Interruption.Begin|Interruption.End|Sample.Clock|"
        "Sample.Periodic|Transaction.Begin|Transaction.End|Trigger|Other|"},
    {"format", OCPP_WORD, .words = "|Raw|SignedData|"},
    {"measurand", OCPP_WORD, .words =
        "|Energy.Active.Export.Register|Energy.Active.Import.Register|"
        "Energy.Reactive.Export.Register|Energy.Reactive.Import.Register|"
        "Energy.Active.Export.Interval|Energy.Active.Import.Interval|"
        "Energy.Reactive.Export.Interval|Energy.Reactive.Import.Interval|"
        "Power.Active.Export|Power.Active.Import|Power.Offered|Power.Reactive.Export|"
        "Power.Reactive.Import|Power.Factor|Current.Import|Current.Export|"
        "Current.Offered|Voltage|Frequency|Temperature|SoC|RPM|"},
    {"phase", OCPP_WORD, .words = "|L1|L2|L3|N|L1-N|L2-N|L3-N|L1-L2|L2-L3|L3-L1|"},
    {"location", OCPP_WORD, .words = "|Cable|EV|Inlet|Outlet|Body|"},
    {"unit", OCPP_WORD, .words = "|Wh|kWh|varh|kvarh|W|kW|VA|kVA|var|kvar|A|V|K|Celcius|"
        "Celsius|Fahrenheit|Percent|"},
    {0}};
FIELDS(meter_value) = {
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {"sampledValue", OCPP_OBJECTS, OCPP_MUST, .sub = sample},
    {0}};

/* ---- what the central system asks */
FIELDS(cancel_reservation) = {
    {"reservationId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {0}};
FIELDS(certificate_signed) = {{"certificateChain", OCPP_TEXT, OCPP_MUST, 10000}, {0}};
FIELDS(change_availability) = {
    {"connectorId", OCPP_INT, OCPP_MUST},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|Inoperative|Operative|"},
    {0}};
FIELDS(change_configuration) = {
    {"key", OCPP_TEXT, OCPP_MUST, 50}, {"value", OCPP_TEXT, OCPP_MUST, 500}, {0}};
FIELDS(clear_profile) = {
    {"id", OCPP_INT, .lo = INT32_MIN},
    {"connectorId", OCPP_INT},
    {"chargingProfilePurpose", OCPP_WORD,
     .words = "|ChargePointMaxProfile|TxDefaultProfile|TxProfile|"},
    {"stackLevel", OCPP_INT},
    {0}};
FIELDS(delete_certificate) = {
    {"certificateHashData", OCPP_OBJECT, OCPP_MUST, .sub = certificate_hash}, {0}};
FIELDS(extended_trigger) = {
    {"requestedMessage", OCPP_WORD, OCPP_MUST, .words = "|BootNotification|"
        "LogStatusNotification|FirmwareStatusNotification|Heartbeat|MeterValues|"
        "SignChargePointCertificate|StatusNotification|"},
    {"connectorId", OCPP_INT, .lo = 1},
    {0}};
FIELDS(get_composite) = {
    {"connectorId", OCPP_INT, OCPP_MUST},
    {"duration", OCPP_INT, OCPP_MUST},
    {"chargingRateUnit", OCPP_WORD, .words = "|A|W|"},
    {0}};
FIELDS(get_configuration) = {{"key", OCPP_TEXTS, .most = 50}, {0}};
FIELDS(get_diagnostics) = {
    {"location", OCPP_URI, OCPP_MUST},
    {"retries", OCPP_INT},
    {"retryInterval", OCPP_INT},
    {"startTime", OCPP_TIME},
    {"stopTime", OCPP_TIME},
    {0}};
FIELDS(certificate_type) = {
    {"certificateType", OCPP_WORD, OCPP_MUST,
     .words = "|CentralSystemRootCertificate|ManufacturerRootCertificate|"},
    {0}};
FIELDS(log_parameters) = {
    {"remoteLocation", OCPP_URI, OCPP_MUST, 512},
    {"oldestTimestamp", OCPP_TIME},
    {"latestTimestamp", OCPP_TIME},
    {0}};
FIELDS(get_log) = {
    {"log", OCPP_OBJECT, OCPP_MUST, .sub = log_parameters},
    {"logType", OCPP_WORD, OCPP_MUST, .words = "|DiagnosticsLog|SecurityLog|"},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"retries", OCPP_INT},
    {"retryInterval", OCPP_INT},
    {0}};
FIELDS(install_certificate) = {
    {"certificateType", OCPP_WORD, OCPP_MUST,
     .words = "|CentralSystemRootCertificate|ManufacturerRootCertificate|"},
    {"certificate", OCPP_TEXT, OCPP_MUST, 5500},
    {0}};
FIELDS(remote_start) = {
    {"connectorId", OCPP_INT, .lo = 1},
    {"idTag", OCPP_TEXT, OCPP_MUST, 20},
    {"chargingProfile", OCPP_OBJECT, .sub = profile},
    {0}};
FIELDS(remote_stop) = {{"transactionId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {0}};
FIELDS(reserve_now) = {
    {"connectorId", OCPP_INT, OCPP_MUST},
    {"expiryDate", OCPP_TIME, OCPP_MUST},
    {"idTag", OCPP_TEXT, OCPP_MUST, 20},
    {"parentIdTag", OCPP_TEXT, .most = 20},
    {"reservationId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {0}};
FIELDS(reset) = {{"type", OCPP_WORD, OCPP_MUST, .words = "|Hard|Soft|"}, {0}};
FIELDS(send_list) = {
    {"listVersion", OCPP_INT, OCPP_MUST, .lo = 1},
    {"localAuthorizationList", OCPP_OBJECTS, .sub = tag},
    {"updateType", OCPP_WORD, OCPP_MUST, .words = "|Differential|Full|"},
    {0}};
FIELDS(set_profile) = {
    {"connectorId", OCPP_INT, OCPP_MUST},
    {"csChargingProfiles", OCPP_OBJECT, OCPP_MUST, .sub = profile},
    {0}};
FIELDS(firmware) = {
    {"location", OCPP_URI, OCPP_MUST, 512},
    {"retrieveDateTime", OCPP_TIME, OCPP_MUST},
    {"installDateTime", OCPP_TIME},
    {"signingCertificate", OCPP_TEXT, OCPP_MUST, 5500},
    {"signature", OCPP_TEXT, OCPP_MUST, 800},
    {0}};
FIELDS(signed_update) = {
    {"retries", OCPP_INT},
    {"retryInterval", OCPP_INT},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"firmware", OCPP_OBJECT, OCPP_MUST, .sub = firmware},
    {0}};
FIELDS(trigger) = {
    {"requestedMessage", OCPP_WORD, OCPP_MUST, .words = "|BootNotification|"
        "DiagnosticsStatusNotification|FirmwareStatusNotification|Heartbeat|MeterValues|"
        "StatusNotification|"},
    {"connectorId", OCPP_INT, .lo = 1},
    {0}};
FIELDS(unlock) = {{"connectorId", OCPP_INT, OCPP_MUST, .lo = 1}, {0}};
FIELDS(update) = {
    {"location", OCPP_URI, OCPP_MUST},
    {"retries", OCPP_INT},
    {"retrieveDate", OCPP_TIME, OCPP_MUST},
    {"retryInterval", OCPP_INT},
    {0}};

/* ---- answers of chargers that are more than a word */
FIELDS(composite) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"},
    {"connectorId", OCPP_INT},
    {"scheduleStart", OCPP_TIME},
    {"chargingSchedule", OCPP_OBJECT, .sub = schedule},
    {0}};
FIELDS(key) = {
    {"key", OCPP_TEXT, OCPP_MUST, 50},
    {"readonly", OCPP_BOOL, OCPP_MUST},
    {"value", OCPP_TEXT, .most = 500},
    {0}};
FIELDS(keys) = {
    {"configurationKey", OCPP_OBJECTS, .sub = key},
    {"unknownKey", OCPP_TEXTS, .most = 50},
    {0}};
FIELDS(diagnostics) = {{"fileName", OCPP_TEXT, .most = 255}, {0}};
FIELDS(certificate_ids) = {
    {"certificateHashData", OCPP_OBJECTS, .lo = 1, .sub = certificate_hash},
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|NotFound|"},
    {0}};
FIELDS(list_version) = {{"listVersion", OCPP_INT, OCPP_MUST, .lo = -1}, {0}};
FIELDS(log_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|AcceptedCanceled|"},
    {"filename", OCPP_TEXT, .most = 255},
    {0}};

/* ---- what chargers ask, and our answers */
FIELDS(authorize) = {{"idTag", OCPP_TEXT, OCPP_VITAL, 20}, {0}};
FIELDS(authorized) = {{"idTagInfo", OCPP_OBJECT, OCPP_MUST, .sub = tag_info}, {0}};
FIELDS(boot) = {
    {"chargePointVendor", OCPP_TEXT, OCPP_MUST, 20},
    {"chargePointModel", OCPP_TEXT, OCPP_MUST, 20},
    {"chargePointSerialNumber", OCPP_TEXT, .most = 25},
    {"chargeBoxSerialNumber", OCPP_TEXT, .most = 25},
    {"firmwareVersion", OCPP_TEXT, .most = 50},
    {"iccid", OCPP_TEXT, .most = 20},
    {"imsi", OCPP_TEXT, .most = 20},
    {"meterType", OCPP_TEXT, .most = 25},
    {"meterSerialNumber", OCPP_TEXT, .most = 25},
    {0}};
FIELDS(booted) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Pending|Rejected|"},
    {"currentTime", OCPP_TIME, OCPP_MUST},
    {"interval", OCPP_INT, OCPP_MUST},
    {0}};
FIELDS(data) = {
    {"vendorId", OCPP_TEXT, OCPP_MUST, 255},
    {"messageId", OCPP_TEXT, .most = 50},
    {"data", OCPP_TEXT},
    {0}};
FIELDS(data_status) = {
    {"status", OCPP_WORD, OCPP_MUST,
     .words = "|Accepted|Rejected|UnknownMessageId|UnknownVendorId|"},
    {"data", OCPP_TEXT},
    {0}};
FIELDS(diagnostics_status) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|Idle|Uploaded|UploadFailed|Uploading|"},
    {0}};
FIELDS(firmware_status) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|Downloaded|DownloadFailed|Downloading|Idle|"
        "InstallationFailed|Installing|Installed|"},
    {0}};
FIELDS(now) = {{"currentTime", OCPP_TIME, OCPP_MUST}, {0}};
FIELDS(log_status) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|BadMessage|Idle|NotSupportedOperation|"
        "PermissionDenied|Uploaded|UploadFailure|Uploading|"},
    {"requestId", OCPP_INT, .lo = INT32_MIN},
    {0}};
FIELDS(meter_values) = {
    {"connectorId", OCPP_INT, OCPP_VITAL},
    {"transactionId", OCPP_INT, .lo = INT32_MIN},
    {"meterValue", OCPP_OBJECTS, OCPP_MUST, .sub = meter_value},
    {0}};
FIELDS(security_event) = {
    {"type", OCPP_TEXT, OCPP_VITAL, 50},
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {"techInfo", OCPP_TEXT, .most = 255},
    {0}};
FIELDS(sign) = {{"csr", OCPP_TEXT, OCPP_VITAL, 5500}, {0}};
FIELDS(signed_firmware_status) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|Downloaded|DownloadFailed|Downloading|"
        "DownloadScheduled|DownloadPaused|Idle|InstallationFailed|Installing|Installed|"
        "InstallRebooting|InstallScheduled|InstallVerificationFailed|InvalidSignature|"
        "SignatureVerified|"},
    {"requestId", OCPP_INT, .lo = INT32_MIN},
    {0}};
FIELDS(start) = {
    {"connectorId", OCPP_INT, OCPP_VITAL, .lo = 1},
    {"idTag", OCPP_TEXT, OCPP_MUST, 20},
    {"meterStart", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"reservationId", OCPP_INT, .lo = INT32_MIN},
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {0}};
FIELDS(started) = {
    {"transactionId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"idTagInfo", OCPP_OBJECT, OCPP_MUST, .sub = tag_info},
    {0}};
FIELDS(status) = {
    {"connectorId", OCPP_INT, OCPP_VITAL},
    {"errorCode", OCPP_WORD, OCPP_MUST, .words = "|ConnectorLockFailure|EVCommunicationError|"
        "GroundFailure|HighTemperature|InternalError|LocalListConflict|NoError|OtherError|"
        "OverCurrentFailure|PowerMeterFailure|PowerSwitchFailure|ReaderFailure|"
        "ResetFailure|UnderVoltage|OverVoltage|WeakSignal|"},
    {"info", OCPP_TEXT, .most = 50},
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|Available|Preparing|Charging|"
        "SuspendedEVSE|SuspendedEV|Finishing|Reserved|Unavailable|Faulted|"},
    {"timestamp", OCPP_TIME},
    {"vendorId", OCPP_TEXT, .most = 255},
    {"vendorErrorCode", OCPP_TEXT, .most = 50},
    {0}};
FIELDS(stop) = {
    {"idTag", OCPP_TEXT, .most = 20},
    {"meterStop", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {"transactionId", OCPP_INT, OCPP_VITAL, .lo = INT32_MIN},
    {"reason", OCPP_WORD, .words = "|EmergencyStop|EVDisconnected|HardReset|Local|Other|"
        "PowerLoss|Reboot|Remote|SoftReset|UnlockCommand|DeAuthorized|"},
    {"transactionData", OCPP_OBJECTS, .sub = meter_value},
    {0}};
FIELDS(stopped) = {{"idTagInfo", OCPP_OBJECT, .sub = tag_info}, {0}};

static const struct ocpp_message ours[] = {
    {"CancelReservation", cancel_reservation, accepted_rejected},
    {"CertificateSigned", certificate_signed, accepted_rejected},
    {"ChangeAvailability", change_availability, availability},
    {"ChangeConfiguration", change_configuration, configuration},
    {"ClearCache", nothing, accepted_rejected},
    {"ClearChargingProfile", clear_profile, cleared},
    {"DataTransfer", data, data_status},
    {"DeleteCertificate", delete_certificate, deleted},
    {"ExtendedTriggerMessage", extended_trigger, triggered},
    {"GetCompositeSchedule", get_composite, composite},
    {"GetConfiguration", get_configuration, keys},
    {"GetDiagnostics", get_diagnostics, diagnostics},
    {"GetInstalledCertificateIds", certificate_type, certificate_ids},
    {"GetLocalListVersion", nothing, list_version},
    {"GetLog", get_log, log_answer},
    {"InstallCertificate", install_certificate, installed},
    {"RemoteStartTransaction", remote_start, accepted_rejected},
    {"RemoteStopTransaction", remote_stop, accepted_rejected},
    {"ReserveNow", reserve_now, reserved},
    {"Reset", reset, accepted_rejected},
    {"SendLocalList", send_list, list_status},
    {"SetChargingProfile", set_profile, profile_status},
    {"SignedUpdateFirmware", signed_update, signed_update_status},
    {"TriggerMessage", trigger, triggered},
    {"UnlockConnector", unlock, unlocked},
    {"UpdateFirmware", update, nothing},
};

static const struct ocpp_message theirs[] = {
    {"Authorize", authorize, authorized, OCPP_SAYS_AUTHORIZE},
    {"BootNotification", boot, booted, OCPP_SAYS_BOOT},
    {"DataTransfer", data, data_status, OCPP_SAYS_DATA},
    {"DiagnosticsStatusNotification", diagnostics_status, nothing, OCPP_SAYS_FILE},
    {"FirmwareStatusNotification", firmware_status, nothing, OCPP_SAYS_FILE},
    {"Heartbeat", nothing, now, OCPP_SAYS_HEARTBEAT},
    {"LogStatusNotification", log_status, nothing, OCPP_SAYS_FILE},
    {"MeterValues", meter_values, nothing, OCPP_SAYS_METER},
    {"SecurityEventNotification", security_event, nothing, OCPP_SAYS_SECURITY},
    {"SignCertificate", sign, accepted_rejected, OCPP_SAYS_SIGN},
    {"SignedFirmwareStatusNotification", signed_firmware_status, nothing, OCPP_SAYS_FILE},
    {"StartTransaction", start, started, OCPP_SAYS_START},
    {"StatusNotification", status, nothing, OCPP_SAYS_STATUS},
    {"StopTransaction", stop, stopped, OCPP_SAYS_STOP},
};
/* clang-format on */

const struct ocpp_schema ocpp16_schema = {
    .version = OCPP16_VERSION,
    .tag_most = 20,
    .subprotocol = "ocpp1.6",
    .ours = &(const struct ocpp_table){ours, sizeof ours / sizeof *ours},
    .theirs = &(const struct ocpp_table){theirs, sizeof theirs / sizeof *theirs},
    .formation = "FormationViolation",
    .missing = "OccurenceConstraintViolation", /* sic */
    .type = "TypeConstraintViolation",
    .value = "PropertyConstraintViolation",
    .unreadable = "FormationViolation",
    .list_version = "listVersion",
    .tx_sample = "MeterValues",
    .soft_reset = "{\"type\":\"Soft\"}",
    .guard = ocpp16_guard,
    .read_boot = ocpp16_read_boot,
    .read_tag = ocpp16_read_tag,
    .read_status = ocpp16_read_status,
    .read_start = ocpp16_read_start,
    .read_stop = ocpp16_read_stop,
    .read_meter = ocpp16_read_meter,
    .conf_authorize = ocpp16_conf_authorize,
    .conf_start = ocpp16_conf_start,
    .write_profile = ocpp16_write_profile,
    .write_clear = ocpp16_write_clear,
    .write_clear_id = ocpp16_write_clear_id,
    .write_trigger = ocpp16_write_trigger,
    .write_stop = ocpp16_write_stop,
    .ask_config = ocpp16_ask_config,
    .read_config = ocpp16_read_config,
    .ask_list = ocpp16_ask_list,
    .read_list = ocpp16_read_list,
    .write_setting = ocpp16_write_setting,
    .setting_taken = ocpp16_setting_taken,
    .send_list = ocpp16_send_list,
    .read_reservation = ocpp16_read_reservation,
    .file_request = ocpp16_file_request,
};
