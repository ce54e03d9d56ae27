/* SPDX-License-Identifier: Apache-2.0 */
/* What Modbus frames mean, for people. Pure. */
#ifndef CMD_METER_TRACE_H
#define CMD_METER_TRACE_H

#include "meter/decode.h"
#include "meter/frame.h"

/* The read request in these bytes. False = there is none. */
bool trace_request(enum framing framing, const uint8_t *bytes, int n,
                   struct frame_request *q);
/* "read 18 registers from 0 of unit 1 (function 4)". Returns text. */
char *trace_request_text(const struct frame_request *q, char *text, size_t size);

/* What n bytes that came to that request are, and where they differ from its answer. */
char *trace_answer_text(enum framing framing, const struct frame_request *q,
                        const uint8_t *bytes, int n, char *text, size_t size);

#endif
