/* SPDX-License-Identifier: Apache-2.0 */
/* The capability record of a charger: what was found out of it, told in words.
 *
 * The words are the same in the ledger, in the table of known models and in the site
 * file: `tx=1 default=steps kind=absolute unit=A`. Later ones count more: what the
 * charger told of itself, the known model, what was learned, the site file.
 *
 * Inside src/io/ocpp*.c and for who keeps the records. */
#ifndef IO_OCPP_ABILITY_H
#define IO_OCPP_ABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Forms in which a limit can be told, best first (facts: quirks Q1, Q2, Q7, Q8,
 * Q15-Q18). */
enum ocpp_form {
    OCPP_FORM_TX_1,      /* TxProfile on stack level 1, ends with its lease */
    OCPP_FORM_TX_0,      /* the same on level 0 */
    OCPP_FORM_DEFAULT_1, /* TxDefaultProfile on level 1, ends with its lease */
    OCPP_FORM_STEPS,     /* TxDefaultProfile on level 0: the limit, then the fallback */
    OCPP_FORM_DEFAULT_0, /* TxDefaultProfile on level 0, without end: no lease */
    OCPP_FORM_MAX_STEPS, /* ChargePointMaxProfile: the limit, then the fallback; of
                            chargers with one connector */
    OCPP_FORM_MAX,       /* the same without end: no lease */
    OCPP_FORM_NONE
};

/* What it does on 0 A in a transaction. */
enum ocpp_zero { OCPP_ZERO_UNKNOWN, OCPP_ZERO_PAUSES, OCPP_ZERO_ENDS, OCPP_ZERO_DRAWS };

/* Meter values that it gives. */
enum {
    OCPP_VALUE_CURRENT = 1,  /* without a phase */
    OCPP_VALUE_CURRENTS = 2, /* of phases */
    OCPP_VALUE_OFFERED = 4,
    OCPP_VALUE_POWER = 8,
    OCPP_VALUE_ENERGY = 16,
    OCPP_VALUE_VOLTAGE = 32
};

struct ocpp_ability {
    /* of whom; "" = not known. Another firmware is another charger. */
    char vendor[52], model[24], firmware[52];
    char version[8];          /* of OCPP, in which all this was found out; "" */
    enum ocpp_form tx, other; /* the best that it may take; no TxProfile: tx_no */
    bool tx_no;
    bool tx_ok, other_ok; /* ... and one was accepted */
    bool kind_ok;         /* one of this kind was; the fallback counts, too */
    bool relative;        /* kind, else Absolute */
    bool watts;           /* although it told nothing of that */
    enum ocpp_zero zero;
    int32_t step_ma; /* 0 = not known */
    /* As the probe found: whether it keeps its limit without a connection, and over a
     * restart; the seconds until its car follows (0 = not known). */
    enum ocpp_keeps { OCPP_KEEPS_UNKNOWN, OCPP_KEEPS_YES, OCPP_KEEPS_NO } keeps, boots;
    int32_t delay_s;
    unsigned values;
    bool no_trigger;
    int32_t ping_s; /* WebSocket pings to it; -1 = as all, 0 = never */
};

enum { OCPP_ABILITY_TEXT = 256, OCPP_ABILITY_WHY = 120 };

void ocpp_ability_init(struct ocpp_ability *a);
/* The record without vendor, model and firmware, in words. */
void ocpp_ability_write(const struct ocpp_ability *a, char out[OCPP_ABILITY_TEXT]);
/* Takes over what the words say. False with the reason: nothing taken over. */
bool ocpp_ability_read(struct ocpp_ability *a, const char *words,
                       char why[OCPP_ABILITY_WHY]);

#endif
