/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of `chargehand meter scan`. */
#ifndef CMD_METER_SCAN_H
#define CMD_METER_SCAN_H

#include "io/meter_files.h"
#include "io/meter_poll.h"

/* A model that fits a unit. */
struct scan_fit {
    char model[48];
    bool untested;
    int score; /* how much speaks for it */
    int phases;
    struct meter_reading r;
};

enum { SCAN_FITS = 16 };

/* What is known of one unit. */
struct scan_unit {
    int unit;
    bool answers;
    int exception; /* that it gave; 0 = none */
    bool sunspec;
    struct scan_fit fits[SCAN_FITS]; /* the best one first */
    int n_fits;
};

/* The models that are looked for, with what tells them from others. */
struct scan_models;

/* Those with that name or path; NULL = all. NULL with a reason told. */
struct scan_models *scan_models_new(const char *model);
void scan_models_free(struct scan_models *s);
/* The serial settings of most of them first: fills list, returns how many. */
int scan_models_serial(const struct scan_models *s, struct line_address *list,
                       int room);

/* Asks one unit. The line is open. LINE_OK, LINE_BROKEN or LINE_STOPPED. */
enum line_result scan_models_ask(struct scan_models *s, struct modbus_line *l, int unit,
                                 int timeout_ms, struct scan_unit *out);

#endif
