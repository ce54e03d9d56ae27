/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the configuration share: a folder of their own, site files in it,
 * and the complaints about them as one text. */
#ifndef TESTS_CONFIG_UTIL_H
#define TESTS_CONFIG_UTIL_H

#include "config/config.h"

/* setup and teardown of a group: makes and removes the folder. */
int util_make_folder(void **state);
int util_remove_folder(void **state);

/* Writes folder/name and returns its path (until the next call). */
const char *util_write(const char *name, const char *text);
const char *util_path(const char *name); /* folder/name */
char *util_example(const char *name);    /* text of data/sites/name; free() it */
const char *util_example_path(const char *name);

/* Loads folder/name or `text` written to folder/site.yaml; `complaints` gets what
 * conf_errors_print() says, with the folder's path cut off. free() it. */
struct config *util_load(const char *text, const char *const *set, char **complaints);
struct config *util_load_checked(const char *text, const char *const *set,
                                 conf_meter_check *check, char **complaints);

/* A good site file of few lines to put more behind. */
#define GOOD                                                                           \
    "circuits:\n"                                                                      \
    "- name: grid\n"                                                                   \
    "  limit: 63\n"                                                                    \
    "chargers:\n"                                                                      \
    "- id: CP-01\n"

#endif
