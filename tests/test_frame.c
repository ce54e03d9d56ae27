/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus frames: what is an answer and what never is, in one piece and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/frame.h"

enum { BYTES = 600 };

/* "0102 ff" -> bytes; a dot at the end of a word appends its RTU check sum. */
static int from_hex(const char *text, uint8_t *bytes)
{
    int n = 0, begun = 0;

    for (; *text; text++) {
        unsigned value;

        if (*text == ' ') {
            begun = n;
        } else if (*text == '.') {
            uint16_t crc = frame_crc(bytes + begun, n - begun);

            bytes[n++] = (uint8_t)crc;
            bytes[n++] = (uint8_t)(crc >> 8);
        } else {
            assert_int_equal(sscanf(text, "%2x", &value), 1);
            bytes[n++] = (uint8_t)value;
            text++;
        }
    }
    return n;
}

/* Unit 3, function 4, two registers at 0x0100, transaction 0x1234; before it, 0x1111.
 */
static const struct frame_request request = {
    .unit = 3, .fc = 4, .at = 0x100, .n = 2, .id = 0x1234, .twin_id = 0x1111};

static void test_request(void **state)
{
    uint8_t bytes[FRAME_REQUEST_MAX], want[FRAME_REQUEST_MAX];
    int n;

    (void)state;
    n = from_hex("1234000000060304 01000002", want);
    assert_int_equal(frame_encode(FRAMING_MBAP, &request, bytes), n);
    assert_memory_equal(bytes, want, (size_t)n);
    n = from_hex("030401000002.", want);
    assert_int_equal(frame_encode(FRAMING_RTU, &request, bytes), n);
    assert_memory_equal(bytes, want, (size_t)n);
    /* the example of the specification, 6.2.2: its check sum is 0x1241, low byte first
     */
    assert_int_equal(frame_crc((const uint8_t[]){2, 7}, 2), 0x1241);
}

static const struct {
    const char *what;
    enum framing framing;
    const char *bytes;
    enum frame_verdict want;
    int word1; /* of an answer, the second word; of an exception, its code */
    enum frame_odd odd;
} cases[] = {
    {"nothing", FRAMING_MBAP, "", FRAME_MORE, 0, 0},
    {"an answer", FRAMING_MBAP, "123400000007030404 00010002", FRAME_ANSWER, 2, 0},
    {"half of it", FRAMING_MBAP, "123400000007030404 0001", FRAME_MORE, 0, 0},
    {"an exception", FRAMING_MBAP, "123400000003038402", FRAME_EXCEPTION, 2, 0},
    {"half of it", FRAMING_MBAP, "1234000000030384", FRAME_MORE, 0, 0},
    {"of the same request before", FRAMING_MBAP, "111100000007030404 00010009",
     FRAME_ANSWER, 9, 0},
    {"after a late one", FRAMING_MBAP,
     "100000000007030404 00070008 123400000007030404 00010002", FRAME_ANSWER, 2, 0},
    {"before a late one", FRAMING_MBAP,
     "123400000007030404 00010002 100000000007030404 00070008", FRAME_ANSWER, 2, 0},
    {"cut off, another one behind it", FRAMING_MBAP,
     "123400000007030404 0001 123500000007030404 00070008", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"by one byte", FRAMING_MBAP,
     "123400000007030404 000100 111100000007030404 00070008 02", FRAME_ANSWER, 8, 0},
    {"after half of one", FRAMING_MBAP, "0304 0008 123400000007030404 00010002",
     FRAME_ANSWER, 2, 0},
    {"after garbage that looks like a head", FRAMING_MBAP,
     "123400000099 1212340000 123400000007030404 00010002", FRAME_ANSWER, 2, 0},
    {"another id", FRAMING_MBAP, "123500000007030404 00010002", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"another unit", FRAMING_MBAP, "123400000007040404 00010002", FRAME_MORE, 0,
     FRAME_ODD_UNIT},
    {"another function", FRAMING_MBAP, "123400000007030304 00010002", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"another length", FRAMING_MBAP, "123400000005030402 0001 0002", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"lengths that differ", FRAMING_MBAP, "123400000009030404 00010002", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"another protocol", FRAMING_MBAP, "123400010007030404 00010002", FRAME_MORE, 0,
     FRAME_ODD_STRANGE},
    {"the other framing", FRAMING_MBAP, "03040400010002.", FRAME_MORE, 0,
     FRAME_ODD_FRAMING},

    {"nothing", FRAMING_RTU, "", FRAME_MORE, 0, 0},
    {"an answer", FRAMING_RTU, "03040400010002.", FRAME_ANSWER, 2, 0},
    {"half of it", FRAMING_RTU, "030404000100", FRAME_MORE, 0, 0},
    {"an exception", FRAMING_RTU, "038406.", FRAME_EXCEPTION, 6, 0},
    {"half of it", FRAMING_RTU, "0384", FRAME_MORE, 0, 0},
    {"a wrong check sum", FRAMING_RTU, "03040400010002 ffff", FRAME_WRONG, 0,
     FRAME_ODD_CHECK_SUM},
    {"of an exception", FRAMING_RTU, "038402 ffff", FRAME_WRONG, 0,
     FRAME_ODD_CHECK_SUM},
    {"two answers: which one is ours?", FRAMING_RTU, "03040400010002. 03040400030004.",
     FRAME_WRONG, 0, FRAME_ODD_SEVERAL},
    {"and a bit more", FRAMING_RTU, "03040400010002. 00", FRAME_WRONG, 0,
     FRAME_ODD_SEVERAL},
    {"another unit", FRAMING_RTU, "04040400010002.", FRAME_WRONG, 0, FRAME_ODD_UNIT},
    {"another function", FRAMING_RTU, "03030400010002.", FRAME_WRONG, 0,
     FRAME_ODD_STRANGE},
    {"another length", FRAMING_RTU, "0304020001.", FRAME_WRONG, 0, FRAME_ODD_STRANGE},
    {"our own request (echo)", FRAMING_RTU, "030401000002.", FRAME_WRONG, 0,
     FRAME_ODD_STRANGE},
    {"the other framing", FRAMING_RTU, "0304 0000 0007 03 04 04 00010002", FRAME_WRONG,
     0, FRAME_ODD_FRAMING},
};

static void check(size_t i, const uint8_t *bytes, int n)
{
    struct frame_answer a;
    enum frame_verdict v = frame_decode(cases[i].framing, &request, bytes, n, &a);

    if (v != cases[i].want)
        fail_msg("%s: %d", cases[i].what, v);
    if (v == FRAME_ANSWER && a.words[1] != cases[i].word1)
        fail_msg("%s: word %d", cases[i].what, a.words[1]);
    if (v == FRAME_EXCEPTION && a.exception != cases[i].word1)
        fail_msg("%s: exception %d", cases[i].what, a.exception);
    if ((v == FRAME_MORE || v == FRAME_WRONG) && a.odd != cases[i].odd)
        fail_msg("%s: odd %d", cases[i].what, a.odd);
}

static void test_answers(void **state)
{
    uint8_t bytes[BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(i, bytes, from_hex(cases[i].bytes, bytes));
}

/* However the bytes are cut, nothing is an answer before it is whole, and no other one
 * becomes one meanwhile. */
static void test_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum frame_verdict v = FRAME_MORE;
        struct frame_answer a;
        uint8_t bytes[BYTES];
        int n = from_hex(cases[i].bytes, bytes), k = 0;

        while (k < n && v == FRAME_MORE) {
            uint8_t *copy = malloc((size_t)++k); /* a sanitizer sees each step beyond */

            memcpy(copy, bytes, (size_t)k);
            v = frame_decode(cases[i].framing, &request, copy, k, &a);
            free(copy);
        }
        if (k == n)
            assert_int_equal(v, cases[i].want);
        else if (v == FRAME_ANSWER) /* what comes behind it cannot be known yet */
            assert_true(cases[i].want == FRAME_ANSWER ||
                        cases[i].odd == FRAME_ODD_SEVERAL ||
                        strncmp(cases[i].what, "cut off", 7) == 0);
    }
}

static void test_bits(void **state)
{
    struct frame_request q = {
        .unit = 1, .fc = 2, .at = 0, .n = 10, .id = 7, .twin_id = 7};
    struct frame_answer a;
    uint8_t bytes[BYTES];
    int n = from_hex("000700000005010202 0502", bytes);

    (void)state;
    assert_int_equal(frame_decode(FRAMING_MBAP, &q, bytes, n, &a), FRAME_ANSWER);
    for (int i = 0; i < q.n; i++)
        assert_int_equal(a.words[i], i == 0 || i == 2 || i == 9);
    assert_int_equal(frame_answer_length(FRAMING_MBAP, &q), n);
    assert_int_equal(frame_answer_length(FRAMING_RTU, &q), 7);
}

/* Answers in all lengths between random bytes and answers to others. */
static void test_random(void **state)
{
    unsigned seed = 20261126;

    (void)state;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        struct frame_request q = {.unit = (int)(rand_r(&seed) % 256),
                                  .fc = 1 + (int)(rand_r(&seed) % 4),
                                  .at = (int)(rand_r(&seed) % 65000),
                                  .n = 1 + (int)(rand_r(&seed) % FRAME_WORDS),
                                  .id = (uint16_t)rand_r(&seed)};
        struct frame_answer a;
        uint8_t bytes[BYTES], crc_bytes[BYTES];
        int junk = (int)(rand_r(&seed) % 200), length, data;

        q.twin_id = q.id;
        for (int i = 0; i < BYTES; i++)
            bytes[i] = (uint8_t)rand_r(&seed);
        /* random bytes are no answer: 72 bits would have to be right */
        assert_int_equal(frame_decode(FRAMING_MBAP, &q, bytes, junk, &a), FRAME_MORE);
        length = frame_answer_length(FRAMING_MBAP, &q);
        data = length - 9;
        memcpy(bytes + junk,
               (uint8_t[]){(uint8_t)(q.id >> 8), (uint8_t)q.id, 0, 0,
                           (uint8_t)((data + 3) >> 8), (uint8_t)(data + 3),
                           (uint8_t)q.unit, (uint8_t)q.fc, (uint8_t)data},
               9);
        assert_int_equal(frame_decode(FRAMING_MBAP, &q, bytes, junk + length, &a),
                         FRAME_ANSWER);
        if (q.fc > 2)
            assert_int_equal(a.words[0], bytes[junk + 9] << 8 | bytes[junk + 10]);
        /* and the same as an RTU frame, in which any flipped bit is noticed */
        memcpy(crc_bytes, bytes + junk + 6, (size_t)(data + 3));
        length = data + 5;
        crc_bytes[length - 2] = (uint8_t)frame_crc(crc_bytes, length - 2);
        crc_bytes[length - 1] = (uint8_t)(frame_crc(crc_bytes, length - 2) >> 8);
        assert_int_equal(frame_decode(FRAMING_RTU, &q, crc_bytes, length, &a),
                         FRAME_ANSWER);
        crc_bytes[rand_r(&seed) % (unsigned)length] ^=
            (uint8_t)(1u << rand_r(&seed) % 8);
        assert_int_not_equal(frame_decode(FRAMING_RTU, &q, crc_bytes, length, &a),
                             FRAME_ANSWER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_byte_by_byte), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
