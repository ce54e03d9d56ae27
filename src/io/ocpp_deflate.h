/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed messages: permessage-deflate (RFC 7692) for those versions of OCPP that
 * want it.
 *
 * libwebsockets agrees with the charger on it, but packs and unpacks nothing: its way
 * costs 300 kB for each connection. Here no message refers to one before it
 * ("no context takeover", both ways), so that one packer serves all connections of a
 * server, and a connection has none of its own.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_DEFLATE_H
#define IO_OCPP_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

struct lws;
struct lws_extension;
struct lws_process_html_args;

struct ocpp_deflate;
struct ocpp_deflate *ocpp_deflate_new(void); /* NULL = no memory */
void ocpp_deflate_free(struct ocpp_deflate *d);

/* For a vhost. A frame has the bit of packed messages when `sends_packed` of its
 * struct ocpp_link is set. */
const struct lws_extension *ocpp_deflate_extension(void);

/* Is what a Sec-WebSocket-Extensions header offers first something we can do? With
 * that, *bits is set when it names server_max_window_bits. */
bool ocpp_deflate_fits(const char *offer, bool *bits);
/* The same of a request. */
bool ocpp_deflate_wanted(struct lws *wsi, bool *bits);
/* For LWS_CALLBACK_ADD_HEADERS, when it was agreed on: under which terms. */
void ocpp_deflate_terms(struct lws_process_html_args *head, bool bits);

/* Packs a message into out[len], and returns its length; 0 = not worth it. */
size_t ocpp_deflate_pack(struct ocpp_deflate *d, const void *text, size_t len,
                         unsigned char *out);

enum ocpp_unpacked {
    OCPP_UNPACKED,
    OCPP_UNPACK_LONG, /* it has more than OCPP_FRAME_MAX bytes */
    OCPP_UNPACK_BAD   /* it is none */
};
/* *text, valid until the next call, and *len are the message in in[n]. */
enum ocpp_unpacked ocpp_deflate_unpack(struct ocpp_deflate *d, const void *in, size_t n,
                                       char **text, size_t *len);

#endif
