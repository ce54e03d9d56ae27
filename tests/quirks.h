/* SPDX-License-Identifier: Apache-2.0 */
/* A charger played by a script: what it says, what it must be told, what it answers.
 * One step per line; ' stands for " in JSON.
 *
 *   up [VENDOR|MODEL|FIRMWARE]   connects, boots, is Available; takes all that it is
 * told link                         connects; no Boot boot [VENDOR|MODEL|FIRMWARE]
 * BootNotification down                         the connection ends conf KEY=VALUE adds
 * to what GetConfiguration is answered with new                          a new run of
 * the controller, which has the record > ACTION JSON [= WANT]       a CALL of the
 * charger, and what it is answered raw TEXT [= WANT]            any frame; WANT is in
 * the answer; @ is our last call's id tx, stop                     StartTransaction,
 * StopTransaction of connector 1 values JSON                  MeterValues: the
 * sampledValue list, of now order AMPS                   the core tells connector 1 a
 * limit insist AMPS                  ... which it has not followed: in another form
 *   sample                       the core asks for meter values
 *   told FORM AMPS ANSWER        SetChargingProfile; ANSWER as in `answer`
 *   has TEXT, hasnt TEXT         of the payload of the last call that was looked at
 *   got ACTION [TEXT]            the next call is this
 *   answer STATUS | JSON | !CODE | -     - = none in time
 *   settle [ANSWER]              takes all that it is told; profiles: ANSWER
 *   quiet [ACTION]               nothing (no such call) waits, nor was one since `up`
 *   wait MS
 *   core accepted|rejected|none|open     the answer to the last order
 *   amps L1 L2 L3                of the last sample that the core heard; - = no value
 *   watts W, wh WH
 *   heard N                      so many samples came to the core
 *   session begins|resumed|ended|none    the last of the book
 *   models                       the table of known models is there
 *   site KEY INDEX               chargers[].KEY of the site file, the index of its word
 *   habits WORDS                 the record that was kept of Go-e|Box|56.2
 *   record WORD                  in the charger's record
 *   trouble TEXT, calm           of the last one begun; none is left
 *
 * FORM: tx1 tx0 default1 default0-steps default0-endless max0-steps max0-endless, with
 * ~ behind it for Relative and W for watts (AMPS are W then). */
#ifndef TESTS_QUIRKS_H
#define TESTS_QUIRKS_H

struct quirk {
    const char *name;   /* "Q1", "Q12b" */
    const char *what;   /* what some charger does */
    const char *script; /* NULL: it is not staged here, */
    const char *why;    /* ... because, and where it is instead */
};

/* Plays one; fails with its name and line. */
void quirk_play(const struct quirk *q);

extern const struct quirk quirks_profiles[], quirks_rest[];
extern const int n_quirks_profiles, n_quirks_rest;

#endif
