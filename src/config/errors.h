/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting complaints about a configuration while it is being read. */
#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

#include "config/arena.h"
#include "config/config.h"
#include "config/yaml.h"

enum { CONF_MAX_ERRORS = 200 }; /* more are counted, but not told */

/* What every step of the reading gets. */
struct conf_load {
    struct conf_arena *arena;
    const char *path;
    const char *folder; /* of path with a '/' at its end, or "" */
    struct conf_errors *errors;
    int first;    /* errors before this one are of another file */
    int n_errors; /* warnings not counted */
};

/* `at` says where; NULL = the file as a whole. */
void conf_bad(struct conf_load *l, const struct conf_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void conf_warn(struct conf_load *l, const struct conf_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* An error in another file. */
void conf_bad_in(struct conf_load *l, const char *file, int line, int col,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Brings those of this file into the order of its lines: overrides, the file, others.
 */
void conf_sort_errors(struct conf_load *l);

/* "line 12" or "--set site.policy", for a second place inside a message. */
const char *conf_place(struct conf_load *l, const struct conf_node *at);

#endif
