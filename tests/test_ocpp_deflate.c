/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed messages on real sockets: who gets them and under which terms, messages in
 * pieces, and peers that pack wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <malloc.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "io/ocpp_deflate.h"
#include "ocpp_socket.h"
#include "proto/ocpp_frame.h"
#include "sim/rng.h"

#define OCPP201 "Sec-WebSocket-Protocol: ocpp2.0.1\r\n"
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate"
#define TERMS                                                                          \
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* What OFFER and `rest` of it are answered with; "" = nothing. */
static void terms(void **state)
{
    static const struct {
        const char *what, *headers, *want;
    } cases[] = {
        {"as libraries do", OCPP201 OFFER "; client_max_window_bits\r\n", TERMS "\r\n"},
        {"no terms", OCPP201 OFFER "\r\n", TERMS "\r\n"},
        {"of the oldest version: not", OCPP16 OFFER "\r\n", ""},
        {"of it, both offered",
         "Sec-WebSocket-Protocol: ocpp1.6, ocpp2.0.1\r\n" OFFER "\r\n", TERMS "\r\n"},
        {"nothing offered", OCPP201, ""},
        {"another one", OCPP201 "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
         ""},
        {"what we do anyway",
         OCPP201 OFFER "; server_no_context_takeover; client_no_context_takeover\r\n",
         TERMS "\r\n"},
        {"a window for us", OCPP201 OFFER "; server_max_window_bits=15\r\n",
         TERMS "; server_max_window_bits=12\r\n"},
        {"one in quotes", OCPP201 OFFER "; server_max_window_bits=\"12\"\r\n",
         TERMS "; server_max_window_bits=12\r\n"},
        {"one too small", OCPP201 OFFER "; server_max_window_bits=9\r\n", ""},
        {"one without a size", OCPP201 OFFER "; server_max_window_bits\r\n", ""},
        {"one of nonsense", OCPP201 OFFER "; client_max_window_bits=99\r\n", ""},
        {"a term unheard of", OCPP201 OFFER "; faster\r\n", ""},
        {"two offers", OCPP201 OFFER "; client_max_window_bits, permessage-deflate\r\n",
         TERMS "\r\n"},
        {"the other way round",
         OCPP201 OFFER ", permessage-deflate; client_max_window_bits\r\n", ""},
    };
    struct rig *r = rig_new();

    (void)state;
    rig_start(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[512], want[256];
        int fd = dial(r);

        ask(fd, "/CP-01", cases[i].headers, head);
        snprintf(want, sizeof want, "Sec-WebSocket-Extensions: %s", cases[i].want);
        if (!strstr(head, "HTTP/1.1 101") ||
            (*cases[i].want ? !strstr(head, want) : !!strstr(head, "Extensions")))
            fail_msg("%s: %s", cases[i].what, head);
        put_text(fd, "[2,\"1\",\"Heartbeat\",{}]"); /* not packed: allowed always */
        expect_answer(fd, "[3,\"1\",{\"currentTime\":");
        close(fd);
    }
    rig_free(r);
}

static int open_packed(struct rig *r, const char *path)
{
    char head[512];
    int fd = dial(r);

    ask(fd, path, OCPP201 OFFER "; client_max_window_bits\r\n", head);
    assert_non_null(strstr(head, TERMS));
    return fd;
}

/* Packs as RFC 7692 section 7.2.1 tells; the length. */
static size_t pack(const void *text, size_t len, int flush, unsigned char *out,
                   size_t size)
{
    z_stream z = {.next_in = text,
                  .avail_in = (uInt)len,
                  .next_out = out,
                  .avail_out = (uInt)size};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    deflate(&z, flush);
    assert_true(z.avail_in == 0 && z.avail_out > 0);
    size -= z.avail_out;
    deflateEnd(&z);
    return flush == Z_SYNC_FLUSH ? size - 4 : size;
}

/* What came in a frame of this length, unpacked. */
static void unpack(const void *in, size_t n, char *out, size_t size)
{
    static const unsigned char tail[] = {0, 0, 0xff, 0xff};
    z_stream z = {.next_in = in,
                  .avail_in = (uInt)n,
                  .next_out = (unsigned char *)out,
                  .avail_out = (uInt)size - 1};

    assert_int_equal(inflateInit2(&z, -12), Z_OK); /* no window larger than told */
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    z.next_in = tail;
    z.avail_in = sizeof tail;
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    out[size - 1 - z.avail_out] = '\0';
    inflateEnd(&z);
}

static void messages(void **state)
{
    static const char text[] = "[2,\"1\",\"Heartbeat\",{}]";
    unsigned char packed[256];
    char pong[4096];
    struct rig *r = rig_new();
    size_t n;
    int fd;

    (void)state;
    rig_start(r);
    fd = open_packed(r, "/CP-01");
    for (int i = 0; i < 3; i++) { /* none refers to the one before */
        n = pack(text, sizeof text - 1, Z_SYNC_FLUSH, packed, sizeof packed);
        put_frame(fd, 0xc1, packed, n);
        expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    }
    put_text(fd, text);
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    /* a last block, and the byte that follows it (section 7.2.3.4) */
    n = pack(text, sizeof text - 1, Z_FINISH, packed, sizeof packed);
    packed[n++] = 0;
    put_frame(fd, 0xc1, packed, n);
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    /* in pieces, a ping between them */
    n = pack(text, sizeof text - 1, Z_SYNC_FLUSH, packed, sizeof packed);
    put_frame(fd, 0x41, packed, 5);
    put_frame(fd, 0x00, packed + 5, 1);
    put_frame(fd, 0x89, "ping", 4);
    put_frame(fd, 0x80, packed + 6, n - 6);
    assert_int_equal(get_frame(fd, pong), 0x8a);
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    /* one piece that is all of it, and nothing */
    put_frame(fd, 0x41, packed, n);
    put_frame(fd, 0x80, "", 0);
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    /* many at once: some are left in the socket until the first are answered */
    for (int i = 0; i < 200; i++)
        put_frame(fd, 0xc1, packed, n);
    for (int i = 0; i < 200; i++)
        expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    close(fd);
    rig_free(r);
}

/* What we ask comes packed where that is worth it. */
static void ours(void **state)
{
    struct rig *r = rig_new();
    char text[4096], out[4096], id[64];
    unsigned char head[4];
    size_t len;
    int fd;

    (void)state;
    rig_start(r);
    fd = open_packed(r, "/CP-01");
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    for (;;) {
        assert_true(get(fd, head, 2));
        len = head[1];
        if (len == 126) {
            assert_true(get(fd, head + 2, 2));
            len = (size_t)head[2] << 8 | head[3];
        }
        assert_true(len < sizeof text && get(fd, text, len));
        text[len] = '\0';
        if (head[0] == 0xc1)
            break;
        assert_int_equal(head[0], 0x81);
        assert_true(len < 512);
        if (sscanf(text, "[2,\"%63[^\"]", id) == 1) {
            snprintf(out, sizeof out, "[3,\"%s\",{\"status\":\"Accepted\"}]", id);
            put_text(fd, out);
        }
    }
    unpack(text, len, out, sizeof out);
    assert_memory_equal(out, "[2,\"", 4);
    assert_non_null(strstr(out, "GetVariables"));
    assert_true(strlen(out) >= 512 && strlen(out) > len);
    assert_int_equal(out[strlen(out) - 1], ']');
    close(fd);
    rig_free(r);
}

/* 60 MB of blanks in 60 kB: refused, and they are never in memory. */
static void bomb(void **state)
{
    enum { SIZE = 60 << 20 };
    struct rig *r = rig_new();
    char *blanks = malloc(SIZE);
    unsigned char *packed = malloc(SIZE);
    size_t n, before;
    int fd;

    (void)state;
    memset(blanks, ' ', SIZE);
    n = pack(blanks, SIZE, Z_SYNC_FLUSH, packed, SIZE);
    assert_true(n < OCPP_FRAME_MAX);
    free(blanks);
    rig_start(r);
    fd = open_packed(r, "/CP-01");
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    before = mallinfo2().uordblks;
    put_frame(fd, 0xc1, packed, n);
    expect_close(fd, 1009);
    /* with sanitizers it is they who look */
    assert_true(before == 0 || mallinfo2().uordblks < before + 300000);
    close(fd);
    /* the same a little at a time: what is packed is too long already */
    fd = open_packed(r, "/CP-01");
    put_frame(fd, 0x41, packed, 40000);
    put_frame(fd, 0x80, packed, 40000);
    expect_close(fd, 1009);
    close(fd);
    /* just as long as may be, and one more: of the first, the end is answered */
    for (int more = 0; more < 2; more++) {
        static const char call[] = "[2,\"1\",\"Heartbeat\",{}]";
        char *text = malloc(OCPP_FRAME_MAX + 1);

        memset(text, ' ', OCPP_FRAME_MAX + 1);
        memcpy(text + OCPP_FRAME_MAX + more - (sizeof call - 1), call, sizeof call - 1);
        fd = open_packed(r, "/CP-01");
        n = pack(text, (size_t)OCPP_FRAME_MAX + (size_t)more, Z_SYNC_FLUSH, packed,
                 SIZE);
        put_frame(fd, 0xc1, packed, n);
        if (more)
            expect_close(fd, 1009);
        else
            expect_answer(fd, "[3,\"1\",{\"currentTime\":");
        close(fd);
        free(text);
    }
    free(packed);
    rig_free(r);
}

/* What is no packed message ends the connection, and the next one has none; it is told
 * in the log, the charger is served. The others go on with theirs. */
static void garbage(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd, other;

    (void)state;
    rig_start(r);
    other = open_packed(r, "/RDAM%20123");
    fd = open_packed(r, "/CP-01");
    put_frame(fd, 0xc1, "\xff\xff\xff\xff garbage", 12);
    expect_close(fd, 1007);
    close(fd);
    fd = dial(r);
    ask(fd, "/CP-01", OCPP201 OFFER "\r\n", head);
    assert_non_null(strstr(head, "HTTP/1.1 101"));
    assert_null(strstr(head, "Extensions"));
    put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(fd, "[3,\"1\",{\"currentTime\":");
    /* a packed one where that was not agreed on */
    put_frame(fd, 0xc1, "\xff\xff\xff\xff garbage", 12);
    expect_close(fd, 1002);
    close(fd);
    put_text(other, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(other, "[3,\"1\",{\"currentTime\":");
    /* it cannot read ours, and says so */
    put_frame(other, 0x88, "\x03\xef", 2); /* 1007 */
    expect_close(other, 1007);
    close(other);
    other = dial(r);
    ask(other, "/RDAM%20123", OCPP201 OFFER "\r\n", head);
    assert_null(strstr(head, "Extensions"));
    close(other);
    fd = open_link(r, "/CP-01");
    put_frame(fd, 0xc1, "[2,\"1\",\"Heartbeat\",{}]", 22);
    expect_close(fd, 1002);
    close(fd);
    rig_free(r);
}

/* Any bytes: the unpacker survives, and never gives more than it may. */
static void random_bytes(void **state)
{
    struct ocpp_deflate *d = ocpp_deflate_new();
    struct sim_rng rng = {1};
    unsigned char in[300], out[2048];
    static const char good[] = "[2,\"1\",\"Heartbeat\",{}]";
    char *text;
    size_t len;
    int ok = 0;

    (void)state;
    assert_non_null(d);
    for (int i = 0; i < 20000; i++) {
        size_t n = pack(good, sizeof good - 1, Z_SYNC_FLUSH, in, sizeof in);

        for (int k = 0; k < i % 4; k++)
            in[sim_rng_next(&rng) % n] ^= (unsigned char)(1u << sim_rng_next(&rng) % 8);
        if (i % 3 == 1)
            n = (size_t)(sim_rng_next(&rng) % n);
        if (ocpp_deflate_unpack(d, in, n, &text, &len) == OCPP_UNPACKED) {
            assert_true(len <= OCPP_FRAME_MAX);
            ok++;
            if (i % 12 == 0)
                assert_memory_equal(text, good, sizeof good - 1);
        }
    }
    assert_true(ok > 1000 && ok < 19000);
    for (int i = 0; i < 50; i++) { /* what we pack can be unpacked */
        size_t n = 512 + (size_t)(sim_rng_next(&rng) % 60000), packed;
        char *made = malloc(n);
        unsigned char *small;

        for (size_t k = 0; k < n; k++)
            made[k] = (char)('a' + sim_rng_next(&rng) % (1 + (unsigned)i % 26));
        small = malloc(n);
        packed = ocpp_deflate_pack(d, made, n, small);
        assert_true(packed > 0 && packed < n);
        assert_int_equal(ocpp_deflate_unpack(d, small, packed, &text, &len),
                         OCPP_UNPACKED);
        assert_int_equal(len, n);
        assert_memory_equal(text, made, n);
        free(small);
        free(made);
    }
    for (size_t i = 0; i < sizeof out; i++) /* what cannot be made shorter is not */
        out[i] = (unsigned char)sim_rng_next(&rng);
    text = malloc(sizeof out);
    memcpy(text, out, sizeof out);
    assert_int_equal(ocpp_deflate_pack(d, text, sizeof out, out), 0);
    free(text);
    ocpp_deflate_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms),   cmocka_unit_test(messages),
        cmocka_unit_test(ours),    cmocka_unit_test(bomb),
        cmocka_unit_test(garbage), cmocka_unit_test(random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
