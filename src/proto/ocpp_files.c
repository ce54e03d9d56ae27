/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for firmware and logs. 2.0.1 has what 1.6 got by its security whitepaper. */
#include "proto/ocpp16.h"
#include "proto/ocpp201.h"

#include <stddef.h>
#include <string.h>

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

cJSON *ocpp16_file_request(enum ocpp_file what, const char *location, const char *now,
                           int32_t id, const cJSON *more, const char **action)
{
    cJSON *o =
        cJSON_IsObject(more) ? cJSON_Duplicate(more, true) : cJSON_CreateObject();

    if (what == OCPP_FIRMWARE && cJSON_HasObjectItem(o, "signature")) {
        *action = "SignedUpdateFirmware";
        signed_update(o, location, now, id);
    } else if (what == OCPP_FIRMWARE) {
        *action = "UpdateFirmware";
        preset(o, "retrieveDate", now);
        cJSON_AddStringToObject(o, "location", location);
    } else if (what == OCPP_LOG) {
        *action = "GetLog";
        get_log(o, location, id);
    } else {
        *action = "GetDiagnostics";
        cJSON_AddStringToObject(o, "location", location);
    }
    return o;
}

cJSON *ocpp201_file_request(enum ocpp_file what, const char *location, const char *now,
                            int32_t id, const cJSON *more, const char **action)
{
    cJSON *o =
        cJSON_IsObject(more) ? cJSON_Duplicate(more, true) : cJSON_CreateObject();

    *action = what == OCPP_FIRMWARE ? "UpdateFirmware" : "GetLog";
    if (what == OCPP_FIRMWARE)
        signed_update(o, location, now, id);
    else
        get_log(o, location, id);
    return o;
}
