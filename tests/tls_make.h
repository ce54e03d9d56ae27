/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made while they run: authorities, servers, chargers, in PEM
 * files. With ECDSA keys, which are made at once, or one of RSA. */
#ifndef TESTS_TLS_MAKE_H
#define TESTS_TLS_MAKE_H

#include <stdbool.h>

#include <openssl/x509.h>

struct tls_made {
    X509 *cert;
    EVP_PKEY *key;
};

/* Signed by `by`, or an authority that has signed itself with NULL. Valid from now +
 * from_s to now + to_s. `ip` = the server's address; NULL = a client. */
struct tls_made tls_make(const char *name, const char *ip, const struct tls_made *by,
                         long from_s, long to_s, bool rsa);
void tls_made_free(struct tls_made *m);
/* Writes the certificate and, unless it is NULL, the key to files. */
void tls_made_write(const struct tls_made *m, const char *cert_path,
                    const char *key_path);

#endif
