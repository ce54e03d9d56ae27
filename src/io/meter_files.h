/* SPDX-License-Identifier: Apache-2.0 */
/* Finds meter definitions by name. Looked into, in this order: the directories of the
 * environment variable CHARGEHAND_METERS (separated by colons), SYSCONF_DIR/meters
 * (the user's own), METERS_DIR (those shipped), `meters` beside the program. The first
 * file of a name wins. */
#ifndef IO_METER_FILES_H
#define IO_METER_FILES_H

#include "config/config.h"
#include "meter/definition.h"

/* Loads a definition with all the SunSpec models it uses. `name` is a model, or a path
 * when there is a slash in it. NULL and a text of one or more lines in err. */
struct definition *meter_files_load(const char *name, char *err, size_t size);

/* The definition of a site's Modbus meter, with what its site file says of this very
 * installation in place. */
struct definition *meter_files_load_for(const struct conf_meter *m, char *err,
                                        size_t size);

/* As the first one, for a definition or a SunSpec model in a file of any place; every
 * complaint goes to e. e->file must outlive it. */
struct definition *meter_files_load_path(const char *path, struct meter_errors *e);

/* Whether the model of a site's meter is there and fits its role, and how long it takes
 * on its line: a conf_meter_check. */
bool meter_files_fit(const struct conf_meter *m, char *why, size_t size,
                     int32_t *serial_ms);

struct meter_file {
    char name[48];
    char path[256];
};

/* All definitions that can be found, sorted by name. Returns their number, *out is to
 * be freed. */
int meter_files_list(struct meter_file **out);

#endif
