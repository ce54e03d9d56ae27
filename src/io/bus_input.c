/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one digital input on a Modbus line. */
#include "io/bus_input.h"

/* One request, repeated once when no good answer comes. */
enum poll_result bus_input_read(const struct conf_input *in, struct modbus_line *l,
                                bool *active)
{
    struct line_request r = {.unit = in->at.unit,
                             .fc = in->function + 1,
                             .at = in->address,
                             .n = 1,
                             .timeout_ms = BUS_INPUT_TIMEOUT_MS,
                             .gap_ms = 50};
    uint16_t word = 0;
    enum line_result result = modbus_line_read(l, &r, &word);

    if (result == LINE_TIMEOUT || result == LINE_GARBLED)
        result = modbus_line_read(l, &r, &word);
    if (result == LINE_OK)
        *active = (word >> (r.fc < 3 ? 0 : in->bit) & 1) != in->active_low;
    return meter_poll_outcome(l, result);
}
