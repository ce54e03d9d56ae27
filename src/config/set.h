/* SPDX-License-Identifier: Apache-2.0 */
/* Overrides on top of a file: "site.policy=edf", "circuits.grid.limit=[63, 63, 50]". */
#ifndef CONFIG_SET_H
#define CONFIG_SET_H

#include "config/errors.h"

/* Changes the tree. Entries of lists are named by their name or id, or counted from 1.
 */
void conf_set(struct conf_load *l, struct conf_node *root, const char *text);

#endif
