/* SPDX-License-Identifier: Apache-2.0 */
/* Who a charger is: paths, passwords, subprotocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "io/ocpp_auth.h"
#include "proto/ocpp_schema.h"
#include "proto/ocpp_versions.h"

static void identities(void **state)
{
    static const struct {
        const char *path, *id; /* NULL = none */
    } cases[] = {
        {"/CP-01", "CP-01"},
        {"/ocpp/CP-01", "CP-01"},
        {"/ocpp/CP-01/", "CP-01"},
        {"///CP-01///", "CP-01"},
        {"CP-01", "CP-01"},
        {"/RDAM 123", "RDAM 123"},
        {"/a%20b", "a%20b"}, /* decoded once already */
        {"/", NULL},
        {"", NULL},
        {"///", NULL},
        {"/a\nb", NULL},
        {"/a\x7f", NULL},
        {"/\xff\xfe", NULL},
        {"/M\xc3\xbc", "M\xc3\xbc"},
        {"/123456789", NULL}, /* too long for 9 bytes */
        {"/12345678", "12345678"},
    };
    char id[9];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = ocpp_auth_identity(cases[i].path, id, sizeof id);

        assert_int_equal(good, cases[i].id != NULL);
        if (good)
            assert_string_equal(id, cases[i].id);
    }
}

#define KEY "00112233445566778899aAbBcCdDeEfF01234567"
#define KEY_LOWER "00112233445566778899aabbccddeeff01234567"
#define KEY_UPPER "00112233445566778899AABBCCDDEEFF01234567"
#define KEY_RAW                                                                        \
    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x01\x23\x45\x67"

static void passwords(void **state)
{
    static const struct {
        const char *what, *id, *password, *given;
        size_t len; /* 0 = of the text */
        bool good;
    } cases[] = {
        {"right", "CP-01", "secret", "CP-01:secret", 0, true},
        {"wrong", "CP-01", "secret", "CP-01:Secret", 0, false},
        {"too short", "CP-01", "secret", "CP-01:secre", 0, false},
        {"too long", "CP-01", "secret", "CP-01:secrets", 0, false},
        {"twice", "CP-01", "secret", "CP-01:secretsecret", 0, false},
        {"none", "CP-01", "secret", "CP-01:", 0, false},
        {"no colon", "CP-01", "secret", "CP-01", 0, false},
        {"nothing", "CP-01", "secret", "", 0, false},
        {"another user", "CP-01", "secret", "CP-02:secret", 0, false},
        {"user in another case", "CP-01", "secret", "cp-01:secret", 0, false},
        {"colon in the password", "CP-01", "a:b", "CP-01:a:b", 0, true},
        {"colons in the identity", "AA:BB", "a:b", "AA:BB:a:b", 0, true},
        {"part of the identity", "AA:BB", "BB:x", "AA:BB:x", 0, false},
        {"key as it is written", "CP-01", KEY, "CP-01:" KEY, 0, true},
        {"key in small letters", "CP-01", KEY, "CP-01:" KEY_LOWER, 0, true},
        {"key in capitals", "CP-01", KEY, "CP-01:" KEY_UPPER, 0, true},
        {"key as bytes", "CP-01", KEY, "CP-01:" KEY_RAW, 26, true},
        {"key as bytes, cut", "CP-01", KEY, "CP-01:" KEY_RAW, 25, false},
        {"a byte of it wrong", "CP-01", KEY, "CP-01:" KEY_RAW "x", 27, false},
        {"bytes for no key", "CP-01", "secret", "CP-01:" KEY_RAW, 26, false},
        {"an empty password is one", "CP-01", "", "CP-01:", 0, true},
        {"an empty password is not any", "CP-01", "", "CP-01:x", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = cases[i].len ? cases[i].len : strlen(cases[i].given);

        if (ocpp_auth_password(cases[i].id, cases[i].password, cases[i].given, len) !=
            cases[i].good)
            fail_msg("%s", cases[i].what);
    }
}

static void subprotocols(void **state)
{
    static const struct {
        const char *list;
        bool has;
    } cases[] = {
        {"ocpp1.6", true},    {"ocpp2.0.1, ocpp1.6", true}, {"ocpp1.6,ocpp1.5", true},
        {"ocpp2.0.1", false}, {"ocpp1.66", false},          {"xocpp1.6", false},
        {"", false},          {" ,, ocpp1.6 ,", true},      {"OCPP1.6", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal((ocpp_schema_choose(cases[i].list, "1.6") != NULL),
                         cases[i].has);
}

/* What a site file may ask for is what is spoken, the best one first. */
static void version_words(void **state)
{
    int i = 0;

    (void)state;
    assert_string_equal(ocpp_version_words[0], "auto");
    for (; ocpp_schemas[i]; i++) {
        assert_non_null(ocpp_version_words[i + 1]);
        assert_string_equal(ocpp_version_words[i + 1], ocpp_schemas[i]->version);
    }
    assert_null(ocpp_version_words[i + 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities),
        cmocka_unit_test(passwords),
        cmocka_unit_test(subprotocols),
        cmocka_unit_test(version_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
