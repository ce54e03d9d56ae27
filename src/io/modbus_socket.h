/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus request on a TCP connection, in our own frames: any descriptor will do, a
 * late answer is told from the right one, and a stop ends the wait. */
#ifndef IO_MODBUS_SOCKET_H
#define IO_MODBUS_SOCKET_H

#include "io/modbus_line.h"
#include "meter/frame.h"

/* Sends the request and waits for its answer; stop_fd becoming readable ends that. */
enum line_result modbus_socket_read(int fd, int stop_fd, enum framing framing,
                                    const struct frame_request *q, int timeout_ms,
                                    struct line_reply *reply);

#endif
