/* SPDX-License-Identifier: Apache-2.0 */
/* What stations ask in OCPP 2.0.1, and what they are answered. */
#include "proto/ocpp201_types.h"

/* clang-format off */
#define FIELDS(name) static const struct ocpp_field name[]

FIELDS(certificate_status_data) = {
    {"hashAlgorithm", OCPP_WORD, OCPP_MUST, .words = "|SHA256|SHA384|SHA512|"},
    {"issuerNameHash", OCPP_TEXT, OCPP_MUST, .most = 128},
    {"issuerKeyHash", OCPP_TEXT, OCPP_MUST, .most = 128},
    {"serialNumber", OCPP_TEXT, OCPP_MUST, .most = 40},
    {"responderURL", OCPP_TEXT, OCPP_MUST, .most = 512}, {0}};
FIELDS(authorize) = {
    {"idToken", OCPP_OBJECT, OCPP_VITAL, .sub = ocpp201_id_token},
    {"certificate", OCPP_TEXT, .most = 5500},
    {"iso15118CertificateHashData", OCPP_OBJECTS, .lo = 1, .hi = 4, .sub = certificate_status_data},
    {0}};
FIELDS(authorize_answer) = {
    {"idTokenInfo", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_id_token_info},
    {"certificateStatus", OCPP_WORD, .words = "|Accepted|SignatureError|"
        "CertificateExpired|CertificateRevoked|NoCertificateAvailable|CertChainError|"
        "ContractCancelled|"},
    {0}};
FIELDS(modem) = {{"iccid", OCPP_TEXT, .most = 20}, {"imsi", OCPP_TEXT, .most = 20}, {0}};
FIELDS(charging_station) = {
    {"serialNumber", OCPP_TEXT, .most = 25}, {"model", OCPP_TEXT, OCPP_MUST, .most = 20},
    {"modem", OCPP_OBJECT, .sub = modem}, {"vendorName", OCPP_TEXT, OCPP_MUST, .most = 50},
    {"firmwareVersion", OCPP_TEXT, .most = 50}, {0}};
FIELDS(boot_notification) = {
    {"chargingStation", OCPP_OBJECT, OCPP_MUST, .sub = charging_station},
    {"reason", OCPP_WORD, OCPP_MUST, .words = "|ApplicationReset|FirmwareUpdate|"
        "LocalReset|PowerUp|RemoteReset|ScheduledReset|Triggered|Unknown|Watchdog|"},
    {0}};
FIELDS(boot_notification_answer) = {
    {"currentTime", OCPP_TIME, OCPP_MUST}, {"interval", OCPP_INT, OCPP_MUST},
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Pending|Rejected|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(cleared_charging_limit) = {
    {"chargingLimitSource", OCPP_WORD, OCPP_MUST, .words = "|EMS|Other|SO|CSO|"},
    {"evseId", OCPP_INT}, {0}};
FIELDS(firmware_status_notification) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|Downloaded|DownloadFailed|Downloading|"
        "DownloadScheduled|DownloadPaused|Idle|InstallationFailed|Installing|Installed|"
        "InstallRebooting|InstallScheduled|InstallVerificationFailed|InvalidSignature|"
        "SignatureVerified|"},
    {"requestId", OCPP_INT, .lo = INT32_MIN}, {0}};
FIELDS(ev_certificate) = {
    {"iso15118SchemaVersion", OCPP_TEXT, OCPP_MUST, .most = 50},
    {"action", OCPP_WORD, OCPP_MUST, .words = "|Install|Update|"},
    {"exiRequest", OCPP_TEXT, OCPP_MUST, .most = 5600}, {0}};
FIELDS(ev_certificate_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Failed|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"exiResponse", OCPP_TEXT, OCPP_MUST, .most = 5600}, {0}};
FIELDS(get_certificate_status) = {
    {"ocspRequestData", OCPP_OBJECT, OCPP_MUST, .sub = certificate_status_data}, {0}};
FIELDS(get_certificate_status_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Failed|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"ocspResult", OCPP_TEXT, .most = 5500}, {0}};
FIELDS(heartbeat_answer) = {{"currentTime", OCPP_TIME, OCPP_MUST}, {0}};
FIELDS(log_status_notification) = {
    {"status", OCPP_WORD, OCPP_VITAL, .words = "|BadMessage|Idle|NotSupportedOperation|"
        "PermissionDenied|Uploaded|UploadFailure|Uploading|AcceptedCanceled|"},
    {"requestId", OCPP_INT, .lo = INT32_MIN}, {0}};
FIELDS(signed_meter_value) = {
    {"signedMeterData", OCPP_TEXT, OCPP_MUST, .most = 2500},
    {"signingMethod", OCPP_TEXT, OCPP_MUST, .most = 50},
    {"encodingMethod", OCPP_TEXT, OCPP_MUST, .most = 50},
    {"publicKey", OCPP_TEXT, OCPP_MUST, .most = 2500}, {0}};
FIELDS(unit_of_measure) = {
    {"unit", OCPP_TEXT, .most = 20}, {"multiplier", OCPP_INT, .lo = INT32_MIN}, {0}};
FIELDS(sampled_value) = {
    {"value", OCPP_NUMBER, OCPP_MUST},
    {"context", OCPP_WORD, .words = "|Interruption.Begin|Interruption.End|Other|"
        "Sample.Clock|Sample.Periodic|Transaction.Begin|Transaction.End|Trigger|"},
    {"measurand", OCPP_WORD, .words = "|Current.Export|Current.Import|Current.Offered|"
        "Energy.Active.Export.Register|Energy.Active.Import.Register|"
        "Energy.Reactive.Export.Register|Energy.Reactive.Import.Register|"
        "Energy.Active.Export.Interval|Energy.Active.Import.Interval|Energy.Active.Net|"
        "Energy.Reactive.Export.Interval|Energy.Reactive.Import.Interval|"
        "Energy.Reactive.Net|Energy.Apparent.Net|Energy.Apparent.Import|"
        "Energy.Apparent.Export|Frequency|Power.Active.Export|Power.Active.Import|"
        "Power.Factor|Power.Offered|Power.Reactive.Export|Power.Reactive.Import|SoC|"
        "Voltage|"},
    {"phase", OCPP_WORD, .words = "|L1|L2|L3|N|L1-N|L2-N|L3-N|L1-L2|L2-L3|L3-L1|"},
    {"location", OCPP_WORD, .words = "|Body|Cable|EV|Inlet|Outlet|"},
    {"signedMeterValue", OCPP_OBJECT, .sub = signed_meter_value},
    {"unitOfMeasure", OCPP_OBJECT, .sub = unit_of_measure}, {0}};
FIELDS(meter_value) = {
    {"sampledValue", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = sampled_value},
    {"timestamp", OCPP_TIME, OCPP_MUST}, {0}};
FIELDS(meter_values) = {
    {"evseId", OCPP_INT, OCPP_VITAL},
    {"meterValue", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = meter_value}, {0}};
FIELDS(charging_limit) = {
    {"chargingLimitSource", OCPP_WORD, OCPP_MUST, .words = "|EMS|Other|SO|CSO|"},
    {"isGridCritical", OCPP_BOOL}, {0}};
FIELDS(notify_charging_limit) = {
    {"chargingSchedule", OCPP_OBJECTS, .lo = 1, .sub = ocpp201_schedule},
    {"evseId", OCPP_INT}, {"chargingLimit", OCPP_OBJECT, OCPP_MUST, .sub = charging_limit},
    {0}};
FIELDS(notify_customer_information) = {
    {"data", OCPP_TEXT, OCPP_MUST, .most = 512}, {"tbc", OCPP_BOOL},
    {"seqNo", OCPP_INT, OCPP_MUST}, {"generatedAt", OCPP_TIME, OCPP_MUST},
    {"requestId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {0}};
FIELDS(notify_display_messages) = {
    {"messageInfo", OCPP_OBJECTS, .lo = 1, .sub = ocpp201_message_info},
    {"requestId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"tbc", OCPP_BOOL}, {0}};
FIELDS(ac_charging_parameters) = {
    {"energyAmount", OCPP_INT, OCPP_MUST}, {"evMinCurrent", OCPP_INT, OCPP_MUST},
    {"evMaxCurrent", OCPP_INT, OCPP_MUST}, {"evMaxVoltage", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(dc_charging_parameters) = {
    {"evMaxCurrent", OCPP_INT, OCPP_MUST}, {"evMaxVoltage", OCPP_INT, OCPP_MUST},
    {"energyAmount", OCPP_INT}, {"evMaxPower", OCPP_INT, .lo = INT32_MIN},
    {"stateOfCharge", OCPP_INT, .hi = 100}, {"evEnergyCapacity", OCPP_INT, .lo = INT32_MIN},
    {"fullSoC", OCPP_INT, .hi = 100}, {"bulkSoC", OCPP_INT, .hi = 100}, {0}};
FIELDS(charging_needs) = {
    {"acChargingParameters", OCPP_OBJECT, .sub = ac_charging_parameters},
    {"dcChargingParameters", OCPP_OBJECT, .sub = dc_charging_parameters},
    {"requestedEnergyTransfer", OCPP_WORD, OCPP_MUST, .words = "|DC|AC_single_phase|"
        "AC_two_phase|AC_three_phase|"},
    {"departureTime", OCPP_TIME}, {0}};
FIELDS(notify_ev_charging_needs) = {
    {"maxScheduleTuples", OCPP_INT},
    {"chargingNeeds", OCPP_OBJECT, OCPP_MUST, .sub = charging_needs},
    {"evseId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(notify_ev_charging_needs_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|Processing|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(notify_ev_charging_schedule) = {
    {"timeBase", OCPP_TIME, OCPP_MUST},
    {"chargingSchedule", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_schedule},
    {"evseId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(event_data) = {
    {"eventId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"timestamp", OCPP_TIME, OCPP_MUST},
    {"trigger", OCPP_WORD, OCPP_MUST, .words = "|Alerting|Delta|Periodic|"},
    {"cause", OCPP_INT, .lo = INT32_MIN},
    {"actualValue", OCPP_TEXT, OCPP_MUST, .most = 2500},
    {"techCode", OCPP_TEXT, .most = 50}, {"techInfo", OCPP_TEXT, .most = 500},
    {"cleared", OCPP_BOOL}, {"transactionId", OCPP_TEXT, .most = 36},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variableMonitoringId", OCPP_INT, .lo = INT32_MIN},
    {"eventNotificationType", OCPP_WORD, OCPP_MUST, .words = "|HardWiredNotification|"
        "HardWiredMonitor|PreconfiguredMonitor|CustomMonitor|"},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(notify_event) = {
    {"generatedAt", OCPP_TIME, OCPP_MUST}, {"tbc", OCPP_BOOL},
    {"seqNo", OCPP_INT, OCPP_MUST},
    {"eventData", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = event_data}, {0}};
FIELDS(variable_monitoring) = {
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"transaction", OCPP_BOOL, OCPP_MUST},
    {"value", OCPP_NUMBER, OCPP_MUST},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|UpperThreshold|LowerThreshold|Delta|"
        "Periodic|PeriodicClockAligned|"},
    {"severity", OCPP_INT, OCPP_MUST, .hi = 9}, {0}};
FIELDS(monitor) = {
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable},
    {"variableMonitoring", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = variable_monitoring},
    {0}};
FIELDS(notify_monitoring_report) = {
    {"monitor", OCPP_OBJECTS, .lo = 1, .sub = monitor},
    {"requestId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"tbc", OCPP_BOOL},
    {"seqNo", OCPP_INT, OCPP_MUST}, {"generatedAt", OCPP_TIME, OCPP_MUST}, {0}};
FIELDS(variable_attribute) = {
    {"type", OCPP_WORD, .words = "|Actual|Target|MinSet|MaxSet|"},
    {"value", OCPP_TEXT, .most = 2500},
    {"mutability", OCPP_WORD, .words = "|ReadOnly|WriteOnly|ReadWrite|"},
    {"persistent", OCPP_BOOL}, {"constant", OCPP_BOOL}, {0}};
FIELDS(variable_characteristics) = {
    {"unit", OCPP_TEXT, .most = 16},
    {"dataType", OCPP_WORD, OCPP_MUST, .words = "|string|decimal|integer|dateTime|boolean|"
        "OptionList|SequenceList|MemberList|"},
    {"minLimit", OCPP_NUMBER}, {"maxLimit", OCPP_NUMBER},
    {"valuesList", OCPP_TEXT, .most = 1000}, {"supportsMonitoring", OCPP_BOOL, OCPP_MUST},
    {0}};
FIELDS(report_data) = {
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable},
    {"variableAttribute", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .hi = 4, .sub = variable_attribute},
    {"variableCharacteristics", OCPP_OBJECT, .sub = variable_characteristics}, {0}};
FIELDS(notify_report) = {
    {"requestId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"generatedAt", OCPP_TIME, OCPP_MUST},
    {"reportData", OCPP_OBJECTS, .lo = 1, .sub = report_data}, {"tbc", OCPP_BOOL},
    {"seqNo", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(publish_firmware_status_notification) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Idle|DownloadScheduled|Downloading|"
        "Downloaded|Published|DownloadFailed|DownloadPaused|InvalidChecksum|"
        "ChecksumVerified|PublishFailed|"},
    {"location", OCPP_URI, .lo = 1, .most = 512}, {"requestId", OCPP_INT, .lo = INT32_MIN},
    {0}};
FIELDS(report_charging_profiles) = {
    {"requestId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"chargingLimitSource", OCPP_WORD, OCPP_MUST, .words = "|EMS|Other|SO|CSO|"},
    {"chargingProfile", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = ocpp201_profile},
    {"tbc", OCPP_BOOL}, {"evseId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(reservation_status_update) = {
    {"reservationId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"reservationUpdateStatus", OCPP_WORD, OCPP_MUST, .words = "|Expired|Removed|"}, {0}};
FIELDS(security_event_notification) = {
    {"type", OCPP_TEXT, OCPP_VITAL, .most = 50}, {"timestamp", OCPP_TIME, OCPP_MUST},
    {"techInfo", OCPP_TEXT, .most = 255}, {0}};
FIELDS(sign_certificate) = {
    {"csr", OCPP_TEXT, OCPP_VITAL, .most = 5500},
    {"certificateType", OCPP_WORD, .words = "|ChargingStationCertificate|V2GCertificate|"},
    {0}};
FIELDS(status_notification) = {
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {"connectorStatus", OCPP_WORD, OCPP_VITAL, .words = "|Available|Occupied|Reserved|"
        "Unavailable|Faulted|"},
    {"evseId", OCPP_INT, OCPP_VITAL}, {"connectorId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(transaction_info) = {
    {"transactionId", OCPP_TEXT, OCPP_MUST, .most = 36},
    {"chargingState", OCPP_WORD, .words = "|Charging|EVConnected|SuspendedEV|"
        "SuspendedEVSE|Idle|"},
    {"timeSpentCharging", OCPP_INT},
    {"stoppedReason", OCPP_WORD, .words = "|DeAuthorized|EmergencyStop|EnergyLimitReached|"
        "EVDisconnected|GroundFault|ImmediateReset|Local|LocalOutOfCredit|MasterPass|"
        "Other|OvercurrentFault|PowerLoss|PowerQuality|Reboot|Remote|SOCLimitReached|"
        "StoppedByEV|TimeLimitReached|Timeout|"},
    {"remoteStartId", OCPP_INT, .lo = INT32_MIN}, {0}};
FIELDS(transaction_event) = {
    {"eventType", OCPP_WORD, OCPP_VITAL, .words = "|Ended|Started|Updated|"},
    {"meterValue", OCPP_OBJECTS, .lo = 1, .sub = meter_value},
    {"timestamp", OCPP_TIME, OCPP_MUST},
    {"triggerReason", OCPP_WORD, OCPP_MUST, .words = "|Authorized|CablePluggedIn|"
        "ChargingRateChanged|ChargingStateChanged|Deauthorized|EnergyLimitReached|"
        "EVCommunicationLost|EVConnectTimeout|MeterValueClock|MeterValuePeriodic|"
        "TimeLimitReached|Trigger|UnlockCommand|StopAuthorized|EVDeparted|EVDetected|"
        "RemoteStop|RemoteStart|AbnormalCondition|SignedDataReceived|ResetCommand|"},
    {"seqNo", OCPP_INT, OCPP_MUST}, {"offline", OCPP_BOOL},
    {"numberOfPhasesUsed", OCPP_INT, .hi = 3},
    {"cableMaxCurrent", OCPP_INT, .lo = INT32_MIN},
    {"reservationId", OCPP_INT, .lo = INT32_MIN},
    {"transactionInfo", OCPP_OBJECT, OCPP_VITAL, .sub = transaction_info},
    {"evse", OCPP_OBJECT, .sub = ocpp201_evse},
    {"idToken", OCPP_OBJECT, .sub = ocpp201_id_token}, {0}};
FIELDS(transaction_event_answer) = {
    {"totalCost", OCPP_NUMBER}, {"chargingPriority", OCPP_INT, .lo = -9, .hi = 9},
    {"idTokenInfo", OCPP_OBJECT, .sub = ocpp201_id_token_info},
    {"updatedPersonalMessage", OCPP_OBJECT, .sub = ocpp201_personal_message}, {0}};

static const struct ocpp_message messages[] = {
    {"Authorize", authorize, authorize_answer, OCPP_SAYS_AUTHORIZE},
    {"BootNotification", boot_notification, boot_notification_answer, OCPP_SAYS_BOOT},
    {"ClearedChargingLimit", cleared_charging_limit, ocpp201_nothing,
     OCPP_SAYS_UNLIMITED},
    {"DataTransfer", ocpp201_data_transfer, ocpp201_data_answer, OCPP_SAYS_DATA},
    {"FirmwareStatusNotification", firmware_status_notification, ocpp201_nothing,
     OCPP_SAYS_FILE},
    {"Get15118EVCertificate", ev_certificate, ev_certificate_answer,
     .reply = "{\"status\":\"Failed\",\"exiResponse\":\"\"}"},
    {"GetCertificateStatus", get_certificate_status, get_certificate_status_answer,
     .reply = "{\"status\":\"Failed\"}"},
    {"Heartbeat", ocpp201_nothing, heartbeat_answer, OCPP_SAYS_HEARTBEAT},
    {"LogStatusNotification", log_status_notification, ocpp201_nothing, OCPP_SAYS_FILE},
    {"MeterValues", meter_values, ocpp201_nothing, OCPP_SAYS_METER},
    {"NotifyChargingLimit", notify_charging_limit, ocpp201_nothing, OCPP_SAYS_LIMITED},
    {"NotifyCustomerInformation", notify_customer_information, ocpp201_nothing,
     .reply = "{}"},
    {"NotifyDisplayMessages", notify_display_messages, ocpp201_nothing, .reply = "{}"},
    {"NotifyEVChargingNeeds", notify_ev_charging_needs, notify_ev_charging_needs_answer,
     OCPP_SAYS_NEEDS},
    {"NotifyEVChargingSchedule", notify_ev_charging_schedule, ocpp201_accepted_rejected,
     .reply = "{\"status\":\"Accepted\"}"},
    {"NotifyEvent", notify_event, ocpp201_nothing, OCPP_SAYS_HAPPENED},
    {"NotifyMonitoringReport", notify_monitoring_report, ocpp201_nothing, .reply = "{}"},
    {"NotifyReport", notify_report, ocpp201_nothing, OCPP_SAYS_REPORT},
    {"PublishFirmwareStatusNotification", publish_firmware_status_notification, ocpp201_nothing,
     .reply = "{}"},
    {"ReportChargingProfiles", report_charging_profiles, ocpp201_nothing,
     OCPP_SAYS_REPORTED},
    {"ReservationStatusUpdate", reservation_status_update, ocpp201_nothing,
     OCPP_SAYS_UNRESERVED},
    {"SecurityEventNotification", security_event_notification, ocpp201_nothing,
     OCPP_SAYS_SECURITY},
    {"SignCertificate", sign_certificate, ocpp201_accepted_rejected,
     OCPP_SAYS_SIGN},
    {"StatusNotification", status_notification, ocpp201_nothing, OCPP_SAYS_STATUS},
    {"TransactionEvent", transaction_event, transaction_event_answer, OCPP_SAYS_EVENT},
};
/* clang-format on */

const struct ocpp_table ocpp201_theirs = {messages, sizeof messages / sizeof *messages};
