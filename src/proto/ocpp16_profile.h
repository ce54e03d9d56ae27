/* SPDX-License-Identifier: Apache-2.0 */
/* SetChargingProfile (OCPP 1.6 section 5.16, errata 3.34, 3.37): limits as chargers
 * take them. */
#ifndef PROTO_OCPP16_PROFILE_H
#define PROTO_OCPP16_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

enum ocpp16_purpose { OCPP16_TX_DEFAULT, OCPP16_TX, OCPP16_MAX };

/* One of ours. Absolute with a start in the past, so that it holds at once on a charger
 * whose clock is late, or Relative without a start; validFrom is never sent (quirks
 * Q12, Q14), numberPhases only to chargers that change their number of phases (Q26). */
struct ocpp16_profile {
    int32_t connector; /* > 0; of OCPP16_MAX 0 */
    int32_t id;        /* chargingProfileId; the same id replaces */
    int32_t level;     /* stackLevel */
    enum ocpp16_purpose purpose;
    int32_t transaction; /* of OCPP16_TX */
    bool relative;       /* begins with the transaction; start is not sent */
    bool watts;          /* limits are W, else tenths of A */
    char start[21];      /* UTC, in the past */
    int32_t duration_s;  /* from start; 0 = no end */
    int phases;          /* numberPhases of the first period; 0 = not sent */
    int n;               /* 1 or 2 periods */
    struct {
        int32_t start_s; /* the first is 0 */
        int32_t limit;
    } period[2];
};

/* A limit of ma per phase as a period's number: tenths of A, or W over `phases` phases
 * at voltage_mv. Rounded down. */
int32_t ocpp16_limit(int32_t ma, bool watts, int32_t voltage_mv, int phases);

/* The request's JSON in `out`, OCPP16_PROFILE bytes. */
enum { OCPP16_PROFILE = 512 };
void ocpp16_write_profile(char *out, const struct ocpp16_profile *p);

/* What the answer to a call says. */
enum ocpp16_verdict {
    OCPP16_ACCEPTED,
    OCPP16_REFUSED,     /* this form of it; it had no effect */
    OCPP16_UNSUPPORTED, /* nothing of this kind; it had no effect */
    OCPP16_UNCLEAR      /* whether it had an effect is not known */
};
/* Of a CALLRESULT's status, NULL where it has none. */
enum ocpp16_verdict ocpp16_profile_status(const char *status);
/* Of a CALLERROR's code; spellings of 2.x, too. */
enum ocpp16_verdict ocpp16_profile_error(const char *code);

#endif
