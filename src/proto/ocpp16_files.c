/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for firmware and logs, and what becomes of them. */
#include "proto/ocpp16_files.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Moves the named fields of `from` into `to`. */
static void move(cJSON *from, cJSON *to, const char *const *names)
{
    for (; *names; names++) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(from, *names);

        if (item)
            cJSON_AddItemToObject(to, *names, item);
    }
}

/* Adds it unless it is there. */
static void preset(cJSON *o, const char *name, const char *text)
{
    if (!cJSON_HasObjectItem(o, name))
        cJSON_AddStringToObject(o, name, text);
}

static void signed_update(cJSON *o, const char *location, const char *now, int32_t id)
{
    static const char *const inside[] = {"retrieveDateTime", "installDateTime",
                                         "signingCertificate", "signature", NULL};
    cJSON *firmware = cJSON_CreateObject();

    move(o, firmware, inside);
    preset(firmware, "retrieveDateTime", now);
    cJSON_AddStringToObject(firmware, "location", location);
    cJSON_AddNumberToObject(o, "requestId", id);
    cJSON_AddItemToObject(o, "firmware", firmware);
}

static void get_log(cJSON *o, const char *location, int32_t id)
{
    static const char *const inside[] = {"oldestTimestamp", "latestTimestamp", NULL};
    cJSON *log = cJSON_CreateObject();

    move(o, log, inside);
    cJSON_AddStringToObject(log, "remoteLocation", location);
    preset(o, "logType", "DiagnosticsLog");
    cJSON_AddNumberToObject(o, "requestId", id);
    cJSON_AddItemToObject(o, "log", log);
}

cJSON *ocpp16_file_request(enum ocpp16_file what, const char *location, const char *now,
                           int32_t id, const cJSON *more, const char **action)
{
    cJSON *o =
        cJSON_IsObject(more) ? cJSON_Duplicate(more, true) : cJSON_CreateObject();

    if (what == OCPP16_FIRMWARE && cJSON_HasObjectItem(o, "signature")) {
        *action = "SignedUpdateFirmware";
        signed_update(o, location, now, id);
    } else if (what == OCPP16_FIRMWARE) {
        *action = "UpdateFirmware";
        preset(o, "retrieveDate", now);
        cJSON_AddStringToObject(o, "location", location);
    } else if (what == OCPP16_LOG) {
        *action = "GetLog";
        get_log(o, location, id);
    } else {
        *action = "GetDiagnostics";
        cJSON_AddStringToObject(o, "location", location);
    }
    return o;
}

bool ocpp16_file_refused(enum ocpp16_file what, const cJSON *answer)
{
    const char *status =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "status"));
    const char *name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "fileName"));

    if (status)
        return strncasecmp(status, "Accepted", 8) != 0;
    return what == OCPP16_DIAGNOSTICS && (!name || !*name); /* it has nothing to send */
}

enum ocpp16_progress ocpp16_file_progress(const char *word)
{
    static const struct {
        const char *word;
        enum ocpp16_progress is;
    } words[] = {
        {"Downloaded", OCPP16_MOVED},
        {"SignatureVerified", OCPP16_MOVED},
        {"Installing", OCPP16_MOVED},
        {"InstallScheduled", OCPP16_MOVED},
        {"InstallRebooting", OCPP16_MOVED},
        {"Installed", OCPP16_DONE},
        {"Uploaded", OCPP16_DONE},
        {"DownloadFailed", OCPP16_FAILED},
        {"InstallationFailed", OCPP16_FAILED},
        {"InstallVerificationFailed", OCPP16_FAILED},
        {"InvalidSignature", OCPP16_FAILED},
        {"UploadFailed", OCPP16_FAILED},
        {"UploadFailure", OCPP16_FAILED},
        {"BadMessage", OCPP16_FAILED},
        {"NotSupportedOperation", OCPP16_FAILED},
        {"PermissionDenied", OCPP16_FAILED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].word, word) == 0)
            return words[i].is;
    return OCPP16_GOES_ON;
}
