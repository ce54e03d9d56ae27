/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what a Modbus line runs on: a TCP connection or a serial port. */
#ifndef IO_MODBUS_OPEN_H
#define IO_MODBUS_OPEN_H

#include "io/modbus_line.h"

/* LINE_OK with a descriptor in *fd, LINE_BROKEN with a reason in text, or LINE_STOPPED
 * when stop_fd became readable meanwhile. */
enum line_result modbus_open(const struct line_address *a, int stop_fd, int timeout_ms,
                             int *fd, char *text, size_t size);

#endif
