/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware and logs in OCPP 1.6 (sections 5.9, 5.19) and its security whitepaper: the
 * requests that name a place to fetch from or send to, and what chargers tell then. */
#ifndef PROTO_OCPP16_FILES_H
#define PROTO_OCPP16_FILES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum ocpp16_file {
    OCPP16_FIRMWARE,    /* UpdateFirmware, with a signature SignedUpdateFirmware */
    OCPP16_DIAGNOSTICS, /* GetDiagnostics */
    OCPP16_LOG          /* GetLog, of the whitepaper */
};

/* The request; cJSON_Delete() it, NULL = no memory. `more` has further fields of it as
 * they are in the standard, those of the objects inside, too; or is NULL. `now` is UTC,
 * id our number of it. */
cJSON *ocpp16_file_request(enum ocpp16_file what, const char *location, const char *now,
                           int32_t id, const cJSON *more, const char **action);

/* Does the answer say that there will be no file? */
bool ocpp16_file_refused(enum ocpp16_file what, const cJSON *answer);

/* What a status word means. */
enum ocpp16_progress {
    OCPP16_GOES_ON,
    OCPP16_MOVED,  /* the file is there; a firmware's installation goes on */
    OCPP16_DONE,   /* all is over, and well */
    OCPP16_FAILED, /* all is over */
};
enum ocpp16_progress ocpp16_file_progress(const char *word);

#endif
