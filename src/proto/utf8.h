/* SPDX-License-Identifier: Apache-2.0 */
/* Text from devices and brokers: is it UTF-8, and what to make of it when it is not. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True when the n bytes are well-formed UTF-8 (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF) without a NUL. */
bool utf8_valid(const char *text, size_t n);

/* Bytes of the character at `text`, of which `left` are there; 0 = none, or a NUL. */
size_t utf8_length(const char *text, size_t left);

/* A copy with each bad byte replaced by U+FFFD; free() it. NULL = out of memory. */
char *utf8_repair(const char *text);

#endif
