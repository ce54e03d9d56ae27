/* SPDX-License-Identifier: Apache-2.0 */
/* One blocking HTTP request, for the commands that ask the running controller. */
#ifndef IO_HTTP_GET_H
#define IO_HTTP_GET_H

#include <stddef.h>

enum { HTTP_GET_MOST = 16 * 1024 * 1024 }; /* bytes of an answer */

/* GETs path from "HOST:PORT", "HOST" (then default_port) or "[IPV6]:PORT", within
 * timeout_ms in all. Returns the status, and the body (free() it, ends with NUL) in
 * *body; or -1 with a text in `error`. */
int http_get(const char *host_port, const char *default_port, const char *path,
             int timeout_ms, char **body, char *error, size_t size);

#endif
