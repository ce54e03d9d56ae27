/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between a Modbus line and the device, and shows every byte that passes: what
 * really came, whatever the line makes of it. */
#ifndef CMD_METER_RELAY_H
#define CMD_METER_RELAY_H

#include "io/modbus_line.h"

struct relay;

enum relay_event { RELAY_SENT, RELAY_CAME, RELAY_CLOSED /* by the device */ };

/* Called in the relay's thread. t_ms: since the relay began. */
typedef void relay_told(void *arg, enum relay_event event, const uint8_t *bytes, int n,
                        int64_t t_ms);

/* Connects to the device at `there` and tells in *here where a line has to go instead
 * (its strings belong to the relay). NULL with a reason in err. */
struct relay *relay_new(const struct line_address *there, int timeout_ms,
                        struct line_address *here, relay_told *told, void *arg,
                        char *err, size_t size);
int64_t relay_now_ms(const struct relay *r);
/* Closes both sides and ends the thread; nothing is told any more. */
void relay_free(struct relay *r);

/* Our end of a new pseudo terminal, its other end's name in `device`; *other_fd keeps
 * that end open, or we would see an end whenever a client leaves. -1 = none. */
int meter_open_pty(char *device, size_t size, int *other_fd);

#endif
