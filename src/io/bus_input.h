/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one digital input on a Modbus line. Belongs to the thread that owns the line.
 */
#ifndef IO_BUS_INPUT_H
#define IO_BUS_INPUT_H

#include "io/meter_poll.h"

enum { BUS_INPUT_TIMEOUT_MS = 1000 };

/* POLL_READING: *active tells its state. */
enum poll_result bus_input_read(const struct conf_input *in, struct modbus_line *l,
                                bool *active);

#endif
