/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the OCPP server: what security profiles 2 and 3 ask of it (the security
 * white paper and OCPP itself since).
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_TLS_H
#define IO_OCPP_TLS_H

#include <openssl/ssl.h>
#include "config/config.h"

/* Is told of each handshake that fails: whose (an address, with the name in the
 * certificate before it) and why, a constant text that says what to do. */
struct ocpp_tls_teller {
    void (*failed)(void *arg, const char *who, const char *why);
    void *arg;
};

/* Makes a new context ready; `mutual` = chargers show certificates, too. *t has to live
 * as long as the context. False after a line in the log. */
bool ocpp_tls_setup(SSL_CTX *ctx, const struct config *c, bool mutual,
                    const struct ocpp_tls_teller *t);

/* Reads the files again, for connections to come. All of them are good, or nothing
 * changes and the log says why. */
bool ocpp_tls_reload(SSL_CTX *ctx, const struct config *c, bool mutual);

/* The common name in the certificate that the peer has shown; false = none, or one that
 * is no plain text. */
bool ocpp_tls_name(const SSL *ssl, char *out, size_t size);

/* Seconds until a certificate of ours ends; below 0 when one has. */
int64_t ocpp_tls_left_s(SSL_CTX *ctx);

#endif
