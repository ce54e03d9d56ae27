/* SPDX-License-Identifier: Apache-2.0 */
/* One meter on a Modbus line: finds its SunSpec model, reads its blocks in turn, makes
 * a reading of them and doubts it. Belongs to the thread that owns the line. */
#ifndef IO_METER_POLL_H
#define IO_METER_POLL_H

#include "io/modbus_line.h"
#include "meter/plan.h"
#include "meter/reading.h"

enum poll_result {
    POLL_READING,
    POLL_LATER, /* it is busy: ask again, all is well otherwise */
    POLL_NONE,  /* no answer */
    POLL_FAULT, /* it answers, but not what its model should; or nonsense */
    POLL_LOST,  /* the connection is gone */
    POLL_STOPPED
};

struct poll_reading {
    struct meter_reading r;
    int64_t at_ms;      /* when the first of its registers came in */
    int64_t changed_ms; /* when its registers last differed from those before */
};

struct meter_poll;

/* What the result of a request means. */
enum poll_result meter_poll_outcome(const struct modbus_line *l,
                                    enum line_result result);

/* The definition is taken over. unit < 0: the definition's, else 1. `turned`: mounted
 * the other way round. NULL and a reason in err. */
struct meter_poll *meter_poll_new(struct definition *d, int unit, bool turned,
                                  char *err, size_t size);
void meter_poll_free(struct meter_poll *m);

/* Reads what is due; with `all`, everything. */
enum poll_result meter_poll_cycle(struct meter_poll *m, struct modbus_line *l, bool all,
                                  struct poll_reading *out);
/* The connection is a new one: nothing that was read before counts, but what was learnt
 * of the registers that the device refuses. */
void meter_poll_reset(struct meter_poll *m);

/* The request that a cycle begins with. */
void meter_poll_first(const struct meter_poll *m, struct line_request *r);

const char *meter_poll_text(const struct meter_poll *m); /* of the last failure */
const struct definition *meter_poll_definition(const struct meter_poll *m);
int meter_poll_unit(const struct meter_poll *m);
/* What has been read: NULL before a SunSpec model was found. */
const struct plan *meter_poll_plan(const struct meter_poll *m);
/* SunSpec: number and place of the model found, 0 before. */
int meter_poll_model(const struct meter_poll *m, int *at);

#endif
