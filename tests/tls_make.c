/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests on OpenSSL. */
#include "tls_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

struct tls_made tls_make(const char *name, const char *ip, const struct tls_made *by,
                         long from_s, long to_s, bool rsa)
{
    static long serial;
    struct tls_made m = {X509_new(), rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")};
    X509 *issuer = by ? by->cert : m.cert;
    char san[64];

    assert_non_null(m.cert);
    assert_non_null(m.key);
    X509_set_version(m.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(m.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(m.cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(m.cert), to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(m.cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(m.cert, X509_get_subject_name(issuer));
    X509_set_pubkey(m.cert, m.key);
    if (!by) {
        extend(m.cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
    } else if (ip) {
        snprintf(san, sizeof san, "IP:%s", ip);
        extend(m.cert, issuer, NID_subject_alt_name, san);
        extend(m.cert, issuer, NID_ext_key_usage, "serverAuth");
    } else {
        extend(m.cert, issuer, NID_ext_key_usage, "clientAuth");
    }
    assert_true(X509_sign(m.cert, by ? by->key : m.key, EVP_sha256()) > 0);
    return m;
}

void tls_made_free(struct tls_made *m)
{
    X509_free(m->cert);
    EVP_PKEY_free(m->key);
}

void tls_made_write(const struct tls_made *m, const char *cert_path,
                    const char *key_path)
{
    FILE *f = fopen(cert_path, "w");

    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, m->cert), 1);
    fclose(f);
    if (!key_path)
        return;
    f = fopen(key_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}
