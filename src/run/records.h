/* SPDX-License-Identifier: Apache-2.0 */
/* The capability records of chargers: read from the ledger at the start, kept there
 * when one has changed. */
#ifndef RUN_RECORDS_H
#define RUN_RECORDS_H

#include "io/history.h"
#include "io/ocpp.h"

struct records;

/* `folder` and `history` may be NULL: then they are forgotten at the end. */
struct records *records_new(const char *folder, struct history *history);
void records_free(struct records *r);

void records_put(struct records *r, const struct ocpp_record *record, int64_t utc_s);
const struct ocpp_record *records_find(const struct records *r, const char *id);

#endif
