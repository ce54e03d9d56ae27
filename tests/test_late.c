/* SPDX-License-Identifier: Apache-2.0 */
/* A bus cannot lie: reads from a device or gateway that misbehaves at random (liar.h),
 * over TCP, a serial line (a pseudo terminal) and RTU in TCP at once. Not one value may
 * land in the place of another. READS=100000 is the long run (make check-late), SEED=
 * another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "io/clock.h"
#include "liar.h"

enum { TRANSPORTS = 3, TIMEOUT_MS = 20, PER_1000 = 60, SHORT_RUN = 400 };

static const char *const names[TRANSPORTS] = {"TCP", "RTU", "RTU in TCP"};

struct run {
    enum transport t;
    unsigned seed;
    int reads;
    pthread_t thread;
    int results[LINE_STOPPED + 1];
    int wrong, reopened, seconds;
    int told[LIES];
    char text[200]; /* of the first wrong value, or why it could not run */
};

static int any(struct run *r, int below)
{
    return (int)((unsigned)rand_r(&r->seed) % (unsigned)below);
}

static enum line_result read_once(struct run *r, struct modbus_line *l,
                                  const struct line_request *q)
{
    uint16_t words[FRAME_WORDS];
    enum line_result result = modbus_line_read(l, q, words);

    r->results[result]++;
    for (int i = 0; i < q->n && result == LINE_OK; i++)
        if (words[i] != liar_word(q->unit, q->fc, q->at + i)) {
            if (r->wrong == 0)
                snprintf(r->text, sizeof r->text,
                         "read %d: unit %d, function %d, register %d as %04x",
                         r->results[LINE_OK], q->unit, q->fc, q->at + i, words[i]);
            r->wrong++;
        }
    return result;
}

/* As the readers of meters do it: the same once more when no good answer came, and a
 * new connection when it is lost or nothing comes three times. */
static bool read_like_a_poller(struct run *r, struct modbus_line *l,
                               const struct line_request *q)
{
    enum line_result result = read_once(r, l, q);

    if (result == LINE_TIMEOUT || result == LINE_GARBLED)
        result = read_once(r, l, q);
    if (result != LINE_BROKEN && any(r, 200) > 0)
        return true;
    r->reopened++;
    while (modbus_line_open(l, 10000) != LINE_OK) /* not while the liar hangs up */
        if (!modbus_line_wait(l, clock_ms() + 1))
            return false;
    return true;
}

static void read_all(struct run *r, struct modbus_line *l)
{
    struct line_request q = {.unit = 1, .timeout_ms = TIMEOUT_MS};

    while (r->results[LINE_OK] < r->reads && r->wrong == 0) {
        if (any(r, 100) == 0) /* not often: that makes a pause */
            q.unit = 1 + any(r, 3);
        q.fc = 3 + any(r, 2);
        q.at = any(r, 12) * 6;
        q.n = any(r, 3) ? 6 : 1 + any(r, 20);
        if (!read_like_a_poller(r, l, &q))
            return;
    }
}

static void *run(void *arg)
{
    struct run *r = arg;
    struct liar *liar = liar_new(r->t, TIMEOUT_MS, PER_1000, r->seed);
    int64_t begun_ms = clock_ms();
    struct line_address a;
    struct modbus_line *l;

    if (!liar) {
        snprintf(r->text, sizeof r->text, "no liar");
        return NULL;
    }
    liar_address(liar, &a);
    l = modbus_line_new(&a, r->text, sizeof r->text);
    if (l && modbus_line_open(l, 10000) == LINE_OK)
        read_all(r, l);
    modbus_line_free(l);
    liar_stop(liar, r->told);
    r->seconds = (int)((clock_ms() - begun_ms) / 1000);
    return NULL;
}

static void print(const struct run *r)
{
    print_message(
        "%s: %d good reads, %d timed out, %d garbled, %d refused, %d lost, %d "
        "times reopened, %d wrong values, %d s\n ",
        names[r->t], r->results[LINE_OK], r->results[LINE_TIMEOUT],
        r->results[LINE_GARBLED], r->results[LINE_REFUSED], r->results[LINE_BROKEN],
        r->reopened, r->wrong, r->seconds);
    for (int i = 0; i < LIES; i++)
        print_message(" %s %d%s", liar_name((enum lie)i), r->told[i],
                      i < LIES - 1 ? "," : "\n");
}

static void test_no_wrong_value(void **state)
{
    const char *reads = getenv("READS"), *seed = getenv("SEED");
    struct run runs[TRANSPORTS] = {0};

    (void)state;
    for (int i = 0; i < TRANSPORTS; i++) {
        runs[i].t = (enum transport)i;
        runs[i].seed = seed ? (unsigned)atoi(seed) : 20261126;
        runs[i].seed += (unsigned)i;
        runs[i].reads = reads ? atoi(reads) : SHORT_RUN;
        print_message("%s: seed %u\n", names[i], runs[i].seed);
        assert_int_equal(pthread_create(&runs[i].thread, NULL, run, &runs[i]), 0);
    }
    for (int i = 0; i < TRANSPORTS; i++)
        pthread_join(runs[i].thread, NULL);
    for (int i = 0; i < TRANSPORTS; i++)
        print(&runs[i]);
    for (int i = 0; i < TRANSPORTS; i++) {
        if (runs[i].wrong > 0 || runs[i].results[LINE_OK] < runs[i].reads)
            fail_msg("%s: %s", names[i], runs[i].text);
        for (int k = 0; k < LIES && runs[i].reads >= 10000; k++)
            assert_int_not_equal(runs[i].told[k], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_wrong_value)};

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
