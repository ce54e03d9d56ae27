/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the flock() on a file that we did not get. */
#ifndef IO_LOCK_HOLDER_H
#define IO_LOCK_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* Its process id and the name of its program. False = not to be found: it may be
 * another user's, or in a container. */
bool lock_holder(int fd, int *pid, char *name, size_t size);

#endif
