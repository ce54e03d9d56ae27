/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a file of the history for reading only. */
#ifndef IO_HISTORY_OPEN_H
#define IO_HISTORY_OPEN_H

#include <sqlite3.h>
#include <stddef.h>
#include "io/history_db.h"

/* NULL with a text in `error`. *missing = there is no such file (yet). */
sqlite3 *history_open(const char *folder, enum history_file which, bool *missing,
                      char *error, size_t size);

#endif
