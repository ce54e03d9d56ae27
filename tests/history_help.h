/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the history have in common: a folder, an inbox, a look into files.
 */
#ifndef TESTS_HISTORY_HELP_H
#define TESTS_HISTORY_HELP_H

#include <sqlite3.h>
#include "io/history.h"
#include "io/inbox.h"

struct troubles {
    int begins, ends;
    char who[48];   /* of the last one */
    char text[160]; /* of the first begin */
};

extern char help_dir[64]; /* the test's own, help_folder is inside */
extern char help_folder[80];

int help_setup(void **state);    /* makes help_dir, but not help_folder */
int help_clean(void **state);    /* empties help_dir */
int help_teardown(void **state); /* removes it */

/* Counts the troubles that have come; adds to what was there. */
void help_troubles(struct inbox *b, struct troubles *t);

/* Waits (with a generous end) until the troubles have come; fails otherwise. */
void help_wait_begins(struct inbox *b, struct troubles *t, int begins);
void help_wait_ends(struct inbox *b, struct troubles *t, int ends);

/* The number that a query of a file gives; -1 when it cannot be asked. */
int64_t help_number(const char *file, const char *sql);
char *help_text(const char *file, const char *sql, char out[256]);

/* Waits until the query gives this number; fails otherwise. */
void help_wait_number(const char *file, const char *sql, int64_t want);

/* One more look; false when it has been too long. */
bool help_again(int64_t *began_ms);

const char *help_path(const char *file); /* in help_folder; good until the next call */

/* A meter row with this current on L1. */
void help_meter(struct history *h, int64_t utc_s, const char *name, int32_t l1_ma);

#endif
