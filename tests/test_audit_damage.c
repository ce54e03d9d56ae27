/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand audit on damaged journals: every flipped bit and every line that is
 * missing, doubled or moved is found; a torn end is no fault; nothing crashes it. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "audit_world.h"
#include "cmd/audit.h"

enum { TEXT = 400000, LINES = 8000 };

static char dir[] = "/tmp/chargehand-damage-XXXXXX";
static uint64_t rnd_state;

/* A journal with all that there is: a gap, a start, a reload, a second start. */
static char sample[TEXT], hurt[TEXT];
static size_t size;
static size_t line_at[LINES + 1]; /* where each line begins, and the end */
static int n_lines;

static size_t below(size_t n)
{
    return (size_t)(aw_rnd(&rnd_state) % n);
}

static void make_sample(uint64_t seed)
{
    char folder[64], path[80];
    struct aw *w = malloc(sizeof *w);
    FILE *f;

    snprintf(folder, sizeof folder, "%s/later", dir);
    snprintf(path, sizeof path, "%s/journal", folder);
    aw_init(w, seed);
    w->journal = journal_open(path, 0, NULL, NULL);
    aw_run(w, 3);
    assert_int_equal(mkdir(folder, 0700), 0);
    aw_run(w, 40);
    aw_reload(w);
    aw_run(w, 20);
    journal_close(w->journal);
    w->journal = journal_open(path, 0, NULL, NULL);
    aw_restart(w);
    aw_run(w, 30);
    aw_free(w);
    free(w);
    f = fopen(path, "r");
    assert_non_null(f);
    size = fread(sample, 1, sizeof sample, f);
    assert_true(size < sizeof sample / 2);
    fclose(f);
    unlink(path);
    rmdir(folder);
    for (size_t i = 0; i < size; i++)
        if (i == 0 || sample[i - 1] == '\n') {
            assert_true(n_lines < LINES);
            line_at[n_lines++] = i;
        }
    line_at[n_lines] = size;
}

/* What an audit of these bytes says. */
static struct audit audit_of(const char *text, size_t n)
{
    struct audit a = {0};
    FILE *f = fmemopen((void *)(uintptr_t)text, n, "r");

    assert_non_null(f);
    if (audit_stream(&a, f, "sample") < 0) {
        assert_int_equal(errno, EINVAL);
        audit_say(&a, AUDIT_DAMAGE, 1, "this is no journal");
    }
    fclose(f);
    audit_end(&a);
    return a;
}

static bool good(const char *text, size_t n)
{
    struct audit a = audit_of(text, n);

    return audit_good(&a);
}

static void the_sample_is_sound(void **state)
{
    struct audit a = audit_of(sample, size);

    (void)state;
    if (!audit_good(&a))
        audit_print(&a, stderr);
    assert_true(audit_good(&a));
    assert_int_equal(a.parts, 3);
    assert_int_equal(a.gaps, 1);
    assert_int_equal(a.skipped, 0);
    print_message("%d lines, %zu bytes, %ld events, %ld orders\n", n_lines, size,
                  a.events, a.orders);
}

/* ---- bits ---- */

enum place { PLACE_KIND, PLACE_BODY, PLACE_STAR, PLACE_SUM, PLACE_END, PLACES };

static enum place place_of(size_t at, int line)
{
    size_t from_end = line_at[line + 1] - 1 - at; /* 0 = the newline */

    if (from_end <= 8)
        return from_end == 0 ? PLACE_END : PLACE_SUM;
    if (from_end <= 10)
        return PLACE_STAR;
    return at == line_at[line] ? PLACE_KIND : PLACE_BODY;
}

static int line_of(size_t at)
{
    int line = 0;

    while (line_at[line + 1] <= at)
        line++;
    return line;
}

static void flip_is_found(size_t at, int bit)
{
    memcpy(hurt, sample, size);
    hurt[at] ^= (char)(1 << bit);
    if (good(hurt, size))
        fail_msg("bit %d of byte %zu, line %d: not found", bit, at, line_of(at) + 1);
}

/* Bits at random, and of each kind of line at each kind of place each bit at least
 * once.
 */
static void every_flipped_bit_is_found(void **state)
{
    enum { FLIPS = 5000 };
    static bool done[128][PLACES][8];
    int classes = 0;

    (void)state;
    for (int i = 0; i < FLIPS; i++) {
        size_t at = below(size);
        int line = line_of(at), bit = (int)below(8);

        flip_is_found(at, bit);
        done[(int)sample[line_at[line]]][place_of(at, line)][bit] = true;
    }
    for (int line = 0; line < n_lines; line++)
        for (size_t at = line_at[line]; at < line_at[line + 1]; at++)
            for (int bit = 0; bit < 8; bit++) {
                bool *was = &done[(int)sample[line_at[line]]][place_of(at, line)][bit];

                if (!*was)
                    flip_is_found(at, bit);
                *was = true;
            }
    for (int kind = 0; kind < 128; kind++)
        classes += done[kind][PLACE_SUM][0];
    print_message("%d bits; all bits of all places of %d kinds of lines\n", FLIPS,
                  classes);
    assert_int_equal(classes, 8); /* c H S K B E O G */
}

/* ---- lines ---- */

static size_t put(size_t n, int from, int to)
{
    size_t len = line_at[to] - line_at[from];

    memcpy(hurt + n, sample + line_at[from], len);
    return n + len;
}

static bool is_start(int line)
{
    return line == n_lines || sample[line_at[line]] == 'c';
}

static bool alike(int a, int b)
{
    size_t len = line_at[a + 1] - line_at[a];

    return len == line_at[b + 1] - line_at[b] &&
           memcmp(sample + line_at[a], sample + line_at[b], len) == 0;
}

/* The last line before a start or the end may not have been written. */
static void a_line_that_is_missing_doubled_or_moved_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++) {
        int line = (int)below((size_t)n_lines - 1);

        if (!is_start(line + 1))
            assert_false(good(hurt, put(put(0, 0, line), line + 1, n_lines)));
        if (!is_start(line))
            assert_false(good(hurt, put(put(0, 0, line + 1), line, n_lines)));
        if (!alike(line, line + 1))
            assert_false(good(
                hurt, put(put(put(put(0, 0, line), line + 1, line + 2), line, line + 1),
                          line + 2, n_lines)));
    }
}

/* ---- ends ---- */

/* As after a crash, or while the controller writes. */
static void it_may_end_anywhere(void **state)
{
    (void)state;
    for (int i = 0; i < 1500; i++) {
        size_t cut = i < 500 ? size - (size_t)i : line_at[1] + below(size - line_at[1]);
        struct audit a = audit_of(sample, cut);

        if (!audit_good(&a))
            audit_print(&a, stderr);
        assert_true(audit_good(&a));
        assert_true(a.torn <= 1);
    }
}

/* ---- anything ---- */

/* Another value of the kind that stood there. */
static const char *other_word(char out[32])
{
    static const char *const words[] = {
        "-",          "-1",          "0",          "1",        "255",   "32768",
        "2147483647", "-2147483648", "4294967295", "\"\"",     "\"%\"", "1,2,3",
        ",",          "tick",        "limit",      "accepted", "L4",    "\x80"};

    if (below(2))
        return words[below(sizeof words / sizeof *words)];
    snprintf(out, 32, "%" PRId64, (int64_t)below(2000000) - 1000000);
    return out;
}

/* Changes a word in two lines, leaves perhaps one out, and seals all of them again. */
static size_t forge(void)
{
    int one = (int)below((size_t)n_lines), two = (int)below((size_t)n_lines);
    int gone = (int)below((size_t)n_lines * 4);
    size_t n = 0;
    uint32_t crc = 0;

    for (int line = 0; line < n_lines; line++) {
        char text[JOURNAL_LINE + 64], *word, buf[32];
        size_t len = line_at[line + 1] - line_at[line] - JOURNAL_SEAL - 1;

        memcpy(text, sample + line_at[line], len);
        text[len] = '\0';
        if (line == gone)
            continue;
        if ((line == one || line == two) && (word = strchr(text + below(len), ' '))) {
            char rest[JOURNAL_LINE] = "", *behind = strchr(word + 1, ' ');

            if (behind)
                snprintf(rest, sizeof rest, "%s", behind);
            snprintf(word + 1, sizeof text - (size_t)(word + 1 - text), "%s%s",
                     other_word(buf), rest);
        }
        if (strncmp(text, "chargehand", 10) == 0)
            crc = 0;
        len = strlen(text);
        memcpy(hurt + n, text, len);
        n += journal_text_seal(hurt + n, len, &crc);
    }
    return n;
}

/* Sealed nonsense reaches the tables, the controller and the ledger. */
static void forged_journals_do_no_harm(void **state)
{
    long faults = 0;

    (void)state;
    for (int i = 0; i < 600; i++)
        faults += !good(hurt, forge());
    print_message("%ld of 600 forged journals have faults\n", faults);
    assert_true(faults > 200);
}

static size_t with_event(const struct event *e, int at_line)
{
    char line[JOURNAL_LINE];
    size_t n = 0;
    uint32_t crc = 0;

    for (int i = 0; i < at_line; i++) {
        size_t len = line_at[i + 1] - line_at[i] - JOURNAL_SEAL - 1;

        memcpy(hurt + n, sample + line_at[i], len);
        if (sample[line_at[i]] == 'c')
            crc = 0;
        n += journal_text_seal(hurt + n, len, &crc);
    }
    memcpy(hurt + n, line, journal_text_event(line, e));
    return n + journal_text_seal(hurt + n, strlen(line), &crc);
}

static void absurd_values_are_kept_out(void **state)
{
    const int32_t most = INT32_MAX;
    const struct event cases[] = {
        {.at_ms = INT64_MAX, .kind = EVENT_TICK},
        {.at_ms = INT64_MIN, .kind = EVENT_TICK},
        {.at_ms = 9000, .kind = EVENT_SAMPLE, .sample = {{most, 0, 0}, 0, 0}},
        {.at_ms = 9000, .kind = EVENT_SAMPLE, .sample = {{0, -most, 0}, 0, 0}},
        {.at_ms = 9000, .kind = EVENT_METER, .meter = {{0, 0, most}, {0}, 0, 0}},
        {.at_ms = 9000, .kind = EVENT_METER, .meter = {{0}, {most}, 0, 0}},
        {.at_ms = 9000, .kind = EVENT_LIMIT, .limit = {.limit_ma = most}},
        {.at_ms = 9000, .kind = EVENT_LIMIT, .limit = {.until_ms = INT64_MIN}},
        {.at_ms = 9000, .kind = EVENT_WISH, .wish = {.departs_ms = INT64_MIN}},
    };
    const struct event good_one = {.at_ms = 9000, .kind = EVENT_PAUSE};
    int after = 0;

    (void)state;
    while (sample[line_at[after]] != 'B')
        after++;
    assert_true(good(hurt, with_event(&good_one, after + 1)));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct audit a = audit_of(hurt, with_event(&cases[i], after + 1));

        assert_int_equal(a.found[AUDIT_DAMAGE], 1);
        assert_int_equal(a.skipped, 1);
    }
}

static void garbage_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        size_t n = size, at = below(size), len = below(2000);

        memcpy(hurt, sample, size);
        for (size_t k = at; k < at + len && k < n; k++)
            hurt[k] = (char)aw_rnd(&rnd_state);
        good(hurt, n);
    }
}

static int setup(void **state)
{
    const char *text = getenv("SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

    (void)state;
    printf("seed %" PRIu64 " (SEED=... repeats it)\n", seed);
    rnd_state = seed | 1;
    if (!mkdtemp(dir))
        return -1;
    make_sample(seed);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_sound),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(a_line_that_is_missing_doubled_or_moved_is_found),
        cmocka_unit_test(it_may_end_anywhere),
        cmocka_unit_test(forged_journals_do_no_harm),
        cmocka_unit_test(absurd_values_are_kept_out),
        cmocka_unit_test(garbage_does_no_harm),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
