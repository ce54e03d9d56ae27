/* SPDX-License-Identifier: Apache-2.0 */
/* What stations are asked in OCPP 2.0.1, and what they answer. */
#include "proto/ocpp201_types.h"

/* clang-format off */
#define FIELDS(name) static const struct ocpp_field name[]

FIELDS(cancel_reservation) = {{"reservationId", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {0}};
FIELDS(certificate_signed) = {
    {"certificateChain", OCPP_TEXT, OCPP_MUST, .most = 10000},
    {"certificateType", OCPP_WORD, .words = "|ChargingStationCertificate|V2GCertificate|"},
    {0}};
FIELDS(change_availability) = {
    {"evse", OCPP_OBJECT, .sub = ocpp201_evse},
    {"operationalStatus", OCPP_WORD, OCPP_MUST, .words = "|Inoperative|Operative|"}, {0}};
FIELDS(change_availability_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|Scheduled|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(charging_profile_criteria) = {
    {"evseId", OCPP_INT},
    {"chargingProfilePurpose", OCPP_WORD, .words = "|ChargingStationExternalConstraints|"
        "ChargingStationMaxProfile|TxDefaultProfile|TxProfile|"},
    {"stackLevel", OCPP_INT}, {0}};
FIELDS(clear_charging_profile) = {
    {"chargingProfileId", OCPP_INT, .lo = INT32_MIN},
    {"chargingProfileCriteria", OCPP_OBJECT, .sub = charging_profile_criteria}, {0}};
FIELDS(clear_charging_profile_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Unknown|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(clear_display_message) = {{"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {0}};
FIELDS(clear_variable_monitoring) = {{"id", OCPP_INTS, OCPP_MUST, .lo = 1}, {0}};
FIELDS(clear_monitoring_result) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|NotFound|"},
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(clear_variable_monitoring_answer) = {
    {"clearMonitoringResult", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = clear_monitoring_result},
    {0}};
FIELDS(cost_updated) = {
    {"totalCost", OCPP_NUMBER, OCPP_MUST},
    {"transactionId", OCPP_TEXT, OCPP_MUST, .most = 36}, {0}};
FIELDS(certificate_hash) = {
    {"hashAlgorithm", OCPP_WORD, OCPP_MUST, .words = "|SHA256|SHA384|SHA512|"},
    {"issuerNameHash", OCPP_TEXT, OCPP_MUST, .most = 128},
    {"issuerKeyHash", OCPP_TEXT, OCPP_MUST, .most = 128},
    {"serialNumber", OCPP_TEXT, OCPP_MUST, .most = 40}, {0}};
FIELDS(customer_information) = {
    {"customerCertificate", OCPP_OBJECT, .sub = certificate_hash},
    {"idToken", OCPP_OBJECT, .sub = ocpp201_id_token},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN}, {"report", OCPP_BOOL, OCPP_MUST},
    {"clear", OCPP_BOOL, OCPP_MUST}, {"customerIdentifier", OCPP_TEXT, .most = 64}, {0}};
FIELDS(customer_information_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|Invalid|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(delete_certificate) = {
    {"certificateHashData", OCPP_OBJECT, OCPP_MUST, .sub = certificate_hash}, {0}};
FIELDS(delete_certificate_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Failed|NotFound|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(get_base_report) = {
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"reportBase", OCPP_WORD, OCPP_MUST, .words = "|ConfigurationInventory|FullInventory|"
        "SummaryInventory|"},
    {0}};
FIELDS(get_base_report_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|NotSupported|"
        "EmptyResultSet|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(profile_criterion) = {
    {"chargingProfilePurpose", OCPP_WORD, .words = "|ChargingStationExternalConstraints|"
        "ChargingStationMaxProfile|TxDefaultProfile|TxProfile|"},
    {"stackLevel", OCPP_INT}, {"chargingProfileId", OCPP_INTS, .lo = 1},
    {"chargingLimitSource", OCPP_WORDS, .lo = 1, .hi = 4, .words = "|EMS|Other|SO|CSO|"},
    {0}};
FIELDS(get_charging_profiles) = {
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN}, {"evseId", OCPP_INT},
    {"chargingProfile", OCPP_OBJECT, OCPP_MUST, .sub = profile_criterion}, {0}};
FIELDS(get_charging_profiles_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|NoProfiles|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(get_composite_schedule) = {
    {"duration", OCPP_INT, OCPP_MUST}, {"chargingRateUnit", OCPP_WORD, .words = "|W|A|"},
    {"evseId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(composite) = {
    {"chargingSchedulePeriod", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = ocpp201_period},
    {"evseId", OCPP_INT, OCPP_MUST}, {"duration", OCPP_INT, OCPP_MUST},
    {"scheduleStart", OCPP_TIME, OCPP_MUST},
    {"chargingRateUnit", OCPP_WORD, OCPP_MUST, .words = "|W|A|"}, {0}};
FIELDS(get_composite_schedule_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"schedule", OCPP_OBJECT, .sub = composite}, {0}};
FIELDS(get_display_messages) = {
    {"id", OCPP_INTS, .lo = 1}, {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"priority", OCPP_WORD, .words = "|AlwaysFront|InFront|NormalCycle|"},
    {"state", OCPP_WORD, .words = "|Charging|Faulted|Idle|Unavailable|"}, {0}};
FIELDS(get_installed_certificate_ids) = {
    {"certificateType", OCPP_WORDS, .lo = 1, .words = "|V2GRootCertificate|"
        "MORootCertificate|CSMSRootCertificate|V2GCertificateChain|"
        "ManufacturerRootCertificate|"},
    {0}};
FIELDS(certificate_hash_data_chain) = {
    {"certificateHashData", OCPP_OBJECT, OCPP_MUST, .sub = certificate_hash},
    {"certificateType", OCPP_WORD, OCPP_MUST, .words = "|V2GRootCertificate|"
        "MORootCertificate|CSMSRootCertificate|V2GCertificateChain|"
        "ManufacturerRootCertificate|"},
    {"childCertificateHashData", OCPP_OBJECTS, .lo = 1, .hi = 4, .sub = certificate_hash},
    {0}};
FIELDS(get_installed_certificate_ids_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|NotFound|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"certificateHashDataChain", OCPP_OBJECTS, .lo = 1, .sub = certificate_hash_data_chain},
    {0}};
FIELDS(get_local_list_version_answer) = {{"versionNumber", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(log_place) = {
    {"remoteLocation", OCPP_URI, OCPP_MUST, .most = 512}, {"oldestTimestamp", OCPP_TIME},
    {"latestTimestamp", OCPP_TIME}, {0}};
FIELDS(get_log) = {
    {"log", OCPP_OBJECT, OCPP_MUST, .sub = log_place},
    {"logType", OCPP_WORD, OCPP_MUST, .words = "|DiagnosticsLog|SecurityLog|"},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN}, {"retries", OCPP_INT},
    {"retryInterval", OCPP_INT}, {0}};
FIELDS(get_log_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|AcceptedCanceled|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"filename", OCPP_TEXT, .most = 255}, {0}};
FIELDS(component_variable) = {
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, .sub = ocpp201_variable}, {0}};
FIELDS(get_monitoring_report) = {
    {"componentVariable", OCPP_OBJECTS, .lo = 1, .sub = component_variable},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"monitoringCriteria", OCPP_WORDS, .lo = 1, .hi = 3, .words = "|ThresholdMonitoring|"
        "DeltaMonitoring|PeriodicMonitoring|"},
    {0}};
FIELDS(get_report) = {
    {"componentVariable", OCPP_OBJECTS, .lo = 1, .sub = component_variable},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"componentCriteria", OCPP_WORDS, .lo = 1, .hi = 4, .words = "|Active|Available|"
        "Enabled|Problem|"},
    {0}};
FIELDS(get_transaction_status) = {{"transactionId", OCPP_TEXT, .most = 36}, {0}};
FIELDS(get_transaction_status_answer) = {
    {"ongoingIndicator", OCPP_BOOL}, {"messagesInQueue", OCPP_BOOL, OCPP_MUST}, {0}};
FIELDS(get_variable_data) = {
    {"attributeType", OCPP_WORD, .words = "|Actual|Target|MinSet|MaxSet|"},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(get_variables) = {
    {"getVariableData", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = get_variable_data}, {0}};
FIELDS(get_variable_result) = {
    {"attributeStatusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"attributeStatus", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"
        "UnknownComponent|UnknownVariable|NotSupportedAttributeType|"},
    {"attributeType", OCPP_WORD, .words = "|Actual|Target|MinSet|MaxSet|"},
    {"attributeValue", OCPP_TEXT, .most = 2500},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(get_variables_answer) = {
    {"getVariableResult", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = get_variable_result},
    {0}};
FIELDS(install_certificate) = {
    {"certificateType", OCPP_WORD, OCPP_MUST, .words = "|V2GRootCertificate|"
        "MORootCertificate|CSMSRootCertificate|ManufacturerRootCertificate|"},
    {"certificate", OCPP_TEXT, OCPP_MUST, .most = 5500}, {0}};
FIELDS(install_certificate_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|Failed|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(publish_firmware) = {
    {"location", OCPP_URI, OCPP_MUST, .most = 512}, {"retries", OCPP_INT},
    {"checksum", OCPP_TEXT, OCPP_MUST, .most = 32},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN}, {"retryInterval", OCPP_INT}, {0}};
FIELDS(request_start_transaction) = {
    {"evseId", OCPP_INT}, {"groupIdToken", OCPP_OBJECT, .sub = ocpp201_id_token},
    {"idToken", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_id_token},
    {"remoteStartId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"chargingProfile", OCPP_OBJECT, .sub = ocpp201_profile}, {0}};
FIELDS(request_start_transaction_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"transactionId", OCPP_TEXT, .most = 36}, {0}};
FIELDS(request_stop_transaction) = {
    {"transactionId", OCPP_TEXT, OCPP_MUST, .most = 36}, {0}};
FIELDS(reserve_now) = {
    {"id", OCPP_INT, OCPP_MUST, .lo = INT32_MIN}, {"expiryDateTime", OCPP_TIME, OCPP_MUST},
    {"connectorType", OCPP_WORD, .words = "|cCCS1|cCCS2|cG105|cTesla|cType1|cType2|"
        "s309-1P-16A|s309-1P-32A|s309-3P-16A|s309-3P-32A|sBS1361|sCEE-7-7|sType2|sType3|"
        "Other1PhMax16A|Other1PhOver16A|Other3Ph|Pan|wInductive|wResonant|Undetermined|"
        "Unknown|"},
    {"idToken", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_id_token}, {"evseId", OCPP_INT},
    {"groupIdToken", OCPP_OBJECT, .sub = ocpp201_id_token}, {0}};
FIELDS(reserve_now_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Faulted|Occupied|Rejected|"
        "Unavailable|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(reset) = {
    {"type", OCPP_WORD, OCPP_MUST, .words = "|Immediate|OnIdle|"}, {"evseId", OCPP_INT},
    {0}};
FIELDS(local_authorization_list) = {
    {"idToken", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_id_token},
    {"idTokenInfo", OCPP_OBJECT, .sub = ocpp201_id_token_info}, {0}};
FIELDS(send_local_list) = {
    {"localAuthorizationList", OCPP_OBJECTS, .lo = 1, .sub = local_authorization_list},
    {"versionNumber", OCPP_INT, OCPP_MUST},
    {"updateType", OCPP_WORD, OCPP_MUST, .words = "|Differential|Full|"}, {0}};
FIELDS(send_local_list_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Failed|VersionMismatch|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(set_charging_profile) = {
    {"evseId", OCPP_INT, OCPP_MUST},
    {"chargingProfile", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_profile}, {0}};
FIELDS(set_display_message) = {
    {"message", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_message_info}, {0}};
FIELDS(set_display_message_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|NotSupportedMessageFormat|"
        "Rejected|NotSupportedPriority|NotSupportedState|UnknownTransaction|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(set_monitoring_base) = {
    {"monitoringBase", OCPP_WORD, OCPP_MUST, .words = "|All|FactoryDefault|HardWiredOnly|"},
    {0}};
FIELDS(set_monitoring_level) = {{"severity", OCPP_INT, OCPP_MUST, .hi = 9}, {0}};
FIELDS(apn) = {
    {"apn", OCPP_TEXT, OCPP_MUST, .most = 512}, {"apnUserName", OCPP_TEXT, .most = 20},
    {"apnPassword", OCPP_TEXT, .most = 20}, {"simPin", OCPP_INT, .lo = INT32_MIN},
    {"preferredNetwork", OCPP_TEXT, .most = 6}, {"useOnlyPreferredNetwork", OCPP_BOOL},
    {"apnAuthentication", OCPP_WORD, OCPP_MUST, .words = "|CHAP|NONE|PAP|AUTO|"}, {0}};
FIELDS(vpn) = {
    {"server", OCPP_TEXT, OCPP_MUST, .most = 512},
    {"user", OCPP_TEXT, OCPP_MUST, .most = 20}, {"group", OCPP_TEXT, .most = 20},
    {"password", OCPP_TEXT, OCPP_MUST, .most = 20},
    {"key", OCPP_TEXT, OCPP_MUST, .most = 255},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|IKEv2|IPSec|L2TP|PPTP|"}, {0}};
FIELDS(connection_data) = {
    {"apn", OCPP_OBJECT, .sub = apn},
    {"ocppVersion", OCPP_WORD, OCPP_MUST, .words = "|OCPP12|OCPP15|OCPP16|OCPP20|"},
    {"ocppTransport", OCPP_WORD, OCPP_MUST, .words = "|JSON|SOAP|"},
    {"ocppCsmsUrl", OCPP_TEXT, OCPP_MUST, .most = 512},
    {"messageTimeout", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"securityProfile", OCPP_INT, OCPP_MUST, .hi = 3},
    {"ocppInterface", OCPP_WORD, OCPP_MUST, .words = "|Wired0|Wired1|Wired2|Wired3|"
        "Wireless0|Wireless1|Wireless2|Wireless3|"},
    {"vpn", OCPP_OBJECT, .sub = vpn}, {0}};
FIELDS(set_network_profile) = {
    {"configurationSlot", OCPP_INT, OCPP_MUST, .lo = INT32_MIN},
    {"connectionData", OCPP_OBJECT, OCPP_MUST, .sub = connection_data}, {0}};
FIELDS(set_monitoring_data) = {
    {"id", OCPP_INT, .lo = INT32_MIN}, {"transaction", OCPP_BOOL},
    {"value", OCPP_NUMBER, OCPP_MUST},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|UpperThreshold|LowerThreshold|Delta|"
        "Periodic|PeriodicClockAligned|"},
    {"severity", OCPP_INT, OCPP_MUST, .hi = 9},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(set_variable_monitoring) = {
    {"setMonitoringData", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = set_monitoring_data},
    {0}};
FIELDS(set_monitoring_result) = {
    {"id", OCPP_INT, .lo = INT32_MIN},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|UnknownComponent|UnknownVariable|"
        "UnsupportedMonitorType|Rejected|Duplicate|"},
    {"type", OCPP_WORD, OCPP_MUST, .words = "|UpperThreshold|LowerThreshold|Delta|"
        "Periodic|PeriodicClockAligned|"},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable},
    {"severity", OCPP_INT, OCPP_MUST, .hi = 9}, {0}};
FIELDS(set_variable_monitoring_answer) = {
    {"setMonitoringResult", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = set_monitoring_result},
    {0}};
FIELDS(set_variable_data) = {
    {"attributeType", OCPP_WORD, .words = "|Actual|Target|MinSet|MaxSet|"},
    {"attributeValue", OCPP_TEXT, OCPP_MUST, .most = 1000},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(set_variables) = {
    {"setVariableData", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = set_variable_data}, {0}};
FIELDS(set_variable_result) = {
    {"attributeType", OCPP_WORD, .words = "|Actual|Target|MinSet|MaxSet|"},
    {"attributeStatus", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|"
        "UnknownComponent|UnknownVariable|NotSupportedAttributeType|RebootRequired|"},
    {"attributeStatusInfo", OCPP_OBJECT, .sub = ocpp201_status_info},
    {"component", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_component},
    {"variable", OCPP_OBJECT, OCPP_MUST, .sub = ocpp201_variable}, {0}};
FIELDS(set_variables_answer) = {
    {"setVariableResult", OCPP_OBJECTS, OCPP_MUST, .lo = 1, .sub = set_variable_result},
    {0}};
FIELDS(trigger_message) = {
    {"evse", OCPP_OBJECT, .sub = ocpp201_evse},
    {"requestedMessage", OCPP_WORD, OCPP_MUST, .words = "|BootNotification|"
        "LogStatusNotification|FirmwareStatusNotification|Heartbeat|MeterValues|"
        "SignChargingStationCertificate|SignV2GCertificate|StatusNotification|"
        "TransactionEvent|SignCombinedCertificate|PublishFirmwareStatusNotification|"},
    {0}};
FIELDS(trigger_message_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|NotImplemented|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(unlock_connector) = {
    {"evseId", OCPP_INT, OCPP_MUST}, {"connectorId", OCPP_INT, OCPP_MUST}, {0}};
FIELDS(unlock_connector_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Unlocked|UnlockFailed|"
        "OngoingAuthorizedTransaction|UnknownConnector|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};
FIELDS(unpublish_firmware) = {{"checksum", OCPP_TEXT, OCPP_MUST, .most = 32}, {0}};
FIELDS(unpublish_firmware_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|DownloadOngoing|NoFirmware|Unpublished|"},
    {0}};
FIELDS(firmware) = {
    {"location", OCPP_URI, OCPP_MUST, .most = 512},
    {"retrieveDateTime", OCPP_TIME, OCPP_MUST}, {"installDateTime", OCPP_TIME},
    {"signingCertificate", OCPP_TEXT, .most = 5500}, {"signature", OCPP_TEXT, .most = 800},
    {0}};
FIELDS(update_firmware) = {
    {"retries", OCPP_INT}, {"retryInterval", OCPP_INT},
    {"requestId", OCPP_INT, OCPP_GIVEN, .lo = INT32_MIN},
    {"firmware", OCPP_OBJECT, OCPP_MUST, .sub = firmware}, {0}};
FIELDS(update_firmware_answer) = {
    {"status", OCPP_WORD, OCPP_MUST, .words = "|Accepted|Rejected|AcceptedCanceled|"
        "InvalidCertificate|RevokedCertificate|"},
    {"statusInfo", OCPP_OBJECT, .sub = ocpp201_status_info}, {0}};

static const struct ocpp_message messages[] = {
    {"CancelReservation", cancel_reservation, ocpp201_accepted_rejected},
    {"CertificateSigned", certificate_signed, ocpp201_accepted_rejected},
    {"ChangeAvailability", change_availability, change_availability_answer},
    {"ClearCache", ocpp201_nothing, ocpp201_accepted_rejected},
    {"ClearChargingProfile", clear_charging_profile, clear_charging_profile_answer},
    {"ClearDisplayMessage", clear_display_message, clear_charging_profile_answer},
    {"ClearVariableMonitoring", clear_variable_monitoring,
     clear_variable_monitoring_answer},
    {"CostUpdated", cost_updated, ocpp201_nothing},
    {"CustomerInformation", customer_information, customer_information_answer,
     .parts = "NotifyCustomerInformation"},
    {"DataTransfer", ocpp201_data_transfer, ocpp201_data_answer},
    {"DeleteCertificate", delete_certificate, delete_certificate_answer},
    {"GetBaseReport", get_base_report, get_base_report_answer,
     .parts = "NotifyReport"},
    {"GetChargingProfiles", get_charging_profiles, get_charging_profiles_answer,
     .parts = "ReportChargingProfiles"},
    {"GetCompositeSchedule", get_composite_schedule, get_composite_schedule_answer},
    {"GetDisplayMessages", get_display_messages, clear_charging_profile_answer,
     .parts = "NotifyDisplayMessages"},
    {"GetInstalledCertificateIds", get_installed_certificate_ids,
     get_installed_certificate_ids_answer},
    {"GetLocalListVersion", ocpp201_nothing, get_local_list_version_answer},
    {"GetLog", get_log, get_log_answer},
    {"GetMonitoringReport", get_monitoring_report, get_base_report_answer,
     .parts = "NotifyMonitoringReport"},
    {"GetReport", get_report, get_base_report_answer,
     .parts = "NotifyReport"},
    {"GetTransactionStatus", get_transaction_status, get_transaction_status_answer},
    {"GetVariables", get_variables, get_variables_answer},
    {"InstallCertificate", install_certificate, install_certificate_answer},
    {"PublishFirmware", publish_firmware, ocpp201_accepted_rejected},
    {"RequestStartTransaction", request_start_transaction,
     request_start_transaction_answer},
    {"RequestStopTransaction", request_stop_transaction, ocpp201_accepted_rejected},
    {"ReserveNow", reserve_now, reserve_now_answer},
    {"Reset", reset, change_availability_answer},
    {"SendLocalList", send_local_list, send_local_list_answer},
    {"SetChargingProfile", set_charging_profile, ocpp201_accepted_rejected},
    {"SetDisplayMessage", set_display_message, set_display_message_answer},
    {"SetMonitoringBase", set_monitoring_base, get_base_report_answer},
    {"SetMonitoringLevel", set_monitoring_level, ocpp201_accepted_rejected},
    {"SetNetworkProfile", set_network_profile, install_certificate_answer},
    {"SetVariableMonitoring", set_variable_monitoring, set_variable_monitoring_answer},
    {"SetVariables", set_variables, set_variables_answer},
    {"TriggerMessage", trigger_message, trigger_message_answer},
    {"UnlockConnector", unlock_connector, unlock_connector_answer},
    {"UnpublishFirmware", unpublish_firmware, unpublish_firmware_answer},
    {"UpdateFirmware", update_firmware, update_firmware_answer},
};
/* clang-format on */

const struct ocpp_table ocpp201_ours = {messages, sizeof messages / sizeof *messages};
