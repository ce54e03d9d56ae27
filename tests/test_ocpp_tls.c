/* SPDX-License-Identifier: Apache-2.0 */
/* Security profiles 2 and 3: who gets in by TLS, and what is told of those who do not.
 * Each is told once and with what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <unistd.h>

#include "ocpp_socket.h"
#include "proto/ocpp_frame.h"
#include "tls_make.h"

enum {
    CA,
    OTHER_CA,
    SERVER,
    NEW_SERVER,
    OLD_SERVER, /* expired */
    RSA_SERVER,
    CP_01,
    SERIAL,    /* named by its serial number */
    EXPIRED,   /* CP-01 */
    EARLY,     /* CP-01, not yet valid */
    STRANGER,  /* CP-01, signed by OTHER_CA */
    NO_CLIENT, /* CP-01, for a server */
    MADE,
    NONE = -1
};

static struct tls_made made[MADE];
static char folder[] = "/tmp/chargehand-tls-XXXXXX";
static char files[MADE][64], keys[MADE][64]; /* keys: of servers */

static int make_all(void **state)
{
    static const char *const names[MADE] = {"ca",    "other", "server", "new",
                                            "old",   "rsa",   "CP-01",  "SN-4711",
                                            "CP-01", "CP-01", "CP-01",  "CP-01"};
    enum { DAY = 86400 };
    const struct tls_made *ca = &made[CA];

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < MADE; i++) {
        const struct tls_made *by = i == CA || i == OTHER_CA ? NULL
                                    : i == STRANGER          ? &made[OTHER_CA]
                                                             : ca;
        bool server = (i >= SERVER && i <= RSA_SERVER) || i == NO_CLIENT;
        long from = i == EARLY ? DAY : -2 * DAY;
        long to = i == EXPIRED || i == OLD_SERVER ? -DAY : 300 * DAY;

        made[i] = tls_make(names[i], server ? "127.0.0.1" : NULL, by, from, to,
                           i == RSA_SERVER);
        snprintf(files[i], sizeof files[i], "%s/%d.pem", folder, i);
        snprintf(keys[i], sizeof keys[i], "%s/%d.key", folder, i);
        tls_made_write(&made[i], files[i], server ? keys[i] : NULL);
    }
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (int i = 0; i < MADE; i++) {
        tls_made_free(&made[i]);
        unlink(files[i]);
        unlink(keys[i]);
    }
    return rmdir(folder);
}

static struct rig *tls_rig(int server)
{
    struct rig *r = rig_new();

    r->conf.ocpp.tls_host = r->conf.ocpp.mtls_host = "127.0.0.1";
    r->conf.ocpp.cert_file = files[server];
    r->conf.ocpp.key_file = keys[server];
    r->conf.ocpp.client_ca_file = files[CA];
    return r;
}

/* A charger with this certificate that trusts that authority. */
static SSL_CTX *charger(int cert, int trusts)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE *store = X509_STORE_new();

    X509_STORE_add_cert(store, made[trusts].cert);
    SSL_CTX_set_cert_store(ctx, store);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (cert != NONE) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, made[cert].cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, made[cert].key), 1);
    }
    return ctx;
}

static const struct row {
    const char *what;
    int profile, cert, trusts;
    int max_version; /* 0 = any */
    const char *ciphers, *path, *headers;
    const char *want; /* in the response; NULL = no handshake */
    const char *told; /* "" = nothing */
} rows[] = {
    {"profile 2", 2, NONE, CA, 0, NULL, "/CP-02", KEY_02, " 101 ", ""},
    {"TLS 1.2", 2, NONE, CA, TLS1_2_VERSION, NULL, "/CP-02", KEY_02, " 101 ", ""},
    {"AES 128", 2, NONE, CA, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "/CP-02",
     KEY_02, " 101 ", ""},
    {"AES 256", 2, NONE, CA, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", "/CP-02",
     KEY_02, " 101 ", ""},
    {"an old cipher", 2, NONE, CA, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", "/CP-02",
     KEY_02, NULL, "127.0.0.1: turned away: knows no cipher that we have"},
    {"TLS 1.1", 2, NONE, CA, TLS1_1_VERSION, "ALL:@SECLEVEL=0", "/CP-02", KEY_02, NULL,
     "127.0.0.1: turned away: knows no TLS 1.2: it needs newer firmware"},
    {"wrong password", 2, NONE, CA, 0, NULL, "/CP-02",
     OCPP16 "Authorization: Basic Q1AtMDI6eA==\r\n", " 401 ",
     "CP-02: turned away: wrong password: set the AuthorizationKey"},
    {"unknown", 2, NONE, CA, 0, NULL, "/CP-99", KEY_02, " 404 ",
     "CP-99: turned away: no charger of this identity in the site file"},
    {"does not trust us", 2, NONE, OTHER_CA, 0, NULL, "/CP-02", KEY_02, NULL,
     "127.0.0.1: hangs up: does not know who signed our certificate"},
    {"a certificate nobody asks for", 2, CP_01, CA, 0, NULL, "/CP-02", KEY_02, " 101 ",
     ""},
    {"profile 3", 3, CP_01, CA, 0, NULL, "/CP-01", OCPP16, " 101 ", ""},
    {"profile 3, TLS 1.2", 3, CP_01, CA, TLS1_2_VERSION, NULL, "/CP-01", OCPP16,
     " 101 ", ""},
    {"the certificate of another", 3, CP_01, CA, 0, NULL, "/CP-02", KEY_02, " 403 ",
     "CP-02: turned away: its certificate has another name than its identity"},
    {"its serial number", 3, SERIAL, CA, 0, NULL, "/RDAM%20123", OCPP16, " 101 ", ""},
    {"not its serial number", 3, CP_01, CA, 0, NULL, "/RDAM%20123", OCPP16, " 403 ",
     "RDAM 123: turned away: its certificate has another name"},
    {"no certificate", 3, NONE, CA, TLS1_2_VERSION, NULL, "/CP-01", OCPP16, NULL,
     "127.0.0.1: turned away: shows no certificate: install one in it"},
    {"no certificate, TLS 1.3", 3, NONE, CA, 0, NULL, "/CP-01", OCPP16, NULL,
     "127.0.0.1: turned away: shows no certificate: install one in it"},
    {"expired", 3, EXPIRED, CA, 0, NULL, "/CP-01", OCPP16, NULL,
     "CP-01 (127.0.0.1): turned away: its certificate has expired: install a new one"},
    {"not yet valid", 3, EARLY, CA, TLS1_2_VERSION, NULL, "/CP-01", OCPP16, NULL,
     "CP-01 (127.0.0.1): turned away: its certificate is not valid yet: check the "
     "clock"},
    {"another authority", 3, STRANGER, CA, 0, NULL, "/CP-01", OCPP16, NULL,
     "CP-01 (127.0.0.1): turned away: its certificate is signed by nobody in "
     "client_ca_file: add that authority"},
    {"a server's", 3, NO_CLIENT, CA, 0, NULL, "/CP-01", OCPP16, NULL,
     "CP-01 (127.0.0.1): turned away: its certificate is none for a client"},
    {"a path without identity", 3, CP_01, CA, 0, NULL, "/", OCPP16, " 404 ",
     "127.0.0.1: turned away: its address does not end in an identity: set it"},
};

/* Three times each, since chargers try for ever: it is told once. With TLS 1.3 the
 * charger learns only from what it reads next that it was not accepted. */
static void knock_at(struct rig *r, const struct row *row)
{
    SSL_CTX *ctx = charger(row->cert, row->trusts);
    char head[512];

    if (row->max_version)
        SSL_CTX_set_max_proto_version(ctx, row->max_version);
    if (row->ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, row->ciphers), 1);
    for (int n = 0; n < 3; n++) {
        int fd = dial_port(ocpp_tls_port(r->ocpp, row->profile), 1);

        memset(head, 0, sizeof head);
        if (dial_tls(fd, ctx) == 1 && row->want)
            ask(fd, row->path, row->headers, head);
        else
            get(fd, head, 1);
        if (row->want ? !strstr(head, row->want) : *head != '\0')
            fail_msg("%s: %s", row->what, head);
        hang_up(fd);
    }
    ERR_clear_error();
    SSL_CTX_free(ctx);
}

static void knock_once(struct rig *r, const struct row *row)
{
    r->chargers[2].certificate_name = "SN-4711";
    rig_start(r);
    knock_at(r, row);
    rig_troubles(r, *row->told != '\0');
    pthread_mutex_lock(&r->lock);
    if (r->n_told > 1 || strncmp(r->told, row->told, strlen(row->told)) != 0)
        fail_msg("%s: told %d times, %s", row->what, r->n_told, r->told);
    pthread_mutex_unlock(&r->lock);
    rig_free(r);
}

static void doors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        knock_once(tls_rig(SERVER), &rows[i]);
}

/* The other half of what the white paper asks for needs an RSA key. */
static void ciphers_of_rsa(void **state)
{
    static const char *const ciphers[] = {"AES128-GCM-SHA256", "AES256-GCM-SHA384",
                                          "ECDHE-RSA-AES128-GCM-SHA256",
                                          "ECDHE-RSA-AES256-GCM-SHA384"};

    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        struct row row = {ciphers[i], 2,        NONE,   CA,      TLS1_2_VERSION,
                          ciphers[i], "/CP-02", KEY_02, " 101 ", ""};

        knock_once(tls_rig(RSA_SERVER), &row);
    }
}

/* With a key of each kind there are all of them on one port. */
static void keys_of_both_kinds(void **state)
{
    static const char *const ciphers[] = {"AES128-GCM-SHA256", "AES256-GCM-SHA384",
                                          "ECDHE-ECDSA-AES128-GCM-SHA256",
                                          "ECDHE-ECDSA-AES256-GCM-SHA384"};

    (void)state;
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        struct row row = {ciphers[i], 2,        NONE,   CA,      TLS1_2_VERSION,
                          ciphers[i], "/CP-02", KEY_02, " 101 ", ""};
        struct rig *r = tls_rig(SERVER);

        r->conf.ocpp.second_cert_file = files[RSA_SERVER];
        r->conf.ocpp.second_key_file = keys[RSA_SERVER];
        knock_once(r, &row);
    }
}

/* A port has one profile, and a charger with a higher one does not go below it. */
static void no_downgrade(void **state)
{
    static const struct {
        int least, all; /* of the charger, of all */
        int profile;
        const char *want, *told;
    } cases[] = {
        {-1, 0, 1, " 101 ", ""},
        {-1, 1, 1, " 101 ", ""},
        {-1, 2, 1, " 403 ", "CP-02: turned away: must come by TLS: set its address"},
        {2, 0, 1, " 403 ", "CP-02: turned away: must come by TLS: set its address"},
        {2, 0, 2, " 101 ", ""},
        {1, 3, 1, " 101 ", ""},
        {3, 0, 2, " 403 ", "CP-02: turned away: must show a certificate: set its"},
    };
    SSL_CTX *ctx = charger(NONE, CA);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = tls_rig(SERVER);
        char head[512];
        int fd;

        r->conf.ocpp.security = cases[i].all;
        r->chargers[1].security = cases[i].least;
        rig_start(r);
        fd = dial_port(ocpp_tls_port(r->ocpp, cases[i].profile), 1);
        if (cases[i].profile > 1)
            assert_int_equal(dial_tls(fd, ctx), 1);
        ask(fd, "/CP-02", KEY_02, head);
        if (!strstr(head, cases[i].want) ||
            strncmp(r->told, cases[i].told, strlen(cases[i].told)) != 0)
            fail_msg("case %zu: %s %s", i, head, r->told);
        hang_up(fd);
        rig_free(r);
    }
    SSL_CTX_free(ctx);
}

/* Without TLS on a port of TLS. */
static void plain_request(void **state)
{
    struct rig *r = tls_rig(SERVER);
    char head[512];
    int fd;

    (void)state;
    rig_start(r);
    fd = dial_port(ocpp_tls_port(r->ocpp, 2), 1);
    ask(fd, "/CP-02", KEY_02, head);
    rig_troubles(r, 1);
    assert_non_null(strstr(r->told, "speaks ws:// to a port of wss://: correct"));
    hang_up(fd);
    rig_free(r);
}

/* Messages in both directions, also long ones. */
static void messages(void **state)
{
    SSL_CTX *ctx = charger(CP_01, CA);
    struct rig *r = tls_rig(SERVER);
    char head[512], *big = malloc(OCPP_FRAME_MAX);
    int fd;

    (void)state;
    rig_start(r);
    fd = dial_port(ocpp_tls_port(r->ocpp, 3), 1);
    assert_int_equal(dial_tls(fd, ctx), 1);
    ask(fd, "/CP-01", OCPP16, head);
    assert_true(rig_wait(r, EVENT_LINK, 1).link.up);
    memset(big, ' ', OCPP_FRAME_MAX);
    memcpy(big, "[2,\"1\",\"Heartbeat\",{}]", 22);
    put_frame(fd, 0x81, big, OCPP_FRAME_MAX);
    expect_answer(fd, "[3,\"1\",{\"currentTime\"");
    free(big);
    hang_up(fd);
    assert_false(rig_wait(r, EVENT_LINK, 2).link.up);
    /* "packed", as a block that is not, of 22 bytes */
    fd = dial_port(ocpp_tls_port(r->ocpp, 3), 1);
    assert_int_equal(dial_tls(fd, ctx), 1);
    ask(fd, "/CP-01",
        "Sec-WebSocket-Protocol: ocpp2.0.1\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        head);
    assert_non_null(strstr(head, "permessage-deflate; server_no_context_takeover"));
    put_frame(fd, 0xc1, "\0\x16\0\xe9\xff[2,\"1\",\"Heartbeat\",{}]", 28);
    expect_answer(fd, "[3,\"1\",{\"currentTime\"");
    hang_up(fd);
    rig_free(r);
    SSL_CTX_free(ctx);
}

static const char *shown_by(struct rig *r, SSL_CTX *ctx, int *fd)
{
    static char name[64];
    X509 *cert;

    *fd = dial_port(ocpp_tls_port(r->ocpp, 2), 1);
    if (dial_tls(*fd, ctx) != 1)
        return "none";
    cert = SSL_get1_peer_certificate(tls_of(*fd));
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                              sizeof name);
    X509_free(cert);
    return name;
}

static void reload_with(struct rig *r, int cert)
{
    pthread_mutex_lock(&r->lock);
    r->next = r->conf;
    r->next.ocpp.cert_file = files[cert];
    r->next.ocpp.key_file = keys[cert == CA ? SERVER : cert];
    r->reload = true;
    pthread_mutex_unlock(&r->lock);
    loop_wake(r->loop);
}

/* A renewed certificate is taken over with the next reload, a bad one is not. Who is in
 * stays in. */
static void renewed_certificate(void **state)
{
    SSL_CTX *ctx = charger(NONE, CA);
    struct rig *r = tls_rig(OLD_SERVER);
    char head[512];
    int in, fd;

    (void)state;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    rig_start(r);
    rig_troubles(r, 1);
    assert_string_equal(
        r->told, "ocpp.cert_file: has expired: chargers hang up until it is renewed");
    assert_string_equal(shown_by(r, ctx, &in), "old");
    ask(in, "/CP-02", KEY_02, head);
    reload_with(r, NEW_SERVER);
    rig_troubles(r, 0);
    assert_string_equal(shown_by(r, ctx, &fd), "new");
    hang_up(fd);
    reload_with(r, CA); /* its key is another one */
    put_text(in, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(in, "[3,\"1\",");
    assert_string_equal(shown_by(r, ctx, &fd), "new");
    hang_up(fd);
    hang_up(in);
    rig_free(r);
    SSL_CTX_free(ctx);
}

/* The charger finds our certificate expired. */
static void expired_here(void **state)
{
    SSL_CTX *ctx = charger(NONE, CA);
    struct rig *r = tls_rig(OLD_SERVER);
    int fd;

    (void)state;
    rig_start(r);
    assert_string_equal(shown_by(r, ctx, &fd), "none");
    hang_up(fd);
    rig_troubles(r, 2);
    rig_free(r);
    SSL_CTX_free(ctx);
}

/* Of two certificates the one that ends first is watched, whichever it is. */
static void one_of_two_expired(void **state)
{
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        struct rig *r = tls_rig(swapped ? RSA_SERVER : OLD_SERVER);

        r->conf.ocpp.second_cert_file = files[swapped ? OLD_SERVER : RSA_SERVER];
        r->conf.ocpp.second_key_file = keys[swapped ? OLD_SERVER : RSA_SERVER];
        rig_start(r);
        rig_troubles(r, 1);
        rig_free(r);
    }
}

static void bad_files(void **state)
{
    static const int rows_of[][3] = {
        {CA, SERVER, NONE}, {SERVER, NEW_SERVER, NONE}, {SERVER, SERVER, NEW_SERVER}};
    const struct ocpp_hooks hooks = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows_of / sizeof *rows_of; i++) {
        struct rig *r = tls_rig(SERVER);
        struct loop *loop = loop_new();

        r->conf.ocpp.cert_file = files[rows_of[i][0]];
        r->conf.ocpp.key_file = keys[rows_of[i][1]];
        if (rows_of[i][2] != NONE) { /* two of one kind */
            r->conf.ocpp.second_cert_file = files[rows_of[i][2]];
            r->conf.ocpp.second_key_file = keys[rows_of[i][2]];
        }
        assert_null(ocpp_new(loop, &r->conf, &hooks));
        loop_free(loop);
        free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doors),
        cmocka_unit_test(ciphers_of_rsa),
        cmocka_unit_test(keys_of_both_kinds),
        cmocka_unit_test(no_downgrade),
        cmocka_unit_test(plain_request),
        cmocka_unit_test(messages),
        cmocka_unit_test(renewed_certificate),
        cmocka_unit_test(expired_here),
        cmocka_unit_test(one_of_two_expired),
        cmocka_unit_test(bad_files),
    };

    return cmocka_run_group_tests(tests, make_all, free_all);
}
