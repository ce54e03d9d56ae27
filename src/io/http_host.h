/* SPDX-License-Identifier: Apache-2.0 */
/* Which Host headers are answered: the defence against DNS rebinding, by which a page
 * of some web site would read from this machine under the site's own name. Pure. */
#ifndef IO_HTTP_HOST_H
#define IO_HTTP_HOST_H

#include <stdbool.h>

/* True for IP literals, localhost, *.local, and `names` (NULL-ended, or NULL); with or
 * without a port, in any case. */
bool http_host_allowed(const char *header, const char *const *names);

#endif
