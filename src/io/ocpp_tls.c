/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the OCPP server on OpenSSL. libwebsockets moves the bytes; protocol versions,
 * ciphers, certificates and what is said of failures are decided here. */
#include "io/ocpp_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "io/log.h"
#include "io/ocpp_gate.h"
#include "proto/ocpp_frame.h"

/* The four that the white paper asks for, and before those of RSA the ones that keep
 * what was said secret when the key is lost later. TLS 1.3 has its own. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384";

/* ---- why a handshake failed ---- */

/* Its certificate was not accepted. */
static const char *verify_text(long result)
{
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "turned away: its certificate has expired: install a new one in it";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "turned away: its certificate is not valid yet: check the clock of this "
               "machine";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "turned away: its certificate is signed by nobody in client_ca_file: "
               "add that authority there, or install another certificate in it";
    case X509_V_ERR_INVALID_PURPOSE:
        return "turned away: its certificate is none for a client: install another one "
               "in it";
    default:
        return "turned away: its certificate is not good: install another one in it";
    }
}

static const struct {
    int reason; /* OpenSSL's; that of an alert received is 1000 + its number */
    const char *text;
} reasons[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
     "turned away: shows no certificate: install one in it, or let it use the port of "
     "listen_tls"},
    {SSL_R_UNSUPPORTED_PROTOCOL,
     "turned away: knows no TLS 1.2: it needs newer firmware"},
    {SSL_R_VERSION_TOO_LOW, "turned away: knows no TLS 1.2: it needs newer firmware"},
    {SSL_R_NO_SHARED_CIPHER,
     "turned away: knows no cipher that we have: try a certificate with an RSA key in "
     "cert_file where it has an ECDSA one, or the other way round"},
    {SSL_R_HTTP_REQUEST,
     "turned away: speaks ws:// to a port of wss://: correct the address in it"},
    {SSL_R_WRONG_VERSION_NUMBER,
     "turned away: does not speak TLS: correct the address in it to wss://"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "hangs up: does not know who signed our certificate: install that authority (root "
     "certificate) in it"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
     "hangs up: does not accept our certificate: cert_file must name the address that "
     "it connects to"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
     "hangs up: does not accept our certificate: install its authority (root "
     "certificate) in it"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
     "hangs up: for it our certificate has expired: renew cert_file, or set its clock"},
};

static const char *reason_text(int reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason)
            return reasons[i].text;
    return "turned away: the TLS handshake failed: chargehand run at log level debug "
           "says why";
}

/* At the end of each step of a handshake; errors are there only when it has failed. */
static void on_info(const SSL *ssl, int where, int ret)
{
    const struct ocpp_tls_teller *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    unsigned long error = ERR_peek_last_error();
    char who[OCPP_GATE_TEXT];

    if (where != SSL_CB_ACCEPT_EXIT || ret > 0 || error == 0 ||
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return;
    ocpp_gate_text(SSL_get_fd(ssl), who);
    log_debug("OCPP: %s: TLS: %s", who, ERR_reason_error_string(error));
    if (ERR_SYSTEM_ERROR(error) ||
        ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return; /* it is gone without a word: anybody does that */
    t->failed(t->arg, who, reason_text(ERR_GET_REASON(error)));
}

static bool common_name(const X509 *cert, char *out, size_t size)
{
    const X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    unsigned char *text = NULL;
    int n;

    /* two of them, and nobody knows which one is meant */
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    n = ASN1_STRING_to_UTF8(&text,
                            X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool good = n > 0 && (size_t)n < size && !memchr(text, '\0', (size_t)n);

    if (good) {
        memcpy(out, text, (size_t)n);
        out[n] = '\0';
    }
    OPENSSL_free(text);
    return good;
}

/* OpenSSL has judged; this tells whose certificate it was. */
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct ocpp_tls_teller *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    char address[OCPP_GATE_TEXT], name[64], clean[64], who[128];

    if (good)
        return 1;
    ocpp_gate_text(SSL_get_fd(ssl), address);
    if (common_name(X509_STORE_CTX_get0_cert(store), name, sizeof name)) {
        ocpp_text_copy(clean, sizeof clean, name);
        snprintf(who, sizeof who, "%s (%s)", clean, address);
    } else {
        snprintf(who, sizeof who, "%s", address);
    }
    t->failed(t->arg, who, verify_text(X509_STORE_CTX_get_error(store)));
    return 0;
}

bool ocpp_tls_name(const SSL *ssl, char *out, size_t size)
{
    X509 *cert = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
    bool good =
        cert && SSL_get_verify_result(ssl) == X509_V_OK && common_name(cert, out, size);

    X509_free(cert);
    return good;
}

/* ---- making it ready ---- */

static bool complain(const char *what, const char *file)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());

    log_errorx("OCPP: %s '%s': %s", what, file, why ? why : "not good");
    ERR_clear_error();
    return false;
}

static bool load_pair(SSL_CTX *ctx, const char *cert, const char *key)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return complain("certificate", cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return complain("key", key);
    return true;
}

static bool load_pairs(SSL_CTX *ctx, const struct config *c)
{
    int kind;

    if (!load_pair(ctx, c->ocpp.cert_file, c->ocpp.key_file))
        return false;
    if (!c->ocpp.second_cert_file)
        return true;
    kind = EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(ctx));
    if (!load_pair(ctx, c->ocpp.second_cert_file, c->ocpp.second_key_file))
        return false;
    if (kind != EVP_PKEY_get_base_id(SSL_CTX_get0_privatekey(ctx)))
        return true;
    log_errorx("OCPP: second_key_file '%s': of the same kind as that of key_file: one "
               "has to be RSA, the other ECDSA",
               c->ocpp.second_key_file);
    return false;
}

static bool load(SSL_CTX *ctx, const struct config *c, bool mutual)
{
    STACK_OF(X509_NAME) * names;

    if (!load_pairs(ctx, c))
        return false;
    if (!mutual)
        return true;
    names = SSL_load_client_CA_file(c->ocpp.client_ca_file);
    X509_STORE *store = X509_STORE_new();

    if (!names || !store || X509_STORE_load_file(store, c->ocpp.client_ca_file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        X509_STORE_free(store);
        return complain("client_ca_file", c->ocpp.client_ca_file);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_cert_store(ctx, store);
    return true;
}

/* First into a context that is thrown away: one in use changes only when all is good.
 */
bool ocpp_tls_reload(SSL_CTX *ctx, const struct config *c, bool mutual)
{
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    bool good = trial && load(trial, c, mutual) && load(ctx, c, mutual);

    SSL_CTX_free(trial);
    return good;
}

bool ocpp_tls_setup(SSL_CTX *ctx, const struct config *c, bool mutual,
                    const struct ocpp_tls_teller *t)
{
    SSL_CTX_set_app_data(ctx, (void *)t);
    SSL_CTX_set_info_callback(ctx, on_info);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
        return complain("TLS 1.2", "OpenSSL");
    /* Nothing is resumed: each handshake shows the certificate anew, and no session
     * takes memory. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (mutual)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           on_verify);
    return load(ctx, c, mutual);
}

static int64_t cert_left_s(const X509 *cert)
{
    int days = 0, seconds = 0;

    if (!cert || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
        return INT64_MAX; /* nobody can say */
    return days * INT64_C(86400) + seconds;
}

int64_t ocpp_tls_left_s(SSL_CTX *ctx)
{
    int64_t least_s = INT64_MAX;

    for (int more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
        int64_t left_s = cert_left_s(SSL_CTX_get0_certificate(ctx));

        least_s = left_s < least_s ? left_s : least_s;
    }
    return least_s;
}
